//! What shows only over time: stillness, recordings, clocks, silence of auxiliaries, sums of registers.

use super::*;

fn dead() -> Shape {
    Shape { volts: [0; 3], amps: [0; 3], watts: [0; 3], vars: 0 }
}

/// The reading of the bench's first second, again and again.
fn frozen(bench: &mut Bench, polls: u64, every_s: u64, refreshed_s: u64) {
    let mut kept = bench.reading(idle());
    for n in 0..polls {
        bench.now_ms += every_s * 1_000;
        if refreshed_s > 0 && (n * every_s).is_multiple_of(refreshed_s) {
            kept = bench.reading(idle());
        }
        let mut reading = kept.clone();
        reading.at = bench.stamp();
        bench.hear(&reading);
    }
}

#[test]
fn everything_frozen_while_the_link_answers_is_strong() {
    let mut bench = Bench::new(Wiring::FourWire);
    frozen(&mut bench, 300, 1, 0);
    assert!(bench.is_clean());
    frozen(&mut bench, 305, 1, 0);
    assert_eq!(bench.turns(), [(Sign::Stuck, Turn::Begins)]);
    bench.polls(1_000, idle());
    assert_eq!(bench.turns().last(), Some(&(Sign::Stuck, Turn::Over)));
    let mut slow = Bench::new(Wiring::FourWire);
    frozen(&mut slow, 11, 60, 0);
    assert_eq!(slow.turns(), [(Sign::Stuck, Turn::Begins)], "at a poll a minute too");
}

#[test]
fn silence_a_lawful_cut_and_a_gateway_that_caches_are_not_stuck() {
    let mut bench = Bench::new(Wiring::FourWire);
    let quiet = Shape { amps: [0; 3], watts: [0; 3], vars: 0, ..idle() };
    bench.terms.allowances = Box::default();
    bench.polls(10_000, quiet);
    assert!(bench.is_clean(), "energy is still and the voltage moves: silence");
    // Twelve months of zeros behind an open breaker.
    for _ in 0..365 * 24 {
        bench.now_ms += 3_600_000;
        let reading = bench.reading(dead());
        bench.hear(&reading);
    }
    assert!(bench.is_clean(), "{:?}", bench.turns());
    let mut caching = Bench::new(Wiring::FourWire);
    frozen(&mut caching, 20_000, 1, 55);
    assert!(caching.is_clean(), "{:?}", caching.turns());
}

#[test]
fn a_recording_that_is_played_again_is_seen() {
    let mut bench = Bench::new(Wiring::FourWire);
    let volts = |n: u64| i64::try_from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48).unwrap() * 10;
    let line = |reading: &mut Reading, n: u64| {
        reading.values[Quantity::VoltageL1.index()] = Some(5_700_000 + volts(n));
    };
    bench.altered(20_000, idle(), line);
    assert!(bench.is_clean());
    bench.altered(20_000, idle(), |reading, n| {
        // The last digits of the other phases are part of the recording too.
        reading.values[Quantity::VoltageL2.index()] = Some(5_773_000);
        reading.values[Quantity::VoltageL3.index()] = Some(5_773_000);
        line(reading, n % 900);
    });
    assert_eq!(bench.turns(), [(Sign::Replayed, Turn::Begins)]);
    assert_eq!(Sign::Replayed.grade(), Grade::Weak);
}

fn clock(reading: &mut Reading, ms: i64) {
    reading.values[Quantity::Clock.index()] = Some(ms);
}

