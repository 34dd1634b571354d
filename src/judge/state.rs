//! What a feeder is doing, in the few words the verdict rests on.

use super::sign::Sign;
use crate::{
    metering::Fault,
    terms::words::{self, Language, Words},
};

/// The state of a feeder, or of the equipment it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Power or energy beyond the declared allowances and the floor.
    Drawing,
    /// Energy flows backwards beyond what is declared, or voltage stands behind a point that should be open.
    Exporting,
    /// A strong sign of tampering, or current without any voltage: proves neither use nor rest.
    Masked(Sign),
    /// There is no proof either way.
    Unknown(Why),
    /// Within the declared allowances.
    Auxiliary,
    /// Voltage present, nothing beyond no-load losses and the floor.
    Energised,
    /// No voltage, no current, registers still, and the meter provably alive.
    Dead,
}

impl State {
    /// Severity for a piece of equipment with several feeders: the largest rules. Doubt outranks every claim of cold.
    pub const fn severity(self) -> u8 {
        match self {
            State::Drawing => 6,
            State::Exporting => 5,
            State::Masked(_) => 4,
            State::Unknown(_) => 3,
            State::Auxiliary => 2,
            State::Energised => 1,
            State::Dead => 0,
        }
    }

    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            State::Drawing => "drawing",
            State::Exporting => "exporting",
            State::Masked(_) => "masked",
            State::Unknown(_) => "unknown",
            State::Auxiliary => "auxiliary",
            State::Energised => "energised",
            State::Dead => "dead",
        }
    }

    /// Reads the words of a record.
    pub fn from_word(word: &str, why: Option<Why>, sign: Option<Sign>) -> Option<State> {
        match (word, why, sign) {
            ("drawing", None, None) => Some(State::Drawing),
            ("exporting", None, None) => Some(State::Exporting),
            ("masked", None, Some(sign)) => Some(State::Masked(sign)),
            ("unknown", Some(why), None) => Some(State::Unknown(why)),
            ("auxiliary", None, None) => Some(State::Auxiliary),
            ("energised", None, None) => Some(State::Energised),
            ("dead", None, None) => Some(State::Dead),
            (_, Some(_) | None, Some(_) | None) => None,
        }
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            State::Drawing => words::DRAWING,
            State::Exporting => words::EXPORTING,
            State::Masked(_) => words::MASKED,
            State::Unknown(_) => words::UNKNOWN,
            State::Auxiliary => words::AUXILIARY,
            State::Energised => words::ENERGISED,
            State::Dead => words::DEAD,
        }
    }
}

