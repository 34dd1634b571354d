//! What records mention of machines and meters, taken down with them.

use std::collections::BTreeMap;

use super::Collector;
use crate::{
    evidence::{
        Record,
        lineage::{Mention, MentionId, Place},
    },
    regulator::{
        lineage::{self, Found},
        store::{Answered, Log},
    },
};

/// Mentions of one log that are remembered, so that the store need not be asked for what is said every quarter of an
/// hour; beyond them it is asked again.
const MENTIONS_REMEMBERED: usize = 4_096;
/// Pages of older records that are looked through in one round.
pub const PAGES_IN_A_ROUND: u32 = 4;

impl Collector {
    /// Takes down what a new record mentions, unless its log is known to have.
    pub(super) fn mention(&mut self, record: &Record, received_unix_ms: i64) {
        let known = self.mentioned.get(&(record.header.gateway, record.header.log));
        let mut mentions = self.lineage.mentions(record, received_unix_ms);
        // Where the last of a kind counts the store is asked; it keeps the further one.
        let is_known = |mention: &Mention| {
            !mention.says.has_last() && known.is_some_and(|known| known.contains(&mention.id()))
        };
        mentions.retain(|mention| !is_known(mention));
        self.batch.mentions.extend(mentions);
    }

    /// Holds the batch's mentions against all others. Tells what was found, and all that the batch mentions.
    pub(super) fn compare(&mut self, now_unix_ms: i64) -> Answered<(Found, Vec<(Log, MentionId)>)> {
        let mentioned: Vec<_> =
            self.batch.mentions.iter().map(|said| ((said.gateway, said.log), said.id())).collect();
        let batch = mentioned.iter().map(|(log, _)| log).chain(&self.placed);
        let placed = batch.filter_map(|log| Some((*log, self.places.get(log)?)));
        let places: BTreeMap<Log, Place> =
            placed.map(|(log, origins)| (log, (origins.division, origins.enterprise))).collect();
        let found =
            self.lineage.settle(&mut *self.store, &mut self.batch, &places, &self.placed, now_unix_ms)?;
        Ok((found, mentioned))
    }

    /// The batch was kept.
    pub(super) fn remember(&mut self, mentioned: Vec<(Log, MentionId)>) {
        lineage::told(&self.batch);
        for (log, id) in mentioned {
            let known = self.mentioned.entry(log).or_default();
            if known.len() >= MENTIONS_REMEMBERED {
                known.clear();
            }
            known.insert(id);
        }
    }

    /// Looks through some of the records that an earlier version kept without looking.
    ///
    /// # Errors
    /// The store failed; they are looked through by the next call.
    pub fn look_through(&mut self, now_unix_ms: i64) -> Answered<Found> {
        let mut found = Found::default();
        for _ in 0..PAGES_IN_A_ROUND {
            if self.looked_through {
                break;
            }
            match self.lineage.index(&mut *self.store, None, now_unix_ms)? {
                Some(more) => found.add(more),
                None => self.looked_through = true,
            }
        }
        Ok(found)
    }
}
