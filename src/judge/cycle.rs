//! Whether a meter was without power: some keep their counts only now and then, and begin a little earlier afterwards.
//!
//! What this cannot see: a count of power failures is compared with the reading before and not carried over a restart of the
//! witness, so a meter that has this word and no uptime may have been without power while the witness stood still, or not.

use super::{commission::Commissioned, register::is_span_known};
use crate::{
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// A meter that lost its supply answers again after this long at the least, in milliseconds: slower polls need not miss
/// it. [K: vendors' manuals, from memory, 2026]
pub const RESTART_MS: i64 = 2_000;
/// What an uptime may show too much, in milliseconds, besides a hundredth of it.
const UPTIME_ERROR_MS: i64 = 60_000;

/// When the meter was last without power, as far as its words or its silence tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerCycle {
    /// Its uptime as last told, in milliseconds, and when.
    uptime: Option<(Stamp, i64)>,
    fails: Option<i64>,
    last: Option<Stamp>,
    cycled: Option<Stamp>,
    /// When its own words told so.
    told: Option<Stamp>,
}

impl PowerCycle {
    /// Takes a reading: its uptime began anew or its count of power failures rose; where it has no such word, it missed
    /// a poll, or is polled too slowly to miss one.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading) {
        let (uptime, fails) = (reading.value(Quantity::UptimeS), reading.value(Quantity::PowerFails));
        let poll_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX);
        let missed = |last: Stamp| reading.at.since_ms(&last) > poll_ms.saturating_add(poll_ms / 2);
        let silent = poll_ms >= RESTART_MS || self.last.is_none_or(missed);
        let began = self.uptime.zip(uptime).map(|((_, before), now)| now < before);
        let failed = self.fails.zip(fails).map(|(before, now)| now > before);
        let cycled = match (began, failed) {
            (None, None) => silent,
            (began, failed) => began == Some(true) || failed == Some(true),
        };
        if cycled {
            self.cycled = Some(reading.at);
        }
        if began == Some(true) || failed == Some(true) {
            self.told = Some(reading.at);
        }
        self.uptime = uptime.map(|uptime| (reading.at, uptime)).or(self.uptime);
        self.fails = fails.or(self.fails);
        self.last = Some(reading.at);
    }

    /// Whether its own words told with this reading that it was without power: meanwhile it counted nothing.
    pub fn is_told_at(&self, at: &Stamp) -> bool {
        self.told == Some(*at)
    }

    /// Whether it may have been without power between the reading of this moment and the one before it.
    pub fn may_be_at(&self, at: &Stamp) -> bool {
        self.cycled == Some(*at)
    }

    /// Whether it may have been without power since a moment. What was seen in this boot comes after all of an earlier
    /// one: the power cut that took the meter's counts may have taken the gateway's clock too.
    pub fn is_since(&self, before: &Stamp) -> bool {
        !self.is_up_since(before)
            && self.cycled.is_some_and(|cycled| cycled.boot > before.boot || cycled.since_ms(before) >= 0)
    }

    /// Whether its uptime reaches back to a moment: so it tells also after a restart of its witness.
    fn is_up_since(&self, before: &Stamp) -> bool {
        self.uptime.is_some_and(|(at, uptime)| {
            let proven = uptime.saturating_sub(uptime / 100).saturating_sub(UPTIME_ERROR_MS);
            is_span_known(before, &at) && proven >= at.since_ms(before)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::{Floor, Wiring},
        metering::{Registers, Scan, decode::Applied, quantity::QUANTITIES},
        terms::{AssetId, ClockQuality, MeterId, MilliVolts, MilliWatts},
    };

    #[test]
    fn its_own_words_tell_more_than_its_silence() {
        let (meter, nominal) = (MeterId::new("m1").unwrap(), MilliVolts(400_000));
        let floor = Floor::direct(Wiring::FourWire, 60, nominal);
        let rated = MilliWatts::from_watts(40_000);
        let terms = Commissioned::process_feeder(meter, AssetId::new("a").unwrap(), nominal, rated, floor);
        let reading = |second: u64, uptime: Option<i64>| {
            let mut values = [None; QUANTITIES];
            values[Quantity::UptimeS.index()] = uptime;
            let wall_unix_ms = 1_795_000_000_000 + second.cast_signed() * 1_000;
            let at = Stamp {
                wall_unix_ms,
                uptime_ms: second * 1_000,
                boot: 1,
                clock: ClockQuality::Ntp,
                error_ms: 0,
            };
            Reading {
                meter,
                at,
                took_ms: 1,
                values,
                registers: Registers::default(),
                import: None,
                requests: [0; QUANTITIES],
                ratios: Applied::DIRECT,
                scan: Scan::default(),
            }
        };
        let (mut told, mut silent) = (PowerCycle::default(), PowerCycle::default());
        for (second, uptime) in [(1, 5_000), (2, 6_000), (60, 64_000), (120, 3_000)] {
            told.on_reading(&terms, &reading(second, Some(uptime)));
            silent.on_reading(&terms, &reading(second, None));
            let at = reading(second, None).at;
            assert_eq!((told.is_told_at(&at), silent.is_told_at(&at)), (second == 120, false), "{second}");
            // A silence of a minute may have been one.
            assert_eq!(silent.is_since(&at), second != 2, "{second}");
        }
        assert!(!told.is_since(&reading(121, None).at) && told.is_since(&reading(60, None).at));
        // A restart of the witness: the first reading's uptime tells whether the meter was without power since.
        let after_restart = |uptime: i64| {
            let mut cycle = PowerCycle::default();
            cycle.on_reading(&terms, &reading(7_200, Some(uptime * 1_000)));
            cycle.is_since(&reading(1, None).at)
        };
        assert!(!after_restart(900_000), "up for ten days");
        assert!(after_restart(3_000), "it began while nobody looked");
        assert!(after_restart(7_199), "too near to tell");
    }

    #[test]
    fn a_poll_that_was_missed_or_came_too_seldom_may_hide_a_power_cut() {
        let (meter, nominal) = (MeterId::new("m1").unwrap(), MilliVolts(400_000));
        let floor = Floor::direct(Wiring::FourWire, 60, nominal);
        let rated = MilliWatts::from_watts(40_000);
        let terms = Commissioned::process_feeder(meter, AssetId::new("a").unwrap(), nominal, rated, floor);
        let may_hide = |poll_ms: u64, after_ms: u64| {
            let terms = Commissioned { poll_ms, ..terms.clone() };
            let mut cycle = PowerCycle::default();
            let at = [5_000, 5_000 + after_ms].map(|uptime_ms| Stamp {
                wall_unix_ms: uptime_ms.cast_signed(),
                uptime_ms,
                boot: 1,
                clock: ClockQuality::Ntp,
                error_ms: 0,
            });
            let reading = |at| Reading {
                meter,
                at,
                took_ms: 1,
                values: [None; QUANTITIES],
                registers: Registers::default(),
                import: None,
                requests: [0; QUANTITIES],
                ratios: Applied::DIRECT,
                scan: Scan::default(),
            };
            at.iter().for_each(|at| cycle.on_reading(&terms, &reading(*at)));
            cycle.is_since(&Stamp { uptime_ms: 5_001, ..at[0] })
        };
        assert!(!may_hide(1_000, 1_100), "no poll was missed");
        assert!(may_hide(1_000, 2_000), "one was");
        assert!(may_hide(60_000, 60_000), "a meter begins anew between two polls");
    }
}
