//! Quantities as integers with the unit in the type. No float exists past the meter's decoder.

use std::fmt;

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub i64);
    )*};
}

quantities! {
    /// Active power in milliwatts; negative flows out of the feeder.
    MilliWatts
    /// Active energy in watt-hours.
    WattHours
    /// Voltage in millivolts.
    MilliVolts
    /// Current in milliamperes.
    MilliAmps
    /// Frequency in millihertz.
    MilliHertz
}

impl MilliWatts {
    /// Whole watts, rounded towards zero, as records state them.
    pub const fn watts(self) -> i64 {
        self.0 / 1_000
    }

    /// Power from whole watts; saturates at the ends of the type.
    pub const fn from_watts(watts: i64) -> MilliWatts {
        MilliWatts(watts.saturating_mul(1_000))
    }

    /// Energy of this power held for `span_ms`, rounded up to a whole watt-hour.
    pub fn over_ms(self, span_ms: i64) -> WattHours {
        /// Milliwatts times milliseconds in a watt-hour.
        const WATT_HOUR: i64 = 3_600_000_000;
        // 200 MW over a year is past i64; what a poll or a day brings is not, and a wide division is dear.
        if let Some(product) = self.0.checked_mul(span_ms) {
            return WattHours(product / WATT_HOUR + i64::from(product % WATT_HOUR > 0));
        }
        let (product, per) = (i128::from(self.0) * i128::from(span_ms), i128::from(WATT_HOUR));
        let up = product / per + i128::from(product % per > 0);
        WattHours(i64::try_from(up).unwrap_or(i64::MAX))
    }
}

/// An exact decimal number as written in a file: `mantissa * 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The digits, without the point.
    pub mantissa: i64,
    /// Power of ten; between -18 and 18.
    pub exponent: i8,
}

impl Decimal {
    /// One.
    pub const ONE: Decimal = Decimal { mantissa: 1, exponent: 0 };

    /// Reads `-12.50`, `1e3` or `7`. `None` past 18 digits or when it is no finite number.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        if whole.trim_start_matches(['-', '+']).is_empty() && fraction.is_empty() {
            return None;
        }
        if fraction.starts_with(['-', '+']) {
            return None;
        }
        let mantissa: i64 = format!("{whole}{fraction}").parse().ok()?;
        let exponent = power.parse::<i8>().ok()?.checked_sub(i8::try_from(fraction.len()).ok()?)?;
        (-18..=18).contains(&exponent).then_some(Decimal { mantissa, exponent })
    }

    /// `value * self`, rounded half away from zero; `None` when it does not fit.
    pub fn times(self, value: i128) -> Option<i128> {
        let product = value.checked_mul(i128::from(self.mantissa))?;
        let ten = *TENS.get(usize::from(self.exponent.unsigned_abs()))?;
        if self.exponent >= 0 { product.checked_mul(ten) } else { Some(round_div(product, ten)) }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.exponent == 0 {
            write!(f, "{}", self.mantissa)
        } else {
            write!(f, "{}e{}", self.mantissa, self.exponent)
        }
    }
}

/// A transformer ratio such as 3000/5, never zero on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    primary: u32,
    secondary: u32,
}

impl Ratio {
    /// No transformer between the line and the meter.
    pub const DIRECT: Ratio = Ratio { primary: 1, secondary: 1 };

    /// A ratio; `None` if either side is zero.
    pub const fn new(primary: u32, secondary: u32) -> Option<Ratio> {
        if primary == 0 || secondary == 0 { None } else { Some(Ratio { primary, secondary }) }
    }

    /// Reads `3000/5`.
    pub fn parse(text: &str) -> Option<Ratio> {
        let (primary, secondary) = text.split_once('/')?;
        Ratio::new(primary.trim().parse().ok()?, secondary.trim().parse().ok()?)
    }

    /// The primary side as named on the plate: amperes of a current, volts of a voltage transformer.
    pub const fn primary(self) -> u32 {
        self.primary
    }

    /// The secondary side as named on the plate.
    pub const fn secondary(self) -> u32 {
        self.secondary
    }

