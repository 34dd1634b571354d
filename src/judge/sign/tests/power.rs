//! Power, voltage and current: swapped, reversed, scaled; and what only looks so.

use super::*;
use crate::judge::Accuracy;

#[test]
fn swapped_voltage_leads_are_seen_within_two_polls_of_a_melt() {
    let swapped = Shape::load(MELT_A, 37, [-120, 120, 0]);
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(1, swapped);
    assert!(bench.is_clean());
    bench.polls(1, swapped);
    assert_eq!(bench.turns(), [(Sign::VoltageSwapped, Turn::Begins)]);
    assert_eq!(bench.signs.strongest(), Some(Sign::VoltageSwapped));
    let [(figure, apparent), ..] = bench.said[0].figures[..] else { panic!() };
    assert!(figure == Figure::Apparent && apparent > 9_000_000, "{:?}", bench.said[0].figures);
    // It stands while it is seen, and a quarter of an hour longer.
    bench.polls(890, idle());
    assert!(bench.stands(Sign::VoltageSwapped));
    bench.polls(20, idle());
    assert_eq!(bench.turns().last(), Some(&(Sign::VoltageSwapped, Turn::Over)));
    assert_eq!(bench.signs.standing().count(), 0);
}

#[test]
fn an_aron_meter_with_swapped_leads_is_seen_and_one_at_a_low_power_factor_is_not() {
    let element = NOMINAL_V * MELT_A;
    let shape = |watts: [i64; 3], vars: i64| Shape { volts: [0; 3], amps: [MELT_A, 0, MELT_A], watts, vars };
    let mut bench = Bench::new(Wiring::Aron);
    bench.polls(2, shape([element / 50, 0, -element / 50], element / 10));
    assert_eq!(bench.turns(), [(Sign::VoltageSwapped, Turn::Begins)]);
    // At 80 degrees the elements read -0.34 and +0.64 of U I.
    let mut honest = Bench::new(Wiring::Aron);
    let low = shape([element * -342 / 1_000, 0, element * 643 / 1_000], element * 1_706 / 1_000);
    honest.terms.compensation_var = 15_000_000;
    honest.polls(600, low);
    assert!(honest.is_clean(), "{:?}", honest.turns());
}

#[test]
fn what_an_error_of_angle_shows_of_capacitors_is_no_reversed_current_transformer() {
    let mut bench = Bench::new(Wiring::FourWire);
    let volts = NOMINAL_V * 1_000 / 1_732;
    // 4 Mvar as declared; each phase errs by less than one percent of it, and nothing else is drawn.
    let bank = Shape { volts: [volts; 3], amps: [231; 3], watts: [9_000, -8_000, -500], vars: -4_000_000 };
    bench.polls(600, bank);
    assert!(bench.is_clean(), "{:?}", bench.turns());
}

fn without_reactive(reading: &mut Reading, _: u64) {
    reading.values[Quantity::Reactive.index()] = None;
}

/// Ten minutes of this are no sign, whether or not the meter tells reactive power.
fn stays_clean(shape: Shape, declare: impl Fn(&mut Commissioned)) {
    for alter in [|_: &mut Reading, _: u64| (), without_reactive] {
        let mut bench = Bench::new(Wiring::FourWire);
        declare(&mut bench.terms);
        bench.altered(600, shape, alter);
        assert!(bench.is_clean(), "{:?}", bench.turns());
    }
}

#[test]
fn transformers_of_class_1_may_turn_a_bank_by_five_hundredths_of_a_radian() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    let bank =
        Shape { volts: [volts; 3], amps: [231; 3], watts: [70_000, -60_000, -9_000], vars: -4_000_000 };
    stays_clean(bank, |terms| {
        (terms.ratios.ct, terms.ratios.pt) = (Ratio::new(400, 5), Ratio::new(10_000, 100));
        (terms.classes.ct, terms.classes.pt) = (Accuracy::parse("1"), Accuracy::parse("1"));
    });
}

