//! Verdicts and papers for reports, in SQLite.

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    regulator::store::{
        Answered, KeptRecord, Log,
        reported::{Reported, beyond},
    },
    terms::{AssetId, Digest},
};

impl Reported for SqliteStore {
    fn judged(&mut self, (gateway, log): Log) -> Answered<Vec<AssetId>> {
        // From one to the next by the index, past all verdicts between.
        let sql = "with recursive judged (asset) as (
                       select (select min(asset) from record where gateway = ?1 and log = ?2 and kind = 'verdict')
                       union all
                       select (select min(asset) from record where gateway = ?1 and log = ?2 and kind = 'verdict'
                               and asset > judged.asset)
                       from judged where judged.asset is not null)
                   select asset from judged where asset is not null";
        self.rows(sql, params![gateway.as_str(), log.to_string()], |row| {
            Ok(AssetId::new(&row.get::<_, String>(0)?))
        })
    }

    fn verdicts(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        (from_unix_ms, to_unix_ms): (i64, i64),
        after: Option<u64>,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_verdict
                   where gateway = ?1 and log = ?2 and asset = ?3 and kind = 'verdict' and wall_unix_ms >= ?4
                   and wall_unix_ms < ?5 and seq > ?6 order by seq limit ?7";
        let (log, after) = (log.to_string(), beyond(after));
        let asked = params![gateway.as_str(), log, asset.as_str(), from_unix_ms, to_unix_ms, after, most];
        self.rows(sql, asked, record)
    }

    fn verdict_before(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        unix_ms: i64,
    ) -> Answered<Option<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_verdict
                   where gateway = ?1 and log = ?2 and asset = ?3 and kind = 'verdict' and wall_unix_ms < ?4
                   order by wall_unix_ms desc, seq desc limit 1";
        let asked = params![gateway.as_str(), log.to_string(), asset.as_str(), unix_ms];
        Ok(self.rows(sql, asked, record)?.into_iter().next())
    }

    fn papers(&mut self, (gateway, log): Log, from: u64, most: u32) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_paper
                   where gateway = ?1 and log = ?2 and kind in ('transition', 'act', 'answer') and seq >= ?3
                   order by seq limit ?4";
        self.rows(sql, params![gateway.as_str(), log.to_string(), from.cast_signed(), most], record)
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Option<(u64, KeptRecord)>> {
    let seq: i64 = row.get(0)?;
    let Some(hash) = Digest::from_hex(&row.get::<_, String>(1)?) else { return Ok(None) };
    let (kind, asset) = (row.get(2)?, row.get(3)?);
    let (wall_unix_ms, received_unix_ms) = (row.get(4)?, row.get(5)?);
    let bytes = row.get::<_, String>(6)?.into_bytes();
    let record = KeptRecord { hash, kind, asset, wall_unix_ms, received_unix_ms, bytes };
    Ok(Some((seq.cast_unsigned(), record)))
}
