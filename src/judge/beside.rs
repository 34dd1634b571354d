//! Registers beside the one energy is judged by: of the phases, and of what flows backwards.

use super::{
    commission::{Commissioned, REGISTER_AGE_MS, Wiring},
    drawing::{DEMAND_MS, LARGE_LOAD_PERCENT, OFF_DELAY_MS, ON_DELAY_LARGE_MS, Proof},
    memory::Mark,
    register::{Passage, Track, is_span_known, is_timed, longest_ms},
    sign::{netting, power::Shown},
    window::{Excess, Span, Window, Windows},
};
use crate::{
    metering::{Quantity, Reading, Register},
    terms::{MilliWatts, Stamp, WattHours},
};

/// What flows backwards must do so for this long before it is exported, in milliseconds; beyond [`LARGE_LOAD_PERCENT`] of
/// rating, as a load that large, for [`ON_DELAY_LARGE_MS`]: a current transformer is turned round.
pub const EXPORT_DELAY_MS: i64 = 60_000;

/// A maximum demand must have stood this long before a rise of it is one, in milliseconds: a meter that starts shows
/// zeros until it has read its memory.
pub const DEMAND_STANDS_MS: i64 = 60_000;

const IMPORTS: [Quantity; 3] = [Quantity::ImportL1, Quantity::ImportL2, Quantity::ImportL3];
const EXPORTS: [Quantity; 3] = [Quantity::ExportL1, Quantity::ExportL2, Quantity::ExportL3];

/// What a reading told of a register beside the first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// It moved.
    pub moved: bool,
    /// It moved by more than the allowances explain.
    pub excess: Option<Excess>,
}

/// The phases' registers together: what one phase feeds back is not netted against what another draws.
///
/// They count only up to a reading that shows the phases cancel each other. Otherwise the total is right, and a phase
/// that counts more than it does so by an error of angle, a shifted neutral, or a load between two phases. What passed
/// through a reversed phase in a gap that ends without current is told by the total alone.
#[derive(Debug, Default)]
pub struct Phases {
    track: Track,
    windows: Option<Windows>,
}

impl Phases {
    /// Takes a reading. `is_drawing`: more of the same is no surprise.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading, is_drawing: bool) -> Heard {
        let Some(register) = sum_of(reading, IMPORTS).filter(|_| terms.wiring == Wiring::FourWire) else {
            return Heard::default();
        };
        let now = Mark { at: reading.at, register };
        let explained = |before: &Mark, now: &Mark| {
            if is_drawing {
                return WattHours(i64::MAX);
            }
            terms.energy_bound(&before.at, &now.at, now.register.step)
        };
        let possible = |before: &Mark, now: &Mark| terms.possible(longest_ms(before, now), now.register.step);
        let passage = self.track.on(now, WattHours(0), possible, explained);
        let windows = self.windows.get_or_insert_with(|| Windows::starting(&now.at));
        match passage {
            Passage::Told { before, energy, .. } if is_timed(&before, &now) => {
                let shown = (energy.0 > 0).then(|| Shown::of(terms, reading)).flatten();
                let counts = shown.is_some_and(|shown| netting::is_cancelled(terms, &shown));
                let drawn = if counts { energy } else { WattHours(0) };
                Heard { moved: energy.0 > 0, excess: windows.add(terms, &before, &now, drawn) }
            }
            Passage::Doubtful { .. } | Passage::Unconfirmed { .. } => Heard::default(),
            Passage::Told { .. }
            | Passage::First
            | Passage::Unsaved { .. }
            | Passage::Rebased { .. }
            | Passage::FellOrRolledOver { .. }
            | Passage::Untimed { .. } => {
                *windows = Windows::starting(&now.at);
                Heard::default()
            }
        }
    }

    /// An interval of the ledger is over.
    pub fn close_interval(&mut self) {
        if let (Some(windows), Some(mark)) = (&mut self.windows, self.track.anchor()) {
            // With the last reading, as the first register's: what passes until the next is weighed against all of it.
            windows.interval = Window::starting(&mark.at);
        }
    }

    /// Sums begin anew with the last good reading.
    pub fn renew(&mut self) {
        self.windows = self.track.anchor().map(|mark| Windows::starting(&mark.at));
    }

    /// The wall clock was moved.
    pub fn on_clock_step(&mut self, now: &Stamp) {
        self.track.on_clock_step(now);
        self.renew();
    }
}

