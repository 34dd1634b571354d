//! Random traces: no way to `verified` without the whole predicate, silence never advances, and a replay stands where the
//! execution stood.

use proptest::prelude::*;

use super::tale::{HOUR_MS, MINUTE_MS, PATIENCE_MS, Tale, holds, meter, order, point};
use crate::{
    judge::{
        Sign,
        cutoff::{
            Carrier, Deed, Hold, Point, Rung, Unfit, UtilityReading,
            reading::{AHEAD_MS, Quality, Switch},
        },
        state::{State, Why},
    },
    terms::Digest,
};

/// One thing that may happen to an order.
#[derive(Clone, Debug)]
pub(super) enum Turn {
    Dead(u16),
    Shows(State),
    Upstream(State),
    Missed(u16),
    Waits(u32),
    Moves,
    Acts(u8),
    Reads(Told),
    Sleeps(u32),
    Dies { ms: u32, lost: u8 },
    SetsClock(i32),
}

/// What the supplier's meter tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    at_second: bool,
    hours: u8,
    /// How long ago it ends; less than nothing is a time that has not been.
    ago_minutes: i16,
    energy: bool,
    switch: Switch,
    quality: Quality,
}

impl Told {
    fn reading(self, tale: &Tale) -> UtilityReading {
        let to = tale.now.wall_unix_ms - i64::from(self.ago_minutes) * MINUTE_MS;
        let span = (to - i64::from(self.hours) * HOUR_MS, to);
        let at = if self.at_second { "up" } else { "m1" };
        let mut reading = tale.told_of(at, span, i64::from(self.energy) * 1_000, self.switch);
        reading.spans[0].quality = self.quality;
        reading
    }

    fn agrees(self) -> bool {
        (self.energy, self.switch, self.quality) == (false, Switch::Open, Quality::Measured)
    }

    /// Whether it denies a cut that is said to hold since then.
    fn denies(self, tale: &Tale, since_unix_ms: i64) -> bool {
        let from = self.reading(tale).spans[0].from_unix_ms;
        let shows = self.energy && self.quality == Quality::Measured && from >= since_unix_ms;
        // A switch that stood closed before the cut tells nothing of it.
        shows || self.switch == Switch::Closed && self.reading(tale).spans[0].to_unix_ms > since_unix_ms
    }
}

fn told() -> impl Strategy<Value = Told> {
    let switch = prop_oneof![6 => Just(Switch::Open), 1 => Just(Switch::Ready), 1 => Just(Switch::Closed)];
    let quality = prop_oneof![8 => Just(Quality::Measured), 1 => Just(Quality::Estimated)];
    let ago = prop_oneof![6 => Just(0_i16), 2 => 0..600_i16, 1 => -600..0_i16];
    (any::<bool>(), 1..24_u8, ago, prop::bool::weighted(0.1), switch, quality).prop_map(
        |(at_second, hours, ago_minutes, energy, switch, quality)| Told {
            at_second,
            hours,
            ago_minutes,
            energy,
            switch,
            quality,
        },
    )
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Dead),
        Just(State::Energised),
        Just(State::Auxiliary),
        Just(State::Drawing),
        Just(State::Exporting),
        Just(State::Masked(Sign::Stuck)),
        Just(State::Unknown(Why::InducedVoltage)),
    ]
}

pub(super) fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        30 => (1..200_u16).prop_map(Turn::Dead),
        4 => state().prop_map(Turn::Shows),
        4 => state().prop_map(Turn::Upstream),
        4 => (1..30_u16).prop_map(Turn::Missed),
        4 => (1_000..2_000_000_u32).prop_map(Turn::Waits),
        1 => Just(Turn::Moves),
        20 => any::<u8>().prop_map(Turn::Acts),
        12 => told().prop_map(Turn::Reads),
        2 => (1_000..20_000_000_u32).prop_map(Turn::Sleeps),
        3 => (1_000..3_000_000_u32, 0..5_u8).prop_map(|(ms, lost)| Turn::Dies { ms, lost }),
        1 => (-100_000_000..100_000_000_i32).prop_map(Turn::SetsClock),
    ]
}

