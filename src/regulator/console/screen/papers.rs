//! Papers that are handed on by themselves: a certificate of a cut, and the reports the notice asks for.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Multipart, Path, RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::asset::named;
use crate::{
    host::exit::Exit,
    regulator::{
        certificate,
        console::{
            Console,
            ask::Pairs,
            asks::{FileAsked, Made, ReportAsked, ReportForm, ReportKind},
            door::Viewer,
            frame::{self, Here},
            upload,
        },
        moved,
        store::{StoreFault, sights::Scope},
    },
    terms::{
        LegalDay, OrderId,
        words::{self, Words},
    },
};

/// Mistakes of files that are listed.
const MOST_FLAWS: usize = 50;

/// What became of a certificate.
enum Certified {
    Page(String),
    /// The log does not bear one out.
    Not,
    /// There is no such equipment in the scope, or no such order of it.
    Nothing,
}

/// `GET /asset/{gateway}/{asset}/certificate/{order}`
pub(in crate::regulator::console) async fn certificate(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path((gateway, asset, order)): Path<(String, String, String)>,
) -> Response {
    let Some(((gateway, asset), order)) = named(&gateway, &asset).zip(OrderId::new(&order)) else {
        return frame::nothing(&viewer);
    };
    let (scope, now_unix_ms) = (viewer.scope.clone(), viewer.now_unix_ms);
    let issued = console.readers.ask(move |books| {
        let row = books.store.asset(&scope, gateway, asset)?;
        // What lies elsewhere now is certified there.
        let row = row.filter(|row| !moved::is_elsewhere(&scope, row));
        if row.and_then(|row| row.order).is_none_or(|(known, _)| known != order) {
            return Ok(Certified::Nothing);
        }
        let which = (order, Some(gateway));
        match certificate::issue(&mut *books.store, which, &books.trusted, &*books.signer, now_unix_ms) {
            Ok(issued) => Ok(Certified::Page(issued.html)),
            Err(failure) if failure.exit == Exit::Negative => Ok(Certified::Not),
            Err(failure) => Err(StoreFault::Failed(failure)),
        }
    });
    match issued.await {
        Ok(Certified::Page(html)) => frame::paper(html),
        Ok(Certified::Not) => frame::refused(&viewer, words::K_NOT_CERTIFIED),
        Ok(Certified::Nothing) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// `GET /report/{kind}/{form}`
pub(in crate::regulator::console) async fn report(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path((kind, form)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(wanted) = wanted(&console, &kind, &form) else { return frame::nothing(&viewer) };
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    match asked(&pairs, &viewer, wanted) {
        Ok(asked) => made(&console, &viewer, asked).await,
        Err(why) => frame::refused(&viewer, why),
    }
}

/// `POST /report/{kind}/{form}`, with the files that it rests on.
pub(in crate::regulator::console) async fn report_of_files(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    Path((kind, form)): Path<(String, String)>,
    mut parts: Multipart,
) -> Response {
    let Some(wanted) = wanted(&console, &kind, &form) else { return frame::nothing(&viewer) };
    let Some(_coming) = console.coming.one_more(viewer.name) else { return frame::busy(&viewer) };
    let (lines, files) = match upload::brought(&mut parts, &viewer).await {
        Ok(brought) => brought,
        Err(why) => return frame::refused(&viewer, why),
    };
    let is_there = |file: &FileAsked| files.iter().any(|brought| brought.word == file.word);
    if wanted.0.files.iter().any(|file| file.is_needed && !is_there(file)) {
        return frame::refused(&viewer, words::K_NO_FILE);
    }
    match asked(&Pairs::of(lines), &viewer, wanted) {
        Ok(asked) => made(&console, &viewer, ReportAsked { files, ..asked }).await,
        Err(why) => frame::refused(&viewer, why),
    }
}

/// The kind and the form that these words name: a name of a file is made of them.
fn wanted(console: &Console, kind: &str, form: &str) -> Option<(&'static ReportKind, ReportForm)> {
    let reports = console.joined.reports.as_ref()?;
    let kind = reports.kinds().iter().find(|known| known.word == kind)?;
    Some((kind, ReportForm::from_word(form)?))
}

async fn made(console: &Console, viewer: &Viewer, asked: ReportAsked) -> Response {
    let Some(reports) = console.joined.reports.clone() else { return frame::nothing(viewer) };
    // It is never closed.
    let _one = console.reports.acquire().await;
    let (form, word) = (asked.form, asked.word.clone());
    match console.readers.ask(move |books| reports.make(books, &asked)).await {
        Ok(Made::Paper(bytes)) if form == ReportForm::Html => {
            frame::paper(String::from_utf8_lossy(&bytes).into_owned())
        }
        Ok(Made::Paper(bytes)) => frame::file(form.media(), &format!("{word}.{}", form.word()), bytes),
        Ok(Made::Wrong(lines)) => {
            let title = words::K_REPORTS.in_language(viewer.language);
            frame::page(viewer, Here::Audit, title, &wrong(&lines, viewer))
        }
        Ok(Made::Nothing) => frame::nothing(viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

fn wrong(lines: &[String], viewer: &Viewer) -> Markup {
    html! {
        p.note.alarm { (words::K_FILES_UNREAD.in_language(viewer.language)) }
        p { (words::K_FLAWS.in_language(viewer.language)) }
        ul { @for line in lines.iter().take(MOST_FLAWS) { li.hash lang="en" { (line) } } }
        p { a href="/audit" { (words::K_AUDIT.in_language(viewer.language)) } }
    }
}

fn asked(
    pairs: &Pairs,
    viewer: &Viewer,
    (kind, form): (&ReportKind, ReportForm),
) -> Result<ReportAsked, Words> {
    let day = |name: &str| {
        let read = |text| LegalDay::parse(text).ok_or(words::K_FILTER_WRONG);
        pairs.one(name).map_or_else(|| Ok(LegalDay::of_unix_ms(viewer.now_unix_ms)), read)
    };
    let wanted = Scope::parse(pairs.one("in").unwrap_or("")).ok_or(words::K_FILTER_WRONG)?;
    let (from, to) = (day("from")?, day("to")?);
    if from > to {
        return Err(words::K_DAYS_TURNED);
    }
    Ok(ReportAsked {
        word: kind.word.to_owned(),
        scope: wanted.within(&viewer.scope).ok_or(words::K_NOT_HERE)?,
        from,
        to,
        form,
        language: viewer.language,
        now_unix_ms: viewer.now_unix_ms,
        files: Vec::new(),
    })
}
