use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::{
    evidence::{Ed25519, LogId},
    regulator::{
        alarms::{Cause, Condition, Event, Shown, Way, log::verify, pager::CLAIM_MS},
        store::{Alarms as _, Batch, SqliteStore},
    },
    terms::place::{Division, Level},
};

const NOW: i64 = 1_795_800_000_000;

/// A store in a folder of its own, which goes with it.
struct Files(SqliteStore, PathBuf);

impl Files {
    fn new(name: &str) -> Files {
        let folder = std::env::temp_dir().join(format!("coldhearth-office-{name}-{}", std::process::id()));
        let _none = std::fs::remove_dir_all(&folder);
        Files(SqliteStore::open(&folder).unwrap(), folder)
    }

    /// A record says that something is the matter, or is not.
    fn hears(&mut self, seq: u64, shown: Shown, received_unix_ms: i64) {
        let condition = Condition {
            cause: Cause::Violation,
            gateway: GatewayId::new("gw-1").unwrap(),
            log: LogId(5),
            seq,
            subject: Name::new("eaf-2"),
            shown,
            at_unix_ms: received_unix_ms,
            received_unix_ms,
            hash: Digest::of(&seq.to_be_bytes()),
        };
        let turns = self.0.begin(&BTreeSet::new()).unwrap();
        self.0.commit(&Batch { turns, conditions: vec![condition], ..Batch::default() }).unwrap();
    }

    fn events(&mut self) -> Vec<Event> {
        let steps = self.0.steps_after(0, 1_000).unwrap();
        steps.iter().map(|kept| Entry::own(&kept.bytes).unwrap().step.event).collect()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.1);
    }
}

fn key() -> Ed25519 {
    Ed25519::from_seed(&[9; 32])
}

fn office() -> Office {
    let desk = Receiver {
        name: Name::new("desk").unwrap(),
        division: Division::NATION,
        hears: Level::County,
        kinds: Kind::ALL.to_vec(),
        way: Way::Mqtt,
    };
    Office::of(vec![desk], None).unwrap()
}

fn round(office: &mut Office, kept: &mut Files, now: i64) -> Vec<Outgoing> {
    let (mut sealer, key) = (Sealer::default(), key());
    office.round(&mut kept.0, (&mut sealer, &key), true, now).unwrap()
}

#[test]
fn what_a_record_says_is_kept_signed_told_and_survives_a_restart() {
    let mut kept = Files::new("restart");
    let mut first = office();
    assert!(round(&mut first, &mut kept, NOW).is_empty());
    kept.hears(7, Shown::Active, NOW + 1_000);
    assert!(round(&mut first, &mut kept, NOW + 5_000).is_empty());
    assert_eq!(kept.events(), [Event::Raise]);
    assert!(kept.0.waiting(None, 10).unwrap().is_empty(), "it was looked at");
    // It ends before anybody was told, and another goes on.
    let mut second = office();
    assert!(round(&mut second, &mut kept, NOW + 10_000).is_empty());
    assert!(second.board().alarms().eq(first.board().alarms()));
    let told = round(&mut second, &mut kept, NOW + 40_000);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].topic, "coldhearth/v1/alarms/desk/violation");
    let json: serde_json::Value = serde_json::from_slice(&told[0].bytes).unwrap();
    assert_eq!((json["kind"].as_str(), json["standing"].as_u64()), (Some("violation"), Some(1)));
    // The broker takes it; whoever comes after that tells it no second time.
    second.published(&[told[0].topic.clone()]);
    assert!(round(&mut second, &mut kept, NOW + 45_000).is_empty());
    assert_eq!(second.numbers().told, 1);
    let mut third = office();
    for later in [50_000, 400_000, 4_000_000] {
        assert!(round(&mut third, &mut kept, NOW + later).is_empty() || later > 3_600_000);
    }
    let checked = verify(&mut kept.0, &key().public_key()).unwrap();
    assert!(checked.wrong.is_empty() && checked.steps >= 1, "{checked:?}");
}

#[test]
fn while_the_broker_is_away_nothing_is_piled_up_for_it() {
    let mut kept = Files::new("away");
    let mut office = office();
    round(&mut office, &mut kept, NOW);
    kept.hears(7, Shown::Active, NOW + 1_000);
    let (mut sealer, key) = (Sealer::default(), key());
    for later in (5_000..3_600_000).step_by(5_000) {
        let told = office.round(&mut kept.0, (&mut sealer, &key), false, NOW + later).unwrap();
        assert!(told.is_empty());
    }
    let back = round(&mut office, &mut kept, NOW + 3_600_000);
    assert!(back.iter().any(|outgoing| outgoing.topic.ends_with("/violation")), "{back:?}");
}

