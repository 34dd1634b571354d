//! The adversary as a program, played against the real verifiers and, where it takes one, the real agent: one test for
//! each move that software can show.
//!
//! What no software here shows, and no test pretends to: a bypassed feeder, a substituted current transformer, a second
//! unmetered cable; a live relay of another, idle meter; an owner who holds the agent before it signs and never goes
//! offline; a copied key whose rightful owner is switched off; records replaced before anybody received them; what ran
//! during a blackout beyond the energy register; the reason of a silence. Swapped meters, changed ratios and played
//! registers are the judge's and the simulator's tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use coldhearth::{
    agent::{
        letters::{Letter, Letters, Outcome},
        own_copy::RECEIPT_FILE,
    },
    evidence::{
        Act, ActRefusal, Anchor, Arrival, Audit, Body, Chain, Checkpoint, Dropped, Ed25519, Follower, Gap,
        GapWhy, Genesis, Head, Kind, LogHead, LogId, MemoryJournal, Notice, PublicKey, Receipt, Received,
        Record, Refusal, Report, Scribe, Sealer, Signed, Signer, Topic, Trust,
        canonical::MAX_RECORD_BYTES,
        follow::{Origin, Place, Seen},
        record::Unverified,
    },
    host::{Clock as _, SystemClock},
    judge::Finding,
    terms::{
        AssetId, ClockQuality, Digest, GatewayId, MeterId, Stamp,
        place::{CreditCode, Division},
    },
};
use serde_json::{Map, Value, json};
use support::{Mosquitto, Process, Subscriber, Works, soon};

const WALL_MS: i64 = 1_795_000_000_000;

fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

fn authority() -> Ed25519 {
    key(9)
}

fn at(second: u64) -> Stamp {
    let wall_unix_ms = WALL_MS + (second * 1_000).cast_signed();
    Stamp { wall_unix_ms, uptime_ms: second * 1_000, boot: 1, clock: ClockQuality::Ntp, error_ms: 40 }
}

fn beat(entries: u64) -> Body {
    Body::Checkpoint(Checkpoint { entries, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 })
}

/// A log as its gateway, or somebody with its key, writes it.
struct Log {
    chain: Chain,
    lines: Vec<Vec<u8>>,
}

impl Log {
    fn begin(id: u64, whose: GatewayId, epoch: u32, seed: u8, continues: Option<LogHead>) -> Log {
        let mut log =
            Log { chain: Chain::begin(whose, LogId(id), epoch, Box::new(key(seed))), lines: Vec::new() };
        log.say(&Body::Genesis(Genesis {
            public_key: key(seed).public_key(),
            division: Division::parse("130421").unwrap(),
            enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
            software: "somebody".into(),
            config: Digest::of(b"config"),
            profiles: Vec::new(),
            continues,
        }));
        log
    }

    /// The honest gateway's log with so many records.
    fn of(records: u64) -> Log {
        let mut log = Log::begin(1, gateway(), 0, 7, None);
        (1..records).for_each(|n| log.beat(n));
        log
    }

    /// Goes on behind a record with a key, if the chain lets it.
    fn after(line: &[u8], signed_by: u8, seed: u8) -> Log {
        let mut record = opened(line, signed_by);
        record.header.key_id = key(seed).public_key().id();
        Log { chain: Chain::resume(&record, Box::new(key(seed))).unwrap(), lines: Vec::new() }
    }

    fn say(&mut self, body: &Body) {
        self.say_at(&at(self.chain.next_seq()), body);
    }

    fn say_at(&mut self, at: &Stamp, body: &Body) {
        let line = self.chain.seal(at, body).unwrap().bytes.to_vec();
        self.lines.push(line);
    }

    fn beat(&mut self, entries: u64) {
        self.say(&beat(entries));
    }

    fn rotate(&mut self, seed: u8) {
        let line = self.chain.rotate(&at(self.chain.next_seq()), Box::new(key(seed))).unwrap().bytes.to_vec();
        self.lines.push(line);
    }
}

fn opened(line: &[u8], seed: u8) -> Record {
    Unverified::read(line).unwrap().verify(&key(seed).public_key()).unwrap()
}

/// What the authority says it has, of a log up to a line signed with this key.
fn receipt(line: &[u8], seed: u8, second: u64) -> Receipt {
    let record = opened(line, seed);
    let header = record.header;
    Receipt {
        gateway: header.gateway,
        upto: LogHead { log: header.log, seq: header.seq, head: record.hash },
        key_epoch: header.key_epoch,
        public_key: key(seed).public_key(),
        received_unix_ms: at(second).wall_unix_ms,
        nonce: [3; 16],
        missing: Vec::new(),
    }
}

fn sealed(receipt: &Receipt, by: &Ed25519) -> (Digest, Vec<u8>) {
    let mut sealer = Sealer::default();
    let hash = receipt.seal(&mut sealer, by).unwrap();
    (hash, sealer.bytes().to_vec())
}

/// An auditor who was given the gateway's key and the authority's.
fn audit<'a>(lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Report {
    audit_under(&[key(7).public_key(), authority().public_key()], lines)
}

fn audit_under<'a>(trusted: &[PublicKey], lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Report {
    let mut audit = Audit::new(trusted);
    lines.into_iter().for_each(|line| audit.on_line(line));
    audit.report()
}

fn collector() -> Follower {
    Follower::from_the_beginning(&[key(7).public_key()])
}

/// What a listener makes of a message that comes in its place, and of whatever that releases.
fn hears(follower: &mut Follower, line: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let origin = Origin { in_chain: true, number: 0 };
    follower.on_message(line, origin, &mut |what, _, _| seen.push(what));
    seen
}

fn proven(seen: &[Seen]) -> bool {
    matches!(seen, [Seen::Record(_, Place::Proven)])
}

fn head_of(follower: &Follower, log: u64) -> Option<(u64, Digest)> {
    follower.heads().get(&(gateway(), LogId(log))).and_then(Head::head)
}

#[test]
fn replayed_old_messages_are_counted_as_nothing() {
    let mut follower = collector();
    let log = Log::of(50);
    log.lines.iter().for_each(|line| assert!(proven(&hears(&mut follower, line))));
    let head = head_of(&follower, 1);
    for line in log.lines.iter().rev().chain(&log.lines) {
        assert_eq!(hears(&mut follower, line), [Seen::Again]);
    }
    assert_eq!(head_of(&follower, 1), head);
    let report = audit(log.lines.iter().chain(&log.lines));
    assert!(report.authentic && report.complete && report.records == 50);
}

