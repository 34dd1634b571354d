//! What is done about an order, by signed act.

use super::{order::Order, reading::UtilityReading};
use crate::terms::{AssetId, Digest, KeyId, LegalDay, Name, OrderId, WattHours};

/// The supplier's word that the cut is done, with what it shows for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// When, Unix milliseconds.
    pub cut_unix_ms: i64,
    /// Those who did it: two, by practice.
    pub performed_by: Option<String>,
    /// Number of the work ticket (工作票).
    pub ticket: Option<String>,
    /// The tester that was used, proven on a live part before and after.
    pub tester: Option<String>,
    /// Until when the tester is calibrated.
    pub tester_calibrated_until: Option<LegalDay>,
    /// Whether each phase was tested live, dead, live.
    pub live_dead_live: Option<bool>,
    /// Whether earth was applied.
    pub earthed: Option<bool>,
    /// Locks and seals, by number.
    pub locks: Option<String>,
    /// SHA-256 over the photographs.
    pub photos: Option<Digest>,
    /// The supplier's register before.
    pub register_before: Option<WattHours>,
    /// And after.
    pub register_after: Option<WattHours>,
}

/// What is done about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "read once from an act, and rarely")]
pub enum Deed {
    /// It is given, or given anew.
    Order(Order),
    /// The supplier confirms it.
    Acknowledge,
    /// The supplier sets a day.
    Plan {
        /// When it will be cut, Unix milliseconds.
        cut_unix_ms: i64,
    },
    /// The supplier says that it is done.
    Claim(Claim),
    /// It is stopped by appeal or exemption.
    Suspend {
        /// Until when, Unix milliseconds; until it is resumed where none is said.
        until_unix_ms: Option<i64>,
    },
    /// It goes on.
    Resume,
    /// The equipment is sealed and that was witnessed.
    Seal {
        /// The seal's number.
        number: String,
    },
    /// Demolition was accepted.
    Close {
        /// SHA-256 of the acceptance.
        document: Digest,
    },
    /// It is withdrawn.
    Revoke,
    /// Reconnection is ordered.
    Restore,
    /// The latch opens.
    Reset,
    /// The supplier's meter tells.
    Reading(UtilityReading),
}

/// Something done about an order, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderAct {
    /// Which order; of a reset every order on the equipment.
    pub order: Option<OrderId>,
    /// On which equipment.
    pub asset: AssetId,
    /// Who did it.
    pub actor: Name,
    /// Hash of the act.
    pub hash: Digest,
    /// The key that signed it.
    pub key: KeyId,
    /// What.
    pub deed: Deed,
}

impl Deed {
    /// Whether it is the supplier's to say; all else is the authority's alone.
    pub const fn is_the_suppliers(&self) -> bool {
        match self {
            Deed::Acknowledge | Deed::Plan { .. } | Deed::Claim(_) | Deed::Reading(_) => true,
            Deed::Order(_)
            | Deed::Suspend { .. }
            | Deed::Resume
            | Deed::Seal { .. }
            | Deed::Close { .. }
            | Deed::Revoke
            | Deed::Restore
            | Deed::Reset => false,
        }
    }
}

impl OrderAct {
    /// Whether it is about this order: it names it, or every order on the equipment.
    pub fn is_about(&self, order: &Order) -> bool {
        self.asset == order.asset && self.order.is_none_or(|named| named == order.id)
    }

    /// Whether it is a reading that somebody else signed than the supplier whose key the order names.
    pub fn is_a_strangers_reading(&self, order: &Order) -> bool {
        matches!(self.deed, Deed::Reading(_)) && order.supplier.is_some_and(|supplier| supplier != self.key)
    }
}
