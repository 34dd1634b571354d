//! The agent's life: open, recall, judge until told to stop.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
    thread::JoinHandle,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    address, attested,
    bus::Outlet,
    buses,
    config::AgentConfig,
    inside::{self, Lookout, Sources},
    journal::{DiskJournal, JOURNAL_FILE},
    letters::{Letter, Letters, Outcome},
    live,
    power::{self, GASP_PAUSE_MS},
    renew,
    reserve::Reserve,
    scribe::{self, Desk, Entry, Progress, Stopped},
    start::{self, Start, journal_failed},
    uplink::{self, Links, Traffic, Uplink},
};
use crate::{
    evidence::{Act, Answer, Body, Checkpoint, LogHead, LogId, Meaning, Notice, Scribe, Trust},
    host::{
        Clock,
        alone::{self, LOCK_FILE},
        courier,
        exit::{Exit, Failure},
        service::PowerFailures,
        watchdog::Watchdog,
    },
    judge::{Fact, Finding, Memory, Site},
    metering::Sample,
    terms::Stamp,
};

/// Samples that may wait for the judge.
pub const INBOX: usize = 256;
/// Time between two checkpoints, in milliseconds.
pub const CHECKPOINT_MS: u64 = 300_000;
/// Least time between two lines about what is attested, in milliseconds.
pub const STATUS_MS: u64 = 1_000;

/// Everything that reaches the one loop.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "samples pass through a bounded channel by value: no allocation a poll"
)]
pub enum Inbox {
    /// A poll came to its end.
    Sample(Sample),
    /// Something came for this gateway.
    Letter(Letter),
    /// The supply of its machine is failing.
    PowerFails,
}

/// How a life ended.
enum Ended {
    /// Somebody asked it to.
    Asked,
    /// The authority has receipted more than this journal holds, or something else: a new log is due.
    RolledBack(LogHead),
    /// Another configuration is to be watched by from now on.
    Reload(Box<AgentConfig>),
}

/// What may be asked of an agent that runs.
struct Asks {
    stop: watch::Receiver<bool>,
    reloads: mpsc::Receiver<AgentConfig>,
}

