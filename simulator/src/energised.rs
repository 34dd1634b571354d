//! What a live line draws with nothing running: the transformer's magnetising power, capacitors left on.

use crate::load::Draw;

/// The transformer a meter stands in front of, as far as it draws without load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transformer {
    /// No-load loss at nominal voltage, in watts.
    pub no_load_loss_w: f64,
    /// No-load apparent power at nominal voltage, in VA.
    pub no_load_va: f64,
}

impl Transformer {
    /// A common oil transformer: loss 0.2 % of its rating (S11 0.12..0.30, S9 0.175..0.43), no-load current 1.2 %
    /// (S9 1.2..2.8), which makes a power factor of 0.17 (0.1..0.2 in METERING.md C).
    pub fn of_rating(rated_va: f64) -> Transformer {
        Transformer { no_load_loss_w: rated_va * 0.002, no_load_va: rated_va * 0.012 }
    }

    /// What it draws at a voltage given in parts of nominal: iron loss goes with the square.
    pub fn draw(&self, per_unit: f64) -> Draw {
        let square = per_unit * per_unit;
        let vars =
            (self.no_load_va * self.no_load_va - self.no_load_loss_w * self.no_load_loss_w).max(0.0).sqrt();
        Draw { watts: self.no_load_loss_w * square, vars: vars * square, unbalance: 0.0 }
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
    fn capacitors_draw_current_without_power() {
        let draw = Capacitors { rated_var: 100_000.0 }.draw(1.0);
        assert!(draw.watts < 50.0 && draw.vars < -99_000.0);
    }
}
