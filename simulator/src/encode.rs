//! The inverse of a meter map: a value into the words of its cell. It shares no code with the decoder.

use coldhearth::{
    metering::profile::{Absent, Cell, Kind, WordOrder},
    terms::Decimal,
};

use crate::rounding::{nearest, real, real_wide, single};

/// Milliwatts times milliseconds in a kilowatt-hour.
const KILOWATT_HOUR: u128 = 3_600_000_000_000;

/// What a register is to show, in the unit of its quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// A measured number.
    Real(f64),
    /// Energy in milliwatts times milliseconds, and the raw number at which the counter starts again, if it has one
    /// of its own.
    Energy(u128, Option<u64>),
    /// Nothing to show.
    Absent,
}

/// Writes the values of one cell: what its scale makes of them is worked out once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    cell: Cell,
    scale: f64,
    /// Steps of the counter in an energy: times this, divided by that.
    times: u128,
    per: u128,
}

impl Pen {
    pub(crate) fn of(cell: Cell) -> Pen {
        let ten = 10_u128.pow(u32::from(cell.scale.exponent.unsigned_abs()));
        let mantissa = u128::from(cell.scale.mantissa.unsigned_abs().max(1));
        let (times, per) = if cell.scale.exponent < 0 {
            (ten, KILOWATT_HOUR * mantissa)
        } else {
            (1, KILOWATT_HOUR * mantissa * ten)
        };
        let common = common_divisor(times, per);
        Pen { cell, scale: scale(cell.scale), times: times / common, per: per / common }
    }

    pub(crate) fn cell(&self) -> &Cell {
        &self.cell
    }

    /// The bits of a value, packed to the right.
    pub(crate) fn bits(&self, value: Value) -> u64 {
        let (kind, scale) = (self.cell.kind, self.scale);
        match (value, kind) {
            (Value::Absent, _) => sentinel(&self.cell),
            (Value::Real(number), Kind::F32) => single_bits(number / scale),
            (Value::Real(number), Kind::F64) => (number / scale).to_bits(),
            (Value::Energy(energy, _), Kind::F32) => single_bits(kilowatt_hours(energy) / scale),
            (Value::Energy(energy, _), Kind::F64) => (kilowatt_hours(energy) / scale).to_bits(),
            (Value::Real(number), Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64) => {
                measured(kind, nearest(number / scale))
            }
            (
                Value::Energy(energy, wrap),
                Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64,
            ) => self.counted(energy, wrap),
        }
    }

    /// A counter in a whole type: its fraction of a step is not shown, and it starts again at its width.
    fn counted(&self, energy: u128, wrap: Option<u64>) -> u64 {
        let steps = energy.saturating_mul(self.times) / self.per;
        let kind = self.cell.kind;
        let last = if is_signed(kind) { ones(kind) >> 1 } else { ones(kind) };
        let width = wrap.map_or(u128::from(last) + 1, u128::from).max(1);
        // Most counters have not come round yet, and a division is dear.
        let shown = if steps < width { steps } else { steps % width };
        u64::try_from(shown).unwrap_or(0)
    }
}

