//! PURE file: what goes to the broker next: our word for what is safe before the receipts.

use std::collections::{BTreeMap, VecDeque};

use super::RECEIPTS_IN_FLIGHT;
use crate::{
    host::courier::Send,
    regulator::{acks::Acks, alarms::notice::ALARMS_TOPIC, collector::Outgoing},
};

/// What is on its way to the broker.
#[derive(Default)]
pub(super) struct Outbound {
    pub(super) acks: Acks,
    pub(super) receipts: VecDeque<Outgoing>,
    pub(super) in_flight: usize,
    pub(super) tag: u64,
    /// The topics of notifications that await the broker's acceptance, by their tags.
    telling: BTreeMap<u64, String>,
}

impl Outbound {
    pub(super) fn has_next(&self) -> bool {
        self.acks.has_next() || (self.in_flight < RECEIPTS_IN_FLIGHT && !self.receipts.is_empty())
    }

    pub(super) fn next(&mut self) -> Option<Send> {
        if self.acks.has_next() {
            return Some(Send::Took(self.acks.next()));
        }
        if self.in_flight >= RECEIPTS_IN_FLIGHT {
            return None;
        }
        let Outgoing { topic, bytes } = self.receipts.pop_front()?;
        (self.tag, self.in_flight) = (self.tag + 1, self.in_flight + 1);
        if topic.starts_with(ALARMS_TOPIC) {
            self.telling.insert(self.tag, topic.clone());
        }
        Some(Send::Publish { tag: self.tag, topic, payload: bytes, retain: true })
    }

    /// The broker has answered; tells the topic where it was a notification's.
    pub(super) fn on_answer(&mut self, tag: u64) -> Option<String> {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.telling.remove(&tag)
    }
}
