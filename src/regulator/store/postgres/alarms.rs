//! Alarms in PostgreSQL. What people write is kept as bytes: no encoding of a database holds it all.

use tokio_postgres::{Error, Row, types::ToSql};

use super::{
    PostgresStore,
    read::{columns, number},
    session::Session,
};
use crate::{
    regulator::{
        alarms::{
            Alarm, AlarmId, Condition, KeptPager, KeptStep, Kind, Priority, Settled, Shown, Waiting,
            condition::newest,
        },
        store::{
            Alarms, Answered, Batch, Log,
            alarms::{
                AlarmBatch, AlarmColumns, AlarmCount, AlarmsAsked, WaitingColumns, above, count_of,
                groundless, prefix,
            },
        },
    },
    terms::{Digest, Name, place::Division},
};

/// Held by whoever adds to the desk's log, until the batch ends.
const ALARM_LOCK: i64 = 0x616c_6172_6d73_0a01;

/// Writes what a batch says is the matter: one statement for what is, one for what is not. What is not the matter, and
/// never was, leaves no row, unless an earlier record is still to come that says it is. Tampering that one log shows is looked at before another hides it;
/// what a log that was left convicts of was weighed before, whatever its clock said.
pub(super) async fn conditions(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    let newest = newest(&batch.conditions);
    let (clear, stands): (Vec<_>, Vec<_>) =
        newest.into_iter().partition(|(_, condition)| condition.shown == Shown::Clear);
    if !stands.is_empty() {
        let sql = "insert into condition
                   (id, cause, gateway, log, seq, subject, shown, at_unix_ms, changed_unix_ms, received_unix_ms, hash, waiting)
                   select id, cause, gateway, log, seq, nullif(subject, ''), shown, at_ms, received_ms, received_ms, hash, 1
                   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                       $8::bigint[], $9::bigint[], $10::text[])
                       as new (id, cause, gateway, log, seq, subject, shown, at_ms, received_ms, hash)
                   on conflict (id) do update set log = excluded.log, seq = excluded.seq, at_unix_ms = excluded.at_unix_ms,
                   received_unix_ms = excluded.received_unix_ms,
                   waiting = case when condition.shown <> excluded.shown then 1 else condition.waiting end,
                   changed_unix_ms = case when condition.shown <> excluded.shown then excluded.changed_unix_ms
                       else condition.changed_unix_ms end,
                   hash = case when condition.shown <> excluded.shown then excluded.hash else condition.hash end,
                   shown = excluded.shown
                   where (condition.log = excluded.log and condition.seq < excluded.seq)
                       or (condition.log <> excluded.log and condition.received_unix_ms <= excluded.received_unix_ms)";
        written(session, sql, &stands).await?;
    }
    if !clear.is_empty() {
        let sql = "insert into condition
                   (id, cause, gateway, log, seq, subject, shown, at_unix_ms, changed_unix_ms, received_unix_ms, hash, waiting)
                   select id, cause, gateway, log, seq, nullif(subject, ''), shown, at_ms, received_ms, received_ms, hash, 0
                   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                       $8::bigint[], $9::bigint[], $10::text[])
                       as new (id, cause, gateway, log, seq, subject, shown, at_ms, received_ms, hash)
                   where exists (select 1 from condition old where old.id = new.id)
                       or new.seq > coalesce((select known.seq from log known
                           where known.gateway = new.gateway and known.log = new.log), -1)
                   on conflict (id) do update set log = excluded.log, seq = excluded.seq, at_unix_ms = excluded.at_unix_ms,
                   received_unix_ms = excluded.received_unix_ms,
                   waiting = case when condition.shown <> 'clear' then 1 else condition.waiting end,
                   changed_unix_ms = case when condition.shown <> 'clear' then excluded.received_unix_ms
                       else condition.changed_unix_ms end,
                   hash = case when condition.shown <> 'clear' then excluded.hash else condition.hash end, shown = 'clear'
                   where (condition.log = excluded.log and condition.seq < excluded.seq)
                       or (condition.log <> excluded.log and not (condition.cause = 'tamper' and condition.waiting = 1)
                           and (condition.received_unix_ms < excluded.received_unix_ms or condition.cause
                               in ('violation', 'cut_violated', 'tamper')))";
        written(session, sql, &clear).await?;
    }
    Ok(())
}

