//! Logs written by the chain itself, then told, cut, shuffled and altered.

mod golden;

use super::*;
use crate::{
    catalogue::{Attribute, Nameplate, Phase, PlateSource, Standing, plate::PlateValue},
    evidence::{
        Boot, Chain, Checkpoint, Dropped, Ed25519, Gap, GapWhy, Genesis, Receipt, Sealer, Signer,
        recall::Recall,
    },
    judge::{
        Event, Excess, Interval, Mark, Measured, MeterTold, PermitUse, PlateRead, Proof, RegisterEvent,
        RegisterQuirk, Shares, SignSet, Span, StateFinding, Why, Window, Windows,
    },
    metering::{Block, Fault, Function, Identity, Register, Scan, identity::Label},
    terms::{
        ClockQuality, LegalDay, MeterId, MilliAmps, MilliVolts, MilliWatts, Name, Stamp, WattHours,
        place::{CreditCode, Division},
    },
};

pub(super) fn key() -> Ed25519 {
    Ed25519::from_seed(&[7; 32])
}

pub(super) fn at(seconds: u64) -> Stamp {
    let uptime_ms = seconds * 1_000;
    let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
    Stamp { wall_unix_ms, uptime_ms, boot: 2, clock: ClockQuality::Ntp, error_ms: 40 }
}

fn mark(seconds: u64) -> Mark {
    let register = Register {
        energy: WattHours(918_273_645_000),
        step: WattHours(2_100),
        modulus: Some(WattHours(42_949_672_960_000)),
        raw: 0x0001_F00D,
        raw_words: 2,
    };
    Mark { at: at(seconds), register }
}

fn scan() -> Scan {
    let mut scan = Scan::default();
    assert!(scan.push(Block { function: Function::Holding, at: 19_026, count: 2 }, &[0x4A83, 0x9640]));
    assert!(scan.push(Block { function: Function::Input, at: 7, count: 1 }, &[9]));
    scan
}

pub(super) fn violation() -> Verdict {
    Verdict {
        asset: AssetId::new("eaf-2").unwrap(),
        state: State::Drawing,
        since: at(9),
        standing: Standing::declared(LegalDay::parse("2011-09-30")),
        phase: Some(Phase::Overdue),
        violation_since_unix_ms: Some(at(9).wall_unix_ms),
        energy_overdue: WattHours(8_800),
        energy_closed: WattHours(8_000),
        shares: Shares::default(),
        plate: Some(Digest::of(b"plate")),
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }
}

fn state(state: State, proof: Option<Proof>) -> Body {
    Body::Finding(Finding::State(found(state, proof)))
}

pub(super) fn found(state: State, proof: Option<Proof>) -> StateFinding {
    let silent = proof.is_none();
    StateFinding {
        meter: MeterId::new("m1").unwrap(),
        asset: AssetId::new("eaf-2").unwrap(),
        state,
        since: at(8),
        proof,
        limit: MilliWatts::from_watts(98_498),
        floor: MilliWatts::from_watts(48_498),
        is_cooling: false,
        voltage_point: None,
        power: (!silent).then(|| Measured::Is(MilliWatts::from_watts(4_312_000))),
        phase_power: [None; 3],
        line_voltages: [Some(MilliVolts(35_000_000)), None, Some(MilliVolts(34_900_000))],
        currents: [Some(MilliAmps(71_400)), Some(MilliAmps(0)), None],
        mark: Some(mark(8)),
        signs: Box::default(),
        fingerprint: None,
        commissioning: None,
        plate: None,
        scan: if silent { Scan::default() } else { scan() },
    }
}

fn interval() -> Body {
    let window = Window { since: at(1), moved: WattHours(25) };
    Body::Finding(Finding::Interval(Interval {
        meter: MeterId::new("m1").unwrap(),
        asset: AssetId::new("eaf-2").unwrap(),
        start: at(1),
        end: at(901),
        shares: Shares::of_record(880_000, 15_000, 5_000).unwrap(),
        late_bridged_ms: 0,
        energy: Some(WattHours(25)),
        bound: WattHours(12_000),
        reads_ok: 880,
        reads_failed: 20,
        before: None,
        after: Some(mark(901)),
        windows: Some(Windows { interval: window, day: window, month: window }),
        fingerprint: None,
        commissioning: None,
        plate: None,
    }))
}

