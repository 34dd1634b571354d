//! The judge told a story second by second, in virtual time.

mod cuts;
mod doubt;
mod edges;
mod law;
mod lives;
mod permit_lives;
mod permits;
mod points;
mod signs;

use super::*;
use crate::{
    catalogue::Standing,
    judge::{
        Allowance, AllowanceKind, Floor, Proof, RegisterQuirk, Sign, State, StateFinding, Verdict,
        VoltagePoint, Why, Wiring, memory::MeterMemory,
    },
    metering::{Fault, Quantity, Register, Registers, Scan, decode::Applied, quantity::QUANTITIES},
    terms::{ClockQuality, LegalDay, MilliVolts, MilliWatts, Name, WattHours},
};

const WALL_MS: i64 = 1_795_000_000_000;
const NOMINAL: i64 = 35_000_000;

/// A meter on a 12.5 MW furnace, its judge, and everything said so far.
struct Story {
    site: Site,
    now_ms: u64,
    boot: u32,
    wall_offset_ms: i64,
    energy: WattHours,
    quality: ClockQuality,
    said: Vec<Finding>,
    plant: lives::Plant,
}

/// The last digits of a live line's voltage: they never stand, and never come again in the same order.
fn flicker(second: u64) -> i64 {
    let mixed = (second ^ second >> 7).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    i64::try_from((mixed ^ mixed >> 31).wrapping_mul(0x94D0_49BB_1331_11EB) >> 53).unwrap()
}

fn terms() -> Commissioned {
    let lamps = Allowance::drawing(
        Name::new("lamps").unwrap(),
        AllowanceKind::Lamps,
        MilliWatts::from_watts(30_000),
        WattHours(5_000_000),
    );
    let (meter, asset) = (MeterId::new("m1").unwrap(), AssetId::new("eaf-1").unwrap());
    let (nominal, rated) = (MilliVolts(NOMINAL), MilliWatts::from_watts(12_500_000));
    let floor = Floor::of(Wiring::FourWire, 400, nominal, 2_000);
    Commissioned {
        voltage_point: VoltagePoint::Load,
        no_load: MilliWatts::from_watts(20_000),
        allowances: Box::new([lamps]),
        ..Commissioned::process_feeder(meter, asset, nominal, rated, floor)
    }
}

fn site(decommissioned_on: &str, memory: &Memory) -> Site {
    let standing = Standing::declared(LegalDay::parse(decommissioned_on));
    Site::new(vec![terms()], vec![Equipment { id: AssetId::new("eaf-1").unwrap(), standing }], memory)
}

impl Story {
    fn new(decommissioned_on: &str) -> Story {
        Story {
            site: site(decommissioned_on, &Memory::default()),
            now_ms: 1_000,
            boot: 1,
            wall_offset_ms: 0,
            energy: WattHours(1_000_000_000),
            quality: ClockQuality::Ntp,
            said: Vec::new(),
            plant: lives::Plant::default(),
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            wall_unix_ms: WALL_MS + self.wall_offset_ms + self.now_ms.cast_signed(),
            uptime_ms: self.now_ms,
            boot: self.boot,
            clock: self.quality,
            error_ms: 0,
        }
    }

