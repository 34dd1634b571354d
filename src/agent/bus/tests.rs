//! Both clients against a line that delivers whenever it likes. A register holds its own unit and address, so that a
//! value that went astray shows at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf},
    sync::mpsc,
    task::JoinSet,
};

use super::{
    mbap::{Mbap, Transactions},
    rtu::{Home, Pace},
    *,
};

/// How long the client waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 100;

fn word(unit: u8, at: u16) -> u16 {
    u16::from(unit) << 8 | at
}

/// A question of the run: unit, function, first register, how many.
#[derive(Clone, Copy, Debug)]
struct Asked {
    unit: u8,
    input: bool,
    at: u16,
    count: u16,
}

/// What becomes of an answer. A unit that is late, speaks in another's name or of another length, and hits just what is
/// awaited cannot be told from an honest one on a line without numbers; that is no delay but an impostor.
#[derive(Clone, Copy, Debug)]
enum Fate {
    After(u64),
    Lost,
    Refused(u64),
    Corrupt(u64),
    Short(u64),
    Long(u64),
    LongByOne(u64),
    ForeignUnit(u64),
    Twice(u64),
    InPieces(u64),
}

fn asked() -> impl Strategy<Value = Asked> {
    (1_u8..4, any::<bool>(), 0_u16..40, 1_u16..4).prop_map(|(unit, input, at, count)| Asked {
        unit,
        input,
        at,
        count,
    })
}

fn fate() -> impl Strategy<Value = Fate> {
    let delay = || prop_oneof![3 => 0_u64..20, 2 => 80_u64..400, 1 => 400_u64..5_000];
    prop_oneof![
        8 => delay().prop_map(Fate::After),
        2 => Just(Fate::Lost),
        1 => delay().prop_map(Fate::Refused),
        1 => delay().prop_map(Fate::Corrupt),
        1 => delay().prop_map(Fate::Short),
        1 => delay().prop_map(Fate::Long),
        1 => delay().prop_map(Fate::ForeignUnit),
        1 => delay().prop_map(Fate::Twice),
        1 => delay().prop_map(Fate::InPieces),
    ]
}

/// Waits in the virtual time of these tests.
async fn pass(ms: u64) {
    let _passed = tokio::time::timeout(Duration::from_millis(ms), std::future::pending::<()>()).await;
}

