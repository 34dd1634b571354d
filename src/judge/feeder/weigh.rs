//! What passed between two readings: accounted for in the ledger, and weighed against what the allowances explain.

use super::{Feeder, Passage, line, poll_ms};
use crate::{
    judge::{
        ledger::{Account, Ledger},
        memory::Mark,
        register::is_timed,
        window::{Excess, Windows},
    },
    metering::Reading,
};

impl Feeder {
    /// Keeps the counts behind which a power cut may set the meter back.
    pub(super) fn keep(&mut self, passage: Option<&Passage>) {
        match passage {
            None | Some(Passage::First | Passage::Doubtful { .. } | Passage::Unconfirmed { .. }) => return,
            Some(Passage::Told { .. }) => {}
            Some(
                Passage::Unsaved { .. }
                | Passage::Rebased { .. }
                | Passage::FellOrRolledOver { .. }
                | Passage::Untimed { .. },
            ) => self.kept.begin(),
        }
        if let Some(now) = self.track.anchor() {
            self.kept.on_count(now);
        }
    }

    /// Splits the time since the reading before into the ledger. A doubtful reading accounts for nothing yet.
    pub(super) fn account(&mut self, reading: &Reading, passage: Option<&Passage>) {
        let at = &reading.at;
        let is_seen = reading.power().is_some() && line::sight(&self.terms, reading).is_some();
        let ledger = self.ledger.get_or_insert_with(|| Ledger::opening(at, None));
        match passage {
            None | Some(Passage::Doubtful { .. }) => ledger.on_miss(),
            // Told with the next reading, whichever it agrees with.
            Some(Passage::Unconfirmed { .. }) => {}
            Some(Passage::First) => ledger.on_reading(None, at, Account::Unaccounted, None),
            Some(
                Passage::Unsaved { before }
                | Passage::Rebased { before }
                | Passage::FellOrRolledOver { before }
                | Passage::Untimed { before },
            ) => {
                ledger.on_reading(Some(&before.at), at, Account::Unaccounted, None);
            }
            Some(Passage::Told { before, energy, .. }) => {
                let span_ms = at.since_ms(&before.at);
                let near =
                    is_seen && before.at.boot == at.boot && span_ms <= poll_ms(&self.terms).saturating_mul(2);
                // A gap is bridged only while the register could not have gone once around.
                let possible = self.terms.possible(span_ms, before.register.step);
                let unambiguous = before.register.modulus.is_none_or(|modulus| possible < modulus);
                let account = match (near, unambiguous) {
                    (true, _) => Account::Observed,
                    (false, true) => Account::Bridged,
                    (false, false) => Account::Unaccounted,
                };
                ledger.on_reading(Some(&before.at), at, account, Some(*energy));
            }
        }
    }

    /// Weighs what passed against what the allowances explain, over every span it belongs to.
    pub(super) fn weigh(&mut self, now: &Mark, passage: Option<&Passage>) -> Option<Excess> {
        let windows = self.windows.get_or_insert_with(|| Windows::starting(&now.at));
        match passage? {
            Passage::Told { before, energy, .. } if is_timed(before, now) => {
                windows.add(&self.terms, before, now, self.lent.less(before, now, *energy))
            }
            Passage::Doubtful { .. } | Passage::Unconfirmed { .. } => None,
            Passage::Told { .. }
            | Passage::First
            | Passage::Unsaved { .. }
            | Passage::Rebased { .. }
            | Passage::FellOrRolledOver { .. }
            | Passage::Untimed { .. } => {
                *windows = Windows::starting(&now.at);
                None
            }
        }
    }
}