fn deed(choice: u8, now_unix_ms: i64, points: &[Point]) -> Deed {
    match choice % 16 {
        0 => Deed::Order(order(holds(), points.to_vec())),
        1 => Deed::Acknowledge,
        2 => Deed::Plan { cut_unix_ms: now_unix_ms },
        3..=6 => Deed::Claim(Default::default()),
        7 => Deed::Suspend { until_unix_ms: Some(now_unix_ms + HOUR_MS) },
        8 => Deed::Suspend { until_unix_ms: None },
        9 | 10 => Deed::Resume,
        11 => Deed::Seal { number: "F-1".into() },
        12 => Deed::Close { document: Digest::of(b"acceptance") },
        // Seldom, or nothing else would ever happen.
        13 if choice > 240 => Deed::Revoke,
        13 if choice > 220 => Deed::Restore,
        13..=15 => Deed::Reset,
        _ => Deed::Acknowledge,
    }
}

/// All points of an order show the same, a minute later.
fn all_show(tale: &mut Tale, state: Option<State>) {
    tale.wait(MINUTE_MS);
    for place in 0..tale.cut().order().points.len() {
        tale.see(place, state);
    }
    tale.tick(true);
}

pub(super) fn live(tale: &mut Tale, turn: &Turn) {
    match *turn {
        Turn::Dead(minutes) => (0..minutes).for_each(|_| all_show(tale, Some(State::Dead))),
        Turn::Shows(state) => {
            tale.wait(MINUTE_MS).see(0, Some(state)).tick(true);
        }
        Turn::Upstream(state) => {
            tale.wait(MINUTE_MS).see(1, Some(state)).tick(true);
        }
        Turn::Missed(minutes) => (0..minutes).for_each(|_| all_show(tale, None)),
        Turn::Waits(ms) => {
            tale.wait(i64::from(ms)).tick(true);
        }
        Turn::Moves => tale.energy[0] += 10,
        Turn::Acts(choice) => {
            let points = tale.cut().order().points.clone();
            let _refused = tale.act(deed(choice, tale.now.wall_unix_ms, &points));
        }
        Turn::Reads(told) => {
            let (reading, points) = (told.reading(tale), tale.cut().order().points.len());
            let is_future = reading.spans[0].to_unix_ms > tale.now.wall_unix_ms + AHEAD_MS;
            let stand = tale.stand();
            let is_unheld = stand.hold.is_none() && stand.rung == Rung::CutClaimed;
            let place = usize::from(told.at_second).min(points - 1);
            let begins_none = tale.cut().order().points[place].carrier != Carrier::Utility;
            let is_early = stand.rung.is_before_the_cut() || is_unheld && begins_none;
            let expected = match (told.at_second && points == 1, is_future, stand.rung.is_over() || is_early)
            {
                (true, ..) => Err(Unfit::UnknownPoint),
                (_, true, _) => Err(Unfit::NotYet),
                (.., true) => Err(Unfit::OutOfTurn),
                (.., false) => Ok(()),
            };
            assert_eq!(tale.act(Deed::Reading(reading)), expected);
        }
        Turn::Sleeps(ms) => {
            tale.wait(i64::from(ms)).tick(false);
        }
        Turn::Dies { ms, lost } => {
            tale.power_cut(i64::from(ms), lost.into());
        }
        Turn::SetsClock(ms) => {
            tale.step_clock(ms.into());
        }
    }
}

/// How high a rung stands; those off the ladder below all.
fn height(rung: Rung) -> u8 {
    match rung {
        // Going on after a suspension is no climbing.
        Rung::Observing | Rung::Suspended => 1,
        Rung::Provisional => 2,
        Rung::Verified => 3,
        Rung::Maintained => 4,
        Rung::Issued
        | Rung::Acknowledged
        | Rung::Scheduled
        | Rung::CutClaimed
        | Rung::Violated
        | Rung::Indeterminate
        | Rung::Closed
        | Rung::Cancelled
        | Rung::Restored => 0,
    }
}

/// Proven time and rung before and after something that proves nothing.
fn has_advanced(before: (Rung, Option<Hold>), after: (Rung, Option<Hold>)) -> bool {
    let proven = |hold: Option<Hold>| hold.map_or(0, |hold| hold.proven_ms);
    height(after.0) > height(before.0) || proven(after.1) > proven(before.1)
}

