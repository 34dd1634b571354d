//! Configuration in layers: the file, the files of its `.d` folder, the environment. Later layers win; every value
//! remembers where it was written, so that a mistake is shown at its file, line and column.

use std::{
    fs,
    path::{Path, PathBuf},
};

use config::{Config, Environment, File, FileFormat, Value as Merged, ValueKind};

use crate::terms::{
    Decimal, Digest, Flaw,
    flaw::{Place, Wrong},
    form::{Node, Step, Value},
};

/// Variables such as `COLDHEARTH__BROKER__HOST` set `broker.host`.
pub const ENVIRONMENT_PREFIX: &str = "COLDHEARTH";
/// Between prefix and key, and between keys.
const SEPARATOR: &str = "__";

/// A configuration read from all its layers.
#[derive(Debug)]
pub struct Layers {
    /// Everything, merged.
    pub tree: Node,
    /// SHA-256 over the bytes of all files and the variables used.
    pub digest: Digest,
}

/// Reads a configuration file and the layers over it.
///
/// # Errors
/// Every file that cannot be read and every syntax mistake, with its place.
pub fn read(path: &Path) -> Result<Layers, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let mut files = Vec::new();
    for path in std::iter::once(path.to_path_buf()).chain(drop_ins(path)) {
        match read_file(&path) {
            Ok(file) => files.push(file),
            Err(wrong) => flaws.extend(wrong),
        }
    }
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let environment = Environment::with_prefix(ENVIRONMENT_PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .try_parsing(true);
    let mut builder = Config::builder();
    for file in &files {
        builder = builder.add_source(File::from(file.path.as_path()).format(FileFormat::Toml));
    }
    let merged = builder.add_source(environment).build();
    let merged = merged.map_err(|e| vec![flaw_at(path, "cannot be merged", &e.to_string())])?;
    let places = Places { files: &files, first: path };
    let tree = places.node(&merged.cache, &mut Vec::new());
    let bytes: Vec<&[u8]> = files.iter().map(|f| f.text.as_bytes()).collect();
    let variables = format!("{:?}", variables());
    let digest = Digest::of_pieces(&[bytes.concat().as_slice(), variables.as_bytes()]);
    Ok(Layers { tree, digest })
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    text: String,
    tree: Node,
}

fn read_file(path: &Path) -> Result<Source, Vec<Flaw>> {
    let text = fs::read_to_string(path).map_err(|e| {
        vec![flaw_at(path, &format!("cannot be read: {e}"), "check the path and its permissions")]
    })?;
    let tree = Node::parse(&path.display().to_string(), &text)?;
    Ok(Source { path: path.to_path_buf(), text, tree })
}

/// `agent.toml` is followed by `agent.toml.d/*.toml` in the order of their names.
fn drop_ins(path: &Path) -> Vec<PathBuf> {
    let mut folder = path.as_os_str().to_owned();
    folder.push(".d");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

fn variables() -> Vec<(String, String)> {
    let prefix = format!("{ENVIRONMENT_PREFIX}{SEPARATOR}");
    let mut all: Vec<(String, String)> =
        std::env::vars().filter(|(name, _)| name.starts_with(&prefix)).collect();
    all.sort();
    all
}

fn flaw_at(path: &Path, wrong: &str, right: &str) -> Flaw {
    let place = Place { file: path.display().to_string().into(), line: 0, column: 0 };
    Flaw { place, what: Wrong::new(wrong, right) }
}

/// Finds for each merged value the place it was written at.
struct Places<'a> {
    files: &'a [Source],
    first: &'a Path,
}

