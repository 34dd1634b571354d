//! What a collector has to bear: messages of anybody who may publish, a database that is full, held by somebody else, or
//! removed. Real processes over a real broker; whoever publishes publishes once, so what is kept in the end is what the
//! broker was not told to forget.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it could not try"
)]

mod flood;
mod payloads;
mod pings;
mod room;
mod slow;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use coldhearth::{
    host::{Clock as _, SystemClock},
    regulator::store::{SqliteStore, Store as _},
};
use support::{
    authority::Authority,
    free_port,
    page::{asked, samples},
    soon,
    voice::{NOW, Voice, beat, gateway, key_of},
};

/// What mosquitto needs that is to give a collector everything it asks for.
const BROKER: &str = "max_queued_messages 0\nmax_inflight_messages 0\n";

/// An authority that shows its metrics and has admitted the voice's gateway.
struct Collecting {
    authority: Authority,
    page: u16,
}

impl Collecting {
    fn over_sqlite(name: &str, broker: u16) -> Collecting {
        let collecting = Collecting::with(name, broker, "");
        let state = collecting.authority.folder.0.join("state");
        assert!(SqliteStore::open(&state).unwrap().admit(gateway(), &key_of(7), NOW).unwrap());
        collecting
    }

    fn with(name: &str, broker: u16, store: &str) -> Collecting {
        let page = free_port();
        let more = format!("{store}\n[metrics]\nlisten = \"127.0.0.1:{page}\"\n");
        Collecting { authority: Authority::new(name, broker, &more), page }
    }

    async fn counts(&self) -> BTreeMap<String, u64> {
        samples(&asked(self.page, "/metrics").await.unwrap_or_default().1)
    }

    /// Until a count is at least so much.
    async fn until(&self, metric: &str, least: u64) {
        let clock = SystemClock::default();
        soon(&format!("{metric} {least}"), async {
            while self.counts().await.get(metric).is_none_or(|count| *count < least) {
                clock.sleep_until(clock.now().uptime_ms + 50).await;
            }
        })
        .await;
    }

    /// Places that the embedded store has of the voice's log.
    fn kept(&self) -> Vec<u64> {
        let mut store = SqliteStore::open(&self.authority.folder.0.join("state")).unwrap();
        let logs = store.logs().unwrap();
        assert!(logs.iter().all(|(owner, _)| *owner == gateway()), "{logs:?}");
        let records = logs.into_iter().flat_map(|log| store.records_from(log, 0, 100_000).unwrap());
        records.map(|(seq, _)| seq).collect()
    }
}

/// The first records of the voice's log.
fn lines(count: usize) -> Vec<Vec<u8>> {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((1..count).map(|_| voice.say(&beat())));
    lines
}
