//! The second witness: what the supplier's own meter told, as a signed act.

use super::window::Stretch;
use crate::terms::{Digest, MeterId, WattHours};

/// Most spans one reading may tell of; it travels in one act.
pub const MAX_SPANS: usize = 200;
/// The supplier's clock may be so much ahead of ours, in milliseconds. Nobody has read a meter later than that yet.
pub const AHEAD_MS: i64 = 60_000;
/// Largest error of a supplier's meter and its transformers together, in parts per million: a meter of class 2 behind
/// current and voltage transformers of class 1. With a larger one any day would agree with any other.
pub const MAX_ERROR_PPM: i64 = 40_000;
/// Largest step of a supplier's register, primary side: a hundredth of a kilowatt-hour at 3000/5 A and 35 kV. Two steps
/// are what a reading may show and yet show nothing.
pub const MAX_STEP: WattHours = WattHours(2_100_000);

worded! {
    /// How good a value of the supplier is.
    Quality {
        /// Read from the meter.
        Measured "measured"
        /// Worked out by the supplier; proves nothing.
        Estimated "estimated"
        /// The supplier has none.
        Missing "missing"
        /// The meter doubts it itself: clock, power failure, overflow.
        Questionable "questionable"
    }
}

worded! {
    /// Where the supplier's switch stands. Only an open, locked one is a cut.
    Switch {
        /// Open, and nobody but the supplier can close it (CIM 3.31.0.23 done, DLMS control state 0).
        Open "open"
        /// Closed (CIM 3.31.0.18 done, DLMS control state 1).
        Closed "closed"
        /// Open and one button away from closed (DLMS control state 2): no cut.
        Ready "ready_for_reconnection"
        /// Closed in truth, off in the supplier's books: no cut.
        Logical "logically_disconnected"
        /// Not told.
        Unknown "unknown"
    }
}

/// What passed the supplier's meter in one span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtilitySpan {
    /// Its beginning, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Its end, Unix milliseconds; later than its beginning.
    pub to_unix_ms: i64,
    /// What passed, primary side; never less than nothing.
    pub energy: WattHours,
    /// How good that is.
    pub quality: Quality,
}

/// What the supplier's meter told about one metering point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtilityReading {
    /// Our metering point which it stands beside.
    pub meter: MeterId,
    /// The serial number on the supplier's meter.
    pub serial: Option<String>,
    /// SHA-256 of the supplier's file it was made from.
    pub source: Option<Digest>,
    /// What the supplier's meter and transformers may err together, in parts per million of what passed; at most
    /// [`MAX_ERROR_PPM`].
    pub error_ppm: i64,
    /// Smallest advance of its register, primary side; at most [`MAX_STEP`].
    pub step: WattHours,
    /// Where the supplier's switch stands.
    pub switch: Switch,
    /// Spans in order, none of which overlap; at most [`MAX_SPANS`].
    pub spans: Vec<UtilitySpan>,
}

impl UtilityReading {
    /// `None` unless the spans are in order and do not overlap, there is at least one, none tells less than nothing, and
    /// step and error are those of a meter.
    pub fn checked(self) -> Option<UtilityReading> {
        let ordered = self.spans.iter().all(|span| span.from_unix_ms < span.to_unix_ms && span.energy.0 >= 0)
            && self.spans.is_sorted_by(|before, after| before.to_unix_ms <= after.from_unix_ms);
        let lawful = ordered && (1..=MAX_SPANS).contains(&self.spans.len());
        let is_a_meters =
            (0..=MAX_ERROR_PPM).contains(&self.error_ppm) && (1..=MAX_STEP.0).contains(&self.step.0);
        (lawful && is_a_meters).then_some(self)
    }

    /// Whether it tells of a time that has not been yet at this moment, Unix milliseconds.
    pub fn is_not_yet(&self, now_unix_ms: i64) -> bool {
        let latest = now_unix_ms.saturating_add(AHEAD_MS);
        self.spans.last().is_some_and(|span| span.to_unix_ms > latest)
    }
}

