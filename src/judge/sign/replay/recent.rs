//! The runs of the last hour: a recording no longer than that shows in its first repetition.
//!
//! One run of prints of about `ONE_OF` is kept, chosen by its own print alone, so that a run that comes again is chosen
//! again. Two that do not overlap must come again equally far apart, and every one that is chosen between them: one
//! alone comes again by chance where a coarse voltage wanders.

use super::{LEAST_DIFFERENT, WINDOW, different};

/// One of so many runs is kept,
const ONE_OF: u64 = 32;
/// and so many at once: of 4 096 readings or so, more than an hour at a poll a second.
pub(super) const KEPT: usize = 128;

/// Multiplies the print of a run with each reading; odd, so that no reading is lost.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;
/// What the print that leaves a run was multiplied with by then.
const OLDEST: u64 = {
    let (mut power, mut times) = (1_u64, 0);
    while times < WINDOW {
        power = power.wrapping_mul(STRIDE);
        times += 1;
    }
    power
};

/// A print, of one reading or of a run, and when it was met last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    /// Half of its bits: of every meter hundreds are kept, and those that are not told apart are too few to come again
    /// equally far apart.
    print: u32,
    /// The reading it ended with, counted from 1 and round after 2^32; 0 where none is kept.
    at: u32,
}

impl Kept {
    pub(super) fn of(print: u64, at: u64) -> Kept {
        Kept { print: half(print ^ print >> 32), at: half(at) }
    }

    pub(super) fn is(&self, print: u64) -> bool {
        self.print == half(print ^ print >> 32) && self.at > 0
    }

    /// How many readings ago it was met last; from now on that is this one.
    pub(super) fn renew(&mut self, at: u64) -> u64 {
        let before = std::mem::replace(&mut self.at, half(at));
        u64::from(self.at.wrapping_sub(before))
    }
}

/// The lower half.
fn half(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0)
}

/// Whether a print is one of those that are kept, wherever it is met.
pub(super) fn is_chosen(print: u64) -> bool {
    (print ^ print >> 32).wrapping_mul(STRIDE) >> 32 & (ONE_OF - 1) == 0
}

/// What is kept of the last hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recent {
    window: [u64; WINDOW],
    oldest: usize,
    run: u64,
    readings: u64,
    kept: [Kept; KEPT],
    next: usize,
    /// After how many readings runs come again, and the reading that ended the first of them.
    again: Option<(u64, u64)>,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent {
            window: [0; WINDOW],
            oldest: 0,
            run: 0,
            readings: 0,
            kept: [Kept::default(); KEPT],
            next: 0,
            again: None,
        }
    }
}

impl Recent {
    /// Takes the print of a reading; after how many readings the runs came again, if they did.
    pub(super) fn look(&mut self, print: u64) -> Option<u64> {
        let left = self.window.get_mut(self.oldest).map_or(0, |place| std::mem::replace(place, print));
        self.oldest = (self.oldest + 1) % WINDOW;
        self.run = self.run.wrapping_mul(STRIDE).wrapping_add(print).wrapping_sub(left.wrapping_mul(OLDEST));
        self.readings += 1;
        if !is_chosen(self.run) || self.readings < WINDOW as u64 || different(self.window) < LEAST_DIFFERENT {
            return None;
        }
        let Some(known) = self.kept.iter_mut().find(|kept| kept.is(self.run)) else {
            self.again = None;
            self.keep();
            return None;
        };
        let round = known.renew(self.readings);
        let (_, since) =
            *self.again.insert(self.again.filter(|again| again.0 == round).unwrap_or((round, self.readings)));
        (self.readings - since >= WINDOW as u64).then_some(round)
    }

    fn keep(&mut self) {
        if let Some(place) = self.kept.get_mut(self.next) {
            *place = Kept::of(self.run, self.readings);
        }
        self.next = (self.next + 1) % KEPT;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A number that looks like chance.
    pub(in super::super) fn odd(n: u64) -> u64 {
        let n = (n ^ n >> 29).wrapping_add(1).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (n ^ n >> 31).wrapping_mul(0x94D0_49BB_1331_11EB)
    }

    fn found(tape: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
        let mut recent = Recent::default();
        (0..).zip(tape).find_map(|(at, print)| Some((at, recent.look(print)?)))
    }

    #[test]
    fn a_recording_is_found_in_its_first_repetition_however_long_life_went_before() {
        for length in [300_u64, 900, 1_080, 3_600] {
            for before in [0, 1_984, 100_000] {
                let life = (0..before).map(|n| odd(n + 1_000_000));
                let (at, round) = found(life.chain((0..2 * length).map(|n| odd(n % length)))).unwrap();
                assert!(at < before + length + 350, "{length} after {before}: {at}");
                assert_eq!(round, length);
            }
        }
    }

    #[test]
    fn a_long_life_and_a_coarse_meter_are_none() {
        assert_eq!(found((0..300_000).map(odd)), None);
        assert_eq!(found((0..300_000).map(|n| odd(n / 55))), None, "a gateway that caches");
        assert_eq!(found((0..300_000).map(|n| odd(n) % 7)), None, "few values, in no order");
        // A voltage that goes up or down by a digit with each reading, between two ends.
        let coarse = (0..300_000).scan(20_u64, |digit, n| {
            let up = *digit == 0 || *digit < 40 && odd(n) >> 40 & 1 == 0;
            *digit = if up { *digit + 1 } else { *digit - 1 };
            Some(odd(*digit))
        });
        assert_eq!(found(coarse), None, "a coarse voltage that wanders");
    }

    #[test]
    fn one_run_that_comes_again_is_chance() {
        let mut recent = Recent::default();
        let mut chosen = 0;
        for n in 0..20_000 {
            // Runs of 20 that are each told twice, and other readings between.
            let (turn, into) = (n / 60, n % 60);
            let print = if into < 20 { odd(turn / 2 * 100 + into) } else { odd(n + 1_000_000) };
            assert_eq!(recent.look(print), None, "{n}");
            chosen += u64::from(recent.again.is_some());
        }
        assert!(chosen > 0, "a run came again");
    }
}
