//! Today: how many of what, which violations are latched, which deadlines come, how busy the desk is; of a division and an
//! industry, where somebody asks for them.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::{address, called, fleet, head, nameplate::Plate, overdue};
use crate::{
    catalogue::Rules,
    regulator::{
        console::{
            Console,
            ask::{DayFilter, Pairs},
            asks::Load,
            badge::Badge,
            chart::DAY_MS,
            door::Viewer,
            frame::{self, Here},
            live::asked_at,
            story::ago,
        },
        moved,
        store::{
            Answered, Part,
            registry::Ages,
            sights::{AssetRow, Lane, Numbers, Which},
        },
    },
    terms::{
        GatewayId, LegalDay,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// Latched violations that are listed here; the fleet lists all.
const LATCHED_LISTED: u32 = 20;
/// Pieces of equipment that have gone elsewhere and are listed here.
const GONE_LISTED: u32 = 20;
/// Gateways that were admitted and never heard, and that are named here.
const UNHEARD_LISTED: u32 = 20;
/// Months of the calendar.
const MONTHS: u32 = 12;
/// Against which day the numbers are held.
const TREND_DAYS: i64 = 7;
/// Alarms within ten minutes beyond which nobody can attend to each.
const FLOOD: u64 = 10;

/// What the screen shows.
struct Today {
    numbers: Numbers,
    before: Option<Numbers>,
    latched: Vec<Latched>,
    /// What was here and is told from elsewhere now.
    gone: Vec<AssetRow>,
    calendar: Vec<(String, u64)>,
    load: Option<Load>,
    /// How many gateways were admitted and never heard, and the first of them: whoever does not answer for the nation sees those
    /// that are said to stand in his division.
    unheard: (u64, Vec<GatewayId>),
    ages: Ages,
}

/// A latched violation.
struct Latched {
    row: AssetRow,
    plate: Option<Plate>,
    /// Its gateway speaks from elsewhere now.
    is_gone: bool,
}

/// `GET /`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let filter = match DayFilter::read(&pairs, &viewer.scope) {
        Ok(filter) => filter,
        Err(why) => return frame::refused(&viewer, why),
    };
    match asked(&console, &viewer, &filter).await {
        Ok(today) => frame::page(
            &viewer,
            Here::Today,
            words::K_TODAY.in_language(viewer.language),
            &page(&today, &filter, &console.rules, &viewer),
        ),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

async fn asked(console: &Console, viewer: &Viewer, filter: &DayFilter) -> Answered<Today> {
    let (scope, now_unix_ms) = (filter.within.clone(), viewer.now_unix_ms);
    let (alarms, entries) = (console.joined.alarms.clone(), filter.entries(&console.rules));
    let due_by = filter.due_by;
    let ask = console.readers.ask(move |books| {
        let load = alarms.map(|alarms| alarms.load(books, &scope, now_unix_ms)).transpose()?;
        let (store, at) = (&mut *books.store, asked_at(now_unix_ms));
        let day = LegalDay::of_unix_ms(now_unix_ms - TREND_DAYS * DAY_MS);
        let which = Which { entries: entries.as_deref(), due_by };
        // Each day's numbers are kept by division, for all equipment together.
        let before = if which == Which::default() { store.tally(&scope, day)? } else { None };
        let mut latched = Vec::new();
        for row in store.latched(&scope, which, LATCHED_LISTED)? {
            let is_gone = moved::is_elsewhere(&scope, &row);
            let Some(row) = moved::seen(store, &scope, row)? else { continue };
            let plate = called::plate(store, &row)?;
            latched.push(Latched { row, plate, is_gone });
        }
        let mut gone = Vec::new();
        for row in store.gone(&scope, GONE_LISTED)? {
            gone.extend(moved::seen(store, &scope, row)?);
        }
        Ok(Today {
            numbers: store.numbers(&scope, which, at)?,
            before,
            latched,
            gone,
            calendar: store.calendar(&scope, which, at.today, MONTHS)?,
            load,
            unheard: store.unheard(&scope, UNHEARD_LISTED)?,
            ages: store.ages(&scope, at.silent_before_unix_ms)?,
        })
    });
    ask.await
}

fn page(today: &Today, filter: &DayFilter, rules: &Rules, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    html! {
        (frame::fresh(&viewer.address, language))
        (form(filter, rules, viewer))
        (tiles(today, filter, viewer))
        (ages(&today.ages, viewer))
        h2 id="latched" { (say(words::K_LATCHED_LIST)) }
        (latched(&today.latched, rules, viewer))
        @if !today.gone.is_empty() {
            h2 { (say(words::K_GONE_LIST)) }
            (gone(&today.gone))
        }
        h2 { (say(words::K_CALENDAR)) }
        (calendar(&today.calendar, filter, viewer))
        h2 { (say(words::K_DESK)) }
        @if filter.industry.is_some() || filter.due_by.is_some() { p { (say(words::K_TODAY_ALL)) } }
        (desk(today.load.as_ref(), filter, viewer))
        (unheard(&today.unheard, viewer))
        p.note { (say(words::NOT_A_TEST_FOR_DEAD)) }
    }
}

fn form(filter: &DayFilter, rules: &Rules, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    html! {
        form.filter method="get" action="/" {
            div {
                label for="f-in" { (say(words::K_DIVISION)) }
                input id="f-in" name="in" value=(filter.within.as_str()) maxlength="6";
            }
            (fleet::industry(filter.industry.as_deref(), rules, viewer.language))
            div {
                label for="f-due_by" { (say(words::K_DUE_BY)) }
                input id="f-due_by" name="due_by" value=(filter.due_by.map_or_else(String::new, |day| day.to_string())) maxlength="10";
            }
            button { (say(words::K_SHOW_IT)) }
        }
    }
}

/// Numbers are told once all is read: until then none is, and least of all nought. They follow what is told of the whole
/// scope of whoever looks; of a part of it they stand as of when the page was made.
fn tiles(today: &Today, filter: &DayFilter, viewer: &Viewer) -> Markup {
    let (language, is_whole) = (viewer.language, viewer.reading.is_none());
    let is_live = is_all(filter, viewer);
    let (now, before) = (&today.numbers, today.before.as_ref());
    let all: [(Words, &str, u64, Option<u64>, Lane); 5] = [
        (words::K_DUE, "due", now.due, before.map(|n| n.due), Lane::Due),
        (words::K_VERIFIED, "verified", now.verified, before.map(|n| n.verified), Lane::Verified),
        (words::K_DRAWING_NOW, "drawing", now.drawing, before.map(|n| n.drawing), Lane::Drawing),
        (words::K_UNPROVEN, "unproven", now.unproven, before.map(|n| n.unproven), Lane::Unproven),
        (words::K_LATCHED_NOW, "latched", now.latched, before.map(|n| n.latched), Lane::Latched),
    ];
    html! {
        ul.tiles {
            @for (words, name, count, before, lane) in all {
                li {
                    a href={ "/fleet?" (filter.query(&[("lane", lane.word())])) } { (words.in_language(language)) }
                    @if is_whole {
                        strong data-live=[is_live.then_some(name)] { (count) }
                        span { (trend(count, before, language)) }
                    } @else {
                        strong { "–" }
                        span { (words::K_NOT_TOLD.in_language(language)) }
                    }
                }
            }
        }
        @if is_whole { p { (words::K_OF_ALL.in_language(language)) " " span data-live=[is_live.then_some("assets")] { (now.assets) } } }
    }
}

/// Whether a filter lets all through that its person may see.
fn is_all(filter: &DayFilter, viewer: &Viewer) -> bool {
    filter.within == viewer.scope && filter.industry.is_none() && filter.due_by.is_none()
}

/// The change against a week ago, in words; said to be unknown where that day's numbers were not kept.
fn trend(now: u64, before: Option<u64>, language: Language) -> String {
    let Some(before) = before else { return words::K_NO_TREND.in_language(language).to_owned() };
    let week = words::K_IN_A_WEEK.in_language(language);
    if now >= before {
        format!("▲ +{} {week}", now - before)
    } else {
        format!("▼ −{} {week}", before - now)
    }
}

/// How old is what is known here, in words.
fn ages(ages: &Ages, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let since = |unix_ms: Option<i64>| {
        let told = |unix_ms| ago(unix_ms, viewer.now_unix_ms, viewer.language);
        unix_ms.map_or_else(|| "–".to_owned(), told)
    };
    html! {
        p {
            @if ages.gateways == 0 { (say(words::K_NOBODY_HEARD)) }
            @else {
                (say(words::K_AGE)) ": " (say(words::K_NEWEST_WORD)) " " (since(ages.newest_unix_ms)) "; "
                (say(words::K_SILENT_OF)) " " strong { (ages.silent) } " " (say(words::K_OF)) " " (ages.gateways)
                @if ages.silent > 0 { "; " (say(words::K_LONGEST_SILENT)) " " (since(ages.oldest_unix_ms)) }
            }
        }
    }
}

fn latched(all: &[Latched], rules: &Rules, viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 8] = [
        words::K_EQUIPMENT,
        words::K_ENTRY,
        words::K_DIVISION,
        words::K_ENTERPRISE,
        words::K_STATE,
        words::K_SINCE,
        words::K_DRAWN_OVERDUE,
        words::K_HEARD,
    ];
    let language = viewer.language;
    if all.is_empty() {
        return html! { p { (unless_reading(words::K_NONE_LATCHED, viewer)) } };
    }
    html! {
        div.scroll role="region" aria-labelledby="latched" tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for Latched { row, plate, is_gone } in all {
                        @let machine = called::machine(plate.as_ref());
                        tr {
                            th scope="row" {
                                a href=(address(row)) { (row.gateway.to_string()) " / " (row.asset.to_string()) }
                                @if !machine.is_empty() { br; span.beside { (machine) } }
                            }
                            td { (called::title(row, rules, language)) }
                            td {
                                (row.division.map_or_else(|| "–".to_owned(), |division| division.to_string()))
                                @if *is_gone { " (" (words::K_GONE_ELSEWHERE.in_language(language)) ")" }
                            }
                            td { (row.enterprise.map_or_else(|| "–".to_owned(), |code| code.to_string())) }
                            td { (frame::badge(Badge::of(row, viewer.now_unix_ms), language)) }
                            td {
                                (row.violation_since_unix_ms.map_or_else(|| "–".to_owned(), |since| LegalTime(since).to_string()))
                            }
                            td.number { (overdue(row, language)) }
                            td { (age(row, viewer.now_unix_ms, language)) }
                        }
                    }
                }
            }
        }
    }
}

