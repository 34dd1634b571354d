//! Equipment as screens list it, in PostgreSQL. What cites a law is kept as bytes: no encoding of a database holds it all.

use std::collections::BTreeSet;

use tokio_postgres::{Row, types::ToSql};

use super::{
    PostgresStore,
    listed::{counted, fleet, numbers, of_logs},
    read::number,
    sighted::{self, asset_row, span_sum, story},
};
use crate::{
    evidence::LogId,
    regulator::{
        sight::Span,
        store::{
            Answered, KeptRecord, Log, Sights,
            equipment::{columns, convicted_before, is_or_was},
            sights::{After, AskedAt, AssetRow, FleetAsked, Numbers, Scope, SpanSum, Which, merged},
        },
    },
    terms::{AssetId, GatewayId, LegalDay},
};

/// Parameters of one statement, by their places.
pub(super) type Columns<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// Entries as they are kept: as bytes.
fn listed(entries: Option<&[String]>) -> Option<Vec<&[u8]>> {
    entries.map(|entries| entries.iter().map(String::as_bytes).collect())
}

impl Sights for PostgresStore {
    fn fleet(&mut self, asked: &FleetAsked) -> Answered<Vec<AssetRow>> {
        let here = self.fleet_page(asked, fleet!("division >= $1 and division < $2"), &asked.begins())?;
        if asked.scope == Scope::NATION {
            return Ok(here);
        }
        let before = self.fleet_page(asked, fleet!(convicted_before!("$1", "$2")), &asked.after)?;
        Ok(merged(here, before, asked.most))
    }

    fn asset(&mut self, scope: &Scope, gateway: GatewayId, asset: AssetId) -> Answered<Option<AssetRow>> {
        let sql = concat!(columns!(), " where gateway = $1 and asset = $2 and ", is_or_was!("$3", "$4"));
        let (from, to) = scope.bounds();
        let rows = self.ask(async |session| {
            session.query(sql, &[&gateway.as_str(), &asset.as_str(), &from, &to]).await
        })?;
        Ok(self.read_rows(&rows)?.into_iter().next())
    }

