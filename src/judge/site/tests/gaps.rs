//! Silence, outages, reboots, and clocks that were wrong meanwhile.

use super::*;

#[test]
fn three_missed_polls_are_unknown_and_never_zero() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).miss(2, Fault::Timeout);
    assert_eq!(story.last_state().state, State::Energised);
    story.miss(1, Fault::Timeout);
    let unknown = story.last_state();
    assert_eq!(unknown.state, State::Unknown(Why::Fault(Fault::Timeout)));
    assert_eq!((unknown.power, unknown.scan.blocks().count()), (None, 0));
    story.run(1, 5_000, 100);
    assert_eq!(story.last_state().state, State::Energised);
}

#[test]
fn silence_without_any_poll_becomes_unknown() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).tick(20);
    assert_eq!(story.last_state().state, State::Energised, "a slow bus is slow, not silent");
    story.tick(20);
    assert_eq!(story.last_state().state, State::Unknown(Why::Silent));
}

#[test]
fn a_melt_inside_a_gap_shows_on_the_register() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).miss(600, Fault::Timeout);
    story.energy.0 += 500_000;
    story.run(2, 5_000, 100);
    let found = story.last_state();
    assert_eq!(found.state, State::Drawing);
    let Some(Proof::Energy(excess)) = found.proof else { panic!("{found:?}") };
    assert!((500_001..=500_003).contains(&excess.moved.0), "{excess:?}");
    assert!(story.verdict().violation_since_unix_ms.is_some());
}

#[test]
fn a_reboot_after_three_days_is_just_a_long_gap() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let memory = story.memory();
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    after.boot = 2;
    after.wall_offset_ms = story.stamp().wall_unix_ms - WALL_MS + 3 * 86_400_000;
    after.energy = WattHours(story.energy.0 + 100_000);
    after.run(901, 5_000, 100);
    let interval =
        after.said.iter().find_map(|f| if let Finding::Interval(i) = f { Some(*i) } else { None }).unwrap();
    assert_eq!(interval.shares.unaccounted_ms(), 0);
    assert!(interval.shares.bridged_ms() > 3 * 86_400_000 - 1_000_000);
    assert!(
        after.states().iter().all(|s| *s != State::Drawing),
        "lamps for three days are within the allowances"
    );
    let mut melted = Story::new("2026-10-31");
    melted.site = site("2026-10-31", &memory);
    (melted.boot, melted.wall_offset_ms) = (2, after.wall_offset_ms);
    melted.energy = WattHours(story.energy.0 + 12_000_000);
    melted.run(2, 5_000, 100);
    assert_eq!(melted.last_state().state, State::Drawing);
}

#[test]
fn a_gap_over_the_last_lawful_midnight_convicts_nobody() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    story.run(1_000, 5_000, 100);
    story.now_ms += 86_400_000;
    story.energy.0 += 20_000_000;
    story.run(5, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    assert_eq!(
        story.verdict().violation_since_unix_ms,
        None,
        "the energy may have been drawn on the last lawful day"
    );
    story.run(10, 8_000_000, 100);
    assert!(story.verdict().violation_since_unix_ms.is_some());
}

