//! Records in, kept and followed; receipts out. No socket: messages and time are arguments.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{Kept, Store};
use crate::{
    evidence::{
        Arrival, Body, Follower, Head, KeyId, Kind, LogHead, LogId, PublicKey, Receipt, Record, Sealer,
        Signer, Topic,
        follow::{Origin, Place, Seen},
        receipt::MAX_MISSING,
        record::Unverified,
    },
    host::exit::{Exit, Failure},
    terms::{
        Digest, GatewayId,
        place::{CreditCode, Division},
    },
};

/// Logs heard of before their genesis that are remembered.
pub const MAX_HEARSAY: usize = 100_000;

/// Places behind each head that are remembered at start: what a gateway's disk may lose and skip.
pub const RECALLED: u32 = 4_096;

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that were new and believed.
    pub records: u64,
    /// Messages seen before.
    pub again: u64,
    /// Messages that were not believed.
    pub refused: u64,
    /// Records of gateways that nobody admitted, or whose key is not certified yet.
    pub unknown: u64,
    /// Two signed histories of one log.
    pub forks: u64,
    /// Places that gateways have lost and that are kept here.
    pub lost: u64,
}

/// A receipt ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub topic: String,
    /// What.
    pub bytes: Vec<u8>,
}

/// Where a log comes from, as its genesis says.
#[derive(Clone, Copy, Debug)]
struct Origins {
    division: Division,
    enterprise: CreditCode,
    root: KeyId,
}

/// The authority's memory of every log.
pub struct Collector {
    store: Store,
    signer: Box<dyn Signer>,
    sealer: Sealer,
    follower: Follower,
    places: BTreeMap<(GatewayId, LogId), Origins>,
    /// The topics of logs whose genesis has not come yet: an unsigned hint, good enough to ask for it.
    hearsay: BTreeMap<(GatewayId, LogId), String>,
    /// Logs that must not be receipted any further.
    forked: BTreeSet<(GatewayId, LogId)>,
    /// Logs that have moved, or miss something, since their last receipt.
    due: BTreeSet<(GatewayId, LogId)>,
    version: i64,
    admitted: BTreeMap<GatewayId, PublicKey>,
    revoked: BTreeSet<KeyId>,
}

