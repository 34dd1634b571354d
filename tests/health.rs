//! What a collector tells of itself: health with its reasons, and metrics as Prometheus reads them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    reason = "a test fails by panicking, and waits for one event among many"
)]

mod support;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use coldhearth::{
    host::{
        Clock as _, SystemClock,
        courier::{self, Event, Send},
    },
    regulator::{
        share::{
            Shown,
            canary::{Verdict, Why},
        },
        vitals::Vitals,
    },
};
use support::{
    Folder, Mosquitto, PATIENCE, Process, Subscriber, exposition, free_port,
    page::{asked, samples, until_ails},
    soon,
};

const TOPIC: &str = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/_/attest";

/// What others say to a page, beside our own reader, which always does: Prometheus's tool, and its library for Python. Who is
/// not there is named.
fn others_read(page: &str) {
    let library = "import sys; from prometheus_client.parser import text_string_to_metric_families as read; \
                   sys.exit(0 if len(list(read(sys.stdin.read()))) > 20 else 1)";
    let python = std::env::var("COLDHEARTH_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_library = Command::new(&python).args(["-c", "import prometheus_client"]).output();
    let has_library = has_library.is_ok_and(|out| out.status.success());
    let readers = [("promtool", vec!["check", "metrics"], true), (&python, vec!["-c", library], has_library)];
    for (program, arguments, is_there) in readers {
        let reads =
            is_there.then(|| Command::new(program).args(&arguments).stdin(Stdio::piped()).spawn().ok());
        let Some(mut reads) = reads.flatten() else {
            eprintln!("NOT READ by {program} {arguments:?}: it is not installed");
            continue;
        };
        reads.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        assert!(reads.wait().unwrap().success(), "{program}: {page}");
    }
}

/// A collector of a group, with everything it may have to tell.
fn full_vitals() -> Vitals {
    let share = Shown {
        verdict: Verdict::Broken(Why::Doubled),
        hears: true,
        parts: 34,
        present: (3, 3),
        canaries: (9, 7),
        fallbacks: 1,
        unlike: None,
    };
    Vitals { share: Some(share), store_away_since_ms: Some(1), store_full: true, ..Vitals::default() }
}

#[test]
fn every_metric_is_described_once_and_written_as_prometheus_reads_it() {
    for vitals in [Vitals::default(), full_vitals()] {
        let page = vitals.exposition(1_000_000);
        let samples = exposition::read(&page).unwrap_or_else(|why| panic!("{why}\n{page}"));
        assert!(samples.len() > 40 && samples["coldhearth_healthy"] == 0, "{samples:#?}");
        others_read(&page);
    }
}

#[test]
fn our_reader_takes_no_page_that_prometheus_would_not() {
    let page =
        |lines: &str| exposition::read(&lines.replace("N ", "coldhearth_n ").replace("N{", "coldhearth_n{"));
    let good = "# HELP N What\n# TYPE N gauge\nN{a=\"x\\\"y\\\\\",b=\"1 2\"} 3\nN{a=\"z\",b=\"\"} 4\n";
    assert_eq!(page(good).unwrap().len(), 2);
    for bad in [
        "# HELP N What\n# TYPE N gauge\nN 1",
        "# TYPE N gauge\nN 1\n",
        "# HELP N What\nN 1\n",
        "# HELP N What\n# TYPE N gauge\n",
        "# HELP N What\n# TYPE N counter\nN 1\n",
        "# HELP N What\n# TYPE N gauge\nN 1\nN 1\n",
        "# HELP N What\n# TYPE N gauge\nN 1.\n",
        "# HELP N What\n# TYPE N gauge\nN 1.5000\n",
        "# HELP N What\n# TYPE N gauge\nN 1e3\n",
        "# HELP N What\n# TYPE N gauge\nN{a=\"1\",b=\"2\"} 1\nN{b=\"2\",a=\"1\"} 1\n",
        "# HELP N What\n# TYPE N gauge\nN{a=\"1\"} 1\nN{b=\"2\"} 1\n",
        "# HELP N What\n# TYPE N gauge\nN{a=\"1\",a=\"2\"} 1\n",
        "# HELP N What\n# TYPE N gauge\nN{a=\"\\x\"} 1\n",
        "# HELP N What\n# TYPE N gauge\nN{a=\"x\"y\"} 1\n",
        "# HELP N What\n# TYPE N gauge\nN{a-b=\"1\"} 1\n",
        "# HELP N What\n# TYPE N gauge\nN{a=\"1\"}  1\n",
        "# HELP N What\n# TYPE N gauge\nN 1\n\n",
        "# HELP N What\n# TYPE N gauge\nN 1\n# HELP N What\n# TYPE N gauge\nN{a=\"1\"} 1\n",
        "# HELP N What\\d\n# TYPE N gauge\nN 1\n",
    ] {
        assert!(page(bad).is_err(), "{bad}");
    }
}

fn serve(folder: &Folder, broker: u16, metrics: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.args(["serve", "--broker", &format!("127.0.0.1:{broker}"), "--metrics", metrics, "--state"]);
    command.arg(folder.0.join("state")).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[tokio::test]
async fn health_is_green_only_without_a_reason_and_every_hostile_message_is_counted_by_its_kind() {
    let folder = Folder::new("health");
    let (broker_port, port) = (free_port(), free_port());
    let at = format!("127.0.0.1:{port}");
    let mut command = serve(&folder, broker_port, &at);
    let _serve = Process(command.stderr(Stdio::null()).spawn().unwrap());
    until_ails(port, &["broker_away"]).await;
    assert_eq!(asked(port, "/alive").await, Some((200, "alive\n".to_owned())), "alive all the same");
    assert_eq!(asked(port, "/elsewhere").await.unwrap().0, 404);
    let broker = Mosquitto::start_at(&folder.0, broker_port).await;
    until_ails(port, &[]).await;
    let (mut courier, ends) = courier::pair();
    let dial = Subscriber::broker(broker_port);
    tokio::spawn(async move { courier::run(&SystemClock::default(), dial, ends).await });
    let golden =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/coldhearth-1/01-boot.json"))
            .unwrap();
    let spaced = String::from_utf8(golden.clone()).unwrap().replacen(':', ": ", 1).into_bytes();
    let hostile = [vec![b'['; 200_000], b"{".to_vec(), b"[]".to_vec(), spaced, b"{\"a\":1}".to_vec(), golden];
    for (tag, payload) in (0..).zip(hostile) {
        courier.send.send(Send::Publish { tag, topic: TOPIC.into(), payload, retain: false }).await.unwrap();
        soon("an answer", async {
            loop {
                match courier.events.recv().await.unwrap() {
                    Event::Accepted { tag: of } if of == tag => return,
                    Event::Lost { why } => panic!("{why:?}"),
                    _ => {}
                }
            }
        })
        .await;
    }
    let clock = SystemClock::default();
    let counts = soon("all six counted", async {
        loop {
            let (status, page) = asked(port, "/metrics").await.unwrap();
            assert_eq!(status, 200);
            let counts = samples(&page);
            let refused =
                |reason: &str| counts[&format!("coldhearth_messages_refused_total{{reason=\"{reason}\"}}")];
            if refused("not_ours") == 4 && refused("not_canonical") == 1 && refused("unknown_key") == 1 {
                others_read(&page);
                return counts;
            }
            clock.sleep_until(clock.now().uptime_ms + 50).await;
        }
    })
    .await;
    assert_eq!(counts["coldhearth_healthy"], 1, "hostile messages make nobody ill");
    assert_eq!(counts["coldhearth_records_total"], 0, "nothing unverified is counted as verified");
    assert!(counts["coldhearth_queue_limit{queue=\"message_bytes\"}"] > 1_000_000);
    broker.stop();
    until_ails(port, &["broker_away"]).await;
    let (_, page) = asked(port, "/metrics").await.unwrap();
    assert_eq!((samples(&page)["coldhearth_healthy"], samples(&page)["coldhearth_broker_connected"]), (0, 0));
}

#[tokio::test]
async fn metrics_are_shown_on_this_machine_only() {
    let folder = Folder::new("health-outside");
    let mut command = serve(&folder, free_port(), &format!("0.0.0.0:{}", free_port()));
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let out = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
    assert_eq!(out.status.code(), Some(78));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("for this machine only"), "{said}");
}
