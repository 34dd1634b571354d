//! PURE file. When an alarm that nobody acknowledges goes to the level above.

use super::{
    Regime,
    alarm::{Alarm, above},
};

/// Whether an alarm is to go to the level above: by its age since it was raised, while nobody has acknowledged it and it is
/// told at all.
pub fn is_due(alarm: &Alarm, regime: &Regime, now_unix_ms: i64) -> bool {
    let age_ms = now_unix_ms.saturating_sub(alarm.raised_unix_ms);
    let leaves = regime.leaves_after_ms(alarm.about.cause.priority(), alarm.level);
    alarm.state.rings() && above(alarm.level).is_some() && leaves.is_some_and(|after_ms| age_ms >= after_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        regulator::alarms::{alarm::tests::about, cause::Cause, regime::Leaves, state::Event},
        terms::place::Level,
    };

    #[test]
    fn an_alarm_climbs_by_its_age_until_somebody_acknowledges_it() {
        let mut alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let climb = |alarm: &Alarm, event, at| alarm.after(&alarm.step(event, at).unwrap()).unwrap();
        alarm = climb(&alarm, Event::Raise, 0);
        let usual = Regime::default();
        let levels: Vec<(i64, Level)> = (0..6 * 60)
            .filter_map(|minute| {
                let now = minute * 60_000;
                is_due(&alarm, &usual, now).then(|| {
                    alarm = climb(&alarm, Event::Escalate, now);
                    (minute, alarm.level)
                })
            })
            .collect();
        assert_eq!(levels, [(60, Level::City), (240, Level::Province)]);
        let acknowledged = climb(&alarm, Event::Acknowledge, 1);
        assert!(!is_due(&acknowledged, &usual, i64::MAX));
        for event in [Event::Shelve, Event::Retire, Event::Inhibit] {
            let raised = climb(&Alarm::unheard(alarm.about), Event::Raise, 0);
            let quiet = climb(&raised, event, 1);
            assert!(is_due(&raised, &usual, i64::MAX) && !is_due(&quiet, &usual, i64::MAX));
        }
        let slow = Regime { high: Leaves::after_hours([2, 8]), ..usual };
        let raised = climb(&Alarm::unheard(alarm.about), Event::Raise, 0);
        assert!(is_due(&raised, &usual, 3_600_000) && !is_due(&raised, &slow, 3_600_000));
        assert!(is_due(&raised, &slow, 7_200_000));
    }
}
