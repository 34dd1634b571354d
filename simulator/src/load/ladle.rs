//! A ladle furnace: some arcs a heat, waits between heats, and now and then days without any.
//!
//! Figures: 14 876 arcs of 3 214 heats in 120.7 days of a 100 t furnace (METERING.md C): arc 147 s (58..361), 4 arcs a
//! heat, treatment 27.7 min (11..58), arc-on 12.8 min, PF 0.81 (0.73..0.85), 13.9 MW while arcing (11.5..16.4, unit
//! inferred), arcing 24.5 % of the time, gap 14 min in the middle and 118 h at the longest.

use crate::{
    chance::Chance,
    load::{Draw, heats::Heats},
    rounding::{nearest, share},
};

/// A place for a heat: treatment and the usual wait.
const PLACES: Heats = Heats { mean_ms: 2_520_000, shift_ms: 1_080_000.0 };
/// Share of places to which no ladle comes.
const EMPTY: f64 = 0.12;
/// A long stop in every slot of this length.
const STOP_SLOT_MS: u64 = 14 * 86_400_000;
/// Time of one arc with the pause after it.
const ARC_MS: f64 = 372_000.0;

/// A ladle furnace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LadleFurnace {
    /// Active power while arcing, in watts.
    pub arcing_w: f64,
}

impl LadleFurnace {
    /// The measured one, 100 t.
    pub const MEASURED: LadleFurnace = LadleFurnace { arcing_w: 13_900_000.0 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        if !is_arcing(running_ms, chance) {
            return Draw::NONE;
        }
        let second = running_ms / 1_000;
        let tap = chance.branch(6).wander(running_ms, 400_000);
        let flicker = chance.branch(7).swing(second);
        let power_factor = 0.80 + 0.055 * tap + 0.02 * flicker;
        Draw {
            unbalance: 0.05,
            ..Draw::lagging(self.arcing_w * (1.0 + 0.17 * tap + 0.03 * flicker), power_factor)
        }
    }
}

fn is_arcing(running_ms: u64, chance: Chance) -> bool {
    if is_stopped(running_ms, chance) {
        return false;
    }
    let place = PLACES.at(running_ms, chance.branch(1));
    // The first ladle comes at once: who starts the furnace has one.
    if place.number > 0 && chance.branch(2).unit(place.number) < EMPTY {
        return false;
    }
    let treatment =
        share(place.length_ms, 1_000) * 1_000.0 * (0.45 + 0.43 * chance.branch(3).unit(place.number));
    let arcs = (treatment / ARC_MS).round().max(1.0);
    let arc_ms = treatment / arcs;
    let into = share(place.into_ms, 1_000) * 1_000.0;
    if into >= treatment {
        return false;
    }
    let arc = nearest((into / arc_ms).floor()).unsigned_abs();
    // Many short arcs, few long ones.
    let drawn = chance.branch(4).unit(place.number * 64 + arc);
    let burns = 0.14 + 0.84 * drawn * drawn.sqrt() * drawn.sqrt().sqrt();
    into / arc_ms % 1.0 < burns
}

