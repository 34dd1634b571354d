mod outages;

use outages::fleet;
use proptest::prelude::*;

use super::*;
use crate::{
    regulator::alarms::{
        alarm::tests::about,
        pager::Pager,
        receiver::{Receiver, Way},
        state::State,
    },
    terms::{
        GatewayId,
        place::{CreditCode, Level},
    },
};

const OWN: Own = Own { collector: None, hears: true };
const MINUTE_MS: i64 = 60_000;

fn waiting(cause: Cause, shown: Shown, at: i64) -> Waiting {
    Waiting {
        about: about(cause, "gw-1", "130421"),
        shown,
        changed_unix_ms: at,
        record: Some(Digest::of(cause.word().as_bytes())),
    }
}

fn events(outcome: &Outcome) -> Vec<Event> {
    outcome.steps.iter().map(|step| step.event).collect()
}

fn hand() -> Hand {
    Hand::new("wang", "on my way").unwrap()
}

#[test]
fn a_violation_stays_latched_over_night_and_only_a_reset_ends_it() {
    let mut board = Board::default();
    board.hear(&waiting(Cause::Violation, Shown::Active, 0));
    let raised = board.tick(0);
    assert_eq!(events(&raised), [Event::Raise]);
    assert_eq!(raised.settled.len(), 1);
    let id = raised.steps[0].about.id();
    assert_eq!(raised.steps[0].record, Some(Digest::of(b"violation")));
    assert_eq!(events(&board.act(id, Deed::Acknowledge, hand(), 1_000).unwrap()), [Event::Acknowledge]);
    // The furnace rests at dawn.
    board.hear(&waiting(Cause::Violation, Shown::Latched, 2_000));
    assert_eq!(events(&board.tick(2_000)), [Event::Settle]);
    assert!(board.tick(48 * 60 * MINUTE_MS).steps.is_empty());
    assert_eq!(board.alarm(id).unwrap().state.word(), "latched");
    for deed in [Deed::Acknowledge, Deed::Unshelve, Deed::Restore] {
        let refused = board.act(id, deed, hand(), 3_000);
        assert_eq!(refused, Err(Refused::Unfit(board.alarm(id).unwrap().state)));
    }
    board.hear(&waiting(Cause::Violation, Shown::Clear, 4_000));
    assert_eq!(events(&board.tick(4_000)), [Event::Clear]);
    assert_eq!(board.alarm(id), None, "it was acknowledged, and the authority has reset it");
}

#[test]
fn chatter_within_the_delays_is_no_alarm() {
    let mut board = Board::default();
    let (mut now, mut steps) = (0, 0);
    // Every ten minutes it is unknown for five, all night long.
    while now < 8 * 60 * MINUTE_MS {
        let shown = if now / MINUTE_MS % 10 < 5 { Shown::Active } else { Shown::Clear };
        if now / MINUTE_MS % 5 == 0 {
            board.hear(&waiting(Cause::NoEvidence, shown, now));
        }
        steps += board.tick(now).steps.len();
        now += MINUTE_MS;
    }
    assert_eq!(steps, 0);
    let mut raised = Board::default();
    raised.hear(&waiting(Cause::NoEvidence, Shown::Active, 0));
    assert!(raised.tick(899_999).steps.is_empty());
    assert_eq!(events(&raised.tick(900_000)), [Event::Raise]);
}

#[test]
fn doubt_that_changes_its_reason_is_told_after_a_quarter_of_an_hour_all_the_same() {
    let mut board = Board::default();
    let causes = [Cause::MeterFault, Cause::NoEvidence];
    let mut raised = Vec::new();
    for minute in 0..60 {
        // The reason changes every fourteen minutes.
        let at = usize::from(minute / 14 % 2 == 1);
        if minute % 14 == 0 {
            board.hear(&waiting(causes[1 - at], Shown::Clear, minute * MINUTE_MS));
            board.hear(&waiting(causes[at], Shown::Active, minute * MINUTE_MS));
        }
        let steps = board.tick(minute * MINUTE_MS).steps.into_iter();
        raised.extend(steps.map(|step| (minute, step.event, step.about.cause)));
    }
    assert_eq!(raised.first(), Some(&(15, Event::Raise, Cause::NoEvidence)), "{raised:?}");
    // What was certain in between is a doubt anew.
    let mut board = Board::default();
    for (minute, cause, shown) in [
        (0, Cause::MeterFault, Shown::Active),
        (10, Cause::MeterFault, Shown::Clear),
        (11, Cause::NoEvidence, Shown::Active),
    ] {
        board.hear(&waiting(cause, shown, minute * MINUTE_MS));
        assert!(board.tick(minute * MINUTE_MS).steps.is_empty());
    }
    assert!(board.tick(25 * MINUTE_MS).steps.is_empty());
    assert_eq!(events(&board.tick(26 * MINUTE_MS)), [Event::Raise]);
}

