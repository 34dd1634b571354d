//! The store as a whole: copied, put back into either database, verified, pruned; and the head of heads.

use std::io::Cursor;

use coldhearth::{
    evidence::{Chain, LogHead, LogId, Signed, heads::Heads, record::Unverified},
    regulator::{
        archive,
        collector::Collector,
        inspect::{Inspection, inspect},
        prune::prune,
        store::state_root,
    },
    terms::{GatewayId, LegalDay, time::DAY_MS},
};

use crate::{
    home_admitting,
    homes::{Home, Homes},
    open, over_both, receipt,
    support::voice::{NOW, Voice, at, beat, gateway, key, key_of},
    take,
};

const OTHER: fn(Homes) -> Homes =
    |homes| if homes == Homes::Sqlite { Homes::Postgres } else { Homes::Sqlite };

/// A store with something of everything: rotations, a log that continues another, a fork, a revoked gateway, receipts,
/// two heads of heads.
fn furnished(homes: Homes, name: &str) -> (Home, Collector) {
    let home = home_admitting(homes, name);
    let mut collector = open(&home);
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None), voice.say(&beat()), voice.rotate(8)];
    lines.extend((0..5).map(|_| voice.say(&beat())));
    take(&mut collector, &lines);
    let upto = receipt(&mut collector).unwrap().upto;
    let mut next = Voice::new(6, 1, 8);
    take(&mut collector, &[next.genesis(8, Some(upto)), next.say(&beat()), next.say(&beat())]);
    receipt(&mut collector).unwrap();
    let stranger = GatewayId::new("gw-99").unwrap();
    let mut store = home.store();
    store.admit(stranger, &key_of(99), NOW).unwrap();
    store.revoke(stranger, key_of(99).id(), NOW + 1).unwrap();
    // Nothing is due on the day of the first record; after each of the next two nights one is.
    assert_eq!(collector.head_of_heads(NOW).unwrap(), None);
    assert!(collector.head_of_heads(NOW + DAY_MS).unwrap().is_some());
    assert_eq!(collector.head_of_heads(NOW + DAY_MS + 1).unwrap(), None, "once a day");
    take(&mut collector, &[next.say(&beat())]);
    assert!(collector.head_of_heads(NOW + 2 * DAY_MS).unwrap().is_some());
    let before = Unverified::read(&lines[6]).unwrap().verify(&key_of(8)).unwrap();
    let mut other = Chain::resume(&before, Box::new(key(8))).unwrap();
    let fork = other.seal(&at(99), &beat()).unwrap().bytes.to_vec();
    assert_eq!(take(&mut collector, [&fork]).forks, 1);
    (home, collector)
}

fn copy_of(home: &Home) -> Vec<u8> {
    let mut copy = Vec::new();
    archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    copy
}

fn inspected(home: &Home, published: &[Vec<u8>]) -> Inspection {
    inspect(&mut *home.store(), &key_of(9), published, (184, NOW + 500 * DAY_MS)).unwrap()
}

fn a_copy_moves_a_store_from_either_database_to_the_other(homes: Homes) {
    let (home, mut collector) = furnished(homes, "moves");
    let copy = copy_of(&home);
    let moved = OTHER(homes).open("moved");
    let restored = archive::restore(&mut *moved.store(), &mut Cursor::new(&copy)).unwrap();
    assert_eq!((restored.gateways, restored.logs, restored.records), (2, 2, 12));
    assert_eq!((restored.forks, restored.heads), (1, 2));
    assert_eq!(copy_of(&moved), copy, "a copy of the copy is the copy");
    assert_eq!(moved.store().unindexed_logs().unwrap(), Some((2, 2)), "what the desk is shown is read anew");
    let found = inspected(&moved, &[]);
    assert_eq!((found.wrongs, found.records, found.forks, found.heads), (0, 12, 1, 2), "{found:?}");
    assert_eq!((found.gateways, found.logs, found.waiting, found.pruned), (2, 2, 0, 0));
    assert!(found.index.reading.is_some(), "what is not read yet is not compared, and is said not to be");
    let of_home = inspected(&home, &[]);
    assert!(of_home.index.reading.is_none());
    assert_eq!(Inspection { index: of_home.index.clone(), ..found }, of_home);
    assert_eq!(state_root(&moved.store().heads(None).unwrap()), collector.state_root().unwrap());
    // The collector goes on there: revoked, forked and known stay what they were.
    let mut collector = open(&moved);
    collector.on_connected().unwrap();
    assert_eq!(receipt(&mut collector).unwrap().upto.log, LogId(6));
    assert!(collector.head_of_heads(NOW + 2 * DAY_MS).unwrap().is_some(), "the newest is published again");
}

