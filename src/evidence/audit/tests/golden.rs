//! One of every message there is, as it travels, kept for ever. A changed byte is a new version of the format.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::*;
use crate::{
    catalogue::{Citation, Class, Difference, Edit, PlateSource, Rostered, Rule, Ruling, Witness},
    evidence::{
        Act, ActKind, ActRefusal, Answer, Body, Chain, Dropped, Ed25519, Gap, GapWhy, Keyring, Notice,
        Receipt, Rollback, Sealer, Signer, Trust,
        commissioning::{Commissioning, PointPapers},
        heads::{Heads, root_of},
    },
    judge::{
        Accuracy, Allowance, AllowanceKind, BalanceFinding, ClassChange, Classes, Commissioned,
        Corroboration, DeadlineWarning, Doubt, Event, Figure, Figures, Floor, Grounds, Inspect, MeterTold,
        Outcome, Parameters, PermitUse, Rung, Sign, SignFinding, StandingSign, StateFinding, Transition,
        Turn, VoltagePoint, Wiring, sign::figure::figures,
    },
    metering::{
        Identity,
        decode::Declared,
        identity::{Label, Route},
    },
    terms::{LegalDay, Name, OrderId, Ratio, Stamp, WattHours},
};

use self::judge::{bodies_about_signs, bodies_of_the_judge};

mod judge;
mod orders;
mod refused;

const LOG: LogId = LogId(0x3f1c_9a70_e2b8_4d15);

fn authority() -> Ed25519 {
    Ed25519::from_seed(&[9; 32])
}

fn next_key() -> Ed25519 {
    Ed25519::from_seed(&[8; 32])
}

/// The members of an act of each kind, as a person would write them.
fn draft(kind: ActKind) -> Map<String, Value> {
    let common = json!({
        "act": kind.word(), "act_id": format!("{}-1", kind.word()), "version": 1, "gateway_id": "gw-03",
        "asset": "eaf-2", "issuer": "hebei-miit", "issued_unix_ms": 1_795_000_000_000_i64,
        "expires_unix_ms": 1_795_600_000_000_i64,
        "legal_basis": "国发〔2010〕7号 四(三)", "reason": "检修期满，复核无误",
    });
    let more = match kind {
        ActKind::Permit => json!({
            "permit": "maintenance", "from_unix_ms": 1_795_000_000_000_i64, "to_unix_ms": 1_795_080_000_000_i64,
            "energy_wh": 250_000, "document_sha256": Digest::of(b"paper").to_string(),
        }),
        ActKind::RevokeKey => json!({ "revoked_kid": next_key().public_key().id().to_string() }),
        ActKind::Reading => {
            json!({ "meter": "m1", "import_wh": 918_273_645_000_i64, "read_unix_ms": 1_795_000_000_000_i64 })
        }
        ActKind::Order
        | ActKind::Plan
        | ActKind::Claim
        | ActKind::Suspend
        | ActKind::Resume
        | ActKind::Seal
        | ActKind::Close
        | ActKind::Revoke
        | ActKind::Restore
        | ActKind::Reset
        | ActKind::Roster
        | ActKind::Acknowledge
        | ActKind::Ask => json!({}),
    };
    let (Value::Object(mut common), Value::Object(more)) = (common, more) else { panic!() };
    common.extend(more);
    common
}

fn act(kind: ActKind) -> (Act, Vec<u8>) {
    let mut sealer = Sealer::default();
    let act = Act::seal(&draft(kind), &mut sealer, &authority()).unwrap();
    (act, sealer.bytes().to_vec())
}

/// A permit of another sort than the first.
fn permit_of(permit: &str) -> Map<String, Value> {
    let mut draft = draft(ActKind::Permit);
    draft.extend([("permit".into(), permit.into()), ("act_id".into(), format!("permit-{permit}").into())]);
    if permit == "meter_replacement" {
        draft.remove("energy_wh");
        draft.insert("meter".into(), "m1".into());
    }
    draft
}

