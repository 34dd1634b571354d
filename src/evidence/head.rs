//! Follows one log. The only place that knows duplicate, orphan, gap and fork: `verify`, `watch` and the collector
//! all ask it.

use std::collections::BTreeMap;

use super::{body::Body, record::Record};
use crate::terms::Digest;

/// Records that may wait for their predecessors.
pub const MAX_ORPHANS: usize = 4_096;
/// Places behind the head whose hashes are remembered, to tell a duplicate from a fork.
pub const MAX_REMEMBERED: usize = 65_536;

/// A record's place and its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place.
    pub seq: u64,
    /// The hash it says its predecessor has.
    pub prev: Digest,
    /// Its own hash.
    pub hash: Digest,
    /// Places it declares unused or dropped, both ends included, directly before its own.
    pub jump: Option<Jump>,
}

/// Places a record accounts for besides its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// True for records that existed and were dropped; false for places never used.
    pub dropped: bool,
}

impl Link {
    /// The link of a record.
    pub fn of(record: &Record) -> Link {
        let jump = match record.body {
            Body::Skip { from, to } => Some(Jump { from, to, dropped: false }),
            Body::Gap { from, to } => Some(Jump { from, to, dropped: true }),
            Body::Genesis(_) | Body::Boot(_) | Body::Checkpoint(_) | Body::Finding(_) => None,
        };
        Link { seq: record.header.seq, prev: record.header.prev, hash: record.hash, jump }
    }
}

/// What a record meant for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It follows the head; so did some that had waited for it.
    Advanced,
    /// Seen before, word for word.
    Duplicate,
    /// Its predecessor is not here yet.
    Orphan,
    /// Its predecessor is not here yet, and too many wait already: it must come again.
    TooFarAhead,
    /// Behind everything remembered: neither proven nor refuted.
    Forgotten,
    /// Two validly signed records claim one place: the log was rewritten.
    Fork {
        /// The place claimed twice.
        seq: u64,
        /// The hash held so far.
        held: Digest,
        /// The other hash.
        shown: Digest,
    },
}

/// How far a log is known without a hole.
#[derive(Clone, Debug, Default)]
pub struct Head {
    head: Option<(u64, Digest)>,
    remembered: BTreeMap<u64, Digest>,
    orphans: BTreeMap<u64, Link>,
    declared: Vec<(u64, u64)>,
    /// Places a signed `skip` says were never used, and the hash of that record.
    skipped: Vec<(u64, u64, Digest)>,
}

impl Head {
    /// A head for somebody who joins a log at this record; what came before is not known.
    pub fn joining(link: &Link) -> Head {
        let before = link.jump.map_or(link.seq, |jump| jump.from).checked_sub(1);
        Head { head: before.map(|seq| (seq, link.prev)), ..Head::default() }
    }

    /// Takes a record whose signature has been checked.
    pub fn on_record(&mut self, link: Link) -> Arrival {
        if let Some(fork) = self.fork(&link) {
            return fork;
        }
        let next = self.head.map_or(0, |(seq, _)| seq + 1);
        let waits = self.orphans.get(&link.seq).is_some_and(|orphan| orphan.hash == link.hash);
        if link.seq < next {
            let known = self.remembered.get(&link.seq) == Some(&link.hash);
            return if known { Arrival::Duplicate } else { Arrival::Forgotten };
        }
        if !self.follows(&link) {
            return match (waits, self.orphans.len() < MAX_ORPHANS) {
                (true, _) => Arrival::Duplicate,
                (false, true) => {
                    self.orphans.insert(link.seq, link);
                    Arrival::Orphan
                }
                (false, false) => Arrival::TooFarAhead,
            };
        }
        self.advance(&link);
        self.drain();
        self.contradicted().unwrap_or(Arrival::Advanced)
    }

    /// Gives up on what is missing before the first orphan and goes on from there. Tells what is missing,
    /// both ends included; `None` when nothing waits.
    pub fn concede(&mut self) -> Option<(u64, u64)> {
        let (seq, link) = self.orphans.pop_first()?;
        let missing = (self.head.map_or(0, |(head, _)| head + 1), seq.saturating_sub(1));
        self.advance(&link);
        self.drain();
        Some(missing)
    }

    /// The last place known without a hole, and its hash.
    pub fn head(&self) -> Option<(u64, Digest)> {
        self.head
    }

