//! Whoever hides, skips or counts on: truncated logs, hidden entries, places near the end of counting, and floods of them.

use super::log::{
    Log, at, audit, authority, beat, collector, gateway, hears, key, opened, proven, receipt, sealed,
};
use coldhearth::{
    evidence::{
        Body, Chain, Dropped, Follower, Gap, GapWhy, Head, Receipt, Record, Refusal, Report, Signer as _,
        Trust, follow::Seen, record::Unverified,
    },
    terms::{Digest, GatewayId},
};

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