#[test]
fn a_moment_is_told_and_waits_to_be_acknowledged() {
    let mut board = Board::default();
    board.hear(&waiting(Cause::Fork, Shown::Active, 0));
    let told = board.tick(0);
    assert_eq!(events(&told), [Event::Raise, Event::Clear]);
    assert_eq!(told.settled[0].shown, Shown::Clear);
    let id = told.steps[0].about.id();
    assert_eq!(board.alarm(id).unwrap().state.life, Life::UnackReturned);
    board.act(id, Deed::Acknowledge, hand(), 1).unwrap();
    assert_eq!(board.alarm(id), None);
}

#[test]
fn a_shelf_has_an_end_and_what_comes_off_it_is_as_it_would_have_been() {
    let mut board = Board::default();
    board.hear(&waiting(Cause::Violation, Shown::Active, 0));
    let id = board.tick(0).steps[0].about.id();
    for until in [0, 1_000, 1_000 + MAX_SHELF_MS + 1] {
        assert_eq!(board.act(id, Deed::Shelve(until), hand(), 1_000), Err(Refused::Until));
    }
    let shelved = board.act(id, Deed::Shelve(5_000), hand(), 1_000).unwrap();
    assert_eq!(shelved.steps[0].until_unix_ms, Some(5_000));
    assert_eq!(shelved.steps[0].hand, Some(hand()));
    board.hear(&waiting(Cause::Violation, Shown::Latched, 2_000));
    assert_eq!(events(&board.tick(4_999)), [Event::Settle]);
    assert_eq!(board.alarm(id).unwrap().state.word(), "shelved");
    assert_eq!(events(&board.tick(5_000)), [Event::Unshelve]);
    assert_eq!(board.alarm(id).unwrap().state.life, Life::UnackLatched);
    assert_eq!(board.act(AlarmId::FIRST, Deed::Acknowledge, hand(), 1), Err(Refused::Unknown));
}

#[test]
fn a_violation_is_never_out_of_service_and_what_is_comes_back_by_itself() {
    let mut board = Board::default();
    for cause in [Cause::Violation, Cause::Fork, Cause::Indeterminate] {
        board.hear(&waiting(cause, Shown::Active, 0));
    }
    board.tick(0);
    let id = |cause| about(cause, "gw-1", "130421").id();
    for (cause, kind) in [(Cause::Violation, Kind::Violation), (Cause::Fork, Kind::Tamper)] {
        let refused = board.act(id(cause), Deed::Retire(2_000), hand(), 1_000);
        assert_eq!(refused, Err(Refused::Kept(kind)));
    }
    let other = id(Cause::Indeterminate);
    for until in [1_000, 1_000 + MAX_RETIRED_MS + 1] {
        assert_eq!(board.act(other, Deed::Retire(until), hand(), 1_000), Err(Refused::Until));
    }
    board.act(other, Deed::Retire(5_000), hand(), 1_000).unwrap();
    assert_eq!(board.alarm(other).unwrap().state.word(), "out_of_service");
    assert_eq!(board.alarm(other).unwrap().until_unix_ms, Some(5_000));
    assert!(board.tick(4_999).steps.is_empty());
    assert_eq!(events(&board.tick(5_000)), [Event::Restore]);
    let back = board.alarm(other).unwrap();
    assert_eq!((back.state.life, back.until_unix_ms), (Life::UnackActive, None));
}

