//! What the collectors of one group say to each other over their broker: canaries and beats. Unsigned: hints about who is
//! there and about what the broker does, never evidence.
//!
//! A canary travels on a topic that the filter of all records takes in, so that it proves the very subscription that
//! records come by; no gateway's topic looks like it, since `share` is no province.

use serde::{Deserialize, Serialize};

use super::suite::KeyId;
use crate::terms::{
    Name,
    place::Level,
    words::{self, Words},
};

/// Everything that collectors say to each other.
pub const SHARE_TOPIC: &str = "coldhearth/v1/share";
/// The most collectors in a group: each hears all others once a second.
pub const MAX_WORKERS: u8 = 32;
/// The most canaries told of in one beat.
pub const MAX_HEARD: usize = 64;
/// Longest canary or beat that is read, in bytes.
const MAX_BYTES: usize = 8 * 1_024;

/// Why a broker cannot be left to share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It grants and delivers nothing.
    Silent,
    /// It delivers everything to everybody.
    Doubled,
    /// Part of what it delivers goes to somebody else, or to nobody.
    Leaky,
    /// It says no.
    Withheld,
    /// It speaks no MQTT 5.
    Old,
}

impl Why {
    /// Every one of them.
    pub const ALL: [Why; 5] = [Why::Silent, Why::Doubled, Why::Leaky, Why::Withheld, Why::Old];

    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Why::Silent => "silent",
            Why::Doubled => "doubled",
            Why::Leaky => "leaky",
            Why::Withheld => "withheld",
            Why::Old => "old",
        }
    }

    /// What it means and what to do.
    pub const fn words(self) -> Words {
        match self {
            Why::Silent => words::SHARE_SILENT,
            Why::Doubled => words::SHARE_DOUBLED,
            Why::Leaky => words::SHARE_LEAKY,
            Why::Withheld => words::SHARE_WITHHELD,
            Why::Old => words::SHARE_OLD,
        }
    }
}

/// A message that one member of the group should be given, whoever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Canary {
    /// Who sent it: its number in the group.
    pub worker: u8,
    /// Which start of it: a random number.
    pub run: u32,
    /// Which canary of that start.
    pub number: u64,
}

/// A sign of life, to every member of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Who: its number in the group, from 1.
    pub worker: u8,
    /// Which start of it: a random number.
    pub run: u32,
    /// Which beat of that start.
    pub number: u64,
    /// How many it believes the group to be.
    pub workers: u8,
    /// The level of division codes by which it divides the work where the broker does not.
    pub by: Level,
    /// Whether it hears its own part by division codes now.
    pub holds: bool,
    /// Whether it is subscribed to the shared filter, or about to be.
    pub tries: bool,
    /// The short name of the key that it signs receipts with; earlier versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "key_id")]
    pub kid: Option<KeyId>,
    /// What keeps it from leaving the work to the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Why>,
    /// The canaries that it was given since its last beat.
    pub heard: Vec<Canary>,
}

/// A key's short name, as 16 hexadecimal digits.
mod key_id {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::KeyId;

    #[expect(clippy::ref_option, reason = "serde hands over a reference")]
    pub(super) fn serialize<S: Serializer>(id: &Option<KeyId>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => to.collect_str(id),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<KeyId>, D::Error> {
        let text = String::deserialize(from)?;
        KeyId::from_hex(&text).map(Some).ok_or_else(|| D::Error::custom("16 hexadecimal digits are expected"))
    }
}

/// Where a worker's canaries fly.
pub fn canary_topic(group: Name, worker: u8) -> String {
    format!("{SHARE_TOPIC}/canary/of/{group}/{worker}/_/attest")
}

/// Where a worker's beats are heard.
pub fn beat_topic(group: Name, worker: u8) -> String {
    format!("{SHARE_TOPIC}/beat/{group}/{worker}")
}

/// The beats of a whole group.
pub fn beats(group: Name) -> String {
    format!("{SHARE_TOPIC}/beat/{group}/+")
}

/// Whether a topic is for collectors among themselves.
pub fn is_share(topic: &str) -> bool {
    topic.strip_prefix(SHARE_TOPIC).is_some_and(|rest| rest.starts_with('/'))
}

impl Canary {
    /// As it travels.
    pub fn to_bytes(self) -> Vec<u8> {
        // A flat struct of numbers always becomes JSON.
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// Reads one; `None` when it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Canary> {
        read(bytes)
    }
}

impl Beat {
    /// As it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers and words always become JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads one; `None` when it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Beat> {
        read::<Beat>(bytes).filter(|beat| beat.heard.len() <= MAX_HEARD)
    }
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Kind;

    #[test]
    fn a_canary_flies_where_records_do_and_is_none() {
        let group = Name::new("13").unwrap();
        let topic = canary_topic(group, 4);
        let filter: Vec<&str> = crate::evidence::topic::RECORDS.split('/').collect();
        let levels: Vec<&str> = topic.split('/').collect();
        assert_eq!(levels.len(), filter.len());
        assert!(levels.iter().zip(filter).all(|(level, part)| part == "+" || part == *level), "{topic}");
        assert!(is_share(&topic) && is_share(&beat_topic(group, 1)) && !is_share("coldhearth/v1/sharex/a"));
        assert_eq!(Kind::of_topic(&topic), None);
    }

    #[test]
    fn what_is_written_is_read_and_too_much_is_not() {
        let canary = Canary { worker: 1, run: 7, number: 3 };
        assert_eq!(Canary::from_bytes(&canary.to_bytes()), Some(canary));
        let beat = |heard| Beat {
            worker: 1,
            run: 7,
            number: 3,
            workers: 3,
            by: Level::County,
            holds: true,
            tries: false,
            kid: KeyId::from_hex("0123456789abcdef"),
            found: Some(Why::Doubled),
            heard: vec![canary; heard],
        };
        assert_eq!(Beat::from_bytes(&beat(MAX_HEARD).to_bytes()), Some(beat(MAX_HEARD)));
        assert_eq!(Beat::from_bytes(&beat(MAX_HEARD + 1).to_bytes()), None);
        assert_eq!(Beat::from_bytes(&vec![b' '; MAX_BYTES + 1]), None);
        assert_eq!(Canary::from_bytes(b"{}"), None);
        for why in Why::ALL {
            assert_eq!(serde_json::to_string(&why).unwrap(), format!("\"{}\"", why.word()));
        }
    }
}
