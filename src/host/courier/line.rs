//! One connection's two ends in the library, whichever version of MQTT it speaks.

use std::sync::Arc;

use rumqttc::{QoS, v5::mqttbytes::QoS as QoS5};
use tokio_rustls::rustls::ClientConfig;

use super::{Broker, Sharing, refused::Refused, v5, v311, version::Version};

/// What came, or went, on a line.
#[derive(Debug)]
pub(super) enum Heard {
    /// The broker takes us.
    Greeted {
        /// Publishes the broker, or the library's table, can hold unacknowledged.
        in_flight: u16,
        /// Largest packet the broker takes, in bytes.
        max_packet_bytes: u32,
        /// Whether it shares.
        sharing: Sharing,
        /// Keep-alive that the broker wants in place of ours, in seconds.
        keepalive_s: Option<u16>,
    },
    /// The oldest subscription not yet on the wire is on it now, under this packet identifier.
    Asked(u16),
    /// The broker has answered a subscription.
    Subscribed {
        /// Its packet identifier.
        pkid: u16,
        /// Whether every filter was granted.
        granted: bool,
    },
    /// The oldest publish at QoS 1 not yet on the wire is on it now, under this packet identifier.
    Sent(u16),
    /// A publish came to its end; and if it was not accepted, why.
    Acknowledged(u16, Option<Refused>),
    /// Something came.
    Message {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
        /// Whether it was kept by the broker rather than said now.
        retained: bool,
        /// Its packet identifier; 0 where the broker waits for no acknowledgement.
        pkid: u16,
    },
    /// Our own leave-taking is on the wire.
    Left,
    /// Nothing to act on.
    Nothing,
}

/// The end that speaks.
#[derive(Clone)]
pub(super) enum Speaker {
    Five(rumqttc::v5::AsyncClient),
    ThreeOneOne(rumqttc::AsyncClient),
}

/// The end that hears.
pub(super) enum Listener {
    Five(Box<rumqttc::v5::EventLoop>),
    ThreeOneOne(Box<rumqttc::EventLoop>),
}

/// Both ends of a new line; nothing is sent before the listener is first asked.
pub(super) fn open(broker: &Broker, version: Version, tls: Option<Arc<ClientConfig>>) -> (Speaker, Listener) {
    match version {
        Version::Five => {
            let (client, event_loop) = v5::open(broker, tls);
            (Speaker::Five(client), Listener::Five(Box::new(event_loop)))
        }
        Version::ThreeOneOne => {
            let (client, event_loop) = v311::open(broker, tls);
            (Speaker::ThreeOneOne(client), Listener::ThreeOneOne(Box::new(event_loop)))
        }
    }
}

impl Listener {
    /// The next event. Must not be cancelled midway.
    pub(super) async fn next(&mut self) -> Result<Heard, Refused> {
        match self {
            Listener::Five(event_loop) => v5::heard(event_loop.poll().await),
            Listener::ThreeOneOne(event_loop) => v311::heard(event_loop.poll().await),
        }
    }
}

impl Speaker {
    /// Publishes at QoS 1.
    pub(super) async fn publish(&self, topic: String, retain: bool, payload: Vec<u8>) -> Result<(), Refused> {
        let handed = match self {
            Speaker::Five(client) => client.publish(topic, QoS5::AtLeastOnce, retain, payload).await.is_ok(),
            Speaker::ThreeOneOne(client) => {
                client.publish(topic, QoS::AtLeastOnce, retain, payload).await.is_ok()
            }
        };
        if handed { Ok(()) } else { Err(Refused::Broken) }
    }

    /// Publishes at QoS 0.
    pub(super) async fn tell(&self, topic: String, payload: Vec<u8>) -> Result<(), Refused> {
        let handed = match self {
            Speaker::Five(client) => client.publish(topic, QoS5::AtMostOnce, false, payload).await.is_ok(),
            Speaker::ThreeOneOne(client) => {
                client.publish(topic, QoS::AtMostOnce, false, payload).await.is_ok()
            }
        };
        if handed { Ok(()) } else { Err(Refused::Broken) }
    }

    /// Subscribes at QoS 1.
    pub(super) async fn subscribe(&self, filters: &[String]) -> Result<(), Refused> {
        let handed = match self {
            Speaker::Five(client) => v5::subscribe(client, filters).await,
            Speaker::ThreeOneOne(client) => v311::subscribe(client, filters).await,
        };
        if handed { Ok(()) } else { Err(Refused::Broken) }
    }

    /// Subscribes no longer.
    pub(super) async fn unsubscribe(&self, filter: &str) -> Result<(), Refused> {
        let handed = match self {
            Speaker::Five(client) => client.unsubscribe(filter).await.is_ok(),
            Speaker::ThreeOneOne(client) => client.unsubscribe(filter).await.is_ok(),
        };
        if handed { Ok(()) } else { Err(Refused::Broken) }
    }

    /// Acknowledges a message.
    pub(super) async fn took(&self, pkid: u16) -> Result<(), Refused> {
        let handed = match self {
            Speaker::Five(client) => v5::took(client, pkid).await,
            Speaker::ThreeOneOne(client) => v311::took(client, pkid).await,
        };
        if handed { Ok(()) } else { Err(Refused::Broken) }
    }

    /// Takes leave, behind everything that was handed over before.
    pub(super) async fn disconnect(&self) {
        // A line that is gone has ended already, and its listener says why.
        match self {
            Speaker::Five(client) => drop(client.disconnect().await),
            Speaker::ThreeOneOne(client) => drop(client.disconnect().await),
        }
    }
}
