//! Every fault and every cheat a meter can show, thrown at an order on every rung: it ends where the table says.

use super::tale::{DAY_MS, HOUR_MS, MINUTE_MS, Tale, holds, meter, order, point};
use crate::{
    judge::{
        Sign,
        cutoff::{
            Carrier, Cue, Deed, Point, Rung,
            reading::Switch,
            table::{Way, way},
        },
        state::{State, Why},
    },
    metering::Fault,
    terms::Digest,
};

/// An order that has come to stand there, seen long enough where it was seen at all.
fn standing(rung: Rung) -> Tale {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
    let seen = 20 * MINUTE_MS;
    match rung {
        Rung::Issued => {}
        Rung::Acknowledged => tale.act(Deed::Acknowledge).unwrap(),
        Rung::Scheduled => tale.act(Deed::Plan { cut_unix_ms: 0 }).unwrap(),
        Rung::CutClaimed => {
            tale.claim();
        }
        Rung::Observing => {
            tale.claim().dead_for(seen);
        }
        Rung::Provisional => {
            tale.claim().dead_for(3 * HOUR_MS);
        }
        Rung::Verified => {
            tale.claim().dead_for(7 * HOUR_MS).reading(7, 0, Switch::Open);
        }
        Rung::Maintained => {
            tale = standing(Rung::Verified);
            tale.act(Deed::Seal { number: "F-1".into() }).unwrap();
        }
        Rung::Violated => {
            tale.claim().dead_for(seen).wait(MINUTE_MS).see(0, Some(State::Drawing));
        }
        Rung::Indeterminate => {
            tale.claim().dead_for(seen).wait(MINUTE_MS).see(0, Some(State::Masked(Sign::Stuck)));
        }
        Rung::Suspended => {
            tale.claim().dead_for(seen).act(Deed::Suspend { until_unix_ms: None }).unwrap();
        }
        Rung::Closed => {
            tale = standing(Rung::Maintained);
            tale.act(Deed::Close { document: Digest::of(b"acceptance") }).unwrap();
        }
        Rung::Cancelled => tale.act(Deed::Revoke).unwrap(),
        Rung::Restored => tale.claim().act(Deed::Restore).unwrap(),
    }
    assert_eq!(tale.rung(), rung);
    tale
}

/// What a meter shows, or does not, and the cue it comes to where the cut was seen.
fn thrown() -> Vec<(State, Option<Cue>)> {
    let doubts = [Why::Fault(Fault::Timeout), Why::Silent, Why::InducedVoltage].map(State::Unknown);
    let signs = [Sign::Stuck, Sign::Replayed, Sign::SerialChanged, Sign::RatioChanged].map(State::Masked);
    let mut all = vec![
        (State::Drawing, Some(Cue::Drawing)),
        (State::Exporting, Some(Cue::Exporting)),
        // Within the allowances, or voltage for less than a minute: it moves nothing.
        (State::Auxiliary, None),
        (State::Energised, None),
    ];
    all.extend(doubts.map(|doubt| (doubt, None)));
    all.extend(signs.map(|sign| (sign, Some(Cue::Masked))));
    all
}

/// Where the table sends it; of an order nobody has seen cut, power is no violation.
fn by_the_table(tale: &Tale, cue: Option<Cue>) -> Rung {
    let cue = match cue {
        Some(Cue::Drawing | Cue::Exporting) if !tale.stand().was_seen => Some(Cue::PowerBack),
        cue => cue,
    };
    match cue.map(|cue| way(tale.rung(), cue)) {
        Some(Way::To(rung)) => rung,
        Some(Way::Stays) | None => tale.rung(),
        Some(Way::Back | Way::Refused) => panic!("no meter shows that"),
    }
}

#[test]
fn whatever_a_meter_shows_an_order_ends_where_the_table_says_on_every_rung() {
    for rung in Rung::ALL {
        for (state, cue) in thrown() {
            let mut tale = standing(rung);
            let expected = by_the_table(&tale, cue);
            tale.wait(MINUTE_MS).see(0, Some(state));
            assert_eq!(tale.rung(), expected, "{state:?} at {rung:?}");
        }
    }
}

#[test]
fn silence_of_a_day_is_doubt_where_a_hold_runs_and_nothing_anywhere_else() {
    for rung in Rung::ALL {
        let mut tale = standing(rung);
        let expected = by_the_table(&tale, Some(Cue::NoEvidence));
        for _ in 0..DAY_MS / MINUTE_MS {
            tale.wait(MINUTE_MS).see(0, None).tick(true);
        }
        assert_eq!(tale.rung(), expected, "at {rung:?}");
    }
}

#[test]
fn what_a_latch_holds_nothing_but_the_authority_opens() {
    for (state, _) in thrown() {
        let mut tale = standing(Rung::Violated);
        tale.wait(MINUTE_MS).see(0, Some(state)).dead_for(8 * HOUR_MS).reading(8, 0, Switch::Open);
        assert_eq!(tale.rung(), Rung::Violated, "{state:?}");
    }
}

#[test]
fn a_reading_at_one_of_two_points_verifies_neither() {
    let second = Point { meter: meter("up"), ..point(Carrier::Own) };
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own), second]));
    tale.claim();
    for _ in 0..7 * 60 {
        tale.wait(MINUTE_MS).see(0, Some(State::Dead)).see(1, Some(State::Dead)).tick(true);
    }
    tale.reading(7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Provisional, "the supplier has told of one point only");
    tale.reading_at("up", 7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified, "{:?}", tale.stand());
}
