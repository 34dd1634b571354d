//! One piece of equipment: how it stands and by what, its power with the gaps in it, its order, and what the records say, each
//! by its hash.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    response::Response,
};
use maud::{Markup, PreEscaped, html};

use super::{
    alarms, called, head, inspections,
    nameplate::{self, Plate},
    record_address, sources, tone,
};
use crate::{
    catalogue::Rules,
    evidence::{Body, LogId, Record, record::Unverified},
    judge::Finding,
    regulator::{
        console::{
            Console,
            ask::{Pairs, written},
            asks::{AlarmRow, AlarmsAsked},
            badge::Badge,
            chart::{self, Frame},
            csv as values,
            door::Viewer,
            frame::{self, Here},
            story::{self, ago, kilowatt_hours},
        },
        moved,
        store::{
            Answered, KeptRecord, Store,
            inspections::{Inspection, InspectionsAsked},
            sights::{AssetRow, Scope, SpanSum},
        },
    },
    terms::{
        AssetId, Digest, GatewayId,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// Records of the story on a page.
const STORY: u32 = 60;
/// Alarms of the equipment on its page.
const ALARMS: u32 = 10;
/// Looks on site that are listed there.
const INSPECTIONS: u32 = 10;
/// Lengths of the chart, in days.
const LENGTHS: [i64; 3] = [1, 7, 31];

/// A record of the story.
pub(super) struct Told {
    pub(super) log: LogId,
    pub(super) seq: u64,
    pub(super) hash: Digest,
    pub(super) wall_unix_ms: i64,
    /// Its place in the log is proven from the beginning.
    is_in_chain: bool,
    pub(super) record: Record,
}

impl Told {
    /// What is known of its signature and its place.
    pub(super) const fn signature(&self) -> Words {
        if self.is_in_chain { words::SIGNATURE_GOOD } else { words::PLACE_PENDING }
    }
}

/// What the screen shows.
pub(super) struct Case {
    pub(super) row: AssetRow,
    /// Its gateway speaks from elsewhere now.
    is_gone: bool,
    spans: Vec<SpanSum>,
    /// Since when it was told of at all, Unix milliseconds.
    witnessed_from_unix_ms: Option<i64>,
    frame: Frame,
    story: Vec<Told>,
    /// Older ones are there.
    older: Option<i64>,
    pub(super) verdict: Option<Record>,
    pub(super) plate: Option<Plate>,
    alarms: Vec<AlarmRow>,
    inspections: Vec<Inspection>,
    /// The steps of its order.
    steps: Vec<Told>,
    /// Days that its supplier counted, too.
    days: Vec<Told>,
}

/// Which stretch is asked for.
#[derive(Clone, Copy)]
struct Stretch {
    days: i64,
    before_unix_ms: i64,
}

impl Stretch {
    fn read(query: Option<&str>) -> Stretch {
        let pairs = Pairs::read(query.unwrap_or("").as_bytes());
        let days = pairs.one("days").and_then(|days| days.parse().ok());
        let before = pairs.one("before").and_then(|before| before.parse().ok());
        Stretch {
            days: days.filter(|days| LENGTHS.contains(days)).unwrap_or(7),
            before_unix_ms: before.unwrap_or(i64::MAX),
        }
    }
}

/// The names in an address; `None` for what cannot be one.
pub(super) fn named(gateway: &str, asset: &str) -> Option<(GatewayId, AssetId)> {
    GatewayId::new(gateway).zip(AssetId::new(asset))
}

/// `GET /asset/{gateway}/{asset}`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path((gateway, asset)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(which) = named(&gateway, &asset) else { return frame::nothing(&viewer) };
    let stretch = Stretch::read(query.as_deref());
    match asked(&console, &viewer, which, stretch).await {
        Ok(Some(case)) => {
            let title = format!("{} / {}", case.row.gateway, case.row.asset);
            frame::page(&viewer, Here::Fleet, &title, &page(&case, &console, stretch, &viewer))
        }
        Ok(None) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `GET /asset/{gateway}/{asset}/power.csv`: the steps of the chart with the same address.
pub(in crate::regulator::console) async fn csv(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path((gateway, asset)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(which) = named(&gateway, &asset) else { return frame::nothing(&viewer) };
    let stretch = Stretch::read(query.as_deref());
    match asked(&console, &viewer, which, stretch).await {
        Ok(Some(case)) => {
            let text = steps_table(&case, viewer.now_unix_ms, viewer.language);
            frame::file("text/csv; charset=utf-8", &format!("{gateway}-{asset}-power.csv"), text.into_bytes())
        }
        Ok(None) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

async fn asked(
    console: &Console,
    viewer: &Viewer,
    which: (GatewayId, AssetId),
    stretch: Stretch,
) -> Answered<Option<Case>> {
    let (scope, now_unix_ms) = (viewer.scope.clone(), viewer.now_unix_ms);
    let alarms = console.joined.alarms.clone();
    let ask = console.readers.ask(move |books| {
        let found = case(&mut *books.store, &scope, which, stretch, now_unix_ms)?;
        let Some(mut case) = found else { return Ok(None) };
        if let Some(alarms) = alarms {
            let asked = AlarmsAsked { asset: Some(which), ..AlarmsAsked::all(scope, ALARMS) };
            case.alarms = alarms.page(books, &asked)?.rows;
        }
        Ok(Some(case))
    });
    ask.await
}

fn case(
    store: &mut dyn Store,
    scope: &Scope,
    (gateway, asset): (GatewayId, AssetId),
    stretch: Stretch,
    now_unix_ms: i64,
) -> Answered<Option<Case>> {
    let Some(row) = store.asset(scope, gateway, asset)? else { return Ok(None) };
    let is_gone = moved::is_elsewhere(scope, &row);
    let Some(row) = moved::seen(store, scope, row)? else { return Ok(None) };
    let frame = Frame::days(stretch.days, now_unix_ms);
    let spans = store.spans(&row, scope, (frame.from_unix_ms, frame.to_unix_ms), frame.step_ms)?;
    let witnessed_from_unix_ms = store.witnessed_from(&row, scope)?;
    let kept = store.story(&row, scope, stretch.before_unix_ms, STORY)?;
    let is_more = kept.len() >= STORY as usize;
    let older = kept.last().filter(|_| is_more).map(|(.., record)| record.wall_unix_ms);
    let story = told(store, gateway, kept)?;
    let asked = InspectionsAsked {
        scope: scope.clone(),
        asset: Some((gateway, asset)),
        is_open: false,
        before: u64::MAX,
        most: INSPECTIONS,
    };
    let inspections = store.inspections(&asked)?;
    let verdict = record_at(store, gateway, row.verdict)?;
    let plate = called::plate(store, &row)?;
    let alarms = Vec::new();
    let (steps, days) =
        (sources::steps(store, &row, scope)?, sources::days(store, &row, scope, now_unix_ms)?);
    Ok(Some(Case {
        row,
        is_gone,
        spans,
        witnessed_from_unix_ms,
        frame,
        story,
        older,
        verdict,
        plate,
        alarms,
        inspections,
        steps,
        days,
    }))
}

pub(super) fn told(
    store: &mut dyn Store,
    gateway: GatewayId,
    kept: Vec<(LogId, u64, KeptRecord)>,
) -> Answered<Vec<Told>> {
    let heads = store.heads(Some(&[gateway].into()))?;
    let is_in_chain = |log, seq| heads.iter().any(|head| head.log == log && seq <= head.seq);
    let told = kept.into_iter().filter_map(|(log, seq, kept)| {
        // What is kept was verified when it came.
        let record = Unverified::read(&kept.bytes).and_then(Unverified::own).ok()?;
        let (hash, wall_unix_ms) = (kept.hash, kept.wall_unix_ms);
        Some(Told { log, seq, hash, wall_unix_ms, is_in_chain: is_in_chain(log, seq), record })
    });
    Ok(told.collect())
}

pub(super) fn record_at(
    store: &mut dyn Store,
    gateway: GatewayId,
    place: Option<(LogId, u64)>,
) -> Answered<Option<Record>> {
    let Some((log, seq)) = place else { return Ok(None) };
    let found = store.records_from((gateway, log), seq, 1)?.into_iter().find(|(at, _)| *at == seq);
    Ok(found.and_then(|(_, kept)| Unverified::read(&kept.bytes).and_then(Unverified::own).ok()))
}

fn page(case: &Case, console: &Console, stretch: Stretch, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    html! {
        (frame::fresh(&viewer.address, language))
        p.no-print { button type="button" data-print hidden { (say(words::K_PRINT)) } }
        (standing(case, &console.rules, viewer))
        h2 { (say(words::K_POWER)) }
        (power(case, stretch, viewer))
        h2 { (say(words::K_ALARMS)) }
        @if console.joined.alarms.is_some() { (alarms::table(&case.alarms, viewer)) }
        @else { p { (say(words::K_NO_ALARMS_KEPT)) } }
        h2 { (say(words::K_INSPECTIONS)) }
        (inspections::table(&case.inspections, viewer))
        (inspections::form(case.row.gateway.as_str(), case.row.asset.as_str(), viewer))
        h2 { (say(words::K_PLATE_AND_LAW)) }
        (nameplate::show(case, console, language))
        h2 { (say(words::K_ORDER_WAY)) }
        (sources::way(&case.steps, case.row.gateway, viewer))
        h2 { (say(words::K_TWO_SOURCES)) }
        (sources::compared(&case.days, case.row.gateway, viewer))
        h2 { (say(words::K_STORY)) }
        (story_table(case, stretch, viewer))
    }
}

fn standing(case: &Case, rules: &Rules, viewer: &Viewer) -> Markup {
    let (row, language) = (&case.row, viewer.language);
    let say = |words: Words| words.in_language(language);
    let badge = Badge::of(row, viewer.now_unix_ms);
    let sentence = case.verdict.as_ref().and_then(|record| sentence(record, row.verdict_unix_ms, language));
    html! {
        p { (frame::badge(badge, language)) }
        @for words in badge.beside() { p.note { (say(*words)) } }
        dl.facts {
            @if let Some(name) = case.plate.as_ref().and_then(Plate::name) { dt { (say(words::K_EQUIPMENT)) } dd { (name) } }
            @if !row.entry.is_empty() { dt { (say(words::K_ENTRY)) } dd { (called::title(row, rules, language)) } }
            dt { (say(words::K_DIVISION)) }
            dd {
                (row.division.map_or_else(|| "–".to_owned(), |division| division.to_string()))
                @if case.is_gone { " (" (say(words::K_GONE_ELSEWHERE)) ")" }
            }
            dt { (say(words::K_ENTERPRISE)) } dd { (row.enterprise.map_or_else(|| "–".to_owned(), |e| e.to_string())) }
            @if let Some(sentence) = sentence {
                dt { (say(words::K_VERDICT)) } dd { (sentence) }
                dt { (say(words::K_SINCE)) } dd { (LegalTime(row.since_unix_ms).to_string()) }
            }
            @if let Some(since) = row.violation_since_unix_ms {
                dt { (say(words::K_LATCHED_SINCE)) }
                dd {
                    (LegalTime(since).to_string()) ". "
                    (say(words::K_RESET_BY_ACT))
                }
                dt { (say(words::K_DRAWN_OVERDUE)) } dd { (super::overdue(row, language)) }
            }
            dt { (say(words::LAST_LAWFUL_DAY)) } dd { (row.last_day.map_or_else(|| "–".to_owned(), |d| d.to_string())) }
            @if let Some((order, rung)) = row.order {
                dt { (say(words::P_ORDER)) } dd {
                    (order.to_string()) ": " (rung.told(language)) " "
                    a.no-print href={ "/asset/" (row.gateway.to_string()) "/" (row.asset.to_string()) "/certificate/" (order.to_string()) } {
                        (say(words::K_CERTIFICATE))
                    }
                }
            }
            dt { (say(words::K_HEARD)) } dd {
                @match row.heard_unix_ms {
                    Some(heard) => { (LegalTime(heard).to_string()) " (" (ago(heard, viewer.now_unix_ms, language)) ")" },
                    None => { (say(words::K_NEVER)) },
                }
            }
            dt { (say(words::K_ATTESTED)) } dd {
                @match row.attested() {
                    Some(at) => { (LegalTime(at).to_string()) " (" (ago(at, viewer.now_unix_ms, language)) ")" },
                    None => { (say(words::K_NEVER)) },
                }
            }
        }
    }
}

fn sentence(record: &Record, at_unix_ms: i64, language: Language) -> Option<String> {
    let Body::Finding(Finding::Verdict(verdict)) = &record.body else { return None };
    Some(story::standing(verdict, at_unix_ms, language))
}

fn power(case: &Case, stretch: Stretch, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    let steps = case.frame.all(&case.spans, viewer.now_unix_ms);
    let gaps = steps.iter().filter(|step| step.is_hatched).count();
    let coverage = chart::coverage(&case.spans, case.witnessed_from_unix_ms, &case.frame, viewer.now_unix_ms);
    let untold = steps.iter().filter(|step| step.mean.is_none()).count();
    let energy = match chart::energy(&case.spans) {
        None => say(words::K_NOT_TOLD).to_owned(),
        Some(energy) if gaps == 0 => kilowatt_hours(energy),
        Some(energy) => format!("{} {}", say(words::K_AT_LEAST), kilowatt_hours(energy)),
    };
    let summary = format!(
        "{}: {energy}; {}: {untold} / {}; {}: {coverage}; {}: {gaps}",
        say(words::K_ENERGY),
        say(words::K_STEPS_UNTOLD),
        steps.len(),
        say(words::K_COVERAGE),
        say(words::K_GAPS)
    );
    let address = super::address(&case.row);
    let days = stretch.days.to_string();
    html! {
        p.no-print {
            @for length in LENGTHS {
                a href={ (address) "?" (written(&[("days", &length.to_string())])) } aria-current=[(length == stretch.days).then_some("true")] {
                    (length) " " (say(if length == 1 { words::K_DAY_LONG } else { words::K_DAYS_LONG }))
                }
                " · "
            }
            a href={ (address) "/power.csv?" (written(&[("days", &days)])) } { (say(words::K_CSV)) }
        }
        (PreEscaped(chart::power(&case.frame, &steps, &summary, language)))
        p { (summary) ". " (say(words::K_HATCHED)) }
    }
}

/// The chart's steps as values: what is not told is empty, and never nought.
fn steps_table(case: &Case, now_unix_ms: i64, language: Language) -> String {
    let head =
        [words::K_FROM, words::K_MEAN_POWER, words::K_SEEN_WHOLE].map(|words| words.in_language(language));
    let yes_no = |is_whole: bool| {
        let words = if is_whole { words::K_YES } else { words::K_NO };
        words.in_language(language).to_owned()
    };
    let rows: Vec<[String; 3]> = case
        .frame
        .all(&case.spans, now_unix_ms)
        .iter()
        .map(|step| {
            let from = LegalTime(case.frame.from_unix_ms + step.number * case.frame.step_ms).to_string();
            [
                from,
                step.mean.map_or_else(String::new, |mean| mean.watts().to_string()),
                yes_no(!step.is_hatched),
            ]
        })
        .collect();
    values::table(&head, rows.iter().map(<[String; 3]>::as_slice))
}

fn story_table(case: &Case, stretch: Stretch, viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 4] = [words::K_WHEN, words::K_WHAT, words::K_PLACE, words::K_SIGNATURE];
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    let lines = case
        .story
        .iter()
        .filter_map(|told| Some((told, story::told(&told.record, told.wall_unix_ms, language)?)));
    html! {
        div.scroll role="region" aria-label=(say(words::K_STORY)) tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for (told, (meant, text)) in lines {
                        tr {
                            td { (LegalTime(told.wall_unix_ms).to_string()) }
                            td class=(tone(meant)) { (text) }
                            td.hash id={ "r-" (told.hash.to_string()) } {
                                (told.log.to_string()) " #" (told.seq) br;
                                a href=(record_address(case.row.gateway, told.log, told.seq)) { (told.hash.to_string()) }
                            }
                            td { (say(told.signature())) }
                        }
                    }
                }
            }
        }
        @if let Some((log, _)) = case.row.verdict {
            p.no-print { a href={ "/log/" (case.row.gateway.to_string()) "/" (log.to_string()) } { (say(words::K_TAKE_ALONG)) } }
        }
        @if let Some(older) = case.older {
            p.no-print {
                a href={ (super::address(&case.row)) "?"
                    (written(&[("days", &stretch.days.to_string()), ("before", &older.to_string())])) } {
                    (say(words::K_OLDER))
                }
            }
        }
    }
}
