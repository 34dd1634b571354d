//! The README's first hour, command by command, in a clean folder: from the installed programs to the first verdict that
//! verified, in six commands and without a hand on any file. `COLDHEARTH_PROGRAMS=FOLDER` tries the programs there, as
//! tests/packages does with what is shipped and with what is built for another processor.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use coldhearth::host::{Clock as _, SystemClock};
use support::{Folder, Mosquitto, Process, free_port};

/// Most commands that the first hour may take.
const MOST_COMMANDS: usize = 6;

/// The commands under the README's heading, each on one line.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let section = readme.split("### The first hour\n").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let joined = block.replace("\\\n", " ");
    let bare = joined.lines().map(|line| line.split(" # ").next().unwrap_or(line).trim().to_owned());
    bare.filter(|line| !line.is_empty()).collect()
}

/// A clean machine: the programs, the meters' profiles as they are installed, nothing else.
struct Machine {
    folder: Folder,
    path: std::ffi::OsString,
}

impl Machine {
    fn new() -> Machine {
        let folder = Folder::new("first-hour");
        let programs = Path::new(env!("CARGO_BIN_EXE_coldhearth")).parent().unwrap().to_path_buf();
        assert!(programs.join("coldhearth-sim").exists(), "build the simulator: cargo build --workspace");
        std::fs::create_dir(folder.0.join("meters")).unwrap();
        for entry in std::fs::read_dir("config/meters").unwrap() {
            let file = entry.unwrap().path();
            std::fs::copy(&file, folder.0.join("meters").join(file.file_name().unwrap())).unwrap();
        }
        let others = std::env::var_os("COLDHEARTH_PROGRAMS").map(PathBuf::from);
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let all: Vec<PathBuf> =
            others.into_iter().chain([programs]).chain(std::env::split_paths(&usual)).collect();
        Machine { folder, path: std::env::join_paths(all).unwrap() }
    }

    fn bash(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", line]).current_dir(&self.folder.0).env("PATH", &self.path).env("LANG", "C");
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.bash(line).output().unwrap()
    }

    /// What a person starts with `&`: the program itself, so that it can be ended by its id.
    fn start(&self, line: &str) -> Process {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.bash(&format!("exec {}", line.trim_end_matches('&')));
        Process(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.folder.0.join("log")
    }
}

#[tokio::test]
async fn six_commands_lead_to_the_first_verified_verdict() {
    let commands = commands();
    assert!(commands.len() <= MOST_COMMANDS, "{commands:#?}");
    let machine = Machine::new();
    let broker = Mosquitto::start(&machine.folder.0).await;
    let (modbus, address) = (free_port(), format!("127.0.0.1:{}", broker.port));
    let (mut running, mut said, mut fingerprint) = (Vec::new(), String::new(), String::new());
    let began = SystemClock::default().now().uptime_ms;
    for command in &commands {
        // Ports of the test's own, and what a person reads from one screen and types at the other.
        let mut line = command.replace("127.0.0.1:15020", &format!("127.0.0.1:{modbus}"));
        line = line.replace("WHAT init PRINTED", &fingerprint);
        if ["regulator serve", "coldhearth init", "regulator watch"].iter().any(|verb| line.contains(verb)) {
            let (program, background) = line.split_at(line.trim_end_matches([' ', '&']).len());
            line = format!("{program} --broker {address}{background}");
        }
        if line.ends_with('&') {
            // Nobody waits between the lines: who pastes them does not either.
            running.push(machine.start(&line));
            continue;
        }
        let output = machine.run(&line);
        let log = std::fs::read_to_string(machine.log()).unwrap_or_default();
        assert!(output.status.success(), "{line}\n{output:?}\n{log}");
        said = String::from_utf8(output.stdout).unwrap();
        if line.contains("coldhearth init") {
            fingerprint =
                said.lines().find_map(|line| line.strip_prefix("fingerprint: ")).unwrap().to_owned();
            assert!(!said.contains("FILL IN"), "{said}");
            let checked = machine.run("coldhearth check agent.toml");
            assert!(checked.status.success(), "what init wrote passes check: {checked:?}");
        }
    }
    assert!(said.contains("signature valid"), "the last command shows the verdict: {said}");
    // The feeder's own line may have said it already.
    let verdict = said.lines().rfind(|line| line.contains("eaf-1")).unwrap();
    assert!(verdict.contains("nothing drawn beyond no-load"), "of a meter that was heard: {verdict}");
    let took_ms = SystemClock::default().now().uptime_ms - began;
    assert!(took_ms < 600_000, "within ten minutes: {took_ms} ms");
    while let Some(program) = running.pop() {
        assert_eq!(program.stop(), 0);
    }
}
