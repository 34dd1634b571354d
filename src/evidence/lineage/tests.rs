//! What a record mentions, and which mentions clash: each rule of the room, and that order and repetition change nothing.

mod order;
mod papers;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    Clash, ClashKind, Elimination, End, LogId, Mention, MentionId, Says,
    clash::{Located, Place, clashes},
    mentions,
};
use crate::{
    catalogue::{
        Attribute, Class, Nameplate, Phase, PlateSource, Rules, Standing,
        plate::{MAKER, PlateValue, SERIAL},
    },
    evidence::{
        Act, Body, Header, Record, Signed,
        suite::{Ed25519, Signer as _},
    },
    judge::{
        Event, Finding, MeterTold, PermitUse, PlateRead, Rung, Shares, SignSet, State, Transition, Verdict,
        Why,
    },
    metering::{Identity, identity::Label},
    terms::{
        AssetId, ClockQuality, Digest, GatewayId, LegalDay, MeterId, Name, OrderId, Stamp, WattHours,
        place::{CreditCode, Division},
    },
};

const DAY: &str = "2026-11-20";
const DECOMMISSIONED: &str = "2011-12-31";

fn day(text: &str) -> LegalDay {
    LegalDay::parse(text).unwrap()
}

fn record(body: Body) -> Record {
    let at = Stamp {
        wall_unix_ms: day(DAY).starts_unix_ms(),
        uptime_ms: 1,
        boot: 1,
        clock: ClockQuality::Ntp,
        error_ms: 0,
    };
    let header = Header {
        gateway: GatewayId::new("gw-03").unwrap(),
        log: LogId(5),
        seq: 7,
        prev: Digest::ZERO,
        at,
        receipt: None,
        key_epoch: 0,
        key_id: Ed25519::from_seed(&[7; 32]).public_key().id(),
    };
    Record { header, body, hash: Digest::of(b"record") }
}

fn said(body: Body) -> Vec<Says> {
    let rules = Rules::shipped().unwrap();
    firsts(mentions(&record(body), &rules, day(DAY)))
}

/// What is said, the last of a kind being the first, too.
fn firsts(all: Vec<Mention>) -> Vec<Says> {
    let lasts: Vec<&Says> = all.iter().filter(|at| at.end == End::Last).map(|at| &at.says).collect();
    let wanted: Vec<&Says> =
        all.iter().filter(|at| at.end == End::First && at.says.has_last()).map(|at| &at.says).collect();
    assert_eq!(lasts, wanted);
    all.into_iter().filter(|at| at.end == End::First).map(|at| at.says).collect()
}

fn text(name: &str, value: &str) -> Attribute {
    Attribute::new(name, PlateValue::Text(value.into())).unwrap()
}

fn furnace(tonnes: i64, more: Vec<Attribute>) -> Body {
    let mut lines = vec![
        text("equipment_kind", "electric_furnace"),
        text("furnace_product", "steel"),
        Attribute::new("nominal_tonnage_t", PlateValue::Whole(tonnes)).unwrap(),
    ];
    lines.extend(more);
    let (asset, plate) = (AssetId::new("eaf-2").unwrap(), Nameplate::new(lines).unwrap());
    let read = PlateRead { asset, source: PlateSource::Declared, before: None, plate };
    Body::Finding(Finding::Event(Event::Plate(read)))
}

fn machine_of(body: Body) -> Option<String> {
    said(body)
        .into_iter()
        .find_map(|says| if let Says::Machine { key, .. } = says { Some(key) } else { None })
}

