//! Honest plants that look guilty: whatever another cause explains convicts nobody.

use super::{permits::permit, *};
use crate::{
    judge::{Permitted, Role},
    metering::{Identity, identity::Label},
};

const PHASES: [Quantity; 3] = [Quantity::ImportL1, Quantity::ImportL2, Quantity::ImportL3];

/// Sets the phases' registers: each a third of the total, and something beside it.
pub(super) fn with_phases(reading: &mut Reading, total: WattHours, beside: i64) {
    for quantity in PHASES {
        let energy = WattHours(total.0 / 3 + beside);
        let register = Register { energy, step: WattHours(10), modulus: None, raw: 1, raw_words: 2 };
        reading.registers.set(quantity, register);
    }
}

impl Story {
    /// One reading with a maximum demand, in watts, and phase registers beside the total.
    fn demands(&mut self, seconds: u64, watts: i64, demand: i64) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let mut reading = self.reading(watts, 100, None);
            reading.values[Quantity::MaxDemand.index()] = Some(demand * 1_000);
            with_phases(&mut reading, self.energy, 0);
            self.hear(&Sample::Reading(reading));
        }
        self
    }

    fn is_innocent(&self) -> bool {
        let latched = |f: &Finding| matches!(f, Finding::Verdict(v) if v.violation_since_unix_ms.is_some());
        !self.states().contains(&State::Drawing) && !self.said.iter().any(latched)
    }
}

#[test]
fn lamps_over_an_outage_across_two_intervals_do_not_convict_by_the_phases() {
    let mut story = Story::new("2026-10-31");
    story.demands(300, 90_000, 40_000);
    // An interval of the ledger ends at 500 s: the lamps are weighed against all of the gap, not the rest of it.
    for _ in 0..600 {
        story.now_ms += 1_000;
        let (at, said) = (story.stamp(), &mut story.said);
        story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
    }
    story.energy.0 += 90_000 * 600 / 3_600;
    story.demands(5, 90_000, 40_000);
    assert!(story.is_innocent(), "{:?}", story.last_state().proof);
}

#[test]
fn an_error_of_angle_at_declared_capacitors_is_no_energy_of_a_phase() {
    let mut story = Story::new("2026-10-31");
    let mut terms = terms();
    terms.compensation_var = 20_000_000;
    let standing = Standing::declared(LegalDay::parse("2026-10-31"));
    let equipment = vec![Equipment { id: terms.asset(), standing }];
    story.site = Site::new(vec![terms], equipment, &Memory::default());
    for second in 0..7_200 {
        story.now_ms += 1_000;
        let mut reading = story.reading(5_000, 100, None);
        // 60 kW in each of two phases, taken back by the third.
        with_phases(&mut reading, story.energy, second * 60_000 / 3_600);
        story.hear(&Sample::Reading(reading));
    }
    assert!(story.is_innocent(), "{:?}", story.last_state().proof);
}

#[test]
fn another_meter_brings_its_own_past() {
    let told = |serial: &str| Identity { serial: Label::new(serial.as_bytes()), ..Identity::default() };
    let mut story = Story::new("2026-10-31");
    let meter = MeterId::new("m1").unwrap();
    let first = Sample::Identity { meter, at: story.stamp(), identity: told("1") };
    story.hear(&first);
    story.demands(90, 5_000, 40_000);
    story.now_ms += 3_600_000;
    let second = Sample::Identity { meter, at: story.stamp(), identity: told("2") };
    story.hear(&second);
    story.energy.0 += 3_000_000;
    story.demands(90, 5_000, 3_000_000);
    assert!(story.is_innocent(), "{:?}", story.last_state().proof);
}

#[test]
fn a_maximum_demand_that_is_gone_for_a_moment_did_not_rise() {
    let mut story = Story::new("2026-10-31");
    story.demands(90, 5_000, 3_000_000).demands(5, 5_000, 0).demands(90, 5_000, 3_000_000);
    assert!(story.is_innocent(), "it is from before the last lawful day");
}

