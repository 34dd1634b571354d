//! Register words to integers with units. In this file and the folder beside it, and nowhere else in the program, a
//! floating-point number exists.

mod guess;
mod number;
mod probe;

use self::number::{Lack, Number, Read, read, thousandths};
pub use self::{
    guess::{Guess, Looks, MAX_GUESS_WORDS, guesses},
    probe::{Probed, Problem, Side, probe},
};
use super::{
    Fault, Profile, Scan,
    profile::{Cell, Kind, Origin, RatioCells, Row},
    quantity::{MAX_VALUE, QUANTITIES, Quantity},
    reading::{Register, Registers},
};
use crate::terms::{Ratio, WattHours};

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
    /// Every energy register of the map that showed a value.
    pub registers: Registers,
    /// The import register, or the combined total.
    pub import: Option<Register>,
}

/// Decodes a complete scan, ratio words included. `origin` is what the map's addresses count from: [`Origin::FIXED`]
/// but for maps with a [`Chain`](super::profile::Chain).
///
/// # Errors
/// [`Fault::RatioUnknown`] or [`Fault::RatioDiffers`]: a secondary-side value without a certain ratio is no value.
pub fn decode(profile: &Profile, declared: Declared, origin: Origin, scan: &Scan) -> Result<Decoded, Fault> {
    Ok(decode_with(profile, applied(profile, declared, told(profile, scan))?, origin, scan))
}

/// Decodes a scan with ratios that are already known.
pub fn decode_with(profile: &Profile, Applied { ct, pt }: Applied, origin: Origin, scan: &Scan) -> Decoded {
    let mut values = [None; QUANTITIES];
    let mut registers = Registers::default();
    for row in &profile.rows {
        let Ok(read) = read(&row.cell, origin, scan) else { continue };
        let value = primary(row, read, ct, pt).ok();
        if let Some(slot) = values.get_mut(row.quantity.index()) {
            *slot = value;
        }
        if let Some(energy) = value.filter(|_| row.quantity.is_register()) {
            registers.set(row.quantity, register(row, read, energy, ct, pt));
        }
    }
    // By what the map has, never by what happens to be readable: two counters are not one.
    let mapped = profile.row(Quantity::Import).or_else(|| profile.row(Quantity::Energy));
    let import = mapped.and_then(|row| registers.get(row.quantity)).copied();
    Decoded { values, registers, import }
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

/// The ratio that stands in the meter.
fn told_ratio(cells: &RatioCells, scan: &Scan) -> Option<Ratio> {
    let told = |cell: &Cell| thousandths(read(cell, Origin::FIXED, scan).ok()?.fine(cell)?);
    let secondary = match &cells.over {
        Some(over) => told(over)?,
        None => 1_000,
    };
    let primary = told(&cells.value)?;
    // In whole numbers where the meter has whole numbers, as on a plate.
    let part = if primary % 1_000 == 0 && secondary % 1_000 == 0 { 1_000 } else { 1 };
    Ratio::new(u32::try_from(primary / part).ok()?, u32::try_from(secondary / part).ok()?)
}

/// A row's value on the primary side, in thousandths of its unit.
fn primary(row: &Row, read: Read, ct: Ratio, pt: Ratio) -> Result<i64, Lack> {
    let value = multiplied(row, read, ct, pt).ok_or(Lack::Implausible)?;
    if row.quantity.is_plausible(value) { Ok(value) } else { Err(Lack::Implausible) }
}

fn multiplied(row: &Row, read: Read, ct: Ratio, pt: Ratio) -> Option<i64> {
    let value = read.fine(&row.cell)?;
    let value = if row.times.ct { ct.applied_to(value)? } else { value };
    let value = if row.times.pt { pt.applied_to(value)? } else { value };
    thousandths(value)
}

fn register(row: &Row, read: Read, energy: i64, ct: Ratio, pt: Ratio) -> Register {
    let of = |number| multiplied(row, Read { number, ..read }, ct, pt);
    let step = match read.number {
        Number::Whole(_) => of(Number::Whole(1)),
        Number::Float { ulp, .. } => of(Number::Float { value: ulp, ulp }),
    };
    let width = match row.cell.kind {
        Kind::U16 | Kind::U32 | Kind::U64 => Some(i128::from(row.cell.kind.ones()) + 1),
        // Below zero there is no energy: the half that counts up is the width.
        Kind::I16 | Kind::I32 | Kind::I64 => Some(i128::from(row.cell.kind.ones() >> 1) + 1),
        Kind::F32 | Kind::F64 => None,
    };
    let width = row.wraps_at.map(i128::from).or(width);
    // Past what a record can carry a register wraps in thousands of years: as good as never.
    let modulus = width.and_then(|width| of(Number::Whole(width))).filter(|modulus| *modulus <= MAX_VALUE);
    Register {
        energy: WattHours(energy),
        // A negative scale counts the other way round.
        step: WattHours(step.unwrap_or(1).abs().max(1)),
        modulus: modulus.map(|modulus| WattHours(modulus.abs())),
        raw: read.raw,
        raw_words: read.raw_words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::{
        profile::tests::SMALL,
        scan::{Block, Function},
    };

    fn decode(profile: &Profile, declared: Declared, scan: &Scan) -> Result<Decoded, Fault> {
        super::decode(profile, declared, Origin::FIXED, scan)
    }

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
        let text = SMALL.replace("\"u32\", scale = 0.01, times = \"ct\"", "\"f32\", times = \"none\"");
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
