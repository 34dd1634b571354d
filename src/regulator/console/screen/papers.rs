//! Papers that are handed on by themselves: a certificate of a cut, and the reports the notice asks for.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    response::Response,
};

use super::asset::named;
use crate::{
    host::exit::Exit,
    regulator::{
        certificate,
        console::{
            Console,
            ask::Pairs,
            asks::{ReportAsked, ReportForm},
            door::Viewer,
            frame,
        },
        store::{StoreFault, sights::Scope},
    },
    terms::{
        LegalDay, OrderId,
        words::{self, Words},
    },
};

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
    let (Some(reports), Some(form)) = (console.joined.reports.clone(), ReportForm::from_word(&form)) else {
        return frame::nothing(&viewer);
    };
    // A name of a file is made of it.
    let Some(kind) = reports.kinds().iter().find(|known| known.word == kind) else {
        return frame::nothing(&viewer);
    };
    let asked = match asked(query.as_deref(), &viewer, kind.word, form) {
        Ok(asked) => asked,
        Err(why) => return frame::refused(&viewer, why),
    };
    // It is never closed.
    let _one = console.reports.acquire().await;
    match console.readers.ask(move |books| reports.make(books, &asked)).await {
        Ok(Some(bytes)) if form == ReportForm::Html => {
            frame::paper(String::from_utf8_lossy(&bytes).into_owned())
        }
        Ok(Some(bytes)) => frame::file(form.media(), &format!("{}.{}", kind.word, form.word()), bytes),
        Ok(None) => frame::nothing(&viewer),
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

fn asked(query: Option<&str>, viewer: &Viewer, word: &str, form: ReportForm) -> Result<ReportAsked, Words> {
    let pairs = Pairs::read(query.unwrap_or("").as_bytes());
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
        word: word.to_owned(),
        scope: wanted.within(&viewer.scope).ok_or(words::K_NOT_HERE)?,
        from,
        to,
        form,
        language: viewer.language,
        now_unix_ms: viewer.now_unix_ms,
    })
}
