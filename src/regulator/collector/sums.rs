//! What verdicts come to, added up once a day while nothing else waits.

use super::Collector;
use crate::{
    regulator::{
        store::{Answered, Kept},
        sums,
    },
    terms::LegalDay,
};

/// Logs that are added up in one round.
pub const SUMMED_IN_A_ROUND: usize = 16;

impl Collector {
    /// Adds up what some of the logs have said since they were added up last: each once after every start, and once a day.
    /// Tells how many are left.
    ///
    /// # Errors
    /// The store failed; they are added up by the next call.
    pub fn add_up(&mut self, now_unix_ms: i64) -> Answered<usize> {
        let today = LegalDay::of_unix_ms(now_unix_ms);
        if self.unsummed.is_empty() && self.summed_on != Some(today) {
            self.unsummed = self.store.heads(None)?;
            self.summed_on = Some(today);
        }
        let at = self.unsummed.len().saturating_sub(SUMMED_IN_A_ROUND);
        let some: Vec<Kept> = self.unsummed.split_off(at);
        match sums::keep(&mut *self.store, &some) {
            Ok(left) => {
                self.unsummed.extend(left);
                Ok(self.unsummed.len())
            }
            Err(fault) => {
                self.unsummed.extend(some);
                Err(fault)
            }
        }
    }
}
