//! What the authority permits, and the latch that only it opens.

use super::*;
use crate::{
    judge::{Permit, Permitted},
    terms::{Digest, Name},
};

pub(super) fn asset() -> AssetId {
    AssetId::new("eaf-1").unwrap()
}

/// A permit for the next so many seconds of a story.
pub(super) fn permit(story: &Story, seconds: i64, what: Permitted) -> Permit {
    let now = story.stamp().wall_unix_ms;
    Permit {
        id: Name::new("permit-1").unwrap(),
        asset: asset(),
        what,
        from_unix_ms: now,
        to_unix_ms: now + seconds * 1_000,
        document: Digest::of(b"paper"),
    }
}

impl Story {
    pub(super) fn fact(&mut self, fact: Fact<'_>) -> &mut Story {
        let (at, said) = (self.stamp(), &mut self.said);
        self.site.on(&at, fact, &mut |f| said.push(f));
        self
    }

    fn is_violated(&self) -> bool {
        self.verdict().violation_since_unix_ms.is_some()
    }
}

fn maintenance(kwh: i64) -> Permitted {
    Permitted::Maintenance { energy: WattHours(kwh * 1_000) }
}

#[test]
fn a_permitted_run_is_shown_and_convicts_nobody() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let permit = permit(&story, 3_600, maintenance(2_000));
    story.fact(Fact::Permit(&permit)).run(600, 8_000_000, 100).tick(1);
    assert_eq!(story.verdict().state, State::Drawing, "what is drawn is shown as drawn");
    assert!(!story.is_violated());
    story.run(4_000, 5_000, 100).tick(1);
    assert!(
        !story.is_violated(),
        "neither the off-delay nor the permit's end convicts whoever stopped in time"
    );
    let used = story.verdict().permit.unwrap();
    assert_eq!(used.permit, permit.id);
    assert!((1_300_000..1_400_000).contains(&used.used.0), "{used:?}");
}

#[test]
fn more_energy_than_permitted_is_a_violation() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let permit = permit(&story, 3_600, maintenance(500));
    story.fact(Fact::Permit(&permit)).run(120, 8_000_000, 100);
    assert!(!story.is_violated());
    story.run(180, 8_000_000, 100);
    assert!(story.is_violated());
}

#[test]
fn lamps_and_the_error_of_the_meter_do_not_use_up_a_permit() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let permit = permit(&story, 3_600, maintenance(500));
    // 25 kWh of allowed lamps and no-load loss, 99 % of the permit, and the class of the meter on top.
    story.fact(Fact::Permit(&permit)).run(1_800, 50_000, 100).run(225, 8_000_000, 100).tick(1);
    let used = story.verdict().permit.unwrap().used;
    assert!(used > WattHours(520_000), "{used:?}");
    assert!(!story.is_violated(), "what stands beside the permit is not counted against it");
    story.run(30, 8_000_000, 100);
    assert!(story.is_violated(), "and not a furnace's heat more");
}

#[test]
fn whoever_goes_on_after_the_permit_ended_is_convicted_by_what_comes_after() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let permit = permit(&story, 300, maintenance(50_000));
    story.fact(Fact::Permit(&permit)).tick(1);
    for _ in 0..40 {
        story.run(10, 8_000_000, 100).tick(1);
    }
    let since = story.verdict().violation_since_unix_ms.unwrap();
    assert!(since > permit.to_unix_ms, "{since}");
}

#[test]
fn a_permit_excuses_nothing_that_began_before_it_and_nobody_elses_furnace() {
    let mut story = Story::new("2026-10-31");
    let late = permit(&story, 3_600, maintenance(50_000));
    story.run(10, 5_000, 100);
    let other =
        Permit { asset: AssetId::new("eaf-9").unwrap(), ..permit(&story, 3_600, maintenance(50_000)) };
    story.fact(Fact::Permit(&other)).run(60, 8_000_000, 100);
    assert!(story.is_violated());
    story.fact(Fact::Permit(&late)).run(10, 8_000_000, 100);
    assert!(story.is_violated(), "a permit does not open the latch");
}

#[test]
fn a_permit_and_what_was_drawn_under_it_survive_a_restart() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let permit = permit(&story, 3_600, maintenance(1_000));
    story.fact(Fact::Permit(&permit)).run(300, 8_000_000, 100).run(1_200, 5_000, 100);
    let mut memory = story.memory();
    memory.permits = vec![permit];
    memory.equipment = vec![crate::judge::EquipmentMemory {
        asset: asset(),
        violation_since_unix_ms: None,
        energy_closed: WattHours(0),
        bound_closed: WattHours(0),
        permit: story.verdict().permit,
        plate: None,
        standing: Standing::default(),
    }];
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    (after.energy, after.now_ms) = (story.energy, story.now_ms);
    after.run(60, 8_000_000, 100);
    assert!(!after.is_violated(), "670 kWh were drawn before, 130 now: 800 of 1,000");
    after.run(120, 8_000_000, 100);
    assert!(after.is_violated());
}

#[test]
fn the_authority_opens_the_latch_and_whoever_still_draws_closes_it_again() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(60, 8_000_000, 100).run(100, 5_000, 100);
    assert!(story.is_violated());
    story.fact(Fact::Reset(asset()));
    assert!(!story.is_violated());
    story.run(100, 5_000, 100);
    assert!(!story.is_violated(), "what was reset is not counted again, though the off-delay still runs");
    story.run(60, 8_000_000, 100);
    assert!(story.is_violated());
    story.fact(Fact::Reset(asset())).run(60, 8_000_000, 100);
    assert!(story.is_violated(), "it never stopped");
}

#[test]
fn the_paper_of_a_replaced_meter_is_named_beside_its_register() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let meter = MeterId::new("m1").unwrap();
    let paper = permit(&story, 3_600, Permitted::MeterReplacement { meter });
    story.fact(Fact::Permit(&paper));
    story.energy = WattHours(50);
    story.run(10, 5_000, 100);
    let papers: Vec<_> = story
        .said
        .iter()
        .filter_map(|f| if let Finding::Event(Event::Register(e)) = f { Some(e.permit) } else { None })
        .collect();
    assert!(!papers.is_empty() && papers.iter().all(|permit| *permit == Some(paper.id)), "{papers:?}");
    story.run(60, 8_000_000, 100);
    assert!(story.is_violated(), "a paper about a meter permits no melt");
}
