//! Power behind a cut as the states and verdicts of a log tell it: no hold of the same log goes on over it.

use std::collections::BTreeMap;

use super::{
    hold::Hold,
    order::{MAX_POINTS, Order},
};
use crate::{
    judge::{Verdict, state::State},
    terms::{MeterId, Stamp},
};

/// Most meters whose states one replayer remembers: each point's, the one upstream of it, and as many beside.
const MAX_METERS: usize = 3 * MAX_POINTS;

/// Power that was told: since when, and until when unless it is still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Power {
    from: Stamp,
    to: Option<Stamp>,
}

/// What a log tells of power at the points of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Powers {
    /// When each meter last showed it.
    shown: BTreeMap<MeterId, Power>,
    /// When a violation was last latched on power.
    latched: Option<Power>,
    latched_unix_ms: Option<i64>,
}

impl Powers {
    /// Takes the state of a meter; `is_beside` says that it feeds the equipment and nothing else, named or not.
    pub(super) fn on_state(
        &mut self,
        order: &Order,
        (meter, state): (MeterId, State),
        since: &Stamp,
        is_beside: bool,
    ) {
        let is_own = is_beside || order.points.iter().any(|point| point.meter == meter);
        let is_upstream = order.points.iter().any(|point| point.upstream == Some(meter));
        let is_power = match state {
            State::Drawing => is_own || is_upstream,
            State::Exporting => is_own,
            State::Masked(_) | State::Unknown(_) | State::Auxiliary | State::Energised | State::Dead => false,
        };
        // Of the meter upstream a moment counts: what it shows later is told when it moves the order.
        let to = (!is_own).then_some(*since);
        let has_room = self.shown.len() < MAX_METERS;
        match (is_power, self.shown.get_mut(&meter)) {
            (true, Some(known)) if known.to.is_none() => {}
            (true, Some(known)) => (known.from, known.to) = (*since, to),
            (true, None) if has_room => {
                self.shown.insert(meter, Power { from: *since, to });
            }
            (false, Some(known)) => known.to = known.to.or(Some(*since)),
            (true | false, None) => {}
        }
    }

    /// Takes a verdict on the equipment. A violation counts once, when it is latched.
    pub(super) fn on_verdict(&mut self, told: &Verdict) {
        let before = std::mem::replace(&mut self.latched_unix_ms, told.violation_since_unix_ms);
        let is_power = matches!(told.state, State::Drawing | State::Exporting);
        // One that was latched before this power began is told again with it.
        let is_of_this = told.violation_since_unix_ms.is_some_and(|since| since >= told.since.wall_unix_ms);
        if is_power && is_of_this && before != told.violation_since_unix_ms {
            self.latched = Some(Power { from: told.since, to: Some(told.since) });
        }
    }

    /// Whether a hold goes on over power.
    pub(super) fn speak_against(&self, hold: &Hold) -> bool {
        self.all().any(|power| power.is_in(hold))
    }

    /// Whether a hold is said to be proven beyond where power came into it.
    pub(super) fn end(&self, hold: &Hold) -> bool {
        self.all().any(|power| power.is_in(hold) && power.from.is_before(&hold.until))
    }

    fn all(&self) -> impl Iterator<Item = &Power> {
        self.shown.values().chain(&self.latched)
    }
}

impl Power {
    fn is_in(&self, hold: &Hold) -> bool {
        self.to.is_none_or(|to| hold.since.is_before(&to))
    }
}
