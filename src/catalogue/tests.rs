//! The law held against a table written from its text, its worked cases, and whatever overlays and JSON may say.

mod grammar;
mod instruments;
mod law;
mod mutants;
mod overlays;
#[path = "../../tests/catalogue/random.rs"]
mod random;
mod table;
mod worked;

use super::{Case, Classification, Rules};

/// The rules that are shipped, read once.
fn shipped() -> Rules {
    static SHIPPED: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(|| Rules::shipped().unwrap());
    SHIPPED.clone()
}

/// What the rules say of the only case of a document.
fn answer_of(rules: &Rules, text: &str) -> Classification {
    let cases = Case::read_all("case.json", text, rules).unwrap_or_else(|flaws| panic!("{text}: {flaws:#?}"));
    let [case] = cases.as_slice() else { panic!("{text}") };
    rules.with(case.overlays.clone()).classify(case.on, &case.plate)
}

/// The mistakes in a document.
fn flaws_of(text: &str) -> Vec<String> {
    let flaws = Case::read_all("case.json", text, &shipped()).unwrap_err();
    flaws.iter().map(ToString::to_string).collect()
}

/// The members of a result as the grammar names them.
fn as_json(answer: &Classification) -> serde_json::Value {
    let ids = |ids: &[super::EntryId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    serde_json::json!({
        "verdict": answer.class.word(),
        "matched": ids(&answer.matched),
        "deadline": answer.deadline.map(|day| day.to_string()),
        "phase": answer.phase.map(super::Phase::word),
        "exempted": ids(&answer.exempted),
        "undetermined": ids(&answer.undetermined),
        "missing": answer.missing,
        "advisories": answer.advisories,
        "lint": answer.lint,
    })
}
