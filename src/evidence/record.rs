//! A record as it travels: header, body, signature. Opened strictly or not at all.

use std::fmt;

use serde_json::{Map, Value};

use super::{
    body::Body,
    canonical::{self, Malformed},
    members::{self, BadMember, Members},
    suite::{self, KeyId, PublicKey, SIGNATURE_BYTES, Suite},
};
use crate::terms::{ClockQuality, Digest, GatewayId, Stamp, digest::hex_into};

/// Name and version of the format, first line of the signed bytes.
pub const FORMAT: &str = "coldhearth/1";
/// What stands before the canonical bytes when they are signed and hashed.
pub const SIGNED_PREFIX: &[u8] = b"coldhearth/1\n";

/// 64 random bits that tell one log of a gateway from another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogId(pub u64);

impl LogId {
    /// Reads exactly 16 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<LogId> {
        let mut bytes = [0; 8];
        hex_into(text, &mut bytes).then_some(LogId(u64::from_be_bytes(bytes)))
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who speaks, when, and where in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// Place in the log, from 0.
    pub seq: u64,
    /// Hash of the record before.
    pub prev: Digest,
    /// Claimed time, uptime, boot.
    pub at: Stamp,
    /// Hash of the latest receipt, once there is one.
    pub receipt: Option<Digest>,
    /// Epoch of the signing key.
    pub key_epoch: u32,
    /// Short name of the signing key.
    pub key_id: KeyId,
}

/// A record whose signature has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who, when, where.
    pub header: Header,
    /// What.
    pub body: Body,
    /// Hash of the signed bytes: what the next record names in `prev`.
    pub hash: Digest,
}

/// Why bytes are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// They are no canonical record.
    Malformed(Malformed),
    /// A member is missing or says nothing this version understands.
    Member(&'static str),
    /// Nobody vouches for the key the record names.
    UnknownKey(KeyId),
    /// The record names a suite that this build leaves out.
    UnknownSuite(Suite),
    /// The record names another suite than its key's.
    WrongSuite {
        /// What the record names.
        said: Suite,
        /// What its key is of.
        key: Suite,
    },
    /// The signature is not the key's.
    BadSignature,
    /// The bytes name this format nowhere: no evidence at all.
    NotOurs,
    /// The key belongs to another gateway or log, or the log to another key.
    StrangeKey(KeyId),
}

impl From<BadMember> for Refusal {
    fn from(BadMember(name): BadMember) -> Refusal {
        Refusal::Member(name)
    }
}

impl Refusal {
    /// Whether the bytes are no evidence of this format at all, as opposed to evidence that does not hold.
    pub fn is_no_evidence(self) -> bool {
        matches!(self, Refusal::NotOurs)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Malformed(Malformed::TooLong) => {
                write!(f, "longer than {} bytes", canonical::MAX_RECORD_BYTES)
            }
            Refusal::Malformed(Malformed::NotJson { column }) => write!(f, "not JSON at byte {column}"),
            Refusal::Malformed(Malformed::NotAnObject) => f.write_str("not a JSON object"),
            Refusal::Malformed(Malformed::NotCanonical) => {
                f.write_str("not the canonical form: it was altered")
            }
            Refusal::Member(name) => write!(f, "member `{name}` is missing or not understood"),
            Refusal::UnknownKey(key) => write!(f, "nobody vouches for key {key}"),
            Refusal::UnknownSuite(suite) => write!(f, "this build does not know suite {suite}"),
            Refusal::WrongSuite { said, key } => {
                write!(f, "it names suite {said}, but its key is of suite {key}")
            }
            Refusal::NotOurs => write!(f, "no record of {FORMAT}"),
            Refusal::StrangeKey(key) => write!(f, "key {key} does not answer for this log"),
            Refusal::BadSignature => f.write_str("the signature is not that key's: it was altered or forged"),
        }
    }
}

/// A record read but not yet believed.
#[derive(Debug)]
pub struct Unverified {
    map: Map<String, Value>,
    suite: Suite,
    header: Header,
    signed: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
}

