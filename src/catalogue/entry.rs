//! One entry of an instrument: what it catches, by which day, what it lets go, where a meter can witness it.

use std::{fmt, sync::Arc};

use super::{
    case::Datum,
    exact::Exact,
    standing::{Citation, Witness},
};
use crate::terms::{Digest, LegalDay, words::Language};

/// The id of an entry, as records, rosters and results carry it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// Longest id, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// `None` unless 1 to 64 bytes without space and control characters.
    pub fn new(text: &str) -> Option<EntryId> {
        let lawful = |c: char| !c.is_whitespace() && !c.is_control();
        let good = (1..=EntryId::MAX_BYTES).contains(&text.len()) && text.chars().all(lawful);
        good.then(|| EntryId(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An id as records carry it; what they cannot carry becomes a dash.
pub(super) fn cited(id: &str) -> Option<Citation> {
    let lawful = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '_' | '-') => c,
        _ => '-',
    };
    Citation::new(&id.chars().map(lawful).take(super::standing::MAX_CITATION_BYTES).collect::<String>())
}

/// A text of an instrument in both languages. Chinese decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bilingual {
    /// The text that decides.
    pub zh: String,
    /// Its translation.
    pub en: String,
}

impl Bilingual {
    /// The text in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

/// Which file a rule stands in: an instrument, or a regional overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's own id, such as `guofa-2010-7`.
    pub id: String,
    /// The document's number, such as 国发〔2010〕7号; of an overlay its id.
    pub number: String,
    /// The day it was issued; of an overlay the day it takes effect.
    pub issued: LegalDay,
    /// The file as it was named.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// How an order of magnitude is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Order {
    /// Whether a value stands in this order to a bound.
    pub fn holds(self, value: &Exact, bound: &Exact) -> bool {
        match self {
            Order::Below => value < bound,
            Order::AtMost => value <= bound,
            Order::Above => value > bound,
            Order::AtLeast => value >= bound,
        }
    }

    /// The bound's own value is caught.
    pub const fn is_inclusive(self) -> bool {
        matches!(self, Order::AtMost | Order::AtLeast)
    }

    /// Values below the bound are caught.
    pub const fn is_upper(self) -> bool {
        matches!(self, Order::Below | Order::AtMost)
    }

    /// The operator as files write it.
    pub const fn word(self) -> &'static str {
        match self {
            Order::Below => "<",
            Order::AtMost => "<=",
            Order::Above => ">",
            Order::AtLeast => ">=",
        }
    }
}

/// What a predicate asks of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `==`: exactly this value.
    Equals(Datum),
    /// `in`: one of these.
    OneOf(Vec<Datum>),
    /// `<`, `<=`, `>`, `>=`.
    Bound(Order, Exact),
    /// `prefix`: a text that begins so.
    Prefix(String),
    /// `determined`: an authority ruled so under this id.
    Determined(String),
    /// `service_years_gt`: in service for more than so many years on the deadline.
    ServiceYears(i64),
}

/// One attribute, one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// The attribute.
    pub attribute: Arc<str>,
    /// What is asked of it.
    pub test: Test,
    /// The rival reading of a bound, kept so that a plate exactly on it is seen by a person.
    pub rival: Option<Order>,
}

/// One condition of an entry or an exemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// One predicate.
    One(Predicate),
    /// At least one of several.
    Any(Vec<Predicate>),
}

impl Criterion {
    /// The predicates it is made of.
    pub fn predicates(&self) -> &[Predicate] {
        match self {
            Criterion::One(predicate) => std::slice::from_ref(predicate),
            Criterion::Any(predicates) => predicates,
        }
    }
}

/// What an entry lets go: all conditions together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Its name within the entry.
    pub id: String,
    /// The clause.
    pub quote: Bilingual,
    /// All must hold.
    pub criteria: Vec<Criterion>,
}

/// What an entry catches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A machine.
    Equipment,
    /// A process and its equipment.
    Process,
    /// A production line.
    ProductionLine,
    /// A mine or another whole facility.
    Facility,
    /// An enterprise by its total.
    Enterprise,
    /// 等: a class that only an authority can fill.
    OpenEnded,
    /// A total of the nation: never a threshold, never evaluated.
    NationalTarget,
}

impl EntryKind {
    /// Every kind and the word of files.
    pub const WORDS: &'static [(&'static str, EntryKind)] = &[
        ("equipment", EntryKind::Equipment),
        ("process", EntryKind::Process),
        ("production-line", EntryKind::ProductionLine),
        ("facility", EntryKind::Facility),
        ("enterprise", EntryKind::Enterprise),
        ("open-ended", EntryKind::OpenEnded),
        ("national-target", EntryKind::NationalTarget),
    ];
}

/// What the absence of an authority's ruling means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Determination {
    /// No ruling is asked for.
    None,
    /// Unknown until an authority rules.
    Unknown,
    /// Not in scope until an authority rules: residual classes.
    Closed,
}

impl Determination {
    /// Every meaning and the word of files.
    pub const WORDS: &'static [(&'static str, Determination)] = &[
        ("none", Determination::None),
        ("unknown", Determination::Unknown),
        ("closed", Determination::Closed),
    ];
}

/// Where a meter can witness an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessPlan {
    /// How far.
    pub reach: Witness,
    /// The metering points that tell.
    pub points: Vec<String>,
    /// How.
    pub how: String,
}

/// One version of an entry: the nation's, or a region's tightening of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id; a region's version of a national entry has the same.
    pub id: EntryId,
    /// What it is called.
    pub title: Bilingual,
    /// The clause.
    pub quote: Bilingual,
    /// Industry of the notice.
    pub industry: Bilingual,
    /// What it catches.
    pub kind: EntryKind,
    /// The last lawful day.
    pub deadline: LegalDay,
    /// What no ruling means.
    pub determination: Determination,
    /// Attributes needed to decide it.
    pub needs: Vec<String>,
    /// Where a meter can witness it.
    pub witness: WitnessPlan,
    /// All must hold.
    pub criteria: Vec<Criterion>,
    /// Any one lets go.
    pub exemptions: Vec<Exemption>,
    /// A match inside this is a disputed reading.
    pub dispute: Option<Predicate>,
    /// Division code the equipment's must begin with; of the nation `None`.
    pub region: Option<Predicate>,
    /// The file it stands in.
    pub source: Arc<Source>,
}
