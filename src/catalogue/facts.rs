//! Which claims can be used: of the declared type, of a known kind, and not contradicting each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    case::{CasePlate, Claim, Datum},
    entry::Order,
    exact::Exact,
    service::{Start, year_of},
    truth::Truth,
};
use crate::terms::LegalDay;

/// The attribute whose values must be of the vocabulary.
pub const EQUIPMENT_KIND: &str = "equipment_kind";
/// What stands for the day of the case in a rule of consistency.
pub const AT: &str = "at";

/// What an attribute's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// Text that is not empty.
    Text,
    /// A finite number above zero.
    Number,
    /// Yes or no.
    Flag,
    /// `YYYY-MM-DD` or `YYYY`, as text.
    Date,
    /// Rulings of an authority.
    Rulings,
}

impl AttributeType {
    /// Every type and the word of files.
    pub const WORDS: &'static [(&'static str, AttributeType)] = &[
        ("enum", AttributeType::Text),
        ("string", AttributeType::Text),
        ("number", AttributeType::Number),
        ("bool", AttributeType::Flag),
        ("date", AttributeType::Date),
        ("map", AttributeType::Rulings),
    ];

    fn admits(self, datum: &Datum) -> bool {
        match (self, datum) {
            (AttributeType::Text, Datum::Text(text)) => !text.is_empty(),
            (AttributeType::Date, Datum::Text(text)) => Start::parse(text).is_some(),
            (AttributeType::Number, Datum::Number(number)) => number.is_positive(),
            (AttributeType::Flag, Datum::Flag(_)) | (AttributeType::Rulings, Datum::Rulings(_)) => true,
            (
                AttributeType::Text
                | AttributeType::Date
                | AttributeType::Number
                | AttributeType::Flag
                | AttributeType::Rulings,
                Datum::Text(_) | Datum::Number(_) | Datum::Flag(_) | Datum::Rulings(_) | Datum::Unusable,
            ) => false,
        }
    }
}

/// A rule every plate must keep: one side stands in this order to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// One attribute.
    pub left: Side,
    /// How it must stand to the other.
    pub order: Order,
    /// The other.
    pub right: Side,
}

/// A number of a plate, or the year of a date; [`AT`] is the day of the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The attribute.
    pub attribute: Arc<str>,
    /// Its year is meant.
    pub year: bool,
}

/// What can be used of an attribute.
#[derive(Debug)]
pub(super) enum Fact<'a> {
    /// One value.
    One(&'a Datum),
    /// Several, all usable: they decide where they agree.
    Several(Vec<&'a Datum>),
    /// Several or none, not all usable: nothing is known.
    Open,
}

impl Fact<'_> {
    /// What a question to each value comes to.
    pub(super) fn asked(&self, ask: impl Fn(&Datum) -> Truth) -> Truth {
        match self {
            Fact::One(datum) => ask(datum),
            Fact::Several(data) => Truth::agreed(data.iter().map(|datum| ask(datum))),
            Fact::Open => Truth::Unknown,
        }
    }

    fn data(&self) -> &[&Datum] {
        match self {
            Fact::One(datum) => std::slice::from_ref(datum),
            Fact::Several(data) => data,
            Fact::Open => &[],
        }
    }
}

/// The usable claims of one plate on one day.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    known: BTreeMap<&'a str, Fact<'a>>,
    /// The day of the case.
    pub(super) on: LegalDay,
    /// Pairs that contradict each other, as advisories name them.
    pub(super) contradictions: BTreeSet<String>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(
        plate: &'a CasePlate,
        on: LegalDay,
        attributes: &BTreeMap<Arc<str>, AttributeType>,
        is_known_kind: impl Fn(&str) -> bool,
        rules: &[Consistency],
    ) -> Facts<'a> {
        let usable = |name: &str, of: AttributeType, datum: &Datum| {
            let is_kind = |datum: &Datum| matches!(datum, Datum::Text(kind) if is_known_kind(kind));
            of.admits(datum) && (name != EQUIPMENT_KIND || is_kind(datum))
        };
        let fact = |(name, claim): (&'a str, &'a Claim)| {
            let of = *attributes.get(name)?;
            let fact = match claim {
                Claim::One(datum) => Fact::One(Some(datum).filter(|datum| usable(name, of, datum))?),
                Claim::Several(data) if !data.is_empty() && data.iter().all(|d| usable(name, of, d)) => {
                    Fact::Several(data.iter().collect())
                }
                Claim::Several(_) => Fact::Open,
            };
            Some((name, fact))
        };
        let known = plate.claims().filter_map(fact).collect();
        let mut facts = Facts { known, on, contradictions: BTreeSet::new() };
        facts.set_contradictions_aside(rules);
        facts
    }

    /// What is known of an attribute; `None` when it is missing.
    pub(super) fn get(&self, attribute: &str) -> Option<&Fact<'a>> {
        self.known.get(attribute)
    }

    /// Every rule reads the values as they were claimed, whatever another rule found.
    fn set_contradictions_aside(&mut self, rules: &[Consistency]) {
        let broken: Vec<&Consistency> =
            rules.iter().filter(|rule| self.holds(rule) == Truth::False).collect();
        for rule in broken {
            let mut pair = [&*rule.left.attribute, &*rule.right.attribute];
            pair.sort_unstable();
            self.contradictions.insert(format!("contradiction:{}", pair.join(",")));
            for attribute in pair {
                self.known.remove(attribute);
            }
        }
    }

    fn holds(&self, rule: &Consistency) -> Truth {
        let (left, right) = (self.numbers(&rule.left), self.numbers(&rule.right));
        let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
        Truth::agreed(pairs.map(|(left, right)| rule.order.holds(left, right).into()))
    }

    fn numbers(&self, side: &Side) -> Vec<Exact> {
        if &*side.attribute == AT {
            return Exact::new(year_of(self.on), 0).into_iter().collect();
        }
        let number = |datum: &&Datum| match *datum {
            Datum::Number(number) if !side.year => Some(number.clone()),
            Datum::Text(text) if side.year => Exact::new(Start::parse(text)?.year(), 0),
            Datum::Text(_) | Datum::Number(_) | Datum::Flag(_) | Datum::Rulings(_) | Datum::Unusable => None,
        };
        self.get(&side.attribute)
            .map_or_else(Vec::new, |fact| fact.data().iter().filter_map(number).collect())
    }
}
