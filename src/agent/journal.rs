//! The journal on disk: SQLite, readable with any `sqlite3`. The truth; MQTT is a courier.
//!
//! `record.bytes` are the bytes that travel. `sqlite3 journal.db "select bytes from record order by seq"` is what
//! `coldhearth verify -` reads.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    evidence::{
        Class, Dropped, Journal, JournalFault, Receipt, Sealed, Signed,
        journal::{Cursor, Each, KEPT, ranges},
    },
    host::{
        database,
        exit::{Exit, Failure},
    },
};

use super::salvage::Damage;

/// File name of the journal in the state directory.
pub const JOURNAL_FILE: &str = "journal.db";

/// How long folding the write-ahead log waits for a reader, in milliseconds.
const FOLD_TIMEOUT_MS: u64 = 100;

/// Released migrations are never edited; a new schema is a new entry. What each made of the one before is tested on the
/// files in `tests/journals/`.
const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    alter table record add column wall_unix_ms integer not null default 0;
    update record set wall_unix_ms = json_extract(bytes, '$.wall_unix_ms');
    create table receipt (
        hash text primary key,
        seq integer not null,
        received_unix_ms integer not null,
        bytes text not null
    ) strict, without rowid;
    create index receipt_seq on receipt (seq, received_unix_ms);
    create table key (epoch integer primary key, pem text not null) strict;
",
];

/// A journal in a file.
pub struct DiskJournal {
    connection: Connection,
    open: bool,
    key_changed: bool,
}

impl DiskJournal {
    /// Opens the journal of a state directory, or makes it.
    ///
    /// # Errors
    /// It cannot be opened, or a later version of this program wrote it.
    pub fn open(path: &Path) -> Result<DiskJournal, Failure> {
        DiskJournal::over(database::open(path, MIGRATIONS)?, path)
    }

    /// As [`DiskJournal::open`], of a journal that was looked through and is open already. One that `was_closed` has
    /// nothing in its write-ahead log.
    ///
    /// # Errors
    /// As [`DiskJournal::open`].
    pub fn take_over(connection: Connection, path: &Path, was_closed: bool) -> Result<DiskJournal, Failure> {
        let journal = DiskJournal::over(database::take_over(connection, path, MIGRATIONS)?, path)?;
        // A key that was erased before the power went may still stand in that log.
        Ok(DiskJournal { key_changed: !was_closed, ..journal })
    }

    fn over(connection: Connection, path: &Path) -> Result<DiskJournal, Failure> {
        // An erased key must not stand on in a page that is merely free.
        connection
            .pragma_update(None, "secure_delete", true)
            .map_err(|e| Failure::new(Exit::Bug, format!("{}: {e}", path.display())))?;
        Ok(DiskJournal { connection, open: false, key_changed: false })
    }

    /// Opens a journal to read it, beside an agent that may be writing.
    ///
    /// # Errors
    /// It cannot be read, or an earlier or later version of this program wrote it.
    pub fn open_to_read(path: &Path) -> Result<DiskJournal, Failure> {
        let connection = database::open_to_read(path, MIGRATIONS.len())?;
        Ok(DiskJournal { connection, open: false, key_changed: false })
    }

