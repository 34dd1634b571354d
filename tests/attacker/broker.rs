//! Whoever owns the broker, the clock or the disk: replayed, edited, dropped, reordered, deleted.

use super::log::{
    Log, at, audit, authority, beat, collector, gateway, head_of, hears, key, opened, proven, receipt, sealed,
};
use coldhearth::{
    evidence::{Audit, Body, Dropped, Gap, GapWhy, LogId, Refusal, Report, Signer as _, follow::Seen},
    terms::Stamp,
};

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
