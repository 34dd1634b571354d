//! Verifies a store from the bytes in it, as if nobody had ever looked: every signature, every chain, every receipt, every
//! proof of a fork, every head of heads; and whether what screens are shown is what records say. Believes the keys that were
//! admitted, and the authority's own.

mod desk;
mod hands;
mod index;
mod known;
mod mentioned;
mod pruned;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

pub use self::index::{Index, MOST_ASSETS};
use self::{desk::Latches, index::Equipment, known::Known, mentioned::Mentioned};
use super::{
    alarms::ending,
    store::{
        Answered, FINDINGS_AT_ONCE, Kept, KeptFinding, KeptFork, KeptRecord, Log, Pruned, Store, StoreFault,
    },
    sums::{Adding, Mark},
};
use crate::{
    evidence::{
        Arrival, Body, Head, LogId, PublicKey, Receipt, Signed,
        heads::{Heads, Listed, root_of},
        record::Unverified,
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, time::DAY_MS},
};

/// What is wrong is told for so many places; the others are counted.
pub const MOST_TOLD: u32 = 100;
/// Records read at once.
const PAGE: u32 = 1_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Keys admitted, revoked ones included.
    pub gateways: u64,
    /// Logs.
    pub logs: u64,
    /// Records whose signatures hold.
    pub records: u64,
    /// Logs whose older records were pruned.
    pub pruned: u64,
    /// Logs in which records wait for what is missing before them.
    pub waiting: u64,
    /// Proofs of forks of which both halves are signed.
    pub forks: u64,
    /// Receipts of the authority that name what is kept.
    pub receipts: u64,
    /// Findings of which both records are kept as they came.
    pub findings: u64,
    /// Heads of heads that follow one another and name what is kept.
    pub heads: u64,
    /// Steps of the desk's own log that follow one another and lead to the alarms that are kept.
    pub alarm_steps: u64,
    /// What of the screens' index is as records say.
    pub index: Index,
    /// Acts in logs that the authority did not sign.
    pub foreign_acts: u64,
    /// The first so many of them as [`MOST_TOLD`], each with its place.
    pub foreign: Vec<String>,
    /// Sums of days that are what the verdicts of the day come to.
    pub sums: u64,
    /// What was pruned, when, and by which rule, for so many logs as [`MOST_TOLD`].
    pub prunings: Vec<String>,
    /// What does not hold, each with its place.
    pub wrong: Vec<String>,
    /// How many of them there are.
    pub wrongs: u64,
}

impl Inspection {
    fn accuse(&mut self, what: String) {
        self.wrongs += 1;
        if self.wrong.len() < MOST_TOLD as usize {
            self.wrong.push(what);
        }
    }

    fn accuse_index(&mut self, wrong: Vec<String>) {
        self.index.wrongs += wrong.len() as u64;
        wrong.into_iter().for_each(|what| self.accuse(format!("the screens' index: {what}")));
    }
}

/// Verifies everything. `published` are heads of heads that somebody else has kept: each must be ours to the byte. Nothing
/// may have been pruned that had arrived within `keep_days` before, nor at a time after `now_unix_ms`.
///
/// # Errors
/// The store cannot be read.
pub fn inspect(
    store: &mut dyn Store,
    authority: &PublicKey,
    published: &[Vec<u8>],
    (keep_days, now_unix_ms): (u32, i64),
) -> Answered<Inspection> {
    let mentioned = Mentioned::begin().map_err(StoreFault::Failed)?;
    store.snapshot()?;
    let (found, keys) = (Inspection::default(), BTreeMap::new());
    let inspector = Inspector {
        store,
        authority,
        found,
        keys,
        keep_days,
        now_unix_ms,
        young: BTreeSet::new(),
        listed_unix_ms: None,
        equipment: None,
        summed: None,
        adding: BTreeMap::new(),
        latches: Latches::default(),
        known: Known::default(),
        mentioned,
    };
    let inspected = inspector.everything(published);
    store.abandon();
    inspected
}