    /// Lets the journal grow to so many bytes only, as a full disk would.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn limit_bytes(&mut self, bytes: u64) -> Result<(), JournalFault> {
        let pages = (bytes / self.page_bytes()?).max(1);
        let set = self.connection.query_row(&format!("pragma max_page_count = {pages}"), [], |_| Ok(()));
        set.map_err(|e| fault(&e))
    }

    /// The signing key kept here and its epoch.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn key(&mut self) -> Result<Option<(u32, String)>, JournalFault> {
        let sql = "select epoch, pem from key order by epoch desc limit 1";
        let found = self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        found.map_err(|e| fault(&e))
    }

    /// Whether the file is what was written: a torn or rotten page is found here.
    pub fn is_sound(&mut self) -> bool {
        let answer: rusqlite::Result<String> =
            self.connection.query_row("pragma quick_check(1)", [], |row| row.get(0));
        answer.is_ok_and(|answer| answer == "ok")
    }

    /// Every receipt kept, in the order of their places.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn receipts(&mut self, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), JournalFault> {
        let sql = "select bytes from receipt order by seq, received_unix_ms";
        let mut statement = self.connection.prepare(sql).map_err(|e| fault(&e))?;
        let mut rows = statement.query([]).map_err(|e| fault(&e))?;
        while let Some(row) = rows.next().map_err(|e| fault(&e))? {
            let bytes =
                row.get_ref(0).map_err(|e| fault(&e))?.as_bytes().map_err(|_| JournalFault::Broken)?;
            if !each(bytes) {
                break;
            }
        }
        Ok(())
    }

    /// The genesis and every rotation, in order: what makes the keys of the log known.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn keys_of_the_log(&mut self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), JournalFault> {
        let sql = "select seq, class, bytes from record where kind in ('genesis', 'key_rotate') order by seq";
        self.rows(sql, [], &mut |seq, _class, bytes| {
            each(seq, bytes);
            true
        })
    }

    /// Every record of a shelf about this subject since a moment of the wall clock, Unix milliseconds, in order.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn about(
        &mut self,
        shelf: &str,
        subject: &str,
        since_unix_ms: i64,
        each: Each<'_>,
    ) -> Result<(), JournalFault> {
        let sql = "select seq, class, bytes from record
                   where kind = ?1 and subject = ?2 and wall_unix_ms >= ?3 order by seq";
        self.rows(sql, params![shelf, subject, since_unix_ms], each)
    }

    /// Removes the last record: it does not verify, and nothing may follow it.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn drop_last(&mut self) -> Result<(), JournalFault> {
        self.execute("delete from record where seq = (select max(seq) from record)", [])?;
        self.commit()
    }

    /// Closes the file, the write-ahead log folded in.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn close(self, path: &Path) -> Result<(), Failure> {
        let failed = |(_, e): (Connection, rusqlite::Error)| {
            Failure::new(Exit::Bug, format!("{}: {e}", path.display()))
        };
        self.connection.close().map_err(failed)
    }

    /// Takes over every row that can be read of a damaged journal: forward as far as it goes, then backward. The log
    /// goes on `leap` places behind the last of them.
    ///
    /// # Errors
    /// See [`JournalFault`], about this journal.
    pub fn copy_readable(&mut self, damaged: &Connection, leap: u64) -> Result<Damage, JournalFault> {
        for order in ["asc", "desc"] {
            let sql = format!("select seq, class, kind, subject, bytes from record order by seq {order}");
            let into = "insert or ignore into record (seq, class, kind, subject, bytes, wall_unix_ms)
                        values (?1, ?2, ?3, ?4, ?5, json_extract(?5, '$.wall_unix_ms'))";
            self.copy(damaged, &sql, into)?;
        }
        let receipts = "select hash, seq, received_unix_ms, bytes from receipt";
        self.copy(damaged, receipts, "insert or ignore into receipt values (?1, ?2, ?3, ?4)")?;
        self.copy(damaged, "select epoch, pem from key", "insert or ignore into key values (?1, ?2)")?;
        self.copy(damaged, "select name, seq from cursor", "insert or ignore into cursor values (?1, ?2)")?;
        let sql = "select coalesce(max(seq), 0) from record";
        let last: i64 = self.connection.query_row(sql, [], |row| row.get(0)).map_err(|e| fault(&e))?;
        let reserved = self.cursor(Cursor::Reserved)?.max(last.cast_unsigned().saturating_add(leap));
        self.set_cursor(Cursor::Reserved, reserved)?;
        self.key_changed = true;
        self.commit()?;
        self.damage()
    }

    /// How many records are here, and how many places between them have none.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub fn damage(&self) -> Result<Damage, JournalFault> {
        let sql = "select count(*), coalesce(max(seq) - min(seq) + 1 - count(*), 0) from record";
        let counted: rusqlite::Result<(i64, i64)> =
            self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (salvaged, lost) = counted.map_err(|e| fault(&e))?;
        Ok(Damage { salvaged: salvaged.cast_unsigned(), lost: lost.cast_unsigned() })
    }

    /// Copies rows until one cannot be read; a row that is readable but no row of ours is left out.
    fn copy(&mut self, from: &Connection, sql: &str, into: &str) -> Result<(), JournalFault> {
        let Ok(mut statement) = from.prepare(sql) else { return Ok(()) };
        let columns = statement.column_count();
        let Ok(mut rows) = statement.query([]) else { return Ok(()) };
        while let Ok(Some(row)) = rows.next() {
            let values: rusqlite::Result<Vec<rusqlite::types::Value>> =
                (0..columns).map(|column| row.get(column)).collect();
            let Ok(values) = values else { continue };
            match self.execute(into, rusqlite::params_from_iter(values)) {
                Err(JournalFault::Full) => return Err(JournalFault::Full),
                Ok(_) | Err(JournalFault::Broken | JournalFault::Unwritable) => {}
            }
        }
        Ok(())
    }

    /// Folds the write-ahead log into the database; false when somebody is in the way.
    fn fold(&self) -> rusqlite::Result<bool> {
        self.connection.busy_timeout(std::time::Duration::from_millis(FOLD_TIMEOUT_MS))?;
        let folded =
            self.connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get::<_, i64>(0));
        self.connection.busy_timeout(std::time::Duration::from_millis(database::BUSY_TIMEOUT_MS))?;
        folded.map(|busy| busy == 0)
    }

    fn page_bytes(&self) -> Result<u64, JournalFault> {
        self.pragma("page_size")
    }

    fn pragma(&self, name: &str) -> Result<u64, JournalFault> {
        let found: rusqlite::Result<i64> = self.connection.pragma_query_value(None, name, |row| row.get(0));
        found.map(i64::cast_unsigned).map_err(|e| fault(&e))
    }

    fn begin(&mut self) -> Result<(), JournalFault> {
        if !self.open {
            self.connection.execute_batch("begin immediate").map_err(|e| fault(&e))?;
            self.open = true;
        }
        Ok(())
    }

    fn execute(&mut self, sql: &str, params: impl rusqlite::Params) -> Result<usize, JournalFault> {
        self.begin()?;
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| fault(&e))?;
        statement.execute(params).map_err(|e| fault(&e))
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

