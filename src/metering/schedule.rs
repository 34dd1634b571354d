//! Who is asked what when on one bus. A state machine without a socket: [`Schedule::next`] says what to do,
//! [`Schedule::on_answer`] takes what came of it.

use std::sync::Arc;

use super::{
    Answer, Ask, Fault, Plan, Profile, Question, Reading, Sample, Scan,
    decode::{Declared, applied, decode_with, told},
    profile::Origin,
    reading::requests,
    scan::{Block, Function, MAX_BLOCK_WORDS},
};
use crate::terms::{AssetId, MeterId, Stamp};

/// Failed polls in a row after which a meter is asked less often.
pub const BREAKER_FAILURES: u32 = 3;
/// Longest time a silent meter is left alone, in milliseconds.
pub const MAX_BACKOFF_MS: u64 = 60_000;
/// How often a nameplate is read again, in milliseconds.
pub const PLATE_PERIOD_MS: u64 = 900_000;
/// A poll of several requests may take so many times the deadline of one.
pub const POLL_BUDGET_DEADLINES: u64 = 2;
/// Most registers a nameplate block may have.
pub const MAX_PLATE_WORDS: usize = 1_024;
/// The first turns of a bus start on one of so many parts of the period, so that they do not all fall together.
const PHASES: u64 = 16;

/// What one answer came to: none, one or two samples. Two where an identity that stays silent decides the poll too.
pub type Told = heapless::Vec<Sample, 2>;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask this now.
    Ask(Ask),
    /// Nothing is due before this uptime, in milliseconds.
    WaitUntil(u64),
}

/// A meter to poll.
#[derive(Clone, Debug)]
pub struct MeterPoint {
    /// Whose readings these are.
    pub meter: MeterId,
    /// Its Modbus unit address.
    pub unit: u8,
    /// Its register map.
    pub profile: Arc<Profile>,
    /// Ratios declared at commissioning.
    pub declared: Declared,
    /// Time between two polls, in milliseconds.
    pub period_ms: u64,
    /// Overrides the profile's answer time, in milliseconds.
    pub timeout_ms: Option<u32>,
}

/// An equipment's nameplate block to read.
#[derive(Clone, Copy, Debug)]
pub struct PlatePoint {
    /// Whose nameplate.
    pub asset: AssetId,
    /// Modbus unit that serves it.
    pub unit: u8,
    /// First register.
    pub at: u16,
    /// Registers of the header.
    pub header_words: u16,
    /// Registers of the whole block as its header tells; `None` if the header is no nameplate's.
    pub size_of: fn(&[u16]) -> Option<u16>,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u32,
}

#[derive(Debug)]
enum Subject {
    Meter { point: MeterPoint, plan: Plan },
    Plate { point: PlatePoint, words: Vec<u16> },
}

/// When a subject is next due and how it has been doing.
#[derive(Debug)]
struct Turn {
    subject: Subject,
    due_ms: u64,
    failures: u32,
}

/// The one poll in progress on the bus.
#[derive(Debug)]
struct Poll {
    turn: usize,
    block: usize,
    began: Option<u64>,
    scan: Scan,
}

/// The polls of one bus, one request in flight.
#[derive(Debug)]
pub struct Schedule {
    turns: Vec<Turn>,
    poll: Option<Poll>,
}

impl Schedule {
    /// Plans the polls of a bus. `phase` spreads the first polls of several buses over the period.
    /// Meters whose profile cannot be planned are left out; `Profile::parse` refuses such profiles.
    pub fn new(meters: Vec<MeterPoint>, plates: Vec<PlatePoint>, start_ms: u64, phase: u64) -> Schedule {
        let meters = meters.into_iter().filter_map(|point| {
            let plan = Plan::of(&point.profile)?;
            let point = MeterPoint { period_ms: point.period_ms.max(1), ..point };
            let due_ms = start_ms + point.period_ms * (phase % PHASES) / PHASES;
            Some(Turn { subject: Subject::Meter { point, plan }, due_ms, failures: 0 })
        });
        let plates = plates.into_iter().map(|point| Turn {
            subject: Subject::Plate { point, words: Vec::new() },
            due_ms: start_ms,
            failures: 0,
        });
        Schedule { turns: meters.chain(plates).collect(), poll: None }
    }

    /// What to do at this uptime (milliseconds).
    pub fn next(&mut self, uptime_ms: u64) -> Next {
        if self.poll.is_none() {
            let Some((index, turn)) = self.turns.iter().enumerate().min_by_key(|(_, turn)| turn.due_ms)
            else {
                return Next::WaitUntil(u64::MAX);
            };
            if turn.due_ms > uptime_ms {
                return Next::WaitUntil(turn.due_ms);
            }
            self.poll = Some(Poll { turn: index, block: 0, began: None, scan: Scan::default() });
        }
        match self.ask(uptime_ms) {
            Some(ask) => Next::Ask(ask),
            None => {
                self.give_up(uptime_ms);
                Next::WaitUntil(uptime_ms)
            }
        }
    }

