//! Notifications that leave by a program or by HTTP, each on a lane of its own beside the collector: whoever is slow to take
//! one holds up nothing and nobody else. What MQTT carries goes with the receipts.

use std::{net::IpAddr, process::Stdio, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use super::{Kind, Notification, Way, Webhook, pager::CLAIM_MS};
use crate::{
    host::{
        Clock, SystemClock,
        credentials::{self, TlsFiles},
        exit::{Exit, Failure},
        service,
    },
    terms::Name,
};

/// Notifications that may wait to leave. On their way is at most one of each kind to each receiver.
pub const MOST_WAITING: usize = 64;
/// How often one is tried.
pub const TRIES: u32 = 4;
/// Pause after the first try that failed, in milliseconds; it doubles.
pub const PAUSE_MS: u64 = 2_000;
/// How long a server, or a program, may take, in seconds.
pub const PATIENCE_S: u64 = 20;
// All tries are over before anybody else may tell it.
const _: () = assert!(
    TRIES as u64 * PATIENCE_S * 1_000 + ((1 << (TRIES - 1)) - 1) * PAUSE_MS < CLAIM_MS.cast_unsigned()
);

/// One notification on its way.
#[derive(Debug)]
struct Errand {
    receiver: Name,
    kind: Kind,
    way: Way,
    body: Vec<u8>,
    /// Whether it tells nothing new, so that nobody waits to hear that it was taken.
    is_repeat: bool,
}

/// The thread's other end. It ends with this.
#[derive(Debug)]
pub struct Outs {
    errands: mpsc::Sender<Errand>,
    done: mpsc::Receiver<(Name, Kind, bool)>,
}

impl Outs {
    /// Starts the thread.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start() -> Result<Outs, Failure> {
        let (errands, mut waiting) = mpsc::channel::<Errand>(MOST_WAITING);
        let (tell, done) = mpsc::channel(MOST_WAITING);
        let runtime = service::runtime()?;
        let run = move || {
            runtime.block_on(async {
                while let Some(errand) = waiting.recv().await {
                    // Whoever is slow holds nobody else up.
                    let tell = tell.clone();
                    tokio::spawn(async move {
                        let is_taken = carry(&SystemClock::default(), &errand).await;
                        if !errand.is_repeat {
                            let _nobody_asks = tell.send((errand.receiver, errand.kind, is_taken)).await;
                        }
                    });
                }
            });
        };
        std::thread::Builder::new()
            .name("alarms".into())
            .spawn(run)
            .map_err(|e| Failure::new(Exit::Bug, format!("no thread for notifications: {e}")))?;
        Ok(Outs { errands, done })
    }

    /// One whose way has ended, and whether it was taken.
    pub fn carried(&mut self) -> Option<(Name, Kind, bool)> {
        self.done.try_recv().ok()
    }

    /// Whether one more may wait.
    pub fn has_room(&self) -> bool {
        self.errands.capacity() > 0
    }

    /// Hands one over, as it is to be read there; false where too many wait.
    pub fn hand_over(&self, way: &Way, notification: &Notification, body: &Value) -> bool {
        let Notification { receiver, kind, .. } = *notification;
        self.send(way, (receiver, kind), body, false)
    }

    /// Tells again what was told; false where too many wait.
    pub fn repeat(&self, way: &Way, whose: (Name, Kind), body: &Value) -> bool {
        self.send(way, whose, body, true)
    }

    fn send(&self, way: &Way, (receiver, kind): (Name, Kind), body: &Value, is_repeat: bool) -> bool {
        let (way, body) = (way.clone(), body.to_string().into_bytes());
        self.errands.try_send(Errand { receiver, kind, way, body, is_repeat }).is_ok()
    }
}

/// Tries as often as it may; whether it was taken.
async fn carry(clock: &dyn Clock, errand: &Errand) -> bool {
    let mut pause_ms = PAUSE_MS;
    for tried in 1..=TRIES {
        let done = match &errand.way {
            Way::Mqtt => Ok(()),
            Way::Command(words) => run(words, &errand.body).await,
            Way::Webhook(webhook) => post(webhook, &errand.body).await,
        };
        let Err(why) = done else { return true };
        let receiver = errand.receiver.as_str();
        if tried == TRIES {
            tracing::warn!(
                receiver,
                tried,
                why,
                "a notification was not taken; it is told again in a while, and the alarms stand in the log"
            );
            return false;
        }
        tracing::warn!(receiver, tried, pause_ms, why, "a notification was not taken; it is tried again");
        clock.sleep_until(clock.now().uptime_ms.saturating_add(pause_ms)).await;
        pause_ms = pause_ms.saturating_mul(2);
    }
    false
}

