//! The choices of `init`, taken apart, and as the document that every configuration is read from.

use std::collections::BTreeMap;

use super::Choices;
use crate::{
    agent::commission::block::bus_id,
    catalogue::Rules,
    terms::{
        Decimal, Flaws, Name,
        flaw::{Place, Wrong},
        form::{Node, Value},
    },
};

/// How a meter is chosen.
const METER: &str = "write PROFILE@ENDPOINT/UNIT, as acrel-adl400@tcp://10.1.4.7:502/3, and behind commas what is known of it: \
                     ct=400/5,nominal_v=10kV";
/// How equipment is chosen.
const EQUIPMENT: &str =
    "write ID=KIND:POWER, as eaf-2=electric_furnace:12.5MW, or with the last lawful day: …:2011-12-31";
/// What the part before the first comma tells of a meter.
const PLACED: [&str; 3] = ["bus", "unit", "profile"];
/// Ratio written where nobody has read the plate of the current transformer.
pub(super) const PLACEHOLDER_CT: &str = "400/5";
/// Ratio written where nobody has read the plate of the voltage transformer.
pub(super) const PLACEHOLDER_PT: &str = "10000/100";
/// Voltage written where none was told, in volts.
pub(super) const PLACEHOLDER_V: &str = "400";

/// A piece of equipment as chosen.
pub(super) struct Furnace {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) rated_w: String,
    pub(super) day: Option<String>,
    place: Place,
}

/// A meter as chosen.
pub(super) struct Point {
    pub(super) id: String,
    pub(super) bus: String,
    pub(super) unit: String,
    pub(super) profile: String,
    /// The members of `[[meter]]` that were told, by key.
    pub(super) told: BTreeMap<String, String>,
    place: Place,
}

/// A bus: its id and endpoint.
pub(super) struct Bus {
    pub(super) id: String,
    pub(super) endpoint: String,
    place: Place,
}

/// Everything as chosen.
pub(super) struct Plan<'a> {
    pub(super) choices: &'a Choices,
    pub(super) host: String,
    pub(super) port: Option<String>,
    pub(super) furnaces: Vec<Furnace>,
    pub(super) buses: Vec<Bus>,
    pub(super) points: Vec<Point>,
}

