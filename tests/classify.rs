//! `classify` and `check` as a person and as a machine meet them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use support::Folder;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalogue/cases.json");
const OVEN: &str = r#"{"at":"2011-01-01","nameplate":{"equipment_kind":"coke_oven_mechanised","coke_chamber_height_m":3.8}}"#;

fn coldhearth(arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("LANG");
    command.args(arguments).envs(environment.iter().copied());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_machine_gets_a_list_of_results_with_exactly_the_agreed_members() {
    let (code, out, _) = coldhearth(&["classify", "--json", CASES], "", &[]);
    assert_eq!(code, 0);
    let results: Vec<Value> = serde_json::from_str(&out).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(CASES).unwrap()).unwrap();
    assert_eq!(results.len(), cases.len());
    let mut members = [
        "verdict",
        "matched",
        "deadline",
        "phase",
        "exempted",
        "undetermined",
        "missing",
        "advisories",
        "lint",
    ];
    members.sort_unstable();
    for (case, result) in cases.iter().zip(&results) {
        assert!(result.as_object().unwrap().keys().eq(members), "{result}");
        for (member, expected) in case["expect"].as_object().unwrap() {
            assert_eq!(&result[member], expected, "{}", case["id"]);
        }
    }
    let (code, out, _) = coldhearth(&["classify", "--json", "-"], OVEN, &[]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()[0]["missing"], json!(["stamp_charged"]));
}

