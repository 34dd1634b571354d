//! What a log tells whoever goes on with it: acts that the power took the outcome of, and how the life before ended.

use serde_json::{Value, json};

use super::*;
use crate::{
    evidence::{Act, Checkpoint, Ed25519, Sealer},
    judge::{
        Rung, Transition,
        cutoff::{Deed, HoldNote, Stand},
    },
    terms::{ClockQuality, OrderId},
};

fn at(second: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + second.cast_signed() * 1_000;
    Stamp { wall_unix_ms, uptime_ms: second * 1_000, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 }
}

fn act(kind: &str, more: &Value) -> Act {
    let mut draft = json!({
        "act": kind, "act_id": kind, "version": 1, "gateway_id": "gw-03", "asset": "eaf-2", "issuer": "hebei",
        "issued_unix_ms": 1, "expires_unix_ms": 2,
    });
    let members = draft.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    Act::seal(members, &mut Sealer::default(), &Ed25519::from_seed(&[9; 32])).unwrap()
}

fn order() -> Act {
    act(
        "order",
        &json!({
            "points": [{ "meter": "m1", "carrier": "own" }], "scope": "feeder", "method": "fuse", "case": "demolish",
            "single_line": "v4", "second_feeds": "excluded", "not_before_unix_ms": 0, "due_unix_ms": 1,
        }),
    )
}

fn claim() -> Act {
    act("claim", &json!({ "order_id": "order", "cut_unix_ms": 0 }))
}

fn note(stand: Stand) -> Body {
    let (order, asset) = (OrderId::new("order").unwrap(), AssetId::new("eaf-2").unwrap());
    Body::Finding(Finding::Event(Event::Hold(HoldNote { order, asset, stand })))
}

fn step(act: &Act) -> Body {
    let stand = Stand { rung: Rung::CutClaimed, ..Stand::issued(&at(9)) };
    Body::Finding(Finding::Transition(Transition {
        order: OrderId::new("order").unwrap(),
        asset: AssetId::new("eaf-2").unwrap(),
        from: Rung::Issued,
        to: Rung::CutClaimed,
        actor: Name::new("hebei").unwrap(),
        why: Name::new("claimed").unwrap(),
        evidence: vec![act.hash],
        stand: Some(stand),
    }))
}

fn recalled(said: &[Body]) -> Recall {
    let mut recall = Recall::default();
    (1..).zip(said).for_each(|(second, body)| recall.on_said(&at(second), body));
    recall
}

#[test]
fn a_note_before_the_step_of_an_act_settles_nothing_and_step_or_answer_do() {
    let (order, claim) = (order(), claim());
    let given = [Body::Act(order.clone()), Body::Answer(order.accepted()), Body::Act(claim.clone())];
    let told = |more: &[Body]| {
        let recall = recalled(&[&given[..], more].concat());
        let owed: Vec<Name> = recall.unanswered().iter().map(|act| act.id).collect();
        let memory = recall.into_memory();
        (owed.len(), memory.orders[0].after.iter().filter(|act| matches!(act.deed, Deed::Claim(_))).count())
    };
    let sealed = Stand { earlier_ms: 1, restarts: 1, ..Stand::issued(&at(1)) };
    assert_eq!(told(&[]), (1, 1));
    assert_eq!(told(&[note(sealed)]), (1, 1), "the power went between the note and the step");
    assert_eq!(told(&[note(sealed), step(&claim)]), (1, 0), "it is done, and not answered");
    assert_eq!(told(&[note(sealed), step(&claim), Body::Answer(claim.accepted())]), (0, 0));
    assert_eq!(
        told(&[Body::Answer(claim.accepted())]),
        (0, 0),
        "what leads to no step is settled by its answer"
    );
}

#[test]
fn a_later_version_of_an_order_is_in_force_once_its_outcome_is_told() {
    let (first, claim) = (order(), claim());
    let mut second = first.members.clone();
    second.retain(|name, _| !["alg", "fmt", "kid", "sig", "type"].contains(&name.as_str()));
    second.insert("version".into(), 2.into());
    second.insert("single_line".into(), "v5".into());
    let second = Act::seal(&second, &mut Sealer::default(), &Ed25519::from_seed(&[9; 32])).unwrap();
    let said =
        [Body::Act(first.clone()), Body::Answer(first.accepted()), Body::Act(claim.clone()), step(&claim)];
    let said = [&said[..], &[Body::Answer(claim.accepted()), Body::Act(second.clone())]].concat();
    let memory = recalled(&said).into_memory();
    assert_eq!((memory.orders[0].order.version, memory.orders[0].after.len()), (1, 1));
    let answered = [&said[..], &[Body::Answer(second.accepted())]].concat();
    let memory = recalled(&answered).into_memory();
    assert_eq!((memory.orders[0].order.single_line.as_str(), memory.orders[0].after.len()), ("v5", 0));
}

#[test]
fn a_log_that_continues_another_owes_no_answer_that_was_given() {
    let (order, claim) = (order(), claim());
    let said = [Body::Act(order.clone()), Body::Answer(order.accepted()), Body::Act(claim.clone())];
    let carried = recalled(&said).carried();
    assert_eq!(recalled(&carried).unanswered().iter().map(|act| act.id).collect::<Vec<_>>(), [claim.id]);
    let done = [&said[..], &[step(&claim), Body::Answer(claim.accepted())]].concat();
    assert_eq!(recalled(&recalled(&done).carried()).unanswered(), []);
}

#[test]
fn how_the_life_before_ended_is_what_it_said_last_of_that() {
    let beat =
        Body::Checkpoint(Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 });
    let boot = Body::Boot(Boot {
        boot_id: "b".into(),
        machine_rebooted: false,
        software: "s".into(),
        config: Digest::ZERO,
        dark: None,
    });
    let (gasp, stop) = (Body::Notice(Notice::LastGasp), Body::Notice(Notice::Stopping));
    let ended = |said: &[&Body]| {
        let said: Vec<Body> = said.iter().map(|body| (*body).clone()).collect();
        recalled(&said).dark(&at(1_000)).map(|dark| dark.ended)
    };
    assert_eq!(ended(&[]), None, "nobody lived before");
    assert_eq!(ended(&[&boot, &beat]), Some(Ending::Unknown));
    assert_eq!(ended(&[&boot, &beat, &stop]), Some(Ending::CleanStop));
    assert_eq!(ended(&[&boot, &gasp, &beat]), Some(Ending::LastGasp));
    assert_eq!(
        ended(&[&boot, &gasp, &beat, &stop]),
        Some(Ending::LastGasp),
        "stopped since its supply failed"
    );
    assert_eq!(ended(&[&boot, &gasp, &stop, &boot, &beat]), Some(Ending::Unknown), "of another life");
    let mut late = recalled(&[boot.clone(), gasp.clone()]);
    late.on_said(&at(2 + LAST_GASP_MS.unsigned_abs() / 1_000 + 1), &beat);
    assert_eq!(late.dark(&at(9_999)).unwrap().ended, Ending::Unknown, "its supply came back");
}
