//! The whole plant at one moment of its time: the site, the Modbus units that tell of it, and what is yet to happen.

mod act;

use std::collections::BTreeMap;

use coldhearth::{
    catalogue::Nameplate,
    metering::{Ask, Block, Fault, Function, Question, ask::read_code, scan::MAX_BLOCK_WORDS},
    terms::MilliWatts,
};

use crate::{
    chance::Chance,
    change::Change,
    exception::{ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, NO_ANSWER_FROM_UNIT},
    feeder::Feeder,
    frame::{Asked, Said},
    grid::Grid,
    meter::{Moment, SimMeter},
    site::{FeederIndex, Present, Site, Truth},
    timeline::Timeline,
};

/// Longest time a power is held constant, unless the plant is told otherwise or jumps.
pub const STEP_MS: u64 = 1_000;
/// The step of a jump, and the longest step a plant can be told.
pub const JUMP_STEP_MS: u64 = 60_000;
/// Serial numbers of spare meters follow on those of the placed ones, so many further on.
const SPARE_SERIALS: u32 = 1_000;
/// An advance longer than this is a jump.
pub const JUMP_MS: u64 = 3_600_000;

/// What answers at one Modbus unit address.
#[derive(Clone, Debug, Default)]
struct Unit {
    meter: Option<(SimMeter, FeederIndex)>,
    /// A meter that lies ready to be put in its place.
    spare: Option<SimMeter>,
    /// The unit whose meter answers here.
    relays: Option<u8>,
    plates: BTreeMap<u16, Vec<u16>>,
}

/// A site with its feeders, meters and nameplates, at one moment of its own time.
#[derive(Clone, Debug)]
pub struct Plant {
    chance: Chance,
    site: Site,
    /// What flows at the moment `held_ms`, for which powers are held now.
    present: Present,
    held_ms: u64,
    now_ms: u64,
    step_ms: u64,
    units: BTreeMap<u8, Unit>,
    timeline: Timeline,
    lost_changes: usize,
}

impl Plant {
    /// An empty site on a grid of its own. The same seed is the same plant.
    pub fn new(seed: u64) -> Plant {
        Plant::on_grid(seed, Grid::new(seed))
    }

    /// An empty site on a grid it shares with others.
    pub fn on_grid(seed: u64, grid: Grid) -> Plant {
        let chance = Chance::new(seed);
        Plant {
            chance,
            site: Site::new(chance.branch(1), grid),
            present: Present::default(),
            held_ms: 0,
            now_ms: 0,
            step_ms: STEP_MS,
            units: BTreeMap::new(),
            timeline: Timeline::new(),
            lost_changes: 0,
        }
    }

    /// Adds a feeder.
    pub fn add_feeder(&mut self, feeder: Feeder) -> FeederIndex {
        self.add_incomer(feeder, &[])
    }

    /// Adds a feeder that others, added before it, hang on: what they draw flows through it, and a cut takes them
    /// along.
    pub fn add_incomer(&mut self, incomer: Feeder, below: &[FeederIndex]) -> FeederIndex {
        let index = self.site.add(incomer, below);
        self.look(self.step_ms);
        index
    }

    /// Puts a meter of a feeder at a Modbus unit address; a meter that was there is taken out.
    pub fn add_meter(&mut self, unit: u8, meter: SimMeter, feeder: FeederIndex) {
        let meter = meter.placed(u32::from(unit), self.chance.branch(2).branch(u64::from(unit)));
        self.units.entry(unit).or_default().meter = Some((meter, feeder));
        self.look(self.step_ms);
    }

    /// Lays a meter ready to be exchanged for the one at a unit address, by [`Change::Exchange`].
    pub fn add_spare(&mut self, unit: u8, meter: SimMeter) {
        let meter =
            meter.placed(u32::from(unit) + SPARE_SERIALS, self.chance.branch(3).branch(u64::from(unit)));
        self.units.entry(unit).or_default().spare = Some(meter);
    }

    /// Puts a nameplate into holding registers of a unit, from a base address.
    pub fn add_plate(&mut self, unit: u8, at: u16, plate: &Nameplate) {
        self.units.entry(unit).or_default().plates.insert(at, plate.to_words());
    }

    /// Adds changes to come; those already past happen at the next advance.
    pub fn follow(&mut self, timeline: Timeline) {
        self.timeline.join(timeline);
    }

