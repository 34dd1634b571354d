//! Where a bus is: the four ways a meter can be reached, as a person writes them. Opens nothing.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{metering::profile::Parity, terms::flaw::Wrong};

/// Default port of Modbus inside TLS (Modbus/TCP Security Protocol Specification v21, 3).
pub const DEFAULT_TLS_PORT: u16 = 802;
/// Default rate of a serial line, in bits a second.
pub const DEFAULT_BAUD: u32 = 9_600;
/// Slowest and fastest serial line, in bits a second.
pub const BAUDS: std::ops::RangeInclusive<u32> = 300..=1_000_000;

const FORMS: &str = "write \"tcp://10.1.4.7:502\", \"rtu:///dev/serial/by-id/usb-...?baud=9600&parity=E\", \
                     \"rtu+tcp://10.1.4.8:4001\" or \"tls://10.1.4.9:802\"";

/// Where a bus is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// `tcp://host:port`: Modbus TCP.
    Tcp(Peer),
    /// `rtu:///dev/...?baud=9600&parity=E&stop=1`: Modbus RTU on a serial line of this machine.
    Rtu(SerialLine),
    /// `rtu+tcp://host:port`: RTU frames through a transparent serial server.
    RtuTcp(Peer),
    /// `tls://host:port`: Modbus TCP inside TLS.
    Tls(Peer),
}

/// A host and a port of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A serial line of eight data bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SerialLine {
    /// The device. A path below `/dev/serial/by-id` stays the same when the adapter is plugged in again.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// How a byte is checked.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

impl SerialLine {
    /// Bits one character takes on the line: start, eight data, parity, stop.
    pub const fn bits_per_character(&self) -> u32 {
        let parity = match self.parity {
            Parity::None => 0,
            Parity::Even | Parity::Odd => 1,
        };
        9 + parity + self.stop_bits as u32
    }

    /// The name of the device may go to another adapter when this one is plugged in again.
    pub fn has_fleeting_name(&self) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        name.starts_with("ttyUSB") || name.starts_with("ttyACM")
    }
}

