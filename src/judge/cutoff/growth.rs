//! How far a hold can have come between two words of its log: what a replayer believes of its figures.
//!
//! Whoever writes a log may write any figure. Each is bound by the word before it and by the moments of both: what is proven
//! has passed, in no larger steps than a witness leaves between two notes unless the supplier's readings cover it; a night
//! or a weekend counts where one has ended; what a register shows has moved.

use super::{
    hold::{Hold, Recent},
    holds::Holds,
    order::{Carrier, MAX_POINTS, Order},
    reading::{AHEAD_MS, MAX_STEP},
    stand::NOTE_MS,
    window::{NIGHTS, Passed, Stretch, WEEKENDS},
};
use crate::terms::{Stamp, WattHours, time::NO_BOOT};

/// The most that meters can prove between two notes, in milliseconds: a note is due, and the next reading may come late.
const MOST_NOTED_MS: i64 = 2 * NOTE_MS;
/// A clock that is disciplined goes faster or slower than the boot's by at most this part of a span...
const SLEW_PART: i64 = 8;
/// ...and a step of less than this is no event, in milliseconds.
const UNTOLD_STEP_MS: i64 = 1_000;

/// What a replayer knows of two words beside the hold itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between<'b> {
    /// When the later one was recorded.
    pub(super) at: &'b Stamp,
    pub(super) order: &'b Order,
    /// On which readings of points that only the supplier can tell show nothing.
    pub(super) covered: &'b [Stretch],
}

/// What came to a hold.
#[derive(Clone, Copy, Debug)]
struct Grown {
    span_ms: i64,
    proven_ms: i64,
    paused_ms: i64,
    gaps: u32,
}

impl Between<'_> {
    /// Whether this hold can have begun: from nothing, not before the order stood where it stands, nor before `floor`.
    pub(super) fn allows_beginning(&self, later: &Hold, since: &Stamp, floor: &Stamp) -> bool {
        let mut begun = Hold::beginning(&later.since, later.carrier, later.blind);
        begun.registers = later.registers;
        // What a foreign clock tells has no place among the boots.
        let is_above = later.since.boot == NO_BOOT || !later.since.is_before(floor);
        is_above && !later.since.is_before(since) && later.moved.0 >= 0 && self.allows(&begun, later, true)
    }

    /// Whether a hold can have become this one, later.
    pub(super) fn allows_growth(&self, before: &Hold, later: &Hold) -> bool {
        self.allows(before, later, false)
    }

    fn allows(&self, before: &Hold, later: &Hold, is_new: bool) -> bool {
        let Some(grown) = Grown::between(before, later) else { return false };
        let is_set = !is_new && was_set(before, later, grown.span_ms);
        let is_past = later.until == before.until || self.is_past(&later.until);
        is_past
            && grown.proven_ms <= self.most_proven(later, &grown)
            && grown.bears_gaps(before, later, &self.order.holds)
            && grown.bears_recent(&before.recent, &later.recent, &self.order.holds)
            && self.bears_nights(before, later, &grown, (is_new, is_set))
            && self.bears_energy(before, later)
    }

    /// No hold runs ahead of the record that tells it, by its clock or the boot's.
    fn is_past(&self, until: &Stamp) -> bool {
        if until.boot != self.at.boot {
            return until.is_before(self.at) || until.since_ms(self.at) <= AHEAD_MS;
        }
        let lag_ms = self.at.since_ms(until);
        let apart_ms = self.at.step_ms(until).unwrap_or(0).saturating_abs();
        lag_ms >= -AHEAD_MS && apart_ms <= slack_ms(lag_ms.saturating_abs())
    }

    /// A stop of the witness proves nothing: only what it sees in the boot it writes in, and what the supplier tells.
    fn most_proven(&self, later: &Hold, grown: &Grown) -> i64 {
        let noted_ms = if later.until.boot == self.at.boot { MOST_NOTED_MS } else { 0 };
        let to = later.until.wall_unix_ms;
        let covered_ms = covered(self.covered, (to.saturating_sub(grown.span_ms), to));
        noted_ms.saturating_add(covered_ms)
    }

    fn bears_nights(
        &self,
        before: &Hold,
        later: &Hold,
        grown: &Grown,
        (is_new, is_set): (bool, bool),
    ) -> bool {
        let (from, to) = (before.until.wall_unix_ms, later.until.wall_unix_ms);
        let walls = if is_set {
            // By the clock as it went before it was set.
            (from, from.saturating_add(grown.span_ms))
        } else {
            let from_span = to.saturating_sub(grown.span_ms);
            (if is_new { from_span } else { from.min(from_span) }, to)
        };
        let passed = Passed {
            walls,
            proven_ms: grown.proven_ms,
            slack_ms: slack_ms(grown.span_ms),
            coverage_ppm: self.order.holds.coverage_ppm,
            is_set,
        };
        before.nights.may_become(&later.nights, NIGHTS, &passed)
            && before.weekends.may_become(&later.weekends, WEEKENDS, &passed)
    }

    /// What moved is never taken back, and no less than the registers show; what is nothing is no more than two steps of
    /// each, and upstream what time brings.
    fn bears_energy(&self, before: &Hold, later: &Hold) -> bool {
        let shown = later.registers.risen_since(&before.registers).0;
        let is_upstream = self.order.points.iter().any(|point| point.carrier == Carrier::Upstream);
        // Two registers of each point, and one of each process feeder beside them.
        let registers = i64::try_from(self.order.points.len() * 2 + MAX_POINTS).unwrap_or(i64::MAX);
        let most_blind = MAX_STEP.0.saturating_mul(2).saturating_mul(registers);
        later.moved.0.saturating_sub(before.moved.0) >= shown
            && later.blind >= before.blind
            && (is_upstream || (WattHours(0)..=WattHours(most_blind)).contains(&later.blind))
            && later.carrier >= before.carrier
    }
}