/// Keys of a gateway's logs by log and epoch.
type Keys = BTreeMap<(LogId, u32), PublicKey>;

struct Inspector<'a> {
    store: &'a mut dyn Store,
    authority: &'a PublicKey,
    found: Inspection,
    keys: Keys,
    keep_days: u32,
    now_unix_ms: i64,
    /// Logs of which something was pruned too soon, as has been told.
    young: BTreeSet<Log>,
    /// When the list before was made.
    listed_unix_ms: Option<i64>,
    /// What the records of the gateway say that are read; none while the index is not whole.
    equipment: Option<Equipment>,
    /// Up to where the verdicts of the log at hand are said to be added up, and what they come to.
    summed: Option<u64>,
    adding: BTreeMap<AssetId, Adding>,
    latches: Latches,
    /// What the records of the log at hand say of it, and mention.
    known: Known,
    mentioned: Mentioned,
}

impl Inspector<'_> {
    fn everything(mut self, published: &[Vec<u8>]) -> Answered<Inspection> {
        self.latches = Latches::of(ending::all(self.store)?);
        let mut admitted: BTreeMap<GatewayId, Vec<PublicKey>> = BTreeMap::new();
        for gateway in self.store.admitted()? {
            self.found.gateways += 1;
            admitted.entry(gateway.gateway).or_default().push(gateway.key);
        }
        let heads: BTreeMap<Log, Kept> =
            self.store.heads(None)?.into_iter().map(|kept| ((kept.gateway, kept.log), kept)).collect();
        let mut of_gateway: BTreeMap<GatewayId, Vec<(i64, LogId)>> = BTreeMap::new();
        for (gateway, log) in self.store.logs()? {
            let first = self.store.records_from((gateway, log), 0, 1)?;
            let began = first.first().map_or(i64::MAX, |(_, record)| record.received_unix_ms);
            of_gateway.entry(gateway).or_default().push((began, log));
        }
        self.found.index.reading = self.store.unindexed_logs()?;
        for (gateway, mut logs) in of_gateway {
            self.latches.begin(gateway);
            // A log that continues another begins with a key of that one.
            logs.sort_unstable();
            self.keys.clear();
            let foreign = self.store.foreign_acts(Some(&[gateway].into()))?;
            self.foreign(&foreign)?;
            self.equipment = self.found.index.reading.is_none().then(|| Equipment::beside(foreign));
            let trusted = admitted.get(&gateway).map_or(&[][..], Vec::as_slice);
            for (_, log) in logs {
                self.log((gateway, log), trusted, heads.get(&(gateway, log)))?;
            }
            if let Some(equipment) = self.equipment.take() {
                let wrong = equipment.end(self.store, gateway, &self.latches, &mut self.found.index)?;
                self.found.accuse_index(wrong);
            }
            self.latches.end(gateway);
        }
        let strangers = index::strangers(self.store, &self.found.index)?;
        self.found.accuse_index(strangers);
        self.findings()?;
        self.days(published)?;
        self.alarms()?;
        Ok(self.found)
    }

    fn log(&mut self, log: Log, trusted: &[PublicKey], kept: Option<&Kept>) -> Answered<()> {
        self.found.logs += 1;
        let pruned = self.store.pruned(log)?;
        if let Some(pruned) = pruned {
            self.pruned(log, pruned)?;
        }
        if let Some(equipment) = &mut self.equipment {
            equipment.log(log.1, pruned.map(|pruned| pruned.seq), kept);
        }
        (self.summed, self.adding) = (self.store.summed(log)?, BTreeMap::new());
        let mut head = Head::default();
        let mut from = Some(0);
        let mut resumed = false;
        while let Some(first) = from.take() {
            for (seq, record) in self.store.records_from(log, first, PAGE)? {
                from = seq.checked_add(1);
                if let Some(Pruned { seq: upto, hash, next_epoch, .. }) = pruned
                    && seq > upto
                    && !std::mem::replace(&mut resumed, true)
                {
                    head = Head::resuming(upto, hash, next_epoch);
                }
                self.record(log, seq, &record, trusted, pruned, &mut head);
            }
            if let Some(equipment) = &mut self.equipment {
                let wrong = equipment.page(self.store, log)?;
                self.found.accuse_index(wrong);
            }
        }
        self.found.waiting += u64::from(head.waiting() > 0);
        self.known(log, &head, kept)?;
        self.sums(log, kept)?;
        self.forks(log)?;
        self.mentions(log)?;
        self.receipts(log, pruned)
    }

    fn record(
        &mut self,
        log: Log,
        seq: u64,
        record: &KeptRecord,
        trusted: &[PublicKey],
        pruned: Option<Pruned>,
        head: &mut Head,
    ) {
        let (gateway, id) = log;
        let believed = self.believed(log, seq, record, trusted);
        match believed {
            Err(why) => self.found.accuse(format!("{gateway} {id} {seq}: {why}")),
            Ok(believed) => {
                self.found.records += 1;
                self.known.on(&believed);
                self.mentioned.on(&believed, record.received_unix_ms);
                if let Some(equipment) = &mut self.equipment {
                    equipment.on(&believed, record.received_unix_ms);
                }
                let is_summed = self.summed.is_some_and(|upto| seq <= upto);
                if let Some((asset, mark)) =
                    Mark::of(&believed, record.received_unix_ms).filter(|_| is_summed)
                {
                    self.adding.entry(asset).or_default().add(mark, &|_| true);
                }
                if let Body::Rotation(rotation) = &believed.body {
                    self.keys.insert((id, rotation.next_epoch), rotation.public_key);
                }
                if pruned.is_some_and(|pruned| seq <= pruned.seq) {
                    return;
                }
                self.latches.on(&believed, record.received_unix_ms);
                let arrival = head.take(&believed);
                if matches!(arrival, Arrival::Fork { .. } | Arrival::WrongEpoch) {
                    self.found.accuse(format!("{gateway} {id} {seq}: does not follow: {arrival:?}"));
                }
            }
        }
    }

    /// The record in these bytes, if its key signed it and it is the one that the store says it is.
    fn believed(
        &mut self,
        (gateway, log): Log,
        seq: u64,
        kept: &KeptRecord,
        trusted: &[PublicKey],
    ) -> Result<crate::evidence::Record, String> {
        let unverified = Unverified::read(&kept.bytes).map_err(|why| why.to_string())?;
        let header = *unverified.header();
        if (header.gateway, header.log, header.seq) != (gateway, log, seq) {
            return Err("the bytes are those of another place".to_owned());
        }
        if unverified.hash() != kept.hash {
            return Err("the hash that is kept is another".to_owned());
        }
        let known = self.keys.get(&(log, header.key_epoch)).copied();
        let key = known.or_else(|| {
            let first = trusted.iter().find(|key| key.id() == header.key_id && header.key_epoch == 0);
            let before =
                || unverified.continues().and_then(|head| self.keys.get(&(head.log, header.key_epoch)));
            first.or_else(before).copied()
        });
        let Some(key) = key else {
            return Err(format!("nobody vouches for its key {}", header.key_id));
        };
        let record = unverified.verify(&key).map_err(|why| why.to_string())?;
        self.keys.insert((log, header.key_epoch), key);
        let said = KeptRecord::of(&record, &kept.bytes, kept.received_unix_ms);
        if said != *kept {
            return Err("its kind, equipment or time are kept otherwise than it says".to_owned());
        }
        Ok(record)
    }

    fn forks(&mut self, log: Log) -> Answered<()> {
        let (gateway, id) = log;
        for KeptFork { seq, held, shown, .. } in self.store.forks(log)? {
            let signed = |bytes: &[u8]| {
                let unverified = Unverified::read(bytes).ok()?;
                let header = *unverified.header();
                let key = self.keys.get(&(header.log, header.key_epoch))?;
                let hash = unverified.hash();
                ((header.gateway, header.log) == log && unverified.verify(key).is_ok()).then_some(hash)
            };
            // What is shown may name another past of a place whose record it is not; then nothing need be held there.
            let (shown, held_hash) = (signed(&shown), signed(&held));
            if shown.is_some() && (held.is_empty() || (held_hash.is_some() && held_hash != shown)) {
                self.found.forks += 1;
            } else {
                self.found.accuse(format!("{gateway} {id} {seq}: the proof of a fork proves nothing"));
            }
        }
        Ok(())
    }

    fn receipts(&mut self, log: Log, pruned: Option<Pruned>) -> Answered<()> {
        let (gateway, id) = log;
        let mut after = Some((i64::MIN, 0));
        while let Some(last) = after.take() {
            let page = self.store.receipts_after(log, last, PAGE)?;
            let spots: BTreeSet<_> = page.iter().map(|receipt| (gateway, id, receipt.seq)).collect();
            let kept = self.store.kept_at(&spots)?;
            for receipt in page {
                after = Some((receipt.given_unix_ms, receipt.seq));
                let opened =
                    Signed::read(&receipt.bytes).and_then(|signed| Receipt::open(&signed, self.authority));
                let held = kept.get(&(gateway, id, receipt.seq)).map(|(hash, _)| *hash);
                let is_gone = pruned.is_some_and(|pruned| receipt.seq <= pruned.seq);
                let wrong = match opened {
                    Err(why) => Some(why.to_string()),
                    Ok(opened)
                        if (opened.gateway, opened.upto.log, opened.upto.seq)
                            != (gateway, id, receipt.seq) =>
                    {
                        Some("it is about another place".to_owned())
                    }
                    Ok(opened) if held != Some(opened.upto.head) && !(is_gone && held.is_none()) => {
                        Some("the record it names is not the one that is kept".to_owned())
                    }
                    Ok(_) => None,
                };
                match wrong {
                    None => self.found.receipts += 1,
                    Some(why) => self.found.accuse(format!("{gateway} {id} {}: receipt: {why}", receipt.seq)),
                }
            }
        }
        Ok(())
    }

    /// Whether both records of each finding are those that are kept, whose signatures were checked there.
    fn findings(&mut self) -> Answered<()> {
        let mut after = Some((i64::MIN, None));
        while let Some(last) = after.take() {
            for finding in self.store.findings_after(last, FINDINGS_AT_ONCE)? {
                let KeptFinding { id, found_unix_ms, .. } = finding;
                after = Some((found_unix_ms, Some(id)));
                let mut holds = true;
                for half in finding.records() {
                    let kept = self.store.records_from((half.gateway, half.log), half.seq, 1)?;
                    let kept = kept.first().filter(|(seq, _)| *seq == half.seq);
                    // The finding has its own copy where the record was pruned since.
                    let pruned = self.store.pruned((half.gateway, half.log))?;
                    holds &= match kept {
                        Some((_, kept)) => (kept.hash, &kept.bytes) == (half.hash, &half.bytes),
                        None => pruned.is_some_and(|pruned| half.seq <= pruned.seq),
                    };
                }
                if holds {
                    self.found.findings += 1;
                } else {
                    self.found.accuse(format!("finding {id}: a record of it is not the one that is kept"));
                }
            }
        }
        Ok(())
    }

    /// The heads of heads, one after the other.
    fn days(&mut self, published: &[Vec<u8>]) -> Answered<()> {
        let (mut before, mut number) = (Digest::ZERO, 0);
        let mut last: BTreeMap<Log, u64> = BTreeMap::new();
        let all = self.store.kept_heads()?;
        for kept in &all {
            number += 1;
            let list = self.store.listed(kept.number)?;
            let opened = Signed::read(&kept.bytes).and_then(|signed| Heads::open(&signed, self.authority));
            let (heads, hash) = match opened {
                Ok(opened) => opened,
                Err(why) => {
                    self.found.accuse(format!("head of heads {}: {why}", kept.number));
                    continue;
                }
            };
            let follows = (heads.number, heads.before, heads.day) == (number, before, kept.day)
                && kept.number == number;
            let is_listed = heads.root == root_of(&list) && usize::try_from(heads.logs) == Ok(list.len());
            if !follows {
                self.found.accuse(format!("head of heads {}: does not follow the one before", kept.number));
            }
            if !is_listed {
                self.found.accuse(format!(
                    "head of heads {}: the list that is kept is not the one signed",
                    kept.number
                ));
            }
            let wrongs = self.found.wrongs;
            self.listed(&heads, &list, &mut last)?;
            self.desk(&heads)?;
            self.found.heads += u64::from(follows && is_listed && wrongs == self.found.wrongs);
            before = hash;
        }
        for bytes in published {
            if all.iter().all(|kept| kept.bytes != *bytes) {
                let text = String::from_utf8_lossy(bytes);
                self.found.accuse(format!(
                    "a published head of heads is not in the store: the history was changed: {text}"
                ));
            }
        }
        Ok(())
    }

    /// What no list named yet when it was made arrived after that: pruned, it must have been old enough by then.
    fn kept_long_enough(&mut self, (gateway, log): Log, after_unix_ms: i64, pruned: Pruned) {
        let since_unix_ms = pruned.pruned_unix_ms.saturating_sub(i64::from(self.keep_days) * DAY_MS);
        if after_unix_ms > since_unix_ms && self.young.insert((gateway, log)) {
            self.found.accuse(format!(
                "{gateway} {log}: places up to {} are marked as pruned on {}, and some of them arrived after the head of heads of \
                 {} was made, less than {} days before: the history was changed, or [retention] keep_days was shorter then",
                pruned.seq,
                LegalDay::of_unix_ms(pruned.pruned_unix_ms),
                LegalDay::of_unix_ms(after_unix_ms),
                self.keep_days
            ));
        }
    }

    /// Whether each head in a list is still what is kept there, and no log was forgotten since the list before.
    fn listed(&mut self, heads: &Heads, list: &[Listed], last: &mut BTreeMap<Log, u64>) -> Answered<()> {
        let spots: BTreeSet<_> = list.iter().map(|(gateway, log, seq, _)| (*gateway, *log, *seq)).collect();
        let kept = self.store.kept_at(&spots)?;
        let mut now = BTreeMap::new();
        for (gateway, log, seq, head) in list {
            now.insert((*gateway, *log), *seq);
            let held = kept.get(&(*gateway, *log, *seq)).map(|(hash, _)| *hash);
            let pruned = self.store.pruned((*gateway, *log))?;
            let may_be_gone = held.is_none()
                && pruned
                    .is_some_and(|pruned| *seq < pruned.seq || (*seq == pruned.seq && *head == pruned.hash));
            if let Some(pruned) = pruned {
                let log = (*gateway, *log);
                if *seq < pruned.seq {
                    self.kept_long_enough(log, heads.made_unix_ms, pruned);
                }
                if let Some(listed_unix_ms) = self.listed_unix_ms.filter(|_| !last.contains_key(&log)) {
                    self.kept_long_enough(log, listed_unix_ms, pruned);
                }
            }
            if held != Some(*head) && !may_be_gone {
                self.found.accuse(format!(
                    "{gateway} {log} {seq}: the record that headed the log on {} is not there: the history was changed",
                    heads.day
                ));
            }
        }
        for (log, seq) in last.iter() {
            if now.get(log).is_none_or(|later| later < seq) {
                let (gateway, id) = log;
                self.found.accuse(format!("{gateway} {id}: shorter on {} than the day before", heads.day));
            }
        }
        (*last, self.listed_unix_ms) = (now, Some(heads.made_unix_ms));
        Ok(())
    }
}