#[test]
fn a_shifted_neutral_lends_one_phase_what_it_takes_from_another() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    for shift in [2, 5, 10, 15] {
        // Along the first phase: of a bank's power so much by the root of three halves.
        let lent = 4_000_000 / 3 * shift / 100 * 866 / 1_000;
        let volts = [volts * (100 - shift) / 100, volts * (200 + shift) / 200, volts * (200 + shift) / 200];
        let bank = Shape { volts, amps: [231; 3], watts: [500, -lent, lent + 300], vars: -4_000_000 };
        stays_clean(bank, |_| ());
    }
}

#[test]
fn a_bank_with_a_blown_fuse_shows_a_phase_backwards_and_is_no_tampering() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    // Two of three capacitors between the phases are left.
    let part = volts * 133 / 2;
    let bank =
        Shape { volts: [volts; 3], amps: [133, 231, 133], watts: [part, 300, -part], vars: -2_667_000 };
    stays_clean(bank, |_| ());
}

#[test]
fn a_reversed_current_transformer_is_seen_without_reactive_power_too() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.altered(2, Shape::load(MELT_A, 37, [180, 0, 0]), without_reactive);
    assert_eq!(bench.turns(), [(Sign::CurrentReversed, Turn::Begins)]);
}

#[test]
fn a_reversed_current_transformer_is_seen_where_each_phase_is_measured() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(2, Shape::load(MELT_A, 37, [180, 0, 0]));
    assert_eq!(bench.turns(), [(Sign::CurrentReversed, Turn::Begins)]);
    assert!(Sign::CurrentReversed.warning().unwrap().en.starts_with("Never open a CT secondary"));
}

#[test]
fn a_welder_between_two_phases_and_a_crane_that_lowers_are_quiet() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    // 80 degrees between two phases: +0.64 and -0.34, and nothing in the third.
    let part = |thousandths: i64| volts * 200 / 1_000 * thousandths;
    let welder = Shape {
        volts: [volts; 3],
        amps: [200, 200, 0],
        watts: [part(643), part(-342), 0],
        vars: part(1_706),
    };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(600, welder);
    let crane = Shape::load(80, 143, [0, 0, 0]);
    bench.polls(600, crane).polls(600, idle()).polls(600, melt());
    assert!(bench.is_clean(), "{:?}", bench.turns());
}

#[test]
fn a_declared_capacitor_bank_may_stay_on_and_an_undeclared_one_may_not() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    let bank = |percent: i64| {
        let volts = volts * percent / 100;
        let amps = 4_000_000 * percent / 100 * 1_000 / NOMINAL_V / 1_732;
        Shape {
            volts: [volts; 3],
            amps: [amps; 3],
            watts: [600; 3],
            vars: -4_000_000 * percent / 100 * percent / 100,
        }
    };
    let mut honest = Bench::new(Wiring::FourWire);
    honest.polls(3_600, bank(100)).polls(3_600, bank(108)).polls(3_600, bank(95));
    assert!(honest.is_clean(), "{:?}", honest.turns());
    let mut bench = Bench::new(Wiring::FourWire);
    bench.terms.compensation_var = 3_000_000;
    bench.polls(60, bank(100));
    assert!(bench.is_clean(), "a minute must pass");
    bench.polls(2, bank(100));
    assert_eq!(bench.turns(), [(Sign::ReactiveExcess, Turn::Begins)]);
}

#[test]
fn a_barring_drive_takes_the_reactive_power_of_a_drive_and_lamps_do_not() {
    // 690 kW at a power factor of 0.8, within the allowance; the current is more than a twentieth of the rating's.
    let turned = Shape::load(50, 37, [0, 0, 0]);
    let allowed = |kind| {
        let mut bench = Bench::new(Wiring::FourWire);
        bench.terms.compensation_var = 0;
        let (name, energy) = (Name::new("a").unwrap(), WattHours(500_000_000));
        bench.terms.allowances =
            [Allowance::drawing(name, kind, MilliWatts::from_watts(800_000), energy)].into();
        bench.polls(600, turned);
        bench
    };
    let drive = allowed(AllowanceKind::Barring);
    assert!(drive.is_clean(), "{:?}", drive.turns());
    assert_eq!(allowed(AllowanceKind::Lamps).turns(), [(Sign::ReactiveExcess, Turn::Begins)]);
}

