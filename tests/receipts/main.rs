//! The authority's side of delivery: enrolment, receipts, acts, rollback; the real programs and a real mosquitto.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod roster_check;
#[path = "../support/mod.rs"]
mod support;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coldhearth::{
    catalogue::Rostered,
    evidence::{ActKind, Body, Kind, PublicKey, Receipt, Record, Signed, record::Unverified},
    host::public_key,
    judge::{Event, Finding, State},
    terms::LegalDay,
};
use coldhearth_sim::WireFault;
use support::{Mosquitto, Process, Subscriber, Works, soon, verdict};

/// The authority's programs and its folder.
struct Authority {
    state: PathBuf,
    port: u16,
}

impl Authority {
    /// An authority that has admitted the works' gateway, which trusts it.
    fn over(works: &Works, port: u16) -> (Authority, PathBuf) {
        let authority = Authority { state: works.folder.0.join("authority"), port };
        // Its key is made at its first use; nothing can be signed without an act.
        let (exit, _) = authority.run_with(&["act", "sign", "-"], "{}");
        assert_eq!(exit, 65, "an empty act is no act");
        let config = works.configure(port);
        let text = std::fs::read_to_string(&config).unwrap();
        let text = format!("{text}\n[authority]\nkeys = [\"authority/authority.key.pub\"]\n");
        std::fs::write(&config, text).unwrap();
        (authority, config)
    }

    fn key(&self) -> PublicKey {
        public_key::load(&self.state.join("authority.key.pub")).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(arguments).arg("--state").arg(&self.state);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        (out.status.code().unwrap(), text)
    }

    fn admit(&self, works: &Works, config: &Path) {
        let enrolled = coldhearth(&["enrol", "--config", config.to_str().unwrap()]);
        assert_eq!(enrolled.0, 0, "{}", enrolled.1);
        let fingerprint = enrolled.1.lines().find_map(|line| line.strip_prefix("fingerprint: ")).unwrap();
        let key = works.public_key_file();
        let add = |fingerprint: &str| {
            self.run(&[
                "gateway",
                "add",
                key.to_str().unwrap(),
                "--id",
                "gw-test",
                "--fingerprint",
                fingerprint,
            ])
        };
        assert_eq!(add("0000 0000").0, 1, "another fingerprint admits nobody");
        assert_eq!(add(fingerprint).0, 0);
        assert_eq!(add(fingerprint).0, 1, "once is enough");
        assert!(self.run(&["gateway", "list"]).1.contains(fingerprint));
    }

    fn serve(&self) -> Process {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.state.join("serve.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(["serve", "--broker", &format!("127.0.0.1:{}", self.port), "--state"]).arg(&self.state);
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.unwrap()).spawn().unwrap())
    }

    fn act(&self, members: &str) -> String {
        let (exit, signed) = self.run_with(&["act", "sign", "-"], members);
        assert_eq!(exit, 0, "{signed}");
        signed
    }

    async fn send(&self, signed: &str) -> (i32, String) {
        let broker = format!("127.0.0.1:{}", self.port);
        let (authority, signed) =
            (Authority { state: self.state.clone(), port: self.port }, signed.to_owned());
        let sent = tokio::task::spawn_blocking(move || {
            authority.run_with(&["act", "send", "-", "--wait", "20s", "--broker", &broker], &signed)
        });
        soon("the end of `act send`", sent).await.unwrap()
    }

    async fn ask(&self, asset: &'static str, language: &'static str, more: &'static [&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(["act", "ask", asset, "--gateway", "gw-test", "--wait", "20s", "--state"]);
        command.arg(&self.state).args(["--broker", &format!("127.0.0.1:{}", self.port)]).args(more);
        command.env("LANG", language);
        let asked = tokio::task::spawn_blocking(move || command.output().unwrap());
        let out = soon("the end of `act ask`", asked).await.unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        (out.status.code().unwrap(), text)
    }
}

/// A furnace under voltage that draws nothing: its agent is admitted and runs, a subscriber listens to its broker; nobody
/// collects yet.
struct Idle {
    agent: Process,
    subscriber: Subscriber,
    authority: Authority,
    config: PathBuf,
    key: PublicKey,
    broker: Mosquitto,
    works: Works,
}

