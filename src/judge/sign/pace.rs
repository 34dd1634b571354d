//! How long the meter takes to answer: whoever stands in between takes his time too. One change is a new cable or a
//! gateway's failover; a second one within a week is somebody who comes and goes.

use super::{Figure, Figures, figure::figures};
use crate::terms::Stamp;

/// Readings whose middle answer time is one observation.
pub const OBSERVED: u16 = 256;
/// So many observations in a row must agree before a change is believed.
pub const AGREEING: u8 = 3;
/// Classes of answer time, two to the octave, that a change spans at least: a factor of two.
pub const LEAST_CLASSES: usize = 2;
/// Two changes within this time, in milliseconds, are a sign: a week.
pub const AGAIN_MS: i64 = 7 * 86_400_000;

const CLASSES: usize = 32;

/// The answer times of one meter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    counts: [u16; CLASSES],
    counted: u16,
    usual: Option<usize>,
    other: usize,
    times: u8,
    changed: Option<Stamp>,
}

impl Pace {
    /// Takes how long a poll took; figures when the answer time changed again.
    pub fn look(&mut self, took_ms: u32, at: Stamp) -> Option<Figures> {
        let class = class_of(took_ms);
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
        self.counted += 1;
        if self.counted < OBSERVED {
            return None;
        }
        let middle = self.middle();
        self.counts = [0; CLASSES];
        self.counted = 0;
        let usual = *self.usual.get_or_insert(middle);
        if middle.abs_diff(usual) < LEAST_CLASSES {
            self.times = 0;
            return None;
        }
        self.times =
            if middle.abs_diff(self.other) < LEAST_CLASSES { self.times.saturating_add(1) } else { 1 };
        self.other = middle;
        if self.times < AGREEING {
            return None;
        }
        self.usual = Some(middle);
        self.times = 0;
        let last = self.changed.replace(at);
        let again = last.is_some_and(|last| at.since_ms(&last) < AGAIN_MS);
        again.then(|| {
            figures([(Figure::SlowBefore, from_class(usual)), (Figure::SlowNow, from_class(middle))])
        })
    }

    fn middle(&self) -> usize {
        let mut passed = 0;
        let half = OBSERVED / 2;
        let is_middle = |count: &u16| {
            passed += *count;
            passed > half
        };
        self.counts.iter().position(is_middle).unwrap_or(0)
    }
}

/// Two classes to the octave, counted from a millisecond.
fn class_of(took_ms: u32) -> usize {
    let took = took_ms.max(1);
    let octave = took.ilog2();
    let upper = took - (1 << octave) >= 1 << octave >> 1;
    usize::try_from(octave * 2 + u32::from(upper && octave > 0)).unwrap_or(0).min(CLASSES - 1)
}

/// Where a class begins, in milliseconds.
fn from_class(class: usize) -> i64 {
    let octave = 1_i64 << (class / 2);
    if class.is_multiple_of(2) { octave } else { octave + octave / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::ClockQuality;

    /// Feeds answer times, each for so many readings of a second; how often the sign was seen.
    fn seen(lives: &[(u32, usize)]) -> usize {
        let mut pace = Pace::default();
        let mut now = 0_u64;
        let mut seen = 0;
        for (took, readings) in lives {
            for n in 0..*readings {
                now += 1_000;
                let wall_unix_ms = now.cast_signed();
                let at =
                    Stamp { wall_unix_ms, uptime_ms: now, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 };
                let jitter = u32::try_from(n % 3).unwrap();
                seen += usize::from(pace.look(took + jitter, at).is_some());
            }
        }
        seen
    }

    #[test]
    fn a_class_begins_where_it_says() {
        for took in [2_u32, 3, 4, 5, 6, 11, 12, 100, 1_000, 70_000] {
            let class = class_of(took);
            assert!(from_class(class) <= i64::from(took) || class == CLASSES - 1, "{took}");
            assert!(i64::from(took) < from_class(class + 1) || class == CLASSES - 1, "{took}");
        }
    }

    #[test]
    fn a_failover_is_quiet_and_whoever_comes_and_goes_is_seen() {
        assert_eq!(seen(&[(12, 20_000)]), 0);
        assert_eq!(seen(&[(12, 10_000), (45, 40_000)]), 0, "a gateway's failover");
        assert_eq!(seen(&[(12, 10_000), (600, 300), (12, 10_000)]), 0, "a few slow minutes");
        assert_eq!(seen(&[(12, 10_000), (45, 10_000), (12, 10_000)]), 1, "there by night, gone by day");
    }
}
