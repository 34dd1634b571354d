//! Alarms in SQLite.

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    regulator::{
        alarms::{
            Alarm, AlarmId, Condition, KeptPager, KeptStep, Kind, Priority, Settled, Shown, Waiting,
            condition::newest,
        },
        store::{
            Alarms, Answered, Batch,
            alarms::{
                ALARM_COLUMNS, AlarmBatch, AlarmColumns, AlarmCount, AlarmsAsked, WaitingColumns, above,
                count_of, groundless, prefix,
            },
        },
    },
    terms::{Digest, Name, place::Division},
};

impl SqliteStore {
    pub(super) fn write_conditions(&self, batch: &Batch) -> Answered<()> {
        for (id, condition) in newest(&batch.conditions) {
            self.write_condition(id, condition)?;
        }
        Ok(())
    }

    /// What is not the matter, and never was, leaves no row, unless an earlier record is still to come that says it is.
    /// Tampering that one log shows is looked at before another
    /// hides it; what a log that was left convicts of was weighed before, whatever its clock said.
    fn write_condition(&self, id: AlarmId, condition: &Condition) -> Answered<()> {
        let Condition { cause, gateway, log, seq, subject, shown, at_unix_ms, received_unix_ms, hash } =
            condition;
        let (id, log, seq) = (id.to_string(), log.to_string(), seq.cast_signed());
        let (shown_word, hash) = (shown.word(), hash.to_string());
        if *shown == Shown::Clear {
            let sql = "insert into condition
                       (id, log, seq, at_unix_ms, received_unix_ms, changed_unix_ms, hash, cause, gateway, subject, shown, waiting)
                       select ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, 'clear', 0
                       where exists (select 1 from condition where id = ?1)
                           or ?3 > coalesce((select seq from log where gateway = ?8 and log = ?2), -1)
                       on conflict (id) do update set log = ?2, seq = ?3, at_unix_ms = ?4, received_unix_ms = ?5,
                       waiting = case when shown <> 'clear' then 1 else waiting end,
                       changed_unix_ms = case when shown <> 'clear' then ?5 else changed_unix_ms end,
                       hash = case when shown <> 'clear' then ?6 else hash end, shown = 'clear'
                       where (log = ?2 and seq < ?3)
                           or (log <> ?2 and not (cause = 'tamper' and waiting = 1) and (received_unix_ms < ?5
                               or cause in ('violation', 'cut_violated', 'tamper')))";
            let (cause, gateway) = (cause.word(), gateway.as_str());
            let subject = subject.map(|subject| subject.to_string());
            let row = params![id, log, seq, at_unix_ms, received_unix_ms, hash, cause, gateway, subject];
            return self.execute(sql, row).map(|_| ());
        }
        let sql = "insert into condition
                   (id, cause, gateway, log, seq, subject, shown, at_unix_ms, changed_unix_ms, received_unix_ms, hash, waiting)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, 1)
                   on conflict (id) do update set log = ?4, seq = ?5, at_unix_ms = ?8, received_unix_ms = ?9,
                   waiting = case when shown <> ?7 then 1 else waiting end,
                   changed_unix_ms = case when shown <> ?7 then ?9 else changed_unix_ms end,
                   hash = case when shown <> ?7 then ?10 else hash end, shown = ?7
                   where (log = ?4 and seq < ?5) or (log <> ?4 and received_unix_ms <= ?9)";
        let subject = subject.map(|subject| subject.to_string());
        let row = params![
            id,
            cause.word(),
            gateway.as_str(),
            log,
            seq,
            subject,
            shown_word,
            at_unix_ms,
            received_unix_ms,
            hash
        ];
        self.execute(sql, row).map(|_| ())
    }

    /// Writes a batch; false where the log has grown.
    fn write_alarms(&self, batch: &AlarmBatch) -> Answered<bool> {
        let newest =
            self.one("select max(number) from alarm_step", [], |row| row.get::<_, Option<i64>>(0))?;
        if newest.flatten().unwrap_or(0).cast_unsigned() != batch.after {
            return Ok(false);
        }
        for KeptStep { number, alarm, at_unix_ms, hash, bytes } in &batch.steps {
            let sql =
                "insert into alarm_step (number, alarm, at_unix_ms, hash, bytes) values (?1, ?2, ?3, ?4, ?5)";
            let (alarm, hash, bytes) = (alarm.to_string(), hash.to_string(), String::from_utf8_lossy(bytes));
            self.execute(sql, params![number.cast_signed(), alarm, at_unix_ms, hash, bytes])?;
        }
        for alarm in &batch.alarms {
            self.write_alarm(alarm)?;
        }
        for id in &batch.over {
            self.execute("delete from alarm where id = ?1", [id.to_string()])?;
        }
        for Settled { id, changed_unix_ms, was, shown } in &batch.settled {
            let sql = "update condition set waiting = 0, shown = ?4
                       where id = ?1 and changed_unix_ms = ?2 and shown = ?3";
            self.execute(sql, params![id.to_string(), changed_unix_ms, was.word(), shown.word()])?;
        }
        if let Some((gateway, asset, alarms)) = &batch.ended {
            let sql = "update asset set violation_since_unix_ms = null, left_log = '' where gateway = ?1 and asset = ?2";
            self.execute(sql, [gateway.as_str(), asset.as_str()])?;
            for alarm in alarms {
                let sql = "update condition set shown = 'clear', waiting = 0 where id = ?1";
                self.execute(sql, [alarm.to_string()])?;
            }
        }
        for (was, pager) in &batch.pagers {
            if !self.write_pager(was.as_ref(), pager)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// False where it is not as it was seen.
    fn write_pager(&self, was: Option<&KeptPager>, pager: &KeptPager) -> Answered<bool> {
        let KeptPager { receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms } = pager;
        let (receiver, kind, upto) = (receiver.as_str(), kind.word(), upto.cast_signed());
        let changed = match was {
            None => {
                let sql = "insert or ignore into pager (receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms)
                           values (?1, ?2, ?3, ?4, ?5, ?6)";
                self.execute(sql, params![receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms])?
            }
            Some(was) => {
                let sql = "update pager set upto = ?3, told_unix_ms = ?4, pause_ms = ?5, claimed_unix_ms = ?6
                           where receiver = ?1 and kind = ?2 and upto = ?7 and told_unix_ms is ?8
                           and claimed_unix_ms is ?9";
                let row = params![
                    receiver,
                    kind,
                    upto,
                    told_unix_ms,
                    pause_ms,
                    claimed_unix_ms,
                    was.upto.cast_signed(),
                    was.told_unix_ms,
                    was.claimed_unix_ms
                ];
                self.execute(sql, row)?
            }
        };
        Ok(changed == 1)
    }

    fn write_alarm(&self, alarm: &Alarm) -> Answered<()> {
        let columns = AlarmColumns::of(alarm);
        let sql = "insert or replace into alarm (id, kind, priority, cause, division, uscc, gateway, subject, life, hush,
                   level, raised_unix_ms, changed_unix_ms, until_unix_ms, who, why, record, gateways)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        let row = params![
            alarm.id.to_string(),
            alarm.about.cause.kind().word(),
            alarm.about.cause.priority().word(),
            columns.cause,
            columns.division,
            columns.uscc,
            columns.gateway,
            columns.subject,
            columns.life,
            columns.hush,
            columns.level,
            columns.raised_unix_ms,
            columns.changed_unix_ms,
            columns.until_unix_ms,
            columns.who,
            columns.why,
            columns.record,
            columns.gateways
        ];
        self.execute(sql, row).map(|_| ())
    }
}

