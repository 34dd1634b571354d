//! The other end of the socket: whoever asks a running agent.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    time::timeout,
};

use super::status::Status;
use crate::host::exit::{Exit, Failure};

/// How long an agent may take to answer, in milliseconds.
pub const ANSWER_MS: u64 = 10_000;
/// Largest answer taken, in bytes: ten thousand meters in both languages.
pub const MAX_ANSWER_BYTES: u64 = 64 * 1_024 * 1_024;

/// Asks the agent at a socket how it is.
///
/// # Errors
/// No agent runs there ([`Exit::Unreachable`]), its socket may not be opened ([`Exit::Permission`]), or it does not answer
/// ([`Exit::Retry`]).
pub async fn ask(path: &Path) -> Result<Status, Failure> {
    let stream = UnixStream::connect(path).await.map_err(|e| unreachable(path, &e))?;
    let late = |_| {
        let what = format!("{}: an agent is there and does not answer; try again", path.display());
        Failure::new(Exit::Retry, what)
    };
    let asked = timeout(Duration::from_millis(ANSWER_MS), question(stream)).await.map_err(late)?;
    let line = asked.map_err(|e| unreachable(path, &e))?;
    if line.is_empty() {
        return Err(Failure::new(Exit::Retry, turned_away(&path.display())));
    }
    serde_json::from_slice(&line).map_err(|e| {
        let what = format!("{}: an agent of another version answers: {e}", path.display());
        Failure::new(Exit::Data, what)
    })
}

async fn question(mut stream: UnixStream) -> io::Result<Vec<u8>> {
    stream.write_all(b"{\"ask\":\"status\"}\n").await?;
    let mut line = Vec::new();
    BufReader::new(stream.take(MAX_ANSWER_BYTES)).read_until(b'\n', &mut line).await?;
    Ok(line)
}

fn unreachable(path: &Path, error: &io::Error) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, PermissionDenied};
    let (kind, path) = (error.kind(), path.display());
    if kind == PermissionDenied {
        let what = format!("{path}: {error}; ask as the agent's user, or join its group");
        return Failure::new(Exit::Permission, what);
    }
    if matches!(kind, BrokenPipe | ConnectionReset) {
        return Failure::new(Exit::Retry, turned_away(&path));
    }
    let what = format!("{path}: no agent is running here ({error}); `systemctl status coldhearth` tells why");
    Failure::new(Exit::Unreachable, what)
}

fn turned_away(path: &impl std::fmt::Display) -> String {
    format!("{path}: more look already than are answered at a time; try again")
}
