//! The measuring plan of `tune`, without a socket: answer times first, then how short a pause may be, then how many
//! registers one read may ask for.

use crate::metering::{Block, Fault, scan::MAX_BLOCK_WORDS};

/// Reads whose time is taken.
pub const TIMED_READS: usize = 12;
/// Pause before each of them, in milliseconds: what every meter can live with.
pub const CALM_MS: u32 = 100;
/// Pauses tried, longest first, in milliseconds.
pub const PAUSES_MS: &[u32] = &[50, 20, 10, 5, 0];
/// Reads in a row that must succeed with a pause.
pub const READS_PER_PAUSE: usize = 5;
/// Places where longer and longer reads are tried.
pub const MAX_STARTS: usize = 3;
/// Failed timed reads after which nothing is concluded.
pub const MAX_FAILED: usize = 3;
/// Shortest timeout proposed, in milliseconds.
const LEAST_TIMEOUT_MS: u32 = 200;
/// The proposed timeout is so many times the slowest answer.
const TIMES_SLOWEST: u32 = 3;
/// Most reads of one measurement: the timed ones, every pause, and a bisection of 125 at every start.
pub const MAX_READS: usize = TIMED_READS + PAUSES_MS.len() * READS_PER_PAUSE + MAX_STARTS * 8;

/// What to read next, after which pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The registers.
    pub block: Block,
    /// The pause to keep before, in milliseconds.
    pub gap_ms: u32,
}

/// What was measured and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Proposal {
    /// Answers whose time was taken.
    pub answers: usize,
    /// Timed reads that failed.
    pub failed: usize,
    /// Quickest answer, in milliseconds.
    pub quickest_ms: u32,
    /// The middle one, in milliseconds.
    pub median_ms: u32,
    /// Slowest answer, in milliseconds.
    pub slowest_ms: u32,
    /// How long to wait for an answer, in milliseconds.
    pub timeout_ms: u32,
    /// The pause to keep between requests, in milliseconds; one step longer than the shortest that worked.
    pub gap_ms: u32,
    /// Registers of the longest read that worked.
    pub max_regs: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Timing,
    Pausing { pause: usize, good: usize },
    Sizing { start: usize, works: u16, fails: u16 },
    Done,
}

/// The measurement of one meter.
#[derive(Clone, Debug)]
pub struct Tuner {
    /// Reads that are known to be answered; the first is the one that is timed.
    starts: Vec<Block>,
    stage: Stage,
    times_ms: Vec<u32>,
    failed: usize,
    pause_ms: u32,
    max_regs: u16,
}

impl Tuner {
    /// A measurement with reads that the meter answers; `None` without any.
    pub fn new(mut starts: Vec<Block>) -> Option<Tuner> {
        starts.truncate(MAX_STARTS);
        let max_regs = starts.iter().map(|block| block.count).max()?;
        Some(Tuner {
            starts,
            stage: Stage::Timing,
            times_ms: Vec::new(),
            failed: 0,
            pause_ms: CALM_MS,
            max_regs,
        })
    }

    /// What to read next; nothing when everything was measured.
    pub fn next(&self) -> Option<Step> {
        let first = *self.starts.first()?;
        match self.stage {
            Stage::Timing => Some(Step { block: first, gap_ms: CALM_MS }),
            Stage::Pausing { pause, .. } => Some(Step { block: first, gap_ms: *PAUSES_MS.get(pause)? }),
            Stage::Sizing { start, works, fails } => {
                let block = self.starts.get(start)?;
                Some(Step {
                    block: Block { count: middle(works, fails), ..*block },
                    gap_ms: self.pause_ms.max(CALM_MS),
                })
            }
            Stage::Done => None,
        }
    }

    /// Takes what came of it, and how long it took, in milliseconds.
    pub fn on_answer(&mut self, answer: Result<(), Fault>, took_ms: u32) {
        match self.stage {
            Stage::Timing => self.on_timed(answer, took_ms),
            Stage::Pausing { pause, good } => {
                if answer.is_err() {
                    self.size(0);
                } else if good + 1 < READS_PER_PAUSE {
                    self.stage = Stage::Pausing { pause, good: good + 1 };
                } else {
                    // One step longer than what just worked: margin against a slow day.
                    let before = pause.checked_sub(1).and_then(|before| PAUSES_MS.get(before));
                    self.pause_ms = before.copied().unwrap_or(CALM_MS);
                    if pause + 1 < PAUSES_MS.len() {
                        self.stage = Stage::Pausing { pause: pause + 1, good: 0 };
                    } else {
                        // Not even a pause of nothing failed.
                        self.pause_ms = PAUSES_MS.last().copied().unwrap_or(CALM_MS);
                        self.size(0);
                    }
                }
            }
            Stage::Sizing { start, works, fails } => {
                let tried = middle(works, fails);
                let (works, fails) = if answer.is_ok() { (tried, fails) } else { (works, tried) };
                self.max_regs = self.max_regs.max(works);
                self.stage = Stage::Sizing { start, works, fails };
                if works + 1 >= fails {
                    self.size(start + 1);
                }
            }
            Stage::Done => {}
        }
    }

