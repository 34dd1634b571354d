//! PURE file. How long a level has before an alarm that nobody acknowledges goes to the level above.

use super::{
    alarm::{Alarm, above},
    cause::Priority,
};
use crate::terms::place::Level;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// How old an alarm is when it leaves a level, in milliseconds; none where it stays.
pub const fn leaves_after_ms(priority: Priority, level: Level) -> Option<i64> {
    match (priority, level) {
        (Priority::High, Level::County) => Some(HOUR_MS),
        (Priority::High, Level::City) => Some(4 * HOUR_MS),
        (Priority::Medium, Level::County) => Some(8 * HOUR_MS),
        (Priority::Medium, Level::City) => Some(24 * HOUR_MS),
        (Priority::Low, Level::County) => Some(3 * 24 * HOUR_MS),
        (Priority::Low, Level::City) => Some(7 * 24 * HOUR_MS),
        (Priority::Diagnostic, Level::County | Level::City)
        | (Priority::High | Priority::Medium | Priority::Low | Priority::Diagnostic, Level::Province) => None,
    }
}

/// Whether an alarm is to go to the level above: by its age since it was raised, while nobody has acknowledged it and it is
/// told at all.
pub fn is_due(alarm: &Alarm, now_unix_ms: i64) -> bool {
    let age_ms = now_unix_ms.saturating_sub(alarm.raised_unix_ms);
    let leaves = leaves_after_ms(alarm.about.cause.priority(), alarm.level);
    alarm.state.rings() && above(alarm.level).is_some() && leaves.is_some_and(|after_ms| age_ms >= after_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::{alarm::tests::about, cause::Cause, state::Event};

    #[test]
    fn an_alarm_climbs_by_its_age_until_somebody_acknowledges_it() {
        let mut alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let climb = |alarm: &Alarm, event, at| alarm.after(&alarm.step(event, at).unwrap()).unwrap();
        alarm = climb(&alarm, Event::Raise, 0);
        let levels: Vec<(i64, Level)> = (0..6 * 60)
            .filter_map(|minute| {
                let now = minute * 60_000;
                is_due(&alarm, now).then(|| {
                    alarm = climb(&alarm, Event::Escalate, now);
                    (minute, alarm.level)
                })
            })
            .collect();
        assert_eq!(levels, [(60, Level::City), (240, Level::Province)]);
        let acknowledged = climb(&alarm, Event::Acknowledge, 1);
        assert!(!is_due(&acknowledged, i64::MAX));
        for event in [Event::Shelve, Event::Retire, Event::Inhibit] {
            let raised = climb(&Alarm::unheard(alarm.about), Event::Raise, 0);
            assert!(is_due(&raised, i64::MAX) && !is_due(&climb(&raised, event, 1), i64::MAX));
        }
    }
}
