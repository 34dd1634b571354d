//! Why a broker refused or was lost, and what a person should do about it, in both languages.

use crate::terms::words::{self, Language, Words};

/// Why a broker refused, or was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody subscribes to the topic, so the broker kept nothing.
    NoSubscriber,
    /// A limit of the broker.
    Quota,
    /// The login.
    NotAuthorised,
    /// The access rules, at one topic.
    TopicForbidden,
    /// Somebody else connected under our name.
    TakenOver,
    /// The broker takes us and hangs up again and again, without a word.
    HungUp,
    /// The protocol's version.
    Version,
    /// Any other reason of the broker.
    Broker,
    /// Nobody answers at the address.
    Unreachable,
    /// The connection broke.
    Broken,
    /// Whoever answers closed the connection at our first word.
    Dropped,
    /// The broker stopped answering.
    Silent,
    /// The broker brought a packet larger than is taken.
    TooLarge,
    /// We took leave ourselves.
    Left,
    /// We took leave ourselves, to come back with a new certificate.
    Renewed,
    /// We took leave ourselves, to be brought again what we had passed over.
    Again,
    /// Our authority did not issue the broker's certificate.
    AuthorityUnknown,
    /// The broker's certificate has expired.
    BrokerExpired,
    /// The broker's certificate is not valid yet.
    BrokerNotYetValid,
    /// The broker's certificate is for another host.
    WrongName,
    /// The broker's certificate cannot be used for another reason.
    BrokerCertificate,
    /// The broker wants a certificate of us, and we have none.
    CertificateMissing,
    /// The broker does not trust our certificate.
    CertificateUntrusted,
    /// Our certificate has expired.
    CertificateExpired,
    /// Whoever answers does not speak TLS.
    NotTls,
    /// The two sides find no way to encrypt that both know.
    NoCommonTls,
    /// Our own certificate files cannot be used.
    Credentials,
}

impl Refused {
    /// Every reason.
    pub const ALL: [Refused; 27] = [
        Refused::NoSubscriber,
        Refused::Quota,
        Refused::NotAuthorised,
        Refused::TopicForbidden,
        Refused::TakenOver,
        Refused::HungUp,
        Refused::Version,
        Refused::Broker,
        Refused::Unreachable,
        Refused::Broken,
        Refused::Dropped,
        Refused::Silent,
        Refused::TooLarge,
        Refused::Left,
        Refused::Renewed,
        Refused::Again,
        Refused::AuthorityUnknown,
        Refused::BrokerExpired,
        Refused::BrokerNotYetValid,
        Refused::WrongName,
        Refused::BrokerCertificate,
        Refused::CertificateMissing,
        Refused::CertificateUntrusted,
        Refused::CertificateExpired,
        Refused::NotTls,
        Refused::NoCommonTls,
        Refused::Credentials,
    ];

    /// Cause and next step, as the log says it.
    pub const fn text(self) -> &'static str {
        self.words().in_language(Language::English)
    }

    /// Cause and next step.
    pub const fn words(self) -> Words {
        self.known().1
    }

    /// The code by which the log names it and `explain` knows it.
    pub const fn word(self) -> &'static str {
        self.known().0
    }

    const fn known(self) -> (&'static str, Words) {
        match self {
            Refused::NoSubscriber => ("no_subscriber", words::NO_SUBSCRIBER),
            Refused::Quota => ("quota", words::BROKER_QUOTA),
            Refused::NotAuthorised => ("login_refused", words::LOGIN_REFUSED),
            Refused::TopicForbidden => ("topic_forbidden", words::TOPIC_FORBIDDEN),
            Refused::TakenOver => ("taken_over", words::TAKEN_OVER),
            Refused::HungUp => ("hung_up", words::HUNG_UP),
            Refused::Version => ("no_common_version", words::NO_COMMON_VERSION),
            Refused::Broker => ("refused_by_broker", words::REFUSED_BY_BROKER),
            Refused::Unreachable => ("broker_unreachable", words::BROKER_UNREACHABLE),
            Refused::Broken => ("connection_broken", words::CONNECTION_BROKEN),
            Refused::Dropped => ("connection_dropped", words::CONNECTION_DROPPED),
            Refused::Silent => ("broker_silent", words::BROKER_SILENT),
            Refused::TooLarge => ("packet_too_large", words::PACKET_TOO_LARGE),
            Refused::Left => ("disconnected", words::DISCONNECTED),
            Refused::Renewed => ("certificate_renewed", words::CERTIFICATE_RENEWED),
            Refused::Again => ("brought_again", words::BROUGHT_AGAIN),
            Refused::AuthorityUnknown => ("authority_unknown", words::AUTHORITY_UNKNOWN),
            Refused::BrokerExpired => ("broker_expired", words::BROKER_EXPIRED),
            Refused::BrokerNotYetValid => ("broker_not_yet_valid", words::BROKER_NOT_YET_VALID),
            Refused::WrongName => ("wrong_name", words::WRONG_NAME),
            Refused::BrokerCertificate => ("broker_certificate", words::BROKER_CERTIFICATE),
            Refused::CertificateMissing => ("certificate_missing", words::CERTIFICATE_MISSING),
            Refused::CertificateUntrusted => ("certificate_untrusted", words::CERTIFICATE_UNTRUSTED),
            Refused::CertificateExpired => ("certificate_expired", words::CERTIFICATE_EXPIRED),
            Refused::NotTls => ("not_tls", words::NOT_TLS),
            Refused::NoCommonTls => ("no_common_tls", words::NO_COMMON_TLS),
            Refused::Credentials => ("certificate_files_unfit", words::CERTIFICATE_FILES_UNFIT),
        }
    }

    /// Whether somebody has to do something about it, or it may pass by itself.
    pub const fn has_to_be_mended(self) -> bool {
        match self {
            Refused::NoSubscriber
            | Refused::Unreachable
            | Refused::Broken
            | Refused::Silent
            | Refused::Left
            | Refused::Renewed
            | Refused::Again => false,
            Refused::Quota
            | Refused::NotAuthorised
            | Refused::TopicForbidden
            | Refused::TakenOver
            | Refused::HungUp
            | Refused::Version
            | Refused::Broker
            | Refused::Dropped
            | Refused::TooLarge
            | Refused::AuthorityUnknown
            | Refused::BrokerExpired
            | Refused::BrokerNotYetValid
            | Refused::WrongName
            | Refused::BrokerCertificate
            | Refused::CertificateMissing
            | Refused::CertificateUntrusted
            | Refused::CertificateExpired
            | Refused::NotTls
            | Refused::NoCommonTls
            | Refused::Credentials => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_its_own_words_in_both_languages() {
        for language in [Language::Chinese, Language::English] {
            let words: BTreeSet<&str> =
                Refused::ALL.iter().map(|why| why.words().in_language(language)).collect();
            assert_eq!(words.len(), Refused::ALL.len());
        }
    }

    #[test]
    fn explain_knows_every_reason_by_its_code() {
        assert_eq!(Refused::ALL.map(Refused::known), words::BROKER_CODES);
    }
}