/// The processes of a program that is not done. They end with this: a script that hangs has children that do.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        // Its leader was not waited for: the number is its own yet.
        let _gone = self.0.map(|leader| kill_process_group(leader, Signal::KILL));
    }
}

/// Runs a program with the notification on its standard input; exit 0 is done.
async fn run(words: &[String], body: &[u8]) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("no program is named")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("{program}: {e}"))?;
    let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut group = Group(leader);
    let stdin = child.stdin.take();
    let work = async {
        if let Some(mut stdin) = stdin {
            // A program that does not care for its input may have closed it.
            let _closed: std::io::Result<()> = stdin.write_all(body).await;
        }
        child.wait().await
    };
    let status = timeout(Duration::from_secs(PATIENCE_S), work)
        .await
        .map_err(|_| format!("{program}: not done within {PATIENCE_S} s"))?
        .map_err(|e| format!("{program}: {e}"))?;
    group.0 = None;
    if status.success() { Ok(()) } else { Err(format!("{program}: {status}")) }
}

/// Posts the notification; any 2xx is done.
async fn post(webhook: &Webhook, body: &[u8]) -> Result<(), String> {
    let posting = async {
        let (uri, host, port) = target(&webhook.url)?;
        let tcp =
            TcpStream::connect((host.as_str(), port)).await.map_err(|e| format!("{host}:{port}: {e}"))?;
        match &webhook.ca {
            None => send(tcp, &uri, body).await,
            Some(ca) => {
                let files = TlsFiles { ca: ca.clone(), identity: None, server_name: None };
                let config = tls(&files)?;
                let name = ServerName::try_from(host.clone()).map_err(|e| format!("{host}: {e}"))?;
                let encrypted = TlsConnector::from(config).connect(name, tcp).await;
                send(encrypted.map_err(|e| format!("{host}:{port}: {e}"))?, &uri, body).await
            }
        }
    };
    timeout(Duration::from_secs(PATIENCE_S), posting)
        .await
        .map_err(|_| format!("{}: no answer within {PATIENCE_S} s", shown(&webhook.url)))?
}

/// What may be told of a URL: its scheme, host and port. What else stands in it may be a secret.
fn shown(url: &str) -> String {
    target(url).map_or_else(
        |why| why,
        |(uri, host, port)| format!("{}://{host}:{port}", uri.scheme_str().unwrap_or_default()),
    )
}

/// Where a URL leads.
fn target(url: &str) -> Result<(Uri, String, u16), String> {
    let uri: Uri = url.parse().map_err(|e| format!("a webhook: {e}"))?;
    let host = uri.host().ok_or("a webhook: its URL names no host")?.trim_matches(['[', ']']).to_owned();
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(usual);
    Ok((uri, host, port))
}

/// Whether a notification may go there: encrypted, or without leaving this machine; and by no name and password, which this
/// program would not send.
pub fn is_safe(url: &str, has_ca: bool) -> bool {
    let Ok((uri, host, _)) = target(url) else { return false };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return false;
    }
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => has_ca,
        Some("http") => is_here && !has_ca,
        Some(_) | None => false,
    }
}

