//! The contract for others: what is committed is what the code writes, and what a real plant says is what it promises.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coldhearth::{
    evidence::{Kind, contract::Page, live::LIVE_ROOT},
    host::{
        SystemClock,
        courier::{self, Broker, Courier, Event},
    },
    judge::{Grade, Sign},
    regulator::{
        alarms::{About, Alarm, Cause, Event as Happens, Notification, Priority, pager::News},
        contract,
    },
    terms::{GatewayId, Name, place::Division},
};
use coldhearth_sim::{Change, fleet};
use serde_json::{Value, json};

use crate::{
    converse, goldens,
    support::{Folder, Mosquitto, Process, Subscriber, Works, public_key_of, soon},
};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/contract");
const VALIDATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/contract.py");
const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/asyncapi-3.0.0.json");

#[test]
fn the_committed_contract_is_what_the_code_writes() {
    let folder = Folder::new("contract");
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    let status = command.args(["contract", "--out"]).arg(&folder.0).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
    let names = |folder: &Path| -> BTreeSet<String> {
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let cure = "run: cargo run --bin coldhearth-regulator -- contract --out config/contract";
    assert_eq!(names(&folder.0), names(Path::new(COMMITTED)), "{cure}");
    for Page { name, text } in contract::pages() {
        assert_eq!(std::fs::read_to_string(folder.0.join(&name)).unwrap(), text, "{name}");
        let committed = std::fs::read_to_string(Path::new(COMMITTED).join(&name)).unwrap();
        assert!(committed == text, "config/contract/{name} is not what the code writes; {cure}");
    }
}

/// A message as it came.
#[derive(Clone, PartialEq, Eq)]
struct Captured {
    topic: String,
    payload: Vec<u8>,
    retained: bool,
}

/// What the contract calls each message, and the messages of it that none was.
fn named(captured: &[Captured]) -> (Vec<String>, BTreeSet<String>) {
    let mut answers = Vec::new();
    converse(
        &[VALIDATOR, COMMITTED, SPEC],
        |input| {
            for Captured { topic, payload, retained } in captured {
                let payload = String::from_utf8_lossy(payload);
                writeln!(input, "{}", json!({ "topic": topic, "payload": payload, "retained": retained }))
                    .unwrap();
            }
        },
        |lines| answers.extend(lines),
    );
    let unused = answers.split_off(captured.len());
    (answers, unused.iter().map(|line| line.strip_prefix("unused ").unwrap().to_owned()).collect())
}

fn at(rest: &str, payload: &[u8]) -> Captured {
    let topic = format!("coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/{rest}");
    Captured { topic, payload: payload.to_vec(), retained: false }
}

/// Every golden on every topic: it is named where its kind belongs, and nowhere else.
#[test]
fn the_contract_names_every_golden_where_it_belongs_and_refuses_it_elsewhere() {
    let types = |rest: &str, value: &Value| {
        let kind = value["type"].as_str().unwrap();
        let strong = value["signs"].as_array().is_some_and(|signs| {
            signs.iter().any(|sign| sign["grade"] == "strong" || strong_word(sign["sign"].as_str().unwrap()))
        });
        let is_record = value.get("seq").is_some() && kind != "receipt";
        match rest {
            "_/attest" => is_record,
            "eaf-1/state" => ["verdict", "genesis", "key_rotate"].contains(&kind),
            "eaf-1/alarm/violation" => kind == "verdict" && value["violation"] == true,
            "eaf-1/alarm/tamper" => kind == "verdict" && strong,
            "eaf-1/alarm/plate" => kind == "event" && value["event"] == "class_changed",
            "_/head" => kind == "checkpoint",
            "_/answer" => kind == "answer",
            "_/receipt" => kind == "receipt",
            "_/act/a-1" => kind == "act" && !is_record,
            "_/link" => false,
            other => panic!("{other}"),
        }
    };
    let all = [
        "_/attest",
        "eaf-1/state",
        "eaf-1/alarm/violation",
        "eaf-1/alarm/tamper",
        "eaf-1/alarm/plate",
        "_/head",
        "_/answer",
        "_/receipt",
        "_/act/a-1",
        "_/link",
    ];
    let (mut captured, mut expected) = (Vec::new(), Vec::new());
    for (name, bytes) in goldens() {
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        for rest in all {
            captured.push(at(rest, &bytes));
            expected.push((format!("{name} on {rest}"), types(rest, &value)));
        }
    }
    let (answers, _) = named(&captured);
    for ((what, should), answer) in expected.iter().zip(answers) {
        assert_eq!(!answer.starts_with("none"), *should, "{what}: {answer}");
    }
}

#[test]
fn a_notification_of_alarms_is_named_where_it_belongs() {
    let about = About {
        cause: Cause::Violation,
        division: Division::parse("130421").unwrap(),
        enterprise: None,
        gateway: GatewayId::new("gw-03"),
        subject: Name::new("eaf-1"),
    };
    let raised = Alarm::unheard(about).step(Happens::Raise, 1_795_800_000_000).unwrap();
    let news = News {
        is_left: true,
        about,
        event: raised.event,
        state: raised.to,
        record: None,
        stands: true,
        at_unix_ms: raised.at_unix_ms,
        number: 7,
    };
    let told = Notification {
        receiver: Name::new("desk").unwrap(),
        kind: about.cause.kind(),
        at_unix_ms: 1_795_800_030_000,
        priority: Priority::High,
        news: vec![(about.id(), news)],
        further: 0,
        standing: 1,
        upto: 7,
    };
    let payload = told.to_json().to_string().into_bytes();
    let at = |topic: &str, payload: &[u8]| Captured {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        retained: true,
    };
    let text = String::from_utf8(payload.clone()).unwrap();
    let (answers, _) = named(&[
        at("coldhearth/v1/alarms/desk/violation", &payload),
        at("coldhearth/v1/alarms/desk/tampering", &payload),
        at("coldhearth/v1/alarms/desk/violation", text.replace("unack_active", "loud").as_bytes()),
    ]);
    assert_eq!(answers[0], "alarms alarms");
    assert!(answers[1].starts_with("none") && answers[2].starts_with("none"), "{answers:?}");
}

fn strong_word(word: &str) -> bool {
    Sign::from_word(word).is_some_and(|sign| sign.grade() == Grade::Strong)
}

#[test]
fn the_contract_refuses_topics_of_nobody_and_payloads_that_are_none() {
    let (_, genesis) = goldens().into_iter().find(|(name, _)| name == "00-genesis.json").unwrap();
    let strange = [
        at("_/attest/more", &genesis),
        at("eaf-1/attest", &genesis),
        at("_/attest", b"{"),
        at("_/attest", b""),
        at("_/link", b"{\"online\":true}"),
        Captured {
            topic: "coldhearth/v1/13/04/x1/91350100M000100Y43/gw-03/_/attest".into(),
            ..at("", &genesis)
        },
        Captured {
            topic: "coldhearth/v2/13/04/21/91350100M000100Y43/gw-03/_/attest".into(),
            ..at("", &genesis)
        },
        Captured { retained: true, ..at("_/attest", &genesis) },
    ];
    let (answers, _) = named(&strange);
    assert!(answers.iter().all(|answer| answer.starts_with("none")), "{answers:#?}");
}

/// Everything a broker carries, as it comes.
struct Tap {
    courier: Courier,
    captured: Vec<Captured>,
}

impl Tap {
    async fn on(port: u16) -> Tap {
        let broker = Broker { filters: vec!["#".into()], ..Subscriber::broker(port) };
        let (courier, ends) = courier::pair();
        tokio::spawn(async move { courier::run(&SystemClock::default(), broker, ends).await });
        let mut tap = Tap { courier, captured: Vec::new() };
        tap.until("a granted subscription", |event| matches!(event, Event::Subscribed)).await;
        tap
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) {
        soon(what, async {
            loop {
                let event = self.courier.events.recv().await.unwrap();
                let enough = wanted(&event);
                if let Event::Message { topic, payload, retained, .. } = event {
                    self.captured.push(Captured { topic, payload, retained });
                }
                if enough {
                    return;
                }
            }
        })
        .await;
    }

    /// Until the works' gateway has said something of this kind, with or without bytes, since so many messages. The small
    /// fleet says such things too, and in its own time.
    async fn until_kind(&mut self, kind: Kind, empty: bool, since: usize) {
        let wanted = |topic: &str, payload: &[u8]| {
            topic.contains("/gw-test/") && Kind::of_topic(topic) == Some(kind) && payload.is_empty() == empty
        };
        if self.captured.iter().skip(since).any(|known| wanted(&known.topic, &known.payload)) {
            return;
        }
        let wanted = |event: &Event| match event {
            Event::Message { topic, payload, .. } => wanted(topic, payload),
            _ => false,
        };
        self.until(&format!("{kind:?}, empty: {empty}"), wanted).await;
    }
}

fn authority(state: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.args(arguments).arg("--state").arg(state);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    (out.status.code().unwrap(), said)
}

fn collector(state: &Path, port: u16) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.args(["serve", "--broker", &format!("127.0.0.1:{port}"), "--state"]).arg(state);
    Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The configuration of the works' gateway, which is admitted, as is a fleet of four.
fn admitted(works: &Works, state: &Path, port: u16) -> PathBuf {
    authority(state, &["act", "sign", "-"], "{}");
    let config = works.configure(port);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[authority]\nkeys = [\"authority/authority.key.pub\"]\n"))
        .unwrap();
    let (fingerprint, public) = public_key_of(works, &config);
    let add = ["gateway", "add", public.to_str().unwrap(), "--id", "gw-test", "--fingerprint", &fingerprint];
    assert_eq!(authority(state, &add, "").0, 0);
    let list = works.folder.0.join("list");
    std::fs::write(&list, fleet::enrolment(7, 4).unwrap()).unwrap();
    assert_eq!(authority(state, &["gateway", "admit", list.to_str().unwrap()], "").0, 0);
    config
}

