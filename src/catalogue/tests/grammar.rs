//! One case for each sentence of the grammar that can be read two ways, and for each mistake.

use super::{answer_of, as_json, flaws_of, shipped};

/// Cases as one line each: what it shows, the case, the members that must come out.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    ("a failed predicate decides even if others are missing", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"submerged_arc_furnace","rated_apparent_power_kva":12500}}"#,
     r#"{"verdict":"out_of_scope","missing":[]}"#),
    ("nothing known: undetermined", r#"{"at":"2011-03-01","nameplate":{}}"#, r#"{"verdict":"undetermined","matched":[],"deadline":null,"phase":null,"exempted":[]}"#),
    ("on the bound, product missing: it could match by the rival reading, and the chosen one says no",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"submerged_arc_furnace","rated_apparent_power_kva":6300}}"#,
     r#"{"verdict":"out_of_scope","advisories":["bound-exact:carbide-saf-below-6300kva","bound-exact:ferroalloy-saf-below-6300kva"]}"#),
    ("on the bound and exempt by both readings: nothing to look at",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"coke_oven_mechanised","coke_chamber_height_m":4.3,"stamp_charged":true}}"#, r#"{"verdict":"out_of_scope","advisories":[]}"#),
    ("on the bound, exemption unproven", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"coke_oven_mechanised","coke_chamber_height_m":4.3}}"#,
     r#"{"verdict":"out_of_scope","advisories":["bound-exact:coke-oven-chamber-below-4-3m"]}"#),
    ("base unknown and exempt: the entry is false, and nothing is exempted", 
     r#"{"at":"2012-03-01","nameplate":{"equipment_kind":"alcohol_plant","alcohol_feedstock":"waste_molasses","determinations":{"alcohol-backward-process":false}}}"#,
     r#"{"verdict":"out_of_scope","exempted":[],"missing":[]}"#),
    ("undecided beats exempt", r#"{"at":"2012-03-01","nameplate":{"equipment_kind":"alcohol_plant","enterprise_annual_capacity_t":12000,"alcohol_feedstock":"waste_molasses"}}"#,
     r#"{"verdict":"undetermined","exempted":["alcohol-enterprise-below-30000t"],"undetermined":["alcohol-backward-process"],"missing":["determinations:alcohol-backward-process"]}"#),
    ("one sure match decides though another is open, and the open one is not earlier",
     r#"{"at":"2012-03-01","nameplate":{"equipment_kind":"alcohol_plant","enterprise_annual_capacity_t":12000,"alcohol_feedstock":"maize"}}"#,
     r#"{"verdict":"in_scope","matched":["alcohol-enterprise-below-30000t"],"undetermined":["alcohol-backward-process"],"missing":[],"advisories":[]}"#),
    ("numbers compare exactly", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"coke_oven_mechanised","stamp_charged":false,"coke_chamber_height_m":4.29999999999999999999999999}}"#,
     r#"{"verdict":"in_scope","advisories":[]}"#),
    ("a number is the same written in another way", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"coke_oven_mechanised","stamp_charged":false,"coke_chamber_height_m":0.430e1}}"#,
     r#"{"verdict":"out_of_scope","advisories":["bound-exact:coke-oven-chamber-below-4-3m"]}"#),
    ("a number past every common width is a number", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"coke_oven_mechanised","stamp_charged":false,"coke_chamber_height_m":123456789012345678901234567890}}"#,
     r#"{"verdict":"out_of_scope","advisories":[]}"#),
    ("model designations compare exactly", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"dyeing_finishing_line","model":"M74"}}"#, r#"{"verdict":"out_of_scope"}"#),
    ("a ruling that is no yes or no is none", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"coal_mine","determinations":{"coal-small-mine":"yes"}}}"#,
     r#"{"verdict":"undetermined","missing":["determinations:coal-small-mine"]}"#),
    ("authorities that contradict each other leave a class open, a closed one too",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"flat_glass_line","glass_process":"float","determinations":{"values":[{"glass-other-backward":true},{"glass-other-backward":false}]}}}"#,
     r#"{"verdict":"undetermined","missing":["determinations:glass-other-backward"]}"#),
    ("kinds: candidates that all are out are out", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":{"values":["raw_mill","coal_mill"]}}}"#, r#"{"verdict":"out_of_scope"}"#),
    ("a candidate kind nobody listed is never cleared", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":{"values":["raw_mill","unheard_of"]}}}"#, r#"{"verdict":"undetermined"}"#),
    ("all candidates on one side of the bound decide",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":{"values":[5000,5500.5]}}}"#, r#"{"verdict":"in_scope"}"#),
    ("a contradiction needs every pair to contradict",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":{"values":[5000,6000]},"rated_active_power_kw":5500}}"#,
     r#"{"verdict":"in_scope","advisories":[]}"#),
    ("every pair contradicts",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":{"values":[5000,6000]},"rated_active_power_kw":6500}}"#,
     r#"{"verdict":"undetermined","advisories":["contradiction:rated_active_power_kw,rated_apparent_power_kva"]}"#),
    ("each rule reads the values as they were claimed: both find fault with built_year",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"pretreatment_equipment","service_start_date":"1990","built_year":2013}}"#,
     r#"{"advisories":["contradiction:at,built_year","contradiction:built_year,service_start_date"],"missing":["service_start_date"]}"#),
    ("a start that is no date is missing, so the year of manufacture serves",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"pretreatment_equipment","service_start_date":"new","built_year":2003}}"#, r#"{"verdict":"out_of_scope"}"#),
    ("several starts, not all usable, do not make room for the year of manufacture",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"pretreatment_equipment","service_start_date":{"values":["new"]},"built_year":2003}}"#, r#"{"verdict":"undetermined"}"#),
    ("several years of manufacture decide where they agree",
     r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"pretreatment_equipment","built_year":{"values":[2001,2003]}}}"#, r#"{"verdict":"out_of_scope"}"#),
    ("a year of manufacture with a fraction tells nothing", r#"{"at":"2011-03-01","nameplate":{"equipment_kind":"pretreatment_equipment","built_year":2003.5}}"#, r#"{"verdict":"undetermined"}"#),
    ("two moves, one of them late, are no transfer for sure",
     r#"{"at":"2012-06-01","nameplate":{"equipment_kind":"earthen_egg_kiln","relocation_date":{"values":["2009-01-01","2011-01-01"]}}}"#, r#"{"advisories":[]}"#),
    ("the day of a case is the one in Shanghai, for rules of consistency too", r#"{"at":"2010-12-31T16:00:00Z","nameplate":{"equipment_kind":"raw_mill","built_year":2011}}"#, r#"{"advisories":[]}"#),
    ("the kind is missing, and an entry with an earlier deadline may match",
     r#"{"at":"2013-03-01","nameplate":{"industry":"cement","determinations":{"cement-other-backward":true},"furnace_product":"ferroalloy","rated_apparent_power_kva":1}}"#,
     r#"{"verdict":"in_scope","deadline":"2012-12-31","matched":["cement-other-backward"]}"#),
];

#[test]
fn the_grammar_is_kept_sentence_by_sentence() {
    let rules = shipped();
    for (shows, case, members) in CASES {
        let answer = as_json(&answer_of(&rules, case));
        let members: serde_json::Value = serde_json::from_str(members).unwrap();
        for (member, expected) in members.as_object().unwrap() {
            assert_eq!(&answer[member], expected, "{shows}: {member} of {answer}");
        }
    }
    let earlier = as_json(&answer_of(&rules, CASES.last().unwrap().1));
    assert_eq!(earlier["advisories"], serde_json::json!(["possible-earlier-deadline"]));
    assert!(earlier["missing"].as_array().unwrap().contains(&"equipment_kind".into()));
}

#[test]
fn a_case_may_carry_its_own_notes_and_nothing_else() {
    answer_of(&shipped(), r#"{"id":"S1","why":"x","expect":{},"at":"2011-03-01","nameplate":{}}"#);
    assert_eq!(
        flaws_of("{\"at\": \"2011-03-01\",\n \"nameplat\": {}}"),
        [
            "case.json:1:1: `nameplate` is missing, add `nameplate = ...`",
            "case.json:2:2: unknown key `nameplat`, did you mean `nameplate`?",
        ]
    );
}

/// Whatever is wrong with a case is told with its place, all at once.
#[test]
fn a_case_that_is_wrong_is_refused_with_the_place() {
    for (text, place) in [
        ("", "case.json:1:1"),
        ("7", "case.json:1:1"),
        ("[{\"at\":\"2011-03-01\",\"nameplate\":{}},\n7]", "case.json:2:1"),
        ("{\"at\":\"2011-02-30\",\"nameplate\":{}}", "case.json:1:2"),
        ("{\"at\":5,\"nameplate\":{}}", "case.json:1:2"),
        ("{\"at\":\"2011-03-01\",\n\"nameplate\":[]}", "case.json:2:1"),
        ("{\"at\":\"2011-03-01\",\"nameplate\":{},\n\"overlays\":{}}", "case.json:2:1"),
        ("{\"at\":\"2011-03-01\",\"nameplate\":{\"model\":\"a\",\n\"model\":\"b\"}}", "case.json:2:1"),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[\n{\"region_code\":\"21\"}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[{\n\"base\":\"no-such-entry\"}]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[\n{\"id\":\"new\",\"kind\":\"equipment\",\"criteria\":[{\"attr\":\"model\",\"op\":\"==\",\"value\":\"a\"}]}]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[{\"base\":\"cement-wet-kiln\",\"add_criteria\":[{\n\"attr\":\"colour\",\"op\":\"==\",\"value\":\"red\"}]}]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[{\"base\":\"cement-wet-kiln\",\n\"drop_criteria\":[\"colour\"]}]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[{\"base\":\"cement-wet-kiln\",\"add_criteria\":[{\"attr\":\"kiln_diameter_m\",\n\"op\":\"prefix\",\"value\":\"2\"}]}]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[{\"base\":\"cement-wet-kiln\",\"set_bounds\":[{\"attr\":\"kiln_diameter_m\",\n\"op\":\"==\",\"value\":2}]}]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\n\"entires\":[]}]}",
            "case.json:2:1",
        ),
        (
            "{\"at\":\"2011-03-01\",\"nameplate\":{},\"overlays\":[{\"id\":\"x\",\"region_code\":\"21\",\"entries\":[{\"base\":\"cement-wet-kiln\",\"add_criteria\":[{\"attr\":\"kiln_diameter_m\",\"op\":\"<\",\n\"value\":1e999}]}]}]}",
            "case.json:2:1",
        ),
    ] {
        let flaws = flaws_of(text);
        assert!(flaws[0].starts_with(&format!("{place}: ")), "{text}\n{flaws:#?}");
    }
}
