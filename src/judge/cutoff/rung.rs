//! Where a cut-off order can stand.

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

    /// Whether it has ended for good.
    pub const fn is_over(self) -> bool {
        matches!(self, Rung::Closed | Rung::Cancelled | Rung::Restored)
    }

    /// Whether nobody has said yet that the power was cut.
    pub const fn is_before_the_cut(self) -> bool {
        matches!(self, Rung::Issued | Rung::Acknowledged | Rung::Scheduled)
    }

    /// Whether a hold runs.
    pub const fn is_held(self) -> bool {
        matches!(self, Rung::Observing | Rung::Provisional | Rung::Verified | Rung::Maintained)
    }

    /// Whether power behind the cut is out of order: the cut was seen, and nobody has allowed it since.
    pub const fn is_isolating(self) -> bool {
        self.is_held() || matches!(self, Rung::Violated | Rung::Indeterminate)
    }
}
