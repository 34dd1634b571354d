//! SIGHUP: a configuration is read whole, and then taken or refused with words. The process stays the same, the log goes on
//! without a hole, and what waited for a broker still arrives.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Command};

use coldhearth::{
    evidence::{Body, Boot, Record, record::Unverified},
    host::{Clock as _, SystemClock},
    judge::{Ending, State},
    regulator::store::{SqliteStore, Store as _},
};
use support::{
    Mosquitto, Process, Subscriber, Works, audit,
    authority::{Authority, Publisher, receipted},
    free_port, page, says, soon, verdict,
    voice::{NOW, Voice, beat, gateway, key_of},
};

fn hang_up(process: &Process) {
    assert!(Command::new("kill").args(["-HUP", &process.0.id().to_string()]).status().unwrap().success());
}

/// Waits until a log has said this so many times.
async fn said(log: &Path, what: &str, times: usize) {
    soon(what, async {
        let clock = SystemClock::default();
        while std::fs::read_to_string(log).unwrap_or_default().matches(what).count() < times {
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    })
    .await;
}

/// What a running agent tells a machine.
fn status(socket: &Path) -> String {
    let mut ask = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    let told = ask.args(["status", "--json", "--socket"]).arg(socket).output().unwrap();
    String::from_utf8(told.stdout).unwrap()
}

const SAME: &str = "the configuration says the same, nothing changes";
const REFUSED: &str = "refused; the old configuration stays in force";
const IN_FORCE: &str = "the new configuration is in force";

fn boots(records: &[Record]) -> Vec<&Boot> {
    let bodies = records.iter().map(|record| &record.body);
    bodies.filter_map(|body| if let Body::Boot(boot) = body { Some(boot) } else { None }).collect()
}

#[tokio::test]
async fn a_configuration_that_is_wrong_changes_nothing_and_is_told_with_its_place() {
    let works = Works::open("reload-wrong").await;
    works.force(5_000);
    let broker = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let config = works.configure(broker.port);
    let good = std::fs::read_to_string(&config).unwrap();
    let mut agent = works.agent(&config);
    let key = works.key().await;
    let mut lines =
        subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", State::Energised)).await;
    let log = works.folder.0.join("agent.log");
    hang_up(&agent);
    said(&log, SAME, 1).await;
    let wrong = [
        (good.replace("unit = 2", "unit = 300"), "`unit` is 300, 1 to 247 is allowed"),
        (good.replace("[broker]", "[broker]\npassword = \"hunter2\""), "`password` is a secret"),
        (good.replace("\"state\"", "\"elsewhere\""), "state_dir cannot change while the agent runs"),
        (good.replace("\"gw-test\"", "\"gw-other\""), "id cannot change while the agent runs"),
        (good.replace("[broker]", "[brokr"), "correct the TOML syntax here"),
    ];
    for (turn, (text, why)) in wrong.iter().enumerate() {
        std::fs::write(&config, text).unwrap();
        hang_up(&agent);
        said(&log, REFUSED, turn + 1).await;
        said(&log, why, 1).await;
    }
    assert!(!works.log().contains("hunter2") && !works.log().contains(IN_FORCE), "{}", works.log());
    assert!(agent.0.try_wait().unwrap().is_none(), "the same process goes on");
    let socket = works.folder.0.join("state/status.sock");
    assert!(
        status(&socket).contains("\"file_refused\""),
        "whoever watches is told that the next start will fail"
    );
    std::fs::write(&config, &good).unwrap();
    hang_up(&agent);
    said(&log, SAME, 2).await;
    assert!(!status(&socket).contains("\"file_refused\""), "and that it is mended");
    works.force(8_000_000);
    let violation = |record: &_| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    lines.extend(subscriber.attestations_until(&key, violation).await);
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}\n{}", works.log());
    let records: Vec<Record> =
        lines.iter().map(|line| Unverified::read(line).unwrap().verify(&key).unwrap()).collect();
    assert_eq!(boots(&records).len(), 1, "one life");
    assert_eq!(agent.stop(), 0);
    let log = works.log();
    let told = ["asked to stop by SIGTERM", "stopped, everything said is written"].map(|said| log.find(said));
    assert!(told[0].is_some() && told[0] < told[1], "{log}");
}

