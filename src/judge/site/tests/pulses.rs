//! Pulses shorter than the on-delay, and polls that fail in between: by power alone, for the register's step is coarse.

use proptest::prelude::*;

use super::*;

/// Step of the register in these tests, in watt-hours: 0.01 kWh behind 400/5 A and 35 000/100 V.
const STEP_WH: i64 = 280_000;
const RATED_W: i64 = 12_500_000;
/// What the rule lets pass, in watt-seconds: 1 % of the rating for 15 minutes.
const NAMED_WS: i64 = RATED_W * 9;

impl Story {
    /// One poll, with a register that does not advance by its step of [`STEP_WH`] yet.
    fn coarse(&mut self, watts: i64) -> &mut Story {
        self.now_ms += 1_000;
        let mut reading = self.reading(watts, 100, None);
        reading.import = reading.import.map(|register| Register { step: WattHours(STEP_WH), ..register });
        self.hear(&Sample::Reading(reading));
        self
    }

    fn coarsely(&mut self, seconds: u64, watts: i64) -> &mut Story {
        (0..seconds).for_each(|_| {
            self.coarse(watts);
        });
        self
    }

    fn is_convicted(&self) -> bool {
        self.verdict().violation_since_unix_ms.is_some()
    }
}

/// A feeder of which nothing is allowed: its limit is the floor with the class error.
fn bare() -> Story {
    Story::at_point(|terms| (terms.allowances, terms.no_load) = (Box::default(), MilliWatts(0)))
}

fn limit_w() -> i64 {
    let terms = Commissioned { allowances: Box::default(), no_load: MilliWatts(0), ..terms() };
    terms.limit().0 / 1_000
}

#[test]
fn pulses_of_four_seconds_are_proven_together() {
    let mut story = bare();
    story.coarsely(300, 0);
    let mut pulses = 0;
    while !story.is_convicted() {
        pulses += 1;
        assert!(pulses < 6, "three seconds of each stand between two readings");
        story.coarsely(4, RATED_W).coarsely(236, 0);
    }
    assert!(pulses > 2, "and nothing is proven before");
    assert!(story.said.iter().any(|f| {
        matches!(f, Finding::State(s) if s.state == State::Drawing && matches!(s.proof, Some(Proof::Power { .. })))
    }));
}

#[test]
fn torn_readings_prove_nothing_however_many_they_are() {
    let mut story = bare();
    story.coarsely(100, 0);
    for _ in 0..2_000 {
        story.coarse(RATED_W).coarsely(3, 0);
    }
    assert!(!story.is_convicted() && !story.states().contains(&State::Drawing));
}

#[test]
fn pulses_of_two_days_are_not_added() {
    let mut story = bare();
    let today = LegalDay::of_unix_ms(WALL_MS);
    story.wall_offset_ms = today.starts_unix_ms() + 86_400_000 - WALL_MS - 400_000;
    // Six seconds count on each side of midnight: nine would prove.
    story.coarsely(100, 0).coarsely(4, RATED_W).coarsely(60, 0).coarsely(4, RATED_W).coarsely(600, 0);
    story.coarsely(4, RATED_W).coarsely(60, 0).coarsely(4, RATED_W).coarsely(60, 0);
    assert!(!story.is_convicted());
}

#[test]
fn two_of_three_polls_that_fail_pause_the_on_delay_and_do_not_stop_it() {
    let mut story = bare();
    story.coarsely(100, 0);
    let mut seconds = 0;
    while !story.is_convicted() {
        story.miss(2, Fault::Timeout).coarse(1_900_000);
        seconds += 3;
        assert!(seconds * 1_900_000 <= NAMED_WS, "{seconds} s");
    }
    assert!(seconds >= 9, "two readings do not suffice, nor does the time between them");
}

#[test]
fn a_drive_that_starts_again_and_again_is_no_pulse() {
    let crane = Allowance::drawing(
        Name::new("crane").unwrap(),
        AllowanceKind::Crane,
        MilliWatts::from_watts(400_000),
        WattHours(40_000_000),
    );
    let mut story = Story::at_point(|terms| terms.allowances = Box::new([crane]));
    story.coarsely(100, 0);
    for _ in 0..300 {
        story.coarsely(3, 800_000).coarsely(60, 350_000).coarsely(20, 0);
    }
    assert!(!story.is_convicted());
}

