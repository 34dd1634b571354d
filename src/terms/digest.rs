//! Digests of 32 bytes, written as 64 lower-case hexadecimal digits.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A digest: SHA-256, or in records of another suite that suite's hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Before the first record of a log there is nothing: 32 zero bytes.
    pub const ZERO: Digest = Digest([0; 32]);

    /// The SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The SHA-256 of several pieces, as if they were one.
    pub fn of_pieces(pieces: &[&[u8]]) -> Digest {
        let mut hash = Sha256::new();
        for piece in pieces {
            hash.update(piece);
        }
        Digest(hash.finalize().into())
    }

    /// Reads exactly 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Digest> {
        let mut bytes = [0; 32];
        hex_into(text, &mut bytes).then_some(Digest(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest of bytes that come one after the other.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them.
    pub fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Writes bytes as lower-case hexadecimal digits.
///
/// # Errors
/// What the formatter says.
pub fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for piece in bytes.chunks(32) {
        let mut text = heapless::String::<64>::new();
        for nibble in piece.iter().flat_map(|byte| [byte >> 4, byte & 0xF]) {
            let digit = char::from_digit(u32::from(nibble), 16).ok_or(fmt::Error)?;
            text.push(digit).map_err(|_| fmt::Error)?;
        }
        f.write_str(&text)?;
    }
    Ok(())
}

/// Fills `out` from lower-case hexadecimal; false, and `out` undefined, unless `text` is exactly that long.
pub fn hex_into(text: &str, out: &mut [u8]) -> bool {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    text.len() == out.len() * 2
        && text.as_bytes().chunks_exact(2).zip(out).all(|(pair, byte)| match pair {
            &[high, low] => match (nibble(high), nibble(low)) {
                (Some(high), Some(low)) => {
                    *byte = high << 4 | low;
                    true
                }
                (Some(_) | None, _) => false,
            },
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_abc_is_the_published_one() {
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), text);
        assert_eq!(Digest::of_pieces(&[b"a", b"bc"]), Digest::of(b"abc"));
        assert_eq!(Digest::from_hex(text), Some(Digest::of(b"abc")));
    }

    #[test]
    fn only_64_lower_case_digits_are_a_digest() {
        let upper = Digest::of(b"abc").to_string().to_uppercase();
        for wrong in ["", "ba", upper.as_str(), &"g".repeat(64), &"0".repeat(66)] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
    }
}
