//! PURE file. What one receiver is told of one kind, and when: one notification for all that comes at once, and growing
//! pauses between notifications of a storm. The bound holds whatever happens and for however many gateways: see
//! [`MOST_IN_AN_HOUR`].
//!
//! A pager reads the desk's own log and remembers how far it has told. Who is about to tell claims it, and it counts as told
//! only once the receiver has taken it: a collector that is killed on the way leaves it to be told after [`CLAIM_MS`], so that
//! a notification comes twice at worst, and never not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alarm::{Step, above},
    cause::{Kind, Priority},
    condition::{About, AlarmId},
    receiver::Receiver,
    state::{Event, Life, State},
};
use crate::terms::{Digest, GatewayId, Name, place::Level};

/// How long the first notification waits for what comes with its cause, in milliseconds.
pub const GROUP_WAIT_MS: i64 = 30_000;
/// First pause between two notifications, in milliseconds; it doubles with each of one storm.
pub const PAUSE_FIRST_MS: i64 = 300_000;
/// Longest pause where somebody must act at once: violations, tampering; in milliseconds.
pub const PAUSE_MOST_URGENT_MS: i64 = 1_800_000;
/// Longest pause of the other kinds, in milliseconds.
pub const PAUSE_MOST_MS: i64 = 4 * 3_600_000;
/// A storm is over when nothing was told for so long, in milliseconds.
pub const STORM_OVER_MS: i64 = 4 * 3_600_000;
/// Notifications of one kind to one receiver within the first hour of a storm: after 30 s, and 5, 15 and 35 minutes later.
pub const MOST_IN_AN_HOUR: usize = 4;
/// How long a notification may be on its way before it counts as undelivered, in milliseconds: longer than all tries of the
/// slowest way take. Until then nobody else tells it; then it is told again.
pub const CLAIM_MS: i64 = 120_000;
/// Alarms a notification names; the others are counted.
pub const MOST_NAMED: usize = 20;
/// Steps that tell a receiver nothing after which it is taken down that they were read, so that no start reads them again.
pub const FAR_BEHIND: u64 = 1_000;
/// Alarms that may wait to be told by one pager; beyond them they are counted only.
pub const MOST_NEWS: usize = 10_000;

/// What is new of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// What it is about.
    pub about: About,
    /// What happened last.
    pub event: Event,
    /// How it stands.
    pub state: State,
    /// The record that shows it.
    pub record: Option<Digest>,
    /// Whether it stands for him who is told: the matter is not over, and nobody has put it aside for him.
    pub stands: bool,
    /// Whether it is of a conviction in a log that its gateway has left: seen when it is told.
    pub is_left: bool,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The step that says so.
    pub number: u64,
}

/// What a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who.
    pub receiver: Name,
    /// Of which kind.
    pub kind: Kind,
    /// When it was made, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The most urgent of what is new.
    pub priority: Priority,
    /// What is new, the most urgent first; at most [`MOST_NAMED`], to an Alertmanager
    /// [`MOST_ALERTS`](super::notice::MOST_ALERTS).
    pub news: Vec<(AlarmId, News)>,
    /// How many further alarms there is something new of.
    pub further: usize,
    /// Alarms of the kind that stand in the receiver's division now.
    pub standing: usize,
    /// The step up to which this tells.
    pub upto: u64,
}

/// How far a receiver was told, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptPager {
    /// Who.
    pub receiver: Name,
    /// Of which kind.
    pub kind: Kind,
    /// The step up to which he was told.
    pub upto: u64,
    /// When he last was, Unix milliseconds; none before the first time.
    pub told_unix_ms: Option<i64>,
    /// The pause from then on, in milliseconds.
    pub pause_ms: i64,
    /// Since when somebody is at telling him more, Unix milliseconds; none while nobody is.
    pub claimed_unix_ms: Option<i64>,
}

/// What one receiver is told of one kind.
#[derive(Clone, Debug)]
pub struct Pager {
    kept: KeptPager,
    /// The last step that was read.
    read: u64,
    news: BTreeMap<AlarmId, News>,
    /// What came beyond [`MOST_NEWS`], and how much of that the notification on its way counts.
    uncounted: usize,
    counted: usize,
    /// When the first of them came, Unix milliseconds.
    since_unix_ms: Option<i64>,
    /// When he was last told, as it counts: a clock that was ahead when he was is no reason to be told nothing now.
    told_unix_ms: Option<i64>,
    /// Alarms that were put aside before he was told of them: that they are over is nothing to him either.
    untold: BTreeSet<AlarmId>,
}

impl Pager {
    /// A pager that goes on where it was left.
    pub fn of(kept: KeptPager) -> Pager {
        Pager {
            kept,
            read: kept.upto,
            news: BTreeMap::new(),
            uncounted: 0,
            counted: 0,
            since_unix_ms: None,
            told_unix_ms: kept.told_unix_ms,
            untold: BTreeSet::new(),
        }
    }

