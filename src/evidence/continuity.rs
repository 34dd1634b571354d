//! How a log goes on: from an earlier log, with another key, across places never used, dropped or rolled back.

use super::{
    canonical::Object,
    members::{BadMember, Members},
    record::LogId,
    suite::PublicKey,
};
use crate::terms::Digest;

/// Most ranges one `gap` declares.
pub const MAX_DROPPED: usize = 256;

/// A place of a log and the hash of the record there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Which log.
    pub log: LogId,
    /// The place.
    pub seq: u64,
    /// Hash of the record there.
    pub head: Digest,
}

/// The next key of a log, certified by the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Its epoch: one more than that of the key that signs this.
    pub next_epoch: u32,
    /// It signs every record after this one.
    pub public_key: PublicKey,
}

/// Records that existed and were dropped, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// Hash of the last: it commits to all of them.
    pub last: Digest,
}

/// Why records were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapWhy {
    /// The disk was full.
    DiskFull,
    /// The journal reached the size it may have.
    SizeCap,
    /// The disk gave back something else than was written.
    Damaged,
}

impl GapWhy {
    /// The word of records.
    pub const fn word(self) -> &'static str {
        match self {
            GapWhy::DiskFull => "disk_full",
            GapWhy::SizeCap => "size_cap",
            GapWhy::Damaged => "damaged",
        }
    }

    /// Reads the word of a record.
    pub fn from_word(word: &str) -> Option<GapWhy> {
        [GapWhy::DiskFull, GapWhy::SizeCap, GapWhy::Damaged].into_iter().find(|why| why.word() == word)
    }
}

/// Records that were dropped, declared in a record of their own that stands later in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub why: GapWhy,
    /// Which, in ascending order; at most [`MAX_DROPPED`].
    pub dropped: Vec<Dropped>,
}

/// The gateway's own records are fewer than the authority has receipted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// What the authority has receipted.
    pub receipted: LogHead,
    /// The last place of the gateway's own copy of that log; none when nothing of it is left.
    pub local: Option<(u64, Digest)>,
}

impl LogHead {
    /// Writes it as members of an object.
    pub fn write(&self, object: &mut Object<'_>) {
        object.shown("log_id", self.log).count("seq", self.seq).shown("head", self.head);
    }

    /// Reads it from the members of an object.
    ///
    /// # Errors
    /// A member is missing or wrong.
    pub fn read(m: Members<'_>) -> Result<LogHead, BadMember> {
        Ok(LogHead {
            log: m.parsed("log_id", LogId::from_hex)?,
            seq: m.fitting("seq")?,
            head: m.parsed("head", Digest::from_hex)?,
        })
    }
}

impl Rotation {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        object
            .count("next_epoch", u64::from(self.next_epoch))
            .text("public_key", &self.public_key.to_base64());
    }

    pub(super) fn read(m: Members<'_>) -> Result<Rotation, BadMember> {
        Ok(Rotation {
            next_epoch: m.fitting("next_epoch")?,
            public_key: m.parsed("public_key", PublicKey::from_base64)?,
        })
    }
}

impl Gap {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        let count: u64 = self.dropped.iter().map(|d| (d.to - d.from).saturating_add(1)).sum();
        object.text("why", self.why.word()).count("count", count).list("dropped", |list| {
            for Dropped { from, to, last } in &self.dropped {
                list.object(|o| {
                    o.count("from_seq", *from).count("to_seq", *to).shown("last", last);
                });
            }
        });
    }

    pub(super) fn read(m: Members<'_>) -> Result<Gap, BadMember> {
        let dropped = |d: Members<'_>| {
            Ok(Dropped {
                from: d.fitting("from_seq")?,
                to: d.fitting("to_seq")?,
                last: d.parsed("last", Digest::from_hex)?,
            })
        };
        let dropped = m.objects("dropped")?.into_iter().map(dropped).collect::<Result<Vec<Dropped>, _>>()?;
        let mut next = 0;
        for range in &dropped {
            if range.from < next || range.to < range.from {
                return Err(BadMember("dropped"));
            }
            next = range.to.saturating_add(1);
        }
        if dropped.is_empty() || dropped.len() > MAX_DROPPED {
            return Err(BadMember("dropped"));
        }
        let count: u64 = dropped.iter().map(|d| (d.to - d.from).saturating_add(1)).sum();
        if m.fitting::<u64>("count")? != count {
            return Err(BadMember("count"));
        }
        Ok(Gap { why: m.parsed("why", GapWhy::from_word)?, dropped })
    }
}

impl Rollback {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        object.object("receipted", |o| self.receipted.write(o));
        if let Some((seq, head)) = &self.local {
            object.object("local", |o| {
                o.count("seq", *seq).shown("head", head);
            });
        }
    }

    pub(super) fn read(m: Members<'_>) -> Result<Rollback, BadMember> {
        let local = |m: Members<'_>| {
            let m = m.object("local")?;
            Ok((m.fitting("seq")?, m.parsed("head", Digest::from_hex)?))
        };
        Ok(Rollback { receipted: LogHead::read(m.object("receipted")?)?, local: m.optional("local", local)? })
    }
}
