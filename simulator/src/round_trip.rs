//! Every meter map there is, written by the simulator's encoder and read by the program's decoder.

use std::{path::Path, sync::Arc};

use coldhearth::{
    metering::{
        Ask, Inquiry, Plan, Profile, Quantity, Reading, Scan,
        decode::{Declared, applied, decode_with, told},
        identity::Route,
        profile::{Fact, Kind, Origin},
        reading::requests,
    },
    terms::{ClockQuality, Decimal, MeterId, MilliAmps, MilliVolts, MilliWatts, Ratio, Stamp, WattHours},
};

use crate::{
    chain,
    change::Change,
    feeder::Feeder,
    frame::Said,
    layout::effective,
    load::{Load, SubmergedArcFurnace},
    meter::SimMeter,
    plant::Plant,
    rounding::real,
    site::FeederIndex,
};

const UNIT: u8 = 1;

/// A profile of `config/meters` or of the simulator, by its name.
pub(crate) fn profile(id: &str) -> Arc<Profile> {
    profiles().into_iter().find(|profile| profile.id.as_str() == id).unwrap()
}

/// A meter of a profile, by its name.
pub(crate) fn meter(id: &str) -> SimMeter {
    SimMeter::new(&profile(id))
}

/// One poll of a unit, decoded.
pub(crate) fn reading(plant: &Plant, unit: u8, id: &str) -> Reading {
    read(plant, unit, &profile(id), Declared::default())
}

fn profiles() -> Vec<Arc<Profile>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [home.join("../config/meters"), home.join("meters")];
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
        .iter()
        .map(|file| parsed(&file.display().to_string(), &std::fs::read_to_string(file).unwrap()))
        .collect()
}

fn parsed(name: &str, text: &str) -> Arc<Profile> {
    Arc::new(Profile::parse(name, text).unwrap_or_else(|flaws| panic!("{flaws:#?}")))
}

fn read(plant: &Plant, unit: u8, profile: &Profile, declared: Declared) -> Reading {
    let origin = Origin(chain::origin(profile));
    let mut scan = Scan::default();
    for block in Plan::of(profile).unwrap().blocks {
        let block = origin.block(block).unwrap();
        let words = plant.read(unit, block.function, block.at, block.count).unwrap();
        assert!(scan.push(block, &words));
    }
    let ratios = applied(profile, declared, told(profile, &scan)).unwrap();
    let decoded = decode_with(profile, ratios, origin, &scan);
    Reading {
        meter: MeterId::new("m1").unwrap(),
        at: Stamp { wall_unix_ms: 0, uptime_ms: 0, boot: 1, clock: ClockQuality::Unset, error_ms: 0 },
        took_ms: 0,
        values: decoded.values,
        registers: decoded.registers,
        import: decoded.import,
        requests: requests(profile, origin, &scan),
        ratios,
        scan,
    }
}

/// A furnace behind 600/5 A and 10000/100 V, an hour after it was started.
fn furnace(meter: SimMeter) -> (Plant, FeederIndex) {
    let mut plant = Plant::new(8);
    let load = Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY);
    let feeder = plant.add_feeder(Feeder::new(MilliVolts(10_000_000), load).running());
    plant.add_meter(UNIT, meter.with_ct(CT).with_pt(PT), feeder);
    plant.advance_to(3_600_000);
    (plant, feeder)
}

/// Energy from before the plant's time: below the width of a register of watt-hours in 32 bits.
const OLD_LIFE: WattHours = WattHours(1_654_321_987);
const CT: Ratio = Ratio::new(600, 5).unwrap();
const PT: Ratio = Ratio::new(10_000, 100).unwrap();

