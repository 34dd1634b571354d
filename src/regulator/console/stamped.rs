//! PURE file. What is stamped on a nameplate, in the words of whoever reads it: lines by what they are called, numbers with their
//! units, the catalogue's vocabulary as it is spoken.

use crate::{
    catalogue::plate::PlateValue,
    terms::words::{self, Language, PLATE_WORDS, Words, plate_line, plate_word},
};

/// What a line is called; one that this program does not know by the name that is stamped there.
pub(super) fn label(name: &str, language: Language) -> String {
    let other = || format!("{} ({name})", words::K_OTHER_LINE.in_language(language));
    plate_line(name).map_or_else(other, |line| line.label.in_language(language).to_owned())
}

/// What a line says.
pub(super) fn value(name: &str, value: &PlateValue, language: Language) -> String {
    match value {
        PlateValue::Whole(_) | PlateValue::Decimal { .. } => with_unit(name, &value.to_string(), language),
        PlateValue::Text(text) => word(name, text, language),
        PlateValue::Flag(flag) => yes_no(*flag, language),
    }
}

/// A number with the unit of its line.
pub(super) fn with_unit(name: &str, number: &str, language: Language) -> String {
    let unit = plate_line(name).map_or("", |line| line.unit.in_language(language));
    format!("{number} {unit}").trim_end().to_owned()
}

/// A text of a line: where the catalogue has words for it, that word as it is spoken.
pub(super) fn word(name: &str, text: &str, language: Language) -> String {
    let is_vocabulary = plate_line(name).is_some_and(|line| line.is_vocabulary);
    let known = plate_word(text).filter(|_| is_vocabulary);
    known.map_or_else(|| text.to_owned(), |words| words.in_language(language).to_owned())
}

/// A machine as it was compared, in capitals and digits alone: its kind as it is spoken, its maker and its number.
pub(super) fn words_of(about: &str, language: Language) -> String {
    let (kind, rest) = about.split_once(' ').unwrap_or((about, ""));
    let is_it = |word: &str| word.replace('_', "").eq_ignore_ascii_case(kind);
    let known = PLATE_WORDS.iter().find(|(word, _)| is_it(word));
    let kind = known.map_or(kind, |(_, words)| words.in_language(language));
    format!("{kind} {rest}").trim_end().to_owned()
}

/// Yes or no.
pub(super) fn yes_no(flag: bool, language: Language) -> String {
    let words: Words = if flag { words::K_YES } else { words::K_NO };
    words.in_language(language).to_owned()
}
