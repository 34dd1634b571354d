//! The voltage and frequency of a site: one grid, so everything on it wanders alike.

use crate::chance::Chance;

/// Nominal frequency in hertz.
pub const NOMINAL_HZ: f64 = 50.0;
/// Farthest the frequency wanders, in hertz.
pub const FREQUENCY_SWAY_HZ: f64 = 0.03;
/// Farthest a voltage wanders, in parts of nominal: what the whole site shares, and what each phase adds.
const SHARED_SWAY: f64 = 0.008;
const PHASE_SWAY: f64 = 0.002;

/// The grid a site hangs on. Sites given the same seed hang on the same grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    chance: Chance,
}

impl Grid {
    /// The grid of a seed.
    pub const fn new(seed: u64) -> Grid {
        Grid { chance: Chance::new(seed).branch(0x6772_6964) }
    }

    /// Frequency at a plant time, in hertz.
    pub fn frequency_hz(&self, at_ms: u64) -> f64 {
        NOMINAL_HZ + FREQUENCY_SWAY_HZ * sway(self.chance.branch(1), at_ms)
    }

    /// Phase voltages at a plant time, in parts of nominal, within 1 %.
    pub fn per_unit(&self, at_ms: u64) -> [f64; 3] {
        let shared = 1.0 + SHARED_SWAY * sway(self.chance.branch(2), at_ms);
        [3, 4, 5].map(|phase| shared + PHASE_SWAY * self.chance.branch(phase).wander(at_ms, 45_000))
    }
}

/// Slow, middling and quick wandering together, between -1 and 1.
fn sway(chance: Chance, at_ms: u64) -> f64 {
    0.6 * chance.branch(1).wander(at_ms, 600_000)
        + 0.3 * chance.branch(2).wander(at_ms, 60_000)
        + 0.1 * chance.branch(3).wander(at_ms, 7_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequency_and_voltage_wander_within_bounds() {
        let grid = Grid::new(11);
        let mut seen = (f64::MAX, 0.0_f64);
        for at in (0..7_200_000).step_by(1_000) {
            let hertz = grid.frequency_hz(at);
            assert!((49.97..=50.03).contains(&hertz));
            assert!(grid.per_unit(at).iter().all(|u| (0.99..=1.01).contains(u)));
            seen = (seen.0.min(hertz), seen.1.max(hertz));
        }
        assert!(seen.1 - seen.0 > 0.02, "{seen:?}");
    }
}