/// What the decoder should find, in thousandths, and how far off the register's resolution lets it be.
fn expected(plant: &Plant, profile: &Profile, quantity: Quantity) -> (f64, f64) {
    let row = profile.row(quantity).unwrap();
    let held = plant.held(UNIT, quantity).unwrap() * 1_000.0;
    let ratio = |applies: bool, ratio: Ratio| {
        if applies { f64::from(ratio.primary()) / f64::from(ratio.secondary()) } else { 1.0 }
    };
    let ratio = ratio(row.times.ct, CT) * ratio(row.times.pt, PT);
    let Decimal { mantissa, exponent } = effective(&row.cell, quantity).scale;
    let step = match row.cell.kind {
        Kind::F32 => held.abs() / ratio * 1.2e-7,
        Kind::F64 => 0.0,
        Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64 => {
            real(mantissa).abs() * 10_f64.powi(i32::from(exponent)) * 1_000.0
        }
    };
    // A register cuts its step off, a measured value is rounded; the decoder rounds to thousandths before the ratio.
    (held, (if quantity.is_register() { step } else { step / 2.0 } + 0.501) * ratio + 0.5)
}

fn check(profile: &Arc<Profile>) {
    let (mut plant, feeder) = furnace(SimMeter::new(profile).with_import(OLD_LIFE));
    if profile.row(Quantity::Power).is_some_and(|row| row.cell.kind == Kind::I16 && row.cell.pow10.is_none())
    {
        // A small meter of whole watts: it shows at most 32 kW.
        assert!(plant.force_power(feeder, MilliWatts::from_watts(25_000)));
    }
    let declared = Declared { ct: Some(CT), pt: Some(PT) };
    let read = read(&plant, UNIT, profile, declared);
    for row in &profile.rows {
        let means_absent = plant.held(UNIT, row.quantity) == Some(0.0)
            && row.cell.absent.words.into_iter().flatten().any(|word| word == 0);
        if means_absent {
            assert_eq!(read.value(row.quantity), None, "{} {:?}", profile.id, row.quantity);
            continue;
        }
        let found =
            real(read.value(row.quantity).unwrap_or_else(|| panic!("{} {:?}", profile.id, row.quantity)));
        let (wanted, off) = expected(&plant, profile, row.quantity);
        assert!(
            (found - wanted).abs() <= off,
            "{} {:?}: {found} is not {wanted} within {off}",
            profile.id,
            row.quantity
        );
    }
    // Once more against the truth, which knows no meter: noise and resolution are far below one per cent.
    let near =
        |found: i64, wanted: f64| assert!((real(found) / wanted - 1.0).abs() < 0.01, "{found} {wanted}");
    let truth = plant.truth(feeder);
    near(read.power().unwrap().0, real(truth.power.0));
    if let [Some(volts), ..] = read.line_voltages() {
        near(volts.0, 10_000_000.0);
    }
    if let ([Some(i1), Some(i2), Some(i3)], [Some(u1), Some(u2), Some(u3)]) =
        (read.currents(), read.line_voltages())
    {
        let legs = [(i1, u1), (i2, u2), (i3, u3)];
        let volt_amps: f64 = legs.iter().map(|(i, u)| real(i.0) * real(u.0) / 1e6 / 3_f64.sqrt()).sum();
        let power_factor = real(truth.power.0) / 1_000.0 / volt_amps;
        assert!((0.74..0.91).contains(&power_factor), "{}: {power_factor}", profile.id);
    }
    let counts = profile.row(Quantity::Import).or(profile.row(Quantity::Energy)).is_some();
    assert_eq!(read.import.is_some(), counts, "{}", profile.id);
    if let Some(import) = read.import {
        near(import.energy.0, real(truth.energy.0 + OLD_LIFE.0));
    }
}

#[test]
fn every_shipped_profile_reads_what_the_simulator_wrote() {
    let profiles = profiles();
    assert!(profiles.len() >= 48, "config/meters and simulator/meters were found");
    profiles.iter().for_each(check);
}