/// Ten minutes of a small furnace that rests, rated 200 kW, where so much is drawn.
fn resting(watts: i64, vars: i64, declare: impl Fn(&mut Commissioned)) -> Vec<(Sign, Turn)> {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.terms.compensation_var = 0;
    bench.terms.rated = MilliWatts::from_watts(200_000);
    bench.terms.floor = Floor::of(Wiring::FourWire, 5, bench.terms.nominal, STARTING_CURRENT_CT_PPM);
    declare(&mut bench.terms);
    let volts = NOMINAL_V * 1_000 / 1_732;
    let milliamps = (watts * watts + vars * vars).isqrt() * 1_000 / 3 / volts;
    let shape = Shape { volts: [volts; 3], amps: [0; 3], watts: [watts / 3; 3], vars };
    bench.altered(600, shape, |reading, _| {
        for quantity in [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3] {
            reading.values[quantity.index()] = Some(milliamps);
        }
    });
    bench.turns()
}

fn allow(terms: &mut Commissioned, kind: AllowanceKind, watts: i64) {
    let (name, power) = (Name::new("a").unwrap(), MilliWatts::from_watts(watts));
    terms.allowances = [Allowance::drawing(name, kind, power, WattHours(20_000_000))].into();
}

#[test]
fn lamps_bring_the_reactive_power_of_their_ballasts() {
    let lamps = |vars| resting(19_000, vars, |terms| allow(terms, AllowanceKind::Lamps, 20_000));
    assert_eq!(lamps(6_250), [], "a power factor of 0.95");
    assert_eq!(lamps(14_250), [(Sign::ReactiveExcess, Turn::Begins)], "one of 0.8");
}

#[test]
fn an_error_of_angle_is_no_reactive_power() {
    // The meter's class is 1, its current transformers' 0.5.
    let losses = |vars| {
        resting(18_000, vars, |terms| {
            allow(terms, AllowanceKind::Compensation, 20_000);
            terms.ratios.ct = Ratio::new(5, 5);
        })
    };
    assert_eq!(losses(800), []);
    assert_eq!(losses(1_800), [(Sign::ReactiveExcess, Turn::Begins)]);
}

#[test]
fn a_welder_that_was_named_may_lag_as_welders_do_and_what_was_declared_of_it_counts_instead() {
    // 19 kW at a power factor of 0.4.
    let welder = |kind, kvar: Option<i64>| {
        resting(19_000, 43_534, |terms| {
            allow(terms, kind, 20_000);
            for allowance in &mut terms.allowances {
                allowance.var = kvar.map_or(allowance.var, |kvar| kvar * 1_000);
            }
        })
    };
    assert_eq!(welder(AllowanceKind::Other, None), []);
    assert_eq!(welder(AllowanceKind::Crane, Some(44)), []);
    assert_eq!(welder(AllowanceKind::Crane, None), [(Sign::ReactiveExcess, Turn::Begins)]);
    assert_eq!(welder(AllowanceKind::Other, Some(20)), [(Sign::ReactiveExcess, Turn::Begins)]);
}

#[test]
fn a_transformer_whose_losses_are_declared_is_magnetised_too() {
    let idle = |no_load| {
        resting(6_000, 30_000, |terms| {
            allow(terms, AllowanceKind::Compensation, 7_000);
            terms.no_load = MilliWatts::from_watts(no_load);
        })
    };
    assert_eq!(idle(6_000), []);
    assert_eq!(idle(0), [(Sign::ReactiveExcess, Turn::Begins)]);
}

#[test]
fn a_melt_may_have_any_reactive_power() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.terms.compensation_var = 0;
    bench.polls(600, Shape::load(MELT_A, 60, [0, 0, 0]));
    assert!(bench.is_clean(), "{:?}", bench.turns());
}

/// Current and voltage come with one request, power with the next.
fn apart(reading: &mut Reading) {
    for quantity in
        [Quantity::Power, Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3, Quantity::Reactive]
    {
        reading.requests[quantity.index()] = 1;
    }
}