impl Asks {
    /// Waits for the next: another configuration, or none to stop.
    async fn next(&mut self) -> Option<AgentConfig> {
        let Asks { stop, reloads } = self;
        let stop = async { drop(stop.wait_for(|stop| *stop).await) };
        let reload = async {
            match reloads.recv().await {
                Some(config) => config,
                // Nobody can ask for one any more.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop => None,
            config = reload => Some(config),
        }
    }
}

/// Runs the agent until `stop` turns true. `new_journal` says that the operator knows that the journal is lost.
///
/// # Errors
/// It cannot start, or the journal failed while it ran.
pub async fn run(
    clock: Arc<dyn Clock>,
    config: AgentConfig,
    new_journal: bool,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let (_nobody, reloads) = mpsc::channel(1);
    run_reloading(clock, config, new_journal, stop, reloads, Watchdog::default()).await
}

/// As [`run`], and goes on with each configuration that comes by `reloads`; see [`super::reload`] for which may. Each task
/// has a pulse that `watchdog` feels.
///
/// # Errors
/// As [`run`].
pub async fn run_reloading(
    clock: Arc<dyn Clock>,
    config: impl Into<Arc<AgentConfig>>,
    new_journal: bool,
    stop: watch::Receiver<bool>,
    reloads: mpsc::Receiver<AgentConfig>,
    watchdog: Watchdog,
) -> Result<(), Failure> {
    let mut config = config.into();
    // Two agents on one journal would fork the log.
    let _alone = alone::alone(&config.gateway.state_dir, LOCK_FILE, "agent")?;
    let mut asks = Asks { stop, reloads };
    let mut start = start::start(&*clock, &config, new_journal)?;
    loop {
        match one_life(&clock, &config, start, &mut asks, &watchdog).await? {
            Ended::Asked => return Ok(()),
            Ended::Reload(new) => {
                config = Arc::from(new);
                start = start::start(&*clock, &config, false)?;
                tracing::info!(config = %config.digest, "the new configuration is in force");
            }
            Ended::RolledBack(receipted) => {
                let journal = DiskJournal::open(&config.gateway.state_dir.join(JOURNAL_FILE))?;
                renew::renew(&*clock, &config, journal, receipted, true)?;
                start = start::start(&*clock, &config, false)?;
            }
        }
    }
}

/// One life, from an open journal to its end.
async fn one_life(
    clock: &Arc<dyn Clock>,
    config: &Arc<AgentConfig>,
    start: Start,
    asks: &mut Asks,
    watchdog: &Watchdog,
) -> Result<Ended, Failure> {
    let Start { scribe, memory, trust, accepted, receipted, epoch_began, ancestors, unanswered } = start;
    let hired = hire(watchdog.pulse("scribe", clock), config, scribe, receipted, epoch_began, ancestors)?;
    let Hired { entries, progress, disk_full, thread } = hired;
    let (inbox, facts) = mpsc::channel(INBOX);
    // Before the first poll is due: the tables of ten thousand meters are not made in a moment.
    let court = awake(config, &memory, &clock.now(), letters(config, trust, unanswered));
    let mut tasks = JoinSet::new();
    let broker = address::broker(config, &clock.now())?;
    let mut polls = JoinSet::new();
    let live = config.broker.live.then(|| live::open((clock, watchdog), config, &broker, &mut polls));
    buses::spawn((clock, watchdog), config, &Outlet { inbox: inbox.clone(), live }, &mut polls)?;
    polls.spawn(power::watch(clock.clone(), PowerFailures::watch()?, inbox.clone()));
    let (courier, ends) = courier::pair();
    let carrying = watchdog.pulse("courier", clock);
    // Its waits have limits of their own, or wait for the uplink.
    tasks.spawn(async move {
        carrying.while_doing(Box::pin(courier::run(&*carrying, broker, ends))).await;
    });
    let (judged, link_stop) = watch::channel(false);
    let (lookout, view) = Lookout::new(config, &memory, &clock.now());
    let (traffic, journal) = (Arc::new(Traffic::default()), entries.clone());
    let seen = (progress.clone(), traffic.clone());
    let watched = watchdog.clone();
    let sources = Sources { view, progress: seen.0, traffic: seen.1, disk_full, journal, watchdog: watched };
    let inside = inside::open(clock, config, sources, judged.subscribe());
    let (link_config, link_entries) = (config.clone(), entries.clone());
    let link_clock = watchdog.pulse("uplink", clock);
    tasks.spawn(async move {
        let ends = Links { send: courier.send, journal: link_entries, inbox };
        let uplink = Uplink::new(&*link_clock, &link_config, accepted, receipted, ends);
        uplink.seen_by(traffic).run(courier.events, progress, link_stop).await;
    });
    tracing::info!(gateway = %config.gateway.id, meters = config.meters.len(), "watching");
    drop(memory);
    let judging = watchdog.pulse("judge", clock);
    let voice = Voice { entries: &entries, watchdog, lookout, news: false, status_ms: 0 };
    watchdog.on_begun();
    let ended = Box::pin(judge(&*judging, court, facts, voice, asks)).await;
    drop(judging);
    // A line or a connection is given back before anybody opens it again.
    polls.shutdown().await;
    drop(entries);
    judged.send_replace(true);
    // The uplink says goodbye, which lets the courier end; then nobody holds the scribe's channel.
    while tasks.join_next().await.is_some() {}
    let written = tokio::task::spawn_blocking(move || {
        // Whoever looked inside held the scribe's channel, too.
        let _closed = inside.map(JoinHandle::join);
        thread.join()
    });
    let written = written.await;
    match written {
        Ok(Ok(Ok(()))) => ended.map(|new| new.map_or(Ended::Asked, |config| Ended::Reload(Box::new(config)))),
        Ok(Ok(Err(Stopped::Journal(fault)))) => Err(journal_failed(fault)),
        Ok(Ok(Err(Stopped::Failed(failure)))) => Err(failure),
        Ok(Ok(Err(Stopped::RolledBack(receipted)))) => Ok(Ended::RolledBack(receipted)),
        Ok(Err(_)) | Err(_) => Err(Failure::new(Exit::Bug, "the scribe ended badly")),
    }
}

/// The scribe at work.
struct Hired {
    entries: mpsc::Sender<Entry>,
    progress: watch::Receiver<Progress>,
    disk_full: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Stopped>>,
}

/// Gives the scribe a thread of its own.
fn hire(
    clock: Arc<dyn Clock>,
    config: &AgentConfig,
    scribe: Scribe,
    receipted: Option<u64>,
    epoch_began: Stamp,
    ancestors: BTreeSet<LogId>,
) -> Result<Hired, Failure> {
    let (entries, to_scribe) = mpsc::channel(scribe::CHANNEL);
    let begin = Progress { places: scribe.chain().next_seq(), receipted, missing: Vec::new() };
    let (told, progress) = watch::channel(begin);
    let reserve = Reserve::in_folder(&config.gateway.state_dir);
    let disk_full = reserve.is_out();
    let desk = Desk {
        clock,
        runtime: tokio::runtime::Handle::current(),
        state: config.gateway.state_dir.clone(),
        journal: config.journal,
        epoch_began: Some(epoch_began),
        reserve,
        heard: receipted.is_some(),
        ancestors,
        held_back: std::collections::VecDeque::new(),
    };
    let thread = std::thread::Builder::new()
        .name("scribe".into())
        .spawn(move || scribe::run(scribe, to_scribe, &told, desk))
        .map_err(|e| Failure::new(Exit::Bug, format!("no thread for the scribe: {e}")))?;
    Ok(Hired { entries, progress, disk_full, thread })
}

/// Where what is said goes: to the scribe, and the latest verdicts to whoever looks at the service.
struct Voice<'a> {
    entries: &'a mpsc::Sender<Entry>,
    watchdog: &'a Watchdog,
    lookout: Lookout,
    /// A verdict was said that the line about what is attested does not know.
    news: bool,
    /// When that line may be told again, uptime in milliseconds.
    status_ms: u64,
}

