//! Several collectors on one broker: real processes over one PostgreSQL, brokers that share and brokers that only say so,
//! and members that are killed at any moment.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what a fleet did"
)]

mod cluster;
#[path = "../support/mod.rs"]
mod support;
mod takeover;

use cluster::{Cluster, GROUP};
use coldhearth::{
    host::{Clock as _, SystemClock, courier::Broker},
    regulator::{
        share::canary::E_BRK_SHARE,
        store::{SqliteStore, Store, state_root},
    },
    terms::{Name, place::Level},
};
use coldhearth_sim::fleet::{self, FleetOrders, Report};
use support::{
    Folder, Mosquitto, Subscriber,
    authority::{Authority, Publisher, aside, postgres_section, receipted},
    free_port,
    nats::Nats,
    page::{asked, samples, until_ails},
    postgres::Postgres,
    rewriting, rumqttd, soon,
    voice::{NOW, Voice, beat, gateway, key_of},
};

/// What mosquitto needs that feeds collectors from many gateways at once.
const BROKER: &str = "max_queued_messages 0\nmax_inflight_messages 200\n";

async fn receipts(port: u16) -> Subscriber {
    let filters = vec!["coldhearth/v1/+/+/+/+/+/_/receipt".to_owned()];
    Subscriber::start_with(Broker { filters, ..Subscriber::broker(port) }).await
}

fn lines(count: usize) -> Vec<Vec<u8>> {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((1..count).map(|_| voice.say(&beat())));
    lines
}

fn admit_the_voice(store: &mut dyn Store) {
    assert!(store.admit(gateway(), &key_of(7), NOW).unwrap());
}

/// Sharing is proved before anybody is well, and then one gateway's records come to all members.
async fn shares(name: &str, port: u16) {
    let cluster = Cluster::found(name, port, 3, Level::County).await;
    cluster.store(admit_the_voice);
    let _members: Vec<_> = (0..3).map(|at| cluster.serve(at)).collect();
    for at in 0..3 {
        cluster.until_ails(at, &[]).await;
        cluster.until(at, "coldhearth_share_proven", 1).await;
        cluster.until(at, "coldhearth_share_parts", 0).await;
        cluster.until(at, "coldhearth_share_members_present", 3).await;
    }
    let mut subscriber = receipts(port).await;
    let mut publisher = Publisher::start(port).await;
    publisher.publish(&lines(90)).await;
    receipted(&mut subscriber, &cluster.key(), 89).await;
    let mut each = Vec::new();
    for at in 0..3 {
        each.push(cluster.counts(at).await["coldhearth_records_total"]);
    }
    assert!(each.iter().all(|records| *records > 10) && each.iter().sum::<u64>() == 90, "{each:?}");
    assert_eq!(
        cluster.ask("select count(*), (select count(*) from coldhearth.fork) from coldhearth.record"),
        "90|0"
    );
}

#[tokio::test]
async fn mosquitto_shares_once_canaries_have_proved_it() {
    let folder = Folder::new("share-mosquitto");
    let broker = Mosquitto::start(&folder.0).await;
    shares("mosquitto", broker.port).await;
}

#[tokio::test]
async fn rumqttd_shares_once_canaries_have_proved_it() {
    shares("rumqttd", rumqttd::start().await).await;
}

