//! What a batch says of equipment, written into SQLite.

use std::collections::BTreeMap;

use rusqlite::params;

use super::SqliteStore;
use crate::{
    evidence::LogId,
    regulator::{
        newer::{Newest, Saying},
        sight::{Of, Part, Said, Sight, Span, VerdictSaid, newest},
        store::{Answered, Batch, Kept},
    },
};

impl SqliteStore {
    pub(super) fn write_sights(&self, batch: &Batch) -> Answered<()> {
        self.write_foreign(batch)?;
        batch.sights.iter().try_for_each(|sight| self.write_sight(sight))?;
        newest(&batch.sights).into_iter().try_for_each(|(of, said)| self.write_newest(of, &said))?;
        batch.heads.iter().try_for_each(|kept| self.place_sights(kept))
    }

    /// Equipment that was told of before its log's genesis came.
    fn place_sights(&self, kept: &Kept) -> Answered<()> {
        let sql = "update asset set division = ?2, uscc = ?3 where gateway = ?1 and division = ''";
        let row = params![kept.gateway.as_str(), kept.division.to_string(), kept.enterprise.as_str()];
        self.execute(sql, row).map(|_| ())
    }

    /// It stands where the log says that attested it last.
    fn write_sight(&self, sight: &Sight) -> Answered<()> {
        let sql = "insert into asset (gateway, asset, division, uscc, seen_unix_ms, changed_unix_ms, verdict_received_unix_ms)
                   select ?1, ?2, coalesce(max(division), ''), coalesce(max(uscc), ''), ?4, ?5, ?6
                   from log where gateway = ?1 and log = ?3
                   on conflict (gateway, asset) do update set
                   division = case when excluded.division <> '' and (division = '' or ?6 >= verdict_received_unix_ms)
                       then excluded.division else division end,
                   uscc = case when excluded.uscc <> '' and (uscc = '' or ?6 >= verdict_received_unix_ms)
                       then excluded.uscc else uscc end,
                   seen_unix_ms = max(seen_unix_ms, ?4), changed_unix_ms = max(changed_unix_ms, ?5)";
        let (gateway, asset, log) = (sight.gateway.as_str(), sight.asset.as_str(), sight.log.to_string());
        let (attested, attests) = (sight.attested_unix_ms(), sight.attests_unix_ms());
        self.execute(sql, params![gateway, asset, log, sight.wall_unix_ms, attested, attests])?;
        match &sight.said {
            Said::Span(span) => self.write_span(sight, span),
            Said::Verdict(_) | Said::Order { .. } | Said::Plate => Ok(()),
        }
    }

    /// Has a part of a row told by the newest that any log says of it.
    fn write_newest(&self, of: Of, said: &[&Sight]) -> Answered<()> {
        let mut newest = Newest { shown: self.shown(of)?, left: BTreeMap::new() };
        if newest.shown.is_some_and(|shown| said.iter().any(|sight| sight.log != shown.log)) {
            newest.left = self.left(of)?;
        }
        let known = newest.left.clone();
        let mut shown = None;
        for sight in said {
            if newest.hear(sight.saying()) {
                shown = Some(*sight);
            }
        }
        for (log, seq) in newest.left.into_iter().filter(|(log, seq)| known.get(log) != Some(seq)) {
            let sql = "insert into left_word (gateway, asset, part, log, seq) values (?1, ?2, ?3, ?4, ?5)
                       on conflict (gateway, asset, part, log) do update set seq = ?5";
            let (gateway, asset, part) = of;
            let row =
                params![gateway.as_str(), asset.as_str(), part.word(), log.to_string(), seq.cast_signed()];
            self.execute(sql, row)?;
        }
        shown.map_or(Ok(()), |sight| self.write_part(sight))
    }

