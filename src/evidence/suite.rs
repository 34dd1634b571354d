//! The signature suites: their names, what each hashes with, and the seam for whoever signs.
//!
//! | `alg` | signature | hash of records and keys | public key, base64 |
//! |---|---|---|---|
//! | `ed25519` | Ed25519 | SHA-256 | 32 bytes |
//! | `sm2-sm3` | SM2, raw `r` and `s`, ID `1234567812345678` | SM3 | 65 bytes, uncompressed SEC1 point |
//!
//! A log's suite is that of the key it began with. A record names it, and never chooses it.

mod ed25519;
mod key_file;
mod public_key;
#[cfg(feature = "sm2")]
mod sm2;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sm3::{Digest as _, Sm3};

#[cfg(feature = "sm2")]
pub use self::sm2::{DISTINGUISHING_ID, Sm2Key};
pub use self::{
    ed25519::Ed25519,
    key_file::{NoKey, signer_from_pem, signer_from_seed},
    public_key::PublicKey,
};
use crate::terms::Digest;
pub use crate::terms::KeyId;

/// A private key as PEM text, erased when dropped.
pub type SecretPem = ed25519_dalek::pkcs8::spki::der::zeroize::Zeroizing<String>;

/// Bytes of a signature, in either suite.
pub const SIGNATURE_BYTES: usize = 64;

/// How a log is signed and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Ed25519 and SHA-256.
    Ed25519,
    /// The Chinese national standards SM2 and SM3; its keys need the feature `sm2`.
    Sm2Sm3,
}

