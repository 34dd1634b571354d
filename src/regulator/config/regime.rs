//! `[alarms]`: how long a level has, what an outage is, and how long a new gateway may take to be heard.

use crate::{
    regulator::alarms::regime::{Leaves, OutageAt, Regime},
    terms::form::{self, Form},
};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// The longest time of a level, in hours: ninety days.
const MAX_HOURS: i64 = 90 * 24;

/// Reads it; what is left out is as [`Regime::default`] has it.
pub(super) fn regime(form: Form<'_>) -> Regime {
    let usual = Regime::default();
    let leaves = |key: &'static str, usual: Leaves| {
        let hours = form.optional(key, form::list(form::whole(1..=MAX_HOURS)));
        match hours.as_deref() {
            None => usual,
            Some(&[county, city]) if county < city => Leaves::after_hours([county, city]),
            Some(_) => {
                form.flaw(
                    key,
                    format!("`{key}` is not two hours of which the second is later"),
                    "write [1, 4]: how old an alarm is when it leaves the county, and when it leaves the prefecture",
                );
                usual
            }
        }
    };
    let (high, medium, low) =
        (leaves("high_h", usual.high), leaves("medium_h", usual.medium), leaves("low_h", usual.low));
    let outage = OutageAt {
        least: form.optional("outage_least", form::fitting(2..=1_000_000)).unwrap_or(usual.outage.least),
        percent: form.optional("outage_percent", form::fitting(1..=100)).unwrap_or(usual.outage.percent),
    };
    let unheard = form.optional("unheard_h", form::whole(1..=MAX_HOURS)).map(|hours| hours * HOUR_MS);
    form.close();
    Regime { high, medium, low, outage, unheard_ms: unheard.unwrap_or(usual.unheard_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{Flaws, form::Node};

    fn read(text: &str) -> (Regime, Vec<String>) {
        let node = Node::parse("r.toml", text).unwrap();
        let flaws = Flaws::default();
        let read = regime(Form::of(&node, &flaws).unwrap());
        (read, flaws.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_not_decided_is_as_usual() {
        assert_eq!(read(""), (Regime::default(), Vec::new()));
        let (decided, wrong) =
            read("high_h = [2, 6]\noutage_least = 20\noutage_percent = 80\nunheard_h = 72\n");
        assert!(wrong.is_empty(), "{wrong:?}");
        let usual = Regime::default();
        assert_eq!((decided.high, decided.low), (Leaves::after_hours([2, 6]), usual.low));
        assert_eq!(decided.outage, OutageAt { least: 20, percent: 80 });
        assert_eq!(decided.unheard_ms, 72 * HOUR_MS);
    }

    #[test]
    fn a_level_above_has_longer_and_no_part_is_more_than_all() {
        for (text, told) in [
            ("high_h = [4, 1]\n", "second is later"),
            ("high_h = [4]\n", "second is later"),
            ("low_h = [0, 5]\n", "`low_h`"),
            ("outage_percent = 101\n", "`outage_percent`"),
            ("outage_least = 1\n", "`outage_least`"),
            ("hihg_h = [1, 4]\n", "did you mean `high_h`?"),
        ] {
            let (_, wrong) = read(text);
            assert!(wrong.len() == 1 && wrong[0].contains(told), "{text}: {wrong:?}");
        }
    }
}
