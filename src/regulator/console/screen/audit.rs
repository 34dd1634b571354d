//! Audit and rules: by which law is judged, whose keys count, records to take along, a box that verifies what somebody brings.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::head;
use crate::{
    evidence::{LogId, PublicKey},
    regulator::{
        console::{
            Console,
            ask::Pairs,
            asks::{ReportForm, ReportKind},
            door::Viewer,
            flow::{self, Part},
            frame::{self, Here},
        },
        store::{Admitted, Answered, Kept, Store, people::Role, sights::Scope},
    },
    terms::{
        GatewayId,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// Records of a log that are in memory at once.
const PART: u32 = 2_048;

/// A gateway that was asked for, as far as its logs lie in the scope.
struct Asked {
    keys: Vec<Admitted>,
    logs: Vec<Kept>,
}

/// `GET /audit`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let gateway = pairs.one("gateway").and_then(GatewayId::new);
    let scope = viewer.scope.clone();
    let asked = console.readers.ask(move |books| {
        let found = gateway.map(|gateway| of(&mut *books.store, &scope, gateway)).transpose()?;
        Ok((books.trusted.clone(), found.flatten()))
    });
    match asked.await {
        Ok((authority, found)) => {
            let title = words::K_AUDIT.in_language(viewer.language);
            let wanted = pairs.one("gateway").unwrap_or("");
            frame::page(
                &viewer,
                Here::Audit,
                title,
                &page(&console, &viewer, &authority, (wanted, found.as_ref())),
            )
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// A gateway, if a log of it lies in the scope. One that was admitted and of which nothing was ever heard lies where it is said
/// to: where nobody said so, its key is the nation's to see.
fn of(store: &mut dyn Store, scope: &Scope, gateway: GatewayId) -> Answered<Option<Asked>> {
    let mut logs = store.heads(Some(&[gateway].into()))?;
    let is_heard = !logs.is_empty();
    logs.retain(|kept| scope.has(kept.division));
    if logs.is_empty() && is_heard {
        return Ok(None);
    }
    let keys = store.admitted_of(gateway)?;
    let is_said =
        |key: &Admitted| *scope == Scope::NATION || key.division.is_some_and(|said| scope.has(said));
    Ok((is_heard || keys.iter().any(is_said)).then_some(Asked { keys, logs }))
}

fn page(
    console: &Console,
    viewer: &Viewer,
    authority: &[PublicKey],
    (wanted, found): (&str, Option<&Asked>),
) -> Markup {
    let language = viewer.language;
    let say = |words: Words| words.in_language(language);
    html! {
        @if viewer.role >= Role::Overseer { p { a href="/audit/seen" { (say(words::K_WHO_SAW)) } } }
        h2 { (say(words::K_VERIFY)) }
        (verify_box(viewer))
        h2 { (say(words::K_REPORTS)) }
        (reports(console, viewer))
        h2 { (say(words::K_RULES)) }
        (rules(console, language))
        (super::rules::form(viewer))
        h2 { (say(words::K_KEYS)) }
        p { (say(words::K_AUTHORITY_KEYS)) }
        ul { @for key in authority { li.hash { (key.id().to_string()) " " (key.fingerprint()) } } }
        p { a href="/audit/keys" { (say(words::K_KEYS_ALL)) } " · " a href="/audit/keys?revoked=1" { (say(words::K_KEYS_REVOKED)) } }
        form.filter method="get" action="/audit" {
            div { label for="gateway" { (say(words::K_GATEWAY)) } input id="gateway" name="gateway" value=(wanted) maxlength="24"; }
            button { (say(words::K_SHOW_IT)) }
        }
        @match found {
            Some(found) => { (gateway(found, language)) },
            None => { @if !wanted.is_empty() { p { (say(words::K_NOTHING_FOUND)) } } },
        }
    }
}

fn verify_box(viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    html! {
        p { (say(words::K_VERIFY_HOW)) }
        // The token stands first: what follows it is read only if it is right.
        form.filter method="post" action="/verify" enctype="multipart/form-data" {
            (frame::form_token(viewer))
            div { label for="records" { (say(words::K_RECORDS_FILE)) } input id="records" type="file" name="records" required; }
            div { label for="receipts" { (say(words::K_RECEIPTS_FILE)) } input id="receipts" type="file" name="receipts"; }
            button { (say(words::K_VERIFY)) }
        }
    }
}

fn reports(console: &Console, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let Some(reports) = &console.joined.reports else { return html! { p { (say(words::K_NO_REPORTS)) } } };
    html! {
        @for kind in reports.kinds() { (report(*kind, viewer)) }
        p { (say(words::K_REPORTS_BY_FILES)) }
    }
}

fn report(kind: ReportKind, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let lines = html! {
        strong { (say(kind.title)) }
        div { label for={ "from-" (kind.word) } { (say(words::K_FROM)) } input id={ "from-" (kind.word) } name="from" type="date" required; }
        div { label for={ "to-" (kind.word) } { (say(words::K_TO_INCLUDED)) } input id={ "to-" (kind.word) } name="to" type="date" required; }
        div { label for={ "in-" (kind.word) } { (say(words::K_DIVISION)) } input id={ "in-" (kind.word) } name="in" maxlength="6" value=(viewer.scope.as_str()); }
        @for file in kind.files {
            @let id = format!("{}-{}", file.word, kind.word);
            div { label for=(id) { (say(file.label)) } input id=(id) type="file" name=(file.word) required[file.is_needed] multiple[file.is_many]; }
        }
        @for form in ReportForm::ALL {
            button formaction={ "/report/" (kind.word) "/" (form.word()) } { (form.word()) }
        }
    };
    let action = format!("/report/{}/html", kind.word);
    html! {
        @if kind.files.is_empty() {
            form.filter method="get" action=(action) { (lines) }
        } @else {
            // The token stands first: what follows it is read only if it is right.
            form.filter method="post" action=(action) enctype="multipart/form-data" { (frame::form_token(viewer)) (lines) }
        }
    }
}

fn rules(console: &Console, language: Language) -> Markup {
    const COLUMNS: [Words; 4] = [words::K_INSTRUMENT, words::K_ISSUED, words::K_ENTRIES, words::K_HASH];
    let loosened = console.rules.lint();
    html! {
        div.scroll role="region" aria-label=(words::K_RULES.in_language(language)) tabindex="0" {
            table {
                (head(&COLUMNS, language))
                tbody {
                    @for source in console.rules.sources() {
                        tr {
                            th scope="row" { (source.number) " (" (source.id) ")" }
                            td { (source.issued.to_string()) }
                            td.number { (console.rules.entries().filter(|entry| entry.source.sha256 == source.sha256).count()) }
                            td.hash { (source.sha256.to_string()) }
                        }
                    }
                }
            }
        }
        p { (words::K_LOOSENED.in_language(language)) ": " (loosened.len()) }
        ul { @for line in &loosened { li { (line) } } }
    }
}

fn gateway(found: &Asked, language: Language) -> Markup {
    const KEYS: [Words; 4] = [words::K_KEY, words::K_FINGERPRINT, words::K_ADMITTED, words::K_REVOKED];
    const LOGS: [Words; 4] = [words::K_LOG, words::K_DIVISION, words::K_HEAD, words::K_RECORDS];
    html! {
        @if found.logs.is_empty() { p.note { (words::CAUSE_NEVER_HEARD.in_language(language)) } }
        div.scroll role="region" aria-label=(words::K_KEYS.in_language(language)) tabindex="0" {
            table {
                (head(&KEYS, language))
                tbody {
                    @for one in &found.keys {
                        tr {
                            th scope="row" class="hash" { (one.key.id().to_string()) }
                            td.hash { (one.key.fingerprint()) }
                            td { (LegalTime(one.admitted_unix_ms).to_string()) }
                            td { (one.revoked_unix_ms.map_or_else(|| "–".to_owned(), |at| LegalTime(at).to_string())) }
                        }
                    }
                }
            }
        }
        @if !found.logs.is_empty() {
            div.scroll role="region" aria-label=(words::K_LOG.in_language(language)) tabindex="0" {
                table {
                    (head(&LOGS, language))
                    tbody {
                        @for kept in &found.logs {
                            tr {
                                th scope="row" class="hash" { (kept.log.to_string()) }
                                td { (kept.division.to_string()) }
                                td.hash { "#" (kept.seq) " " (kept.head.to_string()) }
                                td {
                                    a href={ "/log/" (kept.gateway.to_string()) "/" (kept.log.to_string()) } {
                                        (words::K_TAKE_ALONG.in_language(language))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `GET /log/{gateway}/{log}`: a log as it came, a record a line, to be verified anywhere; from a place on, and up to one, where
/// they are named.
pub(in crate::regulator::console) async fn records(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path((gateway, log)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(which) = GatewayId::new(&gateway).zip(LogId::from_hex(&log)) else {
        return frame::nothing(&viewer);
    };
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let place = |name| pairs.one(name).and_then(|place| place.parse().ok());
    let (from, to) = (place("from").unwrap_or(0), place("to").unwrap_or(u64::MAX));
    match part(console.clone(), viewer.scope.clone(), which, (from, to)).await {
        Ok(Some(first)) => {
            let scope = viewer.scope.clone();
            flow::file(("application/jsonl", "records.jsonl"), first, move |from| {
                let part = part(console.clone(), scope.clone(), which, (from, to));
                async { Ok(part.await?.unwrap_or_default()) }
            })
        }
        Ok(None) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// Records from a place on up to another, and the place after them if there may be more; none of a log outside the scope.
async fn part(
    console: Arc<Console>,
    scope: Scope,
    (gateway, log): (GatewayId, LogId),
    (from, to): (u64, u64),
) -> Answered<Option<Part<u64>>> {
    let most = PART.min(u32::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(PART));
    let asked = console.readers.ask(move |books| {
        let store = &mut *books.store;
        let is_here =
            of(store, &scope, gateway)?.is_some_and(|found| found.logs.iter().any(|kept| kept.log == log));
        if is_here { store.records_from((gateway, log), from, most).map(Some) } else { Ok(None) }
    });
    Ok(asked.await?.map(|mut records| {
        records.retain(|(seq, _)| *seq <= to);
        // A part may be short because its records are long: the file ends where there is none any more.
        let next = records.last().and_then(|(seq, _)| seq.checked_add(1)).filter(|next| *next <= to);
        let lines = records.iter().flat_map(|(_, record)| record.bytes.iter().copied().chain([b'\n']));
        (lines.collect(), next)
    }))
}
