//! The second witness: what the supplier's own meter told, as a signed act.

use crate::terms::{Digest, MeterId, WattHours};

/// Most spans one reading may tell of; it travels in one act.
pub const MAX_SPANS: usize = 200;

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
    /// What passed, primary side.
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
    /// What the supplier's meter and transformers may err together, in parts per million of what passed.
    pub error_ppm: i64,
    /// Smallest advance of its register, primary side.
    pub step: WattHours,
    /// Where the supplier's switch stands.
    pub switch: Switch,
    /// Spans in order, none of which overlap; at most [`MAX_SPANS`].
    pub spans: Vec<UtilitySpan>,
}

impl UtilityReading {
    /// `None` unless the spans are in order and do not overlap, and there is at least one.
    pub fn checked(self) -> Option<UtilityReading> {
        let ordered = self.spans.iter().all(|span| span.from_unix_ms < span.to_unix_ms)
            && self.spans.is_sorted_by(|before, after| before.to_unix_ms <= after.from_unix_ms);
        let lawful = ordered && (1..=MAX_SPANS).contains(&self.spans.len());
        (lawful && (0..=1_000_000).contains(&self.error_ppm) && self.step.0 >= 1).then_some(self)
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

impl UtilityReading {
    /// What it says by itself of a cut that is said to hold since then, Unix milliseconds; days are set beside our own
    /// registers by [`super::reconcile`]. Energy of a span that began before the cut may have passed before it.
    pub fn says(&self, since_unix_ms: i64) -> Agreement {
        let measured = || self.spans.iter().filter(|span| span.quality == Quality::Measured);
        let moved = measured().any(|span| span.from_unix_ms >= since_unix_ms && self.has_moved(span));
        match (moved || self.switch == Switch::Closed, self.switch) {
            (true, _) => Agreement::Differs,
            (false, Switch::Open) => self.agreed(),
            (false, Switch::Closed | Switch::Ready | Switch::Logical | Switch::Unknown) => {
                Agreement::TellsNothing
            }
        }
    }

    /// From the first span's beginning to the last one's end, Unix milliseconds.
    pub fn stretch(&self) -> Option<(i64, i64)> {
        Some((self.spans.first()?.from_unix_ms, self.spans.last()?.to_unix_ms))
    }

    /// Whether more passed than two steps of the register.
    fn has_moved(&self, span: &UtilitySpan) -> bool {
        span.energy.0.saturating_abs() > self.step.0.saturating_mul(2)
    }

    /// The last stretch of measured spans without energy and without a hole.
    fn agreed(&self) -> Agreement {
        let mut stretch: Option<(i64, i64)> = None;
        for span in &self.spans {
            stretch = match (span.quality, stretch) {
                (Quality::Measured, _) if self.has_moved(span) => None,
                (Quality::Measured, Some((from, to))) if to == span.from_unix_ms => {
                    Some((from, span.to_unix_ms))
                }
                (Quality::Measured, Some(_) | None) => Some((span.from_unix_ms, span.to_unix_ms)),
                (Quality::Estimated | Quality::Missing | Quality::Questionable, _) => None,
            };
        }
        stretch.map_or(Agreement::TellsNothing, |(from_unix_ms, to_unix_ms)| Agreement::Agrees {
            from_unix_ms,
            to_unix_ms,
        })
    }
}
