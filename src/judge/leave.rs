//! What a piece of equipment may draw by permit, and what it has drawn under each.

use super::permit::{MAX_PERMITS, Permit};
use crate::terms::{MeterId, Name, Stamp, WattHours};

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

    /// Energy that the registers told of since `from`.
    pub fn on_energy(&mut self, from: &Stamp, energy: WattHours) {
        let runs =
            |(permit, _): &&mut (Permit, WattHours)| permit.what.energy().is_some() && permit.covers(from);
        if let Some((permit, used)) = self.permits.iter_mut().find(runs) {
            used.0 = used.0.saturating_add(energy.0);
            self.last = Some(PermitUse { permit: permit.id, used: *used });
        }
    }

    /// Whether drawing that began at this moment is permitted, and no more was drawn than that.
    pub fn excuses(&self, from: &Stamp) -> bool {
        self.permits.iter().any(|(permit, used)| {
            permit.covers_since(from) && permit.what.energy().is_some_and(|energy| *used <= energy)
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
