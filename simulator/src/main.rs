//! `coldhearth-sim`: the plant, for everybody who tests.

mod verb;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use coldhearth::host::{out, service};

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
    Demo(verb::demo::Demo),
    /// The plant of a scenario over real sockets, for any Modbus master
    Serve(verb::serve::Serve),
    /// Many gateways with real signatures at a real broker, with outages, restarts and storms
    Fleet(verb::fleet::Fleet),
    /// What the judge says of a recorded feeder, as if decommissioned equipment stood behind it
    Judge(verb::judge::Judge),
    /// Plays one run of a scenario in virtual time and tells it finding by finding, with the truth beside
    Play(verb::play::Play),
    /// Scores the judge: years of honest plants without a false alarm, and every cheat caught in time
    Score(verb::score::Score),
    /// What really happens in a run, as JSON Lines: one object for each change of what equipment does
    Truth(verb::truth::Truth),
}

fn main() -> ExitCode {
    let verb = Arguments::parse().verb;
    service::start_logging_at(match verb {
        // The screen tells what the agent says; its own log is for whoever asks by RUST_LOG.
        Verb::Demo(_) => "off",
        // What befalls a fleet is its story, told as a sum; thousands of lost brokers are no news.
        Verb::Fleet(_) => "error",
        Verb::Serve(_) | Verb::Judge(_) | Verb::Play(_) | Verb::Score(_) | Verb::Truth(_) => "warn",
    });
    let done = match verb {
        Verb::Demo(orders) => verb::demo::run(orders),
        Verb::Serve(orders) => verb::serve::run(orders),
        Verb::Fleet(orders) => verb::fleet::run(orders),
        Verb::Judge(orders) => verb::judge::run(&orders),
        Verb::Play(orders) => verb::play::run(&orders),
        Verb::Score(orders) => verb::score::run(&orders),
        Verb::Truth(orders) => verb::truth::run(&orders),
    };
    out::end("coldhearth-sim", done)
}
