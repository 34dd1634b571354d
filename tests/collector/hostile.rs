//! One gateway that was admitted, and what it must not do to the others, or to what is known of itself.

use coldhearth::{
    evidence::{Body, Boot, Chain, LogId, canonical::MAX_RECORD_BYTES, record::Unverified},
    regulator::{
        collector::{ASK_AGAIN_MS, Collector, FORKS_OF_ONE_PLACE, MAX_WAITING_OF_ONE, RECALLED},
        store::PAGE_BYTES,
    },
    terms::Digest,
};

use crate::{
    admitted,
    homes::Homes,
    log, open, over_both, receipt,
    support::voice::{NOW, Voice, at, beat, gateway, key, key_of},
    take,
};

fn receipts_at(collector: &mut Collector, unix_ms: i64) -> usize {
    collector.receipts(unix_ms, || Ok([1; 16])).unwrap().len()
}

fn what_is_missing_is_asked_for_again_until_it_comes(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "asked-again");
    let lines = log(10);
    take(&mut collector, lines[..4].iter().chain(&lines[6..]));
    assert_eq!(receipts_at(&mut collector, NOW), 1);
    assert_eq!(receipts_at(&mut collector, NOW + ASK_AGAIN_MS - 1), 0);
    assert_eq!(receipts_at(&mut collector, NOW + ASK_AGAIN_MS), 1, "nobody answered");
    assert_eq!(receipts_at(&mut collector, NOW + 3 * ASK_AGAIN_MS - 1), 0, "with growing pauses");
    assert_eq!(receipts_at(&mut collector, NOW + 3 * ASK_AGAIN_MS), 1);
    take(&mut collector, &lines);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 9);
    assert_eq!(receipts_at(&mut collector, NOW + 1_000 * ASK_AGAIN_MS), 0, "nothing is missing");
}

fn whoever_is_revoked_while_we_run_gets_no_receipt_and_loses_none(homes: Homes) {
    let (home, mut collector) = admitted(homes, "revoked-running");
    let lines = log(12);
    take(&mut collector, &lines[..6]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 5);
    home.store().revoke(gateway(), key_of(7).id(), NOW).unwrap();
    collector.look_up(NOW).unwrap();
    // Old ones, new ones, and such as wait for nothing.
    let tally = take(&mut collector, lines[2..8].iter().chain(&lines[10..]));
    assert_eq!((tally.records, tally.unknown), (0, 0), "{tally:?}");
    collector.on_connected().unwrap();
    assert!(receipt(&mut collector).is_none(), "its true receipt stands retained");
    let mut another = Voice::new(6, 0, 7);
    another.genesis(7, None);
    take(&mut collector, [&another.say(&beat())]);
    assert!(receipt(&mut collector).is_none(), "nor is it asked for another log");
    // With a new key it begins anew.
    home.store().admit(gateway(), &key_of(70), NOW + 1).unwrap();
    collector.look_up(NOW).unwrap();
    let mut anew = Voice::new(8, 0, 70);
    take(&mut collector, [&anew.genesis(70, None)]);
    assert_eq!(receipt(&mut collector).unwrap().upto.log, LogId(8));
}

fn a_skip_from_far_behind_is_followed_after_a_restart_as_before_it(homes: Homes) {
    let (home, mut collector) = admitted(homes, "skip-far");
    let mut voice = Voice::new(5, 0, 7);
    let length = RECALLED + 20;
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((1..length).map(|_| voice.say(&beat())));
    for lines in lines.chunks(512) {
        take(&mut collector, lines);
    }
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, u64::from(length) - 1);
    drop(collector);
    let mut collector = open(&home);
    let last = Unverified::read(&lines[9]).unwrap().verify(&key_of(7)).unwrap();
    let mut chain = Chain::resume(&last, Box::new(key(7))).unwrap();
    let skip = chain.skip_to(&at(90_000), u64::from(length)).unwrap().bytes.to_vec();
    let after = chain.seal(&at(90_001), &beat()).unwrap().bytes.to_vec();
    take(&mut collector, [&skip, &after]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, u64::from(length) + 1);
    assert_eq!(collector.stuck_logs(), 0);
}

fn a_flood_of_forks_is_proven_a_few_times_and_counted(homes: Homes) {
    let (home, mut collector) = admitted(homes, "many-forks");
    let lines = log(10);
    take(&mut collector, &lines);
    let before = Unverified::read(&lines[6]).unwrap().verify(&key_of(8)).unwrap();
    let forks: Vec<Vec<u8>> = (0..40)
        .map(|second| {
            let mut other = Chain::resume(&before, Box::new(key(8))).unwrap();
            other.seal(&at(100 + second), &beat()).unwrap().bytes.to_vec()
        })
        .collect();
    let (some, others) = forks.split_at(9);
    assert_eq!(take(&mut collector, some).forks + take(&mut collector, others).forks, 40);
    let mut store = home.store();
    let log = (gateway(), LogId(5));
    assert_eq!(store.forks(log).unwrap().len() as u64, FORKS_OF_ONE_PLACE);
    assert_eq!(store.fork_counts(log, 7).unwrap(), (FORKS_OF_ONE_PLACE, FORKS_OF_ONE_PLACE));
    assert_eq!(store.fork_counts(log, 8).unwrap(), (FORKS_OF_ONE_PLACE, 0));
    // Every proof shows both, and what is held there is written once.
    assert!(store.forks(log).unwrap().iter().all(|fork| fork.held == lines[7] && fork.shown != lines[7]));
    home.sql("delete from fork where length(held) > 1");
    assert_eq!(store.fork_counts(log, 7).unwrap().0, FORKS_OF_ONE_PLACE - 1, "one of them had it");
}

