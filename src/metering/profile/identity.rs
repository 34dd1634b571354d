//! How a meter is recognised and where it says who it is: the data behind `[[identify]]` and `[about]`.

use std::fmt;

use super::{
    super::scan::{Block, Function},
    cell::{Kind, Origin, WordOrder},
};

/// Most registers of one text or hex cell.
pub const MAX_TEXT_WORDS: u16 = 64;
/// Most models a SunSpec chain is followed over before it counts as broken.
pub const MAX_SUNSPEC_MODELS: usize = 64;
/// The id of the SunSpec common block, first of every chain; `[about]` cells with `model = 1` count from its header.
pub const SUNSPEC_COMMON: u16 = 1;

macro_rules! facts {
    ($($(#[$doc:meta])* $variant:ident $word:literal;)*) => {
        /// What a meter can say of itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fact {
            $($(#[$doc])* $variant,)*
        }

        impl Fact {
            /// Every fact, in the order of their words in reports.
            pub const ALL: &'static [Fact] = &[$(Fact::$variant,)*];

            /// The word of the profile schema.
            pub const fn word(self) -> &'static str {
                match self { $(Fact::$variant => $word,)* }
            }
        }
    };
}

facts! {
    /// Who made it.
    Maker "maker";
    /// The type on its plate.
    Model "model";
    /// The name somebody gave it, or its family.
    Name "name";
    /// Built-in options.
    Options "options";
    /// Version of hardware or map.
    Version "version";
    /// Version of the program in it.
    Firmware "firmware";
    /// Serial number: what a meter's fingerprint stands on.
    Serial "serial";
    /// How it is told to be wired: part of the fingerprint.
    PhaseConfig "phase_config";
    /// Which application it is set to: part of the fingerprint.
    Application "application";
    /// A code of the program in it.
    ProgramCode "program_code";
    /// How its network is set up, three or four wires: part of the fingerprint.
    Network "network";
}

impl Fact {
    /// Reads the word of the profile schema.
    pub fn from_word(word: &str) -> Option<Fact> {
        Fact::ALL.iter().copied().find(|fact| fact.word() == word)
    }
}

/// How a cell of an identity is to be read. Identities hold no floating-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number.
    Number {
        /// Its type; never a float.
        kind: Kind,
        /// Its word order.
        order: WordOrder,
    },
    /// ASCII text, two characters a register, or one where every high byte is zero.
    Text {
        /// Registers.
        words: u16,
    },
    /// The registers as upper-case hexadecimal digits.
    Hex {
        /// Registers.
        words: u16,
    },
}

/// What was read from a cell of an identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// A number.
    Number(i64),
    /// Text, or hexadecimal digits.
    Text(String),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Number(number) => write!(f, "{number}"),
            Said::Text(text) => f.write_str(text),
        }
    }
}

impl Shape {
    /// Registers it occupies.
    pub const fn words(self) -> u16 {
        match self {
            Shape::Number { kind, .. } => kind.words(),
            Shape::Text { words } | Shape::Hex { words } => words,
        }
    }

    /// What the registers say; `None` for a wrong count, for text that is empty or not ASCII, and for numbers past
    /// what an i64 holds.
    pub fn read(self, words: &[u16]) -> Option<Said> {
        if words.len() != usize::from(self.words()) {
            return None;
        }
        match self {
            Shape::Number { kind, order } => number(kind, order, words).map(Said::Number),
            Shape::Text { .. } => text(words).map(Said::Text),
            Shape::Hex { .. } => Some(Said::Text(words.iter().map(|word| format!("{word:04X}")).collect())),
        }
    }
}

fn number(kind: Kind, order: WordOrder, words: &[u16]) -> Option<i64> {
    let fold = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
    let bits = match order {
        WordOrder::Big => words.iter().fold(0, fold),
        WordOrder::Little => words.iter().rev().fold(0, fold),
    };
    let unused = 64 - u32::from(kind.words()) * 16;
    if kind.is_signed() { Some((bits << unused).cast_signed() >> unused) } else { i64::try_from(bits).ok() }
}

fn text(words: &[u16]) -> Option<String> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let one_a_word = words.iter().all(|word| word >> 8 == 0);
    let all: Vec<u8> = if one_a_word {
        bytes.into_iter().skip(1).step_by(2).take_while(|byte| *byte != 0).collect()
    } else {
        bytes.into_iter().take_while(|byte| *byte != 0).collect()
    };
    let text = String::from_utf8(all).ok()?;
    let text = text.trim();
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    (is_plain && !text.is_empty()).then(|| text.to_owned())
}

/// A place where a meter says something of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The SunSpec model whose header `at` counts from; `None` for a fixed address.
    pub model: Option<u16>,
    /// How it is read.
    pub function: Function,
    /// First register: a 0-based address, or with `model` the offset from that model's header.
    pub at: u16,
    /// How the registers are to be read.
    pub shape: Shape,
}

impl Spot {
    /// The registers to ask for; with `model` the origin is that model's header, without it [`Origin::FIXED`].
    pub fn block(&self, origin: Origin) -> Option<Block> {
        origin.block(Block { function: self.function, at: self.at, count: self.shape.words() })
    }
}

/// What a test wants to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly this; text without regard to case.
    Equals(Said),
    /// One of these.
    OneOf(Vec<Said>),
    /// Text that begins so, without regard to case.
    Prefix(String),
}

/// One `[[identify]]`: all tests of a map must hold for the map to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What is read.
    pub spot: Spot,
    /// What must stand there.
    pub wanted: Wanted,
}

impl Test {
    /// Whether what the meter answered is what the map wants.
    pub fn holds(&self, words: &[u16]) -> bool {
        let Some(told) = self.spot.shape.read(words) else { return false };
        match &self.wanted {
            Wanted::Equals(wanted) => same(wanted, &told),
            Wanted::OneOf(wanted) => wanted.iter().any(|wanted| same(wanted, &told)),
            Wanted::Prefix(prefix) => match told {
                Said::Text(text) => {
                    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
                }
                Said::Number(_) => false,
            },
        }
    }
}

fn same(wanted: &Said, told: &Said) -> bool {
    match (wanted, told) {
        (Said::Text(wanted), Said::Text(told)) => wanted.eq_ignore_ascii_case(told),
        (Said::Number(wanted), Said::Number(told)) => wanted == told,
        (Said::Text(_), Said::Number(_)) | (Said::Number(_), Said::Text(_)) => false,
    }
}

/// One line of `[about]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What it tells.
    pub fact: Fact,
    /// Where.
    pub spot: Spot,
    /// What it must be for the map to be right, where that matters.
    pub expect: Option<Said>,
}

/// `chain = "sunspec"`: the map's addresses are offsets from the header (id at 0, length at 1) of a model that is
/// found by walking: at one of `bases` stands `SunS`, then come id and length of one model after the other until id
/// 0xFFFF. The address of the found header is the map's [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// How it is read.
    pub function: Function,
    /// Addresses where `SunS` may stand, in the order to be tried.
    pub bases: Vec<u16>,
    /// The model wanted.
    pub model: u16,
}
