//! PURE file: one of several collectors that divide the records of one broker among them. No socket: messages and time are
//! arguments.
//!
//! The broker is left to divide (`$share`, MQTT 5) only as long as canaries prove that it does; otherwise each member
//! subscribes to its own division codes, and to those of members that are gone. Nothing depends on either being exact: a
//! record that comes to two members is kept once, and one that came to none, or to one that died of it, is missing in its
//! chain and asked for by a receipt. That is why the broker is asked to keep nothing for a member that is away: it would
//! only withhold its part from the others.

pub mod canary;
pub mod division;
mod ears;
pub mod presence;

use std::collections::{BTreeSet, VecDeque};

use self::{
    canary::{Canaries, E_BRK_SHARE, EVERY_MS, Verdict},
    ears::{Ears, SHARED},
    presence::{Roll, Unlike},
};
use crate::{
    evidence::{
        KeyId,
        share::{Beat, Canary, MAX_HEARD, beat_topic, beats, canary_topic},
        topic::RECORDS,
    },
    host::courier::{MAX_BACKOFF_MS, Send, Sharing},
    terms::{Name, place::Level},
};

/// Longest keep-alive of a member, in seconds: a broker gives the part of one that vanished to the others after one and a
/// half times as long.
pub const KEEPALIVE_S: u16 = 5;
/// The tag of what members say to each other; receipts are numbered from 1.
pub const TAG: u64 = 0;
/// How long it is told that our name at the broker was taken over, in milliseconds: longer than the pauses in which two
/// that throw each other out come back.
const TAKEN_OVER_TOLD_MS: u64 = 3 * MAX_BACKOFF_MS;
/// Beats, canaries and subscriptions that may wait for the courier.
const MOST_SENDS: usize = 4;

/// A place in a group of collectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's name, the same for all members.
    pub name: Name,
    /// Which member this is, from 1.
    pub worker: u8,
    /// How many there are.
    pub workers: u8,
    /// The level of division codes by which the work is divided where the broker does not share.
    pub by: Level,
}

/// How a member stands, for whoever looks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What is known of the broker's sharing.
    pub verdict: Verdict,
    /// Everything that is to be heard now is subscribed to.
    pub hears: bool,
    /// Parts by division codes that are heard now, of [`division::PARTS`].
    pub parts: u64,
    /// Members there, ourselves among them, and how many there should be.
    pub present: (u64, u64),
    /// Canaries sent, and those of them that exactly one member heard.
    pub canaries: (u64, u64),
    /// Times the broker was found not to share.
    pub fallbacks: u64,
    /// How somebody of the group is configured otherwise.
    pub unlike: Option<Unlike>,
}

/// A member of a group. Times are uptimes in milliseconds.
#[derive(Debug)]
pub struct Member {
    group: Group,
    run: u32,
    key: KeyId,
    /// Until when it is told that the broker gave our name to another, whom nobody hears of otherwise.
    taken_over_until_ms: u64,
    canaries: Canaries,
    roll: Roll,
    ears: Ears,
    wanted: BTreeSet<String>,
    /// The connection offers this, and its own subscription is granted.
    sharing: Sharing,
    is_there: bool,
    beat_ms: u64,
    heard: VecDeque<Canary>,
    sends: VecDeque<Send>,
    fallbacks: u64,
    present: BTreeSet<u8>,
    /// Something has happened that may change what is wanted; otherwise that is looked at with every beat.
    is_news: bool,
}

impl Member {
    /// A member that starts; `run` tells its starts apart. It signs with `key`.
    pub const fn new(group: Group, run: u32, key: KeyId) -> Member {
        Member {
            group,
            run,
            key,
            taken_over_until_ms: 0,
            canaries: Canaries::unproven(),
            roll: Roll::new(group, run, key),
            ears: Ears::new(),
            wanted: BTreeSet::new(),
            sharing: Sharing::Unknown,
            is_there: false,
            beat_ms: 0,
            heard: VecDeque::new(),
            sends: VecDeque::new(),
            fallbacks: 0,
            present: BTreeSet::new(),
            is_news: false,
        }
    }