/// What the first log says after the bodies of the other tests.
fn later_bodies() -> Vec<Body> {
    let name = |text| Name::new(text).unwrap();
    let dropped = vec![Dropped { from: 5, to: 7, last: Digest::of(b"last") }];
    let accepted = Answer { act: Some((name("permit-1"), 1)), bytes: Digest::of(b"act"), refused: None };
    let refused = Answer { refused: Some(ActRefusal::Expired), ..accepted };
    let mut permitted = violation();
    permitted.violation_since_unix_ms = None;
    permitted.permit = Some(PermitUse { permit: name("permit-1"), used: WattHours(120_500) });
    let mut replaced = register();
    replaced.permit = Some(name("permit-2"));
    let transition = Transition {
        order: OrderId::new("order-1").unwrap(),
        asset: violation().asset,
        from: Rung::CutClaimed,
        to: Rung::Observing,
        actor: name("agent"),
        why: name("first_dead"),
        evidence: vec![Digest::of(b"state"), Digest::of(b"claim")],
        stand: None,
    };
    vec![
        Body::Act(act(ActKind::Permit).0),
        Body::Answer(accepted),
        Body::Answer(refused),
        Body::Finding(Finding::Verdict(permitted)),
        Body::Finding(Finding::Event(Event::Register(replaced))),
        Body::Gap(Gap { why: GapWhy::DiskFull, dropped }),
        Body::Notice(Notice::ReceiptRefused { bytes: Digest::of(b"x"), why: name("wrong_key"), count: 3 }),
        Body::Notice(Notice::Oversized { seq: 9, length: 30_000, limit: 20_000 }),
        Body::Notice(Notice::DiskFull { lasted_ms: 61_000 }),
        Body::Notice(Notice::JournalDamaged { salvaged: 900, lost: 3 }),
        Body::Notice(Notice::CertificateExpiring { days: 13 }),
        Body::Finding(Finding::Transition(transition)),
    ]
}

/// What a log says of the law: everything a verdict can name, and what befalls nameplates, rosters and deadlines.
fn bodies_about_the_law() -> Vec<Body> {
    let citation = |text| Citation::new(text).unwrap();
    let day = |text| LegalDay::parse(text).unwrap();
    let rule = Rule {
        instrument: citation("gf-2010-7"),
        entry: citation("steel-electric-furnace-up-to-30t"),
        file: Digest::of(b"catalogue"),
        witness: Witness::Full,
    };
    let ruling = Ruling { class: Class::InScope, rule: Some(rule), deadline: Some(day("2011-12-31")) };
    let mut listed = violation();
    listed.standing.ruling = Some(ruling);
    listed.standing.roster = Some(Rostered::By(day("2011-06-30")));
    listed.standing.declared_plate = Some(Digest::of(b"declared"));
    listed.standing.warned_days = Some(52);
    let mut absent = violation();
    absent.standing = Standing {
        ruling: Some(Ruling { class: Class::Undetermined, rule: None, deadline: None }),
        roster: Some(Rostered::Absent),
        ..Standing::default()
    };
    (absent.phase, absent.violation_since_unix_ms) = (None, None);
    let verdicts = [listed, absent].map(|verdict| Body::Finding(Finding::Verdict(verdict)));
    let events = events_about_the_law(ruling).into_iter().map(|event| Body::Finding(Finding::Event(event)));
    let mut draft = draft(ActKind::Roster);
    draft.extend(roster_members());
    let roster = Act::seal(&draft, &mut Sealer::default(), &authority()).unwrap();
    verdicts.into_iter().chain(events).chain([Body::Act(roster)]).collect()
}

