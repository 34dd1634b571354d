//! Outbox, journal and courier joined. Durable first, published second.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use super::{
    config::AgentConfig,
    outbox::{Outbox, Want},
    scribe::{Entry, Found},
};
use crate::{
    evidence::{Body, Class, Kind, Occasion, Presence, Topic, record::Unverified, suite::PublicKey},
    host::{
        Clock,
        courier::{Broker, Event, Refused, Send, Will},
        exit::{Exit, Failure},
    },
    judge::Finding,
    terms::{Name, Stamp},
};

/// How long the broker waits before it publishes our will, in seconds.
pub const WILL_DELAY_S: u32 = 60;
/// How often a record nobody wanted is offered again, in milliseconds.
pub const OFFER_AGAIN_MS: u64 = 5_000;
/// How long a stopping agent tries to send what is left, in milliseconds.
pub const LAST_WORDS_MS: u64 = 5_000;
/// Retained copies that may await their acceptance; the rest of the window is the chain's.
const COPIES_IN_FLIGHT: usize = 16;
/// What a publish adds to its topic and payload on the wire, in bytes, at most.
const PACKET_OVERHEAD_BYTES: usize = 32;

/// Where this gateway publishes.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    topic: Topic,
}

impl Address {
    /// The address of a configured gateway.
    pub fn of(config: &AgentConfig) -> Address {
        let gateway = &config.gateway;
        let topic = Topic {
            division: gateway.division,
            enterprise: gateway.enterprise,
            gateway: gateway.id,
            asset: None,
            kind: Kind::Attest,
        };
        Address { topic }
    }

    /// One topic of the gateway.
    pub fn topic(&self, asset: Option<Name>, kind: Kind) -> String {
        Topic { asset, kind, ..self.topic }.to_string()
    }
}

/// The broker to call, our name there and the will it holds for us.
///
/// # Errors
/// The password file cannot be read.
pub fn broker(config: &AgentConfig, started: &Stamp) -> Result<Broker, Failure> {
    let login = match &config.broker.login {
        None => None,
        Some((user, file)) => {
            let password = std::fs::read_to_string(file)
                .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", file.display())))?;
            Some((user.clone(), password.trim_end().to_owned()))
        }
    };
    let will = Will {
        topic: Address::of(config).topic(None, Kind::Link),
        payload: Presence::of(started, Occasion::Lost).to_bytes(),
        delay_s: WILL_DELAY_S,
    };
    Ok(Broker {
        host: config.broker.host.clone(),
        port: config.broker.port,
        // A gateway's id is unique in its enterprise only.
        client_id: format!("coldhearth-{}-{}", config.gateway.enterprise, config.gateway.id),
        login,
        tls: config.broker.tls.clone(),
        keepalive_s: config.broker.keepalive_s,
        will: Some(will),
        filters: Vec::new(),
    })
}

/// A publish on its way and what its acceptance means.
#[derive(Clone, Copy, Debug)]
enum Posting {
    InPlace(u64),
    Overtook,
    Copy,
}

/// The uplink's state between two events.
pub struct Uplink<'a> {
    clock: &'a dyn Clock,
    address: Address,
    key: PublicKey,
    started: Stamp,
    outbox: Outbox,
    send: mpsc::Sender<Send>,
    journal: mpsc::Sender<Entry>,
    postings: BTreeMap<u64, Posting>,
    next_tag: u64,
    /// Retained copies to be sent, oldest first.
    copies: VecDeque<(String, Vec<u8>)>,
    /// Next place that is looked at for its copies; every place before it has been.
    copied: u64,
    durable: u64,
    max_packet_bytes: usize,
    /// When an unwanted record may be offered again, uptime in milliseconds.
    offer_at: Option<u64>,
    lost: Option<Refused>,
}

