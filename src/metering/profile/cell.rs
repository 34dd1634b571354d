//! Where a number stands in a meter and how its words make it.

use super::super::scan::{Block, Function};
use crate::terms::Decimal;

/// Most raw values one row may name as "no value here".
pub const MAX_SENTINELS: usize = 4;

/// How a register's words make a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned, one register.
    U16,
    /// Two's complement, one register.
    I16,
    /// Unsigned, two registers.
    U32,
    /// Two's complement, two registers.
    I32,
    /// Unsigned, four registers.
    U64,
    /// Two's complement, four registers.
    I64,
    /// IEEE 754 single, two registers.
    F32,
    /// IEEE 754 double, four registers.
    F64,
}

impl Kind {
    /// Every type and its word in profiles.
    pub const ALL: &'static [(&'static str, Kind)] = &[
        ("u16", Kind::U16),
        ("i16", Kind::I16),
        ("u32", Kind::U32),
        ("i32", Kind::I32),
        ("u64", Kind::U64),
        ("i64", Kind::I64),
        ("f32", Kind::F32),
        ("f64", Kind::F64),
    ];

    /// Registers the type occupies.
    pub const fn words(self) -> u16 {
        match self {
            Kind::U16 | Kind::I16 => 1,
            Kind::U32 | Kind::I32 | Kind::F32 => 2,
            Kind::U64 | Kind::I64 | Kind::F64 => 4,
        }
    }

    /// The word of the profile schema.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::U16 => "u16",
            Kind::I16 => "i16",
            Kind::U32 => "u32",
            Kind::I32 => "i32",
            Kind::U64 => "u64",
            Kind::I64 => "i64",
            Kind::F32 => "f32",
            Kind::F64 => "f64",
        }
    }

    /// Whether the number may be negative by its type.
    pub const fn is_signed(self) -> bool {
        match self {
            Kind::I16 | Kind::I32 | Kind::I64 => true,
            Kind::U16 | Kind::U32 | Kind::U64 | Kind::F32 | Kind::F64 => false,
        }
    }

    /// Whether it is an IEEE 754 type.
    pub const fn is_float(self) -> bool {
        match self {
            Kind::F32 | Kind::F64 => true,
            Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64 => false,
        }
    }

    /// All ones in the width of the type.
    pub const fn ones(self) -> u64 {
        u64::MAX >> (64 - self.words() as u32 * 16)
    }
}

/// Which word of several comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordOrder {
    /// High word first.
    Big,
    /// Low word first.
    Little,
}

/// Which raw values mean "there is no value here". NaN and infinity never are values and need no mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Absent {
    /// `"max"`: all bits set, or for signed types the largest positive value.
    pub max: bool,
    /// `"sunspec"`: smallest value for signed types, all bits set for unsigned ones.
    pub sunspec: bool,
    /// Single raw values, as the type's number or as its bits.
    pub words: [Option<i64>; MAX_SENTINELS],
}

impl Absent {
    /// Every value is a value.
    pub const NEVER: Absent = Absent { max: false, sunspec: false, words: [None; MAX_SENTINELS] };
    /// `"max"`
    pub const MAX: Absent = Absent { max: true, ..Absent::NEVER };
    /// `"sunspec"`
    pub const SUNSPEC: Absent = Absent { sunspec: true, ..Absent::NEVER };

    /// This raw value alone.
    pub const fn word(word: i64) -> Absent {
        Absent { words: [Some(word), None, None, None], ..Absent::NEVER }
    }
}

/// Which transformer ratios still have to be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Multiply by the current transformer's ratio.
    pub ct: bool,
    /// Multiply by the voltage transformer's ratio.
    pub pt: bool,
}

impl Times {
    /// Nothing is to be applied.
    pub const NONE: Times = Times { ct: false, pt: false };
    /// Current transformer only.
    pub const CT: Times = Times { ct: true, pt: false };
    /// Voltage transformer only.
    pub const PT: Times = Times { ct: false, pt: true };
    /// Both.
    pub const BOTH: Times = Times { ct: true, pt: true };

    /// Whether this multiplies by nothing that `most` does not.
    pub const fn within(self, most: Times) -> bool {
        (most.ct || !self.ct) && (most.pt || !self.pt)
    }
}

/// What the addresses of a map count from: 0 for maps with fixed addresses; for a map with a
/// [`super::Chain`] the address of the model's header, which walking the chain found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin(pub u16);

impl Origin {
    /// Addresses are addresses.
    pub const FIXED: Origin = Origin(0);

    /// The address on the wire; `None` past register 65535.
    pub const fn address(self, at: u16) -> Option<u16> {
        self.0.checked_add(at)
    }

    /// A run of registers of the map as it is asked for on the wire; `None` past register 65535.
    pub fn block(self, block: Block) -> Option<Block> {
        let moved = Block { at: self.address(block.at)?, ..block };
        (moved.end() <= 0x1_0000).then_some(moved)
    }
}

/// Where a number stands. `at` and `pow10` count from the map's [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// How it is read.
    pub function: Function,
    /// 0-based address on the wire, from the origin.
    pub at: u16,
    /// Its type.
    pub kind: Kind,
    /// Its word order.
    pub order: WordOrder,
    /// Raw number to the unit of the quantity.
    pub scale: Decimal,
    /// Where the power of ten stands that multiplies it too (SunSpec `sunssf`: an i16 between -10 and 10, 0x8000
    /// where there is none), from the origin, read with the same function.
    pub pow10: Option<u16>,
    /// Its sentinels.
    pub absent: Absent,
}

impl Cell {
    /// The registers of the number itself, from the origin.
    pub const fn block(&self) -> Block {
        Block { function: self.function, at: self.at, count: self.kind.words() }
    }

    /// The register of its power of ten, from the origin.
    pub fn pow10_block(&self) -> Option<Block> {
        self.pow10.map(|at| Block { function: self.function, at, count: 1 })
    }

    /// Every run of registers needed to decode it, from the origin.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        [Some(self.block()), self.pow10_block()].into_iter().flatten()
    }
}
