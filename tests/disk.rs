//! What the disk may do: fill up, tear, rot, be of an older version. The faults are those SQLite itself reports: a real
//! database whose pages are limited (`max_page_count` gives the same SQLITE_FULL as a full disk), and real files with bytes
//! overwritten.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Command, sync::Arc};

use coldhearth::{
    agent::{
        config::JournalConfig,
        journal::{DiskJournal, JOURNAL_FILE},
        outbox::{Turn, Want},
        reserve::Reserve,
        salvage,
        scribe::{self, Desk, Entry, Progress},
    },
    evidence::{
        Audit, Body, Chain, Checkpoint, Class, Ed25519, Genesis, Journal as _, JournalFault, LogId, Notice,
        Report, Scribe, Signer as _, record::Unverified,
    },
    host::{Clock, SystemClock},
    judge::{Event, Finding},
    terms::{
        Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};
use support::{Folder, Mosquitto, Subscriber, Works, audit, soon};

fn key() -> Ed25519 {
    Ed25519::from_seed(&[7; 32])
}

fn genesis() -> Body {
    Body::Genesis(Genesis {
        public_key: key().public_key(),
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    })
}

fn beat(number: u64) -> Body {
    Body::Checkpoint(Checkpoint { entries: number, reads_ok: 1, reads_failed: 0, first_unreceipted_seq: 0 })
}

fn alert() -> Body {
    Body::Finding(Finding::Event(Event::ClockStepped { by_ms: 60_000 }))
}

fn begin(now: &Stamp, journal: DiskJournal) -> Scribe {
    let chain = Chain::begin(GatewayId::new("gw-test").unwrap(), LogId(5), 0, Box::new(key()));
    let mut scribe = Scribe::begin(now, chain, Box::new(journal)).unwrap();
    scribe.write(*now, genesis());
    scribe.commit().unwrap();
    scribe
}

fn lines(path: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let each = &mut |_: u64, _: Class, bytes: &[u8]| {
        all.push(bytes.to_vec());
        true
    };
    DiskJournal::open(path).unwrap().read(0, Class::Routine, each).unwrap();
    all
}

fn report(lines: &[Vec<u8>]) -> Report {
    let mut audit = Audit::new(&[key().public_key()]);
    lines.iter().for_each(|line| audit.on_line(line));
    audit.report()
}

fn desk(folder: &Folder, clock: Arc<dyn Clock>, max_bytes: u64) -> Desk {
    Desk {
        epoch_began: Some(clock.now()),
        clock,
        runtime: tokio::runtime::Handle::current(),
        state: folder.0.clone(),
        journal: JournalConfig { retention_days: 1, max_bytes },
        reserve: Reserve::in_folder(&folder.0),
        heard: false,
        ancestors: std::collections::BTreeSet::new(),
        held_back: std::collections::VecDeque::new(),
    }
}

#[tokio::test]
async fn a_full_disk_keeps_every_alarm_thins_the_rest_and_declares_it() {
    let folder = Folder::new("full");
    let path = folder.0.join(JOURNAL_FILE);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut journal = DiskJournal::open(&path).unwrap();
    journal.limit_bytes(400_000).unwrap();
    let scribe = begin(&clock.now(), journal);
    let (entries, to_scribe) = tokio::sync::mpsc::channel(scribe::CHANNEL);
    let (told, progress) = tokio::sync::watch::channel(Progress::default());
    let desk = desk(&folder, clock.clone(), u64::MAX);
    let writer = std::thread::spawn(move || scribe::run(scribe, to_scribe, &told, desk));
    // Three times as much as fits, one alarm in ten.
    for number in 0..1_500 {
        let body = if number % 10 == 0 { alert() } else { beat(number) };
        entries.send(Entry::Write(clock.now(), body)).await.unwrap();
    }
    drop(entries);
    soon("the end of the scribe", tokio::task::spawn_blocking(move || writer.join().unwrap()))
        .await
        .unwrap()
        .unwrap();
    assert!(progress.borrow().places > 1_500);
    let lines = lines(&path);
    let report = report(&lines);
    assert!(report.authentic && !report.complete && report.declared && report.forks.is_empty(), "{report:?}");
    let records: Vec<_> = lines
        .iter()
        .map(|line| Unverified::read(line).unwrap().verify(&key().public_key()).unwrap())
        .collect();
    let alarms = records.iter().filter(|r| r.body == alert()).count();
    assert_eq!(alarms, 150, "no alarm was dropped");
    assert!(records.iter().any(|r| matches!(r.body, Body::Gap(_))));
    assert!(records.iter().any(|r| matches!(r.body, Body::Notice(Notice::DiskFull { .. }))));
}

#[tokio::test]
async fn while_nothing_can_be_dropped_the_scribe_waits_and_then_goes_on() {
    let folder = Folder::new("waits");
    let path = folder.0.join(JOURNAL_FILE);
    let now = SystemClock::default().now();
    let mut journal = DiskJournal::open(&path).unwrap();
    journal.limit_bytes(120_000).unwrap();
    let mut scribe = begin(&now, journal);
    let written = loop {
        scribe.write(now, alert());
        match scribe.commit() {
            Ok(_) => {}
            Err(fault) => break fault,
        }
    };
    assert_eq!(written, JournalFault::Full);
    assert_eq!(
        scribe.make_room(&now, coldhearth::evidence::GapWhy::DiskFull),
        Ok(false),
        "alarms are not dropped"
    );
    let before = scribe.chain().next_seq();
    assert_eq!(scribe.commit(), Err(JournalFault::Full), "what was said is kept, and its place with it");
    assert_eq!(scribe.chain().next_seq(), before);
    drop(scribe);
    let lines = lines(&path);
    assert!(report(&lines).complete);
    assert_eq!(lines.len() as u64, before);
}

#[tokio::test]
async fn a_journal_beyond_its_size_is_thinned_and_the_log_stays_declared() {
    let folder = Folder::new("cap");
    let path = folder.0.join(JOURNAL_FILE);
    let now = SystemClock::default().now();
    let mut scribe = begin(&now, DiskJournal::open(&path).unwrap());
    for number in 0..3_000 {
        scribe.write(now, if number % 20 == 0 { alert() } else { beat(number) });
        if number % 100 == 0 {
            scribe.commit().unwrap();
        }
    }
    scribe.commit().unwrap();
    let before = scribe.journal().size_bytes().unwrap();
    while scribe.make_room(&now, coldhearth::evidence::GapWhy::SizeCap).unwrap() {}
    assert!(scribe.journal().size_bytes().unwrap() < before / 4);
    scribe.close().unwrap();
    drop(scribe);
    let report = report(&lines(&path));
    assert!(report.authentic && report.declared && !report.complete, "{report:?}");
}

/// A journal with some hundred records, closed without a clean end.
fn unclean(folder: &Folder) -> std::path::PathBuf {
    let path = folder.0.join(JOURNAL_FILE);
    let now = SystemClock::default().now();
    let mut scribe = begin(&now, DiskJournal::open(&path).unwrap());
    for number in 0..400 {
        scribe.write(now, if number % 10 == 0 { alert() } else { beat(number) });
        scribe.commit().unwrap();
    }
    drop(scribe);
    path
}

#[test]
fn torn_rotten_and_foreign_files_open_report_and_go_on() {
    for (name, spoil) in [
        (
            "middle",
            (|bytes: &mut Vec<u8>| {
                let middle = bytes.len() / 2;
                bytes[middle..middle + 8_192].fill(0xA5);
            }) as fn(&mut Vec<u8>),
        ),
        ("truncated", |bytes| bytes.truncate(bytes.len() * 2 / 3)),
        ("header", |bytes| bytes[..100].fill(0)),
        ("garbage", |bytes| bytes.fill(0x5A)),
        ("empty", Vec::clear),
    ] {
        let folder = Folder::new(&format!("damaged-{name}"));
        let path = unclean(&folder);
        let good = lines(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        spoil(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        for ending in ["-wal", "-shm"] {
            let _none = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
        let (mut journal, damage) = salvage::open(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        if name == "empty" {
            // An empty file is a new database to SQLite; the own copy of the receipt tells that there was one.
            assert_eq!(damage, None);
            continue;
        }
        let damage = damage.unwrap_or_else(|| panic!("{name}: the damage was not seen"));
        let mut left = Vec::new();
        let each = &mut |_: u64, _: Class, bytes: &[u8]| {
            left.push(bytes.to_vec());
            true
        };
        journal.read(0, Class::Routine, each).unwrap();
        assert_eq!(damage.salvaged, left.len() as u64);
        assert!(left.iter().all(|line| good.contains(line)), "{name}: nothing is made up");
        assert!(Path::new(&format!("{}.damaged-1", path.display())).exists(), "{name}: kept aside");
        if name == "middle" {
            assert!(!left.is_empty(), "{name}: what can be read goes on");
        }
    }
}

#[tokio::test]
async fn an_agent_whose_journal_rots_says_so_and_never_uses_a_place_twice() {
    let works = Works::open("rots").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    works.force(5_000);
    let config = works.configure(broker.port);
    let agent = works.agent(&config);
    let key = works.key().await;
    let mut received = subscriber.attestations_until(&key, |record| record.header.seq >= 5).await;
    assert_eq!(agent.stop(), 0);
    let last = Unverified::read(works.journal().last().unwrap()).unwrap().header().seq;
    received.extend(subscriber.attestations_until(&key, |record| record.header.seq == last).await);
    let path = works.folder.0.join("state").join(JOURNAL_FILE);
    // The last record no longer says what was signed; the file itself is sound.
    let spoil = "update record set bytes = replace(bytes, '\"seq\"', '\"sep\"') where seq = (select max(seq) from record)";
    let spoilt = Command::new("sqlite3").arg(&path).arg(spoil).status().unwrap();
    assert!(spoilt.success());
    let agent = works.agent(&config);
    let damaged = |record: &coldhearth::evidence::Record| {
        matches!(record.body, Body::Notice(Notice::JournalDamaged { lost: 1, .. }))
    };
    received.extend(subscriber.attestations_until(&key, damaged).await);
    assert_eq!(agent.stop(), 0);
    let report = audit(&key, &received);
    assert!(report.authentic && report.forks.is_empty(), "{report:?}");
    assert_eq!(
        report.lost.len(),
        1,
        "the place that rotted was received, and the gateway says by a skip that it lost it"
    );
}

/// The first released schema, with records in it, is kept as a file and migrated as it stands.
#[test]
fn a_journal_of_the_first_version_is_migrated_with_everything_in_it() {
    let folder = Folder::new("migrated");
    let path = folder.0.join(JOURNAL_FILE);
    let sql =
        std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journals/version-1.sql")).unwrap();
    assert!(Command::new("sqlite3").arg(&path).stdin(sql).status().unwrap().success());
    let mut journal = DiskJournal::open(&path).unwrap();
    let mut left = Vec::new();
    let each = &mut |_: u64, _: Class, bytes: &[u8]| {
        left.push(bytes.to_vec());
        true
    };
    journal.read(0, Class::Routine, each).unwrap();
    assert!(report(&left).complete && left.len() == 12);
    assert_eq!(journal.cursor(coldhearth::evidence::journal::Cursor::Accepted), Ok(7));
    assert_eq!(journal.key(), Ok(None));
    // The column of the second version is filled from what the records say.
    let times = "select count(*) from record where wall_unix_ms = json_extract(bytes, '$.wall_unix_ms')";
    drop(journal);
    let counted = Command::new("sqlite3").arg(&path).arg(times).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&counted.stdout).trim(), "12");
}

#[tokio::test]
async fn while_the_disk_is_full_of_alarms_what_is_durable_still_leaves() {
    let folder = Folder::new("full-of-alarms");
    let path = folder.0.join(JOURNAL_FILE);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut journal = DiskJournal::open(&path).unwrap();
    journal.limit_bytes(200_000).unwrap();
    let scribe = begin(&clock.now(), journal);
    let (entries, to_scribe) = tokio::sync::mpsc::channel(scribe::CHANNEL);
    let (told, _progress) = tokio::sync::watch::channel(Progress::default());
    let desk = desk(&folder, clock.clone(), u64::MAX);
    let writer = std::thread::spawn(move || scribe::run(scribe, to_scribe, &told, desk));
    for _ in 0..900 {
        entries.send(Entry::Write(clock.now(), alert())).await.unwrap();
    }
    let (reply, answer) = tokio::sync::oneshot::channel();
    let want = Want { from: 0, least: Class::Routine, turn: Turn::InPlace };
    entries.send(Entry::Read { want, reply }).await.unwrap();
    assert_eq!(soon("a record read back", answer).await.unwrap().unwrap().seq, 0);
    // Nobody is left to wait for: it ends, and says why.
    drop(entries);
    let ended = soon("the end of the scribe", tokio::task::spawn_blocking(move || writer.join().unwrap()));
    assert!(matches!(ended.await.unwrap(), Err(scribe::Stopped::Journal(JournalFault::Full))));
}
