//! A plant deletes its journal and begins a new one, here or as another county's: what the old log has proven stands, where it
//! was proven, until the authority ends it; over each database.

use std::collections::BTreeMap;

use coldhearth::{
    catalogue::{Class, Rostered, Ruling, Standing},
    evidence::{Act, Answer, Body, LogId, Sealer},
    judge::{Finding, Rung, Shares, SignSet, State, Transition, Verdict},
    regulator::{
        alarms::{
            Alarm, Cause, Deed, Event, Hand, Kind, Life, Office, Receiver, Way, act, entry::Entry,
            left::is_left,
        },
        collector::Collector,
        inspect::inspect,
        reindex::reindex,
        reports::{Equipment, Scope, Tariff, left::Latch, list, surcharge, survey},
        store::{
            AlarmsAsked,
            sights::{After, AskedAt, AssetRow, FleetAsked, Lane, Scope as Digits, Which},
        },
    },
    terms::{
        AssetId, LegalDay, Name, OrderId, WattHours,
        place::{Division, Level},
        time::DAY_MS,
        words,
    },
};
use serde_json::{Value, json};

use crate::{
    home_admitting,
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, TOPIC, Voice, at, gateway, key, key_of},
    take,
};

pub(crate) fn asset() -> AssetId {
    AssetId::new("eaf-2").unwrap()
}

