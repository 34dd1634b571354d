//! Whether a meter was without power: some keep their counts only now and then, and begin a little earlier afterwards.

use super::commission::Commissioned;
use crate::{
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// A meter keeps its counts at least this often, in milliseconds: a quarter of an hour. [K: vendors' manuals, from memory, 2026]
pub const KEPT_EVERY_MS: i64 = 900_000;

/// When the meter was last without power, as far as its words or its silence tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerCycle {
    uptime: Option<i64>,
    fails: Option<i64>,
    last: Option<Stamp>,
    cycled: Option<Stamp>,
}

impl PowerCycle {
    /// Takes a reading: its uptime began anew or its count of power failures rose; where it has no such word, it was
    /// silent for more than two polls.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading) {
        let (uptime, fails) = (reading.value(Quantity::UptimeS), reading.value(Quantity::PowerFails));
        let poll_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX);
        let silent = self.last.is_none_or(|last| reading.at.since_ms(&last) > poll_ms.saturating_mul(2));
        let began = self.uptime.zip(uptime).map(|(before, now)| now < before);
        let failed = self.fails.zip(fails).map(|(before, now)| now > before);
        let cycled = match (began, failed) {
            (None, None) => silent,
            (began, failed) => began == Some(true) || failed == Some(true),
        };
        if cycled {
            self.cycled = Some(reading.at);
        }
        (self.uptime, self.fails) = (uptime.or(self.uptime), fails.or(self.fails));
        self.last = Some(reading.at);
    }

    /// Whether it may have been without power since a moment.
    pub fn is_since(&self, before: &Stamp) -> bool {
        self.cycled.is_some_and(|cycled| cycled.since_ms(before) >= 0)
    }
}