fn four_gateways(state: &Path, port: u16) -> fleet::FleetOrders {
    fleet::FleetOrders {
        tls: None,
        gateways: 4,
        seed: 7,
        broker: ("127.0.0.1".into(), port),
        authority: vec![state.join("authority.key.pub")],
        speed: fleet::MAX_SPEED,
        for_ms: 8_000,
        settle_ms: 60_000,
        outages: 0,
        restarts: 1,
        storms_ms: Vec::new(),
        kept_kib: fleet::KEPT_KIB,
    }
}

/// What no plant of this test says: a nameplate's edit needs one that lets its nameplate be read, and is among the goldens;
/// the authority's word on a day comes with the day's end; a collector that is alone says nothing to others; nobody is told of
/// alarms.
const UNSEEN: [&str; 7] = [
    "alarm_plate class_changed",
    "alarm_plate cleared",
    "alarm_tamper cleared",
    "heads heads",
    "canary canary",
    "beat beat",
    "alarms alarms",
];

/// Has an agent tell every scan besides.
fn tell_every_scan(config: &Path) {
    let text = std::fs::read_to_string(config).unwrap();
    std::fs::write(config, text.replace("[broker]\n", "[broker]\nlive = true\n")).unwrap();
}

fn is_of_a_scan(event: &Event) -> bool {
    matches!(event, Event::Message { topic, .. } if topic.starts_with(LIVE_ROOT))
}

