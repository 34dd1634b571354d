//! One value set by an environment variable or by a flag: it has a name instead of a line.

use std::{collections::BTreeMap, ffi::OsString};

use crate::terms::{
    Flaw,
    flaw::{Place, Wrong},
    form::{Node, Step, Value},
};

/// Variables such as `COLDHEARTH__BROKER__HOST` set `broker.host`.
pub const ENVIRONMENT_PREFIX: &str = "COLDHEARTH";
/// Between prefix and key, and between keys.
const SEPARATOR: &str = "__";
/// What is written for it by mistake.
const HALF_SEPARATOR: &str = "_";

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
    /// Whether a variable of this name is meant for a configuration.
    pub fn is_variable(name: &str) -> bool {
        name.strip_prefix(ENVIRONMENT_PREFIX).is_some_and(|rest| rest.starts_with(SEPARATOR))
    }

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

    /// What decides: who set what.
    pub(super) fn pair(&self) -> (&str, &str) {
        (&self.by, &self.value)
    }

    /// Plain text, or a list that is written as in a file.
    fn value(&self) -> Value {
        let text = self.value.trim();
        let read = text.starts_with('[').then(|| Node::parse("", &format!("list = {text}")).ok()).flatten();
        let listed =
            read.and_then(|read| read.at(&[Step::Key("list".to_owned())]).map(|node| node.value.clone()));
        let Some(Value::List(mut items)) = listed else { return Value::Plain(self.value.clone()) };
        items.iter_mut().for_each(|item| item.place = self.place());
        Value::List(items)
    }

    fn place(&self) -> Place {
        Place { file: self.by.as_str().into(), line: 0, column: 0 }
    }
}

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// What the variables of this program set, in the order of their names.
    pub(super) set: Vec<Setting>,
    /// Those that name no key, or whose text is no Unicode.
    pub(super) flaws: Vec<Flaw>,
    /// Names that begin nearly as ours do.
    pub(super) near: Vec<String>,
}

impl Variables {
    pub(super) fn of_environment(all: impl Iterator<Item = (OsString, OsString)>) -> Variables {
        let prefix = format!("{ENVIRONMENT_PREFIX}{SEPARATOR}");
        let nearly = format!("{ENVIRONMENT_PREFIX}{HALF_SEPARATOR}");
        let mut found = Variables::default();
        for (name, value) in all {
            let name = name.to_string_lossy().into_owned();
            let Some(keys) = name.strip_prefix(&prefix) else {
                found.near.extend(Some(name).filter(|name| name.starts_with(&nearly)));
                continue;
            };
            let by = format!("environment variable {name}");
            let path: Vec<String> = keys.split(SEPARATOR).map(str::to_lowercase).collect();
            match value.into_string() {
                Ok(_) if path.iter().any(String::is_empty) => {
                    found.flaws.push(flaw(&by, "names no key", "write it as COLDHEARTH__SECTION__KEY"));
                }
                Ok(value) => found.set.push(Setting { by, path, value }),
                Err(_) => found.flaws.push(flaw(&by, "is no UTF-8 text", "write it as UTF-8")),
            }
        }
        found.set.sort_by(|one, other| one.by.cmp(&other.by));
        found
    }
}

fn flaw(by: &str, wrong: &str, right: &str) -> Flaw {
    Flaw { place: Place { file: by.into(), line: 0, column: 0 }, what: Wrong::new(wrong, right) }
}

/// A variable that would set something if its keys stood apart as they should.
pub(super) fn near_miss(name: &str, tree: &Node) -> Option<Flaw> {
    let Value::Table(sections) = &tree.value else { return None };
    let rest = name.strip_prefix(ENVIRONMENT_PREFIX)?.strip_prefix(HALF_SEPARATOR)?;
    let (section, key) = rest.split_once(HALF_SEPARATOR)?;
    sections.contains_key(&section.to_lowercase()).then(|| {
        let key = key.trim_start_matches(HALF_SEPARATOR);
        let meant =
            format!("two _ stand between keys: {ENVIRONMENT_PREFIX}{SEPARATOR}{section}{SEPARATOR}{key}");
        flaw(&format!("environment variable {name}"), "sets nothing", &meant)
    })
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
        *at = Node { place: setting.place(), value: setting.value() };
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
