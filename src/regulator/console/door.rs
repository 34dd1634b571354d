//! The door: who comes in, and what everybody who is in carries. Nothing inside is reached but through [`guard`], which knows the
//! person by the session, looks the person up anew at every request, and writes down what was asked before it is answered.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT_LANGUAGE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, STRICT_TRANSPORT_SECURITY},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    Console,
    ask::{Pairs, written},
    frame, hop,
    lines::Caller,
    password,
    session::{self, Tried},
};
use crate::{
    host::keys,
    regulator::{
        config::ConsoleAt,
        store::{
            Answered, StoreFault,
            people::{MAX_SEEN_BYTES, Person, Role, Saw},
            sights::Scope,
        },
    },
    terms::{
        Digest, Name,
        words::{self, Language, Words},
    },
};

/// The cookie of a session.
const SESSION: &str = "coldhearth";
/// The same on encrypted lines: what bears such a name was set by this very host, over such a line.
const SESSION_OF_HOST: &str = "__Host-coldhearth";
/// The cookie of a language.
const LANGUAGE: &str = "coldhearth-language";

/// Where somebody is sent whose session has ended: sessions are kept in memory alone, so a collector that was started anew or
/// given another configuration knows none, and says so.
const OVER: &str = "/login?over";

/// Somebody who is in.
#[derive(Clone)]
pub(super) struct Viewer {
    pub(super) name: Name,
    pub(super) role: Role,
    /// What this person may see.
    pub(super) scope: Scope,
    pub(super) language: Language,
    /// When the page was asked for, Unix milliseconds.
    pub(super) now_unix_ms: i64,
    /// The page that was asked for.
    pub(super) address: String,
    /// How many logs are still to be looked through, and how many there are; `None` once what is listed is whole.
    pub(super) reading: Option<(u64, u64)>,
    token: String,
}

impl Viewer {
    /// What each form carries.
    pub(super) fn form_token(&self) -> String {
        session::form_token(&self.token)
    }

    /// A form of this very session; `None` of any other, whoever has it sent.
    pub(super) fn form(&self, body: &[u8]) -> Option<Pairs> {
        let pairs = Pairs::read(body);
        self.is_own(pairs.one("form").unwrap_or("")).then_some(pairs)
    }

    /// Whether its session is still open.
    pub(super) fn is_in(&self, console: &Console, now_ms: u64) -> bool {
        console.sessions.lock().unwrap_or_else(PoisonError::into_inner).is_in(&self.token, now_ms)
    }

    /// Whether this is what a form of this session carries.
    pub(super) fn is_own(&self, form_token: &str) -> bool {
        session::is_form_token(form_token, &self.token)
    }
}

/// What a request says of whoever sent it.
struct Asked {
    token: Option<String>,
    language: Language,
    address: String,
    what: String,
    is_from_here: bool,
    is_page: bool,
}

impl Asked {
    fn of(request: &Request, session: &str) -> Asked {
        let headers = request.headers();
        let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
        let what = format!("{} {address}", request.method());
        Asked {
            token: cookie(headers, session).filter(|token| !token.is_empty()).map(ToOwned::to_owned),
            language: language_of(headers),
            address: address.to_owned(),
            what: what.chars().take(MAX_SEEN_BYTES).filter(char::is_ascii).collect(),
            is_from_here: is_from_here(headers),
            is_page: request.method() == Method::GET,
        }
    }
}

/// Answers by its own names alone. A page of elsewhere whose name leads here suddenly is told that this is not its host.
pub(super) async fn addressed(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    if !console.host.has(host) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let mut response = next.run(request).await;
    if console.is_encrypted {
        // For a year a browser that was here asks by encrypted lines alone.
        let lasts = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, lasts);
    }
    response
}

/// The names that a console answers by.
pub(super) struct Host {
    listen: IpAddr,
    names: Vec<String>,
}

impl Host {
    pub(super) fn of(at: &ConsoleAt) -> Host {
        Host { listen: at.listen.ip(), names: at.names.clone() }
    }

