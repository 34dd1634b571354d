//! What the gateway asks of its meters, and what a bad wire makes of the answers.

use coldhearth::metering::{Ask, Fault, Next, Reply};

use super::{Event, FULL_RETRY_MS, World};
use crate::script::Trouble;

impl World {
    pub(super) fn on_poll(&mut self, life: u32) {
        let stamp = self.stamp();
        let now_ms = self.now_ms;
        let Some(gateway) = self.awake(life) else { return self.waits(life, Event::Poll(life)) };
        match gateway.next(&stamp) {
            Next::WaitUntil(due_ms) => {
                let due_ms = due_ms.saturating_sub(stamp.uptime_ms).max(1);
                self.at(now_ms + due_ms, Event::Poll(life));
            }
            Next::Ask(ask) => self.ask(life, ask),
        }
    }

    /// While the disk is full nobody polls and no time passes for the judge.
    pub(super) fn waits(&mut self, life: u32, event: Event) {
        if life == self.life && self.gateway.is_some() {
            self.at(self.now_ms + FULL_RETRY_MS, event);
        }
    }

    pub(super) fn ask(&mut self, life: u32, ask: Ask) {
        let unit = usize::from(ask.unit) - 1;
        let takes_ms = self.chance.between(15, 60);
        let truth = self.works.answer(ask.unit, ask.question);
        let trouble = self.troubles[unit].filter(|(_, _, until_ms)| self.now_ms < *until_ms);
        let struck = trouble.filter(|(_, one_in, _)| self.chance.one_in(*one_in)).map(|(what, ..)| what);
        let deadline_ms = u64::from(ask.deadline_ms);
        let (takes_ms, answer) = match struck {
            None => (takes_ms, truth),
            Some(Trouble::Silent) => (deadline_ms, Err(Fault::Timeout)),
            Some(Trouble::Late(ms)) if ms + takes_ms >= deadline_ms => (deadline_ms, Err(Fault::Timeout)),
            Some(Trouble::Late(ms)) => (takes_ms + ms, truth),
            Some(Trouble::Refused(fault)) => (takes_ms, Err(fault)),
            Some(lie @ (Trouble::Foreign | Trouble::Torn | Trouble::Stale)) => {
                (takes_ms, self.lie(&ask, lie, truth))
            }
        };
        if answer.is_err() && ask.question.block().is_some() {
            self.check.on_loss(ask.unit);
        }
        self.at(self.now_ms + takes_ms, Event::Answer(life, ask, answer));
    }

    /// Something else comes than the meter said, now and then: never twice in a row, for what lies always is a meter.
    pub(super) fn lie(
        &mut self,
        ask: &Ask,
        lie: Trouble,
        truth: Result<Vec<u16>, Fault>,
    ) -> Result<Vec<u16>, Fault> {
        let (Some(block), Ok(mut words)) = (ask.question.block(), truth.clone()) else { return truth };
        if !self.check.may_lie(ask.unit) {
            return truth;
        }
        let before = self.answers.get(&(ask.unit, block.at, block.count)).cloned();
        match (lie, before) {
            (Trouble::Torn, Some(before)) => {
                let half = words.len() / 2;
                words[half..].copy_from_slice(&before[half..]);
            }
            // What is older than a register may be is no odd answer but a meter that stands still.
            (Trouble::Stale, Some(before)) => words = before,
            _foreign => {
                let place = usize::try_from(self.chance.below(words.len() as u64)).unwrap();
                words[place] = u16::try_from(self.chance.below(0x1_0000)).unwrap();
            }
        }
        self.check.on_wrong(ask.unit);
        Ok(words)
    }

    pub(super) fn on_answer(
        &mut self,
        life: u32,
        ask: Ask,
        answer: &Result<Vec<u16>, Fault>,
    ) -> Result<(), String> {
        let stamp = self.stamp();
        let now_ms = self.now_ms;
        if self.awake(life).is_none() {
            self.waits(life, Event::Answer(life, ask, Err(Fault::Timeout)));
            return Ok(());
        }
        if let (Some(block), Ok(words)) = (ask.question.block(), answer) {
            self.answers.insert((ask.unit, block.at, block.count), words.clone());
        }
        let Some(gateway) = &mut self.gateway else { return Ok(()) };
        if answer.as_ref().is_err_and(|fault| fault.ends_link()) {
            gateway.schedule.on_link_lost();
        }
        let reply = answer.as_ref().map(|words| Reply::Words(words)).map_err(|fault| *fault);
        let told = gateway.schedule.on_answer(&stamp, reply);
        told.iter().for_each(|sample| self.check.on_reading(sample));
        let step = gateway.hear(&stamp, &told);
        self.after(step)?;
        if life == self.life {
            if self.awake(life).is_some() {
                for sample in &told {
                    self.check.on_sample(sample, now_ms)?;
                }
            }
            self.at(now_ms, Event::Poll(life));
        }
        self.blocked(life);
        Ok(())
    }
}
