//! Balance groups: what comes in over the incomers goes out over the feeders, or is lost; what is left over passes by
//! every meter.
//!
//! Energies are compared by registers over an hour or more, each brought to the time that all meters cover. The error is
//! what meters and transformers may err together (their classes in quadrature), the registers' steps, the skew between
//! two reads times the change of power, what a meter below its floor may not have counted, and the declared losses once
//! more. What hides inside that error is told as power beside every result. A residual asks for an inspection and
//! convicts nobody.

pub mod group;
pub mod hour;
pub mod result;

pub use group::{Coupler, Group, Losses, MAX_MEMBERS};
pub use result::{BalanceFinding, Doubt, Outcome};

use self::{
    group::Side,
    hour::{HOUR_MS, Member, Point},
};
use super::commission::Commissioned;
use crate::terms::{AssetId, MeterId, MilliWatts, Name, Stamp};

/// Most balance groups of one gateway.
pub const MAX_GROUPS: usize = 64;
/// A group waits so long for the first readings of a new hour, in milliseconds.
pub const GRACE_MS: i64 = 300_000;
/// A balance corroborates for so long, in milliseconds: two of its hours.
pub const CORROBORATES_MS: i64 = 2 * HOUR_MS;

/// What the meter upstream says of a feeder: within the error everything that came in is accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corroboration {
    /// The balance group.
    pub group: Name,
    /// The end of the span it is told over.
    pub until: Stamp,
    /// The power that could hide inside its error all the time.
    pub blind: MilliWatts,
}

/// A group with what its members told.
#[derive(Debug)]
struct Running {
    group: Group,
    /// The groups it is merged with, itself included, where its coupler is not open.
    merged: bool,
    members: Box<[Member]>,
    /// The hour that is being told.
    hour: Option<i64>,
    last: Option<BalanceFinding>,
}

/// The balance groups of one gateway. Tables are made once; nothing allocates afterwards.
#[derive(Debug, Default)]
pub struct Balances {
    groups: Box<[Running]>,
    /// Which places of which groups a meter has, by meter.
    places: Box<[(MeterId, usize, usize)]>,
}

impl Balances {
    /// The groups as configured, those merged whose couplers are not open.
    pub fn new(groups: Vec<Group>, meters: &[&Commissioned]) -> Balances {
        let commissioned = |id: MeterId| meters.iter().find(|terms| terms.meter == id).copied();
        let groups: Box<[Running]> = group::merged(groups)
            .into_iter()
            .map(|(group, merged)| {
                let member = |(meter, side): (MeterId, Side)| Some(Member::of(side, commissioned(meter)?));
                let members = group.members().filter_map(member).collect();
                Running { group, merged, members, hour: None, last: None }
            })
            .collect();
        let mut places: Box<[(MeterId, usize, usize)]> = groups
            .iter()
            .enumerate()
            .flat_map(|(at, running)| {
                running.members.iter().enumerate().map(move |(place, member)| (member.meter, at, place))
            })
            .collect();
        places.sort_unstable();
        Balances { groups, places }
    }

    /// Takes what a meter's registers showed.
    pub fn on_point(&mut self, meter: MeterId, point: Point) {
        self.each_place(meter, |member| member.on_point(point));
    }

    /// A count began anew, or the clock was moved: what passed since the last hour cannot be told.
    pub fn on_break(&mut self, meter: MeterId) {
        self.each_place(meter, Member::forget);
    }

    /// The wall clock was moved: hours begin anew.
    pub fn on_clock_step(&mut self) {
        for running in &mut self.groups {
            running.members.iter_mut().for_each(Member::forget);
            running.hour = None;
        }
    }

    /// Time passed: tells each group whose hour is over and whose members have told, or had their time to.
    pub fn on_tick(&mut self, at: &Stamp, mut say: impl FnMut(&BalanceFinding, MeterId)) {
        let hour = at.wall_unix_ms.div_euclid(HOUR_MS);
        for running in &mut self.groups {
            let Some(told) = running.hour else {
                running.hour = Some(hour);
                continue;
            };
            if told >= hour {
                continue;
            }
            let all_told = running.members.iter().all(|member| member.has_told(hour));
            let waited = at.wall_unix_ms.saturating_sub(hour.saturating_mul(HOUR_MS)) >= GRACE_MS;
            if !all_told && !waited {
                continue;
            }
            running.hour = Some(hour);
            let finding = running.evaluate(at, hour);
            running.last = Some(finding);
            if let Some(incomer) = running.members.iter().find(|member| member.side == Side::In) {
                say(&finding, incomer.meter);
            }
        }
    }

    /// The last balance that agrees over a feeder of this equipment, if it is of the last hours.
    pub fn corroboration(&self, asset: AssetId, now: &Stamp) -> Option<Corroboration> {
        let serves = |running: &&Running| {
            running.members.iter().any(|member| member.side == Side::Out && member.serves.contains(&asset))
        };
        let fresh = |finding: &BalanceFinding| {
            finding.outcome == Outcome::Agrees && now.since_ms(&finding.end) <= CORROBORATES_MS
        };
        let found = self.groups.iter().filter(serves).find_map(|running| running.last.filter(fresh))?;
        Some(Corroboration { group: found.group, until: found.end, blind: found.blind })
    }

    fn each_place(&mut self, meter: MeterId, mut hear: impl FnMut(&mut Member)) {
        let from = self.places.partition_point(|(id, _, _)| *id < meter);
        for (_, group, place) in self.places.iter().skip(from).take_while(|(id, _, _)| *id == meter) {
            if let Some(member) =
                self.groups.get_mut(*group).and_then(|running| running.members.get_mut(*place))
            {
                hear(member);
            }
        }
    }
}

impl Running {
    /// Weighs what passed since every member last told, up to this hour.
    fn evaluate(&mut self, at: &Stamp, hour: i64) -> BalanceFinding {
        let finding = result::weigh(&self.group, self.merged, &self.members, at, hour);
        // Whoever was silent is waited for: registers bridge the silence.
        if finding.outcome != Outcome::Unknown(Doubt::MemberSilent) {
            self.members.iter_mut().for_each(|member| member.begin_at(hour));
        }
        finding
    }
}

/// Names of the groups a meter belongs to.
pub fn groups_of(groups: &[Group], meter: MeterId) -> impl Iterator<Item = Name> + '_ {
    groups.iter().filter(move |group| group.members().any(|(id, _)| id == meter)).map(|group| group.id)
}

#[cfg(test)]
mod tests;