/// What a test keeps by its own simple means: minutes without power in a row, and what the supplier said of them.
#[derive(Clone, Copy, Default)]
struct Book {
    dead_ms: i64,
    /// At the first point, and at the second.
    agrees: [bool; 2],
    /// The supplier's reading proves time too, and silence breaks nothing off.
    by_utility: bool,
}

impl Book {
    fn anew(&mut self) {
        *self = Book { by_utility: self.by_utility, ..Book::default() };
    }

    /// A reading that was taken: it may deny what is said to hold since then.
    fn read(&mut self, told: Told, tale: &Tale, since_unix_ms: i64) {
        if told.denies(tale, since_unix_ms) {
            self.anew();
        } else if told.agrees() {
            self.agrees[usize::from(told.at_second)] = true;
            self.dead_ms += i64::from(self.by_utility) * i64::from(told.hours) * HOUR_MS;
        }
    }

    fn on(&mut self, turn: &Turn) {
        match turn {
            Turn::Dead(minutes) => self.dead_ms += i64::from(*minutes) * MINUTE_MS,
            Turn::Shows(State::Dead) | Turn::Upstream(State::Dead | State::Energised) => {
                self.dead_ms += MINUTE_MS;
            }
            Turn::Shows(State::Drawing | State::Exporting | State::Masked(_)) => self.anew(),
            Turn::Waits(ms) | Turn::Sleeps(ms) | Turn::Dies { ms, .. }
                if i64::from(*ms) > 20 * MINUTE_MS && !self.by_utility =>
            {
                self.anew();
            }
            Turn::Missed(minutes) if *minutes > 20 && !self.by_utility => self.anew(),
            // What a meter may be late is no gap.
            Turn::Missed(minutes) if i64::from(*minutes) * MINUTE_MS <= PATIENCE_MS => {
                self.dead_ms += i64::from(*minutes) * MINUTE_MS;
            }
            Turn::Waits(ms) if i64::from(*ms) <= PATIENCE_MS => self.dead_ms += i64::from(*ms),
            Turn::Shows(_)
            | Turn::Upstream(_)
            | Turn::Missed(_)
            | Turn::Waits(_)
            | Turn::Moves
            | Turn::Acts(_)
            | Turn::Reads(_)
            | Turn::Sleeps(_)
            | Turn::Dies { .. }
            | Turn::SetsClock(_) => {}
        }
    }
}

