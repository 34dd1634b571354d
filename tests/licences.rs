//! Licences, bans and sources of everything that is built, held against `.deny.toml` with no network and no further program.
//! Where cargo-deny is at hand, `tests/all` asks it for the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// What `.deny.toml` allows.
struct Rules {
    licences: BTreeSet<String>,
    /// Further licences of single crates.
    exceptions: BTreeMap<String, BTreeSet<String>>,
    banned: BTreeSet<String>,
    registries: BTreeSet<String>,
}

fn texts(list: &toml::Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

impl Rules {
    fn read() -> Rules {
        let text = std::fs::read_to_string(".deny.toml").unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let licences = &table["licenses"];
        let crate_of = |item: &toml::Value| item["crate"].as_str().unwrap().to_owned();
        let exceptions = licences["exceptions"].as_array().unwrap();
        assert_eq!(table["sources"]["unknown-registry"].as_str(), Some("deny"));
        assert_eq!(table["sources"]["unknown-git"].as_str(), Some("deny"));
        Rules {
            licences: texts(&licences["allow"]),
            exceptions: exceptions.iter().map(|item| (crate_of(item), texts(&item["allow"]))).collect(),
            banned: table["bans"]["deny"].as_array().unwrap().iter().map(crate_of).collect(),
            registries: texts(&table["sources"]["allow-registry"]),
        }
    }

    /// What is wrong with one package.
    fn wrong_with(&self, package: &Value) -> Vec<String> {
        let name = package["name"].as_str().unwrap();
        let mut wrong = Vec::new();
        if self.banned.contains(name) {
            wrong.push(format!("{name} is banned"));
        }
        let Some(source) = package["source"].as_str() else { return wrong };
        let is_known =
            source.strip_prefix("registry+").is_some_and(|registry| self.registries.contains(registry));
        if !is_known {
            wrong.push(format!("{name} comes from {source}"));
        }
        let further = self.exceptions.get(name);
        let allowed = |licence: &str| {
            self.licences.contains(licence) || further.is_some_and(|further| further.contains(licence))
        };
        match package["license"].as_str() {
            Some(terms) if allows(terms, &allowed) => {}
            terms => wrong.push(format!("{name} is licensed {terms:?}")),
        }
        wrong
    }
}

/// Whether terms such as `(MIT OR Apache-2.0) AND Unicode-3.0` can be met with what is allowed.
fn allows(terms: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = terms.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any(&tokens, &mut at, allowed);
    met && at == tokens.len()
}

fn any(tokens: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all(tokens, at, allowed);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(tokens, at, allowed);
    }
    met
}

fn all(tokens: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(tokens, at, allowed);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(tokens, at, allowed);
    }
    met
}

fn one(tokens: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let Some(token) = tokens.get(*at) else { return false };
    *at += 1;
    if *token == "(" {
        let met = any(tokens, at, allowed);
        *at += 1;
        return met;
    }
    if tokens.get(*at) == Some(&"WITH") {
        let with = format!("{token} WITH {}", tokens.get(*at + 1).unwrap_or(&""));
        *at += 2;
        return allowed(&with) || allowed(token);
    }
    allowed(token)
}

fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--all-features"];
    let output = Command::new(cargo).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn everything_that_is_built_is_licensed_and_comes_from_where_it_may() {
    let rules = Rules::read();
    let packages = packages();
    assert!(packages.len() > 200, "{}", packages.len());
    let wrong: Vec<String> = packages.iter().flat_map(|package| rules.wrong_with(package)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for package in rules.exceptions.keys() {
        assert!(
            packages.iter().any(|known| known["name"] == package.as_str()),
            "{package} needs no exception"
        );
    }
    for licence in &rules.licences {
        let is_needed =
            |package: &Value| package["license"].as_str().is_some_and(|terms| terms.contains(licence));
        assert!(packages.iter().any(is_needed), "{licence} is allowed, and nothing has it");
    }
}

#[test]
fn what_is_planted_is_found() {
    let rules = Rules::read();
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    let told = |name: &str, licence: Option<&str>, source: &str| {
        rules
            .wrong_with(&serde_json::json!({ "name": name, "license": licence, "source": source }))
            .join("; ")
    };
    assert_eq!(told("good", Some("MIT OR GPL-3.0-only"), registry), "");
    assert_eq!(told("good", Some("(MIT/GPL-3.0-only) AND Unicode-3.0"), registry), "");
    assert_eq!(told("good", Some("Apache-2.0 WITH LLVM-exception"), registry), "");
    assert!(told("bad", Some("MIT AND GPL-3.0-only"), registry).contains("is licensed"));
    assert!(told("bad", Some("GPL-2.0-only WITH Classpath-exception-2.0"), registry).contains("is licensed"));
    assert!(told("bad", Some("CC0-1.0"), registry).contains("is licensed"), "the exception is another's");
    assert!(told("bad", None, registry).contains("is licensed"));
    assert!(told("bad", Some("MIT OR (MIT"), registry).contains("is licensed"), "broken terms allow nothing");
    assert!(told("openssl-sys", Some("MIT"), registry).contains("is banned"));
    assert!(told("bad", Some("MIT"), "git+https://example.invalid/x").contains("comes from"));
}
