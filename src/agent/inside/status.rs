//! PURE file: the one document from which everything that shows a running agent is made: the status verb, the page, the
//! metrics, health. What is not known is `null` in it, never 0.

use serde::{Deserialize, Serialize};

use super::ready::Reason;
use crate::terms::words::{Language, Words};

/// Everything that can be seen inside a running agent, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Name and version of the software.
    pub software: String,
    /// Which gateway.
    pub gateway: String,
    /// SHA-256 of the configuration, all layers.
    pub config_sha256: String,
    /// Now, by the gateway's own clock, Unix milliseconds.
    pub now_unix_ms: i64,
    /// Since when it watches, Unix milliseconds.
    pub began_unix_ms: i64,
    /// How long ago the loop that judges turned last, in milliseconds. While that is too long nothing below is present.
    pub loop_age_ms: u64,
    /// How good the clock is.
    pub clock: Clock,
    /// How the broker stands to us.
    pub broker: Broker,
    /// The log.
    pub journal: Journal,
    /// Polls since it watches.
    pub reads_ok: u64,
    /// Polls that gave no reading.
    pub reads_failed: u64,
    /// How long the polls took that gave a reading.
    pub polls_took: Took,
    /// By bus.
    pub buses: Vec<Bus>,
    /// By equipment.
    pub equipment: Vec<Equipment>,
    /// By meter.
    pub meters: Vec<Meter>,
    /// Cut-off orders, ended ones included.
    pub orders: Vec<Order>,
    /// Whether the program lives: its loop turns.
    pub healthy: bool,
    /// Whether everything that is to be attested can be.
    pub ready: bool,
    /// Why not, all of it, the weightiest first.
    pub reasons: Vec<Reason>,
}

/// How long something took, counted by bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// Upper end of each bucket but the last, which is open, in milliseconds.
    pub upto_ms: Vec<u32>,
    /// How many fell into each bucket alone.
    pub counts: Vec<u64>,
    /// All of them together, in milliseconds.
    pub sum_ms: u64,
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The Chinese text.
    pub zh: String,
    /// The English text.
    pub en: String,
}

/// How good the gateway's clock is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// `ntp`, `rtc` or `none`.
    pub quality: String,
    /// Bound of its error in milliseconds, where there is one.
    pub error_ms: Option<u32>,
    /// Milliseconds since the machine booted.
    pub uptime_ms: u64,
    /// Which boot of the machine.
    pub boot: u32,
}

/// How the broker stands to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broker {
    /// Whether it is there and has granted every subscription.
    pub is_there: bool,
    /// Why it was lost last, where it was.
    pub why: Option<Said>,
    /// Why it does not take what is to leave next, while it does not.
    pub undelivered: Option<Said>,
}

/// The log and how far it has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Places that survive a power cut.
    pub places: u64,
    /// The newest record.
    pub head: Option<Head>,
    /// Places that the broker has not accepted yet.
    pub not_accepted: u64,
    /// Places that no receipt of the authority covers yet; nothing where no authority is configured.
    pub not_receipted: Option<u64>,
    /// When the oldest of these was written, Unix milliseconds.
    pub oldest_not_receipted_unix_ms: Option<i64>,
    /// How long ago that is, in milliseconds.
    pub oldest_not_receipted_age_ms: Option<u64>,
    /// Whether the disk takes nothing.
    pub disk_full: bool,
    /// Room left on it, in bytes; nothing where that is not known.
    pub disk_free_bytes: Option<u64>,
}

/// A record by which the whole log before it can be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which log.
    pub log: String,
    /// Its place.
    pub seq: u64,
    /// Its hash.
    pub sha256: String,
    /// When it was written, Unix milliseconds.
    pub written_unix_ms: i64,
}

