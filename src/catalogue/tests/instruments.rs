//! Another instrument is another file: nothing of the code knows the notice.

use super::{
    super::{Case, Catalogue, Class, Rules, rules::SHIPPED},
    answer_of, as_json,
};
use crate::terms::Digest;

/// An invented later catalogue of industrial structure.
const LATER: &str = r#"
[document]
id = "structure-2026"
number = "示例目录（2026年本）"
title_zh = "示例目录"
title_en = "An example catalogue"
issued = 2026-01-01
effective_from = 2026-03-01
known_kinds = ["vacuum_furnace"]

[attributes]
equipment_kind = { type = "enum", zh = "设备种类", en = "kind" }
frequency_hz = { type = "number", unit = "Hz", zh = "频率", en = "frequency" }

[[entry]]
id = "induction-furnace-line-frequency"
industry = { zh = "铸造", en = "Foundry" }
title_zh = "工频感应炉"
title_en = "Line-frequency induction furnace"
quote_zh = "工频感应炉"
quote_en = "line-frequency induction furnaces"
kind = "equipment"
deadline = 2027-12-31
determination = "none"
needs = ["equipment_kind", "frequency_hz"]
witness = { reach = "full", points = ["furnace_feeder"], how = "Its own feeder." }
criteria = [
  { attr = "equipment_kind", op = "==", value = "induction_furnace" },
  { attr = "frequency_hz", op = "<=", value = 50.0 },
]
"#;

fn united() -> Rules {
    Rules::shipped_and(vec![Catalogue::parse("later.toml", LATER).unwrap()]).unwrap()
}

#[test]
fn a_later_catalogue_is_another_file_and_a_verdict_names_the_one_it_rests_on() {
    let rules = united();
    let plate = r#""nameplate":{"equipment_kind":"induction_furnace","frequency_hz":50}}"#;
    let answer = answer_of(&rules, &format!("{{\"at\":\"2026-03-01\",{plate}"));
    assert_eq!(answer.class, Class::InScope);
    let entry = answer.governing.clone().unwrap();
    assert_eq!(entry.source.number, "示例目录（2026年本）");
    assert_eq!(entry.source.sha256, Digest::of(LATER.as_bytes()));
    let rule = answer.ruling().rule.unwrap();
    assert_eq!(rule.instrument.as_str(), "structure-2026");
    assert_eq!(rule.entry.as_str(), "induction-furnace-line-frequency");
    // Before its first day it is not asked; its kinds are known all the same.
    let before = answer_of(&rules, &format!("{{\"at\":\"2026-02-28\",{plate}"));
    assert_eq!(before.class, Class::OutOfScope);
    let known = answer_of(&rules, r#"{"at":"2026-03-01","nameplate":{"equipment_kind":"vacuum_furnace"}}"#);
    assert_eq!(known.class, Class::OutOfScope);
    assert_eq!(known.sources.len(), 2);
}

#[test]
fn with_another_instrument_the_notice_says_what_it_said() {
    let (alone, both) = (Rules::shipped().unwrap(), united());
    let text = include_str!("../../../tests/catalogue/cases.json");
    let (cases, same) =
        (Case::read_all("a", text, &alone).unwrap(), Case::read_all("a", text, &both).unwrap());
    for (case, again) in cases.iter().zip(&same) {
        let (a, b) = (alone.with(case.overlays.clone()), both.with(again.overlays.clone()));
        assert_eq!(as_json(&a.classify(case.on, &case.plate)), as_json(&b.classify(case.on, &case.plate)));
    }
    let notice = answer_of(&both, r#"{"at":"2026-03-01","nameplate":{"equipment_kind":"earthen_egg_kiln"}}"#);
    let source = &notice.governing.unwrap().source;
    assert_eq!(
        (source.number.as_str(), source.sha256),
        ("国发〔2010〕7号", Digest::of(SHIPPED.1.as_bytes()))
    );
}

#[test]
fn a_file_of_the_same_id_takes_the_shipped_ones_place() {
    let instead = SHIPPED.1.replace("value = 6300,", "value = 7000,");
    let rules = Rules::shipped_and(vec![Catalogue::parse("instead.toml", &instead).unwrap()]).unwrap();
    let plate = r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"submerged_arc_furnace",
        "furnace_product":"ferroalloy","rated_apparent_power_kva":6500}}"#;
    assert_eq!(answer_of(&rules, plate).class, Class::InScope);
    assert_eq!(rules.sources().count(), 1);
}

#[test]
fn instruments_that_contradict_each_other_are_refused() {
    let twice = LATER.replace("induction-furnace-line-frequency", "cement-wet-kiln");
    let flaws = Rules::shipped_and(vec![Catalogue::parse("later.toml", &twice).unwrap()]).unwrap_err();
    assert_eq!(
        flaws[0].to_string(),
        "later.toml: entry `cement-wet-kiln` stands in another instrument too, give it an id of its own"
    );
    let other = LATER.replace(
        "frequency_hz = { type = \"number\"",
        "model = { type = \"bool\", zh = \"a\", en = \"a\" }\nfrequency_hz = { type = \"number\"",
    );
    let flaws = Rules::shipped_and(vec![Catalogue::parse("later.toml", &other).unwrap()]).unwrap_err();
    assert!(flaws[0].to_string().contains("attribute `model` is of another type"), "{flaws:?}");
}

#[test]
fn every_mistake_in_an_instrument_is_told_with_its_place() {
    for (right, wrong, told) in [
        (
            "deadline = 2027-12-31",
            "dead_line = 2027-12-31",
            "later.toml:23:1: unknown key `dead_line`, did you mean `deadline`?",
        ),
        ("op = \"<=\"", "op = \"=<\"", "later.toml:29:28: `op` is \"=<\""),
        ("value = 50.0", "value = \"50\"", "later.toml:29:39: `value` is text, a finite number is expected"),
        (
            "attr = \"frequency_hz\"",
            "attr = \"frequency\"",
            "later.toml:29:5: `attr` is \"frequency\", which no instrument declares",
        ),
        (
            "needs = [\"equipment_kind\", \"frequency_hz\"]",
            "needs = [\"equipment_kind\"]",
            "later.toml:25:1: `needs` is not what the criteria ask for",
        ),
        (
            "reach = \"full\"",
            "reach = \"partly\"",
            "`reach` is \"partly\", one of full, drives, none is expected",
        ),
        ("kind = \"equipment\"\n", "kind = \"national-target\"\n", "only a national target"),
        ("issued = 2026-01-01", "issued = 2026-13-01", "later.toml:"),
        ("quote_zh = \"工频感应炉\"\n", "", "`quote_zh` is missing"),
        ("[[entry]]", "[[entries]]", "later.toml:"),
    ] {
        assert!(LATER.contains(right), "{right}");
        let flaws = Catalogue::parse("later.toml", &LATER.replacen(right, wrong, 1)).unwrap_err();
        let all: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|flaw| flaw.contains(told)), "{wrong}: {all:#?}");
    }
    let rule =
        LATER.replace("known_kinds", "consistency = [[\"frequency_hz\", \"<=\", \"at\"]]\nknown_kinds");
    assert!(
        Catalogue::parse("later.toml", &rule).unwrap_err()[0]
            .to_string()
            .contains("has the rule frequency_hz <= at")
    );
}