    /// Leaves out a poll that cannot be asked for, so that it never holds up the others.
    fn give_up(&mut self, uptime_ms: u64) {
        let turn = self.poll.take().and_then(|poll| self.turns.get_mut(poll.turn));
        if let Some(turn) = turn {
            turn.failures = turn.failures.saturating_add(1);
            turn.due_ms = next_due(turn, uptime_ms);
        }
    }

    /// Takes what came of the question [`Schedule::next`] gave last; a poll that is complete, or has failed,
    /// yields its sample.
    pub fn on_answer(&mut self, at: &Stamp, answer: Answer<'_>) -> Told {
        self.settle(at, answer).into_iter().collect()
    }

    fn settle(&mut self, at: &Stamp, answer: Answer<'_>) -> Option<Sample> {
        let answer = answer.and_then(|reply| reply.words().ok_or(Fault::Mismatch));
        let poll = self.poll.as_mut()?;
        let turn = self.turns.get_mut(poll.turn)?;
        let sample = match &mut turn.subject {
            Subject::Meter { point, plan } => on_meter_answer(point, plan, poll, at, answer)?,
            Subject::Plate { point, words } => match on_plate_answer(point, words, at, answer) {
                Some(sample) => sample,
                None => {
                    // A nameplate is read a piece at a time; meters that are due go first.
                    turn.due_ms = at.uptime_ms;
                    self.poll = None;
                    return None;
                }
            },
        };
        let failed = match &sample {
            Sample::Reading(_) | Sample::Plate { .. } | Sample::Identity { .. } => false,
            Sample::Miss { .. } | Sample::PlateMiss { .. } | Sample::IdentityMiss { .. } => true,
        };
        turn.failures = if failed { turn.failures.saturating_add(1) } else { 0 };
        turn.due_ms = next_due(turn, at.uptime_ms);
        self.poll = None;
        Some(sample)
    }

    fn ask(&mut self, uptime_ms: u64) -> Option<Ask> {
        let poll = self.poll.as_mut()?;
        let began = poll.began.is_some();
        poll.began.get_or_insert(uptime_ms);
        match &self.turns.get(poll.turn)?.subject {
            Subject::Meter { point, plan } => Some(Ask {
                unit: point.unit,
                question: Question::Registers(*plan.blocks.get(poll.block)?),
                deadline_ms: point.timeout_ms.unwrap_or(point.profile.timeout_ms),
                gap_ms: if began { point.profile.gap_ms } else { 0 },
            }),
            Subject::Plate { point, words } => {
                let (at, count) = plate_block(point, words)?;
                let block = Block { function: Function::Holding, at, count };
                let question = Question::Registers(block);
                Some(Ask { unit: point.unit, question, deadline_ms: point.timeout_ms, gap_ms: 0 })
            }
        }
    }
}

fn on_meter_answer(
    point: &MeterPoint,
    plan: &Plan,
    poll: &mut Poll,
    at: &Stamp,
    answer: Result<&[u16], Fault>,
) -> Option<Sample> {
    let miss = |fault| Some(Sample::Miss { meter: point.meter, at: *at, fault });
    let words = match answer {
        Ok(words) => words,
        Err(fault) => return miss(fault),
    };
    let block = *plan.blocks.get(poll.block)?;
    if !poll.scan.push(block, words) {
        return miss(Fault::WrongLength);
    }
    poll.block += 1;
    if poll.block < plan.blocks.len() {
        // Answers that each come just in time must not hold the bus for ever.
        let deadline_ms = u64::from(point.timeout_ms.unwrap_or(point.profile.timeout_ms));
        let took_ms = at.uptime_ms.saturating_sub(poll.began?);
        return if took_ms > POLL_BUDGET_DEADLINES * deadline_ms { miss(Fault::Timeout) } else { None };
    }
    let profile = &point.profile;
    let ratios = match applied(profile, point.declared, told(profile, &poll.scan)) {
        Ok(ratios) => ratios,
        Err(fault) => return miss(fault),
    };
    let decoded = decode_with(profile, ratios, Origin::FIXED, &poll.scan);
    Some(Sample::Reading(Reading {
        meter: point.meter,
        at: *at,
        took_ms: u32::try_from(at.uptime_ms.saturating_sub(poll.began?)).unwrap_or(u32::MAX),
        values: decoded.values,
        registers: decoded.registers,
        import: decoded.import,
        requests: requests(profile, Origin::FIXED, &poll.scan),
        ratios,
        scan: std::mem::take(&mut poll.scan),
    }))
}

