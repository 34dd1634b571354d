//! What may travel under each kind of topic, and how it is told from anything else.

use serde_json::{Map, Value, json};

use crate::{
    evidence::{
        Kind, Occasion,
        contract::BASE,
        share::{MAX_HEARD, MAX_WORKERS, Why},
    },
    judge::{Grade, Sign},
    metering::Quantity,
    terms::{ClockQuality, place::Level},
};

/// A message of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Message {
    /// Any record of a log.
    Record,
    /// The beginning of a log.
    Genesis,
    /// The next key of a log.
    KeyRotate,
    /// A verdict.
    Verdict,
    /// A verdict with the latch of a violation closed.
    Violation,
    /// A verdict on equipment at one of whose meters a strong sign stands.
    Tamper,
    /// An edit of a nameplate that made another case of it.
    ClassChanged,
    /// A sign of life.
    Checkpoint,
    /// The answer to an act.
    Answer,
    /// Birth and will.
    Presence,
    /// What a scan told.
    Live,
    /// The authority's receipt.
    Receipt,
    /// The authority's daily word on every log.
    Heads,
    /// What one of several collectors should hear.
    Canary,
    /// What each of several collectors should hear.
    Beat,
    /// An act of the authority.
    Act,
    /// No bytes at all: what was retained stands no more.
    Cleared,
}

impl Message {
    /// Every one of them.
    pub const ALL: [Message; 17] = [
        Message::Record,
        Message::Genesis,
        Message::KeyRotate,
        Message::Verdict,
        Message::Violation,
        Message::Tamper,
        Message::ClassChanged,
        Message::Checkpoint,
        Message::Answer,
        Message::Presence,
        Message::Live,
        Message::Receipt,
        Message::Heads,
        Message::Canary,
        Message::Beat,
        Message::Act,
        Message::Cleared,
    ];

