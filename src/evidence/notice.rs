//! What happens to the witness itself and an auditor must know: things of the log, the disk and the link.

use super::{
    canonical::Object,
    members::{BadMember, Members},
};
use crate::terms::{Digest, Name};

/// Something that happened to the witness, not to the plant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something stood on the receipt's topic that is no receipt of the authority for this log.
    ReceiptRefused {
        /// SHA-256 of its bytes.
        bytes: Digest,
        /// The word of the refusal.
        why: Name,
        /// How many were refused since the notice before.
        count: u32,
    },
    /// A record is larger than the broker takes; it waits in the journal.
    Oversized {
        /// Its place.
        seq: u64,
        /// Its length in bytes.
        length: u64,
        /// What the broker takes, in bytes.
        limit: u64,
    },
    /// The disk was full for a while; nothing was said meanwhile that was not written.
    DiskFull {
        /// How long, in milliseconds.
        lasted_ms: u64,
    },
    /// The journal was damaged; what could be read was carried over.
    JournalDamaged {
        /// Records that could be read.
        salvaged: u64,
        /// Records that could not, as far as their places show.
        lost: u64,
    },
    /// A certificate towards the broker ends soon, or has ended.
    CertificateExpiring {
        /// Whole days left; negative once it has ended.
        days: i64,
    },
    /// The supply of the gateway's machine is failing: it may go dark any moment, and says so while it can.
    LastGasp,
    /// The agent was asked to stop: nothing more is said in this life.
    Stopping,
}

impl Notice {
    /// The word in `event`.
    pub const fn word(&self) -> &'static str {
        match self {
            Notice::ReceiptRefused { .. } => "receipt_refused",
            Notice::Oversized { .. } => "oversized",
            Notice::DiskFull { .. } => "disk_full",
            Notice::JournalDamaged { .. } => "journal_damaged",
            Notice::CertificateExpiring { .. } => "certificate_expiring",
            Notice::LastGasp => "last_gasp",
            Notice::Stopping => "stopping",
        }
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        object.text("event", self.word());
        match self {
            Notice::ReceiptRefused { bytes, why, count } => {
                object.shown("refused_sha256", bytes).shown("why", why).count("count", u64::from(*count))
            }
            Notice::Oversized { seq, length, limit } => object
                .count("oversized_seq", *seq)
                .count("length_bytes", *length)
                .count("limit_bytes", *limit),
            Notice::DiskFull { lasted_ms } => object.count("lasted_ms", *lasted_ms),
            Notice::JournalDamaged { salvaged, lost } => {
                object.count("salvaged", *salvaged).count("lost", *lost)
            }
            Notice::CertificateExpiring { days } => object.whole("days", *days),
            Notice::LastGasp | Notice::Stopping => object,
        };
    }

    /// Reads the notice of this word; `None` when the word is another room's.
    pub(super) fn read(word: &str, m: Members<'_>) -> Result<Option<Notice>, BadMember> {
        Ok(Some(match word {
            "receipt_refused" => Notice::ReceiptRefused {
                bytes: m.parsed("refused_sha256", Digest::from_hex)?,
                why: m.parsed("why", Name::new)?,
                count: m.fitting("count")?,
            },
            "oversized" => Notice::Oversized {
                seq: m.fitting("oversized_seq")?,
                length: m.fitting("length_bytes")?,
                limit: m.fitting("limit_bytes")?,
            },
            "disk_full" => Notice::DiskFull { lasted_ms: m.fitting("lasted_ms")? },
            "journal_damaged" => {
                Notice::JournalDamaged { salvaged: m.fitting("salvaged")?, lost: m.fitting("lost")? }
            }
            "certificate_expiring" => Notice::CertificateExpiring { days: m.whole("days")? },
            "last_gasp" => Notice::LastGasp,
            "stopping" => Notice::Stopping,
            _ => return Ok(None),
        }))
    }
}
