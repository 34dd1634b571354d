//! SQLite the way evidence needs it: write-ahead log, synchronous FULL, versioned schema.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::exit::{Exit, Failure};

/// How long to wait for an inspector who holds the database, in milliseconds. Nothing has been promised meanwhile.
pub const BUSY_TIMEOUT_MS: u64 = 60_000;
/// Size the write-ahead log is cut back to, in bytes.
pub const WAL_LIMIT_BYTES: i64 = 16 * 1024 * 1024;

/// Opens a database and brings its schema up to date. Migration `n` leads from version `n` to `n + 1`; released
/// migrations are never edited.
///
/// # Errors
/// It cannot be opened, or was written by a later version of this program.
pub fn open(path: &Path, migrations: &[&str]) -> Result<Connection, Failure> {
    let opened = Connection::open(path);
    opened
        .map_err(|e| Failure::new(exit_of(&e), format!("{}: {e}", path.display())))
        .and_then(|connection| take_over(connection, path, migrations))
}

/// As [`open`], of a database that is open already.
///
/// # Errors
/// As [`open`].
pub fn take_over(
    mut connection: Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<Connection, Failure> {
    let failed = |e: &rusqlite::Error| Failure::new(exit_of(e), format!("{}: {e}", path.display()));
    prepare(&connection).map_err(|e| failed(&e))?;
    let version = migrate(&mut connection, migrations).map_err(|e| failed(&e))?;
    if usize::try_from(version).is_ok_and(|version| version <= migrations.len()) {
        return Ok(connection);
    }
    let known = migrations.len();
    let message = format!(
        "{}: schema version {version} is later than this program's {known}; install a later version",
        path.display()
    );
    Err(Failure::new(Exit::Config, message))
}

/// Opens a database only to read it; its schema must be of this version.
///
/// # Errors
/// It cannot be opened, or another version of this program wrote it.
pub fn open_to_read(path: &Path, version: usize) -> Result<Connection, Failure> {
    let failed = |e: &rusqlite::Error| Failure::new(exit_of(e), format!("{}: {e}", path.display()));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(&e))?;
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS)).map_err(|e| failed(&e))?;
    let found: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|e| failed(&e))?;
    if usize::try_from(found) == Ok(version) {
        return Ok(connection);
    }
    let message = format!(
        "{}: schema version {found}, this program reads {version}; use the version that wrote it",
        path.display()
    );
    Err(Failure::new(Exit::Config, message))
}

/// Applies what is missing in one transaction, so that two programs that open a new database at once do not both
/// migrate it. Tells the version it found if that is later than what is known here, the newest otherwise.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = usize::try_from(version).ok().and_then(|done| migrations.get(done..)).unwrap_or(&[]);
    for (number, migration) in (version + 1..).zip(missing) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()?;
    Ok(version.max(0))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" && mode != "memory" {
        return Err(rusqlite::Error::InvalidParameterName(format!("journal mode is {mode}, wal is needed")));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT_BYTES)?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn exit_of(error: &rusqlite::Error) -> Exit {
    match error.sqlite_error_code() {
        Some(
            rusqlite::ErrorCode::CannotOpen
            | rusqlite::ErrorCode::PermissionDenied
            | rusqlite::ErrorCode::ReadOnly,
        ) => Exit::Permission,
        Some(_) | None => Exit::Bug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_programs_that_open_a_new_database_at_once_migrate_it_once() {
        let path = std::env::temp_dir().join(format!("coldhearth-at-once-{}.db", std::process::id()));
        let opened: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || open(&path, &["create table a (x integer) strict;"]).is_ok())
            })
            .collect();
        assert!(opened.into_iter().all(|thread| thread.join().unwrap()));
        for ending in ["", "-wal", "-shm"] {
            let _gone = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
    }

    #[test]
    fn a_schema_grows_by_migrations_and_never_shrinks() {
        let path = std::env::temp_dir().join(format!("coldhearth-database-{}.db", std::process::id()));
        let one = "create table a (x integer) strict;";
        let two = "alter table a add column y integer;";
        drop(open(&path, &[one]).unwrap());
        let connection = open(&path, &[one, two]).unwrap();
        connection.execute("insert into a (x, y) values (1, 2)", []).unwrap();
        drop(connection);
        let later = open(&path, &[one]).unwrap_err();
        assert_eq!(later.exit, Exit::Config);
        for ending in ["", "-wal", "-shm"] {
            let _gone = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
    }
}
