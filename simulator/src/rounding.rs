//! The casts between integers and floats, each once and with its reason.

/// The nearest whole number, halves away from zero; beyond the ends of the type, its end; 0 for what is no number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "its fraction is looked at next; a cast of a float saturates"
)]
pub(crate) fn nearest(value: f64) -> i64 {
    // A hundred of these belong to one look at a plant, and `round` is a call.
    let whole = value as i64;
    let rest = value - real(whole);
    whole.saturating_add(i64::from(rest >= 0.5)).saturating_sub(i64::from(rest <= -0.5))
}

/// A whole number as a float.
#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 the last digits are below any meter's resolution"
)]
pub(crate) fn real(value: i64) -> f64 {
    value as f64
}

/// A part of a whole, both shorter than 49 days in milliseconds; 0 of nothing.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    let float = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

/// A large whole number as a float.
#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 the last digits are below any meter's resolution"
)]
pub(crate) fn real_wide(value: i128) -> f64 {
    value as f64
}

/// What a float register of 32 bits can hold of a number.
#[expect(clippy::cast_possible_truncation, reason = "this loss of digits is the meter's own")]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nearest_is_what_rounding_says(bits: u64, small in -1e7_f64..1e7, halves in -1_000_000_i64..1_000_000) {
            let any = f64::from_bits(bits);
            for value in [any, small, small / 1e6, real(halves) / 2.0, real(halves) * 1e12, small.round()] {
                #[expect(clippy::cast_possible_truncation, reason = "this is what it is held against")]
                let rounded = value.round() as i64;
                prop_assert_eq!(nearest(value), rounded, "{}", value);
            }
        }
    }

    #[test]
    fn nearest_at_its_ends() {
        let below_half = 0.499_999_999_999_999_94;
        assert_eq!([below_half, 0.5, -0.5, -0.0, f64::NAN].map(nearest), [0, 1, -1, 0, 0]);
        let far = [f64::INFINITY, f64::NEG_INFINITY, 9.3e18, -9.3e18].map(nearest);
        assert_eq!(far, [i64::MAX, i64::MIN, i64::MAX, i64::MIN]);
    }
}
