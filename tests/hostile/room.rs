//! A disk that is full, and a store that is taken away.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use coldhearth::regulator::store::{SqliteStore, Store as _};

use crate::{
    BROKER, Collecting, lines,
    support::{
        Folder, Mosquitto, Process, Subscriber,
        authority::{Publisher, aside, postgres_section, receipted},
        free_port,
        page::{until_ails, until_ails_of},
        postgres::{Postgres, give},
        soon,
        voice::{NOW, gateway, key_of},
    },
};

/// Records that are more than fits.
const RECORDS: usize = 1_200;

/// The collector finds no room in the midst of records, is killed there and comes back, finds none, and then does.
async fn nothing_is_lost_for_want_of_room(
    collecting: &Collecting,
    broker: Mosquitto,
    serve: impl Fn(&Collecting) -> Process,
    make_room: impl FnOnce(&Process),
) {
    let mut collector = serve(collecting);
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    let lines = lines(RECORDS);
    let feeding = tokio::spawn(async move { publisher.publish(&lines).await });
    until_ails_of(collecting.page, "store_full").await;
    collecting.authority.said("make some").await;
    soon("the broker to have everything", feeding).await.unwrap();
    let kept = collecting.counts().await["coldhearth_records_total"];
    assert!(kept < RECORDS as u64, "there was room for everything");
    collector.kill();
    let collector = serve(collecting);
    until_ails_of(collecting.page, "store_full").await;
    make_room(&collector);
    receipted(&mut subscriber, &collecting.authority.key(), RECORDS as u64 - 1).await;
    until_ails(collecting.page, &[]).await;
    let counts = collecting.counts().await;
    assert!(counts["coldhearth_store_lost_total"] >= 1 && counts["coldhearth_store_retries_total"] >= 1);
    assert_eq!(
        counts["coldhearth_records_total"] + kept,
        RECORDS as u64,
        "nothing is counted that was not kept"
    );
    assert_eq!(collector.stop(), 0);
}

#[tokio::test]
async fn where_files_may_grow_no_further_nothing_is_acknowledged_and_nothing_is_lost() {
    let folder = Folder::new("quota");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::over_sqlite("quota-authority", broker.port);
    let make_room = |collector: &Process| {
        let id = collector.0.id().to_string();
        let done = Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status();
        assert!(done.unwrap().success());
    };
    let serve = |collecting: &Collecting| collecting.authority.serve_within(400);
    nothing_is_lost_for_want_of_room(&collecting, broker, serve, make_room).await;
    assert_eq!(collecting.kept(), (0..RECORDS as u64).collect::<Vec<_>>());
}

/// A file system of its own, of so many KiB, in memory.
struct Disk(PathBuf);

impl Disk {
    /// `None`, said, where nobody may mount one.
    fn mount(at: &Path, kib: u32) -> Option<Disk> {
        let size = format!("size={kib}k,mode=0700");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).stderr(Stdio::null());
        if command.status().is_ok_and(|done| done.success()) {
            return Some(Disk(at.to_path_buf()));
        }
        eprintln!("NOT TESTED on a file system that is full: here nobody may mount one");
        None
    }

    fn grow(&self) {
        let done = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&self.0).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_acknowledged_and_nothing_is_lost() {
    let folder = Folder::new("full-disk");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::with("full-authority", broker.port, "");
    let state = collecting.authority.folder.0.join("state");
    let Some(disk) = Disk::mount(&state, 800) else { return };
    assert!(SqliteStore::open(&state).unwrap().admit(gateway(), &key_of(7), NOW).unwrap());
    let serve = |collecting: &Collecting| collecting.authority.serve();
    nothing_is_lost_for_want_of_room(&collecting, broker, serve, |_| disk.grow()).await;
    assert_eq!(collecting.kept(), (0..RECORDS as u64).collect::<Vec<_>>());
}

/// A collector over a database whose records have their place in it already.
async fn over_postgres(name: &str, port: u16) -> (Arc<Postgres>, String, Collecting) {
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
    let database = server.database(name);
    let section = postgres_section(&server, &database);
    let collecting = Collecting::with(&format!("{name}-authority"), port, &section);
    aside(server.at(&database), |store| assert!(store.admit(gateway(), &key_of(7), NOW).unwrap()));
    (server, database, collecting)
}

fn kept(server: &Postgres, database: &str) -> String {
    server.sql(database, "select count(*), min(seq), max(seq) from coldhearth.record")
}

