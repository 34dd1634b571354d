//! Machines, meters and findings in PostgreSQL. What people stamp on plates is kept as bytes: no encoding of a database
//! holds it all.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Error, Row, types::ToSql};

use super::{
    PostgresStore,
    read::{columns, log, number},
    session::Session,
};
use crate::{
    evidence::{
        LogId,
        lineage::{ClashId, ClashKind, Located, Mention, MentionId, Says, kind_and_end},
    },
    regulator::store::{Answered, Asked, Batch, KeptFinding, KeptHalf, Log, Mentions, Spot},
    terms::{
        Digest, GatewayId, Name,
        place::{CreditCode, Division},
    },
};

/// Held by whoever adds mentions, until the batch ends.
const MENTION_LOCK: i64 = 0x6d65_6e74_696f_6e73;

/// Writes what a batch says of them.
pub(super) async fn write(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    mentions(session, &batch.mentions).await?;
    for finding in &batch.findings {
        write_finding(session, finding).await?;
    }
    let keep = "insert into unindexed (gateway, log, next_seq) values ($1, $2, $3)
                on conflict (gateway, log) do update set next_seq = excluded.next_seq";
    let done = "delete from unindexed where gateway = $1 and log = $2";
    for ((gateway, log), from) in &batch.unindexed {
        let (gateway, log) = (gateway.as_str(), log.to_string());
        match from {
            Some(from) => session.execute(keep, &[&gateway, &log, &from.cast_signed()]).await?,
            None => session.execute(done, &[&gateway, &log]).await?,
        };
    }
    Ok(())
}

async fn mentions(session: &mut Session, all: &[Mention]) -> Result<(), Error> {
    if all.is_empty() {
        return Ok(());
    }
    let of: Vec<Log> = all.iter().map(|mention| (mention.gateway, mention.log)).collect();
    let (gateways, logs) = columns(of.iter());
    let said: Vec<_> = all.iter().map(|mention| mention.says.columns()).collect();
    let ids: Vec<String> = all.iter().map(|mention| mention.id().to_string()).collect();
    let seqs: Vec<i64> = all.iter().map(|mention| mention.seq.cast_signed()).collect();
    let hashes: Vec<String> = all.iter().map(|mention| mention.hash.to_string()).collect();
    let times: Vec<i64> = all.iter().map(|mention| mention.at_unix_ms).collect();
    let subjects: Vec<&str> = all.iter().map(|mention| mention.subject.as_str()).collect();
    let kinds: Vec<String> = all.iter().map(Mention::kind).collect();
    let keys: Vec<&[u8]> = said.iter().map(|(_, key, _)| key.as_bytes()).collect();
    let details: Vec<&[u8]> = said.iter().map(|(.., detail)| detail.as_bytes()).collect();
    let sql = "insert into mention (id, gateway, log, seq, hash, at_unix_ms, subject, kind, key, detail)
               select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[],
                                    $7::text[], $8::text[], $9::bytea[], $10::bytea[])
               on conflict (id) do update
               set seq = excluded.seq, hash = excluded.hash, at_unix_ms = excluded.at_unix_ms";
    let row: [&(dyn ToSql + Sync); 10] =
        [&ids, &gateways, &logs, &seqs, &hashes, &times, &subjects, &kinds, &keys, &details];
    session.execute(sql, &row).await.map(|_| ())
}

async fn write_finding(session: &mut Session, finding: &KeptFinding) -> Result<(), Error> {
    let sql = "insert into finding (id, kind, about, found_unix_ms,
               first_gateway, first_log, first_seq, first_hash, first_bytes,
               second_gateway, second_log, second_seq, second_hash, second_bytes,
               excuse_gateway, excuse_log, excuse_seq, excuse_hash, excuse_bytes)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
               on conflict (id) do update set
               first_gateway = $5, first_log = $6, first_seq = $7, first_hash = $8, first_bytes = $9,
               second_gateway = $10, second_log = $11, second_seq = $12, second_hash = $13, second_bytes = $14,
               excuse_gateway = $15, excuse_log = $16, excuse_seq = $17, excuse_hash = $18, excuse_bytes = $19";
    let [first, second] = &finding.halves;
    let (id, kind, about) = (finding.id.to_string(), finding.kind.word(), finding.about.as_bytes());
    let half = |half: &KeptHalf| (half.log.to_string(), half.seq.cast_signed(), half.hash.to_string());
    let ((log, seq, hash), (log2, seq2, hash2)) = (half(first), half(second));
    let (gateway, gateway2) = (first.gateway.as_str(), second.gateway.as_str());
    let excuse = finding.excuse.as_ref();
    let by = excuse.map(half);
    let by_gateway = excuse.map(|by| by.gateway.as_str());
    let by_log = by.as_ref().map(|(log, ..)| log.as_str());
    let by_seq = by.as_ref().map(|(_, seq, _)| *seq);
    let by_hash = by.as_ref().map(|(.., hash)| hash.as_str());
    let by_bytes = excuse.map(|by| by.bytes.as_slice());
    let row: [&(dyn ToSql + Sync); 19] = [
        &id,
        &kind,
        &about,
        &finding.found_unix_ms,
        &gateway,
        &log,
        &seq,
        &hash,
        &first.bytes,
        &gateway2,
        &log2,
        &seq2,
        &hash2,
        &second.bytes,
        &by_gateway,
        &by_log,
        &by_seq,
        &by_hash,
        &by_bytes,
    ];
    session.execute(sql, &row).await.map(|_| ())
}