async fn written(
    session: &mut Session,
    sql: &'static str,
    all: &[(AlarmId, &Condition)],
) -> Result<(), Error> {
    let each = || all.iter().map(|(_, condition)| *condition);
    let ids: Vec<String> = all.iter().map(|(id, _)| id.to_string()).collect();
    let causes: Vec<&str> = each().map(|condition| condition.cause.word()).collect();
    let of: Vec<Log> = each().map(|condition| (condition.gateway, condition.log)).collect();
    let (gateways, logs) = columns(of.iter());
    let seqs: Vec<i64> = each().map(|condition| condition.seq.cast_signed()).collect();
    let subjects: Vec<String> =
        each().map(|condition| condition.subject.map_or_else(String::new, |name| name.to_string())).collect();
    let shown: Vec<&str> = each().map(|condition| condition.shown.word()).collect();
    let times: Vec<i64> = each().map(|condition| condition.at_unix_ms).collect();
    let received: Vec<i64> = each().map(|condition| condition.received_unix_ms).collect();
    let hashes: Vec<String> = each().map(|condition| condition.hash.to_string()).collect();
    let row: [&(dyn ToSql + Sync); 10] =
        [&ids, &causes, &gateways, &logs, &seqs, &subjects, &shown, &times, &received, &hashes];
    session.execute(sql, &row).await.map(|_| ())
}

/// Writes a batch of the desk, whole, unless the log has grown; tells whether it did.
async fn desk(session: &mut Session, batch: &AlarmBatch) -> Result<bool, Error> {
    session.batch("begin").await?;
    session.query("select pg_advisory_xact_lock($1)", &[&ALARM_LOCK]).await?;
    let rows = session.query("select coalesce(max(number), 0) from alarm_step", &[]).await?;
    if rows.first().and_then(|row| number(row, 0)) != Some(batch.after) {
        session.batch("rollback").await?;
        return Ok(false);
    }
    let step = "insert into alarm_step (number, alarm, at_unix_ms, hash, bytes) values ($1, $2, $3, $4, $5)";
    for KeptStep { number, alarm, at_unix_ms, hash, bytes } in &batch.steps {
        let (number, alarm, hash) = (number.cast_signed(), alarm.to_string(), hash.to_string());
        session.execute(step, &[&number, &alarm, at_unix_ms, &hash, bytes]).await?;
    }
    for alarm in &batch.alarms {
        keep(session, alarm).await?;
    }
    for id in &batch.over {
        session.execute("delete from alarm where id = $1", &[&id.to_string()]).await?;
    }
    let settle = "update condition set waiting = 0, shown = $4
                  where id = $1 and changed_unix_ms = $2 and shown = $3";
    for Settled { id, changed_unix_ms, was, shown } in &batch.settled {
        session.execute(settle, &[&id.to_string(), changed_unix_ms, &was.word(), &shown.word()]).await?;
    }
    if let Some((gateway, asset, alarms)) = &batch.ended {
        let sql = "update asset set violation_since_unix_ms = null, left_log = '' where gateway = $1 and asset = $2";
        session.execute(sql, &[&gateway.as_str(), &asset.as_str()]).await?;
        let alarms: Vec<String> = alarms.iter().map(AlarmId::to_string).collect();
        let sql = "update condition set shown = 'clear', waiting = 0 where id = any($1::text[])";
        session.execute(sql, &[&alarms]).await?;
    }
    for (was, pager) in &batch.pagers {
        if !tell(session, was.as_ref(), pager).await? {
            session.batch("rollback").await?;
            return Ok(false);
        }
    }
    session.batch("commit").await?;
    Ok(true)
}

/// False where it is not as it was seen.
async fn tell(session: &mut Session, was: Option<&KeptPager>, pager: &KeptPager) -> Result<bool, Error> {
    let KeptPager { receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms } = pager;
    let (receiver, kind, upto) = (receiver.as_str(), kind.word(), upto.cast_signed());
    let changed = match was {
        None => {
            let sql = "insert into pager (receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms)
                       values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
            let row: [&(dyn ToSql + Sync); 6] =
                [&receiver, &kind, &upto, told_unix_ms, pause_ms, claimed_unix_ms];
            session.execute(sql, &row).await?
        }
        Some(was) => {
            let sql = "update pager set upto = $3, told_unix_ms = $4, pause_ms = $5, claimed_unix_ms = $6
                       where receiver = $1 and kind = $2 and upto = $7 and told_unix_ms is not distinct from $8
                       and claimed_unix_ms is not distinct from $9";
            let before = was.upto.cast_signed();
            let row: [&(dyn ToSql + Sync); 9] = [
                &receiver,
                &kind,
                &upto,
                told_unix_ms,
                pause_ms,
                claimed_unix_ms,
                &before,
                &was.told_unix_ms,
                &was.claimed_unix_ms,
            ];
            session.execute(sql, &row).await?
        }
    };
    Ok(changed == 1)
}

