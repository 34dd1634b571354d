//! The same readings came again in the same order: somebody plays a recording.
//!
//! A window of prints is kept and compared with what comes after it; each new window is kept for twice as many readings
//! (Brent's way to find a cycle), then it begins with short ones again. A loop of up to [`LONGEST`] readings is found
//! within three rounds of a fresh witness, and within four times [`LONGEST`] readings always. Beside it runs of the last
//! hour are kept, so that a loop shorter than that is found with its first repetition, and prints of the voltages alone,
//! which come again where its words change just as they are polled.
//!
//! What stays unseen until it ends: a recording of a meter so coarse that fewer than [`LEAST_DIFFERENT`] of [`WINDOW`]
//! readings differ, as one of 0.1 V behind a 6,000/100 transformer may be. Such a meter repeats itself honestly, too. When
//! the recording ends its register leaps, which is a sign of its own.

mod recent;
mod slipping;

use self::{recent::Recent, slipping::Slipping};
use super::{Figure, Figures, figure::figures};

/// So many readings in a row must come again.
pub const WINDOW: usize = 16;
/// So many of them must differ from one another: a coarse meter on a steady line repeats itself honestly.
pub const LEAST_DIFFERENT: usize = 8;

/// A window is kept for so many readings at first,
pub const SHORTEST: u64 = 64;
/// and for so many at most: a day and a half at a poll a second.
pub const LONGEST: u64 = 131_072;

/// What is kept of the readings so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Replay {
    recent: Recent,
    slipping: Slipping,
    window: Awaited,
}

impl Replay {
    /// Takes the print of a reading of a live line, and that of its voltages.
    pub fn look(&mut self, print: u64, of_voltages: u64) -> Option<Figures> {
        let (recent, slipping) = (self.recent.look(print), self.slipping.look(of_voltages));
        let awaited = self.window.look(print);
        let readings = i64::try_from(recent.or(slipping).or(awaited)?).unwrap_or(i64::MAX);
        Some(figures([(Figure::Readings, readings)]))
    }
}

/// The window that is waited for.
#[derive(Clone, Copy, Debug, Default)]
struct Awaited {
    window: [u64; WINDOW],
    filled: usize,
    /// How many of the window's prints have come again by now.
    matched: usize,
    /// Readings since the window was full.
    waited: u64,
    /// The window is given up after so many.
    patience: u64,
}

impl Awaited {
    /// After how many readings the window came again, if it did.
    fn look(&mut self, print: u64) -> Option<u64> {
        if self.filled < WINDOW {
            if let Some(place) = self.window.get_mut(self.filled) {
                *place = print;
            }
            self.filled += 1;
            if self.filled == WINDOW && different(self.window) < LEAST_DIFFERENT {
                self.begin(self.patience);
            }
            return None;
        }
        self.waited += 1;
        self.matched = match self.window.get(self.matched) {
            Some(wanted) if *wanted == print => self.matched + 1,
            Some(_) | None => usize::from(self.window.first() == Some(&print)),
        };
        if self.matched == WINDOW {
            self.matched = 0;
            return Some(std::mem::take(&mut self.waited));
        }
        if self.waited >= self.patience {
            let next = self.patience.saturating_mul(2);
            self.begin(if next > LONGEST { SHORTEST } else { next.max(SHORTEST) });
        }
        None
    }

    fn begin(&mut self, patience: u64) {
        *self = Awaited { patience, ..Awaited::default() };
    }
}

/// How many of a window's prints differ from one another.
fn different(mut window: [u64; WINDOW]) -> usize {
    window.sort_unstable();
    1 + window.windows(2).filter(|pair| pair.first() != pair.last()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plays(tape: impl Iterator<Item = u64>) -> Option<i64> {
        let mut replay = Awaited::default();
        tape.enumerate().find_map(|(at, print)| replay.look(print).map(|_| i64::try_from(at).unwrap()))
    }

    #[test]
    fn a_loop_of_any_length_is_found_within_three_rounds() {
        for length in [20_u64, 100, 1_000, 3_600, 50_000] {
            let found = plays((0..4 * length + 1_000).map(|n| n % length * 77)).unwrap();
            assert!(found <= 3 * length.cast_signed() + 300, "{length}: {found}");
        }
    }

    #[test]
    fn a_life_that_never_repeats_and_a_coarse_meter_are_no_replay() {
        assert_eq!(plays(0..200_000), None);
        assert_eq!(plays((0..200_000).map(|n| n * n % 7 % 3)), None, "three values are too few to tell");
        assert_eq!(plays((0..200_000).map(|n| n / 55)), None, "a gateway that caches");
    }
}
