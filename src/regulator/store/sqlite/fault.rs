//! What an error of SQLite means for whoever asked.

use rusqlite::{Error, ErrorCode, ffi};

use crate::{
    host::{
        database,
        exit::{Exit, Failure},
    },
    regulator::store::StoreFault,
};

/// What it means that this store said so.
pub(super) fn of(path: &str, error: &Error) -> StoreFault {
    let code = error.sqlite_error_code();
    if has_no_room(error) {
        StoreFault::Full(format!("{path}: {error}"))
    } else if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
        let patience_ms = database::BUSY_TIMEOUT_MS;
        StoreFault::Away(format!(
            "{path}: {error}; another program holds it for longer than {patience_ms} ms"
        ))
    } else {
        StoreFault::Failed(Failure::new(Exit::Bug, format!("{path}: {error}")))
    }
}

/// Whether there is no room, by whichever name: on the disk, in a quota, or within a limit on the size of files. SQLite
/// calls only the first full, and not where it makes the index of its log grow.
fn has_no_room(error: &Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || extended.is_some_and(|code| [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE].contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_or_by_making_room_is_asked_again_and_nothing_else() {
        let fault = |code| of("store.db", &Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(matches!(fault(code), StoreFault::Full(why) if why.starts_with("store.db: ")), "{code}");
        }
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT, ffi::SQLITE_LOCKED] {
            assert!(matches!(fault(code), StoreFault::Away(why) if why.starts_with("store.db: ")), "{code}");
        }
        // After an fsync that failed nobody knows what is on the disk; and what rots does not get well.
        for code in
            [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_READ, ffi::SQLITE_CORRUPT, ffi::SQLITE_READONLY]
        {
            assert!(matches!(fault(code), StoreFault::Failed(_)), "{code}");
        }
    }
}
