//! Who may speak for whom, and when: each key has one gateway, each epoch of a log one key, whoever brought the first.

use std::collections::BTreeMap;

use super::{
    body::Body,
    receipt::Receipt,
    record::{Header, LogId, Record, Refusal, Unverified},
    signed::Signed,
    suite::{KeyId, PublicKey},
};
use crate::terms::GatewayId;

/// Logs and first keys remembered at most; what comes later is refused as unknown.
pub const MAX_LOGS: usize = 100_000;
/// Logs of one gateway remembered at most, so that no gateway can use up the others' room.
pub const MAX_LOGS_OF_ONE: usize = 1_000;
/// Epochs of one log remembered at most: eleven years of hourly keys.
pub const MAX_EPOCHS: usize = 100_000;

/// A key and the places of a log it may sign.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    key: PublicKey,
    from: u64,
    to: u64,
}

/// The keys that are believed, and what they answer for.
#[derive(Debug, Default)]
pub struct Keyring {
    /// Keys somebody vouched for: gateways' first keys, and authorities' keys, whose receipts vouch for others.
    trusted: BTreeMap<KeyId, PublicKey>,
    gateways: BTreeMap<KeyId, GatewayId>,
    logs: BTreeMap<(GatewayId, LogId), BTreeMap<u32, Epoch>>,
    /// No genesis will come any more: a trusted key may speak without one.
    without_genesis: bool,
    /// Nobody is taken on his own word, even while no key is trusted yet.
    strict: bool,
}

impl Keyring {
    /// Believes these keys; without any it takes each log's own word for its key.
    pub fn new(trusted: &[PublicKey]) -> Keyring {
        Keyring { trusted: trusted.iter().map(|key| (key.id(), *key)).collect(), ..Keyring::default() }
    }

    /// Believes nobody but those who are admitted.
    pub fn admitting() -> Keyring {
        Keyring { strict: true, ..Keyring::default() }
    }

    /// Believes one key more, of this gateway only.
    pub fn admit(&mut self, gateway: GatewayId, key: PublicKey) {
        self.trusted.insert(key.id(), key);
        self.gateways.insert(key.id(), gateway);
    }

    /// Believes a key no longer, nor a log that begins with it. What was opened before stays opened.
    pub fn revoke(&mut self, id: KeyId) {
        self.trusted.remove(&id);
        self.logs.retain(|_, epochs| epochs.values().all(|epoch| epoch.key.id() != id));
    }

    /// Believes nothing more of a gateway, and knows none of its keys.
    pub fn turn_away(&mut self, gateway: GatewayId) {
        let gateways = &self.gateways;
        self.trusted.retain(|id, _| gateways.get(id) != Some(&gateway));
        self.gateways.retain(|_, known| *known != gateway);
        self.logs.retain(|(known, _), _| *known != gateway);
    }

    /// Believes nothing more of a log.
    pub fn forget(&mut self, gateway: GatewayId, log: LogId) {
        self.logs.remove(&(gateway, log));
    }

    /// Whether keys are taken on the logs' own word.
    pub fn is_self_anchored(&self) -> bool {
        self.trusted.is_empty() && !self.strict
    }

    /// Whether any key is known.
    pub fn is_empty(&self) -> bool {
        self.trusted.is_empty() && self.logs.is_empty()
    }

    /// Epochs known of a log.
    pub fn epochs(&self, gateway: GatewayId, log: LogId) -> usize {
        self.logs.get(&(gateway, log)).map_or(0, BTreeMap::len)
    }

    /// The key of the newest epoch of a log that is known, and its number.
    pub fn newest(&self, gateway: GatewayId, log: LogId) -> Option<(u32, PublicKey)> {
        let (epoch, Epoch { key, .. }) = self.logs.get(&(gateway, log))?.last_key_value()?;
        Some((*epoch, *key))
    }

    /// Goes on with a log whose key is known otherwise: from a store that kept it. It signs every place from `from`.
    pub fn resume(&mut self, gateway: GatewayId, log: LogId, epoch: u32, key: PublicKey, from: u64) {
        let epochs = self.logs.entry((gateway, log)).or_default();
        epochs.entry(epoch).or_insert(Epoch { key, from, to: u64::MAX });
        let before = epoch.checked_sub(1).and_then(|before| epochs.get_mut(&before));
        if let (Some(before), Some(last)) = (before, from.checked_sub(1)) {
            before.to = before.to.min(last);
        }
        self.gateways.entry(key.id()).or_insert(gateway);
    }

