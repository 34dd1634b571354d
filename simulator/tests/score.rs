//! Every shipped scenario on the scoreboard: few years and few runs, so that every change is held against all of them.
//! The long run is a thousand years: `tests/all`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{num::NonZeroUsize, path::PathBuf, process::Command, sync::Mutex};

use coldhearth_sim::{
    scenario::shipped::{self, CHEATS},
    score::{Orders, Progress, score, score_telling},
};

const SHORT: Orders = Orders { years: 1, seed: 1, runs: 1, threads: None };

#[test]
fn every_shipped_scenario_ends_as_it_says() {
    let report = score(&shipped::all().unwrap(), SHORT);
    println!("{}", report.lines().join("\n"));
    assert!(report.holds(), "{}", report.complaints().join("\n"));
    assert_eq!(report.false_alarms(), 0);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let some: Vec<_> = ["idle", "midnight-melt", "gateway-unplugged-during-the-run"]
        .map(|name| shipped::named(name).unwrap())
        .into();
    let on = |threads| score(&some, Orders { threads: NonZeroUsize::new(threads), runs: 3, ..SHORT });
    assert_eq!(on(1).json(), on(3).json());
}

#[test]
fn a_long_scoreboard_tells_how_far_it_is() {
    let some = ["idle", "midnight-melt"].map(|name| shipped::named(name).unwrap());
    let told: Mutex<Vec<Progress>> = Mutex::default();
    score_telling(&some, Orders { runs: 3, threads: NonZeroUsize::new(1), ..SHORT }, &|progress| {
        told.lock().unwrap().push(progress);
    });
    let told = told.into_inner().unwrap();
    assert!(told.len() > 3 && told.is_sorted_by(|a, b| a.done < b.done && a.all == b.all), "{told:?}");
    assert!(told.last().is_some_and(|last| last.done == last.all), "{told:?}");
}

#[test]
fn the_scoreboard_says_all_that_a_machine_reads() {
    let some = [shipped::named("idle").unwrap(), shipped::named("midnight-melt").unwrap()];
    let json = score(&some, Orders { runs: 2, ..SHORT }).json();
    let [idle, melt] = [&json["scenarios"][0], &json["scenarios"][1]];
    assert_eq!((idle["honest"].as_bool(), melt["honest"].as_bool()), (Some(true), Some(false)));
    assert_eq!((melt["runs"].as_u64(), melt["caught"].as_u64()), (Some(2), Some(2)));
    assert_eq!(melt["signs"][0], "violation");
    for key in [
        "delay_s_p50",
        "delay_s_p95",
        "energy_kwh_p95",
        "limit_kwh",
        "rule_limit_kwh",
        "unknown_share",
        "poll_s",
    ] {
        assert!(melt[key].is_number(), "{key}: {melt}");
    }
    assert!(idle["delay_s_p50"].is_null() && idle["false_alarms"] == 0 && idle["poll_s"] == 60.0);
    let years = json["honest_equipment_years"].as_f64().unwrap();
    assert!((1.0..1.1).contains(&years), "{years}");
    assert!((json["false_alarm_bound_95"].as_f64().unwrap() * years - 3.0).abs() < 1e-9);
    assert_eq!(json["false_alarms_total"], 0);
}

#[test]
fn a_limit_beyond_the_rules_is_told_beside_the_rules_with_its_reason() {
    let some = ["midnight-melt", "frozen-words"].map(|name| shipped::named(name).unwrap());
    let report = score(&some, SHORT);
    let json = report.json();
    let [melt, frozen] = [&json["scenarios"][0], &json["scenarios"][1]];
    assert_eq!(melt["limit_kwh"], melt["rule_limit_kwh"]);
    assert!(melt["limit_because"].is_null() && melt["counts_from"] == "onset", "{melt}");
    assert_eq!(frozen["limit_kwh"], 95.0);
    assert!(frozen["rule_limit_kwh"].as_f64().unwrap() < 95.0, "{frozen}");
    let because = frozen["limit_because"].as_str().unwrap();
    let lines = report.lines().join("\n");
    assert!(lines.contains("frozen-words: 95.0 kWh instead of the rule's "), "{lines}");
    assert!(lines.contains(because), "{lines}");
    assert!(!lines.contains("midnight-melt: "), "{lines}");
}

fn scored(arguments: &[&str]) -> (Option<i32>, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_coldhearth-sim"));
    let out = program.arg("score").args(arguments).output().unwrap();
    (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
}

/// `midnight-melt` with a place changed, in a folder whose name needs quotes.
fn melt_with(name: &str, from: &str, to: &str) -> String {
    let (_, text) = CHEATS.iter().find(|(known, _)| *known == "midnight-melt").unwrap();
    assert!(text.contains(from), "{from}");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("some plants");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_cheat_that_is_caught_may_not_be_called_undetectable() {
    const CAP: &str = "[cap]\nundetectable = \"live_relay\"\nwords = \"this point only\"\n";
    // It is no way out either to hunt only what never comes.
    for word in ["violation", "log_forked"] {
        let to = format!("{CAP}[catch]\nby = [\"{word}\"]");
        let path = melt_with(word, "[catch]\nby = [\"violation\"]", &to);
        let (exit, told) = scored(&["--scenario", &path, "--runs", "1"]);
        assert_eq!(exit, Some(1), "{told}");
        assert!(told.contains("caught by violation, and said to be undetectable"), "{told}");
        assert!(told.contains(&format!("coldhearth-sim play '{path}' --seed 1")), "{told}");
    }
}

#[test]
fn a_scoreboard_of_nothing_or_of_too_much_is_refused() {
    for arguments in
        [["--runs", "0"], ["--years", "0"], ["--years", "1000000000000"], ["--runs", "1000000000000"]]
    {
        let (exit, told) = scored(&[&["--scenario", "idle"], &arguments[..]].concat());
        assert!(exit == Some(2) && told.contains("is not in 1..=100000"), "{told}");
    }
}

#[test]
fn what_is_erased_before_anybody_heard_of_it_catches_nobody() {
    let erased = [shipped::named("log-rewritten-before-delivery").unwrap()];
    let report = score(&erased, SHORT);
    assert!(report.holds(), "{}", report.complaints().join("\n"));
    assert_eq!(report.json()["scenarios"][0]["caught"], 0);
}
