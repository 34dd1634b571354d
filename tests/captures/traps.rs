//! Where maps of real meters have misled others. Each trap is a case that stays closed.

use coldhearth::{
    metering::{
        Function, Plan, Profile, Quantity, Register, Scan,
        decode::{Declared, Problem, Side, decode, probe},
        profile::{Fact, Origin, Parity, Said},
    },
    terms::{Ratio, WattHours},
};

use super::{profile, profiles, push};

fn declared(ct: &str, pt: &str) -> Declared {
    Declared { ct: Ratio::parse(ct), pt: Ratio::parse(pt) }
}

/// Words of two registers, high word first.
fn big(bits: u32) -> [u16; 2] {
    [u16::try_from(bits >> 16).unwrap(), u16::try_from(bits & 0xFFFF).unwrap()]
}

fn little(bits: i32) -> [u16; 2] {
    let [high, low] = big(bits.cast_unsigned());
    [low, high]
}

/// The rows of a profile that lie in these words.
fn values(profile: &Profile, words: &[(Quantity, &[u16])]) -> Scan {
    let mut scan = Scan::default();
    for (quantity, words) in words {
        let cell = profile.row(*quantity).unwrap().cell;
        push(&mut scan, cell.function, cell.at, words);
    }
    scan
}

fn value(profile: &Profile, quantity: Quantity, words: &[u16]) -> Option<i64> {
    let direct = declared("1/1", "1/1");
    let scan = values(profile, &[(quantity, words)]);
    probe(profile, direct, Origin::FIXED, &scan)
        .iter()
        .find(|shown| shown.quantity == quantity)
        .unwrap()
        .value
}

fn counter(profile: &Profile, quantity: Quantity, words: &[u16]) -> Register {
    let mut scan = values(profile, &[(quantity, words)]);
    for block in profile.ratio_blocks() {
        push(&mut scan, block.function, block.at, &vec![1; usize::from(block.count)]);
    }
    *decode(profile, Declared::default(), Origin::FIXED, &scan).unwrap().registers.get(quantity).unwrap()
}

#[test]
fn the_two_register_sets_of_the_adl400_tell_the_same_only_when_each_is_read_for_its_side() {
    let (secondary, primary) = (profile("acrel-adl400"), profile("acrel-adl400-primary"));
    let mut scan = values(
        &secondary,
        &[(Quantity::CurrentL1, &[160]), (Quantity::Power, &big(250)), (Quantity::Import, &big(12_326))],
    );
    push(&mut scan, Function::Holding, 141, &[100, 600]);
    let low = decode(&secondary, Declared::default(), Origin::FIXED, &scan).unwrap();
    // The same moment in the block of primary floats: 960 A, 15 000 kW, 7 395 600 kWh.
    let mut scan = values(
        &primary,
        &[
            (Quantity::CurrentL1, &big(960.0_f32.to_bits())),
            (Quantity::Power, &big(15_000.0_f32.to_bits())),
            (Quantity::Import, &big(73_956_000)),
        ],
    );
    push(&mut scan, Function::Holding, 141, &[100, 600]);
    let high = decode(&primary, declared("600/1", "100/1"), Origin::FIXED, &scan).unwrap();
    for quantity in [Quantity::CurrentL1, Quantity::Power, Quantity::Import] {
        assert_eq!(low.values[quantity.index()], high.values[quantity.index()], "{quantity:?}");
    }
    assert_eq!(low.import.unwrap().energy, WattHours(7_395_600_000));
}

#[test]
fn the_adl3000_has_another_frequency_and_another_power_where_the_adl400_has_its_own() {
    let (small, large) = (profile("acrel-adl3000"), profile("acrel-adl400"));
    let cell = |profile: &Profile| profile.row(Quantity::Frequency).unwrap().cell.at;
    assert_eq!(cell(&small), cell(&large));
    assert_eq!(value(&small, Quantity::Frequency, &[500]), Some(50_000));
    assert_eq!(value(&large, Quantity::Frequency, &[5_000]), Some(50_000));
    assert_eq!(value(&small, Quantity::Frequency, &[5_000]), None, "500 Hz is nothing");
    assert_eq!(value(&large, Quantity::Frequency, &[500]), None, "5 Hz is nothing");
    assert_eq!(
        (small.row(Quantity::Power).unwrap().cell.at, large.row(Quantity::Power).unwrap().cell.at),
        (0x6A, 0x16A)
    );
    // The source of the map says thousandths of an ampere; its own frame has S = V x I only with hundredths.
    assert_eq!(value(&small, Quantity::CurrentL1, &[500]), Some(5_000));
}

