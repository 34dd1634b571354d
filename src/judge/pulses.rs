//! Pulses shorter than the on-delay, counted together over a lawful day: a furnace that runs for seconds at a time is no
//! more lawful than one that runs through, and a coarse register need not show it.
//!
//! What counts is certain at each moment: between two readings in a row beyond the limit the lower of them, less what the
//! class may err, and of it only what stands above all that may lawfully draw: for the first seconds of a row drives that
//! start included, and from then on without them. Nothing is taken off for what is not drawn in between. So a reading that is torn proves nothing, for it stands alone, and an
//! honest plant counts nothing, however near its limit it is.
//!
//! What this does not see: pulses that no two polls in a row meet, each of at most what the rating draws in two polls
//! (7 kWh of 12.5 MW polled each second), and pulses within the time of inrush, granted once in a quarter of an hour: what the
//! rating draws in 30 s of it, 104 kWh of 12.5 MW. There the register's energy alone tells, once it moved by its bound.

use super::{
    commission::Commissioned,
    drawing::{LARGE_LOAD_PERCENT, ON_DELAY_LARGE_MS, ON_DELAY_SMALL_MS},
    edge,
    ledger::INTERVAL_MS,
};
use crate::terms::{MilliWatts, Stamp};

/// Pulses are proven once they drew beyond the limit what the rating draws in this time or in the on-delay, whichever is
/// longer, in milliseconds: 1 % of the rating over an interval.
pub const PULSES_MS: i64 = INTERVAL_MS / 100;

/// A drive that starts draws more than is declared of it for no longer than this, in milliseconds.
/// [K: 2 to 10 s from rest to speed under load, from memory, 2026]
pub const START_MS: i64 = 10_000;

/// Time between two readings in a row that both stand beyond the limit.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The first reading of the row.
    pub begun: Stamp,
    /// The earlier reading.
    pub from: Stamp,
    /// The later one, of the same lawful day.
    pub to: Stamp,
    /// How much of the time between them counts, in milliseconds.
    pub ms: i64,
    /// The lower power of the two.
    pub power: MilliWatts,
}

/// What pulses drew beyond the limit since a moment.
#[derive(Clone, Copy, Debug)]
struct Sum {
    from: Stamp,
    /// In milliwatt-milliseconds.
    energy: i64,
}

/// The pulses of one lawful day: each on-delay has its own sum.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulses {
    large: Option<Sum>,
    all: Option<Sum>,
}

impl Pulses {
    /// Takes a stretch; the first reading of the day's pulses once they are proven.
    pub fn on_stretch(&mut self, terms: &Commissioned, stretch: &Stretch) -> Option<Stamp> {
        let is_start = stretch.to.since_ms(&stretch.begun) <= START_MS;
        let beyond =
            if is_start { terms.beyond_starts(stretch.power) } else { terms.beyond(stretch.power) }.0;
        if beyond <= 0 {
            return None;
        }
        let energy = beyond.saturating_mul(stretch.ms);
        let is_proven = |sum: Sum, delay_ms: i64| {
            (sum.energy >= terms.rated.0.saturating_mul(delay_ms.max(PULSES_MS))).then_some(sum.from)
        };
        let all = is_proven(add(&mut self.all, stretch, energy), ON_DELAY_SMALL_MS);
        let is_large = stretch.power.0 > terms.rated.0 / 100 * LARGE_LOAD_PERCENT;
        let large =
            is_large.then(|| is_proven(add(&mut self.large, stretch, energy), ON_DELAY_LARGE_MS)).flatten();
        large.or(all)
    }
}

/// Adds to the sum of the stretch's day.
fn add(sum: &mut Option<Sum>, stretch: &Stretch, energy: i64) -> Sum {
    let day = edge::earliest_day(&stretch.to);
    let before = sum.filter(|sum| edge::earliest_day(&sum.from) == day);
    let before = before.unwrap_or(Sum { from: stretch.from, energy: 0 });
    *sum.insert(Sum { energy: before.energy.saturating_add(energy), ..before })
}
