//! Machines, meters and findings in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    evidence::{
        LogId,
        lineage::{ClashId, ClashKind, Located, Mention, MentionId, Place, Says, kind_and_end},
    },
    regulator::store::{Answered, Asked, Batch, KeptFinding, KeptHalf, Log, Mentions, Spot, Store as _},
    terms::{
        Digest, GatewayId, Name,
        place::{CreditCode, Division},
    },
};

const MENTIONS: &str =
    "select m.gateway, m.log, m.seq, m.hash, m.at_unix_ms, m.subject, m.kind, m.key, m.detail,
    log.division, log.uscc from mention m left join log on log.gateway = m.gateway and log.log = m.log";
const FINDINGS: &str = "select id, kind, about, found_unix_ms,
    first_gateway, first_log, first_seq, first_hash, first_bytes,
    second_gateway, second_log, second_seq, second_hash, second_bytes,
    excuse_gateway, excuse_log, excuse_seq, excuse_hash, excuse_bytes from finding";

impl SqliteStore {
    pub(super) fn write_lineage(&self, batch: &Batch) -> Answered<()> {
        for mention in &batch.mentions {
            self.write_mention(mention)?;
        }
        for finding in &batch.findings {
            self.write_finding(finding)?;
        }
        for ((gateway, log), from) in &batch.unindexed {
            let (gateway, log) = (gateway.as_str(), log.to_string());
            match from {
                Some(from) => {
                    let sql = "insert into unindexed (gateway, log, next_seq) values (?1, ?2, ?3)
                               on conflict (gateway, log) do update set next_seq = ?3";
                    self.execute(sql, params![gateway, log, from.cast_signed()])?;
                }
                None => {
                    self.execute("delete from unindexed where gateway = ?1 and log = ?2", [gateway, &log])?;
                }
            }
        }
        Ok(())
    }

    fn write_mention(&self, mention: &Mention) -> Answered<()> {
        let sql = "insert into mention
                   (id, gateway, log, seq, hash, at_unix_ms, subject, kind, key, detail)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                   on conflict (id) do update set seq = ?4, hash = ?5, at_unix_ms = ?6";
        let (_, key, detail) = mention.says.columns();
        let row = params![
            mention.id().to_string(),
            mention.gateway.as_str(),
            mention.log.to_string(),
            mention.seq.cast_signed(),
            mention.hash.to_string(),
            mention.at_unix_ms,
            mention.subject.as_str(),
            mention.kind(),
            key,
            detail
        ];
        self.execute(sql, row).map(|_| ())
    }

    fn write_finding(&self, finding: &KeptFinding) -> Answered<()> {
        let sql = "insert into finding (id, kind, about, found_unix_ms,
                   first_gateway, first_log, first_seq, first_hash, first_bytes,
                   second_gateway, second_log, second_seq, second_hash, second_bytes,
                   excuse_gateway, excuse_log, excuse_seq, excuse_hash, excuse_bytes)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
                   on conflict (id) do update set
                   first_gateway = ?5, first_log = ?6, first_seq = ?7, first_hash = ?8, first_bytes = ?9,
                   second_gateway = ?10, second_log = ?11, second_seq = ?12, second_hash = ?13, second_bytes = ?14,
                   excuse_gateway = ?15, excuse_log = ?16, excuse_seq = ?17, excuse_hash = ?18, excuse_bytes = ?19";
        let [first, second] = &finding.halves;
        let excuse = finding.excuse.as_ref();
        let row = params![
            finding.id.to_string(),
            finding.kind.word(),
            finding.about,
            finding.found_unix_ms,
            first.gateway.as_str(),
            first.log.to_string(),
            first.seq.cast_signed(),
            first.hash.to_string(),
            String::from_utf8_lossy(&first.bytes),
            second.gateway.as_str(),
            second.log.to_string(),
            second.seq.cast_signed(),
            second.hash.to_string(),
            String::from_utf8_lossy(&second.bytes),
            excuse.map(|by| by.gateway.as_str()),
            excuse.map(|by| by.log.to_string()),
            excuse.map(|by| by.seq.cast_signed()),
            excuse.map(|by| by.hash.to_string()),
            excuse.map(|by| String::from_utf8_lossy(&by.bytes))
        ];
        self.execute(sql, row).map(|_| ())
    }
}