    /// Its name in the document.
    pub const fn word(self) -> &'static str {
        match self {
            Message::Record => "record",
            Message::Genesis => "genesis",
            Message::KeyRotate => "key_rotate",
            Message::Verdict => "verdict",
            Message::Violation => "violation",
            Message::Tamper => "tamper",
            Message::ClassChanged => "class_changed",
            Message::Checkpoint => "checkpoint",
            Message::Answer => "answer",
            Message::Presence => "presence",
            Message::Live => "live",
            Message::Receipt => "receipt",
            Message::Heads => "heads",
            Message::Canary => "canary",
            Message::Beat => "beat",
            Message::Act => "act",
            Message::Cleared => "cleared",
        }
    }

    /// What it says.
    pub const fn summary(self) -> &'static str {
        match self {
            Message::Record => "A record of the gateway's log, whatever its type, in chain order",
            Message::Genesis => "A log begins: its public key, place, software and configuration",
            Message::KeyRotate => "The next key of the log, certified by the one before",
            Message::Verdict => "What the feeders' states mean for the equipment",
            Message::Violation => "The verdict on equipment whose violation is latched",
            Message::Tamper => {
                "The verdict on equipment at one of whose meters a strong sign of tampering stands"
            }
            Message::ClassChanged => "An edit of a nameplate that crossed a bound of the law",
            Message::Checkpoint => "The log is alive: how much was said and read",
            Message::Answer => "Whether an act was accepted, and if not why",
            Message::Presence => {
                "Whether the gateway is there: its birth and its will. Unsigned, a hint and no evidence"
            }
            Message::Live => {
                "What one scan of a meter told, primary side. Unsigned, kept by nobody, no evidence"
            }
            Message::Receipt => {
                "Everything up to a place has arrived, this is its head, these places are missing"
            }
            Message::Heads => "How far the authority knew every log when a legal day had ended",
            Message::Canary => {
                "A collector tries whether the broker gives this to one member of its group. Unsigned, no evidence"
            }
            Message::Beat => {
                "A collector of a group is there, and was given these canaries. Unsigned, no evidence"
            }
            Message::Act => "An act of the authority for this gateway",
            Message::Cleared => "No bytes: what was retained here stands no more",
        }
    }

    /// The messages that may travel under a kind of topic.
    pub const fn under(kind: Kind) -> &'static [Message] {
        match kind {
            Kind::Attest => &[Message::Record],
            Kind::State => &[Message::Genesis, Message::KeyRotate, Message::Verdict],
            Kind::Violation => &[Message::Violation, Message::Cleared],
            Kind::Tamper => &[Message::Tamper, Message::Cleared],
            Kind::Plate => &[Message::ClassChanged, Message::Cleared],
            Kind::Head => &[Message::Checkpoint],
            Kind::Link => &[Message::Presence],
            Kind::Answer => &[Message::Answer],
            Kind::Receipt => &[Message::Receipt],
            Kind::Act => &[Message::Act, Message::Cleared],
        }
    }

    /// The file of its schema.
    pub fn file(self) -> String {
        format!("{}.schema.json", self.word())
    }

    /// Its schema; none for a message without bytes.
    pub fn schema(self) -> Option<Value> {
        let schema = match self {
            Message::Record => part("record", &json!({})),
            Message::Genesis
            | Message::KeyRotate
            | Message::Verdict
            | Message::Checkpoint
            | Message::Answer => part("record", &json!({ "type": { "const": self.word() } })),
            Message::Violation => {
                part("record", &json!({ "type": { "const": "verdict" }, "violation": { "const": true } }))
            }
            Message::Tamper => {
                let strong = Sign::ALL.iter().filter(|sign| sign.grade() == Grade::Strong);
                let strong: Vec<&str> = strong.map(|sign| sign.word()).collect();
                let sign = json!({ "properties": { "sign": { "enum": strong } }, "required": ["sign"] });
                part("record", &json!({ "type": { "const": "verdict" }, "signs": { "contains": sign } }))
            }
            Message::ClassChanged => part(
                "record",
                &json!({ "type": { "const": "event" }, "event": { "const": "class_changed" } }),
            ),
            Message::Receipt => part("receipt", &json!({})),
            Message::Heads => part("heads", &json!({})),
            Message::Act => part("act", &json!({})),
            Message::Presence => presence(),
            Message::Live => live(),
            Message::Canary => canary(),
            Message::Beat => beat(),
            Message::Cleared => return None,
        };
        let Value::Object(mut schema) = schema else { return None };
        schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        schema.insert("title".into(), self.word().into());
        schema.insert("description".into(), self.summary().into());
        Some(Value::Object(schema))
    }
}

/// A part of the base schema, whose members are bound further.
fn part(name: &str, members: &Value) -> Value {
    let required: Vec<Value> =
        members.as_object().into_iter().flat_map(Map::keys).map(|name| name.as_str().into()).collect();
    let whole = format!("{}#/$defs/{name}", BASE.0);
    if required.is_empty() {
        return json!({ "$ref": whole });
    }
    json!({ "$ref": whole, "properties": members, "required": required })
}

fn live() -> Value {
    let value = |quantity: &Quantity| {
        let about = json!({ "type": "number", "description": format!("In {}", quantity.unit()) });
        (quantity.word().to_owned(), about)
    };
    let values: Map<String, Value> = Quantity::ALL.iter().map(value).collect();
    let clocks = [ClockQuality::Ntp, ClockQuality::Rtc, ClockQuality::Unset].map(ClockQuality::word);
    json!({
        "type": "object",
        "required": ["unsigned", "meter", "at_unix_ms", "clock", "took_ms", "values"],
        "properties": {
            "unsigned": { "const": true, "description": "Nobody answers for it" },
            "meter": { "type": "string", "description": "The meter's identifier" },
            "at_unix_ms": {
                "type": "integer",
                "description": "When the last answer of the scan came, by the gateway's clock, in milliseconds since \
                    1970-01-01 UTC"
            },
            "clock": { "enum": clocks, "description": "How far that clock can be believed: ntp, rtc (set once), none (never)" },
            "took_ms": { "type": "integer", "minimum": 0, "description": "First question to last answer, in milliseconds" },
            "values": {
                "type": "object",
                "properties": values,
                "description": "Each quantity the meter told; what it did not tell is left out, and never zero"
            }
        }
    })
}

