//! Looking into the running agent, as the plant's own people and their machines do: status, page, metrics, health. The
//! real program, a real meter on a socket, and clients that behave badly.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coldhearth::{
    agent::inside::{MAX_CLIENTS, MAX_PAGES, Status, ask},
    host::{Clock as _, Exit, SystemClock},
    terms::words,
};
use coldhearth_sim::WireFault;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use support::{Mosquitto, Process, Subscriber, Works, exposition, free_port, soon};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

/// An agent that can be looked into.
struct Seen {
    works: Works,
    agent: Process,
    port: u16,
    socket: PathBuf,
    config: PathBuf,
}

impl Seen {
    async fn start(name: &str, broker: u16) -> Seen {
        let works = Works::open(name).await;
        works.force(5_000);
        let (config, port) = (works.configure(broker), free_port());
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}\n[status]\nlisten = \"127.0.0.1:{port}\"\n")).unwrap();
        let agent = works.agent(&config);
        let socket = works.folder.0.join("state/status.sock");
        Seen { works, agent, port, socket, config }
    }

    /// Asks until the document is as wanted.
    async fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let clock = SystemClock::default();
        soon(what, async {
            loop {
                if let Ok(status) = ask(&self.socket).await
                    && wanted(&status)
                {
                    return status;
                }
                clock.sleep_until(clock.now().uptime_ms + 50).await;
            }
        })
        .await
    }

    /// Asks the page until it answers: whoever comes while as many look as are answered at a time is turned away. Status,
    /// head and body.
    async fn get(&self, path: &str, more: &str) -> (u16, String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{more}\r\n", self.port);
        let clock = SystemClock::default();
        soon("a page", async {
            loop {
                if let Some(answer) = self.asked(&request).await {
                    return answer;
                }
                clock.sleep_until(clock.now().uptime_ms + 50).await;
            }
        })
        .await
    }

    async fn asked(&self, request: &str) -> Option<(u16, String, String)> {
        let mut line = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        line.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        line.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, head.to_owned(), body.to_owned()))
    }

    fn program(&self, arguments: &[&str], language: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        command.args(arguments).arg("--config").arg(&self.config).env("LANG", language);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

fn furnace_is(status: &Status, state: &str) -> bool {
    status.equipment.iter().any(|piece| piece.id == "eaf-1" && piece.state == state)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn status_tells_what_is_attested_with_every_values_own_time_and_the_head_of_the_log() {
    let folder = support::Folder::new("status-broker");
    let broker = Mosquitto::start(&folder.0).await;
    let seen = Seen::start("status", broker.port).await;
    let undelivered = |status: &Status| status.reasons.iter().any(|reason| reason.code == "not_delivered");
    seen.until("that nobody takes the records", undelivered).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    tokio::spawn(async move {
        loop {
            subscriber.next().await;
        }
    });
    let status = seen.until("a furnace at rest", |status| furnace_is(status, "energised")).await;
    let meter = &status.meters[0];
    assert_eq!((meter.id.as_str(), meter.bus.as_str()), ("eaf-1-feeder", "hall"));
    assert!(meter.last_good_unix_ms.unwrap() <= status.now_unix_ms, "{meter:?}");
    assert!(meter.last_good_age_ms.unwrap() < 60_000 && meter.power_mw.is_some(), "{meter:?}");
    assert!(meter.today.is_none(), "no interval has ended, and nothing is made up: {meter:?}");
    assert_eq!(status.journal.not_receipted, None, "no authority is configured");
    let status = seen
        .until("everything delivered", |status| {
            let head = status.journal.head.as_ref();
            status.ready && head.is_some_and(|head| head.seq + 1 == status.journal.places)
        })
        .await;
    assert!(status.reasons.is_empty() && status.broker.is_there && status.healthy, "{status:?}");
    let head = status.journal.head.unwrap();
    let record = &seen.works.journal()[usize::try_from(head.seq).unwrap()];
    let record = coldhearth::evidence::record::Unverified::read(record).unwrap();
    assert_eq!((record.hash().to_string(), record.header().log.to_string()), (head.sha256, head.log));
    let mode = std::fs::metadata(&seen.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660, "its user and its group, and nobody else");
    // The verb tells the same, to a machine and to a person of either language.
    let out = seen.program(&["status", "--json"], "C");
    let told: Status = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), told.config_sha256), (Some(0), status.config_sha256));
    let out = seen.program(&["status"], "en_GB.UTF-8");
    for said in ["eaf-1-feeder", "energised", words::T_READY.en, words::T_LAST_GOOD.en] {
        assert!(text(&out.stdout).contains(said), "{said}: {}", text(&out.stdout));
    }
    let out = seen.program(&["status"], "zh_CN.UTF-8");
    assert!(text(&out.stdout).contains(words::BUS_LIVE.zh), "{}", text(&out.stdout));
    let Seen { works: _works, agent, config, socket, .. } = seen;
    assert_eq!(agent.stop(), 0);
    assert!(!socket.exists(), "the socket goes with its agent");
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    let out = command.arg("status").arg("--config").arg(&config).output().unwrap();
    assert_eq!(out.status.code(), Some(i32::from(Exit::Unreachable.code())), "{out:?}");
    assert!(text(&out.stderr).contains("no agent is running"), "{out:?}");
}

