//! Logs that whoever holds the gateway's own key has written: acts that no gateway takes, holds over power, steps of orders
//! that were never given, and logs beside each other of which each would silence the other.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use coldhearth::{
    catalogue::Standing,
    evidence::{
        Act, Body, Certificate, Chain, Disbelief, Ed25519, Genesis, LogHead, LogId, OrderLog, Receipt,
        Sealer, Signer as _, Uncertified, certificate::Figure, record::Unverified,
    },
    judge::{
        Event, Finding, Rung, Shares, SignSet, State, Verdict, VoltagePoint, Why,
        cutoff::{Impossible, Reconciliation, Stand, Unfit},
    },
    terms::{AssetId, GatewayId, LegalDay, MeterId, WattHours},
};
use serde_json::{Value, json};
use support::{
    cut::{
        DAY_MS, Log, MINUTE_MS, MONDAY_MS, Next, STILL, authority, claim, gateway, maintain, maintained,
        meter, order, order_id, paper,
    },
    handed::{Handed, keys, sealed, witnessed},
};

/// A log that goes on after this one, and says that its order stands so.
fn goes_on(first: &Log, stand: Stand) -> Vec<Vec<u8>> {
    Next { before: &first.lines, log: LogId(2), at: first.now, besides: &[], stand: Some(stand), after: &[] }
        .lines()
}

fn impossible(log: &Log) -> Option<Impossible> {
    match witnessed(&log.lines).facts(&keys()) {
        Err(Uncertified::Impossible(_, why)) => Some(why),
        Ok(_) | Err(_) => None,
    }
}

/// The order of a log, with some members otherwise.
fn ordered(at: Option<VoltagePoint>, otherwise: &Value) -> Log {
    let mut log = Log::begin(authority());
    at.into_iter().for_each(|at| log.commission(at));
    let mut says = order("国发〔2010〕7号 四(三)");
    says.as_object_mut().unwrap().extend(otherwise.as_object().unwrap().clone());
    log.act("order", &says);
    log
}

#[test]
fn a_log_that_took_an_act_which_a_gateway_refuses_is_impossible() {
    let load = Some(VoltagePoint::Load);
    let safe = |emptied: &str| {
        json!({ "safe_state": {
            "emptied": emptied, "cooled": "done", "purged": "done", "declared_by": "李工",
            "declared_unix_ms": MONDAY_MS, "document_sha256": paper(),
        } })
    };
    for (at, otherwise, why) in [
        (load, json!({}), None),
        (load, json!({ "gateway_id": "gw-04" }), Some(Impossible::NotForHere)),
        (load, json!({ "expires_unix_ms": MONDAY_MS - 1 }), Some(Impossible::Expired)),
        (load, safe("not_done"), Some(Impossible::Unfit(Unfit::NoSafeState))),
        (Some(VoltagePoint::Bus), json!({}), Some(Impossible::Unfit(Unfit::CannotTell))),
        (None, json!({}), Some(Impossible::Unfit(Unfit::UnknownPoint))),
    ] {
        assert_eq!(impossible(&ordered(at, &otherwise)), why, "{at:?} {otherwise}");
    }
    // The same act once more, and an older version of it.
    let mut log = ordered(load, &json!({}));
    let mut says = claim();
    says["act_id"] = "claim-x".into();
    log.act("claim", &says);
    assert_eq!(impossible(&log), None);
    log.act("claim", &says);
    assert_eq!(impossible(&log), Some(Impossible::NotNewer));
    // One about an order that was never given.
    let mut log = ordered(load, &json!({}));
    let seal = json!({
        "type": "act", "act": "seal", "act_id": "seal-9", "version": 1, "gateway_id": "gw-03", "asset": "eaf-2",
        "issuer": "hebei-miit", "issued_unix_ms": MONDAY_MS, "expires_unix_ms": MONDAY_MS + DAY_MS,
        "order_id": "order-9", "seal_no": "F-9",
    });
    let seal = Act::seal(seal.as_object().unwrap(), &mut Sealer::default(), &authority()).unwrap();
    log.say(&Body::Act(seal));
    assert_eq!(impossible(&log), Some(Impossible::UnknownOrder));
}

fn shows(log: &mut Log, state: State) {
    log.state(meter(), state, STILL);
}

fn condemns(log: &mut Log, state: State) {
    log.say(&Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new("eaf-2").unwrap(),
        state,
        since: log.now,
        standing: Standing::declared(LegalDay::parse("2011-09-30")),
        phase: None,
        violation_since_unix_ms: Some(log.now.wall_unix_ms),
        energy_overdue: WattHours(8_800),
        energy_closed: WattHours(8_000),
        shares: Shares::default(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    })));
}

