//! The way of a cut-off order, step by step from its beginning, and the days that the supplier counted, too, beside what the gateway
//! counted: two sources, each by its record.

use maud::{Markup, html};

use super::{
    asset::{Told, told},
    head, record_address,
};
use crate::{
    evidence::{Body, Record},
    judge::{Event, Finding, Rung, cutoff::Reconciliation},
    regulator::{
        console::{
            chart::DAY_MS,
            door::Viewer,
            story::{self, kilowatt_hours},
        },
        store::{
            Answered, KeptRecord, Store,
            sights::{AssetRow, Scope},
        },
    },
    terms::{
        GatewayId, LegalDay, Name, OrderId,
        time::LegalTime,
        words::{self, Words},
    },
};

/// Papers of a log that are read at once, and how often: those beyond are not looked through.
const PAGE: u32 = 500;
const PAGES: u32 = 40;
/// Days that are compared, and events that are looked through for them.
const DAYS: i64 = 31;
const EVENTS: u32 = 400;

/// The steps of the order of a piece of equipment, the oldest first.
pub(super) fn steps(store: &mut dyn Store, row: &AssetRow, scope: &Scope) -> Answered<Vec<Told>> {
    let Some((order, _)) = row.order else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    let heads = store.heads(Some(&[row.gateway].into()))?;
    for known in heads.iter().filter(|known| scope.has(known.division)) {
        let mut from = 0;
        for _ in 0..PAGES {
            let page = store.papers((row.gateway, known.log), from, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            from = last.saturating_add(1);
            let is_step = |one: &KeptRecord| one.kind == "transition" && one.asset == row.asset.as_str();
            let steps = page.into_iter().filter(|(_, one)| is_step(one));
            kept.extend(steps.map(|(seq, one)| (known.log, seq, one)));
        }
    }
    let mut all = told(store, row.gateway, kept)?;
    all.retain(|told| step(&told.record).is_some_and(|(of, ..)| of == order));
    all.sort_by_key(|told| told.wall_unix_ms);
    Ok(all)
}

/// Days that both have counted, the newest first.
pub(super) fn days(
    store: &mut dyn Store,
    row: &AssetRow,
    scope: &Scope,
    now_unix_ms: i64,
) -> Answered<Vec<Told>> {
    let kept = store.events(row, scope, now_unix_ms.saturating_sub(DAYS * DAY_MS), EVENTS)?;
    let mut all = told(store, row.gateway, kept)?;
    all.retain(|told| counted(&told.record).is_some());
    Ok(all)
}

/// Of which order, from where to where, and who moved it.
fn step(record: &Record) -> Option<(OrderId, Rung, Rung, Name)> {
    let Body::Finding(Finding::Transition(step)) = &record.body else { return None };
    Some((step.order, step.from, step.to, step.actor))
}

fn counted(record: &Record) -> Option<Reconciliation> {
    let Body::Finding(Finding::Event(Event::Reconcile(day))) = &record.body else { return None };
    Some(*day)
}

/// The order's way.
pub(super) fn way(steps: &[Told], gateway: GatewayId, viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 5] =
        [words::K_WHEN, words::K_STEP, words::K_ACTOR, words::K_PLACE, words::K_SIGNATURE];
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    if steps.is_empty() {
        return html! { p { (say(words::K_NO_ORDER)) } };
    }
    let lines = steps.iter().filter_map(|told| Some((told, step(&told.record)?)));
    html! {
        div.scroll role="region" aria-label=(say(words::K_ORDER_WAY)) tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for (told, (_, from, to, actor)) in lines {
                        tr {
                            td { (LegalTime(told.wall_unix_ms).to_string()) }
                            th scope="row" { (from.words().in_language(language)) " → " (to.words().in_language(language)) }
                            td { @if actor.as_str() == "agent" { (say(words::K_BY_GATEWAY)) } @else { (actor.to_string()) } }
                            (place(told, gateway))
                            td { (say(told.signature())) }
                        }
                    }
                }
            }
        }
    }
}

/// Two sources of one energy.
pub(super) fn compared(days: &[Told], gateway: GatewayId, viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 7] = [
        words::K_DAY_OF,
        words::K_METER,
        words::K_OURS,
        words::K_THEIRS,
        words::K_MAY_DIFFER,
        words::K_OUTCOME,
        words::K_PLACE,
    ];
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    if days.is_empty() {
        return html! { p { (say(words::K_ONE_SOURCE)) } };
    }
    let lines = days.iter().filter_map(|told| Some((told, counted(&told.record)?)));
    html! {
        div.scroll role="region" aria-label=(say(words::K_TWO_SOURCES)) tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for (told, day) in lines {
                        tr {
                            th scope="row" { (LegalDay::of_unix_ms(day.from_unix_ms).to_string()) }
                            td { (day.meter.to_string()) }
                            td.number { (kilowatt_hours(day.ours)) }
                            td.number { (kilowatt_hours(day.theirs)) }
                            td.number { (kilowatt_hours(day.may_differ)) }
                            td class=(super::tone(story::tone_of(&day))) {
                                (say(if day.agrees() { words::DAY_AGREES } else { words::DAY_DIFFERS }))
                            }
                            (place(told, gateway))
                        }
                    }
                }
            }
        }
    }
}

/// A record's place and hash.
pub(super) fn place(told: &Told, gateway: GatewayId) -> Markup {
    html! {
        td.hash {
            (told.log.to_string()) " #" (told.seq) br;
            a href=(record_address(gateway, told.log, told.seq)) { (told.hash.to_string()) }
        }
    }
}
