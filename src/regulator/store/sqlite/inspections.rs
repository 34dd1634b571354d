//! Looks on site that were asked for, in SQLite.

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    regulator::store::{
        Answered, Inspections,
        inspections::{Inspection, InspectionColumns, InspectionsAsked, MOST_OPEN, Said},
        sights::Scope,
    },
    terms::{AssetId, GatewayId},
};

impl Inspections for SqliteStore {
    fn ask_inspection(
        &mut self,
        scope: &Scope,
        gateway: GatewayId,
        asset: AssetId,
        asked: &Said,
    ) -> Answered<bool> {
        let sql = "insert into inspection (gateway, asset, asked_by, asked_unix_ms, why)
                   select gateway, asset, ?3, ?4, ?5 from asset
                   where gateway = ?1 and asset = ?2 and division >= ?6 and division < ?7 and ?8 >
                   (select count(*) from inspection where gateway = ?1 and asset = ?2 and answered_by is null)";
        let (from, to) = scope.bounds();
        let Said { who, at_unix_ms, what } = asked;
        let row =
            params![gateway.as_str(), asset.as_str(), who.as_str(), at_unix_ms, what, from, to, MOST_OPEN];
        self.execute(sql, row).map(|rows| rows > 0)
    }

    fn answer_inspection(&mut self, scope: &Scope, number: u64, answered: &Said) -> Answered<bool> {
        let sql = "update inspection set answered_by = ?2, answered_unix_ms = ?3, found = ?4
                   where number = ?1 and answered_by is null and exists (select 1 from asset
                   where asset.gateway = inspection.gateway and asset.asset = inspection.asset
                   and division >= ?5 and division < ?6)";
        let (from, to) = scope.bounds();
        let Said { who, at_unix_ms, what } = answered;
        let row = params![number.cast_signed(), who.as_str(), at_unix_ms, what, from, to];
        self.execute(sql, row).map(|rows| rows > 0)
    }

    fn inspections(&mut self, asked: &InspectionsAsked) -> Answered<Vec<Inspection>> {
        let sql = "select number, gateway, asset, asked_by, asked_unix_ms, why, answered_by, answered_unix_ms, found
                   from inspection join asset using (gateway, asset)
                   where division >= ?1 and division < ?2 and number < ?3 and (not ?4 or answered_by is null)
                   and (?5 is null or (gateway = ?5 and asset = ?6)) order by number desc limit ?7";
        let (from, to) = asked.scope.bounds();
        let (gateway, asset) = asked.asset.unzip();
        let row = params![
            from,
            to,
            i64::try_from(asked.before).unwrap_or(i64::MAX),
            asked.is_open,
            gateway.as_ref().map(|gateway| gateway.as_str()),
            asset.as_ref().map(|asset| asset.as_str()),
            asked.most
        ];
        self.rows(sql, row, inspection)
    }

    fn inspections_after(&mut self, number: u64, most: u32) -> Answered<Vec<Inspection>> {
        let sql = "select number, gateway, asset, asked_by, asked_unix_ms, why, answered_by, answered_unix_ms, found
                   from inspection where number > ?1 order by number limit ?2";
        self.rows(sql, params![number.cast_signed(), most], inspection)
    }

    fn keep_inspection(&mut self, inspection: &Inspection) -> Answered<()> {
        let Inspection { number, gateway, asset, asked, answered } = inspection;
        let sql = "insert into inspection
                   (number, gateway, asset, asked_by, asked_unix_ms, why, answered_by, answered_unix_ms, found)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let row = params![
            number.cast_signed(),
            gateway.as_str(),
            asset.as_str(),
            asked.who.as_str(),
            asked.at_unix_ms,
            asked.what,
            answered.as_ref().map(|said| said.who.as_str()),
            answered.as_ref().map(|said| said.at_unix_ms),
            answered.as_ref().map(|said| said.what.as_str())
        ];
        self.execute(sql, row).map(|_| ())
    }
}

fn inspection(row: &Row<'_>) -> rusqlite::Result<Option<Inspection>> {
    let columns = InspectionColumns {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        gateway: row.get(1)?,
        asset: row.get(2)?,
        asked: (row.get(3)?, row.get(4)?, row.get(5)?),
        answered: (row.get(6)?, row.get(7)?, row.get(8)?),
    };
    Ok(columns.read())
}
