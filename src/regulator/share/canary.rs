//! PURE file: does the broker share? What it grants proves nothing; only canaries that arrive do, each at one member of the
//! group. Found wanting, it is given another chance every [`PROVE_AGAIN_MS`], and whenever another member tries: one alone
//! that is given everything cannot tell sharing from its opposite.

use std::collections::{BTreeSet, VecDeque};

pub use crate::evidence::share::Why;
use crate::{evidence::share::Canary, host::courier::Sharing};

/// Time between two canaries, in milliseconds.
pub const EVERY_MS: u64 = 1_000;
/// How long members have to tell of a canary before it is counted who has heard it, in milliseconds.
pub const TOLD_WITHIN_MS: u64 = 3_000;
/// How long no canary may arrive anywhere before the broker is found not to share, in milliseconds.
pub const SILENT_MS: u64 = 10_000;
/// The same where not even our own beats come back, though the broker did share before, in milliseconds: then we only are
/// far behind, as a rule.
pub const DEAF_MS: u64 = 30_000;
/// Time after which a broker that did not share is tried again, in milliseconds.
pub const PROVE_AGAIN_MS: u64 = 10 * 60 * 1_000;
/// Time after a trial before another member's makes a new one, in milliseconds.
pub const JOIN_AFTER_MS: u64 = 60_000;
/// Canaries by which it is judged how many nobody hears: the last half minute's.
pub const JUDGED: usize = 30;
/// Canaries of [`JUDGED`] that nobody may hear: every tenth. A member that dies takes a few with it; somebody else who is
/// in the group's place takes his part for good, and of the records too.
pub const MOST_UNHEARD: usize = 3;
/// Canaries that one member has heard, and no other, that prove sharing.
const PROOFS: u32 = 2;
/// The same where canaries went missing before: as many as are judged.
const PROOFS_AFTER_A_LEAK: u32 = 30;
/// Canaries in a row that several members have heard that disprove it; one may come again after a lost connection.
const DOUBLES: u32 = 3;
/// Canaries under way; more than fly in [`DEAF_MS`].
const MOST_UNDER_WAY: usize = 64;

/// The code under which everybody is told that the broker does not share.
pub const E_BRK_SHARE: &str = "E-BRK-SHARE";

/// What is known of the broker's sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Unproven,
    /// It shares.
    Proven,
    /// It does not.
    Broken(Why),
}

/// The other members of the group that are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others {
    /// There are any.
    pub present: bool,
    /// Any of them is subscribed to the shared filter.
    pub trying: bool,
    /// What one of them found.
    pub found: Option<Why>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    at_ms: u64,
    hearers: BTreeSet<u8>,
}

/// The canaries of one worker over one connection, and what they have proved. Times are uptimes in milliseconds.
#[derive(Debug)]
pub struct Canaries {
    verdict: Verdict,
    /// The shared filter is subscribed to, or about to be.
    trying: bool,
    /// When to try again, and when it was tried last.
    again_ms: u64,
    tried_ms: u64,
    /// Since when all others that are there leave us alone with the shared filter.
    alone_ms: Option<u64>,
    /// Since when silence counts.
    since_ms: u64,
    next: u64,
    under_way: VecDeque<Flight>,
    proofs: u32,
    doubles: u32,
    /// Whether anybody heard each of the last canaries.
    lately: VecDeque<bool>,
    /// Canaries sent, and of these those that exactly one member heard.
    counts: (u64, u64),
}

impl Canaries {
    /// Nothing is known before there is a broker.
    pub const fn unproven() -> Canaries {
        Canaries {
            verdict: Verdict::Unproven,
            trying: false,
            again_ms: 0,
            tried_ms: 0,
            alone_ms: None,
            since_ms: 0,
            next: 0,
            under_way: VecDeque::new(),
            proofs: 0,
            doubles: 0,
            lately: VecDeque::new(),
            counts: (0, 0),
        }
    }

    /// A broker is there; nothing that was known of another connection is believed.
    pub fn begin(&mut self, sharing: Sharing, now_ms: u64) {
        self.try_again(now_ms);
        self.verdict = match sharing {
            Sharing::Offered => Verdict::Unproven,
            Sharing::Withheld => Verdict::Broken(Why::Withheld),
            Sharing::Unknown => Verdict::Broken(Why::Old),
        };
        if self.verdict != Verdict::Unproven {
            (self.trying, self.again_ms) = (false, u64::MAX);
        }
    }

