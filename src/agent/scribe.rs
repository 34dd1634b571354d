//! The scribe's thread: group commit, then the cursor moves. Nobody else touches the chain, the key or the journal.

use std::{
    collections::{BTreeSet, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};

use super::{config::JournalConfig, outbox::Want, own_copy, reserve::Reserve};
use crate::{
    evidence::{Body, GapWhy, JournalFault, LogHead, LogId, Notice, Received, Scribe},
    host::{Clock, database::BUSY_TIMEOUT_MS, exit::Failure, keys},
    terms::{Stamp, time::DAY_MS},
};

/// Most entries handled in one commit.
pub const GROUP: usize = 100;
/// Entries that may wait for the scribe.
pub const CHANNEL: usize = 256;
/// Entries that may be held back while the disk is full, so that what was asked behind them is answered.
pub const HELD_BACK: usize = 1_024;
/// How long one key signs, in milliseconds.
pub const KEY_EPOCH_MS: u64 = 3_600_000;
/// Time between two looks at the journal's age and size, in milliseconds.
pub const TIDY_MS: u64 = 3_600_000;
/// Records pruned in one commit.
pub const PRUNE_RECORDS: u32 = 1_000;
/// Time between two tries to write while the disk is full, in milliseconds.
pub const FULL_RETRY_MS: u64 = 1_000;
/// Time between two tries to set the reserve aside again, in milliseconds.
pub const RESERVE_RETRY_MS: u64 = 30_000;

/// A record found for the uplink.
#[derive(Debug)]
pub struct Found {
    /// Its place.
    pub seq: u64,
    /// The bytes that travel.
    pub bytes: Vec<u8>,
    /// Whether no later record has its type and subject.
    pub is_newest: bool,
}

/// All that may be asked of the journal's owner.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "entries pass through a bounded channel by value: no allocation a record"
)]
pub enum Entry {
    /// Say this.
    Write(Stamp, Body),
    /// A receipt of the authority, and the bytes it came in.
    Receipt(Received, Vec<u8>),
    /// Note up to where the broker has accepted everything.
    Accepted(u64),
    /// Read one record back.
    Read {
        /// Which.
        want: Want,
        /// Where the answer goes.
        reply: oneshot::Sender<Option<Found>>,
    },
    /// Read the newest record of each type and subject.
    Newest {
        /// Where they go, and how many places the log has by then.
        reply: oneshot::Sender<(Vec<Vec<u8>>, u64)>,
    },
}

/// What is durable, for whoever sends it on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Places of the log that survive a power cut.
    pub places: u64,
    /// Every place before this one is receipted; nothing while the authority was never heard.
    pub receipted: Option<u64>,
    /// What the latest receipt misses.
    pub missing: Vec<(u64, u64)>,
}

/// Why the scribe stopped writing.
#[derive(Debug)]
pub enum Stopped {
    /// The journal failed; nothing that was not durable has been told to anybody.
    Journal(JournalFault),
    /// There is no entropy, or a file beside the journal cannot be written.
    Failed(Failure),
    /// The authority has receipted what this journal never held, or holds otherwise: it was rolled back.
    RolledBack(LogHead),
}

impl From<JournalFault> for Stopped {
    fn from(fault: JournalFault) -> Stopped {
        Stopped::Journal(fault)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Failed(failure)
    }
}

/// What the scribe's thread needs besides its scribe.
pub struct Desk {
    /// Time, for what the scribe says of itself.
    pub clock: Arc<dyn Clock>,
    /// Where waiting for time is possible from a thread.
    pub runtime: Handle,
    /// Folder of key, journal and own copy of the receipt.
    pub state: PathBuf,
    /// How long and how large the journal is kept.
    pub journal: JournalConfig,
    /// When the present key began to sign; `None` before this boot.
    pub epoch_began: Option<Stamp>,
    /// Room kept for the moment the disk is full.
    pub reserve: Reserve,
    /// Whether the authority has ever sent a receipt of this log.
    pub heard: bool,
    /// Logs that this one continues.
    pub ancestors: BTreeSet<LogId>,
    /// What was asked while the disk was full, and waits for the commit before it; at most [`HELD_BACK`].
    pub held_back: VecDeque<Entry>,
}

/// A question that is answered after the commit.
enum Question {
    One(Want, oneshot::Sender<Option<Found>>),
    Newest(oneshot::Sender<(Vec<Vec<u8>>, u64)>),
}

