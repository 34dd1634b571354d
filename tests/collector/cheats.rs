//! What a plant tries when it cannot be acquitted: a journal that hides tampering, a reset of its own, a clock that is ahead, a
//! hand in the desk's database; over each database.

use coldhearth::{
    evidence::{Act, Body, LogId, Sealer},
    judge::{Finding, Sign, State, Why},
    regulator::{
        alarms::{
            Alarm, Cause, Deed, Entry, Hand, Life, act,
            ending::{Unfit, end},
        },
        reindex::reindex,
    },
    terms::place::Division,
};
use serde_json::json;

use crate::{
    convictions::{alarms, alarms_of, convicted, latched, reset_by, shown, told, verdict, wrongs},
    home_admitting,
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, TOPIC, Voice, at, gateway, key, key_of},
    take,
};

const HOUR_MS: i64 = 3_600_000;

/// Takes what arrives at a time.
fn take_at(collector: &mut coldhearth::regulator::collector::Collector, lines: &[Vec<u8>], now_unix_ms: i64) {
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, now_unix_ms).unwrap();
}

/// A verdict of a meter that was tampered with in a way that only the authority takes back, or of one that was not.
fn tampered(is_so: bool) -> Body {
    let Body::Finding(Finding::Verdict(mut verdict)) = verdict(State::Energised, None, 0, true) else {
        panic!("it is a verdict")
    };
    if is_so {
        verdict.signs.add(Sign::RatioChanged);
    }
    Body::Finding(Finding::Verdict(verdict))
}

fn a_new_journal_hides_no_tampering(homes: Homes) {
    let home = home_admitting(homes, "tampering");
    let mut collector = open(&home);
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let mut new = Voice::of(gateway(), "140100", (6, 0, 7));
    new.wait_until(100);
    let signs = |home: &Home| alarms_of(home, "000000", Cause::Tamper);
    // Nobody was there to look before the new journal spoke: with one batch, or before a round.
    let lines =
        [old.genesis(7, None), old.say(&tampered(true)), new.genesis(7, None), new.say(&tampered(false))];
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, NOW).unwrap();
    collector.alarm_round(true, NOW).unwrap();
    let [alarm]: [Alarm; 1] = signs(&home).try_into().unwrap();
    assert_eq!(alarm.state.life, Life::UnackActive);
    // Acknowledged or not, it stands until the authority takes it back.
    let hand = Hand::new("li", "seen").unwrap();
    let seen = [(alarm.id, Some(alarm.changed_unix_ms))];
    assert!(
        act(&mut *home.store(), &key(9), &seen, (Deed::Acknowledge, &hand), NOW + 1_000).unwrap()[&alarm.id]
            .is_ok()
    );
    take(&mut collector, &[new.say(&tampered(false))]);
    for hour in 1..3 {
        collector.alarm_round(true, NOW + hour * HOUR_MS).unwrap();
    }
    assert_eq!(signs(&home)[0].state.life, Life::AckActive);
    take(&mut collector, &reset_by(9, &mut new, "reset-new", NOW));
    take(&mut collector, &[new.say(&tampered(false))]);
    for hour in 3..6 {
        collector.alarm_round(true, NOW + hour * HOUR_MS).unwrap();
    }
    assert_eq!(signs(&home), []);
}

