//! What a verdict rests on, said with it: what could hide, by which rules it was judged, by which meter as commissioned.

use super::{
    balance::Corroboration,
    commission::VoltagePoint,
    drawing::{LARGE_LOAD_PERCENT, OFF_DELAY_MS, ON_DELAY_LARGE_MS, ON_DELAY_SMALL_MS},
    feeder::MISSED_POLLS,
    ledger::INTERVAL_MS,
};
use crate::terms::{Digest, MilliWatts, WattHours, digest::Hasher};

/// The parameters that were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Time between two polls, the longest of its feeders, in milliseconds.
    pub poll_ms: u64,
    /// Polls that may be missed.
    pub missed_polls: u32,
    /// Length of an interval, in milliseconds.
    pub interval_ms: i64,
    /// Where the short on-delay begins, in percent of rated power.
    pub large_load_percent: i64,
    /// On-delay above it, in milliseconds.
    pub on_delay_large_ms: i64,
    /// On-delay below it, in milliseconds.
    pub on_delay_small_ms: i64,
    /// Off-delay, in milliseconds.
    pub off_delay_ms: i64,
}

impl Parameters {
    /// Those of this version of the judge.
    pub const fn of(poll_ms: u64) -> Parameters {
        Parameters {
            poll_ms,
            missed_polls: MISSED_POLLS,
            interval_ms: INTERVAL_MS,
            large_load_percent: LARGE_LOAD_PERCENT,
            on_delay_large_ms: ON_DELAY_LARGE_MS,
            on_delay_small_ms: ON_DELAY_SMALL_MS,
            off_delay_ms: OFF_DELAY_MS,
        }
    }
}

worded! {
    /// Why somebody should look, though nobody is convicted.
    Inspect {
        /// A feeder that serves other equipment too draws beyond its allowances.
        SharedFeeder "shared_feeder_draws"
        /// A feeder of its auxiliaries draws beyond its allowances.
        Auxiliary "auxiliary_feeder_draws"
        /// Energy flows backwards, or voltage stands behind a point that should be open.
        Exporting "exporting"
        /// The meter is unfit for the equipment.
        Unfit "meter_unfit"
    }
}

/// A set of reasons to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspections(u8);

impl Inspections {
    /// Adds one.
    pub const fn add(&mut self, why: Inspect) {
        self.0 |= 1 << why as u8;
    }

    /// Those in it.
    pub fn iter(self) -> impl Iterator<Item = Inspect> {
        Inspect::ALL.iter().copied().filter(move |why| self.0 & 1 << *why as u8 != 0)
    }
}

impl FromIterator<Inspect> for Inspections {
    fn from_iter<I: IntoIterator<Item = Inspect>>(all: I) -> Inspections {
        let mut set = Inspections::default();
        all.into_iter().for_each(|why| set.add(why));
        set
    }
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// Power that could hide below the floors of its process feeders.
    pub floor: MilliWatts,
    /// Energy that could hide in two steps of each of their registers.
    pub register_floor: WattHours,
    /// What meters and transformers may err, the largest of its feeders, in parts per million.
    pub error_ppm: i64,
    /// Most that can have been drawn since the last lawful day: what registers told, and what they could not.
    pub bound: WattHours,
    /// Where the voltage is taken, the least telling of its process feeders; `None` where it has none.
    pub voltage_point: Option<VoltagePoint>,
    /// Why somebody should look.
    pub inspect: Inspections,
    /// Fingerprint of its meter as it tells of itself; of several the SHA-256 over theirs, in the order of their names.
    pub meter: Option<Digest>,
    /// As `meter`, of what was declared of them at commissioning.
    pub commissioning: Digest,
    /// What the meter upstream says of its feeders, where it says anything; otherwise nothing corroborates it.
    pub corroboration: Option<Corroboration>,
    /// The rules.
    pub parameters: Parameters,
}

/// One digest as it is; of several the SHA-256 over their bytes in this order; of none nothing.
pub fn joined(mut digests: impl Iterator<Item = Digest>) -> Option<Digest> {
    let first = digests.next()?;
    let Some(second) = digests.next() else { return Some(first) };
    let mut hasher = Hasher::default();
    [first, second].into_iter().chain(digests).for_each(|digest| hasher.update(&digest.0));
    Some(hasher.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digest_stands_for_itself_and_several_for_all_of_them() {
        let [a, b, c] = [&b"a"[..], b"b", b"c"].map(Digest::of);
        assert_eq!(joined([].into_iter()), None);
        assert_eq!(joined([a].into_iter()), Some(a));
        let abc = joined([a, b, c].into_iter());
        assert!(abc != joined([a, c, b].into_iter()) && abc != joined([a, b].into_iter()));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: Inspections = [Inspect::Exporting, Inspect::SharedFeeder].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Inspect::SharedFeeder, Inspect::Exporting]);
    }
}
