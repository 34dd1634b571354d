//! What a meter may have counted since it last kept its counts: so much it loses without power, and no more.
//!
//! What this cannot tell apart: a register that was set back by no more than the meter counted in the last quarter of an hour
//! to half an hour, on a meter whose map has neither an uptime nor a count of power failures, while a poll was missed or none
//! was made. A power cut does the same to it. It is told as `unsaved`, an event with both readings, and convicts nobody. Nor is
//! more known in the first quarter of an hour of a new count: until then what the metering point can pass is taken for lost.

use super::{
    commission::Commissioned,
    memory::{Mark, MeterMemory},
    register::is_timed,
};
use crate::terms::WattHours;

/// A meter keeps its counts at least this often, in milliseconds: a quarter of an hour. [K: vendors' manuals, from memory, 2026]
pub const KEPT_EVERY_MS: i64 = 900_000;

/// Two counts of the time before: the meter has kept its counts since the earlier one at the latest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    earlier: Option<Mark>,
    later: Option<Mark>,
}

impl Kept {
    /// Goes on with what is remembered.
    pub fn recalling(memory: &MeterMemory) -> Kept {
        Kept { earlier: memory.earlier, later: memory.mark }
    }

    /// Takes a count that continues the one before.
    pub fn on_count(&mut self, now: Mark) {
        let is_due = self.later.is_none_or(|later| !(0..KEPT_EVERY_MS).contains(&now.at.since_ms(&later.at)));
        if is_due {
            (self.earlier, self.later) = (self.later, Some(now));
        }
    }

    /// A count began anew: nothing is known of the time before.
    pub fn begin(&mut self) {
        *self = Kept::default();
    }

    /// The most that a meter loses which stood at `before` and was without power then: what it counted in the time in
    /// which it need not have kept it, and where that is not known, what the metering point can pass.
    pub fn unsaved(&self, terms: &Commissioned, before: &Mark) -> WattHours {
        let step = before.register.step;
        let known = self.earlier.filter(|earlier| is_timed(earlier, before)).and_then(|earlier| {
            let counted = before.register.energy.0.saturating_sub(earlier.register.energy.0);
            (counted >= 0).then(|| (before.at.since_ms(&earlier.at), counted))
        });
        let (span_ms, counted) = known.unwrap_or((0, 0));
        let unknown_ms = KEPT_EVERY_MS.saturating_sub(span_ms).clamp(0, KEPT_EVERY_MS);
        let most = terms.possible(KEPT_EVERY_MS, step).0;
        WattHours(counted.saturating_add(terms.possible(unknown_ms, step).0).min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::{Floor, Wiring},
        metering::Register,
        terms::{AssetId, ClockQuality, MeterId, MilliVolts, MilliWatts, Stamp},
    };

    fn mark(second: u64, boot: u32, clock: ClockQuality, energy: i64) -> Mark {
        let uptime_ms = second * 1_000;
        let at = Stamp { wall_unix_ms: uptime_ms.cast_signed(), uptime_ms, boot, clock, error_ms: 0 };
        let register =
            Register { energy: WattHours(energy), step: WattHours(10), modulus: None, raw: 0, raw_words: 2 };
        Mark { at, register }
    }

    #[test]
    fn a_meter_loses_no_more_than_it_counted_since_it_kept_its_counts() {
        let (meter, nominal) = (MeterId::new("m1").unwrap(), MilliVolts(400_000));
        let floor = Floor::direct(Wiring::FourWire, 60, nominal);
        let rated = MilliWatts::from_watts(40_000);
        let terms = Commissioned::process_feeder(meter, AssetId::new("a").unwrap(), nominal, rated, floor);
        let step = WattHours(10);
        let (most, least) = (terms.possible(KEPT_EVERY_MS, step), terms.possible(0, step));
        let ntp = ClockQuality::Ntp;
        let mut kept = Kept::default();
        let unsaved = |kept: &Kept, second, energy| kept.unsaved(&terms, &mark(second, 1, ntp, energy));
        assert_eq!(unsaved(&kept, 0, 5_000), most, "nothing is known");
        // 4 kW: 1 kWh in a quarter of an hour.
        (0..=1_800)
            .step_by(60)
            .for_each(|s| kept.on_count(mark(s, 1, ntp, 5_000 + s.cast_signed() * 10 / 9)));
        assert_eq!(unsaved(&kept, 1_800, 7_000), WattHours(1_000 + least.0));
        assert_eq!(
            unsaved(&kept, 2_640, 7_930),
            WattHours(1_930 + least.0),
            "it rests until the next quarter"
        );
        assert_eq!(unsaved(&kept, 2_640, 90_000), most, "never more than can pass");
        assert_eq!(unsaved(&kept, 1_800, 100), most, "a count that began anew");
        // After a restart: what the last interval counted.
        let recalled = |clock, boot| {
            let at = mark(1_800, boot, clock, 7_000);
            Kept::recalling(&MeterMemory {
                meter,
                mark: Some(at),
                earlier: Some(mark(1_200, 1, clock, 6_900)),
                windows: None,
                accounted_to: at.at,
                identity: None,
            })
            .unsaved(&terms, &at)
        };
        let third_unknown = terms.possible(KEPT_EVERY_MS / 3, step);
        assert_eq!(recalled(ntp, 1), WattHours(100 + third_unknown.0));
        assert_eq!(recalled(ClockQuality::Rtc, 2), most, "a time no clock can tell");
        kept.begin();
        assert_eq!(unsaved(&kept, 1_800, 7_000), most);
    }
}
