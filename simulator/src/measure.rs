//! What a meter measures at one moment, on the primary side: power, voltage and current from one and the same signal,
//! so that what it shows and what it counts agree.

use crate::{
    accuracy::Errors,
    chance::Chance,
    feeder::{Flow, Leg},
    phasor::Phasor,
    rounding::{nearest, real},
    wiring::{Seen, Wiring, seen},
};

/// Noise of one meter: a little of each voltage and current, new every second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    /// Largest deviation in millionths.
    ppm: u32,
    chance: Chance,
    /// Of voltage and current of each phase.
    sources: [Chance; 6],
}

impl Noise {
    pub(crate) fn new(ppm: u32, chance: Chance) -> Noise {
        Noise { ppm, chance, sources: [1, 2, 3, 4, 5, 6].map(|label| chance.branch(label)) }
    }

    pub(crate) fn with_chance(self, chance: Chance) -> Noise {
        Noise::new(self.ppm, chance)
    }

    pub(crate) fn with_ppm(self, ppm: u32) -> Noise {
        Noise { ppm, ..self }
    }

    /// Where the noise, and what is drawn once for the meter, comes from.
    pub(crate) fn chance(&self) -> Chance {
        self.chance
    }

    /// Factors of the voltages and currents in turn.
    fn at(&self, second: u64) -> [f64; 6] {
        self.sources.map(|source| 1.0 + f64::from(self.ppm) * 1e-6 * source.swing(second))
    }
}

/// The measuring elements of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// One for each phase, against the neutral.
    Three,
    /// Two, of U12 with I1 and of U32 with I3, as Aron has it: for lines of three wires.
    Two,
}

/// One measuring element. Of an Aron meter the middle one is empty and the others have line voltages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Gauge {
    pub(crate) volts: Phasor,
    pub(crate) amps: Phasor,
    /// Effective value of the current with its harmonics, in parts of the fundamental's.
    pub(crate) harmonics: f64,
    pub(crate) milliwatts: i64,
    pub(crate) vars: f64,
}

impl Gauge {
    fn of(volts: Phasor, Seen { leg: Leg { amps, .. }, harmonics }: Seen) -> Gauge {
        let (watts, vars) = volts.power_with(amps);
        Gauge { volts, amps, harmonics, milliwatts: nearest(watts * 1_000.0), vars }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Measured {
    pub(crate) gauges: [Gauge; 3],
    pub(crate) is_aron: bool,
}

/// What rules a measurement beside the flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminals {
    pub(crate) wiring: Wiring,
    pub(crate) elements: Elements,
    /// Below it a phase shows no current.
    pub(crate) starting_amps: f64,
    pub(crate) errors: Errors,
    pub(crate) noise: Noise,
}

impl Measured {
    /// Measures a flow that is held from a moment on.
    pub(crate) fn of(flow: &Flow, terminals: &Terminals, held_ms: u64) -> Measured {
        let mut phases = seen(flow, terminals.wiring);
        if !flow.is_exact {
            blur(&mut phases, terminals, held_ms);
        }
        let starting = terminals.starting_amps * terminals.starting_amps;
        for phase in &mut phases {
            if phase.leg.amps.square() < starting {
                *phase = Seen { leg: Leg { volts: phase.leg.volts, ..Leg::default() }, harmonics: 1.0 };
            }
        }
        let [l1, l2, l3] = phases;
        match terminals.elements {
            Elements::Three => Measured {
                gauges: [l1, l2, l3].map(|Seen { leg, harmonics }| Gauge {
                    volts: leg.volts,
                    amps: leg.amps,
                    harmonics,
                    milliwatts: leg.milliwatts,
                    vars: leg.vars,
                }),
                is_aron: false,
            },
            Elements::Two => {
                let against_l2 = |seen: Seen| Gauge::of(seen.leg.volts.minus(l2.leg.volts), seen);
                Measured { gauges: [against_l2(l1), Gauge::default(), against_l2(l3)], is_aron: true }
            }
        }
    }

    /// What a page of a textbook shows: nominal voltages and nothing else.
    pub(crate) fn textbook(volts: [Phasor; 3], elements: Elements) -> Measured {
        let still = |volts| Gauge { volts, harmonics: 1.0, ..Gauge::default() };
        let [u1, u2, u3] = volts;
        match elements {
            Elements::Three => Measured { gauges: [still(u1), still(u2), still(u3)], is_aron: false },
            Elements::Two => Measured {
                gauges: [still(u1.minus(u2)), Gauge::default(), still(u3.minus(u2))],
                is_aron: true,
            },
        }
    }

    /// What advances the registers.
    pub(crate) fn rates(&self) -> Rates {
        let by_phase = self.gauges.map(|gauge| gauge.milliwatts);
        let vars: f64 = self.gauges.iter().map(|gauge| gauge.vars).sum();
        Rates { by_phase, power: by_phase.iter().sum(), reactive: nearest(vars * 1_000.0) }
    }
}

/// Powers in milliwatts and thousandths of a var.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) by_phase: [i64; 3],
    pub(crate) power: i64,
    pub(crate) reactive: i64,
}