#[test]
fn a_nameplate_names_a_machine_by_kind_maker_and_serial_number_together() {
    let maker = || text(MAKER, "Xi'an Electric Furnace Works");
    let number = || text(SERIAL, "XT-2008/0417");
    let named = machine_of(furnace(25, vec![maker(), number()])).unwrap();
    assert_eq!(named, "ELECTRICFURNACE XIANELECTRICFURNACEWORKS XT20080417");
    assert_eq!(machine_of(furnace(40, vec![maker(), text(SERIAL, "xt 2008 0417")])), Some(named));
    let stamped = Attribute::new(SERIAL, PlateValue::Whole(20_080_417)).unwrap();
    assert!(machine_of(furnace(25, vec![maker(), stamped])).unwrap().ends_with(" 20080417"));
    for nobodys in [
        vec![number()],
        vec![maker()],
        vec![maker(), text(SERIAL, "00000000")],
        vec![text(MAKER, "unknown"), number()],
        vec![maker(), Attribute::new(SERIAL, PlateValue::Whole(-20_080_417)).unwrap()],
        vec![maker(), Attribute::new(SERIAL, PlateValue::Flag(true)).unwrap()],
    ] {
        assert_eq!(machine_of(furnace(25, nobodys.clone())), None, "{nobodys:?}");
    }
}

#[test]
fn a_nameplate_is_weighed_by_the_shipped_catalogue_on_the_day_it_arrived() {
    let class = |tonnes| match said(furnace(tonnes, Vec::new())).as_slice() {
        [Says::Plate { class, source: PlateSource::Declared, .. }] => *class,
        other => panic!("{other:?}"),
    };
    assert_eq!((class(30), class(31)), (Class::InScope, Class::OutOfScope));
}

fn label(text: &str) -> Option<Label> {
    Label::new(text.as_bytes())
}

fn told(before: Option<Identity>, after: Identity, permit: Option<&str>) -> Vec<Says> {
    let (meter, permit) = (MeterId::new("m1").unwrap(), permit.and_then(Name::new));
    said(Body::Finding(Finding::Event(Event::Meter(MeterTold { meter, before, after, permit }))))
}

#[test]
fn a_meter_is_its_number_with_its_model_or_its_maker_and_leaves_only_with_papers() {
    let id = |maker: &str, model: &str, serial: &str| Identity {
        maker: label(maker),
        model: label(model),
        serial: label(serial),
        ..Identity::default()
    };
    let meter = |key: &str, maker: &str| Says::Meter { key: key.into(), maker: maker.into() };
    let first = id("Janitza", "UMG 604", "4700-1234");
    assert_eq!(told(None, first, None), [meter("model UMG604 47001234", "JANITZA")]);
    assert_eq!(told(None, id("", "UMG 604", "4700-1234"), None), [meter("model UMG604 47001234", "")]);
    assert_eq!(
        told(None, id("Janitza", "", "4700-1234"), None),
        [meter("maker JANITZA 47001234", "JANITZA")]
    );
    for nobodys in [id("", "", "4700-1234"), id("Janitza", "UMG 604", ""), id("Janitza", "UMG 604", "0")] {
        assert_eq!(told(None, nobodys, None), [], "{nobodys:?}");
    }
    let other = id("Janitza", "UMG 604", "4700-9876");
    let now = meter("model UMG604 47009876", "JANITZA");
    assert_eq!(told(Some(first), other, None), std::slice::from_ref(&now), "no paper, and it is still there");
    let gone = Says::MeterLeft { key: "model UMG604 47001234".into(), maker: "JANITZA".into() };
    assert_eq!(told(Some(first), other, Some("paper-1")), [now, gone]);
    let firmware = Identity { firmware: label("2.0"), ..first };
    assert_eq!(told(Some(first), firmware, Some("paper-1")).len(), 1, "the same meter, set up anew");
}

fn verdict(state: State, decommissioned_on: &str, permit: bool, violation: bool) -> Body {
    let permit =
        Name::new("permit-1").filter(|_| permit).map(|permit| PermitUse { permit, used: WattHours(1) });
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new("eaf-2").unwrap(),
        state,
        since: record(furnace(25, Vec::new())).header.at,
        standing: Standing::declared(LegalDay::parse(decommissioned_on)),
        phase: Some(Phase::Overdue),
        violation_since_unix_ms: violation.then_some(7),
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::default(),
        plate: None,
        permit,
        signs: SignSet::default(),
        grounds: None,
    }))
}

