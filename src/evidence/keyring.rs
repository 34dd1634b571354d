//! Who may speak for whom: each log has one key, each key one gateway, whoever brought the key.

use std::collections::BTreeMap;

use super::{
    record::{LogId, Record, Refusal, Unverified},
    suite::{KeyId, PublicKey},
};
use crate::terms::GatewayId;

/// Keys and logs remembered at most; what comes later is refused as unknown.
pub const MAX_KEYS: usize = 100_000;

/// The keys that are believed, and what they have been seen to answer for.
#[derive(Debug, Default)]
pub struct Keyring {
    trusted: BTreeMap<KeyId, PublicKey>,
    /// Keys that logs declared themselves, used only while nobody brought a key.
    declared: BTreeMap<KeyId, PublicKey>,
    gateways: BTreeMap<KeyId, GatewayId>,
    logs: BTreeMap<(GatewayId, LogId), KeyId>,
}

impl Keyring {
    /// Believes these keys; without any it takes each log's own word for its key.
    pub fn new(trusted: &[PublicKey]) -> Keyring {
        Keyring { trusted: trusted.iter().map(|key| (key.id(), *key)).collect(), ..Keyring::default() }
    }

    /// Whether keys are taken on the logs' own word.
    pub fn is_self_anchored(&self) -> bool {
        self.trusted.is_empty()
    }

    /// Whether any key is known.
    pub fn is_empty(&self) -> bool {
        self.trusted.is_empty() && self.declared.is_empty()
    }

    /// Learns what a genesis declares about itself: its key, which gateway the key speaks for, and that the log is
    /// its own. True when the key is new.
    pub fn learn(&mut self, unverified: &Unverified) -> bool {
        let Some(key) = unverified.declared_key() else { return false };
        let (id, header) = (key.id(), unverified.header());
        let known = self.trusted.contains_key(&id);
        if (!self.is_self_anchored() && !known) || self.gateways.len() >= MAX_KEYS {
            return false;
        }
        self.gateways.entry(id).or_insert(header.gateway);
        if self.gateways.get(&id) == Some(&header.gateway) {
            self.logs.entry((header.gateway, header.log)).or_insert(id);
        }
        self.is_self_anchored() && self.declared.insert(id, key).is_none()
    }

    /// Whether the key a record names is known.
    pub fn knows(&self, id: KeyId) -> bool {
        self.key(id).is_some()
    }

    /// Believes a record, if the key it names is known, signed it, and answers for this gateway and log.
    ///
    /// # Errors
    /// Why not.
    pub fn open(&mut self, unverified: Unverified) -> Result<Record, Refusal> {
        let id = unverified.header().key_id;
        let record = unverified.verify(&self.key(id).ok_or(Refusal::UnknownKey(id))?)?;
        let (gateway, log) = (record.header.gateway, record.header.log);
        if self.logs.len() >= MAX_KEYS && !self.logs.contains_key(&(gateway, log)) {
            return Err(Refusal::UnknownKey(id));
        }
        let speaks_for = *self.gateways.entry(id).or_insert(gateway);
        let answers = *self.logs.entry((gateway, log)).or_insert(id);
        if speaks_for == gateway && answers == id { Ok(record) } else { Err(Refusal::StrangeKey(id)) }
    }

    fn key(&self, id: KeyId) -> Option<PublicKey> {
        if self.is_self_anchored() { self.declared.get(&id).copied() } else { self.trusted.get(&id).copied() }
    }
}
