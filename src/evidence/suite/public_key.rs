//! A public key of either suite.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    VerifyingKey,
    pkcs8::{DecodePublicKey as _, EncodePublicKey as _, spki::der::pem::LineEnding},
};

#[cfg(feature = "sm2")]
use super::sm2::Point;
use super::{KeyId, SIGNATURE_BYTES, Suite, canonical_base64};

/// A public key that can be asked whether it made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(Held);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Ed25519(VerifyingKey),
    #[cfg(feature = "sm2")]
    Sm2(Point),
}

impl PublicKey {
    pub(super) fn of_ed25519(key: VerifyingKey) -> PublicKey {
        PublicKey(Held::Ed25519(key))
    }

    #[cfg(feature = "sm2")]
    pub(super) fn of_sm2(point: Point) -> PublicKey {
        PublicKey(Held::Sm2(point))
    }

    /// The suite it belongs to, fixed when the key was enrolled.
    pub fn suite(&self) -> Suite {
        match self.0 {
            Held::Ed25519(_) => Suite::Ed25519,
            #[cfg(feature = "sm2")]
            Held::Sm2(_) => Suite::Sm2Sm3,
        }
    }

    /// Its short name in records.
    pub fn id(&self) -> KeyId {
        match &self.0 {
            Held::Ed25519(key) => KeyId::of(Suite::Ed25519, key.as_bytes()),
            #[cfg(feature = "sm2")]
            Held::Sm2(point) => KeyId::of(Suite::Sm2Sm3, &point.to_bytes()),
        }
    }

    /// What is read out at enrolment: the first 16 bytes of the suite's hash of the key, in 8 groups of 4 digits. It
    /// begins with the key's short name.
    pub fn fingerprint(&self) -> String {
        let digest = match &self.0 {
            Held::Ed25519(key) => Suite::Ed25519.hash(key.as_bytes()),
            #[cfg(feature = "sm2")]
            Held::Sm2(point) => Suite::Sm2Sm3.hash(&point.to_bytes()),
        };
        let text = digest.to_string();
        let groups: Vec<&str> = (0..8).filter_map(|group| text.get(group * 4..group * 4 + 4)).collect();
        groups.join(" ")
    }

    /// Reads a `BEGIN PUBLIC KEY` PEM file of a suite this build knows.
    pub fn from_pem(text: &str) -> Option<PublicKey> {
        match Suite::of_pem(text)? {
            Suite::Ed25519 => VerifyingKey::from_public_key_pem(text).ok().and_then(strong),
            #[cfg(feature = "sm2")]
            Suite::Sm2Sm3 => Point::from_pem(text).map(PublicKey::of_sm2),
            #[cfg(not(feature = "sm2"))]
            Suite::Sm2Sm3 => None,
        }
    }

    /// The PEM file of this key, readable by `openssl`; `None` never happens for a valid key.
    pub fn to_pem(&self) -> Option<String> {
        match &self.0 {
            Held::Ed25519(key) => key.to_public_key_pem(LineEnding::LF).ok(),
            #[cfg(feature = "sm2")]
            Held::Sm2(point) => point.to_pem(),
        }
    }

    /// Reads canonical base64, as `genesis` carries it; the number of bytes tells the suite.
    pub fn from_base64(text: &str) -> Option<PublicKey> {
        let bytes = canonical_base64(text)?;
        if let Ok(bytes) = <&[u8; 32]>::try_from(bytes.as_slice()) {
            return VerifyingKey::from_bytes(bytes).ok().and_then(strong);
        }
        #[cfg(feature = "sm2")]
        if let Ok(bytes) = <&[u8; 65]>::try_from(bytes.as_slice()) {
            return Point::from_bytes(bytes).map(PublicKey::of_sm2);
        }
        None
    }

    /// The bytes that [`PublicKey::from_base64`] reads, in base64.
    pub fn to_base64(&self) -> String {
        match &self.0 {
            Held::Ed25519(key) => STANDARD.encode(key.as_bytes()),
            #[cfg(feature = "sm2")]
            Held::Sm2(point) => STANDARD.encode(point.to_bytes()),
        }
    }

    /// Whether this key signed these bytes. Strict: no weak keys, no malleable signatures.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        match &self.0 {
            Held::Ed25519(key) => {
                key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
            }
            #[cfg(feature = "sm2")]
            Held::Sm2(point) => point.verifies(bytes, signature),
        }
    }
}

/// With a key of small order anybody can sign anything: it is nobody's.
fn strong(key: VerifyingKey) -> Option<PublicKey> {
    (!key.is_weak()).then(|| PublicKey::of_ed25519(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_small_order_is_nobodys() {
        let neutral = [&[1][..], &[0; 31]].concat();
        let order_2 = [&[0xec][..], &[0xff; 30], &[0x7f]].concat();
        let order_8 = STANDARD.decode("xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=").unwrap();
        for weak in [neutral, order_2, vec![0; 32], order_8] {
            assert_eq!(PublicKey::from_base64(&STANDARD.encode(&weak)), None, "{weak:?}");
            let key = VerifyingKey::from_bytes(weak.first_chunk().unwrap()).unwrap();
            let pem = key.to_public_key_pem(LineEnding::LF).unwrap();
            assert_eq!(PublicKey::from_pem(&pem), None, "{weak:?}");
        }
    }
}
