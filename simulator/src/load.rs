//! What the equipment on a feeder draws while it runs, as a function of time since it was started.
//!
//! Figures: METERING.md C (`facts.csv`) where a source exists, own assumption where the comment says so.

use crate::{chance::Chance, heat::ElectricArcFurnace};

/// Active and reactive power of one moment, both of all phases together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draw {
    /// Active power in watts.
    pub watts: f64,
    /// Reactive power in var; positive is inductive.
    pub vars: f64,
    /// How far apart the phases are, as a fraction of their mean.
    pub unbalance: f64,
}

impl Draw {
    /// Nothing.
    pub const NONE: Draw = Draw { watts: 0.0, vars: 0.0, unbalance: 0.0 };

    /// A power at an inductive power factor.
    pub fn lagging(watts: f64, power_factor: f64) -> Draw {
        let pf = power_factor.clamp(0.01, 1.0);
        Draw { watts, vars: watts.abs() * (1.0 - pf * pf).sqrt() / pf, unbalance: 0.0 }
    }

    /// The power factor; 1 where nothing is drawn.
    pub fn power_factor(&self) -> f64 {
        let apparent = (self.watts * self.watts + self.vars * self.vars).sqrt();
        if apparent > 0.0 { self.watts / apparent } else { 1.0 }
    }

    /// Both together; the larger power says how far the phases are apart.
    #[must_use]
    pub fn and(self, other: Draw) -> Draw {
        let unbalance = if self.watts.abs() >= other.watts.abs() { self.unbalance } else { other.unbalance };
        Draw { watts: self.watts + other.watts, vars: self.vars + other.vars, unbalance }
    }
}

/// The process equipment a feeder serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// None: the feeder of a furnace that was taken out.
    Cold,
    /// Steel from scrap, heat by heat.
    ElectricArcFurnace(ElectricArcFurnace),
    /// Ferroalloy, without a pause.
    SubmergedArcFurnace(SubmergedArcFurnace),
    /// The drives of a wet-process cement kiln.
    WetKiln(WetKiln),
}

impl Load {
    /// What it draws `running_ms` after it was started.
    pub fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        match self {
            Load::Cold => Draw::NONE,
            Load::ElectricArcFurnace(furnace) => furnace.draw(running_ms, chance),
            Load::SubmergedArcFurnace(furnace) => furnace.draw(running_ms, chance),
            Load::WetKiln(kiln) => kiln.draw(running_ms, chance),
        }
    }
}

/// A submerged-arc furnace: electrodes in the charge, near constant for months.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubmergedArcFurnace {
    /// Rating of its transformer in VA.
    pub rated_va: f64,
}

impl SubmergedArcFurnace {
    /// 6.3 MVA, the size that China's lists of outdated ferroalloy furnaces name.
    pub const FERROALLOY: SubmergedArcFurnace = SubmergedArcFurnace { rated_va: 6_300_000.0 };

    fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        // PF 0.71..0.82 computed from two furnaces' R and X (SAIMM); small furnaces lie higher: 0.75..0.90 here.
        let power_factor = 0.825 + 0.075 * chance.branch(1).wander(running_ms, 1_200_000);
        // Electrode control holds the apparent power within some per cent (own assumption).
        let held = 0.96 + 0.04 * chance.branch(2).wander(running_ms, 90_000);
        // Electrodes are lowered over two minutes (own assumption; a cold furnace takes days to full load).
        let lowered = f64::from(u32::try_from(running_ms.min(120_000)).unwrap_or(0)) / 120_000.0;
        let apparent = self.rated_va * held * (0.4 + 0.6 * lowered);
        Draw { unbalance: 0.03, ..Draw::lagging(apparent * power_factor, power_factor) }
    }
}

/// The drives of a wet-process rotary kiln with its fans and slurry pumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WetKiln {
    /// Power of all its drives in watts.
    pub drives_w: f64,
}

impl WetKiln {
    /// About 900 kW: 23..30 kWh/t for the kiln section (AIT 1997) at some 35 t/h.
    pub const DRIVES: WetKiln = WetKiln { drives_w: 900_000.0 };

    fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        // The charge slumps once per turn, about 1.2 turns a minute (own assumption).
        let turn = f64::from(u32::try_from(running_ms % 50_000).unwrap_or(0)) / 50_000.0;
        let ripple = 0.01 * wave(turn) + 0.01 * chance.swing(running_ms / 1_000);
        // Running PF 0.90..0.92 of the measured steel works (UCI, CC BY 4.0).
        Draw { unbalance: 0.005, ..Draw::lagging(self.drives_w * (1.0 + ripple), 0.90) }
    }
}

/// One period of a wave between -1 and 1, of two parabolas: unlike a sine the same to the last bit on every machine.
fn wave(turn: f64) -> f64 {
    if turn < 0.5 { 16.0 * turn * (0.5 - turn) } else { -16.0 * (turn - 0.5) * (1.0 - turn) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(load: Load) -> impl Iterator<Item = Draw> {
        (0..86_400_u64).map(move |s| load.draw(600_000 + s * 1_000, Chance::new(1)))
    }

    #[test]
    fn a_submerged_arc_furnace_is_near_constant() {
        for draw in seconds(Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY)) {
            assert!((0.745..=0.905).contains(&draw.power_factor()), "{draw:?}");
            assert!((4.2e6..=5.7e6).contains(&draw.watts), "{draw:?}");
        }
    }

    #[test]
    fn a_kiln_is_steady() {
        for draw in seconds(Load::WetKiln(WetKiln::DRIVES)) {
            assert!((draw.watts / 900_000.0 - 1.0).abs() <= 0.02 + 1e-9, "{draw:?}");
            assert!((draw.power_factor() - 0.90).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_draws_nothing() {
        assert!(seconds(Load::Cold).all(|draw| draw == Draw::NONE));
    }
}
