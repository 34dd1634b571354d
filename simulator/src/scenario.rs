//! What is done to a plant and when: the honest day and the cheat alike, on one time line.

use std::collections::BTreeMap;

use coldhearth::{
    catalogue::Nameplate,
    metering::{Function, Quantity},
    terms::{MilliWatts, Ratio},
};

use crate::{auxiliary::Auxiliaries, load::Load, site::FeederIndex, wiring::Wiring};

/// One thing done to the plant. A `u8` is the Modbus unit of a meter or a nameplate.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The process equipment is started.
    StartMelt(FeederIndex),
    /// The process equipment is stopped.
    StopLoad(FeederIndex),
    /// The breaker is opened; what lies below an incomer goes with it.
    Cut(FeederIndex),
    /// The breaker is closed.
    Restore(FeederIndex),
    /// The breaker is open and neighbouring cables induce a voltage, in per cent of nominal.
    Induce(FeederIndex, u8),
    /// Other process equipment hangs on the feeder; it runs if the old one did.
    Load(FeederIndex, Load),
    /// Other auxiliaries.
    Auxiliaries(FeederIndex, Auxiliaries),
    /// The feeder draws exactly this, whatever hangs on it; negative flows out.
    Force(FeederIndex, MilliWatts),
    /// The feeder draws again what hangs on it.
    Release(FeederIndex),
    /// The meter is wired otherwise.
    Rewire(u8, Wiring),
    /// Only so many millionths of current, power and energy arrive at the meter: shunts on all current
    /// transformers, or somebody in the middle who divides.
    Gain(u8, u32),
    /// The current ratio in the meter is edited.
    CtRatio(u8, Ratio),
    /// The voltage ratio in the meter is edited.
    PtRatio(u8, Ratio),
    /// A register of the meter answers this word, or itself again.
    Register(u8, Function, u16, Option<u16>),
    /// The meter has no value for a quantity.
    Absent(u8, Quantity),
    /// It has again.
    Present(u8, Quantity),
    /// The meter answers for ever what it answers now.
    Freeze(u8),
    /// It answers the truth again.
    Thaw(u8),
    /// The meter loses its auxiliary supply: its gateway answers for it that nobody answers.
    Darken(u8),
    /// It is supplied again; its uptime starts anew.
    Power(u8),
    /// Its energy registers are set to zero.
    ResetRegisters(u8),
    /// Another nameplate stands in the block that begins at this register.
    Plate(u8, u16, Nameplate),
}

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
