//! Equipment as screens list it, in PostgreSQL. What cites a law is kept as bytes: no encoding of a database holds it all.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Error, Row, types::ToSql};

use super::{
    PostgresStore,
    listed::{columns, convicted_before, counted, fleet, is_or_was, numbers},
    read::number,
    session::Session,
    sighted::{self, asset_row, span_sum, story},
};
use crate::{
    evidence::LogId,
    judge::Rung,
    regulator::{
        sight::{Said, Sight, Span, VerdictSaid},
        store::{
            Answered, Batch, KeptRecord, Log, Sights,
            sights::{After, AskedAt, AssetRow, Entries, FleetAsked, Numbers, Scope, SpanSum, merged},
        },
    },
    terms::{AssetId, GatewayId, LegalDay, OrderId},
};

/// Parameters of one statement, by their places.
type Columns<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// Writes what a batch says of equipment. Of each kind the newest of the batch is written alone: one statement changes no row
/// twice.
pub(super) async fn write(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    if !batch.sights.is_empty() {
        rows(session, &batch.sights).await?;
        verdicts(session, &batch.sights).await?;
        spans(session, &batch.sights).await?;
        rest(session, &batch.sights).await?;
    }
    // Equipment that was told of before its log's genesis came.
    let sql = "update asset set division = $2, uscc = $3 where gateway = $1 and division = ''";
    for kept in &batch.heads {
        let (division, enterprise) = (kept.division.to_string(), kept.enterprise.as_str());
        session.execute(sql, &[&kept.gateway.as_str(), &division, &enterprise]).await?;
    }
    Ok(())
}

/// Sees to it that there is a row for each piece of equipment.
async fn rows(session: &mut Session, all: &[Sight]) -> Result<(), Error> {
    let mut newest = BTreeMap::<(GatewayId, AssetId), (LogId, i64, i64)>::new();
    for sight in all {
        let (log, seen, attested) = (sight.log, sight.wall_unix_ms, sight.attested_unix_ms());
        let row = newest.entry((sight.gateway, sight.asset)).or_insert((log, seen, attested));
        *row = (log, row.1.max(seen), row.2.max(attested));
    }
    let gateways: Vec<&str> = newest.keys().map(|(gateway, _)| gateway.as_str()).collect();
    let assets: Vec<&str> = newest.keys().map(|(_, asset)| asset.as_str()).collect();
    let logs: Vec<String> = newest.values().map(|(log, ..)| log.to_string()).collect();
    let seen: Vec<i64> = newest.values().map(|(_, seen, _)| *seen).collect();
    let changed: Vec<i64> = newest.values().map(|(.., changed)| *changed).collect();
    let sql = "insert into asset (gateway, asset, division, uscc, seen_unix_ms, changed_unix_ms)
               select new.gateway, new.asset, coalesce(log.division, ''), coalesce(log.uscc, ''), new.seen, new.changed
               from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
                   as new (gateway, asset, log, seen, changed)
               left join log on log.gateway = new.gateway and log.log = new.log
               on conflict (gateway, asset) do update set
               division = case when excluded.division = '' then asset.division else excluded.division end,
               uscc = case when excluded.uscc = '' then asset.uscc else excluded.uscc end,
               seen_unix_ms = greatest(asset.seen_unix_ms, excluded.seen_unix_ms),
               changed_unix_ms = greatest(asset.changed_unix_ms, excluded.changed_unix_ms)";
    session.execute(sql, &[&gateways, &assets, &logs, &seen, &changed]).await.map(|_| ())
}