    /// One that begins here: nobody is told what happened before he was named.
    pub fn beginning(receiver: Name, kind: Kind, newest: u64) -> Pager {
        let (told_unix_ms, pause_ms, claimed_unix_ms) = (None, PAUSE_FIRST_MS, None);
        Pager::of(KeptPager { receiver, kind, upto: newest, told_unix_ms, pause_ms, claimed_unix_ms })
    }

    /// How far he was told.
    pub fn kept(&self) -> KeptPager {
        self.kept
    }

    /// The last step it has read.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Reads the next step of the log.
    pub fn on(&mut self, number: u64, step: &Step, receiver: &Receiver) {
        if number <= self.read {
            return;
        }
        self.read = number;
        if step.about.cause.kind() == self.kept.kind {
            self.hear(number, step, receiver);
        }
        if self.news.is_empty() && self.uncounted == 0 {
            self.since_unix_ms = None;
        }
    }

    fn hear(&mut self, number: u64, step: &Step, receiver: &Receiver) {
        let id = step.about.id();
        let is_concerned = receiver.is_concerned(&step.about, step.level);
        let stands = is_concerned && receiver.stands(&step.about, step.to);
        let is_news = if receiver.way.is_alertmanager() {
            // What was raised anew begins below the level from which it was told.
            let was_concerned = is_concerned
                || (step.from.life == Life::UnackReturned
                    && receiver.is_concerned(&step.about, Level::Province));
            // What stands there does until it is told that it does not, however it came to that.
            let stood = was_concerned && receiver.stands(&step.about, step.from);
            stood != stands || (is_concerned && step.event == Event::Escalate)
        } else {
            is_concerned && self.is_news(id, step, receiver)
        };
        if is_news {
            self.add(id, number, (step, stands), receiver);
        }
    }

    /// Whether a step is told to whoever is told what has happened.
    fn is_news(&mut self, id: AlarmId, step: &Step, receiver: &Receiver) -> bool {
        let is_told = receiver.is_told(&step.about, step.to.hush);
        let is_news = match step.event {
            Event::Raise | Event::Settle | Event::Escalate => is_told,
            // Whoever was told that it stands is told that it is over, though it was put aside meanwhile.
            Event::Clear => is_told || !self.untold.contains(&id),
            // Who hears of it all the same hears that somebody has put it aside.
            Event::Shelve | Event::Inhibit | Event::Retire => is_told && step.from.hush != step.to.hush,
            Event::Unshelve | Event::Release | Event::Restore => {
                step.to.rings() && !receiver.is_told(&step.about, step.from.hush)
            }
            Event::Acknowledge => false,
        };
        if is_told || step.to.is_over() {
            self.untold.remove(&id);
        } else if self.is_untold(id, step) {
            self.untold.insert(id);
        }
        is_news
    }

    /// Whether he does not know of what is not told to him any longer. What was to be told of it is not.
    fn is_untold(&mut self, id: AlarmId, step: &Step) -> bool {
        match step.event {
            Event::Raise | Event::Settle => !step.from.life.is_standing(),
            Event::Shelve | Event::Inhibit | Event::Retire => {
                self.news.remove(&id).is_some() && self.kept.claimed_unix_ms.is_none()
            }
            Event::Clear
            | Event::Escalate
            | Event::Unshelve
            | Event::Release
            | Event::Restore
            | Event::Acknowledge => false,
        }
    }

    fn add(&mut self, id: AlarmId, number: u64, (step, stands): (&Step, bool), receiver: &Receiver) {
        let was_told_below = step.event == Event::Escalate && !is_first_heard(step, receiver);
        if was_told_below {
            return;
        }
        let Step { about, event, at_unix_ms, to, record, .. } = step;
        self.since_unix_ms.get_or_insert(*at_unix_ms);
        if self.news.len() >= MOST_NEWS && !self.news.contains_key(&id) {
            self.uncounted += 1;
            return;
        }
        // What came up and is gone, or is put aside, before anybody was told is told as what came up.
        let event = match self.news.get(&id) {
            Some(before) if matches!(event, Event::Clear | Event::Shelve) => before.event,
            Some(_) | None => *event,
        };
        let (about, state, at_unix_ms) = (*about, *to, *at_unix_ms);
        let record = record.or_else(|| self.news.get(&id)?.record);
        self.news
            .insert(id, News { about, event, state, record, stands, is_left: false, at_unix_ms, number });
    }

    /// Looks at the clock: what it told when it was ahead counts as now.
    pub fn see(&mut self, now_unix_ms: i64) {
        let no_later = |kept: Option<i64>| kept.map(|kept| kept.min(now_unix_ms));
        (self.since_unix_ms, self.told_unix_ms) = (no_later(self.since_unix_ms), no_later(self.told_unix_ms));
    }

    /// When there is something to be told; none while there is nothing.
    pub fn due_unix_ms(&self) -> Option<i64> {
        let waited = self.since_unix_ms?.saturating_add(GROUP_WAIT_MS);
        let paused = self.told_unix_ms.map_or(i64::MIN, |told| told.saturating_add(self.kept.pause_ms));
        Some(waited.max(paused))
    }

