//! Looks on site that were asked for, in PostgreSQL. What people type is kept as bytes.

use tokio_postgres::{Row, types::ToSql};

use super::{PostgresStore, read::number};
use crate::{
    regulator::store::{
        Answered, Inspections,
        inspections::{Inspection, InspectionColumns, InspectionsAsked, MOST_OPEN, Said},
        sights::Scope,
    },
    terms::{AssetId, GatewayId},
};

impl Inspections for PostgresStore {
    fn ask_inspection(
        &mut self,
        scope: &Scope,
        gateway: GatewayId,
        asset: AssetId,
        asked: &Said,
    ) -> Answered<bool> {
        let sql = "insert into inspection (gateway, asset, asked_by, asked_unix_ms, why)
                   select gateway, asset, $3::text, $4::bigint, $5::bytea from asset
                   where gateway = $1 and asset = $2 and division >= $6 and division < $7 and $8::bigint >
                   (select count(*) from inspection where gateway = $1 and asset = $2 and answered_by is null)";
        let ((from, to), most) = (scope.bounds(), i64::from(MOST_OPEN));
        let (gateway, asset) = (gateway.as_str(), asset.as_str());
        let (who, at, what) = (asked.who.as_str(), asked.at_unix_ms, asked.what.as_bytes());
        let columns: Vec<&(dyn ToSql + Sync)> = vec![&gateway, &asset, &who, &at, &what, &from, &to, &most];
        self.ask(async |session| session.execute(sql, &columns).await).map(|rows| rows > 0)
    }

    fn answer_inspection(&mut self, scope: &Scope, number: u64, answered: &Said) -> Answered<bool> {
        let sql = "update inspection set answered_by = $2, answered_unix_ms = $3, found = $4
                   where number = $1 and answered_by is null and exists (select 1 from asset
                   where asset.gateway = inspection.gateway and asset.asset = inspection.asset
                   and division >= $5 and division < $6)";
        let ((from, to), number) = (scope.bounds(), number.cast_signed());
        let (who, at, what) = (answered.who.as_str(), answered.at_unix_ms, answered.what.as_bytes());
        let columns: Vec<&(dyn ToSql + Sync)> = vec![&number, &who, &at, &what, &from, &to];
        self.ask(async |session| session.execute(sql, &columns).await).map(|rows| rows > 0)
    }

    fn inspections(&mut self, asked: &InspectionsAsked) -> Answered<Vec<Inspection>> {
        let sql = "select number, gateway, asset, asked_by, asked_unix_ms, why, answered_by, answered_unix_ms, found
                   from inspection join asset using (gateway, asset)
                   where division >= $1 and division < $2 and number < $3 and (not $4 or answered_by is null)
                   and ($5::text is null or (gateway = $5 and asset = $6)) order by number desc limit $7";
        let ((from, to), most) = (asked.scope.bounds(), i64::from(asked.most));
        let before = i64::try_from(asked.before).unwrap_or(i64::MAX);
        let (gateway, asset) = asked.asset.unzip();
        let (gateway, asset) =
            (gateway.as_ref().map(|gateway| gateway.as_str()), asset.as_ref().map(|asset| asset.as_str()));
        let columns: Vec<&(dyn ToSql + Sync)> =
            vec![&from, &to, &before, &asked.is_open, &gateway, &asset, &most];
        let rows = self.ask(async |session| session.query(sql, &columns).await)?;
        rows.iter().map(|row| inspection(row).ok_or_else(|| self.strange())).collect()
    }

    fn inspections_after(&mut self, number: u64, most: u32) -> Answered<Vec<Inspection>> {
        let sql = "select number, gateway, asset, asked_by, asked_unix_ms, why, answered_by, answered_unix_ms, found
                   from inspection where number > $1 order by number limit $2";
        let (number, most) = (number.cast_signed(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&number, &most]).await)?;
        rows.iter().map(|row| inspection(row).ok_or_else(|| self.strange())).collect()
    }

    fn keep_inspection(&mut self, inspection: &Inspection) -> Answered<()> {
        let Inspection { number, gateway, asset, asked, answered } = inspection;
        let sql = "insert into inspection
                   (number, gateway, asset, asked_by, asked_unix_ms, why, answered_by, answered_unix_ms, found)
                   overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        // The next one that is asked for has the number after.
        let next =
            "select setval(pg_get_serial_sequence('inspection', 'number'), max(number)) from inspection";
        let (number, gateway, asset) = (number.cast_signed(), gateway.as_str(), asset.as_str());
        let (who, what) = (asked.who.as_str(), asked.what.as_bytes());
        let by = answered.as_ref().map(|said| said.who.as_str());
        let at = answered.as_ref().map(|said| said.at_unix_ms);
        let found = answered.as_ref().map(|said| said.what.as_bytes());
        let row: [&(dyn ToSql + Sync); 9] =
            [&number, &gateway, &asset, &who, &asked.at_unix_ms, &what, &by, &at, &found];
        self.ask(async |session| {
            session.execute(sql, &row).await?;
            session.query(next, &[]).await
        })
        .map(|_| ())
    }
}

fn inspection(row: &Row) -> Option<Inspection> {
    let typed = |column| -> Option<Option<String>> {
        let bytes: Option<Vec<u8>> = row.try_get(column).ok()?;
        bytes.map(String::from_utf8).transpose().ok()
    };
    let columns = InspectionColumns {
        number: number(row, 0)?,
        gateway: row.try_get(1).ok()?,
        asset: row.try_get(2).ok()?,
        asked: (row.try_get(3).ok()?, row.try_get(4).ok()?, typed(5)??),
        answered: (row.try_get(6).ok()?, row.try_get(7).ok()?, typed(8)?),
    };
    columns.read()
}
