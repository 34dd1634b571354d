//! What is claimed of a piece of equipment: attribute names and values, from a file, a nameplate or an authority.

use std::collections::BTreeMap;

use super::{
    exact::Exact,
    overlay::Overlay,
    plate::{Nameplate, PlateValue},
    rules::Rules,
};
use crate::terms::{
    Digest, Flaw, Flaws, LegalDay,
    flaw::Wrong,
    form::{self, Form, Node, Value},
    json,
};

/// The attribute under which an authority's rulings stand.
pub const DETERMINATIONS: &str = "determinations";

/// One value as it was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datum {
    /// Text, dates too.
    Text(String),
    /// A finite number.
    Number(Exact),
    /// Yes or no.
    Flag(bool),
    /// An authority's rulings by entry or exemption; whatever was no yes or no is left out.
    Rulings(BTreeMap<String, bool>),
    /// Something no attribute can be: null, a list, NaN, an object.
    Unusable,
}

/// What is claimed of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// One value.
    One(Datum),
    /// Several that may contradict each other, as from several sources.
    Several(Vec<Datum>),
}

/// Everything claimed of one piece of equipment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CasePlate {
    claims: BTreeMap<String, Claim>,
}

impl CasePlate {
    /// Claims one value, in place of what was claimed of that attribute before.
    pub fn claim(&mut self, attribute: &str, datum: Datum) {
        self.claims.insert(attribute.to_owned(), Claim::One(datum));
    }

    /// Adds a value beside what is already claimed of that attribute: declared and read, for example. Equal values are one.
    pub fn claim_also(&mut self, attribute: &str, datum: Datum) {
        let claim = match self.claims.remove(attribute) {
            None => Claim::One(datum),
            Some(Claim::One(first)) if first == datum => Claim::One(first),
            Some(Claim::One(first)) => Claim::Several(vec![first, datum]),
            Some(Claim::Several(mut all)) => {
                all.push(datum);
                Claim::Several(all)
            }
        };
        self.claims.insert(attribute.to_owned(), claim);
    }

    /// Notes what an authority ruled of an entry, or of an exemption (`entry:exemption`).
    pub fn determine(&mut self, what: &str, ruling: bool) {
        let mut rulings = match self.claims.remove(DETERMINATIONS) {
            Some(Claim::One(Datum::Rulings(rulings))) => rulings,
            Some(Claim::One(_) | Claim::Several(_)) | None => BTreeMap::new(),
        };
        rulings.insert(what.to_owned(), ruling);
        self.claim(DETERMINATIONS, Datum::Rulings(rulings));
    }

    /// What is claimed, by attribute.
    pub fn claims(&self) -> impl Iterator<Item = (&str, &Claim)> {
        self.claims.iter().map(|(attribute, claim)| (attribute.as_str(), claim))
    }

    /// What is claimed of one attribute.
    pub fn get(&self, attribute: &str) -> Option<&Claim> {
        self.claims.get(attribute)
    }

    /// The `nameplate` of a case, or the same table of a configuration.
    pub fn of_members(members: &BTreeMap<String, Node>) -> CasePlate {
        let claims = members.iter().map(|(name, node)| (name.clone(), Claim::of(&node.value))).collect();
        CasePlate { claims }
    }
}

impl Claim {
    /// A value, or `{"values": [..]}`.
    fn of(value: &Value) -> Claim {
        if let Value::Table(members) = value
            && let Some(Node { value: Value::List(items), .. }) = members.get("values")
        {
            return Claim::Several(items.iter().map(|item| Datum::of(&item.value)).collect());
        }
        Claim::One(Datum::of(value))
    }
}

impl Datum {
    /// A value of a file.
    pub fn of(value: &Value) -> Datum {
        match value {
            Value::Text(text) | Value::Plain(text) => Datum::Text(text.clone()),
            Value::Integer(n) => Exact::new(*n, 0).map_or(Datum::Unusable, Datum::Number),
            Value::Decimal(decimal) => Datum::Number(Exact::from(*decimal)),
            Value::Vast(text) => Exact::parse(text).map_or(Datum::Unusable, Datum::Number),
            Value::Flag(flag) => Datum::Flag(*flag),
            Value::Table(members) => Datum::Rulings(
                members
                    .iter()
                    .filter_map(|(what, node)| match node.value {
                        Value::Flag(ruling) => Some((what.clone(), ruling)),
                        Value::Text(_)
                        | Value::Plain(_)
                        | Value::Integer(_)
                        | Value::Decimal(_)
                        | Value::Vast(_)
                        | Value::Null
                        | Value::List(_)
                        | Value::Table(_) => None,
                    })
                    .collect(),
            ),
            Value::Null | Value::List(_) => Datum::Unusable,
        }
    }
}

/// What was read over Modbus becomes the same claims; the plate's attribute names are the catalogue's.
impl From<&Nameplate> for CasePlate {
    fn from(plate: &Nameplate) -> CasePlate {
        let datum = |value: &PlateValue| match value {
            PlateValue::Whole(n) => Exact::new(*n, 0).map_or(Datum::Unusable, Datum::Number),
            PlateValue::Decimal { mantissa, places } => {
                Exact::new(*mantissa, -i64::from(*places)).map_or(Datum::Unusable, Datum::Number)
            }
            PlateValue::Text(text) => Datum::Text(text.clone()),
            PlateValue::Flag(flag) => Datum::Flag(*flag),
        };
        let claims = plate.attributes().iter();
        CasePlate { claims: claims.map(|a| (a.name.clone(), Claim::One(datum(&a.value)))).collect() }
    }
}

