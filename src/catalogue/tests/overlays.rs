//! Overlays can only tighten; order means nothing; nothing that was said unclearly clears.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{Case, Catalogue, Class, Rules, rules::SHIPPED},
    answer_of, as_json,
    random::{Dice, Vocabulary},
    shipped,
};

const SEEDS: u64 = 8_000;

fn case_of(rules: &Rules, value: &Value) -> Case {
    let text = value.to_string();
    Case::read_all("case.json", &text, rules).unwrap_or_else(|flaws| panic!("{text}\n{flaws:#?}")).remove(0)
}

#[test]
fn no_overlay_turns_an_in_scope_verdict_into_another_or_delays_its_date() {
    let (rules, words) = (shipped(), Vocabulary::of(SHIPPED.1));
    let (mut in_scope, mut with_overlays) = (0, 0);
    for seed in 0..SEEDS {
        let value = Dice::new(seed).case(&words);
        let case = case_of(&rules, &value);
        with_overlays += case.overlays.len();
        let nation = rules.classify(case.on, &case.plate);
        let united = rules.with(case.overlays.clone()).classify(case.on, &case.plate);
        if nation.class == Class::InScope {
            in_scope += 1;
            assert_eq!(united.class, Class::InScope, "{value}");
            assert!(united.deadline <= nation.deadline && united.deadline.is_some(), "{value}");
            assert!(nation.matched.iter().all(|id| united.matched.contains(id)), "{value}");
        }
        if nation.class == Class::Undetermined {
            // An overlay may name the kind, so that the nation's open questions close; it never exempts.
            assert!(
                united.class != Class::Exempt
                    || united.exempted.iter().any(|id| rules.entry(id.as_str()).is_some()),
                "{value}"
            );
        }
    }
    assert!(in_scope > 1_000 && with_overlays > 10_000, "{in_scope} in scope, {with_overlays} overlays");
}

#[test]
fn the_order_of_overlays_and_entries_means_nothing() {
    let (rules, words) = (shipped(), Vocabulary::of(SHIPPED.1));
    let mut backwards = Catalogue::parse(SHIPPED.0, SHIPPED.1).unwrap();
    backwards.entries.reverse();
    backwards.consistency.reverse();
    backwards.entries.iter_mut().for_each(|entry| {
        entry.criteria.reverse();
        entry.exemptions.reverse();
    });
    let backwards = Rules::new(vec![backwards]).unwrap();
    for seed in 0..SEEDS / 4 {
        let mut value = Dice::new(seed).case(&words);
        let case = case_of(&rules, &value);
        let one = rules.with(case.overlays.clone()).classify(case.on, &case.plate);
        for overlay in value["overlays"].as_array_mut().unwrap() {
            overlay["entries"].as_array_mut().unwrap().reverse();
        }
        value["overlays"].as_array_mut().unwrap().reverse();
        let case = case_of(&backwards, &value);
        let other = backwards.with(case.overlays.clone()).classify(case.on, &case.plate);
        assert_eq!(as_json(&one), as_json(&other), "{value}");
    }
}

/// Whatever stands in a plate, reading and weighing end; without a usable kind nothing is cleared.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "-?[1-9][0-9]{0,5}\\.[0-9]{1,4}".prop_map(|number| serde_json::from_str::<Value>(&number).unwrap()),
        ".{0,8}".prop_map(Value::from),
        Just(json!("submerged_arc_furnace")),
        Just(json!("1996-12-31")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop_oneof![Just("values".to_owned()), ".{0,6}"], inner, 0..4)
                .prop_map(|members| json!(members)),
        ]
    })
}

