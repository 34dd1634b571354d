//! A paper machine: section drives and vacuum pumps, and the breaks of its web.

use crate::{
    chance::Chance,
    load::{
        Draw,
        motor::{started, steady},
    },
    rounding::share,
};

/// A break, if there is one, begins in slots of this length.
const BREAK_SLOT_MS: u64 = 3_600_000;
/// Breaks per hour. Own assumption: eight a day.
const BREAKS: f64 = 8.0 / 24.0;
/// Washing of felts and wires: once in ten days, for some hours. Own assumption.
const WASH_SLOT_MS: u64 = 10 * 86_400_000;
const RUN_UP_MS: u32 = 60_000;

/// A paper machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaperMachine {
    /// Power of all drives and pumps in watts.
    pub rated_w: f64,
}

impl PaperMachine {
    /// 700 kW: 500..1 500 kWh/t (recollection) at 20 t a day of a narrow old machine.
    pub const NARROW: PaperMachine = PaperMachine { rated_w: 700_000.0 };

    pub(crate) fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        let running = steady(self.rated_w * level(running_ms, chance), 0.84, 0.03, running_ms, chance);
        started(self.rated_w * 0.3, RUN_UP_MS, running_ms, running)
    }
}

/// In parts of the rated power: making paper, through a break, or standing to be washed.
fn level(running_ms: u64, chance: Chance) -> f64 {
    let (wash, into) = (running_ms / WASH_SLOT_MS, running_ms % WASH_SLOT_MS);
    // The first hours of a run are never a wash.
    let washed_from = 0.4 + 0.5 * chance.branch(3).unit(wash);
    let washed_for = share(3, 240) * (1.0 + chance.branch(4).unit(wash));
    if (washed_from..washed_from + washed_for).contains(&share(into, WASH_SLOT_MS)) {
        return 0.08;
    }
    let (slot, into) = (running_ms / BREAK_SLOT_MS, running_ms % BREAK_SLOT_MS);
    let begin = 0.1 + 0.5 * chance.branch(5).unit(slot);
    let breaks_for = 0.08 + 0.25 * chance.branch(6).unit(slot);
    let is_broken = chance.branch(7).unit(slot) < BREAKS
        && (begin..begin + breaks_for).contains(&share(into, BREAK_SLOT_MS));
    // Through a break the pumps go on; the drives pull no web.
    if is_broken { 0.62 } else { 0.88 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_breaks_some_times_a_day_and_the_machine_is_washed_every_ten_days() {
        let machine = PaperMachine::NARROW;
        let minutes = 30 * 1_440_u64;
        let parts: Vec<f64> =
            (2..minutes).map(|m| machine.draw(m * 60_000, Chance::new(11)).watts / machine.rated_w).collect();
        let share_of = |low: f64, high: f64| {
            parts.iter().filter(|p| (low..high).contains(*p)).count() * 1_000 / parts.len()
        };
        assert!((880..960).contains(&share_of(0.85, 0.92)), "{}", share_of(0.85, 0.92));
        assert!((30..110).contains(&share_of(0.58, 0.66)), "{}", share_of(0.58, 0.66));
        assert!((10..28).contains(&share_of(0.07, 0.09)), "{}", share_of(0.07, 0.09));
        let per_tonne = parts.iter().sum::<f64>() / f64::from(u32::try_from(parts.len()).unwrap())
            * machine.rated_w
            / 1_000.0
            * 24.0
            / 20.0;
        assert!((500.0..1_500.0).contains(&per_tonne), "{per_tonne} kWh/t");
    }
}
