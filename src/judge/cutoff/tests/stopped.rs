//! What a witness that was stopped must not forget, and what is said of a cut only as long as it is so.

use super::tale::{DAY_MS, Entry, HOUR_MS, MINUTE_MS, Tale, holds, meter, order, point};
use crate::{
    judge::{
        Event, Finding,
        cutoff::{
            Carrier, Deed, Impossible, Lack, Order, OrderAct, Point, Registers, Rung, Unfit, UtilityMeter,
            reading::Switch,
        },
        state::State,
    },
    terms::MilliWatts,
};

fn tale() -> Tale {
    Tale::new(order(holds(), vec![point(Carrier::Own)]))
}

fn verified() -> Tale {
    let mut tale = tale();
    tale.claim().dead_for(7 * HOUR_MS).reading(7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified, "{:?}", tale.ways());
    tale
}

#[test]
fn what_a_register_counted_while_the_witness_was_stopped_is_power_behind_the_cut() {
    for (moved, rung, why) in [
        (20_000, Rung::Violated, "drawing"),
        (200_000, Rung::Violated, "drawing"),
        // More than can have passed in five seconds: a register that was turned, which convicts nobody.
        (300_000_000, Rung::Indeterminate, "masked"),
    ] {
        let mut tale = tale();
        tale.claim().dead_for(3 * HOUR_MS).power_cut(5_000, 0);
        tale.energy[0] += moved;
        tale.see(0, Some(State::Dead));
        assert_eq!((tale.rung(), tale.ways().last().unwrap().1.as_str()), (rung, why), "{moved} Wh");
        tale.dead_for(HOUR_MS);
        assert!(tale.stand().hold.is_none_or(|hold| hold.since.boot == 2), "{moved} Wh");
    }
    let mut still = tale();
    still.claim().dead_for(3 * HOUR_MS).power_cut(5_000, 0).see(0, Some(State::Dead));
    assert_eq!((still.rung(), still.stand().restarts), (Rung::Provisional, 0));
}

#[test]
fn a_hold_whose_register_nobody_remembers_begins_anew() {
    let mut tale = tale();
    tale.claim().dead_for(3 * HOUR_MS);
    for (_, entry) in &mut tale.log {
        let stand = match entry {
            Entry::Said(Finding::Event(Event::Hold(note))) => Some(&mut note.stand),
            Entry::Said(Finding::Transition(step)) => step.stand.as_mut(),
            Entry::Act(_) | Entry::Said(_) | Entry::Answered(_) | Entry::Shows(..) => None,
        };
        if let Some(hold) = stand.and_then(|stand| stand.hold.as_mut()) {
            hold.registers = Registers::default();
        }
    }
    tale.power_cut(5_000, 0).see(0, Some(State::Dead));
    assert_eq!((tale.rung(), tale.stand().restarts), (Rung::Observing, 1));
}

#[test]
fn what_moved_is_never_taken_back() {
    let mut tale = tale();
    tale.claim().dead_for(HOUR_MS);
    tale.energy[0] += 10;
    tale.dead_for(HOUR_MS).power_cut(5_000, 0).dead_for(HOUR_MS);
    assert_eq!(tale.stand().hold.unwrap().moved.0, 10);
    let mut forged = Tale::of(tale.log.clone());
    forged.last_hold().moved.0 = 0;
    assert_eq!(forged.replayed_anew(), Err(Impossible::Stand));
    tale.energy[0] += 20;
    tale.dead_for(MINUTE_MS);
    assert_eq!(tale.rung(), Rung::Violated, "three steps in one hold");
}

/// The point's own meter is silent, and the one upstream tells what passes it, watts.
fn upstream(watts: i64, idle_watts: i64) -> Tale {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Upstream)]));
    tale.idle = MilliWatts::from_watts(idle_watts);
    tale.claim();
    for _ in 0..3 * 60 {
        tale.energy[1] += watts / 60;
        tale.wait(MINUTE_MS).see(0, None).see(1, Some(State::Energised)).tick(true);
    }
    tale
}

