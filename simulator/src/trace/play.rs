//! Plays a trace to the judge as the meter of a feeder would have told it: within a row the power is its mean, and
//! the registers are exact.
//!
//! The judge is asked as often as its delays need and no oftener: every second while power stands beyond the limit
//! and nothing is proven, a few times after every change, and seldom while nothing changes. A hole is polls that fail,
//! and then a gateway that starts again: what passed meanwhile is told by nothing, not even by the register.

use std::collections::BTreeSet;

use coldhearth::{
    catalogue::Standing,
    judge::{
        Allowance, AllowanceKind, Classes, Commissioned, Equipment, Event, Fact, Finding, Floor, Memory,
        Promised, Site, State, StateFinding, VoltagePoint, Wiring, floor::STARTING_CURRENT_CT_PPM,
        state::Why,
    },
    metering::{
        Fault, Quantity, Reading, Register, Registers, Sample, Scan, decode::Applied, quantity::QUANTITIES,
    },
    terms::{
        AssetId, ClockQuality, LegalDay, MeterId, MilliAmps, MilliVolts, MilliWatts, Name, Stamp, WattHours,
    },
};

use super::{
    moment::Moment,
    rows::Row,
    spells::{Spell, Spells, milliwatts},
    tally::Tally,
};
use crate::rounding::{nearest, real};

/// Time between two polls where it matters, in milliseconds.
pub const POLL_MS: i64 = 1_000;
/// Time between two polls where nothing changes, in milliseconds. A long row in which nothing can change is not
/// polled but at its end.
pub const SELDOM_MS: i64 = 60_000;
/// Power beyond the limit is polled at [`POLL_MS`] for at most so long, in milliseconds: longer than any on-delay, and
/// than it takes a power at the limit to bring the least energy the judge asks for.
pub const OFTEN_MS: i64 = 300_000;
/// The step of the exact register.
pub const STEP: WattHours = WattHours(1);
/// A live line of this nominal voltage is assumed: a trace of power tells no voltage.
pub const NOMINAL: MilliVolts = MilliVolts(400_000);

/// Readings after a start that are taken as fast as polls come: a register takes two to be believed.
const FRESH_READINGS: u32 = 3;
/// How long before the trace the equipment was decommissioned, in milliseconds: a year.
const DECOMMISSIONED_BEFORE_MS: i64 = 366 * 86_400_000;
const ROOT_OF_3: f64 = 1.732_050_808;

/// What was declared of the feeder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Rated power of the equipment.
    pub rated: MilliWatts,
    /// What its auxiliaries may draw.
    pub allowance: MilliWatts,
    /// A spell ends when nobody draws for so long, in milliseconds.
    pub off_delay_ms: u64,
}

impl Declared {
    /// The feeder as it would have been commissioned; `None` if the words that name it were no names.
    pub fn commissioned(&self) -> Option<Commissioned> {
        let (meter, asset) = (MeterId::new("trace")?, AssetId::new("trace")?);
        // A meter behind current transformers of just this rating begins to tell at its starting current.
        let floor = MilliWatts(
            i64::try_from(i128::from(self.rated.0) * i128::from(STARTING_CURRENT_CT_PPM) / 1_000_000).ok()?,
        );
        let floor = Floor {
            power: floor,
            current: MilliAmps(nearest(real(floor.0) * 1_000.0 / real(NOMINAL.0) / ROOT_OF_3)),
            // What was recorded passed, whatever was declared.
            capacity: MilliWatts(i64::MAX),
        };
        let all_month = WattHours(i64::MAX);
        let allowance =
            Allowance::drawing(Name::new("auxiliaries")?, AllowanceKind::Other, self.allowance, all_month);
        Some(Commissioned {
            allowances: Box::new([allowance]),
            voltage_point: VoltagePoint::Bus,
            wiring: Wiring::FourWire,
            classes: Classes::default(),
            poll_ms: POLL_MS.unsigned_abs(),
            promised: Promised { voltages: 3, currents: 0 },
            ..Commissioned::process_feeder(meter, asset, NOMINAL, self.rated, floor)
        })
    }
}

/// What came of a trace.
#[derive(Debug)]
pub struct Judged {
    /// When somebody drew.
    pub spells: Vec<Spell>,
    /// How long each state lasted, and the energies.
    pub tally: Tally,
    /// Most that can have passed unseen: the floor while read, the rating while not, and two register steps.
    pub bound: WattHours,
    /// Signs of tampering the judge saw, by their words.
    pub signs: BTreeSet<&'static str>,
    /// Rows, those without a reading among them, and the longest of them in nanoseconds.
    pub rows: Counted,
    /// The feeder as commissioned.
    pub terms: Commissioned,
}

/// How many rows there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// With and without a reading.
    pub all: u64,
    /// Without.
    pub holes: u64,
    /// The longest, in nanoseconds.
    pub longest: i128,
}