/// What the judge says of a furnace past its last lawful day; a log of before knew the roster.
pub(crate) fn verdict(
    state: State,
    violation_since_unix_ms: Option<i64>,
    energy_wh: i64,
    is_listed: bool,
) -> Body {
    Body::Finding(Finding::Verdict(Verdict {
        asset: asset(),
        state,
        since: at(0),
        standing: Standing {
            ruling: Some(Ruling {
                class: Class::InScope,
                rule: None,
                deadline: LegalDay::parse("2011-12-31"),
            }),
            roster: is_listed.then(|| Rostered::By(LegalDay::parse("2012-12-31").unwrap())),
            ..Standing::default()
        },
        phase: None,
        violation_since_unix_ms,
        energy_overdue: WattHours(energy_wh),
        energy_closed: WattHours(energy_wh),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

/// The authority's reset, signed then, and the gateway's word that it took effect.
fn reset(voice: &mut Voice, name: &str, issued_unix_ms: i64) -> Vec<Vec<u8>> {
    reset_by(9, voice, name, issued_unix_ms)
}

/// One that another key signed.
pub(crate) fn reset_by(seed: u8, voice: &mut Voice, name: &str, issued_unix_ms: i64) -> Vec<Vec<u8>> {
    let draft = json!({
        "act": "reset", "act_id": name, "version": 1, "gateway_id": gateway().as_str(), "asset": "eaf-2",
        "issuer": "hebei", "issued_unix_ms": issued_unix_ms, "expires_unix_ms": NOW + DAY_MS,
    });
    let act = Act::seal(draft.as_object().unwrap(), &mut Sealer::default(), &key(seed)).unwrap();
    let answer: Answer = act.accepted();
    vec![voice.say(&Body::Act(act)), voice.say(&Body::Answer(answer))]
}

pub(crate) fn alarms_of(home: &Home, within: &str, cause: Cause) -> Vec<Alarm> {
    let within = Division::parse(within).unwrap();
    let all = home.store().alarms(&AlarmsAsked::all(within, 100)).unwrap();
    all.into_iter().filter(|alarm| alarm.about.cause == cause).collect()
}

pub(crate) fn alarms(home: &Home, within: &str) -> Vec<Alarm> {
    alarms_of(home, within, Cause::Violation)
}

/// The fleet of a division in a lane.
fn fleet(home: &Home, within: &str, lane: Lane) -> Vec<AssetRow> {
    let (scope, today) = (Digits::parse(within).unwrap(), LegalDay::of_unix_ms(NOW));
    let at = AskedAt { today, silent_before_unix_ms: 0 };
    let (after, most) = (After::default(), 10);
    let (enterprise, class, entries) = (None, None, None);
    let asked =
        FleetAsked { scope, lane, enterprise, gateway: None, class, entries, due_by: None, after, most, at };
    home.store().fleet(&asked).unwrap()
}

/// Somebody who is told of violations of a division at once, by MQTT.
fn listens(name: &str, within: &str) -> Receiver {
    Receiver {
        name: Name::new(name).unwrap(),
        division: Division::parse(within).unwrap(),
        hears: Level::County,
        kinds: vec![Kind::Violation],
        way: Way::Mqtt,
    }
}

/// What is published for receivers, by topic: the newest alarm each is told of.
fn published(collector: &mut Collector) -> BTreeMap<String, Value> {
    let all = collector.told().into_iter();
    all.map(|one| (one.topic, serde_json::from_slice::<Value>(&one.bytes).unwrap()["alarms"][0].clone()))
        .collect()
}

fn events(home: &Home) -> Vec<Event> {
    let steps = home.store().steps_after(0, 100).unwrap();
    let steps = steps.iter().map(|kept| Entry::own(&kept.bytes).unwrap().step);
    steps.filter(|step| step.about.cause == Cause::Violation).map(|step| step.event).collect()
}

pub(crate) fn shown(home: &Home, within: &str) -> Option<AssetRow> {
    home.store().asset(&Digits::parse(within).unwrap(), gateway(), asset()).unwrap()
}

pub(crate) fn latched(home: &Home, within: &str) -> (usize, u64) {
    let (scope, today) = (Digits::parse(within).unwrap(), LegalDay::of_unix_ms(NOW));
    let at = AskedAt { today, silent_before_unix_ms: 0 };
    let listed = home.store().latched(&scope, Which::default(), 10).unwrap().len();
    (listed, home.store().numbers(&scope, Which::default(), at).unwrap().latched)
}

pub(crate) fn wrongs(home: &Home) -> Vec<String> {
    inspect(&mut *home.store(), &key_of(9), &[], (184, NOW + DAY_MS)).unwrap().wrong
}

/// A gateway that was convicted in its first log, and the second one that it begins afterwards.
pub(crate) fn convicted(
    homes: Homes,
    name: &str,
    elsewhere: &'static str,
) -> (Home, Collector, Voice, Voice) {
    let home = home_admitting(homes, name);
    let receivers = vec![listens("here", "130421"), listens("there", "140100")];
    let mut collector = open(&home).telling(Office::of(receivers, None).unwrap());
    collector.alarm_round(true, NOW - 60_000).unwrap();
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let draws = verdict(State::Drawing, Some(at(1).wall_unix_ms), 500, true);
    take(&mut collector, &[old.genesis(7, None), old.say(&draws)]);
    collector.alarm_round(true, NOW).unwrap();
    let mut new = Voice::of(gateway(), elsewhere, (6, 0, 7));
    new.wait_until(100);
    (home, collector, old, new)
}

fn a_new_journal_opens_no_latch_and_the_authority_does(homes: Homes) {
    let (home, mut collector, mut old, mut new) = convicted(homes, "new-journal", "130421");
    let rests = verdict(State::Energised, None, 0, false);
    let tail = old.say(&verdict(State::Drawing, Some(at(1).wall_unix_ms), 700, true));
    take(&mut collector, &[new.genesis(7, None), new.say(&rests), new.say(&rests)]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    assert_eq!(alarms(&home, "130421")[0].state.life, Life::UnackLatched, "it rests, and is convicted");
    let row = shown(&home, "130421").unwrap();
    assert_eq!((row.violation_since_unix_ms, row.state.as_str()), (Some(at(1).wall_unix_ms), "energised"));
    assert_eq!(row.left, Some(LogId(5)), "in the log before the one it speaks in");
    assert!(is_left(&mut *home.store(), &alarms(&home, "130421")[0].about).unwrap());
    collector.alarm_round(true, NOW + 41_000).unwrap();
    let told = published(&mut collector);
    let before = words::LATCHED_BEFORE;
    assert_eq!(
        told["coldhearth/v1/alarms/here/violation"]["in_log_before"],
        json!({ "zh": before.zh, "en": before.en })
    );
    assert!(alarms_of(&home, "000000", Cause::LatchedElsewhere).is_empty(), "it has not moved");
    assert_eq!(latched(&home, "13"), (1, 1));
    assert_eq!(wrongs(&home), Vec::<String>::new());
    // It draws, the new judge has not proven anything yet, and the alarm shows it.
    take(&mut collector, &[new.say(&verdict(State::Drawing, None, 0, false))]);
    collector.alarm_round(true, NOW + 50_000).unwrap();
    assert_eq!(alarms(&home, "130421")[0].state.life, Life::UnackActive);
    // A reset that the authority had signed before, for something else, ends nothing.
    take(&mut collector, &reset(&mut new, "reset-old", NOW - 1));
    take(&mut collector, &[new.say(&rests)]);
    assert_eq!(latched(&home, "13"), (1, 1));
    // What the old log said last comes late, and the screens' index is made anew.
    take(&mut collector, &[tail]);
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(latched(&home, "13"), (1, 1));
    take(&mut collector, &reset(&mut new, "reset-new", NOW));
    take(&mut collector, &[new.say(&rests)]);
    collector.alarm_round(true, NOW + 60_000).unwrap();
    assert_eq!((latched(&home, "13"), alarms(&home, "130421")[0].state.life), ((0, 0), Life::UnackReturned));
    assert_eq!(shown(&home, "13").unwrap().left, None);
    assert_eq!(events(&home), [Event::Raise, Event::Settle, Event::Raise, Event::Clear]);
    assert_eq!(wrongs(&home), Vec::<String>::new());
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(latched(&home, "13"), (0, 0));
}

fn what_arrives_later_is_shown_whatever_the_clocks_of_two_logs_say(homes: Homes) {
    let home = home_admitting(homes, "ahead");
    let mut collector = open(&home);
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let mut new = Voice::of(gateway(), "130421", (6, 0, 7));
    // The clock was a month ahead, or it is set back by one: either way.
    old.wait_until(30 * 86_400);
    take(&mut collector, &[old.genesis(7, None), old.say(&verdict(State::Energised, None, 0, false))]);
    let lines = [new.genesis(7, None), new.say(&verdict(State::Drawing, None, 0, false))];
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, NOW + 60_000).unwrap();
    assert_eq!(shown(&home, "130421").unwrap().state, "drawing");
    let wrong = wrongs(&home);
    assert!(!wrong.iter().any(|wrong| wrong.contains("eaf-2")), "{wrong:?}");
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(shown(&home, "130421").unwrap().state, "drawing");
}

fn a_batch_that_brings_both_logs_acquits_nobody_either(homes: Homes) {
    let home = home_admitting(homes, "both-logs");
    let mut collector = open(&home);
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let mut new = Voice::of(gateway(), "130421", (6, 0, 7));
    new.wait_until(100);
    let convicts = verdict(State::Dead, Some(at(1).wall_unix_ms), 500, true);
    let lines = [
        old.genesis(7, None),
        old.say(&convicts),
        new.genesis(7, None),
        new.say(&verdict(State::Dead, None, 0, false)),
    ];
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, NOW).unwrap();
    collector.alarm_round(true, NOW).unwrap();
    assert_eq!((alarms(&home, "130000").len(), latched(&home, "13")), (1, (1, 1)));
}

/// What a division's reports tell of the furnace.
pub(crate) fn told(home: &Home, within: &str) -> Equipment {
    let scope = scope(within);
    let surveyed = survey(&mut *home.store(), &scope, &[key_of(9)]).unwrap();
    assert_eq!(surveyed.len(), 1, "{surveyed:?}");
    surveyed.into_values().next().unwrap()
}

fn scope(within: &str) -> Scope {
    Scope {
        within: Division::parse(within).unwrap(),
        from: LegalDay::of_unix_ms(NOW),
        to: LegalDay::of_unix_ms(NOW + 2 * DAY_MS),
        made_unix_ms: NOW + 200_000,
    }
}

/// Where energy was drawn, in kilowatt-hours, and what it costs.
fn bills(home: &Home, within: &str) -> Vec<[Value; 3]> {
    let prices = "[[price]]\ndocument = \"A\"\nfrom = 2026-01-02\nyuan_per_kwh = 0.3\n";
    let tariff = Tariff::parse("prices.toml", prices, &|_| true).unwrap();
    let scope = scope(within);
    let surveyed = survey(&mut *home.store(), &scope, &[key_of(9)]).unwrap();
    let json = surcharge::sheet(&surveyed, &tariff, scope).to_json();
    let drawn = json["rows"].as_array().unwrap().iter().filter(|row| !row["energy_kwh"].is_null());
    drawn.map(|row| ["division", "energy_kwh", "amount_yuan"].map(|key| row[key].clone())).collect()
}

fn whoever_goes_to_another_county_stays_where_he_was(homes: Homes) {
    let (home, mut collector, mut old, mut new) = convicted(homes, "moved", "140100");
    let rests = verdict(State::Energised, None, 0, false);
    take(&mut collector, &[old.say(&verdict(State::Drawing, Some(at(1).wall_unix_ms), 2_000_000, true))]);
    take(&mut collector, &[new.genesis(7, None), new.say(&rests), new.say(&rests)]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    // The alarm stays where it was raised; screens show the furnace at both places, latched.
    let [alarm]: [Alarm; 1] = alarms(&home, "130421").try_into().unwrap();
    assert_eq!((alarm.state.life, alarm.about.division.to_string().as_str()), (Life::UnackLatched, "130421"));
    assert!(alarms(&home, "140000").is_empty());
    // The county it speaks from now has an alarm of its own, is told of it, and acknowledges for itself alone.
    let elsewhere = |home: &Home| alarms_of(home, "000000", Cause::LatchedElsewhere);
    let [copy]: [Alarm; 1] = elsewhere(&home).try_into().unwrap();
    assert_eq!((copy.state.life, copy.about.division.to_string().as_str()), (Life::UnackLatched, "140100"));
    assert!(alarms_of(&home, "130000", Cause::LatchedElsewhere).is_empty());
    let hand = Hand::new("li", "seen at the new works").unwrap();
    let seen = [(copy.id, Some(copy.changed_unix_ms))];
    let done = act(&mut *home.store(), &key(9), &seen, (Deed::Acknowledge, &hand), NOW + 11_000).unwrap();
    assert_eq!(done[&copy.id].as_ref().unwrap().state.life, Life::AckLatched);
    assert_eq!(alarms(&home, "130421")[0].state.life, Life::UnackLatched);
    collector.alarm_round(true, NOW + 41_000).unwrap();
    let heard = published(&mut collector);
    let causes =
        ["here", "there"].map(|who| &heard[&format!("coldhearth/v1/alarms/{who}/violation")]["cause"]);
    assert_eq!(causes, ["violation", "latched_elsewhere"]);
    // Both count it, and list it.
    for lane in [Lane::All, Lane::Latched] {
        let listed = ["130421", "13", "140100", "130422", ""].map(|within| fleet(&home, within, lane).len());
        assert_eq!(listed, [1, 1, 1, 0, 1], "{}", lane.word());
    }
    let counted = ["130421", "13", "140100", "130422", ""].map(|within| latched(&home, within));
    assert_eq!(counted, [(1, 1), (1, 1), (1, 1), (0, 0), (1, 1)]);
    for within in ["130421", "140100"] {
        let row = shown(&home, within).unwrap();
        assert_eq!(row.violation_since_unix_ms, Some(at(1).wall_unix_ms), "{within}");
        assert_eq!((row.division.unwrap().to_string().as_str(), latched(&home, within).0), ("140100", 1));
    }
    assert_eq!(shown(&home, "130422"), None);
    let gone = |within: &str| home.store().gone(&Digits::parse(within).unwrap(), 10).unwrap().len();
    assert_eq!(["130421", "13", "1401", "130422", ""].map(gone), [1, 1, 0, 0, 0]);
    // What was drawn is told and charged where it was drawn.
    let was = told(&home, "130000");
    assert!(was.is_latched());
    assert_eq!(bills(&home, "130000"), [["130421", "1999.500", "599.85"].map(Value::from)]);
    assert_eq!(list::progress(&was, &scope("130000")), words::PROGRESS_VIOLATION);
    let is = told(&home, "140000");
    assert_eq!((bills(&home, "140000").len(), is.division.to_string().as_str()), (0, "140100"));
    assert_eq!(list::progress(&is, &scope("140000")), words::PROGRESS_LEFT_LATCHED);
    assert_eq!(survey(&mut *home.store(), &scope("000000"), &[key_of(9)]).unwrap().len(), 2);
    take(&mut collector, &reset(&mut new, "reset-new", NOW));
    take(&mut collector, &[new.say(&rests)]);
    assert!(!told(&home, "130000").is_latched() && !told(&home, "140000").is_latched());
    collector.alarm_round(true, NOW + 50_000).unwrap();
    assert_eq!((elsewhere(&home), alarms(&home, "130421")[0].state.life), (vec![], Life::UnackReturned));
    assert_eq!(["130421", "140100"].map(|within| fleet(&home, within, Lane::All).len()), [0, 1]);
}

fn a_roster_that_went_with_the_journal_is_no_acquittal(homes: Homes) {
    let (home, mut collector, mut old, mut new) = convicted(homes, "roster", "130421");
    take(&mut collector, &[old.say(&verdict(State::Drawing, Some(at(1).wall_unix_ms), 2_000_000, true))]);
    let rests = verdict(State::Energised, None, 0, false);
    take(&mut collector, &[new.genesis(7, None), new.say(&rests)]);
    let one = told(&home, "130421");
    assert!(one.is_latched());
    assert_eq!(bills(&home, "130421"), [["130421", "1999.500", "599.85"].map(Value::from)]);
    assert_eq!(list::progress(&one, &scope("130421")), words::PROGRESS_LEFT_LATCHED);
    let Latch::Left(source) = one.latch else { panic!("{:?}", one.latch) };
    assert_eq!((source.log.0, source.seq), (5, 2), "the verdict that convicts");
}

fn step(from: Rung, to: Rung) -> Body {
    Body::Finding(Finding::Transition(Transition {
        order: OrderId::new("cut-7").unwrap(),
        asset: asset(),
        from,
        to,
        actor: Name::new("agent").unwrap(),
        why: Name::new("drew").unwrap(),
        evidence: Vec::new(),
        stand: None,
    }))
}

fn an_order_that_is_violated_stays_so_though_a_new_journal_takes_it_anew(homes: Homes) {
    let home = home_admitting(homes, "order-anew");
    let mut collector = open(&home);
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let mut new = Voice::of(gateway(), "130421", (6, 0, 7));
    new.wait_until(100);
    take(&mut collector, &[old.genesis(7, None), old.say(&step(Rung::Provisional, Rung::Violated))]);
    collector.alarm_round(true, NOW).unwrap();
    let lives = |home: &Home| -> Vec<Life> {
        let all = home.store().alarms(&AlarmsAsked::all(Division::NATION, 10)).unwrap();
        all.iter().filter(|a| a.about.cause == Cause::CutViolated).map(|alarm| alarm.state.life).collect()
    };
    assert_eq!(lives(&home), [Life::UnackActive]);
    take(&mut collector, &[new.genesis(7, None), new.say(&step(Rung::Issued, Rung::Acknowledged))]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    assert_eq!(lives(&home), [Life::UnackActive]);
    take(&mut collector, &reset(&mut new, "reset-new", NOW));
    take(&mut collector, &[new.say(&step(Rung::Acknowledged, Rung::Observing))]);
    collector.alarm_round(true, NOW + 20_000).unwrap();
    assert_eq!(lives(&home), [Life::UnackReturned]);
}

over_both!(
    an_order_that_is_violated_stays_so_though_a_new_journal_takes_it_anew,
    whoever_goes_to_another_county_stays_where_he_was,
    a_roster_that_went_with_the_journal_is_no_acquittal,
    a_new_journal_opens_no_latch_and_the_authority_does,
    a_batch_that_brings_both_logs_acquits_nobody_either,
    what_arrives_later_is_shown_whatever_the_clocks_of_two_logs_say,
);
