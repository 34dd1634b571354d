//! More is drawn than what the feeder serves is rated for: something else hangs on it.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::commission::Commissioned,
    metering::Reading,
    terms::{MilliWatts, Stamp},
};

/// The mean of so long decides, in milliseconds: a quarter of an hour, as a meter's demand.
pub const MEAN_MS: i64 = 900_000;
/// Of which so much must have been seen, in percent.
pub const SEEN_PERCENT: i64 = 90;
/// What equipment may draw of its rating, in percent: furnace transformers carry a fifth more for hours.
/// [K: overload tables of makers, from memory, 2026]
pub const OVERLOAD_PERCENT: i64 = 120;

/// The quarter of an hour that is being summed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rating {
    since: Option<Stamp>,
    last: Option<(Stamp, MilliWatts)>,
    /// Power times the time it was seen for, in milliwatt-milliseconds.
    energy: i128,
    seen_ms: i64,
}

impl Rating {
    /// Takes a reading. Only a process feeder that serves one piece of equipment alone has a rating to exceed.
    pub fn look(&mut self, terms: &Commissioned, reading: &Reading) -> Option<Figures> {
        let power = reading.power().filter(|_| terms.convicts())?;
        let at = reading.at;
        let since = *self.since.get_or_insert(at);
        let poll_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX);
        if let Some((last, held)) = self.last.replace((at, power)) {
            let span_ms = at.since_ms(&last);
            if (0..=poll_ms.saturating_mul(2)).contains(&span_ms) {
                self.energy += i128::from(held.0) * i128::from(span_ms);
                self.seen_ms += span_ms;
            }
        }
        let lasted_ms = at.since_ms(&since);
        if lasted_ms < MEAN_MS {
            return None;
        }
        let (energy, seen_ms) = (self.energy, self.seen_ms);
        *self = Rating { since: Some(at), last: self.last, ..Rating::default() };
        let is_seen = seen_ms > 0 && seen_ms >= lasted_ms / 100 * SEEN_PERCENT;
        let mean = energy / i128::from(seen_ms.max(1));
        let most =
            i128::from(terms.rated.0) / 100 * i128::from(OVERLOAD_PERCENT) + i128::from(terms.limit().0);
        (is_seen && mean > most).then(|| {
            let watts = |milliwatts: i128| super::figure::whole(milliwatts / 1_000);
            figures([
                (Figure::Power, watts(mean)),
                (Figure::Rated, terms.rated.watts()),
                (Figure::Span, lasted_ms),
            ])
        })
    }
}
