//! `coldhearth-regulator serve`: subscribes, keeps, follows, and gives receipts.
//!
//! The broker keeps every message until the store has committed it. A store that is away is asked again with growing
//! pauses; meanwhile no more is taken from the broker than fits in the hand. The broker goes on being listened to, so that
//! it hears our pings: what does not fit is passed over, and brought again over another connection once the hand is empty.

mod health;
mod outbound;

use std::collections::VecDeque;

use tokio::sync::{mpsc, watch};

use self::{health::Health, outbound::Outbound};
use super::{
    collector::{Collector, Tally},
    desk::{self, Desk, Job, Message, Outcome},
    share::{KEEPALIVE_S, Member, TAG, canary::EVERY_MS, presence::AWAY_MS},
    store::{StoreFault, postgres::IDLE_TIMEOUT_MS},
    vitals::{Line, Vitals},
};
use crate::{
    evidence::{Kind, follow::MAX_HELD_BYTES, share, topic::RECORDS},
    host::{
        Clock,
        courier::{self, Broker, Event, IN_HAND, Refused, Send, Tidings},
        exit::{Exit, Failure},
    },
    terms::{ClockQuality, Stamp},
};

/// Messages kept in one commit.
pub const BATCH: usize = 256;
/// Messages in hand beside the batch that is being kept.
pub const MOST_WAITING: usize = IN_HAND as usize;
/// Their size, in bytes; one more message may exceed it.
pub const MOST_WAITING_BYTES: usize = 16 * 1024 * 1024;
/// Time between the end of a round of receipts and the next, in milliseconds: however long a round takes, what has come
/// meanwhile has its turn.
pub const RECEIPTS_MS: u64 = 1_000;
/// Receipts that may await the broker's acceptance.
pub const RECEIPTS_IN_FLIGHT: usize = 32;
/// Receipts that may wait to be sent; beyond them logs stay due, and their receipts say the newest when they can go.
pub const MOST_RECEIPTS_WAITING: usize = 2_048;
/// How long the broker is asked to keep for us what comes while we are away, in seconds.
pub const KEEPS_S: u32 = 3_600;
/// How long after a member of a group was killed, frozen or cut off another has its part, in milliseconds.
pub const TAKEN_OVER_MS: u64 = 10_000;
// Its broker misses it, or its fellows do; and its database undoes the batch it was at.
const _: () = assert!(
    KEEPALIVE_S as u64 * 1_500 <= TAKEN_OVER_MS
        && AWAY_MS + 2 * EVERY_MS <= TAKEN_OVER_MS
        && IDLE_TIMEOUT_MS <= TAKEN_OVER_MS
);
/// First pause before a store that is away is asked again, in milliseconds; it doubles up to [`RETRY_MOST_MS`].
pub const RETRY_FIRST_MS: u64 = 250;
/// Longest pause before a store that is away is asked again, in milliseconds.
pub const RETRY_MOST_MS: u64 = 10_000;
/// How long a store may be away before this program ends and leaves the rest to its service manager, in milliseconds.
pub const STORE_PATIENCE_MS: u64 = 15 * 60 * 1_000;
/// Time between two lines on health, in milliseconds.
pub const HEALTH_MS: u64 = 15 * 60 * 1_000;