    fn try_again(&mut self, now_ms: u64) {
        (self.trying, self.since_ms, self.alone_ms) = (true, now_ms, None);
        (self.proofs, self.doubles) = (0, 0);
        self.under_way.clear();
        self.lately.clear();
    }

    /// Another member has come or gone: what it took with it is not held against the broker.
    pub fn excuse(&mut self) {
        self.under_way.clear();
        self.lately.clear();
    }

    /// What is known.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Whether the shared filter is to be subscribed to.
    pub const fn is_trying(&self) -> bool {
        self.trying
    }

    /// Canaries sent, and of these those that exactly one member heard.
    pub const fn counts(&self) -> (u64, u64) {
        self.counts
    }

    /// The broker has refused the shared filter.
    pub fn on_withheld(&mut self, now_ms: u64) {
        self.broken(Why::Withheld, now_ms);
    }

    /// The next canary's number.
    pub fn fly(&mut self, now_ms: u64) -> u64 {
        let number = self.next;
        (self.next, self.counts.0) = (number + 1, self.counts.0 + 1);
        if self.under_way.len() == MOST_UNDER_WAY {
            self.under_way.pop_front();
        }
        self.under_way.push_back(Flight { number, at_ms: now_ms, hearers: BTreeSet::new() });
        number
    }

    /// A member tells that it was given this canary of ours.
    pub fn on_heard(&mut self, canary: Canary, by: u8) {
        let of = |flight: &&mut Flight| flight.number == canary.number;
        if let Some(flight) = self.under_way.iter_mut().find(of) {
            flight.hearers.insert(by);
        }
    }

    /// Looks at what has been told. `echo_ms` is when the newest of our own beats was sent that has come back: how late we
    /// hear everything. While we are `full` nothing reaches us, and silence proves nothing.
    pub fn judge(&mut self, now_ms: u64, echo_ms: u64, full: bool, others: Others) {
        if !self.trying {
            let may_join = self.again_ms < u64::MAX && now_ms >= self.tried_ms + JOIN_AFTER_MS;
            if now_ms >= self.again_ms || (others.trying && may_join) {
                self.try_again(now_ms);
            }
            return;
        }
        if full {
            self.since_ms = now_ms;
            self.under_way.clear();
            return;
        }
        let is_alone = others.present && !others.trying;
        self.count(echo_ms, is_alone);
        self.alone_ms = self.alone_ms.or(Some(echo_ms)).filter(|_| is_alone);
        if let Some(why) = others.found
            && self.alone_ms.is_some_and(|alone_ms| echo_ms.saturating_sub(alone_ms) >= TOLD_WITHIN_MS)
        {
            self.broken(why, now_ms);
            return;
        }
        let deaf_ms = if self.verdict == Verdict::Proven { DEAF_MS } else { SILENT_MS + TOLD_WITHIN_MS };
        let leaked = self.verdict == Verdict::Broken(Why::Leaky);
        let proofs = if leaked { PROOFS_AFTER_A_LEAK } else { PROOFS };
        if self.doubles >= DOUBLES {
            self.broken(Why::Doubled, now_ms);
        } else if self.leaks() {
            self.broken(Why::Leaky, now_ms);
        } else if self.proofs >= proofs {
            self.verdict = Verdict::Proven;
        }
        let heard_late = echo_ms.saturating_sub(self.since_ms) >= SILENT_MS + TOLD_WITHIN_MS;
        if self.trying && (heard_late || now_ms.saturating_sub(self.since_ms) >= deaf_ms) {
            self.broken(Why::Silent, now_ms);
        }
    }

    /// Whether too many canaries are heard by nobody though others are; where none is, the broker is silent.
    fn leaks(&self) -> bool {
        let unheard = self.lately.iter().filter(|heard| !**heard).count();
        self.lately.back() == Some(&true) && unheard > MOST_UNHEARD
    }

