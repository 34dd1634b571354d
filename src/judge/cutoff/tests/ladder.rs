//! The ladder as people would tell it, fact by fact.

use super::tale::{DAY_MS, Entry, HOUR_MS, MINUTE_MS, Tale, holds, meter, order, point};
use crate::{
    judge::{
        Event, Finding, Sign,
        cutoff::{
            Agreed, Carrier, Deed, Holds, Impossible, Lack, OrderAct, Rung, Unfit, UtilityReading,
            reading::{Quality, Switch},
        },
        state::{State, Why},
    },
    metering::Fault,
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
fn the_whole_way_with_the_holds_of_the_law() {
    let mut tale = Tale::new(order(Holds::default(), vec![point(Carrier::Own)]));
    tale.act(Deed::Acknowledge).unwrap();
    tale.act(Deed::Plan { cut_unix_ms: tale.now.wall_unix_ms }).unwrap();
    tale.dead_for(HOUR_MS);
    assert_eq!(tale.rung(), Rung::Scheduled, "nobody has said yet that it is cut");
    // Monday 09:00.
    tale.claim().dead_for(DAY_MS - HOUR_MS);
    assert_eq!(tale.rung(), Rung::Observing, "a night, but no day");
    tale.dead_for(HOUR_MS + MINUTE_MS);
    assert_eq!(tale.rung(), Rung::Provisional);
    tale.reading(25, 0, Switch::Open);
    for _ in 0..6 {
        tale.dead_for(DAY_MS).reading(24, 0, Switch::Open);
    }
    // Monday 09:00 again, a weekend between; the readings lack the first hours, a day at most.
    assert_eq!(tale.rung(), Rung::Verified, "{:?}", tale.stand());
    let hold = tale.stand().hold.unwrap();
    assert_eq!((hold.nights.full, hold.weekends.full, hold.gaps), (7, 1, 0));
    tale.act(Deed::Seal { number: "F-7".into() }).unwrap();
    assert_eq!(tale.rung(), Rung::Maintained);
    for _ in 0..20 {
        tale.dead_for(DAY_MS).reading(24, 0, Switch::Open);
    }
    tale.act(Deed::Close { document: crate::terms::Digest::of(b"acceptance") }).unwrap();
    let ways = tale.ways();
    let words: Vec<&str> = ways.iter().map(|(_, why)| why.as_str()).collect();
    let expected = [
        "acknowledged",
        "planned",
        "claimed",
        "first_dead",
        "held",
        "held",
        "sealed",
        "month_held",
        "demolished",
    ];
    assert_eq!(words, expected);
}

#[test]
fn nothing_is_verified_without_the_suppliers_agreement() {
    let mut tale = tale();
    tale.claim().dead_for(30 * HOUR_MS);
    assert_eq!(tale.rung(), Rung::Provisional);
    let lacks = |tale: &Tale| tale.stand().hold.unwrap().is_verified(&holds(), 1);
    assert_eq!(lacks(&tale), Err(Lack::Utility));
    for switch in [Switch::Ready, Switch::Logical, Switch::Unknown] {
        tale.reading(30, 0, switch);
        assert_eq!(
            (tale.rung(), lacks(&tale)),
            (Rung::Provisional, Err(Lack::Utility)),
            "{switch:?} is no cut"
        );
    }
    tale.reading(20, 0, Switch::Open);
    assert_eq!(lacks(&tale), Err(Lack::Utility), "the first ten hours are not told");
    tale.reading(30, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified);
}

#[test]
fn a_reading_that_differs_is_doubt_and_no_conviction() {
    for (energy, switch) in [(5_000, Switch::Open), (0, Switch::Closed)] {
        let mut tale = verified();
        tale.reading(2, energy, switch);
        assert_eq!(tale.rung(), Rung::Indeterminate);
        tale.dead_for(MINUTE_MS);
        assert_eq!(tale.rung(), Rung::Observing, "the hold begins anew");
        assert_eq!(tale.stand().hold.unwrap().agreed, Agreed::default());
    }
}

#[test]
fn a_short_gap_with_registers_still_pauses_and_any_other_begins_anew() {
    let gap = |ms: i64, moved: i64| {
        let mut tale = tale();
        tale.claim().dead_for(3 * HOUR_MS).wait(ms);
        tale.energy[0] += moved;
        tale.dead_for(MINUTE_MS);
        tale
    };
    let short = gap(13 * MINUTE_MS, 0);
    let hold = short.stand().hold.unwrap();
    assert_eq!((short.rung(), hold.gaps, hold.longest_gap_ms), (Rung::Provisional, 1, 14 * MINUTE_MS));
    for (ms, moved) in [(16 * MINUTE_MS, 0), (13 * MINUTE_MS, 10)] {
        let broken = gap(ms, moved);
        let stand = broken.stand();
        assert_eq!(broken.rung(), Rung::Observing, "{ms} {moved}");
        assert_eq!((stand.restarts, stand.hold.unwrap().proven_ms), (1, 0));
        assert!(stand.earlier_ms >= 2 * HOUR_MS, "what was proven is kept: {}", stand.earlier_ms);
    }
}

#[test]
fn silence_leads_to_doubt_and_never_up() {
    let mut tale = verified();
    for _ in 0..15 {
        tale.wait(MINUTE_MS).see(0, None).tick(true);
    }
    assert_eq!(tale.rung(), Rung::Verified, "fifteen minutes are not more than fifteen");
    tale.wait(MINUTE_MS).see(0, None).tick(true);
    assert_eq!(tale.rung(), Rung::Indeterminate);
    for _ in 0..3_000 {
        tale.wait(MINUTE_MS).see(0, None).tick(true);
    }
    assert_eq!(tale.rung(), Rung::Indeterminate, "no time of silence climbs");
    tale.dead_for(MINUTE_MS);
    assert_eq!(tale.rung(), Rung::Observing);
}

#[test]
fn the_gateways_own_sleep_is_no_silence_of_the_meter() {
    let mut tale = verified();
    tale.wait(10 * HOUR_MS).tick(false);
    assert_eq!(tale.rung(), Rung::Verified, "who slept blames nobody");
    tale.dead_for(MINUTE_MS);
    assert_eq!(tale.rung(), Rung::Observing, "but ten hours are proven by nothing");
    assert_eq!(tale.ways().last().unwrap().1, "gap");
}

#[test]
fn power_after_the_cut_was_seen_is_latched_until_the_reset() {
    for (state, why) in [(State::Drawing, "drawing"), (State::Exporting, "exporting")] {
        for seal in [false, true] {
            let mut tale = verified();
            if seal {
                tale.act(Deed::Seal { number: "F-1".into() }).unwrap();
            }
            tale.wait(MINUTE_MS).see(0, Some(state));
            assert_eq!((tale.rung(), tale.ways().last().unwrap().1.as_str()), (Rung::Violated, why));
            tale.dead_for(30 * HOUR_MS).reading(30, 0, Switch::Open);
            assert_eq!(tale.rung(), Rung::Violated, "time never opens it");
            tale.act(Deed::Reset).unwrap();
            assert_eq!(tale.rung(), Rung::CutClaimed);
            tale.dead_for(MINUTE_MS);
            assert_eq!(tale.rung(), Rung::Observing);
            assert!(!tale.stand().is_sealed, "the seal was broken with it");
        }
    }
}

#[test]
fn power_before_the_cut_was_seen_is_no_violation() {
    let mut tale = tale();
    tale.claim().dead_for(14 * MINUTE_MS).wait(MINUTE_MS).see(0, Some(State::Drawing));
    assert_eq!((tale.rung(), tale.ways().last().unwrap().1.as_str()), (Rung::CutClaimed, "power_back"));
    tale.dead_for(17 * MINUTE_MS).wait(MINUTE_MS).see(0, Some(State::Drawing));
    assert_eq!(tale.rung(), Rung::Violated);
}

#[test]
fn voltage_behind_the_cut_is_told_at_once() {
    let mut tale = verified();
    let fed = |tale: &Tale| {
        let is_fed = |entry: &Entry| matches!(entry, Entry::Said(Finding::Event(Event::FedBehindCut { meter: m, .. })) if *m == meter("m1"));
        tale.log.iter().filter(|(_, entry)| is_fed(entry)).count()
    };
    tale.wait(1_000).see(0, Some(State::Energised));
    assert_eq!((fed(&tale), tale.rung()), (1, Rung::Verified), "the warning does not wait, the verdict does");
    tale.wait(1_000).see(0, Some(State::Energised));
    assert_eq!(fed(&tale), 1, "once");
    tale.dead_for(MINUTE_MS).wait(1_000).see(0, Some(State::Energised));
    assert_eq!(fed(&tale), 2);
}

#[test]
fn a_strong_sign_is_doubt() {
    let mut tale = verified();
    tale.wait(MINUTE_MS).see(0, Some(State::Masked(Sign::Stuck)));
    assert_eq!(tale.ways().last().unwrap(), &("indeterminate", "masked".to_owned()));
}

#[test]
fn the_meter_upstream_carries_the_proof_where_the_points_own_falls_silent() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Upstream)]));
    tale.claim();
    let minute = |tale: &mut Tale, own: Option<State>, upstream: State| {
        tale.wait(MINUTE_MS).see(0, own).see(1, Some(upstream)).tick(true);
    };
    minute(&mut tale, Some(State::Energised), State::Energised);
    assert_eq!(tale.rung(), Rung::CutClaimed, "its own meter sees voltage");
    for _ in 0..7 * 60 {
        minute(&mut tale, None, State::Energised);
    }
    tale.reading(7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified);
    assert!(
        tale.steps()
            .iter()
            .skip(2)
            .all(|step| step.stand.unwrap().hold.unwrap().carrier == Carrier::Upstream)
    );
    minute(&mut tale, None, State::Drawing);
    assert_eq!(tale.rung(), Rung::Violated);
}

