//! PURE file. What a conviction in one log of a gateway is to the other logs of it.
//!
//! Whoever deletes a journal and begins a new one has a judge that knows nothing of before; the desk keeps both logs, and
//! believes neither the younger nor the other alone. In its own log a conviction ends by the judge's word, who heard the
//! authority's reset. Where that log was left, it ends by a reset of the same equipment that another log of the gateway has
//! written down, if the authority signed it after the last verdict of the log that was left had arrived: an older one was of
//! something else. No time ends it, and no log that was not told to. Nor does an act that the authority did not sign: what it
//! undid in the log that convicts stands there as if that log were left, until the authority itself ends it.

use super::store::KeptRecord;
use crate::{
    evidence::{Act, Body, LogId, Meaning, PublicKey, Signed, record::Unverified},
    judge::{Finding, Rung},
    terms::{AssetId, Digest, OrderId},
};

/// The last verdict of a log on a piece of equipment, or its last step of an order to cut that off, as far as it convicts; or
/// as far as it tells of tampering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWord {
    /// Which log.
    pub log: LogId,
    /// The record's place in it.
    pub seq: u64,
    /// The record's hash.
    pub hash: Digest,
    /// Since when a violation is latched, Unix milliseconds.
    pub since_unix_ms: Option<i64>,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// Whether it is the last only because a foreign hand has undone it: the log itself says otherwise now.
    pub is_undone: bool,
}

impl LastWord {
    /// A record that convicts of nothing.
    pub(super) fn told(log: LogId, seq: u64, record: &KeptRecord) -> LastWord {
        let KeptRecord { hash, received_unix_ms, .. } = *record;
        LastWord { log, seq, hash, since_unix_ms: None, received_unix_ms, is_undone: false }
    }

    /// Of a record that is a verdict.
    pub fn of(log: LogId, seq: u64, record: &KeptRecord) -> Option<LastWord> {
        let Body::Finding(Finding::Verdict(verdict)) = read(record)? else { return None };
        let since_unix_ms = verdict.violation_since_unix_ms;
        Some(LastWord { since_unix_ms, ..LastWord::told(log, seq, record) })
    }

    /// Of a record that is a verdict: whether a strong sign of tampering stands that no time takes back.
    pub fn of_signs(log: LogId, seq: u64, record: &KeptRecord) -> Option<LastWord> {
        let Body::Finding(Finding::Verdict(verdict)) = read(record)? else { return None };
        let stays = verdict.signs.iter().any(|sign| sign.is_strong() && sign.stays_ms().is_none());
        let since_unix_ms = stays.then_some(record.wall_unix_ms);
        Some(LastWord { since_unix_ms, ..LastWord::told(log, seq, record) })
    }

    /// Of a record that is a step of an order, and of which.
    pub fn of_any_order(log: LogId, seq: u64, record: &KeptRecord) -> Option<(OrderId, LastWord)> {
        if record.kind != "transition" {
            return None;
        }
        let Body::Finding(Finding::Transition(step)) = read(record)? else { return None };
        let since_unix_ms = (step.to == Rung::Violated).then_some(record.wall_unix_ms);
        Some((step.order, LastWord { since_unix_ms, ..LastWord::told(log, seq, record) }))
    }

    /// Of a record that is a step of an order: whether that stands at `violated`.
    pub fn of_order(log: LogId, seq: u64, record: &KeptRecord, order: OrderId) -> Option<LastWord> {
        LastWord::of_any_order(log, seq, record).filter(|(of, _)| *of == order).map(|(_, word)| word)
    }
}

/// The authority's reset of a piece of equipment, as a log has written it down, or as somebody has handed it in at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Which log; none at the desk.
    pub log: Option<LogId>,
    /// At which place of it.
    pub seq: u64,
    /// Of what.
    pub asset: AssetId,
    /// When it was signed, Unix milliseconds.
    pub issued_unix_ms: i64,
}

impl Reset {
    /// Of a record that is one, signed by one of the authority's keys: whoever writes a log may write anything there. No other
    /// record is read.
    pub fn of(log: LogId, seq: u64, record: &KeptRecord, authority: &[PublicKey]) -> Option<Reset> {
        if record.kind != "act" || record.asset.is_empty() {
            return None;
        }
        let Body::Act(act) = read(record)? else { return None };
        Reset::claimed(log, seq, &act).filter(|_| is_signed_by(&act, authority))
    }

    /// Of an act that a log carries, whoever signed it.
    pub fn claimed(log: LogId, seq: u64, act: &Act) -> Option<Reset> {
        let Meaning::Reset(asset) = act.meaning else { return None };
        Some(Reset { log: Some(log), seq, asset, issued_unix_ms: act.issued_unix_ms })
    }