#[test]
fn what_moved_upstream_is_told_beside_what_was_allowed() {
    let tale = upstream(12_000, 20_000);
    let hold = tale.stand().hold.unwrap();
    assert_eq!(tale.rung(), Rung::Provisional);
    assert!((35_000..=36_000).contains(&hold.moved.0), "{hold:?}");
    assert!((59_000..=60_100).contains(&hold.blind.0), "{hold:?}");
    assert_eq!(hold.carrier, Carrier::Upstream, "whoever shows it knows that its own meter is silent");
    let draws = upstream(12_000, 6_000);
    assert!(draws.stand().hold.is_none_or(|hold| hold.proven_ms < HOUR_MS), "{:?}", draws.ways());
    let blind = upstream(200_000, 1_200_000);
    assert_eq!((blind.rung(), blind.stand().hold), (Rung::CutClaimed, None), "a tenth of the furnace");
}

#[test]
fn a_meter_upstream_that_counts_no_energy_proves_nothing() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Upstream)]));
    (tale.idle, tale.counts) = (MilliWatts::from_watts(20_000), false);
    tale.claim();
    for _ in 0..3 * 60 {
        tale.wait(MINUTE_MS).see(0, None).see(1, Some(State::Energised)).tick(true);
    }
    assert_eq!((tale.rung(), tale.stand().hold), (Rung::CutClaimed, None));
}

#[test]
fn a_denial_stands_over_a_stop_of_the_witness() {
    let mut tale = verified();
    tale.reading(1, 0, Switch::Open);
    tale.power_cut(1_000, 0).dead_for(MINUTE_MS);
    let closed = tale.told_of(
        "m1",
        (tale.now.wall_unix_ms - HOUR_MS, tale.now.wall_unix_ms),
        5_000_000,
        Switch::Closed,
    );
    tale.act(Deed::Seal { number: "F-1".into() }).unwrap();
    for (at, entry) in tale.log.iter_mut().rev() {
        if let Entry::Act(OrderAct { deed: Deed::Reading(reading), .. }) = entry {
            *reading = closed.clone();
            reading.spans[0].to_unix_ms = at.wall_unix_ms;
            break;
        }
    }
    assert_eq!(tale.replayed_anew(), Err(Impossible::Agreed));
}

#[test]
fn readings_of_one_feeder_verify_no_other_that_the_order_names_later() {
    let mut tale = verified();
    let elsewhere = Point { meter: meter("up"), ..point(Carrier::Own) };
    let order = Order { version: 2, ..order(holds(), vec![elsewhere]) };
    tale.act(Deed::Order(order)).unwrap();
    assert_eq!((tale.rung(), tale.stand().hold), (Rung::CutClaimed, None));
    for _ in 0..7 * 60 {
        tale.wait(MINUTE_MS).see(1, Some(State::Dead)).tick(true);
    }
    assert_eq!(tale.rung(), Rung::Provisional);
    tale.reading_at("up", 7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified);
}

#[test]
fn no_hold_begins_before_the_order_that_is_in_force() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Utility)]));
    tale.claim();
    let silent = |tale: &mut Tale| {
        for _ in 0..2 * 60 {
            tale.wait(MINUTE_MS).see(0, None).tick(true);
        }
    };
    silent(&mut tale);
    tale.act(Deed::Order(Order { version: 2, ..order(holds(), vec![point(Carrier::Utility)]) })).unwrap();
    let given = tale.now;
    silent(&mut tale);
    tale.reading(4, 0, Switch::Open);
    assert!(tale.stand().hold.unwrap().since.since_ms(&given) >= 0, "{:?}", tale.stand());
}

