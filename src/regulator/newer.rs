//! PURE file. Which of two records that tell of the same thing is newer: one rule for what screens show, for alarms, and for
//! whatever holds either against the records.
//!
//! Of one log the later place. Of two logs of a gateway whichever was heard last: both are dated by a clock that is the
//! gateway's, which may have been ahead for a month before its journal was begun anew, or set back with it. Only of what
//! arrived at one moment the graver comes first, and then what was written later.

use std::collections::BTreeMap;

use crate::evidence::LogId;

/// Where and when something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saying {
    /// In which log.
    pub log: LogId,
    /// At which place.
    pub seq: u64,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// Whether it says that something is the matter: that it draws, that an order is violated, that an alarm's condition stands.
    pub is_grave: bool,
    /// When its gateway says it was written, Unix milliseconds.
    pub wall_unix_ms: i64,
}

impl Saying {
    /// Whether it is newer than another that tells of the same.
    pub fn outdates(&self, other: &Saying) -> bool {
        if self.log == other.log { self.seq > other.seq } else { self.rank() > other.rank() }
    }

    fn rank(&self) -> (i64, bool, i64, LogId) {
        let moment_unix_ms = self.wall_unix_ms.min(self.received_unix_ms);
        (self.received_unix_ms, self.is_grave, moment_unix_ms, self.log)
    }
}

/// What is shown of something, and how far the logs are known that are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// The newest, where anything was said.
    pub shown: Option<Saying>,
    /// The newest place of each other log that told of it: what comes of it late is no news.
    pub left: BTreeMap<LogId, u64>,
}

impl Newest {
    /// Hears what a log says; tells whether that is shown from now on.
    pub fn hear(&mut self, said: Saying) -> bool {
        let is_news = |seq: u64| seq < said.seq;
        let is_new = match &self.shown {
            None => true,
            Some(shown) if shown.log == said.log => is_news(shown.seq),
            Some(shown) => {
                if !self.left.get(&said.log).is_none_or(|seq| is_news(*seq)) {
                    return false;
                }
                let is_new = said.outdates(shown);
                let past = if is_new { *shown } else { said };
                self.left.insert(past.log, past.seq);
                is_new
            }
        };
        if is_new {
            self.shown = Some(said);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(log: u64, seq: u64, received_unix_ms: i64, wall_unix_ms: i64) -> Saying {
        Saying { log: LogId(log), seq, received_unix_ms, is_grave: false, wall_unix_ms }
    }

    #[test]
    fn no_clock_of_a_gateway_decides_which_of_its_logs_is_newer() {
        let ahead = saying(1, 9, 100, 2_678_400_100);
        for wall in [100, 110, 5, -86_400_000] {
            assert!(saying(2, 1, 110, wall).outdates(&ahead), "{wall}");
            assert!(!ahead.outdates(&saying(2, 1, 110, wall)), "{wall}");
        }
        assert!(saying(1, 10, 90, 0).outdates(&ahead), "of one log the place counts");
    }

    #[test]
    fn of_what_arrives_at_one_moment_the_graver_is_shown_and_then_what_was_written_later() {
        let rests = saying(2, 5, 100, 90);
        let draws = Saying { is_grave: true, ..saying(1, 9, 100, 50) };
        assert!(draws.outdates(&rests) && !rests.outdates(&draws));
        assert!(rests.outdates(&saying(1, 9, 100, 50)));
        // A clock that is ahead is later than the arrival in no case.
        assert!(saying(2, 5, 100, 100).outdates(&saying(1, 9, 100, 900)));
    }

    #[test]
    fn in_whatever_order_records_are_read_the_newest_of_the_log_that_was_heard_last_is_shown() {
        let all = [
            saying(1, 4, 100, 9_000),
            saying(1, 5, 110, 9_001),
            saying(2, 1, 120, 20),
            saying(2, 2, 130, 21),
        ];
        let orders: [[usize; 4]; 4] = [[0, 1, 2, 3], [2, 3, 0, 1], [3, 1, 2, 0], [1, 0, 3, 2]];
        for order in orders {
            let mut newest = Newest::default();
            order.into_iter().filter_map(|at| all.get(at)).for_each(|said| {
                let _shown = newest.hear(*said);
            });
            assert_eq!(newest.shown, all.get(3).copied(), "{order:?}");
        }
    }

    #[test]
    fn what_comes_late_of_a_log_is_not_its_newest() {
        let mut newest = Newest::default();
        assert!(newest.hear(saying(1, 5, 100, 100)) && newest.hear(saying(2, 1, 110, 110)));
        assert!(!newest.hear(saying(1, 4, 120, 95)), "#5 is known");
        assert!(newest.hear(saying(1, 6, 130, 90)), "and goes on");
        assert!(!newest.hear(saying(2, 1, 140, 0)));
    }
}