#[test]
fn every_type_and_word_order_reads_what_the_simulator_wrote() {
    for kind in ["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"] {
        for (order, fc, over) in [("big", 3, ""), ("little", 4, ", over = { at = 101 }")] {
            let energy = if kind.ends_with("16") { "1000" } else { "0.1" };
            let power = if kind.ends_with("16") { "100" } else { "1" };
            let text = format!(
                "id = \"synthetic\"\nvendor = \"none\"\nmodels = [\"none\"]\nvalues = \"secondary\"\n\
                 tested = \"simulated\"\ntested_how = \"not a real meter\"\n[link]\nmax_regs = 40\n\
                 [ratio]\nct = {{ at = 100, type = \"u16\"{over} }}\npt = {{ at = 110, type = \"u16\"{over_pt} }}\n\
                 [defaults]\nfc = {fc}\ntype = \"{kind}\"\norder = \"{order}\"\nabsent = \"max\"\n[measure]\n\
                 voltage_l12 = {{ at = 0, scale = 0.01, times = \"pt\" }}\n\
                 current_l1 = {{ at = 4, scale = 0.001, times = \"ct\" }}\n\
                 current_l2 = {{ at = 8, scale = 0.001, times = \"ct\" }}\n\
                 current_l3 = {{ at = 12, scale = 0.001, times = \"ct\" }}\n\
                 power = {{ at = 16, scale = {power}, times = \"ct*pt\" }}\n\
                 import = {{ at = 20, scale = {energy}, times = \"ct*pt\" }}\n\
                 pf = {{ at = 30, scale = 0.001 }}\nfrequency = {{ at = 34, scale = 0.01 }}\n\
                 run_hours = {{ at = 60, scale = 0.1 }}\nuptime_s = {{ at = 64 }}\n",
                over = over.replace("101 }", "101, type = \"u16\" }"),
                over_pt = over.replace("101 }", "111, type = \"u16\" }"),
            );
            let profile = parsed(&format!("{kind} {order}"), &text);
            let (plant, _) = furnace(SimMeter::new(&profile).with_import(WattHours(7_654_321_987)));
            let read = read(&plant, UNIT, &profile, Declared { ct: Some(CT), pt: Some(PT) });
            for row in &profile.rows {
                let found = real(read.value(row.quantity).unwrap());
                let (wanted, off) = expected(&plant, &profile, row.quantity);
                assert!(
                    (found - wanted).abs() <= off,
                    "{kind} {order} {:?}: {found} {wanted} {off}",
                    row.quantity
                );
            }
        }
    }
}

#[test]
fn an_absent_value_is_absent_on_the_other_side() {
    let text = include_str!("../meters/sim-cutoff.toml")
        .replace("type = \"f32\"", "type = \"i32\"\nabsent = \"sunspec\"");
    let whole = parsed("whole.toml", &text);
    for profile in [profile("sim-cutoff"), whole] {
        let (mut plant, _) = furnace(SimMeter::new(&profile));
        for quantity in [Quantity::VoltageL1, Quantity::Power, Quantity::Import] {
            let value = |plant: &Plant| read(plant, UNIT, &profile, Declared::default()).value(quantity);
            assert!(value(&plant).is_some());
            assert!(plant.apply(Change::Absent(UNIT, quantity)));
            assert_eq!(value(&plant), None);
            assert!(plant.apply(Change::Present(UNIT, quantity)));
            assert!(value(&plant).is_some());
        }
    }
}

#[test]
fn a_forced_power_is_read_exactly_and_counted_exactly() {
    let profile = profile("sim-cutoff");
    let (mut plant, feeder) = furnace(SimMeter::new(&profile));
    let before = plant.truth(feeder).exact_energy;
    assert!(plant.force_power(feeder, MilliWatts::from_watts(3_000_000)));
    plant.advance_to(3_600_000 + 1_234_567);
    assert_eq!(plant.truth(feeder).exact_energy - before, 3_000_000_000 * 1_234_567);
    let read = read(&plant, UNIT, &profile, Declared::default());
    assert_eq!(read.value(Quantity::Power), Some(3_000_000_000));
    let truth = plant.truth(feeder).energy.0;
    assert!((read.import.unwrap().energy.0 - truth).abs() <= read.import.unwrap().step.0 + 1);
}

