//! Alarms and reports over records that were really signed, taken and kept; over each database.

use std::io::Cursor;

use coldhearth::{
    evidence::{Body, LogId},
    judge::{Finding, State},
    regulator::{
        alarms::{self, Alarm, Cause, Deed, Event, Hand, Kind, Life, Refused, entry::Entry, log},
        archive,
        inspect::inspect,
        reports::{self, Scope, Surveyed, coverage, survey},
        store::{
            AlarmBatch, AlarmsAsked,
            inspections::{Inspection, Said},
            people::Saw,
            sights::Scope as Digits,
        },
    },
    terms::{AssetId, GatewayId, LegalDay, Name, place::Division, time::DAY_MS},
};

use crate::{
    convictions,
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, Voice, at, key, key_of},
    take,
};

/// What the judge says of a furnace whose last lawful day, by the authority's roster alone, is long past.
pub(crate) fn verdict(state: State, violation_since_unix_ms: Option<i64>, energy_wh: i64) -> Body {
    let ruled = convictions::verdict(state, violation_since_unix_ms, energy_wh, true);
    let Body::Finding(Finding::Verdict(mut verdict)) = ruled else { panic!("it is a verdict") };
    verdict.standing.ruling = None;
    Body::Finding(Finding::Verdict(verdict))
}

pub(crate) fn home_of(homes: Homes, name: &str, gateways: u8) -> Home {
    let home = homes.open(name);
    for number in 1..=gateways {
        let gateway = GatewayId::new(&format!("gw-{number}")).unwrap();
        assert!(home.store().admit(gateway, &key_of(number), NOW).unwrap());
    }
    home
}

pub(crate) fn voice(number: u8, division: &'static str) -> Voice {
    Voice::of(GatewayId::new(&format!("gw-{number}")).unwrap(), division, (u64::from(number), 0, number))
}

pub(crate) fn standing(home: &Home, within: &str) -> Vec<Alarm> {
    let within = Division::parse(within).unwrap();
    home.store().alarms(&AlarmsAsked::all(within, 1_000)).unwrap()
}

fn events(home: &Home) -> Vec<Event> {
    let steps = home.store().steps_after(0, 1_000).unwrap();
    steps.iter().map(|kept| Entry::own(&kept.bytes).unwrap().step.event).collect()
}

