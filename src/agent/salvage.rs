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
    if path.exists() && is_damaged(path) {
        let damage = salvage(path)?;
        return Ok((DiskJournal::open(path)?, Some(damage)));
    }
    Ok((DiskJournal::open(path)?, None))
}

/// Looks at every page after an end that was not clean, and at the first one otherwise.
fn is_damaged(path: &Path) -> bool {
    let damaged = |e: &rusqlite::Error| {
        matches!(
            e.sqlite_error_code(),
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt)
        )
    };
    let looked = Connection::open(path).and_then(|connection| {
        let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            return Ok(true);
        }
        let sql = "select coalesce((select seq from cursor where name = 'reserved'), 0)
                   > coalesce((select max(seq) from record), -1) + 1";
        let unclean: bool = connection.query_row(sql, [], |row| row.get(0))?;
        if !unclean {
            return Ok(true);
        }
        read_through(path);
        let answer: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
        Ok(answer == "ok")
    });
    match looked {
        Ok(sound) => !sound,
        Err(e) => damaged(&e),
    }
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
    let draft = ending(path, ".salvaged");
    let failed = |e: &dyn std::fmt::Display| Failure::new(Exit::Bug, format!("{}: {e}", path.display()));
    let _old = fs::remove_file(&draft);
    let mut journal = DiskJournal::open(&draft)?;
    let damaged = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let damage = match damaged {
        Ok(damaged) => journal.copy_readable(&damaged, LEAP).map_err(|e| failed(&format!("{e:?}")))?,
        Err(_) => Damage { salvaged: 0, lost: 0 },
    };
    journal.close(&draft)?;
    for companion in ["-wal", "-shm"] {
        let _moved = fs::rename(ending(path, companion), ending(&aside, companion));
    }
    fs::rename(path, &aside).map_err(|e| failed(&e))?;
    fs::rename(&draft, path).map_err(|e| failed(&e))?;
    Ok(damage)
}

fn aside(path: &Path) -> Result<PathBuf, Failure> {
    let free = (1..=MAX_ASIDE).map(|turn| ending(path, &format!(".damaged-{turn}"))).find(|p| !p.exists());
    free.ok_or_else(|| {
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
