//! PURE file. The whole contract for others: what gateways and collectors say, and what the authority's desk says besides:
//! notifications of alarms, which travel, and its signed log, reports and certificates, which are handed over as files.

use serde_json::{Value, json};

use super::alarms::{Cause, Event, Hush, Kind, Life, Priority, notice::ALARMS_TOPIC, pager::MOST_NAMED};
use crate::{
    evidence::contract::{self, BASE, DOCUMENT, Page},
    terms::place::Level,
};

/// The message that travels, by its name in the document.
const ALARMS: &str = "alarms";
/// What may stand where a name does, as a regular expression.
const NAME: &str = "[\\-0-9_a-z]{1,24}";
/// The reports that are signed.
const REPORTS: [&str; 7] = ["list", "periodic", "completion", "findings", "coverage", "surcharge", "owed"];

/// Every file of the contract; they name each other and nothing else.
pub fn pages() -> Vec<Page> {
    let written = |name: &str, value: &Value| Page { name: name.to_owned(), text: format!("{value:#}\n") };
    let mut pages = contract::pages();
    if let Some(document) = pages.iter_mut().find(|page| page.name == DOCUMENT) {
        *document = written(DOCUMENT, &document_with_alarms());
    }
    let schemas = [
        (ALARMS, notification()),
        ("alarm_step", alarm_step()),
        ("report", report()),
        ("completion", completion()),
    ];
    pages.extend(schemas.iter().map(|(name, schema)| written(&file(name), schema)));
    pages
}

fn file(name: &str) -> String {
    format!("{name}.schema.json")
}

fn document_with_alarms() -> Value {
    let mut document = contract::asyncapi();
    let whole = json!({ "$ref": format!("#/components/messages/{ALARMS}") });
    let kinds = Kind::ALL.map(Kind::word).join("|");
    let channel = json!({
        "address": format!("{ALARMS_TOPIC}/{{receiver}}/{{kind}}"),
        "description": "The newest notification of a kind of alarm to a receiver that the authority's configuration names. \
            Unsigned: the signed log of the desk is what counts",
        "parameters": {
            "receiver": { "description": "The receiver's name", "x-pattern": NAME },
            "kind": { "description": "Which of the five kinds of alarm", "x-pattern": format!("(?:{kinds})") }
        },
        "messages": { ALARMS: whole }
    });
    let operation = json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{ALARMS}") },
        "summary": "The authority, no gateway, tells a receiver of what is the matter",
        "messages": [{ "$ref": format!("#/channels/{ALARMS}/messages/{ALARMS}") }],
        "bindings": { "mqtt": { "qos": 1, "retain": true, "bindingVersion": "0.2.0" } }
    });
    let message = json!({
        "name": ALARMS,
        "summary": "What is new of one kind of alarm, and how many stand",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": { "$ref": format!("./{}", file(ALARMS)) }
        }
    });
    for (pointer, name, value) in [
        ("/channels", ALARMS.to_owned(), channel),
        ("/operations", format!("send_{ALARMS}"), operation),
        ("/components/messages", ALARMS.to_owned(), message),
    ] {
        if let Some(part) = document.pointer_mut(pointer).and_then(Value::as_object_mut) {
            part.insert(name, value);
        }
    }
    document
}

/// What stands in a schema beside its members.
fn schema(title: &str, about: &str, required: &[&str], properties: &Value) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": about,
        "type": "object",
        "required": required,
        "properties": properties
    })
}

/// As [`schema`], of what the authority signs.
fn signed(title: &str, about: &str, required: &[&str], properties: &Value) -> Value {
    let mut schema = schema(title, about, required, properties);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("allOf".to_owned(), json!([part("signed")]));
    }
    schema
}

fn part(name: &str) -> Value {
    json!({ "$ref": format!("{}#/$defs/{name}", BASE.0) })
}

fn said(name: &str, about: &str) -> Value {
    json!({ "$ref": format!("{}#/$defs/{name}", BASE.0), "description": about })
}

