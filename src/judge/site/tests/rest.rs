//! What is called energised, auxiliary or dead, and what is only doubt.

use super::*;

#[test]
fn an_idle_line_is_energised_and_lamps_are_auxiliary() {
    let mut story = Story::new("2026-10-31");
    // Floor 48.5 kW and no-load 20 kW: up to 68.5 kW nothing is drawn; the lamps' 30 kW lie on top.
    story.run(5, 5_000, 100).run(30, 90_000, 100).run(70, 60_000, 100);
    let expected = [State::Unknown(Why::NotYetJudged), State::Energised, State::Auxiliary, State::Energised];
    assert_eq!(story.states(), expected);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

/// Polls a dead line whose meter's run hours move.
fn dead_line(story: &mut Story, seconds: i64, change: impl Fn(&mut Reading)) {
    for second in 0..seconds {
        story.now_ms += 1_000;
        let mut reading = story.reading(0, 0, Some(second / 5));
        change(&mut reading);
        story.hear(&Sample::Reading(reading));
    }
}

#[test]
fn a_dead_line_needs_stillness_and_a_meter_that_provably_lives() {
    let mut story = Story::new("2026-10-31");
    story.run(70, 0, 0);
    assert_eq!(story.last_state().state, State::Unknown(Why::NoLivenessWord));
    let mut story = Story::new("2026-10-31");
    dead_line(&mut story, 59, |_| ());
    assert_eq!(story.states(), [State::Unknown(Why::NotYetJudged)]);
    dead_line(&mut story, 5, |_| ());
    assert_eq!(story.last_state().state, State::Dead);
    story.run(5, 0, 30);
    assert_eq!(story.last_state().state, State::Unknown(Why::InducedVoltage));
}

#[test]
fn a_line_that_comes_alive_is_dead_no_longer_though_nothing_is_proven_yet() {
    for watts in [100_000, 8_000_000] {
        let mut story = Story::new("2026-10-31");
        dead_line(&mut story, 70, |_| ());
        assert_eq!(story.last_state().state, State::Dead);
        // The on-delay runs, and after the long rest inrush is not judged by power.
        story.run(1, watts, 100);
        assert_eq!(story.last_state().state, State::Unknown(Why::NotYetJudged), "{watts} W");
    }
}

#[test]
fn nothing_is_called_dead_on_missing_or_contradicting_values() {
    let without = |change: fn(&mut Reading)| {
        let mut story = Story::new("2026-10-31");
        dead_line(&mut story, 90, change);
        story.states()
    };
    assert!(!without(|r| r.values[Quantity::CurrentL2.index()] = None).contains(&State::Dead));
    assert!(!without(|r| r.values[Quantity::VoltageL23.index()] = None).contains(&State::Dead));
    assert!(!without(|r| r.values[Quantity::Power.index()] = Some(60_000_000)).contains(&State::Dead));
    let mut story = Story::new("2026-10-31");
    for second in 0..200 {
        story.now_ms += 1_000;
        story.energy.0 += 25;
        let reading = story.reading(0, 0, Some(second));
        story.hear(&Sample::Reading(reading));
    }
    assert!(!story.states().contains(&State::Dead), "the register moves: {:?}", story.states());
}

#[test]
fn backward_power_and_current_without_voltage_are_doubt() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(2, -900_000, 100);
    assert_eq!(story.last_state().state, State::Unknown(Why::Reversed));
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    story.now_ms += 1_000;
    let mut reading = story.reading(0, 0, None);
    reading.values[Quantity::CurrentL1.index()] = Some(90_000);
    story.hear(&Sample::Reading(reading));
    assert_eq!(story.last_state().state, State::Unknown(Why::CurrentWithoutVoltage));
}
