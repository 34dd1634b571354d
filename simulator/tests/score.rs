//! Every shipped scenario on the scoreboard: few years and few runs, so that every change is held against all of them.
//! The long run is a thousand years: `tests/all`.

use std::num::NonZeroUsize;

use coldhearth_sim::{
    scenario::shipped,
    score::{Orders, score},
};

const SHORT: Orders = Orders { years: 1, seed: 1, runs: 1, threads: None };

#[test]
fn every_shipped_scenario_ends_as_it_says() {
    let report = score(&shipped::all().unwrap(), SHORT);
    println!("{}", report.lines().join("\n"));
    assert!(report.holds(), "{}", report.complaints().join("\n"));
    assert_eq!(report.false_alarms(), 0);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let some: Vec<_> = ["idle", "midnight-melt", "gateway-unplugged-during-the-run"]
        .map(|name| shipped::named(name).unwrap())
        .into();
    let on = |threads| score(&some, Orders { threads: NonZeroUsize::new(threads), runs: 3, ..SHORT });
    assert_eq!(on(1).json(), on(3).json());
}

#[test]
fn the_scoreboard_says_all_that_a_machine_reads() {
    let some = [shipped::named("idle").unwrap(), shipped::named("midnight-melt").unwrap()];
    let json = score(&some, Orders { runs: 2, ..SHORT }).json();
    let [idle, melt] = [&json["scenarios"][0], &json["scenarios"][1]];
    assert_eq!((idle["honest"].as_bool(), melt["honest"].as_bool()), (Some(true), Some(false)));
    assert_eq!((melt["runs"].as_u64(), melt["caught"].as_u64()), (Some(2), Some(2)));
    assert_eq!(melt["signs"][0], "violation");
    for key in ["delay_s_p50", "delay_s_p95", "energy_kwh_p95", "unknown_share", "poll_s"] {
        assert!(melt[key].is_number(), "{key}: {melt}");
    }
    assert!(idle["delay_s_p50"].is_null() && idle["false_alarms"] == 0 && idle["poll_s"] == 60.0);
    let years = json["honest_equipment_years"].as_f64().unwrap();
    assert!((1.0..1.1).contains(&years), "{years}");
    assert!((json["false_alarm_bound_95"].as_f64().unwrap() * years - 3.0).abs() < 1e-9);
    assert_eq!(json["false_alarms_total"], 0);
}
