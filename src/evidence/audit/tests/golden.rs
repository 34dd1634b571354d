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

mod orders;

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

/// What a log says of tampering: a strong sign, a weak one, a masked state, its verdict, and balances.
fn bodies_about_signs() -> Vec<Body> {
    let name = |text| Name::new(text).unwrap();
    let strong = SignFinding {
        meter: MeterId::new("m1").unwrap(),
        asset: violation().asset,
        sign: Sign::VoltageSwapped,
        turn: Turn::Begins,
        since: at(9),
        figures: figures([(Figure::Power, 3), (Figure::Reactive, -41), (Figure::Apparent, 9_990_000)]),
        permit: None,
        scan: scan(),
    };
    let weak = SignFinding {
        sign: Sign::FirmwareChanged,
        turn: Turn::Permitted,
        figures: Figures::new(),
        permit: Some(name("permit-2")),
        scan: Scan::default(),
        ..strong.clone()
    };
    let quiet = SignFinding { sign: Sign::TooQuiet, turn: Turn::Over, permit: None, ..weak.clone() };
    let Body::Finding(Finding::State(mut masked)) = state(State::Masked(Sign::VoltageSwapped), None) else {
        panic!()
    };
    for sign in [Sign::VoltageSwapped, Sign::TooQuiet] {
        masked.signs.push(StandingSign { sign, since: at(9) }).unwrap();
    }
    let mut verdict = violation();
    (verdict.state, verdict.violation_since_unix_ms) = (State::Masked(Sign::VoltageSwapped), None);
    masked.signs.iter().for_each(|standing| verdict.signs.add(standing.sign));
    let residual = BalanceFinding {
        group: name("bus-1"),
        start: at(1),
        end: at(9),
        outcome: Outcome::Residual,
        came_in: WattHours(60_000_000),
        went_out: WattHours(55_000_000),
        lost: WattHours(210_000),
        residual: WattHours(4_790_000),
        error: WattHours(730_000),
        blind: MilliWatts::from_watts(730_000),
        told: 4,
        members: 4,
        covered_ms: 3_600_000,
    };
    let unknown = BalanceFinding { outcome: Outcome::Unknown(Doubt::CouplerClosed), told: 3, ..residual };
    let events = [strong, weak, quiet].map(|found| Body::Finding(Finding::Event(Event::Sign(found))));
    let balances = [residual, unknown].map(|found| Body::Finding(Finding::Event(Event::Balance(found))));
    let states = [Finding::State(masked), Finding::Verdict(verdict)].map(Body::Finding);
    events.into_iter().chain(states).chain(balances).collect()
}

/// A meter that tells who it is, and is another afterwards.
fn meters_told() -> [MeterTold; 2] {
    let label = |text: &str| Label::new(text.as_bytes());
    let before = Identity {
        maker: label("Janitza"),
        model: label("UMG 96"),
        serial: label("4711"),
        firmware: label("1.4"),
        ct: Ratio::new(400, 5),
        pt: Ratio::new(35_000, 100),
        wiring: label("0001"),
        route: Some(Route::Vendor),
        ..Identity::default()
    };
    let after = Identity { serial: label("4712 \\"), pt: None, ..before };
    let told = MeterTold { meter: MeterId::new("m1").unwrap(), before: None, after: before, permit: None };
    let changed = MeterTold { before: Some(before), after, permit: Name::new("permit-2"), ..told };
    [told, changed]
}