impl State {
    /// What a person reads of it, with its reason and with the sentence of safety that belongs to it: `said` for the
    /// state's own words where a record has better ones.
    pub fn sentence(self, said: Words, language: Language) -> String {
        let text = said.in_language(language);
        let beside = match self {
            State::Unknown(why) => return format!("{text} ({})", why.words().in_language(language)),
            State::Masked(sign) => return format!("{text} ({})", sign.sentence(language)),
            State::Dead => words::NOT_A_TEST_FOR_DEAD,
            State::Auxiliary => words::KEEP_COOLING,
            State::Drawing | State::Exporting | State::Energised => return text.to_owned(),
        };
        format!("{text}. {}", beside.in_language(language))
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No poll has come to an end yet.
    NotYetRead,
    /// The first readings do not decide yet.
    NotYetJudged,
    /// The polls fail.
    Fault(Fault),
    /// No poll came to an end for longer than three were due.
    Silent,
    /// The meter gives no active power.
    NoPower,
    /// The meter gives no voltage.
    NoVoltage,
    /// The meter gives no energy register.
    NoRegister,
    /// A current the meter should give is missing.
    NoCurrent,
    /// The two elements do not see alike: beside declared reactive power their sum may tell what nobody draws.
    ElementsDiffer,
    /// The line is dead and yet the register moves.
    RegisterMoves,
    /// The line is dead and the meter's map has no word that would prove the meter alive.
    NoLivenessWord,
    /// The line is dead and no word of the meter has moved.
    NotProvenAlive,
    /// A voltage too low for a live line and too high for a dead one.
    InducedVoltage,
    /// Current flows where the meter sees no voltage.
    CurrentWithoutVoltage,
    /// Power flows backwards beyond the allowances.
    Reversed,
    /// The energy register went backwards.
    RegisterFell,
    /// The energy register advanced by more than the equipment could have drawn.
    RegisterLeapt,
    /// No voltage, but it is taken before the breaker: nothing is seen of the line.
    BusSide,
    /// Only feeders that serve other equipment too are metered, and they draw.
    SharedFeeder,
}

/// Every reason but the faults of a poll.
pub const WITHOUT_FAULT: [Why; 18] = [
    Why::NotYetRead,
    Why::NotYetJudged,
    Why::Silent,
    Why::NoPower,
    Why::NoVoltage,
    Why::NoRegister,
    Why::NoCurrent,
    Why::ElementsDiffer,
    Why::RegisterMoves,
    Why::NoLivenessWord,
    Why::NotProvenAlive,
    Why::InducedVoltage,
    Why::CurrentWithoutVoltage,
    Why::Reversed,
    Why::RegisterFell,
    Why::RegisterLeapt,
    Why::BusSide,
    Why::SharedFeeder,
];

impl Why {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Why::NotYetRead => "not_yet_read",
            Why::NotYetJudged => "not_yet_judged",
            Why::Fault(fault) => fault.word(),
            Why::Silent => "silent",
            Why::NoPower => "no_power_word",
            Why::NoVoltage => "no_voltage_word",
            Why::NoRegister => "no_energy_register",
            Why::NoCurrent => "no_current_word",
            Why::ElementsDiffer => "elements_differ",
            Why::RegisterMoves => "register_moves",
            Why::NoLivenessWord => "no_liveness_word",
            Why::NotProvenAlive => "not_proven_alive",
            Why::InducedVoltage => "induced_voltage",
            Why::CurrentWithoutVoltage => "current_without_voltage",
            Why::Reversed => "reversed",
            Why::RegisterFell => "register_fell",
            Why::RegisterLeapt => "register_leapt",
            Why::BusSide => "bus_side",
            Why::SharedFeeder => "shared_feeder",
        }
    }

    /// Reads the word of a record; an exception's code stands beside it there.
    pub fn from_word(word: &str, code: u8) -> Option<Why> {
        let plain = WITHOUT_FAULT.into_iter().find(|why| why.word() == word);
        plain.or_else(|| Fault::from_word(word, code).map(Why::Fault))
    }

    /// The Modbus exception code, where that is the reason; 0 otherwise.
    pub const fn exception_code(self) -> u8 {
        if let Why::Fault(Fault::Exception(code)) = self { code } else { 0 }
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Why::NotYetRead => Words { zh: "尚未读到电表", en: "the meter has not been read yet" },
            Why::NotYetJudged => Words { zh: "读数尚不足以判断", en: "too few readings to judge" },
            Why::Fault(fault) => fault.words(),
            Why::Silent => Words { zh: "电表沉默", en: "the meter is silent" },
            Why::NoPower => Words { zh: "电表不给有功功率", en: "the meter gives no active power" },
            Why::NoVoltage => Words { zh: "电表不给电压", en: "the meter gives no voltage" },
            Why::NoCurrent => Words { zh: "缺电流读数", en: "a current is missing" },
            Why::ElementsDiffer => Words {
                zh: "两元件读数不一致，且有已申报的无功：合计功率不可信，请查电流、电压互感器回路",
                en: "the meter's two elements differ beside declared reactive power: their sum proves nothing; look at its transformer circuits",
            },
            Why::RegisterMoves => {
                Words { zh: "无电压而电度在走", en: "the register moves without any voltage" }
            }
            Why::NoRegister => Words { zh: "电表不给电度", en: "the meter gives no energy register" },
            Why::NoLivenessWord => Words {
                zh: "线路无电压，且无法证明电表在工作",
                en: "no voltage, and no word that would prove the meter alive",
            },
            Why::NotProvenAlive => Words {
                zh: "线路无电压，电表尚未证明在工作",
                en: "no voltage, and the meter has not yet shown that it is alive",
            },
            Why::InducedVoltage => Words {
                zh: "感应或谐振电压：偏低、不平衡或偏频",
                en: "induced or ferroresonant voltage: low, unbalanced or off-frequency",
            },
            Why::CurrentWithoutVoltage => {
                Words { zh: "有电流而无电压", en: "current without any voltage" }
            }
            Why::Reversed => Words { zh: "功率反向", en: "power flows backwards" },
            Why::RegisterFell => Words { zh: "电度倒退", en: "the energy register went backwards" },
            Why::RegisterLeapt => Words {
                zh: "电度跳变超出可能",
                en: "the energy register leapt beyond what is possible",
            },
            Why::BusSide => Words {
                zh: "电压取自母线侧，断路器之后的线路看不到",
                en: "the voltage is taken before the breaker: nothing is seen of the line behind it",
            },
            Why::SharedFeeder => Words {
                zh: "只有与其他设备共用的馈线在计量，且正在用电",
                en: "only a feeder shared with other equipment is metered, and it draws",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_the_same_written_and_read() {
        for why in WITHOUT_FAULT {
            assert_eq!(Why::from_word(why.word(), 0), Some(why));
        }
        assert_eq!(Why::from_word("exception", 11), Some(Why::Fault(Fault::Exception(11))));
        assert_eq!(State::from_word("unknown", None, None), None, "doubt without a reason is no state");
        assert_eq!(State::from_word("dead", Some(Why::Silent), None), None);
        assert_eq!(State::from_word("masked", None, None), None, "masked by what?");
        let masked = State::Masked(Sign::Stuck);
        assert_eq!(State::from_word(masked.word(), None, Some(Sign::Stuck)), Some(masked));
        assert_eq!(State::from_word("dead", None, Some(Sign::Stuck)), None);
    }

    #[test]
    fn doubt_outranks_every_claim_of_cold_and_drawing_outranks_doubt() {
        let unknown = State::Unknown(Why::Silent).severity();
        for cold in [State::Dead, State::Energised, State::Auxiliary] {
            assert!(unknown > cold.severity());
        }
        let masked = State::Masked(Sign::Stuck).severity();
        assert!(State::Drawing.severity() > masked && masked > unknown);
    }
}
