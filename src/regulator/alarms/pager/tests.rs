use proptest::prelude::*;

use super::*;
use crate::{
    regulator::alarms::{
        alarm::{Alarm, tests::about},
        cause::Cause,
        receiver::{Format, Way, Webhook},
    },
    terms::place::Division,
};

const HOUR_MS: i64 = 3_600_000;

fn receiver(division: &str, hears: Level) -> Receiver {
    Receiver {
        name: Name::new("desk").unwrap(),
        division: Division::parse(division).unwrap(),
        hears,
        kinds: Kind::ALL.to_vec(),
        way: Way::Mqtt,
    }
}

fn pager(kind: Kind) -> Pager {
    Pager::beginning(Name::new("desk").unwrap(), kind, 0)
}

fn raised(cause: Cause, gateway: &str, at: i64) -> Step {
    Alarm::unheard(about(cause, gateway, "130421")).step(Event::Raise, at).unwrap()
}

#[test]
fn what_comes_at_once_is_told_at_once_and_once() {
    let desk = receiver("130000", Level::County);
    let mut pager = pager(Kind::EvidenceMissing);
    for n in 0..500 {
        pager.on(n + 1, &raised(Cause::Silent, &format!("gw-{n}"), 1_000), &desk);
    }
    assert_eq!(pager.due(500, 1_000 + GROUP_WAIT_MS - 1), None);
    let told = pager.due(500, 1_000 + GROUP_WAIT_MS).unwrap();
    assert_eq!((told.news.len(), told.further, told.upto), (MOST_NAMED, 480, 500));
    pager.told(&told);
    assert_eq!(pager.due_unix_ms(), None);
    assert_eq!(pager.kept().upto, 500);
    // What was handed over before a stop is not read again after it.
    let mut again = Pager::of(pager.kept());
    again.on(500, &raised(Cause::Silent, "gw-1", 1_000), &desk);
    assert_eq!(again.due_unix_ms(), None);
}

#[test]
fn a_gateway_with_thousands_keeps_no_other_out_of_what_is_named() {
    let desk = receiver("130000", Level::County);
    let mut pager = pager(Kind::Violation);
    for n in 0..3_000_u64 {
        let of_order = About {
            subject: Name::new(&format!("order-{n}")),
            ..about(Cause::CutViolated, "gw-flood", "130421")
        };
        pager.on(n + 1, &Alarm::unheard(of_order).step(Event::Raise, 1_000).unwrap(), &desk);
    }
    pager.on(3_001, &raised(Cause::Violation, "gw-victim", 2_000), &desk);
    let told = pager.due(3_001, 1_000 + GROUP_WAIT_MS).unwrap();
    let named: Vec<String> =
        told.news.iter().filter_map(|(_, news)| news.about.gateway).map(|g| g.to_string()).collect();
    assert_eq!(named.len(), MOST_NAMED);
    assert_eq!(named.iter().filter(|gateway| *gateway == "gw-victim").count(), 1);
}

#[test]
fn kinds_are_never_merged_and_what_is_put_aside_is_not_told() {
    let desk = receiver("130000", Level::County);
    let mut violations = pager(Kind::Violation);
    violations.on(1, &raised(Cause::Silent, "gw-1", 0), &desk);
    assert_eq!(violations.due_unix_ms(), None);
    let step = raised(Cause::Violation, "gw-1", 0);
    violations.on(2, &step, &desk);
    assert_eq!(violations.due_unix_ms(), Some(GROUP_WAIT_MS));
    // A county puts it aside for itself.
    let alarm = Alarm::unheard(step.about).after(&step).unwrap();
    violations.on(3, &alarm.step(Event::Shelve, 1).unwrap(), &desk);
    assert_eq!(violations.due_unix_ms(), Some(GROUP_WAIT_MS));
    let county = receiver("130421", Level::County);
    let mut own = Pager::beginning(county.name, Kind::Violation, 0);
    own.on(2, &step, &county);
    own.on(3, &alarm.step(Event::Shelve, 1).unwrap(), &county);
    assert_eq!(own.due_unix_ms(), None);
}

/// An alarm, and whoever is told of it.
struct Told {
    alarm: Alarm,
    number: u64,
    now: i64,
    pagers: Vec<(Receiver, Pager)>,
}

impl Told {
    fn of(cause: Cause, receivers: Vec<Receiver>) -> Told {
        let alarm = Alarm::unheard(about(cause, "gw-1", "130421"));
        let begin = |one: Receiver| {
            let pager = Pager::beginning(one.name, cause.kind(), 0);
            (one, pager)
        };
        Told { alarm, number: 0, now: 0, pagers: receivers.into_iter().map(begin).collect() }
    }

