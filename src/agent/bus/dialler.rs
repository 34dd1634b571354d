//! From an endpoint to something that connects to it.

use std::{io, time::Duration};

use tokio::io::AsyncRead;
use tokio_modbus::client::Client;

use super::{
    Dial, Dialling, Hindrance, Stream,
    mbap::{Mbap, Transactions},
    rtu::{Home, Pace},
    tcp, tls,
};
use crate::{
    agent::endpoint::{Endpoint, Peer, SerialLine},
    host::credentials::TlsFiles,
};

/// Answer time assumed where nobody says better, in milliseconds.
pub const DEFAULT_ANSWER_MS: u32 = 1_000;
/// Silence between two frames on lines faster than 19,200 bits a second, in microseconds (Modbus over serial line 1.02,
/// 2.5.1.1).
const QUIET_OF_FAST_LINES_US: u64 = 1_750;
/// The same through a serial server, which keeps the line's own silence, in milliseconds.
const QUIET_OF_NETWORKS_MS: u64 = 1;
/// Silence in the middle of a frame that an adapter on this machine may make, in milliseconds.
const BROKEN_OFF_MS: u64 = 100;
/// Silence in the middle of a frame that a network may make, in milliseconds.
const BROKEN_OFF_ON_NETWORKS_MS: u64 = 400;

/// What an endpoint alone does not tell.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Files for an endpoint that speaks TLS.
    pub tls: Option<TlsFiles>,
    /// How long the slowest unit takes to answer, in milliseconds; an RTU line in disorder must be silent for so long.
    pub answer_ms: u32,
    /// Number of the first transaction: random, so that it differs from the last run's.
    pub first_transaction: u16,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { tls: None, answer_ms: DEFAULT_ANSWER_MS, first_transaction: 0 }
    }
}

/// What connects to an endpoint.
pub fn dialler(endpoint: &Endpoint, terms: &Terms) -> Box<dyn Dial> {
    let transactions = Transactions::from(terms.first_transaction);
    let answer = Duration::from_millis(u64::from(terms.answer_ms));
    match endpoint {
        Endpoint::Tcp(peer) => Box::new(Tcp { peer: peer.clone(), transactions }),
        Endpoint::Tls(peer) => Box::new(Tls { peer: peer.clone(), files: terms.tls.clone(), transactions }),
        Endpoint::RtuTcp(peer) => {
            let pace = Pace {
                quiet: Duration::from_millis(QUIET_OF_NETWORKS_MS),
                broken_off: Duration::from_millis(BROKEN_OFF_ON_NETWORKS_MS),
                answer,
            };
            Box::new(Rtu { far: Far::Peer(peer.clone()), home: Home::new(pace) })
        }
        Endpoint::Rtu(line) => {
            let broken_off = Duration::from_millis(BROKEN_OFF_MS);
            let pace = Pace { quiet: quiet(line), broken_off, answer };
            Box::new(Rtu { far: Far::Line(line.clone()), home: Home::new(pace) })
        }
    }
}

/// Opens a line that others may be speaking on, to listen only; `None` where nobody else can be heard.
///
/// # Errors
/// The line cannot be opened.
pub async fn overhear(endpoint: &Endpoint) -> io::Result<Option<Box<dyn AsyncRead + Send + Unpin>>> {
    Ok(match endpoint {
        Endpoint::Tcp(_) | Endpoint::Tls(_) => None,
        Endpoint::RtuTcp(peer) => Some(Box::new(tcp::connect(peer).await?)),
        Endpoint::Rtu(line) => Some(Box::new(open(line)?)),
    })
}

/// Silence between two frames: 3.5 characters, on fast lines a fixed time.
fn quiet(line: &SerialLine) -> Duration {
    if line.baud > 19_200 {
        return Duration::from_micros(QUIET_OF_FAST_LINES_US);
    }
    let half_bits = u64::from(line.bits_per_character()) * 7;
    Duration::from_micros(half_bits * 500_000 / u64::from(line.baud.max(1)))
}

struct Tcp {
    peer: Peer,
    transactions: Transactions,
}

impl Dial for Tcp {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(async {
            let stream = tcp::connect(&self.peer).await?;
            let client: Box<dyn Client> = Box::new(Mbap::new(stream, self.transactions.clone()));
            Ok(client)
        })
    }
}

struct Tls {
    peer: Peer,
    files: Option<TlsFiles>,
    transactions: Transactions,
}

impl Dial for Tls {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(async {
            let unnamed =
                || io::Error::new(io::ErrorKind::InvalidInput, "no authority's certificate is named");
            let files = self.files.as_ref().ok_or_else(unnamed)?;
            let stream = tls::connect(&self.peer, files).await?;
            let client: Box<dyn Client> = Box::new(Mbap::new(stream, self.transactions.clone()));
            Ok(client)
        })
    }
}

/// An RTU line, wherever its other end is.
struct Rtu {
    far: Far,
    home: Home,
}

/// How an RTU line is reached.
enum Far {
    /// Through a serial server.
    Peer(Peer),
    /// By an adapter on this machine.
    Line(SerialLine),
}

impl Far {
    async fn stream(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Far::Peer(peer) => Ok(Box::new(tcp::connect(peer).await?)),
            Far::Line(line) => open(line),
        }
    }
}

impl Dial for Rtu {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(self.home.client(self.far.stream()))
    }

    fn discarded(&self) -> u64 {
        self.home.discarded()
    }

    fn late(&self, told: &mut dyn FnMut(u8)) {
        self.home.late(told);
    }

    fn hang_up(&self) {
        self.home.close();
    }

    fn is_open(&self) -> bool {
        self.home.is_open()
    }
}

#[cfg(feature = "serial")]
fn open(line: &SerialLine) -> io::Result<Box<dyn Stream>> {
    let port = super::serial::open(line).map_err(Hindrance::of_device)?;
    Ok(Box::new(port))
}

#[cfg(not(feature = "serial"))]
fn open(_: &SerialLine) -> io::Result<Box<dyn Stream>> {
    Err(Hindrance::NotBuilt.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::profile::Parity;

    #[test]
    fn frames_are_three_and_a_half_characters_apart() {
        let line = |baud, parity| SerialLine { path: "/dev/x".into(), baud, parity, stop_bits: 1 };
        assert_eq!(quiet(&line(9_600, Parity::Even)).as_micros(), 4_010);
        assert_eq!(quiet(&line(9_600, Parity::None)).as_micros(), 3_645);
        assert_eq!(quiet(&line(1_200, Parity::None)).as_micros(), 29_166);
        assert_eq!(quiet(&line(115_200, Parity::None)).as_micros(), 1_750);
    }
}
