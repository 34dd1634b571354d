//! How each change is done.

use super::Plant;
use crate::{
    change::Change,
    equipment::{Equipment, Fed},
    feeder::Supply,
    meter::SimMeter,
    site::FeederIndex,
};

impl Plant {
    /// Does one thing now; `None` if it finds nothing to do it to.
    pub(super) fn change(&mut self, change: Change) -> Option<()> {
        let now_ms = self.now_ms;
        match change {
            Change::StartMelt(f) => self.equipment_of(f)?.start(now_ms),
            Change::StopLoad(f) => self.equipment_of(f)?.stop(),
            Change::Level(f, per_mille) => self.equipment_of(f)?.ramp(now_ms, per_mille, 0),
            Change::Ramp(f, per_mille, over_ms) => self.equipment_of(f)?.ramp(now_ms, per_mille, over_ms),
            Change::Feed(f, fed) => self.feed(f, fed)?,
            Change::Cut(f) => self.site.feeder(f)?.supply = Supply::Cut,
            Change::Restore(f) => self.site.feeder(f)?.supply = Supply::Live,
            Change::Induce(f, per_cent) => self.site.feeder(f)?.supply = Supply::Induced(per_cent),
            Change::Generate(f, place) => self.site.feeder(f)?.supply = Supply::Generator(place),
            Change::Couple(a, b, per_mille) => self.site.couple(a, b, f64::from(per_mille) / 1_000.0)?,
            Change::Uncouple(incomer) => self.site.uncouple(incomer)?,
            Change::Load(f, load) => self.equipment_of(f)?.load = load,
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
            Change::Thaw(unit) => self.thaw(unit)?,
            Change::Textbook(unit) => self.pretend_textbook(unit)?,
            Change::Record(unit) => self.meter(unit)?.record(now_ms),
            Change::Replay(unit) => self.meter(unit)?.replay(now_ms)?,
            Change::Relay(unit, other) => self.relay(unit, other)?,
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

    fn feed(&mut self, f: FeederIndex, fed: Fed) -> Option<()> {
        if let Fed::Through(host) = fed {
            self.site.feeder(host)?;
        }
        self.equipment_of(f)?.fed = fed;
        Some(())
    }

    fn thaw(&mut self, unit: u8) -> Option<()> {
        self.units.get_mut(&unit)?.relays = None;
        self.meter(unit)?.thaw();
        Some(())
    }

    fn relay(&mut self, unit: u8, other: u8) -> Option<()> {
        self.units.get(&other)?.meter.as_ref()?;
        self.units.get_mut(&unit)?.relays = Some(other);
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

    fn equipment_of(&mut self, feeder: FeederIndex) -> Option<&mut Equipment> {
        self.site.feeder(feeder).map(|feeder| &mut feeder.equipment)
    }

    fn meter(&mut self, unit: u8) -> Option<&mut SimMeter> {
        self.units.get_mut(&unit)?.meter.as_mut().map(|(meter, _)| meter)
    }
}