    fn on(&mut self, events: &[Event]) {
        for event in events {
            let step = self.alarm.step(*event, self.now).unwrap();
            self.alarm = self.alarm.after(&step).unwrap();
            self.number += 1;
            self.pagers.iter_mut().for_each(|(one, pager)| pager.on(self.number, &step, one));
        }
    }

    /// What each is told once every pause is over: the event, and whether it stands.
    fn hear(&mut self) -> Vec<Option<(Event, bool)>> {
        self.now += 24 * HOUR_MS;
        let now = self.now;
        let tell = |(_, pager): &mut (Receiver, Pager)| {
            let notification = pager.due(1, now)?;
            pager.told(&notification);
            notification.news.first().map(|(_, news)| (news.event, news.stands))
        };
        self.pagers.iter_mut().map(tell).collect()
    }
}

fn alertmanager(division: &str, hears: Level) -> Receiver {
    let webhook = Webhook { url: "http://[::1]/".to_owned(), format: Format::Alertmanager, ca: None };
    Receiver { way: Way::Webhook(webhook), ..receiver(division, hears) }
}

#[test]
fn what_happened_and_is_over_stands_at_an_alertmanager_until_somebody_acknowledges_it() {
    let mut told = Told::of(Cause::PlateEdited, vec![alertmanager("130000", Level::County)]);
    told.on(&[Event::Raise, Event::Clear]);
    assert_eq!(told.hear(), [Some((Event::Raise, true))]);
    told.on(&[Event::Acknowledge]);
    assert_eq!(told.hear(), [Some((Event::Acknowledge, false))]);
}

#[test]
fn who_was_told_that_it_stands_is_told_that_it_is_over_whatever_it_was_put_aside_for() {
    for (hush, back) in
        [(Event::Shelve, Event::Unshelve), (Event::Inhibit, Event::Release), (Event::Retire, Event::Restore)]
    {
        let both = || vec![alertmanager("130000", Level::County), receiver("130000", Level::County)];
        let mut told = Told::of(Cause::Silent, both());
        told.on(&[Event::Raise, Event::Acknowledge]);
        assert_eq!(told.hear(), [Some((Event::Raise, true)); 2]);
        // There it ends at once; who is told events is told the end.
        told.on(&[hush]);
        assert_eq!(told.hear(), [Some((hush, false)), None], "{hush:?}");
        told.on(&[Event::Clear]);
        assert_eq!(told.hear(), [None, Some((Event::Clear, false))], "{hush:?}");
        // What comes back as it was fires anew.
        let mut told = Told::of(Cause::Silent, both());
        told.on(&[Event::Raise, Event::Acknowledge, hush]);
        told.hear();
        told.on(&[back]);
        assert_eq!(told.hear(), [Some((back, true)), None], "{back:?}");
        // Who was told nothing has nothing to be taken back.
        let mut told = Told::of(Cause::Silent, both());
        told.on(&[Event::Raise, hush, Event::Clear]);
        let [alertmanager, other] = told.hear()[..] else { panic!() };
        assert!(
            alertmanager.is_none_or(|(_, stands)| !stands) && other.is_none(),
            "{alertmanager:?} {other:?}"
        );
    }
}

#[test]
fn what_comes_back_unacknowledged_stands_where_it_was_told_and_begins_below_once_it_was() {
    let mut told = Told::of(Cause::Violation, vec![alertmanager("130000", Level::City)]);
    told.on(&[Event::Raise, Event::Acknowledge]);
    assert_eq!(told.hear(), [None], "it is the county's");
    let mut told = Told::of(Cause::Violation, vec![alertmanager("130000", Level::City)]);
    told.on(&[Event::Raise, Event::Escalate, Event::Clear]);
    assert_eq!(told.hear(), [Some((Event::Escalate, true))]);
    told.on(&[Event::Raise]);
    assert_eq!(told.hear(), [None], "it has never ended there");
    told.on(&[Event::Clear, Event::Acknowledge]);
    assert_eq!(told.hear(), [Some((Event::Acknowledge, false))]);
    told.on(&[Event::Raise]);
    assert_eq!(told.hear(), [None], "it is the county's again");
    told.on(&[Event::Escalate]);
    assert_eq!(told.hear(), [Some((Event::Escalate, true))]);
}

