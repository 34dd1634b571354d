//! MQTT as two message enums; rumqttc hides behind [`run`]. Tests hold the other ends of the channels.
//!
//! The library is treated as lossy: nothing is queued in it beyond the window, every broken connection is dropped with
//! all its state, and only a PUBACK with reason 0 counts as accepted. A broker that does not understand MQTT 5 is
//! spoken to in 3.1.1, where a PUBACK has no reason and each counts as accepted: there, more than anywhere, only a
//! signed receipt proves that a record was delivered.

mod dial;
mod expiry;
mod fault;
mod line;
mod refused;
mod ring;
mod rival;
mod session;
mod teller;
mod tidings;
mod v311;
mod v5;
mod version;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_rustls::rustls::ClientConfig;

pub use self::{refused::Refused, ring::FILES_CHECK_MS, tidings::Tidings};
use self::{
    ring::Ring,
    rival::Rival,
    session::Ending,
    version::{Taste, Version},
};
use super::{
    clock::{Clock, Wait},
    credentials::{Part, TlsFiles},
};

/// Default port of a broker.
pub const DEFAULT_PORT: u16 = 1_883;
/// Default port of a broker that speaks TLS.
pub const DEFAULT_TLS_PORT: u16 = 8_883;
/// Publishes that may await their PUBACK.
pub const WINDOW: u16 = 63;
/// Messages between a program and its courier, each way.
pub const CHANNEL: usize = 64;
/// Messages that a program which acknowledges by itself may have in hand. In MQTT 3.1.1 nothing tells the broker so.
pub const IN_HAND: u16 = 512;
/// Least keep-alive, in seconds, whatever is configured.
const MIN_KEEPALIVE_S: u16 = 5;
/// Largest packet accepted from a broker, in bytes: a payload of 256 KiB with the longest topic, which is refused by name
/// instead of being dropped by the broker where nobody counts it.
pub const MAX_PACKET_BYTES: u32 = 320 * 1024 + 64;
/// The in-flight table's size; the library's default of 65,535 costs 14 MB.
const IN_FLIGHT_TABLE: u16 = 256;
/// A connection that lasted longer than this is no failure to connect, in milliseconds.
const STABLE_AFTER_MS: i64 = 30_000;
/// Most failures in a row that a broker counts for which takes us and hangs up: it is called again within four seconds.
const MOST_HUNG_UP: u32 = 4;
/// How long connecting may take, in seconds.
const CONNECT_TIMEOUT_S: u64 = 10;
/// How long a broker may be silent while a subscription awaits its answer, in seconds.
const SUBSCRIBE_TIMEOUT_S: u64 = 10;
/// How long publishes may await an answer, while none comes at all, before the line counts as dead, in seconds; at most
/// twice as long passes.
const ANSWER_TIMEOUT_S: u64 = 30;
/// How long a broker may take to hang up after we took leave to come back, in seconds.
const FAREWELL_TIMEOUT_S: u64 = 10;
/// First pause before connecting again, in milliseconds; it doubles up to [`MAX_BACKOFF_MS`].
const MIN_BACKOFF_MS: u64 = 250;
/// Longest pause before connecting again, in milliseconds.
pub const MAX_BACKOFF_MS: u64 = 60_000;

/// A broker and how to greet it.
#[derive(Clone, Debug)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Client identifier; the same at every start.
    pub client_id: String,
    /// User name and password, where the broker wants them.
    pub login: Option<(String, String)>,
    /// Files to encrypt with; without them everybody on the way can read, and pose as the broker.
    pub tls: Option<TlsFiles>,
    /// Keep-alive in seconds, at least 5.
    pub keepalive_s: u16,
    /// What the broker says in our name when we fall silent.
    pub will: Option<Will>,
    /// Subscribed to at every connection.
    pub filters: Vec<String>,
    /// How long the broker keeps for us what comes while we are away, in seconds; 0 for not at all. While we are there it
    /// keeps every message until the program says that it has [taken](Send::Took) it. Without, every message is
    /// acknowledged as it comes.
    pub keeps_s: Option<u32>,
}