async fn keep(session: &mut Session, alarm: &Alarm) -> Result<(), Error> {
    let sql = "insert into alarm (id, kind, priority, cause, division, uscc, gateway, subject, life, hush,
                   level, raised_unix_ms, changed_unix_ms, until_unix_ms, who, why, record, gateways)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
               on conflict (id) do update set division = excluded.division, uscc = excluded.uscc, life = excluded.life,
                   hush = excluded.hush, level = excluded.level, raised_unix_ms = excluded.raised_unix_ms,
                   changed_unix_ms = excluded.changed_unix_ms, until_unix_ms = excluded.until_unix_ms,
                   who = excluded.who, why = excluded.why, record = excluded.record, gateways = excluded.gateways";
    let c = AlarmColumns::of(alarm);
    let (id, kind) = (alarm.id.to_string(), alarm.about.cause.kind().word());
    let priority = alarm.about.cause.priority().word();
    let (who, why) = (c.who.as_ref().map(String::as_bytes), c.why.as_ref().map(String::as_bytes));
    let row: [&(dyn ToSql + Sync); 18] = [
        &id,
        &kind,
        &priority,
        &c.cause,
        &c.division,
        &c.uscc,
        &c.gateway,
        &c.subject,
        &c.life,
        &c.hush,
        &c.level,
        &c.raised_unix_ms,
        &c.changed_unix_ms,
        &c.until_unix_ms,
        &who,
        &why,
        &c.record,
        &c.gateways,
    ];
    session.execute(sql, &row).await.map(|_| ())
}

impl PostgresStore {
    fn alarm_rows<T>(&self, rows: &[Row], read: impl Fn(&Row) -> Option<T>) -> Answered<Vec<T>> {
        rows.iter().map(|row| read(row).ok_or_else(|| self.strange())).collect()
    }
}

impl Alarms for PostgresStore {
    fn waiting(&mut self, after: Option<(i64, AlarmId)>, most: u32) -> Answered<Vec<Waiting>> {
        let (time, id) = after.map_or((i64::MIN, String::new()), |(time, id)| (time, id.to_string()));
        let most = i64::from(most);
        let sql =
            "select c.cause, c.gateway, c.subject, c.shown, c.changed_unix_ms, c.hash, log.division, log.uscc
                   from condition c left join log on log.gateway = c.gateway and log.log = c.log
                   where c.waiting = 1 and (c.changed_unix_ms, c.id) > ($1, $2)
                   order by c.changed_unix_ms, c.id limit $3";
        let rows = self.ask(async |session| session.query(sql, &[&time, &id, &most]).await)?;
        self.alarm_rows(&rows, read_waiting)
    }

    fn alarms(&mut self, asked: &AlarmsAsked) -> Answered<Vec<Alarm>> {
        let AlarmsAsked { within, kind, priority, part: _, after, most } = asked;
        let (digits, _) = prefix(*within);
        let (kind, priority) = (kind.map_or("", Kind::word), priority.map_or("", Priority::word));
        let stands = asked.stands();
        let (time, id) = after.map_or((i64::MAX, String::new()), |(time, id)| (time, id.to_string()));
        let most = i64::from(*most);
        let sql = "select cause, division, uscc, gateway, subject, life, hush, level, raised_unix_ms, changed_unix_ms,
                       until_unix_ms, who, why, record, gateways
                   from alarm where (starts_with(division, $1) or (cause = 'outage' and division in ($6, $7)))
                   and ($2 = '' or kind = $2) and ($8 = '' or priority = $8)
                   and ($9::text[] is null or kind || ' ' || life || ' ' || hush = any($9))
                   and raised_unix_ms <= $3 and (raised_unix_ms < $3 or id > $4)
                   order by raised_unix_ms desc, id limit $5";
        let [province, city] = above(*within);
        let columns: [&(dyn ToSql + Sync); 9] =
            [&digits, &kind, &time, &id, &most, &province, &city, &priority, &stands];
        let rows = self.ask(async |session| session.query(sql, &columns).await)?;
        self.alarm_rows(&rows, read_alarm)
    }

    fn alarm_counts(&mut self, within: Division) -> Answered<Vec<AlarmCount>> {
        let (digits, _) = prefix(within);
        let [province, city] = above(within);
        let sql = "select kind, priority, life, hush, count(*) from alarm
                   where starts_with(division, $1) or (cause = 'outage' and division in ($2, $3))
                   group by kind, priority, life, hush order by kind, priority, life, hush";
        let rows = self.ask(async |session| session.query(sql, &[&digits, &province, &city]).await)?;
        self.alarm_rows(&rows, |row| {
            let (kind, priority, life, hush) = (text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?);
            count_of([&kind, &priority, &life, &hush], row.try_get(4).ok()?)
        })
    }

    fn alarm(&mut self, id: AlarmId) -> Answered<Option<Alarm>> {
        let sql = "select cause, division, uscc, gateway, subject, life, hush, level, raised_unix_ms, changed_unix_ms,
                       until_unix_ms, who, why, record, gateways from alarm where id = $1";
        let id = id.to_string();
        let rows = self.ask(async |session| session.query(sql, &[&id]).await)?;
        Ok(self.alarm_rows(&rows, read_alarm)?.into_iter().next())
    }

