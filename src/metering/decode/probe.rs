//! Every quantity of a map as far as it can be told, for somebody who stands before the meter and compares.

use super::{
    super::{
        Fault, Profile, Scan,
        profile::{Origin, Row, Times},
        quantity::Quantity,
    },
    Declared,
    number::{self, Lack},
    primary, ratio, told,
};
use crate::terms::{Ratio, words::Words};

/// Which side of its transformers a value stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The line's.
    Primary,
    /// The meter's: a ratio is missing.
    Secondary,
}

impl Side {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Side::Primary => "primary",
            Side::Secondary => "secondary",
        }
    }
}

/// What keeps a value from being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The registers were not read.
    NotRead,
    /// The meter says that it has no such value.
    Absent,
    /// The scale-factor register holds none.
    ScaleUnknown,
    /// No meter can truly show this.
    Implausible,
    /// A ratio was neither declared nor readable.
    RatioUnknown,
    /// The ratio in the meter is not the declared one.
    RatioDiffers,
}

impl Problem {
    /// Every one.
    pub const ALL: [Problem; 6] = [
        Problem::NotRead,
        Problem::Absent,
        Problem::ScaleUnknown,
        Problem::Implausible,
        Problem::RatioUnknown,
        Problem::RatioDiffers,
    ];

    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Problem::NotRead => "not_read",
            Problem::Absent => "absent",
            Problem::ScaleUnknown => "scale_unknown",
            Problem::Implausible => "implausible",
            Problem::RatioUnknown => "ratio_unknown",
            Problem::RatioDiffers => "ratio_differs",
        }
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Problem::NotRead => Words { zh: "寄存器未读到", en: "its registers were not read" },
            Problem::Absent => {
                Words { zh: "电表标明无此值", en: "the meter marks it as not available" }
            }
            Problem::ScaleUnknown => {
                Words { zh: "比例系数寄存器无效", en: "its scale-factor register holds none" }
            }
            Problem::Implausible => Words {
                zh: "数值超出任何电表可能的范围，映射可能不符",
                en: "no meter can truly show this: the map may not fit",
            },
            Problem::RatioUnknown => Fault::RatioUnknown.words(),
            Problem::RatioDiffers => Fault::RatioDiffers.words(),
        }
    }

    const fn of(lack: Lack) -> Problem {
        match lack {
            Lack::NotRead => Problem::NotRead,
            Lack::Absent => Problem::Absent,
            Lack::ScaleUnknown => Problem::ScaleUnknown,
            Lack::Implausible => Problem::Implausible,
        }
    }
}

/// One quantity as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// What.
    pub quantity: Quantity,
    /// Thousandths of its unit; never a number made of a sentinel.
    pub value: Option<i64>,
    /// Which side the value stands for.
    pub side: Side,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    /// The words as sent, first word highest, packed to the right; 0 when they were not read.
    pub raw: u64,
    /// How many words `raw` holds; 0 when they were not read.
    pub raw_words: u8,
}

/// Decodes every row of a map for itself: what one of them lacks costs none of the others, and a value whose ratio is
/// not certain is shown on the meter's side, with the problem. For eyes only; the agent takes [`super::decode`].
pub fn probe(profile: &Profile, declared: Declared, origin: Origin, scan: &Scan) -> Vec<Probed> {
    let told = told(profile, scan);
    let ct = ratio(profile.needs_ct(), profile.ct.is_some(), declared.ct, told.ct);
    let pt = ratio(profile.needs_pt(), profile.pt.is_some(), declared.pt, told.pt);
    profile.rows.iter().map(|row| one(row, origin, scan, ct, pt)).collect()
}

fn one(row: &Row, origin: Origin, scan: &Scan, ct: Result<Ratio, Fault>, pt: Result<Ratio, Fault>) -> Probed {
    let (raw, raw_words) = number::words(&row.cell, origin, scan).map_or((0, 0), number::packed);
    // An uncertain ratio also casts doubt on a value that the meter multiplied itself.
    let concerned = row.quantity.times();
    let doubt = [(concerned.ct, ct), (concerned.pt, pt)]
        .into_iter()
        .find_map(|(concerns, ratio)| if concerns { ratio.err() } else { None })
        .map(|fault| match fault {
            Fault::RatioDiffers => Problem::RatioDiffers,
            Fault::RatioUnknown
            | Fault::Timeout
            | Fault::Exception(_)
            | Fault::WrongLength
            | Fault::Mismatch
            | Fault::Garbage
            | Fault::Closed
            | Fault::Refused
            | Fault::WrongModel
            | Fault::NotAPlate => Problem::RatioUnknown,
        });
    let missing = (row.times.ct && ct.is_err()) || (row.times.pt && pt.is_err());
    let side = if missing { Side::Secondary } else { Side::Primary };
    let shown = if missing { Row { times: Times::NONE, ..*row } } else { *row };
    let direct = |ratio: Result<Ratio, Fault>| ratio.unwrap_or(Ratio::DIRECT);
    let value =
        number::read(&row.cell, origin, scan).and_then(|read| primary(&shown, read, direct(ct), direct(pt)));
    Probed {
        quantity: row.quantity,
        value: value.ok(),
        side,
        problem: value.err().map(Problem::of).or(doubt),
        raw,
        raw_words,
    }
}
