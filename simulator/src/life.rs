//! The life of a meter: its supply, its clock, and the hours it has run.

use crate::{rounding::real, view::Clocks};

/// Plant time 0 on the meter's clock unless told otherwise: 2027-01-01 00:00 in China.
const CLOCK_START_UNIX_S: i64 = 1_798_732_800;
/// Hours a meter has run before plant time 0.
const RUN_HOURS: f64 = 1_000.0;

/// Supply and clock of a meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    powered_since_ms: Option<u64>,
    powered_ms: u64,
    clock_start_s: i64,
    power_fails: u32,
}

impl Life {
    /// A meter supplied since plant time 0.
    pub(crate) fn new() -> Life {
        Life { powered_since_ms: Some(0), powered_ms: 0, clock_start_s: CLOCK_START_UNIX_S, power_fails: 0 }
    }

    pub(crate) fn is_powered(&self) -> bool {
        self.powered_since_ms.is_some()
    }

    /// Takes or gives its supply; whether it comes back by this.
    pub(crate) fn set_powered(&mut self, powered: bool, now_ms: u64) -> bool {
        let was = self.is_powered();
        if was && !powered {
            self.power_fails += 1;
        }
        self.powered_since_ms = powered.then(|| self.powered_since_ms.unwrap_or(now_ms));
        powered && !was
    }

    /// Adds a while with supply.
    pub(crate) fn live(&mut self, span_ms: u64) {
        self.powered_ms += span_ms;
    }

    /// Sets what its clock says at plant time 0.
    pub(crate) fn set_clock(&mut self, start_unix_s: i64) {
        self.clock_start_s = start_unix_s;
    }

    /// Moves its clock.
    pub(crate) fn shift_clock(&mut self, seconds: i64) {
        self.clock_start_s += seconds;
    }

    /// What its clock says, in milliseconds since 1970.
    pub(crate) fn clock_unix_ms(&self, now_ms: u64) -> i64 {
        (self.clock_start_s * 1_000).saturating_add_unsigned(now_ms)
    }

    /// What its clocks show: whole seconds, as registers have them.
    pub(crate) fn clocks(&self, now_ms: u64) -> Clocks {
        let since = self.powered_since_ms.unwrap_or(now_ms);
        let seconds = |ms: u64| real(i64::try_from(ms / 1_000).unwrap_or(i64::MAX));
        Clocks {
            clock_s: real(self.clock_start_s) + seconds(now_ms),
            uptime_s: seconds(now_ms.saturating_sub(since)),
            run_hours: RUN_HOURS + seconds(self.powered_ms) / 3_600.0,
            power_fails: f64::from(self.power_fails),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_supply_is_counted_once_and_ends_the_uptime() {
        let mut life = Life::new();
        life.live(10_000);
        assert!(!life.set_powered(true, 10_000), "it has supply");
        assert!(!life.set_powered(false, 10_000) && !life.set_powered(false, 11_000));
        assert!(life.set_powered(true, 15_000));
        let clocks = life.clocks(17_500);
        let found = [clocks.power_fails, clocks.uptime_s, clocks.clock_s - real(CLOCK_START_UNIX_S)];
        assert_eq!(found.map(|value| value.to_bits()), [1.0_f64, 2.0, 17.0].map(f64::to_bits));
        life.shift_clock(-3_600);
        assert_eq!(life.clock_unix_ms(500), (CLOCK_START_UNIX_S - 3_600) * 1_000 + 500);
    }
}
