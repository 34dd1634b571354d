//! What PostgreSQL answers about equipment, read.

use tokio_postgres::Row;

use super::read::number;
use crate::{
    evidence::LogId,
    regulator::{
        newer::{Newest, Saying},
        sight::{Of, Part},
        store::{
            KeptRecord,
            sights::{AssetRow, AssetText, Numbers, SpanSum},
        },
    },
    terms::{AssetId, Digest, GatewayId, WattHours},
};

pub(super) fn numbers(row: &Row) -> Option<Numbers> {
    Some(Numbers {
        assets: number(row, 0)?,
        due: number(row, 1)?,
        verified: number(row, 2)?,
        drawing: number(row, 3)?,
        unproven: number(row, 4)?,
        latched: number(row, 5)?,
    })
}

/// What a row shows of a part: it is known where nothing is shown, too.
pub(super) fn shown_of(row: &Row, part: Part) -> Option<(Of, Newest)> {
    let (gateway, asset) = (GatewayId::new(row.try_get(0).ok()?)?, AssetId::new(row.try_get(1).ok()?)?);
    let log: &str = row.try_get(2).ok()?;
    let said = LogId::from_hex(log).map(|log| {
        Some(Saying {
            log,
            seq: row.try_get::<_, i64>(3).ok()?.cast_unsigned(),
            received_unix_ms: row.try_get(4).ok()?,
            is_grave: false,
            wall_unix_ms: row.try_get(5).ok()?,
        })
    });
    Some(((gateway, asset, part), Newest { shown: said.flatten(), ..Newest::default() }))
}

pub(super) fn span_sum(row: &Row, from_unix_ms: i64, step_ms: i64) -> Option<SpanSum> {
    let step: i64 = row.try_get(0).ok()?;
    Some(SpanSum {
        from_unix_ms: from_unix_ms.saturating_add(step.saturating_mul(step_ms)),
        energy: row.try_get::<_, Option<i64>>(1).ok()?.map(WattHours),
        untold: number(row, 2)?,
        seen_ms: row.try_get(3).ok()?,
        unseen_ms: row.try_get(4).ok()?,
        meters: number(row, 5)?,
    })
}

pub(super) fn story(row: &Row) -> Option<(LogId, u64, KeptRecord)> {
    let record = KeptRecord {
        hash: Digest::from_hex(row.try_get(2).ok()?)?,
        kind: row.try_get(3).ok()?,
        asset: row.try_get(4).ok()?,
        wall_unix_ms: row.try_get(5).ok()?,
        received_unix_ms: row.try_get(6).ok()?,
        bytes: row.try_get(7).ok()?,
    };
    Some((LogId::from_hex(row.try_get(0).ok()?)?, number(row, 1)?, record))
}

pub(super) fn asset_row(row: &Row) -> Option<AssetRow> {
    let entry: &[u8] = row.try_get(9).ok()?;
    let text = AssetText {
        gateway: row.try_get(0).ok()?,
        asset: row.try_get(1).ok()?,
        division: row.try_get(2).ok()?,
        uscc: row.try_get(3).ok()?,
        verdict: (row.try_get(4).ok()?, row.try_get(5).ok()?),
        state: row.try_get(6).ok()?,
        class: row.try_get(7).ok()?,
        last_day: row.try_get(8).ok()?,
        entry: str::from_utf8(entry).ok()?,
        order: (row.try_get(10).ok()?, row.try_get(11).ok()?),
        plate: (row.try_get(12).ok()?, row.try_get(13).ok()?),
        left: row.try_get(21).ok()?,
    };
    let since: i64 = row.try_get(14).ok()?;
    let violation: Option<i64> = row.try_get(15).ok()?;
    let overdue: i64 = row.try_get(16).ok()?;
    let seen: i64 = row.try_get(17).ok()?;
    let verdict: i64 = row.try_get(18).ok()?;
    let heard: Option<i64> = row.try_get(19).ok()?;
    let attested: i64 = row.try_get(20).ok()?;
    text.row((verdict, since, violation, overdue, seen, heard, attested))
}
