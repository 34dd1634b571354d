//! What a batch says of equipment, into PostgreSQL.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use super::{session::Session, sighted::shown_of, sights::Columns};
use crate::{
    evidence::LogId,
    regulator::{
        newer::Newest,
        sight::{Of, Part, Said, Sight, Span, VerdictSaid, newest},
        store::Batch,
    },
    terms::{AssetId, GatewayId},
};

/// Writes what a batch says of equipment. Of each part of a row the newest is written alone: one statement changes no row
/// twice.
pub(super) async fn write(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    if !batch.sights.is_empty() {
        rows(session, &batch.sights).await?;
        let newest = newest(&batch.sights);
        let told = heard(session, &newest, Part::Verdict).await?;
        verdicts(session, &told).await?;
        for sight in heard(session, &newest, Part::Order).await? {
            stands(session, sight).await?;
        }
        for sight in heard(session, &newest, Part::Plate).await? {
            plate(session, sight).await?;
        }
        spans(session, &batch.sights).await?;
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
    let mut newest = BTreeMap::<(GatewayId, AssetId), (LogId, i64, i64, i64)>::new();
    for sight in all {
        let (log, seen, attested) = (sight.log, sight.wall_unix_ms, sight.attested_unix_ms());
        let came = sight.attests_unix_ms();
        let row = newest.entry((sight.gateway, sight.asset)).or_insert((log, seen, attested, came));
        // It stands where the log says that attested it last.
        let log = if came >= row.3 { log } else { row.0 };
        *row = (log, row.1.max(seen), row.2.max(attested), row.3.max(came));
    }
    let gateways: Vec<&str> = newest.keys().map(|(gateway, _)| gateway.as_str()).collect();
    let assets: Vec<&str> = newest.keys().map(|(_, asset)| asset.as_str()).collect();
    let logs: Vec<String> = newest.values().map(|(log, ..)| log.to_string()).collect();
    let seen: Vec<i64> = newest.values().map(|(_, seen, ..)| *seen).collect();
    let changed: Vec<i64> = newest.values().map(|(_, _, changed, _)| *changed).collect();
    let came: Vec<i64> = newest.values().map(|(.., came)| *came).collect();
    let sql = "insert into asset (gateway, asset, division, uscc, seen_unix_ms, changed_unix_ms, verdict_received_unix_ms)
               select new.gateway, new.asset, coalesce(log.division, ''), coalesce(log.uscc, ''), new.seen, new.changed, new.came
               from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
                   as new (gateway, asset, log, seen, changed, came)
               left join log on log.gateway = new.gateway and log.log = new.log
               on conflict (gateway, asset) do update set
               division = case when excluded.division <> '' and (asset.division = ''
                   or excluded.verdict_received_unix_ms >= asset.verdict_received_unix_ms) then excluded.division else asset.division end,
               uscc = case when excluded.uscc <> '' and (asset.uscc = ''
                   or excluded.verdict_received_unix_ms >= asset.verdict_received_unix_ms) then excluded.uscc else asset.uscc end,
               seen_unix_ms = greatest(asset.seen_unix_ms, excluded.seen_unix_ms),
               changed_unix_ms = greatest(asset.changed_unix_ms, excluded.changed_unix_ms)";
    session.execute(sql, &[&gateways, &assets, &logs, &seen, &changed, &came]).await.map(|_| ())
}

/// What of these is to be shown of a part from now on: the newest that any log says of it.
async fn heard<'s>(
    session: &mut Session,
    newest: &BTreeMap<Of, Vec<&'s Sight>>,
    part: Part,
) -> Result<Vec<&'s Sight>, Error> {
    let said: Vec<_> = newest.iter().filter(|((.., of), _)| *of == part).collect();
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = shown(session, said.iter().map(|(of, _)| **of), part).await?;
    let is_left = |(of, said): &&(&Of, &Vec<&Sight>)| {
        let shown = known.get(of).and_then(|known| known.shown);
        shown.is_some_and(|shown| said.iter().any(|sight| sight.log != shown.log))
    };
    let apart: Vec<Of> = said.iter().filter(is_left).map(|(of, _)| **of).collect();
    left(session, &apart, &mut known).await?;
    let mut told = Vec::new();
    for (of, said) in said {
        let before = known.get(of).cloned().unwrap_or_default();
        let mut now = before.clone();
        let heard = said.iter().filter(|sight| now.hear(sight.saying()));
        told.extend(heard.last().copied());
        keep_left(session, *of, &before, &now).await?;
    }
    Ok(told)
}

