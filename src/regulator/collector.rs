//! Records in, kept and followed; receipts out. No socket: messages and time are arguments.
//!
//! Memory holds the logs that speak; the store holds all of them, and is right where the two differ: another collector
//! may have kept something meanwhile. Each batch first catches up with the store in the logs it is about.

mod about;
mod admission;
mod alarms;
mod asking;
mod daily;
mod foreign;
mod forks;
mod lineage;
mod memory;
mod receipts;
mod strangers;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use self::{about::About, asking::Asking, memory::Loaded, receipts::Said};
pub use self::{
    asking::{ASK_AGAIN_MOST_MS, ASK_AGAIN_MS},
    forks::{FORKS_OF_ONE_LOG, FORKS_OF_ONE_PLACE},
    lineage::PAGES_IN_A_ROUND,
    memory::{LOGS_IN_MEMORY, MAX_WAITING_OF_ONE, NEAR_PLACES, PLACES_IN_MEMORY, RECALLED},
    receipts::{Outgoing, RECEIPTS_AT_ONCE},
    strangers::{MAX_HEARSAY, MAX_HEARSAY_OF_ONE, STRANGE_LOGS_AT_ONCE},
    sums::SUMMED_IN_A_ROUND,
};
use super::{
    alarms::Office,
    foreign::Suppliers,
    lineage::{Found, Lineage},
    refusals::{self, Refusals},
    remarks::{Line, Remark, Remarks},
    sight,
    store::{Answered, Batch, Kept, KeptEpoch, KeptRecord, Log, Spot, Store, StoreFault, state_root},
};
use crate::{
    evidence::{
        Arrival, Body, Follower, KeyId, PublicKey, Record, Refusal, Sealer, Signer,
        follow::{Origin, Place, Seen},
        lineage::MentionId,
        record::Unverified,
    },
    host::exit::Failure,
    terms::{
        Digest, GatewayId, LegalDay,
        place::{CreditCode, Division},
    },
};

/// How often a batch is done again because other collectors have had its logs meanwhile, before that is told.
pub const MAX_CONFLICTS: u32 = 16;

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
    /// Believed, and so far ahead of what is known that it is asked for again once what lies before it is there.
    pub ahead: u64,
    /// Messages let go that had waited for their key, for too many of their gateway's, or of all, waited.
    pub let_go: u64,
    /// Messages on another gateway's topic that would have had to wait for their key: nothing of them is kept.
    pub astray: u64,
    /// Why messages were not believed.
    pub refusals: Refusals,
    /// Records that do not go together, and what was too much to be compared.
    pub found: Found,
}

/// Where a log comes from, as its genesis says.
#[derive(Clone, Copy, Debug)]
struct Origins {
    division: Division,
    enterprise: CreditCode,
    root: KeyId,
}

/// The authority's memory of the logs that speak.
pub struct Collector {
    store: Box<dyn Store>,
    signer: Box<dyn Signer>,
    sealer: Sealer,
    lineage: Lineage,
    suppliers: Suppliers,
    office: Office,
    telling: Vec<Outgoing>,
    follower: Follower,
    loaded: BTreeMap<Log, Loaded>,
    most_logs: usize,
    /// Counts batches.
    round: u64,
    places: BTreeMap<Log, Origins>,
    /// How far each log in memory is known to the store.
    heads: BTreeMap<Log, Kept>,
    /// The topics of logs whose genesis has not come yet: an unsigned hint, good enough to ask for it.
    hearsay: BTreeMap<Log, String>,
    /// Logs that must not be receipted any further.
    forked: BTreeSet<Log>,
    /// Up to where logs in memory were pruned: what comes again from there was kept for as long as it had to be.
    pruned: BTreeMap<Log, u64>,
    /// Logs that have moved, or miss something, since their last receipt.
    due: BTreeSet<Log>,
    /// What was asked for and has not come.
    asking: BTreeMap<Log, Asking>,
    admissions: i64,
    admitted: BTreeMap<GatewayId, PublicKey>,
    revoked: BTreeSet<KeyId>,
    /// What this batch will keep.
    batch: Batch,
    /// What is kept at the places that this batch is about.
    kept: BTreeMap<Spot, (Digest, i64)>,
    /// What the last receipt of each log in memory said, and what those of this batch say.
    given: BTreeMap<Log, Said>,
    saying: BTreeMap<Log, Said>,
    /// Logs of this batch.
    opened: BTreeSet<Log>,
    /// Logs whose genesis comes with this batch.
    placed: BTreeSet<Log>,
    /// What each log in memory is known to have mentioned.
    mentioned: BTreeMap<Log, BTreeSet<MentionId>>,
    /// Places that were asked for, whether anything is kept there or not.
    asked: BTreeSet<Spot>,
    /// What had arrived, and waited for its key, and was let go by a batch that was not kept.
    again: BTreeMap<(Spot, Digest), Vec<u8>>,
    conflicts: u64,
    remarks: Remarks,
    /// No older record is left that nobody has looked through.
    looked_through: bool,
    /// Logs whose verdicts are to be added up, and on which day those were listed.
    unsummed: Vec<Kept>,
    summed_on: Option<LegalDay>,
    /// The day whose round has looked for the head of heads of the day before.
    day: Option<LegalDay>,
    /// The day of the newest head of heads, if it lies ahead.
    heads_ahead: Option<LegalDay>,
    /// The newest head of heads is to be published again.
    tell_heads: bool,
}

