//! The energy of a permit where no register tells it: absent or frozen, it excuses no second melt.

use proptest::prelude::*;

use super::{
    permits::{asset, permit},
    *,
};
use crate::judge::{Permit, PermitUse, Permitted};

const RATED_W: i64 = 12_500_000;

impl Story {
    /// Polls once a second without a register; what is drawn shows in it later.
    fn unregistered(&mut self, seconds: u64, watts: i64) -> &mut Story {
        let drawn = self.energy.0 + watts * seconds.cast_signed() / 3_600;
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let reading = Reading { import: None, ..self.reading(watts, 100, None) };
            self.hear(&Sample::Reading(reading));
        }
        self.energy = WattHours(drawn);
        self
    }

    /// Polls once a second; the register stands.
    fn frozen(&mut self, seconds: u64, watts: i64) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let reading = self.reading(watts, 100, None);
            self.hear(&Sample::Reading(reading));
        }
        self
    }

    fn has_latched(&self) -> bool {
        self.verdict().violation_since_unix_ms.is_some()
    }

    fn goes_on(&self, granted: Permit) -> Story {
        let used: Vec<(AssetId, PermitUse)> =
            self.verdict().permit_closed().map(|used| (asset(), used)).into_iter().collect();
        let memory = Memory { permits: vec![granted], permit_uses: used, ..self.memory() };
        let mut after = Story::new("2026-10-31");
        after.site = site("2026-10-31", &memory);
        (after.boot, after.energy, after.now_ms) = (self.boot, self.energy, self.now_ms);
        after
    }
}

fn maintenance(kwh: i64) -> Permitted {
    Permitted::Maintenance { energy: WattHours(kwh * 1_000) }
}

/// A story with a permit of 500 kWh for three hours.
fn permitted() -> (Story, Permit) {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let granted = permit(&story, 3 * 3_600, maintenance(500));
    story.fact(Fact::Permit(&granted)).run(2, 5_000, 100);
    (story, granted)
}

#[test]
fn without_a_register_power_uses_up_the_permit() {
    let (mut story, _) = permitted();
    story.unregistered(140, RATED_W);
    assert!(!story.has_latched(), "486 of 500 kWh");
    story.unregistered(120, RATED_W);
    assert!(story.has_latched(), "903 of 500 kWh");
}

#[test]
fn a_register_that_stands_uses_up_no_less() {
    let (mut story, _) = permitted();
    story.frozen(140, RATED_W);
    assert!(!story.has_latched(), "486 of 500 kWh");
    story.frozen(120, RATED_W);
    assert!(story.has_latched(), "903 of 500 kWh");
}

#[test]
fn what_power_used_of_a_permit_survives_a_restart() {
    let (mut story, granted) = permitted();
    story.unregistered(120, RATED_W).unregistered(1_000, 5_000);
    let used = story.verdict().permit.unwrap().used;
    assert!((180_000..417_000).contains(&used.0), "{used:?}");
    let mut after = story.goes_on(granted);
    after.unregistered(60, RATED_W);
    assert!(!after.has_latched(), "625 kWh, of which 215 may show in no register yet, twice");
    after.unregistered(120, RATED_W);
    assert!(after.has_latched(), "1 042 of 500 kWh");
}

#[test]
fn a_register_that_is_back_tells_nothing_twice() {
    let (mut story, granted) = permitted();
    story.unregistered(135, RATED_W).unregistered(1_000, 5_000);
    let mut after = story.goes_on(granted);
    after.unregistered(10, 5_000).run(10, 5_000, 100);
    assert!(!after.has_latched(), "470 of 500 kWh, after a restart: {:?}", after.verdict().permit);
    story.run(10, 5_000, 100);
    let used = story.verdict().permit.unwrap().used;
    assert!(!story.has_latched(), "and without one: {used:?}");
    story.run(60, RATED_W, 100);
    assert!(story.has_latched(), "678 of 500 kWh");
}

#[test]
fn a_load_that_beats_with_the_polls_uses_up_what_its_register_tells() {
    let mut story = Story::at_point(|terms| terms.poll_ms = 60_000);
    story.run(1_000, 5_000, 100);
    let granted = permit(&story, 3 * 3_600, maintenance(500));
    story.fact(Fact::Permit(&granted));
    // Ten seconds of each minute, and always while it is polled: 2 MW for an hour and a half are 500 kWh, seem 3 000.
    for _ in 0..85 {
        story.now_ms += 60_000;
        story.energy.0 += 2_000_000 / 360;
        let reading = story.reading(2_000_000, 100, None);
        story.hear(&Sample::Reading(reading));
    }
    assert!(!story.has_latched(), "{:?}", story.verdict().permit);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The lower of two readings, less what the class may err, is never more than was drawn, whatever a meter of its class
    /// shows of a load that steps once between two polls at most.
    #[test]
    fn what_power_shows_is_no_more_than_was_drawn(
        parts in prop::collection::vec((0_i64..=RATED_W, 1_u64..40, -1_000_i64..=1_000), 1..30),
        poll_s in prop_oneof![Just(1_u64), Just(5), Just(60)],
    ) {
        let mut story = Story::at_point(|terms| terms.poll_ms = poll_s * 1_000);
        story.run(2, 5_000, 100);
        let granted = permit(&story, 200_000, maintenance(1_000_000));
        story.fact(Fact::Permit(&granted));
        let (mut drawn_ws, ppm) = (0_i64, terms().error_ppm());
        let mut before = None;
        for (watts, polls, error) in parts {
            for _ in 0..polls {
                story.now_ms += poll_s * 1_000;
                // The lower power ran all the time in between.
                drawn_ws += before.map_or(watts, |before: i64| before.min(watts)) * poll_s.cast_signed();
                before = Some(watts);
                let shown = watts + watts * error / 1_000 * ppm / 1_000_000;
                let reading = Reading { import: None, ..story.reading(shown, 100, None) };
                story.hear(&Sample::Reading(reading));
            }
        }
        // An interval's end makes it told.
        story.unregistered(1_000, 0);
        let used = story.verdict().permit.map_or(0, |used| used.used.0);
        prop_assert!(used <= drawn_ws / 3_600 + 1, "{used} Wh of {drawn_ws} Ws");
    }
}
