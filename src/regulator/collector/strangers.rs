//! What is heard of logs of which nothing is believed yet: enough to ask for their beginning, and no more than a gateway's
//! share of it.

use std::collections::BTreeSet;

use super::Collector;
use crate::{
    evidence::{Kind, LogId, record::Unverified},
    regulator::store::Log,
    terms::GatewayId,
};

/// Logs heard of before their genesis that are remembered.
pub const MAX_HEARSAY: usize = 100_000;
/// Of these, logs of one gateway: one that is heard of beyond them takes the place of another of the same gateway.
pub const MAX_HEARSAY_OF_ONE: usize = 64;
/// Logs of one gateway of which nothing is believed yet and that are asked for in one round of receipts; one that speaks
/// on is asked for in a later round.
pub const STRANGE_LOGS_AT_ONCE: usize = 8;

impl Collector {
    /// Whether a message stands on another gateway's topic and is not signed by a key that is known. What is signed is
    /// its gateway's on any topic; what is not must at least come from where its gateway alone may publish.
    pub(super) fn is_astray(&self, topic: &str, gateway: GatewayId, bytes: &[u8]) -> bool {
        named_by(topic).is_some_and(|named| named != gateway.as_str())
            && Unverified::read(bytes).is_ok_and(|unverified| self.follower.must_wait(&unverified))
    }

    /// Remembers where a log is heard of before its genesis says where it belongs.
    pub(super) fn hear(&mut self, topic: &str, log: Log, moved: &BTreeSet<Log>) {
        let is_own = named_by(topic) == Some(log.0.as_str());
        if !is_own || self.places.contains_key(&log) || !self.admitted.contains_key(&log.0) {
            return;
        }
        let its_logs = || (log.0, LogId(0))..=(log.0, LogId(u64::MAX));
        let is_full = self.hearsay.range(its_logs()).take(MAX_HEARSAY_OF_ONE).count() == MAX_HEARSAY_OF_ONE;
        let is_idle = |other: &Log| !self.due.contains(other) && !moved.contains(other);
        if is_full
            && !self.hearsay.contains_key(&log)
            && let Some(other) = self.hearsay.range(its_logs()).map(|(other, _)| *other).find(is_idle)
        {
            self.hearsay.remove(&other);
        }
        if self.hearsay.len() < MAX_HEARSAY
            && let Some(base) = topic.strip_suffix(Kind::Attest.word())
        {
            self.hearsay.insert(log, format!("{base}{}", Kind::Receipt.word()));
        }
    }

    /// Whether a log of which something waits for its key may be asked for: its own, or one of few that are strange.
    pub(super) fn may_ask(&self, log: Log, moved: &BTreeSet<Log>) -> bool {
        let its_logs = (log.0, LogId(0))..=(log.0, LogId(u64::MAX));
        let strange = |logs: &BTreeSet<Log>| {
            let logs = logs.range(its_logs.clone()).filter(|log| !self.places.contains_key(log));
            logs.take(STRANGE_LOGS_AT_ONCE).count()
        };
        self.places.contains_key(&log) || strange(&self.due) + strange(moved) < STRANGE_LOGS_AT_ONCE
    }
}

/// The gateway that a topic names.
fn named_by(topic: &str) -> Option<&str> {
    topic.split('/').nth(6)
}