impl Idle {
    async fn begin(name: &str) -> Idle {
        Idle::configured(name, |text| text).await
    }

    /// The same, with the configuration that `configure` makes of the usual one.
    async fn configured(name: &str, configure: impl Fn(String) -> String) -> Idle {
        let works = Works::open(name).await;
        let broker = Mosquitto::start(&works.folder.0).await;
        let (authority, config) = Authority::over(&works, broker.port);
        std::fs::write(&config, configure(std::fs::read_to_string(&config).unwrap())).unwrap();
        authority.admit(&works, &config);
        let subscriber = Subscriber::start(broker.port).await;
        works.force(5_000);
        let agent = works.agent(&config);
        let key = works.key().await;
        Idle { agent, subscriber, authority, config, key, broker, works }
    }
}

fn coldhearth(arguments: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_coldhearth")).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    (out.status.code().unwrap(), text)
}

/// The next receipt that covers this place.
async fn receipted(subscriber: &mut Subscriber, authority: &PublicKey, seq: u64) -> Receipt {
    loop {
        if let (Kind::Receipt, bytes) = subscriber.next().await {
            let receipt = Receipt::open(&Signed::read(&bytes).unwrap(), authority).unwrap();
            if receipt.upto.seq >= seq {
                return receipt;
            }
        }
    }
}

fn audit_of(works: &Works, key: &PublicKey) -> bool {
    let report = support::audit(key, &works.journal());
    report.authentic && report.complete
}

fn last_of(works: &Works) -> Unverified {
    Unverified::read(works.journal().last().unwrap()).unwrap()
}

fn violates(record: &Record) -> bool {
    verdict(record).is_some_and(|verdict| verdict.violation_since_unix_ms.is_some())
}

#[tokio::test]
async fn only_a_receipt_is_delivery_and_records_name_it() {
    let Idle { works, broker: _broker, authority, config, mut subscriber, agent, key } =
        Idle::begin("receipted").await;
    // A broker that has accepted everything, and nobody who kept it.
    subscriber.attestations_until(&key, |record| record.header.seq >= 4).await;
    let mut collector = authority.serve();
    works.force(8_000_000);
    let lines = subscriber.attestations_until(&key, violates).await;
    let violation = Unverified::read(lines.last().unwrap()).unwrap().header().seq;
    let receipt = receipted(&mut subscriber, &authority.key(), violation).await;
    assert_eq!(receipt.missing, [], "what was lost before the collector came has arrived");
    works.faults.set(2, WireFault::Silent);
    let names_it = |record: &Record| record.header.receipt.is_some();
    subscriber.attestations_until(&key, names_it).await;
    assert_eq!(agent.stop(), 0);
    collector.kill();
    // The bundle tells the time of the records from the receipts, and verifies with no network.
    let bundle = works.folder.0.join("bundle");
    let exported = coldhearth(&["export", "--config", config.to_str().unwrap(), bundle.to_str().unwrap()]);
    assert_eq!(exported.0, 0, "{}", exported.1);
    let trust = authority.state.join("authority.key.pub");
    let own = works.public_key_file();
    let verify =
        ["verify", bundle.to_str().unwrap(), "--json", "--trust", trust.to_str().unwrap(), "--trust"];
    let (exit, report) = coldhearth(&[&verify[..], &[own.to_str().unwrap()]].concat());
    assert_eq!(exit, 0, "{report}");
    let report: serde_json::Value = serde_json::from_str(report.lines().next().unwrap()).unwrap();
    assert_eq!((&report["anchor"], &report["complete"]), (&"trusted".into(), &true.into()));
    assert!(report["time"]["receipts"].as_u64() > Some(0) && report["time"]["outside"] == 0, "{report}");
    let page = std::fs::read_to_string(bundle.join("index.html")).unwrap();
    assert!(page.contains("gw-test") && bundle.join("manifest.json").exists());
}

