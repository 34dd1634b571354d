//! Carries a conviction of a log that was left, and a sign of tampering that no time takes back, into what a batch says of the same equipment in another log of the gateway, so
//! that screens and alarms never show as free what the authority has not set free: see [`super::conviction`].

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{
    alarms::{About, Cause, Condition, Shown, ending},
    conviction::{LastWord, Reset, left_standing},
    foreign::ForeignAct,
    sight::Said,
    store::{Answered, Batch, Kept, KeptRecord, Log, Store},
    undone::{is_disowned, undone, undone_step, verdict_to},
};
use crate::{
    evidence::{LogId, PublicKey},
    judge::{Rung, State},
    terms::{AssetId, GatewayId, OrderId, place::Division},
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
    /// It, of tampering: by a sign that stands until the authority takes it back.
    Signs(AssetId),
    /// It, by an order to cut it off that stands at `violated`.
    Order(AssetId, OrderId),
}

/// What another log of a gateway convicts of, by the log that speaks and by what it speaks of.
type Standing = BTreeMap<(Log, Of), LastWord>;
/// The logs of gateways, and where each lies; none of a log whose genesis has not come.
type Logs = BTreeMap<GatewayId, BTreeMap<LogId, Option<Division>>>;

impl Of {
    const fn asset(self) -> AssetId {
        match self {
            Of::Latch(asset) | Of::Signs(asset) | Of::Order(asset, _) => asset,
        }
    }

    /// The alarm of it.
    fn alarm(self, gateway: GatewayId) -> About {
        let (cause, subject) = match self {
            Of::Latch(asset) => (Cause::Violation, asset.0),
            Of::Signs(asset) => (Cause::Tamper, asset.0),
            Of::Order(_, order) => (Cause::CutViolated, order.0),
        };
        About::of_gateway(cause, gateway, Some(subject))
    }

    /// What a batch speaks of, and whether it is free by that.
    fn said(asset: AssetId, said: &Said) -> Option<(Of, bool)> {
        match said {
            Said::Verdict(said) => Some((Of::Latch(asset), said.violation_since_unix_ms.is_none())),
            Said::Order { order, rung } => Some((Of::Order(asset, *order), *rung != Rung::Violated)),
            Said::Plate | Said::Span(_) => None,
        }
    }
}

/// Has what the batch says of equipment say that it is convicted where another log of its gateway says so, and says it to the
/// division in which the gateway speaks now where that log lies in another. Of gateways with
/// one log and no foreign act nothing more is read.
///
/// `authority` are the keys that sign resets.
///
/// # Errors
/// The store cannot be read.
pub(super) fn settle(store: &mut dyn Store, batch: &mut Batch, authority: &[PublicKey]) -> Answered<()> {
    let gateways: BTreeSet<GatewayId> = batch.sights.iter().map(|sight| sight.gateway).collect();
    let foreign = foreign_of(store, batch, &gateways)?;
    let mut said: BTreeSet<(Log, Of)> = batch
        .sights
        .iter()
        .filter_map(|sight| Some(((sight.gateway, sight.log), Of::said(sight.asset, &sight.said)?.0)))
        .collect();
    said.extend(batch.conditions.iter().filter_map(no_sign));
    if said.is_empty() {
        return Ok(());
    }
    let logs = logs_of(store, batch, &said.iter().map(|((gateway, _), _)| *gateway).collect())?;
    let mut standing = Standing::new();
    for ((gateway, speaks), of) in said {
        let foreign = foreign.get(&gateway).map_or(&[][..], Vec::as_slice);
        let Some(all) = logs.get(&gateway).filter(|all| all.len() > 1 || !foreign.is_empty()) else {
            continue;
        };
        let mut words = Vec::new();
        for log in all.keys() {
            words.extend(last_word(store, batch, (gateway, *log), of)?);
        }
        words.extend(undone_words(store, batch, foreign, of)?);
        // Resets are looked for only where there is something to end.
        if left_standing(&words, &[], speaks).is_none() {
            continue;
        }
        let mut resets = Vec::new();
        for log in all.keys() {
            let read = |seq: u64, record: &KeptRecord| Reset::of(*log, seq, record, authority);
            resets.extend(papers(store, batch, (gateway, *log), &read)?);
        }
        resets.retain(|reset| reset.asset == of.asset());
        resets.extend(ending::resets(store, of.alarm(gateway).id())?.into_iter().map(|(_, reset)| reset));
        if let Some(word) = left_standing(&words, &resets, speaks) {
            standing.insert(((gateway, speaks), of), word);
        }
    }
    say(batch, &standing);
    say_elsewhere(batch, &standing, &logs);
    disown(batch, &foreign);
    Ok(())
}

