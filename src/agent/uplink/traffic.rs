//! What an uplink does, for whoever looks on, and what of it the log tells: that a broker comes and goes, in few lines however
//! often it does.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::host::{
    courier::{Refused, Tidings},
    hush::Hush,
};

/// What an uplink does, for whoever looks on.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Whether a broker is there.
    pub is_greeted: AtomicBool,
    /// Whether a broker is there that has granted every subscription; false where there are none.
    pub is_there: AtomicBool,
    /// Every place of the log before this one is accepted by the broker.
    pub accepted: AtomicU64,
    /// Records that left in their turn; after a loss those that left before leave again.
    pub in_place: AtomicU64,
    /// Alerts that left ahead of their turn besides.
    pub overtaking: AtomicU64,
    /// Records that left once more because a receipt missed them.
    pub again: AtomicU64,
    lost: Mutex<Option<Refused>>,
    undelivered: Mutex<Option<Refused>>,
}

impl Traffic {
    /// Why the broker was lost last.
    pub fn lost(&self) -> Option<Refused> {
        // Nobody panics while he holds it.
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the broker does not take what is to leave next, while it does not.
    pub fn undelivered(&self) -> Option<Refused> {
        *self.undelivered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn on_lost(&self, why: Refused) {
        self.is_greeted.store(false, Ordering::Relaxed);
        self.is_there.store(false, Ordering::Relaxed);
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// A record in its turn was taken, or was not.
    pub(super) fn on_turn(&self, refused: Option<Refused>) {
        *self.undelivered.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }
}

/// What the log is told of the broker and of what it does not take, in few lines.
#[derive(Debug)]
pub(super) struct Talk {
    broker: Tidings,
    undelivered: Hush,
    copies: Hush,
    oversized: Hush,
}

impl Talk {
    /// Of the broker at this host and port.
    pub(super) fn of(host: &str, port: u16) -> Talk {
        let (undelivered, copies, oversized) = (Hush::default(), Hush::default(), Hush::default());
        Talk { broker: Tidings::of(host, port), undelivered, copies, oversized }
    }

    /// The broker is there.
    pub(super) fn on_connected(&mut self, now_ms: u64) {
        self.broker.on_connected(now_ms);
    }

    /// It is lost.
    pub(super) fn on_lost(&mut self, now_ms: u64, why: Refused) {
        self.broker.on_lost(now_ms, why);
    }

    /// It does not take a record.
    pub(super) fn on_undelivered(&mut self, now_ms: u64, seq: u64, why: Refused) {
        if let Some(not_told) = self.undelivered.may(now_ms, 0) {
            tracing::warn!(seq, code = why.word(), not_told, "not delivered: {}", why.text());
        }
    }

    /// It does not take a retained copy.
    pub(super) fn on_copy_refused(&mut self, now_ms: u64, why: Refused) {
        if let Some(not_told) = self.copies.may(now_ms, 0) {
            tracing::warn!(code = why.word(), not_told, "a retained copy was refused: {}", why.text());
        }
    }

    /// A record is larger than it takes.
    pub(super) fn on_oversized(&mut self, now_ms: u64, seq: u64, length: usize, limit: usize) {
        if let Some(not_told) = self.oversized.may(now_ms, 0) {
            let what = "passed over: larger than the broker takes; raise its limit";
            tracing::error!(seq, length, limit, not_told, "{what}");
        }
    }

    /// When [`Talk::on_time`] is wanted, uptime in milliseconds.
    pub(super) fn wakes_ms(&self) -> u64 {
        self.broker.wakes_ms()
    }

    /// Time has passed: what was kept back may be due.
    pub(super) fn on_time(&mut self, now_ms: u64) {
        self.broker.on_time(now_ms);
    }
}
