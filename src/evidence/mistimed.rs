//! Records whose claimed times the receipts deny by more than a clock errs that may prove something. A clock that says
//! itself that it was not set dates nothing, and one that is set right later in the same boot, as the log says, by what it
//! was wrong, was only late to know.

use std::collections::BTreeMap;

use super::record::LogId;
use crate::{
    judge::edge::RTC_ERROR_MS,
    terms::{ClockQuality, GatewayId, Stamp},
};

/// Stretches of one log that are remembered at most; beyond that the last takes in what follows.
const MAX_STRETCHES: usize = 1_000;

/// Places of logs whose times are not believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistimed(BTreeMap<(GatewayId, LogId), Vec<Stretch>>);

/// Places of one boot, and by how much its clock must be set forward to be right, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    from: u64,
    to: u64,
    boot: u32,
    least_ms: i64,
    most_ms: i64,
}

impl Mistimed {
    /// Takes a record's place and time, and when it was written by the receipts: not before one, and not after the other.
    pub(super) fn on(
        &mut self,
        of: (GatewayId, LogId),
        (seq, at): (u64, &Stamp),
        (after, before): (Option<i64>, Option<i64>),
    ) {
        let wall = at.wall_unix_ms;
        let early_ms = after.map_or(0, |after| after.saturating_sub(wall));
        let late_ms = before.map_or(0, |before| wall.saturating_sub(before));
        if at.clock == ClockQuality::Unset || early_ms.max(late_ms) <= RTC_ERROR_MS {
            return;
        }
        let least_ms =
            after.map_or(i64::MIN, |after| after.saturating_sub(wall).saturating_sub(RTC_ERROR_MS));
        let most_ms =
            before.map_or(i64::MAX, |before| before.saturating_sub(wall).saturating_add(RTC_ERROR_MS));
        let next = Stretch { from: seq, to: seq, boot: at.boot, least_ms, most_ms };
        add(self.0.entry(of).or_default(), next);
    }

    /// Takes a step of a log's clock in a boot, positive where it was set forward.
    pub(super) fn on_step(&mut self, of: (GatewayId, LogId), boot: u32, by_ms: i64) {
        let Some(stretches) = self.0.get_mut(&of) else { return };
        stretches.retain(|known| known.boot != boot || !(known.least_ms..=known.most_ms).contains(&by_ms));
        for known in stretches.iter_mut().filter(|known| known.boot == boot) {
            // What is wrong yet may be set right by the next.
            known.least_ms = known.least_ms.saturating_sub(by_ms);
            known.most_ms = known.most_ms.saturating_sub(by_ms);
        }
    }

    /// The first place in a range of a log whose time is not believed.
    pub fn first_in(&self, of: (GatewayId, LogId), (from, to): (u64, u64)) -> Option<u64> {
        let is_in = |known: &&Stretch| known.from <= to && known.to >= from;
        self.0.get(&of)?.iter().find(is_in).map(|known| known.from.max(from))
    }
}

/// Places come nearly in their order.
fn add(stretches: &mut Vec<Stretch>, next: Stretch) {
    let is_full = stretches.len() >= MAX_STRETCHES;
    let Some(last) = stretches.last_mut() else { return stretches.push(next) };
    let (least_ms, most_ms) = (last.least_ms.max(next.least_ms), last.most_ms.min(next.most_ms));
    let is_near = (last.from..=last.to.saturating_add(1)).contains(&next.from);
    if is_near && last.boot == next.boot && least_ms <= most_ms {
        *last = Stretch { to: last.to.max(next.to), least_ms, most_ms, ..*last };
    } else if is_full {
        // Set right by no step.
        let (from, to) = (last.from.min(next.from), last.to.max(next.to));
        *last = Stretch { from, to, boot: next.boot, least_ms: i64::MAX, most_ms: i64::MIN };
    } else {
        stretches.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn log() -> (GatewayId, LogId) {
        (GatewayId::new("gw-03").unwrap(), LogId(1))
    }

    /// Records of ten minutes, their clock wrong by so much, each written in the second before its receipt.
    fn wrong_by(ms: i64, clock: ClockQuality) -> Mistimed {
        let mut mistimed = Mistimed::default();
        for seq in 1..=10_u64 {
            let truly = seq.cast_signed() * 60_000;
            let at = Stamp { wall_unix_ms: truly + ms, uptime_ms: seq * 60_000, boot: 2, clock, error_ms: 0 };
            mistimed.on(log(), (seq, &at), (Some(truly - 60_000), Some(truly + 1_000)));
        }
        mistimed
    }

    #[test]
    fn a_clock_that_errs_by_hours_is_told_with_its_place_and_one_that_is_not_set_dates_nothing() {
        for ms in [5 * HOUR_MS, -5 * HOUR_MS] {
            let mistimed = wrong_by(ms, ClockQuality::Rtc);
            assert_eq!(mistimed.first_in(log(), (0, 99)), Some(1), "{ms}");
            assert_eq!(mistimed.first_in(log(), (4, 5)), Some(4), "{ms}");
            assert_eq!(mistimed.first_in(log(), (11, 99)), None, "{ms}");
            assert_eq!(wrong_by(ms, ClockQuality::Unset), Mistimed::default(), "{ms}");
        }
        for ms in [0, 800_000, -800_000] {
            assert_eq!(wrong_by(ms, ClockQuality::Rtc), Mistimed::default(), "{ms}");
        }
    }

    #[test]
    fn a_clock_that_is_set_right_was_only_late_and_a_step_that_is_another_excuses_nothing() {
        let after = |steps: &[(u32, i64)]| {
            let mut mistimed = wrong_by(-5 * HOUR_MS, ClockQuality::Rtc);
            steps.iter().for_each(|(boot, by_ms)| mistimed.on_step(log(), *boot, *by_ms));
            mistimed.first_in(log(), (0, 99))
        };
        assert_eq!(after(&[(2, 5 * HOUR_MS)]), None);
        assert_eq!(after(&[(2, 2 * HOUR_MS), (2, 3 * HOUR_MS)]), None, "in two steps");
        assert_eq!(after(&[(2, 2 * HOUR_MS)]), Some(1));
        assert_eq!(after(&[(2, -5 * HOUR_MS)]), Some(1));
        assert_eq!(after(&[(3, 5 * HOUR_MS)]), Some(1), "of another boot");
    }
}
