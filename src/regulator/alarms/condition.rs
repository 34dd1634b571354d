//! PURE file. What an alarm is about, and whether that stands.

use std::{collections::BTreeMap, fmt};

use super::cause::Cause;
use crate::{
    evidence::LogId,
    regulator::newer::Saying,
    terms::{
        Digest, GatewayId, Name,
        digest::hex_into,
        place::{CreditCode, Division},
    },
};

/// An alarm: the same for the same cause at the same place, as often as it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmId(pub [u8; 8]);

impl AlarmId {
    /// Before every other.
    pub const FIRST: AlarmId = AlarmId([0; 8]);

    /// Reads 16 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<AlarmId> {
        let mut bytes = [0; 8];
        hex_into(text, &mut bytes).then_some(AlarmId(bytes))
    }
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// What raises it.
    pub cause: Cause,
    /// Where; the nation where nothing has told that yet.
    pub division: Division,
    /// Whose, where it is about one enterprise.
    pub enterprise: Option<CreditCode>,
    /// Which gateway, where it is about one.
    pub gateway: Option<GatewayId>,
    /// The equipment, meter, order or finding; of our own line the number of the collector.
    pub subject: Option<Name>,
}

impl About {
    /// Of something behind a gateway, wherever its plant lies.
    pub const fn of_gateway(cause: Cause, gateway: GatewayId, subject: Option<Name>) -> About {
        About { cause, division: Division::NATION, enterprise: None, gateway: Some(gateway), subject }
    }

    /// Its identifier. Where a gateway is named, a county that is renamed makes no other alarm of it.
    pub fn id(&self) -> AlarmId {
        id_of(self.cause, self.gateway, self.division, self.subject)
    }

    /// Whether it is told to who answers for a division: what lies in it, and an outage that is wider than it.
    pub fn concerns(&self, within: Division) -> bool {
        within.covers(self.division) || (self.cause == Cause::Outage && self.division.covers(within))
    }
}

fn id_of(cause: Cause, gateway: Option<GatewayId>, division: Division, subject: Option<Name>) -> AlarmId {
    let whose = gateway.map_or_else(|| division.to_string(), |gateway| gateway.to_string());
    let subject = subject.map_or_else(String::new, |subject| subject.to_string());
    let Digest(hash) = Digest::of([cause.word(), &whose, &subject].join("\n").as_bytes());
    let mut id = [0; 8];
    id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    AlarmId(id)
}

/// Whether what an alarm is about stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It does.
    Active,
    /// The equipment rests, and the judge's latch is closed.
    Latched,
    /// It does not.
    Clear,
}

impl Shown {
    /// The word of the store.
    pub const fn word(self) -> &'static str {
        match self {
            Shown::Active => "active",
            Shown::Latched => "latched",
            Shown::Clear => "clear",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Shown> {
        [Shown::Active, Shown::Latched, Shown::Clear].into_iter().find(|shown| shown.word() == word)
    }
}

/// What one record says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Of what.
    pub cause: Cause,
    /// Which gateway.
    pub gateway: GatewayId,
    /// In which of its logs.
    pub log: LogId,
    /// At which place; of a fork the how manieth proof of its log it is.
    pub seq: u64,
    /// Of which equipment, meter, order or finding.
    pub subject: Option<Name>,
    /// Whether it stands.
    pub shown: Shown,
    /// When the record says it was written, or when it arrived if it says later, Unix milliseconds.
    pub at_unix_ms: i64,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// The record's hash.
    pub hash: Digest,
}

impl Condition {
    /// Whether it says of tampering that it is over, of which another log says that it stands.
    fn hides(&self, other: &Condition) -> bool {
        self.cause == Cause::Tamper
            && self.log != other.log
            && self.shown == Shown::Clear
            && other.shown != Shown::Clear
    }

    /// The alarm it is of.
    pub fn id(&self) -> AlarmId {
        id_of(self.cause, Some(self.gateway), Division::NATION, self.subject)
    }

    /// Whether it is newer than what another record said of the same.
    pub fn outdates(&self, other: &Condition) -> bool {
        self.saying().outdates(&other.saying())
    }

    fn saying(&self) -> Saying {
        let Condition { log, seq, received_unix_ms, shown, at_unix_ms, .. } = *self;
        Saying { log, seq, received_unix_ms, is_grave: shown != Shown::Clear, wall_unix_ms: at_unix_ms }
    }
}

