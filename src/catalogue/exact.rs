//! A number exactly as it was written, of any length: 4.3 is 4.3, and 4.30 is the same.

use std::{cmp::Ordering, fmt};

use crate::terms::Decimal;

/// Largest power of ten a number may reach; beyond it common readers see infinity.
const MAX_POWER: i64 = 308;
/// Smallest power of ten; below it common readers see zero.
const MIN_POWER: i64 = -323;

/// A finite number, `0.digits * 10^power`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    negative: bool,
    /// Digits without zeros at either end; empty for zero.
    digits: Box<str>,
    power: i64,
}

impl Exact {
    /// Reads `-12.50`, `1e3` or `7`. `None` when it is no number, or not finite to common readers.
    pub fn parse(text: &str) -> Option<Exact> {
        let (number, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let (written, significant) = (digits.len(), significant.trim_end_matches('0'));
        if significant.is_empty() {
            return Some(Exact { negative: false, digits: "".into(), power: 0 });
        }
        let leading = digits.len() - digits.trim_start_matches('0').len();
        let places = i64::try_from(written - fraction.len()).ok()? - i64::try_from(leading).ok()?;
        let power = power.parse::<i64>().ok()?.checked_add(places)?;
        let finite = (MIN_POWER..=MAX_POWER).contains(&(power - 1));
        finite.then(|| Exact { negative, digits: significant.into(), power })
    }

    /// `mantissa * 10^exponent`.
    pub fn new(mantissa: i64, exponent: i64) -> Option<Exact> {
        Exact::parse(&format!("{mantissa}e{exponent}"))
    }

    /// True above zero.
    pub fn is_positive(&self) -> bool {
        !self.negative && !self.digits.is_empty()
    }

    /// The number, where it is whole and fits.
    pub fn whole(&self) -> Option<i64> {
        let width = usize::try_from(self.power.max(0)).ok().filter(|width| *width <= 19)?;
        if self.digits.len() > width {
            return None;
        }
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{:0<width$}", &*self.digits)
            .parse()
            .ok()
            .or(Some(0).filter(|_| self.digits.is_empty()))
    }

    fn magnitude(&self, other: &Exact) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Without trailing zeros digits compare as text does.
            (false, false) => self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Exact {
        // Always within the powers: the exponent lies between -18 and 18.
        Exact::new(decimal.mantissa, i64::from(decimal.exponent)).unwrap_or(Exact {
            negative: false,
            digits: "".into(),
            power: 0,
        })
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Plain where it is short, else with an exponent.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        match usize::try_from(self.power) {
            Ok(places) if places <= 21 => match self.digits.split_at_checked(places) {
                Some((whole, "")) => f.write_str(whole),
                Some(("", fraction)) => write!(f, "0.{fraction}"),
                Some((whole, fraction)) => write!(f, "{whole}.{fraction}"),
                None => write!(f, "{:0<places$}", &*self.digits),
            },
            Ok(_) | Err(_) => write!(f, "0.{}e{}", self.digits, self.power),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    #[test]
    fn the_same_number_written_in_two_ways_is_one() {
        for (a, b) in [
            ("4.3", "4.30"),
            ("3.0", "3"),
            ("6300", "6.3e3"),
            ("0", "-0.00"),
            ("1e-2", "0.01"),
            ("0e999", "0"),
        ] {
            assert_eq!(exact(a), exact(b), "{a} {b}");
        }
    }

    #[test]
    fn numbers_are_in_order() {
        let rising = [
            "-1e300",
            "-6300",
            "-4.3",
            "-4.2999",
            "0",
            "1e-300",
            "0.01",
            "4.2999999999999999999999999",
            "4.3",
            "4.30000000000000000000001",
            "10",
            "11",
            "101",
            "6299.999",
            "6300",
            "12345678901234567890123",
            "1e300",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(exact(a).cmp(&exact(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        for wrong in
            ["", "-", "NaN", "Infinity", "1e309", "1e-400", "1e99999999999999999999", "1.2.3", "+1", ".5"]
        {
            assert_eq!(Exact::parse(wrong), None, "{wrong}");
        }
        assert!(Exact::parse("1.7e308").is_some() && Exact::parse("5e-323").is_some());
    }

    #[test]
    fn whole_numbers_and_their_writing() {
        for (text, whole) in [
            ("1998", Some(1998)),
            ("1998.0", Some(1998)),
            ("2e3", Some(2000)),
            ("1998.5", None),
            ("0", Some(0)),
            ("-3", Some(-3)),
            ("0.5", None),
            ("1e30", None),
        ] {
            assert_eq!(exact(text).whole(), whole, "{text}");
        }
        for text in ["4.3", "0.05", "6300", "100", "-2.5", "0"] {
            assert_eq!(exact(&exact(text).to_string()), exact(text));
        }
        assert_eq!(exact("6300").to_string(), "6300");
        assert_eq!(exact("0.43e1").to_string(), "4.3");
    }

    #[test]
    fn a_decimal_of_a_file_is_taken_over_exactly() {
        for text in ["0", "-0.5", "9223372036854775807", "1e18", "123.456"] {
            assert_eq!(Exact::from(Decimal::parse(text).unwrap()), exact(text));
        }
    }
}
