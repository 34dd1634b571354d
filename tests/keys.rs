//! Keys: enrolled, rotated, erased, lost and replaced.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Command, sync::Arc};

use coldhearth::{
    agent::{
        config::JournalConfig,
        journal::{DiskJournal, JOURNAL_FILE},
        reserve::Reserve,
        scribe::{self, Desk, Entry, Progress},
    },
    evidence::{
        Audit, Body, Chain, Checkpoint, Class, Genesis, Journal as _, LogId, Record, Scribe, Signer, Suite,
        record::Unverified, suite::signer_from_pem,
    },
    host::{
        Clock, SystemClock,
        keys::{self, KEY_FILE},
    },
    terms::{
        Digest, GatewayId,
        place::{CreditCode, Division},
    },
};
use support::{Folder, Mosquitto, Subscriber, Works, soon};

fn coldhearth(arguments: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_coldhearth")).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    (out.status.code().unwrap(), text)
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

/// One life of the scribe's thread; `epoch_began: None` makes its first commit end the epoch.
async fn life(folder: &Folder, signer: Box<dyn Signer>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let now = clock.now();
    let mut journal = DiskJournal::open(&folder.0.join(JOURNAL_FILE)).unwrap();
    let public_key = signer.public_key();
    let last = journal.last().unwrap();
    let chain = match &last {
        None => Chain::begin(GatewayId::new("gw-test").unwrap(), LogId(9), 0, signer),
        Some(bytes) => {
            let unverified = Unverified::read(bytes).unwrap();
            let record = unverified.verify(&public_key).unwrap();
            Chain::resume(&record, signer).unwrap()
        }
    };
    let mut scribe = Scribe::begin(&now, chain, Box::new(journal)).unwrap();
    if last.is_none() {
        scribe.write(
            now,
            Body::Genesis(Genesis {
                public_key,
                division: Division::parse("130421").unwrap(),
                enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
                software: "coldhearth 0.1.0".into(),
                config: Digest::of(b"config"),
                profiles: Vec::new(),
                continues: None,
            }),
        );
    }
    let desk = Desk {
        clock: clock.clone(),
        runtime: tokio::runtime::Handle::current(),
        state: folder.0.clone(),
        journal: JournalConfig { retention_days: 1, max_bytes: u64::MAX },
        epoch_began: None,
        reserve: Reserve::in_folder(&folder.0),
        heard: false,
        ancestors: std::collections::BTreeSet::new(),
        held_back: std::collections::VecDeque::new(),
    };
    let (entries, to_scribe) = tokio::sync::mpsc::channel(scribe::CHANNEL);
    let (told, _progress) = tokio::sync::watch::channel(Progress::default());
    let writer = std::thread::spawn(move || scribe::run(scribe, to_scribe, &told, desk));
    for _ in 0..3 {
        let beat = Checkpoint { entries: 0, reads_ok: 1, reads_failed: 0, first_unreceipted_seq: 0 };
        entries.send(Entry::Write(clock.now(), Body::Checkpoint(beat))).await.unwrap();
    }
    drop(entries);
    soon("the end of the scribe", tokio::task::spawn_blocking(move || writer.join().unwrap()))
        .await
        .unwrap()
        .unwrap();
}

/// The private part of a key, as a PEM file's middle.
fn secret(pem: &str) -> String {
    pem.lines().nth(1).unwrap().to_owned()
}

fn is_on_the_disk(folder: &Path, secret: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    })
}

#[tokio::test]
async fn each_epoch_certifies_the_next_and_leaves_nothing_of_its_key() {
    let folder = Folder::new("epochs");
    let path = folder.0.join(JOURNAL_FILE);
    let first = keys::make(&folder.0, KEY_FILE, Suite::Ed25519).unwrap();
    let anchor = first.public_key();
    let mut secrets = vec![secret(&std::fs::read_to_string(folder.0.join(KEY_FILE)).unwrap())];
    assert!(is_on_the_disk(&folder.0, &secrets[0]));
    life(&folder, first).await;
    for epoch in 1..5_u32 {
        let (kept, pem) = DiskJournal::open(&path).unwrap().key().unwrap().unwrap();
        assert_eq!(kept, epoch);
        for old in &secrets {
            assert!(!is_on_the_disk(&folder.0, old), "a key of an epoch before {epoch} is still on the disk");
        }
        secrets.push(secret(&pem));
        assert!(is_on_the_disk(&folder.0, secrets.last().unwrap()));
        life_after_restart(&folder, &pem).await;
    }
    assert!(!folder.0.join(KEY_FILE).exists() && folder.0.join(format!("{KEY_FILE}.pub")).exists());
    let mut audit = Audit::new(&[anchor]);
    lines(&path).iter().for_each(|line| audit.on_line(line));
    let report = audit.report();
    assert!(report.authentic && report.complete, "{report:?}");
    assert_eq!(report.logs[0].epochs, 6);
}

