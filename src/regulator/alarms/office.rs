//! Keeps the board: hears what records said, looks who is silent, signs each step, keeps it, and has receivers told.
//!
//! Several collectors may do so over one store. The log decides: whoever sees that it has grown meanwhile reads again and
//! goes on from there, and only who has taken down that a receiver is told tells him.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Alarm, AlarmId, Board, Deed, Entry, Hand, Hush, KeptStep, Kind, Numbers, Own, Receiver, Refused, Regime,
    Step, log, outage::Heard, shelf::FirstShelf, telling::Telling, untold,
};
use crate::{
    evidence::{Sealer, Signer},
    host::exit::{Exit, Failure},
    regulator::{
        collector::Outgoing,
        store::{Admitted, AlarmBatch, Answered, Kept, Store, StoreFault},
    },
    terms::{Digest, GatewayId, Name, place::Division},
};

/// Time between two looks at what records said, in milliseconds.
pub const ROUND_MS: i64 = 5_000;
/// Time between two looks at who is silent, in milliseconds.
pub const LOOK_MS: i64 = 60_000;
/// Conditions and steps read at once.
const PAGE: u32 = 1_000;
/// How often a person's deed is tried again because the log has grown meanwhile.
pub(super) const MAX_TRIES: u32 = 16;

/// The end of the log: number and hash of the newest step.
type End = (u64, Digest);

/// Keeps the board.
#[derive(Debug, Default)]
pub struct Office {
    /// Our name among several collectors.
    collector: Option<Name>,
    board: Board,
    telling: Telling,
    /// Steps that were kept since the start.
    steps: u64,
    /// The end of the log as it was seen; none where it is to be read again.
    end: Option<End>,
    rounds_unix_ms: Option<i64>,
    looked_unix_ms: Option<i64>,
    /// When it was last looked what gateways have ceased to tell of, Unix milliseconds.
    untold_unix_ms: Option<i64>,
}

impl Office {
    /// An office that tells these receivers.
    ///
    /// # Errors
    /// There is no thread for those who are told by a program or by HTTP.
    pub fn of(receivers: Vec<Receiver>, collector: Option<Name>) -> Result<Office, Failure> {
        Ok(Office { telling: Telling::of(receivers)?, collector, ..Office::default() })
    }

    /// The same, by what an authority has decided of outages and of levels.
    #[must_use]
    pub fn under(mut self, regime: Regime) -> Office {
        self.board = Board::under(regime);
        self
    }

    /// The board as it stands.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// How many alarms stand, and how many notifications have left.
    pub fn numbers(&self) -> Numbers {
        let count = |counts: &dyn Fn(&Alarm) -> bool| {
            Kind::ALL.map(|kind| {
                let of = |alarm: &&Alarm| alarm.about.cause.kind() == kind && counts(alarm);
                self.board.alarms().filter(of).count() as u64
            })
        };
        Numbers {
            standing: count(&|alarm| alarm.state.life.is_standing()),
            unacknowledged: count(&Alarm::rings_above),
            put_aside: count(&|alarm| matches!(alarm.state.hush, Hush::Shelved | Hush::OutOfService)),
            steps: self.steps,
            told: self.telling.told,
            untaken: self.telling.untaken,
            refused: self.telling.refused() as u64,
            waiting: self.telling.waiting() as u64,
        }
    }

    /// The broker has taken what was published on these topics.
    pub fn published(&mut self, topics: &[String]) {
        self.telling.published(topics);
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
        Ok(self.telling.ready())
    }

    fn work(
        &mut self,
        store: &mut dyn Store,
        (sealer, signer): (&mut Sealer, &dyn Signer),
        hears: bool,
        now_unix_ms: i64,
    ) -> Answered<()> {
        self.telling.take_down(store)?;
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
            let (fleet, unheard) = if hears { fleet(store)? } else { Default::default() };
            self.board.look(&fleet, Own { collector: self.collector, hears }, now_unix_ms);
            self.board.look_for_unheard(&unheard, now_unix_ms);
            if hears && is_due(self.untold_unix_ms, untold::LOOK_MS, now_unix_ms) {
                self.untold_unix_ms = Some(now_unix_ms);
                self.board.look_for_untold(&untold::all(store, &fleet, now_unix_ms)?, now_unix_ms);
            }
        }
        let outcome = self.board.tick(now_unix_ms);
        let before = end.0;
        let (steps, end) = sealed(&outcome.steps, end, sealer, signer)?;
        let mut batch = batch_of(&self.board, &outcome.steps, steps);
        (batch.after, batch.settled) = (before, outcome.settled);
        if !batch.is_empty() && !store.keep_alarms(&batch)? {
            return Err(StoreFault::Conflict);
        }
        self.end = Some(end);
        self.steps += batch.steps.len() as u64;
        for (kept, step) in batch.steps.iter().zip(&outcome.steps) {
            self.telling.on(kept.number, step);
        }
        if !self.telling.tell(store, (&self.board, hears), end.0, now_unix_ms)? {
            return Err(StoreFault::Conflict);
        }
        Ok(())
    }

    /// Reads the board, and what was not told yet, as the store has them.
    fn read(&mut self, store: &mut dyn Store, end: End) -> Answered<End> {
        self.board.reread(log::all(store)?);
        if !self.telling.read(store, end.0)? {
            return Err(StoreFault::Conflict);
        }
        self.end = Some(end);
        Ok(end)
    }
}

