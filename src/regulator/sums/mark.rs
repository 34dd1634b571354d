//! What is added up of one verdict, and of which day it is.

use super::{Accounted, LATE_DAYS, Latch, Place, Rise};
use crate::{
    catalogue::{Class, Rostered},
    evidence::{Body, Record, record::Unverified},
    judge::{Finding, Verdict, ledger::INTERVAL_MS},
    regulator::store::KeptRecord,
    terms::{AssetId, LegalDay, time::DAY_MS},
};

/// An edge of what a verdict tells of that is so near midnight is midnight where energy is dated, and one so near the end of a
/// silence is that end, in milliseconds: half a quarter of an hour. The quarter that ends there is told when the next reading
/// comes, up to minutes later.
pub(super) const NEAR_MS: i64 = INTERVAL_MS / 2;

/// What a verdict says of whether another price is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearing {
    /// In scope, and on the authority's roster.
    Charged,
    /// Not in scope, or on no line of the roster.
    Free,
    /// Its log knows of no roster.
    NoRoster,
}

impl Bearing {
    /// What this verdict says.
    pub fn of(verdict: &Verdict) -> Bearing {
        match verdict.standing.roster {
            None => Bearing::NoRoster,
            Some(roster) if Rostered::day(roster).is_some() => {
                let is_in_scope = verdict.standing.class() == Some(Class::InScope);
                if is_in_scope { Bearing::Charged } else { Bearing::Free }
            }
            Some(_) => Bearing::Free,
        }
    }

    /// As it is kept.
    pub const fn word(self) -> &'static str {
        match self {
            Bearing::Charged => "charged",
            Bearing::Free => "free",
            Bearing::NoRoster => "no_roster",
        }
    }

    /// Reads what is kept.
    pub fn of_word(word: &str) -> Option<Bearing> {
        [Bearing::Charged, Bearing::Free, Bearing::NoRoster].into_iter().find(|one| one.word() == word)
    }
}

/// What is added up of a verdict: the quarter of an hour that it closes, which lies before it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When it was given: by the gateway's clock, and never later than it arrived. Unix milliseconds.
    pub at_unix_ms: i64,
    /// Where.
    pub place: Place,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// What was counted since the last interval was closed, in watt-hours.
    pub open_wh: i64,
    /// What it says of its price.
    pub bearing: Bearing,
    pub(super) energy_closed_wh: i64,
    pub(super) violation_since_unix_ms: Option<i64>,
    pub(super) accounted: Accounted,
}

impl Mark {
    /// Of a verdict that its gateway dates so, and that arrived then, Unix milliseconds.
    pub fn new(verdict: &Verdict, (wall_unix_ms, received_unix_ms): (i64, i64), place: Place) -> Mark {
        let energy_closed_wh = verdict.energy_closed.0;
        Mark {
            at_unix_ms: wall_unix_ms.min(received_unix_ms),
            place,
            received_unix_ms,
            bearing: Bearing::of(verdict),
            open_wh: verdict.energy_overdue.0.saturating_sub(energy_closed_wh).max(0),
            energy_closed_wh,
            violation_since_unix_ms: verdict.violation_since_unix_ms,
            accounted: Accounted::of(verdict),
        }
    }

    /// Of a record that is a verdict, and on what; when it arrived, in Unix milliseconds.
    pub fn of(record: &Record, received_unix_ms: i64) -> Option<(AssetId, Mark)> {
        let Body::Finding(Finding::Verdict(verdict)) = &record.body else { return None };
        let times = (record.header.at.wall_unix_ms, received_unix_ms);
        Some((verdict.asset, Mark::new(verdict, times, (record.header.seq, record.hash))))
    }

    /// What is kept was verified when it came.
    pub fn read(record: &KeptRecord) -> Option<Mark> {
        let opened = Unverified::read(&record.bytes).and_then(Unverified::own).ok()?;
        Mark::of(&opened, record.received_unix_ms).map(|(_, mark)| mark)
    }