fn on_plate_answer(
    point: &PlatePoint,
    words: &mut Vec<u16>,
    at: &Stamp,
    answer: Result<&[u16], Fault>,
) -> Option<Sample> {
    let wanted = plate_block(point, words).map(|(_, count)| usize::from(count));
    let fault = match answer {
        Err(fault) => Some(fault),
        Ok(got) if Some(got.len()) != wanted => Some(Fault::WrongLength),
        Ok(got) => {
            words.extend_from_slice(got);
            plate_size(point, words).is_none().then_some(Fault::NotAPlate)
        }
    };
    if let Some(fault) = fault {
        words.clear();
        return Some(Sample::PlateMiss { asset: point.asset, at: *at, fault });
    }
    let complete = plate_size(point, words).is_some_and(|size| words.len() >= size);
    complete.then(|| Sample::Plate { asset: point.asset, at: *at, words: std::mem::take(words) })
}

/// Registers of the whole block once the header is known, of the header before that.
fn plate_size(point: &PlatePoint, words: &[u16]) -> Option<usize> {
    let Some(header) = words.get(..usize::from(point.header_words)) else {
        return Some(usize::from(point.header_words));
    };
    let size = usize::from((point.size_of)(header)?);
    let ends_in_time = usize::from(point.at) + size <= 0x1_0000;
    (size >= header.len() && size <= MAX_PLATE_WORDS && ends_in_time).then_some(size)
}

fn plate_block(point: &PlatePoint, words: &[u16]) -> Option<(u16, u16)> {
    let read = u16::try_from(words.len()).ok()?;
    let left = u16::try_from(plate_size(point, words)?).ok()?.checked_sub(read)?;
    Some((point.at.checked_add(read)?, left.min(MAX_BLOCK_WORDS)))
}

/// Fixed rate without drift; a bus that is behind leaves polls out rather than piling them up.
fn next_due(turn: &Turn, uptime_ms: u64) -> u64 {
    let period = match &turn.subject {
        Subject::Meter { point, .. } => point.period_ms,
        Subject::Plate { .. } if turn.failures == 0 => PLATE_PERIOD_MS,
        Subject::Plate { .. } => MAX_BACKOFF_MS,
    };
    let doublings = turn.failures.saturating_sub(BREAKER_FAILURES).min(16);
    let backoff =
        if turn.failures < BREAKER_FAILURES { period } else { (period << doublings).min(MAX_BACKOFF_MS) };
    let wait = backoff.max(period);
    let late = uptime_ms.saturating_sub(turn.due_ms) / wait;
    turn.due_ms + wait * (late + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metering::{Reply, profile::tests::SMALL},
        terms::ClockQuality,
    };

    fn stamp(uptime_ms: u64) -> Stamp {
        Stamp { wall_unix_ms: 0, uptime_ms, boot: 1, clock: ClockQuality::Unset, error_ms: 0 }
    }

    fn meter(id: &str, unit: u8) -> MeterPoint {
        MeterPoint {
            meter: MeterId::new(id).unwrap(),
            unit,
            profile: Arc::new(Profile::parse("small.toml", SMALL).unwrap()),
            declared: Declared::default(),
            period_ms: 1_000,
            timeout_ms: None,
        }
    }

    /// Answers every question of one poll; returns its sample and the units asked.
    fn poll(
        schedule: &mut Schedule,
        now: u64,
        answer: impl Fn(&Ask) -> Result<Vec<u16>, Fault>,
    ) -> (Option<Sample>, Vec<u8>) {
        let mut units = Vec::new();
        while let Next::Ask(ask) = schedule.next(now) {
            units.push(ask.unit);
            let words = answer(&ask);
            let answer = words.as_deref().map(Reply::Words).map_err(|f| *f);
            if let Some(sample) = schedule.on_answer(&stamp(now), answer).pop() {
                return (Some(sample), units);
            }
        }
        (None, units)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands where answers that may fail stand")]
    fn ones(ask: &Ask) -> Result<Vec<u16>, Fault> {
        Ok(vec![1; usize::from(ask.question.block().unwrap().count)])
    }

    #[test]
    fn a_due_poll_gives_one_sample_and_the_rate_does_not_drift() {
        let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 500, 0);
        assert_eq!(schedule.next(0), Next::WaitUntil(500));
        let (sample, units) = poll(&mut schedule, 510, ones);
        assert!(matches!(sample, Some(Sample::Reading(_))));
        assert_eq!(units.len(), 4);
        assert_eq!(schedule.next(520), Next::WaitUntil(1_500));
        poll(&mut schedule, 4_700, ones);
        assert_eq!(
            schedule.next(4_710),
            Next::WaitUntil(5_500),
            "missed polls are left out, the phase is kept"
        );
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
        let (sample, _) =
            poll(&mut schedule, 0, |ask| Ok(vec![0; usize::from(ask.question.block().unwrap().count) + 1]));
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
            Ok(whole[from..from + usize::from(ask.question.block().unwrap().count)].to_vec())
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
}