    /// Whether a `Host` header names it: by its address, as `localhost`, or by a name that was given. No page of elsewhere
    /// has an address for its name, so where it listens at all addresses any will do.
    fn has(&self, host: &str) -> bool {
        let host = without_port(host);
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return address == self.listen || self.listen.is_unspecified();
        }
        host.eq_ignore_ascii_case("localhost")
            || self.names.iter().any(|name| host.eq_ignore_ascii_case(name))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// Lets nobody by who is not in.
pub(super) async fn guard(State(console): State<Arc<Console>>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(&request, console.session_cookie());
    let language = asked.language;
    let viewer = match console.viewer(&asked).await {
        Ok(Some(viewer)) => viewer,
        Ok(None) if asked.is_page && asked.token.is_some() => return to(OVER),
        Ok(None) if asked.is_page => return to("/login"),
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(fault) => return frame::away(language, &fault),
    };
    let response = if asked.is_page || asked.is_from_here {
        request.extensions_mut().insert(viewer.clone());
        next.run(request).await
    } else {
        frame::refused(&viewer, words::K_FORM_FOREIGN)
    };
    match console.note(&viewer.name, &viewer.scope, asked.what, response.status()).await {
        Ok(()) => response,
        // What nobody can know was seen is not shown.
        Err(fault) => frame::away(language, &fault),
    }
}

impl Console {
    async fn viewer(&self, asked: &Asked) -> Answered<Option<Viewer>> {
        let now = self.clock.now();
        let known = asked.token.as_deref().and_then(|token| {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            Some((token.to_owned(), sessions.who(token, now.uptime_ms)?))
        });
        let Some((token, (name, changed_unix_ms))) = known else { return Ok(None) };
        let ask =
            self.readers.ask(move |books| Ok((books.store.person(name)?, books.store.unindexed_logs()?)));
        let (person, reading) = ask.await?;
        // Whoever was removed, or has another password since, is not in any longer.
        let person = person.filter(|person| person.changed_unix_ms == changed_unix_ms);
        Ok(person.map(|Person { name, role, scope, .. }| Viewer {
            name,
            role,
            scope,
            language: asked.language,
            now_unix_ms: now.wall_unix_ms,
            address: asked.address.clone(),
            reading,
            token,
        }))
    }

    async fn note(&self, who: &Name, scope: &Scope, what: String, status: StatusCode) -> Answered<()> {
        let saw = Saw {
            at_unix_ms: self.clock.now().wall_unix_ms,
            person: *who,
            scope: scope.clone(),
            what,
            status: status.as_u16(),
        };
        self.readers.ask(move |books| books.store.note_saw(&saw)).await
    }

    /// Who has this name.
    async fn known(&self, name: &str) -> Answered<Option<Person>> {
        match Name::new(name) {
            Some(name) => self.readers.ask(move |books| books.store.person(name)).await,
            None => Ok(None),
        }
    }