impl PostgresStore {
    fn read_all<T>(&self, rows: &[Row], read: impl Fn(&Row) -> Option<T>) -> Answered<Vec<T>> {
        rows.iter().map(|row| read(row).ok_or_else(|| self.strange())).collect()
    }
}

impl Mentions for PostgresStore {
    fn match_alone(&mut self) -> Answered<()> {
        let sql = "select pg_advisory_xact_lock($1)";
        self.ask(async |session| session.query(sql, &[&MENTION_LOCK]).await).map(|_| ())
    }

    fn known_mentions(&mut self, ids: &BTreeSet<MentionId>) -> Answered<BTreeMap<MentionId, u64>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let sql = "select id, seq from mention where id = any($1)";
        let rows = self.ask(async |session| session.query(sql, &[&ids]).await)?;
        let read = |row: &Row| Some((MentionId::from_hex(row.try_get(0).ok()?)?, number(row, 1)?));
        Ok(self.read_all(&rows, read)?.into_iter().collect())
    }

    fn mentions(&mut self, asked: Asked<'_>) -> Answered<Vec<Located>> {
        let rows = match asked {
            Asked::Keys(keys) => {
                let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
                let sql = concat!(
                    "select m.gateway, m.log, m.seq, m.hash, m.at_unix_ms, m.subject, m.kind, m.key, m.detail, ",
                    "log.division, log.uscc from mention m left join log using (gateway, log) ",
                    "where m.key = any($1) and m.key <> '' order by m.gateway, m.log, m.seq, m.id"
                );
                self.ask(async |session| session.query(sql, &[&keys]).await)?
            }
            Asked::Subjects(subjects) => {
                let (gateways, subjects): (Vec<&str>, Vec<&str>) =
                    subjects.iter().map(|(gateway, subject)| (gateway.as_str(), subject.as_str())).unzip();
                let sql = concat!(
                    "select m.gateway, m.log, m.seq, m.hash, m.at_unix_ms, m.subject, m.kind, m.key, m.detail, ",
                    "log.division, log.uscc from unnest($1::text[], $2::text[]) as asked (gateway, subject) ",
                    "join mention m using (gateway, subject) left join log on log.gateway = m.gateway ",
                    "and log.log = m.log order by m.gateway, m.log, m.seq, m.id"
                );
                self.ask(async |session| session.query(sql, &[&gateways, &subjects]).await)?
            }
            Asked::Logs(logs) => {
                let (gateways, logs) = columns(logs.iter());
                let sql = concat!(
                    "select m.gateway, m.log, m.seq, m.hash, m.at_unix_ms, m.subject, m.kind, m.key, m.detail, ",
                    "log.division, log.uscc from unnest($1::text[], $2::text[]) as asked (gateway, log) ",
                    "join mention m using (gateway, log) left join log on log.gateway = m.gateway ",
                    "and log.log = m.log order by m.gateway, m.log, m.seq, m.id"
                );
                self.ask(async |session| session.query(sql, &[&gateways, &logs]).await)?
            }
        };
        self.read_all(&rows, mention)
    }

    fn mention_counts(
        &mut self,
        gateways: &BTreeSet<GatewayId>,
    ) -> Answered<BTreeMap<(GatewayId, String), usize>> {
        let gateways: Vec<&str> = gateways.iter().map(|gateway| gateway.as_str()).collect();
        let sql =
            "select gateway, kind, count(*) from mention where gateway = any($1) group by gateway, kind";
        let rows = self.ask(async |session| session.query(sql, &[&gateways]).await)?;
        let counts = self.read_all(&rows, |row| {
            let (gateway, kind) = (GatewayId::new(row.try_get(0).ok()?)?, row.try_get(1).ok()?);
            Some(((gateway, kind), usize::try_from(number(row, 2)?).ok()?))
        })?;
        Ok(counts.into_iter().collect())
    }

    fn known_findings(&mut self, ids: &BTreeSet<ClashId>) -> Answered<BTreeMap<ClashId, Option<Spot>>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let sql = "select id, excuse_gateway, excuse_log, excuse_seq from finding where id = any($1)";
        let rows = self.ask(async |session| session.query(sql, &[&ids]).await)?;
        let read = |row: &Row| {
            let id = ClashId::from_hex(row.try_get(0).ok()?)?;
            let Some(gateway) = row.try_get::<_, Option<&str>>(1).ok()? else { return Some((id, None)) };
            let log = LogId::from_hex(row.try_get(2).ok()?)?;
            Some((id, Some((GatewayId::new(gateway)?, log, number(row, 3)?))))
        };
        Ok(self.read_all(&rows, read)?.into_iter().collect())
    }

    fn findings_after(
        &mut self,
        (time, id): (i64, Option<ClashId>),
        most: u32,
    ) -> Answered<Vec<KeptFinding>> {
        let sql = "select id, kind, about, found_unix_ms,
                   first_gateway, first_log, first_seq, first_hash, first_bytes,
                   second_gateway, second_log, second_seq, second_hash, second_bytes,
                   excuse_gateway, excuse_log, excuse_seq, excuse_hash, excuse_bytes from finding
                   where (found_unix_ms, id) > ($1, $2::text) order by found_unix_ms, id limit $3";
        let (id, most) = (id.map_or_else(String::new, |id| id.to_string()), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&time, &id, &most]).await)?;
        self.read_all(&rows, finding)
    }

    fn finding(&mut self, id: ClashId) -> Answered<Option<KeptFinding>> {
        let sql = "select id, kind, about, found_unix_ms,
                   first_gateway, first_log, first_seq, first_hash, first_bytes,
                   second_gateway, second_log, second_seq, second_hash, second_bytes,
                   excuse_gateway, excuse_log, excuse_seq, excuse_hash, excuse_bytes from finding where id = $1";
        let id = id.to_string();
        let rows = self.ask(async |session| session.query(sql, &[&id]).await)?;
        Ok(self.read_all(&rows, finding)?.into_iter().next())
    }

    fn unindexed(&mut self, of: Option<Log>) -> Answered<Option<(Log, u64)>> {
        let rows = match of {
            None => {
                let sql = "select gateway, log, next_seq from unindexed order by gateway, log limit 1";
                self.ask(async |session| session.query(sql, &[]).await)?
            }
            Some((gateway, log)) => {
                let sql = "select gateway, log, next_seq from unindexed where gateway = $1 and log = $2";
                let log = log.to_string();
                self.ask(async |session| session.query(sql, &[&gateway.as_str(), &log]).await)?
            }
        };
        Ok(self.read_all(&rows, |row| Some((log(row)?, number(row, 2)?)))?.into_iter().next())
    }

    fn unindexed_logs(&mut self) -> Answered<Option<(u64, u64)>> {
        let rows = self.ask(async |session| session.query("select count(*) from unindexed", &[]).await)?;
        let left = self.read_all(&rows, |row| number(row, 0))?.into_iter().next().unwrap_or(0);
        if left == 0 {
            return Ok(None);
        }
        let rows = self.ask(async |session| session.query("select count(*) from turn", &[]).await)?;
        Ok(self.read_all(&rows, |row| number(row, 0))?.into_iter().next().map(|all| (left, all)))
    }

    fn unindex(&mut self) -> Answered<()> {
        let sql = "with drawn as (delete from span), told as (delete from asset), left_over as (delete from left_word), summed_up as (delete from summed),
                   added as (delete from day_sum)
                   insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn
                   on conflict (gateway, log) do update set next_seq = 0";
        self.ask(async |session| session.execute(sql, &[]).await).map(|_| ())
    }
}