#[test]
fn edited_and_forged_in_the_broker_is_refused_and_moves_nothing() {
    let mut follower = collector();
    let log = Log::of(5);
    log.lines[..4].iter().for_each(|line| drop(hears(&mut follower, line)));
    let text = String::from_utf8(log.lines[4].clone()).unwrap();
    let edited = text.replace("\"entries\":4", "\"entries\":5");
    assert_ne!(edited, text);
    assert_eq!(hears(&mut follower, edited.as_bytes()), [Seen::Refused(Refusal::BadSignature)]);
    // Signed properly by somebody else, under his own name for his key, and under ours.
    let forged = Log::after(&log.lines[3], 7, 8);
    let mut forged = forged;
    forged.beat(4);
    let stranger = key(8).public_key().id();
    assert_eq!(hears(&mut follower, &forged.lines[0]), [Seen::Refused(Refusal::StrangeKey(stranger))]);
    let ours = String::from_utf8(forged.lines[0].clone()).unwrap();
    let ours = ours.replace(&stranger.to_string(), &key(7).public_key().id().to_string());
    assert_eq!(hears(&mut follower, ours.as_bytes()), [Seen::Refused(Refusal::BadSignature)]);
    assert!(proven(&hears(&mut follower, &log.lines[4])), "the right one still comes through");
}

#[test]
fn dropped_and_reordered_in_the_broker_is_missed_by_place_and_mended() {
    let log = Log::of(12);
    let mut follower = collector();
    for place in [0, 2, 7, 1, 9, 6, 11] {
        let seen = hears(&mut follower, &log.lines[place]);
        assert!(matches!(seen[..], [Seen::Record(..)]), "{seen:?}");
    }
    let head = &follower.heads()[&(gateway(), LogId(1))];
    assert_eq!(head.head().unwrap().0, 2);
    // This is what a receipt asks for again.
    assert_eq!(head.holes(32), [(3, 5), (8, 8), (10, 10)]);
    for place in [10, 4, 3, 8, 5] {
        hears(&mut follower, &log.lines[place]);
    }
    assert_eq!(head_of(&follower, 1).unwrap().0, 11);
    assert!(follower.heads()[&(gateway(), LogId(1))].holes(32).is_empty());
}

#[test]
fn what_was_dropped_after_some_of_it_had_arrived_holds_nothing_up() {
    let mut log = Log::of(9);
    // Places 5 and 7 were lost on the way; then the gateway's disk was full, and it dropped all three, and says so.
    let last = opened(&log.lines[7], 7).hash;
    log.say(&Body::Gap(Gap { why: GapWhy::DiskFull, dropped: vec![Dropped { from: 5, to: 7, last }] }));
    log.beat(10);
    let arrived = [0, 1, 2, 3, 4, 6, 8, 9, 10].map(|place| &log.lines[place]);
    let mut follower = collector();
    arrived.iter().for_each(|line| drop(hears(&mut follower, line)));
    assert_eq!(head_of(&follower, 1).unwrap().0, 10);
    assert!(
        follower.heads()[&(gateway(), LogId(1))].holes(32).is_empty(),
        "nothing is asked for that is no more"
    );
    let report = audit(arrived);
    assert!(report.authentic && !report.complete && report.declared, "{report:?}");
    // A declaration by somebody who has no right to speak declares nothing.
    let mut silenced = Log::after(&log.lines[4], 7, 7);
    let mut thief = Log::after(&log.lines[4], 7, 7);
    silenced.rotate(8);
    thief.beat(66);
    thief.say(&Body::Gap(Gap { why: GapWhy::DiskFull, dropped: vec![Dropped { from: 1, to: 3, last }] }));
    let mut follower = collector();
    [&log.lines[0], &log.lines[4], &silenced.lines[0]]
        .into_iter()
        .for_each(|line| drop(hears(&mut follower, line)));
    hears(&mut follower, &thief.lines[1]);
    assert_eq!(follower.heads()[&(gateway(), LogId(1))].holes(32), [(1, 3)], "still asked for");
}

/// Records that name a receipt, told at the given walls, and receipted a minute after.
fn bracketed(walls: [i64; 3]) -> Report {
    let mut log = Log::of(2);
    let (hash, first) = sealed(&receipt(&log.lines[1], 7, 100), &authority());
    log.chain.on_receipt(hash);
    for wall_unix_ms in walls {
        log.say_at(&Stamp { wall_unix_ms, ..at(150) }, &beat(0));
    }
    let (_, second) = sealed(&receipt(log.lines.last().unwrap(), 7, 160), &authority());
    let mut audit = Audit::new(&[key(7).public_key(), authority().public_key()]);
    [first, second].iter().for_each(|line| audit.on_receipt_line(line));
    log.lines.iter().for_each(|line| audit.on_line(line));
    let report = audit.report();
    assert!(report.authentic && report.complete, "{report:?}");
    report
}

#[test]
fn a_clock_rolled_back_or_forward_lies_outside_its_receipts() {
    let now = at(150).wall_unix_ms;
    assert_eq!(bracketed([now, now, now]).brackets.outside, 0);
    for wall in [0, now - 3_600_000, now + 3_600_000, now + 315_360_000_000] {
        let brackets = bracketed([now, wall, now]).brackets;
        assert_eq!((brackets.outside, brackets.first_outside), (1, Some((LogId(1), 3))), "{wall}");
    }
}

#[test]
fn a_deleted_disk_is_another_log_of_the_same_gateway_without_continuity() {
    let (before, mut after) = (Log::of(9), Log::begin(2, gateway(), 0, 7, None));
    after.beat(1);
    let report = audit(before.lines.iter().chain(&after.lines));
    assert!(report.authentic && report.complete);
    let logs: Vec<_> = report.logs.iter().map(|log| (log.gateway, log.log, log.continues)).collect();
    assert_eq!(logs, [(gateway(), LogId(1), None), (gateway(), LogId(2), None)]);
    // With the disk the key went too: nobody vouches for the next one.
    let stranger = Log::begin(3, gateway(), 0, 8, None);
    let report = audit(before.lines.iter().chain(&stranger.lines));
    assert_eq!(report.first_bad, Some((10, Refusal::UnknownKey(key(8).public_key().id()))));
}

#[test]
fn a_copied_key_on_a_second_gateway_is_a_fork_that_proves_itself() {
    let mut log = Log::of(5);
    let mut second = Log::after(&log.lines[4], 7, 7);
    log.beat(5);
    second.beat(99);
    let mut follower = collector();
    log.lines.iter().for_each(|line| drop(hears(&mut follower, line)));
    let seen = hears(&mut follower, &second.lines[0]);
    assert!(matches!(seen[..], [Seen::Fork { fork: Arrival::Fork { seq: 5, .. }, .. }]), "{seen:?}");
    assert_eq!(head_of(&follower, 1).unwrap().1, opened(&log.lines[5], 7).hash, "the head stays");
    // The two records and the key are enough, in either order.
    for pair in [[&log.lines[5], &second.lines[0]], [&second.lines[0], &log.lines[5]]] {
        let report = audit_under(&[key(7).public_key()], pair);
        assert_eq!(report.forks.iter().map(|fork| fork.seq).collect::<Vec<_>>(), [5]);
        assert!(report.authentic, "both signatures hold: that is the proof");
    }
}