    /// What a row shows of a part; none where it shows nothing.
    fn shown(&self, (gateway, asset, part): Of) -> Answered<Option<Saying>> {
        let sql = match part {
            Part::Verdict => {
                "select verdict_log, verdict_seq, verdict_received_unix_ms, verdict_unix_ms
                 from asset where gateway = ?1 and asset = ?2 and verdict_log <> ''"
            }
            Part::Order => {
                "select order_log, order_seq, order_received_unix_ms, order_unix_ms
                 from asset where gateway = ?1 and asset = ?2 and order_log <> ''"
            }
            Part::Plate => {
                "select plate_log, plate_seq, plate_received_unix_ms, plate_unix_ms
                 from asset where gateway = ?1 and asset = ?2 and plate_log <> ''"
            }
        };
        let found = self.rows(sql, params![gateway.as_str(), asset.as_str()], |row| {
            let log = LogId::from_hex(&row.get::<_, String>(0)?);
            let (seq, received_unix_ms) = (row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?);
            let wall_unix_ms = row.get(3)?;
            Ok(log.map(|log| Saying { log, seq, received_unix_ms, is_grave: false, wall_unix_ms }))
        })?;
        Ok(found.into_iter().next())
    }

    /// How far logs are known that told of a part and are not shown.
    fn left(&self, (gateway, asset, part): Of) -> Answered<BTreeMap<LogId, u64>> {
        let sql = "select log, seq from left_word where gateway = ?1 and asset = ?2 and part = ?3";
        let found = self.rows(sql, params![gateway.as_str(), asset.as_str(), part.word()], |row| {
            let log = LogId::from_hex(&row.get::<_, String>(0)?);
            Ok(log.zip(Some(row.get::<_, i64>(1)?.cast_unsigned())))
        })?;
        Ok(found.into_iter().collect())
    }

    fn write_part(&self, sight: &Sight) -> Answered<()> {
        let (gateway, asset, log) = (sight.gateway.as_str(), sight.asset.as_str(), sight.log.to_string());
        let (seq, wall, received) = (sight.seq.cast_signed(), sight.wall_unix_ms, sight.received_unix_ms);
        match &sight.said {
            Said::Verdict(said) => self.write_verdict(sight, said),
            Said::Order { order, rung } => {
                let sql = "update asset set order_log = ?3, order_seq = ?4, order_unix_ms = ?5,
                           order_received_unix_ms = ?6, order_id = ?7, rung = ?8 where gateway = ?1 and asset = ?2";
                let row = params![gateway, asset, log, seq, wall, received, order.as_str(), rung.word()];
                self.execute(sql, row).map(|_| ())
            }
            Said::Plate => {
                let sql = "update asset set plate_log = ?3, plate_seq = ?4, plate_unix_ms = ?5,
                           plate_received_unix_ms = ?6 where gateway = ?1 and asset = ?2";
                self.execute(sql, params![gateway, asset, log, seq, wall, received]).map(|_| ())
            }
            Said::Span(_) => Ok(()),
        }
    }

    fn write_verdict(&self, sight: &Sight, said: &VerdictSaid) -> Answered<()> {
        let sql = "update asset set verdict_log = ?3, verdict_seq = ?4, verdict_unix_ms = ?5, state = ?6,
                   since_unix_ms = ?7, violation_since_unix_ms = ?8, class = ?9, phase = ?10, last_day = ?11,
                   entry = ?12, overdue_wh = ?13, left_log = ?14, verdict_received_unix_ms = ?15
                   where gateway = ?1 and asset = ?2";
        let row = params![
            sight.gateway.as_str(),
            sight.asset.as_str(),
            sight.log.to_string(),
            sight.seq.cast_signed(),
            sight.wall_unix_ms,
            said.state,
            said.since_unix_ms,
            said.violation_since_unix_ms,
            said.class.map_or("", |class| class.word()),
            said.phase.map_or("", |phase| phase.word()),
            said.last_day.map_or_else(String::new, |day| day.to_string()),
            said.entry.as_deref().unwrap_or(""),
            said.overdue.0,
            said.left.map_or_else(String::new, |left| left.to_string()),
            sight.received_unix_ms
        ];
        self.execute(sql, row).map(|_| ())
    }

    fn write_span(&self, sight: &Sight, span: &Span) -> Answered<()> {
        let sql = "insert or ignore into span
                   (gateway, asset, from_unix_ms, meter, log, seq, to_unix_ms, energy_wh, seen_ms, unseen_ms)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let row = params![
            sight.gateway.as_str(),
            sight.asset.as_str(),
            span.from_unix_ms,
            span.meter.as_str(),
            sight.log.to_string(),
            sight.seq.cast_signed(),
            span.to_unix_ms,
            span.energy.map(|energy| energy.0),
            span.seen_ms,
            span.unseen_ms
        ];
        self.execute(sql, row).map(|_| ())
    }
}
