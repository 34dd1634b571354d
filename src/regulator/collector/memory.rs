//! What of the store is in memory: the logs that speak, caught up with what other collectors have kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{Collector, Origins, Tally, about::About};
use crate::{
    evidence::{Head, LogId},
    regulator::{
        carry,
        lineage::Found,
        store::{Answered, Batch, EPOCHS_LOADED, Kept, Log, Spot, StoreFault},
    },
    terms::Digest,
};

/// Places behind each head that are remembered when a log is loaded: what a gateway's disk may lose and skip.
pub const RECALLED: u32 = 4_096;
/// Logs kept in memory; whichever has been silent for longest is loaded again when it speaks.
pub const LOGS_IN_MEMORY: usize = 10_000;
/// Places remembered in all logs together, some 70 bytes each: beyond it the logs that have been silent for longest go.
pub const PLACES_IN_MEMORY: u64 = 4_000_000;
/// Places remembered of one log after which they are cut back to [`RECALLED`].
const CUT_BACK_AFTER: u64 = 4 * RECALLED as u64;
/// Records of one gateway, in all its logs, that may wait for their predecessors before only such are taken as are near
/// what is known; the others are asked for again. What waits costs everybody who shares the store.
pub const MAX_WAITING_OF_ONE: usize = 4_096;
/// Places behind its head that are taken of a log whose gateway has too much waiting.
pub const NEAR_PLACES: u64 = 256;
/// Records read from the store at once.
const PAGE: u32 = 1_024;

/// A log in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loaded {
    /// The turn at which memory and store are the same.
    turn: u64,
    /// The batch that last was about it.
    round: u64,
    /// Places remembered of it: those recalled when it was loaded, and the records taken since.
    places: u64,
}

impl Collector {
    /// Begins a batch about these logs, with all that the store knows of them.
    pub(super) fn begin(
        &mut self,
        logs: &BTreeSet<Log>,
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        self.round += 1;
        let turns = self.store.begin(logs)?;
        self.opened.clone_from(logs);
        let is_behind = |(log, turn): (&Log, &u64)| {
            (self.loaded.get(log).map(|loaded| loaded.turn) != Some(*turn)).then_some(*log)
        };
        let behind: Vec<Log> = turns.iter().filter_map(is_behind).collect();
        // A log that was never written to has nothing to be read.
        let written = |log: &&Log| turns.get(*log).is_some_and(|turn| *turn > 0);
        let gateways: BTreeSet<_> = behind.iter().filter(written).map(|(gateway, _)| *gateway).collect();
        let heads = if gateways.is_empty() { Vec::new() } else { self.store.heads(Some(&gateways))? };
        let heads: BTreeMap<Log, Kept> =
            heads.into_iter().map(|kept| ((kept.gateway, kept.log), kept)).collect();
        for log in &behind {
            if turns.get(log).is_some_and(|turn| *turn > 0) {
                self.catch_up(*log, heads.get(log), now_unix_ms, tally, moved)?;
            }
        }
        for (log, turn) in turns {
            let loaded = self.loaded.entry(log).or_insert(Loaded { turn, round: 0, places: 0 });
            (loaded.turn, loaded.round) = (turn, self.round);
        }
        Ok(())
    }

