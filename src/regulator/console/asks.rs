//! What the console asks of alarms and of reports: the one seam between it and those two rooms.
//!
//! Alarms and reports are kept and made elsewhere; the console lists them, and hands over what a person decided. Both sides
//! are given a store and the authority's hand by the console's own readers, and the scope of the person who asks: they show
//! and change nothing outside it. A console without them says that it has none.

use std::sync::Arc;

use super::Books;
use crate::{
    evidence::LogId,
    regulator::{
        alarms::{Kind, Priority},
        store::{AlarmCount, Answered, Part, sights::Scope},
    },
    terms::{
        AssetId, Digest, GatewayId, LegalDay, Name,
        words::{Language, Words},
    },
};

/// What is joined to the console.
#[derive(Clone, Default)]
pub struct Joined {
    /// The alarms, where this collector keeps some.
    pub alarms: Option<Arc<dyn Alarms>>,
    /// The reports, where this collector makes some.
    pub reports: Option<Arc<dyn Reports>>,
}

impl Joined {
    /// The collector's own alarms and reports.
    pub fn own() -> Joined {
        Joined { alarms: Some(Arc::new(super::OwnAlarms)), reports: Some(Arc::new(super::OwnReports)) }
    }
}

/// What a person may do to an alarm from the console. Nobody opens a latch from here: that takes a signed act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Somebody has seen it and takes it on.
    Acknowledge,
    /// It is put aside for a time.
    Shelve,
    /// It is taken up again before that time.
    Unshelve,
}

impl Deed {
    /// Every one.
    pub const ALL: [Deed; 3] = [Deed::Acknowledge, Deed::Shelve, Deed::Unshelve];

    /// Its word in forms.
    pub const fn word(self) -> &'static str {
        match self {
            Deed::Acknowledge => "acknowledge",
            Deed::Shelve => "shelve",
            Deed::Unshelve => "unshelve",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Deed> {
        Deed::ALL.into_iter().find(|deed| deed.word() == word)
    }
}

/// A person's decision about an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which alarm.
    pub id: String,
    /// When its last step was that the person saw, Unix milliseconds.
    pub seen_unix_ms: Option<i64>,
    /// What is to be done.
    pub deed: Deed,
    /// Who decides.
    pub who: Name,
    /// Why.
    pub why: String,
    /// Until when it is put aside, Unix milliseconds.
    pub until_unix_ms: Option<i64>,
}

/// An alarm as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    /// Which, as [`Decision::id`] names it.
    pub id: String,
    /// Which of the five kinds: violation, evidence missing, tamper, device fault, rule or data error.
    pub kind: Words,
    /// What it is.
    pub cause: Words,
    /// How soon somebody must act.
    pub priority: Words,
    /// How it stands by ISA-18.2.
    pub state: Words,
    /// Nobody has acknowledged it.
    pub is_open: bool,
    /// What it is about, in names: a division, a gateway, a piece of equipment.
    pub about: String,
    /// The equipment, where it is about one.
    pub asset: Option<(GatewayId, AssetId)>,
    /// Who must act now: county, prefecture or province.
    pub level: Words,
    /// When it was raised, Unix milliseconds.
    pub raised_unix_ms: i64,
    /// When its last step was, Unix milliseconds.
    pub changed_unix_ms: i64,
    /// Until when it is put aside, Unix milliseconds.
    pub until_unix_ms: Option<i64>,
    /// Who touched it last, and why.
    pub hand: Option<(String, String)>,
    /// Gateways it stands for.
    pub stands_for: u32,
    /// What may be done to it now.
    pub may: Vec<Deed>,
}

/// Which alarms are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmsAsked {
    /// Where.
    pub scope: Scope,
    /// Of this piece of equipment alone.
    pub asset: Option<(GatewayId, AssetId)>,
    /// Of this kind alone.
    pub kind: Option<Kind>,
    /// Of this priority alone.
    pub priority: Option<Priority>,
    /// Which part of them.
    pub part: Part,
    /// The place after which the page begins, as [`AlarmsPage::next`] told it.
    pub after: Option<String>,
    /// How many at most.
    pub most: u32,
}

/// A page of alarms: violations before all others, both from the newest on; on each page those that nobody has acknowledged
/// first, and of those the most urgent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmsPage {
    /// The alarms.
    pub rows: Vec<AlarmRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl AlarmsAsked {
    /// All of a scope, from the first on.
    pub fn all(scope: Scope, most: u32) -> AlarmsAsked {
        AlarmsAsked { scope, asset: None, kind: None, priority: None, part: Part::All, after: None, most }
    }
}

/// How many of these stand as a filter asks.
pub fn found(counts: &[AlarmCount], kind: Option<Kind>, priority: Option<Priority>, part: Part) -> u64 {
    let is_asked = |count: &&AlarmCount| {
        kind.is_none_or(|kind| kind == count.kind)
            && priority.is_none_or(|priority| priority == count.priority)
            && part.has(count.kind, count.state)
    };
    counts.iter().filter(is_asked).map(|count| count.count).sum()
}

/// A record by its place, and the equipment it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAt {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The place in it.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it says it was written, Unix milliseconds.
    pub wall_unix_ms: i64,
    /// The equipment it is about.
    pub asset: Option<AssetId>,
}

