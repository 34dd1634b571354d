//! The life of one gateway of the fleet: its clerk, its story, the agent's own uplink and courier, and its weather.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use coldhearth::{
    agent::{
        AgentConfig, address,
        run::Inbox,
        scribe::Entry,
        uplink::{Links, Traffic, Uplink},
    },
    host::{
        Failure, courier,
        credentials::{self, TlsFiles},
    },
    terms::Stamp,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    clerk::{Clerk, House, Left},
    identity::Identity,
    story::Story,
    time::PlantTime,
    weather::Weather,
};
use crate::Chance;

/// Entries of the uplink that may wait for the clerk.
const ENTRIES: usize = 32;
/// Letters that may wait for the clerk.
const LETTERS: usize = 8;

/// What a gateway shows of itself while it lives.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Records of its log.
    pub records: AtomicU64,
    /// Records that declare others dropped, because too much was unreceipted.
    pub gaps: AtomicU64,
    /// Places of its log that no receipt covers.
    pub unreceipted: AtomicU64,
    /// What its uplink does.
    pub traffic: Arc<Traffic>,
}

/// What every gateway of the fleet shares.
pub(super) struct Fleet {
    /// Seed of everything.
    pub seed: u64,
    /// Time.
    pub time: PlantTime,
    /// The configuration each of them is given, but for its name and place.
    pub config: AgentConfig,
    /// Where their certificates are.
    pub tls: Option<PathBuf>,
    /// What they have in common besides.
    pub house: House,
    /// Told how far the run is.
    pub phase: watch::Receiver<Phase>,
}

/// How far the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Everybody speaks.
    Running,
    /// Nobody has anything more to say; what was said is delivered.
    Settling,
    /// Everybody takes leave.
    Leaving,
}

/// Why a gateway's link is taken down.
enum Turn {
    Restart,
    Leave,
}

/// Lives from `starts_ms` of the run until the fleet leaves.
///
/// # Errors
/// A defect of the program, or a receipt for what was never written.
pub(super) async fn live(
    fleet: Arc<Fleet>,
    identity: Identity,
    weather: Weather,
    shown: Arc<Shown>,
    starts_ms: u64,
) -> Result<(), Failure> {
    fleet.time.until_elapsed(starts_ms).await;
    let now = fleet.time.now();
    let chance = Chance::new(fleet.seed).branch(100 + u64::from(identity.number));
    let mut story = Story::begin(identity.number, fleet.house.point, chance, &now);
    let mut restarts =
        weather.restarts.iter().copied().filter(|at| *at > starts_ms).collect::<Vec<_>>().into_iter();
    let (dark, way) = watch::channel(true);
    let mut tasks = JoinSet::new();
    let skies = fleet.clone();
    let spans = weather.dark;
    tasks.spawn(async move { darken(&skies.time, &spans, &dark).await });
    let mut left = Left::default();
    loop {
        let clerk = Clerk::open(&identity, &fleet.house, left, &fleet.time.now())?;
        let life = Life { fleet: &fleet, identity: &identity, shown: &shown, way: way.clone() };
        match life.between_restarts(clerk, &mut story, restarts.next()).await? {
            (Turn::Restart, clerk) => left = clerk.cut(),
            (Turn::Leave, _) => return Ok(()),
        }
    }
}

/// Takes the way to the broker away and gives it back. Ends with the run's last outage; the sender then keeps it open.
async fn darken(time: &PlantTime, spans: &[(u64, u64)], way: &watch::Sender<bool>) {
    for (from, to) in spans {
        time.until_elapsed(*from).await;
        way.send_replace(false);
        time.until_elapsed(*to).await;
        way.send_replace(true);
    }
    std::future::pending::<()>().await;
}

/// One life between two restarts.
struct Life<'a> {
    fleet: &'a Arc<Fleet>,
    identity: &'a Identity,
    shown: &'a Arc<Shown>,
    way: watch::Receiver<bool>,
}

