//! MQTT 5 as the library speaks it.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use rumqttc::{
    Outgoing, TlsConfiguration, Transport,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, StateError,
        mqttbytes::{
            Error as PacketError, QoS,
            v5::{
                ConnAck, Connect, ConnectProperties, ConnectReturnCode, DisconnectReasonCode, Filter,
                LastWill, LastWillProperties, Login, Packet, PubAckReason, Publish, SubscribeReasonCode,
            },
        },
    },
};
use tokio_rustls::rustls::ClientConfig;

use super::{
    Broker, CHANNEL, CONNECT_TIMEOUT_S, IN_FLIGHT_TABLE, IN_HAND, MAX_PACKET_BYTES, Sharing, fault,
    keepalive_s, line::Heard, refused::Refused,
};

/// A connection to be: nothing is sent before it is first polled.
pub(super) fn open(broker: &Broker, tls: Option<Arc<ClientConfig>>) -> (AsyncClient, EventLoop) {
    let mut options = options(broker);
    if let Some(config) = tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(config)));
    }
    AsyncClient::new(options, CHANNEL)
}

fn options(broker: &Broker) -> MqttOptions {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    options
        .set_keep_alive(Duration::from_secs(u64::from(keepalive_s(broker))))
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
    if let Some(keeps_s) = broker.keeps_s {
        options
            .set_clean_start(keeps_s == 0)
            .set_session_expiry_interval(Some(keeps_s))
            .set_receive_maximum(Some(IN_HAND))
            .set_manual_acks(true);
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
        options.set_session_expiry_interval(Some(will.delay_s.max(broker.keeps_s.unwrap_or(0))));
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

/// Acknowledges a message by its packet identifier, which is all the library needs to know of it.
pub(super) async fn took(client: &AsyncClient, pkid: u16) -> bool {
    let mut message = Publish::new("", QoS::AtLeastOnce, Vec::new(), None);
    message.pkid = pkid;
    client.ack(&message).await.is_ok()
}

/// Subscribes to all of them in one packet.
pub(super) async fn subscribe(client: &AsyncClient, filters: &[String]) -> bool {
    client.subscribe_many(filters.iter().map(|filter| Filter::new(filter, QoS::AtLeastOnce))).await.is_ok()
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
    if let Incoming::ConnAck(ack) = packet {
        return greeted(&ack);
    }
    if let Incoming::SubAck(ack) = packet {
        let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
        return Heard::Subscribed { pkid: ack.pkid, granted: ack.return_codes.iter().all(granted) };
    }
    if let Incoming::Publish(publish) = packet {
        return Heard::Message {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload.to_vec(),
            retained: publish.retain,
            pkid: publish.pkid,
        };
    }
    if let Incoming::PubAck(ack) = packet {
        return Heard::Acknowledged(ack.pkid, publish_refusal(ack.reason));
    }
    Heard::Nothing
}

fn greeted(ack: &ConnAck) -> Heard {
    let told = ack.properties.as_ref();
    Heard::Greeted {
        in_flight: told.and_then(|p| p.receive_max).unwrap_or(u16::MAX).min(IN_FLIGHT_TABLE),
        max_packet_bytes: told.and_then(|p| p.max_packet_size).unwrap_or(u32::MAX),
        sharing: match told.and_then(|p| p.shared_subscription_available) {
            Some(0) => Sharing::Withheld,
            Some(_) | None => Sharing::Offered,
        },
        keepalive_s: told.and_then(|p| p.server_keep_alive),
    }
}

fn publish_refusal(reason: PubAckReason) -> Option<Refused> {
    match reason {
        PubAckReason::Success => None,
        PubAckReason::NoMatchingSubscribers => Some(Refused::NoSubscriber),
        PubAckReason::QuotaExceeded => Some(Refused::Quota),
        PubAckReason::NotAuthorized => Some(Refused::TopicForbidden),
        PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::TopicNameInvalid
        | PubAckReason::PacketIdentifierInUse
        | PubAckReason::PayloadFormatInvalid => Some(Refused::Broker),
    }
}

/// Writes our greeting, for a line that the library does not carry.
pub(super) fn write_greeting(broker: &Broker, wire: &mut BytesMut) -> Result<(), Refused> {
    let properties =
        ConnectProperties { max_packet_size: Some(MAX_PACKET_BYTES), ..ConnectProperties::new() };
    let greeting = Connect {
        keep_alive: keepalive_s(broker),
        client_id: broker.client_id.clone(),
        clean_start: true,
        properties: Some(properties),
    };
    let login = broker.login.as_ref().map(|(user, password)| Login::new(user.clone(), password.clone()));
    greeting.write(&None, &login, wire).map(drop).map_err(|_| Refused::Broken)
}

/// Writes a publish at QoS 0.
pub(super) fn write_told(topic: String, payload: Vec<u8>, wire: &mut BytesMut) -> Result<(), Refused> {
    Publish::new(topic, QoS::AtMostOnce, payload, None).write(wire).map(drop).map_err(|_| Refused::Broken)
}

/// Takes the next packet off what has come; none as long as it has not come whole.
pub(super) fn read(came: &mut BytesMut) -> Result<Option<Heard>, Refused> {
    match Packet::read(came, Some(MAX_PACKET_BYTES)) {
        Ok(Packet::ConnAck(ack)) if ack.code != ConnectReturnCode::Success => {
            Err(refused(&ConnectionError::ConnectionRefused(ack.code)))
        }
        Ok(Packet::Disconnect(farewell_of_broker)) => Err(farewell(farewell_of_broker.reason_code)),
        Ok(packet) => Ok(Some(incoming(packet))),
        Err(PacketError::InsufficientBytes(_)) => Ok(None),
        Err(error) => Err(broken(&StateError::Deserialization(error))),
    }
}

fn refused(error: &ConnectionError) -> Refused {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::UnsupportedProtocolVersion | ConnectReturnCode::RefusedProtocolVersion,
        ) => Refused::Version,
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword
            | ConnectReturnCode::NotAuthorized
            | ConnectReturnCode::Banned,
        ) => Refused::NotAuthorised,
        ConnectionError::ConnectionRefused(ConnectReturnCode::QuotaExceeded) => Refused::Quota,
        ConnectionError::ConnectionRefused(_) | ConnectionError::NotConnAck(_) => Refused::Broker,
        ConnectionError::Timeout(_) => Refused::Unreachable,
        ConnectionError::Tls(error) => fault::of_tls(error),
        ConnectionError::Io(error) => fault::of_io(error),
        ConnectionError::MqttState(error) => broken(error),
        ConnectionError::RequestsDone => Refused::Left,
    }
}