/// A broker that does not share is named, records are kept all the same, and a dead member's part is taken over.
async fn falls_back(name: &str, port: u16, why: &str) {
    let cluster = Cluster::found(name, port, 3, Level::County).await;
    cluster.store(admit_the_voice);
    let mut members: Vec<_> = (0..3).map(|at| Some(cluster.serve(at))).collect();
    for at in 0..3 {
        cluster.until_ails(at, &[E_BRK_SHARE]).await;
        cluster.members[at].said(E_BRK_SHARE).await;
        let broken = format!("coldhearth_share_broken{{code=\"{E_BRK_SHARE}\",why=\"{why}\"}}");
        cluster.until(at, &broken, 1).await;
    }
    cluster.until_divided(&[34, 33, 33]).await;
    let lines = lines(80);
    let mut subscriber = receipts(port).await;
    let mut publisher = Publisher::start(port).await;
    publisher.publish(&lines[..40]).await;
    receipted(&mut subscriber, &cluster.key(), 39).await;
    // The county's last digits are 21, which is the first member's part. While members agree on that, two may hear it, and
    // whichever of them is first keeps it.
    let mut each = Vec::new();
    for at in 0..3 {
        let counts = cluster.counts(at).await;
        each.push((counts["coldhearth_records_total"], counts["coldhearth_messages_again_total"]));
    }
    assert_eq!(each.iter().map(|(records, _)| records).sum::<u64>(), 40, "{each:?}");
    assert!(each[0] != (0, 0), "{each:?}");
    drop(members[0].take());
    for (at, parts) in [(1, 50), (2, 50)] {
        cluster.until(at, "coldhearth_share_parts", parts).await;
    }
    publisher.publish(&lines[40..]).await;
    receipted(&mut subscriber, &cluster.key(), 79).await;
    assert_eq!(
        cluster.ask("select count(*), (select count(*) from coldhearth.fork) from coldhearth.record"),
        "80|0"
    );
    members[0] = Some(cluster.serve(0));
    cluster.until_divided(&[34, 33, 33]).await;
}

#[tokio::test]
async fn a_broker_that_grants_and_delivers_nothing_is_named_and_divisions_are_taken_instead() {
    let folder = Folder::new("share-silent");
    let broker = Mosquitto::start(&folder.0).await;
    falls_back("silent", rewriting::start(broker.port, rewriting::silent).await, "silent").await;
}

#[tokio::test]
async fn a_broker_that_delivers_everything_to_everybody_is_named_and_divisions_are_taken_instead() {
    let folder = Folder::new("share-doubled");
    let broker = Mosquitto::start(&folder.0).await;
    falls_back("doubled", rewriting::start(broker.port, rewriting::doubled).await, "doubled").await;
}

#[tokio::test]
async fn nats_knows_no_mqtt_5_and_divisions_are_taken_in_3_1_1() {
    let folder = Folder::new("share-nats");
    let Some(broker) = Nats::start(&folder.0).await else { return };
    falls_back("nats", broker.port, "old").await;
}

#[tokio::test]
#[ignore = "takes the better part of a minute: tests/all"]
async fn a_broker_of_3_1_1_that_would_share_is_not_relied_on() {
    falls_back("old", rumqttd::old().await, "old").await;
}

#[tokio::test]
async fn two_members_of_one_number_are_told() {
    let folder = Folder::new("share-twins");
    let broker = Mosquitto::start(&folder.0).await;
    let cluster = Cluster::found("twins", broker.port, 2, Level::County).await;
    let _first = cluster.serve(0);
    cluster.renumber(1, 1);
    let _second = cluster.serve(1);
    for at in 0..2 {
        cluster.until_ails(at, &["share_unlike"]).await;
    }
}

/// A log with rotations, in an order of its own, everything twice.
fn shuffled() -> Vec<Vec<u8>> {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend(
        (0..80_u8).map(|turn| if turn % 20 == 19 { voice.rotate(100 + turn) } else { voice.say(&beat()) }),
    );
    (0..2 * lines.len()).map(|at| lines[at * 34 % lines.len()].clone()).collect()
}

#[tokio::test]
async fn two_collectors_fed_the_same_traffic_reach_the_same_state_in_databases_of_two_kinds() {
    let folder = Folder::new("share-same");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
    let database = server.database("same");
    let pages = [free_port(), free_port()];
    let shown = |page: u16| format!("[metrics]\nlisten = \"127.0.0.1:{page}\"\n");
    let east = Authority::new("same-east", broker.port, &shown(pages[0]));
    let of_west = postgres_section(&server, &database) + &shown(pages[1]);
    let west = Authority::new("same-west", broker.port, &of_west);
    let state = east.folder.0.join("state");
    admit_the_voice(&mut SqliteStore::open(&state).unwrap());
    aside(server.at(&database), admit_the_voice);
    let _both = [east.serve(), west.serve()];
    for page in pages {
        until_ails(page, &[]).await;
    }
    let lines = shuffled();
    let records = lines.len() as u64 / 2;
    Publisher::start(broker.port).await.publish(&lines).await;
    let clock = SystemClock::default();
    for page in pages {
        soon("every record", async {
            let kept =
                async || samples(&asked(page, "/metrics").await.unwrap().1)["coldhearth_records_total"];
            while kept().await < records {
                clock.sleep_until(clock.now().uptime_ms + 50).await;
            }
        })
        .await;
    }
    let heads = SqliteStore::open(&state).unwrap().heads(None).unwrap();
    assert_eq!(heads.iter().map(|kept| kept.seq).collect::<Vec<_>>(), [records - 1]);
    let others = aside(server.at(&database), |store| store.heads(None).unwrap());
    assert_eq!(state_root(&heads), state_root(&others));
}

