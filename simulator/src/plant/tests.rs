//! A plant through its hours and changes.

use super::*;
use crate::{
    accuracy::{Class, Classes},
    energised::Transformer,
    load::{ElectricArcFurnace, Load, RotaryKiln, Trace, trace::Row},
    meter::Unmapped,
    round_trip::{meter, profile, reading},
};
use coldhearth::{
    catalogue::{Attribute, plate::PlateValue},
    metering::{Plan, Quantity},
    terms::{MilliVolts, Ratio, WattHours},
};

const HOUR_MS: u64 = 3_600_000;

fn melting(seed: u64) -> (Plant, FeederIndex) {
    let mut plant = Plant::new(seed);
    let furnace = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
    let feeder = plant.add_feeder(Feeder::new(MilliVolts(10_000_000), furnace).running());
    plant.add_meter(1, meter("sim-cutoff").with_ct(Ratio::parse("1000/5").unwrap()), feeder);
    (plant, feeder)
}

#[test]
fn a_plant_is_the_same_however_often_it_is_looked_at() {
    let (mut seldom, feeder) = melting(4);
    let (mut often, _) = melting(4);
    seldom.advance_to(HOUR_MS);
    let mut at = 0;
    while at < HOUR_MS {
        at = (at + 1 + at % 977).min(HOUR_MS);
        often.advance_to(at);
    }
    assert_eq!(seldom.truth(feeder), often.truth(feeder));
    let words = |plant: &Plant| plant.read(1, Function::Holding, 0, 40).unwrap();
    assert_eq!(words(&seldom), words(&often));
    assert_ne!(seldom.truth(feeder), {
        let (mut other, _) = melting(5);
        other.advance_to(HOUR_MS);
        other.truth(feeder)
    });
}

#[test]
fn a_heat_draws_the_energy_of_its_power() {
    let (mut plant, feeder) = melting(4);
    plant.advance_to(24 * HOUR_MS);
    let jumped = plant.truth(feeder).energy.0;
    // 12.5 MW at about 65 % of the time and level: some 190 MWh a day.
    assert!((160_000_000..220_000_000).contains(&jumped), "{jumped}");
    let (mut fine, _) = melting(4);
    (1..=24).for_each(|hour| fine.advance_to(hour * HOUR_MS));
    let fine = fine.truth(feeder).energy.0;
    assert!((jumped - fine).abs() * 50 < fine, "a jump by minutes is within 2 %: {jumped} {fine}");
}

#[test]
fn time_never_runs_back() {
    let (mut plant, feeder) = melting(1);
    plant.advance_to(5_500);
    let truth = plant.truth(feeder);
    plant.advance_to(3_000);
    assert_eq!((plant.now_ms(), plant.truth(feeder)), (5_500, truth));
}

#[test]
fn changes_take_effect_at_their_millisecond() {
    let (mut plant, feeder) = melting(1);
    assert!(plant.force_power(feeder, MilliWatts::from_watts(3_600)));
    plant.follow(
        Timeline::new()
            .at(1_500, Change::Force(feeder, MilliWatts::from_watts(7_200)))
            .at(2_500, Change::Cut(feeder))
            .at(4_000, Change::Restore(feeder)),
    );
    plant.advance_to(5_000);
    assert_eq!(plant.truth(feeder).exact_energy, 3_600_000 * 1_500 + 7_200_000 * (1_000 + 1_000));
    assert_eq!(plant.lost_changes(), 0);
    plant.follow(Timeline::new().at(5_001, Change::Freeze(77)));
    plant.advance_to(6_000);
    assert_eq!(plant.lost_changes(), 1);
}

