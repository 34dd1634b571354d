//! SM2 keys, with SM3 and the distinguishing ID that every Chinese implementation takes for granted.

use std::fmt;

use ::sm2::{
    NonZeroScalar, Scalar, SecretKey,
    dsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer as _, Verifier as _},
    },
    elliptic_curve::sec1::ToSec1Point as _,
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
        der::{pem::LineEnding, zeroize::Zeroizing},
    },
};

use super::{PublicKey, SIGNATURE_BYTES, Signer};

/// What is hashed before every message in the signer's name. GM/T 0009 gives this value where nothing else was
/// agreed; `openssl` must be told.
pub const DISTINGUISHING_ID: &str = "1234567812345678";

/// An SM2 key pair in memory; erased when dropped.
///
/// Kept as the secret number alone: the library erases that, but not a signing key ready to use.
pub struct Sm2Key(SecretKey);

impl Sm2Key {
    /// A key from 32 bytes of entropy that the caller brings; `None`, once in four thousand million times, if the
    /// number is outside the curve's range.
    pub fn from_seed(seed: &[u8; 32]) -> Option<Sm2Key> {
        SecretKey::from_slice(seed).ok().and_then(Sm2Key::fit)
    }

    /// Reads a PKCS#8 PEM file; `None` if it is none for SM2.
    pub fn from_pem(text: &str) -> Option<Sm2Key> {
        SecretKey::from_pkcs8_pem(text).ok().and_then(Sm2Key::fit)
    }

    /// The PKCS#8 PEM file of this key, readable by `openssl`; `None` never happens for a key made here.
    pub fn to_pem(&self) -> Option<Zeroizing<String>> {
        self.0.to_pkcs8_pem(LineEnding::LF).ok()
    }

    /// A signature divides by the secret plus one, so the largest number of all is no key.
    fn fit(secret: SecretKey) -> Option<Sm2Key> {
        let is_largest = bool::from((*secret.to_nonzero_scalar() + Scalar::ONE).is_zero());
        (!is_largest).then_some(Sm2Key(secret))
    }
}

impl Signer for Sm2Key {
    fn public_key(&self) -> PublicKey {
        PublicKey::of_sm2(Point(self.0.public_key()))
    }

    /// Deterministic, as RFC 6979 has it. The library fails once in 2^256 messages; zeros verify under no key.
    fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let secret: NonZeroScalar = self.0.to_nonzero_scalar();
        let signature =
            SigningKey::from_nonzero_scalar(DISTINGUISHING_ID, secret).and_then(|key| key.try_sign(bytes));
        signature.map_or([0; SIGNATURE_BYTES], |signature: Signature| signature.to_bytes().into())
    }
}

impl fmt::Debug for Sm2Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SM2 key {}", self.public_key().id())
    }
}

/// An SM2 public key: a point of the curve, never the one at infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point(::sm2::PublicKey);

impl Point {
    /// Reads an uncompressed SEC1 point.
    pub(super) fn from_bytes(bytes: &[u8; 65]) -> Option<Point> {
        let point = ::sm2::PublicKey::from_sec1_bytes(bytes).ok().map(Point)?;
        (point.to_bytes() == *bytes).then_some(point)
    }

    /// The uncompressed SEC1 point.
    pub(super) fn to_bytes(self) -> [u8; 65] {
        self.0.to_uncompressed_point().into()
    }

    pub(super) fn from_pem(text: &str) -> Option<Point> {
        ::sm2::PublicKey::from_public_key_pem(text).ok().map(Point)
    }

    pub(super) fn to_pem(self) -> Option<String> {
        self.0.to_public_key_pem(LineEnding::LF).ok()
    }

