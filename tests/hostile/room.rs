//! A disk that is full, and a store that is taken away.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coldhearth::regulator::store::{SqliteStore, Store as _};

use crate::{
    BROKER, Collecting, lines,
    support::{
        Folder, Mosquitto, Process, Subscriber,
        authority::{Publisher, receipted},
        free_port,
        page::{until_ails, until_ails_of},
        soon,
        voice::{NOW, gateway, key_of},
    },
};

/// Records that are more than fits.
const RECORDS: usize = 1_200;

/// The collector finds no room in the midst of records, is killed there and comes back, finds none, and then does.
async fn nothing_is_lost_for_want_of_room(
    name: &str,
    collecting: Collecting,
    broker: Mosquitto,
    serve: impl Fn(&Collecting) -> Process,
    make_room: impl FnOnce(&Process),
) {
    let mut collector = serve(&collecting);
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start(broker.port).await;
    let mut publisher = Publisher::start(broker.port).await;
    let lines = lines(RECORDS);
    let feeding = tokio::spawn(async move { publisher.publish(&lines).await });
    until_ails_of(collecting.page, "store_away").await;
    collecting.authority.said("make some").await;
    soon("the broker to have everything", feeding).await.unwrap();
    let kept = collecting.counts().await["coldhearth_records_total"];
    assert!(kept < RECORDS as u64, "{name}: there was room for everything");
    collector.kill();
    let collector = serve(&collecting);
    until_ails_of(collecting.page, "store_away").await;
    make_room(&collector);
    receipted(&mut subscriber, &collecting.authority.key(), RECORDS as u64 - 1).await;
    until_ails(collecting.page, &[]).await;
    let counts = collecting.counts().await;
    assert!(counts["coldhearth_store_lost_total"] >= 1 && counts["coldhearth_store_retries_total"] >= 1);
    assert_eq!(collector.stop(), 0);
    assert_eq!(collecting.kept(), (0..RECORDS as u64).collect::<Vec<_>>(), "{name}");
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
    nothing_is_lost_for_want_of_room("quota", collecting, broker, serve, make_room).await;
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
    nothing_is_lost_for_want_of_room("full", collecting, broker, serve, |_| disk.grow()).await;
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
