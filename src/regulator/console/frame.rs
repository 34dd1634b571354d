//! What every page has around it, and what every answer says of itself to a browser.

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LINK, REFERRER_POLICY,
            RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    COME_AGAIN_S,
    badge::Badge,
    door::{Viewer, switch},
};
use crate::{
    regulator::store::{StoreFault, people::Role},
    terms::{
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// Nothing from elsewhere, nothing within the page that runs, no form to elsewhere, no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";
/// Of a page that is handed on by itself, with its style in it: nothing runs, and nothing is fetched.
const POLICY_OF_PAPERS: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/live.js");

/// A screen of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Today,
    Fleet,
    Alarms,
    Audit,
}

impl Here {
    const ALL: [Here; 4] = [Here::Today, Here::Fleet, Here::Alarms, Here::Audit];

    const fn address(self) -> &'static str {
        match self {
            Here::Today => "/",
            Here::Fleet => "/fleet",
            Here::Alarms => "/alarms",
            Here::Audit => "/audit",
        }
    }

    const fn words(self) -> Words {
        match self {
            Here::Today => words::K_TODAY,
            Here::Fleet => words::K_FLEET,
            Here::Alarms => words::K_ALARMS,
            Here::Audit => words::K_AUDIT,
        }
    }
}

/// What a browser calls a language.
const fn tag(language: Language) -> &'static str {
    match language {
        Language::Chinese => "zh-CN",
        Language::English => "en",
    }
}

/// A page of somebody who is in.
pub(super) fn page(viewer: &Viewer, here: Here, title: &str, body: &Markup) -> Response {
    whole(StatusCode::OK, viewer, Some(here), title, body)
}

fn whole(status: StatusCode, viewer: &Viewer, here: Option<Here>, title: &str, body: &Markup) -> Response {
    let say = |words: Words| words.in_language(viewer.language);
    let other = match viewer.language {
        Language::Chinese => ("en", "en", "English"),
        Language::English => ("zh", "zh-CN", "中文"),
    };
    let head = html! {
        a.skip href="#main" { (say(words::K_SKIP)) }
        header {
            p.mark { "Coldhearth" }
            nav aria-label=(say(words::K_SCREENS)) {
                ul {
                    @for screen in Here::ALL {
                        li {
                            a href=(screen.address()) aria-current=[(here == Some(screen)).then_some("page")] {
                                (say(screen.words()))
                            }
                        }
                    }
                }
            }
            div.who {
                a href=(switch(other.0, &viewer.address)) lang=(other.1) hreflang=(other.1) { (other.2) }
                span { (viewer.name.to_string()) " · " (say(role(viewer.role))) " · " (place(viewer)) }
                form method="post" action="/logout" { (form_token(viewer)) button { (say(words::K_LEAVE)) } }
            }
        }
    };
    let foot = html! {
        footer {
            p { (say(words::K_ASKED_AT)) " " (LegalTime(viewer.now_unix_ms).to_string()) ". " (say(words::K_EVIDENCE_FIRST)) }
        }
    };
    document(
        status,
        viewer.language,
        title,
        &html! { (head) main id="main" tabindex="-1" { h1 { (title) } (reading(viewer)) (body) } (foot) },
    )
}

/// A page of somebody who is not in.
pub(super) fn outside(status: StatusCode, language: Language, title: &str, body: &Markup) -> Response {
    let back = "/login";
    let switches = html! {
        header {
            p.mark { "Coldhearth" }
            div.who {
                a href=(switch("zh", back)) lang="zh-CN" hreflang="zh-CN" { "中文" }
                " "
                a href=(switch("en", back)) lang="en" hreflang="en" { "English" }
            }
        }
    };
    document(status, language, title, &html! { (switches) main id="main" { h1 { (title) } (body) } })
}

fn document(status: StatusCode, language: Language, title: &str, body: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(tag(language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Coldhearth" }
                link rel="stylesheet" href="/style.css";
                script src="/live.js" defer {}
            }
            body { (body) }
        }
    };
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

/// What a form carries so that it is known for ours.
pub(super) fn form_token(viewer: &Viewer) -> Markup {
    html! { input type="hidden" name="form" value=(viewer.form_token()); }
}

/// A badge: shape, word and colour, of which the word alone suffices.
pub(super) fn badge(badge: Badge, language: Language) -> Markup {
    html! {
        span class={ "badge " (badge.style()) } {
            span aria-hidden="true" { (badge.shape()) } " " (badge.words().in_language(language))
        }
    }
}