#[test]
fn nothing_is_certified_over_power_that_the_log_itself_tells_of() {
    type Tells = fn(&mut Log, State);
    for (tells, state, why) in [
        (shows as Tells, State::Energised, None),
        (shows, State::Drawing, Some(Impossible::Power)),
        (condemns, State::Drawing, Some(Impossible::Power)),
        // Whoever latches a violation has seen power, whatever state is told beside it.
        (condemns, State::Dead, Some(Impossible::Power)),
    ] {
        let mut log = ordered(Some(VoltagePoint::Load), &json!({}));
        log.act("claim", &claim());
        log.dead_for(4 * DAY_MS);
        tells(&mut log, state);
        shows(&mut log, State::Dead);
        log.dead_for(4 * DAY_MS);
        log.reading(8);
        assert_eq!((log.rung(), impossible(&log)), (Rung::Verified, why), "{state:?}");
    }
}

#[test]
fn a_step_of_an_order_that_the_log_never_took_is_told() {
    let mut acted = ordered(Some(VoltagePoint::Load), &json!({}));
    acted.act("acknowledge", &json!({}));
    let step = acted.lines.iter().map(|line| Unverified::read(line).unwrap().own().unwrap());
    let step =
        step.map(|record| record.body).find(|body| matches!(body, Body::Finding(Finding::Transition(_))));
    let mut alone = Log::begin(authority());
    alone.say(&step.unwrap());
    let report = support::audit(&gateway().public_key(), &alone.lines);
    let [told] = report.steps_alone[..] else { panic!("{report:?}") };
    assert_eq!((told.seq, told.why, report.orders.len()), (1, Impossible::UnknownOrder, 0));
}

/// Lines as a file has them.
fn file(lines: &[&[Vec<u8>]]) -> Vec<u8> {
    lines.iter().flat_map(|lines| lines.iter()).flat_map(|line| [line, &b"\n"[..]].concat()).collect()
}

#[test]
fn a_log_is_held_against_the_others_of_its_gateway() {
    let first = maintained(authority(), VoltagePoint::Load);
    let stand = *first.orders.iter().next().unwrap().told();
    let second = goes_on(&first, stand);
    let handed = Handed::of(&first, "several_logs");
    let bytes = sealed(&witnessed(&second).facts(&keys()).unwrap());
    handed.write("order-1.json", &bytes);
    handed.write("order-1.html", Certificate::open(&bytes, &keys()).unwrap().page().as_bytes());
    // Without the first log nobody knows; with it, it bears the second out.
    handed.write("records.jsonl", &file(&[&second]));
    let (exit, said) = handed.verify();
    assert!(exit == 0 && said.contains("how the order stood there is unchecked"), "{exit} {said}");
    handed.write("records.jsonl", &file(&[&first.lines, &second]));
    let (exit, said) = handed.verify();
    assert!(exit == 0 && !said.contains("unchecked"), "{exit} {said}");
    // The first went on to a violation, of which the second says nothing.
    let mut violated = maintained(authority(), VoltagePoint::Load);
    violated.draws();
    assert_eq!(violated.rung(), Rung::Violated);
    handed.write("records.jsonl", &file(&[&violated.lines, &second]));
    let (exit, said) = handed.verify();
    assert!(exit == 1 && said.contains("that log tells the order otherwise"), "{exit} {said}");
    assert!(said.contains("cannot follow from what is before it (Continued)"), "{said}");
    // Two logs of one order, neither of which goes on after the other.
    let twin = maintain(Log::begin_as(authority(), LogId(7)), VoltagePoint::Load);
    let bytes = sealed(&witnessed(&twin.lines).facts(&keys()).unwrap());
    handed.write("order-1.json", &bytes);
    handed.write("order-1.html", Certificate::open(&bytes, &keys()).unwrap().page().as_bytes());
    handed.write("records.jsonl", &file(&[&violated.lines, &twin.lines]));
    let (exit, said) = handed.verify();
    assert!(exit == 1 && said.contains("of the same gateway tells of the order too"), "{exit} {said}");
}

fn stand_of(log: &Log) -> Stand {
    *log.orders.iter().next().unwrap().told()
}

fn order_log(lines: &[Vec<u8>]) -> OrderLog {
    let mut log = OrderLog::default();
    for line in lines {
        log.on(&Unverified::read(line).unwrap().own().unwrap()).unwrap();
    }
    log
}