#[test]
fn one_melt_is_one_alarm_and_its_contradiction_comes_out_when_the_latch_is_opened() {
    let mut board = Board::default();
    let of_melt =
        |cause, shown, at| Waiting { record: Some(Digest::of(b"melt")), ..waiting(cause, shown, at) };
    board.hear(&of_melt(Cause::Violation, Shown::Active, 0));
    board.hear(&of_melt(Cause::EliminatedDraws, Shown::Active, 0));
    let told = board.tick(0);
    let rings: Vec<Cause> =
        board.alarms().filter(|alarm| alarm.state.rings()).map(|alarm| alarm.about.cause).collect();
    assert_eq!(rings, [Cause::Violation], "{told:?}");
    board.hear(&of_melt(Cause::Violation, Shown::Clear, 1_000));
    assert_eq!(events(&board.tick(1_000)), [Event::Clear, Event::Release]);
    // Seen once it is over.
    let contradiction = about(Cause::EliminatedDraws, "gw-1", "130421").id();
    board.act(contradiction, Deed::Acknowledge, hand(), 2_000).unwrap();
    assert_eq!(board.alarm(contradiction), None);
    // Of another record it is a matter of its own.
    let mut other = Board::default();
    other.hear(&waiting(Cause::Violation, Shown::Active, 0));
    other.hear(&waiting(Cause::EliminatedDraws, Shown::Active, 0));
    other.tick(0);
    assert!(other.alarms().all(|alarm| alarm.state.rings()));
}

#[test]
fn what_was_raised_before_its_county_was_known_goes_to_it_with_the_next_step() {
    let mut board = Board::default();
    let nowhere = About { division: Division::NATION, ..about(Cause::Violation, "gw-1", "130421") };
    board.hear(&Waiting { about: nowhere, ..waiting(Cause::Violation, Shown::Active, 0) });
    assert_eq!(board.tick(0).steps[0].level, Level::Province);
    board.hear(&waiting(Cause::Violation, Shown::Latched, 1_000));
    let placed = board.tick(1_000);
    assert_eq!((events(&placed), placed.steps[0].level), (vec![Event::Settle], Level::County));
    assert_eq!(board.alarm(nowhere.id()).unwrap().level, Level::County);
}

#[test]
fn whoever_hears_nothing_himself_calls_nobody_silent() {
    let fleet = fleet(2, 20);
    let mut board = Board::default();
    let deaf = Own { hears: false, ..OWN };
    let mut steps = Vec::new();
    for minute in 0..60 {
        board.look(&fleet, deaf, minute * MINUTE_MS);
        steps.extend(board.tick(minute * MINUTE_MS).steps);
    }
    assert_eq!(steps.iter().map(|step| step.about.cause).collect::<Vec<_>>(), [Cause::Unreachable]);
    // Nor for the time that a gateway may be quiet, once he hears again.
    let back = 60 * MINUTE_MS;
    for minute in 0..9 {
        board.look(&fleet, OWN, back + minute * MINUTE_MS);
        steps.extend(board.tick(back + minute * MINUTE_MS).steps);
    }
    assert!(steps.iter().all(|step| step.about.cause == Cause::Unreachable), "{steps:?}");
}

#[test]
fn whoever_hears_takes_back_what_a_fellow_that_is_gone_or_deaf_said_of_the_line() {
    let of = |collector: &str, hears| Own { collector: Name::new(collector), hears };
    let (mut deaf, mut hears) = (Board::default(), Board::default());
    let mut steps = Vec::new();
    for minute in 0..60 {
        let now = minute * MINUTE_MS;
        // Both lose it; the second finds it again.
        deaf.look(&[], of("collector-1", false), now);
        let outcome = deaf.tick(now);
        steps.extend(outcome.steps.iter().map(|step| (minute, step.event, step.about.subject)));
        hears.reread(deaf.alarms().cloned().collect());
        hears.look(&[], of("collector-2", minute >= 10), now);
        let outcome = hears.tick(now);
        steps.extend(outcome.steps.iter().map(|step| (minute, step.event, step.about.subject)));
        deaf.reread(hears.alarms().cloned().collect());
    }
    let one = Name::new("collector-1");
    let of_one: Vec<(i64, Event)> = steps
        .iter()
        .filter(|(.., whose)| *whose == one)
        .map(|(minute, event, _)| (*minute, *event))
        .collect();
    assert_eq!(of_one[..2], [(1, Event::Raise), (11, Event::Clear)], "{of_one:?}");
    // That it goes on hearing nothing is told once more by nobody, but that nobody acknowledges it.
    assert!(of_one[2..].iter().all(|(_, event)| *event == Event::Escalate), "{of_one:?}");
    assert_eq!(steps.iter().filter(|(_, event, _)| *event == Event::Clear).count(), 2, "{steps:?}");
    // The next time it is.
    let now = 60 * MINUTE_MS;
    deaf.look(&[], of("collector-1", true), now);
    for minute in 0..3 {
        deaf.look(&[], of("collector-1", false), now + minute * MINUTE_MS);
        deaf.tick(now + minute * MINUTE_MS);
    }
    let stands = deaf.alarms().filter(|alarm| alarm.state.life.is_standing());
    assert_eq!(stands.map(|alarm| alarm.about.subject).collect::<Vec<_>>(), [one]);
    // One that has no number any longer does it for whoever had one.
    let mut alone = Board::of(deaf.alarms().cloned().collect());
    for minute in 0..3 {
        alone.look(&[], OWN, now + minute * MINUTE_MS);
        alone.tick(now + minute * MINUTE_MS);
    }
    assert!(alone.alarms().all(|alarm| !alarm.state.life.is_standing()));
}

