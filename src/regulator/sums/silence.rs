//! PURE file. Silences of meters behind a gateway that goes on: their quarters are told as they pass, each of its own day, and
//! what was drawn meanwhile is told once a meter answers again, all at once. Nobody knows on which of those days it was drawn.

use serde_json::{Value, json};

use super::mark::{Mark, NEAR_MS};

/// Silences that are remembered of one piece of equipment. Two of one end are one, so that of meters silent by turns there are
/// never so many; of more, as clocks that are set back leave behind, the earliest are one.
const MOST: usize = 8;

/// A time of which nothing is told but that it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Silence {
    since_unix_ms: i64,
    until_unix_ms: i64,
}

impl Silence {
    fn and(self, other: Silence) -> Silence {
        Silence {
            since_unix_ms: self.since_unix_ms.min(other.since_unix_ms),
            until_unix_ms: self.until_unix_ms.max(other.until_unix_ms),
        }
    }
}

/// The silences that may go on, or end with the next verdict. A verdict does not name its meter: of several behind one piece of
/// equipment each is taken to be the one that was silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silences(Vec<Silence>);

impl Silences {
    /// Since when what this verdict tells of energy may have been drawn, where a silence goes on or ends with it.
    pub(super) fn since(&self, mark: &Mark) -> Option<i64> {
        self.0.iter().filter(|silence| is_next(silence, mark)).map(|silence| silence.since_unix_ms).min()
    }

    /// Takes the next verdict by its place.
    pub(super) fn on(&mut self, mark: &Mark) {
        let (began, at) = (mark.began_unix_ms(), mark.at_unix_ms);
        if began == at {
            return;
        }
        let before = self.since(mark);
        self.0.retain(|silence| began.saturating_sub(silence.until_unix_ms) <= NEAR_MS);
        let unaccounted_ms = mark.accounted.unaccounted_ms;
        if unaccounted_ms == 0 {
            return;
        }
        let is_whole = at.saturating_sub(began) == unaccounted_ms;
        let own = at.saturating_sub(unaccounted_ms);
        let since_unix_ms = before.filter(|_| is_whole).map_or(own, |before| before.min(own));
        self.begin(Silence { since_unix_ms, until_unix_ms: at });
    }

    fn begin(&mut self, new: Silence) {
        let is_its_end = |known: &&mut Silence| {
            known.until_unix_ms.saturating_sub(new.until_unix_ms).saturating_abs() <= NEAR_MS
        };
        match self.0.iter_mut().find(is_its_end) {
            Some(known) => *known = known.and(new),
            None => self.0.push(new),
        }
        if self.0.len() > MOST {
            let first = self.0.remove(0);
            self.0.iter_mut().take(1).for_each(|second| *second = second.and(first));
        }
    }

    /// As they are kept.
    pub(super) fn to_json(&self) -> Value {
        self.0.iter().map(|silence| json!([silence.since_unix_ms, silence.until_unix_ms])).collect()
    }

    /// Reads what is kept.
    pub(super) fn of_json(json: &Value) -> Option<Silences> {
        let one = |json: &Value| {
            let [since, until] = json.as_array()?.as_slice() else { return None };
            Some(Silence { since_unix_ms: since.as_i64()?, until_unix_ms: until.as_i64()? })
        };
        json.as_array()?.iter().map(one).collect::<Option<_>>().map(Silences)
    }
}

/// Whether a verdict tells of time that begins within a silence, or soon after it.
fn is_next(silence: &Silence, mark: &Mark) -> bool {
    let began = mark.began_unix_ms();
    began.saturating_sub(silence.until_unix_ms) <= NEAR_MS && silence.since_unix_ms <= mark.at_unix_ms
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Accounted,
            mark::tests::{QUARTER, day, mark},
        },
        *,
    };
    use crate::judge::ledger::INTERVAL_MS;

    const DARK: Accounted = Accounted { observed_ms: 0, bridged_ms: 0, unaccounted_ms: INTERVAL_MS };
    const FLAPS: Accounted =
        Accounted { observed_ms: 300_000, bridged_ms: 0, unaccounted_ms: INTERVAL_MS - 300_000 };

    /// The quarters of a life, each by how it was accounted for; since when the last may have been drawn, in quarters.
    fn since(life: &[Accounted]) -> Option<i64> {
        let begin = day("2026-01-01").starts_unix_ms();
        let mut silences = Silences::default();
        let mut last = None;
        for (quarter, accounted) in (1..).zip(life) {
            let at_unix_ms = begin + quarter * INTERVAL_MS + 528;
            let mark = Mark { accounted: *accounted, ..mark(1, at_unix_ms, 0, None) };
            last = silences.since(&mark);
            silences.on(&mark);
            assert_eq!(Silences::of_json(&silences.to_json()), Some(silences.clone()));
            assert!(silences.0.len() <= 2, "{silences:?}");
        }
        last.map(|since| (since - begin - 528).div_euclid(INTERVAL_MS))
    }

    #[test]
    fn what_is_told_after_a_silence_may_have_been_drawn_since_it_began() {
        let seen = Accounted { unaccounted_ms: 0, observed_ms: 894_000, ..QUARTER };
        assert_eq!(since(&[seen, seen, seen]), None);
        assert_eq!(since(&[seen, DARK, DARK, DARK, seen]), Some(1));
        assert_eq!(since(&[seen, DARK, DARK, DARK, seen, seen]), None, "it was over a quarter before");
        assert_eq!(since(&[seen, FLAPS, DARK, DARK, seen]), Some(1), "it began within a quarter");
        assert_eq!(since(&[seen, FLAPS, FLAPS, FLAPS, seen]), Some(3), "each quarter told of the one before");
        assert_eq!(since(&[DARK; 1_000]), Some(0));
    }

    #[test]
    fn of_two_meters_the_one_that_answers_ends_no_silence_of_the_other() {
        let begin = day("2026-01-01").starts_unix_ms();
        let seen = Accounted { unaccounted_ms: 0, observed_ms: 894_000, ..QUARTER };
        let mut silences = Silences::default();
        for quarter in 1..=96 {
            for (later_ms, accounted) in [(100, DARK), (400, seen)] {
                let at_unix_ms = begin + quarter * INTERVAL_MS + later_ms;
                silences.on(&Mark { accounted, ..mark(1, at_unix_ms, 0, None) });
            }
        }
        let back = Mark { accounted: seen, ..mark(1, begin + 97 * INTERVAL_MS, 0, None) };
        assert_eq!(silences.since(&back), Some(begin + 100));
        // A clock that is set back again and again leaves no heap of them.
        for back in 1..=100 {
            silences.on(&Mark { accounted: DARK, ..mark(1, begin - back * 10 * INTERVAL_MS, 0, None) });
        }
        assert!(silences.0.len() <= MOST, "{silences:?}");
    }
}
