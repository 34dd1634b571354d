//! What a person reads of an order.

use super::{CutOff, order::Carrier, rung::Rung};
use crate::terms::words::{self, Language, Words};

impl Carrier {
    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Carrier::Own => words::CARRIER_OWN,
            Carrier::Upstream => words::CARRIER_UPSTREAM,
            Carrier::Utility => words::CARRIER_UTILITY,
        }
    }
}

impl Rung {
    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Rung::Issued => words::RUNG_ISSUED,
            Rung::Acknowledged => words::RUNG_ACKNOWLEDGED,
            Rung::Scheduled => words::RUNG_SCHEDULED,
            Rung::CutClaimed => words::RUNG_CUT_CLAIMED,
            Rung::Observing => words::RUNG_OBSERVING,
            Rung::Provisional => words::RUNG_PROVISIONAL,
            Rung::Verified => words::RUNG_VERIFIED,
            Rung::Maintained => words::RUNG_MAINTAINED,
            Rung::Violated => words::RUNG_VIOLATED,
            Rung::Indeterminate => words::RUNG_INDETERMINATE,
            Rung::Suspended => words::RUNG_SUSPENDED,
            Rung::Closed => words::RUNG_CLOSED,
            Rung::Cancelled => words::RUNG_CANCELLED,
            Rung::Restored => words::RUNG_RESTORED,
        }
    }

    /// The sentence of safety that belongs to it, where one does.
    pub const fn beside(self) -> Option<Words> {
        match self {
            Rung::Observing | Rung::Provisional | Rung::Verified | Rung::Maintained => {
                Some(words::NOT_A_TEST_FOR_DEAD)
            }
            // A claim is somebody's word, and what cannot be told may be anything.
            Rung::CutClaimed | Rung::Indeterminate => Some(words::VOLTAGE_MAY_BE_PRESENT),
            Rung::Restored => Some(words::NO_PERMISSION_TO_ENERGISE),
            Rung::Violated => Some(words::FED_BEHIND_CUT),
            Rung::Issued
            | Rung::Acknowledged
            | Rung::Scheduled
            | Rung::Suspended
            | Rung::Closed
            | Rung::Cancelled => None,
        }
    }

    /// Both.
    pub fn told(self, language: Language) -> String {
        let mut text = self.words().in_language(language).to_owned();
        if let Some(beside) = self.beside() {
            text.push_str(". ");
            text.push_str(beside.in_language(language));
        }
        text
    }
}

impl CutOff {
    /// Whether it should have been cut by now: a question that whoever replays the log asks, and no step.
    pub fn is_overdue(&self, now_unix_ms: i64) -> bool {
        let uncut = match self.stand().rung {
            Rung::Issued | Rung::Acknowledged | Rung::Scheduled | Rung::CutClaimed => true,
            Rung::Observing
            | Rung::Provisional
            | Rung::Verified
            | Rung::Maintained
            | Rung::Violated
            | Rung::Indeterminate
            | Rung::Suspended
            | Rung::Closed
            | Rung::Cancelled
            | Rung::Restored => false,
        };
        uncut && now_unix_ms > self.order().due_unix_ms
    }
}
