//! PURE file. Of how much of a time a piece of equipment is due to be told of: one definition, for screens and for reports. How
//! much of it is witnessed, [`crate::regulator::sums::Accounted::covered`] tells.

use crate::judge::ledger::INTERVAL_MS;

/// In milliseconds: from when it was first told of at all, or from the beginning of the time; to its end, or to when this is
/// asked: to the last quarter of an hour that had been over for one then, since it is told after it has ended.
pub fn due_ms(witnessed_from_unix_ms: i64, (from, to): (i64, i64), asked_unix_ms: i64) -> i64 {
    let over = asked_unix_ms.saturating_sub(INTERVAL_MS);
    let over = over.saturating_sub(over.rem_euclid(INTERVAL_MS));
    to.min(over).saturating_sub(from.max(witnessed_from_unix_ms)).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::sums::Accounted;

    #[test]
    fn nothing_is_held_against_equipment_from_before_it_was_there_nor_from_the_quarter_that_goes_on() {
        let (day_ms, hour_ms) = (86_400_000, 3_600_000);
        let covered = |observed_ms, due_ms| Accounted { observed_ms, ..Accounted::default() }.covered(due_ms);
        // Commissioned at noon and asked at three, with twelve quarters told but for the one that goes on.
        let due = due_ms(12 * hour_ms, (0, day_ms), 15 * hour_ms);
        assert_eq!(covered(3 * hour_ms - INTERVAL_MS, due), Some(10_000));
        // Silent since one o'clock.
        assert_eq!(covered(hour_ms, due), Some(3_636));
        // A time that is over is due whole; before its first quarter is told nothing is.
        assert_eq!(due_ms(i64::MIN, (0, day_ms), 9 * day_ms), day_ms);
        assert_eq!(due_ms(12 * hour_ms, (0, day_ms), 12 * hour_ms + 1), 0);
    }
}