/// A spell in which energy flows backwards.
#[derive(Clone, Copy, Debug)]
struct Spell {
    /// Where the sum began.
    from: Stamp,
    /// When it was last seen to flow.
    last: Stamp,
    /// By the register; by power times time where the map has none.
    moved: WattHours,
    /// Milliwatt-milliseconds that are not yet a watt-hour.
    rest: i64,
}

/// What flows backwards, by the export register or by power.
#[derive(Debug, Default)]
pub struct Export {
    track: Track,
    spell: Option<Spell>,
    proof: Option<Proof>,
    /// For how long power as that of a large load has flowed backwards, in milliseconds, as last read.
    large_ms: Option<i64>,
    last: Option<Stamp>,
    /// How often the count began anew.
    counts: u32,
}

/// An export register as accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackCount {
    /// What it shows.
    pub energy: WattHours,
    /// The smallest advance it shows.
    pub step: WattHours,
    /// Which count it is: only energies of one count can be compared.
    pub count: u32,
}

impl Export {
    /// The register, where the last reading was accepted as its baseline.
    pub fn accepted(&self, at: &Stamp) -> Option<BackCount> {
        let mark = self.track.anchor().filter(|mark| mark.at == *at)?;
        Some(BackCount { energy: mark.register.energy, step: mark.register.step, count: self.counts })
    }

    /// Takes a reading; true when an export register moved. Just after the line came alive, `is_in_inrush`, power alone
    /// hastens nothing.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading, is_in_inrush: bool) -> bool {
        let at = reading.at;
        let register = reading.register(Quantity::Export).copied().or_else(|| sum_of(reading, EXPORTS));
        let last = self.last.replace(at);
        let backwards = reading.power().filter(|power| power.0 < -terms.back_limit().0);
        let passed_ms = last.map_or(0, |last| counted_ms(terms, &last, &at));
        let large = backwards.filter(|power| is_large(terms, *power) && !is_in_inrush);
        self.large_ms = large.map(|_| self.large_ms.map_or(0, |ms| ms.saturating_add(passed_ms)));
        let told = register.and_then(|register| self.told(terms, Mark { at, register }));
        match (register, told, backwards) {
            (Some(_), Some((from, energy)), _) if energy.0 > 0 => self.add(from, at, energy, 0),
            (None, _, Some(power)) => {
                let from = last.filter(|last| last.boot == at.boot).unwrap_or(at);
                self.add(from, at, WattHours(0), power.0.saturating_neg().saturating_mul(passed_ms));
            }
            _ => {}
        }
        let step = register.or(reading.import).map_or(WattHours(1), |register| register.step);
        self.weigh(terms, &at, step);
        told.is_some_and(|(_, energy)| energy.0 > 0)
    }

    /// Whether energy flows backwards beyond what is declared, proven by energy and by time.
    pub fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    /// The wall clock was moved: sums that belong to a day begin anew.
    pub fn on_clock_step(&mut self, now: &Stamp) {
        self.track.on_clock_step(now);
        (self.spell, self.large_ms) = (None, None);
    }

    fn told(&mut self, terms: &Commissioned, now: Mark) -> Option<(Stamp, WattHours)> {
        let possible = |before: &Mark, now: &Mark| terms.possible(longest_ms(before, now), now.register.step);
        let explained = |before: &Mark, now: &Mark| terms.back_bound(&before.at, &now.at, now.register.step);
        match self.track.on(now, WattHours(0), possible, explained) {
            Passage::Told { before, energy, .. } if is_timed(&before, &now) => Some((before.at, energy)),
            Passage::Told { .. } | Passage::Doubtful { .. } | Passage::Unconfirmed { .. } => None,
            Passage::First
            | Passage::Unsaved { .. }
            | Passage::Rebased { .. }
            | Passage::FellOrRolledOver { .. }
            | Passage::Untimed { .. } => {
                self.counts = self.counts.wrapping_add(1);
                None
            }
        }
    }

    fn add(&mut self, from: Stamp, at: Stamp, energy: WattHours, power_ms: i64) {
        /// Milliwatt-milliseconds in a watt-hour.
        const WATT_HOUR: i64 = 3_600_000_000;
        let spell = self.spell.get_or_insert(Spell { from, last: at, moved: WattHours(0), rest: 0 });
        let rest = spell.rest.saturating_add(power_ms);
        spell.moved.0 = spell.moved.0.saturating_add(energy.0).saturating_add(rest / WATT_HOUR);
        (spell.rest, spell.last) = (rest % WATT_HOUR, at);
    }

    fn weigh(&mut self, terms: &Commissioned, at: &Stamp, step: WattHours) {
        let Some(spell) = self.spell else { return };
        if at.since_ms(&spell.last) >= OFF_DELAY_MS {
            (self.spell, self.proof) = (None, None);
            return;
        }
        let bound = terms.back_bound(&spell.from, &spell.last, step);
        let lasted = spell.last.since_ms(&spell.from) >= EXPORT_DELAY_MS
            || self.large_ms.is_some_and(|ms| ms >= ON_DELAY_LARGE_MS);
        if lasted && spell.moved > bound && self.proof.is_none() {
            let (from, moved) = (spell.from, spell.moved);
            self.proof = Some(Proof::Energy(Excess { span: Span::Export, from, moved, bound }));
        }
    }
}

