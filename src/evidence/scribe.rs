//! Reserve, seal, append, commit, and only then tell. The order of effects, without a thread.

use super::{
    body::{Body, Class},
    chain::Chain,
    continuity::{Gap, GapWhy, LogHead, MAX_DROPPED},
    journal::{Cursor, Journal, JournalFault},
    receipt::Receipt,
    signed::Signed,
    suite::Signer,
    trust::Received,
};
use crate::{
    judge::{Finding, Transition, cutoff::MAX_EVIDENCE},
    terms::Stamp,
};

/// Places reserved ahead in one go. After an unclean start the log goes on behind them, so that a disk that lied about
/// what it kept never makes an honest gateway use a place twice.
pub const RESERVE: u64 = 1_000;
/// Records of an unreceipted log that one thinning may drop.
pub const THIN_RECORDS: u32 = 1_000;
/// Records between two commits that room is kept for.
const KEPT_ROOM: usize = 128;

/// Something said that is not durable yet.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "kept by value in a buffer that is reused: no allocation a record"
)]
enum Pending {
    Say(Stamp, Body),
    Receipt(Received, Vec<u8>),
    Accepted(u64),
}

/// The owner of chain, key and journal.
pub struct Scribe {
    chain: Chain,
    journal: Box<dyn Journal>,
    pending: Vec<Pending>,
    reserved: u64,
    receipted: u64,
}

