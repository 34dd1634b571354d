//! PURE file: which members of the group are there, by their beats. The group's clock is our own beats as they come back:
//! who hears everything late holds nobody for gone because of that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Group,
    canary::{DEAF_MS, Others, Why},
};
use crate::evidence::{KeyId, share::Beat};

/// How long a member may be silent before its part is taken over, in milliseconds: five beats.
pub const AWAY_MS: u64 = 5_000;
/// Our own beats under way.
const MOST_UNDER_WAY: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When, by the group's clock.
    at_ms: u64,
    /// Whether it hears its own part, and whether it hears the shared filter.
    holds: bool,
    tries: bool,
    found: Option<Why>,
}

/// How another member is configured otherwise than it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlike {
    /// It has our number.
    Number,
    /// It has another idea of how the work is divided.
    Division,
    /// It signs with another key.
    Key,
}

impl Unlike {
    /// What that means and what to do.
    pub const fn text(self) -> &'static str {
        match self {
            Unlike::Number => {
                "another member of the group has this one's number: give each a `worker` of its own under [share], and a \
                 `client_id` of its own where it is given"
            }
            Unlike::Division => {
                "another member of the group has other `workers` or `by`: write the same for all under [share]"
            }
            Unlike::Key => {
                "another member of the group signs with another key, so that gateways are receipted by two authorities: \
                 stop this group, copy authority.key and authority.key.pub of the member whose key the gateways have into \
                 every member's state folder, and start again"
            }
        }
    }
}

/// The group as one member sees it. Times are uptimes in milliseconds.
#[derive(Debug)]
pub struct Roll {
    group: Group,
    run: u32,
    key: KeyId,
    next: u64,
    under_way: VecDeque<(u64, u64)>,
    began_ms: u64,
    /// When the newest of our beats was sent that has come back, and when it came.
    echo_ms: u64,
    echoed_ms: u64,
    others: BTreeMap<u8, Seen>,
    /// When somebody last was heard who is configured otherwise, by the group's clock.
    unlike: BTreeMap<Unlike, u64>,
}

impl Roll {
    /// The roll of a member that starts.
    pub const fn new(group: Group, run: u32, key: KeyId) -> Roll {
        Roll {
            group,
            run,
            key,
            next: 0,
            under_way: VecDeque::new(),
            began_ms: 0,
            echo_ms: 0,
            echoed_ms: 0,
            others: BTreeMap::new(),
            unlike: BTreeMap::new(),
        }
    }

    /// Beats can be heard from now on; everybody is believed to be there until there was time to hear of them.
    pub fn begin(&mut self, now_ms: u64) {
        (self.began_ms, self.echo_ms, self.echoed_ms) = (now_ms, now_ms, now_ms);
        self.under_way.clear();
        self.others.clear();
        self.unlike.clear();
    }