#[test]
fn a_verdict_says_eliminated_once_the_declared_day_has_ended_and_drew_unless_a_permit_was_used() {
    let declared = |text| Says::Eliminated(Elimination::Declared(day(text)));
    let drew = |text| Says::Drew { phase: Some(Phase::Overdue), declared: LegalDay::parse(text) };
    let before = "2026-11-19";
    assert_eq!(said(verdict(State::Dead, before, false, false)), [declared(before)]);
    assert_eq!(said(verdict(State::Dead, DAY, false, false)), [], "the day itself is lawful");
    assert_eq!(said(verdict(State::Drawing, before, false, false)), [declared(before), drew(before)]);
    assert_eq!(said(verdict(State::Drawing, DAY, false, false)), [drew(DAY)]);
    assert_eq!(said(verdict(State::Drawing, before, true, false)), [declared(before)], "a permit was used");
    assert_eq!(
        said(verdict(State::Drawing, before, true, true)),
        [declared(before), drew(before)],
        "not enough"
    );
    let doubt = State::Unknown(Why::NotYetRead);
    assert_eq!(said(verdict(doubt, before, false, false)), [declared(before)], "doubt is no drawing");
    let mut unsure = record(verdict(State::Dead, before, false, false));
    unsure.header.at.error_ms = 40;
    let rules = Rules::shipped().unwrap();
    assert_eq!(firsts(mentions(&unsure, &rules, day(DAY))), [], "midnight by a clock that may err past it");
    let mut unset = record(verdict(State::Drawing, before, false, false));
    unset.header.at.clock = ClockQuality::Unset;
    let unset: Vec<Says> = firsts(mentions(&unset, &rules, day(DAY)));
    assert_eq!(unset, [drew(before)], "no clock says that a day has ended");
}

#[test]
fn demolition_is_accepted_by_act_or_by_the_step_it_leads_to() {
    let accepted = [Says::Eliminated(Elimination::Accepted)];
    let golden = |act: &'static str| match act {
        "close" => include_bytes!("../../../tests/golden/coldhearth-1/87-act-close-executed.json").as_slice(),
        _ => include_bytes!("../../../tests/golden/coldhearth-1/40-act-reset.json").as_slice(),
    };
    let act = |name| Body::Act(Act::read(Signed::read(golden(name)).unwrap()).unwrap());
    assert_eq!((said(act("close")).as_slice(), said(act("reset")).as_slice()), (&accepted[..], &[][..]));
    let step = |to| {
        let (asset, name) = (AssetId::new("eaf-2").unwrap(), Name::new("order-1").unwrap());
        let (order, from) = (OrderId(name), Rung::Maintained);
        let (actor, why, evidence, stand) = (name, name, Vec::new(), None);
        let moved = Transition { order, asset, from, to, actor, why, evidence, stand };
        Body::Finding(Finding::Transition(moved))
    };
    assert_eq!(said(step(Rung::Closed)), accepted);
    assert_eq!(said(step(Rung::Violated)), []);
}

fn place(number: u8) -> Option<Place> {
    let division = Division::parse(&format!("1304{number:02}"))?;
    Some((division, CreditCode::parse("91350100M000100Y43")?))
}

/// Said by a gateway about something of its own, in log 1, at a place that bears the same number as the moment.
fn at(gateway: &str, subject: &str, seq: u64, says: Says) -> Mention {
    Mention {
        gateway: GatewayId::new(gateway).unwrap(),
        log: LogId(1),
        seq,
        hash: Digest::of(&seq.to_be_bytes()),
        at_unix_ms: i64::try_from(seq).unwrap(),
        subject: Name::new(subject).unwrap(),
        says,
        end: End::First,
    }
}

fn in_place(number: u8, mention: Mention) -> Located {
    Located { mention, place: place(number) }
}

fn machine(class: Class) -> Says {
    Says::Machine { key: "KILN MAKER 4711".into(), class }
}

fn plate(source: PlateSource, class: Class, stamp: u8) -> Says {
    Says::Plate { source, class, fingerprint: Digest::of(&[stamp]) }
}

