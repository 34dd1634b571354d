//! One connection to PostgreSQL: made, prepared, and told apart when it fails.

use std::{collections::BTreeMap, error::Error as _, fmt::Write as _, path::Path, time::Duration};

use tokio_postgres::{Client, Config, NoTls, Row, Statement, config::SslMode, error::SqlState, types::ToSql};

use super::{Endpoint, PostgresAt, tls::Rustls};
use crate::{
    host::{
        credentials,
        exit::{Exit, Failure},
    },
    regulator::store::{Answered, StoreFault, schema},
};

/// How long connecting may take, in seconds.
pub(super) const CONNECT_TIMEOUT_S: u64 = 10;
/// How long the server works on one statement before it gives up, in milliseconds.
const STATEMENT_TIMEOUT_MS: u64 = 30_000;
/// How long the server waits for another collector's batch, in milliseconds.
const LOCK_TIMEOUT_MS: u64 = 20_000;
/// How long a collector may do nothing in the midst of a batch before the server undoes it, in milliseconds: whoever was
/// frozen or cut off there would keep the others from its logs until the network notices, which takes hours. No shorter than
/// takeover allows: a collector that is starved of its processor thinks long about a batch, too.
pub const IDLE_TIMEOUT_MS: u64 = 10_000;
/// The longest that time becomes for a collector whose batches were undone, in milliseconds.
pub const MOST_IDLE_MS: u64 = 60_000;
/// How long unanswered bytes may be on the wire before the connection counts as lost, in seconds.
const WIRE_TIMEOUT_S: u64 = 30;
// Whoever waits for a batch that nobody ends is still waiting when the server ends it.
const _: () = assert!(IDLE_TIMEOUT_MS < LOCK_TIMEOUT_MS);
/// Held while the tables are made or changed, so that two collectors that start at once do not both do it.
const MIGRATION_LOCK: i64 = 0x636f_6c64_6865_6172;

/// Parameters of a statement.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection whose tables are of this version.
pub(super) struct Session {
    client: Client,
    prepared: BTreeMap<&'static str, Statement>,
}

