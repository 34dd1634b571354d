//! One owner task per bus: [`Schedule`] decides, a strict client carries. Reads only.
//!
//! Every link is given up at the first thing that is not an answer, so that what comes late finds nobody. What remains
//! of an RTU line is brought to silence before the next question.

mod debt;
mod dialler;
mod hindrance;
mod mbap;
mod pdu;
mod reconnect;
mod rtu;
mod rtu_frame;
#[cfg(feature = "serial")]
pub mod serial;
mod tcp;
mod tls;

use std::{fmt, future::Future, io, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};
use tokio_modbus::{
    client::{Client, Context, Reader as _},
    prelude::{ReadCode, Request, Response, Slave, SlaveContext as _},
};

use self::reconnect::Reconnect;
pub use self::{
    dialler::{DEFAULT_ANSWER_MS, Terms, dialler, overhear},
    hindrance::Hindrance,
    reconnect::{MAX_PAUSE_MS, MIN_PAUSE_MS, UNSERVED},
    rtu::DRAIN_LIMIT_MS,
    tcp::{KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES, USER_TIMEOUT_MS},
};
use super::{live::Live, run::Inbox};
use crate::{
    host::{Clock, hush::Hush},
    metering::{
        Ask, Block, DeviceIdPart, Fault, Function, Next, Question, Reply, Sample, Schedule, ask::read_code,
    },
    terms::Name,
};

/// How long connecting may take, name look-up, handshake and the draining of an RTU line included, in milliseconds.
pub const CONNECT_TIMEOUT_MS: u64 = 5_000;

/// Most samples that one answer decides.
const SAMPLES_OF_AN_ANSWER: usize = 2;

/// A future connection.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Client>>> + Send + 'a>>;

/// Opens one bus; tests return a `Client` of their own. The library's own seam: no bus trait of ours.
pub trait Dial: Send + Sync {
    /// Connects anew, or brings a line that was left in disorder to silence.
    fn dial(&self) -> Dialling<'_>;

    /// Bytes that were nobody's answer, thrown away since this was asked last.
    fn discarded(&self) -> u64 {
        0
    }

    /// Tells each unit whose answer came after nobody waited for it any more, since this was asked last.
    fn late(&self, _told: &mut dyn FnMut(u8)) {}

    /// Closes what outlives a client.
    fn hang_up(&self) {}

    /// Whether what outlives a client is still open, so that the next one speaks to the same units as the last.
    fn is_open(&self) -> bool {
        false
    }
}

/// What a client speaks over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// How a bus wants to be treated.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Its name in the log.
    pub id: Option<Name>,
    /// Pause after connecting, in milliseconds.
    pub connect_pause_ms: u64,
    /// Least time between an answer and the next question, in milliseconds.
    pub gap_ms: u64,
    /// With nothing to ask for so long, in milliseconds, the connection is given back; `None`: kept.
    pub close_idle_ms: Option<u64>,
    /// Where the chance in the pauses between connections comes from.
    pub random: u64,
}

impl Default for Manners {
    fn default() -> Manners {
        Manners { id: None, connect_pause_ms: 0, gap_ms: 0, close_idle_ms: None, random: 1 }
    }
}

/// Where samples go.
#[derive(Clone, Debug)]
pub struct Outlet {
    /// To the one loop that judges them.
    pub inbox: mpsc::Sender<Inbox>,
    /// To whoever looks on, where that is configured.
    pub live: Option<Arc<Live>>,
}

impl From<mpsc::Sender<Inbox>> for Outlet {
    fn from(inbox: mpsc::Sender<Inbox>) -> Outlet {
        Outlet { inbox, live: None }
    }
}

/// Polls one bus until the site's loop ends.
pub async fn run(
    clock: &dyn Clock,
    dial: &dyn Dial,
    manners: Manners,
    mut schedule: Schedule,
    out: impl Into<Outlet>,
) {
    let Outlet { inbox, live } = out.into();
    let mut line = Line::new(clock, dial, manners);
    loop {
        match schedule.next(clock.uptime_ms()) {
            Next::WaitUntil(uptime_ms) => {
                tokio::select! {
                    () = line.rest_until(uptime_ms) => {}
                    () = inbox.closed() => return,
                }
                if line.take_lost() {
                    schedule.on_link_lost();
                }
            }
            Next::Ask(ask) => {
                let answer = line.put(&ask).await;
                if line.take_lost() {
                    schedule.on_link_lost();
                }
                dial.late(&mut |unit| schedule.on_late_reply(unit));
                let now = clock.now();
                // Room first: samples are large, and none of them waits inside this future, of which each bus has one.
                let Ok(room) = inbox.reserve_many(SAMPLES_OF_AN_ANSWER).await else { return };
                let answer = answer.as_ref().map(Got::reply).map_err(|fault| *fault);
                for (sample, place) in schedule.on_answer(&now, answer).into_iter().zip(room) {
                    if let (Some(live), Sample::Reading(reading)) = (&live, &sample) {
                        live.tell(reading);
                    }
                    place.send(Inbox::Sample(sample));
                }
                if schedule.interval_ended(&now) {
                    schedule.tallies().for_each(|(meter, tally)| tracing::debug!(%meter, "{tally}"));
                }
            }
        }
    }
}

