//! Carries a conviction of a log that was left into what a batch says of the same equipment in another log of the gateway, so
//! that screens and alarms never show as free what the authority has not set free: see [`super::conviction`].

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alarms::{Cause, Shown},
    conviction::{LastWord, Reset, left_standing},
    sight::Said,
    store::{Answered, Batch, Kept, KeptRecord, Log, Store, sights::AssetRow},
};
use crate::{
    evidence::LogId,
    judge::{Rung, State},
    terms::{AssetId, GatewayId, OrderId},
};

/// Papers read at once.
const PAGE: u32 = 256;
/// Beyond every place.
const LAST: u64 = i64::MAX.unsigned_abs();

/// What can be convicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// A piece of equipment, by its judge's latch.
    Latch(AssetId),
    /// It, by an order to cut it off that stands at `violated`.
    Order(AssetId, OrderId),
}

impl Of {
    const fn asset(self) -> AssetId {
        match self {
            Of::Latch(asset) | Of::Order(asset, _) => asset,
        }
    }

    /// What a batch says is not convicted.
    fn free(asset: AssetId, said: &Said) -> Option<Of> {
        match said {
            Said::Verdict(said) => said.violation_since_unix_ms.is_none().then_some(Of::Latch(asset)),
            Said::Order { order, rung } => (*rung != Rung::Violated).then_some(Of::Order(asset, *order)),
            Said::Plate | Said::Span(_) => None,
        }
    }
}

/// Has what the batch says of equipment say that it is convicted where another log of its gateway says so. Of gateways with one
/// log nothing is read.
///
/// # Errors
/// The store cannot be read.
pub(super) fn settle(store: &mut dyn Store, batch: &mut Batch) -> Answered<()> {
    let free: BTreeSet<(Log, Of)> = batch
        .sights
        .iter()
        .filter_map(|sight| Some(((sight.gateway, sight.log), Of::free(sight.asset, &sight.said)?)))
        .collect();
    if free.is_empty() {
        return Ok(());
    }
    let logs = logs_of(store, batch, &free.iter().map(|((gateway, _), _)| *gateway).collect())?;
    let mut standing = BTreeMap::new();
    for ((gateway, speaks), of) in free {
        let Some(all) = logs.get(&gateway).filter(|all| all.len() > 1) else { continue };
        let mut words = Vec::new();
        for log in all {
            words.extend(last_word(store, batch, (gateway, *log), of)?);
        }
        // Resets are looked for only where there is something to end.
        if left_standing(&words, &[], speaks).is_none() {
            continue;
        }
        let mut resets = Vec::new();
        for log in all {
            let read = |_: u64, record: &KeptRecord| Reset::of(*log, record);
            resets.extend(papers(store, batch, (gateway, *log), &read)?);
        }
        resets.retain(|reset| reset.asset == of.asset());
        if let Some(word) = left_standing(&words, &resets, speaks) {
            standing.insert(((gateway, speaks), of), word);
        }
    }
    say(batch, &standing);
    Ok(())
}

/// Whether a violation of a piece of equipment is latched that its newest verdict knows nothing of.
///
/// # Errors
/// The store cannot be read.
pub(super) fn is_left(store: &mut dyn Store, row: &AssetRow) -> Answered<bool> {
    let Some((log, seq)) = row.verdict.filter(|_| row.violation_since_unix_ms.is_some()) else {
        return Ok(false);
    };
    let kept = store.records_from((row.gateway, log), seq, 1)?;
    let newest = kept.first().filter(|(at, _)| *at == seq);
    let word = newest.and_then(|(_, record)| LastWord::of(log, seq, record));
    Ok(word.is_some_and(|word| word.since_unix_ms.is_none()))
}

