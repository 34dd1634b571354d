//! Register words to integers with units. The only place in the program where a floating-point number exists.

use super::{
    Fault, Profile, Scan,
    profile::{Absent, Cell, Kind, RatioCells, Row, WordOrder},
    quantity::{QUANTITIES, Quantity},
    reading::Register,
};
use crate::terms::{Decimal, Ratio, WattHours};

/// Largest magnitude a decoded value may have, in thousandths of its unit: what a record can carry exactly.
pub const MAX_VALUE: i64 = (1 << 53) - 1;

/// The transformer ratios declared at commissioning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Current transformer.
    pub ct: Option<Ratio>,
    /// Voltage transformer.
    pub pt: Option<Ratio>,
}

/// The ratios a reading was multiplied with; [`Ratio::DIRECT`] where its values are primary already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Current transformer.
    pub ct: Ratio,
    /// Voltage transformer.
    pub pt: Ratio,
}

impl Applied {
    /// Nothing was multiplied.
    pub const DIRECT: Applied = Applied { ct: Ratio::DIRECT, pt: Ratio::DIRECT };
}

/// The ratios a meter tells of itself in a scan of its ratio words; a side that is absent or zero is not told.
pub fn told(profile: &Profile, scan: &Scan) -> Declared {
    let tell = |cells: Option<&RatioCells>| cells.and_then(|cells| told_ratio(cells, scan));
    Declared { ct: tell(profile.ct.as_ref()), pt: tell(profile.pt.as_ref()) }
}

/// What multiplies the rows of a profile, given what the meter tells of itself and what was declared.
///
/// # Errors
/// [`Fault::RatioUnknown`] or [`Fault::RatioDiffers`].
pub fn applied(profile: &Profile, declared: Declared, told: Declared) -> Result<Applied, Fault> {
    Ok(Applied {
        ct: ratio(profile.needs_ct(), profile.ct.is_some(), declared.ct, told.ct)?,
        pt: ratio(profile.needs_pt(), profile.pt.is_some(), declared.pt, told.pt)?,
    })
}

/// Values and registers of one scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Thousandths of each quantity's unit, primary side.
    pub values: [Option<i64>; QUANTITIES],
    /// The import register, or the combined total.
    pub import: Option<Register>,
}

/// Decodes a complete scan, ratio words included.
///
/// # Errors
/// [`Fault::RatioUnknown`] or [`Fault::RatioDiffers`]: a secondary-side value without a certain ratio is no value.
pub fn decode(profile: &Profile, declared: Declared, scan: &Scan) -> Result<Decoded, Fault> {
    Ok(decode_with(profile, applied(profile, declared, told(profile, scan))?, scan))
}

/// Decodes a scan with ratios that are already known.
pub fn decode_with(profile: &Profile, Applied { ct, pt }: Applied, scan: &Scan) -> Decoded {
    let mut values = [None; QUANTITIES];
    for row in &profile.rows {
        if let Some(value) = values.get_mut(row.quantity.index()) {
            *value = number(&row.cell, scan).and_then(|n| primary(row, n, ct, pt));
        }
    }
    // By what the map has, never by what happens to be readable: two counters are not one.
    let mapped = profile.row(Quantity::Import).or_else(|| profile.row(Quantity::Energy));
    Decoded { values, import: mapped.and_then(|row| register(row, scan, ct, pt)) }
}

/// A raw number as read: exact, or the float that is about to end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i128),
    Float { value: f64, ulp: f64 },
}

/// The ratio the meter tells, checked against the declared one. What the meter tells of itself counts even where its
/// values are primary already: an edit there changes them.
fn ratio(needed: bool, tells: bool, declared: Option<Ratio>, told: Option<Ratio>) -> Result<Ratio, Fault> {
    if !tells {
        let known = if needed { declared } else { Some(Ratio::DIRECT) };
        return known.ok_or(Fault::RatioUnknown);
    }
    match (told, declared) {
        (Some(told), Some(declared)) if !told.same_as(declared) => Err(Fault::RatioDiffers),
        (Some(told), _) => Ok(if needed { told } else { Ratio::DIRECT }),
        (None, None) if !needed => Ok(Ratio::DIRECT),
        (None, _) => Err(Fault::RatioUnknown),
    }
}

fn told_ratio(cells: &RatioCells, scan: &Scan) -> Option<Ratio> {
    let read = |cell: &Cell| thousandths(fine(cell, number(cell, scan)?)?);
    let secondary = match &cells.over {
        Some(over) => read(over)?,
        None => 1_000,
    };
    Ratio::new(u32::try_from(read(&cells.value)?).ok()?, u32::try_from(secondary).ok()?)
}

fn primary(row: &Row, number: Number, ct: Ratio, pt: Ratio) -> Option<i64> {
    let value = fine(&row.cell, number)?;
    let value = if row.times.ct { ct.applied_to(value)? } else { value };
    let value = if row.times.pt { pt.applied_to(value)? } else { value };
    thousandths(value)
}