/// The one connection of a bus, as far as it stands.
struct Line<'a> {
    clock: &'a dyn Clock,
    dial: &'a dyn Dial,
    manners: Manners,
    link: Option<Context>,
    /// The connection has ended since this was asked last: who answers over the next one has to be found out.
    lost: bool,
    reconnect: Reconnect,
    /// Why it could not be reached the last time, so that the log says it once; few times where causes take turns.
    told: Option<String>,
    hush: Hush,
    /// When the last question came to its end, in milliseconds of uptime.
    ended_ms: u64,
    random: u64,
}

impl<'a> Line<'a> {
    fn new(clock: &'a dyn Clock, dial: &'a dyn Dial, manners: Manners) -> Line<'a> {
        let reconnect = Reconnect::default();
        Line {
            clock,
            dial,
            manners,
            link: None,
            lost: false,
            reconnect,
            told: None,
            hush: Hush::default(),
            ended_ms: 0,
            random: manners.random,
        }
    }

    /// Waits; a connection that is idle for too long is given back meanwhile.
    async fn rest_until(&mut self, uptime_ms: u64) {
        let now = self.clock.uptime_ms();
        let idle_at = self.manners.close_idle_ms.map(|idle_ms| now.saturating_add(idle_ms));
        if let (Some(idle_at), Some(_)) = (idle_at.filter(|at| *at < uptime_ms), &self.link) {
            self.clock.sleep_until(idle_at).await;
            self.link = None;
            self.dial.hang_up();
            self.lost = true;
        }
        self.clock.sleep_until(uptime_ms).await;
    }

    /// Puts one question, connecting first where needed. One deadline covers it all, however slowly bytes drip.
    async fn put(&mut self, ask: &Ask) -> Result<Got, Fault> {
        self.connect().await?;
        let now = self.clock.uptime_ms();
        let from = (now + u64::from(ask.gap_ms)).max(self.ended_ms + self.manners.gap_ms);
        if from > now {
            self.clock.sleep_until(from).await;
        }
        let Some(context) = &mut self.link else { return Err(Fault::Refused) };
        self.clock.busy_until(from.max(now).saturating_add(u64::from(ask.deadline_ms)));
        let deadline = Duration::from_millis(u64::from(ask.deadline_ms));
        let answer = tokio::time::timeout(deadline, question(context, ask)).await;
        let answer = answer.unwrap_or(Err(Fault::Timeout));
        self.ended_ms = self.clock.uptime_ms();
        match &answer {
            Err(fault) if fault.ends_link() => self.lose(*fault == Fault::Closed),
            Ok(_) | Err(_) => self.reconnect.on_answer(),
        }
        answer
    }

    /// Connects where there is no connection, but not before its time.
    async fn connect(&mut self) -> Result<(), Fault> {
        let now = self.clock.uptime_ms();
        if self.link.is_some() {
            return Ok(());
        }
        if !self.reconnect.is_due(now) {
            return Err(Fault::Refused);
        }
        let limit = Duration::from_millis(CONNECT_TIMEOUT_MS);
        let dialled = tokio::time::timeout(limit, self.dial.dial()).await;
        let dialled = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match dialled {
            Ok(client) => {
                self.link = Some(client.into());
                self.reconnect.on_connected();
                if self.manners.connect_pause_ms > 0 {
                    let from = self.clock.uptime_ms() + self.manners.connect_pause_ms;
                    self.clock.sleep_until(from).await;
                }
                Ok(())
            }
            Err(error) => {
                let random = self.chance();
                self.reconnect.on_refused(self.clock.uptime_ms(), random);
                self.tell(&error);
                self.lost |= !self.dial.is_open();
                Err(unreachable(&error))
            }
        }
    }

    /// Gives the connection up, whatever was under way in it.
    fn lose(&mut self, closed: bool) {
        self.link = None;
        self.lost |= !self.dial.is_open();
        let random = self.chance();
        if self.reconnect.on_lost(self.clock.uptime_ms(), random, closed) {
            self.tell(&Hindrance::NotServed.into());
        }
    }

    /// Whether the connection has ended since this was asked last.
    const fn take_lost(&mut self) -> bool {
        std::mem::replace(&mut self.lost, false)
    }

    /// Says why the bus cannot be reached, once for each cause.
    fn tell(&mut self, error: &io::Error) {
        let cause = error.to_string();
        let now_ms = self.clock.now().uptime_ms;
        let is_news = self.told.as_ref() != Some(&cause);
        let told = if is_news { self.hush.may(now_ms, 0) } else { self.hush.due(now_ms) };
        if let Some(not_told) = told {
            let bus = self.manners.id.as_ref().map_or("", Name::as_str);
            let code = Hindrance::of(error).map_or("", Hindrance::word);
            tracing::warn!(bus, code, not_told, "{cause}");
        }
        self.told = Some(cause);
    }

    /// The next of a run of numbers that spread well (Steele and others, SplitMix64).
    fn chance(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        u32::try_from((mixed ^ (mixed >> 27)) >> 32).unwrap_or(0)
    }
}

