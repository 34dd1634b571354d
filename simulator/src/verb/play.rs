//! `coldhearth-sim play`: one run, finding by finding, with the truth beside.

use std::io::Write as _;

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, out},
    terms::words::Language,
};
use coldhearth_sim::{
    Witness,
    scenario::{shipped, time},
    told,
    witness::Seen,
};

/// The command line of the verb.
#[derive(Args)]
pub(crate) struct Play {
    /// A shipped scenario, or the path of one
    scenario: String,
    /// The same seed is the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Intervals and all verdicts too, not only what changed
    #[arg(long)]
    all: bool,
    /// zh or en; default: as the locale says
    #[arg(long, value_parser = language)]
    lang: Option<Language>,
}

/// Runs it.
///
/// # Errors
/// There is no such scenario, or it has mistakes.
pub(crate) fn run(orders: &Play) -> Result<Exit, Failure> {
    let scenario = shipped::named(&orders.scenario)?;
    let usual = || Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let language = orders.lang.unwrap_or_else(usual);
    let mut out = out::out();
    let _gone = writeln!(out, "{}: {}", scenario.name, scenario.told(language));
    let mut teller = told::Teller::new(language, orders.all);
    Witness::new(&scenario, orders.seed).play(&mut |at, seen, plant| {
        let line = match &seen {
            Seen::Finding(finding) => teller.finding(finding),
            Seen::Deed(due) => Some(teller.deed(&due.deed)),
            Seen::Log(word) => Some(format!("whoever follows the gateway's log: {word}")),
            Seen::Reading(_) => None,
        };
        line.is_none_or(|line| {
            let time = time::shown(plant.now_ms());
            writeln!(out, "{time}  boot {} | {} | {line}", at.boot, told::truth(&scenario, plant)).is_ok()
        })
    });
    Ok(Exit::Done)
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "zh" => Ok(Language::Chinese),
        "en" => Ok(Language::English),
        _ => Err("zh or en".to_owned()),
    }
}
