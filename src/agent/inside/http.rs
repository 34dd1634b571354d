//! The page, metrics and health over HTTP/1.1, on a loopback address only. One question a connection, GET or HEAD, and every
//! limit is named: this is all the gateway needs, and a server library would weigh more than all else that looks inside.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::timeout,
};

use super::{
    desk::Desk,
    figures,
    page::{self, AGAIN_S},
    status::Status,
};
use crate::{
    host::{
        exit::{Exit, Failure},
        exposition,
    },
    terms::words::Language,
};

/// Connections at a time. One more puts out the oldest that has not asked anything yet; where all have, it is closed at once.
pub const MAX_PAGES: usize = 8;
/// Largest head of a request, in bytes.
pub const MAX_REQUEST_BYTES: usize = 8 * 1_024;
/// How long a request may take to come, in milliseconds.
const READ_MS: u64 = 5_000;
/// How long an answer may take to be read, in milliseconds.
const WRITE_MS: u64 = 10_000;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Opens the listener.
///
/// # Errors
/// The address is no loopback address, or is taken.
pub(super) async fn listen(at: SocketAddr) -> Result<TcpListener, Failure> {
    if !at.ip().is_loopback() {
        let why = format!("{at}: the page is for this machine only; name 127.0.0.1 or [::1]");
        return Err(Failure::new(Exit::Config, why));
    }
    let failed = |e: std::io::Error| Failure::new(Exit::Permission, format!("{at}: {e}; name a free port"));
    TcpListener::bind(at).await.map_err(failed)
}

/// Answers until its thread ends.
pub(super) async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut visitors = Visitors::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No handle is left, or the peer is gone already: whoever looks may ask again.
            desk.pause().await;
            continue;
        };
        if visitors.have_room() {
            let (desk, has_asked) = (desk.clone(), Arc::new(AtomicBool::new(false)));
            let asked = has_asked.clone();
            let task = tokio::spawn(async move { answer(stream, &desk, &asked).await }).abort_handle();
            visitors.0.push_back(Visitor { task, has_asked });
        }
    }
}

/// Who is at the door, the oldest first.
#[derive(Default)]
struct Visitors(VecDeque<Visitor>);

struct Visitor {
    task: AbortHandle,
    /// Whether his question has come.
    has_asked: Arc<AtomicBool>,
}

impl Visitors {
    /// Makes room for one more: whoever only stands in the door makes way for whoever asks.
    fn have_room(&mut self) -> bool {
        self.0.retain(|visitor| !visitor.task.is_finished());
        if self.0.len() < MAX_PAGES {
            return true;
        }
        let idle = self.0.iter().position(|visitor| !visitor.has_asked.load(Ordering::Relaxed));
        let idle = idle.and_then(|at| self.0.remove(at));
        idle.inspect(|visitor| visitor.task.abort()).is_some()
    }
}

/// One question and its answer. Whoever does not speak, or does not read, is let go.
async fn answer(mut stream: TcpStream, desk: &Desk, has_asked: &AtomicBool) {
    let asked = timeout(Duration::from_millis(READ_MS), head(&mut stream)).await;
    has_asked.store(true, Ordering::Relaxed);
    let answer = match asked {
        Ok(Some(head)) => respond(&head, desk),
        Ok(None) => Answer::plain(400, "no request, or one that is too long\n"),
        Err(_) => Answer::plain(408, "no request came in time\n"),
    };
    let sent = async {
        stream.write_all(&answer.to_bytes()).await?;
        stream.shutdown().await
    };
    // Whoever is gone needs no answer.
    let _late = timeout(Duration::from_millis(WRITE_MS), sent).await;
}

/// The request's head; nothing where none comes, or a longer one than is taken.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1_024];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(piece.get(..count)?);
        if bytes.len() > MAX_REQUEST_BYTES {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

/// What is asked for.
struct Request<'a> {
    is_head: bool,
    path: &'a str,
    query: &'a str,
    language: Language,
}