    fn reading(&self, watts: i64, volts_percent: i64, life: Option<i64>) -> Reading {
        let mut values = [None; QUANTITIES];
        let mut set = |q: Quantity, v| values[q.index()] = Some(v);
        set(Quantity::Power, watts * 1_000);
        for q in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
            // A live line's voltage never stands to its last digit.
            let flicker = flicker(self.now_ms / 1_000);
            set(q, NOMINAL / 100 * volts_percent + if volts_percent > 0 { flicker } else { 0 });
        }
        for q in [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3] {
            set(q, if watts > 60_000 { watts / 60 } else { 0 });
        }
        if let Some(life) = life {
            set(Quantity::RunHours, life);
        }
        let register =
            Register { energy: self.energy, step: WattHours(10), modulus: None, raw: 7, raw_words: 2 };
        Reading {
            meter: MeterId::new("m1").unwrap(),
            at: self.stamp(),
            took_ms: 5,
            values,
            registers: Registers::default(),
            import: Some(register),
            requests: [0; QUANTITIES],
            ratios: Applied::DIRECT,
            scan: Scan::default(),
        }
    }

    fn hear(&mut self, sample: &Sample) {
        let (at, said) = (self.stamp(), &mut self.said);
        self.site.on(&at, Fact::Sample(sample), &mut |f| said.push(f));
    }

    /// Polls once a second with a constant load; the register follows it exactly.
    fn run(&mut self, seconds: u64, watts: i64, volts_percent: i64) -> &mut Story {
        let mut rest = 0;
        for _ in 0..seconds {
            self.now_ms += 1_000;
            rest += watts.max(0);
            self.energy.0 += rest / 3_600;
            rest %= 3_600;
            let reading = self.reading(watts, volts_percent, None);
            self.hear(&Sample::Reading(reading));
        }
        self
    }

    fn miss(&mut self, polls: u64, fault: Fault) -> &mut Story {
        for _ in 0..polls {
            self.now_ms += 1_000;
            let sample = Sample::Miss { meter: MeterId::new("m1").unwrap(), at: self.stamp(), fault };
            self.hear(&sample);
        }
        self
    }

    fn tick(&mut self, seconds: u64) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let (at, said) = (self.stamp(), &mut self.said);
            self.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
        self
    }

    fn states(&self) -> Vec<State> {
        self.said
            .iter()
            .filter_map(|f| if let Finding::State(s) = f { Some(s.state) } else { None })
            .collect()
    }

    fn last_state(&self) -> &StateFinding {
        self.said.iter().rev().find_map(|f| if let Finding::State(s) = f { Some(s) } else { None }).unwrap()
    }

    fn verdict(&self) -> &Verdict {
        self.said.iter().rev().find_map(|f| if let Finding::Verdict(v) = f { Some(v) } else { None }).unwrap()
    }

    /// What the journal would hand to the judge after a restart.
    fn memory(&self) -> Memory {
        let interval =
            self.said.iter().rev().find_map(|f| if let Finding::Interval(i) = f { Some(*i) } else { None });
        let mut meters = interval.map(|i| MeterMemory {
            meter: i.meter,
            mark: i.after,
            earlier: i.before,
            windows: i.windows,
            accounted_to: i.end,
            identity: self.said.iter().rev().find_map(|f| match f {
                Finding::Event(Event::Meter(told)) => Some(told.after),
                Finding::State(_)
                | Finding::Interval(_)
                | Finding::Verdict(_)
                | Finding::Transition(_)
                | Finding::Event(_) => None,
            }),
        });
        // As `evidence::recall` does: a count that began anew since then is the baseline, and another meter has none.
        let mut is_after = false;
        for finding in &self.said {
            let Some(memory) = meters.as_mut() else { break };
            match finding {
                Finding::Interval(interval) => is_after = interval.end == memory.accounted_to,
                Finding::Event(Event::Register(event))
                    if is_after
                        && matches!(
                            event.what,
                            RegisterQuirk::Unsaved | RegisterQuirk::Rebased | RegisterQuirk::Untimed
                        ) =>
                {
                    (memory.mark, memory.earlier, memory.windows) = (Some(event.after), None, None);
                }
                Finding::Event(Event::Meter(told)) if is_after && told.before.is_some() => {
                    memory.windows = None;
                    memory.mark = memory.mark.filter(|_| !told.is_another());
                }
                Finding::State(found) if is_after => memory.mark = memory.mark.or(found.mark),
                Finding::State(_) | Finding::Verdict(_) | Finding::Transition(_) | Finding::Event(_) => {}
            }
        }
        Memory {
            meters: meters.into_iter().collect(),
            equipment: vec![],
            last: Some(self.stamp()),
            ..Memory::default()
        }
    }
}

#[test]
fn an_idle_line_is_energised_and_lamps_are_auxiliary() {
    let mut story = Story::new("2026-10-31");
    // Floor 48.5 kW and no-load 20 kW: up to 68.5 kW nothing is drawn; the lamps' 30 kW lie on top.
    story.run(5, 5_000, 100).run(30, 90_000, 100).run(70, 60_000, 100);
    let expected = [State::Unknown(Why::NotYetJudged), State::Energised, State::Auxiliary, State::Energised];
    assert_eq!(story.states(), expected);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

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
fn three_missed_polls_are_unknown_and_never_zero() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).miss(2, Fault::Timeout);
    assert_eq!(story.last_state().state, State::Energised);
    story.miss(1, Fault::Timeout);
    let unknown = story.last_state();
    assert_eq!(unknown.state, State::Unknown(Why::Fault(Fault::Timeout)));
    assert_eq!((unknown.power, unknown.scan.blocks().count()), (None, 0));
    story.run(1, 5_000, 100);
    assert_eq!(story.last_state().state, State::Energised);
}