#[test]
fn a_meter_answers_while_its_line_is_dead() {
    let (mut plant, feeder) = melting(1);
    plant.advance_to(600_000);
    let before = reading(&plant, 1, "sim-cutoff");
    assert!(before.value(Quantity::Power).unwrap() > 0);
    assert!(plant.apply(Change::Cut(feeder)));
    plant.advance_to(2 * 600_000);
    let after = reading(&plant, 1, "sim-cutoff");
    for quantity in [Quantity::Power, Quantity::VoltageL12, Quantity::CurrentL1, Quantity::Frequency] {
        assert_eq!(after.value(quantity), Some(0), "{quantity:?}");
    }
    assert_eq!(after.import, before.import);
    assert!(after.liveness() > before.liveness());
    assert!(plant.apply(Change::Darken(1)));
    assert_eq!(plant.read(1, Function::Holding, 0, 2), Err(NO_ANSWER_FROM_UNIT));
}

#[test]
fn an_edited_ratio_shows_less_and_its_register_tells() {
    let ct = Ratio::parse("3000/5").unwrap();
    let (mut plant, feeder) = melting(1);
    plant.add_meter(2, meter("acrel-adl400").with_ct(ct).with_noise_ppm(0), feeder);
    assert!(plant.force_power(feeder, MilliWatts::from_watts(6_000_000)));
    plant.advance_to(HOUR_MS);
    let power = |plant: &Plant| reading(plant, 2, "acrel-adl400").value(Quantity::Power).unwrap();
    assert!((power(&plant) - 6_000_000_000).abs() < 600_000, "{}", power(&plant));
    assert!(plant.apply(Change::CtRatio(2, Ratio::parse("150/5").unwrap())));
    assert!((power(&plant) - 300_000_000).abs() < 30_000);
    assert_eq!(plant.read(2, Function::Holding, 142, 1), Ok(vec![30]));
}

#[test]
fn registers_that_are_not_mapped_answer_as_the_family_does() {
    let (mut plant, feeder) = melting(1);
    let read = |plant: &Plant, function, at, count| plant.read(5, function, at, count);
    plant.add_meter(5, meter("acrel-adl400"), feeder);
    assert_eq!(read(&plant, Function::Input, 0x61, 1), Err(ILLEGAL_ADDRESS));
    assert_eq!(read(&plant, Function::Holding, 0x9000, 1), Err(ILLEGAL_ADDRESS));
    assert_eq!(read(&plant, Function::Holding, 0x16C, 2), Ok(vec![0, 0]));
    assert_eq!(read(&plant, Function::Holding, 0x60, 35), Err(ILLEGAL_VALUE), "34 registers at most");
    plant.add_meter(5, meter("acrel-adl400").with_unmapped(Unmapped::HolesRefused), feeder);
    assert_eq!(read(&plant, Function::Holding, 0x16C, 2), Err(ILLEGAL_ADDRESS));
    plant.add_meter(5, meter("acrel-adl400").with_unmapped(Unmapped::Zeros), feeder);
    assert_eq!(read(&plant, Function::Input, 0x9000, 2), Ok(vec![0, 0]));
    assert_eq!(read(&plant, Function::Holding, 0xFFFF, 2), Err(ILLEGAL_ADDRESS));
    assert_eq!(plant.read(6, Function::Holding, 0, 1), Err(NO_ANSWER_FROM_UNIT));
}

#[test]
fn a_nameplate_is_served_whole_and_exchanged_whole() {
    let plate = |year| {
        let attribute = Attribute { name: "built_year".into(), value: PlateValue::Whole(year) };
        Nameplate::new(vec![attribute]).unwrap()
    };
    let (mut plant, _) = melting(1);
    plant.add_plate(9, 60_000, &plate(1998));
    let words = |plant: &Plant| {
        let count = u16::try_from(plate(1998).to_words().len()).unwrap();
        Nameplate::from_words(&plant.read(9, Function::Holding, 60_000, count).unwrap()).unwrap()
    };
    assert_eq!(words(&plant), plate(1998));
    assert!(plant.apply(Change::Plate(9, 60_000, plate(2012))));
    assert_eq!(words(&plant), plate(2012));
    for (function, at, count) in
        [(Function::Holding, 59_999, 2), (Function::Holding, 60_000, 100), (Function::Input, 60_000, 2)]
    {
        assert_eq!(plant.read(9, function, at, count), Err(ILLEGAL_ADDRESS));
    }
    assert!(!plant.apply(Change::Plate(9, 60_001, plate(2012))));
}

