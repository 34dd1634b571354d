//! What a piece of equipment may draw by permit, and what it has drawn under each.

use super::{
    commission::REGISTER_AGE_MS,
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
    in_force: Option<(Name, Standing)>,
}

/// How a permit stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is in force.
    InForce,
    /// It has ended, and registers may still show what was drawn before.
    Ended,
}

impl Leave {
    /// Permits remembered, and what was drawn under each.
    pub fn recalling<U: Iterator<Item = PermitUse>>(
        permits: impl Iterator<Item = Permit>,
        uses: impl Fn() -> U,
    ) -> Leave {
        let used = |id: Name| uses().find(|used| used.permit == id).map_or(WattHours(0), |used| used.used);
        let mut permits: Vec<_> = permits.map(|permit| (permit, used(permit.id))).collect();
        permits.sort_by_key(|(permit, _)| permit.to_unix_ms);
        Leave { permits, last: uses().last(), in_force: None }
    }

    /// A permit is granted or replaced by a later version.
    pub fn grant(&mut self, permit: &Permit) {
        if let Some((known, _)) = self.permits.iter_mut().find(|(known, _)| known.id == permit.id) {
            *known = *permit;
        } else if self.permits.len() < MAX_PERMITS {
            self.permits.push((*permit, WattHours(0)));
        }
        self.permits.sort_by_key(|(permit, _)| permit.to_unix_ms);
    }

    /// Energy that the registers told of between two moments. What may have passed under a permit counts under it: under
    /// the one that ends soonest while it has room, what is beyond all of them under the last. `allowed` is what may show
    /// between two moments, both Unix milliseconds, without a permit: it is no use of one that did not run then.
    pub fn on_energy(
        &mut self,
        from: &Stamp,
        to: &Stamp,
        energy: WattHours,
        allowed: impl Fn(i64, i64) -> WattHours,
    ) {
        let touched = Touched::of(&self.permits, from, to);
        let Some((begins, ends)) = touched.span else { return };
        let before = allowed(from.wall_unix_ms, begins);
        let after = allowed(ends.max(from.wall_unix_ms), to.wall_unix_ms);
        let mut rest = energy.0.saturating_sub(before.0).saturating_sub(after.0).max(0);
        let mut under = None;
        for (place, (permit, used)) in self.permits.iter_mut().enumerate() {
            let Some(permitted) = permit.what.energy().filter(|_| permit.overlap_ms(from, to).is_some())
            else {
                continue;
            };
            let room = permitted.0.saturating_sub(used.0).max(0);
            let taken = rest.min(room);
            (used.0, rest) = (used.0.saturating_add(taken), rest - taken);
            under = Some(place);
            if taken < room {
                break;
            }
        }
        if let Some((permit, used)) = under.and_then(|place| self.permits.get_mut(place)) {
            used.0 = used.0.saturating_add(rest);
            self.last = Some(PermitUse { permit: permit.id, used: *used });
        }
    }

    /// Whether what is proven at `to` may all have been drawn under permits, and no more was drawn than they permit
    /// together. A proof by energy may reach back before a permit began, over a time nobody saw: so much as could pass
    /// since is excused. `beside` is what the meters may show beside the permitted energy from its first moment to another.
    pub fn excuses(
        &self,
        proof: &Proof,
        to: &Stamp,
        capacity: MilliWatts,
        beside: impl Fn(WattHours, i64, i64) -> WattHours,
    ) -> bool {
        let touched = Touched::of(&self.permits, proof.from(), to);
        let Some((begins, ends)) = touched.span else { return false };
        let covered = |from: &Stamp| {
            let runs = |permit: &Permit| permit.what.energy().is_some() && permit.may_begin(from);
            self.permits.iter().any(|(permit, _)| runs(permit))
        };
        let may_be_under = match proof {
            Proof::Power { from, .. } | Proof::BackFeed { from } => covered(from),
            Proof::Demand { .. } => true,
            Proof::Energy(excess) => {
                excess.moved.0 <= excess.bound.0.saturating_add(capacity.over_ms(touched.ms).0)
            }
        };
        let until = to.wall_unix_ms.min(ends);
        let most = touched.permitted.saturating_add(beside(WattHours(touched.permitted), begins, until).0);
        may_be_under && touched.used <= most
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

    /// True once when a permit has come into force or ended, and once more when registers no longer show what was drawn
    /// under it: sums across these moments would weigh what was permitted with what was not.
    pub fn has_turned(&mut self, now: &Stamp) -> bool {
        let grace = Stamp { wall_unix_ms: now.wall_unix_ms.saturating_sub(REGISTER_AGE_MS), ..*now };
        let running = |at: &Stamp| {
            let runs = |permit: &Permit| permit.what.energy().is_some() && permit.covers(at);
            self.permits.iter().find(|(permit, _)| runs(permit)).map(|(permit, _)| permit.id)
        };
        let in_force = running(now).map(|id| (id, Standing::InForce));
        let in_force = in_force.or_else(|| running(&grace).map(|id| (id, Standing::Ended)));
        let before = std::mem::replace(&mut self.in_force, in_force);
        before != in_force
    }
}

/// The permits of energy that ran in some of the time between two moments, taken together.
#[derive(Clone, Copy, Debug, Default)]
struct Touched {
    /// From the first moment of any to the last of any, Unix milliseconds; nothing where none ran.
    span: Option<(i64, i64)>,
    /// How long they ran in that time, added up, in milliseconds.
    ms: i64,
    /// What they permit and what was drawn under them, in watt-hours.
    permitted: i64,
    used: i64,
}

impl Touched {
    fn of(permits: &[(Permit, WattHours)], from: &Stamp, to: &Stamp) -> Touched {
        let ran = permits.iter().filter_map(|(permit, used)| {
            Some((permit, used, permit.what.energy()?, permit.overlap_ms(from, to)?))
        });
        ran.fold(Touched::default(), |sum, (permit, used, permitted, ms)| {
            let (begins, ends) = sum.span.unwrap_or((i64::MAX, i64::MIN));
            Touched {
                span: Some((begins.min(permit.from_unix_ms), ends.max(permit.to_unix_ms))),
                ms: sum.ms.saturating_add(ms),
                permitted: sum.permitted.saturating_add(permitted.0),
                used: sum.used.saturating_add(used.0),
            }
        })
    }
}
