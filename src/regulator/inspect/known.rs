//! How far a log is kept as known, where its plant lies, and the keys of its epochs: each is what its records say.

use std::collections::{BTreeMap, BTreeSet};

use super::Inspector;
use crate::{
    evidence::{Body, Head, PublicKey, Record, lineage::Place},
    regulator::store::{Answered, Kept, KeptEpoch, Log},
    terms::Digest,
};

/// What the records of a log say of it.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By epoch: the first place that its key signs, and the key.
    epochs: BTreeMap<u32, (u64, PublicKey)>,
    place: Option<Place>,
}

impl Known {
    /// Reads a record of it whose signature holds.
    pub(super) fn on(&mut self, record: &Record) {
        let certified = record.body.certifies(record.header.key_epoch, record.header.seq);
        self.epochs.extend(certified.map(|(epoch, from, key)| (epoch, (from, key))));
        if let Body::Genesis(genesis) = &record.body {
            self.place = Some((genesis.division, genesis.enterprise));
        }
    }
}

impl Inspector<'_> {
    /// Whether that is what is kept.
    pub(super) fn known(&mut self, log: Log, head: &Head, kept: Option<&Kept>) -> Answered<()> {
        let Known { epochs, place } = std::mem::take(&mut self.known);
        let (gateway, id) = log;
        // Without its genesis a log has no head.
        let known = head.head().zip(head.next_epoch());
        let said = kept.map(|kept| ((kept.seq, kept.head), kept.next_epoch));
        if known != said {
            let (known, said) = (told(known), told(said));
            self.found.accuse(format!(
                "{gateway} {id}: the head that is kept, {said}, is not that of the records, {known}: records were taken out or \
                 changed, or the head was"
            ));
        }
        if let (Some(place), Some(kept)) = (place, kept)
            && place != (kept.division, kept.enterprise)
        {
            let (division, enterprise) = place;
            self.found.accuse(format!(
                "{gateway} {id}: it is kept as of {} in {}, and its genesis says {enterprise} in {division}",
                kept.enterprise, kept.division
            ));
        }
        let held: BTreeMap<u32, (u64, PublicKey)> = self
            .store
            .epochs(log, 0)?
            .into_iter()
            .map(|KeptEpoch { epoch, from, key }| (epoch, (from, key)))
            .collect();
        let all = epochs.keys().chain(held.keys()).collect::<BTreeSet<_>>();
        for epoch in all.into_iter().filter(|epoch| epochs.get(epoch) != held.get(epoch)) {
            self.found.accuse(format!(
                "{gateway} {id}: the key of epoch {epoch} is not kept as its records certify it"
            ));
        }
        Ok(())
    }
}

fn told(head: Option<((u64, Digest), u32)>) -> String {
    head.map_or_else(
        || "none".to_owned(),
        |((seq, hash), epoch)| format!("#{seq} {hash}, epoch {epoch} next"),
    )
}