    /// What every connection is to begin with: the group's beats.
    pub fn filters(&self) -> Vec<String> {
        vec![beats(self.group.name)]
    }

    /// A broker is there.
    pub fn on_connected(&mut self, sharing: Sharing) {
        self.on_lost();
        self.sharing = sharing;
    }

    /// The group's beats are subscribed to.
    pub fn on_subscribed(&mut self, now_ms: u64) {
        (self.is_there, self.beat_ms, self.is_news) = (true, now_ms, true);
        self.roll.begin(now_ms);
        let before = self.canaries.verdict();
        self.canaries.begin(self.sharing, now_ms);
        self.tell(before);
    }

    /// The broker is gone, and with it everything said and subscribed to.
    pub fn on_lost(&mut self) {
        self.is_there = false;
        self.ears.reset();
        self.sends.clear();
        self.heard.clear();
    }

    /// The broker has given our name to somebody else, who connected under it.
    pub fn on_taken_over(&mut self, now_ms: u64) {
        self.taken_over_until_ms = now_ms + TAKEN_OVER_TOLD_MS;
    }

    /// The broker has answered a subscription.
    pub fn on_granted(&mut self, tag: u64, granted: bool, now_ms: u64) {
        self.is_news = true;
        if self.ears.on_granted(tag, granted) {
            let before = self.canaries.verdict();
            self.canaries.on_withheld(now_ms);
            self.tell(before);
        }
    }

    /// Something that collectors say to each other.
    pub fn on_message(&mut self, topic: &str, bytes: &[u8], now_ms: u64) {
        let name = self.group.name;
        if let Some(canary) =
            Canary::from_bytes(bytes).filter(|canary| topic == canary_topic(name, canary.worker))
        {
            if self.heard.len() == MAX_HEARD {
                self.heard.pop_front();
            }
            self.heard.push_back(canary);
            self.count(canary, self.group.worker);
        } else if let Some(beat) =
            Beat::from_bytes(bytes).filter(|beat| topic == beat_topic(name, beat.worker))
        {
            self.roll.on_beat(&beat, now_ms);
            beat.heard.iter().for_each(|canary| self.count(*canary, beat.worker));
        }
    }

    fn count(&mut self, canary: Canary, by: u8) {
        if (canary.worker, canary.run) == (self.group.worker, self.run) {
            self.canaries.on_heard(canary, by);
        }
    }

    /// Looks where things are. While our hands are `full` nothing reaches us.
    pub fn turn(&mut self, now_ms: u64, full: bool) {
        if now_ms >= self.taken_over_until_ms {
            self.taken_over_until_ms = 0;
        }
        if !self.is_there {
            return;
        }
        if full {
            self.roll.excuse(now_ms);
        }
        let before = self.canaries.verdict();
        self.canaries.judge(now_ms, self.roll.echo_ms(), full, self.roll.others());
        self.tell(before);
        let beats = now_ms >= self.beat_ms;
        if !beats && !std::mem::take(&mut self.is_news) {
            return;
        }
        self.listen(now_ms);
        if beats {
            self.beat_ms = now_ms + EVERY_MS;
            // Who does not get rid of one beat needs no second.
            if self.sends.len() < MOST_SENDS {
                self.beat(now_ms);
            }
        }
        let present = self.roll.present(now_ms);
        if self.present != present {
            tracing::info!(?present, workers = self.group.workers, "members of the group are there");
            self.present = present;
            self.canaries.excuse();
        }
    }