impl<'a> Plan<'a> {
    /// Takes the choices apart; what cannot be is noted as a mistake of its flag.
    pub(super) fn of(choices: &'a Choices, flaws: &Flaws) -> Plan<'a> {
        let broker = choices.broker.as_str();
        // A scheme is told as a host that is none.
        let (host, port) = match broker.rsplit_once(':').filter(|_| !broker.contains("://")) {
            Some((host, port)) => (host.to_owned(), Some(port.to_owned())),
            None => (broker.to_owned(), None),
        };
        let furnaces: Vec<Furnace> =
            choices.equipment.iter().filter_map(|text| furnace(text, flaws)).collect();
        let mut plan = Plan { choices, host, port, furnaces, buses: Vec::new(), points: Vec::new() };
        for text in &choices.meters {
            if let Some(point) = plan.point(text, flaws) {
                plan.points.push(point);
            }
        }
        plan
    }

    /// Whether nothing is left that could be watched.
    pub(super) fn is_bare(&self) -> bool {
        self.points.is_empty() || self.furnaces.is_empty()
    }

    fn point(&mut self, text: &str, flaws: &Flaws) -> Option<Point> {
        let place = flag(&format!("--meter {text}"));
        let wrong = |wrong: String, right: String| flaws.add(place.clone(), Wrong { wrong, right });
        let (head, rest) = text.split_once(',').unwrap_or((text, ""));
        let whole = head.split_once('@').and_then(|(profile, at)| Some((profile, at.rsplit_once('/')?)));
        let Some((profile, (endpoint, unit))) = whole else {
            wrong(format!("`{head}` names no meter"), METER.into());
            return None;
        };
        // Where it is left out, the last / is one of the endpoint's.
        if unit.is_empty() || !unit.bytes().all(|b| b.is_ascii_digit()) {
            wrong(format!("`{head}` names no unit"), "write /UNIT at its end, as /3".into());
            return None;
        }
        let mut told = BTreeMap::new();
        for setting in rest.split(',').filter(|setting| !setting.is_empty()) {
            let Some((key, value)) = setting.split_once('=') else {
                wrong(format!("`{setting}` tells nothing"), METER.into());
                return None;
            };
            if PLACED.contains(&key) {
                wrong(format!("`{key}` is told twice"), "it stands before the first comma already".into());
            } else {
                told.insert(key.to_owned(), plain(key, value));
            }
        }
        let mut known: Vec<&str> = self.furnaces.iter().map(|furnace| furnace.id.as_str()).collect();
        known.dedup();
        if let ([only], false) = (&known[..], told.contains_key("serves")) {
            told.insert("serves".into(), (*only).to_owned());
        }
        let Some(serves) = told.get("serves").cloned() else {
            // What could be served was refused, and that is told.
            if known.len() < self.choices.equipment.len() && known.len() < 2 {
                return None;
            }
            let right = format!("add ,serves=ID with one of {}; of several: serves=ID+ID", known.join(", "));
            wrong("which equipment it serves is not told".into(), right);
            return None;
        };
        let bus = self.bus(endpoint, &place);
        let id = told.remove("id").unwrap_or_else(|| self.name(&serves, &bus, unit));
        Some(Point { id, bus, unit: unit.to_owned(), profile: profile.to_owned(), told, place })
    }

    /// The bus of an endpoint, made at its first use.
    fn bus(&mut self, endpoint: &str, place: &Place) -> String {
        if let Some(known) = self.buses.iter().find(|bus| bus.endpoint == endpoint) {
            return known.id.clone();
        }
        let mut id = bus_id(endpoint);
        if self.buses.iter().any(|bus| bus.id == id) {
            id = format!("bus-{}", self.buses.len() + 1);
        }
        self.buses.push(Bus { id: id.clone(), endpoint: endpoint.to_owned(), place: place.clone() });
        id
    }

    /// A meter is called after what it serves, or after its place where that is taken.
    fn name(&self, serves: &str, bus: &str, unit: &str) -> String {
        let id = format!("{serves}-feeder");
        let free = self.points.iter().all(|point| point.id != id);
        if free && Name::new(&id).is_some() { id } else { format!("m-{bus}-{unit}") }
    }

    /// The document, each value placed at the flag it was chosen by.
    pub(super) fn tree(&self) -> Node {
        let choices = self.choices;
        let gateway = [
            ("id", &choices.gateway, "--gateway"),
            ("division", &choices.division, "--division"),
            ("uscc", &choices.uscc, "--uscc"),
            ("state_dir", &choices.state_dir, "--state-dir"),
            ("profiles", &choices.profiles, "--profiles"),
        ];
        let broker = flag("--broker");
        let broker = [Some(("host", &self.host)), self.port.as_ref().map(|port| ("port", port))]
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.to_owned(), value.clone(), broker.clone()));
        let mut root = BTreeMap::new();
        let gateway = gateway.map(|(key, value, by)| (key.to_owned(), value.clone(), flag(by)));
        root.insert("gateway".to_owned(), table(flag("--gateway"), gateway));
        root.insert("broker".to_owned(), table(flag("--broker"), broker));
        if let Some(authority) = &choices.authority {
            let place = flag("--authority");
            let keys = [("keys".to_owned(), authority.clone(), place.clone())];
            root.insert("authority".to_owned(), table(place, keys));
        }
        root.insert("bus".to_owned(), list(self.buses.iter().map(Bus::node)));
        root.insert("equipment".to_owned(), list(self.furnaces.iter().map(Furnace::node)));
        root.insert("meter".to_owned(), list(self.points.iter().map(Point::node)));
        Node { place: flag("init"), value: Value::Table(root) }
    }
}

impl Bus {
    fn node(&self) -> Node {
        let members = [("id", &self.id), ("endpoint", &self.endpoint)];
        table(
            self.place.clone(),
            members.map(|(key, value)| (key.to_owned(), value.clone(), self.place.clone())),
        )
    }
}

