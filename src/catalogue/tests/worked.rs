//! The worked cases of the notice.

use super::{answer_of, as_json, shipped};

const CASES: &str = include_str!("../../../tests/catalogue/cases.json");

#[test]
fn every_worked_case_comes_out_as_it_was_worked() {
    let rules = shipped();
    let cases: Vec<serde_json::Value> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 40);
    for case in cases {
        let answer = as_json(&answer_of(&rules, &case.to_string()));
        for (member, expected) in case["expect"].as_object().unwrap() {
            assert_eq!(&answer[member], expected, "{}: {member} of {answer}", case["id"]);
        }
    }
}