/// A last will: retained, QoS 1, unsigned, a hint and no evidence.
#[derive(Clone, Debug)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// How long the broker waits for us to come back, in seconds. In MQTT 3.1.1 it does not wait.
    pub delay_s: u32,
}

/// What a program asks of its courier.
#[derive(Debug)]
pub enum Send {
    /// Publish at QoS 1; the tag comes back in [`Event::Accepted`] or [`Event::Refused`].
    Publish {
        /// The caller's number.
        tag: u64,
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
        /// Whether the broker keeps it.
        retain: bool,
    },
    /// Publish at QoS 0, not retained: nobody is told what became of it.
    Tell {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// These messages are safe: the broker need not keep them any longer. Those of an earlier connection come again.
    Took(Vec<Delivery>),
    /// Subscribe besides, for as long as this connection lasts; the tag comes back in [`Event::Granted`].
    Subscribe {
        /// The caller's number.
        tag: u64,
        /// To what.
        filters: Vec<String>,
    },
    /// Subscribe no longer.
    Unsubscribe(Vec<String>),
    /// Take leave and come back: what was not taken is brought again.
    Again,
    /// Take leave and end.
    Stop,
}

/// Whether a broker shares what it delivers among the members of a group, as it says itself. Some say yes and do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It speaks MQTT 5 and does not say no.
    Offered,
    /// It speaks MQTT 5 and says no.
    Withheld,
    /// It speaks MQTT 3.1.1, which does not know of it.
    Unknown,
}

/// A message that the broker keeps until it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The connection it came by, counted from 1.
    pub(crate) line: u64,
    /// Its number there.
    pub(crate) pkid: u16,
}

/// What the courier tells.
#[derive(Debug)]
pub enum Event {
    /// The broker is there.
    Connected {
        /// Publishes that may await their PUBACK.
        window: u16,
        /// Largest packet the broker takes, in bytes.
        max_packet_bytes: u32,
        /// Whether it shares.
        sharing: Sharing,
    },
    /// All filters are subscribed to.
    Subscribed,
    /// The broker has answered [`Send::Subscribe`]. A refusal of anything but a shared filter ends the connection.
    Granted {
        /// The caller's number.
        tag: u64,
        /// Whether everything was granted.
        granted: bool,
    },
    /// The broker has accepted a publish. In MQTT 3.1.1 it may have thrown it away all the same.
    Accepted {
        /// The caller's number.
        tag: u64,
    },
    /// The broker did not accept a publish.
    Refused {
        /// The caller's number.
        tag: u64,
        /// Why.
        why: Refused,
    },
    /// Something came.
    Message {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
        /// Whether it was kept by the broker rather than said now.
        retained: bool,
        /// What to give back once it is safe; none where nobody waits for that.
        delivery: Option<Delivery>,
    },
    /// The connection is gone, and with it everything that was not accepted.
    Lost {
        /// Why.
        why: Refused,
    },
    /// A certificate in use expires soon, or has. Told at 30, 14 and 7 days, then daily.
    Expiring {
        /// Whose.
        what: Part,
        /// Days left, begun ones counted whole; 0 or less once it has expired.
        days: i64,
    },
}

/// A program's ends of the channels.
#[derive(Debug)]
pub struct Courier {
    /// Towards the broker.
    pub send: mpsc::Sender<Send>,
    /// From the broker.
    pub events: mpsc::Receiver<Event>,
}

/// The courier's own ends.
#[derive(Debug)]
pub struct Ends {
    sends: mpsc::Receiver<Send>,
    events: mpsc::Sender<Event>,
    only_tells: bool,
}

/// A courier and the ends its [`run`] needs.
pub fn pair() -> (Courier, Ends) {
    let (courier, ends) = pair_that_tells(CHANNEL);
    (courier, Ends { only_tells: false, ..ends })
}

/// As [`pair`], for a line that is only asked to [tell](Send::Tell), with room for so many messages.
pub fn pair_that_tells(room: usize) -> (Courier, Ends) {
    let (send, sends) = mpsc::channel(room);
    let (events, event) = mpsc::channel(CHANNEL);
    (Courier { send, events: event }, Ends { sends, events, only_tells: true })
}