    /// The places an epoch of a log may sign begin here, and this is its key.
    pub fn epoch(&self, gateway: GatewayId, log: LogId, epoch: u32) -> Option<(PublicKey, u64)> {
        self.logs.get(&(gateway, log))?.get(&epoch).map(|epoch| (epoch.key, epoch.from))
    }

    /// Learns what a message declares about itself, where keys are taken on the logs' own word: a genesis its key, a
    /// rotation the key after it. True when that is new.
    pub fn learn(&mut self, unverified: &Unverified) -> bool {
        let header = unverified.header();
        let place = (header.gateway, header.log);
        // A log that is known speaks through its own keys.
        if !self.is_self_anchored() || self.logs.contains_key(&place) || !self.has_room(header.gateway) {
            return false;
        }
        match (unverified.declared_key(), unverified.announced_key()) {
            (Some(key), _) if *self.gateways.entry(key.id()).or_insert(place.0) != place.0 => return false,
            (Some(key), _) => self.resume(place.0, place.1, header.key_epoch, key, 0),
            // Whoever comes late has no other way in. Anybody can name anybody's key as the next, so that binds nobody.
            (None, Some(key)) => {
                let (epoch, from) = (header.key_epoch.saturating_add(1), header.seq.saturating_add(1));
                let epochs = self.logs.entry(place).or_default();
                epochs.insert(epoch, Epoch { key, from, to: u64::MAX });
            }
            (None, None) => return false,
        }
        true
    }

    /// Whether one more log of this gateway can be remembered.
    fn has_room(&self, gateway: GatewayId) -> bool {
        let its_logs = (gateway, LogId(0))..=(gateway, LogId(u64::MAX));
        self.logs.len() < MAX_LOGS
            && self.logs.range(its_logs).take(MAX_LOGS_OF_ONE).count() < MAX_LOGS_OF_ONE
    }

    /// Whether a log begins with a key that had been replaced in the log it continues.
    pub fn begins_with_replaced_key(&self, gateway: GatewayId, log: LogId, before: LogId) -> bool {
        let begins = self.logs.get(&(gateway, log)).and_then(BTreeMap::first_key_value);
        let newest = self.logs.get(&(gateway, before)).and_then(BTreeMap::last_key_value);
        begins.zip(newest).is_some_and(|((begins, _), (newest, _))| begins < newest)
    }

    /// Believes a receipt of a trusted key, and through it the key of the log it is about. True when that is new.
    ///
    /// # Errors
    /// Nobody vouches for the key that signed it, or it did not sign it.
    pub fn open_receipt(&mut self, signed: &Signed) -> Result<(Receipt, bool), Refusal> {
        let id = signed.key_id();
        let receipt = Receipt::open(signed, self.trusted.get(&id).ok_or(Refusal::UnknownKey(id))?)?;
        let place = (receipt.gateway, receipt.upto.log);
        let known = self.logs.get(&place).is_some_and(|epochs| epochs.contains_key(&receipt.key_epoch));
        // One that receipts nothing only asks; it knows no more of the log than its name.
        if !receipt.is_empty() && !known && (self.logs.contains_key(&place) || self.logs.len() < MAX_LOGS) {
            // Since when it signs, the receipt does not say; the rotation to it will.
            self.resume(place.0, place.1, receipt.key_epoch, receipt.public_key, 0);
        }
        Ok((receipt, !known))
    }

    /// No genesis will come any more: whatever a trusted key signed is taken on its word alone.
    pub fn do_without_genesis(&mut self) {
        self.without_genesis = true;
    }

    /// Whether any log of this gateway is known.
    pub fn speaks_of(&self, gateway: GatewayId) -> bool {
        let from = (gateway, LogId(0));
        self.logs.range(from..).next().is_some_and(|((known, _), _)| *known == gateway)
            || self.gateways.values().any(|known| *known == gateway)
    }

    /// A key that somebody vouched for.
    pub fn trusted(&self, id: KeyId) -> Option<&PublicKey> {
        self.trusted.get(&id)
    }

    /// Whether somebody vouched for this key.
    pub fn trusts(&self, id: KeyId) -> bool {
        self.trusted.contains_key(&id)
    }

    /// Whether the key a record names can never become its log's: another one holds its epoch.
    pub fn contradicts(&self, unverified: &Unverified) -> bool {
        let header = unverified.header();
        let epochs = self.logs.get(&(header.gateway, header.log));
        epochs
            .and_then(|epochs| epochs.get(&header.key_epoch))
            .is_some_and(|epoch| epoch.key.id() != header.key_id)
    }

