//! Which machine, which meter: what records say that a record of another plant may repeat or contradict. A machine that was
//! eliminated here and runs there, one meter that speaks in two places, a rating that was edited past a bound show
//! themselves to whoever hears more than one gateway, and to nobody else.
//!
//! [`mentions`] takes out of a record what it says of identities; [`clashes`] finds the pairs that do not go together. A
//! clash is two signed records side by side and convicts nobody: either may be a mistake, or a number that was stamped
//! twice. What is compared, and what is not, by decision:
//!
//! * **Place**: county and enterprise, as the log's genesis names them. Two yards of one enterprise in one county are one
//!   place; a gateway that begins a new log in the same place has not moved, and one that names another place in a new log is a
//!   clash of its own, for a county may have been renamed; several gateways may read one meter or watch
//!   one machine of their place.
//! * **Machine**: the lines `equipment_kind`, [`MAKER`] and [`SERIAL`] of a nameplate, declared or read; all three, for
//!   makers count their machines for themselves, kind by kind.
//! * **Transfer** (国发〔2010〕7号 三(二): 拆除落后设施装置，防止落后产能转移, dismantle, and prevent the transfer of backward
//!   capacity). Class and last lawful day follow the machine. The notice knows no permit to move such a machine and no
//!   day before which it might be moved, so one that was sold before its deadline clashes too. Equipment that both its
//!   nameplates surely leave out of the notice (`exempt`, `out_of_scope`) may be sold to anybody: no clash. What is
//!   undetermined clashes, for whoever leaves lines away must not gain by it.
//! * **Meter**: its serial number with its model, or with its maker where it tells no model; never where both tell a maker
//!   and not the same. Ratios and firmware may change with the place. A meter that was replaced under the authority's
//!   paper has left its place, and may come up elsewhere afterwards, until it speaks there again: the clash is found all
//!   the same, and excused by that paper, whichever of them arrives first.
//! * **Twice at one gateway**: one machine under two names there is a clash of its own: a renaming that leaves a history
//!   behind, a mistake, or one plate on two machines.
//! * **Rating**: two nameplates of one machine of which one is in scope of the shipped catalogue and the other is not:
//!   the same nameplate edited that way, declared against read, or the machine's at another place. A line that was
//!   erased counts only there where it stood. Overlays of regions and rulings of authorities are not asked: gateways are,
//!   and say so in their own records.
//! * **Eliminated**: a verdict that carries `decommissioned_on` after that day, or a signed `close` (demolition was
//!   accepted) or the step of an order that it leads to. A later `drawing` contradicts it, at that gateway or wherever the machine is, unless a permit was used,
//!   or the same log knows a later last day by the authority's reset. Energy counts through the judge's `drawing` alone,
//!   for only the judge knows allowances and floors.

mod clash;
mod extract;
pub mod serial;
mod written;

use std::collections::BTreeMap;

pub use self::{
    clash::{Clash, ClashId, ClashKind, Located, Place, clashes},
    extract::mentions,
};
use super::record::LogId;
pub use crate::catalogue::plate::{MAKER, SERIAL};
use crate::{
    catalogue::{Class, Phase, PlateSource},
    terms::{Digest, GatewayId, LegalDay, Name},
};

/// Gateways that may name one machine or meter before its number counts as a factory's default and is compared no longer.
pub const MAX_GATEWAYS_OF_ONE: usize = 16;
/// Mentions of one machine or meter by one gateway that are compared.
pub const MAX_OF_ONE_BY_GATEWAY: usize = 16;
/// Mentions of one kind that are compared of one gateway, in all its logs: twice the equipment of a roster.
pub const MAX_OF_KIND_BY_GATEWAY: usize = 512;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// A nameplate names this machine.
    Machine {
        /// Kind, maker and serial number as they are compared.
        key: String,
        /// What the shipped catalogue makes of that nameplate.
        class: Class,
    },
    /// A nameplate of the equipment.
    Plate {
        /// Declared or read.
        source: PlateSource,
        /// What the shipped catalogue makes of it.
        class: Class,
        /// Its fingerprint.
        fingerprint: Digest,
    },
    /// This meter speaks here.
    Meter {
        /// Serial number and model, or maker, as they are compared.
        key: String,
        /// Its maker as it is compared; empty where it tells none.
        maker: String,
    },
    /// This meter was replaced here, with the authority's paper.
    MeterLeft {
        /// As in [`Says::Meter`].
        key: String,
        /// As in [`Says::Meter`].
        maker: String,
    },
    /// The equipment is eliminated.
    Eliminated(Elimination),
    /// It draws power, under no permit.
    Drew {
        /// Whether its last lawful day has ended, where one is known.
        phase: Option<Phase>,
        /// The day its owner declares.
        declared: Option<LegalDay>,
    },
}