fn a_furnace_that_drew_at_night_is_latched_in_the_morning_until_the_authority_resets_it(homes: Homes) {
    let home = home_of(homes, "night", 1);
    let mut collector = open(&home);
    let mut gateway = voice(1, "130421");
    let since = Some(at(1).wall_unix_ms);
    take(&mut collector, &[gateway.genesis(1, None), gateway.say(&verdict(State::Drawing, since, 500))]);
    collector.alarm_round(true, NOW).unwrap();
    assert!(collector.told().is_empty(), "nobody is to be told");
    let [alarm]: [Alarm; 1] = standing(&home, "130000").try_into().unwrap();
    assert_eq!((alarm.about.cause, alarm.state.life), (Cause::Violation, Life::UnackActive));
    assert_eq!(alarm.about.division.to_string(), "130421");
    assert!(alarm.record.is_some() && standing(&home, "140000").is_empty());
    // Somebody else's program acknowledges it.
    let hand = Hand::new("王", "已派人前往").unwrap();
    let (id, ids) = (alarm.id, [(alarm.id, None)]);
    let acknowledge = (Deed::Acknowledge, &hand);
    let done = alarms::act(&mut *home.store(), &key(9), &ids, acknowledge, NOW + 1_000).unwrap();
    assert!(done[&id].is_ok());
    let again = alarms::act(&mut *home.store(), &key(9), &ids, acknowledge, NOW + 2_000).unwrap();
    assert!(matches!(again[&id], Err(Refused::Unfit(_))));
    // At dawn it rests; the records come late, and in another order.
    let rests = gateway.say(&verdict(State::Energised, since, 900));
    let still = gateway.say(&verdict(State::Energised, since, 900));
    take(&mut collector, &[still, rests]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    let [alarm]: [Alarm; 1] = standing(&home, "000000").try_into().unwrap();
    assert_eq!((alarm.state.word(), alarm.hand), ("latched", Some(hand)));
    let reset = gateway.say(&verdict(State::Energised, None, 900));
    take(&mut collector, &[reset]);
    collector.alarm_round(true, NOW + 20_000).unwrap();
    assert!(standing(&home, "000000").is_empty());
    assert_eq!(events(&home), [Event::Raise, Event::Acknowledge, Event::Settle, Event::Clear]);
    let checked = log::verify(&mut *home.store(), &key_of(9)).unwrap();
    assert_eq!((checked.steps, checked.wrong.len()), (4, 0), "{checked:?}");
}

fn a_record_and_what_it_says_is_the_matter_are_kept_together_and_looked_at_after_a_restart(homes: Homes) {
    let home = home_of(homes, "together", 1);
    let mut gateway = voice(1, "130421");
    let since = Some(at(1).wall_unix_ms);
    take(&mut open(&home), &[gateway.genesis(1, None), gateway.say(&verdict(State::Drawing, since, 1))]);
    // It ends here, before its round.
    assert_eq!(home.store().waiting(None, 10).unwrap().len(), 1);
    let mut again = open(&home);
    again.alarm_round(true, NOW).unwrap();
    assert_eq!(events(&home), [Event::Raise]);
    assert!(home.store().waiting(None, 10).unwrap().is_empty());
    // Of two that look at once one makes the step.
    let (mut one, mut other) = (open(&home), open(&home));
    take(&mut one, &[gateway.say(&verdict(State::Dead, since, 1))]);
    one.alarm_round(true, NOW + 10_000).unwrap();
    other.alarm_round(true, NOW + 10_000).unwrap();
    assert_eq!(events(&home), [Event::Raise, Event::Settle]);
}

fn a_fork_is_an_alarm_of_its_own_and_pages_hold_what_was_asked_for(homes: Homes) {
    let home = home_of(homes, "pages", 3);
    let mut collector = open(&home);
    for number in 1..=3 {
        let mut gateway = voice(number, if number == 3 { "140525" } else { "130421" });
        let since = Some(at(1).wall_unix_ms);
        let lines = [gateway.genesis(number, None), gateway.say(&verdict(State::Drawing, since, 1))];
        take(&mut collector, &lines);
    }
    // The first gateway has another history from its second place on.
    let mut double = voice(1, "130421");
    let _genesis = double.genesis(1, None);
    take(&mut collector, &[double.say(&verdict(State::Dead, None, 0))]);
    collector.alarm_round(true, NOW).unwrap();
    let all = standing(&home, "000000");
    assert_eq!(all.len(), 4);
    assert_eq!(standing(&home, "130000").len(), 3);
    let tamper = AlarmsAsked { kind: Some(Kind::Tamper), ..AlarmsAsked::all(Division::NATION, 10) };
    let [fork]: [Alarm; 1] = home.store().alarms(&tamper).unwrap().try_into().unwrap();
    assert_eq!((fork.about.cause, fork.state.life), (Cause::Fork, Life::UnackReturned));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let asked = AlarmsAsked { after, ..AlarmsAsked::all(Division::NATION, 3) };
        let page = home.store().alarms(&asked).unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.raised_unix_ms, last.id));
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let counts = home.store().alarm_counts(Division::parse("130000").unwrap()).unwrap();
    assert_eq!(
        counts.iter().map(|alike| (alike.kind, alike.count)).collect::<Vec<_>>(),
        [(Kind::Tamper, 1), (Kind::Violation, 2)]
    );
    let of_fork = home.store().steps_of(fork.id, u64::MAX, 10).unwrap();
    assert_eq!(of_fork.len(), 2);
    assert!(of_fork[0].number > of_fork[1].number, "the newest comes first");
}

