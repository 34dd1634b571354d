//! The scenarios and meter profiles that come with the program.

use std::sync::{Arc, LazyLock};

use coldhearth::{
    host::{Exit, Failure},
    metering::Profile,
    terms::Flaw,
};

use super::Scenario;

/// A scenario's name and text, from its folder.
macro_rules! scenarios {
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $folder, "/", $name, ".toml"))),)*]
    };
}

/// Plants in which nobody cheats.
pub const HONEST: &[(&str, &str)] = scenarios! {
    "honest":
    "idle"
    "auxiliary-load"
    "permit-run"
    "dismantling"
    "meter-outage"
    "bus-outage"
    "gateway-outage"
    "broker-outage"
    "meter-replaced"
    "clock-without-ntp"
    "rollover-while-off-without-ntp"
    "lawful-cut-twelve-months"
    "earth-fault-then-fuse"
    "earth-fault-before-capacitors"
    "barring-across-the-deadline"
    "coupler-closed-while-a-neighbour-melts"
    "crane-that-gives-back"
    "monthly-demand-clear"
    "lawful-production"
    "balance-agrees"
    "capacitors-left-on"
    "current-lost-beside-capacitors"
    "fuse-beside-capacitors"
    "heaters-in-full"
    "welder-that-was-named"
    "lamps-and-a-live-transformer"
    "meter-dips"
};

/// Plants in which somebody does.
pub const CHEATS: &[(&str, &str)] = scenarios! {
    "cheats":
    "banned-furnace-beyond-the-rating"
    "banned-furnace-on-a-lawful-feeder"
    "blackouts-of-fourteen-minutes"
    "bypass-with-incomer"
    "bypass-without-incomer"
    "captive-plant"
    "clock-set-back"
    "converter-under-cover-of-its-crane"
    "ct-ratio-edited"
    "ct-ratio-toggled-at-night"
    "ct-reversed"
    "dead-feeder-fed-back"
    "dead-line-played-again"
    "disk-image-restored"
    "disk-image-restored-offline"
    "divided-by-twenty-with-incomer"
    "divided-by-twenty-without-incomer"
    "equal-shunts"
    "frozen-words"
    "gateway-unplugged-during-the-run"
    "glass-line-on-the-lighting-allowance"
    "half-wave-dc"
    "live-relay"
    "log-rewritten-before-delivery"
    "meter-cloned"
    "meter-swapped"
    "meter-swapped-on-a-serial-line"
    "meter-swapped-same-serial"
    "midnight-melt"
    "one-ct-shorted"
    "own-generator"
    "production-under-a-permit"
    "pt-fuse-pulled"
    "pt-fuse-pulled-aron"
    "pulse-in-a-gap"
    "rating-edited-past-the-bound"
    "register-rolled-back"
    "register-rolled-back-while-the-gateway-is-off"
    "replayed-words"
    "replayed-words-of-a-transformer"
    "slow-creep"
    "stop-by-day-run-by-night"
    "textbook-server"
    "textbook-server-with-a-clock"
    "three-minute-pulses"
    "four-second-pulses"
    "two-of-three-polls-missed"
    "third-current-reversed-of-two-elements"
    "turbine-blown-blast-furnace"
    "voltage-leads-swapped"
};

macro_rules! profiles {
    ($($path:literal)*) => { &[$(($path, include_str!(concat!("../../../", $path))),)*] };
}

/// The profiles that scenarios may name.
const PROFILES: &[(&str, &str)] = profiles!(
    "config/meters/abb-b23-b24.toml"
    "config/meters/accuenergy-acuvim2.toml"
    "config/meters/acrel-adl400.toml"
    "config/meters/acrel-adl400-primary.toml"
    "config/meters/chint-dtsu666.toml"
    "config/meters/eastron-sdm630.toml"
    "config/meters/janitza-19000.toml"
    "config/meters/janitza-umg512.toml"
    "config/meters/schneider-pm5000.toml"
    "simulator/meters/sim-cutoff.toml"
    "simulator/meters/sim-panel.toml"
);

/// The profiles, read once.
///
/// # Errors
/// Mistakes in them, which a test would have found.
pub fn profiles() -> Result<&'static [Arc<Profile>], Vec<Flaw>> {
    static READ: LazyLock<Result<Vec<Arc<Profile>>, Vec<Flaw>>> = LazyLock::new(|| {
        PROFILES.iter().map(|(file, text)| Profile::parse(file, text).map(Arc::new)).collect()
    });
    READ.as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

/// The name and the text of every profile that scenarios may name.
pub fn profile_texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROFILES.iter().map(|(path, text)| {
        let file = path.rsplit_once('/').map_or(*path, |(_, file)| file);
        (file.strip_suffix(".toml").unwrap_or(file), *text)
    })
}

/// The names of all scenarios, honest ones first.
pub fn names() -> impl Iterator<Item = &'static str> {
    HONEST.iter().chain(CHEATS).map(|(name, _)| *name)
}

/// Every scenario, read, honest ones first.
///
/// # Errors
/// Mistakes in one, which a test would have found.
pub fn all() -> Result<Vec<Scenario>, Failure> {
    names().map(named).collect()
}

/// The scenario of a command line: a shipped name, or else a path.
///
/// # Errors
/// There is none, or it has mistakes.
pub fn named(wanted: &str) -> Result<Scenario, Failure> {
    let in_folder = |folder: &str, all: &'static [(&'static str, &'static str)]| {
        let (name, text) = all.iter().find(|(name, _)| *name == wanted)?;
        Some(((*name).to_owned(), format!("simulator/scenarios/{folder}/{name}.toml"), (*text).to_owned()))
    };
    let shipped = in_folder("honest", HONEST).or_else(|| in_folder("cheats", CHEATS));
    let (name, file, text) = match shipped {
        Some(shipped) => shipped,
        None => on_disk(wanted)?,
    };
    let parsed = Scenario::parse(&name, &file, &text);
    parsed.map(|scenario| Scenario { argument: wanted.to_owned(), ..scenario }).map_err(|flaws| {
        let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Config, lines.join("\n"))
    })
}

fn on_disk(wanted: &str) -> Result<(String, String, String), Failure> {
    let path = std::path::Path::new(wanted);
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, wanted.to_owned(), text)),
        Err(error) => {
            let known: Vec<&str> = names().collect();
            let message = format!(
                "{wanted}: {error}; name a file, or one of the shipped scenarios: {}",
                known.join(", ")
            );
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn the_lists_name_every_file_there_is() {
        for (folder, listed) in [("honest", HONEST), ("cheats", CHEATS)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(folder);
            let there: BTreeSet<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            let listed: BTreeSet<String> = listed.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(there, listed);
        }
    }

    #[test]
    fn every_shipped_scenario_is_right_and_stands_in_its_folder() {
        for (folder, honest) in [(HONEST, true), (CHEATS, false)] {
            for (name, _) in folder {
                let scenario = named(name).unwrap_or_else(|failure| panic!("{failure}"));
                assert_eq!(scenario.honest, honest, "{name}");
                assert!(honest || scenario.deeds(1).iter().any(|due| due.is_onset), "{name} has no onset");
                assert!(!scenario.ends.is_empty(), "{name} does not say what it ends as");
            }
        }
    }

    #[test]
    fn what_is_neither_shipped_nor_a_file_is_told_with_what_there_is() {
        let failure = named("midnight-mellt").unwrap_err();
        assert!(failure.exit == Exit::Usage && failure.message.contains("midnight-melt"), "{failure}");
    }
}