#[test]
fn a_key_stolen_once_rewrites_nothing_from_before_its_time_and_nothing_receipted() {
    let mut log = Log::of(5);
    log.rotate(8);
    (6..9).for_each(|n| log.beat(n));
    let mut follower = collector();
    log.lines[..7].iter().for_each(|line| assert!(proven(&hears(&mut follower, line))));
    // The thief has the present key. What the one before signed he cannot sign again.
    let mut before = Log::after(&log.lines[6], 8, 8);
    let mut early = opened(&log.lines[6], 8);
    early.header.seq = 2;
    before.chain = Chain::resume(&early, Box::new(key(8))).unwrap();
    before.beat(66);
    assert_eq!(hears(&mut follower, &before.lines[0]), [Seen::Refused(Refusal::WrongEpoch(1))]);
    // What was received contradicts him.
    let rotation = opened(&log.lines[5], 7);
    let chain = Chain::resume(&rotation, Box::new(key(8))).unwrap();
    let mut over = Log { chain, lines: Vec::new() };
    over.beat(67);
    let seen = hears(&mut follower, &over.lines[0]);
    assert!(matches!(seen[..], [Seen::Fork { fork: Arrival::Fork { seq: 6, .. }, .. }]), "{seen:?}");
    // What nobody had received he can replace; the receipt and the record itself still contradict him when they come.
    let mut rewritten = Log::after(&log.lines[6], 8, 8);
    rewritten.beat(68);
    assert!(proven(&hears(&mut follower, &rewritten.lines[0])), "the limit: nobody had it");
    let seen = hears(&mut follower, &log.lines[7]);
    assert!(matches!(seen[..], [Seen::Fork { fork: Arrival::Fork { seq: 7, .. }, .. }]), "{seen:?}");
}

#[test]
fn a_stolen_key_that_was_replaced_cannot_take_the_log_over() {
    let mut log = Log::of(5);
    log.rotate(8);
    (6..9).for_each(|n| log.beat(n));
    let mut follower = collector();
    log.lines.iter().for_each(|line| drop(hears(&mut follower, line)));
    // He goes on where his key still ruled, and names a key of his own as the next.
    let mut thief = Log::after(&log.lines[2], 7, 7);
    thief.rotate(66);
    thief.beat(4);
    let seen = hears(&mut follower, &thief.lines[0]);
    assert!(matches!(seen[..], [Seen::Fork { fork: Arrival::Fork { seq: 3, .. }, .. }]), "{seen:?}");
    assert!(matches!(hears(&mut follower, &thief.lines[1])[..], [Seen::Refused(Refusal::StrangeKey(_))]));
    // Behind the rotation his key has no say at all.
    let mut late = opened(&log.lines[2], 7);
    late.header.seq = 30;
    let mut late = Log { chain: Chain::resume(&late, Box::new(key(7))).unwrap(), lines: Vec::new() };
    late.beat(31);
    assert_eq!(hears(&mut follower, &late.lines[0]), [Seen::Refused(Refusal::WrongEpoch(0))]);
    // The gateway itself is believed as before: its old records, and its next one.
    assert_eq!(hears(&mut follower, &log.lines[4]), [Seen::Again]);
    log.beat(9);
    assert!(proven(&hears(&mut follower, log.lines.last().unwrap())));
}

#[test]
fn a_fork_by_rotation_does_not_lock_the_gateway_out_of_its_own_log() {
    let mut log = Log::of(5);
    let mut follower = collector();
    log.lines.iter().for_each(|line| drop(hears(&mut follower, line)));
    // The thief has the key that still rules, and certifies his own from a place that is taken.
    let mut thief = Log::after(&log.lines[2], 7, 7);
    thief.rotate(66);
    assert!(matches!(hears(&mut follower, &thief.lines[0])[..], [Seen::Fork { .. }]));
    log.beat(5);
    log.rotate(8);
    log.beat(7);
    for line in &log.lines[5..] {
        let seen = hears(&mut follower, line);
        assert!(proven(&seen), "{seen:?}");
    }
}

#[test]
fn a_replaced_key_that_begins_a_new_log_is_told() {
    let mut log = Log::of(5);
    log.rotate(8);
    log.beat(6);
    let head = opened(&log.lines[6], 8);
    let continues = Some(LogHead { log: LogId(1), seq: 6, head: head.hash });
    for (epoch, seed, by_replaced_key) in [(0, 7, true), (1, 8, false)] {
        let next = Log::begin(2, gateway(), epoch, seed, continues);
        let report = audit(log.lines.iter().chain(&next.lines));
        assert!(report.authentic && report.complete);
        let told: Vec<_> = report.logs.iter().map(|log| (log.continues, log.by_replaced_key)).collect();
        assert_eq!(told, [(None, false), (continues, by_replaced_key)]);
    }
}

#[test]
fn a_neighbour_who_names_somebody_elses_key_as_his_own_next_binds_nobody() {
    let neighbour = GatewayId::new("gw-04").unwrap();
    let mut follower = Follower::from_the_beginning(&[key(7).public_key(), key(5).public_key()]);
    let mut log = Log::of(3);
    let mut his = Log::begin(4, neighbour, 0, 5, None);
    log.lines.iter().chain(&his.lines).for_each(|line| drop(hears(&mut follower, line)));
    // He saw our rotation on its way, and is faster.
    his.rotate(8);
    log.rotate(8);
    log.beat(4);
    assert!(proven(&hears(&mut follower, &his.lines[1])));
    for line in &log.lines[3..] {
        let seen = hears(&mut follower, line);
        assert!(proven(&seen), "{seen:?}");
    }
    // The same where keys are taken on the logs' own word.
    let report = audit_under(&[], his.lines.iter().chain(&log.lines));
    assert!(report.authentic && report.complete, "{report:?}");
}

