//! The supply of the gateway's own machine fails: the agent says so at once, goes on, goes dark, and tells at the next boot
//! how long it was dark, why, and what the meters counted meanwhile. Real processes, a real signal, a real broker.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use coldhearth::{
    evidence::{Body, Kind, Notice, Record, record::Unverified},
    judge::{Ending, Event, Finding},
};
use support::{Mosquitto, Process, Subscriber, Works, audit};

/// As the daemon of an uninterruptible supply does.
fn supply_fails(agent: &Process) {
    let told = Command::new("kill").args(["-PWR", &agent.0.id().to_string()]).status().unwrap();
    assert!(told.success());
}

fn record(bytes: &[u8]) -> Record {
    Unverified::read(bytes).unwrap().own().unwrap()
}

/// The next record that says what is wanted.
async fn heard(subscriber: &mut Subscriber, wanted: impl Fn(&Body) -> bool) -> Record {
    loop {
        if let (Kind::Attest, bytes) = subscriber.next().await {
            let record = record(&bytes);
            if wanted(&record.body) {
                return record;
            }
        }
    }
}

#[tokio::test]
async fn the_last_gasp_is_published_at_once_and_the_next_boot_names_it() {
    let works = Works::open("power").await;
    let broker = Mosquitto::start(&works.folder.0).await;
    let config = works.configure(broker.port);
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut agent = works.agent(&config);
    let key = works.key().await;
    // Intervals are a quarter of an hour long; a state is enough for a register to be remembered.
    let has_mark = |body: &Body| matches!(body, Body::Finding(Finding::State(found)) if found.mark.is_some());
    heard(&mut subscriber, has_mark).await;
    supply_fails(&agent);
    let gasp = heard(&mut subscriber, |body| matches!(body, Body::Notice(Notice::LastGasp))).await;
    assert!(works.journal_says("\"event\":\"last_gasp\""), "it was durable before it was heard");
    // It goes on: again and again it is told once.
    supply_fails(&agent);
    agent.kill();
    let again = works.agent(&config);
    let boot = heard(&mut subscriber, |body| matches!(body, Body::Boot(boot) if boot.dark.is_some())).await;
    let Body::Boot(told) = &boot.body else { panic!() };
    let (since, ended) = told.dark.unwrap();
    assert_eq!(ended, Ending::LastGasp);
    assert!(since.uptime_ms >= gasp.header.at.uptime_ms && boot.header.seq > gasp.header.seq);
    let dark =
        heard(&mut subscriber, |body| matches!(body, Body::Finding(Finding::Event(Event::Dark(_))))).await;
    let Body::Finding(Finding::Event(Event::Dark(told))) = dark.body else { panic!() };
    assert_eq!((told.dark.ended, told.dark.from), (Ending::LastGasp, since));
    assert!(told.before.at.uptime_ms <= told.after.at.uptime_ms && told.energy().is_some(), "{told:?}");
    // Asked to stop, it says that too, and the next boot knows it for a clean stop.
    assert_eq!(again.stop(), 0);
    let _third = works.agent(&config);
    let boot = heard(&mut subscriber, |body| {
        matches!(body, Body::Boot(boot) if boot.dark.is_some_and(|(_, ended)| ended == Ending::CleanStop))
    })
    .await;
    assert!(boot.header.seq > 0);
    assert!(audit(&key, &works.journal()).authentic);
}
