//! The energy registers inside a meter: exact sums that never run backwards by themselves.

use coldhearth::metering::Quantity;

use crate::{factor::Factor, measure::Rates};

/// The power that advances a register, in milliwatts (or thousandths of a var); negative advances nothing.
type Rate = fn(&Rates) -> i64;

const RATES: &[(Quantity, Rate)] = &[
    (Quantity::Import, |rates| rates.power),
    (Quantity::ImportL1, |Rates { by_phase: [power, _, _], .. }| *power),
    (Quantity::ImportL2, |Rates { by_phase: [_, power, _], .. }| *power),
    (Quantity::ImportL3, |Rates { by_phase: [_, _, power], .. }| *power),
    (Quantity::Export, |rates| -rates.power),
    (Quantity::ExportL1, |Rates { by_phase: [power, _, _], .. }| -power),
    (Quantity::ExportL2, |Rates { by_phase: [_, power, _], .. }| -power),
    (Quantity::ExportL3, |Rates { by_phase: [_, _, power], .. }| -power),
    // The combined total of the families mapped so far adds both directions.
    (Quantity::Energy, |rates| rates.power.saturating_abs()),
    (Quantity::ReactiveImport, |rates| rates.reactive),
    (Quantity::ReactiveExport, |rates| -rates.reactive),
];

/// What a register holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// What it held when its factor last changed, in the register's own side, milliwatts times milliseconds.
    banked: u128,
    /// What has arrived since, on the primary side.
    running: u128,
}

impl Held {
    /// In milliwatts times milliseconds.
    pub(crate) fn through(self, factor: Factor) -> u128 {
        self.banked + factor.of(self.running)
    }
}

/// One energy register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    rate: Rate,
    /// What has been counted.
    pub(crate) held: Held,
    /// What its register showed at the last beat.
    pub(crate) shown: Held,
    /// What a loss of supply leaves of it.
    saved: Held,
}

impl Counter {
    /// The register of an energy at zero; `None` for what is no energy.
    pub(crate) fn of(quantity: Quantity) -> Option<Counter> {
        let (_, rate) = RATES.iter().find(|(counted, _)| *counted == quantity)?;
        let zero = Held::default();
        Some(Counter { rate: *rate, held: zero, shown: zero, saved: zero })
    }

    /// Adds what is seen for a while.
    pub(crate) fn count(&mut self, rates: &Rates, span_ms: u64) {
        self.held.running += self.energy(rates, span_ms);
    }

    /// As if only this much of the coming while had passed: what the register shows from now on.
    pub(crate) fn show_at(&mut self, rates: &Rates, into_ms: u64) {
        self.shown = self.after(rates, into_ms);
    }

    /// As [`Counter::show_at`], of what is saved against a loss of supply.
    pub(crate) fn save_at(&mut self, rates: &Rates, into_ms: u64) {
        self.saved = self.after(rates, into_ms);
    }

    /// Falls back to what was saved.
    pub(crate) fn fall_back(&mut self) {
        (self.held, self.shown) = (self.saved, self.saved);
    }

    /// Starts with what an older life of the meter brought.
    pub(crate) fn start(&mut self, primary: u128) {
        self.hold(Held { banked: 0, running: primary });
    }

    /// Forgets everything: a reset, or another meter in its place.
    pub(crate) fn reset(&mut self) {
        self.hold(Held::default());
    }

    /// Turns it back by an energy of the primary side, at most to zero.
    pub(crate) fn roll_back(&mut self, primary: u128, factor: Factor) {
        let Held { banked, running } = self.held;
        let of_running = primary.min(running);
        let of_banked = factor.of(primary - of_running);
        self.hold(Held { banked: banked.saturating_sub(of_banked), running: running - of_running });
    }

    /// A new factor rules what arrives from now on, not what was counted before.
    pub(crate) fn bank(&mut self, old: Factor) {
        for held in [&mut self.held, &mut self.shown, &mut self.saved] {
            *held = Held { banked: held.through(old), running: 0 };
        }
    }

    fn hold(&mut self, held: Held) {
        (self.held, self.shown, self.saved) = (held, held, held);
    }

    fn after(&self, rates: &Rates, into_ms: u64) -> Held {
        Held { running: self.held.running + self.energy(rates, into_ms), ..self.held }
    }

    fn energy(&self, rates: &Rates, span_ms: u64) -> u128 {
        u128::from(u64::try_from((self.rate)(rates)).unwrap_or(0)) * u128::from(span_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Instrument;
    use coldhearth::{metering::profile::Times, terms::Ratio};

    const RATES: Rates = Rates { by_phase: [5, -2, -1], power: 2, reactive: 3_000 };

    #[test]
    fn import_and_export_count_the_net_of_the_phases() {
        let held = |quantity| {
            let mut counter = Counter::of(quantity).unwrap();
            counter.count(&RATES, 10);
            counter.held.running
        };
        let counted =
            [Quantity::Import, Quantity::Export, Quantity::Energy, Quantity::ExportL2, Quantity::ImportL2];
        assert_eq!(counted.map(held), [20, 0, 20, 20, 0]);
        let phases = [Quantity::ImportL1, Quantity::ImportL3, Quantity::ExportL1, Quantity::ExportL3];
        assert_eq!(phases.map(held), [50, 0, 0, 10]);
        assert_eq!((held(Quantity::ReactiveImport), held(Quantity::ReactiveExport)), (30_000, 0));
    }

    #[test]
    fn a_beat_shows_and_a_loss_of_supply_leaves_what_was_counted_then() {
        let mut counter = Counter::of(Quantity::Import).unwrap();
        counter.show_at(&RATES, 3);
        counter.save_at(&RATES, 1);
        counter.count(&RATES, 10);
        assert_eq!([counter.held, counter.shown, counter.saved].map(|held| held.running), [20, 6, 2]);
        counter.fall_back();
        assert_eq!((counter.held.running, counter.shown.running), (2, 2));
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
        let thousand = Rates { power: 1_000, ..Rates::default() };
        let mut counter = Counter::of(Quantity::Import).unwrap();
        counter.count(&thousand, 100);
        counter.bank(factor(right));
        counter.count(&thousand, 100);
        assert_eq!(counter.held.through(factor(edited)), 105_000);
        // Back by 1 000 of the new side, which is 20 times as much on the old.
        counter.roll_back(101_000, factor(edited));
        assert_eq!(counter.held.through(factor(edited)), 99_950);
    }
}