#[test]
fn a_frozen_meter_and_a_fixed_register_stay() {
    let (mut plant, _) = melting(1);
    plant.advance_to(300_000);
    assert!(plant.apply(Change::Freeze(1)));
    let words = |plant: &Plant| plant.read(1, Function::Holding, 0, 40).unwrap();
    let frozen = words(&plant);
    plant.advance_to(400_000);
    assert_eq!(words(&plant), frozen);
    assert!(plant.apply(Change::Register(1, Function::Holding, 24, Some(7))));
    assert_eq!(words(&plant)[24], 7);
    assert!(plant.apply(Change::Thaw(1)) && plant.apply(Change::Register(1, Function::Holding, 24, None)));
    assert_ne!(words(&plant), frozen);
    assert_eq!(profile("sim-cutoff").rows.len() * 2, 40);
}

/// A kiln of 900 kW on a feeder of its own, its panel meter at unit 1, and an idle one at unit 2.
fn panels(change: impl FnOnce(SimMeter) -> SimMeter) -> (Plant, FeederIndex) {
    let mut plant = Plant::new(3);
    let ct = Ratio::parse("100/5").unwrap();
    let kiln = Feeder::new(MilliVolts(10_000_000), Load::RotaryKiln(RotaryKiln::WET)).running();
    let feeder = plant.add_feeder(kiln);
    plant.add_meter(1, change(meter("sim-panel").with_ct(ct)), feeder);
    let idle = plant.add_feeder(Feeder::new(MilliVolts(10_000_000), Load::Cold));
    plant.add_meter(2, meter("sim-panel").with_ct(ct), idle);
    (plant, feeder)
}

fn value(plant: &Plant, quantity: Quantity) -> i64 {
    reading(plant, 1, "sim-panel").value(quantity).unwrap()
}

#[test]
fn registers_take_new_values_in_beats() {
    let (mut plant, _) = panels(|meter| meter.with_beat_ms(5_000));
    let (mut seldom, _) = panels(|meter| meter.with_beat_ms(5_000));
    let shown =
        |plant: &Plant| [Quantity::Power, Quantity::VoltageL1, Quantity::Import].map(|q| value(plant, q));
    let mut last = shown(&plant);
    for second in 1..60_u64 {
        plant.advance_to(second * 1_000 - 300);
        plant.advance_to(second * 1_000);
        let now = shown(&plant);
        assert_eq!(now != last, second % 5 == 0, "second {second}: {now:?}");
        last = now;
    }
    seldom.advance_to(59_000);
    assert_eq!(shown(&seldom), last);
    assert_ne!(value(&plant, Quantity::Clock), last[0], "clocks run on");
    let (mut prompt, _) = panels(|meter| meter);
    prompt.advance_to(55_000);
    assert_eq!(shown(&prompt), last, "a beat shows what was true then");
}

#[test]
fn a_loss_of_supply_loses_what_was_not_saved_and_is_counted() {
    let (mut plant, _) = panels(|meter| meter.with_saving_every_ms(600_000));
    let (mut steady, _) = panels(|meter| meter);
    plant.advance_to(1_500_000);
    steady.advance_to(1_200_000);
    assert!(value(&plant, Quantity::Import) > value(&steady, Quantity::Import));
    assert!(plant.apply(Change::Darken(1)) && plant.apply(Change::Power(1)));
    assert_eq!(value(&plant, Quantity::Import), value(&steady, Quantity::Import));
    assert_eq!((value(&plant, Quantity::PowerFails), value(&plant, Quantity::UptimeS)), (1_000, 0));
}

