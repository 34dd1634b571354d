//! Equipment as screens list it, in SQLite.

use std::collections::BTreeSet;

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    evidence::LogId,
    regulator::{
        sight::{MOST_QUIET_MS, Span},
        store::{
            Answered, KeptRecord, Log, Sights,
            equipment::{columns, convicted_before, is_or_was},
            sights::{
                After, AskedAt, AssetRow, AssetText, FleetAsked, Numbers, Scope, SpanSum, Which, merged,
            },
        },
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, WattHours},
};

const COLUMNS: &str = columns!();
const NUMBERS: &str = "count(*) as assets, count(*) filter (where last_day <> '' and last_day < ?1) as due,
    count(*) filter (where rung in ('verified', 'maintained') and heard >= ?2) as verified,
    count(*) filter (where state = 'drawing' and heard >= ?2) as drawing,
    count(*) filter (where state in ('', 'unknown') or heard is null or heard < ?2) as unproven,
    count(*) filter (where violation_since_unix_ms is not null) as latched
    from (select asset.*, case when speaks.heard - changed_unix_ms < 3600000 then speaks.heard end as heard from asset left join
    (select gateway, max(received_unix_ms) as heard from log group by gateway) as speaks on speaks.gateway = asset.gateway) as asset";

impl SqliteStore {
    /// A page of the equipment for which `which` holds.
    fn fleet_page(&self, asked: &FleetAsked, which: &str, begins: &After) -> Answered<Vec<AssetRow>> {
        let speaks = format!("coalesce(case when heard - attested < {MOST_QUIET_MS} then heard end, 0)");
        let sql = format!(
            "select * from ({COLUMNS} where {which} and (division, gateway, asset) > (?3, ?4, ?5)
             and (?6 = '' or uscc = ?6) and (?7 = '' or gateway = ?7) and (?8 = '' or class = ?8)
             and (?9 is null or entry in (select value from json_each(?9))) and (?10 = '' or (last_day <> '' and last_day <= ?10)))
             where case ?11 when 'due' then last_day <> '' and last_day < ?12
             when 'verified' then rung in ('verified', 'maintained') and {speaks} >= ?13
             when 'drawing' then state = 'drawing' and {speaks} >= ?13
             when 'unproven' then state in ('', 'unknown') or {speaks} < ?13
             when 'latched' then violation_since_unix_ms is not null else true end
             order by division, gateway, asset limit ?14"
        );
        let (from, to) = asked.scope.bounds();
        let row = params![
            from,
            to,
            begins.division,
            begins.gateway,
            begins.asset,
            asked.enterprise.as_ref().map_or("", |enterprise| enterprise.as_str()),
            asked.gateway.as_ref().map_or("", |gateway| gateway.as_str()),
            asked.class.as_deref().unwrap_or(""),
            listed(asked.entries.as_deref()),
            asked.due_by.map_or_else(String::new, |day| day.to_string()),
            asked.lane.word(),
            asked.at.today.to_string(),
            asked.at.silent_before_unix_ms,
            asked.most
        ];
        self.rows(&sql, row, asset_row)
    }
}

impl Sights for SqliteStore {
    fn fleet(&mut self, asked: &FleetAsked) -> Answered<Vec<AssetRow>> {
        // The index is entered where the page begins: `+` keeps the scope from being where it is entered.
        let here = self.fleet_page(asked, "+division >= ?1 and division < ?2", &asked.begins())?;
        if asked.scope == Scope::NATION {
            return Ok(here);
        }
        let before = self.fleet_page(asked, convicted_before!("?1", "?2"), &asked.after)?;
        Ok(merged(here, before, asked.most))
    }

    fn asset(&mut self, scope: &Scope, gateway: GatewayId, asset: AssetId) -> Answered<Option<AssetRow>> {
        let sql = format!("{COLUMNS} where gateway = ?1 and asset = ?2 and {}", is_or_was!("?3", "?4"));
        let (from, to) = scope.bounds();
        let found = self.rows(&sql, params![gateway.as_str(), asset.as_str(), from, to], asset_row)?;
        Ok(found.into_iter().next())
    }

    fn equipment(&mut self, gateway: GatewayId, after: &str, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = format!("{COLUMNS} where gateway = ?1 and asset > ?2 order by asset limit ?3");
        self.rows(&sql, params![gateway.as_str(), after, most], asset_row)
    }

