//! PURE file: what comes in from the broker and what is answered. Whatever is refused is refused in the log, but nobody
//! can fill the log by sending rubbish.

use std::collections::BTreeSet;

use crate::{
    evidence::{Act, ActRefusal, Answer, Body, Meaning, Notice, Received, Refusal, Trust},
    judge::Permitted,
    terms::{AssetId, Digest, MeterId, Name, Stamp},
};

/// Refused letters answered in one [`REFUSALS_MS`]; what comes beyond is counted in the log file only.
pub const MAX_REFUSALS: u32 = 60;
/// The time [`MAX_REFUSALS`] counts for, in milliseconds.
pub const REFUSALS_MS: u64 = 3_600_000;
/// Time between two notices of refused receipts, in milliseconds; each tells how many there were.
pub const RECEIPT_NOTICE_MS: u64 = 900_000;
/// Refused letters remembered, so that a retained one is answered once and not at every connection.
pub const MAX_REMEMBERED: usize = 1_024;

/// Something that came for this gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// It stood on the receipt's topic.
    Receipt(Vec<u8>),
    /// It stood on a topic of acts.
    Act(Vec<u8>),
}

/// What a letter leads to, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "passed once from hand to hand")]
pub enum Outcome {
    /// Nothing: it is known already, or beyond what is answered.
    Nothing,
    /// A receipt that is believed, with its bytes.
    Receipt(Received, Vec<u8>),
    /// To be written down.
    Say(Body),
    /// To be written down in this order, and then to take effect.
    Do(Act, Answer),
}

/// The gateway's letter box.
#[derive(Debug)]
pub struct Letters {
    trust: Trust,
    assets: Vec<AssetId>,
    meters: Vec<MeterId>,
    refused: BTreeSet<Digest>,
    answered: u32,
    answered_since_ms: u64,
    receipts_refused: u32,
    receipt_notice_at_ms: u64,
}

impl Letters {
    /// A letter box for what is configured here.
    pub fn new(trust: Trust, assets: Vec<AssetId>, meters: Vec<MeterId>) -> Letters {
        Letters {
            trust,
            assets,
            meters,
            refused: BTreeSet::new(),
            answered: 0,
            answered_since_ms: 0,
            receipts_refused: 0,
            receipt_notice_at_ms: 0,
        }
    }

    /// Takes a letter.
    pub fn on(&mut self, letter: Letter, now: &Stamp) -> Outcome {
        match letter {
            Letter::Receipt(bytes) => self.on_receipt(bytes, now),
            Letter::Act(bytes) => self.on_act(&bytes, now),
        }
    }

    fn on_receipt(&mut self, bytes: Vec<u8>, now: &Stamp) -> Outcome {
        let refusal = match self.trust.open_receipt(&bytes) {
            Ok(received) => return Outcome::Receipt(received, bytes),
            Err(refusal) => refusal,
        };
        self.receipts_refused = self.receipts_refused.saturating_add(1);
        let why = Name::new(word(refusal));
        match why.filter(|_| now.uptime_ms >= self.receipt_notice_at_ms) {
            None => Outcome::Nothing,
            Some(why) => {
                self.receipt_notice_at_ms = now.uptime_ms + RECEIPT_NOTICE_MS;
                let count = std::mem::take(&mut self.receipts_refused);
                let bytes = Digest::of(&bytes);
                Outcome::Say(Body::Notice(Notice::ReceiptRefused { bytes, why, count }))
            }
        }
    }

    fn on_act(&mut self, bytes: &[u8], now: &Stamp) -> Outcome {
        let digest = Digest::of(bytes);
        let (assets, meters) = (&self.assets, &self.meters);
        match self.trust.open_act(bytes, now, |act| is_ours(act, assets, meters)) {
            Ok(act) => {
                let answer = Answer { act: Some((act.id, act.version)), bytes: digest, refused: None };
                Outcome::Do(act, answer)
            }
            Err(_) if self.refused.contains(&digest) || !self.may_answer(now) => Outcome::Nothing,
            Err(refused) => {
                self.remember(digest);
                Outcome::Say(Body::Answer(Answer {
                    act: refused.act,
                    bytes: digest,
                    refused: Some(refused.why),
                }))
            }
        }
    }

    fn remember(&mut self, digest: Digest) {
        if self.refused.len() < MAX_REMEMBERED {
            self.refused.insert(digest);
        }
    }

    fn may_answer(&mut self, now: &Stamp) -> bool {
        if now.uptime_ms >= self.answered_since_ms + REFUSALS_MS {
            (self.answered, self.answered_since_ms) = (0, now.uptime_ms);
        }
        self.answered += 1;
        self.answered <= MAX_REFUSALS
    }
}

/// Whether everything an act names is configured here.
fn is_ours(act: &Act, assets: &[AssetId], meters: &[MeterId]) -> bool {
    let asset = act.asset.is_none_or(|asset| assets.contains(&asset));
    let meter = match act.meaning {
        Meaning::Permit(permit) => match permit.what {
            Permitted::MeterReplacement { meter } => meters.contains(&meter),
            Permitted::Maintenance { .. } | Permitted::Allowance { .. } => true,
        },
        Meaning::Reset(_) | Meaning::RevokeKey(_) | Meaning::NotExecuted => true,
    };
    asset && meter
}

fn word(refusal: Refusal) -> &'static str {
    ActRefusal::of(refusal).word()
}
