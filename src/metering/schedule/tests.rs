use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    metering::{
        Block, DeviceIdPart, Function, Identity, Profile, Quantity, Reading,
        decode::{Applied, Declared},
        identity::Route,
        profile::tests::SMALL,
    },
    terms::{AssetId, ClockQuality, Ratio},
};

mod bus;
mod random;
mod who;

/// Half a minute after a boundary of intervals.
const WALL_ZERO: i64 = 1_795_000_500_000 / 900_000 * 900_000 + 30_000;

fn stamp(uptime_ms: u64) -> Stamp {
    Stamp {
        wall_unix_ms: WALL_ZERO + uptime_ms.cast_signed(),
        uptime_ms,
        boot: 1,
        clock: ClockQuality::Ntp,
        error_ms: 0,
    }
}

fn small() -> Arc<Profile> {
    Arc::new(Profile::parse("small.toml", SMALL).unwrap())
}

fn point(id: &str, unit: u8, profile: Arc<Profile>) -> MeterPoint {
    let meter = MeterId::new(id).unwrap();
    MeterPoint { meter, unit, profile, declared: Declared::default(), period_ms: 1_000, timeout_ms: None }
}

fn meter(id: &str, unit: u8) -> MeterPoint {
    point(id, unit, small())
}

/// Answers every question of one poll; returns what decided it and the units asked. Only registers are served.
fn poll(
    schedule: &mut Schedule,
    now: u64,
    answer: impl Fn(&Ask) -> Result<Vec<u16>, Fault>,
) -> (Option<Sample>, Vec<u8>) {
    let mut units = Vec::new();
    while let Next::Ask(ask) = schedule.next(now) {
        units.push(ask.unit);
        let words = match ask.question {
            Question::Registers(_) => answer(&ask),
            Question::DeviceId { .. } | Question::ServerId => Err(Fault::Exception(1)),
        };
        let answer = words.as_deref().map(Reply::Words).map_err(|f| *f);
        let told = schedule.on_answer(&stamp(now), answer);
        if let Some(sample) = told.into_iter().find(decides) {
            return (Some(sample), units);
        }
    }
    (None, units)
}

/// Whether it is what a poll came to, and nothing beside it.
fn decides(sample: &Sample) -> bool {
    match sample {
        Sample::Reading(_) | Sample::Miss { .. } | Sample::Plate { .. } | Sample::PlateMiss { .. } => true,
        Sample::Identity { .. } | Sample::IdentityMiss { .. } => false,
    }
}