impl Mentions for SqliteStore {
    fn match_alone(&mut self) -> Answered<()> {
        // Whoever has begun a batch is alone.
        Ok(())
    }

    fn known_mentions(&mut self, ids: &BTreeSet<MentionId>) -> Answered<BTreeMap<MentionId, u64>> {
        let mut known = BTreeMap::new();
        for id in ids {
            let sql = "select seq from mention where id = ?1";
            let seq = self.one(sql, [id.to_string()], |row| row.get::<_, i64>(0))?;
            known.extend(seq.map(|seq| (*id, seq.cast_unsigned())));
        }
        Ok(known)
    }

    fn mentions(&mut self, asked: Asked<'_>) -> Answered<Vec<Located>> {
        let mut all = Vec::new();
        let order = "order by m.gateway, m.log, m.seq, m.id";
        match asked {
            Asked::Keys(keys) => {
                let sql = format!("{MENTIONS} where m.key = ?1 and m.key <> '' {order}");
                for key in keys {
                    all.extend(self.rows(&sql, [key], read_mention)?);
                }
            }
            Asked::Subjects(subjects) => {
                let sql = format!("{MENTIONS} where m.gateway = ?1 and m.subject = ?2 {order}");
                for (gateway, subject) in subjects {
                    all.extend(self.rows(&sql, [gateway.as_str(), subject.as_str()], read_mention)?);
                }
            }
            Asked::Logs(logs) => {
                let sql = format!("{MENTIONS} where m.gateway = ?1 and m.log = ?2 {order}");
                for (gateway, log) in logs {
                    let row = [gateway.as_str().to_owned(), log.to_string()];
                    all.extend(self.rows(&sql, row, read_mention)?);
                }
            }
        }
        Ok(all)
    }