fn utf8(row: &Row, column: usize) -> Option<&str> {
    str::from_utf8(row.try_get(column).ok()?).ok()
}

fn mention(row: &Row) -> Option<Located> {
    let (gateway, log) = log(row)?;
    let (division, enterprise): (Option<&str>, Option<&str>) = (row.try_get(9).ok()?, row.try_get(10).ok()?);
    let place = match division.zip(enterprise) {
        None => None,
        Some((division, enterprise)) => Some((Division::parse(division)?, CreditCode::parse(enterprise)?)),
    };
    let (kind, end) = kind_and_end(row.try_get(6).ok()?);
    let mention = Mention {
        gateway,
        log,
        seq: number(row, 2)?,
        hash: Digest::from_hex(row.try_get(3).ok()?)?,
        at_unix_ms: row.try_get(4).ok()?,
        subject: Name::new(row.try_get(5).ok()?)?,
        says: Says::of_columns(kind, utf8(row, 7)?, utf8(row, 8)?)?,
        end,
    };
    Some(Located { mention, place })
}

fn finding(row: &Row) -> Option<KeptFinding> {
    Some(KeptFinding {
        id: ClashId::from_hex(row.try_get(0).ok()?)?,
        kind: ClashKind::from_word(row.try_get(1).ok()?)?,
        about: utf8(row, 2)?.to_owned(),
        found_unix_ms: row.try_get(3).ok()?,
        halves: [half(row, 4)?, half(row, 9)?],
        excuse: if row.try_get::<_, Option<&str>>(14).ok()?.is_some() { Some(half(row, 14)?) } else { None },
    })
}

fn half(row: &Row, at: usize) -> Option<KeptHalf> {
    Some(KeptHalf {
        gateway: GatewayId::new(row.try_get(at).ok()?)?,
        log: LogId::from_hex(row.try_get(at + 1).ok()?)?,
        seq: number(row, at + 2)?,
        hash: Digest::from_hex(row.try_get(at + 3).ok()?)?,
        bytes: row.try_get(at + 4).ok()?,
    })
}
