//! What is done to a plant and when: the honest day and the cheat alike, on one time line.

use std::collections::BTreeMap;

use crate::change::Change;

/// Changes by plant time; those of one moment happen in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    changes: BTreeMap<(u64, usize), Change>,
    added: usize,
}

impl Timeline {
    /// A time line on which nothing happens.
    pub fn new() -> Timeline {
        Timeline::default()
    }

    /// With one more change.
    #[must_use]
    pub fn at(mut self, plant_ms: u64, change: Change) -> Timeline {
        self.add(plant_ms, change);
        self
    }

    /// With a change every day from one time of day and its undoing at another, for some days. Both in milliseconds
    /// since midnight; an end before the beginning is the next morning.
    #[must_use]
    pub fn nightly(
        mut self,
        days: u64,
        from_ms: u64,
        to_ms: u64,
        change: &Change,
        undo: &Change,
    ) -> Timeline {
        const DAY_MS: u64 = 86_400_000;
        let span = if to_ms < from_ms { DAY_MS } else { 0 };
        for day in 0..days {
            self.add(day * DAY_MS + from_ms, change.clone());
            self.add(day * DAY_MS + to_ms + span, undo.clone());
        }
        self
    }

    /// Adds a change.
    pub fn add(&mut self, plant_ms: u64, change: Change) {
        self.changes.insert((plant_ms, self.added), change);
        self.added += 1;
    }

    /// Adds all changes of another time line.
    pub fn join(&mut self, other: Timeline) {
        for ((plant_ms, _), change) in other.changes {
            self.add(plant_ms, change);
        }
    }

    /// When something happens next.
    pub fn next_ms(&self) -> Option<u64> {
        self.changes.keys().next().map(|(plant_ms, _)| *plant_ms)
    }

    /// Takes the first change that is due.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Option<Change> {
        let first = self.changes.first_entry()?;
        let (plant_ms, _) = *first.key();
        (plant_ms <= now_ms).then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_in_time_and_in_the_order_they_were_added() {
        let mut line =
            Timeline::new().at(20, Change::Freeze(1)).at(10, Change::Thaw(1)).at(20, Change::Thaw(2));
        assert_eq!(line.next_ms(), Some(10));
        assert_eq!(line.take_due(9), None);
        let taken: Vec<Change> = std::iter::from_fn(|| line.take_due(20)).collect();
        assert_eq!(taken, [Change::Thaw(1), Change::Freeze(1), Change::Thaw(2)]);
    }

    #[test]
    fn a_nightly_change_is_undone_next_morning() {
        const HOUR: u64 = 3_600_000;
        let mut line = Timeline::new().nightly(2, 23 * HOUR, 5 * HOUR, &Change::Freeze(1), &Change::Thaw(1));
        let mut times = Vec::new();
        while let Some(at) = line.next_ms() {
            times.push((at / HOUR, line.take_due(at).unwrap()));
        }
        let expected =
            [(23, Change::Freeze(1)), (29, Change::Thaw(1)), (47, Change::Freeze(1)), (53, Change::Thaw(1))];
        assert_eq!(times, expected);
    }
}
