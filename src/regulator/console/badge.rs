//! PURE file. How a piece of equipment is shown in one word, one shape and one colour; of the three the word alone suffices.
//!
//! Whoever says nothing now is shown as unproven, whatever was said last: silence is never shown as rest.

use crate::{
    regulator::{orders::SILENT_MS, store::sights::AssetRow},
    terms::words::{self, Words},
};

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Badge {
    /// A violation is latched.
    Latched,
    /// A violation is latched, in a log that its gateway has left.
    LatchedBefore,
    /// It draws.
    Drawing,
    /// It feeds back.
    Exporting,
    /// A sign of tampering stands.
    Masked,
    /// The verdict says that nothing is known.
    Unknown,
    /// Its gateway says nothing now.
    Silent,
    /// Its gateway speaks, and tells nothing of it any longer.
    Unattested,
    /// Nothing was ever told of it.
    Untold,
    /// It draws within its allowances.
    Auxiliary,
    /// Voltage, and nothing drawn.
    Energised,
    /// No voltage was observed.
    Dead,
}

/// Since when a gateway must have been heard not to be silent, Unix milliseconds.
pub(super) const fn silent_before(now_unix_ms: i64) -> i64 {
    now_unix_ms.saturating_sub(SILENT_MS)
}

impl Badge {
    /// Every one, the most urgent first.
    pub(super) const ALL: [Badge; 12] = [
        Badge::Latched,
        Badge::LatchedBefore,
        Badge::Drawing,
        Badge::Exporting,
        Badge::Masked,
        Badge::Unknown,
        Badge::Silent,
        Badge::Unattested,
        Badge::Untold,
        Badge::Auxiliary,
        Badge::Energised,
        Badge::Dead,
    ];

    /// That of a row at a time.
    pub(super) fn of(row: &AssetRow, now_unix_ms: i64) -> Badge {
        if row.violation_since_unix_ms.is_some() {
            return if row.left.is_some() { Badge::LatchedBefore } else { Badge::Latched };
        }
        if row.verdict.is_none() {
            return Badge::Untold;
        }
        if row.heard_unix_ms.is_none_or(|heard| heard < silent_before(now_unix_ms)) {
            return Badge::Silent;
        }
        if row.is_untold() {
            return Badge::Unattested;
        }
        Badge::of_state(&row.state)
    }

    /// That of a state's word. One that this program does not know proves nothing.
    pub(super) fn of_state(word: &str) -> Badge {
        let states = [
            ("drawing", Badge::Drawing),
            ("exporting", Badge::Exporting),
            ("masked", Badge::Masked),
            ("auxiliary", Badge::Auxiliary),
            ("energised", Badge::Energised),
            ("dead", Badge::Dead),
        ];
        states.into_iter().find(|(state, _)| *state == word).map_or(Badge::Unknown, |(_, badge)| badge)
    }