    /// Counts who has heard what flew long enough ago. What only we could hear proves nothing while there are others.
    fn count(&mut self, echo_ms: u64, is_alone: bool) {
        while let Some(flight) = self.under_way.front()
            && flight.at_ms + TOLD_WITHIN_MS <= echo_ms
        {
            if self.lately.len() == JUDGED {
                self.lately.pop_front();
            }
            self.lately.push_back(!flight.hearers.is_empty());
            match flight.hearers.len() {
                0 => {}
                1 => {
                    (self.proofs, self.doubles) = (self.proofs + u32::from(!is_alone), 0);
                    (self.since_ms, self.counts.1) = (self.since_ms.max(flight.at_ms), self.counts.1 + 1);
                }
                _ => (self.proofs, self.doubles) = (0, self.doubles + 1),
            }
            self.under_way.pop_front();
        }
    }

    fn broken(&mut self, why: Why, now_ms: u64) {
        self.verdict = Verdict::Broken(why);
        (self.trying, self.again_ms, self.tried_ms) = (false, now_ms + PROVE_AGAIN_MS, now_ms);
        self.excuse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Others = Others { present: false, trying: false, found: None };
    const TRYING: Others = Others { present: true, trying: true, found: None };

    /// What a broker does with each canary: whom it gives it to.
    type Delivers = fn(u64) -> &'static [u8];

    /// Second by second until the verdict is this; tells when that was.
    fn until(canaries: &mut Canaries, from_ms: u64, delivers: Delivers, wanted: Verdict) -> Option<u64> {
        for now_ms in (from_ms..from_ms + 60_000).step_by(1_000) {
            canaries.judge(now_ms, now_ms.saturating_sub(100), false, TRYING);
            if canaries.verdict() == wanted {
                return Some(now_ms - from_ms);
            }
            if canaries.is_trying() {
                let number = canaries.fly(now_ms);
                let canary = Canary { worker: 1, run: 7, number };
                delivers(number).iter().for_each(|by| canaries.on_heard(canary, *by));
            }
        }
        None
    }

    fn fresh() -> Canaries {
        let mut canaries = Canaries::unproven();
        canaries.begin(Sharing::Offered, 1_000);
        canaries
    }

    #[test]
    fn each_kind_of_broker_is_found_out_within_its_limit() {
        let kinds: [(Delivers, Verdict, u64); 5] = [
            (|number| [&[1][..], &[2], &[3]][(number % 3) as usize], Verdict::Proven, 5_000),
            // One of three was killed, and the broker keeps its part for it.
            (|number| [&[1][..], &[], &[3]][(number % 3) as usize], Verdict::Proven, 6_000),
            (|_| &[], Verdict::Broken(Why::Silent), SILENT_MS + TOLD_WITHIN_MS + 1_000),
            (|_| &[1, 2, 3], Verdict::Broken(Why::Doubled), 7_000),
            // A lost connection makes a canary come twice, which proves nothing.
            (|number| if number % 3 == 0 { &[1, 2] } else { &[2] }, Verdict::Proven, 6_000),
        ];
        for (delivers, wanted, within_ms) in kinds {
            let took = until(&mut fresh(), 1_000, delivers, wanted);
            assert!(took.is_some_and(|took| took <= within_ms), "{wanted:?}: {took:?}");
        }
    }

    #[test]
    fn a_broker_that_says_no_needs_no_canary_and_is_not_asked_again() {
        for (sharing, why) in [(Sharing::Withheld, Why::Withheld), (Sharing::Unknown, Why::Old)] {
            let mut canaries = fresh();
            canaries.begin(sharing, 5_000);
            assert_eq!((canaries.verdict(), canaries.is_trying()), (Verdict::Broken(why), false));
            canaries.judge(5_000 + PROVE_AGAIN_MS, 0, false, TRYING);
            assert!(!canaries.is_trying());
        }
    }

    #[test]
    fn sharing_is_proven_again_and_again_and_its_end_is_noticed() {
        let mut canaries = fresh();
        until(&mut canaries, 1_000, |_| &[2], Verdict::Proven).unwrap();
        assert_eq!(until(&mut canaries, 10_000, |_| &[2], Verdict::Broken(Why::Silent)), None);
        let silent = until(&mut canaries, 70_000, |_| &[], Verdict::Broken(Why::Silent)).unwrap();
        assert!(silent <= SILENT_MS + 2 * TOLD_WITHIN_MS, "{silent}");
        // Later it has mended itself.
        let later = 70_000 + silent + PROVE_AGAIN_MS;
        assert!(!canaries.is_trying());
        assert!(until(&mut canaries, later, |_| &[2], Verdict::Proven).unwrap() <= 6_000);
    }

    #[test]
    fn canaries_that_somebody_else_takes_are_not_made_good_by_those_that_arrive() {
        // An intruder in a group of three, and one in a group of seven.
        let takes: [Delivers; 2] = [
            |number| [&[1][..], &[2], &[3], &[]][(number % 4) as usize],
            |number| [&[1][..], &[2], &[3], &[4], &[5], &[6], &[7], &[]][(number % 8) as usize],
        ];
        for delivers in takes {
            let mut canaries = fresh();
            until(&mut canaries, 1_000, delivers, Verdict::Proven).unwrap();
            let found = until(&mut canaries, 6_000, delivers, Verdict::Broken(Why::Leaky)).unwrap();
            assert!(found <= 30_000 + TOLD_WITHIN_MS, "{found}");
            // The next trial proves nothing as long as he is there, and all of it once he is gone.
            let later = 6_000 + found + PROVE_AGAIN_MS;
            assert_eq!(until(&mut canaries, later, delivers, Verdict::Proven), None);
            assert_eq!(canaries.verdict(), Verdict::Broken(Why::Leaky));
            let later = later + 60_000 + PROVE_AGAIN_MS;
            let proven = until(&mut canaries, later, |_| &[2], Verdict::Proven).unwrap();
            assert!(proven >= 30_000, "{proven}");
        }
        // What a member took with it when it died is no leak.
        let mut canaries = fresh();
        until(&mut canaries, 1_000, |_| &[2], Verdict::Proven).unwrap();
        let dies: Delivers = |number| if (10..13).contains(&number) { &[] } else { &[2] };
        assert_eq!(until(&mut canaries, 6_000, dies, Verdict::Broken(Why::Leaky)), None);
    }

    #[test]
    fn one_alone_with_the_shared_filter_proves_nothing_and_a_trial_is_made_together() {
        let divided = Others { present: true, trying: false, found: Some(Why::Doubled) };
        let run = |canaries: &mut Canaries, from_ms: u64, others: Others| {
            for now_ms in (from_ms..from_ms + 20_000).step_by(1_000) {
                canaries.judge(now_ms, now_ms - 100, false, others);
                if canaries.is_trying() {
                    let number = canaries.fly(now_ms);
                    canaries.on_heard(Canary { worker: 1, run: 7, number }, 1);
                }
            }
            canaries.verdict()
        };
        let mut canaries = fresh();
        assert_eq!(run(&mut canaries, 1_000, divided), Verdict::Broken(Why::Doubled));
        // Another one tries: too soon after the last trial, and then together.
        assert_eq!(run(&mut canaries, 21_000, TRYING), Verdict::Broken(Why::Doubled));
        assert_eq!(run(&mut canaries, 1_000 + TOLD_WITHIN_MS + JOIN_AFTER_MS, TRYING), Verdict::Proven);
        assert_eq!(run(&mut fresh(), 1_000, NOBODY), Verdict::Proven, "there is nobody to share with");
    }

    #[test]
    fn whoever_cannot_hear_does_not_hold_it_against_the_broker() {
        let mut canaries = fresh();
        until(&mut canaries, 1_000, |_| &[2], Verdict::Proven).unwrap();
        // A store that is away: our hands are full for an hour.
        for now_ms in (10_000..3_610_000).step_by(1_000) {
            canaries.fly(now_ms);
            canaries.judge(now_ms, 9_000, true, TRYING);
        }
        assert_eq!(canaries.verdict(), Verdict::Proven);
        // A backlog: everything comes twenty seconds late.
        for now_ms in (3_610_000..3_635_000).step_by(1_000) {
            canaries.fly(now_ms);
            canaries.judge(now_ms, now_ms - 20_000, false, TRYING);
        }
        assert_eq!(canaries.verdict(), Verdict::Proven);
        // But who hears nothing at all for long, is no member.
        for now_ms in (3_635_000..3_660_000).step_by(1_000) {
            canaries.judge(now_ms, 3_614_000, false, TRYING);
        }
        assert_eq!(canaries.verdict(), Verdict::Broken(Why::Silent));
    }
}