    fn mention_counts(
        &mut self,
        gateways: &BTreeSet<GatewayId>,
    ) -> Answered<BTreeMap<(GatewayId, String), usize>> {
        let sql = "select kind, count(*) from mention where gateway = ?1 group by kind";
        let mut counts = BTreeMap::new();
        for gateway in gateways {
            let of_one = self.rows(sql, [gateway.as_str()], |row| {
                Ok(Some((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
            })?;
            for (kind, count) in of_one {
                counts.insert((*gateway, kind), usize::try_from(count).unwrap_or(usize::MAX));
            }
        }
        Ok(counts)
    }

    fn known_findings(&mut self, ids: &BTreeSet<ClashId>) -> Answered<BTreeMap<ClashId, Option<Spot>>> {
        let sql = "select excuse_gateway, excuse_log, excuse_seq from finding where id = ?1";
        let mut known = BTreeMap::new();
        for id in ids {
            let excuse = self.rows(sql, [id.to_string()], |row| {
                if row.get::<_, Option<String>>(0)?.is_none() {
                    return Ok(Some(None));
                }
                let log =
                    GatewayId::new(&row.get::<_, String>(0)?).zip(LogId::from_hex(&row.get::<_, String>(1)?));
                let seq = row.get::<_, i64>(2)?.cast_unsigned();
                Ok(log.map(|(gateway, log)| Some((gateway, log, seq))))
            })?;
            known.extend(excuse.into_iter().map(|excuse| (*id, excuse)));
        }
        Ok(known)
    }

    fn findings_after(
        &mut self,
        (time, id): (i64, Option<ClashId>),
        most: u32,
    ) -> Answered<Vec<KeptFinding>> {
        let sql =
            format!("{FINDINGS} where (found_unix_ms, id) > (?1, ?2) order by found_unix_ms, id limit ?3");
        let id = id.map_or_else(String::new, |id| id.to_string());
        self.rows(&sql, params![time, id, most], read_finding)
    }

    fn finding(&mut self, id: ClashId) -> Answered<Option<KeptFinding>> {
        let found = self.rows(&format!("{FINDINGS} where id = ?1"), [id.to_string()], read_finding)?;
        Ok(found.into_iter().next())
    }

    fn unindexed(&mut self, of: Option<Log>) -> Answered<Option<(Log, u64)>> {
        let read = |row: &Row<'_>| {
            let log =
                GatewayId::new(&row.get::<_, String>(0)?).zip(LogId::from_hex(&row.get::<_, String>(1)?));
            let next: i64 = row.get(2)?;
            Ok(log.map(|log| (log, next.cast_unsigned())))
        };
        let columns = "select gateway, log, next_seq from unindexed";
        let found = match of {
            None => self.rows(&format!("{columns} order by gateway, log limit 1"), [], read)?,
            Some((gateway, log)) => {
                let sql = format!("{columns} where gateway = ?1 and log = ?2");
                self.rows(&sql, params![gateway.as_str(), log.to_string()], read)?
            }
        };
        Ok(found.into_iter().next())
    }

    fn unindexed_logs(&mut self) -> Answered<Option<(u64, u64)>> {
        let left = self.rows("select count(*) from unindexed", [], count)?.into_iter().next().unwrap_or(0);
        if left == 0 {
            return Ok(None);
        }
        let all = self.rows("select count(*) from turn", [], count)?.into_iter().next().unwrap_or(left);
        Ok(Some((left, all)))
    }

    fn unindex(&mut self) -> Answered<()> {
        let sql =
            "begin immediate; delete from span; delete from asset; delete from left_word; delete from summed; delete from day_sum;
                   insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn where true
                   on conflict (gateway, log) do update set next_seq = 0; commit";
        let done = self.ok(self.connection.execute_batch(sql));
        if done.is_err() {
            self.abandon();
        }
        done
    }
}

fn count(row: &Row<'_>) -> rusqlite::Result<Option<u64>> {
    Ok(Some(row.get::<_, i64>(0)?.cast_unsigned()))
}

fn read_mention(row: &Row<'_>) -> rusqlite::Result<Option<Located>> {
    let text = |column| row.get::<_, String>(column);
    let log = GatewayId::new(&text(0)?).zip(LogId::from_hex(&text(1)?));
    let (seq, hash) = (row.get::<_, i64>(2)?.cast_unsigned(), Digest::from_hex(&text(3)?));
    let (at_unix_ms, subject) = (row.get(4)?, Name::new(&text(5)?));
    let kind = text(6)?;
    let (kind, end) = kind_and_end(&kind);
    let says = Says::of_columns(kind, &text(7)?, &text(8)?);
    let division: Option<String> = row.get(9)?;
    let enterprise: Option<String> = row.get(10)?;
    let place = division.zip(enterprise).map(|(division, enterprise)| -> Option<Place> {
        Division::parse(&division).zip(CreditCode::parse(&enterprise))
    });
    let place = match place {
        None => None,
        Some(Some(place)) => Some(place),
        Some(None) => return Ok(None),
    };
    Ok(log.zip(hash).zip(subject.zip(says)).map(|(((gateway, log), hash), (subject, says))| Located {
        mention: Mention { gateway, log, seq, hash, at_unix_ms, subject, says, end },
        place,
    }))
}

fn read_finding(row: &Row<'_>) -> rusqlite::Result<Option<KeptFinding>> {
    let (id, kind) =
        (ClashId::from_hex(&row.get::<_, String>(0)?), ClashKind::from_word(&row.get::<_, String>(1)?));
    let (about, found_unix_ms) = (row.get(2)?, row.get(3)?);
    let halves = read_half(row, 4)?.zip(read_half(row, 9)?);
    let is_excused = row.get::<_, Option<String>>(14)?.is_some();
    let excuse = if is_excused { read_half(row, 14)?.map(Some) } else { Some(None) };
    Ok(id.zip(kind).zip(halves.zip(excuse)).map(|((id, kind), ((first, second), excuse))| KeptFinding {
        id,
        kind,
        about,
        found_unix_ms,
        halves: [first, second],
        excuse,
    }))
}

fn read_half(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<KeptHalf>> {
    let text = |column| row.get::<_, String>(column);
    let log = GatewayId::new(&text(at)?).zip(LogId::from_hex(&text(at + 1)?));
    let (seq, hash) = (row.get::<_, i64>(at + 2)?.cast_unsigned(), Digest::from_hex(&text(at + 3)?));
    let bytes = text(at + 4)?.into_bytes();
    Ok(log.zip(hash).map(|((gateway, log), hash)| KeptHalf { gateway, log, seq, hash, bytes }))
}