/// Of one log the later place is newer, whatever its clock said; of two logs the later time.
async fn verdicts(session: &mut Session, all: &[Sight]) -> Result<(), Error> {
    let mut newest = BTreeMap::<(GatewayId, AssetId), (&Sight, &VerdictSaid)>::new();
    for sight in all {
        let Said::Verdict(said) = &sight.said else { continue };
        let key = (sight.gateway, sight.asset);
        if newest.get(&key).is_none_or(|(before, _)| is_newer(sight, before)) {
            newest.insert(key, (sight, said));
        }
    }
    let each = || newest.values();
    let gateways: Vec<&str> = each().map(|(sight, _)| sight.gateway.as_str()).collect();
    let assets: Vec<&str> = each().map(|(sight, _)| sight.asset.as_str()).collect();
    let logs: Vec<String> = each().map(|(sight, _)| sight.log.to_string()).collect();
    let seqs: Vec<i64> = each().map(|(sight, _)| sight.seq.cast_signed()).collect();
    let times: Vec<i64> = each().map(|(sight, _)| sight.wall_unix_ms).collect();
    let states: Vec<&str> = each().map(|(_, said)| said.state).collect();
    let since: Vec<i64> = each().map(|(_, said)| said.since_unix_ms).collect();
    let violations: Vec<Option<i64>> = each().map(|(_, said)| said.violation_since_unix_ms).collect();
    let classes: Vec<&str> = each().map(|(_, said)| said.class.map_or("", |class| class.word())).collect();
    let phases: Vec<&str> = each().map(|(_, said)| said.phase.map_or("", |phase| phase.word())).collect();
    let days: Vec<String> =
        each().map(|(_, said)| said.last_day.map_or_else(String::new, |day| day.to_string())).collect();
    let entries: Vec<&[u8]> =
        each().map(|(_, said)| said.entry.as_deref().unwrap_or("").as_bytes()).collect();
    let overdue: Vec<i64> = each().map(|(_, said)| said.overdue.0).collect();
    let left: Vec<String> =
        each().map(|(_, said)| said.left.map_or_else(String::new, |left| left.to_string())).collect();
    let sql = "update asset set verdict_log = new.log, verdict_seq = new.seq, verdict_unix_ms = new.wall,
               state = new.state, since_unix_ms = new.since, violation_since_unix_ms = new.violation,
               class = new.class, phase = new.phase, last_day = new.last_day, entry = new.entry,
               overdue_wh = new.overdue, left_log = new.left_log
               from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
                   $8::bigint[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bigint[], $14::text[])
                   as new (gateway, asset, log, seq, wall, state, since, violation, class, phase, last_day, entry, overdue,
                       left_log)
               where asset.gateway = new.gateway and asset.asset = new.asset
               and case when asset.verdict_log = new.log then asset.verdict_seq < new.seq
               else asset.verdict_unix_ms <= new.wall end";
    let columns: Columns<'_> = vec![
        &gateways,
        &assets,
        &logs,
        &seqs,
        &times,
        &states,
        &since,
        &violations,
        &classes,
        &phases,
        &days,
        &entries,
        &overdue,
        &left,
    ];
    session.execute(sql, &columns).await.map(|_| ())
}

fn is_newer(sight: &Sight, before: &Sight) -> bool {
    if sight.log == before.log { sight.seq > before.seq } else { sight.wall_unix_ms >= before.wall_unix_ms }
}

