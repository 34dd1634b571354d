//! One point of an order as its meters show it: up to when it is proven to be without power, and by whom.

use super::{
    order::{Carrier, Point},
    reading::UtilityReading,
    reconcile::DayBook,
    table::Cue,
};
use crate::{
    judge::{
        DarkMeter,
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

/// The last good word of one meter.
#[derive(Clone, Copy, Debug, Default)]
struct Trail {
    mark: Option<Mark>,
    /// The register where the run began.
    first: Option<Mark>,
    power_fails: Option<i64>,
}

/// One point, followed.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) meter: MeterId,
    pub(super) carrier: Carrier,
    upstream: Option<MeterId>,
    /// Where the proof that runs without a gap began.
    pub(super) run_from: Option<Stamp>,
    /// Up to where it is proven.
    pub(super) proven_to: Option<Stamp>,
    /// There was a gap since this was last asked, and what it was like.
    pub(super) gap: Gap,
    /// What the registers advanced since the hold began, and what of that is nothing.
    pub(super) moved: WattHours,
    pub(super) blind: WattHours,
    /// Who has carried the proof.
    pub(super) by: Carrier,
    /// Voltage behind the cut was told and stands yet.
    pub(super) is_fed: bool,
    patience_ms: i64,
    /// What its own register counted day by day, to be set beside the supplier's, and what it may err.
    pub(super) days: DayBook,
    pub(super) error_ppm: i64,
    own: Option<State>,
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
    /// A register moved, the meter was without supply, or nobody knows how long it was.
    Torn,
}

impl Watched {
    pub(super) fn of(point: &Point) -> Watched {
        Watched {
            meter: point.meter,
            carrier: point.carrier,
            upstream: point.upstream,
            run_from: None,
            proven_to: None,
            gap: Gap::None,
            moved: WattHours(0),
            blind: WattHours(0),
            by: Carrier::Own,
            is_fed: false,
            patience_ms: 0,
            days: DayBook::default(),
            error_ppm: 0,
            own: None,
            own_trail: Trail::default(),
            upstream_trail: Trail::default(),
        }
    }

    /// A point that the order does not name and that feeds the equipment all the same.
    pub(super) fn beside(meter: MeterId) -> Watched {
        let (carrier, upstream) = (Carrier::Own, None);
        Watched::of(&Point { meter, feeder: None, breaker: None, carrier, upstream })
    }

    /// The proof goes on from here after a stop of the witness.
    pub(super) fn resume(&mut self, until: &Stamp, carrier: Carrier) {
        (self.run_from, self.proven_to, self.by) = (Some(*until), Some(*until), carrier);
    }

    /// The witness was dark: what a meter counts is weighed from its last reading before. True when the point's own register
    /// moved where it proves that nothing did.
    pub(super) fn wake(&mut self, told: &DarkMeter) -> bool {
        let is_own = told.meter == self.meter;
        let trail = if is_own { &mut self.own_trail } else { &mut self.upstream_trail };
        let before = *trail.mark.get_or_insert(told.before);
        trail.first.get_or_insert(before);
        let has_moved = is_own && self.carrier == Carrier::Own && !told.is_still();
        if has_moved {
            self.doubt();
        }
        has_moved
    }

    /// The meters that show something of it.
    pub(super) fn meters(&self) -> impl Iterator<Item = MeterId> {
        [Some(self.meter), self.upstream].into_iter().flatten()
    }

    /// Whether what this meter shows is about this point.
    pub(super) fn concerns(&self, meter: MeterId) -> bool {
        self.meter == meter || self.upstream == Some(meter)
    }

    /// Whether its proof is as fresh as its meter tells.
    pub(super) fn is_fresh(&self, at: &Stamp, utility_ms: i64) -> bool {
        let patience_ms = if self.by == Carrier::Utility { utility_ms } else { self.patience_ms };
        self.proven_to.is_some_and(|to| at.since_ms(&to) <= patience_ms)
    }

    /// The hold begins: what registers did before is another matter.
    pub(super) fn begin(&mut self) {
        (self.moved, self.gap) = (WattHours(0), Gap::None);
        self.own_trail.first = self.own_trail.mark;
        self.upstream_trail.first = self.upstream_trail.mark;
    }

    pub(super) fn on_clock_step(&mut self, now: &Stamp) {
        self.days.on_clock_step();
        for at in [&mut self.run_from, &mut self.proven_to].into_iter().flatten() {
            *at = redated(at, now);
        }
        for trail in [&mut self.own_trail, &mut self.upstream_trail] {
            for mark in [&mut trail.mark, &mut trail.first].into_iter().flatten() {
                mark.at = redated(&mark.at, now);
            }
        }
    }

    pub(super) fn hear(&mut self, seen: &Seen) -> Heard {
        if seen.meter == self.meter { self.hear_own(seen) } else { self.hear_upstream(seen) }
    }

    fn hear_own(&mut self, seen: &Seen) -> Heard {
        self.own = Some(seen.state);
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
            State::Dead | State::Energised if self.is_silent() => {
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

    fn prove(&mut self, seen: &Seen, by: Carrier) {
        self.patience_ms = seen.patience_ms;
        let span_ms = self.proven_to.map(|to| seen.at.since_ms(&to));
        let is_known = self.proven_to.is_none_or(|to| is_span_known(&to, &seen.at));
        let trail = if by == Carrier::Own { &mut self.own_trail } else { &mut self.upstream_trail };
        let before = std::mem::replace(
            trail,
            Trail { mark: seen.mark, first: trail.first.or(seen.mark), power_fails: seen.power_fails },
        );
        let advanced = advance(&before, seen, by);
        let failed = before.power_fails.zip(seen.power_fails).is_some_and(|(before, now)| before != now);
        let gap = match span_ms {
            Some(span) if is_known && (0..=seen.patience_ms).contains(&span) => Gap::None,
            Some(span) if is_known && span > 0 && advanced.0 == 0 && !failed => Gap::Still,
            Some(_) => Gap::Torn,
            None => Gap::None,
        };
        self.moved.0 = match by {
            Carrier::Own => self.moved.0.saturating_add(advanced.0),
            Carrier::Upstream | Carrier::Utility => self.moved.0.max(beyond_idle(trail, seen).0),
        };
        let step = seen.mark.map_or(WattHours(0), |mark| mark.register.step);
        self.blind = WattHours(step.0.saturating_mul(2));
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
        self.blind = WattHours(reading.step.0.saturating_mul(2));
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

/// What the register advanced since the last good word beyond what the line may draw when it is cut: nothing at its own
/// meter, no-load losses at the one upstream.
fn advance(before: &Trail, seen: &Seen, by: Carrier) -> WattHours {
    let (Some(before), Some(now)) = (before.mark, seen.mark) else { return WattHours(0) };
    let moved = now.register.energy.0.saturating_sub(before.register.energy.0).saturating_abs();
    let idle = match by {
        Carrier::Own | Carrier::Utility => 0,
        Carrier::Upstream => allowed(&before, &now, seen.idle),
    };
    WattHours(moved.saturating_sub(idle).max(0))
}

/// What the register upstream advanced since the hold began, beyond no-load losses.
fn beyond_idle(trail: &Trail, seen: &Seen) -> WattHours {
    let (Some(first), Some(now)) = (trail.first, seen.mark) else { return WattHours(0) };
    let moved = now.register.energy.0.saturating_sub(first.register.energy.0).saturating_abs();
    WattHours(moved.saturating_sub(allowed(&first, &now, seen.idle)).max(0))
}

fn allowed(before: &Mark, now: &Mark, idle: MilliWatts) -> i64 {
    let span_ms = now.at.since_ms(&before.at).max(0);
    idle.over_ms(span_ms).0.saturating_add(now.register.step.0.saturating_mul(2))
}
