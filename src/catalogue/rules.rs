//! Several instruments and overlays united: a match anywhere is a match, and the earliest deadline rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    case::{CasePlate, Datum},
    classification::Classification,
    entry::{Bilingual, Criterion, Entry, EntryId, EntryKind, Predicate, Source, Test},
    exact::Exact,
    facts::{Consistency, Facts},
    instrument::{Catalogue, Labels},
    overlay::Overlay,
    read::Attributes,
    service::year_of,
    standing::{Class, Phase},
    truth::Truth,
    weigh::{BUILT_YEAR, Scale, text_of},
};
use crate::terms::{Digest, Flaw, Flaws, LegalDay, flaw::Place, flaw::Wrong, form::Node};

/// The catalogue of 国发〔2010〕7号 as it is shipped, and the name it is shown under.
pub const SHIPPED: (&str, &str) =
    ("config/catalogue/guofa-2010-7.toml", include_str!("../../config/catalogue/guofa-2010-7.toml"));

/// The instruments of the nation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nation {
    pub(super) attributes: Attributes,
    labels: Labels,
    kinds: BTreeSet<String>,
    consistency: Vec<Consistency>,
    entries: BTreeMap<EntryId, (Option<LegalDay>, Arc<Entry>)>,
    sources: Vec<Arc<Source>>,
    /// The day the first instrument was issued; later moves and new equipment are told apart by it.
    pub(super) since: LegalDay,
}

impl Nation {
    pub(super) fn entry(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.get(&EntryId::new(id)?).map(|(_, entry)| entry)
    }
}

/// All law that is asked: what the nation says, and what regions add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    nation: Arc<Nation>,
    overlays: Vec<Overlay>,
}

impl Rules {
    /// The instruments of the nation, no overlay yet.
    ///
    /// # Errors
    /// An id or an attribute that two of them give different meanings; no instrument at all.
    pub fn new(catalogues: Vec<Catalogue>) -> Result<Rules, Vec<Flaw>> {
        let flaws = Flaws::default();
        let clash = |source: &Source, wrong: String, right: &str| {
            let place = Place { file: source.file.as_str().into(), line: 0, column: 0 };
            flaws.add(place, Wrong::new(wrong, right));
        };
        let mut nation = Nation {
            attributes: Attributes::new(),
            labels: Labels::new(),
            kinds: BTreeSet::new(),
            consistency: Vec::new(),
            entries: BTreeMap::new(),
            sources: Vec::new(),
            since: catalogues.iter().map(|c| c.source.issued).min().unwrap_or(LegalDay::of_unix_ms(0)),
        };
        for catalogue in catalogues {
            nation.kinds.extend(catalogue.kinds());
            nation.labels.extend(catalogue.labels);
            for (name, of) in catalogue.attributes {
                if nation.attributes.get(&name).is_some_and(|known| *known != of) {
                    clash(
                        &catalogue.source,
                        format!("attribute `{name}` is of another type in another instrument"),
                        "give it that type, or another name",
                    );
                }
                nation.attributes.insert(name, of);
            }
            for rule in catalogue.consistency {
                if !nation.consistency.contains(&rule) {
                    nation.consistency.push(rule);
                }
            }
            for entry in catalogue.entries {
                let (id, entry) = (entry.id.clone(), (catalogue.effective_from, Arc::new(entry)));
                if nation.entries.insert(id.clone(), entry).is_some() {
                    clash(
                        &catalogue.source,
                        format!("entry `{id}` stands in another instrument too"),
                        "give it an id of its own",
                    );
                }
            }
            nation.sources.push(catalogue.source);
        }
        let rules = Rules { nation: Arc::new(nation), overlays: Vec::new() };
        if flaws.is_empty() { Ok(rules) } else { Err(flaws.into_sorted()) }
    }

    /// The catalogue that is shipped.
    ///
    /// # Errors
    /// None that a test would let pass.
    pub fn shipped() -> Result<Rules, Vec<Flaw>> {
        Rules::new(vec![Catalogue::parse(SHIPPED.0, SHIPPED.1)?])
    }

    /// The catalogue that is shipped and further instruments; one with the shipped one's id takes its place.
    ///
    /// # Errors
    /// As [`Rules::new`].
    pub fn shipped_and(further: Vec<Catalogue>) -> Result<Rules, Vec<Flaw>> {
        let shipped = Catalogue::parse(SHIPPED.0, SHIPPED.1)?;
        let replaced = further.iter().any(|catalogue| catalogue.source.id == shipped.source.id);
        Rules::new(Some(shipped).filter(|_| !replaced).into_iter().chain(further).collect())
    }