/// What is asked of the journal's owner between two commits.
#[derive(Default)]
pub struct Group {
    asked: Vec<Question>,
    /// What the latest receipt among it misses.
    pub missing: Option<Vec<(u64, u64)>>,
    /// The newest receipt among it that covers anything.
    pub latest: Option<Vec<u8>>,
}

impl Group {
    /// Takes an entry; of a question, only that it was asked. `heard` turns true with the first receipt of this log;
    /// `ancestors` are the logs that this one continues.
    ///
    /// # Errors
    /// The journal failed, or a receipt shows that it was rolled back.
    pub fn take(
        &mut self,
        entry: Entry,
        scribe: &mut Scribe,
        heard: &mut bool,
        ancestors: &BTreeSet<LogId>,
    ) -> Result<(), Stopped> {
        match entry {
            Entry::Write(at, body) => scribe.write(at, with_counts(body, scribe)),
            Entry::Accepted(seq) => scribe.on_accepted(seq),
            Entry::Receipt(received, bytes) => {
                if let Some(missed) = take_receipt(scribe, heard, ancestors, &received, &bytes)? {
                    self.missing = Some(missed);
                    self.latest = (!received.receipt.is_empty()).then_some(bytes).or(self.latest.take());
                }
            }
            Entry::Read { want, reply } => self.asked.push(Question::One(want, reply)),
            Entry::Newest { reply } => self.asked.push(Question::Newest(reply)),
        }
        Ok(())
    }

    /// Answers what was asked. Only after the commit, which left the log with so many places: a reader must never see,
    /// and so never publish, what is not durable.
    ///
    /// # Errors
    /// The journal failed.
    pub fn answer(self, scribe: &mut Scribe, places: u64) -> Result<(), JournalFault> {
        for question in self.asked {
            // Whoever asked may have gone meanwhile.
            match question {
                Question::One(want, reply) => drop(reply.send(find(scribe, want)?)),
                Question::Newest(reply) => drop(reply.send((newest(scribe)?, places))),
            }
        }
        Ok(())
    }
}

/// Writes until every sender is gone. `progress` tells what of the log survives a power cut.
///
/// # Errors
/// Why it stopped before.
pub fn run(
    mut scribe: Scribe,
    mut entries: mpsc::Receiver<Entry>,
    progress: &watch::Sender<Progress>,
    mut desk: Desk,
) -> Result<(), Stopped> {
    let mut tidy_at = desk.clock.now().uptime_ms + TIDY_MS;
    let mut reserve_at = desk.clock.now().uptime_ms + RESERVE_RETRY_MS;
    desk.reserve.restore();
    while let Some(first) = desk.held_back.pop_front().or_else(|| desk.next(&mut entries)) {
        let mut group = Group::default();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(entry) = next.take() {
            group.take(entry, &mut scribe, &mut desk.heard, &desk.ancestors)?;
            taken += 1;
            if taken < GROUP {
                next = desk.held_back.pop_front().or_else(|| entries.try_recv().ok());
            }
        }
        // Whoever holds the database is waited for, and no longer than that.
        desk.clock.busy_until(desk.clock.uptime_ms().saturating_add(BUSY_TIMEOUT_MS));
        let mut places = desk.commit(&mut scribe, &mut entries)?;
        if let Some(bytes) = group.latest.take() {
            own_copy::write(&desk.state, &bytes)?;
        }
        let now = desk.clock.now();
        if desk.epoch_is_over(&now) {
            places = desk.rotate(&mut scribe, &now)?;
        }
        if now.uptime_ms >= reserve_at {
            reserve_at = now.uptime_ms + RESERVE_RETRY_MS;
            desk.reserve.restore();
        }
        if now.uptime_ms >= tidy_at {
            tidy_at = now.uptime_ms + TIDY_MS;
            places = desk.tidy(&mut scribe, &now)?;
        }
        let receipted = desk.heard.then(|| scribe.first_unreceipted());
        tell(progress, places, receipted, group.missing.take());
        group.answer(&mut scribe, places)?;
    }
    Ok(scribe.close()?)
}

/// The scribe alone knows how many records there are.
fn with_counts(mut body: Body, scribe: &Scribe) -> Body {
    if let Body::Checkpoint(checkpoint) = &mut body {
        checkpoint.entries = scribe.next_seq();
        checkpoint.first_unreceipted_seq = scribe.first_unreceipted();
    }
    body
}

