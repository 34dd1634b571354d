//! What nobody can do to alarms: take them out of the desk's log, keep them from those above, leave what ends them behind.

use std::io::Cursor;

use coldhearth::{
    evidence::Body,
    judge::State,
    regulator::{
        alarms::{self, Alarm, Cause, Deed, Hand, Kind, Life, Office, Receiver, Way, log},
        archive,
        inspect::inspect,
    },
    terms::{
        Name,
        place::{Division, Level},
        time::DAY_MS,
    },
};

use crate::{
    alarms::{home_of, standing, verdict, voice},
    homes::Homes,
    open, over_both,
    support::voice::{NOW, TOPIC, at, beat, key, key_of},
    take,
};

fn a_desk_s_log_that_was_cut_back_or_wiped_is_found_out(homes: Homes) {
    let home = home_of(homes, "wiped", 1);
    let mut collector = open(&home);
    let mut gateway = voice(1, "130421");
    let since = Some(at(1).wall_unix_ms);
    take(&mut collector, &[gateway.genesis(1, None), gateway.say(&verdict(State::Drawing, since, 500))]);
    let wrong = |published: &[Vec<u8>]| {
        inspect(&mut *home.store(), &key_of(9), published, (184, NOW + 9 * DAY_MS)).unwrap().wrong
    };
    assert_eq!(wrong(&[]), [""; 0], "the next round raises it");
    collector.alarm_round(true, NOW).unwrap();
    let [alarm]: [Alarm; 1] = standing(&home, "130000").try_into().unwrap();
    let mut published = vec![collector.head_of_heads(NOW + DAY_MS).unwrap().unwrap().bytes];
    let hand = Hand::new("li", "until Monday").unwrap();
    let shelve = (Deed::Shelve(NOW + 2 * DAY_MS), &hand);
    let done = alarms::act(&mut *home.store(), &key(9), &[(alarm.id, None)], shelve, NOW + DAY_MS).unwrap();
    assert!(done[&alarm.id].is_ok());
    assert_eq!(wrong(&published), [""; 0]);
    published.push(collector.head_of_heads(NOW + 2 * DAY_MS).unwrap().unwrap().bytes);
    assert_eq!(wrong(&published), [""; 0]);
    // The shelf never happened.
    home.sql(&format!(
        "delete from alarm_step where number = 2;
         update alarm set hush = 'open', until_unix_ms = null, who = null, why = null, changed_unix_ms = {NOW}"
    ));
    let found = wrong(&published);
    assert!(
        found.len() == 1 && found[0].contains("step 2 of the desk's log, the newest of it on"),
        "{found:?}"
    );
    // Nor did the word of that day.
    home.sql("delete from listed where number = 2; delete from heads where number = 2");
    let found = wrong(&published);
    assert!(
        found.len() == 1 && found[0].contains("a published head of heads is not in the store"),
        "{found:?}"
    );
    // Nor anything at all.
    home.sql("delete from alarm_step; delete from alarm; update condition set waiting = 0");
    home.sql("delete from listed; delete from heads");
    let found = wrong(&[]);
    let said = ["the latch of eaf-2 is closed", "what is kept of its condition is not what it shows"];
    let is_said = |(wrong, said): (&String, &str)| wrong.contains(said);
    assert!(found.len() == 2 && found.iter().zip(said).all(is_said), "{found:?}");
    // Once the authority has reset it no alarm is missing.
    take(&mut collector, &[gateway.say(&verdict(State::Energised, None, 900))]);
    assert_eq!(wrong(&[]), [""; 0]);
}