#[test]
fn truncated_and_then_continued_is_contradicted_by_receipts_alone() {
    let log = Log::of(10);
    let receipts = [sealed(&receipt(&log.lines[8], 7, 20), &authority()).1];
    let mut short = Log::after(&log.lines[4], 7, 7);
    (5..12).for_each(|n| short.beat(100 + n));
    let kept = &log.lines[..5];
    // Cut off: what the authority has is missing.
    let report = audit(receipts.iter().chain(kept));
    assert!(report.authentic && !report.complete && !report.declared);
    assert_eq!(
        report.gaps.iter().map(|gap| (gap.from, gap.to, gap.receipted)).collect::<Vec<_>>(),
        [(5, 8, true)]
    );
    // Continued: the authority's hash is another, whichever is read first.
    let forked = |report: &Report| report.forks.iter().map(|fork| fork.seq).collect::<Vec<_>>();
    assert_eq!(forked(&audit(receipts.iter().chain(kept).chain(&short.lines))), [8]);
    assert_eq!(forked(&audit(kept.iter().chain(&short.lines).chain(&receipts))), [8]);
    assert!(audit(log.lines.iter().chain(&receipts)).complete, "the honest log has nothing to fear");
    // A receipt that nobody vouches for accuses nobody.
    let strange = [sealed(&receipt(&short.lines[3], 7, 20), &key(66)).1];
    assert!(audit(strange.iter().chain(&log.lines)).complete);
}

#[test]
fn old_entries_sealed_again_with_a_newer_key_are_refused() {
    let mut log = Log::of(5);
    log.rotate(8);
    log.beat(6);
    let mut newer = opened(&log.lines[6], 8);
    newer.header.seq = 1;
    let mut again = Log { chain: Chain::resume(&newer, Box::new(key(8))).unwrap(), lines: Vec::new() };
    again.beat(2);
    let mut lines = log.lines.clone();
    lines[2] = again.lines[0].clone();
    let report = audit(&lines);
    assert!(!report.authentic && !report.complete, "{report:?}");
    // An epoch with nothing in it but its end is an epoch like any other.
    let mut empty = Log::of(2);
    (20..25).for_each(|seed| empty.rotate(seed));
    assert!(audit(&empty.lines).complete);
    empty.lines.remove(4);
    let report = audit(&empty.lines);
    assert!(!report.authentic, "what follows is nobody's: {report:?}");
}

#[test]
fn hidden_entries_make_a_file_incomplete() {
    let log = Log::of(20);
    for hidden in [0..1, 3..4, 7..15, 1..19] {
        let shown = log.lines.iter().enumerate().filter(|(place, _)| !hidden.contains(place));
        let report = audit(shown.map(|(_, line)| line));
        assert!(report.authentic && !report.complete && !report.declared, "{hidden:?}");
        let missing = (hidden.start as u64, hidden.end as u64 - 1);
        assert_eq!(report.gaps.iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>(), [missing]);
    }
}

/// Says with the gateway's own key what its own program never would.
fn said_by_the_owner(place: u64, body: &Body) -> Result<Record, Refusal> {
    let mut record = opened(&Log::of(2).lines[1], 7);
    record.header.seq = place - 1;
    let mut log = Log { chain: Chain::resume(&record, Box::new(key(7))).unwrap(), lines: Vec::new() };
    log.say_at(&at(1), body);
    Unverified::read(&log.lines[0]).unwrap().verify(&key(7).public_key())
}

#[test]
fn a_skip_or_a_gap_that_speaks_of_other_places_than_those_before_it_is_refused() {
    let skip = |from, to, place| said_by_the_owner(place, &Body::Skip { from, to });
    assert!(skip(3, 8, 9).is_ok());
    assert_eq!(skip(3, 4, 900).unwrap_err(), Refusal::Member("to_seq"), "it says less than it skips");
    assert_eq!(skip(3, 900, 9).unwrap_err(), Refusal::Member("to_seq"));
    assert_eq!(skip(0, 8, 9).unwrap_err(), Refusal::Member("from_seq"), "no genesis is skipped");
    let gap = |from, to, place| {
        let dropped = vec![Dropped { from, to, last: Digest::of(b"last") }];
        said_by_the_owner(place, &Body::Gap(Gap { why: GapWhy::DiskFull, dropped }))
    };
    assert!(gap(3, 8, 9).is_ok());
    assert_eq!(gap(3, 9, 9).unwrap_err(), Refusal::Member("dropped"));
    assert_eq!(gap(3, (1 << 52) - 1, 9).unwrap_err(), Refusal::Member("dropped"));
}

#[test]
fn places_and_epochs_near_the_end_of_counting_end_the_log_and_panic_nowhere() {
    const END: u64 = (1 << 53) - 1;
    let line = Log::of(2).lines.remove(1);
    for (seq, may) in [(END - 2, 2), (END, 0), (u64::MAX - 1, 0)] {
        let mut record = opened(&line, 7);
        record.header.seq = seq;
        let mut chain = Chain::resume(&record, Box::new(key(7))).unwrap();
        let mut head = Head::default();
        for nth in 0..4 {
            let sealed = chain.seal(&at(1), &beat(0)).map(|sealed| sealed.bytes.to_vec());
            assert_eq!(sealed.is_ok(), nth < may, "{seq}");
            if let Ok(bytes) = sealed {
                head.take(&opened(&bytes, 7));
                head.holes(32);
                head.concede();
            }
        }
        let next = chain.next_seq();
        assert!(chain.skip_to(&at(1), u64::MAX).is_err() && chain.next_seq() == next);
    }
    let mut record = opened(&line, 7);
    record.header.seq = u64::MAX;
    assert!(Chain::resume(&record, Box::new(key(7))).is_none());
    let mut record = opened(&line, 7);
    record.header.key_epoch = u32::MAX;
    let mut chain = Chain::resume(&record, Box::new(key(7))).unwrap();
    assert!(chain.rotate(&at(1), Box::new(key(8))).is_err());
    let still = chain.seal(&at(1), &beat(0)).unwrap().bytes.to_vec();
    assert_eq!(opened(&still, 7).header.key_epoch, u32::MAX, "the last key stays");
}

#[test]
fn what_waits_for_a_key_that_never_comes_is_bounded_and_costs_little() {
    let mut follower = collector();
    let mut log = Log::of(2);
    log.lines.iter().for_each(|line| drop(hears(&mut follower, line)));
    // Anybody may claim a later epoch of a gateway that is known; nobody can be asked.
    let mut stranger = opened(&log.lines[1], 7);
    stranger.header.key_epoch = 5_700;
    stranger.header.key_id = key(66).public_key().id();
    let mut rubbish = Log { chain: Chain::resume(&stranger, Box::new(key(66))).unwrap(), lines: Vec::new() };
    (0..12_000).for_each(|n| rubbish.beat(n));
    let mut let_go = 0_usize;
    for line in &rubbish.lines {
        let seen = hears(&mut follower, line);
        let (last, gone) = seen.split_last().unwrap();
        assert!(matches!(last, Seen::Held { .. }), "{last:?}");
        assert!(gone.iter().all(|gone| matches!(gone, Seen::NotHeld { .. })), "{gone:?}");
        let_go += gone.len();
    }
    let held = follower.held_bytes();
    assert!(held <= coldhearth::evidence::follow::MAX_HELD_BYTES && let_go > 0);
    // And the gateway rotates a thousand keys meanwhile, each of which might have been waited for.
    for turn in 0..1_000 {
        log.rotate(if turn % 2 == 0 { 8 } else { 7 });
    }
    log.lines[2..].iter().for_each(|line| assert!(proven(&hears(&mut follower, line))));
    assert_eq!(follower.held().map(|(bytes, _)| bytes.len()).sum::<usize>(), held);
}

