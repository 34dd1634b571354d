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

/// Groups that are one, and the names they go by.
struct Joined {
    group: Group,
    names: Vec<Name>,
    merged: bool,
}

impl Joined {
    fn of(group: Group) -> Joined {
        Joined { names: vec![group.id], merged: !group.stands_alone(), group }
    }

    fn take(&mut self, other: Joined) {
        let (first, more) = (&mut self.group, other.group);
        first.incomers = first.incomers.iter().chain(&more.incomers).copied().collect();
        first.feeders = first.feeders.iter().chain(&more.feeders).copied().collect();
        first.losses.fixed.0 = first.losses.fixed.0.saturating_add(more.losses.fixed.0);
        first.losses.at_load.0 = first.losses.at_load.0.saturating_add(more.losses.at_load.0);
        first.losses.load.0 = first.losses.load.0.saturating_add(more.losses.load.0);
        first.coupler = first.coupler.filter(|c| c.position != Position::Open).or(more.coupler);
        self.names.extend(other.names);
        self.merged = true;
    }
}

/// Groups whose couplers are not known to be open, as one, however many buses hang together; each with whether it was
/// merged. Losses add up.
pub(super) fn merged(groups: Vec<Group>) -> Vec<(Group, bool)> {
    let closed: Vec<(Name, Name)> = groups
        .iter()
        .filter(|group| !group.stands_alone())
        .filter_map(|group| Some((group.id, group.coupler?.with)))
        .collect();
    let hang_together = |one: &[Name], other: &[Name]| {
        closed.iter().any(|(from, to)| {
            (one.contains(from) && other.contains(to)) || (one.contains(to) && other.contains(from))
        })
    };
    let mut all: Vec<Joined> = Vec::new();
    for group in groups {
        let mut joined = Joined::of(group);
        let (with, apart): (Vec<Joined>, Vec<Joined>) =
            all.into_iter().partition(|other| hang_together(&other.names, &joined.names));
        let mut with = with.into_iter();
        if let Some(mut first) = with.next() {
            std::mem::swap(&mut first, &mut joined);
            joined.take(first);
            with.for_each(|other| joined.take(other));
        }
        all = apart;
        all.push(joined);
    }
    all.into_iter().map(|joined| (joined.group, joined.merged)).collect()
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

    #[test]
    fn buses_that_hang_together_are_one_in_whatever_order_they_are_named() {
        let group = |id: &str, with: &str, position| Group {
            id: Name::new(id).unwrap(),
            incomers: Box::new([MeterId::new(&format!("in-{id}")).unwrap()]),
            feeders: Box::new([MeterId::new(&format!("out-{id}")).unwrap()]),
            losses: Losses::default(),
            coupler: Some(Coupler { with: Name::new(with).unwrap(), position, source: None }),
        };
        let chain = [
            Group { coupler: None, ..group("b1", "b1", Position::Open) },
            group("b2", "b1", Position::Closed),
            group("b3", "b2", Position::Unknown),
            group("b4", "b3", Position::Open),
        ];
        let orders = [[0, 1, 2, 3], [2, 0, 1, 3], [2, 1, 0, 3], [3, 2, 0, 1], [1, 3, 0, 2]];
        for order in orders {
            let all = merged(order.map(|place: usize| chain[place].clone()).into());
            let mut sizes: Vec<(usize, bool)> =
                all.iter().map(|(group, merged)| (group.members().count(), *merged)).collect();
            sizes.sort_unstable();
            assert_eq!(sizes, [(2, false), (6, true)], "{order:?}");
            let one = all.iter().find(|(_, merged)| *merged).unwrap();
            assert_ne!(one.0.coupler.unwrap().position, Position::Open, "{order:?}");
        }
    }
}