fn presence() -> Value {
    let words: Vec<Value> = [Occasion::Started, Occasion::Stopped, Occasion::Lost]
        .iter()
        .filter_map(|occasion| serde_json::to_value(occasion).ok())
        .collect();
    let count = |description: &str| json!({ "type": "integer", "minimum": 0, "description": description });
    json!({
        "type": "object",
        "properties": {
            "online": { "type": "boolean", "description": "Whether it is there" },
            "why": { "enum": words, "description": "It connected; it took leave; the broker says so in its name" },
            "boot_count": count("Which boot of its machine"),
            "started_uptime_ms": count("Uptime at its start, milliseconds"),
            "started_unix_ms": {
                "type": "integer",
                "description": "Claimed wall time at its start, milliseconds since 1970-01-01 UTC"
            }
        },
        "required": ["online", "why", "boot_count", "started_uptime_ms", "started_unix_ms"]
    })
}

/// The members of a canary; of a beat, too.
fn canary() -> Value {
    json!({
        "type": "object",
        "properties": {
            "worker": worker("The collector's number in its group"),
            "run": { "type": "integer", "minimum": 0, "description": "Which start of it: a random number" },
            "number": { "type": "integer", "minimum": 0, "description": "Which one of that start" }
        },
        "required": ["worker", "run", "number"]
    })
}

fn beat() -> Value {
    let levels = Level::ALL.map(Level::word);
    let mut beat = canary();
    let more = json!({
        "workers": worker("How many collectors it believes its group to be"),
        "by": { "enum": levels, "description": "The level of division codes by which they divide the work" },
        "holds": { "type": "boolean", "description": "Whether it hears its part by division codes now" },
        "tries": { "type": "boolean", "description": "Whether it is subscribed to the shared filter" },
        "kid": {
            "type": "string",
            "pattern": "^[0-9a-f]{16}$",
            "description": "The short name of the key it signs receipts with: the same for the whole group"
        },
        "found": { "enum": Why::ALL.map(Why::word), "description": "Why it does not leave the work to the broker" },
        "heard": {
            "type": "array",
            "maxItems": MAX_HEARD,
            "items": canary(),
            "description": "The canaries it was given since its last beat"
        }
    });
    let (Value::Object(more), Some(all)) = (more, beat.as_object_mut()) else { return beat };
    all.insert(
        "required".into(),
        json!(["worker", "run", "number", "workers", "by", "holds", "tries", "heard"]),
    );
    if let Some(properties) = all.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(more);
    }
    beat
}

fn worker(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": MAX_WORKERS, "description": description })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_travels_somewhere_and_has_a_schema_but_the_empty_one() {
        for message in Message::ALL {
            let of_a_gateway = Kind::ALL.iter().any(|kind| Message::under(*kind).contains(&message));
            let others = [Message::Heads, Message::Canary, Message::Beat, Message::Live].contains(&message);
            assert_eq!(of_a_gateway, !others, "{message:?}");
            assert_eq!(message.schema().is_none(), message == Message::Cleared);
        }
        let tamper = Message::Tamper.schema().unwrap();
        let strong = tamper.pointer("/properties/signs/contains/properties/sign/enum").unwrap();
        assert_eq!(strong.as_array().unwrap().len(), 10, "{strong}");
    }

    #[test]
    fn every_part_named_is_in_the_base_schema() {
        let base: Value = serde_json::from_str(BASE.1).unwrap();
        for message in Message::ALL {
            let Some(schema) = message.schema() else { continue };
            let Some(part) = schema.get("$ref").and_then(Value::as_str) else { continue };
            let (file, pointer) = part.split_once('#').unwrap();
            assert!(file == BASE.0 && base.pointer(pointer).is_some(), "{part}");
        }
    }
}
