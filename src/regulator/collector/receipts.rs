//! Receipts: what has arrived, and what is asked for again.

use std::collections::{BTreeMap, BTreeSet};

use super::Collector;
use crate::{
    evidence::{Kind, LogHead, LogId, Receipt, Topic, receipt::MAX_MISSING},
    host::exit::{Exit, Failure},
    regulator::store::{Answered, Kept, KeptReceipt, Log, StoreFault},
    terms::{Digest, GatewayId},
};

/// Logs receipted at once: what is due beyond waits for the next round.
pub const RECEIPTS_AT_ONCE: usize = 512;

/// What a receipt says, but for its time.
pub(super) type Said = (LogHead, u32, Vec<(u64, u64)>);

/// A receipt ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub topic: String,
    /// What.
    pub bytes: Vec<u8>,
}

impl Collector {
    /// Seals receipts that are due, at most [`RECEIPTS_AT_ONCE`], `nonce` giving 16 random bytes for each. One that says
    /// something new is kept.
    ///
    /// # Errors
    /// The store failed; they stay due.
    pub fn receipts(
        &mut self,
        now_unix_ms: i64,
        nonce: impl FnMut() -> Result<[u8; 16], Failure>,
    ) -> Answered<Vec<Outgoing>> {
        self.receipts_within(RECEIPTS_AT_ONCE, now_unix_ms, nonce)
    }

    /// As [`Collector::receipts`], at most `most`: the others stay due.
    ///
    /// # Errors
    /// The store failed; all stay due.
    pub fn receipts_within(
        &mut self,
        most: usize,
        now_unix_ms: i64,
        mut nonce: impl FnMut() -> Result<[u8; 16], Failure>,
    ) -> Answered<Vec<Outgoing>> {
        self.ask_again(now_unix_ms);
        let due: BTreeSet<Log> = self.due.iter().take(most.min(RECEIPTS_AT_ONCE)).copied().collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut outgoing = Vec::new();
        self.until_kept(now_unix_ms, |collector, tally, moved| {
            outgoing.clear();
            collector.begin(&due, now_unix_ms, tally, moved)?;
            let speaking = collector.speaking(&due)?;
            for log in &due {
                // All logs of a gateway share one topic: what stands there is about the log it speaks in now.
                let is_former = collector.places.contains_key(log)
                    && speaking.get(&log.0).is_some_and(|speaks_in| *speaks_in != log.1);
                if !is_former && !collector.forked.contains(log) {
                    outgoing.extend(collector.receipt(
                        *log,
                        now_unix_ms,
                        nonce().map_err(StoreFault::Failed)?,
                    )?);
                }
            }
            Ok(())
        })?;
        self.due.retain(|log| !due.contains(log));
        Ok(outgoing)
    }

    /// The log that each gateway last brought something in; none before any genesis has come.
    fn speaking(&mut self, due: &BTreeSet<Log>) -> Answered<BTreeMap<GatewayId, LogId>> {
        let gateways: BTreeSet<GatewayId> = due.iter().map(|(gateway, _)| *gateway).collect();
        let mut heads = self.store.heads(Some(&gateways))?;
        heads.retain(|kept| !self.revoked.contains(&kept.root));
        heads.sort_by_key(|kept| (kept.received_unix_ms, kept.log));
        Ok(heads.into_iter().map(|kept| (kept.gateway, kept.log)).collect())
    }

    fn receipt(&mut self, log: Log, now_unix_ms: i64, nonce: [u8; 16]) -> Answered<Option<Outgoing>> {
        let Some(kept) = self.known(log)? else {
            return self.request(log, now_unix_ms, nonce);
        };
        let (gateway, log_id) = log;
        let Some((public_key, _)) = self.follower.keyring().epoch(gateway, log_id, kept.next_epoch) else {
            return Ok(None);
        };
        let receipt = Receipt {
            gateway,
            upto: LogHead { log: log_id, seq: kept.seq, head: kept.head },
            key_epoch: kept.next_epoch,
            public_key,
            received_unix_ms: now_unix_ms,
            nonce,
            missing: self.missing(log, Some(kept.seq)),
        };
        let bytes = self.sealed(&receipt)?;
        self.asked(log, &receipt.missing, now_unix_ms);
        let (seq, given_unix_ms) = (kept.seq, now_unix_ms);
        // Whoever sends an old record again hears its receipt again, and fills no store with it.
        let said = (receipt.upto, receipt.key_epoch, receipt.missing);
        if self.given.get(&log) != Some(&said) {
            self.batch.receipts.push((log, KeptReceipt { seq, given_unix_ms, bytes: bytes.clone() }));
            self.saying.insert(log, said);
        }
        let Kept { division, enterprise, .. } = kept;
        let topic = Topic { division, enterprise, gateway, asset: None, kind: Kind::Receipt };
        Ok(Some(Outgoing { topic: topic.to_string(), bytes }))
    }

    fn sealed(&mut self, receipt: &Receipt) -> Answered<Vec<u8>> {
        let sealed = receipt.seal(&mut self.sealer, &*self.signer);
        sealed.map_err(|why| {
            StoreFault::Failed(Failure::new(Exit::Bug, format!("a receipt cannot be written: {why:?}")))
        })?;
        Ok(self.sealer.bytes().to_vec())
    }

    /// What is missing behind a head, by records that are believed. Where only such wait as nobody can open, the next
    /// place is asked for, and no more: which key signs what follows is told there, and what those that wait say of
    /// their own places is anybody's word.
    fn missing(&self, log: Log, head: Option<u64>) -> Vec<(u64, u64)> {
        let missing = self.follower.heads().get(&log).map_or_else(Vec::new, |head| head.holes(MAX_MISSING));
        let next = head.map_or(0, |head| head + 1);
        if missing.is_empty() && self.follower.waits_behind(log.0, log.1, next) {
            return vec![(next, next)];
        }
        missing
    }

    /// A receipt for nothing, that asks for a log's beginning.
    fn request(&mut self, log: Log, now_unix_ms: i64, nonce: [u8; 16]) -> Answered<Option<Outgoing>> {
        let (gateway, log_id) = log;
        // A log that something is kept of was receipted; that word stands retained, and is not taken back.
        let heads = self.store.heads(Some(&BTreeSet::from([gateway])))?;
        if heads.iter().any(|kept| kept.log == log_id) {
            return Ok(None);
        }
        let (Some(topic), Some(public_key)) =
            (self.hearsay.get(&log).cloned(), self.admitted.get(&gateway).copied())
        else {
            return Ok(None);
        };
        let (upto, key_epoch) = (LogHead { log: log_id, seq: 0, head: Digest::ZERO }, 0);
        let (missing, received_unix_ms) = (self.missing(log, None), now_unix_ms);
        self.asked(log, &missing, now_unix_ms);
        let receipt = Receipt { gateway, upto, key_epoch, public_key, received_unix_ms, nonce, missing };
        Ok(Some(Outgoing { topic, bytes: self.sealed(&receipt)? }))
    }
}