fn what_is_over_is_not_raised_by_what_came_before_it(homes: Homes) {
    let home = home_admitting(homes, "late");
    let mut collector = open(&home);
    let mut voice = Voice::of(gateway(), "130421", (5, 0, 7));
    take(&mut collector, &[voice.genesis(7, None)]);
    let convicting = verdict(State::Drawing, Some(NOW), 0, true);
    let convicts = voice.say(&convicting);
    let free = voice.say(&verdict(State::Energised, None, 0, true));
    // The broker, or another collector of the group, was later with the first.
    take(&mut collector, &[free]);
    collector.alarm_round(true, NOW).unwrap();
    take(&mut collector, &[convicts]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    assert_eq!(alarms(&home, "000000"), []);
    // Of what comes after it that is no reason.
    take(&mut collector, &[voice.say(&convicting)]);
    collector.alarm_round(true, NOW + 20_000).unwrap();
    assert_eq!(alarms_of(&home, "000000", Cause::Violation).len(), 1);
}

fn a_fork_below_one_that_was_acknowledged_rings_and_none_rings_twice(homes: Homes) {
    let home = home_admitting(homes, "lower-fork");
    let mut collector = open(&home);
    let mut voice = Voice::of(gateway(), "130421", (5, 0, 7));
    let forks = |home: &Home| alarms_of(home, "000000", Cause::Fork).len();
    let rests = tampered(false);
    take(&mut collector, &[voice.genesis(7, None), voice.say(&rests), voice.say(&rests)]);
    let mut upper = Voice::of(gateway(), "130421", (5, 0, 7));
    let _same = [upper.genesis(7, None), upper.say(&rests)];
    let upper = upper.say(&tampered(true));
    let mut lower = Voice::of(gateway(), "130421", (5, 0, 7));
    let _same = lower.genesis(7, None);
    let lower = lower.say(&tampered(true));
    let mut now_unix_ms = NOW;
    for proof in [&upper, &lower] {
        take(&mut collector, std::slice::from_ref(proof));
        now_unix_ms += 10_000;
        collector.alarm_round(true, now_unix_ms).unwrap();
        assert_eq!(forks(&home), 1);
        let all = alarms_of(&home, "000000", Cause::Fork);
        let seen = [(all[0].id, Some(all[0].changed_unix_ms))];
        let hand = Hand::new("li", "seen").unwrap();
        act(&mut *home.store(), &key(9), &seen, (Deed::Acknowledge, &hand), now_unix_ms + 1_000).unwrap();
        assert_eq!(forks(&home), 0);
    }
    // Both are sent again: nothing that was not known.
    take(&mut collector, &[upper, lower]);
    collector.alarm_round(true, now_unix_ms + 20_000).unwrap();
    assert_eq!(forks(&home), 0);
}

fn what_nobody_has_acknowledged_goes_nowhere_with_a_new_journal(homes: Homes) {
    let home = home_admitting(homes, "unacknowledged");
    let mut collector = open(&home);
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let mut new = Voice::of(gateway(), "140100", (6, 0, 7));
    let forks = |home: &Home| alarms_of(home, "000000", Cause::Fork);
    take(&mut collector, &[old.genesis(7, None), old.say(&tampered(false))]);
    let mut double = Voice::of(gateway(), "130421", (5, 0, 7));
    let _genesis = double.genesis(7, None);
    take(&mut collector, &[double.say(&tampered(true))]);
    // The new journal speaks before anybody looks, and has two histories of its own.
    take(&mut collector, &[new.genesis(7, None), new.say(&tampered(false))]);
    collector.alarm_round(true, NOW).unwrap();
    let [fork]: [Alarm; 1] = forks(&home).try_into().unwrap();
    let place = (Life::UnackReturned, Division::parse("130421").unwrap());
    assert_eq!((fork.state.life, fork.about.division), place);
    let mut double = Voice::of(gateway(), "140100", (6, 0, 7));
    let _genesis = double.genesis(7, None);
    take(&mut collector, &[double.say(&tampered(true))]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    let [again]: [Alarm; 1] = forks(&home).try_into().unwrap();
    assert_eq!((again.state.life, again.about.division), place, "it rings again where it was");
    assert!(again.changed_unix_ms > fork.changed_unix_ms);
    // Once it was acknowledged the next one is told where that is.
    let hand = Hand::new("li", "seen").unwrap();
    let seen = [(again.id, Some(again.changed_unix_ms))];
    act(&mut *home.store(), &key(9), &seen, (Deed::Acknowledge, &hand), NOW + 11_000).unwrap();
    assert_eq!(forks(&home), []);
    let mut third = Voice::of(gateway(), "140100", (6, 0, 7));
    let _same = [third.genesis(7, None), third.say(&tampered(false))];
    take(&mut collector, &[new.say(&tampered(false)), third.say(&verdict(State::Dead, None, 0, false))]);
    collector.alarm_round(true, NOW + 20_000).unwrap();
    assert_eq!(forks(&home)[0].about.division.to_string(), "140100");
}

fn a_reset_that_the_authority_never_signed_opens_no_latch_and_is_told(homes: Homes) {
    let (home, mut collector, _old, mut new) = convicted(homes, "foreign", "130421");
    let rests = verdict(State::Energised, None, 0, false);
    take(&mut collector, &[new.genesis(7, None), new.say(&rests)]);
    take(&mut collector, &reset_by(4, &mut new, "reset-own", NOW));
    take(&mut collector, &[new.say(&rests)]);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    assert_eq!((latched(&home, "13"), alarms(&home, "130421")[0].state.life), ((1, 1), Life::UnackLatched));
    let [foreign]: [Alarm; 1] = alarms_of(&home, "130421", Cause::ForeignAct).try_into().unwrap();
    assert_eq!((foreign.state.life, foreign.about.subject.unwrap().as_str()), (Life::UnackReturned, "eaf-2"));
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(latched(&home, "13"), (1, 1));
    // The authority's own does, and so does one of a further key that the desk was told of.
    let mut collector = open(&home).believing(&[key_of(4)]);
    take(&mut collector, &reset_by(4, &mut new, "reset-further", NOW));
    take(&mut collector, &[new.say(&rests)]);
    assert_eq!(latched(&home, "13"), (0, 0));
}

fn a_clock_that_was_ahead_keeps_no_alarm_standing_after_the_reset(homes: Homes) {
    let home = home_admitting(homes, "ahead");
    let mut collector = open(&home);
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    old.wait_until(40 * 86_400);
    let draws = verdict(State::Drawing, Some(at(1).wall_unix_ms), 500, true);
    take(&mut collector, &[old.genesis(7, None), old.say(&draws)]);
    collector.alarm_round(true, NOW).unwrap();
    let later = NOW + HOUR_MS;
    let mut new = Voice::of(gateway(), "130421", (6, 0, 7));
    let begun = u64::try_from((later - at(0).wall_unix_ms) / 1_000).unwrap();
    new.wait_until(begun);
    take_at(&mut collector, &[new.genesis(7, None)], later + 10_000);
    let signed = reset_by(9, &mut new, "reset-new", NOW);
    take_at(&mut collector, &signed, later + 10_000);
    let rests = [new.say(&verdict(State::Energised, None, 0, false))];
    take_at(&mut collector, &rests, later + 10_000);
    collector.alarm_round(true, later + 20_000).unwrap();
    assert_eq!(alarms(&home, "130421")[0].state.life, Life::UnackReturned);
}

fn doubt_goes_on_through_a_start(homes: Homes) {
    let home = home_admitting(homes, "starts");
    let mut collector = open(&home);
    let mut voice = Voice::of(gateway(), "130421", (5, 0, 7));
    take(&mut collector, &[voice.genesis(7, None)]);
    let faults = |home: &Home| alarms_of(home, "130421", Cause::NoEvidence).len();
    // Every fourteen minutes the agent is started anew, and never sees anything.
    for minute in 0..30 {
        let why = if minute % 14 == 13 { Why::NotYetRead } else { Why::NotProvenAlive };
        let said = [voice.say(&verdict(State::Unknown(why), None, 0, true))];
        take_at(&mut collector, &said, NOW + minute * 60_000);
        collector.alarm_round(true, NOW + minute * 60_000).unwrap();
        assert_eq!(faults(&home), usize::from(minute >= 15), "minute {minute}");
    }
    // A start alone is no doubt, and a verdict that knows ends one.
    let said = [voice.say(&verdict(State::Dead, None, 0, true))];
    take_at(&mut collector, &said, NOW + HOUR_MS);
    collector.alarm_round(true, NOW + 2 * HOUR_MS).unwrap();
    assert_eq!(alarms_of(&home, "130421", Cause::NoEvidence)[0].state.life, Life::UnackReturned);
}

fn whoever_takes_a_carried_conviction_out_of_the_database_is_found(homes: Homes) {
    let (home, mut collector, _old, mut new) = convicted(homes, "taken-out", "130421");
    let rests = [new.genesis(7, None), new.say(&verdict(State::Energised, None, 0, false))];
    take_at(&mut collector, &rests, NOW + 1_000);
    collector.alarm_round(true, NOW + 10_000).unwrap();
    assert_eq!(wrongs(&home), Vec::<String>::new());
    let found = |sql: &str, said: &str| {
        home.sql(sql);
        let wrongs = wrongs(&home);
        assert!(wrongs.iter().any(|wrong| wrong.contains(said)), "{sql}: {wrongs:?}");
    };
    found(
        "update asset set violation_since_unix_ms = null, left_log = ''",
        "latched in a log that its gateway has left, and is not shown",
    );
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(wrongs(&home), Vec::<String>::new());
    assert!(shown(&home, "13").unwrap().left.is_some());
    // What would end the alarm, or has raised it, is compared with it.
    found(
        "update condition set shown = 'clear', waiting = 0",
        "what is kept of its condition is not what it shows",
    );
    found(
        "delete from alarm_step; delete from alarm",
        "the latch of eaf-2 is closed, and no alarm of it stands",
    );
    assert!(home.store().newest_step().unwrap().is_none());
}

/// The authority's reset as it is handed in at the desk.
fn act_of(seed: u8, log: Option<LogId>, issued_unix_ms: i64) -> Vec<u8> {
    let mut draft = json!({
        "act": "reset", "act_id": "reset-desk", "version": 1, "gateway_id": gateway().as_str(), "asset": "eaf-2",
        "issuer": "hebei", "issued_unix_ms": issued_unix_ms, "expires_unix_ms": NOW + 86_400_000,
    });
    if let Some(log) = log {
        draft["log_id"] = log.to_string().into();
    }
    let mut sealer = Sealer::default();
    Act::seal(draft.as_object().unwrap(), &mut sealer, &key(seed)).unwrap();
    sealer.bytes().to_vec()
}

fn whoever_never_speaks_again_is_set_free_at_the_desk_by_the_authority_alone(homes: Homes) {
    let (home, mut collector, mut old, mut new) = convicted(homes, "never-again", "130421");
    let hand = Hand::new("li", "demolished, seen by two").unwrap();
    let now = NOW + 60_000;
    let hand_in = |act: &[u8]| end(&mut *home.store(), &key(9), (act, &hand), now).unwrap();
    let log = Some(LogId(5));
    assert_eq!(hand_in(b"{}"), Err(Unfit::NoAct));
    assert_eq!(hand_in(&act_of(4, log, NOW)), Err(Unfit::Foreign));
    for other in [None, Some(LogId(6))] {
        assert_eq!(hand_in(&act_of(9, other, NOW)), Err(Unfit::Log(log)));
    }
    assert_eq!(hand_in(&act_of(9, log, NOW - 1)), Err(Unfit::Early));
    assert_eq!(latched(&home, "13"), (1, 1));
    let ended = hand_in(&act_of(9, log, NOW)).unwrap();
    assert_eq!(ended.iter().map(|alarm| alarm.state.life).collect::<Vec<_>>(), [Life::UnackReturned]);
    assert_eq!(hand_in(&act_of(9, log, NOW)), Err(Unfit::Nothing));
    // Who and why stand in the signed log with the act, and a collector that runs goes on from there.
    collector.alarm_round(true, now).unwrap();
    let steps = home.store().steps_of(ended[0].id, u64::MAX, 1).unwrap();
    let step = Entry::open(&steps[0].bytes, &key_of(9)).unwrap().0.step;
    assert_eq!((step.hand, step.act.unwrap().into_bytes()), (Some(hand.clone()), act_of(9, log, NOW)));
    let free = |home: &Home| {
        assert_eq!((latched(home, "13"), wrongs(home)), ((0, 0), Vec::<String>::new()));
        assert!(!told(home, "130000").is_latched());
    };
    free(&home);
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    free(&home);
    // A new journal is free, too; whoever speaks again where he was convicted convicts again.
    take_at(
        &mut collector,
        &[new.genesis(7, None), new.say(&verdict(State::Energised, None, 0, false))],
        now,
    );
    free(&home);
    take_at(
        &mut collector,
        &[old.say(&verdict(State::Drawing, Some(at(1).wall_unix_ms), 700, true))],
        now + 1_000,
    );
    collector.alarm_round(true, now + 10_000).unwrap();
    assert_eq!(alarms(&home, "130421")[0].state.life, Life::UnackActive);
}

over_both!(
    whoever_never_speaks_again_is_set_free_at_the_desk_by_the_authority_alone,
    a_new_journal_hides_no_tampering,
    what_is_over_is_not_raised_by_what_came_before_it,
    a_fork_below_one_that_was_acknowledged_rings_and_none_rings_twice,
    what_nobody_has_acknowledged_goes_nowhere_with_a_new_journal,
    a_reset_that_the_authority_never_signed_opens_no_latch_and_is_told,
    a_clock_that_was_ahead_keeps_no_alarm_standing_after_the_reset,
    doubt_goes_on_through_a_start,
    whoever_takes_a_carried_conviction_out_of_the_database_is_found,
);
