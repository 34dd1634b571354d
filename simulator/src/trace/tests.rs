//! The judged trace against a rule that walks through it second by second and knows nothing of polls, registers or
//! the judge.

use coldhearth::{judge::edge::RTC_ERROR_MS, terms::MilliWatts};
use proptest::prelude::*;

use super::*;

const RATED_W: i64 = 1_000_000;
/// What the rules of the judge call the floor: 0.2 % of the rating.
const FLOOR_W: i64 = 2_000;

/// Power up to which nothing is proven: allowance and floor, and 1 % of them for the class of the meter.
fn limit_w(allowance_w: i64) -> i64 {
    (allowance_w + FLOOR_W) * 101 / 100
}

fn report(text: &str, allowance_w: i64, off_delay_s: u64) -> Report {
    let declared = Declared {
        rated: MilliWatts::from_watts(RATED_W),
        allowance: MilliWatts::from_watts(allowance_w),
        off_delay_ms: off_delay_s * 1_000,
    };
    judge(text.as_bytes(), &declared).unwrap()
}

/// Rows of whole seconds, from some time of a day on: how long, and the watts.
type Rows = [(i64, Option<i64>)];

fn csv(began: i64, rows: &Rows) -> String {
    let mut text = format!("time,power_w\n{began},\n");
    let mut at = began;
    for (seconds, watts) in rows {
        at += seconds;
        text += &format!("{at},{}\n", watts.map(|w| w.to_string()).unwrap_or_default());
    }
    text
}

fn told(report: &Report) -> Vec<(i64, i64, i64)> {
    let seconds = |moment: Moment| moment.unix_ms() / 1_000;
    report.judged.spells.iter().map(|s| (seconds(s.start), seconds(s.end), s.energy_wh)).collect()
}

/// Second by second: on beyond the limit, and once on as long as power stays above half the floor below it; off after
/// the off-delay. Start, end and watt-seconds of each spell.
fn walk(began: i64, rows: &Rows, allowance_w: i64, off_delay_s: i64) -> Vec<(i64, i64, i64)> {
    let limit = limit_w(allowance_w);
    let off_limit = limit - FLOOR_W / 2;
    let mut spells: Vec<(i64, i64, i64)> = Vec::new();
    let (mut now, mut since_last) = (began, 0);
    for watts in rows
        .iter()
        .flat_map(|(seconds, watts)| std::iter::repeat_n(*watts, usize::try_from(*seconds).unwrap()))
    {
        let drawn = watts.unwrap_or(0).max(0);
        now += 1;
        since_last += drawn;
        let near = spells.last().is_some_and(|(_, end, _)| now - 1 - end < off_delay_s);
        match spells.last_mut() {
            Some((_, end, sum)) if near && watts > Some(off_limit) => {
                (*end, *sum) = (now, *sum + since_last);
                since_last = 0;
            }
            _ if watts > Some(limit) => {
                spells.push((now - 1, now, drawn));
                since_last = 0;
            }
            _ => {}
        }
    }
    spells.into_iter().map(|(start, end, sum)| (start, end, (sum + 1_800) / 3_600)).collect()
}

/// Powers around everything that matters: nothing, the floor, the allowance, the band of the hysteresis, the limit.
fn watts(allowance_w: i64) -> impl Strategy<Value = Option<i64>> {
    let limit = limit_w(allowance_w);
    prop_oneof![
        3 => Just(Some(0)),
        2 => (0..=limit).prop_map(Some),
        1 => Just(Some(limit)),
        1 => (limit - FLOOR_W / 2 - 5..=limit + 5).prop_map(Some),
        4 => (limit + 1..2 * RATED_W).prop_map(Some),
        1 => (-RATED_W..0).prop_map(Some),
        1 => Just(None),
    ]
}

/// An allowance, and powers around its limit.
fn powers(most: usize) -> impl Strategy<Value = (i64, Vec<Option<i64>>)> {
    let allowance = prop_oneof![Just(10_000_i64), Just(50_000), Just(300_000)];
    allowance
        .prop_flat_map(move |allowance| (Just(allowance), prop::collection::vec(watts(allowance), 1..most)))
}

