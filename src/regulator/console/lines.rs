//! Lines to browsers, each within limits, so that whoever sends a byte a minute, or takes one, keeps nobody else out for long.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
    serve::Listener,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::process::{Resource, getrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    MAX_FORM_BYTES, hop,
    seats::{Own, Seat, Seats},
};

/// Lines at once, and never more than a part of the descriptors that this program may have: those who collect have the others.
/// Whoever comes then waits until one ends.
pub const MOST_LINES: usize = 1_024;
/// One in so many descriptors may be a line.
pub const DESCRIPTORS_A_LINE: u64 = 4;
/// One in so many lines may be of one address; whoever has more is not answered. On this machine a proxy speaks for all.
pub const LINES_AN_ADDRESS: usize = 2;
/// Encrypted lines at once that have not greeted as agreed yet; the oldest of whoever has most of them gives way to the next one,
/// so that however many are silent, nobody who greets waits for them.
pub const MOST_GREETING: usize = 64;
/// How long the greeting of an encrypted line may take, in seconds.
pub const GREETING_S: u64 = 5;
/// How long the head of a request may take, and the quiet before it, in seconds.
pub const HEAD_S: u64 = 15;
/// Largest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1_024;
/// How long a form may take, in seconds.
pub const FORM_S: u64 = 15;
/// How long a line takes requests, in seconds: longer than any stream of events lasts.
pub const LINE_S: u64 = 11 * 60;
/// How long what is being answered then may still take, in seconds: the file of a whole fleet, over a slow line.
pub const LAST_ANSWER_S: u64 = 9 * 60;

/// What a line may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    lines: usize,
    greeting: Duration,
    head: Duration,
    form: Duration,
    line: Duration,
    last_answer: Duration,
}

impl Limits {
    /// Those named above.
    pub(super) const NAMED: Limits = Limits {
        lines: MOST_LINES,
        greeting: Duration::from_secs(GREETING_S),
        head: Duration::from_secs(HEAD_S),
        form: Duration::from_secs(FORM_S),
        line: Duration::from_secs(LINE_S),
        last_answer: Duration::from_secs(LAST_ANSWER_S),
    };
}

/// From where somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller(pub(super) IpAddr);

/// How many lines each address has.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

impl Addresses {
    /// A line of an address that has fewer than so many.
    fn one_more(&self, of: IpAddr, most: usize) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = all.entry(of).or_insert(0);
        if *lines >= most && !of.is_loopback() {
            return None;
        }
        *lines += 1;
        Some(Place { of, addresses: self.clone() })
    }
}

/// A line of an address.
struct Place {
    of: IpAddr,
    addresses: Addresses,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.get(&self.of).map_or(0, |lines| lines.saturating_sub(1));
        if left == 0 {
            all.remove(&self.of);
        } else {
            all.insert(self.of, left);
        }
    }
}

/// So many lines at once as the descriptors of this program allow.
fn lines_at_once(most: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    most.min(usize::try_from(descriptors / DESCRIPTORS_A_LINE).unwrap_or(most)).max(1)
}

/// Answers on a listener until it is let go of; every line ends with it.
pub(super) async fn serve(
    mut listener: TcpListener,
    encrypting: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
) {
    let most = lines_at_once(limits.lines);
    let (room, addresses) = (Arc::new(Semaphore::new(most)), Addresses::default());
    let greetings = Seats::new(MOST_GREETING.min(most.div_ceil(2)), Own::GivesWay);
    let mut lines = JoinSet::new();
    // It is never closed.
    while let Ok(permit) = room.clone().acquire_owned().await {
        let (line, from) = Listener::accept(&mut listener).await;
        let one = hop::subscriber(from.ip());
        let Some(place) = addresses.one_more(one, (most / LINES_AN_ADDRESS).max(1)) else { continue };
        let greeting = match &encrypting {
            None => None,
            // There is always room: somebody gives way.
            Some(acceptor) => match greetings.one_more(one) {
                Some(seat) => Some((acceptor.clone(), seat)),
                None => continue,
            },
        };
        let router = router.clone().layer(Extension(Caller(from.ip())));
        lines.spawn(async move {
            greet(line, greeting, router, limits).await;
            drop((place, permit));
        });
        while lines.try_join_next().is_some() {}
    }
}

async fn greet(
    line: TcpStream,
    greeting: Option<(TlsAcceptor, Seat<IpAddr>)>,
    router: Router,
    limits: Limits,
) {
    let Some((acceptor, mut seat)) = greeting else { return answer(line, router, limits).await };
    // Whoever does not greet as agreed is no concern of ours, nor whoever lets others wait.
    let greeted = tokio::select! {
        greeted = timeout(limits.greeting, acceptor.accept(line)) => greeted,
        () = seat.is_given_up() => return,
    };
    drop(seat);
    if let Ok(Ok(line)) = greeted {
        answer(line, router, limits).await;
    }
}

async fn answer(line: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, router: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(line), TowerToHyperService::new(router));
    tokio::pin!(connection);
    // How a line ends is the browser's matter.
    if timeout(limits.line, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ended = timeout(limits.last_answer, connection).await;
    }
}

