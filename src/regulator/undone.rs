//! Convictions that a foreign hand has undone in their own log: the judge there has heard an act that the authority did not
//! sign, and knows no better; the desk does.

use super::{
    conviction::LastWord,
    foreign::ForeignAct,
    store::{Answered, Batch, KeptRecord, Log, Store},
};
use crate::{
    catalogue::Phase,
    evidence::{Act, Body, LogId, Meaning, record::Unverified},
    judge::{Finding, State, Verdict},
    terms::{AssetId, Name, OrderId},
};

/// Records read at once.
const PAGE: u32 = 256;
/// Verdicts that are looked through for the first that draws under a foreign permit.
const MOST_VERDICTS: u64 = 8_192;

/// What stood on a piece of equipment before the act, if that was a conviction; and what is drawn under the act, if that permits
/// it. Of records that were written, or arrived, before a time.
///
/// # Errors
/// The store cannot be read.
pub(super) fn undone(
    store: &mut dyn Store,
    batch: &Batch,
    act: &ForeignAct,
    asset: AssetId,
    before_unix_ms: i64,
) -> Answered<Vec<LastWord>> {
    let mut words = Vec::new();
    if !act.is_about(asset) {
        return Ok(words);
    }
    let log = (act.gateway, act.log);
    let stood = verdict_to(store, batch, log, asset, act.seq)?;
    let stood = stood.filter(|(_, record)| record.moment_unix_ms() < before_unix_ms);
    words.extend(stood.and_then(|(seq, record)| LastWord::of(act.log, seq, &record)));
    words.extend(drawn_under(store, batch, act, asset, before_unix_ms)?);
    words.retain(|word| word.since_unix_ms.is_some());
    Ok(words.into_iter().map(|word| LastWord { is_undone: true, ..word }).collect())
}

/// Where an order stood before the act, if that was violated, of what its log says of it.
pub(super) fn undone_step(act: &ForeignAct, steps: &[LastWord]) -> Option<LastWord> {
    let before = steps.iter().filter(|word| word.log == act.log && word.seq < act.seq);
    let stood = before.max_by_key(|word| word.seq).filter(|word| word.since_unix_ms.is_some());
    stood.map(|word| LastWord { is_undone: true, ..*word })
}

/// Whether a step of an order rests on an act of a foreign hand.
pub(super) fn is_disowned(foreign: &[ForeignAct], order: OrderId, log: LogId, seq: u64) -> bool {
    foreign.iter().any(|act| act.moves(order, log, seq))
}

/// The last verdict of a log on a piece of equipment up to a place, kept or brought by the batch.
pub(super) fn verdict_to(
    store: &mut dyn Store,
    batch: &Batch,
    log: Log,
    asset: AssetId,
    to: u64,
) -> Answered<Option<(u64, KeptRecord)>> {
    let kept = store.verdict_to((log, asset), to)?;
    let (gateway, id) = log;
    let is_verdict = |record: &KeptRecord| record.kind == "verdict" && record.asset == asset.as_str();
    let brought = batch.records.range((gateway, id, 0)..=(gateway, id, to)).rev();
    let new = brought.map(|((_, _, seq), record)| (*seq, record)).find(|(_, record)| is_verdict(record));
    Ok(match (kept, new) {
        (Some((seq, _)), Some(new)) if new.0 > seq => Some((new.0, new.1.clone())),
        (Some(kept), _) => Some(kept),
        (None, new) => new.map(|(seq, record)| (seq, record.clone())),
    })
}

/// The first verdict after a foreign permit that draws under it past the last lawful day: nobody who may has permitted that.
fn drawn_under(
    store: &mut dyn Store,
    batch: &Batch,
    act: &ForeignAct,
    asset: AssetId,
    before_unix_ms: i64,
) -> Answered<Option<LastWord>> {
    let log = (act.gateway, act.log);
    let Some(permit) = permit(store, batch, act)? else { return Ok(None) };
    let convicts = |seq: u64, record: &KeptRecord| {
        let Some(Body::Finding(Finding::Verdict(verdict))) = read(record) else { return None };
        let is_so = draws_under(&verdict, permit) && record.moment_unix_ms() < before_unix_ms;
        is_so.then(|| LastWord {
            since_unix_ms: Some(verdict.since.wall_unix_ms),
            ..LastWord::told(act.log, seq, record)
        })
    };
    let (mut after, mut looked) = (Some(act.seq), 0);
    while let Some(last) = after.take().filter(|_| looked < MOST_VERDICTS) {
        for (seq, record) in store.verdicts((log, asset), Some(last), i64::MAX.unsigned_abs(), PAGE)? {
            (after, looked) = (Some(seq), looked + 1);
            if let Some(word) = convicts(seq, &record) {
                return Ok(Some(word));
            }
        }
    }
    let (gateway, id) = log;
    let mut brought = batch.records.range((gateway, id, act.seq)..=(gateway, id, u64::MAX));
    let of_it = |record: &KeptRecord| record.kind == "verdict" && record.asset == asset.as_str();
    Ok(brought.find_map(|((_, _, seq), record)| if of_it(record) { convicts(*seq, record) } else { None }))
}

/// Whether a verdict draws past the last lawful day under this permit.
pub(super) fn draws_under(verdict: &Verdict, permit: Name) -> bool {
    verdict.state == State::Drawing
        && verdict.phase == Some(Phase::Overdue)
        && verdict.permit.is_some_and(|used| used.permit == permit)
}

/// The name of the permit that an act is; none of any other act.
fn permit(store: &mut dyn Store, batch: &Batch, act: &ForeignAct) -> Answered<Option<Name>> {
    let body = match batch.records.get(&(act.gateway, act.log, act.seq)) {
        Some(record) => read(record),
        None => {
            let kept = store.records_from((act.gateway, act.log), act.seq, 1)?;
            kept.first().filter(|(seq, _)| *seq == act.seq).and_then(|(_, record)| read(record))
        }
    };
    let Some(Body::Act(Act { meaning: Meaning::Permit(permit), .. })) = body else { return Ok(None) };
    Ok(Some(permit.id))
}

/// What is kept was verified when it came.
fn read(record: &KeptRecord) -> Option<Body> {
    Unverified::read(&record.bytes).and_then(Unverified::own).ok().map(|record| record.body)
}