#[test]
fn a_clock_that_was_ahead_silences_nothing_for_longer_than_its_own_rule() {
    const HOUR_MS: i64 = 60 * MINUTE_MS;
    for days in [1, 10, 400] {
        let far = days * 24 * HOUR_MS;
        let unheard = [(GatewayId::new("gw-2").unwrap(), Division::NATION, far)];
        let mut fleet = fleet(1, 1);
        fleet[0].heard_unix_ms = far;
        let mut board = Board::default();
        board.look(&fleet, OWN, far);
        for cause in [Cause::Violation, Cause::Transfer] {
            board.hear(&waiting(cause, Shown::Active, far));
        }
        board.tick(far);
        let aside = about(Cause::Transfer, "gw-1", "130421").id();
        board.act(aside, Deed::Shelve(far + MAX_SHELF_MS), hand(), far).unwrap();
        // It is set back; the store says again and again when what it keeps was so, and others write to the log.
        let mut when = Vec::new();
        for minute in 0..8 * 24 * 60 {
            let now = minute * MINUTE_MS;
            if minute < 60 {
                board.hear(&waiting(Cause::NoEvidence, Shown::Active, far));
            }
            board.reread(board.alarms().cloned().collect());
            board.look(&fleet, OWN, now);
            board.look_for_unheard(&unheard, now);
            let steps = board.tick(now).steps.into_iter();
            when.extend(steps.map(|step| (minute, step.about.cause, step.event)));
        }
        let first =
            |cause, event| when.iter().find(|(_, of, what)| (*of, *what) == (cause, event)).unwrap().0;
        assert_eq!(first(Cause::Violation, Event::Escalate), 60, "{days}");
        assert_eq!(first(Cause::NoEvidence, Event::Raise), 15, "{days}");
        assert_eq!(first(Cause::Silent, Event::Raise), 15, "{days}");
        assert_eq!(first(Cause::NeverHeard, Event::Raise), 24 * 60, "{days}");
        assert_eq!(first(Cause::Transfer, Event::Unshelve), 7 * 24 * 60, "{days}");
    }
}

#[test]
fn who_was_admitted_and_is_never_heard_is_told_after_a_day_until_he_speaks() {
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    let gateway = GatewayId::new("gw-1").unwrap();
    let mut board = Board::default();
    board.look(&[], OWN, -SILENT_MS);
    board.look_for_unheard(&[(gateway, Division::NATION, 0)], DAY_MS - 1);
    assert!(board.tick(DAY_MS - 1).steps.is_empty());
    board.look_for_unheard(&[(gateway, Division::NATION, 0)], DAY_MS);
    let told = board.tick(DAY_MS);
    assert_eq!(events(&told), [Event::Raise]);
    let about = told.steps[0].about;
    assert_eq!((about.cause.kind(), about.gateway), (Kind::EvidenceMissing, Some(gateway)));
    // Where it is said to stand is whose it is.
    let county = Division::parse("130421").unwrap();
    let mut placed = Board::default();
    placed.look(&[], OWN, -SILENT_MS);
    placed.look_for_unheard(&[(gateway, county, 0)], DAY_MS);
    assert_eq!(placed.tick(DAY_MS).steps[0].about.division, county);
    board.look_for_unheard(&[], 2 * DAY_MS);
    assert_eq!(events(&board.tick(2 * DAY_MS)), [Event::Clear]);
    // Whoever hears nothing himself calls nobody unheard.
    let mut deaf = Board::default();
    deaf.look(&[], Own { hears: false, ..OWN }, 0);
    deaf.look_for_unheard(&[(gateway, Division::NATION, 0)], 9 * DAY_MS);
    let causes: Vec<Cause> = deaf.tick(9 * DAY_MS).steps.iter().map(|step| step.about.cause).collect();
    assert_eq!(causes, [Cause::Unreachable]);
}

