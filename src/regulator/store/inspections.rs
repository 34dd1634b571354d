//! Looks on site that somebody at the desk asked for, and what came of them. They are no evidence and no act: a person's request
//! to a person, kept so that it is not forgotten.

use super::{Answered, sights::Scope};
use crate::terms::{AssetId, GatewayId, Name};

/// Requests for one piece of equipment that may await their answer.
pub const MOST_OPEN: u32 = 5;
/// Longest reason and longest answer, in characters.
pub const MAX_WHY_CHARS: usize = 200;

/// Who said something, when, Unix milliseconds, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub who: Name,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// What, at most [`MAX_WHY_CHARS`], and the hashes of photographs behind it.
    pub what: String,
}

/// A look on site that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its number, from 1.
    pub number: u64,
    /// Behind which gateway.
    pub gateway: GatewayId,
    /// At which equipment.
    pub asset: AssetId,
    /// Who asked, and why.
    pub asked: Said,
    /// Who reported, and what was found; none as long as nobody has.
    pub answered: Option<Said>,
}

/// Which are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectionsAsked {
    /// Where.
    pub scope: Scope,
    /// At this equipment alone.
    pub asset: Option<(GatewayId, AssetId)>,
    /// Those that nobody has reported on alone.
    pub is_open: bool,
    /// Before this number.
    pub before: u64,
    /// How many at most.
    pub most: u32,
}

/// The part of a store that keeps them.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Inspections {
    /// Asks for one. Tells whether the equipment is in the scope and has no more than [`MOST_OPEN`] open.
    fn ask_inspection(
        &mut self,
        scope: &Scope,
        gateway: GatewayId,
        asset: AssetId,
        asked: &Said,
    ) -> Answered<bool>;
    /// Reports on one. Tells whether it was there, in the scope and open.
    fn answer_inspection(&mut self, scope: &Scope, number: u64, answered: &Said) -> Answered<bool>;
    /// Every one after a number, in order, at most so many, wherever its equipment lies.
    fn inspections_after(&mut self, number: u64, most: u32) -> Answered<Vec<Inspection>>;
    /// Keeps one that a copy holds, under its own number.
    fn keep_inspection(&mut self, inspection: &Inspection) -> Answered<()>;
    /// Those of a scope, the newest first.
    fn inspections(&mut self, asked: &InspectionsAsked) -> Answered<Vec<Inspection>>;
}

/// A row's columns, as both databases have them.
pub(super) struct InspectionColumns {
    pub(super) number: u64,
    pub(super) gateway: String,
    pub(super) asset: String,
    pub(super) asked: (String, i64, String),
    pub(super) answered: (Option<String>, Option<i64>, Option<String>),
}

impl InspectionColumns {
    /// What they mean; `None` for a row that this program did not write.
    pub(super) fn read(self) -> Option<Inspection> {
        let said = |(who, at_unix_ms, what): (String, i64, String)| {
            Name::new(&who).map(|who| Said { who, at_unix_ms, what })
        };
        let answered = match self.answered {
            (Some(who), Some(at), Some(what)) => Some(said((who, at, what))?),
            (None, None, None) => None,
            (_, _, _) => return None,
        };
        Some(Inspection {
            number: self.number,
            gateway: GatewayId::new(&self.gateway)?,
            asset: AssetId::new(&self.asset)?,
            asked: said(self.asked)?,
            answered,
        })
    }
}