#[test]
fn silence_alone_proves_nothing_and_a_supplier_that_was_named_proves_it() {
    let silent = |carrier: Carrier| {
        let mut tale = Tale::new(order(holds(), vec![point(carrier)]));
        tale.claim();
        for _ in 0..8 * 60 {
            tale.wait(MINUTE_MS).see(0, None).tick(true);
        }
        let now = tale.now.wall_unix_ms;
        let reading = tale.told_of("m1", (now - 8 * HOUR_MS, now), 0, Switch::Open);
        let expected = if carrier == Carrier::Utility { Ok(()) } else { Err(Unfit::OutOfTurn) };
        assert_eq!(tale.act(Deed::Reading(reading)), expected, "no answer says that it was used for nothing");
        tale
    };
    assert_eq!(silent(Carrier::Own).rung(), Rung::CutClaimed);
    let told = silent(Carrier::Utility);
    assert_eq!(told.rung(), Rung::Verified, "{:?}", told.stand());
    assert_eq!(told.stand().hold.unwrap().carrier, Carrier::Utility);
}

#[test]
fn a_suspension_ends_where_it_began_as_far_as_that_still_holds() {
    let suspended = |during: fn(&mut Tale)| {
        let mut tale = verified();
        tale.act(Deed::Suspend { until_unix_ms: Some(tale.now.wall_unix_ms + 2 * HOUR_MS) }).unwrap();
        tale.dead_for(HOUR_MS);
        during(&mut tale);
        assert_eq!(tale.rung(), Rung::Suspended);
        tale
    };
    let mut quiet = suspended(|_| ());
    quiet.act(Deed::Resume).unwrap();
    assert_eq!(quiet.rung(), Rung::Observing);
    quiet.dead_for(MINUTE_MS).reading(2, 0, Switch::Open);
    assert_eq!(quiet.rung(), Rung::Verified, "the hold has never been broken");
    let mut fed = suspended(|tale| {
        tale.wait(MINUTE_MS).see(0, Some(State::Drawing));
    });
    fed.act(Deed::Resume).unwrap();
    assert_eq!(fed.rung(), Rung::Acknowledged, "to be cut anew");
    let mut over = suspended(|_| ());
    over.dead_for(2 * HOUR_MS).reading(4, 0, Switch::Open);
    assert_eq!(over.rung(), Rung::Verified);
    let words: Vec<String> = over.ways().into_iter().map(|(_, why)| why).collect();
    assert!(words.contains(&"suspension_over".to_owned()), "{words:?}");
}

