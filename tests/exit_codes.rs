//! How the programs end, by number: one test for each exit code, and what stands on the screen beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use coldhearth::host::Exit;
use support::{Folder, Mosquitto, Works, free_port};

struct Ended {
    exit: i32,
    out: String,
    err: String,
}

fn ended(program: &str, arguments: &[&str], input: &[u8]) -> Ended {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LANG", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments reads nothing, and that is fine.
    let _unread = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { exit: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn coldhearth(arguments: &[&str]) -> Ended {
    ended(env!("CARGO_BIN_EXE_coldhearth"), arguments, b"")
}

fn regulator(arguments: &[&str]) -> Ended {
    ended(env!("CARGO_BIN_EXE_coldhearth-regulator"), arguments, b"")
}

/// Holds an ending against its code; none is told in numbers alone.
fn is(ended: &Ended, exit: Exit, says: &[&str]) {
    let Ended { exit: code, out, err } = ended;
    assert_eq!(*code, i32::from(exit.code()), "{out}{err}");
    let told = format!("{out}{err}");
    assert!(!told.trim().is_empty(), "{code} is told in no words");
    for what in says {
        assert!(told.contains(what), "`{what}` in\n{told}");
    }
}

#[test]
fn done_is_0_with_what_was_done() {
    is(&coldhearth(&["check", "config/agent.toml"]), Exit::Done, &["ok", "2 meters"]);
    is(&regulator(&["check", "config/regulator.toml"]), Exit::Done, &["ok"]);
}

#[test]
fn an_answer_that_is_no_is_1_with_the_report() {
    let folder = Folder::new("exit-no");
    let golden = |name: &str| fs::read_to_string(format!("tests/golden/coldhearth-1/{name}.json")).unwrap();
    let altered = golden("02-event").replace("gw-03", "gw-04");
    let file = folder.0.join("records.jsonl");
    fs::write(&file, [golden("00-genesis"), golden("01-boot"), altered].join("\n")).unwrap();
    is(&coldhearth(&["verify", file.to_str().unwrap()]), Exit::Negative, &["line 3"]);
}

#[test]
fn a_wrong_command_line_is_2_with_the_usage() {
    is(&coldhearth(&["verify"]), Exit::Usage, &["Usage:"]);
    is(&regulator(&["serve", "--no-such-thing"]), Exit::Usage, &["Usage:"]);
    is(&coldhearth(&["clock", "--by", "soon"]), Exit::Usage, &["--by soon"]);
}

#[test]
fn what_is_set_over_no_configuration_is_2_and_not_passed_over() {
    let folder = Folder::new("exit-set");
    let state = folder.0.join("state");
    let state = state.to_str().unwrap();
    let serve = ["serve", "--state", state, "--set", "broker.host=x"];
    is(&regulator(&serve), Exit::Usage, &["--set", "--config FILE"]);
    let mut ask = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    let asked = ask.args(["findings", "--state", state]).env("COLDHEARTH__BROKER__HOST", "1.2.3.4").output();
    let asked = asked.unwrap();
    let told = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(2), "{told}");
    assert!(told.contains("COLDHEARTH__BROKER__HOST"), "{told}");
}

#[test]
fn a_folder_without_a_store_is_78_for_whoever_only_asks_and_stays_without() {
    let folder = Folder::new("exit-no-store");
    let state = folder.0.join("mistyped");
    let state = state.to_str().unwrap();
    let asked: [&[&str]; 7] = [
        &["findings"],
        &["findings", "export", "0123456789abcdef", "out"],
        &["gateway", "list"],
        &["gateway", "revoke", "--id", "gw-03", "0123456789abcdef"],
        &["order", "status"],
        &["order", "certificate", "cut-1"],
        &["alarm", "list"],
    ];
    for verb in asked {
        let ended = regulator(&[verb, &["--state", state]].concat());
        is(&ended, Exit::Config, &["there is no store"]);
        assert!(!folder.0.join("mistyped").exists(), "{verb:?} made it");
    }
}

#[test]
fn what_could_not_be_printed_is_70_in_every_program_and_a_reader_who_has_enough_is_0() {
    let printed = |program: &str, arguments: &[&str], out: Stdio| {
        let child = Command::new(program).args(arguments).stdout(out).stderr(Stdio::piped()).spawn();
        let ended = child.unwrap().wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let verbs: [(&str, &[&str]); 4] = [
        (env!("CARGO_BIN_EXE_coldhearth"), &["explain"]),
        (env!("CARGO_BIN_EXE_coldhearth"), &["check", "config/agent.toml"]),
        (env!("CARGO_BIN_EXE_coldhearth-regulator"), &["explain"]),
        (env!("CARGO_BIN_EXE_coldhearth-regulator"), &["check", "config/regulator.toml"]),
    ];
    for (program, arguments) in verbs {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, told) = printed(program, arguments, full.into());
        assert_eq!(code, Some(i32::from(Exit::Bug.code())), "{program} {arguments:?}: {told}");
        assert!(told.contains("standard output"), "{told}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (code, told) = printed(program, arguments, writer.into());
        assert_eq!((code, told.as_str()), (Some(0), ""), "{program} {arguments:?}");
    }
}

#[test]
fn what_is_no_evidence_is_65_with_its_name() {
    is(&coldhearth(&["verify", "Cargo.toml"]), Exit::Data, &["Cargo.toml"]);
    is(&coldhearth(&["verify", "/nonexistent"]), Exit::Data, &["/nonexistent"]);
}

#[test]
fn a_meter_or_a_broker_that_cannot_be_reached_is_69_with_the_step_that_failed() {
    let port = free_port();
    let at = format!("tcp://127.0.0.1:{port}");
    let meters = ["--profiles", "config/meters"];
    let none = coldhearth(&[&["identify", at.as_str(), "--unit", "1"][..], &meters].concat());
    is(&none, Exit::Unreachable, &["127.0.0.1"]);
    let broker = format!("127.0.0.1:{port}");
    is(&regulator(&["watch", "--broker", &broker, "--until-violation", "1s"]), Exit::Unreachable, &[]);
}

#[test]
fn a_database_that_is_broken_is_70_with_its_name() {
    let folder = Folder::new("exit-broken");
    let state = folder.0.join("state");
    fs::create_dir(&state).unwrap();
    fs::write(state.join("store.db"), "this is no database at all, and was never one".repeat(100)).unwrap();
    let broker = format!("127.0.0.1:{}", free_port());
    let broken = regulator(&["serve", "--broker", &broker, "--state", state.to_str().unwrap()]);
    is(&broken, Exit::Bug, &["store.db"]);
}

#[tokio::test]
async fn what_did_not_come_in_time_is_75_with_what_was_waited_for() {
    let folder = Folder::new("exit-later");
    let broker = Mosquitto::start(&folder.0).await;
    let broker = format!("127.0.0.1:{}", broker.port);
    let waited = tokio::task::spawn_blocking(move || {
        regulator(&["watch", "--broker", &broker, "--until-violation", "1s"])
    });
    is(&waited.await.unwrap(), Exit::Retry, &[]);
}

#[tokio::test]
async fn a_key_that_others_may_read_is_77_with_the_command_that_mends_it() {
    let works = Works::open("exit-permission").await;
    let config = works.configure(free_port());
    let config = config.to_str().unwrap();
    is(&coldhearth(&["enrol", "--config", config]), Exit::Done, &["fingerprint"]);
    let key = works.folder.0.join("state/gateway.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    is(&coldhearth(&["enrol", "--config", config]), Exit::Permission, &["gateway.key", "chmod 600"]);
}

#[tokio::test]
async fn the_second_collector_on_a_folder_is_77_and_the_first_goes_on() {
    let authority = support::authority::Authority::new("exit-alone", free_port(), "");
    let mut first = authority.serve();
    authority.said("broker not reached: no broker at that address").await;
    let second = regulator(&["serve", "--config", authority.config.to_str().unwrap()]);
    is(&second, Exit::Permission, &["another collector is running on this state directory"]);
    assert!(first.0.try_wait().unwrap().is_none());
    assert_eq!(first.stop(), 0);
    authority.said("asked to stop by SIGTERM").await;
}

#[test]
fn a_wrong_configuration_is_78_with_file_line_and_column_and_the_units_do_not_try_it_again() {
    let folder = Folder::new("exit-configuration");
    let file = folder.0.join("agent.toml");
    fs::write(&file, fs::read_to_string("config/agent.toml").unwrap().replace("port = 1883", "prot = 1883"))
        .unwrap();
    let place = format!("{}:", file.display());
    for verb in [&["check"][..], &["run", "--config"]] {
        let arguments = [verb, &[file.to_str().unwrap()]].concat();
        is(&coldhearth(&arguments), Exit::Config, &[&place, "`prot`"]);
    }
    is(&regulator(&["check", file.to_str().unwrap()]), Exit::Config, &[&place]);
    let forged = "config/agent.toml";
    let forged = fs::read_to_string(forged).unwrap().replacen("name = \"2号", "name = \"\\u001b[2J号", 1);
    fs::write(&file, forged).unwrap();
    is(&coldhearth(&["check", file.to_str().unwrap()]), Exit::Config, &[&place, "control character U+001B"]);
    for unit in ["coldhearth", "coldhearth-regulator"] {
        let unit = fs::read_to_string(format!("systemd/{unit}.service")).unwrap();
        assert!(unit.contains(&format!("\nRestartPreventExitStatus={}\n", Exit::Config.code())));
    }
}
