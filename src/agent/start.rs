//! How a witness begins and goes on: key found, journal opened, memory recalled, and nothing said before.

use std::{collections::BTreeSet, path::Path};

use super::{
    config::AgentConfig,
    journal::{DiskJournal, JOURNAL_FILE},
    own_copy, renew, salvage,
};
use crate::{
    evidence::{
        Act, Body, Boot, Chain, Class, Dropped, Gap, GapWhy, Genesis, Journal, JournalFault, Keyring,
        LogHead, LogId, Notice, PublicKey, Record, Scribe, Signer, Trust, continuity::MAX_DROPPED,
        journal::Cursor, recall::Recall, record::Unverified, suite::signer_from_pem,
    },
    host::{
        Clock, clock,
        exit::{Exit, Failure},
        keys,
    },
    judge::{Dark, Finding, Memory, cutoff::reconcile::MAX_DAYS},
    terms::{Digest, Name, Stamp, time::DAY_MS},
};

/// Name and version, as every genesis and boot states it.
pub(super) const SOFTWARE: &str = concat!("coldhearth ", env!("CARGO_PKG_VERSION"));

/// What stands before the loop begins.
pub(super) struct Start {
    pub(super) scribe: Scribe,
    pub(super) memory: Memory,
    pub(super) trust: Trust,
    pub(super) accepted: u64,
    pub(super) receipted: Option<u64>,
    pub(super) epoch_began: Stamp,
    pub(super) ancestors: BTreeSet<LogId>,
    /// Acts that took effect and were never answered: the power went between the two.
    pub(super) unanswered: Vec<Act>,
}

/// What the journal tells of itself.
pub(super) struct Recalled {
    pub(super) recall: Recall,
    /// The last record that verifies.
    pub(super) last: Option<Record>,
    /// When the key that signs next was made.
    pub(super) epoch_began: Option<Stamp>,
    /// The keys of the log.
    pub(super) keyring: Keyring,
    /// The log this one continues.
    pub(super) continues: Option<LogHead>,
    /// Records that do not verify any more.
    pub(super) rotten: u64,
}