fn whole_life(turns: &[Turn], carrier: Carrier, has_second: bool) -> Result<(), TestCaseError> {
    let second = Point { meter: meter("up"), ..point(Carrier::Own) };
    let points = [point(carrier)].into_iter().chain(has_second.then_some(second));
    let points: Vec<Point> = points.collect();
    let count = points.len();
    let mut tale = Tale::new(order(holds(), points));
    let mut book = Book { by_utility: carrier == Carrier::Utility, ..Book::default() };
    // And as it was before this moment.
    let mut earlier = book;
    for turn in turns {
        let before = (tale.rung(), tale.stand().hold);
        let steps = tale.steps().len();
        let (then, kept) = (tale.now, book);
        let since = tale.stand().hold.map_or(tale.stand().since, |hold| hold.since).wall_unix_ms;
        let (acts, is_suspended) = (tale.log.len(), tale.rung() == Rung::Suspended);
        live(&mut tale, turn);
        book.on(turn);
        if let (Turn::Reads(told), true) = (turn, tale.log.len() > acts) {
            book.read(*told, &tale, since);
            // Neither is any hold left that was denied.
            let is_denied = told.denies(&tale, since);
            prop_assert!(!(is_denied && is_suspended) || tale.stand().hold.is_none());
        }
        if matches!(turn, Turn::Dies { lost: 1.., .. }) {
            // What happened in the moment before the power went may never have been written down.
            book.dead_ms = book.dead_ms.max(earlier.dead_ms);
            book.agrees = [0, 1].map(|place: usize| book.agrees[place] || earlier.agrees[place]);
        }
        if tale.now != then {
            earlier = kept;
        }
        let after = (tale.rung(), tale.stand().hold);
        let silent = matches!(turn, Turn::Missed(_) | Turn::Waits(_) | Turn::Sleeps(_) | Turn::SetsClock(_));
        prop_assert!(!silent || !has_advanced(before, after), "{turn:?}: {before:?} {after:?}");
        for step in tale.steps().iter().skip(steps.min(tale.steps().len())) {
            if step.to == Rung::Verified {
                let hold = step.stand.unwrap().hold.unwrap();
                prop_assert_eq!(hold.is_verified(&holds(), count), Ok(()));
                prop_assert!(book.dead_ms >= holds().verified_ms, "{} ms", book.dead_ms);
                prop_assert!(book.agrees.iter().take(count).all(|agrees| *agrees), "{:?}", book.agrees);
                prop_assert_eq!(step.from, Rung::Provisional);
            }
            let out = step.from == Rung::Violated;
            prop_assert!(!out || ["reset", "revoked", "restored", "suspended"].contains(&step.why.as_str()));
        }
    }
    // All of it once more, from the beginning: nothing is refused, and it stands where it stood.
    tale.power_cut(1_000, 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_trace_reaches_verified_unproven_and_every_replay_stands_where_the_execution_stood(
        turns in prop::collection::vec(turn(), 1..60),
        (carrier, has_second) in prop_oneof![
            Just((Carrier::Own, false)), Just((Carrier::Own, true)), Just((Carrier::Upstream, false)),
            Just((Carrier::Utility, false)), Just((Carrier::Utility, true)),
        ],
    ) {
        whole_life(&turns, carrier, has_second)?;
    }
}

/// A hold that grew since the last note, was seen long enough by that, and is broken off before the next.
#[test]
fn what_a_hold_came_to_is_told_before_it_is_broken_off() {
    let claim = Turn::Acts(3);
    let gap = [Turn::Dead(57), claim.clone(), Turn::Dead(15), Turn::Sleeps(840_001), Turn::Dead(1)];
    whole_life(&gap, Carrier::Own, false).unwrap();
    for dead in 1..20 {
        let suspended = [claim.clone(), Turn::Dead(13), Turn::Acts(8), Turn::Dead(dead)];
        for end in [Turn::Shows(State::Energised), Turn::Missed(30)] {
            let turns: Vec<Turn> = suspended.iter().cloned().chain([end, Turn::Dead(2)]).collect();
            whole_life(&turns, Carrier::Own, false).unwrap();
        }
    }
}

#[test]
fn the_traces_reach_every_rung() {
    use std::collections::BTreeSet;

    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let traces = prop::collection::vec(turn(), 1..60);
    let mut reached = BTreeSet::new();
    for _ in 0..600 {
        let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
        for turn in traces.new_tree(&mut runner).unwrap().current() {
            live(&mut tale, &turn);
        }
        reached.extend(tale.steps().iter().map(|step| step.to));
    }
    // Every order begins there; and the one act that only `maintained` takes is too rare among these.
    reached.extend([Rung::Issued, Rung::Closed]);
    assert_eq!(reached, Rung::ALL.into());
}

/// Random traces by carrier and number of points that are verified at least once: a property about none proves nothing.
#[test]
fn the_traces_verify_orders_of_every_carrier() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let traces = prop::collection::vec(turn(), 1..60);
    for (carrier, has_second) in [(Carrier::Own, true), (Carrier::Upstream, false), (Carrier::Utility, false)]
    {
        let second = Point { meter: meter("up"), ..point(Carrier::Own) };
        let points: Vec<Point> = [point(carrier)].into_iter().chain(has_second.then_some(second)).collect();
        let is_verified = (0..2_000).any(|_| {
            let mut tale = Tale::new(order(holds(), points.clone()));
            traces.new_tree(&mut runner).unwrap().current().iter().for_each(|turn| live(&mut tale, turn));
            tale.steps().iter().any(|step| step.to == Rung::Verified)
        });
        assert!(is_verified, "{carrier:?} {has_second}");
    }
}

/// How long this takes is told by whoever runs it: 10,000 lives, each executed, written down, followed and replayed.
#[test]
#[ignore = "a figure: cargo test --release --lib ten_thousand_traces -- --ignored"]
fn ten_thousand_traces() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let traces = prop::collection::vec(turn(), 1..60);
    let mut steps = 0;
    for _ in 0..10_000 {
        let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
        traces.new_tree(&mut runner).unwrap().current().iter().for_each(|turn| live(&mut tale, turn));
        tale.power_cut(1_000, 0);
        steps += tale.steps().len();
    }
    assert!(steps > 10_000, "{steps}");
}
