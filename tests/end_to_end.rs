//! From a meter's register to the regulator's eyes: real Modbus sockets, a real mosquitto, the real programs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::process::{Command, Stdio};

use coldhearth::{
    evidence::{Body, Head, Kind, record::Unverified},
    host::{Clock as _, SystemClock},
    judge::{Finding, State, Why},
    metering::Fault,
};
use coldhearth_sim::WireFault;
use support::{Mosquitto, Process, Subscriber, Works, audit, says, soon, verdict};

fn regulator(arguments: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Process(command.spawn().unwrap())
}

/// Exit status and standard output of a program, waited for off this thread.
async fn ended(process: Process) -> (i32, String) {
    let ended = tokio::task::spawn_blocking(move || {
        let mut process = process;
        let mut out = String::new();
        std::io::Read::read_to_string(process.0.stdout.as_mut().unwrap(), &mut out).unwrap();
        (process.0.wait().unwrap().code().unwrap_or(-1), out)
    });
    soon("a program's end", ended).await.unwrap()
}

/// The first line with anything on it that a program prints; an empty one is a topic cleared of what an earlier life of
/// the agent may have left there.
async fn first_line(process: Process) -> String {
    let read = tokio::task::spawn_blocking(move || {
        let mut process = process;
        let out = std::io::BufReader::new(process.0.stdout.take().unwrap());
        std::io::BufRead::lines(out).map(Result::unwrap).find(|line| !line.is_empty()).unwrap()
    });
    soon("a line of a program", read).await.unwrap()
}

