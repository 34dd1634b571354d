//! What an open plant tells of itself: where it is reached, what is done as it is done, and the truth, for whoever
//! compares.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufWriter, Write as _},
};

use super::{OpenOrders, Served, failed};
use crate::{
    plant::Plant,
    scenario::{Due, Scenario, time},
    told::Teller,
    truth::Look,
};
use coldhearth::host::{Exit, Failure, out};

/// How often the truth is written, in milliseconds of plant time; beside that, at every deed and change.
const TRUTH_EVERY_MS: u64 = 60_000;

/// Tells it.
pub(super) struct Narrator {
    scenario: Scenario,
    deeds: VecDeque<Due>,
    teller: Teller,
    look: Look,
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
            look: Look::at(&orders.scenario),
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
    pub(super) fn tell(&mut self, plant: &Plant) -> Result<(), Failure> {
        let now_ms = plant.now_ms();
        let mut all = now_ms >= self.next_truth_ms;
        while let Some(due) = self.deeds.pop_front_if(|due| due.at_ms <= now_ms) {
            say(&format!("{}  {}", time::shown(due.at_ms), self.teller.deed(&due.deed)));
            self.look.on_deed(&due);
            all = true;
        }
        if all {
            self.next_truth_ms = now_ms.saturating_add(TRUTH_EVERY_MS);
        }
        let Some(file) = &mut self.truth else { return Ok(()) };
        let mut written = Ok(());
        self.look.look(&self.scenario, plant, all, &mut |line| {
            written = writeln!(file, "{line}");
            written.is_ok()
        });
        written.and_then(|()| file.flush()).map_err(|e| failed(Exit::Bug, &self.path, &e))
    }
}

fn say(line: &str) {
    let mut out = out::out();
    // Whoever does not want to hear it any more has his plant all the same.
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}
