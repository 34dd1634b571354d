//! Registers that fall, leap, go around or come late.

use super::*;

#[test]
fn a_register_that_falls_or_leaps_is_an_event_and_never_a_conviction() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    story.energy.0 -= 1_000;
    story.run(1, 5_000, 100);
    assert_eq!(story.last_state().state, State::Unknown(Why::RegisterFell));
    story.run(2_000, 5_000, 100);
    let masked = State::Masked(Sign::RegisterFell);
    assert_eq!(
        story.last_state().state,
        masked,
        "two readings agree on a new baseline, and no power cycle explains it"
    );
    assert_eq!((story.verdict().violation_since_unix_ms, story.verdict().state), (None, masked));
    let mut leapt = Story::new("2026-10-31");
    leapt.run(10, 5_000, 100);
    leapt.energy.0 += 90_000_000_000;
    leapt.run(1, 5_000, 100);
    assert_eq!(leapt.last_state().state, State::Unknown(Why::RegisterLeapt));
    leapt.run(2_000, 5_000, 100);
    assert_eq!(leapt.last_state().state, State::Energised);
    assert_eq!(leapt.verdict().violation_since_unix_ms, None);
    let quirks =
        story.said.iter().chain(&leapt.said).filter(|f| matches!(f, Finding::Event(Event::Register(_))));
    assert_eq!(quirks.count(), 4, "fell, rebased, leapt, rebased");
}

#[test]
fn one_bad_register_reading_neither_convicts_nor_hides() {
    let zero_once = |story: &mut Story| {
        let true_energy = std::mem::replace(&mut story.energy, WattHours(0));
        story.run(1, 5_000, 100);
        story.energy = true_energy;
    };
    let mut cold = Story::new("2026-10-31");
    cold.energy = WattHours(3_000);
    cold.run(10, 5_000, 100);
    zero_once(&mut cold);
    cold.run(10, 5_000, 100);
    cold.energy.0 -= 1_000;
    cold.run(1, 5_000, 100);
    cold.energy.0 += 1_000;
    cold.run(10, 5_000, 100);
    zero_once(&mut cold);
    cold.miss(900, Fault::Timeout);
    cold.run(2_000, 5_000, 100);
    assert_eq!((cold.verdict().violation_since_unix_ms, cold.last_state().state), (None, State::Energised));
    let mut melted = Story::new("2026-10-31");
    melted.run(10, 5_000, 100).miss(7_200, Fault::Timeout);
    melted.energy.0 += 25_000_000;
    zero_once(&mut melted);
    melted.run(3, 5_000, 100);
    assert!(melted.verdict().violation_since_unix_ms.is_some());
}

#[test]
fn a_register_refreshed_in_beats_convicts_no_lawful_load() {
    for (watts, beat_s) in [(90_000, 1), (20_000, 15), (90_000, 30), (5_000, 60)] {
        let mut story = Story::new("2026-10-31");
        let mut true_energy = story.energy.0 * 3_600;
        for second in 0..4_000 {
            // Answers jitter: every seventh comes late, the next on time.
            story.now_ms = (1_000 + second) * 1_000 + if second % 7 == 0 { 900 } else { 0 };
            true_energy += watts;
            if second % beat_s == 0 {
                story.energy = WattHours(true_energy / 3_600);
            }
            let reading = story.reading(watts, 100, None);
            story.hear(&Sample::Reading(reading));
        }
        assert!(!story.states().contains(&State::Drawing), "{watts} W every {beat_s} s");
    }
}

#[test]
fn a_register_that_jumps_with_every_reading_is_doubt_not_the_last_state() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let true_energy = story.energy.0;
    for jump in [90_000, 50_000, 20_000, 9_000] {
        story.energy.0 = true_energy + jump;
        story.run(1, 5_000, 100);
    }
    assert_eq!(story.last_state().state, State::Unknown(Why::RegisterLeapt));
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

#[test]
fn a_fall_after_a_long_gap_is_no_roll_over() {
    let mut story = Story::new("2026-10-31");
    let modulus = |reading: &mut Reading| {
        if let Some(register) = &mut reading.import {
            register.modulus = Some(WattHours(10_000_000_000));
        }
    };
    let poll = |story: &mut Story, seconds: u64| {
        for _ in 0..seconds {
            story.now_ms += 1_000;
            let mut reading = story.reading(5_000, 100, None);
            modulus(&mut reading);
            story.hear(&Sample::Reading(reading));
        }
    };
    poll(&mut story, 10);
    story.now_ms += 15 * 86_400_000;
    story.energy.0 -= 1_000;
    poll(&mut story, 10);
    assert!(!story.states().contains(&State::Drawing), "{:?}", story.states());
}

/// A second of a dead line, with so many thousandths of an hour its meter has run.
fn dead(story: &mut Story, life: i64) {
    story.now_ms += 1_000;
    let reading = story.reading(0, 0, Some(life));
    story.hear(&Sample::Reading(reading));
}

#[test]
fn a_dead_line_played_again_for_four_hours_of_melt_is_told_when_it_loops_and_when_it_ends() {
    const HOUR_S: i64 = 3_600;
    const MELTED: i64 = 31_830_000;
    let mut story = Story::new("2026-10-31");
    (0..HOUR_S).for_each(|second| dead(&mut story, second * 10 / 36));
    assert_eq!((story.last_state().state, story.last_state().signs.len()), (State::Dead, 0));
    (0..4 * HOUR_S).for_each(|second| dead(&mut story, second % HOUR_S * 10 / 36));
    let weak = |story: &Story| story.verdict().signs.iter().collect::<Vec<_>>();
    assert_eq!(weak(&story), [Sign::ClockStepped], "hours of running fell");
    story.energy.0 += MELTED;
    (0..1_000).for_each(|second| dead(&mut story, (5 * HOUR_S + second) * 10 / 36));
    assert_eq!(weak(&story), [Sign::ClockStepped, Sign::RegisterLeapt]);
    let bounds =
        story.said.iter().filter_map(|f| if let Finding::Interval(i) = f { Some(i.bound.0) } else { None });
    let over: Vec<_> = bounds.filter(|bound| *bound >= MELTED).collect();
    assert_eq!(over.len(), 1, "the interval of the leap tells what may have passed: {over:?}");
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

#[test]
fn a_count_of_life_that_only_goes_back_proves_no_life() {
    let mut story = Story::new("2026-10-31");
    (0..1_000).for_each(|second| dead(&mut story, 900_000 - second));
    assert_eq!(story.last_state().state, State::Unknown(Why::NotProvenAlive));
}

#[test]
fn another_meter_that_stands_higher_with_its_paper_bounds_nothing() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let mut paper = permits::permit(&story, 3_600, Permitted::MeterReplacement { meter: terms().meter });
    paper.from_unix_ms -= 3_600_000;
    story.fact(Fact::Permit(&paper));
    story.energy.0 += 90_000_000_000;
    story.run(1_000, 5_000, 100);
    let bound =
        story.said.iter().find_map(|f| if let Finding::Interval(i) = f { Some(i.bound.0) } else { None });
    assert!(bound.is_some_and(|bound| bound < 1_000_000), "{bound:?}");
    assert!(story.last_state().signs.is_empty());
}