/// What the judge says of a metering point as commissioned, and by which meter.
fn bodies_of_the_judge() -> Vec<Body> {
    let [told, changed] = meters_told();
    let digests = (Some(told.after.fingerprint()), Some(Digest::of(b"commissioning")));
    let point = |state, proof, power| StateFinding {
        is_cooling: state == State::Auxiliary,
        voltage_point: Some(VoltagePoint::Bus),
        power,
        phase_power: [1, -2, 3].map(|megawatts| Some(MilliWatts::from_watts(megawatts * 1_000_000))),
        fingerprint: digests.0,
        commissioning: digests.1,
        plate: Some(Digest::of(b"plate")),
        ..found(state, proof)
    };
    let (from, floor) = (at(5), MilliWatts::from_watts(48_498));
    let excess =
        |span| Some(Proof::Energy(Excess { span, from, moved: WattHours(9_000), bound: WattHours(8_000) }));
    let (demand, limit) = (MilliWatts::from_watts(8_000_000), MilliWatts::from_watts(98_498));
    let is = |watts| Some(Measured::Is(MilliWatts::from_watts(watts)));
    let states = [
        point(State::Exporting, excess(Span::Export), is(-900_000)),
        point(State::Exporting, Some(Proof::BackFeed { from }), Some(Measured::UpTo(floor))),
        point(State::Drawing, Some(Proof::Demand { from, demand, limit }), Some(Measured::UpTo(floor))),
        point(State::Auxiliary, None, is(90_000)),
        point(State::Energised, None, Some(Measured::UpTo(floor))),
        point(State::Unknown(Why::BusSide), None, None),
    ];
    let Body::Finding(Finding::Interval(quarter)) = interval() else { panic!() };
    let quarter = Interval {
        fingerprint: digests.0,
        commissioning: digests.1,
        plate: Some(Digest::of(b"plate")),
        ..quarter
    };
    let mut unsaved = register();
    unsaved.what = RegisterQuirk::Unsaved;
    let grounds = Grounds {
        floor,
        register_floor: WattHours(4_200),
        error_ppm: 8_661,
        bound: WattHours(20_800),
        voltage_point: Some(VoltagePoint::Line),
        inspect: [Inspect::SharedFeeder, Inspect::Unfit].into_iter().collect(),
        meter: digests.0,
        commissioning: Digest::of(b"commissioning"),
        corroboration: None,
        parameters: Parameters::of(1_000),
    };
    let verdict = Verdict { grounds: Some(grounds), ..violation() };
    let events = [Event::Meter(told), Event::Meter(changed), Event::Register(unsaved)].map(Finding::Event);
    let rest = [Finding::Interval(quarter), Finding::Verdict(verdict)];
    let findings = states.map(Finding::State).into_iter().chain(events).chain(rest);
    findings.map(Body::Finding).chain([Body::Commissioned(point_of_eaf_2())]).collect()
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

/// The authority's word on two logs.
fn heads() -> Heads {
    let listed = |log, seq| (GatewayId::new("gw-03").unwrap(), log, seq, Digest::of(b"head"));
    let (day, before) = (LegalDay::parse("2026-11-18").unwrap(), Digest::of(b"the day before"));
    let root = root_of(&[listed(LogId(5), 0), listed(LOG, 1_004)]);
    Heads { day, number: 2, before, made_unix_ms: 1_795_017_600_000, logs: 2, root }
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

#[test]
fn no_flipped_bit_and_no_deleted_byte_is_believed() {
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (name, bytes) in messages() {
        assert!(believes(&mut keyring, &bytes), "{name}");
        for position in 0..bytes.len() {
            let mut cut = bytes.clone();
            cut.remove(position);
            assert!(!believes(&mut keyring, &cut), "{name}: byte {position} deleted");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[position] ^= 1 << bit;
                assert!(!believes(&mut keyring, &flipped), "{name}: byte {position} bit {bit}");
            }
        }
    }
}

#[test]
fn garbage_around_truncation_and_other_ways_to_write_the_same_are_refused() {
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (name, bytes) in messages() {
        assert!(believes(&mut keyring, &bytes), "{name}");
        let text = String::from_utf8(bytes.clone()).unwrap();
        let members = text.strip_prefix('{').unwrap();
        let doubled = format!("{{\"alg\":\"ed25519\",{members}");
        let sibling = format!("{{\"aaa\":1,{members}");
        let escaped = text.replacen("ed25519", "\\u0065d25519", 1);
        let swapped =
            text.replacen("\"fmt\":\"coldhearth/1\",", "", 1).replacen('{', "{\"fmt\":\"coldhearth/1\",", 1);
        let base64 = text.replacen("==\"", "\"", 1);
        let spaced = text.replacen(':', ": ", 1);
        let solidus = text.replacen("coldhearth/1", "coldhearth\\/1", 1);
        for altered in [
            doubled,
            sibling,
            escaped,
            swapped,
            base64,
            spaced,
            solidus,
            format!("{text} "),
            format!(" {text}"),
            format!("{text}\n"),
            format!("{text}{text}"),
            format!("\u{feff}{text}"),
        ] {
            assert_ne!(altered, text);
            assert!(!believes(&mut keyring, altered.as_bytes()), "{name}: {altered}");
        }
        for length in 0..bytes.len() {
            assert!(!believes(&mut keyring, &bytes[..length]), "{name} cut to {length}");
        }
    }
}

#[test]
fn a_record_of_the_wrong_epoch_is_refused() {
    let all = messages();
    let rotation = all.iter().position(|(name, _)| name.contains("key_rotate")).unwrap();
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (_, bytes) in &all[..=rotation] {
        keyring.open(Unverified::read(bytes).unwrap()).unwrap();
    }
    let last =
        |keyring: &mut Keyring, place: usize| keyring.open(Unverified::read(&all[place].1).unwrap()).unwrap();
    // The replaced key goes on as if nothing had been.
    let before = last(&mut keyring, rotation - 1);
    let mut ahead = before.clone();
    ahead.header.seq += 7;
    let mut stolen = Chain::resume(&ahead, Box::new(key())).unwrap();
    let stolen = stolen.seal(&at(90), bodies().last().unwrap()).unwrap().bytes.to_vec();
    let refused = keyring.open(Unverified::read(&stolen).unwrap());
    assert_eq!(refused.unwrap_err(), Refusal::WrongEpoch(0));
    // The next key signs a place before its own time.
    let mut early = last(&mut keyring, rotation + 1);
    early.header.seq = 4;
    let mut early = Chain::resume(&early, Box::new(next_key())).unwrap();
    let early = early.seal(&at(90), bodies().last().unwrap()).unwrap().bytes.to_vec();
    assert_eq!(keyring.open(Unverified::read(&early).unwrap()).unwrap_err(), Refusal::WrongEpoch(1));
}

#[test]
fn an_act_in_a_log_is_checked_against_the_authority_that_is_trusted() {
    let log = |act: Act| {
        let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LOG, 0, Box::new(key()));
        let genesis = chain.seal(&at(1), &bodies()[0]).unwrap().bytes.to_vec();
        vec![genesis, chain.seal(&at(2), &Body::Act(act)).unwrap().bytes.to_vec()]
    };
    let honest = log(act(ActKind::Permit).0);
    let both = [key().public_key(), authority().public_key()];
    let report = audit(&both, &honest);
    assert!(report.authentic && report.unsigned_acts == 0, "{report:?}");
    assert_eq!(audit(&both[..1], &honest).unsigned_acts, 1, "nobody was named who could have signed it");
    // A gateway that wrote itself a permit in the authority's name.
    let mut invented = act(ActKind::Permit).0;
    invented.members.insert("energy_wh".into(), json!(9_000_000));
    let report = audit(&both, &log(invented));
    assert_eq!(report.first_bad, Some((2, Refusal::BadSignature)));
}
