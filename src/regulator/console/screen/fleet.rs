//! Fleet: equipment by the page, filtered; the same rows as CSV; filters with names.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::{
    address, called,
    nameplate::Plate,
    today::{age, unless_reading},
};
use crate::{
    catalogue::{Class, Rules},
    regulator::{
        console::{
            Console,
            ask::{Filter, Pairs},
            badge::Badge,
            chart::{self, DAY_MS, Frame},
            csv as values,
            door::{self, Viewer},
            flow,
            frame::{self, Here},
            live::asked_at,
            story::ago,
        },
        moved,
        store::{
            Answered, Store,
            people::{MAX_SAVED_CHARS, MAX_SEEN_BYTES, Saved},
            sights::{After, AssetRow, FleetAsked, Lane, SpanSum},
        },
    },
    terms::{
        Name,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// Rows of a page.
pub(in crate::regulator::console) const ROWS: u32 = 40;
/// Rows of a part of a file of all pages: neither is in memory as a whole.
const ROWS_OF_A_PART: u32 = 200;
const CSV: &str = "text/csv; charset=utf-8";
/// Days of a spark, and of the coverage beside it.
const SPARK_DAYS: i64 = 30;

/// The columns of a file; the screen has the same, some of them as one.
const COLUMNS: [Words; 17] = [
    words::K_GATEWAY,
    words::K_EQUIPMENT,
    words::K_MACHINE,
    words::K_DIVISION,
    words::K_ENTERPRISE,
    words::K_STATE,
    words::K_SINCE,
    words::K_CLASS,
    words::K_ENTRY,
    words::K_ENTRY_CODE,
    words::K_CAPACITY,
    words::K_BOUND,
    words::K_LAST_DAY,
    words::K_ORDER,
    words::K_COVERAGE,
    words::K_HEARD,
    words::K_ATTESTED,
];
/// The columns of the screen, each with what stands in it, one under the other.
const SHOWN: [&[Words]; 12] = [
    &[words::K_GATEWAY, words::K_EQUIPMENT, words::K_MACHINE],
    &[words::K_DIVISION, words::K_ENTERPRISE],
    &[words::K_STATE],
    &[words::K_SINCE],
    &[words::K_CLASS],
    &[words::K_ENTRY, words::K_ENTRY_CODE],
    &[words::K_CAPACITY, words::K_BOUND],
    &[words::K_LAST_DAY],
    &[words::K_ORDER],
    &[words::K_COVERAGE],
    &[words::K_HEARD, words::K_ATTESTED],
    &[words::K_THIRTY_DAYS],
];
/// What a row says under them.
type Cells = [String; COLUMNS.len()];

/// A row with what its meters told of the days before.
struct Listed {
    row: AssetRow,
    plate: Option<Plate>,
    days: Vec<SpanSum>,
    witnessed_from_unix_ms: Option<i64>,
}

struct Fleet {
    listed: Vec<Listed>,
    /// Where the next page begins, if there is one.
    next: Option<After>,
    saved: Vec<Saved>,
    frame: Frame,
}

/// `GET /fleet`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let filter = match filter(query.as_deref(), &viewer) {
        Ok(filter) => filter,
        Err(why) => return frame::refused(&viewer, why),
    };
    match asked(&console, &viewer, &filter, ROWS).await {
        Ok(fleet) => {
            let title = words::K_FLEET.in_language(viewer.language);
            frame::page(&viewer, Here::Fleet, title, &page(&fleet, &filter, &console.rules, &viewer))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `GET /fleet.csv`: the rows of the page with the same address; with `whole=1` those of every page from there on.
pub(in crate::regulator::console) async fn csv(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let filter = match filter(query.as_deref(), &viewer) {
        Ok(filter) => filter,
        Err(why) => return frame::refused(&viewer, why),
    };
    if viewer.reading.is_some() {
        return frame::not_whole(&viewer);
    }
    let is_whole = Pairs::read(query.as_deref().unwrap_or("").as_bytes()).one("whole").is_some();
    let most = if is_whole { ROWS_OF_A_PART } else { ROWS };
    match asked(&console, &viewer, &filter, most).await {
        Ok(fleet) => {
            let head = COLUMNS.map(|column| column.in_language(viewer.language));
            let text =
                values::table(&head, rows(&fleet, &console.rules, &viewer).iter().map(Cells::as_slice));
            let more = fleet.next.as_ref().filter(|_| !is_whole).map(|next| filter.query_after(next));
            let next = fleet.next.filter(|_| is_whole);
            let file = flow::file((CSV, "fleet.csv"), (text.into_bytes(), next), move |after| {
                let (console, viewer) = (console.clone(), viewer.clone());
                let filter = Filter { after, ..filter.clone() };
                async move {
                    let fleet = asked(&console, &viewer, &filter, ROWS_OF_A_PART).await?;
                    let rows = rows(&fleet, &console.rules, &viewer);
                    let text = values::more(rows.iter().map(Cells::as_slice));
                    Ok((text.into_bytes(), fleet.next))
                }
            });
            frame::goes_on(file, more.map(|query| format!("/fleet.csv?{query}")))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// What a file says, in the order of [`COLUMNS`].
fn rows(fleet: &Fleet, rules: &Rules, viewer: &Viewer) -> Vec<Cells> {
    fleet.listed.iter().map(|one| cells(one, &fleet.frame, rules, viewer)).collect()
}

fn filter(query: Option<&str>, viewer: &Viewer) -> Result<Filter, Words> {
    Filter::read(&Pairs::read(query.unwrap_or("").as_bytes()), &viewer.scope)
}

async fn asked(console: &Console, viewer: &Viewer, filter: &Filter, most: u32) -> Answered<Fleet> {
    let (now_unix_ms, name) = (viewer.now_unix_ms, viewer.name);
    // One more than a page tells whether there is another.
    let asked = filter.asked(&console.rules, asked_at(now_unix_ms), most + 1);
    console.readers.ask(move |books| listed(&mut *books.store, &asked, name, now_unix_ms)).await
}

fn listed(store: &mut dyn Store, asked: &FleetAsked, name: Name, now_unix_ms: i64) -> Answered<Fleet> {
    let mut rows = store.fleet(asked)?;
    let most = asked.most as usize - 1;
    let is_more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| is_more).map(After::row);
    let frame = days(now_unix_ms);
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(row) = moved::seen(store, &asked.scope, row)? else { continue };
        let days = store.spans(&row, &asked.scope, (frame.from_unix_ms, frame.to_unix_ms), frame.step_ms)?;
        let witnessed_from_unix_ms = store.witnessed_from(&row, &asked.scope)?;
        let plate = called::plate(store, &row)?;
        listed.push(Listed { row, plate, days, witnessed_from_unix_ms });
    }
    Ok(Fleet { listed, next, saved: store.saved(name)?, frame })
}

/// The days of a spark, today's the last.
fn days(now_unix_ms: i64) -> Frame {
    let midnight = asked_at(now_unix_ms).today.starts_unix_ms();
    let (from_unix_ms, to_unix_ms) = (midnight - (SPARK_DAYS - 1) * DAY_MS, midnight + DAY_MS);
    Frame { from_unix_ms, to_unix_ms, step_ms: DAY_MS }
}

/// What a row says, in the order of [`COLUMNS`]: screen and file say the same.
fn cells(listed: &Listed, frame: &Frame, rules: &Rules, viewer: &Viewer) -> Cells {
    let (row, language) = (&listed.row, viewer.language);
    let dash = || "–".to_owned();
    let badge = Badge::of(row, viewer.now_unix_ms);
    let class = Class::from_word(&row.class);
    let [capacity, bound] = called::capacity(called::entry(row, rules), listed.plate.as_ref(), language);
    [
        row.gateway.to_string(),
        row.asset.to_string(),
        called::machine(listed.plate.as_ref()),
        row.division.map_or_else(dash, |division| division.to_string()),
        row.enterprise.map_or_else(dash, |enterprise| enterprise.to_string()),
        badge.words().in_language(language).to_owned(),
        if row.verdict.is_some() { LegalTime(row.since_unix_ms).to_string() } else { dash() },
        class.map_or_else(dash, |class| class.words().in_language(language).to_owned()),
        called::title(row, rules, language),
        if row.entry.is_empty() { dash() } else { row.entry.clone() },
        capacity,
        bound,
        row.last_day.map_or_else(dash, |day| day.to_string()),
        row.order
            .map_or_else(dash, |(order, rung)| format!("{order}: {}", rung.words().in_language(language))),
        chart::coverage(&listed.days, listed.witnessed_from_unix_ms, frame, viewer.now_unix_ms),
        row.heard_unix_ms.map_or_else(dash, |heard| LegalTime(heard).to_string()),
        row.attested().map_or_else(dash, |at| LegalTime(at).to_string()),
    ]
}

fn page(fleet: &Fleet, filter: &Filter, rules: &Rules, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    let here = filter.query_after(&filter.after);
    html! {
        (frame::fresh(&viewer.address, language))
        (form(filter, rules, language))
        (saved(&fleet.saved, filter, viewer))
        div.scroll.wide role="region" aria-label=(say(words::K_FLEET)) tabindex="0" {
            table {
                caption { (say(words::K_FLEET_CAPTION)) }
                thead {
                    tr {
                        @for column in SHOWN {
                            th scope="col" { @for (number, words) in column.iter().enumerate() { @if number > 0 { br; } (say(*words)) } }
                        }
                    }
                }
                tbody { @for one in &fleet.listed { (line(one, fleet, rules, viewer)) } }
            }
        }
        @if fleet.listed.is_empty() { p { (unless_reading(words::K_NOTHING_FOUND, viewer)) } }
        (legend(language))
        p.no-print {
            @if filter.after != After::default() { a href={ "/fleet?" (filter.query()) } { (say(words::K_FIRST_PAGE)) } " · " }
            @if let Some(next) = &fleet.next {
                a rel="next" href={ "/fleet?" (filter.query_after(next)) } { (say(words::K_NEXT_PAGE)) } " · "
            }
            a href={ "/fleet.csv?" (here) } { (say(words::K_CSV)) } " · "
            a href={ "/fleet.csv?" (filter.query()) "&whole=1" } { (say(words::K_CSV_WHOLE)) }
        }
    }
}

/// What each badge means, with the sentences that belong to it.
fn legend(language: Language) -> Markup {
    html! {
        details {
            summary { (words::K_LEGEND.in_language(language)) }
            dl.facts {
                @for badge in Badge::ALL {
                    dt { (frame::badge(badge, language)) }
                    dd { @for words in badge.beside() { (words.in_language(language)) " " } }
                }
            }
        }
    }
}

fn line(one: &Listed, fleet: &Fleet, rules: &Rules, viewer: &Viewer) -> Markup {
    let (row, language) = (&one.row, viewer.language);
    let [
        gateway,
        asset,
        machine,
        division,
        enterprise,
        _state,
        since,
        class,
        entry,
        code,
        capacity,
        bound,
        last_day,
        order,
        coverage,
        heard,
        attested,
    ] = &cells(one, &fleet.frame, rules, viewer);
    let steps = fleet.frame.all(&one.days, viewer.now_unix_ms);
    let title = format!("{asset}: {}", words::K_THIRTY_DAYS.in_language(language));
    let spark = chart::spark(&steps, fleet.frame.steps(), &title);
    html! {
        tr {
            th scope="row" {
                a.name href=(address(row)) { (gateway) " / " (asset) }
                @if !machine.is_empty() { br; span.beside { (machine) } }
            }
            td { (division) br; span.beside { (enterprise) } }
            td { (frame::badge(Badge::of(row, viewer.now_unix_ms), language)) }
            td.when { (since) @if row.verdict.is_some() { " (" (ago(row.since_unix_ms, viewer.now_unix_ms, language)) ")" } }
            td { (class) }
            td { (entry) @if code != entry { br; span.beside.hash { (code) } } }
            td { (capacity) @if bound != "–" { br; span.beside { (bound) } } }
            td.name { (last_day) }
            td.when { (order) }
            td.number.name { (coverage) }
            td.when {
                (heard) " (" (age(row, viewer.now_unix_ms, language)) ")"
                @if attested != heard { br; span.beside { (attested) } }
            }
            td { (maud::PreEscaped(spark)) }
        }
    }
}

/// What a part of the fleet is called.
const fn lane(lane: Lane) -> Words {
    match lane {
        Lane::All => words::K_ALL,
        Lane::Due => words::K_DUE,
        Lane::Verified => words::K_VERIFIED,
        Lane::Drawing => words::K_DRAWING_NOW,
        Lane::Unproven => words::K_UNPROVEN,
        Lane::Latched => words::K_LATCHED_NOW,
    }
}

/// The industries of the notice, each once, in English and Chinese.
fn industries(rules: &Rules) -> BTreeMap<&str, &str> {
    rules.entries().map(|entry| (entry.industry.en.as_str(), entry.industry.zh.as_str())).collect()
}

/// The choice of an industry.
pub(super) fn industry(chosen: Option<&str>, rules: &Rules, language: Language) -> Markup {
    let say = |words: Words| words.in_language(language);
    html! {
        div {
            label for="f-industry" { (say(words::K_INDUSTRY)) }
            select id="f-industry" name="industry" {
                option value="" { (say(words::K_ALL)) }
                @for (en, zh) in industries(rules) {
                    option value=(en) selected[chosen == Some(en)] {
                        (match language { Language::Chinese => zh, Language::English => en })
                    }
                }
            }
        }
    }
}

fn form(filter: &Filter, rules: &Rules, language: Language) -> Markup {
    let say = |words: Words| words.in_language(language);
    let due_by = filter.due_by.map_or_else(String::new, |day| day.to_string());
    let enterprise = filter.enterprise.map_or_else(String::new, |enterprise| enterprise.to_string());
    let gateway = filter.gateway.map_or_else(String::new, |gateway| gateway.to_string());
    let typed = |name: &str, label: Words, value: &str, most: &str| {
        html! {
            div {
                label for={ "f-" (name) } { (say(label)) }
                input id={ "f-" (name) } name=(name) value=(value) maxlength=(most);
            }
        }
    };
    html! {
        form.filter method="get" action="/fleet" {
            div {
                label for="f-lane" { (say(words::K_SHOW)) }
                select id="f-lane" name="lane" {
                    @for one in Lane::ALL {
                        option value=(one.word()) selected[one == filter.lane] { (say(lane(one))) }
                    }
                }
            }
            div {
                label for="f-class" { (say(words::K_CLASS)) }
                select id="f-class" name="class" {
                    option value="" { (say(words::K_ALL)) }
                    @for class in Class::ALL {
                        option value=(class.word()) selected[filter.class == Some(class)] { (say(class.words())) }
                    }
                }
            }
            (industry(filter.industry.as_deref(), rules, language))
            (typed("in", words::K_DIVISION, filter.within.as_str(), "6"))
            (typed("enterprise", words::K_ENTERPRISE, &enterprise, "18"))
            (typed("gateway", words::K_GATEWAY, &gateway, "24"))
            (typed("entry", words::K_ENTRY_CODE, filter.entry.as_deref().unwrap_or(""), "160"))
            (typed("due_by", words::K_DUE_BY, &due_by, "10"))
            button { (say(words::K_SHOW_IT)) }
        }
    }
}

fn saved(all: &[Saved], filter: &Filter, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    html! {
        details.no-print {
            summary { (say(words::K_SAVED)) " (" (all.len()) ")" }
            ul {
                @for one in all {
                    li {
                        a href={ "/fleet?" (one.query) } { (one.name) } " "
                        form.inline method="post" action="/saved/forget" {
                            (frame::form_token(viewer))
                            input type="hidden" name="name" value=(one.name);
                            button aria-label={ (say(words::K_FORGET)) " " (one.name) } { (say(words::K_FORGET)) }
                        }
                    }
                }
            }
            form.filter method="post" action="/saved" {
                (frame::form_token(viewer))
                input type="hidden" name="query" value=(filter.query());
                div {
                    label for="saved-name" { (say(words::K_SAVE_AS)) }
                    input id="saved-name" name="name" maxlength=(MAX_SAVED_CHARS) required;
                }
                button { (say(words::K_SAVE)) }
            }
        }
    }
}

/// `POST /saved`
pub(in crate::regulator::console) async fn save(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Response {
    let Some(pairs) = viewer.form(&body) else { return frame::refused(&viewer, words::K_FORM_FOREIGN) };
    let query = pairs.one("query").unwrap_or("");
    // What is saved is a filter of this person, written as we write it.
    let filter = match filter(Some(query), &viewer) {
        Ok(filter) => filter,
        Err(why) => return frame::refused(&viewer, why),
    };
    let Some(name) = pairs.one("name").filter(|name| name.chars().count() <= MAX_SAVED_CHARS) else {
        return frame::refused(&viewer, words::K_NO_NAME);
    };
    let saved = Saved { name: name.to_owned(), query: filter.query() };
    if saved.query.len() > MAX_SEEN_BYTES {
        return frame::refused(&viewer, words::K_FILTER_WRONG);
    }
    let (who, back) = (viewer.name, format!("/fleet?{}", saved.query));
    match console.readers.ask(move |books| books.store.save(who, &saved)).await {
        Ok(true) => door::to(&back),
        Ok(false) => frame::refused(&viewer, words::K_TOO_MANY_SAVED),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `POST /saved/forget`
pub(in crate::regulator::console) async fn forget(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Response {
    let Some(pairs) = viewer.form(&body) else { return frame::refused(&viewer, words::K_FORM_FOREIGN) };
    let (who, name) = (viewer.name, pairs.one("name").unwrap_or("").to_owned());
    match console.readers.ask(move |books| books.store.forget(who, &name)).await {
        Ok(()) => door::to("/fleet"),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}
