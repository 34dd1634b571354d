//! The verbs over a connection that is none, in time that is none.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a line answers what it knows, and anything else in one way"
)]

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
};

use tokio_modbus::{ExceptionCode, Request, Response, Slave, client::Client, slave::SlaveContext};

use super::{
    identify,
    library::Library,
    listen::{Ear, LISTEN_MS, Line, Opening},
    probe,
    scan::{self, Orders, Way},
    screen::Screen,
    traffic, tune,
};
use crate::{
    agent::bus::{Dial, Dialling},
    host::{Clock, Exit, Failure, clock::Wait},
    metering::decode::Declared,
    terms::{ClockQuality, MilliVolts, Stamp, words::Language},
};

/// Time that jumps to whenever somebody waits for, with the runtime's.
struct Still(tokio::time::Instant);

impl Still {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's clock stands still here, and this one with it"
    )]
    fn now_of_runtime() -> tokio::time::Instant {
        tokio::time::Instant::now()
    }

    fn new() -> Still {
        Still(Still::now_of_runtime())
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from((Still::now_of_runtime() - self.0).as_millis()).unwrap()
    }
}

impl Clock for Still {
    fn now(&self) -> Stamp {
        Stamp {
            wall_unix_ms: 0,
            uptime_ms: self.elapsed_ms(),
            boot: 1,
            clock: ClockQuality::Unset,
            error_ms: 0,
        }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        Box::pin(tokio::time::sleep_until(self.0 + std::time::Duration::from_millis(uptime_ms)))
    }

    fn set_boot(&self, _: u32) {}
}

/// What a line does with a question.
#[derive(Clone, Debug)]
enum Does {
    Words(Vec<u16>),
    Says(Response),
    Exception(u8),
    Nothing,
    HangUp,
    Garbage,
}

type Behaviour = Arc<dyn Fn(u8, &Request<'_>) -> Does + Send + Sync>;

/// A line with a behaviour; remembers the questions.
#[derive(Clone)]
struct Fake {
    behaviour: Behaviour,
    refuses: bool,
    asked: Arc<Mutex<Vec<(u8, String)>>>,
}

impl Fake {
    fn new(behaviour: impl Fn(u8, &Request<'_>) -> Does + Send + Sync + 'static) -> Fake {
        Fake { behaviour: Arc::new(behaviour), refuses: false, asked: Arc::default() }
    }
}

impl Dial for Fake {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(async {
            if self.refuses {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let client: Box<dyn Client> = Box::new(FakeClient { line: self.clone(), unit: 0 });
            Ok(client)
        })
    }
}

struct FakeClient {
    line: Fake,
    unit: u8,
}

impl SlaveContext for FakeClient {
    fn set_slave(&mut self, slave: Slave) {
        self.unit = slave.0;
    }
}

type Called<'c> = Pin<Box<dyn Future<Output = tokio_modbus::Result<Response>> + Send + 'c>>;

impl Client for FakeClient {
    fn call<'a, 'r, 'c>(&'a mut self, request: Request<'r>) -> Called<'c>
    where
        'a: 'c,
        'r: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            self.line.asked.lock().unwrap().push((self.unit, format!("{request:?}")));
            match (self.line.behaviour)(self.unit, &request) {
                Does::Words(words) => Ok(Ok(match request {
                    Request::ReadInputRegisters(..) => Response::ReadInputRegisters(words),
                    _ => Response::ReadHoldingRegisters(words),
                })),
                Does::Says(response) => Ok(Ok(response)),
                Does::Exception(code) => Ok(Err(ExceptionCode::new(code))),
                Does::Nothing => std::future::pending().await,
                Does::HangUp => Err(tokio_modbus::Error::Transport(io::ErrorKind::BrokenPipe.into())),
                Does::Garbage => Err(tokio_modbus::Error::Transport(io::ErrorKind::InvalidData.into())),
            }
        })
    }

    fn disconnect<'a, 'c>(&'a mut self) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'c>>
    where
        'a: 'c,
        Self: 'c,
    {
        Box::pin(async { Ok(()) })
    }
}

/// A line on which these bytes are heard, and then nothing more.
struct Heard(Vec<u8>);

impl Ear for Heard {
    fn open(&self) -> Opening<'_> {
        Box::pin(async {
            let (near, mut far) = tokio::io::duplex(1_024);
            tokio::io::AsyncWriteExt::write_all(&mut far, &self.0).await?;
            // The other end stays open, or the line would have ended.
            std::mem::forget(far);
            let line: Line = Box::new(near);
            Ok(Some(line))
        })
    }
}

