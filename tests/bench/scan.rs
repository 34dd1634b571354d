//! What one scan of one meter costs between socket and broker: nanoseconds and allocations, printed and not judged. In
//! the style of the other figures, with no harness of its own: a median of three needs none.
//! `cargo test --release --test scan_figures -- --ignored --nocapture`
//!
//! With `COLDHEARTH_SCANS=N` it only makes N scans: `tests/bench/instructions` counts instructions so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a program that measures time, and stops where it cannot"
)]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use coldhearth::{
    catalogue::Standing,
    evidence::live,
    judge::{Commissioned, Equipment, Fact, Floor, Memory, Site, Wiring},
    metering::{
        Fault, MeterPoint, Next, Profile, Question, Reading, Reply, Sample, Schedule, decode::Declared,
    },
    terms::{AssetId, ClockQuality, LegalDay, MeterId, MilliVolts, MilliWatts, Stamp},
};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as called.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Meters of the bus.
const METERS: u8 = 40;
/// Scans of one measurement.
const SCANS: u64 = 200_000;

fn meter(n: u8) -> MeterId {
    MeterId::new(&format!("m{n}")).unwrap()
}

fn stamp(uptime_ms: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
    Stamp { wall_unix_ms, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 }
}

/// A bus of meters of the farm in virtual time, and the judge behind it.
struct Path {
    schedule: Schedule,
    site: Site,
    words: Vec<u16>,
    now_ms: u64,
    ticked_ms: u64,
}

impl Path {
    fn new() -> Path {
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
            words: words(),
            now_ms: 0,
            ticked_ms: 0,
        }
    }

    /// Makes so many scans, each heard by whoever is given.
    fn run(&mut self, scans: u64, mut hear: impl FnMut(&mut Site, &Stamp, &Sample)) {
        let mut made = 0;
        while made < scans {
            let ask = match self.schedule.next(self.now_ms) {
                Next::WaitUntil(due_ms) => {
                    self.now_ms = due_ms;
                    continue;
                }
                Next::Ask(ask) => ask,
            };
            let at = stamp(self.now_ms);
            let answer = match ask.question {
                Question::Registers(block) => Ok(Reply::Words(&self.words[..usize::from(block.count)])),
                Question::DeviceId { .. } | Question::ServerId => Err(Fault::Exception(1)),
            };
            for sample in &self.schedule.on_answer(&at, answer) {
                made += 1;
                hear(&mut self.site, &at, sample);
            }
            if self.now_ms >= self.ticked_ms {
                self.site.on(&at, Fact::Tick, &mut |_| {});
                self.ticked_ms = self.site.next_due_ms(&at);
            }
        }
    }
}

/// What the farm's meter shows.
fn words() -> Vec<u16> {
    let floats: [f32; 18] = [
        230.0, 230.0, 230.0, 6.6, 6.6, 6.6, 1_486.0, 1_486.0, 1_486.0, 4_458.0, 905.0, 4_549.0, 0.98, 0.98,
        0.98, 50.01, 100.0, 0.0,
    ];
    let numbers = [1_234_567_u32, 17];
    let all = floats.iter().map(|value| value.to_bits()).chain(numbers);
    all.flat_map(|word| [(word >> 16) as u16, (word & 0xFFFF) as u16]).collect()
}

fn judged(site: &mut Site, at: &Stamp, sample: &Sample) {
    site.on(at, Fact::Sample(sample), &mut |_| {});
}

fn reading(path: &mut Path) -> Reading {
    let mut found = None;
    path.run(u64::from(METERS) * 4, |_, _, sample| {
        if let Sample::Reading(reading) = sample {
            found = Some(reading.clone());
        }
    });
    found.unwrap()
}

/// The median of three, with the allocations of one.
fn measure(name: &str, mut work: impl FnMut()) {
    let mut three = [0.0, 0.0, 0.0];
    let mut allocated = 0;
    for nanoseconds in &mut three {
        let (before, began) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now());
        work();
        *nanoseconds = began.elapsed().as_nanos() as f64 / SCANS as f64;
        allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
    }
    three.sort_by(f64::total_cmp);
    println!("{name:<44} {:>8.0} ns, {:.3} allocations a scan", three[1], allocated as f64 / SCANS as f64);
}

#[test]
#[ignore = "prints figures and judges nothing"]
fn a_scan_costs() {
    let mut path = Path::new();
    if let Some(scans) = std::env::var("COLDHEARTH_SCANS").ok().and_then(|text| text.parse().ok()) {
        path.run(scans, judged);
        return;
    }
    let reading = reading(&mut path);
    measure("schedule and decode", || path.run(SCANS, |_, _, _| {}));
    measure("schedule, decode and judge", || path.run(SCANS, judged));
    let mut text = Vec::with_capacity(1_024);
    measure("the live message", || {
        for _ in 0..SCANS {
            text.clear();
            live::write(&reading, &mut text);
        }
    });
    println!("a live message has {} bytes, a sample in memory {}", text.len(), size_of::<Sample>());
}