    fn on_timed(&mut self, answer: Result<(), Fault>, took_ms: u32) {
        match answer {
            Ok(()) => self.times_ms.push(took_ms),
            Err(_) => self.failed += 1,
        }
        if self.failed >= MAX_FAILED {
            self.stage = Stage::Done;
        } else if self.times_ms.len() + self.failed >= TIMED_READS {
            self.stage = Stage::Pausing { pause: 0, good: 0 };
        }
    }

    /// Looks for the longest read at this start, unless there is none or a longer one is known to work.
    fn size(&mut self, start: usize) {
        let known = self.starts.get(start).map(|block| block.count);
        self.stage = match known {
            Some(works) if self.max_regs < MAX_BLOCK_WORDS => {
                Stage::Sizing { start, works, fails: MAX_BLOCK_WORDS + 1 }
            }
            Some(_) | None => Stage::Done,
        };
    }

    /// What follows from what was measured so far; nothing without two answers in time.
    pub fn proposal(&self) -> Option<Proposal> {
        let mut times = self.times_ms.clone();
        times.sort_unstable();
        let (quickest_ms, slowest_ms) = (*times.first()?, *times.last()?);
        if times.len() < 2 {
            return None;
        }
        let wanted = slowest_ms.saturating_mul(TIMES_SLOWEST).max(LEAST_TIMEOUT_MS);
        Some(Proposal {
            answers: times.len(),
            failed: self.failed,
            quickest_ms,
            median_ms: *times.get(times.len() / 2)?,
            slowest_ms,
            timeout_ms: wanted.div_ceil(50).saturating_mul(50).min(30_000),
            gap_ms: self.pause_ms,
            max_regs: self.max_regs,
        })
    }
}

const fn middle(works: u16, fails: u16) -> u16 {
    works + (fails - works) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Function;
    use proptest::prelude::*;

    fn start(count: u16) -> Vec<Block> {
        vec![Block { function: Function::Holding, at: 0, count }]
    }

    /// Measures a meter that needs a pause, answers at most so many registers, and takes so long.
    fn measured(needs_ms: u32, most: u16, took_ms: u32) -> (Proposal, usize) {
        let mut tuner = Tuner::new(start(2)).unwrap();
        let mut reads = 0;
        while let Some(step) = tuner.next() {
            let refused = if step.gap_ms < needs_ms {
                Err(Fault::Timeout)
            } else if step.block.count > most {
                Err(Fault::Exception(3))
            } else {
                Ok(())
            };
            tuner.on_answer(refused, took_ms);
            reads += 1;
            assert!(reads <= MAX_READS, "bounded");
        }
        (tuner.proposal().unwrap(), reads)
    }

    #[test]
    fn what_a_meter_needs_is_found_with_margin() {
        let (proposal, reads) = measured(15, 80, 40);
        assert_eq!((proposal.gap_ms, proposal.max_regs, proposal.timeout_ms), (50, 80, 200));
        assert_eq!((proposal.quickest_ms, proposal.slowest_ms, proposal.failed), (40, 40, 0));
        assert!(reads < 40, "{reads}");
        let (quick, _) = measured(0, 125, 350);
        assert_eq!((quick.gap_ms, quick.max_regs, quick.timeout_ms), (0, 125, 1_050));
        let (slow, _) = measured(100, 2, 2);
        assert_eq!((slow.gap_ms, slow.max_regs), (CALM_MS, 2));
    }

    #[test]
    fn a_meter_that_hardly_answers_gives_no_proposal() {
        let mut tuner = Tuner::new(start(2)).unwrap();
        for _ in 0..MAX_FAILED {
            assert!(tuner.next().is_some());
            tuner.on_answer(Err(Fault::Timeout), 1_000);
        }
        assert_eq!((tuner.next(), tuner.proposal()), (None, None));
        assert!(Tuner::new(Vec::new()).is_none());
    }

    proptest! {
        #[test]
        fn the_limit_is_found_exactly_and_in_bounded_reads(needs in 0_u32..=100, most in 2_u16..=125) {
            let (proposal, _) = measured(needs, most, 7);
            prop_assert_eq!(proposal.max_regs, most);
            prop_assert!(proposal.gap_ms >= needs);
        }
    }
}
