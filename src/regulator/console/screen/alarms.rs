//! Alarms: the list by ISA-18.2, and what a person decides about one. A latch is opened by a signed act alone, and not from here.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::head;
use crate::{
    regulator::{
        console::{
            Console,
            ask::{Pairs, written},
            asks::{AlarmRow, AlarmsAsked, AlarmsPage, Decision, Deed},
            csv as values,
            door::{self, Viewer},
            frame::{self, Here},
            story::ago,
        },
        store::{Answered, people::Role},
    },
    terms::{
        time::LegalTime,
        words::{self, Words},
    },
};

/// Rows of a page.
const ROWS: u32 = 50;
/// Longest reason, in characters.
const MAX_WHY_CHARS: usize = 200;
/// Hours for which an alarm may be put aside: seven days at most.
const SHELF_HOURS: [i64; 4] = [1, 8, 24, 168];
/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// The columns of screen and file.
const COLUMNS: [Words; 8] = [
    words::K_KIND,
    words::K_WHAT,
    words::K_ABOUT,
    words::K_PRIORITY,
    words::K_STATE,
    words::K_LEVEL,
    words::K_SINCE,
    words::K_HAND,
];

/// `GET /alarms`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let title = words::K_ALARMS.in_language(viewer.language);
    let asked = asked(query.as_deref(), &viewer);
    match page_of(&console, asked.clone()).await {
        None => {
            let body = html! { p { (words::K_NO_ALARMS_KEPT.in_language(viewer.language)) } };
            frame::page(&viewer, Here::Alarms, title, &body)
        }
        Some(Ok(page)) => frame::page(&viewer, Here::Alarms, title, &screen(&page, &asked, &viewer)),
        Some(Err(fault)) => frame::away(viewer.language, &fault),
    }
}

/// `GET /alarms.csv`: the rows of the page with the same address.
pub(in crate::regulator::console) async fn csv(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    match page_of(&console, asked(query.as_deref(), &viewer)).await {
        None => frame::nothing(&viewer),
        Some(Ok(page)) => {
            let rows: Vec<[String; 8]> = page.rows.iter().map(|row| cells(row, &viewer)).collect();
            let head = COLUMNS.map(|column| column.in_language(viewer.language));
            let text = values::table(&head, rows.iter().map(<[String; 8]>::as_slice));
            frame::file("text/csv; charset=utf-8", "alarms.csv", text.into_bytes())
        }
        Some(Err(fault)) => frame::away(viewer.language, &fault),
    }
}

fn asked(query: Option<&str>, viewer: &Viewer) -> AlarmsAsked {
    let pairs = Pairs::read(query.unwrap_or("").as_bytes());
    AlarmsAsked {
        scope: viewer.scope.clone(),
        asset: None,
        all: pairs.one("all").is_some(),
        after: pairs.one("after").map(ToOwned::to_owned),
        most: ROWS,
        now_unix_ms: viewer.now_unix_ms,
    }
}

/// `None` where no alarms are kept.
async fn page_of(console: &Console, asked: AlarmsAsked) -> Option<Answered<AlarmsPage>> {
    let alarms = console.joined.alarms.clone()?;
    Some(console.readers.ask(move |books| alarms.page(books, &asked)).await)
}

/// What a row says, in the order of [`COLUMNS`].
fn cells(row: &AlarmRow, viewer: &Viewer) -> [String; 8] {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language).to_owned();
    let mut about = row.about.clone();
    if row.stands_for > 1 {
        about = format!("{about} ({} {})", row.stands_for, say(words::K_GATEWAYS));
    }
    let mut state = say(row.state);
    if let Some(until) = row.until_unix_ms {
        state = format!("{state} ({} {})", say(words::K_UNTIL), LegalTime(until));
    }
    [
        say(row.kind),
        say(row.cause),
        about,
        say(row.priority),
        state,
        say(row.level),
        LegalTime(row.raised_unix_ms).to_string(),
        row.hand.as_ref().map_or_else(|| "–".to_owned(), |(who, why)| format!("{who}: {why}")),
    ]
}

fn screen(page: &AlarmsPage, asked: &AlarmsAsked, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let all = if asked.all { "1" } else { "" };
    let here = written(&[("all", all), ("after", asked.after.as_deref().unwrap_or(""))]);
    html! {
        p.no-print {
            @if asked.all { a href="/alarms" { (say(words::K_STANDING_ALARMS)) } }
            @else { a href="/alarms?all=1" { (say(words::K_ALL_ALARMS)) } }
            " · " a href={ "/alarms.csv?" (here) } { (say(words::K_CSV)) }
        }
        @if page.aside > 0 && !asked.all { p.note { (say(words::K_ASIDE)) " " a href="/alarms?all=1" { (page.aside) } } }
        @if !page.rows.is_empty() { (table(&page.rows, viewer)) }
        @else if page.aside > 0 && !asked.all { p { (say(words::K_NO_OTHER_ALARM)) } }
        @else if page.next.is_none() && asked.after.is_none() { (table(&page.rows, viewer)) }
        @if let Some(next) = &page.next {
            p.no-print { a rel="next" href={ "/alarms?" (written(&[("all", all), ("after", next)])) } { (say(words::K_NEXT_PAGE)) } }
        }
        p.note { (say(words::K_RESET_BY_ACT)) }
    }
}

