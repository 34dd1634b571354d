//! How long each state lasted, and what passed meanwhile.

use coldhearth::judge::State;

/// Microwatts times nanoseconds in a watt-hour.
const WATT_HOUR: i128 = 3_600_000_000_000_000_000;

/// The words of the judge's states, the most severe first, as the shares are told in.
pub const STATES: [&str; 7] = ["drawing", "exporting", "masked", "unknown", "auxiliary", "energised", "dead"];

/// What a stretch of time is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A state of the judge.
    State(State),
    /// Nothing was read.
    Hole,
}

/// Sums from the beginning of the trace up to a moment; the difference of two tells of the time in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Nanoseconds told as each of [`STATES`].
    states: [i128; STATES.len()],
    /// Nanoseconds without a reading.
    pub hole: i128,
    /// Microwatts times nanoseconds drawn.
    drawn: i128,
    /// And flowed back.
    returned: i128,
}

impl Tally {
    pub(crate) fn add(&mut self, told: Told, microwatts: i64, nanos: i128) {
        match told {
            Told::Hole => self.hole += nanos,
            Told::State(state) => {
                let place = STATES.iter().position(|word| *word == state.word());
                if let Some(slot) = place.and_then(|place| self.states.get_mut(place)) {
                    *slot += nanos;
                }
            }
        }
        let energy = i128::from(microwatts) * nanos;
        self.drawn += energy.max(0);
        self.returned += (-energy).max(0);
    }

    /// What came since an earlier tally.
    pub(crate) fn since(&self, earlier: &Tally) -> Tally {
        let mut states = self.states;
        states.iter_mut().zip(earlier.states).for_each(|(now, then)| *now -= then);
        Tally {
            states,
            hole: self.hole - earlier.hole,
            drawn: self.drawn - earlier.drawn,
            returned: self.returned - earlier.returned,
        }
    }

    /// Adds what another stretch of time brought.
    pub(crate) fn add_all(&mut self, other: &Tally) {
        self.states.iter_mut().zip(other.states).for_each(|(sum, part)| *sum += part);
        self.hole += other.hole;
        self.drawn += other.drawn;
        self.returned += other.returned;
    }

    /// What was told otherwise in a stretch that turned out to be a spell is told as drawing; a hole stays one.
    pub(crate) fn tell_as_drawing(&mut self, stretch: &Tally) {
        self.states.iter_mut().zip(stretch.states).for_each(|(all, part)| *all -= part);
        if let Some(drawing) = self.states.first_mut() {
            *drawing += stretch.states.iter().sum::<i128>();
        }
    }

    /// Nanoseconds with a reading.
    pub fn seen(&self) -> i128 {
        self.states.iter().sum()
    }

    /// Nanoseconds in all.
    pub fn whole(&self) -> i128 {
        self.seen() + self.hole
    }

    /// Energy drawn, in watt-hours, to the nearest.
    pub fn drawn_wh(&self) -> i64 {
        watt_hours(self.drawn)
    }

    /// Energy that flowed back, in watt-hours, to the nearest.
    pub fn returned_wh(&self) -> i64 {
        watt_hours(self.returned)
    }

    /// What registers would show now of what was drawn and what flowed back, `nanos` into a row of this mean power.
    pub(crate) fn registers(&self, microwatts: i64, nanos: i128) -> [i64; 2] {
        let energy = i128::from(microwatts) * nanos;
        [self.drawn + energy.max(0), self.returned + (-energy).max(0)]
            .map(|energy| i64::try_from(energy / WATT_HOUR).unwrap_or(i64::MAX))
    }

    /// The share of each of [`STATES`] in the whole, in parts of which `all` are the whole and to which they sum exactly;
    /// a hole is unknown.
    pub fn shares(&self, all: i64) -> [i64; STATES.len()] {
        let all = i128::from(all);
        let whole = self.whole().max(1);
        let mut parts = self.states;
        if let Some(unknown) = parts.get_mut(3) {
            *unknown += self.hole;
        }
        let mut shares = parts.map(|part| part * all / whole);
        // What rounding down left over goes to those it took most from.
        let mut by_loss: Vec<usize> = (0..STATES.len()).collect();
        by_loss.sort_by_key(|at| std::cmp::Reverse(parts.get(*at).map_or(0, |part| part * all % whole)));
        let left = all - shares.iter().sum::<i128>();
        for at in by_loss.into_iter().take(usize::try_from(left).unwrap_or(0)) {
            if let Some(share) = shares.get_mut(at) {
                *share += 1;
            }
        }
        shares.map(|share| i64::try_from(share).unwrap_or(0))
    }
}

fn watt_hours(energy: i128) -> i64 {
    i64::try_from((energy + WATT_HOUR / 2) / WATT_HOUR).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coldhearth::judge::{Sign, state::Why};
    use proptest::prelude::*;

    #[test]
    fn every_state_of_the_judge_has_its_place() {
        let states = [
            State::Drawing,
            State::Exporting,
            State::Masked(Sign::Stuck),
            State::Unknown(Why::Silent),
            State::Auxiliary,
            State::Energised,
            State::Dead,
        ];
        assert_eq!(states.map(State::word), STATES);
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_whole(parts in prop::array::uniform7(0_i128..1 << 60), hole in 1_i128..1 << 60) {
            let tally = Tally { states: parts, hole, ..Tally::default() };
            let shares = tally.shares(1_000_000);
            prop_assert_eq!(tally.shares(10_000).iter().sum::<i64>(), 10_000);
            prop_assert_eq!(shares.iter().sum::<i64>(), 1_000_000);
            for (at, share) in shares.iter().enumerate() {
                let part = parts[at] + if at == 3 { hole } else { 0 };
                prop_assert!((i128::from(*share) - part * 1_000_000 / tally.whole()).abs() <= 1);
            }
        }
    }
}
