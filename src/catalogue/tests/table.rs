//! The cases that follow from the table of the law, and whether a catalogue decides them so.

use std::collections::BTreeMap;

use super::{
    super::{Case, Class, Classification, Rules},
    as_json,
    law::{EXEMPTIONS, FURTHER, KNOWN_KINDS, LAW, Law, NATIONAL_TARGETS},
    shipped,
};

/// One case and what must come of it.
pub(super) struct Check {
    /// The entry it is about.
    pub(super) about: &'static str,
    text: String,
    case: Case,
    state: Option<State>,
    missing: Option<String>,
    members: serde_json::Value,
}

/// Where an entry stands in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    In,
    Undetermined,
    Exempted,
    Out,
}

/// Facts of a plate: JSON by attribute, and rulings.
#[derive(Clone, Default)]
struct Facts {
    attributes: BTreeMap<String, String>,
    rulings: BTreeMap<String, bool>,
}

impl Facts {
    /// Sets `attribute=value`, `attribute=JSON` or `ruling:id=true`.
    fn set(&mut self, fact: &str) {
        let (name, value) = fact.split_once('=').unwrap();
        if let Some(what) = name.strip_prefix("ruling:") {
            self.rulings.insert(what.to_owned(), value == "true");
            return;
        }
        let literal = value.starts_with(['"', '{', '[', '-'])
            || value.starts_with(|c: char| c.is_ascii_digit())
            || ["null", "true", "false", "NaN", "Infinity"].contains(&value);
        let value = if literal { value.to_owned() } else { format!("\"{value}\"") };
        self.attributes.insert(name.to_owned(), value);
    }

    fn with(&self, fact: &str) -> Facts {
        let mut facts = self.clone();
        facts.set(fact);
        facts
    }

    fn without(&self, attribute: &str) -> Facts {
        let mut facts = self.clone();
        facts.attributes.remove(attribute);
        facts
    }

    fn on(&self, day: &str) -> String {
        let mut members: Vec<String> =
            self.attributes.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let rulings: Vec<String> = self.rulings.iter().map(|(what, is)| format!("\"{what}\":{is}")).collect();
        members.push(format!("\"determinations\":{{{}}}", rulings.join(",")));
        format!("{{\"at\":\"{day}\",\"nameplate\":{{{}}}}}", members.join(","))
    }
}

impl Check {
    fn new(about: &'static str, text: String) -> Check {
        let case =
            Case::read_all("table", &text, &shipped()).unwrap_or_else(|f| panic!("{text}: {f:?}")).remove(0);
        Check { about, text, case, state: None, missing: None, members: serde_json::json!({}) }
    }

    fn state(self, state: State) -> Check {
        Check { state: Some(state), ..self }
    }

    fn missing(self, attribute: &str) -> Check {
        Check { missing: Some(attribute.to_owned()), ..self }
    }

    fn members(self, members: serde_json::Value) -> Check {
        Check { members, ..self }
    }

    /// What came out otherwise.
    pub(super) fn failure(&self, rules: &Rules) -> Option<String> {
        let answer = rules.classify(self.case.on, &self.case.plate);
        let state = self.state.filter(|state| *state != state_of(self.about, &answer));
        let missing = self.missing.as_ref().filter(|missing| !answer.missing.contains(missing));
        let members = self.members.as_object().unwrap();
        let wrong = !members.is_empty() && {
            let all = as_json(&answer);
            members.iter().any(|(name, value)| all[name] != *value)
        };
        (state.is_some() || missing.is_some() || wrong).then(|| {
            format!(
                "{}: {}\n wanted {:?} {:?} {}\n is {}",
                self.about,
                self.text,
                self.state,
                self.missing,
                self.members,
                as_json(&answer)
            )
        })
    }
}

fn state_of(id: &str, answer: &Classification) -> State {
    let names = |ids: &[super::super::EntryId]| ids.iter().any(|known| known.as_str() == id);
    if names(&answer.matched) {
        State::In
    } else if names(&answer.undetermined) {
        State::Undetermined
    } else if names(&answer.exempted) {
        State::Exempted
    } else {
        State::Out
    }
}

fn alternatives(fact: &str) -> (&str, Vec<&str>) {
    let (attribute, values) = fact.split_once('=').unwrap();
    (attribute, values.split('|').collect())
}

/// A figure a little below, at, and a little above.
fn around(figure: &str) -> [String; 3] {
    let (whole, fraction) = figure.split_once('.').unwrap_or((figure, "0"));
    let tenths = whole.parse::<i64>().unwrap() * 10 + fraction.parse::<i64>().unwrap();
    let written =
        |ten_thousandths: i64| format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000);
    [written(tenths * 1_000 - 1), figure.to_owned(), written(tenths * 1_000 + 1)]
}

