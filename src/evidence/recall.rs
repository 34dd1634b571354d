//! Records to what the judge remembers: how a witness goes on after any stop.

use std::collections::BTreeMap;

use super::{
    act::{Act, Answer, Meaning},
    body::{Body, Boot},
    commissioning::Commissioning,
    notice::Notice,
    recall_orders::RecalledOrders,
    record::Record,
};
use crate::{
    catalogue::{PlateSource, Roster},
    judge::{
        Dark, Ending, EquipmentMemory, Event, Finding, Interval, Mark, Memory, MeterMemory, MeterTold,
        Permit, PermitUse, PlateRead, StateFinding, Verdict,
    },
    terms::{AssetId, Digest, MeterId, Name, Stamp, WattHours},
};

/// So long after the supply of its machine was said to fail a witness goes dark for that, in milliseconds: no battery of a
/// gateway lasts longer. Later, it came back, and something else was the end.
pub const LAST_GASP_MS: i64 = 3_600_000;

/// Gathers memory from records in the order of the log. The newest of each type and subject suffice.
#[derive(Clone, Debug, Default)]
pub struct Recall {
    meters: BTreeMap<MeterId, MeterMemory>,
    equipment: BTreeMap<AssetId, EquipmentMemory>,
    permits: BTreeMap<Name, Permit>,
    permit_uses: BTreeMap<(AssetId, Name), PermitUse>,
    roster: Option<Roster>,
    orders: RecalledOrders,
    plates: BTreeMap<(AssetId, PlateSource), PlateRead>,
    identities: BTreeMap<MeterId, MeterTold>,
    commissioned: BTreeMap<MeterId, Commissioning>,
    acts: Vec<Act>,
    /// Acts whose answer the log does not tell: the power went between the two.
    unanswered: Vec<Act>,
    ends: Vec<(MeterId, Mark, Mark)>,
    is_stopped: bool,
    gasped: Option<Stamp>,
    last: Option<Stamp>,
    boot: Option<Boot>,
    states: BTreeMap<MeterId, StateFinding>,
    verdicts: BTreeMap<AssetId, Verdict>,
}

impl Recall {
    /// Takes one record.
    pub fn on(&mut self, record: &Record) {
        self.on_said(&record.header.at, &record.body);
    }