fn events_about_the_law(ruling: Ruling) -> Vec<Event> {
    let asset = violation().asset;
    let line = |name: &str, value| Attribute::new(name, value).unwrap();
    let tonnage = |mantissa| PlateValue::Decimal { mantissa, places: 1 };
    let declared = Nameplate::new(vec![line("nominal_tonnage_t", tonnage(250))]).unwrap();
    let out = Ruling { class: Class::OutOfScope, rule: None, deadline: None };
    let edit = |attribute: &str, before, after| Edit { attribute: attribute.into(), before, after };
    vec![
        Event::Plate(PlateRead { asset, source: PlateSource::Declared, before: None, plate: declared }),
        Event::PlateDiffers {
            asset,
            difference: Difference {
                attribute: "nominal_tonnage_t".into(),
                declared: tonnage(250),
                read: PlateValue::Whole(31),
            },
        },
        Event::ClassChanged(ClassChange {
            asset,
            source: PlateSource::Read,
            before: ruling,
            after: out,
            edits: vec![
                edit("model", Some(PlateValue::Text("HX-25".into())), None),
                edit("nominal_tonnage_t", Some(tonnage(250)), Some(PlateValue::Whole(31))),
                edit("stamp_charged", None, Some(PlateValue::Flag(true))),
            ],
        }),
        Event::DeadlineWarning(DeadlineWarning {
            asset,
            last_day: LegalDay::parse("2011-12-31").unwrap(),
            days_left: 51,
            lead_days: 21,
        }),
        Event::NotOnRoster { asset, entry: ruling.rule.map(|rule| rule.entry), version: 2 },
    ]
}

/// What a roster lists, as a person would write it.
fn roster_members() -> Map<String, Value> {
    let members = json!({
        "act_id": "roster-2", "uscc": "91350100M000100Y43", "order": "冀工信〔2011〕12号",
        "equipment": [
            { "asset": "eaf-2", "entry": "steel-electric-furnace-up-to-30t", "deadline": "2011-06-30" },
            { "asset": "kiln-1", "entry": "cement-wet-kiln", "deadline": "2012-12-31" },
        ],
    });
    let Value::Object(members) = members else { panic!() };
    members
}

/// A question of the authority in the log, the verdict that follows, corroborated by the meters upstream, and the answer.
fn bodies_on_demand() -> Vec<Body> {
    let name = |text| Name::new(text).unwrap();
    let (asked, bytes) = act(ActKind::Ask);
    let Some(Body::Finding(Finding::Verdict(verdict))) = bodies_of_the_judge().into_iter().rev().nth(1)
    else {
        panic!()
    };
    let blind = MilliWatts::from_watts(530_000);
    let corroboration = Some(Corroboration { group: name("bus-1"), until: at(9), blind });
    let grounds = verdict.grounds.map(|grounds| Grounds { corroboration, ..grounds });
    let verdict = Verdict { state: State::Auxiliary, violation_since_unix_ms: None, grounds, ..verdict };
    let answer = Answer { act: Some((asked.id, 1)), bytes: Digest::of(&bytes), refused: None };
    vec![Body::Act(asked), Body::Finding(Finding::Verdict(verdict)), Body::Answer(answer)]
}

fn point_of_eaf_2() -> Commissioning {
    let nominal = MilliVolts(35_000_000);
    let floor = Floor::behind_ct(Wiring::FourWire, 400, nominal, Accuracy::parse("0.5S"));
    let (meter, asset) = (MeterId::new("m1").unwrap(), violation().asset);
    let rated = MilliWatts::from_watts(12_500_000);
    let crane = Allowance {
        name: Name::new("crane").unwrap(),
        kind: AllowanceKind::Crane,
        power: MilliWatts::from_watts(30_000),
        var: 30_600,
        monthly: WattHours(500_000),
        back_power: MilliWatts::from_watts(15_000),
        back_monthly: WattHours(100_000),
    };
    let terms = Commissioned {
        allowances: Box::new([crane]),
        ratios: Declared { ct: Ratio::new(400, 5), pt: Ratio::new(35_000, 100) },
        classes: Classes { ct: Accuracy::parse("0.5S"), ..Classes::default() },
        ..Commissioned::process_feeder(meter, asset, nominal, rated, floor)
    };
    let papers = PointPapers {
        step_test: Some("2026-05-12 步进试验".into()),
        certificate_expires: LegalDay::parse("2028-06-30"),
        ..PointPapers::default()
    };
    Commissioning::of(&terms, (Name::new("janitza-19000").unwrap(), Digest::of(b"profile")), &papers)
}

fn receipt() -> Receipt {
    Receipt {
        gateway: GatewayId::new("gw-03").unwrap(),
        upto: LogHead { log: LOG, seq: 11, head: Digest::of(b"head") },
        key_epoch: 0,
        public_key: key().public_key(),
        received_unix_ms: 1_795_000_030_000,
        nonce: [3; 16],
        missing: vec![(14, 15)],
    }
}

