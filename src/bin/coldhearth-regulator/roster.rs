//! `roster check`: whether what divisions handed in adds up from county to nation.

use std::path::PathBuf;

use clap::Subcommand;
use coldhearth::{
    catalogue::{Rules, breakdown},
    host::{Exit, Failure},
    terms::Flaw,
};

use crate::say;

#[derive(Subcommand)]
pub(crate) enum Roster {
    /// Check the files of divisions, county to nation: sums, parents, duplicates; exit 0 good, 1 wrong, 65 no such files
    Check {
        /// TOML or JSON, one file a division; src/catalogue/breakdown.rs tells what stands in them
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub(crate) fn roster(verb: &Roster) -> Result<Exit, Failure> {
    let Roster::Check { files } = verb;
    let rules = Rules::shipped().map_err(|flaws| Failure::new(Exit::Bug, listed(&flaws)))?;
    let (mut pages, mut malformed) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::new(Exit::Data, format!("{name}: {e}; name files that can be read")))?;
        match breakdown::Page::parse(&name, &text) {
            Ok(page) => pages.push(page),
            Err(flaws) => malformed.extend(flaws),
        }
    }
    if !malformed.is_empty() {
        return Err(Failure::new(Exit::Data, format!("no such files\n{}", listed(&malformed))));
    }
    let report = breakdown::check(pages, &rules);
    for sum in &report.sums {
        let rest = match sum.unallocated {
            0 => String::new(),
            rest => format!(", {rest} allocated to nobody"),
        };
        say(&format!(
            "{}  {}: target {} {}, listed {}{rest}",
            sum.division, sum.entry, sum.target, sum.unit, sum.listed
        ));
    }
    for doubt in &report.doubts {
        say(&format!("look at {doubt}"));
    }
    if report.wrong.is_empty() {
        say("adds up");
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Negative, format!("does not add up\n{}", listed(&report.wrong))))
}

fn listed(flaws: &[Flaw]) -> String {
    let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