/// Opens key and journal, recalls what the records tell, and writes `genesis` and `boot`. `new_journal` says that the
/// operator knows that the journal is lost, and wants a new log.
///
/// # Errors
/// It cannot start; the message says what to do.
pub(super) fn start(clock: &dyn Clock, config: &AgentConfig, new_journal: bool) -> Result<Start, Failure> {
    let state = &config.gateway.state_dir;
    renew::finish_interrupted(state)?;
    let (mut journal, damage) = salvage::open(&state.join(JOURNAL_FILE))?;
    let proven = ahead(&mut journal, config)?;
    match proven {
        Some(ahead) if !new_journal => return Err(rolled_back(&ahead, state)),
        Some(_) | None => {}
    }
    let lost = if new_journal { lost_key(&mut journal, state)? } else { None };
    if let Some(end) = proven.or(lost) {
        renew::renew(clock, config, journal, end, proven.is_some())?;
        return start(clock, config, false);
    }
    let is_new = journal.last().map_err(journal_failed)?.is_none();
    let signer = signer(&mut journal, state, is_new)?;
    let Recalled { mut recall, last, epoch_began, mut keyring, continues, rotten } =
        recall(&mut journal, config)?;
    recall_past(&mut journal, &mut keyring, &mut recall)?;
    let boot_id = clock::boot_id();
    let rebooted = recall.boot_id() != Some(boot_id.as_str());
    clock.set_boot(recall.last().map_or(0, |last| last.boot) + u32::from(rebooted));
    let accepted = journal.cursor(Cursor::Accepted).map_err(journal_failed)?;
    // Where there is an authority, nothing but its receipt is delivery, from the first record on.
    let receipted = journal.cursor(Cursor::Receipted).map_err(journal_failed)?;
    let receipted = Some(receipted).filter(|seq| *seq > 0 || !config.authority.is_empty());
    let holes = if damage.is_some() || rotten > 0 {
        holes(&mut journal, &mut keyring, receipted.unwrap_or(0))?
    } else {
        Vec::new()
    };
    let (now, public_key) = (clock.now(), signer.public_key());
    let chain = chain(config, last.as_ref(), signer)?;
    let mut scribe = Scribe::begin(&now, chain, Box::new(journal)).map_err(journal_failed)?;
    if last.is_none() {
        scribe.write(now, Body::Genesis(genesis(config, public_key, None)));
    }
    scribe.write(now, boot(config, boot_id, rebooted, recall.dark(&now)));
    for meter in &config.meters {
        if recall.commissioned(meter.id) != Some(meter.commissioned.identity) {
            scribe.write(now, Body::Commissioned(meter.commissioning()));
        }
    }
    let (salvaged, lost) = damage.map_or((0, 0), |damage| (damage.salvaged, damage.lost));
    if damage.is_some() || rotten > 0 {
        scribe.write(now, Body::Notice(Notice::JournalDamaged { salvaged, lost: lost + rotten }));
    }
    for dropped in holes.chunks(MAX_DROPPED) {
        scribe.write(now, Body::Gap(Gap { why: GapWhy::Damaged, dropped: dropped.to_vec() }));
    }
    let places = scribe.commit().map_err(journal_failed)?;
    tracing::info!(key = %public_key.id(), places, "journal open");
    let mut trust = Trust::new(config.gateway.id, config.authority.clone());
    if let Some(bytes) = scribe.journal().last_receipt().map_err(journal_failed)? {
        // The authority's own time goes on from there, however the gateway's clock is set.
        let _other_authority = trust.open_receipt(&bytes);
    }
    recall.acts().iter().for_each(|act| trust.recall(act));
    let epoch_began = epoch_began.unwrap_or(now);
    let ancestors = ancestors(state, continues)?;
    let unanswered = recall.unanswered().to_vec();
    let memory = Memory { dark: recall.dark(&now), ..recall.into_memory() };
    Ok(Start { scribe, memory, trust, accepted, receipted, epoch_began, ancestors, unanswered })
}

/// What the own copy of the latest receipt proves to be missing here, if anything.
fn ahead(journal: &mut DiskJournal, config: &AgentConfig) -> Result<Option<LogHead>, Failure> {
    let Some(receipt) = own_copy::load(&config.gateway.state_dir, &config.authority) else { return Ok(None) };
    let last = journal.last().map_err(journal_failed)?;
    let last = last.and_then(|bytes| Unverified::read(&bytes).ok()).map(|last| *last.header());
    Ok(match last {
        Some(last) if last.log == receipt.upto.log && last.seq >= receipt.upto.seq => None,
        // A log that was begun since is another matter: its genesis names the one before.
        Some(last) if last.log != receipt.upto.log => None,
        Some(_) | None => Some(receipt.upto),
    })
}

/// Where the journal ends, if the key that is there cannot go on with it.
fn lost_key(journal: &mut DiskJournal, state: &Path) -> Result<Option<LogHead>, Failure> {
    let Some(last) = journal.last().map_err(journal_failed)? else { return Ok(None) };
    let Ok(last) = Unverified::read(&last) else { return Ok(None) };
    let expected = last.announced_key().map_or(last.header().key_id, |key| key.id());
    let fits = signer(journal, state, false)?.public_key().id() == expected;
    let end = LogHead { log: last.header().log, seq: last.header().seq, head: last.hash() };
    Ok((!fits).then_some(end))
}

/// Records between the ones that are left, which the authority has not got: nobody can send them any more.
fn holes(journal: &mut DiskJournal, keyring: &mut Keyring, from: u64) -> Result<Vec<Dropped>, Failure> {
    let mut next = None;
    let mut holes = Vec::new();
    let each = &mut |_: u64, _: Class, bytes: &[u8]| {
        let Ok(record) = Unverified::read(bytes).and_then(|unverified| keyring.open(unverified)) else {
            return true;
        };
        let seq = record.header.seq;
        let begins = if let Body::Skip { from, .. } = record.body { from } else { seq };
        if let Some(next) = next.filter(|next| *next < begins) {
            holes.push(Dropped { from: next, to: begins - 1, last: record.header.prev });
        }
        next = Some(seq + 1);
        true
    };
    journal.read(from.saturating_sub(1), Class::Routine, each).map_err(journal_failed)?;
    Ok(holes)
}

