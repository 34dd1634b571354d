//! Two signed histories of one log: kept as proofs, as many as prove anything.

use super::{Collector, Tally};
use crate::regulator::{
    remarks::Remark,
    store::{Answered, KeptFork, Log},
};

/// Proofs of a fork that are kept of one place; more of them prove no more and are counted only.
pub const FORKS_OF_ONE_PLACE: u64 = 16;
/// Proofs of forks that are kept of one log, at all its places.
pub const FORKS_OF_ONE_LOG: u64 = 256;

impl Collector {
    pub(super) fn fork(
        &mut self,
        log: Log,
        seq: u64,
        bytes: &[u8],
        now_unix_ms: i64,
        tally: &mut Tally,
    ) -> Answered<()> {
        tally.forks += 1;
        self.remarks.note(Remark::Fork(log.0, log.1), || format!("place {seq}"));
        self.forked.insert(log);
        let (mut of_log, mut of_place) = self.store.fork_counts(log, seq)?;
        for (_, fork) in self.batch.forks.iter().filter(|(of, _)| *of == log) {
            (of_log, of_place) = (of_log + 1, of_place + u64::from(fork.seq == seq));
        }
        let proves_more = of_place < FORKS_OF_ONE_PLACE && of_log < FORKS_OF_ONE_LOG;
        if proves_more && !self.has_proof(log, seq, bytes)? {
            self.signal_fork(log, of_log + 1, bytes, now_unix_ms);
            // What is held there the store looks up.
            let (held, shown) = (Vec::new(), bytes.to_vec());
            self.batch.forks.push((log, KeptFork { seq, held, shown, received_unix_ms: now_unix_ms }));
        }
        Ok(())
    }

    /// Whether this proof is kept already: whoever has two histories sends both again for as long as one has no receipt.
    fn has_proof(&mut self, log: Log, seq: u64, bytes: &[u8]) -> Answered<bool> {
        let is_it = |fork: &KeptFork| fork.seq == seq && fork.shown == bytes;
        let waits = self.batch.forks.iter().any(|(of, fork)| *of == log && is_it(fork));
        Ok(waits || self.store.forks(log)?.iter().any(is_it))
    }
}