    fn beat(&mut self, now_ms: u64) {
        let Group { name, worker, workers, by } = self.group;
        let number = self.roll.beat(now_ms);
        let heard = self.heard.drain(..).collect();
        let holds = self.is_dividing() && self.hears();
        let tries = self.canaries.is_trying();
        let found = match self.canaries.verdict() {
            Verdict::Broken(why) => Some(why),
            Verdict::Unproven | Verdict::Proven => None,
        };
        let kid = Some(self.key);
        let beat = Beat { worker, run: self.run, number, workers, by, holds, tries, kid, found, heard };
        self.sends.push_back(publish(beat_topic(name, worker), beat.to_bytes()));
        if self.canaries.is_trying() && self.ears.hold(&BTreeSet::from([self.shared()])) {
            let canary = Canary { worker, run: self.run, number: self.canaries.fly(now_ms) };
            self.sends.push_back(publish(canary_topic(name, worker), canary.to_bytes()));
        }
    }

    /// Subscribes to what is wanted now.
    fn listen(&mut self, now_ms: u64) {
        let by = self.group.by;
        let parts: Vec<u8> = self.taken(now_ms).collect();
        let filters = division::filters(&parts, by, self.sharing == Sharing::Offered);
        let shared = self.canaries.is_trying().then(|| self.shared());
        self.wanted = filters.into_iter().chain(shared).collect();
        self.sends.extend(self.ears.next(&self.wanted));
    }

    /// Whether all that is wanted is heard; whoever hears everything does so until it has its own parts again.
    fn hears(&self) -> bool {
        self.ears.hold(&self.wanted) || self.ears.hold(&BTreeSet::from([RECORDS.to_owned()]))
    }

    fn is_dividing(&self) -> bool {
        matches!(self.canaries.verdict(), Verdict::Broken(_))
    }

    fn shared(&self) -> String {
        format!("{SHARED}{}/{RECORDS}", self.group.name)
    }

    /// The parts to be taken now: none as long as the broker is left to divide.
    fn taken(&self, now_ms: u64) -> impl Iterator<Item = u8> {
        let Group { worker, workers, .. } = self.group;
        let holding = if self.is_dividing() { self.roll.holding(now_ms) } else { BTreeSet::new() };
        (0..division::PARTS).filter(move |part| division::taker(*part, workers, &holding) == Some(worker))
    }

    /// What is to be said to the broker next.
    pub fn next_send(&mut self) -> Option<Send> {
        self.sends.pop_front()
    }

    /// Whether there is something to be said.
    pub fn has_send(&self) -> bool {
        !self.sends.is_empty()
    }

    /// When to look again though nothing happens.
    pub fn wakes_ms(&self) -> u64 {
        if self.is_there { self.beat_ms } else { u64::MAX }
    }

    /// How it stands.
    pub fn shown(&self) -> Shown {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let plain = || self.ears.held(&self.wanted).filter(|filter| !filter.starts_with(SHARED));
        let parts = if plain().any(|filter| filter == RECORDS) {
            u64::from(division::PARTS)
        } else {
            count(plain().count())
        };
        Shown {
            verdict: self.canaries.verdict(),
            hears: self.is_there && self.hears(),
            parts,
            present: (count(self.present.len()), u64::from(self.group.workers)),
            canaries: self.canaries.counts(),
            fallbacks: self.fallbacks,
            unlike: if self.taken_over_until_ms > 0 { Some(Unlike::Number) } else { self.roll.unlike() },
        }
    }

    fn tell(&mut self, before: Verdict) {
        let verdict = self.canaries.verdict();
        if verdict == before {
            return;
        }
        self.is_news = true;
        match verdict {
            Verdict::Unproven => {}
            Verdict::Proven => {
                tracing::info!("canaries prove that the broker shares records among the group");
            }
            Verdict::Broken(why) => {
                self.fallbacks += 1;
                let words = why.words();
                tracing::error!(why = why.word(), "{E_BRK_SHARE}: {}；{}", words.en, words.zh);
            }
        }
    }
}

fn publish(topic: String, payload: Vec<u8>) -> Send {
    Send::Publish { tag: TAG, topic, payload, retain: false }
}

#[cfg(test)]
mod tests;