#[test]
fn at_most_five_notifications_tell_of_an_outage_of_ten_thousand_gateways() {
    let mut fleet = fleet(100, 100);
    for (n, heard) in fleet.iter_mut().enumerate() {
        heard.heard_unix_ms = -(i64::try_from(n).unwrap() * 7_919 % 300_000);
    }
    let desk = Receiver {
        name: Name::new("desk").unwrap(),
        division: Division::parse("130000").unwrap(),
        hears: Level::County,
        kinds: Kind::ALL.to_vec(),
        way: Way::Mqtt,
    };
    let mut pagers = Kind::ALL.map(|kind| Pager::beginning(desk.name, kind, 0));
    let (mut board, mut number, mut told) = (Board::default(), 0, Vec::new());
    board.look(&[], OWN, -SILENT_MS);
    // An hour of outage; then they come back, a tenth of them each minute.
    for minute in 0..180 {
        let now = minute * MINUTE_MS;
        for (n, heard) in fleet.iter_mut().enumerate() {
            if minute >= 60 && i64::try_from(n).unwrap() % 10 < minute - 59 {
                heard.heard_unix_ms = now;
            }
        }
        board.look(&fleet, OWN, now);
        for step in board.tick(now).steps {
            number += 1;
            pagers.iter_mut().for_each(|pager| pager.on(number, &step, &desk));
        }
        for pager in &mut pagers {
            let standing = board.standing(pager.kept().kind, desk.division);
            if let Some(notification) = pager.due(standing, now) {
                pager.told(&notification);
                told.push(notification);
            }
        }
    }
    assert!((2..=5).contains(&told.len()), "{told:?}");
    assert!(told.iter().all(|notification| notification.kind == Kind::EvidenceMissing));
    assert_eq!(told.first().map(|first| (first.news.len(), first.further, first.standing)), Some((1, 0, 1)));
    assert_eq!(board.standing(Kind::EvidenceMissing, desk.division), 0);
}

proptest! {
    /// Whatever records, people and time do in whatever order: the board is what its steps say.
    #[test]
    fn the_steps_say_all_there_is(deeds in proptest::collection::vec((0..8_u8, 0..4_u8, 0..3_u8, 0..2_000_000_i64), 1..200)) {
        let causes = [Cause::Violation, Cause::NoEvidence, Cause::Fork, Cause::Tamper];
        let (mut board, mut now) = (Board::default(), 0);
        let mut replayed: BTreeMap<AlarmId, Alarm> = BTreeMap::new();
        for (what, cause, shown, pause) in deeds {
            now += pause;
            let cause = causes[usize::from(cause)];
            let shown = [Shown::Active, Shown::Latched, Shown::Clear][usize::from(shown)];
            let id = about(cause, "gw-1", "130421").id();
            let outcome = match what {
                0..=2 => {
                    // Only a violation is ever latched.
                    let shown = if cause == Cause::Violation || shown != Shown::Latched { shown } else { Shown::Active };
                    board.hear(&waiting(cause, shown, now));
                    board.tick(now)
                }
                3 => board.act(id, Deed::Acknowledge, hand(), now).unwrap_or_default(),
                4 => board.act(id, Deed::Shelve(now + 600_000), hand(), now).unwrap_or_default(),
                5 => board.act(id, Deed::Retire(now + 600_000), hand(), now).unwrap_or_default(),
                6 => board.act(id, Deed::Restore, hand(), now).unwrap_or_default(),
                _ => board.tick(now),
            };
            for step in &outcome.steps {
                let id = step.about.id();
                let before = replayed.remove(&id).unwrap_or_else(|| Alarm::unheard(step.about));
                let after = before.after(step).unwrap();
                if !after.state.is_over() {
                    replayed.insert(id, after);
                }
            }
            prop_assert!(board.alarms().eq(replayed.values()));
            prop_assert!(board.alarms().all(|alarm| alarm.state != State::BEGIN));
        }
    }
}
