//! The programs as a person meets them: arguments, exit codes, words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Output, Stdio},
};

use support::Folder;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/coldhearth-1");

fn coldhearth(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    let piped = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A program that refuses its arguments reads nothing, and that is fine.
    let _unread = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Every golden, in the order of their names.
fn goldens() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(GOLDEN).unwrap().map(|entry| entry.unwrap().path()).collect();
    let number = |path: &std::path::Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        name.split('-').next().unwrap().parse::<u32>().unwrap()
    };
    paths.sort_by_key(|path| number(path));
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The beginning of the golden log, one record a line, in order, up to its first checkpoint.
fn golden_log() -> Vec<Vec<u8>> {
    goldens().into_iter().take(12).collect()
}

/// What stands in a record under a name.
fn member(record: &[u8], name: &str) -> serde_json::Value {
    serde_json::from_slice::<serde_json::Value>(record).unwrap()[name].clone()
}

fn verify(lines: &[Vec<u8>], arguments: &[&str]) -> (i32, serde_json::Value) {
    let output = coldhearth(&[&["verify", "--json", "-"], arguments].concat(), &lines.join(&b'\n'));
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    (exit(&output), answer)
}

#[test]
fn verify_gives_three_answers_and_the_news_never_decides_the_exit() {
    let log = golden_log();
    let (code, answer) = verify(&log, &[]);
    assert_eq!(code, 0, "{answer}");
    assert_eq!(answer["authentic"], true);
    assert_eq!(answer["complete"], true);
    assert_eq!(answer["condition"], "violation");
    assert_eq!(answer["anchor"], "self");
    assert_eq!(
        (&answer["first_bad"], &answer["gaps"], &answer["forks"]),
        (&serde_json::Value::Null, &serde_json::json!([]), &serde_json::json!([]))
    );
    let (code, answer) = verify(&[&log[..4], &log[5..]].concat(), &[]);
    assert_eq!(
        (code, &answer["authentic"], &answer["complete"], &answer["declared"]),
        (1, &true.into(), &false.into(), &false.into())
    );
    assert_eq!(answer["gaps"][0]["from_seq"], 4);
    let mut altered = log.clone();
    altered[9] = String::from_utf8(altered[9].clone()).unwrap().replace("8800", "8801").into_bytes();
    let (code, answer) = verify(&altered, &[]);
    assert_eq!((code, &answer["authentic"], &answer["first_bad"]["line"]), (1, &false.into(), &10.into()));
}