/// The library tells a broker's farewell, and what the socket says once TLS stands, as errors of its own state.
fn broken(error: &StateError) -> Refused {
    if let StateError::ServerDisconnect { reason_code, .. } = error {
        return farewell(*reason_code);
    }
    if let StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)) = error {
        return fault::of_io(error);
    }
    let too_large = matches!(
        error,
        StateError::IncomingPacketTooLarge { .. }
            | StateError::Deserialization(PacketError::PayloadSizeLimitExceeded { .. })
    );
    if too_large { Refused::TooLarge } else { Refused::Broken }
}

fn farewell(reason: DisconnectReasonCode) -> Refused {
    if reason == DisconnectReasonCode::SessionTakenOver {
        Refused::TakenOver
    } else if reason == DisconnectReasonCode::NotAuthorized {
        Refused::NotAuthorised
    } else if reason == DisconnectReasonCode::QuotaExceeded {
        Refused::Quota
    } else {
        Refused::Broker
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::mqttbytes::v5::SubAck;

    use super::*;

    #[test]
    fn only_reason_zero_is_accepted() {
        assert_eq!(publish_refusal(PubAckReason::Success), None);
        assert_eq!(publish_refusal(PubAckReason::NoMatchingSubscribers), Some(Refused::NoSubscriber));
        assert_eq!(publish_refusal(PubAckReason::NotAuthorized), Some(Refused::TopicForbidden));
        assert_eq!(publish_refusal(PubAckReason::UnspecifiedError), Some(Refused::Broker));
    }

    #[test]
    fn one_filter_refused_is_a_subscription_refused() {
        let ack = |codes: &[SubscribeReasonCode]| {
            let ack = SubAck { pkid: 1, return_codes: codes.to_vec(), properties: None };
            matches!(incoming(Packet::SubAck(ack)), Heard::Subscribed { pkid: 1, granted: true })
        };
        let good = SubscribeReasonCode::Success(QoS::AtLeastOnce);
        assert!(ack(&[good, good]));
        assert!(!ack(&[good, SubscribeReasonCode::NotAuthorized]));
    }

    #[test]
    fn a_broker_that_hands_our_name_to_another_says_so() {
        let taken = StateError::ServerDisconnect {
            reason_code: DisconnectReasonCode::SessionTakenOver,
            reason_string: None,
        };
        assert_eq!(refused(&taken.into()), Refused::TakenOver);
        let old = ConnectionError::ConnectionRefused(ConnectReturnCode::UnsupportedProtocolVersion);
        assert_eq!(refused(&old), Refused::Version);
    }
}
