//! Rows of PostgreSQL, read into what they mean; `None` for a row that this program did not write.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Error, Row};

use super::session::Session;
use crate::{
    evidence::{KeyId, LogId, PublicKey, heads::Listed},
    regulator::store::{
        Admitted, Kept, KeptEpoch, KeptFork, KeptHeads, KeptReceipt, KeptRecord, Log, Pruned, Spot,
    },
    terms::{
        Digest, GatewayId, LegalDay,
        place::{CreditCode, Division},
    },
};

/// Opens a transaction, has these logs for it alone, and reads their turns.
pub(super) async fn begin(
    session: &mut Session,
    logs: &BTreeSet<Log>,
    idle_ms: u64,
) -> Result<Vec<Row>, Error> {
    let sql = format!("begin; set local idle_in_transaction_session_timeout = {idle_ms}");
    session.batch(&sql).await?;
    // One order for everybody, so that nobody waits in a ring.
    let mut locks: Vec<i64> = logs.iter().map(lock).collect();
    locks.sort_unstable();
    session.query("select pg_advisory_xact_lock(k) from unnest($1::bigint[]) as k", &[&locks]).await?;
    let (gateways, logs) = columns(logs.iter());
    let sql = "select gateway, log, turn from unnest($1::text[], $2::text[]) as asked (gateway, log)
               join turn using (gateway, log)";
    session.query(sql, &[&gateways, &logs]).await
}

/// The number under which a log is locked.
fn lock((gateway, log): &Log) -> i64 {
    let Digest(bytes) = Digest::of(format!("coldhearth turn {gateway} {log}").as_bytes());
    let mut first = [0; 8];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    i64::from_be_bytes(first)
}

/// Names of gateways and logs, each in a list of its own.
pub(super) fn columns<'a>(logs: impl Iterator<Item = &'a Log>) -> (Vec<String>, Vec<String>) {
    logs.map(|(gateway, log)| (gateway.as_str().to_owned(), log.to_string())).unzip()
}

pub(super) fn turns(rows: &[Row], logs: &BTreeSet<Log>) -> Option<BTreeMap<Log, u64>> {
    let mut turns: BTreeMap<Log, u64> = logs.iter().map(|log| (*log, 0)).collect();
    for row in rows {
        turns.insert(log(row)?, number(row, 2)?);
    }
    Some(turns)
}

pub(super) async fn kept_at(session: &mut Session, spots: &BTreeSet<Spot>) -> Result<Vec<Row>, Error> {
    let logs: Vec<Log> = spots.iter().map(|(gateway, log, _)| (*gateway, *log)).collect();
    let (gateways, logs) = columns(logs.iter());
    let seqs: Vec<i64> = spots.iter().map(|(.., seq)| seq.cast_signed()).collect();
    let sql = "select gateway, log, seq, hash, received_unix_ms
               from unnest($1::text[], $2::text[], $3::bigint[]) as asked (gateway, log, seq)
               join record using (gateway, log, seq)";
    session.query(sql, &[&gateways, &logs, &seqs]).await
}

pub(super) async fn heads(
    session: &mut Session,
    of: Option<&BTreeSet<GatewayId>>,
) -> Result<Vec<Row>, Error> {
    let Some(gateways) = of else {
        let sql = "select gateway, log, division, uscc, seq, head, received_unix_ms, next_epoch, root
                   from log order by gateway, log";
        return session.query(sql, &[]).await;
    };
    let gateways: Vec<&str> = gateways.iter().map(|gateway| gateway.as_str()).collect();
    let sql = "select gateway, log, division, uscc, seq, head, received_unix_ms, next_epoch, root
               from log where gateway = any($1) order by gateway, log";
    session.query(sql, &[&gateways]).await
}

fn text(row: &Row, column: usize) -> Option<&str> {
    row.try_get(column).ok()
}

