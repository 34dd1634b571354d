//! One point of an order as its meters show it: up to when it is proven to be without power, and by whom.

use super::{
    hold::Hold,
    order::{Carrier, Point},
    reading::UtilityReading,
    reconcile::DayBook,
    registers::{AtPoint, Known},
    table::Cue,
};
use crate::{
    judge::{
        DarkMeter,
        commission::REGISTER_AGE_MS,
        floor::{UNFIT_PERCENT, register_floor},
        memory::Mark,
        register::{is_span_known, redated},
        state::{State, Why},
    },
    terms::{MeterId, MilliWatts, Stamp, WattHours},
};

/// What one fact about one meter shows, as far as orders care.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Which meter.
    pub meter: MeterId,
    /// When.
    pub at: Stamp,
    /// The state of its feeder.
    pub state: State,
    /// A reading came; otherwise a poll failed, or time passed.
    pub is_told: bool,
    /// Its register as last believed.
    pub mark: Option<Mark>,
    /// Power that is nothing but no-load losses and the floor.
    pub idle: MilliWatts,
    /// What the meter and its transformers may err together, in parts per million of what passed.
    pub error_ppm: i64,
    /// How often the meter itself was without supply, where it counts that.
    pub power_fails: Option<i64>,
    /// Two readings further apart than this have a gap between them, in milliseconds.
    pub patience_ms: i64,
    /// Balanced voltage stands behind a point that should be open.
    pub is_fed: bool,
    /// Rated power of what it serves.
    pub rated: MilliWatts,
    /// The most its metering point can pass.
    pub capacity: MilliWatts,
}

/// What a fact means to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It proves the point without power, up to now.
    Proof,
    /// It moves the order.
    Moves(Cue),
    /// The point has power again, within what is allowed.
    Live,
    /// Nothing.
    Nothing,
}

/// The last good word of one meter, and what its register advanced since the hold began.
#[derive(Clone, Copy, Debug, Default)]
struct Trail {
    known: Option<Known>,
    at: Option<Stamp>,
    /// Since when it is counted.
    from: Option<Stamp>,
    moved: WattHours,
    blind: WattHours,
    /// The witness was stopped since the last word.
    is_resumed: bool,
}

impl Trail {
    /// As a hold knew it that goes on after a stop of the witness.
    fn resuming(known: Option<Known>, since: &Stamp, until: &Stamp) -> Trail {
        let at = known.map(|_| *until);
        Trail { known, at, from: Some(*since), is_resumed: true, ..Trail::default() }
    }

    fn begin(&mut self) {
        (self.from, self.moved, self.blind) = (self.at, WattHours(0), WattHours(0));
    }

    fn moments(&mut self) -> impl Iterator<Item = &mut Stamp> {
        [&mut self.at, &mut self.from].into_iter().flatten()
    }
}

/// One point, followed.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) meter: MeterId,
    pub(super) carrier: Carrier,
    /// Every meter that shows something of it.
    meters: Vec<MeterId>,
    /// Where the proof that runs without a gap began.
    pub(super) run_from: Option<Stamp>,
    /// Up to where it is proven.
    pub(super) proven_to: Option<Stamp>,
    /// There was a gap since this was last asked, and what it was like.
    pub(super) gap: Gap,
    /// What moved before the witness was stopped, at whichever point, and what the supplier's meter counted.
    pub(super) moved: WattHours,
    utility_blind: WattHours,
    /// Who has carried the proof.
    pub(super) by: Carrier,
    /// Voltage behind the cut was told and stands yet.
    pub(super) is_fed: bool,
    patience_ms: i64,
    /// What its own register counted day by day, to be set beside the supplier's, and what it may err.
    pub(super) days: DayBook,
    pub(super) error_ppm: i64,
    own: Option<State>,
    /// Rated power of what its own meter serves, once that was heard of.
    rated: Option<MilliWatts>,
    own_trail: Trail,
    upstream_trail: Trail,
}

/// What lies between two proofs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing but a poll's time.
    #[default]
    None,
    /// Time that was not seen, with registers still on both sides.
    Still,
    /// A register moved, the meter was without supply, or nobody knows how long it was or what the register was before.
    Torn,
    /// The register rose by more than can have passed.
    Leapt,
}

