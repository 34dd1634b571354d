//! Work that comes in heats: a beat with each beginning shifted, so that a moment finds its heat without a history.

use crate::{
    chance::Chance,
    rounding::{nearest, share},
};

/// The beat of a furnace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heats {
    /// Mean time from one beginning to the next, in milliseconds.
    pub(crate) mean_ms: u64,
    /// Farthest a beginning is early or late, in milliseconds; less than half the mean.
    pub(crate) shift_ms: f64,
}

/// The heat of a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heat {
    /// Its number; the first is 0 and begins at 0.
    pub(crate) number: u64,
    /// Time since its beginning, in milliseconds.
    pub(crate) into_ms: u64,
    /// Time from its beginning to the next, in milliseconds.
    pub(crate) length_ms: u64,
}

impl Heats {
    /// The heat in which a moment lies.
    pub(crate) fn at(self, running_ms: u64, chance: Chance) -> Heat {
        let begins = |heat: u64| {
            let shift = if heat == 0 { 0 } else { nearest(self.shift_ms * chance.swing(heat)) };
            (heat * self.mean_ms).saturating_add_signed(shift)
        };
        let nominal = running_ms / self.mean_ms;
        let number = if running_ms < begins(nominal) {
            nominal.saturating_sub(1)
        } else if running_ms >= begins(nominal + 1) {
            nominal + 1
        } else {
            nominal
        };
        let (from, to) = (begins(number), begins(number + 1));
        Heat { number, into_ms: running_ms.saturating_sub(from), length_ms: to.saturating_sub(from) }
    }
}

impl Heat {
    /// How far it is, 0 to 1.
    pub(crate) fn through(self) -> f64 {
        share(self.into_ms, self.length_ms)
    }
}
