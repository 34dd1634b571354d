//! The files for Prometheus and Grafana name what a collector tells, and nothing else.

use std::{collections::BTreeSet, path::Path};

use coldhearth::regulator::{
    share::{
        Shown,
        canary::{Verdict, Why},
    },
    vitals::Vitals,
};

/// Every metric that is named in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("coldhearth_")).map(ToOwned::to_owned).collect()
}

#[test]
fn dashboard_and_rules_ask_for_nothing_that_no_collector_tells() {
    let share = Shown {
        verdict: Verdict::Broken(Why::Doubled),
        hears: true,
        parts: 34,
        present: (3, 3),
        canaries: (9, 7),
        fallbacks: 1,
        unlike: None,
    };
    let told = named(&Vitals { share: Some(share), ..Vitals::default() }.exposition(0));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/monitoring");
    for file in ["prometheus-rules.yml", "grafana-dashboard.json"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let asked = named(&text);
        assert!(
            asked.len() > 5 && asked.is_subset(&told),
            "{file}: {:?}",
            asked.difference(&told).collect::<Vec<_>>()
        );
    }
    let board = std::fs::read_to_string(folder.join("grafana-dashboard.json")).unwrap();
    let board: serde_json::Value = serde_json::from_str(&board).unwrap();
    assert!(board["panels"].as_array().unwrap().iter().all(|panel| panel["targets"][0]["expr"].is_string()));
}
