//! Random lives under a permit: two meters on one furnace, errors within their class, lamps, losses, slow registers, gaps
//! and restarts. Who draws no more than is permitted is never convicted; who draws clearly more always is.

use proptest::prelude::*;

use super::{
    permits::{asset, permit},
    *,
};
use crate::judge::{Permit, Permitted};

const METERS: [&str; 2] = ["m1", "m2"];

/// What differs between two lives.
#[derive(Clone, Debug)]
struct Life {
    /// When the permit begins, in seconds after a quarter of an hour before the month ends; how long it lasts.
    begins: u64,
    lasts: u64,
    permitted_kwh: i64,
    /// What is drawn of it, in per mille.
    drawn_per_mille: i64,
    /// Power of the furnace while it runs, and how it runs: seconds on and off.
    furnace_w: i64,
    pulses: (u64, u64),
    poll_s: u64,
    /// What each meter errs, in per mille of what its class may err.
    errors: [i64; 2],
    /// How old the register's value is, in seconds.
    lag_s: usize,
    step_wh: i64,
    lamps_w: i64,
    /// When nobody polls, and whether the program starts anew after it: from, for how long.
    gaps: Vec<(u64, u64, bool)>,
}

fn lives(drawn: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Life> {
    let plant = (0_u64..4_000, 1_200_u64..5_400, 50_i64..2_000, drawn, 1_000_000_i64..12_000_000);
    let meters = (
        prop_oneof![Just(1_u64), Just(10), Just(60)],
        prop::array::uniform2(-1_000_i64..=1_000),
        0_usize..55,
        prop_oneof![Just(10_i64), Just(1_000), Just(10_000)],
        0_i64..=30_000,
    );
    let gaps = prop::collection::vec((0_u64..9_000, 1_u64..2_000, any::<bool>()), 0..3);
    (plant, meters, gaps, 30_u64..1_200, 1_u64..600).prop_map(
        |((begins, lasts, permitted_kwh, drawn_per_mille, furnace_w), meters, gaps, on, off)| {
            let (poll_s, errors, lag_s, step_wh, lamps_w) = meters;
            let pulses = (on, off);
            Life {
                begins,
                lasts,
                permitted_kwh,
                drawn_per_mille,
                furnace_w,
                pulses,
                poll_s,
                errors,
                lag_s,
                step_wh,
                lamps_w,
                gaps,
            }
        },
    )
}

fn both(life: &Life) -> Vec<Commissioned> {
    let meter =
        |name| Commissioned { meter: MeterId::new(name).unwrap(), poll_ms: life.poll_s * 1_000, ..terms() };
    METERS.map(meter).into()
}

fn begun(life: &Life, memory: &Memory) -> Site {
    let standing = Standing::declared(LegalDay::parse("2026-10-31"));
    Site::new(both(life), vec![Equipment { id: asset(), standing }], memory)
}

/// What a restarted program remembers of what was said.
fn remembered(said: &[Finding], permit: Permit, last: Stamp) -> Memory {
    let mut memory = Memory { permits: vec![permit], last: Some(last), ..Memory::default() };
    for finding in said {
        let (meter, mark, windows, accounted_to) = match finding {
            Finding::Interval(i) => (i.meter, i.after, i.windows, i.end),
            Finding::State(found) => {
                let known = memory.meters.iter().any(|m| m.meter == found.meter && m.mark.is_some());
                let Some(mark) = found.mark.filter(|_| !known) else { continue };
                (found.meter, Some(mark), None, mark.at)
            }
            Finding::Verdict(verdict) => {
                memory.permit_uses =
                    verdict.permit_closed().map(|u| (verdict.asset, u)).into_iter().collect();
                continue;
            }
            Finding::Transition(_) | Finding::Event(_) => continue,
        };
        let known = memory.meters.iter().find(|m| m.meter == meter).and_then(|m| m.mark);
        memory.meters.retain(|m| m.meter != meter);
        let mark = mark.or(known);
        memory.meters.push(MeterMemory { meter, mark, earlier: None, windows, accounted_to, identity: None });
    }
    memory
}

/// Lives it, a second at a time; tells whether the latch closed, and what was drawn under the permit in kilowatt-hours.
fn live(life: &Life) -> (bool, i64) {
    let mut story = Story::new("2026-10-31");
    // The month ends a quarter of an hour later.
    let month_ends = LegalDay::parse("2026-12-01").unwrap().starts_unix_ms();
    story.wall_offset_ms = month_ends - 900_000 - WALL_MS;
    let began = permit(
        &story,
        life.lasts.cast_signed(),
        Permitted::Maintenance { energy: WattHours(life.permitted_kwh * 1_000) },
    );
    let shift_ms = life.begins.cast_signed() * 1_000;
    let permit = Permit {
        from_unix_ms: began.from_unix_ms + shift_ms,
        to_unix_ms: began.to_unix_ms + shift_ms,
        ..began
    };
    story.site = begun(life, &Memory { permits: vec![permit], ..Memory::default() });
    let (mut latched, mut drawn_ws, mut heard) = (false, 0_i64, 0);
    let most_ws = life.permitted_kwh * life.drawn_per_mille * 3_600;
    let mut counted = [vec![0_i64; life.lag_s + 1], vec![0_i64; life.lag_s + 1]];
    for second in 0..life.begins + life.lasts + 2_000 {
        story.now_ms += 1_000;
        let on = (second % (life.pulses.0 + life.pulses.1)) < life.pulses.0;
        let may = permit.from_unix_ms <= story.stamp().wall_unix_ms - 1_000
            && story.stamp().wall_unix_ms <= permit.to_unix_ms;
        let furnace = if on && may { life.furnace_w.min(most_ws - drawn_ws).max(0) } else { 0 };
        drawn_ws += furnace;
        let is_gap = life.gaps.iter().any(|(from, long, _)| (*from..from + long).contains(&second));
        if life.gaps.iter().any(|(from, long, restarts)| *restarts && second == from + long) {
            let memory = remembered(&story.said, permit, story.stamp());
            story.site = begun(life, &memory);
            story.boot += 1;
        }
        for (place, name) in METERS.into_iter().enumerate() {
            // Each meter sees half of it; its losses are the transformer's.
            let power = furnace / 2 + life.lamps_w + 20_000;
            let ppm = terms().error_ppm() * life.errors[place] / 1_000;
            let told = power + power * ppm / 1_000_000;
            let whole = counted[place].last().unwrap() + told;
            counted[place].remove(0);
            counted[place].push(whole);
            if !is_gap && second % life.poll_s == 0 {
                story.energy =
                    WattHours(1_000_000_000 + counted[place][0] / 3_600 / life.step_wh * life.step_wh);
                let mut reading = story.reading(told, 100, None);
                reading.meter = MeterId::new(name).unwrap();
                if let Some(register) = &mut reading.import {
                    register.step = WattHours(life.step_wh);
                }
                story.hear(&Sample::Reading(reading));
            }
        }
        if !is_gap {
            let (at, said) = (story.stamp(), &mut story.said);
            story.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
        latched |= story.said[heard..]
            .iter()
            .any(|f| matches!(f, Finding::Verdict(v) if v.violation_since_unix_ms.is_some()));
        heard = story.said.len();
    }
    (latched, drawn_ws / 3_600_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(96), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_draws_what_is_permitted_is_never_convicted(life in lives(0_i64..=1_000)) {
        prop_assert!(!live(&life).0);
    }

    #[test]
    fn who_draws_clearly_more_is_convicted(life in lives(Just(10_000_i64))) {
        // What may stand beside: the class's error twice, lamps and losses of both meters, two steps of each, and a few
        // polls; and whether so much can be drawn in that time at all is the life's.
        let life = Life { gaps: Vec::new(), ..life };
        let beside = life.permitted_kwh * 4 / 100
            + 2 * 50 * (life.lasts.cast_signed() + 60) / 3_600
            + 4 * life.step_wh / 1_000
            + life.furnace_w / 1_000 * (life.poll_s.cast_signed() * 3 + 60) / 3_600;
        let (latched, drawn_kwh) = live(&life);
        prop_assume!(drawn_kwh > life.permitted_kwh + beside + 10);
        prop_assert!(latched, "{drawn_kwh} kWh of {}, beside them {beside}", life.permitted_kwh);
    }
}