/// The newest of what a batch of records says of each alarm, in order. What tampering one log shows nobody has looked at yet: that
/// another log of the gateway knows nothing of it is said again by its next verdict.
pub fn newest(conditions: &[Condition]) -> BTreeMap<AlarmId, &Condition> {
    let mut newest = BTreeMap::new();
    for condition in conditions {
        let said = newest.entry(condition.id()).or_insert(condition);
        if said.hides(condition) || (condition.outdates(said) && !condition.hides(said)) {
            *said = condition;
        }
    }
    newest
}

/// A condition that is kept and that nobody has looked at, and where its gateway's plant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What it is about.
    pub about: About,
    /// Whether that stands.
    pub shown: Shown,
    /// Since when it is told so, by our own clock, Unix milliseconds.
    pub changed_unix_ms: i64,
    /// The record that says so.
    pub record: Option<Digest>,
}

/// A condition that was looked at and needs no further look, unless it has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Of which alarm.
    pub id: AlarmId,
    /// Since when it was so when it was looked at, Unix milliseconds.
    pub changed_unix_ms: i64,
    /// What it was then.
    pub was: Shown,
    /// What is kept of it from now on: of a moment that it is over.
    pub shown: Shown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(log: u64, seq: u64, shown: Shown, at_unix_ms: i64) -> Condition {
        Condition {
            cause: Cause::Violation,
            gateway: GatewayId::new("gw-1").unwrap(),
            log: LogId(log),
            seq,
            subject: Name::new("eaf-2"),
            shown,
            at_unix_ms,
            received_unix_ms: at_unix_ms,
            hash: Digest::ZERO,
        }
    }

    #[test]
    fn an_alarm_is_the_same_as_often_as_it_comes_back_and_wherever_its_county_is_named() {
        let said = condition(1, 7, Shown::Active, 5);
        let about = |code: &str| About {
            cause: said.cause,
            division: Division::parse(code).unwrap(),
            enterprise: None,
            gateway: Some(said.gateway),
            subject: said.subject,
        };
        assert_eq!(about("130421").id(), said.id());
        assert_eq!(about("130421").id(), about("130422").id());
        let outage = |code| About { cause: Cause::Outage, gateway: None, subject: None, ..about(code) };
        assert_ne!(outage("130000").id(), outage("140000").id());
        assert_eq!(AlarmId::from_hex(&said.id().to_string()), Some(said.id()));
    }

    #[test]
    fn an_outage_concerns_whoever_lies_in_it_and_nothing_else_of_elsewhere_does() {
        let code = |text| Division::parse(text).unwrap();
        let about = |cause, text| About {
            cause,
            division: code(text),
            enterprise: None,
            gateway: None,
            subject: None,
        };
        let county = code("130421");
        assert!(about(Cause::Outage, "130000").concerns(county));
        assert!(about(Cause::Outage, "130421").concerns(county));
        assert!(about(Cause::Outage, "130421").concerns(code("130000")));
        assert!(!about(Cause::Outage, "130422").concerns(county));
        assert!(!about(Cause::Outage, "140000").concerns(county));
        assert!(!about(Cause::Unreachable, "000000").concerns(county));
    }

    #[test]
    fn the_newest_of_a_log_rules_in_whatever_order_records_arrive() {
        let on = condition(1, 5, Shown::Active, 50);
        let off = condition(1, 9, Shown::Clear, 90);
        for order in [[on.clone(), off.clone()], [off.clone(), on.clone()]] {
            assert_eq!(newest(&order).into_values().collect::<Vec<_>>(), [&off]);
        }
        // Tampering that comes with the log which was begun afterwards is told first.
        let tampers = |said: &Condition| Condition { cause: Cause::Tamper, ..said.clone() };
        let (stood, later) = (tampers(&on), Condition { log: LogId(2), ..tampers(&off) });
        for order in [[stood.clone(), later.clone()], [later.clone(), stood.clone()]] {
            assert_eq!(newest(&order).into_values().collect::<Vec<_>>(), [&stood]);
        }
        // What was heard later counts, whatever the clocks of either log said: one was ahead, or the other is behind.
        let later = |shown| Condition { received_unix_ms: 100, ..condition(2, 3, shown, 10) };
        assert!(later(Shown::Active).outdates(&off) && later(Shown::Clear).outdates(&on));
        let earlier = Condition { received_unix_ms: 40, ..condition(2, 3, Shown::Clear, 900) };
        assert!(!earlier.outdates(&on) && on.outdates(&earlier));
    }
}
