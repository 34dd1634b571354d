//! The units as they are installed: what systemd makes of them, that the programs live with the system calls they are left
//! with, and that the collector's very command line starts, with the configuration that is shipped, one that is well.
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

use coldhearth::agent::inside;
use support::{Folder, Mosquitto, Process, Subscriber, Works, audit, free_port, page::until_ails, verdict};

const UNIT: &str = include_str!("../systemd/coldhearth-regulator.service");
const SYSUSERS: &str = include_str!("../systemd/coldhearth-regulator.sysusers");
const AGENT_UNIT: &str = include_str!("../systemd/coldhearth.service");
const AGENT_SYSUSERS: &str = include_str!("../systemd/coldhearth.sysusers");
const CLOCK_UNIT: &str = include_str!("../systemd/coldhearth-clock.service");
const SERIAL_LINE: &str = include_str!("../systemd/coldhearth-serial.conf");
const CONFIG: &str = include_str!("../config/regulator.toml");
const PROGRAM: &str = env!("CARGO_BIN_EXE_coldhearth-regulator");
const AGENT: &str = env!("CARGO_BIN_EXE_coldhearth");

fn value(key: &str) -> &'static str {
    value_in(UNIT, key)
}

fn value_in(unit: &'static str, key: &str) -> &'static str {
    let lines: Vec<&str> =
        unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect();
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

/// Whether `systemd-analyze` takes a unit with this drop-in, and finds it exposed by no more than so many tenths.
fn is_closed(name: &str, unit: &str, drop_in: &str, most_exposed: u32) {
    let folder = Folder::new(&format!("unit-{name}-{most_exposed}"));
    let file = folder.0.join(format!("{name}.service"));
    let in_place = |text: &str| {
        text.replace("/usr/bin/coldhearth-regulator", PROGRAM)
            .replace("ExecStart=/usr/bin/coldhearth ", &format!("ExecStart={AGENT} "))
    };
    fs::write(&file, in_place(unit)).unwrap();
    // It is wanted by its neighbour, and looked for beside it.
    fs::write(folder.0.join("coldhearth-clock.service"), in_place(CLOCK_UNIT)).unwrap();
    if !drop_in.is_empty() {
        fs::create_dir(folder.0.join(format!("{name}.service.d"))).unwrap();
        fs::write(folder.0.join(format!("{name}.service.d/serial.conf")), drop_in).unwrap();
    }
    let threshold = format!("--threshold={most_exposed}");
    for arguments in [&["verify", "--man=no"][..], &["security", "--offline=true", "--no-pager", &threshold]]
    {
        let Ok(out) = Command::new("systemd-analyze").args(arguments).arg(&file).output() else {
            eprintln!("NOT TESTED with systemd-analyze {arguments:?}: it is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{name} {arguments:?}: {said}");
        assert!(arguments[0] != "verify" || !said.contains(&format!("{name}.service:")), "{said}");
    }
}

#[test]
fn systemd_takes_the_units_and_finds_them_closed() {
    is_closed("coldhearth-regulator", UNIT, "", 11);
    is_closed("coldhearth", AGENT_UNIT, "", 11);
    is_closed("coldhearth", AGENT_UNIT, SERIAL_LINE, 13);
    is_closed("coldhearth-clock", CLOCK_UNIT, "", 6);
}

#[test]
fn the_units_wait_for_ready_are_watched_and_keep_their_secrets_in_credentials() {
    for (unit, secrets) in [
        (AGENT_UNIT, &["gateway.key", "broker.password", "broker.key"][..]),
        (UNIT, &["authority.key", "broker.password", "broker.key", "store.password"]),
    ] {
        let one = |key: &str| value_in(unit, key);
        assert_eq!(
            (one("Type"), one("WatchdogSec"), one("RestartPreventExitStatus")),
            ("notify", "30s", "78")
        );
        assert_eq!((one("Restart"), one("StateDirectoryMode")), ("on-failure", "0700"));
        for secret in secrets {
            assert!(unit.contains(&format!("\nLoadCredential={secret}\n")), "{secret}");
        }
    }
    // The agent asks for the name of this boot of the machine, which stands among what other units may not see of /proc.
    assert!(!AGENT_UNIT.contains("ProcSubset"));
}

/// What a unit leaves of the system calls, refused otherwise as there; the agent under it must watch and attest, and hear
/// from its companion how good the clock is.
#[tokio::test]
async fn the_agent_lives_with_the_system_calls_that_its_unit_leaves() {
    let works = Works::open("unit-calls").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let config = works.configure(broker.port);
    let under = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/under_unit.py");
    let log = fs::File::create(works.folder.0.join("agent.log")).unwrap();
    let mut command = Command::new("/usr/bin/python3");
    command.args([under, "systemd/coldhearth.service", AGENT, "run", "--config"]).arg(&config);
    let able = Command::new("/usr/bin/python3").args(["-c", "import seccomp"]).output();
    if !able.is_ok_and(|out| out.status.success()) {
        eprintln!("NOT TESTED: python3-seccomp is not installed");
        return;
    }
    let mut subscriber = Subscriber::start(broker.port).await;
    let agent = Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    let key = works.key().await;
    let judged = subscriber.attestations_until(&key, |record| verdict(record).is_some()).await;
    assert!(audit(&key, &judged).authentic, "{}", works.log());
    assert_eq!(agent.stop(), 0, "{}", works.log());
    let mut asked = Command::new("/usr/bin/python3");
    let asked = asked.args([under, "systemd/coldhearth.service", AGENT, "clock", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&asked.stdout).contains("\"clock\":"), "{asked:?}");
}

#[test]
fn the_companion_may_ask_the_kernel_and_nothing_else_that_sets_a_clock() {
    let folder = Folder::new("unit-clock");
    let file = folder.0.join("quality");
    assert!(CLOCK_UNIT.contains("--tell /run/coldhearth-clock/quality\n"));
    assert_eq!(coldhearth::host::kernel_clock::TOLD_FILE, "/run/coldhearth-clock/quality");
    assert_eq!(value_in(CLOCK_UNIT, "RuntimeDirectory"), "coldhearth-clock");
    let runtime = format!("/run/{}/{}", value_in(AGENT_UNIT, "RuntimeDirectory"), inside::SOCKET_FILE);
    assert_eq!(runtime, inside::socket::USUAL, "where `coldhearth status` asks unless told otherwise");
    assert_eq!(value_in(AGENT_UNIT, "RuntimeDirectoryMode"), "0755", "the socket's own mode says who may");
    let able = Command::new("/usr/bin/python3").args(["-c", "import seccomp"]).output();
    if !able.is_ok_and(|out| out.status.success()) {
        eprintln!("NOT TESTED: python3-seccomp is not installed");
        return;
    }
    let under = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/under_unit.py");
    let mut command = Command::new("/usr/bin/python3");
    command.args([under, "systemd/coldhearth-clock.service", AGENT, "clock", "--tell"]).arg(&file);
    let companion =
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let clock = coldhearth::host::SystemClock::default();
    let began_ms = coldhearth::host::Clock::uptime_ms(&clock);
    while !file.exists() {
        assert!(coldhearth::host::Clock::uptime_ms(&clock) < began_ms + 60_000, "nothing was told");
        std::thread::yield_now();
    }
    let told = fs::read_to_string(&file).unwrap();
    assert!(told.contains(" free\n") || told.contains(" within "), "{told}");
    assert_eq!(companion.stop(), 0);
}

#[test]
fn the_user_and_the_folder_of_the_unit_are_those_that_are_made_and_configured() {
    let (user, folder) = (value("User"), value("StateDirectory"));
    assert!(SYSUSERS.contains(&format!("u {user} - ")) && SYSUSERS.contains(&format!("/var/lib/{folder} ")));
    assert!(CONFIG.contains(&format!("state_dir = \"/var/lib/{folder}\"")));
    assert_eq!((value("StateDirectoryMode"), value("UMask")), ("0700", "0077"));
    let (user, folder) = (value_in(AGENT_UNIT, "User"), value_in(AGENT_UNIT, "StateDirectory"));
    assert!(AGENT_SYSUSERS.contains(&format!("u {user} - ")));
    assert!(AGENT_SYSUSERS.contains(&format!("/var/lib/{folder} ")));
    assert_eq!(value_in(CLOCK_UNIT, "User"), user);
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
