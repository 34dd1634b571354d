//! Names what an overlay tries to loosen. It reports only: united with the nation, nothing is loosened.

use std::cmp::Ordering;

use super::{
    entry::{Criterion, Entry, Exemption, Order, Predicate, Test},
    exact::Exact,
    overlay::is_bound,
};
use crate::terms::LegalDay;

/// What an overlay entry changes of a national one.
pub(super) struct Change<'a> {
    pub(super) base: &'a Entry,
    pub(super) deadline: Option<LegalDay>,
    pub(super) bounds: &'a [Predicate],
    pub(super) adds_criteria: bool,
    pub(super) dropped_exemptions: &'a [String],
    pub(super) added_exemptions: &'a [Exemption],
}

impl Change<'_> {
    /// Every attempt to loosen, by the name results carry.
    pub(super) fn lint(&self) -> Vec<String> {
        let id = &self.base.id;
        let mut named = Vec::new();
        if self.deadline.is_some_and(|deadline| deadline > self.base.deadline) {
            named.push(format!("later-deadline:{id}"));
        }
        if self.adds_criteria {
            named.push(format!("added-criterion:{id}"));
        }
        named.extend(self.bounds.iter().filter_map(|bound| {
            self.loosening(bound).map(|word| format!("{word}:{id}:{}", bound.attribute))
        }));
        named.extend(self.added_exemptions.iter().filter_map(|exemption| {
            let dropped = self.dropped_exemptions.contains(&exemption.id);
            let old = self.base.exemptions.iter().find(|old| dropped && old.id == exemption.id);
            match old {
                None => Some(format!("added-exemption:{id}")),
                Some(old) => (!keeps(exemption, old)).then(|| format!("widened-exemption:{id}")),
            }
        }));
        named
    }

    /// How a bound loosens the national bounds on its attribute, whatever else becomes of them.
    fn loosening(&self, bound: &Predicate) -> Option<&'static str> {
        let national = self.base.criteria.iter().flat_map(|criterion| match criterion {
            Criterion::One(predicate) => std::slice::from_ref(predicate),
            Criterion::Any(_) => &[],
        });
        let mut on_it = national.filter(|old| is_bound(old) && old.attribute == bound.attribute).peekable();
        if on_it.peek().is_none() {
            return Some("narrower-bound");
        }
        let found: Vec<Tightness> = on_it.map(|old| compared(bound, old)).collect();
        // It catches at least what one of the national bounds does, so nothing is let go.
        let keeps = |tightness: &Tightness| matches!(tightness, Tightness::Looser | Tightness::Same);
        if found.iter().any(keeps) {
            None
        } else if found.contains(&Tightness::ByItsOwnValue) {
            Some("inclusive-to-exclusive")
        } else {
            Some("narrower-bound")
        }
    }
}

/// How a predicate stands to an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tightness {
    /// It holds for more.
    Looser,
    /// It holds for the same.
    Same,
    /// It holds for less, but only by the bound's own value.
    ByItsOwnValue,
    /// It holds for less.
    Tighter,
    /// They ask for different things.
    Apart,
}

fn compared(new: &Predicate, old: &Predicate) -> Tightness {
    if new.attribute != old.attribute {
        return Tightness::Apart;
    }
    match (&new.test, &old.test) {
        (Test::Bound(order, value), Test::Bound(old_order, old_value))
            if order.is_upper() == old_order.is_upper() =>
        {
            bounds_compared((*order, value), (*old_order, old_value))
        }
        (Test::ServiceYears(years), Test::ServiceYears(old)) => match years.cmp(old) {
            Ordering::Less => Tightness::Looser,
            Ordering::Equal => Tightness::Same,
            Ordering::Greater => Tightness::Tighter,
        },
        (Test::OneOf(new), Test::OneOf(old)) => {
            let subset = new.iter().all(|value| old.contains(value));
            let superset = old.iter().all(|value| new.contains(value));
            match (subset, superset) {
                (true, true) => Tightness::Same,
                (true, false) => Tightness::Tighter,
                (false, true) => Tightness::Looser,
                (false, false) => Tightness::Apart,
            }
        }
        (new, old) if new == old => Tightness::Same,
        (_, _) => Tightness::Apart,
    }
}

/// Two bounds of one direction.
fn bounds_compared(new: (Order, &Exact), old: (Order, &Exact)) -> Tightness {
    let nearer = if new.0.is_upper() { new.1.cmp(old.1) } else { old.1.cmp(new.1) };
    match (nearer, new.0.is_inclusive(), old.0.is_inclusive()) {
        (Ordering::Less, _, _) => Tightness::Tighter,
        (Ordering::Greater, _, _) | (Ordering::Equal, true, false) => Tightness::Looser,
        (Ordering::Equal, false, true) => Tightness::ByItsOwnValue,
        (Ordering::Equal, true, true) | (Ordering::Equal, false, false) => Tightness::Same,
    }
}

/// Whether an exemption keeps each condition of the one it replaces, at the same or a tighter bound.
fn keeps(new: &Exemption, old: &Exemption) -> bool {
    let kept = |old: &Criterion| {
        new.criteria.iter().any(|new| match (new, old) {
            (Criterion::One(new), Criterion::One(old)) => {
                matches!(compared(new, old), Tightness::Same | Tightness::ByItsOwnValue | Tightness::Tighter)
            }
            (new, old) => new == old,
        })
    };
    old.criteria.iter().all(kept)
}
