//! A new log after a rollback: the old one is kept aside, and what must not be forgotten is said again in the new.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    config::AgentConfig,
    journal::{DiskJournal, JOURNAL_FILE},
    start::{self, Recalled, journal_failed},
};
use crate::{
    evidence::{
        Body, Chain, Journal as _, LogHead, LogId, Rollback, Scribe, record::Unverified,
        suite::signer_from_pem,
    },
    host::{
        Clock, clock,
        exit::{Exit, Failure},
    },
};

/// Journals of one log that are kept aside at most.
const MAX_ASIDE: u32 = 1_000;
/// The new journal while it is being made.
const DRAFT_FILE: &str = "journal.db.new";

/// Begins a new log that says what became of the old one: the authority has receipted it up to `receipted`, if that
/// `is_proven`; otherwise it simply ends there, its key lost.
///
/// # Errors
/// There is no key left to sign with, or a file cannot be written.
pub(super) fn renew(
    clock: &dyn Clock,
    config: &AgentConfig,
    mut old: DiskJournal,
    receipted: LogHead,
    is_proven: bool,
) -> Result<(), Failure> {
    let state = &config.gateway.state_dir;
    let last = old.last().map_err(journal_failed)?;
    let last = last.and_then(|bytes| Unverified::read(&bytes).ok());
    let local = last
        .as_ref()
        .filter(|last| last.header().log == receipted.log)
        .map(|last| (last.header().seq, last.hash()));
    let recalled = if last.is_some() { Some(start::recall(&mut old, config)?) } else { None };
    let kept = old.key().map_err(journal_failed)?;
    let epoch = kept.as_ref().map_or(0, |(epoch, _)| *epoch);
    let signer = start::signer(&mut old, state, false).map_err(|failure| lost_key(&failure))?;
    let draft = state.join(DRAFT_FILE);
    remove(&draft)?;
    let mut journal = DiskJournal::open(&draft)?;
    if let Some((epoch, pem)) = &kept {
        signer_from_pem(pem).map_err(|why| Failure::new(Exit::Config, format!("epoch {epoch}: {why}")))?;
        journal.keep_key(*epoch, pem).map_err(journal_failed)?;
    }
    let now = stamp(clock, recalled.as_ref());
    let public_key = signer.public_key();
    let chain = Chain::begin(config.gateway.id, start::new_log_id()?, epoch, signer);
    let log = chain.log();
    let mut scribe = Scribe::begin(&now, chain, Box::new(journal)).map_err(journal_failed)?;
    scribe.write(now, Body::Genesis(start::genesis(config, public_key, Some(receipted))));
    if is_proven {
        scribe.write(now, Body::Rollback(Rollback { receipted, local }));
    }
    for body in recalled.iter().flat_map(|recalled| recalled.recall.carried()) {
        scribe.write(now, body);
    }
    scribe.close().map_err(journal_failed)?;
    drop(scribe);
    tracing::warn!(old = %receipted.log, new = %log, is_proven, "a new log begins");
    let aside = free_name(state, last.as_ref().map_or(receipted.log, |last| last.header().log))?;
    old.close(&state.join(JOURNAL_FILE))?;
    rename(&state.join(JOURNAL_FILE), &aside)?;
    finish_interrupted(state)
}

/// A name for the old journal that nothing else has: an older image of one log may have been kept aside before.
fn free_name(state: &Path, log: LogId) -> Result<PathBuf, Failure> {
    let name = |turn: u32| {
        let turn = if turn == 0 { String::new() } else { format!("-{turn}") };
        state.join(format!("journal-{log}{turn}.db"))
    };
    (0..MAX_ASIDE).map(name).find(|path| !path.exists()).ok_or_else(|| {
        let message =
            format!("{}: {MAX_ASIDE} journals of log {log} are kept here; see to them", state.display());
        Failure::new(Exit::Config, message)
    })
}

/// A power cut between the two renames leaves no journal but its successor: it takes its place.
///
/// # Errors
/// A file cannot be renamed.
pub(super) fn finish_interrupted(state: &Path) -> Result<(), Failure> {
    let (journal, draft) = (state.join(JOURNAL_FILE), state.join(DRAFT_FILE));
    if journal.exists() || !draft.exists() {
        return Ok(());
    }
    rename(&draft, &journal)?;
    fs::File::open(state).and_then(|folder| folder.sync_all()).map_err(|e| failed(state, &e))
}

/// The boot counter goes on, so that uptimes before and after are never taken for those of one boot.
fn stamp(clock: &dyn Clock, recalled: Option<&Recalled>) -> crate::terms::Stamp {
    let recall = recalled.map(|recalled| &recalled.recall);
    let rebooted = recall.and_then(|recall| recall.boot_id()) != Some(clock::boot_id().as_str());
    let before = recall.and_then(|recall| recall.last()).map_or(0, |last| last.boot);
    clock.set_boot(before + u32::from(rebooted));
    clock.now()
}

fn lost_key(failure: &Failure) -> Failure {
    let cure = "the key was lost with the journal: run `coldhearth enrol` with --again, have the authority admit the \
                new key, and start with --new-journal";
    Failure::new(Exit::Config, format!("{failure}\n{cure}"))
}

fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    if !from.exists() {
        return Ok(());
    }
    for ending in ["-wal", "-shm"] {
        remove(&with_ending(to, ending))?;
        // A database closed cleanly has neither any more; one that was not keeps them beside it.
        let companion = with_ending(from, ending);
        if companion.exists() {
            fs::rename(&companion, with_ending(to, ending)).map_err(|e| failed(&companion, &e))?;
        }
    }
    fs::rename(from, to).map_err(|e| failed(from, &e))
}

fn remove(path: &Path) -> Result<(), Failure> {
    for path in [path.to_owned(), with_ending(path, "-wal"), with_ending(path, "-shm")] {
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(&path, &e)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    PathBuf::from(text)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Permission, format!("{}: {error}", path.display()))
}
