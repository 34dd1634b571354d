//! PURE file. All alarms that are not over, and what time, records, silence and people make of them. Told the time, never
//! asks for it; tells steps, and leaves it to others to keep and to send them.

mod absent;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Regime,
    ahead::{Ahead, Time},
    alarm::{Alarm, Hand, MAX_RETIRED_MS, MAX_SHELF_MS, Step, first_level},
    cause::{Cause, Kind},
    condition::{About, AlarmId, Settled, Shown, Waiting},
    doubt::Doubts,
    escalation,
    outage::{self, Heard, SILENT_MS},
    state::{Event, Hush, Life, Unfit},
    wider::Wider,
};
use crate::terms::{Digest, Name, place::Division};

/// What a person may do about an alarm. Opening the latch of a violation is not among it: that is a signed act to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was seen.
    Acknowledge,
    /// Put it aside until this time, Unix milliseconds; no longer than [`MAX_SHELF_MS`].
    Shelve(i64),
    /// Take it back from there.
    Unshelve,
    /// Take it out of service until this time, Unix milliseconds; no longer than [`MAX_RETIRED_MS`], and no violation and
    /// nothing that may be tampering.
    Retire(i64),
    /// Take it back into service.
    Restore,
}

impl Deed {
    const fn event(self) -> Event {
        match self {
            Deed::Acknowledge => Event::Acknowledge,
            Deed::Shelve(_) => Event::Shelve,
            Deed::Unshelve => Event::Unshelve,
            Deed::Retire(_) => Event::Retire,
            Deed::Restore => Event::Restore,
        }
    }
}

/// Why a person's deed is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such alarm, or it is over.
    Unknown,
    /// It would change nothing, or cannot be done to an alarm in this state.
    Unfit(super::State),
    /// The time lies behind, or further ahead than seven days; of what is taken out of service thirty.
    Until,
    /// It is not as it was when somebody saw it.
    Changed,
    /// It has been put aside since it was raised, and seven days from then would be over.
    Again,
    /// A violation, or what may be tampering, is never out of service.
    Kept(Kind),
}

/// What has come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps, in order.
    pub steps: Vec<Step>,
    /// Conditions that were looked at.
    pub settled: Vec<Settled>,
}

/// Whether we ourselves hear anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Our name among several collectors.
    pub collector: Option<Name>,
    /// Whether the line to the broker stands.
    pub hears: bool,
}

/// Something that stands, or has ended, and has not done so for long enough.
#[derive(Clone, Copy, Debug)]
struct Held {
    about: About,
    shown: Shown,
    since_unix_ms: i64,
    record: Option<Digest>,
    gateways: Option<u32>,
    /// Whether it is kept in the store, which is to be told once it is settled.
    is_kept: bool,
}

/// All alarms that are not over.
#[derive(Debug, Default)]
pub struct Board {
    alarms: BTreeMap<AlarmId, Alarm>,
    held: BTreeMap<AlarmId, Held>,
    /// Since when the line to the broker stands, Unix milliseconds.
    hears_since_unix_ms: Option<i64>,
    /// Whether the alarm that it does not stands since we have heard nothing. Where it does no longer, a fellow hears.
    is_told_deaf: bool,
    ahead: Ahead,
    doubts: Doubts,
    regime: Regime,
}

impl Board {
    /// The board as it was left.
    pub fn of(alarms: Vec<Alarm>) -> Board {
        let alarms = alarms.into_iter().map(|alarm| (alarm.id, alarm)).collect();
        Board { alarms, ..Board::default() }
    }

    /// An empty board, by what an authority has decided.
    pub fn under(regime: Regime) -> Board {
        Board { regime, ..Board::default() }
    }

    /// The board as somebody else has left it meanwhile. What is held goes on being held.
    pub fn reread(&mut self, alarms: Vec<Alarm>) {
        self.alarms = alarms.into_iter().map(|alarm| (alarm.id, alarm)).collect();
    }

