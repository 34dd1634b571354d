//! The collector without a broker: what it keeps, what it misses, what it receipts; over each of its databases.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod alarms;
mod archive;
mod cheats;
mod cold;
mod convictions;
mod damage;
mod desk_log;
mod figures;
mod flood;
mod foreign;
mod forged;
mod gone;
mod homes;
mod hostile;
mod index;
mod large;
mod lineage;
mod moments;
mod moved;
mod newer;
mod orders;
mod several;
mod starved;
mod sums;
#[path = "../support/mod.rs"]
mod support;

use coldhearth::{
    evidence::{
        Body, Chain, Dropped, Gap, GapWhy, Genesis, LogHead, LogId, Receipt, Signed, Signer as _,
        record::Unverified,
    },
    regulator::collector::Collector,
    terms::{
        Digest,
        place::{CreditCode, Division},
    },
};
use homes::{Home, Homes};
use support::voice::{NOW, TOPIC, Voice, at, beat, gateway, key, key_of};

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

fn open(home: &Home) -> Collector {
    Collector::open(home.store(), Box::new(key(9))).unwrap()
}

fn home_admitting(homes: Homes, name: &str) -> Home {
    let home = homes.open(name);
    assert!(home.store().admit(gateway(), &key_of(7), NOW).unwrap());
    home
}

fn admitted(homes: Homes, name: &str) -> (Home, Collector) {
    let home = home_admitting(homes, name);
    let collector = open(&home);
    (home, collector)
}

fn take<'a>(
    collector: &mut Collector,
    lines: impl IntoIterator<Item = &'a Vec<u8>>,
) -> coldhearth::regulator::collector::Tally {
    let messages: Vec<_> = lines.into_iter().map(|line| (TOPIC, line.as_slice())).collect();
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

fn what_is_kept_is_receipted_with_the_key_that_signs_next(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "kept");
    assert_eq!(take(&mut collector, &log(10)).records, 10);
    let receipt = receipt(&mut collector).unwrap();
    assert_eq!((receipt.upto.seq, receipt.key_epoch, receipt.missing), (9, 1, vec![]));
    assert_eq!(receipt.public_key, key(8).public_key());
    assert!(self::receipt(&mut collector).is_none(), "nothing moved");
    take(&mut collector, &log(10)[4..5]);
    assert!(self::receipt(&mut collector).is_some(), "whoever sends again has not heard");
}

fn a_rotation_that_was_lost_is_asked_for_though_nothing_after_it_can_be_opened(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "rotation-lost");
    let lines = log(10);
    let tally = take(&mut collector, lines.iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, line)| line));
    assert_eq!((tally.records, tally.unknown), (2, 7));
    let asked = receipt(&mut collector).unwrap();
    assert_eq!((asked.upto.seq, asked.missing), (1, vec![(2, 2)]));
    assert_eq!(take(&mut collector, [&lines[2]]).records, 8, "what waited for its key is opened");
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 9);
}

fn a_log_heard_of_in_its_middle_is_asked_for_its_beginning(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "middle");
    let lines = log(3);
    take(&mut collector, &lines[1..2]);
    let asked = receipt(&mut collector).unwrap();
    assert!(asked.is_empty() && asked.missing == [(0, 0)], "{asked:?}");
    take(&mut collector, &lines[..1]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 1);
}

fn a_collector_started_again_goes_on_across_rotations_and_what_waited_waits_again(homes: Homes) {
    let (home, mut collector) = admitted(homes, "again");
    let lines = log(20);
    take(&mut collector, lines[..8].iter().chain(&lines[12..14]));
    drop(collector);
    let mut collector = open(&home);
    collector.on_connected().unwrap();
    let known = receipt(&mut collector).unwrap();
    assert_eq!((known.upto.seq, known.key_epoch, known.missing), (7, 1, vec![(8, 11)]));
    assert_eq!(take(&mut collector, &lines[1..2]).again, 1, "an old record of an old key is no stranger");
    take(&mut collector, &lines[8..12]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 13);
    take(&mut collector, &lines);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 19);
}

