//! The store in PostgreSQL: for whoever has more than one collector, or a database to be cared for by others.
//!
//! One thread owns it and waits for it, with a runtime of its own. A connection that is lost is made again by the next
//! call; what was open then is undone, by the server too.

mod alarms;
mod foreign;
mod inspections;
mod lineage;
mod listed;
mod people;
mod read;
mod registry;
mod reported;
mod session;
mod shown;
mod sighted;
mod sights;
mod sums;
mod tls;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    time::Duration,
};

use tokio::runtime::Runtime;

use self::session::Session;
pub use self::session::{IDLE_TIMEOUT_MS, MOST_IDLE_MS};
use super::{
    Admitted, Answered, Batch, FORKS_COUNTED, Kept, KeptEpoch, KeptFork, KeptHeads, KeptReceipt, KeptRecord,
    Log, PAGE_BYTES, Pruned, Spot, Store, StoreFault, strange,
};
use crate::{
    evidence::{KeyId, PublicKey, heads::Listed},
    host::{
        credentials::TlsFiles,
        exit::{Exit, Failure},
        service,
    },
    terms::{Digest, GatewayId},
};

/// Default port.
pub const DEFAULT_PORT: u16 = 5_432;
/// How long one call waits for the database's answer before the connection counts as lost, in seconds.
pub const ANSWER_TIMEOUT_S: u64 = 60;

/// Where a PostgreSQL is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The folder of its socket on this machine.
    Socket(PathBuf),
    /// A host name or address.
    Host(String),
}

/// A database and how to enter it. The password is read from its file at every connection, and kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresAt {
    /// The server.
    pub endpoint: Endpoint,
    /// Its port; names the socket, too.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The user's name there.
    pub user: String,
    /// The file that holds the password, where one is asked for.
    pub password_file: Option<PathBuf>,
    /// Files to encrypt with; needed for any server but this machine's own.
    pub tls: Option<TlsFiles>,
}

impl PostgresAt {
    /// Whether the connection stays on this machine, or is encrypted.
    pub fn is_safe(&self) -> bool {
        match &self.endpoint {
            Endpoint::Socket(_) => true,
            Endpoint::Host(host) => self.tls.is_some() || is_loopback(host),
        }
    }
}

impl fmt::Display for PostgresAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Socket(folder) => {
                write!(f, "database {} at {}:{}", self.database, folder.display(), self.port)
            }
            Endpoint::Host(host) => write!(f, "database {} at {host}:{}", self.database, self.port),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The store.
pub struct PostgresStore {
    at: PostgresAt,
    runtime: Runtime,
    session: Option<Session>,
    /// A transaction is open.
    begun: bool,
    /// How long the next batch may do nothing before the server undoes it, in milliseconds: twice as long after one that was
    /// undone, until one is kept. Else a collector that is starved of its processor would never get one done.
    idle_ms: u64,
}

impl PostgresStore {
    /// Connects, and makes the tables in the schema `coldhearth` where there are none.
    ///
    /// # Errors
    /// It cannot be reached or entered, or a later version of this program wrote it.
    pub fn open(at: PostgresAt) -> Answered<PostgresStore> {
        if !at.is_safe() {
            let why = format!("{at}: not encrypted, and not on this machine; give `tls`");
            return Err(StoreFault::Failed(Failure::new(Exit::Config, why)));
        }
        let runtime = service::runtime().map_err(StoreFault::Failed)?;
        let mut store = PostgresStore { at, runtime, session: None, begun: false, idle_ms: IDLE_TIMEOUT_MS };
        store.connect()?;
        Ok(store)
    }

    fn connect(&mut self) -> Answered<()> {
        if self.session.is_none() {
            let at = &self.at;
            let patience = Duration::from_secs(session::CONNECT_TIMEOUT_S + ANSWER_TIMEOUT_S);
            let opened =
                self.runtime.block_on(async { tokio::time::timeout(patience, Session::open(at)).await });
            let opened =
                opened.map_err(|_| StoreFault::Away(format!("{at}: takes connections and says nothing")))?;
            self.session = Some(opened?);
        }
        Ok(())
    }

