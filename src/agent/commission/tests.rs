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

mod measured;

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
