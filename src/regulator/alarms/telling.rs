//! Has receivers told. Who is due is claimed in the store first, so that of several collectors one tells him; then it is
//! handed over; and it counts as told once it was taken. Whatever happens in between, it is told again or was told.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Alarm, AlarmId, Board, Entry, KeptPager, Kind, Notification, Receiver, Step, Way,
    left::{is_left, left},
    log::PAGE,
    notice::{MOST_ALERTS, REPEAT_MS, standing_alerts, topic},
    outs::Outs,
    pager::{MOST_NAMED, News, Pager},
};
use crate::{
    host::exit::{Exit, Failure},
    regulator::{
        collector::Outgoing,
        store::{AlarmBatch, Answered, Store, StoreFault},
    },
    terms::Name,
};

/// How often it is tried to take down that somebody was told, because the log has grown meanwhile.
const MAX_TRIES: u32 = 8;

/// One receiver, one kind, and the notification that is on its way to him.
#[derive(Debug)]
struct Each {
    receiver: Receiver,
    pager: Pager,
    on_its_way: Option<Notification>,
    /// Whether the last one was not taken.
    is_refused: bool,
    /// When an Alertmanager was told all that stands, Unix milliseconds.
    repeated_unix_ms: Option<i64>,
}

/// Has receivers told.
#[derive(Debug, Default)]
pub(super) struct Telling {
    receivers: Vec<Receiver>,
    outs: Option<Outs>,
    each: Vec<Each>,
    /// What is to be published.
    ready: Vec<Outgoing>,
    /// Whose notifications were taken, and it is not taken down yet.
    taken: Vec<(Name, Kind)>,
    /// Notifications that were taken since the start.
    pub(super) told: u64,
    /// Notifications that were tried in vain since the start; they are told again.
    pub(super) untaken: u64,
}

impl Telling {
    pub(super) fn of(receivers: Vec<Receiver>) -> Result<Telling, Failure> {
        let needs_outs = receivers.iter().any(|receiver| receiver.way != Way::Mqtt);
        let outs = if needs_outs { Some(Outs::start()?) } else { None };
        Ok(Telling { receivers, outs, ..Telling::default() })
    }

    /// A step of the log.
    pub(super) fn on(&mut self, number: u64, step: &Step) {
        self.each.iter_mut().for_each(|each| each.pager.on(number, step, &each.receiver));
    }

