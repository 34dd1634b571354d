//! PURE file. How much is asked of whoever looks at alarms: by ISA-18.2 about one alarm in ten minutes is bearable, more
//! than ten in ten minutes is a flood, and of all of them about 80, 15 and 5 in a hundred are low, medium and high.

use std::collections::BTreeMap;

use super::{AlarmId, Event, Kind, Priority, Step};

/// The window of a flood, in milliseconds.
pub const WINDOW_MS: i64 = 600_000;
/// Alarms in a window above which it is a flood.
pub const FLOOD_ABOVE: u64 = 10;

/// How it was in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kpi {
    /// Alarms raised and told, by priority.
    pub by_priority: BTreeMap<Priority, u64>,
    /// By kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// When each was raised, Unix milliseconds, and how many at that time.
    times: BTreeMap<i64, u64>,
    /// When each alarm was raised last, Unix milliseconds.
    last: BTreeMap<AlarmId, i64>,
    /// Alarms that went to a level above.
    pub escalated: u64,
    /// Alarms that a person acknowledged.
    pub acknowledged: u64,
    /// Alarms that a person put aside.
    pub shelved: u64,
}

impl Kpi {
    /// Counts a step.
    pub fn on(&mut self, step: &Step) {
        match step.event {
            // What came up and was over before it was heard of rings, too.
            Event::Raise | Event::Settle if step.to.rings() && (step.is_anew() || step.comes_up()) => {
                let cause = step.about.cause;
                *self.by_priority.entry(cause.priority()).or_default() += 1;
                *self.by_kind.entry(cause.kind()).or_default() += 1;
                *self.times.entry(step.at_unix_ms).or_default() += 1;
                self.last.insert(step.about.id(), step.at_unix_ms);
            }
            // What is told by another from its beginning asked nothing of anybody.
            Event::Inhibit if self.last.get(&step.about.id()) == Some(&step.at_unix_ms) => {
                self.take_back(step);
            }
            Event::Escalate => self.escalated += 1,
            Event::Acknowledge => self.acknowledged += 1,
            Event::Shelve => self.shelved += 1,
            Event::Raise
            | Event::Settle
            | Event::Clear
            | Event::Unshelve
            | Event::Inhibit
            | Event::Release
            | Event::Retire
            | Event::Restore => {}
        }
    }

    fn take_back(&mut self, step: &Step) {
        let cause = step.about.cause;
        let counts = [
            self.by_priority.get_mut(&cause.priority()),
            self.by_kind.get_mut(&cause.kind()),
            self.times.get_mut(&step.at_unix_ms),
        ];
        counts.into_iter().flatten().for_each(|count| *count = count.saturating_sub(1));
        self.last.remove(&step.about.id());
    }

    /// Of each time at which something was raised, how much was within the ten minutes up to it.
    fn loads(&self) -> impl Iterator<Item = u64> {
        self.times.keys().map(|at| {
            let begins = at.saturating_sub(WINDOW_MS).saturating_add(1);
            self.times.range(begins..=*at).map(|(_, count)| count).sum()
        })
    }

    /// Alarms raised.
    pub fn raised(&self) -> u64 {
        self.by_priority.values().sum()
    }

    /// The most in ten minutes.
    pub fn most_in_a_window(&self) -> u64 {
        self.loads().max().unwrap_or(0)
    }

    /// How often it became more than is bearable.
    pub fn floods(&self) -> usize {
        let mut was_flood = false;
        self.loads()
            .filter(|load| {
                let is_flood = *load > FLOOD_ABOVE;
                let begins = is_flood && !was_flood;
                was_flood = is_flood;
                begins
            })
            .count()
    }

    /// The part of a priority, in thousandths; none where nothing was raised.
    pub fn part_per_mille(&self, priority: Priority) -> Option<u64> {
        let of = self.by_priority.get(&priority).copied().unwrap_or(0);
        of.saturating_mul(1_000).checked_div(self.raised())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::{Alarm, Cause, alarm::tests::about};

    #[test]
    fn a_flood_is_more_than_ten_in_ten_minutes() {
        let mut kpi = Kpi::default();
        assert_eq!(kpi.part_per_mille(Priority::High), None);
        for n in 0..11 {
            let alarm = Alarm::unheard(about(Cause::Violation, &format!("gw-{n}"), "130421"));
            kpi.on(&alarm.step(Event::Raise, WINDOW_MS + n).unwrap());
        }
        let alarm = Alarm::unheard(about(Cause::Silent, "gw-1", "130421"));
        kpi.on(&alarm.step(Event::Raise, 5 * WINDOW_MS).unwrap());
        assert_eq!((kpi.raised(), kpi.most_in_a_window(), kpi.floods()), (12, 11, 1));
        assert_eq!(kpi.part_per_mille(Priority::High), Some(916));
        assert_eq!(kpi.part_per_mille(Priority::Low), Some(0));
    }

    /// Ten before the full ten minutes of a clock, and ten after.
    #[test]
    fn a_flood_across_the_edge_of_a_clocks_ten_minutes_is_a_flood() {
        let mut kpi = Kpi::default();
        for n in 0..20 {
            let alarm = Alarm::unheard(about(Cause::Silent, &format!("gw-{n}"), "130421"));
            kpi.on(&alarm.step(Event::Raise, WINDOW_MS - 10_000 + n * 1_000).unwrap());
        }
        assert_eq!((kpi.most_in_a_window(), kpi.floods()), (20, 1));
        // Ten minutes later it is another window.
        let alarm = Alarm::unheard(about(Cause::Silent, "gw-99", "130421"));
        kpi.on(&alarm.step(Event::Raise, 2 * WINDOW_MS + 9_000).unwrap());
        assert_eq!((kpi.most_in_a_window(), kpi.floods()), (20, 1));
    }

    #[test]
    fn a_conviction_that_rests_when_it_arrives_was_raised_and_its_latch_alone_is_no_second() {
        let mut kpi = Kpi::default();
        let alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let late = alarm.step(Event::Settle, 7).unwrap();
        kpi.on(&late);
        let rests = alarm.after(&late).unwrap();
        kpi.on(&rests.step(Event::Raise, 8).unwrap());
        assert_eq!((kpi.raised(), kpi.part_per_mille(Priority::High)), (1, Some(1_000)));
    }

    #[test]
    fn what_another_alarm_tells_from_its_beginning_is_not_counted() {
        let mut kpi = Kpi::default();
        let alarm = Alarm::unheard(about(Cause::EliminatedDraws, "gw-1", "130421"));
        let raised = alarm.step(Event::Raise, 7).unwrap();
        kpi.on(&raised);
        kpi.on(&alarm.after(&raised).unwrap().step(Event::Inhibit, 7).unwrap());
        assert_eq!((kpi.raised(), kpi.most_in_a_window()), (0, 0));
        assert_eq!(kpi.part_per_mille(Priority::High), None);
    }
}