/// Has a form come whole before it is looked at, within [`MAX_FORM_BYTES`] and the time there is for it.
pub(super) async fn whole(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    // Whoever announces too long a one is not waited for.
    if body.size_hint().lower() > MAX_FORM_BYTES as u64 {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    match timeout(limits.form, axum::body::to_bytes(body, MAX_FORM_BYTES)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(_too_large_or_cut_short)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_late) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Bytes, middleware, routing::post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::{
        TlsConnector,
        rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::ServerName},
    };

    use super::*;

    /// Two lines at once, and little time for anything.
    const SHORT: Limits = Limits {
        lines: 2,
        head: Duration::from_millis(200),
        form: Duration::from_millis(200),
        line: Duration::from_millis(600),
        last_answer: Duration::from_millis(100),
        ..Limits::NAMED
    };

    /// What echoes a form; the port, and what keeps it open.
    async fn open() -> (u16, JoinSet<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new()
            .route("/", post(async |body: Bytes| body))
            .layer(middleware::from_fn_with_state(SHORT, whole));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, None, router, SHORT));
        (port, serving)
    }

    async fn says(port: u16, text: &str) -> TcpStream {
        let mut line = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        line.write_all(text.as_bytes()).await.unwrap();
        line
    }

    /// What comes until the other side ends.
    async fn until_its_end(mut line: TcpStream) -> String {
        let mut all = Vec::new();
        let _cut = line.read_to_end(&mut all).await;
        String::from_utf8(all).unwrap()
    }

    const GOOD: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b";

    #[test]
    fn one_address_has_its_part_of_the_lines_and_all_have_a_part_of_the_descriptors() {
        let (addresses, far) = (Addresses::default(), IpAddr::from([10, 0, 0, 1]));
        let first = addresses.one_more(far, 2);
        let second = addresses.one_more(far, 2);
        assert!(first.is_some() && second.is_some() && addresses.one_more(far, 2).is_none());
        assert!(addresses.one_more(IpAddr::from([10, 0, 0, 2]), 2).is_some());
        drop(first);
        assert!(addresses.one_more(far, 2).is_some());
        drop(second);
        assert!(addresses.0.lock().unwrap().is_empty(), "nobody is remembered who has none");
        let here = IpAddr::from([127, 0, 0, 1]);
        let all: Vec<_> = (0..5).map(|_| addresses.one_more(here, 2)).collect();
        assert!(all.iter().all(Option::is_some), "a proxy on this machine speaks for many");
        let descriptors = getrlimit(Resource::Nofile).current.unwrap();
        assert_eq!(lines_at_once(usize::MAX) as u64, descriptors / DESCRIPTORS_A_LINE);
        assert_eq!(lines_at_once(1), 1);
    }

    #[tokio::test]
    async fn half_a_head_holds_its_line_for_no_longer_than_it_may() {
        let (port, _serving) = open().await;
        let slow = [says(port, "POST / HT").await, says(port, "POST / HTTP/1.1\r\nHost: x\r\nA: b").await];
        // Both places are taken: this one waits for the first of them to be put out.
        let good = says(port, GOOD).await;
        assert!(until_its_end(good).await.ends_with("a=b"));
        for slow in slow {
            let said = until_its_end(slow).await;
            assert!(!said.contains("200"), "{said}");
        }
    }

    #[tokio::test]
    async fn however_many_are_silent_whoever_greets_does_not_wait_for_them() {
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = certified.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Nothing ends by itself.
        let long = Duration::from_secs(3_600);
        let limits = Limits { lines: 8, greeting: long, head: long, line: long, ..SHORT };
        let router = Router::new().route("/", post(async |body: Bytes| body));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Some(TlsAcceptor::from(Arc::new(config))), router, limits));
        let mut silent = Vec::new();
        for _ in 0..20 {
            silent.push(says(port, "").await);
        }
        let mut roots = RootCertStore::empty();
        roots.add(certified.cert.der().clone()).unwrap();
        let trusts = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let dialled = says(port, "").await;
        let name = ServerName::try_from("localhost").unwrap();
        let mut line = TlsConnector::from(Arc::new(trusts)).connect(name, dialled).await.unwrap();
        line.write_all(GOOD.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _without_farewell = line.read_to_end(&mut said).await;
        assert!(String::from_utf8(said).unwrap().ends_with("a=b"));
        let first = silent.remove(0);
        assert_eq!(until_its_end(first).await, "", "the oldest of the silent gave way");
    }

    #[tokio::test]
    async fn half_a_form_is_told_that_it_came_late_and_too_long_a_one_that_it_is() {
        let (port, _serving) = open().await;
        let half = says(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\na=b").await;
        assert!(until_its_end(half).await.starts_with("HTTP/1.1 408"));
        let long = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", MAX_FORM_BYTES + 1);
        assert!(until_its_end(says(port, &long).await).await.starts_with("HTTP/1.1 413"));
    }

    #[tokio::test]
    async fn a_long_head_is_read_and_one_that_is_too_long_is_told_so() {
        let (port, _serving) = open().await;
        let head = |letters: usize| {
            format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(letters))
        };
        for (letters, status) in [(8_000, "404"), (20_000, "404"), (60_000, "404"), (MAX_HEAD_BYTES, "414")] {
            let said = until_its_end(says(port, &head(letters)).await).await;
            assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{letters}: {said}");
        }
    }

    #[tokio::test]
    async fn a_line_ends_however_busy_it_is_and_all_end_with_the_listener() {
        let (port, mut serving) = open().await;
        let mut busy = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut some = [0; 512];
        let kept = GOOD.replace("Connection: close\r\n", "");
        let mut answers = 0;
        while busy.write_all(kept.as_bytes()).await.is_ok() {
            match busy.read(&mut some).await {
                Ok(0) | Err(_) => break,
                Ok(_) => answers += 1,
            }
        }
        assert!(answers > 1);
        let idle = says(port, "POST").await;
        serving.abort_all();
        while serving.join_next().await.is_some() {}
        assert_eq!(until_its_end(idle).await, "");
    }
}
