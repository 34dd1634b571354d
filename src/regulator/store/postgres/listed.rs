//! What is asked of PostgreSQL about equipment, in parts that several questions share.

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

pub(super) use {counted, fleet, numbers, of_logs};
