//! What a meter measures at one moment, on the primary side, noise included.

use coldhearth::metering::Quantity;

use crate::{chance::Chance, feeder::Leg, phasor::Phasor, rounding::real};

/// Noise of one meter: a little of each voltage and current, new every second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    /// Largest deviation in millionths.
    pub(crate) ppm: u32,
    /// Where it comes from.
    pub(crate) chance: Chance,
}

/// Measured values of one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    legs: [Seen; 3],
    lines: [f64; 3],
    neutral: f64,
    frequency_hz: f64,
    clock_s: f64,
    uptime_s: f64,
    run_hours: f64,
}

/// What the meter's own clocks tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    /// Wall time in seconds since 1970.
    pub(crate) clock_s: f64,
    /// Seconds since it was powered.
    pub(crate) uptime_s: f64,
    /// Hours it has been powered in its life.
    pub(crate) run_hours: f64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    volts: f64,
    amps: f64,
    watts: f64,
    vars: f64,
}

impl Seen {
    fn apparent(&self) -> f64 {
        self.volts * self.amps
    }

    fn power_factor(&self) -> f64 {
        ratio(self.watts, self.apparent())
    }
}

impl View {
    /// Measures; `noise` is left out where there is none.
    pub(crate) fn of(
        legs: &[Leg; 3],
        noise: Option<Noise>,
        at_ms: u64,
        frequency_hz: f64,
        clocks: Clocks,
    ) -> View {
        let blur = |label: u64| {
            noise.map_or(1.0, |n| 1.0 + f64::from(n.ppm) * 1e-6 * n.chance.branch(label).swing(at_ms / 1_000))
        };
        let seen = |leg: &Leg, label: u64| {
            let (volts, amps) = (blur(label), blur(label + 1));
            Seen {
                volts: leg.volts.magnitude() * volts,
                amps: leg.amps.magnitude() * amps,
                watts: real(leg.milliwatts) / 1_000.0 * volts * amps,
                vars: leg.vars * volts * amps,
            }
        };
        let [l1, l2, l3] = legs;
        let between = |a: &Leg, b: &Leg| a.volts.minus(b.volts).magnitude();
        let is_live = legs.iter().any(|leg| leg.volts != Phasor::ZERO);
        View {
            legs: [seen(l1, 1), seen(l2, 3), seen(l3, 5)],
            lines: [between(l1, l2), between(l2, l3), between(l3, l1)],
            neutral: l1.amps.plus(l2.amps).plus(l3.amps).magnitude(),
            // Without a voltage there is nothing to count periods of.
            frequency_hz: if is_live { frequency_hz } else { 0.0 },
            clock_s: clocks.clock_s,
            uptime_s: clocks.uptime_s,
            run_hours: clocks.run_hours,
        }
    }

