//! Nights and weekends in lawful time (+08:00), and how much of them a hold has proven.

use crate::terms::time::{DAY_MS, LEGAL_OFFSET_MS};

const HOUR_MS: i64 = 3_600_000;
/// A night begins at 22:00 and lasts until 06:00.
const NIGHT_STARTS_MS: i64 = 22 * HOUR_MS;
const NIGHT_MS: i64 = 8 * HOUR_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
/// 1970-01-01 was a Thursday: the first Saturday began two days later.
const SATURDAY_MS: i64 = 2 * DAY_MS;

/// A stretch of wall time, Unix milliseconds.
pub type Stretch = (i64, i64);

/// The night that a moment lies in, or the last one before it.
pub fn night(unix_ms: i64) -> Stretch {
    latest(unix_ms, DAY_MS, NIGHT_STARTS_MS, NIGHT_MS)
}

/// The weekend that a moment lies in, or the last one before it.
pub fn weekend(unix_ms: i64) -> Stretch {
    latest(unix_ms, WEEK_MS, SATURDAY_MS, 2 * DAY_MS)
}

fn latest(unix_ms: i64, every_ms: i64, starts_ms: i64, lasts_ms: i64) -> Stretch {
    let since_first = unix_ms.saturating_add(LEGAL_OFFSET_MS).saturating_sub(starts_ms);
    let from = unix_ms.saturating_sub(since_first.rem_euclid(every_ms));
    (from, from.saturating_add(lasts_ms))
}

/// Full stretches of one kind that a hold has lived through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many were proven as far as coverage asks.
    pub full: u16,
    /// Where the newest begins that was touched, Unix milliseconds; 0 before the first.
    pub from_unix_ms: i64,
    /// How much of it is proven, in milliseconds.
    pub proven_ms: i64,
    /// Whether it is counted among the full ones.
    pub is_counted: bool,
}

impl Kept {
    /// Adds proven time. Longer ones than a stretch are never proven at once.
    pub(super) fn add(&mut self, of: fn(i64) -> Stretch, (from, to): Stretch, coverage_ppm: i64) {
        let (begins, ends) = of(to);
        let inside_ms = to.min(ends).saturating_sub(from.max(begins));
        if inside_ms <= 0 {
            return;
        }
        if self.from_unix_ms != begins {
            *self = Kept { full: self.full, from_unix_ms: begins, ..Kept::default() };
        }
        self.proven_ms = self.proven_ms.saturating_add(inside_ms);
        let wanted_ms = i128::from(ends.saturating_sub(begins)) * i128::from(coverage_ppm);
        let is_full = to >= ends && i128::from(self.proven_ms) * 1_000_000 >= wanted_ms;
        if is_full && !self.is_counted {
            self.is_counted = true;
            self.full = self.full.saturating_add(1);
        }
    }

    pub(super) fn begin_anew(&mut self) {
        *self = Kept { full: self.full, ..Kept::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::time::LegalTime;

    #[test]
    fn a_night_lasts_from_ten_to_six_and_a_weekend_two_days() {
        let at = |unix_ms| LegalTime(unix_ms).to_string();
        // 2026-11-18 00:26:40 +08:00, a Wednesday.
        let (from, to) = night(1_794_932_800_000);
        assert_eq!(
            (at(from).as_str(), at(to).as_str()),
            ("2026-11-17 22:00:00 +08:00", "2026-11-18 06:00:00 +08:00")
        );
        let (from, to) = weekend(1_794_932_800_000);
        assert_eq!(
            (at(from).as_str(), at(to).as_str()),
            ("2026-11-14 00:00:00 +08:00", "2026-11-16 00:00:00 +08:00")
        );
    }

    #[test]
    fn a_night_counts_once_it_was_proven_from_end_to_end() {
        let (from, to) = night(1_794_932_800_000);
        let walk = |start: i64, hole: Stretch| {
            let mut kept = Kept::default();
            let mut at = start;
            while at < to + HOUR_MS {
                if !(hole.0..hole.1).contains(&at) {
                    kept.add(night, (at, at + 1_000), 990_000);
                }
                at += 1_000;
            }
            kept.full
        };
        assert_eq!(walk(from - HOUR_MS, (0, 0)), 1);
        assert_eq!(walk(from + HOUR_MS, (0, 0)), 0, "it began too late");
        assert_eq!(walk(from, (from + HOUR_MS, from + HOUR_MS + 280_000)), 1, "1 % of 8 h is 288 s");
        assert_eq!(walk(from, (from + HOUR_MS, from + HOUR_MS + 290_000)), 0);
    }
}
