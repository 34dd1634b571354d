//! The two nameplates of a piece of equipment, as its owner declared it and as it is read over Modbus, and what the rules
//! make of them.
//!
//! Whoever edits a nameplate must not clear himself by it. So the equipment is judged as declared, as read (what one leaves
//! out is taken from the other), and with both values of every line they differ in, and the strictest ruling holds. A nameplate that should be read and cannot be clears nothing: until it is read the case is undetermined,
//! later the last one read goes on counting. And equipment that was once found in scope stays in scope, by the entry and
//! the day it was found with, whatever its nameplates say later, until the authority's reset.

use std::sync::Arc;

use super::{
    case::{CasePlate, Claim, DETERMINATIONS, Datum},
    instrument::REGION_CODE,
    plate::{Nameplate, PlateValue},
    rules::Rules,
    standing::{Class, Ruling},
};
use crate::terms::{LegalDay, place::Division};

/// Which of the two nameplates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlateSource {
    /// The one in the configuration.
    Declared,
    /// The one that is read over Modbus.
    Read,
}

impl PlateSource {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            PlateSource::Declared => "declared",
            PlateSource::Read => "read",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<PlateSource> {
        [PlateSource::Declared, PlateSource::Read].into_iter().find(|source| source.word() == word)
    }
}

/// A line of which the two nameplates say something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The attribute.
    pub attribute: String,
    /// What was declared.
    pub declared: PlateValue,
    /// What is read.
    pub read: PlateValue,
}

/// A line of a nameplate that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The attribute.
    pub attribute: String,
    /// What it was; none where the line is new.
    pub before: Option<PlateValue>,
    /// What it is; none where the line is gone.
    pub after: Option<PlateValue>,
}

/// What came of a nameplate that is not the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What it would be judged by itself, before and after; where both are the same, no bound was crossed. `None` for the
    /// first nameplate there is.
    pub rulings: Option<(Ruling, Ruling)>,
    /// The lines that were edited.
    pub edits: Vec<Edit>,
    /// Lines of which the two nameplates now say something else, and did not before.
    pub differences: Vec<Difference>,
}

/// What is known of a piece of equipment whoever wrote its nameplates.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The county it stands in.
    pub division: Division,
    /// What the authority ruled of it, by entry or `entry:exemption`.
    pub determinations: Vec<(String, bool)>,
    /// Whether its nameplate can be read over Modbus.
    pub is_read: bool,
}

/// What a log remembers of a case.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The nameplate declared last.
    pub declared: Option<Nameplate>,
    /// The nameplate read last.
    pub read: Option<Nameplate>,
    /// The ruling given last.
    pub ruling: Option<Ruling>,
}

/// The two nameplates and their rulings.
#[derive(Clone, Debug)]
pub struct Plates {
    rules: Arc<Rules>,
    surroundings: Surroundings,
    declared: Nameplate,
    read: Option<Nameplate>,
    /// The day of the case; nothing is judged before the first.
    day: Option<LegalDay>,
    as_declared: Ruling,
    as_read: Ruling,
    with_both: Ruling,
    /// The strictest ruling in scope that was ever given.
    held: Option<Ruling>,
}

impl Plates {
    /// The case of a piece of equipment of which nothing was judged yet.
    pub fn new(rules: Arc<Rules>, surroundings: Surroundings, declared: Nameplate) -> Plates {
        Plates {
            rules,
            surroundings,
            declared,
            read: None,
            day: None,
            as_declared: Ruling::UNDETERMINED,
            as_read: Ruling::UNDETERMINED,
            with_both: Ruling::UNDETERMINED,
            held: None,
        }
    }

    /// Begins to judge, with what a log remembers. Tells what came of a declaration that is not the one remembered.
    pub fn begin(&mut self, day: LegalDay, remembered: &Remembered) -> Option<Turn> {
        self.day = Some(day);
        self.hold(remembered.ruling);
        // A nameplate that nobody reads any more still says what it said.
        self.read.clone_from(&remembered.read);
        self.judge();
        match &remembered.declared {
            None => Some(self.first(PlateSource::Declared)),
            Some(before) if *before == self.declared => None,
            Some(before) => {
                let now = std::mem::replace(&mut self.declared, before.clone());
                self.judge();
                Some(self.turn(PlateSource::Declared, now))
            }
        }
    }

