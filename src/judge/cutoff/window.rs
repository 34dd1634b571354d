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

/// A kind of stretch that comes again and again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    /// The one a moment lies in, or the last before it.
    of: fn(i64) -> Stretch,
    every_ms: i64,
}

/// Nights.
pub(super) const NIGHTS: Beat = Beat { of: night, every_ms: DAY_MS };
/// Weekends.
pub(super) const WEEKENDS: Beat = Beat { of: weekend, every_ms: WEEK_MS };

/// What a replayer knows of the time between two words of a hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    /// From when to when.
    pub(super) walls: Stretch,
    /// How much of it is proven, in milliseconds.
    pub(super) proven_ms: i64,
    /// By how much two clocks may tell it apart, in milliseconds.
    pub(super) slack_ms: i64,
    pub(super) coverage_ppm: i64,
    /// The clock was set at its end: what ran begins anew.
    pub(super) is_set: bool,
}

impl Passed {
    /// The most of a stretch that can have been proven in this time.
    fn inside(&self, (begins, ends): Stretch) -> i64 {
        let inside_ms = self.walls.1.min(ends).saturating_sub(self.walls.0.max(begins));
        if inside_ms <= 0 { 0 } else { inside_ms.saturating_add(self.slack_ms).min(self.proven_ms) }
    }
}

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
        let is_full = to >= ends && is_enough(self.proven_ms, (begins, ends), coverage_ppm);
        if is_full && !self.is_counted {
            self.is_counted = true;
            self.full = self.full.saturating_add(1);
        }
    }

    pub(super) fn begin_anew(&mut self) {
        *self = Kept { full: self.full, ..Kept::default() };
    }

    /// Whether it can have become `later` in this time.
    pub(super) fn may_become(&self, later: &Kept, beat: Beat, passed: &Passed) -> bool {
        let more = later.full.checked_sub(self.full);
        let is_counted_at_most = more.is_some_and(|more| i64::from(more) <= self.most_full(beat, passed));
        is_counted_at_most
            && if passed.is_set { later.runs_none() } else { self.may_run_on(later, beat, passed) }
    }

    fn runs_none(&self) -> bool {
        *self == Kept { full: self.full, ..Kept::default() }
    }

    /// What of the one that runs is said to be proven.
    fn may_run_on(&self, later: &Kept, beat: Beat, passed: &Passed) -> bool {
        if later.from_unix_ms != self.from_unix_ms && later.runs_none() {
            return true;
        }
        let stretch = (beat.of)(later.from_unix_ms);
        let most_ms = self.known(stretch).saturating_add(passed.inside(stretch));
        let was_counted = self.is_counted && self.from_unix_ms == later.from_unix_ms;
        let is_full = passed.walls.1 >= stretch.1 && is_enough(later.proven_ms, stretch, passed.coverage_ppm);
        let is_none = later.runs_none() && self.runs_none();
        is_none
            || stretch.0 == later.from_unix_ms
                && (0..=most_ms).contains(&later.proven_ms)
                && (!was_counted || later.is_counted)
                && (!later.is_counted || was_counted || is_full && later.full > self.full)
    }

    /// The most stretches that can have been counted: as many as ended, each with enough of it proven.
    fn most_full(&self, beat: Beat, passed: &Passed) -> i64 {
        let (from, to) = passed.walls;
        let (begins, ends) = (beat.of)(from);
        let first = if ends > from { begins } else { begins.saturating_add(beat.every_ms) };
        let stretch = (beat.of)(first);
        if to < stretch.1 {
            return 0;
        }
        let later = to.saturating_sub(stretch.1) / beat.every_ms;
        let whole_ms = stretch.1.saturating_sub(stretch.0).max(1);
        let wanted_ms = i128::from(whole_ms) * i128::from(passed.coverage_ppm) / 1_000_000;
        let by_time = i128::from(passed.proven_ms.saturating_add(passed.slack_ms)) / wanted_ms.max(1);
        let later = later.min(i64::try_from(by_time).unwrap_or(i64::MAX));
        let reached_ms = self.known(stretch).saturating_add(passed.inside(stretch));
        let was_counted = self.is_counted && self.from_unix_ms == stretch.0;
        let counts = !was_counted && is_enough(reached_ms, stretch, passed.coverage_ppm);
        later.saturating_add(i64::from(counts))
    }

    /// What is proven of a stretch already.
    fn known(&self, (begins, _): Stretch) -> i64 {
        if self.from_unix_ms == begins { self.proven_ms } else { 0 }
    }
}

/// Whether so much of a stretch is as much as coverage asks.
fn is_enough(proven_ms: i64, (begins, ends): Stretch, coverage_ppm: i64) -> bool {
    let wanted_ms = i128::from(ends.saturating_sub(begins)) * i128::from(coverage_ppm);
    i128::from(proven_ms) * 1_000_000 >= wanted_ms
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