/// Facts an entry catches, with every choice of its alternatives.
fn caught(law: &Law) -> Vec<Facts> {
    let mut all = vec![Facts::default()];
    for fact in law.aside {
        all.iter_mut().for_each(|facts| facts.set(fact));
    }
    for fact in law.is {
        let (attribute, values) = alternatives(fact);
        let choices = |facts: &Facts| -> Vec<Facts> {
            values.iter().map(|value| facts.with(&format!("{attribute}={value}"))).collect()
        };
        all = all.iter().flat_map(choices).collect();
    }
    if let Some((attribute, word, figure)) = law.bound {
        let [below, _, above] = around(figure);
        let inside = if word == "大于" { above } else { below };
        all.iter_mut().for_each(|facts| facts.set(&format!("{attribute}={inside}")));
    }
    if law.ruling.is_some() {
        all.iter_mut().for_each(|facts| facts.set(&format!("ruling:{}=true", law.id)));
    }
    all
}

fn in_scope(law: &Law, facts: &Facts, checks: &mut Vec<Check>) {
    let (year, next) = (law.year, law.year + 1);
    let deadline = format!("{year}-12-31");
    for (day, phase) in [
        ("2010-06-01".to_owned(), "pre_deadline"),
        (deadline.clone(), "pre_deadline"),
        (format!("{next}-01-01"), "overdue"),
        (format!("{deadline}T15:59:59Z"), "pre_deadline"),
        (format!("{deadline}T16:00:00Z"), "overdue"),
    ] {
        let members = serde_json::json!({
            "verdict": "in_scope", "deadline": deadline, "phase": phase, "missing": [], "advisories": [],
        });
        checks.push(Check::new(law.id, facts.on(&day)).state(State::In).members(members));
    }
}

const DAY: &str = "2011-03-01";

/// Another value than the law's, every way not to say one, and several at once.
fn each_attribute(law: &Law, facts: &Facts, checks: &mut Vec<Check>) {
    let attributes = law.is.iter().map(|fact| alternatives(fact).0).chain(law.bound.map(|bound| bound.0));
    for attribute in attributes {
        let value = facts.attributes[attribute].clone();
        let other = match attribute {
            "equipment_kind" => "\"raw_mill\"",
            "service_start_date" => "\"1999-01-01\"",
            _ if value == "false" => "true",
            _ => "\"nothing_of_the_kind\"",
        };
        let malformed: &[&str] = match attribute {
            "equipment_kind" => &["\"unheard_of\"", "7"],
            "service_start_date" => &["\"1990-13-01\"", "1990", "\"90\""],
            _ if value == "false" => &["\"false\"", "0"],
            _ if law.bound.is_some_and(|bound| bound.0 == attribute) => {
                &["0", "-5", "\"5\"", "true", "NaN", "-Infinity", "1e999", "0.0e5"]
            }
            _ => &["74", "true"],
        };
        let mut unknown = vec![facts.without(attribute)];
        let ways = ["null", "\"\"", "[]", "{}", "{\"a\":1}", "{\"values\":[]}", "{\"values\":[null]}"];
        for way in ways.iter().chain(malformed) {
            unknown.push(facts.with(&format!("{attribute}={way}")));
            unknown.push(facts.with(&format!("{attribute}={{\"values\":[{value},{way}]}}")));
        }
        if law.bound.is_none_or(|bound| bound.0 != attribute) {
            checks.push(
                Check::new(law.id, facts.with(&format!("{attribute}={other}")).on(DAY)).state(State::Out),
            );
            unknown.push(facts.with(&format!("{attribute}={{\"values\":[{value},{other}]}}")));
        }
        for unknown in unknown {
            checks.push(Check::new(law.id, unknown.on(DAY)).state(State::Undetermined).missing(attribute));
        }
        let twice = facts.with(&format!("{attribute}={{\"values\":[{value},{value}]}}"));
        checks.push(Check::new(law.id, twice.on(DAY)).state(State::In));
    }
}

fn at_the_bound(law: &Law, facts: &Facts, checks: &mut Vec<Check>) {
    let Some((attribute, word, figure)) = law.bound else { return };
    let [below, at, above] = around(figure);
    let flagged = serde_json::json!([format!("bound-exact:{}", law.id)]);
    let none = serde_json::json!([]);
    let expected = match word {
        "以下" => [(State::In, &none), (State::Out, &flagged), (State::Out, &none)],
        "及以下" => [(State::In, &none), (State::In, &none), (State::Out, &none)],
        _ => [(State::Out, &none), (State::Out, &none), (State::In, &none)],
    };
    for (value, (state, advisories)) in [below, at, above].iter().zip(expected) {
        let text = facts.with(&format!("{attribute}={value}")).on(DAY);
        let members = serde_json::json!({ "advisories": advisories });
        checks.push(Check::new(law.id, text).state(state).members(members));
    }
    // Both readings differ between candidates, so the rival may match.
    if word == "以下" {
        let [below, at, _] = around(figure);
        let text = facts.with(&format!("{attribute}={{\"values\":[{below},{at}]}}")).on(DAY);
        let members = serde_json::json!({ "advisories": flagged });
        checks.push(Check::new(law.id, text).state(State::Undetermined).members(members));
    }
}

