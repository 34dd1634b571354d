//! What the feeders' states mean for a piece of equipment on this day. Holds the only latch there is.

use super::{
    commission::{Commissioned, Equipment, Role, VoltagePoint},
    duty::Duty,
    edge,
    event::Event,
    feeder::Feeder,
    floor::register_floor,
    grounds::{Grounds, Inspect, Inspections, Parameters, joined},
    leave::{Leave, PermitUse},
    ledger::{Interval, Shares},
    memory::EquipmentMemory,
    permit::Permit,
    shown::Untold,
    sign::SignSet,
    state::{State, Why},
};
use crate::{
    catalogue::{Phase, Standing, Witness},
    metering::Reading,
    terms::{
        AssetId, ClockQuality, Digest, MeterId, MilliWatts, Name, Stamp, WattHours,
        words::{self, Language, Words},
    },
};

/// The verdict on a piece of equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// On what.
    pub asset: AssetId,
    /// The most severe state of its feeders.
    pub state: State,
    /// Since when that is its state.
    pub since: Stamp,
    /// Its standing before the law.
    pub standing: Standing,
    /// The phase today; `None` where no duty is known.
    pub phase: Option<Phase>,
    /// When it was first proven to draw while overdue. Latched: only the authority's signed reset opens it.
    pub violation_since_unix_ms: Option<i64>,
    /// Energy the registers told of while it was overdue, allowances included.
    pub energy_overdue: WattHours,
    /// The part of it up to the last interval of each feeder: from there a restarted witness counts on.
    pub energy_closed: WattHours,
    /// How the time since the verdict before was accounted for, over all its feeders.
    pub shares: Shares,
    /// Fingerprint of its nameplate, where one could be read.
    pub plate: Option<Digest>,
    /// What was drawn under the permit used last.
    pub permit: Option<PermitUse>,
    /// Signs of tampering that stand at its meters.
    pub signs: SignSet,
    /// What it rests on; records of older versions do not say.
    pub grounds: Option<Grounds>,
}

impl Verdict {
    /// What a person reads of it, with the reason, what cannot be witnessed, and the sentence of safety.
    pub fn sentence(&self, language: Language) -> String {
        let mut text = self.state.sentence(self.words(), language);
        let unfit =
            self.grounds.is_some_and(|grounds| grounds.inspect.iter().any(|why| why == Inspect::Unfit));
        let beside = [
            (self.standing.witness() == Some(Witness::None), words::NO_WITNESS),
            (unfit, words::METER_UNFIT),
        ];
        for (_, said) in beside.into_iter().filter(|(holds, _)| *holds) {
            text.push_str(". ");
            text.push_str(said.in_language(language));
        }
        text
    }

    /// Whether it is at rest by all that the law wants witnessed: never in doubt, never of a fire that no meter sees.
    pub fn is_rest(&self) -> bool {
        matches!(self.state, State::Energised | State::Dead)
            && !matches!(self.standing.witness(), Some(Witness::Drives | Witness::None))
    }

    /// What was drawn under the permit used last, up to the last interval of each feeder: from there a restarted witness
    /// counts on. What was drawn since then beside the permit is taken for drawn under it, to nobody's harm.
    pub fn permit_closed(&self) -> Option<PermitUse> {
        let open = self.energy_overdue.0.saturating_sub(self.energy_closed.0);
        self.permit.map(|last| PermitUse {
            used: WattHours(last.used.0.saturating_sub(open).max(0)),
            permit: last.permit,
        })
    }

    /// What a person reads of its state: how far it can be witnessed stands before what the meters show.
    pub fn words(&self) -> Words {
        match (self.state, self.standing.witness(), &self.grounds) {
            (State::Energised | State::Dead, Some(Witness::Drives), _) => words::DRIVES_NOT_DRAWING,
            (State::Energised, _, Some(Grounds { voltage_point: Some(VoltagePoint::Bus), .. })) => {
                words::BUS_LIVE
            }
            (state, _, _) => state.words(),
        }
    }
}

/// One piece of equipment's memory between two facts.
#[derive(Debug)]
pub struct Docket {
    asset: AssetId,
    /// What the law asks of it.
    pub(super) duty: Duty,
    state: State,
    since: Option<Stamp>,
    /// The standing that was told last.
    told: Standing,
    phase: Option<Phase>,
    violation_since_unix_ms: Option<i64>,
    energy_overdue: WattHours,
    /// What may have been drawn beside it unseen, by closed intervals.
    bound_closed: WattHours,
    inspect: Inspections,
    /// Energy since each feeder's last interval.
    open: Box<[(MeterId, WattHours)]>,
    plate: Option<Digest>,
    plate_fault: Option<&'static str>,
    leave: Leave,
    signs: SignSet,
    /// Evidence from before is settled.
    reset_at: Option<Stamp>,
}