    fn equipment(&mut self, gateway: GatewayId, after: &str, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = concat!(columns!(), " where gateway = $1 and asset > $2 order by asset limit $3");
        let (gateway, most) = (gateway.as_str(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &after, &most]).await)?;
        self.read_rows(&rows)
    }

    fn latched(&mut self, scope: &Scope, which: Which<'_>, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = concat!(
            columns!(),
            " where violation_since_unix_ms is not null and ",
            is_or_was!("$1", "$2"),
            " and ($4::bytea[] is null or entry = any($4)) and ($5 = '' or (last_day <> '' and last_day <= $5))
             order by violation_since_unix_ms, gateway, asset limit $3"
        );
        let ((from, to), most) = (scope.bounds(), i64::from(most));
        let (entries, day) = (listed(which.entries), which.day());
        let rows =
            self.ask(async |session| session.query(sql, &[&from, &to, &most, &entries, &day]).await)?;
        self.read_rows(&rows)
    }

    fn gone(&mut self, scope: &Scope, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = concat!(
            columns!(),
            " where ",
            convicted_before!("$1", "$2"),
            " order by gateway, asset limit $3"
        );
        let ((from, to), most) = (scope.bounds(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&from, &to, &most]).await)?;
        self.read_rows(&rows)
    }

    fn numbers(&mut self, scope: &Scope, which: Which<'_>, at: AskedAt) -> Answered<Numbers> {
        let ((from, to), today, entries) = (scope.bounds(), at.today.to_string(), listed(which.entries));
        let (silent, day) = (at.silent_before_unix_ms, which.day());
        let mut count = |sql: &'static str| {
            let asked: Columns<'_> = vec![&today, &silent, &from, &to, &entries, &day];
            let rows = self.ask(async |session| session.query(sql, &asked).await)?;
            rows.first().and_then(sighted::numbers).ok_or_else(|| self.strange())
        };
        let here = count(counted!("division >= $3 and division < $4"))?;
        if *scope == Scope::NATION {
            return Ok(here);
        }
        Ok(here.and(count(counted!(convicted_before!("$3", "$4")))?))
    }

    fn calendar(
        &mut self,
        scope: &Scope,
        which: Which<'_>,
        from_day: LegalDay,
        most: u32,
    ) -> Answered<Vec<(String, u64)>> {
        let sql = "select substr(last_day, 1, 7) as month, count(*) from asset
                   where division >= $1 and division < $2 and last_day >= $3
                   and ($5::bytea[] is null or entry = any($5)) and ($6 = '' or last_day <= $6) group by month order by month limit $4";
        let ((from, to), day, most) = (scope.bounds(), from_day.to_string(), i64::from(most));
        let (entries, due_by) = (listed(which.entries), which.day());
        let asked: Columns<'_> = vec![&from, &to, &day, &most, &entries, &due_by];
        let rows = self.ask(async |session| session.query(sql, &asked).await)?;
        let read = |row: &Row| Some((row.try_get(0).ok()?, number(row, 1)?));
        rows.iter().map(|row| read(row).ok_or_else(|| self.strange())).collect()
    }

    fn keep_tally(&mut self, at: AskedAt) -> Answered<bool> {
        let sql = concat!(
            "insert into tally (day, division, assets, due, verified, drawing, unproven, latched) select $1::text, division, ",
            numbers!(),
            " group by division on conflict do nothing"
        );
        let (today, silent) = (at.today.to_string(), at.silent_before_unix_ms);
        self.ask(async |session| session.execute(sql, &[&today, &silent]).await).map(|rows| rows > 0)
    }

    fn tally(&mut self, scope: &Scope, day: LegalDay) -> Answered<Option<Numbers>> {
        let sql = "select sum(assets)::bigint, sum(due)::bigint, sum(verified)::bigint, sum(drawing)::bigint,
                   sum(unproven)::bigint, sum(latched)::bigint from tally
                   where day = $1 and division >= $2 and division < $3 having count(*) > 0";
        let ((from, to), day) = (scope.bounds(), day.to_string());
        let rows = self.ask(async |session| session.query(sql, &[&day, &from, &to]).await)?;
        rows.first().map(|row| sighted::numbers(row).ok_or_else(|| self.strange())).transpose()
    }

    fn spans(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        (from_unix_ms, to_unix_ms): (i64, i64),
        step_ms: i64,
    ) -> Answered<Vec<SpanSum>> {
        let sql = concat!(
            "select (from_unix_ms - $3) / $5 as step, least(sum(energy_wh), 9223372036854775807)::bigint, count(*) - count(energy_wh),
             least(sum(seen_ms), 9223372036854775807)::bigint, least(sum(unseen_ms), 9223372036854775807)::bigint, count(distinct meter) from span
             where gateway = $1 and asset = $2 and from_unix_ms >= $3 and from_unix_ms < $4 and ",
            of_logs!("$6", "$7"),
            " group by step order by step"
        );
        let (step_ms, (from, to)) = (step_ms.max(1), scope.bounds());
        let (gateway, asset) = (row.gateway.as_str(), row.asset.as_str());
        let parameters: Columns<'_> =
            vec![&gateway, &asset, &from_unix_ms, &to_unix_ms, &step_ms, &from, &to];
        let rows = self.ask(async |session| session.query(sql, &parameters).await)?;
        let read = |row: &Row| span_sum(row, from_unix_ms, step_ms).ok_or_else(|| self.strange());
        rows.iter().map(read).collect()
    }

    fn witnessed_from(&mut self, row: &AssetRow, scope: &Scope) -> Answered<Option<i64>> {
        let sql = concat!(
            "select min(from_unix_ms) from span where gateway = $1 and asset = $2 and ",
            of_logs!("$3", "$4")
        );
        let ((gateway, asset), (from, to)) = ((row.gateway.as_str(), row.asset.as_str()), scope.bounds());
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &asset, &from, &to]).await)?;
        rows.first().and_then(|row| row.try_get(0).ok()).ok_or_else(|| self.strange())
    }

    fn spans_kept(&mut self, (gateway, log): Log, told: &[(u64, AssetId, Span)]) -> Answered<BTreeSet<u64>> {
        let sql = "select span.seq from unnest($3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],
                       $8::bigint[], $9::bigint[], $10::bigint[])
                       as told (asset, from_unix_ms, meter, seq, to_unix_ms, energy_wh, seen_ms, unseen_ms)
                   join span on span.gateway = $1 and span.log = $2 and span.asset = told.asset
                       and span.from_unix_ms = told.from_unix_ms and span.meter = told.meter and span.seq = told.seq
                   where span.to_unix_ms = told.to_unix_ms and span.energy_wh is not distinct from told.energy_wh
                   and span.seen_ms = told.seen_ms and span.unseen_ms = told.unseen_ms";
        let log = log.to_string();
        let assets: Vec<&str> = told.iter().map(|(_, asset, _)| asset.as_str()).collect();
        let from: Vec<i64> = told.iter().map(|(.., span)| span.from_unix_ms).collect();
        let meters: Vec<&str> = told.iter().map(|(.., span)| span.meter.as_str()).collect();
        let seqs: Vec<i64> = told.iter().map(|(seq, ..)| seq.cast_signed()).collect();
        let to: Vec<i64> = told.iter().map(|(.., span)| span.to_unix_ms).collect();
        let energies: Vec<Option<i64>> = told.iter().map(|(.., span)| span.energy.map(|e| e.0)).collect();
        let seen: Vec<i64> = told.iter().map(|(.., span)| span.seen_ms).collect();
        let unseen: Vec<i64> = told.iter().map(|(.., span)| span.unseen_ms).collect();
        let gateway = gateway.as_str();
        let columns: Columns<'_> =
            vec![&gateway, &log, &assets, &from, &meters, &seqs, &to, &energies, &seen, &unseen];
        let rows = self.ask(async |session| session.query(sql, &columns).await)?;
        rows.iter().map(|row| number(row, 0).ok_or_else(|| self.strange())).collect()
    }

    fn span_count(&mut self, gateway: GatewayId) -> Answered<u64> {
        let sql = "select count(*) from span where gateway = $1";
        let rows = self.ask(async |session| session.query(sql, &[&gateway.as_str()]).await)?;
        rows.first().and_then(|row| number(row, 0)).ok_or_else(|| self.strange())
    }

    fn story(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        before_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>> {
        let sql = concat!(
            "select log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
             where gateway = $1 and asset = $2 and wall_unix_ms < $3
             and kind in ('state', 'event', 'verdict', 'transition', 'act') and ",
            of_logs!("$5", "$6"),
            " order by wall_unix_ms desc, log desc, seq desc limit $4"
        );
        let ((gateway, asset), (from, to)) = ((row.gateway.as_str(), row.asset.as_str()), scope.bounds());
        let most = i64::from(most);
        let parameters: Columns<'_> = vec![&gateway, &asset, &before_unix_ms, &most, &from, &to];
        let rows = self.ask(async |session| session.query(sql, &parameters).await)?;
        rows.iter().map(|row| story(row).ok_or_else(|| self.strange())).collect()
    }

    fn events(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        from_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>> {
        let sql = concat!(
            "select log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
             where gateway = $1 and asset = $2 and wall_unix_ms >= $3 and kind = 'event'
             and kind in ('state', 'event', 'verdict', 'transition', 'act') and ",
            of_logs!("$5", "$6"),
            " order by wall_unix_ms desc, log desc, seq desc limit $4"
        );
        let ((gateway, asset), (from, to)) = ((row.gateway.as_str(), row.asset.as_str()), scope.bounds());
        let most = i64::from(most);
        let parameters: Columns<'_> = vec![&gateway, &asset, &from_unix_ms, &most, &from, &to];
        let rows = self.ask(async |session| session.query(sql, &parameters).await)?;
        rows.iter().map(|row| story(row).ok_or_else(|| self.strange())).collect()
    }
}

impl PostgresStore {
    fn fleet_page(
        &mut self,
        asked: &FleetAsked,
        sql: &'static str,
        begins: &After,
    ) -> Answered<Vec<AssetRow>> {
        let (from, to) = asked.scope.bounds();
        let enterprise = asked.enterprise.as_ref().map_or("", |enterprise| enterprise.as_str());
        let gateway = asked.gateway.as_ref().map_or("", |gateway| gateway.as_str());
        let class = asked.class.as_deref().unwrap_or("");
        let entries = listed(asked.entries.as_deref());
        let due_by = asked.due_by.map_or_else(String::new, |day| day.to_string());
        let (lane, today) = (asked.lane.word(), asked.at.today.to_string());
        let most = i64::from(asked.most);
        let parameters: Columns<'_> = vec![
            &from,
            &to,
            &begins.division,
            &begins.gateway,
            &begins.asset,
            &enterprise,
            &gateway,
            &class,
            &entries,
            &due_by,
            &lane,
            &today,
            &asked.at.silent_before_unix_ms,
            &most,
        ];
        let rows = self.ask(async |session| session.query(sql, &parameters).await)?;
        self.read_rows(&rows)
    }

    fn read_rows(&self, rows: &[Row]) -> Answered<Vec<AssetRow>> {
        rows.iter().map(|row| asset_row(row).ok_or_else(|| self.strange())).collect()
    }
}
