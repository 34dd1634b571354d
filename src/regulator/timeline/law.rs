//! What the law says of equipment, in words: class, phase, nameplates, rosters, deadlines.

use std::fmt::Write as _;

use crate::{
    catalogue::{Citation, Class, Difference, Edit, Phase, Ruling, plate::PlateValue},
    judge::{ClassChange, DeadlineWarning, Verdict},
    terms::{
        AssetId, LegalDay,
        words::{self, Language},
    },
};

/// Class, entry, last lawful day and phase of a verdict; `None` where nothing of it is known.
pub(super) fn standing_words(verdict: &Verdict, language: Language) -> Option<String> {
    let class = verdict.standing.ruling.map(|ruling| ruling_words(&ruling, language));
    let last_day = verdict.standing.last_day().zip(verdict.phase).map(|(day, phase)| {
        format!(
            "{} {day}, {}",
            words::LAST_LAWFUL_DAY.in_language(language),
            phase.words().in_language(language)
        )
    });
    let parts: Vec<String> = [class, last_day].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What lines about a verdict are news by: class, entry, day and phase.
pub(super) type Law = (Option<Ruling>, Option<LegalDay>, Option<Phase>);

pub(super) fn law_of(verdict: &Verdict) -> Law {
    (verdict.standing.ruling, verdict.standing.last_day(), verdict.phase)
}

fn ruling_words(ruling: &Ruling, language: Language) -> String {
    let class = ruling.class.words().in_language(language);
    // Of what is undetermined the record names one entry of several that are open: not for a line.
    match (ruling.rule, ruling.class) {
        (Some(rule), Class::InScope | Class::Exempt) => {
            format!("{class} ({}, {})", rule.instrument, rule.entry)
        }
        (Some(_) | None, _) => class.to_owned(),
    }
}

/// Declared and read differ.
pub(super) fn difference_line(asset: AssetId, difference: &Difference, language: Language) -> String {
    let said = words::PLATE_DIFFERS.in_language(language);
    let Difference { attribute, declared, read } = difference;
    format!("{asset}: {said}: {attribute} declared {declared}, read {read}")
}

/// The last lawful day nears.
pub(super) fn warning_line(warning: &DeadlineWarning, language: Language) -> String {
    let said = words::DEADLINE_WARNING.in_language(language);
    let day = words::LAST_LAWFUL_DAY.in_language(language);
    let DeadlineWarning { asset, last_day, days_left, lead_days } = warning;
    format!("{asset}: {day} {last_day}, {days_left} days left, {lead_days} of them for the shutdown. {said}")
}

/// In scope, and not on the roster.
pub(super) fn missing_line(
    asset: AssetId,
    entry: Option<Citation>,
    version: u32,
    language: Language,
) -> String {
    let said = words::NOT_ON_ROSTER.in_language(language);
    let entry = entry.map_or_else(String::new, |entry| format!(" ({entry})"));
    format!("{asset}: {said}, version {version}{entry}")
}

/// An edit crossed a bound.
pub(super) fn class_change_line(change: &ClassChange, language: Language) -> String {
    let said = words::CLASS_CHANGED.in_language(language);
    let (before, after) = (ruling_words(&change.before, language), ruling_words(&change.after, language));
    let mut line = format!("{}: {said} ({}): {before} -> {after}", change.asset, change.source.word());
    for Edit { attribute, before, after } in &change.edits {
        let value = |value: &Option<PlateValue>| value.as_ref().map_or("-".to_owned(), PlateValue::to_string);
        let _infallible = write!(line, "; {attribute} {} -> {}", value(before), value(after));
    }
    line
}
