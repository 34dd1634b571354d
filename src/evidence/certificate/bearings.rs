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

/// The longest that a meter may be missing between two readings with nothing but a poll's time between them, in
/// milliseconds: four polls of the slowest that may be configured.
const PATIENCE_MS: i64 = 240_000;

/// So late a reading may be recorded, in milliseconds.
const RECORDED_MS: i64 = 1_000;

/// A figure of a hold that the records do not bear out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Who carried the proof.
    Carrier,
    /// How long it was proven.
    Proven,
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
            Figure::Proven => "proven_ms",
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
    /// How much of the time before the newest it does not say to be proven, in milliseconds.
    lag_ms: i64,
    /// The most that could hide so far in the hold that runs.
    most_blind: i64,
    wrong: Option<(u64, Figure)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    asset: Option<AssetId>,
    state: Option<State>,
    /// It was without power, or with nothing but no-load losses.
    dead: Spell,
    at_rest: Spell,
    /// Its state was known all the time since the last word about the hold.
    is_whole: bool,
    mark: Option<Mark>,
    /// What its register and its floor can hide.
    steps: WattHours,
    idle: MilliWatts,
}

/// How long something was so since the last word about the hold.
#[derive(Clone, Copy, Debug, Default)]
struct Spell {
    is_on: bool,
    was_on: bool,
    /// Up to when it is counted.
    counted_to: Option<Stamp>,
    /// Since when it is not so.
    off_since: Option<Stamp>,
    ms: i64,
}

impl Spell {
    fn show(&mut self, is_on: bool, at: &Stamp) {
        self.count_to(at);
        // Readings that are missing for less than that leave no gap.
        let off_ms = self.off_since.map_or(0, |since| at.since_ms(&since)).max(0);
        if is_on && off_ms <= PATIENCE_MS {
            self.ms = self.ms.saturating_add(off_ms);
        }
        self.off_since = if is_on { None } else { self.off_since.or(Some(*at)) };
        (self.is_on, self.was_on) = (is_on, self.was_on || is_on);
    }

    fn count_to(&mut self, at: &Stamp) {
        let passed_ms = self.counted_to.map_or(0, |to| at.since_ms(&to).max(0));
        self.counted_to = Some(*at);
        if self.is_on {
            self.ms = self.ms.saturating_add(passed_ms);
        }
    }

    fn begin_anew(&mut self) {
        (self.was_on, self.ms) = (self.is_on, 0);
    }
}

impl Known {
    fn show(&mut self, state: State, at: &Stamp) {
        self.state = Some(state);
        self.dead.show(state == State::Dead, at);
        self.at_rest.show(matches!(state, State::Dead | State::Energised), at);
    }

    fn count_to(&mut self, at: &Stamp) {
        self.dead.count_to(at);
        self.at_rest.count_to(at);
    }

    /// Its state is known no more.
    fn lose(&mut self) {
        (self.state, self.is_whole) = (None, false);
        (self.dead, self.at_rest) = (Spell::default(), Spell::default());
    }

    fn begin_anew(&mut self) {
        self.dead.begin_anew();
        self.at_rest.begin_anew();
        self.is_whole = self.state.is_some();
    }
}

impl Bearings {
    /// Takes the next record of the log.
    pub(super) fn on(&mut self, record: &Record) {
        let seq = record.header.seq;
        if self.reached.replace(seq).is_some_and(|reached| reached.checked_add(1) != Some(seq)) {
            self.meters.values_mut().for_each(Known::lose);
        }
        match &record.body {
            Body::Finding(Finding::State(told)) => {
                let known = self.meters.entry(told.meter).or_default();
                known.asset = Some(told.asset);
                known.idle = known.idle.max(told.limit);
                known.show(told.state, &record.header.at);
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
        self.meters.values_mut().for_each(|known| known.count_to(at));
        let grown_ms = hold.proven_ms.saturating_sub(before.map_or(0, |(_, before)| before.proven_ms));
        let has_grown = grown_ms > 0 || before.is_none();
        let bears_carrier = !has_grown || order.points.iter().all(|point| self.carries(point, hold.carrier));
        let wrong = if !bears_carrier {
            Some(Figure::Carrier)
        } else if before.is_some() && grown_ms > self.most_ms(order, hold.carrier).saturating_add(self.lag_ms)
        {
            Some(Figure::Proven)
        } else if hold.moved.0.saturating_sub(first.moved.0) < self.rise(order, &first, &hold) {
            Some(Figure::Moved)
        } else if self.hides(order, &hold, at).is_some_and(|most| hold.blind.0 > most) {
            Some(Figure::Blind)
        } else {
            None
        };
        self.wrong = self.wrong.or(wrong.map(|figure| (seq, figure)));
        self.words = Some((first, hold));
        // A slow poll, and what lies between a reading and its record.
        self.lag_ms = at.since_ms(&hold.until).clamp(0, PATIENCE_MS).saturating_add(RECORDED_MS);
        self.meters.values_mut().for_each(Known::begin_anew);
    }

    /// The first figure that is not borne out, with its place.
    pub(super) fn check(&self) -> Result<(), (u64, Figure)> {
        self.wrong.map_or(Ok(()), Err)
    }

    /// Whether a point can have been proven by no less than this carrier, by the states its meters showed since the last word.
    fn carries(&self, point: &Point, carrier: Carrier) -> bool {
        let told = |meter: MeterId| self.meters.get(&meter).filter(|known| known.state.is_some());
        let by_own = told(point.meter).is_none_or(|known| known.dead.was_on);
        let at_rest = |meter| told(meter).is_none_or(|known| known.at_rest.was_on);
        match carrier {
            Carrier::Own => by_own,
            Carrier::Upstream => by_own || point.upstream.is_some_and(at_rest),
            Carrier::Utility => {
                by_own || point.upstream.is_some_and(at_rest) || point.carrier == Carrier::Utility
            }
        }
    }

    /// The most that can have been proven since the last word, by the times the meters showed their points without power.
    /// What the supplier's readings prove comes in one piece, days later.
    fn most_ms(&self, order: &Order, carrier: Carrier) -> i64 {
        let shown_ms = |meter: MeterId, ms: fn(&Known) -> i64| {
            let known = self.meters.get(&meter).filter(|known| known.is_whole);
            known.map_or(i64::MAX, ms)
        };
        let of_point = |point: &Point| {
            let own_ms = shown_ms(point.meter, |known| known.dead.ms);
            let upstream_ms = || point.upstream.map_or(0, |meter| shown_ms(meter, |known| known.at_rest.ms));
            match carrier {
                Carrier::Own => own_ms,
                Carrier::Upstream | Carrier::Utility => own_ms.saturating_add(upstream_ms()),
            }
        };
        if order.points.iter().any(|point| point.carrier == Carrier::Utility) {
            return i64::MAX;
        }
        order.points.iter().map(of_point).min().unwrap_or(i64::MAX)
    }

    /// What the points' own registers advanced between the first word and this one at least, by other records than these: a
    /// point of which there is none adds nothing to that.
    fn rise(&self, order: &Order, first: &Hold, hold: &Hold) -> i64 {
        let rises = order.points.iter().enumerate().filter_map(|(place, point)| {
            let base = first.registers.of(place).own?;
            let mark = self.meters.get(&point.meter)?.mark?;
            // Of another boot, or read later, it says nothing of this time.
            let is_within = mark.at.boot == hold.until.boot && hold.until.since_ms(&mark.at) >= 0;
            let rise = mark.register.energy.0.saturating_sub(base.energy.0);
            is_within.then_some(rise.max(0))
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