    /// The next beat's number.
    pub fn beat(&mut self, now_ms: u64) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.under_way.len() == MOST_UNDER_WAY {
            self.under_way.pop_front();
        }
        self.under_way.push_back((number, now_ms));
        number
    }

    /// A beat was heard.
    pub fn on_beat(&mut self, beat: &Beat, now_ms: u64) {
        if (beat.worker, beat.run) == (self.group.worker, self.run) {
            while let Some((number, sent_ms)) = self.under_way.front().copied()
                && number <= beat.number
            {
                (self.echo_ms, self.echoed_ms) = (self.echo_ms.max(sent_ms), now_ms);
                self.under_way.pop_front();
            }
            return;
        }
        let is_alike = (beat.workers, beat.by) == (self.group.workers, self.group.by);
        let unlike = [
            (beat.worker == self.group.worker, Unlike::Number),
            (!is_alike, Unlike::Division),
            (beat.kid.is_some_and(|key| key != self.key), Unlike::Key),
        ];
        let heard_ms = self.echo_ms;
        self.unlike.extend(unlike.into_iter().filter_map(|(is, how)| is.then_some((how, heard_ms))));
        if !is_alike || beat.worker == self.group.worker {
            // Its word on who does what is about another group.
        } else if (1..=self.group.workers).contains(&beat.worker) {
            let Beat { holds, tries, found, .. } = *beat;
            self.others.insert(beat.worker, Seen { at_ms: self.echo_ms, holds, tries, found });
        }
    }

    /// The group's clock: when the newest of our own beats was sent that has come back.
    pub const fn echo_ms(&self) -> u64 {
        self.echo_ms
    }

    /// While our hands are full we hear nobody, and hold that against nobody.
    pub fn excuse(&mut self, now_ms: u64) {
        self.echoed_ms = now_ms;
    }

    /// Members that hear their own parts, and we ourselves.
    pub fn holding(&self, now_ms: u64) -> BTreeSet<u8> {
        self.there(now_ms, |seen| seen.holds)
    }

    /// What is heard of the others.
    pub fn others(&self) -> Others {
        let heard = || self.others.values().filter(|seen| self.echo_ms.saturating_sub(seen.at_ms) < AWAY_MS);
        Others {
            present: heard().next().is_some(),
            trying: heard().any(|seen| seen.tries),
            found: heard().find_map(|seen| seen.found),
        }
    }

    /// Members that are there, and we ourselves.
    pub fn present(&self, now_ms: u64) -> BTreeSet<u8> {
        self.there(now_ms, |_| true)
    }

    fn there(&self, now_ms: u64, counts: impl Fn(&Seen) -> bool) -> BTreeSet<u8> {
        // Who hears not even himself cannot tell who is there: he had better do it all.
        let is_deaf = now_ms.saturating_sub(self.echoed_ms) >= DEAF_MS;
        let since = |at_ms: u64| self.echo_ms.saturating_sub(at_ms) < AWAY_MS;
        let is_there = |worker: &u8| match self.others.get(worker) {
            Some(seen) => since(seen.at_ms) && counts(seen),
            None => since(self.began_ms),
        };
        let others = (1..=self.group.workers).filter(|worker| !is_deaf && is_there(worker));
        others.chain([self.group.worker]).collect()
    }

    /// How somebody of the group is configured otherwise.
    pub fn unlike(&self) -> Option<Unlike> {
        let mut lately =
            self.unlike.iter().filter(|(_, at_ms)| self.echo_ms.saturating_sub(**at_ms) < AWAY_MS);
        lately.next().map(|(how, _)| *how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{Name, place::Level};

    const GROUP: fn(u8) -> Group =
        |worker| Group { name: Name::new("g").unwrap(), worker, workers: 3, by: Level::County };

    const KEY: fn() -> KeyId = || KeyId::from_hex("0123456789abcdef").unwrap();

    fn beat_of(worker: u8, number: u64) -> Beat {
        let (by, found, heard) = (Level::County, Some(Why::Silent), Vec::new());
        let kid = Some(KEY());
        Beat { worker, run: 7, number, workers: 3, by, holds: true, tries: false, kid, found, heard }
    }

    /// A second: our beat, which comes back, and the others'.
    fn second(roll: &mut Roll, now_ms: u64, others: &[Beat]) {
        let number = roll.beat(now_ms);
        roll.on_beat(&beat_of(1, number), now_ms + 5);
        others.iter().for_each(|beat| roll.on_beat(beat, now_ms + 6));
    }

    fn begun() -> Roll {
        let mut roll = Roll::new(GROUP(1), 7, KEY());
        roll.begin(1_000);
        roll
    }

    #[test]
    fn who_was_never_heard_is_gone_after_five_seconds_and_who_falls_silent_too() {
        let mut roll = begun();
        assert_eq!(roll.holding(1_000), BTreeSet::from([1, 2, 3]), "nobody had time to be heard yet");
        for now_ms in (1_000..7_000).step_by(1_000) {
            second(&mut roll, now_ms, &[beat_of(2, now_ms)]);
        }
        assert_eq!(roll.holding(6_100), BTreeSet::from([1, 2]));
        let mut gone = None;
        for now_ms in (7_000..20_000).step_by(1_000) {
            second(&mut roll, now_ms, &[]);
            if gone.is_none() && !roll.holding(now_ms).contains(&2) {
                gone = Some(now_ms);
            }
        }
        assert_eq!(gone, Some(6_000 + AWAY_MS));
        second(&mut roll, 20_000, &[beat_of(2, 0), beat_of(3, 0)]);
        assert_eq!(roll.holding(20_100), BTreeSet::from([1, 2, 3]));
    }

    #[test]
    fn who_is_there_and_does_not_hold_its_part_yet_is_covered_for() {
        let mut roll = begun();
        second(&mut roll, 1_000, &[Beat { holds: false, ..beat_of(2, 0) }]);
        assert_eq!(roll.holding(1_100), BTreeSet::from([1, 3]));
        assert_eq!(roll.present(1_100), BTreeSet::from([1, 2, 3]));
        assert_eq!(roll.others(), Others { present: true, trying: false, found: Some(Why::Silent) });
        second(&mut roll, 2_000, &[Beat { tries: true, ..beat_of(2, 1) }]);
        assert!(roll.others().trying);
    }

    #[test]
    fn who_hears_everything_late_holds_nobody_for_gone_and_who_hears_nothing_takes_it_all() {
        let mut roll = begun();
        second(&mut roll, 1_000, &[beat_of(2, 0), beat_of(3, 0)]);
        // Twenty seconds in which nothing comes, not even our own.
        for now_ms in (2_000..22_000).step_by(1_000) {
            roll.beat(now_ms);
        }
        assert_eq!(roll.holding(22_000), BTreeSet::from([1, 2, 3]));
        assert_eq!(roll.holding(1_005 + DEAF_MS), BTreeSet::from([1]));
        roll.excuse(22_000);
        assert_eq!(roll.holding(1_005 + DEAF_MS), BTreeSet::from([1, 2, 3]), "a full hand is no deaf ear");
    }

    #[test]
    fn two_of_one_number_and_two_sizes_of_one_group_are_noticed() {
        for (how, unlike) in [
            (Unlike::Number, Beat { run: 8, ..beat_of(1, 0) }),
            (Unlike::Division, Beat { workers: 4, ..beat_of(2, 0) }),
            (Unlike::Division, Beat { by: Level::City, ..beat_of(2, 0) }),
        ] {
            let mut roll = begun();
            second(&mut roll, 1_000, &[unlike]);
            assert_eq!(roll.unlike(), Some(how));
            for now_ms in (2_000..9_000).step_by(1_000) {
                second(&mut roll, now_ms, &[]);
            }
            assert!(roll.unlike().is_none() && roll.holding(9_000) == BTreeSet::from([1]));
        }
        // One key more is no reason to do its work too; an earlier version says nothing of its key.
        let other = KeyId::from_hex("0000000000000001");
        for (kid, how) in [(other, Some(Unlike::Key)), (None, None)] {
            let mut roll = begun();
            second(&mut roll, 1_000, &[Beat { kid, ..beat_of(2, 0) }]);
            assert_eq!((roll.unlike(), roll.present(1_000).contains(&2)), (how, true));
        }
        let mut roll = begun();
        roll.on_beat(&beat_of(9, 0), 1_000);
        assert!(!roll.present(1_000).contains(&9), "no such number");
    }
}
