//! The meter's own clock against time that passed.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::register::is_span_known,
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// A clock that is synchronised moves by less than this, in milliseconds.
pub const SYNCHRONISED_MS: i64 = 120_000;
/// All synchronisations of a day together move it by less than this, in milliseconds.
pub const DAILY_MS: i64 = 600_000;
/// Daylight saving time moves it by an hour.
pub const DAYLIGHT_MS: i64 = 3_600_000;
/// And not again within this time, in milliseconds: 100 days.
pub const DAYLIGHT_AGAIN_MS: i64 = 100 * 86_400_000;
const DAY_MS: i64 = 86_400_000;
/// Steps below this are its resolution, in milliseconds.
const RESOLUTION_MS: i64 = 2_000;

/// The clock as last read.
#[derive(Clone, Copy, Debug, Default)]
pub struct MeterClock {
    last: Option<(i64, Stamp)>,
    daylight: Option<Stamp>,
    /// Small steps since then.
    slipped: Option<(i64, Stamp)>,
}

impl MeterClock {
    /// Takes a reading; the step when it is none of a lawful synchronisation.
    pub fn look(&mut self, reading: &Reading) -> Option<Figures> {
        // The quantity's unit is the second, its value thousandths of it.
        let now_ms = reading.value(Quantity::Clock)?;
        let (before_ms, before) = self.last.replace((now_ms, reading.at))?;
        if !is_span_known(&before, &reading.at) {
            return None;
        }
        let step_ms = now_ms.saturating_sub(before_ms).saturating_sub(reading.at.since_ms(&before));
        let size_ms = step_ms.saturating_abs();
        if size_ms <= RESOLUTION_MS {
            return None;
        }
        let seen = if size_ms <= SYNCHRONISED_MS {
            self.slips(size_ms, reading.at)
        } else if (size_ms - DAYLIGHT_MS).abs() <= SYNCHRONISED_MS {
            let last = self.daylight.replace(reading.at);
            last.is_some_and(|last| reading.at.since_ms(&last) < DAYLIGHT_AGAIN_MS)
        } else {
            true
        };
        seen.then(|| figures([(Figure::Step, step_ms)]))
    }

    /// Many small steps in a day are a large one.
    fn slips(&mut self, size_ms: i64, at: Stamp) -> bool {
        let (sum, since) = self.slipped.filter(|(_, since)| at.since_ms(since) < DAY_MS).unwrap_or((0, at));
        self.slipped = Some((sum + size_ms, since));
        sum + size_ms > DAILY_MS
    }
}
