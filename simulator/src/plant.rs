//! The whole plant at one moment of its time: the site, the Modbus units that tell of it, and what is yet to happen.

use std::collections::BTreeMap;

use coldhearth::{
    catalogue::Nameplate,
    metering::{Ask, Block, Fault, Function, Question, ask::read_code, scan::MAX_BLOCK_WORDS},
    terms::MilliWatts,
};

use crate::{
    chance::Chance,
    change::Change,
    equipment::Fed,
    exception::{ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, NO_ANSWER_FROM_UNIT},
    feeder::{Feeder, Supply},
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
        self.step_ms = step_ms.clamp(1, JUMP_STEP_MS);
        self.look(self.step_ms);
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
            Asked::DeviceId { code, object } => meter()?.device_id(code, object).map(Said::DeviceId),
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
                let frequency_hz = site.frequency_hz(*feeder, *now_ms);
                meter.sample(&Moment { now_ms: *now_ms, frequency_hz });
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

    fn change(&mut self, change: Change) -> Option<()> {
        let now_ms = self.now_ms;
        match change {
            Change::StartMelt(f) => {
                let equipment = &mut self.site.feeder(f)?.equipment;
                equipment.started_ms = Some(equipment.started_ms.unwrap_or(now_ms));
            }
            Change::StopLoad(f) => self.site.feeder(f)?.equipment.started_ms = None,
            Change::Level(f, per_mille) => self.site.feeder(f)?.equipment.ramp(now_ms, per_mille, 0),
            Change::Ramp(f, per_mille, over_ms) => {
                self.site.feeder(f)?.equipment.ramp(now_ms, per_mille, over_ms);
            }
            Change::Feed(f, fed) => {
                if let Fed::Through(host) = fed {
                    self.site.feeder(host)?;
                }
                self.site.feeder(f)?.equipment.fed = fed;
            }
            Change::Cut(f) => self.site.feeder(f)?.supply = Supply::Cut,
            Change::Restore(f) => self.site.feeder(f)?.supply = Supply::Live,
            Change::Induce(f, per_cent) => self.site.feeder(f)?.supply = Supply::Induced(per_cent),
            Change::Generate(f, place) => self.site.feeder(f)?.supply = Supply::Generator(place),
            Change::Couple(a, b, per_mille) => self.site.couple(a, b, f64::from(per_mille) / 1_000.0)?,
            Change::Uncouple(incomer) => self.site.uncouple(incomer)?,
            Change::Load(f, load) => self.site.feeder(f)?.equipment.load = load,
            Change::Auxiliaries(f, auxiliaries) => self.site.feeder(f)?.auxiliaries = auxiliaries,
            Change::Capacitors(f, capacitors) => self.site.feeder(f)?.capacitors = capacitors,
            Change::Force(f, power) => self.site.feeder(f)?.forced = Some(power),
            Change::Release(f) => self.site.feeder(f)?.forced = None,
            Change::Rewire(unit, wiring) => self.meter(unit)?.rewire(wiring),
            Change::Gain(unit, ppm) => self.meter(unit)?.adjust(|i| i.gain_ppm = ppm),
            Change::CtRatio(unit, ratio) => self.meter(unit)?.adjust(|i| i.told_ct = ratio),
            Change::PtRatio(unit, ratio) => self.meter(unit)?.adjust(|i| i.told_pt = ratio),
            Change::Register(unit, function, at, word) => self.meter(unit)?.fix_register(function, at, word),
            Change::Absent(unit, quantity) => self.meter(unit)?.set_absent(quantity, true),
            Change::Present(unit, quantity) => self.meter(unit)?.set_absent(quantity, false),
            Change::Freeze(unit) => self.freeze(unit)?,
            Change::Thaw(unit) => {
                self.units.get_mut(&unit)?.relays = None;
                self.meter(unit)?.thaw();
            }
            Change::Textbook(unit) => self.pretend_textbook(unit)?,
            Change::Record(unit) => self.meter(unit)?.record(now_ms),
            Change::Replay(unit) => self.meter(unit)?.replay(now_ms)?,
            Change::Relay(unit, other) => {
                self.units.get(&other)?.meter.as_ref()?;
                self.units.get_mut(&unit)?.relays = Some(other);
            }
            Change::Exchange(unit) => self.exchange(unit)?,
            Change::Darken(unit) => self.meter(unit)?.set_powered(false, now_ms),
            Change::Power(unit) => self.meter(unit)?.set_powered(true, now_ms),
            Change::ResetRegisters(unit) => self.meter(unit)?.reset_registers(),
            Change::RollBack(unit, energy) => self.meter(unit)?.roll_back(energy),
            Change::ClearDemand(unit) => self.meter(unit)?.clear_demand(),
            Change::ShiftClock(unit, seconds) => self.meter(unit)?.shift_clock(seconds),
            Change::Serial(unit, serial) => self.meter(unit)?.who.set_serial(&serial),
            Change::Firmware(unit, firmware) => self.meter(unit)?.who.set_firmware(&firmware),
            Change::Setting(unit, setting, number) => self.meter(unit)?.who.set(setting, number),
            Change::Plate(unit, at, plate) => {
                *self.units.get_mut(&unit)?.plates.get_mut(&at)? = plate.to_words();
            }
        }
        Some(())
    }

    fn freeze(&mut self, unit: u8) -> Option<()> {
        let (_, feeder) = self.units.get(&unit)?.meter.as_ref()?;
        let moment = self.moment(*feeder);
        self.meter(unit)?.freeze(&moment);
        Some(())
    }

    fn pretend_textbook(&mut self, unit: u8) -> Option<()> {
        let (_, feeder) = self.units.get(&unit)?.meter.as_ref()?;
        let volts = self.site.feeder(*feeder)?.nominal_volts();
        self.meter(unit)?.pretend_textbook(volts);
        Some(())
    }

    /// The meter that comes in begins its uptime; the one that goes out counts no more.
    fn exchange(&mut self, unit: u8) -> Option<()> {
        let now_ms = self.now_ms;
        let unit = self.units.get_mut(&unit)?;
        let ((meter, _), spare) = (unit.meter.as_mut()?, unit.spare.as_mut()?);
        std::mem::swap(meter, spare);
        spare.set_powered(false, now_ms);
        meter.set_powered(false, now_ms);
        meter.set_powered(true, now_ms);
        Some(())
    }

    fn meter(&mut self, unit: u8) -> Option<&mut SimMeter> {
        self.units.get_mut(&unit)?.meter.as_mut().map(|(meter, _)| meter)
    }

    fn moment(&self, feeder: FeederIndex) -> Moment {
        Moment { now_ms: self.now_ms, frequency_hz: self.site.frequency_hz(feeder, self.now_ms) }
    }
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
mod tests {
    use super::*;
    use crate::{
        load::{ElectricArcFurnace, Load},
        meter::Unmapped,
        round_trip::{meter, profile, reading},
    };
    use coldhearth::{
        catalogue::{Attribute, plate::PlateValue},
        metering::Quantity,
        terms::{MilliVolts, Ratio},
    };

    const HOUR_MS: u64 = 3_600_000;

    fn melting(seed: u64) -> (Plant, FeederIndex) {
        let mut plant = Plant::new(seed);
        let furnace = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
        let feeder = plant.add_feeder(Feeder::new(MilliVolts(10_000_000), furnace).running());
        plant.add_meter(1, meter("sim-cutoff").with_ct(Ratio::parse("1000/5").unwrap()), feeder);
        (plant, feeder)
    }

    #[test]
    fn a_plant_is_the_same_however_often_it_is_looked_at() {
        let (mut seldom, feeder) = melting(4);
        let (mut often, _) = melting(4);
        seldom.advance_to(HOUR_MS);
        let mut at = 0;
        while at < HOUR_MS {
            at = (at + 1 + at % 977).min(HOUR_MS);
            often.advance_to(at);
        }
        assert_eq!(seldom.truth(feeder), often.truth(feeder));
        let words = |plant: &Plant| plant.read(1, Function::Holding, 0, 40).unwrap();
        assert_eq!(words(&seldom), words(&often));
        assert_ne!(seldom.truth(feeder), {
            let (mut other, _) = melting(5);
            other.advance_to(HOUR_MS);
            other.truth(feeder)
        });
    }

    #[test]
    fn a_heat_draws_the_energy_of_its_power() {
        let (mut plant, feeder) = melting(4);
        plant.advance_to(24 * HOUR_MS);
        let jumped = plant.truth(feeder).energy.0;
        // 12.5 MW at about 65 % of the time and level: some 190 MWh a day.
        assert!((160_000_000..220_000_000).contains(&jumped), "{jumped}");
        let (mut fine, _) = melting(4);
        (1..=24).for_each(|hour| fine.advance_to(hour * HOUR_MS));
        let fine = fine.truth(feeder).energy.0;
        assert!((jumped - fine).abs() * 50 < fine, "a jump by minutes is within 2 %: {jumped} {fine}");
    }

    #[test]
    fn time_never_runs_back() {
        let (mut plant, feeder) = melting(1);
        plant.advance_to(5_500);
        let truth = plant.truth(feeder);
        plant.advance_to(3_000);
        assert_eq!((plant.now_ms(), plant.truth(feeder)), (5_500, truth));
    }

    #[test]
    fn changes_take_effect_at_their_millisecond() {
        let (mut plant, feeder) = melting(1);
        assert!(plant.force_power(feeder, MilliWatts::from_watts(3_600)));
        plant.follow(
            Timeline::new()
                .at(1_500, Change::Force(feeder, MilliWatts::from_watts(7_200)))
                .at(2_500, Change::Cut(feeder))
                .at(4_000, Change::Restore(feeder)),
        );
        plant.advance_to(5_000);
        assert_eq!(plant.truth(feeder).exact_energy, 3_600_000 * 1_500 + 7_200_000 * (1_000 + 1_000));
        assert_eq!(plant.lost_changes(), 0);
        plant.follow(Timeline::new().at(5_001, Change::Freeze(77)));
        plant.advance_to(6_000);
        assert_eq!(plant.lost_changes(), 1);
    }

    #[test]
    fn a_meter_answers_while_its_line_is_dead() {
        let (mut plant, feeder) = melting(1);
        plant.advance_to(600_000);
        let before = reading(&plant, 1, "sim-cutoff");
        assert!(before.value(Quantity::Power).unwrap() > 0);
        assert!(plant.apply(Change::Cut(feeder)));
        plant.advance_to(2 * 600_000);
        let after = reading(&plant, 1, "sim-cutoff");
        for quantity in [Quantity::Power, Quantity::VoltageL12, Quantity::CurrentL1, Quantity::Frequency] {
            assert_eq!(after.value(quantity), Some(0), "{quantity:?}");
        }
        assert_eq!(after.import, before.import);
        assert!(after.liveness() > before.liveness());
        assert!(plant.apply(Change::Darken(1)));
        assert_eq!(plant.read(1, Function::Holding, 0, 2), Err(NO_ANSWER_FROM_UNIT));
    }

    #[test]
    fn an_edited_ratio_shows_less_and_its_register_tells() {
        let ct = Ratio::parse("3000/5").unwrap();
        let (mut plant, feeder) = melting(1);
        plant.add_meter(2, meter("acrel-adl400").with_ct(ct).with_noise_ppm(0), feeder);
        assert!(plant.force_power(feeder, MilliWatts::from_watts(6_000_000)));
        plant.advance_to(HOUR_MS);
        let power = |plant: &Plant| reading(plant, 2, "acrel-adl400").value(Quantity::Power).unwrap();
        assert!((power(&plant) - 6_000_000_000).abs() < 600_000, "{}", power(&plant));
        assert!(plant.apply(Change::CtRatio(2, Ratio::parse("150/5").unwrap())));
        assert!((power(&plant) - 300_000_000).abs() < 30_000);
        assert_eq!(plant.read(2, Function::Holding, 142, 1), Ok(vec![30]));
    }

    #[test]
    fn registers_that_are_not_mapped_answer_as_the_family_does() {
        let (mut plant, feeder) = melting(1);
        let read = |plant: &Plant, function, at, count| plant.read(5, function, at, count);
        plant.add_meter(5, meter("acrel-adl400"), feeder);
        assert_eq!(read(&plant, Function::Input, 0x61, 1), Err(ILLEGAL_ADDRESS));
        assert_eq!(read(&plant, Function::Holding, 0x9000, 1), Err(ILLEGAL_ADDRESS));
        assert_eq!(read(&plant, Function::Holding, 0x16C, 2), Ok(vec![0, 0]));
        assert_eq!(read(&plant, Function::Holding, 0x60, 35), Err(ILLEGAL_VALUE), "34 registers at most");
        plant.add_meter(5, meter("acrel-adl400").with_unmapped(Unmapped::HolesRefused), feeder);
        assert_eq!(read(&plant, Function::Holding, 0x16C, 2), Err(ILLEGAL_ADDRESS));
        plant.add_meter(5, meter("acrel-adl400").with_unmapped(Unmapped::Zeros), feeder);
        assert_eq!(read(&plant, Function::Input, 0x9000, 2), Ok(vec![0, 0]));
        assert_eq!(read(&plant, Function::Holding, 0xFFFF, 2), Err(ILLEGAL_ADDRESS));
        assert_eq!(plant.read(6, Function::Holding, 0, 1), Err(NO_ANSWER_FROM_UNIT));
    }

    #[test]
    fn a_nameplate_is_served_whole_and_exchanged_whole() {
        let plate = |year| {
            let attribute = Attribute { name: "built_year".into(), value: PlateValue::Whole(year) };
            Nameplate::new(vec![attribute]).unwrap()
        };
        let (mut plant, _) = melting(1);
        plant.add_plate(9, 60_000, &plate(1998));
        let words = |plant: &Plant| {
            let count = u16::try_from(plate(1998).to_words().len()).unwrap();
            Nameplate::from_words(&plant.read(9, Function::Holding, 60_000, count).unwrap()).unwrap()
        };
        assert_eq!(words(&plant), plate(1998));
        assert!(plant.apply(Change::Plate(9, 60_000, plate(2012))));
        assert_eq!(words(&plant), plate(2012));
        for (function, at, count) in
            [(Function::Holding, 59_999, 2), (Function::Holding, 60_000, 100), (Function::Input, 60_000, 2)]
        {
            assert_eq!(plant.read(9, function, at, count), Err(ILLEGAL_ADDRESS));
        }
        assert!(!plant.apply(Change::Plate(9, 60_001, plate(2012))));
    }

    #[test]
    fn a_frozen_meter_and_a_fixed_register_stay() {
        let (mut plant, _) = melting(1);
        plant.advance_to(300_000);
        assert!(plant.apply(Change::Freeze(1)));
        let words = |plant: &Plant| plant.read(1, Function::Holding, 0, 40).unwrap();
        let frozen = words(&plant);
        plant.advance_to(400_000);
        assert_eq!(words(&plant), frozen);
        assert!(plant.apply(Change::Register(1, Function::Holding, 24, Some(7))));
        assert_eq!(words(&plant)[24], 7);
        assert!(
            plant.apply(Change::Thaw(1)) && plant.apply(Change::Register(1, Function::Holding, 24, None))
        );
        assert_ne!(words(&plant), frozen);
        assert_eq!(profile("sim-cutoff").rows.len() * 2, 40);
    }
}
