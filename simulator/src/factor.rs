//! From a primary-side value to what the register holds: transformers as installed against transformers as told.

use coldhearth::{
    metering::{Quantity, profile::Times},
    terms::Ratio,
};

use crate::{encode::common_divisor, rounding::real_wide};

/// Thousandths of thousandths.
const MILLION: u128 = 1_000_000;

/// The transformers before a meter, and what the meter was told of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instrument {
    /// The current transformers that are really there.
    pub(crate) ct: Ratio,
    /// The voltage transformers that are really there.
    pub(crate) pt: Ratio,
    /// The current ratio programmed into the meter.
    pub(crate) told_ct: Ratio,
    /// The voltage ratio programmed into the meter.
    pub(crate) told_pt: Ratio,
    /// Millionths of current, power and energy that arrive: 1,000,000 for a meter without error. Shunts on all
    /// current transformers and somebody in the middle who divides the values look like a small number here.
    pub(crate) gain_ppm: u32,
}

/// A fraction that multiplies exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Factor {
    over: u128,
    under: u128,
}

impl Instrument {
    /// What turns a primary value of this quantity into the one its register holds.
    pub(crate) fn factor(&self, quantity: Quantity, times: Times) -> Factor {
        let (by_current, by_voltage) = transformed(quantity);
        let mut factor = Factor::ONE;
        if by_current {
            factor =
                factor.times(u128::from(self.gain_ppm), MILLION).through(self.ct, self.told_ct, times.ct);
        }
        if by_voltage {
            factor = factor.through(self.pt, self.told_pt, times.pt);
        }
        factor
    }
}

impl Factor {
    pub(crate) const ONE: Factor = Factor { over: 1, under: 1 };

    fn times(self, over: u128, under: u128) -> Factor {
        Factor { over: self.over * over, under: self.under * under }
    }

    /// Down through the installed transformer and, unless the register stays on the secondary side, up again by the
    /// ratio the meter was told.
    fn through(self, installed: Ratio, told: Ratio, stays_secondary: bool) -> Factor {
        let down = self.times(u128::from(installed.secondary()), u128::from(installed.primary()));
        if stays_secondary {
            down
        } else {
            down.times(u128::from(told.primary()), u128::from(told.secondary()))
        }
    }

    /// The same fraction in its smallest numbers.
    pub(crate) fn reduced(self) -> Factor {
        let common = common_divisor(self.over, self.under).max(1);
        Factor { over: self.over / common, under: self.under / common }
    }

    /// The product, its fraction cut off. Split, because energies of years do not leave room for four ratios.
    pub(crate) fn of(self, value: u128) -> u128 {
        if self.under == self.over {
            return value;
        }
        let (whole, rest) = (value / self.under, value % self.under);
        whole.saturating_mul(self.over).saturating_add(rest.saturating_mul(self.over) / self.under)
    }

    /// The factor as a float.
    pub(crate) fn as_real(self) -> f64 {
        real_wide(self.over.cast_signed()) / real_wide(self.under.cast_signed())
    }
}

/// Whether a quantity passes the current transformers, and whether it passes the voltage transformers.
const fn transformed(quantity: Quantity) -> (bool, bool) {
    match quantity {
        Quantity::VoltageL1
        | Quantity::VoltageL2
        | Quantity::VoltageL3
        | Quantity::VoltageL12
        | Quantity::VoltageL23
        | Quantity::VoltageL31 => (false, true),
        Quantity::CurrentL1 | Quantity::CurrentL2 | Quantity::CurrentL3 | Quantity::CurrentN => (true, false),
        Quantity::Power
        | Quantity::PowerL1
        | Quantity::PowerL2
        | Quantity::PowerL3
        | Quantity::Import
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
        | Quantity::Reactive
        | Quantity::ReactiveL1
        | Quantity::ReactiveL2
        | Quantity::ReactiveL3
        | Quantity::Apparent
        | Quantity::ApparentL1
        | Quantity::ApparentL2
        | Quantity::ApparentL3
        | Quantity::ReactiveImport
        | Quantity::ReactiveExport
        | Quantity::MaxDemand => (true, true),
        Quantity::Pf
        | Quantity::PfL1
        | Quantity::PfL2
        | Quantity::PfL3
        | Quantity::Frequency
        | Quantity::Clock
        | Quantity::UptimeS
        | Quantity::RunHours
        | Quantity::PowerFails => (false, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument() -> Instrument {
        let (ct, pt) = (Ratio::parse("3000/5").unwrap(), Ratio::parse("10000/100").unwrap());
        Instrument { ct, pt, told_ct: ct, told_pt: pt, gain_ppm: 1_000_000 }
    }

    const SECONDARY: Times = Times { ct: true, pt: true };

    #[test]
    fn a_true_primary_meter_changes_nothing() {
        let factor = instrument().factor(Quantity::Power, Times::default());
        assert_eq!(factor.of(12_345_678_901), 12_345_678_901);
    }

    #[test]
    fn a_secondary_register_holds_less() {
        assert_eq!(instrument().factor(Quantity::Import, SECONDARY).of(60_000_000), 1_000);
        assert!((instrument().factor(Quantity::VoltageL1, SECONDARY).as_real() - 0.01).abs() < 1e-12);
        assert_eq!(instrument().factor(Quantity::Frequency, SECONDARY).of(50), 50);
        assert_eq!(instrument().factor(Quantity::CurrentN, SECONDARY).of(600), 1);
    }

    #[test]
    fn a_wrong_ratio_and_a_divider_show_less() {
        let edited = Instrument { told_ct: Ratio::parse("150/5").unwrap(), ..instrument() };
        assert_eq!(edited.factor(Quantity::Power, Times::default()).of(2_000), 100);
        assert_eq!(
            edited.factor(Quantity::Power, SECONDARY),
            instrument().factor(Quantity::Power, SECONDARY)
        );
        let divided = Instrument { gain_ppm: 50_000, ..instrument() };
        assert_eq!(divided.factor(Quantity::Power, Times::default()).of(2_000), 100);
    }

    #[test]
    fn energies_of_decades_do_not_overflow() {
        // 200 MW for 100 years in mW * ms.
        let energy = 200_000_000_000_u128 * 3_155_760_000_000;
        assert_eq!(instrument().factor(Quantity::Import, SECONDARY).of(energy), energy / 60_000);
    }
}
