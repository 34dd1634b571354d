//! One value set by an environment variable or by a flag: it has a name instead of a line.

use std::{collections::BTreeMap, ffi::OsString};

use crate::terms::{
    Flaw,
    flaw::{Place, Wrong},
    form::{Node, Value},
};

/// Variables such as `COLDHEARTH__BROKER__HOST` set `broker.host`.
pub const ENVIRONMENT_PREFIX: &str = "COLDHEARTH";
/// Between prefix and key, and between keys.
const SEPARATOR: &str = "__";

/// One value, and what it was set by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The variable or flag, as a person knows it.
    by: String,
    /// The keys that lead to the value, from the outermost.
    path: Vec<String>,
    value: String,
}

impl Setting {
    /// `broker.host` set by a flag of this name.
    pub fn of_flag(flag: &str, key: &str, value: &str) -> Setting {
        let path = key.split('.').map(str::to_owned).collect();
        Setting { by: format!("flag {flag}"), path, value: value.to_owned() }
    }

    /// Reads `broker.host=10.0.0.5`, as it stands behind `--set`.
    ///
    /// # Errors
    /// It names no key or no value.
    pub fn parse(text: &str) -> Result<Setting, String> {
        let named = text.split_once('=').filter(|(key, _)| key.split('.').all(|part| !part.is_empty()));
        let (key, value) = named.ok_or_else(|| {
            format!(
                "`{text}` sets nothing; write KEY=VALUE, as broker.host=10.0.0.5 or meter.ID.timeout_ms=800"
            )
        })?;
        Ok(Setting::of_flag(&format!("--set {key}"), key, value))
    }

    /// What the variables of this program set, in the order of their names.
    ///
    /// # Errors
    /// Those that name no key, or whose text is no Unicode.
    pub(super) fn of_environment(
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Vec<Setting>, Vec<Flaw>> {
        let prefix = format!("{ENVIRONMENT_PREFIX}{SEPARATOR}");
        let (mut settings, mut flaws) = (Vec::new(), Vec::new());
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            let Some(keys) = name.strip_prefix(&prefix) else { continue };
            let by = format!("environment variable {name}");
            let path: Vec<String> = keys.split(SEPARATOR).map(str::to_lowercase).collect();
            let mut wrong = |wrong: &str, right: &str| {
                let place = Place { file: by.as_str().into(), line: 0, column: 0 };
                flaws.push(Flaw { place, what: Wrong::new(wrong, right) });
            };
            match value.into_string() {
                Ok(_) if path.iter().any(String::is_empty) => {
                    wrong("names no key", "write it as COLDHEARTH__SECTION__KEY");
                }
                Ok(value) => settings.push(Setting { by, path, value }),
                Err(_) => wrong("is no UTF-8 text", "write it as UTF-8"),
            }
        }
        settings.sort_by(|one, other| one.by.cmp(&other.by));
        if flaws.is_empty() { Ok(settings) } else { Err(flaws) }
    }

    /// What decides: who set what.
    pub(super) fn pair(&self) -> (&str, &str) {
        (&self.by, &self.value)
    }

    fn place(&self) -> Place {
        Place { file: self.by.as_str().into(), line: 0, column: 0 }
    }
}

/// A document of what was set; of one key set twice the later counts.
pub(super) fn tree(settings: &[Setting]) -> Node {
    let place = settings.first().map_or_else(super::nowhere, Setting::place);
    let mut root = Node { place, value: Value::Table(BTreeMap::new()) };
    settings.iter().for_each(|setting| put(&mut root, &setting.path, setting));
    root
}

fn put(at: &mut Node, path: &[String], setting: &Setting) {
    let Some((key, rest)) = path.split_first() else {
        *at = Node { place: setting.place(), value: Value::Plain(setting.value.clone()) };
        return;
    };
    let empty = || Node { place: setting.place(), value: Value::Table(BTreeMap::new()) };
    if !matches!(at.value, Value::Table(_)) {
        *at = empty();
    }
    if let Value::Table(members) = &mut at.value {
        put(members.entry(key.clone()).or_insert_with(empty), rest, setting);
    }
}
