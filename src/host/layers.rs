//! Configuration in layers: what nobody need write, the file, the files of its `.d` folder in the order of their names,
//! environment variables, the command line. Later layers win; every value remembers where it was written, so that a
//! mistake is shown at its file, line and column, its variable or its flag.
//!
//! Tables are united key by key. So are lists of tables that have an `id`: `[[meter]]` in a later file adds a meter, or
//! changes the one of that id; a variable or a flag changes one that is there. Any other list is replaced whole.

mod keyed;
mod secret;
mod setting;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use config::{Config, ConfigError, Map, Source, Value as Merged, ValueKind};

use self::setting::Variables;
pub use self::setting::{ENVIRONMENT_PREFIX, Setting};
use super::text::{self, flaw};
use crate::terms::{
    Digest, Flaw, Flaws,
    flaw::Place,
    form::{Node, Step, Value},
};

/// Largest file of a configuration that is read, in bytes: ten thousand meters with all their papers take half of it.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Most files of a `.d` folder.
pub const MAX_DROP_INS: usize = 256;
/// Most values set by variables and flags together.
pub const MAX_SETTINGS: usize = 256;

/// A configuration read from all its layers.
#[derive(Debug)]
pub struct Layers {
    /// Everything that could be read, merged, but for secrets.
    pub tree: Node,
    /// SHA-256 over the bytes of all files and what variables and flags set.
    pub digest: Digest,
    /// What is wrong with it already: files that could not be read, secrets that stood where they do not belong, values
    /// set for what is not there.
    pub flaws: Vec<Flaw>,
    /// What is allowed and hardly meant: variables that set nothing.
    pub warnings: Vec<Flaw>,
    /// Whether each layer could be read: what the tree lacks may else stand in one that could not.
    pub is_whole: bool,
}

impl Layers {
    /// Where the mistakes of a reader of the tree are collected.
    pub fn collected(&self) -> Flaws {
        if self.is_whole { Flaws::default() } else { Flaws::of_part() }
    }

    /// What was read of the tree, unless something was wrong with it or with the layers: all mistakes together.
    ///
    /// # Errors
    /// Them, in the order of their places.
    pub fn or_flaws<T>(self, read: Result<T, Vec<Flaw>>) -> Result<T, Vec<Flaw>> {
        match read {
            Ok(read) if self.flaws.is_empty() => Ok(read),
            Ok(_) => Err(self.flaws),
            Err(mut flaws) => {
                flaws.extend(self.flaws);
                flaws.sort();
                Err(flaws)
            }
        }
    }
}

/// Reads a configuration file and the layers over it: its folder, this process's variables, and these flags.
///
/// # Errors
/// Nothing of it can be read; what is wrong with a part of it stands in its flaws.
pub fn read(path: &Path, flags: &[Setting]) -> Result<Layers, Vec<Flaw>> {
    read_with(path, Variables::of_environment(std::env::vars_os()), flags)
}

fn read_with(path: &Path, variables: Variables, flags: &[Setting]) -> Result<Layers, Vec<Flaw>> {
    let Variables { set: variables, mut flaws, near } = variables;
    let (mut layers, mut texts) = (Vec::new(), Vec::new());
    let further = drop_ins(path).unwrap_or_else(|flaw| {
        flaws.push(flaw);
        Vec::new()
    });
    for path in std::iter::once(path.to_path_buf()).chain(further) {
        match read_file(&path) {
            Ok((text, tree)) => {
                texts.push(text);
                layers.push(Layer { place: layers.len(), tree });
            }
            Err(wrong) => flaws.extend(wrong),
        }
    }
    let is_whole = flaws.is_empty();
    let set = variables.len() + flags.len();
    if set > MAX_SETTINGS {
        let wrong = format!("{set} values are set by variables and flags");
        flaws.push(flaw(path, wrong, format!("at most {MAX_SETTINGS} are allowed: use a file")));
    }
    if layers.is_empty() {
        return Err(flaws);
    }
    let digest = digest_of(&texts, &variables, flags);
    let ids = keyed::ids(layers.iter().map(|layer| &layer.tree));
    for (settings, by) in [(&variables[..], keyed::By::Variable), (flags, keyed::By::Flag)] {
        let mut tree = setting::tree(settings);
        let strangers = keyed::addressed(&mut tree, &ids, by);
        // What is addressed may stand in a layer that could not be read.
        flaws.extend(strangers.into_iter().filter(|_| is_whole));
        layers.push(Layer { place: layers.len(), tree });
    }
    let (tree, secrets) = merged(path, layers)?;
    flaws.extend(secrets);
    let warnings = near.iter().filter_map(|name| setting::near_miss(name, &tree)).collect();
    Ok(Layers { tree, digest, flaws, warnings, is_whole })
}

/// Every value that counts, on a line each with the place it was written at.
pub fn shown(tree: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    show(tree, "", &mut lines);
    lines
}

