//! At the law's edges: whoever stops at his deadline or keeps to his permit is convicted by no clock that errs no more
//! than it may, and whoever goes on beyond that always is.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{
    permits::{asset, permit},
    *,
};
use crate::judge::{
    Permit, Permitted,
    edge::{NTP_ERROR_MOST_MS, RTC_ERROR_MS},
};

const POLL_S: u64 = 10;
const MELT_W: i64 = 8_000_000;
const LAMPS_W: i64 = 5_000;
const LAST_DAY: &str = "2026-10-31";

/// A gateway's clock, and how far it is off, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Off {
    clock: ClockQuality,
    stated_ms: u32,
    by_ms: i64,
}

fn clocks() -> impl Strategy<Value = Off> {
    let rtc = (-RTC_ERROR_MS..=RTC_ERROR_MS).prop_map(|by_ms| Off {
        clock: ClockQuality::Rtc,
        stated_ms: 0,
        by_ms,
    });
    let ntp = (0_u32..120_000, -1_000_i64..=1_000).prop_map(|(stated_ms, per_mille)| Off {
        clock: ClockQuality::Ntp,
        stated_ms,
        by_ms: i64::from(stated_ms) * per_mille / 1_000,
    });
    prop_oneof![rtc, ntp]
}

/// What a clock may err.
fn margin_ms(off: Off) -> i64 {
    match off.clock {
        ClockQuality::Ntp => i64::from(off.stated_ms).min(NTP_ERROR_MOST_MS),
        ClockQuality::Rtc => RTC_ERROR_MS,
        ClockQuality::Unset => 0,
    }
}

/// The midnight after the last lawful day, Unix milliseconds.
fn deadline_ms() -> i64 {
    LegalDay::parse("2026-11-01").unwrap().starts_unix_ms()
}

/// A plant and its gateway.
struct Plant {
    story: Story,
    off: Off,
    /// What was drawn and does not show yet, and what shows, in watt-seconds.
    unseen_ws: VecDeque<i64>,
    shown_ws: i64,
    /// How old the register's value is when it is read, in seconds.
    age_s: u64,
}

/// A plant polled every ten seconds by a gateway with this clock, beginning at a true moment.
fn plant(off: Off, true_unix_ms: i64, permits: Vec<Permit>) -> Plant {
    let mut story = Story::new(LAST_DAY);
    let standing = Standing::declared(LegalDay::parse(LAST_DAY));
    let terms = Commissioned { poll_ms: POLL_S * 1_000, ..terms() };
    let memory = Memory { permits, ..Memory::default() };
    story.site = Site::new(vec![terms], vec![Equipment { id: asset(), standing }], &memory);
    story.quality = off.clock;
    story.wall_offset_ms = true_unix_ms + off.by_ms - WALL_MS;
    Plant { story, off, unseen_ws: VecDeque::new(), shown_ws: 0, age_s: 0 }
}

impl Plant {
    fn with_age(self, age_s: u64) -> Plant {
        Plant { age_s, ..self }
    }