impl Alarms for SqliteStore {
    fn waiting(&mut self, after: Option<(i64, AlarmId)>, most: u32) -> Answered<Vec<Waiting>> {
        let (time, id) = after.map_or((i64::MIN, String::new()), |(time, id)| (time, id.to_string()));
        let sql =
            "select c.cause, c.gateway, c.subject, c.shown, c.changed_unix_ms, c.hash, log.division, log.uscc
                   from condition c left join log on log.gateway = c.gateway and log.log = c.log
                   where c.waiting = 1 and (c.changed_unix_ms, c.id) > (?1, ?2)
                   order by c.changed_unix_ms, c.id limit ?3";
        self.rows(sql, params![time, id, most], |row| {
            let columns = WaitingColumns {
                cause: row.get(0)?,
                gateway: row.get(1)?,
                subject: row.get(2)?,
                shown: row.get(3)?,
                changed_unix_ms: row.get(4)?,
                hash: row.get(5)?,
                division: row.get(6)?,
                uscc: row.get(7)?,
            };
            Ok(columns.read())
        })
    }

    fn alarms(&mut self, asked: &AlarmsAsked) -> Answered<Vec<Alarm>> {
        let AlarmsAsked { within, kind, priority, part: _, after, most } = asked;
        let (digits, count) = prefix(*within);
        let (kind, priority) = (kind.map_or("", Kind::word), priority.map_or("", Priority::word));
        let stands = asked.stands().map(|stands| serde_json::json!(stands).to_string());
        let (time, id) = after.map_or((i64::MAX, String::new()), |(time, id)| (time, id.to_string()));
        let sql = format!(
            "select {ALARM_COLUMNS} from alarm
             where (substr(division, 1, ?1) = ?2 or (cause = 'outage' and division in (?7, ?8))) and (?3 = '' or kind = ?3)
             and (?9 = '' or priority = ?9)
             and (?10 is null or kind || ' ' || life || ' ' || hush in (select value from json_each(?10)))
             and raised_unix_ms <= ?4 and (raised_unix_ms < ?4 or id > ?5) order by raised_unix_ms desc, id limit ?6"
        );
        let [province, city] = above(*within);
        let row = params![count, digits, kind, time, id, most, province, city, priority, stands];
        self.rows(&sql, row, read_alarm)
    }

