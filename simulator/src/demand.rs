//! The highest demand of a month: means over a quarter of an hour of the meter's own clock, cleared on the first.

use coldhearth::terms::LegalDay;

/// Length of a mean, in milliseconds.
const BLOCK_MS: u64 = 900_000;

/// The demand register of a meter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    /// Imported in the present quarter of an hour, milliwatts times milliseconds.
    block: u128,
    /// The highest mean of the month, in milliwatts.
    highest: u64,
}

impl Demand {
    /// Adds an import held for a while, at most a quarter of an hour, from a moment on. `clock_unix_ms` is what the
    /// meter's clock says at that moment.
    pub(crate) fn count(&mut self, milliwatts: i64, clock_unix_ms: i64, span_ms: u64) {
        let power = u64::try_from(milliwatts).unwrap_or(0);
        let left = BLOCK_MS - clock_unix_ms.rem_euclid(BLOCK_MS.cast_signed()).unsigned_abs();
        self.block += u128::from(power) * u128::from(span_ms.min(left));
        if span_ms < left {
            return;
        }
        let mean = u64::try_from(self.block / u128::from(BLOCK_MS)).unwrap_or(u64::MAX);
        self.highest = self.highest.max(mean);
        self.block = u128::from(power) * u128::from(span_ms - left);
        let month = |unix_ms: i64| LegalDay::of_unix_ms(unix_ms).month();
        let ends = clock_unix_ms.saturating_add_unsigned(left);
        if month(ends) != month(clock_unix_ms) {
            self.clear();
        }
    }

    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.highest = 0;
    }

    /// The highest mean of this month, in milliwatts.
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-31 23:30 in China.
    const BEFORE: i64 = 1_801_409_400_000;

    #[test]
    fn the_highest_quarter_of_an_hour_counts_until_the_first_of_the_month() {
        let mut demand = Demand::default();
        let mut clock = BEFORE;
        let mut run = |demand: &mut Demand, milliwatts: i64, minutes: u64| {
            for _ in 0..minutes {
                demand.count(milliwatts, clock, 60_000);
                clock += 60_000;
            }
        };
        run(&mut demand, 600, 10);
        assert_eq!(demand.highest(), 0, "no quarter of an hour is over");
        run(&mut demand, 900, 5);
        assert_eq!(demand.highest(), 700);
        run(&mut demand, -5_000, 14);
        assert_eq!(demand.highest(), 700);
        run(&mut demand, 100, 1);
        assert_eq!(demand.highest(), 0, "midnight of the first");
        run(&mut demand, 200, 15);
        assert_eq!(demand.highest(), 200);
    }

    #[test]
    fn a_span_over_the_end_of_a_mean_is_split() {
        let mut demand = Demand::default();
        demand.count(900, BEFORE - 1_000, 2_000);
        assert_eq!(demand.highest(), 1);
        demand.count(0, BEFORE + 1_000, 899_000);
        assert_eq!(demand.highest(), 1);
        assert_eq!(demand.block, 0);
    }
}
