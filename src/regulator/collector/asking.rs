//! What was asked for and has not come is asked for again: nobody else tells whether it was heard.

use super::Collector;
use crate::regulator::store::Log;

/// Time after which what is missing is asked for again, in milliseconds; it doubles up to [`ASK_AGAIN_MOST_MS`].
pub const ASK_AGAIN_MS: i64 = 10_000;
/// Longest time between two requests for the same, in milliseconds.
pub const ASK_AGAIN_MOST_MS: i64 = 10 * 60 * 1_000;

/// A request that nobody has answered yet. Times are wall clock: one that was set back asks at once.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    missing: Vec<(u64, u64)>,
    asked_unix_ms: i64,
    pause_ms: i64,
}

impl Collector {
    /// A log was asked for this, or for nothing.
    pub(super) fn asked(&mut self, log: Log, missing: &[(u64, u64)], now_unix_ms: i64) {
        if missing.is_empty() {
            self.asking.remove(&log);
            return;
        }
        let before = self.asking.get(&log).filter(|before| before.missing == missing);
        let pause_ms = before.map_or(ASK_AGAIN_MS, |before| (before.pause_ms * 2).min(ASK_AGAIN_MOST_MS));
        self.asking.insert(log, Asking { missing: missing.to_vec(), asked_unix_ms: now_unix_ms, pause_ms });
    }

    /// What has waited for an answer long enough is due again.
    pub(super) fn ask_again(&mut self, now_unix_ms: i64) {
        let is_due = |asking: &Asking| {
            !(0..asking.pause_ms).contains(&now_unix_ms.saturating_sub(asking.asked_unix_ms))
        };
        let due = self.asking.iter().filter_map(|(log, asking)| is_due(asking).then_some(*log));
        self.due.extend(due);
    }

    /// Logs in memory of which records wait though no missing place can be named: they name a past that nobody here has.
    pub fn stuck_logs(&self) -> usize {
        let heads = self.follower.heads().iter().filter(|(log, _)| !self.forked.contains(log));
        heads.filter(|(_, head)| head.waiting() > 0 && head.missing().is_none()).count()
    }
}
