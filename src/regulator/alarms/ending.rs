//! Ends at the desk what a gateway that never speaks again was convicted of: by a reset that the authority has signed as it would
//! have been sent to that gateway, and that names the log which convicts beside gateway and equipment.
//!
//! The act stands in the step that ends the alarm, in the desk's own signed log, with who handed it in and why: nothing besides
//! is kept of it, and whoever reads records anew asks that log. Whatever arrives after it was signed convicts again.

use std::collections::BTreeMap;

use super::{
    About, Alarm, AlarmId, Board, Cause, Entry, Event, Hand, Step,
    office::{MAX_TRIES, batch_of, sealed, strange},
};
use crate::{
    evidence::{Act, LogId, Meaning, PublicKey, Sealer, Signed, Signer},
    regulator::{
        conviction::{LastWord, Reset},
        store::{Answered, Log, Store, StoreFault},
    },
    terms::{AssetId, Digest, GatewayId, OrderId},
};

/// Steps and papers read at once.
const PAGE: u32 = 256;
/// Beyond every place.
const LAST: u64 = i64::MAX.unsigned_abs();

/// Why a reset ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no signed act.
    NoAct,
    /// The authority did not sign it.
    Foreign,
    /// It is no reset.
    NoReset,
    /// It names no log, or one that convicts the equipment of nothing; this one does, if any.
    Log(Option<LogId>),
    /// It was signed before the last word of that log had arrived: it was of something else.
    Early,
    /// It has expired.
    Late,
    /// No alarm of it stands.
    Nothing,
}

/// A reset that is to end something.
struct Ending {
    gateway: GatewayId,
    asset: AssetId,
    log: Option<LogId>,
    reset: Reset,
    expires_unix_ms: i64,
}

/// What a log convicts of.
#[derive(Default)]
struct Convicted {
    words: Vec<LastWord>,
    orders: Vec<OrderId>,
}