/// The messages with the names of their files: a log with a rotation and a skip, then a log after a rollback, then what
/// the authority says, then what was added to the format since, in the second log. What is new goes to the end: no
/// golden changes.
fn messages() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LOG, 0, Box::new(key()));
    let mut keep =
        |kind: &str, bytes: &[u8]| all.push((format!("{:02}-{kind}.json", all.len()), bytes.to_vec()));
    let at = |second: usize| -> Stamp { at(10 + second as u64) };
    let firsts = bodies();
    for (second, body) in firsts.iter().enumerate() {
        keep(body.word(), chain.seal(&at(second), body).unwrap().bytes);
    }
    chain.on_receipt(Digest::of(b"receipt"));
    for (second, body) in later_bodies().iter().enumerate() {
        keep(body.word(), chain.seal(&at(20 + second), body).unwrap().bytes);
    }
    keep("key_rotate", chain.rotate(&at(40), Box::new(next_key())).unwrap().bytes);
    keep("checkpoint", chain.seal(&at(41), firsts.last().unwrap()).unwrap().bytes);
    keep("skip", chain.skip_to(&at(42), 1_000).unwrap().bytes);
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(5), 1, Box::new(next_key()));
    let Body::Genesis(mut genesis) = firsts[0].clone() else { panic!() };
    let receipted = LogHead { log: LOG, seq: 1_004, head: Digest::of(b"head") };
    (genesis.public_key, genesis.continues) = (next_key().public_key(), Some(receipted));
    keep("genesis", chain.seal(&at(50), &Body::Genesis(genesis)).unwrap().bytes);
    let local = Some((1_000, Digest::of(b"local")));
    for local in [local, None] {
        let notice = Body::Rollback(Rollback { receipted, local });
        keep("rollback_notice", chain.seal(&at(51), &notice).unwrap().bytes);
    }
    let mut sealer = Sealer::default();
    receipt().seal(&mut sealer, &authority()).unwrap();
    keep("receipt", sealer.bytes());
    // What came later has its place at the end.
    let first = ActKind::ALL.into_iter().filter(|kind| !matches!(kind, ActKind::Ask | ActKind::Acknowledge));
    for kind in first {
        keep(&format!("act-{}", kind.word()), &act(kind).1);
    }
    for permit in ["allowance", "meter_replacement"] {
        Act::seal(&permit_of(permit), &mut sealer, &authority()).unwrap();
        keep(&format!("act-permit-{permit}"), sealer.bytes());
    }
    for (second, body) in bodies_about_the_law().iter().enumerate() {
        keep(body.word(), chain.seal(&at(60 + second), body).unwrap().bytes);
    }
    keep("act-roster-listed", &roster_listed());
    for (second, body) in bodies_about_signs().iter().chain(&bodies_of_the_judge()).enumerate() {
        keep(body.word(), chain.seal(&at(80 + second), body).unwrap().bytes);
    }
    keep("act-ask", &act(ActKind::Ask).1);
    for (second, body) in bodies_on_demand().iter().enumerate() {
        keep(body.word(), chain.seal(&at(110 + second), body).unwrap().bytes);
    }
    heads().seal(&mut sealer, &authority()).unwrap();
    keep("heads", sealer.bytes());
    orders::acts().iter().for_each(|(name, bytes)| keep(name, bytes));
    for (second, body) in orders::bodies().iter().enumerate() {
        keep(body.word(), chain.seal(&at(120 + second), body).unwrap().bytes);
    }
    keep("event", chain.seal(&at(160), &permit_used()).unwrap().bytes);
    for (second, body) in orders::later_bodies().iter().enumerate() {
        keep(body.word(), chain.seal(&at(161 + second), body).unwrap().bytes);
    }
    keep("heads", &heads_with_the_desks());
    all
}

fn roster_listed() -> Vec<u8> {
    let (mut roster, mut sealer) = (draft(ActKind::Roster), Sealer::default());
    roster.extend(roster_members());
    Act::seal(&roster, &mut sealer, &authority()).unwrap();
    sealer.bytes().to_vec()
}