impl Places<'_> {
    fn node(&self, merged: &Merged, path: &mut Vec<Step>) -> Node {
        let value = match &merged.kind {
            ValueKind::Nil => Value::Text(String::new()),
            ValueKind::Boolean(flag) => Value::Flag(*flag),
            ValueKind::I64(n) => Value::Integer(*n),
            ValueKind::I128(n) => Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX)),
            ValueKind::U64(n) => Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX)),
            ValueKind::U128(n) => Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX)),
            ValueKind::Float(f) => {
                Decimal::parse(&f.to_string()).map_or_else(|| Value::Text(f.to_string()), Value::Decimal)
            }
            ValueKind::String(text) => Value::Text(text.clone()),
            ValueKind::Table(table) => {
                let member = |(key, value): (&String, &Merged)| {
                    path.push(Step::Key(key.clone()));
                    let node = self.node(value, path);
                    path.pop();
                    (key.clone(), node)
                };
                Value::Table(table.iter().map(member).collect())
            }
            ValueKind::Array(items) => {
                let item = |(index, value): (usize, &Merged)| {
                    path.push(Step::Index(index));
                    let node = self.node(value, path);
                    path.pop();
                    node
                };
                Value::List(items.iter().enumerate().map(item).collect())
            }
        };
        Node { place: self.place(merged, path), value }
    }

    fn place(&self, merged: &Merged, path: &[Step]) -> Place {
        let origin = merged.origin().unwrap_or_default();
        // Files first by the origin the layer remembers, then, for tables merged from several, the last that has it.
        let from_origin = self.files.iter().filter(|file| file.path.as_os_str() == origin);
        let found = from_origin.chain(self.files.iter().rev()).find_map(|file| file.tree.at(path));
        let from_environment = origin.contains("environment");
        match found {
            Some(node) if !from_environment => node.place.clone(),
            Some(_) | None if from_environment => {
                let keys = path.iter().map(|step| match step {
                    Step::Key(key) => key.to_uppercase(),
                    Step::Index(index) => index.to_string(),
                });
                let name = std::iter::once(ENVIRONMENT_PREFIX.to_owned()).chain(keys).collect::<Vec<_>>();
                Place {
                    file: format!("environment variable {}", name.join(SEPARATOR)).into(),
                    line: 0,
                    column: 0,
                }
            }
            Some(_) | None => Place { file: self.first.display().to_string().into(), line: 1, column: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{
        Flaws,
        form::{self, Form},
    };

    #[test]
    fn a_mistake_is_shown_where_it_was_written_across_files() {
        let folder = std::env::temp_dir().join(format!("coldhearth-layers-{}", std::process::id()));
        fs::create_dir_all(folder.join("a.toml.d")).unwrap();
        let file = folder.join("a.toml");
        fs::write(&file, "[broker]\nhost = \"a\"\nport = 1883\n\n[[meter]]\nunit = 900\n").unwrap();
        fs::write(folder.join("a.toml.d/10-site.toml"), "# site\n[broker]\nport = 99999\nhots = \"b\"\n")
            .unwrap();
        let layers = read(&file).unwrap();
        let flaws = Flaws::default();
        let form = Form::of(&layers.tree, &flaws).unwrap();
        let broker = form.table("broker").unwrap();
        assert_eq!(broker.required("host", form::text).as_deref(), Some("a"));
        broker.required("port", form::whole(1..=65_535));
        broker.close();
        for meter in form.tables("meter") {
            meter.required("unit", form::whole(1..=247));
        }
        let shown: Vec<String> = flaws
            .into_sorted()
            .iter()
            .map(|f| f.to_string().replace(&format!("{}/", folder.display()), ""))
            .collect();
        assert_eq!(
            shown,
            [
                "a.toml:6:1: `unit` is 900, 1 to 247 is allowed",
                "a.toml.d/10-site.toml:3:1: `port` is 99999, 1 to 65535 is allowed",
                "a.toml.d/10-site.toml:4:1: unknown key `hots`, did you mean `host`?",
            ]
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_missing_file_says_so() {
        let flaws = read(Path::new("/nonexistent/agent.toml")).unwrap_err();
        assert!(flaws.first().unwrap().to_string().starts_with("/nonexistent/agent.toml: cannot be read"));
    }
}
