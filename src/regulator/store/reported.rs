//! What a store tells for reports: verdicts and papers alone, each by an index of its own, so that a report reads no more
//! records than it rests on; and what verdicts come to, day by day.

use super::{Answered, KeptRecord, Log};
use crate::{
    regulator::sums::DaySum,
    terms::{AssetId, LegalDay},
};

/// The part of a store that reports are made of.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Reported {
    /// The equipment that verdicts of a log are about, in order.
    fn judged(&mut self, log: Log) -> Answered<Vec<AssetId>>;
    /// Verdicts of a log on a piece of equipment after a place, up to another, in the order of their places, at most so many.
    fn verdicts(
        &mut self,
        of: (Log, AssetId),
        after: Option<u64>,
        to: u64,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>>;
    /// The last verdict of a log on a piece of equipment up to a place.
    fn verdict_to(&mut self, of: (Log, AssetId), to: u64) -> Answered<Option<(u64, KeptRecord)>>;
    /// The newest verdict of a log on a piece of equipment that was written before a time, or arrived before it, no further
    /// than a place.
    fn verdict_before(
        &mut self,
        of: (Log, AssetId),
        unix_ms: i64,
        to: u64,
    ) -> Answered<Option<(u64, KeptRecord)>>;
    /// Steps of orders, acts and answers of a log, in the order of their places, from a place on, at most so many.
    fn papers(&mut self, log: Log, from: u64, most: u32) -> Answered<Vec<(u64, KeptRecord)>>;
    /// The last place of a log up to which its verdicts are added up; none where they are not.
    fn summed(&mut self, log: Log) -> Answered<Option<u64>>;
    /// What the verdicts of a log come to on each day from one to another, both included, on one piece of equipment or on all.
    fn day_sums(
        &mut self,
        log: Log,
        asset: Option<AssetId>,
        within: (LegalDay, LegalDay),
    ) -> Answered<Vec<(AssetId, LegalDay, DaySum)>>;
}

/// The place after which a query begins; before every one where none is named.
pub(super) fn beyond(after: Option<u64>) -> i64 {
    after.map_or(-1, u64::cast_signed)
}
