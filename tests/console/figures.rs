//! What the console costs: two hundred people who look at once, and how long a change takes to reach them.

use std::{collections::BTreeSet, sync::Arc};

use coldhearth::{
    evidence::LogId,
    host::{Clock as _, SystemClock},
    regulator::store::{Batch, Store as _},
    terms::{Digest, GatewayId},
};
use tokio::sync::Barrier;

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, head, sights_of},
};

/// People who look at once.
const VIEWERS: usize = 200;
/// Changes that are told to each.
const CHANGES: u64 = 10;

/// Processor time of this program so far, in hundredths of a second: the console's and, less, the viewers'.
fn processor_ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = text.rsplit_once(") ").unwrap().1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
#[ignore = "a figure, not a judgement; tests/all prints it"]
async fn figures_of_two_hundred_viewers() {
    let desk = Desk::open("figures");
    let clock = SystemClock::default();
    let all_listen = Arc::new(Barrier::new(VIEWERS + 1));
    let session = Browser::entered(desk.port, "wang", PASSWORD).await.session;
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        let (port, session, all_listen) = (desk.port, session.clone(), all_listen.clone());
        viewers.push(tokio::spawn(async move {
            let browser = Browser { session, ..Browser::at(port) };
            let last = format!("\"assets\":{}", 2 + CHANGES);
            browser
                .hear("/live", &last, async {
                    _ = all_listen.wait().await;
                })
                .await;
            SystemClock::default().now().uptime_ms
        }));
    }
    all_listen.wait().await;
    let (began_ms, ticks) = (clock.now().uptime_ms, processor_ticks());
    let mut store = desk.store();
    let mut changed_ms = began_ms;
    for number in 1..=CHANGES {
        let gateway = GatewayId::new(&format!("gw-n{number}")).unwrap();
        let log = LogId(1_000 + number);
        let mut batch = Batch { sights: sights_of(gateway, log, "kiln", "drawing"), ..Batch::default() };
        batch.heads = vec![head(gateway, log, "130422", (7, Digest::of(b"n")), NOW)];
        batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
        store.commit(&batch).unwrap();
        changed_ms = clock.now().uptime_ms;
        clock.sleep_until(changed_ms + 2_000).await;
    }
    let mut slowest_ms = 0;
    for viewer in viewers {
        slowest_ms = slowest_ms.max(viewer.await.unwrap().saturating_sub(changed_ms));
    }
    let (took_ms, spent) = (clock.now().uptime_ms - began_ms, processor_ticks() - ticks);
    eprintln!(
        "{VIEWERS} viewers, {CHANGES} changes in {took_ms} ms: {}.{} % of one core, viewers included; a change reached the last \
         of them after {slowest_ms} ms",
        spent * 1_000 / took_ms,
        spent * 10_000 / took_ms % 10
    );
    assert!(slowest_ms < 10_000);
}