fn plate() -> Body {
    let attribute = |name: &str, value| Attribute { name: name.into(), value };
    let plate = Nameplate::new(vec![
        attribute("built_year", PlateValue::Whole(i64::MAX)),
        attribute("name_zh", PlateValue::Text("2号\"电弧炉\\".into())),
        attribute("rated_capacity_t", PlateValue::Decimal { mantissa: -250, places: 1 }),
        attribute("stamp_charged", PlateValue::Flag(true)),
    ]);
    let asset = AssetId::new("eaf-2").unwrap();
    Body::Finding(Finding::Event(Event::Plate(PlateRead {
        asset,
        source: PlateSource::Read,
        before: Some(Digest::ZERO),
        plate: plate.unwrap(),
    })))
}

pub(super) fn register() -> RegisterEvent {
    RegisterEvent {
        meter: MeterId::new("m1").unwrap(),
        what: RegisterQuirk::Fell,
        before: mark(1),
        after: mark(2),
        permit: None,
    }
}

/// One of every kind of body that the judge and the log itself have.
pub(super) fn bodies() -> Vec<Body> {
    let genesis = Body::Genesis(Genesis {
        public_key: key().public_key(),
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: vec![(Name::new("janitza-19000").unwrap(), Digest::of(b"profile"))],
        continues: None,
    });
    let boot = Body::Boot(Boot {
        boot_id: "3f1c9a70-e2b8-4d15-9c00-000000000001".into(),
        machine_rebooted: true,
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        dark: None,
    });
    let power = Proof::Power {
        from: at(3),
        power: MilliWatts::from_watts(4_312_000),
        limit: MilliWatts::from_watts(98_498),
    };
    let energy = Proof::Energy(Excess {
        span: Span::Pair,
        from: at(3),
        moved: WattHours(2_000),
        bound: WattHours(40),
    });
    let asset = AssetId::new("eaf-2").unwrap();
    let event = |event| Body::Finding(Finding::Event(event));
    vec![
        genesis,
        boot,
        plate(),
        event(Event::ClockStepped { by_ms: -3_600_000 }),
        event(Event::Register(register())),
        event(Event::PlateUnreadable { asset, why: Name::new("plate_checksum").unwrap() }),
        state(State::Drawing, Some(power)),
        state(State::Drawing, Some(energy)),
        state(State::Unknown(Why::Fault(Fault::Exception(11))), None),
        Body::Finding(Finding::Verdict(violation())),
        interval(),
        Body::Checkpoint(Checkpoint {
            entries: 11,
            reads_ok: 880,
            reads_failed: 20,
            first_unreceipted_seq: 0,
        }),
    ]
}

fn log(bodies: &[Body]) -> Vec<Vec<u8>> {
    let mut chain =
        Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(0x3f1c_9a70_e2b8_4d15), 0, Box::new(key()));
    (10..).zip(bodies).map(|(second, body)| chain.seal(&at(second), body).unwrap().bytes.to_vec()).collect()
}

fn audit<'a>(trusted: &[PublicKey], lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Report {
    let mut lines: Vec<&Vec<u8>> = lines.into_iter().collect();
    let mut first = Audit::new(trusted);
    lines.iter().for_each(|line| first.on_line(line));
    let report = first.report();
    if !report.disordered {
        return report;
    }
    lines.sort_by_key(|line| place_of(line));
    let mut again = Audit::new(trusted);
    lines.iter().for_each(|line| again.on_line(line));
    again.report()
}