    pub(super) fn verifies(self, bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let signature = Signature::from_slice(signature);
        let key = VerifyingKey::new(DISTINGUISHING_ID, self.0);
        key.and_then(|key| key.verify(bytes, &signature?)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ::sm2::elliptic_curve::PrimeField as _;

    use super::*;
    use crate::{evidence::Suite, terms::digest::hex_into};

    fn key() -> Sm2Key {
        Sm2Key::from_seed(&[0x11; 32]).unwrap()
    }

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let mut bytes = [0; N];
        assert!(hex_into(&text.to_lowercase(), &mut bytes), "{text}");
        bytes
    }

    #[test]
    fn a_key_comes_back_from_every_form() {
        let (key, public) = (key(), key().public_key());
        assert_eq!(public.suite(), Suite::Sm2Sm3);
        assert_eq!(PublicKey::from_pem(&public.to_pem().unwrap()), Some(public));
        let text = public.to_base64();
        assert_eq!(text.len(), 88);
        assert_eq!(PublicKey::from_base64(&text), Some(public));
        let again = Sm2Key::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public_key(), public);
        assert_eq!(format!("{key:?}"), format!("SM2 key {}", public.id()));
    }

    #[test]
    fn the_short_name_begins_the_sm3_of_the_point() {
        let public = key().public_key();
        let point = Point(key().0.public_key()).to_bytes();
        assert_eq!(point[0], 4, "uncompressed");
        assert!(Suite::Sm2Sm3.hash(&point).to_string().starts_with(&public.id().to_string()));
    }

    #[test]
    fn only_what_was_signed_verifies() {
        let (key, public) = (key(), key().public_key());
        let signature = key.sign(b"abc");
        assert!(public.verifies(b"abc", &signature));
        assert_eq!(signature, key.sign(b"abc"), "deterministic");
        assert!(!public.verifies(b"abd", &signature));
        for bit in 0..SIGNATURE_BYTES * 8 {
            let mut altered = signature;
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(!public.verifies(b"abc", &altered), "bit {bit}");
        }
        let stranger = Sm2Key::from_seed(&[0x12; 32]).unwrap().public_key();
        assert!(!stranger.verifies(b"abc", &signature));
        for nothing in [[0; SIGNATURE_BYTES], [0xff; SIGNATURE_BYTES]] {
            assert!(!public.verifies(b"abc", &nothing));
        }
    }

    #[test]
    fn another_identity_is_refused() {
        let key = key();
        for (id, holds) in [(DISTINGUISHING_ID, true), ("", false), ("ALICE123@YAHOO.COM", false)] {
            let signing = SigningKey::new(id, &key.0).unwrap();
            let signature: Signature = signing.sign(b"abc");
            assert_eq!(key.public_key().verifies(b"abc", &signature.to_bytes().into()), holds, "{id}");
        }
    }

    /// GB/T 32918.5-2017, annex A.2: the standard's own signature, with the same identity.
    #[test]
    fn the_example_of_the_standard_verifies() {
        let secret = hex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8");
        let x = "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020";
        let y = "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
        let r = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3";
        let s = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA";
        let point = Point::from_bytes(&hex(&format!("04{x}{y}"))).unwrap();
        assert_eq!(Sm2Key::from_seed(&secret).unwrap().public_key(), PublicKey::of_sm2(point));
        assert!(point.verifies(b"message digest", &hex(&format!("{r}{s}"))));
    }

    #[test]
    fn numbers_and_points_outside_the_curve_are_no_keys() {
        let largest = (-Scalar::ONE).to_repr();
        for none in [[0; 32], [0xff; 32], largest.into()] {
            assert!(Sm2Key::from_seed(&none).is_none());
        }
        let mut second_largest: [u8; 32] = largest.into();
        second_largest[31] -= 1;
        let key = Sm2Key::from_seed(&second_largest).unwrap();
        assert!(key.public_key().verifies(b"abc", &key.sign(b"abc")));
        let mut point = Point(key.0.public_key()).to_bytes();
        point[64] ^= 1;
        assert_eq!(Point::from_bytes(&point), None);
        assert_eq!(Point::from_bytes(&[0; 65]), None);
    }
}
