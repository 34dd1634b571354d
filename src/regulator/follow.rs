//! Follows every log that is heard of: keys, signatures, places. PURE file: no client, no socket, no clock.

use std::collections::BTreeMap;

use crate::{
    evidence::{
        Arrival, Head, KeyId, Keyring, LogId, PublicKey, Record, Refusal, head::Link, record::Unverified,
    },
    terms::GatewayId,
};

/// Bytes of messages kept while the key of their log is not known yet.
pub const MAX_HELD_BYTES: usize = 4 * 1024 * 1024;

/// Whether a record's place in its log is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It follows what is known.
    Proven,
    /// Its predecessors are not here yet; first and last missing place.
    Pending(u64, u64),
    /// A copy, or from before we joined.
    Aside,
}

/// What a message turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "passed once from hand to hand")]
pub enum Seen {
    /// A record whose signature holds.
    Record(Record, Place),
    /// The same record once more.
    Again,
    /// Two signed histories.
    Fork {
        /// Whose.
        gateway: GatewayId,
        /// At which place.
        seq: u64,
    },
    /// Bytes that are not believed.
    Refused(Refusal),
    /// A record of a log whose key is not known; it is kept until the key is.
    Held {
        /// Whose it claims to be.
        gateway: GatewayId,
        /// The key it names.
        key: KeyId,
    },
}

/// Everybody who is heard of.
#[derive(Debug, Default)]
pub struct Follower {
    keyring: Keyring,
    heads: BTreeMap<(GatewayId, LogId), Head>,
    /// Messages whose key is not known yet, and whether they came in the chain.
    held: Vec<(Vec<u8>, bool)>,
    held_bytes: usize,
}

impl Follower {
    /// A follower that believes these keys; without any it takes each log's own word for its key.
    pub fn new(trusted: &[PublicKey]) -> Follower {
        Follower { keyring: Keyring::new(trusted), ..Follower::default() }
    }

    /// Whether keys are taken on the logs' own word.
    pub fn is_self_anchored(&self) -> bool {
        self.keyring.is_self_anchored()
    }

    /// Messages that wait for a key.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes a message. `in_chain` says that it came on `attest`, where records travel in the order of their log.
    /// One message may release others that waited for its key; each is told with the bytes it came in.
    pub fn on_message(&mut self, bytes: &[u8], in_chain: bool, tell: &mut dyn FnMut(Seen, &[u8], bool)) {
        let unverified = match Unverified::read(bytes) {
            Ok(unverified) => unverified,
            Err(refusal) => return tell(Seen::Refused(refusal), bytes, in_chain),
        };
        let learnt = self.keyring.learn(&unverified);
        let (gateway, key) = (unverified.header().gateway, unverified.header().key_id);
        if self.is_self_anchored() && !self.keyring.knows(key) {
            if self.held_bytes + bytes.len() <= MAX_HELD_BYTES {
                self.held_bytes += bytes.len();
                self.held.push((bytes.to_vec(), in_chain));
            }
            return tell(Seen::Held { gateway, key }, bytes, in_chain);
        }
        tell(self.opened(unverified, in_chain), bytes, in_chain);
        if learnt {
            self.release(tell);
        }
    }

    fn release(&mut self, tell: &mut dyn FnMut(Seen, &[u8], bool)) {
        self.held_bytes = 0;
        for (bytes, in_chain) in std::mem::take(&mut self.held) {
            match Unverified::read(&bytes) {
                Ok(waiting) if self.keyring.knows(waiting.header().key_id) => {
                    tell(self.opened(waiting, in_chain), &bytes, in_chain);
                }
                Ok(_) => {
                    self.held_bytes += bytes.len();
                    self.held.push((bytes, in_chain));
                }
                Err(refusal) => tell(Seen::Refused(refusal), &bytes, in_chain),
            }
        }
    }

    fn opened(&mut self, unverified: Unverified, in_chain: bool) -> Seen {
        let record = match self.keyring.open(unverified) {
            Ok(record) => record,
            Err(refusal) => return Seen::Refused(refusal),
        };
        if !in_chain {
            return Seen::Record(record, Place::Aside);
        }
        let link = Link::of(&record);
        let key = (record.header.gateway, record.header.log);
        let head = self.heads.entry(key).or_insert_with(|| Head::joining(&link));
        match head.on_record(link) {
            Arrival::Advanced => Seen::Record(record, Place::Proven),
            Arrival::Duplicate => Seen::Again,
            Arrival::Forgotten => Seen::Record(record, Place::Aside),
            Arrival::Fork { seq, .. } => Seen::Fork { gateway: record.header.gateway, seq },
            Arrival::Orphan | Arrival::TooFarAhead => {
                let (from, to) = head.missing().unwrap_or((record.header.seq, record.header.seq));
                Seen::Record(record, Place::Pending(from, to))
            }
        }
    }
}