/// One question: what does the law say of this plate, on this day, in regions that have added this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The lawful day.
    pub on: LegalDay,
    /// The plate.
    pub plate: CasePlate,
    /// Overlays that come with the question, beside those of the rules.
    pub overlays: Vec<Overlay>,
}

impl Case {
    /// Reads one case, or a list of them, from JSON.
    ///
    /// # Errors
    /// Every mistake, with its place; a mistake of the syntax alone.
    pub fn read_all(file: &str, text: &str, rules: &Rules) -> Result<Vec<Case>, Vec<Flaw>> {
        let node = json::parse(file, text).map_err(|flaw| vec![flaw])?;
        let sha256 = Digest::of(text.as_bytes());
        let flaws = Flaws::default();
        let items =
            if let Value::List(items) = &node.value { items.as_slice() } else { std::slice::from_ref(&node) };
        let cases = items.iter().filter_map(|item| Case::of(item, file, sha256, rules, &flaws)).collect();
        if flaws.is_empty() { Ok(cases) } else { Err(flaws.into_sorted()) }
    }

    fn of(node: &Node, file: &str, sha256: Digest, rules: &Rules, flaws: &Flaws) -> Option<Case> {
        let form = Form::of(node, flaws)?;
        let day_or_moment = "a day like 2010-12-31 or a moment like 2010-12-31T16:00:00Z is expected";
        let on = form.required("at", |value| form::parsed(value, legal_day, day_or_moment));
        let plate = form.required("nameplate", |value| match value {
            Value::Table(members) => Ok(CasePlate::of_members(members)),
            Value::Text(_)
            | Value::Plain(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Vast(_)
            | Value::Null
            | Value::Flag(_)
            | Value::List(_) => {
                Err(Wrong::new(format!("is {}", value.kind()), "attributes in braces are expected"))
            }
        });
        let overlays = form.nodes("overlays").iter();
        let overlays = overlays.filter_map(|node| rules.overlay_of(node, file, sha256, flaws)).collect();
        ["id", "why", "expect"].into_iter().for_each(|key| form.pass(key));
        form.close();
        Some(Case { on: on?, plate: plate?, overlays })
    }
}

/// The lawful day of `YYYY-MM-DD`, or of a moment of RFC 3339.
fn legal_day(text: &str) -> Option<LegalDay> {
    let moment = || Some(LegalDay::of_unix_ms(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()));
    LegalDay::parse(text).or_else(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue::Attribute, terms::json};

    #[test]
    fn a_modbus_nameplate_and_a_file_claim_the_same() {
        let attribute = |name: &str, value| Attribute { name: name.into(), value };
        let read = Nameplate::new(vec![
            attribute("coke_chamber_height_m", PlateValue::Decimal { mantissa: 430, places: 2 }),
            attribute("built_year", PlateValue::Whole(1998)),
            attribute("equipment_kind", PlateValue::Text("coke_oven_mechanised".into())),
            attribute("stamp_charged", PlateValue::Flag(true)),
        ]);
        let text = r#"{"coke_chamber_height_m": 4.3, "built_year": 1998, "equipment_kind": "coke_oven_mechanised",
            "stamp_charged": true}"#;
        let Value::Table(members) = json::parse("a", text).unwrap().value else { panic!() };
        assert_eq!(CasePlate::from(&read.unwrap()), CasePlate::of_members(&members));
    }

    #[test]
    fn a_moment_belongs_to_the_day_in_shanghai() {
        for (text, day) in [
            ("2010-12-31", "2010-12-31"),
            ("2010-12-31T15:59:59Z", "2010-12-31"),
            ("2010-12-31T15:59:59.999Z", "2010-12-31"),
            ("2010-12-31T16:00:00Z", "2011-01-01"),
            ("2011-01-01T00:00:00+08:00", "2011-01-01"),
            ("2010-12-31T23:59:59+08:00", "2010-12-31"),
        ] {
            assert_eq!(legal_day(text), LegalDay::parse(day), "{text}");
        }
        for wrong in ["", "2010", "2010-02-30", "2010-12-31T12:00:00", "2010-12-31T25:00:00Z", "yesterday"] {
            assert_eq!(legal_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn claims_beside_each_other_are_kept_unless_equal() {
        let mut plate = CasePlate::default();
        plate.claim_also("x", Datum::Flag(true));
        plate.claim_also("x", Datum::Flag(true));
        assert_eq!(plate.get("x"), Some(&Claim::One(Datum::Flag(true))));
        plate.claim_also("x", Datum::Flag(false));
        plate.claim_also("x", Datum::Flag(true));
        let all = [true, false, true].map(Datum::Flag);
        assert_eq!(plate.get("x"), Some(&Claim::Several(all.into())));
        plate.determine("a", true);
        plate.determine("b", false);
        let rulings = BTreeMap::from([("a".to_owned(), true), ("b".to_owned(), false)]);
        assert_eq!(plate.get(DETERMINATIONS), Some(&Claim::One(Datum::Rulings(rulings))));
    }
}