fn alarms_move_with_a_copy_and_whoever_changes_them_is_found_out(homes: Homes) {
    let home = home_of(homes, "copied", 1);
    let mut collector = open(&home);
    let mut gateway = voice(1, "130421");
    let since = Some(at(1).wall_unix_ms);
    take(&mut collector, &[gateway.genesis(1, None), gateway.say(&verdict(State::Drawing, since, 500))]);
    collector.alarm_round(true, NOW).unwrap();
    let hand = Hand::new("wang", "works until Monday").unwrap();
    let id = standing(&home, "000000")[0].id;
    let shelve = (Deed::Shelve(NOW + DAY_MS), &hand);
    alarms::act(&mut *home.store(), &key(9), &[(id, None)], shelve, NOW + 1_000).unwrap();
    let saw = |what: &str| Saw {
        at_unix_ms: NOW,
        person: Name::new("li").unwrap(),
        scope: Digits::parse("13").unwrap(),
        what: what.to_owned(),
        status: 200,
    };
    for what in ["GET /", "GET /fleet", "GET /alarms"] {
        home.store().note_saw(&saw(what)).unwrap();
    }
    let said = |what: &str| Said { who: Name::new("li").unwrap(), at_unix_ms: NOW, what: what.to_owned() };
    let inspection = |number, answered| Inspection {
        number,
        gateway: GatewayId::new("gw-1").unwrap(),
        asset: AssetId::new("eaf-2").unwrap(),
        asked: said("谁在夜里用电"),
        answered,
    };
    let looks = [inspection(2, Some(said("看过"))), inspection(5, None)];
    looks.iter().for_each(|one| home.store().keep_inspection(one).unwrap());
    let mut copy = Vec::new();
    archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    let other = match homes {
        Homes::Sqlite => Homes::Postgres,
        Homes::Postgres => Homes::Sqlite,
    };
    let there = other.open("copied-there");
    let copied = archive::restore(&mut *there.store(), &mut Cursor::new(&copy)).unwrap();
    assert_eq!((copied.alarm_steps, copied.seen, copied.inspections), (2, 3, 2));
    assert_eq!(there.store().inspections_after(0, 10).unwrap(), looks);
    let seen = |home: &Home| -> Vec<Saw> {
        let seen = home.store().who_saw(&Digits::NATION, u64::MAX, 10).unwrap();
        seen.into_iter().map(|(_, saw)| saw).collect()
    };
    assert_eq!(seen(&there), seen(&home));
    assert_eq!(seen(&there).first(), Some(&saw("GET /alarms")), "in the order in which they were seen");
    assert_eq!(standing(&there, "000000"), standing(&home, "000000"));
    let mut again = Vec::new();
    archive::backup(&mut *there.store(), &mut again, NOW).unwrap();
    assert!(again == copy, "a copy of the copy is the copy");
    let inspected = |home: &Home| inspect(&mut *home.store(), &key_of(9), &[], (184, NOW)).unwrap();
    assert_eq!((inspected(&there).alarm_steps, inspected(&there).wrongs), (2, 0));
    home.sql("update alarm set hush = 'open', until_unix_ms = null");
    assert_eq!(inspected(&home).wrongs, 1);
    there.sql("delete from alarm_step where number = 2");
    assert!(inspected(&there).wrongs >= 1);
}

fn a_report_rests_on_the_records_that_are_kept(homes: Homes) {
    let home = home_of(homes, "report", 2);
    let mut collector = open(&home);
    let mut gateway = voice(1, "130421");
    let mut lines = vec![gateway.genesis(1, None)];
    for energy_wh in [0, 500, 1_700] {
        lines.push(gateway.say(&verdict(State::Drawing, None, energy_wh)));
    }
    take(&mut collector, &lines);
    let mut elsewhere = voice(2, "140525");
    take(&mut collector, &[elsewhere.genesis(2, None), elsewhere.say(&verdict(State::Dead, None, 0))]);
    let today = LegalDay::of_unix_ms(NOW);
    let scope = Scope {
        within: Division::parse("130000").unwrap(),
        from: today,
        to: LegalDay::of_unix_ms(NOW + 2 * DAY_MS),
        made_unix_ms: NOW,
    };
    let surveyed = survey(&mut *home.store(), &scope, &[]).unwrap();
    assert_eq!(surveyed.len(), 1, "the other lies in another province");
    let one = surveyed.values().next().unwrap();
    assert_eq!(one.drawn.values().map(|drawn| drawn.energy_wh).sum::<i64>(), 1_700);
    let sheet = coverage::sheet(&surveyed, scope);
    let kept = home.store().records_from((one.gateway, LogId(1)), 0, 10).unwrap();
    let hashes: Vec<_> = kept.iter().filter(|(_, r)| r.kind == "verdict").map(|(_, r)| r.hash).collect();
    let rests = &sheet.rows[0].rests;
    let named: Vec<_> = rests.named().map(|source| source.hash).collect();
    assert_eq!(named, [hashes[0], hashes[2]], "the first and the last of the day");
    assert_eq!(rests.count(), 3, "every verdict of the time, and no other");
    // How it stands is the same by the newest verdict alone.
    let stands = reports::standing(&mut *home.store(), &scope, &[]).unwrap();
    let newest =
        |all: &Surveyed| all.values().map(|one| one.newest.as_ref().unwrap().source).collect::<Vec<_>>();
    assert_eq!(newest(&stands), newest(&surveyed));
    assert!(stands.values().all(|one| one.drawn.is_empty() && one.covered.count() == 0));
    // Of a time before nothing is told.
    let before = Scope { from: LegalDay::of_unix_ms(NOW - 2 * DAY_MS), to: today, ..scope };
    assert!(survey(&mut *home.store(), &before, &[]).unwrap().is_empty());
}

