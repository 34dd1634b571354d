//! Who signs: the seam for keys, and Ed25519 over the record's signed bytes.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    Signer as _, SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
        spki::der::{pem::LineEnding, zeroize::Zeroizing},
    },
};

use crate::terms::{Digest, digest::hex_into};

/// The suite's name in a record's `alg`.
pub const ED25519: &str = "ed25519";
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// The first 8 bytes of a public key's SHA-256; the hint `kid` in a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Reads exactly 16 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<KeyId> {
        let mut bytes = [0; 8];
        hex_into(text, &mut bytes).then_some(KeyId(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Signs bytes; holds a key. Files implement it here; credentials, TPMs and certified modules may.
pub trait Signer: Send {
    /// The key that answers for the signatures.
    fn public_key(&self) -> PublicKey;
    /// A signature over the bytes.
    fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_BYTES];
}

/// An Ed25519 key pair in memory; erased when dropped.
pub struct Ed25519(SigningKey);

impl Ed25519 {
    /// A key from 32 bytes of entropy that the caller brings.
    pub fn from_seed(seed: &[u8; 32]) -> Ed25519 {
        Ed25519(SigningKey::from_bytes(seed))
    }

    /// Reads a PKCS#8 PEM file; `None` if it is none for Ed25519.
    pub fn from_pem(text: &str) -> Option<Ed25519> {
        SigningKey::from_pkcs8_pem(text).ok().map(Ed25519)
    }

    /// The PKCS#8 PEM file of this key, readable by `openssl`; `None` never happens for a key made here.
    pub fn to_pem(&self) -> Option<Zeroizing<String>> {
        self.0.to_pkcs8_pem(LineEnding::LF).ok()
    }
}

impl Signer for Ed25519 {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519 key {}", self.public_key().id())
    }
}

/// A public key that can be asked whether it made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Its short name in records.
    pub fn id(&self) -> KeyId {
        let digest = Digest::of(self.0.as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(digest.0.first_chunk::<8>().unwrap_or(&[0; 8]));
        KeyId(id)
    }

    /// Reads a `BEGIN PUBLIC KEY` PEM file.
    pub fn from_pem(text: &str) -> Option<PublicKey> {
        VerifyingKey::from_public_key_pem(text).ok().map(PublicKey)
    }

    /// The PEM file of this key, readable by `openssl`; `None` never happens for a valid key.
    pub fn to_pem(&self) -> Option<String> {
        self.0.to_public_key_pem(LineEnding::LF).ok()
    }

    /// Reads 32 bytes in canonical base64, as `genesis` carries them.
    pub fn from_base64(text: &str) -> Option<PublicKey> {
        let bytes: [u8; 32] = canonical_base64(text)?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok().map(PublicKey)
    }

    /// The 32 bytes in base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0.as_bytes())
    }

    /// Whether this key signed these bytes. Strict: no weak keys, no malleable signatures.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.0.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
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
    use super::*;

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
}
