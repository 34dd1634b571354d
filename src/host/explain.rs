//! `explain`, as both programs answer it.

use super::exit::{Exit, Failure};
use crate::terms::words::{self, Explanation, Language};

/// The lines to print for a code, or for every one there is; as one line of JSON where a machine asks.
///
/// # Errors
/// Nobody knows the code; the message names the nearest that there are.
pub fn explain(code: Option<&str>, language: Language, json: bool) -> Result<Vec<String>, Failure> {
    let found = match code {
        Some(code) => words::explain(code),
        None => words::explanations(),
    };
    if let (Some(code), []) = (code, &found[..]) {
        let near = near(code);
        let near = if near.is_empty() { String::new() } else { format!(" Near it: {}.", near.join(", ")) };
        let message = format!("no code `{code}` is known.{near} `explain` alone lists all");
        return Err(Failure::new(Exit::Usage, message));
    }
    if json {
        let told: Vec<serde_json::Value> = found.iter().map(as_json).collect();
        return Ok(vec![serde_json::Value::Array(told).to_string()]);
    }
    Ok(found.iter().map(|known| known.told(language)).collect())
}

fn as_json(known: &Explanation) -> serde_json::Value {
    serde_json::json!({ "family": known.family, "code": known.code, "zh": known.zh, "en": known.en })
}

/// Codes that have a part of the word in them.
fn near(code: &str) -> Vec<String> {
    let parts: Vec<String> =
        code.to_lowercase().split(['_', '-', '.']).filter(|part| part.len() > 2).map(str::to_owned).collect();
    let has = |known: &Explanation| parts.iter().any(|part| known.code.to_lowercase().contains(part));
    let named = |known: Explanation| format!("{}.{}", known.family, known.code);
    words::explanations().into_iter().filter(has).map(named).take(8).collect()
}
