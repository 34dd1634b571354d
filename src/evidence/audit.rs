//! Three answers about a pile of records that are never mixed: is it authentic, is it complete, and what does it say.

use std::collections::BTreeMap;

use super::{
    body::Body,
    head::{Arrival, Head, Link},
    record::{LogId, Record, Refusal, Unverified},
    suite::{KeyId, PublicKey},
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
    /// The latest verdict on each piece of equipment.
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// The third answer in one word: the worst that the latest verdicts say. Not a word about authenticity.
    pub fn condition(&self) -> &'static str {
        if self.verdicts.iter().any(|v| v.violation_since_unix_ms.is_some()) {
            return "violation";
        }
        let worst = self.verdicts.iter().map(|v| v.state).max_by_key(|state| state.severity());
        worst.map_or("unstated", State::word)
    }
}

/// Reads records line by line. Genesis records may stand anywhere, so lines are kept until the end.
#[derive(Debug, Default)]
pub struct Audit {
    trusted: BTreeMap<KeyId, PublicKey>,
    lines: Vec<Result<Unverified, Refusal>>,
}

impl Audit {
    /// An audit that believes these keys; without any it takes each log's own word for its key.
    pub fn new(trusted: &[PublicKey]) -> Audit {
        Audit { trusted: trusted.iter().map(|key| (key.id(), *key)).collect(), lines: Vec::new() }
    }

    /// Takes one line, without its line end.
    pub fn on_line(&mut self, bytes: &[u8]) {
        self.lines.push(Unverified::read(bytes));
    }

    /// Judges everything taken.
    pub fn report(self) -> Report {
        let (keys, anchor) = self.keys();
        let no_evidence =
            self.lines.iter().all(|line| line.as_ref().is_err_and(|refusal| refusal.is_no_evidence()));
        let mut fold = Fold::default();
        for (number, line) in (1..).zip(self.lines) {
            let believed = line.and_then(|unverified| {
                let key_id = unverified.header().key_id;
                unverified.verify(keys.get(&key_id).ok_or(Refusal::UnknownKey(key_id))?)
            });
            match believed {
                Ok(record) => fold.on_record(&record),
                Err(refusal) => drop(fold.first_bad.get_or_insert((number, refusal))),
            }
        }
        fold.finish(anchor, no_evidence)
    }

    fn keys(&self) -> (BTreeMap<KeyId, PublicKey>, Anchor) {
        if !self.trusted.is_empty() {
            return (self.trusted.clone(), Anchor::Trusted);
        }
        let declared = self.lines.iter().flatten().filter_map(Unverified::declared_key);
        let keys: BTreeMap<KeyId, PublicKey> = declared.map(|key| (key.id(), key)).collect();
        let anchor = if keys.is_empty() { Anchor::Nobody } else { Anchor::Own };
        (keys, anchor)
    }
}

#[derive(Default)]
struct Fold {
    records: u64,
    first_bad: Option<(u64, Refusal)>,
    heads: BTreeMap<(GatewayId, LogId), Head>,
    gaps: Vec<Missing>,
    forks: Vec<Fork>,
    verdicts: BTreeMap<(GatewayId, AssetId), (LogId, u64, Verdict)>,
}

impl Fold {
    fn on_record(&mut self, record: &Record) {
        let (gateway, log) = (record.header.gateway, record.header.log);
        let head = self.heads.entry((gateway, log)).or_default();
        let mut arrival = head.on_record(Link::of(record));
        while arrival == Arrival::TooFarAhead {
            let Some((from, to)) = head.concede() else { break };
            self.gaps.push(Missing { gateway, log, from, to, declared: false });
            arrival = head.on_record(Link::of(record));
        }
        match arrival {
            Arrival::Duplicate => return,
            Arrival::Fork { seq, held, shown } => self.forks.push(Fork { gateway, log, seq, held, shown }),
            Arrival::Advanced | Arrival::Orphan | Arrival::Forgotten | Arrival::TooFarAhead => {}
        }
        self.records += 1;
        if let Body::Finding(Finding::Verdict(verdict)) = record.body {
            let newest = (log, record.header.seq, verdict);
            let held = self.verdicts.entry((gateway, verdict.asset)).or_insert(newest);
            if held.0 != log || held.1 < record.header.seq {
                *held = newest;
            }
        }
    }

    fn finish(mut self, anchor: Anchor, no_evidence: bool) -> Report {
        for ((gateway, log), head) in &mut self.heads {
            let (gateway, log) = (*gateway, *log);
            while let Some((from, to)) = head.concede() {
                self.gaps.push(Missing { gateway, log, from, to, declared: false });
            }
            let declared = head.declared().iter().copied();
            self.gaps.extend(declared.map(|(from, to)| Missing { gateway, log, from, to, declared: true }));
        }
        self.gaps.sort_by_key(|gap| (gap.gateway, gap.log, gap.from));
        Report {
            records: self.records,
            authentic: self.records > 0 && self.first_bad.is_none(),
            complete: self.records > 0 && self.gaps.is_empty() && self.forks.is_empty(),
            declared: self.forks.is_empty() && self.gaps.iter().all(|gap| gap.declared),
            first_bad: self.first_bad,
            gaps: self.gaps,
            forks: self.forks,
            anchor,
            no_evidence,
            verdicts: self.verdicts.into_values().map(|(_, _, verdict)| verdict).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
