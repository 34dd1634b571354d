//! Each sign tested both ways: it is seen in the cheat and not in the honest look-alike.

use super::*;
use crate::{
    judge::{
        Commissioned, Memory, Wiring,
        allowance::{Allowance, AllowanceKind},
        cycle::PowerCycle,
        floor::{Floor, STARTING_CURRENT_CT_PPM},
        kept::Kept,
        memory::Mark,
        permit::{Permit, Permitted},
    },
    metering::{
        Fault, Identity, Quantity, Reading, Register,
        decode::Applied,
        identity::Label,
        quantity::QUANTITIES,
        reading::{NO_REQUEST, Registers},
    },
    terms::{AssetId, ClockQuality, Digest, MilliVolts, MilliWatts, Ratio, WattHours},
};

const NOMINAL_V: i64 = 10_000;
/// Amperes of a melt: 8 MW at a power factor of 0.8.
const MELT_A: i64 = 577;
/// Cosines and sines in thousandths, by degrees that are used here.
const fn cos(degrees: i64) -> i64 {
    match degrees.rem_euclid(360) {
        0 => 1_000,
        10 | 350 => 985,
        30 | 330 => 866,
        37 | 323 => 799,
        50 | 310 => 643,
        53 | 307 => 602,
        60 | 300 => 500,
        67 | 293 => 391,
        80 | 280 => 174,
        83 | 277 => 122,
        90 | 270 => 0,
        110 | 250 => -342,
        120 | 240 => -500,
        143 | 217 => -799,
        157 | 203 => -921,
        150 | 210 => -866,
        127 | 233 => -602,
        173 | 187 => -993,
        180 => -1_000,
        _ => panic!(),
    }
}

/// The last digits of a live line's voltage: they never stand, and never come again in the same order.
fn flicker(second: u64) -> i64 {
    let mixed = (second ^ second >> 7).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    i64::try_from((mixed ^ mixed >> 31).wrapping_mul(0x94D0_49BB_1331_11EB) >> 53).unwrap()
}

fn terms(wiring: Wiring) -> Commissioned {
    let nominal = MilliVolts(NOMINAL_V * 1_000);
    let floor = Floor::of(wiring, 800, nominal, STARTING_CURRENT_CT_PPM);
    let rated = MilliWatts::from_watts(12_500_000);
    let meter = MeterId::new("m1").unwrap();
    let lamps = Name::new("lamps").unwrap();
    let allowance =
        Allowance::drawing(lamps, AllowanceKind::Lamps, MilliWatts::from_watts(30_000), WattHours(5_000_000));
    Commissioned {
        wiring,
        compensation_var: 4_000_000,
        allowances: Box::new([allowance]),
        ..Commissioned::process_feeder(meter, AssetId::new("eaf-1").unwrap(), nominal, rated, floor)
    }
}

/// A meter, its signs, and every turn so far.
struct Bench {
    terms: Commissioned,
    signs: Signs,
    cycle: PowerCycle,
    now_ms: u64,
    turns: Turns,
    said: Vec<Turned>,
}

/// What a plant shows at one moment.
#[derive(Clone, Copy)]
struct Shape {
    volts: [i64; 3],
    amps: [i64; 3],
    watts: [i64; 3],
    vars: i64,
}

impl Shape {
    /// A balanced load whose current lags so many degrees, as its meter sees it when the voltage of each phase is
    /// turned by so much against what it should be.
    fn load(amps: i64, lag: i64, turned: [i64; 3]) -> Shape {
        let volts = NOMINAL_V * 1_000 / 1_732;
        let watts = turned.map(|by| volts * amps / 1_000 * cos(lag + by));
        let vars = turned.map(|by| volts * amps / 1_000 * cos(90 - lag - by)).iter().sum();
        Shape { volts: [volts; 3], amps: [amps; 3], watts, vars }
    }
}

impl Bench {
    fn new(wiring: Wiring) -> Bench {
        let terms = terms(wiring);
        Bench {
            terms,
            signs: Signs::default(),
            cycle: PowerCycle::default(),
            now_ms: 1_000,
            turns: Turns::new(),
            said: Vec::new(),
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            wall_unix_ms: 1_795_000_000_000 + self.now_ms.cast_signed(),
            uptime_ms: self.now_ms,
            boot: 1,
            clock: ClockQuality::Ntp,
            error_ms: 0,
        }
    }

