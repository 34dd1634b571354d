//! Follows one log. The only place that knows duplicate, orphan, gap and fork: `verify`, `watch`, the collector and the
//! agent's own start all ask it.

use std::collections::BTreeMap;

use super::{body::Body, continuity::Dropped, record::Record};
use crate::terms::Digest;

/// Records that may wait for their predecessors.
pub const MAX_ORPHANS: usize = 4_096;
/// Places behind the head whose hashes are remembered, to tell a duplicate from a fork.
pub const MAX_REMEMBERED: usize = 65_536;
/// Declared ranges and skips remembered.
pub const MAX_RANGES: usize = 65_536;
/// Declared ranges that may follow one another with no record between them.
pub const MAX_BRIDGES: usize = 1_024;

/// A record's place and its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place.
    pub seq: u64,
    /// The hash it says its predecessor has.
    pub prev: Digest,
    /// Its own hash.
    pub hash: Digest,
    /// Epoch of the key that signed it.
    pub epoch: u32,
    /// How it goes on from its predecessor.
    pub step: Step,
}

/// How a record goes on from its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At the next place.
    Plain,
    /// At the next place; the record after it is of the next epoch.
    Rotates,
    /// Past the places from this one to the one before its own: never used, or lost by the gateway's disk.
    Skips(u64),
}

impl Link {
    /// The link of a record.
    pub fn of(record: &Record) -> Link {
        let step = match record.body {
            Body::Skip { from, .. } => Step::Skips(from),
            Body::Rotation(_) => Step::Rotates,
            Body::Genesis(_)
            | Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(_) => Step::Plain,
        };
        let header = &record.header;
        Link { seq: header.seq, prev: header.prev, hash: record.hash, epoch: header.key_epoch, step }
    }

    /// The place whose hash `prev` names; none before a genesis.
    fn before(&self) -> Option<u64> {
        match self.step {
            Step::Skips(from) => from.checked_sub(1),
            Step::Plain | Step::Rotates => self.seq.checked_sub(1),
        }
    }

    fn next_epoch(&self) -> u32 {
        match self.step {
            Step::Rotates => self.epoch.saturating_add(1),
            Step::Plain | Step::Skips(_) => self.epoch,
        }
    }
}

/// What a record meant for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It follows the head; so did some that had waited for it.
    Advanced,
    /// It follows the head by skipping places whose records are held here: the gateway has lost them, and says so by
    /// the skip. No accusation, but a finding.
    Amnesia {
        /// The first place it lost.
        from: u64,
        /// The last.
        to: u64,
    },
    /// Seen before, word for word.
    Duplicate,
    /// It stands where a later record has skipped: lost by the gateway, yet it arrived.
    Late,
    /// Its predecessor is not here yet.
    Orphan,
    /// Its predecessor is not here yet, and too many wait already: it must come again.
    TooFarAhead,
    /// Behind everything remembered: neither proven nor refuted.
    Forgotten,
    /// The key that signed it had been replaced before this place.
    WrongEpoch,
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
    /// Epoch of the next record; not known before the first.
    epoch: Option<u32>,
    remembered: BTreeMap<u64, Digest>,
    orphans: BTreeMap<u64, Link>,
    /// Dropped ranges by their first place, as signed `gap` records declare them.
    declared: BTreeMap<u64, Dropped>,
    /// Those of them that the head has passed over.
    passed: Vec<(u64, u64)>,
    /// Places skipped, both ends included.
    skipped: BTreeMap<u64, u64>,
    /// Those of them whose records are here, both ends included.
    lost: BTreeMap<u64, u64>,
}

impl Head {
    /// A head for somebody who joins a log at this record; what came before is not known.
    pub fn joining(link: &Link) -> Head {
        Head { head: link.before().map(|seq| (seq, link.prev)), ..Head::default() }
    }

    /// A head that goes on from a place that is proven otherwise: by a receipt, or by a store that kept it.
    pub fn resuming(seq: u64, hash: Digest, next_epoch: u32) -> Head {
        let remembered = BTreeMap::from([(seq, hash)]);
        Head { head: Some((seq, hash)), epoch: Some(next_epoch), remembered, ..Head::default() }
    }

    /// Remembers a place behind the head that a store has kept.
    pub fn recall(&mut self, seq: u64, hash: Digest) {
        if self.head.is_some_and(|(head, _)| seq < head) && self.remembered.len() < MAX_REMEMBERED {
            self.remembered.insert(seq, hash);
        }
    }