/// Errors of the instruments and noise of the meter, on the signal itself.
fn blur(phases: &mut [Seen; 3], terminals: &Terminals, held_ms: u64) {
    let [v1, a1, v2, a2, v3, a3] = terminals.noise.at(held_ms / 1_000);
    let has_errors = !terminals.errors.are_none();
    for ((phase, seen), (v, a)) in phases.iter_mut().enumerate().zip([(v1, a1), (v2, a2), (v3, a3)]) {
        let leg = &mut seen.leg;
        if has_errors {
            let (voltage, current) = terminals.errors.of(phase, leg.amps);
            leg.volts = leg.volts.times(voltage);
            leg.amps = leg.amps.times(current);
            // S = U I*: the power turns with the difference of both angles.
            let turned = voltage.times(current.conjugate());
            let power = Phasor { re: real(leg.milliwatts), im: leg.vars * 1_000.0 }.times(turned);
            (leg.milliwatts, leg.vars) = (nearest(power.re), power.im / 1_000.0);
        }
        leg.volts = leg.volts.scaled(v);
        leg.amps = leg.amps.scaled(a);
        leg.milliwatts = nearest(real(leg.milliwatts) * v * a);
        leg.vars *= v * a;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        accuracy::{Class, Classes},
        phasor::DIRECTIONS,
    };

    fn terminals(classes: Classes, elements: Elements, ppm: u32) -> Terminals {
        Terminals {
            wiring: Wiring::Right,
            elements,
            starting_amps: 0.0,
            errors: Errors::draw(classes, 100.0, Chance::new(4)),
            noise: Noise::new(ppm, Chance::new(5)),
        }
    }

    /// A balanced load of 50 A at 5 774 V and a power factor.
    fn flow(power_factor: f64) -> Flow {
        let apparent = 5_774.0 * 50.0;
        let (watts, vars) = (apparent * power_factor, apparent * (1.0 - power_factor * power_factor).sqrt());
        let legs = DIRECTIONS.map(|direction| {
            let volts = direction.scaled(5_774.0);
            let amps = volts.current_for(watts, vars);
            Leg { volts, amps, milliwatts: nearest(watts * 1_000.0), vars }
        });
        Flow { legs, is_exact: false }
    }

    #[test]
    fn power_stays_true_to_volts_and_amps_with_every_error_there_is() {
        let class = Class::parse("1");
        let classes = Classes { meter: class, ct: class, pt: class };
        for seconds in 0..100 {
            let measured =
                Measured::of(&flow(0.3), &terminals(classes, Elements::Three, 500), seconds * 1_000);
            for gauge in measured.gauges {
                let (watts, vars) = gauge.volts.power_with(gauge.amps);
                assert!((watts * 1_000.0 - real(gauge.milliwatts)).abs() < 2.0, "{gauge:?}");
                assert!((vars - gauge.vars).abs() < 0.01, "{gauge:?}");
            }
        }
    }

    #[test]
    fn a_small_angle_matters_at_a_small_power_factor() {
        let classes = Classes { ct: Class::parse("1"), ..Classes::default() };
        let off = |power_factor| {
            let right = real(flow(power_factor).power().0);
            let of = |seed| {
                let errors = Errors::draw(classes, 100.0, Chance::new(seed));
                let terminals = Terminals { errors, ..terminals(classes, Elements::Three, 0) };
                real(Measured::of(&flow(power_factor), &terminals, 0).rates().power) / right - 1.0
            };
            (0..50).map(of).fold(0.0_f64, |most, error| most.max(error.abs()))
        };
        assert!(off(1.0) < 0.03 && off(0.15) > 0.05, "{} {}", off(1.0), off(0.15));
    }

    #[test]
    fn two_elements_measure_what_three_do_and_read_odd_shares() {
        let none = Classes::default();
        // cos 80 = 0.1736: the elements read -0.34 and +0.64 of U x I (cos 110 and cos 50 degrees).
        let flow = flow(0.173_648_177_666_93);
        let aron = Measured::of(&flow, &terminals(none, Elements::Two, 0), 0);
        let full = Measured::of(&flow, &terminals(none, Elements::Three, 0), 0);
        assert!((aron.rates().power - full.rates().power).abs() < 10);
        assert!((aron.rates().reactive - full.rates().reactive).abs() < 10);
        let unit = 5_774.0 * 3_f64.sqrt() * 50.0 * 1_000.0;
        let shares = aron.rates().by_phase.map(|milliwatts| real(milliwatts) / unit);
        assert!((shares[0] + 0.342).abs() < 1e-3 && shares[1] == 0.0 && (shares[2] - 0.643).abs() < 1e-3);
    }

    #[test]
    fn below_the_starting_current_a_meter_sees_nothing() {
        let at = |starting_amps| {
            let terminals = Terminals { starting_amps, ..terminals(Classes::default(), Elements::Three, 0) };
            Measured::of(&flow(0.9), &terminals, 0)
        };
        assert!(at(49.9).rates().power > 0);
        let blind = at(50.1);
        assert_eq!(blind.rates(), Rates::default());
        assert!(blind.gauges.iter().all(|g| g.amps == Phasor::ZERO && g.volts.magnitude() > 5_000.0));
    }

    #[test]
    fn noise_is_small_and_new_every_second() {
        let volts = |ms| {
            Measured::of(&flow(0.9), &terminals(Classes::default(), Elements::Three, 100), ms).gauges[0]
                .volts
                .magnitude()
        };
        assert!((volts(0) / 5_774.0 - 1.0).abs() <= 100e-6);
        assert!((volts(0) - volts(999)).abs() < 1e-12 && (volts(0) - volts(1_000)).abs() > 1e-9);
    }
}
