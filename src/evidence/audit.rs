//! Three answers about a pile of records that are never mixed: is it authentic, is it complete, and what does it say.

use std::collections::BTreeMap;

use super::{
    body::Body,
    head::{Arrival, Head, Link},
    keyring::Keyring,
    record::{LogId, Record, Refusal, Unverified},
    suite::PublicKey,
};
use crate::{
    judge::{Finding, State, Verdict},
    terms::{AssetId, Digest, GatewayId},
};

/// On whose word the keys rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The verifier brought the key.
    Trusted,
    /// The key came with the records: they agree with themselves, no more.
    Own,
    /// There was no key at all.
    Nobody,
}

impl Anchor {
    /// The word of the report.
    pub const fn word(self) -> &'static str {
        match self {
            Anchor::Trusted => "trusted",
            Anchor::Own => "self",
            Anchor::Nobody => "none",
        }
    }
}

/// Two records at one place of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The place.
    pub seq: u64,
    /// One hash.
    pub held: Digest,
    /// The other.
    pub shown: Digest,
}

/// A stretch of a log that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The first place.
    pub from: u64,
    /// The last place.
    pub to: u64,
    /// Whether the gateway itself declared it with a signed `gap`.
    pub declared: bool,
}

/// What is known of the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records believed, duplicates not counted.
    pub records: u64,
    /// Every line was a record, and every signature holds.
    pub authentic: bool,
    /// No place between a log's beginning and its last record is missing, and none is claimed twice.
    pub complete: bool,
    /// Everything missing was declared by the gateway.
    pub declared: bool,
    /// The first line that is not believed, counted from 1, and why.
    pub first_bad: Option<(u64, Refusal)>,
    /// What is missing.
    pub gaps: Vec<Missing>,
    /// What is claimed twice.
    pub forks: Vec<Fork>,
    /// On whose word the keys rest.
    pub anchor: Anchor,
    /// Whether not one line was evidence of this format.
    pub no_evidence: bool,
    /// The logs that were seen.
    pub logs: Vec<(GatewayId, LogId)>,
    /// The latest verdict of each log on each piece of equipment. A later log does not silence an earlier one.
    pub verdicts: Vec<(LogId, Verdict)>,
}

impl Report {
    /// The third answer in one word: the worst that the latest verdicts say. Not a word about authenticity.
    pub fn condition(&self) -> &'static str {
        if self.verdicts.iter().any(|(_, v)| v.violation_since_unix_ms.is_some()) {
            return "violation";
        }
        let worst = self.verdicts.iter().map(|(_, v)| v.state).max_by_key(|state| state.severity());
        worst.map_or("unstated", State::word)
    }
}

/// Reads records line by line. They may stand in any order and more than once, so nothing is judged before the end.
#[derive(Debug, Default)]
pub struct Audit {
    keyring: Keyring,
    number: u64,
    lines: Vec<(u64, Result<Unverified, Refusal>)>,
}

impl Audit {
    /// An audit that believes these keys; without any it takes each log's own word for its key.
    pub fn new(trusted: &[PublicKey]) -> Audit {
        Audit { keyring: Keyring::new(trusted), ..Audit::default() }
    }

    /// Takes one line, without its line end; an empty one is counted and otherwise ignored.
    pub fn on_line(&mut self, bytes: &[u8]) {
        self.number += 1;
        if !bytes.is_empty() {
            self.lines.push((self.number, Unverified::read(bytes)));
        }
    }

    /// Judges everything taken.
    pub fn report(mut self) -> Report {
        for (_, line) in &self.lines {
            if let Ok(unverified) = line {
                self.keyring.learn(unverified);
            }
        }
        let anchor = match (self.keyring.is_self_anchored(), self.keyring.is_empty()) {
            (false, _) => Anchor::Trusted,
            (true, false) => Anchor::Own,
            (true, true) => Anchor::Nobody,
        };
        let no_evidence = self.lines.iter().all(|(_, line)| line.as_ref().is_err_and(|r| r.is_no_evidence()));
        let mut first_bad = None;
        let mut records = Vec::new();
        for (number, line) in self.lines {
            match line.and_then(|unverified| self.keyring.open(unverified)) {
                Ok(record) => records.push(record),
                Err(refusal) => first_bad = first_bad.or(Some((number, refusal))),
            }
        }
        // In the order of their places, so that neither answer depends on the order or length of the file.
        records.sort_by_key(|record| (record.header.gateway, record.header.log, record.header.seq));
        let mut fold = Fold::default();
        records.iter().for_each(|record| fold.on_record(record));
        fold.finish(first_bad, anchor, no_evidence)
    }
}

#[derive(Default)]
struct Fold {
    records: u64,
    heads: BTreeMap<(GatewayId, LogId), Head>,
    gaps: Vec<Missing>,
    forks: Vec<Fork>,
    verdicts: BTreeMap<(GatewayId, LogId, AssetId), Verdict>,
}

impl Fold {
    /// Takes the next record in the order of gateway, log and place.
    fn on_record(&mut self, record: &Record) {
        let (gateway, log) = (record.header.gateway, record.header.log);
        let head = self.heads.entry((gateway, log)).or_default();
        match head.on_record(Link::of(record)) {
            Arrival::Duplicate => return,
            Arrival::Fork { seq, held, shown } => self.forks.push(Fork { gateway, log, seq, held, shown }),
            // In order, whoever waits waits in vain.
            Arrival::Orphan | Arrival::TooFarAhead => {
                if let Some((from, to)) = head.concede().filter(|(from, to)| from <= to) {
                    self.gaps.push(Missing { gateway, log, from, to, declared: false });
                }
            }
            Arrival::Advanced | Arrival::Forgotten => {}
        }
        self.records += 1;
        if let Body::Finding(Finding::Verdict(verdict)) = record.body {
            self.verdicts.insert((gateway, log, verdict.asset), verdict);
        }
    }

    fn finish(mut self, first_bad: Option<(u64, Refusal)>, anchor: Anchor, no_evidence: bool) -> Report {
        for ((gateway, log), head) in &self.heads {
            let (gateway, log) = (*gateway, *log);
            let declared = head.declared().iter().copied();
            self.gaps.extend(declared.map(|(from, to)| Missing { gateway, log, from, to, declared: true }));
        }
        self.gaps.sort_by_key(|gap| (gap.gateway, gap.log, gap.from));
        let believed = self.records > 0;
        Report {
            records: self.records,
            authentic: believed && first_bad.is_none(),
            complete: believed && self.gaps.is_empty() && self.forks.is_empty(),
            declared: believed && self.forks.is_empty() && self.gaps.iter().all(|gap| gap.declared),
            first_bad,
            gaps: self.gaps,
            forks: self.forks,
            anchor,
            no_evidence,
            logs: self.heads.into_keys().collect(),
            verdicts: self.verdicts.into_iter().map(|((_, log, _), verdict)| (log, verdict)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