/// The judge at work on a trace.
#[derive(Debug)]
pub struct Play {
    site: Site,
    terms: Commissioned,
    spells: Spells,
    heard: Heard,
    rows: Counted,
    /// Where the trace begins, in milliseconds since 1970.
    began_ms: i64,
    boot: u32,
    /// Readings since the last start.
    readings: u32,
    /// The last poll, in milliseconds since 1970.
    polled_ms: i64,
    /// What kind of power it found; `None` when it failed.
    band: Option<Band>,
    /// Since when power stands beyond the limit.
    beyond_since_ms: Option<i64>,
}

/// What the judge said during one row, and its state.
#[derive(Debug)]
struct Heard {
    shown: State,
    proof_ms: Option<i64>,
    is_over: bool,
    signs: BTreeSet<&'static str>,
}

/// Kinds of power between which nothing changes for the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Band {
    Backwards,
    Idle,
    Within,
    Between,
    Beyond,
}

impl Play {
    /// A witness that begins where the trace does; `None` only if [`Declared::commissioned`] gives none.
    pub fn new(declared: &Declared, first: Moment) -> Option<Play> {
        let terms = declared.commissioned()?;
        let began_ms = first.unix_ms();
        let standing = Standing::declared(Some(LegalDay::of_unix_ms(began_ms - DECOMMISSIONED_BEFORE_MS)));
        let equipment = Equipment { id: terms.asset(), standing };
        Some(Play {
            site: Site::new(vec![terms.clone()], vec![equipment], &Memory::default()),
            terms,
            spells: Spells::new(declared.off_delay_ms),
            heard: Heard {
                shown: State::Unknown(Why::NotYetRead),
                proof_ms: None,
                is_over: false,
                signs: BTreeSet::new(),
            },
            rows: Counted::default(),
            began_ms,
            boot: 1,
            readings: 0,
            polled_ms: began_ms,
            band: None,
            beyond_since_ms: None,
        })
    }

    /// Takes the next row.
    pub fn on_row(&mut self, row: &Row) {
        self.rows.all += 1;
        self.rows.longest = self.rows.longest.max(row.nanos());
        (self.heard.proof_ms, self.heard.is_over) = (None, false);
        match row.power {
            Some(power) => self.play(row, power),
            None => self.miss(row),
        }
        let Heard { shown, proof_ms, is_over, .. } = self.heard;
        self.spells.on_row(&self.terms, row, shown, proof_ms, is_over);
        if self.spells.expires(row.end) {
            // What follows must be proven anew, as after the authority's reset.
            let asset = self.terms.asset();
            let at = self.stamp(row.end.unix_ms().max(self.polled_ms));
            self.site.on(&at, Fact::Reset(asset), &mut |finding| self.heard.hear(&finding));
        }
    }