    /// The same multiplication in the smallest numbers, so 3000/5 becomes 600/1.
    #[must_use]
    pub const fn reduced(self) -> Ratio {
        let (mut a, mut b) = (self.primary, self.secondary);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        // Neither side is zero, so neither is what divides both.
        Ratio { primary: self.primary / a, secondary: self.secondary / a }
    }

    /// A secondary-side value seen from the primary side, rounded half away from zero.
    pub fn applied_to(self, value: i128) -> Option<i128> {
        Some(round_div(value.checked_mul(i128::from(self.primary))?, i128::from(self.secondary)))
    }

    /// True when both describe the same multiplication, so 3000/5 equals 600/1.
    pub fn same_as(self, other: Ratio) -> bool {
        u64::from(self.primary) * u64::from(other.secondary)
            == u64::from(other.primary) * u64::from(self.secondary)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.primary, self.secondary)
    }
}

/// Powers of ten, as many as fit.
#[expect(clippy::indexing_slicing, reason = "worked out while this is compiled")]
const TENS: [i128; 39] = {
    let (mut powers, mut power) = ([1; 39], 1);
    while power < powers.len() {
        powers[power] = powers[power - 1] * 10;
        power += 1;
    }
    powers
};

/// The quotient rounded half away from zero. Most values are narrow, and a wide division is dear.
fn round_div(value: i128, by: i128) -> i128 {
    if by == 1 {
        return value;
    }
    let half = by / 2;
    let beyond = if value >= 0 { value + half } else { value - half };
    match (i64::try_from(beyond), i64::try_from(by)) {
        (Ok(beyond), Ok(by)) => i128::from(beyond / by),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => beyond / by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_narrow_division_says_what_a_wide_one_does(wide: i128, narrow: i64, small in -5_000_i64..5_000, by: u32, ms: i64) {
            let per = i128::from(by) + 1;
            for value in [wide / 2, i128::from(narrow), i128::from(small), i128::from(small) * per / 2] {
                let half = per / 2;
                let rounded = if value >= 0 { (value + half) / per } else { (value - half) / per };
                prop_assert_eq!(round_div(value, per), rounded);
            }
            for (power, span) in [(narrow, ms), (narrow >> 24, ms >> 20), (small, ms >> 12), (small * 3_600_000, i64::from(by))] {
                let product = i128::from(power) * i128::from(span);
                let up = if product > 0 { (product + 3_599_999_999) / 3_600_000_000 } else { product / 3_600_000_000 };
                prop_assert_eq!(MilliWatts(power).over_ms(span), WattHours(i64::try_from(up).unwrap_or(i64::MAX)));
            }
        }
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(Decimal::parse("0.01"), Some(Decimal { mantissa: 1, exponent: -2 }));
        assert_eq!(Decimal::parse("1000.0"), Some(Decimal { mantissa: 1000, exponent: 0 }));
        assert_eq!(Decimal::parse("-2.5e3"), Some(Decimal { mantissa: -25, exponent: 2 }));
        for wrong in ["", ".", "-", "nan", "inf", "1.-5", "1e99", "99999999999999999999"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Decimal::parse("0.1").unwrap().times(25), Some(3));
        assert_eq!(Decimal::parse("0.1").unwrap().times(-25), Some(-3));
    }

    #[test]
    fn a_ratio_multiplies_and_compares_by_value() {
        let ratio = Ratio::parse("3000/5").unwrap();
        assert_eq!(ratio.applied_to(7), Some(4_200));
        assert!(ratio.same_as(Ratio::new(600, 1).unwrap()));
        assert_eq!(Ratio::parse("3000/0"), None);
        assert_eq!(Ratio::parse("3000"), None);
    }

    #[test]
    fn energy_of_a_power_is_rounded_up() {
        assert_eq!(MilliWatts::from_watts(3_600).over_ms(1_000), WattHours(1));
        assert_eq!(MilliWatts::from_watts(1).over_ms(1), WattHours(1));
        assert_eq!(MilliWatts::from_watts(200_000_000).over_ms(31_536_000_000), WattHours(1_752_000_000_000));
    }
}
