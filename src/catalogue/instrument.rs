//! An instrument: one dated file of entries, national law as data. A later one is another file, never code.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    entry::{Bilingual, Criterion, Determination, Entry, EntryId, EntryKind, Source, Test, WitnessPlan},
    facts::{AT, AttributeType, Consistency, EQUIPMENT_KIND, Side},
    read::{self, Attributes},
    standing::Witness,
};
use crate::terms::{
    Digest, Flaw, Flaws, LegalDay,
    flaw::Wrong,
    form::{self, Form, Node, Reading, Value},
};

/// The attribute overlays ask for.
pub(super) const REGION_CODE: &str = "region_code";

const WITNESS: &[(&str, Witness)] =
    &[("full", Witness::Full), ("drives", Witness::Drives), ("none", Witness::None)];

/// What attributes are called, and the unit of each that has one.
pub(super) type Labels = BTreeMap<Arc<str>, (Bilingual, Option<String>)>;

/// One instrument, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// The file, its number and day, its hash.
    pub source: Arc<Source>,
    /// What the document is called.
    pub title: Bilingual,
    /// The first day its entries are asked; `None` for always.
    pub effective_from: Option<LegalDay>,
    /// What plates may say, and of which type.
    pub(super) attributes: Attributes,
    /// What attributes are called, and their units.
    pub(super) labels: Labels,
    /// Kinds of equipment it knows without naming them in a criterion.
    pub(super) known_kinds: BTreeSet<String>,
    /// Rules every plate must keep.
    pub(super) consistency: Vec<Consistency>,
    /// Its entries in the order of the file.
    pub(super) entries: Vec<Entry>,
}

impl Catalogue {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Catalogue, Vec<Flaw>> {
        let node = Node::parse(file, text)?;
        let flaws = Flaws::default();
        let read = Form::of(&node, &flaws).and_then(|form| read(form, file, Digest::of(text.as_bytes())));
        match read {
            Some(catalogue) if flaws.is_empty() => Ok(catalogue),
            Some(_) | None => Err(flaws.into_sorted()),
        }
    }

    /// Its entries in the order of the file, national targets among them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every kind of equipment it knows.
    pub(super) fn kinds(&self) -> BTreeSet<String> {
        let named = self.entries.iter().flat_map(|entry| kinds_in(&entry.criteria));
        self.known_kinds.iter().cloned().chain(named).collect()
    }
}

/// Whether a file's text looks like an instrument rather than anything else of the house.
pub fn is_catalogue(node: &Node) -> bool {
    matches!(&node.value, Value::Table(members) if members.contains_key("document"))
}

/// The kinds of equipment that criteria name.
pub(super) fn kinds_in(criteria: &[Criterion]) -> Vec<String> {
    let predicates = criteria.iter().flat_map(Criterion::predicates);
    let named = predicates.filter(|predicate| &*predicate.attribute == EQUIPMENT_KIND);
    let texts = named.flat_map(|predicate| match &predicate.test {
        Test::Equals(value) => std::slice::from_ref(value),
        Test::OneOf(values) => values.as_slice(),
        Test::Bound(..) | Test::Prefix(_) | Test::Determined(_) | Test::ServiceYears(_) => &[],
    });
    texts.filter_map(super::weigh::text_of).map(str::to_owned).collect()
}

fn read(form: Form<'_>, file: &str, sha256: Digest) -> Option<Catalogue> {
    let (attributes, labels) = attributes(&form);
    let document = form.required_table("document")?;
    let id = document.required("id", form::text);
    let number = document.required("number", form::text);
    let issued = document.required("issued", form::day);
    let title = read::bilingual(&document, "title_zh", "title_en");
    let effective_from = document.optional("effective_from", form::day);
    let known_kinds = document.optional("known_kinds", form::list(form::text)).unwrap_or_default();
    let consistency = document.optional("consistency", form::list(consistency(&attributes)));
    ["published", "deadline_rule", "note"].into_iter().for_each(|key| document.pass(key));
    document.close();
    let source = Arc::new(Source { id: id?, number: number?, issued: issued?, file: file.into(), sha256 });
    let items = form.tables("entry");
    if items.is_empty() {
        form.flaw("entry", "no entry here", "an instrument has at least one `[[entry]]`");
    }
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let twice = |id: &EntryId| entries.iter().any(|entry| entry.id == *id);
        let read = entry(item, &attributes, &source, twice);
        entries.extend(read);
    }
    form.close();
    Some(Catalogue {
        source,
        title: title?,
        effective_from,
        attributes,
        labels,
        known_kinds: known_kinds.into_iter().collect(),
        consistency: consistency.unwrap_or_default(),
        entries,
    })
}