#[test]
fn the_floats_of_the_dtsu666_hide_decimals_and_its_sibling_looks_the_other_way() {
    let map = profile("chint-dtsu666");
    let single = |value: f32| big(value.to_bits());
    assert_eq!(value(&map, Quantity::VoltageL1, &single(2_301.0)), Some(230_100));
    assert_eq!(value(&map, Quantity::CurrentL1, &single(4_250.0)), Some(4_250));
    assert_eq!(value(&map, Quantity::Power, &single(9_775.0)), Some(977_500));
    assert_eq!(value(&map, Quantity::Frequency, &single(5_001.0)), Some(50_010));
    assert_eq!(value(&map, Quantity::Pf, &single(987.0)), Some(987));
    assert_eq!(map.row(Quantity::Import).unwrap().cell.at, 0x101E);
    let sibling = profile("chint-dtsu666-h");
    assert_eq!(value(&sibling, Quantity::Power, &single(1_500.0)), Some(-1_500_000));
}

#[test]
fn abb_b23_and_ev3_count_a_hundred_times_apart_and_the_type_string_tells_them_apart() {
    let (b23, ev3) = (profile("abb-b23-b24"), profile("abb-ev3"));
    let words = [0, 0, 0x0012, 0xD687];
    let (b, e) = (counter(&b23, Quantity::Import, &words), counter(&ev3, Quantity::Import, &words));
    assert_eq!((b.energy, b.step), (WattHours(12_345_670), WattHours(10)));
    assert_eq!((e.energy, e.step), (WattHours(123_457), WattHours(1)));
    let [test] = b23.identify.as_slice() else { panic!("one test") };
    assert_eq!((test.spot.at, test.spot.shape.words()), (0x8960, 2));
    assert!(test.holds(&[0x4232, 0x3320]) && !test.holds(&[0x4556, 0x3320]), "B23, EV3");
}

#[test]
fn schneider_tables_count_from_one_and_wires_from_zero() {
    let map = profile("schneider-iem3000");
    assert_eq!(map.row(Quantity::CurrentL1).unwrap().cell.at, 2_999);
    for id in ["schneider-iem3000", "schneider-pm5000"] {
        let map = profile(id);
        let at = |fact| map.about(fact).map(|about| about.spot.at);
        assert_eq!((at(Fact::Model), at(Fact::Serial)), (Some(49), Some(129)));
        assert_eq!(value(&map, Quantity::Import, &[0x8000, 0, 0, 0]), None);
        assert_eq!(value(&map, Quantity::VoltageL1, &[0xFFC0, 0]), None);
    }
    assert_eq!(profile("schneider-pm5000").about(Fact::Maker).unwrap().spot.at, 69);
}

#[test]
fn carlo_gavazzi_sends_the_low_word_first_and_its_two_em24_are_two_maps() {
    let (ethernet, serial) = (profile("carlo-gavazzi-em24-eth"), profile("carlo-gavazzi-em24-rs485"));
    let at = |profile: &Profile, quantity| profile.row(quantity).unwrap().cell.at;
    assert_ne!(at(&ethernet, Quantity::Import), at(&serial, Quantity::Import));
    // An owner's -1.335 A, of which a reader of single registers saw 64201.
    for id in
        ["carlo-gavazzi-em340", "carlo-gavazzi-em24-eth", "carlo-gavazzi-em24-rs485", "carlo-gavazzi-em530"]
    {
        let words = little(-1_335);
        assert_eq!(words[0], 64_201);
        assert_eq!(value(&profile(id), Quantity::CurrentL1, &words), Some(-1_335), "{id}");
    }
    let [test] = ethernet.identify.as_slice() else { panic!("one test") };
    assert!(test.spot.at == 0x0B && test.holds(&[1_650]) && !test.holds(&[1_647]));
    let application = ethernet.about(Fact::Application).unwrap();
    assert_eq!((application.spot.at, &application.expect), (0xA000, &Some(Said::Number(7))));
}

