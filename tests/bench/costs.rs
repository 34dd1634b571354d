//! What each step between a meter's answer and the authority's receipt costs: nanoseconds and allocations.
//! `cargo bench --bench costs` prints all of them, `cargo bench --bench costs -- judge` those with that in their name.
//!
//! With `COLDHEARTH_SCANS=N` it only makes N scans: `tests/bench/instructions` has their instructions counted so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    dead_code,
    reason = "a program that measures, and stops where it cannot"
)]

mod path;
mod plant;
#[path = "../support/mod.rs"]
mod support;

use coldhearth::{
    agent::journal::{DiskJournal, JOURNAL_FILE},
    catalogue::{Case, Rules},
    evidence::{Body, Scribe, Signer as _, live, record::Unverified},
    judge::Fact,
    metering::Sample,
    regulator::{
        collector::Collector,
        store::{SqliteStore, Store as _},
    },
    terms::Stamp,
};
use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use path::{Path, SCANS_UNTIL_STEADY, judged, stamp};
use plant::Step;
use support::Folder;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Points of a large plant.
const POINTS: usize = 64;
/// Messages the collector takes at once.
const BATCH: usize = 256;
const TOPIC: &str = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-test/attest";
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalogue/cases.json");

fn main() {
    let scans = std::env::var("COLDHEARTH_SCANS").ok().and_then(|text| text.parse().ok());
    if let Some(scans) = scans {
        let mut path = Path::new();
        (0_u64..scans).for_each(|_| path.scan(&mut judged));
        return;
    }
    divan::main();
}

/// What a plant says, receipts and new keys left out.
fn said() -> impl Iterator<Item = (Stamp, Body)> {
    plant::steps(POINTS, plant::YEAR).filter_map(|step| match step {
        Step::Say(at, body) => Some((at, body)),
        Step::Rotate(..) | Step::Receipt(_) => None,
    })
}

/// The records themselves, as they travel.
fn sealed() -> impl Iterator<Item = Vec<u8>> {
    let mut chain = plant::chain();
    said().map(move |(at, body)| chain.seal(&at, &body).unwrap().bytes.to_vec())
}

/// A scan of 20 values: the schedule's turn, and words to integers.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let mut path = Path::new();
    bencher.bench_local(|| path.scan(&mut |_, _, _| {}));
}

#[divan::bench]
fn decode_and_judge(bencher: Bencher<'_, '_>) {
    let mut path = Path::new();
    // Signs take room as they begin, and are no part of what each scan costs.
    (0..SCANS_UNTIL_STEADY).for_each(|_| path.scan(&mut judged));
    bencher.bench_local(|| path.scan(&mut judged));
}

#[divan::bench]
fn judge(bencher: Bencher<'_, '_>) {
    let mut path = Path::new();
    let mut sample = Sample::Reading(path.reading());
    let mut site = path.into_site();
    let mut now_ms = 10_000;
    bencher.bench_local(|| {
        now_ms += 1_000;
        let at = stamp(now_ms);
        if let Sample::Reading(reading) = &mut sample {
            reading.at = at;
        }
        site.on(&at, Fact::Sample(&sample), &mut |_| {});
    });
}

#[divan::bench]
fn live_message(bencher: Bencher<'_, '_>) {
    let reading = Path::new().reading();
    let mut text = Vec::with_capacity(1_024);
    bencher.bench_local(|| {
        text.clear();
        live::write(&reading, &mut text);
    });
}

/// A record made canonical, hashed, chained and signed.
#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let (mut chain, mut said) = (plant::chain(), said());
    bencher
        .with_inputs(|| said.next().unwrap())
        .bench_local_refs(|(at, body)| chain.seal(at, body).unwrap().bytes.len());
}

/// A record read and its signature checked.
#[divan::bench]
fn verify(bencher: Bencher<'_, '_>) {
    let (key, mut lines) = (plant::key(0).public_key(), sealed());
    bencher
        .with_inputs(|| lines.next().unwrap())
        .bench_local_refs(|line| Unverified::read(line).unwrap().verify(&key).unwrap().header.seq);
}

/// So many records signed and durable with one commit.
#[divan::bench(args = [1, 10, 100], sample_size = 1, sample_count = 100)]
fn journal_commit(bencher: Bencher<'_, '_>, records: usize) {
    let (folder, mut said) = (Folder::new("bench-commit"), said());
    let journal = DiskJournal::open(&folder.0.join(JOURNAL_FILE)).unwrap();
    let mut scribe = Scribe::begin(&plant::at(0), plant::chain(), Box::new(journal)).unwrap();
    bencher
        .counter(ItemsCount::new(records))
        .with_inputs(|| said.by_ref().take(records).collect::<Vec<_>>())
        .bench_local_values(|said| {
            said.into_iter().for_each(|(at, body)| scribe.write(at, body));
            scribe.commit().unwrap()
        });
}

/// A nameplate held against every entry of the nation's catalogue.
#[divan::bench]
fn classify(bencher: Bencher<'_, '_>) {
    let rules = Rules::shipped().unwrap();
    let cases = Case::read_all(CASES, &std::fs::read_to_string(CASES).unwrap(), &rules).unwrap();
    let mut next = cases.iter().cycle();
    bencher.bench_local(|| {
        let case = next.next().unwrap();
        rules.classify(case.on, &case.plate).matched.len()
    });
}

/// A batch verified, stored and receipted.
#[divan::bench(sample_size = 1, sample_count = 40)]
fn collector_ingest(bencher: Bencher<'_, '_>) {
    let folder = Folder::new("bench-collector");
    let mut store = SqliteStore::open(&folder.0).unwrap();
    assert!(store.admit(plant::gateway(), &plant::key(0).public_key(), 0).unwrap());
    let mut collector = Collector::open(Box::new(store), Box::new(plant::authority())).unwrap();
    let mut lines = sealed();
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| lines.by_ref().take(BATCH).collect::<Vec<_>>())
        .bench_local_refs(|lines| {
            let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
            assert_eq!(collector.take(&messages, 1).unwrap().records, BATCH as u64);
            collector.receipts(1, || Ok([1; 16])).unwrap().len()
        });
}