#[test]
fn an_outage_over_a_quarter_hour_convicts_no_lawful_load() {
    for watts in [5_000, 20_000, 60_000, 90_000] {
        let mut story = Story::new("2026-10-31");
        let boundary = 900 - u64::try_from((WALL_MS / 1_000).rem_euclid(900)).unwrap();
        story.run(boundary + 500, watts, 100);
        for _ in 0..400 {
            story.energy.0 += watts / 3_600;
            story.miss(1, Fault::Timeout).tick(0);
            let (at, said) = (story.stamp(), &mut story.said);
            story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
        story.run(2_000, watts, 100);
        assert!(!story.states().contains(&State::Drawing), "{watts} W");
    }
}

#[test]
fn a_reboot_with_a_clock_that_stood_still_convicts_nobody_and_says_so() {
    for (quality, wall_back_ms) in
        [(ClockQuality::Rtc, 3_600_000), (ClockQuality::Rtc, -1_000), (ClockQuality::Unset, WALL_MS)]
    {
        let mut story = Story::new("2026-10-31");
        story.quality = ClockQuality::Rtc;
        story.run(1_000, 20_000, 100);
        let memory = story.memory();
        let mut after = Story::new("2026-10-31");
        after.site = site("2026-10-31", &memory);
        (after.boot, after.quality) = (2, quality);
        after.wall_offset_ms = story.stamp().wall_unix_ms - WALL_MS - wall_back_ms;
        after.energy = WattHours(story.energy.0 + 40_000);
        after.run(2_000, 20_000, 100);
        assert!(!after.states().contains(&State::Drawing), "{quality:?} {wall_back_ms}");
        let untimed =
            |f: &Finding| matches!(f, Finding::Event(Event::Register(e)) if e.what == RegisterQuirk::Untimed);
        assert!(after.said.iter().any(untimed), "{quality:?} {wall_back_ms}");
    }
}

#[test]
fn a_clock_that_was_fast_dates_no_violation_before_the_lawful_midnight() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    let to_midnight = today.starts_unix_ms() + 86_400_000 - WALL_MS;
    story.wall_offset_ms = to_midnight;
    story.run(5, 5_000, 100);
    story.wall_offset_ms = to_midnight - 3_600_000;
    story.run(60, 8_000_000, 100);
    assert_eq!(story.verdict().state, State::Drawing);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
    story.quality = ClockQuality::Unset;
    story.wall_offset_ms = to_midnight + 86_400_000;
    story.run(60, 8_000_000, 100);
    assert_eq!(story.verdict().violation_since_unix_ms, None, "a clock that was never set dates nothing");
}

#[test]
fn a_clock_that_was_hours_ahead_dates_nothing_wrongly_after_it_is_set() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    (story.quality, story.wall_offset_ms) = (ClockQuality::Rtc, 28_800_000);
    story.run(60, 5_000, 100);
    (story.quality, story.wall_offset_ms) = (ClockQuality::Ntp, 0);
    story.miss(600, Fault::Timeout);
    story.energy.0 += 800_000;
    story.run(5, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    assert_eq!(story.verdict().violation_since_unix_ms, None, "drawn on the last lawful day");
    for watts in [20_000, 60_000, 90_000] {
        let mut story = Story::new("2026-10-31");
        (story.quality, story.wall_offset_ms) = (ClockQuality::Rtc, 28_800_000);
        story.run(60, watts, 100);
        (story.quality, story.wall_offset_ms) = (ClockQuality::Ntp, 0);
        story.run(7_200, watts, 100);
        let memory = story.memory();
        let (energy, now_ms) = (story.energy, story.now_ms);
        story.site = site("2026-10-31", &memory);
        (story.boot, story.energy, story.now_ms) = (2, energy, now_ms + 60_000);
        story.run(1_000, watts, 100);
        assert!(!story.states().contains(&State::Drawing), "{watts}");
    }
}

#[test]
fn energy_is_counted_once_across_a_restart() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100).run(600, 8_000_000, 100).miss(3, Fault::Timeout);
    let before = *story.verdict();
    let mut memory = story.memory();
    memory.equipment = vec![EquipmentMemory {
        asset: before.asset,
        violation_since_unix_ms: before.violation_since_unix_ms,
        energy_closed: before.energy_closed,
        bound_closed: WattHours(0),
        plate: None,
        standing: Standing::default(),
    }];
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    (after.energy, after.now_ms) = (story.energy, story.now_ms);
    after.run(2, 5_000, 100);
    let drawn = after.verdict().energy_overdue.0;
    assert!((drawn - before.energy_overdue.0).abs() <= 2, "{drawn} after {}", before.energy_overdue.0);
}

#[test]
fn a_moved_wall_clock_is_an_event() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    story.wall_offset_ms = -3_600_000;
    story.run(1, 5_000, 100);
    let stepped = |f: &Finding| matches!(f, Finding::Event(Event::ClockStepped { by_ms: -3_600_000 }));
    assert!(story.said.iter().any(stepped));
}