fn meter(maker: &str) -> Says {
    Says::Meter { key: "model UMG604 47001234".into(), maker: maker.into() }
}

const CLOSED: Says = Says::Eliminated(Elimination::Accepted);

fn drew(phase: Option<Phase>) -> Says {
    Says::Drew { phase, declared: None }
}

/// What all of them come to, told all at once; it must be the same whatever was known before and comes last.
fn kinds(all: &[Located]) -> Vec<ClashKind> {
    let found = clashes(all, &[]);
    for last in 0..all.len() {
        let mut known = all.to_vec();
        let late = known.remove(last);
        let mut before: BTreeSet<_> = clashes(&known, &[]).iter().map(|clash| clash.id).collect();
        before.extend(clashes(&[late], &known).iter().map(|clash| clash.id));
        let whole: BTreeSet<_> = found.iter().map(|clash| clash.id).collect();
        assert!(before.is_superset(&whole), "{last}: {all:?}");
    }
    let open = found.iter().filter(|clash| clash.excuse.is_none());
    let mut kinds: Vec<ClashKind> = open.map(|clash| clash.kind).collect();
    kinds.sort();
    kinds
}

#[test]
fn a_machine_at_two_places_is_a_transfer_unless_the_notice_leaves_it_free() {
    let here = |class| in_place(1, at("gw-1", "kiln-1", 10, machine(class)));
    let there = |class| in_place(2, at("gw-2", "kiln-7", 20, machine(class)));
    for (one, other, wanted) in [
        (Class::InScope, Class::InScope, vec![ClashKind::Transfer]),
        (Class::InScope, Class::OutOfScope, vec![ClashKind::Transfer]),
        (Class::Exempt, Class::Undetermined, vec![ClashKind::Transfer]),
        (Class::OutOfScope, Class::Exempt, vec![]),
        (Class::OutOfScope, Class::OutOfScope, vec![]),
    ] {
        assert_eq!(kinds(&[here(one), there(other)]), wanted, "{one:?} {other:?}");
    }
    // Another gateway of the same place, a new log of the same gateway, and a place that is not known yet.
    let beside = in_place(1, at("gw-2", "kiln-1", 20, machine(Class::InScope)));
    let again = in_place(1, Mention { log: LogId(2), ..at("gw-1", "kiln-1", 20, machine(Class::InScope)) });
    let nowhere = Located { place: None, ..there(Class::InScope) };
    for other in [beside, again, nowhere] {
        assert_eq!(kinds(&[here(Class::InScope), other]), []);
    }
    // The gateway itself says in a new log that it is elsewhere.
    let moved = in_place(2, Mention { log: LogId(2), ..at("gw-1", "kiln-1", 20, machine(Class::InScope)) });
    assert_eq!(
        kinds(&[here(Class::InScope), moved]),
        [ClashKind::PlaceChanged],
        "its county may have been renamed"
    );
    // Three places are three pairs.
    let third = in_place(3, at("gw-3", "kiln-1", 30, machine(Class::InScope)));
    assert_eq!(kinds(&[here(Class::InScope), there(Class::InScope), third]).len(), 3);
}

#[test]
fn one_machine_under_two_names_at_one_gateway_is_told_apart_from_a_transfer() {
    let one = in_place(1, at("gw-1", "kiln-1", 10, machine(Class::InScope)));
    let two = in_place(1, at("gw-1", "kiln-2", 11, machine(Class::InScope)));
    assert_eq!(kinds(&[one.clone(), two]), [ClashKind::ListedTwice]);
    let read = in_place(1, at("gw-1", "kiln-1", 11, machine(Class::OutOfScope)));
    assert_eq!(kinds(&[one, read]), [], "declared and read of one kiln");
}

