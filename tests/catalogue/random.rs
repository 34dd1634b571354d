//! Random cases and overlays over the shipped catalogue, drawn where mistakes hide: at the bounds, with values missing,
//! malformed or contradicting each other. The same seed gives the same case.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    missing_docs,
    reason = "a generator of tests"
)]

use serde_json::{Value, json};

/// Dice with a seed (SplitMix64).
pub struct Dice(u64);

/// The catalogue as plain data.
pub struct Vocabulary {
    entries: Vec<Value>,
    types: Value,
}

/// Every predicate of a list of criteria, those inside `any` too.
fn predicates(criteria: &Value) -> Vec<&Value> {
    let items = criteria.as_array().into_iter().flatten();
    items
        .flat_map(|item| item["any"].as_array().map_or_else(|| vec![item], |any| any.iter().collect()))
        .collect()
}

impl Vocabulary {
    pub fn of(catalogue: &str) -> Vocabulary {
        // Dates are only in members that are not looked at here.
        let table: toml::Table = toml::from_str(catalogue).unwrap();
        let all = serde_json::to_value(table).unwrap();
        let entries = all["entry"].as_array().unwrap().iter();
        let entries = entries.filter(|entry| entry["kind"] != "national-target").cloned().collect();
        Vocabulary { entries, types: all["attributes"].clone() }
    }

    fn type_of(&self, attribute: &str) -> &str {
        self.types[attribute]["type"].as_str().unwrap()
    }
}