fn register(row: &Row, scan: &Scan, ct: Ratio, pt: Ratio) -> Option<Register> {
    let words = scan.words(row.cell.function, row.cell.at, row.cell.kind.words())?;
    let number = number(&row.cell, scan)?;
    let energy = primary(row, number, ct, pt)?;
    let step = match number {
        Number::Whole(_) => primary(row, Number::Whole(1), ct, pt),
        Number::Float { ulp, .. } => primary(row, Number::Float { value: ulp, ulp }, ct, pt),
    };
    // Past what a record can carry a register wraps in thousands of years: as good as never.
    let modulus = match row.cell.kind {
        Kind::U16 => primary(row, Number::Whole(1 << 16), ct, pt),
        Kind::U32 => primary(row, Number::Whole(1 << 32), ct, pt),
        Kind::I16 | Kind::I32 | Kind::I64 | Kind::U64 | Kind::F32 | Kind::F64 => None,
    };
    Some(Register {
        energy: WattHours(energy),
        step: WattHours(step.unwrap_or(1).max(1)),
        modulus: modulus.map(WattHours),
        raw: words.iter().fold(0, |raw, word| raw << 16 | u64::from(*word)),
        raw_words: u8::try_from(words.len()).ok()?,
    })
}

/// Steps of [`fine`] in a thousandth of a unit.
const FINE: i128 = 1_000_000;

/// A number in millionths of thousandths of its cell's unit, so that a ratio multiplies what was read and not what was
/// rounded; `None` when it is no finite number or far out of range.
fn fine(cell: &Cell, number: Number) -> Option<i128> {
    match number {
        Number::Whole(raw) => cell.scale.times(raw.checked_mul(1_000 * FINE)?),
        Number::Float { value, .. } => whole(value * scale_factor(cell.scale) * 1e9),
    }
}

/// Rounded half away from zero; `None` beyond what a record can carry.
fn thousandths(fine: i128) -> Option<i64> {
    let half = if fine < 0 { -FINE / 2 } else { FINE / 2 };
    i64::try_from((fine + half) / FINE).ok().filter(|v| v.abs() <= MAX_VALUE)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "scales have few digits; a float register has at most 15 anyway"
)]
fn scale_factor(scale: Decimal) -> f64 {
    scale.mantissa as f64 * 10_f64.powi(i32::from(scale.exponent))
}

/// The whole number nearest to a float, well within what can be computed with.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn whole(value: f64) -> Option<i128> {
    (value.is_finite() && value.abs() < 1e27).then(|| value.round() as i128)
}

