//! When records were written, without trusting the gateway's clock: after the receipt they name, before the receipt that
//! covers them.

use std::collections::BTreeMap;

use super::{
    body::Body,
    continuity::LogHead,
    head::MAX_ORPHANS,
    mistimed::Mistimed,
    receipt::Receipt,
    record::{Header, LogId},
};
use crate::{
    judge::{Event, Finding},
    terms::{Digest, GatewayId, Stamp},
};

/// Receipts remembered at most, by their places and by their hashes: some years of one every five minutes.
pub const MAX_RECEIPTS: usize = 500_000;
/// Places behind the receipt a record names for which receipts are remembered: so far out of order records may stand.
pub const RECEIPTS_BEHIND: u64 = MAX_ORPHANS as u64;
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

/// The authority's clock, as its receipts carry it. Receipts may come all before the records, or a little ahead of them
/// whenever [`Clocks::wants_receipts`]: then memory does not grow with their number.
#[derive(Debug, Default)]
pub struct Clocks {
    by_hash: BTreeMap<Digest, (i64, u64)>,
    /// The earliest receipt of each place, and the hashes of all.
    by_place: BTreeMap<(GatewayId, LogId, u64), (i64, Vec<Digest>)>,
    logs: BTreeMap<(GatewayId, LogId), Progress>,
    /// Records that are judged before the next line is looked at.
    waiting: Vec<Waiting>,
    brackets: Brackets,
    mistimed: Mistimed,
    disordered: bool,
}

/// How far a log has come.
#[derive(Debug, Default)]
struct Progress {
    /// The last place that is receipted.
    covered: Option<u64>,
    /// The last place that was judged.
    judged: u64,
    /// Receipts of places before this one are forgotten.
    forgotten: u64,
}

#[derive(Debug)]
struct Waiting {
    gateway: GatewayId,
    log: LogId,
    seq: u64,
    at: Stamp,
    receipt: Option<Digest>,
    /// By how much the record says that the clock was set forward.
    step_ms: Option<i64>,
}

impl Clocks {
    /// Takes a receipt that is believed.
    pub fn on_receipt(&mut self, receipt: &Receipt, hash: Digest) {
        // One that only asks covers nothing.
        if receipt.is_empty() {
            return;
        }
        let (gateway, LogHead { log, seq, .. }) = (receipt.gateway, receipt.upto);
        let progress = self.logs.entry((gateway, log)).or_default();
        progress.covered = progress.covered.max(Some(seq));
        // It should have been known when records before it were judged.
        self.disordered |= seq < progress.judged;
        if self.by_hash.len() >= MAX_RECEIPTS || seq < progress.forgotten {
            return;
        }
        if self.by_hash.insert(hash, (receipt.received_unix_ms, seq)).is_some() {
            return;
        }
        self.brackets.receipts += 1;
        let at_place = (receipt.received_unix_ms, Vec::new());
        let (first, hashes) = self.by_place.entry((gateway, log, seq)).or_insert(at_place);
        *first = (*first).min(receipt.received_unix_ms);
        hashes.push(hash);
    }

    /// Takes a record's header, and what it says of the clock.
    pub fn on_record(&mut self, header: &Header, body: &Body) {
        let Header { gateway, log, seq, receipt, .. } = *header;
        let step_ms = if let Body::Finding(Finding::Event(Event::ClockStepped { by_ms })) = body {
            Some(*by_ms)
        } else {
            None
        };
        self.waiting.push(Waiting { gateway, log, seq, at: header.at, receipt, step_ms });
    }

    /// Whether a record waits for the receipt that covers it, or none has come at all.
    pub fn wants_receipts(&self) -> bool {
        let covered = |w: &Waiting| self.covered(w.gateway, w.log).is_some_and(|covered| covered >= w.seq);
        self.logs.is_empty() || !self.waiting.iter().all(covered)
    }

    /// Judges the records taken so far by the receipts taken so far.
    pub fn judge(&mut self) {
        for record in std::mem::take(&mut self.waiting) {
            self.judge_one(&record);
        }
    }

    fn judge_one(&mut self, record: &Waiting) {
        let Waiting { gateway, log, seq, at, receipt, step_ms } = *record;
        let wall = at.wall_unix_ms;
        let named = receipt.and_then(|receipt| self.by_hash.get(&receipt).copied());
        let after = named.map(|(received, _)| received);
        let covers = self.by_place.range((gateway, log, seq)..=(gateway, log, u64::MAX)).next();
        let before = covers.map(|(_, (received, _))| *received);
        match after.zip(before) {
            Some((after, before)) => {
                self.brackets.closed += 1;
                self.brackets.widest_ms = self.brackets.widest_ms.max(before.saturating_sub(after));
            }
            None => self.brackets.open += 1,
        }
        let early_ms = after.map_or(0, |after| after.saturating_sub(wall));
        let late_ms = before.map_or(0, |before| wall.saturating_sub(before));
        let outside_ms = early_ms.max(late_ms);
        if outside_ms > CLOCK_SLACK_MS {
            self.brackets.outside += 1;
            self.brackets.first_outside.get_or_insert((log, seq));
        }
        self.mistimed.on((gateway, log), (seq, &at), (after, before));
        if let Some(by_ms) = step_ms {
            self.mistimed.on_step((gateway, log), at.boot, by_ms);
        }
        let progress = self.logs.entry((gateway, log)).or_default();
        progress.judged = progress.judged.max(seq);
        if let Some((_, place)) = named {
            self.forget(gateway, log, place.min(seq).saturating_sub(RECEIPTS_BEHIND));
        }
    }