#[test]
fn the_highest_demand_is_kept_and_cleared() {
    let (mut plant, feeder) = panels(|meter| meter);
    plant.advance_to(2 * HOUR_MS);
    let kept = value(&plant, Quantity::MaxDemand);
    assert!((kept - 900_000_000).abs() < 10_000_000, "{kept}");
    assert!(plant.apply(Change::StopLoad(feeder)));
    plant.advance_to(3 * HOUR_MS);
    assert_eq!(value(&plant, Quantity::MaxDemand), kept);
    assert!(plant.apply(Change::ClearDemand(1)));
    assert_eq!(value(&plant, Quantity::MaxDemand), 0);
    assert!(plant.apply(Change::StartMelt(feeder)));
    plant.advance_to(31 * 24 * HOUR_MS - 60_000);
    assert!(value(&plant, Quantity::MaxDemand) > 890_000_000);
    plant.advance_to(31 * 24 * HOUR_MS);
    assert_eq!(value(&plant, Quantity::MaxDemand), 0, "a new month on the meter's clock");
}

#[test]
fn a_fake_server_shows_a_textbook_while_the_meter_counts_on() {
    let (mut plant, _) = panels(|meter| meter);
    plant.advance_to(HOUR_MS);
    let (import, clock) = (value(&plant, Quantity::Import), value(&plant, Quantity::Clock));
    assert!(plant.apply(Change::Textbook(1)));
    plant.advance_to(2 * HOUR_MS);
    for (quantity, wanted) in [
        (Quantity::Power, 0),
        (Quantity::CurrentL1, 0),
        (Quantity::VoltageL12, 10_000_000),
        (Quantity::Frequency, 50_000),
        (Quantity::Import, import),
        (Quantity::Clock, clock + 3_600_000),
    ] {
        assert_eq!(value(&plant, quantity), wanted, "{quantity:?}");
    }
    assert!(plant.apply(Change::Thaw(1)));
    assert!(value(&plant, Quantity::Import) > import + 800_000);
}

#[test]
fn recorded_words_come_again() {
    let (mut plant, feeder) = panels(|meter| meter);
    assert!(!plant.apply(Change::Replay(1)), "nothing was recorded");
    assert!(plant.apply(Change::StopLoad(feeder)) && plant.apply(Change::Record(1)));
    let words = |plant: &Plant| plant.read(1, Function::Holding, 0, 48).unwrap();
    let mut recorded = Vec::new();
    for second in 1..=60_u64 {
        recorded.push(words(&plant));
        plant.advance_to(second * 1_000);
    }
    assert!(plant.apply(Change::Replay(1)) && plant.apply(Change::StartMelt(feeder)));
    for second in 61..=240_u64 {
        // One sample more was taken at the end.
        if let Some(wanted) = recorded.get(usize::try_from((second - 61) % 61).unwrap()) {
            assert_eq!(&words(&plant), wanted, "second {second}");
        }
        plant.advance_to(second * 1_000);
    }
    assert!(plant.apply(Change::Thaw(1)));
    assert!(value(&plant, Quantity::Power) > 0);
}

#[test]
fn a_relay_answers_with_another_meters_words() {
    let (mut plant, _) = panels(|meter| meter);
    plant.advance_to(60_000);
    assert!(plant.apply(Change::Relay(1, 2)));
    let words = |plant: &Plant, unit| plant.read(unit, Function::Holding, 0, 48).unwrap();
    assert_eq!(words(&plant, 1), words(&plant, 2));
    assert!(plant.apply(Change::Thaw(1)) && !plant.apply(Change::Relay(1, 9)));
    assert_ne!(words(&plant, 1), words(&plant, 2));
}