async fn spans(session: &mut Session, all: &[Sight]) -> Result<(), Error> {
    let spans: Vec<(&Sight, &Span)> = all
        .iter()
        .filter_map(|sight| match &sight.said {
            Said::Span(span) => Some((sight, span)),
            Said::Verdict(_) | Said::Order { .. } | Said::Plate => None,
        })
        .collect();
    let gateways: Vec<&str> = spans.iter().map(|(sight, _)| sight.gateway.as_str()).collect();
    let assets: Vec<&str> = spans.iter().map(|(sight, _)| sight.asset.as_str()).collect();
    let from: Vec<i64> = spans.iter().map(|(_, span)| span.from_unix_ms).collect();
    let meters: Vec<&str> = spans.iter().map(|(_, span)| span.meter.as_str()).collect();
    let logs: Vec<String> = spans.iter().map(|(sight, _)| sight.log.to_string()).collect();
    let seqs: Vec<i64> = spans.iter().map(|(sight, _)| sight.seq.cast_signed()).collect();
    let to: Vec<i64> = spans.iter().map(|(_, span)| span.to_unix_ms).collect();
    let energies: Vec<Option<i64>> = spans.iter().map(|(_, span)| span.energy.map(|e| e.0)).collect();
    let seen: Vec<i64> = spans.iter().map(|(_, span)| span.seen_ms).collect();
    let unseen: Vec<i64> = spans.iter().map(|(_, span)| span.unseen_ms).collect();
    let sql = "insert into span
               (gateway, asset, from_unix_ms, meter, log, seq, to_unix_ms, energy_wh, seen_ms, unseen_ms)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[],
                   $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
               on conflict do nothing";
    let columns: Columns<'_> =
        vec![&gateways, &assets, &from, &meters, &logs, &seqs, &to, &energies, &seen, &unseen];
    session.execute(sql, &columns).await.map(|_| ())
}

/// Orders and nameplates, of which there are few.
async fn rest(session: &mut Session, all: &[Sight]) -> Result<(), Error> {
    for sight in all {
        match &sight.said {
            Said::Order { order, rung } => stands(session, sight, *order, *rung).await?,
            Said::Plate => plate(session, sight).await?,
            Said::Verdict(_) | Said::Span(_) => {}
        }
    }
    Ok(())
}

async fn stands(session: &mut Session, sight: &Sight, order: OrderId, rung: Rung) -> Result<(), Error> {
    let sql = "update asset set order_log = $3, order_seq = $4, order_unix_ms = $5, order_id = $6, rung = $7
               where gateway = $1 and asset = $2 and case when order_log = $3 then order_seq < $4
               else order_unix_ms <= $5 end";
    let (log, seq) = (sight.log.to_string(), sight.seq.cast_signed());
    let (gateway, asset) = (sight.gateway.as_str(), sight.asset.as_str());
    let (order, rung) = (order.as_str(), rung.word());
    let columns: Columns<'_> = vec![&gateway, &asset, &log, &seq, &sight.wall_unix_ms, &order, &rung];
    session.execute(sql, &columns).await.map(|_| ())
}

async fn plate(session: &mut Session, sight: &Sight) -> Result<(), Error> {
    let sql = "update asset set plate_log = $3, plate_seq = $4, plate_unix_ms = $5
               where gateway = $1 and asset = $2 and case when plate_log = $3 then plate_seq < $4
               else plate_unix_ms <= $5 end";
    let (log, seq) = (sight.log.to_string(), sight.seq.cast_signed());
    let (gateway, asset) = (sight.gateway.as_str(), sight.asset.as_str());
    let columns: Columns<'_> = vec![&gateway, &asset, &log, &seq, &sight.wall_unix_ms];
    session.execute(sql, &columns).await.map(|_| ())
}