    /// Records whose claimed times are not believed.
    pub fn mistimed(&self) -> &Mistimed {
        &self.mistimed
    }

    /// Forgets the receipts of places before this one.
    fn forget(&mut self, gateway: GatewayId, log: LogId, before: u64) {
        let Some(progress) = self.logs.get_mut(&(gateway, log)) else { return };
        progress.forgotten = progress.forgotten.max(before);
        let old = (gateway, log, 0)..(gateway, log, before);
        while let Some(place) = self.by_place.range(old.clone()).next().map(|(place, _)| *place) {
            let (_, hashes) = self.by_place.remove(&place).unwrap_or_default();
            for hash in hashes {
                self.by_hash.remove(&hash);
            }
        }
    }

    /// The last place of a log that is receipted.
    pub fn covered(&self, gateway: GatewayId, log: LogId) -> Option<u64> {
        self.logs.get(&(gateway, log))?.covered
    }

    /// What was found so far.
    pub fn brackets(&self) -> Brackets {
        self.brackets
    }

    /// Whether a receipt came after records that it tells the time of.
    pub fn is_disordered(&self) -> bool {
        self.disordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{Checkpoint, Ed25519, KeyId, Signer as _},
        terms::ClockQuality,
    };

    /// Several times what is remembered, in whole hundreds.
    const PLACES: u64 = 16 * RECEIPTS_BEHIND / 100 * 100;
    const LOG: LogId = LogId(5);

    fn gateway() -> GatewayId {
        GatewayId::new("gw-03").unwrap()
    }

    fn hash(seq: u64) -> Digest {
        Digest::of(&seq.to_be_bytes())
    }

    /// One for each hundred places, a second later each.
    fn receipt(seq: u64) -> Receipt {
        Receipt {
            gateway: gateway(),
            upto: LogHead { log: LOG, seq, head: Digest::of(b"head") },
            key_epoch: 0,
            public_key: Ed25519::from_seed(&[7; 32]).public_key(),
            received_unix_ms: seq.cast_signed() * 10,
            nonce: [3; 16],
            missing: Vec::new(),
        }
    }

    fn header(seq: u64, named: u64) -> Header {
        Header {
            gateway: gateway(),
            log: LOG,
            seq,
            prev: Digest::ZERO,
            at: Stamp {
                wall_unix_ms: seq.cast_signed() * 10,
                uptime_ms: 0,
                boot: 1,
                clock: ClockQuality::Ntp,
                error_ms: 0,
            },
            receipt: Some(hash(named)),
            key_epoch: 0,
            key_id: KeyId::from_hex("fe812c12f3ab4ce6").unwrap(),
        }
    }

    fn beat() -> Body {
        Body::Checkpoint(Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 })
    }

    /// Records, each naming what `named` says, with receipts before them or a little ahead.
    fn judged(ahead: bool, named: impl Fn(u64) -> u64) -> (Clocks, usize) {
        let (mut clocks, mut most) = (Clocks::default(), 0);
        let mut receipts = (0..=PLACES).step_by(100);
        let mut take = |clocks: &mut Clocks| {
            let seq = receipts.next()?;
            clocks.on_receipt(&receipt(seq), hash(seq));
            Some(())
        };
        while !ahead && take(&mut clocks).is_some() {}
        for seq in 1..PLACES {
            clocks.judge();
            clocks.on_record(&header(seq, named(seq)), &beat());
            while clocks.wants_receipts() && take(&mut clocks).is_some() {}
            most = most.max(clocks.by_hash.len().max(clocks.by_place.len()));
        }
        clocks.judge();
        (clocks, most)
    }

    #[test]
    fn receipts_a_little_ahead_tell_what_all_of_them_tell_and_are_forgotten_behind() {
        let latest = |seq: u64| (seq - 1) / 100 * 100;
        let (all, _) = judged(false, latest);
        let (ahead, most) = judged(true, latest);
        let Brackets { receipts, closed, open, widest_ms, outside, .. } = ahead.brackets();
        assert_eq!((closed, open, widest_ms, outside), (PLACES - 1, 0, 1_000, 0));
        assert_eq!((all.brackets(), receipts), (ahead.brackets(), PLACES / 100 + 1));
        assert!(most as u64 <= RECEIPTS_BEHIND / 100 + 3, "{most}");
        assert!(!ahead.is_disordered() && !all.is_disordered());
    }

    #[test]
    fn a_receipt_that_is_still_named_is_not_forgotten_however_old() {
        let (clocks, _) = judged(true, |_| 0);
        assert_eq!((clocks.brackets().closed, clocks.brackets().open), (PLACES - 1, 0));
    }

    #[test]
    fn a_receipt_that_comes_after_its_records_is_told() {
        let (mut clocks, _) = judged(true, |_| 0);
        clocks.on_receipt(&receipt(150), hash(150));
        assert!(clocks.is_disordered());
    }
}