/// Holds for a row of `record r` that is not the newest of its type and subject.
const IS_SURPASSED: &str =
    "exists (select 1 from record s where s.kind = r.kind and s.subject = r.subject and s.seq > r.seq)";

/// The newest of each type and subject, and every act. From pair to pair by the index, since grouping would read an
/// entry for each record there is.
const NEWEST: &str = "
    with recursive
    known (kind) as (
        select min(kind) from record
        union all
        select (select min(r.kind) from record r where r.kind > known.kind) from known where known.kind is not null
    ),
    pair (kind, subject) as (
        select kind, (select min(r.subject) from record r where r.kind = known.kind)
        from known where kind is not null
        union all
        select kind, (select min(r.subject) from record r where r.kind = pair.kind and r.subject > pair.subject)
        from pair where subject is not null
    )
    select seq, class, bytes from record
    where kind = 'act' or seq in (
        select (select max(r.seq) from record r where r.kind = pair.kind and r.subject = pair.subject)
        from pair where subject is not null
    )
    order by seq";

impl Journal for DiskJournal {
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault> {
        let sql = "insert into record (seq, class, kind, subject, wall_unix_ms, bytes)
                   values (?1, ?2, ?3, ?4, ?5, ?6)";
        let subject = sealed.subject.as_ref().map_or("", |subject| subject.as_str());
        let text = str::from_utf8(sealed.bytes).map_err(|_| JournalFault::Unwritable)?;
        let (seq, class) = (sealed.seq.cast_signed(), sealed.class.number());
        self.execute(sql, params![seq, class, sealed.kind, subject, sealed.wall_unix_ms, text]).map(|_| ())
    }

