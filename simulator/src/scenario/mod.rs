//! A scenario: what is declared, what is there, what is done and when, and what it should end as. One strict TOML file;
//! `simulator/scenarios/README.md` describes it.

pub mod cap;
pub mod deed;
pub mod end;
mod event;
mod load;
mod premises;
mod read;
pub mod shipped;
mod site;
pub mod time;
mod verb;

use std::collections::BTreeMap;

use coldhearth::{
    agent::config::AgentConfig,
    terms::{AssetId, ClockQuality, Flaw, LegalDay, MeterId, MilliWatts, Name, words::Language},
};

pub use self::{
    deed::{Deed, Paper, PaperFor},
    end::{Balanced, Cap, Catch, End},
    event::Due,
};
use self::{
    event::Event,
    premises::Premises,
    site::{FeederPlan, MeterPlan},
};
use crate::{chance::Chance, plant::Plant, site::FeederIndex};

/// Time between two polls of an honest plant in quiet times, in milliseconds.
pub const QUIET_POLL_MS: u64 = 60_000;
/// Time between two polls around everything that is done, and of a plant that cheats, in milliseconds.
pub const CLOSE_POLL_MS: u64 = 1_000;

/// A scenario, read.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: that of its file.
    pub name: String,
    /// What a command line names it by: a shipped name, or the path it was read from, as given.
    pub argument: String,
    /// What it is, in Chinese.
    pub zh: String,
    /// What it is, in English.
    pub en: String,
    /// Nobody cheats.
    pub honest: bool,
    /// What no software can see, and the words that cap the claim.
    pub cap: Option<Cap>,
    /// The day that plant time 0 is the midnight of.
    pub starts: LegalDay,
    /// Plant time at which the gateway is first switched on, in milliseconds.
    pub from_ms: u64,
    /// Plant time at which it ends, in milliseconds.
    pub until_ms: u64,
    /// How far the gateway's clock can be believed at the start.
    pub clock: ClockQuality,
    /// The agent's configuration, as its own reader took it.
    pub config: AgentConfig,
    /// What each piece of equipment should end as.
    pub ends: Vec<End>,
    /// What its balance groups must come to.
    pub balances: Option<Balanced>,
    /// Weak signs that an honest plant may raise; any other is a failure.
    pub signs: Vec<&'static str>,
    /// By what the cheat must be caught.
    pub catch: Option<Catch>,
    premises: Premises,
    feeders: Vec<FeederPlan>,
    meters: Vec<MeterPlan>,
    events: Vec<Event>,
    index: BTreeMap<Name, FeederIndex>,
}

impl Scenario {
    /// Reads a scenario; `name` is that of its file without the ending.
    ///
    /// # Errors
    /// Every mistake found, each with its place and cure.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Scenario, Vec<Flaw>> {
        read::parse(name, file, text)
    }

    /// The plant of a seed, before anything is done.
    pub fn plant(&self, seed: u64) -> Plant {
        let mut plant = Plant::new(seed);
        site::build(&mut plant, &self.feeders, &self.meters);
        for furnace in &self.config.equipment {
            if let Some(at) = furnace.plate {
                plant.add_plate(at.unit, at.at, furnace.papers.plates.declared());
            }
        }
        plant
    }

    /// Everything that is done in the run of a seed, in time.
    pub fn deeds(&self, seed: u64) -> Vec<Due> {
        event::unfold(&self.events, Chance::new(seed).branch(0x6465_6564))
    }

    /// Whether the cheat must be caught.
    pub fn detectable(&self) -> bool {
        !self.honest && self.cap.is_none()
    }

    /// Time between two polls where nothing happens, in milliseconds.
    pub fn poll_ms(&self) -> u64 {
        if self.honest { QUIET_POLL_MS } else { CLOSE_POLL_MS }
    }

    /// How long it lasts, in milliseconds.
    pub fn lasts_ms(&self) -> u64 {
        self.until_ms.saturating_sub(self.from_ms)
    }

    /// A feeder of the plant by its name.
    pub fn feeder(&self, id: Name) -> Option<FeederIndex> {
        self.index.get(&id).copied()
    }

    /// The name of a feeder of the plant.
    pub fn feeder_name(&self, feeder: FeederIndex) -> Option<Name> {
        self.index.iter().find(|(_, index)| **index == feeder).map(|(name, _)| *name)
    }

    /// The feeder a meter stands on.
    pub fn feeder_of(&self, meter: MeterId) -> Option<FeederIndex> {
        self.meters.iter().find(|plan| plan.id == meter.0).and_then(|plan| self.feeder(plan.feeder))
    }

    /// The feeders that the meters of a piece of equipment stand on.
    pub fn feeders_of(&self, asset: AssetId) -> Vec<FeederIndex> {
        let serving = self.config.meters.iter().filter(|meter| meter.commissioned.serves(asset));
        serving.filter_map(|meter| self.feeder_of(meter.id)).collect()
    }

    /// The feeders whose energy a piece of equipment really draws.
    pub fn draws(&self, asset: AssetId) -> Vec<FeederIndex> {
        let catch = self.catch.as_ref().filter(|catch| catch.asset == asset);
        catch.map_or_else(|| self.feeders_of(asset), |catch| catch.draws.clone())
    }

    /// What it is.
    pub fn told(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }

    /// Rated power of a piece of equipment.
    pub fn rated(&self, asset: AssetId) -> MilliWatts {
        let furnace = self.config.equipment.iter().find(|furnace| furnace.equipment.id == asset);
        furnace.map_or(MilliWatts(0), |furnace| furnace.rated)
    }

    /// The names of its buses, in the order their schedules run.
    pub fn buses(&self) -> &[Name] {
        &self.premises.buses
    }

    /// The agent's configuration as a file for people: each bus at the endpoint it is served at, profiles in a folder.
    pub fn configuration(&self, endpoint: &dyn Fn(Name) -> Option<String>, profiles: &str) -> String {
        self.premises.text(endpoint, profiles)
    }
}