    /// Takes a record whose signature has been checked, and what a `gap` declares.
    pub fn take(&mut self, record: &Record) -> Arrival {
        let arrival = self.on_record(Link::of(record));
        let Body::Gap(gap) = &record.body else { return arrival };
        // Only what waits may wait for what was dropped; a record that is refused here declares nothing.
        if arrival != Arrival::Orphan {
            return arrival;
        }
        for dropped in &gap.dropped {
            if self.declared.len() < MAX_RANGES {
                self.declared.insert(dropped.from, *dropped);
            }
        }
        self.drain();
        if self.next() <= record.header.seq {
            return arrival;
        }
        self.contradicted().unwrap_or(Arrival::Advanced)
    }

    /// Takes a record's link.
    pub fn on_record(&mut self, link: Link) -> Arrival {
        if let Some(fork) = self.fork(&link) {
            return fork;
        }
        let next = self.next();
        if link.seq < next {
            return self.behind(&link);
        }
        if self.epoch.is_some_and(|epoch| link.epoch < epoch) {
            return Arrival::WrongEpoch;
        }
        if !self.follows(&link, &self.bridges()) {
            return self.wait(link);
        }
        let lost = self.lost_by(&link);
        self.advance(&link);
        self.drain();
        let otherwise = lost.map_or(Arrival::Advanced, |(from, to)| Arrival::Amnesia { from, to });
        self.contradicted().unwrap_or(otherwise)
    }

    /// Gives up on what is missing before the first orphan and goes on from there. Tells what is missing,
    /// both ends included; `None` when nothing waits.
    pub fn concede(&mut self) -> Option<(u64, u64)> {
        let (seq, link) = self.orphans.pop_first()?;
        let missing = (self.next(), link.before().unwrap_or(0).max(self.next()).min(seq.saturating_sub(1)));
        self.advance(&link);
        self.drain();
        Some(missing)
    }

    /// The last place known without a hole, and its hash.
    pub fn head(&self) -> Option<(u64, Digest)> {
        self.head
    }

    /// The hash of the record at a place, while it is remembered.
    pub fn hash_at(&self, seq: u64) -> Option<Digest> {
        self.remembered.get(&seq).copied()
    }

    /// Epoch of the record after the head, once any record is known.
    pub fn next_epoch(&self) -> Option<u32> {
        self.epoch
    }

    /// What is missing before the first record that waits, both ends included.
    pub fn missing(&self) -> Option<(u64, u64)> {
        self.holes(1).first().copied()
    }

    /// The first `most` ranges that are missing before and between the records that wait, both ends included.
    pub fn holes(&self, most: usize) -> Vec<(u64, u64)> {
        let mut next = self.next();
        let mut holes = Vec::new();
        for (seq, link) in &self.orphans {
            let needed = link.before().map_or(0, |before| before + 1);
            if needed > next && !self.is_declared(next, needed - 1) && holes.len() < most {
                holes.push((next, needed - 1));
            }
            next = seq + 1;
        }
        holes
    }

    /// Records that were dropped and declared so by a signed `gap`, as ranges with both ends included.
    pub fn declared(&self) -> &[(u64, u64)] {
        &self.passed
    }

    /// Places that the gateway has skipped and whose records are here all the same, as ranges with both ends included:
    /// its disk lost them, or somebody put an older one in its place. The order of arrival does not matter.
    pub fn lost(&self) -> impl Iterator<Item = (u64, u64)> {
        self.lost.iter().map(|(from, to)| (*from, *to))
    }

    /// Records that wait for their predecessors.
    pub fn waiting(&self) -> usize {
        self.orphans.len()
    }

    /// The hash of the record that waits at a place.
    pub fn waits_at(&self, seq: u64) -> Option<Digest> {
        self.orphans.get(&seq).map(|link| link.hash)
    }

    fn next(&self) -> u64 {
        self.head.map_or(0, |(seq, _)| seq + 1)
    }

    fn is_declared(&self, from: u64, to: u64) -> bool {
        self.declared.range(..=from).next_back().is_some_and(|(_, dropped)| dropped.to >= to)
    }

    /// A record at or behind the head.
    fn behind(&mut self, link: &Link) -> Arrival {
        if self.remembered.get(&link.seq) == Some(&link.hash) {
            return Arrival::Duplicate;
        }
        if self.skipped.range(..=link.seq).next_back().is_some_and(|(_, to)| *to >= link.seq) {
            self.remember(link);
            self.lose(link.seq);
            return Arrival::Late;
        }
        Arrival::Forgotten
    }

