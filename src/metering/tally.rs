//! What has been counted about one meter since the program started. Fixed in size; nothing is ever taken back.

use std::fmt;

use super::{Fault, Latencies, latencies::LATENCIES};

const LATENCY_WORDS: [&str; LATENCIES] = [
    "latency_5_ms",
    "latency_10_ms",
    "latency_20_ms",
    "latency_50_ms",
    "latency_100_ms",
    "latency_200_ms",
    "latency_500_ms",
    "latency_1000_ms",
    "latency_2000_ms",
    "latency_longer",
];

/// Exception codes with a name of their own (application protocol 1.1b3, chapter 7); any other is counted as such.
const EXCEPTIONS: [(u8, &str); 9] = [
    (1, "exception_1"),
    (2, "exception_2"),
    (3, "exception_3"),
    (4, "exception_4"),
    (5, "exception_5"),
    (6, "exception_6"),
    (8, "exception_8"),
    (10, "exception_10"),
    (11, "exception_11"),
];
const OTHER_EXCEPTION: &str = "exception_other";

/// Counts about one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Questions put.
    pub requests: u64,
    /// Questions answered in order.
    pub replies: u64,
    /// Polls that came to an end.
    pub polls: u64,
    /// Polls that gave no reading.
    pub misses: u64,
    /// Questions put again, after trouble on the line or because the meter was busy, that were then answered.
    pub recovered: u64,
    /// Answers that came after nobody waited for them any more, and were thrown away.
    pub late_replies: u64,
    /// Times the meter was found silent for so long that it is asked less often.
    pub breaker_openings: u64,
    /// Times a refused range was split.
    pub bisections: u64,
    /// Times identity and ratio words were read in full.
    pub identities: u64,
    faults: [u64; Fault::KINDS.len()],
    exceptions: [u64; EXCEPTIONS.len() + 1],
    latencies: Latencies,
}

impl Tally {
    /// A question was answered after this time, in milliseconds.
    pub fn on_reply(&mut self, took_ms: u64) {
        self.replies += 1;
        self.latencies.on(took_ms);
    }

    /// A question came to nothing. A refusal is an answer too, and has its time.
    pub fn on_fault(&mut self, fault: Fault, took_ms: u64) {
        if let Some(count) = Fault::KINDS.iter().position(|kind| kind.word() == fault.word()) {
            self.faults.get_mut(count).into_iter().for_each(|count| *count += 1);
        }
        if let Fault::Exception(code) = fault {
            let known = EXCEPTIONS.iter().position(|(known, _)| *known == code);
            let place = known.unwrap_or(EXCEPTIONS.len());
            self.exceptions.get_mut(place).into_iter().for_each(|count| *count += 1);
            self.latencies.on(took_ms);
        }
    }

    /// Every count with its word, zeros included, in a fixed order.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let plain = [
            ("requests", self.requests),
            ("replies", self.replies),
            ("polls", self.polls),
            ("misses", self.misses),
            ("recovered", self.recovered),
            ("late_replies", self.late_replies),
            ("breaker_openings", self.breaker_openings),
            ("bisections", self.bisections),
            ("identities", self.identities),
        ];
        let faults = Fault::KINDS.iter().map(|fault| fault.word()).zip(self.faults);
        let words = EXCEPTIONS.iter().map(|(_, word)| *word).chain([OTHER_EXCEPTION]);
        let exceptions = words.zip(self.exceptions);
        plain
            .into_iter()
            .chain(faults)
            .chain(exceptions)
            .chain(LATENCY_WORDS.into_iter().zip(self.latencies.counts()))
    }
}

/// Every count that is not zero, `word=count`, parted by blanks.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (word, count)) in self.counts().filter(|(_, count)| *count > 0).enumerate() {
            write!(f, "{}{word}={count}", if place == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(tally: &Tally, word: &str) -> u64 {
        tally.counts().find(|(known, _)| *known == word).unwrap().1
    }

    #[test]
    fn every_kind_of_failure_and_every_exception_is_counted_under_its_own_word() {
        let mut tally = Tally::default();
        for fault in Fault::KINDS {
            tally.on_fault(fault, 7);
            assert_eq!(count(&tally, fault.word()), 1, "{fault:?}");
        }
        for code in 0..=255 {
            tally.on_fault(Fault::Exception(code), 7);
        }
        assert_eq!(count(&tally, "exception"), 257);
        for code in [1, 2, 3, 4, 5, 6, 8, 10, 11] {
            let with_the_first = if code == 1 { 1 } else { 0 };
            assert_eq!(count(&tally, &format!("exception_{code}")), 1 + with_the_first, "{code}");
        }
        assert_eq!(count(&tally, OTHER_EXCEPTION), 256 - 9);
        let words: std::collections::BTreeSet<_> = tally.counts().map(|(word, _)| word).collect();
        assert_eq!(words.len(), tally.counts().count(), "no word twice");
    }

    #[test]
    fn an_answer_is_counted_in_the_bucket_its_time_falls_into() {
        let mut tally = Tally::default();
        for took_ms in [0, 5, 6, 2_000, 2_001, u64::MAX] {
            tally.on_reply(took_ms);
        }
        assert_eq!(count(&tally, "latency_5_ms"), 2);
        assert_eq!(count(&tally, "latency_10_ms"), 1);
        assert_eq!(count(&tally, "latency_2000_ms"), 1);
        assert_eq!(count(&tally, "latency_longer"), 2);
        assert_eq!(tally.replies, 6);
        let words = "replies=6 latency_5_ms=2 latency_10_ms=1 latency_2000_ms=1 latency_longer=2";
        assert_eq!(tally.to_string(), words);
    }
}