/// Serves until asked to stop, alone or as `member` of a group. `shown` is told how it is, at every turn.
///
/// # Errors
/// The store failed, or was away for [`STORE_PATIENCE_MS`].
pub async fn serve(
    clock: &dyn Clock,
    broker: Broker,
    collector: Collector,
    member: Option<Member>,
    shown: &watch::Sender<Vitals>,
    stop: impl Future<Output = ()>,
) -> Result<Exit, Failure> {
    let broker = match &member {
        None => Broker { filters: vec![RECORDS.to_owned()], keeps_s: Some(KEEPS_S), ..broker },
        Some(member) => {
            let keepalive_s = broker.keepalive_s.min(KEEPALIVE_S);
            Broker { filters: member.filters(), keeps_s: Some(0), keepalive_s, ..broker }
        }
    };
    let tidings = Tidings::of(&broker.host, broker.port);
    let (courier, ends) = courier::pair();
    let (send, mut events) = (courier.send, courier.events);
    let carrying = courier::run(clock, broker, ends);
    tokio::pin!(carrying, stop);
    let Desk { jobs, mut done } = desk::hire(collector)?;
    let mut serving = Serving { member, ..Serving::begin(clock.now().uptime_ms, tidings) };
    loop {
        let now = clock.now();
        if let Some(job) = serving.next_job(now.uptime_ms, now.wall_unix_ms)
            && jobs.try_send(job).is_err()
        {
            return Err(gone());
        }
        serving.turn(now.uptime_ms);
        serving.show(&now, shown);
        tokio::select! {
            biased;
            () = &mut stop => {
                serving.health.tell();
                return Ok(Exit::Done);
            }
            () = &mut carrying => return Err(Failure::new(Exit::Bug, "the courier has ended")),
            answer = done.recv() => {
                let (job, answer) = answer.ok_or_else(gone)?;
                serving.on_answer(job, answer, clock.now().uptime_ms)?;
            }
            permit = send.reserve(), if serving.has_next() => hand_over(permit, &mut serving),
            event = events.recv() => {
                serving.on_event(event.ok_or_else(gone)?, clock.now().uptime_ms);
            }
            () = clock.sleep_until(serving.wakes_ms()) => {}
        }
    }
}

fn hand_over(permit: Result<mpsc::Permit<'_, Send>, mpsc::error::SendError<()>>, serving: &mut Serving) {
    // Without a courier its end is heard of by the other arm.
    if let (Ok(permit), Some(next)) = (permit, serving.next()) {
        permit.send(next);
    }
}

fn gone() -> Failure {
    Failure::new(Exit::Bug, "the store's thread, or the courier, has ended")
}

/// A store that is away, and what it owes an answer to.
#[derive(Debug)]
struct Trouble {
    job: Job,
    since_ms: u64,
    tries: u32,
    /// When to ask again.
    again_ms: u64,
    /// It says that it has no room.
    is_full: bool,
}

/// How far we are with what was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passing {
    /// What is in hand is kept first.
    Emptying,
    /// Leave is being taken.
    Leaving,
}

struct Serving {
    tidings: Tidings,
    out: Outbound,
    member: Option<Member>,
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    /// Something was passed over that the broker keeps: all that follows it comes again, and is passed over too.
    passing: Option<Passing>,
    busy: bool,
    trouble: Option<Trouble>,
    connected: bool,
    line: Line,
    /// Since when the store is at something, uptime in milliseconds.
    busy_since_ms: u64,
    round_ms: u64,
    health_ms: u64,
    health: Health,
    /// Topics of notifications that the broker has taken, to be taken down.
    told: Vec<String>,
}

impl Serving {
    fn begin(now_ms: u64, tidings: Tidings) -> Serving {
        Serving {
            tidings,
            out: Outbound::default(),
            member: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            passing: None,
            busy: false,
            trouble: None,
            connected: false,
            line: Line::Untried,
            busy_since_ms: now_ms,
            round_ms: now_ms + RECEIPTS_MS,
            health_ms: now_ms + HEALTH_MS,
            health: Health::default(),
            told: Vec::new(),
        }
    }

    /// What was on its way is gone with its connection.
    fn reset(&mut self) {
        if let Some(member) = &mut self.member {
            member.on_lost();
        }
        self.health.receipts_sent += self.out.tag;
        self.out = Outbound::default();
        self.passing = None;
    }

    fn turn(&mut self, now_ms: u64) {
        // A broker whose every message awaits our word brings nothing more.
        self.tidings.on_time(now_ms);
        let full = !self.has_room() || self.out.acks.len() >= MOST_WAITING;
        if let Some(member) = &mut self.member {
            member.turn(now_ms, full);
        }
    }

    fn has_next(&self) -> bool {
        self.out.has_next() || self.member.as_ref().is_some_and(Member::has_send) || self.may_leave()
    }