/// A plant in violation, whose registers are cleared, whose latch is reset, and which goes; beside it a small fleet, whose
/// hours are seconds.
#[tokio::test]
async fn everything_a_real_plant_says_is_named_by_the_contract() {
    let works = Works::open("contract-works").await;
    let broker =
        Mosquitto::start_with(&works.folder.0, crate::support::free_port(), "max_queued_messages 0").await;
    let port = broker.port;
    let state: PathBuf = works.folder.0.join("authority");
    let config = admitted(&works, &state, port);
    tell_every_scan(&config);
    let mut tap = Tap::on(port).await;
    let _collector = collector(&state, port);
    let small = four_gateways(&state, port);
    let small = std::thread::spawn(move || fleet::run(&small).unwrap());
    works.force(8_000_000);
    let agent = works.agent(&config);
    tap.until("a scan", is_of_a_scan).await;
    tap.until_kind(Kind::Violation, false, 0).await;
    // The furnace stops, and somebody sets the meter's registers to zero.
    works.force(0);
    let stopped = tap.captured.len();
    assert!(works.plant.lock().unwrap().apply(Change::ResetRegisters(1)));
    tap.until_kind(Kind::Tamper, false, stopped).await;
    let reset =
        r#"{"act":"reset","act_id":"reset-1","gateway_id":"gw-test","asset":"eaf-1","issuer":"hebei"}"#;
    let (exit, act) = authority(&state, &["act", "sign", "-"], reset);
    assert_eq!(exit, 0, "{act}");
    let dial = format!("127.0.0.1:{port}");
    let sent = tap.captured.len();
    let send = tokio::task::spawn_blocking(move || {
        authority(&state, &["act", "send", "-", "--wait", "20s", "--broker", &dial], &act)
    });
    // The alarm is taken back by the verdict, which goes before the answer.
    tap.until_kind(Kind::Answer, false, sent).await;
    let (exit, said) = soon("the end of `act send`", send).await.unwrap();
    assert_eq!(exit, 0, "{said}");
    tap.until_kind(Kind::Violation, true, sent).await;
    assert_eq!(agent.stop(), 0, "{}", works.log());
    tap.until("a farewell", |event| {
        matches!(event, Event::Message { topic, payload, .. }
        if Kind::of_topic(topic) == Some(Kind::Link) && payload.windows(7).any(|w| w == b"stopped"))
    })
    .await;
    let report = tokio::task::spawn_blocking(move || small.join().unwrap()).await.unwrap();
    assert!(report.holds(), "{report:?}");
    // Whoever comes late is given what is retained; then nothing is left to come.
    let mut late = Tap::on(port).await;
    late.until_kind(Kind::Receipt, false, 0).await;
    let captured: Vec<Captured> = tap.captured.into_iter().chain(late.captured).collect();
    let (answers, unused) = named(&captured);
    let unnamed: Vec<String> = captured
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.starts_with("none"))
        .map(|(captured, answer)| format!("{}: {answer}", captured.topic))
        .collect();
    assert!(
        unnamed.is_empty(),
        "{} of {}: {:#?}",
        unnamed.len(),
        captured.len(),
        &unnamed[..unnamed.len().min(10)]
    );
    assert!(unused.is_subset(&UNSEEN.map(str::to_owned).into()), "never seen: {unused:?}");
    println!("{} messages, all named", captured.len());
}