/// What was drawn under a permit, when another one had been used since.
fn permit_used() -> Body {
    let used = PermitUse { permit: Name::new("permit-1").unwrap(), used: WattHours(500_000) };
    Body::Finding(Finding::Event(Event::PermitUsed { asset: violation().asset, used }))
}

/// The same, on the desk's own log, too.
fn heads_with_the_desks() -> Vec<u8> {
    let mut sealer = Sealer::default();
    let desk = Some((14, Digest::of(b"a step")));
    Heads { desk, ..heads() }.seal(&mut sealer, &authority()).unwrap();
    sealer.bytes().to_vec()
}

/// The authority's word on two logs.
fn heads() -> Heads {
    let listed = |log, seq| (GatewayId::new("gw-03").unwrap(), log, seq, Digest::of(b"head"));
    let (day, before) = (LegalDay::parse("2026-11-18").unwrap(), Digest::of(b"the day before"));
    let root = root_of(&[listed(LogId(5), 0), listed(LOG, 1_004)]);
    Heads { day, number: 2, before, made_unix_ms: 1_795_017_600_000, logs: 2, root, desk: None }
}

/// A keyring that has heard everything that stands before.
fn believes(keyring: &mut Keyring, bytes: &[u8]) -> bool {
    let Ok(signed) = Signed::read(bytes) else { return false };
    match signed.members().text("type") {
        Ok("heads") => Heads::open(&signed, &authority().public_key()).is_ok(),
        Ok("receipt") => Receipt::open(&signed, &authority().public_key()).is_ok(),
        Ok("act") if signed.members().text("act").is_ok() => {
            let mut trust = Trust::new(GatewayId::new("gw-03").unwrap(), vec![authority().public_key()]);
            match trust.open_act(bytes, &at(10), |_| Ok(())) {
                Ok(_) => true,
                Err(refused) => {
                    // Whatever a gateway makes of it: it was read.
                    refused.act.is_some()
                }
            }
        }
        Ok(_) => Unverified::of(signed).and_then(|unverified| keyring.open(unverified)).is_ok(),
        Err(_) => false,
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/coldhearth-1")
}

/// `COLDHEARTH_BLESS=1` writes files that are missing.
#[test]
fn the_bytes_are_the_golden_ones() {
    for (name, bytes) in messages() {
        let path = folder().join(name);
        if !path.exists() && std::env::var_os("COLDHEARTH_BLESS").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        let golden = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&golden), "{}", path.display());
    }
    assert_eq!(std::fs::read_dir(folder()).unwrap().count(), messages().len(), "a golden nobody writes");
}

#[test]
fn every_golden_is_believed_and_read_as_it_was_meant() {
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (name, bytes) in messages() {
        assert!(believes(&mut keyring, &bytes), "{name}");
    }
    let said = bodies().into_iter().chain(later_bodies());
    let mut keyring = Keyring::new(&[key().public_key()]);
    for ((name, bytes), body) in messages().iter().zip(said) {
        assert_eq!(keyring.open(Unverified::read(bytes).unwrap()).unwrap().body, body, "{name}");
    }
    // The last ones belong to the second log, whose key the rotation has made known.
    let added = [
        bodies_about_the_law(),
        bodies_about_signs(),
        bodies_of_the_judge(),
        bodies_on_demand(),
        orders::bodies(),
        vec![permit_used()],
        orders::later_bodies(),
    ]
    .concat();
    let mut keyring = Keyring::new(&[key().public_key()]);
    let all = messages();
    for (name, bytes) in &all {
        assert!(believes(&mut keyring, bytes), "{name}");
    }
    let first = all.iter().position(|(name, _)| name == "47-verdict.json").unwrap();
    let records =
        all.iter().skip(first).filter(|(name, _)| !name.contains("-act-") && !name.contains("-heads"));
    for ((name, bytes), body) in records.zip(added) {
        assert_eq!(keyring.open(Unverified::read(bytes).unwrap()).unwrap().body, body, "{name}");
    }
    let receipt_bytes = messages().into_iter().find(|(name, _)| name.ends_with("receipt.json")).unwrap().1;
    let opened = Receipt::open(&Signed::read(&receipt_bytes).unwrap(), &authority().public_key());
    assert_eq!(opened, Ok(receipt()));
}
