//! The steps of a cut-off order, as records carry them.

use crate::terms::{AssetId, Digest, Name, OrderId};

/// Most pieces of evidence one step may name.
pub const MAX_EVIDENCE: usize = 16;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Signed by the authority and received.
    Issued,
    /// The supplier has confirmed it.
    Acknowledged,
    /// A day is set.
    Scheduled,
    /// The supplier says it is done.
    CutClaimed,
    /// The feeder was seen dead; the hold begins.
    Observing,
    /// Held for a day and a full night.
    Provisional,
    /// Held for a week with a weekend, covered well enough.
    Verified,
    /// Sealed and witnessed; certified every month.
    Maintained,
    /// Power came back: latched.
    Violated,
    /// The evidence ended.
    Indeterminate,
    /// Stopped for a time by appeal or exemption.
    Suspended,
    /// Demolition was accepted.
    Closed,
    /// Withdrawn.
    Cancelled,
    /// Reconnected with authority.
    Restored,
}

impl Rung {
    /// Every rung, in the order of the ladder.
    pub const ALL: [Rung; 14] = [
        Rung::Issued,
        Rung::Acknowledged,
        Rung::Scheduled,
        Rung::CutClaimed,
        Rung::Observing,
        Rung::Provisional,
        Rung::Verified,
        Rung::Maintained,
        Rung::Violated,
        Rung::Indeterminate,
        Rung::Suspended,
        Rung::Closed,
        Rung::Cancelled,
        Rung::Restored,
    ];

    /// The word of records.
    pub const fn word(self) -> &'static str {
        match self {
            Rung::Issued => "issued",
            Rung::Acknowledged => "acknowledged",
            Rung::Scheduled => "scheduled",
            Rung::CutClaimed => "cut_claimed",
            Rung::Observing => "observing",
            Rung::Provisional => "provisional",
            Rung::Verified => "verified",
            Rung::Maintained => "maintained",
            Rung::Violated => "violated",
            Rung::Indeterminate => "indeterminate",
            Rung::Suspended => "suspended",
            Rung::Closed => "closed",
            Rung::Cancelled => "cancelled",
            Rung::Restored => "restored",
        }
    }

    /// Reads the word of a record.
    pub fn from_word(word: &str) -> Option<Rung> {
        Rung::ALL.into_iter().find(|rung| rung.word() == word)
    }
}

/// One step of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Of which order.
    pub order: OrderId,
    /// On which equipment.
    pub asset: AssetId,
    /// Where it stood.
    pub from: Rung,
    /// Where it stands now.
    pub to: Rung,
    /// Who moved it: an authority's name, or `agent`.
    pub actor: Name,
    /// Why, in the words of the machine.
    pub why: Name,
    /// Hashes of the records and acts it rests on.
    pub evidence: Vec<Digest>,
}
