//! PURE file: why messages were not believed, each reason counted.

use crate::evidence::{Refusal, canonical::Malformed};

/// Messages that were not believed, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals([u64; REASONS.len()]);

/// Every reason, as metrics call it.
pub const REASONS: [&str; 11] = [
    "too_long",
    "not_json",
    "not_canonical",
    "member",
    "unknown_key",
    "unknown_suite",
    "wrong_suite",
    "bad_signature",
    "not_ours",
    "strange_key",
    "wrong_epoch",
];

impl Refusals {
    /// Counts one more.
    pub fn count(&mut self, refusal: Refusal) {
        let reason = reason(refusal);
        for (count, _) in self.0.iter_mut().zip(REASONS).filter(|(_, name)| *name == reason) {
            *count += 1;
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, more: &Refusals) {
        self.0.iter_mut().zip(more.0).for_each(|(count, more)| *count += more);
    }

    /// Each reason and how often it was.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.0)
    }
}

/// The reason of a refusal.
pub const fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed(Malformed::TooLong) => "too_long",
        Refusal::Malformed(Malformed::NotJson { .. } | Malformed::NotAnObject) => "not_json",
        Refusal::Malformed(Malformed::NotCanonical) => "not_canonical",
        Refusal::Member(_) => "member",
        Refusal::UnknownKey(_) => "unknown_key",
        Refusal::UnknownSuite(_) => "unknown_suite",
        Refusal::WrongSuite { .. } => "wrong_suite",
        Refusal::BadSignature => "bad_signature",
        Refusal::NotOurs => "not_ours",
        Refusal::StrangeKey(_) => "strange_key",
        Refusal::WrongEpoch(_) => "wrong_epoch",
    }
}
