//! What stands beside a piece of equipment on a list that is published: the words of the clause, what its nameplate says of
//! itself and of the quantities that the clause binds, and what its owner is called.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, Equipment, Names, Scope, Source, Surveyed};
use crate::{
    catalogue::{
        Bilingual, Entry, Exact, Nameplate, Rules,
        entry::{Criterion, Order, Test},
        plate::{MAKER, SERIAL},
    },
    evidence::{Body, LogId, lineage::Says, record::Unverified},
    judge::{Event, Finding},
    regulator::store::{Answered, Asked, Store, sights},
    terms::{AssetId, GatewayId},
};

/// The line of a nameplate with its model.
const MODEL: &str = "model";

/// A nameplate, and the record that tells it.
#[derive(Clone, Debug)]
pub struct Plate {
    /// What it says.
    pub plate: Nameplate,
    /// The record.
    pub source: Source,
}

/// The newest nameplate of each piece of equipment.
pub type Plates = BTreeMap<(GatewayId, AssetId), Plate>;

/// Of what such a list is made besides what was surveyed.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'b> {
    /// The catalogue.
    pub rules: &'b Rules,
    /// What enterprises are called.
    pub names: &'b Names,
    /// Nameplates.
    pub plates: &'b Plates,
}

/// The nameplate of everything that was surveyed, the newest that was told before the time ended.
///
/// # Errors
/// The store cannot be read.
pub fn plates(store: &mut dyn Store, surveyed: &Surveyed, scope: &Scope) -> Answered<Plates> {
    let mut plates = Plates::new();
    for (gateway, asset, ..) in surveyed.keys() {
        let of = (*gateway, *asset);
        let row = store.asset(&sights::Scope::NATION, *gateway, *asset)?;
        let Some((log, seq)) = row.and_then(|row| row.plate) else { continue };
        let newest = told(store, of, (log, seq), scope)?;
        let plate = if newest.is_some() { newest } else { earlier(store, of, scope)? };
        plates.extend(plate.map(|(_, plate)| (of, plate)));
    }
    Ok(plates)
}

/// The same of what is gone alone.
///
/// # Errors
/// The store cannot be read.
pub fn plates_of_gone(store: &mut dyn Store, surveyed: &Surveyed, scope: &Scope) -> Answered<Plates> {
    let gone = surveyed.iter().filter(|(_, one)| one.gone().is_some());
    plates(store, &gone.map(|(key, one)| (*key, one.clone())).collect(), scope)
}

/// The nameplate that a record tells, and when; none where that was after the time, or is none.
fn told(
    store: &mut dyn Store,
    (gateway, asset): (GatewayId, AssetId),
    (log, seq): (LogId, u64),
    scope: &Scope,
) -> Answered<Option<(i64, Plate)>> {
    let record = store.records_from((gateway, log), seq, 1)?.into_iter().next();
    let Some((_, record)) = record.filter(|(at, _)| *at == seq) else { return Ok(None) };
    // What is kept was verified when it came.
    let read = Unverified::read(&record.bytes).and_then(Unverified::own);
    let Ok(Body::Finding(Finding::Event(Event::Plate(read)))) = read.map(|read| read.body) else {
        return Ok(None);
    };
    let at_unix_ms = record.moment_unix_ms();
    let is_it = read.asset == asset && at_unix_ms < scope.to.starts_unix_ms();
    let source = Source { gateway, log, seq, hash: record.hash };
    Ok(is_it.then_some((at_unix_ms, Plate { plate: read.plate, source })))
}

/// The newest that was told before, where one was told after the time: a journal that begins anew tells each again.
fn earlier(store: &mut dyn Store, of: (GatewayId, AssetId), scope: &Scope) -> Answered<Option<(i64, Plate)>> {
    let subjects = BTreeSet::from([(of.0, of.1.0)]);
    let mentions = store.mentions(Asked::Subjects(&subjects))?;
    let mut newest: Option<(i64, Plate)> = None;
    for mention in mentions.into_iter().map(|at| at.mention) {
        if !matches!(mention.says, Says::Plate { .. }) {
            continue;
        }
        let found = told(store, of, (mention.log, mention.seq), scope)?;
        if let Some(found) = found.filter(|found| newest.as_ref().is_none_or(|known| known.0 <= found.0)) {
            newest = Some(found);
        }
    }
    Ok(newest)
}

