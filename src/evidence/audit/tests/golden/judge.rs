//! What the judge finds: signs, meters, readings.

use super::*;

/// What a log says of tampering: a strong sign, a weak one, a masked state, its verdict, and balances.
pub(super) fn bodies_about_signs() -> Vec<Body> {
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
    masked.signs =
        [Sign::VoltageSwapped, Sign::TooQuiet].map(|sign| StandingSign { sign, since: at(9) }).into();
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
pub(super) fn meters_told() -> [MeterTold; 2] {
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
pub(super) fn bodies_of_the_judge() -> Vec<Body> {
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
