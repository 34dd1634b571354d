//! A group over brokers of every kind, in virtual time.

use proptest::prelude::*;

use super::{canary::Why, presence::AWAY_MS, *};
use crate::{
    evidence::{KeyId, share::SHARE_TOPIC},
    regulator::serve::TAKEN_OVER_MS,
};

/// What a broker does with shared filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shares,
    /// As rumqttd: whoever gives up any filter is out of every group.
    SharesAndForgets,
    Silent,
    Doubles,
    Withholds,
    Refuses,
    Old,
}

const KINDS: [Kind; 7] = [
    Kind::Shares,
    Kind::SharesAndForgets,
    Kind::Silent,
    Kind::Doubles,
    Kind::Withholds,
    Kind::Refuses,
    Kind::Old,
];

impl Kind {
    /// What the broker says of shared filters when a member connects.
    fn says(self) -> Sharing {
        match self {
            Kind::Old => Sharing::Unknown,
            Kind::Withholds => Sharing::Withheld,
            Kind::Shares | Kind::SharesAndForgets | Kind::Silent | Kind::Doubles | Kind::Refuses => {
                Sharing::Offered
            }
        }
    }

    fn wanted(self) -> Verdict {
        match self {
            Kind::Shares | Kind::SharesAndForgets => Verdict::Proven,
            Kind::Silent => Verdict::Broken(Why::Silent),
            Kind::Doubles => Verdict::Broken(Why::Doubled),
            Kind::Withholds | Kind::Refuses => Verdict::Broken(Why::Withheld),
            Kind::Old => Verdict::Broken(Why::Old),
        }
    }
}

struct World {
    kind: Kind,
    now_ms: u64,
    run: u32,
    members: Vec<Option<(Member, BTreeSet<String>)>>,
    turn: usize,
}

/// Time between two looks, in milliseconds.
const STEP_MS: u64 = 200;

impl World {
    fn of(kind: Kind, workers: u8) -> World {
        let mut world = World { kind, now_ms: 1_000, run: 0, members: Vec::new(), turn: 0 };
        (0..workers).for_each(|_| world.members.push(None));
        (1..=workers).for_each(|worker| world.start(worker));
        world
    }

    fn start(&mut self, worker: u8) {
        let workers = u8::try_from(self.members.len()).unwrap();
        let group = Group { name: Name::new("g").unwrap(), worker, workers, by: Level::County };
        self.run += 1;
        let mut member = Member::new(group, self.run, KeyId::from_hex("0123456789abcdef").unwrap());
        member.on_connected(self.kind.says());
        let filters = member.filters().into_iter().collect();
        member.on_subscribed(self.now_ms);
        self.members[usize::from(worker) - 1] = Some((member, filters));
    }

    fn kill(&mut self, worker: u8) {
        self.members[usize::from(worker) - 1] = None;
    }

    /// Numbers of members that a message goes to.
    fn hearers(&mut self, topic: &str) -> Vec<usize> {
        let (mut plain, mut shared) = (Vec::new(), Vec::new());
        for (at, member) in self.members.iter().enumerate() {
            let Some((_, filters)) = member else { continue };
            for filter in filters {
                match filter.strip_prefix("$share/g/") {
                    Some(filter) if matches(filter, topic) => shared.push(at),
                    None if matches(filter, topic) => plain.push(at),
                    Some(_) | None => {}
                }
            }
        }
        match self.kind {
            Kind::Shares | Kind::SharesAndForgets => {
                self.turn += 1;
                plain.extend(shared.get(self.turn % shared.len().max(1)));
            }
            Kind::Doubles => plain.extend(shared),
            Kind::Silent | Kind::Withholds | Kind::Refuses | Kind::Old => {}
        }
        plain
    }

    fn on_send(&mut self, at: usize, send: Send) {
        let now_ms = self.now_ms;
        let Some((member, filters)) = &mut self.members[at] else { return };
        match send {
            Send::Subscribe { tag, filters: new } => {
                let is_refused = self.kind == Kind::Refuses && new[0].starts_with(SHARED);
                if !is_refused {
                    filters.extend(new);
                }
                member.on_granted(tag, !is_refused, now_ms);
            }
            Send::Unsubscribe(old) => {
                let forgets = self.kind == Kind::SharesAndForgets;
                filters.retain(|filter| !(old.contains(filter) || forgets && filter.starts_with(SHARED)));
            }
            Send::Publish { tag, topic, payload, retain } => {
                assert!(tag == TAG && !retain && topic.starts_with(SHARE_TOPIC), "{topic}");
                for hearer in self.hearers(&topic) {
                    let Some((member, _)) = &mut self.members[hearer] else { continue };
                    member.on_message(&topic, &payload, now_ms);
                }
            }
            Send::Tell { .. } | Send::Took(_) | Send::Again | Send::Stop => {
                panic!("a member says no such thing")
            }
        }
    }