    /// Holds powers constant for another time than a second, at most a minute: a year polled once a minute needs no
    /// seconds.
    pub fn set_step_ms(&mut self, step_ms: u64) {
        let step_ms = step_ms.clamp(1, JUMP_STEP_MS);
        let is_other = std::mem::replace(&mut self.step_ms, step_ms) != step_ms;
        // Whoever records, does so at the pace of whoever asks.
        let mut meters = self.units.values().filter_map(|unit| unit.meter.as_ref());
        if is_other || meters.any(|(meter, _)| meter.is_recording()) {
            self.look(step_ms);
        }
    }

    /// Plant time, in milliseconds since its start.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Lets time pass; a time already past changes nothing. Steps lie on whole multiples of the step, so a plant
    /// looked at often and one looked at seldom are the same; only a jump of more than an hour steps by the minute.
    pub fn advance_to(&mut self, plant_ms: u64) {
        let is_jump = plant_ms.saturating_sub(self.now_ms) > JUMP_MS;
        let step = if is_jump { JUMP_STEP_MS.max(self.step_ms) } else { self.step_ms };
        if self.apply_due(step) || is_jump {
            self.look(step);
        }
        while self.now_ms < plant_ms {
            let step_end = (self.now_ms / step + 1) * step;
            let change_ms = self.timeline.next_ms().unwrap_or(u64::MAX);
            let until = step_end.min(plant_ms).min(change_ms).min(self.present.until_ms);
            self.count(until - self.now_ms);
            let is_edge = until == step_end || until == self.present.until_ms;
            self.now_ms = until;
            if self.apply_due(step) || is_edge {
                self.look(step);
            }
        }
        if step != self.step_ms {
            self.look(self.step_ms);
        }
    }

    /// Does one thing to the plant now; false if it has no such feeder or unit.
    #[must_use = "a change that found nothing to change is a mistake in the scenario"]
    pub fn apply(&mut self, change: Change) -> bool {
        let is_done = self.change(change).is_some();
        self.look(self.step_ms);
        is_done
    }

    /// How many changes of the time line found no feeder or unit to change: zero, unless a scenario is wrong.
    pub fn lost_changes(&self) -> usize {
        self.lost_changes
    }

    /// Makes a feeder draw exactly this from now on; false if there is no such feeder.
    #[must_use = "a change that found nothing to change is a mistake in the scenario"]
    pub fn force_power(&mut self, feeder: FeederIndex, power: MilliWatts) -> bool {
        self.apply(Change::Force(feeder, power))
    }

    /// Reads registers of a unit.
    ///
    /// # Errors
    /// The Modbus exception code the unit, or the gateway before it, answers with.
    pub fn read(&self, unit: u8, function: Function, at: u16, count: u16) -> Result<Vec<u16>, u8> {
        let mut words = Vec::new();
        self.read_into(unit, Block { function, at, count }, &mut words)?;
        Ok(words)
    }

    /// Answers a question of the program's schedule without a wire between, as [`crate::serve`] does over one.
    ///
    /// # Errors
    /// [`Fault::Exception`] with the code the unit answers with.
    pub fn answer(&self, ask: &Ask) -> Result<Said, Fault> {
        let asked = match ask.question {
            Question::Registers(block) => Asked::Registers(block),
            Question::DeviceId { object } => Asked::DeviceId { code: read_code(object), object },
            Question::ServerId => Asked::ServerId,
        };
        self.say(ask.unit, asked).map_err(Fault::Exception)
    }

    /// As [`Plant::answer`] to a question for registers, into words that are reused: afterwards they hold the answer and
    /// nothing else, or nothing of use.
    ///
    /// # Errors
    /// [`Fault::Exception`] with the code the unit answers with.
    pub fn answer_into(&self, ask: &Ask, words: &mut Vec<u16>) -> Result<(), Fault> {
        match ask.question {
            Question::Registers(block) => self.read_into(ask.unit, block, words),
            Question::DeviceId { .. } | Question::ServerId => Err(ILLEGAL_FUNCTION),
        }
        .map_err(Fault::Exception)
    }

    fn read_into(&self, unit: u8, block: Block, words: &mut Vec<u16>) -> Result<(), u8> {
        let unit = self.answering(unit)?;
        if block.count == 0 || block.count > MAX_BLOCK_WORDS {
            return Err(ILLEGAL_VALUE);
        }
        if block.end() > 0x1_0000 {
            return Err(ILLEGAL_ADDRESS);
        }
        if let Some(plate) = plate_words(unit, block) {
            words.clear();
            words.extend_from_slice(plate);
            return Ok(());
        }
        let (meter, feeder) = unit.meter.as_ref().ok_or(ILLEGAL_ADDRESS)?;
        meter.read(&self.moment(*feeder), block, words)
    }

