//! What the authority keeps: whom it admitted, every record with the bytes it came in, how far each log is known, proofs
//! of forks, and the receipts it gave. One trait, two databases: SQLite for whoever has none, PostgreSQL for whoever has
//! outgrown it.
//!
//! The trait is synchronous and its owner is one thread: SQLite blocks by nature, and PostgreSQL is waited for there.
//! Several collectors may share one database. Every log has a *turn*, the number of commits that have touched it: a
//! batch names the turn at which it has seen each of its logs, and is kept whole or, where another collector has had
//! one of them meanwhile, not at all. So no head is ever advanced over another's.

pub mod alarms;
mod equipment;
pub mod foreign;
pub mod inspections;
pub mod lineage;
pub mod people;
pub mod postgres;
pub mod registry;
pub mod reported;
mod schema;
pub mod sights;
pub mod sqlite;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub use self::{
    alarms::{AlarmBatch, AlarmCount, Alarms, AlarmsAsked, Part},
    foreign::Signatories,
    inspections::Inspections,
    lineage::{Asked, FINDINGS_AT_ONCE, KeptFinding, KeptHalf, Mentions},
    people::People,
    postgres::PostgresStore,
    registry::Registry,
    reported::Reported,
    sights::Sights,
    sqlite::SqliteStore,
};
use crate::{
    evidence::{KeyId, LogId, PublicKey, Record, heads::Listed, lineage::Mention},
    host::exit::{Exit, Failure},
    regulator::{alarms::Condition, foreign::ForeignAct, sight::Sight, sums::Summed},
    terms::{
        Digest, GatewayId, LegalDay,
        digest::Hasher,
        place::{CreditCode, Division},
    },
};

/// Epochs of a log that are loaded with it; older records are compared by their bytes alone.
pub const EPOCHS_LOADED: u32 = 48;

/// Proofs of forks of one log that are counted.
pub const FORKS_COUNTED: u32 = 1_000;

/// Bytes of records that are read at once, but for the last of them: gateways say how large their records are, and as many
/// as are read at once must fit into memory beside everything else.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A log of a gateway.
pub type Log = (GatewayId, LogId);
/// A place in a log.
pub type Spot = (GatewayId, LogId, u64);

/// Why a store did not do what it was asked. Nothing of a batch is kept then, as far as anybody may rely on it.
#[derive(Clone, Debug)]
pub enum StoreFault {
    /// Another collector has had one of the logs meanwhile: read again and go on.
    Conflict,
    /// The database does not answer: why, for a person. It may answer later.
    Away(String),
    /// It has no room left: where, for a person who can make some.
    Full(String),
    /// It answers, and the answer will not change.
    Failed(Failure),
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreFault::Conflict => {
                f.write_str("another collector has kept something of the same log meanwhile")
            }
            StoreFault::Away(why) => f.write_str(why),
            StoreFault::Full(why) => write!(f, "{why}: there is no room: make some"),
            StoreFault::Failed(failure) => f.write_str(&failure.message),
        }
    }
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Failure {
        match fault {
            StoreFault::Conflict => Failure::new(Exit::Retry, fault.to_string()),
            StoreFault::Away(why) => Failure::new(Exit::Unreachable, why),
            StoreFault::Full(_) => Failure::new(Exit::Unreachable, fault.to_string()),
            StoreFault::Failed(failure) => failure,
        }
    }
}

/// What a store answers.
pub type Answered<T> = Result<T, StoreFault>;

/// A gateway as it was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Which.
    pub gateway: GatewayId,
    /// Its first key.
    pub key: PublicKey,
    /// When, Unix milliseconds.
    pub admitted_unix_ms: i64,
    /// When it was revoked, if it was.
    pub revoked_unix_ms: Option<i64>,
    /// Where its plant is said to lie, as long as its own log does not say so; none where nobody said.
    pub division: Option<Division>,
}

/// How far a log is known, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose.
    pub gateway: GatewayId,
    /// Which.
    pub log: LogId,
    /// Where its plant lies, by its genesis.
    pub division: Division,
    /// Who answers for it.
    pub enterprise: CreditCode,
    /// The last place known without a hole.
    pub seq: u64,
    /// Its hash.
    pub head: Digest,
    /// When the record there arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// Epoch of the record after it.
    pub next_epoch: u32,
    /// The admitted key that its first key, or that of the log it continues, descends from.
    pub root: KeyId,
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecord {
    /// Its hash.
    pub hash: Digest,
    /// The word of its type.
    pub kind: String,
    /// The equipment it is about; empty for the gateway itself.
    pub asset: String,
    /// When it says it was written, Unix milliseconds.
    pub wall_unix_ms: i64,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// The bytes it came in.
    pub bytes: Vec<u8>,
}