/// The county's officer puts its violation aside at once, every hour anew, takes it back and puts it aside again.
fn whatever_a_county_does_with_its_shelf_its_violation_is_told_above_and_comes_back_after_a_week(
    homes: Homes,
) {
    const HOUR_MS: i64 = 3_600_000;
    let home = home_of(homes, "shelf", 1);
    let receiver = |name: &str, code: &str, hears| Receiver {
        name: Name::new(name).unwrap(),
        division: Division::parse(code).unwrap(),
        hears,
        kinds: vec![Kind::Violation],
        way: Way::Mqtt,
    };
    let all = vec![
        receiver("county", "130421", Level::County),
        receiver("prefecture", "130400", Level::City),
        receiver("province", "130000", Level::Province),
        receiver("nation", "000000", Level::County),
    ];
    let mut collector = open(&home).telling(Office::of(all, None).unwrap());
    collector.alarm_round(true, NOW).unwrap();
    let mut gateway = voice(1, "130421");
    let since = Some(at(1).wall_unix_ms);
    take(&mut collector, &[gateway.genesis(1, None), gateway.say(&verdict(State::Drawing, since, 500))]);
    collector.alarm_round(true, NOW + 5_000).unwrap();
    let id = standing(&home, "130421")[0].id;
    let hand = Hand::new("li", "routine").unwrap();
    let act = |deed, now| {
        alarms::act(&mut *home.store(), &key(9), &[(id, None)], (deed, &hand), now).unwrap()[&id].is_ok()
    };
    let begin = NOW + 6_000;
    let end = begin + 7 * DAY_MS;
    let (mut heard, mut last) = (Vec::new(), None);
    for hour in 0..9 * 24 {
        let now = begin + hour * HOUR_MS;
        let _taken_back = hour % 3 == 1 && act(Deed::Unshelve, now);
        assert!(!act(Deed::Shelve(end + 1), now), "a moment longer than a week");
        if act(Deed::Shelve(end), now) {
            last = Some(hour);
        }
        // What has come up waits for half a minute before it is told.
        for later in [1_000, 40_000] {
            collector.alarm_round(true, now + later).unwrap();
            let topics: Vec<String> = collector.told().into_iter().map(|one| one.topic).collect();
            heard.extend(topics.iter().map(|topic| (topic.split('/').nth(3).unwrap().to_owned(), hour)));
            collector.published(&topics);
        }
    }
    assert_eq!(last, Some(7 * 24 - 1), "within a week as often as he likes");
    let first = |name: &str| heard.iter().find(|(whose, _)| whose == name).map(|(_, hour)| *hour);
    assert_eq!(first("nation"), Some(0));
    assert_eq!((first("prefecture"), first("province")), (Some(1), Some(4)));
    assert_eq!(first("county"), Some(7 * 24), "its own bell rings again after a week");
    let alarm = home.store().alarm(id).unwrap().unwrap();
    assert_eq!((alarm.state.word(), alarm.level), ("unack_active", Level::Province));
    assert_eq!(log::verify(&mut *home.store(), &key_of(9)).unwrap().wrong, [""; 0]);
}

fn equipment_that_its_gateway_speaks_of_no_longer_is_an_alarm_until_it_does(homes: Homes) {
    const MINUTE_MS: i64 = 60_000;
    let home = home_of(homes, "untold", 1);
    let mut collector = open(&home);
    let mut gateway = voice(1, "130421");
    take(&mut collector, &[gateway.genesis(1, None), gateway.say(&verdict(State::Energised, None, 0))]);
    let mut on = |said: &Body, minutes: i64| -> Vec<(Life, String)> {
        let now = NOW + minutes * MINUTE_MS;
        gateway.wait_until(minutes.unsigned_abs() * 60);
        let line = gateway.say(said);
        collector.take(&[(TOPIC, line.as_slice())], now).unwrap();
        collector.alarm_round(true, now).unwrap();
        let all = standing(&home, "130421").into_iter().filter(|alarm| alarm.about.cause == Cause::Untold);
        all.map(|alarm| (alarm.state.life, alarm.about.subject.unwrap().to_string())).collect()
    };
    // It has been taken out of the configuration, and the gateway speaks of other things.
    assert_eq!(on(&beat(), 1), []);
    assert_eq!(on(&beat(), 59), []);
    assert_eq!(on(&beat(), 70), [(Life::UnackActive, "eaf-2".to_owned())]);
    assert_eq!(on(&verdict(State::Drawing, None, 900), 81), [(Life::UnackReturned, "eaf-2".to_owned())]);
    assert_eq!(log::verify(&mut *home.store(), &key_of(9)).unwrap().wrong, [""; 0]);
}

/// What was the matter when a store was copied ends where it is put back, and what was not told yet is told there.
fn what_ends_an_alarm_moves_with_a_copy(homes: Homes) {
    let home = home_of(homes, "moves", 2);
    let mut collector = open(&home);
    let (mut told, mut untold) = (voice(1, "130421"), voice(2, "130421"));
    let since = Some(at(1).wall_unix_ms);
    take(&mut collector, &[told.genesis(1, None), told.say(&verdict(State::Drawing, since, 500))]);
    collector.alarm_round(true, NOW).unwrap();
    take(&mut collector, &[untold.genesis(2, None), untold.say(&verdict(State::Drawing, since, 500))]);
    drop(collector);
    let mut copy = Vec::new();
    archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    let there = homes.open("moved-there");
    archive::restore(&mut *there.store(), &mut Cursor::new(&copy)).unwrap();
    let inspected = inspect(&mut *there.store(), &key_of(9), &[], (184, NOW)).unwrap();
    assert_eq!(inspected.wrong, [""; 0]);
    let mut collector = open(&there);
    // The authority's reset was answered meanwhile.
    take(&mut collector, &[told.say(&verdict(State::Energised, None, 500))]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    let mut all: Vec<(String, Life)> = standing(&there, "130421")
        .into_iter()
        .map(|alarm| (alarm.about.gateway.unwrap().to_string(), alarm.state.life))
        .collect();
    all.sort();
    assert_eq!(all, [("gw-1".to_owned(), Life::UnackReturned), ("gw-2".to_owned(), Life::UnackActive)]);
}

over_both!(
    equipment_that_its_gateway_speaks_of_no_longer_is_an_alarm_until_it_does,
    what_ends_an_alarm_moves_with_a_copy,
    a_desk_s_log_that_was_cut_back_or_wiped_is_found_out,
    whatever_a_county_does_with_its_shelf_its_violation_is_told_above_and_comes_back_after_a_week,
);
