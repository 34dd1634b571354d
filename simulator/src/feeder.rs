//! One feeder: what flows through it at a moment, and the exact energy that has.

use coldhearth::terms::{MilliVolts, MilliWatts};

pub use crate::flow::{Flow, Leg};
use crate::{
    auxiliary::Auxiliaries,
    chance::Chance,
    energised::{Capacitors, Transformer},
    equipment::{Energy, Equipment},
    flow::{Line, Powers},
    grid::Grid,
    load::{Draw, Load},
    phasor::{DIRECTIONS, Phasor},
    rounding::{nearest, real},
};

/// Power factor of a load forced by a test.
const FORCED_POWER_FACTOR: f64 = 0.9;

/// Where a feeder's voltage comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// The breaker is closed.
    Live,
    /// Open: no voltage behind it, no current.
    Cut,
    /// Open, with a voltage that neighbouring cables induce, in per cent of nominal. It drives no current.
    Induced(u8),
    /// Open, and a generator of the works feeds the equipment.
    Generator(Place),
}

/// Where a generator feeds in behind an open breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the meter's current transformers: the meter sees voltage and power.
    BeforeMeter,
    /// Behind them: the meter sees voltage alone.
    BehindMeter,
}

/// Where the meter takes its voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoltagePoint {
    /// Before the breaker: a cut leaves the voltage.
    Bus,
    /// At the equipment: a cut takes it away.
    Load,
}

/// One feeder of the site, three-phase four-wire.
#[derive(Clone, Debug)]
pub struct Feeder {
    nominal_phase_volts: f64,
    pub(crate) equipment: Equipment,
    pub(crate) auxiliaries: Auxiliaries,
    transformer: Option<Transformer>,
    pub(crate) capacitors: Option<Capacitors>,
    voltage_point: VoltagePoint,
    pub(crate) supply: Supply,
    pub(crate) forced: Option<MilliWatts>,
    chance: Chance,
    pub(crate) energy: Energy,
}

impl Feeder {
    /// A live feeder of a nominal line voltage (400 V is `MilliVolts(400_000)`); its process equipment stands still.
    pub fn new(line_voltage: MilliVolts, process: Load) -> Feeder {
        Feeder {
            nominal_phase_volts: real(line_voltage.0) / 1_000.0 / 3_f64.sqrt(),
            equipment: Equipment::standing(process),
            auxiliaries: Auxiliaries::default(),
            transformer: None,
            capacitors: None,
            voltage_point: VoltagePoint::Load,
            supply: Supply::Live,
            forced: None,
            chance: Chance::new(0),
            energy: Energy::default(),
        }
    }

    /// With auxiliaries.
    #[must_use]
    pub fn with_auxiliaries(self, auxiliaries: Auxiliaries) -> Feeder {
        Feeder { auxiliaries, ..self }
    }

    /// With a transformer behind the metering point.
    #[must_use]
    pub fn with_transformer(self, transformer: Transformer) -> Feeder {
        Feeder { transformer: Some(transformer), ..self }
    }

    /// With capacitors that stay on while the line is live.
    #[must_use]
    pub fn with_capacitors(self, capacitors: Capacitors) -> Feeder {
        Feeder { capacitors: Some(capacitors), ..self }
    }

    /// With the meter's voltage taken elsewhere than at the equipment.
    #[must_use]
    pub fn with_voltage_at(self, voltage_point: VoltagePoint) -> Feeder {
        Feeder { voltage_point, ..self }
    }

    /// With its process equipment running since plant time 0.
    #[must_use]
    pub fn running(mut self) -> Feeder {
        self.equipment.start(0);
        self
    }

    /// With its supply in this state.
    #[must_use]
    pub fn with_supply(self, supply: Supply) -> Feeder {
        Feeder { supply, ..self }
    }

    /// Nominal phase voltages.
    pub(crate) fn nominal_volts(&self) -> [Phasor; 3] {
        DIRECTIONS.map(|direction| direction.scaled(self.nominal_phase_volts))
    }

    pub(crate) fn with_chance(self, chance: Chance) -> Feeder {
        Feeder { chance, ..self }
    }

    /// The line it really hangs on: its generator's, if it has one.
    pub(crate) fn line(&self, line: Line) -> Line {
        match self.supply {
            Supply::Generator(_) => {
                Line { per_unit: self.island().per_unit(line.held_ms), is_live: true, ..line }
            }
            Supply::Live | Supply::Cut | Supply::Induced(_) => line,
        }
    }

    /// Frequency of its generator, if it has one.
    pub(crate) fn island_hz(&self, at_ms: u64) -> Option<f64> {
        match self.supply {
            Supply::Generator(_) => Some(self.island().frequency_hz(at_ms)),
            Supply::Live | Supply::Cut | Supply::Induced(_) => None,
        }
    }

