//! What single phases show while the total is right, and what the total hides.

use super::{
    points::{asset, set},
    *,
};
use crate::judge::permit::{Permit, Permitted};
use crate::terms::Digest;

const AMPS: [Quantity; 3] = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];
const POWERS: [Quantity; 3] = [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3];
const VOLTS: [Quantity; 3] = [Quantity::VoltageL1, Quantity::VoltageL2, Quantity::VoltageL3];
const IMPORTS: [Quantity; 3] = [Quantity::ImportL1, Quantity::ImportL2, Quantity::ImportL3];

fn each(reading: &mut Reading, quantities: [Quantity; 3], thousandths: [i64; 3]) {
    for (quantity, value) in quantities.into_iter().zip(thousandths) {
        set(reading, quantity, value);
    }
}

/// Each phase's own register after so many seconds at these watts.
fn counted(reading: &mut Reading, seconds: i64, watts: [i64; 3]) {
    for (quantity, watts) in IMPORTS.into_iter().zip(watts) {
        let energy = WattHours(1_000_000 + seconds * watts / 3_600);
        let register = Register { energy, step: WattHours(10), modulus: None, raw: 1, raw_words: 2 };
        reading.registers.set(quantity, register);
    }
}

#[test]
fn capacitors_that_were_declared_draw_nothing_while_a_phase_lies_at_earth() {
    let mut story = Story::at_point(|terms| terms.compensation_var = 4_000_000);
    // 66 A lead by a quarter of a turn; against two voltages to earth they stand at 60 and 120 degrees.
    let share = 4_000_000 / 2 / 3 * 1_732;
    story.poll(600, 5_000, |second, reading| {
        each(reading, AMPS, [66_000; 3]);
        each(reading, VOLTS, [NOMINAL + flicker(second.cast_unsigned()), 3_000, NOMINAL - 1_000]);
        each(reading, POWERS, [share + 2_500_000, 0, 2_500_000 - share]);
        set(reading, Quantity::Reactive, -4_000_000_000);
        counted(reading, second, [share / 1_000, 0, 0]);
    });
    assert!(!story.states().contains(&State::Drawing), "{:?}", story.last_state().proof);
    assert!(!story.verdict().signs.has_strong());
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

#[test]
fn a_welder_between_two_phases_is_weighed_by_its_total() {
    let story = |hides: i64| {
        let mut story = Story::at_point(|terms| {
            (terms.nominal, terms.rated) = (MilliVolts(400_000), MilliWatts::from_watts(200_000));
            (terms.no_load, terms.floor) =
                (MilliWatts(0), Floor::of(Wiring::FourWire, 400, terms.nominal, 2_000));
            terms.compensation_var = 0;
            let name = Name::new("welder").unwrap();
            let power = MilliWatts::from_watts(20_000);
            terms.allowances =
                [Allowance::drawing(name, AllowanceKind::Other, power, WattHours(14_880_000))].into();
        });
        // 19 kW at a power factor of 0.4 between two phases: 22 kW in one and 3 kW backwards in the other.
        story.poll(300, 19_000 + hides, |second, reading| {
            let line = 400_000 + flicker(second.cast_unsigned());
            each(reading, [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31], [line; 3]);
            each(reading, AMPS, [118_750, 118_750, 0]);
            each(reading, POWERS, [22_067_000 + hides * 1_000, -3_067_000, 0]);
            set(reading, Quantity::Reactive, 43_534_000);
            counted(reading, second, [22_067, 0, 0]);
        });
        story
    };
    let honest = story(0);
    assert!(!honest.states().contains(&State::Drawing), "{:?}", honest.last_state().proof);
    assert!(!honest.verdict().signs.has_strong());
    assert_eq!(story(9_000).last_state().state, State::Drawing, "what is more than allowed is drawn");
}

/// Full current and no power at a meter that tells neither reactive power nor its phases.
fn bare_current(_: i64, reading: &mut Reading) {
    each(reading, AMPS, [206_000; 3]);
}

#[test]
fn swapped_leads_show_at_a_meter_that_tells_no_reactive_power() {
    let mut story = Story::new("2026-10-31");
    story.run(100, 5_000, 100).poll(7, 0, bare_current);
    assert_eq!(story.last_state().state, State::Masked(Sign::ReactiveExcess));
    // What was declared may start, and after a dip what is magnetised takes more for a moment.
    let mut dips = Story::new("2026-10-31");
    let dip = |_: i64, reading: &mut Reading| {
        each(reading, [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31], [NOMINAL / 2; 3]);
    };
    dips.run(100, 5_000, 100).poll(2, 0, dip).poll(20, 0, bare_current).run(100, 5_000, 100);
    assert!(!dips.verdict().signs.has_strong(), "{:?}", dips.states());
    let mut lamps = Story::new("2026-10-31");
    lamps.run(100, 5_000, 100).poll(600, 40_000, |_, reading| each(reading, AMPS, [11_000; 3]));
    let states = lamps.states();
    assert_eq!(lamps.last_state().state, State::Masked(Sign::ReactiveExcess), "{states:?}");
    let mut heaters = Story::at_point(|terms| {
        terms.allowances[0].power = MilliWatts::from_watts(640_000);
        terms.allowances[0].monthly = WattHours(500_000_000);
    });
    heaters.run(100, 5_000, 100).poll(600, 600_000, |_, reading| each(reading, AMPS, [12_000; 3]));
    assert!(!heaters.verdict().signs.has_strong(), "{:?}", heaters.states());
}

/// A motor of the equipment runs without load.
fn idling(_: i64, reading: &mut Reading) {
    each(reading, AMPS, [62_000; 3]);
    set(reading, Quantity::Reactive, 3_700_000_000);
}

#[test]
fn what_may_run_may_idle_at_any_power_factor() {
    let mut lawful = Story::new("2030-10-31");
    lawful.poll(300, 60_000, idling);
    assert!(!lawful.states().contains(&State::Masked(Sign::ReactiveExcess)), "{:?}", lawful.states());
    let mut permitted = Story::new("2026-10-31");
    let now = permitted.stamp().wall_unix_ms;
    let permit = Permit {
        id: Name::new("permit-1").unwrap(),
        asset: asset(),
        what: Permitted::Maintenance { energy: WattHours(50_000_000) },
        from_unix_ms: now,
        to_unix_ms: now + 3_600_000,
        document: Digest::of(b"paper"),
    };
    permitted.fact(Fact::Permit(&permit)).poll(300, 60_000, idling);
    assert!(!permitted.verdict().signs.has_strong(), "{:?}", permitted.states());
    let mut closed = Story::new("2026-10-31");
    closed.poll(300, 60_000, idling);
    assert_eq!(closed.last_state().state, State::Masked(Sign::ReactiveExcess));
}

/// Two elements beside 1,200 kvar of declared capacitors and 40 kW of lamps: 400/5 at 10 kV.
fn two_elements(declare: impl Fn(&mut Commissioned)) -> Story {
    Story::at_point(|terms| {
        terms.wiring = Wiring::Aron;
        terms.promised.currents = 2;
        (terms.nominal, terms.rated) = (MilliVolts(10_000_000), MilliWatts::from_watts(5_500_000));
        (terms.no_load, terms.floor) = (MilliWatts(0), Floor::of(Wiring::Aron, 400, terms.nominal, 2_000));
        terms.compensation_var = 1_200_000;
        let (name, power) = (Name::new("lamps").unwrap(), MilliWatts::from_watts(40_000));
        terms.allowances =
            [Allowance::drawing(name, AllowanceKind::Lamps, power, WattHours(29_760_000))].into();
        declare(terms);
    })
}

/// So many seconds of the capacitors and of so many watts beside them, the third current left at so many percent; the
/// register follows what the elements show.
fn elements(story: &mut Story, seconds: i64, watts: i64, left: i64) {
    let total = (watts + watts * left / 100) / 2 + 346_000 * (100 - left) / 100;
    for _ in 0..seconds {
        let line = NOMINAL + flicker(story.now_ms / 1_000);
        story.energy.0 += total / 3_600;
        story.poll(1, total, |_, reading| {
            each(reading, [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31], [line; 3]);
            each(reading, AMPS, [69_300, 0, 69_300 * left / 100]);
            reading.values[Quantity::CurrentL2.index()] = None;
            set(reading, Quantity::Reactive, -1_200_000_000 + 6_000_000 * (100 - left));
        });
    }
}

#[test]
fn a_lost_current_of_two_elements_beside_declared_capacitors_is_unknown_and_convicts_nobody() {
    for left in [0, 50, 80] {
        let mut story = two_elements(|_| ());
        elements(&mut story, 300, 36_000, 100);
        assert_eq!(story.last_state().state, State::Energised);
        elements(&mut story, 1_800, 36_000, left);
        assert_eq!(story.last_state().state, State::Unknown(Why::ElementsDiffer), "{left} %");
        assert!(!story.states().contains(&State::Drawing), "{left} % {:?}", story.states());
        assert_eq!(story.verdict().violation_since_unix_ms, None, "{left} %");
        elements(&mut story, 300, 36_000, 100);
        assert_eq!(story.last_state().state, State::Energised, "it is mended");
        assert_eq!(story.verdict().violation_since_unix_ms, None, "{left} %");
    }
    let mut melts = two_elements(|_| ());
    elements(&mut melts, 300, 36_000, 100);
    elements(&mut melts, 30, 4_000_000, 0);
    assert_eq!(melts.last_state().state, State::Drawing, "a lost current hides no melt");
    let mut plain = two_elements(|_| ());
    plain.poll(120, 36_000, |_, reading| {
        each(reading, AMPS, [2_000, 0, 2_400]);
        reading.values[Quantity::CurrentL2.index()] = None;
        set(reading, Quantity::Reactive, 10_000_000);
    });
    assert_eq!(plain.last_state().state, State::Energised, "while they are off, uneven lamps are lamps");
}

#[test]
fn a_current_that_is_not_told_is_no_current_that_does_not_flow() {
    let mut story = Story::new("2026-10-31");
    story.run(100, 5_000, 100);
    story.poll(300, 5_000, |_, reading| reading.values[Quantity::CurrentL1.index()] = None);
    assert_eq!(story.last_state().state, State::Unknown(Why::NoCurrent), "nor is it energised and at rest");
}

#[test]
fn swapped_leads_are_told_though_a_current_comes_only_now_and_then() {
    let swapped = |second: i64, reading: &mut Reading| {
        each(reading, AMPS, [206_000; 3]);
        set(reading, Quantity::Reactive, 100_000_000);
        if second % 2 == 1 {
            reading.values[Quantity::CurrentL1.index()] = None;
        }
    };
    let mut story = Story::new("2026-10-31");
    story.run(100, 5_000, 100).poll(10, 5_000, swapped);
    assert_eq!(story.last_state().state, State::Masked(Sign::VoltageSwapped), "{:?}", story.states());
}

/// A spot welder of 15 kW between two phases, whose reactive power declared capacitors take off.
#[test]
fn a_welder_between_two_phases_beside_capacitors_that_make_up_for_it_is_weighed_by_its_total() {
    let mut story = Story::at_point(|terms| {
        (terms.nominal, terms.rated) = (MilliVolts(400_000), MilliWatts::from_watts(200_000));
        (terms.no_load, terms.floor) =
            (MilliWatts(0), Floor::of(Wiring::FourWire, 400, terms.nominal, 2_000));
        terms.compensation_var = 58_000;
        let (name, power) = (Name::new("welder").unwrap(), MilliWatts::from_watts(20_000));
        terms.allowances =
            [Allowance::drawing(name, AllowanceKind::Other, power, WattHours(14_880_000))].into();
    });
    story.poll(300, 15_000, |second, reading| {
        let line = 400_000 + flicker(second.cast_unsigned());
        each(reading, [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31], [line; 3]);
        each(reading, AMPS, [107_600, 72_800, 83_900]);
        each(reading, POWERS, [24_270_000, -9_270_000, 0]);
        set(reading, Quantity::Reactive, 0);
        counted(reading, second, [24_270, 0, 0]);
    });
    assert!(!story.states().contains(&State::Drawing), "{:?}", story.last_state().proof);
    assert!(!story.verdict().signs.has_strong());
}
