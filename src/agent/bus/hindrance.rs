//! Why a bus cannot be reached although its endpoint is right: each cause with what to do about it.

use std::{fmt, io};

use tokio_rustls::rustls;

use crate::terms::words::{self, Language, Words};

/// What stands between us and a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// There is no such device.
    NoDevice,
    /// The device is not for us.
    DeviceForbidden,
    /// Another program has the device.
    DeviceTaken,
    /// The line never falls silent.
    NotSilent,
    /// The port is open and nobody answers.
    NotServed,
    /// The other side does not believe our certificate, or wants one.
    CertificateRefused,
    /// The other side's certificate is not to be believed.
    PeerNotBelieved,
    /// This program was built without serial lines.
    NotBuilt,
}

impl Hindrance {
    /// Every cause.
    pub const ALL: [Hindrance; 8] = [
        Hindrance::NoDevice,
        Hindrance::DeviceForbidden,
        Hindrance::DeviceTaken,
        Hindrance::NotSilent,
        Hindrance::NotServed,
        Hindrance::CertificateRefused,
        Hindrance::PeerNotBelieved,
        Hindrance::NotBuilt,
    ];

    /// The cause of an error, where it is one of these.
    pub fn of(error: &io::Error) -> Option<Hindrance> {
        let inner = error.get_ref()?;
        if let Some(hindrance) = inner.downcast_ref::<Hindrance>() {
            return Some(*hindrance);
        }
        let objects = matches!(inner.downcast_ref::<rustls::Error>()?, rustls::Error::AlertReceived(_));
        Some(if objects { Hindrance::CertificateRefused } else { Hindrance::PeerNotBelieved })
    }

    /// What opening a serial line came to.
    pub(super) fn of_device(error: io::Error) -> io::Error {
        let causes = [
            (io::ErrorKind::NotFound, Hindrance::NoDevice),
            (io::ErrorKind::PermissionDenied, Hindrance::DeviceForbidden),
            (io::ErrorKind::ResourceBusy, Hindrance::DeviceTaken),
        ];
        let cause = causes.into_iter().find(|(kind, _)| *kind == error.kind());
        cause.map_or(error, |(_, hindrance)| hindrance.into())
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        self.known().1
    }

    /// The code by which the log names it and `explain` knows it.
    pub const fn word(self) -> &'static str {
        self.known().0
    }

    const fn known(self) -> (&'static str, Words) {
        match self {
            Hindrance::NoDevice => ("no_device", words::NO_DEVICE),
            Hindrance::DeviceForbidden => ("device_forbidden", words::DEVICE_FORBIDDEN),
            Hindrance::DeviceTaken => ("device_taken", words::DEVICE_TAKEN),
            Hindrance::NotSilent => ("line_not_silent", words::LINE_NOT_SILENT),
            Hindrance::NotServed => ("not_served", words::BUS_NOT_SERVED),
            Hindrance::CertificateRefused => ("certificate_refused", words::BUS_CERTIFICATE_REFUSED),
            Hindrance::PeerNotBelieved => ("peer_not_believed", words::BUS_PEER_NOT_BELIEVED),
            Hindrance::NotBuilt => ("no_serial_lines", words::NO_SERIAL_LINES),
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().in_language(Language::English))
    }
}

impl std::error::Error for Hindrance {}

impl From<Hindrance> for io::Error {
    fn from(hindrance: Hindrance) -> io::Error {
        io::Error::other(hindrance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_absent_and_one_that_is_forbidden_are_told_apart() {
        let told = |kind: io::ErrorKind| Hindrance::of(&Hindrance::of_device(kind.into()));
        assert_eq!(told(io::ErrorKind::NotFound), Some(Hindrance::NoDevice));
        assert_eq!(told(io::ErrorKind::PermissionDenied), Some(Hindrance::DeviceForbidden));
        assert_eq!(told(io::ErrorKind::ResourceBusy), Some(Hindrance::DeviceTaken));
        assert_eq!(told(io::ErrorKind::TimedOut), None);
        assert!(Hindrance::DeviceForbidden.to_string().contains("dialout"));
    }

    #[test]
    fn explain_knows_every_cause_by_its_code() {
        assert_eq!(Hindrance::ALL.map(Hindrance::known), words::BUS_CODES);
    }
}