#[test]
fn a_meter_is_blind_below_its_starting_current() {
    let profile = profile("sim-cutoff");
    let (mut plant, feeder) = furnace(SimMeter::new(&profile));
    // 0.2 % of 600 A at 10 kV and PF 0.9 is 18.7 kW.
    let import = |plant: &Plant| read(plant, UNIT, &profile, Declared::default()).import.unwrap().energy;
    let start = import(&plant);
    for (watts, is_seen) in [(18_000, false), (19_500, true)] {
        assert!(plant.force_power(feeder, MilliWatts::from_watts(watts)));
        let seen = read(&plant, UNIT, &profile, Declared::default()).value(Quantity::Power).unwrap();
        assert_eq!(seen > 0, is_seen, "{watts} W");
        plant.advance_to(plant.now_ms() + 3_600_000);
        assert_eq!(import(&plant) > start, is_seen, "{watts} W");
    }
    plant.add_meter(UNIT, SimMeter::new(&profile).with_starting_current(MilliAmps(10)), feeder);
    assert!(plant.force_power(feeder, MilliWatts::from_watts(1_000)));
    assert_eq!(read(&plant, UNIT, &profile, Declared::default()).value(Quantity::Power), Some(1_000_000));
}

#[test]
fn a_counter_starts_again_at_its_width_or_where_it_was_told() {
    let profile = profile("acrel-adl400");
    let declared = Declared { ct: Some(CT), pt: Some(PT) };
    let steps_wh = 10 * 120 * 100;
    for (meter, width) in [
        (SimMeter::new(&profile), 1_i64 << 32),
        (SimMeter::new(&profile).with_wrap_at(100_000_000), 100_000_000),
    ] {
        let (mut plant, feeder) = furnace(meter.with_import(WattHours(width * steps_wh - 1_000_000_000)));
        assert!(plant.force_power(feeder, MilliWatts::from_watts(10_000_000)));
        let mut last = 0;
        let mut rolled = 0;
        while plant.now_ms() < 110 * 3_600_000 {
            plant.advance_to(plant.now_ms() + 3_600_000);
            let import = read(&plant, UNIT, &profile, declared).import.unwrap().energy.0;
            rolled += i32::from(import < last);
            last = import;
        }
        assert_eq!(rolled, 1);
        let truth = plant.truth(feeder).energy.0 - 1_000_000_000;
        assert!((last - truth).abs() <= steps_wh, "{last} {truth}");
    }
}

#[test]
fn an_edited_ratio_rules_from_then_on_and_changes_nothing_already_counted() {
    let profile = profile("sim-cutoff");
    let (mut plant, feeder) = furnace(SimMeter::new(&profile).with_noise_ppm(0));
    assert!(plant.force_power(feeder, MilliWatts::from_watts(6_000_000)));
    let value =
        |plant: &Plant, quantity| read(plant, UNIT, &profile, Declared::default()).value(quantity).unwrap();
    let before = value(&plant, Quantity::Import);
    assert!(plant.apply(Change::CtRatio(UNIT, Ratio::new(30, 5).unwrap())));
    assert_eq!(value(&plant, Quantity::Import), before);
    assert_eq!(value(&plant, Quantity::Power), 300_000_000);
    plant.advance_to(plant.now_ms() + 3_600_000);
    assert!((value(&plant, Quantity::Import) - before - 300_000).abs() <= 2);
    assert!(plant.apply(Change::CtRatio(UNIT, CT)) && plant.apply(Change::Gain(UNIT, 50_000)));
    assert_eq!(value(&plant, Quantity::Power), 300_000_000);
    assert!(plant.apply(Change::ResetRegisters(UNIT)));
    assert_eq!(value(&plant, Quantity::Import), 0);
}