    fn next(&mut self) -> Option<Send> {
        let said = self.member.as_mut().and_then(Member::next_send);
        said.or_else(|| self.out.next()).or_else(|| {
            self.passing = self.may_leave().then_some(Passing::Leaving);
            self.passing.map(|_| Send::Again)
        })
    }

    /// Whether something was passed over, and all that came before it is kept and acknowledged.
    fn may_leave(&self) -> bool {
        let is_idle = self.waiting.is_empty() && !self.busy && self.trouble.is_none();
        self.passing == Some(Passing::Emptying) && is_idle && self.out.acks.is_empty()
    }

    fn show(&self, now: &Stamp, shown: &watch::Sender<Vitals>) {
        let Health { kept, store_lost, store_retries, store_conflicts, strange_topics, .. } = self.health;
        shown.send_replace(Vitals {
            kept,
            strange_topics,
            passed_over: self.health.passed_over,
            line: self.line,
            broker_lost: self.health.broker_lost,
            too_large: self.health.too_large,
            too_large_ms: self.health.too_large_ms,
            store_lost,
            store_retries,
            store_conflicts,
            store_away_since_ms: self.trouble.as_ref().map(|trouble| trouble.since_ms),
            store_full: self.trouble.as_ref().is_some_and(|trouble| trouble.is_full),
            store_busy_since_ms: self.busy.then_some(self.busy_since_ms),
            waiting: (self.waiting.len() as u64, MOST_WAITING as u64),
            waiting_bytes: (self.waiting_bytes as u64, MOST_WAITING_BYTES as u64),
            held_bytes: (self.health.held_bytes as u64, MAX_HELD_BYTES as u64),
            heads_ahead: self.health.heads_ahead,
            stuck_logs: self.health.stuck_logs as u64,
            receipts_waiting: (self.out.receipts.len() as u64, MOST_RECEIPTS_WAITING as u64),
            receipts_in_flight: self.out.in_flight as u64,
            receipts_sent: self.health.receipts_sent + self.out.tag,
            share: self.member.as_ref().map(Member::shown),
            alarms: self.health.alarms,
            file_refused: false,
            turned_away: 0,
            clock_set: now.clock != ClockQuality::Unset,
            turned_ms: now.uptime_ms,
        });
    }

    fn has_room(&self) -> bool {
        self.passing.is_none() && self.waiting.len() < MOST_WAITING && self.waiting_bytes < MOST_WAITING_BYTES
    }

    /// When there is something to do though nothing happens.
    fn wakes_ms(&self) -> u64 {
        let wakes_ms = match &self.trouble {
            Some(trouble) if !self.busy => trouble.again_ms,
            Some(_) | None if self.busy => self.health_ms,
            Some(_) | None => self.round_ms.min(self.health_ms),
        };
        let wakes_ms = wakes_ms.min(self.tidings.wakes_ms());
        wakes_ms.min(self.member.as_ref().map_or(u64::MAX, Member::wakes_ms))
    }

    /// What the store is to do next, unless it is at something.
    fn next_job(&mut self, now_ms: u64, now_unix_ms: i64) -> Option<Job> {
        if now_ms >= self.health_ms {
            self.health_ms = now_ms + HEALTH_MS;
            self.health.tell();
        }
        if self.busy {
            return None;
        }
        let job = if let Some(trouble) = &mut self.trouble {
            if now_ms < trouble.again_ms {
                return None;
            }
            self.health.store_retries += 1;
            std::mem::replace(&mut trouble.job, Job::Connected)
        } else if std::mem::take(&mut self.connected) {
            Job::Connected
        } else if now_ms >= self.round_ms {
            let most = MOST_RECEIPTS_WAITING.saturating_sub(self.out.receipts.len());
            Job::Round(now_unix_ms, most, self.line == Line::Open, std::mem::take(&mut self.told))
        } else if self.waiting.is_empty() {
            return None;
        } else {
            let batch: Vec<Message> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
            self.waiting_bytes = self.waiting.iter().map(|message| message.bytes.len()).sum();
            Job::Take(batch, now_unix_ms)
        };
        (self.busy, self.busy_since_ms) = (true, now_ms);
        Some(job)
    }

