//! Registers that stand lower and may have gone round: nobody can tell, and nobody is accused.

use super::*;

/// 16 bits of 10 Wh.
const MODULUS: WattHours = WattHours(655_360);

impl Story {
    fn narrow(&mut self, seconds: u64, modulus: WattHours) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let mut reading = self.reading(5_000, 100, None);
            // The meter itself was never without power.
            let uptime_ms = self.stamp().wall_unix_ms - WALL_MS + 1_000_000_000;
            reading.values[Quantity::UptimeS.index()] = Some(uptime_ms);
            reading.import = reading.import.map(|register| Register { modulus: Some(modulus), ..register });
            self.hear(&Sample::Reading(reading));
        }
        self
    }

    fn quirks(&self) -> Vec<RegisterQuirk> {
        let quirk = |f: &Finding| match f {
            Finding::Event(Event::Register(told)) => Some(told.what),
            Finding::State(_)
            | Finding::Interval(_)
            | Finding::Verdict(_)
            | Finding::Transition(_)
            | Finding::Event(_) => None,
        };
        self.said.iter().filter_map(quirk).collect()
    }
}

/// A story in which the register stands at `before`, and at `after` when it is heard again after so many seconds.
fn gap(before: i64, after: i64, seconds: u64) -> Story {
    let mut story = Story::new("2026-10-31");
    story.energy = WattHours(before);
    story.narrow(100, MODULUS).miss(3, Fault::Timeout);
    story.now_ms += seconds * 1_000;
    story.energy = WattHours(after);
    story.narrow(100, MODULUS);
    story
}

#[test]
fn a_narrow_register_that_may_have_gone_round_in_a_gap_is_an_event_and_no_sign() {
    // The point passes 30 MW: 655 kWh in 80 s.
    for (before, after) in [(600_000, 100_000), (600_000, 500_000)] {
        let story = gap(before, after, 600);
        assert_eq!(story.quirks(), [RegisterQuirk::FellOrRolledOver]);
        assert!(!story.verdict().signs.has_strong() && story.verdict().violation_since_unix_ms.is_none());
    }
    assert_eq!(gap(10, 20, 600).quirks(), []);
}

#[test]
fn a_fall_that_no_round_explains_is_a_strong_sign_as_ever() {
    let story = {
        let mut story = Story::new("2026-10-31");
        let wide = WattHours(42_949_672_960);
        story.narrow(100, wide).miss(3, Fault::Timeout);
        story.energy.0 -= 50_000_000;
        story.narrow(100, wide);
        story
    };
    assert_eq!(story.quirks(), [RegisterQuirk::Fell, RegisterQuirk::Rebased]);
    assert!(story.verdict().signs.has_strong());
}

#[test]
fn a_round_while_a_gateway_without_a_synchronised_clock_is_off_may_be_one() {
    let across = |before: i64, after: i64| {
        let mut story = Story::new("2026-10-31");
        let modulus = WattHours(429_496_729_600);
        story.quality = ClockQuality::Rtc;
        story.energy = WattHours(before);
        story.narrow(2_000, modulus);
        let memory = story.memory();
        let mut later = Story::new("2026-10-31");
        later.site = site("2026-10-31", &memory);
        (later.boot, later.quality, later.energy) = (2, ClockQuality::Rtc, WattHours(after));
        later.wall_offset_ms = story.stamp().wall_unix_ms - WALL_MS + 6 * 3_600_000;
        later.narrow(100, modulus);
        later
    };
    let turned = across(429_496_700_000, 50_000);
    assert_eq!(turned.quirks(), [RegisterQuirk::FellOrRolledOver]);
    assert!(!turned.verdict().signs.has_strong() && turned.verdict().violation_since_unix_ms.is_none());
    assert!(!turned.states().contains(&State::Unknown(Why::RegisterFell)));
    let fell = across(300_000_000_000, 200_000_000_000);
    assert!(fell.verdict().signs.has_strong(), "a month is too short for that round: {:?}", fell.quirks());
}
