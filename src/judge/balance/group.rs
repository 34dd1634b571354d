//! A balance group as declared: incomers, feeders, what is lost between them, and the coupler to the next bus.

use crate::terms::{MeterId, MilliWatts, Name};

/// Most meters of one group.
pub const MAX_MEMBERS: usize = 256;

/// Losses of lines and transformers between incomers and feeders: `a + b S^2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// `a`: what is lost at no load.
    pub fixed: MilliWatts,
    /// What is lost besides at the load below: `b` times its square.
    pub at_load: MilliWatts,
    /// That load.
    pub load: MilliWatts,
}

impl Losses {
    /// What is lost while so much passes.
    pub fn at(&self, passing: MilliWatts) -> MilliWatts {
        let (lost, load) = (i128::from(self.at_load.0), i128::from(self.load.0));
        let square = if load > 0 {
            // Twice a ratio, so that nothing overflows: 60 GW in milliwatts squared is past i64, not past i128.
            lost * i128::from(passing.0) / load * i128::from(passing.0) / load
        } else {
            0
        };
        MilliWatts(self.fixed.0.saturating_add(i64::try_from(square).unwrap_or(i64::MAX)))
    }
}

worded! {
    /// Whether the coupler between two buses is known to be open.
    Position {
        /// Open, and somebody answers for it.
        Open "open"
        /// Closed: what comes in on one bus goes out on the other.
        Closed "closed"
        /// Nobody knows.
        Unknown "unknown"
    }
}

/// The coupler between this group's bus and another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coupler {
    /// The group on its other side.
    pub with: Name,
    /// Where it stands.
    pub position: Position,
    /// Who or what says so: a drawing, a seal, an inspector.
    pub source: Option<Name>,
}

worded! {
    /// On which side of the balance a meter stands.
    Side {
        /// What it counts comes in.
        In "incomer"
        /// What it counts goes out.
        Out "feeder"
    }
}

/// A balance group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its identifier.
    pub id: Name,
    /// Meters of what comes in.
    pub incomers: Box<[MeterId]>,
    /// Meters of what goes out.
    pub feeders: Box<[MeterId]>,
    /// What is lost between them.
    pub losses: Losses,
    /// The coupler to another group's bus, if there is one.
    pub coupler: Option<Coupler>,
}

impl Group {
    /// Its meters, each with its side.
    pub fn members(&self) -> impl Iterator<Item = (MeterId, Side)> + '_ {
        let incomers = self.incomers.iter().map(|meter| (*meter, Side::In));
        incomers.chain(self.feeders.iter().map(|meter| (*meter, Side::Out)))
    }

    /// Whether its coupler is known to be open, or it has none.
    pub fn stands_alone(&self) -> bool {
        self.coupler.is_none_or(|coupler| coupler.position == Position::Open)
    }
}

/// Groups whose couplers are not known to be open, as one; each with whether it was merged. Losses add up.
pub(super) fn merged(groups: Vec<Group>) -> Vec<(Group, bool)> {
    let mut all: Vec<(Group, bool)> = Vec::new();
    for group in groups {
        let joins = |(other, _): &(Group, bool)| {
            let to =
                |from: &Group, id: Name| !from.stands_alone() && from.coupler.is_some_and(|c| c.with == id);
            to(&group, other.id) || to(other, group.id)
        };
        match all.iter().position(joins) {
            None => {
                let closed = !group.stands_alone();
                all.push((group, closed));
            }
            Some(at) => {
                if let Some((first, is_merged)) = all.get_mut(at) {
                    first.incomers = first.incomers.iter().chain(&group.incomers).copied().collect();
                    first.feeders = first.feeders.iter().chain(&group.feeders).copied().collect();
                    first.losses.fixed.0 = first.losses.fixed.0.saturating_add(group.losses.fixed.0);
                    if first.losses.load.0 == 0 {
                        (first.losses.at_load, first.losses.load) = (group.losses.at_load, group.losses.load);
                    } else {
                        first.losses.at_load.0 =
                            first.losses.at_load.0.saturating_add(group.losses.at_load.0);
                        first.losses.load.0 = first.losses.load.0.saturating_add(group.losses.load.0);
                    }
                    first.coupler = first.coupler.filter(|c| c.position != Position::Open).or(group.coupler);
                    *is_merged = true;
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_grow_with_the_square_of_what_passes() {
        let watts = MilliWatts::from_watts;
        let losses = Losses { fixed: watts(20_000), at_load: watts(200_000), load: watts(60_000_000) };
        assert_eq!(losses.at(watts(0)), watts(20_000));
        assert_eq!(losses.at(watts(60_000_000)), watts(220_000));
        assert_eq!(losses.at(watts(30_000_000)), watts(70_000));
        assert_eq!(Losses::default().at(watts(30_000_000)), watts(0));
    }

    #[test]
    fn groups_stay_apart_only_while_their_coupler_is_known_to_be_open() {
        let group = |id: &str, position| Group {
            id: Name::new(id).unwrap(),
            incomers: Box::new([MeterId::new(&format!("in-{id}")).unwrap()]),
            feeders: Box::new([MeterId::new(&format!("out-{id}")).unwrap()]),
            losses: Losses::default(),
            coupler: Some(Coupler { with: Name::new("b1").unwrap(), position, source: None }),
        };
        let first = Group { coupler: None, ..group("b1", Position::Open) };
        let apart = merged(vec![first.clone(), group("b2", Position::Open)]);
        assert!(apart.len() == 2 && apart.iter().all(|(_, merged)| !merged));
        for position in [Position::Closed, Position::Unknown] {
            let one = merged(vec![first.clone(), group("b2", position)]);
            assert_eq!(one.len(), 1);
            assert!(one[0].1 && one[0].0.members().count() == 4);
            assert_eq!(one[0].0.coupler.unwrap().position, position);
        }
    }
}
