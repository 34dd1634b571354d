//! The AsyncAPI 3 document, from a gateway's point of view: it sends everything but receipts and acts.

use serde_json::{Map, Value, json};

use super::message::Message;
use crate::{
    evidence::{
        KeyId, Kind,
        heads::HEADS_TOPIC,
        live::LIVE_ROOT,
        presence::WILL_DELAY_S,
        share::{MAX_WORKERS, SHARE_TOPIC},
        topic::{ROOT, SELF},
    },
    terms::{
        GatewayId, Name,
        place::{CreditCode, Division},
    },
};

/// Version of the MQTT bindings that the document uses.
const BINDING: &str = "0.2.0";
/// Longest name probed for.
const MAX_PROBED: usize = 64;

/// The document.
pub fn asyncapi() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Coldhearth",
            "version": "1.0.0",
            "description": "Attestations that equipment ordered cold stays cold, as a plant's gateway publishes them and \
                as its authority receipts them. Every signed message is one canonical JSON object of the format \
                coldhearth/1; believe nothing whose signature was not checked. Members that no schema names are to be \
                ignored. Delivery is QoS 1, but for live: messages may come twice and out of order; (gateway_id, log_id, seq) names a \
                record, and only a receipt means that it was delivered.",
            "license": { "name": "Apache-2.0" }
        },
        "defaultContentType": "application/json",
        "servers": { "broker": server() },
        "channels": channels(),
        "operations": operations(),
        "components": { "messages": messages() }
    })
}

fn server() -> Value {
    json!({
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "description": "A broker of MQTT 5, or of 3.1.1 where it knows no better. Clients show a certificate; its common \
            name decides what they may read and write: see config/mosquitto.",
        "bindings": { "mqtt": {
            "cleanSession": true,
            "lastWill": {
                "topic": format!("{ROOT}/{{province}}/{{city}}/{{county}}/{{uscc}}/{{gateway}}/{SELF}/{}", Kind::Link.word()),
                "qos": 1,
                "message": "A presence with `online` false and `why` `lost`",
                "retain": true
            },
            "sessionExpiryInterval": WILL_DELAY_S,
            "bindingVersion": BINDING
        } }
    })
}

fn channels() -> Map<String, Value> {
    let word = Message::Heads.word();
    let key = parameter("The short name of the key that signs", |text| KeyId::from_hex(text).is_some());
    let heads = json!({
        "address": format!("{HEADS_TOPIC}/{{key}}"),
        "description": "The authority's newest word on how far it knows every log: whoever keeps these can tell later \
            whether it has changed its history since",
        "parameters": { "key": key },
        "messages": { word: { "$ref": format!("#/components/messages/{word}") } }
    });
    let of_gateways = Kind::ALL.into_iter().map(|kind| (name(kind), channel(kind)));
    let of_groups = GROUPS
        .into_iter()
        .map(|(message, levels, about)| (message.word().to_owned(), of_a_group(message, levels, about)));
    let live = (Message::Live.word().to_owned(), live());
    of_gateways.chain([live, (word.to_owned(), heads)]).chain(of_groups).collect()
}

/// Outside of the records' topics, so that nobody who wants records is given it.
fn live() -> Value {
    let word = Message::Live.word();
    let mut parameters = of_a_gateway();
    parameters.push(("meter", parameter("The meter's identifier", |text| Name::new(text).is_some())));
    json!({
        "address": format!("{LIVE_ROOT}/{{province}}/{{city}}/{{county}}/{{uscc}}/{{gateway}}/{{meter}}"),
        "description": "Every scan of a meter as it comes, where the gateway's configuration asks for it. Unsigned, kept by \
            nobody, dropped where the broker is slow: for a screen, never evidence",
        "parameters": named(parameters),
        "messages": { word: { "$ref": format!("#/components/messages/{word}") } }
    })
}

/// What collectors of a group say to each other: the levels of the topic around group and worker, and what it is for.
const GROUPS: [(Message, [&str; 2], &str); 2] = [
    (
        Message::Canary,
        ["canary/of", "/_/attest"],
        "Among collectors: what the filter of all records takes in, too, so that it proves the subscription by which \
            records are shared; no record, and in no division",
    ),
    (Message::Beat, ["beat", ""], "Among collectors: which members of a group are there"),
];

fn of_a_group(message: Message, [before, after]: [&str; 2], about: &str) -> Value {
    let word = message.word();
    let group = parameter("The group's name", |text| Name::new(text).is_some());
    let digit = class(|text| text.parse::<u8>().is_ok());
    let digits = MAX_WORKERS.to_string().len();
    let worker = parameter_of("The collector's number in it", &format!("{digit}{{1,{digits}}}"));
    json!({
        "address": format!("{SHARE_TOPIC}/{before}/{{group}}/{{worker}}{after}"),
        "description": about,
        "parameters": { "group": group, "worker": worker },
        "messages": { word: { "$ref": format!("#/components/messages/{word}") } }
    })
}