proptest! {
    /// Rows longer than any delay: the spells are those of the walk, to the second and the watt-hour.
    #[test]
    fn long_rows_are_judged_as_the_walk_does(
        began in 0_i64..200_000,
        (allowance, powers) in powers(60),
        lengths in prop::collection::vec(130_i64..4_000, 60),
        off_delay in prop_oneof![Just(900_i64), Just(300), 1_i64..900],
    ) {
        let rows: Vec<_> = lengths.into_iter().zip(powers).collect();
        let report = report(&csv(began, &rows), allowance, off_delay.unsigned_abs());
        let walked = walk(began, &rows, allowance, off_delay);
        prop_assert_eq!(told(&report), walked);
        prop_assert_eq!(report.judged.tally.shares(1_000_000).iter().sum::<i64>(), 1_000_000);
    }

    /// Rows of seconds, where the delays decide: a spell holds exactly the energy of its rows, begins and ends with
    /// power beyond the limit, keeps its distance, and no run that is long enough is missed.
    #[test]
    fn short_rows_are_judged_soundly(
        began in 0_i64..200_000,
        (allowance, powers) in powers(400),
        lengths in prop::collection::vec(prop_oneof![Just(1_i64), 1_i64..30, 30_i64..300], 400),
        off_delay in prop_oneof![Just(900_i64), 1_i64..2_000],
    ) {
        let rows: Vec<_> = lengths.into_iter().zip(powers).collect();
        let report = report(&csv(began, &rows), allowance, off_delay.unsigned_abs());
        let spells = told(&report);
        let limit = limit_w(allowance);
        let seconds: Vec<Option<i64>> = rows
            .iter()
            .flat_map(|(seconds, watts)| std::iter::repeat_n(*watts, usize::try_from(*seconds).unwrap()))
            .collect();
        let at = |second: i64| seconds[usize::try_from(second - began).unwrap()];
        for (start, end, energy) in &spells {
            let sum: i64 = (*start..*end).map(|second| at(second).unwrap_or(0).max(0)).sum();
            prop_assert!((energy * 3_600 - sum).abs() <= 1_800, "{start}..{end}: {energy} Wh, {sum} Ws");
            prop_assert!(at(*start) > Some(limit), "{start} begins with {:?}", at(*start));
            prop_assert!(at(end - 1) > Some(limit - FLOOR_W / 2), "{end} ends with {:?}", at(end - 1));
        }
        for pair in spells.windows(2) {
            prop_assert!(pair[1].0 - pair[0].1 >= off_delay, "{pair:?} are closer than {off_delay} s");
        }
        let mut run = 0;
        for (index, watts) in seconds.iter().enumerate() {
            let now = began + i64::try_from(index).unwrap();
            // A proof does not reach over a lawful midnight, which the clock of a trace tells to a quarter of an hour.
            let midnight = (now + 8 * 3_600 - RTC_ERROR_MS / 1_000) % 86_400 == 0;
            run = if *watts > Some(limit) && !midnight { run + 1 } else { i64::from(*watts > Some(limit)) };
            if run >= 75 {
                prop_assert!(spells.iter().any(|(start, end, _)| *start <= now && now < *end), "{now} is missed");
            }
        }
        let drawing: i64 = spells.iter().map(|(start, end, _)| {
            (*start..*end).map(|second| i64::from(at(second).is_some())).sum::<i64>()
        }).sum();
        let share = report.judged.tally.shares(1_000_000)[0];
        prop_assert!((share * i64::try_from(seconds.len()).unwrap() / 1_000_000 - drawing).abs() <= 1);
    }

    /// Auxiliaries within their allowance, whatever the steps and the holes: nothing is proven of anybody.
    #[test]
    fn an_honest_feeder_has_no_spell(
        began in 0_i64..200_000,
        rows in prop::collection::vec(
            (prop_oneof![1_i64..120, 1_i64..40_000], prop_oneof![9 => (0_i64..=52_000).prop_map(Some), 1 => Just(None)]),
            1..300,
        ),
    ) {
        let report = report(&csv(began, &rows), 50_000, 900);
        prop_assert_eq!(&told(&report), &[]);
        prop_assert!(report.judged.signs.is_empty());
        let tally = &report.judged.tally;
        let drawn: i64 = rows.iter().map(|(seconds, watts)| seconds * watts.unwrap_or(0)).sum();
        prop_assert_eq!(tally.drawn_wh(), (drawn + 1_800) / 3_600);
        let unseen: i64 = rows.iter().map(|(s, watts)| s * if watts.is_some() { FLOOR_W } else { RATED_W }).sum();
        prop_assert!((report.judged.bound.0 - 2 - unseen / 3_600).abs() <= 2, "{:?}, not {}", report.judged.bound, unseen / 3_600);
    }
}

/// Nobody drew for 889 s, less than the off-delay; the last poll before them came 11 s after the one before it.
#[test]
fn a_pause_shorter_than_the_off_delay_parts_nothing() {
    let rest = std::iter::repeat_n((130, Some(0)), 7);
    let drawn = [(130, Some(12_121)), (1_032, Some(12_000)), (889, Some(0)), (130, Some(12_000))];
    let rows: Vec<_> = rest.chain(drawn).collect();
    assert_eq!(told(&report(&csv(0, &rows), 10_000, 900)), [(910, 3_091, 4_311)]);
}

