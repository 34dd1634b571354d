//! The gateway's clocks: what it takes for the time, and how far it can be believed.

use coldhearth::terms::{ClockQuality, Stamp};

use super::BOOT_TAKES_MS;
use crate::scenario::Scenario;

/// Bound of the error of a disciplined clock, in milliseconds (own assumption).
const NTP_ERROR_MS: u32 = 40;

/// Boot clock and wall clock of the gateway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wall {
    /// True wall time at plant time 0.
    zero_unix_ms: i64,
    /// How far the wall clock is off.
    off_ms: i64,
    /// Plant time at which the boot clock showed 0; before the plant's own time where that is negative.
    booted_ms: i64,
    boot: u32,
    pub(super) quality: ClockQuality,
}

impl Wall {
    /// The clocks at the start of a scenario, shortly after a boot.
    pub(super) fn new(scenario: &Scenario) -> Wall {
        let mut wall = Wall {
            zero_unix_ms: scenario.starts.starts_unix_ms(),
            off_ms: 0,
            booted_ms: 0,
            boot: 0,
            quality: scenario.clock,
        };
        wall.boot(scenario.from_ms);
        wall
    }

    /// The machine has come up.
    pub(super) fn boot(&mut self, now_ms: u64) {
        self.boot += 1;
        self.booted_ms = now_ms.cast_signed() - BOOT_TAKES_MS.cast_signed();
    }

    /// The wall clock is set.
    pub(super) fn step(&mut self, by_ms: i64) {
        self.off_ms += by_ms;
    }

    /// Milliseconds since the machine booted.
    pub(super) fn uptime_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(-self.booted_ms)
    }

    /// The plant time of an uptime.
    pub(super) fn plant_ms(&self, uptime_ms: u64) -> u64 {
        uptime_ms.saturating_add_signed(self.booted_ms)
    }

    /// The time, as it is.
    pub(super) fn true_unix_ms(&self, now_ms: u64) -> i64 {
        self.zero_unix_ms.saturating_add_unsigned(now_ms)
    }

    /// The time, as the gateway knows it.
    pub(super) fn at(&self, now_ms: u64) -> Stamp {
        Stamp {
            wall_unix_ms: self.true_unix_ms(now_ms) + self.off_ms,
            uptime_ms: self.uptime_ms(now_ms),
            boot: self.boot,
            clock: self.quality,
            error_ms: if self.quality == ClockQuality::Ntp { NTP_ERROR_MS } else { 0 },
        }
    }
}