#[test]
fn a_meter_that_was_dark_starts_its_uptime_anew_and_has_counted_nothing() {
    let text = include_str!("../meters/sim-cutoff.toml")
        .replace("run_hours =", "uptime_s = { at = 40 }\nrun_hours =");
    let profile = parsed("uptime.toml", &text);
    let (mut plant, _) = furnace(SimMeter::new(&profile));
    let value =
        |plant: &Plant, quantity| read(plant, UNIT, &profile, Declared::default()).value(quantity).unwrap();
    assert_eq!(value(&plant, Quantity::UptimeS), 3_600_000);
    let import = value(&plant, Quantity::Import);
    assert!(plant.apply(Change::Darken(UNIT)));
    plant.advance_to(2 * 3_600_000);
    assert!(plant.apply(Change::Power(UNIT)));
    assert_eq!((value(&plant, Quantity::UptimeS), value(&plant, Quantity::Import)), (0, import));
    plant.advance_to(2 * 3_600_000 + 60_000);
    assert!(plant.apply(Change::Power(UNIT)), "power where there is power changes nothing");
    assert_eq!(value(&plant, Quantity::UptimeS), 60_000);
    assert_eq!(value(&plant, Quantity::RunHours), 1_001_017, "an hour and a minute, not two hours");
}

#[test]
fn imported_energy_of_an_older_life_lies_a_third_on_each_phase() {
    let profile = profile("eastron-sdm630");
    let mut plant = Plant::new(1);
    let feeder = plant.add_feeder(Feeder::new(MilliVolts(400_000), Load::Cold));
    plant.add_meter(UNIT, SimMeter::new(&profile).with_import(WattHours(900_000)), feeder);
    let read = read(&plant, UNIT, &profile, Declared::default());
    let thirds = [Quantity::ImportL1, Quantity::ImportL2, Quantity::ImportL3].map(|q| read.value(q));
    assert_eq!(thirds, [Some(300_000); 3]);
    assert_eq!((read.value(Quantity::Import), read.value(Quantity::Export)), (Some(900_000), Some(0)));
}

/// What the program's own questions to a unit bring to light.
fn inquire(plant: &Plant, profile: &Arc<Profile>) -> Inquiry {
    let mut inquiry = Inquiry::new(Some(profile.clone()));
    inquiry.begin(Route::ALL);
    while let Some(question) = inquiry.question() {
        let said = plant.answer(&Ask { unit: UNIT, question, deadline_ms: 0, gap_ms: 0 });
        inquiry.on_answer(said.as_ref().map(Said::as_reply).map_err(|fault| *fault));
    }
    inquiry
}

#[test]
fn every_meter_tells_who_it_is_where_its_map_says_and_by_functions_43_and_17() {
    let mut serials = 0;
    for profile in profiles() {
        let name = profile.id;
        let (mut plant, _) = furnace(SimMeter::new(&profile));
        let before = inquire(&plant, &profile);
        assert!(before.origin().is_ok(), "{name} is held for another model");
        assert!(before.identity().maker.is_some() && before.identity().model.is_some(), "{name}");
        assert!(before.identity().firmware.is_some(), "{name}");
        assert!(
            !before.identity().silent.has(Route::DeviceId) && !before.identity().silent.has(Route::ServerId)
        );
        if profile.needs_ct() && profile.ct.is_some() {
            assert_eq!(before.told().ct, Some(CT.reduced()), "{name}");
        }
        assert_eq!(
            inquire(&plant, &profile).identity().fingerprint(),
            before.identity().fingerprint(),
            "{name}"
        );
        for (change, edits) in [
            (
                Change::Serial(UNIT, "99".to_owned()),
                profile.about(Fact::Serial).is_some() || profile.chain.is_some(),
            ),
            (Change::Firmware(UNIT, "2.17".to_owned()), true),
            (Change::Setting(UNIT, Fact::Network, 1), profile.about(Fact::Network).is_some()),
            (Change::CtRatio(UNIT, Ratio::new(30, 1).unwrap()), profile.ct.is_some()),
        ] {
            let before = inquire(&plant, &profile).identity().fingerprint();
            assert!(plant.apply(change.clone()));
            let after = inquire(&plant, &profile).identity().fingerprint();
            assert_eq!(before != after, edits, "{name}: {change:?}");
            serials += usize::from(edits);
        }
    }
    assert!(serials > 40, "{serials}");
}