impl KeptRecord {
    /// A record whose signature has been checked, as it came.
    pub fn of(record: &Record, bytes: &[u8], received_unix_ms: i64) -> KeptRecord {
        let asset = record.body.asset();
        KeptRecord {
            hash: record.hash,
            kind: record.body.word().to_owned(),
            asset: asset.as_ref().map_or_else(String::new, |asset| asset.as_str().to_owned()),
            wall_unix_ms: record.header.at.wall_unix_ms,
            received_unix_ms,
            bytes: bytes.to_vec(),
        }
    }

    /// When it was written, as far as anybody but the gateway can tell: never later than it arrived. Unix milliseconds.
    pub fn moment_unix_ms(&self) -> i64 {
        self.wall_unix_ms.min(self.received_unix_ms)
    }
}

/// The key of an epoch of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptEpoch {
    /// Its number.
    pub epoch: u32,
    /// The first place it signs.
    pub from: u64,
    /// The key.
    pub key: PublicKey,
}

/// Two messages that prove a fork: neither needs anything but the gateway's key to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFork {
    /// The place claimed twice.
    pub seq: u64,
    /// What is held there; empty where nothing is.
    pub held: Vec<u8>,
    /// What was shown.
    pub shown: Vec<u8>,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
}

/// A receipt that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReceipt {
    /// The place it receipts.
    pub seq: u64,
    /// When it was given, Unix milliseconds.
    pub given_unix_ms: i64,
    /// The receipt.
    pub bytes: Vec<u8>,
}

/// Up to where records of a log were pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The last place pruned. What certifies keys, genesis and rotations, stays.
    pub seq: u64,
    /// The hash of the record there: the next one names it.
    pub hash: Digest,
    /// Epoch of the record after it.
    pub next_epoch: u32,
    /// When it was pruned, Unix milliseconds.
    pub pruned_unix_ms: i64,
}

/// A head of heads that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHeads {
    /// Its number, from 1.
    pub number: u64,
    /// The day that had ended.
    pub day: LegalDay,
    /// When it was made, Unix milliseconds.
    pub made_unix_ms: i64,
    /// As it was published.
    pub bytes: Vec<u8>,
}

/// What is kept at once or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// The logs it adds to, and the turn at which each was seen. A receipt alone adds nothing to its log.
    pub turns: BTreeMap<Log, u64>,
    /// Records by their places.
    pub records: BTreeMap<Spot, KeptRecord>,
    /// Keys of epochs.
    pub epochs: Vec<(Log, KeptEpoch)>,
    /// How far logs are known now.
    pub heads: Vec<Kept>,
    /// Proofs of forks; what is held is looked up by the store.
    pub forks: Vec<(Log, KeptFork)>,
    /// Receipts.
    pub receipts: Vec<(Log, KeptReceipt)>,
    /// Up to where records are to go, all but geneses, rotations, what is mentioned, and the places that open orders rest
    /// on; of their receipts the last stays.
    pub pruned: Vec<(Log, Pruned, BTreeSet<u64>)>,
    /// What its records mention of machines and meters.
    pub mentions: Vec<Mention>,
    /// Findings.
    pub findings: Vec<KeptFinding>,
    /// What its records and findings say of the things alarms are about.
    pub conditions: Vec<Condition>,
    /// Logs whose older records are to be looked through from a place on, or from none any longer.
    pub unindexed: Vec<(Log, Option<u64>)>,
    /// Acts among its records that the authority did not sign.
    pub foreign: Vec<ForeignAct>,
    /// What its records say of pieces of equipment.
    pub sights: Vec<Sight>,
    /// What verdicts come to. Of a log with records of its own in the batch nothing is added up in it.
    pub sums: Vec<Summed>,
}

