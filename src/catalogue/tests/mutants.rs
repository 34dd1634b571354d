//! The shipped catalogue with one thing wrong, for every thing in it: the table must notice each.

use super::{
    super::{
        Catalogue, Datum, Exact, Rules, Witness,
        entry::{Criterion, Determination, Entry, EntryKind, Exemption, Order, Predicate, Test},
        rules::SHIPPED,
    },
    table::{Check, checks, standing_failure},
};
use crate::terms::{LegalDay, time::DAY_MS};

const ORDERS: [Order; 4] = [Order::Below, Order::AtMost, Order::Above, Order::AtLeast];

/// A mutant: which entry, what was done, the catalogue.
struct Mutant {
    about: String,
    what: String,
    catalogue: Catalogue,
}

fn beside(day: LegalDay, days: i64) -> LegalDay {
    LegalDay::of_unix_ms(day.starts_unix_ms() + days * DAY_MS)
}

/// A number a thousandth away.
fn nearby(number: &Exact) -> Vec<Exact> {
    let scaled = Exact::parse(&format!("{number}e3")).unwrap().whole().unwrap();
    [scaled - 1, scaled + 1].iter().map(|near| Exact::new(*near, -3).unwrap()).collect()
}

fn wrong_datum(datum: &Datum) -> Datum {
    match datum {
        Datum::Text(text) => Datum::Text(format!("{text}_")),
        Datum::Flag(flag) => Datum::Flag(!flag),
        Datum::Number(number) => Datum::Number(nearby(number).remove(0)),
        Datum::Rulings(_) | Datum::Unusable => Datum::Unusable,
    }
}

fn wrong_tests(test: &Test) -> Vec<Test> {
    match test {
        Test::Equals(value) => vec![Test::Equals(wrong_datum(value))],
        Test::OneOf(values) => {
            let without = |at: usize| [&values[..at], &values[at + 1..]].concat();
            (0..values.len()).map(|at| Test::OneOf(without(at))).collect()
        }
        Test::Bound(order, value) => {
            let others = ORDERS.iter().filter(|other| *other != order);
            let orders = others.map(|other| Test::Bound(*other, value.clone()));
            orders.chain(nearby(value).into_iter().map(|near| Test::Bound(*order, near))).collect()
        }
        Test::Prefix(text) => vec![Test::Prefix(format!("{text}_"))],
        Test::Determined(what) => vec![Test::Determined(format!("{what}_"))],
        Test::ServiceYears(years) => vec![Test::ServiceYears(years - 1), Test::ServiceYears(years + 1)],
    }
}

fn wrong_predicates(predicate: &Predicate) -> Vec<Predicate> {
    let tests = wrong_tests(&predicate.test).into_iter();
    let mut wrong: Vec<Predicate> = tests.map(|test| Predicate { test, ..predicate.clone() }).collect();
    wrong.push(Predicate { attribute: "no_such_attribute".into(), ..predicate.clone() });
    if predicate.rival.is_some() {
        let others = ORDERS.iter().map(|order| Some(*order)).chain([None]);
        let others = others.filter(|rival| *rival != predicate.rival);
        wrong.extend(others.map(|rival| Predicate { rival, ..predicate.clone() }));
    }
    wrong
}

/// Every list of criteria that differs in one thing.
fn wrong_criteria(criteria: &[Criterion]) -> Vec<Vec<Criterion>> {
    let mut wrong = Vec::new();
    for (at, criterion) in criteria.iter().enumerate() {
        let with = |instead: Option<Criterion>| {
            let mut all = criteria.to_vec();
            match instead {
                Some(instead) => all[at] = instead,
                None => drop(all.remove(at)),
            }
            all
        };
        wrong.push(with(None));
        match criterion {
            Criterion::One(one) => {
                wrong.extend(wrong_predicates(one).into_iter().map(|one| with(Some(Criterion::One(one)))));
            }
            Criterion::Any(any) => {
                for (member, one) in any.iter().enumerate() {
                    let mut fewer = any.clone();
                    fewer.remove(member);
                    wrong.push(with(Some(Criterion::Any(fewer))));
                    for other in wrong_predicates(one) {
                        let mut changed = any.clone();
                        changed[member] = other;
                        wrong.push(with(Some(Criterion::Any(changed))));
                    }
                }
            }
        }
    }
    wrong
}

fn wrong_exemptions(exemptions: &[Exemption]) -> Vec<Vec<Exemption>> {
    let mut wrong = Vec::new();
    for at in 0..exemptions.len() {
        wrong.push([&exemptions[..at], &exemptions[at + 1..]].concat());
        for criteria in wrong_criteria(&exemptions[at].criteria) {
            let mut changed = exemptions.to_vec();
            changed[at].criteria = criteria;
            wrong.push(changed);
        }
    }
    wrong
}