#[test]
fn zeros_prove_nobody_to_be_anybody() {
    // Eastron answers registers it does not have with zeros.
    for profile in profiles() {
        for test in &profile.identify {
            let zeros = vec![0; usize::from(test.spot.shape.words())];
            assert!(!test.holds(&zeros), "{}: {test:?}", profile.id);
        }
    }
    let eastron = profile("eastron-sdm630");
    assert!(eastron.identify.is_empty(), "nothing is known that it alone would answer");
}

#[test]
fn no_plan_asks_for_more_than_a_meter_answers() {
    for (id, most) in [
        ("phoenix-eem-350", 11),
        ("carlo-gavazzi-em24-rs485", 11),
        ("chint-dtsu666", 16),
        ("acrel-adl400", 34),
        ("eastron-sdm630", 80),
    ] {
        let profile = profile(id);
        assert_eq!(profile.max_regs, most, "{id}");
        let plan = Plan::of(&profile).unwrap();
        assert!(plan.blocks.iter().all(|block| block.count <= most), "{id}: {plan:?}");
    }
    for id in ["janitza-umg806", "siemens-pac1600"] {
        assert_eq!(profile(id).max_gap, 0, "{id} refuses to be read across holes");
    }
}

#[test]
fn meters_that_talk_even_parity_alone_say_so() {
    for id in ["orno-we514-515-517", "abb-b23-b24", "abb-ev3"] {
        assert_eq!(profile(id).parity, Some(Parity::Even), "{id}");
    }
}

#[test]
fn what_no_source_agrees_on_is_left_out() {
    assert!(profile("siemens-pac2200").row(Quantity::Frequency).is_none());
    let ids: Vec<String> = profiles().iter().map(|profile| profile.id.to_string()).collect();
    assert!(ids.iter().all(|id| !id.contains("pac3200") && !id.contains("dlt645")), "drafts do not ship");
}

#[test]
fn every_maker_marks_a_missing_value_his_own_way() {
    let abb = profile("abb-b23-b24");
    assert_eq!(value(&abb, Quantity::VoltageL1, &[0xFFFF, 0xFFFF]), None);
    assert_eq!(value(&abb, Quantity::Power, &[0x7FFF, 0xFFFF]), None);
    assert_eq!(value(&abb, Quantity::Pf, &[0x7FFF]), None);
    assert_eq!(value(&abb, Quantity::Import, &[0xFFFF; 4]), None);
    assert_eq!(value(&abb, Quantity::VoltageL1, &[0, 0]), Some(0), "zero is zero");
    // SunSpec: the value, its scale factor, and an accumulator that never counted.
    let sunspec = profile("sunspec-203");
    let of = |quantity, words: &[u16], power: u16| {
        let row = sunspec.row(quantity).unwrap().cell;
        let mut scan = Scan::default();
        push(&mut scan, row.function, row.at + 40_070, words);
        push(&mut scan, row.function, row.pow10.unwrap() + 40_070, &[power]);
        let shown = probe(&sunspec, Declared::default(), Origin(40_070), &scan);
        let shown = shown.iter().find(|shown| shown.quantity == quantity).unwrap();
        (shown.value, shown.problem)
    };
    let minus = |power: i16| power.cast_unsigned();
    assert_eq!(of(Quantity::Power, &[1_234], 1), (Some(12_340_000), None));
    assert_eq!(of(Quantity::VoltageL1, &[2_301], minus(-1)), (Some(230_100), None));
    assert_eq!(of(Quantity::Power, &[0x8000], 1), (None, Some(Problem::Absent)));
    assert_eq!(of(Quantity::Power, &[1_234], 0x8000), (None, Some(Problem::ScaleUnknown)));
    assert_eq!(of(Quantity::Power, &[1_234], 11), (None, Some(Problem::ScaleUnknown)));
    assert_eq!(of(Quantity::Power, &[1_234], minus(-11)), (None, Some(Problem::ScaleUnknown)));
    assert_eq!(of(Quantity::Import, &[0, 0], 0), (None, Some(Problem::Absent)));
    assert_eq!(of(Quantity::Import, &[0xFFFF, 0xFFFF], 0), (None, Some(Problem::Absent)));
    // Undeclared, but no meter can show it: 6 553.5 V x 1 000 as a voltage transformer would make of it is one thing,
    // a frequency of 655 Hz another.
    assert_eq!(value(&profile("acrel-adl400"), Quantity::Frequency, &[0xFFFF]), None);
}