#[test]
fn silence_without_any_poll_becomes_unknown() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).tick(20);
    assert_eq!(story.last_state().state, State::Energised, "a slow bus is slow, not silent");
    story.tick(20);
    assert_eq!(story.last_state().state, State::Unknown(Why::Silent));
}

#[test]
fn a_melt_inside_a_gap_shows_on_the_register() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).miss(600, Fault::Timeout);
    story.energy.0 += 500_000;
    story.run(2, 5_000, 100);
    let found = story.last_state();
    assert_eq!(found.state, State::Drawing);
    let Some(Proof::Energy(excess)) = found.proof else { panic!("{found:?}") };
    assert!((500_001..=500_003).contains(&excess.moved.0), "{excess:?}");
    assert!(story.verdict().violation_since_unix_ms.is_some());
}

#[test]
fn a_reboot_after_three_days_is_just_a_long_gap() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let memory = story.memory();
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    after.boot = 2;
    after.wall_offset_ms = story.stamp().wall_unix_ms - WALL_MS + 3 * 86_400_000;
    after.energy = WattHours(story.energy.0 + 100_000);
    after.run(901, 5_000, 100);
    let interval =
        after.said.iter().find_map(|f| if let Finding::Interval(i) = f { Some(*i) } else { None }).unwrap();
    assert_eq!(interval.shares.unaccounted_ms(), 0);
    assert!(interval.shares.bridged_ms() > 3 * 86_400_000 - 1_000_000);
    assert!(
        after.states().iter().all(|s| *s != State::Drawing),
        "lamps for three days are within the allowances"
    );
    let mut melted = Story::new("2026-10-31");
    melted.site = site("2026-10-31", &memory);
    (melted.boot, melted.wall_offset_ms) = (2, after.wall_offset_ms);
    melted.energy = WattHours(story.energy.0 + 12_000_000);
    melted.run(2, 5_000, 100);
    assert_eq!(melted.last_state().state, State::Drawing);
}

#[test]
fn a_gap_over_the_last_lawful_midnight_convicts_nobody() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    story.run(1_000, 5_000, 100);
    story.now_ms += 86_400_000;
    story.energy.0 += 20_000_000;
    story.run(5, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    assert_eq!(
        story.verdict().violation_since_unix_ms,
        None,
        "the energy may have been drawn on the last lawful day"
    );
    story.run(10, 8_000_000, 100);
    assert!(story.verdict().violation_since_unix_ms.is_some());
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
fn a_register_that_falls_or_leaps_is_an_event_and_never_a_conviction() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    story.energy.0 -= 1_000;
    story.run(1, 5_000, 100);
    assert_eq!(story.last_state().state, State::Unknown(Why::RegisterFell));
    story.run(2_000, 5_000, 100);
    let masked = State::Masked(Sign::RegisterFell);
    assert_eq!(
        story.last_state().state,
        masked,
        "two readings agree on a new baseline, and no power cycle explains it"
    );
    assert_eq!((story.verdict().violation_since_unix_ms, story.verdict().state), (None, masked));
    let mut leapt = Story::new("2026-10-31");
    leapt.run(10, 5_000, 100);
    leapt.energy.0 += 90_000_000_000;
    leapt.run(1, 5_000, 100);
    assert_eq!(leapt.last_state().state, State::Unknown(Why::RegisterLeapt));
    leapt.run(2_000, 5_000, 100);
    assert_eq!(leapt.last_state().state, State::Energised);
    assert_eq!(leapt.verdict().violation_since_unix_ms, None);
    let quirks =
        story.said.iter().chain(&leapt.said).filter(|f| matches!(f, Finding::Event(Event::Register(_))));
    assert_eq!(quirks.count(), 4, "fell, rebased, leapt, rebased");
}