#[test]
fn the_regulator_reads_the_very_body_the_agent_wrote() {
    for (line, body) in log(&bodies()).iter().zip(bodies()) {
        let record = Unverified::read(line).unwrap().verify(&key().public_key()).unwrap();
        assert_eq!(record.body, body, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_log_from_its_beginning_is_authentic_and_complete_whatever_it_says() {
    let lines = log(&bodies());
    let report = audit(&[], &lines);
    assert!(report.authentic && report.complete && report.declared, "{report:?}");
    assert_eq!((report.records, report.anchor, report.condition()), (12, Anchor::Own, "violation"));
    let report = audit(&[key().public_key()], lines.iter().rev().chain(&lines));
    assert!(report.authentic && report.complete);
    assert_eq!((report.records, report.anchor), (12, Anchor::Trusted));
}

#[test]
fn what_is_cut_out_is_missed_by_place() {
    let lines = log(&bodies());
    let report = audit(&[], lines.iter().enumerate().filter(|(i, _)| *i != 5).map(|(_, line)| line));
    assert!(report.authentic && !report.complete && !report.declared);
    assert_eq!(report.gaps.iter().map(|g| (g.from, g.to)).collect::<Vec<_>>(), [(5, 5)]);
    let report = audit(&[key().public_key()], lines.iter().skip(3));
    assert!(report.authentic && !report.complete, "a log without its beginning is not complete");
    assert_eq!(report.gaps.first().map(|g| (g.from, g.to)), Some((0, 2)));
}

#[test]
fn a_declared_gap_is_declared_and_a_skip_is_complete() {
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(1), 0, Box::new(key()));
    let beat = bodies().pop().unwrap();
    let mut lines = vec![chain.seal(&at(0), &bodies()[0]).unwrap().bytes.to_vec()];
    lines.push(chain.skip_to(&at(1), 65).unwrap().bytes.to_vec());
    let mut hashes = Vec::new();
    for second in 66..72 {
        let sealed = chain.seal(&at(second), &beat).unwrap();
        hashes.push(sealed.hash);
        lines.push(sealed.bytes.to_vec());
    }
    assert!(audit(&[], &lines).complete);
    let dropped = vec![Dropped { from: 67, to: 69, last: hashes[3] }];
    let gap = Body::Gap(Gap { why: GapWhy::DiskFull, dropped });
    lines.push(chain.seal(&at(72), &gap).unwrap().bytes.to_vec());
    lines.drain(3..6);
    for lines in [lines.clone(), lines.iter().rev().cloned().collect()] {
        let report = audit(&[], &lines);
        assert!(report.authentic && !report.complete && report.declared, "{report:?}");
        assert_eq!(
            report.gaps.iter().map(|g| (g.from, g.to, g.declared)).collect::<Vec<_>>(),
            [(67, 69, true)]
        );
    }
    lines.pop();
    assert!(!audit(&[], &lines).declared, "nobody declared it");
}

#[test]
fn a_rewritten_past_is_a_fork() {
    let lines = log(&bodies());
    let mut rewritten = bodies();
    rewritten[6] = state(State::Energised, None);
    let other = log(&rewritten);
    let report = audit(&[], lines.iter().chain(other.iter().skip(6)));
    assert!(report.authentic && !report.complete && !report.forks.is_empty());
    assert_eq!(report.forks.first().unwrap().seq, 6);
}

/// Another gateway's log, honest in itself, then the same key speaking in our gateway's name.
fn intruder(last: &Record) -> (Ed25519, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let key = || Ed25519::from_seed(&[8; 32]);
    let Body::Genesis(mut genesis) = bodies().remove(0) else { panic!("a log begins with its genesis") };
    genesis.public_key = key().public_key();
    let mut own = Chain::begin(GatewayId::new("gw-b").unwrap(), LogId(2), 0, Box::new(key()));
    let own = vec![own.seal(&at(1), &Body::Genesis(genesis.clone())).unwrap().bytes.to_vec()];
    let mut last = last.clone();
    last.header.key_id = key().public_key().id();
    let mut hijack = Chain::resume(&last, Box::new(key())).unwrap();
    let hijack =
        vec![hijack.seal(&at(99), &Body::Finding(Finding::Verdict(violation()))).unwrap().bytes.to_vec()];
    (key(), own, hijack)
}

#[test]
fn a_strangers_key_may_not_go_on_with_somebody_elses_log() {
    let mut quiet = bodies();
    quiet.truncate(3);
    let lines = log(&quiet);
    let last = Unverified::read(&lines[2]).unwrap().verify(&key().public_key()).unwrap();
    let (stranger, own, hijack) = intruder(&last);
    for trusted in [vec![], vec![key().public_key(), stranger.public_key()]] {
        for order in [[&lines, &own, &hijack], [&hijack, &own, &lines]] {
            let report = audit(&trusted, order.into_iter().flatten());
            assert!(!report.authentic, "{report:?}");
            assert_eq!(report.condition(), "unstated", "a stranger convicts nobody");
            assert!(matches!(report.first_bad, Some((_, Refusal::StrangeKey(_)))));
        }
    }
}

#[test]
fn a_later_log_does_not_silence_an_earlier_one_and_the_order_of_lines_says_nothing() {
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(1), 0, Box::new(key()));
    let mut later: Vec<Vec<u8>> = vec![chain.seal(&at(50), &bodies()[0]).unwrap().bytes.to_vec()];
    let quiet = Verdict { state: State::Dead, violation_since_unix_ms: None, ..violation() };
    later.push(chain.seal(&at(51), &Body::Finding(Finding::Verdict(quiet))).unwrap().bytes.to_vec());
    let earlier = log(&bodies());
    for order in [[&earlier, &later], [&later, &earlier]] {
        let report = audit(&[], order.into_iter().flatten());
        assert_eq!((report.condition(), report.logs.len()), ("violation", 2));
        assert!(report.authentic && report.complete);
    }
}

#[test]
fn a_fork_is_seen_however_long_the_log() {
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(1), 0, Box::new(key()));
    let mut lines = vec![chain.seal(&at(0), &bodies()[0]).unwrap().bytes.to_vec()];
    let beat = bodies().pop().unwrap();
    lines.extend((1..9_000).map(|second| chain.seal(&at(second), &beat).unwrap().bytes.to_vec()));
    let tenth = Unverified::read(&lines[9]).unwrap().verify(&key().public_key()).unwrap();
    let mut other = Chain::resume(&tenth, Box::new(key())).unwrap();
    let other = other.seal(&at(77), &beat).unwrap().bytes.to_vec();
    let report = audit(&[], lines.iter().rev());
    assert!(report.complete && report.records == 9_000);
    let report = audit(&[], lines.iter().chain([&other]));
    assert_eq!(report.forks.first().map(|fork| fork.seq), Some(10));
}

