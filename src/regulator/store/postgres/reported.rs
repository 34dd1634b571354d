//! Verdicts and papers for reports, in PostgreSQL.

use tokio_postgres::{Row, types::ToSql};

use super::{PostgresStore, read::number};
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
        after: Option<u64>,
        to: u64,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and log = $2 and asset = $3 and kind = 'verdict' and seq > $4 and seq <= $5
                   order by seq limit $6";
        let (gateway, log, asset) = (gateway.as_str(), log.to_string(), asset.as_str());
        let (after, to, most) = (beyond(after), to.cast_signed(), i64::from(most));
        let asked: [&(dyn ToSql + Sync); 6] = [&gateway, &log, &asset, &after, &to, &most];
        let rows = self.ask(async |session| session.query(sql, &asked).await)?;
        self.reported(&rows)
    }

    fn verdict_to(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        to: u64,
    ) -> Answered<Option<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and log = $2 and asset = $3 and kind = 'verdict' and seq <= $4
                   order by seq desc limit 1";
        let (gateway, log, asset) = (gateway.as_str(), log.to_string(), asset.as_str());
        let to = to.cast_signed();
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &log, &asset, &to]).await)?;
        Ok(self.reported(&rows)?.into_iter().next())
    }

    fn verdict_before(
        &mut self,
        ((gateway, log), asset): (Log, AssetId),
        unix_ms: i64,
        to: u64,
    ) -> Answered<Option<(u64, KeptRecord)>> {
        let sql = "select seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and log = $2 and asset = $3 and kind = 'verdict' and least(wall_unix_ms, received_unix_ms) < $4
                   and seq <= $5 order by least(wall_unix_ms, received_unix_ms) desc, seq desc limit 1";
        let (gateway, log, asset) = (gateway.as_str(), log.to_string(), asset.as_str());
        let to = to.cast_signed();
        let asked: [&(dyn ToSql + Sync); 5] = [&gateway, &log, &asset, &unix_ms, &to];
        let rows = self.ask(async |session| session.query(sql, &asked).await)?;
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

    fn summed(&mut self, (gateway, log): Log) -> Answered<Option<u64>> {
        let sql = "select seq from summed where gateway = $1 and log = $2";
        let (gateway, log) = (gateway.as_str(), log.to_string());
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &log]).await)?;
        rows.first().map(|row| number(row, 0).ok_or_else(|| self.strange())).transpose()
    }

    fn day_sums(
        &mut self,
        (gateway, log): Log,
        asset: Option<AssetId>,
        (from, to): (LegalDay, LegalDay),
    ) -> Answered<Vec<(AssetId, LegalDay, DaySum)>> {
        let of_all = "select asset, day, sum from day_sum where gateway = $1 and log = $2
                      and day >= $3 and day <= $4 order by asset, day";
        let of_one = "select asset, day, sum from day_sum where gateway = $1 and log = $2
                      and day >= $3 and day <= $4 and asset = $5 order by day";
        let (gateway, log) = (gateway.as_str(), log.to_string());
        let (from, to) = (i64::from(from.number()), i64::from(to.number()));
        let rows = match asset {
            None => self.ask(async |session| session.query(of_all, &[&gateway, &log, &from, &to]).await)?,
            Some(asset) => {
                let asset = asset.as_str();
                let asked: [&(dyn ToSql + Sync); 5] = [&gateway, &log, &from, &to, &asset];
                self.ask(async |session| session.query(of_one, &asked).await)?
            }
        };
        rows.iter().map(|row| day_sum(row).ok_or_else(|| self.strange())).collect()
    }
}

impl PostgresStore {
    fn reported(&self, rows: &[Row]) -> Answered<Vec<(u64, KeptRecord)>> {
        rows.iter().map(|row| record(row).ok_or_else(|| self.strange())).collect()
    }
}

fn day_sum(row: &Row) -> Option<(AssetId, LegalDay, DaySum)> {
    let day = i32::try_from(row.try_get::<_, i64>(1).ok()?).ok()?;
    let sum = DaySum::of_text(row.try_get(2).ok()?)?;
    Some((AssetId::new(row.try_get(0).ok()?)?, LegalDay::numbered(day), sum))
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