    /// Takes what was said at a moment, whether or not a record of it is at hand.
    pub fn on_said(&mut self, at: &Stamp, body: &Body) {
        if self.last.is_none_or(|last| (last.boot, last.uptime_ms) <= (at.boot, at.uptime_ms)) {
            self.last = Some(*at);
        }
        match body {
            Body::Boot(boot) => {
                self.boot = Some(boot.clone());
                (self.is_stopped, self.gasped) = (false, None);
            }
            Body::Notice(Notice::Stopping) => self.is_stopped = true,
            Body::Notice(Notice::LastGasp) => self.gasped = Some(*at),
            Body::Answer(answer) => self.on_answer(answer),
            Body::Finding(Finding::Interval(interval)) => self.on_interval(interval),
            Body::Finding(Finding::State(found)) => self.on_state(found),
            Body::Finding(Finding::Verdict(verdict)) => self.on_verdict(verdict),
            Body::Finding(Finding::Event(Event::Plate(read))) => {
                self.plates.insert((read.asset, read.source), read.clone());
            }
            Body::Finding(Finding::Event(Event::Register(event))) if event.what.begins_a_count() => {
                // The count begins anew there, and nothing may be weighed across it.
                if let Some(memory) = self.meters.get_mut(&event.meter) {
                    (memory.mark, memory.earlier, memory.windows) = (Some(event.after), None, None);
                }
            }
            Body::Finding(Finding::Event(Event::Meter(told))) => {
                self.identities.insert(told.meter, *told);
                if let Some(memory) = self.meters.get_mut(&told.meter).filter(|_| told.before.is_some()) {
                    // Sums begin anew, and another meter's register does not continue this one's.
                    memory.windows = None;
                    memory.mark = memory.mark.filter(|_| !told.is_another());
                    memory.earlier = memory.earlier.filter(|_| !told.is_another());
                }
            }
            Body::Finding(Finding::Event(Event::PermitUsed { asset, used })) => {
                self.permit_uses.insert((*asset, used.permit), *used);
            }
            Body::Commissioned(point) => drop(self.commissioned.insert(point.meter, point.clone())),
            Body::Act(act) => self.on_act(at, act),
            Body::Finding(Finding::Transition(step)) => {
                if let Some(stand) = step.stand {
                    self.orders.on_stand(step.order, step.asset, stand, &step.evidence);
                }
            }
            Body::Finding(Finding::Event(Event::Hold(note))) => {
                self.orders.on_stand(note.order, note.asset, note.stand, &[]);
            }
            Body::Genesis(_)
            | Body::Rotation(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Notice(_)
            | Body::Finding(Finding::Event(_)) => {}
        }
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        let memory = EquipmentMemory {
            asset: verdict.asset,
            violation_since_unix_ms: verdict.violation_since_unix_ms,
            energy_closed: verdict.energy_closed,
            bound_closed: WattHours(
                verdict.grounds.map_or(0, |grounds| grounds.bound.0 - verdict.energy_overdue.0),
            ),
            plate: verdict.plate,
            standing: verdict.standing,
        };
        self.equipment.insert(verdict.asset, memory);
        if let Some(used) = verdict.permit_closed() {
            self.permit_uses.insert((verdict.asset, used.permit), used);
        }
        self.verdicts.insert(verdict.asset, *verdict);
    }

    fn on_interval(&mut self, interval: &Interval) {
        // Time is accounted for up to the interval's end. Its register is the baseline, unless it had none and a
        // state's record knows one.
        let known = self.meters.get(&interval.meter);
        let mark = interval.after.or(known.and_then(|memory| memory.mark));
        // An interval without a reading tells nothing of what was counted before its mark.
        let earlier = match known {
            Some(memory) if memory.mark == mark => memory.earlier,
            Some(_) | None => interval.before,
        };
        let memory = MeterMemory {
            meter: interval.meter,
            mark,
            earlier,
            windows: interval.windows,
            accounted_to: interval.end,
            identity: None,
        };
        self.meters.insert(interval.meter, memory);
    }

    fn on_state(&mut self, found: &StateFinding) {
        self.states.insert(found.meter, found.clone());
        self.orders.on_state(found.meter, found.state);
        let Some(mark) = found.mark else { return };
        let (meter, accounted_to) = (found.meter, mark.at);
        let fresh =
            MeterMemory { meter, mark: None, earlier: None, windows: None, accounted_to, identity: None };
        self.meters.entry(meter).or_insert(fresh).mark.get_or_insert(mark);
    }

    fn on_act(&mut self, at: &Stamp, act: &Act) {
        if let Some(about) = act.about_orders() {
            self.orders.on_act(at, &about);
        }
        match &act.meaning {
            Meaning::Permit(permit) => drop(self.permits.insert(permit.id, *permit)),
            // A verdict that follows says so itself; between the two lies nothing but a power cut.
            Meaning::Reset(asset) => {
                if let Some(memory) = self.equipment.get_mut(asset) {
                    memory.violation_since_unix_ms = None;
                }
            }
            Meaning::Roster(roster) => {
                let before = self.roster.take();
                self.roster = Some(before.map_or_else(|| roster.clone(), |b| b.newer(roster.clone())));
            }
            // The verdict that answered a question is remembered by itself.
            Meaning::Ask(_) | Meaning::RevokeKey(_) | Meaning::CutOff(_) | Meaning::NotExecuted => {}
        }
        self.acts.push(act.clone());
        self.unanswered.push(act.clone());
    }

    /// Whatever was taken before under this name has been answered: letters are answered one after the other.
    fn on_answer(&mut self, answer: &Answer) {
        let is_its = |act: &Act| answer.act.is_some_and(|(id, _)| id == act.id);
        self.unanswered.iter().filter(|act| is_its(act)).for_each(|act| self.orders.on_answered(act.hash));
        self.unanswered.retain(|act| !is_its(act));
    }

    /// Takes an interval of the past, in its order: what days are set beside the supplier's by.
    pub fn on_past(&mut self, interval: &Interval) {
        if let (Some(before), Some(after)) = (interval.before, interval.after) {
            self.ends.push((interval.meter, before, after));
        }
    }

    /// The meters whose past intervals are wanted.
    pub fn wants_past_of(&self) -> Vec<MeterId> {
        let mut meters: Vec<MeterId> = self.orders.meters().collect();
        meters.sort_unstable();
        meters.dedup();
        meters
    }

    /// Acts that took effect and whose answer was never written, in order.
    pub fn unanswered(&self) -> &[Act] {
        &self.unanswered
    }

    /// The time that nobody saw until this boot, if there was a life before it.
    pub fn dark(&self, to: &Stamp) -> Option<Dark> {
        let from = self.last?;
        let gasped = self.gasped.is_some_and(|at| from.boot == at.boot && from.since_ms(&at) <= LAST_GASP_MS);
        let ended = match (gasped, self.is_stopped) {
            (true, _) => Ending::LastGasp,
            (false, true) => Ending::CleanStop,
            (false, false) => Ending::Unknown,
        };
        Some(Dark { from, to: *to, ended })
    }

    /// The kernel's name for the boot the log last ran on.
    pub fn boot_id(&self) -> Option<&str> {
        self.boot.as_ref().map(|boot| boot.boot_id.as_str())
    }

    /// The last moment on record.
    pub fn last(&self) -> Option<&Stamp> {
        self.last.as_ref()
    }

    /// What was last declared of a metering point.
    pub fn commissioned(&self, meter: MeterId) -> Option<Digest> {
        self.commissioned.get(&meter).map(Commissioning::digest)
    }

    /// The acts that were accepted, in order.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// What a new log must say again, so that a witness who goes on with it forgets nothing: acts, the boot, registers,
    /// latches, nameplates.
    pub fn carried(&self) -> Vec<Body> {
        let acts = self.acts.iter().cloned().map(Body::Act);
        let is_answered = |act: &&Act| self.unanswered.iter().all(|open| open.hash != act.hash);
        let answers = self.acts.iter().filter(is_answered).map(|act| Body::Answer(act.accepted()));
        let boot = self.boot.iter().cloned().map(Body::Boot);
        let states = self.states.values().map(|found| {
            let mark = self.meters.get(&found.meter).and_then(|memory| memory.mark).or(found.mark);
            Body::Finding(Finding::State(StateFinding { mark, ..found.clone() }))
        });
        let verdicts = self.verdicts.values().map(|verdict| {
            let memory = self.equipment.get(&verdict.asset);
            let violation_since_unix_ms = memory.and_then(|memory| memory.violation_since_unix_ms);
            Body::Finding(Finding::Verdict(Verdict { violation_since_unix_ms, ..*verdict }))
        });
        let plates =
            self.plates.values().map(|read| Body::Finding(Finding::Event(Event::Plate(read.clone()))));
        let last = |asset: AssetId| self.verdicts.get(&asset).and_then(|verdict| verdict.permit);
        let uses = self
            .permit_uses
            .iter()
            .filter(|((asset, permit), _)| last(*asset).is_none_or(|last| last.permit != *permit));
        let uses = uses.map(|((asset, _), used)| {
            Body::Finding(Finding::Event(Event::PermitUsed { asset: *asset, used: *used }))
        });
        let meters = self.identities.values().map(|told| Body::Finding(Finding::Event(Event::Meter(*told))));
        let points = self.commissioned.values().cloned().map(Body::Commissioned);
        let orders = self.orders.notes().map(|note| Body::Finding(Finding::Event(Event::Hold(note))));
        let acts = acts.chain(answers).chain(orders);
        let said = states.chain(plates).chain(uses).chain(verdicts);
        acts.chain(boot).chain(points).chain(meters).chain(said).collect()
    }

    /// What was drawn under each permit; of each piece of equipment the one used last comes last.
    fn uses(&self) -> Vec<(AssetId, PermitUse)> {
        let mut uses: Vec<_> = self.permit_uses.iter().map(|((asset, _), used)| (*asset, *used)).collect();
        let last = |asset: &AssetId| self.verdicts.get(asset).and_then(|verdict| verdict.permit);
        uses.sort_by_key(|(asset, used)| {
            (*asset, last(asset).is_some_and(|last| last.permit == used.permit))
        });
        uses
    }

    /// What the judge remembers.
    pub fn into_memory(self) -> Memory {
        let standing = |found: &StateFinding| {
            let meter = found.meter;
            found.signs.iter().map(move |standing| (meter, *standing)).collect::<Vec<_>>()
        };
        let permit_uses = self.uses();
        Memory {
            signs: self.states.values().flat_map(standing).collect(),
            identities: self.identities.iter().map(|(meter, told)| (*meter, told.after)).collect(),
            meters: self
                .meters
                .into_values()
                .map(|memory| MeterMemory {
                    identity: self.identities.get(&memory.meter).map(|told| told.after),
                    ..memory
                })
                .collect(),
            equipment: self.equipment.into_values().collect(),
            permits: self.permits.into_values().collect(),
            permit_uses,
            roster: self.roster,
            orders: self.orders.into_memory(),
            ends: self.ends,
            dark: None,
            plates: self.plates.into_iter().map(|((asset, of), read)| (asset, of, read.plate)).collect(),
            last: self.last,
        }
    }
}

#[cfg(test)]
mod tests;
