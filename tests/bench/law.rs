//! How many nameplates one core classifies in a second: plates of every entry, alone and under three levels of overlays.
//! `cargo test --release --test figures -- --ignored --nocapture classifications`

use std::time::Instant;

use coldhearth::catalogue::{Case, Rules};

use super::Figures;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalogue/cases.json");
const PROVINCE: &str = r#"{"id":"p","region_code":"21","entries":[
    {"base":"ferroalloy-saf-below-6300kva","set_bounds":[{"attr":"rated_apparent_power_kva","op":"<","value":12500}]},
    {"base":"cement-mechanised-shaft-kiln-below-3-0m","drop_criteria":["kiln_diameter_m"]}]}"#;
const CITY: &str =
    r#"{"id":"c","region_code":"2108","entries":[{"base":"cement-wet-kiln","deadline":"2011-12-31"}]}"#;
const COUNTY: &str =
    r#"{"id":"k","region_code":"210804","entries":[{"base":"msg-below-30000t","deadline":"2010-12-31"}]}"#;

/// Times each case is classified.
const ROUNDS: u32 = 5_000;

#[test]
#[ignore = "judges nothing: cargo test --release --test figures -- --ignored --nocapture classifications"]
fn classifications() {
    let mut figures = Figures::default();
    let text = std::fs::read_to_string(CASES).unwrap();
    let nation = Rules::shipped().unwrap();
    let overlay = |text| nation.read_overlay("overlay.json", text).unwrap();
    let united = nation.with([PROVINCE, CITY, COUNTY].map(overlay).into());
    for (name, rules) in [("classified by the nation", &nation), ("classified with three overlays", &united)]
    {
        let cases = Case::read_all(CASES, &text, rules).unwrap();
        figures.measure(name, "plates/s", || {
            let began = Instant::now();
            let mut found = 0;
            for _ in 0..ROUNDS {
                found += cases
                    .iter()
                    .map(|case| rules.classify(case.on, &case.plate).matched.len())
                    .sum::<usize>();
            }
            assert!(found > 0);
            f64::from(ROUNDS) * cases.len() as f64 / began.elapsed().as_secs_f64()
        });
    }
    figures.measure("read from JSON, classified, answered", "plates/s", || {
        let began = Instant::now();
        for _ in 0..ROUNDS / 10 {
            let cases = Case::read_all(CASES, &text, &nation).unwrap();
            let answers =
                cases.iter().map(|case| nation.with(case.overlays.clone()).classify(case.on, &case.plate));
            assert_eq!(answers.filter(|answer| !answer.missing.is_empty()).count(), 6);
        }
        f64::from(ROUNDS / 10) * 40.0 / began.elapsed().as_secs_f64()
    });
    figures.print();
}
