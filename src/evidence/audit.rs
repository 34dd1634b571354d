//! Three answers about a pile of records that are never mixed: is it authentic, is it complete, and what does it say.

mod orders;

pub use orders::{OrderSeen, StepAlone};

use std::collections::BTreeMap;

use orders::{OrderFold, Suppliers};

use super::{
    body::Body,
    bracket::{Brackets, Clocks, MAX_RECEIPTS},
    continuity::LogHead,
    follow::{Follower, Origin, Place, Seen},
    head::{Arrival, Head},
    keyring::Keyring,
    mistimed::Mistimed,
    receipt::Receipt,
    record::{LogId, Record, Refusal, Unverified},
    signed::Signed,
    suite::{KeyId, PublicKey},
};
use crate::{
    judge::{Finding, State, Verdict},
    terms::{AssetId, Digest, GatewayId},
};

/// Records of a bundle, one a line: what `export` writes and `verify` reads.
pub const RECORDS_FILE: &str = "records.jsonl";
/// Receipts of a bundle, one a line.
pub const RECEIPTS_FILE: &str = "receipts.jsonl";
/// Findings of one kind that a report lists; more are counted in the answers, not listed.
pub const MAX_LISTED: usize = 10_000;
/// Records whose hashes are kept for the receipts that follow them.
const MAX_RECENT: usize = 4_096;

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
    /// Whether a receipt of a trusted authority says that it arrived there.
    pub receipted: bool,
}

/// One log as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSeen {
    /// Whose.
    pub gateway: GatewayId,
    /// Which.
    pub log: LogId,
    /// The last place known without an undeclared hole.
    pub head: Option<(u64, Digest)>,
    /// Keys it has had.
    pub epochs: usize,
    /// The log it says it continues.
    pub continues: Option<LogHead>,
    /// It continues that log with a key that had been replaced there: an older journal was put in the place of a newer
    /// one, or the key was stolen before.
    pub by_replaced_key: bool,
}

/// What is known of the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records believed, duplicates not counted.
    pub records: u64,
    /// Every line was a record, and every signature holds.
    pub authentic: bool,
    /// No place between a log's beginning and its last record, or the last that a receipt of a trusted authority names,
    /// is missing, and none is claimed twice.
    pub complete: bool,
    /// Everything missing was declared by the gateway.
    pub declared: bool,
    /// The first line that is not believed, counted from 1, and why.
    pub first_bad: Option<(u64, Refusal)>,
    /// What is missing.
    pub gaps: Vec<Missing>,
    /// What is claimed twice.
    pub forks: Vec<Fork>,
    /// Places the gateway lost and skipped, whose records are here all the same; log, first and last.
    pub lost: Vec<(LogId, u64, u64)>,
    /// On whose word the keys rest.
    pub anchor: Anchor,
    /// Whether not one line was evidence of this format.
    pub no_evidence: bool,
    /// The logs that were seen.
    pub logs: Vec<LogSeen>,
    /// When the records were written, as far as receipts tell.
    pub brackets: Brackets,
    /// Records whose times are not believed.
    pub mistimed: Mistimed,
    /// The keys that sign the logs' own records.
    pub own_keys: Vec<KeyId>,
    /// Acts in the logs that no trusted key of an authority signed: the gateway's word alone.
    pub unsigned_acts: u64,
    /// The latest verdict of each log on each piece of equipment. A later log does not silence an earlier one.
    pub verdicts: Vec<(LogId, Verdict)>,
    /// Cut-off orders, replayed.
    pub orders: Vec<OrderSeen>,
    /// Logs that tell of orders which they never took.
    pub steps_alone: Vec<StepAlone>,
    /// The lines stood too far out of order to be judged as they came: sort them by [`place_of`] and judge again, all
    /// receipts first.
    pub disordered: bool,
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

/// Where a line belongs when lines are sorted: by gateway, log and place. `None` for a line that is no record.
pub fn place_of(bytes: &[u8]) -> Option<(GatewayId, LogId, u64)> {
    let header = *Unverified::of(Signed::read(bytes).ok()?).ok()?.header();
    Some((header.gateway, header.log, header.seq))
}

/// Reads records line by line, as they come. A line may stand somewhat out of order and more than once; memory does not
/// grow with the length of the log.
#[derive(Debug)]
pub struct Audit {
    follower: Follower,
    number: u64,
    fold: Fold,
}

