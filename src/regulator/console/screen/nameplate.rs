//! What stands on a nameplate, beside the text of the rule it is held against: Chinese decides, and stands first.

use maud::{Markup, html};

use super::{asset::Case, head};
use crate::{
    catalogue::{Entry, Nameplate, PlateSource},
    evidence::Body,
    judge::Finding,
    regulator::console::Console,
    terms::{
        Digest,
        words::{self, Language, Words},
    },
};

/// A nameplate by the record that tells it.
pub(super) struct Plate {
    pub(super) source: PlateSource,
    pub(super) plate: Nameplate,
    pub(super) hash: Digest,
}

pub(super) fn show(case: &Case, console: &Console, language: Language) -> Markup {
    let entry = rule(case).and_then(|id| console.rules.entry(&id));
    html! {
        @match &case.plate {
            Some(plate) => { (lines(plate, console, language)) },
            None => { p { (words::K_NO_PLATE.in_language(language)) } },
        }
        @match entry {
            Some(entry) => { (clause(entry, language)) },
            None => { p { (words::K_NO_ENTRY.in_language(language)) } },
        }
    }
}

/// The entry that the newest verdict rests on.
fn rule(case: &Case) -> Option<String> {
    let Body::Finding(Finding::Verdict(verdict)) = &case.verdict.as_ref()?.body else { return None };
    Some(verdict.standing.ruling?.rule?.entry.as_str().to_owned())
}

fn lines(plate: &Plate, console: &Console, language: Language) -> Markup {
    const COLUMNS: [Words; 2] = [words::K_ATTRIBUTE, words::K_VALUE];
    let source = match plate.source {
        PlateSource::Declared => words::K_DECLARED,
        PlateSource::Read => words::K_READ,
    };
    html! {
        table {
            caption { (source.in_language(language)) ", " span.hash { (plate.hash.to_string()) } }
            (head(&COLUMNS, language))
            tbody {
                @for line in plate.plate.attributes() {
                    tr {
                        th scope="row" {
                            @match console.rules.label(&line.name) {
                                Some(label) => { (label.in_language(language)) },
                                None => { (line.name) },
                            }
                        }
                        td { (line.value.to_string()) }
                    }
                }
            }
        }
    }
}

fn clause(entry: &Entry, language: Language) -> Markup {
    html! {
        h3 { (entry.title.in_language(language)) }
        blockquote lang="zh-CN" { (entry.quote.zh) }
        @if !entry.quote.en.is_empty() { blockquote lang="en" { (entry.quote.en) } }
        p {
            (entry.source.number) ", " (entry.source.issued.to_string()) ". "
            (words::LAST_LAWFUL_DAY.in_language(language)) ": " (entry.deadline.to_string()) ". "
            span.hash { (entry.source.sha256.to_string()) }
        }
        p { (words::K_CHINESE_DECIDES.in_language(language)) }
    }
}
