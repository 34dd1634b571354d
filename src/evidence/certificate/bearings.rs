//! Whether the records around a hold bear out what its words say of themselves: who carried the proof, by the states of the
//! meters; what moved, by their registers; and what could hide, by their steps. Only a contradiction is one: what no record
//! tells of is held against nobody.

use std::collections::BTreeMap;

use super::super::{body::Body, record::Record};
use crate::{
    judge::{
        Event, Finding, Mark,
        cutoff::{Carrier, Deed, Hold, Order, Point},
        floor::register_floor,
        state::State,
    },
    terms::{AssetId, MeterId, MilliWatts, Stamp, WattHours},
};

/// A figure of a hold that the records do not bear out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Who carried the proof.
    Carrier,
    /// What the registers advanced.
    Moved,
    /// What they could have advanced unseen.
    Blind,
}

impl Figure {
    /// The member of a hold that tells it.
    pub const fn member(self) -> &'static str {
        match self {
            Figure::Carrier => "carrier",
            Figure::Moved => "moved_wh",
            Figure::Blind => "blind_wh",
        }
    }
}

/// What the records tell of the meters, up to a place of one log.
#[derive(Clone, Debug, Default)]
pub(super) struct Bearings {
    /// The place of the last record. After a hole nothing is known of any state.
    reached: Option<u64>,
    meters: BTreeMap<MeterId, Known>,
    /// Largest step of the supplier's register beside a meter.
    supplied: BTreeMap<MeterId, WattHours>,
    /// The first word about the hold that runs, and the newest.
    words: Option<(Hold, Hold)>,
    /// The most that could hide so far in the hold that runs.
    most_blind: i64,
    wrong: Option<(u64, Figure)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    asset: Option<AssetId>,
    state: Option<State>,
    /// It was without power, or with nothing but no-load losses, since the last word about the hold.
    was_dead: bool,
    was_at_rest: bool,
    mark: Option<Mark>,
    /// What its register and its floor can hide.
    steps: WattHours,
    idle: MilliWatts,
}

impl Known {
    fn show(&mut self, state: State) {
        self.state = Some(state);
        self.was_dead |= state == State::Dead;
        self.was_at_rest |= matches!(state, State::Dead | State::Energised);
    }

    fn begin_anew(&mut self) {
        self.was_dead = self.state == Some(State::Dead);
        self.was_at_rest = matches!(self.state, Some(State::Dead | State::Energised));
    }
}