    fn on_answer(
        &mut self,
        job: Job,
        answer: Result<Outcome, StoreFault>,
        now_ms: u64,
    ) -> Result<(), Failure> {
        self.busy = false;
        let outcome = match answer {
            Ok(outcome) => outcome,
            Err(StoreFault::Failed(failure)) => return Err(failure),
            Err(away @ (StoreFault::Away(_) | StoreFault::Full(_) | StoreFault::Conflict)) => {
                return self.on_trouble(job, &away, now_ms);
            }
        };
        if let Some(trouble) = self.trouble.take() {
            let seconds = now_ms.saturating_sub(trouble.since_ms) / 1_000;
            tracing::info!(seconds, tries = trouble.tries, "the store answers again; nothing was lost");
        }
        let Outcome { tally, outgoing, conflicts, held_bytes, stuck_logs, heads_ahead, alarms } = outcome;
        self.health.alarms = alarms.unwrap_or(self.health.alarms);
        self.health.heads_ahead = heads_ahead;
        self.health.stuck_logs = stuck_logs.unwrap_or(self.health.stuck_logs);
        (self.health.store_conflicts, self.health.held_bytes) = (conflicts, held_bytes);
        if let Job::Round(..) = job {
            self.round_ms = now_ms + RECEIPTS_MS;
        }
        self.health.add(tally);
        report(tally);
        self.out.receipts.extend(outgoing);
        if let Job::Take(messages, _) = job {
            let deliveries = messages.into_iter().filter_map(|message| message.delivery);
            deliveries.for_each(|delivery| self.out.acks.on_safe(delivery));
        }
        Ok(())
    }

    fn on_trouble(&mut self, job: Job, fault: &StoreFault, now_ms: u64) -> Result<(), Failure> {
        let (since_ms, tries) = match &self.trouble {
            Some(trouble) => (trouble.since_ms, trouble.tries + 1),
            None => {
                self.health.store_lost += 1;
                (now_ms, 1)
            }
        };
        let away_ms = now_ms.saturating_sub(since_ms);
        if away_ms >= STORE_PATIENCE_MS {
            let minutes = STORE_PATIENCE_MS / 60_000;
            let message = format!(
                "{fault}\nno answer for {minutes} minutes; what was not kept was not acknowledged either"
            );
            return Err(Failure::new(Exit::Unreachable, message));
        }
        let pause_ms = RETRY_FIRST_MS.saturating_mul(1 << (tries - 1).min(12)).min(RETRY_MOST_MS);
        if tries.is_power_of_two() {
            tracing::warn!(
                tries,
                next_try_ms = pause_ms,
                "the store is away, nothing is acknowledged: {fault}"
            );
        }
        let is_full = matches!(fault, StoreFault::Full(_));
        self.trouble = Some(Trouble { job, since_ms, tries, again_ms: now_ms + pause_ms, is_full });
        Ok(())
    }

    fn on_event(&mut self, event: Event, now_ms: u64) {
        match event {
            Event::Message { topic, payload, delivery, .. } => {
                self.on_message(Message { topic, bytes: payload, delivery }, now_ms);
            }
            Event::Connected { sharing, .. } => {
                self.tidings.on_connected(now_ms);
                self.reset();
                if let Some(member) = &mut self.member {
                    member.on_connected(sharing);
                }
                self.line = Line::Greeted;
                self.connected = true;
            }
            Event::Lost { why } => self.on_lost(why, now_ms),
            // Nobody waits for what members say to each other.
            Event::Refused { tag: TAG, .. } | Event::Accepted { tag: TAG } => {}
            Event::Refused { tag, why } => {
                tracing::debug!(?why, "a receipt was not accepted");
                let told = self.out.on_answer(tag);
                // Nobody there to hear it: it is retained all the same.
                self.told.extend(told.filter(|_| why == Refused::NoSubscriber));
            }
            Event::Accepted { tag } => self.told.extend(self.out.on_answer(tag)),
            Event::Subscribed => {
                self.line = Line::Open;
                if let Some(member) = &mut self.member {
                    member.on_subscribed(now_ms);
                }
            }
            Event::Granted { tag, granted } => {
                if let Some(member) = &mut self.member {
                    member.on_granted(tag, granted, now_ms);
                }
            }
            Event::Expiring { .. } => {}
        }
    }