impl Collector {
    /// Goes on where the store ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: Store, signer: Box<dyn Signer>) -> Result<Collector, Failure> {
        let version = store.version()?;
        let mut collector = Collector {
            store,
            signer,
            sealer: Sealer::default(),
            follower: Follower::admitting(),
            places: BTreeMap::new(),
            hearsay: BTreeMap::new(),
            forked: BTreeSet::new(),
            due: BTreeSet::new(),
            version,
            admitted: BTreeMap::new(),
            revoked: BTreeSet::new(),
        };
        collector.admit()?;
        for kept in collector.store.heads()? {
            if !collector.revoked.contains(&kept.root) {
                collector.resume(&kept)?;
            }
        }
        Ok(collector)
    }

    /// The key that signs receipts.
    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    /// Takes messages that came on the gateways' topics and commits them. What is told here is durable.
    ///
    /// # Errors
    /// The store failed: nothing of the batch may be acknowledged.
    pub fn take(&mut self, messages: &[(String, Vec<u8>)], now_unix_ms: i64) -> Result<Tally, Failure> {
        self.store.begin()?;
        let (mut tally, mut moved) = (Tally::default(), BTreeSet::new());
        for (topic, bytes) in messages {
            if let Some(place) = self.known(bytes)? {
                tally.again += 1;
                // Whoever sends it again has not heard of its receipt.
                moved.insert(place);
                continue;
            }
            self.hear(topic, bytes);
            let mut seen_all = Vec::new();
            let origin = Origin { in_chain: true, number: 0 };
            self.follower
                .on_message(bytes, origin, &mut |seen, bytes, _| seen_all.push((seen, bytes.to_vec())));
            self.settle(seen_all, now_unix_ms, &mut tally, &mut moved)?;
        }
        self.keep_heads(&moved)?;
        self.store.commit()?;
        self.due.append(&mut moved);
        Ok(tally)
    }

    /// Admits whom somebody has admitted meanwhile, and looks again at what waited for that.
    ///
    /// # Errors
    /// The store failed.
    pub fn look_up(&mut self, now_unix_ms: i64) -> Result<Tally, Failure> {
        let (version, mut tally) = (self.store.version()?, Tally::default());
        if std::mem::replace(&mut self.version, version) == version {
            return Ok(tally);
        }
        self.admit()?;
        self.store.begin()?;
        let (mut seen_all, mut moved) = (Vec::new(), BTreeSet::new());
        self.follower.look_again(&mut |seen, bytes, _| seen_all.push((seen, bytes.to_vec())));
        self.settle(seen_all, now_unix_ms, &mut tally, &mut moved)?;
        self.keep_heads(&moved)?;
        self.store.commit()?;
        self.due.append(&mut moved);
        Ok(tally)
    }

    /// Every log is to be receipted anew: a broker may have lost what it kept.
    pub fn on_connected(&mut self) {
        self.due.extend(self.places.keys().copied());
    }

    /// Seals and keeps the receipts that are due, `nonce` giving 16 random bytes for each.
    ///
    /// # Errors
    /// The store failed.
    pub fn receipts(
        &mut self,
        now_unix_ms: i64,
        mut nonce: impl FnMut() -> Result<[u8; 16], Failure>,
    ) -> Result<Vec<Outgoing>, Failure> {
        let due = std::mem::take(&mut self.due);
        let mut outgoing = Vec::new();
        self.store.begin()?;
        for place in due {
            // All logs of a gateway share one topic: what stands there is about the log it speaks in now.
            let is_former = self.places.contains_key(&place)
                && self.speaks_in(place.0)?.is_some_and(|log| log != place.1);
            if is_former || self.forked.contains(&place) {
                continue;
            }
            outgoing.extend(self.receipt(place, now_unix_ms, nonce()?)?);
        }
        self.store.commit()?;
        Ok(outgoing)
    }

    /// The log of a gateway that last brought something; none before any genesis has come.
    fn speaks_in(&self, gateway: GatewayId) -> Result<Option<LogId>, Failure> {
        let mut newest: Option<Kept> = None;
        let logs = (gateway, LogId(0))..=(gateway, LogId(u64::MAX));
        for (_, log) in self.places.range(logs).map(|(place, _)| *place) {
            if let Some(kept) = self.kept(gateway, log)?
                && newest.is_none_or(|newest| newest.received_unix_ms <= kept.received_unix_ms)
            {
                newest = Some(kept);
            }
        }
        Ok(newest.map(|kept| kept.log))
    }

    fn receipt(
        &mut self,
        (gateway, log): (GatewayId, LogId),
        now_unix_ms: i64,
        nonce: [u8; 16],
    ) -> Result<Option<Outgoing>, Failure> {
        let Some(kept) = self.kept(gateway, log)? else {
            return self.request((gateway, log), now_unix_ms, nonce);
        };
        let Some((public_key, _)) = self.follower.keyring().epoch(gateway, log, kept.next_epoch) else {
            return Ok(None);
        };
        let receipt = Receipt {
            gateway,
            upto: LogHead { log, seq: kept.seq, head: kept.head },
            key_epoch: kept.next_epoch,
            public_key,
            received_unix_ms: now_unix_ms,
            nonce,
            missing: self.missing(gateway, log, Some(kept.seq)),
        };
        receipt
            .seal(&mut self.sealer, &*self.signer)
            .map_err(|why| Failure::new(Exit::Bug, format!("a receipt cannot be written: {why:?}")))?;
        self.store.keep_receipt(&kept, now_unix_ms, self.sealer.bytes())?;
        let topic = Topic {
            division: kept.division,
            enterprise: kept.enterprise,
            gateway,
            asset: None,
            kind: Kind::Receipt,
        };
        Ok(Some(Outgoing { topic: topic.to_string(), bytes: self.sealer.bytes().to_vec() }))
    }

    /// What is missing behind a head: before records that wait for their predecessors, and before those that wait for
    /// the rotation to their key.
    fn missing(&self, gateway: GatewayId, log: LogId, head: Option<u64>) -> Vec<(u64, u64)> {
        let next = head.map_or(0, |head| head + 1);
        let mut missing =
            self.follower.heads().get(&(gateway, log)).map_or_else(Vec::new, |head| head.holes(MAX_MISSING));
        let waits = |(bytes, _): (&[u8], Origin)| {
            let unverified = Unverified::read(bytes).ok()?;
            let header = unverified.header();
            ((header.gateway, header.log) == (gateway, log)).then_some(header.seq)
        };
        if missing.is_empty()
            && let Some(first) = self.follower.held().filter_map(waits).filter(|seq| *seq > next).min()
        {
            missing.push((next, first - 1));
        }
        missing
    }

    /// A receipt for nothing, that asks for a log's beginning.
    fn request(
        &mut self,
        (gateway, log): (GatewayId, LogId),
        now_unix_ms: i64,
        nonce: [u8; 16],
    ) -> Result<Option<Outgoing>, Failure> {
        let (Some(topic), Some(public_key)) =
            (self.hearsay.get(&(gateway, log)), self.admitted.get(&gateway).copied())
        else {
            return Ok(None);
        };
        let (upto, key_epoch) = (LogHead { log, seq: 0, head: Digest::ZERO }, 0);
        let missing = self.missing(gateway, log, None);
        let (topic, received_unix_ms) = (topic.clone(), now_unix_ms);
        let receipt = Receipt { gateway, upto, key_epoch, public_key, received_unix_ms, nonce, missing };
        receipt
            .seal(&mut self.sealer, &*self.signer)
            .map_err(|why| Failure::new(Exit::Bug, format!("a receipt cannot be written: {why:?}")))?;
        Ok(Some(Outgoing { topic, bytes: self.sealer.bytes().to_vec() }))
    }

    /// Remembers where a log is heard of before its genesis says where it belongs.
    fn hear(&mut self, topic: &str, bytes: &[u8]) {
        let Ok(unverified) = Unverified::read(bytes) else { return };
        let place = (unverified.header().gateway, unverified.header().log);
        let is_own = topic.split('/').nth(6) == Some(place.0.as_str());
        if is_own
            && !self.places.contains_key(&place)
            && self.hearsay.len() < MAX_HEARSAY
            && let Some(base) = topic.strip_suffix(Kind::Attest.word())
        {
            self.hearsay.insert(place, format!("{base}{}", Kind::Receipt.word()));
        }
    }

    fn admit(&mut self) -> Result<(), Failure> {
        for admitted in self.store.admitted()? {
            if admitted.revoked_unix_ms.is_some() {
                self.revoke(admitted.key.id());
            } else if self.admitted.insert(admitted.gateway, admitted.key) != Some(admitted.key) {
                self.follower.keyring_mut().admit(admitted.gateway, admitted.key);
            }
        }
        Ok(())
    }

    /// Believes a key no longer, nor any log that descends from it.
    fn revoke(&mut self, key: KeyId) {
        if !self.revoked.insert(key) {
            return;
        }
        self.follower.keyring_mut().revoke(key);
        let descends =
            |(place, origins): (&(GatewayId, LogId), &Origins)| (origins.root == key).then_some(*place);
        let gone: Vec<(GatewayId, LogId)> = self.places.iter().filter_map(descends).collect();
        for (gateway, log) in gone {
            self.follower.keyring_mut().forget(gateway, log);
            self.places.remove(&(gateway, log));
        }
    }

    fn resume(&mut self, kept: &Kept) -> Result<(), Failure> {
        let Kept { gateway, log, seq, head, next_epoch, .. } = *kept;
        for (epoch, from, key) in self.store.epochs(gateway, log)? {
            self.follower.keyring_mut().resume(gateway, log, epoch, key, from);
        }
        let mut resumed = Head::resuming(seq, head, next_epoch);
        for (place, hash) in self.store.hashes_to(gateway, log, seq, RECALLED)? {
            resumed.recall(place, hash);
        }
        self.follower.resume(gateway, log, resumed);
        let Kept { division, enterprise, root, .. } = *kept;
        self.places.insert((gateway, log), Origins { division, enterprise, root });
        if self.store.is_forked(gateway, log)? {
            self.forked.insert((gateway, log));
        }
        // What had arrived ahead of its turn waits again.
        for bytes in self.store.bytes_from(gateway, log, seq + 1)? {
            let origin = Origin { in_chain: true, number: 0 };
            self.follower.on_message(&bytes, origin, &mut |_, _, _| {});
        }
        Ok(())
    }

    /// The log of a record whose very bytes are kept already.
    fn known(&self, bytes: &[u8]) -> Result<Option<(GatewayId, LogId)>, Failure> {
        let Ok(unverified) = Unverified::read(bytes) else { return Ok(None) };
        let header = unverified.header();
        let kept = self.store.at(header.gateway, header.log, header.seq)?;
        let same = kept.is_some_and(|(hash, _)| hash == unverified.hash());
        Ok(same.then_some((header.gateway, header.log)))
    }

    fn settle(
        &mut self,
        seen_all: Vec<(Seen, Vec<u8>)>,
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<(GatewayId, LogId)>,
    ) -> Result<(), Failure> {
        for (seen, bytes) in seen_all {
            match seen {
                Seen::Record(record, place) => {
                    self.keep(&record, place, &bytes, now_unix_ms, tally)?;
                    moved.insert((record.header.gateway, record.header.log));
                }
                Seen::Fork { gateway, log, fork } => {
                    let place = if let Arrival::Fork { seq, .. } = fork { seq } else { 0 };
                    self.fork((gateway, log), place, &bytes, now_unix_ms, tally)?;
                }
                Seen::Again => tally.again += 1,
                Seen::Refused(refusal) => {
                    tally.refused += 1;
                    tracing::warn!(%refusal, "not believed");
                }
                Seen::Held { gateway, key } => {
                    tally.unknown += 1;
                    // If only what certifies its key is missing, it is asked for.
                    if let Ok(unverified) = Unverified::read(&bytes) {
                        moved.insert((gateway, unverified.header().log));
                    }
                    tracing::warn!(%gateway, %key, "waits: nobody has admitted this key, or what certifies it is missing");
                }
                Seen::NotHeld(key) => {
                    tally.unknown += 1;
                    tracing::warn!(%key, "let go: too many messages wait for their key");
                }
                Seen::Receipt(_) | Seen::StrangeReceipt => {}
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        record: &Record,
        place: Place,
        bytes: &[u8],
        now_unix_ms: i64,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let (gateway, log, seq) = (record.header.gateway, record.header.log, record.header.seq);
        // Behind what the head remembers the store still knows every place.
        if let Some((held, _)) = self.store.at(gateway, log, seq)?
            && held != record.hash
        {
            return self.fork((gateway, log), seq, bytes, now_unix_ms, tally);
        }
        match place {
            Place::TooFarAhead => return Ok(()),
            Place::Amnesia(from, to) => {
                tally.lost += to - from + 1;
                tracing::warn!(%gateway, %log, from, to, "the gateway has lost records that are kept here");
            }
            Place::Proven | Place::Pending(..) | Place::Aside | Place::Forgotten => {}
        }
        if let Body::Genesis(genesis) = &record.body {
            let before = genesis.continues.and_then(|head| self.places.get(&(gateway, head.log)));
            let root = before.map_or(genesis.public_key.id(), |before| before.root);
            let origins = Origins { division: genesis.division, enterprise: genesis.enterprise, root };
            self.places.insert((gateway, log), origins);
            self.hearsay.remove(&(gateway, log));
            self.store.keep_epoch((gateway, log), record.header.key_epoch, 0, &genesis.public_key)?;
        }
        if let Body::Rotation(rotation) = &record.body {
            self.store.keep_epoch((gateway, log), rotation.next_epoch, seq + 1, &rotation.public_key)?;
        }
        self.store.keep(record, bytes, now_unix_ms)?;
        tally.records += 1;
        Ok(())
    }

    fn fork(
        &mut self,
        place: (GatewayId, LogId),
        seq: u64,
        bytes: &[u8],
        now_unix_ms: i64,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        tally.forks += 1;
        let (gateway, log) = place;
        tracing::error!(%gateway, %log, seq, "FORK: two signed histories; both messages are kept as proof");
        self.forked.insert(place);
        self.store.keep_fork(place, seq, bytes, now_unix_ms)
    }

    fn keep_heads(&self, moved: &BTreeSet<(GatewayId, LogId)>) -> Result<(), Failure> {
        for (gateway, log) in moved {
            if let Some(kept) = self.kept(*gateway, *log)? {
                self.store.keep_head(&kept)?;
            }
        }
        Ok(())
    }

    /// How far a log is known, once its genesis is.
    fn kept(&self, gateway: GatewayId, log: LogId) -> Result<Option<Kept>, Failure> {
        let Some(origins) = self.places.get(&(gateway, log)).copied() else { return Ok(None) };
        let Origins { division, enterprise, root } = origins;
        let Some(known) = self.follower.heads().get(&(gateway, log)) else { return Ok(None) };
        let Some(((seq, head), next_epoch)) = known.head().zip(known.next_epoch()) else { return Ok(None) };
        let received_unix_ms = self.store.at(gateway, log, seq)?.map_or(0, |(_, received)| received);
        Ok(Some(Kept { gateway, log, division, enterprise, seq, head, received_unix_ms, next_epoch, root }))
    }
}
