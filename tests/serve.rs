//! `coldhearth-regulator serve` with its database, a real mosquitto, and ends at the worst moment. Whoever publishes here
//! publishes once: what the broker was told is safe must be.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Command};

use coldhearth::{
    regulator::{
        collector::Collector,
        store::{SqliteStore, Store as _, state_root},
    },
    terms::Digest,
};
use support::{
    Folder, Mosquitto, Subscriber,
    authority::{Authority, Publisher, aside, postgres_section, receipted},
    postgres::Postgres,
    voice::{NOW, TOPIC, Voice, beat, gateway, key, key_of},
};

fn lines(count: usize) -> Vec<Vec<u8>> {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((1..count).map(|_| voice.say(&beat())));
    lines
}

#[tokio::test]
async fn what_a_killed_collector_had_not_committed_the_broker_keeps_for_it() {
    let folder = Folder::new("killed-collector");
    let broker = Mosquitto::start(&folder.0).await;
    let authority = Authority::new("killed", broker.port, "");
    let state = authority.folder.0.join("state");
    SqliteStore::open(&state).unwrap().admit(gateway(), &key_of(7), NOW).unwrap();
    let lines = lines(200);
    let mut collector = authority.serve();
    authority.said("connected to the broker").await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    publisher.publish(&lines[..20]).await;
    receipted(&mut subscriber, &authority.key(), 19).await;
    for turn in 0..3 {
        let (before, after) = lines[20 + turn * 60..80 + turn * 60].split_at(40);
        publisher.publish(before).await;
        // In the midst of it; the rest comes while nobody is there.
        collector.kill();
        publisher.publish(after).await;
        collector = authority.serve();
    }
    receipted(&mut subscriber, &authority.key(), 199).await;
    assert_eq!(collector.stop(), 0);
    let heads = SqliteStore::open(&state).unwrap().heads(None).unwrap();
    assert_eq!(heads.iter().map(|kept| kept.seq).collect::<Vec<_>>(), [199]);
}

#[tokio::test]
async fn a_database_that_goes_away_takes_nothing_with_it() {
    let folder = Folder::new("away");
    let broker = Mosquitto::start(&folder.0).await;
    let server = tokio::task::spawn_blocking(|| Postgres::start("")).await.unwrap();
    let database = server.database("away");
    let more = postgres_section(&server, &database);
    let pair = ["east", "west"].map(|name| Authority::new(name, broker.port, &more));
    let at = server.at(&database);
    aside(at.clone(), |store| store.admit(gateway(), &key_of(7), NOW).unwrap());
    // Both sign with one key, as two machines of one authority do.
    let mut collectors = vec![pair[0].serve()];
    pair[0].said("connected to the broker").await;
    for file in ["authority.key", "authority.key.pub"] {
        std::fs::copy(pair[0].folder.0.join("state").join(file), pair[1].folder.0.join("state").join(file))
            .unwrap();
    }
    collectors.push(pair[1].serve());
    pair[1].said("connected to the broker").await;
    let lines = lines(120);
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    publisher.publish(&lines[..40]).await;
    receipted(&mut subscriber, &pair[0].key(), 39).await;
    server.crash();
    publisher.publish(&lines[40..80]).await;
    for authority in &pair {
        authority.said("the store is away, nothing is acknowledged").await;
    }
    // One of them does not even live to see it come back.
    collectors[1].kill();
    server.go();
    pair[0].said("the store answers again").await;
    receipted(&mut subscriber, &pair[0].key(), 79).await;
    collectors[0].kill();
    publisher.publish(&lines[80..]).await;
    collectors[1] = pair[1].serve();
    receipted(&mut subscriber, &pair[0].key(), 119).await;
    let log = std::fs::read_to_string(pair[0].log_file()).unwrap();
    assert!(!log.contains(support::postgres::PASSWORD) && log.contains(&database), "{log}");
    let root = aside(at, |store| state_root(&store.heads(None).unwrap()));
    assert_eq!(root, undisturbed(&lines));
}

/// The state after one collector had everything in order.
fn undisturbed(lines: &[Vec<u8>]) -> Digest {
    let folder = Folder::new("undisturbed");
    let mut store = SqliteStore::open(&folder.0).unwrap();
    store.admit(gateway(), &key_of(7), NOW).unwrap();
    let mut collector = Collector::open(Box::new(store), Box::new(key(9))).unwrap();
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, NOW).unwrap();
    collector.state_root().unwrap()
}

