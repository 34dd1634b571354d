//! The judge told a story second by second, in virtual time.

mod cuts;
mod doubt;
mod drawing;
mod edges;
mod gaps;
mod law;
mod lives;
mod netting;
mod permit_lives;
mod permit_powers;
mod permits;
mod points;
mod pulses;
mod registers;
mod rest;
mod signs;
mod turns;

use super::*;
use crate::{
    catalogue::Standing,
    judge::{
        Allowance, AllowanceKind, Floor, Proof, RegisterQuirk, Sign, State, StateFinding, Verdict,
        VoltagePoint, Why, Wiring, memory::MeterMemory,
    },
    metering::{Fault, Quantity, Register, Registers, Scan, decode::Applied, quantity::QUANTITIES},
    terms::{ClockQuality, LegalDay, MilliVolts, MilliWatts, Name, WattHours},
};

const WALL_MS: i64 = 1_795_000_000_000;
const NOMINAL: i64 = 35_000_000;

/// A meter on a 12.5 MW furnace, its judge, and everything said so far.
struct Story {
    site: Site,
    now_ms: u64,
    boot: u32,
    wall_offset_ms: i64,
    energy: WattHours,
    quality: ClockQuality,
    said: Vec<Finding>,
    plant: lives::Plant,
}

/// The last digits of a live line's voltage: they never stand, and never come again in the same order.
fn flicker(second: u64) -> i64 {
    let mixed = (second ^ second >> 7).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    i64::try_from((mixed ^ mixed >> 31).wrapping_mul(0x94D0_49BB_1331_11EB) >> 53).unwrap()
}

fn terms() -> Commissioned {
    let lamps = Allowance::drawing(
        Name::new("lamps").unwrap(),
        AllowanceKind::Lamps,
        MilliWatts::from_watts(30_000),
        WattHours(5_000_000),
    );
    let (meter, asset) = (MeterId::new("m1").unwrap(), AssetId::new("eaf-1").unwrap());
    let (nominal, rated) = (MilliVolts(NOMINAL), MilliWatts::from_watts(12_500_000));
    let floor = Floor::of(Wiring::FourWire, 400, nominal, 2_000);
    Commissioned {
        voltage_point: VoltagePoint::Load,
        no_load: MilliWatts::from_watts(20_000),
        allowances: Box::new([lamps]),
        ..Commissioned::process_feeder(meter, asset, nominal, rated, floor)
    }
}

fn site(decommissioned_on: &str, memory: &Memory) -> Site {
    let standing = Standing::declared(LegalDay::parse(decommissioned_on));
    Site::new(vec![terms()], vec![Equipment { id: AssetId::new("eaf-1").unwrap(), standing }], memory)
}

impl Story {
    fn new(decommissioned_on: &str) -> Story {
        Story {
            site: site(decommissioned_on, &Memory::default()),
            now_ms: 1_000,
            boot: 1,
            wall_offset_ms: 0,
            energy: WattHours(1_000_000_000),
            quality: ClockQuality::Ntp,
            said: Vec::new(),
            plant: lives::Plant::default(),
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            wall_unix_ms: WALL_MS + self.wall_offset_ms + self.now_ms.cast_signed(),
            uptime_ms: self.now_ms,
            boot: self.boot,
            clock: self.quality,
            error_ms: 0,
        }
    }