impl Watched {
    pub(super) fn of(point: &Point) -> Watched {
        Watched {
            meter: point.meter,
            carrier: point.carrier,
            meters: point.meters().collect(),
            run_from: None,
            proven_to: None,
            gap: Gap::None,
            moved: WattHours(0),
            utility_blind: WattHours(0),
            by: Carrier::Own,
            is_fed: false,
            patience_ms: 0,
            days: DayBook::default(),
            error_ppm: 0,
            own: None,
            rated: None,
            own_trail: Trail::default(),
            upstream_trail: Trail::default(),
        }
    }

    /// A point that the order does not name and that feeds the equipment all the same.
    pub(super) fn beside(meter: MeterId) -> Watched {
        let (carrier, upstream) = (Carrier::Own, None);
        let utility_meter = None;
        Watched::of(&Point { meter, feeder: None, breaker: None, carrier, upstream, utility_meter })
    }

    /// The proof goes on from here after a stop of the witness, and so do the registers.
    pub(super) fn resume(&mut self, hold: &Hold, known: AtPoint) {
        (self.run_from, self.proven_to, self.by) = (Some(hold.until), Some(hold.until), hold.carrier);
        self.own_trail = Trail::resuming(known.own, &hold.since, &hold.until);
        self.upstream_trail = Trail::resuming(known.upstream, &hold.since, &hold.until);
    }

    /// Its registers, for whoever goes on after a stop.
    pub(super) fn known(&self) -> AtPoint {
        AtPoint { own: self.own_trail.known, upstream: self.upstream_trail.known }
    }

    /// What the registers advanced since the hold began.
    pub(super) fn moved(&self) -> WattHours {
        let metered = self.own_trail.moved.0.saturating_add(self.upstream_trail.moved.0);
        WattHours(metered.saturating_add(self.moved.0))
    }

    /// What of that is nothing: two steps of each register, and upstream the no-load losses and the floor of that time.
    pub(super) fn blind(&self) -> WattHours {
        let metered = self.own_trail.blind.0.saturating_add(self.upstream_trail.blind.0);
        WattHours(metered.saturating_add(self.utility_blind.0))
    }

    /// The witness was dark: what a meter counts is weighed from its last reading before; `possible` is the most that can
    /// have passed. Tells what the point's own register means where it proves that nothing moved.
    pub(super) fn wake(&mut self, told: &DarkMeter, possible: WattHours) -> Woke {
        let is_own = told.meter == self.meter;
        let trail = if is_own { &mut self.own_trail } else { &mut self.upstream_trail };
        let (before, after) = (told.before.register.energy, told.after.register);
        let is_of_the_hold = trail.known.is_some();
        let known = *trail.known.get_or_insert(Known { energy: before, power_fails: None });
        trail.at.get_or_insert(told.before.at);
        let rise = after.energy.0.saturating_sub(known.energy.0);
        if !is_own || self.carrier != Carrier::Own || rise == 0 && told.is_still() {
            return Woke::Still;
        }
        self.doubt();
        // What was counted before the hold began is no power behind the cut.
        if !is_of_the_hold || rise <= register_floor(after.step).0 {
            Woke::Moved
        } else if rise > possible.0 {
            Woke::Leapt
        } else {
            Woke::Drew
        }
    }

    /// The meters that show something of it.
    pub(super) fn meters(&self) -> impl Iterator<Item = MeterId> {
        self.meters.iter().copied()
    }

    /// Whether what this meter shows is about this point.
    pub(super) fn concerns(&self, meter: MeterId) -> bool {
        self.meters.contains(&meter)
    }

    /// Whether its proof is as fresh as its meter tells.
    pub(super) fn is_fresh(&self, at: &Stamp, utility_ms: i64) -> bool {
        let patience_ms = if self.by == Carrier::Utility { utility_ms } else { self.patience_ms };
        self.proven_to.is_some_and(|to| at.since_ms(&to) <= patience_ms)
    }

    /// The hold begins: what registers did before is another matter.
    pub(super) fn begin(&mut self) {
        (self.moved, self.utility_blind, self.gap) = (WattHours(0), WattHours(0), Gap::None);
        self.own_trail.begin();
        self.upstream_trail.begin();
    }