#[tokio::test]
async fn a_broker_killed_with_everything_it_accepted_loses_nothing() {
    let works = Works::open("lossy").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let port = broker.port;
    let (authority, config) = Authority::over(&works, port);
    authority.admit(&works, &config);
    works.force(5_000);
    let mut agent = works.agent(&config);
    let mut collector = authority.serve();
    works.key().await;
    Subscriber::start(port)
        .await
        .attestations_until(&works.key().await, |record| record.header.seq > 1)
        .await;
    let mut broker = Some(broker);
    // tests/all sets 200.
    let kills: i32 = std::env::var("COLDHEARTH_KILLS").map_or(3, |kills| kills.parse().unwrap());
    for turn in 0..kills {
        let mut subscriber = Subscriber::start(port).await;
        works.force(if turn % 2 == 0 { 8_000_000 } else { 0 });
        receipted(&mut subscriber, &authority.key(), last_of(&works).header().seq).await;
        if turn % 4 == 1 {
            collector.kill();
        }
        if turn % 4 == 2 {
            agent.kill();
        }
        broker.take().unwrap().stop();
        works.force(if turn % 2 == 0 { 0 } else { 8_000_000 });
        broker = Some(Mosquitto::start_at(&works.folder.0, port).await);
        if turn % 4 == 1 {
            collector = authority.serve();
        }
        if turn % 4 == 2 {
            agent = works.agent(&config);
        }
    }
    let mut subscriber = Subscriber::start(port).await;
    receipted(&mut subscriber, &authority.key(), last_of(&works).header().seq).await;
    assert_eq!(agent.stop(), 0);
    let last = last_of(&works);
    let agent = works.agent(&config);
    receipted(&mut subscriber, &authority.key(), last.header().seq).await;
    drop(agent);
    collector.kill();
    let sql = format!("select count(*) from record where seq <= {}", last.header().seq);
    let kept = Command::new("sqlite3").arg(authority.state.join("store.db")).arg(sql).output().unwrap();
    let journalled = works
        .journal()
        .iter()
        .filter(|line| Unverified::read(line).unwrap().header().seq <= last.header().seq)
        .count();
    assert_eq!(String::from_utf8_lossy(&kept.stdout).trim(), journalled.to_string());
}

#[tokio::test]
async fn an_act_takes_effect_once_and_is_answered_in_the_log() {
    let Idle { works, broker, authority, config: _, mut subscriber, agent, key } = Idle::begin("acts").await;
    let _collector = authority.serve();
    works.force(8_000_000);
    subscriber.attestations_until(&key, violates).await;
    works.force(0);
    receipted(&mut subscriber, &authority.key(), 6).await;
    let reset = r#"{"act":"reset","act_id":"reset-1","gateway_id":"gw-test","asset":"eaf-1","issuer":"hebei","reason":"复核"}"#;
    let reset = authority.act(reset);
    let (exit, out) = authority.send(&reset).await;
    assert_eq!(exit, 0, "{out}");
    let opened = |record: &Record| {
        verdict(record).is_some_and(|v| v.asset.as_str() == "eaf-1" && v.violation_since_unix_ms.is_none())
    };
    let mut said = false;
    let act_first = |record: &Record| {
        said |= matches!(record.body, Body::Act(_));
        opened(record) && said
    };
    let act_first = std::cell::RefCell::new(act_first);
    subscriber.attestations_until(&key, |record| (act_first.borrow_mut())(record)).await;
    // The same act once more would open a latch that closed again.
    let (exit, out) = authority.send(&reset).await;
    assert_eq!((exit, out.contains("replayed")), (1, true), "{out}");
    let stranger = Authority { state: works.folder.0.join("stranger"), port: broker.port };
    std::fs::create_dir_all(&stranger.state).unwrap();
    let forged =
        r#"{"act":"reset","act_id":"reset-2","gateway_id":"gw-test","asset":"eaf-1","issuer":"owner"}"#;
    let forged = stranger.act(forged);
    let (exit, out) = authority.send(&forged).await;
    assert_eq!((exit, out.contains("wrong_key")), (1, true), "{out}");
    let refused = [
        (
            r#"{"act":"reset","act_id":"reset-3","gateway_id":"gw-test","asset":"eaf-9","issuer":"x"}"#,
            "unknown_asset",
        ),
        (
            r#"{"act":"reset","act_id":"reset-4","gateway_id":"gw-test","asset":"eaf-1","issuer":"x","expires_unix_ms":1}"#,
            "expired",
        ),
        (
            r#"{"act":"order","act_id":"order-1","gateway_id":"gw-test","asset":"eaf-1","issuer":"x"}"#,
            "not_executed",
        ),
    ];
    for (act, why) in refused {
        let (exit, out) = authority.send(&authority.act(act)).await;
        assert_eq!((exit, out.contains(why)), (1, true), "{out}");
    }
    assert_eq!(agent.stop(), 0);
}

