//! The store in a file of its own: nothing to set up. One writer at a time, whichever program it is in.

mod alarms;
mod closed;
mod fault;
mod foreign;
mod inspections;
mod lineage;
mod people;
mod registry;
mod reported;
mod rows;
mod shown;
mod sights;
mod sums;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Admitted, Answered, Batch, FORKS_COUNTED, Kept, KeptEpoch, KeptFork, KeptHeads, KeptReceipt, KeptRecord,
    Log, PAGE_BYTES, Pruned, Spot, Store, StoreFault, schema, strange,
};
use crate::{
    evidence::{KeyId, LogId, PublicKey, heads::Listed},
    host::{
        database,
        exit::{Exit, Failure},
    },
    terms::{Digest, GatewayId},
};

/// File name of the store in the state directory.
pub const STORE_FILE: &str = "store.db";

/// The store.
pub struct SqliteStore {
    connection: Connection,
    path: String,
    /// Device and file that were opened.
    file: (u64, u64),
}

impl SqliteStore {
    /// Opens the store of a state directory, or makes it.
    ///
    /// # Errors
    /// It cannot be opened, or a later version of this program wrote it.
    pub fn open(state: &Path) -> Result<SqliteStore, Failure> {
        let path = closed::to_others(state)?;
        let connection = database::open(&path, schema::SQLITE)?;
        let path = path.display().to_string();
        let gone = || Failure::new(Exit::Unreachable, format!("{path}: gone as soon as it was opened"));
        let file = file_at(&path).ok_or_else(gone)?;
        Ok(SqliteStore { connection, path, file })
    }