#[test]
fn a_nameplate_that_no_longer_binds_is_set_beside_the_one_that_did() {
    use Class::{Exempt, InScope, OutOfScope, Undetermined};
    use PlateSource::{Declared, Read};
    let one = |seq, source, class| {
        in_place(1, at("gw-1", "eaf-2", seq, plate(source, class, u8::try_from(seq).unwrap())))
    };
    let edited = vec![ClashKind::RatingEdited];
    for (first, second, wanted) in [
        ((Declared, InScope), (Declared, OutOfScope), edited.clone()),
        ((Declared, InScope), (Declared, Exempt), edited.clone()),
        ((Read, InScope), (Read, Undetermined), edited.clone()),
        ((Declared, InScope), (Declared, InScope), vec![]),
        ((Declared, OutOfScope), (Declared, InScope), vec![]),
        ((Declared, Undetermined), (Declared, OutOfScope), vec![]),
        ((Declared, InScope), (Read, OutOfScope), edited.clone()),
        ((Declared, OutOfScope), (Read, InScope), edited.clone()),
        ((Declared, Undetermined), (Read, InScope), vec![]),
        ((Read, InScope), (Declared, Undetermined), vec![]),
    ] {
        let all = [one(10, first.0, first.1), one(20, second.0, second.1)];
        assert_eq!(kinds(&all), wanted, "{first:?} {second:?}");
    }
    // The machine's plate at another place, where no line of it was erased, only another was shown.
    let bound = |class| {
        [
            one(10, Declared, InScope),
            in_place(1, at("gw-1", "eaf-2", 10, machine(InScope))),
            in_place(2, at("gw-2", "eaf-9", 20, plate(Declared, class, 99))),
            in_place(2, at("gw-2", "eaf-9", 20, machine(class))),
        ]
    };
    assert_eq!(kinds(&bound(OutOfScope)), [ClashKind::Transfer, ClashKind::RatingEdited]);
    assert_eq!(kinds(&bound(Undetermined)), [ClashKind::Transfer]);
    let unrelated = in_place(2, at("gw-2", "eaf-2", 20, plate(Declared, OutOfScope, 99)));
    assert_eq!(
        kinds(&[one(10, Declared, InScope), unrelated]),
        [],
        "another gateway's equipment of that name"
    );
}

#[test]
fn what_was_eliminated_and_draws_later_is_contradicted_here_and_wherever_the_machine_is() {
    let closed = in_place(1, at("gw-1", "eaf-2", 10, CLOSED));
    let draws = |seq, phase| in_place(1, at("gw-1", "eaf-2", seq, drew(phase)));
    let found = vec![ClashKind::EliminatedDraws];
    assert_eq!(kinds(&[closed.clone(), draws(20, Some(Phase::Overdue))]), found);
    assert_eq!(kinds(&[closed.clone(), draws(20, None)]), found);
    assert_eq!(kinds(&[closed.clone(), draws(10, Some(Phase::Overdue))]), found, "both in one record");
    assert_eq!(kinds(&[closed.clone(), draws(5, Some(Phase::Overdue))]), [], "before");
    assert_eq!(kinds(&[closed.clone(), draws(20, Some(Phase::PreDeadline))]), [], "a later day by a reset");
    let anew = draws(20, Some(Phase::PreDeadline));
    let anew = Located { mention: Mention { log: LogId(2), ..anew.mention }, ..anew };
    assert_eq!(kinds(&[closed.clone(), anew]), found, "a later day by a new log");
    let stranger = in_place(2, at("gw-2", "eaf-2", 20, drew(None)));
    assert_eq!(kinds(&[closed.clone(), stranger.clone()]), []);
    let named = [
        in_place(1, at("gw-1", "eaf-2", 1, machine(Class::InScope))),
        in_place(2, at("gw-2", "eaf-2", 19, machine(Class::InScope))),
    ];
    let all = [closed, stranger, named[0].clone(), named[1].clone()];
    assert_eq!(kinds(&all), [ClashKind::Transfer, ClashKind::EliminatedDraws]);
}