impl Grown {
    /// `None` where the times do not add up: all of a hold's time is proven or a gap.
    fn between(before: &Hold, later: &Hold) -> Option<Grown> {
        let span_ms = later.until.since_ms(&before.until);
        let proven_ms = later.proven_ms.checked_sub(before.proven_ms).filter(|ms| *ms >= 0)?;
        let paused_ms = later.paused_ms.checked_sub(before.paused_ms).filter(|ms| *ms >= 0)?;
        let gaps = later.gaps.checked_sub(before.gaps)?;
        (proven_ms.checked_add(paused_ms) == Some(span_ms)).then_some(Grown {
            span_ms,
            proven_ms,
            paused_ms,
            gaps,
        })
    }

    /// Each gap is one, and none was longer than one that only pauses.
    fn bears_gaps(&self, before: &Hold, later: &Hold, holds: &Holds) -> bool {
        let (longest_ms, known_ms) = (later.longest_gap_ms, before.longest_gap_ms);
        let is_longer = longest_ms > known_ms;
        longest_ms >= known_ms
            && (!is_longer || longest_ms <= self.paused_ms.min(holds.longest_gap_ms))
            && (self.gaps > 0) == (self.paused_ms > 0)
            && self.paused_ms <= i64::from(self.gaps).saturating_mul(longest_ms)
    }

    /// The window that runs took all of it, or was full and began anew with some of it.
    fn bears_recent(&self, before: &Recent, later: &Recent, holds: &Holds) -> bool {
        let whole_ms = |recent: &Recent| recent.proven_ms.saturating_add(recent.paused_ms);
        let goes_on = later.proven_ms == before.proven_ms.saturating_add(self.proven_ms)
            && later.paused_ms == before.paused_ms.saturating_add(self.paused_ms);
        let was_full = whole_ms(before).saturating_add(self.span_ms) >= holds.verified_ms;
        let begins = (0..=self.proven_ms).contains(&later.proven_ms)
            && (0..=self.paused_ms).contains(&later.paused_ms)
            && whole_ms(later) > 0;
        goes_on || was_full && begins
    }
}

/// Whether the clock was set between the two ends of a hold, of one boot.
fn was_set(before: &Hold, later: &Hold, span_ms: i64) -> bool {
    let step_ms = later.until.step_ms(&before.until).unwrap_or(0);
    step_ms.saturating_abs() > slack_ms(span_ms.saturating_abs())
}

/// By how much two clocks may tell one span apart, none of them set.
fn slack_ms(span_ms: i64) -> i64 {
    UNTOLD_STEP_MS.saturating_add(span_ms / SLEW_PART)
}

/// How much of a time these stretches cover.
fn covered(stretches: &[Stretch], (from, to): Stretch) -> i64 {
    let mut inside: Vec<Stretch> =
        stretches.iter().map(|(begins, ends)| (*begins.max(&from), *ends.min(&to))).collect();
    inside.sort_unstable();
    let (mut reached, mut sum_ms) = (from, 0_i64);
    for (begins, ends) in inside {
        let begins = begins.max(reached);
        if begins < ends {
            sum_ms = sum_ms.saturating_add(ends.saturating_sub(begins));
            reached = ends;
        }
    }
    sum_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_overlap_cover_no_time_twice() {
        let all = [(0, 40), (10, 20), (30, 60), (80, 70), (90, 200)];
        assert_eq!(covered(&all, (0, 100)), 70);
        assert_eq!(covered(&all, (35, 95)), 30);
        assert_eq!((covered(&all, (60, 90)), covered(&[], (0, 9))), (0, 0));
        assert_eq!(covered(&[(i64::MIN, i64::MAX)], (-5, 5)), 10);
    }
}
