//! A ball mill: a wound-rotor motor that starts through a liquid starter and then hardly varies.

use crate::{
    chance::Chance,
    load::{
        Draw,
        motor::{started, steady},
    },
    rounding::share,
};

/// Time the mill needs to come up to speed. Own assumption.
const RUN_UP_MS: u32 = 20_000;
/// Time until the feed has filled it. Own assumption.
const FILL_MS: u64 = 900_000;

/// A ball mill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BallMill {
    /// Power of its drive in watts.
    pub drive_w: f64,
}

impl BallMill {
    /// 2.9 m x 10.9 m: 1 119 kW (1 500 HP, cementequipment.org).
    pub const CEMENT: BallMill = BallMill { drive_w: 1_119_000.0 };

    /// The mill of a diameter and a length in metres: `k D^2.5 L`, k rising from 7.2 to 8.5 kW per m^3.5 between the
    /// two mills the same book names (1 119 kW at 2.9 m, 3 281 kW at 3.95 m).
    pub fn of_size(diameter_m: f64, length_m: f64) -> BallMill {
        let k = 7_170.0 + (8_530.0 - 7_170.0) * ((diameter_m - 2.9) / (3.95 - 2.9)).clamp(0.0, 1.0);
        BallMill { drive_w: k * diameter_m * diameter_m * diameter_m.max(0.0).sqrt() * length_m }
    }

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        // The balls alone draw most of it; the feed adds the rest (own assumption: 80 and 20 %).
        let filled = 0.80 + 0.20 * share(running_ms.min(FILL_MS), FILL_MS);
        let running = steady(self.drive_w * 0.97 * filled, 0.86, 0.02, running_ms, chance);
        started(self.drive_w, RUN_UP_MS, running_ms, running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_meets_the_books_two_mills() {
        assert!((BallMill::of_size(2.9, 10.9).drive_w / 1_119_000.0 - 1.0).abs() < 0.01);
        assert!((BallMill::of_size(3.95, 12.4).drive_w / 3_281_000.0 - 1.0).abs() < 0.01);
        let small = BallMill::of_size(2.2, 6.5).drive_w;
        assert!((330_000.0..400_000.0).contains(&small), "{small}");
    }

    #[test]
    fn it_starts_hard_fills_and_then_hardly_varies() {
        let at = |second: u64| BallMill::CEMENT.draw(second * 1_000, Chance::new(2));
        assert!(at(1).vars > 2.0 * BallMill::CEMENT.drive_w);
        assert!((0.76..0.80).contains(&(at(21).watts / BallMill::CEMENT.drive_w)));
        for second in 1_000..80_000 {
            let part = at(second).watts / BallMill::CEMENT.drive_w;
            assert!((0.95..=0.99).contains(&part), "{second} s: {part}");
        }
    }
}
