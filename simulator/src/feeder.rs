//! One feeder: what flows through it at a moment, and the exact energy that has.

use coldhearth::terms::{MilliVolts, MilliWatts};

use crate::{
    auxiliary::Auxiliaries,
    chance::Chance,
    energised::{Capacitors, Transformer},
    load::{Draw, Load},
    phasor::{DIRECTIONS, Phasor},
    rounding::{nearest, real},
};

/// Power factor of a load forced by a test.
const FORCED_POWER_FACTOR: f64 = 0.9;

/// Whether the feeder's breaker lets anything through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Closed.
    Live,
    /// Open: no voltage behind it, no current.
    Cut,
    /// Open, with a voltage that neighbouring cables induce, in per cent of nominal. It drives no current.
    Induced(u8),
}

/// Where the meter takes its voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoltagePoint {
    /// Before the breaker: a cut leaves the voltage.
    Bus,
    /// At the equipment: a cut takes it away.
    Load,
}

/// One phase at the metering point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Leg {
    /// Phase voltage.
    pub volts: Phasor,
    /// Phase current.
    pub amps: Phasor,
    /// Active power.
    pub milliwatts: i64,
    /// Reactive power in var; positive is inductive.
    pub vars: f64,
}

/// What flows through a feeder at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// The three phases.
    pub legs: [Leg; 3],
    /// The load was forced to an exact power, which a meter's noise must not blur.
    pub is_exact: bool,
}

impl Flow {
    /// Active power of all phases.
    pub fn power(&self) -> MilliWatts {
        MilliWatts(self.legs.iter().map(|leg| leg.milliwatts).sum())
    }

    fn of(volts: [Phasor; 3], milliwatts: [i64; 3], vars: [f64; 3], is_exact: bool) -> Flow {
        let ([u1, u2, u3], [p1, p2, p3], [q1, q2, q3]) = (volts, milliwatts, vars);
        let leg = |volts: Phasor, milliwatts: i64, vars: f64| Leg {
            volts,
            amps: volts.current_for(real(milliwatts) / 1_000.0, vars),
            milliwatts,
            vars,
        };
        Flow { legs: [leg(u1, p1, q1), leg(u2, p2, q2), leg(u3, p3, q3)], is_exact }
    }
}

/// The line a feeder hangs on at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Plant time.
    pub(crate) at_ms: u64,
    /// Phase voltages in parts of nominal.
    pub(crate) per_unit: [f64; 3],
    /// Whether the incomer above is closed.
    pub(crate) is_live: bool,
}

/// One feeder of the site, three-phase four-wire.
#[derive(Clone, Debug)]
pub struct Feeder {
    nominal_phase_volts: f64,
    pub(crate) process: Load,
    pub(crate) auxiliaries: Auxiliaries,
    transformer: Option<Transformer>,
    capacitors: Option<Capacitors>,
    voltage_point: VoltagePoint,
    pub(crate) supply: Supply,
    pub(crate) started_ms: Option<u64>,
    pub(crate) forced: Option<MilliWatts>,
    chance: Chance,
    /// Energy in and out, in milliwatts times milliseconds: exact, and never less than before.
    pub(crate) energy_in: u128,
    pub(crate) energy_out: u128,
}