const ATTRIBUTES: &[&str] = &[
    "furnace_product",
    "rated_apparent_power_kva",
    "rated_active_power_kw",
    "coke_chamber_height_m",
    "stamp_charged",
    "built_year",
    "service_start_date",
    "determinations",
    "region_code",
    "relocation_date",
    "model",
    "nobody_knows",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evaluation_is_total_and_clears_nothing_without_a_kind(
        kind in any_json(),
        values in prop::collection::vec((0..ATTRIBUTES.len(), any_json()), 0..8),
    ) {
        prop_assume!(kind != json!("submerged_arc_furnace"));
        let mut plate = json!({ "equipment_kind": kind });
        for (attribute, value) in values {
            plate[ATTRIBUTES[attribute]] = value;
        }
        let answer = answer_of(&shipped(), &json!({ "at": "2011-06-01", "nameplate": plate }).to_string());
        let known = plate["equipment_kind"]["values"].as_array().is_some_and(|all| {
            !all.is_empty() && all.iter().all(|kind| kind == "submerged_arc_furnace")
        });
        prop_assert!(known || matches!(answer.class, Class::InScope | Class::Undetermined), "{plate}");
    }

    #[test]
    fn whatever_a_document_says_it_is_read_or_refused(case in any_json(), text in ".{0,60}", at in 0_usize..200) {
        let rules = shipped();
        let _read = Case::read_all("a", &case.to_string(), &rules);
        let _read = Case::read_all("a", &text, &rules);
        let _read = rules.read_overlay("a.json", &case.to_string());
        let _read = rules.read_overlay("a.toml", &text);
        let broken = json!({ "at": "2011-06-01", "nameplate": case, "overlays": [case] }).to_string();
        let _read = Case::read_all("a", broken.get(..at).unwrap_or(&broken), &rules);
        let _read = Case::read_all("a", &broken, &rules);
    }
}

/// What cannot be used may leave a question open; it never clears what was caught.
#[test]
fn what_is_blurred_never_clears() {
    let (rules, words) = (shipped(), Vocabulary::of(SHIPPED.1));
    let mut blurred = 0;
    for seed in 0..SEEDS {
        let mut value = Dice::new(seed).case(&words);
        value["overlays"] = json!([]);
        value["nameplate"].as_object_mut().unwrap().remove("built_year");
        if as_json(&answer_of(&rules, &value.to_string()))["verdict"] != "in_scope" {
            continue;
        }
        let attributes: Vec<String> = value["nameplate"].as_object().unwrap().keys().cloned().collect();
        for attribute in attributes.iter().filter(|attribute| *attribute != "determinations") {
            for junk in [json!(null), json!({ "values": [] }), json!([1]), json!("")] {
                let mut blurry = value.clone();
                blurry["nameplate"][attribute] = junk;
                let verdict = as_json(&answer_of(&rules, &blurry.to_string()))["verdict"].clone();
                assert!(verdict == "in_scope" || verdict == "undetermined", "{blurry}: {verdict}");
                blurred += 1;
            }
        }
    }
    assert!(blurred > 5_000, "{blurred}");
}

fn lint(entry: &str) -> Vec<String> {
    let case = format!(
        r#"{{"at":"2009-01-01","nameplate":{{}},"overlays":[{{"id":"x","region_code":"50","effective_from":"2030-01-01","entries":[{entry}]}}]}}"#
    );
    answer_of(&shipped(), &case).lint
}