#[test]
fn a_clock_that_is_synchronised_or_goes_to_summer_time_is_quiet_and_one_that_is_moved_is_not() {
    let mut bench = Bench::new(Wiring::FourWire);
    let mut offset_ms = 0;
    let mut days = |bench: &mut Bench, days: u64, step_ms: i64| {
        for _ in 0..days {
            for _ in 0..24 {
                bench.now_ms += 3_599_000;
                let now = bench.now_ms.cast_signed() + 1_000;
                bench.altered(1, idle(), |reading, _| clock(reading, now + offset_ms));
            }
            offset_ms += step_ms;
        }
    };
    days(&mut bench, 30, -7_000);
    days(&mut bench, 30, 90_000);
    days(&mut bench, 1, 3_600_000);
    days(&mut bench, 180, 0);
    days(&mut bench, 1, -3_600_000);
    days(&mut bench, 10, 0);
    assert!(bench.is_clean(), "{:?}", bench.turns());
    days(&mut bench, 1, 3_600_000);
    days(&mut bench, 1, 0);
    assert_eq!(bench.turns()[0], (Sign::ClockStepped, Turn::Begins), "no third summer time within a month");
    let mut moved = Bench::new(Wiring::FourWire);
    let now = moved.now_ms.cast_signed();
    moved.altered(10, idle(), |reading, n| clock(reading, now + n.cast_signed() * 1_000));
    moved.altered(1, idle(), |reading, _| clock(reading, now - 20_000_000));
    assert_eq!(moved.turns(), [(Sign::ClockStepped, Turn::Begins)]);
    assert_eq!(moved.said[0].figures[0].0, Figure::Step);
    let mut creeping = Bench::new(Wiring::FourWire);
    creeping.altered(20, idle(), |reading, n| clock(reading, n.cast_signed() * 101_000));
    assert_eq!(creeping.turns(), [(Sign::ClockStepped, Turn::Begins)], "many small steps are a large one");
}

fn up(reading: &mut Reading, seconds: i64, fails: Option<i64>) {
    reading.values[Quantity::UptimeS.index()] = Some(seconds * 1_000);
    reading.values[Quantity::PowerFails.index()] = fails.map(|fails| fails * 1_000);
}

#[test]
fn a_life_that_is_played_again_is_seen_and_one_that_begins_anew_after_a_power_cut_is_not() {
    let stepped = [(Sign::ClockStepped, Turn::Begins)];
    let ran =
        |hours: i64| move |reading: &mut Reading, n: u64| run_hours(reading, hours + n.cast_signed() / 4);
    let mut again = Bench::new(Wiring::FourWire);
    again.altered(4_000, idle(), ran(9_000_000));
    assert!(again.is_clean());
    again.altered(400, idle(), ran(9_000_000));
    assert_eq!(again.turns(), stepped, "hours of running played again");
    assert_eq!(again.said[0].figures, figure::figures([(Figure::Step, -999 * 3_600 - 1_000)]));
    let mut live = Bench::new(Wiring::FourWire);
    live.altered(400, idle(), ran(9_000_000)).altered(1, idle(), ran(9_006_000));
    assert_eq!(live.turns(), stepped, "and six hours at once when the recording ends");
    for (fails, from, to) in
        [(None, 9_000, 5_400), (Some(3), 9_000, 5_400), (Some(3), 9_000, 0), (None, 9_000, 30_600)]
    {
        let mut bench = Bench::new(Wiring::FourWire);
        bench.altered(100, idle(), |reading, n| up(reading, from + n.cast_signed(), fails));
        bench.altered(100, idle(), |reading, n| up(reading, to + n.cast_signed(), fails));
        assert_eq!(bench.turns(), stepped, "an uptime from {from} to {to}");
    }

    for fails in [None, Some(3)] {
        let mut cut = Bench::new(Wiring::FourWire);
        cut.altered(100, idle(), |reading, n| {
            up(reading, 9_000 + n.cast_signed(), fails);
            run_hours(reading, 9_000_250);
        });
        cut.now_ms += 5_000;
        cut.altered(100, idle(), |reading, n| {
            up(reading, 2 + n.cast_signed(), fails.map(|fails| fails + 1));
            run_hours(reading, 9_000_000);
        });
        assert!(cut.is_clean(), "a power cut: {:?}", cut.turns());
    }
    let mut coarse = Bench::new(Wiring::FourWire);
    coarse.altered(20_000, idle(), |reading, n| {
        // In whole hours, and as a gateway keeps it for a minute.
        run_hours(reading, (9_000 + n.cast_signed() / 3_600) * 1_000);
        up(reading, 9_000 + n.cast_signed() / 60 * 60, Some(3));
    });
    assert!(coarse.is_clean(), "{:?}", coarse.turns());
}

