//! A journal that the disk gave back damaged: what can be read is copied, the rest is kept aside and declared.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::journal::DiskJournal;
use crate::host::exit::{Exit, Failure};

/// Places left unused behind the last readable record, since nobody can tell any more how many were used.
pub const LEAP: u64 = 1 << 32;
/// Damaged journals kept aside at most; an administrator should look long before.
pub const MAX_ASIDE: u32 = 1_000;

/// What became of a damaged journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Records that could be read.
    pub salvaged: u64,
    /// Places between them that could not.
    pub lost: u64,
}

/// Opens the journal. A damaged one is moved aside, and what can be read of it stands in its place.
///
/// # Errors
/// It cannot be opened for another reason, or not written.
pub fn open(path: &Path) -> Result<(DiskJournal, Option<Damage>), Failure> {
    if !path.exists() && draft(path).exists() {
        // The power went while a salvaged journal took the place of the damaged one. A new journal here would be a new
        // log, and with the enrolled key erased it would have a new key too.
        take_place(path)?;
        let journal = DiskJournal::open(path)?;
        let damage = journal.damage().map_err(|e| failed(path, &format!("{e:?}")))?;
        return Ok((journal, Some(damage)));
    }
    if !path.exists() {
        return Ok((DiskJournal::open(path)?, None));
    }
    match look(path) {
        Look::Sound { connection, was_closed } => {
            Ok((DiskJournal::take_over(connection, path, was_closed)?, None))
        }
        Look::Damaged => {
            let damage = salvage(path)?;
            Ok((DiskJournal::open(path)?, Some(damage)))
        }
        // Opened once more it says why.
        Look::Untold => Ok((DiskJournal::open(path)?, None)),
    }
}

/// What a look at a journal tells.
enum Look {
    /// It is what was written; still open, since closing and opening it again costs as much as a start does.
    Sound {
        connection: Connection,
        /// The last end was clean.
        was_closed: bool,
    },
    /// The disk gave back something else.
    Damaged,
    /// It cannot be looked at.
    Untold,
}

/// Looks at every page after an end that was not clean, and at the first one otherwise.
fn look(path: &Path) -> Look {
    let looked = Connection::open(path).and_then(|connection| {
        let was_closed = was_closed(&connection)?;
        Ok((was_closed || is_sound(&connection, path)?, connection, was_closed))
    });
    match looked {
        Ok((true, connection, was_closed)) => Look::Sound { connection, was_closed },
        Ok((false, ..)) => Look::Damaged,
        Err(e) => match e.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => Look::Damaged,
            Some(_) | None => Look::Untold,
        },
    }
}

/// Whether no more places are reserved than used, or there is nothing yet.
fn was_closed(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(true);
    }
    let sql = "select coalesce((select seq from cursor where name = 'reserved'), 0)
               <= coalesce((select max(seq) from record), -1) + 1";
    connection.query_row(sql, [], |row| row.get(0))
}

fn is_sound(connection: &Connection, path: &Path) -> rusqlite::Result<bool> {
    read_through(path);
    let answer: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    Ok(answer == "ok")
}

/// Reads the file once from its beginning to its end. The check that follows goes to and fro in it, which a disk answers
/// ten times as slowly as a reader who goes straight on.
fn read_through(path: &Path) {
    // What cannot be read the check will find.
    let _read = fs::File::open(path).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
}

fn salvage(path: &Path) -> Result<Damage, Failure> {
    let aside = aside(path)?;
    tracing::error!(
        kept = %aside.display(),
        "the journal is damaged: what can be read goes on, the file is kept aside as evidence"
    );
    let draft = draft(path);
    let _old = fs::remove_file(&draft);
    let mut journal = DiskJournal::open(&draft)?;
    let damaged = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let damage = match damaged {
        Ok(damaged) => journal.copy_readable(&damaged, LEAP).map_err(|e| failed(path, &format!("{e:?}")))?,
        Err(_) => Damage { salvaged: 0, lost: 0 },
    };
    journal.close(&draft)?;
    // The file goes before its write-ahead log does: without that it would look sound and be older, and places that
    // were used would be used again.
    fs::rename(path, &aside).map_err(|e| failed(path, &e))?;
    take_place(path)?;
    Ok(damage)
}