/// On whose word equipment is eliminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Elimination {
    /// Its owner's: out of service after this day.
    Declared(LegalDay),
    /// The authority's: its demolition was accepted.
    Accepted,
}

/// Which of the records of a log that say the same a mention stands for. What may be said, contradicted, and said again is
/// kept at both ends, so that whatever was said between them lies between them, in whichever order records arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The first.
    First,
    /// The last.
    Last,
}

/// Something a record says of an identity, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The place of the record.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it says it was written, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The equipment or the meter, as the gateway calls it.
    pub subject: Name,
    /// What it says.
    pub says: Says,
    /// Whether it stands for the first that says so, or the last.
    pub end: End,
}

/// The same for what the same log says again: of several such mentions one is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MentionId(pub [u8; 16]);

impl Mention {
    /// What it is kept under.
    pub fn id(&self) -> MentionId {
        let (log, (_, key, detail)) = (self.log.to_string(), self.says.columns());
        let said =
            [self.gateway.as_str(), &log, self.subject.as_str(), &self.kind(), key, &detail].join("\n");
        let Digest(hash) = Digest::of(said.as_bytes());
        let mut id = [0; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        MentionId(id)
    }

    /// The word of its kind and end.
    pub fn kind(&self) -> String {
        match self.end {
            End::First => self.says.word().to_owned(),
            End::Last => format!("{}{LAST}", self.says.word()),
        }
    }

    /// Whether it is further at its end than a mention of the same at this place.
    pub fn is_beyond(&self, seq: u64) -> bool {
        match self.end {
            End::First => self.seq < seq,
            End::Last => self.seq > seq,
        }
    }

    /// Whether it was said before the other: in one log by the place, between logs by the time they claim.
    pub fn is_before(&self, other: &Mention) -> bool {
        if (self.gateway, self.log) == (other.gateway, other.log) {
            // What one record says, it says at once; eliminated comes before drew.
            return (self.seq, &self.says) < (other.seq, &other.says);
        }
        (self.at_unix_ms, self.gateway, self.log) < (other.at_unix_ms, other.gateway, other.log)
    }
}

/// Follows the word of a kind where the last of several mentions is meant.
const LAST: &str = "_last";

/// Reads what [`Mention::kind`] wrote.
pub fn kind_and_end(kind: &str) -> (&str, End) {
    kind.strip_suffix(LAST).map_or((kind, End::First), |kind| (kind, End::Last))
}

/// Of mentions those to be kept: beyond what is known of the same, by its place; of several the one furthest at its end.
pub fn to_be_kept(mentions: Vec<Mention>, known: &BTreeMap<MentionId, u64>) -> Vec<Mention> {
    let mut kept: BTreeMap<MentionId, Mention> = BTreeMap::new();
    for mention in mentions {
        let id = mention.id();
        let before = kept.get(&id).map(|kept| kept.seq).or_else(|| known.get(&id).copied());
        if before.is_none_or(|seq| mention.is_beyond(seq)) {
            kept.insert(id, mention);
        }
    }
    let mut kept: Vec<Mention> = kept.into_values().collect();
    kept.sort();
    kept
}

impl Says {
    /// Whether it matters when it was said last, too: what is eliminated stays so, and a machine is what it is.
    pub const fn has_last(&self) -> bool {
        match self {
            Says::Plate { .. } | Says::Meter { .. } | Says::MeterLeft { .. } | Says::Drew { .. } => true,
            Says::Machine { .. } | Says::Eliminated(_) => false,
        }
    }

    /// What it is compared by, where it names a machine or a meter.
    pub fn key(&self) -> Option<&str> {
        match self {
            Says::Machine { key, .. } | Says::Meter { key, .. } | Says::MeterLeft { key, .. } => Some(key),
            Says::Plate { .. } | Says::Eliminated(_) | Says::Drew { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