fn rulings(law: &Law, facts: &Facts, checks: &mut Vec<Check>) {
    let Some(unruled) = law.ruling else { return };
    let mut none = facts.clone();
    none.rulings.remove(law.id);
    let check = Check::new(law.id, none.on(DAY));
    checks.push(match unruled {
        "unknown" => check.state(State::Undetermined).missing(&format!("determinations:{}", law.id)),
        _ => check.state(State::Out),
    });
    let not = facts.with(&format!("ruling:{}=false", law.id));
    checks.push(Check::new(law.id, not.on(DAY)).state(State::Out));
}

/// Every case the table gives.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for law in LAW {
        let all = caught(law);
        all.iter().for_each(|facts| in_scope(law, facts, &mut checks));
        each_attribute(law, &all[0], &mut checks);
        at_the_bound(law, &all[0], &mut checks);
        rulings(law, &all[0], &mut checks);
    }
    for (id, facts, outcome) in EXEMPTIONS {
        let law = LAW.iter().find(|law| law.id == *id).unwrap();
        let mut plate = caught(law).remove(0);
        facts.iter().for_each(|fact| plate.set(fact));
        let presumed = serde_json::json!({
            "verdict": "undetermined", "missing": outcome.split(',').collect::<Vec<_>>(), "advisories": [format!("presume-in-scope:{id}")],
        });
        let check = Check::new(law.id, plate.on(DAY));
        checks.push(match *outcome {
            "exempt" => check.state(State::Exempted).members(
                serde_json::json!({ "verdict": "exempt", "deadline": null, "phase": null, "advisories": [], "missing": [] }),
            ),
            "in" => check.state(State::In),
            _ => check.state(State::Undetermined).members(presumed),
        });
    }
    for (plate, day, members) in FURTHER {
        let text = format!("{{\"at\":\"{day}\",\"nameplate\":{plate}}}");
        let about = LAW.iter().find(|law| members.contains(law.id)).map_or("", |law| law.id);
        checks.push(Check::new(about, text).members(serde_json::from_str(members).unwrap()));
    }
    for kind in KNOWN_KINDS {
        let mut facts = Facts::default();
        facts.set(&format!("equipment_kind={kind}"));
        let members = serde_json::json!({ "verdict": "out_of_scope", "missing": [], "advisories": [] });
        checks.push(Check::new("", facts.on(DAY)).members(members));
    }
    let unlisted = "{\"at\":\"2011-03-01\",\"nameplate\":{\"equipment_kind\":\"furnace_nobody_listed\"}}";
    checks.push(Check::new("", unlisted.into()).members(serde_json::json!({ "verdict": "undetermined" })));
    checks
}

/// What a catalogue says of itself, against the table.
pub(super) fn standing_failure(rules: &Rules) -> Option<String> {
    let named = LAW.iter().map(|law| law.id).chain(NATIONAL_TARGETS.iter().copied());
    let absent = named.clone().find(|id| rules.entry(id).is_none());
    let witness = LAW
        .iter()
        .find(|law| rules.entry(law.id).is_some_and(|entry| entry.witness.reach.word() != law.witness));
    let target =
        NATIONAL_TARGETS.iter().find(|id| rules.entry(id).is_some_and(|e| e.witness.reach.word() != "none"));
    absent.or(witness.map(|law| law.id)).or(target.copied()).map(str::to_owned)
}

#[test]
fn the_shipped_catalogue_is_what_the_table_says() {
    let (rules, checks) = (shipped(), checks());
    assert_eq!(LAW.len() + NATIONAL_TARGETS.len(), 60);
    assert_eq!(rules.entries().count(), 60);
    assert_eq!(standing_failure(&rules), None);
    let failures: Vec<String> = checks.iter().filter_map(|check| check.failure(&rules)).collect();
    assert!(failures.is_empty(), "{} of {} fail\n{}", failures.len(), checks.len(), failures.join("\n"));
    assert!(checks.len() > 2_000, "{}", checks.len());
}

#[test]
fn a_national_target_catches_nothing() {
    let rules = shipped();
    for check in checks() {
        let answer = rules.classify(check.case.on, &check.case.plate);
        for id in NATIONAL_TARGETS {
            assert_eq!(state_of(id, &answer), State::Out);
        }
        assert!(answer.class != Class::InScope || answer.deadline.is_some());
    }
}
