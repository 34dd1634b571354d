//! Follows one energy register from reading to reading. A single odd reading never becomes the baseline: it must be
//! agreed with by the next, and nothing is weighed across it.

use super::{counter::Advance, event::RegisterQuirk, memory::Mark};
use crate::terms::{ClockQuality, Stamp, WattHours};

/// A gateway without a clock is taken to have been off for no longer than this, in milliseconds: a month. A register that
/// would have needed longer to go round has fallen.
pub const UNTIMED_MS: i64 = 31 * 86_400_000;

/// What the register told between its last good reading and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// There is nothing before to compare with.
    First,
    /// So much energy passed.
    Told {
        /// The last good reading.
        before: Mark,
        /// What passed since.
        energy: WattHours,
        /// Whether the register went round in between.
        rolled_over: bool,
    },
    /// The reading cannot follow from the last good one; it is kept aside until another agrees with either.
    Doubtful {
        /// The last good reading, which stays the baseline.
        before: Mark,
        /// What is odd.
        quirk: RegisterQuirk,
        /// Whether the reading before was still good.
        is_news: bool,
    },
    /// It fell by no more than a meter loses that was without power, and the meter was: it goes on from there.
    Unsaved {
        /// The last good reading.
        before: Mark,
    },
    /// Two readings agree on a new count: it is the baseline from here on.
    Rebased {
        /// The last good reading of the old count.
        before: Mark,
    },
    /// It tells of more than is explained: believed only once the next reading agrees.
    Unconfirmed {
        /// Whether the reading before was unconfirmed too, and this one did not agree with it.
        is_repeated: bool,
    },
    /// Two readings agree on a lower count, and it may have gone round or fallen: the baseline from here on.
    FellOrRolledOver {
        /// The last good reading of the old count.
        before: Mark,
    },
    /// A time passed that no clock can tell.
    Untimed {
        /// The last good reading.
        before: Mark,
    },
}

/// The last good reading, and an odd one that waits for company.
#[derive(Clone, Copy, Debug, Default)]
pub struct Track {
    anchor: Option<Mark>,
    doubt: Option<Mark>,
    /// A reading higher than the allowances explain, until the next agrees.
    high: Option<Mark>,
}

impl Track {
    /// Goes on from what is remembered.
    pub fn resuming(anchor: Option<Mark>) -> Track {
        Track { anchor, ..Track::default() }
    }

    /// The last good reading.
    pub fn anchor(&self) -> Option<Mark> {
        self.anchor
    }

    /// The wall clock was moved: what was read in this boot is dated anew by the boot clock.
    pub fn on_clock_step(&mut self, now: &Stamp) {
        for mark in [&mut self.anchor, &mut self.doubt, &mut self.high].into_iter().flatten() {
            mark.at = redated(&mark.at, now);
        }
    }

    /// Takes a reading. `unsaved` is the most that the meter may have lost without power since the last good reading,
    /// if it was; `possible` tells the most that can have passed between two marks, `explained` the most that the
    /// allowances explain.
    pub fn on(
        &mut self,
        now: Mark,
        unsaved: WattHours,
        possible: impl Fn(&Mark, &Mark) -> WattHours,
        explained: impl Fn(&Mark, &Mark) -> WattHours,
    ) -> Passage {
        let Some(before) = self.anchor else {
            // The very first reading may be the odd one: a baseline takes two that agree, and neither tells energy.
            if self.agrees_with_doubt(&now, &possible) {
                self.accept(now);
            } else {
                self.doubt = Some(now);
            }
            return Passage::First;
        };
        let most = if is_timed(&before, &now) { possible(&before, &now) } else { WattHours(i64::MAX) };
        let advance = Advance::between(&before.register, &now.register, most);
        match advance {
            Advance::Held | Advance::Moved(_) | Advance::RolledOver(_) if !is_timed(&before, &now) => {
                self.accept(now);
                Passage::Untimed { before }
            }
            Advance::Moved(energy) | Advance::RolledOver(energy)
                if energy > explained(&before, &now) && !self.agrees_with_high(&now, &possible) =>
            {
                Passage::Unconfirmed { is_repeated: self.high.replace(now).is_some() }
            }
            Advance::Held => self.told(before, now, WattHours(0), false),
            Advance::Moved(energy) => self.told(before, now, energy, false),
            Advance::RolledOver(energy) => self.told(before, now, energy, true),
            // Caches and sums of floats dither by a step: the higher reading stands.
            Advance::Fell(fall) if fall.0 >= -2 * now.register.step.0 => {
                let stands = Mark { at: now.at, register: before.register };
                self.told(before, stands, WattHours(0), false)
            }
            Advance::Fell(fall) if fall.0 >= unsaved.0.saturating_neg() => {
                self.accept(now);
                Passage::Unsaved { before }
            }
            Advance::Fell(_) => {
                let may = Advance::may_have_turned(&before.register, &now.register, possible(&before, &now));
                let quirk = if may { RegisterQuirk::FellOrRolledOver } else { RegisterQuirk::Fell };
                self.doubt(before, now, quirk, possible)
            }
            Advance::Leapt(_) => self.doubt(before, now, RegisterQuirk::Leapt, possible),
        }
    }

