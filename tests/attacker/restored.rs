//! A real gateway whose disk is put back, or that is written to by a stranger, over a real broker.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    letters::{permit, signed_by},
    log::{audit_under, authority, sealed},
};
use crate::support::{Mosquitto, Process, Subscriber, Works, soon, verdict};
use coldhearth::{
    agent::own_copy::RECEIPT_FILE,
    evidence::{
        ActRefusal, Anchor, Body, Ed25519, Follower, Kind, LogHead, Notice, PublicKey, Receipt, Record,
        Report, Signed, Signer as _, Topic,
        follow::{Origin, Place, Seen},
        record::Unverified,
    },
    host::{Clock as _, SystemClock},
    judge::Finding,
    terms::{
        GatewayId,
        place::{CreditCode, Division},
    },
};
use serde_json::json;

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
        // An image holds no socket of who runs.
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
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
    let violation = |record: &Record| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
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