fn one_of(words: &[&str], about: &str) -> Value {
    json!({ "enum": words, "description": about })
}

fn matching(pattern: &str, about: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{pattern}$"), "description": about })
}

fn causes() -> Vec<&'static str> {
    Cause::ALL.iter().map(|cause| cause.word()).collect()
}

fn division() -> Value {
    matching("[0-9]{6}", "Where: the code of GB/T 2260; 000000 where nothing has told that")
}

fn enterprise() -> Value {
    matching("[0-9A-HJ-NP-RT-UW-Y]{18}", "Whose: the unified social credit code")
}

fn alarm_id() -> Value {
    matching(
        "[0-9a-f]{16}",
        "The alarm: the same for the same cause at the same place, as often as it comes back",
    )
}

/// A member that may be null.
fn maybe(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut()
        && let Some(own) = object.get("type").cloned()
    {
        object.insert("type".to_owned(), json!([own, "null"]));
    }
    value
}

fn both() -> Value {
    json!({
        "type": "object",
        "required": ["zh", "en"],
        "properties": { "zh": { "type": "string" }, "en": { "type": "string" } },
        "description": "For people, in both languages"
    })
}

fn notification() -> Value {
    let state = Life::ALL.map(Life::word);
    let shown = ["out_of_service", "shelved", "suppressed", "latched"];
    let states: Vec<&str> = state.into_iter().chain(shown).collect();
    let alarm = json!({
        "type": "object",
        "required": ["alarm_id", "cause", "what", "event", "state", "priority", "division", "at_unix_ms"],
        "properties": {
            "alarm_id": alarm_id(),
            "cause": one_of(&causes(), "What raises it"),
            "what": both(),
            "event": one_of(&Event::ALL.map(Event::word), "What happened last"),
            "state": one_of(&states, "How it stands, in the states of ISA-18.2"),
            "priority": one_of(&Priority::ALL.map(Priority::word), "How soon somebody must act"),
            "division": division(),
            "uscc": maybe(enterprise()),
            "gateway_id": maybe(matching(NAME, "Which gateway, where it is about one")),
            "subject": maybe(matching(NAME, "Of which equipment, order or finding")),
            "acknowledged": { "type": "boolean", "description": "Whether somebody has acknowledged it" },
            "record": maybe(matching("[0-9a-f]{64}", "Hash of the signed record that shows it, where one does")),
            "in_log_before": maybe(both()),
            "at_unix_ms": said("whole", "When, by the authority's clock, milliseconds since 1970-01-01 UTC")
        }
    });
    schema(
        ALARMS,
        "What is new of one kind of alarm to one receiver. What was not taken is told again, so that it may come twice",
        &[
            "coldhearth_alarms",
            "receiver",
            "kind",
            "what",
            "priority",
            "at_unix_ms",
            "alarms",
            "further",
            "standing",
            "upto",
        ],
        &json!({
            "coldhearth_alarms": { "const": 1, "description": "The version of this form" },
            "receiver": matching(NAME, "Who is told"),
            "kind": one_of(&Kind::ALL.map(Kind::word), "Of which kind: kinds are never merged"),
            "what": both(),
            "priority": one_of(&Priority::ALL.map(Priority::word), "The most urgent of what is new"),
            "at_unix_ms": said("whole", "When it was made, by the authority's clock, milliseconds since 1970-01-01 UTC"),
            "alarms": { "type": "array", "maxItems": MOST_NAMED, "items": alarm },
            "further": said("count", "Further alarms of which there is something new, and which are not named"),
            "standing": said("count", "Alarms of the kind that stand in the receiver's division"),
            "upto": said("count", "The step of the desk's log up to which this tells")
        }),
    )
}