fn nobody_is_kept_who_was_not_admitted_and_admission_takes_what_waited(homes: Homes) {
    let home = homes.open("not-admitted");
    let mut collector = open(&home);
    let tally = take(&mut collector, &log(5));
    assert_eq!((tally.records, tally.refused + tally.unknown), (0, 5));
    assert!(receipt(&mut collector).is_none());
    let mut store = home.store();
    store.admit(gateway(), &key(7).public_key(), NOW).unwrap();
    collector.look_up(NOW).unwrap();
    take(&mut collector, &log(5));
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 4);
    store.revoke(gateway(), key(7).public_key().id(), NOW).unwrap();
    collector.look_up(NOW).unwrap();
    let tally = take(&mut collector, &log(8)[6..]);
    assert_eq!(tally.records, 0, "a revoked gateway is heard no longer: {tally:?}");
}

fn a_fork_is_kept_as_proof_and_receipted_no_further(homes: Homes) {
    let (home, mut collector) = admitted(homes, "forked");
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
    let mut collector = open(&home);
    collector.on_connected().unwrap();
    take(&mut collector, &log(14)[12..]);
    assert!(receipt(&mut collector).is_none(), "a restart forgives nothing");
    let proof = home.store().forks((gateway(), LogId(5))).unwrap();
    assert_eq!(proof.len(), 1);
    for half in [&proof[0].held, &proof[0].shown] {
        let record = Unverified::read(half).unwrap().verify(&key(8).public_key()).unwrap();
        assert_eq!(record.header.seq, 7, "each half is a record that needs nothing but the key");
    }
}

fn sixty_epochs_of_backlog_are_followed_across_a_restart(homes: Homes) {
    let (home, mut collector) = admitted(homes, "sixty");
    let mut voice = Voice::new(5, 0, 7);
    let mut all = vec![voice.genesis(7, None)];
    let mut rotations = Vec::new();
    for epoch in 0..60 {
        all.push(voice.say(&beat()));
        rotations.push(voice.rotate(100 + epoch));
        all.extend(rotations.last().cloned());
    }
    all.push(voice.say(&beat()));
    take(&mut collector, &all[..2]);
    receipt(&mut collector).unwrap();
    // After the outage the rotations overtake everything.
    take(&mut collector, &rotations);
    drop(collector);
    let mut collector = open(&home);
    take(&mut collector, &all);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, all.len() as u64 - 1);
}

fn a_tail_that_a_disk_lost_is_passed_after_a_restart_too(homes: Homes) {
    for restarts in [false, true] {
        let (home, mut collector) = admitted(homes, "tail");
        let lines = log(11);
        take(&mut collector, &lines);
        if restarts {
            drop(collector);
            collector = open(&home);
        }
        let last = Unverified::read(&lines[7]).unwrap().verify(&key(8).public_key()).unwrap();
        let mut chain = Chain::resume(&last, Box::new(key(8))).unwrap();
        let skip = chain.skip_to(&at(50), 1_000).unwrap().bytes.to_vec();
        let more = [skip, chain.seal(&at(51), &beat()).unwrap().bytes.to_vec()];
        let tally = take(&mut collector, &more);
        assert_eq!((tally.lost, tally.forks), (3, 0), "restarts: {restarts}");
        assert_eq!(receipt(&mut collector).unwrap().upto.seq, 1_001);
    }
}

fn a_log_whose_first_key_was_swallowed_is_asked_for_its_beginning(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "swallowed");
    let mut voice = Voice::new(5, 0, 7);
    let all = [voice.genesis(7, None), voice.rotate(8), voice.say(&beat())];
    take(&mut collector, &all[2..]);
    let asked = receipt(&mut collector).unwrap();
    assert!(asked.is_empty() && asked.missing == [(0, 0)], "{asked:?}");
    take(&mut collector, &all[..2]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 2);
    // A log that continues it, in a later epoch, whose genesis was swallowed too.
    let head = Unverified::read(&all[2]).unwrap().hash();
    let mut next = Voice::new(6, 1, 8);
    let next = [next.genesis(8, Some(LogHead { log: LogId(5), seq: 2, head })), next.say(&beat())];
    take(&mut collector, &next[1..]);
    let asked = receipt(&mut collector).unwrap();
    assert!(asked.is_empty() && asked.upto.log == LogId(6) && asked.missing == [(0, 0)], "{asked:?}");
    take(&mut collector, &next[..1]);
    assert_eq!(receipt(&mut collector).unwrap().upto, LogHead { seq: 1, ..receipt_head(&next[1], 6) });
    // What is retained is about the log the gateway speaks in, whatever the names of its logs.
    collector.on_connected().unwrap();
    assert_eq!(receipt(&mut collector).unwrap().upto.log, LogId(6));
}