/// Two records that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingTold {
    /// What is the matter with them.
    pub what: Words,
    /// The clause that asks for it.
    pub clause: Words,
    /// The machine or meter, or the equipment's name.
    pub about: String,
    /// What was said first and later, and the paper that excuses it; of one that lies outside the scope nothing is told.
    pub records: Vec<(Words, Option<RecordAt>)>,
}

/// A step of an alarm, by the desk's signed log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTold {
    /// Its number in the log.
    pub number: u64,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// What happened.
    pub event: Words,
    /// How the alarm stood after it.
    pub state: Words,
    /// Who had to act then.
    pub level: Words,
    /// Who did it and why, where a person did.
    pub hand: Option<(String, String)>,
    /// Its hash, which the next step names.
    pub hash: Digest,
}

/// One alarm with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmTold {
    /// As it is listed, or as it stood when it was over.
    pub row: AlarmRow,
    /// It is over.
    pub is_over: bool,
    /// It is of a latch that was closed in a log before the newest.
    pub is_left: bool,
    /// The hash of the record that raised it.
    pub record: Option<Digest>,
    /// The finding it speaks of.
    pub finding: Option<FindingTold>,
    /// Its steps, the newest first.
    pub steps: Vec<StepTold>,
    /// Before which step there are older ones.
    pub older: Option<u64>,
}

/// How busy the desk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Alarms that nobody has acknowledged.
    pub open: u64,
    /// Alarms put aside.
    pub shelved: u64,
    /// Alarms out of service.
    pub retired: u64,
    /// Alarms raised within the last day.
    pub raised_day: u64,
    /// The most raised within ten minutes of that day: more than ten are a flood.
    pub most_in_ten_minutes: u64,
    /// The desk has taken more steps in that day than were looked at: there may be more of both.
    pub is_bounded: bool,
}

/// The alarms of a collector.
pub trait Alarms: Send + Sync {
    /// A page of them.
    ///
    /// # Errors
    /// The store failed.
    fn page(&self, books: &mut Books, asked: &AlarmsAsked) -> Answered<AlarmsPage>;
    /// One of them with its steps before a number, be it over or not; `None` where there is none in the scope.
    ///
    /// # Errors
    /// The store failed.
    fn one(&self, books: &mut Books, scope: &Scope, id: &str, before: u64) -> Answered<Option<AlarmTold>>;
    /// How many alarms of a scope stand how.
    ///
    /// # Errors
    /// The store failed.
    fn counts(&self, books: &mut Books, scope: &Scope) -> Answered<Vec<AlarmCount>>;
    /// How busy the desk of a scope is.
    ///
    /// # Errors
    /// The store failed.
    fn load(&self, books: &mut Books, scope: &Scope, now_unix_ms: i64) -> Answered<Load>;
    /// Does what somebody decided, and writes it into the alarms' own signed log; or tells why it cannot be done, as of an
    /// alarm outside the scope, which is not there for whoever asks.
    ///
    /// # Errors
    /// The store failed.
    fn decide(
        &self,
        books: &mut Books,
        scope: &Scope,
        decision: &Decision,
        now_unix_ms: i64,
    ) -> Answered<Result<(), Words>>;
}

/// A file that a report rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileAsked {
    /// Its word in forms.
    pub word: &'static str,
    /// What it is.
    pub label: Words,
    /// Without it there is no such report.
    pub is_needed: bool,
    /// There may be several.
    pub is_many: bool,
}

/// A file that somebody brought for a report. Nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// As what, by [`FileAsked::word`].
    pub word: String,
    /// What it was called there.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportKind {
    /// Its word in addresses: letters, digits and dashes.
    pub word: &'static str,
    /// What it is called, and the clause that asks for it.
    pub title: Words,
    /// The files it rests on beside the records.
    pub files: &'static [FileAsked],
}

/// In which form a report is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportForm {
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
    /// A page to be printed.
    Html,
}

impl ReportForm {
    /// Every one.
    pub const ALL: [ReportForm; 3] = [ReportForm::Csv, ReportForm::Json, ReportForm::Html];

    /// Its word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            ReportForm::Csv => "csv",
            ReportForm::Json => "json",
            ReportForm::Html => "html",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<ReportForm> {
        ReportForm::ALL.into_iter().find(|form| form.word() == word)
    }

    /// The type it travels as.
    pub const fn media(self) -> &'static str {
        match self {
            ReportForm::Csv => "text/csv; charset=utf-8",
            ReportForm::Json => "application/json",
            ReportForm::Html => "text/html; charset=utf-8",
        }
    }
}

/// Which report is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportAsked {
    /// Its kind's word.
    pub word: String,
    /// Where.
    pub scope: Scope,
    /// The first day it tells of.
    pub from: LegalDay,
    /// The last day it tells of.
    pub to: LegalDay,
    /// In which form.
    pub form: ReportForm,
    /// In which language.
    pub language: Language,
    /// When it is asked, Unix milliseconds.
    pub now_unix_ms: i64,
    /// Files that it is to rest on.
    pub files: Vec<Brought>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    Paper(Vec<u8>),
    /// A file cannot be read: every mistake, with its place.
    Wrong(Vec<String>),
    /// There is no such kind, or a file that it needs is not there.
    Nothing,
}

/// The reports of a collector.
pub trait Reports: Send + Sync {
    /// Every kind.
    fn kinds(&self) -> &'static [ReportKind];
    /// Makes one. A page must need nothing but itself, styles within it.
    ///
    /// # Errors
    /// The store failed.
    fn make(&self, books: &mut Books, asked: &ReportAsked) -> Answered<Made>;
}
