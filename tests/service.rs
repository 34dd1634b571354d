//! Under a service manager: what the real programs tell it, through a socket of the test's own. No systemd is needed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use coldhearth::host::{Clock as _, SystemClock};
use coldhearth_sim::WireFault;
use support::{Folder, Mosquitto, Process, Works, free_port, soon};
use tokio::net::UnixDatagram;

/// What the watchdog is set to, in microseconds: it is fed every two seconds.
const WATCHDOG_US: &str = "6000000";
/// How long is waited for what must not come.
const QUIET: Duration = Duration::from_millis(1_500);

/// What listens where systemd would.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn listen(folder: &Path) -> Manager {
        let path = folder.join("notify");
        Manager { socket: UnixDatagram::bind(&path).unwrap(), path }
    }

    fn starts(&self, mut command: Command) -> Process {
        command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", WATCHDOG_US).env_remove("WATCHDOG_PID");
        command.env("LANG", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Process(command.spawn().unwrap())
    }

    async fn next(&self) -> String {
        let mut bytes = [0; 4_096];
        let length = soon("a word of the program", self.socket.recv(&mut bytes)).await.unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// The first word that contains this.
    async fn until(&self, wanted: &str) -> String {
        loop {
            let word = self.next().await;
            if word.contains(wanted) {
                return word;
            }
        }
    }

    async fn hears_nothing(&self) -> bool {
        let mut bytes = [0; 4_096];
        tokio::time::timeout(QUIET, self.socket.recv(&mut bytes)).await.is_err()
    }
}

fn agent(works: &Works, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.args(["run", "--config"]).arg(works.configure(port));
    command
}

fn collector(folder: &Folder, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.args(["serve", "--broker", &format!("127.0.0.1:{port}"), "--state"]).arg(folder.0.join("state"));
    command
}

#[tokio::test]
async fn the_agent_says_when_it_is_ready_what_it_attests_that_it_lives_and_that_it_ends() {
    let works = Works::open("service").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let manager = Manager::listen(&works.folder.0);
    works.force(5_000);
    let process = manager.starts(agent(&works, broker.port));
    let first = manager.next().await;
    assert!(first.starts_with("READY=1\nSTATUS="), "{first}");
    assert!(works.folder.0.join("state/journal.db").is_file(), "the store was opened before");
    let status = manager.until("STATUS=attests now: ").await;
    assert!(status.contains("eaf-1: ") || status.contains("eaf-2: "), "{status}");
    manager.until("WATCHDOG=1").await;
    works.force(8_000_000);
    let status = manager.until("VIOLATION").await;
    assert!(status.starts_with("STATUS=attests now: eaf-1: "), "the worst stands first: {status}");
    manager.until("WATCHDOG=1").await;
    let reload = ["-HUP", &process.0.id().to_string()];
    assert!(Command::new("kill").args(reload).status().unwrap().success());
    let reloading = manager.until("RELOADING=1").await;
    assert!(reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0);
    manager.until("READY=1").await;
    let stopped = tokio::task::spawn_blocking(move || process.stop());
    manager.until("STOPPING=1").await;
    assert_eq!(stopped.await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_that_is_refused_is_told_to_the_service_manager_until_it_is_mended() {
    let works = Works::open("service-refused").await;
    let manager = Manager::listen(&works.folder.0);
    let process = manager.starts(agent(&works, free_port()));
    assert!(manager.next().await.starts_with("READY=1\n"));
    let config = works.folder.0.join("agent.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &process.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    std::fs::write(&config, good.replace("[broker]", "[brokr")).unwrap();
    signal("-HUP");
    manager.until("STATUS=! the file is refused and is not what is in force").await;
    std::fs::write(&config, good).unwrap();
    signal("-USR1");
    signal("-HUP");
    let mended = manager.until("STATUS=").await;
    assert!(!mended.contains("refused"), "{mended}");
    assert_eq!(process.stop(), 0);
}

#[tokio::test]
async fn dead_meters_and_a_broker_that_is_away_are_no_reason_to_end_a_witness() {
    let works = Works::open("service-dark").await;
    let manager = Manager::listen(&works.folder.0);
    works.faults.set(1, WireFault::Silent);
    works.faults.set(2, WireFault::Close);
    let _process = manager.starts(agent(&works, free_port()));
    assert!(manager.next().await.starts_with("READY=1\n"));
    manager.until("unknown").await;
    for _ in 0..3 {
        manager.until("WATCHDOG=1").await;
    }
}

/// Whoever writes into the journal says how much each line weighs, and leaves the time to it; into a file that is not the
/// journal's stream it does neither.
#[tokio::test]
async fn the_journal_is_told_how_much_each_line_weighs_and_nobody_else_is() {
    let works = Works::open("service-journal").await;
    for is_journal in [true, false] {
        let path = works.folder.0.join(format!("stderr-{is_journal}"));
        let file = std::fs::File::create(&path).unwrap();
        let (device, inode) = (file.metadata().unwrap().dev(), file.metadata().unwrap().ino());
        let stream = format!("{device}:{}", inode + u64::from(!is_journal));
        let mut command = agent(&works, free_port());
        command.env("JOURNAL_STREAM", stream).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let process = Process(command.spawn().unwrap());
        soon("a word of the broker", async {
            let clock = SystemClock::default();
            while !std::fs::read_to_string(&path).unwrap().contains("broker not reached") {
                clock.sleep_until(clock.uptime_ms() + 20).await;
            }
        })
        .await;
        assert_eq!(process.stop(), 0);
        let log = std::fs::read_to_string(&path).unwrap();
        let weight = |line: &str| match line
            .split_whitespace()
            .find(|word| word.ends_with("INFO") || word.ends_with("WARN"))
        {
            Some(word) if word.ends_with("INFO") => "<6>",
            Some(_) => "<4>",
            None => panic!("{line}"),
        };
        assert!(log.contains("WARN") && log.contains("INFO"), "{log}");
        for line in log.lines() {
            assert_eq!(line.starts_with(weight(line)), is_journal, "{line}");
            let has_time = line.starts_with("20") && line.contains('T');
            assert_eq!(has_time, !is_journal, "{line}");
        }
    }
}

#[tokio::test]
async fn a_program_that_is_frozen_is_not_fed() {
    let works = Works::open("service-frozen").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let manager = Manager::listen(&works.folder.0);
    let process = manager.starts(agent(&works, broker.port));
    manager.until("WATCHDOG=1").await;
    let id = process.0.id();
    let signal =
        |name: &str| assert!(Command::new("kill").args([name, &id.to_string()]).status().unwrap().success());
    signal("-STOP");
    soon("a frozen process", async {
        let clock = SystemClock::default();
        while !std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap().contains(") T ") {
            clock.sleep_until(clock.uptime_ms() + 10).await;
        }
    })
    .await;
    // What it had said before is still to be heard.
    while !manager.hears_nothing().await {}
    assert!(manager.hears_nothing().await && manager.hears_nothing().await);
    signal("-CONT");
    manager.until("WATCHDOG=1").await;
}

#[tokio::test]
async fn the_collector_is_ready_once_the_broker_has_granted_its_subscription() {
    let folder = Folder::new("service-collector");
    let manager = Manager::listen(&folder.0);
    let port = free_port();
    let process = manager.starts(collector(&folder, port));
    soon("its key", async {
        let clock = SystemClock::default();
        while !folder.0.join("state/authority.key.pub").is_file() {
            clock.sleep_until(clock.uptime_ms() + 20).await;
        }
    })
    .await;
    assert!(manager.hears_nothing().await, "nobody has granted anything yet");
    let _broker = Mosquitto::start_at(&folder.0, port).await;
    let first = manager.next().await;
    assert!(first.starts_with("READY=1\nSTATUS="), "{first}");
    manager.until("WATCHDOG=1").await;
    manager.until("WATCHDOG=1").await;
    let stopped = tokio::task::spawn_blocking(move || process.stop());
    manager.until("STOPPING=1").await;
    assert_eq!(stopped.await.unwrap(), 0);
}
