//! What two elements that did not see alike lent the power of late, and so the sums that tell of that time later.

use crate::{
    judge::{commission::Commissioned, drawing::DEMAND_MS, memory::Mark, sign::lent::lent},
    metering::Reading,
    terms::{MilliWatts, Stamp, WattHours},
};

/// The last reading in which anything was lent, and how much.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastLent(Option<(Stamp, MilliWatts)>);

impl LastLent {
    /// Takes a reading.
    pub(super) fn on_reading(&mut self, terms: &Commissioned, reading: &Reading) {
        let lent = lent(terms, reading);
        if lent.0 > 0 {
            self.0 = Some((reading.at, lent));
        }
    }

    /// Whether the reading of this moment was lent anything.
    pub(super) fn is_now(&self, at: &Stamp) -> bool {
        self.0.is_some_and(|(lent_at, _)| lent_at == *at)
    }

    /// What of a reading's power is left without what it was lent.
    pub(super) fn less_of(&self, power: MilliWatts, at: &Stamp) -> MilliWatts {
        let lent = self.0.filter(|(lent_at, _)| lent_at == at).map_or(0, |(_, lent)| lent.0);
        MilliWatts(power.0.saturating_sub(lent))
    }

    /// What a maximum demand may tell of it: that of the quarter of an hour before.
    pub(super) fn lately(&self, at: &Stamp) -> MilliWatts {
        self.since(at, DEMAND_MS)
    }

    /// What is left of energy that passed between two readings without what was lent in that time.
    pub(super) fn less(&self, before: &Mark, now: &Mark, energy: WattHours) -> WattHours {
        let span_ms = now.at.since_ms(&before.at).max(0);
        let lent = self.since(&now.at, span_ms).over_ms(span_ms);
        WattHours(energy.0.saturating_sub(lent.0).max(energy.0.min(0)))
    }

    fn since(&self, at: &Stamp, span_ms: i64) -> MilliWatts {
        let within = self.0.filter(|(lent_at, _)| at.since_ms(lent_at) <= span_ms);
        within.map_or(MilliWatts(0), |(_, lent)| lent)
    }
}