    fn told(&mut self, before: Mark, now: Mark, energy: WattHours, rolled_over: bool) -> Passage {
        self.accept(now);
        Passage::Told { before, energy, rolled_over }
    }

    fn doubt(
        &mut self,
        before: Mark,
        now: Mark,
        quirk: RegisterQuirk,
        possible: impl Fn(&Mark, &Mark) -> WattHours,
    ) -> Passage {
        if self.agrees_with_doubt(&now, &possible) {
            self.accept(now);
            return match quirk {
                RegisterQuirk::FellOrRolledOver => Passage::FellOrRolledOver { before },
                RegisterQuirk::Fell
                | RegisterQuirk::Leapt
                | RegisterQuirk::RolledOver
                | RegisterQuirk::Unsaved
                | RegisterQuirk::Rebased
                | RegisterQuirk::Untimed => Passage::Rebased { before },
            };
        }
        let is_news = self.doubt.replace(now).is_none();
        Passage::Doubtful { before, quirk, is_news }
    }

    fn agrees_with_high(&self, now: &Mark, possible: &impl Fn(&Mark, &Mark) -> WattHours) -> bool {
        self.high.is_some_and(|high| {
            Advance::between(&high.register, &now.register, possible(&high, now)).energy().is_some()
        })
    }

    fn agrees_with_doubt(&self, now: &Mark, possible: &impl Fn(&Mark, &Mark) -> WattHours) -> bool {
        self.doubt.is_some_and(|doubt| {
            Advance::between(&doubt.register, &now.register, possible(&doubt, now)).energy().is_some()
        })
    }

    fn accept(&mut self, now: Mark) {
        self.anchor = Some(now);
        self.doubt = None;
        self.high = None;
    }
}

/// Whether the time between two readings is known: inside one boot by the boot clock, across boots only where a
/// synchronised clock stands on both sides. A clock that was merely kept may have stood still while the power was off.
pub fn is_timed(before: &Mark, now: &Mark) -> bool {
    is_span_known(&before.at, &now.at)
}

/// The longest that the time between two readings can have been, in milliseconds: [`UNTIMED_MS`] where no clock tells.
pub fn longest_ms(before: &Mark, now: &Mark) -> i64 {
    if is_timed(before, now) { now.at.since_ms(&before.at) } else { UNTIMED_MS }
}

/// As [`is_timed`], of two moments.
pub fn is_span_known(before: &Stamp, now: &Stamp) -> bool {
    let synchronised = before.clock == ClockQuality::Ntp && now.clock == ClockQuality::Ntp;
    before.boot == now.boot || (synchronised && now.wall_unix_ms >= before.wall_unix_ms)
}

