//! Who the meter is and what its register did; papers, undoing, resets, restarts.

use super::*;

fn who(serial: &str, firmware: &str, ct: u32) -> Identity {
    let label = |text: &str| Label::new(text.as_bytes());
    Identity {
        model: label("UMG 96"),
        serial: label(serial),
        firmware: label(firmware),
        ct: Ratio::new(ct, 5),
        pt: Ratio::new(10_000, 100),
        wiring: label("4W"),
        ..Identity::default()
    }
}

#[test]
fn another_serial_firmware_wiring_or_ratio_is_strong_at_once() {
    let rewired = Identity { wiring: Label::new(b"3W"), ..who("7", "1.4", 800) };
    let cases = [
        (who("8", "1.4", 800), Sign::SerialChanged),
        (who("7", "1.5", 800), Sign::FirmwareChanged),
        (rewired, Sign::WiringChanged),
        (who("7", "1.4", 400), Sign::RatioChanged),
    ];
    for (edited, sign) in cases {
        let mut bench = Bench::new(Wiring::FourWire);
        bench.identity(&who("7", "1.4", 800)).identity(&who("7", "1.4", 800));
        assert!(bench.is_clean());
        bench.identity(&edited);
        assert_eq!(bench.turns(), [(sign, Turn::Begins)]);
        assert_eq!(bench.signs.strongest(), Some(sign));
        // Neither time nor readings take it back; undoing the edit does, and both are told.
        bench.polls(100_000, idle());
        assert!(bench.stands(sign));
        bench.identity(&who("7", "1.4", 800));
        assert_eq!(bench.turns(), [(sign, Turn::Begins), (sign, Turn::Undone)]);
    }
}

#[test]
fn what_a_meter_does_not_tell_this_time_is_no_edit() {
    let mut bench = Bench::new(Wiring::FourWire);
    let silent = Identity { firmware: None, ct: None, serial: None, ..who("7", "1.4", 800) };
    bench.identity(&silent).identity(&who("7", "1.4", 800)).identity(&silent).identity(&who("7", "1.4", 800));
    assert!(bench.is_clean());
    bench.identity(&who("9", "1.4", 800));
    assert!(bench.stands(Sign::SerialChanged), "what was told once is known");
}

#[test]
fn a_ratio_toggled_by_night_is_seen_at_the_first_poll_and_its_undoing_too() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(10, idle()).miss(Fault::RatioDiffers);
    assert_eq!(bench.turns(), [(Sign::RatioChanged, Turn::Begins)]);
    for _ in 0..1_000 {
        bench.miss(Fault::RatioDiffers);
    }
    bench.polls(1, idle());
    assert_eq!(bench.turns(), [(Sign::RatioChanged, Turn::Begins), (Sign::RatioChanged, Turn::Undone)]);
    // Where nothing was declared, the ratio that multiplied is what is compared.
    let mut undeclared = Bench::new(Wiring::FourWire);
    let ratio = |reading: &mut Reading, primary| reading.ratios.ct = Ratio::new(primary, 5).unwrap();
    undeclared.altered(10, idle(), |reading, _| ratio(reading, 800));
    assert!(undeclared.is_clean());
    undeclared.altered(1, idle(), |reading, _| ratio(reading, 400));
    assert_eq!(undeclared.turns(), [(Sign::RatioChanged, Turn::Begins)]);
    let figures = undeclared.said[0].figures.iter().map(|(figure, value)| (figure.word(), *value));
    let expected =
        [("before_primary", 800), ("before_secondary", 5), ("ratio_primary", 400), ("ratio_secondary", 5)];
    assert!(figures.eq(expected), "{:?}", undeclared.said[0].figures);
}

#[test]
fn a_paper_in_force_covers_an_update_and_the_edit_is_told_all_the_same() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.identity(&who("7", "1.4", 800));
    let permit = paper(&bench, -60, 3_600);
    bench.paper(&permit).identity(&who("7", "1.5", 800));
    assert_eq!(
        bench.turns(),
        [(Sign::FirmwareChanged, Turn::Begins), (Sign::FirmwareChanged, Turn::Permitted)]
    );
    assert_eq!(bench.said[1].permit, Some(permit.id));
    bench.identity(&who("7", "1.5", 800));
    assert_eq!(
        (bench.said.len(), bench.signs.standing().count()),
        (2, 0),
        "it is what the meter is from here on"
    );
    bench.now_ms += 7_200_000;
    bench.identity(&who("7", "1.4", 800));
    assert!(bench.stands(Sign::FirmwareChanged), "after the paper has ended even the way back is an edit");
}

