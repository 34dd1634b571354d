//! A hold: how long all points of an order have been proven without power, and how much of that was not seen.

use super::{
    agreed::Agreed,
    holds::Holds,
    order::Carrier,
    registers::Registers,
    window::{self, Kept, Stretch},
};
use crate::{
    judge::register::redated,
    terms::{Stamp, WattHours},
};

/// The supplier's readings may begin so much later than a hold, and end so much earlier than it is judged: a part of the
/// verified hold, one in so many. Of a week it is a day, since suppliers tell day by day.
pub const UTILITY_SLACK_PART: i64 = 7;

/// A cut that was verified is no longer so when the supplier's readings end longer ago than this, in milliseconds: a month,
/// as certificates are given, and its slack of a day.
pub const UTILITY_LAPSE_MS: i64 = 32 * 86_400_000;

/// Proven time is counted in pieces of at most this, in milliseconds.
const PIECE_MS: i64 = 3_600_000;

/// A hold as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When all points were first proven without power.
    pub since: Stamp,
    /// Up to when they are.
    pub until: Stamp,
    /// Time that is proven, in milliseconds.
    pub proven_ms: i64,
    /// Time of gaps that only paused it, in milliseconds.
    pub paused_ms: i64,
    /// The longest of them, in milliseconds.
    pub longest_gap_ms: i64,
    /// How many there were.
    pub gaps: u32,
    /// Full nights, and what is proven of the one that runs.
    pub nights: Kept,
    /// Full weekends, and what is proven of the one that runs.
    pub weekends: Kept,
    /// What the registers of all points advanced since it began.
    pub moved: WattHours,
    /// What they could advance without telling it from nothing: two steps of each.
    pub blind: WattHours,
    /// The least of those who carry its proof.
    pub carrier: Carrier,
    /// How far the supplier's readings agree, point by point.
    pub agreed: Agreed,
    /// The registers as of `until`.
    pub registers: Registers,
    /// The window that runs, of which coverage is asked as long as a cut is said to be verified.
    pub recent: Recent,
}

/// A window as long as the verified hold: one after the other, so that months behind it hide no week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// Time of it that is proven, in milliseconds.
    pub proven_ms: i64,
    /// Time of gaps in it, in milliseconds.
    pub paused_ms: i64,
}

impl Recent {
    fn add(&mut self, proven_ms: i64, paused_ms: i64, holds: &Holds) {
        if self.proven_ms.saturating_add(self.paused_ms) >= holds.verified_ms {
            *self = Recent::default();
        }
        self.proven_ms = self.proven_ms.saturating_add(proven_ms);
        self.paused_ms = self.paused_ms.saturating_add(paused_ms);
    }
}

/// What a hold lacks for the next rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Proven time.
    Time,
    /// A full night.
    Night,
    /// A full weekend.
    Weekend,
    /// Too much of it was not seen.
    Coverage,
    /// A gap was too long.
    Gap,
    /// A register moved.
    Still,
    /// The supplier's reading does not cover it.
    Utility,
}

impl Hold {
    /// A hold that begins.
    pub fn beginning(at: &Stamp, carrier: Carrier, blind: WattHours) -> Hold {
        Hold {
            since: *at,
            until: *at,
            proven_ms: 0,
            paused_ms: 0,
            longest_gap_ms: 0,
            gaps: 0,
            nights: Kept::default(),
            weekends: Kept::default(),
            moved: WattHours(0),
            blind,
            carrier,
            agreed: Agreed::default(),
            registers: Registers::default(),
            recent: Recent::default(),
        }
    }

    /// Everything up to `to` is proven.
    pub fn prove(&mut self, to: &Stamp, holds: &Holds) {
        let span_ms = to.since_ms(&self.until);
        if span_ms <= 0 {
            return;
        }
        // Piece by piece, since a long stretch may hold several nights.
        let mut from = to.wall_unix_ms.saturating_sub(span_ms);
        while from < to.wall_unix_ms {
            let walls = (from, from.saturating_add(PIECE_MS).min(to.wall_unix_ms));
            self.nights.add(window::night, walls, holds.coverage_ppm);
            self.weekends.add(window::weekend, walls, holds.coverage_ppm);
            from = walls.1;
        }
        self.proven_ms = self.proven_ms.saturating_add(span_ms);
        self.recent.add(span_ms, 0, holds);
        self.until = *to;
    }