    /// The name of its style.
    pub(super) const fn style(self) -> &'static str {
        match self {
            Badge::Latched | Badge::LatchedBefore => "latched",
            Badge::Drawing => "drawing",
            Badge::Exporting => "exporting",
            Badge::Masked => "masked",
            Badge::Unknown | Badge::Silent | Badge::Unattested | Badge::Untold => "unproven",
            Badge::Auxiliary => "auxiliary",
            Badge::Energised => "energised",
            Badge::Dead => "dead",
        }
    }

    /// Its shape: a sign for whoever sees no colours, of no account to whoever hears the page.
    pub(super) const fn shape(self) -> &'static str {
        match self {
            Badge::Latched | Badge::LatchedBefore => "✖",
            Badge::Drawing => "▲",
            Badge::Exporting => "▼",
            Badge::Masked => "◈",
            Badge::Unknown | Badge::Silent | Badge::Unattested | Badge::Untold => "▨",
            Badge::Auxiliary => "◐",
            Badge::Energised => "○",
            Badge::Dead => "□",
        }
    }

    /// Its word.
    pub(super) const fn words(self) -> Words {
        match self {
            Badge::Latched => words::K_LATCHED,
            Badge::LatchedBefore => words::LATCHED_BEFORE,
            Badge::Drawing => words::K_DRAWING,
            Badge::Exporting => words::K_EXPORTING,
            Badge::Masked => words::K_MASKED,
            Badge::Unknown => words::K_UNKNOWN,
            Badge::Silent => words::K_SILENT,
            Badge::Unattested => words::K_UNATTESTED,
            Badge::Untold => words::K_UNTOLD,
            Badge::Auxiliary => words::K_AUXILIARY,
            Badge::Energised => words::K_ENERGISED,
            Badge::Dead => words::K_DEAD,
        }
    }

    /// The sentences that belong beside it.
    pub(super) const fn beside(self) -> &'static [Words] {
        match self {
            Badge::Latched => &[words::LATCHED],
            Badge::LatchedBefore => &[words::LATCHED, words::NO_JOURNAL_OPENS],
            Badge::Drawing | Badge::Energised => &[],
            Badge::Exporting => &[words::EXPORTING],
            Badge::Masked => &[words::TAMPER_ALARM, words::NEVER_OPEN_A_SECONDARY],
            Badge::Unknown => &[words::UNKNOWN],
            Badge::Silent => &[words::K_SILENT_MEANS, words::VOLTAGE_MAY_BE_PRESENT],
            Badge::Unattested => &[words::K_UNATTESTED_MEANS, words::VOLTAGE_MAY_BE_PRESENT],
            Badge::Untold => &[words::UNKNOWN],
            Badge::Auxiliary => &[words::KEEP_COOLING],
            Badge::Dead => &[words::NOT_A_TEST_FOR_DEAD],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::LogId,
        regulator::sight::MOST_QUIET_MS,
        terms::{AssetId, GatewayId, WattHours},
    };

    fn row(state: &str) -> AssetRow {
        AssetRow {
            gateway: GatewayId::new("gw-03").unwrap(),
            asset: AssetId::new("eaf-2").unwrap(),
            division: None,
            enterprise: None,
            verdict: Some((LogId(1), 7)),
            state: state.to_owned(),
            since_unix_ms: 0,
            violation_since_unix_ms: None,
            left: None,
            class: String::new(),
            last_day: None,
            entry: String::new(),
            overdue: WattHours(0),
            order: None,
            plate: None,
            verdict_unix_ms: 0,
            seen_unix_ms: 0,
            heard_unix_ms: Some(10 * SILENT_MS),
            attested_unix_ms: 10 * SILENT_MS,
        }
    }

    #[test]
    fn what_is_unknown_or_silent_never_looks_like_rest() {
        let now = 10 * SILENT_MS;
        assert_eq!(Badge::of(&row("dead"), now), Badge::Dead);
        assert_eq!(Badge::of(&row("dead"), now + SILENT_MS + 1), Badge::Silent);
        assert_eq!(Badge::of(&AssetRow { heard_unix_ms: None, ..row("dead") }, now), Badge::Silent);
        assert_eq!(Badge::of(&AssetRow { verdict: None, ..row("") }, now), Badge::Untold);
        assert_eq!(Badge::of(&row("a state of a later version"), now), Badge::Unknown);
        let rest = [Badge::Dead, Badge::Energised, Badge::Auxiliary];
        for badge in [Badge::Unknown, Badge::Silent, Badge::Unattested, Badge::Untold] {
            for rest in rest {
                assert!(badge.style() != rest.style() && badge.shape() != rest.shape());
                assert!(badge.words() != rest.words());
            }
        }
    }

    #[test]
    fn equipment_that_its_gateway_tells_nothing_of_any_longer_is_not_at_rest_though_the_gateway_speaks() {
        let now = 10 * SILENT_MS;
        let told = |attested_unix_ms| Badge::of(&AssetRow { attested_unix_ms, ..row("energised") }, now);
        assert_eq!(told(now - MOST_QUIET_MS + 1), Badge::Energised);
        assert_eq!(told(now - MOST_QUIET_MS), Badge::Unattested);
    }

    #[test]
    fn a_latched_violation_stays_whatever_comes_after_it() {
        let latched = AssetRow { violation_since_unix_ms: Some(1), ..row("dead") };
        assert_eq!(Badge::of(&latched, 10 * SILENT_MS), Badge::Latched);
        assert_eq!(Badge::of(&latched, i64::MAX), Badge::Latched, "though its gateway has fallen silent");
        let before = AssetRow { left: Some(LogId(1)), ..latched };
        assert_eq!(Badge::of(&before, i64::MAX), Badge::LatchedBefore);
    }

    #[test]
    fn colour_is_never_alone() {
        for badge in Badge::ALL {
            assert!(
                !badge.words().zh.is_empty() && !badge.words().en.is_empty() && !badge.shape().is_empty()
            );
        }
        assert!(Badge::Dead.beside().contains(&words::NOT_A_TEST_FOR_DEAD));
    }
}
