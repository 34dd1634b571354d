//! The scoreboard: many honest years and many runs of every cheat, on all processors, the same whatever their number.

mod report;
mod run;

use std::{
    cmp::Reverse,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

pub use self::{
    report::{Report, Row},
    run::{Caught, Outcome, run},
};
use crate::scenario::Scenario;

/// Milliseconds in a year of 365.25 days.
pub const YEAR_MS: u64 = 31_557_600_000;
/// Fewest runs of a cheat.
pub const LEAST_RUNS: u64 = 20;
/// Most honest equipment-years of a scoreboard, a hundred times those of the long run: each run's outcome is kept.
pub const MAX_YEARS: u64 = 100_000;
/// Most runs of a cheat.
pub const MAX_RUNS: u64 = 100_000;

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// Honest equipment-years, over all honest scenarios together, 1 to [`MAX_YEARS`].
    pub years: u64,
    /// Seeds count from here.
    pub seed: u64,
    /// Runs of each cheat, 1 to [`MAX_RUNS`].
    pub runs: u64,
    /// Threads; as many as the machine has processors without.
    pub threads: Option<NonZeroUsize>,
}

/// How far a scoreboard is, in readings asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// So many of them are over.
    pub done: u64,
    /// So many there are.
    pub all: u64,
}

/// Plays scenarios and gives the account of each, in their order.
pub fn score(scenarios: &[Scenario], orders: Orders) -> Report {
    score_telling(scenarios, orders, &|_| ())
}

/// As [`score`], and tells after each run how far it is: a thousand years take long.
pub fn score_telling(scenarios: &[Scenario], orders: Orders, tell: &(dyn Fn(Progress) + Sync)) -> Report {
    let mut shares: Vec<Share> = scenarios
        .iter()
        .enumerate()
        .map(|(place, scenario)| Share { place, scenario, runs: runs_of(scenario, scenarios, orders) })
        .collect();
    // Long ones first, or one processor is left with the longest while the others have done; a row keeps its order.
    shares.sort_by_key(|share| Reverse(share.questions()));
    let mut rows: Vec<Row> = scenarios.iter().map(Row::of).collect();
    for (place, outcome) in played(&shares, orders, tell) {
        if let Some(row) = rows.get_mut(place) {
            row.add(outcome);
        }
    }
    Report::of(rows)
}

/// A scenario, its place among all, and how often it is played.
struct Share<'s> {
    place: usize,
    scenario: &'s Scenario,
    runs: u64,
}

impl Share<'_> {
    /// How many readings one run of it asks for, about.
    fn questions(&self) -> u64 {
        self.scenario.lasts_ms() / self.scenario.poll_ms() * self.scenario.config.meters.len() as u64
    }
}

/// How often a scenario is played: honest ones until their share of the years is full.
fn runs_of(scenario: &Scenario, all: &[Scenario], orders: Orders) -> u64 {
    if !scenario.honest {
        return orders.runs;
    }
    let honest = all.iter().filter(|other| other.honest).count() as u64;
    let each_ms = scenario.lasts_ms().saturating_mul(scenario.config.equipment.len() as u64);
    orders.years.saturating_mul(YEAR_MS).div_ceil(honest.max(1)).div_ceil(each_ms.max(1)).max(1)
}

/// Plays every run; each thread takes the next one that nobody has. No list of them is made, as there may be many.
fn played(shares: &[Share<'_>], orders: Orders, tell: &(dyn Fn(Progress) + Sync)) -> Vec<(usize, Outcome)> {
    let threads =
        orders.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let all = shares.iter().map(|share| share.questions() * share.runs).sum();
    let outcomes: Mutex<Vec<(u64, usize, Outcome)>> = Mutex::default();
    let work = || {
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some((share, run_of_it)) = job(shares, turn) else { return };
            let outcome = run(share.scenario, orders.seed.wrapping_add(run_of_it));
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((turn, share.place, outcome));
            let asked = share.questions();
            tell(Progress { done: done.fetch_add(asked, Ordering::Relaxed) + asked, all });
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(turn, ..)| *turn);
    outcomes.into_iter().map(|(_, place, outcome)| (place, outcome)).collect()
}

/// Whose run comes so late among all, and which of its runs that is.
fn job<'a, 's>(shares: &'a [Share<'s>], turn: u64) -> Option<(&'a Share<'s>, u64)> {
    let mut left = turn;
    for share in shares {
        match left.checked_sub(share.runs) {
            None => return Some((share, left)),
            Some(rest) => left = rest,
        }
    }
    None
}