fn count(ask: &Ask) -> usize {
    usize::from(ask.question.block().unwrap().count)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where answers that may fail stand")]
fn ones(ask: &Ask) -> Result<Vec<u16>, Fault> {
    Ok(vec![1; count(ask)])
}

/// A meter on paper: its registers, what it refuses, and how often it was asked what.
#[derive(Default)]
struct Paper {
    registers: BTreeMap<(Function, u16), u16>,
    refused: Vec<u16>,
    device_id: Option<&'static str>,
    /// The next answers, whatever was asked; then those of the registers.
    first: Vec<Fault>,
    asked: Vec<Question>,
}

impl Paper {
    fn of(registers: &[(Function, u16, u16)]) -> Paper {
        let registers = registers.iter().map(|(function, at, word)| ((*function, *at), *word)).collect();
        Paper { registers, ..Paper::default() }
    }

    /// The meter of the small map, with this ratio and power.
    fn small(ratio: u16, watts: u16) -> Paper {
        use Function::Holding;
        Paper::of(&[(Holding, 100, ratio), (Holding, 11, watts), (Holding, 21, 7)])
    }

    fn answer(&mut self, question: Question) -> Result<Vec<u16>, Fault> {
        self.asked.push(question);
        if !self.first.is_empty() {
            return Err(self.first.remove(0));
        }
        let Some(Block { function, at, count }) = question.block() else { return Err(Fault::Exception(1)) };
        let run = at..at + count;
        if self.refused.iter().any(|refused| run.contains(refused)) {
            return Err(Fault::Exception(2));
        }
        Ok(run.map(|at| self.registers.get(&(function, at)).copied().unwrap_or(0)).collect())
    }

    /// Everything that is due by now, one meter on the bus; the samples that came of it.
    fn serve(&mut self, schedule: &mut Schedule, now: u64) -> Vec<Sample> {
        let mut samples = Vec::new();
        while let Next::Ask(ask) = schedule.next(now) {
            let mut part = DeviceIdPart::new(1, None);
            let words = match (ask.question, self.device_id) {
                (Question::DeviceId { .. }, Some(model)) => {
                    self.asked.push(ask.question);
                    assert!(part.push(1, model.as_bytes()));
                    Ok(None)
                }
                (question, _) => self.answer(question).map(Some),
            };
            let answer = words.as_ref().map_err(|fault| *fault).map(|words| match words {
                Some(words) => Reply::Words(words),
                None => Reply::DeviceId(&part),
            });
            if answer.is_err_and(Fault::ends_link) {
                schedule.on_link_lost();
            }
            samples.extend(schedule.on_answer(&stamp(now), answer));
        }
        samples
    }

    fn reading(&mut self, schedule: &mut Schedule, now: u64) -> Reading {
        let samples = self.serve(schedule, now);
        let reading = samples.iter().find_map(|sample| {
            if let Sample::Reading(reading) = sample { Some(reading.clone()) } else { None }
        });
        reading.unwrap_or_else(|| panic!("no reading among {samples:?}"))
    }

    fn identities(&self) -> usize {
        let ratio = |question: &Question| question.block().is_some_and(|block| block.at == 100);
        self.asked.iter().filter(|question| ratio(question)).count()
    }
}

fn identity_of(samples: &[Sample]) -> Identity {
    let told = samples.iter().find_map(|sample| {
        if let Sample::Identity { identity, .. } = sample { Some(*identity) } else { None }
    });
    told.unwrap_or_else(|| panic!("no identity among {samples:?}"))
}

fn miss_of(samples: &[Sample]) -> Fault {
    let missed = samples
        .iter()
        .find_map(|sample| if let Sample::Miss { fault, .. } = sample { Some(*fault) } else { None });
    missed.unwrap_or_else(|| panic!("no miss among {samples:?}"))
}

#[test]
fn a_due_poll_gives_one_sample_and_the_rate_does_not_drift() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 500, 0);
    assert_eq!(schedule.next(0), Next::WaitUntil(500));
    let (sample, units) = poll(&mut schedule, 510, ones);
    assert!(matches!(sample, Some(Sample::Reading(_))));
    assert_eq!(units.len(), 6, "ratio, functions 43 and 17, then the three requests of the map");
    assert_eq!(schedule.next(520), Next::WaitUntil(1_500));
    poll(&mut schedule, 4_700, ones);
    assert_eq!(schedule.next(4_710), Next::WaitUntil(5_500), "missed polls are left out, the phase is kept");
}

#[test]
fn the_first_timeout_ends_a_poll_and_a_silent_meter_is_asked_less_often() {
    let mut schedule = Schedule::new(vec![meter("dead", 1)], vec![], 0, 0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let (sample, units) = poll(&mut schedule, now, |_| Err(Fault::Timeout));
        assert!(matches!(sample, Some(Sample::Miss { fault: Fault::Timeout, .. })));
        assert_eq!(units.len(), 1);
        let Next::WaitUntil(due) = schedule.next(now) else { panic!("nothing is due") };
        waits.push(due - now);
        now = due;
    }
    assert_eq!(
        waits,
        [1_000, 1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]
    );
    poll(&mut schedule, now, ones);
    assert_eq!(schedule.next(now), Next::WaitUntil(now + 1_000));
}

#[test]
fn a_dead_meter_does_not_stop_its_neighbour() {
    let mut schedule = Schedule::new(vec![meter("dead", 1), meter("live", 2)], vec![], 0, 0);
    let mut readings = 0;
    for now in (0..60_000).step_by(1_000) {
        while let (Some(sample), _) =
            poll(&mut schedule, now, |ask| if ask.unit == 1 { Err(Fault::Timeout) } else { ones(ask) })
        {
            readings += u32::from(matches!(sample, Sample::Reading(_)));
        }
    }
    assert_eq!(readings, 60);
}

#[test]
fn a_wrong_count_is_a_miss_never_a_value() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let (sample, _) = poll(&mut schedule, 0, |ask| Ok(vec![0; count(ask) + 1]));
    assert!(matches!(sample, Some(Sample::Miss { fault: Fault::WrongLength, .. })));
}

