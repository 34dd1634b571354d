//! Signs that somebody tampers with what the witness sees: each named, graded, with the figures it rests on.
//!
//! A weak sign asks for an inspection, a strong one raises a tamper alarm and shows the feeder as masked. None proves
//! that the furnace ran, and none convicts. A sign stands while it is seen and for [`Sign::stays_ms`] after; a sign
//! about who the meter is and what its register did stands until a paper, the undoing of the edit, or the authority's
//! reset takes it back.

pub mod clock;
pub mod count;
pub mod declared;
pub mod figure;
pub mod identity;
pub mod lent;
pub mod life;
pub mod neighbours;
pub mod netting;
pub mod pace;
pub mod phase;
pub mod power;
pub mod quiet;
pub mod rating;
pub mod replay;
pub mod shape;
pub mod signs;
pub mod stuck;
pub mod sums;

pub use figure::{Figure, Figures};
pub use signs::{Around, Signs, StandingSign, Turned, Turns};

use crate::{
    metering::Scan,
    terms::{
        AssetId, MeterId, Name, Stamp,
        words::{self, Language, Words},
    },
};

/// A sign that was not seen again for this long has ended, in milliseconds: as the off-delay of drawing.
pub const STAYS_MS: i64 = 900_000;
/// As [`STAYS_MS`], of a balance that misses energy, in milliseconds: it is told every hour, and stands from one to the next.
pub const RESIDUAL_STAYS_MS: i64 = 7_200_000;
/// A sign of a moment (a stepped clock, a replay, another answer time) is shown for a day, in milliseconds.
pub const MOMENT_STAYS_MS: i64 = 86_400_000;

worded! {
    /// Something that should not be, seen at one meter.
    Sign {
        /// Voltage and current stand, and neither active nor reactive power adds up: voltage leads are swapped.
        VoltageSwapped "voltage_swapped"
        /// The phases' powers cancel each other: one current transformer is reversed.
        CurrentReversed "current_reversed"
        /// More reactive power than was declared, and hardly any active power. Only of what must be cold and has no permit:
        /// a motor that may lawfully run may idle.
        ReactiveExcess "reactive_excess"
        /// The meter's transformer ratios are others than before or than declared.
        RatioChanged "ratio_changed"
        /// Another meter answers.
        SerialChanged "serial_changed"
        /// The meter's firmware is another.
        FirmwareChanged "firmware_changed"
        /// The meter's wiring or phase settings are others.
        WiringChanged "wiring_changed"
        /// An energy register went backwards or began anew.
        RegisterFell "register_fell"
        /// Everything is frozen and yet the link answers.
        Stuck "stuck"
        /// Current flows where no voltage is measured at all.
        CurrentWithoutVoltage "current_without_voltage"
        /// One phase has current and no voltage.
        PhaseLost "phase_lost"
        /// The voltage is another than at the meters of the same bus.
        VoltageApart "voltage_apart"
        /// The grid's frequency does not follow the other meters.
        FrequencyApart "frequency_apart"
        /// A declared auxiliary that always drew reads exact zero.
        TooQuiet "too_quiet"
        /// Active power does not fit voltage and current.
        PowerMismatch "power_mismatch"
        /// The meter's clock was moved, or a count of its life went otherwise than time does.
        ClockStepped "meter_clock_stepped"
        /// The same readings came again in the same order.
        Replayed "replayed"
        /// The meter answers in another time than it used to, and not for the first time.
        PaceChanged "answer_time_changed"
        /// Registers that are parts of one total do not add up to it.
        RegistersDisagree "registers_disagree"
        /// A balance group misses energy, or has too much.
        Residual "balance_residual"
        /// More is drawn than what the feeder serves is rated for.
        BeyondRating "beyond_rating"
        /// An energy register went up by more than the metering point can pass, and goes on from there.
        RegisterLeapt "register_leapt"
    }
}

/// How many signs there are.
pub const SIGNS: usize = Sign::ALL.len();

