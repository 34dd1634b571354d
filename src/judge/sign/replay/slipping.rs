//! A recording whose words change just as they are polled: some of them are met twice and some not at all, each round
//! others, and a reading begins with one and ends with the next, so that no run of readings comes again whole.
//!
//! Prints of what stands in one answer, of about `ONE_OF` one, are kept, chosen by themselves. Where most of those that
//! are met come again equally far apart, but for a slip, within one round, a recording is played. A coarse voltage that
//! wanders comes back to a digit at any distance, and has too few prints for it.

use super::recent::{KEPT, Kept, is_chosen};

/// A word is met this many readings sooner or later than in the round before, at most.
const SLIP: u64 = 2;
/// So many prints of one round have come again, each at the same distance,
const LEAST_HITS: u64 = 12;
/// beside half as many and this one that have not.
const SPARE_MISSES: u64 = 1;

/// What is kept of single answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slipping {
    last: u64,
    readings: u64,
    kept: [Kept; KEPT],
    next: usize,
    /// After how many readings prints are thought to come again, 0 where nothing is thought.
    round: u64,
    /// The reading with which that began.
    began: u64,
    hits: u64,
    misses: u64,
}

impl Default for Slipping {
    fn default() -> Slipping {
        let kept = [Kept::default(); KEPT];
        Slipping { last: 0, readings: 0, kept, next: 0, round: 0, began: 0, hits: 0, misses: 0 }
    }
}

impl Slipping {
    /// Takes the print of an answer; after how many readings prints come again, if most of them do.
    pub(super) fn look(&mut self, print: u64) -> Option<u64> {
        self.readings += 1;
        let is_met_twice = std::mem::replace(&mut self.last, print) == print;
        if is_met_twice || !is_chosen(print) {
            return None;
        }
        let round = self.since_last(print);
        match round {
            Some(round) if round.abs_diff(self.round) <= SLIP => self.hits += 1,
            Some(_) | None => self.misses += 1,
        }
        if self.misses > self.hits / 2 + SPARE_MISSES || self.readings - self.began > self.round {
            (self.round, self.hits) = round.map_or((0, 0), |round| (round, 1));
            (self.began, self.misses) = (self.readings, 0);
        }
        (self.hits >= LEAST_HITS).then_some(self.round)
    }

    /// Readings since this print was met last, if it was.
    fn since_last(&mut self, print: u64) -> Option<u64> {
        if let Some(known) = self.kept.iter_mut().find(|kept| kept.is(print)) {
            return Some(known.renew(self.readings));
        }
        if let Some(place) = self.kept.get_mut(self.next) {
            *place = Kept::of(print, self.readings);
        }
        self.next = (self.next + 1) % KEPT;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{super::recent::tests::odd, *};

    fn found(tape: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
        let mut slipping = Slipping::default();
        (0..).zip(tape).find_map(|(at, print)| Some((at, slipping.look(print)?)))
    }

    /// Which of two words a poll meets is chance, as good as even.
    fn met_as_it_changes(n: u64) -> u64 {
        n + (odd(n + 7_000_000) >> 20 & 1)
    }

    #[test]
    fn a_recording_polled_just_as_it_changes_is_found_in_its_first_repetition() {
        for length in [900_u64, 1_080, 3_000] {
            for before in [0, 1_984, 100_000] {
                let life = (0..before).map(|n| odd(n + 1_000_000));
                let tape = (0..2 * length).map(|n| odd(met_as_it_changes(n) % length));
                let (at, round) = found(life.chain(tape)).unwrap();
                assert!(at < before + length + 800, "{length} after {before}: {at}");
                assert!(round.abs_diff(length) <= SLIP, "{length}: {round}");
            }
        }
    }

    #[test]
    fn a_long_life_and_a_coarse_meter_are_none() {
        assert_eq!(found((0..300_000).map(odd)), None);
        assert_eq!(found((0..300_000).map(|n| odd(n / 55))), None, "a gateway that caches");
        for values in [7, 41, 150, 400, 1_000, 5_000] {
            assert_eq!(
                found((0..300_000).map(|n| odd(odd(n) % values))),
                None,
                "{values} values, in no order"
            );
            let wander = (0..300_000).scan(values / 2, |digit, n| {
                let up = *digit == 0 || *digit < values && odd(n) >> 40 & 1 == 0;
                *digit = if up { *digit + 1 } else { *digit - 1 };
                Some(odd(*digit))
            });
            assert_eq!(found(wander), None, "a voltage that wanders among {values} digits");
        }
    }

    #[test]
    fn runs_that_are_told_twice_among_others_are_chance() {
        let tape = (0..200_000).map(|n| {
            let (turn, into) = (n / 200, n % 200);
            if into < 60 { odd(turn / 2 * 1_000 + into) } else { odd(n + 1_000_000) }
        });
        assert_eq!(found(tape), None);
    }
}
