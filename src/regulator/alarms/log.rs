//! The desk's own log, looked through from its beginning: every signature, every step, and whether the alarms
//! that are kept are what it says.

use std::collections::BTreeMap;

use super::{Alarm, AlarmId, Entry, KeptStep, ending};
use crate::{
    evidence::PublicKey,
    regulator::store::{AlarmsAsked, Answered, Store},
    terms::{Digest, place::Division},
};

/// Steps, and alarms, read at once.
pub const PAGE: u32 = 1_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Steps whose signatures hold and that follow one another.
    pub steps: u64,
    /// What does not hold, each with its place.
    pub wrong: Vec<String>,
}

/// Follows the log step by step.
#[derive(Debug)]
pub struct Following<'k> {
    authority: &'k PublicKey,
    number: u64,
    before: Digest,
    alarms: BTreeMap<AlarmId, Alarm>,
    found: Checked,
}

impl<'k> Following<'k> {
    /// From the beginning, believing this key.
    pub fn new(authority: &'k PublicKey) -> Following<'k> {
        let (alarms, found) = (BTreeMap::new(), Checked::default());
        Following { authority, number: 0, before: Digest::ZERO, alarms, found }
    }

    /// The next step as it is kept.
    pub fn on(&mut self, kept: &KeptStep) {
        self.number += 1;
        let number = self.number;
        let mut wrong =
            |what: String| self.found.wrong.push(format!("step {number} of the desk's log: {what}"));
        let (entry, hash) = match Entry::open(&kept.bytes, self.authority) {
            Ok(opened) => opened,
            Err(why) => {
                wrong(why.to_string());
                self.before = kept.hash;
                return;
            }
        };
        let id = entry.step.about.id();
        let is_as_kept = (kept.number, kept.alarm, kept.at_unix_ms, kept.hash)
            == (entry.number, id, entry.step.at_unix_ms, hash);
        if !is_as_kept {
            wrong("it is kept under another number, alarm, time or hash than its own".to_owned());
        } else if !ending::is_borne_out(&entry.step, self.authority) {
            wrong(
                "the reset that it says to have ended by is not the authority's, or of something else"
                    .to_owned(),
            );
        } else if (entry.number, entry.before) != (number, self.before) {
            wrong(format!("it is number {} and does not follow the one before it", entry.number));
        } else {
            let before = self.alarms.remove(&id).unwrap_or_else(|| Alarm::unheard(entry.step.about));
            match before.after(&entry.step) {
                Ok(after) => {
                    self.found.steps += 1;
                    if !after.state.is_over() {
                        self.alarms.insert(id, after);
                    }
                }
                Err(_unfit) => {
                    wrong(format!("{} cannot happen to alarm {id} there", entry.step.event.word()));
                    self.alarms.insert(id, before);
                }
            }
        }
        self.before = hash;
    }

    /// Compares what the log says with the alarms that are kept.
    pub fn finish(mut self, kept: impl Iterator<Item = Alarm>) -> Checked {
        for alarm in kept {
            if self.alarms.remove(&alarm.id).as_ref() != Some(&alarm) {
                self.found
                    .wrong
                    .push(format!("alarm {}: is kept otherwise than the desk's log says", alarm.id));
            }
        }
        for id in self.alarms.keys() {
            self.found.wrong.push(format!("alarm {id}: the desk's log tells of it, and it is not kept"));
        }
        self.found
    }
}

/// Verifies the log that a store keeps.
///
/// # Errors
/// The store cannot be read.
pub fn verify(store: &mut dyn Store, authority: &PublicKey) -> Answered<Checked> {
    let mut following = Following::new(authority);
    let mut from = Some(0);
    while let Some(after) = from.take() {
        for step in store.steps_after(after, PAGE)? {
            from = Some(step.number);
            following.on(&step);
        }
    }
    Ok(following.finish(all(store)?.into_iter()))
}

/// Every alarm that is not over.
///
/// # Errors
/// The store cannot be read.
pub fn all(store: &mut dyn Store) -> Answered<Vec<Alarm>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let asked = AlarmsAsked { after, ..AlarmsAsked::all(Division::NATION, PAGE) };
        let page = store.alarms(&asked)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some((last.raised_unix_ms, last.id));
        all.extend(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{Ed25519, Sealer, Signer as _},
        regulator::alarms::{Cause, Event, Hand, Step, alarm::tests::about},
    };

    fn log(key: &Ed25519) -> (Vec<KeptStep>, Alarm) {
        let (mut sealer, mut before, mut steps) = (Sealer::default(), Digest::ZERO, Vec::new());
        let mut alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        for (number, event) in (1..).zip([Event::Raise, Event::Escalate, Event::Acknowledge]) {
            let step = Step { hand: Hand::new("wang", "seen"), ..alarm.step(event, 1_000).unwrap() };
            alarm = alarm.after(&step).unwrap();
            let kept = Entry { number, before, step }.seal(&mut sealer, key).unwrap();
            before = kept.hash;
            steps.push(kept);
        }
        (steps, alarm)
    }

    fn checked(steps: &[KeptStep], alarm: &Alarm, key: &Ed25519) -> Checked {
        let authority = key.public_key();
        let mut following = Following::new(&authority);
        steps.iter().for_each(|step| following.on(step));
        following.finish(std::iter::once(alarm.clone()))
    }

    #[test]
    fn a_log_that_was_cut_changed_or_signed_by_another_is_named() {
        let key = Ed25519::from_seed(&[9; 32]);
        let (steps, alarm) = log(&key);
        assert_eq!(checked(&steps, &alarm, &key), Checked { steps: 3, wrong: Vec::new() });
        let cut = checked(&steps[..2], &alarm, &key);
        assert_eq!(cut.wrong.len(), 1, "{cut:?}");
        let without = [steps[0].clone(), steps[2].clone()];
        assert!(!checked(&without, &alarm, &key).wrong.is_empty());
        let swapped = [steps[1].clone(), steps[0].clone(), steps[2].clone()];
        assert!(!checked(&swapped, &alarm, &key).wrong.is_empty());
        let mut dated = steps.clone();
        dated[1].at_unix_ms += 1;
        assert!(!checked(&dated, &alarm, &key).wrong.is_empty());
        let other = Ed25519::from_seed(&[8; 32]);
        assert_eq!(checked(&steps, &alarm, &other).steps, 0);
        // Whoever wrote another state into the table shows by the log.
        let acknowledged = Alarm { hand: None, ..alarm };
        assert_eq!(checked(&steps, &acknowledged, &key).wrong.len(), 1);
    }
}
