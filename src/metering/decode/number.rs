//! One cell's words to one number, as exact as it was sent.

use super::super::{
    Scan,
    profile::{Absent, Cell, Kind, Origin, WordOrder},
    quantity::MAX_VALUE,
};
use crate::terms::Decimal;

/// A raw number as read: exact, or the float that is about to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Of a whole type.
    Whole(i128),
    /// Of a float type, with the distance to its next neighbour.
    Float { value: f64, ulp: f64 },
}

/// What stood in a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) number: Number,
    /// The power of ten its scale-factor register told; 0 without one.
    pub(super) power: i8,
    /// The words as sent, first word highest, packed to the right.
    pub(super) raw: u64,
    /// How many.
    pub(super) raw_words: u8,
}

/// Why a cell gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// Its registers are not in the scan.
    NotRead,
    /// It showed a sentinel, or a float that is no number.
    Absent,
    /// Its scale-factor register says that there is none, or nonsense.
    ScaleUnknown,
    /// The value is past anything a meter can show.
    Implausible,
}

/// Steps of [`Read::fine`] in a thousandth of a unit.
const FINE: i128 = FINE_NARROW as i128;
const FINE_NARROW: i64 = 1_000_000;
/// Digits of a unit in these steps.
const FINE_DIGITS: i8 = 9;
/// Largest power of ten of a SunSpec scale factor, either sign.
const MAX_POWER: i16 = 10;

/// Reads a cell.
pub(super) fn read(cell: &Cell, origin: Origin, scan: &Scan) -> Result<Read, Lack> {
    let words = words(cell, origin, scan).ok_or(Lack::NotRead)?;
    let number = number(cell.kind, cell.order, words);
    if is_absent(cell, number) {
        return Err(Lack::Absent);
    }
    let power = match cell.pow10_block() {
        None => 0,
        Some(block) => {
            let at = origin.address(block.at).ok_or(Lack::NotRead)?;
            let word = scan.words(block.function, at, 1).and_then(|w| w.first()).ok_or(Lack::NotRead)?;
            let power = word.cast_signed();
            let known = (-MAX_POWER..=MAX_POWER).contains(&power);
            i8::try_from(power).ok().filter(|_| known).ok_or(Lack::ScaleUnknown)?
        }
    };
    let (raw, raw_words) = packed(words);
    Ok(Read { number, power, raw, raw_words })
}

/// The words of a cell, if the scan has them.
pub(super) fn words<'a>(cell: &Cell, origin: Origin, scan: &'a Scan) -> Option<&'a [u16]> {
    scan.words(cell.function, origin.address(cell.at)?, cell.kind.words())
}

/// Words as sent, first word highest, packed to the right, and how many.
pub(super) fn packed(words: &[u16]) -> (u64, u8) {
    let raw = words.iter().fold(0, |raw, word| raw << 16 | u64::from(*word));
    (raw, u8::try_from(words.len()).unwrap_or(u8::MAX))
}

impl Read {
    /// The number in millionths of thousandths of its cell's unit, so that a ratio multiplies what was read and not
    /// what was rounded; `None` when it is no finite number or far out of range.
    pub(super) fn fine(self, cell: &Cell) -> Option<i128> {
        let scale = Decimal { exponent: cell.scale.exponent.checked_add(self.power)?, ..cell.scale };
        match self.number {
            // Into fine steps first: that spares a division wherever a scale has nine digits or fewer.
            Number::Whole(raw) => {
                Decimal { exponent: scale.exponent.checked_add(FINE_DIGITS)?, ..scale }.times(raw)
            }
            Number::Float { value, .. } => whole(value * scale_factor(scale) * 1e9),
        }
    }
}

/// Rounded half away from zero; `None` beyond what a record can carry.
pub(super) fn thousandths(fine: i128) -> Option<i64> {
    let half = if fine < 0 { -FINE / 2 } else { FINE / 2 };
    let beyond = fine.checked_add(half)?;
    // Most numbers are narrow, and a wide division is dear.
    let whole = match i64::try_from(beyond) {
        Ok(beyond) => beyond / FINE_NARROW,
        Err(_) => i64::try_from(beyond / FINE).ok()?,
    };
    Some(whole).filter(|v| v.abs() <= MAX_VALUE)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "scales have few digits; a float register has at most 15 anyway"
)]
fn scale_factor(scale: Decimal) -> f64 {
    scale.mantissa as f64 * 10_f64.powi(i32::from(scale.exponent))
}