/// A moment of this boot as the clock of now would have dated it; a moment of another boot stays as it was.
pub fn redated(moment: &Stamp, now: &Stamp) -> Stamp {
    if moment.boot != now.boot {
        return *moment;
    }
    let wall_unix_ms = now.wall_unix_ms.saturating_sub(now.since_ms(moment));
    Stamp { wall_unix_ms, clock: now.clock, error_ms: now.error_ms, ..*moment }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Register;

    fn mark(seconds: u64, boot: u32, clock: ClockQuality, energy: i64) -> Mark {
        let uptime_ms = seconds * 1_000;
        let at = Stamp { wall_unix_ms: uptime_ms.cast_signed(), uptime_ms, boot, clock, error_ms: 0 };
        let register =
            Register { energy: WattHours(energy), step: WattHours(10), modulus: None, raw: 0, raw_words: 2 };
        Mark { at, register }
    }

    fn feed(energies: &[i64]) -> Vec<Passage> {
        let mut track = Track::default();
        let possible = |_: &Mark, _: &Mark| WattHours(1_000);
        let all = |_: &Mark, _: &Mark| WattHours(i64::MAX);
        (0..)
            .zip(energies)
            .map(|(s, e)| track.on(mark(s, 1, ClockQuality::Rtc, *e), WattHours(0), possible, all))
            .collect()
    }

    #[test]
    fn one_zero_reading_is_left_aside_and_what_moved_over_it_is_told() {
        let passages = feed(&[5_000, 5_000, 0, 5_400]);
        assert!(matches!(passages[2], Passage::Doubtful { quirk: RegisterQuirk::Fell, is_news: true, .. }));
        assert!(matches!(passages[3], Passage::Told { energy: WattHours(400), .. }), "{passages:?}");
    }

    #[test]
    fn a_first_reading_that_is_odd_convicts_nobody() {
        for energies in [&[0, 900, 905][..], &[0, 900_000, 900_005, 900_010], &[900, 0, 905, 910]] {
            let told = feed(energies).into_iter().filter_map(|p| match p {
                Passage::Told { energy, .. } => Some(energy.0),
                Passage::First
                | Passage::Doubtful { .. }
                | Passage::Unsaved { .. }
                | Passage::Rebased { .. }
                | Passage::Unconfirmed { .. }
                | Passage::FellOrRolledOver { .. }
                | Passage::Untimed { .. } => None,
            });
            assert!(told.sum::<i64>() <= 10, "{energies:?}");
        }
    }

    #[test]
    fn two_readings_that_agree_are_a_new_baseline_and_nothing_is_told_across_it() {
        let passages = feed(&[5_000, 5_000, 0, 10, 30]);
        assert!(matches!(passages[3], Passage::Rebased { .. }));
        assert!(matches!(passages[4], Passage::Told { energy: WattHours(20), .. }));
        let passages = feed(&[5_000, 5_000, 90_000, 90_100]);
        assert!(matches!(passages[2], Passage::Doubtful { quirk: RegisterQuirk::Leapt, .. }));
        assert!(matches!(passages[3], Passage::Rebased { .. }));
    }

    #[test]
    fn one_high_reading_is_told_only_when_the_next_agrees() {
        let explained = |_: &Mark, _: &Mark| WattHours(50);
        let possible = |_: &Mark, _: &Mark| WattHours(10_000);
        let feed = |energies: &[i64]| -> i64 {
            let mut track = Track::default();
            let passages = (0..)
                .zip(energies)
                .map(|(s, e)| track.on(mark(s, 1, ClockQuality::Rtc, *e), WattHours(0), possible, explained));
            passages.map(|p| if let Passage::Told { energy, .. } = p { energy.0 } else { 0 }).sum()
        };
        assert_eq!(feed(&[5_000, 5_000, 9_000, 5_010, 5_020]), 20, "a torn read");
        assert_eq!(feed(&[5_000, 5_000, 9_000, 9_010, 9_020]), 4_020, "a melt");
    }

    #[test]
    fn a_small_fall_of_a_meter_that_was_without_power_goes_on_from_there() {
        let feed = |unsaved: i64| {
            let mut track = Track::resuming(Some(mark(0, 1, ClockQuality::Rtc, 5_000)));
            let most = |_: &Mark, _: &Mark| WattHours(1_000);
            track.on(mark(1, 1, ClockQuality::Rtc, 4_900), WattHours(unsaved), most, most)
        };
        assert!(matches!(feed(100), Passage::Unsaved { .. }));
        assert!(matches!(feed(99), Passage::Doubtful { quirk: RegisterQuirk::Fell, .. }));
    }

    #[test]
    fn readings_that_agree_with_nothing_stay_doubtful_and_are_news_once() {
        let news = feed(&[5_000, 5_000, 0, 90_000, 3, 80_000])
            .into_iter()
            .filter(|p| matches!(p, Passage::Doubtful { is_news: true, .. }));
        assert_eq!(news.count(), 1);
    }

    #[test]
    fn a_reboot_without_a_synchronised_clock_has_no_duration() {
        let possible = |_: &Mark, _: &Mark| WattHours(1_000);
        let across = |clock, energy| {
            let mut track = Track::resuming(Some(mark(0, 1, clock, 5_000)));
            track.on(mark(60, 2, clock, energy), WattHours(0), possible, |_, _| WattHours(i64::MAX))
        };
        assert!(matches!(across(ClockQuality::Ntp, 5_500), Passage::Told { energy: WattHours(500), .. }));
        assert!(matches!(across(ClockQuality::Rtc, 5_500), Passage::Untimed { .. }));
        assert!(
            matches!(across(ClockQuality::Rtc, 5_000), Passage::Untimed { .. }),
            "stillness over no known time"
        );
        assert!(matches!(across(ClockQuality::Rtc, 4_000), Passage::Doubtful { .. }));
    }
}