/// Every log of these gateways, of the batch or kept.
fn logs_of(
    store: &mut dyn Store,
    batch: &Batch,
    gateways: &BTreeSet<GatewayId>,
) -> Answered<BTreeMap<GatewayId, BTreeSet<LogId>>> {
    let heads = store.heads(Some(gateways))?;
    let kept = heads.iter().chain(&batch.heads).map(|Kept { gateway, log, .. }| (*gateway, *log));
    let new = batch.records.keys().map(|(gateway, log, _)| (*gateway, *log));
    let mut logs = BTreeMap::<GatewayId, BTreeSet<LogId>>::new();
    for (gateway, log) in kept.chain(new).filter(|(gateway, _)| gateways.contains(gateway)) {
        logs.entry(gateway).or_default().insert(log);
    }
    Ok(logs)
}

/// The records of a log that the batch brings, in their order.
fn brought(batch: &Batch, (gateway, log): Log) -> impl DoubleEndedIterator<Item = (u64, &KeptRecord)> {
    let all = batch.records.range((gateway, log, 0)..=(gateway, log, u64::MAX));
    all.map(|((_, _, seq), record)| (*seq, record))
}

/// What a log says last of it.
fn last_word(store: &mut dyn Store, batch: &Batch, log: Log, of: Of) -> Answered<Option<LastWord>> {
    match of {
        Of::Latch(asset) => last_verdict(store, batch, log, asset),
        Of::Order(_, order) => {
            let read = |seq: u64, record: &KeptRecord| LastWord::of_order(log.1, seq, record, order);
            Ok(papers(store, batch, log, &read)?.into_iter().max_by_key(|word| word.seq))
        }
    }
}

fn last_verdict(
    store: &mut dyn Store,
    batch: &Batch,
    log: Log,
    asset: AssetId,
) -> Answered<Option<LastWord>> {
    let kept = store.verdict_to((log, asset), LAST)?;
    let is_verdict = |record: &KeptRecord| record.kind == "verdict" && record.asset == asset.as_str();
    let new = brought(batch, log).rev().find(|(_, record)| is_verdict(record));
    let newest = match (&kept, new) {
        (Some((seq, _)), Some(new)) if new.0 > *seq => Some(new),
        (Some((seq, record)), _) => Some((*seq, record)),
        (None, new) => new,
    };
    Ok(newest.and_then(|(seq, record)| LastWord::of(log.1, seq, record)))
}

/// What there is to read of this among the papers of a log, kept or brought.
fn papers<T>(
    store: &mut dyn Store,
    batch: &Batch,
    log: Log,
    read: &dyn Fn(u64, &KeptRecord) -> Option<T>,
) -> Answered<Vec<T>> {
    let (mut all, mut from) = (Vec::new(), Some(0));
    while let Some(first) = from.take() {
        for (seq, record) in store.papers(log, first, PAGE)? {
            from = seq.checked_add(1);
            all.extend(read(seq, &record));
        }
    }
    all.extend(brought(batch, log).filter_map(|(seq, record)| read(seq, record)));
    Ok(all)
}

/// Has the batch say so. Where an order stands on screens its own log tells; that it is violated is an alarm's matter.
fn say(batch: &mut Batch, standing: &BTreeMap<(Log, Of), LastWord>) {
    let mut shown = BTreeMap::new();
    for sight in &mut batch.sights {
        let log = (sight.gateway, sight.log);
        let found = Of::free(sight.asset, &sight.said).and_then(|of| standing.get(&(log, of)));
        let Some(word) = found else { continue };
        let mut rests = false;
        if let Said::Verdict(said) = &mut sight.said {
            said.violation_since_unix_ms = word.since_unix_ms;
            rests = said.state != State::Drawing.word();
        }
        shown.insert((log, sight.seq), if rests { Shown::Latched } else { Shown::Active });
    }
    for condition in &mut batch.conditions {
        let place = ((condition.gateway, condition.log), condition.seq);
        let convicts = matches!(condition.cause, Cause::Violation | Cause::CutViolated);
        if let (true, Shown::Clear, Some(now)) = (convicts, condition.shown, shown.get(&place)) {
            condition.shown = *now;
        }
    }
}