/// Carries messages until asked to stop or until the program drops its ends. Connects again by itself, with growing
/// pauses whose jitter follows from the client identifier, so that a thousand gateways do not come back at once.
pub async fn run(clock: &dyn Clock, broker: Broker, ends: Ends) {
    let (_always, way) = watch::channel(true);
    run_while(clock, broker, ends, way).await;
}

/// As [`run`], over a network that may be away: while `way` says no there is no way to the broker, and when it turns to
/// no, the connection is gone without a farewell.
pub async fn run_while(clock: &dyn Clock, broker: Broker, mut ends: Ends, mut way: watch::Receiver<bool>) {
    let mut failures: u32 = 0;
    let mut taste = Taste::unknown();
    let mut ring = broker.tls.clone().map(Ring::of);
    let (mut number, mut clogged, mut rival) = (0, false, Rival::default());
    loop {
        let before = clock.now();
        let version = taste.next(before.uptime_ms);
        number += 1;
        let ending = tokio::select! {
            biased;
            () = away(&mut way) => Ending { why: Refused::Broken, greeted: false, served: false },
            ending = connection(clock, &broker, (version, number), &mut ring, (&mut ends, &mut clogged)) => ending,
        };
        let lasted_ms = clock.now().since_ms(&before);
        let Ending { greeted, served, .. } = ending;
        let why = rival.on_ending(&ending, lasted_ms <= STABLE_AFTER_MS);
        clogged |= why == Refused::TooLarge;
        if why == Refused::Left {
            return;
        }
        if greeted {
            taste.on_greeted(version, before.uptime_ms);
        }
        let negotiating = !greeted && taste.on_turned_away(why);
        // As long as another version may be understood, nobody needs to hear of the one that was not.
        if !negotiating && ends.events.send(Event::Lost { why }).await.is_err() {
            return;
        }
        // What was handed over after the loss was never sent; its owner hears of the loss and sends it again.
        while let Ok(send) = ends.sends.try_recv() {
            if matches!(send, Send::Stop) {
                return;
            }
        }
        let now = clock.now();
        failures = if negotiating || matches!(why, Refused::Renewed | Refused::Again) {
            0
        } else if why == Refused::HungUp {
            failures.saturating_add(1).min(MOST_HUNG_UP)
        } else if lasted_ms > STABLE_AFTER_MS
            || (served && why == Refused::Broken)
            || why == Refused::TooLarge
        {
            // A broker that worked and died is called again soon, and so is one that cannot help what somebody published;
            // one that takes us only to drop us is not.
            1
        } else {
            failures.saturating_add(1)
        };
        let pause_ms = MIN_BACKOFF_MS.saturating_mul(1 << failures.min(12)).min(MAX_BACKOFF_MS);
        let jitter_ms = pause_ms * u64::from(jitter(&broker.client_id, failures)) / 1_024;
        let resume = clock.sleep_until(now.uptime_ms + pause_ms / 2 + jitter_ms);
        if stopped_while(resume, &mut ends).await {
            return;
        }
    }
}

