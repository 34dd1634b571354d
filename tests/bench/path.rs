//! The path of a scan from the answer to the judgement, in virtual time: a bus of meters of the farm, and the judge.

use std::sync::Arc;

use coldhearth::{
    catalogue::Standing,
    judge::{Commissioned, Equipment, Fact, Floor, Memory, Site, Wiring},
    metering::{
        Fault, MeterPoint, Next, Profile, Question, Reading, Reply, Sample, Schedule, decode::Declared,
    },
    terms::{AssetId, ClockQuality, LegalDay, MeterId, MilliVolts, MilliWatts, Stamp},
};

/// Meters of the bus.
pub const METERS: u8 = 40;
/// Scans after which everything that a scan may bring has begun.
pub const SCANS_UNTIL_STEADY: u64 = 50_000;
/// Registers of a meter.
const REGISTERS: usize = 40;
/// Where the imported energy stands.
const IMPORT: usize = 32;

/// The bus, the judge behind it, and the time.
pub struct Path {
    schedule: Schedule,
    site: Site,
    words: [u16; REGISTERS],
    now_ms: u64,
    ticked_ms: u64,
}

impl Path {
    /// Before the first question.
    pub fn new() -> Path {
        let profile = Arc::new(Profile::parse("farm-meter.toml", include_str!("farm-meter.toml")).unwrap());
        let points = (1..=METERS).map(|unit| MeterPoint {
            meter: meter(unit),
            unit,
            profile: profile.clone(),
            declared: Declared::default(),
            period_ms: 1_000,
            timeout_ms: None,
        });
        let asset = |n| AssetId::new(&format!("e{n}")).unwrap();
        let terms = (1..=METERS).map(|n| {
            let nominal = MilliVolts(400_000);
            let floor = Floor::of(Wiring::FourWire, 100, nominal, 2_000);
            Commissioned::process_feeder(meter(n), asset(n), nominal, MilliWatts::from_watts(60_000), floor)
        });
        let standing = Standing::declared(LegalDay::parse("2011-12-31"));
        let equipment = (1..=METERS).map(|n| Equipment { id: asset(n), standing });
        Path {
            schedule: Schedule::new(points.collect(), Vec::new(), 0, 0),
            site: Site::new(terms.collect(), equipment.collect(), &Memory::default()),
            words: shown(0),
            now_ms: 0,
            ticked_ms: 0,
        }
    }

    /// Makes the next scan, heard by whoever is given; with it what else is due.
    pub fn scan(&mut self, hear: &mut impl FnMut(&mut Site, &Stamp, &Sample)) {
        loop {
            let ask = match self.schedule.next(self.now_ms) {
                Next::WaitUntil(due_ms) => {
                    self.now_ms = due_ms;
                    self.words = shown(due_ms);
                    continue;
                }
                Next::Ask(ask) => ask,
            };
            let at = stamp(self.now_ms);
            let answer = match ask.question {
                Question::Registers(block) => Ok(Reply::Words(&self.words[..usize::from(block.count)])),
                Question::DeviceId { .. } | Question::ServerId => Err(Fault::Exception(1)),
            };
            let mut has_read = false;
            for sample in &self.schedule.on_answer(&at, answer) {
                has_read |= matches!(sample, Sample::Reading(_));
                hear(&mut self.site, &at, sample);
            }
            if self.now_ms >= self.ticked_ms {
                self.site.on(&at, Fact::Tick, &mut |_| {});
                self.ticked_ms = self.site.next_due_ms(&at);
            }
            if has_read {
                return;
            }
        }
    }

    /// The judge alone.
    pub fn into_site(self) -> Site {
        self.site
    }

    /// Milliseconds since the beginning.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A reading, as the judge is given it.
    pub fn reading(&mut self) -> Reading {
        let mut found = None;
        for _ in 0..u64::from(METERS) * 4 {
            self.scan(&mut |_, _, sample| {
                if let Sample::Reading(reading) = sample {
                    found = Some(reading.clone());
                }
            });
        }
        found.unwrap()
    }
}

/// Has the judge hear what was read.
pub fn judged(site: &mut Site, at: &Stamp, sample: &Sample) {
    site.on(at, Fact::Sample(sample), &mut |_| {});
}

fn meter(n: u8) -> MeterId {
    MeterId::new(&format!("m{n}")).unwrap()
}

/// A moment so many milliseconds after the beginning.
pub fn stamp(uptime_ms: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
    Stamp { wall_unix_ms, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 }
}

/// What the farm's meters show at a moment: a load that runs honestly.
fn shown(now_ms: u64) -> [u16; REGISTERS] {
    let ripple = (now_ms / 1_000 % 64) as f32;
    let (volts, power) = (230.0 + ripple * 0.05, 4_458.0 + ripple);
    let amps = power / 3.0 / 0.98 / volts;
    let mut floats = [0.0_f32; 18];
    for phase in 0..3 {
        (floats[phase], floats[3 + phase], floats[6 + phase]) = (volts, amps, power / 3.0);
        floats[12 + phase] = 0.98;
    }
    (floats[9], floats[10], floats[11], floats[15]) = (power, power * 0.203, power / 0.98, 50.01);
    floats[IMPORT / 2] = 100.0 + 4.489 * (now_ms as f32 / 3_600_000.0);
    let numbers = [now_ms as u32, 17];
    let mut words = [0; REGISTERS];
    let all = floats.iter().map(|value| value.to_bits()).chain(numbers);
    for (pair, word) in words.chunks_mut(2).zip(all) {
        pair[0] = (word >> 16) as u16;
        pair[1] = (word & 0xFFFF) as u16;
    }
    words
}