fn a_gateway_that_was_admitted_and_never_spoke_is_an_alarm_until_it_does(homes: Homes) {
    let home = home_of(homes, "unheard", 2);
    let mut collector = open(&home);
    let mut speaks = voice(1, "130421");
    take(&mut collector, &[speaks.genesis(1, None)]);
    // It listens for as long as a gateway may be quiet before it calls anybody so.
    collector.alarm_round(true, NOW).unwrap();
    collector.alarm_round(true, NOW + DAY_MS).unwrap();
    let unheard = |home: &Home| -> Vec<Alarm> {
        standing(home, "000000").into_iter().filter(|alarm| alarm.about.cause == Cause::NeverHeard).collect()
    };
    let [alarm]: [Alarm; 1] = unheard(&home).try_into().unwrap();
    assert_eq!(alarm.about.gateway.unwrap().as_str(), "gw-2");
    assert_eq!((alarm.about.cause.kind(), alarm.state.life), (Kind::EvidenceMissing, Life::UnackActive));
    assert!(standing(&home, "130000").iter().all(|alarm| alarm.about.cause != Cause::NeverHeard));
    let mut late = voice(2, "130421");
    take(&mut collector, &[late.genesis(2, None)]);
    collector.alarm_round(true, NOW + DAY_MS + 120_000).unwrap();
    assert_eq!(unheard(&home)[0].state.life, Life::UnackReturned);
}

fn an_outage_of_a_province_is_shown_to_its_counties_and_to_nobody_elsewhere(homes: Homes) {
    let home = home_of(homes, "wider", 1);
    let about = |cause, code: &str| alarms::About {
        cause,
        division: Division::parse(code).unwrap(),
        enterprise: None,
        gateway: None,
        subject: None,
    };
    let all = [
        about(Cause::Outage, "130000"),
        about(Cause::Outage, "130500"),
        about(Cause::Outage, "140000"),
        about(Cause::Unreachable, "000000"),
    ];
    let alarms = all.map(|about| {
        let alarm = Alarm::unheard(about);
        alarm.after(&alarm.step(Event::Raise, NOW).unwrap()).unwrap()
    });
    let batch = AlarmBatch { alarms: alarms.to_vec(), ..AlarmBatch::default() };
    assert!(home.store().keep_alarms(&batch).unwrap());
    let places = |code| -> Vec<String> {
        standing(&home, code).iter().map(|alarm| alarm.about.division.to_string()).collect()
    };
    assert_eq!(places("130421"), ["130000"]);
    assert_eq!(places("130000").len(), 2);
    assert_eq!(places("150000").len(), 0);
    assert_eq!(places("000000").len(), 4);
    let counts = home.store().alarm_counts(Division::parse("130421").unwrap()).unwrap();
    assert_eq!(counts.iter().map(|alike| alike.count).sum::<u64>(), 1);
}

over_both!(
    an_outage_of_a_province_is_shown_to_its_counties_and_to_nobody_elsewhere,
    a_gateway_that_was_admitted_and_never_spoke_is_an_alarm_until_it_does,
    a_furnace_that_drew_at_night_is_latched_in_the_morning_until_the_authority_resets_it,
    a_record_and_what_it_says_is_the_matter_are_kept_together_and_looked_at_after_a_restart,
    a_fork_is_an_alarm_of_its_own_and_pages_hold_what_was_asked_for,
    alarms_move_with_a_copy_and_whoever_changes_them_is_found_out,
    a_report_rests_on_the_records_that_are_kept,
);