/// Ends when there is no way to the broker; whoever said so last and is gone has left it as it was.
async fn away(way: &mut watch::Receiver<bool>) {
    if way.wait_for(|there| !there).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One connection in one version, with the certificates as they are on disk at this moment. While the broker is `clogged`
/// with a packet that we cannot take it is first made to let go of it.
async fn connection(
    clock: &dyn Clock,
    broker: &Broker,
    (version, number): (Version, u64),
    ring: &mut Option<Ring>,
    (ends, clogged): (&mut Ends, &mut bool),
) -> Ending {
    let Some(ring) = ring else {
        if let Some(ending) = still_clogged(broker, version, None, clogged).await {
            return ending;
        }
        return carry(broker, (version, number), None, ends, std::future::pending()).await;
    };
    let Some(credentials) = ring.read() else {
        return Ending { why: Refused::Credentials, greeted: false, served: false };
    };
    let events = ends.events.clone();
    ring.tell_expiring(clock, &events).await;
    if let Some(ending) = still_clogged(broker, version, Some(credentials.config.clone()), clogged).await {
        return ending;
    }
    let renewed = ring.renewed(clock, broker, &events);
    let mut ending = carry(broker, (version, number), Some(credentials.config.clone()), ends, renewed).await;
    if ending == (Ending { why: Refused::Dropped, greeted: false, served: false })
        && let Err(why) = ring::trial(broker, &credentials).await
        && why != Refused::Broken
    {
        // The objection to our certificate was lost when the broker hung up; asked again, it says it again.
        ending.why = why;
    }
    ring.on_ending(ending);
    ending
}

/// Carries over a new line until it ends, or until `renewed` ends.
async fn carry(
    broker: &Broker,
    (version, number): (Version, u64),
    tls: Option<Arc<ClientConfig>>,
    ends: &mut Ends,
    renewed: impl Future<Output = ()>,
) -> Ending {
    if ends.only_tells {
        return teller::carry(broker, (version, tls), ends, renewed).await;
    }
    session::carry(broker, (line::open(broker, version, tls), number), ends, renewed).await
}

/// The keep-alive a broker is greeted with, in seconds.
fn keepalive_s(broker: &Broker) -> u16 {
    broker.keepalive_s.max(MIN_KEEPALIVE_S)
}

/// Has the broker let go of everything it keeps for us, by a visit that wants nothing kept; whatever of it was not taken
/// comes to the program another way, or never. Tells how the visit ended where that was not by our own leave.
async fn still_clogged(
    broker: &Broker,
    version: Version,
    tls: Option<Arc<ClientConfig>>,
    clogged: &mut bool,
) -> Option<Ending> {
    if !*clogged {
        return None;
    }
    tracing::warn!("the broker is asked to let go of all it keeps for us: a packet among it is too large");
    let visitor = Broker { keeps_s: Some(0), filters: Vec::new(), will: None, ..broker.clone() };
    let (Courier { send, events: _unread }, mut ends) = pair();
    // Nobody has anything to say: leave is taken at once.
    drop(send);
    let line = line::open(&visitor, version, tls);
    let ending = session::carry(&visitor, (line, 0), &mut ends, std::future::pending()).await;
    *clogged = ending.why != Refused::Left;
    clogged.then_some(ending)
}

/// Waits, and meanwhile throws away what cannot be sent; true when asked to stop.
async fn stopped_while(mut wait: Wait<'_>, ends: &mut Ends) -> bool {
    loop {
        tokio::select! {
            () = &mut wait => return false,
            send = ends.sends.recv() => match send {
                None | Some(Send::Stop) => return true,
                Some(
                    Send::Publish { .. }
                    | Send::Tell { .. }
                    | Send::Took(_)
                    | Send::Subscribe { .. }
                    | Send::Unsubscribe(_)
                    | Send::Again,
                ) => {}
            },
        }
    }
}

/// 0 to 511, from the client's name: spread, yet the same in every run.
fn jitter(client_id: &str, turn: u32) -> u16 {
    let seed = client_id.bytes().fold(turn, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    u16::try_from(seed.wrapping_mul(2_654_435_761) >> 23).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn while_there_is_no_way_nothing_is_dialled_and_the_loss_is_told() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        nobody.set_nonblocking(true).unwrap();
        let broker = Broker {
            host: "127.0.0.1".into(),
            port: nobody.local_addr().unwrap().port(),
            client_id: "test".into(),
            login: None,
            tls: None,
            keepalive_s: 30,
            will: None,
            filters: Vec::new(),
            keeps_s: None,
        };
        let (mut courier, ends) = pair();
        let (_way, way) = watch::channel(false);
        let carrying =
            tokio::spawn(
                async move { run_while(&crate::host::SystemClock::default(), broker, ends, way).await },
            );
        for _ in 0..2 {
            assert!(matches!(courier.events.recv().await, Some(Event::Lost { why: Refused::Broken })));
        }
        assert_eq!(nobody.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        courier.send.send(Send::Stop).await.unwrap();
        carrying.await.unwrap();
    }

    #[test]
    fn jitter_spreads_and_repeats() {
        let all: std::collections::BTreeSet<u16> = (0..200).map(|n| jitter(&format!("gw-{n}"), 3)).collect();
        assert!(all.len() > 120, "{}", all.len());
        assert!(all.iter().all(|j| *j < 512));
        assert_eq!(jitter("gw-1", 2), jitter("gw-1", 2));
    }
}
