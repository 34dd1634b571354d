//! An Ed25519 key pair in memory.

use std::fmt;

use ed25519_dalek::{
    Signer as _, SigningKey,
    pkcs8::{
        DecodePrivateKey as _, EncodePrivateKey as _,
        spki::der::{pem::LineEnding, zeroize::Zeroizing},
    },
};

use super::{PublicKey, SIGNATURE_BYTES, Signer};

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
        PublicKey::of_ed25519(self.0.verifying_key())
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