#[test]
fn a_strangers_key_is_not_believed() {
    let stranger = Ed25519::from_seed(&[8; 32]).public_key();
    let report = audit(&[stranger], &log(&bodies()));
    assert!(!report.authentic && !report.no_evidence);
    assert_eq!(report.first_bad, Some((1, Refusal::UnknownKey(key().public_key().id()))));
}

#[test]
fn a_file_of_receipts_holds_nothing_but_receipts() {
    let lines = log(&bodies());
    let mut stranger =
        Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(1), 0, Box::new(Ed25519::from_seed(&[8; 32])));
    let strange = stranger.seal(&at(1), &bodies()[1]).unwrap().bytes.to_vec();
    let mut audit = Audit::new(&[]);
    [&strange, &lines[1], &b"garbage".to_vec()].into_iter().for_each(|line| audit.on_receipt_line(line));
    lines.iter().for_each(|line| audit.on_line(line));
    let report = audit.report();
    assert_eq!((report.first_bad, report.records, report.complete), (None, 12, true));
}

#[test]
fn a_receipt_that_comes_late_vouches_for_what_waited() {
    let lines = log(&bodies());
    let authority = Ed25519::from_seed(&[9; 32]);
    let head = Unverified::read(&lines[0]).unwrap();
    let receipt = Receipt {
        gateway: head.header().gateway,
        upto: LogHead { log: head.header().log, seq: 0, head: head.hash() },
        key_epoch: 0,
        public_key: key().public_key(),
        received_unix_ms: at(99).wall_unix_ms,
        nonce: [3; 16],
        missing: Vec::new(),
    };
    let mut sealer = Sealer::default();
    receipt.seal(&mut sealer, &authority).unwrap();
    // With two keys only the genesis, or a receipt, shows which of them is the gateway's.
    let mut audit = Audit::new(&[authority.public_key(), key().public_key()]);
    let (genesis, others) = lines.split_first().unwrap();
    others.iter().for_each(|line| audit.on_line(line));
    audit.on_receipt_line(sealer.bytes());
    audit.on_line(genesis);
    let report = audit.report();
    assert_eq!((report.first_bad, report.records, report.complete), (None, 12, true));
}