    /// A record ahead of the head.
    fn wait(&mut self, link: Link) -> Arrival {
        match self.orphans.get(&link.seq) {
            Some(orphan) if orphan.hash == link.hash => return Arrival::Duplicate,
            // Of two keys the later one has been certified by the earlier; the earlier had no right to this place.
            Some(orphan) if orphan.epoch > link.epoch => return Arrival::WrongEpoch,
            Some(_) => {}
            None if self.orphans.len() >= MAX_ORPHANS => return Arrival::TooFarAhead,
            None => {}
        }
        self.orphans.insert(link.seq, link);
        Arrival::Orphan
    }

    /// Takes in what had waited for the head.
    fn drain(&mut self) {
        while let Some(ready) = self.ready() {
            self.orphans.remove(&ready.seq);
            self.advance(&ready);
        }
    }

    /// The first record of those that wait that follows the head. What waits before it may wait for something that was
    /// dropped, or lost, and never comes.
    fn ready(&self) -> Option<Link> {
        if self.orphans.is_empty() {
            return None;
        }
        let bridges = self.bridges();
        let places = bridges.keys().filter_map(|to| to.checked_add(1));
        let next = std::iter::once(self.next()).chain(places).filter_map(|seq| self.orphans.get(&seq));
        next.chain(self.waiting_skips()).find(|link| self.follows(link, &bridges)).copied()
    }

    fn waiting_skips(&self) -> impl Iterator<Item = &Link> {
        self.orphans.values().filter(|link| matches!(link.step, Step::Skips(_)))
    }

    /// A record that waits and names another past than is held: the log was rewritten.
    fn contradicted(&mut self) -> Option<Arrival> {
        let next = self.orphans.get(&self.next()).into_iter().chain(self.waiting_skips());
        let contradiction = |link: &Link| {
            let before = link.before()?;
            let held = self.remembered.get(&before).filter(|held| **held != link.prev)?;
            Some((link.seq, Arrival::Fork { seq: before, held: *held, shown: link.prev }))
        };
        let (waiting, fork) = next.filter_map(contradiction).next()?;
        self.orphans.remove(&waiting);
        Some(fork)
    }

    fn fork(&self, link: &Link) -> Option<Arrival> {
        let fork = |seq, held, shown| (held != shown).then_some(Arrival::Fork { seq, held, shown });
        let same_epoch = |orphan: &&Link| orphan.epoch == link.epoch;
        let held = self.remembered.get(&link.seq).copied();
        let held = held.or_else(|| self.orphans.get(&link.seq).filter(same_epoch).map(|orphan| orphan.hash));
        held.and_then(|held| fork(link.seq, held, link.hash)).or_else(|| {
            let before = link.before()?;
            fork(before, *self.remembered.get(&before)?, link.prev)
        })
    }

    fn follows(&self, link: &Link, bridges: &BTreeMap<u64, Digest>) -> bool {
        let (next, prev) = (self.next(), self.head.map_or(Digest::ZERO, |(_, hash)| hash));
        if self.epoch.is_some_and(|epoch| epoch != link.epoch) {
            return false;
        }
        match link.step {
            Step::Plain | Step::Rotates => {
                (link.seq == next && link.prev == prev) || (link.seq > next && crosses(link, bridges))
            }
            Step::Skips(from) => {
                link.seq >= next
                    && from < link.seq
                    && ((from == next && link.prev == prev)
                        || self.lost_by(link).is_some()
                        || crosses(link, bridges))
            }
        }
    }

    /// The places that can be reached from the head across what was declared dropped, and the hashes there.
    fn bridges(&self) -> BTreeMap<u64, Digest> {
        let (mut bridges, mut next) = (BTreeMap::new(), self.next());
        while bridges.len() < MAX_BRIDGES
            && let Some((_, dropped)) = self.declared.range(..=next).next_back()
            && dropped.to >= next
        {
            bridges.insert(dropped.to, dropped.last);
            next = dropped.to.saturating_add(1);
        }
        bridges
    }

    /// What a skip shows the gateway to have lost: places up to the head, whose past it still names rightly.
    fn lost_by(&self, link: &Link) -> Option<(u64, u64)> {
        let Step::Skips(from) = link.step else { return None };
        let (head, _) = self.head.filter(|(seq, _)| (from..link.seq).contains(seq))?;
        let before = from.checked_sub(1)?;
        (self.remembered.get(&before) == Some(&link.prev)).then_some((from, head))
    }

