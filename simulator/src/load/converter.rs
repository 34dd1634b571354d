//! The electric side of an oxygen converter: the fan that draws its gas, the lance and the tilting drive. The heat
//! comes from the iron itself.

use crate::{
    chance::Chance,
    load::{Draw, heats::Heats, motor::steady},
};

/// Tap to tap: 30..40 minutes with 15..18 of blowing. Recollection.
const HEATS: Heats = Heats { mean_ms: 2_100_000, shift_ms: 150_000.0 };
/// Where charging, blowing and turning down end, in fractions of the heat.
const CHARGED: f64 = 0.25;
const BLOWN: f64 = 0.72;

/// Auxiliaries of a converter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Converter {
    /// Induced-draught fan at full speed, in watts.
    pub fan_w: f64,
    /// Pumps and lubrication, always on, in watts.
    pub pumps_w: f64,
    /// Tilting and lance drives while they move, in watts.
    pub tilting_w: f64,
}

impl Converter {
    /// A converter of 25 t: some 43 t/h and 20..60 kWh/t (recollection) make 0.9 to 2.6 MW while it blows.
    pub const SMALL: Converter = Converter { fan_w: 1_400_000.0, pumps_w: 400_000.0, tilting_w: 160_000.0 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        let through = HEATS.at(running_ms, chance.branch(4)).through();
        let second = running_ms / 1_000;
        let is_blowing = (CHARGED..BLOWN).contains(&through);
        // Between blows the fan turns slowly: a third of the speed or so, a fifth of the power with its losses.
        let level = if is_blowing { 0.92 } else { 0.20 };
        let fan = steady(self.fan_w * level, if is_blowing { 0.88 } else { 0.70 }, 0.03, running_ms, chance);
        let moves = [0.0, 0.12, CHARGED, BLOWN, 0.80, 0.92];
        let is_moving = moves.iter().any(|begin| (*begin..*begin + 0.02).contains(&through));
        let tilting = if is_moving {
            Draw::lagging(self.tilting_w * (0.7 + 0.3 * chance.branch(5).swing(second)), 0.70)
        } else {
            Draw::NONE
        };
        fan.and(Draw::lagging(self.pumps_w, 0.85)).and(tilting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_blows_for_fifteen_to_eighteen_minutes_and_never_stops_its_pumps() {
        let converter = Converter::SMALL;
        let watts: Vec<f64> =
            (0..86_400_u64).map(|s| converter.draw(s * 1_000, Chance::new(6)).watts).collect();
        assert!(watts.iter().all(|w| *w > 0.6e6 && *w < 2.0e6));
        let blowing: Vec<bool> = watts.iter().map(|w| *w > 1.5e6).collect();
        let mut blows = Vec::new();
        let mut length = 0;
        for is_blowing in blowing {
            if is_blowing {
                length += 1;
            } else if length > 0 {
                blows.push(std::mem::take(&mut length));
            }
        }
        assert!((36..=46).contains(&blows.len()), "{blows:?}");
        assert!(blows.iter().all(|s| (780..=1_200).contains(s)), "{blows:?}");
        let per_tonne = watts.iter().sum::<f64>() / 86_400.0 / 1_000.0 / 43.0;
        assert!((20.0..60.0).contains(&per_tonne), "{per_tonne} kWh/t");
    }
}
