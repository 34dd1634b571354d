//! Stores and copies of earlier versions, which knew less of what is mentioned: they are looked through once.

use coldhearth::regulator::store::sights::{AskedAt, Scope, Which};

use super::*;

/// What came with alarms.
const FORGET_ALARMS: &str =
    "drop table condition; drop table alarm; drop table alarm_step; drop table pager;";
/// What came with the console.
const FORGET_DESK: &str = "drop index record_story; drop table asset; drop table span; drop table tally;
    drop table person; drop table saved; drop table saw; drop table inspection;
    drop index record_verdict; drop index record_paper;
    drop index record_verdict_place; drop table summed; drop table day_sum;
    drop table left_word; drop table foreign_act;
    alter table gateway drop column division;";

/// Everything a store of an earlier version would not have.
fn made_older(home: &Home) {
    let forget = "drop table mention; drop table finding; drop table unindexed;";
    let forget = format!("{FORGET_ALARMS} {FORGET_DESK} {forget}");
    let version = match home {
        Home::Sqlite(_) => "pragma user_version = 3",
        Home::Postgres(..) => "update schema_version set version = 2",
    };
    home.sql(&format!("{forget} {version}"));
}

/// A store of the version before, which kept only the first mention of a kind, and no papers.
fn made_former(home: &Home) {
    let columns = ["gateway", "log", "seq", "hash", "bytes"]
        .map(|column| format!("alter table finding drop column excuse_{column}"));
    let version = match home {
        Home::Sqlite(_) => "pragma user_version = 4",
        Home::Postgres(..) => "update schema_version set version = 3",
    };
    home.sql(&format!(
        "{FORGET_ALARMS} {FORGET_DESK} delete from mention where kind like '%!_last' escape '!'; delete from finding; {}; \
         {version}",
        columns.join("; ")
    ));
}

/// Pieces of equipment that screens list.
fn listed(home: &Home) -> u64 {
    let at = AskedAt { today: LegalDay::of_unix_ms(NOW), silent_before_unix_ms: 0 };
    home.store().numbers(&Scope::NATION, Which::default(), at).unwrap().assets
}

/// A furnace that drew, was declared out of service, and draws again: its last drawing contradicts, not its first.
fn drawn_again() -> Vec<Vec<u8>> {
    let mut one = voice(1, "130421");
    let drawing = || verdict("eaf-2", State::Drawing, None, Some(Phase::Overdue));
    let declared = verdict("eaf-2", State::Dead, Some("2011-12-31"), Some(Phase::Overdue));
    vec![one.genesis(1, None), one.say(&drawing()), one.say(&declared), one.say(&drawing())]
}

/// What is mentioned in a log, in the order of its places.
fn mentioned(home: &Home) -> Vec<Located> {
    let logs = BTreeSet::from([(gateway("gw-1"), coldhearth::evidence::LogId(1))]);
    home.store().mentions(Asked::Logs(&logs)).unwrap()
}

fn what_the_version_before_kept_is_looked_through_for_what_was_said_last(homes: Homes) {
    let home = home_of(homes, "former", 1);
    take(&mut open(&home), &drawn_again());
    let (all, found) = (mentioned(&home), findings(&home));
    assert_eq!(kinds(&home), [ClashKind::EliminatedDraws]);
    made_former(&home);
    let mut collector = open(&home);
    assert!(mentioned(&home).len() < all.len() && findings(&home).is_empty());
    assert_eq!(looked_through(&mut collector), 1);
    assert_eq!((mentioned(&home), findings(&home)), (all, found));
    assert_eq!(looked_through(&mut open(&home)), 0, "once is enough");
}

fn looked_through(collector: &mut Collector) -> u64 {
    let rounds = (0..3).map(|_| collector.look_through(NOW).unwrap());
    rounds.map(|found| found.findings.iter().sum::<u64>()).sum()
}

