//! PURE file. What an authority may decide of its alarms: how long a level has, how many silent gateways are an outage, and
//! how long a gateway that was admitted may take to be heard. What is not decided is as it stands here.

use super::cause::Priority;
use crate::terms::place::Level;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// How old an alarm that nobody acknowledges is when it leaves the county, and when it leaves the prefecture, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaves {
    /// For the prefecture.
    pub county_ms: i64,
    /// For the province.
    pub city_ms: i64,
}

impl Leaves {
    /// After so many hours.
    pub const fn after_hours([county, city]: [i64; 2]) -> Leaves {
        Leaves { county_ms: county * HOUR_MS, city_ms: city * HOUR_MS }
    }
}

/// Where so many gateways are silent at once that it is one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutageAt {
    /// The fewest of a division.
    pub least: u32,
    /// And the part of its gateways, in percent. An outage is over below half of that.
    pub percent: u32,
}

/// All of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regime {
    /// Levels of what is urgent.
    pub high: Leaves,
    /// Of what a shift has time for.
    pub medium: Leaves,
    /// Of what a week has time for.
    pub low: Leaves,
    /// Outages.
    pub outage: OutageAt,
    /// How long a gateway that was admitted may take to be heard for the first time, in milliseconds.
    pub unheard_ms: i64,
}

impl Default for Regime {
    fn default() -> Regime {
        Regime {
            high: Leaves::after_hours([1, 4]),
            medium: Leaves::after_hours([8, 24]),
            low: Leaves::after_hours([3 * 24, 7 * 24]),
            outage: OutageAt { least: 8, percent: 50 },
            unheard_ms: 24 * HOUR_MS,
        }
    }
}

impl Regime {
    /// How old an alarm is when it leaves a level, in milliseconds; none where it stays.
    pub const fn leaves_after_ms(&self, priority: Priority, level: Level) -> Option<i64> {
        let leaves = match priority {
            Priority::High => self.high,
            Priority::Medium => self.medium,
            Priority::Low => self.low,
            // For whoever looks after the gateways, and nobody above.
            Priority::Diagnostic => return None,
        };
        match level {
            Level::County => Some(leaves.county_ms),
            Level::City => Some(leaves.city_ms),
            Level::Province => None,
        }
    }
}

impl OutageAt {
    /// Whether so many silent ones of so many are an outage; of one that is told of already, whether it lasts.
    pub fn is_reached(&self, silent: u32, all: u32, stands: bool) -> bool {
        let (silent_100, all) = (u64::from(silent) * 100, u64::from(all));
        let percent = u64::from(self.percent);
        // Half of a percentage may be no whole number: twice the left side instead.
        let (silent_part, needed) =
            if stands { (silent_100 * 2, all * percent) } else { (silent_100, all * percent) };
        silent >= self.least && silent_part >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_begins_at_half_and_lasts_down_to_a_quarter() {
        let at = Regime::default().outage;
        for (silent, all, begins, lasts) in [
            (7, 8, false, false),
            (8, 8, true, true),
            (8, 16, true, true),
            (8, 17, false, true),
            (8, 32, false, true),
            (8, 33, false, false),
            (u32::MAX, u32::MAX, true, true),
        ] {
            assert_eq!(
                (at.is_reached(silent, all, false), at.is_reached(silent, all, true)),
                (begins, lasts)
            );
        }
    }
}