/// The judge's own tests of power and energy decide about a burst: with an allowance it may pass for one, without it
/// may not.
#[test]
fn a_second_of_full_power_is_judged_by_its_energy() {
    let rows: Vec<(i64, Option<i64>)> =
        (0..2_000).map(|second| (1, Some(if second == 1_000 { RATED_W } else { 0 }))).collect();
    assert_eq!(told(&report(&csv(0, &rows), 50_000, 900)), []);
    assert_eq!(told(&report(&csv(0, &rows), 0, 900)), [(1_000, 1_001, 278)]);
}

/// Bursts too short for the on-delay, again and again: at last their energy proves them, back to the first of them.
#[test]
fn many_bursts_are_proven_together() {
    let burst = [(4, Some(RATED_W)), (40, Some(0))];
    let rows: Vec<(i64, Option<i64>)> =
        [(3_600, Some(0))].into_iter().chain(burst.into_iter().cycle().take(200)).collect();
    let spells = told(&report(&csv(0, &rows), 50_000, 900));
    assert_eq!(spells.len(), 1, "{spells:?}");
    assert_eq!((spells[0].0, spells[0].1), (3_600, 3_600 + 100 * 44 - 40), "{spells:?}");
}

#[test]
fn a_hole_is_unknown_joins_what_is_near_and_parts_what_is_not() {
    let around = |hole: i64| {
        let rows =
            [(900, Some(0)), (900, Some(RATED_W)), (hole, None), (900, Some(RATED_W)), (1_800, Some(0))];
        let report = report(&csv(0, &rows), 50_000, 900);
        (told(&report), report.judged.tally.shares(1_000_000)[3], report.judged.bound.0)
    };
    let (spells, unknown, bound) = around(600);
    assert_eq!(spells, [(900, 3_300, 500_000)]);
    assert_eq!(unknown, 1_000_000 * 600 / 5_100);
    assert_eq!(bound, (RATED_W * 600 + FLOOR_W * 4_500) / 3_600 + 3, "the rating unseen, the floor seen");
    let (spells, ..) = around(900);
    assert_eq!(spells, [(900, 1_800, 250_000), (2_700, 3_600, 250_000)]);
}

/// After a long hole what is judged again must be proven again.
#[test]
fn a_burst_after_a_long_hole_is_no_continuation() {
    let rows = [(900, Some(RATED_W)), (7_200, None), (3, Some(RATED_W)), (3_600, Some(0))];
    assert_eq!(told(&report(&csv(0, &rows), 50_000, 900)), [(0, 900, 250_000)]);
    let rows = [(900, Some(RATED_W)), (600, None), (3, Some(RATED_W)), (3_600, Some(0))];
    assert_eq!(told(&report(&csv(0, &rows), 50_000, 900)), [(0, 1_503, 250_833)]);
}

#[test]
fn states_are_told_by_their_words() {
    let rows = [(1_000, Some(2_000)), (1_000, Some(2_001)), (1_000, Some(52_000)), (1_000, Some(-500_000))];
    let report = report(&csv(0, &rows), 50_000, 900);
    assert_eq!(report.judged.tally.shares(1_000_000), [0, 250_000, 0, 0, 500_000, 250_000, 0]);
    let json = report.json(true);
    assert_eq!(json["shares"]["exporting"], 0.25);
    assert_eq!(json["trace"]["returned_wh"], 138_889);
    assert_eq!(json["parameters"]["limit_w"], 52_520);
    assert_eq!(json["parameters"]["allowance_source"], "default_5_percent_of_rating");
}

#[test]
fn times_come_back_as_they_went_in() {
    let text = "time,power_w\n2026-11-23T23:00:00+08:00,\n2026-11-23T23:30:00.500+08:00,9e5\n2026-11-23T18:00:00Z,0\n";
    let report = report(text, 50_000, 900);
    let json = report.json(false);
    assert_eq!(json["spells"][0]["start"], "2026-11-23T23:00:00+08:00");
    assert_eq!(json["spells"][0]["end"], "2026-11-23T23:30:00.500+08:00");
    assert_eq!(json["spells"][0]["energy_wh"], 450_125);
    assert!(
        report.text(true).contains("1 spell of drawing, 450.125 kWh of 450.125 kWh"),
        "{}",
        report.text(true)
    );
    let text = "time,power_w\n0.5,\n1800.5,9e5\n7200,0\n";
    let json = self::report(text, 50_000, 900).json(false);
    assert_eq!((&json["spells"][0]["start"], &json["spells"][0]["end"]), (&0.5.into(), &1800.5.into()));
}

#[test]
fn a_trace_of_one_row_is_none() {
    let declared = Declared { rated: MilliWatts(1), allowance: MilliWatts(0), off_delay_ms: 0 };
    assert!(judge(&b"time,power_w\n0,1\n"[..], &declared).is_err());
}
