//! The only file that reads a clock, and the only one that sleeps.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use crate::terms::{ClockQuality, Stamp};

/// A wall clock before 2024-01-01 was never set.
const NEVER_SET_BEFORE_UNIX_MS: i64 = 1_704_067_200_000;

/// How long what the kernel says of its own clock is believed, in milliseconds: asking takes longer than reading it.
const QUALITY_MS: u64 = 1_000;

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
}

/// The machine's clocks: wall, and boot clock with suspend included.
#[derive(Debug, Default)]
pub struct SystemClock {
    boot: AtomicU32,
    quality: AtomicU64,
    /// Uptime in milliseconds up to which the quality is believed.
    quality_until: AtomicU64,
}

impl SystemClock {
    /// The quality as it was found at most [`QUALITY_MS`] ago.
    fn quality(&self, wall_unix_ms: i64, uptime_ms: u64) -> (ClockQuality, u32) {
        if wall_unix_ms >= NEVER_SET_BEFORE_UNIX_MS && uptime_ms < self.quality_until.load(Ordering::Acquire)
        {
            return match u32::try_from(self.quality.load(Ordering::Relaxed)) {
                Ok(error_ms) => (ClockQuality::Ntp, error_ms),
                Err(_) => (ClockQuality::Rtc, 0),
            };
        }
        let (clock, error_ms) = quality(wall_unix_ms);
        if clock != ClockQuality::Unset {
            let found = if clock == ClockQuality::Ntp { u64::from(error_ms) } else { u64::MAX };
            self.quality.store(found, Ordering::Relaxed);
            self.quality_until.store(uptime_ms.saturating_add(QUALITY_MS), Ordering::Release);
        }
        (clock, error_ms)
    }
}

/// Time since the machine was started, suspend included.
fn uptime() -> Duration {
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(uptime.tv_sec), u32::try_from(uptime.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let uptime_ms = self.uptime_ms();
        let wall = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let wall_unix_ms = wall.tv_sec.saturating_mul(1_000) + wall.tv_nsec / 1_000_000;
        let (clock, error_ms) = self.quality(wall_unix_ms, uptime_ms);
        Stamp { wall_unix_ms, uptime_ms, boot: self.boot.load(Ordering::Relaxed), clock, error_ms }
    }

    fn uptime_ms(&self) -> u64 {
        whole_ms(uptime())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where waiting for time is written")]
    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        // To the instant, not to the millisecond it was asked in: who waits for the same moment wakes together.
        let wait = Duration::from_millis(uptime_ms).saturating_sub(uptime());
        Box::pin(tokio::time::sleep(wait))
    }

    fn set_boot(&self, boot: u32) {
        self.boot.store(boot, Ordering::Relaxed);
    }
}

/// What the kernel says of its own clock, and the bound of its error in milliseconds.
fn quality(wall_unix_ms: i64) -> (ClockQuality, u32) {
    if wall_unix_ms < NEVER_SET_BEFORE_UNIX_MS {
        return (ClockQuality::Unset, 0);
    }
    match kernel_error_us() {
        Some(error_us) => (ClockQuality::Ntp, u32::try_from(error_us / 1_000).unwrap_or(u32::MAX)),
        None => (ClockQuality::Rtc, 0),
    }
}

/// The kernel's bound of its clock's error in microseconds, if it is disciplined. Reads only; needs no privilege.
#[expect(
    unsafe_code,
    reason = "adjtimex has no safe wrapper in a kept crate; zeroed is a valid read-only request"
)]
fn kernel_error_us() -> Option<i64> {
    // SAFETY: `timex` is plain old data, for which all-zero is valid, and `modes` 0 asks adjtimex only to fill it.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    (state >= 0 && state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0)
        .then_some(timex.maxerror)
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
        assert_eq!(quality(0), (ClockQuality::Unset, 0));
    }
}