#[test]
fn an_older_record_that_comes_late_changes_nothing() {
    let mut kept = Files::new("late");
    let mut office = office();
    round(&mut office, &mut kept, NOW);
    kept.hears(7, Shown::Active, NOW + 1_000);
    round(&mut office, &mut kept, NOW + 5_000);
    kept.hears(6, Shown::Clear, NOW + 6_000);
    round(&mut office, &mut kept, NOW + 10_000);
    assert_eq!(kept.events(), [Event::Raise]);
    kept.hears(8, Shown::Latched, NOW + 11_000);
    kept.hears(9, Shown::Clear, NOW + 11_000);
    round(&mut office, &mut kept, NOW + 15_000);
    assert_eq!(kept.events(), [Event::Raise, Event::Clear]);
    // What was never the matter leaves nothing.
    let other = Condition {
        cause: Cause::Tamper,
        gateway: GatewayId::new("gw-2").unwrap(),
        log: LogId(6),
        seq: 1,
        subject: None,
        shown: Shown::Clear,
        at_unix_ms: NOW,
        received_unix_ms: NOW,
        hash: Digest::ZERO,
    };
    let turns = kept.0.begin(&BTreeSet::new()).unwrap();
    kept.0.commit(&Batch { turns, conditions: vec![other], ..Batch::default() }).unwrap();
    assert!(kept.0.waiting(None, 10).unwrap().is_empty());
}

#[test]
fn a_person_and_two_collectors_write_one_log() {
    let mut kept = Files::new("several");
    let (mut one, mut other) = (office(), office());
    round(&mut one, &mut kept, NOW);
    round(&mut other, &mut kept, NOW);
    kept.hears(7, Shown::Active, NOW + 1_000);
    round(&mut one, &mut kept, NOW + 5_000);
    round(&mut other, &mut kept, NOW + 5_000);
    assert_eq!(kept.events(), [Event::Raise], "one of them raised it");
    let id = one.board().alarms().next().unwrap().id;
    let hand = Hand::new("wang", "on my way").unwrap();
    let done = act(
        &mut kept.0,
        &key(),
        &[(id, None), (AlarmId::FIRST, None)],
        (Deed::Acknowledge, &hand),
        NOW + 6_000,
    )
    .unwrap();
    assert!(done[&id].as_ref().is_ok_and(|alarm| alarm.hand.as_ref() == Some(&hand)));
    assert_eq!(done[&AlarmId::FIRST], Err(Refused::Unknown));
    kept.hears(8, Shown::Latched, NOW + 7_000);
    round(&mut other, &mut kept, NOW + 10_000);
    round(&mut one, &mut kept, NOW + 10_000);
    assert_eq!(kept.events(), [Event::Raise, Event::Acknowledge, Event::Settle]);
    assert!(one.board().alarms().eq(other.board().alarms()));
    let checked = verify(&mut kept.0, &key().public_key()).unwrap();
    assert_eq!((checked.steps, checked.wrong), (3, Vec::<String>::new()));
}

#[test]
fn nobody_acknowledges_what_has_happened_since_he_looked() {
    let mut kept = Files::new("seen");
    let mut office = office();
    round(&mut office, &mut kept, NOW);
    kept.hears(7, Shown::Latched, NOW + 1_000);
    round(&mut office, &mut kept, NOW + 5_000);
    let seen = office.board().alarms().next().unwrap().clone();
    // It draws again, and he has the page of before.
    kept.hears(8, Shown::Active, NOW + 6_000);
    round(&mut office, &mut kept, NOW + 10_000);
    let hand = Hand::new("wang", "it rests").unwrap();
    for (at, is_done) in [(Some(seen.changed_unix_ms), false), (Some(NOW + 10_000), true)] {
        let deed = (Deed::Acknowledge, &hand);
        let done = act(&mut kept.0, &key(), &[(seen.id, at)], deed, NOW + 11_000).unwrap();
        assert_eq!(done[&seen.id].is_ok(), is_done, "{done:?}");
        assert!(is_done || done[&seen.id] == Err(Refused::Changed));
    }
}

#[test]
fn of_two_collectors_one_tells() {
    let mut kept = Files::new("tells");
    let (mut one, mut other) = (office(), office());
    round(&mut one, &mut kept, NOW);
    round(&mut other, &mut kept, NOW);
    kept.hears(7, Shown::Active, NOW + 1_000);
    round(&mut one, &mut kept, NOW + 5_000);
    round(&mut other, &mut kept, NOW + 5_000);
    let mut told = 0;
    for later in (10_000..120_000).step_by(5_000) {
        told += round(&mut one, &mut kept, NOW + later).len();
        told += round(&mut other, &mut kept, NOW + later).len();
    }
    assert_eq!(told, 1);
}

