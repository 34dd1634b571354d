//! How far the supplier's readings agree with a hold, point by point: a cut is where none of them is left out.

use super::{order::MAX_POINTS, window::Stretch};

/// From when to when they agree without a hole, Unix milliseconds, of each point in the order's own order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed([Option<Stretch>; MAX_POINTS]);

impl Agreed {
    /// Of one point.
    pub fn of(&self, place: usize) -> Option<Stretch> {
        self.0.get(place).copied().flatten()
    }

    /// Each point of which anything is agreed, by its place.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Stretch)> {
        self.0.iter().enumerate().filter_map(|(place, stretch)| Some((place, (*stretch)?)))
    }

    /// The stretch on which all of so many points agree.
    pub fn on_all(&self, points: usize) -> Option<Stretch> {
        let mut common: Option<Stretch> = None;
        for place in 0..points {
            let (from, to) = self.of(place)?;
            common = Some(common.map_or((from, to), |(begins, ends)| (from.max(begins), to.min(ends))));
        }
        common.filter(|(from, to)| from < to)
    }

    /// Whether it says no more than `before` and what readings offer besides, each at the place of its point.
    pub fn is_within(&self, before: &Agreed, offers: &[(usize, Stretch)]) -> bool {
        self.iter().all(|(place, (mut reached, to))| {
            let offered = offers.iter().filter(|(at, _)| *at == place).map(|(_, stretch)| *stretch);
            let pieces: Vec<Stretch> = offered.chain(before.of(place)).collect();
            while reached < to {
                let ends =
                    pieces.iter().filter(|(from, to)| (*from..*to).contains(&reached)).map(|(_, to)| *to);
                let Some(further) = ends.max() else { return false };
                reached = further;
            }
            true
        })
    }

    /// Says it of a point. One beyond the most that an order names is nothing.
    pub fn set(&mut self, place: usize, stretch: Stretch) {
        if let Some(known) = self.0.get_mut(place) {
            *known = Some(stretch);
        }
    }

    /// Adds a stretch at a point. One that leaves a hole begins anew.
    pub fn add(&mut self, place: usize, (from, to): Stretch) {
        let stretch = match self.of(place) {
            Some((begins, ends)) if from <= ends && to >= begins => (begins.min(from), ends.max(to)),
            Some(_) | None => (from, to),
        };
        self.set(place, stretch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_points_agree_only_where_each_does() {
        let mut agreed = Agreed::default();
        agreed.add(0, (10, 50));
        assert_eq!((agreed.on_all(1), agreed.on_all(2)), (Some((10, 50)), None));
        agreed.add(1, (20, 90));
        assert_eq!(agreed.on_all(2), Some((20, 50)));
        agreed.add(0, (50, 60));
        assert_eq!(agreed.on_all(2), Some((20, 60)));
        // A hole begins anew, and then nothing is common.
        agreed.add(0, (100, 120));
        assert_eq!((agreed.of(0), agreed.on_all(2)), (Some((100, 120)), None));
        agreed.add(MAX_POINTS, (0, 1));
        assert_eq!(agreed.iter().count(), 2);
    }

    #[test]
    fn no_more_is_agreed_than_what_was_before_and_what_is_offered_without_a_hole() {
        let told = |place, stretch| {
            let mut agreed = Agreed::default();
            agreed.add(place, stretch);
            agreed
        };
        let before = told(0, (10, 20));
        let offers = [(0, (30, 40)), (0, (18, 30)), (1, (0, 90))];
        for (stretch, is_within) in
            [((10, 20), true), ((12, 40), true), ((10, 41), false), ((9, 20), false), ((50, 60), false)]
        {
            assert_eq!(told(0, stretch).is_within(&before, &offers), is_within, "{stretch:?}");
        }
        assert!(!told(0, (10, 31)).is_within(&before, &[(0, (30, 40))]), "a hole from 20 to 30");
        assert!(told(1, (0, 90)).is_within(&before, &offers) && !told(2, (0, 1)).is_within(&before, &offers));
    }
}
