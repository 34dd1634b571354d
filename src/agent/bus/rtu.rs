//! Modbus RTU, strictly, over a serial line or through a transparent serial server.
//!
//! Nobody but [`Debts`] says which frame answers which question. After anything but an answer the line is listened to
//! until it has been silent; what comes meanwhile is thrown away and counted. The line outlives its clients, so that a
//! client which was given up in the middle of an answer leaves nothing to the next one.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_modbus::{
    client::Client,
    prelude::{ExceptionCode, Request, Response, Slave, SlaveContext},
};

use super::{
    Hindrance, Stream,
    debt::{Debts, Heard},
    not_asked,
    pdu::{Question, Shape},
    rtu_frame::{self, MAX_FRAME_BYTES, Sift, sift},
    untrue,
};
use crate::metering::Fault;

/// Longest wait for a line to fall silent, in milliseconds; who talks longer is another master.
pub const DRAIN_LIMIT_MS: u64 = 3_000;
/// Most bytes looked through for one answer.
const MAX_INBOX_BYTES: usize = 2 * MAX_FRAME_BYTES;

/// Most questions put before another one to settle what is owed.
const MAX_SETTLING: usize = 3;

/// Most late answers told of at a time.
const MAX_LATE: usize = 32;

/// How a line keeps time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Silence between two frames: 3.5 characters, on slow lines.
    pub(super) quiet: Duration,
    /// Silence in the middle of a frame after which it is broken off.
    pub(super) broken_off: Duration,
    /// How long the slowest unit takes to answer; silence for so long ends all disorder.
    pub(super) answer: Duration,
}

/// What the line is doing as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Nothing is awaited.
    Quiet,
    /// Something was asked, and not a byte has come.
    Asked,
    /// Bytes have come that were no answer yet.
    Restless,
}

/// One line and what is known of it.
struct Line {
    /// Absent until opened, and after any error: it is closed first, so that an adapter that comes back finds its name free.
    stream: Option<Box<dyn Stream>>,
    rest: Rest,
    debts: Debts,
    inbox: heapless::Vec<u8, MAX_INBOX_BYTES>,
}

/// Where a line waits while no client has it.
#[derive(Clone)]
pub(super) struct Home {
    line: Arc<Mutex<Option<Box<Line>>>>,
    strays: Arc<Strays>,
    pace: Pace,
}

/// What came on a line and was nobody's.
#[derive(Default)]
struct Strays {
    bytes: AtomicU64,
    /// Units whose answers came after nobody waited for them any more.
    late: Mutex<heapless::Vec<u8, MAX_LATE>>,
}

impl Strays {
    fn throw(&self, bytes: usize) {
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
    }

    fn late(&self, unit: u8) {
        // More than fit are still counted as bytes.
        let _full = self.late.lock().unwrap_or_else(PoisonError::into_inner).push(unit);
    }
}

impl Home {
    pub(super) fn new(pace: Pace) -> Home {
        let line =
            Line { stream: None, rest: Rest::Quiet, debts: Debts::default(), inbox: heapless::Vec::new() };
        Home { line: Arc::new(Mutex::new(Some(Box::new(line)))), strays: Arc::default(), pace }
    }

    /// Bytes thrown away since this was asked last.
    pub(super) fn discarded(&self) -> u64 {
        self.strays.bytes.swap(0, Ordering::Relaxed)
    }

    /// Tells each unit whose answer came too late since this was asked last.
    pub(super) fn late(&self, told: &mut dyn FnMut(u8)) {
        let mut late = self.strays.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.iter().copied().for_each(told);
        late.clear();
    }

