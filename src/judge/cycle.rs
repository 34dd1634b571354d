//! Whether a meter was without power: some keep their counts only now and then, and begin a little earlier afterwards.

use super::commission::Commissioned;
use crate::{
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// A meter keeps its counts at least this often, in milliseconds: a quarter of an hour. [K: vendors' manuals, from memory, 2026]
pub const KEPT_EVERY_MS: i64 = 900_000;

/// When the meter was last without power, as far as its words or its silence tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerCycle {
    uptime: Option<i64>,
    fails: Option<i64>,
    last: Option<Stamp>,
    cycled: Option<Stamp>,
    /// When its own words told so.
    told: Option<Stamp>,
}

impl PowerCycle {
    /// Takes a reading: its uptime began anew or its count of power failures rose; where it has no such word, it was
    /// silent for more than two polls.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading) {
        let (uptime, fails) = (reading.value(Quantity::UptimeS), reading.value(Quantity::PowerFails));
        let poll_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX);
        let silent = self.last.is_none_or(|last| reading.at.since_ms(&last) > poll_ms.saturating_mul(2));
        let began = self.uptime.zip(uptime).map(|(before, now)| now < before);
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
        (self.uptime, self.fails) = (uptime.or(self.uptime), fails.or(self.fails));
        self.last = Some(reading.at);
    }

    /// Whether its own words told with this reading that it was without power: meanwhile it counted nothing.
    pub fn is_told_at(&self, at: &Stamp) -> bool {
        self.told == Some(*at)
    }

    /// Whether it may have been without power since a moment. What was seen in this boot comes after all of an earlier
    /// one: the power cut that took the meter's counts may have taken the gateway's clock too.
    pub fn is_since(&self, before: &Stamp) -> bool {
        self.cycled.is_some_and(|cycled| cycled.boot > before.boot || cycled.since_ms(before) >= 0)
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
    }
}