fn alarm_step() -> Value {
    let (lives, hushes) = (Life::ALL.map(Life::word), Hush::ALL.map(Hush::word));
    signed(
        "alarm_step",
        "A step of an alarm in the desk's own log. Each names the one before; whoever keeps one can tell later whether the \
         desk has changed its history",
        &[
            "type",
            "number",
            "before",
            "at_unix_ms",
            "alarm_id",
            "cause",
            "kind",
            "division",
            "event",
            "from",
            "from_hush",
            "to",
            "to_hush",
            "level",
        ],
        &json!({
            "type": { "const": "alarm_step" },
            "number": { "$ref": format!("{}#/$defs/count", BASE.0), "minimum": 1, "description": "Counted from 1, without a gap" },
            "before": said("hash", "Hash of the one before; zeros in the first"),
            "at_unix_ms": said("whole", "When, by the authority's clock, milliseconds since 1970-01-01 UTC"),
            "alarm_id": alarm_id(),
            "cause": one_of(&causes(), "What raises it"),
            "kind": one_of(&Kind::ALL.map(Kind::word), "Which of the five kinds that is"),
            "division": division(),
            "uscc": enterprise(),
            "gateway_id": said("name", "Which gateway, where it is about one"),
            "subject": said("name", "Of which equipment, order or finding"),
            "event": one_of(&Event::ALL.map(Event::word), "What happened"),
            "from": one_of(&lives, "What it was before"),
            "from_hush": one_of(&hushes, "Whether it was told"),
            "to": one_of(&lives, "What it is now"),
            "to_hush": one_of(&hushes, "Whether it is told"),
            "level": one_of(&Level::ALL.map(Level::word), "Who must act now"),
            "who": { "type": "string", "description": "Who did it, where a person did" },
            "why": { "type": "string", "description": "And why" },
            "until_unix_ms": said("whole", "Until when it is put aside, milliseconds since 1970-01-01 UTC"),
            "record": said("hash", "The gateway's record that shows it"),
            "gateways": said("count", "Gateways it stands for, where it stands for many"),
            "act": { "type": "string", "description": "The authority's signed reset that ends it, as it was handed in at the desk" }
        }),
    )
}

fn report() -> Value {
    signed(
        "report",
        "The authority vouches for a report: for the bytes of its JSON without the line feed at their end",
        &[
            "type",
            "report",
            "division",
            "from_day",
            "to_day",
            "made_unix_ms",
            "rows",
            "rows_sha256",
            "report_sha256",
        ],
        &json!({
            "type": { "const": "report" },
            "report": one_of(&REPORTS, "Which"),
            "division": division(),
            "from_day": said("day", "Its first day"),
            "to_day": said("day", "The first day that is not in it"),
            "made_unix_ms": said("whole", "When it was made, by the authority's clock, milliseconds since 1970-01-01 UTC"),
            "rows": said("count", "Its rows"),
            "rows_sha256": matching("[0-9a-f]{64}", "SHA-256 of its `rows`: the same where it was made twice and says the same"),
            "report_sha256": matching("[0-9a-f]{64}", "SHA-256 of the JSON")
        }),
    )
}

