//! Where a piece of equipment stands before the law on a day, and which paper says so.
//!
//! Three papers can name the last lawful day, and the earliest of them rules: the catalogue's entry that its nameplates
//! match, the authority's roster, and the day its owner declared. So nothing loosens anything. The catalogue puts a duty
//! on what is `in_scope` and on nothing else; what it finds exempt, undetermined or out of scope has a duty only where
//! the roster or a declaration names a day.

use std::fmt;

use crate::terms::{
    Digest, LegalDay,
    words::{self, Words},
};

/// Whether drawing power is still lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The last lawful day has not ended.
    PreDeadline,
    /// It has ended.
    Overdue,
}

impl Phase {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::PreDeadline => "pre_deadline",
            Phase::Overdue => "overdue",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Phase> {
        [Phase::PreDeadline, Phase::Overdue].into_iter().find(|phase| phase.word() == word)
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Phase::PreDeadline => words::PHASE_PRE_DEADLINE,
            Phase::Overdue => words::PHASE_OVERDUE,
        }
    }
}

/// What a catalogue makes of a nameplate; the first is the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It must be eliminated by the deadline.
    InScope,
    /// It cannot be told until an attribute is known or an authority rules.
    Undetermined,
    /// An entry names it, and excepts it.
    Exempt,
    /// No entry names it.
    OutOfScope,
}

impl Class {
    /// Every class, the strictest first.
    pub const ALL: [Class; 4] = [Class::InScope, Class::Undetermined, Class::Exempt, Class::OutOfScope];

    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Class::InScope => "in_scope",
            Class::Undetermined => "undetermined",
            Class::Exempt => "exempt",
            Class::OutOfScope => "out_of_scope",
        }
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Class::InScope => words::CLASS_IN_SCOPE,
            Class::Undetermined => words::CLASS_UNDETERMINED,
            Class::Exempt => words::CLASS_EXEMPT,
            Class::OutOfScope => words::CLASS_OUT_OF_SCOPE,
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.word() == word)
    }
}

/// How far an electricity meter can witness that the equipment stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// Its process is electric: no power, no process.
    Full,
    /// Only its drives are: without power they stand, and the process may go on.
    Drives,
    /// Nothing of it shows.
    None,
}

impl Witness {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Witness::Full => "full",
            Witness::Drives => "drives",
            Witness::None => "none",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Witness> {
        [Witness::Full, Witness::Drives, Witness::None].into_iter().find(|witness| witness.word() == word)
    }
}

/// Longest [`Citation`], in bytes.
pub const MAX_CITATION_BYTES: usize = 64;

/// How an instrument or one of its entries is cited: 1 to 64 bytes of text without control characters. `Copy`, so that a
/// verdict can carry it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Citation {
    bytes: [u8; MAX_CITATION_BYTES],
    len: u8,
}

impl Citation {
    /// `None` unless 1 to 64 bytes of text without control characters.
    pub fn new(text: &str) -> Option<Citation> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return None;
        }
        let mut bytes = [0; MAX_CITATION_BYTES];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Citation { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The citation as text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|b| str::from_utf8(b).ok()).unwrap_or("")
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The entry a ruling rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The instrument.
    pub instrument: Citation,
    /// Its entry.
    pub entry: Citation,
    /// SHA-256 of the file it was read from.
    pub file: Digest,
    /// How far a meter can witness it.
    pub witness: Witness,
}

/// What the catalogue says of a nameplate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The class.
    pub class: Class,
    /// The entry that decides: of those that match, that with the earliest deadline; of those that are undecided or
    /// except it, the first. None where no entry names it.
    pub rule: Option<Rule>,
    /// The last lawful day; only where it is in scope.
    pub deadline: Option<LegalDay>,
}

impl Ruling {
    /// A ruling that can only be given: nothing is known that would decide.
    pub const UNDETERMINED: Ruling = Ruling { class: Class::Undetermined, rule: None, deadline: None };

    /// The stricter of two: the stricter class, of two in scope the earlier deadline. The first where both are as strict.
    #[must_use]
    pub fn stricter(self, other: Ruling) -> Ruling {
        let rank = |ruling: &Ruling| (ruling.class, ruling.deadline.is_none(), ruling.deadline);
        if rank(&other) < rank(&self) { other } else { self }
    }
}

/// What the authority's roster in force says of a piece of equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rostered {
    /// It is listed, with this last lawful day.
    By(LegalDay),
    /// It is not listed.
    Absent,
}

impl Rostered {
    /// The last lawful day the roster names.
    pub const fn day(self) -> Option<LegalDay> {
        match self {
            Rostered::By(day) => Some(day),
            Rostered::Absent => None,
        }
    }
}

/// What is known of a piece of equipment's duty to be out of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the catalogue says of its nameplates, the stricter of what is declared and what is read; none where no
    /// catalogue was asked.
    pub ruling: Option<Ruling>,
    /// What the roster in force says; none where none is.
    pub roster: Option<Rostered>,
    /// The last lawful day its owner declared.
    pub decommissioned_on: Option<LegalDay>,
    /// Fingerprint of the nameplate as declared, where one was.
    pub declared_plate: Option<Digest>,
    /// Days that were left when its owner was last warned of [`Standing::last_day`].
    pub warned_days: Option<u16>,
}