/// Each attempt to loosen has a name, and what tightens has none.
#[test]
fn each_attempt_to_loosen_is_named() {
    let saf = r#""base":"ferroalloy-saf-below-6300kva""#;
    let bound = |op: &str, value: &str| {
        lint(&format!(
            r#"{{{saf},"set_bounds":[{{"attr":"rated_apparent_power_kva","op":"{op}","value":{value}}}]}}"#
        ))
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(bound("<=", "6300"), none);
    assert_eq!(bound("<", "6300"), none);
    assert_eq!(bound("<", "6300.1"), none);
    assert_eq!(
        bound("<", "6299.9"),
        ["narrower-bound:ferroalloy-saf-below-6300kva:rated_apparent_power_kva"]
    );
    assert_eq!(bound(">", "1"), ["narrower-bound:ferroalloy-saf-below-6300kva:rated_apparent_power_kva"]);
    let furnace = |op: &str, value: &str| {
        lint(&format!(
            r#"{{"base":"steel-blast-furnace-up-to-400m3","set_bounds":[{{"attr":"furnace_volume_m3","op":"{op}","value":{value}}}]}}"#
        ))
    };
    assert_eq!(
        furnace("<", "400"),
        ["inclusive-to-exclusive:steel-blast-furnace-up-to-400m3:furnace_volume_m3"]
    );
    assert_eq!(furnace("<", "401"), none);
    assert_eq!(furnace("<", "399"), ["narrower-bound:steel-blast-furnace-up-to-400m3:furnace_volume_m3"]);
    let dye = |op: &str, value: &str| {
        lint(&format!(
            r#"{{"base":"dyeing-batch-liquor-ratio-over-1-10","set_bounds":[{{"attr":"liquor_ratio","op":"{op}","value":{value}}}]}}"#
        ))
    };
    assert_eq!(dye(">=", "10"), none);
    assert_eq!(dye(">", "8"), none);
    assert_eq!(dye(">", "12"), ["narrower-bound:dyeing-batch-liquor-ratio-over-1-10:liquor_ratio"]);
    assert_eq!(
        lint(&format!(r#"{{{saf},"deadline":"2011-01-01"}}"#)),
        ["later-deadline:ferroalloy-saf-below-6300kva"]
    );
    assert_eq!(
        lint(&format!(r#"{{{saf},"deadline":"2010-12-31","drop_criteria":["furnace_product"]}}"#)),
        none
    );
    let criterion = r#"{"attr":"model","op":"==","value":"x"}"#;
    assert_eq!(
        lint(&format!(r#"{{{saf},"add_criteria":[{criterion}]}}"#)),
        ["added-criterion:ferroalloy-saf-below-6300kva"]
    );
}

#[test]
fn an_exemption_that_is_replaced_is_compared_with_the_old_one() {
    let oven = |dropped: &str, stamp: &str, op: &str, height: &str| {
        lint(&format!(
            r#"{{"base":"coke-oven-chamber-below-4-3m","drop_exemptions":[{dropped}],"add_exemptions":[{{"id":"stamp-charged","criteria":[{stamp}{{"attr":"coke_chamber_height_m","op":"{op}","value":{height}}}]}}]}}"#
        ))
    };
    let (id, stamp) = ("\"stamp-charged\"", r#"{"attr":"stamp_charged","op":"==","value":true},"#);
    let none: Vec<String> = Vec::new();
    for (op, height) in [(">=", "3.8"), (">", "3.2"), (">=", "3.2"), (">=", "3.20")] {
        assert_eq!(oven(id, stamp, op, height), none, "{op} {height}");
    }
    let widened = ["widened-exemption:coke-oven-chamber-below-4-3m"];
    for (op, height) in [(">=", "3.1"), (">", "3.1999"), ("<", "9")] {
        assert_eq!(oven(id, stamp, op, height), widened, "{op} {height}");
    }
    assert_eq!(oven(id, "", ">=", "3.8"), widened);
    assert_eq!(oven(id, r#"{"attr":"stamp_charged","op":"==","value":false},"#, ">=", "3.8"), widened);
    assert_eq!(oven("", stamp, ">=", "3.8"), ["added-exemption:coke-oven-chamber-below-4-3m"]);
    assert_eq!(oven("\"other\"", stamp, ">=", "3.8"), ["added-exemption:coke-oven-chamber-below-4-3m"]);
}

const OVERLAID: &[(&str, &str, &str, &str)] = &[
    ("the region must match", r#""region_code":"220101""#, "2011-03-01", r#"{"verdict":"out_of_scope"}"#),
    (
        "it matches by its beginning",
        r#""region_code":"210804""#,
        "2011-03-01",
        r#"{"verdict":"in_scope","deadline":"2009-12-31"}"#,
    ),
    (
        "a shorter code is not known to lie there",
        r#""region_code":"21""#,
        "2011-03-01",
        r#"{"verdict":"out_of_scope","missing":[]}"#,
    ),
    (
        "no code: undecided",
        r#""model":"x""#,
        "2011-03-01",
        r#"{"verdict":"undetermined","missing":["region_code"]}"#,
    ),
    (
        "several codes that all lie there",
        r#""region_code":{"values":["210801","210802"]}"#,
        "2011-03-01",
        r#"{"verdict":"in_scope"}"#,
    ),
    (
        "several that do not",
        r#""region_code":{"values":["210801","220802"]}"#,
        "2011-03-01",
        r#"{"verdict":"undetermined","missing":["region_code"]}"#,
    ),
    ("not yet in force", r#""region_code":"210804""#, "2010-05-31", r#"{"verdict":"out_of_scope"}"#),
    ("in force from its day", r#""region_code":"210804""#, "2010-06-01", r#"{"verdict":"in_scope"}"#),
];

#[test]
fn an_overlay_speaks_for_its_region_from_its_day() {
    for (shows, fact, at, members) in OVERLAID {
        let case = format!(
            r#"{{"at":"{at}","nameplate":{{"equipment_kind":"mechanised_shaft_kiln","kiln_diameter_m":3.5,{fact}}},
            "overlays":[{{"id":"c","region_code":"2108","effective_from":"2010-06-01","entries":[
            {{"base":"cement-mechanised-shaft-kiln-below-3-0m","drop_criteria":["kiln_diameter_m"],"deadline":"2009-12-31"}}]}}]}}"#
        );
        let answer = as_json(&answer_of(&shipped(), &case));
        let members: Value = serde_json::from_str(members).unwrap();
        for (member, expected) in members.as_object().unwrap() {
            assert_eq!(&answer[member], expected, "{shows}: {answer}");
        }
    }
}

#[test]
fn province_city_and_county_are_united_and_files_are_overlays_too() {
    let rules = shipped();
    let province = "id = \"p\"\nregion_code = \"21\"\n[[entries]]\nbase = \"ferroalloy-saf-below-6300kva\"\n\
        set_bounds = [{ attr = \"rated_apparent_power_kva\", op = \"<\", value = 12500 }]\n";
    let city = r#"{"id":"c","region_code":"2108","entries":[{"base":"ferroalloy-saf-below-6300kva","deadline":"2010-06-30"}]}"#;
    let county = r#"{"id":"k","region_code":"210804","entries":[{"id":"county-mill","kind":"equipment","deadline":"2010-12-31","criteria":[{"attr":"equipment_kind","op":"==","value":"hammer_mill"}]}]}"#;
    let overlays = vec![
        rules.read_overlay("p.toml", province).unwrap(),
        rules.read_overlay("c.json", city).unwrap(),
        rules.read_overlay("k.json", county).unwrap(),
    ];
    let united = rules.with(overlays);
    let furnace = |kva: &str, region: &str| {
        let case = format!(
            r#"{{"at":"2010-07-01","nameplate":{{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":{kva},"region_code":"{region}"}}}}"#
        );
        as_json(&answer_of(&united, &case))
    };
    assert_eq!(furnace("10000", "210804")["deadline"], "2010-12-31");
    assert_eq!(furnace("5000", "210804")["deadline"], "2010-06-30");
    assert_eq!(furnace("5000", "210904")["deadline"], "2010-12-31");
    assert_eq!(furnace("10000", "220101")["verdict"], "out_of_scope");
    let mill = r#"{"at":"2010-07-01","nameplate":{"equipment_kind":"hammer_mill","region_code":"210804"}}"#;
    let answer = answer_of(&united, mill);
    assert_eq!(as_json(&answer)["matched"], json!(["county-mill"]));
    let rule = answer.ruling().rule.unwrap();
    assert_eq!((rule.instrument.as_str(), rule.entry.as_str()), ("k", "county-mill"));
    assert_eq!(as_json(&answer_of(&rules, mill))["verdict"], "undetermined");
}
