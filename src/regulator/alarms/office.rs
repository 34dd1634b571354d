//! Keeps the board: hears what records said, looks who is silent, signs each step, keeps it, and has receivers told.
//!
//! Several collectors may do so over one store. The log decides: whoever sees that it has grown meanwhile reads again and
//! goes on from there, and only who has taken down that a receiver is told tells him.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Alarm, AlarmId, Board, Deed, Entry, Hand, KeptStep, Kind, Notification, Own, Receiver, Refused, Step,
    Way, log, notice::ALARMS_TOPIC, outage::Heard, outs::Outs, pager::Pager,
};
use crate::{
    evidence::{Sealer, Signer},
    host::exit::{Exit, Failure},
    regulator::{
        collector::Outgoing,
        store::{AlarmBatch, Answered, Kept, Store, StoreFault},
    },
    terms::{Digest, GatewayId, Name},
};

/// Time between two looks at what records said, in milliseconds.
pub const ROUND_MS: i64 = 5_000;
/// Time between two looks at who is silent, in milliseconds.
pub const LOOK_MS: i64 = 60_000;
/// Conditions and steps read at once.
const PAGE: u32 = 1_000;
/// How often a person's deed is tried again because the log has grown meanwhile.
const MAX_TRIES: u32 = 16;

/// The end of the log: number and hash of the newest step.
type End = (u64, Digest);

/// Keeps the board.
#[derive(Debug, Default)]
pub struct Office {
    receivers: Vec<Receiver>,
    outs: Option<Outs>,
    /// Our name among several collectors.
    collector: Option<Name>,
    board: Board,
    pagers: Vec<(Receiver, Pager)>,
    /// What is to be published of what receivers were told.
    ready: Vec<Outgoing>,
    /// The end of the log as it was seen; none where it is to be read again.
    end: Option<End>,
    rounds_unix_ms: Option<i64>,
    looked_unix_ms: Option<i64>,
}

impl Office {
    /// An office that tells these receivers.
    ///
    /// # Errors
    /// There is no thread for those who are told by a program or by HTTP.
    pub fn of(receivers: Vec<Receiver>, collector: Option<Name>) -> Result<Office, Failure> {
        let needs_outs = receivers.iter().any(|receiver| receiver.way != Way::Mqtt);
        let outs = if needs_outs { Some(Outs::start()?) } else { None };
        Ok(Office { receivers, outs, collector, ..Office::default() })
    }

    /// The board as it stands.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// One round. Tells what is to be published, retained.
    ///
    /// # Errors
    /// The store failed; what was not kept is done by the next round.
    pub fn round(
        &mut self,
        store: &mut dyn Store,
        (sealer, signer): (&mut Sealer, &dyn Signer),
        hears: bool,
        now_unix_ms: i64,
    ) -> Answered<Vec<Outgoing>> {
        if !is_due(self.rounds_unix_ms, ROUND_MS, now_unix_ms) {
            return Ok(Vec::new());
        }
        self.rounds_unix_ms = Some(now_unix_ms);
        let done = self.work(store, (sealer, signer), hears, now_unix_ms);
        match done {
            Ok(()) => {}
            // Another collector has gone on with the log: the next round reads what it did.
            Err(StoreFault::Conflict) => self.end = None,
            Err(fault @ (StoreFault::Away(_) | StoreFault::Full(_) | StoreFault::Failed(_))) => {
                self.end = None;
                return Err(fault);
            }
        }
        Ok(std::mem::take(&mut self.ready))
    }

