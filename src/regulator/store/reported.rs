//! What a store tells for reports: verdicts and papers alone, each by an index of its own, so that a report reads no more
//! records than it rests on.

use super::{Answered, KeptRecord, Log};
use crate::terms::AssetId;

/// The part of a store that reports are made of.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Reported {
    /// The equipment that verdicts of a log are about, in order.
    fn judged(&mut self, log: Log) -> Answered<Vec<AssetId>>;
    /// Verdicts of a log on a piece of equipment whose times lie between two, the second not included, in the order of their
    /// places, after a place, at most so many.
    fn verdicts(
        &mut self,
        of: (Log, AssetId),
        within_unix_ms: (i64, i64),
        after: Option<u64>,
        most: u32,
    ) -> Answered<Vec<(u64, KeptRecord)>>;
    /// The newest verdict of a log on a piece of equipment before a time.
    fn verdict_before(&mut self, of: (Log, AssetId), unix_ms: i64) -> Answered<Option<(u64, KeptRecord)>>;
    /// Steps of orders, acts and answers of a log, in the order of their places, from a place on, at most so many.
    fn papers(&mut self, log: Log, from: u64, most: u32) -> Answered<Vec<(u64, KeptRecord)>>;
}

/// The place after which a query begins; before every one where none is named.
pub(super) fn beyond(after: Option<u64>) -> i64 {
    after.map_or(-1, u64::cast_signed)
}