fn orders(gateways: u32, cluster: &Cluster, port: u16) -> FleetOrders {
    FleetOrders {
        gateways,
        seed: 7,
        broker: ("127.0.0.1".into(), port),
        tls: None,
        authority: vec![cluster.members[0].folder.0.join("state/authority.key.pub")],
        speed: 60,
        for_ms: 25_000,
        settle_ms: 180_000,
        outages: 10,
        restarts: 4,
        storms_ms: Vec::new(),
        kept_kib: fleet::KEPT_KIB,
    }
}

/// Fifty gateways with the agent's own outbox; of three members one is killed in the midst of it and comes back, again and
/// again, and another never does. No chain has a hole in the end: what is lost with a member is missed once a later record of
/// its gateway comes, or the newest once more.
async fn loses_nothing(name: &str, port: u16, ails: &[&str]) {
    const GATEWAYS: u32 = 48;
    let cluster = Cluster::found(name, port, 3, Level::Province).await;
    cluster.admit(&fleet::enrolment(7, GATEWAYS).unwrap());
    let mut members: Vec<_> = (0..3).map(|at| Some(cluster.serve(at))).collect();
    for at in 0..3 {
        cluster.until_ails(at, ails).await;
    }
    let orders = orders(GATEWAYS, &cluster, port);
    let fleet =
        std::thread::spawn(move || fleet::run(&orders).unwrap_or_else(|failure| panic!("{failure:?}")));
    for round in 1..=3 {
        // While messages are on their way to it.
        cluster.until_kept(u64::from(GATEWAYS) * 2 * round).await;
        drop(members[0].take());
        if round == 2 {
            drop(members[2].take());
        }
        members[0] = Some(cluster.serve(0));
    }
    let report: Report = tokio::task::spawn_blocking(move || fleet.join().unwrap()).await.unwrap();
    drop(members);
    assert!(report.holds() && report.gaps == 0, "{report:?}\n{}", cluster.log(1));
    let kept = cluster.ask("select count(*), (select count(*) from coldhearth.fork) from coldhearth.record");
    assert_eq!(kept, format!("{}|0", report.records), "as many rows as records, and no fork: {report:?}");
    let verified = cluster.regulator(1, &["store", "verify"]);
    assert_eq!(verified.0, 0, "{}", verified.1);
    println!("{name}: {report:?}");
}

#[tokio::test]
async fn killed_members_lose_nothing_on_mosquitto() {
    let folder = Folder::new("kill-mosquitto");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    loses_nothing("kill-mosquitto", broker.port, &[]).await;
}

#[tokio::test]
#[ignore = "takes the better part of a minute: tests/all"]
async fn killed_members_lose_nothing_on_rumqttd() {
    loses_nothing("kill-rumqttd", rumqttd::start().await, &[]).await;
}

#[tokio::test]
#[ignore = "takes the better part of a minute: tests/all"]
async fn killed_members_lose_nothing_where_divisions_are_taken() {
    let folder = Folder::new("kill-divided");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let port = rewriting::start(broker.port, rewriting::silent).await;
    loses_nothing("kill-divided", port, &[E_BRK_SHARE]).await;
}

#[test]
fn the_group_of_these_tests_is_a_name() {
    assert!(Name::new(GROUP).is_some() && rewriting::SHARED.contains(GROUP));
}