#[test]
fn a_declared_crane_excuses_the_seconds_of_its_start_and_no_minute_of_melting() {
    let crane = Allowance::drawing(
        Name::new("crane").unwrap(),
        AllowanceKind::Crane,
        MilliWatts::from_watts(875_000),
        WattHours(600_000_000),
    );
    let mut story = Story::at_point(|terms| terms.allowances = Box::new([crane]));
    story.coarsely(100, 0);
    let mut minutes = 0;
    while !story.is_convicted() {
        minutes += 1;
        assert!(minutes < 25, "57 s of each minute at 14.9 % of the rating");
        story.coarsely(57, 1_860_000).coarsely(3, 0);
    }
    assert!(minutes > 10, "and nothing is proven by a few");
}

/// Whether it is convicted by polls of these powers in watts; `None`: the poll fails.
fn convicts(story: &mut Story, polls: impl IntoIterator<Item = Option<i64>>) -> bool {
    story.coarsely(100, 0);
    for watts in polls {
        match watts {
            Some(watts) => story.coarse(watts),
            None => story.miss(1, Fault::Timeout),
        };
    }
    story.is_convicted()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However it hovers below its limit, whatever a meter of its class shows of it, whichever polls fail.
    #[test]
    fn a_load_that_hovers_at_its_limit_is_never_proven_by_pulses(
        parts in prop::collection::vec((0_i64..=1_000, -1_000_i64..=1_000, 0_u8..4, 1_usize..20), 1..400),
    ) {
        let mut story = bare();
        let (limit, terms) = (limit_w(), terms());
        let allowed = terms.floor.power.0 / 1_000;
        let polls = parts.into_iter().flat_map(|(below, error, kind, times)| {
            let real = allowed - allowed * below / 10_000;
            let shown = real + real * error / 1_000 * terms.error_ppm() / 1_000_000;
            let one = match kind {
                0 => None,
                1 => Some(0),
                _ => Some(shown.min(limit)),
            };
            std::iter::repeat_n(one, times)
        });
        prop_assert!(!convicts(&mut story, polls));
    }

    /// Readings a class's error above the limit, again and again, each time for less than the on-delay.
    #[test]
    fn what_stands_above_the_limit_by_no_more_than_the_class_errs_is_no_pulse(
        parts in prop::collection::vec((0_i64..=1_000, 1_usize..50, 1_usize..5, any::<bool>()), 1..300),
    ) {
        let mut story = bare();
        let (limit, error_ppm) = (limit_w(), terms().error_ppm());
        let polls = parts.into_iter().flat_map(|(error, loud, quiet, misses)| {
            let shown = limit + limit * error / 1_000 * error_ppm / 1_000_000;
            let above = std::iter::repeat_n(Some(shown), loud);
            above.chain(misses.then_some(None)).chain(std::iter::repeat_n(Some(0), quiet))
        });
        prop_assert!(!convicts(&mut story, polls));
    }

    /// Pulses above twice the limit are proven before they drew twice what the rule names, and the pulse that proves.
    #[test]
    fn a_train_of_pulses_is_proven_in_time(
        length in 2_u64..=60,
        pause in 1_u64..=3_600,
        share in 0_i64..=1_000,
    ) {
        let watts = 2 * limit_w() + 1 + (RATED_W - 2 * limit_w()) * share / 1_000;
        // The day must be long enough for so much.
        let is_small = watts <= RATED_W / 100 * 15;
        let named_ws = if is_small { RATED_W * 60 } else { NAMED_WS };
        let beyond = watts - watts / 50 - limit_w();
        // A pulse of so many readings stands between one fewer pairs of them.
        let certain = beyond * (length.cast_signed() - 1);
        let needed = u64::try_from(named_ws / certain).unwrap() + 1;
        let pause = pause.min(60_000_u64.checked_div(needed).unwrap_or(0).saturating_sub(length).max(1));
        let mut story = bare();
        let today = LegalDay::of_unix_ms(WALL_MS);
        story.wall_offset_ms = today.starts_unix_ms() - WALL_MS;
        story.coarsely(100, 0);
        let mut beyond_ws = 0;
        while !story.is_convicted() {
            prop_assert!(beyond_ws <= 2 * named_ws + named_ws / 10, "{watts} W for {length} s in {pause} s");
            story.coarsely(length, watts).coarse(0);
            // Nothing is polled in the pause: nothing would tell anything else.
            story.now_ms += (pause - 1) * 1_000;
            beyond_ws += (watts - limit_w()) * length.cast_signed();
        }
    }
}
