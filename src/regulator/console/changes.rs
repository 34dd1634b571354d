//! PURE file. What another version of an instrument says otherwise than the one in force, clause by clause.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{
    catalogue::{
        Catalogue, Datum, Entry, Rules,
        entry::{Criterion, Determination, EntryKind, Exemption, Predicate, Test},
    },
    terms::words::{self, Words},
};

/// One thing that two versions say differently. What one of them does not say is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Of which entry.
    pub(super) entry: String,
    /// Which part of it.
    pub(super) part: Words,
    /// What the version in force says.
    pub(super) here: Option<String>,
    /// What the other one says.
    pub(super) there: Option<String>,
}

/// Every difference, by entry.
pub(super) fn between(rules: &Rules, other: &Catalogue) -> Vec<Change> {
    let of_this = || rules.entries().filter(|entry| entry.source.id == other.source.id);
    let named: BTreeSet<&str> = of_this()
        .map(|entry| entry.id.as_str())
        .chain(other.entries().iter().map(|entry| entry.id.as_str()))
        .collect();
    let mut all = Vec::new();
    for id in named {
        let here = of_this().find(|entry| entry.id.as_str() == id);
        let there = other.entries().iter().find(|entry| entry.id.as_str() == id);
        all.extend(parts(id, here, there));
    }
    all
}

/// A part of an entry, and what an entry says there.
type Part = (Words, fn(&Entry) -> String);

fn parts(id: &str, here: Option<&Entry>, there: Option<&Entry>) -> Vec<Change> {
    let of: [Part; 8] = [
        (words::K_ENTRY, |entry| entry.title.zh.clone()),
        (words::K_CLAUSE, |entry| entry.quote.zh.clone()),
        (words::K_INDUSTRY, |entry| entry.industry.zh.clone()),
        (words::K_KIND, |entry| word(EntryKind::WORDS, entry.kind)),
        (words::LAST_LAWFUL_DAY, |entry| entry.deadline.to_string()),
        (words::K_CRITERIA, |entry| criteria(&entry.criteria)),
        (words::K_EXEMPTIONS, |entry| exemptions(&entry.exemptions)),
        (words::K_DETERMINATION, |entry| word(Determination::WORDS, entry.determination)),
    ];
    let changed = of.into_iter().filter_map(|(part, said)| {
        let (here, there) = (here.map(said), there.map(said));
        (here != there).then(|| Change { entry: id.to_owned(), part, here, there })
    });
    let all: Vec<Change> = changed.collect();
    // An entry that one of them lacks is told by its name alone.
    if here.is_none() || there.is_none() { all.into_iter().take(1).collect() } else { all }
}

fn word<T: Copy + PartialEq>(all: &[(&'static str, T)], one: T) -> String {
    all.iter().find(|(_, of)| *of == one).map_or_else(String::new, |(word, _)| (*word).to_owned())
}

fn exemptions(all: &[Exemption]) -> String {
    let each = all.iter().map(|one| format!("{}: {}", one.id, criteria(&one.criteria)));
    each.collect::<Vec<_>>().join("; ")
}

/// Conditions as the files of the catalogue write them, all of which must hold.
fn criteria(all: &[Criterion]) -> String {
    let each = all.iter().map(|one| match one {
        Criterion::One(predicate) => written(predicate),
        Criterion::Any(any) => format!("any [{}]", any.iter().map(written).collect::<Vec<_>>().join(", ")),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn written(predicate: &Predicate) -> String {
    let attribute = &predicate.attribute;
    let mut out = match &predicate.test {
        Test::Equals(value) => format!("{attribute} == {}", datum(value)),
        Test::OneOf(values) => {
            format!("{attribute} in [{}]", values.iter().map(datum).collect::<Vec<_>>().join(", "))
        }
        Test::Bound(order, bound) => format!("{attribute} {} {bound}", order.word()),
        Test::Prefix(prefix) => format!("{attribute} prefix {prefix}"),
        Test::Determined(id) => format!("{attribute} determined {id}"),
        Test::ServiceYears(years) => format!("{attribute} service_years_gt {years}"),
    };
    if let Some(rival) = predicate.rival {
        let _infallible = write!(out, " (alt_op {})", rival.word());
    }
    out
}

fn datum(value: &Datum) -> String {
    match value {
        Datum::Text(text) => text.clone(),
        Datum::Number(number) => number.to_string(),
        Datum::Flag(flag) => flag.to_string(),
        Datum::Rulings(_) | Datum::Unusable => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../config/catalogue/guofa-2010-7.toml");

    fn against(text: &str) -> Vec<Change> {
        between(&Rules::shipped().unwrap(), &Catalogue::parse("other.toml", text).unwrap())
    }

    #[test]
    fn a_version_differs_in_nothing_from_itself() {
        assert_eq!(against(SHIPPED), []);
    }

    #[test]
    fn a_bound_that_moves_and_an_entry_that_goes_are_each_named_once() {
        let at = SHIPPED.find("id = \"steel-electric-furnace-up-to-30t\"").unwrap();
        let (before, after) = SHIPPED.split_at(at);
        let moved = format!("{before}{}", after.replacen("value = 30", "value = 40", 1));
        let changes = against(&moved);
        assert_eq!(changes.len(), 1, "{changes:?}");
        let change = changes.first().unwrap();
        assert_eq!(
            (change.entry.as_str(), change.part),
            ("steel-electric-furnace-up-to-30t", words::K_CRITERIA)
        );
        assert!(
            change.here.as_ref().unwrap().contains("30") && change.there.as_ref().unwrap().contains("40")
        );
        let next = after.find("[[entry]]").unwrap();
        let gone = format!("{}{}", before.rsplit_once("[[entry]]").unwrap().0, after.split_at(next).1);
        let changes = against(&gone);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(changes.iter().all(|change| change.there.is_none() && change.part == words::K_ENTRY));
    }
}
