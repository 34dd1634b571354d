//! The verbs over files of a gateway: `check`, `enrol`, `export`.

use std::path::{Path, PathBuf};

use coldhearth::{
    agent::{self, config},
    catalogue::{Catalogue, Rules, instrument, lead::LeadDays, overlay},
    evidence::Suite,
    host::{
        Exit, Failure,
        keys::KEY_FILE,
        layers::{self, Setting},
        out::say,
        text,
    },
    metering::Profile,
    terms::Flaw,
};

use crate::configuration::Configuration;

/// Checks each file for what it is: a profile has a `[measure]` table, an instrument `[document]`, an overlay a
/// `region_code`, a list of shutdown times `[[lead]]`, anything else is an agent's configuration.
pub(crate) fn check(files: &[PathBuf], set: &[Setting], show: bool) -> Result<Exit, Failure> {
    let mut flaws = Vec::new();
    for path in files {
        match check_one(path, files, set, show) {
            Ok(good) => say(&format!("{}: ok, {good}", path.display())),
            Err(found) => flaws.extend(found),
        }
    }
    if flaws.is_empty() { Ok(Exit::Done) } else { Err(Failure::new(Exit::Config, listed(&flaws))) }
}

fn check_one(path: &Path, files: &[PathBuf], set: &[Setting], show: bool) -> Result<String, Vec<Flaw>> {
    // What cannot be read is told by whoever reads it as a configuration.
    let text = text::read(path, layers::MAX_FILE_BYTES).unwrap_or_default();
    if let Some(checked) = check_law(path, &text, files) {
        return checked;
    }
    let has = |heading: &str| text.lines().any(|line| line.trim() == heading);
    if has("[[lead]]") {
        LeadDays::parse(&path.display().to_string(), &text)?;
        return Ok("days that a shutdown takes, by kind of equipment".to_owned());
    }
    if has("[measure]") {
        let profile = Profile::parse(&path.display().to_string(), &text)?;
        return Ok(format!("profile {profile}, {} quantities", profile.rows.len()));
    }
    let config = config::load_with(path, set)?;
    if show {
        layers::shown(&layers::read(path, set)?.tree).iter().for_each(|line| say(line));
    }
    for warning in config.warnings.iter().chain(&config.absent) {
        say(&format!("warning: {warning}"));
    }
    if !config.unusable.is_empty() {
        return Err(config.unusable);
    }
    Ok(format!("{} meters, {} pieces of equipment", config.meters.len(), config.equipment.len()))
}

/// Checks an instrument or an overlay, the latter against the instruments among the files; `None` if it is neither.
fn check_law(path: &Path, text: &str, files: &[PathBuf]) -> Option<Result<String, Vec<Flaw>>> {
    let name = path.display().to_string();
    let node = overlay::document(&name, text).ok()?;
    if instrument::is_catalogue(&node) {
        let entries = |catalogue: Catalogue| {
            format!("instrument {}, {} entries", catalogue.source.number, catalogue.entries().len())
        };
        return Some(Catalogue::parse(&name, text).map(entries));
    }
    overlay::is_overlay(&node).then(|| {
        let instruments = files.iter().filter_map(|file| {
            let text = text::read(file, layers::MAX_FILE_BYTES).ok()?;
            Catalogue::parse(&file.display().to_string(), &text).ok()
        });
        let rules = Rules::shipped_and(instruments.collect())?;
        let overlay = rules.read_overlay(&name, text)?;
        let good = format!("overlay {} for {}", overlay.source.number, overlay.region_code);
        for loosened in rules.with(vec![overlay]).lint() {
            say(&format!("warning: {name}: tries to loosen, without effect: {loosened}"));
        }
        Ok(good)
    })
}

/// Makes the first key, or shows the one there is.
pub(crate) fn enrol(layers: &Configuration, suite: &str, again: bool) -> Result<Exit, Failure> {
    let suite = Suite::from_word(suite).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("--suite {suite}: ed25519 or sm2-sm3 is expected"))
    })?;
    let config = layers.load()?;
    let key = agent::enrol(&config, suite, again)?;
    say(&format!("gateway:     {}", config.gateway.id));
    say(&format!("public key:  {}", config.gateway.state_dir.join(format!("{KEY_FILE}.pub")).display()));
    say(&format!("suite:       {}", key.suite()));
    say(&format!("fingerprint: {}", key.fingerprint()));
    say("Hand the public key over, and read the fingerprint out to the authority by another way.");
    Ok(Exit::Done)
}

/// Writes a bundle for an auditor.
pub(crate) fn export(layers: &Configuration, out: &Path) -> Result<Exit, Failure> {
    let config = layers.load()?;
    let manifest = agent::export(&config, out)?;
    let (records, receipts) = (manifest.records, manifest.receipts);
    say(&format!("{}: {records} records, {receipts} receipts; open index.html", out.display()));
    Ok(Exit::Done)
}

pub(crate) fn listed(flaws: &[Flaw]) -> String {
    let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    format!("configuration invalid\n{}", lines.join("\n"))
}
