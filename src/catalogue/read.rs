//! Criteria and exemptions as files write them, of instruments and overlays alike.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    case::Datum,
    entry::{Bilingual, Criterion, Exemption, Order, Predicate, Test},
    exact::Exact,
    facts::AttributeType,
};
use crate::terms::{
    flaw::Wrong,
    form::{self, Form, Reading, Value},
};

/// The attributes that may be asked for, and their types.
pub(super) type Attributes = BTreeMap<Arc<str>, AttributeType>;

/// Most years of service an entry may ask for.
const MAX_SERVICE_YEARS: i64 = 200;

/// An operator, before its value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals,
    OneOf,
    Bound(Order),
    Prefix,
    Determined,
    ServiceYears,
}

const ORDERS: &[(&str, Order)] =
    &[("<", Order::Below), ("<=", Order::AtMost), (">", Order::Above), (">=", Order::AtLeast)];

const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Equals),
    ("in", Operator::OneOf),
    ("<", Operator::Bound(Order::Below)),
    ("<=", Operator::Bound(Order::AtMost)),
    (">", Operator::Bound(Order::Above)),
    (">=", Operator::Bound(Order::AtLeast)),
    ("prefix", Operator::Prefix),
    ("determined", Operator::Determined),
    ("service_years_gt", Operator::ServiceYears),
];

/// The list `key` of criteria; an item is a predicate, or `{ any = [predicates] }`.
pub(super) fn criteria(form: &Form<'_>, key: &'static str, attributes: &Attributes) -> Vec<Criterion> {
    let read = |item: Form<'_>| {
        if !item.has("any") {
            return predicate(item, attributes).map(Criterion::One);
        }
        let any: Vec<Predicate> =
            item.tables("any").into_iter().filter_map(|one| predicate(one, attributes)).collect();
        if any.is_empty() {
            item.flaw("any", "`any` is empty", "at least one predicate is expected");
        }
        item.close();
        Some(Criterion::Any(any))
    };
    form.tables(key).into_iter().filter_map(read).collect()
}

/// One predicate: `attr`, `op`, `value`.
pub(super) fn predicate(form: Form<'_>, attributes: &Attributes) -> Option<Predicate> {
    let attribute = form.required("attr", attribute_of(attributes));
    let operator = form.required("op", form::one_of(OPERATORS));
    let rival = form.optional("alt_op", form::one_of(ORDERS));
    form.pass("unit");
    form.pass("wording");
    let test = match (&attribute, operator) {
        (Some((name, of)), Some(operator)) => match reader(operator, *of) {
            Some(read) => form.required("value", read),
            None => {
                form.flaw("op", format!("`op` does not fit `{name}`"), fitting(*of));
                form.pass("value");
                None
            }
        },
        (Some(_) | None, _) => {
            form.pass("value");
            None
        }
    };
    if rival.is_some() && !matches!(operator, None | Some(Operator::Bound(_))) {
        form.flaw("alt_op", "`alt_op` is a rival reading of a bound", "use it with <, <=, > or >=");
    }
    form.close();
    Some(Predicate { attribute: attribute?.0, test: test?, rival })
}

/// An order as files write it.
pub(super) fn order(word: &str) -> Option<Order> {
    ORDERS.iter().find(|(known, _)| *known == word).map(|(_, order)| *order)
}

/// The list `key` of exemptions.
pub(super) fn exemptions(form: &Form<'_>, key: &'static str, attributes: &Attributes) -> Vec<Exemption> {
    let read = |item: Form<'_>| {
        let id = item.required("id", form::text);
        let quote = Bilingual {
            zh: item.optional("quote_zh", form::text).unwrap_or_default(),
            en: item.optional("quote_en", form::text).unwrap_or_default(),
        };
        item.pass("note");
        let criteria = criteria(&item, "criteria", attributes);
        if criteria.is_empty() {
            item.flaw("criteria", "an exemption without criteria lets everything go", "add `criteria`");
        }
        item.close();
        Some(Exemption { id: id?, quote, criteria })
    };
    form.tables(key).into_iter().filter_map(read).collect()
}

/// Reads the name of a declared attribute, with its type.
pub(super) fn attribute_of(attributes: &Attributes) -> impl Fn(&Value) -> Reading<(Arc<str>, AttributeType)> {
    |value| {
        let name = form::text(value)?;
        attributes.get_key_value(name.as_str()).map(|(name, of)| (name.clone(), *of)).ok_or_else(|| {
            Wrong::new(format!("is \"{name}\", which no instrument declares"), "use a declared attribute")
        })
    }
}

/// A text in both languages, under two keys.
pub(super) fn bilingual(form: &Form<'_>, zh: &'static str, en: &'static str) -> Option<Bilingual> {
    let (zh, en) = (form.required(zh, form::text), form.required(en, form::text));
    Some(Bilingual { zh: zh?, en: en? })
}

/// Reads the value of a predicate.
type ReadTest = Box<dyn Fn(&Value) -> Reading<Test>>;

/// How the value of a predicate is read; `None` where the operator does not fit the attribute.
fn reader(operator: Operator, of: AttributeType) -> Option<ReadTest> {
    match (operator, of) {
        (Operator::Equals, AttributeType::Rulings) | (Operator::OneOf, AttributeType::Rulings) => None,
        (Operator::Equals, of) => Some(Box::new(move |value| datum(value, of).map(Test::Equals))),
        (Operator::OneOf, of) => {
            Some(Box::new(move |value| match form::list(|item| datum(item, of))(value)? {
                none if none.is_empty() => Err(Wrong::new("is empty", "list at least one value")),
                values => Ok(Test::OneOf(values)),
            }))
        }
        (Operator::Bound(order), AttributeType::Number) => {
            Some(Box::new(move |value| number(value).map(|number| Test::Bound(order, number))))
        }
        (Operator::Prefix, AttributeType::Text) => {
            Some(Box::new(|value| form::text(value).map(Test::Prefix)))
        }
        (Operator::Determined, AttributeType::Rulings) => {
            Some(Box::new(|value| form::text(value).map(Test::Determined)))
        }
        (Operator::ServiceYears, AttributeType::Date) => {
            Some(Box::new(|value| form::whole(1..=MAX_SERVICE_YEARS)(value).map(Test::ServiceYears)))
        }
        (Operator::Bound(_) | Operator::Prefix | Operator::Determined | Operator::ServiceYears, _) => None,
    }
}

fn fitting(of: AttributeType) -> &'static str {
    match of {
        AttributeType::Text => "use ==, in or prefix",
        AttributeType::Number => "use <, <=, >, >=, == or in",
        AttributeType::Flag => "use == or in",
        AttributeType::Date => "use service_years_gt, == or in",
        AttributeType::Rulings => "use determined",
    }
}

fn datum(value: &Value, of: AttributeType) -> Reading<Datum> {
    match of {
        AttributeType::Text | AttributeType::Date => form::text(value).map(Datum::Text),
        AttributeType::Number => number(value).map(Datum::Number),
        AttributeType::Flag => form::flag(value).map(Datum::Flag),
        AttributeType::Rulings => Err(Wrong::new("is a ruling", "use determined")),
    }
}

fn number(value: &Value) -> Reading<Exact> {
    match Datum::of(value) {
        Datum::Number(number) => Ok(number),
        Datum::Text(_) | Datum::Flag(_) | Datum::Rulings(_) | Datum::Unusable => {
            Err(Wrong::new(format!("is {}", value.kind()), "a finite number is expected"))
        }
    }
}