const DAYS: &[&str] = &[
    "2010-02-01",
    "2010-06-01",
    "2010-12-31",
    "2010-12-31T16:00:00Z",
    "2011-01-01",
    "2011-03-01",
    "2011-12-31",
    "2012-01-01T00:00:00+08:00",
    "2012-06-01",
    "2012-12-31",
    "2013-01-01",
    "2026-05-05",
];
const DATES: &[&str] = &[
    "1996-12-30",
    "1996-12-31",
    "1997-01-01",
    "1996",
    "1995",
    "1997",
    "1996-02-29",
    "2000-02-29",
    "1980-01-01",
    "2010-02-05",
    "2010-02-06",
    "2010-02-07",
    "2011",
    "2011-07-01",
    "2011-02-30",
    "soon",
];
const REGIONS: &[&str] = &["210804", "2108", "21", "2", "500101", "50", "99", "2109"];

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x00C0_1D8E_A217_0000)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    /// True so many times of a hundred.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        let at = self.below(items.len());
        &items[at]
    }

    /// A number at, just beside or far from a figure, as JSON.
    fn number(&mut self, figure: f64) -> Value {
        let value = match self.below(8) {
            0 | 1 => figure,
            2 => figure - 0.0001,
            3 => figure + 0.0001,
            4 => figure / 2.0,
            5 => figure * 2.0,
            6 => figure - 1.0,
            _ => 1.0,
        };
        if value.fract() == 0.0 { json!(value as i64) } else { json!((value * 10_000.0).round() / 10_000.0) }
    }

    /// A value that answers a predicate, one way or the other.
    fn answer(&mut self, words: &Vocabulary, predicate: &Value) -> Value {
        let attribute = predicate["attr"].as_str().unwrap();
        match words.type_of(attribute) {
            "number" => self.number(predicate["value"].as_f64().unwrap_or(5.0)),
            "bool" => json!(self.chance(50)),
            "date" => json!(self.of(DATES)),
            _ if self.chance(15) => {
                let other = self.of(&words.entries)["criteria"][0]["value"].clone();
                if other.is_string() { other } else { json!("another") }
            }
            _ => match &predicate["value"] {
                Value::Array(all) => self.of(all).clone(),
                other => other.clone(),
            },
        }
    }

    /// An answer, or every way not to give one.
    fn claim(&mut self, words: &Vocabulary, predicate: &Value) -> Option<Value> {
        let answer = self.answer(words, predicate);
        Some(match self.below(20) {
            0 | 1 => return None,
            2 => self
                .of(&[
                    json!(null),
                    json!(""),
                    json!([]),
                    json!({}),
                    json!(0),
                    json!(-3),
                    json!("junk"),
                    json!(7),
                    json!(true),
                ])
                .clone(),
            3 => json!({ "values": [answer, self.answer(words, predicate)] }),
            4 => json!({ "values": [answer.clone(), answer] }),
            5 => self
                .of(&[
                    json!({ "values": [] }),
                    json!({ "values": [null] }),
                    json!({ "values": [answer, ""] }),
                ])
                .clone(),
            _ => answer,
        })
    }

    fn plate(&mut self, words: &Vocabulary, focus: &[&Value]) -> Value {
        let mut plate = serde_json::Map::new();
        let mut rulings = serde_json::Map::new();
        for entry in focus {
            let exempting = entry["exemption"].as_array().into_iter().flatten();
            let lists = std::iter::once(&entry["criteria"]).chain(exempting.map(|e| &e["criteria"]));
            let dispute = std::iter::once(&entry["dispute"]).filter(|dispute| dispute.is_object());
            for predicate in lists.flat_map(predicates).chain(dispute) {
                let attribute = predicate["attr"].as_str().unwrap();
                if attribute == "determinations" {
                    if self.chance(60) {
                        let ruling = self
                            .of(&[json!(true), json!(true), json!(false), json!("yes"), json!(null)])
                            .clone();
                        rulings.insert(predicate["value"].as_str().unwrap().to_owned(), ruling);
                    }
                } else if let Some(claim) = self.claim(words, predicate) {
                    plate.insert(attribute.to_owned(), claim);
                }
            }
        }
        if !rulings.is_empty() {
            let rulings = Value::Object(rulings);
            let claim = match self.below(10) {
                0 => json!({ "values": [rulings, {}] }),
                1 => json!({ "values": [rulings.clone(), rulings] }),
                2 => json!({ "values": [rulings, "none"] }),
                _ => rulings,
            };
            plate.insert("determinations".into(), claim);
        }
        for (attribute, percent) in [("service_start_date", 25), ("relocation_date", 20)] {
            if self.chance(percent) {
                plate.insert(attribute.into(), json!(self.of(DATES)));
            }
        }
        if self.chance(25) {
            plate.insert(
                "built_year".into(),
                self.of(&[
                    json!(1990),
                    json!(1996),
                    json!(1997),
                    json!(2010),
                    json!(2011),
                    json!(2012.5),
                    json!(2030),
                    json!("1990"),
                ])
                .clone(),
            );
        }
        if self.chance(15) {
            plate.insert(
                "rated_active_power_kw".into(),
                self.of(&[json!(3000), json!(6300), json!(6300.5), json!(90000)]).clone(),
            );
        }
        if self.chance(75) {
            let code = json!(self.of(REGIONS));
            let claim = match self.below(10) {
                0 => json!({ "values": [code, self.of(REGIONS)] }),
                1 => self.of(&[json!(210_804), json!(""), json!(null)]).clone(),
                _ => code,
            };
            plate.insert("region_code".into(), claim);
        }
        Value::Object(plate)
    }

    /// A predicate of an entry, altered or not.
    fn predicate(&mut self, words: &Vocabulary, focus: &Value) -> Value {
        let entry = if self.chance(60) { focus } else { self.of(&words.entries) };
        let all = predicates(&entry["criteria"]);
        let one = *self.of(&all);
        let mut new = json!({ "attr": one["attr"], "op": one["op"], "value": one["value"] });
        match words.type_of(one["attr"].as_str().unwrap()) {
            "number" => {
                new["op"] = json!(self.of(&["<", "<=", ">", ">=", "<", "<="]));
                new["value"] = self.number(one["value"].as_f64().unwrap());
            }
            "date" => new["value"] = json!(10 + self.below(10)),
            "enum" if self.chance(30) => {
                new["op"] = json!("in");
                new["value"] = json!([self.answer(words, one), "a_new_kind", self.answer(words, one)]);
            }
            "string" if self.chance(30) => {
                new["op"] = json!("prefix");
                new["value"] = json!("R5");
            }
            _ => {}
        }
        new
    }

    fn criteria(&mut self, words: &Vocabulary, focus: &Value) -> Value {
        let count = 1 + self.below(2);
        let one = |dice: &mut Dice| match dice.below(5) {
            0 => json!({ "any": [dice.predicate(words, focus), dice.predicate(words, focus)] }),
            _ => dice.predicate(words, focus),
        };
        Value::Array((0..count).map(|_| one(self)).collect())
    }

    /// An exemption: a new one, or an old one with its bounds moved or a condition lost.
    fn exemption(&mut self, words: &Vocabulary, focus: &Value) -> Value {
        let old = focus["exemption"].as_array().filter(|_| self.chance(70)).map(|all| self.of(all).clone());
        let Some(old) = old else {
            return json!({ "id": self.of(&["special", "other"]), "criteria": self.criteria(words, focus) });
        };
        let mut criteria: Vec<Value> = predicates(&old["criteria"])
            .into_iter()
            .map(|one| {
                let mut new = json!({ "attr": one["attr"], "op": one["op"], "value": one["value"] });
                if let Some(figure) = one["value"].as_f64().filter(|_| self.chance(60)) {
                    new["value"] = self.number(figure);
                    new["op"] = json!(self.of(&[">=", ">"]));
                }
                if let Some(values) = one["value"].as_array().filter(|_| self.chance(60)) {
                    let keep = 1 + self.below(values.len());
                    new["value"] = json!(values[..keep]);
                }
                new
            })
            .collect();
        if criteria.len() > 1 && self.chance(25) {
            criteria.pop();
        }
        if self.chance(25) {
            criteria.push(self.predicate(words, focus));
        }
        json!({ "id": old["id"], "criteria": criteria })
    }

    fn derived(&mut self, words: &Vocabulary, focus: &Value) -> Value {
        let base = if self.chance(80) { focus } else { self.of(&words.entries) };
        let mut entry = json!({ "base": base["id"] });
        if self.chance(40) {
            entry["deadline"] = self.deadline();
        }
        let all = predicates(&base["criteria"]);
        if self.chance(40) {
            entry["drop_criteria"] = json!([self.of(&all)["attr"]]);
        }
        if self.chance(45) {
            let bounded: Vec<&&Value> = all.iter().filter(|one| one["value"].is_number()).collect();
            let count = 1 + self.below(2);
            let bound = |dice: &mut Dice| match bounded.first() {
                Some(one) if one["op"] != "service_years_gt" && dice.chance(85) => {
                    let op = if dice.chance(75) {
                        one["op"].as_str().unwrap()
                    } else {
                        *dice.of(&["<", "<=", ">", ">="])
                    };
                    json!({ "attr": one["attr"], "op": op, "value": dice.number(one["value"].as_f64().unwrap()) })
                }
                _ => {
                    json!({ "attr": "kiln_diameter_m", "op": dice.of(&["<", ">="]), "value": dice.number(2.5) })
                }
            };
            entry["set_bounds"] = Value::Array((0..count).map(|_| bound(self)).collect());
        }
        if self.chance(25) {
            entry["add_criteria"] = self.criteria(words, focus);
        }
        if let Some(exemptions) = base["exemption"].as_array().filter(|_| self.chance(50)) {
            entry["drop_exemptions"] = json!([self.of(exemptions)["id"]]);
        }
        if self.chance(35) {
            entry["add_exemptions"] = json!([self.exemption(words, base)]);
        }
        entry
    }

    fn deadline(&mut self) -> Value {
        json!(self.of(&["2009-12-31", "2010-06-30", "2010-12-31", "2011-12-31", "2012-12-31", "2014-12-31"]))
    }

    fn added(&mut self, words: &Vocabulary, focus: &Value) -> Value {
        let mut entry = json!({
            "id": if self.chance(70) { json!("city-entry") } else { focus["id"].clone() },
            "kind": self.of(&["equipment", "process", "equipment", "national-target"]),
            "deadline": self.deadline(),
            "determination": self.of(&["none", "unknown", "closed"]),
            "criteria": self.criteria(words, focus),
        });
        if self.chance(40) {
            entry["exemption"] = json!([self.exemption(words, focus)]);
        }
        entry
    }

    fn overlay(&mut self, words: &Vocabulary, focus: &Value, number: usize) -> Value {
        let count = 1 + self.below(2);
        let entry = |dice: &mut Dice| {
            if dice.chance(75) { dice.derived(words, focus) } else { dice.added(words, focus) }
        };
        let mut overlay = json!({
            "id": format!("overlay-{number}"),
            "region_code": self.of(&["21", "2108", "210804", "50", "99"]),
            "entries": (0..count).map(|_| entry(self)).collect::<Vec<_>>(),
        });
        if self.chance(50) {
            overlay["effective_from"] =
                json!(self.of(&["2010-01-01", "2010-06-01", "2011-06-01", "2013-01-01"]));
        }
        if self.chance(20) {
            overlay["repeal"] = json!([focus["id"]]);
        }
        overlay
    }

    /// A case with up to three overlays.
    pub fn case(&mut self, words: &Vocabulary) -> Value {
        let focus = self.of(&words.entries);
        let mut about = vec![focus];
        if self.chance(30) {
            about.push(self.of(&words.entries));
        }
        let plate = self.plate(words, &about);
        let count = self.below(4);
        let overlays: Vec<Value> = (0..count).map(|number| self.overlay(words, focus, number)).collect();
        json!({ "at": self.of(DAYS), "nameplate": plate, "overlays": overlays })
    }
}