#[test]
fn whatever_a_county_does_with_its_shelf_those_above_hear_of_its_violation_and_of_that() {
    for cause in [Cause::Violation, Cause::Tamper] {
        let all = vec![
            receiver("130421", Level::County),
            receiver("130000", Level::County),
            alertmanager("000000", Level::County),
            receiver("130400", Level::City),
        ];
        let mut told = Told::of(cause, all);
        told.on(&[Event::Raise, Event::Shelve, Event::Unshelve, Event::Shelve, Event::Shelve]);
        assert_eq!(told.hear(), [None, Some((Event::Raise, true)), Some((Event::Raise, true)), None]);
        told.on(&[Event::Escalate]);
        assert_eq!(told.hear(), [None, None, None, Some((Event::Escalate, true))]);
        // It was told, and is put aside afterwards: that is told, too.
        told.on(&[Event::Unshelve, Event::Shelve]);
        assert_eq!(told.hear(), [None, Some((Event::Shelve, true)), None, Some((Event::Shelve, true))]);
        told.on(&[Event::Acknowledge, Event::Clear]);
        assert_eq!(told.hear()[1..], [Some((Event::Clear, false)); 3]);
    }
}

#[test]
fn a_clock_that_was_ahead_keeps_nothing_from_a_receiver_for_longer_than_a_pause() {
    let desk = receiver("130000", Level::County);
    for ahead in [1, 24, 10_000] {
        let mut pager = pager(Kind::Violation);
        pager.on(1, &raised(Cause::Violation, "gw-1", ahead * HOUR_MS), &desk);
        let told = pager.due(1, (ahead + 1) * HOUR_MS).unwrap();
        pager.told(&told);
        // Set back, and killed: another reads what was kept.
        let mut pager = Pager::of(pager.kept());
        pager.on(2, &raised(Cause::Violation, "gw-2", (ahead + 1) * HOUR_MS), &desk);
        pager.see(0);
        assert_eq!(pager.due(1, PAUSE_FIRST_MS - 1), None);
        pager.see(PAUSE_FIRST_MS);
        assert!(pager.due(1, PAUSE_FIRST_MS).is_some(), "{ahead} hours ahead");
    }
}

#[test]
fn who_hears_from_a_level_on_is_told_when_it_comes_up_to_him() {
    let prefecture = receiver("130400", Level::City);
    let county = receiver("130421", Level::County);
    let step = raised(Cause::Violation, "gw-1", 0);
    let alarm = Alarm::unheard(step.about).after(&step).unwrap();
    let escalated = alarm.step(Event::Escalate, HOUR_MS).unwrap();
    let mut above = pager(Kind::Violation);
    above.on(1, &step, &prefecture);
    assert_eq!(above.due_unix_ms(), None);
    above.on(2, &escalated, &prefecture);
    assert_eq!(above.due_unix_ms(), Some(HOUR_MS + GROUP_WAIT_MS));
    let mut below = pager(Kind::Violation);
    below.on(1, &step, &county);
    below.told(&below.due(1, GROUP_WAIT_MS).unwrap());
    below.on(2, &escalated, &county);
    assert_eq!(below.due_unix_ms(), None, "he was told when it was raised");
}

#[test]
fn a_storm_that_is_over_is_forgotten() {
    let desk = receiver("130000", Level::County);
    let mut pager = pager(Kind::Violation);
    let mut at = 0;
    for number in 1..=6 {
        pager.on(number, &raised(Cause::Violation, &format!("gw-{number}"), at), &desk);
        at = pager.due_unix_ms().unwrap();
        pager.told(&pager.due(1, at).unwrap());
    }
    assert_eq!(pager.kept().pause_ms, PAUSE_MOST_URGENT_MS);
    let later = at + STORM_OVER_MS + PAUSE_MOST_URGENT_MS;
    pager.on(7, &raised(Cause::Violation, "gw-7", later), &desk);
    assert_eq!(pager.due_unix_ms(), Some(later + GROUP_WAIT_MS));
    pager.told(&pager.due(1, later + GROUP_WAIT_MS).unwrap());
    assert_eq!(pager.kept().pause_ms, PAUSE_FIRST_MS);
}

