//! What an electrician would have written of the scenario: the agent's configuration, in the agent's own words.
//!
//! `[[equipment]]`, `[[meter]]` and `[[balance]]` of a scenario are the agent's own tables. They are handed over as they
//! stand, so that the agent's reader finds their mistakes, at their places in the scenario.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use coldhearth::{
    agent::config::{self, AgentConfig},
    metering::Profile,
    terms::{
        Decimal, Digest, Flaw, Name,
        flaw::Place,
        form::{Node, Step, Value},
    },
};

/// The tables that are the agent's.
pub(super) const TABLES: [&str; 3] = ["equipment", "meter", "balance"];
/// The tables of a configuration in the order people read them.
const ORDER: [&str; 6] = ["gateway", "broker", "bus", "equipment", "meter", "balance"];
/// The gateway of every scenario.
const GATEWAY: &str = "gw-sim";
/// Where the first bus listens, unless somebody serves it elsewhere.
const FIRST_PORT: u16 = 15_020;

/// The agent's configuration as a document, the tables of the scenario in it.
#[derive(Clone, Debug)]
pub(super) struct Premises {
    tree: BTreeMap<String, Node>,
    pub(super) buses: Vec<Name>,
}

impl Premises {
    /// Takes the agent's tables out of a scenario; each meter is asked once in `poll_ms` unless it says otherwise.
    pub(super) fn of(scenario: &Node, poll_ms: u64) -> Premises {
        let place = &scenario.place;
        let mut tree = BTreeMap::new();
        let Value::Table(members) = &scenario.value else { return Premises { tree, buses: Vec::new() } };
        for key in TABLES {
            if let Some(node) = members.get(key) {
                tree.insert(key.to_owned(), node.clone());
            }
        }
        if let Some(Node { value: Value::List(meters), .. }) = tree.get_mut("meter") {
            for meter in meters {
                if let Node { place, value: Value::Table(meter) } = meter {
                    let poll = Value::Integer(poll_ms.min(60_000).cast_signed());
                    meter
                        .entry("poll_ms".into())
                        .or_insert_with(|| Node { place: place.clone(), value: poll });
                }
            }
        }
        let mut buses = BTreeSet::new();
        tree.values().for_each(|node| collect_buses(node, &mut buses));
        let text = |text: &str| Node { place: place.clone(), value: Value::Text(text.to_owned()) };
        let table = |members: &[(&str, &str)]| Node {
            place: place.clone(),
            value: Value::Table(
                members.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect(),
            ),
        };
        tree.insert(
            "gateway".into(),
            table(&[
                ("id", GATEWAY),
                ("division", "130421"),
                ("uscc", "91350100M000100Y43"),
                ("state_dir", "state"),
            ]),
        );
        tree.insert("broker".into(), table(&[("host", "127.0.0.1")]));
        let endpoints = buses.iter().zip(FIRST_PORT..).map(|(bus, port)| {
            table(&[("id", bus.as_str()), ("endpoint", &format!("tcp://127.0.0.1:{port}"))])
        });
        let endpoints = Value::List(endpoints.collect());
        tree.insert("bus".into(), Node { place: place.clone(), value: endpoints });
        Premises { tree, buses: buses.into_iter().collect() }
    }

    /// A text that is declared of a meter.
    pub(super) fn said_of_meter(&self, meter: Name, key: &str) -> Option<&str> {
        let Value::List(meters) = &self.tree.get("meter")?.value else { return None };
        let is_it = |node: &&Node| text_of(node, "id") == Some(meter.as_str());
        text_of(meters.iter().find(is_it)?, key)
    }

    /// Reads it as the agent does.
    pub(super) fn read(&self, place: &Place, shelf: &[Arc<Profile>]) -> Result<AgentConfig, Vec<Flaw>> {
        let node = Node { place: place.clone(), value: Value::Table(self.tree.clone()) };
        config::of_tree(&node, Digest::of(b""), shelf)
    }

