//! Logs that whoever holds the gateway's own key has written: acts that no gateway takes, holds over power, steps of orders
//! that were never given, and logs beside each other of which each would silence the other.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use coldhearth::{
    catalogue::Standing,
    evidence::{
        Act, Body, Certificate, Chain, Genesis, LogHead, LogId, Sealer, Signer as _, Uncertified,
        record::Unverified,
    },
    judge::{
        Event, Finding, Rung, Shares, SignSet, State, Verdict, VoltagePoint,
        cutoff::{HoldNote, Impossible, Stand, Unfit},
    },
    terms::{AssetId, GatewayId, LegalDay, WattHours},
};
use serde_json::{Value, json};
use support::{
    cut::{
        DAY_MS, Log, MONDAY_MS, STILL, authority, claim, gateway, maintain, maintained, meter, order,
        order_id, paper,
    },
    handed::{Handed, keys, sealed, witnessed},
};

/// A log that goes on after this one, and says that its order stands so.
fn goes_on(first: &Log, stand: Stand) -> (LogHead, Vec<Vec<u8>>) {
    let (order, asset) = (order_id(), AssetId::new("eaf-2").unwrap());
    let ended = Unverified::read(first.lines.last().unwrap()).unwrap();
    let before = LogHead { log: ended.header().log, seq: ended.header().seq, head: ended.hash() };
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(2), 0, Box::new(gateway()));
    let mut lines = Vec::new();
    let mut say = |body: &Body| lines.push(chain.seal(&first.now, body).unwrap().bytes.to_vec());
    for line in &first.lines {
        let body = Unverified::read(line).unwrap().own().unwrap().body;
        if let Body::Genesis(genesis) = body {
            say(&Body::Genesis(Genesis { continues: Some(before), ..genesis }));
        } else if matches!(body, Body::Act(_)) {
            say(&body);
        }
    }
    say(&Body::Finding(Finding::Event(Event::Hold(HoldNote { order, asset, stand }))));
    (before, lines)
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
        (condemns, State::Dead, None),
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
    let (_, second) = goes_on(&first, stand);
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
