//! What the authority permits, and the latch that only it opens.

use super::*;
use crate::{
    judge::{Permit, PermitUse, Permitted},
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
    story.fact(Fact::Permit(&permit)).run(1_800, 50_000, 100).run(225, 8_000_000, 100);
    story.fact(Fact::Ask(asset()));
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
    assert!(
        (permit.to_unix_ms..permit.to_unix_ms + 30_000).contains(&since),
        "{} ms after it ended",
        since - permit.to_unix_ms
    );
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
    memory.permit_uses = story.verdict().permit_closed().map(|used| (asset(), used)).into_iter().collect();
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    (after.energy, after.now_ms) = (story.energy, story.now_ms);
    after.run(60, 8_000_000, 100);
    assert!(!after.is_violated(), "670 kWh were drawn before, 130 now: 800 of 1,000");
    after.run(120, 8_000_000, 100);
    assert!(after.is_violated());
}

#[test]
fn what_a_register_tells_again_after_a_restart_uses_up_nothing_twice() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let permit = permit(&story, 3_600, maintenance(500));
    // 450 kWh in the middle of an interval, told by a verdict, and the program restarts before the interval ends.
    story.fact(Fact::Permit(&permit)).run(203, 8_000_000, 100).run(2, 5_000, 100);
    story.fact(Fact::Ask(asset()));
    let before = story.verdict().permit.unwrap().used;
    assert!(before > WattHours(440_000), "{before:?}");
    let mut memory = story.memory();
    memory.permits = vec![permit];
    memory.permit_uses = story.verdict().permit_closed().map(|used| (asset(), used)).into_iter().collect();
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    (after.boot, after.energy, after.now_ms) = (2, story.energy, story.now_ms);
    after.run(10, 5_000, 100);
    after.fact(Fact::Ask(asset()));
    let used = after.verdict().permit.unwrap().used;
    // The lamps' share of the time since the last interval may be taken off, and nothing is added.
    assert!((before.0 - 13_000..=before.0).contains(&used.0), "{used:?} after {before:?}");
    assert!(!after.is_violated());
}

#[test]
fn lamps_of_the_days_before_a_permit_do_not_use_it_up() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let memory = story.memory();
    let mut after = Story::new("2026-10-31");
    (after.boot, after.wall_offset_ms) = (2, story.stamp().wall_unix_ms - WALL_MS + 3 * 86_400_000);
    // The gateway was away for three days; in the last hour of them 490 of 500 kWh were drawn under a permit.
    let began = permit(&after, 3_600, maintenance(500));
    let permit = Permit { from_unix_ms: began.from_unix_ms - 3_600_000, ..began };
    after.site = site("2026-10-31", &Memory { permits: vec![permit], ..memory });
    after.energy = WattHours(story.energy.0 + 3 * 24 * 45_000 + 490_000);
    after.run(3, 5_000, 100);
    assert!(!after.is_violated(), "{:?}", after.verdict());
    after.run(30, 8_000_000, 100);
    assert!(!after.is_violated(), "the lamps' share of three days is told to be at most what it may be");
    after.run(600, 8_000_000, 100);
    assert!(after.is_violated());
}

#[test]
fn what_a_slow_register_shows_after_the_end_was_drawn_before_it() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let permit = permit(&story, 300, maintenance(2_000));
    story.fact(Fact::Permit(&permit)).tick(1);
    // The register lags by 50 s: what was drawn up to the end shows after it.
    for second in 0..900_u64 {
        let (power, seen) = (u64::from(second < 298), u64::from((50..348).contains(&second)));
        let before = story.energy;
        story.run(1, 8_000_000 * i64::try_from(power).unwrap() + 5_000, 100);
        story.energy = WattHours(before.0 + i64::try_from(seen).unwrap() * 2_222);
        let (at, said) = (story.stamp(), &mut story.said);
        story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
    }
    assert!(!story.is_violated(), "{:?}", story.last_state());
}

#[test]
fn two_permits_at_once_permit_no_more_than_both() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let one = permit(&story, 3_600, maintenance(300));
    let two = Permit { id: Name::new("permit-2").unwrap(), ..permit(&story, 7_200, maintenance(300)) };
    story.fact(Fact::Permit(&one)).fact(Fact::Permit(&two)).run(260, 8_000_000, 100);
    assert!(!story.is_violated(), "578 of 600 kWh");
    story.run(60, 8_000_000, 100);
    assert!(story.is_violated(), "710 of 600 kWh");
}