#[test]
fn an_exchanged_meter_brings_its_own_registers_and_can_be_put_back() {
    let (mut plant, _) = panels(|meter| meter);
    assert!(!plant.apply(Change::Exchange(1)), "no other lies ready");
    let spare = meter("sim-panel").with_ct(Ratio::parse("100/5").unwrap()).with_import(WattHours(7_000_000));
    plant.add_spare(1, spare);
    plant.advance_to(HOUR_MS);
    let first = value(&plant, Quantity::Import);
    assert!(plant.apply(Change::Exchange(1)));
    assert_eq!((value(&plant, Quantity::Import), value(&plant, Quantity::UptimeS)), (7_000_000, 0));
    plant.advance_to(2 * HOUR_MS);
    assert!(value(&plant, Quantity::Import) > 7_800_000);
    assert!(plant.apply(Change::Exchange(1)));
    assert_eq!(value(&plant, Quantity::Import), first, "in the drawer it counted nothing");
}

#[test]
fn a_register_turned_back_counts_on_from_there() {
    let (mut plant, _) = panels(|meter| meter.with_import(WattHours(5_000_000)));
    plant.advance_to(HOUR_MS);
    let before = value(&plant, Quantity::Import);
    assert!(plant.apply(Change::RollBack(1, WattHours(900_000))));
    assert!((value(&plant, Quantity::Import) - (before - 900_000)).abs() <= 10);
    assert!(plant.apply(Change::RollBack(1, WattHours(90_000_000))));
    assert_eq!(value(&plant, Quantity::Import), 0);
    let clock = value(&plant, Quantity::Clock);
    assert!(plant.apply(Change::ShiftClock(1, -7_200)));
    assert_eq!(value(&plant, Quantity::Clock), clock - 7_200_000);
}

#[test]
fn a_recording_is_played_to_the_last_watt_hour() {
    let row = |at_ms, milliwatts| Row { at_ms, power: MilliWatts(milliwatts), vars: None };
    let rows = vec![row(1_001, 123_456_789), row(2_500, 0), row(90_007, 987_654_321)];
    let exact = 123_456_789 * 1_001 + 987_654_321 * (90_007 - 2_500);
    let mut plant = Plant::new(1);
    let played = Feeder::new(MilliVolts(10_000_000), Load::Trace(Trace::new(rows, false).unwrap()));
    let feeder = plant.add_feeder(played.running());
    for step_ms in [1_000, 7_000, 60_000] {
        let mut plant = plant.clone();
        plant.set_step_ms(step_ms);
        plant.advance_to(200_000);
        assert_eq!(plant.truth(feeder).exact_energy, exact, "steps of {step_ms} ms");
        assert_eq!(plant.equipment(feeder).exact_energy, exact);
    }
}

/// Words of a seed, once written down: whoever makes the plant faster must not make it another.
#[test]
fn the_words_of_a_seed_stay_what_they_were() {
    let class = Class::parse("0.5S");
    let classes = Classes { meter: class, ct: class, pt: class };
    let plan = |id| Plan::of(&profile(id)).unwrap();
    let (panel, acrel) = (plan("sim-panel"), plan("acrel-adl400"));
    let mut digest = 0_u64;
    for step_ms in [1_000, 60_000] {
        let (mut plant, feeder) = panels(|meter| meter.with_classes(classes));
        let furnace = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
        let eaf = plant.add_feeder(
            Feeder::new(MilliVolts(10_000_000), furnace)
                .with_transformer(Transformer::of_rating(9e6))
                .running(),
        );
        plant.add_meter(3, meter("acrel-adl400").with_ct(Ratio::parse("1000/5").unwrap()), eaf);
        plant.set_step_ms(step_ms);
        plant.follow(
            Timeline::new().at(500_500, Change::StopLoad(feeder)).at(700_000, Change::StartMelt(feeder)),
        );
        for second in 1..=1_000_u64 {
            plant.advance_to(second * 1_000);
            for (unit, plan) in [(1, &panel), (2, &panel), (3, &acrel)] {
                for Block { function, at, count } in plan.blocks.iter().copied() {
                    for word in plant.read(unit, function, at, count).unwrap() {
                        digest = digest.rotate_left(5).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(word);
                    }
                }
            }
        }
    }
    assert_eq!(digest, 0x12F3_E296_2045_85BD, "{digest:#x}");
}
