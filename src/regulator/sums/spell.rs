//! PURE file. Each meter of a piece of equipment closes the same quarter of an hour by a verdict of its own: that time is told
//! once, and of it no more was seen than by the meter that saw least. A verdict does not name its meter; two that tell of one
//! time are of two.

use serde_json::{Value, json};

use super::{Accounted, mark::Mark};
use crate::terms::{LegalDay, time::DAY_MS};

/// Days that one verdict tells of at most, the last ones. What it says of days before, nobody told.
pub(super) const MOST_DAYS: i32 = 366;

/// A time that was told, and how. It ends as long after it began as is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    at_unix_ms: i64,
    accounted: Accounted,
}

impl Spell {
    /// What a verdict tells of; none where that is no time.
    pub(super) fn of(mark: &Mark) -> Option<Spell> {
        let Mark { at_unix_ms, accounted, .. } = *mark;
        (accounted.told_ms() > 0).then_some(Spell { at_unix_ms, accounted })
    }

    fn began_unix_ms(&self) -> i64 {
        self.at_unix_ms.saturating_sub(self.accounted.told_ms())
    }

    /// What two meters come to that tell of one time; none where it is not one: where less than half of the shorter is of both.
    pub(super) fn and(&self, other: &Spell) -> Option<Spell> {
        let (own, others) = (&self.accounted, &other.accounted);
        let until = self.at_unix_ms.min(other.at_unix_ms);
        let both_ms = until.saturating_sub(self.began_unix_ms().max(other.began_unix_ms()));
        if both_ms <= own.told_ms().min(others.told_ms()) / 2 {
            return None;
        }
        let whole_ms = own.told_ms().max(others.told_ms());
        let unaccounted_ms = own.unaccounted_ms.max(others.unaccounted_ms);
        let seen_ms = whole_ms.saturating_sub(unaccounted_ms);
        let bridged_ms = own.bridged_ms.max(others.bridged_ms).min(seen_ms);
        let accounted =
            Accounted { observed_ms: seen_ms.saturating_sub(bridged_ms), bridged_ms, unaccounted_ms };
        Some(Spell { at_unix_ms: self.at_unix_ms.max(other.at_unix_ms), accounted })
    }

    /// The time, cut at midnight.
    pub(super) fn parts(&self) -> impl Iterator<Item = (LegalDay, Accounted)> + use<> {
        let Spell { at_unix_ms: at, accounted } = *self;
        let began = self.began_unix_ms();
        // Midnight ends the day before.
        let last = LegalDay::of_unix_ms(at.saturating_sub(1)).number();
        let first = LegalDay::of_unix_ms(began).number().max(last.saturating_sub(MOST_DAYS - 1));
        (first..=last).map(move |number| {
            let day = LegalDay::numbered(number);
            let starts = day.starts_unix_ms();
            let (from, to) = (starts.max(began), starts.saturating_add(DAY_MS).min(at));
            (day, accounted.between(from.saturating_sub(began), to.saturating_sub(began)))
        })
    }

    /// As it is kept.
    pub(super) fn to_json(self) -> Value {
        let Accounted { observed_ms, bridged_ms, unaccounted_ms } = self.accounted;
        json!([self.at_unix_ms, observed_ms, bridged_ms, unaccounted_ms])
    }

    /// Reads what is kept.
    pub(super) fn of_json(json: &Value) -> Option<Spell> {
        let [at, observed, bridged, unaccounted] = json.as_array()?.as_slice() else { return None };
        let accounted = Accounted {
            observed_ms: observed.as_i64()?,
            bridged_ms: bridged.as_i64()?,
            unaccounted_ms: unaccounted.as_i64()?,
        };
        Some(Spell { at_unix_ms: at.as_i64()?, accounted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::ledger::INTERVAL_MS;

    fn spell(at_unix_ms: i64, (observed_ms, bridged_ms, unaccounted_ms): (i64, i64, i64)) -> Spell {
        Spell { at_unix_ms, accounted: Accounted { observed_ms, bridged_ms, unaccounted_ms } }
    }

    #[test]
    fn of_a_time_that_two_meters_tell_of_no_more_was_seen_than_by_the_one_that_saw_least() {
        let seen = spell(INTERVAL_MS, (INTERVAL_MS, 0, 0));
        let dark = spell(INTERVAL_MS + 400, (100_000, 200_000, INTERVAL_MS - 300_000));
        let both = seen.and(&dark).unwrap();
        assert_eq!(both, dark.and(&seen).unwrap());
        assert_eq!(both.accounted, dark.accounted);
        assert_eq!(both.accounted.told_ms(), INTERVAL_MS, "it is told once");
        assert_eq!(Spell::of_json(&both.to_json()), Some(both));
        // The quarter after is another time, however late the one before was told.
        for late_ms in [0, 120_000, 440_000] {
            assert_eq!(
                spell(INTERVAL_MS + late_ms, (INTERVAL_MS, 0, 0))
                    .and(&spell(2 * INTERVAL_MS, (INTERVAL_MS, 0, 0))),
                None
            );
        }
        // A meter that was put in when the other had been dark for hours.
        let hours = spell(24 * INTERVAL_MS, (0, 0, 24 * INTERVAL_MS));
        let young = spell(24 * INTERVAL_MS, (60_000, 0, 0));
        assert_eq!(hours.and(&young), Some(hours));
    }
}