    fn on_message(&mut self, message: Message, now_ms: u64) {
        let Message { topic, bytes, delivery } = &message;
        if share::is_share(topic) {
            // Another group's canaries come by the filter of all records, too.
            if let Some(member) = &mut self.member {
                member.on_message(topic, bytes, now_ms);
            }
            if self.passing.is_none() {
                self.out.acks.on_arrived(*delivery, true);
            }
        } else if !self.has_room() {
            self.health.passed_over += 1;
            if delivery.is_some() {
                self.passing = self.passing.or(Some(Passing::Emptying));
            }
        } else if Kind::of_topic(topic) == Some(Kind::Attest) {
            self.waiting_bytes += bytes.len();
            self.out.acks.on_arrived(*delivery, false);
            self.waiting.push_back(message);
        } else {
            self.health.strange_topics += 1;
            self.out.acks.on_arrived(*delivery, true);
        }
    }

    fn on_lost(&mut self, why: Refused, now_ms: u64) {
        self.reset();
        self.line = Line::Lost(why.text());
        if why == Refused::Again {
            tracing::info!("connecting again for the messages that were passed over");
            return;
        }
        self.tidings.on_lost(now_ms, why);
        self.health.broker_lost += 1;
        if let (Refused::TakenOver, Some(member)) = (why, &mut self.member) {
            member.on_taken_over(now_ms);
        }
        if why == Refused::TooLarge {
            self.health.too_large += 1;
            self.health.too_large_ms = Some(now_ms);
        }
    }
}