    /// Closes a line that nobody uses.
    pub(super) fn close(&self) {
        if let Some(line) = self.line.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            line.stream = None;
        }
    }

    /// Whether the line is open, with no client on it.
    pub(super) fn is_open(&self) -> bool {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.as_ref().is_some_and(|line| line.stream.is_some())
    }

    /// A client of a line that is open and has fallen silent.
    pub(super) async fn client(
        &self,
        open: impl Future<Output = io::Result<Box<dyn Stream>>>,
    ) -> io::Result<Box<dyn Client>> {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut client = Rtu { line, home: self.clone(), unit: 0 };
        let line = client.line()?;
        if line.stream.is_none() {
            line.stream = Some(open.await?);
            line.rest = Rest::Quiet;
        }
        client.calm().await?;
        Ok(Box::new(client))
    }
}

/// The one client of a line.
struct Rtu {
    line: Option<Box<Line>>,
    home: Home,
    unit: u8,
}

impl Drop for Rtu {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            *self.home.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
        }
    }
}

impl Rtu {
    fn line(&mut self) -> io::Result<&mut Line> {
        let taken = || Hindrance::DeviceTaken.into();
        self.line.as_deref_mut().ok_or_else(taken)
    }

    /// After disorder: waits until nothing can be under way any more.
    async fn calm(&mut self) -> io::Result<()> {
        let Pace { quiet, answer, .. } = self.home.pace;
        let silence = match self.line()?.rest {
            Rest::Restless => answer.max(quiet),
            // Not a byte came while an answer was awaited, so that the silence is already as long.
            Rest::Quiet | Rest::Asked => return Ok(()),
        };
        self.silent_for(silence).await?;
        self.line()?.rest = Rest::Quiet;
        Ok(())
    }

