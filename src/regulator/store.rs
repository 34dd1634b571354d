//! What the authority keeps: whom it admitted, every record with the bytes it came in, how far each log is known, proofs
//! of forks, and the receipts it gave. SQLite; each batch is one transaction.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    evidence::{KeyId, LogId, PublicKey, Record},
    host::{
        database,
        exit::{Exit, Failure},
    },
    terms::{
        Digest, GatewayId,
        place::{CreditCode, Division},
    },
};

/// File name of the store in the state directory.
pub const STORE_FILE: &str = "store.db";
/// Epochs of a log that are loaded at start; older records are compared by their bytes alone.
pub const EPOCHS_LOADED: u32 = 48;

/// Released migrations are never edited; a new schema is a new entry.
const MIGRATIONS: &[&str] = &["
    create table gateway (
        id text not null,
        kid text not null,
        public_key text not null,
        admitted_unix_ms integer not null,
        revoked_unix_ms integer,
        primary key (id, kid)
    ) strict, without rowid;
    create table record (
        gateway text not null,
        log text not null,
        seq integer not null,
        hash text not null,
        kind text not null,
        asset text not null,
        wall_unix_ms integer not null,
        received_unix_ms integer not null,
        bytes text not null,
        primary key (gateway, log, seq)
    ) strict, without rowid;
    create table log (
        gateway text not null,
        log text not null,
        division text not null,
        uscc text not null,
        seq integer not null,
        head text not null,
        received_unix_ms integer not null,
        next_epoch integer not null,
        root text not null,
        primary key (gateway, log)
    ) strict, without rowid;
    create table epoch (
        gateway text not null,
        log text not null,
        epoch integer not null,
        from_seq integer not null,
        public_key text not null,
        primary key (gateway, log, epoch)
    ) strict, without rowid;
    create table fork (
        gateway text not null,
        log text not null,
        seq integer not null,
        held text not null,
        shown text not null,
        received_unix_ms integer not null,
        primary key (gateway, log, seq, shown)
    ) strict, without rowid;
    create table receipt (
        gateway text not null,
        log text not null,
        seq integer not null,
        received_unix_ms integer not null,
        bytes text not null,
        primary key (gateway, log, received_unix_ms, seq)
    ) strict, without rowid;
"];

/// A gateway as it was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Which.
    pub gateway: GatewayId,
    /// Its first key.
    pub key: PublicKey,
    /// When, Unix milliseconds.
    pub admitted_unix_ms: i64,
    /// When it was revoked, if it was.
    pub revoked_unix_ms: Option<i64>,
}

/// How far a log is known, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose.
    pub gateway: GatewayId,
    /// Which.
    pub log: LogId,
    /// Where its plant lies, by its genesis.
    pub division: Division,
    /// Who answers for it.
    pub enterprise: CreditCode,
    /// The last place known without a hole.
    pub seq: u64,
    /// Its hash.
    pub head: Digest,
    /// When the record there arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// Epoch of the record after it.
    pub next_epoch: u32,
    /// The admitted key that its first key, or that of the log it continues, descends from.
    pub root: KeyId,
}

/// The store.
pub struct Store {
    connection: Connection,
    path: String,
}

