//! What a live line draws with nothing running: the transformer's magnetising power, capacitors left on.

use crate::load::Draw;

/// The transformer a meter stands in front of. Its losses are `a + b S^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transformer {
    /// Rating in VA.
    pub rated_va: f64,
    /// No-load loss at nominal voltage, in watts.
    pub no_load_loss_w: f64,
    /// No-load apparent power at nominal voltage, in VA.
    pub no_load_va: f64,
    /// Load loss at its rating, in watts.
    pub load_loss_w: f64,
    /// Reactive power it takes at its rating, in var: its short-circuit voltage times the rating.
    pub leakage_var: f64,
}

impl Transformer {
    /// A common oil transformer: loss 0.2 % of its rating (S11 0.12..0.30, S9 0.175..0.43), no-load current 1.2 %
    /// (S9 1.2..2.8), which makes a power factor of 0.17 (0.1..0.2 in METERING.md C). No loss under load.
    pub fn of_rating(rated_va: f64) -> Transformer {
        Transformer {
            rated_va,
            no_load_loss_w: rated_va * 0.002,
            no_load_va: rated_va * 0.012,
            load_loss_w: 0.0,
            leakage_var: 0.0,
        }
    }

    /// With what it loses and takes under load: 0.6 % and 8 % of its rating, as large oil transformers do
    /// (recollection).
    #[must_use]
    pub fn with_load_loss(self) -> Transformer {
        Transformer { load_loss_w: self.rated_va * 0.006, leakage_var: self.rated_va * 0.08, ..self }
    }

    /// What it draws at a voltage given in parts of nominal: iron loss goes with the square.
    pub fn draw(&self, per_unit: f64) -> Draw {
        let square = per_unit * per_unit;
        let vars =
            (self.no_load_va * self.no_load_va - self.no_load_loss_w * self.no_load_loss_w).max(0.0).sqrt();
        Draw { watts: self.no_load_loss_w * square, vars: vars * square, unbalance: 0.0 }
    }

    /// What it adds under load, from the square of the apparent power it passes: with the square of the current, which
    /// is larger at low voltage.
    pub(crate) fn under_load(&self, apparent_square: f64, per_unit: f64) -> Draw {
        let square = self.rated_va * self.rated_va * per_unit * per_unit;
        let part = if square > 0.0 { apparent_square / square } else { 0.0 };
        Draw { watts: self.load_loss_w * part, vars: self.leakage_var * part, unbalance: 0.0 }
    }
}

/// A capacitor bank: current without work, the reason why current alone convicts nobody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacitors {
    /// Rating in var.
    pub rated_var: f64,
}

impl Capacitors {
    /// What it draws at a voltage given in parts of nominal. 0.3 W/kvar of loss (0.2..0.5, recollection).
    pub fn draw(&self, per_unit: f64) -> Draw {
        let square = per_unit * per_unit;
        Draw { watts: self.rated_var * 0.000_3 * square, vars: -self.rated_var * square, unbalance: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_magnetised_transformer_draws_little_at_a_poor_power_factor() {
        let draw = Transformer::of_rating(1_000_000.0).draw(1.0);
        assert!((draw.watts - 2_000.0).abs() < 1e-6);
        assert!((0.1..0.2).contains(&draw.power_factor()));
        assert!(Transformer::of_rating(1_000_000.0).draw(0.5).watts < 501.0);
    }

    #[test]
    fn losses_go_with_the_square_of_the_load() {
        let transformer = Transformer::of_rating(1_000_000.0).with_load_loss();
        let at = |va: f64, per_unit| transformer.under_load(va * va, per_unit).watts;
        assert!((at(1_000_000.0, 1.0) - 6_000.0).abs() < 1e-6);
        assert!((at(500_000.0, 1.0) - 1_500.0).abs() < 1e-6);
        assert!((at(500_000.0, 0.5) - 6_000.0).abs() < 1e-6);
        assert_eq!(Transformer::of_rating(1_000_000.0).under_load(1e12, 1.0), Draw::NONE);
    }

    #[test]
    fn capacitors_draw_current_without_power() {
        let draw = Capacitors { rated_var: 100_000.0 }.draw(1.0);
        assert!(draw.watts < 50.0 && draw.vars < -99_000.0);
    }
}