impl<'a> Request<'a> {
    /// Reads a request's head.
    fn read(head: &'a str) -> Result<Request<'a>, Answer> {
        let bad = || Answer::plain(400, "not understood\n");
        let (line, fields) = head.split_once("\r\n").ok_or_else(bad)?;
        let mut words = line.split(' ');
        let (method, target) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
        if !words.next().is_some_and(|version| version.starts_with("HTTP/1.")) {
            return Err(bad());
        }
        let is_head = match method {
            "GET" => false,
            "HEAD" => true,
            _ => return Err(Answer::plain(405, "nothing can be changed here: GET or HEAD\n").allowing()),
        };
        let field = |name: &str| {
            let mut fields = fields.lines().filter_map(|field| field.split_once(':'));
            fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        // A page from elsewhere that had a browser of this machine look here under another name.
        if !field("host").is_some_and(is_this_machine) {
            return Err(Answer::plain(421, "ask for 127.0.0.1, [::1] or localhost\n"));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let language = language(query, field("accept-language").unwrap_or(""));
        Ok(Request { is_head, path, query, language })
    }
}

/// Whether a request's `Host` names this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost")
}

/// The language asked for by `lang=`, else the one the browser likes better.
fn language(query: &str, accepted: &str) -> Language {
    if let Some(asked) = query.split('&').find_map(|part| part.strip_prefix("lang=")) {
        return Language::of_locale(asked);
    }
    // `zh-CN,zh;q=0.9,en;q=0.8`: the first of the heaviest wins.
    let weighed = accepted.split(',').filter_map(|range| {
        let mut parts = range.trim().split(';');
        let tag = parts.next()?.trim();
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).unwrap_or("1");
        let known = tag.starts_with("zh") || tag.starts_with("en");
        (known && thousandths(weight) > 0).then(|| (thousandths(weight), tag))
    });
    let best = weighed.fold(None, |best: Option<(u16, &str)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        Some(_) | None => Some(next),
    });
    best.map_or(Language::English, |(_, tag)| Language::of_locale(tag))
}

/// `0.8` as 800; nothing else than such a number weighs anything.
fn thousandths(weight: &str) -> u16 {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let rest: u16 = format!("{rest:0<3}").get(..3).and_then(|rest| rest.parse().ok()).unwrap_or(0);
    if whole == "1" { 1_000 } else { rest }
}

/// An answer.
struct Answer {
    code: u16,
    kind: &'static str,
    body: String,
    more: String,
    is_head: bool,
}

impl Answer {
    fn of(code: u16, kind: &'static str, body: String) -> Answer {
        Answer { code, kind, body, more: String::new(), is_head: false }
    }

    fn plain(code: u16, body: &str) -> Answer {
        Answer::of(code, TEXT, body.to_owned())
    }

    fn allowing(self) -> Answer {
        Answer { more: "Allow: GET, HEAD\r\n".to_owned(), ..self }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let Answer { code, kind, body, more, is_head } = self;
        let reason = match code {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            421 => "Misdirected Request",
            _ => "Service Unavailable",
        };
        let head = format!(
            "HTTP/1.1 {code} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n{more}\r\n",
            body.len()
        );
        let body = if *is_head { "" } else { body };
        [head.as_bytes(), body.as_bytes()].concat()
    }
}

fn respond(head: &str, desk: &Desk) -> Answer {
    match Request::read(head) {
        Ok(request) => Answer { is_head: request.is_head, ..found(&request, desk) },
        Err(answer) => answer,
    }
}

fn found(request: &Request<'_>, desk: &Desk) -> Answer {
    match request.path {
        "/" => html(&desk.status(), request),
        "/metrics" => Answer::of(200, exposition::CONTENT_TYPE, figures::exposition(&desk.status())),
        "/status.json" => json(200, &desk.status()),
        "/healthz" => {
            let status = desk.status();
            let stuck: Vec<_> = status.reasons.iter().filter(|reason| reason.code == "stuck").collect();
            let said = serde_json::json!({ "healthy": status.healthy, "reasons": stuck });
            json(if status.healthy { 200 } else { 503 }, &said)
        }
        "/readyz" => {
            let status = desk.status();
            let said = serde_json::json!({ "ready": status.ready, "reasons": status.reasons });
            json(if status.ready { 200 } else { 503 }, &said)
        }
        _ => Answer::plain(404, "/, /metrics, /healthz, /readyz and /status.json are here\n"),
    }
}