#[test]
fn one_agreement_is_of_one_meter_of_the_suppliers() {
    let read = |tale: &mut Tale, serial: Option<&str>| {
        let now = tale.now.wall_unix_ms;
        let mut reading = tale.told_of("m1", (now - HOUR_MS, now), 0, Switch::Open);
        reading.serial = serial.map(str::to_owned);
        tale.act(Deed::Reading(reading))
    };
    let named = UtilityMeter { serial: "31-0042".into(), is_ordered: true };
    let mut ordered =
        Tale::new(order(holds(), vec![Point { utility_meter: Some(named), ..point(Carrier::Own) }]));
    let mut first = tale();
    ordered.claim().dead_for(HOUR_MS);
    first.claim().dead_for(HOUR_MS);
    for tale in [&mut ordered, &mut first] {
        assert_eq!(read(tale, Some("31-0042")), Ok(()));
        for other in [Some("99-7777"), None] {
            assert_eq!(read(tale, other), Err(Unfit::AnotherMeter), "{other:?}");
        }
        tale.power_cut(1_000, 0);
        assert_eq!(read(tale, Some("99-7777")), Err(Unfit::AnotherMeter), "after a stop too");
    }
    let bound = first.cut().order().points[0].utility_meter.clone().unwrap();
    assert_eq!((bound.serial.as_str(), bound.is_ordered), ("31-0042", false));
    for (_, entry) in ordered.log.iter_mut() {
        if let Entry::Act(OrderAct { deed: Deed::Reading(reading), .. }) = entry {
            reading.serial = Some("99-7777".into());
        }
    }
    assert_eq!(ordered.replayed_anew(), Err(Impossible::NotTheSupplier));
}

#[test]
fn what_is_maintained_ends_when_the_supplier_says_no_more() {
    for seal in [false, true] {
        let mut tale = verified();
        if seal {
            tale.act(Deed::Seal { number: "F-1".into() }).unwrap();
        }
        tale.dead_for(30 * DAY_MS);
        assert!(matches!(tale.rung(), Rung::Verified | Rung::Maintained));
        assert_eq!(tale.cut().holds_now(), Err(Lack::Utility), "no certificate is due");
        tale.dead_for(3 * DAY_MS);
        assert_eq!(tale.ways().last().unwrap(), &("provisional", "agreement_lapsed".to_owned()));
        tale.reading(34 * 24 + 7, 0, Switch::Open);
        assert_eq!(tale.rung(), if seal { Rung::Maintained } else { Rung::Verified });
    }
}

#[test]
fn a_cut_that_is_hardly_looked_at_any_more_is_not_verified() {
    let mut tale = verified();
    for _ in 0..12 {
        tale.wait(9 * MINUTE_MS).dead_for(MINUTE_MS);
    }
    let words: Vec<String> = tale.ways().into_iter().map(|(_, why)| why).collect();
    assert!(words.contains(&"no_evidence".to_owned()), "{words:?}");
}

#[test]
fn a_second_cut_is_claimed_anew_and_sealed_anew() {
    let mut tale = verified();
    tale.act(Deed::Seal { number: "F-1".into() }).unwrap();
    tale.wait(MINUTE_MS).see(0, Some(State::Drawing)).act(Deed::Reset).unwrap();
    assert_eq!(tale.rung(), Rung::CutClaimed);
    tale.wait(MINUTE_MS).claim();
    assert_eq!(
        (tale.rung(), tale.stand().is_sealed, tale.stand().since),
        (Rung::CutClaimed, false, tale.now)
    );
    tale.dead_for(MINUTE_MS);
    assert_eq!(tale.rung(), Rung::Observing);
}

#[test]
fn a_switch_that_stood_closed_before_the_cut_denies_nothing() {
    let mut tale = tale();
    tale.claim().dead_for(3 * HOUR_MS);
    let cut = tale.stand().hold.unwrap().since.wall_unix_ms;
    let before = tale.told_of("m1", (cut - HOUR_MS, cut), 11_500, Switch::Closed);
    tale.act(Deed::Reading(before)).unwrap();
    assert_eq!(tale.rung(), Rung::Provisional);
    let after = tale.told_of("m1", (cut, cut + HOUR_MS), 0, Switch::Closed);
    tale.act(Deed::Reading(after)).unwrap();
    assert_eq!(tale.rung(), Rung::Indeterminate);
}
