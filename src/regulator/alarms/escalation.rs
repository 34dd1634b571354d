//! PURE file. When an alarm that nobody acknowledges goes to the level above.

use super::{
    Regime,
    alarm::{Alarm, above},
};

/// Whether an alarm is to go to the level above: by its age since it was raised, Unix milliseconds, while nobody has
/// acknowledged it and it is told at all. A violation or tampering goes there though somebody has put it aside.
pub fn is_due(alarm: &Alarm, raised_unix_ms: i64, regime: &Regime, now_unix_ms: i64) -> bool {
    let age_ms = now_unix_ms.saturating_sub(raised_unix_ms);
    let leaves = regime.leaves_after_ms(alarm.about.cause.priority(), alarm.level);
    alarm.rings_above() && above(alarm.level).is_some() && leaves.is_some_and(|after_ms| age_ms >= after_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        regulator::alarms::{alarm::tests::about, cause::Cause, regime::Leaves, state::Event},
        terms::place::Level,
    };

    fn climb(alarm: &Alarm, event: Event, at: i64) -> Alarm {
        alarm.after(&alarm.step(event, at).unwrap()).unwrap()
    }

    fn raised(cause: Cause) -> Alarm {
        climb(&Alarm::unheard(about(cause, "gw-1", "130421")), Event::Raise, 0)
    }

    /// The minutes at which an alarm goes up, and where to.
    fn levels(mut alarm: Alarm) -> Vec<(i64, Level)> {
        let usual = Regime::default();
        let mut levels = Vec::new();
        for minute in 0..6 * 60 {
            if is_due(&alarm, alarm.raised_unix_ms, &usual, minute * 60_000) {
                alarm = climb(&alarm, Event::Escalate, minute * 60_000);
                levels.push((minute, alarm.level));
            }
        }
        levels
    }

    #[test]
    fn an_alarm_climbs_by_its_age_until_somebody_acknowledges_it() {
        let violation = raised(Cause::Violation);
        assert_eq!(levels(violation.clone()), [(60, Level::City), (240, Level::Province)]);
        let usual = Regime::default();
        let acknowledged = climb(&violation, Event::Acknowledge, 1);
        assert!(!is_due(&acknowledged, 0, &usual, i64::MAX));
        for event in [Event::Shelve, Event::Retire, Event::Inhibit] {
            let raised = raised(Cause::Transfer);
            let quiet = climb(&raised, event, 1);
            assert!(is_due(&raised, 0, &usual, i64::MAX) && !is_due(&quiet, 0, &usual, i64::MAX));
        }
        let slow = Regime { high: Leaves::after_hours([2, 8]), ..usual };
        assert!(is_due(&violation, 0, &usual, 3_600_000) && !is_due(&violation, 0, &slow, 3_600_000));
        assert!(is_due(&violation, 0, &slow, 7_200_000));
    }

    #[test]
    fn a_violation_that_somebody_put_aside_climbs_as_if_he_had_not() {
        for cause in [Cause::Violation, Cause::Tamper] {
            let shelved = climb(&raised(cause), Event::Shelve, 1);
            assert_eq!(levels(shelved), [(60, Level::City), (240, Level::Province)]);
        }
    }
}
