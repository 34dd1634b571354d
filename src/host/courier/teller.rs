//! A line that only tells, at QoS 0: all that has gathered leaves in one write. The library makes a write, and two turns of
//! the loop, of each message, which costs more than all else that a scan does; of the library only the packets are used.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::rustls::ClientConfig;

use super::{
    Broker, CONNECT_TIMEOUT_S, Ends, Event, Send, WINDOW, dial, fault, keepalive_s, line::Heard,
    refused::Refused, session::Ending, v5, v311, version::Version,
};

/// Messages that leave in one write, at most.
const TOGETHER: usize = 64;
/// Room for what leaves in one write, and for what comes, in bytes, until more is needed.
const USUAL_BYTES: usize = 8 * 1_024;
/// PINGREQ, in either version (MQTT 5, 3.12).
const PING: [u8; 2] = [0xC0, 0];
/// DISCONNECT without a reason, which means a normal one, in either version (MQTT 5, 3.14).
const FAREWELL: [u8; 2] = [0xE0, 0];

trait Stream: AsyncRead + AsyncWrite + std::marker::Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + std::marker::Send + Unpin> Stream for T {}

/// Carries what is to be told until the line ends, or until `renewed` ends and we take leave to come back. Whoever opens
/// such a line asks nothing else of it.
pub(super) async fn carry(
    broker: &Broker,
    (version, tls): (Version, Option<Arc<ClientConfig>>),
    ends: &mut Ends,
    renewed: impl Future<Output = ()>,
) -> Ending {
    let patience = Duration::from_secs(CONNECT_TIMEOUT_S);
    let greeted = tokio::time::timeout(patience, Line::open(broker, version, tls)).await;
    let (mut line, told) = match greeted.unwrap_or(Err(Refused::Unreachable)) {
        Ok(greeted) => greeted,
        Err(why) => return Ending { why, greeted: false, served: false },
    };
    if ends.events.send(told).await.is_err() {
        return Ending { why: Refused::Left, greeted: true, served: false };
    }
    let why = line.carry(ends, renewed).await;
    Ending { why, greeted: true, served: line.served }
}

/// One connection.
struct Line {
    version: Version,
    stream: Box<dyn Stream>,
    wire: BytesMut,
    came: BytesMut,
    keepalive: Duration,
    /// A ping is out that was not answered.
    awaits_answer: bool,
    /// The broker has answered a ping.
    served: bool,
}

