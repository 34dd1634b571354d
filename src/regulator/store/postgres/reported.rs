//! Verdicts and papers for reports, in PostgreSQL.

use tokio_postgres::{Row, types::ToSql};

use super::{PostgresStore, read::number};
use crate::{
    regulator::store::{
        Answered, KeptRecord, Log,
        reported::{Reported, beyond},
    },
    terms::{AssetId, Digest},
};

impl Reported for PostgresStore {
    fn judged(&mut self, (gateway, log): Log) -> Answered<Vec<AssetId>> {
        // From one to the next by the index, past all verdicts between.
        let sql = "with recursive judged (asset) as (
                       select (select min(asset) from record where gateway = $1 and log = $2 and kind = 'verdict')
                       union all
                       select (select min(asset) from record where gateway = $1 and log = $2 and kind = 'verdict'
                               and asset > judged.asset)
                       from judged where judged.asset is not null)
                   select asset from judged where asset is not null";
        let (gateway, log) = (gateway.as_str(), log.to_string());
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &log]).await)?;
        let asset = |row: &Row| AssetId::new(row.try_get(0).ok()?);
        rows.iter().map(|row| asset(row).ok_or_else(|| self.strange())).collect()
    }

    fn verdicts(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        (from_unix_ms, to_unix_ms): (i64, i64),
        after: Option<u64>,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and log = $2 and asset = $3 and kind = 'verdict' and wall_unix_ms >= $4
                   and wall_unix_ms < $5 and seq > $6 order by seq limit $7";
        let (gateway, log, asset) = (gateway.as_str(), log.to_string(), asset.as_str());
        let (after, most) = (beyond(after), i64::from(most));
        let asked: [&(dyn ToSql + Sync); 7] =
            [&gateway, &log, &asset, &from_unix_ms, &to_unix_ms, &after, &most];
        let rows = self.ask(async |session| session.query(sql, &asked).await)?;
        self.reported(&rows)
    }

    fn verdict_before(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        unix_ms: i64,
    ) -> Answered<Option<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and log = $2 and asset = $3 and kind = 'verdict' and wall_unix_ms < $4
                   order by wall_unix_ms desc, seq desc limit 1";
        let (gateway, log, asset) = (gateway.as_str(), log.to_string(), asset.as_str());
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &log, &asset, &unix_ms]).await)?;
        Ok(self.reported(&rows)?.into_iter().next())
    }

    fn papers(&mut self, (gateway, log): Log, from: u64, most: u32) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and log = $2 and kind in ('transition', 'act', 'answer') and seq >= $3
                   order by seq limit $4";
        let (gateway, log) = (gateway.as_str(), log.to_string());
        let (from, most) = (from.cast_signed(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &log, &from, &most]).await)?;
        self.reported(&rows)
    }
}

impl PostgresStore {
    fn reported(&self, rows: &[Row]) -> Answered<Vec<(u64, KeptRecord)>> {
        rows.iter().map(|row| record(row).ok_or_else(|| self.strange())).collect()
    }
}

fn record(row: &Row) -> Option<(u64, KeptRecord)> {
    let record = KeptRecord {
        hash: Digest::from_hex(row.try_get(1).ok()?)?,
        kind: row.try_get(2).ok()?,
        asset: row.try_get(3).ok()?,
        wall_unix_ms: row.try_get(4).ok()?,
        received_unix_ms: row.try_get(5).ok()?,
        bytes: row.try_get(6).ok()?,
    };
    Some((number(row, 0)?, record))
}