    /// Whether this is the password of this hash. One is looked at after the other. Whoever is not looked at waits his turn, too,
    /// and for as long as that takes, so that the time an answer takes tells nobody which names there are.
    async fn fits(&self, password: String, hash: Option<String>, is_looked_at: bool) -> bool {
        // It is never closed; without a permit nobody comes in.
        let Ok(permit) = self.hashing.acquire().await else { return false };
        if !is_looked_at {
            drop(permit);
            let took_ms = self.hashed_ms.load(Ordering::Relaxed);
            self.clock.sleep_until(self.clock.now().uptime_ms.saturating_add(took_ms)).await;
            return false;
        }
        let began_ms = self.clock.now().uptime_ms;
        let fits = tokio::task::spawn_blocking(move || password::fits(&password, hash.as_deref())).await;
        let took_ms = self.clock.now().uptime_ms.saturating_sub(began_ms);
        self.hashed_ms.store(took_ms, Ordering::Relaxed);
        fits.is_ok_and(|fits| fits)
    }
}

/// `GET /login`
pub(super) async fn show(request: Request) -> Response {
    let is_over = request.uri().query() == Some("over");
    let why = is_over.then_some((StatusCode::OK, words::K_SESSION_OVER));
    login(language_of(request.headers()), why)
}

/// A password that is wrong, or is not looked at.
const REFUSED: (StatusCode, Words) = (StatusCode::UNAUTHORIZED, words::K_LOGIN_REFUSED);
/// More people at the door than can be let in.
const CROWDED: (StatusCode, Words) = (StatusCode::SERVICE_UNAVAILABLE, words::K_DOOR_CROWDED);

fn login(language: Language, why: Option<(StatusCode, Words)>) -> Response {
    let say = |words: Words| words.in_language(language);
    let body = html! {
        @if let Some((_, why)) = why { p.note.alarm role="alert" { (say(why)) } }
        form.door method="post" action="/login" {
            label for="name" { (say(words::K_NAME)) }
            input id="name" name="name" autocomplete="username" autocapitalize="none" maxlength="24" required;
            label for="password" { (say(words::K_PASSWORD)) }
            input id="password" name="password" type="password" autocomplete="current-password" required;
            button { (say(words::K_ENTER)) }
        }
    };
    let status = why.map_or(StatusCode::OK, |(status, _)| status);
    frame::outside(status, language, say(words::K_LOGIN), &body)
}

/// `POST /login`
pub(super) async fn enter(
    State(console): State<Arc<Console>>,
    Extension(Caller(from)): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let language = language_of(&headers);
    if !is_from_here(&headers) {
        return login(language, Some(REFUSED));
    }
    let from = if console.is_behind_proxy { hop::caller(&headers, from) } else { from };
    let from = hop::subscriber(from);
    let pairs = Pairs::read(&body);
    let (name, password) = (pairs.one("name").unwrap_or(""), pairs.one("password").unwrap_or(""));
    let known = match console.known(name).await {
        Ok(known) => known,
        Err(fault) => return frame::away(language, &fault),
    };
    // Names that nobody has wait in few places of their own, and keep no person from the door.
    let places = if known.is_some() { &console.door } else { &console.strangers };
    let mut place = places.try_acquire().ok();
    if console.door.available_permits() == 0 && (known.is_none() || place.is_none()) {
        return login(language, Some(CROWDED));
    }
    let now_ms = console.clock.now().uptime_ms;
    let who = (known.as_ref().map(|person| person.name), from);
    // It counts before it is looked at: whoever asks many times at once is looked at no more often than one after the other.
    let may_try = console.sessions.lock().unwrap_or_else(PoisonError::into_inner).tries(who, now_ms);
    if !may_try {
        // Whoever is not looked at keeps nobody from the door, whose name he uses: he waits among strangers.
        drop(place.take());
        place = console.strangers.try_acquire().ok();
    }
    let is_looked_at = may_try && place.is_some();
    let hash = known.as_ref().map(|person| person.password.clone());
    let fits = console.fits(password.to_owned(), hash, is_looked_at).await;
    match known {
        Some(person) if fits => admitted(&console, who, &person, now_ms, language).await,
        known => refused(&console, known.filter(|_| is_looked_at), from, language).await,
    }
}

/// Turns somebody away; what was looked at of a person's stands in who saw what.
async fn refused(console: &Console, tried: Option<Person>, from: IpAddr, language: Language) -> Response {
    console.turned_away.one(from, console.clock.now().uptime_ms);
    let noted = match &tried {
        Some(person) => {
            let what = format!("POST /login {from}");
            console.note(&person.name, &person.scope, what, StatusCode::UNAUTHORIZED).await
        }
        None => Ok(()),
    };
    noted.map_or_else(|fault| frame::away(language, &fault), |()| login(language, Some(REFUSED)))
}

async fn admitted(
    console: &Console,
    who: Tried,
    person: &Person,
    now_ms: u64,
    language: Language,
) -> Response {
    let token = match keys::entropy::<32>() {
        Ok(bytes) => Digest(bytes).to_string(),
        Err(failure) => return frame::away(language, &StoreFault::Failed(failure)),
    };
    let noted =
        console.note(&person.name, &person.scope, "POST /login".to_owned(), StatusCode::SEE_OTHER).await;
    if let Err(fault) = noted {
        return frame::away(language, &fault);
    }
    let mut sessions = console.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    sessions.succeeded(who);
    sessions.open(&token, person.name, person.changed_unix_ms, now_ms);
    drop(sessions);
    let lasts_s = session::LONGEST_MS / 1_000;
    with_cookie(to("/"), &console.cookie(console.session_cookie(), &token, lasts_s, "; HttpOnly"))
}

/// `POST /logout`
pub(super) async fn leave(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Response {
    if viewer.form(&body).is_none() {
        return frame::refused(&viewer, words::K_FORM_FOREIGN);
    }
    console.sessions.lock().unwrap_or_else(PoisonError::into_inner).close(&viewer.token);
    with_cookie(to("/login"), &console.cookie(console.session_cookie(), "", 0, "; HttpOnly"))
}

/// `GET /language`: changes it, and goes back to where its switch stood.
pub(super) async fn language(State(console): State<Arc<Console>>, RawQuery(query): RawQuery) -> Response {
    const YEAR_S: u64 = 31_536_000;
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let word = if pairs.one("to") == Some("en") { "en" } else { "zh" };
    with_cookie(to(pairs.back("/")), &console.cookie(LANGUAGE, word, YEAR_S, ""))
}

impl Console {
    const fn session_cookie(&self) -> &'static str {
        if self.is_encrypted { SESSION_OF_HOST } else { SESSION }
    }

    fn cookie(&self, name: &str, value: &str, lasts_s: u64, more: &str) -> String {
        let secure = if self.is_encrypted { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; SameSite=Strict; Max-Age={lasts_s}{more}{secure}")
    }
}

/// The address of the switch to a language.
pub(super) fn switch(to: &str, back: &str) -> String {
    format!("/language?{}", written(&[("to", to), ("back", back)]))
}

/// Sends a browser elsewhere.
pub(super) fn to(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let address = HeaderValue::from_str(address).unwrap_or_else(|_| HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, address);
    response
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The language that was chosen; that of the browser where none was; Chinese where that is neither.
fn language_of(headers: &HeaderMap) -> Language {
    let browser = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("zh");
    let word = cookie(headers, LANGUAGE).unwrap_or(browser);
    if word.trim_start().starts_with("en") { Language::English } else { Language::Chinese }
}

/// Whether a browser says that a page of ours sent it. Whoever says nothing of it is no browser, and has no cookies of one.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(HOST).unwrap_or("");
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or(""));
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
    origin.is_none_or(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(axum::http::HeaderName, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_form_from_elsewhere_is_told_apart() {
        for (host, origin, is_ours) in [
            ("127.0.0.1:8010", "http://127.0.0.1:8010", true),
            ("desk.example", "https://desk.example", true),
            ("desk.example", "https://evil.example", false),
            ("desk.example", "https://desk.example.evil", false),
            ("desk.example", "null", false),
        ] {
            assert_eq!(is_from_here(&headers(&[(HOST, host), (ORIGIN, origin)])), is_ours, "{origin}");
        }
    }

    #[test]
    fn a_console_answers_by_its_own_names_alone() {
        let host =
            |listen: &str| Host { listen: listen.parse().unwrap(), names: vec!["desk.example".into()] };
        for (listen, asked, is_its) in [
            ("127.0.0.1", "127.0.0.1:8010", true),
            ("127.0.0.1", "localhost:8010", true),
            ("127.0.0.1", "Desk.example", true),
            ("127.0.0.1", "evil.example", false),
            ("127.0.0.1", "desk.example.evil", false),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "", false),
            ("::1", "[::1]:8010", true),
            ("0.0.0.0", "10.0.0.7:8010", true),
            ("0.0.0.0", "evil.example:8010", false),
        ] {
            assert_eq!(host(listen).has(asked), is_its, "{listen} {asked}");
        }
    }

    #[test]
    fn the_language_is_the_chosen_one_and_chinese_where_nothing_is_told() {
        assert_eq!(language_of(&HeaderMap::new()), Language::Chinese);
        assert_eq!(language_of(&headers(&[(ACCEPT_LANGUAGE, "en-GB,en")])), Language::English);
        let chosen = [(ACCEPT_LANGUAGE, "en"), (COOKIE, "a=b; coldhearth-language=zh; coldhearth=t")];
        assert_eq!(language_of(&headers(&chosen)), Language::Chinese);
        assert_eq!(cookie(&headers(&chosen), SESSION), Some("t"));
    }

    #[test]
    fn a_switch_leads_nowhere_else() {
        assert_eq!(switch("en", "/fleet?in=13"), "/language?to=en&back=%2Ffleet%3Fin%3D13");
    }
}