impl Scribe {
    /// Takes over a chain and its journal. Where the last end was not clean, every place that may have been used is
    /// skipped, in a record that says so.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn begin(at: &Stamp, chain: Chain, mut journal: Box<dyn Journal>) -> Result<Scribe, JournalFault> {
        let (reserved, receipted) = (journal.cursor(Cursor::Reserved)?, journal.cursor(Cursor::Receipted)?);
        let mut scribe = Scribe { chain, journal, pending: Vec::new(), reserved, receipted };
        let next = scribe.chain.next_seq();
        scribe.reserve(reserved.max(next))?;
        if (1..reserved).contains(&next) {
            let sealed = scribe.chain.skip_to(at, reserved).map_err(|_| JournalFault::Unwritable)?;
            scribe.journal.append(&sealed)?;
            scribe.journal.commit()?;
            scribe.chain.settle();
        }
        Ok(scribe)
    }

    /// Says something; it is sealed and appended by [`Scribe::commit`].
    pub fn write(&mut self, at: Stamp, body: Body) {
        self.pending.push(Pending::Say(at, body));
    }

    /// Takes a receipt that is believed: every record after it names it.
    pub fn on_receipt(&mut self, received: Received, bytes: Vec<u8>) {
        self.pending.push(Pending::Receipt(received, bytes));
    }

    /// Notes up to where the broker has accepted everything.
    pub fn on_accepted(&mut self, seq: u64) {
        self.pending.push(Pending::Accepted(seq));
    }

    /// Makes everything said durable; tells how many places the log then has. All of them may leave.
    ///
    /// # Errors
    /// See [`JournalFault`]. What was said is kept and sealed anew by the next commit, at the same places: nothing of
    /// it has left.
    pub fn commit(&mut self) -> Result<u64, JournalFault> {
        let written = self.write_pending();
        self.settle(written)?;
        self.pending.clear();
        // A first start says hundreds of things at once; the room for them is not kept for life.
        self.pending.shrink_to(KEPT_ROOM);
        Ok(self.chain.next_seq())
    }

    /// Certifies the next key and erases the present one, in one commit of its own.
    ///
    /// # Errors
    /// See [`JournalFault`]; the present key stays.
    pub fn rotate(&mut self, at: &Stamp, next: Box<dyn Signer>, pem: &str) -> Result<u64, JournalFault> {
        self.commit()?;
        let written = self.write_rotation(at, next, pem);
        self.settle(written)?;
        Ok(self.chain.next_seq())
    }

    /// Makes room: first what the authority has receipted, then what may be thinned, with a signed `gap`. Tells whether
    /// anything went.
    ///
    /// # Errors
    /// See [`JournalFault`]; then nothing went.
    pub fn make_room(&mut self, at: &Stamp, why: GapWhy) -> Result<bool, JournalFault> {
        let written = self.write_room(at, why);
        self.settle(written)
    }

    /// Removes what is receipted and claims a time before this, at most `most` records. Tells how many went.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn prune(&mut self, before_unix_ms: i64, most: u32) -> Result<u32, JournalFault> {
        let pruned = self.journal.prune(self.receipted, before_unix_ms, most);
        let pruned = pruned.and_then(|pruned| self.journal.commit().map(|()| pruned));
        self.settle(pruned)
    }

    /// A clean end: nothing beyond the last record was used.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn close(&mut self) -> Result<(), JournalFault> {
        self.commit()?;
        let next = self.chain.next_seq();
        self.journal.set_cursor(Cursor::Reserved, next)?;
        self.journal.commit()
    }

    /// Place of the next record, what is said and not yet durable counted.
    pub fn next_seq(&self) -> u64 {
        let said = self.pending.iter().filter(|pending| matches!(pending, Pending::Say(..))).count();
        self.chain.next_seq() + said as u64
    }

    /// The first place no receipt covers.
    pub fn first_unreceipted(&self) -> u64 {
        self.receipted
    }

    /// The chain as it stands.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The journal, for reading back.
    pub fn journal(&mut self) -> &mut dyn Journal {
        &mut *self.journal
    }

    /// The journal back, as its last commit left it: what the power being cut leaves of a scribe.
    pub fn into_journal(self) -> Box<dyn Journal> {
        let mut journal = self.journal;
        journal.take_back();
        journal
    }

    /// Keeps the outcome of a transaction, or takes back all of it.
    fn settle<T>(&mut self, written: Result<T, JournalFault>) -> Result<T, JournalFault> {
        if written.is_ok() {
            self.chain.settle();
        } else {
            self.journal.take_back();
            self.chain.take_back();
        }
        written
    }

    fn write_pending(&mut self) -> Result<(), JournalFault> {
        let end = self.next_seq();
        if end > self.reserved {
            self.reserve(end)?;
        }
        let Scribe { chain, journal, pending, .. } = self;
        let mut receipted = self.receipted;
        for said in pending.iter() {
            match said {
                Pending::Say(at, Body::Finding(Finding::Transition(step))) => {
                    let body = with_witnesses(&mut **journal, step)?;
                    journal.append(&chain.seal(at, &body).map_err(|_| JournalFault::Unwritable)?)?;
                }
                Pending::Say(at, body) => {
                    journal.append(&chain.seal(at, body).map_err(|_| JournalFault::Unwritable)?)?;
                }
                Pending::Receipt(received, bytes) => {
                    chain.on_receipt(received.hash);
                    journal.keep_receipt(&received.receipt, bytes)?;
                    receipted = receipted.max(received.receipt.upto.seq.saturating_add(1));
                    journal.set_cursor(Cursor::Receipted, receipted)?;
                }
                Pending::Accepted(seq) => journal.set_cursor(Cursor::Accepted, *seq)?,
            }
        }
        // Ahead of need, so that a place is rarely waited for; it is durable before it is used.
        let reserved = if end + RESERVE / 2 > self.reserved { end + RESERVE } else { self.reserved };
        if reserved != self.reserved {
            self.journal.set_cursor(Cursor::Reserved, reserved)?;
        }
        self.journal.commit()?;
        (self.reserved, self.receipted) = (reserved, receipted);
        Ok(())
    }

    fn write_rotation(&mut self, at: &Stamp, next: Box<dyn Signer>, pem: &str) -> Result<(), JournalFault> {
        if self.chain.next_seq() >= self.reserved {
            self.reserve(self.chain.next_seq() + 1)?;
        }
        let sealed = self.chain.rotate(at, next).map_err(|_| JournalFault::Unwritable)?;
        self.journal.append(&sealed)?;
        self.journal.keep_key(self.chain.key_epoch(), pem)?;
        self.journal.commit()
    }

    fn write_room(&mut self, at: &Stamp, why: GapWhy) -> Result<bool, JournalFault> {
        // A receipt that could not be written down yet is a receipt all the same.
        let covered = |pending: &Pending| match pending {
            Pending::Receipt(received, _) => received.receipt.upto.seq.saturating_add(1),
            Pending::Say(..) | Pending::Accepted(_) => 0,
        };
        let covered = self.pending.iter().map(covered).max().unwrap_or(0).max(self.receipted);
        let receipted = self.journal.prune(covered, i64::MAX, THIN_RECORDS)?;
        if receipted == 0 {
            let mut dropped = self.journal.thin(covered, THIN_RECORDS)?;
            if dropped.is_empty() {
                return Ok(false);
            }
            while !dropped.is_empty() {
                let later = dropped.split_off(dropped.len().min(MAX_DROPPED));
                let gap = Body::Gap(Gap { why, dropped: std::mem::replace(&mut dropped, later) });
                if self.chain.next_seq() >= self.reserved {
                    return Err(JournalFault::Full);
                }
                let sealed = self.chain.seal(at, &gap).map_err(|_| JournalFault::Unwritable)?;
                self.journal.append(&sealed)?;
            }
        }
        self.journal.commit()?;
        Ok(true)
    }

    /// Reserves [`RESERVE`] places from `next` on, in a commit of its own.
    fn reserve(&mut self, next: u64) -> Result<(), JournalFault> {
        let reserved = next.saturating_add(RESERVE);
        self.journal.set_cursor(Cursor::Reserved, reserved)?;
        self.journal.commit()?;
        self.reserved = reserved;
        Ok(())
    }

    /// Whether a receipt of this log shows that the journal was rolled back: the authority has what was never written
    /// here, what is written otherwise here, what this journal has skipped as never used, or a later key's word.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn is_rolled_back(&mut self, receipt: &Receipt) -> Result<bool, JournalFault> {
        let LogHead { log, seq, head } = receipt.upto;
        if self.chain.log() != log {
            return Ok(false);
        }
        if seq >= self.chain.next_seq() || receipt.key_epoch > self.chain.key_epoch() {
            return Ok(true);
        }
        let mut contradicted = false;
        self.journal.read(seq, Class::Routine, &mut |place, _class, bytes| {
            let Ok(next) = Signed::read(bytes) else { return false };
            // Pruned and thinned places have no record either, but no skip covers them.
            let skips = next.members().text("type") == Ok("skip")
                && next.members().fitting::<u64>("from_seq").is_ok_and(|from| from <= seq);
            contradicted = if place == seq { next.hash() != head } else { skips };
            false
        })?;
        Ok(contradicted)
    }
}

/// A step of an order with what the meters of its equipment said last: the scribe alone knows the hashes of records.
fn with_witnesses(journal: &mut dyn Journal, step: &Transition) -> Result<Body, JournalFault> {
    let mut step = step.clone();
    journal.newest(&mut |_seq, _class, bytes| {
        let Ok(said) = Signed::read(bytes) else { return true };
        let m = said.members();
        let is_state = m.text("type") == Ok("state") && m.text("asset") == Ok(step.asset.as_str());
        if is_state && !step.evidence.contains(&said.hash()) {
            step.evidence.push(said.hash());
        }
        step.evidence.len() < MAX_EVIDENCE
    })?;
    Ok(Body::Finding(Finding::Transition(step)))
}
