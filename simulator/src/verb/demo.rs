//! `coldhearth-sim demo`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use coldhearth::host::{Exit, Failure};
use coldhearth_sim::demo::{self, DemoOrders, MAX_SPEED};

/// The command line of the verb.
#[derive(Args)]
#[command(
    after_help = "What the agent itself logs is left out; RUST_LOG=coldhearth=info shows it on standard error."
)]
pub(crate) struct Demo {
    /// End by itself after this time of the wall (60s, 2m) with a summary; until Ctrl-C without
    #[arg(long = "for", value_name = "TIME", value_parser = milliseconds)]
    duration: Option<u64>,
    /// The same plant without the cheat, and no violation expected
    #[arg(long)]
    honest: bool,
    /// Whether somebody melts at night; with `off` the violation stays expected, so the demo must fail
    #[arg(long, value_enum, default_value_t = Switch::On, conflicts_with = "honest")]
    cheat: Switch,
    /// Times life
    #[arg(long, default_value_t = MAX_SPEED, value_parser = clap::value_parser!(u64).range(1..=MAX_SPEED))]
    speed: u64,
    /// Draw the night of its furnace into this file instead, as an SVG: in virtual time, the same for everybody
    #[arg(long, value_name = "FILE", conflicts_with_all = ["duration", "honest", "cheat", "speed"])]
    picture: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Runs it.
///
/// # Errors
/// As [`demo::run`].
pub(crate) fn run(Demo { duration, honest, cheat, speed, picture }: Demo) -> Result<Exit, Failure> {
    if let Some(file) = picture {
        let cannot = |e| Failure::new(Exit::Permission, format!("{}: {e}", file.display()));
        return std::fs::write(&file, demo::picture()?).map(|()| Exit::Done).map_err(cannot);
    }
    let cheats = !honest && cheat == Switch::On;
    demo::run(DemoOrders { cheat: cheats, expect_violation: !honest, for_ms: duration, speed })
}

fn milliseconds(text: &str) -> Result<u64, String> {
    coldhearth::terms::time::milliseconds(text)
        .ok_or_else(|| format!("`{text}` is no duration; write 60s or 2m"))
}