    /// Whether it ends what a log says last.
    pub fn ends(&self, word: &LastWord) -> bool {
        if self.log == Some(word.log) {
            // Of what it says last the judge has heard it.
            return word.is_undone && self.seq > word.seq;
        }
        self.issued_unix_ms >= word.received_unix_ms
    }
}

/// The oldest conviction of a piece of equipment that stands in another log than the one that speaks, of the last words of
/// all logs of a gateway on it and its resets.
pub fn left_standing<'w>(
    words: impl IntoIterator<Item = &'w LastWord>,
    resets: &[Reset],
    speaks: LogId,
) -> Option<LastWord> {
    let is_left = |word: &&LastWord| (word.log != speaks || word.is_undone) && word.since_unix_ms.is_some();
    let stands = |word: &&LastWord| !resets.iter().any(|reset| reset.ends(word));
    let standing = words.into_iter().filter(is_left).filter(stands);
    standing.min_by_key(|word| (word.since_unix_ms, word.log)).copied()
}

/// Whether one of these keys signed an act.
pub fn is_signed_by(act: &Act, keys: &[PublicKey]) -> bool {
    let signed = Signed::of(act.members.clone());
    signed.is_ok_and(|signed| keys.iter().any(|key| signed.check(key).is_ok()))
}

/// What is kept was verified when it came.
fn read(record: &KeptRecord) -> Option<Body> {
    Unverified::read(&record.bytes).and_then(Unverified::own).ok().map(|record| record.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(log: u64, since_unix_ms: Option<i64>, received_unix_ms: i64) -> LastWord {
        let (hash, is_undone) = (Digest::ZERO, false);
        LastWord { log: LogId(log), seq: 9, hash, since_unix_ms, received_unix_ms, is_undone }
    }

    fn reset(log: u64, issued_unix_ms: i64) -> Reset {
        Reset { log: Some(LogId(log)), seq: 12, asset: AssetId::new("eaf-2").unwrap(), issued_unix_ms }
    }

    #[test]
    fn a_log_that_knows_nothing_acquits_nobody_of_what_another_has_proven() {
        let words = [word(1, Some(50), 100), word(2, None, 200)];
        assert_eq!(left_standing(&words, &[], LogId(2)), Some(words[0]));
        // Its own log tells of itself.
        assert_eq!(left_standing(&words, &[], LogId(1)), None);
        assert_eq!(left_standing(&[word(1, None, 300), words[1]], &[], LogId(2)), None);
        // Of several logs that were left the oldest conviction is told, until each of them has ended.
        let more = [words[0], word(3, Some(40), 150), words[1]];
        assert_eq!(left_standing(&more, &[], LogId(2)), Some(more[1]));
    }

    #[test]
    fn only_a_reset_that_was_signed_after_the_conviction_had_arrived_ends_it() {
        let words = [word(1, Some(50), 100), word(2, None, 200)];
        let stands = |resets: &[Reset]| left_standing(&words, resets, LogId(2)).is_some();
        assert!(!stands(&[reset(2, 100)]) && !stands(&[reset(3, 120)]));
        // Signed before, for something else, and brought again to a log that has not heard of it.
        assert!(stands(&[reset(2, 99)]));
        // What the convicted log itself had written down was the judge's to weigh, who goes on convicting.
        assert!(stands(&[reset(1, 120)]));
        // One that was handed in at the desk ends the word of any log, and of the log that speaks, too.
        let desk = Reset { log: None, ..reset(1, 120) };
        assert!(!stands(&[desk]) && desk.ends(&words[0]) && !desk.ends(&word(1, Some(50), 121)));
        // It ends what had arrived, and not what comes after.
        let more = [words[0], word(3, Some(60), 400)];
        assert_eq!(left_standing(&more, &[reset(2, 300)], LogId(2)), Some(more[1]));
    }

    #[test]
    fn what_a_foreign_hand_has_undone_stands_in_its_own_log_until_the_authority_ends_it() {
        let undone = LastWord { is_undone: true, ..word(1, Some(50), 100) };
        let words = [undone, word(1, None, 200)];
        assert_eq!(left_standing(&words, &[], LogId(1)), Some(undone));
        // The judge of that log has heard the authority since; or another log has, of what had arrived.
        assert_eq!(left_standing(&words, &[reset(1, 0)], LogId(1)), None);
        assert_eq!(left_standing(&words, &[Reset { seq: 8, ..reset(1, 900) }], LogId(1)), Some(undone));
        assert_eq!(left_standing(&words, &[reset(2, 100)], LogId(2)), None);
    }
}
