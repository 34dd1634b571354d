//! The scoreboard: many honest years and many runs of every cheat, on all processors, the same whatever their number.

mod report;
mod run;

use std::{
    cmp::Reverse,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
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

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// Honest equipment-years, over all honest scenarios together.
    pub years: u64,
    /// Seeds count from here.
    pub seed: u64,
    /// Runs of each cheat.
    pub runs: u64,
    /// Threads; as many as the machine has processors without.
    pub threads: Option<NonZeroUsize>,
}

/// Plays scenarios and gives the account of each, in their order.
pub fn score(scenarios: &[Scenario], orders: Orders) -> Report {
    let mut jobs: Vec<(usize, u64)> = scenarios
        .iter()
        .enumerate()
        .flat_map(|(place, scenario)| {
            let runs = runs_of(scenario, scenarios, orders);
            (0..runs).map(move |turn| (place, orders.seed.wrapping_add(turn)))
        })
        .collect();
    // Long ones first, or one processor is left with the longest while the others have done; a row keeps its order.
    let questions =
        |scenario: &Scenario| scenario.lasts_ms() / scenario.poll_ms() * scenario.config.meters.len() as u64;
    jobs.sort_by_key(|(place, _)| Reverse(scenarios.get(*place).map(questions)));
    let outcomes = played(scenarios, &jobs, orders.threads);
    let mut rows: Vec<Row> = scenarios.iter().map(Row::of).collect();
    for ((place, _), outcome) in jobs.into_iter().zip(outcomes) {
        if let Some(row) = rows.get_mut(place) {
            row.add(outcome);
        }
    }
    Report::of(rows)
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

/// Plays every job; each thread takes the next one that nobody has.
fn played(scenarios: &[Scenario], jobs: &[(usize, u64)], threads: Option<NonZeroUsize>) -> Vec<Outcome> {
    let threads = threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    let work = || {
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some((scenario, seed)) =
                jobs.get(turn).and_then(|(place, seed)| Some((scenarios.get(*place)?, *seed)))
            else {
                return;
            };
            let outcome = run(scenario, seed);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((turn, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(turn, _)| *turn);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}
