//! One version of an entry weighed against what is known of a plate.

use std::collections::BTreeSet;

use super::{
    case::{DETERMINATIONS, Datum},
    entry::{Criterion, Determination, Entry, Exemption, Predicate, Test},
    facts::{Fact, Facts},
    service::Start,
    truth::Truth,
};
use crate::terms::LegalDay;

/// The attribute that serves where nobody knows when equipment was put to use.
pub(super) const BUILT_YEAR: &str = "built_year";

/// What an entry comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weighed {
    /// All criteria, the region among them.
    pub(super) base: Truth,
    /// Any exemption.
    pub(super) exempt: Truth,
}

impl Weighed {
    /// Whether the entry catches the plate.
    pub(super) fn truth(self) -> Truth {
        self.base.min(self.exempt.negated())
    }
}

/// How an entry is read.
#[derive(Clone, Copy)]
pub(super) struct Scale<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The day years of service are counted to; by default the entry's deadline.
    pub(super) years_to: Option<LegalDay>,
    /// Bounds are read as their rivals.
    pub(super) rival: bool,
}

impl<'a> Scale<'a> {
    pub(super) fn new(facts: &'a Facts<'a>) -> Scale<'a> {
        Scale { facts, years_to: None, rival: false }
    }

    pub(super) fn weigh(&self, entry: &Entry) -> Weighed {
        let base = self.all(&entry.criteria, entry);
        let region = || entry.region.as_ref().map_or(Truth::True, |region| self.predicate(region, entry));
        let base = if base == Truth::False { base } else { base.min(region()) };
        if base == Truth::False {
            // No exemption matters any more.
            return Weighed { base, exempt: Truth::False };
        }
        let exemptions = entry.exemptions.iter();
        let exempt = exemptions.map(|e| self.all(&e.criteria, entry)).max().unwrap_or(Truth::False);
        Weighed { base, exempt }
    }

    /// The exemption that holds.
    pub(super) fn lets_go<'e>(&self, entry: &'e Entry) -> Option<&'e Exemption> {
        entry.exemptions.iter().find(|exemption| self.all(&exemption.criteria, entry) == Truth::True)
    }

    /// Adds what left an undecided entry undecided.
    pub(super) fn missing(&self, entry: &Entry, into: &mut BTreeSet<String>) {
        let region = entry.region.iter().filter(|region| self.predicate(region, entry) == Truth::Unknown);
        into.extend(region.map(|region| region.attribute.to_string()));
        self.undecided(&entry.criteria, entry, into);
        for exemption in &entry.exemptions {
            if self.all(&exemption.criteria, entry) == Truth::Unknown {
                self.undecided(&exemption.criteria, entry, into);
            }
        }
    }

    fn undecided(&self, criteria: &[Criterion], entry: &Entry, into: &mut BTreeSet<String>) {
        let open = criteria.iter().filter(|criterion| self.criterion(criterion, entry) == Truth::Unknown);
        for predicate in open.flat_map(Criterion::predicates) {
            if self.predicate(predicate, entry) == Truth::Unknown {
                into.insert(match &predicate.test {
                    Test::Determined(what) => format!("{DETERMINATIONS}:{what}"),
                    Test::Equals(_)
                    | Test::OneOf(_)
                    | Test::Bound(..)
                    | Test::Prefix(_)
                    | Test::ServiceYears(_) => predicate.attribute.to_string(),
                });
            }
        }
    }

    fn all(&self, criteria: &[Criterion], entry: &Entry) -> Truth {
        let mut least = Truth::True;
        for criterion in criteria {
            least = least.min(self.criterion(criterion, entry));
            if least == Truth::False {
                break;
            }
        }
        least
    }

    fn criterion(&self, criterion: &Criterion, entry: &Entry) -> Truth {
        match criterion {
            Criterion::One(predicate) => self.predicate(predicate, entry),
            Criterion::Any(any) => {
                any.iter().map(|predicate| self.predicate(predicate, entry)).max().unwrap_or(Truth::False)
            }
        }
    }

    pub(super) fn predicate(&self, predicate: &Predicate, entry: &Entry) -> Truth {
        let fact = self.facts.get(&predicate.attribute);
        match &predicate.test {
            Test::Determined(what) => ruling(fact, what, entry.determination),
            Test::ServiceYears(years) => self.service(fact, *years, self.years_to.unwrap_or(entry.deadline)),
            Test::Equals(_) | Test::OneOf(_) | Test::Bound(..) | Test::Prefix(_) => {
                fact.map_or(Truth::Unknown, |fact| fact.asked(|datum| self.test(predicate, datum).into()))
            }
        }
    }

    fn test(&self, predicate: &Predicate, datum: &Datum) -> bool {
        match (&predicate.test, datum) {
            (Test::Equals(value), datum) => value == datum,
            (Test::OneOf(values), datum) => values.contains(datum),
            (Test::Bound(order, bound), Datum::Number(number)) => {
                let rival = predicate.rival.filter(|_| self.rival);
                rival.unwrap_or(*order).holds(number, bound)
            }
            (Test::Prefix(prefix), Datum::Text(text)) => text.starts_with(prefix.as_str()),
            (Test::Bound(..) | Test::Prefix(_) | Test::Determined(_) | Test::ServiceYears(_), _) => false,
        }
    }

    fn service(&self, fact: Option<&Fact<'_>>, years: i64, to: LegalDay) -> Truth {
        let longer = |start: Option<Start>| start.map_or(Truth::Unknown, |s| s.is_longer_than(years, to));
        if let Some(fact) = fact {
            return fact.asked(|datum| longer(text_of(datum).and_then(Start::parse)));
        }
        let built = |datum: &Datum| match datum {
            Datum::Number(year) => year.whole().map(Start::NotBefore),
            Datum::Text(_) | Datum::Flag(_) | Datum::Rulings(_) | Datum::Unusable => None,
        };
        self.facts.get(BUILT_YEAR).map_or(Truth::Unknown, |fact| fact.asked(|datum| longer(built(datum))))
    }
}

fn ruling(fact: Option<&Fact<'_>>, what: &str, determination: Determination) -> Truth {
    let unruled = match determination {
        Determination::Closed => Truth::False,
        Determination::Unknown | Determination::None => Truth::Unknown,
    };
    let of = |datum: &Datum| match datum {
        Datum::Rulings(rulings) => rulings.get(what).map_or(unruled, |ruling| (*ruling).into()),
        Datum::Text(_) | Datum::Number(_) | Datum::Flag(_) | Datum::Unusable => unruled,
    };
    fact.map_or(unruled, |fact| fact.asked(of))
}

/// The text of a datum.
pub(super) fn text_of(datum: &Datum) -> Option<&str> {
    match datum {
        Datum::Text(text) => Some(text),
        Datum::Number(_) | Datum::Flag(_) | Datum::Rulings(_) | Datum::Unusable => None,
    }
}
