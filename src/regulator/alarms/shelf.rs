//! PURE file. How long an alarm may be put aside: seven days from the first time since it was raised and told, however often
//! somebody takes it back and puts it aside again.

use super::{Event, Hush, MAX_SHELF_MS, Step};

/// When an alarm was put aside for the first time since it was raised, as its steps tell it, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstShelf {
    first_unix_ms: Option<i64>,
    is_known: bool,
}

impl FirstShelf {
    /// Reads the step before those that were read; false where no earlier one matters.
    pub fn on(&mut self, step: &Step) -> bool {
        // What was raised on the shelf has rung for nobody who put it there.
        self.is_known |= (step.is_anew() || step.comes_up()) && step.from.hush != Hush::Shelved;
        if step.event == Event::Shelve && !self.is_known {
            self.first_unix_ms = Some(step.at_unix_ms);
        }
        !self.is_known
    }

    /// Whether the alarm may be put aside now until then, Unix milliseconds. A first time that lies ahead was told by a clock
    /// that was ahead: nobody knows how long ago it was.
    pub fn allows(&self, until_unix_ms: i64, now_unix_ms: i64) -> bool {
        self.first_unix_ms
            .is_none_or(|first| first <= now_unix_ms && until_unix_ms <= first.saturating_add(MAX_SHELF_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::{Alarm, Cause, alarm::tests::about};

    /// Whether an alarm to which this has happened, an hour between each, may be put aside until then, in hours.
    fn allows(events: &[Event], until: i64) -> bool {
        const HOUR_MS: i64 = 3_600_000;
        let mut alarm = Alarm::unheard(about(Cause::Tamper, "gw-1", "130421"));
        let (mut steps, mut now) = (Vec::new(), 0);
        for event in events {
            let step = alarm.step(*event, now).unwrap();
            alarm = alarm.after(&step).unwrap();
            steps.push(step);
            now += HOUR_MS;
        }
        let mut first = FirstShelf::default();
        let _all = steps.iter().rev().all(|step| first.on(step));
        first.allows(until * HOUR_MS, now)
    }

    #[test]
    fn whoever_takes_it_back_and_puts_it_aside_again_gains_nothing() {
        const WEEK: i64 = 7 * 24;
        use Event::{Acknowledge, Clear, Escalate, Raise, Shelve, Unshelve};
        assert!(allows(&[Raise], i64::from(i32::MAX)), "that is for others to say");
        for tricks in [
            &[Raise, Shelve][..],
            &[Raise, Shelve, Shelve, Shelve],
            &[Raise, Shelve, Unshelve, Shelve, Unshelve],
            &[Raise, Shelve, Escalate, Acknowledge, Unshelve],
            &[Raise, Shelve, Clear, Raise, Shelve],
        ] {
            assert!(allows(tricks, 1 + WEEK), "{tricks:?}");
            assert!(!allows(tricks, 2 + WEEK), "{tricks:?}");
        }
        // Taken back, gone, and raised anew, it has rung.
        assert!(allows(&[Raise, Shelve, Unshelve, Clear, Raise], 2 * WEEK));
        assert!(!allows(&[Raise, Shelve, Unshelve, Clear, Raise, Shelve], 6 + WEEK));
    }

    #[test]
    fn a_first_time_that_lies_ahead_allows_no_second() {
        let first = FirstShelf { first_unix_ms: Some(1_000), is_known: true };
        assert!(!first.allows(1_001, 999) && first.allows(1_001, 1_000));
    }
}
