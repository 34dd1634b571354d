//! What an authority hands to whoever is asked for help with its collector.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::config;
use crate::host::{
    Clock,
    bundle::Bundle,
    exit::Failure,
    scrub::{Known, Shape},
};

/// Largest page taken of a running collector, in bytes.
const MAX_PAGE_BYTES: u64 = 4 * 1_024 * 1_024;
/// How long a running collector may take to answer, in milliseconds.
const ANSWER_MS: u64 = 5_000;

/// Keys of the configuration whose values may be handed on. Left out: users, password files, private keys, and the group's
/// name, by which whoever guesses it takes a part of all records.
const KNOWN: &Known = &[
    ("authority", Shape::Word),
    ("broker", Shape::Word),
    ("tls", Shape::Word),
    ("store", Shape::Word),
    ("retention", Shape::Word),
    ("share", Shape::Word),
    ("metrics", Shape::Word),
    ("state_dir", Shape::Path),
    ("host", Shape::Address),
    ("port", Shape::Word),
    ("keepalive_s", Shape::Word),
    ("ca", Shape::Path),
    ("certificate", Shape::Path),
    ("server_name", Shape::Address),
    ("kind", Shape::Word),
    ("socket", Shape::Path),
    ("database", Shape::Word),
    ("keep_days", Shape::Word),
    ("worker", Shape::Word),
    ("workers", Shape::Word),
    ("by", Shape::Word),
    ("listen", Shape::Address),
];

/// What the bundle is made of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The authority's configuration, where there is one.
    pub config: Option<&'a Path>,
    /// Folder of its key and its embedded store, where no configuration names it.
    pub state: &'a Path,
    /// Where a running collector shows its metrics, where no configuration names that.
    pub metrics: Option<SocketAddr>,
}

/// Writes a bundle of an authority, whether its collector runs or not and whether its configuration holds or not.
///
/// # Errors
/// The file is there already, or cannot be written.
pub async fn bundle(clock: &dyn Clock, asked: Asked<'_>, out: &Path) -> Result<(), Failure> {
    let mut bundle = Bundle::create(out, &clock.now())?;
    let (mut state, mut metrics): (PathBuf, _) = (asked.state.to_path_buf(), asked.metrics);
    if let Some(path) = asked.config {
        bundle.add_configuration(path, KNOWN)?;
        match config::load(path) {
            Ok(config) => {
                state = config.state_dir;
                metrics = metrics.or(config.metrics);
            }
            Err(flaws) => {
                let places: Vec<String> = flaws.iter().map(|flaw| flaw.place.to_string()).collect();
                bundle.add("mistakes.txt", &format!("{}\n", places.join("\n")))?;
            }
        }
    }
    for (page, name) in [("/health", "health.txt"), ("/metrics", "metrics.txt")] {
        let text = match metrics {
            None => "no address of metrics is configured\n".to_owned(),
            Some(at) => shown(at, page).await,
        };
        bundle.add(name, &text)?;
    }
    bundle.add_store(&state)?;
    bundle.finish()
}

/// A page of a running collector, or why there is none.
async fn shown(at: SocketAddr, page: &str) -> String {
    match timeout(Duration::from_millis(ANSWER_MS), fetched(at, page)).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => format!("{at}: {error}; no collector is running there\n"),
        Err(_) => format!("{at}: no answer\n"),
    }
}

async fn fetched(at: SocketAddr, page: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(format!("GET {page} HTTP/1.0\r\nHost: {at}\r\n\r\n").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(MAX_PAGE_BYTES).read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