    fn latched(&mut self, scope: &Scope, which: Which<'_>, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = format!(
            "{COLUMNS} where violation_since_unix_ms is not null and {}
             and (?4 is null or entry in (select value from json_each(?4)))
             and (?5 = '' or (last_day <> '' and last_day <= ?5))
             order by violation_since_unix_ms, gateway, asset limit ?3",
            is_or_was!("?1", "?2")
        );
        let (from, to) = scope.bounds();
        self.rows(&sql, params![from, to, most, listed(which.entries), which.day()], asset_row)
    }

    fn gone(&mut self, scope: &Scope, most: u32) -> Answered<Vec<AssetRow>> {
        let sql =
            format!("{COLUMNS} where {} order by gateway, asset limit ?3", convicted_before!("?1", "?2"));
        let (from, to) = scope.bounds();
        self.rows(&sql, params![from, to, most], asset_row)
    }

    fn numbers(&mut self, scope: &Scope, which: Which<'_>, at: AskedAt) -> Answered<Numbers> {
        let (from, to) = scope.bounds();
        let count = |place: &str| {
            let sql = format!(
                "select {NUMBERS} where {place} and (?5 is null or entry in (select value from json_each(?5)))
                 and (?6 = '' or (last_day <> '' and last_day <= ?6))"
            );
            let (entries, due_by) = (listed(which.entries), which.day());
            let row = params![at.today.to_string(), at.silent_before_unix_ms, from, to, entries, due_by];
            self.one(&sql, row, numbers).map(Option::unwrap_or_default)
        };
        let here = count("division >= ?3 and division < ?4")?;
        if *scope == Scope::NATION {
            return Ok(here);
        }
        Ok(here.and(count(convicted_before!("?3", "?4"))?))
    }

    fn calendar(
        &mut self,
        scope: &Scope,
        which: Which<'_>,
        from_day: LegalDay,
        most: u32,
    ) -> Answered<Vec<(String, u64)>> {
        let sql = "select substr(last_day, 1, 7) as month, count(*) from asset
                   where division >= ?1 and division < ?2 and last_day >= ?3
                   and (?5 is null or entry in (select value from json_each(?5)))
                   and (?6 = '' or last_day <= ?6) group by month order by month limit ?4";
        let (from, to) = scope.bounds();
        let row = params![from, to, from_day.to_string(), most, listed(which.entries), which.day()];
        self.rows(sql, row, |row| Ok(Some((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))))
    }

    fn keep_tally(&mut self, at: AskedAt) -> Answered<bool> {
        let sql = format!(
            "insert or ignore into tally (day, division, assets, due, verified, drawing, unproven, latched)
             select ?1, division, {NUMBERS} group by division"
        );
        let row = params![at.today.to_string(), at.silent_before_unix_ms];
        self.execute(&sql, row).map(|rows| rows > 0)
    }

    fn tally(&mut self, scope: &Scope, day: LegalDay) -> Answered<Option<Numbers>> {
        let sql = "select sum(assets), sum(due), sum(verified), sum(drawing), sum(unproven), sum(latched) from tally
                   where day = ?1 and division >= ?2 and division < ?3 having count(*) > 0";
        let (from, to) = scope.bounds();
        self.one(sql, params![day.to_string(), from, to], numbers)
    }

    fn spans(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        (from_unix_ms, to_unix_ms): (i64, i64),
        step_ms: i64,
    ) -> Answered<Vec<SpanSum>> {
        let sql = "select (from_unix_ms - ?3) / ?5 as step,
                   case when count(energy_wh) > 0 then cast(total(energy_wh) as integer) end,
                   count(*) - count(energy_wh), cast(total(seen_ms) as integer), cast(total(unseen_ms) as integer),
                   count(distinct meter) from span
                   where gateway = ?1 and asset = ?2 and from_unix_ms >= ?3 and from_unix_ms < ?4
                   and (?6 = '' or log in (select here.log from log as here where here.gateway = ?1
                   and here.division >= ?6 and here.division < ?7)) group by step order by step";
        let (step_ms, (from, to)) = (step_ms.max(1), scope.bounds());
        let (gateway, asset) = (row.gateway.as_str(), row.asset.as_str());
        let asked = params![gateway, asset, from_unix_ms, to_unix_ms, step_ms, from, to];
        self.rows(sql, asked, |row| {
            Ok(Some(SpanSum {
                from_unix_ms: from_unix_ms.saturating_add(row.get::<_, i64>(0)?.saturating_mul(step_ms)),
                energy: row.get::<_, Option<i64>>(1)?.map(WattHours),
                untold: row.get::<_, i64>(2)?.cast_unsigned(),
                seen_ms: row.get(3)?,
                unseen_ms: row.get(4)?,
                meters: row.get::<_, i64>(5)?.cast_unsigned(),
            }))
        })
    }

    fn witnessed_from(&mut self, row: &AssetRow, scope: &Scope) -> Answered<Option<i64>> {
        let sql = "select min(from_unix_ms) from span where gateway = ?1 and asset = ?2
                   and (?3 = '' or log in (select here.log from log as here where here.gateway = ?1
                   and here.division >= ?3 and here.division < ?4))";
        let (from, to) = scope.bounds();
        let asked = params![row.gateway.as_str(), row.asset.as_str(), from, to];
        Ok(self.one(sql, asked, |row| row.get(0))?.flatten())
    }

    fn spans_kept(&mut self, (gateway, log): Log, told: &[(u64, AssetId, Span)]) -> Answered<BTreeSet<u64>> {
        let sql = "select seq from span where gateway = ?1 and asset = ?2 and from_unix_ms = ?3 and meter = ?4 and log = ?5
                   and seq = ?6 and to_unix_ms = ?7 and energy_wh is ?8 and seen_ms = ?9 and unseen_ms = ?10";
        let log = log.to_string();
        let mut kept = BTreeSet::new();
        for (seq, asset, span) in told {
            let row = params![
                gateway.as_str(),
                asset.as_str(),
                span.from_unix_ms,
                span.meter.as_str(),
                log,
                seq.cast_signed(),
                span.to_unix_ms,
                span.energy.map(|energy| energy.0),
                span.seen_ms,
                span.unseen_ms
            ];
            kept.extend(self.rows(sql, row, |row| Ok(Some(row.get::<_, i64>(0)?.cast_unsigned())))?);
        }
        Ok(kept)
    }

    fn span_count(&mut self, gateway: GatewayId) -> Answered<u64> {
        let sql = "select count(*) from span where gateway = ?1";
        let counted = self.one(sql, [gateway.as_str()], |row| row.get::<_, i64>(0))?;
        Ok(counted.map_or(0, i64::cast_unsigned))
    }

    fn story(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        before_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>> {
        let sql = "select log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = ?1 and asset = ?2 and wall_unix_ms < ?3
                   and kind in ('state', 'event', 'verdict', 'transition', 'act')
                   and (?5 = '' or log in (select here.log from log as here where here.gateway = ?1
                   and here.division >= ?5 and here.division < ?6))
                   order by wall_unix_ms desc, log desc, seq desc limit ?4";
        let (from, to) = scope.bounds();
        self.rows(
            sql,
            params![row.gateway.as_str(), row.asset.as_str(), before_unix_ms, most, from, to],
            told,
        )
    }

    fn events(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        from_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>> {
        let sql = "select log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = ?1 and asset = ?2 and wall_unix_ms >= ?3 and kind = 'event'
                   and kind in ('state', 'event', 'verdict', 'transition', 'act')
                   and (?5 = '' or log in (select here.log from log as here where here.gateway = ?1
                   and here.division >= ?5 and here.division < ?6))
                   order by wall_unix_ms desc, log desc, seq desc limit ?4";
        let (from, to) = scope.bounds();
        self.rows(sql, params![row.gateway.as_str(), row.asset.as_str(), from_unix_ms, most, from, to], told)
    }
}

fn told(row: &Row<'_>) -> rusqlite::Result<Option<(LogId, u64, KeptRecord)>> {
    let log = LogId::from_hex(&row.get::<_, String>(0)?);
    let (seq, hash) = (row.get::<_, i64>(1)?, Digest::from_hex(&row.get::<_, String>(2)?));
    let (kind, asset) = (row.get(3)?, row.get(4)?);
    let (wall_unix_ms, received_unix_ms) = (row.get(5)?, row.get(6)?);
    let bytes = row.get::<_, String>(7)?.into_bytes();
    Ok(log.zip(hash).map(|(log, hash)| {
        let record = KeptRecord { hash, kind, asset, wall_unix_ms, received_unix_ms, bytes };
        (log, seq.cast_unsigned(), record)
    }))
}

/// Entries as SQLite takes a list.
fn listed(entries: Option<&[String]>) -> Option<String> {
    entries.map(|entries| serde_json::json!(entries).to_string())
}

fn numbers(row: &Row<'_>) -> rusqlite::Result<Numbers> {
    let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.cast_unsigned());
    Ok(Numbers {
        assets: number(0)?,
        due: number(1)?,
        verified: number(2)?,
        drawing: number(3)?,
        unproven: number(4)?,
        latched: number(5)?,
    })
}

fn asset_row(row: &Row<'_>) -> rusqlite::Result<Option<AssetRow>> {
    let text = |column| row.get::<_, String>(column);
    let (gateway, asset, division, uscc) = (text(0)?, text(1)?, text(2)?, text(3)?);
    let (verdict_log, state, class, last_day) = (text(4)?, text(6)?, text(7)?, text(8)?);
    let (entry, order, rung, plate_log) = (text(9)?, text(10)?, text(11)?, text(12)?);
    let left = text(21)?;
    let text = AssetText {
        gateway: &gateway,
        asset: &asset,
        division: &division,
        uscc: &uscc,
        verdict: (&verdict_log, row.get(5)?),
        state: &state,
        class: &class,
        last_day: &last_day,
        entry: &entry,
        order: (&order, &rung),
        plate: (&plate_log, row.get(13)?),
        left: &left,
    };
    Ok(text.row((
        row.get(18)?,
        row.get(14)?,
        row.get(15)?,
        row.get(16)?,
        row.get(17)?,
        row.get(19)?,
        row.get(20)?,
    )))
}