#[test]
fn a_notification_that_nobody_took_is_told_again_and_what_came_meanwhile_is_told_once() {
    let desk = receiver("130000", Level::County);
    let mut pager = pager(Kind::Violation);
    pager.on(1, &raised(Cause::Violation, "gw-1", 0), &desk);
    let first = pager.due(1, GROUP_WAIT_MS).unwrap();
    pager.claim(GROUP_WAIT_MS);
    assert_eq!(pager.due(1, GROUP_WAIT_MS + CLAIM_MS - 1), None, "it is on its way");
    pager.on(2, &raised(Cause::Violation, "gw-2", GROUP_WAIT_MS + 1), &desk);
    // Whoever claimed it is gone; another reads the log from where it was told.
    let mut other = Pager::of(pager.kept());
    other.on(1, &raised(Cause::Violation, "gw-1", 0), &desk);
    assert_eq!(other.due(1, GROUP_WAIT_MS + CLAIM_MS - 1), None);
    let again = other.due(1, GROUP_WAIT_MS + CLAIM_MS).unwrap();
    assert_eq!((again.upto, again.news.len()), (1, 1));
    // It was taken after all.
    pager.told(&first);
    assert_eq!((pager.kept().upto, pager.kept().claimed_unix_ms), (1, None));
    let next = pager.due(2, GROUP_WAIT_MS + PAUSE_FIRST_MS).unwrap();
    assert_eq!((next.upto, next.news.len()), (2, 1));
    assert_eq!(next.news[0].1.about.gateway.unwrap().as_str(), "gw-2");
}

#[test]
fn a_clock_that_was_set_back_holds_no_notification_up_for_ever() {
    let desk = receiver("130000", Level::County);
    let mut pager = pager(Kind::Violation);
    pager.on(1, &raised(Cause::Violation, "gw-1", 0), &desk);
    pager.claim(10_000 * HOUR_MS);
    assert!(pager.due(1, HOUR_MS).is_some());
}

#[test]
fn steps_that_say_nothing_to_a_receiver_are_read_once() {
    let desk = receiver("130000", Level::County);
    let mut pager = pager(Kind::Tamper);
    for number in 1..FAR_BEHIND {
        pager.on(number, &raised(Cause::Violation, "gw-1", 0), &desk);
    }
    assert_eq!(pager.idle(), None);
    pager.on(FAR_BEHIND, &raised(Cause::Violation, "gw-1", 0), &desk);
    let kept = pager.idle().unwrap();
    assert_eq!(kept.upto, FAR_BEHIND);
    pager.caught_up(kept);
    assert_eq!(pager.idle(), None);
    pager.on(FAR_BEHIND + 1, &raised(Cause::Tamper, "gw-1", 0), &desk);
    assert!(pager.idle().is_none() && pager.due(1, HOUR_MS).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// No flood: however many gateways come and go, in whatever order, a receiver is told of one kind at most so often.
    #[test]
    fn no_storm_makes_a_flood(
        storm in proptest::collection::vec((0..10_000_u32, 0..60_000_i64, any::<bool>()), 1..3_000),
    ) {
        let desk = receiver("130000", Level::County);
        let mut pager = pager(Kind::EvidenceMissing);
        let (mut now, mut number, mut told) = (0_i64, 0_u64, Vec::new());
        let mut alarms: BTreeMap<u32, Alarm> = BTreeMap::new();
        for (gateway, pause, comes) in storm {
            // Whoever looks looks every five seconds.
            let next = now + pause;
            while now < next {
                now = (now + 5_000).min(next);
                if let Some(notification) = pager.due(alarms.len(), now) {
                    prop_assert!(notification.news.len() <= MOST_NAMED);
                    pager.told(&notification);
                    told.push(now);
                }
            }
            let name = format!("gw-{gateway}");
            let alarm = alarms.remove(&gateway).unwrap_or_else(|| Alarm::unheard(about(Cause::Silent, &name, "130421")));
            let event = if comes { Event::Raise } else { Event::Clear };
            if let Ok(step) = alarm.step(event, now) {
                number += 1;
                pager.on(number, &step, &desk);
                alarms.insert(gateway, alarm.after(&step).unwrap());
            } else {
                alarms.insert(gateway, alarm);
            }
        }
        if let Some(first) = told.first() {
            let within = told.iter().filter(|at| **at < first + HOUR_MS).count();
            prop_assert!(within <= MOST_IN_AN_HOUR, "{within} in the first hour");
        }
        // And ever after no oftener than pauses that double allow.
        let longest = told.last().zip(told.first()).map_or(0, |(last, first)| last - first);
        let mut bound = 1;
        let (mut pause, mut passed) = (PAUSE_FIRST_MS, 0);
        while passed <= longest {
            passed += pause;
            pause = (pause * 2).min(PAUSE_MOST_MS);
            bound += 1;
        }
        prop_assert!(told.len() <= bound, "{} of {bound}", told.len());
    }
}
