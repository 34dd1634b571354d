//! Why one poll gave no reading. None of these is ever a zero.

use crate::terms::words::Words;

/// Why there is no answer, or none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing came within the deadline.
    Timeout,
    /// The meter refused with a Modbus exception code.
    Exception(u8),
    /// More or fewer registers than were asked for.
    WrongLength,
    /// The answer names another unit, function or transaction.
    Mismatch,
    /// Bytes that are no Modbus answer.
    Garbage,
    /// The connection ended while the answer was awaited.
    Closed,
    /// Nobody accepts connections at the endpoint.
    Refused,
    /// The profile needs a transformer ratio that was neither declared nor readable.
    RatioUnknown,
    /// The ratio in the meter is not the declared one.
    RatioDiffers,
    /// The meter says it is another model than its profile describes.
    WrongModel,
    /// The block that should be a nameplate says it is none.
    NotAPlate,
}

impl Fault {
    /// Whether the meter says by it that it has no such registers, or not so many at once (exceptions 2 and 3).
    pub const fn is_refusal(self) -> bool {
        matches!(self, Fault::Exception(2 | 3))
    }

    /// Whether the connection may carry another question. After anything but an exception the stream may be out of
    /// step, and a late answer would become the answer to the next question.
    pub const fn ends_link(self) -> bool {
        match self {
            Fault::Timeout
            | Fault::WrongLength
            | Fault::Mismatch
            | Fault::Garbage
            | Fault::Closed
            | Fault::Refused => true,
            Fault::Exception(_)
            | Fault::RatioUnknown
            | Fault::RatioDiffers
            | Fault::WrongModel
            | Fault::NotAPlate => false,
        }
    }

    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Fault::Timeout => "timeout",
            Fault::Exception(_) => "exception",
            Fault::WrongLength => "wrong_length",
            Fault::Mismatch => "mismatch",
            Fault::Garbage => "garbage",
            Fault::Closed => "closed",
            Fault::Refused => "refused",
            Fault::RatioUnknown => "ratio_unknown",
            Fault::RatioDiffers => "ratio_differs",
            Fault::WrongModel => "wrong_model",
            Fault::NotAPlate => "not_a_plate",
        }
    }

    /// Every kind, an exception with the first code there is.
    pub const KINDS: [Fault; 11] = [
        Fault::Timeout,
        Fault::Exception(1),
        Fault::WrongLength,
        Fault::Mismatch,
        Fault::Garbage,
        Fault::Closed,
        Fault::Refused,
        Fault::RatioUnknown,
        Fault::RatioDiffers,
        Fault::WrongModel,
        Fault::NotAPlate,
    ];

    /// Reads the word of a record; an exception's code stands beside it there.
    pub fn from_word(word: &str, code: u8) -> Option<Fault> {
        Fault::KINDS.into_iter().find(|fault| fault.word() == word).map(|fault| match fault {
            Fault::Exception(_) => Fault::Exception(code),
            Fault::Timeout
            | Fault::WrongLength
            | Fault::Mismatch
            | Fault::Garbage
            | Fault::Closed
            | Fault::Refused
            | Fault::RatioUnknown
            | Fault::RatioDiffers
            | Fault::WrongModel
            | Fault::NotAPlate => fault,
        })
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Fault::Timeout => {
                Words { zh: "电表未在时限内应答", en: "the meter did not answer in time" }
            }
            Fault::Exception(_) => {
                Words { zh: "电表以异常码拒绝", en: "the meter refused with a Modbus exception" }
            }
            Fault::WrongLength => Words {
                zh: "应答的寄存器个数不符",
                en: "the answer had the wrong number of registers",
            },
            Fault::Mismatch => Words {
                zh: "应答来自其他站号或功能码",
                en: "the answer was for another unit or function",
            },
            Fault::Garbage => {
                Words { zh: "应答不是 Modbus 报文", en: "the answer was no Modbus frame" }
            }
            Fault::Closed => Words { zh: "连接被对方关闭", en: "the connection was closed" },
            Fault::Refused => Words {
                zh: "端点拒绝连接或不可达",
                en: "nobody accepts connections at the endpoint",
            },
            Fault::RatioUnknown => {
                Words { zh: "互感器变比未知", en: "the transformer ratio is not known" }
            }
            Fault::RatioDiffers => Words {
                zh: "表内变比与申报不符",
                en: "the ratio in the meter is not the declared one",
            },
            Fault::WrongModel => Words {
                zh: "电表自报型号与配置的型号档案不符",
                en: "the meter says it is another model than its profile describes",
            },
            Fault::NotAPlate => {
                Words { zh: "该寄存器块不是铭牌", en: "the register block is no nameplate" }
            }
        }
    }
}