    /// What is to be published, retained, since it was asked last.
    pub(super) fn ready(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.ready)
    }

    /// How many receivers have something to be told of a kind, or are being told it.
    pub(super) fn waiting(&self) -> usize {
        self.each.iter().filter(|each| each.pager.due_unix_ms().is_some()).count()
    }

    /// How many receivers have not taken the last notification of a kind, and are to be told it again.
    pub(super) fn refused(&self) -> usize {
        self.each.iter().filter(|each| each.is_refused && each.pager.due_unix_ms().is_some()).count()
    }

    /// Follows what others have told, and reads the log from where each receiver was told; false where it has grown.
    pub(super) fn read(&mut self, store: &mut dyn Store, newest: u64) -> Answered<bool> {
        let kept = store.pagers()?.into_iter().map(|kept| ((kept.receiver, kept.kind), kept));
        let kept: BTreeMap<(Name, Kind), KeptPager> = kept.collect();
        let before = std::mem::take(&mut self.each).into_iter().map(|each| (each.key(), each));
        let mut before: BTreeMap<(Name, Kind), Each> = before.collect();
        let mut new = Vec::new();
        for (receiver, kind) in self.receivers.iter().flat_map(|one| one.kinds.iter().map(move |k| (one, *k)))
        {
            let key = (receiver.name, kind);
            let known = before.remove(&key);
            let (is_refused, repeated_unix_ms) =
                known.as_ref().map_or((false, None), |each| (each.is_refused, each.repeated_unix_ms));
            let pager = match (kept.get(&key), known) {
                // What it has read and not told yet it goes on knowing.
                (Some(kept), Some(each)) if each.pager.kept() == *kept => {
                    self.each.push(each);
                    continue;
                }
                (Some(kept), _) => Pager::of(*kept),
                (None, _) => {
                    let pager = Pager::beginning(receiver.name, kind, newest);
                    new.push((None, pager.kept()));
                    pager
                }
            };
            let receiver = receiver.clone();
            self.each.push(Each { receiver, pager, on_its_way: None, is_refused, repeated_unix_ms });
        }
        let begins = AlarmBatch { after: newest, pagers: new, ..AlarmBatch::default() };
        if !begins.is_empty() && !store.keep_alarms(&begins)? {
            return Ok(false);
        }
        self.catch_up(store).map(|()| true)
    }

    fn catch_up(&mut self, store: &mut dyn Store) -> Answered<()> {
        let mut from = self.each.iter().map(|each| each.pager.read()).min();
        while let Some(after) = from.take() {
            for kept in store.steps_after(after, PAGE)? {
                from = Some(kept.number);
                let entry = Entry::own(&kept.bytes).map_err(|why| {
                    let what = format!("step {} of the desk's log: {why}", kept.number);
                    StoreFault::Failed(Failure::new(Exit::Bug, what))
                })?;
                self.on(kept.number, &entry.step);
            }
        }
        Ok(())
    }

    /// Has told who is due to be, by MQTT only while the broker is there; false where the log has grown, or another collector is at telling one of them.
    pub(super) fn tell(
        &mut self,
        store: &mut dyn Store,
        (board, hears): (&Board, bool),
        newest: u64,
        now_unix_ms: i64,
    ) -> Answered<bool> {
        let Telling { outs, each, ready, .. } = self;
        for each in each {
            each.repeat(store, (board, outs.as_ref()), now_unix_ms)?;
            let Each { receiver, pager, on_its_way, .. } = each;
            pager.see(now_unix_ms);
            let was = pager.kept();
            if let Some(caught_up) = pager.idle() {
                if !keep(store, newest, was, caught_up)? {
                    return Ok(false);
                }
                pager.caught_up(caught_up);
                continue;
            }
            // While the broker is away nothing is piled up for it.
            let has_room = match receiver.way {
                Way::Mqtt => hears,
                Way::Command(_) | Way::Webhook(_) => outs.as_ref().is_some_and(Outs::has_room),
            };
            let standing = board.standing(was.kind, receiver.division);
            let most_named = if receiver.way.is_alertmanager() { MOST_ALERTS } else { MOST_NAMED };
            let due = pager.due_naming(most_named, standing, now_unix_ms);
            let Some(mut notification) = due.filter(|_| has_room) else { continue };
            for (_, news) in &mut notification.news {
                news.is_left = news.state.life.is_standing() && is_left(store, &news.about)?;
            }
            let claimed = KeptPager { claimed_unix_ms: Some(now_unix_ms), ..was };
            if !keep(store, newest, was, claimed)? {
                return Ok(false);
            }
            pager.claim(now_unix_ms);
            let raised = |id: AlarmId| board.alarm(id).map(|alarm| alarm.raised_unix_ms);
            hand_over(&receiver.way, outs.as_ref(), ready, (&notification, &raised));
            *on_its_way = Some(notification);
        }
        Ok(true)
    }

    /// The broker has taken what was published there.
    pub(super) fn published(&mut self, topics: &[String]) {
        let whose = |each: &Each| each.receiver.way == Way::Mqtt && topics.contains(&each.topic());
        self.taken.extend(self.each.iter().filter(|each| whose(each)).map(Each::key));
    }

    /// Takes down who was told.
    pub(super) fn take_down(&mut self, store: &mut dyn Store) -> Answered<()> {
        while let Some((receiver, kind, is_taken)) = self.outs.as_mut().and_then(Outs::carried) {
            if is_taken {
                self.taken.push((receiver, kind));
            } else {
                self.untaken += 1;
            }
            let whose = |each: &&mut Each| each.key() == (receiver, kind);
            if let Some(each) = self.each.iter_mut().find(whose) {
                each.is_refused = !is_taken;
            }
        }
        while let Some(key) = self.taken.last().copied() {
            let each = self.each.iter_mut().find(|each| each.key() == key);
            if let Some(each) = each
                && let Some(notification) = each.on_its_way.clone()
            {
                let mut told = each.pager.clone();
                told.told(&notification);
                if keep_at_last(store, each.pager.kept(), told.kept())? {
                    each.pager = told;
                }
                each.on_its_way = None;
                self.told += 1;
            }
            self.taken.pop();
        }
        Ok(())
    }
}

impl Each {
    fn key(&self) -> (Name, Kind) {
        let KeptPager { receiver, kind, .. } = self.pager.kept();
        (receiver, kind)
    }

    fn topic(&self) -> String {
        let (receiver, kind) = self.key();
        topic(receiver, kind)
    }

