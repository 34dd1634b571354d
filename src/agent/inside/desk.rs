//! Where whoever looks is answered: a thread of its own, so that neither many who look nor one who never reads costs the
//! loop that judges anything but a copy a second.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use super::{
    http, socket,
    status::Status,
    told::{Around, Fixed, Newest},
    view::View,
};
use crate::{
    agent::{
        config::AgentConfig,
        outbox::{Turn, Want},
        reserve,
        scribe::{Entry, Progress},
        start::SOFTWARE,
        uplink::Traffic,
    },
    evidence::{Class, record::Unverified},
    host::{
        Clock,
        exit::Failure,
        hush::Hush,
        service,
        watchdog::{Pulse, Watchdog},
        worry::Worry,
    },
};

/// Least time between two looks into the log, in milliseconds.
pub const LOOK_MS: u64 = 1_000;
/// Time between two looks at the disk, in milliseconds.
const DISK_LOOK_MS: u64 = 2_000;
/// Pause after a connection that could not be accepted, in milliseconds.
const PAUSE_MS: u64 = 100;

/// Where the desk knows from what it tells.
pub struct Sources {
    /// The loop's copies.
    pub view: watch::Receiver<Arc<View>>,
    /// What is durable and receipted.
    pub progress: watch::Receiver<Progress>,
    /// What the uplink does.
    pub traffic: Arc<Traffic>,
    /// Whether the disk takes nothing.
    pub disk_full: Arc<AtomicBool>,
    /// To the scribe, to read records back.
    pub journal: mpsc::Sender<Entry>,
    /// What somebody has to do something about.
    pub watchdog: Watchdog,
}

/// What was last read of the log.
#[derive(Clone, Debug, Default)]
struct Seen {
    newest: Option<Newest>,
    oldest_unix_ms: Option<i64>,
}

/// Answers who looks.
pub struct Desk {
    clock: Arc<dyn Clock>,
    fixed: Fixed,
    view: watch::Receiver<Arc<View>>,
    progress: watch::Receiver<Progress>,
    traffic: Arc<Traffic>,
    disk_full: Arc<AtomicBool>,
    watchdog: Watchdog,
    /// The folder of the journal.
    state: PathBuf,
    seen: Mutex<Seen>,
}

/// Opens the desk; it is closed by `stop`. What cannot be opened is told in the log, and the agent attests without it. What
/// is opened has a pulse that `watchdog` feels, so that a desk that stands still is told too.
pub fn open(
    clock: &Arc<dyn Clock>,
    config: &AgentConfig,
    sources: Sources,
    mut stop: watch::Receiver<bool>,
) -> Option<std::thread::JoinHandle<()>> {
    let Sources { view, progress, traffic, disk_full, journal, watchdog } = sources;
    let fixed = Fixed::of(config, SOFTWARE);
    let seen = Mutex::default();
    let (clock, state) = (clock.clone(), config.gateway.state_dir.clone());
    let desk = Desk { clock, fixed, view, progress, traffic, disk_full, watchdog, state, seen };
    let (desk, at) = (Arc::new(desk), config.status.clone());
    let serve = move || {
        let pulse = |task: &str| desk.watchdog.pulse(format!("inside {task}"), &desk.clock);
        let Ok(runtime) = service::runtime().inspect_err(cannot) else { return };
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            tasks.spawn(living(pulse("log"), follow(desk.clone(), journal)));
            tasks.spawn(living(pulse("disk"), mind_the_disk(desk.clone())));
            match socket::listen(&at.socket) {
                Ok(door) => drop(tasks.spawn(living(pulse("socket"), socket::serve(door, desk.clone())))),
                Err(failure) => cannot(&failure),
            }
            if let Some(at) = at.listen {
                match http::listen(at).await {
                    Ok(listener) => {
                        drop(tasks.spawn(living(pulse("page"), http::serve(listener, desk.clone()))));
                    }
                    Err(failure) => cannot(&failure),
                }
            }
            // Whoever holds the other end is gone only when everything ends.
            let _gone = stop.wait_for(|stop| *stop).await;
        });
    };
    std::thread::Builder::new()
        .name("inside".into())
        .spawn(serve)
        .inspect_err(|error| tracing::warn!(%error, "nobody can look inside; everything else goes on"))
        .ok()
}

/// Does what waits for whoever looks, and shows that its thread comes round meanwhile: answers have limits of their own, and
/// one that is being made holds up everybody here.
async fn living(pulse: Arc<Pulse>, work: impl Future<Output = ()> + Send) {
    pulse.while_doing(Box::pin(work)).await;
}

fn cannot(failure: &Failure) {
    tracing::warn!("nobody can look inside this way; everything else goes on: {failure}");
}

