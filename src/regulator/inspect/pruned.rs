//! What was pruned, and whether it may have been.

use super::{Inspector, MOST_TOLD};
use crate::{
    regulator::store::{Answered, KeptRecord, Log, Pruned},
    terms::LegalDay,
};

impl Inspector<'_> {
    /// Tells what was pruned of a log: from its genesis on, which stays, to the first record behind.
    pub(super) fn pruned(&mut self, log: Log, pruned: Pruned) -> Answered<()> {
        self.found.pruned += 1;
        let (gateway, id) = log;
        let Pruned { seq, pruned_unix_ms, .. } = pruned;
        let arrived = |kept: Vec<(u64, KeptRecord)>| {
            let day = |record: &KeptRecord| LegalDay::of_unix_ms(record.received_unix_ms).to_string();
            kept.first().map_or_else(|| "?".to_owned(), |(_, record)| day(record))
        };
        let from = arrived(self.store.records_from(log, 0, 1)?);
        let to = arrived(self.store.records_from(log, seq.saturating_add(1), 1)?);
        let on = LegalDay::of_unix_ms(pruned_unix_ms);
        if self.found.prunings.len() < MOST_TOLD as usize {
            self.found.prunings.push(format!(
                "{gateway} {id}: places up to {seq}, which arrived from {from} to {to}, on {on}; the rule: nothing that had \
                 arrived within {} days ([retention] keep_days)",
                self.keep_days
            ));
        }
        if pruned_unix_ms > self.now_unix_ms {
            self.found
                .accuse(format!("{gateway} {id}: was pruned on {on}, a day to come: nobody pruned that"));
        }
        Ok(())
    }
}
