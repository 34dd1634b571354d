//! Registers that went backwards, and whether the meter was without power in between: some keep their counts only now
//! and then, and begin a little earlier after a power cut.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::{commission::Commissioned, memory::Mark},
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// A meter keeps its counts at least this often, in milliseconds: a quarter of an hour. [K: vendors' manuals, from memory, 2026]
pub const KEPT_EVERY_MS: i64 = 900_000;

/// When the meter was last without power, as far as its words or its silence tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerCycle {
    uptime: Option<i64>,
    last: Option<Stamp>,
    cycled: Option<Stamp>,
}

impl PowerCycle {
    /// Takes a reading: its uptime began anew, or, where it has no such word, it was silent for more than two polls.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading) {
        let uptime = reading.value(Quantity::UptimeS);
        let poll_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX);
        // Of the time before the first reading nothing is known.
        let silent = self.last.is_none_or(|last| reading.at.since_ms(&last) > poll_ms.saturating_mul(2));
        let cycled = match (self.uptime, uptime) {
            (Some(before), Some(now)) => now < before,
            (None, _) | (_, None) => silent,
        };
        if cycled {
            self.cycled = Some(reading.at);
        }
        self.uptime = uptime.or(self.uptime);
        self.last = Some(reading.at);
    }

    /// Looks at a count that began anew after `before`; figures when no power cycle explains it.
    pub fn look(&self, terms: &Commissioned, before: &Mark, after: &Mark) -> Option<Figures> {
        let fall = before.register.energy.0.saturating_sub(after.register.energy.0);
        if fall <= after.register.step.0.saturating_mul(2) {
            return None;
        }
        let cycled = self.cycled.is_some_and(|cycled| cycled.since_ms(&before.at) >= 0);
        let unsaved = terms.possible(KEPT_EVERY_MS, after.register.step).0;
        let is_explained = cycled && fall <= unsaved;
        (!is_explained).then(|| {
            figures([(Figure::Before, before.register.energy.0), (Figure::After, after.register.energy.0)])
        })
    }
}
