//! `coldhearth-sim`: the plant, for everybody who tests.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use coldhearth::host::{Exit, Failure, service};
use coldhearth_sim::demo::{self, DemoOrders, MAX_SPEED};

#[derive(Parser)]
#[command(
    name = "coldhearth-sim",
    version,
    about = "Plays the plant, honest or cheating",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// A cheating plant, a broker, the agent and the regulator in one go: watch a furnace being caught
    Demo(Demo),
}

#[derive(Args)]
struct Demo {
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
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

fn main() -> ExitCode {
    service::start_logging_at("warn");
    let Verb::Demo(Demo { duration, honest, cheat, speed }) = Arguments::parse().verb;
    let cheats = !honest && cheat == Switch::On;
    let orders = DemoOrders { cheat: cheats, expect_violation: !honest, for_ms: duration, speed };
    match demo::run(orders) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, message }) => {
            let exit: Exit = exit;
            let _gone = writeln!(std::io::stderr(), "coldhearth-sim: {message}");
            exit.into()
        }
    }
}

fn milliseconds(text: &str) -> Result<u64, String> {
    coldhearth::terms::time::milliseconds(text)
        .ok_or_else(|| format!("`{text}` is no duration; write 60s or 2m"))
}