#[test]
fn acts_out_of_turn_are_refused_and_change_nothing() {
    let mut tale = tale();
    let before = tale.stand();
    assert_eq!(tale.act(Deed::Resume), Err(Unfit::OutOfTurn));
    assert_eq!(tale.act(Deed::Seal { number: "1".into() }), Err(Unfit::OutOfTurn));
    assert_eq!(tale.act(Deed::Restore), Err(Unfit::OutOfTurn), "nothing was cut yet");
    assert_eq!((tale.stand(), tale.log.len()), (before, 2), "the order and its answer");
    tale.act(Deed::Revoke).unwrap();
    assert_eq!(tale.act(Deed::Acknowledge), Err(Unfit::OutOfTurn));
}

#[test]
fn a_power_cut_of_the_gateway_in_mid_hold_costs_no_more_than_its_gap() {
    let mut tale = tale();
    tale.claim().dead_for(90 * MINUTE_MS);
    let before = tale.stand().hold.unwrap();
    tale.power_cut(2 * MINUTE_MS, 0);
    let told = tale.stand().hold.unwrap();
    assert!(before.proven_ms - told.proven_ms <= 5 * MINUTE_MS, "a note every five minutes");
    tale.dead_for(MINUTE_MS);
    assert_eq!((tale.rung(), tale.stand().restarts), (Rung::Observing, 0), "{:?}", tale.ways());
    tale.power_cut(20 * MINUTE_MS, 0).dead_for(MINUTE_MS);
    assert_eq!(tale.stand().restarts, 1);
}

