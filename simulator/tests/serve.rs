//! `coldhearth-sim serve` as a person calls it, read by a foreign master. tests/run installs mbpoll.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

struct Served {
    child: Child,
    lines: Vec<String>,
}

impl Served {
    /// Starts it and waits until it has said everything it says at the start.
    fn start(arguments: &[&str], last: &str) -> Served {
        let mut program = Command::new(env!("CARGO_BIN_EXE_coldhearth-sim"));
        program.arg("serve").args(arguments).env("LANG", "en").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.starts_with(last)) {
            lines.push(out.next().unwrap_or_else(|| panic!("it ended after {lines:?}")).unwrap());
        }
        Served { child, lines }
    }

    fn port(&self, bus: &str) -> String {
        let line =
            self.lines.iter().find(|line| line.starts_with(&format!("bus {bus}: tcp://127.0.0.1:"))).unwrap();
        line.split([':', ',']).nth(3).unwrap().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What mbpoll shows of the total power of the Janitza map.
fn mbpoll(port: &str, unit: &str) -> String {
    let mut command = Command::new("mbpoll");
    command.args(["-1", "-0", "-t", "4:float", "-B", "-r", "19026", "-c", "1", "-o", "3", "-m", "tcp"]);
    let run = command.args(["-p", port, "-a", unit, "127.0.0.1"]).stdin(Stdio::null()).output();
    let output = run.unwrap_or_else(|_| panic!("mbpoll is not installed; tests/run installs it"));
    [output.stdout, output.stderr].iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

#[test]
fn a_foreign_master_reads_a_scenario_and_the_faults_that_were_ordered() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let config = folder.join("served.toml");
    let served = Served::start(
        &[
            "midnight-melt",
            "--from",
            "22:00",
            "--listen",
            "127.0.0.1:0",
            "--agent-config",
            config.to_str().unwrap(),
            "--force",
            "--fault",
            "9=silent",
        ],
        "the cheat begins",
    );
    let port = served.port("hall");
    let shown = mbpoll(&port, "1");
    assert!(shown.contains("[19026]:"), "{shown}");
    assert!(mbpoll(&port, "44").contains("Target device failed to respond"));
    assert!(mbpoll(&port, "9").contains("timed out"), "a fault of a unit that is not there");
    let config = coldhearth::agent::config::load(&config).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    assert_eq!(config.meters.len(), 1);
}

#[test]
fn what_cannot_be_served_is_refused_with_a_reason() {
    let refused = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_coldhearth-sim")).arg("serve").args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, told) = refused(&["midnight-mellt", "--listen", "127.0.0.1:0"]);
    assert!(exit == 2 && told.contains("midnight-melt"), "{told}");
    let (exit, told) = refused(&["idle", "--from", "onset", "--listen", "127.0.0.1:0"]);
    assert!(exit == 2 && told.contains("nobody cheats"), "{told}");
    let (exit, told) = refused(&["idle", "--listen", "127.0.0.1:0", "--fault", "1=quiet"]);
    assert!(exit == 2 && told.contains("late:MS"), "{told}");
    for from in ["40d", "999999d"] {
        let (exit, told) =
            refused(&["midnight-melt", "--from", from, "--listen", "127.0.0.1:0", "--for", "1s"]);
        assert!(exit == 2 && told.contains("midnight-melt ends at 1d 06:00:00"), "{told}");
    }
    let (exit, told) = refused(&["idle", "--listen", "127.0.0.1:0", "--fault", "1=busy@23:00..22:00"]);
    assert!(exit == 2 && told.contains("1d 02:00"), "{told}");
    let (exit, told) = refused(&["idle", "--serial", "/dev/there-is-none"]);
    assert!(exit == 69 && told.contains("/dev/there-is-none"), "{told}");
}

#[test]
fn a_configuration_that_is_there_is_not_overwritten() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("kept");
    let meters = folder.join("meters");
    std::fs::create_dir_all(&meters).unwrap();
    let (mine, profile) = (folder.join("mine.toml"), meters.join("janitza-19000.toml"));
    let serve = |config: &std::path::Path| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_coldhearth-sim"));
        program.args(["serve", "midnight-melt", "--listen", "127.0.0.1:0", "--for", "1s", "--agent-config"]);
        let output = program.arg(config).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    std::fs::write(&mine, "mine").unwrap();
    let (exit, told) = serve(&mine);
    assert!(exit == Some(2) && told.contains("mine.toml is there already"), "{told}");
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    std::fs::write(&profile, "mine").unwrap();
    let (exit, told) = serve(&folder.join("none-yet.toml"));
    assert!(exit == Some(2) && told.contains("janitza-19000.toml is there already"), "{told}");
}
