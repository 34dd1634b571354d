//! How fast and how large, measured, not judged, each by one command that tells it in a line or two:
//! `cargo test --release --test collector -- --ignored --nocapture rate_by_batches`, `rate_by_collectors`, `memory`
//! (`COLDHEARTH_RECORDS`, 6,000 unless told otherwise; `COLDHEARTH_GATEWAYS`, 1,000: memory is measured of a process that
//! has done nothing else).
#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "it measures, and tells a person what"
)]

use std::time::Instant;

use coldhearth::{
    evidence::{Body, Chain, Ed25519, Genesis, LogId, Signer as _},
    regulator::collector::Collector,
    terms::{
        Digest, GatewayId,
        place::{CreditCode, Division},
    },
};

use tokio::sync::Mutex;

use crate::{
    homes::Homes,
    support::voice::{NOW, at, beat, key},
};

pub(crate) const ENTERPRISE: &str = "91350100M000100Y43";

/// The gateway of a number, and its first key.
pub(crate) fn gateway(number: usize) -> (GatewayId, Ed25519) {
    let mut seed = [3; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    (GatewayId::new(&format!("gw-{number}")).unwrap(), Ed25519::from_seed(&seed))
}

/// Where a gateway's records go.
pub(crate) fn topic(number: usize) -> String {
    format!("coldhearth/v1/13/04/21/{ENTERPRISE}/{}/_/attest", gateway(number).0)
}

/// What a gateway's log begins with.
pub(crate) fn genesis(number: usize) -> Body {
    Body::Genesis(Genesis {
        public_key: gateway(number).1.public_key(),
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse(ENTERPRISE).unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    })
}

/// What so many gateways say, one record each in turn.
pub(crate) fn traffic(gateways: usize, records: usize) -> Vec<(String, Vec<u8>)> {
    let mut chains: Vec<(String, Chain)> = (0..gateways)
        .map(|number| {
            let (id, key) = gateway(number);
            (topic(number), Chain::begin(id, LogId(number as u64), 0, Box::new(key)))
        })
        .collect();
    let mut all = Vec::new();
    for turn in 0..records {
        for (number, (topic, chain)) in chains.iter_mut().enumerate() {
            let body = if turn == 0 { genesis(number) } else { beat() };
            all.push((topic.clone(), chain.seal(&at(turn as u64), &body).unwrap().bytes.to_vec()));
        }
    }
    all
}

/// Resident memory of this process, in bytes.
fn resident_bytes() -> usize {
    resident_bytes_of(std::process::id())
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident_bytes_of(id: u32) -> usize {
    let pages = std::fs::read_to_string(format!("/proc/{id}/statm")).unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// Whoever measures, measures alone.
pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

/// A number that the environment names, or this.
pub(crate) fn told(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// What a hundred gateways say, in `COLDHEARTH_RECORDS` records in all.
fn hundred() -> Vec<(String, Vec<u8>)> {
    traffic(100, told("COLDHEARTH_RECORDS", 6_000) / 100)
}

#[test]
#[ignore = "measures and judges nothing: see the head of tests/collector/figures.rs"]
fn rate_by_batches() {
    let _alone = ALONE.blocking_lock();
    let messages = hundred();
    for homes in [Homes::Sqlite, Homes::Postgres] {
        let mut rates = Vec::new();
        for batch in [16, 64, 256, 1_024] {
            let rate = rate_of(homes, 1, batch, &messages);
            rates.push(format!("{rate:.0} in batches of {batch}"));
        }
        println!("{homes:?}: records verified and stored a second: {}", rates.join(", "));
    }
}

#[test]
#[ignore = "measures and judges nothing: see the head of tests/collector/figures.rs"]
fn rate_by_collectors() {
    let _alone = ALONE.blocking_lock();
    let messages = hundred();
    for homes in [Homes::Sqlite, Homes::Postgres] {
        let (one, two) = (rate_of(homes, 1, 256, &messages), rate_of(homes, 2, 256, &messages));
        println!(
            "{homes:?}: records verified and stored a second: {one:.0} by one collector, {two:.0} by two"
        );
    }
}

#[test]
#[ignore = "measures and judges nothing: see the head of tests/collector/figures.rs"]
fn memory() {
    let _alone = ALONE.blocking_lock();
    memory_of(told("COLDHEARTH_GATEWAYS", 1_000), 20);
}

/// Records a second of collectors that each take every so many-th of the messages, as a broker that shares gives them.
fn rate_of(homes: Homes, collectors: usize, batch: usize, messages: &[(String, Vec<u8>)]) -> f64 {
    let home = homes.open("several");
    for number in 0..100 {
        let (id, key) = gateway(number);
        home.store().admit(id, &key.public_key(), NOW).unwrap();
    }
    let began = Instant::now();
    std::thread::scope(|scope| {
        for first in 0..collectors {
            let home = &home;
            scope.spawn(move || {
                let mut collector = Collector::open(home.store(), Box::new(key(9))).unwrap();
                let mine: Vec<(&str, &[u8])> = messages
                    .iter()
                    .skip(first)
                    .step_by(collectors)
                    .map(|(topic, bytes)| (topic.as_str(), bytes.as_slice()))
                    .collect();
                mine.chunks(batch).for_each(|chunk| assert!(collector.take(chunk, NOW).is_ok()));
            });
        }
    });
    messages.len() as f64 / began.elapsed().as_secs_f64()
}

fn memory_of(gateways: usize, records: usize) {
    let home = Homes::Sqlite.open("memory");
    let mut store = home.store();
    for number in 0..gateways {
        let (id, key) = gateway(number);
        store.admit(id, &key.public_key(), NOW).unwrap();
    }
    let messages = traffic(gateways, records);
    let mut collector = Collector::open(store, Box::new(key(9))).unwrap();
    let before = resident_bytes();
    for chunk in messages.chunks(1_024) {
        let chunk: Vec<_> = chunk.iter().map(|(topic, bytes)| (topic.as_str(), bytes.as_slice())).collect();
        collector.take(&chunk, NOW).unwrap();
    }
    let grown = resident_bytes().saturating_sub(before);
    println!(
        "{gateways} gateways that have said {records} records each: {} kB more in memory, {} bytes a gateway",
        grown / 1_000,
        grown / gateways.max(1)
    );
}