#[tokio::test]
async fn meters_and_broker_are_changed_under_a_running_agent_and_nothing_is_lost() {
    let works = Works::open("reload-good").await;
    works.force(5_000);
    let first = Mosquitto::start(&works.folder.0).await;
    let second = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(first.port).await;
    let config = works.configure(first.port);
    let mut agent = works.agent(&config);
    let key = works.key().await;
    let mut lines =
        subscriber.attestations_until(&key, |record| says(record, "eaf-2-feeder", State::Energised)).await;
    let last = u64::try_from(works.journal().len()).unwrap() - 1;
    if lines.len() as u64 <= last {
        lines.extend(subscriber.attestations_until(&key, |record| record.header.seq >= last).await);
    }
    // What is said from here on waits for a broker.
    first.stop();
    let mut subscriber = Subscriber::start(second.port).await;
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace(&format!("port = {}", first_port(&text)), &format!("port = {}", second.port));
    std::fs::write(&config, text).unwrap();
    // The meter of eaf-2 is declared with another transformer, by a file beside.
    let beside = works.folder.0.join("agent.toml.d");
    std::fs::create_dir(&beside).unwrap();
    std::fs::write(beside.join("10-site.toml"), "[[meter]]\nid = \"eaf-2-feeder\"\nno_load_w = 20_000\n")
        .unwrap();
    hang_up(&agent);
    said(&works.folder.0.join("agent.log"), IN_FORCE, 1).await;
    assert!(works.log().contains("[broker], [[meter]]"), "{}", works.log());
    works.force(8_000_000);
    let violation = |record: &_| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    lines.extend(subscriber.attestations_until(&key, violation).await);
    assert!(agent.0.try_wait().unwrap().is_none(), "the same process goes on");
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}\n{}", works.log());
    let records: Vec<Record> =
        lines.iter().map(|line| Unverified::read(line).unwrap().verify(&key).unwrap()).collect();
    let boots = boots(&records);
    assert_eq!(boots.len(), 2, "{}", works.log());
    assert_ne!(boots[0].config, boots[1].config, "what it watches by is attested");
    assert!(!boots[1].machine_rebooted);
    assert_eq!(
        boots[1].dark.map(|(_, ended)| ended),
        Some(Ending::CleanStop),
        "the seconds between are told"
    );
    let commissioned = |meter: &str| {
        let of = |record: &&Record| matches!(&record.body, Body::Commissioned(told) if told.meter.as_str() == meter);
        records.iter().filter(of).count()
    };
    assert_eq!((commissioned("eaf-1-feeder"), commissioned("eaf-2-feeder")), (1, 2), "only what changed");
    assert_eq!(agent.stop(), 0);
}

/// The broker's port as it stands in a configuration.
fn first_port(text: &str) -> u16 {
    text.lines().find_map(|line| line.strip_prefix("port = ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_collector_goes_on_with_a_new_configuration_or_with_the_old_one() {
    let ports = [free_port(), free_port()];
    let metrics = |port: u16| format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n");
    let folder = support::Folder::new("reload-collector");
    let broker = Mosquitto::start(&folder.0).await;
    let authority = Authority::new("reload", broker.port, &metrics(ports[0]));
    SqliteStore::open(&authority.folder.0.join("state")).unwrap().admit(gateway(), &key_of(7), NOW).unwrap();
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((1..40).map(|_| voice.say(&beat())));
    let mut collector = authority.serve();
    authority.said("connected to the broker").await;
    page::until_ails(ports[0], &[]).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    publisher.publish(&lines[..10]).await;
    receipted(&mut subscriber, &authority.key(), 9).await;
    let good = std::fs::read_to_string(&authority.config).unwrap();
    let log = authority.log_file();
    hang_up(&collector);
    said(&log, SAME, 1).await;
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = occupied.local_addr().unwrap().port();
    let wrong = [
        (good.replace("port = ", "prot = "), "unknown key `prot`, did you mean `port`?"),
        (good.replace("\"state\"", "\"elsewhere\""), "`[authority] state_dir` cannot change while it serves"),
        (
            format!(
                "{good}[store]\nkind = \"postgres\"\nsocket = \"/nonexistent\"\ndatabase = \"c\"\nuser = \"c\"\n"
            ),
            "/nonexistent",
        ),
        (good.replace(&ports[0].to_string(), &taken.to_string()), "`[metrics] listen`"),
    ];
    for (turn, (text, why)) in wrong.iter().enumerate() {
        std::fs::write(&authority.config, text).unwrap();
        hang_up(&collector);
        said(&log, REFUSED, turn + 1).await;
        said(&log, why, 1).await;
    }
    drop(occupied);
    publisher.publish(&lines[10..20]).await;
    receipted(&mut subscriber, &authority.key(), 19).await;
    page::until_ails(ports[0], &["file_refused"]).await;
    std::fs::write(&authority.config, good.replace(&ports[0].to_string(), &ports[1].to_string())).unwrap();
    hang_up(&collector);
    page::until_ails(ports[1], &[]).await;
    assert!(page::asked(ports[0], "/alive").await.is_none(), "the old address is given back");
    publisher.publish(&lines[20..]).await;
    receipted(&mut subscriber, &authority.key(), 39).await;
    assert!(collector.0.try_wait().unwrap().is_none(), "the same process goes on");
    assert_eq!(collector.stop(), 0);
}