    /// Whether equipment on this feeder has voltage.
    pub(crate) fn is_powered(&self, line: Line) -> bool {
        match self.supply {
            Supply::Live => line.is_live,
            Supply::Generator(_) => true,
            Supply::Cut | Supply::Induced(_) => false,
        }
    }

    /// What its equipment draws, wherever that comes from, if there is voltage.
    pub(crate) fn equipment_draw(&self, line: Line) -> Draw {
        self.equipment.draw(line.held_ms, line.now_ms, self.chance.branch(1))
    }

    /// What hangs on the feeder draws: `process` of its own equipment, auxiliaries, transformer and capacitors, what
    /// flows on below and what guests take. Whether it is exact stands beside it.
    pub(crate) fn powers(&self, line: Line, process: Draw, beyond: Powers) -> (Powers, bool) {
        if let Some(MilliWatts(power)) = self.forced {
            let forced = Powers { milliwatts: exact_thirds(power), vars: [forced_vars(power) / 3.0; 3] };
            return (forced.plus(beyond), true);
        }
        let [first, second, third] = line.per_unit;
        let per_unit = (first + second + third) / 3.0;
        let transformer = self.transformer.map_or(Draw::NONE, |t| t.draw(per_unit));
        let capacitors = self.capacitors.map_or(Draw::NONE, |c| c.draw(per_unit));
        let auxiliaries = self.auxiliaries.draw(line.held_ms, self.chance.branch(2));
        let own = process.and(auxiliaries).and(transformer).and(capacitors);
        let powers = self.split(&own, line.held_ms).plus(beyond);
        let Some(transformer) = self.transformer.filter(|t| t.load_loss_w > 0.0) else {
            return (powers, false);
        };
        let losses = transformer.under_load(powers.apparent_square(), per_unit);
        let third = exact_thirds(nearest(losses.watts * 1_000.0));
        (powers.plus(Powers { milliwatts: third, vars: [losses.vars / 3.0; 3] }), false)
    }

    /// What its meter is shown of these powers.
    pub(crate) fn shown(&self, line: Line, (powers, is_exact): &(Powers, bool)) -> Flow {
        let volts = self.volts(line);
        let passes_meter = match self.supply {
            Supply::Live => line.is_live,
            // A voltage taken at the bus has no fixed place beside a generator's current.
            Supply::Generator(Place::BeforeMeter) => self.voltage_point == VoltagePoint::Load,
            Supply::Cut | Supply::Induced(_) | Supply::Generator(Place::BehindMeter) => false,
        };
        if passes_meter { Flow::of(volts, powers, *is_exact) } else { Flow::of(volts, &Powers::NONE, false) }
    }

    /// Spreads a draw over the phases.
    pub(crate) fn split(&self, draw: &Draw, at_ms: u64) -> Powers {
        let leaning = |phase: u64| draw.unbalance * self.chance.branch(2 + phase).swing(at_ms / 1_000);
        let (first, second) = ((1.0 + leaning(1)) / 3.0, (1.0 + leaning(2)) / 3.0);
        let power = nearest(draw.watts * 1_000.0);
        let (p1, p2) = (nearest(real(power) * first), nearest(real(power) * second));
        let (q1, q2) = (draw.vars * first, draw.vars * second);
        Powers { milliwatts: [p1, p2, power - p1 - p2], vars: [q1, q2, draw.vars - q1 - q2] }
    }

    fn island(&self) -> Grid {
        Grid::island(self.chance.branch(6))
    }

    /// Voltages at the meter: `line` is the one before the breaker.
    fn volts(&self, line: Line) -> [Phasor; 3] {
        let (per_unit, level) = match (self.supply, self.voltage_point) {
            (_, VoltagePoint::Bus) | (Supply::Live, VoltagePoint::Load) if line.is_live => {
                (line.per_unit, 1.0)
            }
            (Supply::Generator(_), VoltagePoint::Load) => (self.line(line).per_unit, 1.0),
            (Supply::Induced(per_cent), VoltagePoint::Load) => (line.per_unit, f64::from(per_cent) / 100.0),
            (
                Supply::Live | Supply::Cut | Supply::Induced(_) | Supply::Generator(_),
                VoltagePoint::Bus | VoltagePoint::Load,
            ) => (line.per_unit, 0.0),
        };
        let ([d1, d2, d3], [u1, u2, u3]) = (DIRECTIONS, per_unit);
        let at =
            |direction: Phasor, per_unit: f64| direction.scaled(self.nominal_phase_volts * per_unit * level);
        [at(d1, u1), at(d2, u2), at(d3, u3)]
    }
}

fn forced_vars(power: i64) -> f64 {
    Draw::lagging(real(power) / 1_000.0, FORCED_POWER_FACTOR).vars
}