fn asks_for_a_ruling(entry: &Entry) -> bool {
    let exempting = entry.exemptions.iter().flat_map(|exemption| &exemption.criteria);
    let mut all = entry.criteria.iter().chain(exempting).flat_map(Criterion::predicates);
    all.any(|predicate| matches!(predicate.test, Test::Determined(_)))
}

/// Every entry that differs from this one in one thing.
fn wrong_entries(entry: &Entry) -> Vec<(String, Entry)> {
    let mut wrong = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Entry)| {
        let mut changed = entry.clone();
        change(&mut changed);
        wrong.push((what, changed));
    };
    if entry.kind == EntryKind::NationalTarget {
        add("taken for a threshold".into(), &|e| e.kind = EntryKind::Equipment);
        return wrong;
    }
    add("taken for a national target".into(), &|e| e.kind = EntryKind::NationalTarget);
    for days in [-1, 1, -366, 366] {
        add(format!("deadline {days} days"), &|e| e.deadline = beside(e.deadline, days));
    }
    for criteria in wrong_criteria(&entry.criteria) {
        add(format!("criteria {criteria:?}"), &|e| e.criteria = criteria.clone());
    }
    for exemptions in wrong_exemptions(&entry.exemptions) {
        add(format!("exemptions {exemptions:?}"), &|e| e.exemptions = exemptions.clone());
    }
    if asks_for_a_ruling(entry) {
        let closed = entry.determination == Determination::Closed;
        let other = if closed { Determination::Unknown } else { Determination::Closed };
        add(format!("determination {other:?}"), &|e| e.determination = other);
    }
    if let Some(dispute) = &entry.dispute {
        add("no dispute".into(), &|e| e.dispute = None);
        for other in wrong_predicates(dispute) {
            add(format!("dispute {other:?}"), &|e| e.dispute = Some(other.clone()));
        }
    }
    for reach in
        [Witness::Full, Witness::Drives, Witness::None].into_iter().filter(|r| *r != entry.witness.reach)
    {
        add(format!("witness {reach:?}"), &|e| e.witness.reach = reach);
    }
    wrong
}

fn mutants(shipped: &Catalogue) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (at, entry) in shipped.entries.iter().enumerate() {
        let mut add = |what: String, other: Option<Entry>| {
            let mut catalogue = shipped.clone();
            match other {
                Some(other) => catalogue.entries[at] = other,
                None => drop(catalogue.entries.remove(at)),
            }
            mutants.push(Mutant { about: entry.id.to_string(), what, catalogue });
        };
        add("left out".into(), None);
        wrong_entries(entry).into_iter().for_each(|(what, other)| add(what, Some(other)));
    }
    let mut add = |what: String, change: &dyn Fn(&mut Catalogue)| {
        let mut catalogue = shipped.clone();
        change(&mut catalogue);
        mutants.push(Mutant { about: String::new(), what, catalogue });
    };
    for kind in &shipped.known_kinds {
        add(format!("unknown kind {kind}"), &|c| {
            c.known_kinds.remove(kind);
        });
    }
    for (at, rule) in shipped.consistency.iter().enumerate() {
        add(format!("no rule {rule:?}"), &|c| drop(c.consistency.remove(at)));
        for order in ORDERS.into_iter().filter(|order| *order != rule.order) {
            add(format!("{order:?} in {rule:?}"), &|c| c.consistency[at].order = order);
        }
    }
    for days in [-1, 1] {
        add(format!("issued {days} day"), &|c| {
            let mut source = (*c.source).clone();
            source.issued = beside(source.issued, days);
            c.source = source.into();
        });
    }
    mutants
}

/// Whether the table notices; the cases about the entry are asked first.
fn is_killed(mutant: &Mutant, checks: &[Check]) -> bool {
    let rules = Rules::new(vec![mutant.catalogue.clone()]).unwrap();
    let fails = |check: &&Check| check.failure(&rules).is_some();
    standing_failure(&rules).is_some()
        || checks.iter().filter(|check| check.about == mutant.about).any(|check| fails(&check))
        || checks.iter().any(|check| fails(&check))
}

#[test]
fn no_mutant_of_the_shipped_catalogue_survives_the_table() {
    let shipped = Catalogue::parse(SHIPPED.0, SHIPPED.1).unwrap();
    let (checks, mutants) = (checks(), mutants(&shipped));
    let sound = Rules::new(vec![shipped.clone()]).unwrap();
    assert!(
        checks.iter().all(|check| check.failure(&sound).is_none()),
        "the table must hold of the catalogue itself"
    );
    let alive: Vec<String> = mutants
        .iter()
        .filter(|mutant| !is_killed(mutant, &checks))
        .map(|mutant| format!("{}: {}", mutant.about, mutant.what))
        .collect();
    let killed = mutants.len() - alive.len();
    eprintln!(
        "{killed} of {} mutants of the shipped catalogue killed by {} cases",
        mutants.len(),
        checks.len()
    );
    assert!(alive.is_empty(), "{}", alive.join("\n"));
    assert!(mutants.len() > 700, "{}", mutants.len());
}
