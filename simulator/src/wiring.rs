//! What arrives at a meter's terminals of what flows through its feeder: wired right, wired wrong, or tampered with.

use crate::{
    feeder::{Flow, Leg},
    phasor::{Phase, Phasor},
    rounding::nearest,
};

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
    /// The fuse of one voltage transformer is blown.
    PtFuseBlown(Phase),
    /// One phase of an isolated network lies at earth: its voltage to earth is zero, the others are line voltages.
    EarthFault(Phase),
}

/// The legs a meter sees. A phase whose current is below the meter's starting current shows none.
pub(crate) fn seen(flow: &Flow, wiring: Wiring, starting_amps: f64) -> [Leg; 3] {
    let mut legs = flow.legs;
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
        Wiring::PtFuseBlown(phase) => rewire(phase.of(&mut legs), |_, amps| (Phasor::ZERO, amps)),
        Wiring::EarthFault(phase) => {
            let earthed = phase.of(&mut legs).volts;
            for leg in &mut legs {
                rewire(leg, |volts, amps| (volts.minus(earthed), amps));
            }
        }
    }
    let starting = starting_amps * starting_amps;
    legs.map(|leg| {
        let is_started = leg.amps.square() >= starting;
        if is_started { leg } else { Leg { volts: leg.volts, ..Leg::default() } }
    })
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
        seen(&melting(), wiring, 0.0).iter().map(|leg| real(leg.milliwatts) / 1_000.0).sum()
    }

    #[test]
    fn right_wiring_changes_nothing() {
        assert_eq!(seen(&melting(), Wiring::Right, 0.0), melting().legs);
    }

    #[test]
    fn swapped_voltage_leads_hide_a_full_melt() {
        let legs = seen(&melting(), Wiring::VoltageSwapped, 0.0);
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
        let legs = seen(&melting(), Wiring::EarthFault(Phase::L1), 0.0);
        let volts = legs.map(|leg| leg.volts.magnitude());
        assert!(volts[0] < 1e-6 && (volts[1] - 10_000.0).abs() < 0.1 && (volts[2] - 10_000.0).abs() < 0.1);
        assert!((watts(Wiring::EarthFault(Phase::L1)) - 12.0e6).abs() < 10.0);
        assert!((legs[0].volts.minus(legs[1].volts).magnitude() - 10_000.0).abs() < 0.1);
    }

    #[test]
    fn below_the_starting_current_a_meter_sees_nothing() {
        let amps = melting().legs[0].amps.magnitude();
        assert_eq!(seen(&melting(), Wiring::Right, amps * 0.999), melting().legs);
        let blind = seen(&melting(), Wiring::Right, amps * 1.001);
        assert!(blind.iter().all(|leg| leg.milliwatts == 0 && leg.amps == Phasor::ZERO));
        assert!(blind[0].volts.magnitude() > 5_000.0);
    }
}