/// An act about the order, signed by the authority.
fn signed(kind: &str, id: &str, log: &Log) -> Body {
    let says = json!({
        "type": "act", "act": kind, "act_id": id, "version": 1, "gateway_id": "gw-03", "asset": "eaf-2",
        "issuer": "hebei-miit", "issued_unix_ms": log.now.wall_unix_ms,
        "expires_unix_ms": log.now.wall_unix_ms + DAY_MS, "order_id": "order-1",
    });
    Body::Act(Act::seal(says.as_object().unwrap(), &mut Sealer::default(), &authority()).unwrap())
}

#[test]
fn a_log_takes_over_no_act_that_the_one_before_it_never_took() {
    let taken_over = |first: &Log, besides: &[Body], stand| {
        let (before, at) = (&first.lines[..], first.now);
        let next = Next { before, log: LogId(2), at, besides, stand, after: &[] }.lines();
        order_log(&next).agrees_with(&order_log(before))
    };
    let first = maintained(authority(), VoltagePoint::Load);
    let stand = Some(stand_of(&first));
    assert_eq!(taken_over(&first, &[], stand), Ok(()));
    let never_taken = [signed("acknowledge", "acknowledge-9", &first)];
    assert_eq!(taken_over(&first, &never_taken, stand), Err(Impossible::Continued));
    // A latch that was opened before is no latch of later.
    let mut violated = maintained(authority(), VoltagePoint::Load);
    violated.draws();
    violated.act("reset", &json!({}));
    violated.dead_for(DAY_MS);
    assert_eq!(taken_over(&violated, &[], Some(stand_of(&violated))), Ok(()));
    violated.draws();
    assert_eq!(
        (violated.rung(), taken_over(&violated, &[], None)),
        (Rung::Violated, Err(Impossible::Continued))
    );
}

/// What is said of a certificate of the first log beside others of its gateway.
fn verified_beside(name: &str, first: &Log, others: &[&[Vec<u8>]]) -> (i32, String) {
    let handed = Handed::of(first, name);
    let all: Vec<&[Vec<u8>]> = std::iter::once(&first.lines[..]).chain(others.iter().copied()).collect();
    handed.write("records.jsonl", &file(&all));
    handed.verify()
}

#[test]
fn a_violation_two_logs_further_on_speaks_against_a_certificate() {
    let mut first = maintained(authority(), VoltagePoint::Load);
    let stand = stand_of(&first);
    let second = goes_on(&first, stand);
    let known = first.lines.len();
    let third = |at, after: &[Body]| {
        Next { before: &second, log: LogId(3), at, besides: &[], stand: Some(stand), after }.lines()
    };
    let (exit, said) = verified_beside("two_further_on", &first, &[&second, &third(first.now, &[])]);
    assert!(exit == 0, "{exit} {said}");
    let certified = Log { lines: first.lines.clone(), ..maintained(authority(), VoltagePoint::Load) };
    first.draws();
    let told: Vec<Body> =
        first.lines[known..].iter().map(|line| Unverified::read(line).unwrap().own().unwrap().body).collect();
    let (exit, said) =
        verified_beside("violated_further_on", &certified, &[&second, &third(first.now, &told)]);
    assert!(exit == 1 && said.contains("the order stands at violated"), "{exit} {said}");
}

#[test]
fn a_log_that_does_not_know_the_order_speaks_against_it_where_it_tells_of_power() {
    let first = maintained(authority(), VoltagePoint::Load);
    let told = |state: State, days: i64| {
        let mut other = Log::begin_as(authority(), LogId(7));
        other.commission(VoltagePoint::Load);
        other.now.wall_unix_ms += days * DAY_MS;
        other.state(meter(), state, STILL);
        other.now.wall_unix_ms += DAY_MS / 24;
        other.state(meter(), State::Dead, STILL);
        verified_beside(&format!("knows_nothing_{}_{days}", state.word()), &first, &[&other.lines])
    };
    let (exit, said) = told(State::Drawing, 3);
    assert!(exit == 1 && said.contains("tells of power behind the cut"), "{exit} {said}");
    // Before the hold, and where there was none.
    for (state, days) in [(State::Drawing, -1), (State::Dead, 3), (State::Energised, 3)] {
        let (exit, said) = told(state, days);
        assert!(exit == 0, "{state:?} {days}: {exit} {said}");
    }
}

