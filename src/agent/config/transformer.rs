//! Ratios on the plates of instrument transformers: primary side first. One that is written the wrong way round would make
//! every power thousands of times too small, and the meter look all the better.

use crate::terms::{
    Ratio,
    flaw::Wrong,
    form::{self, Reading, Value},
};

/// Secondary sides of current transformers for meters, in amperes (IEC 61869-2, 5.202).
const SECONDARY_A: [u32; 2] = [1, 5];

/// The ratio of a current transformer.
///
/// # Errors
/// No ratio, or none that such a transformer has.
pub(super) fn current(value: &Value) -> Reading<Ratio> {
    let ratio = form::ratio(value)?;
    let right = "write it as on the plate, primary amperes before the secondary's 1 or 5: \"400/5\"";
    if !SECONDARY_A.contains(&ratio.secondary()) {
        return Err(Wrong::new(format!("is {ratio}: a secondary of {} A", ratio.secondary()), right));
    }
    steps_down(ratio, right)
}

/// The ratio of a voltage transformer.
///
/// # Errors
/// No ratio, or one that steps up.
pub(super) fn voltage(value: &Value) -> Reading<Ratio> {
    steps_down(form::ratio(value)?, "write it as on the plate, primary volts before secondary: \"10000/100\"")
}

fn steps_down(ratio: Ratio, right: &str) -> Reading<Ratio> {
    if ratio.primary() < ratio.secondary() {
        return Err(Wrong::new(format!("is {ratio}: the secondary side is the larger one"), right));
    }
    Ok(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_the_wrong_way_round_is_refused() {
        let read = |read: fn(&Value) -> Reading<Ratio>, text: &str| read(&Value::Text(text.to_owned()));
        for good in ["400/5", "600/1", "5/5", "3000 / 5"] {
            assert!(read(current, good).is_ok(), "{good}");
        }
        for wrong in ["5/400", "400/400", "400/50", "1/5", "400"] {
            let told = read(current, wrong).unwrap_err();
            assert!(told.right.contains("400/5") || wrong == "400", "{told:?}");
        }
        assert!(read(voltage, "35000/100").is_ok() && read(voltage, "400/400").is_ok());
        assert!(read(voltage, "100/35000").is_err());
    }
}
