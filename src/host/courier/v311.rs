//! MQTT 3.1.1 as the library speaks it, for brokers that know nothing newer.
//!
//! It says less: a PUBACK carries no reason, so that every one counts as accepted, also of a publish that nobody
//! subscribed to or that the access rules threw away; a will is published at once; no packet size is agreed upon, so that
//! one we do not take ends the connection, and would again with every new one: the broker is made to let go of it. What was
//! delivered is proven by signed receipts alone.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use rumqttc::{
    AsyncClient, Connect, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, LastWill, Login,
    MqttOptions, NetworkOptions, Outgoing, Packet, Publish, QoS, StateError, SubscribeFilter,
    SubscribeReasonCode, TlsConfiguration, Transport, mqttbytes::Error as PacketError,
};
use tokio_rustls::rustls::ClientConfig;

use super::{
    Broker, CHANNEL, CONNECT_TIMEOUT_S, IN_FLIGHT_TABLE, MAX_PACKET_BYTES, Sharing, fault, keepalive_s,
    line::Heard, refused::Refused,
};

/// A connection to be: nothing is sent before it is first polled.
pub(super) fn open(broker: &Broker, tls: Option<Arc<ClientConfig>>) -> (AsyncClient, EventLoop) {
    let mut options = options(broker);
    if let Some(config) = tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(config)));
    }
    let (client, mut event_loop) = AsyncClient::new(options, CHANNEL);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT_S);
    event_loop.set_network_options(network);
    (client, event_loop)
}

fn options(broker: &Broker) -> MqttOptions {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    let max_bytes = usize::try_from(MAX_PACKET_BYTES).unwrap_or(usize::MAX);
    options
        .set_keep_alive(Duration::from_secs(u64::from(keepalive_s(broker))))
        .set_clean_session(true)
        .set_max_packet_size(max_bytes, max_bytes)
        .set_inflight(IN_FLIGHT_TABLE);
    if let Some((user, password)) = &broker.login {
        options.set_credentials(user, password);
    }
    if let Some(keeps_s) = broker.keeps_s {
        options.set_clean_session(keeps_s == 0).set_manual_acks(true);
    }
    if let Some(will) = &broker.will {
        options.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, true));
    }
    options
}

/// Acknowledges a message by its packet identifier, which is all the library needs to know of it.
pub(super) async fn took(client: &AsyncClient, pkid: u16) -> bool {
    let mut message = Publish::new("", QoS::AtLeastOnce, Vec::new());
    message.pkid = pkid;
    client.ack(&message).await.is_ok()
}

/// Subscribes to all of them in one packet.
pub(super) async fn subscribe(client: &AsyncClient, filters: &[String]) -> bool {
    let filter = |path: &String| SubscribeFilter::new(path.clone(), QoS::AtLeastOnce);
    client.subscribe_many(filters.iter().map(filter)).await.is_ok()
}

/// What the next event means.
pub(super) fn heard(polled: Result<Event, ConnectionError>) -> Result<Heard, Refused> {
    match polled {
        Err(error) => Err(refused(&error)),
        Ok(Event::Outgoing(Outgoing::Disconnect)) => Ok(Heard::Left),
        // At QoS 0 a publish has no number, and nobody waits for its end.
        Ok(Event::Outgoing(Outgoing::Publish(0))) => Ok(Heard::Nothing),
        Ok(Event::Outgoing(Outgoing::Publish(pkid))) => Ok(Heard::Sent(pkid)),
        Ok(Event::Outgoing(Outgoing::Subscribe(pkid))) => Ok(Heard::Asked(pkid)),
        Ok(Event::Outgoing(_)) => Ok(Heard::Nothing),
        Ok(Event::Incoming(packet)) => Ok(incoming(packet)),
    }
}

fn incoming(packet: Incoming) -> Heard {
    if let Incoming::ConnAck(_) = packet {
        return Heard::Greeted {
            in_flight: IN_FLIGHT_TABLE,
            max_packet_bytes: MAX_PACKET_BYTES,
            sharing: Sharing::Unknown,
            keepalive_s: None,
        };
    }
    if let Incoming::SubAck(ack) = packet {
        let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
        return Heard::Subscribed { pkid: ack.pkid, granted: ack.return_codes.iter().all(granted) };
    }
    if let Incoming::Publish(publish) = packet {
        return Heard::Message {
            topic: publish.topic,
            payload: publish.payload.to_vec(),
            retained: publish.retain,
            pkid: publish.pkid,
        };
    }
    if let Incoming::PubAck(ack) = packet {
        return Heard::Acknowledged(ack.pkid, None);
    }
    Heard::Nothing
}

/// Writes our greeting, for a line that the library does not carry.
pub(super) fn write_greeting(broker: &Broker, wire: &mut BytesMut) -> Result<(), Refused> {
    let mut greeting = Connect::new(broker.client_id.clone());
    greeting.keep_alive = keepalive_s(broker);
    greeting.login = broker.login.as_ref().map(|(user, password)| Login::new(user.clone(), password.clone()));
    greeting.write(wire).map(drop).map_err(|_| Refused::Broken)
}

/// Writes a publish at QoS 0.
pub(super) fn write_told(topic: String, payload: Vec<u8>, wire: &mut BytesMut) -> Result<(), Refused> {
    Publish::new(topic, QoS::AtMostOnce, payload).write(wire).map(drop).map_err(|_| Refused::Broken)
}

/// Takes the next packet off what has come; none as long as it has not come whole.
pub(super) fn read(came: &mut BytesMut) -> Result<Option<Heard>, Refused> {
    let max_bytes = usize::try_from(MAX_PACKET_BYTES).unwrap_or(usize::MAX);
    match Packet::read(came, max_bytes) {
        Ok(Packet::ConnAck(ack)) if ack.code != ConnectReturnCode::Success => {
            Err(refused(&ConnectionError::ConnectionRefused(ack.code)))
        }
        Ok(packet) => Ok(Some(incoming(packet))),
        Err(PacketError::InsufficientBytes(_)) => Ok(None),
        Err(error) => Err(refused(&ConnectionError::MqttState(StateError::Deserialization(error)))),
    }
}

fn refused(error: &ConnectionError) -> Refused {
    match error {
        ConnectionError::ConnectionRefused(ConnectReturnCode::RefusedProtocolVersion) => Refused::Version,
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => Refused::NotAuthorised,
        ConnectionError::ConnectionRefused(_) | ConnectionError::NotConnAck(_) => Refused::Broker,
        ConnectionError::NetworkTimeout => Refused::Unreachable,
        ConnectionError::FlushTimeout => Refused::Silent,
        ConnectionError::Tls(error) => fault::of_tls(error),
        ConnectionError::Io(error) => fault::of_io(error),
        ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)),
        ) => fault::of_io(error),
        ConnectionError::MqttState(StateError::Deserialization(PacketError::PayloadSizeLimitExceeded(_))) => {
            Refused::TooLarge
        }
        ConnectionError::MqttState(_) => Refused::Broken,
        ConnectionError::RequestsDone => Refused::Left,
    }
}