#[test]
fn what_is_no_evidence_ends_with_65() {
    for input in [&b""[..], b"hello\n", b"{}\n", b"{\"fmt\":\"other/1\"}\n"] {
        let output = coldhearth(&["verify", "-"], input);
        assert_eq!(exit(&output), 65, "{output:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(exit(&coldhearth(&["verify", "/nonexistent"], b"")), 65);
    assert_eq!(exit(&coldhearth(&["verify"], b"")), 2, "usage");
}

#[test]
fn a_trusted_key_anchors_and_a_stranger_is_refused() {
    let folder = Folder::new("trust");
    let write = |name: &str, seed: u8| {
        let key = coldhearth::evidence::Ed25519::from_seed(&[seed; 32]);
        let path = folder.0.join(name);
        std::fs::write(&path, coldhearth::evidence::Signer::public_key(&key).to_pem().unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (ours, stranger) = (write("ours.pub", 7), write("stranger.pub", 8));
    let (code, answer) = verify(&golden_log(), &["--trust", &ours]);
    assert_eq!((code, &answer["anchor"]), (0, &"trusted".into()));
    let (code, answer) = verify(&golden_log(), &["--trust", &stranger]);
    assert_eq!((code, &answer["authentic"]), (1, &false.into()));
    let output = coldhearth(&["verify", "-", "--trust", "Cargo.toml"], b"");
    assert_eq!(exit(&output), 2, "{output:?}");
}

#[test]
fn a_log_whose_key_was_rotated_and_the_log_that_continues_it_verify() {
    let records: Vec<Vec<u8>> =
        goldens().into_iter().filter(|bytes| member(bytes, "prev") != serde_json::Value::Null).collect();
    let (code, answer) = verify(&records, &[]);
    assert_eq!((code, &answer["records"]), (0, &records.len().into()), "{answer}");
    assert_eq!((&answer["authentic"], &answer["complete"]), (&true.into(), &true.into()), "{answer}");
}

/// The shell lines of the format's chapter that contain a word.
fn chapter_block(word: &str) -> String {
    let chapter = std::fs::read_to_string("src/evidence/README.md").unwrap();
    let mut blocks = chapter.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains(word)).unwrap().to_owned()
}

/// The chapter's own lines: nothing of ours, only `jq`, `openssl` and `sha256sum`.
#[test]
fn the_chapter_verifies_every_golden_without_us() {
    use coldhearth::evidence::{Ed25519, Signed, Signer as _};

    let folder = Folder::new("openssl");
    let block = chapter_block("openssl pkeyutl");
    let holds = |key: &str, record: &[u8], next: &str| {
        let with_key = serde_json::json!({ "public_key": key }).to_string();
        std::fs::write(folder.0.join("genesis.json"), with_key).unwrap();
        std::fs::write(folder.0.join("record.json"), record).unwrap();
        std::fs::write(folder.0.join("next.json"), serde_json::json!({ "prev": next }).to_string()).unwrap();
        let script = ["-euo", "pipefail", "-c", &block];
        Command::new("bash").args(script).current_dir(&folder.0).output().unwrap().status.success()
    };
    let public_key = |record: &[u8]| member(record, "public_key").as_str().unwrap().to_owned();
    let authority = Ed25519::from_seed(&[9; 32]).public_key().to_base64();
    let (mut key, mut key_before) = (String::new(), String::new());
    let all = goldens();
    for (place, record) in all.iter().enumerate() {
        if member(record, "type") == "genesis" {
            key = public_key(record);
        }
        let is_record = member(record, "prev") != serde_json::Value::Null;
        let key = if is_record { &mut key } else { &mut authority.clone() };
        let hash = Signed::read(record).unwrap().hash().to_string();
        // The next of the log, where it is there.
        let next = all.get(place + 1).filter(|_| is_record);
        let next = next.map_or(serde_json::Value::Null, |next| member(next, "prev"));
        let next = next.as_str().filter(|prev| prev.bytes().any(|b| b != b'0')).unwrap_or(&hash);
        assert!(holds(key, record, next), "{place}");
        if place % 8 == 0 {
            assert!(!holds(key, record, &"0".repeat(64)), "{place}: does not follow");
        }
        let forged = String::from_utf8(record.clone())
            .unwrap()
            .replace("gw-03", "gw-04")
            .replace("\"logs\":2", "\"logs\":3");
        assert!(!holds(key, forged.as_bytes(), next), "{place} altered");
        if is_record && member(record, "key_epoch") == 1 && !key_before.is_empty() {
            assert!(!holds(&key_before, record, next), "{place}: the key of the epoch before");
        }
        if member(record, "type") == "key_rotate" {
            key_before = std::mem::replace(key, public_key(record));
        }
    }
    assert!(!key_before.is_empty());
}

#[test]
fn check_names_every_mistake_with_its_place_and_touches_nothing() {
    let folder = Folder::new("check");
    let meters = folder.0.join("meters");
    std::fs::create_dir(&meters).unwrap();
    for entry in std::fs::read_dir("config/meters").unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, meters.join(path.file_name().unwrap())).unwrap();
    }
    let good = std::fs::read_to_string("config/agent.toml").unwrap();
    let bad = good
        .replace("unit = 3", "unit = 300")
        .replace("port = 1883", "prot = 1883")
        .replace("serves = \"kiln-1\"", "serves = \"kiln-9\"")
        .replace("id = \"kiln-1-feeder\"", "id = \"eaf-2-feeder\"")
        .replace("decommissioned_on = 2011-12-31 ", "decommissioned_on = \"soon\" ");
    let file = folder.0.join("agent.toml");
    std::fs::write(&file, bad).unwrap();
    let snapshot = || -> BTreeMap<_, _> {
        let files =
            [folder.0.clone(), meters.clone()].into_iter().flat_map(|f| std::fs::read_dir(f).unwrap());
        files
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap()))
            .collect()
    };
    let before = snapshot();
    let output = coldhearth(&["check", file.to_str().unwrap()], b"");
    assert_eq!(exit(&output), 78);
    let text = String::from_utf8(output.stderr).unwrap();
    for (wrong, near) in [
        ("unknown key `prot`", "prot = "),
        ("`decommissioned_on` is \"soon\"", "decommissioned_on = \"soon\""),
        ("`unit` is 300", "unit = 300"),
        ("no [[equipment]] has the id `kiln-9`", "serves = \"kiln-9\""),
    ] {
        let line =
            std::fs::read_to_string(&file).unwrap().lines().position(|l| l.starts_with(near)).unwrap() + 1;
        let place = format!("{}:{line}:1: {wrong}", file.display());
        assert!(text.contains(&place), "`{place}` in\n{text}");
    }
    assert_eq!(snapshot(), before, "check writes nothing");
    std::fs::write(&file, good.replace("id = \"kiln-1-feeder\"", "id = \"eaf-2-feeder\"")).unwrap();
    let output = coldhearth(&["check", file.to_str().unwrap()], b"");
    assert!(String::from_utf8_lossy(&output.stderr).contains("`eaf-2-feeder` stands here twice"));
    std::fs::write(&file, good.replace("unit = 4", "unit = 3")).unwrap();
    let output = coldhearth(&["check", file.to_str().unwrap()], b"");
    assert!(String::from_utf8_lossy(&output.stderr).contains("as another one is"), "{output:?}");
    assert_eq!(exit(&coldhearth(&["check", "/nonexistent.toml"], b"")), 78);
}

#[test]
fn every_shipped_file_passes_check() {
    let of = |folder: &str| -> Vec<String> {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let tables = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
        // The authority's own is checked by its own program; tests/serve.rs does.
        let ours = tables.filter(|path| !path.ends_with("regulator.toml"));
        ours.map(|path| path.display().to_string()).collect()
    };
    let files = ["config", "config/catalogue", "config/meters", "simulator/meters"].map(of).concat();
    let arguments: Vec<&str> = std::iter::once("check").chain(files.iter().map(String::as_str)).collect();
    let output = coldhearth(&arguments, b"");
    assert_eq!(exit(&output), 0, "{output:?}");
}

#[test]
fn a_configuration_that_is_wrong_stops_run_with_78() {
    let output = coldhearth(&["run", "--config", "/nonexistent.toml"], b"");
    assert_eq!(exit(&output), 78);
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent.toml: cannot be read"));
}

#[test]
fn every_verb_explains_itself() {
    for verb in ["check", "run", "verify"] {
        let output = coldhearth(&[verb, "--help"], b"");
        assert!(exit(&output) == 0 && output.stdout.len() > 100, "{verb}");
    }
}