worded! {
    /// How much a sign weighs.
    Grade {
        /// Asks for an inspection.
        Weak "weak"
        /// Raises a tamper alarm.
        Strong "strong"
    }
}

impl Sign {
    /// How much it weighs.
    pub const fn grade(self) -> Grade {
        match self {
            Sign::VoltageSwapped
            | Sign::CurrentReversed
            | Sign::ReactiveExcess
            | Sign::RatioChanged
            | Sign::SerialChanged
            | Sign::FirmwareChanged
            | Sign::WiringChanged
            | Sign::RegisterFell
            | Sign::Stuck
            | Sign::CurrentWithoutVoltage => Grade::Strong,
            Sign::PhaseLost
            | Sign::VoltageApart
            | Sign::FrequencyApart
            | Sign::TooQuiet
            | Sign::PowerMismatch
            | Sign::ClockStepped
            | Sign::Replayed
            | Sign::PaceChanged
            | Sign::RegistersDisagree
            | Sign::Residual
            | Sign::BeyondRating
            | Sign::RegisterLeapt => Grade::Weak,
        }
    }

    /// What a person reads: what is seen, what is asked for, and what must stand beside it.
    pub fn sentence(self, language: Language) -> String {
        let said = self.words().in_language(language);
        let asked = if self.is_strong() { words::TAMPER_ALARM } else { words::INSPECTION_ASKED };
        let warning = self.warning().map_or("", |warning| warning.in_language(language));
        format!("{said}. {}. {warning}", asked.in_language(language)).trim_end().to_owned()
    }

    /// Whether it raises a tamper alarm.
    pub const fn is_strong(self) -> bool {
        matches!(self.grade(), Grade::Strong)
    }

    /// How long it stands after it was last seen, in milliseconds; `None` for one that only a paper, its undoing or
    /// the authority's reset takes back.
    pub const fn stays_ms(self) -> Option<i64> {
        match self {
            Sign::RatioChanged
            | Sign::SerialChanged
            | Sign::FirmwareChanged
            | Sign::WiringChanged
            | Sign::RegisterFell
            | Sign::RegisterLeapt => None,
            Sign::ClockStepped | Sign::Replayed | Sign::PaceChanged => Some(MOMENT_STAYS_MS),
            Sign::VoltageSwapped
            | Sign::CurrentReversed
            | Sign::ReactiveExcess
            | Sign::Stuck
            | Sign::CurrentWithoutVoltage
            | Sign::PhaseLost
            | Sign::VoltageApart
            | Sign::FrequencyApart
            | Sign::TooQuiet
            | Sign::PowerMismatch
            | Sign::RegistersDisagree
            | Sign::BeyondRating => Some(STAYS_MS),
            Sign::Residual => Some(RESIDUAL_STAYS_MS),
        }
    }

    /// Whether a current transformer is suspected: its secondary circuit is deadly when it is opened.
    pub const fn suspects_current_transformer(self) -> bool {
        matches!(
            self,
            Sign::CurrentReversed
                | Sign::RatioChanged
                | Sign::TooQuiet
                | Sign::PowerMismatch
                | Sign::Residual
        )
    }

