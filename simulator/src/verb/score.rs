//! `coldhearth-sim score`.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use clap::Args;
use coldhearth::host::{Exit, Failure, out};
use coldhearth_sim::{
    scenario::{Scenario, shipped},
    score::{self, LEAST_RUNS, MAX_RUNS, MAX_YEARS, Orders, Progress},
};

/// The command line of the verb.
#[derive(Args)]
pub(crate) struct Score {
    /// Honest equipment-years, over all honest scenarios together
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=MAX_YEARS))]
    years: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this scenario: a shipped name, or a path; may be given several times
    #[arg(long = "scenario", value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Runs of each cheat
    #[arg(long, default_value_t = LEAST_RUNS, value_parser = clap::value_parser!(u64).range(1..=MAX_RUNS))]
    runs: u64,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs it. Ends with [`Exit::Negative`] if an honest run raised an alarm, a cheat went uncaught or for too long or was
/// caught and said to be undetectable, or a run ended otherwise than its scenario says.
///
/// # Errors
/// There is no such scenario, or it has mistakes.
pub(crate) fn run(orders: &Score) -> Result<Exit, Failure> {
    let scenarios: Vec<Scenario> = if orders.scenarios.is_empty() {
        shipped::all()?
    } else {
        orders.scenarios.iter().map(|wanted| shipped::named(wanted)).collect::<Result<_, _>>()?
    };
    let Score { years, seed, runs, .. } = *orders;
    let told = AtomicU64::new(0);
    let orders_of_it = Orders { years, seed, runs, threads: None };
    let report = score::score_telling(&scenarios, orders_of_it, &|progress| tell(&told, progress));
    let mut out = out::out();
    let _gone = if orders.json {
        writeln!(out, "{}", report.json())
    } else {
        report.lines().iter().try_for_each(|line| writeln!(out, "{line}"))
    };
    let mut complaints = std::io::stderr().lock();
    for line in report.complaints() {
        let _gone = writeln!(complaints, "{line}");
    }
    Ok(if report.holds() { Exit::Done } else { Exit::Negative })
}

/// How often it is told how far the scoreboard is, in percent of it.
const TOLD_EVERY_PERCENT: u64 = 5;

/// Tells how far it is, where that was not told yet; a run of a minute shows it is not stuck, and standard output stays the
/// report's.
fn tell(told: &AtomicU64, progress: Progress) {
    let percent = progress.done.saturating_mul(100) / progress.all.max(1);
    let step = percent - percent % TOLD_EVERY_PERCENT;
    if step > told.fetch_max(step, Ordering::Relaxed) {
        let _gone = writeln!(std::io::stderr(), "{step} % played");
    }
}
