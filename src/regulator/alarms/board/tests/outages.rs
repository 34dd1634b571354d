//! Outages: one alarm for all who fall silent together, and one of his own for whoever does alone.

use super::*;

pub(super) fn fleet(counties: u32, each: u32) -> Vec<Heard> {
    let enterprise = CreditCode::parse("91350100M000100Y43").unwrap();
    let all = (0..counties).flat_map(|county| (0..each).map(move |n| (county, n)));
    all.map(|(county, n)| Heard {
        gateway: GatewayId::new(&format!("gw-{county}-{n}")).unwrap(),
        division: Division::parse(&format!("13{:02}{:02}", 1 + county / 10, 1 + county % 10)).unwrap(),
        enterprise,
        heard_unix_ms: 0,
    })
    .collect()
}

/// Steps of a fleet of which each gateway spoke last at its own time; looked at every minute.
fn lives(fleet: &[Heard], from: i64, minutes: i64) -> (Board, Vec<Step>) {
    let (mut board, mut steps) = (Board::default(), Vec::new());
    board.look(&[], OWN, from - SILENT_MS);
    for minute in 0..minutes {
        let now = from + minute * MINUTE_MS;
        board.look(fleet, OWN, now);
        steps.extend(board.tick(now).steps);
    }
    (board, steps)
}

#[test]
fn a_broker_that_goes_down_in_a_province_is_one_alarm_for_ten_thousand_gateways() {
    let mut fleet = fleet(100, 100);
    // Their checkpoints are spread over five minutes.
    for (n, heard) in fleet.iter_mut().enumerate() {
        heard.heard_unix_ms = -(i64::try_from(n).unwrap() * 7_919 % 300_000);
    }
    let (board, steps) = lives(&fleet, 0, 30);
    assert_eq!(steps.len(), 1, "{steps:?}");
    let Step { about, event, gateways, level, .. } = &steps[0];
    assert_eq!((about.cause, *event, *level), (Cause::Outage, Event::Raise, Level::Province));
    assert_eq!(about.division.to_string(), "130000");
    assert!(gateways.is_some_and(|gateways| gateways >= 5_000), "{gateways:?}");
    assert_eq!(board.standing(Kind::EvidenceMissing, about.division), 1);
}

#[test]
fn when_it_is_back_the_alarm_ends_and_who_stays_silent_is_told_for_himself() {
    let mut fleet = fleet(2, 20);
    let (mut board, _) = lives(&fleet, 0, 20);
    let now = 20 * MINUTE_MS;
    let mut told = Vec::new();
    for minute in 0..20 {
        let now = now + minute * MINUTE_MS;
        fleet.iter_mut().skip(1).for_each(|heard| heard.heard_unix_ms = now);
        board.look(&fleet, OWN, now);
        told.extend(board.tick(now).steps.into_iter().map(|step| (step.about.cause, step.event)));
    }
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&(Cause::Outage, Event::Clear)) && told.contains(&(Cause::Silent, Event::Raise)));
}

#[test]
fn who_was_told_of_alone_is_told_by_the_wider_alarm_as_long_as_that_stands() {
    let mut fleet = fleet(1, 20);
    let (mut board, mut first) = (Board::default(), Vec::new());
    board.look(&[], OWN, -SILENT_MS);
    for minute in 0..31 {
        let now = minute * MINUTE_MS;
        fleet.iter_mut().skip(1).for_each(|heard| heard.heard_unix_ms = now);
        board.look(&fleet, OWN, now);
        first.extend(board.tick(now).steps);
    }
    assert_eq!(first.iter().map(|step| step.about.cause).collect::<Vec<_>>(), [Cause::Silent]);
    let mut told = Vec::new();
    for minute in 31..60 {
        let now = minute * MINUTE_MS;
        board.look(&fleet, OWN, now);
        told.extend(board.tick(now).steps.into_iter().map(|step| (step.about.cause, step.event)));
    }
    assert_eq!(told, [(Cause::Outage, Event::Raise), (Cause::Silent, Event::Inhibit)]);
}

/// A province is out from minute 0 on, and stays so for a quarter of it; the others are back after an hour, and speak as
/// `speaks` tells of gateway and minute. Tells what was raised after three hours.
fn raised_while_out(board: &mut Board, speaks: impl Fn(usize, i64) -> bool) -> Vec<(Cause, String)> {
    let mut fleet = fleet(1, 40);
    let mut raised = Vec::new();
    board.look(&[], OWN, -SILENT_MS);
    for minute in 0..5 * 60 {
        let now = minute * MINUTE_MS;
        for (n, heard) in fleet.iter_mut().enumerate() {
            if minute >= 60 && speaks(n, minute) {
                heard.heard_unix_ms = now;
            }
        }
        board.look(&fleet, OWN, now);
        let steps =
            board.tick(now).steps.into_iter().filter(|step| step.to.rings() && step.event != Event::Escalate);
        let names = steps.map(|step| {
            let gateway = step.about.gateway.map_or_else(String::new, |gateway| gateway.to_string());
            (step.about.cause, gateway)
        });
        raised.extend(names);
    }
    raised
}

#[test]
fn who_was_back_and_falls_silent_alone_while_an_outage_stands_is_told_for_himself() {
    let mut board = Board::default();
    // Ten stay away: the outage stands. One of the others falls silent after three hours.
    let raised = raised_while_out(&mut board, |n, minute| n >= 10 && (n != 17 || minute < 180));
    let names: Vec<(Cause, &str)> = raised.iter().map(|(cause, name)| (*cause, name.as_str())).collect();
    assert_eq!(names, [(Cause::Outage, ""), (Cause::Silent, "gw-0-17")]);
    let silent = board.alarms().find(|alarm| alarm.about.cause == Cause::Silent).unwrap();
    assert_eq!(silent.state.word(), "unack_active", "no wider alarm tells of it");
    // Where all of them go again it is the same outage.
    let raised = raised_while_out(&mut Board::default(), |n, minute| n >= 10 && minute < 180);
    assert_eq!(raised.len(), 1, "{raised:?}");
}

#[test]
fn the_silence_of_a_convicted_furnace_is_told_whatever_else_is_silent() {
    let mut board = Board::default();
    let convicted = about(Cause::Violation, "gw-0-3", "130101");
    board.hear(&Waiting { about: convicted, ..waiting(Cause::Violation, Shown::Latched, 0) });
    let raised = raised_while_out(&mut board, |_, _| false);
    let mut causes: Vec<(Cause, &str)> = raised.iter().map(|(cause, name)| (*cause, name.as_str())).collect();
    causes.sort();
    assert_eq!(
        causes,
        [(Cause::Violation, "gw-0-3"), (Cause::Silent, "gw-0-3"), (Cause::Outage, "")],
        "and of nobody else"
    );
}