impl Voice<'_> {
    fn on_said(&mut self, now: &Stamp, body: &Body) {
        self.lookout.on_said(now, body);
        self.news |= matches!(body, Body::Finding(Finding::Verdict(_)));
    }

    /// Tells in one line what is attested: looked up once for all the verdicts of a moment, of which there may be thousands.
    fn tell_status(&mut self, now_ms: u64) {
        if self.news && now_ms >= self.status_ms {
            (self.news, self.status_ms) = (false, now_ms + STATUS_MS);
            self.watchdog.on_status(self.line());
        }
    }

    fn line(&self) -> String {
        attested::line(self.lookout.verdicts(), self.watchdog.language())
    }

    /// Room at the scribe, however long that takes; what is to be said waits outside of it.
    async fn room(&self) -> Result<mpsc::Permit<'_, Entry>, Failure> {
        self.entries.reserve().await.map_err(|_| Failure::new(Exit::Bug, "the scribe has ended"))
    }
}

/// The one loop that owns the judge. Tells the configuration to go on with; none when it was asked to stop.
async fn judge(
    clock: &dyn Clock,
    Court { mut site, mut letters, mut said }: Court,
    mut facts: mpsc::Receiver<Inbox>,
    mut voice: Voice<'_>,
    asks: &mut Asks,
) -> Result<Option<AgentConfig>, Failure> {
    voice.watchdog.on_status(voice.line());
    let began = clock.now().uptime_ms;
    let (mut tick_ms, mut checkpoint_ms, mut gasp_ms) = (began, began + CHECKPOINT_MS, began);
    let mut tick = clock.sleep_until(tick_ms);
    loop {
        // What was read is heard before time is looked at: silence is judged only when nobody has anything to say.
        let heard = tokio::select! {
            biased;
            asked = asks.next() => {
                Box::pin(say_last_words(&clock.now(), &site, voice.entries)).await;
                return Ok(asked);
            }
            () = voice.entries.closed() => return Err(Failure::new(Exit::Bug, "the scribe has ended")),
            heard = facts.recv() => match heard {
                Some(heard) => Some(heard),
                None => return Err(Failure::new(Exit::Bug, "every bus has ended")),
            },
            () = &mut tick => None,
        };
        let now = clock.now();
        match heard {
            Some(Inbox::Letter(letter)) => match letters.on(letter, &now, &|act| site.may(&now, act)) {
                Outcome::Nothing => {}
                Outcome::Say(body) => said.push(body),
                Outcome::Do(act, answer) => obey(&mut site, &now, act, answer, &mut said),
                Outcome::Receipt(received, bytes) => {
                    voice.room().await?.send(Entry::Receipt(received, bytes));
                }
            },
            Some(Inbox::Sample(sample)) => {
                voice.lookout.on_sample(&sample);
                site.on(&now, Fact::Sample(&sample), &mut |finding| said.push(Body::Finding(finding)));
            }
            Some(Inbox::PowerFails) if now.uptime_ms >= gasp_ms => {
                gasp_ms = now.uptime_ms + GASP_PAUSE_MS;
                said.push(Body::Notice(Notice::LastGasp));
            }
            Some(Inbox::PowerFails) => {}
            None => tick = clock.sleep_until(tick_ms),
        }
        let mut say = |finding| said.push(Body::Finding(finding));
        // Looked at after what was heard, and however much there is to hear: silence elsewhere must not wait for it.
        if now.uptime_ms >= tick_ms {
            site.on(&now, Fact::Tick, &mut say);
            tick_ms = site.next_due_ms(&now);
            tick = clock.sleep_until(tick_ms);
            voice.lookout.on_tick(&now, &site);
        }
        if now.uptime_ms >= checkpoint_ms {
            checkpoint_ms = now.uptime_ms + CHECKPOINT_MS;
            said.push(Body::Checkpoint(checkpoint(&site)));
        }
        for body in said.drain(..) {
            voice.on_said(&now, &body);
            voice.room().await?.send(Entry::Write(now, body));
        }
        // Every meter has a first word at once; the room for them is not kept for life.
        said.shrink_to(INBOX);
        voice.tell_status(now.uptime_ms);
    }
}

