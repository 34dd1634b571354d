//! The only file that reads a clock, and the only one that sleeps.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::kernel_clock::{self, Discipline};
use crate::terms::{ClockQuality, Stamp};

/// A wall clock before 2024-01-01 was never set.
const NEVER_SET_BEFORE_UNIX_MS: i64 = 1_704_067_200_000;

/// A future that ends when a clock says so.
pub type Wait<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where time comes from. One clock serves a whole program; the demo's runs faster than life.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Stamp;
    /// This moment's uptime alone, in milliseconds.
    fn uptime_ms(&self) -> u64 {
        self.now().uptime_ms
    }
    /// Waits until the uptime, in milliseconds, is reached.
    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_>;
    /// Tells the clock which boot of the machine this is; every later stamp carries it.
    fn set_boot(&self, boot: u32);

    /// Waits for ever. Whoever waits for an event, however long, waits for this besides: a clock that watches over its task
    /// takes it for a sign of life.
    fn rest(&self) -> Wait<'_> {
        Box::pin(std::future::pending())
    }
    /// The task is at something that ends by this uptime at the latest, in milliseconds, by a limit of its own.
    fn busy_until(&self, _uptime_ms: u64) {}
    /// The others have to wait for this task, or no longer.
    fn holds_up(&self, _others: bool) {}
}

/// The machine's clocks: wall, and boot clock with suspend included.
#[derive(Debug, Default)]
pub struct SystemClock {
    boot: AtomicU32,
}

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let wall = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let milliseconds = |t: rustix::time::Timespec| t.tv_sec.saturating_mul(1_000) + t.tv_nsec / 1_000_000;
        let wall_unix_ms = milliseconds(wall);
        let uptime_ms = u64::try_from(milliseconds(uptime)).unwrap_or(0);
        let (clock, error_ms) = quality(wall_unix_ms, uptime_ms);
        Stamp { wall_unix_ms, uptime_ms, boot: self.boot.load(Ordering::Relaxed), clock, error_ms }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where waiting for time is written")]
    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        let wait = uptime_ms.saturating_sub(self.now().uptime_ms);
        Box::pin(tokio::time::sleep(Duration::from_millis(wait)))
    }

    fn set_boot(&self, boot: u32) {
        self.boot.store(boot, Ordering::Relaxed);
    }
}

/// What the kernel says of its own clock, and the bound of its error in milliseconds.
fn quality(wall_unix_ms: i64, uptime_ms: u64) -> (ClockQuality, u32) {
    if wall_unix_ms < NEVER_SET_BEFORE_UNIX_MS {
        return (ClockQuality::Unset, 0);
    }
    match kernel_clock::discipline(uptime_ms) {
        Discipline::Within(error_us) => {
            (ClockQuality::Ntp, u32::try_from(error_us / 1_000).unwrap_or(u32::MAX))
        }
        Discipline::Free | Discipline::Untold => (ClockQuality::Rtc, 0),
    }
}

/// The clock that never steps, in microseconds: by it the service manager tells one reload from another.
pub fn monotonic_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let whole = |part: i64| u64::try_from(part).unwrap_or(0);
    whole(now.tv_sec).saturating_mul(1_000_000).saturating_add(whole(now.tv_nsec) / 1_000)
}

/// The kernel's name for this boot of the machine; `unknown` where it gives none.
pub fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let id = text.trim();
    if id.is_empty() { "unknown".to_owned() } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_carries_its_boot() {
        let clock = SystemClock::default();
        clock.set_boot(7);
        let (a, b) = (clock.now(), clock.now());
        assert!(b.since_ms(&a) >= 0 && a.uptime_ms > 0);
        assert_eq!(b.boot, 7);
        assert!(!boot_id().is_empty());
    }

    #[test]
    fn a_clock_that_was_never_set_says_so() {
        assert_eq!(quality(0, 1), (ClockQuality::Unset, 0));
    }
}
