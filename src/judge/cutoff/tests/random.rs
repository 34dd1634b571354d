//! Random traces: no way to `verified` without the whole predicate, silence never advances, and a replay stands where the
//! execution stood.

use proptest::prelude::*;

use super::tale::{HOUR_MS, MINUTE_MS, PATIENCE_MS, Tale, holds, order, point};
use crate::{
    judge::{
        Sign,
        cutoff::{Carrier, Deed, Hold, Rung, reading::Switch},
        state::{State, Why},
    },
    terms::Digest,
};

/// One thing that may happen to an order.
#[derive(Clone, Debug)]
enum Turn {
    Dead(u16),
    Shows(State),
    Upstream(State),
    Missed(u16),
    Waits(u32),
    Moves,
    Acts(u8),
    Reads { hours: u8, energy: bool, switch: Switch },
    Sleeps(u32),
    Dies { ms: u32, lost: u8 },
    SetsClock(i32),
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

fn turn() -> impl Strategy<Value = Turn> {
    let switch = prop_oneof![4 => Just(Switch::Open), 1 => Just(Switch::Ready), 1 => Just(Switch::Closed)];
    prop_oneof![
        30 => (1..200_u16).prop_map(Turn::Dead),
        4 => state().prop_map(Turn::Shows),
        4 => state().prop_map(Turn::Upstream),
        4 => (1..30_u16).prop_map(Turn::Missed),
        4 => (1_000..2_000_000_u32).prop_map(Turn::Waits),
        1 => Just(Turn::Moves),
        20 => any::<u8>().prop_map(Turn::Acts),
        10 => (1..24_u8, prop::bool::weighted(0.1), switch)
            .prop_map(|(hours, energy, switch)| Turn::Reads { hours, energy, switch }),
        2 => (1_000..20_000_000_u32).prop_map(Turn::Sleeps),
        3 => (1_000..3_000_000_u32, 0..3_u8).prop_map(|(ms, lost)| Turn::Dies { ms, lost }),
        1 => (-100_000_000..100_000_000_i32).prop_map(Turn::SetsClock),
    ]
}

fn deed(choice: u8, now_unix_ms: i64) -> Deed {
    match choice % 16 {
        0 => Deed::Order(order(holds(), vec![point(Carrier::Own)])),
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

fn live(tale: &mut Tale, turn: &Turn) {
    match *turn {
        Turn::Dead(minutes) => {
            tale.dead_for(i64::from(minutes) * MINUTE_MS);
        }
        Turn::Shows(state) => {
            tale.wait(MINUTE_MS).see(0, Some(state)).tick(true);
        }
        Turn::Upstream(state) => {
            tale.wait(MINUTE_MS).see(1, Some(state)).tick(true);
        }
        Turn::Missed(minutes) => {
            for _ in 0..minutes {
                tale.wait(MINUTE_MS).see(0, None).tick(true);
            }
        }
        Turn::Waits(ms) => {
            tale.wait(i64::from(ms)).tick(true);
        }
        Turn::Moves => tale.energy[0] += 10,
        Turn::Acts(choice) => {
            let _refused = tale.act(deed(choice, tale.now.wall_unix_ms));
        }
        Turn::Reads { hours, energy, switch } => {
            if !tale.rung().is_over() {
                tale.reading(i64::from(hours), i64::from(energy) * 1_000, switch);
            }
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
    agrees: bool,
}

impl Book {
    fn on(&mut self, turn: &Turn) {
        match turn {
            Turn::Dead(minutes) => self.dead_ms += i64::from(*minutes) * MINUTE_MS,
            Turn::Reads { energy: false, switch: Switch::Open, .. } => self.agrees = true,
            Turn::Shows(State::Dead) | Turn::Upstream(State::Dead | State::Energised) => {
                self.dead_ms += MINUTE_MS;
            }
            Turn::Shows(State::Drawing | State::Exporting | State::Masked(_)) => *self = Book::default(),
            Turn::Waits(ms) | Turn::Sleeps(ms) | Turn::Dies { ms, .. } if i64::from(*ms) > 20 * MINUTE_MS => {
                *self = Book::default();
            }
            Turn::Missed(minutes) if *minutes > 20 => *self = Book::default(),
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
            | Turn::Reads { .. }
            | Turn::Sleeps(_)
            | Turn::Dies { .. }
            | Turn::SetsClock(_) => {}
        }
    }
}

fn whole_life(turns: &[Turn], carrier: Carrier) -> Result<(), TestCaseError> {
    let mut tale = Tale::new(order(holds(), vec![point(carrier)]));
    // And as it was before this moment.
    let (mut book, mut earlier) = (Book::default(), Book::default());
    for turn in turns {
        let before = (tale.rung(), tale.stand().hold);
        let steps = tale.steps().len();
        let (then, kept) = (tale.now, book);
        live(&mut tale, turn);
        book.on(turn);
        if matches!(turn, Turn::Dies { lost: 1.., .. }) {
            // What happened in the moment before the power went may never have been written down.
            book = Book { dead_ms: book.dead_ms.max(earlier.dead_ms), agrees: book.agrees || earlier.agrees };
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
                prop_assert_eq!(hold.is_verified(&holds(), 1), Ok(()));
                prop_assert!(book.dead_ms >= holds().verified_ms && book.agrees, "{} ms", book.dead_ms);
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
        upstream in any::<bool>(),
    ) {
        whole_life(&turns, if upstream { Carrier::Upstream } else { Carrier::Own })?;
    }
}

/// A hold that grew since the last note, was seen long enough by that, and is broken off before the next.
#[test]
fn what_a_hold_came_to_is_told_before_it_is_broken_off() {
    let claim = Turn::Acts(3);
    let gap = [Turn::Dead(57), claim.clone(), Turn::Dead(15), Turn::Sleeps(840_001), Turn::Dead(1)];
    whole_life(&gap, Carrier::Own).unwrap();
    for dead in 1..20 {
        let suspended = [claim.clone(), Turn::Dead(13), Turn::Acts(8), Turn::Dead(dead)];
        for end in [Turn::Shows(State::Energised), Turn::Missed(30)] {
            let turns: Vec<Turn> = suspended.iter().cloned().chain([end, Turn::Dead(2)]).collect();
            whole_life(&turns, Carrier::Own).unwrap();
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
