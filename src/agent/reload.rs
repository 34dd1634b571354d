//! A new configuration for an agent that runs: what it changes, and whether it may be taken without a stop.
//!
//! It is taken whole or not at all. The watch ends in order, with its last words, and begins anew over the same journal
//! with a boot record that names the new configuration and a record of each metering point that is declared otherwise.
//! The seconds between are accounted for as those of any other restart: by the registers on both sides.

use super::{address, config::AgentConfig};
use crate::{
    host::exit::{Exit, Failure},
    terms::Stamp,
};

/// The sections that a new configuration changes, as they stand in the file; none when it says the same.
///
/// # Errors
/// It is another gateway's or another log's, or names a password that cannot be read.
pub fn changes(running: &AgentConfig, new: &AgentConfig, now: &Stamp) -> Result<Vec<&'static str>, Failure> {
    let fixed = fixed(running, new);
    if !fixed.is_empty() {
        let message = format!(
            "[gateway] {} cannot change while the agent runs: they say whose log it is; stop the agent, and start it anew",
            fixed.join(", ")
        );
        return Err(Failure::new(Exit::Config, message));
    }
    address::broker(new, now)?;
    Ok(sections(running, new))
}

/// Members of `[gateway]` that a log begins with.
fn fixed(running: &AgentConfig, new: &AgentConfig) -> Vec<&'static str> {
    let (one, other) = (&running.gateway, &new.gateway);
    let differs = [
        ("id", one.id != other.id),
        ("division", one.division != other.division),
        ("uscc", one.enterprise != other.enterprise),
        ("state_dir", one.state_dir != other.state_dir),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

/// Two sections are the same where all that was read from them is.
fn sections(running: &AgentConfig, new: &AgentConfig) -> Vec<&'static str> {
    let shown = |config: &AgentConfig| {
        [
            ("[gateway]", format!("{:?}", config.gateway)),
            ("[broker]", format!("{:?}", config.broker)),
            ("[authority]", format!("{:?}", config.authority)),
            ("[journal]", format!("{:?}", config.journal)),
            ("[status]", format!("{:?}", config.status)),
            ("[[bus]]", format!("{:?}", config.buses)),
            ("[[equipment]]", format!("{:?}", config.equipment)),
            ("[[meter]]", format!("{:?}", config.meters)),
            ("[[balance]]", format!("{:?}", config.balances)),
            ("[catalogue]", format!("{:?}", config.roster)),
        ]
    };
    let pairs = shown(running).into_iter().zip(shown(new));
    let mut changed: Vec<&str> =
        pairs.filter(|(one, other)| one != other).map(|((section, _), _)| section).collect();
    if changed.is_empty() && running.digest != new.digest {
        // The bytes are attested, whatever they mean.
        changed.push("comments or rule files");
    }
    changed
}
