//! PURE. What is signed, how it is chained, how it is checked: the format `coldhearth/1`.
//!
//! May not: do I/O, read a clock, make randomness. Both are arguments.
//!
//! A record is one canonical JSON object (see [`canonical`]); `sig` is its only unsigned member. The signed bytes are
//! `coldhearth/1`, a line feed, and the canonical bytes of the object without `sig`; their hash, by the
//! [`suite`] SHA-256 or SM3, is what the next record names in `prev`. The bytes on the wire are the canonical bytes
//! with `sig`.
//!
//! | member | meaning |
//! |---|---|
//! | `fmt`, `type` | `coldhearth/1`; which record this is, see [`body`] |
//! | `gateway_id`, `log_id` | who speaks; 64 random bits a log, 16 hexadecimal digits |
//! | `seq`, `prev` | place in the log, from 0; hash of the record before, zeros at first |
//! | `wall_unix_ms`, `clock`, `clock_err_ms` | claimed time, its quality (`ntp`, `rtc`, `none`), its error bound |
//! | `uptime_ms`, `boot_count` | time since the machine booted; which boot |
//! | `receipt` | hash of the regulator's latest receipt, empty before the first |
//! | `alg`, `kid`, `key_epoch` | suite, short name and epoch of the signing key |
//! | `sig` | signature, padded base64 |
//!
//! Receipts and acts of an authority are signed in the same way and have no place in a log; an act is at most 32 KiB long
//! and 7 deep, since a record carries it on. Once a legal day has ended the authority signs how far it knew every log, in
//! [`heads`], each of which names the one before: whoever keeps them can tell whether it has changed its history. `coldhearth-1.schema.json` beside this file names every member of every
//! message, with its unit and meaning; members that it does not name are ignored.
//!
//! Who may speak: a key answers for one gateway, each epoch of a log has one key, and the first that is believed stays. A
//! log's first key is enrolled and of epoch 0, or that of the log which its genesis `continues`. The genesis stands at 0,
//! nothing else does, and names the key that signs it. A `key_rotate` is the last record of its key and names the key of
//! all records after it. A key is never a point of small order, nor is the first half of a signature.
//!
//! `tests/interop/verify.py` is a second verifier, written from this description; tests let both judge the same messages.

pub mod act;
pub mod audit;
mod balance;
pub mod body;
pub mod bracket;
pub mod canonical;
pub mod certificate;
pub mod chain;
pub mod commissioning;
pub mod continuity;
pub mod contract;
mod dark;
pub mod follow;
mod grounds;
pub mod hands;
pub mod head;
pub mod heads;
pub mod journal;
pub mod keyring;
pub mod lineage;
pub mod live;
pub mod members;
pub mod mistimed;
pub mod notice;
pub mod of_orders;
pub mod order_log;
mod orders;
mod plates;
pub mod presence;
pub mod recall;
mod recall_orders;
pub mod receipt;
pub mod record;
pub mod rests;
pub mod scribe;
pub mod seal;
pub mod share;
mod sign;
pub mod signed;
mod stand;
mod standing;
pub mod suite;
pub mod topic;
pub mod trust;
mod waiting;
pub mod write;

pub use act::{Act, ActKind, ActRefusal, Answer, Meaning};
pub use audit::{Anchor, Audit, Report};
pub use body::{Body, Boot, Checkpoint, Class, Genesis};
pub use bracket::Brackets;
pub use certificate::{Certificate, Uncertified, Witnessed};
pub use chain::{Chain, Sealed};
pub use continuity::{Dropped, Gap, GapWhy, LogHead, Rollback, Rotation};
pub use follow::Follower;
pub use hands::{Disbelief, Hands};
pub use head::{Arrival, Head, Link};
pub use journal::{Journal, JournalFault, MemoryJournal};
pub use keyring::Keyring;
pub use notice::Notice;
pub use of_orders::OfOrders;
pub use order_log::OrderLog;
pub use presence::{Occasion, Presence};
pub use receipt::Receipt;
pub use record::{Header, LogId, Record, Refusal};
pub use rests::Rests;
pub use scribe::Scribe;
pub use seal::Sealer;
pub use signed::Signed;
#[cfg(feature = "sm2")]
pub use suite::Sm2Key;
pub use suite::{Ed25519, KeyId, PublicKey, Signer, Suite};
pub use topic::{Kind, Topic};
pub use trust::{Received, Trust};