#[test]
fn an_act_whose_step_the_power_cut_took_is_executed_at_the_next_start() {
    // The answer alone, or the step with it; and once more before anything else was said.
    for lost in [1, 2] {
        let mut tale = tale();
        tale.claim();
        tale.power_cut(HOUR_MS, lost).power_cut(HOUR_MS, lost);
        assert_eq!(tale.ways(), [("cut_claimed", "claimed".to_owned())], "{lost}");
    }
}

#[test]
fn an_act_whose_note_was_written_and_whose_step_was_not_is_finished() {
    // The hold has grown since its last note, so that an act is told with a note before its step, and then the answer.
    let mut tale = verified();
    tale.dead_for(3 * MINUTE_MS);
    let before = tale.log.len();
    tale.act(Deed::Suspend { until_unix_ms: None }).unwrap();
    assert_eq!(tale.log.len() - before, 4, "act, note, step, answer");
    tale.power_cut(MINUTE_MS, 2);
    assert_eq!(tale.rung(), Rung::Suspended);
}

#[test]
fn a_moved_clock_makes_no_night() {
    let night = Holds { nights: 1, ..holds() };
    let mut tale = Tale::new(order(night, vec![point(Carrier::Own)]));
    // From 08:00 on; at 15:00 somebody sets the clock to 05:50 of the next day.
    tale.claim().dead_for(7 * HOUR_MS).step_clock(14 * HOUR_MS + 50 * MINUTE_MS).dead_for(HOUR_MS);
    assert_eq!((tale.rung(), tale.stand().hold.unwrap().nights.full), (Rung::Observing, 0));
}

#[test]
fn a_point_that_tells_no_reason_but_doubt_pauses() {
    let mut tale = verified();
    for why in [Why::InducedVoltage, Why::NotProvenAlive, Why::RegisterMoves, Why::Fault(Fault::Timeout)] {
        tale.wait(MINUTE_MS).see(0, Some(State::Unknown(why))).tick(true);
    }
    let before = tale.stand().hold.unwrap();
    assert_eq!(tale.rung(), Rung::Verified);
    tale.dead_for(MINUTE_MS);
    let after = tale.stand().hold.unwrap();
    assert_eq!((after.proven_ms, after.gaps), (before.proven_ms, before.gaps + 1));
}

#[test]
fn a_reading_of_a_time_that_has_not_been_is_refused_and_moves_nothing() {
    for carrier in [Carrier::Own, Carrier::Utility] {
        let mut tale = Tale::new(order(holds(), vec![point(carrier)]));
        tale.claim();
        for _ in 0..20 {
            tale.wait(MINUTE_MS).see(0, (carrier == Carrier::Own).then_some(State::Dead)).tick(true);
        }
        let before = (tale.stand(), tale.log.len());
        let now = tale.now.wall_unix_ms;
        for to in [now + 10 * DAY_MS, now + HOUR_MS, now + MINUTE_MS + 1] {
            let reading = tale.told_of("m1", (now - HOUR_MS, to), 0, Switch::Open);
            assert_eq!(tale.act(Deed::Reading(reading)), Err(Unfit::NotYet));
        }
        assert_eq!((tale.stand(), tale.log.len()), before, "{carrier:?}");
        // The supplier's clock may be a minute ahead; no hold runs ahead of ours for that.
        let reading = tale.told_of("m1", (now - HOUR_MS, now + MINUTE_MS), 0, Switch::Open);
        tale.act(Deed::Reading(reading)).unwrap();
        let hold = tale.stand().hold.unwrap();
        assert!(hold.until.wall_unix_ms <= now && hold.agreed.of(0).unwrap().1 <= now, "{hold:?}");
    }
}