impl Life<'_> {
    async fn between_restarts(
        &self,
        mut clerk: Clerk,
        story: &mut Story,
        restart_ms: Option<u64>,
    ) -> Result<(Turn, Clerk), Failure> {
        let (entries, mut to_clerk) = mpsc::channel(ENTRIES);
        let (inbox, mut letters) = mpsc::channel(LETTERS);
        let (leaver, leave) = watch::channel(false);
        let mut link = self.link(&clerk, (entries, inbox), leave)?;
        let mut phase = self.fleet.phase.clone();
        let time = &self.fleet.time;
        let mut leaving = false;
        loop {
            self.show(&clerk);
            let speaks = *phase.borrow_and_update() == Phase::Running;
            if !speaks {
                clerk.hush();
            }
            if *phase.borrow() == Phase::Leaving && !leaving {
                leaving = true;
                leaver.send_replace(true);
            }
            tokio::select! {
                entry = to_clerk.recv() => match entry {
                    Some(entry) => clerk.on_entry(&time.now(), entry, &mut to_clerk)?,
                    None => {
                        // The uplink has said goodbye; the courier carries it.
                        while link.join_next().await.is_some() {}
                        return Ok((Turn::Leave, clerk));
                    }
                },
                letter = letters.recv() => if let Some(Inbox::Letter(letter)) = letter {
                    clerk.on_letter(&time.now(), letter, story)?;
                },
                () = time.until_plant(story.next_ms()), if speaks => clerk.say(&time.now(), story)?,
                () = time.until_elapsed(restart_ms.unwrap_or(0)), if restart_ms.is_some() && speaks => {
                    link.shutdown().await;
                    return Ok((Turn::Restart, clerk));
                }
                _ = phase.changed() => {}
            }
        }
    }

    /// The agent's own uplink and courier, on tasks of their own that end with the set.
    fn link(
        &self,
        clerk: &Clerk,
        (journal, inbox): (mpsc::Sender<Entry>, mpsc::Sender<Inbox>),
        leave: watch::Receiver<bool>,
    ) -> Result<JoinSet<()>, Failure> {
        let config = Box::new(self.configuration());
        let (_, receipted) = clerk.places();
        let started: Stamp = self.fleet.time.now();
        let broker = address::broker(&config, &started)?;
        let (courier, ends) = courier::pair();
        let links = Links { send: courier.send, journal, inbox };
        let (progress, traffic) = (clerk.progress(), self.shown.traffic.clone());
        let (fleet, way) = (self.fleet.clone(), self.way.clone());
        let mut link = JoinSet::new();
        link.spawn(async move { courier::run_while(fleet.time.life(), broker, ends, way).await });
        let fleet = self.fleet.clone();
        link.spawn(async move {
            let uplink = Uplink::new(fleet.time.life(), &config, receipted, Some(receipted), links);
            drop(config);
            uplink.seen_by(traffic).run(courier.events, progress, leave).await;
        });
        Ok(link)
    }

    fn configuration(&self) -> AgentConfig {
        let mut config = self.fleet.config.clone();
        let Identity { id, division, enterprise, .. } = self.identity;
        (config.gateway.id, config.gateway.division, config.gateway.enterprise) =
            (*id, *division, *enterprise);
        config.broker.tls = self.fleet.tls.as_ref().map(|folder| TlsFiles {
            ca: folder.join("ca.pem"),
            identity: Some(credentials::Identity {
                certificate: folder.join(format!("{id}.crt")),
                key: folder.join(format!("{id}.key")),
            }),
            server_name: None,
        });
        config
    }

    fn show(&self, clerk: &Clerk) {
        let (places, receipted) = clerk.places();
        self.shown.records.store(clerk.records(), Ordering::Relaxed);
        self.shown.gaps.store(clerk.gaps(), Ordering::Relaxed);
        self.shown.unreceipted.store(places.saturating_sub(receipted), Ordering::Relaxed);
    }
}
