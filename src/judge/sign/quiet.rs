//! A declared auxiliary that always drew now reads exact zero while the line is live: its current transformers may be
//! shorted. Whoever switches his lamps off now and then never always drew.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::commission::Commissioned,
    metering::Reading,
    terms::{MilliWatts, Stamp},
};

/// It must have drawn without a break for so long, in milliseconds: a day.
pub const ALWAYS_MS: i64 = 86_400_000;
/// A break up to this long, in milliseconds, is none.
pub const BREAK_MS: i64 = 60_000;
/// Exact zero must stand for so long, in milliseconds: an hour.
pub const ZERO_MS: i64 = 3_600_000;

/// How long it drew, and since when it does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet {
    drew_ms: i64,
    last: Option<Stamp>,
    zero_since: Option<Stamp>,
}

impl Quiet {
    /// Takes a reading of a line that is live, or is not.
    pub fn look(&mut self, terms: &Commissioned, reading: &Reading, is_live: bool) -> Option<Figures> {
        let at = reading.at;
        let span_ms = self.last.replace(at).map_or(0, |last| at.since_ms(&last).max(0));
        if terms.allowances.is_empty() || !is_live {
            // A dead line draws nothing, lawfully; what it drew before is forgotten.
            *self = Quiet { last: self.last, ..Quiet::default() };
            return None;
        }
        if !is_zero(reading) {
            let broke = self.zero_since.take().is_some_and(|since| at.since_ms(&since) > BREAK_MS);
            self.drew_ms = if broke { 0 } else { self.drew_ms.saturating_add(span_ms.min(BREAK_MS)) };
            return None;
        }
        let zero_ms = at.since_ms(self.zero_since.get_or_insert(at));
        (self.drew_ms >= ALWAYS_MS && zero_ms >= ZERO_MS).then(|| figures([(Figure::Span, zero_ms)]))
    }
}

fn is_zero(reading: &Reading) -> bool {
    let currents = reading.currents();
    let mut told = currents.iter().flatten().peekable();
    told.peek().is_some() && told.all(|i| i.0 == 0) && reading.power() == Some(MilliWatts(0))
}