#[test]
fn an_arc_that_moves_between_two_requests_is_quiet_and_ten_alike_are_not() {
    let torn = Shape { watts: [0; 3], vars: 0, ..melt() };
    let mut bench = Bench::new(Wiring::FourWire);
    for _ in 0..200 {
        bench.altered(9, torn, |reading, _| apart(reading));
        bench.altered(1, melt(), |reading, _| apart(reading));
    }
    assert!(bench.is_clean(), "{:?}", bench.turns());
    bench.altered(10, torn, |reading, _| apart(reading));
    assert_eq!(bench.turns(), [(Sign::VoltageSwapped, Turn::Begins)]);
}

fn factors(reading: &mut Reading) {
    for quantity in [Quantity::PfL1, Quantity::PfL2, Quantity::PfL3] {
        reading.values[quantity.index()] = Some(799);
        reading.requests[quantity.index()] = 0;
    }
}

#[test]
fn power_that_was_scaled_down_does_not_fit_voltage_current_and_factor() {
    let scaled = Shape { watts: melt().watts.map(|watts| watts / 20), ..melt() };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.altered(2, scaled, |reading, _| factors(reading));
    assert!(bench.is_clean());
    bench.altered(1, scaled, |reading, _| factors(reading));
    assert_eq!(bench.turns(), [(Sign::PowerMismatch, Turn::Begins)]);
    assert_eq!(bench.signs.strongest(), None, "a weak sign masks nothing");
    let mut raised = Bench::new(Wiring::FourWire);
    raised.polls(3, Shape { watts: melt().watts.map(|watts| watts * 2), ..melt() });
    assert_eq!(
        raised.turns(),
        [(Sign::PowerMismatch, Turn::Begins)],
        "more power than voltage times current"
    );
}

#[test]
fn honest_power_fits_also_with_distortion_and_other_requests() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.altered(600, melt(), |reading, _| factors(reading));
    // A rectifier: 60 % of distortion counts in voltage times current and not in the factor of the fundamental.
    let rectifier = Shape { amps: [MELT_A * 7 / 6; 3], ..melt() };
    bench.altered(600, rectifier, |reading, _| factors(reading));
    let torn = Shape { watts: [0; 3], ..melt() };
    for _ in 0..100 {
        bench.altered(9, torn, |reading, _| {
            factors(reading);
            apart(reading);
        });
        bench.altered(1, melt(), |reading, _| factors(reading));
    }
    assert!(bench.is_clean(), "{:?}", bench.turns());
}

#[test]
fn an_earth_fault_of_two_hours_and_a_blown_fuse_after_it_raise_no_alarm() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    let risen = volts * 1_732 / 1_000;
    // Between the risen phases' voltages to earth and their currents lie other angles: at 80 degrees one shows backwards.
    let part = |thousandths: i64| volts * 100 / 1_000 * thousandths;
    let fault = Shape {
        volts: [0, risen, risen],
        amps: [100; 3],
        watts: [0, part(1_113), part(-592)],
        vars: part(2_954),
    };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(10, idle()).polls(7_190, fault);
    assert!(bench.is_clean(), "{:?}", bench.turns());
    bench.polls(10, idle());
    let blown = Shape { volts: [0, volts, volts], amps: [5; 3], watts: [0, 20_000, 20_000], vars: 0 };
    bench.polls(3_600, blown);
    assert_eq!(bench.turns(), [(Sign::PhaseLost, Turn::Begins)]);
    assert_eq!(Sign::PhaseLost.grade(), Grade::Weak);
    let mut forgotten = Bench::new(Wiring::FourWire);
    forgotten.polls(7_300, fault);
    assert_eq!(
        forgotten.turns(),
        [(Sign::PhaseLost, Turn::Begins)],
        "nobody leaves an earth fault for longer"
    );
}

