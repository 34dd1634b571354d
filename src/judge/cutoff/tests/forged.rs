//! Logs of the machine told otherwise. Whoever holds the log's key writes any figure; a replayer takes none that cannot be.

use proptest::prelude::*;

use super::{
    random::{Turn, live, turn},
    tale::{DAY_MS, Entry, HOUR_MS, MINUTE_MS, Tale, holds, meter, order, point},
};
use crate::{
    judge::{
        Event, Finding, State,
        cutoff::{
            Carrier, Cue, Deed, Hold, Holds, Impossible, Rung, Stand, Transition, UtilityReading,
            reading::Switch,
        },
    },
    terms::{Name, Stamp},
};

/// A hold that is told to be more than it is.
type Twist = (&'static str, fn(&mut Hold));

const TWISTS: [Twist; 14] = [
    ("proven", |hold| hold.proven_ms += 1),
    ("proven beyond its end", |hold| hold.proven_ms += HOUR_MS),
    ("proven in the future", |hold| {
        hold.proven_ms += HOUR_MS;
        hold.until = later(&hold.until, HOUR_MS);
    }),
    ("proven before it began", |hold| {
        hold.proven_ms += HOUR_MS;
        hold.since = later(&hold.since, -HOUR_MS);
    }),
    ("a gap that was proven", |hold| {
        hold.proven_ms += hold.paused_ms;
        (hold.paused_ms, hold.gaps, hold.longest_gap_ms) = (0, 0, 0);
    }),
    ("no gap so long", |hold| hold.longest_gap_ms = 0),
    ("no gap at all", |hold| hold.gaps = 0),
    ("a night", |hold| hold.nights.full += 1),
    ("more of a night", |hold| hold.nights.proven_ms += HOUR_MS),
    ("a weekend", |hold| hold.weekends.full += 1),
    ("more of a weekend", |hold| hold.weekends.proven_ms += HOUR_MS),
    ("a window without gaps", |hold| {
        hold.recent.proven_ms += hold.recent.paused_ms;
        hold.recent.paused_ms = 0;
    }),
    ("nothing moved", |hold| hold.moved.0 = 0),
    ("all is nothing", |hold| hold.blind.0 += 1_000_000_000),
];

fn later(at: &Stamp, ms: i64) -> Stamp {
    let uptime_ms = at.uptime_ms.saturating_add_signed(ms);
    Stamp { wall_unix_ms: at.wall_unix_ms + ms, uptime_ms, ..*at }
}

fn stand_of(entry: &mut Entry) -> Option<&mut Stand> {
    match entry {
        Entry::Said(Finding::Event(Event::Hold(note))) => Some(&mut note.stand),
        Entry::Said(Finding::Transition(step)) => step.stand.as_mut(),
        Entry::Act(_) | Entry::Said(_) | Entry::Answered(_) | Entry::Shows(..) => None,
    }
}

/// The same log, in which one hold is told otherwise from a note on; none where that changes nothing there.
fn twisted(tale: &Tale, from: usize, twist: fn(&mut Hold)) -> Option<Tale> {
    let mut log = tale.log.clone();
    let begun = stand_of(&mut log[from].1)?.hold?.since;
    let mut changed = false;
    for (place, (_, entry)) in log.iter_mut().enumerate().skip(from) {
        let hold = stand_of(entry).and_then(|stand| stand.hold.as_mut());
        if let Some(hold) =
            hold.filter(|hold| (hold.since.boot, hold.since.uptime_ms) == (begun.boot, begun.uptime_ms))
        {
            let before = *hold;
            twist(hold);
            changed |= place == from && *hold != before;
        }
    }
    changed.then(|| Tale::of(log))
}

fn notes(tale: &Tale) -> Vec<usize> {
    let is_note = |(_, (_, entry)): &(usize, &(Stamp, Entry))| matches!(entry, Entry::Said(Finding::Event(Event::Hold(note))) if note.stand.hold.is_some());
    tale.log.iter().enumerate().filter(is_note).map(|(place, _)| place).collect()
}

/// Two days with a night, a gap and a step of the register in them.
fn two_days() -> Tale {
    let holds = Holds { nights: 1, ..holds() };
    let mut tale = Tale::new(order(holds, vec![point(Carrier::Own)]));
    tale.claim().dead_for(3 * HOUR_MS);
    tale.energy[0] += 10;
    tale.dead_for(HOUR_MS).wait(10 * MINUTE_MS).dead_for(2 * DAY_MS).reading(24, 0, Switch::Open);
    assert_eq!(tale.stand().hold.map(|hold| (hold.gaps, hold.nights.full, hold.moved.0)), Some((1, 2, 10)));
    assert!(tale.replayed_anew().is_ok());
    tale
}

#[test]
fn every_figure_of_a_hold_that_is_told_greater_is_refused() {
    let tale = two_days();
    let notes = notes(&tale);
    assert!(notes.len() > 500, "{}", notes.len());
    for (name, twist) in TWISTS {
        let told: Vec<Tale> = notes.iter().filter_map(|place| twisted(&tale, *place, twist)).collect();
        assert!(!told.is_empty(), "{name} is never told");
        for forged in told {
            assert!(forged.replayed_anew().is_err(), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_inflated_note_of_any_trace_is_refused(
        turns in prop::collection::vec(turn(), 1..60),
        (which, twist) in (any::<prop::sample::Index>(), 0..TWISTS.len()),
    ) {
        let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
        turns.iter().for_each(|turn: &Turn| live(&mut tale, turn));
        let notes = notes(&tale);
        if !notes.is_empty()
            && let Some(forged) = twisted(&tale, notes[which.index(notes.len())], TWISTS[twist].1)
        {
            prop_assert!(forged.replayed_anew().is_err(), "{}", TWISTS[twist].0);
        }
    }
}

/// A log that somebody writes by hand, from a hold of some hours on: one note each ten seconds, each as far as may be.
#[test]
fn a_week_is_not_written_in_a_day() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
    tale.claim().dead_for(MINUTE_MS);
    let mut stand = *tale.cut().told();
    for _ in 0..40 {
        let hold = stand.hold.as_mut().unwrap();
        hold.until = later(&hold.until, 9 * MINUTE_MS);
        (hold.proven_ms, hold.recent.proven_ms) =
            (hold.proven_ms + 9 * MINUTE_MS, hold.recent.proven_ms + 9 * MINUTE_MS);
        // The boot's clock runs as the hold does, the wall as it is.
        tale.now.wall_unix_ms += 10_000;
        tale.now.uptime_ms += (9 * MINUTE_MS).cast_unsigned();
        tale.told_by_hand(stand);
    }
    assert_eq!(tale.replayed_anew(), Err(Impossible::Stand));
}

#[test]
fn no_hold_begins_before_the_claim_or_before_the_power_ended() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
    tale.dead_for(3 * HOUR_MS).claim().dead_for(MINUTE_MS);
    let early = later(&tale.stand().hold.unwrap().since, -5 * MINUTE_MS);
    let place = notes(&tale)[0];
    let mut forged = Tale::of(tale.log.clone());
    for (_, entry) in &mut forged.log[place..] {
        if let Some(hold) = stand_of(entry).and_then(|stand| stand.hold.as_mut()) {
            hold.since = early;
            hold.proven_ms += 5 * MINUTE_MS;
            hold.recent.proven_ms += 5 * MINUTE_MS;
        }
    }
    assert_eq!(forged.replayed_anew(), Err(Impossible::Stand));
}

#[test]
fn a_hold_goes_on_over_no_power_that_its_own_log_tells_of() {
    for (shows, expected) in [
        (State::Drawing, Err(Impossible::Power)),
        (State::Exporting, Err(Impossible::Power)),
        (State::Energised, Ok(Rung::Verified)),
    ] {
        let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
        tale.claim().dead_for(3 * HOUR_MS);
        let at = tale.now;
        tale.log.push((at, Entry::Shows(meter("m1"), shows)));
        tale.log.push((later(&at, 1_000), Entry::Shows(meter("m1"), State::Dead)));
        tale.unwatched(|tale| {
            tale.wait(2_000).dead_for(4 * HOUR_MS).reading(7, 0, Switch::Open);
        });
        assert_eq!(tale.rung(), Rung::Verified);
        assert_eq!(tale.replayed_anew(), expected, "{shows:?}");
    }
}

/// A step that names an act of long ago, which moved nothing when it came.
#[test]
fn an_act_that_was_answered_opens_no_latch_later() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
    tale.claim().dead_for(HOUR_MS).act(Deed::Reset).unwrap();
    let is_act = |(_, entry): &&(Stamp, Entry)| matches!(entry, Entry::Act(_));
    let Some((_, Entry::Act(reset))) = tale.log.iter().rev().find(is_act).cloned() else {
        panic!("no reset")
    };
    tale.dead_for(HOUR_MS).wait(MINUTE_MS).see(0, Some(State::Drawing));
    assert_eq!((tale.rung(), tale.replayed_anew()), (Rung::Violated, Ok(Rung::Violated)));
    tale.wait(MINUTE_MS);
    let (from, to) = (Rung::Violated, Rung::CutClaimed);
    let mut stand = *tale.cut().told();
    (stand.rung, stand.since, stand.was_seen) = (to, tale.now, false);
    let said = tale.cut().order();
    let step = Transition {
        order: said.id,
        asset: said.asset,
        from,
        to,
        actor: reset.actor,
        why: Name::new(Cue::Reset.word()).unwrap(),
        evidence: vec![reset.hash],
        stand: Some(stand),
    };
    let at = tale.now;
    let unanswered =
        |(_, entry): &(Stamp, Entry)| !matches!(entry, Entry::Answered(act) if *act == reset.hash);
    for log in [tale.log.clone(), tale.log.iter().filter(|entry| unanswered(entry)).cloned().collect()] {
        let mut forged = Tale::of(log);
        forged.log.push((at, Entry::Said(Finding::Transition(step.clone()))));
        assert_eq!(forged.replayed_anew(), Err(Impossible::Actor));
    }
}

/// Only the supplier can tell of the point, and his reading is of a day; the log proves three by it.
#[test]
fn what_the_supplier_proves_is_what_his_readings_cover() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Utility)]));
    tale.claim();
    for _ in 0..3 * 24 * 60 {
        tale.wait(MINUTE_MS).see(0, None).tick(true);
    }
    tale.reading(3 * 24, 0, Switch::Open);
    assert_eq!(tale.replayed_anew(), Ok(tale.rung()));
    for (_, entry) in &mut tale.log {
        let Entry::Act(act) = entry else { continue };
        if let Deed::Reading(UtilityReading { spans, .. }) = &mut act.deed {
            spans[0].from_unix_ms += 2 * DAY_MS;
        }
    }
    assert_eq!(tale.replayed_anew(), Err(Impossible::Agreed));
}
