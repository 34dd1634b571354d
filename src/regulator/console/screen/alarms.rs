//! Alarms: the list by ISA-18.2, filtered; one with its steps; and what a person decides about it. A latch is opened by a signed
//! act alone, and not from here.

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
        alarms::{Hush, Kind, Priority},
        console::{
            Console,
            ask::{AlarmFilter, Pairs},
            asks::{self, AlarmRow, AlarmsAsked, AlarmsPage, Decision, Deed},
            csv as values,
            door::{self, Viewer},
            flow,
            frame::{self, Here},
            story::ago,
        },
        store::{AlarmCount, Answered, Part, people::Role, sights::Scope},
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

/// Rows of a part of a file of all pages: neither is in memory as a whole.
const ROWS_OF_A_PART: u32 = 500;
const CSV: &str = "text/csv; charset=utf-8";

/// The columns of screen and file.
const COLUMNS: [Words; 9] = [
    words::K_ALARM_ID,
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
    let filter = match filter(query.as_deref(), &viewer) {
        Ok(filter) => filter,
        Err(why) => return frame::refused(&viewer, why),
    };
    let Some(alarms) = console.joined.alarms.clone() else {
        let body = html! { p { (words::K_NO_ALARMS_KEPT.in_language(viewer.language)) } };
        return frame::page(&viewer, Here::Alarms, title, &body);
    };
    let (asked, scope, within) = (filter.asked(ROWS), viewer.scope.clone(), filter.within.clone());
    let ask = console.readers.ask(move |books| {
        let page = alarms.page(books, &asked)?;
        let here = alarms.counts(books, &within)?;
        let all = if within == scope { here.clone() } else { alarms.counts(books, &scope)? };
        Ok((page, Counted { here, all }))
    });
    match ask.await {
        Ok((page, counted)) => {
            frame::page(&viewer, Here::Alarms, title, &screen(&page, &counted, &filter, &viewer))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `GET /alarms.csv`: the rows of the page with the same address; with `whole=1` those of every page from there on.
pub(in crate::regulator::console) async fn csv(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let filter = match filter(query.as_deref(), &viewer) {
        Ok(filter) => filter,
        Err(why) => return frame::refused(&viewer, why),
    };
    let is_whole = Pairs::read(query.as_deref().unwrap_or("").as_bytes()).one("whole").is_some();
    let most = if is_whole { ROWS_OF_A_PART } else { ROWS };
    match page_of(&console, filter.asked(most)).await {
        None => frame::nothing(&viewer),
        Some(Ok(page)) => {
            let head = COLUMNS.map(|column| column.in_language(viewer.language));
            let text = values::table(&head, rows(&page, &viewer).iter().map(<[String; 9]>::as_slice));
            let more = page.next.as_ref().filter(|_| !is_whole).map(|next| filter.query_after(next));
            let next = page.next.filter(|_| is_whole);
            let file = flow::file((CSV, "alarms.csv"), (text.into_bytes(), next), move |after| {
                let (console, viewer) = (console.clone(), viewer.clone());
                let filter = AlarmFilter { after: Some(after), ..filter.clone() };
                async move {
                    let page = page_of(&console, filter.asked(ROWS_OF_A_PART)).await;
                    let page = page.transpose()?.unwrap_or_default();
                    let text = values::more(rows(&page, &viewer).iter().map(<[String; 9]>::as_slice));
                    Ok((text.into_bytes(), page.next))
                }
            });
            frame::goes_on(file, more.map(|query| format!("/alarms.csv?{query}")))
        }
        Some(Err(fault)) => frame::away(viewer.language, &fault),
    }
}

fn filter(query: Option<&str>, viewer: &Viewer) -> Result<AlarmFilter, Words> {
    AlarmFilter::read(&Pairs::read(query.unwrap_or("").as_bytes()), &viewer.scope)
}

/// `None` where no alarms are kept.
async fn page_of(console: &Console, asked: AlarmsAsked) -> Option<Answered<AlarmsPage>> {
    let alarms = console.joined.alarms.clone()?;
    Some(console.readers.ask(move |books| alarms.page(books, &asked)).await)
}

fn rows(page: &AlarmsPage, viewer: &Viewer) -> Vec<[String; 9]> {
    page.rows.iter().map(|row| cells(row, viewer)).collect()
}

/// What a row says, in the order of [`COLUMNS`].
pub(super) fn cells(row: &AlarmRow, viewer: &Viewer) -> [String; 9] {
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
        row.id.clone(),
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

/// How many alarms stand how.
struct Counted {
    /// In the division that is asked for.
    here: Vec<AlarmCount>,
    /// In all that its person may see.
    all: Vec<AlarmCount>,
}

fn screen(page: &AlarmsPage, counted: &Counted, filter: &AlarmFilter, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let here = filter.query_after(filter.after.as_deref().unwrap_or(""));
    let found = asks::found(&counted.here, filter.kind, filter.priority, filter.part);
    let [open, all] = [Part::Open, Part::All].map(|part| asks::found(&counted.all, None, None, part));
    let aside = counted.here.iter().filter(|count| count.state.hush != Hush::Open);
    let aside: u64 = aside.map(|count| count.count).sum();
    let is_first = filter.after.is_none();
    html! {
        (frame::fresh(&viewer.address, viewer.language))
        p { (say(words::K_IN_DIVISION)) " " span data-live="open" { (open) } " / " span data-live="alarms" { (all) } }
        (form(&counted.here, filter, viewer))
        p { (say(words::K_ALARMS_FOUND)) " " strong { (found) } }
        @if aside > 0 && filter.part == Part::Listed {
            p.note { (say(words::K_ASIDE)) " " a href={ "/alarms?" (AlarmFilter { part: Part::All, after: None, ..filter.clone() }.query_after("")) } { (aside) } }
        }
        @if !page.rows.is_empty() { (table(&page.rows, viewer)) }
        @else if aside > 0 && filter.part == Part::Listed { p { (say(words::K_NO_OTHER_ALARM)) } }
        @else if page.next.is_none() && is_first && *filter == whole(&filter.within) { (table(&page.rows, viewer)) }
        @else if page.next.is_none() && is_first { p { (say(words::K_NOTHING_FOUND)) } }
        p.no-print {
            @if !is_first { a href={ "/alarms?" (filter.query_after("")) } { (say(words::K_FIRST_PAGE)) } " · " }
            @if let Some(next) = &page.next {
                a rel="next" href={ "/alarms?" (filter.query_after(next)) } { (say(words::K_NEXT_PAGE)) } " · "
            }
            a href={ "/alarms.csv?" (here) } { (say(words::K_CSV)) } " · "
            a href={ "/alarms.csv?" (filter.query_after("")) "&whole=1" } { (say(words::K_CSV_WHOLE)) }
        }
        p.note { (say(words::K_RESET_BY_ACT)) }
    }
}

/// No filter but a division.
fn whole(within: &Scope) -> AlarmFilter {
    AlarmFilter { within: within.clone(), kind: None, priority: None, part: Part::Listed, after: None }
}

/// What a part of the alarms is called.
const fn part(part: Part) -> Words {
    match part {
        Part::Listed => words::K_PART_LISTED,
        Part::Open => words::K_PART_OPEN,
        Part::Acknowledged => words::K_PART_ACKNOWLEDGED,
        Part::Latched => words::K_PART_LATCHED,
        Part::Shelved => words::K_SHELVED,
        Part::Suppressed => words::K_PART_SUPPRESSED,
        Part::OutOfService => words::K_OUT_OF_SERVICE,
        Part::All => words::K_PART_ALL,
    }
}

/// Each choice with how many it would find beside the other choices.
fn form(counts: &[AlarmCount], filter: &AlarmFilter, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let AlarmFilter { kind, priority, part: chosen, .. } = filter;
    let choice = |word: &str, is_chosen: bool, words: Words, found: u64| {
        html! { option value=(word) selected[is_chosen] { (say(words)) " (" (found) ")" } }
    };
    html! {
        form.filter method="get" action="/alarms" {
            div {
                label for="f-part" { (say(words::K_STATE)) }
                select id="f-part" name="part" {
                    @for one in Part::ALL {
                        (choice(one.word(), one == *chosen, part(one), asks::found(counts, *kind, *priority, one)))
                    }
                }
            }
            div {
                label for="f-kind" { (say(words::K_KIND)) }
                select id="f-kind" name="kind" {
                    (choice("", kind.is_none(), words::K_ALL, asks::found(counts, None, *priority, *chosen)))
                    @for one in Kind::ALL {
                        (choice(one.word(), *kind == Some(one), one.words(), asks::found(counts, Some(one), *priority, *chosen)))
                    }
                }
            }
            div {
                label for="f-priority" { (say(words::K_PRIORITY)) }
                select id="f-priority" name="priority" {
                    (choice("", priority.is_none(), words::K_ALL, asks::found(counts, *kind, None, *chosen)))
                    @for one in Priority::ALL {
                        (choice(one.word(), *priority == Some(one), one.words(), asks::found(counts, *kind, Some(one), *chosen)))
                    }
                }
            }
            div {
                label for="f-in" { (say(words::K_DIVISION)) }
                input id="f-in" name="in" value=(filter.within.as_str()) maxlength="6";
            }
            button { (say(words::K_SHOW_IT)) }
        }
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
    let [id, kind, what, about, priority, state, level, since, hand] = cells(row, viewer);
    let class = if row.is_open { "tone-alarm" } else { "tone-plain" };
    html! {
        tr {
            td.hash { a href={ "/alarm/" (id) } { (id) } }
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
            td.no-print { @if viewer.role >= Role::Officer { @for deed in &row.may { (decide_form(row, *deed, viewer)) } } }
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

pub(super) fn decide_form(row: &AlarmRow, deed: Deed, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let id = format!("{}-{}", row.id, deed.word());
    html! {
        details {
            summary { (say(name(deed))) }
            form method="post" action="/alarms/decide" {
                (frame::form_token(viewer))
                input type="hidden" name="id" value=(row.id);
                input type="hidden" name="seen" value=(row.changed_unix_ms);
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
        seen_unix_ms: pairs.one("seen").and_then(|seen| seen.parse().ok()),
        deed,
        who: viewer.name,
        why: why.to_owned(),
        until_unix_ms,
    })
}