    /// Asks the database, and undoes what is open if it fails.
    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut Session) -> Result<T, tokio_postgres::Error>,
    ) -> Answered<T> {
        if !self.begun {
            self.connect()?;
        }
        let Some(session) = &mut self.session else {
            self.begun = false;
            return Err(StoreFault::Away(format!("{}: the connection was lost", self.at)));
        };
        let patience = Duration::from_secs(ANSWER_TIMEOUT_S);
        let asked = self.runtime.block_on(async { tokio::time::timeout(patience, question(session)).await });
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let fault = session::fault(&self.at, &error);
                if self.begun && error.is_closed() {
                    self.idle_ms = self.idle_ms.saturating_mul(2).min(MOST_IDLE_MS);
                }
                if error.code().is_none() || error.is_closed() {
                    self.lose();
                } else {
                    self.abandon();
                }
                Err(fault)
            }
            Err(_elapsed) => {
                self.lose();
                Err(StoreFault::Away(format!("{}: no answer within {ANSWER_TIMEOUT_S} s", self.at)))
            }
        }
    }

    /// The server undoes what was open when it sees that we are gone.
    fn lose(&mut self) {
        (self.session, self.begun) = (None, false);
    }

    fn strange(&self) -> StoreFault {
        strange(&self.at.to_string())
    }
}

impl Store for PostgresStore {
    fn begin(&mut self, logs: &BTreeSet<Log>) -> Answered<BTreeMap<Log, u64>> {
        self.connect()?;
        self.begun = true;
        let idle_ms = self.idle_ms;
        let rows = self.ask(async |session| read::begin(session, logs, idle_ms).await)?;
        let turns = read::turns(&rows, logs);
        if turns.is_none() {
            self.abandon();
        }
        turns.ok_or_else(|| self.strange())
    }

    fn commit(&mut self, batch: &Batch) -> Answered<()> {
        let in_turn = self.ask(async |session| write::turns(session, &batch.turns).await)?;
        if !in_turn {
            self.abandon();
            return Err(StoreFault::Conflict);
        }
        self.ask(async |session| write::everything(session, batch).await)?;
        (self.begun, self.idle_ms) = (false, IDLE_TIMEOUT_MS);
        Ok(())
    }

    fn abandon(&mut self) {
        if std::mem::take(&mut self.begun)
            && let Some(session) = &mut self.session
        {
            let patience = Duration::from_secs(ANSWER_TIMEOUT_S);
            let undone = self
                .runtime
                .block_on(async { tokio::time::timeout(patience, session.batch("rollback")).await });
            if !matches!(undone, Ok(Ok(()))) {
                self.lose();
            }
        }
    }

    fn admissions(&mut self) -> Answered<i64> {
        let sql = "select count(*) + count(revoked_unix_ms) from gateway";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        rows.first().and_then(|row| row.try_get(0).ok()).ok_or_else(|| self.strange())
    }

    fn admit(&mut self, gateway: GatewayId, key: &PublicKey, now_unix_ms: i64) -> Answered<bool> {
        let sql = "insert into gateway (id, kid, public_key, admitted_unix_ms) values ($1, $2, $3, $4) on conflict do nothing";
        let (kid, key) = (key.id().to_string(), key.to_base64());
        let rows = self.ask(async |session| {
            session.execute(sql, &[&gateway.as_str(), &kid, &key, &now_unix_ms]).await
        })?;
        Ok(rows > 0)
    }

    fn revoke(&mut self, gateway: GatewayId, key: KeyId, now_unix_ms: i64) -> Answered<bool> {
        let sql =
            "update gateway set revoked_unix_ms = $3 where id = $1 and kid = $2 and revoked_unix_ms is null";
        let kid = key.to_string();
        let rows =
            self.ask(async |session| session.execute(sql, &[&gateway.as_str(), &kid, &now_unix_ms]).await)?;
        Ok(rows > 0)
    }