impl Suite {
    /// The suite's name in a record's `alg`.
    pub const fn word(self) -> &'static str {
        match self {
            Suite::Ed25519 => "ed25519",
            Suite::Sm2Sm3 => "sm2-sm3",
        }
    }

    /// The suite of this name.
    pub fn from_word(word: &str) -> Option<Suite> {
        [Suite::Ed25519, Suite::Sm2Sm3].into_iter().find(|suite| suite.word() == word)
    }

    /// Whether this build can sign and verify with it.
    pub const fn is_built_in(self) -> bool {
        match self {
            Suite::Ed25519 => true,
            Suite::Sm2Sm3 => cfg!(feature = "sm2"),
        }
    }

    /// The suite's hash of some bytes.
    pub fn hash(self, bytes: &[u8]) -> Digest {
        match self {
            Suite::Ed25519 => Digest::of(bytes),
            Suite::Sm2Sm3 => Digest(Sm3::digest(bytes).into()),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl KeyId {
    fn of(suite: Suite, key: &[u8]) -> KeyId {
        KeyId(suite.hash(key).0.first_chunk::<8>().copied().unwrap_or_default())
    }
}

/// Signs bytes; holds a key. Keys in memory implement it here; credentials, TPMs and certified modules may.
pub trait Signer: Send {
    /// The key that answers for the signatures; its suite is the signer's.
    fn public_key(&self) -> PublicKey;
    /// A signature over the bytes.
    fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_BYTES];
}

/// A signature from its canonical base64; another way to write the same bytes is refused.
pub fn signature_from_base64(text: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    canonical_base64(text)?.try_into().ok()
}

/// A signature in base64.
pub fn signature_to_base64(signature: &[u8; SIGNATURE_BYTES], out: &mut Vec<u8>) {
    let mut text = [0; 88];
    if let Ok(length) = STANDARD.encode_slice(signature, &mut text) {
        out.extend_from_slice(text.get(..length).unwrap_or(&[]));
    }
}

fn canonical_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (STANDARD.encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            canonical,
            record::{Record, Refusal, SIGNED_PREFIX, Unverified},
        },
        *,
    };

    const GENESIS: &str = include_str!("../../tests/golden/coldhearth-1/00-genesis.json");

    #[test]
    fn a_key_signs_and_its_files_are_those_of_openssl() {
        let key = Ed25519::from_seed(&[7; 32]);
        let public = key.public_key();
        // EVIDENCE.md 2.3 gives this key's short name.
        assert_eq!(public.id().to_string(), "fe812c12f3ab4ce6");
        let signature = key.sign(b"abc");
        assert!(public.verifies(b"abc", &signature));
        assert!(!public.verifies(b"abd", &signature));
        assert_eq!(PublicKey::from_pem(&public.to_pem().unwrap()), Some(public));
        assert_eq!(PublicKey::from_base64(&public.to_base64()), Some(public));
        let again = Ed25519::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public_key(), public);
        assert!(!format!("{key:?}").contains("7, 7"), "a key never shows itself");
    }

    #[test]
    fn base64_has_one_way_to_be_written() {
        let mut text = Vec::new();
        signature_to_base64(&[9; 64], &mut text);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(signature_from_base64(&text), Some([9; 64]));
        let unused_bits = text.replace("CQ==", "CR==");
        assert_ne!(unused_bits, text);
        assert_eq!(signature_from_base64(&unused_bits), None);
        assert_eq!(signature_from_base64(text.trim_end_matches('=')), None);
    }

    #[test]
    fn suites_are_known_by_their_words_and_their_hashes() {
        for suite in [Suite::Ed25519, Suite::Sm2Sm3] {
            assert_eq!(Suite::from_word(suite.word()), Some(suite));
        }
        assert_eq!(Suite::from_word("rsa"), None);
        assert_eq!(Suite::Ed25519.hash(b"abc"), Digest::of(b"abc"));
        // GB/T 32905, example 1.
        let sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(Suite::Sm2Sm3.hash(b"abc").to_string(), sm3);
    }

    /// The golden genesis, naming another suite and signed anew by the same Ed25519 key.
    fn read_as(alg: &str) -> Result<Record, Refusal> {
        let key = Ed25519::from_seed(&[7; 32]);
        let mut map = serde_json::from_str::<serde_json::Map<_, _>>(GENESIS.trim_end()).unwrap();
        map.insert("alg".into(), alg.into());
        let mut signed = SIGNED_PREFIX.to_vec();
        let mut body = Vec::new();
        canonical::rewrite(&map, Some("sig"), &mut body).unwrap();
        signed.extend(body);
        let mut signature = Vec::new();
        signature_to_base64(&key.sign(&signed), &mut signature);
        map.insert("sig".into(), String::from_utf8(signature).unwrap().into());
        let mut bytes = Vec::new();
        canonical::rewrite(&map, None, &mut bytes).unwrap();
        Unverified::read(&bytes)?.verify(&key.public_key())
    }

    #[test]
    fn a_record_does_not_choose_its_suite() {
        assert!(read_as("ed25519").is_ok());
        assert_eq!(read_as("rsa"), Err(Refusal::Member("alg")));
        let (expected, words) = if Suite::Sm2Sm3.is_built_in() {
            let refusal = Refusal::WrongSuite { said: Suite::Sm2Sm3, key: Suite::Ed25519 };
            (refusal, "it names suite sm2-sm3, but its key is of suite ed25519")
        } else {
            (Refusal::UnknownSuite(Suite::Sm2Sm3), "this build does not know suite sm2-sm3")
        };
        assert_eq!(read_as("sm2-sm3"), Err(expected));
        assert_eq!(expected.to_string(), words);
        assert!(!expected.is_no_evidence());
    }

    /// Made by `openssl genpkey -algorithm SM2`, and by `openssl pkey -pubout` from it.
    const SM2_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQglb+R4fK2OSEsLYdR\n\
        pSSyHS9jo7VIyvu+v3Bpf8a1a0ihRANCAARlJ0XV57Ds9azuuf9/0NawAopNrsmz\n\
        XZddRF9WyeMXhj+CRFg2djN4hV4IVln9llnJqOq3Ki5GxUTKxopmi94r\n\
        -----END PRIVATE KEY-----\n";
    const SM2_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEZSdF1eew7PWs7rn/f9DWsAKKTa7J\n\
        s12XXURfVsnjF4Y/gkRYNnYzeIVeCFZZ/ZZZyajqtyouRsVEysaKZoveKw==\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_file_tells_its_suite_in_every_build() {
        let ours = Ed25519::from_seed(&[7; 32]);
        for pem in [ours.to_pem().unwrap().as_str(), &ours.public_key().to_pem().unwrap()] {
            assert_eq!(Suite::of_pem(pem), Some(Suite::Ed25519));
        }
        for pem in [SM2_PRIVATE, SM2_PUBLIC] {
            assert_eq!(Suite::of_pem(pem), Some(Suite::Sm2Sm3));
        }
        assert_eq!(Suite::of_pem("somebody else's"), None);
        let read = signer_from_pem(SM2_PRIVATE).map(|key| key.public_key());
        let made = signer_from_seed(Suite::Sm2Sm3, &[0x11; 32]).map(|(key, _)| key.public_key().suite());
        if Suite::Sm2Sm3.is_built_in() {
            assert_eq!(read.ok(), PublicKey::from_pem(SM2_PUBLIC));
            assert_eq!(made, Ok(Suite::Sm2Sm3));
        } else {
            assert_eq!(read, Err(NoKey::NotBuiltIn(Suite::Sm2Sm3)));
            assert_eq!(made, Err(NoKey::NotBuiltIn(Suite::Sm2Sm3)));
            assert_eq!(PublicKey::from_pem(SM2_PUBLIC), None);
        }
        let (key, pem) = signer_from_seed(Suite::Ed25519, &[7; 32]).unwrap();
        assert_eq!(key.public_key(), ours.public_key());
        assert_eq!(signer_from_pem(&pem).unwrap().public_key(), ours.public_key());
    }
}
