//! The MQTT contract both ends share: where what is published, and what stays there.
//!
//! `coldhearth/v1/{province}/{city}/{county}/{uscc}/{gateway}/{asset}/{kind}`, asset `_` for what concerns the gateway
//! itself. Every record travels in chain order on `attest`; the others are copies for subscribers' convenience.

use std::fmt;

use crate::terms::{
    GatewayId, Name,
    place::{CreditCode, Division, Level},
};

/// First levels of every topic.
pub const ROOT: &str = "coldhearth/v1";
/// The level of an asset, for what concerns the gateway itself.
pub const SELF: &str = "_";
/// Everything every gateway publishes.
pub const EVERYTHING: &str = "coldhearth/v1/#";

/// Every record of every gateway.
pub const RECORDS: &str = "coldhearth/v1/+/+/+/+/+/_/attest";

/// What is published under a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every record, in chain order.
    Attest,
    /// The newest verdict on a piece of equipment, or the gateway's genesis; retained.
    State,
    /// The verdict of a violation; retained while it is latched.
    Violation,
    /// The verdict on equipment at one of whose meters a strong sign of tampering stands; retained while it does.
    Tamper,
    /// The newest edit of a nameplate that made another case of it; retained until the authority resets the equipment.
    Plate,
    /// The newest checkpoint; retained.
    Head,
    /// Birth and will; retained, unsigned, a hint and no evidence.
    Link,
    /// The answer to an act.
    Answer,
    /// To the gateway: the authority's newest receipt; retained.
    Receipt,
    /// To the gateway: an act of the authority under its identifier; retained until it is answered.
    Act,
}

impl Kind {
    /// Every one of them.
    pub const ALL: [Kind; 10] = [
        Kind::Attest,
        Kind::State,
        Kind::Violation,
        Kind::Tamper,
        Kind::Plate,
        Kind::Head,
        Kind::Link,
        Kind::Answer,
        Kind::Receipt,
        Kind::Act,
    ];

    /// The last levels of the topic.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Attest => "attest",
            Kind::State => "state",
            Kind::Violation => "alarm/violation",
            Kind::Tamper => "alarm/tamper",
            Kind::Plate => "alarm/plate",
            Kind::Head => "head",
            Kind::Link => "link",
            Kind::Answer => "answer",
            Kind::Receipt => "receipt",
            Kind::Act => "act",
        }
    }

    /// The kind a topic ends in; `None` for a topic of another kind or another product, and for one in no division.
    pub fn of_topic(topic: &str) -> Option<Kind> {
        let mut levels = topic.strip_prefix(ROOT)?.strip_prefix('/')?.splitn(7, '/');
        let is_division = |level: &str| level.len() == 2 && level.bytes().all(|digit| digit.is_ascii_digit());
        if !levels.by_ref().take(Level::ALL.len()).all(is_division) {
            return None;
        }
        let kind = levels.nth(3)?;
        if kind.strip_prefix("act/").is_some_and(|act| Name::new(act).is_some()) {
            return Some(Kind::Act);
        }
        Kind::ALL.into_iter().find(|k| *k != Kind::Act && k.word() == kind)
    }

    /// Whether the broker keeps the newest for late subscribers.
    pub const fn is_retained(self) -> bool {
        match self {
            Kind::Attest | Kind::Answer => false,
            Kind::State
            | Kind::Violation
            | Kind::Tamper
            | Kind::Plate
            | Kind::Head
            | Kind::Link
            | Kind::Receipt
            | Kind::Act => true,
        }
    }
}

/// A topic of one gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Where the plant lies.
    pub division: Division,
    /// Who answers for it.
    pub enterprise: CreditCode,
    /// Who speaks.
    pub gateway: GatewayId,
    /// About what; `None` for the gateway itself.
    pub asset: Option<Name>,
    /// What kind of thing.
    pub kind: Kind,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [province, city, county] = self.division.levels();
        let asset = self.asset.as_ref().map_or(SELF, Name::as_str);
        let (enterprise, gateway, kind) = (self.enterprise, self.gateway, self.kind.word());
        write!(f, "{ROOT}/{province}/{city}/{county}/{enterprise}/{gateway}/{asset}/{kind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_is_a_subtree() {
        let topic = Topic {
            division: Division::parse("130421").unwrap(),
            enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
            gateway: GatewayId::new("gw-1").unwrap(),
            asset: Name::new("eaf-2"),
            kind: Kind::Violation,
        };
        assert_eq!(topic.to_string(), "coldhearth/v1/13/04/21/91350100M000100Y43/gw-1/eaf-2/alarm/violation");
        let attest = Topic { asset: None, kind: Kind::Attest, ..topic };
        for kind in [Kind::Violation, Kind::Tamper, Kind::Plate] {
            assert_eq!(Kind::of_topic(&Topic { kind, ..topic }.to_string()), Some(kind));
        }
        for strange in ["coldhearth/v1/13/04/21/x/gw-1/attest", "coldhearth/v1/13/04/2/x/gw-1/_/attest"] {
            assert_eq!(Kind::of_topic(strange), None);
        }
        assert_eq!(attest.to_string(), "coldhearth/v1/13/04/21/91350100M000100Y43/gw-1/_/attest");
    }
}
