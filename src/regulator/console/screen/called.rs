//! What a piece of equipment is called in a list: its entry in the words of the catalogue, and what its nameplate says of the
//! quantities that the entry binds, beside the bounds.

use super::nameplate::{self, Plate};
use crate::{
    catalogue::{
        Entry, Exact, Rules,
        entry::{Criterion, Order, Test},
    },
    regulator::{
        console::stamped,
        store::{Answered, Store, sights::AssetRow},
    },
    terms::words::Language,
};

/// The nameplate of a row, by its record.
pub(super) fn plate(store: &mut dyn Store, row: &AssetRow) -> Answered<Option<Plate>> {
    let record = super::asset::record_at(store, row.gateway, row.plate)?;
    Ok(record.and_then(nameplate::of_record))
}

/// The entry that a row is classed by, as the catalogue has it.
pub(super) fn entry<'r>(row: &AssetRow, rules: &'r Rules) -> Option<&'r Entry> {
    // `instrument entry`
    rules.entry(row.entry.split_once(' ')?.1)
}

/// What the entry of a row is called; one that the catalogue does not know by its code; a dash where there is none.
pub(super) fn title(row: &AssetRow, rules: &Rules, language: Language) -> String {
    match entry(row, rules) {
        Some(entry) => entry.title.in_language(language).to_owned(),
        None if row.entry.is_empty() => "–".to_owned(),
        None => row.entry.clone(),
    }
}

/// What the machine is called: by its plate's own name, by maker and model otherwise; empty where its plate says neither.
pub(super) fn machine(plate: Option<&Plate>) -> String {
    let Some(plate) = plate else { return String::new() };
    if let Some(name) = plate.name() {
        return name;
    }
    let lines = ["maker", "model"].into_iter().filter_map(|line| plate.plate.says(line));
    lines.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What the plate says of the quantities that an entry binds, and the bounds; a dash for what nobody tells.
pub(super) fn capacity(entry: Option<&Entry>, plate: Option<&Plate>, language: Language) -> [String; 2] {
    let bounds = entry.map(bounds).unwrap_or_default();
    // With more than one, each says what it is of.
    let named = |attribute: &str, text: String| {
        if bounds.len() == 1 { text } else { format!("{}: {text}", stamped::label(attribute, language)) }
    };
    let said = bounds.iter().filter_map(|(attribute, ..)| {
        let value = plate?.plate.says(attribute)?;
        Some(named(attribute, stamped::value(attribute, value, language)))
    });
    let held = bounds.iter().map(|(attribute, order, bound)| {
        let bound = stamped::with_unit(attribute, &bound.to_string(), language);
        named(attribute, format!("{} {bound}", nameplate::sign(*order)))
    });
    [joined(said), joined(held)]
}

fn joined(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    if all.is_empty() { "–".to_owned() } else { all.join("; ") }
}

/// What an entry binds, each quantity once.
fn bounds(entry: &Entry) -> Vec<(&str, Order, &Exact)> {
    let mut bounds: Vec<(&str, Order, &Exact)> = Vec::new();
    for predicate in entry.criteria.iter().flat_map(Criterion::predicates) {
        let Test::Bound(order, bound) = &predicate.test else { continue };
        let one = (&*predicate.attribute, *order, bound);
        if !bounds.contains(&one) {
            bounds.push(one);
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{Attribute, Nameplate, PlateSource, plate::PlateValue},
        terms::Digest,
    };

    fn plate(lines: &[(&str, PlateValue)]) -> Plate {
        let lines = lines.iter().map(|(name, value)| Attribute::new(name, value.clone()).unwrap());
        let plate = Nameplate::new(lines.collect()).unwrap();
        Plate { source: PlateSource::Declared, plate, hash: Digest::ZERO }
    }

    #[test]
    fn a_capacity_stands_beside_its_bound_and_what_nobody_tells_is_a_dash() {
        let rules = Rules::shipped().unwrap();
        let entry = rules.entry("steel-electric-furnace-up-to-30t").unwrap();
        let told = plate(&[
            ("maker", PlateValue::Text("西安电炉厂".into())),
            ("nominal_tonnage_t", PlateValue::Decimal { mantissa: 250, places: 1 }),
        ]);
        assert_eq!(capacity(Some(entry), Some(&told), Language::English), ["25.0 t", "≤ 30 t"]);
        assert_eq!(capacity(Some(entry), None, Language::Chinese), ["–", "≤ 30 t"]);
        assert_eq!(capacity(None, Some(&told), Language::Chinese), ["–", "–"]);
        assert_eq!((machine(Some(&told)), machine(None)), ("西安电炉厂".to_owned(), String::new()));
    }

    #[test]
    fn every_entry_tells_its_bounds_in_both_languages() {
        let rules = Rules::shipped().unwrap();
        let mut bound = 0;
        for entry in rules.entries() {
            for language in [Language::Chinese, Language::English] {
                let [said, held] = capacity(Some(entry), None, language);
                assert_eq!(said, "–");
                assert!(!held.contains('_'), "{held}");
                bound += usize::from(held != "–");
            }
        }
        assert!(bound > 30, "{bound}");
    }
}
