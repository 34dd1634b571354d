//! What the configuration says of the law: files beside the shipped catalogue, the authority's rulings, its roster.
//!
//! The shipped catalogue is always asked. What a plant adds can only tighten: an overlay by its construction, another
//! instrument because a match anywhere is a match.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::read::Reader;
use crate::{
    catalogue::{Catalogue, Rules, instrument, lead, lead::LeadDays, overlay, rules},
    evidence::{Act, Meaning, Signed},
    terms::{
        AssetId, Digest, Flaw,
        form::{self, Form, Node},
    },
};

/// The law as this gateway asks it.
pub(super) struct Law {
    pub(super) rules: Arc<Rules>,
    pub(super) lead: LeadDays,
    pub(super) determinations: Vec<Determination>,
    /// A signed roster that is taken at the start.
    pub(super) roster: Option<Vec<u8>>,
    /// Hashes of every file that was read.
    pub(super) files: Vec<Digest>,
}

/// One ruling of an authority.
pub(super) struct Determination {
    pub(super) asset: AssetId,
    /// An entry, or `entry:exemption`.
    pub(super) what: String,
    pub(super) holds: bool,
}

impl Reader<'_> {
    pub(super) fn law(&self, form: Option<Form<'_>>) -> Option<Law> {
        let files = form.as_ref().and_then(|form| form.optional("files", form::list(form::text)));
        let rules = self.rules(form.as_ref(), &files.unwrap_or_default())?;
        let mut files: Vec<Digest> = rules.sources().map(|source| source.sha256).collect();
        let determinations = form.as_ref().and_then(|form| form.table("determinations"));
        let (determinations, digest) = determinations.and_then(|d| self.determinations(d)).unzip();
        files.extend(digest);
        let roster = form.as_ref().and_then(|form| self.roster(form));
        if let Some(form) = form {
            form.close();
        }
        let lead = self.kept(LeadDays::parse(lead::SHIPPED.0, lead::SHIPPED.1))?;
        let determinations = determinations.unwrap_or_default();
        Some(Law { rules: Arc::new(rules), lead, determinations, roster, files })
    }

    fn kept<T>(&self, read: Result<T, Vec<Flaw>>) -> Option<T> {
        read.map_err(|flaws| flaws.into_iter().for_each(|Flaw { place, what }| self.flaws.add(place, what)))
            .ok()
    }

    /// Instruments first, since overlays are read against them.
    fn rules(&self, form: Option<&Form<'_>>, named: &[String]) -> Option<Rules> {
        let mut texts = Vec::new();
        for name in named {
            match texts_of(&self.base.join(name)) {
                Ok(found) if found.is_empty() => {
                    let wrong = format!("{}: holds no .toml and no .json", self.base.join(name).display());
                    form?.flaw("files", wrong, "name files of the law, or a folder of them");
                }
                Ok(found) => texts.extend(found),
                Err(e) => {
                    let file = self.base.join(name);
                    form?.flaw(
                        "files",
                        format!("{}: {e}", file.display()),
                        "name files or folders that exist",
                    );
                }
            }
        }
        let (mut instruments, mut overlays) = (Vec::new(), Vec::new());
        let shipped = Digest::of(rules::SHIPPED.1.as_bytes());
        for (file, text) in &texts {
            let node = self.kept(overlay::document(file, text))?;
            if instrument::is_catalogue(&node) {
                // The shipped one itself may lie among them.
                let catalogue = self.kept(Catalogue::parse(file, text))?;
                instruments.extend(Some(catalogue).filter(|found| found.source.sha256 != shipped));
            } else {
                overlays.push((file, text));
            }
        }
        let ours = self.kept(Catalogue::parse(rules::SHIPPED.0, rules::SHIPPED.1))?;
        if let (Some(form), Some(other)) = (form, instruments.iter().find(|c| c.source.id == ours.source.id))
        {
            let wrong = format!(
                "{} is another version of the shipped instrument {}",
                other.source.file, ours.source.id
            );
            form.flaw(
                "files",
                wrong,
                "a new version comes with the software; what is added has an id of its own",
            );
            return None;
        }
        let nation = self.kept(Rules::shipped_and(instruments))?;
        let read = |(file, text): &(&String, &String)| self.kept(nation.read_overlay(file, text));
        let overlays: Vec<_> = overlays.iter().filter_map(read).collect();
        Some(nation.with(overlays))
    }

    /// The authority's rulings, in a file that the configuration names by its hash.
    fn determinations(&self, form: Form<'_>) -> Option<(Vec<Determination>, Digest)> {
        let file = form.required("file", form::text);
        let expected = form.required("sha256", |v| {
            form::parsed(v, Digest::from_hex, "64 lower-case hexadecimal digits are expected")
        });
        let path = self.base.join(file?);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) => {
                form.flaw(
                    "file",
                    format!("{}: {e}", path.display()),
                    "name the file the authority handed over",
                );
                return None;
            }
        };
        let digest = Digest::of(text.as_bytes());
        if expected.is_some_and(|expected| expected != digest) {
            let right = format!("it is {digest}; compare it with what the authority told");
            form.flaw("sha256", "the file's hash is another", right);
        }
        form.close();
        let node = self.kept(Node::parse(&path.display().to_string(), &text))?;
        Some((self.rulings(&node), digest))
    }

    fn rulings(&self, node: &Node) -> Vec<Determination> {
        let Some(form) = Form::of(node, self.flaws) else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let ruling = |form: Form<'_>| {
            let asset = form.required("asset", form::name);
            let what = form.required("entry", form::text);
            let holds = form.required("holds", form::flag);
            // The paper it rests on is for people.
            let _paper: Option<String> = form.required("paper", form::text);
            let twice = asset.zip(what.clone()).is_some_and(|ruled| !seen.insert(ruled));
            if twice {
                form.flaw("entry", "this was ruled above already", "leave one of the two");
            }
            form.close();
            Some(Determination { asset: AssetId(asset?), what: what?, holds: holds? })
        };
        let rulings = form.tables("determination").into_iter().filter_map(ruling).collect();
        form.close();
        rulings
    }

    /// A roster that the authority signed and handed over as a file.
    fn roster(&self, form: &Form<'_>) -> Option<Vec<u8>> {
        let path = self.base.join(form.optional("roster", form::text)?);
        let wrong = |wrong: String| form.flaw("roster", wrong, "name the roster act the authority signed");
        let mut bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) => {
                wrong(format!("{}: {e}", path.display()));
                return None;
            }
        };
        bytes.truncate(bytes.trim_ascii_end().len());
        match Signed::read(&bytes).and_then(Act::read).map(|act| act.meaning) {
            Ok(Meaning::Roster(_)) => Some(bytes),
            Ok(_) => {
                wrong(format!("{}: another act than a roster", path.display()));
                None
            }
            Err(refusal) => {
                wrong(format!("{}: {refusal}", path.display()));
                None
            }
        }
    }
}

/// A file's name and text, or those of each TOML and JSON file of a folder, by name.
fn texts_of(path: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut paths = vec![path.to_path_buf()];
    if path.is_dir() {
        let is_law = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml" || e == "json");
        paths = std::fs::read_dir(path)?.flatten().map(|entry| entry.path()).filter(is_law).collect();
        paths.sort();
    }
    let read = |path: PathBuf| Ok((path.display().to_string(), std::fs::read_to_string(&path)?));
    paths.into_iter().map(read).collect()
}
