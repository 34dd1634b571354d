//! How a large motor starts.

use crate::{chance::Chance, load::Draw, rounding::share};

/// Apparent power of a start in parts of the rated power, with a liquid starter or a reactor. Direct on line it would
/// be five to six. Recollection.
const STARTING: f64 = 2.5;
/// Power factor while it starts: the rotor stands almost still. Recollection.
const STARTING_POWER_FACTOR: f64 = 0.30;

/// What a motor draws so long after it was switched on: while it runs up for `run_up_ms` its starting power, then
/// `running`.
pub(crate) fn started(rated_w: f64, run_up_ms: u32, running_ms: u64, running: Draw) -> Draw {
    let run_up = u64::from(run_up_ms.max(1));
    if running_ms >= run_up {
        return running;
    }
    // The starter keeps the current, and so the apparent power, near constant; the power factor rises with the speed.
    let speed = share(running_ms, run_up);
    let power_factor = STARTING_POWER_FACTOR + 0.5 * speed * speed;
    Draw::lagging(rated_w * STARTING * power_factor, power_factor)
}

/// A load near constant: the running power of a drive that follows its process within `sway`.
pub(crate) fn steady(watts: f64, power_factor: f64, sway: f64, at_ms: u64, chance: Chance) -> Draw {
    let level = 1.0
        + sway
            * (0.7 * chance.branch(1).wander(at_ms, 120_000) + 0.3 * chance.branch(2).swing(at_ms / 1_000));
    Draw { unbalance: 0.005, ..Draw::lagging(watts * level, power_factor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_large_and_reactive_and_then_over() {
        let running = Draw::lagging(1_000_000.0, 0.87);
        let at = |ms| started(1_000_000.0, 20_000, ms, running);
        let apparent = |draw: Draw| (draw.watts * draw.watts + draw.vars * draw.vars).sqrt();
        assert!((apparent(at(0)) / 2_500_000.0 - 1.0).abs() < 1e-9 && at(0).power_factor() < 0.31);
        assert!((apparent(at(19_999)) / 2_500_000.0 - 1.0).abs() < 1e-9);
        assert_eq!(at(20_000), running);
    }
}
