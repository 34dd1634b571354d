//! Canonical bytes, signed: the one way anything of this format is written.

use super::{
    canonical::{Canonical, Object, USUAL_RECORD_BYTES, Unwritable},
    record::{FORMAT, SIGNED_PREFIX},
    suite::{self, Signer},
};
use crate::terms::Digest;

/// Writes, signs, and puts the signature in its place. Buffers are reused: nothing is allocated in the steady state.
pub struct Sealer {
    canonical: Canonical,
    body: Vec<u8>,
    signed: Vec<u8>,
    bytes: Vec<u8>,
}

impl Default for Sealer {
    fn default() -> Sealer {
        Sealer {
            canonical: Canonical::with_room(),
            // Twice: what came out of order is put in order behind itself.
            body: Vec::with_capacity(2 * USUAL_RECORD_BYTES),
            signed: Vec::with_capacity(USUAL_RECORD_BYTES),
            bytes: Vec::with_capacity(USUAL_RECORD_BYTES),
        }
    }
}

impl Sealer {
    /// Seals what `fill` writes, with format, suite and key named. Tells the hash of the signed bytes.
    ///
    /// # Errors
    /// It cannot be written canonically.
    pub fn seal(
        &mut self,
        signer: &dyn Signer,
        fill: impl FnOnce(&mut Object<'_>),
    ) -> Result<Digest, Unwritable> {
        let (suite, key_id) = (signer.public_key().suite(), signer.public_key().id());
        let signature_at = self.canonical.write(&mut self.body, |object| {
            object.text("fmt", FORMAT).text("alg", suite.word()).shown("kid", key_id);
            fill(object);
        })?;
        self.signed.clear();
        self.signed.extend_from_slice(SIGNED_PREFIX);
        self.signed.extend_from_slice(&self.body);
        let signature = signer.sign(&self.signed);
        let (before, after) = self.body.split_at_checked(signature_at).unwrap_or((&self.body, &[]));
        self.bytes.clear();
        self.bytes.extend_from_slice(before);
        self.bytes.extend_from_slice(b"\"sig\":\"");
        suite::signature_to_base64(&signature, &mut self.bytes);
        self.bytes.extend_from_slice(b"\",");
        self.bytes.extend_from_slice(after);
        Ok(suite.hash(&self.signed))
    }

    /// The bytes sealed last, as they travel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
