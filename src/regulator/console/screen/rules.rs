//! Another version of an instrument that somebody brings, held against the one in force. Nothing of it is kept, and nothing is
//! judged by it.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Multipart, State},
    response::Response,
};
use maud::{Markup, html};

use super::head;
use crate::{
    catalogue::{Catalogue, Rules},
    regulator::console::{
        Console,
        changes::{self, Change},
        door::Viewer,
        frame::{self, Here},
        upload,
    },
    terms::{
        Flaw,
        words::{self, Words},
    },
};

/// Mistakes of a file that are listed.
const MOST_FLAWS: usize = 50;
/// What a mistake of the file is told to be in.
const FILE: &str = "catalogue.toml";

/// `POST /rules`
pub(in crate::regulator::console) async fn compare(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    mut parts: Multipart,
) -> Response {
    let Some(_coming) = console.coming.one_more(viewer.name) else { return frame::busy(&viewer) };
    let [file] = match upload::files(&mut parts, &viewer, ["catalogue"]).await {
        Ok(files) => files,
        Err(why) => return frame::refused(&viewer, why),
    };
    // It is never closed.
    let _one = console.uploads.acquire().await;
    let title = words::K_RULES_COMPARED.in_language(viewer.language);
    let body = match Catalogue::parse(FILE, &String::from_utf8_lossy(&file)) {
        Ok(other) => page(&other, &changes::between(&console.rules, &other), &console.rules, &viewer),
        Err(flaws) => unfit(&flaws, &viewer),
    };
    frame::page(&viewer, Here::Audit, title, &body)
}

fn unfit(flaws: &[Flaw], viewer: &Viewer) -> Markup {
    html! {
        p.note.alarm { (words::K_NO_CATALOGUE.in_language(viewer.language)) }
        p { (words::K_FLAWS.in_language(viewer.language)) }
        ul { @for flaw in flaws.iter().take(MOST_FLAWS) { li.hash lang="en" { (flaw.to_string()) } } }
    }
}

fn page(other: &Catalogue, changes: &[Change], rules: &Rules, viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 4] = [words::K_ENTRY, words::K_PART, words::K_IN_FORCE, words::K_BROUGHT];
    let say = |words: Words| words.in_language(viewer.language);
    let said = |said: &Option<String>| said.clone().unwrap_or_else(|| "–".to_owned());
    html! {
        p { (other.source.number) " (" (other.source.id) "), " (other.source.issued.to_string()) ". " span.hash { (other.source.sha256.to_string()) } }
        p { (say(words::K_CHANGES)) ": " (changes.len()) }
        @if !changes.is_empty() {
            div.scroll role="region" aria-label=(say(words::K_RULES_COMPARED)) tabindex="0" {
                table {
                    (head(&COLUMNS, viewer.language))
                    tbody {
                        @for change in changes {
                            tr {
                                th scope="row" {
                                    @if let Some(entry) = rules.entry(&change.entry) { (entry.title.in_language(viewer.language)) br; }
                                    span.beside.hash { (change.entry) }
                                }
                                td { (say(change.part)) }
                                td lang="zh-CN" { (said(&change.here)) }
                                td lang="zh-CN" { (said(&change.there)) }
                            }
                        }
                    }
                }
            }
        }
        p { a href="/audit" { (say(words::K_AUDIT)) } }
    }
}

/// The box that takes one.
pub(super) fn form(viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    html! {
        // The token stands first: what follows it is read only if it is right.
        form.filter method="post" action="/rules" enctype="multipart/form-data" {
            (frame::form_token(viewer))
            div { label for="catalogue" { (say(words::K_RULES_FILE)) } input id="catalogue" type="file" name="catalogue" required; }
            button { (say(words::K_COMPARE)) }
        }
    }
}
