//! Keys of whichever suite, as files hold them and as they are made.

use std::fmt;

use ed25519_dalek::pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    spki::{
        AlgorithmIdentifierRef, SubjectPublicKeyInfoRef,
        der::{Decode as _, SecretDocument, zeroize::Zeroizing},
    },
};

#[cfg(feature = "sm2")]
use super::Sm2Key;
use super::{Ed25519, Signer, Suite};

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// A key of some elliptic curve; which one stands in the parameters.
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The text is no signing key of any suite.
    NotAKey,
    /// It is one of a suite that this build leaves out.
    NotBuiltIn(Suite),
    /// These 32 bytes make no key of the suite; others will.
    OutOfRange,
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoKey::NotAKey => f.write_str("not a signing key in PKCS#8 PEM"),
            NoKey::NotBuiltIn(suite) => write!(f, "this build does not know suite {suite}"),
            NoKey::OutOfRange => f.write_str("these random bytes make no key"),
        }
    }
}

impl Suite {
    /// The suite of a PEM file, `PRIVATE KEY` (PKCS#8) or `PUBLIC KEY`, whether this build has it or not.
    pub fn of_pem(text: &str) -> Option<Suite> {
        // Erased when dropped, for it may be the secret.
        let (label, document) = SecretDocument::from_pem(text).ok()?;
        match label {
            "PRIVATE KEY" => {
                Suite::of_algorithm(&PrivateKeyInfoRef::from_der(document.as_bytes()).ok()?.algorithm)
            }
            "PUBLIC KEY" => {
                Suite::of_algorithm(&SubjectPublicKeyInfoRef::from_der(document.as_bytes()).ok()?.algorithm)
            }
            _ => None,
        }
    }

    fn of_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<Suite> {
        if algorithm.oid == ED25519 {
            return Some(Suite::Ed25519);
        }
        algorithm.assert_oids(ELLIPTIC_CURVE, SM2_CURVE).is_ok().then_some(Suite::Sm2Sm3)
    }
}

/// The key in a PKCS#8 PEM file; its algorithm tells the suite.
///
/// # Errors
/// It is none, or none for this build.
pub fn signer_from_pem(text: &str) -> Result<Box<dyn Signer>, NoKey> {
    match Suite::of_pem(text).ok_or(NoKey::NotAKey)? {
        Suite::Ed25519 => Ok(Box::new(Ed25519::from_pem(text).ok_or(NoKey::NotAKey)?)),
        #[cfg(feature = "sm2")]
        Suite::Sm2Sm3 => Ok(Box::new(Sm2Key::from_pem(text).ok_or(NoKey::NotAKey)?)),
        #[cfg(not(feature = "sm2"))]
        Suite::Sm2Sm3 => Err(NoKey::NotBuiltIn(Suite::Sm2Sm3)),
    }
}

/// A new key from 32 bytes of entropy that the caller brings, and its PKCS#8 PEM file.
///
/// # Errors
/// The bytes make no key of this suite, or the build has no such suite.
pub fn signer_from_seed(
    suite: Suite,
    seed: &[u8; 32],
) -> Result<(Box<dyn Signer>, Zeroizing<String>), NoKey> {
    match suite {
        Suite::Ed25519 => {
            let key = Ed25519::from_seed(seed);
            let pem = key.to_pem().ok_or(NoKey::NotAKey)?;
            Ok((Box::new(key), pem))
        }
        #[cfg(feature = "sm2")]
        Suite::Sm2Sm3 => {
            let key = Sm2Key::from_seed(seed).ok_or(NoKey::OutOfRange)?;
            let pem = key.to_pem().ok_or(NoKey::NotAKey)?;
            Ok((Box::new(key), pem))
        }
        #[cfg(not(feature = "sm2"))]
        Suite::Sm2Sm3 => Err(NoKey::NotBuiltIn(suite)),
    }
}
