//! `coldhearth-regulator serve`: subscribes, keeps, follows, and gives receipts.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::collector::{Collector, Outgoing, Tally};
use crate::{
    evidence::Kind,
    host::{
        Clock,
        courier::{self, Broker, Event, Send},
        exit::{Exit, Failure},
        keys,
    },
};

/// Every record of every gateway.
pub const RECORDS: &str = "coldhearth/v1/+/+/+/+/+/_/attest";
/// Messages kept in one commit.
pub const BATCH: usize = 256;
/// Time between two rounds of receipts, in milliseconds.
pub const RECEIPTS_MS: u64 = 1_000;
/// Receipts that may await the broker's acceptance.
pub const RECEIPTS_IN_FLIGHT: usize = 32;

/// Serves until asked to stop.
///
/// # Errors
/// The store failed, or the broker refuses us for good.
pub async fn serve(
    clock: &dyn Clock,
    broker: Broker,
    mut collector: Collector,
    stop: impl Future<Output = ()>,
) -> Result<Exit, Failure> {
    let broker = Broker { filters: vec![RECORDS.to_owned()], ..broker };
    let (mut courier, ends) = courier::pair();
    let carrying = courier::run(clock, broker, ends);
    tokio::pin!(carrying, stop);
    let mut out = Outbound { waiting: VecDeque::new(), in_flight: 0, tag: 0 };
    let mut round_ms = clock.now().uptime_ms + RECEIPTS_MS;
    loop {
        let event = tokio::select! {
            biased;
            () = &mut stop => return Ok(Exit::Done),
            () = &mut carrying => return Err(Failure::new(Exit::Bug, "the courier has ended")),
            event = courier.events.recv() => event,
            () = clock.sleep_until(round_ms) => None,
        };
        let mut batch = Vec::new();
        let mut next = event;
        while let Some(event) = next.take() {
            on_event(event, &mut collector, &mut out, &mut batch)?;
            if batch.len() < BATCH {
                next = courier.events.try_recv().ok();
            }
        }
        let now = clock.now();
        if !batch.is_empty() {
            report(collector.take(&batch, now.wall_unix_ms)?);
        }
        if now.uptime_ms >= round_ms {
            round_ms = now.uptime_ms + RECEIPTS_MS;
            report(collector.look_up(now.wall_unix_ms)?);
            out.waiting.extend(collector.receipts(now.wall_unix_ms, keys::entropy::<16>)?);
        }
        out.send(&courier.send);
    }
}

fn on_event(
    event: Event,
    collector: &mut Collector,
    out: &mut Outbound,
    batch: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Failure> {
    match event {
        Event::Message { topic, payload, .. } => {
            if Kind::of_topic(&topic) == Some(Kind::Attest) {
                batch.push((topic, payload));
            }
        }
        Event::Connected { .. } => {
            tracing::info!("connected to the broker");
            (out.in_flight, out.waiting) = (0, VecDeque::new());
            collector.on_connected()?;
        }
        Event::Lost { why } => {
            tracing::warn!(?why, "the broker is lost; connecting again");
            (out.in_flight, out.waiting) = (0, VecDeque::new());
        }
        Event::Refused { why, .. } => {
            // Nobody there to hear it: it is retained all the same.
            tracing::debug!(?why, "a receipt was not accepted");
            out.in_flight = out.in_flight.saturating_sub(1);
        }
        Event::Accepted { .. } => out.in_flight = out.in_flight.saturating_sub(1),
        Event::Subscribed | Event::Expiring { .. } => {}
    }
    Ok(())
}

fn report(tally: Tally) {
    if tally != Tally::default() {
        let Tally { records, again, refused, unknown, forks, lost } = tally;
        tracing::info!(records, again, refused, unknown, forks, lost, "kept");
    }
}

struct Outbound {
    waiting: VecDeque<Outgoing>,
    in_flight: usize,
    tag: u64,
}

impl Outbound {
    fn send(&mut self, courier: &mpsc::Sender<Send>) {
        while self.in_flight < RECEIPTS_IN_FLIGHT
            && let Some(Outgoing { topic, bytes }) = self.waiting.pop_front()
        {
            self.tag += 1;
            let payload = bytes.clone();
            let send = Send::Publish { tag: self.tag, topic: topic.clone(), payload, retain: true };
            if courier.try_send(send).is_err() {
                self.waiting.push_front(Outgoing { topic, bytes });
                return;
            }
            self.in_flight += 1;
        }
    }
}