/// Where Prometheus' own tool is installed it has the last word on the page; what is ours to know is read without it.
fn promtool_takes(page: &str) {
    use std::io::Write as _;

    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return };
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}\n{page}");
}

/// A listener behind a socket that its own mode closes, and the program asked by somebody who is not root.
#[test]
fn a_socket_that_is_not_for_whoever_asks_is_77_and_says_how_to_be_let_in() {
    const NOBODY: u32 = 65_534;
    let folder = support::Folder::new("status-forbidden");
    let (program, socket) = (folder.0.join("coldhearth"), folder.0.join("status.sock"));
    std::fs::copy(env!("CARGO_BIN_EXE_coldhearth"), &program).unwrap();
    let open =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    open(&folder.0, 0o755);
    open(&program, 0o755);
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    open(&socket, 0o000);
    let mut command = Command::new(&program);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let out = command.args(["status", "--socket"]).arg(&socket).stdin(Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(i32::from(Exit::Permission.code())), "{out:?}");
    assert!(text(&out.stderr).contains("join its group"), "{out:?}");
}

/// Under systemd the socket stands where its unit has a folder made, which others may enter.
#[tokio::test]
async fn a_service_manager_says_where_the_socket_stands() {
    let works = Works::open("status-runtime").await;
    let folder = works.folder.0.join("run");
    std::fs::create_dir(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.args(["run", "--config"]).arg(works.configure(free_port())).env("RUNTIME_DIRECTORY", &folder);
    let agent =
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let clock = SystemClock::default();
    soon("an answer", async {
        while ask(&folder.join("status.sock")).await.is_err() {
            clock.sleep_until(clock.now().uptime_ms + 50).await;
        }
    })
    .await;
    assert!(!works.folder.0.join("state/status.sock").exists());
    assert_eq!(agent.stop(), 0);
}

#[tokio::test]
async fn a_silent_meter_is_unknown_everywhere_and_no_missing_value_is_a_zero() {
    let seen = Seen::start("silent", free_port()).await;
    seen.until("a furnace at rest", |status| furnace_is(status, "energised")).await;
    let power = "coldhearth_meter_power_watts{meter=\"eaf-1-feeder\"}";
    let page = seen.get("/metrics", "").await.2;
    promtool_takes(&page);
    let samples = exposition::read(&page).unwrap();
    assert!(samples.contains_key(power), "{samples:#?}");
    assert_eq!(samples["coldhearth_meter_state{meter=\"eaf-1-feeder\",state=\"energised\"}"], 1);
    let polls = samples["coldhearth_polls_total{result=\"ok\"}"];
    let took = samples["coldhearth_poll_seconds_count"];
    assert!(
        took > 0 && took.abs_diff(polls) <= 4,
        "each poll that gave a reading, and no other: {took} of {polls}"
    );
    seen.works.faults.set(1, WireFault::Silent);
    let status = seen.until("doubt", |status| furnace_is(status, "unknown")).await;
    let meter = &status.meters[0];
    let failing = meter.failing.as_ref().unwrap();
    assert_eq!((meter.state.as_str(), meter.why.as_deref()), ("unknown", Some("timeout")), "{meter:?}");
    assert_eq!(failing.fault, "timeout");
    assert!(meter.last_good_unix_ms.unwrap() < failing.since_unix_ms, "the reading keeps its own time");
    assert!(
        meter.says.en.contains("not the same as off") && meter.says.zh.contains("不等于停用"),
        "{meter:?}"
    );
    let samples = exposition::read(&seen.get("/metrics", "").await.2).unwrap();
    assert!(!samples.contains_key(power), "no sample instead of the last value, or of a zero: {samples:#?}");
    assert!(samples.contains_key("coldhearth_meter_power_watts{meter=\"eaf-2-feeder\"}"));
    assert_eq!(samples["coldhearth_meter_state{meter=\"eaf-1-feeder\",state=\"unknown\"}"], 1);
    let (code, _, body) = seen.get("/readyz", "").await;
    let said: Value = serde_json::from_str(&body).unwrap();
    let reasons = said["reasons"].as_array().unwrap();
    assert_eq!((code, &said["ready"]), (503, &false.into()));
    assert!(
        reasons.iter().any(|reason| reason["meter"] == "eaf-1-feeder" && reason["code"] == "timeout"),
        "{body}"
    );
    assert!(
        reasons.iter().any(|reason| reason["task"] == "uplink" && reason["code"] == "broker_away"),
        "{body}"
    );
    assert!(reasons.iter().all(|reason| reason["meter"] != "eaf-2-feeder"), "{body}");
    let (code, _, body) = seen.get("/healthz", "").await;
    assert_eq!(
        (code, body.as_str()),
        (200, "{\"healthy\":true,\"reasons\":[]}\n"),
        "it lives, and does what it can"
    );
    let page = seen.get("/", "").await.2;
    let row = page.split("<tr>").find(|row| row.starts_with("<td>eaf-1-feeder")).unwrap();
    assert!(row.contains("? unknown") && !row.contains('■') && !row.contains('□'), "{row}");
    seen.works.faults.clear(1);
    let status = seen.until("the meter back", |status| furnace_is(status, "energised")).await;
    assert_eq!(status.meters[0].failing, None);
}

#[tokio::test]
async fn the_page_is_in_both_languages_runs_nothing_and_asks_nobody() {
    let seen = Seen::start("page", free_port()).await;
    seen.until("a furnace at rest", |status| furnace_is(status, "energised")).await;
    let (code, head, english) = seen.get("/", "Accept-Language: en\r\n").await;
    assert_eq!(code, 200);
    let policy = head.lines().find_map(|line| line.strip_prefix("Content-Security-Policy: ")).unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let style = english.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(policy.contains(&STANDARD.encode(Sha256::digest(style))), "the style is the one that is allowed");
    for forbidden in ["<script", "<img", "<link", "<form", "http://", "https://", "src=", " style=", "url("] {
        assert!(!english.contains(forbidden), "{forbidden}");
    }
    for said in
        [words::WHAT_IS_ATTESTED.en, words::CANNOT_BE_PROVEN.en, words::UNSIGNED_VIEW.en, "□ energised"]
    {
        assert!(english.contains(said), "{said}\n{english}");
    }
    let (_, _, chinese) = seen.get("/", "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n").await;
    let (_, head, asked) = seen.get("/?lang=zh", "Accept-Language: en\r\n").await;
    assert!(head.contains("Refresh: 10; url=/?lang=zh"), "it goes on in the language asked for: {head}");
    for page in [chinese, asked] {
        assert!(page.contains(words::WHAT_IS_ATTESTED.zh) && page.contains("lang=\"zh-CN\""), "{page}");
        assert!(page.contains(words::CANNOT_BE_PROVEN.zh), "{page}");
    }
    // Another site that had this machine's browser look here under its own name sees nothing.
    let mut line = TcpStream::connect(("127.0.0.1", seen.port)).await.unwrap();
    line.write_all(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 ") && !answer.contains("eaf-1"), "{answer}");
    for (path, code) in [("/etc/passwd", 404), ("/..", 404), ("/status.json", 200)] {
        assert_eq!(seen.get(path, "").await.0, code, "{path}");
    }
}

#[tokio::test]
async fn whoever_does_not_read_or_comes_in_numbers_holds_nobody_up() {
    let seen = Seen::start("greedy", free_port()).await;
    let before = seen.until("polls", |status| status.reads_ok > 10).await;
    // As many as are answered at a time, none of which reads what it asks for again and again; and as many pages, that
    // never finish asking.
    let mut greedy = Vec::new();
    for _ in 0..MAX_CLIENTS {
        let client = UnixStream::connect(&seen.socket).await.unwrap();
        while client.try_write(&b"{\"ask\":\"status\"}\n".repeat(64)).is_ok() {}
        greedy.push(client);
    }
    let mut slow = Vec::new();
    for _ in 0..MAX_PAGES {
        let mut line = TcpStream::connect(("127.0.0.1", seen.port)).await.unwrap();
        line.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        slow.push(line);
    }
    // They are let go, and meanwhile the polls went on.
    let after = seen.until("an answer beside them", |status| status.reads_ok > before.reads_ok + 20).await;
    assert!(after.healthy && after.loop_age_ms < 5_000, "{after:?}");
    assert_eq!(seen.get("/healthz", "").await.0, 200);
    let rate = (after.reads_ok - before.reads_ok) * 1_000;
    let spent_ms = u64::try_from(after.now_unix_ms - before.now_unix_ms).unwrap();
    assert!(rate / spent_ms >= 5, "twenty polls a second are due: {rate} in {spent_ms} ms");
    // What is no question is answered, and a line without an end is not waited for.
    let mut rude = UnixStream::connect(&seen.socket).await.unwrap();
    rude.write_all(b"GET / HTTP/1.1\n").await.unwrap();
    let mut answer = vec![0; 4_096];
    let count = rude.read(&mut answer).await.unwrap();
    assert!(text(&answer[..count]).starts_with("{\"error\":"), "{}", text(&answer[..count]));
    rude.write_all(&[b'x'; 2_048]).await.unwrap();
    let mut rest = Vec::new();
    soon("the end of that line", rude.read_to_end(&mut rest)).await.unwrap_or_default();
    assert_eq!(seen.agent.stop(), 0);
}

fn checked(folder: &Path, status: &str) -> (Option<i32>, String) {
    let file = folder.join("check.toml");
    let text = include_str!("../config/agent.toml")
        .replace("profiles = \"meters\"", "profiles = \"../config/meters\"");
    let meters = concat!(env!("CARGO_MANIFEST_DIR"), "/config/meters");
    let text = text.replace("../config/meters", meters);
    std::fs::write(&file, format!("{text}\n[status]\n{status}\n")).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_coldhearth")).arg("check").arg(&file).output().unwrap();
    (out.status.code(), text_of(&out))
}

fn text_of(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn nothing_is_shown_to_other_machines() {
    let folder = support::Folder::new("inside-check");
    for good in
        ["listen = \"127.0.0.1:9463\"", "listen = \"[::1]:9463\"\nlog = \"json\"", "socket = \"/run/x.sock\""]
    {
        let (code, said) = checked(&folder.0, good);
        assert_eq!(code, Some(0), "{said}");
    }
    for bad in [
        "listen = \"0.0.0.0:9463\"",
        "listen = \"10.0.0.5:9463\"",
        "listen = \"[::]:1\"",
        "listen = \"here\"",
        "log = \"xml\"",
    ] {
        let (code, said) = checked(&folder.0, bad);
        assert_eq!(code, Some(78), "{bad}: {said}");
        assert!(said.contains("check.toml:"), "{said}");
    }
}

#[tokio::test]
async fn the_log_for_a_machine_is_one_object_a_line() {
    let works = Works::open("json-log").await;
    works.force(5_000);
    let config = works.configure(free_port());
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[status]\nlog = \"json\"\n")).unwrap();
    let agent = works.agent(&config);
    let clock = SystemClock::default();
    soon("a line about the feeder", async {
        while !works.log().contains("\"name\":\"eaf-1-feeder\"") {
            clock.sleep_until(clock.now().uptime_ms + 50).await;
        }
    })
    .await;
    assert_eq!(agent.stop(), 0);
    let lines: Vec<Value> = works
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let about = lines.iter().find(|line| line["name"] == "eaf-1-feeder").unwrap();
    assert_eq!((&about["about"], &about["state"]), (&"meter".into(), &"energised".into()), "{about}");
    assert!(
        about["level"] == "INFO" && about["timestamp"].is_string() && about["message"].is_string(),
        "{about}"
    );
}

#[tokio::test]
async fn watching_goes_on_until_the_agent_ends_and_says_so() {
    let seen = Seen::start("watching", free_port()).await;
    seen.until("polls", |status| status.reads_ok > 0).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.args(["status", "--watch", "--json", "--config"]).arg(&seen.config);
    let mut watching = Process(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let out = std::io::BufReader::new(watching.0.stdout.take().unwrap());
    // Off this thread, which answers for the meters.
    let two = tokio::task::spawn_blocking(move || {
        let mut lines = std::io::BufRead::lines(out);
        let [first, second] =
            [(); 2].map(|()| serde_json::from_str::<Status>(&lines.next().unwrap().unwrap()).unwrap());
        (first, second, lines)
    });
    let (first, second, lines) = soon("two looks", two).await.unwrap();
    assert!(second.reads_ok > first.reads_ok && second.now_unix_ms > first.now_unix_ms);
    assert_eq!(seen.agent.stop(), 0);
    let ended = tokio::task::spawn_blocking(move || {
        lines.for_each(drop);
        watching.0.wait().unwrap().code()
    });
    assert_eq!(soon("the watch's end", ended).await.unwrap(), Some(i32::from(Exit::Unreachable.code())));
}