    /// The time up to `to` was a gap that pauses.
    pub fn pause(&mut self, to: &Stamp, holds: &Holds) {
        let span_ms = to.since_ms(&self.until).max(0);
        self.paused_ms = self.paused_ms.saturating_add(span_ms);
        self.longest_gap_ms = self.longest_gap_ms.max(span_ms);
        self.gaps = self.gaps.saturating_add(1);
        self.recent.add(0, span_ms, holds);
        self.until = *to;
    }

    /// The wall clock was moved: nights and weekends that run begin anew, and all moments are told by the new clock.
    pub fn on_clock_step(&mut self, now: &Stamp) {
        self.nights.begin_anew();
        self.weekends.begin_anew();
        for at in [&mut self.since, &mut self.until] {
            *at = redated(at, now);
        }
    }

    /// Adds a stretch on which the supplier's reading of a point agrees with it.
    pub fn agree(&mut self, place: usize, (from_unix_ms, to_unix_ms): Stretch) {
        let from = from_unix_ms.max(self.since.wall_unix_ms);
        if from < to_unix_ms {
            self.agreed.add(place, (from, to_unix_ms));
        }
    }

    /// Share of its time that is proven, in parts per million.
    pub fn coverage_ppm(&self) -> i64 {
        let whole = i128::from(self.proven_ms) + i128::from(self.paused_ms);
        let ppm = i128::from(self.proven_ms) * 1_000_000;
        ppm.checked_div(whole).and_then(|ppm| i64::try_from(ppm).ok()).unwrap_or(0)
    }

    /// Whether the window that runs can still be covered as the order asks.
    pub fn is_covered(&self, holds: &Holds) -> bool {
        let unseen_ppm = i128::from(1_000_000 - holds.coverage_ppm);
        // One gap that only pauses is never too much.
        let most =
            (unseen_ppm * i128::from(holds.verified_ms)).max(i128::from(holds.longest_gap_ms) * 1_000_000);
        i128::from(self.recent.paused_ms) * 1_000_000 <= most
    }

    /// Whether the supplier's readings of any of so many points end longer ago than they may be missing.
    pub fn has_lapsed(&self, points: usize) -> bool {
        let reached = self.agreed.on_all(points).map(|(_, to)| to);
        reached.is_none_or(|to| to < self.until.wall_unix_ms.saturating_sub(UTILITY_LAPSE_MS))
    }

    /// Whether the cut counts as seen.
    pub fn is_seen(&self, holds: &Holds) -> bool {
        self.proven_ms >= holds.seen_ms
    }

    /// Whether it is enough for `provisional`.
    ///
    /// # Errors
    /// What it lacks.
    pub fn is_provisional(&self, holds: &Holds) -> Result<(), Lack> {
        if self.proven_ms < holds.provisional_ms {
            return Err(Lack::Time);
        }
        if self.nights.full < holds.nights { Err(Lack::Night) } else { Ok(()) }
    }

    /// Whether it is enough for `verified`: the whole predicate, the supplier's reading of each of so many points included.
    ///
    /// # Errors
    /// What it lacks.
    pub fn is_verified(&self, holds: &Holds, points: usize) -> Result<(), Lack> {
        self.is_provisional(holds)?;
        if self.proven_ms < holds.verified_ms {
            return Err(Lack::Time);
        }
        if self.weekends.full < holds.weekends {
            return Err(Lack::Weekend);
        }
        if self.coverage_ppm() < holds.coverage_ppm {
            return Err(Lack::Coverage);
        }
        if self.longest_gap_ms > holds.longest_gap_ms {
            return Err(Lack::Gap);
        }
        if self.moved > self.blind {
            return Err(Lack::Still);
        }
        if self.is_agreed(holds, points) { Ok(()) } else { Err(Lack::Utility) }
    }

    /// Whether the supplier's readings of all points agree with it from its beginning until now, but for the slack of their
    /// beat.
    pub fn is_agreed(&self, holds: &Holds, points: usize) -> bool {
        let slack_ms = holds.verified_ms / UTILITY_SLACK_PART;
        self.agreed.on_all(points).is_some_and(|(from, to)| {
            from <= self.since.wall_unix_ms.saturating_add(slack_ms)
                && to >= self.until.wall_unix_ms.saturating_sub(slack_ms)
        })
    }

    /// Whether it began later than `before`, which has ended: they are two holds. A clock that was set tells the same
    /// moment otherwise.
    pub fn restarted_from(&self, before: &Hold) -> bool {
        (self.since.boot, self.since.uptime_ms) != (before.since.boot, before.since.uptime_ms)
    }
}