/// A cut that is held for more than a week beside what else the log says meanwhile.
fn held_beside(tell: impl FnOnce(&mut Log)) -> Log {
    let mut log = ordered(Some(VoltagePoint::Load), &json!({}));
    log.act("claim", &claim());
    log.dead_for(4 * DAY_MS);
    tell(&mut log);
    log.dead_for(5 * DAY_MS);
    log.reading(8);
    assert_eq!(log.rung(), Rung::Verified);
    log
}

#[test]
fn power_ends_when_that_is_told_and_not_when_it_is_said_to_have_ended() {
    let mut log = ordered(Some(VoltagePoint::Load), &json!({}));
    log.act("claim", &claim());
    let since = log.now;
    shows(&mut log, State::Drawing);
    log.dead_for(4 * DAY_MS);
    log.state_since(meter(), State::Dead, STILL, since);
    log.dead_for(5 * DAY_MS);
    log.reading(8);
    assert_eq!((log.rung(), impossible(&log)), (Rung::Verified, Some(Impossible::Power)));
}

#[test]
fn no_hold_bears_a_live_point_for_longer_than_a_gap() {
    for (state, minutes, why) in [
        (State::Energised, 10, None),
        (State::Energised, 40, Some(Impossible::Power)),
        (State::Auxiliary, 40, Some(Impossible::Power)),
        (State::Dead, 40, None),
    ] {
        let log = held_beside(|log| {
            shows(log, state);
            log.dead_for(minutes * MINUTE_MS);
            shows(log, State::Dead);
        });
        assert_eq!(impossible(&log), why, "{state:?} for {minutes} minutes");
    }
}

#[test]
fn meters_that_were_made_up_take_no_place_from_the_orders_own() {
    let log = held_beside(|log| {
        for number in 0..40 {
            let made_up = MeterId::new(&format!("m-{number}")).unwrap();
            log.commission_as(made_up, VoltagePoint::Load);
            log.state_since(made_up, State::Drawing, STILL, log.now);
            log.now.uptime_ms += 1;
            log.now.wall_unix_ms += 1;
            log.state_since(made_up, State::Dead, STILL, log.now);
        }
        shows(log, State::Drawing);
        shows(log, State::Dead);
    });
    assert_eq!(impossible(&log), Some(Impossible::Power));
}

#[test]
fn a_day_on_which_the_witnesses_differ_ends_the_hold_it_is_told_in() {
    let day = |theirs| {
        Body::Finding(Finding::Event(Event::Reconcile(Reconciliation {
            order: order_id(),
            asset: AssetId::new("eaf-2").unwrap(),
            meter: meter(),
            from_unix_ms: MONDAY_MS,
            ours: WattHours(0),
            theirs: WattHours(theirs),
            may_differ: WattHours(6_000),
        })))
    };
    assert_eq!(impossible(&held_beside(|log| log.say(&day(5_000)))), None);
    assert_eq!(impossible(&held_beside(|log| log.say(&day(50_000)))), Some(Impossible::Agreed));
}

