//! The casts between integers and floats, each once and with its reason.

/// The nearest whole number; beyond the ends of the type, its end; 0 for what is no number.
#[expect(clippy::cast_possible_truncation, reason = "rounded first; a cast of a float saturates")]
pub(crate) fn nearest(value: f64) -> i64 {
    value.round() as i64
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