#[test]
fn a_gateway_with_a_thousand_logs_leaves_room_for_its_neighbours() {
    let neighbour = GatewayId::new("gw-04").unwrap();
    let mut follower = Follower::from_the_beginning(&[key(7).public_key(), key(5).public_key()]);
    let begins = |follower: &mut Follower, id, whose, seed| {
        proven(&hears(follower, &Log::begin(id, whose, 0, seed, None).lines[0]))
    };
    assert!((0..1_000).all(|id| begins(&mut follower, id, gateway(), 7)));
    assert!(!begins(&mut follower, 1_000, gateway(), 7), "enough is enough");
    assert!(begins(&mut follower, 1, neighbour, 5));
}

#[test]
fn a_receipt_with_more_missing_than_receipts_name_is_refused() {
    let log = Log::of(3);
    let honest = receipt(&log.lines[2], 7, 5);
    let mut trust = Trust::new(gateway(), vec![authority().public_key()]);
    for (ranges, is_fine) in [(32, true), (33, false), (900, false)] {
        let missing = (0..ranges).map(|n| (10 * n, (1 << 53) - 1)).collect();
        let (_, bytes) = sealed(&Receipt { missing, ..honest.clone() }, &authority());
        assert_eq!(trust.open_receipt(&bytes).is_ok(), is_fine, "{ranges}");
    }
    let backwards = Receipt { missing: vec![(9, 3)], ..honest };
    assert!(trust.open_receipt(&sealed(&backwards, &authority()).1).is_err());
}

/// An act as the authority's clerk would write it.
fn draft(kind: &str, more: Value) -> Map<String, Value> {
    let common = json!({
        "act": kind, "act_id": format!("{kind}-1"), "version": 1, "gateway_id": "gw-03", "asset": "eaf-1",
        "issued_unix_ms": WALL_MS, "expires_unix_ms": WALL_MS + 600_000,
    });
    let (Value::Object(mut draft), Value::Object(more)) = (common, more) else { panic!() };
    draft.extend(more);
    draft
}

fn permit(more: Value) -> Map<String, Value> {
    let mut permit = draft(
        "permit",
        json!({
            "permit": "maintenance", "energy_wh": 1_000, "from_unix_ms": WALL_MS, "to_unix_ms": WALL_MS + 1,
            "document_sha256": Digest::of(b"paper").to_string(),
        }),
    );
    let Value::Object(more) = more else { panic!() };
    permit.extend(more);
    permit
}

/// Signs whatever is given as an act, even what no honest clerk's program would.
fn signed_by(key: &Ed25519, draft: &Map<String, Value>) -> Vec<u8> {
    let mut sealer = Sealer::default();
    sealer
        .seal(key, |object| {
            object.text("type", "act").members(draft, &[]);
        })
        .unwrap();
    sealer.bytes().to_vec()
}

fn letters() -> Letters {
    let trust = Trust::new(gateway(), vec![authority().public_key(), key(10).public_key()]);
    let enterprise = CreditCode::parse("91350100M000100Y43").unwrap();
    Letters::new(trust, vec![AssetId::new("eaf-1").unwrap()], vec![MeterId::new("m1").unwrap()], enterprise)
}

/// What the gateway says to an act: why it is refused, or nothing where it obeys.
fn answer(letters: &mut Letters, bytes: &[u8], now: &Stamp) -> Option<ActRefusal> {
    match letters.on(Letter::Act(bytes.to_vec()), now, &|_| Ok(())) {
        Outcome::Do(..) => None,
        Outcome::Say(Body::Answer(answer)) => Some(answer.refused.unwrap()),
        other @ (Outcome::Nothing | Outcome::Receipt(..) | Outcome::Say(_)) => panic!("{other:?}"),
    }
}