/// A stop of 10 hours to five days somewhere in each fortnight, the short ones more often.
fn is_stopped(running_ms: u64, chance: Chance) -> bool {
    let (slot, into) = (running_ms / STOP_SLOT_MS, running_ms % STOP_SLOT_MS);
    let drawn = chance.branch(5).unit(slot);
    let lasts_hours = 10.0 + 108.0 * drawn * drawn * drawn;
    let begins_hours = 24.0 + 190.0 * chance.branch(8).unit(slot);
    (begins_hours..begins_hours + lasts_hours).contains(&share(into, 3_600_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: u64 = 121 * 86_400;

    /// Lengths of runs of arcing and of rest, in seconds.
    fn runs(chance: Chance) -> (Vec<u32>, Vec<u32>) {
        let (mut arcs, mut rests) = (Vec::new(), Vec::new());
        let (mut was, mut length) = (is_arcing(0, chance), 0);
        for second in 0..SECONDS {
            let is = is_arcing(second * 1_000, chance);
            if is != was {
                if was {
                    arcs.push(length);
                } else {
                    rests.push(length);
                }
                (was, length) = (is, 0);
            }
            length += 1;
        }
        (arcs, rests)
    }

    fn quantile(sorted: &[u32], per_cent: usize) -> u32 {
        sorted[(sorted.len() - 1) * per_cent / 100]
    }

    #[test]
    fn four_months_look_like_the_measured_ones() {
        for seed in 1..4 {
            let (mut arcs, mut rests) = runs(Chance::new(seed));
            let arcing: u32 = arcs.iter().sum();
            let per_mille = u64::from(arcing) * 1_000 / SECONDS;
            assert!((215..=275).contains(&per_mille), "{per_mille} per mille arcing, measured 245");
            arcs.sort_unstable();
            assert!((125..=170).contains(&quantile(&arcs, 50)), "arc {} s", quantile(&arcs, 50));
            assert!((40..=75).contains(&quantile(&arcs, 5)), "arc {} s", quantile(&arcs, 5));
            assert!((300..=420).contains(&quantile(&arcs, 95)), "arc {} s", quantile(&arcs, 95));
            assert!((12_000..18_000).contains(&arcs.len()), "{} arcs, measured 14 876", arcs.len());
            rests.sort_unstable();
            let longest = rests[rests.len() - 1] / 3_600;
            assert!((20..=125).contains(&longest), "longest rest {longest} h");
            // Rests longer than any pause between arcs lie between heats.
            let gaps: Vec<u32> = rests.into_iter().filter(|s| *s > 400).collect();
            assert!((11..=20).contains(&(quantile(&gaps, 50) / 60)), "gap {} s", quantile(&gaps, 50));
        }
    }

    #[test]
    fn treatments_and_arcs_of_a_heat_are_the_measured_ones() {
        let chance = Chance::new(5);
        let mut treatments = Vec::new();
        let mut arcs_on = Vec::new();
        let mut heat = None;
        let (mut last, mut on) = (0, 0);
        for second in 0..SECONDS {
            let place = PLACES.at(second * 1_000, chance.branch(1));
            if heat != Some(place.number) {
                if on > 0 {
                    treatments.push(last);
                    arcs_on.push(on);
                }
                (heat, last, on) = (Some(place.number), 0, 0);
            }
            if is_arcing(second * 1_000, chance) {
                last = u32::try_from(place.into_ms / 1_000).unwrap();
                on += 1;
            }
        }
        treatments.sort_unstable();
        arcs_on.sort_unstable();
        let minutes = |sorted: &[u32], per_cent| quantile(sorted, per_cent) / 60;
        // Measured 27.7 (11..58) from the first arc to the end; here to the end of the last arc.
        assert!((22..=28).contains(&minutes(&treatments, 50)), "{}", minutes(&treatments, 50));
        assert!((7..=14).contains(&minutes(&treatments, 5)), "{}", minutes(&treatments, 5));
        assert!((42..=58).contains(&minutes(&treatments, 95)), "{}", minutes(&treatments, 95));
        assert!((11..=14).contains(&minutes(&arcs_on, 50)), "{}", minutes(&arcs_on, 50));
        assert!((2_700..=3_700).contains(&treatments.len()), "{} heats, measured 3 214", treatments.len());
    }

    #[test]
    fn power_and_power_factor_while_arcing_are_the_measured_ones() {
        let (furnace, chance) = (LadleFurnace::MEASURED, Chance::new(2));
        let draws = (0..500_000_u64).map(|s| furnace.draw(s * 1_000, chance)).filter(|d| d.watts > 0.0);
        for draw in draws {
            assert!((11.0e6..=16.9e6).contains(&draw.watts), "{draw:?}");
            assert!((0.72..=0.88).contains(&draw.power_factor()), "{draw:?}");
        }
    }
}
