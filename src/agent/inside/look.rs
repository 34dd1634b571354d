//! PURE file: how a state, an age and a share look to a person: by word and by shape, so that neither colour nor a printer
//! without any takes something away. Nothing that is not known looks like rest.

use super::status::{Coverage, Meter, Status};
use crate::terms::{
    time::LegalTime,
    words::{self, Language},
};

/// Cells of a bar.
const CELLS: i64 = 24;

/// The shape that stands before a state's word. An unknown word is unknown.
pub(super) fn shape(state: &str) -> &'static str {
    match state {
        "drawing" => "▲",
        "exporting" => "▼",
        "masked" => "✕",
        "auxiliary" => "◐",
        "energised" => "□",
        "dead" => "■",
        _ => "?",
    }
}

/// A moment as screens show it.
pub(super) fn moment(unix_ms: Option<i64>, language: Language) -> String {
    unix_ms.map_or_else(|| not_known(language), |at| LegalTime(at).to_string())
}

/// That a value is missing.
pub(super) fn not_known(language: Language) -> String {
    format!("— ({})", words::NOT_KNOWN.in_language(language))
}

/// How long ago, in the largest unit that leaves two digits.
pub(super) fn ago(age_ms: Option<u64>, language: Language) -> String {
    let Some(age_ms) = age_ms else { return not_known(language) };
    let seconds = age_ms / 1_000;
    let (number, unit) = match seconds {
        0..=119 => (seconds, "s"),
        120..=7_199 => (seconds / 60, "min"),
        7_200..=172_799 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    match language {
        Language::Chinese => format!("{number} {unit} {}", words::T_AGO.zh),
        Language::English => format!("{number} {unit} {}", words::T_AGO.en),
    }
}

/// Milliwatts as kilowatts, exactly.
pub(super) fn power(power_mw: Option<i64>, language: Language) -> String {
    let Some(mw) = power_mw else { return not_known(language) };
    let (sign, whole, rest) = (if mw < 0 { "-" } else { "" }, mw.unsigned_abs(), 1_000_000);
    format!("{sign}{}.{:03} kW", whole / rest, whole % rest / 1_000)
}

/// Tenths of a percent of a whole, as text; rounded down, so that what is not all never reads as all.
pub(super) fn percent(part_ms: i64, total_ms: i64) -> String {
    let tenths = part_ms.saturating_mul(1_000).checked_div(total_ms).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// How a stretch of time is accounted for, as a bar: `█` observed, `▒` bridged, `?` no evidence. Whatever is there of doubt
/// has a cell of its own.
pub(super) fn bar(coverage: &Coverage) -> String {
    let total = coverage.total_ms();
    let cells = |part: i64| {
        let cells = part.saturating_mul(CELLS).checked_div(total).unwrap_or(0);
        if part > 0 { cells.max(1) } else { 0 }
    };
    if total <= 0 {
        return String::new();
    }
    let (doubt, bridged) = (cells(coverage.unaccounted_ms), cells(coverage.bridged_ms));
    let observed = (CELLS - doubt - bridged).max(0);
    let run = |cell: &str, count: i64| cell.repeat(usize::try_from(count).unwrap_or(0));
    [run("█", observed), run("▒", bridged), run("?", doubt)].concat()
}

/// How today is accounted for, in words.
pub(super) fn accounted(meter: &Meter, language: Language) -> String {
    let Some(today) = meter.today.filter(|today| today.total_ms() > 0) else { return not_known(language) };
    let total = today.total_ms();
    let parts = [
        (words::T_OBSERVED, today.observed_ms),
        (words::T_BRIDGED, today.bridged_ms),
        (words::T_UNACCOUNTED, today.unaccounted_ms),
    ];
    let parts = parts.into_iter().filter(|(_, ms)| *ms > 0);
    let parts: Vec<String> =
        parts.map(|(word, ms)| format!("{} {}", word.in_language(language), percent(ms, total))).collect();
    parts.join(", ")
}

/// How good the clock is.
pub(super) fn clock(status: &Status, language: Language) -> String {
    match (status.clock.quality.as_str(), status.clock.error_ms) {
        ("ntp", Some(error_ms)) => format!("{} {error_ms} ms", words::T_CLOCK_NTP.in_language(language)),
        ("rtc", _) => words::T_CLOCK_RTC.in_language(language).to_owned(),
        _ => words::T_CLOCK_UNSET.in_language(language).to_owned(),
    }
}

/// How the broker stands to us.
pub(super) fn broker(status: &Status, language: Language) -> String {
    let connected = words::T_CONNECTED.in_language(language);
    match (&status.broker.why, &status.broker.undelivered) {
        (_, Some(why)) if status.broker.is_there => format!("{connected}; {}", why.in_language(language)),
        (_, None) if status.broker.is_there => connected.to_owned(),
        (Some(why), _) => why.in_language(language).to_owned(),
        (None, _) => words::T_BROKER_NOT_REACHED.in_language(language).to_owned(),
    }
}

/// The newest record and what waits.
pub(super) fn log(status: &Status, language: Language) -> String {
    let journal = &status.journal;
    let said = |words: words::Words| words.in_language(language);
    let head = journal.head.as_ref().map_or_else(
        || not_known(language),
        |head| format!("#{} {} {}", head.seq, head.sha256, LegalTime(head.written_unix_ms)),
    );
    let receipts = match journal.not_receipted {
        None => said(words::T_NO_AUTHORITY).to_owned(),
        Some(0) => format!("{}: 0", said(words::T_NOT_RECEIPTED)),
        Some(places) => format!(
            "{}: {places}, {} {}",
            said(words::T_NOT_RECEIPTED),
            said(words::T_OLDEST),
            moment(journal.oldest_not_receipted_unix_ms, language)
        ),
    };
    format!(
        "{} {head}; {} {}; {}: {}; {receipts}",
        said(words::T_HEAD),
        journal.places,
        said(words::T_PLACES),
        said(words::T_NOT_ACCEPTED),
        journal.not_accepted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_looks_like_nothing_that_is() {
        let shapes = ["drawing", "exporting", "masked", "auxiliary", "energised", "dead"].map(shape);
        for word in ["unknown", "", "off"] {
            assert_eq!(shape(word), "?");
            assert!(!shapes.contains(&shape(word)));
        }
        for language in [Language::Chinese, Language::English] {
            for text in [power(None, language), ago(None, language), moment(None, language)] {
                assert!(text.starts_with('—') && !text.contains('0'), "{text}");
            }
        }
        assert_eq!(power(Some(0), Language::English), "0.000 kW");
        assert_eq!(power(Some(-1_234_567), Language::English), "-1.234 kW");
    }

    #[test]
    fn the_least_doubt_has_a_cell_and_nothing_rounds_up_to_all() {
        let coverage = |observed_ms, bridged_ms, unaccounted_ms| Coverage {
            from_unix_ms: 0,
            to_unix_ms: 0,
            observed_ms,
            bridged_ms,
            unaccounted_ms,
        };
        let count = |text: &str, cell: char| text.chars().filter(|shown| *shown == cell).count();
        let nearly = bar(&coverage(86_399_000, 0, 1_000));
        assert_eq!((count(&nearly, '█'), count(&nearly, '?')), (23, 1));
        let mixed = bar(&coverage(500, 250, 250));
        assert_eq!((count(&mixed, '█'), count(&mixed, '▒'), count(&mixed, '?')), (12, 6, 6));
        assert_eq!(bar(&coverage(0, 0, 900_000)), "?".repeat(24));
        assert_eq!(bar(&coverage(0, 0, 0)), "", "no bar is no claim");
        assert_eq!(percent(86_399_000, 86_400_000), "99.9 %");
        assert_eq!(percent(1, 0), "0.0 %");
    }
}
