//! Whoever copied a gateway's key, or changes it.

use super::log::{Log, audit, audit_under, collector, gateway, head_of, hears, key, opened, proven};
use coldhearth::{
    evidence::{Arrival, Chain, Follower, LogHead, LogId, Refusal, Signer as _, follow::Seen},
    terms::GatewayId,
};

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
