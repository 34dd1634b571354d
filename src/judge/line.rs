//! The line behind a meter: is it dead, live or something between, and does the meter provably live while it is dead.

use super::{
    commission::{Commissioned, VoltagePoint, Wiring},
    drawing::Proof,
    sign::{netting, power::Shown},
    state::{State, Why},
};
use crate::{
    metering::{Quantity, Reading},
    terms::{MilliAmps, MilliVolts, MilliWatts, Stamp},
};

/// After the line comes alive, inrush is not judged by power for this long; by energy always.
pub const INRUSH_MS: i64 = 30_000;
/// A line must have been dead this long for its return to be an energisation.
pub const DEAD_BEFORE_INRUSH_MS: i64 = 5_000;
/// Inrush is granted once in this time: a line that keeps dipping does not blind the witness.
pub const INRUSH_AGAIN_MS: i64 = 900_000;
/// Below this part of nominal a line voltage counts as none.
pub const DEAD_VOLTAGE_PERCENT: i64 = 10;
/// Below this part of nominal, without current, a line voltage counts as induced.
pub const LIVE_VOLTAGE_PERCENT: i64 = 50;
/// Line voltages further apart than this part of nominal are unbalanced.
pub const UNBALANCE_PERCENT: i64 = 10;
/// A live line's frequency, in millihertz: 50 Hz within five percent.
pub const FREQUENCY_MHZ: std::ops::RangeInclusive<i64> = 47_500..=52_500;
/// Balanced voltage behind a point that should be open is back-feed after this long, in milliseconds.
pub const BACK_FEED_MS: i64 = 60_000;
/// A meter on a dead line is alive while one of its words moved within this time.
pub const LIVENESS_MS: i64 = 900_000;
/// A register must have stood still this long before a line is called dead.
pub const STILL_MS: i64 = 60_000;

/// What one reading shows of the voltages.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Every line voltage is below the dead threshold.
    pub is_dead: bool,
    /// Every line voltage is above the live threshold.
    pub is_live: bool,
    /// The line voltages are near to each other, and their frequency, where it is told, is the grid's.
    pub is_sound: bool,
}

/// What was seen of a line over time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    dead_since: Option<Stamp>,
    inrush_from: Option<Stamp>,
    watched_since: Option<Stamp>,
    moved_at: Option<Stamp>,
    life: Option<i64>,
    /// When it was higher than before: one that is stepped back, or played again, proves nothing.
    life_moved: Option<Stamp>,
    /// Since when balanced voltage stands behind a point that should be open.
    fed_since: Option<Stamp>,
    /// The point before it should be open: an order or a breaker says so.
    is_isolated: bool,
}

impl Line {
    /// Takes a reading, and whether any energy register moved with it.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading, registers_moved: bool) {
        let at = reading.at;
        self.watched_since.get_or_insert(at);
        if registers_moved {
            self.moved_at = Some(at);
        }
        let life = reading.liveness();
        if let (Some(before), Some(now)) = (self.life, life)
            && before < now
        {
            self.life_moved = Some(at);
        }
        self.life = life.or(self.life);
        let sight = sight(terms, reading);
        let is_fed = self.is_isolated
            && terms.voltage_point != VoltagePoint::Bus
            && sight.is_some_and(|sight| sight.is_live && sight.is_sound);
        match (is_fed, sight) {
            (true, _) => drop(self.fed_since.get_or_insert(at)),
            // A missing voltage pauses; only a voltage that is not there ends it.
            (false, Some(_)) => self.fed_since = None,
            (false, None) => {}
        }
        match sight {
            Some(Sight { is_dead: true, .. }) => {
                self.dead_since.get_or_insert(at);
            }
            Some(Sight { is_live: true, .. }) => self.on_live(&at),
            Some(Sight { .. }) | None => {}
        }
    }

    /// Whether the line has just come alive and power is not judged yet.
    pub fn is_in_inrush(&self, at: &Stamp) -> bool {
        self.inrush_from.is_some_and(|from| at.since_ms(&from) < INRUSH_MS)
    }

    /// The point before this line should be open from here on, or no longer.
    pub fn isolate(&mut self, is_isolated: bool) {
        self.is_isolated = is_isolated;
        self.fed_since = None;
    }

    /// Whether the point before this line should be open.
    pub fn is_isolated(&self) -> bool {
        self.is_isolated
    }

    /// Whether balanced voltage stands behind a point that should be open, were it only for one reading.
    pub fn is_fed(&self) -> bool {
        self.fed_since.is_some()
    }

    /// Whether voltage stands behind a point that should be open, and has for [`BACK_FEED_MS`].
    pub fn is_back_fed(&self, at: &Stamp) -> bool {
        self.fed_since.is_some_and(|since| at.since_ms(&since) >= BACK_FEED_MS)
    }

    /// The proof of back-feed, where there is one.
    pub fn back_feed(&self, at: &Stamp) -> Option<Proof> {
        self.fed_since.filter(|_| self.is_back_fed(at)).map(|from| Proof::BackFeed { from })
    }

    /// The state of a line without voltage, where no current flows.
    pub fn dead_state(&self, terms: &Commissioned, reading: &Reading) -> State {
        if terms.voltage_point == VoltagePoint::Bus {
            return State::Unknown(Why::BusSide);
        }
        let at = &reading.at;
        let currents = currents(terms.wiring, reading).iter().flatten().count();
        if currents == 0 || currents < usize::from(terms.promised.currents) {
            return State::Unknown(Why::NoCurrent);
        }
        if self.moved_at.is_some_and(|moved| at.since_ms(&moved) < STILL_MS) {
            return State::Unknown(Why::RegisterMoves);
        }
        if self.watched_since.is_none_or(|since| at.since_ms(&since) < STILL_MS) {
            return State::Unknown(Why::NotYetJudged);
        }
        match (reading.liveness(), self.life_moved) {
            (None, _) => State::Unknown(Why::NoLivenessWord),
            (Some(_), Some(moved)) if at.since_ms(&moved) <= LIVENESS_MS => State::Dead,
            (Some(_), _) => State::Unknown(Why::NotProvenAlive),
        }
    }

    fn on_live(&mut self, at: &Stamp) {
        let was_dead =
            self.dead_since.take().is_some_and(|since| at.since_ms(&since) >= DEAD_BEFORE_INRUSH_MS);
        let may = self.inrush_from.is_none_or(|last| at.since_ms(&last) >= INRUSH_AGAIN_MS);
        if was_dead && may {
            self.inrush_from = Some(*at);
        }
    }
}