    fn commit(&mut self) -> Result<(), JournalFault> {
        if self.open {
            self.connection.execute_batch("commit").map_err(|e| fault(&e))?;
            self.open = false;
        }
        if self.key_changed {
            // The key that was erased still stands in the write-ahead log until that is folded in. What was committed
            // is durable all the same: a full disk, or a reader who holds the log open, delays this to the next commit.
            let folded = self.fold();
            self.key_changed = !folded.unwrap_or(false);
        }
        Ok(())
    }

    fn take_back(&mut self) {
        // A failed statement may have ended the transaction by itself.
        if std::mem::take(&mut self.open) && !self.connection.is_autocommit() {
            let _ended = self.connection.execute_batch("rollback");
        }
    }

    fn last(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        let sql = "select bytes from record order by seq desc limit 1";
        let found: Option<String> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional().map_err(|e| fault(&e))?;
        Ok(found.map(String::into_bytes))
    }

    fn read(&mut self, from: u64, least: Class, each: Each<'_>) -> Result<(), JournalFault> {
        let sql = "select seq, class, bytes from record where seq >= ?1 and class <= ?2 order by seq";
        self.rows(sql, params![i64::try_from(from).unwrap_or(i64::MAX), least.number()], each)
    }

    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault> {
        self.rows(NEWEST, [], each)
    }

    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault> {
        let sql = format!("select not {IS_SURPASSED} from record r where seq = ?1");
        let mut statement = self.connection.prepare_cached(&sql).map_err(|e| fault(&e))?;
        let found = statement.query_row([seq.cast_signed()], |row| row.get(0)).optional();
        found.map(|newest| newest.unwrap_or(false)).map_err(|e| fault(&e))
    }

    fn cursor(&mut self, cursor: Cursor) -> Result<u64, JournalFault> {
        let sql = "select seq from cursor where name = ?1";
        let found: Option<i64> = self
            .connection
            .query_row(sql, [cursor.word()], |row| row.get(0))
            .optional()
            .map_err(|e| fault(&e))?;
        Ok(found.unwrap_or(0).cast_unsigned())
    }

    fn set_cursor(&mut self, cursor: Cursor, seq: u64) -> Result<(), JournalFault> {
        let sql = "insert into cursor (name, seq) values (?1, ?2) on conflict (name) do update set seq = ?2";
        self.execute(sql, params![cursor.word(), seq.cast_signed()]).map(|_| ())
    }

    fn keep_receipt(&mut self, receipt: &Receipt, bytes: &[u8]) -> Result<(), JournalFault> {
        let signed = Signed::read(bytes).map_err(|_| JournalFault::Unwritable)?;
        let text = str::from_utf8(bytes).map_err(|_| JournalFault::Unwritable)?;
        let sql =
            "insert or ignore into receipt (hash, seq, received_unix_ms, bytes) values (?1, ?2, ?3, ?4)";
        let seq = receipt.upto.seq.cast_signed();
        self.execute(sql, params![signed.hash().to_string(), seq, receipt.received_unix_ms, text]).map(|_| ())
    }

    fn last_receipt(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        let sql = "select bytes from receipt order by seq desc, received_unix_ms desc limit 1";
        let found: Option<String> =
            self.connection.query_row(sql, [], |row| row.get(0)).optional().map_err(|e| fault(&e))?;
        Ok(found.map(String::into_bytes))
    }

    fn keep_key(&mut self, epoch: u32, pem: &str) -> Result<(), JournalFault> {
        self.execute("delete from key", [])?;
        self.execute("insert into key (epoch, pem) values (?1, ?2)", params![epoch, pem])?;
        self.key_changed = true;
        Ok(())
    }

