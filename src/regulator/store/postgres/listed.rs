//! What is asked of PostgreSQL about equipment, in parts that several questions share.

macro_rules! columns {
    () => {
        "select gateway, asset, division, uscc, verdict_log, verdict_seq, state, class, last_day, entry, order_id, rung,
         plate_log, plate_seq, since_unix_ms, violation_since_unix_ms, overdue_wh, seen_unix_ms, verdict_unix_ms,
         (select max(received_unix_ms) from log where log.gateway = asset.gateway) as heard, changed_unix_ms as attested,
         left_log from asset"
    };
}

/// What is convicted and elsewhere now, and was judged between two places, by another log of its gateway.
macro_rules! convicted_before {
    ($from:literal, $to:literal) => {
        concat!(
            "(violation_since_unix_ms is not null and not (division >= ",
            $from,
            " and division < ",
            $to,
            ") and exists (select 1 from log join record on record.gateway = log.gateway and record.log = log.log
             and record.asset = asset.asset and record.kind = 'verdict'
             where log.gateway = asset.gateway and log.division >= ",
            $from,
            " and log.division < ",
            $to,
            "))"
        )
    };
}
/// Where a piece of equipment is, or was judged by another log of its gateway whose conviction may stand.
macro_rules! is_or_was {
    ($from:literal, $to:literal) => {
        concat!("((division >= ", $from, " and division < ", $to, ") or ", convicted_before!($from, $to), ")")
    };
}

/// A page of the equipment for which something holds.
macro_rules! fleet {
    ($($which:tt)+) => {
        concat!(
            "select * from (select *, case when heard - attested < 3600000 then heard end as speaks from (",
            columns!(),
            " where ",
            $($which)+,
            " and (division, gateway, asset) > ($3::text, $4::text, $5::text)
             and ($6 = '' or uscc = $6) and ($7 = '' or gateway = $7) and ($8 = '' or class = $8)
             and ($9::bytea[] is null or entry = any($9)) and ($10 = '' or (last_day <> '' and last_day <= $10))) as told) as listed
             where case $11::text when 'due' then last_day <> '' and last_day < $12
             when 'verified' then rung in ('verified', 'maintained') and coalesce(speaks, 0) >= $13
             when 'drawing' then state = 'drawing' and coalesce(speaks, 0) >= $13
             when 'unproven' then state in ('', 'unknown') or coalesce(speaks, 0) < $13
             when 'latched' then violation_since_unix_ms is not null else true end
             order by division, gateway, asset limit $14"
        )
    };
}

/// What is counted of the equipment for which something holds.
macro_rules! counted {
    ($($which:tt)+) => {
        concat!("select ", numbers!(), " where ", $($which)+, " and ($5::bytea[] is null or entry = any($5))
             and ($6 = '' or (last_day <> '' and last_day <= $6))")
    };
}

/// Of which logs of a gateway, named `$1`: those that stand between two places, or all.
macro_rules! of_logs {
    ($from:literal, $to:literal) => {
        concat!(
            "(",
            $from,
            "::text = '' or log in (select here.log from log as here where here.gateway = $1 and here.division >= ",
            $from,
            " and here.division < ",
            $to,
            "::text))"
        )
    };
}

macro_rules! numbers {
    () => {
        "count(*) as assets, count(*) filter (where last_day <> '' and last_day < $1) as due,
         count(*) filter (where rung in ('verified', 'maintained') and heard >= $2) as verified,
         count(*) filter (where state = 'drawing' and heard >= $2) as drawing,
         count(*) filter (where state in ('', 'unknown') or heard is null or heard < $2) as unproven,
         count(*) filter (where violation_since_unix_ms is not null) as latched
         from (select asset.*, case when speaks.heard - changed_unix_ms < 3600000 then speaks.heard end as heard
         from asset left join
         (select gateway, max(received_unix_ms) as heard from log group by gateway) as speaks
         on speaks.gateway = asset.gateway) as asset"
    };
}

pub(super) use {columns, convicted_before, counted, fleet, is_or_was, numbers, of_logs};
