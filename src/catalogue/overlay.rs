//! What a province, city or county adds to the nation's rule. It is united with it, so it can only tighten;
//! each attempt to loosen is named.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    entry::{
        Bilingual, Criterion, Determination, Entry, EntryId, EntryKind, Predicate, Source, Test, WitnessPlan,
    },
    instrument::{REGION_CODE, kinds_in},
    lint,
    read::{self, Attributes},
    rules::Nation,
    standing::Witness,
};
use crate::terms::{
    Digest, Flaw, Flaws, LegalDay,
    flaw::Wrong,
    form::{self, Form, Node, Value},
    json,
};

/// One overlay, its entries derived from the nation's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// Its id, the day it takes effect, its file and hash. Before that day it is ignored.
    pub source: Arc<Source>,
    /// Division code the equipment's must begin with.
    pub region_code: String,
    /// Its versions of entries.
    pub(super) entries: Vec<Arc<Entry>>,
    /// Kinds of equipment it names.
    pub(super) kinds: BTreeSet<String>,
    /// Its attempts to loosen.
    pub(super) lint: BTreeSet<String>,
}

impl Overlay {
    /// Reads a file, JSON if its name ends so, else TOML.
    pub(super) fn parse(file: &str, text: &str, nation: &Nation) -> Result<Overlay, Vec<Flaw>> {
        let node = document(file, text)?;
        let flaws = Flaws::default();
        let read = Overlay::of(&node, file, Digest::of(text.as_bytes()), nation, &flaws);
        match read {
            Some(overlay) if flaws.is_empty() => Ok(overlay),
            Some(_) | None => Err(flaws.into_sorted()),
        }
    }

    /// Reads an overlay that stands in a document.
    pub(super) fn of(
        node: &Node,
        file: &str,
        sha256: Digest,
        nation: &Nation,
        flaws: &Flaws,
    ) -> Option<Overlay> {
        let form = Form::of(node, flaws)?;
        let number = form.required("id", form::text);
        let region_code = form.required("region_code", form::text);
        let issued = form.optional("effective_from", form::day).unwrap_or(nation.since);
        let repealed = form.optional("repeal", form::list(form::text)).unwrap_or_default();
        let mut lint: BTreeSet<String> = repealed.iter().map(|id| format!("repeal:{id}")).collect();
        ["title_zh", "title_en", "note"].into_iter().for_each(|key| form.pass(key));
        let source =
            Arc::new(Source { id: number.clone()?, number: number?, issued, file: file.into(), sha256 });
        let region = Predicate {
            attribute: REGION_CODE.into(),
            test: Test::Prefix(region_code.clone()?),
            rival: None,
        };
        let mut entries = Vec::new();
        for item in form.tables("entries") {
            let read = if item.has("base") {
                derived(item, nation, &mut lint)
            } else {
                added(item, &nation.attributes, &source)
            };
            entries.extend(read.map(|entry| {
                Arc::new(Entry { region: Some(region.clone()), source: source.clone(), ..entry })
            }));
        }
        form.close();
        let kinds = entries.iter().flat_map(|entry| kinds_in(&entry.criteria)).collect();
        Some(Overlay { source, region_code: region_code?, entries, kinds, lint })
    }
}

/// Reads a document, JSON if its name ends so, else TOML.
///
/// # Errors
/// Every mistake of the syntax, with its place.
pub fn document(file: &str, text: &str) -> Result<Node, Vec<Flaw>> {
    if file.ends_with(".json") {
        json::parse(file, text).map_err(|flaw| vec![flaw])
    } else {
        Node::parse(file, text)
    }
}

/// Whether a file's content looks like an overlay rather than anything else of the house.
pub fn is_overlay(node: &Node) -> bool {
    matches!(&node.value, Value::Table(members) if members.contains_key(REGION_CODE))
}

