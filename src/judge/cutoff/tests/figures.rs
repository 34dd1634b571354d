//! Figures of a hold that cannot be, in a log that is otherwise the machine's own: no replayer believes one of them.

use super::tale::{DAY_MS, Entry, HOUR_MS, MINUTE_MS, Tale, holds, order, point};
use crate::{
    judge::{
        Event, Finding, Transition,
        cutoff::{Carrier, Hold, Impossible, Rung, Stand, reading::Switch, registers::AtPoint},
    },
    terms::WattHours,
};

/// A hold with two gaps.
fn held(carrier: Carrier) -> Tale {
    let mut tale = Tale::new(order(holds(), vec![point(carrier)]));
    tale.claim()
        .dead_for(HOUR_MS)
        .wait(10 * MINUTE_MS)
        .dead_for(HOUR_MS)
        .wait(8 * MINUTE_MS)
        .dead_for(HOUR_MS);
    assert_eq!((tale.stand().hold.unwrap().gaps, tale.replayed_anew()), (2, Ok(Rung::Provisional)));
    tale
}

/// What a replayer says when the newest note tells otherwise of the hold.
fn noted(tale: &mut Tale, lie: impl Fn(&mut Hold)) -> Result<Rung, Impossible> {
    let newest = tale.log.iter_mut().rev().find_map(|(_, entry)| match entry {
        Entry::Said(Finding::Event(Event::Hold(note))) => note.stand.hold.as_mut(),
        Entry::Said(_) | Entry::Act(_) | Entry::Answered(_) | Entry::Shows(..) => None,
    });
    lie(newest.unwrap());
    tale.replayed_anew()
}

#[test]
fn a_gap_below_nothing_or_without_its_time_is_none() {
    let lies: [&dyn Fn(&mut Hold); 6] = [
        &|hold| hold.longest_gap_ms = -1,
        &|hold| hold.longest_gap_ms += 1,
        &|hold| hold.gaps += 1,
        &|hold| hold.gaps -= 1,
        &|hold| hold.paused_ms += 1,
        &|hold| hold.longest_gap_ms = 0,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        assert_eq!(noted(&mut held(Carrier::Own), lie), Err(Impossible::Stand), "{number}");
    }
}

#[test]
fn a_hold_is_carried_by_whom_the_order_lets_and_never_by_more_than_before() {
    for (ordered, told) in [
        (Carrier::Own, Carrier::Upstream),
        (Carrier::Own, Carrier::Utility),
        (Carrier::Upstream, Carrier::Utility),
        (Carrier::Utility, Carrier::Upstream),
    ] {
        let said = noted(&mut held(ordered), |hold| hold.carrier = told);
        assert_eq!(said, Err(Impossible::Carrier), "{ordered:?} {told:?}");
    }
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Utility)]));
    tale.claim();
    for _ in 0..8 * 60 {
        tale.wait(MINUTE_MS).see(0, None).tick(true);
    }
    tale.reading(4, 0, Switch::Open).reading(1, 0, Switch::Open);
    assert_eq!(noted(&mut tale, |hold| hold.carrier = Carrier::Own), Err(Impossible::Stand));
}

#[test]
fn what_moved_is_no_less_than_the_registers_show_and_no_figure_is_below_nothing() {
    let lies: [&dyn Fn(&mut Hold); 3] =
        [&|hold| hold.moved = WattHours(-1), &|hold| hold.blind = WattHours(-1), &|hold| {
            let mut known = hold.registers.of(0).own.unwrap();
            known.energy.0 += 1;
            hold.registers.set(0, AtPoint { own: Some(known), upstream: None });
        }];
    for (number, lie) in lies.into_iter().enumerate() {
        assert_eq!(noted(&mut held(Carrier::Own), lie), Err(Impossible::Stand), "{number}");
    }
}

#[test]
fn a_step_is_of_the_time_between_what_was_proven_and_its_record() {
    let stepped = |lie: &dyn Fn(&mut Stand)| {
        let mut tale = held(Carrier::Own);
        let newest = tale.log.iter_mut().rev().find_map(|(_, entry)| match entry {
            Entry::Said(Finding::Transition(Transition { stand, .. })) => stand.as_mut(),
            Entry::Said(_) | Entry::Act(_) | Entry::Answered(_) | Entry::Shows(..) => None,
        });
        lie(newest.unwrap());
        tale.replayed_anew()
    };
    let lies: [&dyn Fn(&mut Stand); 4] = [
        &|stand| stand.since.uptime_ms += 1,
        &|stand| stand.since.uptime_ms -= HOUR_MS.cast_unsigned(),
        &|stand| stand.since.wall_unix_ms -= DAY_MS,
        &|stand| stand.since.boot -= 1,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        assert_eq!(stepped(lie), Err(Impossible::Since), "{number}");
    }
}