    fn admitted(&mut self) -> Answered<Vec<Admitted>> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms, division from gateway order by id, admitted_unix_ms";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        rows.iter().map(|row| read::admitted(row).ok_or_else(|| self.strange())).collect()
    }

    fn admitted_of(&mut self, gateway: GatewayId) -> Answered<Vec<Admitted>> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms, division from gateway where id = $1 order by admitted_unix_ms";
        let rows = self.ask(async |session| session.query(sql, &[&gateway.as_str()]).await)?;
        rows.iter().map(|row| read::admitted(row).ok_or_else(|| self.strange())).collect()
    }

    fn kept_at(&mut self, spots: &BTreeSet<Spot>) -> Answered<BTreeMap<Spot, (Digest, i64)>> {
        let rows = self.ask(async |session| read::kept_at(session, spots).await)?;
        rows.iter().map(|row| read::spot(row).ok_or_else(|| self.strange())).collect()
    }

    fn heads(&mut self, of: Option<&BTreeSet<GatewayId>>) -> Answered<Vec<Kept>> {
        let rows = self.ask(async |session| read::heads(session, of).await)?;
        rows.iter().map(|row| read::head(row).ok_or_else(|| self.strange())).collect()
    }

    fn epochs(&mut self, (gateway, log): Log, from: u32) -> Answered<Vec<KeptEpoch>> {
        let sql = "select epoch, from_seq, public_key from epoch
                   where gateway = $1 and log = $2 and epoch >= $3 order by epoch";
        let (log, from) = (log.to_string(), i64::from(from));
        let rows = self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log, &from]).await)?;
        rows.iter().map(|row| read::epoch(row).ok_or_else(|| self.strange())).collect()
    }

    fn hashes_to(&mut self, (gateway, log): Log, to: u64, most: u32) -> Answered<Vec<(u64, Digest)>> {
        let sql = "select seq, hash from record where gateway = $1 and log = $2 and seq <= $3 order by seq desc limit $4";
        let (log, to, most) = (log.to_string(), to.cast_signed(), i64::from(most));
        let rows =
            self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log, &to, &most]).await)?;
        rows.iter().map(|row| read::hash(row).ok_or_else(|| self.strange())).collect()
    }

    fn hashes_from(&mut self, (gateway, log): Log, from: u64, most: u32) -> Answered<Vec<(u64, Digest)>> {
        let sql = "select seq, hash from record where gateway = $1 and log = $2 and seq >= $3 order by seq limit $4";
        let (log, from, most) = (log.to_string(), from.cast_signed(), i64::from(most));
        let rows =
            self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log, &from, &most]).await)?;
        rows.iter().map(|row| read::hash(row).ok_or_else(|| self.strange())).collect()
    }

    fn records_from(
        &mut self,
        (gateway, log): Log,
        from: u64,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>> {
        // The size of what is kept elsewhere is known without fetching it.
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from (
                   select *, sum(length(bytes)) over (order by seq) - length(bytes) as before from (
                   select * from record where gateway = $1 and log = $2 and seq >= $3 order by seq limit $4) as many
                   ) as page where before <= $5 order by seq";
        let (log, from, most) = (log.to_string(), from.cast_signed(), i64::from(most));
        let bytes = i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX);
        let rows = self.ask(async |session| {
            session.query(sql, &[&gateway.as_str(), &log, &from, &most, &bytes]).await
        })?;
        rows.iter().map(|row| read::record(row).ok_or_else(|| self.strange())).collect()
    }

    fn fork_counts(&mut self, (gateway, log): Log, seq: u64) -> Answered<(u64, u64)> {
        let sql = "select count(*), count(*) filter (where seq = $3) from
                   (select seq from fork where gateway = $1 and log = $2 limit $4) as counted";
        let (log, seq, most) = (log.to_string(), seq.cast_signed(), i64::from(FORKS_COUNTED));
        let rows =
            self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log, &seq, &most]).await)?;
        let counts = rows.first().and_then(|row| read::number(row, 0).zip(read::number(row, 1)));
        counts.ok_or_else(|| self.strange())
    }

    fn forks(&mut self, (gateway, log): Log) -> Answered<Vec<KeptFork>> {
        let sql = "select seq, case when held <> '=' then held else (select held from fork as first
                       where (first.gateway, first.log, first.seq) = (fork.gateway, fork.log, fork.seq)
                       and first.held not in ('', '=') limit 1) end, shown, received_unix_ms
                   from fork where gateway = $1 and log = $2 order by seq, shown";
        let log = log.to_string();
        let rows = self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log]).await)?;
        rows.iter().map(|row| read::fork(row).ok_or_else(|| self.strange())).collect()
    }

    fn pruned(&mut self, (gateway, log): Log) -> Answered<Option<Pruned>> {
        let sql = "select seq, hash, next_epoch, pruned_unix_ms from pruned where gateway = $1 and log = $2";
        let log = log.to_string();
        let rows = self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log]).await)?;
        rows.first().map(|row| read::pruned(row).ok_or_else(|| self.strange())).transpose()
    }

    fn first_since(&mut self, (gateway, log): Log, unix_ms: i64) -> Answered<Option<u64>> {
        let sql = "select seq from record where gateway = $1 and log = $2 and received_unix_ms >= $3 order by seq limit 1";
        let log = log.to_string();
        let rows =
            self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log, &unix_ms]).await)?;
        rows.first().map(|row| read::number(row, 0).ok_or_else(|| self.strange())).transpose()
    }

    fn snapshot(&mut self) -> Answered<()> {
        self.connect()?;
        self.begun = true;
        // Whoever only reads keeps nobody from anything, however slowly the copy is written.
        let sql = "begin isolation level repeatable read read only;
                   set local idle_in_transaction_session_timeout = 0";
        self.ask(async |session| session.batch(sql).await)
    }

    fn logs(&mut self) -> Answered<Vec<Log>> {
        let sql = "select gateway, log from turn order by gateway, log";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        rows.iter().map(|row| read::log(row).ok_or_else(|| self.strange())).collect()
    }

    fn receipts_after(
        &mut self,
        (gateway, log): Log,
        (time, seq): (i64, u64),
        most: u32,
    ) -> Answered<Vec<KeptReceipt>> {
        let sql = "select received_unix_ms, seq, bytes from receipt where gateway = $1 and log = $2
                   and (received_unix_ms, seq) > ($3, $4) order by received_unix_ms, seq limit $5";
        let (log, seq, most) = (log.to_string(), seq.cast_signed(), i64::from(most));
        let rows = self
            .ask(async |session| session.query(sql, &[&gateway.as_str(), &log, &time, &seq, &most]).await)?;
        rows.iter().map(|row| read::receipt(row).ok_or_else(|| self.strange())).collect()
    }

    fn keep_heads(&mut self, heads: &KeptHeads, list: &[Listed]) -> Answered<bool> {
        self.connect()?;
        self.begun = true;
        let kept = self.ask(async |session| write::heads_of_day(session, heads, list).await)?;
        self.begun = false;
        Ok(kept)
    }

    fn kept_heads(&mut self) -> Answered<Vec<KeptHeads>> {
        let sql = "select number, day, made_unix_ms, bytes from heads order by number";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        rows.iter().map(|row| read::heads_of_day(row).ok_or_else(|| self.strange())).collect()
    }

    fn newest_heads(&mut self) -> Answered<Option<KeptHeads>> {
        let sql = "select number, day, made_unix_ms, bytes from heads order by number desc limit 1";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        rows.first().map(|row| read::heads_of_day(row).ok_or_else(|| self.strange())).transpose()
    }

    fn listed(&mut self, number: u64) -> Answered<Vec<Listed>> {
        let sql = "select gateway, log, seq, head from listed where number = $1 order by gateway, log";
        let number = number.cast_signed();
        let rows = self.ask(async |session| session.query(sql, &[&number]).await)?;
        rows.iter().map(|row| read::listed(row).ok_or_else(|| self.strange())).collect()
    }
}
