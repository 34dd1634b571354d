//! How fast and how large, measured, not judged: `cargo test --release --test collector -- --ignored --nocapture figures`.
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
fn traffic(gateways: usize, records: usize) -> Vec<(String, Vec<u8>)> {
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

#[test]
#[ignore = "measures and judges nothing: cargo test --release --test collector -- --ignored --nocapture figures"]
fn figures() {
    let messages = traffic(100, 60);
    for homes in [Homes::Sqlite, Homes::Postgres] {
        for batch in [16, 64, 256, 1_024] {
            let home = homes.open("figures");
            for number in 0..100 {
                let (id, key) = gateway(number);
                home.store().admit(id, &key.public_key(), NOW).unwrap();
            }
            let mut collector = Collector::open(home.store(), Box::new(key(9))).unwrap();
            let (began, mut kept) = (Instant::now(), 0);
            for chunk in messages.chunks(batch) {
                let chunk: Vec<_> =
                    chunk.iter().map(|(topic, bytes)| (topic.as_str(), bytes.as_slice())).collect();
                kept += collector.take(&chunk, NOW).unwrap().records;
            }
            assert_eq!(kept, messages.len() as u64);
            let rate = messages.len() as f64 / began.elapsed().as_secs_f64();
            println!("{homes:?}: {rate:.0} records verified and stored a second, in batches of {batch}");
        }
    }
    for homes in [Homes::Sqlite, Homes::Postgres] {
        for collectors in [1, 2] {
            let rate = rate_of(homes, collectors, &messages);
            println!(
                "{homes:?}, {collectors} collectors: {rate:.0} records verified and stored a second in all"
            );
        }
    }
    memory_of(1_000, 100);
}

/// Records a second of collectors that each take every so many-th of the messages, as a broker that shares gives them.
fn rate_of(homes: Homes, collectors: usize, messages: &[(String, Vec<u8>)]) -> f64 {
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
                mine.chunks(256).for_each(|chunk| assert!(collector.take(chunk, NOW).is_ok()));
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
        "{gateways} gateways that have said {records} records each: {} kB more in memory",
        grown / 1_000
    );
}
