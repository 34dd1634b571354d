//! A record as it travels: header, body, signature. Opened strictly or not at all.

use std::fmt;

use super::{
    body::Body,
    canonical::{self, Malformed},
    continuity::LogHead,
    members::{self, BadMember, Members},
    signed::Signed,
    suite::{KeyId, PublicKey, Suite},
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
    /// The key's epoch does not reach to this place of the log.
    WrongEpoch(u32),
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
            Refusal::WrongEpoch(epoch) => {
                write!(
                    f,
                    "the key of epoch {epoch} had no right to this place: it was replaced before, or came later"
                )
            }
            Refusal::BadSignature => f.write_str("the signature is not that key's: it was altered or forged"),
        }
    }
}

/// A record read but not yet believed.
#[derive(Clone, Debug)]
pub struct Unverified {
    signed: Signed,
    header: Header,
}

impl Unverified {
    /// Reads the bytes of a record, strictly.
    ///
    /// # Errors
    /// What makes them no record.
    pub fn read(bytes: &[u8]) -> Result<Unverified, Refusal> {
        Unverified::of(Signed::read(bytes)?)
    }

    /// Takes something signed as a record.
    ///
    /// # Errors
    /// It has no place in a log.
    pub fn of(signed: Signed) -> Result<Unverified, Refusal> {
        let header = read_header(signed.members(), signed.key_id())?;
        Ok(Unverified { signed, header })
    }

    /// Who claims to speak, and where.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Hash of its signed bytes.
    pub fn hash(&self) -> Digest {
        self.signed.hash()
    }

    /// Whether it says that it begins a log.
    pub fn is_genesis(&self) -> bool {
        self.signed.members().text("type") == Ok("genesis")
    }

    /// The key a genesis declares and is signed with; nobody has vouched for it yet.
    pub fn declared_key(&self) -> Option<PublicKey> {
        let m = self.signed.members();
        let key = m.parsed("public_key", PublicKey::from_base64).ok()?;
        let is_genesis = m.text("type") == Ok("genesis");
        (is_genesis && self.signed.check(&key).is_ok()).then_some(key)
    }

    /// The key a rotation names for the records after it, on the message's own word.
    pub fn announced_key(&self) -> Option<PublicKey> {
        let m = self.signed.members();
        let is_rotation = m.text("type") == Ok("key_rotate");
        is_rotation.then(|| m.parsed("public_key", PublicKey::from_base64).ok()).flatten()
    }

    /// The log a genesis says it continues, on the message's own word.
    pub fn continues(&self) -> Option<LogHead> {
        let m = self.signed.members();
        let is_genesis = m.text("type") == Ok("genesis");
        is_genesis.then(|| m.object("continues").and_then(LogHead::read).ok()).flatten()
    }

    /// The first place that a skip passes over, on the message's own word.
    pub fn skips_from(&self) -> Option<u64> {
        let m = self.signed.members();
        let is_skip = m.text("type") == Ok("skip");
        is_skip.then(|| m.fitting("from_seq").ok()).flatten()
    }

    /// A record of one's own journal, whose signature need not be looked at to know what it says.
    ///
    /// # Errors
    /// The body is not understood.
    pub fn own(self) -> Result<Record, Refusal> {
        let m = self.signed.members();
        let body = members::body(m.text("type")?, m, &self.header.at)?;
        let hash = self.signed.hash();
        Ok(Record { header: self.header, body, hash })
    }

    /// Believes the record if `key` signed it.
    ///
    /// # Errors
    /// The key is another, the signature is not its, or the body is not understood.
    pub fn verify(self, key: &PublicKey) -> Result<Record, Refusal> {
        self.signed.check(key)?;
        let m = self.signed.members();
        let body = members::body(m.text("type")?, m, &self.header.at)?;
        let Header { seq, prev, key_epoch, .. } = self.header;
        // A log begins with its genesis, nowhere else, and the genesis names the key that signs it.
        match &body {
            Body::Genesis(genesis) if genesis.public_key != *key => {
                return Err(Refusal::Member("public_key"));
            }
            Body::Genesis(_) if seq != 0 || prev != Digest::ZERO => return Err(Refusal::Member("seq")),
            // The suite was fixed at enrolment.
            Body::Rotation(rotation) if rotation.public_key.suite() != key.suite() => {
                return Err(Refusal::Member("public_key"));
            }
            Body::Rotation(rotation) if key_epoch.checked_add(1) != Some(rotation.next_epoch) => {
                return Err(Refusal::Member("next_epoch"));
            }
            // The genesis cannot be skipped, and a skip ends where its own place begins.
            Body::Skip { from: 0, .. } => return Err(Refusal::Member("from_seq")),
            Body::Skip { to, .. } if to.checked_add(1) != Some(seq) => return Err(Refusal::Member("to_seq")),
            // What is not said yet cannot have been dropped.
            Body::Gap(gap) if gap.dropped.iter().any(|dropped| dropped.to >= seq) => {
                return Err(Refusal::Member("dropped"));
            }
            Body::Genesis(_) => {}
            Body::Boot(_)
            | Body::Rotation(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(_) => {
                if seq == 0 {
                    return Err(Refusal::Member("seq"));
                }
            }
        }
        let hash = self.signed.hash();
        Ok(Record { header: self.header, body, hash })
    }
}

fn read_header(m: Members<'_>, key_id: KeyId) -> Result<Header, BadMember> {
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
        key_id,
    })
}