/// Acts in these gateways' logs that the authority did not sign, kept or brought.
fn foreign_of(
    store: &mut dyn Store,
    batch: &Batch,
    gateways: &BTreeSet<GatewayId>,
) -> Answered<BTreeMap<GatewayId, Vec<ForeignAct>>> {
    let mut foreign = BTreeMap::<GatewayId, Vec<ForeignAct>>::new();
    let kept = if gateways.is_empty() { Vec::new() } else { store.foreign_acts(Some(gateways))? };
    for act in kept.iter().chain(&batch.foreign).filter(|act| gateways.contains(&act.gateway)) {
        let known = foreign.entry(act.gateway).or_default();
        if !known.contains(act) {
            known.push(*act);
        }
    }
    Ok(foreign)
}

/// Convictions that foreign hands have undone.
fn undone_words(
    store: &mut dyn Store,
    batch: &Batch,
    foreign: &[ForeignAct],
    of: Of,
) -> Answered<Vec<LastWord>> {
    let mut words = Vec::new();
    for act in foreign.iter().filter(|act| act.is_about(of.asset())) {
        match of {
            Of::Latch(asset) => words.extend(undone(store, batch, act, asset, i64::MAX)?),
            Of::Signs(_) => {}
            Of::Order(_, order) => {
                let read = |seq: u64, record: &KeptRecord| LastWord::of_order(act.log, seq, record, order);
                let steps = papers(store, batch, (act.gateway, act.log), &read)?;
                words.extend(undone_step(act, &steps));
            }
        }
    }
    Ok(words)
}

/// No step that rests on an act of a foreign hand is shown: its order stands where it stood before.
fn disown(batch: &mut Batch, foreign: &BTreeMap<GatewayId, Vec<ForeignAct>>) {
    if foreign.is_empty() {
        return;
    }
    batch.sights.retain(|sight| {
        let Said::Order { order, rung: _ } = &sight.said else { return true };
        let foreign = foreign.get(&sight.gateway).map_or(&[][..], Vec::as_slice);
        !is_disowned(foreign, *order, sight.log, sight.seq)
    });
}

/// Has verdicts that are read anew say that they convict no longer where the authority has ended that at the desk since.
///
/// # Errors
/// The store cannot be read.
pub(super) fn end(store: &mut dyn Store, batch: &mut Batch) -> Answered<()> {
    let mut ended = BTreeMap::new();
    for sight in &mut batch.sights {
        let Said::Verdict(said) = &mut sight.said else { continue };
        if said.violation_since_unix_ms.is_none() || said.left.is_some() {
            continue;
        }
        let until = match ended.entry((sight.gateway, sight.asset)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let all = ending::resets(store, Of::Latch(sight.asset).alarm(sight.gateway).id())?;
                *new.insert(all.into_iter().map(|(_, reset)| reset.issued_unix_ms).max())
            }
        };
        if until.is_some_and(|until| until >= sight.received_unix_ms) {
            said.violation_since_unix_ms = None;
        }
    }
    Ok(())
}

/// What a condition says of equipment of which no sign stands.
fn no_sign(condition: &Condition) -> Option<(Log, Of)> {
    let is_free = condition.cause == Cause::Tamper && condition.shown == Shown::Clear;
    let asset = condition.subject.filter(|_| is_free)?;
    Some(((condition.gateway, condition.log), Of::Signs(AssetId(asset))))
}