fn number(cell: &Cell, scan: &Scan) -> Option<Number> {
    let words = scan.words(cell.function, cell.at, cell.kind.words())?;
    let fold = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
    let bits = match cell.order {
        WordOrder::Big => words.iter().fold(0, fold),
        WordOrder::Little => words.iter().rev().fold(0, fold),
    };
    let number = match cell.kind {
        Kind::U16 | Kind::U32 | Kind::U64 => Number::Whole(i128::from(bits)),
        Kind::I16 => Number::Whole(i128::from(low_16(bits).cast_signed())),
        Kind::I32 => Number::Whole(i128::from(low_32(bits).cast_signed())),
        Kind::I64 => Number::Whole(i128::from(bits.cast_signed())),
        Kind::F32 => single(low_32(bits)),
        Kind::F64 => double(bits),
    };
    (!is_absent(cell, bits, number)).then_some(number)
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

fn is_absent(cell: &Cell, bits: u64, number: Number) -> bool {
    let width = u32::from(cell.kind.words()) * 16;
    let ones = u64::MAX >> (64 - width);
    let (signed, float) = match cell.kind {
        Kind::I16 | Kind::I32 | Kind::I64 => (true, false),
        Kind::F32 | Kind::F64 => (false, true),
        Kind::U16 | Kind::U32 | Kind::U64 => (false, false),
    };
    match (cell.absent, number) {
        (_, Number::Float { value, .. }) if !value.is_finite() => true,
        (Absent::Never, _) => false,
        (Absent::Word(word), Number::Whole(n)) => n == i128::from(word),
        (Absent::Word(word), Number::Float { value, .. }) => {
            whole(value) == Some(i128::from(word)) && value.fract() == 0.0
        }
        (Absent::Max | Absent::Sunspec, _) if float => false,
        (Absent::Max, _) => bits == if signed { ones >> 1 } else { ones },
        (Absent::Sunspec, _) => bits == if signed { (ones >> 1) + 1 } else { ones },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::{
        profile::tests::SMALL,
        scan::{Block, Function},
    };

    fn scan(blocks: &[(Function, u16, &[u16])]) -> Scan {
        let mut scan = Scan::default();
        for (function, at, words) in blocks {
            let count = u16::try_from(words.len()).unwrap();
            assert!(scan.push(Block { function: *function, at: *at, count }, words));
        }
        scan
    }

    fn small(text: &str, volts: u16, ct: &[u16], declared: Option<&str>) -> Result<Decoded, Fault> {
        let profile = Profile::parse("small.toml", text).unwrap();
        let hours = 1234.5_f32.to_bits();
        let (high, low) = (u16::try_from(hours >> 16).unwrap(), u16::try_from(hours & 0xFFFF).unwrap());
        let mut blocks: Vec<(Function, u16, &[u16])> = vec![
            (Function::Holding, 0, std::slice::from_ref(&volts)),
            (Function::Holding, 10, &[0xFFFF, 0xFF9C]),
            (Function::Holding, 20, &[0x0001, 0x0000]),
        ];
        if !ct.is_empty() {
            blocks.push((Function::Holding, 100, ct));
        }
        let run = [high, low];
        blocks.push((Function::Input, 22, &run));
        let declared = Declared { ct: declared.and_then(Ratio::parse), pt: None };
        decode(&profile, declared, &scan(&blocks))
    }

    #[test]
    fn secondary_values_are_multiplied_by_the_ratio_the_meter_tells() {
        let decoded = small(SMALL, 2304, &[600], None).unwrap();
        let value = |q: Quantity| decoded.values[q.index()];
        assert_eq!(value(Quantity::Power), Some(-100_000 * 600));
        assert_eq!(value(Quantity::VoltageL1), Some(230_400));
        assert_eq!(value(Quantity::RunHours), Some(1_234_500));
        let import = decoded.import.unwrap();
        assert_eq!(import.energy, WattHours(65_536 * 10 * 600));
        assert_eq!(import.step, WattHours(6_000));
        assert_eq!(import.modulus, Some(WattHours((1 << 32) * 10 * 600)));
        assert_eq!((import.raw, import.raw_words), (0x0001_0000, 2));
    }

    #[test]
    fn a_value_without_a_certain_ratio_is_no_value() {
        assert_eq!(small(SMALL, 1, &[], None).unwrap_err(), Fault::RatioUnknown);
        assert_eq!(small(SMALL, 1, &[0], None).unwrap_err(), Fault::RatioUnknown);
        assert_eq!(small(SMALL, 1, &[600], Some("400/1")).unwrap_err(), Fault::RatioDiffers);
        assert!(small(SMALL, 1, &[600], Some("3000/5")).is_ok());
        assert_eq!(
            small(SMALL, 1, &[0], Some("3000/5")).unwrap_err(),
            Fault::RatioUnknown,
            "told, not readable"
        );
        let declared_only = SMALL.replace("[ratio]\nct = { at = 100, type = \"u16\" }\n", "");
        assert_eq!(small(&declared_only, 1, &[], None).unwrap_err(), Fault::RatioUnknown);
        let power = |d: Decoded| d.values[Quantity::Power.index()];
        assert_eq!(small(&declared_only, 1, &[], Some("3000/5")).map(power), Ok(Some(-100_000 * 600)));
    }

    #[test]
    fn a_ratio_edited_in_a_meter_with_primary_values_is_seen() {
        let primary = SMALL.replace("\"secondary\"", "\"primary\"").replace(", times = \"ct\"", "");
        assert_eq!(small(&primary, 1, &[600], Some("400/1")).unwrap_err(), Fault::RatioDiffers);
        let power = small(&primary, 1, &[600], Some("3000/5")).unwrap().values[Quantity::Power.index()];
        assert_eq!(power, Some(-100_000), "compared, but not multiplied");
    }

    #[test]
    fn the_ratio_multiplies_what_was_read_not_what_was_rounded() {
        let text = SMALL.replace("scale = 0.01", "scale = 0.0001");
        let profile = Profile::parse("small.toml", &text).unwrap();
        let scan = scan(&[(Function::Holding, 20, &[0, 5]), (Function::Holding, 100, &[600])]);
        let import = decode(&profile, Declared::default(), &scan).unwrap().import.unwrap();
        assert_eq!((import.energy, import.step), (WattHours(300), WattHours(60)));
    }

    #[test]
    fn a_sentinel_is_absent_and_zero_is_zero() {
        let volts = |raw| small(SMALL, raw, &[600], None).unwrap().values[Quantity::VoltageL1.index()];
        assert_eq!(volts(0xFFFF), None);
        assert_eq!(volts(0), Some(0));
    }

    #[test]
    fn a_float_that_is_no_number_is_absent_and_its_step_grows_with_its_value() {
        let text = SMALL.replace("\"u32\", scale = 0.01, times = \"ct\"", "\"f32\"");
        let profile = Profile::parse("f.toml", &text).unwrap();
        let read = |kwh: f32| {
            let bits = kwh.to_bits();
            let words = [u16::try_from(bits >> 16).unwrap(), u16::try_from(bits & 0xFFFF).unwrap()];
            let scan = scan(&[(Function::Holding, 20, &words), (Function::Holding, 100, &[1])]);
            decode(&profile, Declared::default(), &scan).unwrap().import
        };
        assert_eq!(read(f32::NAN), None);
        assert_eq!(read(f32::INFINITY), None);
        assert_eq!(read(1.0).unwrap().step, WattHours(1));
        // METERING.md C: above 131 MWh an f32 kilowatt-hour register moves in steps of 1/64 kWh, above 16.8 GWh of 2 kWh.
        assert_eq!(read(131_073.0).unwrap().step, WattHours(16));
        assert_eq!(read(16_777_218.0).unwrap().step, WattHours(2_000));
    }
}
