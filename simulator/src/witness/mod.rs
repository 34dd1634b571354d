//! One run of a scenario in virtual time: the plant, the program's own schedules, and its judge. No runtime, no socket,
//! no signature, and no clock but the plant's.
//!
//! Time goes from one moment at which something happens to the next: a deed, an answer, a question that is due, a tick of
//! the judge. Deeds come before answers, answers before ticks, as the agent hears before it looks at the time.

mod gateway;
mod line;
mod log;
mod tick;
mod wall;

use std::collections::VecDeque;

use coldhearth::{
    judge::{Fact, Finding, Memory, Permit, Permitted},
    terms::{Digest, Name, Stamp},
};

use self::{gateway::Gateway, line::Faults, log::Disk, wall::Wall};
use crate::{
    chance::Chance,
    plant::{JUMP_STEP_MS, Plant, STEP_MS},
    scenario::{CLOSE_POLL_MS, Deed, Due, Paper, PaperFor, QUIET_POLL_MS, Scenario},
};

/// Polls come close from so long before each deed, in milliseconds ...
const CLOSE_BEFORE_MS: u64 = 300_000;
/// ... until so long after it, in milliseconds.
const CLOSE_AFTER_MS: u64 = 1_200_000;
/// How long a machine takes from power to its first question, in milliseconds.
const BOOT_TAKES_MS: u64 = 30_000;