/// Alarms with what may be done about each.
pub(super) fn table(rows: &[AlarmRow], viewer: &Viewer) -> Markup {
    let language = viewer.language;
    if rows.is_empty() {
        return html! { p { (words::K_NO_ALARM.in_language(language)) } };
    }
    html! {
        div.scroll role="region" aria-label=(words::K_ALARMS.in_language(language)) tabindex="0" {
            table {
                (head(&[COLUMNS.as_slice(), &[words::K_DO]].concat(), language))
                tbody { @for row in rows { (line(row, viewer)) } }
            }
        }
    }
}

fn line(row: &AlarmRow, viewer: &Viewer) -> Markup {
    let [kind, what, about, priority, state, level, since, hand] = cells(row, viewer);
    let class = if row.is_open { "tone-alarm" } else { "tone-plain" };
    html! {
        tr {
            td { (kind) }
            th scope="row" { (what) }
            td {
                @match row.asset {
                    Some((gateway, asset)) => {
                        a href={ "/asset/" (gateway.to_string()) "/" (asset.to_string()) } { (about) }
                    },
                    None => { (about) },
                }
            }
            td { (priority) }
            td class=(class) { (state) }
            td { (level) }
            td { (since) " (" (ago(row.raised_unix_ms, viewer.now_unix_ms, viewer.language)) ")" }
            td { (hand) }
            td.no-print { @if viewer.role >= Role::Officer { @for deed in &row.may { (form(row, *deed, viewer)) } } }
        }
    }
}

/// What a deed is called.
const fn name(deed: Deed) -> Words {
    match deed {
        Deed::Acknowledge => words::K_ACKNOWLEDGE,
        Deed::Shelve => words::K_SHELVE,
        Deed::Unshelve => words::K_UNSHELVE,
    }
}

fn form(row: &AlarmRow, deed: Deed, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let id = format!("{}-{}", row.id, deed.word());
    html! {
        details {
            summary { (say(name(deed))) }
            form method="post" action="/alarms/decide" {
                (frame::form_token(viewer))
                input type="hidden" name="id" value=(row.id);
                input type="hidden" name="deed" value=(deed.word());
                input type="hidden" name="back" value=(viewer.address);
                label for={ "why-" (id) } { (say(words::K_WHY)) }
                input id={ "why-" (id) } name="why" maxlength=(MAX_WHY_CHARS) required;
                @if deed == Deed::Shelve {
                    label for={ "hours-" (id) } { (say(words::K_FOR_HOURS)) }
                    select id={ "hours-" (id) } name="hours" {
                        @for hours in SHELF_HOURS { option value=(hours) { (hours) } }
                    }
                }
                button { (say(name(deed))) }
            }
        }
    }
}

/// `POST /alarms/decide`
pub(in crate::regulator::console) async fn decide(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Response {
    let Some(pairs) = viewer.form(&body) else { return frame::refused(&viewer, words::K_FORM_FOREIGN) };
    if viewer.role < Role::Officer {
        return frame::forbidden(&viewer);
    }
    let Some(alarms) = console.joined.alarms.clone() else { return frame::nothing(&viewer) };
    let Some(decision) = decision(&pairs, &viewer) else {
        return frame::refused(&viewer, words::K_WHY_MISSING);
    };
    let back = pairs.back("/alarms").to_owned();
    let (scope, now_unix_ms) = (viewer.scope.clone(), viewer.now_unix_ms);
    let done = console.readers.ask(move |books| alarms.decide(books, &scope, &decision, now_unix_ms)).await;
    match done {
        Ok(Ok(())) => door::to(&back),
        Ok(Err(why)) => frame::refused(&viewer, why),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

fn decision(pairs: &Pairs, viewer: &Viewer) -> Option<Decision> {
    let why = pairs.one("why")?;
    let deed = Deed::from_word(pairs.one("deed")?)?;
    let hours =
        pairs.one("hours").and_then(|hours| hours.parse().ok()).filter(|hours| SHELF_HOURS.contains(hours));
    let until_unix_ms = match deed {
        Deed::Shelve => Some(viewer.now_unix_ms.saturating_add(hours?.saturating_mul(HOUR_MS))),
        Deed::Acknowledge | Deed::Unshelve => None,
    };
    (why.chars().count() <= MAX_WHY_CHARS).then(|| Decision {
        id: pairs.one("id").unwrap_or("").to_owned(),
        deed,
        who: viewer.name,
        why: why.to_owned(),
        until_unix_ms,
    })
}