#[test]
fn an_auxiliary_that_always_drew_and_is_exactly_zero_is_too_quiet() {
    let zero = Shape { amps: [0; 3], watts: [0; 3], vars: 0, ..idle() };
    let day = |bench: &mut Bench, shape: Shape, seconds: u64| {
        for _ in 0..seconds / 60 {
            bench.now_ms += 59_000;
            bench.polls(1, shape);
        }
    };
    let mut bench = Bench::new(Wiring::FourWire);
    day(&mut bench, idle(), 90_000);
    day(&mut bench, zero, 3_500);
    assert!(bench.is_clean());
    day(&mut bench, zero, 240);
    assert_eq!(bench.turns(), [(Sign::TooQuiet, Turn::Begins)]);
    assert_eq!(Sign::TooQuiet.grade(), Grade::Weak);
    let mut switched = Bench::new(Wiring::FourWire);
    for _ in 0..20 {
        day(&mut switched, idle(), 50_000);
        day(&mut switched, zero, 36_400);
    }
    assert!(switched.is_clean(), "lamps that are switched off at night never always drew");
    let mut cut = Bench::new(Wiring::FourWire);
    day(&mut cut, idle(), 90_000);
    day(&mut cut, dead(), 90_000);
    assert!(cut.is_clean(), "under a cut exact zeros are what is expected");
}

#[test]
fn barring_for_three_days_is_quiet() {
    let barring = Shape::load(3, 37, [0, 0, 0]);
    let mut bench = Bench::new(Wiring::FourWire);
    for _ in 0..72 * 60 {
        bench.now_ms += 59_000;
        bench.polls(1, barring);
    }
    assert!(bench.is_clean(), "{:?}", bench.turns());
}

/// Registers of the total and of its parts, all with steps of 10 Wh.
fn registers(reading: &mut Reading, total: i64, parts: &[(Quantity, i64)]) {
    for (quantity, energy) in [(Quantity::Import, total)].iter().chain(parts) {
        let energy = WattHours(energy / 10 * 10);
        let register = Register { energy, step: WattHours(10), modulus: None, raw: 0, raw_words: 2 };
        reading.registers.set(*quantity, register);
    }
}

#[test]
fn phases_and_tariffs_add_up_to_their_total_within_five_steps_and_the_skew() {
    let phases = [Quantity::ImportL1, Quantity::ImportL2, Quantity::ImportL3];
    let tariffs = [Quantity::ImportT1, Quantity::ImportT2, Quantity::ImportT3, Quantity::ImportT4];
    for parts in [&phases[..], &tariffs[..3], &tariffs[..]] {
        let count = i64::try_from(parts.len()).unwrap();
        let told = |n: u64, lost: i64| -> Vec<(Quantity, i64)> {
            let each = 900_000 + n.cast_signed() * 2_222;
            parts
                .iter()
                .enumerate()
                .map(|(at, q)| (*q, each - if at == 0 { lost * n.cast_signed() } else { 0 }))
                .collect()
        };
        let total = |n: u64| 5_000_000 + n.cast_signed() * 2_222 * count;
        let mut honest = Bench::new(Wiring::FourWire);
        honest.altered(5_000, melt(), |reading, n| registers(reading, total(n), &told(n, 0)));
        assert!(honest.is_clean(), "{:?}", honest.turns());
        let mut bench = Bench::new(Wiring::FourWire);
        bench.altered(600, melt(), |reading, n| registers(reading, total(n), &told(n, 100)));
        assert_eq!(bench.turns(), [(Sign::RegistersDisagree, Turn::Begins)]);
        assert_eq!(Sign::RegistersDisagree.grade(), Grade::Weak);
    }
}

#[test]
fn a_meter_that_balances_its_phases_while_a_crane_lowers_is_quiet() {
    let crane = Shape { watts: [400_000, -300_000, 50_000], ..Shape::load(20, 37, [0, 0, 0]) };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.altered(2_000, crane, |reading, n| {
        let n = n.cast_signed();
        let parts = [(Quantity::ImportL1, n * 111), (Quantity::ImportL2, 0), (Quantity::ImportL3, n * 14)];
        registers(reading, n * 41, &parts);
    });
    assert!(bench.is_clean(), "{:?}", bench.turns());
}