    /// Reads an overlay file, TOML or JSON by its name.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn read_overlay(&self, file: &str, text: &str) -> Result<Overlay, Vec<Flaw>> {
        Overlay::parse(file, text, &self.nation)
    }

    /// Reads an overlay that stands in a document, such as a case.
    pub fn overlay_of(&self, node: &Node, file: &str, sha256: Digest, flaws: &Flaws) -> Option<Overlay> {
        Overlay::of(node, file, sha256, &self.nation, flaws)
    }

    /// These rules and more overlays.
    #[must_use]
    pub fn with(&self, overlays: Vec<Overlay>) -> Rules {
        let mut united = self.clone();
        united.overlays.extend(overlays);
        united
    }

    /// A national entry.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.nation.entry(id).map(|entry| &**entry)
    }

    /// What an attribute is called.
    pub fn label(&self, attribute: &str) -> Option<&Bilingual> {
        self.nation.labels.get(attribute).map(|(label, _)| label)
    }

    /// The unit of an attribute's numbers, as people write it.
    pub fn unit(&self, attribute: &str) -> Option<&str> {
        self.nation.labels.get(attribute).and_then(|(_, unit)| unit.as_deref())
    }

    /// Whether an instrument has such an attribute.
    pub fn knows(&self, attribute: &str) -> bool {
        self.nation.attributes.contains_key(attribute)
    }

    /// Whether this kind of equipment is of the vocabulary.
    pub fn knows_kind(&self, kind: &str) -> bool {
        self.nation.kinds.contains(kind) || self.overlays.iter().any(|overlay| overlay.kinds.contains(kind))
    }

    /// The kinds of equipment of the national vocabulary.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.nation.kinds.iter().map(String::as_str)
    }

    /// All national entries, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.nation.entries.values().map(|(_, entry)| &**entry)
    }

    /// Every file that is asked, the nation's first.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.nation.sources.iter().chain(self.overlays.iter().map(|overlay| &overlay.source))
    }

    /// Attempts of the overlays to loosen, live or not.
    pub fn lint(&self) -> BTreeSet<String> {
        self.overlays.iter().flat_map(|overlay| overlay.lint.iter().cloned()).collect()
    }

    /// What the law says of a plate on a day.
    pub fn classify(&self, on: LegalDay, plate: &CasePlate) -> Classification {
        let known = |kind: &str| self.knows_kind(kind);
        let facts = Facts::of(plate, on, &self.nation.attributes, known, &self.nation.consistency);
        let mut sum = Sum { advisories: facts.contradictions.clone(), ..Sum::default() };
        for entry in self.live(on) {
            sum.add(entry, &facts);
        }
        sum.classification(self, &facts)
    }

    /// Every version of an entry that is asked on a day.
    fn live(&self, on: LegalDay) -> impl Iterator<Item = &Arc<Entry>> {
        let nation = self.nation.entries.values().filter(move |(from, _)| from.is_none_or(|from| from <= on));
        let overlays = self.overlays.iter().filter(move |overlay| overlay.source.issued <= on);
        let all = nation.map(|(_, entry)| entry).chain(overlays.flat_map(|overlay| &overlay.entries));
        all.filter(|entry| entry.kind != EntryKind::NationalTarget)
    }
}

/// What the versions of all entries come to together.
#[derive(Default)]
struct Sum<'r> {
    matched: Vec<&'r Arc<Entry>>,
    undecided: Vec<&'r Arc<Entry>>,
    exempted: Vec<&'r Arc<Entry>>,
    advisories: BTreeSet<String>,
}

impl<'r> Sum<'r> {
    fn add(&mut self, entry: &'r Arc<Entry>, facts: &Facts<'_>) {
        let scale = Scale::new(facts);
        let weighed = scale.weigh(entry);
        let truth = weighed.truth();
        let mut advise = |word: &str| self.advisories.insert(format!("{word}:{}", entry.id));
        match truth {
            Truth::True => {
                let disputed = |dispute| scale.predicate(dispute, entry) == Truth::True;
                if entry.dispute.as_ref().is_some_and(disputed) {
                    advise("reading");
                }
                self.matched.push(entry);
            }
            Truth::Unknown => {
                if weighed.base == Truth::True {
                    advise("presume-in-scope");
                }
                self.undecided.push(entry);
            }
            Truth::False => {
                if weighed.base == Truth::True {
                    self.exempted.push(entry);
                }
                let later = Scale { years_to: Some(facts.on), ..scale };
                if asks_for_years(entry) && later.weigh(entry).truth() == Truth::True {
                    self.advisories.insert(format!("rolling-age:{}", entry.id));
                }
            }
        }
        if truth != Truth::True && entry.region.is_none() && has_rival(entry) {
            let rival = Scale { rival: true, ..scale }.weigh(entry).truth();
            if rival == Truth::True || (rival == Truth::Unknown && truth == Truth::False) {
                self.advisories.insert(format!("bound-exact:{}", entry.id));
            }
        }
    }

