//! `coldhearth-sim judge` as people and machines call it.
#![allow(clippy::unwrap_used, reason = "a test that fails where it stands")]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn judge(trace: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_coldhearth-sim"));
    program.args(["judge", "-", "--rated-kw", "1000"]).args(arguments);
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(trace.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_night_shift_is_told_to_machines() {
    let trace = "time,power_w\n2026-11-23T22:00:00+08:00,\n2026-11-23T23:00:00+08:00,20000\n\
                 2026-11-24T01:00:00+08:00,900000\n2026-11-24T02:00:00+08:00,\n2026-11-24T06:00:00+08:00,20000\n";
    let out = judge(trace, &["--json", "--aux-kw", "30"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    let spell = &told["spells"][0];
    assert_eq!(spell["start"], "2026-11-23T23:00:00+08:00");
    assert_eq!(spell["end"], "2026-11-24T01:00:00+08:00");
    assert_eq!(spell["energy_wh"], 1_800_000);
    assert_eq!(told["spells"].as_array().unwrap().len(), 1);
    assert_eq!(
        told["shares"],
        serde_json::json!({"drawing": 0.25, "exporting": 0.0, "masked": 0.0, "unknown": 0.125,
        "auxiliary": 0.625, "energised": 0.0, "dead": 0.0})
    );
    // An hour unread at the rating, seven at the floor of 0.2 %, two steps of the register.
    assert_eq!(told["bound_wh"], 1_000_000 + 14_000 + 2);
    let parameters = &told["parameters"];
    assert_eq!(parameters["allowance_w"], 30_000);
    assert_eq!(parameters["allowance_source"], "declared");
    assert_eq!((&parameters["floor_w"], &parameters["off_delay_ms"]), (&2_000.into(), &900_000.into()));
}

#[test]
fn the_default_allowance_is_named_to_people() {
    let out = judge("time,power_w\n0,\n3600,40000\n", &[]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("an allowance of 50 kW (5 % of the rating, for want of --aux-kw)"), "{text}");
    assert!(text.contains("0 spells of drawing"), "{text}");
}

#[test]
fn a_malformed_row_is_an_error_with_its_line() {
    let out = judge("time,power_w\n0,\n900,1\n800,1\n", &["--json"]);
    assert_eq!(out.status.code(), Some(65));
    assert!(out.stdout.is_empty());
    let text = String::from_utf8(out.stderr).unwrap();
    assert!(text.contains("standard input:4: `800` lies before `900`"), "{text}");
    assert_eq!(judge("", &["--off-delay-s", "soon"]).status.code(), Some(2));
}

#[test]
fn shares_told_to_people_add_up_to_the_whole() {
    // A third unread, a third idle, a third drawing; and times as floats are printed.
    let trace = "time,power_w\n0.30000000000000004,\n1200.3,\n2400.3,20000\n3600.3,900000\n";
    let out = judge(trace, &["--off-delay-s", "1"]);
    let text = String::from_utf8(out.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("of the time:")).unwrap_or_default();
    let figures = line.split(' ').filter_map(|word| word.split_once('.'));
    let sum: u32 =
        figures.map(|(whole, part)| whole.parse::<u32>().unwrap() * 100 + part.parse::<u32>().unwrap()).sum();
    assert_eq!(sum, 10_000, "{text}");
    assert!(line.contains("33.34 %") && line.contains("33.33 %"), "{text}");
}

#[test]
#[expect(clippy::float_cmp, reason = "the shares are told in parts of a power of two: their sum is exact")]
fn shares_told_to_machines_sum_to_exactly_one() {
    // Parts of seven have no exact decimal.
    let trace =
        "time,power_w\n0,\n1000,20000\n2000,900000\n3000,900000\n4000,10\n5000,-90000\n6000,10\n7000,10\n";
    let out = judge(trace, &["--json"]);
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    let shares: Vec<f64> =
        told["shares"].as_object().unwrap().values().map(|v| v.as_f64().unwrap()).collect();
    assert_eq!(shares.iter().sum::<f64>(), 1.0, "{told}");
    assert_eq!(shares.iter().rev().sum::<f64>(), 1.0, "{told}");
    assert!(shares.iter().filter(|share| **share > 0.0).count() > 1, "{told}");
    let states = told["states_ms"].as_object().unwrap();
    assert_eq!(states.values().map(|ms| ms.as_i64().unwrap()).sum::<i64>(), 7_000_000);
    assert_eq!(told["whole_ms"], 7_000_000);
}
