//! What a witness did not see: the time between the last word of one life and the boot that began the next.

use super::memory::Mark;
use crate::terms::{
    AssetId, MeterId, Stamp, WattHours,
    words::{self, Words},
};

worded! {
    /// How a life of the witness ended.
    Ending {
        /// It was asked to stop.
        CleanStop "clean_stop"
        /// The supply of its machine was failing, and it could say so.
        LastGasp "last_gasp"
        /// Nobody said.
        Unknown "unknown"
    }
}

impl Ending {
    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Ending::CleanStop => words::ENDED_CLEAN,
            Ending::LastGasp => words::ENDED_BY_POWER,
            Ending::Unknown => words::ENDED_UNKNOWN,
        }
    }
}

/// A time in which the witness was dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dark {
    /// The last record before.
    pub from: Stamp,
    /// The boot after.
    pub to: Stamp,
    /// How the life before ended.
    pub ended: Ending,
}

/// What one meter shows of a dark time, with its first good reading after: a register that stood proves that no energy
/// passed, one that advanced is energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DarkMeter {
    /// Which meter.
    pub meter: MeterId,
    /// The equipment it serves.
    pub asset: AssetId,
    /// Which time.
    pub dark: Dark,
    /// The last reading on record before.
    pub before: Mark,
    /// The first good one after.
    pub after: Mark,
}

impl DarkMeter {
    /// What passed between the two readings; nothing is told where the register fell.
    pub fn energy(&self) -> Option<WattHours> {
        let moved = self.after.register.energy.0.checked_sub(self.before.register.energy.0)?;
        (moved >= 0).then_some(WattHours(moved))
    }

    /// Whether the register stood.
    pub fn is_still(&self) -> bool {
        self.energy() == Some(WattHours(0))
    }
}