    fn work(
        &mut self,
        store: &mut dyn Store,
        (sealer, signer): (&mut Sealer, &dyn Signer),
        hears: bool,
        now_unix_ms: i64,
    ) -> Answered<()> {
        // A person's deed, or another collector's step, is read before anything is made of it.
        let newest = store.newest_step()?.unwrap_or((0, Digest::ZERO));
        let end = match self.end {
            Some(end) if end == newest => end,
            Some(_) | None => self.read(store, newest)?,
        };
        let mut after = None;
        loop {
            let page = store.waiting(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some((last.changed_unix_ms, last.about.id()));
            page.iter().for_each(|waiting| self.board.hear(waiting));
        }
        if is_due(self.looked_unix_ms, LOOK_MS, now_unix_ms) {
            self.looked_unix_ms = Some(now_unix_ms);
            let fleet = if hears { fleet(store)? } else { Vec::new() };
            self.board.look(&fleet, Own { collector: self.collector, hears }, now_unix_ms);
        }
        let outcome = self.board.tick(now_unix_ms);
        let before = end.0;
        let (steps, end) = sealed(&outcome.steps, end, sealer, signer)?;
        let mut batch = batch_of(&self.board, &outcome.steps, steps);
        (batch.after, batch.settled) = (before, outcome.settled);
        if !self.keep(store, &batch)? {
            return Ok(());
        }
        self.end = Some(end);
        for (kept, step) in batch.steps.iter().zip(&outcome.steps) {
            self.pagers.iter_mut().for_each(|(receiver, pager)| pager.on(kept.number, step, receiver));
        }
        self.tell(store, end.0, now_unix_ms)
    }

    /// Keeps a batch; false where the log has grown, which is then read again.
    fn keep(&mut self, store: &mut dyn Store, batch: &AlarmBatch) -> Answered<bool> {
        let is_kept = batch.is_empty() || store.keep_alarms(batch)?;
        if !is_kept {
            self.end = None;
        }
        Ok(is_kept)
    }

    /// Reads the board, and what was not told yet, as the store has them.
    fn read(&mut self, store: &mut dyn Store, end: End) -> Answered<End> {
        self.board.reread(log::all(store)?);
        let kept: BTreeMap<(Name, Kind), Pager> =
            store.pagers()?.into_iter().map(|kept| ((kept.receiver, kept.kind), Pager::of(kept))).collect();
        let pairs = self
            .receivers
            .iter()
            .flat_map(|receiver| receiver.kinds.iter().map(move |kind| (receiver, *kind)));
        self.pagers = pairs
            .map(|(receiver, kind)| {
                let pager = kept.get(&(receiver.name, kind)).cloned();
                (receiver.clone(), pager.unwrap_or_else(|| Pager::beginning(receiver.name, kind, end.0)))
            })
            .collect();
        let new: Vec<_> = self
            .pagers
            .iter()
            .map(|(_, pager)| pager.kept())
            .filter(|pager| !kept.contains_key(&(pager.receiver, pager.kind)))
            .map(|pager| (None, pager))
            .collect();
        let begins = AlarmBatch { after: end.0, pagers: new, ..AlarmBatch::default() };
        if !self.keep(store, &begins)? {
            return Err(StoreFault::Conflict);
        }
        let mut from = self.pagers.iter().map(|(_, pager)| pager.read()).min();
        while let Some(after) = from.take() {
            for kept in store.steps_after(after, PAGE)? {
                from = Some(kept.number);
                let entry = Entry::own(&kept.bytes).map_err(|why| strange(kept.number, &why.to_string()))?;
                self.pagers
                    .iter_mut()
                    .for_each(|(receiver, pager)| pager.on(kept.number, &entry.step, receiver));
            }
        }
        self.end = Some(end);
        Ok(end)
    }

    /// Has told who is due to be, each once it is taken down that he is.
    fn tell(&mut self, store: &mut dyn Store, newest: u64, now_unix_ms: i64) -> Answered<()> {
        for at in 0..self.pagers.len() {
            let Some((receiver, pager)) = self.pagers.get(at) else { break };
            let kind = pager.kept().kind;
            let standing = self.board.standing(kind, receiver.division);
            let has_room = receiver.way == Way::Mqtt || self.outs.as_ref().is_some_and(Outs::has_room);
            let Some(notification) = pager.due(standing, now_unix_ms).filter(|_| has_room) else { continue };
            let (receiver, mut told) = (receiver.clone(), pager.clone());
            told.told(&notification);
            let pagers = vec![(Some(pager.kept()), told.kept())];
            let batch = AlarmBatch { after: newest, pagers, ..AlarmBatch::default() };
            if !self.keep(store, &batch)? {
                return Ok(());
            }
            if let Some((_, pager)) = self.pagers.get_mut(at) {
                *pager = told;
            }
            self.hand_over(&receiver, &notification);
        }
        Ok(())
    }

    fn hand_over(&mut self, receiver: &Receiver, notification: &Notification) {
        match &receiver.way {
            Way::Mqtt => {
                let (topic, bytes) =
                    (format!("{ALARMS_TOPIC}/{}", receiver.name), notification.to_json().to_string());
                self.ready.push(Outgoing { topic, bytes: bytes.into_bytes() });
            }
            Way::Command(_) | Way::Webhook(_) => {
                let is_taken =
                    self.outs.as_ref().is_some_and(|outs| outs.hand_over(&receiver.way, notification));
                if !is_taken {
                    tracing::error!(receiver = %receiver.name, "a notification was lost: too many wait to leave");
                }
            }
        }
    }
}

/// Whether a time has passed since; a clock that was set back waits for nothing.
fn is_due(last_unix_ms: Option<i64>, every_ms: i64, now_unix_ms: i64) -> bool {
    last_unix_ms.is_none_or(|last| !(0..every_ms).contains(&now_unix_ms.saturating_sub(last)))
}

/// When each gateway that is admitted was last heard, in the newest of its logs.
fn fleet(store: &mut dyn Store) -> Answered<Vec<Heard>> {
    let admitted: BTreeSet<GatewayId> = store
        .admitted()?
        .into_iter()
        .filter(|admitted| admitted.revoked_unix_ms.is_none())
        .map(|admitted| admitted.gateway)
        .collect();
    let mut newest: BTreeMap<GatewayId, Heard> = BTreeMap::new();
    for Kept { gateway, division, enterprise, received_unix_ms, .. } in store.heads(None)? {
        let heard = Heard { gateway, division, enterprise, heard_unix_ms: received_unix_ms };
        let known = newest.entry(gateway).or_insert(heard);
        if known.heard_unix_ms < received_unix_ms {
            *known = heard;
        }
    }
    Ok(newest.into_values().filter(|heard| admitted.contains(&heard.gateway)).collect())
}

/// The steps, signed, after the end of the log; and the end that they make.
fn sealed(
    steps: &[Step],
    (mut number, mut before): End,
    sealer: &mut Sealer,
    signer: &dyn Signer,
) -> Answered<(Vec<KeptStep>, End)> {
    let mut all = Vec::with_capacity(steps.len());
    for step in steps {
        number += 1;
        let kept = Entry { number, before, step: step.clone() }
            .seal(sealer, signer)
            .map_err(|why| strange(number, &format!("cannot be written: {why:?}")))?;
        before = kept.hash;
        all.push(kept);
    }
    Ok((all, (number, before)))
}

fn strange(number: u64, why: &str) -> StoreFault {
    StoreFault::Failed(Failure::new(Exit::Bug, format!("step {number} of the desk's log: {why}")))
}

/// What is to be kept with steps: the alarms they are of, as the board has them now.
fn batch_of(board: &Board, steps: &[Step], kept: Vec<KeptStep>) -> AlarmBatch {
    let after = kept.first().map_or(0, |first| first.number - 1);
    let ids: BTreeSet<AlarmId> = steps.iter().map(|step| step.about.id()).collect();
    let alarms: Vec<Alarm> = ids.iter().filter_map(|id| board.alarm(*id).cloned()).collect();
    let over = ids.into_iter().filter(|id| board.alarm(*id).is_none()).collect();
    AlarmBatch { after, steps: kept, alarms, over, ..AlarmBatch::default() }
}

/// Does what a person wants done with these alarms, each of them or not: tells why not. What is done is kept and signed.
///
/// # Errors
/// The store failed, or others kept the log busy.
pub fn act(
    store: &mut dyn Store,
    signer: &dyn Signer,
    ids: &[AlarmId],
    (deed, hand): (Deed, &Hand),
    now_unix_ms: i64,
) -> Answered<BTreeMap<AlarmId, Result<Alarm, Refused>>> {
    for _ in 0..MAX_TRIES {
        let end = store.newest_step()?.unwrap_or((0, Digest::ZERO));
        let mut alarms = Vec::new();
        for id in ids {
            alarms.extend(store.alarm(*id)?);
        }
        let mut board = Board::of(alarms);
        let (mut steps, mut done) = (Vec::new(), BTreeMap::new());
        for id in ids {
            let before = board.alarm(*id).cloned();
            let told = board.act(*id, deed, hand.clone(), now_unix_ms).and_then(|outcome| {
                let step = outcome.steps.first().ok_or(Refused::Unknown)?;
                let after = before.ok_or(Refused::Unknown)?.after(step).map_err(|_| Refused::Unknown)?;
                steps.extend(outcome.steps);
                Ok(after)
            });
            done.insert(*id, told);
        }
        let (kept, _) = sealed(&steps, end, &mut Sealer::default(), signer)?;
        let batch = batch_of(&board, &steps, kept);
        if batch.is_empty() || store.keep_alarms(&batch)? {
            return Ok(done);
        }
    }
    Err(StoreFault::Conflict)
}

#[cfg(test)]
mod tests;