/// What the supplier's reading comes to beside what we saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Open switch, nothing measured, from then to then (Unix milliseconds).
    Agrees {
        /// From when.
        from_unix_ms: i64,
        /// Until when.
        to_unix_ms: i64,
    },
    /// It proves neither: estimated values, a switch that is ready or off in the books only, or one that is not told.
    TellsNothing,
    /// It shows energy or a closed switch where we saw none.
    Differs,
}

impl Agreement {
    /// No hold runs ahead of our own clock, however the supplier's goes.
    pub(super) fn until(self, now_unix_ms: i64) -> Agreement {
        match self {
            Agreement::Agrees { from_unix_ms, to_unix_ms } if from_unix_ms < now_unix_ms => {
                Agreement::Agrees { from_unix_ms, to_unix_ms: to_unix_ms.min(now_unix_ms) }
            }
            Agreement::Agrees { .. } | Agreement::TellsNothing => Agreement::TellsNothing,
            Agreement::Differs => Agreement::Differs,
        }
    }
}

/// What a reading can agree with at most, whatever else is known: all that a replayer has to judge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The stretch at its end on which it shows an open switch and nothing measured.
    pub rest: Stretch,
    /// Since then it shows energy altogether; of a cut that is said to hold since before, it tells the contrary.
    pub power_from_unix_ms: Option<i64>,
}

impl Offer {
    /// Whether it can agree with a cut that is said to hold since then, Unix milliseconds.
    pub fn is_open_to(&self, since_unix_ms: i64) -> bool {
        self.power_from_unix_ms.is_none_or(|from| from < since_unix_ms)
    }
}

impl UtilityReading {
    /// What it says by itself of a cut that is said to hold since then, Unix milliseconds; days are set beside our own
    /// registers by [`super::reconcile`]. Energy of a span that began before the cut may have passed before it.
    pub fn says(&self, since_unix_ms: i64) -> Agreement {
        let moved = self.power_from().is_some_and(|from| from >= since_unix_ms);
        // A switch that stood closed before the cut tells nothing of it.
        let is_closed = self.switch == Switch::Closed
            && self.spans.last().is_some_and(|span| span.to_unix_ms > since_unix_ms);
        if moved || is_closed {
            return Agreement::Differs;
        }
        self.offer().map_or(Agreement::TellsNothing, |offer| {
            let (from_unix_ms, to_unix_ms) = offer.rest;
            Agreement::Agrees { from_unix_ms, to_unix_ms }
        })
    }

    /// What it can agree with at most; nothing unless the switch is open.
    pub fn offer(&self) -> Option<Offer> {
        match self.switch {
            Switch::Open => Some(Offer { rest: self.rest()?, power_from_unix_ms: self.power_from() }),
            Switch::Closed | Switch::Ready | Switch::Logical | Switch::Unknown => None,
        }
    }

    /// From the first span's beginning to the last one's end, Unix milliseconds.
    pub fn stretch(&self) -> Option<Stretch> {
        Some((self.spans.first()?.from_unix_ms, self.spans.last()?.to_unix_ms))
    }

    /// What passed in the spans that ended after a moment, Unix milliseconds.
    pub fn energy_after(&self, unix_ms: i64) -> WattHours {
        let after = self.spans.iter().filter(|span| span.to_unix_ms > unix_ms);
        WattHours(after.fold(0, |sum, span| sum.saturating_add(span.energy.0)))
    }

    /// A register that is read at both ends of any time errs by two steps, however many spans that time is told in.
    fn is_nothing(&self, energy_wh: i64) -> bool {
        energy_wh <= self.step.0.saturating_mul(2)
    }

    /// The latest moment since which it shows energy, all measured spans that began there or later taken together.
    fn power_from(&self) -> Option<i64> {
        let mut energy_wh = 0_i64;
        let mut measured = self.spans.iter().rev().filter(|span| span.quality == Quality::Measured);
        let is_power = |span: &&UtilitySpan| {
            energy_wh = energy_wh.saturating_add(span.energy.0);
            !self.is_nothing(energy_wh)
        };
        measured.find(is_power).map(|span| span.from_unix_ms)
    }