/// The whole number nearest to a float, well within what can be computed with.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the range is checked first, and below 2^53 nothing is lost"
)]
fn whole(value: f64) -> Option<i128> {
    /// Below this a float and a whole number are exchanged without loss: 2^53.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // Nearly all numbers of meters are below; the general way costs ten times as much.
    if value.abs() < EXACT {
        let cut = value as i64;
        let rest = value - cut as f64;
        return Some(i128::from(cut + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)));
    }
    (value.is_finite() && value.abs() < 1e27).then(|| value.round() as i128)
}

/// What words of a type say, sentinels not yet told apart.
pub(super) fn number(kind: Kind, order: WordOrder, words: &[u16]) -> Number {
    let bits = bits(order, words);
    match kind {
        Kind::U16 | Kind::U32 | Kind::U64 => Number::Whole(i128::from(bits)),
        Kind::I16 => Number::Whole(i128::from(low_16(bits).cast_signed())),
        Kind::I32 => Number::Whole(i128::from(low_32(bits).cast_signed())),
        Kind::I64 => Number::Whole(i128::from(bits.cast_signed())),
        Kind::F32 => single(low_32(bits)),
        Kind::F64 => double(bits),
    }
}

fn bits(order: WordOrder, words: &[u16]) -> u64 {
    let fold = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
    match order {
        WordOrder::Big => words.iter().fold(0, fold),
        WordOrder::Little => words.iter().rev().fold(0, fold),
    }
}

fn low_16(bits: u64) -> u16 {
    u16::try_from(bits & 0xFFFF).unwrap_or(0)
}

fn low_32(bits: u64) -> u32 {
    u32::try_from(bits & 0xFFFF_FFFF).unwrap_or(0)
}

fn single(bits: u32) -> Number {
    let value = f32::from_bits(bits);
    let magnitude = value.abs();
    Number::Float { value: f64::from(value), ulp: f64::from(magnitude.next_up()) - f64::from(magnitude) }
}

fn double(bits: u64) -> Number {
    let value = f64::from_bits(bits);
    Number::Float { value, ulp: value.abs().next_up() - value.abs() }
}

fn is_absent(cell: &Cell, number: Number) -> bool {
    let Absent { max, sunspec, words } = cell.absent;
    match number {
        Number::Float { value, .. } => {
            let named = |word: i64| whole(value) == Some(i128::from(word)) && value.fract() == 0.0;
            !value.is_finite() || words.into_iter().flatten().any(named)
        }
        Number::Whole(number) => {
            let ones = i128::from(cell.kind.ones());
            let (largest, smallest) =
                if cell.kind.is_signed() { (ones >> 1, -(ones >> 1) - 1) } else { (ones, ones) };
            // A raw value may be named by its bits: 0x8000 of a signed type is its smallest.
            let named = |word: i64| {
                let word = i128::from(word);
                word == number || (cell.kind.is_signed() && word == number + ones + 1)
            };
            max && number == largest
                || sunspec && number == smallest
                || words.into_iter().flatten().any(named)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn short_ways_say_what_long_ones_do(bits: u64, small in -1e9_f64..1e9, halves: i32, wide: i128, fine: i64) {
            for value in [f64::from_bits(bits), small, small / 1e9, f64::from(halves) / 2.0] {
                #[expect(clippy::cast_possible_truncation, reason = "this is what it is held against")]
                let rounded = (value.is_finite() && value.abs() < 1e27).then(|| value.round() as i128);
                prop_assert_eq!(whole(value), rounded, "{}", value);
            }
            for fine in [i128::from(fine), wide, wide >> 50, i128::from(halves) * FINE / 2] {
                let half = if fine < 0 { -FINE / 2 } else { FINE / 2 };
                let rounded = fine.checked_add(half).and_then(|beyond| i64::try_from(beyond / FINE).ok());
                prop_assert_eq!(thousandths(fine), rounded.filter(|v| v.abs() <= MAX_VALUE));
            }
        }

        #[test]
        fn a_scale_is_applied_exactly(raw: u32, mantissa in 1_i64..1_000, exponent in -18_i8..=6) {
            let scale = Decimal { mantissa, exponent };
            let fine = Decimal { exponent: exponent + FINE_DIGITS, ..scale }.times(i128::from(raw));
            prop_assert_eq!(fine, scale.times(i128::from(raw) * 1_000 * FINE));
        }
    }
}