/// An answer as it came.
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack: no allocation a poll")]
pub(super) enum Got {
    Words(Vec<u16>),
    DeviceId(DeviceIdPart),
    ServerId(Vec<u8>),
}

impl Got {
    pub(super) fn reply(&self) -> Reply<'_> {
        match self {
            Got::Words(words) => Reply::Words(words),
            Got::DeviceId(part) => Reply::DeviceId(part),
            Got::ServerId(bytes) => Reply::ServerId(bytes),
        }
    }
}

/// Puts a question over a connection that stands.
pub(super) async fn question(context: &mut Context, ask: &Ask) -> Result<Got, Fault> {
    context.set_slave(Slave(ask.unit));
    match ask.question {
        Question::Registers(block) => registers(context, block).await.map(Got::Words),
        Question::DeviceId { object } => device_id(context, object).await.map(Got::DeviceId),
        Question::ServerId => server_id(context).await.map(Got::ServerId),
    }
}

async fn registers(context: &mut Context, block: Block) -> Result<Vec<u16>, Fault> {
    let (at, count) = (block.at, block.count);
    let answer = match block.function {
        Function::Holding => context.read_holding_registers(at, count).await,
        Function::Input => context.read_input_registers(at, count).await,
    };
    let words = settled(answer)?;
    // A client of the library, as tests bring one, checks the count in debug builds only.
    if words.len() == usize::from(count) { Ok(words) } else { Err(Fault::WrongLength) }
}

async fn device_id(context: &mut Context, object: u8) -> Result<DeviceIdPart, Fault> {
    let code = match read_code(object) {
        1 => ReadCode::Basic,
        2 => ReadCode::Regular,
        _ => ReadCode::Extended,
    };
    let told = settled(context.read_device_identification(code, object).await)?;
    let next = told.more_follows.then_some(told.next_object_id);
    let mut part = DeviceIdPart::new(told.conformity_level.value(), next);
    let fits = told.device_id_objects.iter().all(|object| part.push(object.id, &object.value));
    if fits { Ok(part) } else { Err(Fault::WrongLength) }
}

async fn server_id(context: &mut Context) -> Result<Vec<u8>, Fault> {
    let told = settled(context.call(Request::ReportServerId).await)?;
    if let Response::Custom(_, told) = told {
        Ok(told.to_vec())
    } else if let Response::ReportServerId(id, running, data) = told {
        Ok([id, if running { 0xFF } else { 0 }].into_iter().chain(data).collect())
    } else {
        Err(Fault::Mismatch)
    }
}

fn settled<T>(answer: tokio_modbus::Result<T>) -> Result<T, Fault> {
    match answer {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(exception)) => Err(Fault::Exception(u8::from(exception))),
        Err(error) => Err(fault(&error)),
    }
}

/// What a strict client found wrong with an answer.
#[derive(Clone, Copy, Debug)]
struct Untrue(Fault);

impl fmt::Display for Untrue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.words().en)
    }
}

impl std::error::Error for Untrue {}

fn untrue(fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Untrue(fault))
}

/// A request that no client of ours carries.
fn not_asked() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this program asks only for registers and for who a device is")
}

/// The fault a client's error means.
pub fn fault(error: &tokio_modbus::Error) -> Fault {
    let error = match error {
        tokio_modbus::Error::Protocol(_) => return Fault::Mismatch,
        tokio_modbus::Error::Transport(error) => error,
    };
    if let Some(Untrue(fault)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return *fault;
    }
    if Hindrance::of(error).is_some() {
        return unreachable(error);
    }
    // The library reports an ended stream with whatever errno stood last; only the kind it sets itself means bytes.
    let bytes = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
    if bytes { Fault::Garbage } else { Fault::Closed }
}

/// The fault of a bus that could not be reached.
pub(super) fn unreachable(error: &io::Error) -> Fault {
    match Hindrance::of(error) {
        Some(Hindrance::NotSilent) => Fault::Garbage,
        Some(_) | None => Fault::Refused,
    }
}

#[cfg(test)]
mod tests;