fn tls(files: &TlsFiles) -> Result<Arc<ClientConfig>, String> {
    let loaded = credentials::load(files);
    let loaded = loaded.map_err(|unfit| {
        let lines: Vec<String> = unfit.iter().map(ToString::to_string).collect();
        lines.join("; ")
    })?;
    Ok(loaded.config)
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    uri: &Uri,
    body: &[u8],
) -> Result<(), String> {
    let whose = shown(&uri.to_string());
    let said = |e: hyper::Error| format!("{whose}: {e}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::post(path)
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(|e| format!("{whose}: {e}"))?;
    // It ends with its sender.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(said)?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("{whose}: {}", answer.status())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::Format;

    /// One receiver's server takes the connection and never answers; another's program is done at once.
    #[test]
    fn a_receiver_that_never_answers_holds_up_no_other() {
        let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", hangs.local_addr().unwrap());
        let slow = Way::Webhook(Webhook { url, format: Format::Coldhearth, ca: None });
        let quick = Way::Command(["sh", "-c", "exit 0"].map(str::to_owned).to_vec());
        let mut outs = Outs::start().unwrap();
        let told = |name: &str| Notification {
            receiver: Name::new(name).unwrap(),
            kind: Kind::Violation,
            at_unix_ms: 0,
            priority: crate::regulator::alarms::Priority::High,
            news: Vec::new(),
            further: 0,
            standing: 0,
            upto: 0,
        };
        assert!(outs.hand_over(&slow, &told("slow"), &Value::Null));
        let (taken, _) = hangs.accept().unwrap();
        assert!(outs.repeat(&quick, (Name::new("quick").unwrap(), Kind::Violation), &Value::Null));
        assert!(outs.hand_over(&quick, &told("quick"), &Value::Null));
        let first = outs.done.blocking_recv().unwrap();
        assert_eq!(first, (Name::new("quick").unwrap(), Kind::Violation, true));
        assert_eq!(outs.carried(), None, "a repeat is not told back, and the slow one is on its way yet");
        drop(taken);
    }

    #[test]
    fn nothing_leaves_this_machine_unencrypted() {
        for (url, has_ca, is) in [
            ("https://alerts.example/api/v2/alerts", true, true),
            ("https://alerts.example/", false, false),
            ("http://127.0.0.1:9093/api/v2/alerts", false, true),
            ("http://[::1]:9093/", false, true),
            ("http://localhost/", false, true),
            ("http://alerts.example/", false, false),
            ("http://127.0.0.1.example/", false, false),
            ("ftp://127.0.0.1/", false, false),
            ("127.0.0.1:9093", false, false),
            ("http://name:password@127.0.0.1:9093/", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_safe(url, has_ca), is, "{url}");
        }
    }

    #[tokio::test]
    async fn a_program_is_told_on_its_input_and_its_exit_counts() {
        let sh = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
        run(&sh("grep -q violation"), b"{\"kind\":\"violation\"}").await.unwrap();
        assert!(run(&sh("grep -q violation"), b"{}").await.is_err());
        assert!(
            run(&sh("exit 0"), &vec![b'x'; 1_000_000]).await.is_ok(),
            "who does not read is not waited for"
        );
        assert!(run(&["/no/such/program".to_owned()], b"").await.is_err());
    }

    /// A program that hangs tells who it and its child are; neither is there once it is given up.
    #[tokio::test]
    async fn a_program_that_hangs_is_ended_with_its_children() {
        let file = std::env::temp_dir().join(format!("coldhearth-outs-{}", std::process::id()));
        let script = format!("sleep 1000 & echo $$ $! > {0}.part; mv {0}.part {0}; wait", file.display());
        let words = ["sh", "-c", &script].map(str::to_owned);
        let hangs = tokio::spawn(async move { run(&words, b"[1]").await });
        let both = loop {
            tokio::task::yield_now().await;
            if let Ok(both) = std::fs::read_to_string(&file) {
                break both;
            }
        };
        std::fs::remove_file(&file).unwrap();
        assert_eq!(both.split_whitespace().count(), 2, "{both}");
        hangs.abort();
        assert!(hangs.await.unwrap_err().is_cancelled());
        for id in both.split_whitespace() {
            // Whoever is dead may wait yet for its parent to look.
            let stat = format!("/proc/{id}/stat");
            let is_there = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
            while is_there() {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_told_to_nobody() {
        for url in [
            "https://alerts.example/hook/SECRET?access_token=SECRET",
            "https://SECRET:SECRET@alerts.example/",
            "http://SECRET SECRET/",
            "/SECRET",
        ] {
            assert!(!shown(url).contains("SECRET"), "{}", shown(url));
        }
        assert_eq!(shown("https://alerts.example/x?y=1"), "https://alerts.example:443");
    }

    #[tokio::test]
    async fn a_server_is_posted_to_and_its_answer_counts() {
        use tokio::io::AsyncReadExt as _;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v2/alerts?x=1", listener.local_addr().unwrap());
        for (status, is_taken) in [("200 OK", true), ("503 Service Unavailable", false)] {
            let webhook = Webhook { url: url.clone(), format: Format::Alertmanager, ca: None };
            let serving = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"[1]") {
                    let mut some = [0; 512];
                    let read = stream.read(&mut some).await.unwrap();
                    assert!(read > 0);
                    asked.extend_from_slice(&some[..read]);
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                String::from_utf8(asked).unwrap()
            };
            let (posted, asked) = tokio::join!(post(&webhook, b"[1]"), serving);
            assert_eq!(posted.is_ok(), is_taken, "{posted:?}");
            assert!(asked.starts_with("POST /api/v2/alerts?x=1 HTTP/1.1\r\n"), "{asked}");
            assert!(asked.contains("content-type: application/json"), "{asked}");
        }
    }
}