    /// Whether looking again at a record that waits could change anything, judged by its header alone.
    pub(super) fn may_know(&self, header: &Header, is_genesis: bool) -> bool {
        match self.logs.get(&(header.gateway, header.log)) {
            Some(epochs) if epochs.contains_key(&header.key_epoch) => true,
            Some(_) | None => is_genesis || self.trusted.contains_key(&header.key_id),
        }
    }

    /// Whether the key a record names is known.
    pub fn knows(&self, unverified: &Unverified) -> bool {
        self.key(unverified).is_some()
    }

    /// Believes a record, if the key it names is known, signed it, and answers for this place of this log. A rotation
    /// that is believed makes the next key known.
    ///
    /// # Errors
    /// Why not.
    pub fn open(&mut self, unverified: Unverified) -> Result<Record, Refusal> {
        let (record, key) = self.check(unverified)?;
        self.note(&record, key);
        Ok(record)
    }

    /// Believes a record as [`Keyring::open`] does, but learns nothing from it; tells the key that signed it.
    pub(super) fn check(&self, unverified: Unverified) -> Result<(Record, PublicKey), Refusal> {
        let key = self.key(&unverified).ok_or_else(|| self.refusal(&unverified))?;
        let record = unverified.verify(&key)?;
        let Header { gateway, log, key_id: id, key_epoch, seq, .. } = record.header;
        match self.logs.get(&(gateway, log)).and_then(|epochs| epochs.get(&key_epoch)) {
            Some(epoch) if !(epoch.from..=epoch.to).contains(&seq) => {
                return Err(Refusal::WrongEpoch(key_epoch));
            }
            Some(_) => {}
            // A key that begins a log is its gateway's own; later ones are their log's.
            None if self.gateways.get(&id).is_some_and(|known| *known != gateway) => {
                return Err(Refusal::StrangeKey(id));
            }
            None if !self.logs.contains_key(&(gateway, log)) && !self.has_room(gateway) => {
                return Err(Refusal::UnknownKey(id));
            }
            None => {}
        }
        Ok((record, key))
    }

    /// Learns from a record that is believed which key speaks for its log, and which is the next.
    pub(super) fn note(&mut self, record: &Record, key: PublicKey) {
        let Header { gateway, log, key_id, key_epoch, seq, .. } = record.header;
        let epochs = self.logs.entry((gateway, log)).or_default();
        if !epochs.contains_key(&key_epoch) {
            self.gateways.entry(key_id).or_insert(gateway);
        }
        let first = Epoch { key, from: 0, to: u64::MAX };
        let epoch = epochs.entry(key_epoch).or_insert(first);
        let Body::Rotation(rotation) = &record.body else { return };
        epoch.to = epoch.to.min(seq);
        if epochs.len() < MAX_EPOCHS {
            let from = seq.saturating_add(1);
            let next = Epoch { key: rotation.public_key, from, to: u64::MAX };
            let known = epochs.entry(rotation.next_epoch).or_insert(next);
            if known.key == rotation.public_key {
                known.from = from;
            }
        }
    }

    /// Every key that begins a log must be vouched for; every later one is its log's.
    fn key(&self, unverified: &Unverified) -> Option<PublicKey> {
        let header = unverified.header();
        let epochs = self.logs.get(&(header.gateway, header.log));
        // A log may be known by a receipt of its middle, and its beginning come later.
        let Some(Epoch { key, .. }) = epochs.and_then(|epochs| epochs.get(&header.key_epoch)) else {
            return self.beginning(unverified);
        };
        (key.id() == header.key_id).then_some(*key)
    }

    /// The key of a log not heard of before: one that is trusted, or one of the log that it says it continues.
    fn beginning(&self, unverified: &Unverified) -> Option<PublicKey> {
        let header = unverified.header();
        if let Some(key) = self.trusted.get(&header.key_id) {
            // A first key is of epoch 0. With several, only its own genesis shows which of the logs is whose.
            let whose = self.trusted.len() == 1
                || self.without_genesis
                || unverified.declared_key() == Some(*key)
                || self.gateways.get(&header.key_id) == Some(&header.gateway);
            return (header.key_epoch == 0 && whose).then_some(*key);
        }
        let before = (header.gateway, unverified.continues()?.log);
        let epoch = self.logs.get(&before)?.get(&header.key_epoch)?;
        (epoch.key.id() == header.key_id).then_some(epoch.key)
    }

    fn refusal(&self, unverified: &Unverified) -> Refusal {
        let id = unverified.header().key_id;
        if self.contradicts(unverified) { Refusal::StrangeKey(id) } else { Refusal::UnknownKey(id) }
    }
}
