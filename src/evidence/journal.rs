//! Where sealed records live: the seam, and a journal in memory for tests and virtual time.

use std::{collections::BTreeMap, sync::Arc};

use super::{body::Class, chain::Sealed, continuity::Dropped, receipt::Receipt, signed::Signed};
use crate::terms::Name;

/// Why the journal could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalFault {
    /// The disk is full.
    Full,
    /// The disk or the database failed.
    Broken,
    /// A record could not be written canonically: a defect of the program.
    Unwritable,
}

/// A place the journal notes besides the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cursor {
    /// The broker has accepted every record before this place. No proof of anything.
    Accepted,
    /// Places before this one may have been used; none from it on has been.
    Reserved,
    /// The authority has receipted every record before this place.
    Receipted,
}

impl Cursor {
    /// Its name in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Cursor::Accepted => "accepted",
            Cursor::Reserved => "reserved",
            Cursor::Receipted => "receipted",
        }
    }
}

/// Types of records that stay when others are pruned: without them the rest proves nothing.
pub const KEPT: [&str; 7] = ["genesis", "key_rotate", "skip", "gap", "rollback_notice", "act", "transition"];

/// Told of each record found: place, class, bytes. Returns whether to go on.
pub type Each<'a> = &'a mut dyn FnMut(u64, Class, &[u8]) -> bool;

/// Where sealed records live. Synchronous: it belongs to one thread, the scribe's.
///
/// Everything written takes effect with the next [`Journal::commit`], or not at all.
pub trait Journal: Send {
    /// Adds a record.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault>;
    /// Makes everything written survive a power cut before it returns.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn commit(&mut self) -> Result<(), JournalFault>;
    /// Forgets everything written since the last commit.
    fn take_back(&mut self);
    /// The last record.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn last(&mut self) -> Result<Option<Vec<u8>>, JournalFault>;
    /// Records from place `from` on, of class `least` or more urgent, in order.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn read(&mut self, from: u64, least: Class, each: Each<'_>) -> Result<(), JournalFault>;
    /// What the judge goes on from: the newest record of each type and subject, and every act, in order.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault>;
    /// Whether no later record of the same type and subject exists.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault>;
    /// A noted place; 0 when it was never noted.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn cursor(&mut self, cursor: Cursor) -> Result<u64, JournalFault>;
    /// Notes a place.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn set_cursor(&mut self, cursor: Cursor, seq: u64) -> Result<(), JournalFault>;
    /// Keeps a receipt with the bytes it came in.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn keep_receipt(&mut self, receipt: &Receipt, bytes: &[u8]) -> Result<(), JournalFault>;
    /// The receipt kept last, as it came.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn last_receipt(&mut self) -> Result<Option<Vec<u8>>, JournalFault>;
    /// Keeps the signing key of this epoch, as PEM, and erases every other.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn keep_key(&mut self, epoch: u32, pem: &str) -> Result<(), JournalFault>;
    /// Removes at most `most` records before place `before` that claim a time before `before_unix_ms`, but none of a
    /// type in [`KEPT`] and none that is the newest of its type and subject. Tells how many.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn prune(&mut self, before: u64, before_unix_ms: i64, most: u32) -> Result<u32, JournalFault>;
    /// Removes the oldest records of class `Routine` from place `from` on, at most `most` and none that is the newest
    /// of its type and subject. Tells which, in order.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn thin(&mut self, from: u64, most: u32) -> Result<Vec<Dropped>, JournalFault>;
    /// Bytes the records take on the disk, room for new ones not counted.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn size_bytes(&mut self) -> Result<u64, JournalFault>;
}

/// Joins removed records, given in order with their bytes, to ranges without holes.
pub fn ranges<'a>(removed: impl Iterator<Item = (u64, &'a [u8])>) -> Vec<Dropped> {
    let mut ranges: Vec<Dropped> = Vec::new();
    for (seq, bytes) in removed {
        let Ok(signed) = Signed::read(bytes) else { continue };
        let last = signed.hash();
        match ranges.last_mut() {
            Some(range) if range.to + 1 == seq => (range.to, range.last) = (seq, last),
            Some(_) | None => ranges.push(Dropped { from: seq, to: seq, last }),
        }
    }
    ranges
}

/// A journal that dies with the process. What is pending dies with [`MemoryJournal::crash`].
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    durable: Pages,
    pending: Pages,
}

#[derive(Clone, Debug, Default)]
struct Pages {
    rows: BTreeMap<u64, Row>,
    cursors: BTreeMap<Cursor, u64>,
    receipt: Option<Vec<u8>>,
    key: Option<(u32, String)>,
}