impl Docket {
    /// A piece of equipment with its meters and what is remembered of it.
    pub fn new(
        equipment: Equipment,
        meters: &[MeterId],
        memory: Option<&EquipmentMemory>,
        permits: &[Permit],
        uses: &[(AssetId, PermitUse)],
        untold: &[Untold],
    ) -> Docket {
        let permits = permits.iter().filter(|permit| permit.asset == equipment.id).copied();
        let uses = || uses.iter().filter(|(asset, _)| *asset == equipment.id).map(|(_, used)| *used);
        Docket {
            asset: equipment.id,
            duty: Duty::new(equipment.id, equipment.standing),
            state: State::Unknown(Why::NotYetRead),
            since: None,
            told: equipment.standing,
            phase: None,
            violation_since_unix_ms: memory.and_then(|m| m.violation_since_unix_ms),
            energy_overdue: memory.map_or(WattHours(0), |m| m.energy_closed),
            bound_closed: memory.map_or(WattHours(0), |m| m.bound_closed),
            inspect: Inspections::default(),
            open: meters.iter().map(|meter| (*meter, WattHours(0))).collect(),
            plate: memory.and_then(|m| m.plate),
            plate_fault: None,
            signs: SignSet::default(),
            reset_at: None,
            leave: Leave::recalling(permits, uses, untold),
        }
    }

    /// Which equipment.
    pub fn id(&self) -> AssetId {
        self.asset
    }

    /// Whether anything was said of it yet.
    pub fn was_judged(&self) -> bool {
        self.since.is_some()
    }

    /// Remembers a nameplate's fingerprint; the one before if it is another.
    pub fn on_plate(&mut self, fingerprint: Digest) -> Option<Option<Digest>> {
        self.plate_fault = None;
        let before = self.plate.replace(fingerprint);
        (before != Some(fingerprint)).then_some(before)
    }

    /// Fingerprint of its nameplate as last read; as declared where none was read.
    pub fn plate(&self) -> Option<Digest> {
        self.plate.or(self.duty.standing().declared_plate)
    }

    /// Notes that the nameplate cannot be read; true when that is news.
    pub fn on_plate_fault(&mut self, why: &'static str) -> bool {
        self.plate_fault.replace(why) != Some(why)
    }

    /// Adds energy that passed between two readings, where all of that time lies past the last lawful day.
    pub fn on_energy(&mut self, terms: &Commissioned, from: &Stamp, to: &Stamp, energy: WattHours) {
        let meter = terms.meter;
        let allowed = |from_ms, to_ms| terms.allowed_between(from_ms, to_ms);
        self.leave.on_energy(meter, from, to, energy, allowed);
        if self.duty.phase(from) != Some(Phase::Overdue) {
            return;
        }
        self.energy_overdue.0 = self.energy_overdue.0.saturating_add(energy.0);
        if let Some((_, open)) = self.open.iter_mut().find(|(id, _)| *id == meter) {
            open.0 = open.0.saturating_add(energy.0);
        }
    }

    /// Takes what a feeder's power shows to be drawn under permits.
    pub fn on_power(&mut self, terms: &Commissioned, reading: &Reading) {
        self.leave.on_power(terms, reading);
    }

    /// The wall clock was moved.
    pub fn on_clock_step(&mut self) {
        self.leave.on_clock_step();
    }