impl<'a> Uplink<'a> {
    /// An uplink that goes on where the broker had accepted everything.
    pub fn new(
        clock: &'a dyn Clock,
        config: &AgentConfig,
        key: PublicKey,
        accepted: u64,
        send: mpsc::Sender<Send>,
        journal: mpsc::Sender<Entry>,
    ) -> Uplink<'a> {
        Uplink {
            clock,
            address: Address::of(config),
            key,
            started: clock.now(),
            outbox: Outbox::resuming(accepted),
            send,
            journal,
            postings: BTreeMap::new(),
            next_tag: 0,
            copies: VecDeque::new(),
            copied: u64::MAX,
            durable: 0,
            max_packet_bytes: usize::MAX,
            offer_at: None,
            lost: None,
        }
    }

    /// Sends what becomes durable until `stop`, then what is left, then says goodbye.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut durable: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        self.on_durable(*durable.borrow_and_update());
        self.carry(&mut events, &mut durable, Some(&mut stop)).await;
        let last_words = self.carry(&mut events, &mut durable, None);
        // The broker may be away or slow; the journal keeps what does not leave now.
        let _late = tokio::time::timeout(Duration::from_millis(LAST_WORDS_MS), last_words).await;
        let goodbye = Presence::of(&self.started, Occasion::Stopped).to_bytes();
        self.publish(self.address.topic(None, Kind::Link), goodbye, true, Posting::Copy).await;
        let _gone = self.send.send(Send::Stop).await;
    }

    /// Carries until `stop` or, when there is no more `stop` to wait for, until nothing is left that could leave.
    async fn carry(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
        durable: &mut watch::Receiver<u64>,
        mut stop: Option<&mut watch::Receiver<bool>>,
    ) {
        let room = self.send.clone();
        loop {
            let now_ms = self.clock.now().uptime_ms;
            let want = self.outbox.want(self.offer_at.is_none_or(|at| now_ms >= at));
            let wake_ms = self.offer_at.filter(|at| *at > now_ms).unwrap_or(u64::MAX);
            let copies = self.has_copies() && self.copies_in_flight() < COPIES_IN_FLIGHT;
            if stop.is_none() && want.is_none() && !self.has_copies() && self.postings.is_empty() {
                if self.flushed(durable).await {
                    return;
                }
                continue;
            }
            let stopped = async {
                match &mut stop {
                    Some(stop) => drop(stop.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stopped => return,
                moved = durable.changed() => match moved {
                    Ok(()) => self.on_durable(*durable.borrow_and_update()),
                    Err(_) => return,
                },
                // Room at the courier is one of the things waited for, so the two can never wait for each other:
                // the window keeps what is on its way below what the channels hold.
                reserved = room.reserve(), if want.is_some() || copies => {
                    if reserved.map(drop).is_err() {
                        return;
                    }
                    let sent = match want {
                        Some(want) => self.send_next(want).await,
                        None => self.send_copy().await,
                    };
                    if sent.is_none() {
                        return;
                    }
                }
                event = events.recv() => match event {
                    Some(event) => self.on_event(event).await,
                    None => return,
                },
                () = self.clock.sleep_until(wake_ms), if wake_ms < u64::MAX => {}
            }
        }
    }

    /// Lets the scribe write what it was given before; true when that brought nothing new.
    async fn flushed(&mut self, durable: &mut watch::Receiver<u64>) -> bool {
        let (reply, answer) = oneshot::channel();
        let want = Want { from: u64::MAX >> 1, least: Class::Alert };
        if self.journal.send(Entry::Read { want, reply }).await.is_ok() {
            // Nothing stands there; the answer only says that the commit before it is done.
            let _nothing = answer.await;
        }
        let records = *durable.borrow_and_update();
        self.on_durable(records);
        self.outbox.want(true).is_none() && !self.has_copies()
    }

    fn on_durable(&mut self, records: u64) {
        self.durable = records;
        self.outbox.on_durable(records);
    }

    fn has_copies(&self) -> bool {
        !self.copies.is_empty() || self.copied < self.durable
    }

    fn copies_in_flight(&self) -> usize {
        self.postings.values().filter(|posting| matches!(posting, Posting::Copy)).count()
    }

    async fn send_next(&mut self, want: Want) -> Option<()> {
        let found = self.read(want).await?;
        self.outbox.on_found(want, found.as_ref().map(|found| found.seq));
        let Some(Found { seq, bytes, .. }) = found else { return Some(()) };
        let overtakes = want.least == Class::Alert;
        let posting = if overtakes { Posting::Overtook } else { Posting::InPlace(seq) };
        // An offer is counted from when it was made.
        self.offer_at = self.offer_at.map(|_| self.clock.now().uptime_ms + OFFER_AGAIN_MS);
        let topic = self.address.topic(None, Kind::Attest);
        if self.fits(&topic, &bytes) {
            self.publish(topic, bytes, false, posting).await;
        } else {
            tracing::error!(
                seq,
                bytes = bytes.len(),
                limit = self.max_packet_bytes,
                "passed over: larger than the broker takes; raise its limit and have the journal sent again"
            );
            self.settle(posting).await;
        }
        Some(())
    }

    /// Sends the next retained copy, or looks at the next new record for what it should leave behind.
    async fn send_copy(&mut self) -> Option<()> {
        if let Some((topic, bytes)) = self.copies.pop_front() {
            if self.fits(&topic, &bytes) {
                self.publish(topic, bytes, true, Posting::Copy).await;
            }
            return Some(());
        }
        let want = Want { from: self.copied, least: Class::Routine };
        match self.read(want).await? {
            None => self.copied = self.durable,
            Some(Found { seq, bytes, is_newest }) => {
                self.copied = seq + 1;
                // A backlog must not show old states as present.
                if is_newest {
                    self.copies.extend(self.copies_of(&bytes));
                }
            }
        }
        Some(())
    }

    async fn read(&self, want: Want) -> Option<Option<Found>> {
        let (reply, answer) = oneshot::channel();
        self.journal.send(Entry::Read { want, reply }).await.ok()?;
        answer.await.ok()
    }

    fn fits(&self, topic: &str, bytes: &[u8]) -> bool {
        topic.len() + bytes.len() + PACKET_OVERHEAD_BYTES <= self.max_packet_bytes
    }

    /// Where else a record is of use to whoever comes late.
    fn copies_of(&self, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let record = Unverified::read(bytes).and_then(|unverified| unverified.verify(&self.key));
        let Ok(record) = record else { return Vec::new() };
        let asset = record.body.asset();
        let places = match record.body {
            Body::Checkpoint(_) => vec![(None, Kind::Head)],
            Body::Finding(Finding::Verdict(verdict)) if verdict.violation_since_unix_ms.is_some() => {
                vec![(asset, Kind::Violation), (asset, Kind::State)]
            }
            Body::Finding(Finding::Verdict(_)) => vec![(asset, Kind::State)],
            // Whoever comes late still learns which key the gateway declares.
            Body::Genesis(_) => vec![(None, Kind::State)],
            Body::Boot(_)
            | Body::Skip { .. }
            | Body::Gap { .. }
            | Body::Finding(Finding::State(_) | Finding::Interval(_) | Finding::Event(_)) => Vec::new(),
        };
        places.into_iter().map(|(asset, kind)| (self.address.topic(asset, kind), bytes.to_vec())).collect()
    }

    /// A broker is there: whatever it kept before, it is given the present once more.
    async fn on_connected(&mut self, window: u16, max_packet_bytes: u32) {
        tracing::info!(window, "connected to the broker");
        self.lost = None;
        self.postings.clear();
        self.copies.clear();
        self.offer_at = None;
        self.max_packet_bytes = usize::try_from(max_packet_bytes).unwrap_or(usize::MAX);
        self.outbox.on_connected(usize::from(window).saturating_sub(COPIES_IN_FLIGHT));
        let birth = Presence::of(&self.started, Occasion::Started).to_bytes();
        self.publish(self.address.topic(None, Kind::Link), birth, true, Posting::Copy).await;
        let (reply, answer) = oneshot::channel();
        if self.journal.send(Entry::Newest { reply }).await.is_ok()
            && let Ok((newest, records)) = answer.await
        {
            self.copies = newest.iter().flat_map(|bytes| self.copies_of(bytes)).collect();
            self.copied = records;
        }
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected { window, max_packet_bytes } => {
                self.on_connected(window, max_packet_bytes).await;
            }
            Event::Lost { why } => {
                if self.lost != Some(why) {
                    tracing::warn!("broker lost: {}", why.text());
                }
                self.lost = Some(why);
                self.postings.clear();
                self.copies.clear();
                self.copied = u64::MAX;
                self.outbox.on_lost();
            }
            Event::Accepted { tag } => self.on_settled(tag, None).await,
            Event::Refused { tag, why } => self.on_settled(tag, Some(why)).await,
            // Receipts and acts will come this way; nothing is subscribed to yet. The courier's log has named the file
            // that expires.
            Event::Subscribed | Event::Message { .. } | Event::Expiring { .. } => {}
        }
    }

    async fn on_settled(&mut self, tag: u64, refused: Option<Refused>) {
        match (self.postings.remove(&tag), refused) {
            (Some(Posting::InPlace(seq)), Some(why)) => {
                if self.offer_at.is_none() {
                    tracing::warn!(seq, "not delivered: {}", why.text());
                }
                self.offer_at = Some(self.clock.now().uptime_ms + OFFER_AGAIN_MS);
                self.postings.retain(|_, posting| !matches!(posting, Posting::InPlace(_)));
                self.outbox.on_unwanted();
            }
            (Some(Posting::Copy), Some(why)) if why != Refused::NoSubscriber => {
                tracing::warn!("a retained copy was refused: {}", why.text());
            }
            (Some(posting), _) => {
                if matches!(posting, Posting::InPlace(_)) {
                    self.offer_at = None;
                }
                self.settle(posting).await;
            }
            (None, _) => {}
        }
    }

    /// A publish needs no more attention.
    async fn settle(&mut self, posting: Posting) {
        match posting {
            Posting::InPlace(seq) => {
                if let Some(accepted) = self.outbox.on_accepted(seq) {
                    // The scribe is gone only when everything ends.
                    let _gone = self.journal.send(Entry::Accepted(accepted)).await;
                }
            }
            Posting::Overtook => self.outbox.on_overtaken(),
            Posting::Copy => {}
        }
    }

    async fn publish(&mut self, topic: String, payload: Vec<u8>, retain: bool, posting: Posting) {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.postings.insert(tag, posting);
        // A courier that is gone has told so by closing its events.
        let _gone = self.send.send(Send::Publish { tag, topic, payload, retain }).await;
    }
}
