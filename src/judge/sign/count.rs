//! Registers that went backwards or leapt ahead, and whether the meter was without power in between: some keep their counts only now
//! and then, and begin a little earlier after a power cut.

use super::{Figure, Figures, figure::figures};
use crate::{judge::memory::Mark, metering::Register, terms::WattHours};

/// How high the count has stood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// As last read.
    latest: Option<WattHours>,
    /// The highest that two readings in a row reached: one torn reading is no count that could fall.
    confirmed: Option<WattHours>,
}

impl Count {
    /// Goes on with what is remembered: a restart of the witness is no way to forget how high it stood.
    pub fn recalling(mark: &Mark) -> Count {
        let stood = Some(mark.register.energy);
        Count { latest: stood, confirmed: stood }
    }

    /// Takes the register as read.
    pub fn on_register(&mut self, register: &Register) {
        let now = register.energy;
        let half = register.modulus.map_or(i64::MAX, |modulus| modulus.0 / 2);
        let latest = self.latest.replace(now);
        if latest.is_some_and(|latest| latest.0.saturating_sub(now.0) > half) {
            // It went round, which is told elsewhere.
            self.confirmed = None;
        } else {
            self.confirmed = self.confirmed.max(latest.map(|latest| latest.min(now)));
        }
    }

    /// Looks at a count that began anew after `before`; figures when it fell by more than a power cycle explains.
    pub fn look(&mut self, unsaved: WattHours, before: &Mark, after: &Mark) -> Option<Figures> {
        let stood = self.confirmed.take().unwrap_or(before.register.energy);
        let fall = stood.0.saturating_sub(after.register.energy.0);
        let explained = after.register.step.0.saturating_mul(2).max(unsaved.0);
        (fall > explained)
            .then(|| figures([(Figure::Before, stood.0), (Figure::After, after.register.energy.0)]))
    }
}

/// Figures of a count that began anew after `before` and stands higher.
pub fn leap(before: &Mark, after: &Mark) -> Option<Figures> {
    let (before, after) = (before.register.energy, after.register.energy);
    (after > before).then(|| figures([(Figure::Before, before.0), (Figure::After, after.0)]))
}
