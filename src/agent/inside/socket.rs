//! A local socket on which the agent tells what it attests: each line is a question, `{"ask":"status"}`, and each answer one
//! line of JSON. Only who may open the socket's file is heard.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};

use super::desk::Desk;
use crate::host::exit::{Exit, Failure};

/// File name of the socket in the folder that the service manager made, else in the state directory, unless the
/// configuration names another.
pub const SOCKET_FILE: &str = "status.sock";
/// Where an installed agent has it: in the `RuntimeDirectory` of its unit.
pub const USUAL: &str = "/run/coldhearth/status.sock";
/// Longest path that a socket can have, in bytes: what the operating system has room for.
pub const MAX_PATH_BYTES: usize = 107;
/// Longest path of it that may be configured, in bytes: it is made beside its place, under a name one longer.
pub const LONGEST_BYTES: usize = MAX_PATH_BYTES - 1;
/// Who may ask: the agent's user and its group.
pub const MODE: u32 = 0o660;
/// Who may be connected at a time; what comes beyond is closed at once.
pub const MAX_CLIENTS: usize = 8;
/// Longest question, in bytes.
pub const MAX_LINE_BYTES: u64 = 1_024;
/// How long a client may say nothing, in milliseconds.
pub const IDLE_MS: u64 = 60_000;
/// How long a client may take to read an answer, in milliseconds.
pub const WRITE_MS: u64 = 5_000;

/// The open socket; its file goes with it.
pub(super) struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Door {
    fn drop(&mut self) {
        // Another start may have put its own there; that one is bound anew at its next start.
        let _gone = fs::remove_file(&self.path);
    }
}

/// A question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    ask: Asked,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Asked {
    Status,
}

/// Opens the socket in place of what an earlier life left there. Nobody else holds it: the state directory is locked.
///
/// # Errors
/// Its path is too long, or is somebody's file, or its folder may not be written to.
pub(super) fn listen(path: &Path) -> Result<Door, Failure> {
    let failed = |e: io::Error| Failure::new(Exit::Permission, format!("{}: {e}", path.display()));
    // Made beside its place and moved there, so that nobody meets it before its mode is set.
    let mut beside = path.as_os_str().to_owned();
    beside.push("~");
    let beside = PathBuf::from(beside);
    if beside.as_os_str().len() > MAX_PATH_BYTES {
        let what = format!(
            "{}: longer than {LONGEST_BYTES} bytes; name a shorter one as `socket` under [status]",
            path.display()
        );
        return Err(Failure::new(Exit::Config, what));
    }
    for path in [path, beside.as_path()] {
        match fs::symlink_metadata(path) {
            Ok(there) if there.file_type().is_socket() => fs::remove_file(path).map_err(failed)?,
            Ok(_) => return Err(failed(io::Error::other("there is a file that is no socket; move it away"))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
    }
    let listener = UnixListener::bind(&beside).map_err(failed)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(MODE)).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    Ok(Door { listener, path: path.to_path_buf() })
}

/// Answers until its thread ends.
pub(super) async fn serve(door: Door, desk: Arc<Desk>) {
    let room = Arc::new(Semaphore::new(MAX_CLIENTS));
    loop {
        let Ok((stream, _)) = door.listener.accept().await else {
            desk.pause().await;
            continue;
        };
        if let Ok(place) = room.clone().try_acquire_owned() {
            let desk = desk.clone();
            tokio::spawn(async move {
                // A client that is gone, or does not read, needs no answer.
                let _gone = converse(stream, &desk).await;
                drop(place);
            });
        }
    }
}

/// Answers line by line until the client leaves, falls silent, or does not read.
async fn converse(stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut read).take(MAX_LINE_BYTES);
        let came = timeout(Duration::from_millis(IDLE_MS), limited.read_until(b'\n', &mut line)).await;
        if came.map_err(io::Error::other)?? == 0 {
            return Ok(());
        }
        let is_whole = line.last() == Some(&b'\n');
        let answer = answer(&line, desk);
        timeout(Duration::from_millis(WRITE_MS), write.write_all(answer.as_bytes()))
            .await
            .map_err(io::Error::other)??;
        if !is_whole {
            return Ok(());
        }
    }
}

fn answer(line: &[u8], desk: &Desk) -> String {
    let text = match serde_json::from_slice(line) {
        Ok(Question { ask: Asked::Status }) => serde_json::to_string(&desk.status()),
        Err(_) => serde_json::to_string(&serde_json::json!({
            "error": "a line {\"ask\":\"status\"} is understood, of at most 1024 bytes"
        })),
    };
    // Texts, numbers and lists of them always become JSON.
    format!("{}\n", text.unwrap_or_default())
}
