//! What may lawfully draw on the feeder of a furnace that is cold: lamps, heaters, a crane, the barring drive, a welding
//! set.
//!
//! No numeric source was found for lighting and cranes on a decommissioned feeder (METERING.md C); these are own
//! assumptions, given by whoever builds the plant.

use crate::{chance::Chance, load::Draw};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// The crane is used, or not, in slots of this length.
const CRANE_SLOT_MS: u64 = 180_000;
/// One lift: up, across, and down for the last third.
const LIFT_MS: u64 = 60_000;
const LOWERS_FROM_MS: u64 = 40_000;
/// The welding set is used, or not, in slots of this length.
const WELDING_SLOT_MS: u64 = 600_000;
/// A welding transformer's power factor. [K: 0.35 to 0.5, from memory, 2026]
const WELDING_FACTOR: f64 = 0.4;

/// Auxiliaries of a feeder. Plant time 0 is midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auxiliaries {
    /// Lamps, on from 18:00 to 06:00, in watts.
    pub lamps_w: u32,
    /// Heaters that keep windings and cabinets dry, on half of the time, in watts.
    pub heaters_w: u32,
    /// A crane: bursts of some minutes between 08:00 and 17:00, in watts.
    pub crane_w: u32,
    /// What the crane gives back while it lowers a load, in watts. It flows out of the feeder as far as nothing else on
    /// it takes it.
    pub regeneration_w: u32,
    /// The drive that turns a cooling kiln, always on, in watts.
    pub barring_w: u32,
    /// A welding set: for tens of minutes between 08:00 and 17:00, in watts. Far more of what it takes is reactive.
    pub welding_w: u32,
}

impl Auxiliaries {
    /// What they draw at a plant time.
    pub fn draw(&self, at_ms: u64, chance: Chance) -> Draw {
        let hour = at_ms % DAY_MS / HOUR_MS;
        let night = !(6..18).contains(&hour);
        let heating = at_ms % 1_200_000 < 600_000;
        let lifting = (8..17).contains(&hour) && chance.branch(1).unit(at_ms / CRANE_SLOT_MS) < 0.1;
        let switched = |on: bool, watts: u32| if on { f64::from(watts) } else { 0.0 };
        // A hoist starts and stops: half to full power from second to second.
        let hoist = 0.75 + 0.25 * chance.branch(2).swing(at_ms / 1_000);
        let crane = if self.regeneration_w > 0 && at_ms % LIFT_MS >= LOWERS_FROM_MS {
            // A converter that gives back does so at a good power factor.
            Draw::lagging(-switched(lifting, self.regeneration_w) * hoist, 0.95)
        } else {
            Draw::lagging(switched(lifting, self.crane_w) * hoist, 0.70)
        };
        Draw::lagging(switched(night, self.lamps_w), 0.95)
            .and(Draw::lagging(switched(heating, self.heaters_w), 1.0))
            .and(crane)
            .and(Draw::lagging(f64::from(self.barring_w), 0.80))
            .and(self.welds(at_ms, chance.branch(3)))
    }

    fn welds(&self, at_ms: u64, chance: Chance) -> Draw {
        let works = (8..17).contains(&(at_ms % DAY_MS / HOUR_MS));
        if self.welding_w == 0 || !works || chance.branch(1).unit(at_ms / WELDING_SLOT_MS) >= 0.4 {
            return Draw::NONE;
        }
        // The arc is struck and lost: four to ten tenths of its power from second to second.
        let arc = 0.7 + 0.3 * chance.branch(2).swing(at_ms / 1_000);
        Draw::lagging(f64::from(self.welding_w) * arc, WELDING_FACTOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_welding_set_takes_more_reactive_than_active_power_by_day() {
        let set = Auxiliaries { welding_w: 19_000, ..Auxiliaries::default() };
        let at = |second: u64| set.draw(second * 1_000, Chance::new(2));
        assert_eq!(at(3_600), Draw::NONE);
        let welding: Vec<Draw> = (8 * 3_600..17 * 3_600).map(at).filter(|d| d.watts > 0.0).collect();
        assert!((3_600..7 * 3_600).contains(&welding.len()), "{} s", welding.len());
        assert!(welding.iter().all(|d| d.watts <= 19_000.0 && d.vars > 2.0 * d.watts));
    }

    #[test]
    fn lamps_burn_at_night_and_the_crane_works_by_day() {
        let all = Auxiliaries { lamps_w: 1_000, crane_w: 20_000, ..Auxiliaries::default() };
        let at = |second: u64| all.draw(second * 1_000, Chance::new(2)).watts;
        assert!((at(3_600) - 1_000.0).abs() < 1e-9);
        assert!(at(7 * 3_600).abs() < 1e-9);
        let bursts = (8 * 3_600..17 * 3_600).filter(|s| at(*s) > 9_000.0).count();
        assert!((600..8_000).contains(&bursts), "{bursts} s");
    }

    #[test]
    fn a_crane_that_gives_back_does_so_while_it_lowers() {
        let crane = Auxiliaries { crane_w: 40_000, regeneration_w: 30_000, ..Auxiliaries::default() };
        let watts: Vec<f64> =
            (0..86_400_u64).map(|second| crane.draw(second * 1_000, Chance::new(2)).watts).collect();
        let gives = watts.iter().filter(|w| **w < -10_000.0).count();
        let takes = watts.iter().filter(|w| **w > 10_000.0).count();
        assert!(gives > 300 && takes.abs_diff(2 * gives) < gives / 10, "{gives} s {takes} s");
        assert!(watts.iter().all(|w| (-30_000.0..=40_000.0).contains(w)));
    }

    #[test]
    fn none_draws_nothing() {
        assert_eq!(Auxiliaries::default().draw(12 * HOUR_MS, Chance::new(2)), Draw::NONE);
    }
}
