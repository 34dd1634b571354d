//! The electric side of a blast furnace: its blower, if a motor drives it, and what it needs besides.

use crate::{
    chance::Chance,
    load::{
        Draw,
        motor::{started, steady},
    },
};

/// What turns the blower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlowerDrive {
    /// A motor on the feeder.
    Motor,
    /// A steam turbine: the furnace blows and melts, and the feeder carries the auxiliaries alone.
    SteamTurbine,
}

/// A blast furnace as its feeder sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlastFurnace {
    /// Power of the blower's shaft in watts.
    pub blower_w: f64,
    /// Cooling pumps, fans, oil pumps and the skip hoist, in watts.
    pub auxiliaries_w: f64,
    /// What turns the blower.
    pub drive: BlowerDrive,
}

/// Time the blower needs to come up to speed. Own assumption.
const RUN_UP_MS: u32 = 40_000;
/// A skip goes up in slots of this length. Own assumption.
const SKIP_MS: u64 = 180_000;

impl BlastFurnace {
    /// A furnace of some 300 m3 that makes about 1 000 t a day: 2.5 MW of blower, 500 kW besides. Own assumption;
    /// 25..100 kWh/t for blast furnaces (recollection) is 1.0 to 4.2 MW at that rate.
    pub const SMALL: BlastFurnace =
        BlastFurnace { blower_w: 2_500_000.0, auxiliaries_w: 500_000.0, drive: BlowerDrive::Motor };

    /// Its twin, blown by steam.
    pub const STEAM_BLOWN: BlastFurnace =
        BlastFurnace { drive: BlowerDrive::SteamTurbine, ..BlastFurnace::SMALL };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        let second = running_ms / 1_000;
        let pumps = steady(self.auxiliaries_w * 0.8, 0.85, 0.02, running_ms, chance.branch(1));
        let skip = if running_ms % SKIP_MS < 45_000 {
            Draw::lagging(self.auxiliaries_w * 0.2 * (0.8 + 0.2 * chance.branch(2).swing(second)), 0.75)
        } else {
            Draw::NONE
        };
        let blower = match self.drive {
            BlowerDrive::SteamTurbine => Draw::NONE,
            // The blast is held constant; the furnace's resistance moves the power (own assumption: 5 %).
            BlowerDrive::Motor => {
                let running = steady(self.blower_w * 0.93, 0.89, 0.05, running_ms, chance.branch(3));
                started(self.blower_w, RUN_UP_MS, running_ms, running)
            }
        };
        blower.and(pumps).and(skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(furnace: BlastFurnace) -> Vec<f64> {
        (60..86_400_u64).map(|s| furnace.draw(s * 1_000, Chance::new(4)).watts).collect()
    }

    #[test]
    fn a_motor_blown_furnace_never_pauses() {
        let watts = day(BlastFurnace::SMALL);
        assert!(watts.iter().all(|w| (2.5e6..3.0e6).contains(w)));
        let per_tonne = watts.iter().sum::<f64>() / 86_340.0 / 1_000.0 * 24.0 / 1_000.0;
        assert!((25.0..100.0).contains(&per_tonne), "{per_tonne} kWh/t");
    }

    #[test]
    fn steam_leaves_the_auxiliaries() {
        let watts = day(BlastFurnace::STEAM_BLOWN);
        assert!(watts.iter().all(|w| (0.38e6..0.52e6).contains(w)));
    }
}