/// A log of the machine in which the reading says something else than what the machine was told.
fn rewritten(carrier: Carrier, rewrite: &dyn Fn(&mut UtilityReading)) -> Result<Rung, Impossible> {
    let mut tale = Tale::new(order(holds(), vec![point(carrier)]));
    tale.claim();
    for _ in 0..8 * 60 {
        tale.wait(MINUTE_MS).see(0, (carrier == Carrier::Own).then_some(State::Dead)).tick(true);
    }
    tale.reading(8, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified);
    for (_, entry) in &mut tale.log {
        if let Entry::Act(OrderAct { deed: Deed::Reading(reading), .. }) = entry {
            rewrite(reading);
        }
    }
    tale.replayed_anew()
}

#[test]
fn a_replayer_believes_no_agreement_that_the_reading_itself_does_not_bear_out() {
    for carrier in [Carrier::Own, Carrier::Utility] {
        assert_eq!(rewritten(carrier, &|_| ()), Ok(Rung::Verified));
        for switch in [Switch::Closed, Switch::Ready, Switch::Logical, Switch::Unknown] {
            let said = rewritten(carrier, &|reading| reading.switch = switch);
            assert_eq!(said, Err(Impossible::Agreed), "{switch:?}");
        }
        for quality in [Quality::Estimated, Quality::Missing, Quality::Questionable] {
            let said = rewritten(carrier, &|reading| reading.spans[0].quality = quality);
            assert_eq!(said, Err(Impossible::Agreed), "{quality:?}");
        }
        let energy = |reading: &mut UtilityReading| reading.spans[0].energy.0 = 9_000_000_000;
        assert_eq!(rewritten(carrier, &energy), Err(Impossible::Agreed), "9 GWh");
        let shorter = |reading: &mut UtilityReading| reading.spans[0].to_unix_ms -= HOUR_MS;
        assert_eq!(rewritten(carrier, &shorter), Err(Impossible::Agreed));
        let elsewhere = |reading: &mut UtilityReading| reading.meter = meter("m9");
        assert_eq!(rewritten(carrier, &elsewhere), Err(Impossible::Unfit(Unfit::UnknownPoint)));
        let later = |reading: &mut UtilityReading| reading.spans[0].to_unix_ms += 10 * DAY_MS;
        assert_eq!(rewritten(carrier, &later), Err(Impossible::NotYet));
    }
}

#[test]
fn a_replayer_lets_no_hold_climb_past_a_reading_that_denies_it() {
    // Verified and agreed with; then a reading that shows a furnace, which the log says nothing came of, and the month.
    let mut tale = verified();
    tale.reading(1, 0, Switch::Open);
    let closed =
        tale.told_of("m1", (tale.now.wall_unix_ms - HOUR_MS, tale.now.wall_unix_ms), 0, Switch::Closed);
    for (_, entry) in tale.log.iter_mut().rev() {
        if let Entry::Act(OrderAct { deed: Deed::Reading(reading), .. }) = entry {
            *reading = closed;
            break;
        }
    }
    tale.act(Deed::Seal { number: "F-1".into() }).unwrap();
    assert_eq!(tale.replayed_anew(), Err(Impossible::Agreed));
}

#[test]
fn a_reading_that_denies_a_hold_ends_it_in_a_suspension_too() {
    let mut tale = verified();
    tale.act(Deed::Suspend { until_unix_ms: None }).unwrap();
    tale.dead_for(HOUR_MS).reading(1, 0, Switch::Closed);
    assert_eq!((tale.rung(), tale.stand().hold), (Rung::Suspended, None));
    tale.dead_for(HOUR_MS).act(Deed::Resume).unwrap();
    tale.dead_for(MINUTE_MS).reading(1, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Observing, "what was held before is not added");
}

#[test]
fn one_reading_after_the_other_hides_no_more_than_one() {
    let told = |energy| {
        let mut tale = Tale::new(order(holds(), vec![point(Carrier::Utility)]));
        tale.claim();
        for _ in 0..8 {
            for _ in 0..60 {
                tale.wait(MINUTE_MS).see(0, None).tick(true);
            }
            tale.reading(1, energy, Switch::Open);
        }
        tale
    };
    assert_eq!(told(0).rung(), Rung::Verified);
    let creeps = told(20);
    assert_eq!(creeps.rung(), Rung::Provisional, "two steps of the register in each of eight readings");
    assert_eq!(creeps.stand().hold.unwrap().is_verified(&holds(), 1), Err(Lack::Still));
}
