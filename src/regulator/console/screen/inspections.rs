//! Looks on site: asked for at a piece of equipment, listed until somebody reports what was found.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{Multipart, RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::{asset::named, head};
use crate::{
    regulator::{
        console::{
            Console,
            ask::{Pairs, written},
            door::{self, Viewer},
            frame::{self, Here},
            upload,
        },
        store::{
            inspections::{Inspection, InspectionsAsked, MAX_WHY_CHARS, Said},
            people::Role,
        },
    },
    terms::{
        time::LegalTime,
        words::{self, Words},
    },
};

/// Rows of a page.
const ROWS: u32 = 50;
/// Photographs whose hashes a report names.
const MOST_PHOTOS: usize = 4;
/// Longest name of one, in characters; of a longer one this much is kept.
const MAX_PHOTO_NAME_CHARS: usize = 40;

/// `GET /inspections`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let before = pairs.one("before").and_then(|before| before.parse().ok()).unwrap_or(u64::MAX);
    let is_open = pairs.one("all").is_none();
    let asked = InspectionsAsked { scope: viewer.scope.clone(), asset: None, is_open, before, most: ROWS };
    match console.readers.ask(move |books| books.store.inspections(&asked)).await {
        Ok(all) => {
            let title = words::K_INSPECTIONS.in_language(viewer.language);
            frame::page(&viewer, Here::Today, title, &page(&all, is_open, &viewer))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

fn page(all: &[Inspection], is_open: bool, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let older = all.last().filter(|_| all.len() >= ROWS as usize).map(|last| last.number.to_string());
    let every = if is_open { "" } else { "1" };
    html! {
        p.no-print {
            @if is_open { a href="/inspections?all=1" { (say(words::K_INSPECTIONS_ALL)) } }
            @else { a href="/inspections" { (say(words::K_INSPECTIONS_OPEN)) } }
        }
        (table(all, viewer))
        @if let Some(older) = older {
            p.no-print {
                a href={ "/inspections?" (written(&[("all", every), ("before", &older)])) } { (say(words::K_OLDER)) }
            }
        }
    }
}

/// Requests, with a form to report on each that is open.
pub(super) fn table(all: &[Inspection], viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 4] =
        [words::K_EQUIPMENT, words::K_INSPECTION_ASKED, words::K_INSPECTION_FOUND, words::K_DO];
    let say = |words: Words| words.in_language(viewer.language);
    if all.is_empty() {
        return html! { p { (say(words::K_NO_INSPECTION)) } };
    }
    html! {
        div.scroll role="region" aria-label=(say(words::K_INSPECTIONS)) tabindex="0" {
            table {
                (head(&COLUMNS, viewer.language))
                tbody { @for one in all { (line(one, viewer)) } }
            }
        }
    }
}

fn line(one: &Inspection, viewer: &Viewer) -> Markup {
    let told = |said: &Said| format!("{} {}: {}", LegalTime(said.at_unix_ms), said.who, said.what);
    let (gateway, asset) = (one.gateway.to_string(), one.asset.to_string());
    html! {
        tr {
            th scope="row" { a href={ "/asset/" (gateway) "/" (asset) } { (gateway) " / " (asset) } }
            td { (told(&one.asked)) }
            td { @match &one.answered { Some(answered) => { (told(answered)) }, None => { "–" } } }
            td.no-print {
                @if one.answered.is_none() && viewer.role >= Role::Officer {
                    details {
                        summary { (words::K_INSPECTION_REPORT.in_language(viewer.language)) }
                        // The token stands first: what follows it is read only if it is right.
                        form method="post" action="/inspections/report" enctype="multipart/form-data" {
                            (frame::form_token(viewer))
                            input type="hidden" name="number" value=(one.number);
                            (asking(viewer, &format!("found-{}", one.number), words::K_INSPECTION_FOUND))
                            label for={ "photos-" (one.number) } { (words::K_PHOTOS.in_language(viewer.language)) }
                            input id={ "photos-" (one.number) } type="file" name="photos" accept="image/*" multiple;
                            button { (words::K_INSPECTION_REPORT.in_language(viewer.language)) }
                        }
                    }
                }
            }
        }
    }
}

/// A field for what somebody has to say, and where to go on afterwards.
fn asking(viewer: &Viewer, id: &str, label: Words) -> Markup {
    html! {
        input type="hidden" name="back" value=(viewer.address);
        label for=(id) { (label.in_language(viewer.language)) }
        input id=(id) name="why" maxlength=(MAX_WHY_CHARS) required;
    }
}

/// The form that asks for one at a piece of equipment.
pub(super) fn form(gateway: &str, asset: &str, viewer: &Viewer) -> Markup {
    if viewer.role < Role::Officer {
        return html! {};
    }
    html! {
        details.no-print {
            summary { (words::K_INSPECTION_ASK.in_language(viewer.language)) }
            form method="post" action="/inspections" {
                (frame::form_token(viewer))
                input type="hidden" name="gateway" value=(gateway);
                input type="hidden" name="asset" value=(asset);
                (asking(viewer, "inspection-why", words::K_WHY))
                button { (words::K_INSPECTION_ASK.in_language(viewer.language)) }
            }
        }
    }
}

/// `POST /inspections`
pub(in crate::regulator::console) async fn ask(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Response {
    let (pairs, said) = match said(&viewer, viewer.form(&body)) {
        Ok(said) => said,
        Err(refused) => return *refused,
    };
    let which =
        pairs.one("gateway").zip(pairs.one("asset")).and_then(|(gateway, asset)| named(gateway, asset));
    let Some((gateway, asset)) = which else { return frame::nothing(&viewer) };
    let scope = viewer.scope.clone();
    let asked = console.readers.ask(move |books| {
        if books.store.asset(&scope, gateway, asset)?.is_none() {
            return Ok(None);
        }
        books.store.ask_inspection(&scope, gateway, asset, &said).map(Some)
    });
    match asked.await {
        Ok(Some(true)) => door::to(pairs.back("/inspections")),
        Ok(Some(false)) => frame::refused(&viewer, words::K_INSPECTIONS_MANY),
        Ok(None) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `POST /inspections/report`
pub(in crate::regulator::console) async fn report(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    mut parts: Multipart,
) -> Response {
    let Some(_coming) = console.coming.one_more(viewer.name) else { return frame::busy(&viewer) };
    let (lines, photos) = match upload::hashed(&mut parts, &viewer, MOST_PHOTOS).await {
        Ok(brought) => brought,
        Err(why) => return frame::refused(&viewer, why),
    };
    let (pairs, mut said) = match said(&viewer, Some(Pairs::of(lines))) {
        Ok(said) => said,
        Err(refused) => return *refused,
    };
    for (name, hash) in photos {
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_PHOTO_NAME_CHARS).collect();
        let _infallible = write!(said.what, " [{name} SHA-256 {hash}]");
    }
    let Some(number) = pairs.one("number").and_then(|number| number.parse().ok()) else {
        return frame::nothing(&viewer);
    };
    let scope = viewer.scope.clone();
    match console.readers.ask(move |books| books.store.answer_inspection(&scope, number, &said)).await {
        Ok(true) => door::to(pairs.back("/inspections")),
        Ok(false) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// What an officer said in a form of this session.
fn said(viewer: &Viewer, form: Option<Pairs>) -> Result<(Pairs, Said), Box<Response>> {
    let refused = |why| Box::new(frame::refused(viewer, why));
    let pairs = form.ok_or_else(|| refused(words::K_FORM_FOREIGN))?;
    if viewer.role < Role::Officer {
        return Err(Box::new(frame::forbidden(viewer)));
    }
    let why = pairs.one("why").filter(|why| why.chars().count() <= MAX_WHY_CHARS);
    let what = why.ok_or_else(|| refused(words::K_SAY_IT))?.to_owned();
    Ok((pairs, Said { who: viewer.name, at_unix_ms: viewer.now_unix_ms, what }))
}