impl<'b> Beside<'b> {
    /// Its nameplate.
    pub fn plate(&self, one: &Equipment) -> Option<&'b Plate> {
        self.plates.get(&(one.gateway, one.asset))
    }

    /// The entry that it stands under, where that is the nation's.
    fn entry(&self, one: &Equipment) -> Option<&'b Entry> {
        self.rules.entry(one.entry()?.as_str())
    }

    /// The words of the clause.
    pub fn clause(&self, one: &Equipment) -> Cell {
        self.entry(one).map_or(Cell::Unknown, |entry| {
            let Bilingual { zh, en } = &entry.quote;
            let en = if en.is_empty() { &entry.title.en } else { en };
            Cell::Both(Bilingual { zh: zh.clone(), en: en.clone() })
        })
    }

    /// What the plate says that the machine is: its maker, its model, its number.
    pub fn machine(&self, one: &Equipment) -> Cell {
        let Some(Plate { plate, .. }) = self.plate(one) else { return Cell::Unknown };
        let lines = [MAKER, MODEL, SERIAL].into_iter().filter_map(|name| plate.says(name));
        let said: Vec<String> = lines.map(ToString::to_string).collect();
        if said.is_empty() { Cell::Unknown } else { Cell::Text(said.join(" ")) }
    }

    /// The quantities that the clause binds, as the plate says them, and the bounds.
    pub fn capacity(&self, one: &Equipment) -> [Cell; 2] {
        let Some(entry) = self.entry(one) else { return [Cell::Unknown, Cell::Unknown] };
        let bounds: Vec<(&str, Order, &Exact)> = bounds(entry).collect();
        let plate = self.plate(one).map(|told| &told.plate);
        let said = bounds.iter().filter_map(|(attribute, ..)| {
            Some(self.quantity(attribute, &plate?.says(attribute)?.to_string()))
        });
        let said = joined(said);
        let held =
            joined(bounds.iter().map(|(attribute, order, bound)| {
                self.quantity(attribute, &format!("{} {bound}", sign(*order)))
            }));
        [said, held]
    }

    /// A number with what it is of and its unit.
    fn quantity(&self, attribute: &str, number: &str) -> Bilingual {
        let unit = self.rules.unit(attribute).unwrap_or_default();
        let named = |label: &str| format!("{label} {number} {unit}").trim_end().to_owned();
        match self.rules.label(attribute) {
            Some(Bilingual { zh, en }) => Bilingual { zh: named(zh), en: named(en) },
            None => Bilingual { zh: named(attribute), en: named(attribute) },
        }
    }

    /// What its owner is called, and where that is from.
    pub fn owner(&self, one: &Equipment) -> [Cell; 2] {
        let called = self.names.of(one.enterprise);
        called.map_or([Cell::Unknown, Cell::Unknown], |called| {
            [Cell::Both(called.name.clone()), Cell::Text(called.document.clone())]
        })
    }
}

/// The quantities that an entry binds, and the bounds.
pub(super) fn bounds(entry: &Entry) -> impl Iterator<Item = (&str, Order, &Exact)> {
    let predicates = entry.criteria.iter().flat_map(Criterion::predicates);
    predicates.filter_map(|predicate| match &predicate.test {
        Test::Bound(order, bound) => Some((&*predicate.attribute, *order, bound)),
        Test::Equals(_) | Test::OneOf(_) | Test::Prefix(_) | Test::Determined(_) | Test::ServiceYears(_) => {
            None
        }
    })
}

const fn sign(order: Order) -> char {
    match order {
        Order::Below => '<',
        Order::AtMost => '≤',
        Order::Above => '>',
        Order::AtLeast => '≥',
    }
}

fn joined(all: impl Iterator<Item = Bilingual>) -> Cell {
    let (zh, en): (Vec<String>, Vec<String>) = all.map(|Bilingual { zh, en }| (zh, en)).unzip();
    if zh.is_empty() {
        return Cell::Unknown;
    }
    Cell::Both(Bilingual { zh: zh.join("；"), en: en.join("; ") })
}
