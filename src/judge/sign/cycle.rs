//! Registers that went backwards, and whether the meter was without power in between: some keep their counts only now
//! and then, and begin a little earlier after a power cut.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::{commission::Commissioned, memory::Mark},
    metering::{Quantity, Reading, Register},
    terms::{Stamp, WattHours},
};

/// A meter keeps its counts at least this often, in milliseconds: a quarter of an hour. [K: vendors' manuals, from memory, 2026]
pub const KEPT_EVERY_MS: i64 = 900_000;

/// When the meter was last without power, as far as its words or its silence tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerCycle {
    uptime: Option<i64>,
    last: Option<Stamp>,
    cycled: Option<Stamp>,
    /// The count as last read.
    latest: Option<WattHours>,
    /// The highest count that two readings in a row reached: one torn reading is no count that could fall.
    confirmed: Option<WattHours>,
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
        if let Some(register) = &reading.import {
            self.on_count(register);
        }
    }

    fn on_count(&mut self, register: &Register) {
        let now = register.energy;
        let half = register.modulus.map_or(i64::MAX, |modulus| modulus.0 / 2);
        let latest = self.latest.replace(now);
        if latest.is_some_and(|latest| latest.0.saturating_sub(now.0) > half) {
            // It went round, which is told elsewhere.
            self.confirmed = None;
        } else {
            self.confirmed = self.confirmed.max(latest.map(|latest| latest.min(now)));
        }
    }

    /// Looks at a count that began anew after `before`; figures when no power cycle explains it.
    pub fn look(&mut self, terms: &Commissioned, before: &Mark, after: &Mark) -> Option<Figures> {
        let stood = self.confirmed.take().unwrap_or(before.register.energy);
        let fall = stood.0.saturating_sub(after.register.energy.0);
        if fall <= after.register.step.0.saturating_mul(2) {
            return None;
        }
        let cycled = self.cycled.is_some_and(|cycled| cycled.since_ms(&before.at) >= 0);
        let unsaved = terms.possible(KEPT_EVERY_MS, after.register.step).0;
        let is_explained = cycled && fall <= unsaved;
        (!is_explained)
            .then(|| figures([(Figure::Before, stood.0), (Figure::After, after.register.energy.0)]))
    }
}