#[test]
fn acts_forged_altered_expired_and_replayed_are_each_refused_with_their_word() {
    let now = at(1);
    let honest = signed_by(&authority(), &permit(json!({})));
    let text = String::from_utf8(honest.clone()).unwrap();
    let refusals = [
        ("wrong_key", signed_by(&key(66), &permit(json!({})))),
        ("bad_signature", text.replace("\"energy_wh\":1000", "\"energy_wh\":9000").into_bytes()),
        ("not_canonical", text.replacen(':', ": ", 1).into_bytes()),
        ("not_canonical", b"rubbish".to_vec()),
        ("malformed", signed_by(&authority(), &permit(json!({ "permit": "everything" })))),
        ("malformed", signed_by(&authority(), &permit(json!({ "version": 0 })))),
        ("malformed", signed_by(&authority(), &permit(json!({ "energy_wh": -1 })))),
        ("wrong_gateway", signed_by(&authority(), &permit(json!({ "gateway_id": "gw-04" })))),
        ("expired", signed_by(&authority(), &permit(json!({ "expires_unix_ms": WALL_MS })))),
        ("unknown_asset", signed_by(&authority(), &permit(json!({ "asset": "eaf-9" })))),
        ("not_executed", signed_by(&authority(), &draft("order", json!({})))),
        // One of several keys may not silence the others, and nobody the first.
        (
            "wrong_key",
            signed_by(
                &key(10),
                &draft("revoke_key", json!({ "revoked_kid": authority().public_key().id().to_string() })),
            ),
        ),
        (
            "wrong_key",
            signed_by(
                &authority(),
                &draft("revoke_key", json!({ "revoked_kid": authority().public_key().id().to_string() })),
            ),
        ),
    ];
    let mut letters = letters();
    for (word, bytes) in &refusals {
        let refused = answer(&mut letters, bytes, &now).map(ActRefusal::word);
        assert_eq!(refused, Some(*word), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(
            letters.on(Letter::Act(bytes.clone()), &now, &|_| Ok(())),
            Outcome::Nothing,
            "answered once"
        );
    }
    let unset = Stamp { clock: ClockQuality::Unset, ..now };
    assert_eq!(answer(&mut letters, &honest, &unset), Some(ActRefusal::ClockUnset));
    assert_eq!(answer(&mut letters, &honest, &now), None, "the right one still comes through");
    // Known to the word already, and so answered as a replay even where nothing else would be wrong.
    let mut again = self::letters();
    assert_eq!(answer(&mut again, &honest, &now), None);
    assert_eq!(answer(&mut again, &honest, &now), Some(ActRefusal::Replayed));
    let newer = signed_by(&authority(), &permit(json!({ "version": 3 })));
    let older = signed_by(&authority(), &permit(json!({ "version": 2 })));
    assert_eq!(answer(&mut again, &newer, &now), None);
    assert_eq!(answer(&mut again, &older, &now), Some(ActRefusal::OlderVersion));
}

#[test]
fn an_old_act_is_not_in_time_again_because_the_clock_was_set_back() {
    let mut letters = letters();
    let log = Log::of(3);
    let (_, late) = sealed(&receipt(&log.lines[2], 7, 3_600), &authority());
    assert!(matches!(letters.on(Letter::Receipt(late), &at(1), &|_| Ok(())), Outcome::Receipt(..)));
    let honest = signed_by(&authority(), &permit(json!({})));
    assert_eq!(
        answer(&mut letters, &honest, &at(1)),
        Some(ActRefusal::Expired),
        "an hour after by its own receipt"
    );
}

#[test]
fn an_act_nested_deep_or_nearly_as_long_as_a_record_is_refused_or_fits_into_one() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
    let mut taken = 0;
    let drafts = (1..9).map(|depth| json!({ "note": nested(depth) })).chain(
        [1_000, 31_000, 32_000, 33_000, 60_000, 65_000]
            .map(|length| json!({ "note": "\"\\".repeat(length / 4) })),
    );
    for (nth, more) in drafts.enumerate() {
        let mut act = permit(more);
        act.insert("act_id".into(), format!("permit-{nth}").into());
        let mut sealer = Sealer::default();
        let sealed = sealer.seal(&authority(), |object| {
            object.text("type", "act").members(&act, &[]);
        });
        let mut letters = letters();
        let Ok(_) = sealed else { continue };
        match letters.on(Letter::Act(sealer.bytes().to_vec()), &at(1), &|_| Ok(())) {
            Outcome::Do(act, _) => {
                // What is accepted must be written down, or the agent could never go on.
                let mut log = Log::of(2);
                log.say(&Body::Act(act.clone()));
                let record = opened(log.lines.last().unwrap(), 7);
                assert_eq!(record.body, Body::Act(act));
                taken += 1;
            }
            Outcome::Say(Body::Answer(answer)) => {
                assert_eq!(answer.refused, Some(ActRefusal::NotCanonical), "{nth}");
            }
            other @ (Outcome::Nothing | Outcome::Receipt(..) | Outcome::Say(_)) => panic!("{other:?}"),
        }
    }
    assert!(taken >= 4);
    let long = vec![b'x'; MAX_RECORD_BYTES * 20];
    assert_eq!(answer(&mut letters(), &long, &at(1)), Some(ActRefusal::NotCanonical));
}

#[test]
fn an_act_that_the_gateway_made_up_is_not_believed_in_its_log_either() {
    let act = |bytes: &[u8]| Act::read(Signed::read(bytes).unwrap()).unwrap();
    let honest = signed_by(&authority(), &permit(json!({})));
    let text = String::from_utf8(honest.clone()).unwrap();
    let altered = text.replace("\"energy_wh\":1000", "\"energy_wh\":9000");
    for (bytes, is_fine) in [(honest.as_slice(), true), (altered.as_bytes(), false)] {
        let mut log = Log::of(2);
        log.say(&Body::Act(act(bytes)));
        let report = audit(&log.lines);
        assert_eq!(report.authentic, is_fine, "{report:?}");
        if !is_fine {
            assert_eq!(report.first_bad, Some((3, Refusal::BadSignature)));
        }
    }
}

#[test]
fn rubbish_fills_neither_the_log_nor_memory() {
    let mut letters = letters();
    let mut said = 0;
    for n in 0..5_000_u32 {
        let outcome = letters.on(Letter::Act(n.to_be_bytes().to_vec()), &at(2), &|_| Ok(()));
        said += u32::from(outcome != Outcome::Nothing);
        let outcome = letters.on(Letter::Receipt(n.to_be_bytes().to_vec()), &at(2), &|_| Ok(()));
        said += u32::from(outcome != Outcome::Nothing);
    }
    assert_eq!(said, 61, "sixty answers an hour, and one notice that counts the receipts");
}

#[test]
fn forged_receipts_are_refused_told_once_and_delete_nothing() {
    let log = Log::of(5);
    let honest = receipt(&log.lines[4], 7, 10);
    let mut letters = letters();
    let (_, forged) = sealed(&honest, &key(7));
    let elsewhere = Receipt { gateway: GatewayId::new("gw-04").unwrap(), ..honest.clone() };
    let (_, elsewhere) = sealed(&elsewhere, &authority());
    let Outcome::Say(Body::Notice(Notice::ReceiptRefused { why, count, .. })) =
        letters.on(Letter::Receipt(forged.clone()), &at(1), &|_| Ok(()))
    else {
        panic!("a forged receipt is told")
    };
    assert_eq!((why.as_str(), count), ("wrong_key", 1));
    for bytes in [&forged, &elsewhere] {
        assert_eq!(
            letters.on(Letter::Receipt(bytes.clone()), &at(2), &|_| Ok(())),
            Outcome::Nothing,
            "counted, not said"
        );
    }
    let (_, bytes) = sealed(&honest, &authority());
    assert!(matches!(letters.on(Letter::Receipt(bytes), &at(2), &|_| Ok(())), Outcome::Receipt(..)));
}

