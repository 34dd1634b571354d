//! What the judge costs: nanoseconds a reading and bytes a feeder, at one, a thousand and ten thousand feeders. Printed,
//! not asserted. `cargo test --release --test judge_figures -- --ignored --nocapture`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a program that measures time, and stops where it cannot"
)]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use coldhearth::{
    catalogue::Standing,
    judge::{Commissioned, Equipment, Fact, Floor, Memory, Site, Wiring},
    metering::{Quantity, Reading, Register, Registers, Sample, Scan, decode::Applied, quantity::QUANTITIES},
    terms::{AssetId, ClockQuality, LegalDay, MeterId, MilliVolts, MilliWatts, Stamp, WattHours},
};

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as called.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOMINAL: MilliVolts = MilliVolts(35_000_000);

fn site(feeders: usize) -> Site {
    let terms = (0..feeders).map(|n| {
        let (meter, asset) =
            (MeterId::new(&format!("m{n}")).unwrap(), AssetId::new(&format!("a{n}")).unwrap());
        let floor = Floor::of(Wiring::FourWire, 400, NOMINAL, 2_000);
        Commissioned::process_feeder(meter, asset, NOMINAL, MilliWatts::from_watts(12_500_000), floor)
    });
    let standing = Standing::declared(LegalDay::parse("2011-12-31"));
    let equipment = (0..feeders).map(|n| Equipment { id: AssetId::new(&format!("a{n}")).unwrap(), standing });
    Site::new(terms.collect(), equipment.collect(), &Memory::default())
}

fn reading(meter: usize, second: u64) -> Reading {
    let uptime_ms = second * 1_000;
    let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
    let mut values = [None; QUANTITIES];
    for (quantity, value) in [
        (Quantity::Power, 5_000_000),
        (Quantity::PowerL1, 1_666_000),
        (Quantity::PowerL2, 1_667_000),
        (Quantity::PowerL3, 1_667_000),
        (Quantity::VoltageL12, 35_000_000 + second.cast_signed() % 97),
        (Quantity::VoltageL23, 35_000_000),
        (Quantity::VoltageL31, 35_000_000),
        (Quantity::CurrentL1, 90),
        (Quantity::CurrentL2, 90),
        (Quantity::CurrentL3, 90),
    ] {
        values[quantity.index()] = Some(value);
    }
    let energy = WattHours(1_000_000 + second.cast_signed() * 5_000 / 3_600);
    let register = Register { energy, step: WattHours(10), modulus: None, raw: 1, raw_words: 2 };
    let mut registers = Registers::default();
    registers.set(Quantity::Import, register);
    Reading {
        meter: MeterId::new(&format!("m{meter}")).unwrap(),
        at: Stamp { wall_unix_ms, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 },
        took_ms: 5,
        values,
        registers,
        import: Some(register),
        requests: [0; QUANTITIES],
        ratios: Applied::DIRECT,
        scan: Scan::default(),
    }
}

#[test]
#[ignore = "prints figures and judges nothing"]
fn the_judge_costs() {
    for feeders in [1, 1_000, 10_000] {
        let before = BYTES.load(Ordering::Relaxed);
        let mut site = site(feeders);
        let bytes = (BYTES.load(Ordering::Relaxed) - before) / feeders;
        let rounds = u64::try_from(200_000 / feeders).unwrap().max(20);
        let mut samples: Vec<Sample> = (0..feeders).map(|n| Sample::Reading(reading(n, 1))).collect();
        let (mut spent, mut findings) = (0, 0_u64);
        for second in 1..=rounds {
            let now = reading(0, second);
            for sample in &mut samples {
                let Sample::Reading(old) = sample else { panic!() };
                let meter = old.meter;
                *old = Reading { meter, ..now.clone() };
            }
            let began = Instant::now();
            for sample in &samples {
                site.on(&now.at, Fact::Sample(sample), &mut |_| findings += 1);
            }
            site.on(&now.at, Fact::Tick, &mut |_| findings += 1);
            spent += began.elapsed().as_nanos();
        }
        let each = spent / (u128::from(rounds) * feeders as u128);
        println!(
            "{feeders} feeders: {each} ns a reading with its share of a tick, {bytes} bytes a feeder, {} per mille of \
             a core at 1 Hz, {findings} findings",
            each * feeders as u128 / 1_000_000
        );
    }
}