#[test]
fn a_paper_takes_back_what_it_covers_within_72_hours_and_nothing_else() {
    let edited = |late_s: u64| {
        let mut bench = Bench::new(Wiring::FourWire);
        bench.identity(&who("7", "1.4", 800)).identity(&who("8", "1.4", 400));
        bench.now_ms += late_s * 1_000;
        bench
    };
    let mut in_time = edited(71 * 3_600);
    let covers = paper(&in_time, -72 * 3_600, 0);
    in_time.paper(&covers);
    assert_eq!(in_time.signs.standing().count(), 0);
    assert_eq!(in_time.turns().iter().filter(|(_, turn)| *turn == Turn::Permitted).count(), 2);
    in_time.identity(&who("8", "1.4", 400));
    assert_eq!(in_time.signs.standing().count(), 0);
    let mut late = edited(73 * 3_600);
    let covers = paper(&late, -80 * 3_600, 0);
    late.paper(&covers);
    assert_eq!(late.signs.standing().count(), 2, "too late");
    let mut other = edited(3_600);
    let begins_later = paper(&other, -60, 3_600);
    other.paper(&begins_later);
    assert_eq!(other.signs.standing().count(), 2, "a paper that does not cover the edit");
}

#[test]
fn a_ratio_that_a_paper_covers_goes_on_failing_its_polls_and_is_told_once() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(10, idle());
    let permit = paper(&bench, -60, 3_600);
    bench.paper(&permit);
    for _ in 0..100 {
        bench.miss(Fault::RatioDiffers);
    }
    assert_eq!(bench.turns(), [(Sign::RatioChanged, Turn::Begins), (Sign::RatioChanged, Turn::Permitted)]);
}

#[test]
fn the_authority_resets_what_stands() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.identity(&who("7", "1.4", 800)).identity(&who("8", "1.4", 800));
    bench.turns.clear();
    bench.signs.on_reset(&mut bench.turns);
    assert_eq!(bench.turns.len(), 1);
    bench.identity(&who("8", "1.4", 800));
    assert_eq!(bench.signs.standing().count(), 0);
}

#[test]
fn a_register_that_fell_is_strong_unless_a_power_cycle_explains_the_little_it_lost() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.polls(10, idle());
    let before = (bench.stamp(), 5_000_000);
    bench.polls(2, idle()).rebased(before, 5_000_000 - 300_000);
    assert_eq!(bench.turns(), [(Sign::RegisterFell, Turn::Begins)]);
    bench.polls(10_000, idle());
    assert!(bench.stands(Sign::RegisterFell), "only a paper or the authority takes it back");

    // The meter's uptime began anew: what it had counted since it last kept its counts is lost.
    let uptime = |reading: &mut Reading, seconds: i64| {
        reading.values[Quantity::UptimeS.index()] = Some(seconds * 1_000);
    };
    let mut cycled = Bench::new(Wiring::FourWire);
    cycled.altered(10, idle(), |reading, n| uptime(reading, 9_000 + n.cast_signed()));
    let before = (cycled.stamp(), 5_000_000);
    cycled
        .altered(2, idle(), |reading, n| uptime(reading, n.cast_signed()))
        .rebased(before, 5_000_000 - 300_000);
    assert!(cycled.is_clean(), "{:?}", cycled.turns());
    cycled.rebased(before, 10);
    assert_eq!(cycled.turns(), [(Sign::RegisterFell, Turn::Begins)], "it began anew altogether");

    // Without such a word, a silence of more than two polls may have been a power cut.
    let mut silent = Bench::new(Wiring::FourWire);
    silent.polls(10, idle());
    let before = (silent.stamp(), 5_000_000);
    silent.now_ms += 60_000;
    silent.polls(2, idle()).rebased(before, 5_000_000 - 300_000);
    assert!(silent.is_clean());
    let before = (silent.stamp(), 5_000_000);
    silent.polls(2, idle()).rebased(before, 5_600_000);
    assert_eq!(silent.turns(), [(Sign::RegisterLeapt, Turn::Begins)], "a leap upwards is another matter");
    assert_eq!(Sign::RegisterLeapt.grade(), Grade::Weak);
}

