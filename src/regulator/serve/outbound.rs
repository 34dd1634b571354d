//! PURE file: what goes to the broker next: our word for what is safe before the receipts.

use std::collections::VecDeque;

use super::RECEIPTS_IN_FLIGHT;
use crate::{
    host::courier::Send,
    regulator::{acks::Acks, collector::Outgoing},
};

/// What is on its way to the broker.
#[derive(Default)]
pub(super) struct Outbound {
    pub(super) acks: Acks,
    pub(super) receipts: VecDeque<Outgoing>,
    pub(super) in_flight: usize,
    pub(super) tag: u64,
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
        Some(Send::Publish { tag: self.tag, topic, payload: bytes, retain: true })
    }
}
