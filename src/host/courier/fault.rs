//! What the library calls an error, as a reason a person can act on. Both protocol versions come through here.

use std::io::{Error as IoError, ErrorKind};

use rumqttc::TlsError;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as RustlsError};

use super::refused::Refused;

/// A failure of the socket, or of TLS inside it.
pub(super) fn of_io(error: &IoError) -> Refused {
    if let Some(inner) = error.get_ref() {
        if let Some(tls) = inner.downcast_ref::<RustlsError>() {
            return of_rustls(tls);
        }
        if let Some(io) = inner.downcast_ref::<IoError>() {
            return of_io(io);
        }
    }
    let nobody = matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::AddrNotAvailable
            | ErrorKind::TimedOut
    );
    if nobody { Refused::Unreachable } else { Refused::Broken }
}

/// A failure while TLS was agreed upon.
pub(super) fn of_tls(error: &TlsError) -> Refused {
    match error {
        TlsError::Io(error) => of_handshake(error),
        TlsError::TLS(error) => of_rustls(error),
        TlsError::DNSName(_) => Refused::WrongName,
        TlsError::Addr(_)
        | TlsError::WebPki(_)
        | TlsError::NoValidCertInChain
        | TlsError::NoValidClientCertInChain
        | TlsError::NoValidKeyInChain => Refused::Credentials,
    }
}

/// A failure of the socket before TLS was agreed upon: a peer that hangs up then does not speak it.
pub(super) fn of_handshake(error: &IoError) -> Refused {
    let why = of_io(error);
    if why == Refused::Broken { Refused::NotTls } else { why }
}

// The library adds kinds to its enums at will, so they are asked for by name, and what none names has one answer.

fn of_rustls(error: &RustlsError) -> Refused {
    if let RustlsError::InvalidCertificate(flaw) = error {
        return of_certificate(flaw);
    }
    if let RustlsError::AlertReceived(alert) = error {
        return of_alert(*alert);
    }
    let foreign = matches!(
        error,
        RustlsError::InvalidMessage(_)
            | RustlsError::InappropriateMessage { .. }
            | RustlsError::PeerSentOversizedRecord
    );
    if foreign {
        Refused::NotTls
    } else if matches!(error, RustlsError::PeerIncompatible(_)) {
        Refused::NoCommonTls
    } else if matches!(error, RustlsError::NoCertificatesPresented | RustlsError::UnsupportedNameType) {
        Refused::BrokerCertificate
    } else {
        Refused::Broken
    }
}

/// What we have against the broker's certificate.
fn of_certificate(flaw: &CertificateError) -> Refused {
    use CertificateError as Flaw;
    if matches!(flaw, Flaw::UnknownIssuer | Flaw::BadSignature) {
        // A namesake of our authority that signs with another key is not our authority.
        Refused::AuthorityUnknown
    } else if matches!(flaw, Flaw::Expired | Flaw::ExpiredContext { .. }) {
        Refused::BrokerExpired
    } else if matches!(flaw, Flaw::NotValidYet | Flaw::NotValidYetContext { .. }) {
        Refused::BrokerNotYetValid
    } else if matches!(flaw, Flaw::NotValidForName | Flaw::NotValidForNameContext { .. }) {
        Refused::WrongName
    } else {
        Refused::BrokerCertificate
    }
}

/// What the broker has against ours, or against our way to encrypt.
fn of_alert(alert: AlertDescription) -> Refused {
    use AlertDescription as Alert;
    let untrusted = [
        Alert::UnknownCA,
        Alert::BadCertificate,
        Alert::UnsupportedCertificate,
        Alert::CertificateRevoked,
        Alert::CertificateUnknown,
        Alert::AccessDenied,
        Alert::DecryptError,
    ];
    if untrusted.contains(&alert) {
        Refused::CertificateUntrusted
    } else if [Alert::CertificateRequired, Alert::NoCertificate].contains(&alert) {
        Refused::CertificateMissing
    } else if alert == Alert::CertificateExpired {
        Refused::CertificateExpired
    } else if [Alert::HandshakeFailure, Alert::ProtocolVersion, Alert::InsufficientSecurity].contains(&alert)
    {
        Refused::NoCommonTls
    } else if alert == Alert::UnrecognisedName {
        Refused::WrongName
    } else {
        Refused::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(error: RustlsError) -> IoError {
        IoError::new(ErrorKind::InvalidData, error)
    }

    #[test]
    fn a_tls_error_is_found_inside_the_error_of_the_socket() {
        let unknown = || wrapped(RustlsError::InvalidCertificate(CertificateError::UnknownIssuer));
        assert_eq!(of_io(&unknown()), Refused::AuthorityUnknown);
        assert_eq!(of_io(&IoError::other(unknown())), Refused::AuthorityUnknown);
        assert_eq!(of_tls(&TlsError::Io(unknown())), Refused::AuthorityUnknown);
    }

    #[test]
    fn the_brokers_alerts_speak_of_our_certificate() {
        for (alert, why) in [
            (AlertDescription::CertificateRequired, Refused::CertificateMissing),
            (AlertDescription::UnknownCA, Refused::CertificateUntrusted),
            (AlertDescription::CertificateRevoked, Refused::CertificateUntrusted),
            (AlertDescription::CertificateExpired, Refused::CertificateExpired),
            (AlertDescription::HandshakeFailure, Refused::NoCommonTls),
        ] {
            assert_eq!(of_io(&wrapped(RustlsError::AlertReceived(alert))), why);
        }
    }

    #[test]
    fn hanging_up_during_the_handshake_means_no_tls_and_a_refused_socket_nobody() {
        let hung_up = || IoError::from(ErrorKind::UnexpectedEof);
        assert_eq!(of_io(&hung_up()), Refused::Broken);
        assert_eq!(of_tls(&TlsError::Io(hung_up())), Refused::NotTls);
        assert_eq!(of_handshake(&ErrorKind::ConnectionRefused.into()), Refused::Unreachable);
    }
}
