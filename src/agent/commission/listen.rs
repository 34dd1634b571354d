//! Listening on a serial line before anybody here speaks.

use std::{future::Future, io, pin::Pin};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::traffic::{MAX_HEARD_BYTES, Traffic};
use crate::{
    agent::{bus, endpoint::Endpoint},
    host::Clock,
};

/// How long a line is listened to, in milliseconds: an energy meter's master asks at least that often.
pub const LISTEN_MS: u64 = 10_000;

/// A line that can be listened to.
pub type Line = Box<dyn AsyncRead + Send + Unpin>;

/// A line about to be opened for listening.
pub type Opening<'a> = Pin<Box<dyn Future<Output = io::Result<Option<Line>>> + Send + 'a>>;

/// Opens a line for listening only.
pub trait Ear: Send + Sync {
    /// Opens it anew; nothing where nobody else can be heard.
    fn open(&self) -> Opening<'_>;
}

impl Ear for Endpoint {
    fn open(&self) -> Opening<'_> {
        Box::pin(bus::overhear(self))
    }
}

/// Listens for so long, or until enough is heard to conclude from.
///
/// # Errors
/// The line cannot be opened, or broke.
pub async fn listen(clock: &dyn Clock, ear: &dyn Ear, listen_ms: u64) -> io::Result<Traffic> {
    let Some(mut line) = ear.open().await? else { return Ok(Traffic::default()) };
    let until = clock.now().uptime_ms + listen_ms;
    let mut heard = Vec::new();
    let mut chunk = [0; 512];
    loop {
        tokio::select! {
            // What already came is heard even when time is up.
            biased;
            read = line.read(&mut chunk) => match read? {
                0 => break,
                length => heard.extend_from_slice(chunk.get(..length).unwrap_or(&[])),
            },
            () = clock.sleep_until(until) => break,
        }
        if heard.len() >= MAX_HEARD_BYTES {
            break;
        }
    }
    Ok(Traffic::of(&heard))
}