/// The bodies that come of a question's body under a fate, when, and whether in pieces.
fn outcome(unit: u8, body: &[u8], fate: Fate) -> (u64, u8, Vec<Vec<u8>>, bool) {
    let &[function, at_high, at_low, high, low] = body else { panic!("{body:?}") };
    let (at, count) = (u16::from_be_bytes([at_high, at_low]), u16::from_be_bytes([high, low]));
    let words = |count: u16| {
        let content: Vec<u8> = (at..at + count).flat_map(|at| word(unit, at).to_be_bytes()).collect();
        [&[function, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    };
    match fate {
        Fate::After(ms) => (ms, unit, vec![words(count)], false),
        Fate::InPieces(ms) => (ms, unit, vec![words(count)], true),
        Fate::Twice(ms) => (ms, unit, vec![words(count), words(count)], false),
        Fate::Lost => (0, unit, vec![], false),
        Fate::Refused(ms) => (ms, unit, vec![vec![function | 0x80, 6]], false),
        Fate::Short(ms) => (ms, unit, vec![words(0)], false),
        Fate::Long(ms) => (ms, unit, vec![words(count + 20)], false),
        Fate::LongByOne(ms) => (ms, unit, vec![words(count + 1)], false),
        Fate::ForeignUnit(ms) => (ms, unit + 100, vec![words(count)], false),
        Fate::Corrupt(ms) => (ms, unit, vec![words(count)], false),
    }
}

/// A question on its way to a unit: the header of its frame and its body.
type Letter = (Vec<u8>, Vec<u8>);
/// Takes a question's frame apart: header, unit, body; none if it is no frame.
type ReadRequest = fn(&[u8]) -> Option<(Vec<u8>, u8, Vec<u8>)>;

/// Units that answer in the order they were asked, each in its own time, to whoever is connected then.
struct Units {
    fates: Arc<Mutex<Vec<Fate>>>,
    to: BTreeMap<u8, mpsc::UnboundedSender<Letter>>,
    writer: Arc<tokio::sync::Mutex<Option<WriteHalf<DuplexStream>>>>,
    tasks: JoinSet<()>,
}

/// Builds a frame: header of the question, unit that answers, body, whether to spoil it.
type Wrap = fn(&[u8], u8, &[u8], bool) -> Vec<u8>;

impl Units {
    fn new(mut fates: Vec<Fate>, wrap: Wrap) -> Units {
        fates.reverse();
        let fates = Arc::new(Mutex::new(fates));
        let writer: Arc<tokio::sync::Mutex<Option<WriteHalf<DuplexStream>>>> = Arc::default();
        let (mut to, mut tasks) = (BTreeMap::new(), JoinSet::new());
        for unit in 1..4 {
            let (send, mut receive) = mpsc::unbounded_channel::<(Vec<u8>, Vec<u8>)>();
            to.insert(unit, send);
            let (fates, writer) = (fates.clone(), writer.clone());
            tasks.spawn(async move {
                while let Some((header, body)) = receive.recv().await {
                    let fate = fates.lock().unwrap().pop().unwrap_or(Fate::After(1));
                    let (ms, from, bodies, in_pieces) = outcome(unit, &body, fate);
                    pass(ms).await;
                    for body in bodies {
                        let bytes = wrap(&header, from, &body, matches!(fate, Fate::Corrupt(_)));
                        let mut writer = writer.lock().await;
                        let Some(writer) = writer.as_mut() else { continue };
                        for piece in bytes.chunks(if in_pieces { 1 } else { 300 }) {
                            let _gone = writer.write_all(piece).await;
                            pass(u64::from(in_pieces)).await;
                        }
                    }
                }
            });
        }
        Units { fates, to, writer, tasks }
    }

    /// Takes the place of the connection there was.
    async fn connect(&mut self, read: ReadRequest) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(4_096);
        let (mut reading, writing): (ReadHalf<DuplexStream>, _) = tokio::io::split(theirs);
        *self.writer.lock().await = Some(writing);
        let to = self.to.clone();
        self.tasks.spawn(async move {
            let mut bytes = [0; 64];
            while let Ok(count @ 1..) = reading.read(&mut bytes).await {
                let (header, unit, body) = read(&bytes[..count]).unwrap();
                let _gone = to[&unit].send((header, body));
            }
        });
        ours
    }
}

fn rtu_wrap(_: &[u8], unit: u8, body: &[u8], spoil: bool) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(body);
    let checksum = rtu_frame::crc16(&frame) ^ u16::from(spoil);
    frame.extend(checksum.to_le_bytes());
    frame
}

fn rtu_read(bytes: &[u8]) -> Option<(Vec<u8>, u8, Vec<u8>)> {
    let [unit, body @ .., _, _] = bytes else { return None };
    Some((vec![], *unit, body.to_vec()))
}

fn mbap_wrap(header: &[u8], unit: u8, body: &[u8], spoil: bool) -> Vec<u8> {
    let length = u16::try_from(body.len() + 1).unwrap();
    // A number far away: one that is awaited would be a lie that nobody could see.
    let mut frame = vec![header[0] ^ u8::from(spoil) << 7, header[1], 0, 0];
    frame.extend(length.to_be_bytes());
    frame.push(unit);
    frame.extend(body);
    frame
}

fn mbap_read(bytes: &[u8]) -> Option<(Vec<u8>, u8, Vec<u8>)> {
    let [t1, t2, _, _, _, _, unit, body @ ..] = bytes else { return None };
    Some((vec![*t1, *t2], *unit, body.to_vec()))
}