impl Standing {
    /// Nothing but a day its owner declared.
    pub fn declared(decommissioned_on: Option<LegalDay>) -> Standing {
        Standing { decommissioned_on, ..Standing::default() }
    }

    /// The last lawful day: the earliest that any paper names. `None` where none does, and then nothing is due.
    pub fn last_day(&self) -> Option<LegalDay> {
        let ruling = self.ruling.filter(|ruling| ruling.class == Class::InScope);
        let days = [
            ruling.and_then(|ruling| ruling.deadline),
            self.roster.and_then(Rostered::day),
            self.decommissioned_on,
        ];
        days.into_iter().flatten().min()
    }

    /// The phase on a day; `None` where no duty is known. The last day itself is lawful.
    pub fn phase(&self, on: LegalDay) -> Option<Phase> {
        self.last_day().map(|last| if on > last { Phase::Overdue } else { Phase::PreDeadline })
    }

    /// The class, where a catalogue was asked.
    pub fn class(&self) -> Option<Class> {
        self.ruling.map(|ruling| ruling.class)
    }

    /// How far a meter can witness it, where an entry says so.
    pub fn witness(&self) -> Option<Witness> {
        self.ruling.and_then(|ruling| ruling.rule).map(|rule| rule.witness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> LegalDay {
        LegalDay::parse(text).unwrap()
    }

    fn ruling(class: Class, deadline: Option<&str>) -> Ruling {
        Ruling { class, rule: None, deadline: deadline.map(day) }
    }

    #[test]
    fn overdue_begins_at_the_midnight_after_the_last_day() {
        let last = day("2026-10-31");
        let standing = Standing::declared(Some(last));
        assert_eq!(standing.phase(last), Some(Phase::PreDeadline));
        assert_eq!(standing.phase(day("2026-11-01")), Some(Phase::Overdue));
        assert_eq!(Standing::default().phase(last), None);
        let midnight = day("2026-11-01").starts_unix_ms();
        assert_eq!(standing.phase(LegalDay::of_unix_ms(midnight - 1)), Some(Phase::PreDeadline));
        assert_eq!(standing.phase(LegalDay::of_unix_ms(midnight)), Some(Phase::Overdue));
    }

    #[test]
    fn the_earliest_paper_rules_and_none_loosens_another() {
        let papers = [None, Some("2011-06-30"), Some("2011-12-31"), Some("2012-12-31")].map(|d| d.map(day));
        for (catalogue, roster, declared) in
            (0..64).map(|n| (papers[n % 4], papers[n / 4 % 4], papers[n / 16]))
        {
            let standing = Standing {
                ruling: catalogue.map(|deadline| Ruling {
                    class: Class::InScope,
                    rule: None,
                    deadline: Some(deadline),
                }),
                roster: Some(roster.map_or(Rostered::Absent, Rostered::By)),
                decommissioned_on: declared,
                ..Standing::default()
            };
            let earliest = [catalogue, roster, declared].into_iter().flatten().min();
            assert_eq!(standing.last_day(), earliest);
        }
    }

    #[test]
    fn what_is_not_in_scope_has_no_duty_of_the_catalogue() {
        for class in [Class::Undetermined, Class::Exempt, Class::OutOfScope] {
            // Even if somebody wrote a deadline beside it.
            let standing =
                Standing { ruling: Some(ruling(class, Some("2010-12-31"))), ..Standing::default() };
            assert_eq!(standing.phase(day("2026-01-01")), None, "{}", class.word());
            let listed = Standing { roster: Some(Rostered::By(day("2011-12-31"))), ..standing };
            assert_eq!(listed.phase(day("2026-01-01")), Some(Phase::Overdue));
            let declared = Standing { decommissioned_on: Some(day("2026-12-31")), ..standing };
            assert_eq!(declared.phase(day("2026-01-01")), Some(Phase::PreDeadline));
        }
    }

    #[test]
    fn of_two_rulings_the_stricter_class_then_the_earlier_deadline_rules() {
        let strictest_first = [
            ruling(Class::InScope, Some("2010-12-31")),
            ruling(Class::InScope, Some("2012-12-31")),
            ruling(Class::Undetermined, None),
            ruling(Class::Exempt, None),
            ruling(Class::OutOfScope, None),
        ];
        for (at, strict) in strictest_first.iter().enumerate() {
            for lax in &strictest_first[at..] {
                assert_eq!(strict.stricter(*lax), *strict);
                assert_eq!(lax.stricter(*strict), *strict);
            }
        }
    }

    #[test]
    fn a_citation_is_1_to_64_bytes_of_text() {
        let longest = "a".repeat(64);
        for good in ["国发〔2010〕7号", "cement-mechanised-shaft-kiln-below-3-0m", longest.as_str()] {
            assert_eq!(Citation::new(good).unwrap().as_str(), good);
        }
        let longer = "a".repeat(65);
        for bad in ["", "a\u{7}", longer.as_str()] {
            assert_eq!(Citation::new(bad), None, "{bad}");
        }
        for class in Class::ALL {
            assert_eq!(Class::from_word(class.word()), Some(class));
        }
    }
}
