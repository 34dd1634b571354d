//! What a program tells the service manager that started it: datagrams on a Unix socket, as sd_notify(3) describes them.
//! Where nobody asked to be told, nobody is.

use std::{
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// How long the service manager may take to accept a word, in milliseconds.
const PATIENCE_MS: u64 = 1_000;
/// Longest text of a status, in bytes; the service manager reads 4096 in all.
const MAX_STATUS_BYTES: usize = 1_000;

/// The way to the service manager, if there is one.
#[derive(Debug, Default)]
pub struct Notify {
    line: Option<(UnixDatagram, SocketAddr)>,
    watchdog_ms: Option<u64>,
    complained: AtomicBool,
}

impl Notify {
    /// To where `NOTIFY_SOCKET` leads, fed as often as `WATCHDOG_USEC` wants it. A socket that cannot be used is named in
    /// the log, and the program goes on without.
    pub fn from_environment() -> Notify {
        let Some(address) = std::env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
            return Notify::default();
        };
        let line = Notify::line_to(&address)
            .map_err(|e| tracing::warn!("the service manager cannot be told: {}: {e}", address.display()));
        Notify { line: line.ok(), watchdog_ms: watchdog_ms(), complained: AtomicBool::new(false) }
    }

    /// To this socket, a path or, after an `@`, a name of the abstract kind; fed within so many milliseconds.
    ///
    /// # Errors
    /// It is no address, or there are no sockets.
    pub fn to(address: &OsStr, watchdog_ms: Option<u64>) -> io::Result<Notify> {
        let line = Some(Notify::line_to(address)?);
        Ok(Notify { line, watchdog_ms, complained: AtomicBool::new(false) })
    }

    fn line_to(address: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
        let peer = match address.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A word that is lost because nobody reads is better than a witness that waits.
        socket.set_write_timeout(Some(Duration::from_millis(PATIENCE_MS)))?;
        Ok((socket, peer))
    }

    /// Within how many milliseconds the watchdog wants to be fed, if there is one.
    pub const fn watchdog_ms(&self) -> Option<u64> {
        self.watchdog_ms
    }

    /// Everything is begun.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// Tells that the configuration is being read again, since this moment of the clock that never steps, in microseconds
    /// ([`monotonic_us`](super::clock::monotonic_us)), and that this is over, whatever came of it.
    pub async fn while_reloading<T>(&self, since_us: u64, reload: impl Future<Output = T>) -> T {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={since_us}"));
        let reloaded = reload.await;
        self.tell("READY=1");
        reloaded
    }

    /// The program has begun to end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// What a person should know of the program now.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={}", one_line(status)));
    }

    /// Every task still comes round.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    fn tell(&self, words: &str) {
        let Some((socket, peer)) = &self.line else { return };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), peer)
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("the service manager cannot be told: {error}");
        }
    }
}

/// A text without line ends, cut at a whole character.
fn one_line(status: &str) -> String {
    let end = (0..=status.len().min(MAX_STATUS_BYTES)).rev().find(|end| status.is_char_boundary(*end));
    status.get(..end.unwrap_or(0)).unwrap_or_default().replace('\n', " ")
}

fn watchdog_ms() -> Option<u64> {
    let whole = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = whole("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    whole("WATCHDOG_USEC").filter(|_| is_ours).map(|us| us / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 4_096];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_words_are_those_of_the_protocol() {
        let path = std::env::temp_dir().join(format!("coldhearth-notify-{}", std::process::id()));
        let _old = std::fs::remove_file(&path);
        let abstract_name = format!("coldhearth-notify-{}", std::process::id());
        let sockets = [
            (UnixDatagram::bind(&path).unwrap(), path.as_os_str().to_owned()),
            (
                UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap(),
                format!("@{abstract_name}").into(),
            ),
        ];
        for (socket, address) in sockets {
            let notify = Notify::to(&address, Some(30_000)).unwrap();
            notify.ready("two\nlines");
            assert_eq!(heard(&socket), "READY=1\nSTATUS=two lines");
            assert_eq!(
                notify.while_reloading(7, async { heard(&socket) }).await,
                "RELOADING=1\nMONOTONIC_USEC=7"
            );
            assert_eq!(heard(&socket), "READY=1");
            notify.alive();
            assert_eq!(heard(&socket), "WATCHDOG=1");
            notify.status(&"证".repeat(1_000));
            assert_eq!(heard(&socket).len(), "STATUS=".len() + 999, "cut at a whole character");
            notify.stopping();
            assert_eq!(heard(&socket), "STOPPING=1");
        }
        std::fs::remove_file(&path).unwrap();
        Notify::default().ready("to nobody");
    }
}
