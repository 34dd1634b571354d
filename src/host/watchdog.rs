//! Who still comes round. Every task lives by a clock of its own, its pulse: whoever asks it for the time is alive, and
//! whoever waits by it is as long as it is waited for. The service manager hears that the program lives only while every
//! task does; one that stands still is named in the log, and systemd ends and restarts the whole.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{
    clock::{Clock, Wait},
    notify::Notify,
    worry::Worry,
};
use crate::terms::{Stamp, words::Language};

/// Time between two looks at all pulses, in milliseconds.
pub const LOOK_MS: u64 = 1_000;
/// Time between two looks until everything is begun, in milliseconds.
const FIRST_LOOK_MS: u64 = 20;
/// Longest time between two feedings, in milliseconds.
pub const FEED_MS: u64 = 5_000;
/// How long a task may go without a sign of life before it is named, in milliseconds.
pub const STUCK_MS: u64 = 15_000;
/// Longest part of a wait that is believed without another sign of life, in milliseconds.
const PART_MS: u64 = 10_000;

/// A task's clock, which remembers when it was last looked at.
pub struct Pulse {
    name: String,
    clock: Arc<dyn Clock>,
    /// Uptime in milliseconds up to which the task is known to live; 0 before it began.
    seen_ms: AtomicU64,
    holds_up: AtomicBool,
}

impl Pulse {
    /// A sign of life.
    fn beat(&self, uptime_ms: u64) {
        self.seen_ms.store(uptime_ms, Ordering::Relaxed);
    }

    fn seen_ms(&self) -> u64 {
        self.seen_ms.load(Ordering::Relaxed)
    }

    /// Waits in parts, of which each begins with a sign of life that holds to its end.
    async fn wait_until(&self, uptime_ms: u64) {
        loop {
            let part_ms = uptime_ms.min(self.uptime_ms().saturating_add(PART_MS));
            self.beat(part_ms);
            self.clock.sleep_until(part_ms).await;
            if part_ms == uptime_ms {
                return;
            }
        }
    }

    /// Does something whose every wait has a limit of its own, and lives meanwhile.
    pub async fn while_doing(&self, work: Wait<'_>) {
        tokio::select! {
            () = work => {}
            () = self.rest() => {}
        }
    }
}

impl Clock for Pulse {
    fn now(&self) -> Stamp {
        let now = self.clock.now();
        self.beat(now.uptime_ms);
        now
    }

    fn uptime_ms(&self) -> u64 {
        let uptime_ms = self.clock.uptime_ms();
        self.beat(uptime_ms);
        uptime_ms
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        if uptime_ms <= self.uptime_ms().saturating_add(PART_MS) {
            self.beat(uptime_ms);
            self.clock.sleep_until(uptime_ms)
        } else {
            Box::pin(self.wait_until(uptime_ms))
        }
    }

    fn set_boot(&self, boot: u32) {
        self.clock.set_boot(boot);
    }

    fn rest(&self) -> Wait<'_> {
        Box::pin(self.wait_until(u64::MAX))
    }

    fn busy_until(&self, uptime_ms: u64) {
        self.beat(uptime_ms);
    }

    fn holds_up(&self, others: bool) {
        self.holds_up.store(others, Ordering::Relaxed);
    }
}

/// All pulses of a program, and the way to the service manager.
#[derive(Clone)]
pub struct Watchdog(Arc<Watched>);

impl Default for Watchdog {
    fn default() -> Watchdog {
        Watchdog::of(Notify::default(), Language::English)
    }
}

struct Watched {
    notify: Notify,
    language: Language,
    /// Whoever has ended is expected no more.
    pulses: Mutex<Vec<Weak<Pulse>>>,
    begun: AtomicBool,
    status: Mutex<Status>,
}

#[derive(Default)]
struct Status {
    text: String,
    worries: BTreeSet<Worry>,
    is_news: bool,
}

impl Status {
    /// Worries first: what follows may be cut.
    fn line(&self, language: Language) -> String {
        let worries = Worry::ALL.into_iter().filter(|worry| self.worries.contains(worry));
        let worries = worries.map(|worry| format!("! {}", worry.words().in_language(language)));
        let text = Some(self.text.clone()).filter(|text| !text.is_empty());
        worries.chain(text).collect::<Vec<_>>().join(" | ")
    }
}

impl Watchdog {
    /// Feeds the watchdog of whom this leads to, who reads this language.
    pub fn of(notify: Notify, language: Language) -> Watchdog {
        let (pulses, begun, status) = (Mutex::default(), AtomicBool::new(false), Mutex::default());
        Watchdog(Arc::new(Watched { notify, language, pulses, begun, status }))
    }

    /// The language of a status.
    pub fn language(&self) -> Language {
        self.0.language
    }

