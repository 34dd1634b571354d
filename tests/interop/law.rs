//! The notice as somebody else reads it: an evaluator in Python, written from the grammar, must say of every random
//! case and its overlays what ours says.

use coldhearth::catalogue::{Case, Classification, EntryId, Phase, Rules, rules::SHIPPED};
use serde_json::{Value, json};

use super::{
    SHOWN, converse,
    random::{Dice, Vocabulary},
};

const EVALUATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/classify.py");
const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/catalogue/guofa-2010-7.toml");

const CASES: u64 = 20_000;

fn as_json(answer: &Classification) -> Value {
    let ids = |ids: &[EntryId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "verdict": answer.class.word(),
        "matched": ids(&answer.matched),
        "deadline": answer.deadline.map(|day| day.to_string()),
        "phase": answer.phase.map(Phase::word),
        "exempted": ids(&answer.exempted),
        "undetermined": ids(&answer.undetermined),
        "missing": answer.missing,
        "advisories": answer.advisories,
        "lint": answer.lint,
    })
}

#[test]
fn a_second_evaluator_agrees_on_every_case() {
    let (rules, words) = (Rules::shipped().unwrap(), Vocabulary::of(SHIPPED.1));
    let mut disagreements = Vec::new();
    let mut verdicts = std::collections::BTreeMap::<String, u64>::new();
    converse(
        &[EVALUATOR, CATALOGUE],
        |input| {
            for seed in 0..CASES {
                writeln!(input, "{}", Dice::new(seed).case(&words)).unwrap();
            }
        },
        |answers| {
            let words = Vocabulary::of(SHIPPED.1);
            for seed in 0..CASES {
                let text = Dice::new(seed).case(&words).to_string();
                let theirs: Value =
                    serde_json::from_str(&answers.next().unwrap_or_else(|| panic!("no answer to {text}")))
                        .unwrap();
                let case = Case::read_all("case", &text, &rules).unwrap().remove(0);
                let ours = as_json(&rules.with(case.overlays).classify(case.on, &case.plate));
                *verdicts.entry(ours["verdict"].to_string()).or_default() += 1;
                if ours != theirs {
                    disagreements.push(format!("{text}\n we say {ours}\n they say {theirs}"));
                }
            }
            assert_eq!(answers.next(), None);
        },
    );
    println!("{CASES} cases: {verdicts:?}");
    let shown = &disagreements[..disagreements.len().min(SHOWN)];
    assert!(shown.is_empty(), "{} of {CASES}:\n{}", disagreements.len(), shown.join("\n"));
    assert!(verdicts.len() == 4 && verdicts.values().all(|count| *count > 100), "{verdicts:?}");
}
