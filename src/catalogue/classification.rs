//! What the law says of one piece of equipment on one day.

use std::sync::Arc;

use super::{
    entry::{Bilingual, Entry, EntryId, Source, cited},
    standing::{Class, Phase, Rule, Ruling},
};
use crate::terms::LegalDay;

/// The verdict with everything it rests on. Lists are in ascending order, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// The verdict.
    pub class: Class,
    /// Entries that surely catch it.
    pub matched: Vec<EntryId>,
    /// The earliest last lawful day of those; in scope only.
    pub deadline: Option<LegalDay>,
    /// Whether it has passed; in scope only.
    pub phase: Option<Phase>,
    /// Entries that would catch it but for an exemption.
    pub exempted: Vec<EntryId>,
    /// Entries that may catch it.
    pub undetermined: Vec<EntryId>,
    /// Attributes that would decide, `determinations:<id>` for an authority's ruling.
    pub missing: Vec<String>,
    /// What a person should look at, such as `bound-exact:<id>`.
    pub advisories: Vec<String>,
    /// Attempts of overlays to loosen the nation's rule, such as `later-deadline:<id>`.
    pub lint: Vec<String>,
    /// The version of an entry that decides: of the matched the one with the earliest deadline, else the first that is
    /// undecided or exempted. It names instrument, clause, witness and the file's hash; `None` out of scope.
    pub governing: Option<Arc<Entry>>,
    /// The clause of that version that lets the equipment go; exempt only.
    pub exemption: Option<Bilingual>,
    /// Every file that was asked, the nation's first.
    pub sources: Vec<Arc<Source>>,
}

impl Classification {
    /// What a standing keeps of it.
    pub fn ruling(&self) -> Ruling {
        let rule = self.governing.as_ref().and_then(|entry| {
            Some(Rule {
                instrument: cited(&entry.source.id)?,
                entry: cited(entry.id.as_str())?,
                file: entry.source.sha256,
                witness: entry.witness.reach,
            })
        });
        Ruling { class: self.class, rule, deadline: self.deadline }
    }
}
