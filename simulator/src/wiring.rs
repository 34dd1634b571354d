//! What arrives at a meter's terminals of what flows through its feeder: wired right, wired wrong, or tampered with.

use crate::{
    feeder::{Flow, Leg},
    phasor::{Phase, Phasor},
    rounding::nearest,
};

/// A saturated core gives its current early: 25 degrees. Own assumption; the magnetising inductance that is left takes
/// the lagging part.
const SATURATED_LEAD: Phasor = Phasor { re: 0.906_307_787, im: 0.422_618_262 };
/// Effective value of such a current in parts of its fundamental's. Own assumption: half waves cut short.
const SATURATED_HARMONICS: f64 = 1.3;

/// How a meter is wired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// As the diagram says.
    Right,
    /// The voltage leads of L1 and L2 swapped: with a balanced load P and Q add up to nothing.
    VoltageSwapped,
    /// One current transformer turned round.
    CtReversed(Phase),
    /// A shunt across one current transformer leaves this share of its current.
    CtShunted {
        /// Which one.
        phase: Phase,
        /// What is left, in thousandths.
        left_per_mille: u16,
    },
    /// Direct current of half-wave rectifiers drives the cores of all current transformers into saturation: their
    /// secondary current collapses to this share, leads, and is no sine any more.
    CtsSaturated {
        /// What is left of the fundamental, in thousandths.
        left_per_mille: u16,
    },
    /// The fuse of one voltage transformer is blown.
    PtFuseBlown(Phase),
    /// One phase of an isolated network lies at earth: its voltage to earth is zero, the others are line voltages.
    EarthFault(Phase),
}

/// One phase as it arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) leg: Leg,
    /// Effective value of the current with its harmonics, in parts of the fundamental's.
    pub(crate) harmonics: f64,
}

/// The phases as they arrive at the meter.
pub(crate) fn seen(flow: &Flow, wiring: Wiring) -> [Seen; 3] {
    let mut legs = flow.legs;
    let mut harmonics = 1.0;
    match wiring {
        Wiring::Right => {}
        Wiring::VoltageSwapped => {
            let [first, second, third] = legs;
            legs = [powered(second.volts, first.amps), powered(first.volts, second.amps), third];
        }
        Wiring::CtReversed(phase) => rewire(phase.of(&mut legs), |volts, amps| (volts, amps.scaled(-1.0))),
        Wiring::CtShunted { phase, left_per_mille } => {
            rewire(phase.of(&mut legs), |volts, amps| {
                (volts, amps.scaled(f64::from(left_per_mille) / 1_000.0))
            });
        }
        Wiring::CtsSaturated { left_per_mille } => {
            let left = SATURATED_LEAD.scaled(f64::from(left_per_mille) / 1_000.0);
            legs.iter_mut().for_each(|leg| rewire(leg, |volts, amps| (volts, amps.times(left))));
            harmonics = SATURATED_HARMONICS;
        }
        Wiring::PtFuseBlown(phase) => rewire(phase.of(&mut legs), |_, amps| (Phasor::ZERO, amps)),
        Wiring::EarthFault(phase) => {
            let earthed = phase.of(&mut legs).volts;
            for leg in &mut legs {
                rewire(leg, |volts, amps| (volts.minus(earthed), amps));
            }
        }
    }
    legs.map(|leg| Seen { leg, harmonics })
}

fn rewire(leg: &mut Leg, change: impl Fn(Phasor, Phasor) -> (Phasor, Phasor)) {
    let (volts, amps) = change(leg.volts, leg.amps);
    *leg = powered(volts, amps);
}

fn powered(volts: Phasor, amps: Phasor) -> Leg {
    let (watts, vars) = volts.power_with(amps);
    Leg { volts, amps, milliwatts: nearest(watts * 1_000.0), vars }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        feeder::Feeder,
        flow::{Line, Powers},
        load::{Draw, Load},
        rounding::real,
    };
    use coldhearth::terms::{MilliVolts, MilliWatts};

    fn melting() -> Flow {
        let mut feeder = Feeder::new(MilliVolts(10_000_000), Load::Cold);
        feeder.forced = Some(MilliWatts::from_watts(12_000_000));
        let line = Line { held_ms: 0, now_ms: 0, per_unit: [1.0; 3], is_live: true };
        feeder.shown(line, &feeder.powers(line, Draw::NONE, Powers::NONE))
    }

    fn watts(wiring: Wiring) -> f64 {
        legs(wiring).iter().map(|leg| real(leg.milliwatts) / 1_000.0).sum()
    }

    fn legs(wiring: Wiring) -> [Leg; 3] {
        seen(&melting(), wiring).map(|seen| seen.leg)
    }

    #[test]
    fn right_wiring_changes_nothing() {
        assert_eq!(legs(Wiring::Right), melting().legs);
    }

    #[test]
    fn swapped_voltage_leads_hide_a_full_melt() {
        let legs = legs(Wiring::VoltageSwapped);
        let vars: f64 = legs.iter().map(|leg| leg.vars).sum();
        assert!(watts(Wiring::VoltageSwapped).abs() < 1.0 && vars.abs() < 1.0);
        assert!(legs.iter().all(|leg| leg.amps.magnitude() > 700.0));
    }

    #[test]
    fn a_reversed_ct_leaves_a_third_and_a_shunt_what_it_leaves() {
        assert!((watts(Wiring::CtReversed(Phase::L2)) - 4.0e6).abs() < 1.0);
        let shunted = Wiring::CtShunted { phase: Phase::L3, left_per_mille: 100 };
        assert!((watts(shunted) - 8.4e6).abs() < 1.0);
        assert!((watts(Wiring::PtFuseBlown(Phase::L1)) - 8.0e6).abs() < 1.0);
    }

    #[test]
    fn an_earth_fault_moves_phase_voltages_and_no_power() {
        let legs = legs(Wiring::EarthFault(Phase::L1));
        let volts = legs.map(|leg| leg.volts.magnitude());
        assert!(volts[0] < 1e-6 && (volts[1] - 10_000.0).abs() < 0.1 && (volts[2] - 10_000.0).abs() < 0.1);
        assert!((watts(Wiring::EarthFault(Phase::L1)) - 12.0e6).abs() < 10.0);
        assert!((legs[0].volts.minus(legs[1].volts).magnitude() - 10_000.0).abs() < 0.1);
    }

    #[test]
    fn saturated_transformers_pass_a_distorted_share() {
        let wiring = Wiring::CtsSaturated { left_per_mille: 300 };
        let amps = legs(wiring).map(|leg| leg.amps.magnitude());
        let whole = melting().legs[0].amps.magnitude();
        assert!(amps.iter().all(|i| (i / whole - 0.3).abs() < 1e-6));
        assert!(seen(&melting(), wiring).iter().all(|seen| seen.harmonics > 1.2));
        // 0.3 of the power at the power factor of an angle of 0.9 less 25 degrees: cos(25.84 - 25) = 0.9999.
        assert!((watts(wiring) / (12.0e6 / 0.9 * 0.3) - 1.0).abs() < 0.01, "{}", watts(wiring));
    }
}
