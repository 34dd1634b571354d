//! The desk's own log, held against what the authority has said of its end, and against what records say of violations: a
//! chain whose end nobody holds proves nothing about its end.

use std::collections::{BTreeMap, BTreeSet};

use super::{Inspector, MOST_TOLD, PAGE};
use crate::{
    evidence::{Body, LogId, Record, heads::Heads},
    judge::Finding,
    regulator::{
        alarms::{
            About, AlarmId, Cause,
            log::{self, Checked},
        },
        conviction::{LastWord, Reset, left_standing},
        store::Answered,
    },
    terms::{AssetId, GatewayId},
};

/// The latches that records close: by the last verdict of each log on each piece of equipment, and the resets that logs carry.
#[derive(Debug, Default)]
pub(super) struct Latches {
    /// Of the gateway at hand.
    words: BTreeMap<AssetId, BTreeMap<LogId, LastWord>>,
    resets: Vec<Reset>,
    /// Of all, as they were handed in at the desk.
    desk: BTreeMap<GatewayId, Vec<Reset>>,
    /// Of all, which stand, and by what.
    closed: BTreeMap<AlarmId, (GatewayId, AssetId, LastWord)>,
}

impl Latches {
    /// With the resets that were handed in at the desk.
    pub(super) fn of(desk: BTreeMap<GatewayId, Vec<Reset>>) -> Latches {
        Latches { desk, ..Latches::default() }
    }

    /// The logs of a gateway begin.
    pub(super) fn begin(&mut self, gateway: GatewayId) {
        self.resets = self.desk.remove(&gateway).unwrap_or_default();
    }

    /// Whether the last verdict of a log convicts, and the authority has ended that at the desk.
    pub(super) fn is_ended(&self, asset: AssetId, log: LogId) -> bool {
        let word = self.words.get(&asset).and_then(|words| words.get(&log));
        word.is_some_and(|word| self.ends(asset, word))
    }

    fn ends(&self, asset: AssetId, word: &LastWord) -> bool {
        self.resets.iter().any(|reset| reset.asset == asset && reset.ends(word))
    }

    /// Reads the next record of a log.
    pub(super) fn on(&mut self, record: &Record, received_unix_ms: i64) {
        let (log, seq, hash) = (record.header.log, record.header.seq, record.hash);
        match &record.body {
            Body::Finding(Finding::Verdict(verdict)) => {
                let since_unix_ms = verdict.violation_since_unix_ms;
                let is_undone = false;
                let word = LastWord { log, seq, hash, since_unix_ms, received_unix_ms, is_undone };
                let known = self.words.entry(verdict.asset).or_default().entry(log).or_insert(word);
                if known.seq < seq {
                    *known = word;
                }
            }
            Body::Act(act) => self.resets.extend(Reset::claimed(log, seq, act)),
            Body::Genesis(_)
            | Body::Commissioned(_)
            | Body::Boot(_)
            | Body::Rotation(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Finding(
                Finding::State(_) | Finding::Interval(_) | Finding::Transition(_) | Finding::Event(_),
            ) => {}
        }
    }

    /// What another log than this one had said before this one spoke last, and no reset has ended.
    pub(super) fn left(&self, asset: AssetId, speaks: LogId) -> Option<LastWord> {
        let words = self.words.get(&asset)?;
        let spoke_unix_ms = words.get(&speaks)?.received_unix_ms;
        let before = words.values().filter(|word| word.received_unix_ms < spoke_unix_ms);
        let resets: Vec<Reset> = self.resets.iter().filter(|reset| reset.asset == asset).copied().collect();
        left_standing(before, &resets, speaks)
    }

    /// All logs of a gateway were read.
    pub(super) fn end(&mut self, gateway: GatewayId) {
        for (asset, words) in &self.words {
            let Some(newest) = words.values().max_by_key(|word| (word.received_unix_ms, word.log)) else {
                continue;
            };
            let own = newest.since_unix_ms.filter(|_| !self.ends(*asset, newest)).map(|_| *newest);
            if let Some(word) = own.or_else(|| self.left(*asset, newest.log)) {
                let alarm = About::of_gateway(Cause::Violation, gateway, Some(asset.0));
                self.closed.insert(alarm.id(), (gateway, *asset, word));
            }
        }
        (self.words, self.resets) = Default::default();
    }
}

impl Inspector<'_> {
    /// Whether the log is whole, leads to the alarms that are kept, and has one for each latch that is closed.
    pub(super) fn alarms(&mut self) -> Answered<()> {
        let Checked { steps, wrong } = log::verify(self.store, self.authority)?;
        self.found.alarm_steps = steps;
        wrong.into_iter().for_each(|what| self.found.accuse(what));
        let mut closed = std::mem::take(&mut self.latches.closed);
        for alarm in log::all(self.store)?.iter().filter(|alarm| alarm.state.life.is_standing()) {
            closed.remove(&alarm.id);
        }
        self.forgive_what_waits(&mut closed)?;
        for (gateway, asset, LastWord { log, seq, .. }) in closed.into_values() {
            self.found.accuse(format!(
                "{gateway} {log} {seq}: the latch of {asset} is closed, and no alarm of it stands: the desk's log was cut back, or \
                 the store was restored before it was raised"
            ));
        }
        for id in self.store.groundless_alarms(MOST_TOLD)? {
            self.found.accuse(format!(
                "alarm {id}: what is kept of its condition is not what it shows: nothing would end it, or nothing has raised it"
            ));
        }
        Ok(())
    }

    /// What was kept just now is raised by the next round.
    fn forgive_what_waits(
        &mut self,
        closed: &mut BTreeMap<AlarmId, (GatewayId, AssetId, LastWord)>,
    ) -> Answered<()> {
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
