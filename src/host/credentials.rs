//! Certificates and keys on disk, read into what a TLS connection needs. Every mistake names its file.
//!
//! Only the plant's own authority is believed, never the machine's list of them: a broker is one known peer, and
//! whoever can have a certificate issued by a public authority is not.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{Error as PemError, PemObject as _},
    },
};
use x509_cert::{Certificate, der::Decode as _};

use crate::terms::{flaw::Wrong, words::Language};

/// Which files a TLS connection is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authorities that may vouch for the broker, PEM.
    pub ca: PathBuf,
    /// What we show when the broker asks who we are.
    pub identity: Option<Identity>,
    /// The name the broker's certificate must carry, where that is not the host dialled.
    pub server_name: Option<String>,
}

/// Our own certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our certificate, then those between it and the broker's authority, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM: PKCS#8, SEC1 or PKCS#1.
    pub key: PathBuf,
}

/// One thing a TLS connection is made of; the word is its key in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `ca`
    Authority,
    /// `certificate`
    Certificate,
    /// `key`
    Key,
    /// `server_name`
    ServerName,
}

impl Part {
    /// The key in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Part::Authority => "ca",
            Part::Certificate => "certificate",
            Part::Key => "key",
            Part::ServerName => "server_name",
        }
    }

    /// Says that its certificate expires within so many days, or has expired when there are none left.
    pub fn expiring(self, days: i64, language: Language) -> String {
        match (language, days > 0) {
            (Language::Chinese, true) => {
                format!("`{}` 的证书将在 {days} 天内到期；请更换文件，无需重启", self.word())
            }
            (Language::Chinese, false) => format!("`{}` 的证书已过期；请更换文件，无需重启", self.word()),
            (Language::English, true) => {
                format!(
                    "the certificate of `{}` expires within {days} days; replace the file, no restart needed",
                    self.word()
                )
            }
            (Language::English, false) => {
                format!(
                    "the certificate of `{}` has expired; replace the file, no restart needed",
                    self.word()
                )
            }
        }
    }
}

/// Why a part cannot be used, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which part.
    pub part: Part,
    /// What is wrong with it, its file named, and what would be right.
    pub what: Wrong,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.what.wrong, self.what.right)
    }
}

/// Read, proven to fit each other, and ready for a connection.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// How to open a TLS connection.
    pub config: Arc<ClientConfig>,
    /// When each certificate file stops being valid, in milliseconds since 1970-01-01 UTC: the first of its
    /// certificates that ends.
    pub ends_unix_ms: Vec<(Part, i64)>,
}

/// Reads all parts.
///
/// # Errors
/// Every file that is missing, does not parse or does not fit.
pub fn load(files: &TlsFiles) -> Result<Credentials, Vec<Unfit>> {
    let mut unfit = Vec::new();
    let mut noted = |result: Result<_, Unfit>| result.map_err(|u| unfit.push(u)).ok();
    let roots = noted(certificates(Part::Authority, &files.ca));
    let chain =
        files.identity.as_ref().and_then(|id| noted(certificates(Part::Certificate, &id.certificate)));
    let key = files.identity.as_ref().and_then(|id| private_key(&id.key).map_err(|u| unfit.push(u)).ok());
    let name = files.server_name.as_deref().and_then(|name| {
        let parsed = ServerName::try_from(name.to_owned());
        let wrong = |_| Unfit {
            part: Part::ServerName,
            what: Wrong::new(
                format!("`{name}` is no host name or address"),
                "write it as the broker's certificate does",
            ),
        };
        parsed.map_err(|e| unfit.push(wrong(e))).ok()
    });
    let (true, Some(roots)) = (unfit.is_empty(), roots) else { return Err(unfit) };
    let mut ends_unix_ms = vec![(Part::Authority, roots.ends_unix_ms)];
    ends_unix_ms.extend(chain.as_ref().map(|chain| (Part::Certificate, chain.ends_unix_ms)));
    let verifier = verifier(files, roots.certificates, name)?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| vec![unusable(Part::Authority, &files.ca, &e)])?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&files.identity, chain, key) {
        (Some(identity), Some(chain), Some(key)) => config
            .with_client_auth_cert(chain.certificates, key)
            .map_err(|e| vec![does_not_fit(identity, &e)])?,
        (_, _, _) => config.with_no_client_auth(),
    };
    Ok(Credentials { config: Arc::new(config), ends_unix_ms })
}

