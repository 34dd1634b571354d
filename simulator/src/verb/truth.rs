//! `coldhearth-sim truth`.

use std::io::Write as _;

use clap::Args;
use coldhearth::host::{Exit, Failure, out};
use coldhearth_sim::{scenario::shipped, truth::Truths};

/// The command line of the verb.
#[derive(Args)]
pub(crate) struct Truth {
    /// A shipped scenario, or the path of one
    scenario: String,
    /// The same seed is the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs it.
///
/// # Errors
/// There is no such scenario, or it has mistakes.
pub(crate) fn run(orders: &Truth) -> Result<Exit, Failure> {
    let scenario = shipped::named(&orders.scenario)?;
    let mut out = std::io::BufWriter::new(out::out());
    Truths::new(&scenario, orders.seed).tell(&mut |line| writeln!(out, "{line}").is_ok());
    let _gone = out.flush();
    Ok(Exit::Done)
}
