//! All that must survive a gap of any kind: a missed poll, a dead bus, a reboot after three days.

use crate::{
    catalogue::{Nameplate, PlateSource, Roster, Standing},
    metering::{Identity, Register},
    terms::{AssetId, Digest, MeterId, Stamp, WattHours},
};

use super::{
    cutoff::OrderMemory, dark::Dark, leave::PermitUse, permit::Permit, sign::StandingSign, window::Windows,
};

/// An energy register at a moment: one side of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When it was read.
    pub at: Stamp,
    /// What it showed.
    pub register: Register,
}

/// What is remembered of one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterMemory {
    /// Whose.
    pub meter: MeterId,
    /// The last mark on record, if any reading was ever recorded.
    pub mark: Option<Mark>,
    /// The mark an interval before that one, where the count goes on from it.
    pub earlier: Option<Mark>,
    /// Energy since the day and the month began, as of the mark.
    pub windows: Option<Windows>,
    /// Up to when time is accounted for.
    pub accounted_to: Stamp,
    /// Who it said it was last.
    pub identity: Option<Identity>,
}

impl MeterMemory {
    /// How long before the end of what is accounted for its register was last read, in milliseconds; `None` where it
    /// never was.
    pub fn untold_ms(&self) -> Option<i64> {
        self.mark.map(|mark| self.accounted_to.wall_unix_ms.saturating_sub(mark.at.wall_unix_ms).max(0))
    }
}

/// What is remembered of one piece of equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EquipmentMemory {
    /// Whose.
    pub asset: AssetId,
    /// When the violation latch closed, if it has.
    pub violation_since_unix_ms: Option<i64>,
    /// Energy drawn while it was overdue, up to the last interval of each of its feeders.
    pub energy_closed: WattHours,
    /// Most that may have been drawn beside it unseen, up to the same moments.
    pub bound_closed: WattHours,
    /// Fingerprint of the nameplate last read.
    pub plate: Option<Digest>,
    /// Its standing as it was told last.
    pub standing: Standing,
}

/// What the records of a log tell about the site, for the judge that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// By meter.
    pub meters: Vec<MeterMemory>,
    /// By equipment.
    pub equipment: Vec<EquipmentMemory>,
    /// Permits of the authority, ended ones included.
    pub permits: Vec<Permit>,
    /// What each piece of equipment drew under each permit, up to the last interval of each of its feeders; the one
    /// used last comes last.
    pub permit_uses: Vec<(AssetId, PermitUse)>,
    /// The nameplates last read and declared.
    pub plates: Vec<(AssetId, PlateSource, Nameplate)>,
    /// The authority's roster in force.
    pub roster: Option<Roster>,
    /// Cut-off orders.
    pub orders: Vec<OrderMemory>,
    /// The register at both ends of each interval of a meter that an order looks at, in order, as far back as days are set
    /// beside the supplier's.
    pub ends: Vec<(MeterId, Mark, Mark)>,
    /// The time that nobody saw since the last moment on record; filled in by whoever knows when this boot was.
    pub dark: Option<Dark>,
    /// Signs that stand, by meter.
    pub signs: Vec<(MeterId, StandingSign)>,
    /// Who each meter said it was before anybody edited it.
    pub identities: Vec<(MeterId, Identity)>,
    /// The last moment on record.
    pub last: Option<Stamp>,
}
