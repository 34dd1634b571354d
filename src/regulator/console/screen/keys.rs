//! The registry of keys: whom the authority has admitted, and whose word it has taken back, by the page.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use maud::{Markup, html};

use super::{head, today::unless_reading};
use crate::{
    evidence::KeyId,
    regulator::{
        console::{
            Console,
            ask::{Pairs, written},
            door::Viewer,
            frame::{self, Here},
        },
        store::{Admitted, registry::KeysAsked},
    },
    terms::{
        GatewayId,
        time::LegalTime,
        words::{self, Words},
    },
};

/// Rows of a page.
const ROWS: u32 = 100;

/// `GET /audit/keys`
pub(in crate::regulator::console) async fn show(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Response {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let is_revoked = pairs.one("revoked").is_some();
    let after = pairs.one("gateway").and_then(GatewayId::new).zip(pairs.one("key").and_then(KeyId::from_hex));
    let asked = KeysAsked { scope: viewer.scope.clone(), is_revoked, after, most: ROWS };
    match console.readers.ask(move |books| books.store.keys(&asked)).await {
        Ok(keys) => {
            let title = words::K_KEYS.in_language(viewer.language);
            frame::page(&viewer, Here::Audit, title, &page(&keys, is_revoked, &viewer))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

fn page(keys: &[Admitted], is_revoked: bool, viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let last = keys.last().filter(|_| keys.len() >= ROWS as usize);
    let last = last.map(|last| (last.gateway.to_string(), last.key.id().to_string()));
    let revoked = if is_revoked { "1" } else { "" };
    html! {
        p.no-print {
            @if is_revoked { a href="/audit/keys" { (say(words::K_KEYS_ALL)) } }
            @else { a href="/audit/keys?revoked=1" { (say(words::K_KEYS_REVOKED)) } }
        }
        @if keys.is_empty() { p { (unless_reading(words::K_NOTHING_FOUND, viewer)) } }
        @else { (table(keys, viewer)) }
        @if let Some((gateway, key)) = &last {
            @let next = [("revoked", revoked), ("gateway", gateway.as_str()), ("key", key.as_str())];
            p.no-print { a rel="next" href={ "/audit/keys?" (written(&next)) } { (say(words::K_NEXT_PAGE)) } }
        }
    }
}

fn table(keys: &[Admitted], viewer: &Viewer) -> Markup {
    const COLUMNS: [Words; 6] = [
        words::K_GATEWAY,
        words::K_KEY,
        words::K_FINGERPRINT,
        words::K_ADMITTED,
        words::K_REVOKED,
        words::K_SAID_TO_STAND,
    ];
    html! {
        div.scroll role="region" aria-label=(words::K_KEYS.in_language(viewer.language)) tabindex="0" {
            table {
                (head(&COLUMNS, viewer.language))
                tbody {
                    @for one in keys {
                        tr {
                            th scope="row" { a href={ "/audit?gateway=" (one.gateway.to_string()) } { (one.gateway.to_string()) } }
                            td.hash { (one.key.id().to_string()) }
                            td.hash { (one.key.fingerprint()) }
                            td { (LegalTime(one.admitted_unix_ms).to_string()) }
                            td { (one.revoked_unix_ms.map_or_else(|| "–".to_owned(), |at| LegalTime(at).to_string())) }
                            td { (one.division.map_or_else(|| "–".to_owned(), |division| division.to_string())) }
                        }
                    }
                }
            }
        }
    }
}
