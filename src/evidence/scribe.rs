//! Seal, append, commit, and only then tell. The order of effects, without a thread.

use super::{
    body::Body,
    chain::Chain,
    journal::{Journal, JournalFault},
};
use crate::terms::Stamp;

/// The owner of chain, key and journal.
pub struct Scribe {
    chain: Chain,
    journal: Box<dyn Journal>,
}

impl Scribe {
    /// Takes over a chain and its journal.
    pub fn new(chain: Chain, journal: Box<dyn Journal>) -> Scribe {
        Scribe { chain, journal }
    }

    /// Seals and appends; nothing is durable before [`Scribe::commit`].
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn write(&mut self, at: &Stamp, body: &Body) -> Result<(), JournalFault> {
        let sealed = self.chain.seal(at, body).map_err(|_| JournalFault::Unwritable)?;
        self.journal.append(&sealed)
    }

    /// Makes everything written durable; tells how many records the log then has. All of them may leave.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn commit(&mut self) -> Result<u64, JournalFault> {
        self.journal.commit()?;
        Ok(self.chain.next_seq())
    }

    /// Place of the next record.
    pub fn next_seq(&self) -> u64 {
        self.chain.next_seq()
    }

    /// The journal, for reading back.
    pub fn journal(&mut self) -> &mut dyn Journal {
        &mut *self.journal
    }
}