/// The logs this one continues, as its genesis and the journals kept aside tell.
fn ancestors(state: &Path, continues: Option<LogHead>) -> Result<BTreeSet<LogId>, Failure> {
    let entries = std::fs::read_dir(state)
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))?;
    let kept_aside = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        LogId::from_hex(name.strip_prefix("journal-")?.get(..16)?)
    });
    Ok(kept_aside.chain(continues.map(|head| head.log)).collect())
}

fn rolled_back(ahead: &LogHead, state: &Path) -> Failure {
    let message = format!(
        "{}: the journal is missing or shorter than place {} of log {}, which the authority has receipted; restore the \
         journal, or start once with --new-journal: that begins a new log and says so to the authority",
        state.join(JOURNAL_FILE).display(),
        ahead.seq,
        ahead.log
    );
    Failure::new(Exit::Config, message)
}

/// The key that signs next: the journal's own, since a later epoch lives and dies with it; the enrolled one before.
pub(super) fn signer(
    journal: &mut DiskJournal,
    state: &Path,
    is_new: bool,
) -> Result<Box<dyn Signer>, Failure> {
    let Some((epoch, pem)) = journal.key().map_err(journal_failed)? else {
        return keys::load_or_make(state, keys::KEY_FILE, is_new);
    };
    // Between the commit of a rotation and the erasure of the file the power may have gone.
    keys::erase(state)?;
    signer_from_pem(&pem).map_err(|why| not_ours(&format!("its key of epoch {epoch}: {why}")))
}

fn chain(config: &AgentConfig, last: Option<&Record>, signer: Box<dyn Signer>) -> Result<Chain, Failure> {
    let Some(last) = last else {
        return Ok(Chain::begin(config.gateway.id, new_log_id()?, 0, signer));
    };
    if last.header.gateway != config.gateway.id {
        let message = format!(
            "the journal in {} belongs to gateway {}, the configuration says {}; correct `gateway.id` or `state_dir`",
            config.gateway.state_dir.display(),
            last.header.gateway,
            config.gateway.id
        );
        return Err(Failure::new(Exit::Config, message));
    }
    Chain::resume(last, signer)
        .ok_or_else(|| not_ours("it ends with another key; if that is lost, start once with --new-journal"))
}

/// 64 random bits that name a new log.
pub(super) fn new_log_id() -> Result<LogId, Failure> {
    Ok(LogId(u64::from_be_bytes(keys::entropy()?)))
}

pub(super) fn genesis(config: &AgentConfig, public_key: PublicKey, continues: Option<LogHead>) -> Genesis {
    let mut profiles: Vec<(Name, Digest)> =
        config.meters.iter().map(|m| (m.profile.id, m.profile.digest)).collect();
    profiles.sort();
    profiles.dedup();
    Genesis {
        public_key,
        division: config.gateway.division,
        enterprise: config.gateway.enterprise,
        software: SOFTWARE.to_owned(),
        config: config.digest,
        profiles,
        continues,
    }
}

fn boot(config: &AgentConfig, boot_id: String, machine_rebooted: bool, dark: Option<Dark>) -> Body {
    Body::Boot(Boot {
        boot_id,
        machine_rebooted,
        software: SOFTWARE.to_owned(),
        config: config.digest,
        dark: dark.map(|dark| (dark.from, dark.ended)),
    })
}