/// Whether a time has passed since; a clock that was set back waits for nothing.
fn is_due(last_unix_ms: Option<i64>, every_ms: i64, now_unix_ms: i64) -> bool {
    last_unix_ms.is_none_or(|last| !(0..every_ms).contains(&now_unix_ms.saturating_sub(last)))
}

/// Gateways that were never heard, where each is said to stand, and since when it is admitted, Unix milliseconds.
type Unheard = Vec<(GatewayId, Division, i64)>;

/// When each gateway that is admitted was last heard, in the newest of its logs; and those that never were.
fn fleet(store: &mut dyn Store) -> Answered<(Vec<Heard>, Unheard)> {
    let mut admitted: BTreeMap<GatewayId, (Division, i64)> = BTreeMap::new();
    for Admitted { gateway, admitted_unix_ms, revoked_unix_ms, division, .. } in store.admitted()? {
        if revoked_unix_ms.is_none() {
            let (said, since) = admitted.entry(gateway).or_insert((Division::NATION, admitted_unix_ms));
            *said = division.unwrap_or(*said);
            *since = admitted_unix_ms.min(*since);
        }
    }
    let mut newest: BTreeMap<GatewayId, Heard> = BTreeMap::new();
    for Kept { gateway, division, enterprise, received_unix_ms, .. } in store.heads(None)? {
        let heard = Heard { gateway, division, enterprise, heard_unix_ms: received_unix_ms };
        let known = newest.entry(gateway).or_insert(heard);
        if known.heard_unix_ms < received_unix_ms {
            *known = heard;
        }
    }
    let unheard = admitted.iter().filter(|(gateway, _)| !newest.contains_key(*gateway));
    let unheard = unheard.map(|(gateway, (division, since))| (*gateway, *division, *since)).collect();
    let heard = newest.into_values().filter(|heard| admitted.contains_key(&heard.gateway)).collect();
    Ok((heard, unheard))
}

/// The steps, signed, after the end of the log; and the end that they make.
pub(super) fn sealed(
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

pub(super) fn strange(number: u64, why: &str) -> StoreFault {
    StoreFault::Failed(Failure::new(Exit::Bug, format!("step {number} of the desk's log: {why}")))
}

/// What is to be kept with steps: the alarms they are of, as the board has them now.
pub(super) fn batch_of(board: &Board, steps: &[Step], kept: Vec<KeptStep>) -> AlarmBatch {
    let after = kept.first().map_or(0, |first| first.number - 1);
    let ids: BTreeSet<AlarmId> = steps.iter().map(|step| step.about.id()).collect();
    let alarms: Vec<Alarm> = ids.iter().filter_map(|id| board.alarm(*id).cloned()).collect();
    let over = ids.into_iter().filter(|id| board.alarm(*id).is_none()).collect();
    AlarmBatch { after, steps: kept, alarms, over, ..AlarmBatch::default() }
}

/// Does what a person wants done with these alarms, each of them or not: tells why not. What is done is kept and signed. Who has
/// seen an alarm as its last step at a time made it, Unix milliseconds, acknowledges nothing that has happened since.
///
/// # Errors
/// The store failed, or others kept the log busy.
pub fn act(
    store: &mut dyn Store,
    signer: &dyn Signer,
    ids: &[(AlarmId, Option<i64>)],
    (deed, hand): (Deed, &Hand),
    now_unix_ms: i64,
) -> Answered<BTreeMap<AlarmId, Result<Alarm, Refused>>> {
    for _ in 0..MAX_TRIES {
        let end = store.newest_step()?.unwrap_or((0, Digest::ZERO));
        let mut alarms = Vec::new();
        for (id, _) in ids {
            alarms.extend(store.alarm(*id)?);
        }
        let mut board = Board::of(alarms);
        let (mut steps, mut done) = (Vec::new(), BTreeMap::new());
        for (id, seen) in ids {
            let before = board.alarm(*id).cloned();
            let allowed = match &before {
                Some(alarm) if seen.is_some_and(|seen| seen != alarm.changed_unix_ms) => {
                    Err(Refused::Changed)
                }
                Some(_) => allowed(store, *id, deed, now_unix_ms)?,
                None => Err(Refused::Unknown),
            };
            let told = allowed.and_then(|()| board.act(*id, deed, hand.clone(), now_unix_ms));
            let told = told.and_then(|outcome| {
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

/// Whether the first shelf of an alarm since it was raised lets it be put aside until then.
fn allowed(
    store: &mut dyn Store,
    id: AlarmId,
    deed: Deed,
    now_unix_ms: i64,
) -> Answered<Result<(), Refused>> {
    let Deed::Shelve(until_unix_ms) = deed else { return Ok(Ok(())) };
    let (mut first, mut before) = (FirstShelf::default(), Some(u64::MAX));
    while let Some(number) = before.take() {
        for kept in store.steps_of(id, number, PAGE)? {
            let entry = Entry::own(&kept.bytes).map_err(|why| strange(kept.number, &why.to_string()))?;
            before = first.on(&entry.step).then_some(kept.number);
            if before.is_none() {
                break;
            }
        }
    }
    Ok(if first.allows(until_unix_ms, now_unix_ms) { Ok(()) } else { Err(Refused::Again) })
}

#[cfg(test)]
mod tests;