#[tokio::test]
async fn a_verdict_is_told_when_it_is_asked_for() {
    let Idle { works, broker: _broker, authority, config: _, mut subscriber, agent, key } =
        Idle::begin("ask").await;
    let _collector = authority.serve();
    let live = |record: &Record| support::says(record, "eaf-1-feeder", State::Energised);
    let lines = subscriber.attestations_until(&key, live).await;
    let before = Unverified::read(lines.last().unwrap()).unwrap().header().seq;
    receipted(&mut subscriber, &authority.key(), before).await;
    let (exit, out) = authority.ask("eaf-1", "en", &[]).await;
    assert!(
        exit == 0 && out.contains("eaf-1: no current, bus live") && out.contains("signature valid"),
        "{out}"
    );
    let (exit, out) = authority.ask("eaf-9", "en", &[]).await;
    assert_eq!((exit, out.contains("unknown_asset")), (1, true), "{out}");
    works.faults.set(1, WireFault::Silent);
    let doubt = |record: &Record| {
        verdict(record).is_some_and(|v| v.asset.as_str() == "eaf-1" && matches!(v.state, State::Unknown(_)))
    };
    subscriber.attestations_until(&key, doubt).await;
    let (exit, out) = authority.ask("eaf-1", "zh_CN.UTF-8", &[]).await;
    assert!(exit == 0 && out.contains("eaf-1: 未知：没有证据，不等于停用"), "{out}");
    let off = ["已停用", "未用电", "无电流", "带电", "电度未动"];
    assert!(off.iter().all(|word| !out.contains(word)), "doubt is never shown as off: {out}");
    let (exit, out) = authority.ask("eaf-1", "en", &["--json"]).await;
    let asked = Unverified::read(out.trim_end().as_bytes()).unwrap().verify(&key).unwrap();
    assert!(exit == 0 && doubt(&asked), "{out}");
    assert_eq!(agent.stop(), 0);
    // In the log: the question, whole; what it led to; the answer.
    let records: Vec<Record> =
        works.journal().iter().map(|line| Unverified::read(line).unwrap().verify(&key).unwrap()).collect();
    let place = records.iter().position(|record| record.header.seq == asked.header.seq).unwrap();
    let [Body::Act(act), _, Body::Answer(answer)] =
        [-1, 0, 1].map(|by| &records[place.strict_add_signed(by)].body)
    else {
        panic!("{:?}", records[place])
    };
    assert_eq!((act.kind, answer.act, answer.refused), (ActKind::Ask, Some((act.id, act.version)), None));
    assert!(audit_of(&works, &key), "the log holds");
}