fn completion() -> Value {
    signed(
        "completion",
        "A unit is gone for good: its demolition was accepted by a signed record, and the log bears its order out",
        &[
            "type",
            "order_id",
            "order_sha256",
            "division",
            "uscc",
            "gateway_id",
            "asset",
            "log_id",
            "closed_seq",
            "closed_record",
            "closed_unix_ms",
            "made_unix_ms",
        ],
        &json!({
            "type": { "const": "completion" },
            "order_id": said("name", "The cut-off order"),
            "order_sha256": said("hash", "Its hash"),
            "division": division(),
            "uscc": enterprise(),
            "gateway_id": said("name", "The unit's gateway"),
            "asset": said("name", "The unit"),
            "entry": said("citation", "The entry of the catalogue it stands under"),
            "plate": said("hash", "Fingerprint of its nameplate, where one is known"),
            "log_id": said("log_id", "The log with the record that accepts its demolition"),
            "closed_seq": said("count", "That record's place"),
            "closed_record": said("hash", "That record's hash"),
            "closed_unix_ms": said("whole", "When it was written, by the gateway's clock, milliseconds since 1970-01-01 UTC"),
            "made_unix_ms": said("whole", "When this was signed, by the authority's clock, milliseconds since 1970-01-01 UTC")
        }),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        evidence::{Ed25519, Sealer},
        regulator::alarms::{Alarm, Entry, Hand, Step, alarm::tests::about},
        terms::{Digest, Name},
    };

    fn named(schema: &Value, list: &str) -> BTreeSet<String> {
        let part = &schema[list];
        let keys = part.as_object().map(|object| object.keys().cloned().collect::<BTreeSet<_>>());
        let items = part.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned());
        keys.unwrap_or_else(|| items.collect())
    }

    /// What every signed message carries besides.
    fn own(json: &Value) -> BTreeSet<String> {
        let all: BTreeSet<String> = json.as_object().unwrap().keys().cloned().collect();
        all.into_iter().filter(|key| !["fmt", "alg", "kid", "sig"].contains(&key.as_str())).collect()
    }

    #[test]
    fn a_step_is_described_member_by_member() {
        let (mut sealer, key) = (Sealer::default(), Ed25519::from_seed(&[9; 32]));
        let alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let raised = alarm.step(Event::Raise, 1).unwrap();
        let least = Step {
            about: crate::regulator::alarms::About {
                enterprise: None,
                gateway: None,
                subject: None,
                ..raised.about
            },
            ..raised.clone()
        };
        let most = Step {
            about: crate::regulator::alarms::About {
                enterprise: crate::terms::place::CreditCode::parse("91350100M000100Y43"),
                ..raised.about
            },
            hand: Hand::new("wang", "seen"),
            until_unix_ms: Some(2),
            record: Some(Digest::ZERO),
            gateways: Some(3),
            act: Some("an act".to_owned()),
            ..raised
        };
        let mut sealed = |step: Step| -> BTreeSet<String> {
            let kept = Entry { number: 1, before: Digest::ZERO, step }.seal(&mut sealer, &key).unwrap();
            own(&serde_json::from_slice(&kept.bytes).unwrap())
        };
        let schema = alarm_step();
        assert_eq!(sealed(most), named(&schema, "properties"));
        assert_eq!(sealed(least), named(&schema, "required"));
    }

    #[test]
    fn the_document_tells_where_notifications_travel_and_every_page_is_named_once() {
        let document = document_with_alarms();
        assert!(document.pointer("/channels/alarms/messages/alarms").is_some());
        assert!(document.pointer("/operations/send_alarms/channel").is_some());
        let names: Vec<String> = pages().into_iter().map(|page| page.name).collect();
        let once: BTreeSet<&String> = names.iter().collect();
        assert_eq!(once.len(), names.len());
        for name in ["alarms", "alarm_step", "report", "completion"] {
            assert!(names.contains(&file(name)), "{names:?}");
        }
    }

    #[test]
    fn a_receiver_s_level_of_the_topic_is_what_a_name_is() {
        for symbol in ' '..='~' {
            let is_told =
                symbol == '-' || symbol == '_' || symbol.is_ascii_digit() || symbol.is_ascii_lowercase();
            assert_eq!(Name::new(&symbol.to_string()).is_some(), is_told, "{symbol}");
        }
        assert!(Name::new(&"a".repeat(24)).is_some() && Name::new(&"a".repeat(25)).is_none());
    }

    #[test]
    fn what_is_referred_to_is_in_the_base_schema() {
        let base: Value = serde_json::from_str(BASE.1).unwrap();
        for schema in [notification(), alarm_step(), report(), completion()] {
            let text = schema.to_string();
            for reference in text.split("#/$defs/").skip(1) {
                let name: String = reference.chars().take_while(|c| *c != '"').collect();
                assert!(base["$defs"].get(&name).is_some(), "{name}");
            }
        }
    }
}