impl Endpoint {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// What is wrong with it, and the forms that are right.
    pub fn parse(text: &str) -> Result<Endpoint, Wrong> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(Wrong::new(format!("\"{text}\" names no way to reach a bus"), FORMS));
        };
        match scheme {
            "tcp" => Ok(Endpoint::Tcp(peer(rest, None)?)),
            "rtu+tcp" => Ok(Endpoint::RtuTcp(peer(rest, None)?)),
            "tls" => Ok(Endpoint::Tls(peer(rest, Some(DEFAULT_TLS_PORT))?)),
            "rtu" => Ok(Endpoint::Rtu(serial(rest)?)),
            other => Err(Wrong::new(format!("\"{other}://\" is no way to reach a bus"), FORMS)),
        }
    }

    /// What makes it one line or one connection: settings of a line do not make it another.
    pub fn place(&self) -> (Option<&Path>, Option<&Peer>) {
        match self {
            Endpoint::Rtu(line) => (Some(&line.path), None),
            Endpoint::Tcp(peer) | Endpoint::RtuTcp(peer) | Endpoint::Tls(peer) => (None, Some(peer)),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(peer) => write!(f, "tcp://{peer}"),
            Endpoint::RtuTcp(peer) => write!(f, "rtu+tcp://{peer}"),
            Endpoint::Tls(peer) => write!(f, "tls://{peer}"),
            Endpoint::Rtu(line) => {
                let (path, parity) = (line.path.display(), line.parity.letter());
                write!(f, "rtu://{path}?baud={}&parity={parity}&stop={}", line.baud, line.stop_bits)
            }
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn peer(text: &str, default_port: Option<u16>) -> Result<Peer, Wrong> {
    let (host, port) = match (text.rsplit_once(':'), text.ends_with(']')) {
        (Some((host, port)), false) => (host, Some(port)),
        (_, _) => (text, None),
    };
    let port = match (port, default_port) {
        (Some(port), _) => port.parse().ok().filter(|port| *port != 0),
        (None, default) => default,
    };
    let Some(port) = port else {
        return Err(Wrong::new(format!("\"{text}\" has no port from 1 to 65535"), FORMS));
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bracketed.unwrap_or(host);
    let odd = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '@' | '[' | ']');
    if host.is_empty() || host.contains(odd) || (bracketed.is_none() && host.contains(':')) {
        return Err(Wrong::new(format!("\"{text}\" has no host"), FORMS));
    }
    Ok(Peer { host: host.to_owned(), port })
}

fn serial(text: &str) -> Result<SerialLine, Wrong> {
    let (path, settings) = text.split_once('?').unwrap_or((text, ""));
    if !path.starts_with('/') || path.ends_with('/') {
        let wrong = format!("\"{path}\" is no path of a device");
        return Err(Wrong::new(wrong, "write it in full: \"rtu:///dev/serial/by-id/usb-...\""));
    }
    let path = PathBuf::from(path);
    let mut line = SerialLine { path, baud: DEFAULT_BAUD, parity: Parity::None, stop_bits: 1 };
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        let wrong = |right: &str| Wrong::new(format!("\"{setting}\" is no setting of a serial line"), right);
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        match key {
            "baud" => {
                let baud = value.parse().ok().filter(|baud| BAUDS.contains(baud));
                line.baud = baud.ok_or_else(|| wrong("write a rate the meter can be set to: `baud=9600`"))?;
            }
            "parity" => {
                line.parity = match value {
                    "N" | "n" => Parity::None,
                    "E" | "e" => Parity::Even,
                    "O" | "o" => Parity::Odd,
                    _ => return Err(wrong("write `parity=N`, `parity=E` or `parity=O`")),
                };
            }
            "stop" => {
                line.stop_bits = match value {
                    "1" => 1,
                    "2" => 2,
                    _ => return Err(wrong("write `stop=1` or `stop=2`")),
                };
            }
            _ => return Err(wrong("there are `baud`, `parity` and `stop`; data bits are always 8")),
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(host: &str, port: u16) -> Peer {
        Peer { host: host.into(), port }
    }

    #[test]
    fn every_form_is_read() {
        let read = |text: &str| Endpoint::parse(text).unwrap();
        assert_eq!(read("tcp://10.1.4.7:502"), Endpoint::Tcp(at("10.1.4.7", 502)));
        assert_eq!(read("tcp://[::1]:502"), Endpoint::Tcp(at("::1", 502)));
        assert_eq!(read("rtu+tcp://moxa.hall-1:4001"), Endpoint::RtuTcp(at("moxa.hall-1", 4_001)));
        assert_eq!(read("tls://meter.example"), Endpoint::Tls(at("meter.example", 802)));
        assert_eq!(read("tls://[fe80::1]"), Endpoint::Tls(at("fe80::1", 802)));
        assert_eq!(read("tls://meter.example:8802"), Endpoint::Tls(at("meter.example", 8_802)));
        let line = |baud, parity, stop_bits| {
            Endpoint::Rtu(SerialLine { path: "/dev/serial/by-id/usb-1".into(), baud, parity, stop_bits })
        };
        assert_eq!(read("rtu:///dev/serial/by-id/usb-1"), line(9_600, Parity::None, 1));
        assert_eq!(read("rtu:///dev/serial/by-id/usb-1?baud=19200&parity=E"), line(19_200, Parity::Even, 1));
        assert_eq!(read("rtu:///dev/serial/by-id/usb-1?parity=o&stop=2"), line(9_600, Parity::Odd, 2));
    }

    #[test]
    fn a_mistake_is_named_with_its_cure() {
        for (wrong, told) in [
            ("10.1.4.7:502", "no way to reach"),
            ("udp://a:1", "\"udp://\" is no way"),
            ("tcp://10.1.4.7", "no port"),
            ("tcp://a:0", "no port"),
            ("tcp://a:65536", "no port"),
            ("tcp://:502", "no host"),
            ("tcp://a/b:1", "no host"),
            ("tcp://::1:502", "no host"),
            ("tls://", "no host"),
            ("rtu://ttyUSB0", "no path of a device"),
            ("rtu:///dev/x?baud=fast", "\"baud=fast\" is no setting"),
            ("rtu:///dev/x?baud=9600&bits=7", "\"bits=7\" is no setting"),
            ("rtu:///dev/x?parity=M", "\"parity=M\" is no setting"),
        ] {
            let flaw = Endpoint::parse(wrong).unwrap_err();
            assert!(flaw.wrong.contains(told) && !flaw.right.is_empty(), "{wrong}: {flaw:?}");
        }
    }

    #[test]
    fn one_line_is_one_place_however_it_is_set() {
        let same =
            |a: &str, b: &str| Endpoint::parse(a).unwrap().place() == Endpoint::parse(b).unwrap().place();
        assert!(same("rtu:///dev/x?baud=9600", "rtu:///dev/x?baud=19200"));
        assert!(same("tcp://a:502", "rtu+tcp://a:502"));
        assert!(!same("tcp://a:502", "tcp://a:503"));
        assert!(!same("tcp://a:502", "rtu:///dev/x"));
    }

    #[test]
    fn a_character_takes_ten_to_twelve_bits() {
        let bits = |text: &str| match Endpoint::parse(text).unwrap() {
            Endpoint::Rtu(line) => line.bits_per_character(),
            Endpoint::Tcp(_) | Endpoint::RtuTcp(_) | Endpoint::Tls(_) => 0,
        };
        assert_eq!(bits("rtu:///dev/x"), 10);
        assert_eq!(bits("rtu:///dev/x?parity=E"), 11);
        assert_eq!(bits("rtu:///dev/x?parity=E&stop=2"), 12);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(text in "(tcp|rtu\\+tcp|tls)://[a-z0-9.]{1,12}:[1-9][0-9]{0,3}") {
            let read = Endpoint::parse(&text).unwrap();
            prop_assert_eq!(Endpoint::parse(&read.to_string()), Ok(read));
        }

        #[test]
        fn nothing_written_is_a_crash(text in "\\PC{0,40}") {
            drop(Endpoint::parse(&text));
        }
    }
}
