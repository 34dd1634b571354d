//! The electric side of a plate-glass line: fans, rollers, the heating of the forming bath. The melt burns gas or oil.

use crate::{
    chance::Chance,
    load::{Draw, motor::steady},
};

/// The regenerators change sides in this beat. Recollection: 15..30 minutes.
const REVERSAL_MS: u64 = 1_200_000;
/// While they do, the combustion fan idles.
const REVERSING_MS: u64 = 40_000;

/// A plate-glass line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlassLine {
    /// Power of the whole line in watts.
    pub line_w: f64,
}

impl GlassLine {
    /// 1.1 MW: 100..160 kWh/t (recollection) at 200 t a day.
    pub const SMALL: GlassLine = GlassLine { line_w: 1_100_000.0 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        let is_reversing = running_ms % REVERSAL_MS < REVERSING_MS;
        let fan = if is_reversing { 0.06 } else { 0.12 };
        // Nine tenths run as they did yesterday; heaters of the bath are regulated in small steps.
        steady(self.line_w * 0.88, 0.92, 0.01, running_ms, chance.branch(1)).and(steady(
            self.line_w * fan,
            0.85,
            0.03,
            running_ms,
            chance.branch(2),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_day_and_night_and_dips_when_the_fire_changes_sides() {
        let line = GlassLine::SMALL;
        let day: Vec<f64> =
            (0..86_400_u64).map(|s| line.draw(s * 1_000, Chance::new(9)).watts / line.line_w).collect();
        assert!(day.iter().all(|part| (0.92..1.02).contains(part)));
        let dipped = day.iter().filter(|part| **part < 0.96).count();
        assert!((2_500..3_200).contains(&dipped), "{dipped} s");
        let per_tonne = day.iter().sum::<f64>() / 86_400.0 * line.line_w / 1_000.0 * 24.0 / 200.0;
        assert!((100.0..160.0).contains(&per_tonne), "{per_tonne} kWh/t");
    }
}
