//! The collector without a broker: what it keeps, what it misses, what it receipts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use coldhearth::{
    evidence::{
        Body, Chain, Checkpoint, Ed25519, Genesis, LogId, Receipt, Signed, Signer as _, record::Unverified,
    },
    regulator::{collector::Collector, store::Store},
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};
use support::Folder;

const TOPIC: &str = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/_/attest";
const NOW: i64 = 1_795_000_000_000;

fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

fn at(second: u64) -> Stamp {
    let uptime_ms = second * 1_000;
    Stamp {
        wall_unix_ms: NOW + uptime_ms.cast_signed(),
        uptime_ms,
        boot: 1,
        clock: ClockQuality::Rtc,
        error_ms: 0,
    }
}

fn beat() -> Body {
    Body::Checkpoint(Checkpoint { entries: 0, reads_ok: 1, reads_failed: 0, first_unreceipted_seq: 0 })
}

fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

/// Genesis, a beat, a rotation, and beats of the next key.
fn log(length: u64) -> Vec<Vec<u8>> {
    let mut chain = Chain::begin(gateway(), LogId(5), 0, Box::new(key(7)));
    let genesis = Body::Genesis(Genesis {
        public_key: key(7).public_key(),
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    });
    let mut lines = vec![chain.seal(&at(0), &genesis).unwrap().bytes.to_vec()];
    lines.push(chain.seal(&at(1), &beat()).unwrap().bytes.to_vec());
    lines.push(chain.rotate(&at(2), Box::new(key(8))).unwrap().bytes.to_vec());
    lines.extend((3..length).map(|second| chain.seal(&at(second), &beat()).unwrap().bytes.to_vec()));
    lines
}

fn open(folder: &Folder) -> Collector {
    Collector::open(Store::open(&folder.0).unwrap(), Box::new(key(9))).unwrap()
}

fn admitted(name: &str) -> (Folder, Collector) {
    let folder = Folder::new(name);
    assert!(Store::open(&folder.0).unwrap().admit(gateway(), &key(7).public_key(), NOW).unwrap());
    let collector = open(&folder);
    (folder, collector)
}

fn take<'a>(
    collector: &mut Collector,
    lines: impl IntoIterator<Item = &'a Vec<u8>>,
) -> coldhearth::regulator::collector::Tally {
    let messages: Vec<_> = lines.into_iter().map(|line| (TOPIC.to_owned(), line.clone())).collect();
    collector.take(&messages, NOW).unwrap()
}

/// The receipt that is due, if any.
fn receipt(collector: &mut Collector) -> Option<Receipt> {
    let mut out = collector.receipts(NOW, || Ok([1; 16])).unwrap();
    assert!(out.len() <= 1);
    let out = out.pop()?;
    assert!(out.topic.ends_with("gw-03/_/receipt"));
    Some(Receipt::open(&Signed::read(&out.bytes).unwrap(), &key(9).public_key()).unwrap())
}

#[test]
fn what_is_kept_is_receipted_with_the_key_that_signs_next() {
    let (_folder, mut collector) = admitted("kept");
    assert_eq!(take(&mut collector, &log(10)).records, 10);
    let receipt = receipt(&mut collector).unwrap();
    assert_eq!((receipt.upto.seq, receipt.key_epoch, receipt.missing), (9, 1, vec![]));
    assert_eq!(receipt.public_key, key(8).public_key());
    assert!(self::receipt(&mut collector).is_none(), "nothing moved");
    take(&mut collector, &log(10)[4..5]);
    assert!(self::receipt(&mut collector).is_some(), "whoever sends again has not heard");
}

#[test]
fn a_rotation_that_was_lost_is_asked_for_though_nothing_after_it_can_be_opened() {
    let (_folder, mut collector) = admitted("rotation-lost");
    let lines = log(10);
    let tally = take(&mut collector, lines.iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, line)| line));
    assert_eq!((tally.records, tally.unknown), (2, 7));
    let asked = receipt(&mut collector).unwrap();
    assert_eq!((asked.upto.seq, asked.missing), (1, vec![(2, 2)]));
    assert_eq!(take(&mut collector, [&lines[2]]).records, 8, "what waited for its key is opened");
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 9);
}

#[test]
fn a_log_heard_of_in_its_middle_is_asked_for_its_beginning() {
    let (_folder, mut collector) = admitted("middle");
    let lines = log(3);
    take(&mut collector, &lines[1..2]);
    let asked = receipt(&mut collector).unwrap();
    assert!(asked.is_empty() && asked.missing == [(0, 0)], "{asked:?}");
    take(&mut collector, &lines[..1]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 1);
}

#[test]
fn a_collector_started_again_goes_on_across_rotations_and_what_waited_waits_again() {
    let (folder, mut collector) = admitted("again");
    let lines = log(20);
    take(&mut collector, lines[..8].iter().chain(&lines[12..14]));
    drop(collector);
    let mut collector = open(&folder);
    collector.on_connected();
    let known = receipt(&mut collector).unwrap();
    assert_eq!((known.upto.seq, known.key_epoch, known.missing), (7, 1, vec![(8, 11)]));
    assert_eq!(take(&mut collector, &lines[1..2]).again, 1, "an old record of an old key is no stranger");
    take(&mut collector, &lines[8..12]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 13);
    take(&mut collector, &lines);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 19);
}

#[test]
fn nobody_is_kept_who_was_not_admitted_and_admission_takes_what_waited() {
    let folder = Folder::new("not-admitted");
    let mut collector = open(&folder);
    let tally = take(&mut collector, &log(5));
    assert_eq!((tally.records, tally.refused + tally.unknown), (0, 5));
    assert!(receipt(&mut collector).is_none());
    let store = Store::open(&folder.0).unwrap();
    store.admit(gateway(), &key(7).public_key(), NOW).unwrap();
    collector.look_up(NOW).unwrap();
    take(&mut collector, &log(5));
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 4);
    store.revoke(gateway(), key(7).public_key().id(), NOW).unwrap();
    collector.look_up(NOW).unwrap();
    let tally = take(&mut collector, &log(8)[6..]);
    assert_eq!(tally.records, 0, "a revoked gateway is heard no longer: {tally:?}");
}

#[test]
fn a_fork_is_kept_as_proof_and_receipted_no_further() {
    let (folder, mut collector) = admitted("forked");
    let lines = log(10);
    take(&mut collector, &lines);
    receipt(&mut collector).unwrap();
    let before = Unverified::read(&lines[6]).unwrap().verify(&key(8).public_key()).unwrap();
    let mut other = Chain::resume(&before, Box::new(key(8))).unwrap();
    let other = other.seal(&at(99), &beat()).unwrap().bytes.to_vec();
    assert_eq!(take(&mut collector, [&other]).forks, 1);
    take(&mut collector, &log(12)[10..]);
    assert!(receipt(&mut collector).is_none());
    drop(collector);
    let mut collector = open(&folder);
    collector.on_connected();
    take(&mut collector, &log(14)[12..]);
    assert!(receipt(&mut collector).is_none(), "a restart forgives nothing");
    let sql = "select held, shown from fork";
    let proof =
        std::process::Command::new("sqlite3").arg(folder.0.join("store.db")).arg(sql).output().unwrap();
    let proof = String::from_utf8(proof.stdout).unwrap();
    let (held, shown) = proof.trim().split_once("}|{").unwrap();
    for half in [format!("{held}}}"), format!("{{{shown}")] {
        let record = Unverified::read(half.as_bytes()).unwrap().verify(&key(8).public_key()).unwrap();
        assert_eq!(record.header.seq, 7, "each half is a record that needs nothing but the key");
    }
}