fn a_copy_that_is_not_whole_is_not_put_back(homes: Homes) {
    let (home, _) = furnished(homes, "not-whole");
    let copy = copy_of(&home);
    let target = homes.open("target");
    let refused = |copy: &[u8], what: &str| {
        let failure = archive::restore(&mut *target.store(), &mut Cursor::new(copy)).unwrap_err();
        assert!(failure.exit.code() == 65 && failure.message.contains(what), "{failure}");
        assert!(target.store().admitted().unwrap().is_empty(), "nothing was written");
    };
    let lines: Vec<&[u8]> = copy.split_inclusive(|byte| *byte == b'\n').collect();
    refused(&lines[..lines.len() - 1].concat(), "cut short");
    refused(&[&lines[..3], &lines[4..]].concat().concat(), "altered");
    let mut flipped = copy.clone();
    let digit = copy.windows(16).position(|at| at.starts_with(b"received_unix_ms")).unwrap() + 18;
    flipped[digit] = if flipped[digit] == b'1' { b'2' } else { b'1' };
    refused(&flipped, "altered");
    refused(&[&copy[..], b"{}\n"].concat(), "follows the last line");
    refused(b"{}\n", "no copy of a store");
    refused(b"", "cut short");
    archive::restore(&mut *target.store(), &mut Cursor::new(&copy)).unwrap();
    let again = archive::restore(&mut *target.store(), &mut Cursor::new(&copy)).unwrap_err();
    assert!(again.exit.code() == 78 && again.message.contains("not empty"), "{again}");
}

fn whoever_changes_the_store_is_found_out(homes: Homes) {
    let day = |home: &Home| home.store().kept_heads().unwrap()[0].bytes.clone();
    let tampered: [(&str, &str); 9] = [
        ("update record set received_unix_ms = 1 where seq = 3", ""),
        ("update record set wall_unix_ms = 1 where seq = 3 and log like '%5'", "kept otherwise than it says"),
        ("delete from record where seq = 7 and log like '%5'", "is not that of the records"),
        (
            "update record set bytes = (select bytes from record where seq = 4 and log like '%5') where seq = 3 and log like '%5'",
            "of another place",
        ),
        ("update log set seq = 2 where log like '%6'", "is not that of the records"),
        ("delete from listed where number = 1", "not the one signed"),
        ("update listed set seq = 1 where number = 2 and log like '%6'", "not the one signed"),
        ("delete from listed where number = 2; delete from heads where number = 2", ""),
        ("update receipt set seq = 1", "receipt: "),
    ];
    for (number, (sql, told)) in tampered.into_iter().enumerate() {
        let (home, _) = furnished(homes, "changed");
        let (first, second) = (day(&home), home.store().kept_heads().unwrap()[1].bytes.clone());
        assert_eq!(inspected(&home, &[first.clone(), second.clone()]).wrongs, 0);
        home.sql(sql);
        let found = inspected(&home, &[first, second]);
        if number == 0 {
            // When it arrived nobody else has signed; it is the authority's own word.
            assert_eq!(found.wrongs, 0, "{found:?}");
            continue;
        }
        let told = if told.is_empty() { "a published head of heads is not in the store" } else { told };
        assert!(found.wrong.iter().any(|wrong| wrong.contains(told)), "{sql}: {found:?}");
    }
}

fn a_history_that_was_cut_back_contradicts_the_head_of_heads(homes: Homes) {
    let (home, _) = furnished(homes, "cut-back");
    // Everything of the last day is taken away, as if it had never come: the chain holds, the day's word does not.
    home.sql("delete from record where seq = 3 and log like '%6'; delete from receipt where seq = 3 and log like '%6'");
    let (seq, head) = (2, home.store().hashes_to((gateway(), LogId(6)), 2, 1).unwrap()[0].1);
    home.sql(&format!("update log set seq = {seq}, head = '{head}' where log like '%6'"));
    let found = inspected(&home, &[]);
    assert!(
        found.wrong.iter().all(|wrong| wrong.contains("history was changed")) && found.wrongs == 1,
        "{found:?}"
    );
}

fn what_is_pruned_leaves_what_proves_the_rest(homes: Homes) {
    let (home, collector) = furnished(homes, "pruned");
    drop(collector);
    let now = NOW + 400 * DAY_MS;
    let tomorrow = LegalDay::of_unix_ms(NOW + DAY_MS);
    let early = prune(&mut *home.store(), &[], tomorrow, 1_826, now).unwrap_err();
    assert!(early.exit.code() == 78 && early.message.contains("keep_days"), "{early}");
    assert_eq!(inspected(&home, &[]).records, 12, "nothing went");
    assert_eq!(
        prune(&mut *home.store(), &[], LegalDay::of_unix_ms(NOW), 184, now).unwrap(),
        0,
        "nothing is that old"
    );
    home.sql(
        "insert into receipt (gateway, log, seq, received_unix_ms, bytes)
              select gateway, log, 1, received_unix_ms - 1, bytes from receipt where log like '%6'",
    );
    let receipted = || -> Vec<u64> {
        let given = home.store().receipts_after((gateway(), LogId(6)), (i64::MIN, 0), 10).unwrap();
        given.iter().map(|receipt| receipt.seq).collect()
    };
    assert_eq!(receipted(), [1, 2]);
    assert_eq!(prune(&mut *home.store(), &[], tomorrow, 184, now).unwrap(), 2);
    assert_eq!(prune(&mut *home.store(), &[], tomorrow, 184, now).unwrap(), 0, "once is enough");
    let found = inspected(&home, &[]);
    // Of each log its genesis and its head, and the rotation.
    assert_eq!((found.wrongs, found.records, found.pruned, found.heads), (0, 5, 2, 2), "{found:?}");
    assert_eq!((found.receipts, found.forks), (2, 1));
    assert!(found.prunings.len() == 2 && found.prunings[0].contains("within 184 days"), "{found:?}");
    assert_eq!(receipted(), [2], "of the receipts for what went the last stays, and signs for all before it");
    // What comes again is not kept again, and the log goes on.
    let mut collector = open(&home);
    let mut voice = Voice::new(6, 1, 8);
    let head = home.store().heads(None).unwrap()[0];
    let upto = LogHead { log: LogId(5), seq: head.seq, head: head.head };
    let lines = [voice.genesis(8, Some(upto)), voice.say(&beat()), voice.say(&beat()), voice.say(&beat())];
    assert_eq!(take(&mut collector, &lines).again, 4);
    assert_eq!(take(&mut collector, &[voice.say(&beat())]).records, 1);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 4);
    let copy = copy_of(&home);
    let moved = OTHER(homes).open("moved-pruned");
    archive::restore(&mut *moved.store(), &mut Cursor::new(&copy)).unwrap();
    assert_eq!(copy_of(&moved), copy);
    assert_eq!(inspected(&moved, &[]).wrongs, 0);
}