    /// Draws so much until a true moment, and is polled.
    fn until(&mut self, true_unix_ms: i64, watts: i64) {
        let Plant { story, off, unseen_ws, shown_ws, age_s } = self;
        while story.stamp().wall_unix_ms - off.by_ms < true_unix_ms {
            story.now_ms += POLL_S * 1_000;
            unseen_ws.push_back(watts * i64::try_from(POLL_S).unwrap());
            while unseen_ws.len() > usize::try_from(*age_s / POLL_S).unwrap() {
                *shown_ws += unseen_ws.pop_front().unwrap();
            }
            story.energy = WattHours(1_000_000_000 + *shown_ws / 3_600);
            let mut reading = story.reading(watts, 100, None);
            reading.at.error_ms = off.stated_ms;
            let (at, said) = (reading.at, &mut story.said);
            story.site.on(&at, Fact::Sample(&Sample::Reading(reading)), &mut |f| said.push(f));
            story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
    }

    fn is_convicted(&self) -> bool {
        let latched = |f: &Finding| matches!(f, Finding::Verdict(v) if v.violation_since_unix_ms.is_some());
        self.story.said.iter().any(latched)
    }

    fn is_shown_drawing(&self) -> bool {
        self.story.states().contains(&State::Drawing)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.clamp(64, 256), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_stops_at_his_deadline_is_never_convicted(off in clocks(), age_s in 0_u64..50) {
        let mut plant = plant(off, deadline_ms() - 2_400_000, Vec::new()).with_age(age_s);
        plant.until(deadline_ms() - 10_000, MELT_W);
        plant.until(deadline_ms() + 4_000_000, LAMPS_W);
        prop_assert!(!plant.is_convicted());
        prop_assert!(plant.is_shown_drawing(), "it is shown as what it was");
    }

    #[test]
    fn whoever_melts_on_beyond_the_margin_is_always_convicted(
        off in clocks(),
        begins_ms in -2_400_000_i64..=60_000,
    ) {
        let begins_ms = deadline_ms() + begins_ms;
        let mut plant = plant(off, begins_ms.min(deadline_ms()) - 60_000, Vec::new());
        plant.until(begins_ms, LAMPS_W);
        // The clock may lie behind by all of its margin, and is believed only beyond it.
        plant.until(deadline_ms() + 2 * margin_ms(off) + 120_000, MELT_W);
        prop_assert!(plant.is_convicted());
        let drawn = plant.story.verdict().energy_overdue;
        prop_assert!(drawn.0 > 0, "what was drawn within the margin is energy all the same: {drawn:?}");
    }

    #[test]
    fn whoever_keeps_to_his_permit_is_never_convicted(off in clocks(), lasts_s in 600_i64..4_000, age_s in 0_u64..50) {
        let (paper, from_ms, to_ms) = paper(lasts_s);
        let mut plant = plant(off, from_ms - 1_200_000, vec![paper]).with_age(age_s);
        plant.until(from_ms, LAMPS_W);
        plant.until(to_ms - 10_000, MELT_W);
        plant.until(to_ms + 3_000_000, LAMPS_W);
        prop_assert!(!plant.is_convicted());
    }

    #[test]
    fn whoever_melts_outside_his_permit_by_more_than_the_margin_is_always_convicted(
        off in clocks(),
        lasts_s in 600_i64..4_000,
        is_before in any::<bool>(),
    ) {
        let (paper, from_ms, to_ms) = paper(lasts_s);
        let more_ms = 2 * margin_ms(off) + 120_000;
        let (begins, ends) = if is_before { (from_ms - more_ms, to_ms) } else { (from_ms, to_ms + more_ms) };
        let mut plant = plant(off, begins - 60_000, vec![paper]);
        plant.until(begins, LAMPS_W);
        plant.until(ends, MELT_W);
        prop_assert!(plant.is_convicted());
    }
}

/// A permit long after the deadline with room for any melt in it, its first moment and its last, Unix milliseconds.
fn paper(lasts_s: i64) -> (Permit, i64, i64) {
    let from_unix_ms = deadline_ms() + 5 * 86_400_000 + 36_000_000;
    let to_unix_ms = from_unix_ms + lasts_s * 1_000;
    let what = Permitted::Maintenance { energy: WattHours(500_000_000) };
    let any = permit(&Story::new(LAST_DAY), 1, what);
    (Permit { from_unix_ms, to_unix_ms, ..any }, from_unix_ms, to_unix_ms)
}

#[test]
fn a_clock_that_claims_to_err_without_end_does_not_excuse_without_end() {
    let off = Off { clock: ClockQuality::Ntp, stated_ms: u32::MAX, by_ms: 0 };
    let mut plant = plant(off, deadline_ms() - 60_000, Vec::new());
    plant.until(deadline_ms() + NTP_ERROR_MOST_MS, MELT_W);
    assert!(!plant.is_convicted());
    plant.until(deadline_ms() + NTP_ERROR_MOST_MS + 60_000, MELT_W);
    assert!(plant.is_convicted());
}

#[test]
fn a_clock_that_was_never_set_convicts_nobody() {
    let off = Off { clock: ClockQuality::Unset, stated_ms: 0, by_ms: 0 };
    let mut plant = plant(off, deadline_ms() + 86_400_000, Vec::new());
    plant.until(deadline_ms() + 90_000_000, MELT_W);
    assert!(!plant.is_convicted() && plant.is_shown_drawing());
}
