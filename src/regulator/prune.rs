//! Retention: records that nobody need keep any longer go, as one stretch from the beginning of each log. What proves
//! the rest stays: geneses, rotations, heads, proofs of forks, records that mention machines and meters, what orders rest
//! on that are still open, the place up to which the log was pruned, and of the receipts for what went the last: it signs
//! for all before it.

use std::collections::BTreeSet;

use super::{
    lineage::Lineage,
    store::{Answered, Batch, Kept, Pruned, Store},
};
use crate::{
    evidence::{PublicKey, Rests, record::Unverified},
    host::exit::{Exit, Failure},
    terms::{LegalDay, time::DAY_MS},
};

/// Records read at once while a log is looked through.
const PAGE: u32 = 2_048;

/// Prunes the records that arrived before a day, the head of each log excepted. Tells in how many logs. `authority` are the keys
/// that sign resets.
///
/// # Errors
/// The day lies within the days that records must be kept for, or the store failed.
pub fn prune(
    store: &mut dyn Store,
    authority: &[PublicKey],
    before: LegalDay,
    keep_days: u32,
    now_unix_ms: i64,
) -> Result<u64, Failure> {
    let earliest = LegalDay::of_unix_ms(now_unix_ms - i64::from(keep_days) * DAY_MS);
    if before > earliest {
        let message = format!(
            "records are kept for {keep_days} days ([retention] keep_days): nothing from {earliest} on may be pruned"
        );
        return Err(Failure::new(Exit::Config, message));
    }
    let (mut logs, lineage) = (0, Lineage::shipped()?.believing(authority));
    for kept in store.heads(None)? {
        // What nobody has looked through may hold what must stay.
        while lineage.index(store, Some((kept.gateway, kept.log)), now_unix_ms)?.is_some() {}
        logs += u64::from(prune_log(store, &kept, before.starts_unix_ms(), now_unix_ms)?);
    }
    Ok(logs)
}

fn prune_log(
    store: &mut dyn Store,
    kept: &Kept,
    before_unix_ms: i64,
    now_unix_ms: i64,
) -> Result<bool, Failure> {
    let log = (kept.gateway, kept.log);
    // What comes while it is looked through is too young to go.
    let rests = rests(store, kept)?;
    let turns = store.begin(&BTreeSet::from([log]))?;
    let place = last_of(store, kept, before_unix_ms, now_unix_ms);
    let already = store.pruned(log)?.map(|pruned| pruned.seq);
    match place? {
        Some(pruned) if already.is_none_or(|already| already < pruned.seq) => {
            let pruned = vec![(log, pruned, rests.up_to(pruned.seq))];
            store.commit(&Batch { turns, pruned, ..Batch::default() })?;
            Ok(true)
        }
        Some(_) | None => {
            store.abandon();
            Ok(false)
        }
    }
}

/// What the orders of a log rest on.
fn rests(store: &mut dyn Store, kept: &Kept) -> Answered<Rests> {
    let (mut rests, mut from) = (Rests::default(), 0);
    loop {
        let page = store.records_from((kept.gateway, kept.log), from, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(rests) };
        from = last + 1;
        for (_, record) in page.iter().filter(|(_, record)| Rests::may_rest_on(&record.kind)) {
            // What is kept was verified when it came.
            if let Ok(record) = Unverified::read(&record.bytes).and_then(Unverified::own) {
                rests.on(&record);
            }
        }
    }
}

/// The last record of a log that may go, all before it included.
fn last_of(
    store: &mut dyn Store,
    kept: &Kept,
    before_unix_ms: i64,
    now_unix_ms: i64,
) -> Result<Option<Pruned>, Failure> {
    let log = (kept.gateway, kept.log);
    let stays = store.first_since(log, before_unix_ms)?.map_or(kept.seq, |stays| stays.min(kept.seq));
    let Some(last) = stays.checked_sub(1) else { return Ok(None) };
    let Some((seq, hash)) = store.hashes_to(log, last, 1)?.into_iter().next() else { return Ok(None) };
    let Some((_, record)) = store.records_from(log, seq, 1)?.into_iter().next() else { return Ok(None) };
    let read = Unverified::read(&record.bytes).and_then(Unverified::own);
    let record = read.map_err(|why| {
        let (gateway, log) = log;
        Failure::new(Exit::Bug, format!("{gateway} {log} {seq}: {why}; verify the store first"))
    })?;
    let epoch = record.header.key_epoch;
    let next_epoch = record.body.certifies(epoch, seq).map_or(epoch, |(next, ..)| next);
    Ok(Some(Pruned { seq, hash, next_epoch, pruned_unix_ms: now_unix_ms }))
}