#[tokio::test]
async fn on_a_full_disk_of_the_server_nothing_is_acknowledged_and_nothing_is_lost() {
    let folder = Folder::new("full-server");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let (server, database, collecting) = over_postgres("full_server", broker.port).await;
    let small = server.folder().join("small");
    fs::create_dir(&small).unwrap();
    let Some(disk) = Disk::mount(&small, 400) else { return };
    give(&small);
    server.sql(&database, &format!("create tablespace small location '{}'", small.display()));
    server.sql(&database, "alter table coldhearth.record set tablespace small");
    let serve = |collecting: &Collecting| collecting.authority.serve();
    nothing_is_lost_for_want_of_room(&collecting, broker, serve, |_| disk.grow()).await;
    assert_eq!(kept(&server, &database), "1200|0|1199");
    server.sql("postgres", &format!("drop database \"{database}\" with (force)"));
    server.sql("postgres", "drop tablespace small");
}

/// Where nobody may mount a file system that is full, the server says so by itself.
#[tokio::test]
async fn a_server_that_says_it_is_full_is_believed_and_asked_again() {
    let folder = Folder::new("says-full");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let (server, database, collecting) = over_postgres("says_full", broker.port).await;
    let full = "create function coldhearth.no_room() returns trigger language plpgsql as $$ begin
                    if (select count(*) from coldhearth.record) < 300 then return new; end if;
                    raise exception 'could not extend file: No space left on device' using errcode = '53100';
                end $$;
                create trigger no_room before insert on coldhearth.record for each row execute function coldhearth.no_room()";
    server.sql(&database, full);
    let make_room = |_: &Process| drop(server.sql(&database, "drop trigger no_room on coldhearth.record"));
    let serve = |collecting: &Collecting| collecting.authority.serve();
    nothing_is_lost_for_want_of_room(&collecting, broker, serve, make_room).await;
    assert_eq!(kept(&server, &database), "1200|0|1199");
}

#[tokio::test]
async fn a_server_that_vanishes_is_told_and_waited_for_and_whoever_starts_meanwhile_says_so() {
    let folder = Folder::new("vanished");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let server = tokio::task::spawn_blocking(|| Postgres::start("")).await.unwrap();
    let database = server.database("vanished");
    let collecting =
        Collecting::with("vanished-authority", broker.port, &postgres_section(&server, &database));
    aside(server.at(&database), |store| assert!(store.admit(gateway(), &key_of(7), NOW).unwrap()));
    let mut collector = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    let lines = lines(90);
    publisher.publish(&lines[..30]).await;
    receipted(&mut subscriber, &collecting.authority.key(), 29).await;
    server.crash();
    publisher.publish(&lines[30..60]).await;
    until_ails_of(collecting.page, "store_away").await;
    assert_eq!(collecting.counts().await["coldhearth_records_total"], 30);
    server.go();
    receipted(&mut subscriber, &collecting.authority.key(), 59).await;
    until_ails(collecting.page, &[]).await;
    server.crash();
    collector.kill();
    publisher.publish(&lines[60..]).await;
    let mut too_early = collecting.authority.serve();
    let ended = tokio::task::spawn_blocking(move || too_early.0.wait().unwrap().code());
    assert_eq!(soon("its end", ended).await.unwrap(), Some(69), "its service manager tries again");
    server.go();
    let collector = collecting.authority.serve();
    receipted(&mut subscriber, &collecting.authority.key(), 89).await;
    assert_eq!(collector.stop(), 0);
    assert_eq!(kept(&server, &database), "90|0|89");
}

#[tokio::test]
async fn a_store_that_is_taken_away_is_noticed_before_anything_more_is_acknowledged() {
    let folder = Folder::new("taken");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::over_sqlite("taken-authority", broker.port);
    let state = collecting.authority.folder.0.join("state");
    let mut collector = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    let lines = lines(60);
    publisher.publish(&lines[..30]).await;
    receipted(&mut subscriber, &collecting.authority.key(), 29).await;
    let aside = collecting.authority.folder.0.join("aside");
    fs::create_dir(&aside).unwrap();
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        fs::rename(state.join(file), aside.join(file)).unwrap();
    }
    publisher.publish(&lines[30..]).await;
    let ended = tokio::task::spawn_blocking(move || collector.0.wait().unwrap().code());
    assert_eq!(soon("its end", ended).await.unwrap(), Some(69));
    collecting.authority.said("was removed or replaced").await;
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let _replaced = fs::rename(aside.join(file), state.join(file));
    }
    let collector = collecting.authority.serve();
    receipted(&mut subscriber, &collecting.authority.key(), 59).await;
    assert_eq!(collector.stop(), 0);
    assert_eq!(collecting.kept(), (0..60).collect::<Vec<_>>());
}