impl Feeder {
    /// A live feeder of a nominal line voltage (400 V is `MilliVolts(400_000)`); its process equipment stands still.
    pub fn new(line_voltage: MilliVolts, process: Load) -> Feeder {
        Feeder {
            nominal_phase_volts: real(line_voltage.0) / 1_000.0 / 3_f64.sqrt(),
            process,
            auxiliaries: Auxiliaries::default(),
            transformer: None,
            capacitors: None,
            voltage_point: VoltagePoint::Load,
            supply: Supply::Live,
            started_ms: None,
            forced: None,
            chance: Chance::new(0),
            energy_in: 0,
            energy_out: 0,
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
    pub fn running(self) -> Feeder {
        Feeder { started_ms: Some(0), ..self }
    }

    /// With its supply in this state.
    #[must_use]
    pub fn with_supply(self, supply: Supply) -> Feeder {
        Feeder { supply, ..self }
    }

    pub(crate) fn with_chance(self, chance: Chance) -> Feeder {
        Feeder { chance, ..self }
    }

    /// What flows. `below` is what feeders below an incomer take through it.
    pub(crate) fn flow(&self, line: Line, below: &[Flow]) -> Flow {
        let is_closed = line.is_live && self.supply == Supply::Live;
        let volts = self.volts(line);
        if !is_closed {
            return Flow::of(volts, [0; 3], [0.0; 3], true);
        }
        let below = below.iter().map(|flow| flow.legs).fold(([0; 3], [0.0; 3]), add_legs);
        let (milliwatts, vars, is_exact) = match self.forced {
            Some(MilliWatts(power)) => (exact_thirds(power), [forced_vars(power) / 3.0; 3], true),
            None => {
                let (milliwatts, vars) = self.split(&self.draw(line), line.at_ms);
                (milliwatts, vars, false)
            }
        };
        let ([p1, p2, p3], [q1, q2, q3]) = (milliwatts, vars);
        let ([b1, b2, b3], [c1, c2, c3]) = below;
        Flow::of(volts, [p1 + b1, p2 + b2, p3 + b3], [q1 + c1, q2 + c2, q3 + c3], is_exact)
    }

    /// Adds the energy of a flow held for a while.
    pub(crate) fn count(&mut self, flow: &Flow, span_ms: u64) {
        let power = flow.power().0;
        let energy = u128::from(power.unsigned_abs()) * u128::from(span_ms);
        if power >= 0 {
            self.energy_in += energy;
        } else {
            self.energy_out += energy;
        }
    }

    fn draw(&self, line: Line) -> Draw {
        let [first, second, third] = line.per_unit;
        let per_unit = (first + second + third) / 3.0;
        let process = match self.started_ms {
            Some(started) => self.process.draw(line.at_ms.saturating_sub(started), self.chance.branch(1)),
            None => Draw::NONE,
        };
        let transformer = self.transformer.map_or(Draw::NONE, |t| t.draw(per_unit));
        let capacitors = self.capacitors.map_or(Draw::NONE, |c| c.draw(per_unit));
        process.and(self.auxiliaries.draw(line.at_ms, self.chance.branch(2))).and(transformer).and(capacitors)
    }

    fn split(&self, draw: &Draw, at_ms: u64) -> ([i64; 3], [f64; 3]) {
        let leaning = |phase: u64| draw.unbalance * self.chance.branch(2 + phase).swing(at_ms / 1_000);
        let (first, second) = ((1.0 + leaning(1)) / 3.0, (1.0 + leaning(2)) / 3.0);
        let power = nearest(draw.watts * 1_000.0);
        let (p1, p2) = (nearest(real(power) * first), nearest(real(power) * second));
        let (q1, q2) = (draw.vars * first, draw.vars * second);
        ([p1, p2, power - p1 - p2], [q1, q2, draw.vars - q1 - q2])
    }

    fn volts(&self, line: Line) -> [Phasor; 3] {
        let level = match (self.supply, self.voltage_point) {
            (_, VoltagePoint::Bus) | (Supply::Live, VoltagePoint::Load) if line.is_live => 1.0,
            (Supply::Induced(per_cent), VoltagePoint::Load) => f64::from(per_cent) / 100.0,
            (Supply::Live | Supply::Cut | Supply::Induced(_), VoltagePoint::Bus | VoltagePoint::Load) => 0.0,
        };
        let ([d1, d2, d3], [u1, u2, u3]) = (DIRECTIONS, line.per_unit);
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

fn add_legs((milliwatts, vars): ([i64; 3], [f64; 3]), legs: [Leg; 3]) -> ([i64; 3], [f64; 3]) {
    let ([p1, p2, p3], [q1, q2, q3], [a, b, c]) = (milliwatts, vars, legs);
    ([p1 + a.milliwatts, p2 + b.milliwatts, p3 + c.milliwatts], [q1 + a.vars, q2 + b.vars, q3 + c.vars])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::SubmergedArcFurnace;

    const LINE: Line = Line { at_ms: 600_000, per_unit: [1.0, 0.995, 1.005], is_live: true };

    fn furnace() -> Feeder {
        let load = Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY);
        Feeder::new(MilliVolts(10_000_000), load).with_transformer(Transformer::of_rating(6_300_000.0))
    }

    #[test]
    fn power_is_the_sum_of_volts_times_amps_times_power_factor() {
        let flow = furnace().running().flow(LINE, &[]);
        assert!(flow.power().watts() > 4_000_000);
        for leg in flow.legs {
            let (watts, vars) = leg.volts.power_with(leg.amps);
            assert!((watts - real(leg.milliwatts) / 1_000.0).abs() < 0.01 && (vars - leg.vars).abs() < 0.01);
        }
        assert!((flow.legs[0].volts.magnitude() - 5_773.5).abs() < 0.01);
    }

    #[test]
    fn a_standing_furnace_magnetises_its_transformer() {
        let watts = furnace().flow(LINE, &[]).power().watts();
        assert!((12_000..13_000).contains(&watts), "{watts}");
    }

    #[test]
    fn a_cut_takes_voltage_and_power_and_the_bus_keeps_its_voltage() {
        let cut = furnace().running().with_supply(Supply::Cut);
        assert_eq!(cut.flow(LINE, &[]).legs, [Leg::default(); 3]);
        let at_bus = cut.clone().with_voltage_at(VoltagePoint::Bus).flow(LINE, &[]);
        assert_eq!(at_bus.power(), MilliWatts(0));
        assert!(at_bus.legs[0].volts.magnitude() > 5_000.0 && at_bus.legs[0].amps == Phasor::ZERO);
        let dead_bus = cut.with_voltage_at(VoltagePoint::Bus).flow(Line { is_live: false, ..LINE }, &[]);
        assert_eq!(dead_bus.legs, [Leg::default(); 3]);
        let induced = furnace().with_supply(Supply::Induced(30)).flow(LINE, &[]);
        assert!((induced.legs[0].volts.magnitude() - 1_732.0).abs() < 1.0);
        assert_eq!(induced.power(), MilliWatts(0));
    }

    #[test]
    fn a_forced_power_is_exact_and_its_energy_too() {
        let mut feeder = furnace();
        feeder.forced = Some(MilliWatts(1_000_000_001));
        let flow = feeder.flow(LINE, &[]);
        assert_eq!(flow.power(), MilliWatts(1_000_000_001));
        for _ in 0..1_000 {
            feeder.count(&flow, 7);
        }
        assert_eq!(feeder.energy_in, 1_000_000_001 * 7_000);
        feeder.count(
            &Flow { legs: flow.legs.map(|leg| Leg { milliwatts: -leg.milliwatts, ..leg }), ..flow },
            1,
        );
        assert_eq!((feeder.energy_in, feeder.energy_out), (1_000_000_001 * 7_000, 1_000_000_001));
    }
}
