//! Counts of a meter's life, its uptime and its hours of running, against time that passed: they only go on, and no faster
//! than time does. Only a meter that was without power begins its uptime anew, and from nothing.

use super::{Figure, Figures, clock::SYNCHRONISED_MS, figure::figures};
use crate::{
    judge::{kept::KEPT_EVERY_MS, register::is_span_known},
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// Hours of running may be shown in whole hours, in milliseconds.
pub const RUN_STEP_MS: i64 = 3_600_000;
/// A thousandth of an hour, as hours of running are told, in milliseconds.
const RUN_UNIT_MS: i64 = 3_600;

/// The counts as last read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life {
    uptime: Option<(Stamp, i64)>,
    running: Option<(Stamp, i64)>,
    fails: Option<i64>,
}

impl Life {
    /// Takes a reading; the step of a count that no life of one meter explains. `was_dark`: the meter may have been
    /// without power since the reading before.
    pub fn look(&mut self, reading: &Reading, was_dark: bool) -> Option<Figures> {
        let fails = reading.value(Quantity::PowerFails);
        let has_not_failed = self.fails.zip(fails).is_some_and(|(before, now)| now <= before);
        self.fails = fails.or(self.fails);
        let uptime = reading.value(Quantity::UptimeS);
        let uptime =
            moved(&mut self.uptime, uptime, &reading.at).and_then(|moved| moved.uptime(has_not_failed));
        let running = reading.value(Quantity::RunHours).map(|hours| hours.saturating_mul(RUN_UNIT_MS));
        let running =
            moved(&mut self.running, running, &reading.at).and_then(|moved| moved.running(was_dark));
        uptime.or(running).map(|step_ms| figures([(Figure::Step, step_ms)]))
    }
}

/// A count between two readings, all in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Moved {
    before: i64,
    now: i64,
    passed: i64,
}

/// How a count moved since it was last told; `None` over a time that no clock tells.
fn moved(last: &mut Option<(Stamp, i64)>, now: Option<i64>, at: &Stamp) -> Option<Moved> {
    let now = now?;
    let (since, before) = last.replace((*at, now))?;
    is_span_known(&since, at).then(|| Moved { before, now, passed: at.since_ms(&since).max(0) })
}

impl Moved {
    /// The most that a count gains in the time that passed: its clock errs, and a gateway hands on what it kept.
    fn most(self) -> i64 {
        self.passed.saturating_add(self.passed / 100).saturating_add(SYNCHRONISED_MS)
    }

    fn step(self) -> i64 {
        self.now.saturating_sub(self.before).saturating_sub(self.passed)
    }

    fn uptime(self, has_not_failed: bool) -> Option<i64> {
        let gained = self.now.saturating_sub(self.before);
        // Anew, but not from nothing; or without a failure of the supply that is counted.
        let is_odd = if gained < 0 { self.now > self.most() || has_not_failed } else { gained > self.most() };
        is_odd.then(|| self.step())
    }

    fn running(self, was_dark: bool) -> Option<i64> {
        let gained = self.now.saturating_sub(self.before);
        // Without power it loses what it had not kept.
        let lost = if was_dark { KEPT_EVERY_MS } else { 0 };
        let is_odd = gained < -lost || gained > self.most().saturating_add(RUN_STEP_MS);
        is_odd.then(|| self.step())
    }
}