impl Session {
    /// Connects, and brings the tables up to date.
    pub(super) async fn open(at: &PostgresAt) -> Answered<Session> {
        let config = config(at)?;
        let failed = |e: &tokio_postgres::Error| fault(at, e);
        let client = match &at.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(|e| failed(&e))?;
                tokio::spawn(connection);
                client
            }
            Some(files) => {
                let credentials = credentials::load(files).map_err(|unfit| {
                    let lines: Vec<String> = unfit.iter().map(ToString::to_string).collect();
                    StoreFault::Failed(Failure::new(Exit::Config, lines.join("\n")))
                })?;
                let (client, connection) =
                    config.connect(Rustls(credentials.config)).await.map_err(|e| failed(&e))?;
                tokio::spawn(connection);
                client
            }
        };
        let mut session = Session { client, prepared: BTreeMap::new() };
        session.settle(at).await?;
        Ok(session)
    }

    async fn settle(&mut self, at: &PostgresAt) -> Answered<()> {
        let failed = |e: tokio_postgres::Error| fault(at, &e);
        // What is asked is short: where a server compiles it, that takes longer than to answer it.
        let settings = format!(
            "select set_config('jit', 'off', false) where current_setting('jit', true) is not null;
             set search_path = coldhearth; set statement_timeout = {STATEMENT_TIMEOUT_MS};
             set lock_timeout = {LOCK_TIMEOUT_MS}; set client_min_messages = warning;
             set idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}"
        );
        self.client.batch_execute(&settings).await.map_err(failed)?;
        let sql =
            "select pg_is_in_recovery(), current_setting('fsync'), current_setting('synchronous_commit')";
        let row = self.client.query_one(sql, &[]).await.map_err(failed)?;
        let (standby, fsync, commit): (bool, String, String) = (row.get(0), row.get(1), row.get(2));
        if standby {
            return Err(StoreFault::Away(format!(
                "{at}: is a standby, which takes nothing; name the primary"
            )));
        }
        if fsync != "on" {
            let why = format!(
                "{at}: fsync is {fsync}: a power cut would lose what was receipted; set fsync = on in postgresql.conf"
            );
            return Err(StoreFault::Failed(Failure::new(Exit::Config, why)));
        }
        if commit == "off" {
            self.client.batch_execute("set synchronous_commit = on").await.map_err(failed)?;
        }
        self.migrate(at).await
    }

    /// Applies what is missing, all or nothing.
    async fn migrate(&mut self, at: &PostgresAt) -> Answered<()> {
        let failed = |e: tokio_postgres::Error| fault(at, &e);
        let transaction = self.client.transaction().await.map_err(failed)?;
        let lock = "select pg_advisory_xact_lock($1)";
        transaction.query(lock, &[&MIGRATION_LOCK]).await.map_err(failed)?;
        let found =
            "select to_regnamespace('coldhearth') is null, to_regclass('coldhearth.schema_version') is null";
        let row = transaction.query_one(found, &[]).await.map_err(failed)?;
        if row.get(0) {
            transaction.batch_execute("create schema coldhearth").await.map_err(failed)?;
        }
        if row.get(1) {
            let make = "create table schema_version (version bigint not null); insert into schema_version values (0)";
            transaction.batch_execute(make).await.map_err(failed)?;
        }
        let version = "select version from schema_version";
        let version: i64 = transaction.query_one(version, &[]).await.map_err(failed)?.get(0);
        let known = schema::POSTGRES.len();
        let done = usize::try_from(version).ok().filter(|version| *version <= known).ok_or_else(|| {
            let why = format!(
                "{at}: schema version {version} is later than this program's {known}; install a later version"
            );
            StoreFault::Failed(Failure::new(Exit::Config, why))
        })?;
        for migration in schema::POSTGRES.iter().skip(done) {
            transaction.batch_execute(migration).await.map_err(failed)?;
        }
        if done < known {
            let set = "update schema_version set version = $1";
            let newest = i64::try_from(known).unwrap_or(i64::MAX);
            transaction.execute(set, &[&newest]).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    pub(super) async fn batch(&mut self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(sql).await
    }

    pub(super) async fn query(
        &mut self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = self.prepared(sql).await?;
        self.client.query(&statement, parameters).await
    }

    /// Tells how many rows it has changed.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = self.prepared(sql).await?;
        self.client.execute(&statement, parameters).await
    }

    async fn prepared(&mut self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

fn config(at: &PostgresAt) -> Answered<Config> {
    let mut config = Config::new();
    config
        .port(at.port)
        .dbname(&at.database)
        .user(&at.user)
        .application_name("coldhearth-regulator")
        .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
        .tcp_user_timeout(Duration::from_secs(WIRE_TIMEOUT_S))
        .ssl_mode(if at.tls.is_some() { SslMode::Require } else { SslMode::Disable });
    match &at.endpoint {
        Endpoint::Socket(folder) => config.host_path(folder),
        Endpoint::Host(host) => config.host(host),
    };
    if let Some(file) = &at.password_file {
        config.password(password(file)?);
    }
    Ok(config)
}

fn password(file: &Path) -> Answered<String> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let why = format!("{}: {e}; it holds the database's password", file.display());
        StoreFault::Failed(Failure::new(Exit::Permission, why))
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// What an error of the database means for whoever waits for it.
pub(super) fn fault(at: &PostgresAt, error: &tokio_postgres::Error) -> StoreFault {
    let mut why = format!("{at}: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _always_fits = write!(why, ": {inner}");
        cause = inner.source();
    }
    let Some(state) = error.code() else { return StoreFault::Away(why) };
    let failed = |exit, cure: &str| StoreFault::Failed(Failure::new(exit, format!("{why}; {cure}")));
    let class = state.code().get(..2).unwrap_or_default();
    if *state == SqlState::DISK_FULL {
        StoreFault::Full(why)
    } else if *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED {
        StoreFault::Conflict
    } else if *state == SqlState::UNDEFINED_DATABASE {
        failed(Exit::Config, "make it with `createdb`, or correct `database`")
    } else if class == "28" {
        failed(Exit::Permission, "correct `user` and `password_file`, or the server's pg_hba.conf")
    } else if *state == SqlState::INSUFFICIENT_PRIVILEGE {
        failed(Exit::Permission, "let the user own the database, or the schema `coldhearth` in it")
    } else if matches!(class, "08" | "53" | "55" | "57" | "58")
        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
        || *state == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
    {
        // Connection, resources, locks, operator, system, a batch that took too long: these pass.
        StoreFault::Away(why)
    } else {
        failed(Exit::Bug, "this is a defect, or somebody else has changed the tables")
    }
}