/// Whether what flows backwards is as large as a load that is told after the short delay.
fn is_large(terms: &Commissioned, power: MilliWatts) -> bool {
    power.0.saturating_neg() > terms.rated.0 / 100 * LARGE_LOAD_PERCENT
}

/// The time between two readings of one boot, in milliseconds: of it no more than two polls count.
fn counted_ms(terms: &Commissioned, last: &Stamp, at: &Stamp) -> i64 {
    let poll_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX);
    if last.boot == at.boot { at.since_ms(last).clamp(0, poll_ms.saturating_mul(2)) } else { 0 }
}

/// Three registers as one; `None` unless all are there. It has no width of its own: where one of them goes around, it
/// falls, and begins anew.
fn sum_of(reading: &Reading, quantities: [Quantity; 3]) -> Option<Register> {
    let mut sum = Register { energy: WattHours(0), step: WattHours(0), modulus: None, raw: 0, raw_words: 0 };
    for quantity in quantities {
        let register = reading.register(quantity)?;
        sum.energy.0 = sum.energy.0.checked_add(register.energy.0)?;
        sum.step.0 = sum.step.0.saturating_add(register.step.0);
    }
    Some(sum)
}

/// The meter's own maximum demand: what a run between two polls leaves behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand {
    last: Option<(Stamp, MilliWatts)>,
    /// Since when it has not been lower: a demand that is gone for a moment and comes back did not rise.
    stood_from: Option<Stamp>,
    /// A risen demand that waits for the next reading to agree.
    risen: Option<MilliWatts>,
}

impl Demand {
    /// Takes a reading; the proof when the demand rose beyond the limit, and what was `lent` it of late, and the next reading agrees. A lower one begins
    /// anew: it is cleared every month.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading, lent: MilliWatts) -> Option<Proof> {
        let now = (reading.at, reading.value(Quantity::MaxDemand).map(MilliWatts)?);
        let rose_from = self.last.filter(|last| now.1 > last.1 && is_span_known(&last.0, &now.0));
        let Some((before, _)) = rose_from.filter(|_| now.1 <= terms.capacity()) else {
            let stands = self.last.is_some_and(|last| now.1 == last.1);
            self.stood_from = self.stood_from.filter(|_| stands).or(Some(now.0));
            (self.last, self.risen) = (Some(now), None);
            return None;
        };
        if self.risen.is_none_or(|risen| now.1 < risen) {
            self.risen = Some(now.1);
            return None;
        }
        (self.last, self.risen) = (Some(now), None);
        let from = earlier(&before, DEMAND_MS.saturating_add(REGISTER_AGE_MS));
        let stood = self.stood_from.is_some_and(|since| before.since_ms(&since) >= DEMAND_STANDS_MS);
        (stood && now.1.0.saturating_sub(lent.0) > terms.limit().0).then_some(Proof::Demand {
            from,
            demand: now.1,
            limit: terms.limit(),
        })
    }
}

fn earlier(at: &Stamp, by_ms: i64) -> Stamp {
    let uptime_ms = at.uptime_ms.saturating_sub(by_ms.cast_unsigned());
    Stamp { wall_unix_ms: at.wall_unix_ms.saturating_sub(by_ms), uptime_ms, ..*at }
}
