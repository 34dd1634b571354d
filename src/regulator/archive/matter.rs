//! PURE file. What the records and findings of a copy say is the matter, as the store that it was made of had it: nothing of that
//! stands in the copy. Without it no alarm that the copy brings would ever end.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    evidence::{LogId, Record},
    regulator::{
        alarms::{Alarm, AlarmId, Cause, Condition, Shown, signals},
        store::KeptFinding,
    },
    terms::GatewayId,
};

/// What is said of each alarm, the newest of each log.
#[derive(Debug, Default)]
pub(super) struct Matter {
    said: BTreeMap<AlarmId, BTreeMap<LogId, Condition>>,
    /// Gateways that have taken an act of a foreign hand.
    misled: BTreeSet<GatewayId>,
}

impl Matter {
    /// Hears that a gateway has taken an act of a foreign hand: what its judge says it is free of it may not be.
    pub(super) fn mislead(&mut self, gateway: GatewayId) {
        self.misled.insert(gateway);
    }

    /// Hears a record that arrived at this time, Unix milliseconds.
    pub(super) fn record(&mut self, record: &Record, received_unix_ms: i64) {
        for condition in signals::signals(record, received_unix_ms) {
            if condition.cause == Cause::Violation {
                // No record tells of it: the next verdict does, of an alarm that stands.
                let elsewhere = Cause::LatchedElsewhere;
                self.hear(Condition { cause: elsewhere, shown: Shown::Clear, ..condition.clone() });
            }
            self.hear(condition);
        }
    }

    /// Hears a finding.
    pub(super) fn finding(&mut self, finding: &KeptFinding) {
        if let Some(condition) = signals::of_finding(finding, finding.found_unix_ms) {
            self.hear(condition);
        }
    }

    /// What happened and is over has been told.
    fn hear(&mut self, condition: Condition) {
        if condition.cause.is_moment() {
            return;
        }
        let newest = self.said.entry(condition.id()).or_default();
        let newest = newest.entry(condition.log).or_insert_with(|| condition.clone());
        if condition.outdates(newest) {
            *newest = condition;
        }
    }

    /// What is to be kept of it, one after the other: first what stands, or did for an alarm that stands, then what does not.
    pub(super) fn told(self, standing: &BTreeMap<AlarmId, Alarm>) -> [Vec<Condition>; 2] {
        let (mut stood, mut over) = (Vec::new(), Vec::new());
        for (id, logs) in self.said {
            // In the order in which they were heard.
            let mut logs: Vec<Condition> = logs.into_values().collect();
            logs.sort_by_key(|condition| condition.received_unix_ms);
            let stands = standing.get(&id).is_some_and(|alarm| alarm.state.life.is_standing());
            // What another log says lifts no conviction that stands.
            let convicts = |said: &&Condition| {
                let is_conviction = matches!(said.cause, Cause::Violation | Cause::CutViolated);
                stands && is_conviction && said.shown != Shown::Clear
            };
            if let Some(left) = logs.iter().rev().find(convicts) {
                stood.push(left.clone());
                continue;
            }
            let newest =
                logs.into_iter().reduce(|newest, next| if next.outdates(&newest) { next } else { newest });
            let Some(newest) = newest else { continue };
            if newest.cause == Cause::LatchedElsewhere {
                let draws = standing.get(&id).is_some_and(|alarm| alarm.state.life.is_active());
                let shown = if draws { Shown::Active } else { Shown::Latched };
                stood.extend(stands.then_some(Condition { shown, ..newest }));
                continue;
            }
            let is_over = newest.shown == Shown::Clear;
            let is_misled = self.misled.contains(&newest.gateway);
            if is_over && stands && is_misled && matches!(newest.cause, Cause::Violation | Cause::CutViolated)
            {
                // Whether the authority has ended it since, the next verdict tells.
                stood.push(Condition { shown: Shown::Latched, ..newest });
                continue;
            }
            if is_over && stands {
                let before = Condition { shown: Shown::Active, seq: newest.seq.saturating_sub(1), ..newest };
                stood.push(before);
                over.push(newest);
            } else if !is_over {
                stood.push(newest);
            }
        }
        [stood, over]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        regulator::alarms::{Event, alarm::tests::about},
        terms::{Digest, GatewayId, Name},
    };

    fn condition(log: u64, seq: u64, shown: Shown, received_unix_ms: i64) -> Condition {
        Condition {
            cause: Cause::NoEvidence,
            gateway: GatewayId::new("gw-1").unwrap(),
            log: LogId(log),
            seq,
            subject: Name::new("eaf-2"),
            shown,
            at_unix_ms: received_unix_ms,
            received_unix_ms,
            hash: Digest::ZERO,
        }
    }

    fn told(said: &[Condition], alarm: bool) -> [Vec<(Shown, u64)>; 2] {
        let mut matter = Matter::default();
        said.iter().for_each(|condition| matter.hear(condition.clone()));
        let raised = Alarm::unheard(about(Cause::NoEvidence, "gw-1", "130421"));
        let raised = raised.after(&raised.step(Event::Raise, 1).unwrap()).unwrap();
        let standing = alarm.then_some((raised.id, raised)).into_iter().collect();
        matter.told(&standing).map(|all| all.into_iter().map(|one| (one.shown, one.seq)).collect())
    }

    #[test]
    fn what_was_the_matter_is_again_and_what_is_over_ends_its_alarm() {
        let (on, off) = (condition(1, 5, Shown::Active, 50), condition(1, 9, Shown::Clear, 90));
        assert_eq!(told(std::slice::from_ref(&on), false), [vec![(Shown::Active, 5)], vec![]]);
        assert_eq!(told(&[off.clone(), on.clone()], false), [vec![], vec![]]);
        assert_eq!(told(&[on.clone(), off], true), [vec![(Shown::Active, 8)], vec![(Shown::Clear, 9)]]);
        // What was heard later has the later word, in whatever order the copy names the logs and whatever their clocks said.
        let later = condition(0, 3, Shown::Clear, 95);
        assert_eq!(told(&[later.clone(), on.clone()], false), [vec![], vec![]]);
        let ahead = Condition { at_unix_ms: 9_000, ..on };
        assert_eq!(told(&[ahead, later], false), [vec![], vec![]]);
    }
}
