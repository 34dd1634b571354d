//! The ledger of silence: every moment of an interval is observed, bridged or unaccounted, and the three sum.

use super::{memory::Mark, register::redated, window::Windows};
use crate::terms::{AssetId, Digest, MeterId, Stamp, WattHours};

/// Length of an interval, aligned to UTC, in milliseconds.
pub const INTERVAL_MS: i64 = 900_000;

/// How a stretch of time is accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// Between two valid readings at most two polls apart.
    Observed,
    /// Energy registers on both sides tell what passed.
    Bridged,
    /// Nothing tells.
    Unaccounted,
}

/// Milliseconds of an interval, split. Built only by the ledger, so the three always sum to the interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    observed_ms: i64,
    bridged_ms: i64,
    unaccounted_ms: i64,
}

impl Shares {
    /// Reads shares from a record; `None` if one is negative.
    pub fn of_record(observed_ms: i64, bridged_ms: i64, unaccounted_ms: i64) -> Option<Shares> {
        (observed_ms >= 0 && bridged_ms >= 0 && unaccounted_ms >= 0).then_some(Shares {
            observed_ms,
            bridged_ms,
            unaccounted_ms,
        })
    }

    /// Between valid readings at most two polls apart.
    pub const fn observed_ms(&self) -> i64 {
        self.observed_ms
    }

    /// Told by the energy registers on both sides of a gap.
    pub const fn bridged_ms(&self) -> i64 {
        self.bridged_ms
    }

    /// Told by nothing.
    pub const fn unaccounted_ms(&self) -> i64 {
        self.unaccounted_ms
    }

    /// The whole.
    pub const fn total_ms(&self) -> i64 {
        self.observed_ms + self.bridged_ms + self.unaccounted_ms
    }

    fn add(&mut self, span_ms: i64, account: Account) {
        match account {
            Account::Observed => self.observed_ms += span_ms,
            Account::Bridged => self.bridged_ms += span_ms,
            Account::Unaccounted => self.unaccounted_ms += span_ms,
        }
    }
}

/// One closed interval of one feeder. Longer than 900 s where nobody was there to close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Whose meter.
    pub meter: MeterId,
    /// The equipment it serves.
    pub asset: AssetId,
    /// Where it began.
    pub start: Stamp,
    /// Where it ended.
    pub end: Stamp,
    /// How its time is accounted for.
    pub shares: Shares,
    /// Time of earlier intervals, told there as unaccounted, that this interval's registers bridged after all.
    pub late_bridged_ms: i64,
    /// Energy by the registers at its two ends; `None` when they do not tell.
    pub energy: Option<WattHours>,
    /// Most that could have passed unseen: the floor while seen, rated power while unaccounted, two register steps, and what
    /// the register leapt ahead.
    pub bound: WattHours,
    /// Polls that gave a reading.
    pub reads_ok: u32,
    /// Polls that did not.
    pub reads_failed: u32,
    /// The register at or before the start.
    pub before: Option<Mark>,
    /// The register at or before the end.
    pub after: Option<Mark>,
    /// Energy of the windows at the end.
    pub windows: Option<Windows>,
    /// Fingerprint of the meter as it tells of itself.
    pub fingerprint: Option<Digest>,
    /// What was declared of it at commissioning; records of older versions do not say.
    pub commissioning: Option<Digest>,
    /// Fingerprint of the equipment's nameplate as last read; as declared where none was read.
    pub plate: Option<Digest>,
}

/// The interval being filled.
#[derive(Clone, Copy, Debug)]
pub struct Ledger {
    opened: Stamp,
    counted_to: Stamp,
    shares: Shares,
    late_bridged_ms: i64,
    before: Option<Mark>,
    energy: Option<WattHours>,
    leapt: WattHours,
    reads_ok: u32,
    reads_failed: u32,
}

impl Ledger {
    /// Opens at a moment, with the register as it stood then.
    pub fn opening(at: &Stamp, before: Option<Mark>) -> Ledger {
        Ledger {
            opened: *at,
            counted_to: *at,
            shares: Shares::default(),
            late_bridged_ms: 0,
            before,
            energy: before.map(|_| WattHours(0)),
            leapt: WattHours(0),
            reads_ok: 0,
            reads_failed: 0,
        }
    }

    /// A poll failed: time is not accounted for until a reading comes.
    pub fn on_miss(&mut self) {
        self.reads_failed = self.reads_failed.saturating_add(1);
    }

    /// The wall clock was set forward: wall time nobody lived through, and nothing tells of it.
    pub fn on_clock_step(&mut self, by_ms: i64, now: &Stamp) {
        self.counted_to = redated(&self.counted_to, now);
        self.shares.add(by_ms.max(0), Account::Unaccounted);
        if by_ms > 0 {
            self.energy = None;
        }
    }

