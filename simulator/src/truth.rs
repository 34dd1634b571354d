//! What really happens in a run, for whoever compares: an object of JSON for each change of what equipment does.

use std::collections::VecDeque;

use coldhearth::terms::{AssetId, Name};
use serde_json::{Value, json};

use crate::{
    plant::Plant,
    scenario::{Deed, Due, Scenario, time::DAY_MS},
    site::FeederIndex,
};

/// The truth of a run, from its beginning on. Looked at as often as the plant is polled, and at every deed.
#[derive(Debug)]
pub struct Truths<'s> {
    scenario: &'s Scenario,
    plant: Plant,
    deeds: VecDeque<Due>,
    look: Look,
}

impl<'s> Truths<'s> {
    /// The truth of a seed.
    pub fn new(scenario: &'s Scenario, seed: u64) -> Truths<'s> {
        let mut plant = scenario.plant(seed);
        plant.advance_to(scenario.from_ms);
        Truths { deeds: scenario.deeds(seed).into(), look: Look::at(scenario), scenario, plant }
    }

    /// Tells every change up to the end, in time.
    pub fn tell(&mut self, say: &mut dyn FnMut(&Value) -> bool) {
        let every_ms = self.scenario.poll_ms();
        self.plant.set_step_ms(every_ms);
        while self.look.look(self.scenario, &self.plant, false, say)
            && self.plant.now_ms() < self.scenario.until_ms
        {
            let next_look = (self.plant.now_ms() / every_ms + 1) * every_ms;
            let next_deed = self.deeds.front().map_or(u64::MAX, |due| due.at_ms);
            self.plant.advance_to(next_look.min(next_deed.max(self.plant.now_ms() + 1)));
            while let Some(due) = self.deeds.pop_front_if(|due| due.at_ms <= self.plant.now_ms()) {
                self.look.on_deed(&due);
                if let Deed::Plant(change) = due.deed {
                    // A scenario names only what is there, so the plant finds it.
                    let _found = self.plant.apply(change);
                }
            }
        }
    }
}

/// What was told last of each piece of equipment.
#[derive(Debug)]
pub(crate) struct Look {
    /// Equipment with a feeder it may draw by, and whether it did when that was told last.
    watched: Vec<(AssetId, Name, FeederIndex, Option<bool>)>,
    begun: bool,
}

impl Look {
    /// At all equipment of a scenario, of which nothing was told yet.
    pub(crate) fn at(scenario: &Scenario) -> Look {
        let watched = scenario.config.equipment.iter().flat_map(|furnace| {
            let asset = furnace.equipment.id;
            let feeders = scenario.draws(asset).into_iter();
            feeders.filter_map(move |feeder| Some((asset, scenario.feeder_name(feeder)?, feeder, None)))
        });
        Look { watched: watched.collect(), begun: false }
    }

    /// Something was done.
    pub(crate) fn on_deed(&mut self, due: &Due) {
        self.begun |= due.is_onset;
    }

    /// Tells what changed since it was looked at last, or all there is; false if nobody listens.
    pub(crate) fn look(
        &mut self,
        scenario: &Scenario,
        plant: &Plant,
        all: bool,
        say: &mut dyn FnMut(&Value) -> bool,
    ) -> bool {
        let label = if self.begun { scenario.name.as_str() } else { "honest" };
        let at = moment(scenario, plant.now_ms());
        self.watched.iter_mut().all(|(asset, feeder, index, drew)| {
            let truth = plant.equipment(*index);
            let drawing = truth.power.0 != 0;
            let is_known = drew.replace(drawing) == Some(drawing);
            is_known && !all
                || say(&json!({
                    "at": at,
                    "plant_ms": plant.now_ms(),
                    "equipment": asset.to_string(),
                    "feeder": feeder.to_string(),
                    "drawing": drawing,
                    "power_w": truth.power.watts(),
                    "energy_wh": truth.energy.0,
                    "label": label,
                }))
        })
    }
}

/// A moment of plant time as RFC 3339, in lawful time.
fn moment(scenario: &Scenario, plant_ms: u64) -> String {
    let unix_ms = scenario.starts.starts_unix_ms().saturating_add_unsigned(plant_ms);
    let day = coldhearth::terms::LegalDay::of_unix_ms(unix_ms);
    let rest = plant_ms % DAY_MS;
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("{day}T{hours:02}:{minutes:02}:{seconds:02}.{:03}+08:00", rest % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::shipped;

    #[test]
    fn a_melt_is_told_from_its_first_arc_to_its_last() {
        let scenario = shipped::named("midnight-melt").unwrap();
        let onset = scenario.deeds(3).into_iter().find(|due| due.is_onset).unwrap().at_ms;
        let mut told = Vec::new();
        Truths::new(&scenario, 3).tell(&mut |line| {
            told.push(line.clone());
            true
        });
        assert_eq!((told[0]["drawing"].as_bool(), told[0]["label"].as_str()), (Some(false), Some("honest")));
        let melt = &told[1];
        assert_eq!((melt["drawing"].as_bool(), melt["label"].as_str()), (Some(true), Some("midnight-melt")));
        assert!(melt["plant_ms"].as_u64().unwrap().abs_diff(onset) <= 1_000, "{melt}");
        let last = told.last().unwrap();
        assert_eq!(last["drawing"].as_bool(), Some(false));
        assert!((500_000..2_000_000).contains(&last["energy_wh"].as_i64().unwrap()), "{last}");
        let at = last["at"].as_str().unwrap();
        assert!(at.starts_with("2027-03-0") && at.ends_with("+08:00"), "{at}");
    }
}
