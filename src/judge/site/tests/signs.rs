//! Signs as the site tells them: beside states, in verdicts, across papers, resets and restarts, between neighbours.

use super::{permits::permit, *};
use crate::judge::{Permitted, SignFinding, Turn};

impl Story {
    fn signs(&self) -> Vec<&SignFinding> {
        self.said
            .iter()
            .filter_map(|f| if let Finding::Event(Event::Sign(s)) = f { Some(s) } else { None })
            .collect()
    }

    fn turns(&self) -> Vec<(Sign, Turn)> {
        self.signs().iter().map(|found| (found.sign, found.turn)).collect()
    }

    /// Polls a melt whose meter has its voltage leads swapped.
    fn swapped(&mut self, seconds: u64) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let mut reading = self.reading(8_000_000, 100, None);
            for quantity in [Quantity::Power, Quantity::Reactive] {
                reading.values[quantity.index()] = Some(0);
            }
            self.hear(&Sample::Reading(reading));
        }
        self
    }
}

#[test]
fn swapped_leads_mask_the_feeder_within_two_polls_and_convict_nobody() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).swapped(1);
    assert!(story.signs().is_empty());
    story.swapped(1);
    assert_eq!(story.turns(), [(Sign::VoltageSwapped, Turn::Begins)]);
    let masked = State::Masked(Sign::VoltageSwapped);
    assert_eq!(story.last_state().state, masked);
    assert_eq!(story.last_state().signs.first().map(|standing| standing.sign), Some(Sign::VoltageSwapped));
    let verdict = story.verdict();
    assert_eq!(
        (verdict.state, verdict.signs.has_strong(), verdict.violation_since_unix_ms),
        (masked, true, None)
    );
    story.run(60, 8_000_000, 100);
    assert_eq!(story.last_state().state, State::Drawing, "drawing outranks a mask");
    story.run(2_000, 5_000, 100);
    assert_eq!(story.turns().last(), Some(&(Sign::VoltageSwapped, Turn::Over)));
    assert!(story.verdict().signs.is_empty());
}

#[test]
fn a_ratio_edited_from_23_to_5_is_masked_at_the_first_poll_and_both_edits_are_told() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).miss(1, Fault::RatioDiffers);
    assert_eq!(story.last_state().state, State::Masked(Sign::RatioChanged));
    story.miss(21_600, Fault::RatioDiffers);
    assert_eq!(story.last_state().state, State::Masked(Sign::RatioChanged), "silence does not hide it");
    assert_eq!(story.signs().len(), 1);
    story.run(5, 5_000, 100);
    assert_eq!(story.turns(), [(Sign::RatioChanged, Turn::Begins), (Sign::RatioChanged, Turn::Undone)]);
    assert_eq!(story.last_state().state, State::Energised);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

#[test]
fn a_paper_and_the_authority_take_a_sign_back_and_a_restart_does_not() {
    let fallen = || {
        let mut story = Story::new("2026-10-31");
        story.run(10, 5_000, 100);
        story.energy.0 -= 500_000;
        story.run(1_000, 5_000, 100);
        assert_eq!(story.last_state().state, State::Masked(Sign::RegisterFell));
        story
    };
    let mut story = fallen();
    let what = Permitted::MeterReplacement { meter: MeterId::new("m1").unwrap() };
    let mut paper = permit(&story, 3_600, what);
    paper.from_unix_ms -= 3_600_000;
    story.fact(Fact::Permit(&paper)).run(5, 5_000, 100);
    let taken_back = story.signs().last().map(|found| (found.turn, found.permit));
    assert_eq!(taken_back, Some((Turn::Permitted, Some(paper.id))));
    assert_eq!(story.last_state().state, State::Energised);
    let mut story = fallen();
    story.fact(Fact::Reset(AssetId::new("eaf-1").unwrap())).run(5, 5_000, 100);
    assert_eq!(story.turns().last(), Some(&(Sign::RegisterFell, Turn::Reset)));
    assert_eq!(story.last_state().state, State::Energised);
    let mut story = fallen();
    let mut memory = story.memory();
    memory.signs =
        story.last_state().signs.iter().map(|standing| (MeterId::new("m1").unwrap(), *standing)).collect();
    story.site = site("2026-10-31", &memory);
    story.run(5, 5_000, 100);
    assert_eq!(story.last_state().state, State::Masked(Sign::RegisterFell));
    assert_eq!(story.signs().len(), 1, "what stands is not told twice");
}