pub(super) fn number(row: &Row, column: usize) -> Option<u64> {
    Some(row.try_get::<_, i64>(column).ok()?.cast_unsigned())
}

fn digest(row: &Row, column: usize) -> Option<Digest> {
    Digest::from_hex(text(row, column)?)
}

pub(super) fn log(row: &Row) -> Option<Log> {
    GatewayId::new(text(row, 0)?).zip(LogId::from_hex(text(row, 1)?))
}

pub(super) fn admitted(row: &Row) -> Option<Admitted> {
    Some(Admitted {
        gateway: GatewayId::new(text(row, 0)?)?,
        key: PublicKey::from_base64(text(row, 1)?)?,
        admitted_unix_ms: row.try_get(2).ok()?,
        revoked_unix_ms: row.try_get(3).ok()?,
        division: Division::parse(text(row, 4)?),
    })
}

pub(super) fn spot(row: &Row) -> Option<(Spot, (Digest, i64))> {
    let (gateway, log) = log(row)?;
    Some(((gateway, log, number(row, 2)?), (digest(row, 3)?, row.try_get(4).ok()?)))
}

pub(super) fn head(row: &Row) -> Option<Kept> {
    let (gateway, log) = log(row)?;
    Some(Kept {
        gateway,
        log,
        division: Division::parse(text(row, 2)?)?,
        enterprise: CreditCode::parse(text(row, 3)?)?,
        seq: number(row, 4)?,
        head: digest(row, 5)?,
        received_unix_ms: row.try_get(6).ok()?,
        next_epoch: u32::try_from(number(row, 7)?).ok()?,
        root: KeyId::from_hex(text(row, 8)?)?,
    })
}

pub(super) fn epoch(row: &Row) -> Option<KeptEpoch> {
    let epoch = u32::try_from(number(row, 0)?).ok()?;
    Some(KeptEpoch { epoch, from: number(row, 1)?, key: PublicKey::from_base64(text(row, 2)?)? })
}

pub(super) fn hash(row: &Row) -> Option<(u64, Digest)> {
    Some((number(row, 0)?, digest(row, 1)?))
}

pub(super) fn record(row: &Row) -> Option<(u64, KeptRecord)> {
    let record = KeptRecord {
        hash: digest(row, 1)?,
        kind: text(row, 2)?.to_owned(),
        asset: text(row, 3)?.to_owned(),
        wall_unix_ms: row.try_get(4).ok()?,
        received_unix_ms: row.try_get(5).ok()?,
        bytes: row.try_get(6).ok()?,
    };
    Some((number(row, 0)?, record))
}

pub(super) fn fork(row: &Row) -> Option<KeptFork> {
    Some(KeptFork {
        seq: number(row, 0)?,
        held: row.try_get(1).ok()?,
        shown: row.try_get(2).ok()?,
        received_unix_ms: row.try_get(3).ok()?,
    })
}

pub(super) fn pruned(row: &Row) -> Option<Pruned> {
    Some(Pruned {
        seq: number(row, 0)?,
        hash: digest(row, 1)?,
        next_epoch: u32::try_from(number(row, 2)?).ok()?,
        pruned_unix_ms: row.try_get(3).ok()?,
    })
}

pub(super) fn receipt(row: &Row) -> Option<KeptReceipt> {
    let given_unix_ms = row.try_get(0).ok()?;
    Some(KeptReceipt { seq: number(row, 1)?, given_unix_ms, bytes: row.try_get(2).ok()? })
}

pub(super) fn heads_of_day(row: &Row) -> Option<KeptHeads> {
    let (number, day) = (number(row, 0)?, LegalDay::parse(text(row, 1)?)?);
    Some(KeptHeads { number, day, made_unix_ms: row.try_get(2).ok()?, bytes: row.try_get(3).ok()? })
}

pub(super) fn listed(row: &Row) -> Option<Listed> {
    let (gateway, log) = log(row)?;
    Some((gateway, log, number(row, 2)?, digest(row, 3)?))
}