    fn classification(mut self, rules: &Rules, facts: &Facts<'_>) -> Classification {
        let by_deadline = |entries: &[&Arc<Entry>]| {
            entries
                .iter()
                .min_by_key(|entry| (entry.deadline, entry.id.clone()))
                .map(|entry| Arc::clone(entry))
        };
        let first = by_deadline(&self.matched);
        let deadline = first.as_ref().map(|entry| entry.deadline);
        let earlier = self.undecided.iter().any(|entry| deadline.is_some_and(|day| entry.deadline < day));
        if earlier {
            self.advisories.insert("possible-earlier-deadline".into());
        }
        if deadline.is_some() {
            self.advisories.extend(news(facts, rules.nation.since).map(str::to_owned));
        }
        let governing =
            first.clone().or_else(|| by_deadline(&self.undecided)).or_else(|| by_deadline(&self.exempted));
        let scale = Scale::new(facts);
        let exemption = governing.as_ref().filter(|_| first.is_none()).and_then(|entry| scale.lets_go(entry));
        let exemption = exemption.map(|exemption| exemption.quote.clone());
        let matched: BTreeSet<&EntryId> = self.matched.iter().map(|entry| &entry.id).collect();
        let others = |entries: &[&'r Arc<Entry>]| -> Vec<EntryId> {
            let ids: BTreeSet<&EntryId> = entries.iter().map(|entry| &entry.id).collect();
            ids.difference(&matched).map(|id| (*id).clone()).collect()
        };
        let (exempted, undetermined) = (others(&self.exempted), others(&self.undecided));
        let class = match (&first, undetermined.is_empty(), exempted.is_empty()) {
            (Some(_), _, _) => Class::InScope,
            (None, false, _) => Class::Undetermined,
            (None, true, false) => Class::Exempt,
            (None, true, true) => Class::OutOfScope,
        };
        let mut missing = BTreeSet::new();
        if first.is_none() || earlier {
            self.undecided.iter().for_each(|entry| scale.missing(entry, &mut missing));
        }
        Classification {
            class,
            deadline,
            phase: deadline.map(|last| if facts.on > last { Phase::Overdue } else { Phase::PreDeadline }),
            matched: matched.into_iter().cloned().collect(),
            exempted,
            undetermined,
            missing: missing.into_iter().collect(),
            advisories: self.advisories.into_iter().collect(),
            lint: rules.lint().into_iter().collect(),
            governing,
            exemption,
            sources: rules.sources().cloned().collect(),
        }
    }
}

/// What is remarkable of equipment in scope: that it was moved, or came, after the law was made.
fn news(facts: &Facts<'_>, since: LegalDay) -> impl Iterator<Item = &'static str> {
    let text = |attribute: &str, is: &dyn Fn(LegalDay) -> bool| {
        let day = |text: &str| LegalDay::parse(text).is_some_and(is);
        facts.get(attribute).map(|fact| fact.asked(|datum| text_of(datum).is_some_and(day).into()))
    };
    let transfer = text("relocation_date", &|day| day >= since);
    let begun = text("service_start_date", &|day| day > since);
    let built = facts.get(BUILT_YEAR).map(|fact| fact.asked(|datum| is_built_after(datum, since).into()));
    let new = [begun, built].contains(&Some(Truth::True));
    let words = [(transfer == Some(Truth::True), "transfer"), (new, "new-backward-capacity")];
    words.into_iter().filter_map(|(is, word)| is.then_some(word))
}

fn is_built_after(datum: &Datum, since: LegalDay) -> bool {
    let year = Exact::new(year_of(since), 0);
    match datum {
        Datum::Number(built) => year.is_some_and(|year| *built > year),
        Datum::Text(_) | Datum::Flag(_) | Datum::Rulings(_) | Datum::Unusable => false,
    }
}

fn predicates(entry: &Entry) -> impl Iterator<Item = &Predicate> {
    entry.criteria.iter().flat_map(Criterion::predicates)
}

fn has_rival(entry: &Entry) -> bool {
    predicates(entry).any(|predicate| predicate.rival.is_some())
}

fn asks_for_years(entry: &Entry) -> bool {
    predicates(entry).any(|predicate| matches!(predicate.test, Test::ServiceYears(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_is_read_without_a_flaw_and_is_complete() {
        let rules = Rules::shipped().unwrap_or_else(|flaws| panic!("{flaws:#?}"));
        assert_eq!(rules.entries().count(), 60);
        let reach = |reach| rules.entries().filter(|entry| entry.witness.reach == reach).count();
        use crate::catalogue::Witness::{Drives, Full, None};
        assert_eq!([Full, Drives, None].map(reach), [24, 25, 11]);
        let kind = |kind| rules.entries().filter(|entry| entry.kind == kind).count();
        use EntryKind::{
            Enterprise, Equipment, Facility, NationalTarget, OpenEnded, Process, ProductionLine,
        };
        assert_eq!(
            [Equipment, Process, ProductionLine, OpenEnded, NationalTarget, Facility, Enterprise].map(kind),
            [20, 15, 13, 7, 3, 1, 1]
        );
    }
}