    /// Brings a log in memory to where the store is.
    fn catch_up(
        &mut self,
        log: Log,
        kept: Option<&Kept>,
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        if kept.is_some_and(|kept| self.revoked.contains(&kept.root)) {
            self.forget(log);
            return Ok(());
        }
        if self.loaded.contains_key(&log) {
            let head = self.follower.heads().get(&log).and_then(Head::head);
            self.read_on(log, head.map_or(0, |(seq, _)| seq + 1), now_unix_ms, tally, moved)?;
            let head = self.follower.heads().get(&log);
            let follows =
                kept.is_none_or(|kept| head.and_then(|head| head.hash_at(kept.seq)) == Some(kept.head));
            if !follows {
                // Nothing of what was just heard may be lost with it.
                self.forget(log);
                return Err(StoreFault::Conflict);
            }
        } else {
            self.load(log, kept)?;
            self.read_on(log, kept.map_or(0, |kept| kept.seq + 1), now_unix_ms, tally, moved)?;
        }
        if let Some(kept) = kept {
            let Kept { division, enterprise, root, .. } = *kept;
            self.places.insert(log, Origins { division, enterprise, root });
            self.hearsay.remove(&log);
            self.heads.insert(log, *kept);
        }
        if let Some(pruned) = self.store.pruned(log)? {
            self.pruned.insert(log, pruned.seq);
        }
        if self.store.fork_counts(log, 0)?.0 > 0 {
            self.forked.insert(log);
        }
        Ok(())
    }

    /// Loads how far a log is known, the keys it goes on with, and what lies behind its head.
    fn load(&mut self, log: Log, kept: Option<&Kept>) -> Answered<()> {
        let from = kept.map_or(0, |kept| kept.next_epoch.saturating_sub(EPOCHS_LOADED));
        for epoch in self.store.epochs(log, from)? {
            self.follower.keyring_mut().resume(log.0, log.1, epoch.epoch, epoch.key, epoch.from);
        }
        let Some(Kept { seq, head, next_epoch, .. }) = kept.copied() else { return Ok(()) };
        let mut resumed = Head::resuming(seq, head, next_epoch);
        let recalled = self.store.hashes_to(log, seq, RECALLED)?;
        let places = u64::try_from(recalled.len()).unwrap_or(u64::MAX);
        for (place, hash) in recalled {
            resumed.recall(place, hash);
        }
        self.loaded.insert(log, Loaded { turn: 0, round: 0, places });
        self.follower.resume(log.0, log.1, resumed);
        Ok(())
    }

    /// Whether so much of this gateway waits that this record has to come again later.
    pub(super) fn waits_too_much(&self, (gateway, log, seq): Spot) -> bool {
        let its_logs = (gateway, LogId(0))..=(gateway, LogId(u64::MAX));
        let heads = self.follower.heads();
        let waiting: usize = heads.range(its_logs).map(|(_, head)| head.waiting()).sum();
        let next = heads.get(&(gateway, log)).and_then(Head::head).map_or(0, |(seq, _)| seq + 1);
        waiting >= MAX_WAITING_OF_ONE && seq >= next.saturating_add(NEAR_PLACES)
    }

    /// Places of a page of records that are not known to wait, the first and the last; what waits need not be read again.
    fn unheard(&self, log: Log, page: &[(u64, Digest)]) -> Option<(u64, u64)> {
        let head = self.follower.heads().get(&log);
        let mut unheard =
            page.iter().filter(|(seq, hash)| head.and_then(|head| head.waits_at(*seq)) != Some(*hash));
        let (first, _) = unheard.next()?;
        Some((*first, unheard.next_back().map_or(*first, |(last, _)| *last)))
    }

    /// Follows what the store has from a place on as if it had just come: it waits, or moves the head.
    fn read_on(
        &mut self,
        log: Log,
        mut from: u64,
        now_unix_ms: i64,
        tally: &mut Tally,
        moved: &mut BTreeSet<Log>,
    ) -> Answered<()> {
        loop {
            let hashes = self.store.hashes_from(log, from, PAGE)?;
            let Some((last_of_page, _)) = hashes.last() else { return Ok(()) };
            from = last_of_page.saturating_add(1);
            let Some((first, last)) = self.unheard(log, &hashes) else { continue };
            let between = hashes.iter().filter(|(seq, _)| (first..=last).contains(seq)).count();
            let most = u32::try_from(between).unwrap_or(PAGE);
            let records = self.store.records_from(log, first, most)?;
            // Where they are large they come in several pages.
            if let Some((read, _)) = records.last().filter(|(read, _)| *read < last) {
                from = read.saturating_add(1);
            }
            for (seq, record) in records {
                if self.follower.heads().get(&log).and_then(|head| head.waits_at(seq)) == Some(record.hash) {
                    continue;
                }
                self.kept.insert((log.0, log.1, seq), (record.hash, record.received_unix_ms));
                let mut heard = Tally::default();
                self.follow(&record.bytes, now_unix_ms, &mut heard, moved)?;
                // What the store has was counted when it came; what only now can be opened counts now.
                tally.records += heard.records;
                tally.forks += heard.forks;
            }
        }
    }