    /// A clock for one task, to be dropped when the task ends.
    pub fn pulse(&self, name: impl Into<String>, clock: &Arc<dyn Clock>) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse {
            name: name.into(),
            clock: clock.clone(),
            seen_ms: AtomicU64::new(0),
            holds_up: AtomicBool::new(false),
        });
        let mut pulses = self.0.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.retain(|pulse| pulse.strong_count() > 0);
        pulses.push(Arc::downgrade(&pulse));
        pulse
    }

    /// Every task is begun; once each has given a sign of life the program is ready.
    pub fn on_begun(&self) {
        self.0.begun.store(true, Ordering::Relaxed);
    }

    /// What a person should know of the program now, in one line.
    pub fn on_status(&self, text: String) {
        let mut status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.text != text {
            (status.text, status.is_news) = (text, true);
        }
    }

    /// Whether somebody has to do something about this; tells whether that is news.
    pub fn on_worry(&self, worry: Worry, stands: bool) -> bool {
        let mut status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = if stands { status.worries.insert(worry) } else { status.worries.remove(&worry) };
        status.is_news |= is_news;
        is_news
    }

    /// What somebody has to do something about now, the weightiest first.
    pub fn worries(&self) -> Vec<Worry> {
        let status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        Worry::ALL.into_iter().filter(|worry| status.worries.contains(worry)).collect()
    }

    /// The way to the service manager.
    pub fn notify(&self) -> &Notify {
        &self.0.notify
    }

    /// Looks at all pulses, for ever: says when the program is ready, feeds, and names who stands still.
    pub async fn feed(&self, clock: &dyn Clock) {
        while !self.is_ready() {
            clock.sleep_until(clock.uptime_ms().saturating_add(FIRST_LOOK_MS)).await;
        }
        self.0.notify.ready(&self.status());
        let mut round = Round::begin(clock.uptime_ms(), self.0.notify.watchdog_ms());
        loop {
            clock.sleep_until(clock.uptime_ms().saturating_add(LOOK_MS)).await;
            if let Some(news) = self.news() {
                self.0.notify.status(&news);
            }
            let now_ms = clock.uptime_ms();
            if !round.is_due(now_ms) {
                continue;
            }
            let expected = self.expected();
            let pulses = expected.iter().map(|pulse| (pulse.name.as_str(), pulse.seen_ms()));
            let Looked { feeds, stands, goes_on } = round.look(now_ms, pulses);
            for (task, seconds) in stands {
                tracing::error!(task, seconds, "a task stands still: the watchdog is not fed any more");
            }
            for task in goes_on {
                tracing::warn!(task, "a task goes on that stood still");
            }
            if feeds {
                self.0.notify.alive();
            }
        }
    }

    /// The names of the tasks that were felt and have not ended, in order.
    #[cfg(test)]
    pub(crate) fn felt(&self) -> Vec<String> {
        let expected = self.expected();
        let felt: BTreeSet<String> =
            expected.iter().filter(|pulse| pulse.seen_ms() > 0).map(|pulse| pulse.name.clone()).collect();
        felt.into_iter().collect()
    }

    fn is_ready(&self) -> bool {
        self.0.begun.load(Ordering::Relaxed) && self.expected().iter().all(|pulse| pulse.seen_ms() > 0)
    }

    fn status(&self) -> String {
        let mut status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.is_news = false;
        status.line(self.0.language)
    }

    fn news(&self) -> Option<String> {
        let is_news = self.0.status.lock().unwrap_or_else(PoisonError::into_inner).is_news;
        is_news.then(|| self.status())
    }

    /// Whom to expect: whoever has not ended; while somebody holds the others up, only him.
    fn expected(&self) -> Vec<Arc<Pulse>> {
        let pulses = self.0.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alive: Vec<Arc<Pulse>> = pulses.iter().filter_map(Weak::upgrade).collect();
        let holds_up = |pulse: &Arc<Pulse>| pulse.holds_up.load(Ordering::Relaxed);
        if alive.iter().any(holds_up) {
            alive.retain(holds_up);
        }
        alive
    }
}

/// What has to be done after a look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Looked {
    feeds: bool,
    /// Who begins to stand still, and for how many seconds nobody was fed.
    stands: Vec<(String, u64)>,
    goes_on: Vec<String>,
}

/// From one feeding to the next.
struct Round {
    fed_ms: u64,
    feed_ms: u64,
    stuck_ms: u64,
    named: BTreeSet<String>,
}

impl Round {
    fn begin(now_ms: u64, watchdog_ms: Option<u64>) -> Round {
        let within = |most: u64, part: u64| watchdog_ms.map_or(most, |ms| most.min(ms / part));
        let (feed_ms, stuck_ms) = (within(FEED_MS, 3), within(STUCK_MS, 2));
        Round { fed_ms: now_ms, feed_ms, stuck_ms, named: BTreeSet::new() }
    }

    fn is_due(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.fed_ms) >= self.feed_ms
    }

    /// Feeds if every pulse was felt since the last feeding.
    fn look<'p>(&mut self, now_ms: u64, pulses: impl Iterator<Item = (&'p str, u64)>) -> Looked {
        let since_ms = now_ms.saturating_sub(self.fed_ms);
        let mut looked = Looked::default();
        let still = pulses.filter(|(_, seen_ms)| *seen_ms < self.fed_ms);
        let still: BTreeSet<String> = still.map(|(name, _)| name.to_owned()).collect();
        looked.goes_on = self.named.difference(&still).cloned().collect();
        self.named.retain(|name| still.contains(name));
        if still.is_empty() {
            self.fed_ms = now_ms;
            looked.feeds = true;
        } else if since_ms >= self.stuck_ms {
            let fresh = still.difference(&self.named);
            looked.stands = fresh.map(|name| (name.clone(), since_ms / 1_000)).collect();
            self.named = still;
        }
        looked
    }
}

#[cfg(test)]
mod tests;