#[derive(Debug, Default)]
struct Fold {
    records: u64,
    ours: bool,
    disordered: bool,
    first_bad: Option<(u64, Refusal)>,
    forks: Vec<Fork>,
    continues: BTreeMap<(GatewayId, LogId), LogHead>,
    clocks: Clocks,
    /// Acts in the logs, to be checked against the keys that are trusted.
    acts: Vec<(u64, Signed)>,
    /// Those that no trusted key signed and that a supplier may have, whose order comes later; at most [`MAX_LISTED`].
    strangers: Vec<Signed>,
    suppliers: Suppliers,
    unsigned_acts: u64,
    /// The keys that sign the logs' own records: they speak for gateways, and no act is theirs.
    own_keys: Vec<KeyId>,
    /// The hashes that receipts name, by their places.
    receipted: BTreeMap<(GatewayId, LogId, u64), Digest>,
    /// The hashes of the records seen last.
    recent: BTreeMap<(GatewayId, LogId, u64), Digest>,
    /// With the place of the record that says it.
    verdicts: BTreeMap<(GatewayId, LogId, AssetId), (u64, Verdict)>,
    orders: OrderFold,
}

impl Audit {
    /// An audit that believes these keys; without any it takes each log's own word for its key. An authority's key
    /// vouches for the logs it has receipted.
    pub fn new(trusted: &[PublicKey]) -> Audit {
        let follower = Follower::from_the_beginning(trusted);
        Audit { follower, number: 0, fold: Fold::default() }
    }

    /// Takes one line, without its line end; an empty one is counted and otherwise ignored. Receipts tell the time of
    /// this record and of those after it, if they come before the next line.
    pub fn on_line(&mut self, bytes: &[u8]) {
        self.number += 1;
        self.on_numbered_line(bytes, self.number);
    }

    /// Takes a line that stands elsewhere than its turn.
    pub fn on_numbered_line(&mut self, bytes: &[u8], number: u64) {
        if bytes.is_empty() {
            return;
        }
        let Audit { follower, fold, .. } = self;
        fold.clocks.judge();
        let origin = Origin { in_chain: true, number };
        follower.on_message(bytes, origin, &mut |seen, bytes, origin| fold.on(seen, bytes, origin.number));
        fold.check_acts(follower.keyring());
    }

    /// Whether the next line of a file of receipts is wanted now, after the lines taken so far. Whoever gives receipts in
    /// the order of their places, and only when they are wanted, needs no memory for the others.
    pub fn wants_receipts(&self) -> bool {
        self.fold.clocks.wants_receipts()
    }

    /// Takes a line of a file of receipts. Anything else, and one that nobody vouches for, tells nothing and spoils
    /// nothing.
    pub fn on_receipt_line(&mut self, bytes: &[u8]) {
        if !Signed::read(bytes).is_ok_and(|signed| Receipt::is_claimed_by(&signed)) {
            return;
        }
        let Audit { follower, fold, .. } = self;
        let origin = Origin { in_chain: false, number: 0 };
        follower.on_message(bytes, origin, &mut |seen, bytes, origin| {
            // It may be what records have waited for.
            if origin.in_chain || matches!(seen, Seen::Receipt(_)) {
                fold.on(seen, bytes, origin.number);
            }
        });
    }

    /// Judges everything taken.
    pub fn report(mut self) -> Report {
        let Audit { follower, fold, .. } = &mut self;
        follower.finish(&mut |seen, bytes, origin| fold.on(seen, bytes, origin.number));
        fold.clocks.judge();
        for (bytes, origin) in follower.held() {
            if let Ok(unverified) = Unverified::read(bytes) {
                fold.refuse(origin.number, Refusal::UnknownKey(unverified.header().key_id));
            }
        }
        fold.check_acts(follower.keyring());
        let keyring = follower.keyring();
        let anchor = match (keyring.is_self_anchored(), keyring.is_empty()) {
            (false, _) => Anchor::Trusted,
            (true, false) => Anchor::Own,
            (true, true) => Anchor::Nobody,
        };
        let logs: Vec<(GatewayId, LogId)> = follower.heads().keys().copied().collect();
        let mut gaps = Vec::new();
        for (gateway, log) in logs {
            fold.gaps(follower, gateway, log, &mut gaps);
            fold.contradictions(follower, gateway, log);
        }
        gaps.sort_by_key(|gap| (gap.gateway, gap.log, gap.from));
        let keyring = follower.keyring();
        let logs = follower.heads().iter().map(|((gateway, log), head)| {
            let continues = fold.continues.get(&(*gateway, *log)).copied();
            let replaced = |before: LogHead| keyring.begins_with_replaced_key(*gateway, *log, before.log);
            LogSeen {
                gateway: *gateway,
                log: *log,
                head: head.head(),
                epochs: keyring.epochs(*gateway, *log),
                continues,
                by_replaced_key: continues.is_some_and(replaced),
            }
        });
        let logs: Vec<LogSeen> = logs.collect();
        for seen in &logs {
            fold.misplaced(follower, seen);
        }
        let lost = |((_, log), head): (&(GatewayId, LogId), &Head)| {
            let log = *log;
            head.lost().map(move |(from, to)| (log, from, to)).collect::<Vec<_>>()
        };
        let lost = follower.heads().iter().flat_map(lost).take(MAX_LISTED).collect();
        self.fold.finish(gaps, lost, anchor, logs)
    }
}