/// What a journal's newest records tell of the permits of a story that began with some, the one used last at the end.
fn uses(before: &[(AssetId, PermitUse)], story: &Story) -> Vec<(AssetId, PermitUse)> {
    let last = story.verdict().permit_closed();
    let mut uses: Vec<PermitUse> = before.iter().map(|(_, used)| *used).collect();
    for finding in &story.said {
        if let Finding::Event(Event::PermitUsed { used, .. }) = finding {
            uses.retain(|known| known.permit != used.permit);
            uses.push(*used);
        }
    }
    uses.retain(|used| last.is_none_or(|last| last.permit != used.permit));
    uses.into_iter().chain(last).map(|used| (asset(), used)).collect()
}

/// A story that goes on where another one was stopped.
fn restarted(story: &Story, permits: Vec<Permit>, permit_uses: Vec<(AssetId, PermitUse)>) -> Story {
    let memory = Memory { permits, permit_uses, ..story.memory() };
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    (after.energy, after.now_ms) = (story.energy, story.now_ms);
    after
}

#[test]
fn two_permits_and_what_was_drawn_under_each_survive_a_restart() {
    for stops_at_s in [5, 500, 1_400] {
        let mut story = Story::new("2026-10-31");
        story.run(1_000, 5_000, 100);
        let one = permit(&story, 7_200, maintenance(300));
        let two = Permit { id: Name::new("permit-2").unwrap(), ..permit(&story, 9_000, maintenance(300)) };
        // 445 kWh: all of the first, and some of the second.
        story.fact(Fact::Permit(&one)).fact(Fact::Permit(&two)).run(200, 8_000_000, 100);
        story.run(stops_at_s, 5_000, 100);
        let used = uses(&[], &story);
        let mut after = restarted(&story, vec![one, two], used.clone());
        after.run(30, 8_000_000, 100);
        assert!(!after.is_violated(), "{stops_at_s}: 512 of 600 kWh");
        // Once more, when nothing of it stands open.
        after.run(1_000, 5_000, 100);
        let mut again = restarted(&after, vec![one, two], uses(&used, &after));
        again.run(20, 8_000_000, 100);
        assert!(!again.is_violated(), "{stops_at_s}: 556 of 600 kWh");
        again.run(60, 8_000_000, 100);
        assert!(again.is_violated(), "{stops_at_s}: 690 of 600 kWh");
    }
}

#[test]
fn a_permit_that_runs_and_one_to_come_both_survive_a_restart() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let runs = permit(&story, 3_000, maintenance(500));
    let later = Permit {
        id: Name::new("permit-2").unwrap(),
        from_unix_ms: runs.to_unix_ms + 600_000,
        to_unix_ms: runs.to_unix_ms + 3_600_000,
        ..permit(&story, 3_600, maintenance(500))
    };
    story.fact(Fact::Permit(&runs)).fact(Fact::Permit(&later)).run(100, 8_000_000, 100);
    let used = uses(&[], &story);
    let mut after = restarted(&story, vec![runs, later], used.clone());
    after.run(60, 8_000_000, 100);
    assert!(!after.is_violated(), "355 of 500 kWh");
    after.run(3_540, 5_000, 100).run(100, 8_000_000, 100);
    assert!(!after.is_violated(), "222 of 500 kWh under the second");
    let mut again = restarted(&after, vec![runs, later], uses(&used, &after));
    again.run(100, 8_000_000, 100);
    assert!(!again.is_violated(), "444 of 500 kWh under the second");
    again.run(60, 8_000_000, 100);
    assert!(again.is_violated(), "577 of 500 kWh under the second");
}

#[test]
fn a_new_permit_finds_room_however_many_ended_before() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    for day in 0..crate::judge::permit::MAX_PERMITS {
        let id = Name::new(&format!("old-{day}")).unwrap();
        let ended_ms = (400 - i64::try_from(day).unwrap()) * 86_400_000;
        let now = permit(&story, 60, maintenance(500));
        let (from_unix_ms, to_unix_ms) = (now.from_unix_ms - ended_ms, now.to_unix_ms - ended_ms);
        story.fact(Fact::Permit(&Permit { id, from_unix_ms, to_unix_ms, ..now }));
    }
    let newest = permit(&story, 3_600, maintenance(500));
    story.fact(Fact::Permit(&newest)).run(60, 8_000_000, 100);
    assert!(!story.is_violated());
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