    /// Looks at the feeders again; a verdict when something a regulator acts on is different.
    pub fn review<'f>(
        &mut self,
        at: &Stamp,
        feeders: &(impl Iterator<Item = &'f Feeder> + Clone),
    ) -> Option<Verdict> {
        let worst = worst_of(feeders.clone())?;
        let standing = self.duty.standing();
        let overdue = |day| standing.phase(day) == Some(Phase::Overdue);
        // Both ends of the evidence must lie past the last lawful day, told by a clock that was set at all, and by more
        // than that clock may err.
        let is_set = |at: &Stamp| at.clock != ClockQuality::Unset;
        let dated = is_set(at) && overdue(edge::earliest_day(at));
        let settled = |from: &Stamp| self.reset_at.is_some_and(|reset| from.since_ms(&reset) < 0);
        let beside = |energy: WattHours, from_ms: i64, to_ms: i64| {
            let counted = feeders.clone().filter(|feeder| feeder.terms().convicts());
            WattHours(counted.fold(0, |sum: i64, feeder| {
                let step = feeder.register_step().unwrap_or(WattHours(0));
                sum.saturating_add(feeder.terms().beside_permit(energy, from_ms, to_ms, step).0)
            }))
        };
        let counts = |feeder: &Feeder| {
            feeder.proof().is_some_and(|proof| {
                let from = proof.from();
                let past = is_set(from) && overdue(edge::earliest_proven(proof));
                let past = past && from.wall_unix_ms <= at.wall_unix_ms;
                past && !settled(from) && !self.leave.excuses(proof, at, feeder.terms().capacity(), beside)
            })
        };
        let guilty = dated && feeders.clone().any(|feeder| feeder.terms().convicts() && counts(feeder));
        let inspect: Inspections = feeders.clone().flat_map(reasons_to_look).collect();
        let looked_at = std::mem::replace(&mut self.inspect, inspect);
        let phase = self.duty.certain_phase(at);
        let mut signs = SignSet::default();
        feeders.clone().flat_map(|feeder| feeder.signs().standing()).for_each(|s| signs.add(s.sign));
        let signs_before = std::mem::replace(&mut self.signs, signs);
        let latches = guilty && self.violation_since_unix_ms.is_none();
        if latches {
            self.violation_since_unix_ms = Some(at.wall_unix_ms);
        }
        let told = standing == self.told && signs == signs_before && inspect == looked_at;
        let same = worst == self.state && phase == self.phase && told;
        if same && !latches && self.since.is_some() {
            return None;
        }
        if worst != self.state || self.since.is_none() {
            self.state = worst;
            self.since = Some(*at);
        }
        self.phase = phase;
        Some(self.verdict(at, Shares::default(), feeders))
    }

    /// The verdict as it stands, for whoever asks.
    pub fn ask<'f>(&mut self, at: &Stamp, feeders: &(impl Iterator<Item = &'f Feeder> + Clone)) -> Verdict {
        self.verdict(at, Shares::default(), feeders)
    }

    /// A permit of the authority for this equipment.
    pub fn grant(&mut self, permit: &Permit) {
        self.leave.grant(permit);
    }

    /// Tells what was drawn under the permits of which no verdict tells any more.
    pub fn tell_uses(&mut self, say: &mut dyn FnMut(Event)) {
        let asset = self.asset;
        self.leave.tell_uses(|used| say(Event::PermitUsed { asset, used }));
    }

    /// The authority's paper for what a register did, if there is one.
    pub fn paper(&self, meter: MeterId, at: &Stamp) -> Option<Name> {
        self.leave.paper(meter, at)
    }

    /// Whether it must be cold: its last lawful day has ended for certain, and no permit lets it run.
    pub fn must_rest(&self, at: &Stamp) -> bool {
        self.duty.certain_phase(at) == Some(Phase::Overdue) && !self.leave.lets_run(at)
    }

    /// True once when a permit has come into force or ended.
    pub fn permit_has_turned(&mut self, now: &Stamp) -> bool {
        self.leave.has_turned(now)
    }

    /// The authority opens the latch. There is no other way.
    pub fn reset<'f>(&mut self, at: &Stamp, feeders: &(impl Iterator<Item = &'f Feeder> + Clone)) -> Verdict {
        self.violation_since_unix_ms = None;
        self.reset_at = Some(*at);
        self.phase = self.duty.certain_phase(at);
        self.verdict(at, Shares::default(), feeders)
    }

    /// The verdict that is due on schedule, with a feeder's interval.
    pub fn on_schedule<'f>(
        &mut self,
        at: &Stamp,
        interval: &Interval,
        feeders: &(impl Iterator<Item = &'f Feeder> + Clone),
    ) -> Verdict {
        if let Some((_, open)) = self.open.iter_mut().find(|(id, _)| *id == interval.meter) {
            *open = WattHours(0);
        }
        self.leave.close_interval(interval.meter);
        let convicts = |feeder: &Feeder| feeder.terms().meter == interval.meter && feeder.terms().convicts();
        let overdue = self.duty.phase(&interval.end) == Some(Phase::Overdue);
        if overdue && feeders.clone().any(convicts) {
            self.bound_closed.0 = self.bound_closed.0.saturating_add(interval.bound.0);
        }
        self.phase = self.duty.certain_phase(at);
        self.verdict(at, interval.shares, feeders)
    }

    /// What the verdict rests on. Only the process feeders count, where there are any.
    fn grounds<'f>(&self, feeders: &(impl Iterator<Item = &'f Feeder> + Clone)) -> Grounds {
        let process = || feeders.clone().filter(|feeder| feeder.terms().role == Role::Process);
        let terms = || process().map(Feeder::terms);
        let steps = process().filter_map(|feeder| feeder.register_step());
        Grounds {
            floor: MilliWatts(terms().fold(0, |sum, terms| sum.saturating_add(terms.floor.power.0))),
            register_floor: WattHours(steps.fold(0, |sum, step| sum.saturating_add(register_floor(step).0))),
            error_ppm: terms().map(Commissioned::error_ppm).max().unwrap_or(0),
            bound: WattHours(self.energy_overdue.0.saturating_add(self.bound_closed.0)),
            voltage_point: terms().map(|terms| terms.voltage_point).min(),
            inspect: self.inspect,
            meter: joined(process().filter_map(Feeder::fingerprint)),
            corroboration: None,
            parameters: Parameters::of(terms().map(|terms| terms.poll_ms).max().unwrap_or(0)),
            commissioning: joined(feeders.clone().map(|feeder| feeder.terms().identity))
                .unwrap_or_else(|| Digest::of(b"")),
        }
    }

    fn verdict<'f>(
        &mut self,
        at: &Stamp,
        shares: Shares,
        feeders: &(impl Iterator<Item = &'f Feeder> + Clone),
    ) -> Verdict {
        self.told = self.duty.standing();
        Verdict {
            asset: self.asset,
            state: self.state,
            since: self.since.unwrap_or(*at),
            standing: self.told,
            phase: self.phase,
            violation_since_unix_ms: self.violation_since_unix_ms,
            energy_overdue: self.energy_overdue,
            energy_closed: WattHours(
                self.open.iter().fold(self.energy_overdue.0, |rest, (_, open)| rest.saturating_sub(open.0)),
            ),
            shares,
            plate: self.plate,
            permit: self.leave.last(),
            signs: self.signs,
            grounds: Some(self.grounds(feeders)),
        }
    }
}