fn no_more_is_read_at_once_than_memory_bears_and_nothing_is_left_out(homes: Homes) {
    let (home, mut collector) = admitted(homes, "large");
    let mut voice = Voice::new(5, 0, 7);
    let lines: Vec<Vec<u8>> =
        (0..300).map(|n| if n == 0 { voice.genesis(7, None) } else { voice.say(&beat()) }).collect();
    // The first but one comes last.
    take(&mut collector, &lines[..1]);
    take(&mut collector, &lines[2..]);
    let bytes = |size: usize| match homes {
        Homes::Sqlite => {
            format!("update record set bytes = printf('%.{size}c', 'x') where seq between 100 and 280")
        }
        Homes::Postgres => {
            format!("update record set bytes = repeat('x', {size})::bytea where seq between 100 and 280")
        }
    };
    home.sql(&bytes(MAX_RECORD_BYTES));
    let (mut store, log) = (home.store(), (gateway(), LogId(5)));
    let (mut from, mut seen, mut pages) = (0, Vec::new(), 0);
    loop {
        let page = store.records_from(log, from, 1_000).unwrap();
        let size: usize = page.iter().map(|(_, record)| record.bytes.len()).sum();
        assert!(size <= PAGE_BYTES + MAX_RECORD_BYTES, "{size}");
        let Some((last, _)) = page.last() else { break };
        (from, pages) = (last + 1, pages + 1);
        seen.extend(page.into_iter().map(|(seq, _)| seq));
    }
    assert_eq!(seen, (0..1).chain(2..300).collect::<Vec<_>>());
    assert_eq!(pages, 2, "181 records of 64 KiB are no page");
}

/// A record almost as large as may be.
fn large() -> Body {
    let software = "x".repeat(MAX_RECORD_BYTES - 2_048);
    let (boot_id, config) = ("boot".to_owned(), Digest::of(b"config"));
    Body::Boot(Boot { boot_id, machine_rebooted: false, software, config, dark: None })
}

/// Another collector that starts reads what waits in several pages, and follows all of it.
fn a_backlog_of_large_records_is_followed_page_by_page(homes: Homes) {
    let (home, mut collector) = admitted(homes, "large-backlog");
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None), voice.say(&beat())];
    lines.extend((0..200).map(|_| voice.say(&large())));
    take(&mut collector, &lines[..1]);
    for lines in lines[2..].chunks(50) {
        take(&mut collector, lines);
    }
    drop(collector);
    let mut collector = open(&home);
    take(&mut collector, &lines[1..2]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 201);
}

fn what_waits_of_one_gateway_is_bounded_over_its_logs_and_its_holes_are_filled_all_the_same(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "waits-too-much");
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    let length = MAX_WAITING_OF_ONE + 300;
    lines.extend((1..length).map(|_| voice.say(&beat())));
    take(&mut collector, &lines[..1]);
    // The second place is lost; all others wait for it.
    let mut ahead = 0;
    lines[2..].chunks(256).for_each(|lines| ahead += take(&mut collector, lines).ahead);
    assert_eq!(
        usize::try_from(ahead),
        Ok(length - 2 - MAX_WAITING_OF_ONE),
        "what is too much comes again later"
    );
    let mut another = Voice::new(6, 0, 7);
    let other = [another.genesis(7, None), another.say(&beat()), another.say(&beat())];
    assert_eq!(take(&mut collector, &other).records, 3, "what is near is taken");
    take(&mut collector, &lines[1..2]);
    for lines in lines.chunks(256) {
        take(&mut collector, lines);
    }
    let mut all = collector.receipts(NOW, || Ok([1; 16])).unwrap();
    assert!(all.pop().is_some());
    assert_eq!(collector.stuck_logs(), 0);
}

fn what_waits_is_not_opened_again_whenever_another_collector_moves_its_log(homes: Homes) {
    let (home, mut one) = admitted(homes, "waits-in-a-group");
    let mut other = open(&home);
    let mut lines = log(60);
    let last = lines.split_off(40);
    take(&mut one, &lines[..4]);
    take(&mut other, &lines[..4]);
    // Both hear every second one, and nobody the fifth.
    for pair in lines[5..].chunks(2) {
        take(&mut one, &pair[..1]);
        take(&mut other, &pair[1..]);
    }
    take(&mut one, &lines[4..5]);
    take(&mut other, &last);
    assert_eq!(receipt(&mut other).unwrap().upto.seq, 59);
    one.on_connected().unwrap();
    assert_eq!(receipt(&mut one).unwrap().upto.seq, 59);
}

over_both!(
    what_waits_of_one_gateway_is_bounded_over_its_logs_and_its_holes_are_filled_all_the_same,
    what_waits_is_not_opened_again_whenever_another_collector_moves_its_log,
    what_is_missing_is_asked_for_again_until_it_comes,
    whoever_is_revoked_while_we_run_gets_no_receipt_and_loses_none,
    a_skip_from_far_behind_is_followed_after_a_restart_as_before_it,
    a_flood_of_forks_is_proven_a_few_times_and_counted,
    no_more_is_read_at_once_than_memory_bears_and_nothing_is_left_out,
    a_backlog_of_large_records_is_followed_page_by_page,
);