    /// The value of a quantity in its unit; `None` for what is counted and kept, not measured.
    pub(crate) fn measured(&self, quantity: Quantity) -> Option<f64> {
        let [l1, l2, l3] = &self.legs;
        let [l12, l23, l31] = self.lines;
        let sum = |part: fn(&Seen) -> f64| part(l1) + part(l2) + part(l3);
        let value = match quantity {
            Quantity::Power => sum(|s| s.watts),
            Quantity::PowerL1 => l1.watts,
            Quantity::PowerL2 => l2.watts,
            Quantity::PowerL3 => l3.watts,
            Quantity::VoltageL1 => l1.volts,
            Quantity::VoltageL2 => l2.volts,
            Quantity::VoltageL3 => l3.volts,
            Quantity::VoltageL12 => l12,
            Quantity::VoltageL23 => l23,
            Quantity::VoltageL31 => l31,
            Quantity::CurrentL1 => l1.amps,
            Quantity::CurrentL2 => l2.amps,
            Quantity::CurrentL3 => l3.amps,
            Quantity::CurrentN => self.neutral,
            Quantity::Reactive => sum(|s| s.vars),
            Quantity::ReactiveL1 => l1.vars,
            Quantity::ReactiveL2 => l2.vars,
            Quantity::ReactiveL3 => l3.vars,
            Quantity::Apparent => sum(Seen::apparent),
            Quantity::ApparentL1 => l1.apparent(),
            Quantity::ApparentL2 => l2.apparent(),
            Quantity::ApparentL3 => l3.apparent(),
            Quantity::Pf => ratio(sum(|s| s.watts), sum(Seen::apparent)),
            Quantity::PfL1 => l1.power_factor(),
            Quantity::PfL2 => l2.power_factor(),
            Quantity::PfL3 => l3.power_factor(),
            Quantity::Frequency => self.frequency_hz,
            Quantity::Clock => self.clock_s,
            Quantity::UptimeS => self.uptime_s,
            Quantity::RunHours => self.run_hours,
            Quantity::Import
            | Quantity::ImportL1
            | Quantity::ImportL2
            | Quantity::ImportL3
            | Quantity::Export
            | Quantity::ExportL1
            | Quantity::ExportL2
            | Quantity::ExportL3
            | Quantity::ImportT1
            | Quantity::ImportT2
            | Quantity::ImportT3
            | Quantity::ImportT4
            | Quantity::Energy
            | Quantity::ReactiveImport
            | Quantity::ReactiveExport
            | Quantity::MaxDemand
            | Quantity::PowerFails => return None,
        };
        Some(value)
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phasor::DIRECTIONS;

    const CLOCKS: Clocks = Clocks { clock_s: 11.0, uptime_s: 12.0, run_hours: 13.0 };

    /// Three phases that differ in everything: 220, 230, 240 V; 3-4-5 triangles of power.
    fn legs() -> [Leg; 3] {
        let [d1, d2, d3] = DIRECTIONS;
        [(d1, 220.0, 1.0), (d2, 230.0, 2.0), (d3, 240.0, -3.0)].map(|(direction, volts, size)| {
            let volts = direction.scaled(volts);
            let (watts, vars) = (400.0 * size, 300.0 * size);
            let milliwatts = crate::rounding::nearest(watts * 1_000.0);
            Leg { volts, amps: volts.current_for(watts, vars), milliwatts, vars }
        })
    }

    #[test]
    fn every_quantity_is_the_one_it_is_named_for() {
        let view = View::of(&legs(), None, 0, 50.01, CLOCKS);
        let amps = [500.0 / 220.0, 1_000.0 / 230.0, 1_500.0 / 240.0];
        let line = |a: f64, b: f64| (a * a + b * b + a * b).sqrt();
        let neutral = legs().iter().fold(Phasor::ZERO, |sum, leg| sum.plus(leg.amps)).magnitude();
        let expected = [
            (Quantity::Power, 0.0),
            (Quantity::PowerL1, 400.0),
            (Quantity::PowerL2, 800.0),
            (Quantity::PowerL3, -1_200.0),
            (Quantity::VoltageL1, 220.0),
            (Quantity::VoltageL2, 230.0),
            (Quantity::VoltageL3, 240.0),
            (Quantity::VoltageL12, line(220.0, 230.0)),
            (Quantity::VoltageL23, line(230.0, 240.0)),
            (Quantity::VoltageL31, line(240.0, 220.0)),
            (Quantity::CurrentL1, amps[0]),
            (Quantity::CurrentL2, amps[1]),
            (Quantity::CurrentL3, amps[2]),
            (Quantity::CurrentN, neutral),
            (Quantity::Reactive, 0.0),
            (Quantity::ReactiveL1, 300.0),
            (Quantity::ReactiveL2, 600.0),
            (Quantity::ReactiveL3, -900.0),
            (Quantity::Apparent, 3_000.0),
            (Quantity::ApparentL1, 500.0),
            (Quantity::ApparentL2, 1_000.0),
            (Quantity::ApparentL3, 1_500.0),
            (Quantity::Pf, 0.0),
            (Quantity::PfL1, 0.8),
            (Quantity::PfL2, 0.8),
            (Quantity::PfL3, -0.8),
            (Quantity::Frequency, 50.01),
            (Quantity::Clock, 11.0),
            (Quantity::UptimeS, 12.0),
            (Quantity::RunHours, 13.0),
        ];
        for (quantity, wanted) in expected {
            let found = view.measured(quantity).unwrap();
            assert!((found - wanted).abs() < 1e-6, "{quantity:?}: {found} is not {wanted}");
        }
        let measured = Quantity::ALL.iter().filter(|q| view.measured(**q).is_some()).count();
        assert_eq!(measured, expected.len());
        // Simulated meters keep no highest demand and count no failures of their supply.
        let is_kept = |q: &Quantity| matches!(q, Quantity::MaxDemand | Quantity::PowerFails);
        assert!(Quantity::ALL.iter().all(|q| view.measured(*q).is_none() == (q.is_register() || is_kept(q))));
    }

    #[test]
    fn noise_is_small_new_every_second_and_keeps_power_true_to_volts_and_amps() {
        let noise = Noise { ppm: 100, chance: Chance::new(1) };
        let at = |ms| View::of(&legs(), Some(noise), ms, 50.0, CLOCKS);
        let volts = |ms| at(ms).measured(Quantity::VoltageL1).unwrap();
        assert!((volts(0) / 220.0 - 1.0).abs() <= 100e-6);
        assert!((volts(0) - volts(999)).abs() < 1e-12 && (volts(0) - volts(1_000)).abs() > 1e-9);
        assert!((at(0).measured(Quantity::PfL1).unwrap() - 0.8).abs() < 1e-9);
    }
}