    fn advance(&mut self, link: &Link) {
        let next = self.next();
        match link.step {
            Step::Skips(from) => {
                // A range inside this one would hide it.
                drop(self.skipped.split_off(&from));
                if self.skipped.len() < MAX_RANGES {
                    self.skipped.insert(from, link.seq.saturating_sub(1));
                }
                let here: Vec<u64> = self.remembered.range(from..).map(|(seq, _)| *seq).collect();
                here.into_iter().for_each(|seq| self.lose(seq));
                if from > next && self.is_declared(next, from - 1) {
                    self.pass(next, from - 1);
                }
            }
            Step::Plain | Step::Rotates => {
                if link.seq > next && crosses(link, &self.bridges()) {
                    self.pass(next, link.seq - 1);
                }
            }
        }
        self.head = Some((link.seq, link.hash));
        self.epoch = Some(link.next_epoch());
        self.remember(link);
        if link.step != Step::Plain || link.seq > next {
            // Whoever waits below the head, or was signed by a key that is replaced, waits in vain.
            let (skips, epoch) = (matches!(link.step, Step::Skips(_)), link.next_epoch());
            for (seq, orphan) in std::mem::take(&mut self.orphans) {
                if seq > link.seq && orphan.epoch >= epoch {
                    self.orphans.insert(seq, orphan);
                } else if seq < link.seq && orphan.epoch == link.epoch {
                    // As if it had come only now: what it says is kept against whoever says otherwise.
                    self.remember(&orphan);
                    if skips {
                        self.lose(seq);
                    }
                }
            }
        }
    }

    /// Notes that a skipped place has a record here.
    fn lose(&mut self, seq: u64) {
        let before = self.lost.range(..=seq).next_back().map(|(from, to)| (*from, *to));
        let from = match before {
            Some((_, to)) if to >= seq => return,
            Some((from, to)) if to.checked_add(1) == Some(seq) => from,
            Some(_) | None => seq,
        };
        let to = seq.checked_add(1).and_then(|next| self.lost.remove(&next)).unwrap_or(seq);
        if from != seq || self.lost.len() < MAX_RANGES {
            self.lost.insert(from, to);
        }
    }

    fn pass(&mut self, from: u64, to: u64) {
        if self.passed.len() < MAX_RANGES {
            self.passed.push((from, to));
        }
    }

    fn remember(&mut self, link: &Link) {
        self.remembered.insert(link.seq, link.hash);
        if self.remembered.len() > MAX_REMEMBERED {
            self.remembered.pop_first();
        }
    }
}