#[test]
fn one_bad_register_reading_neither_convicts_nor_hides() {
    let zero_once = |story: &mut Story| {
        let true_energy = std::mem::replace(&mut story.energy, WattHours(0));
        story.run(1, 5_000, 100);
        story.energy = true_energy;
    };
    let mut cold = Story::new("2026-10-31");
    cold.energy = WattHours(3_000);
    cold.run(10, 5_000, 100);
    zero_once(&mut cold);
    cold.run(10, 5_000, 100);
    cold.energy.0 -= 1_000;
    cold.run(1, 5_000, 100);
    cold.energy.0 += 1_000;
    cold.run(10, 5_000, 100);
    zero_once(&mut cold);
    cold.miss(900, Fault::Timeout);
    cold.run(2_000, 5_000, 100);
    assert_eq!((cold.verdict().violation_since_unix_ms, cold.last_state().state), (None, State::Energised));
    let mut melted = Story::new("2026-10-31");
    melted.run(10, 5_000, 100).miss(7_200, Fault::Timeout);
    melted.energy.0 += 25_000_000;
    zero_once(&mut melted);
    melted.run(3, 5_000, 100);
    assert!(melted.verdict().violation_since_unix_ms.is_some());
}

#[test]
fn an_outage_over_a_quarter_hour_convicts_no_lawful_load() {
    for watts in [5_000, 20_000, 60_000, 90_000] {
        let mut story = Story::new("2026-10-31");
        let boundary = 900 - u64::try_from((WALL_MS / 1_000).rem_euclid(900)).unwrap();
        story.run(boundary + 500, watts, 100);
        for _ in 0..400 {
            story.energy.0 += watts / 3_600;
            story.miss(1, Fault::Timeout).tick(0);
            let (at, said) = (story.stamp(), &mut story.said);
            story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
        story.run(2_000, watts, 100);
        assert!(!story.states().contains(&State::Drawing), "{watts} W");
    }
}

#[test]
fn a_register_refreshed_in_beats_convicts_no_lawful_load() {
    for (watts, beat_s) in [(90_000, 1), (20_000, 15), (90_000, 30), (5_000, 60)] {
        let mut story = Story::new("2026-10-31");
        let mut true_energy = story.energy.0 * 3_600;
        for second in 0..4_000 {
            // Answers jitter: every seventh comes late, the next on time.
            story.now_ms = (1_000 + second) * 1_000 + if second % 7 == 0 { 900 } else { 0 };
            true_energy += watts;
            if second % beat_s == 0 {
                story.energy = WattHours(true_energy / 3_600);
            }
            let reading = story.reading(watts, 100, None);
            story.hear(&Sample::Reading(reading));
        }
        assert!(!story.states().contains(&State::Drawing), "{watts} W every {beat_s} s");
    }
}

#[test]
fn a_reboot_with_a_clock_that_stood_still_convicts_nobody_and_says_so() {
    for (quality, wall_back_ms) in
        [(ClockQuality::Rtc, 3_600_000), (ClockQuality::Rtc, -1_000), (ClockQuality::Unset, WALL_MS)]
    {
        let mut story = Story::new("2026-10-31");
        story.quality = ClockQuality::Rtc;
        story.run(1_000, 20_000, 100);
        let memory = story.memory();
        let mut after = Story::new("2026-10-31");
        after.site = site("2026-10-31", &memory);
        (after.boot, after.quality) = (2, quality);
        after.wall_offset_ms = story.stamp().wall_unix_ms - WALL_MS - wall_back_ms;
        after.energy = WattHours(story.energy.0 + 40_000);
        after.run(2_000, 20_000, 100);
        assert!(!after.states().contains(&State::Drawing), "{quality:?} {wall_back_ms}");
        let untimed =
            |f: &Finding| matches!(f, Finding::Event(Event::Register(e)) if e.what == RegisterQuirk::Untimed);
        assert!(after.said.iter().any(untimed), "{quality:?} {wall_back_ms}");
    }
}

#[test]
fn a_clock_that_was_fast_dates_no_violation_before_the_lawful_midnight() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    let to_midnight = today.starts_unix_ms() + 86_400_000 - WALL_MS;
    story.wall_offset_ms = to_midnight;
    story.run(5, 5_000, 100);
    story.wall_offset_ms = to_midnight - 3_600_000;
    story.run(60, 8_000_000, 100);
    assert_eq!(story.verdict().state, State::Drawing);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
    story.quality = ClockQuality::Unset;
    story.wall_offset_ms = to_midnight + 86_400_000;
    story.run(60, 8_000_000, 100);
    assert_eq!(story.verdict().violation_since_unix_ms, None, "a clock that was never set dates nothing");
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
fn a_register_that_jumps_with_every_reading_is_doubt_not_the_last_state() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    let true_energy = story.energy.0;
    for jump in [90_000, 50_000, 20_000, 9_000] {
        story.energy.0 = true_energy + jump;
        story.run(1, 5_000, 100);
    }
    assert_eq!(story.last_state().state, State::Unknown(Why::RegisterLeapt));
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

#[test]
fn a_fall_after_a_long_gap_is_no_roll_over() {
    let mut story = Story::new("2026-10-31");
    let modulus = |reading: &mut Reading| {
        if let Some(register) = &mut reading.import {
            register.modulus = Some(WattHours(10_000_000_000));
        }
    };
    let poll = |story: &mut Story, seconds: u64| {
        for _ in 0..seconds {
            story.now_ms += 1_000;
            let mut reading = story.reading(5_000, 100, None);
            modulus(&mut reading);
            story.hear(&Sample::Reading(reading));
        }
    };
    poll(&mut story, 10);
    story.now_ms += 15 * 86_400_000;
    story.energy.0 -= 1_000;
    poll(&mut story, 10);
    assert!(!story.states().contains(&State::Drawing), "{:?}", story.states());
}

#[test]
fn a_clock_that_was_hours_ahead_dates_nothing_wrongly_after_it_is_set() {
    let today = LegalDay::of_unix_ms(WALL_MS);
    let mut story = Story::new(&today.to_string());
    (story.quality, story.wall_offset_ms) = (ClockQuality::Rtc, 28_800_000);
    story.run(60, 5_000, 100);
    (story.quality, story.wall_offset_ms) = (ClockQuality::Ntp, 0);
    story.miss(600, Fault::Timeout);
    story.energy.0 += 800_000;
    story.run(5, 5_000, 100);
    assert_eq!(story.last_state().state, State::Drawing);
    assert_eq!(story.verdict().violation_since_unix_ms, None, "drawn on the last lawful day");
    for watts in [20_000, 60_000, 90_000] {
        let mut story = Story::new("2026-10-31");
        (story.quality, story.wall_offset_ms) = (ClockQuality::Rtc, 28_800_000);
        story.run(60, watts, 100);
        (story.quality, story.wall_offset_ms) = (ClockQuality::Ntp, 0);
        story.run(7_200, watts, 100);
        let memory = story.memory();
        let (energy, now_ms) = (story.energy, story.now_ms);
        story.site = site("2026-10-31", &memory);
        (story.boot, story.energy, story.now_ms) = (2, energy, now_ms + 60_000);
        story.run(1_000, watts, 100);
        assert!(!story.states().contains(&State::Drawing), "{watts}");
    }
}

#[test]
fn energy_is_counted_once_across_a_restart() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100).run(600, 8_000_000, 100).miss(3, Fault::Timeout);
    let before = *story.verdict();
    let mut memory = story.memory();
    memory.equipment = vec![crate::judge::EquipmentMemory {
        asset: before.asset,
        violation_since_unix_ms: before.violation_since_unix_ms,
        energy_closed: before.energy_closed,
        bound_closed: WattHours(0),
        plate: None,
        standing: Standing::default(),
    }];
    let mut after = Story::new("2026-10-31");
    after.site = site("2026-10-31", &memory);
    (after.energy, after.now_ms) = (story.energy, story.now_ms);
    after.run(2, 5_000, 100);
    let drawn = after.verdict().energy_overdue.0;
    assert!((drawn - before.energy_overdue.0).abs() <= 2, "{drawn} after {}", before.energy_overdue.0);
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
fn a_moved_wall_clock_is_an_event() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    story.wall_offset_ms = -3_600_000;
    story.run(1, 5_000, 100);
    let stepped = |f: &Finding| matches!(f, Finding::Event(Event::ClockStepped { by_ms: -3_600_000 }));
    assert!(story.said.iter().any(stepped));
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