/// The name of a kind's channel.
fn name(kind: Kind) -> String {
    kind.word().replace('/', "_")
}

/// Whether a kind is about a piece of equipment, or always about the gateway itself.
const fn is_of_assets(kind: Kind) -> bool {
    match kind {
        Kind::State | Kind::Violation | Kind::Tamper | Kind::Plate => true,
        Kind::Attest | Kind::Head | Kind::Link | Kind::Answer | Kind::Receipt | Kind::Act => false,
    }
}

/// Whether the gateway is who is spoken to.
const fn comes_to_the_gateway(kind: Kind) -> bool {
    match kind {
        Kind::Receipt | Kind::Act => true,
        Kind::Attest
        | Kind::State
        | Kind::Violation
        | Kind::Tamper
        | Kind::Plate
        | Kind::Head
        | Kind::Link
        | Kind::Answer => false,
    }
}

fn channel(kind: Kind) -> Value {
    let asset = if is_of_assets(kind) { "{asset}" } else { SELF };
    let own = if kind == Kind::Act { "/{act_id}" } else { "" };
    let address =
        format!("{ROOT}/{{province}}/{{city}}/{{county}}/{{uscc}}/{{gateway}}/{asset}/{}{own}", kind.word());
    let mut parameters = of_a_gateway();
    if is_of_assets(kind) {
        let about = "The equipment's identifier; `_` for the gateway itself";
        parameters.push(("asset", parameter(about, |text| Name::new(text).is_some())));
    }
    if kind == Kind::Act {
        parameters.push(("act_id", parameter("The act's identifier", |text| Name::new(text).is_some())));
    }
    let parameters = named(parameters);
    let reference = |message: &Message| {
        let whole = json!({ "$ref": format!("#/components/messages/{}", message.word()) });
        (message.word().to_owned(), whole)
    };
    let messages: Map<String, Value> = Message::under(kind).iter().map(reference).collect();
    json!({ "address": address, "description": about(kind), "parameters": parameters, "messages": messages })
}

/// The levels that name a gateway.
fn of_a_gateway() -> Vec<(&'static str, Value)> {
    let enterprise = parameter("The enterprise: its unified social credit code, GB 32100", |text| {
        CreditCode::parse(text).is_some()
    });
    vec![
        ("province", division("the province")),
        ("city", division("the prefecture")),
        ("county", division("the county")),
        ("uscc", enterprise),
        ("gateway", parameter("The gateway's identifier", |text| GatewayId::new(text).is_some())),
    ]
}

fn named(parameters: Vec<(&str, Value)>) -> Map<String, Value> {
    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Attest => {
            "Every record of the gateway's log, in chain order but for alerts that overtake a backlog"
        }
        Kind::State => {
            "The newest verdict on a piece of equipment; under `_` the newest genesis or key of the log"
        }
        Kind::Violation => "The verdict of a violation, while it is latched",
        Kind::Tamper => "The verdict on equipment at one of whose meters a strong sign stands, while it does",
        Kind::Plate => {
            "The newest edit of a nameplate that made another case of it, until the authority's reset"
        }
        Kind::Head => "The newest checkpoint of the log",
        Kind::Link => "Whether the gateway is there",
        Kind::Answer => "The answers to acts",
        Kind::Receipt => "To the gateway: the authority's newest receipt",
        Kind::Act => "To the gateway: an act of the authority, until it is answered",
    }
}

fn operations() -> Map<String, Value> {
    let operation = |kind: Kind| {
        let (action, verb) = if comes_to_the_gateway(kind) { ("receive", "hears") } else { ("send", "says") };
        let channel = format!("#/channels/{}", name(kind));
        let messages: Vec<Value> = Message::under(kind)
            .iter()
            .map(|message| json!({ "$ref": format!("{channel}/messages/{}", message.word()) }))
            .collect();
        let value = json!({
            "action": action,
            "channel": { "$ref": channel },
            "summary": format!("The gateway {verb} `{}`", kind.word()),
            "messages": messages,
            "bindings": { "mqtt": { "qos": 1, "retain": kind.is_retained(), "bindingVersion": BINDING } }
        });
        (format!("{action}_{}", name(kind)), value)
    };
    let word = Message::Heads.word();
    let heads = json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{word}") },
        "summary": "The authority, no gateway, says it once a legal day has ended",
        "messages": [{ "$ref": format!("#/channels/{word}/messages/{word}") }],
        "bindings": { "mqtt": { "qos": 1, "retain": true, "bindingVersion": BINDING } }
    });
    let word = Message::Live.word();
    let live = json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{word}") },
        "summary": "The gateway tells every scan, where its configuration asks for it",
        "messages": [{ "$ref": format!("#/channels/{word}/messages/{word}") }],
        "bindings": { "mqtt": { "qos": 0, "retain": false, "bindingVersion": BINDING } }
    });
    let live = (format!("send_{word}"), live);
    let word = Message::Heads.word();
    let among_collectors = GROUPS.into_iter().map(|(message, ..)| {
        let word = message.word();
        let value = json!({
            "action": "send",
            "channel": { "$ref": format!("#/channels/{word}") },
            "summary": "A collector, no gateway, says it once a second to the others of its group",
            "messages": [{ "$ref": format!("#/channels/{word}/messages/{word}") }],
            "bindings": { "mqtt": { "qos": 1, "retain": false, "bindingVersion": BINDING } }
        });
        (format!("send_{word}"), value)
    });
    let of_gateways = Kind::ALL.into_iter().map(operation);
    of_gateways.chain([live, (format!("send_{word}"), heads)]).chain(among_collectors).collect()
}