impl Desk {
    /// The document of this moment.
    pub fn status(&self) -> Status {
        let view = self.view.borrow().clone();
        let (places, receipted) = {
            let progress = self.progress.borrow();
            (progress.places, progress.receipted)
        };
        // Nobody panics while he holds it.
        let Seen { newest, oldest_unix_ms } =
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let around = Around {
            now: self.clock.now(),
            is_there: self.is_broker_there(),
            undelivered: self.traffic.undelivered(),
            lost: self.traffic.lost(),
            places,
            // What is receipted was accepted, if by another connection.
            accepted: self.traffic.accepted.load(Ordering::Relaxed).max(receipted.unwrap_or(0)),
            receipted,
            newest,
            oldest_unix_ms,
            disk_full: self.disk_full.load(Ordering::Relaxed),
            disk_free_bytes: reserve::free_bytes(&self.state),
            worries: self.watchdog.worries(),
        };
        Status::of(&view, &self.fixed, &around)
    }

    /// Where nothing is subscribed to, since there is no authority, nothing is granted either.
    fn is_broker_there(&self) -> bool {
        let Traffic { is_there, is_greeted, .. } = &*self.traffic;
        if self.fixed.expects_receipts { is_there } else { is_greeted }.load(Ordering::Relaxed)
    }

    /// Waits a little.
    pub(super) async fn pause(&self) {
        self.clock.sleep_until(self.clock.now().uptime_ms + PAUSE_MS).await;
    }
}

/// Looks whether the disk is nearly full, and whether what is kept for that moment is there.
async fn mind_the_disk(desk: Arc<Desk>) {
    let (mut room, mut kept) = (Hush::default(), Hush::default());
    loop {
        // What is kept for that moment is set aside first.
        desk.clock.sleep_until(desk.clock.now().uptime_ms + DISK_LOOK_MS).await;
        let now_ms = desk.clock.now().uptime_ms;
        let is_low = reserve::free_bytes(&desk.state).is_some_and(|free| free < reserve::NEARLY_FULL_BYTES);
        let is_spent = !reserve::is_whole(&desk.state);
        for (worry, stands, hush) in
            [(Worry::DiskNearlyFull, is_low, &mut room), (Worry::ReserveSpent, is_spent, &mut kept)]
        {
            let is_news = desk.watchdog.on_worry(worry, stands);
            let told = if is_news { hush.may(now_ms, u8::from(stands)) } else { hush.due(now_ms) };
            let Some(not_told) = told.map(|not_told| (not_told > 0).then_some(not_told)) else { continue };
            if stands {
                tracing::warn!(not_told, "{}", worry.words().en);
            } else {
                tracing::info!(not_told, worry = worry.code(), "over: there is room again");
            }
        }
    }
}

/// Reads of the log what the document tells of it, whenever there is more of it, and no more often than each second.
async fn follow(desk: Arc<Desk>, journal: mpsc::Sender<Entry>) {
    let mut progress = desk.progress.clone();
    loop {
        let (places, receipted) = {
            let progress = progress.borrow_and_update();
            (progress.places, progress.receipted.unwrap_or(0))
        };
        let newest = read(&journal, places.saturating_sub(1)).await;
        let oldest = if receipted < places { read(&journal, receipted).await } else { None };
        let oldest_unix_ms = oldest.map(|oldest| oldest.written_unix_ms);
        *desk.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen { newest, oldest_unix_ms };
        desk.clock.sleep_until(desk.clock.now().uptime_ms + LOOK_MS).await;
        if progress.changed().await.is_err() {
            return;
        }
    }
}

/// The first record from a place on.
async fn read(journal: &mpsc::Sender<Entry>, from: u64) -> Option<Newest> {
    let (reply, answer) = oneshot::channel();
    let want = Want { from, least: Class::Routine, turn: Turn::InPlace };
    journal.send(Entry::Read { want, reply }).await.ok()?;
    let found = answer.await.ok()??;
    let record = Unverified::read(&found.bytes).ok()?;
    let header = record.header();
    Some(Newest {
        log: header.log.to_string(),
        seq: header.seq,
        hash: record.hash(),
        written_unix_ms: header.at.wall_unix_ms,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{agent::config, host::SystemClock, judge::Memory};

    #[tokio::test]
    async fn every_task_of_the_desk_is_felt_until_it_ends() {
        let folder = std::env::temp_dir().join(format!("coldhearth-desk-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut config = config::load(Path::new("config/agent.toml")).unwrap();
        config.gateway.state_dir.clone_from(&folder);
        config.status.socket = folder.join("status.sock");
        config.status.listen = Some("127.0.0.1:0".parse().unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let (_shown, view) = watch::channel(Arc::new(View::new(&config, &Memory::default(), &clock.now())));
        let (_told, progress) = watch::channel(Progress { places: 0, receipted: None, missing: Vec::new() });
        let (journal, _entries) = mpsc::channel(1);
        let (traffic, disk_full) = (Arc::default(), Arc::default());
        let (watchdog, (stopper, stop)) = (Watchdog::default(), watch::channel(false));
        let watched = watchdog.clone();
        let sources = Sources { view, progress, traffic, disk_full, journal, watchdog: watched };
        let thread = open(&clock, &config, sources, stop).unwrap();
        while watchdog.felt() != ["inside disk", "inside log", "inside page", "inside socket"] {
            clock.sleep_until(clock.uptime_ms() + 5).await;
        }
        stopper.send_replace(true);
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
        assert!(watchdog.felt().is_empty(), "who has ended is expected no more: {:?}", watchdog.felt());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