#[test]
fn a_plate_is_read_in_pieces_as_long_as_its_header_says() {
    let point = PlatePoint {
        asset: AssetId::new("eaf-1").unwrap(),
        unit: 9,
        at: 60_000,
        header_words: 2,
        size_of: |header| (header.first() == Some(&7)).then(|| header.get(1).copied())?,
        timeout_ms: 500,
    };
    let mut schedule = Schedule::new(vec![], vec![point], 0, 0);
    let (sample, units) = poll(&mut schedule, 0, |ask| {
        let whole: Vec<u16> = [7, 300].into_iter().chain(0..298).collect();
        let from = usize::from(ask.question.block().unwrap().at - 60_000);
        Ok(whole[from..from + count(ask)].to_vec())
    });
    assert!(
        matches!(sample, Some(Sample::Plate { ref words, .. }) if words.len() == 300 && words[299] == 297)
    );
    assert_eq!(units.len(), 4);
    assert_eq!(schedule.next(1), Next::WaitUntil(PLATE_PERIOD_MS));
    let (sample, _) = poll(&mut schedule, PLATE_PERIOD_MS, ones);
    assert!(matches!(sample, Some(Sample::PlateMiss { fault: Fault::NotAPlate, .. })));
}

#[test]
fn a_plate_that_claims_registers_past_the_last_does_not_stop_its_bus() {
    let point = PlatePoint {
        asset: AssetId::new("eaf-1").unwrap(),
        unit: 9,
        at: 65_000,
        header_words: 5,
        size_of: |_| Some(1_023),
        timeout_ms: 500,
    };
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![point], 0, 0);
    let mut readings = 0;
    for now in (0..20_000).step_by(1_000) {
        while let (Some(sample), _) = poll(&mut schedule, now, ones) {
            readings += u32::from(matches!(sample, Sample::Reading(_)));
        }
    }
    assert_eq!(readings, 20);
}

#[test]
fn a_refused_row_is_absent_and_blinds_nothing_else() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.refused = vec![0];
    let reading = paper.reading(&mut schedule, 0);
    assert_eq!(reading.value(Quantity::VoltageL1), None);
    assert_eq!(reading.power().unwrap().0, 5 * 600 * 1_000);
    assert!(!reading.in_one_request(&[Quantity::VoltageL1, Quantity::Power]));
    paper.reading(&mut schedule, 1_000);
    paper.asked.clear();
    paper.reading(&mut schedule, 2_000);
    assert_eq!(
        paper.asked.len(),
        2,
        "what was refused twice is not asked for again; power and register now fit into one request"
    );
    let (_, tally) = schedule.tallies().next().unwrap();
    assert_eq!((tally.polls, tally.misses, tally.bisections), (3, 0, 4));
}

#[test]
fn a_busy_meter_is_asked_again_in_a_moment_and_its_neighbour_meanwhile() {
    let mut schedule = Schedule::new(vec![meter("m1", 1), meter("m2", 2)], vec![], 0, 0);
    let mut order = Vec::new();
    let mut samples = Vec::new();
    let (mut busy, mut now) = (1, 0);
    while now < 1_000 {
        match schedule.next(now) {
            Next::WaitUntil(due) => now = due,
            Next::Ask(ask) => {
                order.push(ask.unit);
                let is_busy = ask.unit == 1 && std::mem::take(&mut busy) == 1;
                let words =
                    if is_busy { Err(Fault::Exception(6)) } else { Paper::small(1, 1).answer(ask.question) };
                let answer = words.as_deref().map(Reply::Words).map_err(|f| *f);
                samples.extend(schedule.on_answer(&stamp(now), answer));
            }
        }
    }
    order.dedup();
    assert_eq!(order, [1, 2, 1]);
    assert_eq!(samples.iter().filter(|sample| decides(sample)).count(), 2);
    let (_, tally) = schedule.tallies().next().unwrap();
    assert_eq!((tally.recovered, tally.misses, tally.polls), (1, 0, 1));
}

#[test]
fn a_meter_that_is_always_busy_misses_its_poll_with_that_cause() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut misses = 0;
    let mut now = 0;
    while now < 10_000 {
        match schedule.next(now) {
            Next::WaitUntil(due) => now = due,
            Next::Ask(_) => {
                let told = schedule.on_answer(&stamp(now), Err(Fault::Exception(5)));
                misses += told
                    .iter()
                    .filter(|s| matches!(s, Sample::Miss { fault: Fault::Exception(5), .. }))
                    .count();
            }
        }
    }
    assert_eq!(misses, 10, "one for each due poll");
}

