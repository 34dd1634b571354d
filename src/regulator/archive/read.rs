//! A file into an empty store.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, Read as _, Seek, SeekFrom},
};

use serde_json::Value;

use super::{Copied, FIRST_FORMAT, FORMAT, MAX_LINE_BYTES, PAGE, line::Line, matter::Matter};
use crate::{
    evidence::{LogId, heads::Listed, record::Unverified},
    host::exit::{Exit, Failure},
    regulator::alarms::{Alarm, AlarmId, Entry, KeptStep},
    regulator::store::{
        Admitted, AlarmBatch, Batch, KeptFinding, KeptHalf, KeptHeads, KeptRecord, Log, Store, people::Saw,
    },
    terms::{Digest, GatewayId, digest::Hasher},
};

/// Puts a copy into an empty store. The copy is read twice: nothing is written before its hash has been found right.
///
/// # Errors
/// The store is not empty, the copy is damaged or cut short, or the store fails. A restoration that was interrupted is
/// begun anew with an empty store.
pub fn restore(store: &mut dyn Store, copy: &mut (impl BufRead + Seek)) -> Result<Copied, Failure> {
    if !store.logs()?.is_empty() || !store.admitted()?.is_empty() {
        let message = "the store is not empty: a copy goes into an empty one, so that nothing is mixed up";
        return Err(Failure::new(Exit::Config, message));
    }
    each_line(copy, &mut |_, _| Ok(()))?;
    copy.seek(SeekFrom::Start(0)).map_err(|e| unreadable(0, &e.to_string()))?;
    let mut filling = Filling {
        store,
        batch: Batch::default(),
        log: None,
        logs: BTreeSet::new(),
        heads: None,
        alarms: AlarmBatch::default(),
        standing: BTreeMap::new(),
        matter: Matter::default(),
        copied: Copied::default(),
    };
    each_line(copy, &mut |number, value| {
        let line = Line::of(value).ok_or_else(|| unreadable(number, "not a line of such a copy"))?;
        filling.take(number, line)
    })?;
    filling.flush()?;
    filling.flush_heads()?;
    filling.flush_matter()?;
    filling.flush_alarms()?;
    Ok(filling.copied)
}

/// Hands out each line between the first and the last, and checks those two and the hash.
fn each_line(
    copy: &mut impl BufRead,
    take: &mut dyn FnMut(u64, &Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut hasher, mut line, mut number) = (Hasher::default(), Vec::new(), 0);
    loop {
        line.clear();
        let read = copy.take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.map_err(|e| unreadable(number + 1, &e.to_string()))?;
        if read == 0 {
            return Err(unreadable(number, "the copy is cut short: its last line is missing"));
        }
        let value: Value =
            serde_json::from_slice(&line).map_err(|e| unreadable(number + 1, &e.to_string()))?;
        if let Some(end) = value.get("end") {
            let right = end.get("lines").and_then(Value::as_u64) == Some(number)
                && end.get("sha256").and_then(Value::as_str) == Some(hasher.digest().to_string().as_str());
            let more = copy.fill_buf().map_err(|e| unreadable(number, &e.to_string()))?;
            return match (right, more.is_empty()) {
                (true, true) => Ok(()),
                (true, false) => Err(unreadable(number + 2, "something follows the last line")),
                (false, _) => Err(unreadable(
                    number + 1,
                    "the hash over the lines before is another: the copy was altered",
                )),
            };
        }
        hasher.update(&line);
        number += 1;
        if number > 1 {
            take(number, &value)?;
        } else {
            let format = value.get("coldhearth_store").and_then(Value::as_u64).unwrap_or(0);
            if !(FIRST_FORMAT..=FORMAT).contains(&format) {
                return Err(unreadable(
                    1,
                    "no copy of a store, or of a version that this program does not know",
                ));
            }
        }
    }
}

struct Filling<'a> {
    store: &'a mut dyn Store,
    batch: Batch,
    /// The log that the lines are about.
    log: Option<Log>,
    /// The logs of the batch.
    logs: BTreeSet<Log>,
    heads: Option<(KeptHeads, Vec<Listed>)>,
    /// Steps of the desk's log that are not kept yet.
    alarms: AlarmBatch,
    /// Alarms as the steps so far have made them.
    standing: BTreeMap<AlarmId, Alarm>,
    matter: Matter,
    copied: Copied,
}