    /// A nameplate was read. Tells what came of it, where it is not the one before.
    pub fn on_read(&mut self, plate: &Nameplate) -> Option<Turn> {
        match &self.read {
            Some(before) if before == plate => None,
            Some(_) => Some(self.turn(PlateSource::Read, plate.clone())),
            None => {
                self.read = Some(plate.clone());
                self.judge();
                Some(self.first(PlateSource::Read))
            }
        }
    }

    /// Another day: rules come into force, and a year may lie in the past that did not.
    pub fn on_day(&mut self, day: LegalDay) {
        if self.day.replace(day) != Some(day) {
            self.judge();
        }
    }

    /// The authority's reset: what was held from earlier nameplates is let go, what they say now counts.
    pub fn reset(&mut self) {
        self.held = None;
        self.judge();
    }

    /// The ruling: the strictest of all.
    pub fn ruling(&self) -> Ruling {
        let now = self.strictest();
        self.held.map_or(now, |held| now.stricter(held))
    }

    /// The nameplate as declared.
    pub fn declared(&self) -> &Nameplate {
        &self.declared
    }

    fn strictest(&self) -> Ruling {
        self.as_declared.stricter(self.as_read).stricter(self.with_both)
    }

    fn hold(&mut self, ruling: Option<Ruling>) {
        if let Some(ruling) = ruling.filter(|ruling| ruling.class == Class::InScope) {
            self.held = Some(self.held.map_or(ruling, |held| held.stricter(ruling)));
        }
    }

    fn judge(&mut self) {
        let Some(day) = self.day else { return };
        let declared = CasePlate::from(&self.declared);
        let Some(read) = self.read.as_ref().map(CasePlate::from) else {
            self.as_declared = self.rule(day, declared);
            let unread = if self.surroundings.is_read { Ruling::UNDETERMINED } else { self.as_declared };
            (self.as_read, self.with_both) = (unread, unread);
            self.hold(Some(self.strictest()));
            return;
        };
        self.as_declared = self.rule(day, over(&read, &declared));
        self.as_read = self.rule(day, over(&declared, &read));
        let mut both = declared;
        for (attribute, claim) in read.claims() {
            if let Claim::One(datum) = claim {
                both.claim_also(attribute, datum.clone());
            }
        }
        self.with_both = self.rule(day, both);
        self.hold(Some(self.strictest()));
    }

    /// Judges one case. Where it stands and what the authority ruled is never a nameplate's to say.
    fn rule(&self, day: LegalDay, mut case: CasePlate) -> Ruling {
        let Surroundings { division, determinations, .. } = &self.surroundings;
        case.claim(REGION_CODE, Datum::Text(division.to_string()));
        case.claim(DETERMINATIONS, Datum::Rulings(determinations.iter().cloned().collect()));
        self.rules.classify(day, &case).ruling()
    }

    /// One of the two nameplates becomes another.
    fn turn(&mut self, source: PlateSource, now: Nameplate) -> Turn {
        let known = self.differences();
        let (was, ruling) = match source {
            PlateSource::Declared => (std::mem::replace(&mut self.declared, now), self.as_declared),
            PlateSource::Read => (self.read.replace(now).unwrap_or_default(), self.as_read),
        };
        self.judge();
        let (now, after) = match (source, &self.read) {
            (PlateSource::Read, Some(read)) => (read, self.as_read),
            (PlateSource::Declared | PlateSource::Read, _) => (&self.declared, self.as_declared),
        };
        let mut differences = self.differences();
        differences.retain(|difference| !known.contains(difference));
        Turn { rulings: Some((ruling, after)), edits: edits(&was, now), differences }
    }

    /// The first nameplate of its source.
    fn first(&self, source: PlateSource) -> Turn {
        let now = match (source, &self.read) {
            (PlateSource::Read, Some(read)) => read,
            (PlateSource::Declared | PlateSource::Read, _) => &self.declared,
        };
        Turn { rulings: None, edits: edits(&Nameplate::default(), now), differences: self.differences() }
    }

    fn differences(&self) -> Vec<Difference> {
        let Some(read) = &self.read else { return Vec::new() };
        let difference = |declared: &super::Attribute| {
            let read = read.says(&declared.name).filter(|read| !read.says_the_same(&declared.value))?;
            Some(Difference {
                attribute: declared.name.clone(),
                declared: declared.value.clone(),
                read: read.clone(),
            })
        };
        self.declared.attributes().iter().filter_map(difference).collect()
    }
}

