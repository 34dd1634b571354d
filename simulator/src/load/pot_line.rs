//! An aluminium pot line: direct current held constant for months, and now and then an anode effect.

use crate::{chance::Chance, load::Draw, rounding::share};

/// Volts that an anode effect adds to its cell. Recollection: 25..50 V.
const EFFECT_VOLTS: f64 = 30.0;
/// Anode effects per cell and day. Recollection for old cells.
const EFFECTS_PER_DAY: f64 = 0.2;
/// An anode effect fills one slot: crews and feeders need some minutes.
const EFFECT_MS: u64 = 180_000;
/// Time in which the rectifiers bring the line up. Own assumption.
const RISE_MS: u64 = 600_000;
/// Rectifiers and their transformers pass this much of what they take. Recollection.
const RECTIFIED: f64 = 0.975;

/// A line of cells in series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PotLine {
    /// How many cells.
    pub cells: u16,
    /// Line current in amperes.
    pub amps: f64,
    /// Voltage of a quiet cell: 4.2 V.
    pub cell_volts: f64,
}

impl PotLine {
    /// 90 cells of 80 kA: 336 kW of direct current each, inside the 250..420 kW computed for cells of 60..100 kA.
    pub const SMALL: PotLine = PotLine { cells: 90, amps: 80_000.0, cell_volts: 4.2 };

    /// Power it takes from the grid without anode effects, in watts.
    pub fn rated_w(&self) -> f64 {
        f64::from(self.cells) * self.amps * self.cell_volts / RECTIFIED
    }

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        let risen = share(running_ms.min(RISE_MS), RISE_MS);
        // The regulator holds the current within half a per cent (own assumption).
        let amps = self.amps * risen * (1.0 + 0.003 * chance.branch(1).wander(running_ms, 30_000));
        let likely = f64::from(self.cells) * EFFECTS_PER_DAY * share(EFFECT_MS, 86_400_000);
        let has_effect = chance.branch(2).unit(running_ms / EFFECT_MS) < likely;
        let volts =
            f64::from(self.cells) * self.cell_volts * risen + if has_effect { EFFECT_VOLTS } else { 0.0 };
        // PF of twelve-pulse diode rectifiers with saturable reactors: recollection.
        Draw { unbalance: 0.005, ..Draw::lagging(amps * volts / RECTIFIED, 0.93) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_flat_but_for_anode_effects() {
        let line = PotLine::SMALL;
        assert!((250e3..420e3).contains(&(line.amps * line.cell_volts)));
        let day: Vec<f64> =
            (700..87_100_u64).map(|s| line.draw(s * 1_000, Chance::new(8)).watts / line.rated_w()).collect();
        let flat = day.iter().filter(|part| (*part - 1.0).abs() < 0.004).count();
        assert!(flat > 78_000, "{flat} s");
        assert!(day.iter().all(|part| (0.99..1.10).contains(part)));
        // An ampere deposits 0.3356 g an hour in each cell, nine tenths of it stays: 13 400..13 700 kWh/t surveyed.
        let tonnes_per_hour = 90.0 * 80_000.0 * 0.3356e-6 * 0.92;
        let per_tonne = line.rated_w() / 1_000.0 / tonnes_per_hour;
        assert!((13_000.0..15_000.0).contains(&per_tonne), "{per_tonne} kWh/t");
    }
}