/// What was salvaged takes the place of the damaged journal, which is aside by now.
fn take_place(path: &Path) -> Result<(), Failure> {
    let kept = asides(path).take_while(|aside| aside.exists()).last();
    for companion in ["-wal", "-shm"] {
        let left = ending(path, companion);
        match &kept {
            Some(kept) if left.exists() => {
                fs::rename(&left, ending(kept, companion)).map_err(|e| failed(&left, &e))?;
            }
            Some(_) | None => {}
        }
    }
    fs::rename(draft(path), path).map_err(|e| failed(path, &e))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failed(folder, &e))
}

/// What is being salvaged.
fn draft(path: &Path) -> PathBuf {
    ending(path, ".salvaged")
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Bug, format!("{}: {error}", path.display()))
}

fn asides(path: &Path) -> impl Iterator<Item = PathBuf> {
    (1..=MAX_ASIDE).map(move |turn| ending(path, &format!(".damaged-{turn}")))
}

fn aside(path: &Path) -> Result<PathBuf, Failure> {
    asides(path).find(|aside| !aside.exists()).ok_or_else(|| {
        let message =
            format!("{}: {MAX_ASIDE} damaged journals lie beside it; see to the disk", path.display());
        Failure::new(Exit::Bug, message)
    })
}

fn ending(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    PathBuf::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::journal::JOURNAL_FILE,
        evidence::{
            Body, Chain, Checkpoint, Ed25519, Journal as _, LogId, Scribe, journal::Cursor,
            record::Unverified,
        },
        terms::{ClockQuality, GatewayId, Stamp},
    };

    /// The last place on record, and the reservation.
    fn end(journal: &mut DiskJournal) -> (u64, u64) {
        let last = Unverified::read(&journal.last().unwrap().unwrap()).unwrap();
        (last.header().seq, journal.cursor(Cursor::Reserved).unwrap())
    }

    #[test]
    fn a_power_cut_at_any_step_of_a_salvage_loses_nothing_and_begins_no_new_log() {
        let folder = std::env::temp_dir().join(format!("coldhearth-salvage-{}", std::process::id()));
        let _old = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(JOURNAL_FILE);
        let at = Stamp { wall_unix_ms: 5, uptime_ms: 5, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 };
        let chain = Chain::begin(
            GatewayId::new("gw-03").unwrap(),
            LogId(1),
            0,
            Box::new(Ed25519::from_seed(&[7; 32])),
        );
        let mut scribe = Scribe::begin(&at, chain, Box::new(DiskJournal::open(&path).unwrap())).unwrap();
        let beat = Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 };
        (0..2_000).for_each(|_| scribe.write(at, Body::Checkpoint(beat)));
        scribe.commit().unwrap();
        drop(scribe);
        // Rotten in its middle, after an end that was not clean.
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8_192].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let (mut journal, damage) = open(&path).unwrap();
        let damage = damage.unwrap();
        assert!(damage.lost > 0 && damage.salvaged > 0, "{damage:?}");
        let whole = end(&mut journal);
        assert!(whole.1 > LEAP);
        journal.close(&path).unwrap();
        let aside = ending(&path, ".damaged-1");
        assert!(aside.exists());
        // As if the power had gone between the two renames, the damaged file's own companion still there.
        fs::rename(&path, draft(&path)).unwrap();
        fs::write(ending(&path, "-wal"), b"of the damaged one").unwrap();
        let (mut journal, again) = open(&path).unwrap();
        assert_eq!((end(&mut journal), again), (whole, Some(damage)), "the same log, and it says so");
        assert_eq!(fs::read(ending(&aside, "-wal")).unwrap(), b"of the damaged one");
        drop(journal);
        assert_eq!(open(&path).unwrap().1, None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