/// Tells what is durable and receipted, if that is news.
pub fn tell(
    progress: &watch::Sender<Progress>,
    places: u64,
    receipted: Option<u64>,
    missing: Option<Vec<(u64, u64)>>,
) {
    progress.send_if_modified(|known| {
        let news = known.places != places || known.receipted != receipted || missing.is_some();
        (known.places, known.receipted) = (places, receipted);
        if let Some(missing) = missing {
            known.missing = missing;
        }
        news
    });
}

/// Takes a receipt, if it says more than the last one; tells what it misses.
fn take_receipt(
    scribe: &mut Scribe,
    heard: &mut bool,
    ancestors: &BTreeSet<LogId>,
    received: &Received,
    bytes: &[u8],
) -> Result<Option<Vec<(u64, u64)>>, Stopped> {
    let log = received.receipt.upto.log;
    if scribe.chain().log() != log {
        // A log that is neither ours nor one we continue: this journal is older than that log.
        if received.receipt.is_empty() || ancestors.contains(&log) {
            return Ok(None);
        }
        return Err(Stopped::RolledBack(received.receipt.upto));
    }
    *heard = true;
    if received.receipt.is_empty() {
        return Ok(Some(received.receipt.missing.clone()));
    }
    // What it is compared with must be as durable as what it speaks of.
    commit_now(scribe)?;
    if scribe.is_rolled_back(&received.receipt)? {
        return Err(Stopped::RolledBack(received.receipt.upto));
    }
    let before = scribe.journal().last_receipt()?.and_then(|bytes| own_copy::read(&bytes));
    if let Some(before) = before
        && !received.receipt.is_newer_than(&before)
    {
        // The authority's clock may have been set back; what it asks for at the same place is asked for all the same.
        let asks = received.receipt.upto == before.upto && !received.receipt.missing.is_empty();
        return Ok(asks.then(|| received.receipt.missing.clone()));
    }
    scribe.on_receipt(received.clone(), bytes.to_vec());
    Ok(Some(received.receipt.missing.clone()))
}

/// Commits without waiting for room.
fn commit_now(scribe: &mut Scribe) -> Result<u64, JournalFault> {
    match scribe.commit() {
        // The places that are durable; the rest is kept for the commit that can wait.
        Err(JournalFault::Full) => Ok(scribe.chain().next_seq()),
        other => other,
    }
}

impl Desk {
    /// The next entry, however long that takes; none once every sender is gone.
    fn next(&self, entries: &mut mpsc::Receiver<Entry>) -> Option<Entry> {
        self.runtime.block_on(async {
            tokio::select! {
                entry = entries.recv() => entry,
                () = self.clock.rest() => None,
            }
        })
    }

    /// Commits, whatever it takes: while the disk is full, room is made of what may go, and tried again. Meanwhile
    /// nothing more is taken from anybody, so that polls stop and the time shows as unaccounted for.
    fn commit(&mut self, scribe: &mut Scribe, entries: &mut mpsc::Receiver<Entry>) -> Result<u64, Stopped> {
        let mut full_since: Option<Stamp> = None;
        loop {
            match scribe.commit() {
                Ok(places) => {
                    let Some(since) = full_since.take() else { return Ok(places) };
                    self.clock.holds_up(false);
                    let is_whole = self.reserve.restore();
                    let now = self.clock.now();
                    let lasted_ms = u64::try_from(now.since_ms(&since)).unwrap_or(0);
                    tracing::warn!(lasted_ms, reserve_is_whole = is_whole, "the disk takes records again");
                    scribe.write(now, Body::Notice(Notice::DiskFull { lasted_ms }));
                }
                Err(JournalFault::Full) => {
                    let now = self.clock.now();
                    if full_since.is_none() {
                        tracing::error!("the disk is full: making room; polls wait meanwhile");
                    }
                    full_since.get_or_insert(now);
                    self.clock.holds_up(true);
                    self.reserve.release();
                    let made = match scribe.make_room(&now, GapWhy::DiskFull) {
                        Ok(made) => made,
                        Err(JournalFault::Full) => false,
                        Err(fault @ (JournalFault::Broken | JournalFault::Unwritable)) => {
                            return Err(fault.into());
                        }
                    };
                    if !made {
                        if entries.is_closed() {
                            return Err(JournalFault::Full.into());
                        }
                        self.attend(scribe, entries)?;
                        let wake_ms = now.uptime_ms + FULL_RETRY_MS;
                        // The timer must be made inside the runtime: this thread has none of its own.
                        self.runtime.block_on(async { self.clock.sleep_until(wake_ms).await });
                    }
                }
                Err(fault @ (JournalFault::Broken | JournalFault::Unwritable)) => return Err(fault.into()),
            }
        }
    }

