//! MQTT as two message enums; rumqttc hides behind [`run`]. Tests hold the other ends of the channels.
//!
//! The library is treated as lossy: nothing is queued in it beyond the window, every broken connection is dropped with
//! all its state, and only a PUBACK with reason 0 counts as accepted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rumqttc::{
    Outgoing,
    v5::{
        AsyncClient, ConnectionError, Event as Wire, EventLoop, Incoming, MqttOptions,
        mqttbytes::{
            QoS,
            v5::{
                ConnectReturnCode, DisconnectReasonCode, LastWill, LastWillProperties, PubAckReason,
                SubscribeReasonCode,
            },
        },
    },
};
use tokio::sync::mpsc;

use super::clock::Clock;

/// Publishes that may await their PUBACK.
pub const WINDOW: u16 = 63;
/// Messages between a program and its courier, each way.
pub const CHANNEL: usize = 64;
/// Largest packet accepted from a broker, in bytes.
pub const MAX_PACKET_BYTES: u32 = 256 * 1024;
/// The in-flight table's size; the library's default of 65,535 costs 14 MB.
const IN_FLIGHT_TABLE: u16 = 256;
/// How long connecting may take, in seconds.
const CONNECT_TIMEOUT_S: u64 = 10;
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
    /// Keep-alive in seconds, at least 5.
    pub keepalive_s: u16,
    /// What the broker says in our name when we fall silent.
    pub will: Option<Will>,
    /// Subscribed to at every connection.
    pub filters: Vec<String>,
}

/// A last will: retained, QoS 1, unsigned, a hint and no evidence.
#[derive(Clone, Debug)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// How long the broker waits for us to come back, in seconds.
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
    /// Take leave and end.
    Stop,
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
    },
    /// All filters are subscribed to.
    Subscribed,
    /// The broker has accepted a publish.
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
    },
    /// The connection is gone, and with it everything that was not accepted.
    Lost {
        /// Why.
        why: Refused,
    },
}

/// Why a broker refused, or was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody subscribes to the topic, so the broker kept nothing.
    NoSubscriber,
    /// A limit of the broker.
    Quota,
    /// Login or access rules.
    NotAuthorised,
    /// Somebody else connected under our name.
    TakenOver,
    /// Any other reason of the broker.
    Broker,
    /// Nobody answers at the address.
    Unreachable,
    /// The connection broke.
    Broken,
    /// The broker stopped answering.
    Silent,
    /// We took leave ourselves.
    Left,
}

impl Refused {
    /// Cause and next step, for log and screen.
    pub const fn text(self) -> &'static str {
        match self {
            Refused::NoSubscriber => "nobody subscribes; the record waits in the journal",
            Refused::Quota => "a quota of the broker is reached; raise it or wait",
            Refused::NotAuthorised => {
                "the broker refuses this login or topic; check user, password and access rules"
            }
            Refused::TakenOver => {
                "another client uses our client id; two agents must not share gateway id and enterprise"
            }
            Refused::Broker => "the broker refused; its log says why",
            Refused::Unreachable => "no broker at that address; check host, port and that it runs",
            Refused::Broken => "the connection to the broker broke; connecting again",
            Refused::Silent => "the broker stopped answering; connecting again",
            Refused::Left => "disconnected on request",
        }
    }
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
}

/// A courier and the ends its [`run`] needs.
pub fn pair() -> (Courier, Ends) {
    let (send, sends) = mpsc::channel(CHANNEL);
    let (events, event) = mpsc::channel(CHANNEL);
    (Courier { send, events: event }, Ends { sends, events })
}

/// Carries messages until asked to stop or until the program drops its ends. Connects again by itself, with growing
/// pauses whose jitter follows from the client identifier, so that a thousand gateways do not come back at once.
pub async fn run(clock: &dyn Clock, broker: Broker, mut ends: Ends) {
    let mut failures: u32 = 0;
    loop {
        let before = clock.now();
        let why = session(&broker, &mut ends).await;
        if why == Refused::Left || ends.events.send(Event::Lost { why }).await.is_err() {
            return;
        }
        // What was handed over after the loss was never sent; its owner hears of the loss and sends it again.
        while let Ok(send) = ends.sends.try_recv() {
            if matches!(send, Send::Stop) {
                return;
            }
        }
        let now = clock.now();
        let lasted_ms = now.since_ms(&before);
        failures = if lasted_ms > 30_000 { 1 } else { failures.saturating_add(1) };
        let pause_ms = MIN_BACKOFF_MS.saturating_mul(1 << failures.min(12)).min(MAX_BACKOFF_MS);
        let jitter_ms = pause_ms * u64::from(jitter(&broker.client_id, failures)) / 1_024;
        let resume = clock.sleep_until(now.uptime_ms + pause_ms / 2 + jitter_ms);
        if stopped_while(resume, &mut ends).await {
            return;
        }
    }
}