fn what_an_earlier_version_kept_is_looked_through(homes: Homes) {
    let home = home_of(homes, "older", 2);
    let lines = moved();
    let mut collector = open(&home);
    take(&mut collector, &lines);
    let (found, assets) = (findings(&home), listed(&home));
    drop(collector);
    made_older(&home);
    assert_eq!((findings(&home), listed(&home)), (vec![], 0));
    let mut collector = open(&home);
    assert_eq!(looked_through(&mut collector), 2);
    assert_eq!((findings(&home), listed(&home)), (found, assets));
    assert!(assets > 0, "and listed again");
    assert_eq!((looked_through(&mut collector), looked_through(&mut open(&home))), (0, 0), "once is enough");
    // A record that comes before its log was looked through is held against what is not looked through later.
    made_older(&home);
    let mut collector = open(&home);
    let mut third = voice(1, "130421");
    third.genesis(1, None);
    third.say(&plate("eaf-2", "XT-2008/0417", 25));
    let renamed = third.say(&plate("eaf-9", "XT-2008/0417", 25));
    assert_eq!(take(&mut collector, [&renamed]).found.findings.iter().sum::<u64>(), 0);
    looked_through(&mut collector);
    let all = [ClashKind::Transfer, ClashKind::ListedTwice, ClashKind::RatingEdited, ClashKind::RatingEdited];
    assert_eq!(kinds(&home), all);
}

/// A copy as an earlier version wrote it: the first knew neither mentions nor findings, the second no last mentions.
fn older(copy: &[u8], format: u64) -> Vec<u8> {
    let now = format!("\"coldhearth_store\":{}", archive::FORMAT);
    let text = str::from_utf8(copy).unwrap().replace(&now, &format!("\"coldhearth_store\":{format}"));
    let is_new = |line: &str| {
        let begins = |kinds: &[&str]| kinds.iter().any(|kind| line.starts_with(kind));
        let is_last = begins(&["{\"mention\""]) && line.contains("_last\"");
        begins(&["{\"finding\"", "{\"end\""]) || is_last || (format == 1 && begins(&["{\"mention\""]))
    };
    let lines: Vec<&str> = text.split_inclusive('\n').filter(|line| !is_new(line)).collect();
    let digest = Digest::of(lines.concat().as_bytes());
    format!("{}{{\"end\":{{\"lines\":{},\"sha256\":\"{digest}\"}}}}\n", lines.concat(), lines.len())
        .into_bytes()
}

fn a_copy_of_an_earlier_version_is_looked_through_where_it_is_put_back(homes: Homes) {
    let home = home_of(homes, "early", 2);
    take(&mut open(&home), &moved());
    let mut copy = Vec::new();
    archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    let there = homes.open("early-there");
    archive::restore(&mut *there.store(), &mut Cursor::new(older(&copy, 1))).unwrap();
    assert_eq!(findings(&there), []);
    // Whoever prunes first lets nothing go that mentions a machine.
    let now = NOW + 400 * DAY_MS;
    prune(&mut *there.store(), &[], LegalDay::of_unix_ms(NOW + DAY_MS), 184, now).unwrap();
    looked_through(&mut open(&there));
    let halves =
        |home: &Home| findings(home).into_iter().map(|found| (found.id, found.halves)).collect::<Vec<_>>();
    assert_eq!((halves(&there).len(), halves(&there)), (2, halves(&home)));
}

fn a_copy_of_the_version_before_is_looked_through_for_what_was_said_last(homes: Homes) {
    let home = home_of(homes, "before", 1);
    take(&mut open(&home), &drawn_again());
    let mut copy = Vec::new();
    archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    let there = homes.open("before-there");
    archive::restore(&mut *there.store(), &mut Cursor::new(older(&copy, 2))).unwrap();
    assert!(mentioned(&there).len() < mentioned(&home).len());
    assert_eq!(looked_through(&mut open(&there)), 1);
    assert_eq!((mentioned(&there), kinds(&there)), (mentioned(&home), kinds(&home)));
}

over_both!(
    a_copy_of_the_version_before_is_looked_through_for_what_was_said_last,
    what_the_version_before_kept_is_looked_through_for_what_was_said_last,
    a_copy_of_an_earlier_version_is_looked_through_where_it_is_put_back,
    what_an_earlier_version_kept_is_looked_through,
);
