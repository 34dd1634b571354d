//! The voltage and frequency of a site: one grid, so everything on it wanders alike.

use crate::chance::Chance;

/// Nominal frequency in hertz.
pub const NOMINAL_HZ: f64 = 50.0;
/// Farthest the frequency wanders, in hertz.
pub const FREQUENCY_SWAY_HZ: f64 = 0.03;
/// Farthest a voltage wanders, in parts of nominal: what the whole site shares, and what each phase adds.
const SHARED_SWAY: f64 = 0.008;
const PHASE_SWAY: f64 = 0.002;

/// A generator of the works by itself: farther, and in the middle a little fast. Own assumption: a diesel set with a
/// governor and a voltage regulator.
const ISLAND_HZ: f64 = 50.4;
const ISLAND_SWAY_HZ: f64 = 0.45;
const ISLAND_SWAY: f64 = 0.025;

/// The grid a site hangs on, or a generator of its own. Sites given the same seed hang on the same grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    chance: Chance,
    is_island: bool,
}

impl Grid {
    /// The grid of a seed.
    pub const fn new(seed: u64) -> Grid {
        Grid { chance: Chance::new(seed).branch(0x6772_6964), is_island: false }
    }

    /// A generator that feeds an island.
    pub(crate) const fn island(chance: Chance) -> Grid {
        Grid { chance, is_island: true }
    }

    /// Frequency at a plant time, in hertz.
    pub fn frequency_hz(&self, at_ms: u64) -> f64 {
        let (middle, most) =
            if self.is_island { (ISLAND_HZ, ISLAND_SWAY_HZ) } else { (NOMINAL_HZ, FREQUENCY_SWAY_HZ) };
        middle + most * sway(self.chance.branch(1), at_ms)
    }

    /// Phase voltages at a plant time, in parts of nominal, within 1 % (a generator's within 3 %).
    pub fn per_unit(&self, at_ms: u64) -> [f64; 3] {
        let most = if self.is_island { ISLAND_SWAY } else { SHARED_SWAY };
        let shared = 1.0 + most * sway(self.chance.branch(2), at_ms);
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

    #[test]
    fn a_generator_wanders_farther_than_a_grid() {
        let island = Grid::island(Chance::new(3));
        let hertz: Vec<f64> = (0..3_600).map(|s| island.frequency_hz(s * 1_000)).collect();
        assert!(hertz.iter().all(|hz| (49.9..=50.9).contains(hz)));
        assert!(hertz.iter().filter(|hz| (**hz - 50.0).abs() > 0.1).count() > 2_400);
        assert!((0..3_600).all(|s| island.per_unit(s * 1_000).iter().all(|u| (0.97..=1.03).contains(u))));
    }
}