#[derive(Clone, Debug)]
struct Row {
    class: Class,
    kind: &'static str,
    subject: Option<Name>,
    wall_unix_ms: i64,
    bytes: Arc<[u8]>,
}

impl Pages {
    fn is_last_of_its_kind(&self, seq: u64, row: &Row) -> bool {
        !self.rows.range(seq + 1..).any(|(_, r)| r.kind == row.kind && r.subject == row.subject)
    }

    /// Removes the first rows that may go; tells them.
    fn remove(&mut self, most: u32, may: impl Fn(u64, &Row) -> bool) -> Vec<(u64, Arc<[u8]>)> {
        let goes = |(seq, row): (&u64, &Row)| {
            (may(*seq, row) && !self.is_last_of_its_kind(*seq, row)).then_some(*seq)
        };
        let places: Vec<u64> =
            self.rows.iter().filter_map(goes).take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
        places.into_iter().filter_map(|seq| self.rows.remove(&seq).map(|row| (seq, row.bytes))).collect()
    }
}

impl MemoryJournal {
    /// The power is cut: what was not committed is gone.
    pub fn crash(&mut self) {
        self.take_back();
    }

    /// The key kept last and its epoch.
    pub fn key(&self) -> Option<(u32, &str)> {
        self.durable.key.as_ref().map(|(epoch, pem)| (*epoch, pem.as_str()))
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault> {
        let Sealed { seq, class, kind, subject, wall_unix_ms, bytes, .. } = *sealed;
        self.pending.rows.insert(seq, Row { class, kind, subject, wall_unix_ms, bytes: bytes.into() });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), JournalFault> {
        self.durable = self.pending.clone();
        Ok(())
    }

    fn take_back(&mut self) {
        self.pending = self.durable.clone();
    }

    fn last(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        Ok(self.pending.rows.last_key_value().map(|(_, row)| row.bytes.to_vec()))
    }

    fn read(&mut self, from: u64, least: Class, each: Each<'_>) -> Result<(), JournalFault> {
        for (seq, row) in self.pending.rows.range(from..).filter(|(_, row)| row.class <= least) {
            if !each(*seq, row.class, &row.bytes) {
                break;
            }
        }
        Ok(())
    }

    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault> {
        for (seq, row) in &self.pending.rows {
            let wanted = row.kind == "act" || self.pending.is_last_of_its_kind(*seq, row);
            if wanted && !each(*seq, row.class, &row.bytes) {
                break;
            }
        }
        Ok(())
    }

    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault> {
        Ok(self.pending.rows.get(&seq).is_some_and(|row| self.pending.is_last_of_its_kind(seq, row)))
    }

    fn cursor(&mut self, cursor: Cursor) -> Result<u64, JournalFault> {
        Ok(self.pending.cursors.get(&cursor).copied().unwrap_or(0))
    }

    fn set_cursor(&mut self, cursor: Cursor, seq: u64) -> Result<(), JournalFault> {
        self.pending.cursors.insert(cursor, seq);
        Ok(())
    }

    fn keep_receipt(&mut self, _receipt: &Receipt, bytes: &[u8]) -> Result<(), JournalFault> {
        self.pending.receipt = Some(bytes.to_vec());
        Ok(())
    }

    fn last_receipt(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        Ok(self.pending.receipt.clone())
    }

    fn keep_key(&mut self, epoch: u32, pem: &str) -> Result<(), JournalFault> {
        self.pending.key = Some((epoch, pem.to_owned()));
        Ok(())
    }

    fn prune(&mut self, before: u64, before_unix_ms: i64, most: u32) -> Result<u32, JournalFault> {
        let may = |seq: u64, row: &Row| {
            seq < before && row.wall_unix_ms < before_unix_ms && !KEPT.contains(&row.kind)
        };
        Ok(u32::try_from(self.pending.remove(most, may).len()).unwrap_or(u32::MAX))
    }

    fn thin(&mut self, from: u64, most: u32) -> Result<Vec<Dropped>, JournalFault> {
        let removed = self.pending.remove(most, |seq, row| seq >= from && row.class == Class::Routine);
        Ok(ranges(removed.iter().map(|(seq, bytes)| (*seq, &**bytes))))
    }

    fn size_bytes(&mut self) -> Result<u64, JournalFault> {
        Ok(self.pending.rows.values().map(|row| row.bytes.len() as u64).sum())
    }
}