    /// The end of the trace.
    pub fn finish(self) -> Judged {
        let (spells, tally) = self.spells.finish();
        let ms = |nanos: i128| i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX);
        let unseen = self.terms.unseen_bound(ms(tally.seen()), STEP).0;
        let dark = self.terms.rated.over_ms(ms(tally.hole)).0;
        Judged {
            spells,
            tally,
            bound: WattHours(unseen.saturating_add(dark)),
            signs: self.heard.signs,
            rows: self.rows,
            terms: self.terms,
        }
    }

    fn play(&mut self, row: &Row, power: i64) {
        let band = self.band_of(milliwatts(power));
        let (start_ms, end_ms) = (row.start.unix_ms(), row.end.unix_ms());
        let changes = self.band != Some(band);
        self.beyond_since_ms =
            if band == Band::Beyond { self.beyond_since_ms.or(Some(start_ms)) } else { None };
        // After a change: at once, a minute later, at the row's end.
        let mut later = Some(SELDOM_MS).filter(|_| changes);
        loop {
            let soonest = self.polled_ms.saturating_add(POLL_MS).max(start_ms + 1);
            let seldom = self.polled_ms.saturating_add(SELDOM_MS);
            let next = if self.band != Some(band) || self.is_urgent(soonest) {
                soonest
            } else if band == Band::Backwards || band == Band::Between && self.spells.is_proven() {
                // What goes on here the judge must hear of before the off-delay is over.
                seldom
            } else if let Some(pause) = later.take() {
                self.polled_ms.saturating_add(pause)
            } else if changes || seldom <= end_ms {
                end_ms
            } else {
                return;
            };
            let next = next.min(end_ms);
            if next < soonest {
                return;
            }
            self.poll(row, power, next, band);
        }
    }

    /// Whether each second counts.
    fn is_urgent(&self, now_ms: i64) -> bool {
        let proving = self.beyond_since_ms.is_some_and(|since| now_ms - since <= OFTEN_MS);
        self.readings < FRESH_READINGS || proving && !self.spells.is_proven() && self.heard.proof_ms.is_none()
    }

    fn poll(&mut self, row: &Row, power: i64, at_ms: i64, band: Band) {
        let into = (i128::from(at_ms) * 1_000_000 - row.start.nanos()).clamp(0, row.nanos());
        let [import, export] = self.spells.tally().registers(power, into);
        let reading = self.reading(at_ms, row, power, [import, export]);
        (self.polled_ms, self.band) = (at_ms, Some(band));
        self.readings = self.readings.saturating_add(1);
        let at = reading.at;
        let heard = &mut self.heard;
        self.site.on(&at, Fact::Sample(&Sample::Reading(reading)), &mut |finding| heard.hear(&finding));
    }

    /// Polls that fail, as many as a hole has room for and the judge needs to say that it knows nothing.
    fn miss(&mut self, row: &Row) {
        self.rows.holes += 1;
        for _ in 0..coldhearth::judge::feeder::MISSED_POLLS {
            let at_ms = self.polled_ms.max(row.start.unix_ms()).saturating_add(POLL_MS);
            if at_ms > row.end.unix_ms() {
                break;
            }
            self.polled_ms = at_ms;
            let at = self.stamp(at_ms);
            let miss = Sample::Miss { meter: self.terms.meter, at, fault: Fault::Timeout };
            let heard = &mut self.heard;
            self.site.on(&at, Fact::Sample(&miss), &mut |finding| heard.hear(&finding));
        }
        self.boot = self.boot.saturating_add(1);
        (self.readings, self.band, self.beyond_since_ms) = (0, None, None);
    }

    fn band_of(&self, milliwatts: i64) -> Band {
        let terms = &self.terms;
        match milliwatts {
            power if power > terms.limit().0 => Band::Beyond,
            power if power > terms.off_limit().0 => Band::Between,
            power if power > terms.idle_limit().0 => Band::Within,
            power if power >= -terms.back_limit().0 => Band::Idle,
            _ => Band::Backwards,
        }
    }

    /// Across a hole nothing but an unsynchronised clock tells how much time passed: what a register did meanwhile is
    /// told by nothing.
    fn stamp(&self, at_ms: i64) -> Stamp {
        Stamp {
            wall_unix_ms: at_ms,
            uptime_ms: at_ms.saturating_sub(self.began_ms).max(0).cast_unsigned(),
            boot: self.boot,
            clock: ClockQuality::Rtc,
            error_ms: 0,
        }
    }

    fn reading(&self, at_ms: i64, row: &Row, microwatts: i64, [import, export]: [i64; 2]) -> Reading {
        let power = milliwatts(microwatts);
        let mut values = [None; QUANTITIES];
        let mut put = |quantity: Quantity, value: i64| {
            if let Some(slot) = values.get_mut(quantity.index()) {
                *slot = Some(value);
            }
        };
        put(Quantity::Power, power);
        for line in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
            put(line, NOMINAL.0);
        }
        // A word that moves, or the meter would look stuck while its feeder rests.
        put(Quantity::Clock, at_ms);
        if let Some(reactive) = row.reactive {
            put(Quantity::Reactive, reactive);
            let apparent = (real(power) * real(power) + real(reactive) * real(reactive)).sqrt();
            let current = nearest(apparent * 1_000.0 / real(NOMINAL.0) / ROOT_OF_3);
            for phase in [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3] {
                put(phase, current);
            }
        }
        let register = |energy: i64| Register {
            energy: WattHours(energy),
            step: STEP,
            modulus: None,
            raw: energy.cast_unsigned(),
            raw_words: 4,
        };
        let mut registers = Registers::default();
        registers.set(Quantity::Import, register(import));
        registers.set(Quantity::Export, register(export));
        Reading {
            meter: self.terms.meter,
            at: self.stamp(at_ms),
            took_ms: 1,
            values,
            registers,
            import: Some(register(import)),
            requests: [0; QUANTITIES],
            ratios: Applied::DIRECT,
            scan: Scan::default(),
        }
    }
}

impl Heard {
    fn hear(&mut self, finding: &Finding) {
        match finding {
            Finding::State(StateFinding { state, proof, .. }) => {
                self.shown = *state;
                match state {
                    State::Drawing => {
                        self.proof_ms =
                            self.proof_ms.or(proof.as_ref().map(|proof| proof.from().wall_unix_ms));
                    }
                    State::Exporting | State::Auxiliary | State::Energised | State::Dead => {
                        self.is_over = true;
                    }
                    // Doubt ends nothing.
                    State::Masked(_) | State::Unknown(_) => {}
                }
            }
            Finding::Event(Event::Sign(sign)) => {
                self.signs.insert(sign.sign.word());
            }
            Finding::Event(_) | Finding::Interval(_) | Finding::Transition(_) | Finding::Verdict(_) => {}
        }
    }
}
