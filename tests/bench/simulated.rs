//! What the simulated plant costs: nanoseconds of a processor and allocations, a feeder and step, poll included. Printed,
//! not asserted.
//! `cargo test --release --test simulator_figures -- --ignored --nocapture`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a program that measures, and stops where it cannot"
)]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use coldhearth::{
    metering::{Ask, Plan, Profile, Question},
    terms::{MilliVolts, Ratio},
};
use coldhearth_sim::{
    Auxiliaries, BallMill, BlastFurnace, Class, Classes, Converter, ElectricArcFurnace, Feeder, LadleFurnace,
    Load, Plant, PotLine, RotaryKiln, SimMeter, SubmergedArcFurnace, Transformer,
};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

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

/// Time of processors this program has had: true on a machine that has other things to do, too.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

fn profile(text: &str) -> Arc<Profile> {
    Arc::new(Profile::parse("profile.toml", text).unwrap())
}

/// Eight feeders of eight kinds under an incomer, half of them running, all behind meters of one profile.
fn plant(profile: &Arc<Profile>) -> Plant {
    let class = Class::parse("0.5S");
    let classes = Classes { meter: class, ct: class, pt: Class::parse("0.5") };
    let meter = || {
        SimMeter::new(profile)
            .with_ct(Ratio::new(400, 5).unwrap())
            .with_pt(Ratio::new(10_000, 100).unwrap())
            .with_classes(classes)
    };
    let mut plant = Plant::new(1);
    let loads = [
        Load::ElectricArcFurnace(ElectricArcFurnace::SMALL),
        Load::LadleFurnace(LadleFurnace::MEASURED),
        Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY),
        Load::RotaryKiln(RotaryKiln::WET),
        Load::BallMill(BallMill::CEMENT),
        Load::PotLine(PotLine::SMALL),
        Load::Converter(Converter::SMALL),
        Load::BlastFurnace(BlastFurnace::SMALL),
    ];
    let lamps = Auxiliaries { lamps_w: 4_000, heaters_w: 2_000, ..Auxiliaries::default() };
    let mut below = Vec::new();
    for (place, load) in loads.into_iter().enumerate() {
        let feeder = Feeder::new(MilliVolts(10_000_000), load)
            .with_auxiliaries(lamps)
            .with_transformer(Transformer::of_rating(6_300_000.0));
        let feeder = plant.add_feeder(if place % 2 == 0 { feeder.running() } else { feeder });
        plant.add_meter(u8::try_from(place + 1).unwrap(), meter(), feeder);
        below.push(feeder);
    }
    let transformer = Transformer::of_rating(40_000_000.0).with_load_loss();
    let incomer = Feeder::new(MilliVolts(35_000_000), Load::Cold).with_transformer(transformer);
    plant.add_incomer(incomer, &below);
    plant
}

#[test]
#[ignore = "prints figures and judges nothing"]
fn the_plant_costs() {
    for (name, text, step_ms) in [
        ("acrel-adl400", include_str!("../../config/meters/acrel-adl400.toml"), 60_000),
        ("janitza-19000", include_str!("../../config/meters/janitza-19000.toml"), 60_000),
        ("janitza-19000", include_str!("../../config/meters/janitza-19000.toml"), 1_000),
    ] {
        let profile = profile(text);
        let plan = Plan::of(&profile).unwrap();
        let asks: Vec<Ask> = (1..=8)
            .flat_map(|unit| plan.blocks.iter().map(move |block| (unit, *block)))
            .map(|(unit, block)| Ask {
                unit,
                question: Question::Registers(block),
                deadline_ms: 0,
                gap_ms: 0,
            })
            .collect();
        let mut plant = plant(&profile);
        plant.set_step_ms(step_ms);
        let mut words = Vec::with_capacity(125);
        let mut sum = 0_u64;
        let mut run = |plant: &mut Plant, rounds: u64| {
            for _ in 0..rounds {
                plant.advance_to(plant.now_ms() + step_ms);
                for ask in &asks {
                    plant.answer_into(ask, &mut words).unwrap();
                    sum += words.iter().map(|word| u64::from(*word)).sum::<u64>();
                }
            }
        };
        run(&mut plant, 100);
        let rounds = 100_000;
        let (before, began) = (ALLOCATIONS.load(Ordering::Relaxed), worked());
        run(&mut plant, rounds);
        let spent = (worked() - began).as_nanos();
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        let began = worked();
        for _ in 0..rounds {
            plant.advance_to(plant.now_ms() + step_ms);
        }
        let steps_alone = (worked() - began).as_nanos();
        println!(
            "{name}, steps of {step_ms} ms: {} ns a feeder, step and poll ({} ns the step alone), {} words a poll, \
             {allocations} allocations in {rounds} steps, sum {sum}",
            spent / u128::from(rounds) / 8,
            steps_alone / u128::from(rounds) / 8,
            plan.blocks.iter().map(|block| u32::from(block.count)).sum::<u32>(),
        );
    }
}