/// Whether everything before this record was declared dropped, ending in the hash it names.
fn crosses(link: &Link, bridges: &BTreeMap<u64, Digest>) -> bool {
    link.before().is_some_and(|before| bridges.get(&before) == Some(&link.prev))
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
        Link { seq, prev, hash: hash(seq, 0), epoch: 0, step: Step::Plain }
    }

    fn skip(from: u64, seq: u64) -> Link {
        let prev = from.checked_sub(1).map_or(Digest::ZERO, |before| hash(before, 0));
        Link { prev, step: Step::Skips(from), ..link(seq) }
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
        head.on_record(link(9));
        assert_eq!(head.holes(8), [(4, 6), (8, 8)]);
        assert_eq!(head.concede(), Some((4, 6)));
        assert_eq!(head.on_record(link(8)), Arrival::Advanced);
        assert_eq!(head.head().unwrap().0, 9);
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
    fn a_signed_skip_continues_the_log_and_must_begin_where_it_ends() {
        let mut head = Head::default();
        head.on_record(link(0));
        assert_eq!(head.on_record(skip(1, 5)), Arrival::Advanced);
        assert_eq!(head.on_record(skip(7, 9)), Arrival::Orphan);
        assert_eq!(head.on_record(link(6)), Arrival::Advanced);
        assert_eq!(head.head().unwrap().0, 9);
    }

    #[test]
    fn a_skip_over_records_held_here_is_a_loss_and_no_fork_in_either_order() {
        let mut records_first = Head::default();
        (0..4).for_each(|seq| assert_eq!(records_first.on_record(link(seq)), Arrival::Advanced));
        assert_eq!(records_first.on_record(skip(2, 9)), Arrival::Amnesia { from: 2, to: 3 });
        let mut skip_first = Head::default();
        (0..2).for_each(|seq| assert_eq!(skip_first.on_record(link(seq)), Arrival::Advanced));
        assert_eq!(skip_first.on_record(skip(2, 9)), Arrival::Advanced);
        assert_eq!(skip_first.on_record(link(3)), Arrival::Late);
        assert_eq!(records_first.head(), skip_first.head());
        let rewritten = Link { hash: hash(3, 1), ..link(3) };
        assert!(matches!(records_first.on_record(rewritten), Arrival::Fork { seq: 3, .. }));
        assert!(matches!(skip_first.on_record(rewritten), Arrival::Fork { seq: 3, .. }));
        let rewritten_past = Link { prev: hash(1, 1), ..skip(2, 12) };
        assert!(matches!(records_first.on_record(rewritten_past), Arrival::Fork { seq: 1, .. }));
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

    #[test]
    fn what_will_never_come_does_not_hold_up_what_follows_without_it() {
        // Places 1 and 2 were lost by a disk, and 1 on the way too: nobody can send it again.
        let mut head = Head::default();
        assert_eq!(head.on_record(link(2)), Arrival::Orphan);
        assert_eq!(head.on_record(skip(1, 9)), Arrival::Orphan);
        assert_eq!(head.on_record(link(0)), Arrival::Advanced);
        assert_eq!((head.head(), head.missing()), (Some((9, hash(9, 0))), None));
        assert_eq!(head.lost().collect::<Vec<_>>(), [(2, 2)]);
        assert_eq!(head.on_record(link(1)), Arrival::Late);
        assert_eq!(head.lost().collect::<Vec<_>>(), [(1, 2)], "in whatever order");
        let rewritten = Link { hash: hash(2, 1), ..link(2) };
        assert!(matches!(head.on_record(rewritten), Arrival::Fork { seq: 2, .. }), "what waited is held");
        // A skip that names another past than is held, behind a record that waits for something else.
        let mut head = Head::default();
        head.on_record(link(7));
        head.on_record(Link { prev: hash(1, 1), ..skip(2, 9) });
        assert_eq!(head.on_record(link(0)), Arrival::Advanced);
        assert!(matches!(head.on_record(link(1)), Arrival::Fork { seq: 1, .. }));
    }

    #[test]
    fn a_key_that_was_replaced_has_no_right_to_a_later_place() {
        let rotation = Link { step: Step::Rotates, ..link(2) };
        let after = |seq| Link { epoch: 1, ..link(seq) };
        let stolen = Link { hash: hash(3, 9), ..link(3) };
        let mut head = Head::default();
        (0..2).for_each(|seq| assert_eq!(head.on_record(link(seq)), Arrival::Advanced));
        assert_eq!(head.on_record(stolen), Arrival::Orphan, "nobody knows of the rotation yet");
        assert_eq!(head.on_record(after(3)), Arrival::Orphan, "the certified key displaces the stolen one");
        assert_eq!(head.on_record(rotation), Arrival::Advanced);
        assert_eq!(head.head(), Some((3, hash(3, 0))));
        assert_eq!(head.on_record(Link { hash: hash(4, 9), ..link(4) }), Arrival::WrongEpoch);
        assert_eq!(head.on_record(after(4)), Arrival::Advanced);
        assert_eq!(head.next_epoch(), Some(1));
    }

    proptest! {
        /// In whatever order records arrive, and however often, the head ends at the same place.
        #[test]
        fn delivery_order_does_not_change_the_end(order in Just((0_u64..60).collect::<Vec<_>>()).prop_shuffle(), again in prop::collection::vec(0_u64..60, 0..40)) {
            // Places 20 to 24 were skipped, 40 rotates the key.
            let nth = |seq: u64| match seq {
                20..=24 => link(0),
                25 => skip(20, 25),
                40 => Link { step: Step::Rotates, ..link(40) },
                41.. => Link { epoch: 1, ..link(seq) },
                _ => link(seq),
            };
            let mut head = Head::default();
            for seq in order.into_iter().chain(again) {
                let arrival = head.on_record(nth(seq));
                let accused = matches!(arrival, Arrival::Fork { .. } | Arrival::WrongEpoch);
                prop_assert!(!accused, "{:?}", arrival);
            }
            prop_assert_eq!(head.head(), Some((59, hash(59, 0))));
            prop_assert_eq!(head.missing(), None);
        }
    }
}
