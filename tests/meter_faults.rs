//! A hostile meter on a real socket: every lie is a miss with its cause, never a value, never a crash, and never the
//! neighbour's trouble. Run a second time without debug assertions, where the client library checks no length.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use coldhearth::{
    agent::{
        bus::{self, Manners, Terms, dialler},
        endpoint::Endpoint,
        run::Inbox,
    },
    host::SystemClock,
    metering::{Fault, MeterPoint, Profile, Reading, Sample, Schedule, decode::Declared},
    terms::{MeterId, MilliWatts},
};
use coldhearth_sim::WireFault;
use support::{Works, soon};
use tokio::sync::mpsc;

const PERIOD_MS: u64 = 40;
const TIMEOUT_MS: u32 = 150;

/// Polls both meters of the works for as long as the receiver lives.
fn poll(works: &Works) -> mpsc::Receiver<Inbox> {
    let text = include_str!("../config/meters/janitza-19000.toml");
    let profile = Arc::new(Profile::parse("janitza-19000.toml", text).unwrap());
    let point = |id: &str, unit| MeterPoint {
        meter: MeterId::new(id).unwrap(),
        unit,
        profile: profile.clone(),
        declared: Declared::default(),
        period_ms: PERIOD_MS,
        timeout_ms: Some(TIMEOUT_MS),
    };
    let schedule = Schedule::new(vec![point("liar", 1), point("neighbour", 2)], vec![], 0, 0);
    let endpoint = Endpoint::parse(&format!("tcp://127.0.0.1:{}", works.modbus_port)).unwrap();
    let dial = dialler(&endpoint, &Terms::default());
    let (send, receive) = mpsc::channel(16);
    tokio::spawn(async move {
        bus::run(&SystemClock::default(), &*dial, Manners::default(), schedule, send).await;
    });
    receive
}

/// Waits for a sample of the lying meter that satisfies the condition; every reading on the way must be a true one.
async fn until(samples: &mut mpsc::Receiver<Inbox>, what: &str, wanted: impl Fn(&Sample) -> bool) -> u32 {
    let mut neighbour = 0;
    soon(what, async {
        loop {
            let Some(Inbox::Sample(sample)) = samples.recv().await else { panic!("the bus has ended") };
            match &sample {
                Sample::Reading(reading) => {
                    neighbour += u32::from(reading.meter.as_str() == "neighbour");
                    assert!(is_true(reading), "{reading:?}");
                }
                Sample::Miss { meter, fault, .. } => {
                    assert_eq!(meter.as_str(), "liar", "the neighbour was touched: {fault:?}");
                }
                Sample::Plate { .. } | Sample::PlateMiss { .. } => panic!("no nameplate was asked for"),
                Sample::Identity { .. } | Sample::IdentityMiss { .. } => {}
            }
            if wanted(&sample) {
                return;
            }
        }
    })
    .await;
    neighbour
}

/// The liar draws 8 MW and the neighbour nothing: any other value would be somebody else's.
fn is_true(reading: &Reading) -> bool {
    let power = reading.power().unwrap();
    match reading.meter.as_str() {
        "liar" => (MilliWatts::from_watts(7_800_000)..MilliWatts::from_watts(8_200_000)).contains(&power),
        _ => power.watts().abs() < 100_000,
    }
}

fn is_reading_of_liar(sample: &Sample) -> bool {
    matches!(sample, Sample::Reading(reading) if reading.meter.as_str() == "liar")
}

#[tokio::test]
async fn every_lie_is_a_miss_with_its_cause_and_the_truth_comes_back() {
    let works = Works::open("hostile").await;
    works.force(8_000_000);
    let mut samples = poll(&works);
    until(&mut samples, "a first reading", is_reading_of_liar).await;
    let lies: [(WireFault, &[Fault]); 10] = [
        (WireFault::Silent, &[Fault::Timeout]),
        (WireFault::LateMs(400), &[Fault::Timeout]),
        (WireFault::Exception(2), &[Fault::Exception(2)]),
        (WireFault::Exception(11), &[Fault::Exception(11)]),
        (WireFault::TooShort, &[Fault::WrongLength]),
        (WireFault::TooLong, &[Fault::WrongLength]),
        (WireFault::ForeignUnit, &[Fault::Mismatch]),
        (WireFault::ForeignTransaction, &[Fault::Mismatch]),
        // Garbage may look like a frame that never ends, like no frame at all, or like one that is cut.
        (WireFault::Garbage, &[Fault::Garbage, Fault::Timeout, Fault::Mismatch, Fault::Closed]),
        (WireFault::CutMidFrame, &[Fault::Timeout, Fault::Closed, Fault::Garbage]),
    ];
    for (lie, causes) in lies {
        works.faults.set(1, lie);
        // Over a new connection the ratios are read first; where the lie strikes those, they are what is unknown.
        let caused = |sample: &Sample| matches!(sample, Sample::Miss { fault, .. } if causes.contains(fault) || *fault == Fault::RatioUnknown);
        until(&mut samples, &format!("{lie:?} as a miss"), caused).await;
        until(&mut samples, &format!("{lie:?} once more"), caused).await;
        works.faults.clear(1);
        until(&mut samples, &format!("the truth after {lie:?}"), is_reading_of_liar).await;
    }
}

#[tokio::test]
async fn a_closed_connection_is_opened_again() {
    let works = Works::open("closed").await;
    works.force(8_000_000);
    let mut samples = poll(&works);
    works.faults.set(1, WireFault::Close);
    let closed = |sample: &Sample| matches!(sample, Sample::Miss { fault: Fault::Closed, .. });
    until(&mut samples, "a closed connection", closed).await;
    works.faults.clear(1);
    until(&mut samples, "a reading again", is_reading_of_liar).await;
}

#[tokio::test]
async fn an_answer_that_drips_in_time_is_believed_and_one_deadline_covers_it_all() {
    let works = Works::open("dripping").await;
    works.force(8_000_000);
    let mut samples = poll(&works);
    works.faults.set(1, WireFault::ByteByByte);
    until(&mut samples, "a dripping answer, whole or late", |sample| {
        is_reading_of_liar(sample) || matches!(sample, Sample::Miss { fault: Fault::Timeout, .. })
    })
    .await;
}

#[tokio::test]
async fn a_dead_meter_costs_its_neighbour_little() {
    let works = Works::open("dead").await;
    works.force(8_000_000);
    let mut samples = poll(&works);
    works.faults.set(1, WireFault::Silent);
    let timeouts = std::cell::Cell::new(0);
    let readings = until(&mut samples, "nine timeouts", |sample| {
        timeouts.set(timeouts.get() + i32::from(matches!(sample, Sample::Miss { .. })));
        timeouts.get() == 9
    })
    .await;
    assert!(readings > 9 * 3, "{readings} readings of the neighbour while the other timed out nine times");
}

#[tokio::test]
async fn an_endpoint_nobody_listens_at_is_refused() {
    let mut works = Works::open("nobody").await;
    works.modbus_port = support::free_port();
    let mut samples = poll(&works);
    // Who it is cannot be asked either, and that is said first.
    for _ in 0..2 {
        let Some(Inbox::Sample(Sample::Miss { fault, .. } | Sample::IdentityMiss { fault, .. })) =
            soon("a refusal", samples.recv()).await
        else {
            panic!("a miss is expected")
        };
        assert_eq!(fault, Fault::Refused);
    }
}