/// Asks once; true for an answer, which must then be the right one. The client is good for more unless this is an error.
async fn ask(client: &mut Box<dyn Client>, asked: Asked) -> Result<bool, Fault> {
    client.set_slave(Slave(asked.unit));
    let request = if asked.input {
        Request::ReadInputRegisters(asked.at, asked.count)
    } else {
        Request::ReadHoldingRegisters(asked.at, asked.count)
    };
    let answer = tokio::time::timeout(Duration::from_millis(PATIENCE_MS), client.call(request)).await;
    let words = match answer.map_err(|_| Fault::Timeout)? {
        Ok(Ok(Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words))) => words,
        Ok(Ok(other)) => panic!("{other:?}"),
        Ok(Err(_)) => return Ok(false),
        Err(error) => return Err(fault(&error)),
    };
    let right: Vec<u16> = (asked.at..asked.at + asked.count).map(|at| word(asked.unit, at)).collect();
    assert_eq!(words, right, "{asked:?} was given somebody else's answer");
    Ok(true)
}

/// Asks everything, then, once the line is honest again, until each unit has answered.
async fn ask_all(
    questions: &[Asked],
    mut units: Units,
    mut dial: impl AsyncFnMut(&mut Units) -> Option<Box<dyn Client>>,
) {
    let mut client = None;
    let honest = (1..4).cycle().take(60).map(|unit| Asked { unit, input: false, at: 7, count: 2 });
    let mut answered = BTreeMap::new();
    for (number, asked) in questions.iter().copied().chain(honest).enumerate() {
        if number == questions.len() {
            // From here on every unit is honest, and what it still owed has come or been lost.
            units.fates.lock().unwrap().clear();
            pass(1_000_000).await;
        }
        if client.is_none() {
            client = dial(&mut units).await;
        }
        let Some(line) = client.as_mut() else { continue };
        match ask(line, asked).await {
            Ok(right) => drop(answered.insert(asked.unit, right)),
            Err(_) => client = None,
        }
    }
    for unit in 1..4 {
        assert_eq!(answered.get(&unit), Some(&true), "unit {unit} answers honestly and is not heard");
    }
}

fn run_virtually(run: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(run);
}

const PACE: Pace = Pace {
    quiet: Duration::from_millis(4),
    broken_off: Duration::from_millis(20),
    answer: Duration::from_millis(PATIENCE_MS),
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_rtu_answer_becomes_another_questions(
        questions in prop::collection::vec(asked(), 1..40),
        fates in prop::collection::vec(fate(), 0..60),
    ) {
        run_virtually(async {
            let home = Home::new(PACE);
            ask_all(&questions, Units::new(fates, rtu_wrap), async |units| {
                let open = async {
                    let stream: Box<dyn Stream> = Box::new(units.connect(rtu_read).await);
                    Ok(stream)
                };
                home.client(open).await.ok()
            }).await;
        });
    }

    #[test]
    fn no_numbered_answer_becomes_another_questions_not_even_in_a_new_connection(
        questions in prop::collection::vec(asked(), 1..40),
        fates in prop::collection::vec(fate(), 0..60),
        first: u16,
    ) {
        run_virtually(async {
            let transactions = Transactions::from(first);
            ask_all(&questions, Units::new(fates, mbap_wrap), async |units| {
                let client: Box<dyn Client> =
                    Box::new(Mbap::new(units.connect(mbap_read).await, transactions.clone()));
                Some(client)
            }).await;
        });
    }
}

/// One unit on a line that gives every question back, as two-wire adapters do.
#[test]
fn an_echo_is_no_answer_and_hides_none() {
    run_virtually(async {
        let (ours, mut theirs) = tokio::io::duplex(256);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut bytes = [0; 64];
            while let Ok(count @ 1..) = theirs.read(&mut bytes).await {
                theirs.write_all(&bytes[..count]).await.unwrap();
                let (_, unit, body) = rtu_read(&bytes[..count]).unwrap();
                let (_, _, bodies, _) = outcome(unit, &body, Fate::After(0));
                pass(3).await;
                theirs.write_all(&rtu_wrap(&[], unit, &bodies[0], false)).await.unwrap();
            }
        });
        let home = Home::new(PACE);
        let mut client = home.client(async { Ok(Box::new(ours) as Box<dyn Stream>) }).await.unwrap();
        for at in 0..30 {
            let asked = Asked { unit: 2, input: at % 2 == 0, at, count: at % 4 + 1 };
            assert_eq!(ask(&mut client, asked).await, Ok(true));
        }
    });
}