fn receipt_head(line: &[u8], log: u64) -> LogHead {
    let unverified = Unverified::read(line).unwrap();
    LogHead { log: LogId(log), seq: unverified.header().seq, head: unverified.hash() }
}

fn a_revoked_gateway_stays_revoked_in_every_log_and_after_every_restart(homes: Homes) {
    for renewed in [false, true] {
        let (home, mut collector) = admitted(homes, "revoked");
        let mut voice = Voice::new(5, 0, 7);
        let all = [voice.genesis(7, None), voice.rotate(8), voice.say(&beat())];
        take(&mut collector, &all);
        if renewed {
            let upto = receipt(&mut collector).unwrap().upto;
            voice = Voice::new(6, 1, 8);
            assert_eq!(take(&mut collector, &[voice.genesis(8, Some(upto))]).records, 1);
        }
        receipt(&mut collector);
        let mut store = home.store();
        assert!(store.revoke(gateway(), key(7).public_key().id(), NOW).unwrap());
        collector.look_up(NOW).unwrap();
        let more = [voice.say(&beat()), voice.say(&beat())];
        assert_eq!(take(&mut collector, &more[..1]).records, 0, "renewed: {renewed}");
        drop(collector);
        let mut collector = open(&home);
        assert_eq!(take(&mut collector, &more).records, 0, "renewed: {renewed}");
        let receipted = receipt(&mut collector);
        assert!(receipted.is_none_or(|receipt| receipt.is_empty()), "renewed: {renewed}");
    }
}

fn what_rotted_in_the_middle_is_passed_once_it_is_declared(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "rotted");
    let lines = log(12);
    take(&mut collector, lines[..4].iter().chain(&lines[7..]));
    assert_eq!(receipt(&mut collector).unwrap().missing, [(4, 6)]);
    let last = Unverified::read(&lines[11]).unwrap().verify(&key(8).public_key()).unwrap();
    let mut chain = Chain::resume(&last, Box::new(key(8))).unwrap();
    let dropped = vec![Dropped { from: 4, to: 6, last: Unverified::read(&lines[6]).unwrap().hash() }];
    let gap = Body::Gap(Gap { why: GapWhy::Damaged, dropped });
    let gap = chain.seal(&at(60), &gap).unwrap().bytes.to_vec();
    take(&mut collector, [&gap]);
    let receipt = receipt(&mut collector).unwrap();
    assert_eq!((receipt.upto.seq, receipt.missing), (12, vec![]));
}

over_both!(
    what_is_kept_is_receipted_with_the_key_that_signs_next,
    a_rotation_that_was_lost_is_asked_for_though_nothing_after_it_can_be_opened,
    a_log_heard_of_in_its_middle_is_asked_for_its_beginning,
    a_collector_started_again_goes_on_across_rotations_and_what_waited_waits_again,
    nobody_is_kept_who_was_not_admitted_and_admission_takes_what_waited,
    a_fork_is_kept_as_proof_and_receipted_no_further,
    sixty_epochs_of_backlog_are_followed_across_a_restart,
    a_tail_that_a_disk_lost_is_passed_after_a_restart_too,
    a_log_whose_first_key_was_swallowed_is_asked_for_its_beginning,
    a_revoked_gateway_stays_revoked_in_every_log_and_after_every_restart,
    what_rotted_in_the_middle_is_passed_once_it_is_declared,
);