    /// What is to be told now; none where nothing is due, or somebody is at it. It counts as told once [`Pager::told`] is
    /// called.
    pub fn due(&self, standing: usize, now_unix_ms: i64) -> Option<Notification> {
        self.due_naming(MOST_NAMED, standing, now_unix_ms)
    }

    /// The same, of another number of alarms that are named at most.
    pub fn due_naming(&self, most_named: usize, standing: usize, now_unix_ms: i64) -> Option<Notification> {
        if self.due_unix_ms()? > now_unix_ms || self.is_claimed(now_unix_ms) {
            return None;
        }
        let mut news: Vec<(AlarmId, News)> = self.news.iter().map(|(id, news)| (*id, news.clone())).collect();
        news.sort_by_key(|(id, news)| (news.about.cause.priority(), news.at_unix_ms, *id));
        let mut news = by_turns(news);
        let priority = news.first().map_or(Priority::Diagnostic, |(_, news)| news.about.cause.priority());
        let further = news.len().saturating_sub(most_named) + self.uncounted;
        news.truncate(most_named);
        let KeptPager { receiver, kind, .. } = self.kept;
        Some(Notification {
            receiver,
            kind,
            at_unix_ms: now_unix_ms,
            priority,
            news,
            further,
            standing,
            upto: self.read,
        })
    }

    /// What stands no longer and is not told yet.
    pub fn ended(&self) -> impl Iterator<Item = &News> {
        self.news.values().filter(|news| !news.stands)
    }

    /// Whether a notification is on its way. A clock that was set back holds nobody up for longer than that takes.
    fn is_claimed(&self, now_unix_ms: i64) -> bool {
        self.kept.claimed_unix_ms.is_some_and(|since| now_unix_ms.saturating_sub(since).abs() < CLAIM_MS)
    }

    /// What is due is on its way from now on.
    pub fn claim(&mut self, now_unix_ms: i64) {
        self.kept.claimed_unix_ms = Some(now_unix_ms);
        self.counted = self.uncounted;
    }

    /// How far it has read with nothing to tell; none where there is news, or hardly anything was read.
    pub fn idle(&self) -> Option<KeptPager> {
        let is_idle = self.news.is_empty() && self.uncounted == 0 && self.kept.claimed_unix_ms.is_none();
        let is_far = self.read.saturating_sub(self.kept.upto) >= FAR_BEHIND;
        (is_idle && is_far).then_some(KeptPager { upto: self.read, ..self.kept })
    }

    /// It is taken down how far it has read.
    pub fn caught_up(&mut self, kept: KeptPager) {
        self.kept = kept;
    }

    /// He was told. What came while he was being told is still to be told.
    pub fn told(&mut self, notification: &Notification) {
        let now = notification.at_unix_ms;
        let is_same_storm = self
            .told_unix_ms
            .is_some_and(|told| now.saturating_sub(told) < STORM_OVER_MS.saturating_add(self.kept.pause_ms));
        let most = match self.kept.kind {
            Kind::Violation | Kind::Tamper => PAUSE_MOST_URGENT_MS,
            Kind::EvidenceMissing | Kind::DeviceFault | Kind::RuleData => PAUSE_MOST_MS,
        };
        let grown = self.kept.pause_ms.saturating_mul(2).min(most);
        self.kept.pause_ms = if is_same_storm { grown } else { PAUSE_FIRST_MS };
        (self.kept.told_unix_ms, self.kept.upto) = (Some(now), notification.upto);
        self.told_unix_ms = Some(now);
        self.kept.claimed_unix_ms = None;
        self.news.retain(|_, news| news.number > notification.upto);
        self.uncounted = self.uncounted.saturating_sub(std::mem::take(&mut self.counted));
        let first = self.news.values().map(|news| news.at_unix_ms).min();
        self.since_unix_ms = first.or((self.uncounted > 0).then_some(now));
    }
}

/// The most urgent first; of equally urgent ones the first of each gateway before the second of any, so that one gateway
/// with thousands keeps no other out of what is named.
fn by_turns(news: Vec<(AlarmId, News)>) -> Vec<(AlarmId, News)> {
    let mut turns: BTreeMap<(Priority, Option<GatewayId>), usize> = BTreeMap::new();
    let mut all: Vec<(Priority, usize, (AlarmId, News))> = Vec::with_capacity(news.len());
    for (id, news) in news {
        let priority = news.about.cause.priority();
        let turn = turns.entry((priority, news.about.gateway)).or_insert(0);
        *turn += 1;
        all.push((priority, *turn, (id, news)));
    }
    all.sort_by_key(|(priority, turn, _)| (*priority, *turn));
    all.into_iter().map(|(_, _, news)| news).collect()
}

/// Whether this step brings an alarm to whoever is told from that level on.
fn is_first_heard(step: &Step, receiver: &Receiver) -> bool {
    let below = Level::ALL.into_iter().find(|level| above(*level) == Some(step.level));
    below.is_none_or(|below| !receiver.is_concerned(&step.about, below))
}

#[cfg(test)]
mod tests;