    fn run_for(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        while self.now_ms < until_ms {
            self.now_ms += STEP_MS;
            for at in 0..self.members.len() {
                // The broker answers at once, and the member goes on at once.
                while let Some((member, _)) = &mut self.members[at] {
                    member.turn(self.now_ms, false);
                    let sends: Vec<Send> = std::iter::from_fn(|| member.next_send()).collect();
                    if sends.is_empty() {
                        break;
                    }
                    sends.into_iter().for_each(|send| self.on_send(at, send));
                }
            }
        }
    }

    /// The fewest and the most members that a record goes to, over all parts.
    fn heard_by(&mut self) -> (usize, usize) {
        let counts: Vec<usize> = (0..division::PARTS).map(|part| self.hearers(&record(part)).len()).collect();
        (*counts.iter().min().unwrap(), *counts.iter().max().unwrap())
    }

    /// The members that a record goes to, for each part.
    fn heard(&mut self) -> Vec<BTreeSet<usize>> {
        (0..division::PARTS).map(|part| self.hearers(&record(part)).into_iter().collect()).collect()
    }

    /// The members that a record of each part should go to where all agree on who is there: the one who takes it; and, over a
    /// broker that offers no sharing, so that no canary flies, those who take more parts than may be named, and hear everything.
    fn to_be_heard(&self) -> Vec<BTreeSet<usize>> {
        let there: BTreeSet<u8> = (1..)
            .zip(&self.members)
            .filter_map(|(worker, member)| member.is_some().then_some(worker))
            .collect();
        let workers = u8::try_from(self.members.len()).unwrap();
        let takers: Vec<u8> =
            (0..division::PARTS).map(|part| division::taker(part, workers, &there).unwrap()).collect();
        let hears_all = |worker: u8| {
            let taken = takers.iter().filter(|taker| **taker == worker).count();
            self.kind.says() != Sharing::Offered && taken > division::MOST_FILTERS
        };
        let heard = |taker: u8| there.iter().filter(move |worker| **worker == taker || hears_all(**worker));
        takers.iter().map(|taker| heard(*taker).map(|worker| usize::from(*worker) - 1).collect()).collect()
    }

    fn shown(&self) -> Vec<Shown> {
        self.members.iter().flatten().map(|(member, _)| member.shown()).collect()
    }
}

fn record(part: u8) -> String {
    format!("coldhearth/v1/13/04/{part:02}/91350100M000100Y43/gw-1/_/attest")
}

fn matches(filter: &str, topic: &str) -> bool {
    let (parts, levels): (Vec<&str>, Vec<&str>) = (filter.split('/').collect(), topic.split('/').collect());
    parts.len() == levels.len()
        && parts.iter().zip(levels).all(|(part, level)| *part == "+" || *part == level)
}

/// Time in which a broker is found out and everything subscribed to, in milliseconds.
const SETTLED_MS: u64 = canary::SILENT_MS + 2 * canary::TOLD_WITHIN_MS;

#[test]
fn over_every_kind_of_broker_each_record_comes_to_exactly_one() {
    for kind in KINDS {
        for workers in [1, 2, 3, 7] {
            if workers == 1 && kind == Kind::Doubles {
                // One alone cannot tell, and need not.
                continue;
            }
            let mut world = World::of(kind, workers);
            world.run_for(SETTLED_MS);
            for shown in world.shown() {
                assert_eq!((shown.verdict, shown.hears), (kind.wanted(), true), "{kind:?} {workers}");
                assert_eq!(shown.present, (u64::from(workers), u64::from(workers)));
                assert!(
                    shown.unlike.is_none() && shown.fallbacks == u64::from(kind.wanted() != Verdict::Proven)
                );
            }
            assert_eq!(world.heard_by(), (1, 1), "{kind:?} {workers}");
            let parts: u64 = world.shown().iter().map(|shown| shown.parts).sum();
            assert_eq!(parts, if kind.wanted() == Verdict::Proven { 0 } else { 100 });
        }
    }
}