#[test]
fn noise_on_the_line_is_asked_again_once_and_then_costs_its_block() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.reading(&mut schedule, 0);
    let answers = |schedule: &mut Schedule, paper: &mut Paper, now, garbage: &[usize]| {
        let mut samples = Vec::new();
        let mut asked = 0;
        while let Next::Ask(ask) = schedule.next(now) {
            let words = paper.answer(ask.question).unwrap();
            let noisy = garbage.contains(&asked);
            let answer = if noisy { Err(Fault::Garbage) } else { Ok(Reply::Words(&words)) };
            samples.extend(schedule.on_answer(&stamp(now), answer));
            asked += 1;
        }
        samples
    };
    let once = answers(&mut schedule, &mut paper, 1_000, &[0]);
    let [Sample::Reading(reading)] = once.as_slice() else { panic!("{once:?}") };
    assert_eq!(reading.scan.blocks().count(), 3);
    let twice = answers(&mut schedule, &mut paper, 2_000, &[0, 1]);
    let [Sample::Reading(reading)] = twice.as_slice() else { panic!("{twice:?}") };
    assert!(
        reading.import.is_none() && reading.power().is_some(),
        "the register is missing, the power is not"
    );
    let power = answers(&mut schedule, &mut paper, 3_000, &[1, 2]);
    assert_eq!(miss_of(&power), Fault::Garbage, "without power it is no reading");
    let (_, tally) = schedule.tallies().next().unwrap();
    assert_eq!((tally.recovered, tally.misses), (1, 1));
}

#[test]
fn an_answer_to_no_question_is_no_answer() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    assert!(schedule.on_answer(&stamp(0), Ok(Reply::Words(&[1]))).is_empty());
    assert!(matches!(schedule.next(0), Next::Ask(_)));
    assert!(schedule.on_answer(&stamp(5), Ok(Reply::Words(&[1]))).is_empty());
    let again = schedule.on_answer(&stamp(6), Ok(Reply::Words(&[2])));
    assert!(again.is_empty(), "one question has one answer");
    schedule.on_late_reply(1);
    let (_, tally) = schedule.tallies().next().unwrap();
    assert_eq!((tally.requests, tally.replies, tally.late_replies), (1, 1, 1));
}

#[test]
fn when_an_endpoint_comes_back_nobody_waits_for_a_backoff() {
    let points = vec![meter("m1", 1), meter("m2", 2), meter("m3", 3)];
    let mut schedule = Schedule::new(points, vec![], 0, 0);
    let mut now = 0;
    while now < 120_000 {
        match schedule.next(now) {
            Next::WaitUntil(due) => now = due,
            Next::Ask(_) => drop(schedule.on_answer(&stamp(now), Err(Fault::Refused))),
        }
    }
    let mut heard = std::collections::BTreeSet::new();
    let mut paper = Paper::small(1, 1);
    while heard.len() < 3 {
        match schedule.next(now) {
            Next::WaitUntil(due) => now = due,
            Next::Ask(ask) => {
                let words = paper.answer(ask.question);
                let answer = words.as_deref().map(Reply::Words).map_err(|f| *f);
                let told = schedule.on_answer(&stamp(now), answer);
                if told.iter().any(|sample| matches!(sample, Sample::Reading(_))) {
                    heard.insert((ask.unit, now));
                }
            }
        }
    }
    let times: std::collections::BTreeSet<_> = heard.iter().map(|(_, at)| at).collect();
    assert_eq!(times.len(), 1, "all at once: {heard:?}");
}

#[test]
fn a_meter_that_refuses_everything_for_a_while_has_lost_no_row_afterwards() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.reading(&mut schedule, 0);
    paper.refused = (0..100).collect();
    for now in [1_000, 2_000, 3_000] {
        assert_eq!(miss_of(&paper.serve(&mut schedule, now)), Fault::Exception(2));
    }
    // It comes back in the middle of a poll.
    paper.refused.clear();
    paper.first = vec![Fault::Exception(2); 3];
    paper.serve(&mut schedule, 4_000);
    let reading = paper.reading(&mut schedule, 5_000);
    assert!(reading.power().is_some() && reading.import.is_some());
    assert!(reading.value(Quantity::VoltageL1).is_some() && reading.value(Quantity::RunHours).is_some());
}