fn history_that_a_mark_by_hand_excuses_is_found_out(homes: Homes) {
    let home = home_admitting(homes, "by-hand");
    let mut collector = open(&home);
    let mut voice = Voice::new(5, 0, 7);
    take(&mut collector, &[voice.genesis(7, None)]);
    let mut published = Vec::new();
    for day in 1..5 {
        take(&mut collector, &[voice.say(&beat())]);
        published.extend(collector.head_of_heads(NOW + day * DAY_MS).unwrap().map(|out| out.bytes));
    }
    assert_eq!(inspected(&home, &published).wrongs, 0);
    let hash = home.store().hashes_to((gateway(), LogId(5)), 3, 1).unwrap()[0].1;
    home.sql(&format!(
        "insert into pruned (gateway, log, seq, hash, next_epoch, pruned_unix_ms)
         select gateway, log, 3, '{hash}', 0, {} from log; delete from record where seq in (1, 2, 3)",
        NOW + 5 * DAY_MS
    ));
    let found = inspected(&home, &published);
    assert!(found.wrongs == 1 && found.wrong[0].contains("less than 184 days before"), "{found:?}");
    assert!(found.prunings[0].contains("places up to 3"), "{found:?}");
    // Long enough after, by the mark's own word, which nobody could have written yet.
    home.sql(&format!("update pruned set pruned_unix_ms = {}", NOW + 900 * DAY_MS));
    let found = inspected(&home, &published);
    assert!(found.wrongs == 1 && found.wrong[0].contains("a day to come"), "{found:?}");
    home.sql(&format!("update pruned set pruned_unix_ms = {}", NOW + 400 * DAY_MS));
    assert_eq!(inspected(&home, &published).wrongs, 0);
}

fn two_collectors_make_one_head_of_heads_a_day(homes: Homes) {
    let home = home_admitting(homes, "one-a-day");
    let mut pair = [open(&home), open(&home)];
    let mut voice = Voice::new(5, 0, 7);
    take(&mut pair[0], &[voice.genesis(7, None)]);
    let mut published = Vec::new();
    for day in 1..5_u8 {
        take(&mut pair[usize::from(day % 2)], &[voice.say(&beat())]);
        for collector in &mut pair {
            published.extend(collector.head_of_heads(NOW + i64::from(day) * DAY_MS).unwrap());
        }
    }
    assert_eq!(published.len(), 4);
    let opened: Vec<Heads> = published
        .iter()
        .map(|out| {
            assert_eq!(out.topic, format!("coldhearth/v1/heads/{}", key_of(9).id()));
            Heads::open(&Signed::read(&out.bytes).unwrap(), &key_of(9)).unwrap().0
        })
        .collect();
    assert_eq!(opened.iter().map(|heads| heads.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let bytes: Vec<Vec<u8>> = published.into_iter().map(|out| out.bytes).collect();
    let found = inspected(&home, &bytes);
    assert_eq!((found.wrongs, found.heads), (0, 4), "{found:?}");
    // A day nobody was there is not made up; the next says how far things are.
    assert!(pair[0].head_of_heads(NOW + 9 * DAY_MS).unwrap().is_some());
    assert_eq!(home.store().newest_heads().unwrap().unwrap().day, LegalDay::of_unix_ms(NOW + 8 * DAY_MS));
}

over_both!(
    a_copy_moves_a_store_from_either_database_to_the_other,
    a_copy_that_is_not_whole_is_not_put_back,
    whoever_changes_the_store_is_found_out,
    a_history_that_was_cut_back_contradicts_the_head_of_heads,
    what_is_pruned_leaves_what_proves_the_rest,
    history_that_a_mark_by_hand_excuses_is_found_out,
    two_collectors_make_one_head_of_heads_a_day,
);