/// The most severe of the states that say something of the equipment. Its own process feeders decide; where it has
/// none, one that it shares proves rest and never use. Beside its own, one that it shares decides nothing by what it
/// draws, but doubt about it is doubt about the equipment: whatever could feed it unseen leaves no claim of rest. Auxiliaries of its own show as that beside them, and alone tell
/// nothing of the process; safety feeders show not at all.
fn worst_of<'f>(feeders: impl Iterator<Item = &'f Feeder> + Clone) -> Option<State> {
    let exclusive = feeders.clone().any(|feeder| feeder.terms().convicts());
    let process = feeders.clone().any(|feeder| feeder.terms().role == Role::Process);
    let says = |feeder: &Feeder| {
        let (terms, state) = (feeder.terms(), feeder.state());
        let draws = matches!(state, State::Drawing | State::Exporting);
        let is_doubt = matches!(state, State::Masked(_) | State::Unknown(_));
        match (terms.role, terms.convicts()) {
            (Role::Process, true) => Some(state),
            (Role::Process, false) if exclusive => is_doubt.then_some(state),
            (Role::Process, false) if draws => Some(State::Unknown(Why::SharedFeeder)),
            (Role::Process, false) => Some(state),
            (Role::Auxiliary, _)
                if process && terms.serves.len() == 1 && (draws || state == State::Auxiliary) =>
            {
                Some(State::Auxiliary)
            }
            (Role::Auxiliary | Role::Safety, _) => None,
        }
    };
    let worst = feeders.clone().filter_map(says).max_by_key(|state| state.severity());
    worst.or_else(|| feeders.into_iter().next().map(|_| State::Unknown(Why::SharedFeeder)))
}

/// Why somebody should look at a feeder, though it convicts nobody.
fn reasons_to_look(feeder: &Feeder) -> impl Iterator<Item = Inspect> {
    let terms = feeder.terms();
    let draws = feeder.state() == State::Drawing;
    let reasons = [
        (Inspect::SharedFeeder, draws && terms.role == Role::Process && !terms.convicts()),
        (Inspect::Auxiliary, draws && terms.role == Role::Auxiliary),
        (Inspect::Exporting, feeder.state() == State::Exporting),
        (Inspect::Unfit, terms.role == Role::Process && terms.is_unfit()),
    ];
    reasons.into_iter().filter(|(_, is_so)| *is_so).map(|(why, _)| why)
}
