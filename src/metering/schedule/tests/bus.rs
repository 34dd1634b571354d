//! A serial line in virtual time: what planning, breaker and share are worth.

use super::*;
use crate::metering::{Plan, plan::Planner};

/// Time a byte takes at 9600 bit/s with eleven bits a byte, in microseconds.
const BYTE_US: u64 = 11 * 1_000_000 / 9_600;
/// Time a meter takes to begin its answer, in microseconds.
const TURNAROUND_US: u64 = 10_000;

/// Bytes of a question for registers and of its answer on a serial line.
fn bytes(words: u16) -> u64 {
    8 + 5 + 2 * u64::from(words)
}

/// Time a question for registers and its answer take, silences of three and a half characters included.
fn exchange_us(bytes: u64) -> u64 {
    bytes * BYTE_US + 7 * BYTE_US + TURNAROUND_US
}

fn profile(id: &str) -> Arc<Profile> {
    let file = format!("{}/config/meters/{id}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap();
    Arc::new(Profile::parse(&file, &text).unwrap_or_else(|flaws| panic!("{flaws:#?}")))
}

/// A line with meters of one profile, of which some are dead from a moment on.
struct Line {
    schedule: Schedule,
    us: u64,
    dead: Vec<u8>,
    dead_from_ms: u64,
    readings: BTreeMap<MeterId, Vec<u64>>,
    misses: BTreeMap<MeterId, Vec<u64>>,
}

impl Line {
    fn of(profile: &Arc<Profile>, meters: u8, dead: &[u8], dead_from_ms: u64) -> Line {
        let points = (1..=meters).map(|unit| point(&format!("m{unit}"), unit, profile.clone())).collect();
        Line {
            schedule: Schedule::new(points, vec![], 0, 0),
            us: 0,
            dead: dead.to_vec(),
            dead_from_ms,
            readings: BTreeMap::new(),
            misses: BTreeMap::new(),
        }
    }

    fn run(&mut self, until_ms: u64) {
        while self.us / 1_000 < until_ms {
            match self.schedule.next(self.us / 1_000) {
                Next::WaitUntil(due_ms) => self.us = self.us.max(due_ms * 1_000),
                Next::Ask(ask) => self.ask(ask),
            }
        }
    }

    fn ask(&mut self, ask: Ask) {
        self.us += u64::from(ask.gap_ms) * 1_000;
        let is_dead = self.dead.contains(&ask.unit) && self.us / 1_000 >= self.dead_from_ms;
        let words = match ask.question {
            _ if is_dead => Err(Fault::Timeout),
            Question::Registers(_) => Ok(vec![1; count(&ask)]),
            Question::DeviceId { .. } | Question::ServerId => Err(Fault::Exception(1)),
        };
        self.us += match &words {
            Err(Fault::Timeout) => u64::from(ask.deadline_ms) * 1_000,
            Err(_) => exchange_us(8 + 5),
            Ok(words) => exchange_us(bytes(u16::try_from(words.len()).unwrap())),
        };
        let answer = words.as_deref().map(Reply::Words).map_err(|fault| *fault);
        for sample in self.schedule.on_answer(&stamp(self.us / 1_000), answer) {
            if let Sample::Reading(Reading { meter, at, .. }) = &sample {
                self.readings.entry(*meter).or_default().push(at.uptime_ms);
            }
            if let Sample::Miss { meter, at, .. } = &sample {
                self.misses.entry(*meter).or_default().push(at.uptime_ms);
            }
        }
    }

    /// Mean time between two readings of a living meter, and the longest, in milliseconds.
    fn cycle_ms(&self, from_ms: u64) -> (u64, u64) {
        let mut gaps = Vec::new();
        for times in self.readings.values() {
            let times: Vec<_> = times.iter().filter(|at| **at >= from_ms).collect();
            gaps.extend(times.windows(2).map(|pair| pair[1] - pair[0]));
        }
        (gaps.iter().sum::<u64>() / u64::try_from(gaps.len()).unwrap(), *gaps.iter().max().unwrap())
    }
}

#[test]
fn three_dead_meters_of_thirty_cost_the_others_next_to_nothing() {
    for id in ["acrel-adl400", "eastron-sdm630"] {
        let profile = profile(id);
        let mut alive = Line::of(&profile, 27, &[], 0);
        let mut line = Line::of(&profile, 30, &[4, 15, 26], 60_000);
        alive.run(600_000);
        line.run(600_000);
        let (reference, longest_of_27) = alive.cycle_ms(10_000);
        let (first, _) = line.cycle_ms(60_000);
        let (steady, longest) = line.cycle_ms(300_000);
        // One request for each quantity, each cycle waiting for the dead: how a simple gateway does it.
        let rows = u64::try_from(profile.rows.len()).unwrap();
        let gap_us = u64::from(profile.gap_ms) * 1_000;
        let living_us: u64 =
            profile.rows.iter().map(|row| exchange_us(bytes(row.cell.kind.words())) + gap_us).sum();
        let naive = (27 * living_us + 3 * rows * u64::from(profile.timeout_ms) * 1_000) / 1_000;
        println!(
            "{id}: 27 living meters {reference} ms a cycle (longest {longest_of_27}); 30 with 3 dead {first} ms \
             over nine minutes from their death, {steady} ms after four (longest {longest}); \
             quantity by quantity and waiting each time {naive} ms"
        );
        assert!(steady * 100 <= reference * 112, "{id}: {steady} ms against {reference} ms");
        assert!(first * 100 <= reference * 115, "{id}: {first} ms against {reference} ms");
        // No living meter is starved, and the silence of the dead is told as fast as the bus goes round.
        assert!(longest <= 2 * longest_of_27 + 1_000, "{longest} ms");
        for unit in [4, 15, 26] {
            let misses = &line.misses[&MeterId::new(&format!("m{unit}")).unwrap()];
            let third = misses.iter().filter(|at| **at >= 60_000).nth(2).unwrap();
            assert!(*third <= 60_000 + 4 * (reference + 3_000), "{third} ms until the third miss");
        }
    }
}

#[test]
fn a_bus_of_dead_meters_alone_is_probed_at_the_pace_of_the_backoff() {
    let mut line = Line::of(&profile("acrel-adl400"), 5, &[1, 2, 3, 4, 5], 0);
    line.run(1_200_000);
    for misses in line.misses.values() {
        let late: Vec<_> = misses.iter().filter(|at| **at >= 300_000).collect();
        assert!(late.windows(2).all(|pair| pair[1] - pair[0] <= MAX_BACKOFF_MS + 5_000), "{late:?}");
    }
}

#[test]
fn more_than_fifty_meters_do_not_wake_together() {
    let points = (1..=120).map(|unit| meter(&format!("m{unit}"), unit)).collect();
    let schedule = Schedule::new(points, vec![], 0, 3);
    let mut starts: BTreeMap<u64, u64> = BTreeMap::new();
    for turn in &schedule.turns {
        *starts.entry(turn.pace.at_ms()).or_default() += 1;
    }
    assert_eq!(starts.into_iter().collect::<Vec<_>>(), [(187, 50), (250, 50), (312, 20)]);
}

#[test]
fn buses_share_moments_and_spread_over_the_period() {
    let mut begin: BTreeMap<u64, u64> = BTreeMap::new();
    for place in 0..1_000 {
        let phase = Phase::of_bus(place, 1_000, 10);
        let schedule = Schedule::sharing(vec![meter("m1", 1)], vec![], 7_000, phase);
        *begin.entry(schedule.turns[0].pace.at_ms()).or_default() += 1;
    }
    assert_eq!(begin.len(), 100);
    assert!(begin.values().all(|buses| *buses == 10));
    assert_eq!((begin.keys().next(), begin.keys().last()), (Some(&7_000), Some(&7_990)));
    assert_eq!(Phase::of_bus(4, 5, 10), Phase::of_bus(0, 5, 10), "a few buses speak at once");
    assert_eq!(Phase::of_bus(0, 0, 10).after_ms(1_000, 0), 0);
}

#[test]
fn planning_saves_most_of_the_requests_and_bytes() {
    println!(
        "profile: requests and serial bytes a poll, quantity by quantity -> planned (what a verdict needs alone)"
    );
    for id in ["acrel-adl400", "eastron-sdm630", "janitza-19000"] {
        let profile = profile(id);
        let ratios: Vec<_> = profile.ratio_blocks().collect();
        let one_by_one: Vec<u64> = profile.row_blocks().chain(ratios).map(|b| bytes(b.count)).collect();
        let planner = Planner::rows(&profile).unwrap();
        let size = |plan: &Plan| plan.blocks.iter().map(|block| bytes(block.count)).sum::<u64>();
        let whole = planner.whole().unwrap();
        let needed = planner.plan(crate::metering::plan::Breadth::Needed).unwrap();
        println!(
            "{id}: {} requests, {} bytes -> {} requests, {} bytes ({} requests, {} bytes)",
            one_by_one.len(),
            one_by_one.iter().sum::<u64>(),
            whole.blocks.len(),
            size(&whole),
            needed.blocks.len(),
            size(&needed),
        );
        assert!(whole.blocks.len() * 4 <= one_by_one.len(), "{id}");
        assert!(size(&whole) * 3 <= one_by_one.iter().sum::<u64>() * 2, "{id}");
    }
}

#[test]
#[ignore = "measures and judges nothing: cargo test --release --lib -- --ignored --nocapture cost_of_a_poll"]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn cost_of_a_poll() {
    for id in ["acrel-adl400", "eastron-sdm630", "janitza-19000"] {
        let mut line = Line::of(&profile(id), 1, &[], 0);
        line.run(10_000);
        let (began, polls) = (std::time::Instant::now(), 20_000);
        line.run(10_000 + polls * 1_000);
        let each = began.elapsed() / u32::try_from(polls).unwrap();
        println!("{id}: {each:?} a poll from the question to the reading, making the words up included");
    }
}

#[test]
fn every_shipped_map_can_be_planned_with_its_identity() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/meters");
    let mut maps = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let profile = profile(file.file_stem().unwrap().to_str().unwrap());
        let identity = Planner::identity(&profile).and_then(|planner| planner.whole());
        assert!(identity.is_some(), "{}: who it is takes more than one poll may", profile.id);
        let planner = Planner::rows(&profile).unwrap();
        let whole = planner.whole().unwrap();
        let needed = planner.plan(crate::metering::plan::Breadth::Needed).unwrap();
        assert!(needed.cost() <= whole.cost(), "{}", profile.id);
        maps += 1;
    }
    assert!(maps > 40, "{maps}");
}