    /// A reading in which all values came with one answer.
    fn reading(&self, shape: Shape) -> Reading {
        let mut reading = Reading {
            meter: self.terms.meter,
            at: self.stamp(),
            took_ms: 5,
            values: [None; QUANTITIES],
            registers: Registers::default(),
            import: None,
            requests: [NO_REQUEST; QUANTITIES],
            ratios: Applied::DIRECT,
            scan: Scan::default(),
        };
        let mut set = |quantity: Quantity, value: i64| {
            reading.values[quantity.index()] = Some(value);
            reading.requests[quantity.index()] = 0;
        };
        // A live line's voltage never stands to its last digit.
        let flicker = flicker(self.now_ms / 1_000);
        for (quantity, volts) in
            [Quantity::VoltageL1, Quantity::VoltageL2, Quantity::VoltageL3].into_iter().zip(shape.volts)
        {
            set(quantity, if volts == 0 { 0 } else { volts * 1_000 + flicker });
        }
        for (quantity, amps) in
            [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3].into_iter().zip(shape.amps)
        {
            set(quantity, amps * 1_000);
        }
        if self.terms.wiring == Wiring::FourWire {
            for (quantity, watts) in
                [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3].into_iter().zip(shape.watts)
            {
                set(quantity, watts * 1_000);
            }
        } else {
            for quantity in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
                set(quantity, NOMINAL_V * 1_000 + flicker);
            }
        }
        set(Quantity::Power, shape.watts.iter().sum::<i64>() * 1_000);
        set(Quantity::Reactive, shape.vars * 1_000);
        reading
    }

    fn hear(&mut self, reading: &Reading) {
        self.turns.clear();
        self.cycle.on_reading(&self.terms, reading);
        let was_dark = self.cycle.may_be_at(&reading.at);
        let around = Around { is_in_inrush: false, was_dark, must_rest: true };
        self.signs.on_reading(&self.terms, reading, around, &mut self.turns);
        self.said.extend(self.turns.iter().cloned());
    }

    /// Polls so many times, once a second.
    fn polls(&mut self, times: u64, shape: Shape) -> &mut Bench {
        for _ in 0..times {
            self.now_ms += 1_000;
            let reading = self.reading(shape);
            self.hear(&reading);
        }
        self
    }

    /// Polls with something altered in each reading.
    fn altered(&mut self, times: u64, shape: Shape, alter: impl Fn(&mut Reading, u64)) -> &mut Bench {
        for n in 0..times {
            self.now_ms += 1_000;
            let mut reading = self.reading(shape);
            alter(&mut reading, n);
            self.hear(&reading);
        }
        self
    }

    fn identity(&mut self, identity: &Identity) -> &mut Bench {
        self.now_ms += 1_000;
        self.turns.clear();
        let at = self.stamp();
        self.signs.on_identity(&at, identity, &mut self.turns);
        self.said.extend(self.turns.iter().cloned());
        self
    }

    fn miss(&mut self, fault: Fault) -> &mut Bench {
        self.now_ms += 1_000;
        self.turns.clear();
        let at = self.stamp();
        self.signs.on_miss(&at, fault, &mut self.turns);
        self.said.extend(self.turns.iter().cloned());
        self
    }

    fn paper(&mut self, permit: &Permit) -> &mut Bench {
        self.turns.clear();
        let at = self.stamp();
        self.signs.on_paper(permit, &at, &mut self.turns);
        self.said.extend(self.turns.iter().cloned());
        self
    }

    fn rebased(&mut self, before: (Stamp, i64), after: i64) -> &mut Bench {
        let register = |energy| Register {
            energy: WattHours(energy),
            step: WattHours(10),
            modulus: None,
            raw: 0,
            raw_words: 2,
        };
        let before = Mark { at: before.0, register: register(before.1) };
        let after = Mark { at: self.stamp(), register: register(after) };
        self.turns.clear();
        let lost = Kept::default().unsaved(&self.terms, &before);
        let unsaved = if self.cycle.is_since(&before.at) { lost } else { WattHours(0) };
        self.signs.on_rebased(unsaved, &before, &after, &mut self.turns);
        self.said.extend(self.turns.iter().cloned());
        self
    }

    fn turns(&self) -> Vec<(Sign, Turn)> {
        self.said.iter().map(|turned| (turned.sign, turned.turn)).collect()
    }

    fn stands(&self, sign: Sign) -> bool {
        self.signs.standing().any(|standing| standing.sign == sign)
    }

    fn is_clean(&self) -> bool {
        self.said.is_empty() && self.signs.standing().count() == 0
    }
}

fn idle() -> Shape {
    Shape::load(1, 60, [0, 0, 0])
}

fn melt() -> Shape {
    Shape::load(MELT_A, 37, [0, 0, 0])
}

fn run_hours(reading: &mut Reading, thousandths: i64) {
    reading.values[Quantity::RunHours.index()] = Some(thousandths);
}

fn paper(bench: &Bench, from_s: i64, to_s: i64) -> Permit {
    let now = bench.stamp().wall_unix_ms;
    Permit {
        id: Name::new("permit-9").unwrap(),
        asset: AssetId::new("eaf-1").unwrap(),
        what: Permitted::MeterReplacement { meter: bench.terms.meter },
        from_unix_ms: now + from_s * 1_000,
        to_unix_ms: now + to_s * 1_000,
        document: Digest::of(b"paper"),
    }
}

mod deeds;
mod power;
mod time;