    pub(super) fn on_clock_step(&mut self, now: &Stamp) {
        self.days.on_clock_step();
        for at in [&mut self.run_from, &mut self.proven_to].into_iter().flatten() {
            *at = redated(at, now);
        }
        for trail in [&mut self.own_trail, &mut self.upstream_trail] {
            for at in trail.moments() {
                *at = redated(at, now);
            }
        }
    }

    pub(super) fn hear(&mut self, seen: &Seen) -> Heard {
        if seen.meter == self.meter { self.hear_own(seen) } else { self.hear_upstream(seen) }
    }

    fn hear_own(&mut self, seen: &Seen) -> Heard {
        (self.own, self.rated) = (Some(seen.state), Some(seen.rated));
        if !seen.is_told {
            return Heard::Nothing;
        }
        if let Some(mark) = &seen.mark {
            self.days.on_mark(mark, seen.patience_ms);
            self.error_ppm = seen.error_ppm;
        }
        match seen.state {
            State::Dead => {
                self.prove(seen, Carrier::Own);
                Heard::Proof
            }
            State::Drawing => Heard::Moves(Cue::Drawing),
            State::Exporting => Heard::Moves(Cue::Exporting),
            State::Masked(_) => Heard::Moves(Cue::Masked),
            State::Energised | State::Auxiliary => Heard::Live,
            State::Unknown(_) => Heard::Nothing,
        }
    }

    /// The meter upstream measures this point and nothing else. It proves rest while the point's own meter, which is fed by
    /// what is cut, is silent.
    fn hear_upstream(&mut self, seen: &Seen) -> Heard {
        if !seen.is_told {
            return Heard::Nothing;
        }
        match seen.state {
            State::Dead | State::Energised if self.is_silent() && self.is_fit(seen) => {
                self.prove(seen, Carrier::Upstream);
                Heard::Proof
            }
            State::Drawing => Heard::Moves(Cue::Drawing),
            State::Exporting
            | State::Masked(_)
            | State::Auxiliary
            | State::Unknown(_)
            | State::Dead
            | State::Energised => Heard::Nothing,
        }
    }

    /// Whether its own meter tells nothing at all.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.own, Some(State::Unknown(Why::Fault(_) | Why::Silent)))
    }

    /// Whether no more could hide below the floor and the step of the meter upstream than the point's own meter would be
    /// fit with: of its rated power, and of an hour of it.
    fn is_fit(&self, seen: &Seen) -> bool {
        const HOUR_MS: i64 = 3_600_000;
        // A meter that counts no energy shows nothing of what passed between two readings.
        let (Some(rated), Some(mark)) = (self.rated, seen.mark) else { return false };
        let most = MilliWatts(rated.0 / 100 * UNFIT_PERCENT);
        seen.idle <= most && register_floor(mark.register.step) <= most.over_ms(HOUR_MS)
    }

    fn prove(&mut self, seen: &Seen, by: Carrier) {
        self.patience_ms = seen.patience_ms;
        let span_ms = self.proven_to.map(|to| seen.at.since_ms(&to));
        let is_known = self.proven_to.is_none_or(|to| is_span_known(&to, &seen.at));
        let trail = if by == Carrier::Own { &mut self.own_trail } else { &mut self.upstream_trail };
        let passed = trail.follow(seen, by);
        let is_close = span_ms.is_none_or(|span| is_known && (0..=seen.patience_ms).contains(&span));
        let gap = match (passed, span_ms) {
            (Passed::Leapt, _) => Gap::Leapt,
            (_, None) => Gap::None,
            (Passed::Unknown | Passed::Fell, Some(_)) => Gap::Torn,
            (Passed::Still | Passed::Rose, Some(_)) if is_close => Gap::None,
            (Passed::Still, Some(span)) if is_known && span > 0 => Gap::Still,
            (Passed::Still | Passed::Rose, Some(_)) => Gap::Torn,
        };
        self.run_on(&seen.at, gap, by);
    }

    /// What was proven so far is in doubt: a hold begins with what is proven from now on.
    pub(super) fn doubt(&mut self) {
        (self.run_from, self.proven_to) = (None, None);
    }

    /// The supplier's reading proves it from then to then, while its own meter is silent. What it counted since it was last
    /// proven moves its register, so that one reading after the other hides no more than one.
    pub(super) fn prove_by_utility(&mut self, reading: &UtilityReading, from: &Stamp, to: &Stamp) -> bool {
        if self.carrier != Carrier::Utility || !self.is_silent() {
            return false;
        }
        let gap = match self.proven_to {
            Some(proven) if from.since_ms(&proven) > 0 => Gap::Still,
            Some(proven) if to.since_ms(&proven) <= 0 => return false,
            Some(_) | None => Gap::None,
        };
        let reached = self.proven_to.map_or(from.wall_unix_ms, |proven| proven.wall_unix_ms);
        self.moved.0 = self.moved.0.saturating_add(reading.energy_after(reached).0);
        self.utility_blind = register_floor(reading.step);
        self.run_from.get_or_insert(*from);
        self.run_on(to, gap, Carrier::Utility);
        true
    }

    fn run_on(&mut self, to: &Stamp, gap: Gap, by: Carrier) {
        if gap == Gap::None {
            self.run_from.get_or_insert(*to);
        } else {
            self.run_from = Some(*to);
        }
        (self.proven_to, self.gap, self.by) = (Some(*to), self.gap.max(gap), by);
    }
}

