//! The whole store in one file, whatever database it is in: JSON, one object a line, and the hash of all lines before it
//! in the last. A copy goes into an empty store of either kind, so that moving from one to the other is a copy, too.
//!
//! Lines, in this order: `{"coldhearth_store": 6, "made_unix_ms": …}`; one for each `gateway` that was admitted; for each
//! log its `log` (how far it is known), its `mention`s, how far it was `pruned`, and its
//! `epoch`s, `record`s, `fork`s and `receipt`s; each `foreign` act that a log has taken; each `finding`; the `heads` of every day with their lists; each `alarm_step` of the desk's log, from which its alarms
//! are made again, and how far each `pager` has told its receiver; what somebody `saw` at the console, oldest first; each `inspection` that was asked for;
//! `{"end": {"lines": …, "sha256": …}}`. Messages stand in them as they travelled, as text. Version 1 knew neither
//! mentions nor findings, and version 2 neither the last mention of a kind nor papers that excuse; version 3 knew no alarms, version 4 no
//! inspections, and version 5 no foreign acts.
//! Whatever the version, all records are looked through once they are put back: what the desk is shown of equipment is in no
//! copy. What records and findings say is the matter is made of them again.
//!
//! People and their saved filters are in no copy: a copy lies where more eyes are than on a store, and holds no hash of a
//! password. `user add` lets them in again.

mod line;
mod matter;
mod read;
mod write;

pub use self::{read::restore, write::backup};

/// Version of the format.
pub const FORMAT: u64 = 6;
/// The first version, which is read too, as are those between.
const FIRST_FORMAT: u64 = 1;
/// Records read or written at once.
const PAGE: u32 = 1_000;
/// Longest line that is read, in bytes: a record of 64 KiB escaped as text, twice over for the two halves of a fork or a
/// finding.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Keys admitted, revoked ones included.
    pub gateways: u64,
    /// Logs.
    pub logs: u64,
    /// Records.
    pub records: u64,
    /// Proofs of forks.
    pub forks: u64,
    /// Receipts.
    pub receipts: u64,
    /// Findings.
    pub findings: u64,
    /// Daily heads of heads.
    pub heads: u64,
    /// Steps of the desk's own log.
    pub alarm_steps: u64,
    /// Things that people saw, or tried to see.
    pub seen: u64,
    /// Looks on site that were asked for.
    pub inspections: u64,
}