    /// Tells an Alertmanager all that stands, so that it goes on standing there, and what does so no longer, so that it
    /// waits for no pause of a storm.
    fn repeat(
        &mut self,
        store: &mut dyn Store,
        (board, outs): (&Board, Option<&Outs>),
        now_unix_ms: i64,
    ) -> Answered<()> {
        let is_soon = |told: i64| (0..REPEAT_MS).contains(&now_unix_ms.saturating_sub(told));
        if !self.receiver.way.is_alertmanager() || self.repeated_unix_ms.is_some_and(is_soon) {
            return Ok(());
        }
        let body = self.standing(store, board, now_unix_ms)?;
        let is_handed_over = body.as_array().is_some_and(Vec::is_empty)
            || outs.is_some_and(|outs| outs.repeat(&self.receiver.way, self.key(), &body));
        if is_handed_over {
            self.repeated_unix_ms = Some(now_unix_ms);
        }
        Ok(())
    }

    /// What stands for him, the most urgent first, and what does so no longer, as an Alertmanager takes it.
    fn standing(&self, store: &mut dyn Store, board: &Board, now_unix_ms: i64) -> Answered<Value> {
        let stands = |alarm: &&Alarm| {
            self.receiver.is_concerned(&alarm.about, alarm.level)
                && alarm.about.cause.kind() == self.pager.kept().kind
                && self.receiver.stands(&alarm.about, alarm.state)
        };
        let mut alarms: Vec<&Alarm> = board.alarms().filter(stands).collect();
        alarms.sort_by_key(|alarm| (alarm.about.cause.priority(), alarm.raised_unix_ms, alarm.id));
        alarms.truncate(MOST_ALERTS);
        let left = left(store, alarms.iter().copied())?;
        let alarms: Vec<(&Alarm, bool)> =
            alarms.into_iter().map(|alarm| (alarm, left.contains(&alarm.id))).collect();
        let ended: Vec<&News> = self.pager.ended().take(MOST_ALERTS).collect();
        Ok(standing_alerts(self.receiver.name, &alarms, &ended, now_unix_ms))
    }
}

/// What is lost on the way is told again once its claim has run out.
fn hand_over(
    way: &Way,
    outs: Option<&Outs>,
    ready: &mut Vec<Outgoing>,
    (notification, raised): (&Notification, &dyn Fn(AlarmId) -> Option<i64>),
) {
    match way {
        Way::Mqtt => {
            let topic = topic(notification.receiver, notification.kind);
            ready.push(Outgoing { topic, bytes: notification.to_json().to_string().into_bytes() });
        }
        Way::Command(_) | Way::Webhook(_) => {
            let body =
                if way.is_alertmanager() { notification.to_alerts(raised) } else { notification.to_json() };
            if !outs.is_some_and(|outs| outs.hand_over(way, notification, &body)) {
                tracing::warn!(receiver = %notification.receiver, "too many notifications wait to leave");
            }
        }
    }
}

fn keep(store: &mut dyn Store, newest: u64, was: KeptPager, is: KeptPager) -> Answered<bool> {
    store.keep_alarms(&AlarmBatch { after: newest, pagers: vec![(Some(was), is)], ..AlarmBatch::default() })
}

/// Keeps it though the log may grow meanwhile; false where another collector has told him.
fn keep_at_last(store: &mut dyn Store, was: KeptPager, is: KeptPager) -> Answered<bool> {
    for _ in 0..MAX_TRIES {
        let newest = store.newest_step()?.map_or(0, |(number, _)| number);
        if keep(store, newest, was, is)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        regulator::alarms::{Cause, Event, alarm::tests::about},
        terms::place::{Division, Level},
    };

    #[test]
    fn who_is_to_be_told_nothing_any_longer_owes_no_answer() {
        let receiver = Receiver {
            name: Name::new("desk").unwrap(),
            division: Division::parse("130421").unwrap(),
            hears: Level::County,
            kinds: vec![Kind::Tamper],
            way: Way::Mqtt,
        };
        let pager = Pager::beginning(receiver.name, Kind::Tamper, 0);
        let each = Each { receiver, pager, on_its_way: None, is_refused: true, repeated_unix_ms: None };
        let mut telling = Telling { each: vec![each], ..Telling::default() };
        let alarm = Alarm::unheard(about(Cause::Tamper, "gw-1", "130421"));
        let raised = alarm.step(Event::Raise, 0).unwrap();
        telling.on(1, &raised);
        assert_eq!((telling.waiting(), telling.refused()), (1, 1));
        let shelved = alarm.after(&raised).unwrap().step(Event::Shelve, 1).unwrap();
        telling.on(2, &shelved);
        assert_eq!((telling.waiting(), telling.refused()), (0, 0));
    }
}