    /// A skip may go on from a place that memory has let go, and the store has not.
    pub(super) fn recall_before_skip(&mut self, bytes: &[u8]) -> Answered<()> {
        let Some((log, before)) = About::skips_from(bytes) else { return Ok(()) };
        let is_behind =
            |head: &Head| head.hash_at(before).is_none() && head.head().is_some_and(|(seq, _)| before < seq);
        if !self.opened.contains(&log) || !self.follower.heads().get(&log).is_some_and(is_behind) {
            return Ok(());
        }
        if let Some((hash, _)) = self.at((log.0, log.1, before))? {
            self.follower.recall(log.0, log.1, before, hash);
        }
        Ok(())
    }

    /// Hash and time of arrival of what is kept at a place, or will be with this batch.
    pub(super) fn at(&mut self, spot: Spot) -> Answered<Option<(Digest, i64)>> {
        if let Some(record) = self.batch.records.get(&spot) {
            return Ok(Some((record.hash, record.received_unix_ms)));
        }
        if let Some(kept) = self.kept.get(&spot) {
            return Ok(Some(*kept));
        }
        if self.asked.contains(&spot) {
            return Ok(None);
        }
        let found = self.store.kept_at(&BTreeSet::from([spot]))?.remove(&spot);
        self.asked.insert(spot);
        self.kept.extend(found.map(|found| (spot, found)));
        Ok(found)
    }

    /// How far a log is known in memory, once its genesis is.
    pub(super) fn known(&mut self, log: Log) -> Answered<Option<Kept>> {
        let Some(Origins { division, enterprise, root }) = self.places.get(&log).copied() else {
            return Ok(None);
        };
        let Some(known) = self.follower.heads().get(&log) else { return Ok(None) };
        let Some(((seq, head), next_epoch)) = known.head().zip(known.next_epoch()) else { return Ok(None) };
        let received_unix_ms = match self.heads.get(&log).filter(|kept| kept.seq == seq) {
            Some(kept) => kept.received_unix_ms,
            None => self.at((log.0, log.1, seq))?.map_or(0, |(_, received)| received),
        };
        let (gateway, log) = log;
        Ok(Some(Kept { gateway, log, division, enterprise, seq, head, received_unix_ms, next_epoch, root }))
    }

    /// Commits the batch, with the heads that have moved.
    pub(super) fn finish(&mut self, moved: &BTreeSet<Log>, now_unix_ms: i64) -> Answered<Found> {
        for log in moved {
            if let Some(kept) = self.known(*log)?
                && self.heads.get(log) != Some(&kept)
            {
                self.batch.heads.push(kept);
            }
        }
        let added = self.added();
        for log in added.keys() {
            let turn = self.loaded.get(log).map_or(0, |loaded| loaded.turn);
            self.batch.turns.insert(*log, turn);
        }
        let (found, mentioned) = self.compare(now_unix_ms)?;
        self.signal_findings(now_unix_ms);
        carry::settle(&mut *self.store, &mut self.batch, self.lineage.authority())?;
        self.store.commit(&self.batch)?;
        self.remember(mentioned);
        self.given.append(&mut self.saying);
        for kept in std::mem::take(&mut self.batch.heads) {
            self.heads.insert((kept.gateway, kept.log), kept);
        }
        for (log, records) in added {
            let Some(loaded) = self.loaded.get_mut(&log) else { continue };
            loaded.turn = loaded.turn.saturating_add(1);
            loaded.places = loaded.places.saturating_add(records);
            if loaded.places > CUT_BACK_AFTER {
                self.forget(log);
            }
        }
        self.let_strange_go();
        self.close();
        Ok(found)
    }