#[tokio::test]
async fn a_melt_reaches_the_regulator_signed() {
    let works = Works::open("melt").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut alarms = Subscriber::start(broker.port).await;
    works.force(5_000);
    let config = works.configure(broker.port);
    let _agent = works.agent(&config);
    let key = works.key().await;
    let mut lines =
        subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", State::Energised)).await;
    let trust = works.public_key_file();
    let address = format!("127.0.0.1:{}", broker.port);
    let watch =
        ["watch", "--broker", &address, "--trust", trust.to_str().unwrap(), "--until-violation", "50s"];
    let watch = regulator(&watch);
    let mut plain = Command::new("mosquitto_sub");
    plain.args(["-p", &broker.port.to_string(), "-t", "coldhearth/v1/+/+/+/+/+/+/alarm/violation"]);
    let plain = Process(plain.stdout(Stdio::piped()).spawn().unwrap());
    works.force(8_000_000);
    let violation = |record: &_| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    lines.extend(subscriber.attestations_until(&key, violation).await);
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}\n{}", works.log());
    assert_eq!(report.condition(), "violation");
    let (alarm, _) = loop {
        // An empty message clears what an earlier life may have left there.
        if let (Kind::Violation, bytes) = alarms.next().await
            && !bytes.is_empty()
        {
            break (Unverified::read(&bytes).unwrap().verify(&key).unwrap(), bytes);
        }
    };
    assert_eq!(verdict(&alarm).unwrap().asset.as_str(), "eaf-1");
    let (exit, out) = ended(watch).await;
    assert_eq!(exit, 0, "{out}");
    assert!(out.contains("VIOLATION"), "{out}");
    let out = first_line(plain).await;
    let mut jq = Command::new("jq");
    let jq =
        jq.args(["-r", "[.asset, .state, .violation] | @csv"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut jq = Process(jq.spawn().unwrap());
    std::io::Write::write_all(&mut jq.0.stdin.take().unwrap(), out.as_bytes()).unwrap();
    assert_eq!(ended(jq).await.1, "\"eaf-1\",\"drawing\",true\n");
}

#[tokio::test]
async fn while_the_broker_is_away_records_wait_and_then_arrive_in_order() {
    let works = Works::open("away").await;
    works.force(5_000);
    let port = support::free_port();
    let config = works.configure(port);
    let agent = works.agent(&config);
    let key = works.key().await;
    soon("records in the journal", async {
        while works_journal_len(&works).await < 8 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let broker = Mosquitto::start_at(&works.folder.0, port).await;
    let mut subscriber = Subscriber::start(port).await;
    let lines = subscriber.attestations_until(&key, |record| record.header.seq >= 7).await;
    let places: Vec<u64> = lines.iter().map(|l| Unverified::read(l).unwrap().header().seq).collect();
    assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7], "in order, from the first");
    // Acceptance by the broker is not yet delivery (receipts will be): the broker goes only once all have come.
    let mut all = lines;
    let written = works.journal().len();
    if all.len() < written {
        let last = u64::try_from(written - 1).unwrap();
        all.extend(subscriber.attestations_until(&key, |record| record.header.seq >= last).await);
    }
    broker.stop();
    works.force(8_000_000);
    soon("a violation in the journal", async {
        while !works_journal_says_violation(&works).await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let _broker = Mosquitto::start_at(&works.folder.0, port).await;
    let violation = |record: &_| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    all.extend(subscriber.attestations_until(&key, violation).await);
    let report = audit(&key, &all);
    assert!(report.authentic && report.complete, "{report:?}");
    // The new broker kept nothing of the old one's; whoever comes late still finds genesis and alarm.
    let address = format!("127.0.0.1:{port}");
    let (exit, out) = ended(regulator(&["watch", "--broker", &address, "--until-violation", "50s"])).await;
    assert_eq!(exit, 0, "{out}");
    assert_eq!(agent.stop(), 0);
}

#[tokio::test]
async fn a_record_larger_than_the_broker_takes_does_not_hold_up_the_others() {
    let works = Works::open("narrow").await;
    let port = support::free_port();
    let _broker = Mosquitto::start_with(&works.folder.0, port, "max_packet_size 1600").await;
    let mut subscriber = Subscriber::start(port).await;
    works.force(8_000_000);
    let agent = works.agent(&works.configure(port));
    let key = works.key().await;
    let violation = |record: &_| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    let lines = subscriber.attestations_until(&key, violation).await;
    let report = audit(&key, &lines);
    assert!(report.authentic && !report.complete, "what did not fit is missing and named: {report:?}");
    assert!(works.log().contains("larger than the broker takes"), "{}", works.log());
    assert_eq!(agent.stop(), 0);
}

#[tokio::test]
async fn with_nobody_subscribed_the_alarm_stays_for_whoever_comes_late_and_the_log_waits() {
    let works = Works::open("nobody-there").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    works.force(8_000_000);
    let agent = works.agent(&works.configure(broker.port));
    let key = works.key().await;
    let mut plain = Command::new("mosquitto_sub");
    let alarm = "coldhearth/v1/+/+/+/+/+/+/alarm/violation";
    plain.args(["-p", &broker.port.to_string(), "-t", alarm]);
    let alarm = first_line(Process(plain.stdout(Stdio::piped()).spawn().unwrap())).await;
    let alarm = Unverified::read(alarm.trim_end().as_bytes()).unwrap().verify(&key).unwrap();
    assert!(verdict(&alarm).is_some_and(|v| v.violation_since_unix_ms.is_some()));
    let mut subscriber = Subscriber::start(broker.port).await;
    let lines = subscriber.attestations_until(&key, |record| record.header.seq >= alarm.header.seq).await;
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "from the first record on: {report:?}\n{}", works.log());
    assert_eq!(agent.stop(), 0);
}

/// Looks at the journal off this thread, so that the plant's sockets go on meanwhile.
async fn works_journal_len(works: &Works) -> usize {
    let path = works.folder.0.join("state/journal.db");
    let count = move || if path.exists() { Some(()) } else { None };
    if tokio::task::spawn_blocking(count).await.unwrap().is_none() {
        return 0;
    }
    works.journal().len()
}

async fn works_journal_says_violation(works: &Works) -> bool {
    let lines = works.journal();
    tokio::task::yield_now().await;
    lines.iter().any(|line| String::from_utf8_lossy(line).contains("\"violation\":true"))
}

#[tokio::test]
async fn killed_at_any_moment_the_chain_goes_on_and_nothing_is_lost() {
    let works = Works::open("killed").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let config = works.configure(broker.port);
    let mut received: Vec<Vec<u8>> = Vec::new();
    let mut key = None;
    // tests/all sets 200.
    let kills: i64 = std::env::var("COLDHEARTH_KILLS").map_or(6, |kills| kills.parse().unwrap());
    for turn in 0..kills {
        works.force(if turn % 2 == 0 { 5_000 } else { 8_000_000 });
        let began = SystemClock::default().now().uptime_ms;
        let mut agent = works.agent(&config);
        let gateway = match key {
            Some(key) => key,
            None => *key.insert(works.key().await),
        };
        // A different moment each time: after so many records of this start; once after the violation.
        let (mut left, boots) = (1 + turn * 3 % 5, std::cell::Cell::new(false));
        let mut wanted = |record: &coldhearth::evidence::Record| {
            let is_new = record.header.at.uptime_ms >= began;
            boots.set(boots.get() || (is_new && matches!(record.body, Body::Boot(_))));
            left -= i64::from(boots.get());
            if turn == 1 {
                verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some())
            } else {
                left <= 0
            }
        };
        let wanted = std::cell::RefCell::new(&mut wanted);
        received
            .extend(subscriber.attestations_until(&gateway, |record| (wanted.borrow_mut())(record)).await);
        agent.kill();
    }
    let key = key.unwrap();
    let journal = works.journal();
    let report = audit(&key, &journal);
    assert!(report.authentic && report.complete, "{report:?}\n{}", works.log());
    assert_eq!(report.records, journal.len() as u64);
    let lost: Vec<_> = received.iter().filter(|line| !journal.contains(line)).collect();
    assert!(lost.is_empty(), "received but not in the journal: {} records", lost.len());
    let boots =
        journal.iter().filter(|line| String::from_utf8_lossy(line).contains("\"type\":\"boot\"")).count();
    assert_eq!(i64::try_from(boots).unwrap(), kills);
    let agent = works.agent(&config);
    let last = Unverified::read(journal.last().unwrap()).unwrap().header().seq;
    // An alert of the new start may overtake: the end is reached when nothing is missing before it.
    let head = std::cell::RefCell::new(Head::default());
    let take = |line: &Vec<u8>| {
        head.borrow_mut().take(&Unverified::read(line).unwrap().verify(&key).unwrap());
    };
    received.iter().for_each(take);
    let all = |record: &coldhearth::evidence::Record| {
        head.borrow_mut().take(record);
        head.borrow().head().is_some_and(|(seq, _)| seq > last) && head.borrow().missing().is_none()
    };
    received.extend(subscriber.attestations_until(&key, all).await);
    assert_eq!(agent.stop(), 0);
    let report = audit(&key, &received);
    assert!(report.authentic && report.forks.is_empty() && report.complete, "{report:?}");
    assert_eq!(report.condition(), "violation", "the latch survives every death");
}

#[tokio::test]
async fn a_silent_meter_is_unknown_with_its_cause_and_its_neighbour_is_not_touched() {
    let works = Works::open("silent").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    works.force(5_000);
    let agent = works.agent(&works.configure(broker.port));
    let key = works.key().await;
    subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", State::Energised)).await;
    works.faults.set(1, WireFault::Silent);
    let unknown = State::Unknown(Why::Fault(Fault::Timeout));
    let lines = subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", unknown)).await;
    let last = Unverified::read(lines.last().unwrap()).unwrap().verify(&key).unwrap();
    let Body::Finding(Finding::State(found)) = last.body else { panic!("{last:?}") };
    assert_eq!((found.power, found.scan.blocks().count()), (None, 0), "a missing reading is never a zero");
    works.faults.set(1, WireFault::Exception(11));
    works.faults.clear(1);
    let mut between =
        subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", State::Energised)).await;
    between.extend(lines);
    let neighbour = between.iter().filter(|line| {
        let record = Unverified::read(line).unwrap().verify(&key).unwrap();
        says(&record, "eaf-2-feeder", unknown)
    });
    assert_eq!(neighbour.count(), 0, "the other meter of the bus answered all the time");
    assert_eq!(agent.stop(), 0);
}

#[tokio::test]
async fn watch_tells_by_its_exit_what_happened() {
    let works = Works::open("watch").await;
    let nobody = format!("127.0.0.1:{}", support::free_port());
    let (exit, _) = ended(regulator(&["watch", "--broker", &nobody, "--until-violation", "20s"])).await;
    assert_eq!(exit, 69, "no broker");
    let broker = Mosquitto::start(&works.folder.0).await;
    let address = format!("127.0.0.1:{}", broker.port);
    let (exit, _) = ended(regulator(&["watch", "--broker", &address, "--until-violation", "300ms"])).await;
    assert_eq!(exit, 75, "nothing came in time");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/coldhearth-1/");
    let publish = |file: &str, change: fn(&mut Vec<u8>), topic: &str| {
        let mut bytes = std::fs::read(format!("{golden}{file}")).unwrap();
        change(&mut bytes);
        let path = works.folder.0.join("message.json");
        std::fs::write(&path, &bytes).unwrap();
        let topic = format!("coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/{topic}");
        let mut command = Command::new("mosquitto_pub");
        command.args(["-q", "1", "-r", "-p", &broker.port.to_string(), "-t", &topic, "-f"]).arg(&path);
        assert!(command.status().unwrap().success());
    };
    let forge = |bytes: &mut Vec<u8>| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("\"energy_overdue_wh\":8800", "\"energy_overdue_wh\":8801").into_bytes();
    };
    publish("00-genesis.json", |_| {}, "_/state");
    publish("09-verdict.json", forge, "eaf-2/state");
    let (exit, out) = ended(regulator(&["watch", "--broker", &address, "--until-violation", "1s"])).await;
    assert_eq!(exit, 1, "something did not verify: {out}");
    assert!(out.contains("NOT VERIFIED"), "{out}");
    publish("09-verdict.json", |_| {}, "eaf-2/state");
    let (exit, out) = ended(regulator(&["watch", "--broker", &address, "--until-violation", "20s"])).await;
    assert_eq!(exit, 0, "{out}");
    let stranger = works.folder.0.join("stranger.pub");
    std::fs::write(
        &stranger,
        coldhearth::evidence::Signer::public_key(&coldhearth::evidence::Ed25519::from_seed(&[8; 32]))
            .to_pem()
            .unwrap(),
    )
    .unwrap();
    let trust = stranger.to_str().unwrap();
    let watch = ["watch", "--broker", &address, "--trust", trust, "--until-violation", "1s"];
    assert_eq!(ended(regulator(&watch)).await.0, 1, "nobody vouches for that key");
}
