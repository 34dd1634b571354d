//! The demo's clock: starts shortly before midnight and runs faster than life.

use coldhearth::{
    host::{Clock, SystemClock, clock::Wait},
    terms::{ClockQuality, Stamp, time::DAY_MS},
};

/// How long before midnight (+08:00) the demo begins, in milliseconds.
pub(super) const BEFORE_MIDNIGHT_MS: u64 = 360_000;

/// One clock for plant, agent and regulator.
#[derive(Debug)]
pub(super) struct FastClock {
    life: SystemClock,
    origin: Stamp,
    start_wall_unix_ms: i64,
    speed: u64,
}

impl FastClock {
    /// A clock that starts shortly before tonight's midnight.
    pub(super) fn starting_before_midnight(speed: u64) -> FastClock {
        let life = SystemClock::default();
        let origin = life.now();
        let midnight = origin.legal_day().starts_unix_ms() + DAY_MS;
        FastClock { life, origin, start_wall_unix_ms: midnight - BEFORE_MIDNIGHT_MS.cast_signed(), speed }
    }

    /// The uptime so long after the start, in milliseconds of demo time.
    pub(super) fn uptime_after(&self, elapsed_ms: u64) -> u64 {
        self.origin.uptime_ms.saturating_add(elapsed_ms)
    }

    /// Milliseconds of demo time since the start.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.now().uptime_ms.saturating_sub(self.origin.uptime_ms)
    }
}

impl Clock for FastClock {
    fn now(&self) -> Stamp {
        let life = self.life.now();
        let elapsed = life.uptime_ms.saturating_sub(self.origin.uptime_ms).saturating_mul(self.speed);
        Stamp {
            wall_unix_ms: self.start_wall_unix_ms.saturating_add(elapsed.cast_signed()),
            uptime_ms: self.origin.uptime_ms.saturating_add(elapsed),
            // The demo's time is what this clock shows: it cannot be wrong, and midnight needs no margin.
            clock: ClockQuality::Ntp,
            error_ms: 0,
            ..life
        }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        let ahead = uptime_ms.saturating_sub(self.origin.uptime_ms).div_ceil(self.speed);
        self.life.sleep_until(self.origin.uptime_ms.saturating_add(ahead))
    }

    fn set_boot(&self, boot: u32) {
        self.life.set_boot(boot);
    }
}