/// The greatest common divisor.
pub(crate) const fn common_divisor(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// One word of a cell as it goes over the wire, `offset` words from its address.
pub(crate) fn word(cell: &Cell, bits: u64, offset: u16) -> u16 {
    let below = match cell.order {
        WordOrder::Big => cell.kind.words().saturating_sub(offset).saturating_sub(1),
        WordOrder::Little => offset,
    };
    u16::try_from(bits >> (u32::from(below) * 16) & 0xFFFF).unwrap_or(0)
}

/// All ones in the width of a type.
fn ones(kind: Kind) -> u64 {
    u64::MAX >> (64 - u32::from(kind.words()) * 16)
}

const fn is_signed(kind: Kind) -> bool {
    match kind {
        Kind::I16 | Kind::I32 | Kind::I64 => true,
        Kind::U16 | Kind::U32 | Kind::U64 | Kind::F32 | Kind::F64 => false,
    }
}

/// A number in a whole type; a meter out of its range stays at the end of it.
fn measured(kind: Kind, number: i64) -> u64 {
    let width = u32::from(kind.words()) * 16;
    if is_signed(kind) {
        let most = i64::MAX >> (64 - width);
        number.clamp(-most - 1, most).cast_unsigned() & ones(kind)
    } else {
        number.max(0).cast_unsigned().min(ones(kind))
    }
}

/// The mark of a missing value; a whole type without a mark shows zero, as such meters do.
fn sentinel(cell: &Cell) -> u64 {
    let ones = ones(cell.kind);
    let Absent { max, sunspec, words: [word, ..] } = cell.absent;
    match (cell.kind, word) {
        (Kind::F32, Some(word)) => single_bits(real(word)),
        (Kind::F64, Some(word)) => real(word).to_bits(),
        (Kind::F32, None) => single_bits(f64::NAN),
        (Kind::F64, None) => f64::NAN.to_bits(),
        (Kind::I16 | Kind::I32 | Kind::I64, _) if max => ones >> 1,
        (Kind::I16 | Kind::I32 | Kind::I64, _) if sunspec => (ones >> 1) + 1,
        (Kind::U16 | Kind::U32 | Kind::U64, _) if max || sunspec => ones,
        (Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64, word) => {
            word.unwrap_or(0).cast_unsigned() & ones
        }
    }
}

fn kilowatt_hours(energy: u128) -> f64 {
    real_wide(energy.cast_signed()) / real_wide(KILOWATT_HOUR.cast_signed())
}

fn single_bits(number: f64) -> u64 {
    u64::from(single(number).to_bits())
}

fn scale(decimal: Decimal) -> f64 {
    // Dividing by a power of ten is exact to the last digit where multiplying by 0.1 is not.
    let power = (0..decimal.exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
    if decimal.exponent < 0 { real(decimal.mantissa) / power } else { real(decimal.mantissa) * power }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coldhearth::metering::Function;

    fn cell(kind: Kind, order: WordOrder, scale: &str, absent: Absent) -> Cell {
        let scale = Decimal::parse(scale).unwrap();
        Cell { function: Function::Holding, at: 0, kind, order, scale, pow10: None, absent }
    }

    fn words(cell: &Cell, value: Value) -> Vec<u16> {
        (0..cell.kind.words()).map(|offset| word(cell, Pen::of(*cell).bits(value), offset)).collect()
    }

    #[test]
    fn numbers_stand_as_third_parties_write_them() {
        let of =
            |kind, order, scale, value| words(&cell(kind, order, scale, Absent::NEVER), Value::Real(value));
        let (big, little) = (WordOrder::Big, WordOrder::Little);
        // Acrel's vendor example: current word 0x03B2 is 9.46 A.
        assert_eq!(of(Kind::U16, big, "0.01", 9.46), [0x03B2]);
        assert_eq!(of(Kind::I16, big, "0.001", -0.5), [0xFE0C]);
        assert_eq!(of(Kind::I32, big, "1", -100.0), [0xFFFF, 0xFF9C]);
        assert_eq!(of(Kind::U32, little, "0.1", 6_553.7), [0x0001, 0x0001]);
        // 230.0 as a single is 0x43660000.
        assert_eq!(of(Kind::F32, big, "1", 230.0), [0x4366, 0x0000]);
        assert_eq!(of(Kind::F32, little, "1", 230.0), [0x0000, 0x4366]);
        assert_eq!(of(Kind::F64, big, "1", 1.0), [0x3FF0, 0, 0, 0]);
    }

    #[test]
    fn a_number_out_of_range_stays_at_the_end() {
        let of = |kind, value| words(&cell(kind, WordOrder::Big, "1", Absent::NEVER), Value::Real(value));
        assert_eq!(of(Kind::U16, 70_000.0), [0xFFFF]);
        assert_eq!(of(Kind::U16, -1.0), [0]);
        assert_eq!(of(Kind::I16, -40_000.0), [0x8000]);
        assert_eq!(of(Kind::I64, -1.0), [0xFFFF; 4]);
    }

    #[test]
    fn an_energy_shows_whole_steps_and_starts_again() {
        let of = |kind, scale, energy, wrap| {
            let value = Value::Energy(energy, wrap);
            words(&cell(kind, WordOrder::Big, scale, Absent::NEVER), value)
        };
        // Acrel's vendor example: 0x00003026 is 123.26 kWh.
        assert_eq!(of(Kind::U32, "0.01", KILOWATT_HOUR * 12_326 / 100, None), [0, 0x3026]);
        assert_eq!(of(Kind::U32, "0.01", KILOWATT_HOUR / 100 - 1, None), [0, 0]);
        assert_eq!(of(Kind::U32, "0.01", (1 << 32) * KILOWATT_HOUR / 100, None), [0, 0]);
        assert_eq!(of(Kind::U32, "0.01", KILOWATT_HOUR * 1_000_000, Some(100_000_000)), [0, 0]);
        assert_eq!(of(Kind::U16, "10", KILOWATT_HOUR * 39, None), [3]);
        assert_eq!(of(Kind::I16, "1", KILOWATT_HOUR * 0x8001, None), [1]);
        assert_eq!(of(Kind::F32, "0.001", KILOWATT_HOUR, None), [0x447A, 0x0000]);
    }

    #[test]
    fn every_sentinel_is_the_documented_word() {
        let of = |kind, absent| words(&cell(kind, WordOrder::Big, "1", absent), Value::Absent);
        assert_eq!(of(Kind::U32, Absent::MAX), [0xFFFF, 0xFFFF]);
        assert_eq!(of(Kind::I32, Absent::MAX), [0x7FFF, 0xFFFF]);
        assert_eq!(of(Kind::I16, Absent::SUNSPEC), [0x8000]);
        assert_eq!(of(Kind::U16, Absent::SUNSPEC), [0xFFFF]);
        assert_eq!(of(Kind::I16, Absent::word(-2)), [0xFFFE]);
        assert!(f32::from_bits(u32::from(of(Kind::F32, Absent::NEVER)[0]) << 16).is_nan());
    }
}