impl Collector {
    /// Goes on where the store ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: Box<dyn Store>, signer: Box<dyn Signer>) -> Result<Collector, Failure> {
        let lineage = Lineage::shipped()?.believing(&[signer.public_key()]);
        let mut collector = Collector {
            store,
            signer,
            sealer: Sealer::default(),
            lineage,
            suppliers: Suppliers::default(),
            office: Office::default(),
            telling: Vec::new(),
            follower: Follower::admitting(),
            loaded: BTreeMap::new(),
            most_logs: LOGS_IN_MEMORY,
            round: 0,
            places: BTreeMap::new(),
            heads: BTreeMap::new(),
            hearsay: BTreeMap::new(),
            forked: BTreeSet::new(),
            pruned: BTreeMap::new(),
            due: BTreeSet::new(),
            asking: BTreeMap::new(),
            admissions: 0,
            admitted: BTreeMap::new(),
            revoked: BTreeSet::new(),
            batch: Batch::default(),
            kept: BTreeMap::new(),
            given: BTreeMap::new(),
            saying: BTreeMap::new(),
            opened: BTreeSet::new(),
            placed: BTreeSet::new(),
            mentioned: BTreeMap::new(),
            asked: BTreeSet::new(),
            again: BTreeMap::new(),
            conflicts: 0,
            remarks: Remarks::default(),
            looked_through: false,
            unsummed: Vec::new(),
            summed_on: None,
            day: None,
            heads_ahead: None,
            tell_heads: false,
        };
        collector.admissions = collector.store.admissions()?;
        collector.admit()?;
        Ok(collector)
    }

    /// Keeps fewer logs, or more, in memory than [`LOGS_IN_MEMORY`].
    #[must_use]
    pub fn remembering(mut self, logs: usize) -> Collector {
        self.most_logs = logs.max(1);
        self
    }

    /// The key that signs receipts.
    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    /// Bytes of messages that wait for a key, of at most [`MAX_HELD_BYTES`](crate::evidence::follow::MAX_HELD_BYTES).
    pub fn held_bytes(&self) -> usize {
        self.follower.held_bytes()
    }

    /// How often a batch was done again because another collector had one of its logs meanwhile.
    pub fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// One hash over how far the store knows every log.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state_root(&mut self) -> Answered<Digest> {
        Ok(state_root(&self.store.heads(None)?))
    }

    /// Takes messages that came on the gateways' topics and commits them. What is told here is durable.
    ///
    /// # Errors
    /// The store failed: nothing of the batch may be acknowledged. The same batch may be tried again.
    pub fn take(&mut self, messages: &[(&str, &[u8])], now_unix_ms: i64) -> Answered<Tally> {
        // What was put aside is not the message that is tried again.
        let asked = messages.iter().filter_map(|(_, bytes)| About::read(bytes));
        asked.for_each(|about| drop(self.again.remove(&(about.spot, about.hash))));
        let tally = self.until_kept(now_unix_ms, |collector, tally, moved| {
            collector.take_in(messages, now_unix_ms, tally, moved)
        })?;
        self.again.clear();
        Ok(tally)
    }

    /// Admits whom somebody has admitted meanwhile, and looks again at what waited for that.
    ///
    /// # Errors
    /// The store failed.
    pub fn look_up(&mut self, now_unix_ms: i64) -> Answered<Tally> {
        let admissions = self.store.admissions()?;
        if self.admissions == admissions {
            return Ok(Tally::default());
        }
        self.admit()?;
        let mut tally = self.until_kept(now_unix_ms, |collector, tally, moved| {
            let logs = collector.follower.held_logs();
            collector.begin(&logs, now_unix_ms, tally, moved)?;
            let mut seen_all = Vec::new();
            collector.follower.look_again(&mut |seen, bytes, _| seen_all.push((seen, bytes.to_vec())));
            collector.settle(seen_all, now_unix_ms, tally, moved)
        })?;
        self.admissions = admissions;
        if !self.again.is_empty() {
            tally.records += self.take(&[], now_unix_ms)?.records;
        }
        Ok(tally)
    }

    /// Every log is to be receipted anew: a broker may have lost what it kept.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn on_connected(&mut self) -> Answered<()> {
        self.tell_heads = true;
        self.due.extend(self.store.heads(None)?.iter().map(|kept| (kept.gateway, kept.log)));
        Ok(())
    }

    /// Does a batch, and does it again as long as other collectors come between.
    fn until_kept(
        &mut self,
        now_unix_ms: i64,
        mut fill: impl FnMut(&mut Collector, &mut Tally, &mut BTreeSet<Log>) -> Answered<()>,
    ) -> Answered<Tally> {
        let mut turn = 0;
        loop {
            let (mut tally, mut moved) = (Tally::default(), BTreeSet::new());
            let done = fill(self, &mut tally, &mut moved).and_then(|()| self.finish(&moved, now_unix_ms));
            match done {
                Ok(found) => {
                    tally.found = found;
                    self.due.append(&mut moved);
                    self.remark(now_unix_ms);
                    self.make_room();
                    return Ok(tally);
                }
                Err(fault) => {
                    self.undo();
                    turn += 1;
                    if !matches!(fault, StoreFault::Conflict) || turn > MAX_CONFLICTS {
                        return Err(fault);
                    }
                    self.conflicts += 1;
                }
            }
        }
    }

    /// Writes what is to be said of messages that are wrong: the first of a kind, and then a number a minute.
    pub fn remark(&mut self, now_unix_ms: i64) {
        self.remarks.due(now_unix_ms).iter().for_each(Line::write);
    }

    fn take_in(
        &mut self,
        messages: &[(&str, &[u8])],
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        // What an earlier try let go comes first: it had arrived before.
        let again = self.again.clone();
        let mut all: Vec<(&str, &[u8])> = again.values().map(|bytes| ("", bytes.as_slice())).collect();
        all.extend(messages.iter().copied());
        let all: Vec<(&str, &[u8], Option<About>)> =
            all.into_iter().map(|(topic, bytes)| (topic, bytes, About::read(bytes))).collect();
        let about = || all.iter().filter_map(|(.., about)| about.as_ref());
        let logs = about().flat_map(|about| [Some(about.log()), about.continues]).flatten().collect();
        let spots: BTreeSet<Spot> = about().map(|about| about.spot).collect();
        self.begin(&logs, now_unix_ms, tally, moved)?;
        self.kept.extend(self.store.kept_at(&spots)?);
        self.asked.extend(spots);
        for (topic, bytes, about) in &all {
            if let Some(about) = about {
                let is_kept = self.at(about.spot)?.is_some_and(|(hash, _)| hash == about.hash);
                if is_kept || self.pruned.get(&about.log()).is_some_and(|upto| about.spot.2 <= *upto) {
                    tally.again += 1;
                    // Whoever sends it again has not heard of its receipt.
                    moved.insert(about.log());
                    continue;
                }
                if self.is_astray(topic, about.log().0, bytes) {
                    (tally.unknown, tally.astray) = (tally.unknown + 1, tally.astray + 1);
                    self.remarks.note(Remark::Astray(about.log().0), || format!("on {topic}"));
                    continue;
                }
                self.hear(topic, about.log(), moved);
                if self.waits_too_much(about.spot) {
                    tally.ahead += 1;
                    moved.insert(about.log());
                    continue;
                }
            }
            self.follow(bytes, now_unix_ms, tally, moved)?;
        }
        Ok(())
    }

    fn follow(
        &mut self,
        bytes: &[u8],
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        self.recall_before_skip(bytes)?;
        let mut seen_all = Vec::new();
        let origin = Origin { in_chain: true, number: 0 };
        self.follower.on_message(bytes, origin, &mut |seen, bytes, _| seen_all.push((seen, bytes.to_vec())));
        self.settle(seen_all, now_unix_ms, tally, moved)
    }

    fn settle(
        &mut self,
        seen_all: Vec<(Seen, Vec<u8>)>,
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        let mut seen_all = seen_all.into_iter();
        while let Some((seen, bytes)) = seen_all.next() {
            let settled = self.settle_one(seen, &bytes, now_unix_ms, tally, moved);
            if settled.is_err() {
                // The follower lets go of what waited once only.
                self.put_aside(bytes);
                seen_all.for_each(|(_, bytes)| self.put_aside(bytes));
                return settled;
            }
        }
        Ok(())
    }

    fn settle_one(
        &mut self,
        seen: Seen,
        bytes: &[u8],
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        match seen {
            Seen::Record(record, place) => {
                self.keep(&record, place, bytes, now_unix_ms, tally)?;
                moved.insert((record.header.gateway, record.header.log));
            }
            Seen::Fork { gateway, log, fork } => {
                let place = if let Arrival::Fork { seq, .. } = fork { seq } else { 0 };
                self.fork((gateway, log), place, bytes, now_unix_ms, tally)?;
            }
            Seen::Again => tally.again += 1,
            Seen::Refused(refusal) => {
                tally.refused += 1;
                tally.refusals.count(refusal);
                self.remarks.note(Remark::Refused(refusals::reason(refusal)), || refusal.to_string());
            }
            Seen::Held { gateway, key } => {
                tally.unknown += 1;
                // If only what certifies its key is missing, it is asked for.
                if let Ok(unverified) = Unverified::read(bytes)
                    && self.may_ask((gateway, unverified.header().log), moved)
                {
                    moved.insert((gateway, unverified.header().log));
                }
                self.remarks.note(Remark::Waits(gateway), || format!("key {key}"));
            }
            Seen::NotHeld { gateway, key } => {
                // Counted as unknown when it came.
                tally.let_go += 1;
                self.remarks.note(Remark::LetGo(gateway), || format!("key {key}"));
            }
            Seen::Receipt(_) | Seen::StrangeReceipt => {
                // No gateway has receipts to give.
                tally.refused += 1;
                tally.refusals.count(Refusal::NotOurs);
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
    ) -> Answered<()> {
        let (gateway, log, seq) = (record.header.gateway, record.header.log, record.header.seq);
        if !self.opened.contains(&(gateway, log)) {
            // Another log's message let it go. It is taken again with what the store knows of its own log.
            return Err(StoreFault::Conflict);
        }
        // Behind what the head remembers the store still knows every place.
        let held = self.at((gateway, log, seq))?.map(|(hash, _)| hash);
        if held.is_some_and(|held| held != record.hash) {
            return self.fork((gateway, log), seq, bytes, now_unix_ms, tally);
        }
        if let Body::Genesis(genesis) = &record.body {
            let before = genesis.continues.and_then(|head| self.places.get(&(gateway, head.log)));
            let root = before.map_or(genesis.public_key.id(), |before| before.root);
            let origins = Origins { division: genesis.division, enterprise: genesis.enterprise, root };
            self.places.insert((gateway, log), origins);
            self.hearsay.remove(&(gateway, log));
        }
        if held.is_some() {
            return Ok(());
        }
        match place {
            Place::TooFarAhead => {
                tally.ahead += 1;
                return Ok(());
            }
            Place::Amnesia(from, to) => {
                tally.lost += to - from + 1;
                self.remarks.note(Remark::Lost(gateway), || format!("log {log}, {from} to {to}"));
            }
            Place::Proven | Place::Pending(..) | Place::Aside | Place::Forgotten => {}
        }
        if let Some((epoch, from, key)) = record.body.certifies(record.header.key_epoch, seq) {
            self.batch.epochs.push(((gateway, log), KeptEpoch { epoch, from, key }));
        }
        if matches!(record.body, Body::Genesis(_)) {
            self.placed.insert((gateway, log));
        }
        self.mention(record, now_unix_ms);
        self.ask_who_signed(record, now_unix_ms)?;
        self.batch.sights.extend(sight::of(record, now_unix_ms));
        self.signal(record, now_unix_ms);
        self.batch.records.insert((gateway, log, seq), KeptRecord::of(record, bytes, now_unix_ms));
        tally.records += 1;
        Ok(())
    }
}