#[test]
fn a_verdict_names_instrument_entry_and_file_hash() {
    let (_, out, _) = coldhearth(&["classify", "--json", "--cite", "-"], OVEN, &[]);
    let rule = serde_json::from_str::<Value>(&out).unwrap()[0]["rule"].take();
    assert_eq!(rule["entry"], "coke-oven-chamber-below-4-3m");
    assert_eq!(rule["source"]["instrument"], "国发〔2010〕7号");
    let file = format!("{}/config/catalogue/guofa-2010-7.toml", env!("CARGO_MANIFEST_DIR"));
    let hash = coldhearth::terms::Digest::of(&std::fs::read(file).unwrap()).to_string();
    assert_eq!(rule["source"]["sha256"], hash.as_str());
    let (_, text, _) = coldhearth(&["classify", "-"], OVEN, &[]);
    for named in ["国发〔2010〕7号", "coke-oven-chamber-below-4-3m", hash.as_str()] {
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn a_person_is_told_what_to_do_in_his_language_with_the_clause() {
    let says = |arguments: &[&str], environment: &[(&str, &str)]| {
        coldhearth(&[&["classify", "-"], arguments].concat(), OVEN, environment).1
    };
    let (english, chinese) = (says(&[], &[]), says(&["--lang", "zh"], &[]));
    assert!(english.starts_with("UNDETERMINED: "), "{english}");
    assert!(english.contains("supply: stamp-charged (stamp_charged)"), "{english}");
    assert!(
        english.contains(
            "“淘汰炭化室高度4.3米以下的小机焦（3.2米及以上捣固焦炉除外)” (“eliminate small mechanised"
        ),
        "{english}"
    );
    assert!(chinese.starts_with("尚不能认定"), "{chinese}");
    assert!(
        chinese.contains("请补充: 捣固 (stamp_charged)") && chinese.contains("3.2米及以上捣固焦炉除外"),
        "{chinese}"
    );
    assert_eq!(says(&[], &[("LANG", "zh_CN.UTF-8")]), chinese);
    assert_eq!(says(&[], &[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "zh_CN.UTF-8")]), chinese);
    assert_eq!(says(&[], &[("LC_ALL", "C"), ("LC_MESSAGES", "zh_CN.UTF-8")]), english);
    assert_eq!(says(&["--lang", "en"], &[("LANG", "zh_CN.UTF-8")]), english);
    for (plate, begins) in [
        (r#""equipment_kind":"earthen_egg_kiln""#, "IN SCOPE, overdue"),
        (r#""equipment_kind":"raw_mill""#, "OUT OF SCOPE"),
        (r#""equipment_kind":"wet_kiln","kiln_primary_purpose":"sludge_treatment""#, "EXEMPT"),
    ] {
        let case = format!("{{\"at\":\"2026-01-01\",\"nameplate\":{{{plate}}}}}");
        let (code, out, _) = coldhearth(&["classify", "-"], &case, &[]);
        assert!(code == 0 && out.starts_with(begins), "{out}");
    }
    let (_, exempt, _) = coldhearth(
        &["classify", "-", "--lang", "zh"],
        r#"{"at":"2013-01-01","nameplate":{"equipment_kind":"wet_kiln","kiln_primary_purpose":"sludge_treatment"}}"#,
        &[],
    );
    assert!(exempt.contains("例外: “主要用于处理污泥、电石渣等的除外”"), "{exempt}");
}

#[test]
fn what_cannot_be_understood_ends_with_65_and_the_place() {
    for (input, place) in [
        ("{\"at\":\"2011-03-01\",\n \"nameplate\": {\"model\": }}", "standard input:2:25: "),
        ("[{\"at\":\"2011-03-01\"}]", "standard input:1:2: `nameplate` is missing"),
        ("", "standard input:1:1: "),
    ] {
        let (code, out, why) = coldhearth(&["classify", "--json", "-"], input, &[]);
        assert!(code == 65 && out.is_empty() && why.contains(place), "{code} {out} {why}");
    }
    assert_eq!(coldhearth(&["classify", "/nowhere.json"], "", &[]).0, 65);
    assert_eq!(coldhearth(&["classify", "--cite", "-"], OVEN, &[]).0, 2);
}

#[test]
fn instruments_and_overlays_are_files() {
    let folder = Folder::new("classify");
    let write = |name: &str, text: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let overlay = write(
        "province.toml",
        "id = \"province-21\"\nregion_code = \"21\"\n[[entries]]\nbase = \"cement-mechanised-shaft-kiln-below-3-0m\"\ndrop_criteria = [\"kiln_diameter_m\"]\ndeadline = 2013-12-31\n",
    );
    let kiln = r#"{"at":"2012-03-01","nameplate":{"equipment_kind":"mechanised_shaft_kiln","kiln_diameter_m":3.6,"region_code":"210102"}}"#;
    let (code, out, why) =
        coldhearth(&["classify", "--json", "--cite", "--overlay", &overlay, "-"], kiln, &[]);
    assert_eq!(code, 0, "{why}");
    let result = serde_json::from_str::<Value>(&out).unwrap()[0].take();
    assert_eq!((&result["verdict"], &result["deadline"]), (&json!("in_scope"), &json!("2013-12-31")));
    assert_eq!(result["lint"], json!(["later-deadline:cement-mechanised-shaft-kiln-below-3-0m"]));
    assert_eq!(
        (&result["rule"]["source"]["id"], &result["rule"]["source"]["file"]),
        (&json!("province-21"), &json!(overlay))
    );
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/catalogue/guofa-2010-7.toml");
    let changed = std::fs::read_to_string(shipped).unwrap().replace(
        "attr = \"kiln_diameter_m\", op = \"<\", value = 3.0",
        "attr = \"kiln_diameter_m\", op = \"<\", value = 4.0",
    );
    let instead = write("instead.toml", &changed);
    let (_, out, _) = coldhearth(&["classify", "--json", "--catalogue", &instead, "-"], kiln, &[]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()[0]["verdict"], "in_scope");
    let broken = write("broken.toml", &changed.replacen("deadline = 2010-12-31", "deadline = 2010-12-32", 1));
    let (code, _, why) = coldhearth(&["classify", "--catalogue", &broken, "-"], kiln, &[]);
    assert!(code == 65 && why.contains("broken.toml:"), "{why}");
    #[cfg(feature = "agent")]
    {
        let (code, out, _) = coldhearth(&["check", shipped, &overlay], "", &[]);
        assert_eq!(code, 0, "{out}");
        assert!(out.contains("ok, instrument 国发〔2010〕7号, 60 entries"), "{out}");
        assert!(out.contains("tries to loosen, without effect: later-deadline:"), "{out}");
        let wrong =
            write("wrong.toml", "id = \"x\"\nregion_code = \"21\"\n[[entries]]\nbase = \"nothing\"\n");
        let (code, _, why) = coldhearth(&["check", &wrong], "", &[]);
        assert!(code == 78 && why.contains("wrong.toml:4:1: "), "{why}");
    }
}
