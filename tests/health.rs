//! What a collector tells of itself: health with its reasons, and metrics as Prometheus reads them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and waits for one event among many"
)]

mod support;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use coldhearth::host::{
    Clock as _, SystemClock,
    courier::{self, Event, Send},
};
use support::{
    Folder, Mosquitto, PATIENCE, Process, Subscriber, free_port,
    page::{asked, samples, until_ails},
    soon,
};

const TOPIC: &str = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/_/attest";

/// Prometheus's own word on a page, where its tool is installed.
fn promtool(page: &str) {
    let checks = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn();
    let Ok(mut checks) = checks else { return };
    checks.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    assert!(checks.wait().unwrap().success(), "{page}");
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
                promtool(&page);
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