    /// What answers at a unit address.
    fn answering(&self, unit: u8) -> Result<&Unit, u8> {
        let asked = self.units.get(&unit).ok_or(NO_ANSWER_FROM_UNIT)?;
        Ok(asked.relays.and_then(|relayed| self.units.get(&relayed)).unwrap_or(asked))
    }

    /// Answers whatever can be asked of a unit.
    pub(crate) fn say(&self, unit: u8, asked: Asked) -> Result<Said, u8> {
        let meter = || self.answering(unit)?.meter.as_ref().map(|(meter, _)| meter).ok_or(ILLEGAL_FUNCTION);
        match asked {
            Asked::Registers(Block { function, at, count }) => {
                self.read(unit, function, at, count).map(Said::Words)
            }
            Asked::DeviceId { code, object } => {
                meter()?.device_id(code, object).map(|part| Said::DeviceId(Box::new(part)))
            }
            Asked::ServerId => meter()?.server_id(unit).map(Said::ServerId),
        }
    }

    /// What really flows through a feeder and has flowed.
    pub fn truth(&self, feeder: FeederIndex) -> Truth {
        self.site.truth(feeder, &self.present)
    }

    /// What a feeder's process equipment really draws and has drawn, whichever way it is fed and whatever any meter
    /// sees of it. A feeder forced to a power is its equipment's.
    pub fn equipment(&self, feeder: FeederIndex) -> Truth {
        self.site.equipment(feeder, &self.present)
    }

    /// What a meter holds of a quantity before any register rounds it, seen from the primary side, in its unit.
    #[cfg(test)]
    pub(crate) fn held(&self, unit: u8, quantity: coldhearth::metering::Quantity) -> Option<f64> {
        let (meter, feeder) = self.units.get(&unit)?.meter.as_ref()?;
        meter.held(&self.moment(*feeder), quantity)
    }

    /// What really flows through a feeder.
    #[cfg(test)]
    pub(crate) fn flow(&self, feeder: FeederIndex) -> crate::feeder::Flow {
        self.present.flow(feeder)
    }

    /// Whether what a feeder takes comes from above it and nowhere else.
    #[cfg(test)]
    pub(crate) fn hangs_on_the_grid(&self, feeder: FeederIndex) -> bool {
        self.site.hangs_on_the_grid(feeder)
    }

    /// When the powers of now end, at the latest.
    #[cfg(test)]
    pub(crate) fn held_until_ms(&self) -> u64 {
        let step_end = self.held_ms + self.step_ms;
        step_end.min(self.present.until_ms).min(self.timeline.next_ms().unwrap_or(u64::MAX))
    }

    fn count(&mut self, span_ms: u64) {
        self.site.count(&self.present, span_ms);
        for (meter, _) in self.units.values_mut().filter_map(|unit| unit.meter.as_mut()) {
            meter.count(self.now_ms, span_ms);
        }
    }

    /// Works out what flows now: the powers of the moment at which the present step began.
    fn look(&mut self, step_ms: u64) {
        self.held_ms = self.now_ms / step_ms * step_ms;
        let Plant { site, present, held_ms, now_ms, units, .. } = self;
        site.flows(*held_ms, *now_ms, present);
        for (meter, feeder) in units.values_mut().filter_map(|unit| unit.meter.as_mut()) {
            meter.see(&present.flow(*feeder), *held_ms, *now_ms);
            if meter.is_recording() {
                meter.sample(&moment(site, *feeder, *now_ms));
            }
        }
    }

    /// Does what is due; whether there was anything.
    fn apply_due(&mut self, step_ms: u64) -> bool {
        let mut is_any = false;
        while let Some(change) = self.timeline.take_due(self.now_ms) {
            // What is done at one moment sees what was done before it.
            if is_any {
                self.look(step_ms);
            }
            is_any = true;
            if self.change(change).is_none() {
                self.lost_changes += 1;
            }
        }
        is_any
    }

    fn moment(&self, feeder: FeederIndex) -> Moment {
        moment(&self.site, feeder, self.now_ms)
    }
}

/// What a question to a feeder's meter finds.
fn moment(site: &Site, feeder: FeederIndex, now_ms: u64) -> Moment {
    let frequency_hz = site.island_hz(feeder, now_ms).unwrap_or_else(|| site.grid_hz(now_ms));
    Moment { now_ms, frequency_hz }
}

fn plate_words(unit: &Unit, Block { function, at, count }: Block) -> Option<&[u16]> {
    if function != Function::Holding {
        return None;
    }
    let (base, words) = unit.plates.range(..=at).next_back()?;
    let from = usize::from(at - base);
    words.get(from..from + usize::from(count))
}

#[cfg(test)]
mod tests;