    fn alarm_counts(&mut self, within: Division) -> Answered<Vec<AlarmCount>> {
        let (digits, count) = prefix(within);
        let [province, city] = above(within);
        let sql = "select kind, priority, life, hush, count(*) from alarm
                   where substr(division, 1, ?1) = ?2 or (cause = 'outage' and division in (?3, ?4))
                   group by kind, priority, life, hush order by kind, priority, life, hush";
        self.rows(sql, params![count, digits, province, city], |row| {
            let text = |column| row.get::<_, String>(column);
            let (kind, priority, life, hush) = (text(0)?, text(1)?, text(2)?, text(3)?);
            Ok(count_of([&kind, &priority, &life, &hush], row.get(4)?))
        })
    }

    fn alarm(&mut self, id: AlarmId) -> Answered<Option<Alarm>> {
        let sql = format!("select {ALARM_COLUMNS} from alarm where id = ?1");
        Ok(self.rows(&sql, [id.to_string()], read_alarm)?.into_iter().next())
    }

    fn newest_step(&mut self) -> Answered<Option<(u64, Digest)>> {
        let sql = "select number, hash from alarm_step order by number desc limit 1";
        let found = self.rows(sql, [], super::rows::place)?;
        Ok(found.into_iter().next())
    }

    fn steps_after(&mut self, number: u64, most: u32) -> Answered<Vec<KeptStep>> {
        let sql = "select number, alarm, at_unix_ms, hash, bytes from alarm_step where number > ?1 order by number limit ?2";
        self.rows(sql, params![number.cast_signed(), most], read_step)
    }

    fn steps_of(&mut self, id: AlarmId, before: u64, most: u32) -> Answered<Vec<KeptStep>> {
        let sql =
            "select number, alarm, at_unix_ms, hash, bytes from alarm_step where alarm = ?1 and number < ?2
                   order by number desc limit ?3";
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        self.rows(sql, params![id.to_string(), before, most], read_step)
    }

    fn groundless_alarms(&mut self, most: u32) -> Answered<Vec<AlarmId>> {
        self.rows(groundless!("?1"), [most], |row| Ok(AlarmId::from_hex(&row.get::<_, String>(0)?)))
    }

    fn pagers(&mut self) -> Answered<Vec<KeptPager>> {
        let sql = "select receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms from pager
                   order by receiver, kind";
        self.rows(sql, [], |row| {
            let receiver = Name::new(&row.get::<_, String>(0)?);
            let kind = Kind::from_word(&row.get::<_, String>(1)?);
            let upto = row.get::<_, i64>(2)?.cast_unsigned();
            let (told_unix_ms, pause_ms, claimed_unix_ms) = (row.get(3)?, row.get(4)?, row.get(5)?);
            let pager = |(receiver, kind)| KeptPager {
                receiver,
                kind,
                upto,
                told_unix_ms,
                pause_ms,
                claimed_unix_ms,
            };
            Ok(receiver.zip(kind).map(pager))
        })
    }

    fn keep_alarms(&mut self, batch: &AlarmBatch) -> Answered<bool> {
        self.is_there()?;
        self.ok(self.connection.execute_batch("begin immediate"))?;
        let kept = self.write_alarms(batch);
        let end = if matches!(kept, Ok(true)) { "commit" } else { "rollback" };
        let kept = kept.and_then(|kept| self.ok(self.connection.execute_batch(end)).map(|()| kept));
        if kept.is_err() {
            super::Store::abandon(self);
        }
        kept
    }
}

fn read_alarm(row: &Row<'_>) -> rusqlite::Result<Option<Alarm>> {
    let columns = AlarmColumns {
        cause: row.get(0)?,
        division: row.get(1)?,
        uscc: row.get(2)?,
        gateway: row.get(3)?,
        subject: row.get(4)?,
        life: row.get(5)?,
        hush: row.get(6)?,
        level: row.get(7)?,
        raised_unix_ms: row.get(8)?,
        changed_unix_ms: row.get(9)?,
        until_unix_ms: row.get(10)?,
        who: row.get(11)?,
        why: row.get(12)?,
        record: row.get(13)?,
        gateways: row.get(14)?,
    };
    Ok(columns.read())
}

fn read_step(row: &Row<'_>) -> rusqlite::Result<Option<KeptStep>> {
    let number = row.get::<_, i64>(0)?.cast_unsigned();
    let alarm = AlarmId::from_hex(&row.get::<_, String>(1)?);
    let (at_unix_ms, hash) = (row.get(2)?, Digest::from_hex(&row.get::<_, String>(3)?));
    let bytes = row.get::<_, String>(4)?.into_bytes();
    Ok(alarm.zip(hash).map(|(alarm, hash)| KeptStep { number, alarm, at_unix_ms, hash, bytes }))
}