#[test]
fn a_store_moves_to_the_other_database_by_two_commands() {
    let server = Postgres::start("");
    let database = server.database("moves");
    let authority = Authority::new("mover", 1, &postgres_section(&server, &database));
    let (state, config) = (authority.folder.0.join("state"), authority.config.to_str().unwrap());
    let own = coldhearth::host::keys::load_or_make(&state, "authority.key", true).unwrap();
    let mut store = SqliteStore::open(&state).unwrap();
    store.admit(gateway(), &key_of(7), NOW).unwrap();
    let mut collector = Collector::open(Box::new(store), own).unwrap();
    let lines = lines(50);
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, NOW).unwrap();
    assert_eq!(collector.receipts(NOW, || Ok([1; 16])).unwrap().len(), 1);
    let day = collector.head_of_heads(NOW + 86_400_000).unwrap().unwrap();
    let published = authority.folder.0.join("published.jsonl");
    std::fs::write(&published, [&day.bytes[..], b"\n"].concat()).unwrap();
    let copy = authority.folder.0.join("copy.jsonl");
    let (copy, state) = (copy.to_str().unwrap(), state.to_str().unwrap());
    let (exit, said) = regulator(&["store", "backup", copy, "--state", state]);
    assert!(exit == 0 && said.contains("1 logs, 50 records"), "{exit} {said}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(copy).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "a copy is read by whoever reads the store");
    // A copy that is there is not replaced, least of all by one of nothing.
    let (exit, said) = regulator(&["store", "backup", copy, "--state", state]);
    assert!(exit == 78 && said.contains("--replace"), "{exit} {said}");
    let nowhere = authority.folder.0.join("nowhere");
    let (exit, said) =
        regulator(&["store", "backup", copy, "--replace", "--state", nowhere.to_str().unwrap()]);
    assert!(exit == 78 && said.contains("there is no store") && !nowhere.exists(), "{exit} {said}");
    let (exit, said) = regulator(&["store", "backup", copy, "--replace", "--state", state]);
    assert_eq!(exit, 0, "{said}");
    let elsewhere = authority.folder.0.join("elsewhere");
    let (exit, said) = regulator(&["store", "restore", copy, "--state", elsewhere.to_str().unwrap()]);
    assert!(exit == 0 && said.contains("bring authority.key and authority.key.pub"), "{exit} {said}");
    let (exit, said) = regulator(&["store", "verify", "--state", elsewhere.to_str().unwrap()]);
    assert!(exit == 78 && said.contains("--authority"), "{exit} {said}");
    let (exit, said) = regulator(&["store", "restore", copy, "--config", config]);
    assert!(
        exit == 0 && said.contains("50 records, 0 forks, 1 receipts, 0 findings, 1 heads"),
        "{exit} {said}"
    );
    let verify = ["store", "verify", "--published", published.to_str().unwrap(), "--config", config];
    let (exit, said) = regulator(&verify);
    assert!(exit == 0 && said.contains("verified: 50 records"), "{exit} {said}");
    let (exit, said) = regulator(&["store", "prune", "--before", "2040-01-01", "--config", config]);
    assert!(exit == 78 && said.contains("kept for 1826 days"), "{exit} {said}");
    server.sql(&database, "update coldhearth.record set hash = repeat('0', 64) where seq = 7");
    let (exit, said) = regulator(&[&verify[..], &["--json"]].concat());
    assert!(exit == 1 && said.contains("the hash that is kept is another"), "{exit} {said}");
    let (exit, said) = regulator(&["store", "restore", copy, "--config", config]);
    assert!(exit == 78 && said.contains("not empty"), "{exit} {said}");
}

fn regulator(arguments: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator")).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    (out.status.code().unwrap(), text)
}

#[test]
fn a_configuration_is_checked_without_touching_anything() {
    let (exit, said) = regulator(&["check", "config/regulator.toml"]);
    assert!(exit == 0 && said.contains("ok, broker 127.0.0.1:1883"), "{exit} {said}");
    let authority = Authority::new("checked", 1, "[store]\nkind = \"postgres\"\nhost = \"db.example\"\n");
    let file = authority.config.to_str().unwrap();
    let (exit, said) = regulator(&["check", file]);
    assert_eq!(exit, 78);
    assert!(said.contains("regulator.toml:9:2: `database` is missing"), "{said}");
    let (exit, said) = regulator(&["serve", "--config", file]);
    assert!(exit == 78 && said.contains("`database` is missing"), "{exit} {said}");
    let (exit, said) = regulator(&["gateway", "list", "--config", file]);
    assert!(exit == 78 && said.contains("`database` is missing"), "{exit} {said}");
    let (exit, said) = regulator(&["serve", "--config", file, "--state", "elsewhere"]);
    assert_eq!(exit, 2, "{said}");
    let (exit, said) = regulator(&["serve", "--config", "config/regulator.toml", "--broker", "10.0.0.5"]);
    assert!(exit == 2 && said.contains("name it there alone"), "{exit} {said}");
    assert!(std::fs::read_dir(Path::new(file).parent().unwrap().join("state")).unwrap().next().is_none());
}

#[test]
fn a_port_of_metrics_that_is_taken_is_told_as_such_over_either_database() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = format!("\n[metrics]\nlisten = \"{}\"\n", taken.local_addr().unwrap());
    let server = Postgres::start("");
    let stores = ["", &postgres_section(&server, &server.database("taken"))];
    for (name, store) in ["taken-file", "taken-server"].into_iter().zip(stores) {
        let authority = Authority::new(name, 1, &format!("{store}{metrics}"));
        let mut ended = authority.serve();
        assert_eq!(ended.0.wait().unwrap().code(), Some(77), "{name}");
        let log = std::fs::read_to_string(authority.log_file()).unwrap();
        assert!(log.contains("name a free port") && !log.contains("panicked"), "{log}");
    }
}