fn show(node: &Node, path: &str, lines: &mut Vec<String>) {
    match &node.value {
        Value::Table(members) => members.iter().for_each(|(key, member)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            show(member, &path, lines);
        }),
        Value::List(items) if items.iter().any(|item| matches!(item.value, Value::Table(_))) => {
            for (index, item) in items.iter().enumerate() {
                let name = keyed::id(item).unwrap_or_else(|| index.to_string());
                show(item, &format!("{path}.{name}"), lines);
            }
        }
        Value::Text(_)
        | Value::Plain(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::List(_) => lines.push(format!("{path} = {}   # {}", node.value, node.place)),
    }
}

/// One tree of all layers.
fn merged(path: &Path, mut layers: Vec<Layer>) -> Result<(Node, Vec<Flaw>), Vec<Flaw>> {
    let lists = keyed::lists(layers.iter().map(|layer| &layer.tree));
    layers.iter_mut().for_each(|layer| keyed::by_id(&mut layer.tree, &lists, layer.place));
    let mut builder = Config::builder();
    for layer in &layers {
        builder = builder.add_source(layer.clone());
    }
    let merged = builder.build();
    let merged = merged.map_err(|e| vec![flaw(path, "cannot be merged", e.to_string())])?;
    let mut tree = Written { layers: &layers }.node(&merged.cache, &mut Vec::new());
    keyed::as_lists(&mut tree, &lists);
    let secrets = secret::taken_out(&mut tree);
    Ok((tree, secrets))
}

/// One layer. To the merging library its values are only their layer: what it decides is which of them counts, and the
/// value itself is then taken as it was written, with its place.
#[derive(Clone, Debug)]
struct Layer {
    /// Its place among the layers, from 0.
    place: usize,
    tree: Node,
}

impl Layer {
    fn value(&self, node: &Node) -> Merged {
        let kind = match &node.value {
            Value::Table(members) => ValueKind::Table(self.table(members.iter())),
            Value::Text(_)
            | Value::Plain(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Vast(_)
            | Value::Null
            | Value::Flag(_)
            | Value::List(_) => ValueKind::Boolean(true),
        };
        Merged::new(Some(&self.place.to_string()), kind)
    }

    fn table<'a>(&self, members: impl Iterator<Item = (&'a String, &'a Node)>) -> Map<String, Merged> {
        members.map(|(key, node)| (key.clone(), self.value(node))).collect()
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Merged>, ConfigError> {
        let Value::Table(members) = &self.tree.value else { return Ok(Map::default()) };
        Ok(self.table(members.iter()))
    }
}

/// Takes each merged value from where it was written.
struct Written<'a> {
    layers: &'a [Layer],
}

impl Written<'_> {
    fn node(&self, merged: &Merged, path: &mut Vec<Step>) -> Node {
        if let ValueKind::Table(table) = &merged.kind {
            let member = |(key, value): (&String, &Merged)| {
                path.push(Step::Key(key.clone()));
                let node = self.node(value, path);
                path.pop();
                (key.clone(), node)
            };
            let members = table.iter().map(member).collect();
            return Node { place: self.table_place(path), value: Value::Table(members) };
        }
        let counts = merged.origin().and_then(|place| self.layers.get(place.parse::<usize>().ok()?));
        // Every value came from a layer that has it.
        let nothing = || Node { place: self.table_place(path), value: Value::Null };
        counts.and_then(|layer| layer.tree.at(path)).cloned().unwrap_or_else(nothing)
    }

    /// A table united from several is where it was first begun.
    fn table_place(&self, path: &[Step]) -> Place {
        let found = self.layers.iter().find_map(|layer| layer.tree.at(path));
        found
            .or_else(|| self.layers.first().map(|layer| &layer.tree))
            .map_or_else(nowhere, |node| node.place.clone())
    }
}

fn nowhere() -> Place {
    Place { file: "the configuration".into(), line: 0, column: 0 }
}

fn read_file(path: &Path) -> Result<(String, Node), Vec<Flaw>> {
    let text = text::read(path, MAX_FILE_BYTES).map_err(|flaw| vec![flaw])?;
    let tree = Node::parse(&path.display().to_string(), &text)?;
    Ok((text, tree))
}

/// `agent.toml` is followed by `agent.toml.d/*.toml` in the order of their names.
fn drop_ins(path: &Path) -> Result<Vec<PathBuf>, Flaw> {
    let mut folder = path.as_os_str().to_owned();
    folder.push(".d");
    let folder = PathBuf::from(folder);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => {
            let wrong = format!("cannot be read: {e}");
            return Err(flaw(&folder, wrong, "check the path and its permissions"));
        }
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    if files.len() > MAX_DROP_INS {
        let wrong = format!("{} files", files.len());
        return Err(flaw(&folder, wrong, format!("at most {MAX_DROP_INS} are read: unite some")));
    }
    Ok(files)
}

fn digest_of(texts: &[String], variables: &[Setting], flags: &[Setting]) -> Digest {
    let files = texts.concat();
    let set = |settings: &[Setting]| format!("{:?}", settings.iter().map(Setting::pair).collect::<Vec<_>>());
    Digest::of_pieces(&[files.as_bytes(), set(variables).as_bytes(), set(flags).as_bytes()])
}

#[cfg(test)]
mod tests;
