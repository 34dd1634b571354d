//! Every quantity a meter can show of what it measures at one moment, on the primary side.

use coldhearth::metering::Quantity;

use crate::{
    measure::{Gauge, Measured},
    phasor::Phasor,
    rounding::real,
};

/// Values of one moment, each worked out when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) measured: &'a Measured,
    /// Of the line, as long as there is a voltage to count periods of.
    pub(crate) frequency_hz: f64,
    pub(crate) clocks: Clocks,
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
    /// How often its supply has failed.
    pub(crate) power_fails: f64,
}

impl Gauge {
    fn watts(&self) -> f64 {
        real(self.milliwatts) / 1_000.0
    }

    fn effective_amps(&self) -> f64 {
        self.amps.magnitude() * self.harmonics
    }

    fn apparent(&self) -> f64 {
        self.volts.magnitude() * self.effective_amps()
    }

    fn power_factor(&self) -> f64 {
        ratio(self.watts(), self.apparent())
    }
}

impl View<'_> {
    /// The value of a quantity in its unit; `None` for what is counted and kept, not measured.
    pub(crate) fn measured(&self, quantity: Quantity) -> Option<f64> {
        let Measured { gauges: [l1, l2, l3], is_aron } = self.measured;
        let sum = |part: fn(&Gauge) -> f64| part(l1) + part(l2) + part(l3);
        // An Aron meter has no neutral to measure a phase against, and no current transformer in L2.
        let phase = |gauge: &Gauge| if *is_aron { 0.0 } else { gauge.volts.magnitude() };
        let value = match quantity {
            Quantity::Power => sum(Gauge::watts),
            Quantity::PowerL1 => l1.watts(),
            Quantity::PowerL2 => l2.watts(),
            Quantity::PowerL3 => l3.watts(),
            Quantity::VoltageL1 => phase(l1),
            Quantity::VoltageL2 => phase(l2),
            Quantity::VoltageL3 => phase(l3),
            Quantity::VoltageL12 => l1.volts.minus(l2.volts).magnitude(),
            Quantity::VoltageL23 => l2.volts.minus(l3.volts).magnitude(),
            Quantity::VoltageL31 => l3.volts.minus(l1.volts).magnitude(),
            Quantity::CurrentL1 => l1.effective_amps(),
            Quantity::CurrentL2 if *is_aron => l1.amps.plus(l3.amps).magnitude() * l1.harmonics,
            Quantity::CurrentL2 => l2.effective_amps(),
            Quantity::CurrentL3 => l3.effective_amps(),
            Quantity::CurrentN if *is_aron => 0.0,
            Quantity::CurrentN => l1.amps.plus(l2.amps).plus(l3.amps).magnitude(),
            Quantity::Reactive => sum(|gauge| gauge.vars),
            Quantity::ReactiveL1 => l1.vars,
            Quantity::ReactiveL2 => l2.vars,
            Quantity::ReactiveL3 => l3.vars,
            Quantity::Apparent => self.apparent(),
            Quantity::ApparentL1 => l1.apparent(),
            Quantity::ApparentL2 => l2.apparent(),
            Quantity::ApparentL3 => l3.apparent(),
            Quantity::Pf => ratio(sum(Gauge::watts), self.apparent()),
            Quantity::PfL1 => l1.power_factor(),
            Quantity::PfL2 => l2.power_factor(),
            Quantity::PfL3 => l3.power_factor(),
            Quantity::Frequency => self.frequency(),
            Quantity::Clock => self.clocks.clock_s,
            Quantity::UptimeS => self.clocks.uptime_s,
            Quantity::RunHours => self.clocks.run_hours,
            Quantity::PowerFails => self.clocks.power_fails,
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
            | Quantity::MaxDemand => return None,
        };
        Some(value)
    }
}

impl View<'_> {
    /// Of all elements: the sum, or of an Aron meter what its total powers make.
    fn apparent(&self) -> f64 {
        let Measured { gauges: [l1, l2, l3], is_aron } = self.measured;
        if *is_aron {
            let (watts, vars) = (l1.watts() + l3.watts(), l1.vars + l3.vars);
            (watts * watts + vars * vars).sqrt() * l1.harmonics
        } else {
            l1.apparent() + l2.apparent() + l3.apparent()
        }
    }

    fn frequency(&self) -> f64 {
        let has_voltage = self.measured.gauges.iter().any(|gauge| gauge.volts != Phasor::ZERO);
        if has_voltage { self.frequency_hz } else { 0.0 }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phasor::DIRECTIONS;

    const CLOCKS: Clocks = Clocks { clock_s: 11.0, uptime_s: 12.0, run_hours: 13.0, power_fails: 14.0 };

    /// Three phases that differ in everything: 220, 230, 240 V; 3-4-5 triangles of power.
    fn measured() -> Measured {
        let [d1, d2, d3] = DIRECTIONS;
        let gauges =
            [(d1, 220.0, 1.0), (d2, 230.0, 2.0), (d3, 240.0, -3.0)].map(|(direction, volts, size)| {
                let volts = direction.scaled(volts);
                let (watts, vars) = (400.0 * size, 300.0 * size);
                let milliwatts = crate::rounding::nearest(watts * 1_000.0);
                Gauge { volts, amps: volts.current_for(watts, vars), harmonics: 1.0, milliwatts, vars }
            });
        Measured { gauges, is_aron: false }
    }

    #[test]
    fn every_quantity_is_the_one_it_is_named_for() {
        let measured = measured();
        let view = View { measured: &measured, frequency_hz: 50.01, clocks: CLOCKS };
        let amps = [500.0 / 220.0, 1_000.0 / 230.0, 1_500.0 / 240.0];
        let line = |a: f64, b: f64| (a * a + b * b + a * b).sqrt();
        let neutral =
            measured.gauges.iter().fold(Phasor::ZERO, |sum, gauge| sum.plus(gauge.amps)).magnitude();
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
            (Quantity::PowerFails, 14.0),
        ];
        for (quantity, wanted) in expected {
            let found = view.measured(quantity).unwrap();
            assert!((found - wanted).abs() < 1e-6, "{quantity:?}: {found} is not {wanted}");
        }
        let shown = Quantity::ALL.iter().filter(|q| view.measured(**q).is_some()).count();
        assert_eq!(shown, expected.len());
        // What is counted or kept is no measurement.
        let is_kept = |q: &Quantity| q.is_register() || *q == Quantity::MaxDemand;
        assert!(Quantity::ALL.iter().all(|q| view.measured(*q).is_none() == is_kept(q)));
    }

    #[test]
    fn an_aron_meter_knows_line_voltages_and_three_currents() {
        let [d1, d2, d3] = DIRECTIONS;
        let volts = |d: Phasor| d.scaled(100.0).minus(d2.scaled(100.0));
        let gauge =
            |d: Phasor| Gauge { volts: volts(d), amps: d.scaled(5.0), harmonics: 1.0, ..Gauge::default() };
        let measured = Measured { gauges: [gauge(d1), Gauge::default(), gauge(d3)], is_aron: true };
        let view = View { measured: &measured, frequency_hz: 50.0, clocks: CLOCKS };
        let of = |quantity| view.measured(quantity).unwrap();
        for line in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
            assert!((of(line) - 173.205).abs() < 1e-3);
        }
        for current in [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3] {
            assert!((of(current) - 5.0).abs() < 1e-9);
        }
        assert!(of(Quantity::VoltageL1).abs() < 1e-9 && of(Quantity::CurrentN).abs() < 1e-9);
    }
}