fn report(tally: Tally) {
    if tally != Tally::default() {
        let Tally { records, again, refused, unknown, forks, lost, .. } = tally;
        tracing::debug!(records, again, refused, unknown, forks, lost, "kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::courier::Delivery;
    use crate::regulator::collector::{Outgoing, RECEIPTS_AT_ONCE};

    fn begin() -> Serving {
        Serving::begin(0, Tidings::of("127.0.0.1", 1_883))
    }

    fn message(size: usize) -> Event {
        let topic = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/_/attest".to_owned();
        Event::Message { topic, payload: vec![0; size], retained: false, delivery: None }
    }

    #[test]
    fn a_store_that_is_away_is_asked_again_with_the_same_batch_and_the_hand_stays_bounded() {
        let mut serving = begin();
        serving.on_event(message(10), 0);
        let mut job = serving.next_job(0, 7).unwrap();
        assert!(serving.next_job(0, 7).is_none(), "one job at a time");
        let mut now_ms = 0;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            serving.on_answer(job, Err(StoreFault::Away("away".into())), now_ms).unwrap();
            pauses.push(serving.wakes_ms() - now_ms);
            assert!(serving.next_job(serving.wakes_ms() - 1, 8).is_none());
            now_ms = serving.wakes_ms();
            job = serving.next_job(now_ms, 8).unwrap();
            assert!(matches!(&job, Job::Take(batch, 7) if batch.len() == 1), "{job:?}");
        }
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        while serving.has_room() {
            serving.on_event(message(200_000), 0);
        }
        assert!(
            serving.waiting_bytes < MOST_WAITING_BYTES + 256 * 1_024 && serving.waiting.len() < MOST_WAITING
        );
        let ended = serving.on_answer(job, Err(StoreFault::Away("away".into())), STORE_PATIENCE_MS);
        assert_eq!(ended.unwrap_err().exit, Exit::Unreachable);
        assert_eq!((serving.health.store_lost, serving.health.store_retries), (1, 8));
    }

    #[test]
    fn what_is_passed_over_is_brought_again_once_the_hand_is_empty_and_not_before() {
        let sent = |number| {
            let Event::Message { topic, payload, .. } = message(200_000) else { panic!("it is one") };
            let delivery = Some(Delivery { line: 1, pkid: number });
            Event::Message { topic, payload, retained: false, delivery }
        };
        let mut serving = begin();
        (0..200).for_each(|number| serving.on_event(sent(number), 0));
        let in_hand = serving.waiting.len();
        assert!(in_hand < 100 && serving.health.passed_over == 200 - in_hand as u64);
        let job = serving.next_job(0, 7).unwrap();
        assert!(!serving.has_next(), "the store is at it");
        serving.on_event(sent(200), 0);
        assert!(serving.waiting.is_empty(), "one that follows comes again, too, whatever room there is");
        serving.on_answer(job, Ok(Outcome::default()), 0).unwrap();
        let Some(Send::Took(taken)) = serving.next() else { panic!("what is kept is acknowledged") };
        assert_eq!(taken.len(), in_hand);
        assert!(matches!(serving.next(), Some(Send::Again)) && !serving.has_next(), "once");
        serving.on_event(Event::Lost { why: Refused::Again }, 0);
        assert_eq!((serving.has_room(), serving.health.broker_lost), (true, 0));
    }

    #[test]
    fn a_broker_that_keeps_nothing_is_not_asked_for_it_again() {
        let mut serving = begin();
        while serving.has_room() {
            serving.on_event(message(200_000), 0);
        }
        serving.on_event(message(10), 0);
        assert_eq!((serving.health.passed_over, serving.passing), (1, None));
        while let Some(job) = serving.next_job(0, 7) {
            serving.on_answer(job, Ok(Outcome::default()), 0).unwrap();
        }
        assert!(serving.has_room() && !serving.has_next());
    }

    #[test]
    fn nothing_is_acknowledged_that_was_not_kept() {
        let mut serving = begin();
        serving.on_event(message(10), 0);
        let job = serving.next_job(0, 7).unwrap();
        serving.on_answer(job, Err(StoreFault::Away("away".into())), 0).unwrap();
        assert!(!serving.out.has_next());
        let failed = Failure::new(Exit::Bug, "broken");
        let job = serving.next_job(250, 7).unwrap();
        assert!(serving.on_answer(job, Err(StoreFault::Failed(failed)), 250).is_err());
        assert!(!serving.out.has_next());
    }

    #[test]
    fn however_long_a_round_of_receipts_takes_what_came_meanwhile_has_its_turn() {
        let mut serving = begin();
        let mut now_ms = RECEIPTS_MS;
        let mut taken = 0;
        for _ in 0..20 {
            serving.on_event(message(10), now_ms);
            let job = serving.next_job(now_ms, 7).unwrap();
            taken += u32::from(matches!(job, Job::Take(..)));
            // Each takes longer than the time between two rounds.
            now_ms += 3 * RECEIPTS_MS;
            serving.on_answer(job, Ok(Outcome::default()), now_ms).unwrap();
        }
        assert_eq!(taken, 10);
    }

    #[test]
    fn receipts_that_nobody_fetches_wait_in_their_logs() {
        let mut serving = begin();
        for round in 1..10 {
            let now_ms = round * 2 * RECEIPTS_MS;
            let job = serving.next_job(now_ms, 7).unwrap();
            let Job::Round(_, most, ..) = job else { panic!("{job:?}") };
            assert_eq!(most, MOST_RECEIPTS_WAITING - serving.out.receipts.len());
            let receipt = Outgoing { topic: "t".into(), bytes: Vec::new() };
            let outgoing = vec![receipt; most.min(RECEIPTS_AT_ONCE)];
            serving.on_answer(job, Ok(Outcome { outgoing, ..Outcome::default() }), now_ms).unwrap();
        }
        assert_eq!(serving.out.receipts.len(), MOST_RECEIPTS_WAITING);
    }
}
