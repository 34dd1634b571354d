//! A database that somebody else holds, while more and larger messages come than any memory should take.

use std::{fs, process::Stdio};

use coldhearth::regulator::store::sqlite::STORE_FILE;
use rusqlite::Connection;

use crate::{
    BROKER, Collecting, lines,
    support::{
        Folder, Mosquitto, Process, Subscriber,
        authority::{Publisher, aside, postgres_section, receipted},
        free_port,
        page::until_ails,
        postgres::Postgres,
        voice::{NOW, TOPIC, gateway, key_of},
    },
};

/// Hostile messages, and the size of each in bytes: three times as much as may be in memory.
const HOSTILE: usize = 700;
const LARGEST: usize = 256 * 1024;
/// How much a collector may take for them, in KiB: its hand twice (what waits, and the batch that the store is at), and what
/// is between it and the broker's socket. See `MOST_WAITING_BYTES` and `CHANNEL`.
const MOST_KIB: u64 = 96 * 1024;

/// The most memory a process ever had, in KiB.
pub(crate) fn peak_kib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A flood while the store is held; then it is let go, and everything honest is there.
async fn is_borne(collecting: &Collecting, broker: &Mosquitto, hostile: usize, hold: impl FnOnce() -> Held) {
    let collector = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    let lines = lines(1_000);
    publisher.publish(&lines[..100]).await;
    receipted(&mut subscriber, &collecting.authority.key(), 99).await;
    let before = peak_kib(&collector);
    let held = hold();
    let payload = vec![b'{'; LARGEST];
    for _ in 0..hostile {
        publisher.publish_at(TOPIC, payload.clone()).await;
    }
    publisher.publish(&lines[100..]).await;
    until_ails(collecting.page, &["store_silent", "hands_full"]).await;
    let counts = collecting.counts().await;
    assert_eq!(counts["coldhearth_records_total"], 100, "nothing is counted that is not kept");
    drop(held);
    receipted(&mut subscriber, &collecting.authority.key(), 999).await;
    until_ails(collecting.page, &[]).await;
    let counts = collecting.counts().await;
    assert_eq!(counts["coldhearth_messages_refused_total{reason=\"not_ours\"}"], hostile as u64);
    assert_eq!(counts["coldhearth_records_total"], 1_000);
    let grown = peak_kib(&collector).saturating_sub(before);
    assert!(grown < MOST_KIB, "{grown} KiB for {} KiB of messages", hostile * LARGEST / 1_024);
    assert_eq!(collector.stop(), 0);
}

/// A store in somebody else's hands.
enum Held {
    Sqlite(Connection),
    Postgres(std::sync::Arc<Postgres>, Process),
}

impl Drop for Held {
    fn drop(&mut self) {
        match self {
            Held::Sqlite(connection) => connection.execute_batch("rollback").unwrap(),
            Held::Postgres(server, client) => {
                server.sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query like '%pg_sleep%'");
                client.kill();
            }
        }
    }
}

#[tokio::test]
async fn a_flood_while_somebody_holds_the_embedded_store_fills_no_memory_and_loses_nothing() {
    let folder = Folder::new("held-sqlite");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::over_sqlite("held-authority", broker.port);
    let file = collecting.authority.folder.0.join("state").join(STORE_FILE);
    let hold = || {
        let connection = Connection::open(&file).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
        connection.execute_batch("begin immediate").unwrap();
        Held::Sqlite(connection)
    };
    is_borne(&collecting, &broker, HOSTILE, hold).await;
    assert_eq!(collecting.kept(), (0..1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_database_that_thinks_for_long_is_waited_for_and_loses_nothing() {
    let folder = Folder::new("held-postgres");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
    let database = server.database("held");
    let collecting =
        Collecting::with("held-postgres-authority", broker.port, &postgres_section(&server, &database));
    aside(server.at(&database), |store| assert!(store.admit(gateway(), &key_of(7), NOW).unwrap()));
    let hold = || {
        let before = "begin; lock table coldhearth.record in access exclusive mode;";
        let mut command = server.client(&database, &format!("{before} select pg_sleep(3600)"));
        let client = Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        while server
            .sql(&database, "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted")
            == "0"
        {}
        Held::Postgres(server.clone(), client)
    };
    is_borne(&collecting, &broker, 100, hold).await;
    let kept = server.sql(&database, "select count(*), max(seq) from coldhearth.record");
    assert_eq!(kept, "1000|999");
}
