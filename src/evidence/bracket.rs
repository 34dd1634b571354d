//! When records were written, without trusting the gateway's clock: after the receipt they name, before the receipt that
//! covers them.

use std::collections::BTreeMap;

use super::{
    receipt::Receipt,
    record::{Header, LogId},
};
use crate::terms::{Digest, GatewayId};

/// Receipts remembered at most, by their places and by their hashes: some years of one every five minutes.
pub const MAX_RECEIPTS: usize = 500_000;
/// How far a claimed time may lie outside its bracket, in milliseconds: the authority's own clock is no atomic clock.
pub const CLOCK_SLACK_MS: i64 = 60_000;

/// What receipts tell of the time of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brackets {
    /// Receipts of a trusted authority.
    pub receipts: u64,
    /// Records with a receipt on both sides.
    pub closed: u64,
    /// Records with a receipt on one side only, or none.
    pub open: u64,
    /// The widest time between the two sides, in milliseconds.
    pub widest_ms: i64,
    /// Records whose claimed time lies outside by more than [`CLOCK_SLACK_MS`].
    pub outside: u64,
    /// The first of them: log and place.
    pub first_outside: Option<(LogId, u64)>,
}

/// The authority's clock, as its receipts carry it.
#[derive(Debug, Default)]
pub struct Clocks {
    by_hash: BTreeMap<Digest, i64>,
    by_place: BTreeMap<(GatewayId, LogId, u64), i64>,
    brackets: Brackets,
}

impl Clocks {
    /// Takes a receipt that is believed.
    pub fn on_receipt(&mut self, receipt: &Receipt, hash: Digest) {
        if self.by_hash.len() >= MAX_RECEIPTS {
            return;
        }
        if self.by_hash.insert(hash, receipt.received_unix_ms).is_none() {
            self.brackets.receipts += 1;
        }
        if receipt.is_empty() {
            return;
        }
        let place = (receipt.gateway, receipt.upto.log, receipt.upto.seq);
        let first = self.by_place.entry(place).or_insert(receipt.received_unix_ms);
        *first = (*first).min(receipt.received_unix_ms);
    }

    /// Takes a record's header.
    pub fn on_record(&mut self, header: &Header) {
        let after = header.receipt.and_then(|receipt| self.by_hash.get(&receipt).copied());
        let from = (header.gateway, header.log, header.seq);
        let to = (header.gateway, header.log, u64::MAX);
        let before = self.by_place.range(from..=to).next().map(|(_, received)| *received);
        match after.zip(before) {
            Some((after, before)) => {
                self.brackets.closed += 1;
                self.brackets.widest_ms = self.brackets.widest_ms.max(before.saturating_sub(after));
            }
            None => self.brackets.open += 1,
        }
        let wall = header.at.wall_unix_ms;
        let early = after.is_some_and(|after| wall < after.saturating_sub(CLOCK_SLACK_MS));
        let late = before.is_some_and(|before| wall > before.saturating_add(CLOCK_SLACK_MS));
        if early || late {
            self.brackets.outside += 1;
            self.brackets.first_outside.get_or_insert((header.log, header.seq));
        }
    }

    /// The last place of a log that is receipted.
    pub fn covered(&self, gateway: GatewayId, log: LogId) -> Option<u64> {
        let log_places = (gateway, log, 0)..=(gateway, log, u64::MAX);
        self.by_place.range(log_places).next_back().map(|((_, _, seq), _)| *seq)
    }

    /// What was found so far.
    pub fn brackets(&self) -> Brackets {
        self.brackets
    }
}