/// What a reading shows of the voltages; `None` unless every voltage the meter's map promises is there.
pub fn sight(terms: &Commissioned, reading: &Reading) -> Option<Sight> {
    let part = |percent: i64| terms.nominal.0 / 100 * percent;
    let below = |v: &MilliVolts, percent: i64| v.0.saturating_abs() < part(percent);
    let lines = voltages(terms.wiring, reading);
    let known = lines.iter().flatten().count();
    if known == 0 || known < usize::from(terms.promised.voltages) {
        return None;
    }
    let told = || lines.iter().flatten().map(|v| v.0.saturating_abs());
    let spread = told().max().unwrap_or(0) - told().min().unwrap_or(0);
    let frequency = reading.value(Quantity::Frequency);
    Some(Sight {
        is_dead: lines.iter().flatten().all(|v| below(v, DEAD_VOLTAGE_PERCENT)),
        is_live: lines.iter().flatten().all(|v| !below(v, LIVE_VOLTAGE_PERCENT)),
        is_sound: spread <= part(UNBALANCE_PERCENT) && frequency.is_none_or(|f| FREQUENCY_MHZ.contains(&f)),
    })
}

/// The voltages that mean something with this wiring: line to line, or that of the one phase.
pub fn voltages(wiring: Wiring, reading: &Reading) -> [Option<MilliVolts>; 3] {
    match wiring {
        Wiring::FourWire | Wiring::Aron => reading.line_voltages(),
        Wiring::SinglePhase => [reading.value(Quantity::VoltageL1).map(MilliVolts), None, None],
    }
}

/// The currents that mean something with this wiring: two elements have no second one.
pub fn currents(wiring: Wiring, reading: &Reading) -> [Option<MilliAmps>; 3] {
    let mut currents = reading.currents();
    for (current, is_measured) in currents.iter_mut().zip(wiring.has_current()) {
        *current = current.filter(|_| is_measured);
    }
    currents
}

/// The power to decide on: never less than what its phases add up to, and, while they cancel each other, than what they
/// draw together without netting each other. `None` when the meter tells none.
pub fn deciding_power(terms: &Commissioned, reading: &Reading) -> Option<MilliWatts> {
    let total = reading.power()?;
    // Power that flows backwards on the whole is not drawn; what it is, its registers tell.
    if total.0 < 0 || !terms.wiring.has_phase_power() {
        return Some(total);
    }
    let [Some(a), Some(b), Some(c)] = reading.phase_power() else { return Some(total) };
    let phases = [a.0, b.0, c.0];
    let sum = phases.iter().fold(0_i64, |sum, power| sum.saturating_add(*power));
    let is_one_backwards = phases.iter().any(|power| *power < 0);
    let shown = is_one_backwards.then(|| Shown::of(terms, reading)).flatten();
    let gross = shown.and_then(|shown| netting::gross(terms, &shown));
    let gross = gross.map_or(0, |gross| i64::try_from(gross).unwrap_or(i64::MAX));
    Some(MilliWatts(total.0.max(sum).max(gross)))
}
