//! Who was not let in: counted, and told in few lines however many they are.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Time in which one line is written, in milliseconds.
pub(super) const MINUTE_MS: u64 = 60_000;

/// How often somebody was not let in since the program began; for `/metrics`, too.
#[derive(Clone, Debug, Default)]
pub struct TurnedAway {
    all: Arc<AtomicU64>,
    /// When the last line was written, by uptime in milliseconds, and how many there were then.
    told: Arc<Mutex<Option<(u64, u64)>>>,
}

impl TurnedAway {
    /// How often so far.
    pub fn count(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// One more. Not by what name: people type passwords there.
    pub(super) fn one(&self, from: IpAddr, now_ms: u64) {
        if let Some(times) = self.due(now_ms) {
            tracing::info!(%from, times, "somebody was not let into the console; how often since the last line");
        }
    }

    /// How many there were since the last line, once another is due.
    fn due(&self, now_ms: u64) -> Option<u64> {
        let all = self.all.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (last_ms, before) = told.unwrap_or((now_ms.saturating_sub(MINUTE_MS), 0));
        let is_due = now_ms.saturating_sub(last_ms) >= MINUTE_MS || told.is_none();
        is_due.then(|| {
            *told = Some((now_ms, all));
            all.saturating_sub(before)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_are_turned_away_a_minute_has_one_line_and_all_are_counted() {
        let turned = TurnedAway::default();
        assert_eq!(turned.due(5), Some(1), "the first at once");
        assert!((6..600).all(|now_ms| turned.due(now_ms).is_none()));
        assert_eq!(turned.due(5 + MINUTE_MS), Some(595));
        assert_eq!(turned.clone().count(), 596);
    }
}
