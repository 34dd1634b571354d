//! The desk's own log, held against what the authority has said of its end, and against what records say of violations: a
//! chain whose end nobody holds proves nothing about its end.

use std::collections::{BTreeMap, BTreeSet};

use super::{Inspector, PAGE};
use crate::{
    evidence::{Body, Record, heads::Heads},
    judge::Finding,
    regulator::{
        alarms::{
            AlarmId, Cause, Condition, Shown,
            log::{self, Checked},
            signals,
        },
        store::Answered,
    },
};

/// What the newest verdict on each piece of equipment says of its latch.
#[derive(Debug, Default)]
pub(super) struct Latches(BTreeMap<AlarmId, Condition>);

impl Latches {
    /// Reads the next record of a log.
    pub(super) fn on(&mut self, record: &Record, received_unix_ms: i64) {
        if !matches!(record.body, Body::Finding(Finding::Verdict(_))) {
            return;
        }
        let said = signals::signals(record, received_unix_ms).into_iter();
        for condition in said.filter(|condition| condition.cause == Cause::Violation) {
            let newest = self.0.entry(condition.id()).or_insert_with(|| condition.clone());
            if condition.outdates(newest) {
                *newest = condition;
            }
        }
    }
}

impl Inspector<'_> {
    /// Whether the log is whole, leads to the alarms that are kept, and has one for each latch that is closed.
    pub(super) fn alarms(&mut self) -> Answered<()> {
        let Checked { steps, wrong } = log::verify(self.store, self.authority)?;
        self.found.alarm_steps = steps;
        wrong.into_iter().for_each(|what| self.found.accuse(what));
        let Latches(mut closed) = std::mem::take(&mut self.latches);
        closed.retain(|_, said| said.shown != Shown::Clear);
        for alarm in log::all(self.store)?.iter().filter(|alarm| alarm.state.life.is_standing()) {
            closed.remove(&alarm.id);
        }
        self.forgive_what_waits(&mut closed)?;
        for Condition { gateway, log, seq, subject, .. } in closed.into_values() {
            let asset = subject.map_or_else(String::new, |asset| asset.to_string());
            self.found.accuse(format!(
                "{gateway} {log} {seq}: the latch of {asset} is closed, and no alarm of it stands: the desk's log was cut back, or \
                 the store was restored before it was raised"
            ));
        }
        Ok(())
    }

    /// What was kept just now is raised by the next round.
    fn forgive_what_waits(&mut self, closed: &mut BTreeMap<AlarmId, Condition>) -> Answered<()> {
        let mut after = None;
        while !closed.is_empty() {
            let page = self.store.waiting(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some((last.changed_unix_ms, last.about.id()));
            let waits: BTreeSet<AlarmId> = page.iter().map(|waiting| waiting.about.id()).collect();
            closed.retain(|id, _| !waits.contains(id));
        }
        Ok(())
    }

    /// Whether the log still has the step that was its newest when a head of heads was made.
    pub(super) fn desk(&mut self, heads: &Heads) -> Answered<()> {
        let Some((number, hash)) = heads.desk.filter(|(number, _)| *number > 0) else { return Ok(()) };
        let there = self.store.steps_after(number - 1, 1)?;
        if there.first().is_none_or(|step| (step.number, step.hash) != (number, hash)) {
            self.found.accuse(format!(
                "step {number} of the desk's log, the newest of it on {}, is not there: the history was changed",
                heads.day
            ));
        }
        Ok(())
    }
}