    /// A reading came. `since` is the reading before it, `energy` what the register tells of the time between.
    pub fn on_reading(
        &mut self,
        since: Option<&Stamp>,
        at: &Stamp,
        account: Account,
        energy: Option<WattHours>,
    ) {
        self.reads_ok = self.reads_ok.saturating_add(1);
        let fresh_ms = at.since_ms(&self.counted_to).max(0);
        self.shares.add(fresh_ms, account);
        if let (Some(since), Account::Observed | Account::Bridged) = (since, account) {
            self.late_bridged_ms += (at.since_ms(since) - fresh_ms).max(0);
        }
        self.energy = match (self.energy, energy) {
            (Some(sum), Some(energy)) => Some(WattHours(sum.0.saturating_add(energy.0))),
            (Some(_) | None, _) => None,
        };
        self.counted_to = *at;
    }

    /// The register began anew where no time explains it: so much may have passed as it stands higher.
    pub fn on_leap(&mut self, before: &Mark, after: &Mark) {
        let risen = after.register.energy.0.saturating_sub(before.register.energy.0).max(0);
        self.leapt.0 = self.leapt.0.saturating_add(risen);
    }

    /// Whether this moment lies in another interval than the one being filled. `grace_ms` leaves the first reading
    /// of the next interval the chance to close it with a register on both sides.
    pub fn is_over(&self, at: &Stamp, grace_ms: i64) -> bool {
        let slot = |unix_ms: i64| unix_ms.div_euclid(INTERVAL_MS);
        let opened = slot(self.opened.wall_unix_ms);
        slot(at.wall_unix_ms) < opened || slot(at.wall_unix_ms.saturating_sub(grace_ms)) > opened
    }

    /// Closes at a moment and opens the next interval there. What was not counted by then is unaccounted.
    pub fn close(&mut self, at: &Stamp, after: Option<Mark>) -> Closed {
        let rest_ms = at.since_ms(&self.counted_to).max(0);
        self.shares.add(rest_ms, Account::Unaccounted);
        let energy = if rest_ms == 0 { self.energy } else { None };
        let closed = Closed {
            start: self.opened,
            shares: self.shares,
            late_bridged_ms: self.late_bridged_ms,
            energy,
            leapt: self.leapt,
            reads_ok: self.reads_ok,
            reads_failed: self.reads_failed,
            before: self.before,
        };
        *self = Ledger::opening(at, after);
        closed
    }
}

/// What the ledger knows of an interval when it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Where it began.
    pub start: Stamp,
    /// How its time is accounted for.
    pub shares: Shares,
    /// See [`Interval::late_bridged_ms`].
    pub late_bridged_ms: i64,
    /// See [`Interval::energy`].
    pub energy: Option<WattHours>,
    /// How much higher the register stood where it began anew.
    pub leapt: WattHours,
    /// See [`Interval::reads_ok`].
    pub reads_ok: u32,
    /// See [`Interval::reads_failed`].
    pub reads_failed: u32,
    /// See [`Interval::before`].
    pub before: Option<Mark>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terms::ClockQuality;

    fn at(ms: i64) -> Stamp {
        Stamp {
            wall_unix_ms: ms,
            uptime_ms: u64::try_from(ms).unwrap(),
            boot: 1,
            clock: ClockQuality::Unset,
            error_ms: 0,
        }
    }

    proptest! {
        /// Whatever comes when, the closed intervals tile the time and their shares sum to it exactly.
        #[test]
        fn the_three_shares_always_sum(steps in prop::collection::vec((1_i64..400_000, 0_u8..4), 1..200)) {
            let mut ledger = Ledger::opening(&at(0), None);
            let mut last: Option<Stamp> = None;
            let (mut now, mut total, mut end) = (0, 0, at(0));
            for (step, what) in steps {
                now += step;
                let moment = at(now);
                match what {
                    0 => ledger.on_miss(),
                    1 => ledger.on_reading(last.as_ref(), &moment, Account::Observed, Some(WattHours(1))),
                    2 => ledger.on_reading(last.as_ref(), &moment, Account::Bridged, Some(WattHours(1))),
                    _ => ledger.on_reading(last.as_ref(), &moment, Account::Unaccounted, None),
                }
                if what > 0 {
                    last = Some(moment);
                }
                if ledger.is_over(&moment, 0) {
                    let closed = ledger.close(&moment, None);
                    prop_assert_eq!(closed.start, end);
                    prop_assert_eq!(closed.shares.total_ms(), moment.since_ms(&closed.start));
                    total += closed.shares.total_ms();
                    end = moment;
                }
            }
            prop_assert_eq!(total, end.wall_unix_ms);
        }
    }

    #[test]
    fn time_told_as_unaccounted_is_told_again_when_a_register_bridges_it() {
        let mut ledger = Ledger::opening(&at(0), None);
        ledger.on_reading(None, &at(1_000), Account::Unaccounted, None);
        let closed = ledger.close(&at(901_000), None);
        assert_eq!(closed.shares, Shares { observed_ms: 0, bridged_ms: 0, unaccounted_ms: 901_000 });
        ledger.on_reading(Some(&at(1_000)), &at(1_000_000), Account::Bridged, Some(WattHours(0)));
        let closed = ledger.close(&at(1_000_000), None);
        assert_eq!(closed.shares, Shares { observed_ms: 0, bridged_ms: 99_000, unaccounted_ms: 0 });
        assert_eq!(closed.late_bridged_ms, 900_000);
    }
}
