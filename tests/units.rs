//! The collector's unit as it is installed: what systemd makes of it, and that its very command line starts, with the
//! configuration that is shipped, a collector that is well.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it could not try"
)]

mod support;

use std::{
    fs,
    process::{Command, Stdio},
};

use support::{Folder, Mosquitto, Process, free_port, page::until_ails};

const UNIT: &str = include_str!("../systemd/coldhearth-regulator.service");
const SYSUSERS: &str = include_str!("../systemd/coldhearth.sysusers");
const CONFIG: &str = include_str!("../config/regulator.toml");
const PROGRAM: &str = env!("CARGO_BIN_EXE_coldhearth-regulator");
/// What `systemd-analyze security` may find at most, in tenths.
const MOST_EXPOSED: &str = "--threshold=11";

fn value(key: &str) -> &str {
    let lines: Vec<&str> =
        UNIT.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect();
    assert_eq!(lines.len(), 1, "{key}");
    lines[0]
}

/// The command of `ExecStart`, its program being the one that was built and its configuration this.
fn command(config: &std::path::Path) -> Command {
    let words: Vec<&str> = value("ExecStart").split_whitespace().collect();
    assert_eq!(words[0], "/usr/bin/coldhearth-regulator");
    let mut command = Command::new(PROGRAM);
    let in_place = |word: &&str| *word == "/etc/coldhearth/regulator.toml";
    assert_eq!(words.iter().filter(|word| in_place(word)).count(), 1, "{words:?}");
    for word in &words[1..] {
        if in_place(word) {
            command.arg(config)
        } else {
            command.arg(word)
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn systemd_takes_the_unit_and_finds_it_closed() {
    let folder = Folder::new("unit");
    let file = folder.0.join("coldhearth-regulator.service");
    fs::write(&file, UNIT.replace("/usr/bin/coldhearth-regulator", PROGRAM)).unwrap();
    for arguments in
        [&["verify", "--man=no"][..], &["security", "--offline=true", "--no-pager", MOST_EXPOSED]]
    {
        let Ok(out) = Command::new("systemd-analyze").args(arguments).arg(&file).output() else {
            eprintln!("NOT TESTED with systemd-analyze {arguments:?}: it is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{arguments:?}: {said}");
        assert!(arguments[0] != "verify" || !said.contains("coldhearth-regulator.service:"), "{said}");
    }
}

#[test]
fn the_user_and_the_folder_of_the_unit_are_those_that_are_made_and_configured() {
    let (user, folder) = (value("User"), value("StateDirectory"));
    assert!(SYSUSERS.contains(&format!("u {user} - ")) && SYSUSERS.contains(&format!("/var/lib/{folder} ")));
    assert!(CONFIG.contains(&format!("state_dir = \"/var/lib/{folder}\"")));
    assert_eq!((value("StateDirectoryMode"), value("UMask")), ("0700", "0077"));
}

#[tokio::test]
async fn the_command_line_of_the_unit_starts_a_collector_that_is_well_and_ends_when_asked() {
    let folder = Folder::new("unit-start");
    let broker = Mosquitto::start(&folder.0).await;
    let (page, state) = (free_port(), folder.0.join("state"));
    let made = format!("/var/lib/{}", value("StateDirectory"));
    let text = CONFIG
        .replace(&made, state.to_str().unwrap())
        .replace("# port = 1883 ", &format!("port = {} ", broker.port))
        .replace(
            "# [metrics]\n# listen = \"127.0.0.1:9464\"",
            &format!("[metrics]\nlisten = \"127.0.0.1:{page}\""),
        );
    let config = folder.0.join("regulator.toml");
    fs::write(&config, text).unwrap();
    let collector = Process(command(&config).spawn().unwrap());
    until_ails(page, &[]).await;
    assert!(state.join("store.db").is_file() && state.join("authority.key").is_file());
    assert_eq!(collector.stop(), 0);
}

#[test]
fn a_configuration_that_is_wrong_is_not_tried_again_and_a_store_that_is_away_is() {
    let folder = Folder::new("unit-wrong");
    let config = folder.0.join("regulator.toml");
    fs::write(&config, "[broker]\nhost = 7\n").unwrap();
    let ended = command(&config).status().unwrap().code().unwrap();
    assert_eq!(ended.to_string(), value("RestartPreventExitStatus"));
    let postgres = "[store]\nkind = \"postgres\"\nsocket = \"/nowhere\"\ndatabase = \"a\"\nuser = \"b\"\n";
    let sqlite = "[store]\nkind = \"sqlite\"\n";
    let made = format!("/var/lib/{}", value("StateDirectory"));
    let away = CONFIG.replace(sqlite, postgres).replace(&made, folder.0.to_str().unwrap());
    fs::write(&config, away).unwrap();
    let ended = command(&config).status().unwrap().code().unwrap();
    assert!(value("Restart") == "on-failure" && ended == 69, "{ended}");
}