    /// Throws away what comes until nothing has come for so long.
    async fn silent_for(&mut self, silence: Duration) -> io::Result<()> {
        let strays = self.home.strays.clone();
        let Line { stream, rest, debts, .. } = self.line()?;
        let stream = stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut thrown = [0; MAX_FRAME_BYTES];
        let listen = async {
            while let Ok(read) = timeout(silence, stream.read(&mut thrown)).await {
                let bytes = read?;
                if bytes == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *rest = Rest::Restless;
                strays.throw(bytes);
                // An answer that comes by itself settles what its unit owed.
                let came = thrown.get(..bytes).unwrap_or(&[]);
                if let (Sift::Frame(0, to), [unit, body @ .., _, _]) =
                    (sift(came, &[], |_| false, true), came)
                    && to == bytes
                    && debts.hear(*unit, body) != Heard::Foreign
                {
                    strays.late(*unit);
                }
            }
            Ok(())
        };
        let limit = Duration::from_millis(DRAIN_LIMIT_MS).max(silence * 2);
        match timeout(limit, listen).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => self.lost(error),
            Err(_) => Err(Hindrance::NotSilent.into()),
        }
    }

    /// Closes the line at its first error.
    fn lost<T>(&mut self, error: io::Error) -> io::Result<T> {
        let line = self.line()?;
        (line.stream, line.rest) = (None, Rest::Quiet);
        Err(error)
    }

    /// Asks one question and takes the first frame that answers it.
    async fn exchange(
        &mut self,
        question: &Question,
        settles: bool,
    ) -> io::Result<Result<Response, ExceptionCode>> {
        let (unit, strays) = (self.unit, self.home.strays.clone());
        let line = self.line()?;
        if !line.debts.ask(unit, question.shape, settles) {
            return Err(untrue(Fault::Mismatch));
        }
        // What came behind the last answer belongs to nobody.
        strays.throw(line.inbox.len());
        line.inbox.clear();
        line.rest = Rest::Asked;
        let frame = rtu_frame::frame(unit, &question.body);
        let stream = line.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let asked = async {
            stream.write_all(&frame).await?;
            stream.flush().await
        };
        if let Err(error) = asked.await {
            return self.lost(error);
        }
        let mut echo = frame.as_slice();
        loop {
            let ended = self.listen().await?;
            while let Some(frame) = self.next_frame(&mut echo, ended)? {
                if let Some(answer) = self.hear(question.shape, &frame)? {
                    return Ok(answer);
                }
            }
            if ended {
                return Err(untrue(Fault::Garbage));
            }
        }
    }

    /// Takes in what comes; true when the line falls silent in the middle of something.
    async fn listen(&mut self) -> io::Result<bool> {
        let broken_off = self.home.pace.broken_off;
        let line = self.line()?;
        let stream = line.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut bytes = [0; MAX_FRAME_BYTES];
        let reading = stream.read(&mut bytes);
        let read = if line.inbox.is_empty() {
            reading.await
        } else {
            match timeout(broken_off, reading).await {
                Ok(read) => read,
                Err(_) => return Ok(true),
            }
        };
        match read {
            Ok(0) => self.lost(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => self.lost(error),
            Ok(read) => {
                line.rest = Rest::Restless;
                let taken = line.inbox.extend_from_slice(bytes.get(..read).unwrap_or(&[]));
                taken.map(|()| false).map_err(|_| untrue(Fault::Garbage))
            }
        }
    }

    /// The next whole frame of what has come; noise and echo are thrown away.
    fn next_frame(
        &mut self,
        echo: &mut &[u8],
        ended: bool,
    ) -> io::Result<Option<heapless::Vec<u8, MAX_FRAME_BYTES>>> {
        let strays = self.home.strays.clone();
        let line = self.line()?;
        loop {
            let debts = &line.debts;
            let (from, to) = match sift(&line.inbox, echo, |unit| debts.owes(unit), ended) {
                Sift::Wait => return Ok(None),
                Sift::Echo(to) => (to, to),
                Sift::Frame(from, to) => (from, to),
            };
            let frame = line.inbox.get(from..to).map(heapless::Vec::from_slice);
            line.inbox = line.inbox.iter().skip(to).copied().collect();
            if from == to {
                *echo = &[];
                continue;
            }
            strays.throw(from);
            return Ok(frame.and_then(Result::ok));
        }
    }

    /// What a frame is worth: the answer, nothing, or the end of the exchange.
    fn hear(&mut self, shape: Shape, frame: &[u8]) -> io::Result<Option<Result<Response, ExceptionCode>>> {
        let (own, strays) = (self.unit, self.home.strays.clone());
        let line = self.line()?;
        let [unit, body @ .., _, _] = frame else { return Err(untrue(Fault::Garbage)) };
        match line.debts.hear(*unit, body) {
            Heard::Answer if *unit == own => {
                let answer = shape.read(body).map_err(untrue)?;
                line.rest = Rest::Quiet;
                Ok(Some(answer))
            }
            Heard::Answer | Heard::Late => {
                strays.throw(frame.len());
                strays.late(*unit);
                Ok(None)
            }
            Heard::Foreign if *unit == own && body.first() == Some(&shape.function) => {
                Err(untrue(Fault::WrongLength))
            }
            Heard::Foreign => Err(untrue(Fault::Mismatch)),
        }
    }

    async fn ask(&mut self, question: &Question) -> io::Result<Result<Response, ExceptionCode>> {
        self.calm().await?;
        let unit = self.unit;
        for _ in 0..MAX_SETTLING {
            // The silence between frames; what comes in it may settle what was owed.
            self.silent_for(self.home.pace.quiet).await?;
            let Some(settling) = self.line()?.debts.settling(unit, question.shape) else {
                return self.exchange(question, false).await;
            };
            let settling = question.settling(settling).ok_or_else(not_asked)?;
            let refused = self.exchange(&settling, true).await?.err();
            if let (Some(exception), Some(_)) = (refused, self.line()?.debts.settling(unit, question.shape)) {
                return Ok(Err(exception));
            }
        }
        Err(untrue(Fault::Mismatch))
    }
}

impl SlaveContext for Rtu {
    fn set_slave(&mut self, slave: Slave) {
        self.unit = slave.0;
    }
}

#[async_trait::async_trait]
impl Client for Rtu {
    async fn call(&mut self, request: Request<'_>) -> tokio_modbus::Result<Response> {
        let Some(question) = Question::of(&request) else { return Err(not_asked().into()) };
        Ok(self.ask(&question).await?)
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.line()?.stream = None;
        Ok(())
    }
}