fn messages() -> Map<String, Value> {
    let message = |message: Message| {
        let empty = json!({ "type": "string", "maxLength": 0 });
        let payload = if message == Message::Cleared {
            empty
        } else {
            json!({
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": { "$ref": format!("./{}", message.file()) }
            })
        };
        let value = json!({ "name": message.word(), "summary": message.summary(), "payload": payload });
        (message.word().to_owned(), value)
    };
    Message::ALL.into_iter().map(message).collect()
}

fn division(what: &str) -> Value {
    let about = format!("Two digits of the division code, GB/T 2260: {what}");
    parameter_of(&about, &format!("{}{{2}}", class(|text| Division::parse(&text.repeat(6)).is_some())))
}

fn parameter(about: &str, accepts: fn(&str) -> bool) -> Value {
    let lengths = (1..=MAX_PROBED).filter(|length| accepts(&"9".repeat(*length)));
    let (shortest, longest) = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
    let symbols = class(|text| accepts(&text.repeat(longest)));
    let times = if shortest == longest { longest.to_string() } else { format!("{shortest},{longest}") };
    parameter_of(about, &format!("{symbols}{{{times}}}"))
}

/// A level of a topic. AsyncAPI has no word for what may stand there; `x-pattern` is a regular expression for all of it.
fn parameter_of(about: &str, pattern: &str) -> Value {
    json!({ "description": about, "x-pattern": pattern })
}

/// The symbols that a reader accepts, as a class of a regular expression.
fn class(accepts: impl Fn(&str) -> bool) -> String {
    let mut class = String::from("[");
    let mut run: Vec<char> = Vec::new();
    for symbol in (' '..='~').map(Some).chain([None]) {
        if let Some(symbol) = symbol.filter(|symbol| accepts(&symbol.to_string())) {
            run.push(symbol);
            continue;
        }
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            match run.len() {
                1 if *first == '-' => class.push_str("\\-"),
                1 => class.push(*first),
                _ => class.extend([*first, '-', *last]),
            }
        }
        run.clear();
    }
    class.push(']');
    class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::share::{beat_topic, canary_topic};

    #[test]
    fn levels_of_a_topic_are_what_the_readers_accept() {
        let document = asyncapi();
        let pattern = |name: &str| {
            let pointer = format!("/channels/alarm_violation/parameters/{name}/x-pattern");
            document.pointer(&pointer).unwrap().as_str().unwrap().to_owned()
        };
        assert_eq!(pattern("province"), "[0-9]{2}");
        assert_eq!(pattern("uscc"), "[0-9A-HJ-NP-RTUWXY]{18}".replace("TUWXY", "T-UW-Y"));
        assert_eq!(pattern("gateway"), "[\\-0-9_a-z]{1,24}");
        assert_eq!(pattern("asset"), pattern("gateway"));
    }

    #[test]
    fn what_collectors_say_to_each_other_is_said_where_the_document_says() {
        let group = Name::new("east").unwrap();
        for (word, topic) in [("canary", canary_topic(group, 12)), ("beat", beat_topic(group, 12))] {
            let document = asyncapi();
            let address = document.pointer(&format!("/channels/{word}/address")).unwrap().as_str().unwrap();
            assert_eq!(address.replace("{group}", "east").replace("{worker}", "12"), topic);
        }
    }

    #[test]
    fn every_kind_has_a_channel_whose_address_is_of_that_kind() {
        let document = asyncapi();
        for kind in Kind::ALL {
            let pointer = format!("/channels/{}/address", name(kind));
            let address = document.pointer(&pointer).unwrap().as_str().unwrap();
            let topic = address
                .replace("{province}/{city}/{county}", "13/04/21")
                .replace("{uscc}", "91350100M000100Y43")
                .replace("{gateway}", "gw-1")
                .replace("{asset}", "eaf-1")
                .replace("{act_id}", "a-1")
                .replace(['{', '}'], "");
            assert_eq!(Kind::of_topic(&topic), Some(kind), "{topic}");
        }
    }
}