    /// The longest stretch at its end of measured spans without a hole and, taken together, without energy.
    fn rest(&self) -> Option<Stretch> {
        let mut rest: Option<Stretch> = None;
        let mut energy_wh = 0_i64;
        for span in self.spans.iter().rev() {
            energy_wh = energy_wh.saturating_add(span.energy.0);
            let goes_on = rest.is_none_or(|(from, _)| from == span.to_unix_ms);
            if span.quality != Quality::Measured || !goes_on || !self.is_nothing(energy_wh) {
                break;
            }
            rest = Some((span.from_unix_ms, rest.map_or(span.to_unix_ms, |(_, to)| to)));
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn reading(energies: &[i64]) -> UtilityReading {
        let span = |(hour, energy): (i64, &i64)| UtilitySpan {
            from_unix_ms: hour * HOUR_MS,
            to_unix_ms: (hour + 1) * HOUR_MS,
            energy: WattHours(*energy),
            quality: Quality::Measured,
        };
        UtilityReading {
            meter: MeterId::new("m1").unwrap(),
            serial: None,
            source: None,
            error_ppm: 5_000,
            step: WattHours(1_000),
            switch: Switch::Open,
            spans: (0..).zip(energies).map(span).collect(),
        }
    }

    fn agrees(from_hour: i64, to_hour: i64) -> Agreement {
        Agreement::Agrees { from_unix_ms: from_hour * HOUR_MS, to_unix_ms: to_hour * HOUR_MS }
    }

    #[test]
    fn two_steps_are_for_all_of_a_reading_and_not_for_each_of_its_spans() {
        assert_eq!(reading(&[0, 2_000, 0]).says(0), agrees(0, 3));
        assert_eq!(reading(&[1_000; 2]).says(0), agrees(0, 2));
        assert_eq!(reading(&[1_000; 3]).says(0), Agreement::Differs, "3 kWh passed, 1 kWh at a time");
        assert_eq!(reading(&[2_000; 200]).says(0), Agreement::Differs);
        // What passed in spans that began before the cut may have passed before it.
        assert_eq!(reading(&[9_000, 0, 0]).says(HOUR_MS), agrees(1, 3));
        assert_eq!(reading(&[9_000, 1_000, 1_000]).says(HOUR_MS), agrees(1, 3));
        assert_eq!(reading(&[9_000, 1_000, 1_001]).says(HOUR_MS), Agreement::Differs);
    }

    #[test]
    fn what_is_not_measured_or_leaves_a_hole_ends_the_stretch_that_agrees() {
        let mut doubt = reading(&[0; 4]);
        doubt.spans[1].quality = Quality::Estimated;
        assert_eq!(doubt.says(0), agrees(2, 4));
        doubt.spans[3].quality = Quality::Missing;
        assert_eq!(doubt.says(0), Agreement::TellsNothing);
        let mut hole = reading(&[0; 4]);
        hole.spans.remove(1);
        assert_eq!(hole.says(0), agrees(2, 4));
    }

    #[test]
    fn no_reading_is_of_a_meter_that_counts_backwards_or_tells_a_furnace_from_nothing() {
        assert!(reading(&[5_000]).checked().is_some());
        assert_eq!(reading(&[5_000, -5_000]).checked(), None, "they are not to cancel out");
        for (error_ppm, step, is_a_meters) in
            [(40_000, 2_100_000, true), (40_001, 1, false), (0, 2_100_001, false), (0, 0, false)]
        {
            let reading = UtilityReading { error_ppm, step: WattHours(step), ..reading(&[0]) };
            assert_eq!(reading.checked().is_some(), is_a_meters, "{error_ppm} ppm, {step} Wh");
        }
    }

    #[test]
    fn a_time_that_was_not_yet_is_told_by_no_meter() {
        let hour = reading(&[0]);
        assert!(!hour.is_not_yet(HOUR_MS) && !hour.is_not_yet(HOUR_MS - AHEAD_MS));
        assert!(hour.is_not_yet(HOUR_MS - AHEAD_MS - 1));
    }
}
