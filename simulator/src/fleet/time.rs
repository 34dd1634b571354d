//! The fleet's two times: the plants' own, which may run faster than life and stamps records, and the life of sockets.

use coldhearth::{
    host::{Clock as _, SystemClock, clock::Wait},
    terms::{ClockQuality, Stamp},
};

/// One time for every plant of the fleet.
pub(super) struct PlantTime {
    life: SystemClock,
    origin: Stamp,
    speed: u64,
}

impl PlantTime {
    /// It begins now and runs so many times life.
    pub(super) fn starting(speed: u64) -> PlantTime {
        let life = SystemClock::default();
        life.set_boot(1);
        let origin = life.now();
        PlantTime { life, origin, speed }
    }

    /// The clock of sockets, pauses and everything that is not the plants'.
    pub(super) fn life(&self) -> &SystemClock {
        &self.life
    }

    /// Milliseconds of life since the beginning.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.life.now().uptime_ms.saturating_sub(self.origin.uptime_ms)
    }

    /// Waits until so many milliseconds of life since the beginning have passed.
    pub(super) fn until_elapsed(&self, elapsed_ms: u64) -> Wait<'_> {
        self.life.sleep_until(self.origin.uptime_ms.saturating_add(elapsed_ms))
    }

    /// The plants' present.
    pub(super) fn now(&self) -> Stamp {
        self.at(self.elapsed_ms().saturating_mul(self.speed))
    }

    /// The plants' moment so many milliseconds of theirs after the beginning.
    pub(super) fn at(&self, plant_ms: u64) -> Stamp {
        Stamp {
            wall_unix_ms: self.origin.wall_unix_ms.saturating_add_unsigned(plant_ms),
            uptime_ms: self.origin.uptime_ms.saturating_add(plant_ms),
            // Nobody disciplines this clock, and it says so.
            clock: ClockQuality::Rtc,
            error_ms: 0,
            ..self.origin
        }
    }

    /// Waits until the plants' uptime, in milliseconds, is reached.
    pub(super) fn until_plant(&self, uptime_ms: u64) -> Wait<'_> {
        let ahead = uptime_ms.saturating_sub(self.origin.uptime_ms).div_ceil(self.speed);
        self.until_elapsed(ahead)
    }
}