/// Entries as they are kept: as bytes.
fn listed(entries: Entries<'_>) -> Option<Vec<&[u8]>> {
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

    fn latched(&mut self, scope: &Scope, entries: Entries<'_>, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = concat!(
            columns!(),
            " where violation_since_unix_ms is not null and ",
            is_or_was!("$1", "$2"),
            " and ($4::bytea[] is null or entry = any($4))
             order by violation_since_unix_ms, gateway, asset limit $3"
        );
        let ((from, to), most, entries) = (scope.bounds(), i64::from(most), listed(entries));
        let rows = self.ask(async |session| session.query(sql, &[&from, &to, &most, &entries]).await)?;
        self.read_rows(&rows)
    }

    fn gone(&mut self, scope: &Scope, most: u32) -> Answered<Vec<AssetRow>> {
        let sql = concat!(
            columns!(),
            " where not (division >= $1 and division < $2) and gateway in
             (select log.gateway from log where log.division >= $1 and log.division < $2)
             order by gateway, asset limit $3"
        );
        let ((from, to), most) = (scope.bounds(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&from, &to, &most]).await)?;
        self.read_rows(&rows)
    }

    fn unheard(&mut self, most: u32) -> Answered<(u64, Vec<GatewayId>)> {
        let sql = "select id, count(*) over () from gateway where not exists
                   (select 1 from log where log.gateway = gateway.id)
                   group by id having count(*) filter (where revoked_unix_ms is null) > 0 order by id limit $1";
        let most = i64::from(most);
        let rows = self.ask(async |session| session.query(sql, &[&most]).await)?;
        let read = |row: &Row| Some((GatewayId::new(row.try_get(0).ok()?)?, number(row, 1)?));
        let told: Option<Vec<_>> = rows.iter().map(read).collect();
        let told = told.ok_or_else(|| self.strange())?;
        let all = told.first().map_or(0, |(_, all)| *all);
        Ok((all, told.into_iter().map(|(gateway, _)| gateway).collect()))
    }

    fn numbers(&mut self, scope: &Scope, entries: Entries<'_>, at: AskedAt) -> Answered<Numbers> {
        let ((from, to), today, entries) = (scope.bounds(), at.today.to_string(), listed(entries));
        let silent = at.silent_before_unix_ms;
        let mut count = |sql: &'static str| {
            let asked: Columns<'_> = vec![&today, &silent, &from, &to, &entries];
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
        entries: Entries<'_>,
        from_day: LegalDay,
        most: u32,
    ) -> Answered<Vec<(String, u64)>> {
        let sql = "select substr(last_day, 1, 7) as month, count(*) from asset
                   where division >= $1 and division < $2 and last_day >= $3
                   and ($5::bytea[] is null or entry = any($5)) group by month order by month limit $4";
        let ((from, to), day, most) = (scope.bounds(), from_day.to_string(), i64::from(most));
        let entries = listed(entries);
        let rows =
            self.ask(async |session| session.query(sql, &[&from, &to, &day, &most, &entries]).await)?;
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
        from_unix_ms: i64,
        to_unix_ms: i64,
        step_ms: i64,
    ) -> Answered<Vec<SpanSum>> {
        let sql =
            "select (from_unix_ms - $3) / $5 as step, sum(energy_wh)::bigint, count(*) - count(energy_wh),
                   sum(seen_ms)::bigint, sum(unseen_ms)::bigint, count(distinct meter) from span
                   where gateway = $1 and asset = $2 and from_unix_ms >= $3 and from_unix_ms < $4
                   group by step order by step";
        let step_ms = step_ms.max(1);
        let (gateway, asset) = (row.gateway.as_str(), row.asset.as_str());
        let parameters: Columns<'_> = vec![&gateway, &asset, &from_unix_ms, &to_unix_ms, &step_ms];
        let rows = self.ask(async |session| session.query(sql, &parameters).await)?;
        let read = |row: &Row| span_sum(row, from_unix_ms, step_ms).ok_or_else(|| self.strange());
        rows.iter().map(read).collect()
    }

    fn witnessed_from(&mut self, row: &AssetRow) -> Answered<Option<i64>> {
        let sql = "select min(from_unix_ms) from span where gateway = $1 and asset = $2";
        let (gateway, asset) = (row.gateway.as_str(), row.asset.as_str());
        let rows = self.ask(async |session| session.query(sql, &[&gateway, &asset]).await)?;
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
        before_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>> {
        let sql = "select log, seq, hash, kind, asset, wall_unix_ms, received_unix_ms, bytes from record
                   where gateway = $1 and asset = $2 and wall_unix_ms < $3
                   and kind in ('state', 'event', 'verdict', 'transition', 'act')
                   order by wall_unix_ms desc, log desc, seq desc limit $4";
        let (gateway, asset, most) = (row.gateway.as_str(), row.asset.as_str(), i64::from(most));
        let parameters: Columns<'_> = vec![&gateway, &asset, &before_unix_ms, &most];
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