fn exact_thirds(power: i64) -> [i64; 3] {
    let third = power / 3;
    [power - 2 * third, third, third]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::SubmergedArcFurnace;

    const LINE: Line =
        Line { held_ms: 600_000, now_ms: 600_000, per_unit: [1.0, 0.995, 1.005], is_live: true };

    fn flow(feeder: &Feeder, line: Line) -> Flow {
        feeder.shown(line, &feeder.powers(line, feeder.equipment_draw(line), Powers::NONE))
    }

    fn furnace() -> Feeder {
        let load = Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY);
        Feeder::new(MilliVolts(10_000_000), load).with_transformer(Transformer::of_rating(6_300_000.0))
    }

    #[test]
    fn power_is_the_sum_of_volts_times_amps_times_power_factor() {
        let flow = flow(&furnace().running(), LINE);
        assert!(flow.power().watts() > 4_000_000);
        for leg in flow.legs {
            let (watts, vars) = leg.volts.power_with(leg.amps);
            assert!((watts - real(leg.milliwatts) / 1_000.0).abs() < 0.01 && (vars - leg.vars).abs() < 0.01);
        }
        assert!((flow.legs[0].volts.magnitude() - 5_773.5).abs() < 0.01);
    }

    #[test]
    fn a_standing_furnace_magnetises_its_transformer() {
        let watts = flow(&furnace(), LINE).power().watts();
        assert!((12_000..13_000).contains(&watts), "{watts}");
    }

    #[test]
    fn a_cut_takes_voltage_and_power_and_the_bus_keeps_its_voltage() {
        let cut = furnace().running().with_supply(Supply::Cut);
        assert_eq!(flow(&cut, LINE).legs, [Leg::default(); 3]);
        let at_bus = flow(&cut.clone().with_voltage_at(VoltagePoint::Bus), LINE);
        assert_eq!(at_bus.power(), MilliWatts(0));
        assert!(at_bus.legs[0].volts.magnitude() > 5_000.0 && at_bus.legs[0].amps == Phasor::ZERO);
        let dead_bus = flow(&cut.with_voltage_at(VoltagePoint::Bus), Line { is_live: false, ..LINE });
        assert_eq!(dead_bus.legs, [Leg::default(); 3]);
        let induced = flow(&furnace().with_supply(Supply::Induced(30)), LINE);
        assert!((induced.legs[0].volts.magnitude() - 1_732.0).abs() < 1.0);
        assert_eq!(induced.power(), MilliWatts(0));
    }

    #[test]
    fn a_forced_power_is_exact_and_its_energy_too() {
        let mut feeder = furnace();
        feeder.forced = Some(MilliWatts(1_000_000_001));
        let flow = flow(&feeder, LINE);
        assert_eq!(flow.power(), MilliWatts(1_000_000_001));
        for _ in 0..1_000 {
            feeder.energy.add(flow.power(), 7);
        }
        feeder.energy.add(MilliWatts(-flow.power().0), 1);
        assert_eq!(feeder.energy, Energy { inward: 1_000_000_001 * 7_000, outward: 1_000_000_001 });
    }

    #[test]
    fn a_generator_feeds_a_dead_feeder_and_its_meter_sees_what_passes_it() {
        let dead = Line { is_live: false, ..LINE };
        let at = |place| flow(&furnace().running().with_supply(Supply::Generator(place)), dead);
        let (before, behind) = (at(Place::BeforeMeter), at(Place::BehindMeter));
        assert!(before.power().watts() > 4_000_000 && behind.power().watts() == 0);
        for seen in [before, behind] {
            let volts = seen.legs[0].volts.magnitude();
            assert!((5_600.0..5_950.0).contains(&volts) && (volts - 5_773.5).abs() > 0.1, "{volts}");
        }
        let hz = furnace().with_supply(Supply::Generator(Place::BehindMeter)).island_hz(0).unwrap();
        assert!((49.9..50.9).contains(&hz));
    }

    #[test]
    fn an_incomers_transformer_loses_with_the_square_of_what_it_passes() {
        let incomer = Feeder::new(MilliVolts(35_000_000), Load::Cold)
            .with_transformer(Transformer::of_rating(10_000_000.0).with_load_loss());
        let passed = Powers { milliwatts: [1_000_000_000; 3], vars: [0.0; 3] };
        let line = Line { per_unit: [1.0; 3], ..LINE };
        let (idle, _) = incomer.powers(line, Draw::NONE, Powers::NONE);
        let (powers, _) = incomer.powers(line, Draw::NONE, passed);
        assert!((idle.total() - 20_000_000).abs() < 20_000, "{idle:?}");
        // 60 kW at 10 MVA; a little over 0.3 of that in square at 3 MW.
        let losses = powers.total() - passed.total() - idle.total();
        assert!((5_300_000..5_700_000).contains(&losses), "{losses}");
    }
}