fn json(code: u16, said: &impl serde::Serialize) -> Answer {
    // Texts, numbers and lists of them always become JSON.
    let body = serde_json::to_string(said).unwrap_or_default();
    Answer::of(code, JSON, format!("{body}\n"))
}

fn html(status: &Status, request: &Request<'_>) -> Answer {
    let lang = if request.query.is_empty() { String::new() } else { format!("; url=/?{}", again(request)) };
    let more = format!("Content-Security-Policy: {}\r\nRefresh: {AGAIN_S}{lang}\r\n", page::policy());
    Answer { more, ..Answer::of(200, HTML, page::page(status, request.language)) }
}

/// The query of the next look: only what we know of it, since it goes into a header.
fn again(request: &Request<'_>) -> &'static str {
    match request.language {
        Language::Chinese => "lang=zh",
        Language::English => "lang=en",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_asked_for_or_liked_better() {
        for (query, accepted, expected) in [
            ("", "", Language::English),
            ("", "zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("", "en-GB,en;q=0.9,zh;q=0.8", Language::English),
            ("", "fr,zh;q=0.5,en;q=0.4", Language::Chinese),
            ("", "en;q=0,zh;q=0.1", Language::Chinese),
            ("", "de", Language::English),
            ("lang=zh", "en", Language::Chinese),
            ("a=b&lang=en", "zh", Language::English),
        ] {
            assert_eq!(language(query, accepted), expected, "{query} {accepted}");
        }
    }

    #[tokio::test]
    async fn whoever_stands_in_the_door_makes_way_for_whoever_asks() {
        let mut visitors = Visitors::default();
        let came = |has_asked: bool| Visitor {
            task: tokio::spawn(std::future::pending::<()>()).abort_handle(),
            has_asked: Arc::new(AtomicBool::new(has_asked)),
        };
        for number in 0..300 {
            assert!(visitors.have_room(), "{number}");
            visitors.0.push_back(came(number == 0));
            assert!(visitors.0.len() <= MAX_PAGES);
        }
        let first = visitors.0.front().unwrap();
        assert!(first.has_asked.load(Ordering::Relaxed) && !first.task.is_finished(), "he is being answered");
        visitors.0.iter().for_each(|visitor| visitor.has_asked.store(true, Ordering::Relaxed));
        assert!(!visitors.have_room(), "nobody is interrupted");
    }

    #[test]
    fn only_this_machines_own_names_are_answered() {
        for host in ["127.0.0.1:9463", "127.0.0.1", "[::1]:9463", "[::1]", "localhost:1", "LOCALHOST"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:9463", "10.0.0.5:9463", "127.0.0.1.evil.example"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn a_request_is_read_strictly() {
        let read = |head: &str| match Request::read(head) {
            Ok(request) => (200, request.path.to_owned()),
            Err(answer) => (answer.code, String::new()),
        };
        let host = "Host: localhost\r\n\r\n";
        assert_eq!(read(&format!("GET /metrics?x HTTP/1.1\r\n{host}")), (200, "/metrics".to_owned()));
        assert_eq!(read(&format!("HEAD / HTTP/1.0\r\n{host}")).0, 200);
        assert_eq!(read(&format!("POST / HTTP/1.1\r\n{host}")).0, 405);
        assert_eq!(read("GET / HTTP/1.1\r\n\r\n").0, 421, "no host at all");
        assert_eq!(read("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").0, 421);
        for bad in ["GET\r\n\r\n", "GET /\r\n\r\n", "GET / SIP/2.0\r\n\r\n", ""] {
            assert_eq!(read(bad).0, 400, "{bad:?}");
        }
    }
}