/// A version of a national entry, changed in the order the grammar fixes.
fn derived(form: Form<'_>, nation: &Nation, lint: &mut BTreeSet<String>) -> Option<Entry> {
    let base = form.required("base", |value| {
        form::parsed(value, |id| nation.entry(id).cloned(), "the id of a national entry is expected")
    });
    let deadline = form.optional("deadline", form::day);
    let dropped = form.optional("drop_criteria", form::list(read::attribute_of(&nation.attributes)));
    let bounds: Vec<Predicate> = form
        .tables("set_bounds")
        .into_iter()
        .filter_map(|bound| set_bound(bound, &nation.attributes))
        .collect();
    let added = read::criteria(&form, "add_criteria", &nation.attributes);
    let dropped_exemptions = form.optional("drop_exemptions", form::list(form::text)).unwrap_or_default();
    let added_exemptions = read::exemptions(&form, "add_exemptions", &nation.attributes);
    ["quote_zh", "quote_en", "note"].into_iter().for_each(|key| form.pass(key));
    form.close();

    let base = base?;
    let change = lint::Change {
        base: &base,
        deadline,
        bounds: &bounds,
        adds_criteria: !added.is_empty(),
        dropped_exemptions: &dropped_exemptions,
        added_exemptions: &added_exemptions,
    };
    lint.extend(change.lint());

    let mut entry = (*base).clone();
    entry.deadline = deadline.unwrap_or(entry.deadline);
    let dropped = dropped.unwrap_or_default();
    let drops = |p: &Predicate| dropped.iter().any(|(attribute, _)| *attribute == p.attribute);
    let replaced = |p: &Predicate| is_bound(p) && bounds.iter().any(|bound| bound.attribute == p.attribute);
    entry.criteria.retain(|criterion| match criterion {
        Criterion::One(predicate) => !drops(predicate) && !replaced(predicate),
        Criterion::Any(_) => true,
    });
    entry.criteria.extend(bounds.iter().cloned().map(Criterion::One));
    entry.criteria.extend(added);
    entry.exemptions.retain(|exemption| !dropped_exemptions.contains(&exemption.id));
    entry.exemptions.extend(added_exemptions);
    Some(entry)
}

/// True of `<`, `<=`, `>`, `>=` and years of service.
pub(super) fn is_bound(predicate: &Predicate) -> bool {
    matches!(predicate.test, Test::Bound(..) | Test::ServiceYears(_))
}

fn set_bound(form: Form<'_>, attributes: &Attributes) -> Option<Predicate> {
    let place = form.place("op").clone();
    let flaws = form.flaws();
    let bound = read::predicate(form, attributes)?;
    if is_bound(&bound) {
        return Some(Predicate { rival: None, ..bound });
    }
    flaws.add(place, Wrong::new("`op` is no bound", "use <, <=, >, >= or service_years_gt"));
    None
}

/// A whole new entry.
fn added(form: Form<'_>, attributes: &Attributes, source: &Arc<Source>) -> Option<Entry> {
    let id =
        form.required("id", |v| form::parsed(v, EntryId::new, "1 to 64 bytes without spaces are expected"));
    let kind = form.optional("kind", form::one_of(EntryKind::WORDS)).unwrap_or(EntryKind::Equipment);
    let deadline: Option<LegalDay> = form.required("deadline", form::day);
    let determination = form.optional("determination", form::one_of(Determination::WORDS));
    let criteria = read::criteria(&form, "criteria", attributes);
    let exemptions = read::exemptions(&form, "exemption", attributes);
    let dispute = form.table("dispute").and_then(|dispute| read::predicate(dispute, attributes));
    let text = |zh, en| Bilingual {
        zh: form.optional(zh, form::text).unwrap_or_default(),
        en: form.optional(en, form::text).unwrap_or_default(),
    };
    let (title, quote) = (text("title_zh", "title_en"), text("quote_zh", "quote_en"));
    let witness = form.table("witness").and_then(super::instrument::witness).unwrap_or_else(|| WitnessPlan {
        reach: Witness::None,
        points: Vec::new(),
        how: "The overlay does not say.".into(),
    });
    ["seq", "section", "industry", "needs", "note", "target"].into_iter().for_each(|key| form.pass(key));
    if criteria.is_empty() && kind != EntryKind::NationalTarget {
        form.flaw("criteria", "an entry without criteria catches everything", "add `criteria`");
    }
    form.close();
    Some(Entry {
        id: id?,
        title,
        quote,
        industry: Bilingual::default(),
        kind,
        deadline: deadline?,
        determination: determination.unwrap_or(Determination::None),
        needs: Vec::new(),
        witness,
        criteria,
        exemptions,
        dispute,
        region: None,
        source: source.clone(),
    })
}
