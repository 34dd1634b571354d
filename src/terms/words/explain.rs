//! What every code means and what to do about it, in both languages: from a table beside this file, and, where a screen
//! shows the same words, from these.

use super::{BROKER_CODES, BUS_CODES, Language, Words};
use crate::terms::form::{Node, Value};

/// The table; `tests/explain.rs` reads it whole.
const TABLE: (&str, &str) = ("src/terms/words/explain.toml", include_str!("explain.toml"));

/// Families whose words are shown with their codes.
const SHOWN: [(&str, &[(&str, Words)]); 2] = [("broker", &BROKER_CODES), ("bus", &BUS_CODES)];

/// What one code of one family means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Which kind of code it is: `state`, `why`, `sign`, `exit`, …
    pub family: String,
    /// The code, as screens, logs and records write it.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Explanation {
    /// The text in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }

    /// A line of it in one language.
    pub fn told(&self, language: Language) -> String {
        format!("{} {}: {}", self.family, self.code, self.in_language(language))
    }
}

/// Every explanation, by family and code.
pub fn explanations() -> Vec<Explanation> {
    // A table that cannot be read fails a test, and explains nothing.
    let Ok(table) = Node::parse(TABLE.0, TABLE.1) else { return Vec::new() };
    let mut all = Vec::new();
    for (family, codes) in members(&table) {
        for (code, texts) in members(codes) {
            let text = |language: &str| {
                let found = members(texts).find(|(key, _)| *key == language);
                found.and_then(
                    |(_, node)| if let Value::Text(text) = &node.value { Some(text.clone()) } else { None },
                )
            };
            if let (Some(zh), Some(en)) = (text("zh"), text("en")) {
                all.push(Explanation { family: family.clone(), code: code.clone(), zh, en });
            }
        }
    }
    for (family, codes) in SHOWN {
        all.extend(codes.iter().map(|(code, words)| Explanation {
            family: family.to_owned(),
            code: (*code).to_owned(),
            zh: words.zh.to_owned(),
            en: words.en.to_owned(),
        }));
    }
    all
}

/// What a code means, in each family that has it. `FAMILY.CODE` names one of them; case does not matter.
pub fn explain(code: &str) -> Vec<Explanation> {
    let wanted = code.to_lowercase();
    let is_meant = |known: &Explanation| {
        let bare = known.code.to_lowercase();
        bare == wanted || format!("{}.{bare}", known.family) == wanted
    };
    explanations().into_iter().filter(is_meant).collect()
}

fn members(node: &Node) -> impl Iterator<Item = (&String, &Node)> {
    let table = if let Value::Table(members) = &node.value { Some(members) } else { None };
    table.into_iter().flatten()
}