/// Every log of these gateways, of the batch or kept.
fn logs_of(store: &mut dyn Store, batch: &Batch, gateways: &BTreeSet<GatewayId>) -> Answered<Logs> {
    let heads = store.heads(Some(gateways))?;
    let kept = heads.iter().chain(&batch.heads);
    let kept = kept.map(|Kept { gateway, log, division, .. }| (*gateway, *log, Some(*division)));
    let new = batch.records.keys().map(|(gateway, log, _)| (*gateway, *log, None));
    let mut logs = Logs::new();
    for (gateway, log, division) in kept.chain(new).filter(|(gateway, ..)| gateways.contains(gateway)) {
        let known = logs.entry(gateway).or_default().entry(log).or_default();
        *known = known.or(division);
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
        Of::Latch(asset) => last_verdict(store, batch, (log, asset), LastWord::of),
        Of::Signs(asset) => last_verdict(store, batch, (log, asset), LastWord::of_signs),
        Of::Order(_, order) => {
            let read = |seq: u64, record: &KeptRecord| LastWord::of_order(log.1, seq, record, order);
            Ok(papers(store, batch, log, &read)?.into_iter().max_by_key(|word| word.seq))
        }
    }
}

fn last_verdict(
    store: &mut dyn Store,
    batch: &Batch,
    (log, asset): (Log, AssetId),
    read: fn(LogId, u64, &KeptRecord) -> Option<LastWord>,
) -> Answered<Option<LastWord>> {
    let newest = verdict_to(store, batch, log, asset, LAST)?;
    Ok(newest.and_then(|(seq, record)| read(log.1, seq, &record)))
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
fn say(batch: &mut Batch, standing: &Standing) {
    let mut shown = BTreeMap::new();
    for sight in &mut batch.sights {
        let log = (sight.gateway, sight.log);
        let free = Of::said(sight.asset, &sight.said).filter(|(_, is_free)| *is_free);
        let Some(word) = free.and_then(|(of, _)| standing.get(&(log, of))) else { continue };
        let mut rests = false;
        if let Said::Verdict(said) = &mut sight.said {
            let left = (word.log != sight.log).then_some(word.log);
            (said.violation_since_unix_ms, said.left) = (word.since_unix_ms, left);
            rests = said.state != State::Drawing.word();
        }
        shown.insert((log, sight.seq), if rests { Shown::Latched } else { Shown::Active });
    }
    for condition in &mut batch.conditions {
        if no_sign(condition).is_some_and(|of| standing.contains_key(&of)) {
            condition.shown = Shown::Active;
        }
        let place = ((condition.gateway, condition.log), condition.seq);
        let convicts = matches!(condition.cause, Cause::Violation | Cause::CutViolated);
        if let (true, Shown::Clear, Some(now)) = (convicts, condition.shown, shown.get(&place)) {
            condition.shown = *now;
        }
    }
}

/// Tells the division from which a gateway speaks now of what convicts its equipment in another, as often as it speaks of it.
fn say_elsewhere(batch: &mut Batch, standing: &Standing, logs: &Logs) {
    let lies = |gateway, log| logs.get(&gateway).and_then(|all| all.get(&log)).copied().flatten();
    let mut told = Vec::new();
    for condition in batch.conditions.iter().filter(|condition| condition.cause == Cause::Violation) {
        let Condition { gateway, log, subject: Some(asset), .. } = *condition else { continue };
        if logs.get(&gateway).is_none_or(|all| all.len() < 2) {
            continue;
        }
        let left = standing.get(&((gateway, log), Of::Latch(AssetId(asset))));
        let is_elsewhere = left
            .is_some_and(|word| lies(gateway, log).zip(lies(gateway, word.log)).is_some_and(|(a, b)| a != b));
        let shown = if is_elsewhere { condition.shown } else { Shown::Clear };
        told.push(Condition { cause: Cause::LatchedElsewhere, shown, ..condition.clone() });
    }
    batch.conditions.extend(told);
}