impl Bearings {
    /// Takes the next record of the log.
    pub(super) fn on(&mut self, record: &Record) {
        let seq = record.header.seq;
        if self.reached.replace(seq).is_some_and(|reached| reached.checked_add(1) != Some(seq)) {
            self.meters.values_mut().for_each(|known| known.state = None);
        }
        match &record.body {
            Body::Finding(Finding::State(told)) => {
                let known = self.meters.entry(told.meter).or_default();
                known.asset = Some(told.asset);
                known.idle = known.idle.max(told.limit);
                known.show(told.state);
                self.mark(told.meter, told.mark.as_ref());
            }
            Body::Finding(Finding::Interval(told)) => self.mark(told.meter, told.after.as_ref()),
            Body::Finding(Finding::Event(Event::Dark(told))) => self.mark(told.meter, Some(&told.after)),
            Body::Act(act) => {
                if let Some(Deed::Reading(reading)) = act.about_orders().map(|about| about.deed) {
                    let step = self.supplied.entry(reading.meter).or_insert(reading.step);
                    *step = reading.step.max(*step);
                }
            }
            Body::Genesis(_)
            | Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Rotation(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(Finding::Verdict(_) | Finding::Transition(_) | Finding::Event(_)) => {}
        }
    }

    fn mark(&mut self, meter: MeterId, mark: Option<&Mark>) {
        let Some(mark) = mark else { return };
        let known = self.meters.entry(meter).or_default();
        known.mark = Some(*mark);
        // A floating register's step doubles with its value, between two records too.
        let least = register_floor(mark.register.step).0;
        let steps = if mark.register.modulus.is_some() { least } else { least.saturating_mul(2) };
        known.steps = known.steps.max(WattHours(steps));
    }

    /// Takes what the log says of the order's hold at a place.
    pub(super) fn say(&mut self, (seq, at): (u64, &Stamp), order: &Order, hold: Option<Hold>) {
        let Some(hold) = hold else {
            self.words = None;
            return;
        };
        let before = self.words.filter(|(_, before)| !hold.restarted_from(before));
        let first = before.map_or(hold, |(first, _)| first);
        if before.is_none() {
            self.most_blind = 0;
        }
        let has_grown = before.is_none_or(|(_, before)| hold.proven_ms > before.proven_ms);
        let bears_carrier = !has_grown || order.points.iter().all(|point| self.carries(point, hold.carrier));
        let wrong = if !bears_carrier {
            Some(Figure::Carrier)
        } else if hold.moved.0.saturating_sub(first.moved.0) < self.rise(order, &first, &hold) {
            Some(Figure::Moved)
        } else if self.hides(order, &hold, at).is_some_and(|most| hold.blind.0 > most) {
            Some(Figure::Blind)
        } else {
            None
        };
        self.wrong = self.wrong.or(wrong.map(|figure| (seq, figure)));
        self.words = Some((first, hold));
        self.meters.values_mut().for_each(Known::begin_anew);
    }

    /// The first figure that is not borne out, with its place.
    pub(super) fn check(&self) -> Result<(), (u64, Figure)> {
        self.wrong.map_or(Ok(()), Err)
    }

    /// Whether a point can have been proven by no less than this carrier, by the states its meters showed since the last word.
    fn carries(&self, point: &Point, carrier: Carrier) -> bool {
        let told = |meter: MeterId| self.meters.get(&meter).filter(|known| known.state.is_some());
        let by_own = told(point.meter).is_none_or(|known| known.was_dead);
        let at_rest = |meter| told(meter).is_none_or(|known| known.was_at_rest);
        match carrier {
            Carrier::Own => by_own,
            Carrier::Upstream => by_own || point.upstream.is_some_and(at_rest),
            Carrier::Utility => {
                by_own || point.upstream.is_some_and(at_rest) || point.carrier == Carrier::Utility
            }
        }
    }

    /// What the points' own registers advanced between the first word and this one, by other records than these.
    fn rise(&self, order: &Order, first: &Hold, hold: &Hold) -> i64 {
        let rises = order.points.iter().enumerate().map(|(place, point)| {
            let base = first.registers.of(place).own;
            let mark = self.meters.get(&point.meter).and_then(|known| known.mark);
            let mark =
                mark.filter(|mark| mark.at.boot == hold.until.boot && hold.until.since_ms(&mark.at) >= 0);
            let rise =
                base.zip(mark).map(|(base, mark)| mark.register.energy.0.saturating_sub(base.energy.0));
            rise.unwrap_or(0).max(0)
        });
        rises.fold(0, i64::saturating_add)
    }

    /// The most that can have hidden from all that look, where each of the order's own meters is known.
    fn hides(&mut self, order: &Order, hold: &Hold, at: &Stamp) -> Option<i64> {
        let is_known =
            |point: &Point| self.meters.get(&point.meter).is_some_and(|known| known.state.is_some());
        if !order.points.iter().all(is_known) {
            return None;
        }
        let lasted_ms = at.since_ms(&hold.since).max(0);
        let looks =
            |meter: &MeterId, known: &Known| known.asset == Some(order.asset) || order.looks_at(*meter);
        let own =
            self.meters.iter().filter(|(meter, known)| looks(meter, known)).map(|(_, known)| known.steps.0);
        let upstream = order.points.iter().filter_map(|point| self.meters.get(&point.upstream?));
        let idle = upstream.map(|known| known.idle.over_ms(lasted_ms).0);
        let supplied = order.points.iter().filter_map(|point| self.supplied.get(&point.meter));
        let supplied = supplied.map(|step| register_floor(*step).0);
        let most = own.chain(idle).chain(supplied).fold(0, i64::saturating_add);
        self.most_blind = self.most_blind.max(most);
        Some(self.most_blind)
    }
}