/// Reads back the intervals by which the days before this start are set beside the supplier's.
fn recall_past(journal: &mut DiskJournal, keyring: &mut Keyring, recall: &mut Recall) -> Result<(), Failure> {
    let days = i64::try_from(MAX_DAYS).unwrap_or(0) + 1;
    let since = recall.last().map_or(0, |last| last.wall_unix_ms).saturating_sub(days * DAY_MS);
    for meter in recall.wants_past_of() {
        let each = &mut |_seq: u64, _class: Class, bytes: &[u8]| {
            // One that does not verify tells nothing, and was counted elsewhere if anything rests on it.
            let opened = Unverified::read(bytes).and_then(|unverified| keyring.open(unverified));
            if let Ok(Record { body: Body::Finding(Finding::Interval(interval)), .. }) = opened {
                recall.on_past(&interval);
            }
            true
        };
        journal.about("interval", meter.as_str(), since, each).map_err(journal_failed)?;
    }
    Ok(())
}

/// Reads back what the log tells. Its keys must follow from its genesis, or the witness does not go on; a single record
/// that does not verify is left out and counted.
pub(super) fn recall(journal: &mut DiskJournal, config: &AgentConfig) -> Result<Recalled, Failure> {
    let mut keyring = Keyring::default();
    let mut epoch_began = None;
    let (mut moved, mut continues, mut bad) = (None, None, None);
    let mut learn = |seq: u64, bytes: &[u8]| {
        let opened = Unverified::read(bytes).and_then(|unverified| {
            keyring.learn(&unverified);
            keyring.open(unverified)
        });
        match opened {
            Ok(record) => {
                epoch_began = Some(record.header.at);
                if let Body::Genesis(genesis) = &record.body {
                    continues = genesis.continues;
                }
                if let Body::Genesis(genesis) = &record.body
                    && (genesis.division, genesis.enterprise)
                        != (config.gateway.division, config.gateway.enterprise)
                {
                    moved = Some((genesis.division, genesis.enterprise));
                }
            }
            Err(refusal) => bad = bad.or(Some((seq, refusal))),
        }
    };
    journal.keys_of_the_log(&mut learn).map_err(journal_failed)?;
    if let Some((division, enterprise)) = moved {
        let message = format!(
            "the log began as division {division}, enterprise {enterprise}; correct `division` and `uscc`, or begin \
             a new log with another `state_dir`"
        );
        return Err(Failure::new(Exit::Config, message));
    }
    if let Some((seq, refusal)) = bad {
        return Err(not_ours(&format!("record {seq}: {refusal}")));
    }
    let (mut recall, mut rotten) = (Recall::default(), BTreeSet::new());
    let newest = &mut |_seq, _class, bytes: &[u8]| {
        match Unverified::read(bytes).and_then(|unverified| keyring.open(unverified)) {
            Ok(record) => recall.on(&record),
            Err(_) => drop(rotten.insert(Digest::of(bytes))),
        }
        true
    };
    journal.newest(newest).map_err(journal_failed)?;
    let mut last = None;
    while let Some(bytes) = journal.last().map_err(journal_failed)? {
        match Unverified::read(&bytes).and_then(|unverified| keyring.open(unverified)) {
            Ok(record) => {
                last = Some(record);
                break;
            }
            // What follows would name a hash that nobody else can find.
            Err(_) => {
                rotten.insert(Digest::of(&bytes));
                journal.drop_last().map_err(journal_failed)?;
            }
        }
    }
    let rotten = rotten.len() as u64;
    Ok(Recalled { recall, last, epoch_began, keyring, continues, rotten })
}

fn not_ours(what: &str) -> Failure {
    let cure =
        "restore the journal and the key that belong together, or keep both aside as evidence and enrol anew";
    Failure::new(
        Exit::Config,
        format!("the journal does not verify under this gateway's key: {what}; {cure}"),
    )
}

pub(super) fn journal_failed(fault: JournalFault) -> Failure {
    let message = match fault {
        JournalFault::Full => "the disk is full: nothing more can be attested; make room and start again",
        JournalFault::Broken => "the journal failed: see the line before; check the disk",
        JournalFault::Unwritable => {
            "a record could not be written canonically: this is a defect, please report it"
        }
    };
    Failure::new(Exit::Bug, message)
}
