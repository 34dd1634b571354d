//! What both databases are asked about equipment in the same words; only the names of what is asked for differ.

/// Rows of equipment, as every question about it reads them.
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

pub(super) use {columns, convicted_before, is_or_was};