impl Line {
    /// Dials and greets; what the program is told of it.
    async fn open(
        broker: &Broker,
        version: Version,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<(Line, Event), Refused> {
        let stream: Box<dyn Stream> = match tls {
            Some(config) => Box::new(dial::tls(broker, config).await?),
            None => Box::new(dial::tcp(broker).await?),
        };
        Line::greet(broker, version, stream).await
    }

    async fn greet(
        broker: &Broker,
        version: Version,
        stream: Box<dyn Stream>,
    ) -> Result<(Line, Event), Refused> {
        let mut line = Line {
            version,
            stream,
            wire: BytesMut::with_capacity(USUAL_BYTES),
            came: BytesMut::with_capacity(USUAL_BYTES),
            keepalive: Duration::from_secs(u64::from(keepalive_s(broker))),
            awaits_answer: false,
            served: false,
        };
        match version {
            Version::Five => v5::write_greeting(broker, &mut line.wire)?,
            Version::ThreeOneOne => v311::write_greeting(broker, &mut line.wire)?,
        }
        line.flush().await.map_err(not_greeted)?;
        let Heard::Greeted { in_flight, max_packet_bytes, sharing, keepalive_s } =
            line.next().await.map_err(not_greeted)?
        else {
            return Err(Refused::Broker);
        };
        if let Some(wanted_s) = keepalive_s.filter(|wanted_s| *wanted_s > 0) {
            line.keepalive = Duration::from_secs(u64::from(wanted_s));
        }
        Ok((line, Event::Connected { window: WINDOW.min(in_flight), max_packet_bytes, sharing }))
    }

    async fn carry(&mut self, ends: &mut Ends, renewed: impl Future<Output = ()>) -> Refused {
        let mut gathered = Vec::with_capacity(TOGETHER);
        let mut ping = tokio::time::interval(self.keepalive);
        // The first is due at once, and the broker has only just answered.
        let _now = ping.tick().await;
        tokio::pin!(renewed);
        loop {
            tokio::select! {
                biased;
                heard = self.next() => match heard {
                    Ok(_) => (self.awaits_answer, self.served) = (false, true),
                    Err(why) => return why,
                },
                _ = ping.tick() => {
                    if std::mem::replace(&mut self.awaits_answer, true) {
                        return Refused::Silent;
                    }
                    self.wire.extend_from_slice(&PING);
                    if let Err(why) = self.flush().await {
                        return why;
                    }
                }
                () = &mut renewed => return self.take_leave(Refused::Renewed).await,
                count = ends.sends.recv_many(&mut gathered, TOGETHER) => {
                    let leaving = match self.gather(&mut gathered) {
                        Ok(leaving) => leaving.or((count == 0).then_some(Refused::Left)),
                        Err(why) => return why,
                    };
                    if let Some(why) = leaving {
                        return self.take_leave(why).await;
                    }
                    if let Err(why) = self.flush().await {
                        return why;
                    }
                }
            }
        }
    }

    /// Puts all that is to be told on the wire; why to leave, where that was asked for.
    fn gather(&mut self, gathered: &mut Vec<Send>) -> Result<Option<Refused>, Refused> {
        let mut leaving = None;
        for send in gathered.drain(..) {
            match send {
                Send::Tell { topic, payload } => match self.version {
                    Version::Five => v5::write_told(topic, payload, &mut self.wire)?,
                    Version::ThreeOneOne => v311::write_told(topic, payload, &mut self.wire)?,
                },
                Send::Stop => leaving = Some(Refused::Left),
                Send::Again => leaving = Some(Refused::Again),
                Send::Publish { .. } | Send::Took(_) | Send::Subscribe { .. } | Send::Unsubscribe(_) => {
                    tracing::error!("a line that only tells was asked for more");
                }
            }
        }
        Ok(leaving)
    }

    async fn take_leave(&mut self, why: Refused) -> Refused {
        self.wire.extend_from_slice(&FAREWELL);
        // Whoever leaves does not mind how the line ends.
        let _sent = self.flush().await;
        why
    }

    /// Writes what waits, in one piece.
    async fn flush(&mut self) -> Result<(), Refused> {
        let written = async {
            self.stream.write_all(&self.wire).await?;
            self.stream.flush().await
        };
        let patience = self.keepalive * 2;
        let written = tokio::time::timeout(patience, written).await.map_err(|_| Refused::Silent)?;
        self.wire.clear();
        written.map_err(|e| fault::of_io(&e))
    }

    /// The next packet that comes. May be cancelled.
    async fn next(&mut self) -> Result<Heard, Refused> {
        loop {
            let heard = match self.version {
                Version::Five => v5::read(&mut self.came)?,
                Version::ThreeOneOne => v311::read(&mut self.came)?,
            };
            if let Some(heard) = heard {
                return Ok(heard);
            }
            match self.stream.read_buf(&mut self.came).await {
                Ok(0) => return Err(Refused::Broken),
                Ok(_) => {}
                Err(error) => return Err(fault::of_io(&error)),
            }
        }
    }
}

/// A peer that took the connection but not our greeting is not one that broke.
fn not_greeted(why: Refused) -> Refused {
    if why == Refused::Broken { Refused::Dropped } else { why }
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::mqttbytes::{QoS, v5::Packet};
    use tokio::{io::DuplexStream, sync::mpsc};

    use super::*;
    use crate::host::courier::{Courier, pair_that_tells};

    /// CONNACK of MQTT 5: success, and a keep-alive of ten seconds in place of ours.
    const TAKEN_5: [u8; 8] = [0x20, 6, 0, 0, 3, 0x13, 0, 10];
    /// CONNACK of MQTT 3.1.1: success.
    const TAKEN_3: [u8; 4] = [0x20, 2, 0, 0];

    fn broker() -> Broker {
        Broker {
            host: "127.0.0.1".into(),
            port: 1_883,
            client_id: "gw-test-live".into(),
            login: Some(("gw".into(), "secret".into())),
            tls: None,
            keepalive_s: 30,
            will: None,
            filters: Vec::new(),
            keeps_s: None,
        }
    }

    /// A line that was taken, and the broker's end of it.
    async fn taken(version: Version, answer: &[u8]) -> (Result<(Line, Event), Refused>, DuplexStream) {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1_024);
        theirs.write_all(answer).await.unwrap();
        (Line::greet(&broker(), version, Box::new(ours)).await, theirs)
    }

    async fn packets(theirs: &mut DuplexStream, count: usize) -> Vec<Packet> {
        let (mut came, mut packets) = (BytesMut::new(), Vec::new());
        while packets.len() < count {
            match Packet::read(&mut came, None) {
                Ok(packet) => packets.push(packet),
                Err(_) => assert!(theirs.read_buf(&mut came).await.unwrap() > 0, "the line ended"),
            }
        }
        packets
    }

    async fn said(send: &mpsc::Sender<Send>, count: u8) {
        for n in 0..count {
            send.send(Send::Tell { topic: format!("t/{n}"), payload: vec![n; 3] }).await.unwrap();
        }
    }

