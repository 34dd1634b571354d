//! What the feeders' states mean for a piece of equipment on this day. Holds the only latch there is.

use super::{
    commission::Equipment,
    drawing::Proof,
    duty::Duty,
    feeder::Feeder,
    leave::{Leave, PermitUse},
    ledger::Shares,
    memory::EquipmentMemory,
    permit::Permit,
    sign::SignSet,
    state::{State, Why},
};
use crate::{
    catalogue::{Phase, Standing},
    terms::{AssetId, ClockQuality, Digest, MeterId, Name, Stamp, WattHours},
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
    ) -> Docket {
        let permits = permits.iter().filter(|permit| permit.asset == equipment.id).copied();
        Docket {
            asset: equipment.id,
            duty: Duty::new(equipment.id, equipment.standing),
            state: State::Unknown(Why::NotYetRead),
            since: None,
            told: equipment.standing,
            phase: None,
            violation_since_unix_ms: memory.and_then(|m| m.violation_since_unix_ms),
            energy_overdue: memory.map_or(WattHours(0), |m| m.energy_closed),
            open: meters.iter().map(|meter| (*meter, WattHours(0))).collect(),
            plate: memory.and_then(|m| m.plate),
            plate_fault: None,
            signs: SignSet::default(),
            reset_at: None,
            leave: Leave::recalling(permits, memory.and_then(|m| m.permit)),
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

    /// Notes that the nameplate cannot be read; true when that is news.
    pub fn on_plate_fault(&mut self, why: &'static str) -> bool {
        self.plate_fault.replace(why) != Some(why)
    }

    /// Adds energy that passed between two readings, where all of that time lies past the last lawful day.
    pub fn on_energy(&mut self, meter: MeterId, from: &Stamp, energy: WattHours) {
        self.leave.on_energy(from, energy);
        if self.duty.phase(from) != Some(Phase::Overdue) {
            return;
        }
        self.energy_overdue.0 = self.energy_overdue.0.saturating_add(energy.0);
        if let Some((_, open)) = self.open.iter_mut().find(|(id, _)| *id == meter) {
            open.0 = open.0.saturating_add(energy.0);
        }
    }

    /// Looks at the feeders again; a verdict when something a regulator acts on is different.
    pub fn review<'f>(
        &mut self,
        at: &Stamp,
        feeders: impl Iterator<Item = &'f Feeder> + Clone,
    ) -> Option<Verdict> {
        let worst = feeders.clone().map(Feeder::state).max_by_key(|state| state.severity())?;
        let standing = self.duty.standing();
        let overdue = |at: &Stamp| standing.phase(at.legal_day()) == Some(Phase::Overdue);
        // Both ends of the evidence must lie past the last lawful day, told by a clock that was set at all.
        let dated = at.clock != ClockQuality::Unset && overdue(at);
        let settled = |from: &Stamp| self.reset_at.is_some_and(|reset| from.since_ms(&reset) < 0);
        let counts = |from: &Stamp| {
            let past = overdue(from) && from.wall_unix_ms <= at.wall_unix_ms;
            past && !settled(from) && !self.leave.excuses(from)
        };
        let guilty = dated && feeders.clone().filter_map(Feeder::proof).map(Proof::from).any(counts);
        let phase = self.duty.phase(at);
        let mut signs = SignSet::default();
        feeders.clone().flat_map(|feeder| feeder.signs().standing()).for_each(|s| signs.add(s.sign));
        let signs_before = std::mem::replace(&mut self.signs, signs);
        let latches = guilty && self.violation_since_unix_ms.is_none();
        if latches {
            self.violation_since_unix_ms = Some(at.wall_unix_ms);
        }
        let told = standing == self.told && signs == signs_before;
        let same = worst == self.state && phase == self.phase && told;
        if same && !latches && self.since.is_some() {
            return None;
        }
        if worst != self.state || self.since.is_none() {
            self.state = worst;
            self.since = Some(*at);
        }
        self.phase = phase;
        Some(self.verdict(at, Shares::default()))
    }

    /// A permit of the authority for this equipment.
    pub fn grant(&mut self, permit: &Permit) {
        self.leave.grant(permit);
    }

    /// The authority's paper for what a register did, if there is one.
    pub fn paper(&self, meter: MeterId, at: &Stamp) -> Option<Name> {
        self.leave.paper(meter, at)
    }

    /// True once when a permit has come into force or ended.
    pub fn permit_has_turned(&mut self, now: &Stamp) -> bool {
        self.leave.has_turned(now)
    }

    /// The authority opens the latch. There is no other way.
    pub fn reset(&mut self, at: &Stamp) -> Verdict {
        self.violation_since_unix_ms = None;
        self.reset_at = Some(*at);
        self.phase = self.duty.phase(at);
        self.verdict(at, Shares::default())
    }

    /// The verdict that is due on schedule, with the shares of a feeder's interval.
    pub fn on_schedule(&mut self, meter: MeterId, at: &Stamp, shares: Shares) -> Verdict {
        if let Some((_, open)) = self.open.iter_mut().find(|(id, _)| *id == meter) {
            *open = WattHours(0);
        }
        self.phase = self.duty.phase(at);
        self.verdict(at, shares)
    }

    fn verdict(&mut self, at: &Stamp, shares: Shares) -> Verdict {
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
        }
    }
}