/// What rows show of a part.
async fn shown(
    session: &mut Session,
    all: impl Iterator<Item = Of> + Clone,
    part: Part,
) -> Result<BTreeMap<Of, Newest>, Error> {
    let sql = match part {
        Part::Verdict => {
            "select asset.gateway, asset.asset, verdict_log, verdict_seq, verdict_received_unix_ms,
             verdict_unix_ms from asset join unnest($1::text[], $2::text[]) as asked (gateway, asset)
             on asset.gateway = asked.gateway and asset.asset = asked.asset"
        }
        Part::Order => {
            "select asset.gateway, asset.asset, order_log, order_seq, order_received_unix_ms,
             order_unix_ms from asset join unnest($1::text[], $2::text[]) as asked (gateway, asset)
             on asset.gateway = asked.gateway and asset.asset = asked.asset"
        }
        Part::Plate => {
            "select asset.gateway, asset.asset, plate_log, plate_seq, plate_received_unix_ms,
             plate_unix_ms from asset join unnest($1::text[], $2::text[]) as asked (gateway, asset)
             on asset.gateway = asked.gateway and asset.asset = asked.asset"
        }
    };
    let gateways: Vec<String> = all.clone().map(|(gateway, ..)| gateway.to_string()).collect();
    let assets: Vec<String> = all.map(|(_, asset, _)| asset.to_string()).collect();
    let rows = session.query(sql, &[&gateways, &assets]).await?;
    Ok(rows.iter().filter_map(|row| shown_of(row, part)).collect())
}

/// How far logs are known that told of these and are not shown.
async fn left(session: &mut Session, of: &[Of], known: &mut BTreeMap<Of, Newest>) -> Result<(), Error> {
    let sql = "select log, seq from left_word where gateway = $1 and asset = $2 and part = $3";
    for of in of {
        let (gateway, asset, part) = of;
        let rows = session.query(sql, &[&gateway.as_str(), &asset.as_str(), &part.word()]).await?;
        let places = rows.iter().filter_map(|row| {
            Some((LogId::from_hex(row.try_get(0).ok()?)?, row.try_get::<_, i64>(1).ok()?.cast_unsigned()))
        });
        known.entry(*of).or_default().left.extend(places);
    }
    Ok(())
}

async fn keep_left(session: &mut Session, of: Of, before: &Newest, now: &Newest) -> Result<(), Error> {
    let sql = "insert into left_word (gateway, asset, part, log, seq) values ($1, $2, $3, $4, $5)
               on conflict (gateway, asset, part, log) do update set seq = excluded.seq";
    let (gateway, asset, part) = of;
    for (log, seq) in now.left.iter().filter(|(log, seq)| before.left.get(log) != Some(seq)) {
        let (log, seq) = (log.to_string(), seq.cast_signed());
        session.execute(sql, &[&gateway.as_str(), &asset.as_str(), &part.word(), &log, &seq]).await?;
    }
    Ok(())
}

async fn verdicts(session: &mut Session, newest: &[&Sight]) -> Result<(), Error> {
    let newest: Vec<(&Sight, &VerdictSaid)> = newest
        .iter()
        .filter_map(|sight| match &sight.said {
            Said::Verdict(said) => Some((*sight, said)),
            Said::Order { .. } | Said::Plate | Said::Span(_) => None,
        })
        .collect();
    if newest.is_empty() {
        return Ok(());
    }
    let each = || newest.iter();
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
    let received: Vec<i64> = each().map(|(sight, _)| sight.received_unix_ms).collect();
    let sql = "update asset set verdict_log = new.log, verdict_seq = new.seq, verdict_unix_ms = new.wall,
               state = new.state, since_unix_ms = new.since, violation_since_unix_ms = new.violation,
               class = new.class, phase = new.phase, last_day = new.last_day, entry = new.entry,
               overdue_wh = new.overdue, left_log = new.left_log, verdict_received_unix_ms = new.received
               from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
                   $8::bigint[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bigint[],
                   $14::text[], $15::bigint[])
                   as new (gateway, asset, log, seq, wall, state, since, violation, class, phase, last_day, entry, overdue,
                       left_log, received)
               where asset.gateway = new.gateway and asset.asset = new.asset";
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
        &received,
    ];
    session.execute(sql, &columns).await.map(|_| ())
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
async fn stands(session: &mut Session, sight: &Sight) -> Result<(), Error> {
    let Said::Order { order, rung } = &sight.said else { return Ok(()) };
    let sql = "update asset set order_log = $3, order_seq = $4, order_unix_ms = $5, order_id = $6, rung = $7,
               order_received_unix_ms = $8 where gateway = $1 and asset = $2";
    let (log, seq) = (sight.log.to_string(), sight.seq.cast_signed());
    let (gateway, asset) = (sight.gateway.as_str(), sight.asset.as_str());
    let (order, rung) = (order.as_str(), rung.word());
    let (wall, received) = (sight.wall_unix_ms, sight.received_unix_ms);
    let columns: Columns<'_> = vec![&gateway, &asset, &log, &seq, &wall, &order, &rung, &received];
    session.execute(sql, &columns).await.map(|_| ())
}

async fn plate(session: &mut Session, sight: &Sight) -> Result<(), Error> {
    let sql =
        "update asset set plate_log = $3, plate_seq = $4, plate_unix_ms = $5, plate_received_unix_ms = $6
               where gateway = $1 and asset = $2";
    let (log, seq) = (sight.log.to_string(), sight.seq.cast_signed());
    let (gateway, asset) = (sight.gateway.as_str(), sight.asset.as_str());
    let (wall, received) = (sight.wall_unix_ms, sight.received_unix_ms);
    let columns: Columns<'_> = vec![&gateway, &asset, &log, &seq, &wall, &received];
    session.execute(sql, &columns).await.map(|_| ())
}
