//! Numbers as a person and a machine read them: thousandths of a unit, written as exact decimals. No float is involved.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value in thousandths of its unit; shown and serialised as an exact decimal such as `230.4` or `-0.05`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(pub i64);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0.unsigned_abs() / 1_000, self.0.unsigned_abs() % 1_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest == 0 {
            return f.pad(&format!("{sign}{whole}"));
        }
        let digits = format!("{rest:03}");
        f.pad(&format!("{sign}{whole}.{}", digits.trim_end_matches('0')))
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thousandths_are_written_exactly() {
        for (thousandths, text) in [
            (230_400, "230.4"),
            (0, "0"),
            (-50, "-0.05"),
            (1, "0.001"),
            (-12_500_000_000, "-12500000"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(Exact(thousandths).to_string(), text);
            assert_eq!(serde_json::to_string(&Exact(thousandths)).unwrap(), text);
        }
        assert_eq!(format!("{:>8}", Exact(50_020)), "   50.02");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(thousandths: i64) {
            let decimal = crate::terms::Decimal::parse(&Exact(thousandths / 10).to_string()).unwrap();
            prop_assert_eq!(decimal.times(1_000), Some(i128::from(thousandths / 10)));
        }
    }
}