/// Waits, and meanwhile throws away what cannot be sent; true when asked to stop.
async fn stopped_while(mut wait: super::clock::Wait<'_>, ends: &mut Ends) -> bool {
    loop {
        tokio::select! {
            () = &mut wait => return false,
            send = ends.sends.recv() => match send {
                None | Some(Send::Stop) => return true,
                Some(Send::Publish { .. }) => {}
            },
        }
    }
}

/// 0 to 511, from the client's name: spread, yet the same in every run.
fn jitter(client_id: &str, turn: u32) -> u16 {
    let seed = client_id.bytes().fold(turn, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    u16::try_from(seed.wrapping_mul(2_654_435_761) >> 23).unwrap_or(0)
}

/// Tags on their way: handed to the library but not yet on the wire, and awaiting their PUBACK.
#[derive(Debug, Default)]
struct OnTheWay {
    queued: VecDeque<u64>,
    awaiting: BTreeMap<u16, u64>,
}

type Shared = Arc<Mutex<OnTheWay>>;

fn locked<T>(shared: &Shared, change: impl FnOnce(&mut OnTheWay) -> T) -> T {
    change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One connection, from the first packet to whatever ends it.
async fn session(broker: &Broker, ends: &mut Ends) -> Refused {
    let (client, event_loop) = AsyncClient::new(options(broker), CHANNEL);
    let shared = Shared::default();
    let Ends { sends, events } = ends;
    // `poll` must not be cancelled midway, so each half is one future for the whole session.
    tokio::select! {
        why = receive(broker, &client, event_loop, &shared, events) => why,
        why = forward(&client, sends, &shared) => why,
    }
}

async fn forward(client: &AsyncClient, sends: &mut mpsc::Receiver<Send>, shared: &Shared) -> Refused {
    while let Some(send) = sends.recv().await {
        match send {
            Send::Publish { tag, topic, payload, retain } => {
                locked(shared, |way| way.queued.push_back(tag));
                if client.publish(topic, QoS::AtLeastOnce, retain, payload).await.is_err() {
                    return Refused::Broken;
                }
            }
            Send::Stop => break,
        }
    }
    // The other half still runs: it sends what is queued and sees the disconnection through.
    let _closing = client.disconnect().await;
    std::future::pending().await
}

async fn receive(
    broker: &Broker,
    client: &AsyncClient,
    mut event_loop: EventLoop,
    shared: &Shared,
    events: &mpsc::Sender<Event>,
) -> Refused {
    // Writes of the library have no timeout of their own.
    let patience = Duration::from_secs(u64::from(broker.keepalive_s) * 2 + CONNECT_TIMEOUT_S);
    loop {
        let event = match tokio::time::timeout(patience, event_loop.poll()).await {
            Err(_) => return Refused::Silent,
            Ok(Err(error)) => return refused(&error),
            Ok(Ok(event)) => event,
        };
        let told = match event {
            Wire::Outgoing(Outgoing::Disconnect) => return Refused::Left,
            Wire::Outgoing(Outgoing::Publish(pkid)) => {
                locked(shared, |way| {
                    if let Some(tag) = way.queued.pop_front() {
                        way.awaiting.insert(pkid, tag);
                    }
                });
                None
            }
            Wire::Outgoing(_) => None,
            Wire::Incoming(packet) => match incoming(broker, client, shared, packet).await {
                Ok(told) => told,
                Err(why) => return why,
            },
        };
        if let Some(told) = told
            && events.send(told).await.is_err()
        {
            return Refused::Left;
        }
    }
}

async fn incoming(
    broker: &Broker,
    client: &AsyncClient,
    shared: &Shared,
    packet: Incoming,
) -> Result<Option<Event>, Refused> {
    if let Incoming::ConnAck(ack) = packet {
        for filter in &broker.filters {
            client.subscribe(filter, QoS::AtLeastOnce).await.map_err(|_| Refused::Broken)?;
        }
        let told = ack.properties.as_ref();
        let limit = told.and_then(|p| p.receive_max).unwrap_or(u16::MAX).min(IN_FLIGHT_TABLE);
        let max_packet_bytes = told.and_then(|p| p.max_packet_size).unwrap_or(u32::MAX);
        // Well below the table, so that a packet identifier never comes round while its first use is still awaited.
        return Ok(Some(Event::Connected { window: WINDOW.min(limit / 4 * 3).max(1), max_packet_bytes }));
    }
    if let Incoming::SubAck(ack) = packet {
        let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
        return if ack.return_codes.iter().all(granted) {
            Ok(Some(Event::Subscribed))
        } else {
            Err(Refused::NotAuthorised)
        };
    }
    if let Incoming::Publish(publish) = packet {
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        return Ok(Some(Event::Message {
            topic,
            payload: publish.payload.to_vec(),
            retained: publish.retain,
        }));
    }
    if let Incoming::PubAck(ack) = packet {
        let tag = locked(shared, |way| way.awaiting.remove(&ack.pkid));
        return Ok(tag.map(|tag| match publish_refusal(ack.reason) {
            None => Event::Accepted { tag },
            Some(why) => Event::Refused { tag, why },
        }));
    }
    if let Incoming::Disconnect(farewell) = packet {
        let taken = farewell.reason_code == DisconnectReasonCode::SessionTakenOver;
        return Err(if taken { Refused::TakenOver } else { Refused::Broker });
    }
    Ok(None)
}

fn publish_refusal(reason: PubAckReason) -> Option<Refused> {
    match reason {
        PubAckReason::Success => None,
        PubAckReason::NoMatchingSubscribers => Some(Refused::NoSubscriber),
        PubAckReason::QuotaExceeded => Some(Refused::Quota),
        PubAckReason::NotAuthorized => Some(Refused::NotAuthorised),
        PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::TopicNameInvalid
        | PubAckReason::PacketIdentifierInUse
        | PubAckReason::PayloadFormatInvalid => Some(Refused::Broker),
    }
}

fn refused(error: &ConnectionError) -> Refused {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword
            | ConnectReturnCode::NotAuthorized
            | ConnectReturnCode::Banned,
        ) => Refused::NotAuthorised,
        ConnectionError::ConnectionRefused(ConnectReturnCode::QuotaExceeded) => Refused::Quota,
        ConnectionError::ConnectionRefused(_) | ConnectionError::NotConnAck(_) => Refused::Broker,
        ConnectionError::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => Refused::Unreachable,
        ConnectionError::Timeout(_) => Refused::Unreachable,
        ConnectionError::Io(_) | ConnectionError::MqttState(_) => Refused::Broken,
        ConnectionError::RequestsDone => Refused::Left,
    }
}

