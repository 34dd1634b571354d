//! The chain of one log: sequence, link to the record before, signature. The only writer of records.

use super::{
    body::{Body, Class},
    canonical::{Canonical, USUAL_RECORD_BYTES, Unwritable},
    record::{FORMAT, Header, LogId, Record, SIGNED_PREFIX},
    suite::{self, KeyId, Signer, Suite},
    write,
};
use crate::terms::{Digest, GatewayId, Name, Stamp};

/// A record ready to be stored and sent.
#[derive(Debug)]
pub struct Sealed<'a> {
    /// Place in the log.
    pub seq: u64,
    /// How urgent it is.
    pub class: Class,
    /// The word in `type`.
    pub kind: &'static str,
    /// The meter or equipment it is about.
    pub subject: Option<Name>,
    /// Hash of its signed bytes.
    pub hash: Digest,
    /// The bytes that travel.
    pub bytes: &'a [u8],
}

/// Who writes, and what the next record follows. Buffers are reused: sealing allocates nothing in the steady state.
pub struct Chain {
    gateway: GatewayId,
    log: LogId,
    seq: u64,
    prev: Digest,
    receipt: Option<Digest>,
    key_epoch: u32,
    suite: Suite,
    key_id: KeyId,
    signer: Box<dyn Signer>,
    canonical: Canonical,
    body: Vec<u8>,
    signed: Vec<u8>,
    bytes: Vec<u8>,
}

impl Chain {
    /// A new log. The caller brings the 64 random bits that name it.
    pub fn begin(gateway: GatewayId, log: LogId, signer: Box<dyn Signer>) -> Chain {
        Chain::at(gateway, log, 0, Digest::ZERO, 0, signer)
    }

    /// Goes on after the last record of a log; `None` if another key signed it.
    pub fn resume(last: &Record, signer: Box<dyn Signer>) -> Option<Chain> {
        let Header { gateway, log, seq, key_epoch, key_id, receipt, .. } = last.header;
        let mut chain = Chain::at(gateway, log, seq.checked_add(1)?, last.hash, key_epoch, signer);
        chain.receipt = receipt;
        (chain.key_id == key_id).then_some(chain)
    }

    fn at(
        gateway: GatewayId,
        log: LogId,
        seq: u64,
        prev: Digest,
        key_epoch: u32,
        signer: Box<dyn Signer>,
    ) -> Chain {
        Chain {
            gateway,
            log,
            seq,
            prev,
            receipt: None,
            key_epoch,
            suite: signer.public_key().suite(),
            key_id: signer.public_key().id(),
            signer,
            canonical: Canonical::with_room(),
            body: Vec::with_capacity(USUAL_RECORD_BYTES),
            signed: Vec::with_capacity(USUAL_RECORD_BYTES),
            bytes: Vec::with_capacity(USUAL_RECORD_BYTES),
        }
    }

    /// Place of the next record.
    pub fn next_seq(&self) -> u64 {
        self.seq
    }

    /// Seals what is to be said next.
    ///
    /// # Errors
    /// The body cannot be written canonically, which is a defect of the program; the chain stays where it is.
    pub fn seal(&mut self, at: &Stamp, body: &Body) -> Result<Sealed<'_>, Unwritable> {
        let Chain { gateway, log, seq, prev, receipt, key_epoch, suite, key_id, .. } = *self;
        let signature_at = self.canonical.write(&mut self.body, |object| {
            object
                .text("fmt", FORMAT)
                .text("type", body.word())
                .shown("gateway_id", gateway)
                .shown("log_id", log)
                .count("seq", seq)
                .shown("prev", prev)
                .whole("wall_unix_ms", at.wall_unix_ms)
                .text("clock", at.clock.word())
                .count("clock_err_ms", u64::from(at.error_ms))
                .count("uptime_ms", at.uptime_ms)
                .count("boot_count", u64::from(at.boot))
                .text("alg", suite.word())
                .shown("kid", key_id)
                .count("key_epoch", u64::from(key_epoch));
            match receipt {
                Some(receipt) => object.shown("receipt", receipt),
                None => object.text("receipt", ""),
            };
            write::body(object, body);
        })?;
        self.signed.clear();
        self.signed.extend_from_slice(SIGNED_PREFIX);
        self.signed.extend_from_slice(&self.body);
        let signature = self.signer.sign(&self.signed);
        let hash = suite.hash(&self.signed);
        let (before, after) = self.body.split_at_checked(signature_at).unwrap_or((&self.body, &[]));
        self.bytes.clear();
        self.bytes.extend_from_slice(before);
        self.bytes.extend_from_slice(b"\"sig\":\"");
        suite::signature_to_base64(&signature, &mut self.bytes);
        self.bytes.extend_from_slice(b"\",");
        self.bytes.extend_from_slice(after);
        self.seq += 1;
        self.prev = hash;
        Ok(Sealed {
            seq,
            class: body.class(),
            kind: body.word(),
            subject: body.subject(),
            hash,
            bytes: &self.bytes,
        })
    }
}