async fn life_after_restart(folder: &Folder, pem: &str) {
    // A clean end leaves a checkpoint of the newest key last, so the chain resumes on it.
    let signer = signer_from_pem(pem).unwrap();
    let mut journal = DiskJournal::open(&folder.0.join(JOURNAL_FILE)).unwrap();
    let last = Unverified::read(&journal.last().unwrap().unwrap()).unwrap();
    if last.announced_key().is_some() {
        // The rotation itself came last: its own key is gone, and the next one's word is its own.
        let now = SystemClock::default().now();
        let header = *last.header();
        let before = coldhearth::evidence::Header {
            key_id: signer.public_key().id(),
            key_epoch: header.key_epoch + 1,
            ..header
        };
        let beat = Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 };
        let record = Record { header: before, body: Body::Checkpoint(beat), hash: last.hash() };
        let chain = Chain::resume(&record, signer_from_pem(pem).unwrap()).unwrap();
        let mut scribe = Scribe::begin(&now, chain, Box::new(journal)).unwrap();
        scribe.write(now, Body::Checkpoint(beat));
        scribe.close().unwrap();
    }
    life(folder, signer).await;
}

#[tokio::test]
async fn a_lost_key_is_replaced_by_enrolling_again_and_the_new_log_names_the_old() {
    let works = Works::open("lost-key").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let config = works.configure(broker.port);
    let config_arg = config.to_str().unwrap();
    let (exit, first) = coldhearth(&["enrol", "--config", config_arg]);
    assert_eq!(exit, 0, "{first}");
    assert_eq!(coldhearth(&["enrol", "--config", config_arg]).1, first, "asked twice, it shows the same");
    let mut subscriber = Subscriber::start(broker.port).await;
    works.force(8_000_000);
    let agent = works.agent(&config);
    let old = works.key().await;
    let violates =
        |record: &Record| support::verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    let mut received = subscriber.attestations_until(&old, violates).await;
    assert_eq!(agent.stop(), 0);
    std::fs::remove_file(works.folder.0.join("state").join(KEY_FILE)).unwrap();
    let (exit, refused) = coldhearth(&["run", "--config", config_arg]);
    assert_eq!((exit, refused.contains("lost key")), (78, true), "{refused}");
    let (exit, refused) = coldhearth(&["enrol", "--config", config_arg]);
    assert_eq!((exit, refused.contains("--again")), (78, true), "{refused}");
    let (exit, second) = coldhearth(&["enrol", "--config", config_arg, "--again"]);
    assert_eq!(exit, 0, "{second}");
    assert_ne!(first, second);
    let (exit, refused) = coldhearth(&["run", "--config", config_arg]);
    assert_eq!((exit, refused.contains("--new-journal")), (78, true), "{refused}");
    let new = works.key().await;
    assert_ne!(old, new);
    let keys = [old, new];
    let end = Unverified::read(works.journal().last().unwrap()).unwrap();
    let end = (end.header().log, end.header().seq, end.hash());
    let agent = works.agent_with(&config, &["--new-journal"]);
    let mut still_latched = false;
    while !still_latched {
        let (kind, bytes) = subscriber.next().await;
        if kind != coldhearth::evidence::Kind::Attest {
            continue;
        }
        let record = keys.iter().find_map(|key| Unverified::read(&bytes).unwrap().verify(key).ok()).unwrap();
        received.push(bytes);
        still_latched |= record.header.log != end.0 && violates(&record);
    }
    assert_eq!(agent.stop(), 0);
    let mut audit = Audit::new(&keys);
    received.iter().for_each(|line| audit.on_line(line));
    let report = audit.report();
    assert!(report.authentic && report.forks.is_empty(), "{report:?}");
    let continuing = report.logs.iter().find_map(|log| log.continues).unwrap();
    assert_eq!((continuing.log, continuing.seq, continuing.head), end);
    assert_eq!(report.condition(), "violation", "the latch is carried into the new log");
}