#[test]
fn a_dead_members_part_is_taken_within_ten_seconds_and_given_back() {
    for kind in KINDS {
        let mut world = World::of(kind, 3);
        world.run_for(SETTLED_MS);
        world.kill(2);
        let mut took_ms = 0;
        while world.heard_by().0 == 0 {
            world.run_for(STEP_MS);
            took_ms += STEP_MS;
        }
        let limit_ms = if kind.wanted() == Verdict::Proven { 0 } else { AWAY_MS + 2 * EVERY_MS };
        assert!(took_ms <= limit_ms && limit_ms <= TAKEN_OVER_MS, "{kind:?}: {took_ms} ms");
        world.run_for(SETTLED_MS);
        assert_eq!(world.heard_by(), (1, 1), "{kind:?}: two share what three did");
        world.start(2);
        for _ in 0..SETTLED_MS / STEP_MS {
            world.run_for(STEP_MS);
            assert!(world.heard_by().0 >= 1, "{kind:?}: given back only when it is held");
        }
        world.run_for(EVERY_MS);
        assert_eq!(world.heard_by(), (1, 1), "{kind:?}");
    }
}

#[test]
fn a_broker_that_ceases_to_share_is_noticed_and_one_that_learns_it_too() {
    let mut world = World::of(Kind::Shares, 3);
    world.run_for(SETTLED_MS);
    world.kind = Kind::Silent;
    world.run_for(SETTLED_MS);
    assert!(world.shown().iter().all(|shown| shown.verdict == Verdict::Broken(Why::Silent)));
    assert_eq!(world.heard_by(), (1, 1));
    world.kind = Kind::SharesAndForgets;
    world.run_for(canary::PROVE_AGAIN_MS);
    assert!(world.heard_by().0 >= 1);
    world.run_for(SETTLED_MS);
    assert!(world.shown().iter().all(|shown| shown.verdict == Verdict::Proven && shown.parts == 0));
    assert_eq!(world.heard_by(), (1, 1));
}

/// The third's 33 parts make 51 of the first's 34: one more than an old broker is asked for by name.
#[test]
fn of_three_over_an_old_broker_one_hears_everything_when_another_is_gone_and_no_longer_when_it_is_back() {
    let mut world = World::of(Kind::Old, 3);
    world.kill(3);
    world.run_for(2 * SETTLED_MS);
    let parts = |world: &World| world.shown().iter().map(|shown| shown.parts).collect::<Vec<_>>();
    assert_eq!(parts(&world), [100, 49]);
    assert_eq!(world.heard(), world.to_be_heard());
    world.start(3);
    world.run_for(2 * SETTLED_MS);
    assert_eq!((parts(&world), world.heard_by()), (vec![34, 33, 33], (1, 1)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_dies_and_comes_back_each_record_comes_to_exactly_one_in_the_end(
        kind in prop::sample::select(&KINDS),
        workers in 2..=5_u8,
        events in prop::collection::vec((1..=5_u8, any::<bool>(), 0..20_000_u64), 1..8),
    ) {
        let mut world = World::of(kind, workers);
        for (worker, dies, then_ms) in events {
            if worker <= workers {
                if dies { world.kill(worker) } else { world.start(worker) }
            }
            world.run_for(then_ms);
        }
        prop_assume!(world.members.iter().flatten().count() > usize::from(kind == Kind::Doubles));
        world.run_for(2 * SETTLED_MS);
        let heard = world.heard();
        if kind.wanted() != Verdict::Proven {
            prop_assert_eq!(&heard, &world.to_be_heard(), "{:?}", kind);
        }
        let once = kind.says() != Sharing::Offered || heard.iter().all(|by| by.len() == 1);
        prop_assert!(once, "{:?}: {:?}", kind, heard);
        prop_assert!(world.shown().iter().all(|shown| shown.verdict == kind.wanted()));
    }
}

#[test]
fn a_name_that_was_taken_over_is_told_as_a_number_given_twice_though_the_other_is_never_heard() {
    let mut world = World::of(Kind::Shares, 1);
    let (member, _) = world.members[0].as_mut().unwrap();
    assert_eq!(member.shown().unlike, None);
    member.on_taken_over(2_000);
    member.on_lost();
    member.on_connected(Sharing::Offered);
    member.on_subscribed(30_000);
    member.turn(30_000, false);
    assert_eq!(member.shown().unlike, Some(Unlike::Number));
    member.turn(2_000 + TAKEN_OVER_TOLD_MS, false);
    assert_eq!(member.shown().unlike, None);
}