#[test]
fn a_demand_of_the_last_lawful_hour_convicts_nobody_after_midnight() {
    let mut story = Story::new("2026-11-18");
    // Twenty minutes past midnight; the meter's demand is the mean of an hour that ends at half past.
    story.wall_offset_ms = 17_600_000 + 1_200_000;
    story.demands(600, 5_000, 40_000).demands(90, 5_000, 3_000_000);
    assert!(story.verdict().violation_since_unix_ms.is_none());
}

#[test]
fn a_run_of_a_permit_that_began_during_an_outage_is_excused() {
    let mut story = Story::new("2026-10-31");
    story.run(100, 5_000, 100);
    let from = story.now_ms;
    let mut permit = permit(&story, 3_600, Permitted::Maintenance { energy: WattHours(3_000_000) });
    permit.from_unix_ms += 600_000;
    story.fact(Fact::Permit(&permit));
    for _ in 0..1_200 {
        story.now_ms += 1_000;
        let (at, said) = (story.stamp(), &mut story.said);
        story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
    }
    assert!(story.now_ms > from);
    // Half a megawatt-hour of it belongs to the permitted minutes, for all anybody can tell.
    story.energy.0 += 500_000;
    story.run(10, 5_000, 100);
    assert!(story.verdict().violation_since_unix_ms.is_none());
    assert!(
        story.verdict().permit.unwrap().used >= WattHours(490_000),
        "and it is counted, but for what lamps may have drawn before"
    );
}

#[test]
fn what_a_permit_excuses_hides_nothing_that_comes_after_it() {
    let mut story = Story::new("2026-10-31");
    story.demands(90, 5_000, 40_000);
    let permit = permit(&story, 300, Permitted::Maintenance { energy: WattHours(3_000_000) });
    story.fact(Fact::Permit(&permit)).run(200, 8_000_000, 100);
    for _ in 0..20 {
        story.run(10, 5_000, 100).tick(1);
    }
    // The meter's demand of the permitted quarter of an hour shows once that is over.
    story.demands(5, 5_000, 3_000_000);
    let latched = |story: &Story| {
        let closed = |f: &Finding| matches!(f, Finding::Verdict(v) if v.violation_since_unix_ms.is_some());
        story.said.iter().any(closed)
    };
    assert!(!latched(&story), "{:?}", story.last_state().proof);
    story.run(20, 8_000_000, 100);
    assert!(latched(&story), "{:?}", story.last_state().proof);
}

#[test]
fn a_power_cut_that_took_the_gateways_clock_with_the_meters_counts_is_no_tampering() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let memory = story.memory();
    let kept = memory.meters[0].mark.unwrap().register.energy;
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    // Both come back: the gateway in 1970, the meter where it last kept its counts.
    (after.boot, after.quality, after.wall_offset_ms) = (2, ClockQuality::Unset, -WALL_MS);
    after.energy = WattHours(kept.0 - 300);
    after.run(10, 5_000, 100);
    let fell = |f: &Finding| matches!(f, Finding::Event(Event::Sign(s)) if s.sign == Sign::RegisterFell);
    assert!(!after.said.iter().any(fell), "{:?}", after.states());
}

#[test]
fn auxiliaries_alone_tell_nothing_of_the_process() {
    let mut story = Story::new("2026-10-31");
    let mut terms = terms();
    terms.role = Role::Auxiliary;
    let standing = Standing::declared(LegalDay::parse("2026-10-31"));
    let equipment = vec![Equipment { id: terms.asset(), standing }];
    story.site = Site::new(vec![terms], equipment, &Memory::default());
    story.run(200, 90_000, 100);
    assert!(matches!(story.verdict().state, State::Unknown(_)), "{:?}", story.verdict().state);
}

#[test]
fn counts_that_were_not_kept_are_no_height_to_fall_from() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 0, 100).miss(5, Fault::Timeout);
    story.energy.0 -= 25;
    story.run(5, 0, 100);
    story.energy.0 += 21;
    story.run(1, 0, 100);
    story.energy.0 -= 21;
    story.run(5, 0, 100);
    let fell = |f: &Finding| matches!(f, Finding::Event(Event::Sign(s)) if s.sign == Sign::RegisterFell);
    assert!(!story.said.iter().any(fell), "one torn reading after a power cut");
}
