//! A gateway whose clock lost its battery and begins in 1970: it watches and signs all the same, says of every record what
//! its clock is, convicts nobody by it, and goes on as soon as somebody sets it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use coldhearth::{
    agent::{self, config},
    evidence::{Body, Record},
    host::{Clock, SystemClock, clock::Wait},
    judge::{Event, Finding, State},
    terms::{ClockQuality, Stamp},
};
use support::{Mosquitto, Subscriber, Works, audit, verdict};

/// What an electrician sets it to: 2026-11-28, 16:30 lawful time.
const SET_UNIX_MS: i64 = 1_795_854_600_000;

/// The machine's clock after a power cut that outlasted its battery, until it is set.
#[derive(Default)]
struct Lost {
    life: SystemClock,
    /// What is added to the uptime.
    ahead_ms: AtomicI64,
}

impl Clock for Lost {
    fn now(&self) -> Stamp {
        let (now, ahead_ms) = (self.life.now(), self.ahead_ms.load(Ordering::Relaxed));
        let clock = if ahead_ms == 0 { ClockQuality::Unset } else { ClockQuality::Rtc };
        Stamp { wall_unix_ms: now.uptime_ms.cast_signed() + ahead_ms, clock, error_ms: 0, ..now }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        self.life.sleep_until(uptime_ms)
    }

    fn set_boot(&self, boot: u32) {
        self.life.set_boot(boot);
    }
}

#[tokio::test]
async fn a_start_in_1970_is_stated_and_convicts_nobody_until_the_clock_is_set() {
    let works = Works::open("clock-1970").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    works.force(8_000_000);
    let clock = Arc::new(Lost::default());
    let config = config::load(&works.configure(broker.port)).unwrap();
    let (stopper, stop) = tokio::sync::watch::channel(false);
    let agent = tokio::spawn(agent::run(clock.clone(), config, false, stop));
    let key = works.key().await;
    let draws = |record: &Record| {
        verdict(record).is_some_and(|v| v.asset.as_str() == "eaf-1" && v.state == State::Drawing)
    };
    let mut lines = subscriber.attestations_until(&key, draws).await;
    for line in &lines {
        let text = String::from_utf8_lossy(line);
        assert!(text.contains("\"clock\":\"none\"") && !text.contains("\"violation\":true"), "{text}");
    }
    clock.ahead_ms.store(SET_UNIX_MS, Ordering::Relaxed);
    let stepped = |record: &Record| matches!(&record.body, Body::Finding(Finding::Event(Event::ClockStepped { by_ms })) if *by_ms > 0);
    lines.extend(subscriber.attestations_until(&key, stepped).await);
    let violation = |record: &Record| verdict(record).is_some_and(|v| v.violation_since_unix_ms.is_some());
    lines.extend(subscriber.attestations_until(&key, violation).await);
    assert!(String::from_utf8_lossy(lines.last().unwrap()).contains("\"clock\":\"rtc\""));
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}");
    stopper.send_replace(true);
    agent.await.unwrap().unwrap();
}

#[test]
fn the_verb_tells_the_kernels_word_and_judges_the_time_of_a_watch() {
    let coldhearth = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        let output = command.arg("clock").args(arguments).env("LANG", "C").output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, json) = coldhearth(&["--json"]);
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    let word = told["clock"].as_str().unwrap();
    assert!(["ntp", "rtc", "none"].contains(&word), "{json}");
    let now = SystemClock::default().now().wall_unix_ms;
    assert!((now - told["wall_unix_ms"].as_i64().unwrap()).abs() < 600_000, "{json}");
    let (exit, text) = coldhearth(&["--by", "2001-01-01 08:00:00"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("2001-01-01 08:00:00 +08:00") && text.contains("set-time"), "{text}");
}