/// How much was said and read, and that nothing more will be.
async fn say_last_words(now: &Stamp, site: &Site, entries: &mpsc::Sender<Entry>) {
    let words = [Body::Checkpoint(checkpoint(site)), Body::Notice(Notice::Stopping)];
    // The scribe is gone only when it failed, and then its own end tells why. While the disk is full it may take nothing
    // more, and nobody waits for it.
    let patience = std::time::Duration::from_millis(uplink::LAST_WORDS_MS);
    let said = async {
        for word in words {
            let _gone = entries.send(Entry::Write(*now, word)).await;
        }
    };
    let _late = tokio::time::timeout(patience, said).await;
}

/// The judge, whom it may obey, and what it has to say.
struct Court {
    site: Site,
    letters: Letters,
    said: Vec<Body>,
}

/// Who may write to this gateway, and about what.
fn letters(config: &AgentConfig, trust: Trust, unanswered: Vec<Act>) -> Letters {
    let assets = config.equipment.iter().map(|furnace| furnace.equipment.id).collect();
    let meters = config.meters.iter().map(|meter| meter.id).collect();
    Letters::new(trust, assets, meters, config.gateway.enterprise).owing(unanswered)
}

/// The judge as it begins a life: what the power took of the one before is finished first.
fn awake(config: &AgentConfig, memory: &Memory, now: &Stamp, mut letters: Letters) -> Court {
    let mut said = Vec::new();
    let feeders = config.meters.iter().map(|meter| meter.commissioned.clone()).collect();
    let equipment = config.equipment.iter().map(|furnace| furnace.equipment).collect();
    let papers = config.equipment.iter().map(|furnace| furnace.papers.clone()).collect();
    let mut site =
        Site::new(feeders, equipment, memory).with_papers(papers, memory).balancing(config.balances.clone());
    for act in letters.unanswered() {
        finish(&mut site, now, &act, &mut said);
    }
    take_roster(config, now, &mut letters, &mut site, &mut said);
    Court { site, letters, said }
}

/// The roster that was handed over as a file, unless it was taken before.
fn take_roster(
    config: &AgentConfig,
    now: &Stamp,
    letters: &mut Letters,
    site: &mut Site,
    said: &mut Vec<Body>,
) {
    let Some(roster) = &config.roster else { return };
    match letters.on_file(roster, now, &|act| site.may(now, act)) {
        Outcome::Do(act, answer) => obey(site, now, act, answer, said),
        Outcome::Say(body) => said.push(body),
        Outcome::Nothing | Outcome::Receipt(..) => {}
    }
}

/// An act is written down before anything that follows from it, and its answer after.
fn obey(site: &mut Site, now: &Stamp, act: Act, answer: Answer, said: &mut Vec<Body>) {
    let (meaning, order) = (act.meaning.clone(), act.about_orders());
    said.push(Body::Act(act));
    let mut say = |finding| said.push(Body::Finding(finding));
    take_effect(site, now, &meaning, &mut say);
    if let Some(order) = order {
        site.on(now, Fact::Order(&order), &mut say);
    }
    said.push(Body::Answer(answer));
}

/// What an act does to the judge, but for orders. The same once more does nothing more.
fn take_effect(site: &mut Site, now: &Stamp, meaning: &Meaning, say: &mut dyn FnMut(Finding)) {
    match meaning {
        Meaning::Permit(permit) => site.on(now, Fact::Permit(permit), say),
        Meaning::Roster(roster) => site.on(now, Fact::Roster(roster), say),
        Meaning::Reset(asset) => site.on(now, Fact::Reset(*asset), say),
        Meaning::Ask(asset) => site.on(now, Fact::Ask(*asset), say),
        Meaning::RevokeKey(_) | Meaning::CutOff(_) | Meaning::NotExecuted => {}
    }
}

/// An act that was written down before the power went, and whose answer was not: it takes effect now, or once more. What
/// it does to orders the site itself finishes with the first fact it hears.
fn finish(site: &mut Site, now: &Stamp, act: &Act, said: &mut Vec<Body>) {
    let mut say = |finding| said.push(Body::Finding(finding));
    site.finish_orders(now, &mut say);
    take_effect(site, now, &act.meaning, &mut say);
    said.push(Body::Answer(act.accepted()));
}

/// The scribe alone knows how many records there are; it fills that in.
fn checkpoint(site: &Site) -> Checkpoint {
    let reads = site.reads();
    Checkpoint { entries: 0, reads_ok: reads.ok, reads_failed: reads.failed, first_unreceipted_seq: 0 }
}