#[test]
fn a_log_that_was_written_to_behind_our_back_is_found_out() {
    let mut kept = Files::new("forged");
    let mut office = office();
    round(&mut office, &mut kept, NOW);
    kept.hears(7, Shown::Active, NOW + 1_000);
    round(&mut office, &mut kept, NOW + 5_000);
    let alarm = kept.0.alarm(office.board().alarms().next().unwrap().id).unwrap().unwrap();
    let quiet = Alarm { hand: Hand::new("nobody", "nothing"), ..alarm };
    let batch = AlarmBatch { after: 1, alarms: vec![quiet], ..AlarmBatch::default() };
    assert!(kept.0.keep_alarms(&batch).unwrap());
    assert_eq!(verify(&mut kept.0, &key().public_key()).unwrap().wrong.len(), 1);
    // Nothing is kept over a log that has grown.
    let stale =
        AlarmBatch { after: 0, alarms: Vec::new(), over: vec![AlarmId::FIRST], ..AlarmBatch::default() };
    assert!(!kept.0.keep_alarms(&stale).unwrap());
}

/// When a collector is killed: never, before its notification has left, or before it knows that that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    Never,
    BeforeItLeft,
    BeforeItKnew,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// A collector that is killed anywhere between a step and its notification: a receiver is told once, and once more for
    /// each time at most, and never not at all.
    #[test]
    fn whoever_is_killed_on_the_way_has_it_told_again_and_never_not_at_all(
        kills in proptest::collection::vec(
            prop_oneof![Just(Killed::Never), Just(Killed::BeforeItLeft), Just(Killed::BeforeItKnew)], 0..6),
        pause in 0..CLAIM_MS,
    ) {
        let mut kept = Files::new("killed");
        let mut one = office();
        round(&mut one, &mut kept, NOW);
        kept.hears(7, Shown::Active, NOW + 1_000);
        let (mut kills, mut told, mut deaths) = (kills.into_iter(), 0, 0);
        let mut now = NOW + 5_000 + pause;
        for _ in 0..300 {
            let leaving = round(&mut one, &mut kept, now);
            now += 5_000;
            if leaving.is_empty() {
                continue;
            }
            match kills.next().unwrap_or(Killed::Never) {
                Killed::Never => {
                    told += leaving.len();
                    let topics: Vec<String> = leaving.into_iter().map(|outgoing| outgoing.topic).collect();
                    one.published(&topics);
                }
                Killed::BeforeItLeft => {
                    deaths += 1;
                    one = office();
                }
                Killed::BeforeItKnew => {
                    told += leaving.len();
                    deaths += 1;
                    one = office();
                }
            }
        }
        prop_assert!((1..=1 + deaths).contains(&told), "told {told} times, killed {deaths} times");
        prop_assert_eq!(kept.events(), [Event::Raise]);
    }

    /// Whatever records, people, two collectors and their deaths do: no step is lost, unsigned or out of its place, and the
    /// alarms that are kept are what the steps say.
    #[test]
    fn no_step_is_lost_or_unsigned(deeds in proptest::collection::vec((0..7_u8, any::<bool>()), 1..60)) {
        let mut kept = Files::new("unsigned");
        let (mut both, mut now, mut seq) = ([office(), office()], NOW, 1);
        let hand = Hand::new("wang", "on my way").unwrap();
        let (mut seen, mut signed) = (BTreeMap::new(), 0);
        for (what, which) in deeds {
            now += 5_000;
            let at = usize::from(which);
            let alarms: Vec<_> = both[at].board().alarms().map(|alarm| (alarm.id, None)).collect();
            match what {
                0..=2 => {
                    let shown = [Shown::Active, Shown::Latched, Shown::Clear][usize::from(what)];
                    kept.hears(seq, shown, now);
                    seq += 1;
                }
                3 => drop(act(&mut kept.0, &key(), &alarms, (Deed::Acknowledge, &hand), now).unwrap()),
                4 => drop(act(&mut kept.0, &key(), &alarms, (Deed::Shelve(now + 600_000), &hand), now).unwrap()),
                5 => both[at] = office(),
                _ => drop(round(&mut both[at], &mut kept, now)),
            }
            // What was kept once is never another afterwards.
            for step in kept.0.steps_after(0, 1_000).unwrap() {
                let hash = *seen.entry(step.number).or_insert(step.hash);
                prop_assert_eq!(hash, step.hash);
            }
            signed = seen.len() as u64;
        }
        let checked = verify(&mut kept.0, &key().public_key()).unwrap();
        prop_assert!(checked.wrong.is_empty(), "{checked:?}");
        prop_assert_eq!(checked.steps, signed);
    }
}
