//! One alarm: how it stands, the records it rests on, and its steps by the desk's signed log.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::{
    alarms::{cells, decide_form},
    head, record_address,
};
use crate::{
    regulator::{
        console::{
            Console,
            ask::{Pairs, written},
            asks::{AlarmTold, FindingTold, RecordAt, StepTold},
            door::Viewer,
            frame::{self, Here},
            stamped,
        },
        store::people::Role,
    },
    terms::{
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// `GET /alarm/{id}`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(alarms) = console.joined.alarms.clone() else { return frame::nothing(&viewer) };
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let before = pairs.one("before").and_then(|before| before.parse().ok()).unwrap_or(u64::MAX);
    let (scope, asked) = (viewer.scope.clone(), id.clone());
    match console.readers.ask(move |books| alarms.one(books, &scope, &asked, before)).await {
        Ok(Some(told)) => {
            let title = format!("{} {id}", words::K_ALARM.in_language(viewer.language));
            frame::page(&viewer, Here::Alarms, &title, &page(&told, &viewer))
        }
        Ok(None) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

fn page(told: &AlarmTold, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    html! {
        @if told.is_over { p.note { (say(words::K_ALARM_OVER)) } }
        @if told.is_left { p.note { (say(words::LATCHED_BEFORE)) ". " (say(words::NO_JOURNAL_OPENS)) } }
        (standing(told, viewer))
        @if viewer.role >= Role::Officer && !told.is_over {
            div.no-print { @for deed in &told.row.may { (decide_form(&told.row, *deed, viewer)) } }
        }
        @if let Some(finding) = &told.finding {
            h2 { (say(words::K_FINDING)) }
            (records(finding, language))
        }
        h2 id="steps" { (say(words::K_STEPS)) }
        (steps(&told.steps, language))
        @if let Some(older) = told.older {
            p.no-print {
                a href={ "/alarm/" (told.row.id) "?" (written(&[("before", &older.to_string())])) } { (say(words::K_OLDER)) }
            }
        }
        p.note { (say(words::K_RESET_BY_ACT)) }
    }
}

fn standing(told: &AlarmTold, viewer: &Viewer) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    let [_id, kind, what, about, priority, state, level, since, hand] = cells(&told.row, viewer);
    let asset = told.row.asset.map(|(gateway, asset)| format!("/asset/{gateway}/{asset}"));
    html! {
        dl.facts {
            dt { (say(words::K_KIND)) } dd { (kind) }
            dt { (say(words::K_WHAT)) } dd { strong { (what) } }
            dt { (say(words::K_ABOUT)) }
            dd { @match &asset { Some(address) => { a href=(address) { (about) } }, None => { (about) } } }
            dt { (say(words::K_PRIORITY)) } dd { (priority) }
            dt { (say(words::K_STATE)) } dd { (state) }
            dt { (say(words::K_LEVEL)) } dd { (level) }
            dt { (say(words::K_SINCE)) } dd { (since) }
            dt { (say(words::K_HAND)) } dd { (hand) }
            @if let Some(record) = told.record {
                dt { (say(words::K_RAISED_BY)) }
                dd.hash {
                    @match &asset {
                        Some(address) => { a href={ (address) "#r-" (record.to_string()) } { (record.to_string()) } },
                        None => { (record.to_string()) },
                    }
                }
            }
        }
    }
}

fn records(finding: &FindingTold, language: Language) -> Markup {
    const COLUMNS: [Words; 4] = [words::K_RECORD, words::K_WHEN, words::K_EQUIPMENT, words::K_PLACE];
    let say = |words: Words| words.in_language(language);
    html! {
        p { strong { (say(finding.what)) } ": " (stamped::words_of(&finding.about, language)) }
        p { (say(finding.clause)) }
        div.scroll role="region" aria-label=(say(words::K_FINDING)) tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for (when, at) in &finding.records {
                        tr {
                            th scope="row" { (say(*when)) }
                            @match at {
                                Some(at) => { (record(at)) },
                                None => { td colspan="3" { (say(words::K_RECORD_ELSEWHERE)) } },
                            }
                        }
                    }
                }
            }
        }
    }
}

fn record(at: &RecordAt) -> Markup {
    html! {
        td { (LegalTime(at.wall_unix_ms).to_string()) }
        td {
            @match at.asset {
                Some(asset) => {
                    a href={ "/asset/" (at.gateway.to_string()) "/" (asset.to_string()) } {
                        (at.gateway.to_string()) " / " (asset.to_string())
                    }
                },
                None => { (at.gateway.to_string()) },
            }
        }
        td.hash {
            (at.log.to_string()) " #" (at.seq) br;
            a href=(record_address(at.gateway, at.log, at.seq)) { (at.hash.to_string()) }
        }
    }
}

fn steps(all: &[StepTold], language: Language) -> Markup {
    const COLUMNS: [Words; 7] = [
        words::K_STEP_NUMBER,
        words::K_WHEN,
        words::K_STEP,
        words::K_STATE,
        words::K_LEVEL,
        words::K_HAND,
        words::K_HASH,
    ];
    let say = |words: Words| words.in_language(language);
    html! {
        div.scroll role="region" aria-labelledby="steps" tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for step in all {
                        tr {
                            td.number { (step.number) }
                            td { (LegalTime(step.at_unix_ms).to_string()) }
                            th scope="row" { (say(step.event)) }
                            td { (say(step.state)) }
                            td { (say(step.level)) }
                            td {
                                @match &step.hand {
                                    Some((who, why)) => { (who) ": " (why) },
                                    None => { "–" },
                                }
                            }
                            td.hash { (step.hash.to_string()) }
                        }
                    }
                }
            }
        }
    }
}
