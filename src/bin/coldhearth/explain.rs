//! `explain`: what a code means, and what to do about it.

use clap::Args;
use coldhearth::{
    host::{self, Exit, Failure, out},
    terms::words::Language,
};

#[derive(Args)]
pub(crate) struct Explain {
    /// The code as a screen, a log or a record writes it, as `silent` or `why.silent`; none lists all there are
    code: Option<String>,
    /// In this language, zh or en; by default that of LANG
    #[arg(long, value_name = "LANGUAGE", value_parser = ["zh", "en"])]
    lang: Option<String>,
    /// As JSON, in both languages
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub(crate) fn explain(orders: &Explain) -> Result<Exit, Failure> {
    let locale = orders.lang.clone().or_else(|| std::env::var("LANG").ok()).unwrap_or_default();
    let lines = host::explain::explain(orders.code.as_deref(), Language::of_locale(&locale), orders.json)?;
    lines.iter().for_each(|line| out::say(line));
    Ok(Exit::Done)
}
