//! Tells every scan at once to whoever looks on, where the configuration asks for it: unsigned, QoS 0, not retained. It
//! has a connection of its own, so that no record ever waits behind it, and what finds no room is dropped and counted.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use tokio::{sync::mpsc, task::JoinSet};

use super::{config::AgentConfig, uplink::PACKET_OVERHEAD_BYTES};
use crate::{
    evidence::live,
    host::{
        Clock,
        courier::{self, Broker, Courier, Event, Send},
        watchdog::Watchdog,
    },
    metering::Reading,
    terms::MeterId,
};

/// Scans that may wait for the broker; what comes beyond them is dropped.
pub const BACKLOG: usize = 1_024;
/// Time between two looks at how many were dropped, in milliseconds.
pub const COUNT_MS: u64 = 60_000;
/// Room made for a message, in bytes: one of twenty values takes about 400.
const USUAL_BYTES: usize = 512;

/// The way out for scans.
#[derive(Debug)]
pub struct Live {
    topics: BTreeMap<MeterId, String>,
    send: mpsc::Sender<Send>,
    /// Largest packet that the broker takes, in bytes; 0 while it is not there.
    takes_bytes: AtomicU32,
    dropped: AtomicU64,
}

impl Live {
    /// For meters and where each is told; whoever carries what is sent has the other end.
    fn new(topics: BTreeMap<MeterId, String>, send: mpsc::Sender<Send>) -> Live {
        Live { topics, send, takes_bytes: AtomicU32::new(0), dropped: AtomicU64::new(0) }
    }

    /// Tells a scan, or drops it; never waits.
    pub fn tell(&self, reading: &Reading) {
        let Some(topic) = self.topics.get(&reading.meter) else { return };
        if !self.hand_over(topic, reading) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn hand_over(&self, topic: &str, reading: &Reading) -> bool {
        let takes_bytes = self.takes_bytes.load(Ordering::Relaxed) as usize;
        if takes_bytes == 0 {
            return false;
        }
        let Ok(place) = self.send.try_reserve() else { return false };
        let mut payload = Vec::with_capacity(USUAL_BYTES);
        live::write(reading, &mut payload);
        let is_taken = topic.len() + payload.len() + PACKET_OVERHEAD_BYTES <= takes_bytes;
        if is_taken {
            place.send(Send::Tell { topic: topic.to_owned(), payload });
        }
        is_taken
    }

    /// Scans that nobody was told of.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn on_event(&self, event: &Event) {
        if let Event::Connected { max_packet_bytes, .. } = event {
            self.takes_bytes.store(*max_packet_bytes, Ordering::Relaxed);
        } else if let Event::Lost { why } = event {
            self.takes_bytes.store(0, Ordering::Relaxed);
            tracing::warn!(code = why.word(), "live: broker lost: {}", why.text());
        }
    }
}

/// Opens the way to this broker, as the gateway itself is let in but under a name of its own. Both its tasks have a pulse.
pub fn open(
    (clock, watchdog): (&Arc<dyn Clock>, &Watchdog),
    config: &AgentConfig,
    broker: &Broker,
    tasks: &mut JoinSet<()>,
) -> Arc<Live> {
    let client_id = format!("{}-live", broker.client_id);
    let broker = Broker { client_id, will: None, filters: Vec::new(), keeps_s: None, ..broker.clone() };
    let (Courier { send, mut events }, ends) = courier::pair_that_tells(BACKLOG);
    let carrying = watchdog.pulse("live courier", clock);
    // Its waits have limits of their own, or wait for a scan.
    tasks.spawn(async move {
        carrying.while_doing(Box::pin(courier::run(&*carrying, broker, ends))).await;
    });
    let gateway = &config.gateway;
    let topic = |meter| live::topic(gateway.division, gateway.enterprise, gateway.id, meter);
    let topics = config.meters.iter().map(|meter| (meter.id, topic(meter.id))).collect();
    let live = Arc::new(Live::new(topics, send));
    let (watching, clock) = (live.clone(), watchdog.pulse("live", clock));
    tasks.spawn(async move {
        let (mut told, mut count_ms) = (0, clock.now().uptime_ms + COUNT_MS);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => watching.on_event(&event),
                    None => return,
                },
                () = clock.sleep_until(count_ms) => {
                    count_ms += COUNT_MS;
                    let dropped = watching.dropped();
                    if dropped > told {
                        tracing::warn!(dropped, "live: scans were dropped; the broker is away or slow");
                        told = dropped;
                    }
                }
            }
        }
    });
    live
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::live::tests::reading,
        host::courier::{Refused, Sharing},
        metering::Quantity,
    };

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let (send, mut sends) = mpsc::channel(1);
        let reading = reading(&[(Quantity::Power, 5_000)]);
        let live = Live::new(BTreeMap::from([(reading.meter, "there".to_owned())]), send);
        live.tell(&reading);
        assert_eq!(live.dropped(), 1, "no broker is there yet");
        live.on_event(&Event::Connected { window: 1, max_packet_bytes: 1, sharing: Sharing::Unknown });
        live.tell(&reading);
        assert_eq!(live.dropped(), 2, "the broker takes no packet of that size");
        live.on_event(&Event::Connected { window: 1, max_packet_bytes: 1_000, sharing: Sharing::Unknown });
        live.tell(&reading);
        live.tell(&reading);
        assert_eq!(live.dropped(), 3, "the broker takes nothing");
        let sent = sends.try_recv().unwrap();
        assert!(
            matches!(&sent, Send::Tell { topic, payload } if topic == "there" && !payload.is_empty()),
            "{sent:?}"
        );
        live.on_event(&Event::Lost { why: Refused::Broken });
        live.tell(&reading);
        assert_eq!(live.dropped(), 4);
        assert!(sends.try_recv().is_err());
    }
}
