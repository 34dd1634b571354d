//! PURE file: what has happened since a collector's start.

use crate::{
    regulator::{alarms::Numbers, collector::Tally},
    terms::LegalDay,
};

/// What has happened since the start, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Health {
    pub(super) kept: Tally,
    /// Times the store went away.
    pub(super) store_lost: u64,
    /// Times it was asked again.
    pub(super) store_retries: u64,
    /// Batches done again because another collector had one of their logs meanwhile.
    pub(super) store_conflicts: u64,
    /// Messages on topics that are none of ours.
    pub(super) strange_topics: u64,
    /// Messages that came while the hands were full.
    pub(super) passed_over: u64,
    /// Times the broker was lost.
    pub(super) broker_lost: u64,
    /// Times that was for a packet too large to be taken, and when it last was, uptime in milliseconds.
    pub(super) too_large: u64,
    pub(super) too_large_ms: Option<u64>,
    /// Receipts handed to the broker over connections that are gone.
    pub(super) receipts_sent: u64,
    /// Bytes of messages that wait for a key.
    pub(super) held_bytes: usize,
    /// Logs of which records wait though no missing place can be named.
    pub(super) stuck_logs: usize,
    /// The day of the newest head of heads, if it lies ahead.
    pub(super) heads_ahead: Option<LegalDay>,
    /// How alarms stand.
    pub(super) alarms: Numbers,
}

impl Health {
    pub(super) fn tell(&self) {
        let Health { kept, store_lost, store_retries, store_conflicts, strange_topics, .. } = *self;
        let Tally { records, again, refused, unknown, forks, lost, ahead, let_go, astray, .. } = kept;
        tracing::info!(
            records,
            again,
            refused,
            unknown,
            forks,
            lost,
            ahead,
            let_go,
            astray,
            store_lost,
            store_retries,
            store_conflicts,
            strange_topics,
            "since the start"
        );
    }

    pub(super) fn add(&mut self, tally: Tally) {
        let Tally { records, again, refused, unknown, forks, lost, ahead, let_go, astray, refusals, found } =
            tally;
        self.kept.refusals.add(&refusals);
        self.kept.found.add(found);
        self.kept.records += records;
        self.kept.again += again;
        self.kept.refused += refused;
        self.kept.unknown += unknown;
        self.kept.forks += forks;
        self.kept.lost += lost;
        self.kept.ahead += ahead;
        self.kept.let_go += let_go;
        self.kept.astray += astray;
    }
}
