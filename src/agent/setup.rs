//! A first configuration from a few choices: commented, and good as it is. What is wrong with a choice is told by the same
//! reader that reads every configuration, with the flag in the place of a line.

mod page;
mod plan;

use std::path::Path;

use self::plan::Plan;
use super::config::{self, AgentConfig};
use crate::terms::{
    Digest, Flaw, Flaws,
    form::Node,
    words::{self, Language},
};

/// What a person chose. Nothing of it is looked at before [`draft`] does.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Identifier of the gateway.
    pub gateway: String,
    /// County, six digits.
    pub division: String,
    /// The enterprise's unified social credit code.
    pub uscc: String,
    /// Folder for key and journal; a relative path counts from the file.
    pub state_dir: String,
    /// Folder of the meter profiles; a relative path counts from the file.
    pub profiles: String,
    /// The broker, HOST or HOST:PORT.
    pub broker: String,
    /// File of the authority's public key, where there is one; a relative path counts from the file.
    pub authority: Option<String>,
    /// Each `ID=KIND:POWER` or `ID=KIND:POWER:LAST_LAWFUL_DAY`.
    pub equipment: Vec<String>,
    /// Each `PROFILE@ENDPOINT/UNIT`, and behind commas `KEY=VALUE` of `[[meter]]`.
    pub meters: Vec<String>,
}

/// A configuration that passes.
#[derive(Debug)]
pub struct Draft {
    /// The text of the file.
    pub text: String,
    /// What it says.
    pub config: AgentConfig,
    /// Lines that hold a placeholder, each with its number.
    pub to_fill_in: Vec<String>,
    /// Choices that are allowed and look like a slip.
    pub odd: Vec<Flaw>,
}

/// Writes a configuration for a file beside `base`, its comments in one language. Reads the profiles and the key that the
/// choices name, and writes nothing.
///
/// # Errors
/// Every choice that is wrong, with what is right.
pub fn draft(choices: &Choices, file: &Path, language: Language) -> Result<Draft, Vec<Flaw>> {
    let base = file.parent().unwrap_or(Path::new("."));
    let flaws = Flaws::default();
    let plan = Plan::of(choices, &flaws);
    let mut wrong = flaws.into_sorted();
    // Without a meter that could be read there is no use in saying that none is configured.
    if !wrong.is_empty() && plan.is_bare() {
        return Err(wrong);
    }
    // What was refused already is in no table, and is not to be missed there.
    let further = if wrong.is_empty() { Flaws::default() } else { Flaws::of_part() };
    let read = match config::read_noting(&plan.tree(), Digest::of(b""), base, None, further) {
        Ok(read) if wrong.is_empty() => read,
        Ok(_) => return Err(wrong),
        Err(more) => {
            wrong.extend(more);
            return Err(wrong);
        }
    };
    let text = page::write(&plan, &read, language);
    // Of what is missing the file itself speaks; of who and where nobody else will before it is signed.
    let about_gateway = |flaw: &Flaw| matches!(&*flaw.place.file, "--uscc" | "--division" | "--gateway");
    let odd = read.warnings.into_iter().filter(about_gateway).collect();
    // What is written is what is read: a value that TOML reads otherwise would show here.
    let tree = Node::parse(&file.display().to_string(), &text)?;
    let config = config::read_tree(&tree, Digest::of(text.as_bytes()), base, None)?;
    let mark = words::SETUP_FILL_IN.in_language(language).trim_end();
    let line = |(at, line): (usize, &str)| format!("{}: {line}", at + 1);
    let to_fill_in = text.lines().enumerate().filter(|(_, line)| line.contains(mark)).map(line).collect();
    Ok(Draft { text, config, to_fill_in, odd })
}

#[cfg(test)]
mod tests;