fn gone(all: &[AssetRow]) -> Markup {
    html! {
        ul {
            @for row in all {
                li { a href=(address(row)) { (row.gateway.to_string()) " / " (row.asset.to_string()) } }
            }
        }
    }
}

/// That there is none of something is said once all is read.
pub(super) fn unless_reading(none: Words, viewer: &Viewer) -> &'static str {
    let words = if viewer.reading.is_some() { words::K_NOT_WHOLE } else { none };
    words.in_language(viewer.language)
}

/// The last day of a month, `YYYY-MM`.
fn end_of(month: &str) -> Option<LegalDay> {
    [31, 30, 29, 28].into_iter().find_map(|day| LegalDay::parse(&format!("{month}-{day}")))
}

fn calendar(months: &[(String, u64)], filter: &DayFilter, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    const COLUMNS: [Words; 2] = [words::K_MONTH, words::K_EQUIPMENT];
    if months.is_empty() {
        return html! { p { (unless_reading(words::K_NO_DEADLINE, viewer)) } };
    }
    html! {
        table {
            (head(&COLUMNS, language))
            tbody {
                @for (month, count) in months {
                    @let due_by = end_of(month).map_or_else(String::new, |day| day.to_string());
                    tr {
                        th scope="row" { a href={ "/fleet?" (filter.query(&[("due_by", &due_by)])) } { (month) } }
                        td.number { (count) }
                    }
                }
            }
        }
    }
}