    fn newest_step(&mut self) -> Answered<Option<(u64, Digest)>> {
        let sql = "select number, hash from alarm_step order by number desc limit 1";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        Ok(self.alarm_rows(&rows, super::read::hash)?.into_iter().next())
    }

    fn steps_after(&mut self, number: u64, most: u32) -> Answered<Vec<KeptStep>> {
        let sql = "select number, alarm, at_unix_ms, hash, bytes from alarm_step where number > $1 order by number limit $2";
        let (number, most) = (number.cast_signed(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&number, &most]).await)?;
        self.alarm_rows(&rows, read_step)
    }

    fn steps_of(&mut self, id: AlarmId, before: u64, most: u32) -> Answered<Vec<KeptStep>> {
        let sql =
            "select number, alarm, at_unix_ms, hash, bytes from alarm_step where alarm = $1 and number < $2
                   order by number desc limit $3";
        let (id, before) = (id.to_string(), i64::try_from(before).unwrap_or(i64::MAX));
        let most = i64::from(most);
        let rows = self.ask(async |session| session.query(sql, &[&id, &before, &most]).await)?;
        self.alarm_rows(&rows, read_step)
    }

    fn groundless_alarms(&mut self, most: u32) -> Answered<Vec<AlarmId>> {
        let rows = self.ask(async |session| session.query(groundless!("$1"), &[&i64::from(most)]).await)?;
        self.alarm_rows(&rows, |row| AlarmId::from_hex(row.try_get(0).ok()?))
    }

    fn pagers(&mut self) -> Answered<Vec<KeptPager>> {
        let sql = "select receiver, kind, upto, told_unix_ms, pause_ms, claimed_unix_ms from pager
                   order by receiver, kind";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        self.alarm_rows(&rows, read_pager)
    }

    fn keep_alarms(&mut self, batch: &AlarmBatch) -> Answered<bool> {
        // What is open when it fails is undone by `ask`.
        self.connect()?;
        self.begun = true;
        let kept = self.ask(async |session| desk(session, batch).await)?;
        self.begun = false;
        Ok(kept)
    }
}

fn text(row: &Row, column: usize) -> Option<String> {
    row.try_get(column).ok()
}

/// A column that may be null.
fn maybe(row: &Row, column: usize) -> Option<Option<String>> {
    row.try_get(column).ok()
}

/// What people wrote.
fn written_by_people(row: &Row, column: usize) -> Option<Option<String>> {
    let bytes: Option<Vec<u8>> = row.try_get(column).ok()?;
    match bytes {
        None => Some(None),
        Some(bytes) => String::from_utf8(bytes).ok().map(Some),
    }
}

fn read_waiting(row: &Row) -> Option<Waiting> {
    let columns = WaitingColumns {
        cause: text(row, 0)?,
        gateway: text(row, 1)?,
        subject: maybe(row, 2)?,
        shown: text(row, 3)?,
        changed_unix_ms: row.try_get(4).ok()?,
        hash: text(row, 5)?,
        division: maybe(row, 6)?,
        uscc: maybe(row, 7)?,
    };
    columns.read()
}

fn read_alarm(row: &Row) -> Option<Alarm> {
    let columns = AlarmColumns {
        cause: text(row, 0)?,
        division: text(row, 1)?,
        uscc: maybe(row, 2)?,
        gateway: maybe(row, 3)?,
        subject: maybe(row, 4)?,
        life: text(row, 5)?,
        hush: text(row, 6)?,
        level: text(row, 7)?,
        raised_unix_ms: row.try_get(8).ok()?,
        changed_unix_ms: row.try_get(9).ok()?,
        until_unix_ms: row.try_get(10).ok()?,
        who: written_by_people(row, 11)?,
        why: written_by_people(row, 12)?,
        record: maybe(row, 13)?,
        gateways: row.try_get(14).ok()?,
    };
    columns.read()
}

fn read_step(row: &Row) -> Option<KeptStep> {
    Some(KeptStep {
        number: number(row, 0)?,
        alarm: AlarmId::from_hex(&text(row, 1)?)?,
        at_unix_ms: row.try_get(2).ok()?,
        hash: Digest::from_hex(&text(row, 3)?)?,
        bytes: row.try_get(4).ok()?,
    })
}

fn read_pager(row: &Row) -> Option<KeptPager> {
    Some(KeptPager {
        receiver: Name::new(&text(row, 0)?)?,
        kind: Kind::from_word(&text(row, 1)?)?,
        upto: number(row, 2)?,
        told_unix_ms: row.try_get(3).ok()?,
        pause_ms: row.try_get(4).ok()?,
        claimed_unix_ms: row.try_get(5).ok()?,
    })
}
