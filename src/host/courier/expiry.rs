//! When to say that a certificate is about to end, and that it has.

use std::collections::BTreeMap;

use crate::{
    host::credentials::Part,
    terms::{ClockQuality, Stamp, time::DAY_MS},
};

/// Days before the end at which a person is told once.
const NOTICES_D: [i64; 2] = [30, 14];
/// Days before the end from which a person is told every day, the days after the end included.
const DAILY_FROM_D: i64 = 7;

/// Days left, begun ones counted whole; 0 or less once the end has passed.
pub(super) fn days_left(ends_unix_ms: i64, now_unix_ms: i64) -> i64 {
    let left = ends_unix_ms.saturating_sub(now_unix_ms);
    left.div_euclid(DAY_MS).saturating_add(i64::from(left.rem_euclid(DAY_MS) > 0))
}

/// Which notice so many days left belong to: each is given once. `None` while there is time.
pub(super) fn notice(days_left: i64) -> Option<i64> {
    if days_left <= DAILY_FROM_D {
        return Some(days_left);
    }
    NOTICES_D.into_iter().filter(|notice| days_left <= *notice).min()
}

/// Which notices were given, for which end.
#[derive(Debug, Default)]
pub(super) struct Notices {
    given: BTreeMap<Part, (i64, i64)>,
}

impl Notices {
    /// Days left, when a notice is due that was not given yet. A clock that was never set gives none.
    pub(super) fn due(&mut self, part: Part, ends_unix_ms: i64, now: &Stamp) -> Option<i64> {
        if now.clock == ClockQuality::Unset {
            return None;
        }
        let days = days_left(ends_unix_ms, now.wall_unix_ms);
        let Some(notice) = notice(days) else {
            self.given.remove(&part);
            return None;
        };
        let given = self.given.insert(part, (ends_unix_ms, notice));
        (given != Some((ends_unix_ms, notice))).then_some(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_come_at_30_14_and_7_days_and_then_daily() {
        let given: Vec<i64> = (-2..=40).rev().filter_map(notice).collect();
        let mut each = given.clone();
        each.dedup();
        assert_eq!(each, [30, 14, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2]);
        assert_eq!(given.len(), 33, "none while there are more than 30 days");
    }

    #[test]
    fn a_begun_day_counts_whole() {
        assert_eq!(days_left(30 * DAY_MS, 0), 30);
        assert_eq!(days_left(30 * DAY_MS + 1, 0), 31);
        assert_eq!(days_left(1, 0), 1);
        assert_eq!(days_left(0, 0), 0);
        assert_eq!(days_left(0, DAY_MS), -1);
    }

    #[test]
    fn each_notice_is_given_once_and_anew_for_another_certificate() {
        let at = |days: i64, clock| Stamp {
            wall_unix_ms: days * DAY_MS,
            uptime_ms: 0,
            boot: 1,
            clock,
            error_ms: 0,
        };
        let mut notices = Notices::default();
        let ends = 100 * DAY_MS;
        let mut due = |part, ends, day| notices.due(part, ends, &at(day, ClockQuality::Ntp));
        assert_eq!(due(Part::Certificate, ends, 60), None);
        assert_eq!(due(Part::Certificate, ends, 70), Some(30));
        assert_eq!(due(Part::Certificate, ends, 71), None);
        assert_eq!(due(Part::Authority, ends, 71), Some(29));
        assert_eq!(due(Part::Certificate, ends, 90), Some(10), "14 was slept through");
        assert_eq!(due(Part::Certificate, ends + 1, 90), Some(11), "another certificate");
        assert_eq!(due(Part::Certificate, ends, 99), Some(1));
        assert_eq!(due(Part::Certificate, ends, 101), Some(-1));
        assert_eq!(notices.due(Part::Key, ends, &at(0, ClockQuality::Unset)), None);
        assert_eq!(notices.due(Part::Key, ends, &at(101, ClockQuality::Unset)), None);
    }
}