#[test]
fn blocked_receipts_stand_still_in_the_gateways_own_words() {
    let chain = Chain::begin(gateway(), LogId(1), 0, Box::new(key(7)));
    let mut scribe = Scribe::begin(&at(0), chain, Box::new(MemoryJournal::default())).unwrap();
    (0..5).for_each(|n| scribe.write(at(n), beat(n)));
    scribe.commit().unwrap();
    let mut bytes = Vec::new();
    scribe
        .journal()
        .read(3, coldhearth::evidence::Class::Routine, &mut |_, _, line| {
            bytes = line.to_vec();
            false
        })
        .unwrap();
    let header = *Unverified::read(&bytes).unwrap().header();
    let upto = LogHead { log: LogId(1), seq: 3, head: Unverified::read(&bytes).unwrap().hash() };
    let heard = Receipt {
        gateway: gateway(),
        upto,
        key_epoch: header.key_epoch,
        public_key: key(7).public_key(),
        received_unix_ms: WALL_MS,
        nonce: [3; 16],
        missing: Vec::new(),
    };
    assert_eq!(scribe.is_rolled_back(&heard), Ok(false));
    let (hash, line) = sealed(&heard, &authority());
    scribe.on_receipt(Received { receipt: heard.clone(), hash }, line);
    (5..50).for_each(|n| scribe.write(at(n), beat(n)));
    scribe.commit().unwrap();
    assert_eq!((scribe.first_unreceipted(), scribe.next_seq()), (4, 50));
    // What is not receipted is not pruned, whatever its age.
    assert_eq!(scribe.prune(i64::MAX, 1_000), Ok(4));
    assert_eq!(scribe.prune(i64::MAX, 1_000), Ok(0));
    // A receipt for what was never said, and one of a later key, tell the gateway what befell it.
    let ahead = Receipt { upto: LogHead { seq: 50, ..upto }, ..heard.clone() };
    let other = Receipt { upto: LogHead { seq: 20, head: Digest::ZERO, ..upto }, ..heard.clone() };
    let later_key = Receipt { key_epoch: 1, ..heard.clone() };
    for told in [ahead, other, later_key] {
        assert_eq!(scribe.is_rolled_back(&told), Ok(true), "{told:?}");
    }
    let elsewhere = Receipt { upto: LogHead { log: LogId(9), seq: 99, ..upto }, ..heard };
    assert_eq!(scribe.is_rolled_back(&elsewhere), Ok(false), "that is another log's");
}

/// An authority in a few lines: listens, verifies, and gives a signed receipt for every head, retained.
struct Office {
    subscriber: Subscriber,
    follower: Follower,
    port: u16,
    folder: PathBuf,
    lines: Vec<Vec<u8>>,
    forks: usize,
    gives_receipts: bool,
}

impl Office {
    async fn open(works: &Works, broker: &Mosquitto, key: PublicKey) -> Office {
        Office {
            subscriber: Subscriber::start(broker.port).await,
            follower: Follower::from_the_beginning(&[key]),
            port: broker.port,
            folder: works.folder.0.clone(),
            lines: Vec::new(),
            forks: 0,
            gives_receipts: true,
        }
    }

    /// Takes messages until a record that was proven satisfies the condition; tells that record.
    async fn until(&mut self, wanted: impl Fn(&Record) -> bool) -> Record {
        loop {
            let (kind, bytes) = self.subscriber.next().await;
            if kind != Kind::Attest {
                continue;
            }
            self.lines.push(bytes.clone());
            let mut seen = Vec::new();
            let origin = Origin { in_chain: true, number: 0 };
            self.follower.on_message(&bytes, origin, &mut |what, _, _| seen.push(what));
            for what in seen {
                self.forks += usize::from(matches!(what, Seen::Fork { .. }));
                let Seen::Record(record, Place::Proven | Place::Amnesia(..)) = what else { continue };
                if self.gives_receipts {
                    self.receipt(&record);
                }
                if wanted(&record) {
                    return record;
                }
            }
        }
    }

    fn receipt(&self, record: &Record) {
        let (gateway, log) = (record.header.gateway, record.header.log);
        let head = &self.follower.heads()[&(gateway, log)];
        let (key_epoch, public_key) = self.follower.keyring().newest(gateway, log).unwrap();
        let receipt = Receipt {
            gateway,
            upto: head.head().map(|(seq, head)| LogHead { log, seq, head }).unwrap(),
            key_epoch,
            public_key,
            received_unix_ms: record.header.at.wall_unix_ms,
            nonce: [3; 16],
            missing: head.holes(32),
        };
        self.put(Kind::Receipt, "", &sealed(&receipt, &authority()).1);
    }

    /// Publishes something to the gateway, retained.
    fn put(&self, kind: Kind, more: &str, bytes: &[u8]) {
        let topic = Topic {
            division: Division::parse("130421").unwrap(),
            enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
            gateway: GatewayId::new("gw-test").unwrap(),
            asset: None,
            kind,
        };
        let file = self.folder.join("letter.json");
        std::fs::write(&file, bytes).unwrap();
        let mut command = Command::new("mosquitto_pub");
        command.args(["-q", "1", "-r", "-p", &self.port.to_string(), "-t", &format!("{topic}{more}"), "-f"]);
        assert!(command.arg(&file).status().unwrap().success());
    }

    /// Waits until the agent has put down a receipt at or beyond this place.
    async fn heard(&mut self, works: &Works, seq: u64) {
        let path = state(works).join(RECEIPT_FILE);
        let clock = SystemClock::default();
        soon("a receipt that is heard", async {
            loop {
                let signed = Signed::read(&std::fs::read(&path).unwrap_or_default()).ok();
                let kept = signed.and_then(|signed| Receipt::kept(&signed));
                if kept.is_some_and(|kept| kept.upto.seq >= seq) {
                    return;
                }
                clock.sleep_until(clock.now().uptime_ms + 20).await;
            }
        })
        .await;
    }

    fn report(&self, key: PublicKey) -> Report {
        audit_under(&[key], &self.lines)
    }
}

fn state(works: &Works) -> PathBuf {
    works.folder.0.join("state")
}

/// A plant that keeps talking, with the authority's key pinned.
fn configured(works: &Works, port: u16) -> PathBuf {
    let path = works.configure(port);
    std::fs::write(works.folder.0.join("authority.pub"), authority().public_key().to_pem().unwrap()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n[authority]\nkeys = [\"authority.pub\"]\n")).unwrap();
    path
}