impl Filling<'_> {
    fn take(&mut self, number: u64, line: Line) -> Result<(), Failure> {
        match line {
            Line::Gateway(admitted) => self.gateway(&admitted)?,
            Line::Log(kept) => {
                self.of((kept.gateway, kept.log))?;
                self.batch.heads.push(kept);
            }
            Line::Pruned(log, pruned) => {
                self.of(log)?;
                self.batch.pruned.push((log, pruned, BTreeSet::new()));
            }
            Line::Epoch(log, epoch) => {
                self.of(log)?;
                self.batch.epochs.push((log, epoch));
            }
            Line::Record(log, seq, record) => self.record(number, (log, seq), record)?,
            Line::Fork(log, fork) => {
                self.of(log)?;
                self.copied.forks += 1;
                self.batch.forks.push((log, fork));
            }
            Line::Receipt(log, receipt) => {
                self.of(log)?;
                self.copied.receipts += 1;
                self.batch.receipts.push((log, receipt));
                self.flush_if(self.batch.receipts.len())?;
            }
            Line::Mention(mention) => {
                self.of((mention.gateway, mention.log))?;
                self.batch.mentions.push(mention);
            }
            // Every log is looked through from its first record, however far it was where the copy was made.
            Line::Unindexed(log, _) => self.of(log)?,
            Line::Foreign(act) => {
                self.of((act.gateway, act.log))?;
                self.matter.mislead(act.gateway);
                self.batch.foreign.push(act);
            }
            Line::Finding(finding) => self.finding(number, finding)?,
            Line::Heads(heads) => {
                self.flush()?;
                self.flush_heads()?;
                self.copied.heads += 1;
                self.heads = Some((heads, Vec::new()));
            }
            Line::Listed(of, listed) => match &mut self.heads {
                Some((heads, list)) if heads.number == of => list.push(listed),
                Some(_) | None => return Err(unreadable(number, "a head that stands in no list")),
            },
            Line::AlarmStep(step) => self.alarm_step(number, step)?,
            Line::Pager(pager) => self.alarms.pagers.push((None, pager)),
            Line::Saw(saw) => self.saw(&saw)?,
            Line::Inspection(inspection) => {
                self.copied.inspections += 1;
                self.store.keep_inspection(&inspection)?;
            }
        }
        Ok(())
    }

    fn gateway(&mut self, admitted: &Admitted) -> Result<(), Failure> {
        self.copied.gateways += 1;
        self.store.admit(admitted.gateway, &admitted.key, admitted.admitted_unix_ms)?;
        if let Some(division) = admitted.division {
            self.store.say_where(admitted.gateway, division)?;
        }
        if let Some(revoked_unix_ms) = admitted.revoked_unix_ms {
            self.store.revoke(admitted.gateway, admitted.key.id(), revoked_unix_ms)?;
        }
        Ok(())
    }

    fn saw(&mut self, saw: &Saw) -> Result<(), Failure> {
        self.copied.seen += 1;
        Ok(self.store.note_saw(saw)?)
    }

    fn record(&mut self, number: u64, (log, seq): (Log, u64), record: KeptRecord) -> Result<(), Failure> {
        self.of(log)?;
        if said_by(&record.bytes) != Some((log.0, log.1, seq, record.hash)) {
            return Err(unreadable(number, "the record is not the one the line says it is"));
        }
        // What cannot be read says nothing, and is named when the store is verified.
        if let Ok(read) = Unverified::read(&record.bytes).and_then(Unverified::own) {
            self.matter.record(&read, record.received_unix_ms);
        }
        self.copied.records += 1;
        self.batch.records.insert((log.0, log.1, seq), record);
        self.flush_if(self.batch.records.len())
    }

    fn finding(&mut self, number: u64, finding: KeptFinding) -> Result<(), Failure> {
        let is_it =
            |half: &KeptHalf| said_by(&half.bytes) == Some((half.gateway, half.log, half.seq, half.hash));
        if !finding.records().all(is_it) {
            return Err(unreadable(number, "a record of the finding is not the one the line says it is"));
        }
        self.matter.finding(&finding);
        self.copied.findings += 1;
        self.batch.findings.push(finding);
        self.flush_if(self.batch.findings.len())
    }

    /// An alarm is what its steps say: it is made of them again.
    fn alarm_step(&mut self, number: u64, kept: KeptStep) -> Result<(), Failure> {
        let wrong = |why: &str| unreadable(number, why);
        let entry = Entry::own(&kept.bytes).map_err(|why| wrong(&why.to_string()))?;
        let id = entry.step.about.id();
        if (entry.number, id) != (kept.number, kept.alarm) {
            return Err(wrong("the step is not the one the line says it is"));
        }
        let before = self.standing.remove(&id).unwrap_or_else(|| Alarm::unheard(entry.step.about));
        let after =
            before.after(&entry.step).map_err(|_unfit| wrong("the step cannot follow those before it"))?;
        if !after.state.is_over() {
            self.standing.insert(id, after);
        }
        self.copied.alarm_steps += 1;
        self.alarms.steps.push(kept);
        if self.alarms.steps.len() >= PAGE as usize { self.flush_steps() } else { Ok(()) }
    }

    fn flush_steps(&mut self) -> Result<(), Failure> {
        let batch = std::mem::take(&mut self.alarms);
        let next = batch.steps.last().map_or(batch.after, |last| last.number);
        if !batch.is_empty() && !self.store.keep_alarms(&batch)? {
            return Err(unreadable(0, "the store's own log of alarms has grown meanwhile"));
        }
        self.alarms.after = next;
        Ok(())
    }

    /// What is the matter is looked at once somebody serves from the store.
    fn flush_matter(&mut self) -> Result<(), Failure> {
        for conditions in std::mem::take(&mut self.matter).told(&self.standing) {
            let turns = self.store.begin(&BTreeSet::new())?;
            self.store.commit(&Batch { turns, conditions, ..Batch::default() })?;
        }
        Ok(())
    }

    fn flush_alarms(&mut self) -> Result<(), Failure> {
        self.alarms.alarms.extend(std::mem::take(&mut self.standing).into_values());
        self.flush_steps()
    }

    fn flush_if(&mut self, waiting: usize) -> Result<(), Failure> {
        if waiting >= PAGE as usize { self.flush() } else { Ok(()) }
    }

    /// The lines of this log begin, or go on.
    fn of(&mut self, log: Log) -> Result<(), Failure> {
        if self.log != Some(log) {
            self.log = Some(log);
            self.copied.logs += 1;
            if self.logs.len() >= PAGE as usize {
                self.flush()?;
            }
            // What the desk is shown is no part of a copy: it is told by the records.
            self.batch.unindexed.push((log, Some(0)));
        }
        self.logs.insert(log);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let (mut batch, logs) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.logs));
        if logs.is_empty() && batch.findings.is_empty() {
            return Ok(());
        }
        // What a copy has of a pruned log is what stayed.
        for (log, _, stay) in &mut batch.pruned {
            stay.extend(batch.records.keys().filter(|(of, id, _)| (*of, *id) == *log).map(|(.., seq)| *seq));
        }
        batch.turns = self.store.begin(&logs)?;
        Ok(self.store.commit(&batch)?)
    }

    fn flush_heads(&mut self) -> Result<(), Failure> {
        let Some((heads, list)) = self.heads.take() else { return Ok(()) };
        self.store.keep_heads(&heads, &list)?;
        Ok(())
    }
}

/// Where a record says it belongs, and its hash.
fn said_by(bytes: &[u8]) -> Option<(GatewayId, LogId, u64, Digest)> {
    let unverified = Unverified::read(bytes).ok()?;
    let header = unverified.header();
    Some((header.gateway, header.log, header.seq, unverified.hash()))
}

fn unreadable(line: u64, why: &str) -> Failure {
    Failure::new(Exit::Data, format!("line {line} of the copy: {why}"))
}