    /// What is missing before the first record that waits, both ends included.
    pub fn missing(&self) -> Option<(u64, u64)> {
        let (seq, _) = self.orphans.first_key_value()?;
        Some((self.head.map_or(0, |(head, _)| head + 1), seq.saturating_sub(1)))
    }

    /// Records that were dropped and declared so by a signed `gap`, as ranges with both ends included.
    pub fn declared(&self) -> &[(u64, u64)] {
        &self.declared
    }

    /// Takes in what had waited for the head.
    fn drain(&mut self) {
        while let Some(waiting) =
            self.orphans.first_key_value().map(|(_, link)| *link).filter(|l| self.follows(l))
        {
            self.orphans.remove(&waiting.seq);
            self.advance(&waiting);
        }
    }

    /// The record that waits for the very next place but names another past: the head was rewritten.
    fn contradicted(&mut self) -> Option<Arrival> {
        let (seq, held) = self.head?;
        let (first, waiting) = self.orphans.first_key_value()?;
        if *first != seq + 1 || waiting.jump.is_some() {
            return None;
        }
        let (_, waiting) = self.orphans.pop_first()?;
        Some(Arrival::Fork { seq, held, shown: waiting.prev })
    }

    fn fork(&self, link: &Link) -> Option<Arrival> {
        if let Some((_, _, held)) =
            self.skipped.iter().find(|(from, to, _)| (*from..=*to).contains(&link.seq))
        {
            return Some(Arrival::Fork { seq: link.seq, held: *held, shown: link.hash });
        }
        if let Some(Jump { from, to, dropped: false }) = link.jump
            && let Some((seq, held)) = self.remembered.range(from..=to.max(from)).next()
        {
            return Some(Arrival::Fork { seq: *seq, held: *held, shown: link.hash });
        }
        let fork = |seq, held, shown| (held != shown).then_some(Arrival::Fork { seq, held, shown });
        let held = self.remembered.get(&link.seq).copied();
        let held = held.or_else(|| self.orphans.get(&link.seq).map(|orphan| orphan.hash));
        held.and_then(|held| fork(link.seq, held, link.hash)).or_else(|| {
            let before = link.jump.map_or(link.seq, |jump| jump.from).checked_sub(1)?;
            let dropped = link.jump.is_some_and(|jump| jump.dropped);
            let held = self.remembered.get(&before).filter(|_| !dropped)?;
            fork(before, *held, link.prev)
        })
    }

    fn follows(&self, link: &Link) -> bool {
        let (next, prev) = self.head.map_or((0, Digest::ZERO), |(seq, hash)| (seq + 1, hash));
        match link.jump {
            None => link.seq == next && link.prev == prev,
            Some(Jump { from, to, dropped }) => {
                from == next
                    && from <= to
                    && to.checked_add(1) == Some(link.seq)
                    && (dropped || link.prev == prev)
            }
        }
    }