/// What a register did since the last good word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    /// Nobody knows: one of the two words is missing.
    Unknown,
    /// It advanced by nothing that the line may not draw when it is cut: nothing at its own meter, no-load losses at the
    /// one upstream. Neither was the meter without supply.
    Still,
    /// It advanced by more, or the meter was without supply.
    Rose,
    /// It fell.
    Fell,
    /// It rose by more than can have passed.
    Leapt,
}

impl Trail {
    /// Takes a good word and adds what the register advanced since the last. Nothing that it advanced is ever taken back
    /// while a hold lasts.
    fn follow(&mut self, seen: &Seen, by: Carrier) -> Passed {
        let is_resumed = std::mem::take(&mut self.is_resumed);
        let Some(mark) = seen.mark else {
            // A meter that counts no energy has nothing that could have moved; after a stop nobody knows that.
            return if self.known.is_none() && !is_resumed { Passed::Still } else { Passed::Unknown };
        };
        let (energy, steps) = (mark.register.energy, register_floor(mark.register.step));
        let before = self.known.replace(Known { energy, power_fails: seen.power_fails }).zip(self.at);
        self.at = Some(seen.at);
        let from = *self.from.get_or_insert(seen.at);
        let idle = |since: &Stamp| match by {
            Carrier::Own | Carrier::Utility => 0,
            Carrier::Upstream => seen.idle.over_ms(seen.at.since_ms(since).max(0)).0,
        };
        self.blind = self.blind.max(WattHours(steps.0.saturating_add(idle(&from))));
        let Some((before, at)) = before else { return Passed::Unknown };
        let rise = energy.0.saturating_sub(before.energy.0);
        self.moved.0 = self.moved.0.saturating_add(rise.max(0));
        let span_ms = seen.at.since_ms(&at).max(0).saturating_add(REGISTER_AGE_MS);
        let failed = before.power_fails.zip(seen.power_fails).is_some_and(|(before, now)| before != now);
        let nothing = match by {
            Carrier::Own | Carrier::Utility => 0,
            Carrier::Upstream => idle(&at).saturating_add(steps.0),
        };
        if rise > seen.capacity.over_ms(span_ms).0.saturating_add(steps.0) {
            Passed::Leapt
        } else if rise < steps.0.saturating_neg() {
            Passed::Fell
        } else if rise.saturating_abs() > nothing || failed {
            Passed::Rose
        } else {
            Passed::Still
        }
    }
}

/// What a point's own register shows of a time in which the witness was dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Woke {
    /// It stood, or it proves nothing of this point.
    Still,
    /// It is not where it was: no hold goes on over it.
    Moved,
    /// It rose by more than can have passed.
    Leapt,
    /// It counted more than two steps, which is power behind the cut.
    Drew,
}
