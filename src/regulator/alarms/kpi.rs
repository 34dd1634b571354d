//! PURE file. How much is asked of whoever looks at alarms: by ISA-18.2 about one alarm in ten minutes is bearable, more
//! than ten in ten minutes is a flood, and of all of them about 80, 15 and 5 in a hundred are low, medium and high.

use std::collections::BTreeMap;

use super::{Event, Kind, Priority, Step};

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
    /// Windows of ten minutes in which anything was raised, and how many it was.
    windows: BTreeMap<i64, u64>,
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
            Event::Raise if step.to.rings() => {
                let cause = step.about.cause;
                *self.by_priority.entry(cause.priority()).or_default() += 1;
                *self.by_kind.entry(cause.kind()).or_default() += 1;
                *self.windows.entry(step.at_unix_ms.div_euclid(WINDOW_MS)).or_default() += 1;
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

    /// Alarms raised.
    pub fn raised(&self) -> u64 {
        self.by_priority.values().sum()
    }

    /// The most in ten minutes.
    pub fn most_in_a_window(&self) -> u64 {
        self.windows.values().copied().max().unwrap_or(0)
    }

    /// Windows of ten minutes that were a flood.
    pub fn floods(&self) -> usize {
        self.windows.values().filter(|count| **count > FLOOD_ABOVE).count()
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
}