    /// All of them, by identifier.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.values()
    }

    /// One of them.
    pub fn alarm(&self, id: AlarmId) -> Option<&Alarm> {
        self.alarms.get(&id)
    }

    /// How many of a kind stand, whoever has acknowledged them, in a division; a violation does though it was put aside.
    pub fn standing(&self, kind: Kind, within: Division) -> usize {
        let counts = |alarm: &&Alarm| {
            let about = &alarm.about;
            about.cause.kind() == kind
                && about.concerns(within)
                && alarm.state.life.is_standing()
                && (alarm.state.hush == Hush::Open || kind.is_kept())
        };
        self.alarms.values().filter(counts).count()
    }

    /// Hears what a record said.
    pub fn hear(&mut self, waiting: &Waiting) {
        let Waiting { about, shown, changed_unix_ms, record } = *waiting;
        let held =
            Held { about, shown, since_unix_ms: changed_unix_ms, record, gateways: None, is_kept: true };
        self.held.insert(about.id(), held);
    }

    /// Looks at who was heard when. While we ourselves hear nothing, and for as long afterwards as a gateway may be quiet,
    /// nobody is called silent.
    pub fn look(&mut self, fleet: &[Heard], own: Own, now_unix_ms: i64) {
        let ours = About {
            cause: Cause::Unreachable,
            division: Division::NATION,
            enterprise: None,
            gateway: None,
            subject: own.collector,
        };
        self.look_at_clock(now_unix_ms);
        if !own.hears {
            self.hears_since_unix_ms = None;
            let stands = self.stands(ours.id());
            // A fellow that hears has taken it back: gateways are called silent.
            if stands || !self.is_told_deaf {
                self.want(ours, true, None, now_unix_ms);
            }
            self.is_told_deaf |= stands;
            return;
        }
        self.is_told_deaf = false;
        // Whoever hears says so for all: one that is gone will never do it for itself.
        for about in self.known_of(&[Cause::Unreachable]) {
            self.want(about, false, None, now_unix_ms);
        }
        let mut fleet = fleet.to_vec();
        for heard in &mut fleet {
            let heard_unix_ms = heard.heard_unix_ms;
            heard.heard_unix_ms = self.ahead.see(Time::Heard(heard.gateway), heard_unix_ms, now_unix_ms);
        }
        let since = self.hears_since_unix_ms.get_or_insert(now_unix_ms);
        *since = now_unix_ms.min(*since);
        if now_unix_ms.saturating_sub(*since) >= SILENT_MS {
            self.look_for_silence(&fleet, now_unix_ms);
        }
    }

    fn look_for_silence(&mut self, fleet: &[Heard], now_unix_ms: i64) {
        let wider = Wider::of(self.alarms.values(), &self.ahead);
        let found = outage::outages(fleet, &wider.places(), self.regime.outage, now_unix_ms);
        let again = outage::outages(&wider.later(fleet), &BTreeSet::new(), self.regime.outage, now_unix_ms);
        let mut wanted = BTreeSet::new();
        for (division, silent) in &found {
            let about = outage_of(*division);
            wanted.insert(about.id());
            self.want(about, true, Some(*silent), now_unix_ms);
        }
        for heard in fleet.iter().filter(|heard| heard.is_silent(now_unix_ms)) {
            let about = silence_of(heard);
            // What a wider alarm tells of is not told again; what was told before goes on, and shows that. Whoever was
            // heard while it stood and falls silent alone is told for himself, and so is who was convicted.
            let is_alone = wider.is_later(heard) && !outage::covers(&again, heard.division);
            let is_told =
                outage::covers(&found, heard.division) && !is_alone && !wider.convicts(heard.gateway);
            if !is_told || self.stands(about.id()) {
                wanted.insert(about.id());
                self.want(about, true, None, now_unix_ms);
            }
        }
        for about in self.known_of(&[Cause::Outage, Cause::Silent]) {
            // An outage that is told of and has become part of a wider one goes on, and shows that.
            let is_within = about.cause == Cause::Outage && outage::covers(&found, about.division);
            let goes_on = wanted.contains(&about.id()) || (is_within && self.stands(about.id()));
            if !goes_on {
                self.want(about, false, None, now_unix_ms);
            }
        }
    }

    fn known_of(&self, causes: &[Cause]) -> Vec<About> {
        let of_alarms = self.alarms.values().map(|alarm| alarm.about);
        let all = of_alarms.chain(self.held.values().map(|held| held.about));
        all.filter(|about| causes.contains(&about.cause)).collect()
    }

    fn stands(&self, id: AlarmId) -> bool {
        self.alarms.get(&id).is_some_and(|alarm| alarm.state.life.is_standing())
    }

    /// Holds what is seen until it has been seen for long enough.
    fn want(&mut self, about: About, is_so: bool, gateways: Option<u32>, now_unix_ms: i64) {
        let id = about.id();
        if self.stands(id) == is_so {
            self.held.remove(&id);
            return;
        }
        let shown = if is_so { Shown::Active } else { Shown::Clear };
        let (since_unix_ms, record, is_kept) = (now_unix_ms, None, false);
        let new = Held { about, shown, since_unix_ms, record, gateways, is_kept };
        let held = self.held.entry(id).or_insert(new);
        if held.shown != shown {
            *held = new;
        }
        held.gateways = gateways;
    }

    /// Everything that time makes of it: delays that have passed, shelves that are over, wider alarms, levels.
    pub fn tick(&mut self, now_unix_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        self.look_at_clock(now_unix_ms);
        self.look_at_doubts();
        let held: Vec<(AlarmId, Held)> = self.held.iter().map(|(id, held)| (*id, *held)).collect();
        for (id, held) in held {
            self.settle(id, &held, now_unix_ms, &mut outcome);
        }
        let ahead = std::mem::take(&mut self.ahead);
        let is_over = |alarm: &Alarm| {
            let (event, most_ms) = aside(alarm.state.hush)?;
            let is_past = alarm.until_unix_ms.is_none_or(|until| {
                let begins = until.saturating_sub(most_ms);
                let moved_ms = begins.saturating_sub(ahead.of(Time::Aside(alarm.id), begins));
                until.saturating_sub(moved_ms) <= now_unix_ms
            });
            is_past.then_some(event)
        };
        self.each(is_over, now_unix_ms, &mut outcome);
        let wider = Wider::of(self.alarms.values(), &ahead);
        self.each(|alarm| wider.inhibition(alarm, &ahead), now_unix_ms, &mut outcome);
        let regime = self.regime;
        let is_due = |alarm: &Alarm| {
            let raised_unix_ms = ahead.of(Time::Raised(alarm.id), alarm.raised_unix_ms);
            escalation::is_due(alarm, raised_unix_ms, &regime, now_unix_ms).then_some(Event::Escalate)
        };
        self.each(is_due, now_unix_ms, &mut outcome);
        self.ahead = ahead;
        outcome
    }

    /// Sees what is in doubt, and is not told yet.
    fn look_at_doubts(&mut self) {
        let Board { held, ahead, doubts, .. } = self;
        let held = held.iter().filter(|(_, held)| held.shown == Shown::Active);
        doubts.look(held.map(|(id, held)| (held.about, ahead.of(Time::Held(*id), held.since_unix_ms))));
    }

    /// Sees which times lie ahead, and forgets those of what is gone.
    fn look_at_clock(&mut self, now_unix_ms: i64) {
        let Board { alarms, held, ahead, .. } = self;
        ahead.retain(|time| match time {
            Time::Held(id) => held.contains_key(id),
            Time::Raised(id) | Time::Aside(id) => alarms.contains_key(id),
            Time::Heard(_) | Time::Told(_) | Time::Admitted(_) => true,
        });
        for (id, held) in held {
            ahead.see(Time::Held(*id), held.since_unix_ms, now_unix_ms);
        }
        for alarm in alarms.values() {
            ahead.see(Time::Raised(alarm.id), alarm.raised_unix_ms, now_unix_ms);
            if let Some(((_, most_ms), until)) = aside(alarm.state.hush).zip(alarm.until_unix_ms) {
                // However late it ends, it began no later than now.
                ahead.see(Time::Aside(alarm.id), until.saturating_sub(most_ms), now_unix_ms);
            }
        }
    }

    fn settle(&mut self, id: AlarmId, held: &Held, now_unix_ms: i64, outcome: &mut Outcome) {
        let life = self.alarms.get(&id).map_or(Life::Normal, |alarm| alarm.state.life);
        let mut shown = held.shown;
        if let Some(event) = needed(life, held.shown) {
            let delays = held.about.cause.delays();
            let delay_ms = if event == Event::Clear { delays.off_ms } else { delays.on_ms };
            let mut since_unix_ms = self.ahead.of(Time::Held(id), held.since_unix_ms);
            if event == Event::Raise {
                since_unix_ms = self.doubts.since(&held.about, since_unix_ms);
            }
            if now_unix_ms.saturating_sub(since_unix_ms) < delay_ms {
                return;
            }
            self.take(id, held, event, now_unix_ms, outcome);
            if held.about.cause.is_moment() {
                self.take(id, held, Event::Clear, now_unix_ms, outcome);
                shown = Shown::Clear;
            }
        }
        self.held.remove(&id);
        if held.is_kept {
            let (changed_unix_ms, was) = (held.since_unix_ms, held.shown);
            outcome.settled.push(Settled { id, changed_unix_ms, was, shown });
        }
    }

    fn take(&mut self, id: AlarmId, held: &Held, event: Event, at_unix_ms: i64, outcome: &mut Outcome) {
        let alarm = self.alarms.get(&id).cloned().unwrap_or_else(|| Alarm::unheard(held.about));
        if let Ok(step) = alarm.step(event, at_unix_ms) {
            // What was raised before its county was known goes to that county now.
            let is_placed =
                alarm.about.division == Division::NATION && held.about.division != Division::NATION;
            let level = if is_placed { first_level(&held.about) } else { step.level };
            // What was raised stays where that was, though its gateway speaks from elsewhere now; and so does tampering that
            // nobody there has acknowledged, though it is over.
            let is_open = alarm.about.cause.kind() == Kind::Tamper && alarm.state.life.is_unacknowledged();
            let begins =
                matches!(event, Event::Raise | Event::Settle) && !alarm.state.life.is_standing() && !is_open;
            let stays = !begins && alarm.about.division != Division::NATION;
            let about = if stays { alarm.about } else { held.about };
            let moves = begins && about.division != alarm.about.division;
            let level = if moves { first_level(&about) } else { level };
            let step = Step { about, record: held.record, gateways: held.gateways, level, ..step };
            self.apply(&alarm, step, outcome);
        }
    }

    /// Takes the step that each alarm is due.
    fn each(&mut self, due: impl Fn(&Alarm) -> Option<Event>, at_unix_ms: i64, outcome: &mut Outcome) {
        let due: Vec<(Alarm, Event)> =
            self.alarms.values().filter_map(|alarm| Some((alarm.clone(), due(alarm)?))).collect();
        for (alarm, event) in due {
            if let Ok(step) = alarm.step(event, at_unix_ms) {
                self.apply(&alarm, step, outcome);
            }
        }
    }

    fn apply(&mut self, alarm: &Alarm, step: Step, outcome: &mut Outcome) {
        let Ok(after) = alarm.after(&step) else { return };
        if after.state.is_over() {
            self.alarms.remove(&after.id);
        } else {
            self.alarms.insert(after.id, after);
        }
        outcome.steps.push(step);
    }

    /// Does what a person wants done.
    ///
    /// # Errors
    /// Why not; nothing has changed.
    pub fn act(&mut self, id: AlarmId, deed: Deed, hand: Hand, now_unix_ms: i64) -> Result<Outcome, Refused> {
        let alarm = self.alarms.get(&id).cloned().ok_or(Refused::Unknown)?;
        let until_unix_ms = match deed {
            Deed::Shelve(until) if !(1..=MAX_SHELF_MS).contains(&until.saturating_sub(now_unix_ms)) => {
                return Err(Refused::Until);
            }
            Deed::Retire(_) if alarm.about.cause.kind().is_kept() => {
                return Err(Refused::Kept(alarm.about.cause.kind()));
            }
            Deed::Retire(until) if !(1..=MAX_RETIRED_MS).contains(&until.saturating_sub(now_unix_ms)) => {
                return Err(Refused::Until);
            }
            Deed::Shelve(until) | Deed::Retire(until) => Some(until),
            Deed::Acknowledge | Deed::Unshelve | Deed::Restore => None,
        };
        let step = alarm.step(deed.event(), now_unix_ms).map_err(|Unfit| Refused::Unfit(alarm.state))?;
        let mut outcome = Outcome::default();
        self.apply(&alarm, Step { hand: Some(hand), until_unix_ms, ..step }, &mut outcome);
        Ok(outcome)
    }
}