/// A bus, told from what came of the polls of its meters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bus {
    /// Which.
    pub id: String,
    /// `answers`, `silent`, `unreachable` or `not_yet_asked`.
    pub state: String,
    /// The same for a person, with the cause.
    pub says: Said,
    /// Meters on it that answer.
    pub answering: u64,
    /// Meters on it.
    pub meters: u64,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// Which.
    pub id: String,
    /// Its bus.
    pub bus: String,
    /// The state of its feeder, and why where that is `unknown` or `masked`.
    pub state: String,
    /// The reason's word.
    pub why: Option<String>,
    /// Since when, Unix milliseconds.
    pub since_unix_ms: Option<i64>,
    /// The same for a person.
    pub says: Said,
    /// When the last good reading came, Unix milliseconds: its own time, however long ago.
    pub last_good_unix_ms: Option<i64>,
    /// How long ago that is, in milliseconds.
    pub last_good_age_ms: Option<u64>,
    /// Active power of that reading, in milliwatts.
    pub power_mw: Option<i64>,
    /// Import register of that reading, in watt-hours.
    pub energy_wh: Option<i64>,
    /// That its polls fail, while they do.
    pub failing: Option<Failing>,
    /// Polls that gave a reading.
    pub reads_ok: u64,
    /// Polls that did not.
    pub reads_failed: u64,
    /// Signs of tampering that stand, strong ones first.
    pub signs: Vec<StandingSign>,
    /// How today is accounted for, as far as intervals have ended in this life.
    pub today: Option<Coverage>,
}

/// Polls that fail, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The last cause's word.
    pub fault: String,
    /// The same for a person.
    pub says: Said,
    /// Since when, Unix milliseconds.
    pub since_unix_ms: i64,
    /// How many polls.
    pub polls: u64,
}

/// A sign of tampering that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingSign {
    /// Its word.
    pub sign: String,
    /// Whether it raises an alarm.
    pub is_strong: bool,
    /// What a person reads, with the warning that belongs to it.
    pub says: Said,
}

/// How a stretch of today is accounted for; the three parts sum to what is accounted for at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Where it begins, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Where it ends, Unix milliseconds.
    pub to_unix_ms: i64,
    /// Between valid readings, in milliseconds.
    pub observed_ms: i64,
    /// Told by the registers on both sides, in milliseconds.
    pub bridged_ms: i64,
    /// Told by nothing, in milliseconds.
    pub unaccounted_ms: i64,
}

/// A piece of equipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equipment {
    /// Which.
    pub id: String,
    /// Its name on screens.
    pub label: Option<String>,
    /// Its state, and why where that is `unknown` or `masked`.
    pub state: String,
    /// The reason's word.
    pub why: Option<String>,
    /// Since when, Unix milliseconds.
    pub since_unix_ms: Option<i64>,
    /// The verdict for a person.
    pub says: Said,
    /// Where it stands before the law today, in a word; nothing where no duty is known.
    pub phase: Option<String>,
    /// Since when a violation is latched, Unix milliseconds.
    pub violation_since_unix_ms: Option<i64>,
    /// Signs of tampering that stand at its meters.
    pub signs: Vec<StandingSign>,
}

/// A cut-off order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which.
    pub id: String,
    /// On which equipment.
    pub asset: String,
    /// Where it stands, in a word.
    pub rung: String,
    /// The same for a person, with the sentence of safety that belongs to it.
    pub says: Said,
    /// Whether it has ended.
    pub is_over: bool,
}

impl Said {
    /// A sentence that stands in both languages already.
    pub fn of(words: Words) -> Said {
        Said { zh: words.zh.to_owned(), en: words.en.to_owned() }
    }

    /// A sentence made in each language.
    pub fn in_both(say: impl Fn(Language) -> String) -> Said {
        Said { zh: say(Language::Chinese), en: say(Language::English) }
    }

    /// The text in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

impl Coverage {
    /// All of it, in milliseconds.
    pub const fn total_ms(&self) -> i64 {
        self.observed_ms + self.bridged_ms + self.unaccounted_ms
    }
}
