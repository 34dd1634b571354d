//! The short name of a public key.

use std::fmt;

use super::digest::{hex_into, write_hex};

/// The first 8 bytes of a public key's hash in its own suite; the hint `kid` in whatever it signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// Reads exactly 16 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<KeyId> {
        let mut bytes = [0; 8];
        hex_into(text, &mut bytes).then_some(KeyId(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
