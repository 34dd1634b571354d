//! Who saw what, for whoever oversees them: those who may look within the same scope, and nobody beside it.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::head;
use crate::{
    regulator::{
        console::{
            Console,
            ask::Pairs,
            csv as values,
            door::Viewer,
            frame::{self, Here},
        },
        store::{
            Answered,
            people::{Role, Saw},
        },
    },
    terms::{
        time::LegalTime,
        words::{self, Words},
    },
};

/// Rows of a page.
const ROWS: u32 = 100;

/// The columns of screen and file.
const COLUMNS: [Words; 5] =
    [words::K_WHEN, words::K_NAME, words::K_DIVISION, words::K_WHAT, words::K_ANSWERED];

/// `GET /audit/seen`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    if viewer.role < Role::Overseer {
        return frame::forbidden(&viewer);
    }
    match asked(&console, &viewer, query.as_deref()).await {
        Ok(all) => {
            let title = words::K_WHO_SAW.in_language(viewer.language);
            frame::page(&viewer, Here::Audit, title, &page(&all, query.as_deref().unwrap_or(""), &viewer))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `GET /audit/seen.csv`: the rows of the page with the same address.
pub(in crate::regulator::console) async fn csv(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    if viewer.role < Role::Overseer {
        return frame::forbidden(&viewer);
    }
    match asked(&console, &viewer, query.as_deref()).await {
        Ok(all) => {
            let rows: Vec<[String; 5]> = all.iter().map(|(_, saw)| cells(saw)).collect();
            let head = COLUMNS.map(|column| column.in_language(viewer.language));
            let text = values::table(&head, rows.iter().map(<[String; 5]>::as_slice));
            frame::file("text/csv; charset=utf-8", "seen.csv", text.into_bytes())
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

async fn asked(console: &Console, viewer: &Viewer, query: Option<&str>) -> Answered<Vec<(u64, Saw)>> {
    let pairs = Pairs::read(query.unwrap_or("").as_bytes());
    let before = pairs.one("before").and_then(|before| before.parse().ok()).unwrap_or(u64::MAX);
    let scope = viewer.scope.clone();
    console.readers.ask(move |books| books.store.who_saw(&scope, before, ROWS)).await
}

fn cells(saw: &Saw) -> [String; 5] {
    [
        LegalTime(saw.at_unix_ms).to_string(),
        saw.person.to_string(),
        saw.scope.to_string(),
        saw.what.clone(),
        saw.status.to_string(),
    ]
}

fn page(all: &[(u64, Saw)], query: &str, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let older = all.last().filter(|_| all.len() >= ROWS as usize).map(|(number, _)| number);
    html! {
        p.no-print { a href={ "/audit/seen.csv?" (query) } { (say(words::K_CSV)) } }
        div.scroll role="region" aria-label=(say(words::K_WHO_SAW)) tabindex="0" {
            table {
                (head(&COLUMNS, viewer.language))
                tbody {
                    @for (_, saw) in all {
                        tr { @for cell in cells(saw) { td.hash { (cell) } } }
                    }
                }
            }
        }
        @if let Some(older) = older { p.no-print { a href={ "/audit/seen?before=" (older) } { (say(words::K_OLDER)) } } }
    }
}