    #[tokio::test]
    async fn all_that_has_gathered_leaves_in_order_and_in_one_write() {
        let (line, mut theirs) = taken(Version::Five, &TAKEN_5).await;
        let (mut line, told) = line.unwrap();
        assert!(matches!(told, Event::Connected { .. }), "{told:?}");
        assert_eq!(line.keepalive, Duration::from_secs(10), "the broker's own");
        let greeting = packets(&mut theirs, 1).await;
        let [Packet::Connect(greeting, None, Some(login))] = &greeting[..] else { panic!("{greeting:?}") };
        assert_eq!((greeting.client_id.as_str(), login.password.as_str()), ("gw-test-live", "secret"));
        let (Courier { send, .. }, mut ends) = pair_that_tells(16);
        said(&send, 10).await;
        let mut gathered = Vec::new();
        ends.sends.recv_many(&mut gathered, TOGETHER).await;
        assert_eq!(line.gather(&mut gathered), Ok(None));
        line.flush().await.unwrap();
        // What one read brings was one write.
        let mut wire = BytesMut::with_capacity(4_096);
        theirs.read_buf(&mut wire).await.unwrap();
        for n in 0..10 {
            let Ok(Packet::Publish(publish)) = Packet::read(&mut wire, None) else { panic!("the {n}th") };
            assert_eq!((publish.qos, publish.retain, publish.pkid), (QoS::AtMostOnce, false, 0));
            assert_eq!(
                (&publish.topic[..], &publish.payload[..]),
                (format!("t/{n}").as_bytes(), &[n; 3][..])
            );
        }
        assert!(wire.is_empty());
    }

    #[tokio::test]
    async fn whoever_stops_takes_leave_behind_what_was_said() {
        // MQTT 5 has properties between topic and payload: none.
        for (version, answer, last) in [
            (Version::Five, &TAKEN_5[..], &[b'1', 0, 1, 1, 1, 0xE0, 0][..]),
            (Version::ThreeOneOne, &TAKEN_3[..], &[b'1', 1, 1, 1, 0xE0, 0][..]),
        ] {
            let (line, mut theirs) = taken(version, answer).await;
            let (Courier { send, events: _events }, mut ends) = pair_that_tells(16);
            said(&send, 2).await;
            send.send(Send::Stop).await.unwrap();
            let why = line.unwrap().0.carry(&mut ends, std::future::pending()).await;
            assert_eq!(why, Refused::Left);
            let mut wire = Vec::new();
            theirs.read_to_end(&mut wire).await.unwrap();
            assert!(wire.ends_with(last), "{wire:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_that_answers_no_ping_is_silent_and_one_that_does_is_kept() {
        let (line, mut theirs) = taken(Version::ThreeOneOne, &TAKEN_3).await;
        let (mut line, _told) = line.unwrap();
        let (Courier { send: _send, events: _events }, mut ends) = pair_that_tells(1);
        let answering = tokio::spawn(async move {
            let mut heard = vec![0; 1_024];
            let _greeting = theirs.read(&mut heard).await.unwrap();
            for _ in 0..3 {
                assert_eq!(theirs.read(&mut heard).await.unwrap(), 2);
                assert_eq!(heard[..2], PING);
                theirs.write_all(&[0xD0, 0]).await.unwrap();
            }
            theirs
        });
        assert_eq!(line.carry(&mut ends, std::future::pending()).await, Refused::Silent);
        assert!(line.served);
        drop(line);
        let mut rest = Vec::new();
        answering.await.unwrap().read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, PING, "one that was not answered, and no more");
    }

    #[tokio::test]
    async fn a_broker_that_does_not_take_us_says_why() {
        // Not authorised, in both versions; a version that it does not know; hanging up.
        for (version, answer, why) in [
            (Version::Five, &[0x20, 3, 0, 0x87, 0][..], Refused::NotAuthorised),
            (Version::ThreeOneOne, &[0x20, 2, 0, 5][..], Refused::NotAuthorised),
            (Version::Five, &[0x20, 3, 0, 0x84, 0][..], Refused::Version),
        ] {
            assert_eq!(taken(version, answer).await.0.map(drop), Err(why), "{answer:?}");
        }
        let (ours, theirs) = tokio::io::duplex(1_024);
        let hanging_up = tokio::spawn(async move {
            let mut theirs = theirs;
            theirs.read_u8().await.unwrap()
        });
        let greeted = Line::greet(&broker(), Version::Five, Box::new(ours)).await;
        assert_eq!(greeted.map(drop), Err(Refused::Dropped));
        hanging_up.await.unwrap();
    }

    #[tokio::test]
    async fn a_farewell_of_the_broker_tells_its_reason() {
        let (line, mut theirs) = taken(Version::Five, &TAKEN_5).await;
        // DISCONNECT, 0x8E: session taken over.
        theirs.write_all(&[0xE0, 2, 0x8E, 0]).await.unwrap();
        let (Courier { send: _send, events: _events }, mut ends) = pair_that_tells(1);
        let why = line.unwrap().0.carry(&mut ends, std::future::pending()).await;
        assert_eq!(why, Refused::TakenOver);
    }
}
