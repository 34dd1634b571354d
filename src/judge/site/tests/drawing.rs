//! When a feeder draws, and when it no longer does.

use super::*;

#[test]
fn a_melt_is_drawing_after_the_on_delay_and_a_violation_when_overdue() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(5, 8_000_000, 100);
    assert_eq!(
        story.last_state().state,
        State::Drawing,
        "energy beyond two steps shows before the on-delay is over"
    );
    let verdict = story.verdict();
    assert_eq!((verdict.state, verdict.violation_since_unix_ms.is_some()), (State::Drawing, true));
    let mut lawful = Story::new("2027-10-31");
    lawful.run(10, 5_000, 100).run(20, 8_000_000, 100);
    assert_eq!(lawful.verdict().state, State::Drawing);
    assert_eq!(lawful.verdict().violation_since_unix_ms, None);
}

#[test]
fn power_alone_waits_for_the_on_delay() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let still = story.energy;
    for second in 1..=6 {
        story.run(1, 8_000_000, 100);
        story.energy = still;
        let drawing = story.states().last() == Some(&State::Drawing);
        assert!(!drawing || second == 6 || matches!(story.last_state().proof, Some(Proof::Energy(_))));
    }
}

#[test]
fn drawing_ends_after_the_off_delay_and_the_violation_stays_latched() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(60, 8_000_000, 100).run(890, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    story.run(20, 5_000, 100);
    assert_eq!(story.last_state().state, State::Energised);
    assert!(story.verdict().violation_since_unix_ms.is_some());
    story.run(90_000, 5_000, 100);
    assert!(story.verdict().violation_since_unix_ms.is_some(), "time never opens the latch");
    assert_eq!(story.verdict().state, State::Energised);
}

#[test]
fn the_off_delay_begins_with_the_last_reading_that_keeps_it_drawing_and_not_with_the_one_before() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(60, 8_000_000, 100);
    // A minute later it stands between the two thresholds, and from then on it rests.
    story.now_ms += 59_000;
    story.run(1, 90_000, 100).run(899, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    story.run(2, 5_000, 100);
    assert_eq!(story.last_state().state, State::Energised);
}

#[test]
fn a_melt_across_midnight_is_a_violation_only_after_it() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    let to_midnight = today.starts_unix_ms() + 86_400_000 - WALL_MS;
    story.now_ms = u64::try_from(to_midnight).unwrap() - 20_000;
    story.run(3, 5_000, 100).run(16, 8_000_000, 100);
    assert_eq!(story.verdict().state, State::Drawing);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
    story.run(10, 8_000_000, 100);
    assert!(story.verdict().violation_since_unix_ms.unwrap() >= today.starts_unix_ms() + 86_400_000);
}

#[test]
fn the_proof_of_the_new_day_is_told_with_its_readings() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    let to_midnight = today.starts_unix_ms() + 86_400_000 - WALL_MS;
    story.now_ms = u64::try_from(to_midnight).unwrap() - 60_000;
    story.run(3, 5_000, 100).run(90, 8_000_000, 100);
    let violation = story.verdict().violation_since_unix_ms.unwrap();
    let told = story.said.iter().any(|f| match f {
        Finding::State(s) => {
            s.proof.is_some_and(|p| p.from().legal_day() > today && p.from().wall_unix_ms <= violation)
        }
        Finding::Interval(_) | Finding::Verdict(_) | Finding::Transition(_) | Finding::Event(_) => false,
    });
    assert!(told);
}

#[test]
fn more_than_the_declared_rating_is_drawn_not_explained_away() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).miss(3_600, Fault::Timeout);
    story.energy.0 += 16_500_000;
    story.run(2, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    assert!(story.verdict().violation_since_unix_ms.is_some());
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(600, 16_500_000, 100);
    let events = story.said.iter().filter(|f| matches!(f, Finding::Event(_))).count();
    assert_eq!(events, 0);
    story.run(1_000, 5_000, 100);
    assert!(story.verdict().energy_overdue.0 > 2_700_000);
}

#[test]
fn a_load_that_hovers_at_a_limit_does_not_flood_the_log() {
    let mut story = Story::new("2026-10-31");
    for _ in 0..500 {
        story.run(1, 68_000, 100).run(1, 69_000, 100);
    }
    assert!(story.states().len() < 10, "{}", story.states().len());
    let mut story = Story::new("2026-10-31");
    for _ in 0..500 {
        story.run(1, 0, 49).run(1, 0, 51);
    }
    assert!(story.states().len() < 10, "{}", story.states().len());
}

#[test]
fn a_line_that_keeps_dipping_does_not_blind_the_witness() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let still = story.energy;
    for _ in 0..40 {
        story.run(1, 0, 45).run(24, 8_000_000, 100);
        story.energy = still;
    }
    assert!(story.states().contains(&State::Drawing));
}

#[test]
fn drawing_ends_on_the_registers_word_when_power_is_no_longer_told() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(60, 8_000_000, 100);
    for _ in 0..1_000 {
        story.now_ms += 1_000;
        let mut reading = story.reading(0, 100, None);
        reading.values[Quantity::Power.index()] = None;
        story.hear(&Sample::Reading(reading));
    }
    assert_eq!(story.last_state().state, State::Unknown(Why::NoPower));
}

#[test]
fn missed_polls_pause_the_on_delay_and_do_not_reset_it() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let still = story.energy;
    let hot = |story: &mut Story| {
        story.run(1, 300_000, 100);
        story.energy = still;
    };
    for _ in 0..40 {
        hot(&mut story);
    }
    story.miss(2, Fault::Timeout);
    for _ in 0..24 {
        hot(&mut story);
    }
    assert_eq!(story.last_state().state, State::Drawing);
}
