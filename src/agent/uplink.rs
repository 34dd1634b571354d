//! Outbox, journal and courier joined. Durable first, published second.

mod traffic;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use self::traffic::Talk;
pub use self::traffic::Traffic;
use super::{
    address::{self, Address},
    config::AgentConfig,
    letters::Letter,
    outbox::{Outbox, Turn, Want},
    reminder::Reminder,
    run::Inbox,
    scribe::{Entry, Found, Progress},
};
use crate::{
    evidence::{Body, Class, Kind, Notice, Occasion, Presence, record::Unverified},
    host::{
        Clock,
        courier::{Event, Refused, Send},
    },
    terms::Stamp,
};

/// How often a record nobody wanted is offered again, in milliseconds.
pub const OFFER_AGAIN_MS: u64 = 5_000;
/// How long a stopping agent tries to send what is left, in milliseconds.
pub const LAST_WORDS_MS: u64 = 5_000;
/// Retained copies that may await their acceptance; the rest of the window is the chain's.
const COPIES_IN_FLIGHT: usize = 16;
/// How long records wait after a subscription was granted: the authority's newest receipt comes first, and may show that
/// this journal was rolled back, in milliseconds.
pub const RECEIPT_GRACE_MS: u64 = 500;
/// Time between two answers to what receipts miss, in milliseconds.
pub const AGAIN_MS: u64 = 10_000;
/// How often the backlog moves on, in milliseconds.
pub const PACE_MS: u64 = 100;
/// What a publish adds to its topic and payload on the wire, in bytes, at most.
pub(super) const PACKET_OVERHEAD_BYTES: usize = 32;

/// A publish on its way and what its acceptance means.
#[derive(Clone, Copy, Debug)]
enum Posting {
    InPlace(u64),
    Aside,
    Copy,
}

/// The uplink's ways to its neighbours.
pub struct Links {
    /// To the courier.
    pub send: mpsc::Sender<Send>,
    /// To the scribe.
    pub journal: mpsc::Sender<Entry>,
    /// To the one loop.
    pub inbox: mpsc::Sender<Inbox>,
}

/// The uplink's state between two events.
pub struct Uplink<'a> {
    clock: &'a dyn Clock,
    address: Address,
    started: Stamp,
    outbox: Outbox,
    send: mpsc::Sender<Send>,
    journal: mpsc::Sender<Entry>,
    inbox: mpsc::Sender<Inbox>,
    postings: BTreeMap<u64, Posting>,
    next_tag: u64,
    /// Retained copies to be sent, oldest first.
    copies: VecDeque<(String, Vec<u8>)>,
    /// Topics of alarms that are known to hold nothing at this broker; at most two of each piece of equipment.
    cleared: BTreeSet<String>,
    /// Next place that is looked at for its copies; every place before it has been.
    copied: u64,
    durable: u64,
    max_packet_bytes: usize,
    /// When an unwanted record may be offered again, uptime in milliseconds.
    offer_at: Option<u64>,
    /// Until when records wait for the newest receipt, uptime in milliseconds; for ever before the subscription.
    hold_until: u64,
    expects_receipts: bool,
    /// When what receipts miss may be sent again, uptime in milliseconds.
    again_at: u64,
    reminder: Reminder,
    /// Records of the backlog that may still leave before [`Uplink::pace_at`].
    paced: u32,
    pace_at: u64,
    per_pace: u32,
    /// Records larger than the broker takes that were declared, so that each is declared once.
    oversized: u64,
    talk: Talk,
    traffic: Arc<Traffic>,
}

