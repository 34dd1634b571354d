//! The steady state allocates nothing: schedule, decode, judge, seal; 100,000 polls.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

use coldhearth::{
    catalogue::Standing,
    evidence::{Body, Chain, Ed25519, LogId},
    judge::{Commissioned, Equipment, Fact, Floor, Memory, Site, Wiring},
    metering::{Fault, MeterPoint, Next, Profile, Reply, Sample, Schedule, decode::Declared},
    terms::{AssetId, ClockQuality, GatewayId, LegalDay, MeterId, MilliVolts, MilliWatts, Ratio, Stamp},
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Counting must not allocate; a thread that is ending counts no more.
        let _ending = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
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

fn site() -> Site {
    let (meter, asset, nominal) =
        (MeterId::new("m1").unwrap(), AssetId::new("eaf-1").unwrap(), MilliVolts(35_000_000));
    let floor = Floor::of(Wiring::FourWire, 400, nominal, 2_000);
    let rated = MilliWatts::from_watts(12_500_000);
    let terms = Commissioned::process_feeder(meter, asset, nominal, rated, floor);
    let standing = Standing::declared(LegalDay::parse("2011-12-31"));
    Site::new(vec![terms], vec![Equipment { id: asset, standing }], &Memory::default())
}

#[test]
fn nothing_is_allocated() {
    let text = include_str!("../config/meters/janitza-19000.toml");
    let profile = Arc::new(Profile::parse("janitza-19000.toml", text).unwrap());
    let declared = Declared { ct: Ratio::new(400, 5), pt: None };
    let meter = MeterId::new("m1").unwrap();
    let point = MeterPoint { meter, unit: 1, profile, declared, period_ms: 1_000, timeout_ms: None };
    let mut schedule = Schedule::new(vec![point], vec![], 0, 0);
    let mut site = site();
    let signer = Box::new(Ed25519::from_seed(&[7; 32]));
    let mut chain = Chain::begin(GatewayId::new("gw").unwrap(), LogId(1), 0, signer);
    let (mut now, mut polls, mut records, mut before, mut energy) = (0_u64, 0_u64, 0_u64, 0, 0.0_f32);
    let mut words = [0_u16; 128];
    while polls < 100_000 {
        if polls == 10_000 {
            before = ALLOCATIONS.get();
        }
        let ask = match schedule.next(now) {
            Next::WaitUntil(due) => {
                now = due;
                continue;
            }
            Next::Ask(ask) => ask,
        };
        let at = Stamp {
            wall_unix_ms: 1_795_000_000_000 + now.cast_signed(),
            uptime_ms: now,
            boot: 1,
            clock: ClockQuality::Ntp,
            error_ms: 1,
        };
        let mut hear = |sample: &Sample| {
            site.on(&at, Fact::Sample(sample), &mut |finding| {
                records += 1;
                chain.seal(&at, &Body::Finding(finding)).unwrap();
            });
        };
        let Some(block) = ask.question.block() else {
            // This meter cannot say who it is; it is asked again at the ends of intervals.
            schedule.on_answer(&at, Err(Fault::Exception(1))).iter().for_each(&mut hear);
            continue;
        };
        polls += 1;
        let power = if polls % 5_000 < 300 { 8_000_000.0 } else { 5_000.0_f32 };
        energy += power / 3_600.0;
        let mut set = |register: u16, value: f32| {
            let (offset, bits) = (usize::from(register.saturating_sub(block.at)), value.to_bits());
            words[offset] = u16::try_from(bits >> 16).unwrap();
            words[offset + 1] = u16::try_from(bits & 0xFFFF).unwrap();
        };
        for line in [0x4A3E, 0x4A40, 0x4A42] {
            set(line, 35_000.0);
        }
        set(0x4A52, power);
        set(0x4A7C, energy);
        let answer = &words[..usize::from(block.count)];
        let told = schedule.on_answer(&at, Ok(Reply::Words(answer)));
        told.iter().for_each(&mut hear);
    }
    let allocated = ALLOCATIONS.get() - before;
    assert!(records > 100, "{records} records: the furnace melted and stopped again and again");
    assert_eq!(allocated, 0, "allocations in 90,000 polls and {records} records");
}