fn copy(from: &Path, to: &Path) {
    let _old = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn is_checkpoint(record: &Record) -> bool {
    matches!(record.body, Body::Checkpoint(_))
}

/// A log with an earlier image of its disk, and a receipt beyond the image.
struct Restored {
    works: Works,
    config: PathBuf,
    office: Office,
    key: PublicKey,
    _broker: Mosquitto,
    last: Record,
}

/// Runs the gateway, copies its disk, runs it on, and puts the copy back, with the own copy of the receipt or without.
/// `alive`: the copy is made while the agent runs.
async fn restored(name: &str, alive: bool, receipt_too: bool) -> Restored {
    let works = Works::open(name).await;
    let broker = Mosquitto::start(&works.folder.0).await;
    works.force(5_000);
    let config = configured(&works, broker.port);
    let agent = works.agent(&config);
    let key = works.key().await;
    let mut office = Office::open(&works, &broker, key).await;
    let image = works.folder.0.join("image");
    let first = office.until(|record| record.header.seq >= 4).await;
    office.heard(&works, first.header.seq).await;
    let boot = |record: &Record| matches!(record.body, Body::Boot(_)) && record.header.seq > first.header.seq;
    let violation =
        |record: &Record| support::verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    // Beyond the image, and receipted, and the gateway knows.
    let (agent, beyond) = if alive {
        // Held for a moment, so that what is copied is of one moment; the journal does not know that it ends there.
        let held = |signal: &str| {
            let id = agent.0.id().to_string();
            assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        };
        held("-STOP");
        copy(&state(&works), &image);
        held("-CONT");
        works.force(8_000_000);
        let beyond = office.until(violation).await;
        (agent, beyond)
    } else {
        assert_eq!(agent.stop(), 0);
        copy(&state(&works), &image);
        let agent = works.agent(&config);
        let beyond = office.until(boot).await;
        (agent, beyond)
    };
    office.heard(&works, beyond.header.seq).await;
    assert_eq!(agent.stop(), 0);
    // The word it takes leave with.
    let places = works.journal().len();
    let mut last = beyond;
    while office.lines.iter().collect::<std::collections::BTreeSet<_>>().len() < places {
        last = office.until(|_| true).await;
    }
    assert!(matches!(last.body, Body::Notice(Notice::Stopping)), "{last:?}");
    let newest = std::fs::read(state(&works).join(RECEIPT_FILE)).unwrap();
    copy(&image, &state(&works));
    if !receipt_too {
        std::fs::write(state(&works).join(RECEIPT_FILE), newest).unwrap();
    }
    Restored { works, config, office, key, _broker: broker, last }
}

impl Restored {
    /// The agent begins a new log that says what befell the old.
    async fn begins_anew(mut self, agent: Process) {
        let last = self.last.header;
        let is_new = |record: &Record| record.header.log != last.log;
        let genesis = self.office.until(is_new).await;
        let Body::Genesis(genesis) = &genesis.body else { panic!("{genesis:?}") };
        let named = genesis.continues.unwrap();
        assert_eq!(named.log, last.log);
        let notice = self.office.until(is_new).await;
        let Body::Rollback(rollback) = &notice.body else { panic!("{notice:?}") };
        assert_eq!(rollback.receipted, named);
        assert!(rollback.local.is_some_and(|(seq, _)| seq < named.seq || seq >= 1_000), "{rollback:?}");
        assert_eq!(self.office.forks, 0, "it was heard before anything was said twice");
        assert_eq!(agent.stop(), 0);
        let report = self.office.report(self.key);
        assert!(report.authentic && report.forks.is_empty(), "{report:?}\n{}", self.works.log());
        let aside = state(&self.works).join(format!("journal-{}.db", last.log));
        assert!(aside.exists(), "the old journal is kept as evidence");
    }
}

#[tokio::test]
async fn an_old_image_restored_whole_is_shown_by_the_retained_receipt() {
    let restored = restored("image", false, true).await;
    let agent = restored.works.agent(&restored.config);
    restored.begins_anew(agent).await;
}

#[tokio::test]
async fn an_old_image_of_a_running_gateway_is_shown_although_it_skips_ahead() {
    let restored = restored("image-alive", true, true).await;
    let agent = restored.works.agent(&restored.config);
    restored.begins_anew(agent).await;
}

#[tokio::test]
async fn an_old_journal_beside_a_newer_receipt_refuses_to_start_until_the_operator_says_so() {
    let restored = restored("journal", false, false).await;
    let refused = restored.works.agent(&restored.config);
    let status = tokio::task::spawn_blocking(move || {
        let mut refused = refused;
        refused.0.wait().unwrap().code()
    });
    assert_eq!(soon("a refusal", status).await.unwrap(), Some(78), "{}", restored.works.log());
    assert!(restored.works.log().contains("--new-journal"));
    let log =
        std::fs::OpenOptions::new().append(true).open(restored.works.folder.0.join("agent.log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.args(["run", "--new-journal", "--config"]).arg(&restored.config).stderr(log);
    let agent = Process(command.stdin(std::process::Stdio::null()).spawn().unwrap());
    restored.begins_anew(agent).await;
}

#[tokio::test]
async fn a_real_gateway_tells_of_forged_letters_and_goes_on_and_of_receipts_that_stay_away() {
    let works = Works::open("letters").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    works.force(5_000);
    let agent = works.agent(&configured(&works, broker.port));
    let key = works.key().await;
    let mut office = Office::open(&works, &broker, key).await;
    let first = office.until(|record| record.header.seq >= 4).await;
    office.heard(&works, first.header.seq).await;
    office.gives_receipts = false;
    let upto = works.journal();
    let line = upto.last().unwrap();
    let unverified = Unverified::read(line).unwrap();
    let head = LogHead { log: first.header.log, seq: unverified.header().seq, head: unverified.hash() };
    let forged = Receipt {
        gateway: first.header.gateway,
        upto: head,
        key_epoch: 0,
        public_key: key,
        received_unix_ms: first.header.at.wall_unix_ms + 1_000,
        nonce: [4; 16],
        missing: Vec::new(),
    };
    office.put(Kind::Receipt, "", &sealed(&forged, &Ed25519::from_seed(&[66; 32])).1);
    office
        .until(|record| matches!(&record.body, Body::Notice(Notice::ReceiptRefused { why, .. }) if why.as_str() == "wrong_key"))
        .await;
    let mut forged = permit(json!({}));
    forged.insert("gateway_id".into(), "gw-test".into());
    office.put(Kind::Act, "/permit-1", &signed_by(&Ed25519::from_seed(&[66; 32]), &forged));
    let refused = |record: &Record| matches!(&record.body, Body::Answer(answer) if answer.refused == Some(ActRefusal::WrongKey));
    office.until(refused).await;
    assert_eq!(agent.stop(), 0);
    let farewell = office.until(is_checkpoint).await;
    let Body::Checkpoint(farewell) = farewell.body else { panic!() };
    assert!(farewell.first_unreceipted_seq > first.header.seq, "what was receipted counts");
    assert!(farewell.first_unreceipted_seq < farewell.entries, "nothing since: {farewell:?}");
    let report = office.report(key);
    assert!(report.authentic && report.complete, "{report:?}");
    assert_eq!(report.anchor, Anchor::Trusted);
    let obeyed =
        |line: &Vec<u8>| matches!(Unverified::read(line).unwrap().verify(&key).unwrap().body, Body::Act(_));
    assert!(!works.journal().iter().any(obeyed), "a forged act is never written down as one");
    let permitted = |line: &Vec<u8>| {
        let body = Unverified::read(line).unwrap().verify(&key).unwrap().body;
        matches!(body, Body::Finding(Finding::Verdict(verdict)) if verdict.permit.is_some())
    };
    assert!(!works.journal().iter().any(permitted));
}