    /// Where the time begins that it tells of, Unix milliseconds.
    pub(super) fn began_unix_ms(&self) -> i64 {
        self.at_unix_ms.saturating_sub(self.accounted.told_ms())
    }

    /// The first and the last day on which what it tells of may have been drawn: one day, but for a gap across midnight.
    fn days(&self) -> (LegalDay, LegalDay) {
        let (began, at) = (self.began_unix_ms(), self.at_unix_ms);
        let (from, to) = (at_midnight(began), at_midnight(at));
        if from < to {
            return (LegalDay::of_unix_ms(from), day_that_ends(to));
        }
        let middle = LegalDay::of_unix_ms(began.saturating_add(at.saturating_sub(began) / 2));
        (middle, middle)
    }

    /// The day that it tells of, and of several the last.
    pub fn day(&self) -> LegalDay {
        self.days().1
    }

    /// The day on which it arrived, where that is long after the day that it tells of.
    pub(super) fn arrived_late(&self) -> Option<LegalDay> {
        let arrived = LegalDay::of_unix_ms(self.received_unix_ms);
        (self.day().days_to(arrived) > LATE_DAYS).then_some(arrived)
    }

    /// A violation that it tells of and the verdict before did not.
    pub(super) fn latch(&self, before: Option<&Mark>) -> Option<Latch> {
        let known = before.and_then(|before| before.violation_since_unix_ms);
        let since_unix_ms = self.violation_since_unix_ms.filter(|since| known != Some(*since))?;
        Some(Latch { since_unix_ms, at_unix_ms: since_unix_ms.min(self.at_unix_ms), place: self.place })
    }

    /// What the count of energy of closed intervals rose by since the verdict before, and the first day on which that may
    /// have been drawn, with a silence that it ends, Unix milliseconds; none where it did not. What a first verdict has counted
    /// already passed nobody knows when.
    pub fn rise(&self, before: &Mark, silent_since_unix_ms: Option<i64>) -> Option<(LegalDay, Rise)> {
        let energy_wh = self.energy_closed_wh.saturating_sub(before.energy_closed_wh);
        let since = silent_since_unix_ms.map_or(before.at_unix_ms, |since| since.min(before.at_unix_ms));
        let from = LegalDay::of_unix_ms(at_midnight(since)).min(self.days().0);
        (energy_wh > 0).then_some((from, Rise { energy_wh, first: before.place, last: self.place }))
    }

    /// Whether it counts from less than this one had counted: a journal was lost.
    pub fn counts_anew(&self, before: &Mark) -> bool {
        self.energy_closed_wh < before.energy_closed_wh
    }
}

/// Midnight where a moment is near it, else the moment.
fn at_midnight(unix_ms: i64) -> i64 {
    let midnight = LegalDay::of_unix_ms(unix_ms.saturating_add(DAY_MS / 2)).starts_unix_ms();
    let is_near = midnight.saturating_sub(unix_ms).saturating_abs() <= NEAR_MS;
    if is_near { midnight } else { unix_ms }
}

/// The day a moment ends: midnight ends the day before.
fn day_that_ends(unix_ms: i64) -> LegalDay {
    LegalDay::of_unix_ms(unix_ms.saturating_sub(1))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::terms::Digest;

    pub(in super::super) const QUARTER: Accounted =
        Accounted { observed_ms: 890_000, bridged_ms: 6_000, unaccounted_ms: 4_000 };

    pub(in super::super) fn day(text: &str) -> LegalDay {
        LegalDay::parse(text).unwrap()
    }

    pub(in super::super) fn mark(
        seq: u64,
        at_unix_ms: i64,
        energy_closed_wh: i64,
        violation_since_unix_ms: Option<i64>,
    ) -> Mark {
        let place = (seq, Digest::of(&seq.to_be_bytes()));
        let (accounted, bearing) = (QUARTER, Bearing::NoRoster);
        let received_unix_ms = at_unix_ms;
        Mark {
            at_unix_ms,
            place,
            received_unix_ms,
            open_wh: 0,
            bearing,
            energy_closed_wh,
            violation_since_unix_ms,
            accounted,
        }
    }
}