impl Store {
    /// Opens the store of a state directory, or makes it.
    ///
    /// # Errors
    /// It cannot be opened, or a later version of this program wrote it.
    pub fn open(state: &Path) -> Result<Store, Failure> {
        std::fs::create_dir_all(state)
            .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))?;
        let path = state.join(STORE_FILE);
        Ok(Store { connection: database::open(&path, MIGRATIONS)?, path: path.display().to_string() })
    }

    /// Begins a batch; it takes effect with [`Store::commit`] or not at all.
    ///
    /// # Errors
    /// The database failed.
    pub fn begin(&self) -> Result<(), Failure> {
        self.ok(self.connection.execute_batch("begin immediate"))
    }

    /// Makes a batch survive a power cut before it returns.
    ///
    /// # Errors
    /// The database failed; the batch is lost.
    pub fn commit(&self) -> Result<(), Failure> {
        self.ok(self.connection.execute_batch("commit"))
    }

    /// Changes whenever another program has written.
    ///
    /// # Errors
    /// The database failed.
    pub fn version(&self) -> Result<i64, Failure> {
        self.ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0)))
    }

    /// Admits a gateway by its first key. A key that was revoked is not admitted again.
    ///
    /// # Errors
    /// The database failed.
    pub fn admit(&self, gateway: GatewayId, key: &PublicKey, now_unix_ms: i64) -> Result<bool, Failure> {
        let sql =
            "insert or ignore into gateway (id, kid, public_key, admitted_unix_ms) values (?1, ?2, ?3, ?4)";
        let row = params![gateway.as_str(), key.id().to_string(), key.to_base64(), now_unix_ms];
        self.ok(self.connection.execute(sql, row)).map(|rows| rows > 0)
    }

    /// Revokes a gateway's key. Tells whether there was one to revoke.
    ///
    /// # Errors
    /// The database failed.
    pub fn revoke(&self, gateway: GatewayId, key: KeyId, now_unix_ms: i64) -> Result<bool, Failure> {
        let sql =
            "update gateway set revoked_unix_ms = ?3 where id = ?1 and kid = ?2 and revoked_unix_ms is null";
        let row = params![gateway.as_str(), key.to_string(), now_unix_ms];
        self.ok(self.connection.execute(sql, row)).map(|rows| rows > 0)
    }

    /// Everybody who was ever admitted.
    ///
    /// # Errors
    /// The database failed, or holds what this program did not write.
    pub fn admitted(&self) -> Result<Vec<Admitted>, Failure> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms from gateway order by id, admitted_unix_ms";
        self.rows(sql, [], |row| {
            let (id, key): (String, String) = (row.get(0)?, row.get(1)?);
            let (admitted_unix_ms, revoked_unix_ms) = (row.get(2)?, row.get(3)?);
            let named = GatewayId::new(&id).zip(PublicKey::from_base64(&key));
            Ok(named.map(|(gateway, key)| Admitted { gateway, key, admitted_unix_ms, revoked_unix_ms }))
        })
    }

    /// Keeps a record with the bytes it came in. A record that is there already stays.
    ///
    /// # Errors
    /// The database failed.
    pub fn keep(&self, record: &Record, bytes: &[u8], received_unix_ms: i64) -> Result<(), Failure> {
        let header = &record.header;
        let asset = record.body.asset();
        let asset = asset.as_ref().map_or("", |asset| asset.as_str());
        let sql = "insert or ignore into record
                   (gateway, log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let row = params![
            header.gateway.as_str(),
            header.log.to_string(),
            header.seq.cast_signed(),
            record.hash.to_string(),
            record.body.word(),
            asset,
            header.at.wall_unix_ms,
            received_unix_ms,
            String::from_utf8_lossy(bytes)
        ];
        let mut statement = self.ok(self.connection.prepare_cached(sql))?;
        self.ok(statement.execute(row)).map(|_| ())
    }

    /// The hash and time of arrival of the record kept at a place.
    ///
    /// # Errors
    /// The database failed.
    pub fn at(&self, gateway: GatewayId, log: LogId, seq: u64) -> Result<Option<(Digest, i64)>, Failure> {
        let sql = "select hash, received_unix_ms from record where gateway = ?1 and log = ?2 and seq = ?3";
        let mut statement = self.ok(self.connection.prepare_cached(sql))?;
        let row = params![gateway.as_str(), log.to_string(), seq.cast_signed()];
        let found: Option<(String, i64)> =
            self.ok(statement.query_row(row, |row| Ok((row.get(0)?, row.get(1)?))).optional())?;
        Ok(found.and_then(|(hash, received)| Digest::from_hex(&hash).map(|hash| (hash, received))))
    }

    /// Places and hashes of the last records of a log up to a place.
    ///
    /// # Errors
    /// The database failed.
    pub fn hashes_to(
        &self,
        gateway: GatewayId,
        log: LogId,
        to: u64,
        most: u32,
    ) -> Result<Vec<(u64, Digest)>, Failure> {
        let sql = "select seq, hash from record where gateway = ?1 and log = ?2 and seq <= ?3 order by seq desc limit ?4";
        self.rows(sql, params![gateway.as_str(), log.to_string(), to.cast_signed(), most], |row| {
            let seq: i64 = row.get(0)?;
            Ok(Digest::from_hex(&row.get::<_, String>(1)?).map(|hash| (seq.cast_unsigned(), hash)))
        })
    }

    /// The bytes of the records of a log from a place on, in order.
    ///
    /// # Errors
    /// The database failed.
    pub fn bytes_from(&self, gateway: GatewayId, log: LogId, from: u64) -> Result<Vec<Vec<u8>>, Failure> {
        let sql = "select bytes from record where gateway = ?1 and log = ?2 and seq >= ?3 order by seq";
        let row = params![gateway.as_str(), log.to_string(), from.cast_signed()];
        self.rows(sql, row, |row| row.get::<_, String>(0).map(|text| Some(text.into_bytes())))
    }

    /// Keeps how far a log is known.
    ///
    /// # Errors
    /// The database failed.
    pub fn keep_head(&self, kept: &Kept) -> Result<(), Failure> {
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
        self.ok(self.connection.execute(sql, row)).map(|_| ())
    }

    /// Every log and how far it is known.
    ///
    /// # Errors
    /// The database failed.
    pub fn heads(&self) -> Result<Vec<Kept>, Failure> {
        let sql =
            "select gateway, log, division, uscc, seq, head, received_unix_ms, next_epoch, root from log";
        self.rows(sql, [], |row| {
            let text = |column| row.get::<_, String>(column);
            let (gateway, log) = (GatewayId::new(&text(0)?), LogId::from_hex(&text(1)?));
            let (division, enterprise) = (Division::parse(&text(2)?), CreditCode::parse(&text(3)?));
            let (seq, head) = (row.get::<_, i64>(4)?.cast_unsigned(), Digest::from_hex(&text(5)?));
            let (received_unix_ms, next_epoch) = (row.get(6)?, row.get(7)?);
            let root = KeyId::from_hex(&text(8)?);
            let named = gateway.zip(log).zip(division.zip(enterprise)).zip(head.zip(root));
            Ok(named.map(|(((gateway, log), (division, enterprise)), (head, root))| Kept {
                gateway,
                log,
                division,
                enterprise,
                seq,
                head,
                received_unix_ms,
                next_epoch,
                root,
            }))
        })
    }

    /// Keeps the key of an epoch and the first place it signs.
    ///
    /// # Errors
    /// The database failed.
    pub fn keep_epoch(
        &self,
        (gateway, log): (GatewayId, LogId),
        epoch: u32,
        from: u64,
        key: &PublicKey,
    ) -> Result<(), Failure> {
        let sql = "insert or ignore into epoch (gateway, log, epoch, from_seq, public_key) values (?1, ?2, ?3, ?4, ?5)";
        let row = params![gateway.as_str(), log.to_string(), epoch, from.cast_signed(), key.to_base64()];
        self.ok(self.connection.execute(sql, row)).map(|_| ())
    }

    /// The epochs of a log from some before its head on, in order: number, first place, key. Rotations may have arrived
    /// far ahead of it.
    ///
    /// # Errors
    /// The database failed.
    pub fn epochs(&self, gateway: GatewayId, log: LogId) -> Result<Vec<(u32, u64, PublicKey)>, Failure> {
        let sql =
            "select epoch, from_seq, public_key from epoch where gateway = ?1 and log = ?2 and epoch + ?3 >=
                   coalesce((select next_epoch from log where gateway = ?1 and log = ?2), 0) order by epoch";
        self.rows(sql, params![gateway.as_str(), log.to_string(), EPOCHS_LOADED], |row| {
            let (epoch, from): (u32, i64) = (row.get(0)?, row.get(1)?);
            let key = PublicKey::from_base64(&row.get::<_, String>(2)?);
            Ok(key.map(|key| (epoch, from.cast_unsigned(), key)))
        })
    }

    /// Keeps the two messages that prove a fork: neither needs anything but the gateway's key to be checked.
    ///
    /// # Errors
    /// The database failed.
    pub fn keep_fork(
        &self,
        (gateway, log): (GatewayId, LogId),
        seq: u64,
        shown: &[u8],
        received_unix_ms: i64,
    ) -> Result<(), Failure> {
        let sql = "insert or ignore into fork (gateway, log, seq, held, shown, received_unix_ms)
                   values (?1, ?2, ?3, coalesce((select bytes from record where gateway = ?1 and log = ?2 and seq = ?3), ''), ?4, ?5)";
        let shown = String::from_utf8_lossy(shown);
        let row = params![gateway.as_str(), log.to_string(), seq.cast_signed(), shown, received_unix_ms];
        self.ok(self.connection.execute(sql, row)).map(|_| ())
    }

    /// Whether a log was ever seen to fork.
    ///
    /// # Errors
    /// The database failed.
    pub fn is_forked(&self, gateway: GatewayId, log: LogId) -> Result<bool, Failure> {
        let sql = "select exists (select 1 from fork where gateway = ?1 and log = ?2)";
        self.ok(self.connection.query_row(sql, params![gateway.as_str(), log.to_string()], |row| row.get(0)))
    }

    /// Keeps a receipt that was given.
    ///
    /// # Errors
    /// The database failed.
    pub fn keep_receipt(&self, kept: &Kept, now_unix_ms: i64, bytes: &[u8]) -> Result<(), Failure> {
        let sql = "insert or ignore into receipt (gateway, log, seq, received_unix_ms, bytes) values (?1, ?2, ?3, ?4, ?5)";
        let text = String::from_utf8_lossy(bytes);
        let row =
            params![kept.gateway.as_str(), kept.log.to_string(), kept.seq.cast_signed(), now_unix_ms, text];
        self.ok(self.connection.execute(sql, row)).map(|_| ())
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> Result<Vec<T>, Failure> {
        let mut statement = self.ok(self.connection.prepare_cached(sql))?;
        let mut rows = self.ok(statement.query(params))?;
        let mut all = Vec::new();
        while let Some(row) = self.ok(rows.next())? {
            let strange =
                || Failure::new(Exit::Bug, format!("{}: a row that this program did not write", self.path));
            all.push(self.ok(read(row))?.ok_or_else(strange)?);
        }
        Ok(all)
    }

    fn ok<T>(&self, done: rusqlite::Result<T>) -> Result<T, Failure> {
        done.map_err(|e| Failure::new(Exit::Bug, format!("{}: {e}", self.path)))
    }
}