    fn prune(&mut self, before: u64, before_unix_ms: i64, most: u32) -> Result<u32, JournalFault> {
        let kept = KEPT.map(|kind| format!("'{kind}'")).join(", ");
        let sql = format!(
            "delete from record where seq in (
                 select seq from record r where seq < ?1 and wall_unix_ms < ?2 and kind not in ({kept})
                 and {IS_SURPASSED} order by seq limit ?3)"
        );
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let removed = self.execute(&sql, params![before, before_unix_ms, most])?;
        let sql = "delete from receipt where received_unix_ms < ?1 and seq < (select max(seq) from receipt)";
        self.execute(sql, [before_unix_ms])?;
        Ok(u32::try_from(removed).unwrap_or(u32::MAX))
    }

    fn thin(&mut self, from: u64, most: u32) -> Result<Vec<Dropped>, JournalFault> {
        let sql = format!(
            "select seq, class, bytes from record r where seq >= ?1 and class = ?2 and {IS_SURPASSED}
             order by seq limit ?3"
        );
        let mut removed: Vec<(u64, Vec<u8>)> = Vec::new();
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        self.rows(&sql, params![from, Class::Routine.number(), most], &mut |seq, _class, bytes| {
            removed.push((seq, bytes.to_vec()));
            true
        })?;
        for (seq, _) in &removed {
            self.execute("delete from record where seq = ?1", [seq.cast_signed()])?;
        }
        Ok(ranges(removed.iter().map(|(seq, bytes)| (*seq, bytes.as_slice()))))
    }

    fn size_bytes(&mut self) -> Result<u64, JournalFault> {
        let pages = self.pragma("page_count")?.saturating_sub(self.pragma("freelist_count")?);
        Ok(pages * self.page_bytes()?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{Act, Answer, Body, Chain, Checkpoint, Ed25519, LogId, MemoryJournal, Notice, Sealer},
        terms::{ClockQuality, Digest, GatewayId, Name, Stamp},
    };

    fn newest(journal: &mut dyn Journal) -> Vec<(u64, Vec<u8>)> {
        let mut all = Vec::new();
        journal
            .newest(&mut |seq, _class, bytes| {
                all.push((seq, bytes.to_vec()));
                true
            })
            .unwrap();
        all
    }

    fn act(number: u32) -> Act {
        let draft = serde_json::json!({
            "act": "order", "act_id": "order-1", "version": number, "gateway_id": "gw-03",
            "issued_unix_ms": 1, "expires_unix_ms": 2,
        });
        let draft = draft.as_object().unwrap();
        Act::seal(draft, &mut Sealer::default(), &Ed25519::from_seed(&[9; 32])).unwrap()
    }

    #[test]
    fn the_newest_of_each_type_and_subject_and_every_act_are_found() {
        let path = std::env::temp_dir().join(format!("coldhearth-newest-{}.db", std::process::id()));
        let (mut disk, mut memory) = (DiskJournal::open(&path).unwrap(), MemoryJournal::default());
        assert_eq!(newest(&mut disk), []);
        let mut chain = Chain::begin(
            GatewayId::new("gw-03").unwrap(),
            LogId(1),
            0,
            Box::new(Ed25519::from_seed(&[7; 32])),
        );
        let answer = |id: &str, version| {
            let act = Some((Name::new(id).unwrap(), version));
            Body::Answer(Answer { act, bytes: Digest::ZERO, refused: None })
        };
        let beat = |entries| {
            Body::Checkpoint(Checkpoint { entries, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 })
        };
        let at = Stamp { wall_unix_ms: 1, uptime_ms: 1, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 };
        for turn in 1..4 {
            let said = [
                beat(1),
                answer("b", turn),
                Body::Act(act(turn)),
                answer("a", turn),
                beat(2),
                answer("c", turn),
                Body::Notice(Notice::CertificateExpiring { days: 3 }),
            ];
            for body in said.into_iter().take(8 - turn as usize) {
                let sealed = chain.seal(&at, &body).unwrap();
                disk.append(&sealed).unwrap();
                memory.append(&sealed).unwrap();
            }
            let found = newest(&mut disk);
            assert_eq!(found, newest(&mut memory));
            assert_eq!(found.len(), 5 + turn as usize);
        }
        for ending in ["", "-wal", "-shm"] {
            let _gone = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
    }
}
