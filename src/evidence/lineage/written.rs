//! Mentions as a store keeps them: three texts, and back.

use std::fmt;

use super::{Elimination, MentionId, Says};
use crate::{
    catalogue::{Class, Phase, PlateSource},
    terms::{Digest, LegalDay, digest::hex_into},
};

impl Says {
    /// The word of its kind.
    pub const fn word(&self) -> &'static str {
        match self {
            Says::Machine { .. } => "machine",
            Says::Plate { .. } => "plate",
            Says::Meter { .. } => "meter",
            Says::MeterLeft { .. } => "meter_left",
            Says::Eliminated(_) => "eliminated",
            Says::Drew { .. } => "drew",
        }
    }

    /// Its kind, what it is compared by, and the rest.
    pub fn columns(&self) -> (&'static str, &str, String) {
        let detail = match self {
            Says::Machine { class, .. } => class.word().to_owned(),
            Says::Plate { source, class, fingerprint } => {
                format!("{} {} {fingerprint}", source.word(), class.word())
            }
            Says::Meter { maker, .. } | Says::MeterLeft { maker, .. } => maker.clone(),
            Says::Eliminated(Elimination::Declared(day)) => day.to_string(),
            Says::Eliminated(Elimination::Accepted) => ACCEPTED.to_owned(),
            Says::Drew { phase, declared } => {
                let day = declared.map_or_else(String::new, |day| day.to_string());
                format!("{} {day}", phase.map_or("", Phase::word))
            }
        };
        (self.word(), self.key().unwrap_or(""), detail)
    }

    /// Reads what [`Says::columns`] wrote; `None` for anything else.
    pub fn of_columns(kind: &str, key: &str, detail: &str) -> Option<Says> {
        let key = || Some(key.to_owned()).filter(|key| !key.is_empty());
        let maker = detail.to_owned();
        Some(match kind {
            "machine" => Says::Machine { key: key()?, class: Class::from_word(detail)? },
            "plate" => {
                let mut words = detail.split(' ');
                Says::Plate {
                    source: PlateSource::from_word(words.next()?)?,
                    class: Class::from_word(words.next()?)?,
                    fingerprint: Digest::from_hex(words.next()?)?,
                }
            }
            "meter" => Says::Meter { key: key()?, maker },
            "meter_left" => Says::MeterLeft { key: key()?, maker },
            "eliminated" if detail == ACCEPTED => Says::Eliminated(Elimination::Accepted),
            "eliminated" => Says::Eliminated(Elimination::Declared(LegalDay::parse(detail)?)),
            "drew" => {
                let (phase, day) = detail.split_once(' ')?;
                Says::Drew { phase: maybe(phase, Phase::from_word)?, declared: maybe(day, LegalDay::parse)? }
            }
            _ => return None,
        })
    }
}

/// Nothing, or what this reads.
fn maybe<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { read(text).map(Some) }
}

/// Stands in place of a day.
const ACCEPTED: &str = "accepted";

impl MentionId {
    /// Reads 32 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<MentionId> {
        let mut bytes = [0; 16];
        hex_into(text, &mut bytes).then_some(MentionId(bytes))
    }
}

impl fmt::Display for MentionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
