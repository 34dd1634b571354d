//! Signed bytes, read strictly: records, receipts and acts alike. Believed only once a key is brought.

use serde_json::{Map, Value};

use super::{
    canonical::{self, Malformed},
    members::Members,
    record::{FORMAT, Refusal, SIGNED_PREFIX},
    suite::{self, KeyId, PublicKey, SIGNATURE_BYTES, Suite},
};
use crate::terms::Digest;

/// An object of this format whose signature has not been checked yet.
#[derive(Clone, Debug)]
pub struct Signed {
    map: Map<String, Value>,
    signed: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
    suite: Suite,
    key_id: KeyId,
}

impl Signed {
    /// Reads bytes as they travel. What is accepted, written again, gives the same bytes.
    ///
    /// # Errors
    /// What makes them nothing of this format.
    pub fn read(bytes: &[u8]) -> Result<Signed, Refusal> {
        let ours = bytes.windows(FORMAT.len()).any(|window| window == FORMAT.as_bytes());
        let refusal = |malformed| if ours { Refusal::Malformed(malformed) } else { Refusal::NotOurs };
        let map = canonical::read(bytes).map_err(refusal)?;
        if ours { Signed::of(map) } else { Err(Refusal::NotOurs) }
    }

    /// Takes an object that was read canonically, as the one an `act` record carries.
    ///
    /// # Errors
    /// What makes it nothing of this format.
    pub fn of(map: Map<String, Value>) -> Result<Signed, Refusal> {
        let m = Members(&map);
        m.parsed("fmt", |fmt| (fmt == FORMAT).then_some(()))?;
        let suite = m.parsed("alg", Suite::from_word)?;
        if !suite.is_built_in() {
            return Err(Refusal::UnknownSuite(suite));
        }
        let signature = m.parsed("sig", suite::signature_from_base64)?;
        let key_id = m.parsed("kid", KeyId::from_hex)?;
        let mut signed = Vec::new();
        canonical::rewrite(&map, Some("sig"), &mut signed)
            .map_err(|_| Refusal::Malformed(Malformed::NotCanonical))?;
        signed.splice(..0, SIGNED_PREFIX.iter().copied());
        Ok(Signed { map, signed, signature, suite, key_id })
    }

    /// Its members.
    pub fn members(&self) -> Members<'_> {
        Members(&self.map)
    }

    /// Its members, `sig` included, to be kept.
    pub fn into_map(self) -> Map<String, Value> {
        self.map
    }

    /// The key it names; a hint until [`Signed::check`].
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Hash of its signed bytes.
    pub fn hash(&self) -> Digest {
        self.suite.hash(&self.signed)
    }

    /// Believes it if this key signed it.
    ///
    /// # Errors
    /// The key is another or of another suite, or the signature is not its.
    pub fn check(&self, key: &PublicKey) -> Result<(), Refusal> {
        if key.id() != self.key_id {
            return Err(Refusal::UnknownKey(self.key_id));
        }
        if self.suite != key.suite() {
            return Err(Refusal::WrongSuite { said: self.suite, key: key.suite() });
        }
        if !key.verifies(&self.signed, &self.signature) {
            return Err(Refusal::BadSignature);
        }
        Ok(())
    }
}