impl Furnace {
    fn node(&self) -> Node {
        let day = self.day.as_ref().map(|day| ("decommissioned_on", day));
        let members = [("id", &self.id), ("kind", &self.kind), ("rated_power_w", &self.rated_w)];
        let members = members.into_iter().chain(day);
        let members = members.map(|(key, value)| (key.to_owned(), value.clone(), self.place.clone()));
        table(self.place.clone(), members)
    }
}

impl Point {
    fn node(&self) -> Node {
        let own = [("id", &self.id), ("bus", &self.bus), ("unit", &self.unit), ("profile", &self.profile)];
        let own = own.into_iter().map(|(key, value)| (key.to_owned(), value.clone()));
        let mut members: BTreeMap<String, String> = own.chain(self.told.clone()).collect();
        members.entry("nominal_v".into()).or_insert_with(|| PLACEHOLDER_V.to_owned());
        if self.is_behind_ct() {
            members.entry("ct".into()).or_insert_with(|| PLACEHOLDER_CT.to_owned());
        }
        let members = members.into_iter().map(|(key, value)| (key, value, self.place.clone()));
        table(self.place.clone(), members)
    }

    /// Whether it is fed by current transformers, as it is unless somebody says otherwise.
    pub(super) fn is_behind_ct(&self) -> bool {
        !self.told.contains_key("rated_a")
    }
}

fn furnace(text: &str, flaws: &Flaws) -> Option<Furnace> {
    let place = flag(&format!("--equipment {text}"));
    let wrong = |wrong: String, right: &str| flaws.add(place.clone(), Wrong::new(wrong, right));
    let parts = text.split_once('=').and_then(|(id, rest)| Some((id, rest.split_once(':')?)));
    let Some((id, (kind, rest))) = parts else {
        wrong(format!("`{text}` names no equipment"), EQUIPMENT);
        return None;
    };
    let (power, day) = rest.split_once(':').map_or((rest, None), |(power, day)| (power, Some(day)));
    // Whoever writes a file may name any kind; here it is more likely a slip.
    if let Ok(rules) = Rules::shipped_and(Vec::new())
        && !rules.knows_kind(kind)
    {
        let known: Vec<&str> = rules.kinds().collect();
        wrong(format!("the catalogue knows no kind `{kind}`"), &format!("known: {}", known.join(", ")));
    }
    // Without its unit 12.5 may be of watts or of megawatts.
    let Some(rated_w) = power.ends_with('W').then(|| units(power, "W")).flatten() else {
        wrong(format!("`{power}` is no power"), "write it as on the nameplate: 900kW, 12.5MW or 900000W");
        return None;
    };
    Some(Furnace {
        id: id.to_owned(),
        kind: kind.to_owned(),
        rated_w: rated_w.to_string(),
        day: day.map(str::to_owned),
        place,
    })
}

/// A value of a meter as the configuration writes it: volts of `10kV`, a list of `a+b`.
fn plain(key: &str, value: &str) -> String {
    match key {
        "nominal_v" => units(value, "V").map_or_else(|| value.to_owned(), |volts| volts.to_string()),
        "serves" => value.replace('+', ","),
        _ => value.to_owned(),
    }
}

/// The whole number of this unit in `12.5M` and the unit, or without either.
fn units(text: &str, unit: &str) -> Option<i128> {
    let number = text.strip_suffix(unit).unwrap_or(text);
    let (number, factor) = match number.strip_suffix(['k', 'M']) {
        Some(rest) if number.ends_with('k') => (rest, 1_000),
        Some(rest) => (rest, 1_000_000),
        None => (number, 1),
    };
    Decimal::parse(number.trim())?.times(factor)
}

fn flag(name: &str) -> Place {
    Place { file: name.into(), line: 0, column: 0 }
}

fn table(place: Place, members: impl IntoIterator<Item = (String, String, Place)>) -> Node {
    let member =
        |(key, value, place): (String, String, Place)| (key, Node { place, value: Value::Plain(value) });
    Node { place, value: Value::Table(members.into_iter().map(member).collect()) }
}

fn list(items: impl Iterator<Item = Node>) -> Node {
    Node { place: flag("init"), value: Value::List(items.collect()) }
}