/// The name of a role.
pub(super) const fn role(role: Role) -> Words {
    match role {
        Role::Reader => words::K_READER,
        Role::Officer => words::K_OFFICER,
        Role::Overseer => words::K_OVERSEER,
    }
}

/// Where somebody may look.
pub(super) fn place(viewer: &Viewer) -> String {
    let scope = viewer.scope.as_str();
    if scope.is_empty() { words::K_NATION.in_language(viewer.language).to_owned() } else { scope.to_owned() }
}

/// What a page says, by its script, once what it shows has changed since it was made.
pub(super) fn fresh(address: &str, language: Language) -> Markup {
    let say = |words: Words| words.in_language(language);
    html! {
        div.no-print role="status" {
            p.note id="fresh" hidden { (say(words::K_FRESH)) " " a href=(address) { (say(words::K_AGAIN)) } }
        }
    }
}

/// Something went wrong that a person can be told: a sentence on a page.
pub(super) fn refused(viewer: &Viewer, why: Words) -> Response {
    sorry(viewer, StatusCode::BAD_REQUEST, why)
}

/// Says that what is listed is not whole as long as records are still looked through: after a copy was put back, or with a new
/// version of the store.
fn reading(viewer: &Viewer) -> Markup {
    let say = |words: Words| words.in_language(viewer.language);
    let told = viewer.reading.map(|(left, all)| all.saturating_sub(left).saturating_mul(100) / all.max(1));
    html! {
        @if let Some(percent) = told { p.note.alarm role="status" { (say(words::K_READING)) " " (percent) " %" } }
    }
}

/// What is asked for is not whole yet, and a part of it is not handed out as the whole.
pub(super) fn not_whole(viewer: &Viewer) -> Response {
    sorry(viewer, StatusCode::SERVICE_UNAVAILABLE, words::K_NOT_WHOLE)
}

/// There is no room for an upload of this person now.
pub(super) fn busy(viewer: &Viewer) -> Response {
    let mut response = sorry(viewer, StatusCode::SERVICE_UNAVAILABLE, words::K_UPLOADS_BUSY);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(COME_AGAIN_S));
    response
}

/// There is nothing of that name for this person, whether there is for another or not; as long as records are looked through
/// nobody knows.
pub(super) fn nothing(viewer: &Viewer) -> Response {
    if viewer.reading.is_some() {
        return not_whole(viewer);
    }
    sorry(viewer, StatusCode::NOT_FOUND, words::K_NOT_HERE)
}

/// This person may not do that.
pub(super) fn forbidden(viewer: &Viewer) -> Response {
    sorry(viewer, StatusCode::FORBIDDEN, words::K_ROLE_TOO_LOW)
}

fn sorry(viewer: &Viewer, status: StatusCode, why: Words) -> Response {
    let language = viewer.language;
    let body = html! {
        p.note { (why.in_language(language)) }
        p { a href="/" { (words::K_TODAY.in_language(language)) } }
    };
    whole(status, viewer, None, words::K_SORRY.in_language(language), &body)
}

/// The store does not answer.
pub(super) fn away(language: Language, fault: &StoreFault) -> Response {
    tracing::warn!(%fault, "the console cannot show a page");
    let body = html! { p.note role="alert" { (words::K_AWAY.in_language(language)) } };
    outside(StatusCode::SERVICE_UNAVAILABLE, language, words::K_SORRY.in_language(language), &body)
}

/// A page that is handed on by itself.
pub(super) fn paper(html: String) -> Response {
    let mut response = ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_OF_PAPERS));
    response
}

/// A file to keep.
pub(super) fn file(media: &'static str, name: &str, body: impl Into<Body>) -> Response {
    let mut response = ([(CONTENT_TYPE, media)], body.into()).into_response();
    let named = format!("attachment; filename=\"{name}\"");
    if let Ok(named) = HeaderValue::from_str(&named) {
        response.headers_mut().insert(CONTENT_DISPOSITION, named);
    }
    response
}

/// A page of something says where the next one is.
pub(super) fn goes_on(mut response: Response, next: Option<String>) -> Response {
    let next = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
    response.headers_mut().extend(next.map(|next| (LINK, next)));
    response
}

/// `GET /style.css`
pub(super) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// `GET /live.js`
pub(super) async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

/// What every answer says of itself: nobody else may have a hand in it, and nobody keeps it.
pub(super) async fn sealed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