fn any_says() -> impl Strategy<Value = Says> {
    let class = prop::sample::select(Class::ALL.to_vec());
    let source = prop::sample::select(vec![PlateSource::Declared, PlateSource::Read]);
    let phase = prop::sample::select(vec![None, Some(Phase::PreDeadline), Some(Phase::Overdue)]);
    let declared = prop::sample::select(vec![None, Some(day(DECOMMISSIONED))]);
    let key = prop::sample::select(vec!["KILN MAKER 4711", "MILL MAKER 4712"]);
    let maker = prop::sample::select(vec!["", "JANITZA", "ACREL"]);
    prop_oneof![
        (key.clone(), class.clone()).prop_map(|(key, class)| Says::Machine { key: key.into(), class }),
        (source, class, 0_u8..3).prop_map(|(source, class, stamp)| plate(source, class, stamp)),
        (key.clone(), maker.clone())
            .prop_map(|(key, maker)| Says::Meter { key: key.into(), maker: maker.into() }),
        (key, maker).prop_map(|(key, maker)| Says::MeterLeft { key: key.into(), maker: maker.into() }),
        Just(CLOSED),
        Just(Says::Eliminated(Elimination::Declared(day(DECOMMISSIONED)))),
        (phase, declared).prop_map(|(phase, declared)| Says::Drew { phase, declared }),
    ]
}

fn any_located() -> impl Strategy<Value = Located> {
    let number = prop::option::weighted(0.9, 1_u8..4);
    (any_says(), 0_usize..4, 0_usize..3, 1_u64..3, 0_u64..50, number).prop_map(
        |(says, gateway, subject, log, seq, number)| {
            let gateway = ["gw-1", "gw-2", "gw-3", "gw-4"][gateway];
            let mention = at(gateway, ["a", "b", "c"][subject], seq, says);
            Located { mention: Mention { log: LogId(log), ..mention }, place: number.and_then(place) }
        },
    )
}

proptest! {
    #[test]
    fn mentions_are_kept_as_they_are(says in any_says()) {
        let (kind, key, detail) = says.columns();
        prop_assert_eq!(Says::of_columns(kind, key, &detail), Some(says.clone()));
        let id = at("gw-1", "a", 1, says).id();
        prop_assert_eq!(MentionId::from_hex(&id.to_string()), Some(id));
    }

    #[test]
    fn each_pair_clashes_once_and_its_halves_say_what_they_must(all in prop::collection::vec(any_located(), 0..14)) {
        let found = clashes(&all, &[]);
        let ids: BTreeSet<_> = found.iter().map(|clash| clash.id).collect();
        prop_assert_eq!(ids.len(), found.len());
        let mut reversed = all.clone();
        reversed.reverse();
        let again: BTreeSet<_> = clashes(&reversed, &[]).iter().map(|clash| clash.id).collect();
        prop_assert_eq!(&again, &ids, "the order they are told in changes nothing");
        prop_assert_eq!(clashes(&[], &all), vec![], "what is known has clashed before");
        let both: BTreeSet<_> = all
            .iter()
            .enumerate()
            .flat_map(|(at, one)| clashes(std::slice::from_ref(one), &all[..at]))
            .map(|clash| clash.id)
            .collect();
        prop_assert!(both.is_superset(&ids), "one after the other no less is found");
        for Clash { first, second, kind, .. } in &found {
            prop_assert!(!second.is_before(first));
            let places = |mention: &Mention| {
                all.iter().filter(|at| at.mention == *mention).filter_map(|at| at.place).collect::<Vec<_>>()
            };
            match kind {
                ClashKind::Transfer | ClashKind::PlaceChanged | ClashKind::MeterTwice => {
                    prop_assert!(places(first).iter().any(|one| places(second).iter().any(|other| one != other)));
                }
                ClashKind::ListedTwice => prop_assert!(first.gateway == second.gateway && first.subject != second.subject),
                ClashKind::RatingEdited => {
                    let ends = [&first.says, &second.says];
                    let binds = ends.iter().filter(|says| matches!(says, Says::Plate { class: Class::InScope, .. }));
                    prop_assert_eq!(binds.count(), 1);
                }
                ClashKind::EliminatedDraws => {
                    let said = matches!((&first.says, &second.says), (Says::Eliminated(_), Says::Drew { .. }));
                    prop_assert!(said);
                }
            }
        }
    }
}
