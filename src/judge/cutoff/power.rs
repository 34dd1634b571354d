//! Power behind a cut as the states and verdicts of a log tell it: no hold of the same log goes on over it.

use std::collections::BTreeMap;

use super::{
    hold::Hold,
    order::{MAX_POINTS, Order},
    reading::AHEAD_MS,
};
use crate::{
    judge::{Verdict, state::State},
    terms::{MeterId, Stamp},
};

/// Most meters that the order does not name whose power one replayer remembers.
const MAX_BESIDE: usize = MAX_POINTS;

/// What a state says of power behind a cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// There is some.
    Power,
    /// There is some by now, or was for a moment.
    Moment,
    /// Voltage, or what an allowance covers: a hold bears it as long as a gap, and no longer.
    Live,
    /// None, as far as the meter tells.
    Nothing,
}

/// Power that was told: since when, and until when unless it is still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Power {
    from: Stamp,
    to: Option<Stamp>,
}

/// What one meter showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    /// The order names the meter.
    is_named: bool,
    /// When it was last told that it shows any of it.
    told: Stamp,
    /// The last power.
    power: Option<Power>,
    /// It is live: since when no hold goes on over that.
    live_from: Option<Stamp>,
}

/// What a log tells of power at the points of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Powers {
    shown: BTreeMap<MeterId, Shown>,
    /// When a violation was last latched.
    latched: Option<Power>,
    latched_unix_ms: Option<i64>,
}

impl Powers {
    /// Takes the state of a meter, since when it is said to be so, and when that was recorded; `is_beside` says that it
    /// feeds the equipment and nothing else, named or not.
    pub(super) fn on_state(
        &mut self,
        order: &Order,
        (meter, state): (MeterId, State),
        (since, recorded): (&Stamp, &Stamp),
        is_beside: bool,
    ) {
        let is_point = order.points.iter().any(|point| point.meter == meter);
        let is_upstream = order.points.iter().any(|point| point.upstream == Some(meter));
        let says = says(state, is_point || is_beside, is_upstream);
        if says != Says::Nothing && !self.shown.contains_key(&meter) {
            let is_named = is_point || is_upstream;
            if is_named || self.has_room() {
                self.shown.insert(meter, Shown { is_named, told: *recorded, power: None, live_from: None });
            }
        }
        if let Some(known) = self.shown.get_mut(&meter) {
            known.on(says, (since, recorded), order.holds.longest_gap_ms);
        }
    }

    /// What the order names always has room; of all beside, what ended longest ago makes it.
    fn has_room(&mut self) -> bool {
        let beside = || self.shown.iter().filter(|(_, known)| !known.is_named);
        if beside().count() < MAX_BESIDE {
            return true;
        }
        let ended = beside().filter_map(|(meter, known)| Some((*meter, known.ended()?)));
        let first = ended.reduce(|first, next| if next.1.is_before(&first.1) { next } else { first });
        first.is_some_and(|(meter, _)| self.shown.remove(&meter).is_some())
    }

    /// Takes a verdict on the equipment. A violation counts once, when it is latched, whatever state is told beside it.
    pub(super) fn on_verdict(&mut self, told: &Verdict) {
        let before = std::mem::replace(&mut self.latched_unix_ms, told.violation_since_unix_ms);
        let began_unix_ms = told.since.wall_unix_ms;
        // One that was latched before this state began is told again with it.
        let is_fresh = |since: &i64| *since >= began_unix_ms && before != Some(*since);
        if let Some(since) = told.violation_since_unix_ms.filter(is_fresh) {
            let at = later_by(&told.since, since.saturating_sub(began_unix_ms));
            self.latched = Some(Power { from: at, to: Some(at) });
        }
    }

    /// Whether a hold goes on over power.
    pub(super) fn speak_against(&self, hold: &Hold) -> bool {
        self.powers().any(|power| power.is_in(hold)) || self.lives_into(hold)
    }

    /// Whether a hold is said to be proven beyond where power came into it.
    pub(super) fn end(&self, hold: &Hold) -> bool {
        self.powers().any(|power| power.is_in(hold) && power.from.is_before(&hold.until))
            || self.lives_into(hold)
    }

    /// Whether a meter has been live for longer than any gap that a hold bears.
    fn lives_into(&self, hold: &Hold) -> bool {
        self.shown.values().filter_map(|known| known.live_from).any(|from| hold.until.since_ms(&from) > 0)
    }

    fn powers(&self) -> impl Iterator<Item = &Power> {
        self.shown.values().filter_map(|known| known.power.as_ref()).chain(&self.latched)
    }
}

impl Power {
    fn is_in(&self, hold: &Hold) -> bool {
        self.to.is_none_or(|to| hold.since.is_before(&to))
    }
}

impl Shown {
    /// Takes the next word of the meter.
    fn on(&mut self, says: Says, (since, recorded): (&Stamp, &Stamp), longest_gap_ms: i64) {
        let end = self.end(since, recorded);
        let live_from = self.live_from.filter(|_| says != Says::Live);
        if let Some(from) = live_from {
            self.live_from = None;
            if end.since_ms(&from) > 0 {
                self.power = Some(Power { from, to: Some(end) });
            }
        }
        match (says, self.power.as_mut().filter(|power| power.to.is_none())) {
            (Says::Power, Some(_)) => {}
            (Says::Power, None) => self.power = Some(Power { from: *since, to: None }),
            (Says::Moment, _) => self.power = Some(Power { from: *since, to: Some(*since) }),
            (Says::Live | Says::Nothing, Some(power)) => power.to = Some(end),
            (Says::Live | Says::Nothing, None) => {}
        }
        if says == Says::Live {
            self.live_from.get_or_insert(later_by(since, longest_gap_ms));
        }
        if says != Says::Nothing {
            self.told = *recorded;
        }
    }

    /// When what it showed ended: not before it was last told that it goes on. A witness tells a change as it sees it; one
    /// that is told later is believed for the moment it was recorded at.
    fn end(&self, since: &Stamp, recorded: &Stamp) -> Stamp {
        let is_prompt = since.boot == recorded.boot && (0..=AHEAD_MS).contains(&recorded.since_ms(since));
        let to = if is_prompt { since } else { recorded };
        if to.is_before(&self.told) { self.told } else { *to }
    }

    /// When all of it had ended; none while it goes on.
    fn ended(&self) -> Option<Stamp> {
        if self.live_from.is_some() { None } else { self.power.map_or(Some(self.told), |power| power.to) }
    }
}

/// What a state says, of a meter of the cut feeder or of the one upstream. Of the latter a moment counts: what it shows
/// later is told when it moves the order.
fn says(state: State, is_own: bool, is_upstream: bool) -> Says {
    match state {
        State::Drawing if is_own => Says::Power,
        State::Drawing if is_upstream => Says::Moment,
        State::Exporting if is_own => Says::Power,
        State::Energised | State::Auxiliary if is_own => Says::Live,
        State::Drawing
        | State::Exporting
        | State::Energised
        | State::Auxiliary
        | State::Masked(_)
        | State::Unknown(_)
        | State::Dead => Says::Nothing,
    }
}

/// A moment so much later, in milliseconds.
fn later_by(at: &Stamp, ms: i64) -> Stamp {
    Stamp {
        wall_unix_ms: at.wall_unix_ms.saturating_add(ms),
        uptime_ms: at.uptime_ms.saturating_add_signed(ms),
        ..*at
    }
}