impl Fold {
    fn on(&mut self, seen: Seen, bytes: &[u8], number: u64) {
        match seen {
            Seen::Record(record, place) => {
                self.ours = true;
                match place {
                    Place::Proven | Place::Pending(..) | Place::Aside | Place::Amnesia(..) => {}
                    Place::Forgotten | Place::TooFarAhead => self.disordered = true,
                }
                self.orders.on(&record, place == Place::Proven);
                self.on_record(&record, number);
            }
            Seen::Again => self.ours = true,
            Seen::Receipt(receipt) => {
                self.ours = true;
                if let Ok(signed) = Signed::read(bytes) {
                    self.clocks.on_receipt(&receipt, signed.hash());
                }
                let LogHead { log, seq, head } = receipt.upto;
                // Most come just after the record they name; what they say of it is settled at once.
                let is_settled = self.recent.get(&(receipt.gateway, log, seq)) == Some(&head);
                if !receipt.is_empty() && !is_settled && self.receipted.len() < MAX_RECEIPTS {
                    self.receipted.entry((receipt.gateway, log, seq)).or_insert(head);
                }
            }
            // Nobody was asked to believe its signer; what it is about is unaffected.
            Seen::StrangeReceipt => {}
            Seen::Fork { gateway, log, fork } => {
                self.ours = true;
                if let Arrival::Fork { seq, held, shown } = fork {
                    self.accuse(Fork { gateway, log, seq, held, shown });
                }
            }
            Seen::Refused(refusal) => self.refuse(number, refusal),
            Seen::Held { .. } => {}
            Seen::NotHeld { key, .. } => {
                self.disordered = true;
                self.refuse(number, Refusal::UnknownKey(key));
            }
        }
    }

    /// An act in a log takes effect on the authority's word, which stands in it.
    fn check_acts(&mut self, keyring: &Keyring) {
        for (number, act) in std::mem::take(&mut self.acts) {
            if self.own_keys.contains(&act.key_id()) {
                self.unsigned_acts += 1;
                continue;
            }
            match keyring.trusted(act.key_id()).map(|key| act.check(key)) {
                Some(Ok(())) => self.suppliers.learn(act),
                Some(Err(refusal)) => self.refuse(number, refusal),
                None if self.strangers.len() < MAX_LISTED && orders::is_the_suppliers(&act) => {
                    self.strangers.push(act);
                }
                None => self.unsigned_acts += 1,
            }
        }
    }

    fn accuse(&mut self, fork: Fork) {
        if self.forks.len() < MAX_LISTED {
            self.forks.push(fork);
        }
    }

    fn refuse(&mut self, number: u64, refusal: Refusal) {
        self.ours |= !refusal.is_no_evidence();
        if self.first_bad.is_none_or(|(first, _)| number < first) {
            self.first_bad = Some((number, refusal));
        }
    }