/// Registers of the Eastron map: f32, function 4.
fn eastron(request: &Request<'_>, volts: f32) -> Does {
    let Request::ReadInputRegisters(at, count) = request else { return Does::Exception(1) };
    let register = |address: u16| match address & !1 {
        0 | 2 | 4 => volts,
        0x46 => 50.02,
        _ => 0.0,
    };
    let word = |address: u16| {
        let bits = register(address).to_bits().to_be_bytes();
        let (high, low) = ([bits[0], bits[1]], [bits[2], bits[3]]);
        u16::from_be_bytes(if address & 1 == 0 { high } else { low })
    };
    Does::Words((*at..*at + *count).map(word).collect())
}

struct Scanned {
    outcome: Result<Exit, Failure>,
    text: String,
    took_ms: u64,
}

async fn scanned(fake: &Fake, heard: Option<Vec<u8>>, ids: &str, json: bool) -> Scanned {
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let ear = heard.map(Heard);
    let ear: Option<&dyn Ear> = ear.as_ref().map(|ear| ear as &dyn Ear);
    let ways = [Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: fake, ear, tls: None }];
    let orders =
        Orders { ways: &ways, ids: scan::ids(ids).unwrap(), deadline_ms: 500, gap_ms: 0, identify: false };
    let mut text = String::new();
    let mut say = |line: &str| text += &format!("{line}\n");
    let mut screen = Screen::new(&mut say, Language::English, json);
    let outcome = scan::scan(&clock, &library, &orders, &mut screen).await;
    Scanned { outcome, text, took_ms: clock.elapsed_ms() }
}

fn line_of<'t>(text: &'t str, id: &str) -> &'t str {
    text.lines()
        .find(|line| line.starts_with(&format!("id {id} ")))
        .unwrap_or_else(|| panic!("{id} in {text}"))
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_answer_is_told_apart() {
    let fake = Fake::new(|unit, request| match unit {
        1 => eastron(request, 230.4),
        2 => Does::Nothing,
        3 => Does::Exception(11),
        4 => Does::Exception(10),
        5 => match request {
            Request::ReadInputRegisters(_, count) | Request::ReadHoldingRegisters(_, count) => {
                Does::Words(vec![0; usize::from(*count)])
            }
            _ => Does::Exception(1),
        },
        6 => Does::Garbage,
        7 => Does::Exception(2),
        8 => Does::HangUp,
        // Ones in single registers: no voltage of any map.
        _ => match request {
            Request::ReadInputRegisters(_, 1) | Request::ReadHoldingRegisters(_, 1) => Does::Words(vec![1]),
            _ => Does::Exception(2),
        },
    });
    let Scanned { outcome, text, .. } = scanned(&fake, None, "1-9", false).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    for (id, said) in [
        ("1", "meter: voltage_l1 230.4 V (400 V system); candidates: eastron-"),
        ("2", "no answer"),
        ("3", "exception 11 from the gateway"),
        ("4", "exception 10 from the gateway"),
        ("5", "answers zeros only"),
        ("6", "garbage"),
        ("7", "something is there but answers only exception 2"),
        ("8", "accepts and hangs up"),
        ("9", "no known meter fits"),
    ] {
        assert!(line_of(&text, id).contains(said), "{id}: {said} in\n{text}");
    }
    assert!(text.contains("found 1 meters and 2 other devices at 9 ids (tcp)"), "{text}");
    assert!(text.contains("ids not asked: 10-247"), "{text}");
    let asked = fake.asked.lock().unwrap();
    assert!(
        asked.iter().all(|(_, q)| q.starts_with("ReadHolding") || q.starts_with("ReadInput")),
        "reads only"
    );
    assert_eq!(asked.iter().filter(|(unit, _)| *unit == 2).count(), 2, "a silent id costs two questions");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_answers_it_says_why_and_ends_with_69() {
    let cases: [(Does, &str); 4] = [
        (Does::Nothing, "port open, no answer: another master?"),
        (Does::HangUp, "accepts and hangs up"),
        (Does::Garbage, "only garbage came"),
        (Does::Exception(11), "the gateway answers exception 11"),
    ];
    for (does, said) in cases {
        let behaviour = does.clone();
        let scanned = scanned(&Fake::new(move |_, _| behaviour.clone()), None, "1-4", false).await;
        let failure = scanned.outcome.unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.message.contains(said), "{does:?}: {failure}");
    }
    let refusing = Fake { refuses: true, ..Fake::new(|_, _| Does::Nothing) };
    let scanned = scanned(&refusing, None, "1-32", false).await;
    assert!(scanned.outcome.unwrap_err().message.contains("nobody accepts connections"));
    assert_eq!(scanned.text.matches("\nid ").count(), 1, "one refusal is enough\n{}", scanned.text);
}