/// The declared attributes and what they are called; region and rulings are always there, overlays and determinations
/// need them.
fn attributes(form: &Form<'_>) -> (Attributes, Labels) {
    let mut attributes = Attributes::from([
        (Arc::from(REGION_CODE), AttributeType::Text),
        (Arc::from(super::case::DETERMINATIONS), AttributeType::Rulings),
    ]);
    let mut labels = Labels::new();
    for (name, node) in form.entries("attributes") {
        let Some(item) = Form::of(node, form.flaws()) else { continue };
        let name: Arc<str> = name.into();
        let of = item.required("type", form::one_of(AttributeType::WORDS));
        let label = read::bilingual(&item, "zh", "en");
        let unit = item.optional("unit", form::text);
        item.close();
        labels.extend(label.map(|label| (name.clone(), (label, unit))));
        attributes.extend(of.map(|of| (name, of)));
    }
    (attributes, labels)
}

fn consistency(attributes: &Attributes) -> impl Fn(&Value) -> Reading<Consistency> {
    |value| {
        let words = form::list(form::text)(value)?;
        let right = "like [\"built_year\", \"<=\", \"at.year\"] of number attributes and years of dates";
        let wrong = || Wrong::new(format!("has the rule {}", words.join(" ")), right);
        let [left, order, right] = words.as_slice() else { return Err(wrong()) };
        let side = |word: &str| {
            let (attribute, year) = word.strip_suffix(".year").map_or((word, false), |name| (name, true));
            let fits = match attributes.get(attribute) {
                Some(AttributeType::Number) => !year,
                Some(AttributeType::Date) => year,
                Some(AttributeType::Text | AttributeType::Flag | AttributeType::Rulings) => false,
                None => attribute == AT && year,
            };
            fits.then(|| Side { attribute: attribute.into(), year }).ok_or_else(wrong)
        };
        let order = read::order(order).ok_or_else(wrong)?;
        Ok(Consistency { left: side(left)?, order, right: side(right)? })
    }
}

fn entry(
    form: Form<'_>,
    attributes: &Attributes,
    source: &Arc<Source>,
    is_taken: impl Fn(&EntryId) -> bool,
) -> Option<Entry> {
    let id =
        form.required("id", |v| form::parsed(v, EntryId::new, "1 to 64 bytes without spaces are expected"));
    let title = read::bilingual(&form, "title_zh", "title_en");
    let quote = read::bilingual(&form, "quote_zh", "quote_en");
    let industry = form.required_table("industry").and_then(|industry| {
        industry.pass("key");
        let read = read::bilingual(&industry, "zh", "en");
        industry.close();
        read
    });
    let kind = form.required("kind", form::one_of(EntryKind::WORDS));
    let deadline = form.required("deadline", form::day);
    let determination = form.required("determination", form::one_of(Determination::WORDS));
    let needs = form.required("needs", form::list(form::text));
    let witness = form.required_table("witness").and_then(witness);
    let dispute = form.table("dispute").and_then(|dispute| read::predicate(dispute, attributes));
    let criteria = read::criteria(&form, "criteria", attributes);
    let exemptions = read::exemptions(&form, "exemption", attributes);
    ["seq", "section", "note", "target"].into_iter().for_each(|key| form.pass(key));
    if id.as_ref().is_some_and(is_taken) {
        form.flaw("id", "an entry of this id stands above", "give each entry an id of its own");
    }
    if criteria.is_empty() != (kind == Some(EntryKind::NationalTarget)) {
        form.flaw(
            "criteria",
            "only a national target, and every national target, has no criteria",
            "give what tells whether a plate is caught, or make it `kind = \"national-target\"`",
        );
    }
    let asked = attributes_in(criteria.iter().chain(exemptions.iter().flat_map(|e| &e.criteria)));
    let needed = needs.as_ref().map(|needs| needs.iter().map(String::as_str).collect::<BTreeSet<_>>());
    // Where a criterion could not be read, what it asks for is not known.
    if form.flaws().is_empty() && needed.is_some_and(|needed| needed != asked) {
        let asked: Vec<&str> = asked.into_iter().collect();
        form.flaw(
            "needs",
            "`needs` is not what the criteria ask for",
            format!("they ask for {}", asked.join(", ")),
        );
    }
    form.close();
    Some(Entry {
        id: id?,
        title: title?,
        quote: quote?,
        industry: industry?,
        kind: kind?,
        deadline: deadline?,
        determination: determination?,
        needs: needs?,
        witness: witness?,
        criteria,
        exemptions,
        dispute,
        region: None,
        source: source.clone(),
    })
}

pub(super) fn witness(form: Form<'_>) -> Option<WitnessPlan> {
    let reach = form.required("reach", form::one_of(WITNESS));
    let points = form.required("points", form::list(form::text));
    let how = form.required("how", form::text);
    form.close();
    Some(WitnessPlan { reach: reach?, points: points?, how: how? })
}

fn attributes_in<'c>(criteria: impl Iterator<Item = &'c Criterion>) -> BTreeSet<&'c str> {
    criteria.flat_map(Criterion::predicates).map(|predicate| &*predicate.attribute).collect()
}