impl Unverified {
    /// Reads the bytes of a record, strictly.
    ///
    /// # Errors
    /// What makes them no record.
    pub fn read(bytes: &[u8]) -> Result<Unverified, Refusal> {
        let ours = bytes.windows(FORMAT.len()).any(|window| window == FORMAT.as_bytes());
        let refusal = |malformed| if ours { Refusal::Malformed(malformed) } else { Refusal::NotOurs };
        let map = canonical::read(bytes).map_err(refusal)?;
        if !ours {
            return Err(Refusal::NotOurs);
        }
        let m = Members(&map);
        m.parsed("fmt", |fmt| (fmt == FORMAT).then_some(()))?;
        let suite = m.parsed("alg", Suite::from_word)?;
        if !suite.is_built_in() {
            return Err(Refusal::UnknownSuite(suite));
        }
        let signature = m.parsed("sig", suite::signature_from_base64)?;
        let header = read_header(m)?;
        let mut signed = Vec::with_capacity(bytes.len());
        canonical::rewrite(&map, Some("sig"), &mut signed)
            .map_err(|_| Refusal::Malformed(Malformed::NotCanonical))?;
        signed.splice(..0, SIGNED_PREFIX.iter().copied());
        Ok(Unverified { map, suite, header, signed, signature })
    }

    /// Who claims to speak, and where.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The key a genesis declares and is signed with; nobody has vouched for it yet.
    pub fn declared_key(&self) -> Option<PublicKey> {
        let m = Members(&self.map);
        let key = m.parsed("public_key", PublicKey::from_base64).ok()?;
        let is_genesis = m.text("type") == Ok("genesis") && key.id() == self.header.key_id;
        (is_genesis && key.verifies(&self.signed, &self.signature)).then_some(key)
    }

    /// Believes the record if `key` signed it.
    ///
    /// # Errors
    /// The key is another or of another suite, the signature is not its, or the body is not understood.
    pub fn verify(self, key: &PublicKey) -> Result<Record, Refusal> {
        if key.id() != self.header.key_id {
            return Err(Refusal::UnknownKey(self.header.key_id));
        }
        if self.suite != key.suite() {
            return Err(Refusal::WrongSuite { said: self.suite, key: key.suite() });
        }
        if !key.verifies(&self.signed, &self.signature) {
            return Err(Refusal::BadSignature);
        }
        let m = Members(&self.map);
        let body = members::body(m.text("type")?, m, &self.header.at)?;
        let begins = self.header.seq == 0;
        match &body {
            // A log begins with its genesis, nowhere else, and the genesis names the key that signs it.
            Body::Genesis(genesis)
                if !begins || self.header.prev != Digest::ZERO || genesis.public_key != *key =>
            {
                return Err(Refusal::Member("public_key"));
            }
            Body::Genesis(_) => {}
            Body::Boot(_) | Body::Checkpoint(_) | Body::Skip { .. } | Body::Gap { .. } | Body::Finding(_) => {
                if begins {
                    return Err(Refusal::Member("seq"));
                }
            }
        }
        Ok(Record { header: self.header, body, hash: self.suite.hash(&self.signed) })
    }
}

fn read_header(m: Members<'_>) -> Result<Header, BadMember> {
    let receipt = |text: &str| if text.is_empty() { Some(None) } else { Digest::from_hex(text).map(Some) };
    Ok(Header {
        gateway: m.parsed("gateway_id", GatewayId::new)?,
        log: m.parsed("log_id", LogId::from_hex)?,
        seq: m.fitting("seq")?,
        prev: m.parsed("prev", Digest::from_hex)?,
        at: Stamp {
            wall_unix_ms: m.whole("wall_unix_ms")?,
            uptime_ms: m.fitting("uptime_ms")?,
            boot: m.fitting("boot_count")?,
            clock: m.parsed("clock", ClockQuality::from_word)?,
            error_ms: m.fitting("clock_err_ms")?,
        },
        receipt: m.parsed("receipt", receipt)?,
        key_epoch: m.fitting("key_epoch")?,
        key_id: m.parsed("kid", KeyId::from_hex)?,
    })
}