/// What is seen after the witness was off for two hours, in which so much was drawn and the register turned back by so
/// much; `uptime_ms`: what the meter then tells of itself.
fn off(drawn: i64, back: i64, uptime_ms: Option<i64>) -> (Vec<(Sign, Turn)>, State) {
    let mut story = Story::new("2026-10-31");
    story.run(2_000, 5_000, 100);
    let memory = story.memory();
    story.site = site("2026-10-31", &memory);
    story.now_ms += 7_200_000;
    story.energy.0 += drawn - back;
    for second in 1..=5 {
        story.now_ms += 1_000;
        let mut reading = story.reading(5_000, 100, None);
        reading.values[Quantity::UptimeS.index()] = uptime_ms.map(|uptime| uptime + second * 1_000);
        story.hear(&Sample::Reading(reading));
    }
    (story.turns(), story.last_state().state)
}

#[test]
fn a_register_turned_back_while_the_witness_was_off_is_seen_by_what_is_remembered() {
    let fell = (vec![(Sign::RegisterFell, Turn::Begins)], State::Masked(Sign::RegisterFell));
    assert_eq!(off(4_000_000, 60_000_000, None), fell, "it had stood much higher");
    assert_eq!(off(4_000_000, 6_000_000, None), fell, "a resting feeder had next to nothing to lose");
    assert_eq!(off(0, 1_000, Some(900_000_000)), fell, "nor had a meter that was never without power");
}

#[test]
fn counts_that_were_lost_while_the_witness_was_off_are_no_tampering() {
    for uptime_ms in [None, Some(600_000)] {
        assert_eq!(off(0, 1_000, uptime_ms), (Vec::new(), State::Energised), "{uptime_ms:?}");
    }
}

/// Three meters on one bus; each with its volts in percent and its frequency in millihertz.
fn bus(minutes: u64, shows: impl Fn(usize, u64) -> (i64, i64)) -> Vec<(MeterId, Sign)> {
    let ids = ["a1", "a2", "a3"].map(|id| MeterId::new(id).unwrap());
    let section = Name::new("10kv-1");
    let feeders = ids.iter().map(|meter| Commissioned { meter: *meter, section, ..terms() }).collect();
    let mut site = Site::new(feeders, Vec::new(), &Memory::default());
    let mut story = Story::new("2026-10-31");
    let mut seen = Vec::new();
    let mut say = |finding: Finding| {
        if let Finding::Event(Event::Sign(found)) = finding {
            seen.push((found.meter, found.sign));
        }
    };
    for _ in 0..minutes * 60 {
        story.now_ms += 1_000;
        for (place, meter) in ids.iter().enumerate() {
            let (percent, millihertz) = shows(place, story.now_ms / 1_000);
            let mut reading = story.reading(5_000, percent, None);
            reading.meter = *meter;
            reading.import = None;
            reading.values[Quantity::Frequency.index()] = Some(millihertz);
            site.on(&story.stamp(), Fact::Sample(&Sample::Reading(reading)), &mut say);
        }
        site.on(&story.stamp(), Fact::Tick, &mut say);
    }
    seen
}

/// The grid's frequency: it wanders by some tens of millihertz within minutes.
fn grid(second: u64) -> i64 {
    50_000 + flicker(second / 90) % 60 - 30
}

#[test]
fn a_voltage_that_is_not_the_bus_is_seen_and_small_differences_are_not() {
    let honest = bus(30, |place, second| ([100, 101, 99][place], grid(second)));
    assert_eq!(honest, []);
    let found = bus(30, |place, second| ([100, 96, 100][place], grid(second)));
    assert_eq!(found, [(MeterId::new("a2").unwrap(), Sign::VoltageApart)]);
    // One of them is behind an open breaker: a dead line has no neighbours.
    let cut = bus(30, |place, second| ([100, 0, 100][place], grid(second)));
    assert_eq!(cut, []);
}

#[test]
fn a_frequency_that_does_not_follow_the_grid_is_seen_and_a_coarse_meter_or_a_live_relay_is_not() {
    let recording =
        |place: usize, second: u64| (100, if place == 1 { grid(second + 77_777) } else { grid(second) });
    assert_eq!(bus(60, recording), [(MeterId::new("a2").unwrap(), Sign::FrequencyApart)]);
    let coarse =
        |place: usize, second: u64| (100, if place == 1 { grid(second) / 100 * 100 } else { grid(second) });
    assert_eq!(bus(60, coarse), []);
    let relay = |place: usize, second: u64| (100, grid(second - u64::try_from(place).unwrap()));
    assert_eq!(bus(60, relay), []);
}
