//! Follows every log that is heard of: keys, signatures, places. PURE file: no client, no socket, no clock.

use std::collections::BTreeMap;

use crate::{
    evidence::{Arrival, Head, KeyId, LogId, PublicKey, Record, Refusal, head::Link, record::Unverified},
    terms::GatewayId,
};

/// Messages kept while the key of their log is not known yet.
pub const MAX_HELD: usize = 1_024;

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

#[derive(Debug, Default)]
struct Log {
    head: Option<Head>,
}

/// Everybody who is heard of.
#[derive(Debug, Default)]
pub struct Follower {
    trusted: BTreeMap<KeyId, PublicKey>,
    /// Keys logs declared themselves, first come; used only while nobody brought a key.
    declared: BTreeMap<KeyId, PublicKey>,
    logs: BTreeMap<(GatewayId, LogId), Log>,
    held: Vec<(Unverified, bool)>,
}

impl Follower {
    /// A follower that believes these keys; without any it takes each log's own word for its key.
    pub fn new(trusted: &[PublicKey]) -> Follower {
        Follower { trusted: trusted.iter().map(|key| (key.id(), *key)).collect(), ..Follower::default() }
    }

    /// Whether keys are taken on the logs' own word.
    pub fn is_self_anchored(&self) -> bool {
        self.trusted.is_empty()
    }

    /// Messages that wait for a key.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes a message. `in_chain` says that it came on `attest`, where records travel in the order of their log.
    /// One message may release others that waited for its key.
    pub fn on_message(&mut self, bytes: &[u8], in_chain: bool, tell: &mut dyn FnMut(Seen)) {
        let unverified = match Unverified::read(bytes) {
            Ok(unverified) => unverified,
            Err(refusal) => return tell(Seen::Refused(refusal)),
        };
        let learnt = self.learn(&unverified);
        let Some(key) = self.key(&unverified) else {
            let header = unverified.header();
            tell(self.unknown(header.gateway, header.key_id));
            if self.trusted.is_empty() && self.held.len() < MAX_HELD {
                self.held.push((unverified, in_chain));
            }
            return;
        };
        tell(self.verified(unverified, &key, in_chain));
        if learnt {
            for (waiting, in_chain) in std::mem::take(&mut self.held) {
                match self.key(&waiting) {
                    Some(key) => tell(self.verified(waiting, &key, in_chain)),
                    None => self.held.push((waiting, in_chain)),
                }
            }
        }
    }

    fn learn(&mut self, unverified: &Unverified) -> bool {
        let key = unverified.declared_key().filter(|_| self.trusted.is_empty());
        key.is_some_and(|key| self.declared.insert(key.id(), key).is_none())
    }

    fn key(&self, unverified: &Unverified) -> Option<PublicKey> {
        let id = unverified.header().key_id;
        if self.trusted.is_empty() { self.declared.get(&id).copied() } else { self.trusted.get(&id).copied() }
    }

    fn unknown(&self, gateway: GatewayId, key: KeyId) -> Seen {
        if self.trusted.is_empty() {
            Seen::Held { gateway, key }
        } else {
            Seen::Refused(Refusal::UnknownKey(key))
        }
    }

    fn verified(&mut self, unverified: Unverified, key: &PublicKey, in_chain: bool) -> Seen {
        let record = match unverified.verify(key) {
            Ok(record) => record,
            Err(refusal) => return Seen::Refused(refusal),
        };
        if !in_chain {
            return Seen::Record(record, Place::Aside);
        }
        let link = Link::of(&record);
        let log = self.logs.entry((record.header.gateway, record.header.log)).or_default();
        let head = log.head.get_or_insert_with(|| Head::joining(&link));
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
