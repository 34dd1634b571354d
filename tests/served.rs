//! A scenario over real sockets: the plant opened as `coldhearth-sim serve` opens it, the agent with the configuration
//! that was written for it, a real mosquitto, all on clocks faster than life.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use coldhearth::{
    agent::{self, config},
    evidence::Kind,
    host::{Clock as _, SystemClock, keys::KEY_FILE, public_key},
    terms::words::Language,
};
use coldhearth_sim::{
    open::{self, Begin, OpenOrders},
    scenario::shipped,
};
use support::{FastClock, Folder, Mosquitto, Subscriber, soon, verdict};

const SPEED: u64 = 60;

#[tokio::test]
async fn a_scenario_that_is_served_is_caught_by_the_agent_it_configures() {
    let folder = Folder::new("served");
    let (path, truth) = (folder.0.join("agent.toml"), folder.0.join("truth.jsonl"));
    let orders = OpenOrders {
        scenario: shipped::named("midnight-melt").unwrap(),
        seed: 3,
        begin: Begin::Onset,
        speed: SPEED,
        listen: Some("127.0.0.1:0".parse().unwrap()),
        serial: None,
        faults: Vec::new(),
        agent_config: Some(path.clone()),
        truth: Some(truth.clone()),
        for_ms: None,
        language: Language::English,
    };
    let _plant = tokio::spawn(async move { open::run(&orders).await.map_err(|failure| panic!("{failure}")) });
    let clock = SystemClock::default();
    soon("the configuration", async {
        while config::load(&path).is_err() {
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    })
    .await;
    let broker = Mosquitto::start(&folder.0).await;
    let mut alarms = Subscriber::start(broker.port).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("[broker]\n", &format!("[broker]\nport = {}\n", broker.port));
    std::fs::write(&path, text).unwrap();
    let config = config::load(&path).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    let fast = Arc::new(FastClock::new(SPEED, clock.now()));
    let (_stopper, stop) = tokio::sync::watch::channel(false);
    let _agent = tokio::spawn(agent::run(fast, config, false, stop));
    let alarm = loop {
        if let (Kind::Violation, bytes) = alarms.next().await
            && !bytes.is_empty()
        {
            break bytes;
        }
    };
    let key = public_key::load(&folder.0.join("state").join(format!("{KEY_FILE}.pub"))).unwrap();
    let record = coldhearth::evidence::record::Unverified::read(&alarm).unwrap().verify(&key).unwrap();
    assert_eq!(verdict(&record).unwrap().asset.as_str(), "eaf-1");
    soon("the truth to name the cheat", async {
        while !std::fs::read_to_string(&truth).unwrap().contains("\"label\":\"midnight-melt\"") {
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    })
    .await;
}
