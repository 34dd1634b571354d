//! Verdicts and papers for reports, in SQLite.

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    regulator::{
        store::{
            Answered, KeptRecord, Log,
            reported::{Reported, beyond},
        },
        sums::DaySum,
    },
    terms::{AssetId, Digest, LegalDay},
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
        after: Option<u64>,
        to: u64,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_verdict_place
                   where gateway = ?1 and log = ?2 and asset = ?3 and kind = 'verdict' and seq > ?4 and seq <= ?5
                   order by seq limit ?6";
        let (log, after, to) = (log.to_string(), beyond(after), to.cast_signed());
        self.rows(sql, params![gateway.as_str(), log, asset.as_str(), after, to, most], record)
    }

    fn verdict_to(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        to: u64,
    ) -> Answered<Option<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_verdict_place
                   where gateway = ?1 and log = ?2 and asset = ?3 and kind = 'verdict' and seq <= ?4
                   order by seq desc limit 1";
        let asked = params![gateway.as_str(), log.to_string(), asset.as_str(), to.cast_signed()];
        Ok(self.rows(sql, asked, record)?.into_iter().next())
    }

    fn verdict_before(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        unix_ms: i64,
        to: u64,
    ) -> Answered<Option<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_verdict
                   where gateway = ?1 and log = ?2 and asset = ?3 and kind = 'verdict' and min(wall_unix_ms, received_unix_ms) < ?4
                   and seq <= ?5 order by min(wall_unix_ms, received_unix_ms) desc, seq desc limit 1";
        let asked = params![gateway.as_str(), log.to_string(), asset.as_str(), unix_ms, to.cast_signed()];
        Ok(self.rows(sql, asked, record)?.into_iter().next())
    }

    fn papers(&mut self, (gateway, log): Log, from: u64, most: u32) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   indexed by record_paper
                   where gateway = ?1 and log = ?2 and kind in ('transition', 'act', 'answer') and seq >= ?3
                   order by seq limit ?4";
        self.rows(sql, params![gateway.as_str(), log.to_string(), from.cast_signed(), most], record)
    }

    fn summed(&mut self, (gateway, log): Log) -> Answered<Option<u64>> {
        let sql = "select seq from summed where gateway = ?1 and log = ?2";
        let upto: Option<i64> =
            self.one(sql, params![gateway.as_str(), log.to_string()], |row| row.get(0))?;
        Ok(upto.map(i64::cast_unsigned))
    }

    fn day_sums(
        &mut self,
        (gateway, log): Log,
        asset: Option<AssetId>,
        (from, to): (LegalDay, LegalDay),
    ) -> Answered<Vec<(AssetId, LegalDay, DaySum)>> {
        let of_all = "select asset, day, sum from day_sum where gateway = ?1 and log = ?2
                      and day >= ?3 and day <= ?4 order by asset, day";
        let of_one = "select asset, day, sum from day_sum where gateway = ?1 and log = ?2
                      and day >= ?3 and day <= ?4 and asset = ?5 order by day";
        let (log, from, to) = (log.to_string(), from.number(), to.number());
        match asset {
            None => self.rows(of_all, params![gateway.as_str(), log, from, to], day_sum),
            Some(asset) => {
                self.rows(of_one, params![gateway.as_str(), log, from, to, asset.as_str()], day_sum)
            }
        }
    }
}

fn day_sum(row: &Row<'_>) -> rusqlite::Result<Option<(AssetId, LegalDay, DaySum)>> {
    let asset = AssetId::new(&row.get::<_, String>(0)?);
    let (day, sum): (i32, String) = (row.get(1)?, row.get(2)?);
    let told = asset.zip(DaySum::of_text(&sum));
    Ok(told.map(|(asset, sum)| (asset, LegalDay::numbered(day), sum)))
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
