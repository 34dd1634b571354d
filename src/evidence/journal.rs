//! Where sealed records live: the seam, and a journal in memory for tests and virtual time.

use super::{body::Class, chain::Sealed};
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

/// Told of each record found: place, class, bytes. Returns whether to go on.
pub type Each<'a> = &'a mut dyn FnMut(u64, Class, &[u8]) -> bool;

/// Where sealed records live. Synchronous: it belongs to one thread, the scribe's.
pub trait Journal: Send {
    /// Adds a record; durable only after [`Journal::commit`].
    ///
    /// # Errors
    /// See [`JournalFault`]; what was appended since the last commit may then be lost.
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault>;
    /// Makes everything appended survive a power cut before it returns.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn commit(&mut self) -> Result<(), JournalFault>;
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
    /// The newest record of each type and subject, in order.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault>;
    /// Whether no later record of the same type and subject exists.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault>;
    /// The place up to which the broker has accepted every record, as last noted.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn accepted(&mut self) -> Result<u64, JournalFault>;
    /// Notes the place up to which the broker has accepted every record; durable with the next commit.
    ///
    /// # Errors
    /// See [`JournalFault`].
    fn set_accepted(&mut self, seq: u64) -> Result<(), JournalFault>;
}

/// A journal that dies with the process.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    rows: Vec<Row>,
    pending: Vec<Row>,
    accepted: u64,
}

#[derive(Debug)]
struct Row {
    seq: u64,
    class: Class,
    kind: &'static str,
    subject: Option<Name>,
    bytes: Vec<u8>,
}

impl Journal for MemoryJournal {
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault> {
        let Sealed { seq, class, kind, subject, bytes, .. } = *sealed;
        self.pending.push(Row { seq, class, kind, subject, bytes: bytes.to_vec() });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), JournalFault> {
        self.rows.append(&mut self.pending);
        Ok(())
    }

    fn last(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        Ok(self.rows.last().map(|row| row.bytes.clone()))
    }

    fn read(&mut self, from: u64, least: Class, each: Each<'_>) -> Result<(), JournalFault> {
        for row in self.rows.iter().filter(|row| row.seq >= from && row.class <= least) {
            if !each(row.seq, row.class, &row.bytes) {
                break;
            }
        }
        Ok(())
    }

    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault> {
        for row in &self.rows {
            if self.is_last_of_its_kind(row) && !each(row.seq, row.class, &row.bytes) {
                break;
            }
        }
        Ok(())
    }

    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault> {
        Ok(self.rows.iter().find(|row| row.seq == seq).is_some_and(|row| self.is_last_of_its_kind(row)))
    }

    fn accepted(&mut self) -> Result<u64, JournalFault> {
        Ok(self.accepted)
    }

    fn set_accepted(&mut self, seq: u64) -> Result<(), JournalFault> {
        self.accepted = seq;
        Ok(())
    }
}

impl MemoryJournal {
    fn is_last_of_its_kind(&self, row: &Row) -> bool {
        !self.rows.iter().any(|r| r.seq > row.seq && r.kind == row.kind && r.subject == row.subject)
    }
}
