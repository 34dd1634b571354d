//! A batch into PostgreSQL: one statement a table, whatever the batch's size.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use super::{alarms, foreign, lineage, read::columns, session::Session, shown, sums};
use crate::{
    evidence::heads::Listed,
    regulator::store::{Batch, KeptHeads, Log},
    terms::Digest,
};

/// Takes the next turn of each log if it is still at the one that was seen; false if any is not.
pub(super) async fn turns(session: &mut Session, turns: &BTreeMap<Log, u64>) -> Result<bool, Error> {
    let (new, known): (Vec<_>, Vec<_>) = turns.iter().partition(|(_, turn)| **turn == 0);
    let mut taken = 0;
    if !new.is_empty() {
        let (gateways, logs) = columns(new.iter().map(|(log, _)| *log));
        let sql = "insert into turn (gateway, log, turn) select gateway, log, 1
                   from unnest($1::text[], $2::text[]) as new (gateway, log) on conflict do nothing";
        taken += session.execute(sql, &[&gateways, &logs]).await?;
    }
    if !known.is_empty() {
        let (gateways, logs) = columns(known.iter().map(|(log, _)| *log));
        let seen: Vec<i64> = known.iter().map(|(_, turn)| turn.cast_signed()).collect();
        let sql = "update turn set turn = turn.turn + 1
                   from unnest($1::text[], $2::text[], $3::bigint[]) as seen (gateway, log, turn)
                   where turn.gateway = seen.gateway and turn.log = seen.log and turn.turn = seen.turn";
        taken += session.execute(sql, &[&gateways, &logs, &seen]).await?;
    }
    Ok(usize::try_from(taken) == Ok(turns.len()))
}

/// Writes everything else, and commits.
pub(super) async fn everything(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    records(session, batch).await?;
    epochs(session, batch).await?;
    heads(session, batch).await?;
    forks(session, batch).await?;
    receipts(session, batch).await?;
    // What is mentioned, or shown by a finding, is not pruned.
    lineage::write(session, batch).await?;
    foreign::write(session, batch).await?;
    shown::write(session, batch).await?;
    sums::write(session, batch).await?;
    alarms::conditions(session, batch).await?;
    pruned(session, batch).await?;
    session.batch("commit").await
}

async fn records(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    if batch.records.is_empty() {
        return Ok(());
    }
    let spots: Vec<Log> = batch.records.keys().map(|(gateway, log, _)| (*gateway, *log)).collect();
    let (gateways, logs) = columns(spots.iter());
    let seqs: Vec<i64> = batch.records.keys().map(|(.., seq)| seq.cast_signed()).collect();
    let each = || batch.records.values();
    let hashes: Vec<String> = each().map(|record| record.hash.to_string()).collect();
    let kinds: Vec<&str> = each().map(|record| record.kind.as_str()).collect();
    let assets: Vec<&str> = each().map(|record| record.asset.as_str()).collect();
    let walls: Vec<i64> = each().map(|record| record.wall_unix_ms).collect();
    let received: Vec<i64> = each().map(|record| record.received_unix_ms).collect();
    let bytes: Vec<&[u8]> = each().map(|record| record.bytes.as_slice()).collect();
    let sql =
        "insert into record (gateway, log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                                    $7::bigint[], $8::bigint[], $9::bytea[]) on conflict do nothing";
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&gateways, &logs, &seqs, &hashes, &kinds, &assets, &walls, &received, &bytes];
    session.execute(sql, &row).await.map(|_| ())
}

async fn epochs(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    if batch.epochs.is_empty() {
        return Ok(());
    }
    let (gateways, logs) = columns(batch.epochs.iter().map(|(log, _)| log));
    let each = || batch.epochs.iter().map(|(_, epoch)| epoch);
    let numbers: Vec<i64> = each().map(|epoch| i64::from(epoch.epoch)).collect();
    let from: Vec<i64> = each().map(|epoch| epoch.from.cast_signed()).collect();
    let keys: Vec<String> = each().map(|epoch| epoch.key.to_base64()).collect();
    let sql = "insert into epoch (gateway, log, epoch, from_seq, public_key)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
               on conflict do nothing";
    session.execute(sql, &[&gateways, &logs, &numbers, &from, &keys]).await.map(|_| ())
}

async fn heads(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    if batch.heads.is_empty() {
        return Ok(());
    }
    let each = || batch.heads.iter();
    let places: Vec<Log> = each().map(|kept| (kept.gateway, kept.log)).collect();
    let (gateways, logs) = columns(places.iter());
    let divisions: Vec<String> = each().map(|kept| kept.division.to_string()).collect();
    let enterprises: Vec<&str> = each().map(|kept| kept.enterprise.as_str()).collect();
    let seqs: Vec<i64> = each().map(|kept| kept.seq.cast_signed()).collect();
    let hashes: Vec<String> = each().map(|kept| kept.head.to_string()).collect();
    let received: Vec<i64> = each().map(|kept| kept.received_unix_ms).collect();
    let epochs: Vec<i64> = each().map(|kept| i64::from(kept.next_epoch)).collect();
    let roots: Vec<String> = each().map(|kept| kept.root.to_string()).collect();
    let sql = "insert into log (gateway, log, division, uscc, seq, head, received_unix_ms, next_epoch, root)
               select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                                    $7::bigint[], $8::bigint[], $9::text[])
               on conflict (gateway, log) do update set seq = excluded.seq, head = excluded.head,
                   received_unix_ms = excluded.received_unix_ms, next_epoch = excluded.next_epoch";
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&gateways, &logs, &divisions, &enterprises, &seqs, &hashes, &received, &epochs, &roots];
    session.execute(sql, &row).await.map(|_| ())
}