    /// While nothing can be written, what is durable still leaves, and receipts still come in: they are what makes room.
    fn attend(&mut self, scribe: &mut Scribe, entries: &mut mpsc::Receiver<Entry>) -> Result<(), Stopped> {
        while self.held_back.len() < HELD_BACK
            && let Ok(entry) = entries.try_recv()
        {
            match entry {
                Entry::Read { want, reply } => drop(reply.send(find(scribe, want)?)),
                Entry::Newest { reply } => drop(reply.send((newest(scribe)?, scribe.chain().next_seq()))),
                Entry::Receipt(received, bytes) => {
                    drop(take_receipt(scribe, &mut self.heard, &self.ancestors, &received, &bytes)?);
                }
                Entry::Write(..) | Entry::Accepted(_) => self.held_back.push_back(entry),
            }
        }
        Ok(())
    }

    fn epoch_is_over(&self, now: &Stamp) -> bool {
        self.epoch_began
            .is_none_or(|began| began.boot != now.boot || now.uptime_ms >= began.uptime_ms + KEY_EPOCH_MS)
    }

    /// The next key, certified by this one, which is erased with the same commit.
    fn rotate(&mut self, scribe: &mut Scribe, now: &Stamp) -> Result<u64, Stopped> {
        let (signer, pem) = keys::next(scribe.chain().suite())?;
        match scribe.rotate(now, signer, &pem) {
            Ok(places) => {
                keys::erase(&self.state)?;
                self.epoch_began = Some(*now);
                Ok(places)
            }
            // The present key goes on for now.
            Err(JournalFault::Full) => Ok(scribe.chain().next_seq()),
            Err(fault @ (JournalFault::Broken | JournalFault::Unwritable)) => Err(fault.into()),
        }
    }

    /// Prunes what is receipted and old, and keeps the journal within its size.
    fn tidy(&self, scribe: &mut Scribe, now: &Stamp) -> Result<u64, JournalFault> {
        match self.prune_and_thin(scribe, now) {
            Ok(()) | Err(JournalFault::Full) => Ok(scribe.chain().next_seq()),
            Err(fault @ (JournalFault::Broken | JournalFault::Unwritable)) => Err(fault),
        }
    }

    fn prune_and_thin(&self, scribe: &mut Scribe, now: &Stamp) -> Result<(), JournalFault> {
        // A clock that was set far ahead must not make everything old.
        let latest = scribe.journal().last_receipt()?.and_then(|bytes| own_copy::read(&bytes));
        let Some(latest) = latest else { return self.thin(scribe, now) };
        let today = now.wall_unix_ms.min(latest.received_unix_ms);
        let oldest = today.saturating_sub(i64::from(self.journal.retention_days) * DAY_MS);
        while scribe.prune(oldest, PRUNE_RECORDS)? == PRUNE_RECORDS {}
        self.thin(scribe, now)
    }

    fn thin(&self, scribe: &mut Scribe, now: &Stamp) -> Result<(), JournalFault> {
        while scribe.journal().size_bytes()? > self.journal.max_bytes {
            if !scribe.make_room(now, GapWhy::SizeCap)? {
                tracing::warn!(
                    "the journal is larger than `max_mb`, and nothing in it may be dropped: make it larger"
                );
                break;
            }
        }
        Ok(())
    }
}

fn newest(scribe: &mut Scribe) -> Result<Vec<Vec<u8>>, JournalFault> {
    let mut all = Vec::new();
    scribe.journal().newest(&mut |_seq, _class, bytes| {
        all.push(bytes.to_vec());
        true
    })?;
    Ok(all)
}

fn find(scribe: &mut Scribe, want: Want) -> Result<Option<Found>, JournalFault> {
    let mut found = None;
    scribe.journal().read(want.from, want.least, &mut |seq, _class, bytes| {
        found = Some((seq, bytes.to_vec()));
        false
    })?;
    let Some((seq, bytes)) = found else { return Ok(None) };
    Ok(Some(Found { seq, bytes, is_newest: scribe.journal().is_newest(seq)? }))
}