#[test]
fn a_counter_has_a_width_and_a_step_at_its_present_value() {
    // u32 of 0.01 kWh wraps at 42 949 672.96 kWh, times the ratios where it counts on the meter's side.
    let adl400 = profile("acrel-adl400");
    let mut scan = values(&adl400, &[(Quantity::Export, &[0xFFFF, 0xFFFF])]);
    push(&mut scan, Function::Holding, 141, &[100, 600]);
    let decoded = decode(&adl400, Declared::default(), Origin::FIXED, &scan).unwrap();
    let export = decoded.registers.get(Quantity::Export).unwrap();
    assert_eq!(export.modulus, Some(WattHours(42_949_672_960 * 60_000)));
    assert_eq!(export.energy.0 + export.step.0, 42_949_672_960 * 60_000);
    assert_eq!((export.raw, export.raw_words, export.step), (0xFFFF_FFFF, 2, WattHours(600_000)));
    assert_eq!(decoded.import, None, "another counter does not stand in for the import register");
    // i32 of 0.1 kWh ends at 214 748 364.7 kWh.
    let em340 = counter(&profile("carlo-gavazzi-em340"), Quantity::Import, &little(i32::MAX));
    assert_eq!((em340.energy, em340.modulus), (WattHours(214_748_364_700), Some(WattHours(214_748_364_800))));
    // u32 of 0.001 kWh.
    let pac1600 = counter(&profile("siemens-pac1600"), Quantity::Import, &big(7));
    assert_eq!(pac1600.modulus, Some(WattHours(1 << 32)));
    // Floats of kilowatt-hours: 1/64 kWh above 131 MWh, 1/8 above 1.05 GWh, 2 kWh above 16.8 GWh.
    let eastron = profile("eastron-sdm630");
    for (kwh, step) in [(100.0_f32, 1), (131_073.0, 16), (1_050_000.0, 125), (16_777_218.0, 2_000)] {
        let import = counter(&eastron, Quantity::Import, &big(kwh.to_bits()));
        assert_eq!((import.step, import.modulus), (WattHours(step), None), "{kwh}");
    }
    // Floats of watt-hours: one up to 16.8 MWh, 64 at 1 GWh.
    let janitza = counter(&profile("janitza-19000"), Quantity::ImportL2, &big(1e9_f32.to_bits()));
    assert_eq!((janitza.energy, janitza.step), (WattHours(1_000_000_000), WattHours(64)));
}

#[test]
fn a_map_on_the_meters_side_multiplies_by_what_stands_in_the_way() {
    // The ADW300 has no ratio registers: its ratio must be declared.
    let adw300 = profile("acrel-adw300");
    assert!(adw300.needs_ct() && adw300.needs_pt() && adw300.ratio_blocks().next().is_none());
    let scan = values(
        &adw300,
        &[
            (Quantity::VoltageL1, &[577]),
            (Quantity::CurrentL1, &[250]),
            (Quantity::Power, &big(100)),
            (Quantity::Import, &big(100)),
        ],
    );
    let read = |declared| {
        let shown = probe(&adw300, declared, Origin::FIXED, &scan);
        move |quantity| {
            let shown = shown.iter().find(|shown| shown.quantity == quantity).unwrap();
            (shown.value, shown.side, shown.problem)
        }
    };
    let known = read(declared("600/5", "10000/100"));
    assert_eq!(known(Quantity::VoltageL1), (Some(5_770_000), Side::Primary, None));
    assert_eq!(known(Quantity::CurrentL1), (Some(300_000), Side::Primary, None));
    assert_eq!(known(Quantity::Power), (Some(1_200_000_000), Side::Primary, None));
    assert_eq!(known(Quantity::Import), (Some(12_000_000), Side::Primary, None));
    let half = read(Declared { pt: None, ..declared("600/5", "1/1") });
    assert_eq!(half(Quantity::CurrentL1), (Some(300_000), Side::Primary, None));
    assert_eq!(half(Quantity::VoltageL1), (Some(57_700), Side::Secondary, Some(Problem::RatioUnknown)));
    assert_eq!(half(Quantity::Power), (Some(100_000), Side::Secondary, Some(Problem::RatioUnknown)));
    assert_eq!(half(Quantity::Export).0, None, "not read");
    assert!(decode(&adw300, Declared::default(), Origin::FIXED, &scan).is_err(), "the agent yields nothing");
}