fn options(broker: &Broker) -> MqttOptions {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    options
        .set_keep_alive(Duration::from_secs(u64::from(broker.keepalive_s.max(5))))
        .set_connection_timeout(CONNECT_TIMEOUT_S)
        .set_clean_start(true)
        .set_max_packet_size(Some(MAX_PACKET_BYTES))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT_TABLE);
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    if let Some((user, password)) = &broker.login {
        options.set_credentials(user, password);
    }
    if let Some(will) = &broker.will {
        let properties = LastWillProperties {
            delay_interval: Some(will.delay_s),
            payload_format_indicator: None,
            message_expiry_interval: None,
            content_type: None,
            response_topic: None,
            correlation_data: None,
            user_properties: Vec::new(),
        };
        // A will waits only as long as the session does.
        options.set_session_expiry_interval(Some(will.delay_s));
        options.set_last_will(LastWill::new(
            &will.topic,
            will.payload.clone(),
            QoS::AtLeastOnce,
            true,
            Some(properties),
        ));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reason_zero_is_accepted() {
        assert_eq!(publish_refusal(PubAckReason::Success), None);
        assert_eq!(publish_refusal(PubAckReason::NoMatchingSubscribers), Some(Refused::NoSubscriber));
        assert_eq!(publish_refusal(PubAckReason::UnspecifiedError), Some(Refused::Broker));
    }

    #[test]
    fn jitter_spreads_and_repeats() {
        let all: std::collections::BTreeSet<u16> = (0..200).map(|n| jitter(&format!("gw-{n}"), 3)).collect();
        assert!(all.len() > 120, "{}", all.len());
        assert!(all.iter().all(|j| *j < 512));
        assert_eq!(jitter("gw-1", 2), jitter("gw-1", 2));
    }
}
