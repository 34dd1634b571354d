//! An electric arc furnace, heat by heat: bore in, melt, charge the second bucket, melt, refine, tap.

use crate::{
    chance::Chance,
    load::{Draw, heats::Heats},
};

/// Tap to tap: 35 to 60 minutes, as a modern furnace takes (almohandes.org 23021).
const HEATS: Heats = Heats { mean_ms: 2_850_000, shift_ms: 375_000.0 };

/// An electric arc furnace with two buckets a heat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElectricArcFurnace {
    /// Active power while it melts at its highest tap, in watts.
    pub rated_w: f64,
}

/// Part of a heat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Electrodes bore into cold scrap; arcs break often.
    BoreIn,
    /// Full power, strong fluctuation.
    Melt,
    /// Roof open, second bucket: no power.
    Bucket,
    /// Flat bath, long quiet arc.
    Refine,
    /// Tapping and fettling: no power.
    Tap,
}

/// Where each part ends, in fractions of the heat. Own division; about four fifths of the time under power.
const PARTS: [(f64, Part); 7] = [
    (0.06, Part::BoreIn),
    (0.38, Part::Melt),
    (0.45, Part::Bucket),
    (0.51, Part::BoreIn),
    (0.76, Part::Melt),
    (0.88, Part::Refine),
    (1.0, Part::Tap),
];

impl ElectricArcFurnace {
    /// 12.5 MW, about 20 t: the furnace of the examples.
    pub const SMALL: ElectricArcFurnace = ElectricArcFurnace { rated_w: 12_500_000.0 };

    /// What it draws so long after its first bore-in.
    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        let second = running_ms / 1_000;
        let flicker = chance.branch(2).swing(second);
        // An arc that breaks leaves the other two phases in series: little power for about a second.
        let broken = |share: f64| if chance.branch(3).unit(second) < share { 0.15 } else { 1.0 };
        // PF 0.80..0.81 melting (course text); 0.73..0.85 measured on a 100 t ladle furnace; lower on cold scrap.
        let (level, power_factor) = match part(running_ms, chance) {
            Part::BoreIn => (0.55 * (1.0 + 0.40 * flicker) * broken(0.12), 0.72 + 0.06 * flicker),
            Part::Melt => (0.92 * (1.0 + 0.20 * flicker) * broken(0.02), 0.80 + 0.03 * flicker),
            Part::Refine => (0.50 * (1.0 + 0.04 * flicker), 0.84),
            Part::Bucket | Part::Tap => return Draw::NONE,
        };
        Draw { unbalance: 0.06, ..Draw::lagging(self.rated_w * level, power_factor) }
    }
}

/// In which part of a heat the furnace is so long after its first bore-in.
pub fn part(running_ms: u64, chance: Chance) -> Part {
    let through = HEATS.at(running_ms, chance.branch(1)).through();
    PARTS.iter().find(|(ends, _)| through < *ends).map_or(Part::Tap, |(_, part)| *part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: u64 = 86_400;

    fn day(chance: Chance) -> Vec<Part> {
        (0..DAY_S).map(|s| part(s * 1_000, chance)).collect()
    }

    #[test]
    fn heats_take_35_to_60_minutes() {
        for seed in 0..20 {
            let parts = day(Chance::new(seed));
            let taps: Vec<usize> =
                (1..parts.len()).filter(|s| parts[s - 1] == Part::Tap && parts[*s] == Part::BoreIn).collect();
            assert!(taps.len() > 22, "{taps:?}");
            for pair in taps.windows(2) {
                let minutes = (pair[1] - pair[0]) / 60;
                assert!((34..=60).contains(&minutes), "seed {seed}: {minutes} min");
            }
        }
    }

    #[test]
    fn a_heat_goes_through_its_parts_in_order() {
        let mut parts = day(Chance::new(5));
        parts.dedup();
        let order: Vec<Part> = PARTS.iter().map(|(_, part)| *part).collect();
        assert_eq!(parts[..7], order[..]);
        assert_eq!(parts[7..14], order[..]);
    }

    #[test]
    fn power_fluctuates_under_arc_and_is_nothing_between() {
        let (furnace, chance) = (ElectricArcFurnace::SMALL, Chance::new(9));
        let at = |wanted: Part| -> Vec<f64> {
            let moments = (0..DAY_S).map(|s| s * 1_000).filter(|ms| part(*ms, chance) == wanted);
            moments.map(|ms| furnace.draw(ms, chance).watts).collect()
        };
        let mean = |watts: &[f64]| watts.iter().sum::<f64>() / watts.iter().map(|_| 1.0).sum::<f64>();
        assert!((10.0e6..12.5e6).contains(&mean(&at(Part::Melt))));
        let (least, most) =
            at(Part::BoreIn).into_iter().fold((f64::MAX, 0.0_f64), |(a, b), w| (a.min(w), b.max(w)));
        assert!(most > 5.0 * least);
        assert!(at(Part::Bucket).iter().chain(&at(Part::Tap)).all(|w| *w == 0.0));
    }
}
