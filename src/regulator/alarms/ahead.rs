//! PURE file. Times that were taken down by a clock that was ahead, and has been set back since. Such a time lies in the future;
//! it counts as the moment when that was seen, so that whatever goes by it takes as long as its own rule says, and no longer.

use std::collections::BTreeMap;

use super::AlarmId;
use crate::terms::GatewayId;

/// Which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Time {
    /// Since when a condition is held until it has stood for long enough.
    Held(AlarmId),
    /// When an alarm was raised.
    Raised(AlarmId),
    /// When an alarm was put aside at the earliest.
    Aside(AlarmId),
    /// When a gateway was heard.
    Heard(GatewayId),
    /// When equipment was last told of; by its alarm.
    Told(AlarmId),
    /// When a gateway was admitted.
    Admitted(GatewayId),
}

/// Times that lie ahead as they were taken down, or did when they were seen first.
#[derive(Clone, Debug, Default)]
pub struct Ahead(BTreeMap<Time, Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    kept_unix_ms: i64,
    counts_as_unix_ms: i64,
}

impl Ahead {
    /// Looks at a time as it is kept, Unix milliseconds. Tells what it counts as: never what lies ahead.
    pub fn see(&mut self, time: Time, kept_unix_ms: i64, now_unix_ms: i64) -> i64 {
        let known = self.0.get(&time).filter(|seen| seen.kept_unix_ms == kept_unix_ms);
        let counts_as_unix_ms = known.map_or(kept_unix_ms, |seen| seen.counts_as_unix_ms).min(now_unix_ms);
        if counts_as_unix_ms == kept_unix_ms {
            self.0.remove(&time);
        } else {
            self.0.insert(time, Seen { kept_unix_ms, counts_as_unix_ms });
        }
        counts_as_unix_ms
    }

    /// What a time that was looked at counts as, Unix milliseconds.
    pub fn of(&self, time: Time, kept_unix_ms: i64) -> i64 {
        let known = self.0.get(&time).filter(|seen| seen.kept_unix_ms == kept_unix_ms);
        known.map_or(kept_unix_ms, |seen| seen.counts_as_unix_ms)
    }

    /// Forgets the times that nobody asks for any longer.
    pub fn retain(&mut self, is_asked_for: impl Fn(&Time) -> bool) {
        self.0.retain(|time, _| is_asked_for(time));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIME: Time = Time::Raised(AlarmId::FIRST);

    #[test]
    fn what_lies_ahead_counts_as_when_that_was_seen_and_goes_on_doing_so() {
        let mut ahead = Ahead::default();
        assert_eq!(ahead.see(TIME, 50, 100), 50);
        assert_eq!(ahead.see(TIME, 900, 100), 100);
        assert_eq!((ahead.see(TIME, 900, 500), ahead.of(TIME, 900)), (100, 100));
        // Once the clock has come to where it was, it is no later; set back again, it is no future.
        assert_eq!(ahead.see(TIME, 900, 2_000), 100);
        assert_eq!(ahead.see(TIME, 900, 70), 70);
        // Another time is another matter.
        assert_eq!((ahead.see(TIME, 60, 70), ahead.of(TIME, 60)), (60, 60));
        assert!(ahead.0.is_empty());
    }

    proptest! {
        /// Whatever a clock has done before: once it runs, what waits for a time has waited for that after as long, and no
        /// time is ever one to come.
        #[test]
        fn a_clock_that_was_ahead_makes_nobody_wait_longer_than_his_rule(
            kept in 0..1_000_000_000_i64,
            leaps in proptest::collection::vec(0..1_000_000_000_i64, 1..20),
            rule in 1..10_000_000_i64,
        ) {
            let mut ahead = Ahead::default();
            for now in &leaps {
                prop_assert!(ahead.see(TIME, kept, *now) <= *now);
            }
            let last = *leaps.last().unwrap();
            for step in 0..=10 {
                let now = last + rule * step / 10;
                prop_assert!(ahead.see(TIME, kept, now) <= last.max(kept.min(now)));
            }
            let counts_as = ahead.see(TIME, kept, last + rule);
            prop_assert!(last + rule - counts_as >= rule, "{counts_as}");
        }
    }
}
