//! A store into a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{Copied, FORMAT, PAGE, line::Line};
use crate::{
    evidence::lineage::Located,
    host::exit::{Exit, Failure},
    regulator::store::{Asked, FINDINGS_AT_ONCE, Kept, Log, Store, sights::Scope},
    terms::digest::Hasher,
};

/// Writes everything that a store holds at this moment. It may be written to meanwhile; what comes later is not in the copy.
///
/// # Errors
/// The store cannot be read, or the copy cannot be written.
pub fn backup(store: &mut dyn Store, out: &mut dyn Write, now_unix_ms: i64) -> Result<Copied, Failure> {
    store.snapshot()?;
    let mut copy = Copy { out, hasher: Hasher::default(), lines: 0, copied: Copied::default() };
    let done = copy.everything(store, now_unix_ms);
    store.abandon();
    done?;
    Ok(copy.copied)
}

struct Copy<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
    lines: u64,
    copied: Copied,
}

impl Copy<'_> {
    fn everything(&mut self, store: &mut dyn Store, now_unix_ms: i64) -> Result<(), Failure> {
        self.put(&json!({ "coldhearth_store": FORMAT, "made_unix_ms": now_unix_ms }))?;
        for admitted in store.admitted()? {
            self.copied.gateways += 1;
            self.line(&Line::Gateway(admitted))?;
        }
        let heads = store.heads(None)?.into_iter().map(|kept| ((kept.gateway, kept.log), kept));
        let heads: BTreeMap<Log, Kept> = heads.collect();
        for log in store.logs()? {
            self.copied.logs += 1;
            if let Some(kept) = heads.get(&log) {
                self.line(&Line::Log(*kept))?;
            }
            self.log(store, log)?;
        }
        for act in store.foreign_acts(None)? {
            self.line(&Line::Foreign(act))?;
        }
        let mut after = Some((i64::MIN, None));
        while let Some(last) = after.take() {
            for finding in store.findings_after(last, FINDINGS_AT_ONCE)? {
                after = Some((finding.found_unix_ms, Some(finding.id)));
                self.copied.findings += 1;
                self.line(&Line::Finding(finding))?;
            }
        }
        for heads in store.kept_heads()? {
            let number = heads.number;
            self.copied.heads += 1;
            self.line(&Line::Heads(heads))?;
            for listed in store.listed(number)? {
                self.line(&Line::Listed(number, listed))?;
            }
        }
        self.alarms(store)?;
        self.who_saw(store)?;
        self.inspections(store)?;
        let end =
            json!({ "end": { "lines": self.lines, "sha256": self.hasher.clone().digest().to_string() } });
        self.put(&end)?;
        self.out.flush().map_err(|e| failed(&e))
    }

    fn alarms(&mut self, store: &mut dyn Store) -> Result<(), Failure> {
        let mut after = Some(0);
        while let Some(last) = after.take() {
            for step in store.steps_after(last, PAGE)? {
                after = Some(step.number);
                self.copied.alarm_steps += 1;
                self.line(&Line::AlarmStep(step))?;
            }
        }
        store.pagers()?.into_iter().try_for_each(|pager| self.line(&Line::Pager(pager)))
    }

    /// Pages are told from the newest back; each is turned round, and they are asked for from the oldest on.
    fn who_saw(&mut self, store: &mut dyn Store) -> Result<(), Failure> {
        let newest = store.who_saw(&Scope::NATION, u64::MAX, 1)?.first().map_or(0, |(number, _)| *number);
        let mut written = 0;
        while written < newest {
            let end = written.saturating_add(u64::from(PAGE));
            let page = store.who_saw(&Scope::NATION, end.saturating_add(1), PAGE)?;
            for (_, saw) in page.into_iter().rev().filter(|(number, _)| *number > written) {
                self.copied.seen += 1;
                self.line(&Line::Saw(saw))?;
            }
            written = end;
        }
        Ok(())
    }

    fn inspections(&mut self, store: &mut dyn Store) -> Result<(), Failure> {
        let mut after = Some(0);
        while let Some(last) = after.take() {
            for inspection in store.inspections_after(last, PAGE)? {
                after = Some(inspection.number);
                self.copied.inspections += 1;
                self.line(&Line::Inspection(inspection))?;
            }
        }
        Ok(())
    }

    fn log(&mut self, store: &mut dyn Store, log: Log) -> Result<(), Failure> {
        // Before all else: what is mentioned is not pruned.
        for Located { mention, .. } in store.mentions(Asked::Logs(&BTreeSet::from([log])))? {
            self.line(&Line::Mention(mention))?;
        }
        if let Some(pruned) = store.pruned(log)? {
            self.line(&Line::Pruned(log, pruned))?;
        }
        for epoch in store.epochs(log, 0)? {
            self.line(&Line::Epoch(log, epoch))?;
        }
        let mut from = Some(0);
        while let Some(first) = from.take() {
            for (seq, record) in store.records_from(log, first, PAGE)? {
                from = seq.checked_add(1);
                self.copied.records += 1;
                self.line(&Line::Record(log, seq, record))?;
            }
        }
        for fork in store.forks(log)? {
            self.copied.forks += 1;
            self.line(&Line::Fork(log, fork))?;
        }
        let mut after = Some((i64::MIN, 0));
        while let Some(last) = after.take() {
            for receipt in store.receipts_after(log, last, PAGE)? {
                after = Some((receipt.given_unix_ms, receipt.seq));
                self.copied.receipts += 1;
                self.line(&Line::Receipt(log, receipt))?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), Failure> {
        self.put(&line.to_json())
    }

    fn put(&mut self, value: &Value) -> Result<(), Failure> {
        let mut line = value.to_string().into_bytes();
        line.push(b'\n');
        self.hasher.update(&line);
        self.lines += 1;
        self.out.write_all(&line).map_err(|e| failed(&e))
    }
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(Exit::Bug, format!("the copy cannot be written: {error}"))
}
