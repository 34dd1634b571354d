//! What an open plant tells of itself: where it is reached, what is done as it is done, and the truth, for whoever
//! compares.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufWriter, Write as _},
};

use coldhearth::host::{Exit, Failure};
use serde_json::json;

use super::{OpenOrders, Served, failed};
use crate::{
    plant::Plant,
    scenario::{Due, Scenario, time},
    told::Teller,
};

/// How often the truth is written, in milliseconds of plant time; beside that, at every deed.
const TRUTH_EVERY_MS: u64 = 60_000;

/// Tells it.
pub(super) struct Narrator {
    scenario: Scenario,
    deeds: VecDeque<Due>,
    teller: Teller,
    truth: Option<BufWriter<File>>,
    next_truth_ms: u64,
    path: String,
}

impl Narrator {
    pub(super) fn new(orders: &OpenOrders, deeds: Vec<Due>, from_ms: u64) -> Result<Narrator, Failure> {
        let path = orders.truth.as_ref().map_or_else(String::new, |path| path.display().to_string());
        let truth = match &orders.truth {
            Some(file) => {
                Some(BufWriter::new(File::create(file).map_err(|e| failed(Exit::Permission, &path, &e))?))
            }
            None => None,
        };
        Ok(Narrator {
            scenario: orders.scenario.clone(),
            deeds: deeds.into(),
            teller: Teller::new(orders.language, true),
            truth,
            next_truth_ms: from_ms,
            path,
        })
    }

    /// Says what is open, where, and what will happen.
    pub(super) fn introduce(&mut self, orders: &OpenOrders, served: &Served) {
        let scenario = &orders.scenario;
        say(&format!("{}: {}", scenario.name, scenario.told(orders.language)));
        for (bus, at) in served {
            let meters = scenario.config.meters.iter().filter(|meter| meter.bus == *bus);
            let units: Vec<String> =
                meters.map(|meter| format!("{} {} ({})", meter.unit, meter.id, meter.profile.id)).collect();
            say(&format!("bus {bus}: tcp://{at}, units {}", units.join(", ")));
        }
        if let Some(line) = &orders.serial {
            say(&format!("every unit: {} at {} baud", line.path.display(), line.baud));
        }
        if let Some(path) = &orders.agent_config {
            say(&format!("configuration of an agent: {}", path.display()));
        }
        if let Some(onset) = self.deeds.iter().find(|due| due.is_onset) {
            say(&format!("the cheat begins at {} of plant time", time::shown(onset.at_ms)));
        }
    }

    /// Tells what has been done by now, and the truth.
    pub(super) fn tell(&mut self, plant: &Plant) -> Result<Exit, Failure> {
        let now_ms = plant.now_ms();
        while let Some(due) = self.deeds.front().filter(|due| due.at_ms <= now_ms) {
            let what = self.teller.deed(&due.deed);
            say(&format!("{}  {what}", time::shown(due.at_ms)));
            let line = json!({"plant_ms": due.at_ms, "deed": what, "onset": due.is_onset});
            self.write(&line)?;
            self.deeds.pop_front();
            self.next_truth_ms = now_ms;
        }
        if now_ms >= self.next_truth_ms {
            self.next_truth_ms = now_ms.saturating_add(TRUTH_EVERY_MS);
            for furnace in &self.scenario.config.equipment {
                let asset = furnace.equipment.id;
                let truths: Vec<_> =
                    self.scenario.draws(asset).into_iter().map(|feeder| plant.truth(feeder)).collect();
                let watts: i64 = truths.iter().map(|truth| truth.power.watts()).sum();
                let energy: i64 = truths.iter().map(|truth| truth.energy.0).sum();
                write_to(
                    &mut self.truth,
                    &self.path,
                    &json!({"plant_ms": now_ms, "asset": asset.to_string(), "power_w": watts, "energy_wh": energy}),
                )?;
            }
            if let Some(file) = &mut self.truth {
                file.flush().map_err(|e| failed(Exit::Bug, &self.path, &e))?;
            }
        }
        Ok(Exit::Done)
    }

    fn write(&mut self, line: &serde_json::Value) -> Result<(), Failure> {
        write_to(&mut self.truth, &self.path, line)
    }
}

fn write_to(file: &mut Option<BufWriter<File>>, path: &str, line: &serde_json::Value) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    writeln!(file, "{line}").map_err(|e| failed(Exit::Bug, path, &e))
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever does not want to hear it any more has his plant all the same.
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}