    /// A log of which nothing is kept has no place in memory: whoever makes logs up would push out those that speak.
    fn let_strange_go(&mut self) {
        for log in &self.opened {
            let is_strange = self.loaded.get(log).is_some_and(|loaded| loaded.turn == 0);
            if is_strange && !self.follower.heads().contains_key(log) {
                self.loaded.remove(log);
            }
        }
    }

    /// The logs that the batch adds to, and the records it adds to each.
    fn added(&self) -> BTreeMap<Log, u64> {
        let Batch { records, epochs, heads, forks, .. } = &self.batch;
        let mut added: BTreeMap<Log, u64> = BTreeMap::new();
        for (gateway, log, _) in records.keys() {
            *added.entry((*gateway, *log)).or_default() += 1;
        }
        let others = epochs.iter().map(|(log, _)| *log).chain(forks.iter().map(|(log, _)| *log));
        for log in others.chain(heads.iter().map(|kept| (kept.gateway, kept.log))) {
            added.entry(log).or_default();
        }
        added
    }

    /// Forgets a batch that was not kept, and everything it has taught. What it had let go waits for the next.
    pub(super) fn undo(&mut self) {
        self.store.abandon();
        self.remarks.undo();
        let Batch { records, forks, .. } = std::mem::take(&mut self.batch);
        let mut touched = std::mem::take(&mut self.opened);
        let shown = forks.into_iter().map(|(log, fork)| (log, fork.shown));
        let kept = records.into_iter().map(|((gateway, log, _), record)| ((gateway, log), record.bytes));
        for (log, bytes) in kept.chain(shown) {
            touched.insert(log);
            self.put_aside(bytes);
        }
        touched.into_iter().for_each(|log| self.forget(log));
        self.close();
    }

    /// Keeps what had arrived for the next try.
    pub(super) fn put_aside(&mut self, bytes: Vec<u8>) {
        if let Some(about) = About::read(&bytes) {
            self.again.insert((about.spot, about.hash), bytes);
        }
    }

    fn close(&mut self) {
        self.batch = Batch::default();
        self.kept.clear();
        self.saying.clear();
        self.asked.clear();
        self.opened.clear();
        self.placed.clear();
    }

    /// Keeps nothing of a log in memory; the store has it.
    pub(super) fn forget(&mut self, log: Log) {
        self.loaded.remove(&log);
        self.mentioned.remove(&log);
        self.given.remove(&log);
        self.asking.remove(&log);
        self.follower.forget(log.0, log.1);
        self.places.remove(&log);
        self.heads.remove(&log);
        self.forked.remove(&log);
        self.pruned.remove(&log);
    }

    /// Forgets the logs that have been silent for longest, if there are too many or they remember too much: a quarter at
    /// once, so that this is seldom done.
    pub(super) fn make_room(&mut self) {
        let mut places: u64 = self.loaded.values().map(|loaded| loaded.places).sum();
        if self.loaded.len() <= self.most_logs && places <= PLACES_IN_MEMORY {
            return;
        }
        let mut silent: Vec<(u64, Log, u64)> =
            self.loaded.iter().map(|(log, loaded)| (loaded.round, *log, loaded.places)).collect();
        silent.sort_unstable();
        for (_, log, remembered) in silent {
            if self.loaded.len() <= self.most_logs / 4 * 3 && places <= PLACES_IN_MEMORY / 4 * 3 {
                return;
            }
            places = places.saturating_sub(remembered);
            self.forget(log);
        }
    }
}