    /// The configuration as a file, each bus at the endpoint somebody serves it at.
    pub(super) fn text(&self, endpoint: &dyn Fn(Name) -> Option<String>, profiles: &str) -> String {
        let mut out = String::new();
        for key in ORDER {
            let Some(node) = self.tree.get(key) else { continue };
            match &node.value {
                Value::List(items) => items.iter().for_each(|item| {
                    write_table(&mut out, &format!("[[{key}]]"), item, &|member, value| {
                        served(item, member, value, endpoint)
                    });
                }),
                Value::Table(_) => write_table(&mut out, &format!("[{key}]"), node, &|_, _| None),
                Value::Text(_)
                | Value::Plain(_)
                | Value::Integer(_)
                | Value::Decimal(_)
                | Value::Vast(_)
                | Value::Null
                | Value::Flag(_) => {}
            }
        }
        out.replacen("[gateway]\n", &format!("[gateway]\nprofiles = {}\n", quoted(profiles)), 1)
    }
}

/// The endpoint of a bus where somebody else says it.
fn served(
    item: &Node,
    member: &str,
    value: &Value,
    endpoint: &dyn Fn(Name) -> Option<String>,
) -> Option<String> {
    let (Value::Table(members), Value::Text(_), "endpoint") = (&item.value, value, member) else {
        return None;
    };
    let Value::Text(id) = &members.get("id")?.value else { return None };
    endpoint(Name::new(id)?).map(|endpoint| quoted(&endpoint))
}

fn text_of<'n>(table: &'n Node, key: &str) -> Option<&'n str> {
    let member = table.at(&[Step::Key(key.to_owned())])?;
    if let Value::Text(text) = &member.value { Some(text) } else { None }
}

fn collect_buses(node: &Node, buses: &mut BTreeSet<Name>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| collect_buses(item, buses)),
        Value::Table(members) => {
            for (key, member) in members {
                match &member.value {
                    Value::Text(text) if key == "bus" => buses.extend(Name::new(text)),
                    Value::Text(_)
                    | Value::Plain(_)
                    | Value::Integer(_)
                    | Value::Decimal(_)
                    | Value::Vast(_)
                    | Value::Null
                    | Value::Flag(_)
                    | Value::List(_)
                    | Value::Table(_) => collect_buses(member, buses),
                }
            }
        }
        Value::Text(_)
        | Value::Plain(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_) => {}
    }
}

/// Writes a table with a head; tables in it are written in line.
fn write_table(out: &mut String, head: &str, node: &Node, instead: &dyn Fn(&str, &Value) -> Option<String>) {
    let Value::Table(members) = &node.value else { return };
    let _infallible = writeln!(out, "{head}");
    for (key, member) in members {
        let value = instead(key, &member.value).unwrap_or_else(|| inline(&member.value));
        let _infallible = writeln!(out, "{key} = {value}");
    }
    out.push('\n');
}

fn inline(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Plain(text) | Value::Vast(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(Decimal { mantissa, exponent }) => format!("{mantissa}.0e{exponent}"),
        Value::Flag(flag) => flag.to_string(),
        Value::Null => "\"\"".to_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, member)| format!("{key} = {}", inline(&member.value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use coldhearth::terms::form::Node;

    use super::*;
    use crate::scenario::shipped;

    #[test]
    fn the_file_for_people_is_read_as_the_scenario_was() {
        for scenario in shipped::all().unwrap() {
            let buses = scenario.buses();
            let endpoint = |bus| {
                let place = buses.iter().position(|known| *known == bus)?;
                Some(format!("tcp://10.0.0.1:{}", 5_020 + place))
            };
            let text = scenario.configuration(&endpoint, "meters");
            let node = Node::parse("agent.toml", &text).unwrap_or_else(|flaws| panic!("{flaws:#?}\n{text}"));
            let read = config::of_tree(&node, Digest::of(b""), shipped::profiles().unwrap());
            let read = read.unwrap_or_else(|flaws| panic!("{flaws:#?}\n{text}"));
            let told = |config: &AgentConfig| {
                format!("{:?} {:?} {:?}", config.meters, config.equipment, config.balances)
            };
            assert_eq!(told(&read), told(&scenario.config), "{}", scenario.name);
            assert!(read.buses.iter().all(|bus| bus.endpoint.to_string().contains("10.0.0.1")), "{text}");
        }
    }
}