/// What happened at a moment of plant time.
#[derive(Debug)]
pub enum Seen<'a> {
    /// The judge found something.
    Finding(&'a Finding),
    /// Something was done; the cheat begins with it, or not.
    Deed(&'a Due),
    /// Who follows the gateway's log found it rewritten or shortened.
    Log(&'static str),
    /// A meter told its registers.
    Reading(&'a coldhearth::metering::Reading),
}

/// A run, and everything it consists of.
#[derive(Debug)]
pub struct Witness<'s> {
    scenario: &'s Scenario,
    plant: Plant,
    deeds: VecDeque<Due>,
    /// Spans of plant time in which polls come close, in order.
    close: VecDeque<(u64, u64)>,
    faults: Faults,
    wall: Wall,
    gateway: Option<Gateway>,
    disk: Disk,
    permits: Vec<Permit>,
    chance: Chance,
    every_tick: bool,
}

impl<'s> Witness<'s> {
    /// A run of a seed, at its beginning.
    pub fn new(scenario: &'s Scenario, seed: u64) -> Witness<'s> {
        let deeds: VecDeque<Due> = scenario.deeds(seed).into();
        let mut plant = scenario.plant(seed);
        plant.advance_to(scenario.from_ms);
        let stops = deeds.iter().any(|due| matches!(due.deed, Deed::Gateway(_) | Deed::Agent(_)));
        let copied = deeds.iter().any(|due| due.deed == Deed::CopyDisk);
        Witness {
            close: close_spans(scenario, &deeds),
            wall: Wall::new(scenario),
            disk: Disk::new(scenario.config.gateway.id, stops, copied),
            faults: Faults::default(),
            gateway: None,
            permits: Vec::new(),
            chance: Chance::new(seed).branch(0x7769_7265),
            every_tick: false,
            scenario,
            plant,
            deeds,
        }
    }

    /// The same run with every tick of the judge, those without effect too: for the test that they have none.
    #[must_use]
    pub fn with_every_tick(self) -> Witness<'s> {
        Witness { every_tick: true, ..self }
    }

    /// The plant as it is now.
    pub fn plant(&self) -> &Plant {
        &self.plant
    }

    /// Plays it to its end, or until `say` says that it has seen enough by `false`.
    pub fn play(&mut self, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        self.switch_on(&Memory::default());
        let mut goes_on = true;
        while goes_on {
            let close = self.turn_pace();
            let now_ms = self.next_ms(close);
            if now_ms >= self.scenario.until_ms {
                self.plant.advance_to(self.scenario.until_ms);
                break;
            }
            self.plant.advance_to(now_ms);
            while let Some(due) = self.deeds.pop_front_if(|due| due.at_ms <= now_ms) {
                self.perform(&due, say);
                goes_on &= say(&self.wall.at(now_ms), Seen::Deed(&due), &self.plant);
            }
            goes_on &= self.hear(now_ms, say);
        }
        self.ask_for_verdicts(say);
    }

    /// When something happens next, in plant time.
    fn next_ms(&mut self, pace_turns_ms: u64) -> u64 {
        let deed = self.deeds.front().map_or(u64::MAX, |due| due.at_ms);
        let other_ms = deed.min(pace_turns_ms).min(self.scenario.until_ms);
        match &mut self.gateway {
            Some(gateway) => {
                gateway.next_ms(&self.wall, &self.faults, (self.chance, other_ms), self.every_tick)
            }
            None => other_ms,
        }
    }

    /// Answers and the time, to the judge.
    fn hear(&mut self, now_ms: u64, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) -> bool {
        let Some(gateway) = &mut self.gateway else { return true };
        let (plant, disk) = (&self.plant, &mut self.disk);
        let mut goes_on = true;
        gateway.on_time(now_ms, &self.wall, plant, &mut |stamp, seen| {
            goes_on &= kept(disk, stamp, seen, plant, say);
        });
        goes_on
    }

    /// Chooses how often is polled, and how fine the plant's time is; gives the moment at which that changes.
    fn turn_pace(&mut self) -> u64 {
        let now_ms = self.plant.now_ms();
        while self.close.pop_front_if(|(_, to)| *to <= now_ms).is_some() {}
        let (is_close, turns_ms) = match self.close.front() {
            Some((from, to)) if *from <= now_ms => (true, *to),
            Some((from, _)) => (false, *from),
            None => (false, u64::MAX),
        };
        self.plant.set_step_ms(if is_close { STEP_MS } else { JUMP_STEP_MS });
        let period_ms = if is_close { CLOSE_POLL_MS } else { QUIET_POLL_MS };
        if let Some(gateway) = &mut self.gateway {
            gateway.poll_every(period_ms, self.wall.uptime_ms(now_ms));
        }
        turns_ms
    }

    fn perform(&mut self, due: &Due, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        let now_ms = self.plant.now_ms();
        match &due.deed {
            // A scenario names only what is there, so the plant finds it.
            Deed::Plant(change) => drop(self.plant.apply(change.clone())),
            Deed::Wire(unit, fault) => self.faults.set(*unit, *fault),
            Deed::Bus(bus, is_up) => self.faults.set_bus(*bus, *is_up),
            Deed::Broker(is_up) => {
                let found = self.disk.connect(*is_up);
                self.tell(found, say);
            }
            Deed::CopyDisk => self.disk.copy(),
            Deed::PutBackDisk => self.disk.put_back(),
            Deed::ClockStep(by_ms) => {
                self.wall.step(*by_ms);
                self.gateway.iter_mut().for_each(|gateway| gateway.on_clock(now_ms));
            }
            Deed::ClockQuality(quality) => self.wall.quality = *quality,
            Deed::Gateway(false) | Deed::Agent(false) => self.gateway = None,
            Deed::Gateway(true) => {
                self.wall.boot(now_ms);
                self.resume(say);
            }
            Deed::Agent(true) => self.resume(say),
            Deed::Isolated(asset, is_isolated) => self.put(Fact::Isolated(*asset, *is_isolated), say),
            Deed::Paper(paper) => self.hand_over(paper, say),
        }
    }

    fn resume(&mut self, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        if self.gateway.is_none() {
            let found = self.disk.start();
            self.tell(found, say);
            let memory = self.disk.recall(&self.permits);
            self.switch_on(&memory);
        }
    }

    /// Tells what the log's followers found, if anything.
    fn tell(&self, found: Option<&'static str>, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        if let Some(word) = found {
            say(&self.wall.at(self.plant.now_ms()), Seen::Log(word), &self.plant);
        }
    }

    fn switch_on(&mut self, memory: &Memory) {
        let now_ms = self.plant.now_ms();
        let uptime_ms = self.wall.uptime_ms(now_ms);
        self.gateway = Some(Gateway::new(self.scenario, memory, now_ms, uptime_ms));
    }

    /// A permit arrives: it is in force at once where there is a gateway to take it.
    fn hand_over(&mut self, paper: &Paper, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        let now_ms = self.plant.now_ms();
        let number = self.permits.len() + 1;
        let Some(id) = Name::new(&format!("permit-{number}")) else { return };
        let from_unix_ms = self.wall.true_unix_ms(now_ms).saturating_add(paper.begins_ms);
        let what = match paper.what {
            PaperFor::Maintenance(energy) => Permitted::Maintenance { energy },
            PaperFor::Allowance(energy) => Permitted::Allowance { energy },
            PaperFor::MeterReplacement(meter) => Permitted::MeterReplacement { meter },
        };
        let permit = Permit {
            id,
            asset: paper.asset,
            what,
            from_unix_ms,
            to_unix_ms: from_unix_ms.saturating_add_unsigned(paper.lasts_ms),
            document: Digest::of(id.as_str().as_bytes()),
        };
        if self.gateway.is_some() {
            self.permits.push(permit);
            self.put(Fact::Permit(&permit), say);
        }
    }

    /// Something that comes otherwise than from a meter, before the judge, where there is a gateway to take it.
    fn put(&mut self, fact: Fact<'_>, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        let now_ms = self.plant.now_ms();
        let stamp = self.wall.at(now_ms);
        let (plant, disk) = (&self.plant, &mut self.disk);
        if let Some(gateway) = &mut self.gateway {
            gateway.on_fact(now_ms, &stamp, fact, &mut |stamp, seen| {
                kept(disk, stamp, seen, plant, say);
            });
        }
    }

    /// The last word on every piece of equipment.
    fn ask_for_verdicts(&mut self, say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool) {
        let now_ms = self.plant.now_ms();
        let stamp = self.wall.at(now_ms);
        let Some(gateway) = &mut self.gateway else { return };
        for furnace in &self.scenario.config.equipment {
            let plant = &self.plant;
            gateway.on_fact(now_ms, &stamp, Fact::Ask(furnace.equipment.id), &mut |stamp, seen| {
                say(stamp, seen, plant);
            });
        }
    }
}

/// Passes on what was seen; findings are written down first, and what comes of that is told after.
fn kept(
    disk: &mut Disk,
    at: &Stamp,
    seen: Seen<'_>,
    plant: &Plant,
    say: &mut dyn FnMut(&Stamp, Seen<'_>, &Plant) -> bool,
) -> bool {
    let found = if let Seen::Finding(finding) = &seen { disk.write(at, finding) } else { None };
    say(at, seen, plant) && found.is_none_or(|word| say(at, Seen::Log(word), plant))
}

/// When polls come close: all the time where somebody cheats, around each deed where nobody does.
fn close_spans(scenario: &Scenario, deeds: &VecDeque<Due>) -> VecDeque<(u64, u64)> {
    if scenario.poll_ms() == CLOSE_POLL_MS {
        return VecDeque::from([(0, u64::MAX)]);
    }
    let mut spans: VecDeque<(u64, u64)> = VecDeque::new();
    for due in deeds {
        let (from, to) = (due.at_ms.saturating_sub(CLOSE_BEFORE_MS), due.at_ms + CLOSE_AFTER_MS);
        match spans.back_mut().filter(|(_, end)| *end >= from) {
            Some((_, end)) => *end = to.max(*end),
            None => spans.push_back((from, to)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{shipped, time::DAY_MS};

    /// Everything a run of at most some days finds.
    fn findings(scenario: &Scenario, seed: u64, every_tick: bool) -> Vec<(Stamp, Finding)> {
        let mut witness = Witness::new(scenario, seed);
        if every_tick {
            witness = witness.with_every_tick();
        }
        let mut all = Vec::new();
        witness.play(&mut |at, seen, _| {
            if let Seen::Finding(finding) = seen {
                all.push((*at, finding.clone()));
            }
            true
        });
        assert_eq!(witness.plant().lost_changes(), 0, "{}", scenario.name);
        all
    }

    fn honest() -> Vec<Scenario> {
        let mut all = shipped::all().unwrap();
        all.retain(|scenario| scenario.honest);
        for scenario in &mut all {
            scenario.until_ms = scenario.until_ms.min(scenario.from_ms + 3 * DAY_MS / 2);
        }
        all
    }

    #[test]
    fn the_ticks_that_are_left_out_change_nothing() {
        for scenario in honest() {
            for seed in [1, 2] {
                let (some, every) = (findings(&scenario, seed, false), findings(&scenario, seed, true));
                let differs = some.iter().zip(&every).find(|(one, other)| one != other);
                assert!(differs.is_none(), "{} {seed}: {differs:#?}", scenario.name);
                assert_eq!(some.len(), every.len(), "{} {seed}", scenario.name);
            }
        }
    }

    #[test]
    fn a_run_is_its_seed() {
        let scenario = shipped::named("midnight-melt").unwrap();
        assert_eq!(findings(&scenario, 7, false), findings(&scenario, 7, false));
        assert_ne!(scenario.deeds(7), scenario.deeds(8));
    }

    #[test]
    fn a_pulse_inside_a_gap_is_told_as_what_could_have_passed() {
        let scenario = shipped::named("pulse-in-a-gap").unwrap();
        for seed in 0..3 {
            let found = findings(&scenario, seed, false);
            let bounds = found.iter().filter_map(|(_, finding)| {
                let Finding::Interval(interval) = finding else { return None };
                (interval.reads_failed > 0).then_some(interval.bound.0)
            });
            // Two steps of 0.01 kWh x 600 x 350, and the floor on top.
            assert!(bounds.max() > Some(4_200_000), "{seed}");
            let is_unknown = |(_, finding): &(Stamp, Finding)| matches!(finding, Finding::State(found) if found.state.word() == "unknown");
            assert!(found.iter().filter(|told| is_unknown(told)).count() > 1, "{seed}");
        }
    }
}