    fn advance(&mut self, link: &Link) {
        match link.jump {
            Some(Jump { from, to, dropped: true }) => self.declared.push((from, to)),
            Some(Jump { from, to, dropped: false }) => self.skipped.push((from, to, link.hash)),
            None => {}
        }
        self.head = Some((link.seq, link.hash));
        self.remembered.insert(link.seq, link.hash);
        if self.remembered.len() > MAX_REMEMBERED {
            self.remembered.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(seq: u64, variant: u8) -> Digest {
        Digest::of(&[&seq.to_be_bytes()[..], &[variant]].concat())
    }

    fn link(seq: u64) -> Link {
        let prev = seq.checked_sub(1).map_or(Digest::ZERO, |before| hash(before, 0));
        Link { seq, prev, hash: hash(seq, 0), jump: None }
    }

    #[test]
    fn a_log_advances_duplicates_wait_and_gaps_are_named() {
        let mut head = Head::default();
        assert_eq!(head.on_record(link(0)), Arrival::Advanced);
        assert_eq!(head.on_record(link(0)), Arrival::Duplicate);
        assert_eq!(head.on_record(link(3)), Arrival::Orphan);
        assert_eq!(head.on_record(link(3)), Arrival::Duplicate);
        assert_eq!(head.missing(), Some((1, 2)));
        assert_eq!(head.on_record(link(2)), Arrival::Orphan);
        assert_eq!(head.on_record(link(1)), Arrival::Advanced);
        assert_eq!((head.head().unwrap().0, head.missing()), (3, None));
        head.on_record(link(7));
        assert_eq!(head.concede(), Some((4, 6)));
        assert_eq!(head.on_record(link(8)), Arrival::Advanced);
    }

    #[test]
    fn two_records_at_one_place_are_a_fork_wherever_they_stand() {
        let mut head = Head::default();
        for seq in 0..5 {
            head.on_record(link(seq));
        }
        let rewritten = Link { hash: hash(2, 1), ..link(2) };
        assert_eq!(head.on_record(rewritten), Arrival::Fork { seq: 2, held: hash(2, 0), shown: hash(2, 1) });
        let other_past = Link { prev: hash(4, 1), ..link(5) };
        assert_eq!(head.on_record(other_past), Arrival::Fork { seq: 4, held: hash(4, 0), shown: hash(4, 1) });
        head.on_record(link(9));
        let other_orphan = Link { hash: hash(9, 1), ..link(9) };
        assert!(matches!(head.on_record(other_orphan), Arrival::Fork { seq: 9, .. }));
        assert_eq!(head.on_record(link(5)), Arrival::Advanced, "a fork never moves the head");
    }

    #[test]
    fn a_signed_skip_continues_the_log_and_a_signed_gap_is_declared() {
        let mut head = Head::default();
        head.on_record(link(0));
        let skip = Link {
            seq: 5,
            prev: hash(0, 0),
            hash: hash(5, 0),
            jump: Some(Jump { from: 1, to: 4, dropped: false }),
        };
        assert_eq!(head.on_record(skip), Arrival::Advanced);
        let gap = Link {
            seq: 9,
            prev: hash(8, 0),
            hash: hash(9, 0),
            jump: Some(Jump { from: 6, to: 8, dropped: true }),
        };
        assert_eq!(head.on_record(gap), Arrival::Advanced);
        assert_eq!(head.declared(), [(6, 8)]);
        let lying =
            Link { jump: Some(Jump { from: 11, to: 11, dropped: false }), prev: hash(9, 0), ..link(12) };
        assert_eq!(head.on_record(lying), Arrival::Orphan, "a skip must begin where the log ends");
    }

    #[test]
    fn a_skip_over_records_that_exist_is_a_contradiction_in_either_order() {
        let skip = Link {
            seq: 5,
            prev: hash(1, 0),
            hash: hash(5, 0),
            jump: Some(Jump { from: 2, to: 4, dropped: false }),
        };
        let mut records_first = Head::default();
        (0..4).for_each(|seq| assert_eq!(records_first.on_record(link(seq)), Arrival::Advanced));
        assert!(matches!(records_first.on_record(skip), Arrival::Fork { seq: 2, .. }));
        let mut skip_first = Head::default();
        (0..2).for_each(|seq| assert_eq!(skip_first.on_record(link(seq)), Arrival::Advanced));
        assert_eq!(skip_first.on_record(skip), Arrival::Advanced);
        assert!(matches!(skip_first.on_record(link(3)), Arrival::Fork { seq: 3, .. }));
    }

    #[test]
    fn a_child_that_waited_with_another_past_is_a_fork_when_its_parent_comes() {
        let mut head = Head::default();
        head.on_record(link(0));
        let child = Link { prev: hash(1, 1), ..link(2) };
        assert_eq!(head.on_record(child), Arrival::Orphan);
        let fork = Arrival::Fork { seq: 1, held: hash(1, 0), shown: hash(1, 1) };
        assert_eq!(head.on_record(link(1)), fork);
        assert_eq!(head.missing(), None);
    }

    proptest! {
        /// In whatever order records arrive, and however often, the head ends at the same place.
        #[test]
        fn delivery_order_does_not_change_the_end(order in Just((0_u64..60).collect::<Vec<_>>()).prop_shuffle(), again in prop::collection::vec(0_u64..60, 0..40)) {
            let mut head = Head::default();
            for seq in order.into_iter().chain(again) {
                head.on_record(link(seq));
            }
            prop_assert_eq!(head.head(), Some((59, hash(59, 0))));
            prop_assert_eq!(head.missing(), None);
        }
    }
}