    fn execute(&self, sql: &str, row: impl rusqlite::Params) -> Answered<usize> {
        let mut statement = self.ok(self.connection.prepare_cached(sql))?;
        self.ok(statement.execute(row))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Answered<Option<T>> {
        let mut statement = self.ok(self.connection.prepare_cached(sql))?;
        self.ok(statement.query_row(params, read).optional())
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> Answered<Vec<T>> {
        self.rows_until(|_| false, sql, params, read)
    }

    /// Rows up to the one after which there are enough.
    fn rows_until<T>(
        &self,
        mut is_last: impl FnMut(&T) -> bool,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> Answered<Vec<T>> {
        let mut statement = self.ok(self.connection.prepare_cached(sql))?;
        let mut rows = self.ok(statement.query(params))?;
        let mut all = Vec::new();
        while let Some(row) = self.ok(rows.next())? {
            let row = self.ok(read(row))?.ok_or_else(|| strange(&self.path))?;
            let is_enough = is_last(&row);
            all.push(row);
            if is_enough {
                break;
            }
        }
        Ok(all)
    }

    fn ok<T>(&self, done: rusqlite::Result<T>) -> Answered<T> {
        done.map_err(|error| fault::of(&self.path, &error))
    }

    /// Whoever removes or replaces the file leaves us one that nobody will ever find again.
    fn is_there(&self) -> Answered<()> {
        if file_at(&self.path) == Some(self.file) {
            return Ok(());
        }
        let why =
            format!("{}: was removed or replaced while it was open; put it back, and start again", self.path);
        Err(StoreFault::Failed(Failure::new(Exit::Unreachable, why)))
    }

    fn turn(&self, (gateway, log): Log) -> Answered<u64> {
        let sql = "select turn from turn where gateway = ?1 and log = ?2";
        let turn: Option<i64> =
            self.one(sql, params![gateway.as_str(), log.to_string()], |row| row.get(0))?;
        Ok(turn.unwrap_or(0).cast_unsigned())
    }

    /// Takes the next turn of each log, if it is still at the one that was seen.
    fn take_turns(&self, turns: &BTreeMap<Log, u64>) -> Answered<()> {
        let sql = "insert into turn (gateway, log, turn) values (?1, ?2, ?3)
                   on conflict (gateway, log) do update set turn = ?3";
        for ((gateway, log), seen) in turns {
            if self.turn((*gateway, *log))? != *seen {
                return Err(StoreFault::Conflict);
            }
            let next = seen.saturating_add(1).cast_signed();
            self.execute(sql, params![gateway.as_str(), log.to_string(), next])?;
        }
        Ok(())
    }

    fn write(&self, batch: &Batch) -> Answered<()> {
        self.take_turns(&batch.turns)?;
        for (spot, record) in &batch.records {
            self.write_record(spot, record)?;
        }
        for ((gateway, log), KeptEpoch { epoch, from, key }) in &batch.epochs {
            let sql = "insert or ignore into epoch (gateway, log, epoch, from_seq, public_key) values (?1, ?2, ?3, ?4, ?5)";
            let row = params![gateway.as_str(), log.to_string(), epoch, from.cast_signed(), key.to_base64()];
            self.execute(sql, row)?;
        }
        for kept in &batch.heads {
            self.write_head(kept)?;
        }
        for (log, fork) in &batch.forks {
            self.write_fork(*log, fork)?;
        }
        for ((gateway, log), KeptReceipt { seq, given_unix_ms, bytes }) in &batch.receipts {
            let sql = "insert or ignore into receipt (gateway, log, seq, received_unix_ms, bytes) values (?1, ?2, ?3, ?4, ?5)";
            let text = String::from_utf8_lossy(bytes);
            let row = params![gateway.as_str(), log.to_string(), seq.cast_signed(), given_unix_ms, text];
            self.execute(sql, row)?;
        }
        // What is mentioned, or shown by a finding, is not pruned.
        self.write_lineage(batch).and_then(|()| self.write_sights(batch))?;
        self.write_sums(batch)?;
        self.write_conditions(batch)?;
        batch.pruned.iter().try_for_each(|(log, pruned, stay)| self.write_pruned(*log, pruned, stay))
    }

    /// Keeps the place first: a log is never shorter than it says.
    fn write_pruned(&self, (gateway, log): Log, pruned: &Pruned, stay: &BTreeSet<u64>) -> Answered<()> {
        let sql = "insert into pruned (gateway, log, seq, hash, next_epoch, pruned_unix_ms) values (?1, ?2, ?3, ?4, ?5, ?6)
                   on conflict (gateway, log) do update set seq = ?3, hash = ?4, next_epoch = ?5, pruned_unix_ms = ?6";
        let (log, seq) = (log.to_string(), pruned.seq.cast_signed());
        let hash = pruned.hash.to_string();
        let row = params![gateway.as_str(), log, seq, hash, pruned.next_epoch, pruned.pruned_unix_ms];
        self.execute(sql, row)?;
        let sql = "delete from record where gateway = ?1 and log = ?2 and seq <= ?3
                   and kind not in ('genesis', 'key_rotate') and not exists (select 1 from mention
                   where mention.gateway = record.gateway and mention.log = record.log and mention.seq = record.seq)
                   and not exists (select 1 from finding where (first_gateway, first_log, first_seq) = (?1, ?2, record.seq)
                   or (second_gateway, second_log, second_seq) = (?1, ?2, record.seq)
                   or (excuse_gateway, excuse_log, excuse_seq) = (?1, ?2, record.seq))
                   and not exists (select 1 from alarm where alarm.record = record.hash)
                   and seq not in (select value from json_each(?4))";
        let stay = serde_json::Value::from_iter(stay.iter().copied()).to_string();
        self.execute(sql, params![gateway.as_str(), log, seq, stay])?;
        let sql =
            "delete from receipt where gateway = ?1 and log = ?2 and seq < (select max(seq) from receipt
                   where gateway = ?1 and log = ?2 and seq <= ?3)";
        self.execute(sql, params![gateway.as_str(), log, seq])?;
        self.forget_pruned(gateway.as_str(), &log, seq)
    }

    fn write_heads(&self, heads: &KeptHeads, list: &[Listed]) -> Answered<bool> {
        let KeptHeads { number, day, made_unix_ms, bytes } = heads;
        let (number, text) = (number.cast_signed(), String::from_utf8_lossy(bytes));
        let sql = "insert or ignore into heads (number, day, made_unix_ms, bytes) values (?1, ?2, ?3, ?4)";
        if self.execute(sql, params![number, day.to_string(), made_unix_ms, text])? == 0 {
            return Ok(false);
        }
        let sql = "insert into listed (number, gateway, log, seq, head) values (?1, ?2, ?3, ?4, ?5)";
        for (gateway, log, seq, head) in list {
            let row = params![number, gateway.as_str(), log.to_string(), seq.cast_signed(), head.to_string()];
            self.execute(sql, row)?;
        }
        Ok(true)
    }

    fn write_record(&self, (gateway, log, seq): &Spot, record: &KeptRecord) -> Answered<()> {
        let sql = "insert or ignore into record
                   (gateway, log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let KeptRecord { hash, kind, asset, wall_unix_ms, received_unix_ms, bytes } = record;
        let row = params![
            gateway.as_str(),
            log.to_string(),
            seq.cast_signed(),
            hash.to_string(),
            kind,
            asset,
            wall_unix_ms,
            received_unix_ms,
            String::from_utf8_lossy(bytes)
        ];
        self.execute(sql, row).map(|_| ())
    }

    fn write_head(&self, kept: &Kept) -> Answered<()> {
        let sql = "insert into log (gateway, log, division, uscc, seq, head, received_unix_ms, next_epoch, root)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                   on conflict (gateway, log) do update set seq = ?5, head = ?6, received_unix_ms = ?7, next_epoch = ?8";
        let row = params![
            kept.gateway.as_str(),
            kept.log.to_string(),
            kept.division.to_string(),
            kept.enterprise.as_str(),
            kept.seq.cast_signed(),
            kept.head.to_string(),
            kept.received_unix_ms,
            kept.next_epoch,
            kept.root.to_string()
        ];
        self.execute(sql, row).map(|_| ())
    }

    fn write_fork(&self, (gateway, log): Log, fork: &KeptFork) -> Answered<()> {
        // What is held at a place is written with its first proof; `=` stands for it with the others.
        let sql = "insert or ignore into fork (gateway, log, seq, held, shown, received_unix_ms)
                   select ?1, ?2, ?3, case when exists (select 1 from fork
                       where gateway = ?1 and log = ?2 and seq = ?3 and held = here.held and held <> '')
                       then '=' else here.held end, ?5, ?6
                   from (select case when ?4 <> '' then ?4 else coalesce((select bytes from record
                       where gateway = ?1 and log = ?2 and seq = ?3), '') end as held) as here";
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let row = params![
            gateway.as_str(),
            log.to_string(),
            fork.seq.cast_signed(),
            text(&fork.held),
            text(&fork.shown),
            fork.received_unix_ms
        ];
        self.execute(sql, row).map(|_| ())
    }
}

impl Store for SqliteStore {
    fn begin(&mut self, logs: &BTreeSet<Log>) -> Answered<BTreeMap<Log, u64>> {
        self.is_there()?;
        self.ok(self.connection.execute_batch("begin immediate"))?;
        let turns: Answered<_> = logs.iter().map(|log| Ok((*log, self.turn(*log)?))).collect();
        if turns.is_err() {
            self.abandon();
        }
        turns
    }

    fn commit(&mut self, batch: &Batch) -> Answered<()> {
        let written = self.write(batch).and_then(|()| self.ok(self.connection.execute_batch("commit")));
        if written.is_err() {
            self.abandon();
        }
        written
    }

    fn abandon(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(e) = self.connection.execute_batch("rollback")
        {
            tracing::warn!(store = self.path, error = %e, "a batch could not be undone");
        }
    }

    fn admissions(&mut self) -> Answered<i64> {
        let sql = "select count(*) + count(revoked_unix_ms) from gateway";
        Ok(self.one(sql, [], |row| row.get(0))?.unwrap_or(0))
    }

    fn admit(&mut self, gateway: GatewayId, key: &PublicKey, now_unix_ms: i64) -> Answered<bool> {
        let sql =
            "insert or ignore into gateway (id, kid, public_key, admitted_unix_ms) values (?1, ?2, ?3, ?4)";
        let row = params![gateway.as_str(), key.id().to_string(), key.to_base64(), now_unix_ms];
        self.execute(sql, row).map(|rows| rows > 0)
    }

    fn revoke(&mut self, gateway: GatewayId, key: KeyId, now_unix_ms: i64) -> Answered<bool> {
        let sql =
            "update gateway set revoked_unix_ms = ?3 where id = ?1 and kid = ?2 and revoked_unix_ms is null";
        self.execute(sql, params![gateway.as_str(), key.to_string(), now_unix_ms]).map(|rows| rows > 0)
    }

    fn admitted(&mut self) -> Answered<Vec<Admitted>> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms, division from gateway order by id, admitted_unix_ms";
        self.rows(sql, [], rows::admitted)
    }

    fn admitted_of(&mut self, gateway: GatewayId) -> Answered<Vec<Admitted>> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms, division from gateway where id = ?1 order by admitted_unix_ms";
        self.rows(sql, [gateway.as_str()], rows::admitted)
    }

    fn kept_at(&mut self, spots: &BTreeSet<Spot>) -> Answered<BTreeMap<Spot, (Digest, i64)>> {
        let sql = "select hash, received_unix_ms from record where gateway = ?1 and log = ?2 and seq = ?3";
        let mut found = BTreeMap::new();
        for (gateway, log, seq) in spots {
            let row = params![gateway.as_str(), log.to_string(), seq.cast_signed()];
            let kept: Option<(String, i64)> = self.one(sql, row, |row| Ok((row.get(0)?, row.get(1)?)))?;
            if let Some((hash, received)) = kept {
                let hash = Digest::from_hex(&hash).ok_or_else(|| strange(&self.path))?;
                found.insert((*gateway, *log, *seq), (hash, received));
            }
        }
        Ok(found)
    }

    fn heads(&mut self, of: Option<&BTreeSet<GatewayId>>) -> Answered<Vec<Kept>> {
        let columns =
            "select gateway, log, division, uscc, seq, head, received_unix_ms, next_epoch, root from log";
        let Some(gateways) = of else {
            return self.rows(&format!("{columns} order by gateway, log"), [], rows::head);
        };
        let sql = format!("{columns} where gateway = ?1 order by log");
        let mut all = Vec::new();
        for gateway in gateways {
            all.extend(self.rows(&sql, [gateway.as_str()], rows::head)?);
        }
        Ok(all)
    }

    fn epochs(&mut self, (gateway, log): Log, from: u32) -> Answered<Vec<KeptEpoch>> {
        let sql = "select epoch, from_seq, public_key from epoch
                   where gateway = ?1 and log = ?2 and epoch >= ?3 order by epoch";
        self.rows(sql, params![gateway.as_str(), log.to_string(), from], |row| {
            let (epoch, from): (u32, i64) = (row.get(0)?, row.get(1)?);
            let key = PublicKey::from_base64(&row.get::<_, String>(2)?);
            Ok(key.map(|key| KeptEpoch { epoch, from: from.cast_unsigned(), key }))
        })
    }

    fn hashes_from(&mut self, (gateway, log): Log, from: u64, most: u32) -> Answered<Vec<(u64, Digest)>> {
        let sql = "select seq, hash from record where gateway = ?1 and log = ?2 and seq >= ?3 order by seq limit ?4";
        self.rows(sql, params![gateway.as_str(), log.to_string(), from.cast_signed(), most], rows::place)
    }

    fn hashes_to(&mut self, (gateway, log): Log, to: u64, most: u32) -> Answered<Vec<(u64, Digest)>> {
        let sql = "select seq, hash from record where gateway = ?1 and log = ?2 and seq <= ?3 order by seq desc limit ?4";
        self.rows(sql, params![gateway.as_str(), log.to_string(), to.cast_signed(), most], rows::place)
    }

    fn records_from(
        &mut self,
        (gateway, log): Log,
        from: u64,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = ?1 and log = ?2 and seq >= ?3 order by seq limit ?4";
        let row = params![gateway.as_str(), log.to_string(), from.cast_signed(), most];
        let mut bytes_left = PAGE_BYTES;
        let is_full = |(_, record): &(u64, KeptRecord)| {
            let left = bytes_left.checked_sub(record.bytes.len());
            bytes_left = left.unwrap_or(0);
            left.is_none()
        };
        self.rows_until(is_full, sql, row, |row| {
            let seq: i64 = row.get(0)?;
            let Some(hash) = Digest::from_hex(&row.get::<_, String>(1)?) else { return Ok(None) };
            let (kind, asset, wall_unix_ms, received_unix_ms) =
                (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            let bytes = row.get::<_, String>(6)?.into_bytes();
            let record = KeptRecord { hash, kind, asset, wall_unix_ms, received_unix_ms, bytes };
            Ok(Some((seq.cast_unsigned(), record)))
        })
    }

    fn fork_counts(&mut self, (gateway, log): Log, seq: u64) -> Answered<(u64, u64)> {
        let sql = "select count(*), count(*) filter (where seq = ?3) from
                   (select seq from fork where gateway = ?1 and log = ?2 limit ?4)";
        let row = params![gateway.as_str(), log.to_string(), seq.cast_signed(), FORKS_COUNTED];
        let counts = self.one(sql, row, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let (of_log, of_place) = counts.unwrap_or_default();
        Ok((of_log.cast_unsigned(), of_place.cast_unsigned()))
    }

    fn forks(&mut self, (gateway, log): Log) -> Answered<Vec<KeptFork>> {
        let sql = "select seq, case when held <> '=' then held else (select held from fork as first
                       where (first.gateway, first.log, first.seq) = (fork.gateway, fork.log, fork.seq)
                       and first.held not in ('', '=')) end, shown, received_unix_ms
                   from fork where gateway = ?1 and log = ?2 order by seq, shown";
        self.rows(sql, params![gateway.as_str(), log.to_string()], |row| {
            let seq: i64 = row.get(0)?;
            let (held, shown): (String, String) = (row.get(1)?, row.get(2)?);
            let (held, shown) = (held.into_bytes(), shown.into_bytes());
            Ok(Some(KeptFork { seq: seq.cast_unsigned(), held, shown, received_unix_ms: row.get(3)? }))
        })
    }

    fn pruned(&mut self, (gateway, log): Log) -> Answered<Option<Pruned>> {
        let sql = "select seq, hash, next_epoch, pruned_unix_ms from pruned where gateway = ?1 and log = ?2";
        let found = self.rows(sql, params![gateway.as_str(), log.to_string()], |row| {
            let (seq, next_epoch, pruned_unix_ms) = (row.get::<_, i64>(0)?, row.get(2)?, row.get(3)?);
            let hash = Digest::from_hex(&row.get::<_, String>(1)?);
            Ok(hash.map(|hash| Pruned { seq: seq.cast_unsigned(), hash, next_epoch, pruned_unix_ms }))
        })?;
        Ok(found.into_iter().next())
    }

    fn first_since(&mut self, (gateway, log): Log, unix_ms: i64) -> Answered<Option<u64>> {
        let sql = "select seq from record where gateway = ?1 and log = ?2 and received_unix_ms >= ?3 order by seq limit 1";
        let row = params![gateway.as_str(), log.to_string(), unix_ms];
        let seq: Option<i64> = self.one(sql, row, |row| row.get(0))?;
        Ok(seq.map(i64::cast_unsigned))
    }

    fn snapshot(&mut self) -> Answered<()> {
        // A transaction of SQLite sees one state from its first reading on.
        self.ok(self.connection.execute_batch("begin; select count(*) from gateway"))
    }

    fn logs(&mut self) -> Answered<Vec<Log>> {
        self.rows("select gateway, log from turn order by gateway, log", [], |row| {
            Ok(GatewayId::new(&row.get::<_, String>(0)?).zip(LogId::from_hex(&row.get::<_, String>(1)?)))
        })
    }

    fn receipts_after(
        &mut self,
        (gateway, log): Log,
        (time, seq): (i64, u64),
        most: u32,
    ) -> Answered<Vec<KeptReceipt>> {
        let sql = "select received_unix_ms, seq, bytes from receipt where gateway = ?1 and log = ?2
                   and (received_unix_ms, seq) > (?3, ?4) order by received_unix_ms, seq limit ?5";
        let row = params![gateway.as_str(), log.to_string(), time, seq.cast_signed(), most];
        self.rows(sql, row, |row| {
            let (given_unix_ms, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            let bytes = row.get::<_, String>(2)?.into_bytes();
            Ok(Some(KeptReceipt { seq: seq.cast_unsigned(), given_unix_ms, bytes }))
        })
    }

    fn keep_heads(&mut self, heads: &KeptHeads, list: &[Listed]) -> Answered<bool> {
        self.ok(self.connection.execute_batch("begin immediate"))?;
        let kept = self.write_heads(heads, list);
        let kept = kept.and_then(|kept| self.ok(self.connection.execute_batch("commit")).map(|()| kept));
        if kept.is_err() {
            self.abandon();
        }
        kept
    }

    fn kept_heads(&mut self) -> Answered<Vec<KeptHeads>> {
        self.rows("select number, day, made_unix_ms, bytes from heads order by number", [], rows::heads)
    }

    fn newest_heads(&mut self) -> Answered<Option<KeptHeads>> {
        let sql = "select number, day, made_unix_ms, bytes from heads order by number desc limit 1";
        Ok(self.rows(sql, [], rows::heads)?.into_iter().next())
    }

    fn listed(&mut self, number: u64) -> Answered<Vec<Listed>> {
        let sql = "select gateway, log, seq, head from listed where number = ?1 order by gateway, log";
        self.rows(sql, [number.cast_signed()], |row| {
            let text = |column| row.get::<_, String>(column);
            let log = GatewayId::new(&text(0)?).zip(LogId::from_hex(&text(1)?));
            let (seq, head) = (row.get::<_, i64>(2)?.cast_unsigned(), Digest::from_hex(&text(3)?));
            Ok(log.zip(head).map(|((gateway, log), head)| (gateway, log, seq, head)))
        })
    }
}

/// Which file has this name now.
fn file_at(path: &str) -> Option<(u64, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
