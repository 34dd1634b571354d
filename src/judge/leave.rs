//! What a piece of equipment may draw by permit, and what it has drawn under each.

use super::{
    drawing::Proof,
    permit::{MAX_PERMITS, Permit},
};
use crate::terms::{MeterId, MilliWatts, Name, Stamp, WattHours};

/// Energy drawn under a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermitUse {
    /// The permit.
    pub permit: Name,
    /// Energy the registers told of since it began, in watt-hours.
    pub used: WattHours,
}

/// The permits of one piece of equipment.
#[derive(Debug, Default)]
pub struct Leave {
    permits: Vec<(Permit, WattHours)>,
    last: Option<PermitUse>,
    in_force: Option<Name>,
}

impl Leave {
    /// Permits remembered, and what was drawn under the last of them.
    pub fn recalling(permits: impl Iterator<Item = Permit>, last: Option<PermitUse>) -> Leave {
        let used = |permit: &Permit| last.filter(|l| l.permit == permit.id).map_or(WattHours(0), |l| l.used);
        Leave { permits: permits.map(|permit| (permit, used(&permit))).collect(), last, in_force: None }
    }

    /// A permit is granted or replaced by a later version.
    pub fn grant(&mut self, permit: &Permit) {
        if let Some((known, _)) = self.permits.iter_mut().find(|(known, _)| known.id == permit.id) {
            *known = *permit;
        } else if self.permits.len() < MAX_PERMITS {
            self.permits.push((*permit, WattHours(0)));
        }
    }

    /// Energy that the registers told of between two moments. What may have passed under a permit counts under it.
    pub fn on_energy(&mut self, from: &Stamp, to: &Stamp, energy: WattHours) {
        let runs = |(permit, _): &&mut (Permit, WattHours)| {
            permit.what.energy().is_some() && permit.overlap_ms(from, to).is_some()
        };
        if let Some((permit, used)) = self.permits.iter_mut().find(runs) {
            used.0 = used.0.saturating_add(energy.0);
            self.last = Some(PermitUse { permit: permit.id, used: *used });
        }
    }

    /// Whether what is proven at `to` may all have been drawn under a permit, and no more was drawn than that. A proof
    /// by energy may reach back before the permit began, over a time nobody saw: so much as could pass since is excused.
    /// `beside` is what the meters may show beside the permitted energy from its first moment to another.
    pub fn excuses(
        &self,
        proof: &Proof,
        to: &Stamp,
        capacity: MilliWatts,
        beside: impl Fn(WattHours, i64, i64) -> WattHours,
    ) -> bool {
        let may_be_under = |permit: &Permit| match proof {
            Proof::Power { from, .. } | Proof::BackFeed { from } => permit.overlap_ms(from, from).is_some(),
            Proof::Demand { from, .. } => permit.overlap_ms(from, to).is_some(),
            Proof::Energy(excess) => permit
                .overlap_ms(&excess.from, to)
                .is_some_and(|ms| excess.moved.0 <= excess.bound.0.saturating_add(capacity.over_ms(ms).0)),
        };
        let within = |permit: &Permit, used: WattHours, energy: WattHours| {
            let until = to.wall_unix_ms.min(permit.to_unix_ms);
            used.0 <= energy.0.saturating_add(beside(energy, permit.from_unix_ms, until).0)
        };
        self.permits.iter().any(|(permit, used)| {
            permit.what.energy().is_some_and(|energy| within(permit, *used, energy)) && may_be_under(permit)
        })
    }

    /// The paper for what this meter's register did, if there is one.
    pub fn paper(&self, meter: MeterId, at: &Stamp) -> Option<Name> {
        let is_paper = |(permit, _): &&(Permit, WattHours)| match permit.what {
            super::Permitted::MeterReplacement { meter: named } => named == meter && permit.covers(at),
            super::Permitted::Maintenance { .. } | super::Permitted::Allowance { .. } => false,
        };
        self.permits.iter().find(is_paper).map(|(permit, _)| permit.id)
    }

    /// What was drawn under the permit used last.
    pub fn last(&self) -> Option<PermitUse> {
        self.last
    }

    /// True once when a permit has come into force or ended: sums across that moment would weigh what was permitted
    /// with what was not.
    pub fn has_turned(&mut self, now: &Stamp) -> bool {
        let runs = |(permit, _): &&(Permit, WattHours)| permit.what.energy().is_some() && permit.covers(now);
        let in_force = self.permits.iter().find(runs).map(|(permit, _)| permit.id);
        let before = std::mem::replace(&mut self.in_force, in_force);
        before != in_force
    }
}
