//! The law's edges, and how near to one a clock can tell: the midnight after the last lawful day, the first and the last
//! moment of a permit, the day a roster or a rule comes into force.
//!
//! A gateway's clock may err, and near an edge its error decides. So a proof counts only where it stands beyond the edge
//! by all that its clocks may err, at both ends; and under a permit stands whatever may have been drawn under it. What is
//! drawn within the margin is not lost: it stands in the states, the shares of time and the energy as it was read, and
//! only the conviction waits for a proof from beyond. Whoever stops at his deadline is never convicted by a clock that
//! errs no more than it may; whoever goes on is, as soon as no such error could excuse it.
//!
//! What this does not see: a free-running clock that errs by more than [`RTC_ERROR_MS`]. The authority's receipts bracket
//! every record's time, and show such a clock.

use super::{commission::REGISTER_AGE_MS, drawing::Proof};
use crate::terms::{ClockQuality, LegalDay, Stamp};

/// What a free-running clock may err, in milliseconds: one interval of the ledger, the smallest time that is accounted
/// for. A battery clock that gains or loses two minutes a month and is set by hand twice a year stays within it.
pub const RTC_ERROR_MS: i64 = 900_000;
/// The most that a disciplined clock is believed to err when it says so itself, in milliseconds: no more than one that
/// runs free, or a bound without end would excuse without end.
pub const NTP_ERROR_MOST_MS: i64 = RTC_ERROR_MS;

/// How far the wall clock of a moment may be off, either way, in milliseconds. A clock that was never set has no bound, and
/// whoever asks convicts nobody by it.
pub fn error_ms(at: &Stamp) -> i64 {
    match at.clock {
        ClockQuality::Ntp => i64::from(at.error_ms).min(NTP_ERROR_MOST_MS),
        ClockQuality::Rtc => RTC_ERROR_MS,
        ClockQuality::Unset => 0,
    }
}

/// The earliest lawful day a moment can lie in.
pub fn earliest_day(at: &Stamp) -> LegalDay {
    LegalDay::of_unix_ms(at.wall_unix_ms.saturating_sub(error_ms(at)))
}

/// The earliest lawful day on which energy can have been drawn that a register shows after this moment: its value may be a
/// little older than the moment it was read.
pub fn earliest_drawn(at: &Stamp) -> LegalDay {
    let read_ms = at.wall_unix_ms.saturating_sub(error_ms(at));
    LegalDay::of_unix_ms(read_ms.saturating_sub(REGISTER_AGE_MS))
}

/// The earliest lawful day of which a proof can tell.
pub fn earliest_proven(proof: &Proof) -> LegalDay {
    match proof {
        Proof::Energy(excess) => earliest_drawn(&excess.from),
        // A demand's beginning has the register's age in it.
        Proof::Power { from, .. } | Proof::Demand { from, .. } | Proof::BackFeed { from } => {
            earliest_day(from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::{Excess, window::Span},
        terms::{MilliWatts, WattHours},
    };

    #[test]
    fn a_moment_is_beyond_midnight_only_by_more_than_its_clock_may_err() {
        let last = LegalDay::parse("2026-10-31").unwrap();
        let midnight = LegalDay::parse("2026-11-01").unwrap().starts_unix_ms();
        let at = |after_ms: i64, clock, error_ms| Stamp {
            wall_unix_ms: midnight + after_ms,
            uptime_ms: 1,
            boot: 1,
            clock,
            error_ms,
        };
        for (clock, stated, margin) in [
            (ClockQuality::Ntp, 0, 0),
            (ClockQuality::Ntp, 40, 40),
            (ClockQuality::Ntp, u32::MAX, NTP_ERROR_MOST_MS),
            (ClockQuality::Rtc, 0, RTC_ERROR_MS),
            (ClockQuality::Rtc, 40, RTC_ERROR_MS),
        ] {
            let day = |after_ms| earliest_day(&at(after_ms, clock, stated));
            assert!(day(margin - 1) == last && day(margin) > last, "{clock:?} {stated}");
            let energy = |after_ms| {
                let (moved, bound) = (WattHours(2), WattHours(1));
                let from = at(after_ms, clock, stated);
                earliest_proven(&Proof::Energy(Excess { span: Span::Pair, from, moved, bound }))
            };
            let margin = margin + REGISTER_AGE_MS;
            assert!(energy(margin - 1) == last && energy(margin) > last, "{clock:?} {stated}");
        }
        let (power, limit) = (MilliWatts(2), MilliWatts(1));
        let proof = Proof::Power { from: at(0, ClockQuality::Ntp, 0), power, limit };
        assert!(earliest_proven(&proof) > last, "power is of the moment it is read");
    }
}