#[tokio::test(start_paused = true)]
async fn a_serial_line_is_listened_to_for_ten_seconds_before_anybody_speaks() {
    let fake = Fake::new(|_, request| eastron(request, 230.4));
    let quiet = scanned(&fake, Some(Vec::new()), "1", false).await;
    assert!(quiet.outcome.is_ok() && quiet.took_ms >= LISTEN_MS, "{}", quiet.took_ms);
    fake.asked.lock().unwrap().clear();
    let another_master = traffic::tests::framed(&[4, 3, 0, 0, 0, 2]);
    let busy = scanned(&fake, Some(another_master), "1", false).await;
    let failure = busy.outcome.unwrap_err();
    assert_eq!(failure.exit, Exit::Retry);
    assert!(
        failure.message.contains("1 Modbus frames, units 4")
            && failure.message.contains("Stop or disconnect")
    );
    assert!(fake.asked.lock().unwrap().is_empty(), "nothing was asked");
}

#[tokio::test(start_paused = true)]
async fn for_a_machine_it_is_one_object() {
    let fake = Fake::new(|unit, request| if unit == 1 { eastron(request, 230.4) } else { Does::Nothing });
    let scanned = scanned(&fake, None, "1-2", true).await;
    let json: serde_json::Value = serde_json::from_str(&scanned.text).unwrap();
    assert_eq!((&json["meters"], &json["framing"]), (&1.into(), &"tcp".into()));
    assert_eq!((&json["ids"][0]["what"], &json["ids"][1]["what"]), (&"meter".into(), &"silent".into()));
    assert!(json["ids"][0]["candidates"][0]["tested"].as_str().unwrap().len() > 5);
    assert!(json["block"].as_str().unwrap().contains("unit = 1"), "{json}");
}

#[tokio::test(start_paused = true)]
async fn where_tcp_framing_gets_nothing_rtu_framing_is_tried_and_said() {
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let (deaf, line) = (Fake::new(|_, _| Does::Nothing), Fake::new(|_, request| eastron(request, 230.4)));
    let way = |framing, dial| Way {
        endpoint: format!("{framing}://10.1.4.7:502"),
        framing,
        dial,
        ear: None,
        tls: None,
    };
    let ways = [way("tcp", &deaf as &dyn Dial), way("rtu+tcp", &line)];
    let orders = Orders { ways: &ways, ids: vec![1, 2], deadline_ms: 500, gap_ms: 0, identify: false };
    let mut text = String::new();
    let mut say = |line: &str| text += &format!("{line}\n");
    let mut screen = Screen::new(&mut say, Language::English, false);
    assert_eq!(scan::scan(&clock, &library, &orders, &mut screen).await.unwrap(), Exit::Done);
    assert!(text.contains("nothing answers Modbus TCP framing; trying rtu+tcp"), "{text}");
    assert!(text.contains("endpoint = \"rtu+tcp://10.1.4.7:502\""), "{text}");
}

/// Runs a probe over a fake; the outcome and what was printed.
async fn probed(fake: &Fake, profile: Option<&str>, json: bool) -> (Result<Exit, Failure>, String) {
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way = Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: fake, ear: None, tls: None };
    let orders = probe::Orders {
        unit: 1,
        profile: profile.map(|id| library.named(id).unwrap()),
        given: Declared::default(),
        nominal: Some(MilliVolts(400_000)),
        at: None,
        deadline_ms: 500,
    };
    let mut text = String::new();
    let mut say = |line: &str| text += &format!("{line}\n");
    let mut screen = Screen::new(&mut say, Language::English, json);
    let outcome = probe::probe(&clock, &library, &way, &orders, &mut screen).await;
    (outcome, text)
}