    /// What stands beside it wherever a person reads it, for the safety of whoever goes to look.
    pub const fn warning(self) -> Option<Words> {
        if self.suspects_current_transformer() { Some(words::NEVER_OPEN_A_SECONDARY) } else { None }
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Sign::VoltageSwapped => words::VOLTAGE_SWAPPED,
            Sign::CurrentReversed => words::CURRENT_REVERSED,
            Sign::ReactiveExcess => words::REACTIVE_EXCESS,
            Sign::RatioChanged => words::RATIO_CHANGED,
            Sign::SerialChanged => words::SERIAL_CHANGED,
            Sign::FirmwareChanged => words::FIRMWARE_CHANGED,
            Sign::WiringChanged => words::WIRING_CHANGED,
            Sign::RegisterFell => words::REGISTER_FELL,
            Sign::Stuck => words::STUCK,
            Sign::CurrentWithoutVoltage => words::CURRENT_WITHOUT_VOLTAGE,
            Sign::PhaseLost => words::PHASE_LOST,
            Sign::VoltageApart => words::VOLTAGE_APART,
            Sign::FrequencyApart => words::FREQUENCY_APART,
            Sign::TooQuiet => words::TOO_QUIET,
            Sign::PowerMismatch => words::POWER_MISMATCH,
            Sign::ClockStepped => words::METER_CLOCK_STEPPED,
            Sign::Replayed => words::REPLAYED,
            Sign::PaceChanged => words::ANSWER_TIME_CHANGED,
            Sign::RegistersDisagree => words::REGISTERS_DISAGREE,
            Sign::Residual => words::BALANCE_RESIDUAL,
            Sign::BeyondRating => words::BEYOND_RATING,
            Sign::RegisterLeapt => words::REGISTER_LEAPT,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// Several signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignSet(u32);

impl SignSet {
    /// Adds one.
    pub const fn add(&mut self, sign: Sign) {
        self.0 |= 1 << sign.index();
    }

    /// Takes one out.
    pub const fn remove(&mut self, sign: Sign) {
        self.0 &= !(1 << sign.index());
    }

    /// Whether it is in.
    pub const fn has(self, sign: Sign) -> bool {
        self.0 & (1 << sign.index()) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, strong ones first.
    pub fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL.iter().copied().filter(move |sign| self.0 & (1 << sign.index()) != 0)
    }

    /// Whether one of them raises a tamper alarm.
    pub fn has_strong(self) -> bool {
        self.iter().any(Sign::is_strong)
    }
}

worded! {
    /// What became of a sign.
    Turn {
        /// It is seen.
        Begins "begins"
        /// It has not been seen any more for as long as it stays.
        Over "over"
        /// What was changed is as it was before.
        Undone "undone"
        /// The authority's paper covers it.
        Permitted "permitted"
        /// The authority reset it.
        Reset "reset"
    }
}

/// A sign that begins or ends, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignFinding {
    /// At which meter.
    pub meter: MeterId,
    /// The equipment it serves.
    pub asset: AssetId,
    /// Which.
    pub sign: Sign,
    /// What became of it.
    pub turn: Turn,
    /// Since when it stands, or stood.
    pub since: Stamp,
    /// The figures that decided.
    pub figures: Figures,
    /// The paper that covers it.
    pub permit: Option<Name>,
    /// The words of the deciding reading; empty where none decided.
    pub scan: Scan,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod words_of_signs {
    use super::*;

    #[test]
    fn every_sign_is_the_same_written_and_read_and_has_words_of_its_own() {
        for sign in Sign::ALL {
            assert_eq!(Sign::from_word(sign.word()), Some(*sign));
            let alike = Sign::ALL.iter().filter(|other| other.words().zh == sign.words().zh);
            assert_eq!(alike.count(), 1, "{sign:?}");
            assert_eq!(Sign::ALL.get(sign.index()), Some(sign));
        }
    }

    #[test]
    fn no_sign_is_worded_as_a_conviction() {
        for sign in Sign::ALL {
            for word in ["ran", "illegal", "violation", "guilty", "cheat"] {
                let says = sign.words().en.split(|c: char| !c.is_alphabetic()).any(|said| said == word);
                assert!(!says, "{sign:?} says `{word}`");
            }
        }
    }

    #[test]
    fn whoever_goes_to_look_at_a_current_transformer_is_warned() {
        let warned: Vec<_> =
            Sign::ALL.iter().filter(|sign| sign.warning().is_some()).map(|s| s.word()).collect();
        let expected =
            ["current_reversed", "ratio_changed", "too_quiet", "power_mismatch", "balance_residual"];
        assert_eq!(warned, expected);
    }
}
