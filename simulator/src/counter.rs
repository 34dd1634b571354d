//! The energy registers inside a meter: exact sums that never run backwards by themselves.

use coldhearth::metering::Quantity;

use crate::{factor::Factor, feeder::Leg, rounding::nearest};

/// The power that advances a register, in milliwatts (or thousandths of a var); negative advances nothing.
type Rate = fn(&[Leg; 3]) -> i64;

const RATES: &[(Quantity, Rate)] = &[
    (Quantity::Import, power),
    (Quantity::ImportL1, |[leg, _, _]| leg.milliwatts),
    (Quantity::ImportL2, |[_, leg, _]| leg.milliwatts),
    (Quantity::ImportL3, |[_, _, leg]| leg.milliwatts),
    (Quantity::Export, |legs| -power(legs)),
    (Quantity::ExportL1, |[leg, _, _]| -leg.milliwatts),
    (Quantity::ExportL2, |[_, leg, _]| -leg.milliwatts),
    (Quantity::ExportL3, |[_, _, leg]| -leg.milliwatts),
    // The combined total of the families mapped so far adds both directions.
    (Quantity::Energy, |legs| power(legs).saturating_abs()),
    (Quantity::ReactiveImport, reactive),
    (Quantity::ReactiveExport, |legs| -reactive(legs)),
];

fn power(legs: &[Leg; 3]) -> i64 {
    legs.iter().map(|leg| leg.milliwatts).sum()
}

fn reactive(legs: &[Leg; 3]) -> i64 {
    nearest(legs.iter().map(|leg| leg.vars).sum::<f64>() * 1_000.0)
}

/// One energy register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    rate: Rate,
    /// What it held when its factor last changed, in the register's own side, milliwatts times milliseconds.
    banked: u128,
    /// What has arrived since, on the primary side.
    running: u128,
}

impl Counter {
    /// The register of an energy at zero; `None` for what is no energy.
    pub(crate) fn of(quantity: Quantity) -> Option<Counter> {
        let (_, rate) = RATES.iter().find(|(counted, _)| *counted == quantity)?;
        Some(Counter { rate: *rate, banked: 0, running: 0 })
    }

    /// Adds what is seen for a while.
    pub(crate) fn count(&mut self, legs: &[Leg; 3], span_ms: u64) {
        let rate = u64::try_from((self.rate)(legs)).unwrap_or(0);
        self.running += u128::from(rate) * u128::from(span_ms);
    }

    /// Starts with what an older life of the meter brought.
    pub(crate) fn start(&mut self, primary: u128) {
        self.running = primary;
    }

    /// Forgets everything: a reset, or another meter in its place.
    pub(crate) fn reset(&mut self) {
        (self.banked, self.running) = (0, 0);
    }

    /// A new factor rules what arrives from now on, not what was counted before.
    pub(crate) fn bank(&mut self, old: Factor) {
        (self.banked, self.running) = (self.held(old), 0);
    }

    /// What the register holds, in milliwatts times milliseconds.
    pub(crate) fn held(&self, factor: Factor) -> u128 {
        self.banked + factor.of(self.running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Instrument;
    use coldhearth::{metering::profile::Times, terms::Ratio};

    const LEGS: [i64; 3] = [5, -2, -1];

    fn legs(milliwatts: [i64; 3]) -> [Leg; 3] {
        milliwatts.map(|milliwatts| Leg { milliwatts, vars: 1.0, ..Leg::default() })
    }

    #[test]
    fn import_and_export_count_the_net_of_the_phases() {
        let held = |quantity| {
            let mut counter = Counter::of(quantity).unwrap();
            counter.count(&legs(LEGS), 10);
            counter.running
        };
        let counted =
            [Quantity::Import, Quantity::Export, Quantity::Energy, Quantity::ExportL2, Quantity::ImportL2];
        assert_eq!(counted.map(held), [20, 0, 20, 20, 0]);
        let phases = [Quantity::ImportL1, Quantity::ImportL3, Quantity::ExportL1, Quantity::ExportL3];
        assert_eq!(phases.map(held), [50, 0, 0, 10]);
        assert_eq!((held(Quantity::ReactiveImport), held(Quantity::ReactiveExport)), (30_000, 0));
    }

    #[test]
    fn every_register_and_nothing_else_counts() {
        for quantity in Quantity::ALL {
            // Simulated meters have one tariff.
            let is_tariff = quantity.word().starts_with("import_t");
            assert_eq!(
                Counter::of(*quantity).is_some(),
                quantity.is_register() && !is_tariff,
                "{quantity:?}"
            );
        }
    }

    #[test]
    fn a_new_factor_leaves_what_was_counted() {
        let ratio = |text| Ratio::parse(text).unwrap();
        let (ct, pt) = (ratio("600/1"), Ratio::DIRECT);
        let right = Instrument { ct, pt, told_ct: ct, told_pt: pt, gain_ppm: 1_000_000 };
        let edited = Instrument { told_ct: ratio("30/1"), ..right };
        let factor = |instrument: Instrument| instrument.factor(Quantity::Import, Times::default());
        let mut counter = Counter::of(Quantity::Import).unwrap();
        counter.count(&legs([1_000, 0, 0]), 100);
        counter.bank(factor(right));
        counter.count(&legs([1_000, 0, 0]), 100);
        assert_eq!(counter.held(factor(edited)), 105_000);
    }
}