    fn on_record(&mut self, record: &Record, number: u64) {
        let (gateway, log, seq) = (record.header.gateway, record.header.log, record.header.seq);
        self.records += 1;
        if !self.own_keys.contains(&record.header.key_id) {
            self.own_keys.push(record.header.key_id);
        }
        self.clocks.on_record(&record.header, &record.body);
        self.recent.insert((gateway, log, seq), record.hash);
        if self.recent.len() > MAX_RECENT {
            self.recent.pop_first();
        }
        // The authority's word stands for the record it has; whoever shows another has rewritten the log.
        match self.receipted.remove(&(gateway, log, seq)) {
            Some(held) if held != record.hash => {
                self.receipted.insert((gateway, log, seq), held);
                self.accuse(Fork { gateway, log, seq, held, shown: record.hash });
            }
            Some(_) | None => {}
        }
        if let Body::Genesis(genesis) = &record.body
            && let Some(continues) = genesis.continues
        {
            self.continues.insert((gateway, log), continues);
        }
        if let Body::Act(act) = &record.body
            && let Ok(signed) = Signed::of(act.members.clone())
        {
            self.acts.push((number, signed));
        }
        if let Body::Finding(Finding::Verdict(verdict)) = record.body {
            let newest = self.verdicts.entry((gateway, log, verdict.asset)).or_insert((seq, verdict));
            if newest.0 <= seq {
                *newest = (seq, verdict);
            }
        }
    }

    /// Receipts that came after the records they contradict.
    fn contradictions(&mut self, follower: &Follower, gateway: GatewayId, log: LogId) {
        let Some(head) = follower.heads().get(&(gateway, log)) else { return };
        let log_places = (gateway, log, 0)..=(gateway, log, u64::MAX);
        let receipted = self.receipted.range(log_places).map(|((.., seq), held)| (*seq, *held));
        let contradicted = |(seq, held): (u64, Digest)| {
            let shown = head.hash_at(seq).filter(|shown| *shown != held)?;
            Some(Fork { gateway, log, seq, held, shown })
        };
        let found: Vec<Fork> = receipted.filter_map(contradicted).take(MAX_LISTED).collect();
        for fork in found {
            if !self.forks.contains(&fork) {
                self.accuse(fork);
            }
        }
    }

    /// A log that goes on after a record which is another in the log that it names.
    fn misplaced(&mut self, follower: &Follower, seen: &LogSeen) {
        let Some(LogHead { log, seq, head: shown }) = seen.continues else { return };
        let before = follower.heads().get(&(seen.gateway, log));
        if let Some(held) = before.and_then(|head| head.hash_at(seq)).filter(|held| *held != shown) {
            self.accuse(Fork { gateway: seen.gateway, log, seq, held, shown });
        }
    }

    /// What is missing in one log, to its last record.
    fn gaps(&self, follower: &mut Follower, gateway: GatewayId, log: LogId, gaps: &mut Vec<Missing>) {
        let covered = self.clocks.covered(gateway, log);
        let mut add = |from, to, declared| {
            let receipted = covered.is_some_and(|covered| to <= covered);
            if from <= to && gaps.len() < MAX_LISTED {
                gaps.push(Missing { gateway, log, from, to, declared, receipted });
            }
        };
        while let Some((from, to)) = follower.concede(gateway, log) {
            add(from, to, false);
        }
        // What the authority has received beyond the last record was cut off.
        let head = follower.heads().get(&(gateway, log)).and_then(|head| head.head());
        if let Some(((seq, _), covered)) = head.zip(covered) {
            add(seq.saturating_add(1), covered, false);
        }
        let declared = follower.heads().get(&(gateway, log)).map_or(&[][..], |head| head.declared());
        declared.iter().for_each(|(from, to)| add(*from, *to, true));
    }

    fn finish(
        self,
        gaps: Vec<Missing>,
        lost: Vec<(LogId, u64, u64)>,
        anchor: Anchor,
        logs: Vec<LogSeen>,
    ) -> Report {
        let believed = self.records > 0;
        let (orders, steps_alone) = self.orders.finish();
        Report {
            records: self.records,
            authentic: believed && self.first_bad.is_none(),
            complete: believed && gaps.is_empty() && self.forks.is_empty(),
            declared: believed && self.forks.is_empty() && gaps.iter().all(|gap| gap.declared),
            first_bad: self.first_bad,
            gaps,
            forks: self.forks,
            lost,
            anchor,
            no_evidence: !self.ours,
            logs,
            brackets: self.clocks.brackets(),
            mistimed: self.clocks.mistimed().clone(),
            own_keys: self.own_keys,
            unsigned_acts: self.unsigned_acts + self.suppliers.strange(&self.strangers),
            verdicts: self.verdicts.into_iter().map(|((_, log, _), (_, verdict))| (log, verdict)).collect(),
            orders,
            steps_alone,
            disordered: self.disordered || self.clocks.is_disordered(),
        }
    }
}

#[cfg(test)]
mod tests;