async fn forks(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    // What is held at a place is written with its first proof; `=` stands for it with the others.
    let sql = "insert into fork (gateway, log, seq, held, shown, shown_sha256, received_unix_ms)
               select $1, $2, $3, case when exists (select 1 from fork
                   where gateway = $1 and log = $2 and seq = $3 and held = here.held and held <> '')
                   then '=' else here.held end, $5, $6, $7
               from (select case when $4::bytea <> '' then $4 else coalesce((select bytes from record
                   where gateway = $1 and log = $2 and seq = $3), '') end as held) as here
               on conflict do nothing";
    for ((gateway, log), fork) in &batch.forks {
        let (log, seq) = (log.to_string(), fork.seq.cast_signed());
        let shown = Digest::of(&fork.shown).to_string();
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&gateway.as_str(), &log, &seq, &fork.held, &fork.shown, &shown, &fork.received_unix_ms];
        session.execute(sql, &row).await?;
    }
    Ok(())
}

async fn receipts(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    if batch.receipts.is_empty() {
        return Ok(());
    }
    let (gateways, logs) = columns(batch.receipts.iter().map(|(log, _)| log));
    let each = || batch.receipts.iter().map(|(_, receipt)| receipt);
    let seqs: Vec<i64> = each().map(|receipt| receipt.seq.cast_signed()).collect();
    let given: Vec<i64> = each().map(|receipt| receipt.given_unix_ms).collect();
    let bytes: Vec<&[u8]> = each().map(|receipt| receipt.bytes.as_slice()).collect();
    let sql = "insert into receipt (gateway, log, seq, received_unix_ms, bytes)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])
               on conflict do nothing";
    session.execute(sql, &[&gateways, &logs, &seqs, &given, &bytes]).await.map(|_| ())
}

/// Keeps the place first: a log is never shorter than it says.
async fn pruned(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    let keep = "insert into pruned (gateway, log, seq, hash, next_epoch, pruned_unix_ms) values ($1, $2, $3, $4, $5, $6)
                on conflict (gateway, log) do update set seq = excluded.seq, hash = excluded.hash,
                    next_epoch = excluded.next_epoch, pruned_unix_ms = excluded.pruned_unix_ms";
    let delete = "delete from record where gateway = $1 and log = $2 and seq <= $3
                  and kind not in ('genesis', 'key_rotate') and not exists (select 1 from mention
                  where mention.gateway = record.gateway and mention.log = record.log and mention.seq = record.seq)
                  and not exists (select 1 from finding where (first_gateway, first_log, first_seq) = ($1, $2, record.seq)
                  or (second_gateway, second_log, second_seq) = ($1, $2, record.seq)
                  or (excuse_gateway, excuse_log, excuse_seq) = ($1, $2, record.seq))
                  and not exists (select 1 from alarm where alarm.record = record.hash)
                  and not exists (select 1 from unnest($4::bigint[]) as stay (seq) where stay.seq = record.seq)";
    let receipts =
        "delete from receipt where gateway = $1 and log = $2 and seq < (select max(seq) from receipt
                    where gateway = $1 and log = $2 and seq <= $3)";
    // What is drawn and added up rests on records that are there.
    let spans = "delete from span where gateway = $1 and log = $2 and seq <= $3";
    for ((gateway, log), pruned, stay) in &batch.pruned {
        let stay: Vec<i64> = stay.iter().map(|seq| seq.cast_signed()).collect();
        let (log, seq, hash) = (log.to_string(), pruned.seq.cast_signed(), pruned.hash.to_string());
        let (next_epoch, at) = (i64::from(pruned.next_epoch), pruned.pruned_unix_ms);
        session.execute(keep, &[&gateway.as_str(), &log, &seq, &hash, &next_epoch, &at]).await?;
        session.execute(delete, &[&gateway.as_str(), &log, &seq, &stay]).await?;
        session.execute(receipts, &[&gateway.as_str(), &log, &seq]).await?;
        session.execute(spans, &[&gateway.as_str(), &log, &seq]).await?;
        sums::forget(session, gateway.as_str(), &log).await?;
    }
    Ok(())
}

/// Keeps a head of heads with its list, unless there is one; tells whether it did.
pub(super) async fn heads_of_day(
    session: &mut Session,
    heads: &KeptHeads,
    list: &[Listed],
) -> Result<bool, Error> {
    session.batch("begin").await?;
    let (number, day) = (heads.number.cast_signed(), heads.day.to_string());
    let sql =
        "insert into heads (number, day, made_unix_ms, bytes) values ($1, $2, $3, $4) on conflict do nothing";
    let kept = session.execute(sql, &[&number, &day, &heads.made_unix_ms, &heads.bytes]).await? > 0;
    if kept {
        let logs: Vec<Log> = list.iter().map(|(gateway, log, ..)| (*gateway, *log)).collect();
        let (gateways, logs) = columns(logs.iter());
        let seqs: Vec<i64> = list.iter().map(|(_, _, seq, _)| seq.cast_signed()).collect();
        let hashes: Vec<String> = list.iter().map(|(.., head)| head.to_string()).collect();
        let sql = "insert into listed (number, gateway, log, seq, head)
                   select $1::bigint, gateway, log, seq, head
                   from unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) as new (gateway, log, seq, head)";
        session.execute(sql, &[&number, &gateways, &logs, &seqs, &hashes]).await?;
    }
    session.batch("commit").await?;
    Ok(kept)
}