    fn reading(&self, watts: i64, volts_percent: i64, life: Option<i64>) -> Reading {
        let mut values = [None; QUANTITIES];
        let mut set = |q: Quantity, v| values[q.index()] = Some(v);
        set(Quantity::Power, watts * 1_000);
        for q in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
            // A live line's voltage never stands to its last digit.
            let flicker = flicker(self.now_ms / 1_000);
            set(q, NOMINAL / 100 * volts_percent + if volts_percent > 0 { flicker } else { 0 });
        }
        for q in [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3] {
            set(q, if watts > 60_000 { watts / 60 } else { 0 });
        }
        if let Some(life) = life {
            set(Quantity::RunHours, life);
        }
        let register =
            Register { energy: self.energy, step: WattHours(10), modulus: None, raw: 7, raw_words: 2 };
        Reading {
            meter: MeterId::new("m1").unwrap(),
            at: self.stamp(),
            took_ms: 5,
            values,
            registers: Registers::default(),
            import: Some(register),
            requests: [0; QUANTITIES],
            ratios: Applied::DIRECT,
            scan: Scan::default(),
        }
    }

    fn hear(&mut self, sample: &Sample) {
        let (at, said) = (self.stamp(), &mut self.said);
        self.site.on(&at, Fact::Sample(sample), &mut |f| said.push(f));
    }

    /// Polls once a second with a constant load; the register follows it exactly.
    fn run(&mut self, seconds: u64, watts: i64, volts_percent: i64) -> &mut Story {
        let mut rest = 0;
        for _ in 0..seconds {
            self.now_ms += 1_000;
            rest += watts.max(0);
            self.energy.0 += rest / 3_600;
            rest %= 3_600;
            let reading = self.reading(watts, volts_percent, None);
            self.hear(&Sample::Reading(reading));
        }
        self
    }

    fn miss(&mut self, polls: u64, fault: Fault) -> &mut Story {
        for _ in 0..polls {
            self.now_ms += 1_000;
            let sample = Sample::Miss { meter: MeterId::new("m1").unwrap(), at: self.stamp(), fault };
            self.hear(&sample);
        }
        self
    }

    fn tick(&mut self, seconds: u64) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let (at, said) = (self.stamp(), &mut self.said);
            self.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
        self
    }

    fn states(&self) -> Vec<State> {
        self.said
            .iter()
            .filter_map(|f| if let Finding::State(s) = f { Some(s.state) } else { None })
            .collect()
    }

    fn last_state(&self) -> &StateFinding {
        self.said.iter().rev().find_map(|f| if let Finding::State(s) = f { Some(s) } else { None }).unwrap()
    }

    fn verdict(&self) -> &Verdict {
        self.said.iter().rev().find_map(|f| if let Finding::Verdict(v) = f { Some(v) } else { None }).unwrap()
    }

    /// What the journal would hand to the judge after a restart.
    fn memory(&self) -> Memory {
        let interval =
            self.said.iter().rev().find_map(|f| if let Finding::Interval(i) = f { Some(*i) } else { None });
        let mut meters = interval.map(|i| MeterMemory {
            meter: i.meter,
            mark: i.after,
            earlier: i.before,
            windows: i.windows,
            accounted_to: i.end,
            identity: self.said.iter().rev().find_map(|f| match f {
                Finding::Event(Event::Meter(told)) => Some(told.after),
                Finding::State(_)
                | Finding::Interval(_)
                | Finding::Verdict(_)
                | Finding::Transition(_)
                | Finding::Event(_) => None,
            }),
        });
        // As `evidence::recall` does: a count that began anew since then is the baseline, and another meter has none.
        let mut is_after = false;
        for finding in &self.said {
            let Some(memory) = meters.as_mut() else { break };
            match finding {
                Finding::Interval(interval) => is_after = interval.end == memory.accounted_to,
                Finding::Event(Event::Register(event)) if is_after && event.what.begins_a_count() => {
                    (memory.mark, memory.earlier, memory.windows) = (Some(event.after), None, None);
                }
                Finding::Event(Event::Meter(told)) if is_after && told.before.is_some() => {
                    memory.windows = None;
                    memory.mark = memory.mark.filter(|_| !told.is_another());
                }
                Finding::State(found) if is_after => memory.mark = memory.mark.or(found.mark),
                Finding::State(_) | Finding::Verdict(_) | Finding::Transition(_) | Finding::Event(_) => {}
            }
        }
        Memory {
            meters: meters.into_iter().collect(),
            equipment: vec![],
            last: Some(self.stamp()),
            ..Memory::default()
        }
    }
}