fn desk(load: Option<&Load>, filter: &DayFilter, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let Some(load) = load else { return html! { p { (say(words::K_NO_ALARMS_KEPT)) } } };
    let part = |part: Part| {
        let within = DayFilter { industry: None, due_by: None, ..filter.clone() };
        format!("/alarms?{}", within.query(&[("part", part.word())]))
    };
    // Nothing is told by the stream while records are read.
    let live = (filter.within == viewer.scope && viewer.reading.is_none()).then_some("open");
    html! {
        dl.facts {
            dt { (say(words::K_OPEN_ALARMS)) } dd { a href=(part(Part::Open)) data-live=[live] { (load.open) } }
            dt { (say(words::K_INSPECTIONS)) } dd { a href="/inspections" { (say(words::K_INSPECTIONS_OPEN)) } }
            dt { (say(words::K_SHELVED)) } dd { a href=(part(Part::Shelved)) { (load.shelved) } }
            dt { (say(words::K_OUT_OF_SERVICE)) } dd { a href=(part(Part::OutOfService)) { (load.retired) } }
            dt { (say(words::K_RAISED_DAY)) }
            dd { (load.raised_day) @if load.is_bounded { " " (say(words::K_DAY_BOUNDED)) } }
            dt { (say(words::K_MOST_IN_TEN)) }
            dd { (load.most_in_ten_minutes) @if load.most_in_ten_minutes > FLOOD { " " strong { (say(words::K_FLOOD)) } } }
        }
    }
}

/// Gateways that were admitted and never heard: no screen shows their equipment, and nobody knows yet whose it is.
fn unheard((all, named): &(u64, Vec<GatewayId>), viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    html! {
        @if *all > 0 {
            p.note {
                (say(words::K_NEVER_HEARD)) ": " strong { (all) } ". "
                @for (number, gateway) in named.iter().enumerate() {
                    @if number > 0 { ", " }
                    a href={ "/audit?gateway=" (gateway.to_string()) } { (gateway.to_string()) }
                }
                @if named.len() as u64 != *all { " …" }
            }
        }
    }
}

/// How old what is known of a row is, in words.
pub(super) fn age(row: &AssetRow, now_unix_ms: i64, language: Language) -> String {
    row.heard_unix_ms.map_or_else(
        || words::K_NEVER.in_language(language).to_owned(),
        |heard| ago(heard, now_unix_ms, language),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_its_last_day() {
        let ends =
            ["2026-12", "2026-11", "2027-02", "2028-02"].map(|month| end_of(month).unwrap().to_string());
        assert_eq!(ends, ["2026-12-31", "2026-11-30", "2027-02-28", "2028-02-29"]);
    }

    #[test]
    fn a_trend_without_a_day_to_compare_with_is_said_to_be_unknown() {
        assert_eq!(trend(3, None, Language::English), words::K_NO_TREND.en);
        assert!(trend(3, Some(5), Language::English).starts_with("▼ −2"));
        assert!(trend(5, Some(5), Language::Chinese).starts_with("▲ +0"));
    }
}