/// How what was put aside comes back, and the longest time it may be, in milliseconds.
const fn aside(hush: Hush) -> Option<(Event, i64)> {
    match hush {
        Hush::Shelved => Some((Event::Unshelve, MAX_SHELF_MS)),
        Hush::OutOfService => Some((Event::Restore, MAX_RETIRED_MS)),
        Hush::Open | Hush::Suppressed => None,
    }
}

/// The alarm of a division's outage.
fn outage_of(division: Division) -> About {
    About { cause: Cause::Outage, division, enterprise: None, gateway: None, subject: None }
}

/// The alarm of a gateway's silence.
fn silence_of(heard: &Heard) -> About {
    About {
        cause: Cause::Silent,
        division: heard.division,
        enterprise: Some(heard.enterprise),
        gateway: Some(heard.gateway),
        subject: None,
    }
}

/// What is to happen to an alarm so that it shows what is seen.
fn needed(life: Life, shown: Shown) -> Option<Event> {
    match (life, shown) {
        (Life::UnackActive | Life::AckActive, Shown::Active)
        | (Life::UnackLatched | Life::AckLatched, Shown::Latched)
        | (Life::Normal | Life::UnackReturned, Shown::Clear) => None,
        (Life::Normal | Life::UnackReturned | Life::UnackLatched | Life::AckLatched, Shown::Active) => {
            Some(Event::Raise)
        }
        (Life::Normal | Life::UnackActive | Life::AckActive | Life::UnackReturned, Shown::Latched) => {
            Some(Event::Settle)
        }
        (Life::UnackActive | Life::AckActive | Life::UnackLatched | Life::AckLatched, Shown::Clear) => {
            Some(Event::Clear)
        }
    }
}

#[cfg(test)]
mod tests;