/// Somebody else asks and is answered all the time.
#[test]
fn a_line_that_never_falls_silent_is_told_as_such() {
    run_virtually(async {
        let (ours, mut theirs) = tokio::io::duplex(256);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while theirs.write_all(&rtu_wrap(&[], 9, &[3, 2, 0, 1], false)).await.is_ok() {
                pass(2).await;
            }
        });
        let home = Home::new(PACE);
        let mut client = home.client(async { Ok(Box::new(ours) as Box<dyn Stream>) }).await.unwrap();
        client.set_slave(Slave(1));
        let error = client.call(Request::ReadHoldingRegisters(0, 1)).await.unwrap_err();
        assert_eq!(fault(&error), Fault::Garbage);
        assert!(error.to_string().contains("another master"), "{error}");
        assert!(home.discarded() > 100);
    });
}

#[test]
fn a_client_given_up_in_the_middle_of_an_answer_asks_no_more() {
    run_virtually(async {
        let (ours, _theirs) = tokio::io::duplex(256);
        let mut client: Box<dyn Client> = Box::new(Mbap::new(ours, Transactions::from(0)));
        let asked = Asked { unit: 1, input: false, at: 0, count: 1 };
        assert_eq!(ask(&mut client, asked).await, Err(Fault::Timeout));
        assert_eq!(ask(&mut client, asked).await, Err(Fault::Closed));
    });
}

/// A device, or somebody on the way, that knows the next number.
#[test]
fn what_came_before_its_question_is_no_answer_to_it() {
    run_virtually(async {
        let (ours, mut theirs) = tokio::io::duplex(256);
        let mut client: Box<dyn Client> = Box::new(Mbap::new(ours, Transactions::from(0)));
        for transaction in [0, 1] {
            theirs.write_all(&[0, transaction, 0, 0, 0, 5, 1, 3, 2, 1, 0]).await.unwrap();
        }
        let asked = Asked { unit: 1, input: false, at: 0, count: 1 };
        assert_eq!(ask(&mut client, asked).await, Ok(true));
        assert_eq!(ask(&mut client, asked).await, Err(Fault::Mismatch));
    });
}

/// What a gateway may do that a long answer looks like a settling one: no wrong value, and no silence for ever.
#[test]
fn a_lie_about_length_confuses_the_line_for_a_while_only() {
    let asked = |unit| Asked { unit, input: false, at: 0, count: 1 };
    let questions = [1, 3, 1, 1, 2, 2, 1].map(asked);
    run_virtually(async {
        let home = Home::new(PACE);
        ask_all(&questions, Units::new(vec![Fate::LongByOne(405)], rtu_wrap), async |units| {
            let open = async {
                let stream: Box<dyn Stream> = Box::new(units.connect(rtu_read).await);
                Ok(stream)
            };
            home.client(open).await.ok()
        })
        .await;
    });
}

#[test]
fn an_answer_that_comes_by_itself_is_told_as_late_and_settles_what_was_owed() {
    run_virtually(async {
        let (ours, mut theirs) = tokio::io::duplex(256);
        let home = Home::new(PACE);
        let mut client = home.client(async { Ok(Box::new(ours) as Box<dyn Stream>) }).await.unwrap();
        let asked = Asked { unit: 2, input: false, at: 3, count: 1 };
        assert_eq!(ask(&mut client, asked).await, Err(Fault::Timeout));
        theirs.write_all(&rtu_wrap(&[], 2, &[3, 2, 0, 9], false)).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut bytes = [0; 16];
            let first = theirs.read(&mut bytes).await.unwrap();
            let second = theirs.read(&mut bytes[first..]).await.unwrap();
            assert_eq!(
                (first, second, bytes[..8] == bytes[8..]),
                (8, 8, true),
                "no other question is needed"
            );
            theirs.write_all(&rtu_wrap(&[], 2, &[3, 2, 2, 3], false)).await.unwrap();
        });
        assert_eq!(ask(&mut client, asked).await, Ok(true));
        let mut late = Vec::new();
        home.late(&mut |unit| late.push(unit));
        assert_eq!((late, home.discarded()), (vec![2], 7));
    });
}