#[test]
fn no_more_is_proven_than_the_time_in_which_the_meter_showed_it() {
    let silent = State::Unknown(Why::Silent);
    // A reading or two that are missing leave no gap, as the machine itself counts; minutes that it says were proven do.
    for (seen, minutes, figure) in [(silent, 2, None), (State::Dead, 9, Some(Figure::Proven))] {
        let log = held_beside(|log| {
            shows(log, State::Dead);
            log.dead_for(DAY_MS / 4);
            for _ in 0..6 {
                shows(log, silent);
                log.shows(seen, STILL, minutes * MINUTE_MS);
                shows(log, State::Dead);
                log.dead_for(MINUTE_MS);
            }
        });
        let told = match witnessed(&log.lines).facts(&keys()) {
            Ok(_) => None,
            Err(Uncertified::NotBorneOut(_, figure)) => Some(figure),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(told, figure, "{seen:?} for {minutes} minutes");
    }
}

#[test]
fn an_act_is_not_taken_before_it_was_issued() {
    for (minutes, why) in [(14, None), (16, Some(Disbelief::TooEarly(4)))] {
        let mut log = ordered(Some(VoltagePoint::Load), &json!({}));
        let mut says = claim();
        says["issued_unix_ms"] = (log.now.wall_unix_ms + minutes * MINUTE_MS).into();
        log.act("claim", &says);
        log.dead_for(9 * DAY_MS);
        log.reading(8);
        let told = match witnessed(&log.lines).facts(&keys()) {
            Ok(_) => None,
            Err(Uncertified::Disbelieved(why)) => Some(why),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(told, why, "{minutes} minutes");
    }
}

#[test]
fn a_certificate_rests_on_no_record_whose_time_the_receipts_deny() {
    let log = maintained(authority(), VoltagePoint::Load);
    let handed = Handed::of(&log, "receipted");
    let middle = Unverified::read(&log.lines[log.lines.len() / 2]).unwrap();
    let covered = |hours: i64| {
        let receipt = Receipt {
            gateway: GatewayId::new("gw-03").unwrap(),
            upto: LogHead { log: middle.header().log, seq: middle.header().seq, head: middle.hash() },
            key_epoch: 0,
            public_key: gateway().public_key(),
            received_unix_ms: middle.header().at.wall_unix_ms + hours * DAY_MS / 24,
            nonce: [3; 16],
            missing: Vec::new(),
        };
        let mut sealer = Sealer::default();
        receipt.seal(&mut sealer, &authority()).unwrap();
        handed.write("receipts.jsonl", &[sealer.bytes(), b"\n"].concat());
        let trusted = [("--trust", "authority.key.pub"), ("--trust", "gateway.key.pub")];
        handed.verify_with(&[&trusted[..], &[("--receipts", "receipts.jsonl")]].concat())
    };
    // What was received later was written before; what was received two hours before it says to be written was not.
    assert_eq!(covered(1).0, 0, "{}", covered(1).1);
    let (exit, said) = covered(-2);
    assert!(exit == 1 && said.contains("was written at another time than it says"), "{exit} {said}");
}

#[test]
fn another_gateways_key_is_no_authoritys_where_the_authority_is_named() {
    // The other gateway's key has signed order, claim and certificate; whoever checks trusts it as a gateway's.
    let log = maintained(authority(), VoltagePoint::Load);
    let handed = Handed::of(&log, "another_gateways");
    std::fs::rename(handed.path("authority.key.pub"), handed.path("gw-04.key.pub")).unwrap();
    let own = Ed25519::from_seed(&[11; 32]).public_key().to_pem().unwrap();
    handed.write("authority.key.pub", own.as_bytes());
    let trusted = [("--trust", "gateway.key.pub"), ("--trust", "gw-04.key.pub")];
    assert_eq!(handed.verify_with(&trusted).0, 0, "no role was told");
    let (exit, said) = handed.verify_with(&[&trusted[..], &[("--authority", "authority.key.pub")]].concat());
    assert!(
        exit == 1 && said.contains("no certificate of a key that is trusted as the authority's"),
        "{exit} {said}"
    );
    // A log of that gateway in the same file says what the key is.
    let mut chain = Chain::begin(GatewayId::new("gw-04").unwrap(), LogId(9), 0, Box::new(authority()));
    let genesis = Unverified::read(&log.lines[0]).unwrap().own().unwrap().body;
    let Body::Genesis(genesis) = genesis else { panic!("{genesis:?}") };
    let genesis = Body::Genesis(Genesis { public_key: authority().public_key(), ..genesis });
    let other = vec![chain.seal(&log.now, &genesis).unwrap().bytes.to_vec()];
    handed.write("records.jsonl", &file(&[&log.lines, &other]));
    let (exit, said) = handed.verify_with(&trusted);
    assert!(exit == 1 && said.contains("a key that signs a gateway's log"), "{exit} {said}");
}

#[test]
fn what_speaks_against_a_log_is_not_left_behind_with_it() {
    // Dead for a week by its words, and silent for hours of it by the states on record; then a new log takes that over.
    let first = held_beside(|log| {
        shows(log, State::Dead);
        log.dead_for(DAY_MS / 4);
        shows(log, State::Unknown(Why::Silent));
        log.dead_for(DAY_MS / 4);
        shows(log, State::Dead);
    });
    let second = goes_on(&first, stand_of(&first));
    let handed = Handed::of(&maintained(authority(), VoltagePoint::Load), "left_behind");
    let mut sealer = Sealer::default();
    let facts = witnessed(&second).facts(&keys()).unwrap();
    Certificate::seal(&facts, MONDAY_MS + 12 * DAY_MS, &mut sealer, &authority()).unwrap();
    handed.write("order-1.json", sealer.bytes());
    handed.write("order-1.html", Certificate::open(sealer.bytes(), &keys()).unwrap().page().as_bytes());
    handed.write("records.jsonl", &file(&[&first.lines, &second]));
    let (exit, said) = handed.verify();
    assert!(exit == 1 && said.contains("the records before it do not bear out"), "{exit} {said}");
}
