//! What the authority permits for a time: the paper of a replaced meter, a maintenance run, an allowance.

use super::{commission::REGISTER_AGE_MS, edge};
use crate::terms::{AssetId, Digest, MeterId, Name, Stamp, WattHours};

/// Most permits remembered at once.
pub const MAX_PERMITS: usize = 256;

/// What a permit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// The equipment may run, up to so much energy in all; what it draws within is shown and convicts nobody.
    Maintenance {
        /// The most it may draw while the permit lasts.
        energy: WattHours,
    },
    /// More may be drawn than was commissioned, up to so much energy in all.
    Allowance {
        /// The most it may draw while the permit lasts.
        energy: WattHours,
    },
    /// A meter is exchanged or its ratios are changed: its register may begin anew.
    MeterReplacement {
        /// Which.
        meter: MeterId,
    },
}

impl Permitted {
    /// The word of acts and records.
    pub const fn word(self) -> &'static str {
        match self {
            Permitted::Maintenance { .. } => "maintenance",
            Permitted::Allowance { .. } => "allowance",
            Permitted::MeterReplacement { .. } => "meter_replacement",
        }
    }

    /// The energy it covers, in watt-hours; none for a paper about a meter.
    pub const fn energy(self) -> Option<WattHours> {
        match self {
            Permitted::Maintenance { energy } | Permitted::Allowance { energy } => Some(energy),
            Permitted::MeterReplacement { .. } => None,
        }
    }
}

/// A permit as signed by the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The act that grants it; a later version of the same act replaces it.
    pub id: Name,
    /// For which equipment.
    pub asset: AssetId,
    /// What for.
    pub what: Permitted,
    /// First moment, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Last moment, Unix milliseconds.
    pub to_unix_ms: i64,
    /// SHA-256 of the paper it rests on.
    pub document: Digest,
}

impl Permit {
    /// How much of the time between two moments lies under it, in milliseconds; `None` where none does. What a register
    /// shows may be a little older than the moment it was read, so what it shows shortly after the permit ended counts too;
    /// and so does what may lie under it by all that the clock may err.
    pub fn overlap_ms(&self, from: &Stamp, to: &Stamp) -> Option<i64> {
        let begins = from.wall_unix_ms.max(self.begins_ms(from));
        let ends = to.wall_unix_ms.min(self.ends_ms(to).saturating_add(REGISTER_AGE_MS));
        (ends >= begins).then(|| ends.saturating_sub(begins))
    }

    /// Whether what is drawn from this moment on is drawn under it. A reading may be dated a little before its time.
    pub fn may_begin(&self, from: &Stamp) -> bool {
        let begins = self.begins_ms(from).saturating_sub(REGISTER_AGE_MS);
        (begins..=self.ends_ms(from)).contains(&from.wall_unix_ms)
    }

    /// Whether it may be in force at this moment.
    pub fn covers(&self, at: &Stamp) -> bool {
        (self.begins_ms(at)..=self.ends_ms(at)).contains(&at.wall_unix_ms)
    }

    /// Its first moment as a clock may show it that errs as this moment's may, Unix milliseconds.
    pub fn begins_ms(&self, by: &Stamp) -> i64 {
        self.from_unix_ms.saturating_sub(edge::error_ms(by))
    }

    /// Its last moment as such a clock may show it, Unix milliseconds.
    pub fn ends_ms(&self, by: &Stamp) -> i64 {
        self.to_unix_ms.saturating_add(edge::error_ms(by))
    }
}