/// Ends what a piece of equipment is convicted of, by a reset in these bytes. Tells the alarms as they stand then.
///
/// # Errors
/// The store failed, or others kept the log busy.
pub fn end(
    store: &mut dyn Store,
    signer: &dyn Signer,
    (bytes, hand): (&[u8], &Hand),
    now_unix_ms: i64,
) -> Answered<Result<Vec<Alarm>, Unfit>> {
    let ending = match read(bytes, &signer.public_key()) {
        Ok(ending) => ending,
        Err(unfit) => return Ok(Err(unfit)),
    };
    if ending.expires_unix_ms < now_unix_ms {
        return Ok(Err(Unfit::Late));
    }
    let convicted = match convicted(store, &ending)? {
        Ok(convicted) => convicted,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let ids = alarms(&ending, &convicted.orders);
    for _ in 0..MAX_TRIES {
        let log_ends = store.newest_step()?.unwrap_or((0, Digest::ZERO));
        let mut standing = Vec::new();
        for id in &ids {
            standing.extend(store.alarm(*id)?.filter(|alarm| alarm.state.life.is_standing()));
        }
        if standing.is_empty() {
            return Ok(Err(Unfit::Nothing));
        }
        let steps: Vec<Step> =
            standing.iter().filter_map(|alarm| ended(alarm, &text, hand, now_unix_ms)).collect();
        let after: Vec<Alarm> =
            standing.iter().zip(&steps).filter_map(|(alarm, step)| alarm.after(step).ok()).collect();
        let board = Board::of(after.iter().filter(|alarm| !alarm.state.is_over()).cloned().collect());
        let (kept, _) = sealed(&steps, log_ends, &mut Sealer::default(), signer)?;
        let mut batch = batch_of(&board, &steps, kept);
        batch.ended = Some((ending.gateway, ending.asset, ids.clone()));
        if store.keep_alarms(&batch)? {
            return Ok(Ok(after));
        }
    }
    Err(StoreFault::Conflict)
}

fn ended(alarm: &Alarm, act: &str, hand: &Hand, at_unix_ms: i64) -> Option<Step> {
    let step = alarm.step(Event::Clear, at_unix_ms).ok()?;
    Some(Step { hand: Some(hand.clone()), act: Some(act.to_owned()), ..step })
}

/// The reset in these bytes, if the authority signed it.
fn read(bytes: &[u8], authority: &PublicKey) -> Result<Ending, Unfit> {
    let signed = Signed::read(bytes).map_err(|_| Unfit::NoAct)?;
    signed.check(authority).map_err(|_| Unfit::Foreign)?;
    let log = signed.members().text("log_id").ok().and_then(LogId::from_hex);
    let act = Act::read(signed).map_err(|_| Unfit::NoAct)?;
    let Meaning::Reset(asset) = act.meaning else { return Err(Unfit::NoReset) };
    let reset = Reset { log: None, seq: 0, asset, issued_unix_ms: act.issued_unix_ms };
    Ok(Ending { gateway: act.gateway, asset, log, reset, expires_unix_ms: act.expires_unix_ms })
}

/// What the log that it names convicts of, and every other log of the gateway: a reset ends all that had arrived.
fn convicted(store: &mut dyn Store, ending: &Ending) -> Answered<Result<Convicted, Unfit>> {
    let (mut all, mut named, mut other) = (Convicted::default(), false, None);
    for kept in store.heads(Some(&[ending.gateway].into()))? {
        let log = (kept.gateway, kept.log);
        let found = of_log(store, log, ending.asset)?;
        if found.words.is_empty() {
            continue;
        }
        named |= ending.log == Some(kept.log);
        other = Some(kept.log);
        all.words.extend(found.words);
        all.orders.extend(found.orders);
    }
    if !named {
        return Ok(Err(Unfit::Log(other)));
    }
    let is_early = all.words.iter().any(|word| !ending.reset.ends(word));
    Ok(if is_early { Err(Unfit::Early) } else { Ok(all) })
}

fn of_log(store: &mut dyn Store, log: Log, asset: AssetId) -> Answered<Convicted> {
    let mut found = Convicted::default();
    if let Some((seq, record)) = store.verdict_to((log, asset), LAST)? {
        let said = [LastWord::of(log.1, seq, &record), LastWord::of_signs(log.1, seq, &record)];
        found.words.extend(said.into_iter().flatten().filter(|word| word.since_unix_ms.is_some()));
    }
    let (mut orders, mut from) = (BTreeMap::new(), Some(0));
    while let Some(first) = from.take() {
        for (seq, record) in store.papers(log, first, PAGE)? {
            from = seq.checked_add(1);
            if record.asset == asset.as_str()
                && let Some((order, word)) = LastWord::of_any_order(log.1, seq, &record)
            {
                orders.insert(order, word);
            }
        }
    }
    for (order, word) in orders.into_iter().filter(|(_, word)| word.since_unix_ms.is_some()) {
        found.words.push(word);
        found.orders.push(order);
    }
    Ok(found)
}

/// The alarms that it may end.
fn alarms(ending: &Ending, orders: &[OrderId]) -> Vec<AlarmId> {
    let of = |cause, subject| About::of_gateway(cause, ending.gateway, Some(subject)).id();
    let causes = [Cause::Violation, Cause::LatchedElsewhere, Cause::Tamper];
    let equipment = causes.into_iter().map(|cause| of(cause, ending.asset.0));
    equipment.chain(orders.iter().map(|order| of(Cause::CutViolated, order.0))).collect()
}

/// The resets that have ended an alarm at the desk, each with when it was handed in, Unix milliseconds.
///
/// # Errors
/// The store cannot be read.
pub fn resets(store: &mut dyn Store, id: AlarmId) -> Answered<Vec<(i64, Reset)>> {
    let (mut found, mut before) = (Vec::new(), Some(u64::MAX));
    while let Some(number) = before.take() {
        for kept in store.steps_of(id, number, PAGE)? {
            before = Some(kept.number);
            let entry = Entry::own(&kept.bytes).map_err(|why| strange(kept.number, &why.to_string()))?;
            found.extend(handed_in(&entry.step).map(|(_, reset)| (entry.step.at_unix_ms, reset)));
        }
    }
    Ok(found)
}

/// All of them, by gateway.
///
/// # Errors
/// The store cannot be read.
pub fn all(store: &mut dyn Store) -> Answered<BTreeMap<GatewayId, Vec<Reset>>> {
    let (mut all, mut from) = (BTreeMap::<GatewayId, Vec<Reset>>::new(), Some(0));
    while let Some(after) = from.take() {
        for kept in store.steps_after(after, PAGE)? {
            from = Some(kept.number);
            // What is no step is told by whoever follows the log.
            let Ok(entry) = Entry::own(&kept.bytes) else { continue };
            if let Some((gateway, reset)) = handed_in(&entry.step) {
                all.entry(gateway).or_default().push(reset);
            }
        }
    }
    Ok(all)
}

fn handed_in(step: &Step) -> Option<(GatewayId, Reset)> {
    let act = Act::read(Signed::read(step.act.as_ref()?.as_bytes()).ok()?).ok()?;
    let Meaning::Reset(asset) = act.meaning else { return None };
    Some((act.gateway, Reset { log: None, seq: 0, asset, issued_unix_ms: act.issued_unix_ms }))
}

/// Whether a step that ends by a reset does so by one that the authority signed, of the gateway and the equipment it is about.
pub fn is_borne_out(step: &Step, authority: &PublicKey) -> bool {
    let Some(act) = &step.act else { return true };
    let Ok(ending) = read(act.as_bytes(), authority) else { return false };
    let is_of_order = step.about.cause == Cause::CutViolated;
    step.event == Event::Clear
        && step.about.gateway == Some(ending.gateway)
        && (is_of_order || step.about.subject == Some(ending.asset.0))
}
