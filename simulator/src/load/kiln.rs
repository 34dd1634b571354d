//! The electric side of fuel-fired cement kilns: drives, fans and pumps. The fire itself no meter sees.

use crate::{
    chance::Chance,
    load::{Draw, wave},
    rounding::share,
};

/// The drives of a rotary kiln with its fans and pumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotaryKiln {
    /// Power of all its drives in watts.
    pub drives_w: f64,
    /// Time of one turn, in milliseconds.
    pub turn_ms: u32,
}

impl RotaryKiln {
    /// Wet process, about 900 kW: 23..30 kWh/t for the kiln section (AIT 1997) at some 35 t/h. About 1.2 turns a
    /// minute (own assumption).
    pub const WET: RotaryKiln = RotaryKiln { drives_w: 900_000.0, turn_ms: 50_000 };

    /// Dry hollow process, 200 kW: the same 23..30 kWh/t at some 7.5 t/h, the size of a hollow kiln of 2.5 m x 40 m
    /// (size and 1.5 turns a minute are recollection).
    pub const DRY_HOLLOW: RotaryKiln = RotaryKiln { drives_w: 200_000.0, turn_ms: 40_000 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        // The charge slumps once per turn (own assumption).
        let turn = u64::from(self.turn_ms.max(1));
        let ripple = 0.01 * wave(share(running_ms % turn, turn)) + 0.01 * chance.swing(running_ms / 1_000);
        // Running PF 0.90..0.92 of the measured steel works (UCI, CC BY 4.0).
        Draw { unbalance: 0.005, ..Draw::lagging(self.drives_w * (1.0 + ripple), 0.90) }
    }
}

/// A mechanised shaft kiln: a Roots blower without pause and a grate that discharges by the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShaftKiln {
    /// Power of the blower in watts.
    pub blower_w: f64,
    /// Power of the grate, its feed and its air lock while they turn, in watts.
    pub grate_w: f64,
}

/// A batch is discharged in slots of this length.
const DISCHARGE_MS: u64 = 240_000;

impl ShaftKiln {
    /// 200 kW of blower and 45 kW of grate for a kiln of 3 m x 10 m and some 10 t/h. Recollection; 80..105 kWh/t for
    /// shaft-kiln cement as a whole (recollection too) leaves about 25 kWh/t for this section.
    pub const MECHANISED: ShaftKiln = ShaftKiln { blower_w: 200_000.0, grate_w: 45_000.0 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        // A Roots blower gives a volume: its power follows the resistance of the charge (own assumption: 4 %).
        let blower = self.blower_w * (1.0 + 0.04 * chance.branch(1).wander(running_ms, 300_000));
        let slot = running_ms / DISCHARGE_MS;
        let turns_for = 0.55 + 0.25 * chance.branch(2).swing(slot);
        let is_turning = share(running_ms % DISCHARGE_MS, DISCHARGE_MS) < turns_for;
        let grate = if is_turning {
            Draw::lagging(self.grate_w * (0.8 + 0.2 * chance.branch(3).swing(running_ms / 1_000)), 0.75)
        } else {
            Draw::NONE
        };
        Draw { unbalance: 0.01, ..Draw::lagging(blower, 0.87) }.and(grate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotary_kiln_is_steady() {
        for kiln in [RotaryKiln::WET, RotaryKiln::DRY_HOLLOW] {
            for second in 0..86_400_u64 {
                let draw = kiln.draw(second * 1_000, Chance::new(1));
                assert!((draw.watts / kiln.drives_w - 1.0).abs() <= 0.02 + 1e-9, "{draw:?}");
                assert!((draw.power_factor() - 0.90).abs() < 1e-9);
            }
        }
        // Clinker: 23..30 kWh/t of the kiln section.
        for (kiln, tonnes_per_hour) in [(RotaryKiln::WET, 35.0), (RotaryKiln::DRY_HOLLOW, 7.5)] {
            let per_tonne = kiln.draw(0, Chance::new(1)).watts / 1_000.0 / tonnes_per_hour;
            assert!((23.0..=30.0).contains(&per_tonne), "{per_tonne} kWh/t");
        }
    }

    #[test]
    fn a_shaft_kiln_never_stops_and_discharges_by_the_batch() {
        let kiln = ShaftKiln::MECHANISED;
        let watts: Vec<f64> = (0..86_400_u64).map(|s| kiln.draw(s * 1_000, Chance::new(3)).watts).collect();
        assert!(watts.iter().all(|w| (190_000.0..=254_000.0).contains(w)));
        let discharging = watts.iter().filter(|w| **w > 217_000.0).count();
        assert!((40_000..56_000).contains(&discharging), "{discharging} s");
    }
}