#[tokio::test]
async fn a_roster_is_written_down_answered_and_remembered_and_an_older_one_is_refused() {
    let small =
        "kind = \"electric_furnace\"\ndeclared = { furnace_product = \"steel\", nominal_tonnage_t = 25 }";
    let configure = |text: String| text.replace("kind = \"electric_arc_furnace\"", small);
    let Idle { works, broker: _broker, authority, config, mut subscriber, agent, key } =
        Idle::configured("roster", configure).await;
    let _collector = authority.serve();
    receipted(&mut subscriber, &authority.key(), 4).await;
    let roster = |id: &str, version: u32| {
        authority.act(&format!(
            r#"{{"act":"roster","act_id":"{id}","version":{version},"gateway_id":"gw-test","issuer":"hebei",
            "uscc":"91350100M000100Y43","order":"冀工信〔2011〕12号","equipment":[
            {{"asset":"eaf-1","entry":"steel-electric-furnace-up-to-30t","deadline":"2011-06-30"}}]}}"#
        ))
    };
    let (exit, out) = authority.send(&roster("list", 2)).await;
    assert_eq!(exit, 0, "{out}");
    let day = LegalDay::parse("2011-06-30").unwrap();
    let listed = |record: &Record| {
        verdict(record)
            .is_some_and(|v| v.asset.as_str() == "eaf-1" && v.standing.roster == Some(Rostered::By(day)))
    };
    subscriber.attestations_until(&key, listed).await;
    let (exit, out) = authority.send(&roster("another", 1)).await;
    assert_eq!((exit, out.contains("older_version")), (1, true), "{out}");
    assert_eq!(agent.stop(), 0);
    let bodies =
        works.journal().into_iter().map(|line| Unverified::read(&line).unwrap().verify(&key).unwrap());
    let bodies: Vec<(u64, Body)> = bodies.map(|record| (record.header.seq, record.body)).collect();
    let seq_of = |is: &dyn Fn(&Body) -> bool| -> Vec<u64> {
        bodies.iter().filter(|(_, body)| is(body)).map(|(seq, _)| *seq).collect()
    };
    let acts = seq_of(&|body| matches!(body, Body::Act(_)));
    let missing = seq_of(&|body| matches!(body, Body::Finding(Finding::Event(Event::NotOnRoster { .. }))));
    assert_eq!((acts.len(), missing.len()), (1, 1), "eaf-2 is in scope and not listed, told once");
    assert!(acts < missing, "the act stands before what follows from it");
    let before = last_of(&works).header().seq;
    let agent = works.agent(&config);
    let again = |record: &Record| record.header.seq > before && listed(record);
    subscriber.attestations_until(&key, again).await;
    assert_eq!(agent.stop(), 0);
}

#[tokio::test]
async fn a_restored_image_is_told_by_the_receipt_and_a_new_log_says_so() {
    let Idle { works, broker: _broker, authority, config, mut subscriber, agent, key } =
        Idle::begin("restored").await;
    let mut collector = authority.serve();
    receipted(&mut subscriber, &authority.key(), 3).await;
    assert_eq!(agent.stop(), 0);
    let state = works.folder.0.join("state");
    let image = works.folder.0.join("image");
    copy(&state, &image);
    let agent = works.agent(&config);
    works.force(8_000_000);
    let lines = subscriber.attestations_until(&key, violates).await;
    let seq = Unverified::read(lines.last().unwrap()).unwrap().header().seq;
    let receipt = receipted(&mut subscriber, &authority.key(), seq).await;
    assert_eq!(agent.stop(), 0);
    // Only the journal is put back: the copy of the receipt proves it.
    let newest = std::fs::read(state.join("receipt.json")).unwrap();
    copy(&image, &state);
    std::fs::write(state.join("receipt.json"), newest).unwrap();
    let refused = coldhearth(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!((refused.0, refused.1.contains("--new-journal")), (78, true), "{}", refused.1);
    // The whole folder is put back: the retained receipt shows it, before anything was published.
    copy(&image, &state);
    works.force(0);
    let agent = works.agent(&config);
    let rolled_back = |record: &Record| matches!(&record.body, Body::Rollback(rollback) if rollback.receipted.seq >= receipt.upto.seq);
    let lines = subscriber.attestations_until(&key, rolled_back).await;
    let logs: std::collections::BTreeSet<_> =
        lines.iter().map(|line| Unverified::read(line).unwrap().header().log).collect();
    assert!(logs.iter().any(|log| *log != receipt.upto.log));
    loop {
        if let (Kind::Receipt, bytes) = subscriber.next().await {
            let receipt = Receipt::open(&Signed::read(&bytes).unwrap(), &authority.key()).unwrap();
            if receipt.upto.log != logs.iter().next_back().copied().unwrap() && receipt.upto.seq == 0 {
                continue;
            }
            if !logs.contains(&receipt.upto.log) || receipt.upto.seq < 2 {
                continue;
            }
            break;
        }
    }
    assert_eq!(agent.stop(), 0);
    collector.kill();
    let store = authority.state.join("store.db");
    let forks = Command::new("sqlite3").arg(store).arg("select count(*) from fork").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&forks.stdout).trim(), "0", "an honest restore is no fork");
    let aside = std::fs::read_dir(&state).unwrap().flatten();
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().starts_with("journal-")).count();
    assert_eq!(aside, 1, "the old journal is kept");
}

fn copy(from: &Path, to: &Path) {
    let _old = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