#[test]
fn what_is_no_evidence_is_told_apart_from_evidence_that_does_not_hold() {
    for other in ["hello", "{\"a\":1}", "{\"name\": \"x\"}", "{\"a\":1.5}", &"0".repeat(100_000)] {
        let report = audit(&[], [&other.as_bytes().to_vec()]);
        assert!(report.no_evidence && !report.declared && !report.complete, "{other:.20}");
    }
    assert!(audit(&[], []).no_evidence);
    let mut line = log(&bodies()).remove(0);
    line.insert(1, b' ');
    let report = audit(&[], [&line]);
    assert!(!report.authentic && !report.no_evidence);
}

#[test]
fn memory_is_what_the_newest_records_tell() {
    let mut recall = Recall::default();
    for line in log(&bodies()) {
        recall.on(&Unverified::read(&line).unwrap().verify(&key().public_key()).unwrap());
    }
    assert_eq!(recall.boot_id(), Some("3f1c9a70-e2b8-4d15-9c00-000000000001"));
    let memory = recall.into_memory();
    let meter = memory.meters.first().unwrap();
    assert_eq!((meter.mark, meter.accounted_to.uptime_ms), (Some(mark(901)), 901_000));
    let equipment = memory.equipment.first().unwrap();
    assert_eq!(equipment.violation_since_unix_ms, violation().violation_since_unix_ms);
    assert_eq!(memory.last, Some(at(21)));
}

/// Of several permits each is remembered, and what was drawn under each, by the newest records alone.
#[test]
fn several_permits_are_remembered_each_with_its_use() {
    let name = |text| Name::new(text).unwrap();
    let used = |permit, used| PermitUse { permit: name(permit), used: WattHours(used) };
    let verdict = |last, overdue| {
        let permit = Some(last);
        Body::Finding(Finding::Verdict(Verdict {
            permit,
            energy_overdue: overdue,
            energy_closed: overdue,
            ..violation()
        }))
    };
    let asset = violation().asset;
    let told = |used| Body::Finding(Finding::Event(Event::PermitUsed { asset, used }));
    let said = [
        verdict(used("permit-2", 300), WattHours(300)),
        told(used("permit-2", 300)),
        verdict(used("permit-1", 50), WattHours(350)),
        told(used("permit-2", 310)),
        verdict(used("permit-1", 70), WattHours(380)),
    ];
    // The newest of each shelf and subject, as a journal tells them.
    let place = |body: &Body| (body.shelf(), body.subject());
    let newest = said
        .iter()
        .enumerate()
        .filter(|(at, body)| !said.iter().skip(at + 1).any(|later| place(later) == place(body)));
    let mut recall = Recall::default();
    newest.for_each(|(_, body)| recall.on_said(&at(30), body));
    let uses = vec![(asset, used("permit-2", 310)), (asset, used("permit-1", 70))];
    assert_eq!(recall.clone().into_memory().permit_uses, uses, "the one used last comes last");
    // A new log says all of it again.
    let mut again = Recall::default();
    recall.carried().iter().for_each(|body| again.on_said(&at(31), body));
    assert_eq!(again.into_memory().permit_uses, uses);
}

#[test]
fn an_exchanged_meters_register_is_not_remembered_and_an_edited_ones_is() {
    let told = |before: &str, after: &str| {
        let is = |serial: &str, firmware: &str| Identity {
            serial: Label::new(serial.as_bytes()),
            firmware: Label::new(firmware.as_bytes()),
            ..Identity::default()
        };
        let (before, after) = (is(before, "1"), is(after, "2"));
        let meter = MeterId::new("m1").unwrap();
        let told = MeterTold { meter, before: Some(before), after, permit: None };
        let mut bodies = bodies();
        bodies.push(Body::Finding(Finding::Event(Event::Meter(told))));
        let mut recall = Recall::default();
        for line in log(&bodies) {
            recall.on(&Unverified::read(&line).unwrap().verify(&key().public_key()).unwrap());
        }
        let memory = recall.into_memory();
        let meter = *memory.meters.first().unwrap();
        (meter.mark, meter.windows, meter.identity == Some(after))
    };
    assert_eq!(told("7", "7"), (Some(mark(901)), None, true));
    assert_eq!(told("7", "8"), (None, None, true));
}
