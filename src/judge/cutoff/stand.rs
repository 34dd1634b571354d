//! How an order stands: all that the log tells of it besides its acts, and all that a witness needs to go on with it.

use super::{growth::Between, hold::Hold, reading::AHEAD_MS, rung::Rung};
use crate::terms::{AssetId, OrderId, Stamp};

/// Time between two notes of a hold that runs, in milliseconds: what a power cut may take from it at most, and by how much
/// a hold that a meter carries grows between two records, but for its gaps.
pub const NOTE_MS: i64 = 300_000;

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Its rung.
    pub rung: Rung,
    /// Since when.
    pub since: Stamp,
    /// Where it was before it was suspended.
    pub before: Option<Rung>,
    /// When the suspension is over by itself, Unix milliseconds.
    pub suspended_until_unix_ms: Option<i64>,
    /// Power returned while it was suspended: it is to be cut anew.
    pub is_fed_again: bool,
    /// The cut has been seen for as long as the order asks, since it was claimed.
    pub was_seen: bool,
    /// It is sealed, and that was witnessed.
    pub is_sealed: bool,
    /// The hold that runs.
    pub hold: Option<Hold>,
    /// Time that was proven in holds that have ended, in milliseconds: kept, and never added to the one that runs.
    pub earlier_ms: i64,
    /// Holds that have ended.
    pub restarts: u32,
    /// The calendar month up to which `maintained` is told, counted without gaps.
    pub month: Option<i32>,
}

impl Stand {
    /// An order that was just given.
    pub fn issued(at: &Stamp) -> Stand {
        Stand {
            rung: Rung::Issued,
            since: *at,
            before: None,
            suspended_until_unix_ms: None,
            is_fed_again: false,
            was_seen: false,
            is_sealed: false,
            hold: None,
            earlier_ms: 0,
            restarts: 0,
            month: None,
        }
    }

    /// Whether it can have taken a step at this moment that was recorded at another: in the same life, not after that, and not
    /// before what the hold was proven up to; dated by the clock of either.
    pub(super) fn may_step(&self, since: &Stamp, recorded: &Stamp) -> bool {
        let from = self.hold.map_or(self.since, |hold| hold.until);
        let is_later = since.boot > from.boot || since.boot == from.boot && since.since_ms(&from) >= 0;
        let is_told = since.boot == recorded.boot && recorded.since_ms(since) >= 0;
        let fits =
            |moved_ms: Option<i64>| moved_ms.is_some_and(|moved_ms| moved_ms.saturating_abs() <= AHEAD_MS);
        is_later && is_told && (fits(recorded.step_ms(since)) || fits(since.step_ms(&from)))
    }

    /// The hold ends; what it proved is kept.
    pub(super) fn end_hold(&mut self) {
        if let Some(hold) = self.hold.take() {
            self.earlier_ms = self.earlier_ms.saturating_add(hold.proven_ms);
            self.restarts = self.restarts.saturating_add(1);
        }
    }

    /// Whether it can have become this without a step: a hold that went on, began or was broken off, and what follows. No
    /// hold begins before `floor`. How far the supplier agrees is looked at elsewhere.
    pub(super) fn may_become(&self, later: &Stand, between: &Between<'_>, floor: &Stamp) -> bool {
        let seen = later.hold.is_some_and(|hold| hold.is_seen(&between.order.holds));
        let like = Stand {
            hold: later.hold,
            earlier_ms: later.earlier_ms,
            restarts: later.restarts,
            was_seen: self.was_seen || later.was_seen && seen,
            is_fed_again: self.is_fed_again || later.is_fed_again && self.rung == Rung::Suspended,
            ..*self
        };
        like == *later && self.hold_may_become(later, between, floor)
    }

    /// Whether it is what another word of the same standing was: the same, or of the same hold before.
    pub fn is_word_of(&self, later: &Stand) -> bool {
        let goes_on = |(before, hold): (Hold, Hold)| {
            !hold.restarted_from(&before) && !hold.until.is_before(&before.until)
        };
        let is_earlier = self.hold.zip(later.hold).is_some_and(goes_on);
        self == later || is_earlier && Stand { hold: later.hold, ..*self } == *later
    }

    fn hold_may_become(&self, later: &Stand, between: &Between<'_>, floor: &Stamp) -> bool {
        let counts = |stand: &Stand| (stand.earlier_ms, stand.restarts);
        let is_same = counts(later) == counts(self);
        // A rung that rests on a hold loses it with a step only.
        let may_restart =
            matches!(self.rung, Rung::CutClaimed | Rung::Observing | Rung::Indeterminate | Rung::Suspended);
        let mut ended = *self;
        ended.end_hold();
        let has_ended = may_restart && counts(later) == counts(&ended);
        match (&self.hold, &later.hold) {
            (None, None) => is_same,
            (None, Some(hold)) => {
                may_restart && is_same && between.allows_beginning(hold, &self.since, floor)
            }
            (Some(before), Some(hold)) if is_same => {
                !hold.restarted_from(before) && between.allows_growth(before, hold)
            }
            // Two points may break it at one moment, and what begins there twice is another hold each time.
            (Some(_), Some(hold)) => has_ended && between.allows_beginning(hold, &self.since, floor),
            (Some(_), None) => has_ended,
        }
    }

    /// Where a suspended order goes back to: where it was before, or, of a hold, what is left of it.
    pub fn way_back(&self) -> Rung {
        match self.before {
            Some(
                Rung::Observing | Rung::Provisional | Rung::Verified | Rung::Maintained | Rung::Indeterminate,
            ) => match (self.is_fed_again, self.hold) {
                (true, _) => Rung::Acknowledged,
                (false, Some(_)) => Rung::Observing,
                (false, None) => Rung::Indeterminate,
            },
            Some(rung) => rung,
            None => Rung::Issued,
        }
    }
}

/// A note of how an order stands between two transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldNote {
    /// Which order.
    pub order: OrderId,
    /// On which equipment.
    pub asset: AssetId,
    /// How it stands.
    pub stand: Stand,
}