/// One nameplate, with what it leaves out taken from another.
fn over(other: &CasePlate, plate: &CasePlate) -> CasePlate {
    let mut whole = other.clone();
    for (attribute, claim) in plate.claims() {
        if let Claim::One(datum) = claim {
            whole.claim(attribute, datum.clone());
        }
    }
    whole
}

/// Every line that is not what it was, by ascending name.
fn edits(was: &Nameplate, now: &Nameplate) -> Vec<Edit> {
    let mut names: Vec<&str> =
        was.attributes().iter().chain(now.attributes()).map(|line| line.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let edit = |name: &str| {
        let (before, after) = (was.says(name), now.says(name));
        let same = before.zip(after).is_some_and(|(before, after)| before.says_the_same(after));
        (!same).then(|| Edit { attribute: name.to_owned(), before: before.cloned(), after: after.cloned() })
    };
    names.into_iter().filter_map(edit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::Attribute;

    const DAY: &str = "2011-03-01";

    fn day(text: &str) -> LegalDay {
        LegalDay::parse(text).unwrap()
    }

    fn text(value: &str) -> PlateValue {
        PlateValue::Text(value.to_owned())
    }

    fn plate(lines: &[(&str, PlateValue)]) -> Nameplate {
        Nameplate::new(lines.iter().map(|(name, v)| Attribute::new(name, v.clone()).unwrap()).collect())
            .unwrap()
    }

    /// A steelmaking electric furnace: up to 30 t it is in scope, by 2011-12-31.
    fn furnace(tonnes: i64) -> Nameplate {
        plate(&[
            ("equipment_kind", text("electric_furnace")),
            ("furnace_product", text("steel")),
            ("nominal_tonnage_t", PlateValue::Whole(tonnes)),
        ])
    }

    fn plates_of(declared: Nameplate, is_read: bool, determinations: Vec<(String, bool)>) -> Plates {
        let division = Division::parse("130421").unwrap();
        let surroundings = Surroundings { division, determinations, is_read };
        let mut plates = Plates::new(Arc::new(Rules::shipped().unwrap()), surroundings, declared);
        plates.begin(day(DAY), &Remembered::default());
        plates
    }

    #[test]
    fn an_edit_across_a_bound_is_told_with_both_rulings_and_clears_nothing() {
        let mut plates = plates_of(furnace(25), true, Vec::new());
        let first = plates.on_read(&furnace(25)).unwrap();
        assert_eq!((first.rulings, first.differences.len()), (None, 0));
        assert_eq!(plates.on_read(&furnace(25)), None, "the same again is no news");
        let turn = plates.on_read(&furnace(31)).unwrap();
        let (before, after) = turn.rulings.unwrap();
        assert_eq!((before.class, after.class), (Class::InScope, Class::OutOfScope));
        assert_eq!(before.deadline, Some(day("2011-12-31")));
        let (was, is) = (Some(PlateValue::Whole(25)), Some(PlateValue::Whole(31)));
        let edit = Edit { attribute: "nominal_tonnage_t".into(), before: was, after: is };
        assert_eq!(turn.edits, [edit]);
        assert_eq!(turn.differences.len(), 1);
        let held = plates.ruling();
        assert_eq!((held.class, held.deadline), (Class::InScope, Some(day("2011-12-31"))));
        assert_eq!(held.rule.unwrap().entry.as_str(), "steel-electric-furnace-up-to-30t");
        plates.reset();
        assert_eq!(plates.ruling().class, Class::InScope, "it is declared so still");
    }

    #[test]
    fn a_lie_from_the_beginning_is_cleared_by_the_authority_alone() {
        let kind = [("equipment_kind", text("electric_furnace")), ("furnace_product", text("steel"))];
        let mut plates = plates_of(plate(&kind), true, Vec::new());
        assert_eq!(plates.ruling().class, Class::Undetermined);
        plates.on_read(&furnace(25));
        assert_eq!(plates.ruling().class, Class::InScope);
        plates.on_read(&furnace(31));
        assert_eq!(plates.ruling().class, Class::InScope);
        plates.reset();
        assert_eq!(plates.ruling().class, Class::OutOfScope);
    }

    #[test]
    fn a_nameplate_that_should_be_read_and_is_not_clears_nothing() {
        let mut plates = plates_of(furnace(31), true, Vec::new());
        assert_eq!(plates.ruling().class, Class::Undetermined);
        plates.on_read(&furnace(31));
        assert_eq!(plates.ruling().class, Class::OutOfScope);
        assert_eq!(plates_of(furnace(31), false, Vec::new()).ruling().class, Class::OutOfScope);
    }

    #[test]
    fn two_nameplates_that_are_each_false_in_another_line_clear_nobody() {
        let other = plate(&[
            ("equipment_kind", text("induction_furnace")),
            ("furnace_product", text("steel")),
            ("nominal_tonnage_t", PlateValue::Whole(20)),
        ]);
        let mut plates = plates_of(other, true, Vec::new());
        plates.on_read(&furnace(40));
        assert_eq!(plates.as_declared.class, Class::OutOfScope);
        assert_eq!(plates.as_read.class, Class::OutOfScope);
        assert_eq!(plates.ruling().class, Class::Undetermined);
    }

    #[test]
    fn what_the_read_one_leaves_out_is_taken_from_the_declared_one() {
        let mut plates = plates_of(furnace(31), true, Vec::new());
        plates.on_read(&plate(&[("nominal_tonnage_t", PlateValue::Decimal { mantissa: 310, places: 1 })]));
        assert_eq!(plates.ruling().class, Class::OutOfScope);
        assert_eq!(plates.differences(), [], "31.0 is 31");
        plates.on_read(&plate(&[("nominal_tonnage_t", PlateValue::Whole(30))]));
        assert_eq!(plates.ruling().class, Class::InScope);
    }

    #[test]
    fn a_log_remembers_the_nameplates_and_the_strictest_ruling() {
        let mut before = plates_of(furnace(25), true, Vec::new());
        before.on_read(&furnace(25));
        let remembered = Remembered {
            declared: Some(furnace(25)),
            read: Some(furnace(25)),
            ruling: Some(before.ruling()),
        };
        let again = |declared: Nameplate, remembered: &Remembered| {
            let surroundings = before.surroundings.clone();
            let mut plates = Plates::new(before.rules.clone(), surroundings, declared);
            let turn = plates.begin(day("2012-03-01"), remembered);
            (plates, turn)
        };
        let (plates, turn) = again(furnace(25), &remembered);
        assert_eq!((plates.ruling(), turn), (before.ruling(), None));
        // Declared anew while the agent was stopped.
        let (plates, turn) = again(furnace(31), &remembered);
        let (was, is) = turn.unwrap().rulings.unwrap();
        assert_eq!((was.class, is.class), (Class::InScope, Class::OutOfScope));
        assert_eq!(plates.ruling().class, Class::InScope);
        // Whatever became of the nameplates, the last verdict is enough.
        let bare = Remembered { ruling: remembered.ruling, ..Remembered::default() };
        assert_eq!(again(furnace(31), &bare).0.ruling().class, Class::InScope);
    }

    #[test]
    fn what_the_authority_ruled_is_never_a_nameplates_to_say() {
        let unit = [("equipment_kind", text("thermal_generating_unit"))];
        let entry = "power-small-thermal-unit".to_owned();
        assert_eq!(plates_of(plate(&unit), false, Vec::new()).ruling().class, Class::Undetermined);
        let ruled = |holds| plates_of(plate(&unit), false, vec![(entry.clone(), holds)]).ruling().class;
        assert_eq!((ruled(true), ruled(false)), (Class::InScope, Class::OutOfScope));
    }

    proptest! {
        #[test]
        fn no_sequence_of_edits_clears_or_delays(
            edits in proptest::collection::vec((0..60_i64, 0..4_usize, 0..5_usize), 1..30),
            first in 0..60_i64,
        ) {
            let mut plates = plates_of(furnace(first), true, Vec::new());
            let mut before = plates.ruling();
            for (tonnes, kind, product) in edits {
                let kinds = ["electric_furnace", "converter", "induction_furnace", "no_such_kind"];
                let products = ["steel", "copper", "ferroalloy", "glass", ""];
                let read = Nameplate::new(vec![
                    Attribute::new("equipment_kind", text(kinds[kind])).unwrap(),
                    Attribute::new("furnace_product", text(products[product])).unwrap(),
                    Attribute::new("nominal_tonnage_t", PlateValue::Whole(tonnes)).unwrap(),
                ]);
                plates.on_read(&read.unwrap());
                let now = plates.ruling();
                if before.class == Class::InScope {
                    prop_assert_eq!(now.class, Class::InScope);
                    prop_assert!(now.deadline <= before.deadline);
                }
                before = now;
            }
        }
    }
}