impl<'a> Uplink<'a> {
    /// An uplink that goes on where the broker had accepted everything.
    pub fn new(
        clock: &'a dyn Clock,
        config: &AgentConfig,
        accepted: u64,
        receipted: Option<u64>,
        links: Links,
    ) -> Uplink<'a> {
        let Links { send, journal, inbox } = links;
        Uplink {
            clock,
            address: Address::of(config),
            started: clock.now(),
            outbox: Outbox::resuming(accepted, receipted),
            send,
            journal,
            inbox,
            postings: BTreeMap::new(),
            next_tag: 0,
            copies: VecDeque::new(),
            cleared: BTreeSet::new(),
            copied: u64::MAX,
            durable: 0,
            max_packet_bytes: usize::MAX,
            offer_at: None,
            hold_until: 0,
            expects_receipts: !config.authority.is_empty(),
            again_at: 0,
            reminder: Reminder::default(),
            paced: 0,
            pace_at: 0,
            per_pace: (config.broker.drain_per_s / 10).max(1),
            oversized: 0,
            talk: Talk::of(&config.broker.host, config.broker.port),
            traffic: Arc::default(),
        }
    }

    /// Somebody looks on.
    #[must_use]
    pub fn seen_by(self, traffic: Arc<Traffic>) -> Uplink<'a> {
        traffic.accepted.store(self.outbox.accepted(), Ordering::Relaxed);
        Uplink { traffic, ..self }
    }

    /// Sends what becomes durable until `stop`, then what is left, then says goodbye.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut progress: watch::Receiver<Progress>,
        mut stop: watch::Receiver<bool>,
    ) {
        self.on_progress(&progress.borrow_and_update().clone());
        self.carry(&mut events, &mut progress, Some(&mut stop)).await;
        let last_words = self.carry(&mut events, &mut progress, None);
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
        progress: &mut watch::Receiver<Progress>,
        mut stop: Option<&mut watch::Receiver<bool>>,
    ) {
        let room = self.send.clone();
        loop {
            let now_ms = self.clock.uptime_ms();
            let (want, wake_ms) = self.wanted(now_ms);
            let copies =
                now_ms >= self.hold_until && self.has_copies() && self.copies_in_flight() < COPIES_IN_FLIGHT;
            if stop.is_none() && want.is_none() && !self.has_copies() && self.postings.is_empty() {
                if self.flushed(progress).await {
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
                moved = progress.changed() => match moved {
                    Ok(()) => self.on_progress(&progress.borrow_and_update().clone()),
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
                () = if wake_ms < u64::MAX { self.clock.sleep_until(wake_ms) } else { self.clock.rest() } => {}
            }
        }
    }

    /// What is to leave next, and when to look again if nothing is.
    fn wanted(&mut self, now_ms: u64) -> (Option<Want>, u64) {
        self.talk.on_time(now_ms);
        let wake_ms = self.offer_at.filter(|at| *at > now_ms).unwrap_or(u64::MAX);
        let mut wake_ms = wake_ms.min(self.talk.wakes_ms());
        if now_ms < self.hold_until {
            return (None, wake_ms.min(self.hold_until));
        }
        if now_ms >= self.pace_at {
            // Thousands of gateways come back from one outage: none drains in the others' beat.
            let jitter_ms = self.next_tag.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59;
            (self.paced, self.pace_at) = (self.per_pace, now_ms + PACE_MS - 16 + jitter_ms);
        }
        let pace = self.paced > 0;
        if self.reminder.is_due(self.outbox.lacks_receipt(), self.outbox.receipted(), now_ms) {
            self.outbox.remind();
        }
        wake_ms = wake_ms.min(self.reminder.wakes_ms());
        let want = self.outbox.want(self.offer_at.is_none_or(|at| now_ms >= at), pace);
        if want.is_none() && self.outbox.is_behind() && !pace {
            wake_ms = wake_ms.min(self.pace_at);
        }
        (want, wake_ms)
    }

    /// Lets the scribe write what it was given before; true when that brought nothing new.
    async fn flushed(&mut self, progress: &mut watch::Receiver<Progress>) -> bool {
        let (reply, answer) = oneshot::channel();
        let want = Want { from: u64::MAX >> 1, least: Class::Alert, turn: Turn::Overtaking };
        if self.journal.send(Entry::Read { want, reply }).await.is_ok() {
            // Nothing stands there; the answer only says that the commit before it is done.
            let _nothing = answer.await;
        }
        let durable = progress.borrow_and_update().clone();
        self.on_progress(&durable);
        self.outbox.want(true, true).is_none() && !self.has_copies()
    }

    fn on_progress(&mut self, progress: &Progress) {
        self.durable = progress.places;
        self.outbox.on_durable(progress.places);
        let Some(receipted) = progress.receipted else { return };
        let now_ms = self.clock.uptime_ms();
        let may = now_ms >= self.again_at && !progress.missing.is_empty();
        if may {
            self.again_at = now_ms + AGAIN_MS;
        }
        self.outbox.on_receipt(receipted, if may { &progress.missing } else { &[] });
    }

    fn has_copies(&self) -> bool {
        !self.copies.is_empty() || self.copied < self.durable
    }

    fn copies_in_flight(&self) -> usize {
        self.postings.values().filter(|posting| matches!(posting, Posting::Copy)).count()
    }

    async fn send_next(&mut self, want: Want) -> Option<()> {
        let found = self.read(want).await?;
        let leaves = self.outbox.on_found(want, found.as_ref().map(|found| found.seq));
        let Some(Found { seq, bytes, .. }) = found.filter(|_| leaves) else { return Some(()) };
        let posting = match want.turn {
            Turn::InPlace => Posting::InPlace(seq),
            Turn::Overtaking | Turn::Again => Posting::Aside,
        };
        if want.turn != Turn::Overtaking {
            self.paced = self.paced.saturating_sub(1);
        }
        // An offer is counted from when it was made.
        self.offer_at = self.offer_at.map(|_| self.clock.uptime_ms() + OFFER_AGAIN_MS);
        let topic = self.address.topic(None, Kind::Attest);
        if self.fits(&topic, &bytes) {
            let count = match want.turn {
                Turn::InPlace => &self.traffic.in_place,
                Turn::Overtaking => &self.traffic.overtaking,
                Turn::Again => &self.traffic.again,
            };
            count.fetch_add(1, Ordering::Relaxed);
            self.publish(topic, bytes, false, posting).await;
        } else {
            self.pass_over(seq, bytes.len()).await;
            self.settle(posting).await;
        }
        Some(())
    }

    /// A record that is larger than the broker takes waits in the journal, and a signed record says so.
    async fn pass_over(&mut self, seq: u64, length: usize) {
        if seq < self.oversized {
            return;
        }
        self.oversized = seq + 1;
        let limit = self.max_packet_bytes;
        self.talk.on_oversized(self.clock.now().uptime_ms, seq, length, limit);
        let (length, limit) = (length as u64, limit as u64);
        let notice = Body::Notice(Notice::Oversized { seq, length, limit });
        // The scribe is gone only when everything ends.
        let _gone = self.journal.send(Entry::Write(self.clock.now(), notice)).await;
    }

    /// Sends the next retained copy, or looks at the next new record for what it should leave behind.
    async fn send_copy(&mut self) -> Option<()> {
        if let Some((topic, bytes)) = self.copies.pop_front() {
            if self.fits(&topic, &bytes) {
                let retain = Kind::of_topic(&topic).is_some_and(Kind::is_retained);
                self.publish(topic, bytes, retain, Posting::Copy).await;
            }
            return Some(());
        }
        let want = Want { from: self.copied, least: Class::Routine, turn: Turn::InPlace };
        match self.read(want).await? {
            None => self.copied = self.durable,
            Some(Found { seq, bytes, is_newest }) => {
                self.copied = seq + 1;
                // A backlog must not show old states as present.
                if is_newest {
                    let copies = self.copies_of(&bytes);
                    self.copies.extend(copies);
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

    /// Where else a record is of use to whoever comes late; nothing where an alarm is over that may still stand there.
    fn copies_of(&mut self, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let Ok(record) = Unverified::read(bytes).and_then(Unverified::own) else { return Vec::new() };
        let topic = |(asset, kind)| self.address.topic(asset, kind);
        let over: Vec<String> = address::over(&record.body).into_iter().map(topic).collect();
        let placed: Vec<String> = address::places(&record.body).into_iter().map(topic).collect();
        placed.iter().for_each(|topic| drop(self.cleared.take(topic)));
        let over = over.into_iter().filter(|topic| self.cleared.insert(topic.clone())).collect::<Vec<_>>();
        let placed = placed.into_iter().map(|topic| (topic, bytes.to_vec()));
        placed.chain(over.into_iter().map(|topic| (topic, Vec::new()))).collect()
    }

    /// A broker is there: whatever it kept before, it is given the present once more.
    async fn on_connected(&mut self, window: u16, max_packet_bytes: u32) {
        self.talk.on_connected(self.clock.now().uptime_ms);
        self.traffic.is_greeted.store(true, Ordering::Relaxed);
        self.postings.clear();
        self.copies.clear();
        self.offer_at = None;
        self.hold_until = if self.expects_receipts { u64::MAX } else { 0 };
        self.max_packet_bytes = usize::try_from(max_packet_bytes).unwrap_or(usize::MAX);
        self.outbox.on_connected(usize::from(window).saturating_sub(COPIES_IN_FLIGHT));
        let birth = Presence::of(&self.started, Occasion::Started).to_bytes();
        self.publish(self.address.topic(None, Kind::Link), birth, true, Posting::Copy).await;
        let (reply, answer) = oneshot::channel();
        if self.journal.send(Entry::Newest { reply }).await.is_ok()
            && let Ok((newest, records)) = answer.await
        {
            self.cleared.clear();
            self.copies = newest.iter().flat_map(|bytes| self.copies_of(bytes)).collect();
            self.copied = records;
        }
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected { window, max_packet_bytes, sharing: _ } => {
                self.on_connected(window, max_packet_bytes).await;
            }
            Event::Lost { why } => {
                self.talk.on_lost(self.clock.now().uptime_ms, why);
                self.traffic.on_lost(why);
                self.postings.clear();
                self.copies.clear();
                self.copied = u64::MAX;
                self.outbox.on_lost();
            }
            Event::Accepted { tag } => self.on_settled(tag, None).await,
            Event::Refused { tag, why } => self.on_settled(tag, Some(why)).await,
            Event::Subscribed => {
                self.traffic.is_there.store(true, Ordering::Relaxed);
                self.hold_until = self.clock.uptime_ms() + RECEIPT_GRACE_MS;
            }
            Event::Message { topic, payload, .. } => self.on_message(&topic, payload).await,
            // It subscribes once, with its connection.
            Event::Granted { .. } => {}
            Event::Expiring { days, .. } => {
                let notice = Body::Notice(Notice::CertificateExpiring { days });
                // The scribe is gone only when everything ends.
                let _gone = self.journal.send(Entry::Write(self.clock.now(), notice)).await;
            }
        }
    }

    async fn on_message(&mut self, topic: &str, payload: Vec<u8>) {
        // An empty message only clears what was retained.
        if payload.is_empty() {
            return;
        }
        let letter = match Kind::of_topic(topic) {
            Some(Kind::Receipt) => Letter::Receipt(payload),
            Some(Kind::Act) => Letter::Act(payload),
            Some(
                Kind::Attest
                | Kind::State
                | Kind::Violation
                | Kind::Tamper
                | Kind::Plate
                | Kind::Head
                | Kind::Link
                | Kind::Answer,
            )
            | None => return,
        };
        // The loop is gone only when everything ends.
        let _gone = self.inbox.send(Inbox::Letter(letter)).await;
    }

    async fn on_settled(&mut self, tag: u64, refused: Option<Refused>) {
        match (self.postings.remove(&tag), refused) {
            (Some(Posting::InPlace(seq)), Some(why)) => {
                let now_ms = self.clock.uptime_ms();
                if self.offer_at.is_none() {
                    self.talk.on_undelivered(now_ms, seq, why);
                }
                self.traffic.on_turn(Some(why));
                self.offer_at = Some(now_ms + OFFER_AGAIN_MS);
                self.postings.retain(|_, posting| !matches!(posting, Posting::InPlace(_)));
                self.outbox.on_unwanted();
            }
            (Some(Posting::Copy), Some(why)) if why != Refused::NoSubscriber => {
                self.talk.on_copy_refused(self.clock.now().uptime_ms, why);
            }
            (Some(posting), _) => {
                if matches!(posting, Posting::InPlace(_)) {
                    self.offer_at = None;
                    self.traffic.on_turn(None);
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
                    self.traffic.accepted.store(accepted, Ordering::Relaxed);
                    // The scribe is gone only when everything ends.
                    let _gone = self.journal.send(Entry::Accepted(accepted)).await;
                }
            }
            Posting::Aside => self.outbox.on_aside(),
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
