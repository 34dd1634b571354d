//! A submerged-arc furnace: electrodes in the charge, near constant for months.

use crate::{chance::Chance, load::Draw, rounding::share};

/// A submerged-arc furnace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubmergedArcFurnace {
    /// Rating of its transformer in VA.
    pub rated_va: f64,
}

impl SubmergedArcFurnace {
    /// 6.3 MVA, the size that China's lists of outdated ferroalloy furnaces name.
    pub const FERROALLOY: SubmergedArcFurnace = SubmergedArcFurnace { rated_va: 6_300_000.0 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        // PF 0.71..0.82 computed from two furnaces' R and X (SAIMM); small furnaces lie higher: 0.75..0.90 here.
        let power_factor = 0.825 + 0.075 * chance.branch(1).wander(running_ms, 1_200_000);
        // Electrode control holds the apparent power within some per cent (own assumption).
        let held = 0.96 + 0.04 * chance.branch(2).wander(running_ms, 90_000);
        // Electrodes are lowered over two minutes (own assumption; a cold furnace takes days to full load).
        let lowered = share(running_ms.min(120_000), 120_000);
        let apparent = self.rated_va * held * (0.4 + 0.6 * lowered);
        Draw { unbalance: 0.03, ..Draw::lagging(apparent * power_factor, power_factor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_near_constant() {
        for second in 600..87_000_u64 {
            let draw = SubmergedArcFurnace::FERROALLOY.draw(second * 1_000, Chance::new(1));
            assert!((0.745..=0.905).contains(&draw.power_factor()), "{draw:?}");
            assert!((4.2e6..=5.7e6).contains(&draw.watts), "{draw:?}");
        }
    }
}