#[test]
fn a_blown_fuse_beside_declared_capacitors_is_no_reactive_power_that_nobody_declared() {
    let volts = NOMINAL_V * 1_000 / 1_732;
    let gone = Shape { volts: [0, volts, volts], amps: [231; 3], watts: [0; 3], vars: -4_000_000 / 3 * 2 };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(600, gone);
    assert_eq!(bench.turns(), [(Sign::PhaseLost, Turn::Begins)], "and that is weak");
    // Of two elements the middle phase's fuse leaves each voltage at 58 %, and the third tells what the line stands at.
    let middle = |reading: &mut Reading, _: u64| {
        for quantity in [Quantity::VoltageL12, Quantity::VoltageL23] {
            reading.values[quantity.index()] = Some(NOMINAL_V * 577);
        }
    };
    for third in [Some(NOMINAL_V * 1_000), None] {
        let mut aron = Bench::new(Wiring::Aron);
        let half = Shape { volts: [0; 3], amps: [231, 0, 231], watts: [0; 3], vars: -2_000_000 };
        aron.altered(600, half, |reading, n| {
            middle(reading, n);
            reading.values[Quantity::VoltageL31.index()] = third;
        });
        assert!(!aron.turns().contains(&(Sign::ReactiveExcess, Turn::Begins)), "{:?}", aron.turns());
    }
}

#[test]
fn current_without_any_voltage_is_a_strong_sign_and_a_line_that_is_switched_off_is_none() {
    let dead = |amps: i64| Shape { volts: [0; 3], amps: [amps; 3], watts: [0; 3], vars: 0 };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(10, melt()).polls(2, dead(MELT_A)).polls(600, dead(0));
    assert!(bench.is_clean(), "{:?}", bench.turns());
    bench.polls(3, dead(MELT_A));
    assert_eq!(bench.turns(), [(Sign::CurrentWithoutVoltage, Turn::Begins)]);
    assert_eq!(bench.signs.strongest(), Some(Sign::CurrentWithoutVoltage));
}

#[test]
fn nothing_is_told_of_shapes_while_a_line_comes_alive() {
    let mut bench = Bench::new(Wiring::FourWire);
    for _ in 0..30 {
        bench.now_ms += 1_000;
        let reading = bench.reading(Shape::load(MELT_A, 37, [-120, 120, 0]));
        let around = Around { is_in_inrush: true, was_dark: false, must_rest: true };
        bench.signs.on_reading(&bench.terms, &reading, around, &mut bench.turns);
    }
    assert!(bench.turns.is_empty());
}

#[test]
fn more_than_a_furnace_is_rated_for_is_another_one_beside_it() {
    // 12.5 MW are rated; 577 A are 8 MW, 1 300 A 18 MW.
    let at = |amps| Shape::load(amps, 37, [0, 0, 0]);
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(4_000, at(577)).polls(600, at(1_300)).polls(1_200, at(577));
    assert!(bench.is_clean(), "ten minutes of overload are none: {:?}", bench.turns());
    bench.polls(1_800, at(1_300));
    assert_eq!(bench.turns(), [(Sign::BeyondRating, Turn::Begins)]);
    assert_eq!(Sign::BeyondRating.grade(), Grade::Weak);
    bench.polls(3_600, at(1_300));
    assert_eq!(bench.turns().len(), 1, "it stands as long as it lasts");
    bench.polls(2_000, at(577));
    assert_eq!(bench.turns().last(), Some(&(Sign::BeyondRating, Turn::Over)));
    let mut shared = Bench::new(Wiring::FourWire);
    shared.terms.serves = Box::new([AssetId::new("eaf-1").unwrap(), AssetId::new("eaf-2").unwrap()]);
    shared.polls(3_600, at(1_300));
    assert!(shared.is_clean(), "what else hangs on a shared feeder nobody declared");
}

#[test]
fn pumps_that_were_allowed_bring_their_reactive_power_with_them() {
    let allowed = |lag| {
        let mut bench = Bench::new(Wiring::FourWire);
        let pumps = Name::new("pumps").unwrap();
        let watts = MilliWatts::from_watts(800_000);
        bench.terms.allowances =
            Box::new([Allowance::drawing(pumps, AllowanceKind::Cooling, watts, WattHours(600_000_000))]);
        bench.terms.compensation_var = 0;
        // 58 A at 10 kV are a megavolt-ampere, more than 5 % of the rating.
        bench.polls(200, Shape::load(58, lag, [0, 0, 0]));
        bench.turns()
    };
    assert_eq!(allowed(37), []);
    assert_eq!(allowed(80), [(Sign::ReactiveExcess, Turn::Begins)]);
}
