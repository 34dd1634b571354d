//! What the console costs: two hundred people who look at once, and how long a change takes to reach them.

use std::{collections::BTreeSet, sync::Arc};

use coldhearth::{
    catalogue::Standing,
    evidence::{Body, LogId},
    host::{Clock as _, SystemClock},
    judge::{Finding, Shares, SignSet, State, Verdict},
    regulator::{
        console::password,
        store::{
            Batch, SqliteStore, Store,
            people::{Person, Role},
            sights::Scope,
        },
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, Name, WattHours},
};
use tokio::sync::Barrier;

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, head, people, sights_of},
    programs::user,
    sizes::{county, fill, fill_alarms, look},
    support::{
        Folder, Mosquitto,
        authority::{Authority, Publisher},
        free_port,
        postgres::Postgres,
        soon,
        voice::{NOW as VOICE_NOW, Voice, at, gateway, key_of},
    },
};

/// Pieces of equipment that are counted.
const ASSETS: usize = 50_000;
/// People who look at once.
const VIEWERS: usize = 200;
/// Windows that each of them has open: no person has all the streams.
const WINDOWS: usize = 10;
/// Changes that are told to each.
const CHANGES: u64 = 10;

/// Processor time of this program so far, in hundredths of a second: the console's and, less, the viewers'.
fn processor_ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = text.rsplit_once(") ").unwrap().1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// So many people of the nation.
fn desks(store: &mut dyn Store, count: usize) {
    let password = password::hashed(PASSWORD).unwrap();
    for number in 0..count {
        let person = Person {
            name: Name::new(&format!("desk-{number}")).unwrap(),
            role: Role::Reader,
            scope: Scope::NATION,
            password: password.clone(),
            changed_unix_ms: 1,
        };
        assert!(store.add_person(&person).unwrap());
    }
}

#[tokio::test]
#[ignore = "a figure, not a judgement; tests/all prints it"]
async fn figures_of_two_hundred_viewers() {
    let desk = Desk::open_with("figures", |store| {
        desks(store, VIEWERS.div_ceil(WINDOWS));
        fill(store, ASSETS);
    });
    let clock = SystemClock::default();
    let all_listen = Arc::new(Barrier::new(VIEWERS + 1));
    let mut sessions = Vec::new();
    for number in 0..VIEWERS.div_ceil(WINDOWS) {
        sessions.push(Browser::entered(desk.port, &format!("desk-{number}"), PASSWORD).await.session);
    }
    let mut viewers = Vec::new();
    for number in 0..VIEWERS {
        let (port, session) = (desk.port, sessions[number / WINDOWS].clone());
        let all_listen = all_listen.clone();
        viewers.push(tokio::spawn(async move {
            let browser = Browser { session, ..Browser::at(port) };
            let last = format!("\"assets\":{}", ASSETS as u64 + CHANGES);
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
        clock.sleep_until(changed_ms + 3_000).await;
    }
    let mut slowest_ms = 0;
    for viewer in viewers {
        slowest_ms = slowest_ms.max(viewer.await.unwrap().saturating_sub(changed_ms));
    }
    let (took_ms, spent) = (clock.now().uptime_ms - began_ms, processor_ticks() - ticks);
    eprintln!(
        "{ASSETS} pieces of equipment, {VIEWERS} viewers, {CHANGES} changes in {took_ms} ms: {}.{} % of one core, viewers included; a change reached the last \
         of them after {slowest_ms} ms",
        spent * 1_000 / took_ms,
        spent * 10_000 / took_ms % 10
    );
    assert!(slowest_ms < 10_000);
}

/// A gateway's verdict about one more piece of equipment.
fn verdict(asset: &str) -> Body {
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new(asset).unwrap(),
        state: State::Drawing,
        since: at(0),
        standing: Standing::declared(LegalDay::parse("2012-12-31")),
        phase: None,
        violation_since_unix_ms: None,
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

#[tokio::test]
#[ignore = "a figure, not a judgement; tests/all prints it"]
async fn figures_of_every_page_over_postgresql() {
    let server = Postgres::shared();
    let desk = Desk::own_over(&server.at(&server.database("pages")), |store| {
        people(store);
        county(store);
        fill(store, ASSETS);
        fill_alarms(store, ASSETS);
    });
    for (who, what) in [("wang", "nation, PostgreSQL"), ("sun", "county, PostgreSQL")] {
        look(&Browser::entered(desk.port, who, PASSWORD).await, what).await;
    }
}

#[tokio::test]
#[ignore = "a figure, not a judgement; tests/all prints it"]
async fn figures_of_a_publish_until_it_stands_on_the_screen() {
    let folder = Folder::new("console-publish");
    let broker = Mosquitto::start(&folder.0).await;
    let port = free_port();
    let more = format!("[console]\nlisten = \"127.0.0.1:{port}\"\n");
    let authority = Authority::new("console-publish", broker.port, &more);
    let state = authority.folder.0.join("state");
    SqliteStore::open(&state).unwrap().admit(gateway(), &key_of(7), VOICE_NOW).unwrap();
    assert_eq!(user(&authority, &["add", "wang", "--role", "overseer"], PASSWORD).0, 0);
    let collector = authority.serve();
    authority.said("connected to the broker").await;
    let (clock, browser) = (SystemClock::default(), Browser::entered(port, "wang", PASSWORD).await);
    let mut publisher = Publisher::start(broker.port).await;
    let mut voice = Voice::new(5, 0, 7);
    publisher.publish(&[voice.genesis(7, None)]).await;
    let (mut page_ms, mut event_ms) = (Vec::new(), Vec::new());
    for number in 1..=CHANGES {
        let asset = format!("kiln-{number}");
        let said = voice.say(&verdict(&asset));
        let began_ms = clock.now().uptime_ms;
        let mut shown_ms = 0;
        let publishing = async {
            publisher.publish(&[said]).await;
            soon("the page", async { while !browser.get("/fleet").await.body.contains(&asset) {} }).await;
            shown_ms = clock.now().uptime_ms - began_ms;
        };
        browser.hear("/live", &format!("\"assets\":{number}"), publishing).await;
        page_ms.push(shown_ms);
        event_ms.push(clock.now().uptime_ms - began_ms);
    }
    page_ms.sort_unstable();
    event_ms.sort_unstable();
    eprintln!(
        "from a publish to a page that is asked for: {page_ms:?} ms; to the open page, by an event: {event_ms:?} ms"
    );
    assert_eq!(collector.stop(), 0);
}
