//! The programs as a person meets them: arguments, exit codes, words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::Path,
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

/// The golden log, one record a line, in order.
fn golden_log() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(GOLDEN).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
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

/// The README's recipe: nothing of ours, only `jq` and `openssl`.
#[test]
fn jq_and_openssl_verify_a_record_without_us() {
    let folder = Folder::new("openssl");
    let script = r#"
        set -eu
        cd "$1"
        jq -r .public_key < "$2/00-genesis.json" | base64 -d > raw
        { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cat raw; } > key.der
        { printf 'coldhearth/1\n'; jq -jcS 'del(.sig)' < "$3"; } > signed
        jq -jr .sig < "$3" | base64 -d > signature
        openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in signed -sigfile signature
    "#;
    for line in std::fs::read_dir(GOLDEN).unwrap() {
        let record = line.unwrap().path();
        let run = |path: &Path| {
            Command::new("bash")
                .args(["-c", script, "bash"])
                .arg(&folder.0)
                .arg(GOLDEN)
                .arg(path)
                .output()
                .unwrap()
        };
        let output = run(&record);
        assert!(output.status.success(), "{}: {output:?}", record.display());
        let forged = folder.0.join("forged.json");
        let text = std::fs::read_to_string(&record).unwrap().replace("\"boot_count\":2", "\"boot_count\":3");
        std::fs::write(&forged, text).unwrap();
        assert!(!run(&forged).status.success(), "{} altered", record.display());
    }
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
    let mut files: Vec<String> = vec!["config/agent.toml".into(), "simulator/meters/sim-cutoff.toml".into()];
    files
        .extend(std::fs::read_dir("config/meters").unwrap().map(|e| e.unwrap().path().display().to_string()));
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