/// A database of the authority. What is written is durable when `commit` returns, and never overwritten.
///
/// Every function fails with [`StoreFault`]; what it has begun is then undone.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Store:
    Mentions + Alarms + Sights + People + Inspections + Reported + Registry + Signatories + Send
{
    /// Begins a batch that no other collector's can come between: logs are waited for in one order, so that no two wait
    /// for each other. Tells the turn of each. Ends by [`Store::commit`] or [`Store::abandon`].
    fn begin(&mut self, logs: &BTreeSet<Log>) -> Answered<BTreeMap<Log, u64>>;
    /// Makes a batch survive a power cut before it returns.
    fn commit(&mut self, batch: &Batch) -> Answered<()>;
    /// Ends what was begun without a trace.
    fn abandon(&mut self);

    /// Changes whenever somebody was admitted or revoked.
    fn admissions(&mut self) -> Answered<i64>;
    /// Admits a gateway by its first key. A key that was revoked is not admitted again.
    fn admit(&mut self, gateway: GatewayId, key: &PublicKey, now_unix_ms: i64) -> Answered<bool>;
    /// Revokes a gateway's key. Tells whether there was one to revoke.
    fn revoke(&mut self, gateway: GatewayId, key: KeyId, now_unix_ms: i64) -> Answered<bool>;
    /// Everybody who was ever admitted, by identifier, then by time.
    fn admitted(&mut self) -> Answered<Vec<Admitted>>;
    /// Every key that was ever admitted of one gateway, by time.
    fn admitted_of(&mut self, gateway: GatewayId) -> Answered<Vec<Admitted>>;

    /// Hash and time of arrival of what is kept at these places.
    fn kept_at(&mut self, spots: &BTreeSet<Spot>) -> Answered<BTreeMap<Spot, (Digest, i64)>>;
    /// How far the logs of these gateways are known, or of all of them, in order.
    fn heads(&mut self, of: Option<&BTreeSet<GatewayId>>) -> Answered<Vec<Kept>>;
    /// The epochs of a log from one on, in order. Rotations may have arrived far ahead of its head.
    fn epochs(&mut self, log: Log, from: u32) -> Answered<Vec<KeptEpoch>>;
    /// Places and hashes of the last records of a log up to a place.
    fn hashes_to(&mut self, log: Log, to: u64, most: u32) -> Answered<Vec<(u64, Digest)>>;
    /// Places and hashes of the records of a log from a place on, in order, at most so many.
    fn hashes_from(&mut self, log: Log, from: u64, most: u32) -> Answered<Vec<(u64, Digest)>>;
    /// The records of a log from a place on, in order, at most so many, and of no more than [`PAGE_BYTES`] beside the last.
    fn records_from(&mut self, log: Log, from: u64, most: u32) -> Answered<Vec<(u64, KeptRecord)>>;
    /// How many proofs of forks there are of a log, and of one of its places; counted up to [`FORKS_COUNTED`].
    fn fork_counts(&mut self, log: Log, seq: u64) -> Answered<(u64, u64)>;
    /// The proofs of forks of a log.
    fn forks(&mut self, log: Log) -> Answered<Vec<KeptFork>>;
    /// Up to where a log was pruned.
    fn pruned(&mut self, log: Log) -> Answered<Option<Pruned>>;
    /// The first place of a log whose record arrived at this time or later.
    fn first_since(&mut self, log: Log, unix_ms: i64) -> Answered<Option<u64>>;

    /// From here on until [`Store::abandon`] everything is read as it is at this moment.
    fn snapshot(&mut self) -> Answered<()>;
    /// Every log anything is kept of, in order.
    fn logs(&mut self) -> Answered<Vec<Log>>;
    /// The receipts of a log after that of a time and place, in order, at most so many.
    fn receipts_after(&mut self, log: Log, after: (i64, u64), most: u32) -> Answered<Vec<KeptReceipt>>;

    /// Keeps a head of heads with its list, unless there is one of that number. Tells whether it was kept.
    fn keep_heads(&mut self, heads: &KeptHeads, list: &[Listed]) -> Answered<bool>;
    /// Every head of heads, in order.
    fn kept_heads(&mut self) -> Answered<Vec<KeptHeads>>;
    /// The newest head of heads.
    fn newest_heads(&mut self) -> Answered<Option<KeptHeads>>;
    /// The list of a head of heads, in order.
    fn listed(&mut self, number: u64) -> Answered<Vec<Listed>>;
}

/// One hash over how far every log is known: two collectors that were fed the same traffic have the same.
pub fn state_root(heads: &[Kept]) -> Digest {
    let mut hasher = Hasher::default();
    for kept in heads {
        let Kept { gateway, log, seq, head, next_epoch, root, .. } = kept;
        hasher.update(format!("{gateway} {log} {seq} {head} {next_epoch} {root}\n").as_bytes());
    }
    hasher.digest()
}

/// The first verdict that a batch keeps of each log.
fn first_verdicts(batch: &Batch) -> BTreeMap<Log, u64> {
    let mut first = BTreeMap::new();
    for ((gateway, log, seq), record) in &batch.records {
        if record.kind == "verdict" {
            first.entry((*gateway, *log)).or_insert(*seq);
        }
    }
    first
}

/// A row that this program did not write.
fn strange(place: &str) -> StoreFault {
    StoreFault::Failed(Failure::new(Exit::Bug, format!("{place}: a row that this program did not write")))
}
