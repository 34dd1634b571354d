//! The only file that reads a clock, and the only one that sleeps.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::kernel_clock::{self, Discipline};
use crate::terms::{ClockQuality, Stamp};

/// A wall clock before 2024-01-01 was never set.
const NEVER_SET_BEFORE_UNIX_MS: i64 = 1_704_067_200_000;

/// How long what the kernel says of its own clock is believed, in milliseconds: the kernel itself looks again each second,
/// and asking takes longer than reading the time.
const QUALITY_MS: u64 = 1_000;
/// How far the wall clock may have moved against the uptime meanwhile, in milliseconds; beyond that somebody has set it, and
/// the kernel is asked again.
const QUALITY_DRIFT_MS: i64 = 2;
/// How fast the kernel lets the bound of its clock's error grow, in microseconds a second.
const ERROR_GROWTH_US: u64 = 500;

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
    quality: Mutex<Option<Quality>>,
}

/// What the kernel said of its clock when it was asked last.
#[derive(Clone, Copy, Debug)]
struct Quality {
    asked_ms: u64,
    /// Wall time at uptime zero then, in Unix milliseconds.
    wall_zero: i64,
    clock: ClockQuality,
    error_ms: u32,
}

impl Quality {
    /// Whether it is young, and the clock has not been set since.
    fn holds(&self, wall_unix_ms: i64, uptime_ms: u64) -> bool {
        let age_ms = uptime_ms.checked_sub(self.asked_ms);
        let moved_ms = wall_zero(wall_unix_ms, uptime_ms).saturating_sub(self.wall_zero);
        age_ms.is_some_and(|age_ms| age_ms < QUALITY_MS)
            && moved_ms.saturating_abs() <= QUALITY_DRIFT_MS
            && wall_unix_ms >= NEVER_SET_BEFORE_UNIX_MS
    }
}

const fn wall_zero(wall_unix_ms: i64, uptime_ms: u64) -> i64 {
    wall_unix_ms.saturating_sub_unsigned(uptime_ms)
}

impl SystemClock {
    fn quality(&self, wall_unix_ms: i64, uptime_ms: u64) -> (ClockQuality, u32) {
        let mut known = self.quality.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.filter(|known| known.holds(wall_unix_ms, uptime_ms)) {
            return (known.clock, known.error_ms);
        }
        let (clock, error_ms) = quality(wall_unix_ms, uptime_ms);
        let wall_zero = wall_zero(wall_unix_ms, uptime_ms);
        *known = Some(Quality { asked_ms: uptime_ms, wall_zero, clock, error_ms });
        (clock, error_ms)
    }
}

/// Time since the machine was started, suspend included.
fn uptime() -> Duration {
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(uptime.tv_sec), u32::try_from(uptime.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
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
        u64::try_from(uptime().as_millis()).unwrap_or(u64::MAX)
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

/// What the kernel says of its own clock, and the bound of its error in milliseconds for as long as that is believed.
fn quality(wall_unix_ms: i64, uptime_ms: u64) -> (ClockQuality, u32) {
    if wall_unix_ms < NEVER_SET_BEFORE_UNIX_MS {
        return (ClockQuality::Unset, 0);
    }
    match kernel_clock::discipline(uptime_ms) {
        Discipline::Within(error_us) => (ClockQuality::Ntp, error_bound_ms(error_us)),
        Discipline::Free | Discipline::Untold => (ClockQuality::Rtc, 0),
    }
}

/// The bound as it may have grown until the kernel is asked again, in whole milliseconds and never less.
fn error_bound_ms(error_us: u64) -> u32 {
    let grown_us = error_us.saturating_add(ERROR_GROWTH_US * QUALITY_MS / 1_000);
    u32::try_from(grown_us.div_ceil(1_000)).unwrap_or(u32::MAX)
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

    #[test]
    fn the_kernels_word_is_believed_for_a_second_and_until_somebody_sets_the_clock() {
        const NOON: i64 = 1_795_000_000_000;
        let said = Quality {
            asked_ms: 5_000,
            wall_zero: wall_zero(NOON, 5_000),
            clock: ClockQuality::Ntp,
            error_ms: 3,
        };
        assert!(said.holds(NOON, 5_000) && said.holds(NOON + 999, 5_999));
        assert!(said.holds(NOON + 501, 5_499), "a clock that is only steered");
        assert!(!said.holds(NOON + 1_000, 6_000), "a second old");
        assert!(!said.holds(NOON + 503, 5_500) && !said.holds(NOON + 497, 5_500), "set, either way");
        assert!(!said.holds(NOON - 1, 4_999), "of before it was asked");
        assert!(!said.holds(1_000, 5_001), "set to before anybody could have set it");
    }

    #[test]
    fn a_clock_whose_word_was_believed_is_asked_again() {
        let clock = SystemClock::default();
        let now = clock.now();
        let (asked_ms, wall_zero) = (now.uptime_ms, wall_zero(now.wall_unix_ms, now.uptime_ms));
        let said = Quality { asked_ms, wall_zero, clock: ClockQuality::Ntp, error_ms: u32::MAX };
        for (wall_unix_ms, uptime_ms, is_believed) in [
            (now.wall_unix_ms, now.uptime_ms, true),
            (now.wall_unix_ms + 1_000, now.uptime_ms + 1_000, false),
            (now.wall_unix_ms + 60_000, now.uptime_ms, false),
        ] {
            *clock.quality.lock().unwrap() = Some(said);
            let (_, error_ms) = clock.quality(wall_unix_ms, uptime_ms);
            assert_eq!(error_ms == u32::MAX, is_believed, "{wall_unix_ms} at {uptime_ms}");
        }
    }

    #[test]
    fn a_bound_is_rounded_up_and_grows_until_it_is_looked_at_again() {
        assert_eq!([0, 500, 501, 1_500, 1_501].map(error_bound_ms), [1, 1, 2, 2, 3]);
        assert_eq!(error_bound_ms(u64::MAX), u32::MAX);
    }
}