/// Reads what a server of ours shows to whoever dials it: its certificate and the key to it.
///
/// # Errors
/// Every file that is missing, does not parse or does not fit.
pub fn serving(identity: &Identity) -> Result<Arc<ServerConfig>, Vec<Unfit>> {
    let chain = certificates(Part::Certificate, &identity.certificate);
    let key = private_key(&identity.key);
    let (chain, key) = match (chain, key) {
        (Ok(chain), Ok(key)) => (chain, key),
        (chain, key) => return Err(chain.err().into_iter().chain(key.err()).collect()),
    };
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| vec![unusable(Part::Certificate, &identity.certificate, &e)])?
        .with_no_client_auth()
        .with_single_cert(chain.certificates, key)
        .map_err(|e| vec![does_not_fit(identity, &e)])?;
    Ok(Arc::new(config))
}

/// The one provider of cryptography, handed over wherever one is asked for: there is no process-wide default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    ends_unix_ms: i64,
}

fn certificates(part: Part, path: &Path) -> Result<Chain, Unfit> {
    let bytes = fs::read(path).map_err(|e| unreadable(part, path, &e))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, PemError>>()
        .map_err(|e| unusable(part, path, &e))?;
    let ends = certificates.iter().map(|der| {
        let certificate = Certificate::from_der(der).map_err(|e| unusable(part, path, &e))?;
        let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
        Ok(i64::try_from(end.as_millis()).unwrap_or(i64::MAX))
    });
    match ends.collect::<Result<Vec<i64>, Unfit>>()?.into_iter().min() {
        Some(ends_unix_ms) => Ok(Chain { certificates, ends_unix_ms }),
        None => Err(unusable(part, path, &"no certificate in it")),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Unfit> {
    let bytes = fs::read(path).map_err(|e| unreadable(Part::Key, path, &e))?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|e| unusable(Part::Key, path, &e))
}

fn unreadable(part: Part, path: &Path, error: &std::io::Error) -> Unfit {
    let wrong = format!("{}: cannot be read: {error}", path.display());
    Unfit { part, what: Wrong::new(wrong, "check the path and its permissions") }
}

fn unusable(part: Part, path: &Path, error: &dyn fmt::Display) -> Unfit {
    let right = match part {
        Part::Authority => "the certificate of the authority that signed the broker's is expected, in PEM",
        Part::Certificate => "our certificate is expected, in PEM, its intermediates after it",
        Part::Key => "an unencrypted private key in PEM is expected: PKCS#8, SEC1 or PKCS#1",
        Part::ServerName => "a host name or an address is expected",
    };
    Unfit { part, what: Wrong::new(format!("{}: {error}", path.display()), right) }
}

fn does_not_fit(identity: &Identity, error: &rustls::Error) -> Unfit {
    let (key, certificate) = (identity.key.display(), identity.certificate.display());
    let wrong = if matches!(error, rustls::Error::InconsistentKeys(_)) {
        format!("{key}: is not the key of {certificate}")
    } else {
        format!("{key}: cannot be used with {certificate}: {error}")
    };
    Unfit { part: Part::Key, what: Wrong::new(wrong, "name the two files that were issued together") }
}

fn verifier(
    files: &TlsFiles,
    certificates: Vec<CertificateDer<'static>>,
    name: Option<ServerName<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, Vec<Unfit>> {
    let failed = |e: &dyn fmt::Display| vec![unusable(Part::Authority, &files.ca, e)];
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|e| failed(&e))?;
    }
    let plain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|e| failed(&e))?;
    Ok(match name {
        Some(name) => Arc::new(UnderName { name, plain }),
        None => plain,
    })
}

/// Verifies as ever, but for a name other than the host that is dialled.
#[derive(Debug)]
struct UnderName {
    name: ServerName<'static>,
    plain: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for UnderName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.plain.verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.plain.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.plain.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.plain.supported_verify_schemes()
    }
}