#[test]
fn a_replaced_meter_with_its_paper_raises_no_alarm() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.identity(&who("7", "1.4", 800)).polls(10, idle());
    let permit = paper(&bench, -60, 3_600);
    let before = (bench.stamp(), 5_000_000);
    bench.paper(&permit).identity(&who("8", "1.4", 800)).polls(2, idle()).rebased(before, 50);
    assert_eq!(bench.signs.standing().count(), 0);
    assert!(bench.turns().iter().all(|(_, turn)| matches!(turn, Turn::Begins | Turn::Permitted)));
    // One that stands higher, and tells no serial: its paper is enough.
    let mut nameless = Bench::new(Wiring::FourWire);
    let ran =
        |hours: i64| move |reading: &mut Reading, n: u64| run_hours(reading, hours * 1_000 + n.cast_signed());
    nameless.altered(10, idle(), ran(9_000));
    let permit = paper(&nameless, -60, 3_600);
    let before = (nameless.stamp(), 5_000_000);
    nameless.paper(&permit).altered(2, idle(), ran(10)).rebased(before, 80_000_000);
    assert_eq!(nameless.signs.standing().count(), 0);
    let both = [Sign::ClockStepped, Sign::RegisterLeapt];
    assert_eq!(nameless.turns(), both.map(|sign| [(sign, Turn::Begins), (sign, Turn::Permitted)]).concat());
}

#[test]
fn a_paper_for_next_month_takes_nothing_from_todays() {
    let next_month = |bench: &Bench| {
        let id = Name::new("permit-10").unwrap();
        Permit { id, ..paper(bench, 30 * 86_400, 31 * 86_400) }
    };
    let mut bench = Bench::new(Wiring::FourWire);
    bench.identity(&who("7", "1.4", 800)).polls(10, idle());
    let (today, later) = (paper(&bench, -60, 3_600), next_month(&bench));
    bench.paper(&today).paper(&later).identity(&who("8", "1.4", 800));
    assert_eq!(bench.signs.standing().count(), 0);
    // Nor after a restart.
    let memory = Memory {
        permits: vec![today, later],
        identities: vec![(bench.terms.meter, *bench.signs.identity().unwrap())],
        ..Memory::default()
    };
    bench.signs = Signs::recalling(&memory, &bench.terms);
    bench.identity(&who("9", "1.4", 800));
    assert_eq!(bench.signs.standing().count(), 0);
}

#[test]
fn what_stood_before_a_restart_stands_after_it() {
    let mut bench = Bench::new(Wiring::FourWire);
    bench.identity(&who("7", "1.4", 800)).identity(&who("8", "1.4", 800));
    let meter = bench.terms.meter;
    let mut memory = Memory {
        signs: bench.signs.standing().map(|standing| (meter, standing)).collect(),
        identities: bench.signs.identity().map(|identity| (meter, *identity)).into_iter().collect(),
        ..Memory::default()
    };
    bench.signs = Signs::recalling(&memory, &bench.terms);
    bench.polls(10, idle()).identity(&who("8", "1.4", 800));
    assert_eq!(bench.signs.strongest(), Some(Sign::SerialChanged));
    bench.identity(&who("7", "1.4", 800));
    assert!(
        bench.stands(Sign::SerialChanged),
        "what it was edited from may be forgotten: only a paper or a reset ends it"
    );
    bench.signs.on_reset(&mut bench.turns);
    assert!(!bench.stands(Sign::SerialChanged));
    // An edit while the witness was down is seen too.
    memory.signs.clear();
    bench.signs = Signs::recalling(&memory, &bench.terms);
    bench.identity(&who("7", "1.4", 400));
    assert!(bench.stands(Sign::RatioChanged));
}
