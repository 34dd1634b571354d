//! What a store keeps of machines and meters: who mentions them, and the pairs of records that do not go together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answered, Log, Spot};
use crate::{
    evidence::{
        LogId,
        lineage::{ClashId, ClashKind, Located, MentionId},
    },
    terms::{Digest, GatewayId, Name},
};

/// Findings read at once: each shows up to three records of [`crate::evidence::canonical::MAX_RECORD_BYTES`].
pub const FINDINGS_AT_ONCE: u32 = 64;

/// One of the records of a finding, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHalf {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The place.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// The bytes it came in.
    pub bytes: Vec<u8>,
}

/// Two records that do not go together. Kept for ever, whatever becomes of their logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFinding {
    /// The same for the same pair.
    pub id: ClashId,
    /// How they do not go together.
    pub kind: ClashKind,
    /// The machine or meter as it was compared, or the equipment's name.
    pub about: String,
    /// When it was found, Unix milliseconds.
    pub found_unix_ms: i64,
    /// What was said first, then what was said later.
    pub halves: [KeptHalf; 2],
    /// The paper that excuses it.
    pub excuse: Option<KeptHalf>,
}

impl KeptFinding {
    /// Every record it shows.
    pub fn records(&self) -> impl Iterator<Item = &KeptHalf> {
        self.halves.iter().chain(&self.excuse)
    }
}

/// Which mentions are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// Those that name these machines and meters.
    Keys(&'a BTreeSet<String>),
    /// Those about these pieces of equipment, and meters of that name.
    Subjects(&'a BTreeSet<(GatewayId, Name)>),
    /// Those of these logs.
    Logs(&'a BTreeSet<Log>),
}

/// The part of a store that is about machines and meters.
///
/// Every function fails with [`super::StoreFault`]; what was begun is then undone.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Mentions {
    /// Until the batch that was begun ends nobody else adds mentions, so that of two that clash one sees the other.
    fn match_alone(&mut self) -> Answered<()>;
    /// Which of these are kept, and at which places of their logs.
    fn known_mentions(&mut self, ids: &BTreeSet<MentionId>) -> Answered<BTreeMap<MentionId, u64>>;
    /// Mentions with the place of their log where its genesis is known, by log, place and identifier.
    fn mentions(&mut self, asked: Asked<'_>) -> Answered<Vec<Located>>;
    /// How many mentions of each kind are kept of these gateways.
    fn mention_counts(
        &mut self,
        gateways: &BTreeSet<GatewayId>,
    ) -> Answered<BTreeMap<(GatewayId, String), usize>>;
    /// Which of these are kept, and where the papers stand that excuse them.
    fn known_findings(&mut self, ids: &BTreeSet<ClashId>) -> Answered<BTreeMap<ClashId, Option<Spot>>>;
    /// Findings after one of a time, in the order they were found, at most so many.
    fn findings_after(&mut self, after: (i64, Option<ClashId>), most: u32) -> Answered<Vec<KeptFinding>>;
    /// A finding.
    fn finding(&mut self, id: ClashId) -> Answered<Option<KeptFinding>>;
    /// A log with older records that were not looked through, and the place to go on from: this one, or the first.
    fn unindexed(&mut self, of: Option<Log>) -> Answered<Option<(Log, u64)>>;
    /// How many logs have such records, and how many there are; `None` where none has.
    fn unindexed_logs(&mut self) -> Answered<Option<(u64, u64)>>;
    /// Forgets all that records say of equipment, and has every log looked through from its first record on.
    fn unindex(&mut self) -> Answered<()>;
}
