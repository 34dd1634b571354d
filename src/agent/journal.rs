//! The journal on disk: SQLite, readable with any `sqlite3`. The truth; MQTT is a courier.
//!
//! `record.bytes` are the bytes that travel. `sqlite3 journal.db "select bytes from record order by seq"` is what
//! `coldhearth verify -` reads.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    evidence::{Class, Journal, JournalFault, Sealed, journal::Each},
    host::{database, exit::Failure},
};

/// File name of the journal in the state directory.
pub const JOURNAL_FILE: &str = "journal.db";

/// Released migrations are never edited; a new schema is a new entry.
const MIGRATIONS: &[&str] = &["
    create table record (
        seq integer primary key,
        class integer not null,
        kind text not null,
        subject text not null,
        bytes text not null
    ) strict;
    create index record_newest on record (kind, subject, seq);
    create index record_urgent on record (class, seq);
    create table cursor (name text primary key, seq integer not null) strict, without rowid;
"];

/// A journal in a file.
pub struct DiskJournal {
    connection: Connection,
    open: bool,
}

impl DiskJournal {
    /// Opens the journal of a state directory, or makes it.
    ///
    /// # Errors
    /// It cannot be opened, or a later version of this program wrote it.
    pub fn open(path: &Path) -> Result<DiskJournal, Failure> {
        Ok(DiskJournal { connection: database::open(path, MIGRATIONS)?, open: false })
    }

    fn begin(&mut self) -> Result<(), JournalFault> {
        if !self.open {
            self.connection.execute_batch("begin immediate").map_err(|e| fault(&e))?;
            self.open = true;
        }
        Ok(())
    }

    fn rows(&self, sql: &str, params: impl rusqlite::Params, each: Each<'_>) -> Result<(), JournalFault> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| fault(&e))?;
        let mut rows = statement.query(params).map_err(|e| fault(&e))?;
        while let Some(row) = rows.next().map_err(|e| fault(&e))? {
            let seq: i64 = row.get(0).map_err(|e| fault(&e))?;
            let class: u8 = row.get(1).map_err(|e| fault(&e))?;
            let bytes =
                row.get_ref(2).map_err(|e| fault(&e))?.as_bytes().map_err(|_| JournalFault::Broken)?;
            let class = class_of(class).ok_or(JournalFault::Broken)?;
            if !each(seq.cast_unsigned(), class, bytes) {
                break;
            }
        }
        Ok(())
    }
}

impl Journal for DiskJournal {
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault> {
        self.begin()?;
        let sql = "insert into record (seq, class, kind, subject, bytes) values (?1, ?2, ?3, ?4, ?5)";
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| fault(&e))?;
        let subject = sealed.subject.as_ref().map_or("", |subject| subject.as_str());
        let text = str::from_utf8(sealed.bytes).map_err(|_| JournalFault::Unwritable)?;
        let row = params![sealed.seq.cast_signed(), sealed.class.number(), sealed.kind, subject, text];
        statement.execute(row).map(|_| ()).map_err(|e| fault(&e))
    }

    fn commit(&mut self) -> Result<(), JournalFault> {
        if std::mem::take(&mut self.open) {
            self.connection.execute_batch("commit").map_err(|e| fault(&e))?;
        }
        Ok(())
    }

    fn last(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        let sql = "select bytes from record order by seq desc limit 1";
        let found: Option<String> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional().map_err(|e| fault(&e))?;
        Ok(found.map(String::into_bytes))
    }

    fn read(&mut self, from: u64, least: Class, each: Each<'_>) -> Result<(), JournalFault> {
        let sql = "select seq, class, bytes from record where seq >= ?1 and class <= ?2 order by seq";
        self.rows(sql, params![from.cast_signed(), least.number()], each)
    }

    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault> {
        let sql = "select seq, class, bytes from record
                   where seq in (select max(seq) from record group by kind, subject) order by seq";
        self.rows(sql, [], each)
    }

    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault> {
        let sql = "select not exists (
                       select 1 from record r join record s on r.kind = s.kind and r.subject = s.subject and s.seq > r.seq
                       where r.seq = ?1)";
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| fault(&e))?;
        statement.query_row([seq.cast_signed()], |row| row.get(0)).map_err(|e| fault(&e))
    }

    fn accepted(&mut self) -> Result<u64, JournalFault> {
        let sql = "select seq from cursor where name = 'accepted'";
        let found: Option<i64> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional().map_err(|e| fault(&e))?;
        Ok(found.unwrap_or(0).cast_unsigned())
    }

    fn set_accepted(&mut self, seq: u64) -> Result<(), JournalFault> {
        self.begin()?;
        let sql = "insert into cursor (name, seq) values ('accepted', ?1) on conflict (name) do update set seq = ?1";
        self.connection.execute(sql, [seq.cast_signed()]).map(|_| ()).map_err(|e| fault(&e))
    }
}

fn class_of(number: u8) -> Option<Class> {
    [Class::Alert, Class::Verdict, Class::Routine].into_iter().find(|class| class.number() == number)
}

fn fault(error: &rusqlite::Error) -> JournalFault {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => JournalFault::Full,
        Some(_) | None => {
            tracing::error!(%error, "the journal failed");
            JournalFault::Broken
        }
    }
}