#[tokio::test(start_paused = true)]
async fn a_probe_prints_exactly_quantities_identity_and_problems() {
    let fake = Fake::new(|_, request| match eastron(request, 230.4) {
        Does::Words(mut words) => {
            let Request::ReadInputRegisters(at, _) = request else { return Does::Exception(1) };
            // The export counter says that it is not there.
            if let Some(word) = 0x4A_u16.checked_sub(*at).and_then(|i| words.get_mut(usize::from(i))) {
                *word = 0x7FC0;
            }
            Does::Words(words)
        }
        other => other,
    });
    let (outcome, text) = probed(&fake, Some("eastron-sdm630"), true).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["identity", "problems", "quantities"]);
    assert_eq!(json["quantities"]["voltage_l1"], serde_json::json!({"value": 230.4, "unit": "V"}));
    assert!(text.contains("\"value\": 230.4,"), "exact, not 230.39999\n{text}");
    assert_eq!(json["quantities"]["export"]["value"], serde_json::Value::Null, "absent is not zero");
    assert_eq!(json["identity"]["profile"], "eastron-sdm630");
    assert!(json["problems"].is_array());
    let (_, shown) = probed(&fake, Some("eastron-sdm630"), false).await;
    for said in ["voltage_l1", "230.4 V", "+ near the nominal voltage", "50.02 Hz", "+ the mains", "tested:"]
    {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_map_that_counts_from_one_is_recognised_by_its_neighbour() {
    let fake = Fake::new(|_, request| match request {
        Request::ReadInputRegisters(at, count) if *at > 0 => {
            eastron(&Request::ReadInputRegisters(at - 1, *count), 230.4)
        }
        _ => Does::Exception(2),
    });
    let (outcome, text) = probed(&fake, Some("eastron-sdm630"), false).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    assert!(
        text.contains(
            "fc 4 register 0 (0x0000, 30001) could not be read: exception 2 (illegal data address)"
        ) && text.contains("address 1 next to it gives 230.4 V"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_answers_ends_with_69_and_shows_no_number() {
    for does in [Does::Nothing, Does::HangUp, Does::Garbage, Does::Exception(11)] {
        for profile in [Some("eastron-sdm630"), None] {
            let behaviour = does.clone();
            let (outcome, text) = probed(&Fake::new(move |_, _| behaviour.clone()), profile, true).await;
            assert_eq!(outcome.unwrap_err().exit, Exit::Unreachable, "{does:?} {profile:?}");
            assert_eq!(text, "", "{does:?} {profile:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_map_the_fitting_ones_stand_side_by_side_and_zeros_are_no_meter() {
    let fake = Fake::new(|_, request| eastron(request, 230.4));
    let (outcome, text) = probed(&fake, None, false).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    assert!(text.contains("read as eastron-") && text.contains("voltage_l2 230.4 V"), "{text}");
    let echo = Fake::new(|_, request| match request {
        Request::ReadInputRegisters(_, count) | Request::ReadHoldingRegisters(_, count) => {
            Does::Words(vec![0; usize::from(*count)])
        }
        _ => Does::Exception(1),
    });
    let (outcome, text) = probed(&echo, None, true).await;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((outcome.unwrap(), &json["quantities"]), (Exit::Done, &serde_json::json!({})));
    assert_eq!(json["problems"][0]["code"], "only_zeros");
}

#[tokio::test(start_paused = true)]
async fn a_meter_is_measured_in_under_a_minute() {
    let fake = Fake::new(|_, request| match request {
        Request::ReadInputRegisters(_, count) if *count > 80 => Does::Exception(3),
        request => eastron(request, 230.4),
    });
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way =
        Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: &fake, ear: None, tls: None };
    let mut text = String::new();
    let mut say = |line: &str| text += &format!("{line}\n");
    let mut screen = Screen::new(&mut say, Language::English, false);
    let meter = (1, Some(library.named("eastron-sdm630").unwrap()));
    let outcome = tune::tune(&clock, &library, &way, meter, 2_000, &mut screen).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    for line in ["timeout_ms = 200\n", "gap_ms = 0\n", "\nmax_regs = 80 "] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    // What it proposes is taken where it says to paste it.
    let proposed: Vec<&str> = text.lines().filter(|line| line.contains(" = ")).collect();
    let meters = concat!(env!("CARGO_MANIFEST_DIR"), "/config/meters");
    let example = include_str!("../../../config/agent.toml")
        .replace("profiles = \"meters\"", &format!("profiles = \"{meters}\""))
        .replacen("poll_ms = 1000\n", &format!("poll_ms = 1000\n{}\n", proposed.join("\n")), 1);
    let path = std::env::temp_dir().join(format!("coldhearth-tuned-{}.toml", std::process::id()));
    std::fs::write(&path, example).unwrap();
    let config = crate::agent::config::load(&path).map_err(|flaws| format!("{flaws:#?}")).unwrap();
    std::fs::remove_file(&path).unwrap();
    let meter = &config.meters[0];
    assert_eq!((meter.timeout_ms, meter.profile.gap_ms, meter.profile.max_regs), (Some(200), 0, 80));
    let asked = fake.asked.lock().unwrap().len();
    assert!(clock.elapsed_ms() < 60_000 && asked < 80, "{} ms, {asked} reads", clock.elapsed_ms());
}

#[tokio::test(start_paused = true)]
async fn who_a_meter_is_comes_from_all_ways_and_what_is_silent_is_said() {
    use tokio_modbus::prelude::{
        ConformityLevel, DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse,
    };

    let object = |id, text: &str| DeviceIdObject { id, value: text.as_bytes().to_vec().into() };
    let fake = Fake::new(move |_, request| match request {
        // Basic identification in two answers.
        Request::ReadDeviceIdentification(_, first) => {
            let (objects, more) = match first {
                0 => (vec![object(0, "Works"), object(1, "W-1")], true),
                2 => (vec![object(2, "1.4")], false),
                _ => return Does::Exception(2),
            };
            Does::Says(Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
                read_code: ReadCode::Basic,
                conformity_level: ConformityLevel::BasicIdentificationStreamOnly,
                more_follows: more,
                next_object_id: if more { 2 } else { 0 },
                device_id_objects: objects,
            }))
        }
        Request::ReportServerId => Does::Nothing,
        request => eastron(request, 230.4),
    });
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way =
        Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: &fake, ear: None, tls: None };
    let mut text = String::new();
    let mut say = |line: &str| text += line;
    let mut screen = Screen::new(&mut say, Language::English, true);
    let outcome = identify::identify(&clock, &library, &way, 1, 500, &mut screen).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let identity = &json["identity"];
    assert_eq!(
        (&identity["route"], &identity["maker"], &identity["model"], &identity["firmware"]),
        (&"device_id".into(), &"Works".into(), &"W-1".into(), &"1.4".into())
    );
    assert!(identity["silent"].as_array().unwrap().contains(&"server_id".into()), "{json}");
    assert_eq!(identity["fingerprint"].as_str().unwrap().len(), 64);
    assert!(json["profiles"][0]["profile"].as_str().unwrap().starts_with("eastron"), "{json}");
    let codes: Vec<bool> = json["routes"].as_array().unwrap().iter().map(|r| r["answered"] == true).collect();
    assert_eq!(codes, [true, false, false, false], "{json}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_tells_who_the_meter_is_and_no_register_is_asked_for_twice() {
    let mut words = vec![0x5375, 0x6E53, 1, 66];
    for (text, count) in [("Maker", 16), ("Meter", 16), ("", 8), ("2.5", 8), ("SN-9", 16), ("", 2)] {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(2 * count, 0);
        words.extend(bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
    }
    words.extend([203, 105]);
    words.extend([0; 105]);
    words.extend([0xFFFF, 0]);
    let fake = Fake::new(move |_, request| match request {
        Request::ReadHoldingRegisters(at, count) => {
            let from = at.checked_sub(40_000).map(usize::from);
            let told = from.and_then(|from| words.get(from..from + usize::from(*count)));
            told.map_or(Does::Exception(2), |told| Does::Words(told.to_vec()))
        }
        Request::ReadInputRegisters(..) => Does::Exception(2),
        _ => Does::Exception(1),
    });
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way =
        Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: &fake, ear: None, tls: None };
    let mut text = String::new();
    let mut say = |line: &str| text += line;
    let mut screen = Screen::new(&mut say, Language::English, true);
    let outcome = identify::identify(&clock, &library, &way, 1, 500, &mut screen).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let told = ["route", "maker", "model", "firmware", "serial"].map(|member| &json["identity"][member]);
    assert_eq!(told, ["sunspec", "Maker", "Meter", "2.5", "SN-9"], "{json}");
    assert_eq!(json["profiles"][0]["profile"], "sunspec-203", "{json}");
    let asked = fake.asked.lock().unwrap();
    let once: std::collections::BTreeSet<_> = asked.iter().collect();
    assert_eq!(once.len(), asked.len(), "{asked:?}");
}
