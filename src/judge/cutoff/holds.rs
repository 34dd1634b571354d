//! How long a cut must be seen to hold: parameters of the order.

/// Seen: one demand interval, in milliseconds.
pub const SEEN_MS: i64 = 900_000;
/// Provisional: a day, in milliseconds.
pub const PROVISIONAL_MS: i64 = 86_400_000;
/// Verified: a week, in milliseconds.
pub const VERIFIED_MS: i64 = 7 * 86_400_000;
/// A gap of at most this with registers still pauses a hold; a longer one begins it anew, in milliseconds.
pub const HOLD_GAP_MS: i64 = 900_000;
/// Share of a verified hold that must be proven, in parts per million.
pub const COVERAGE_PPM: i64 = 990_000;
/// Longest hold an order may ask for, in milliseconds: a year.
pub const MAX_HOLD_MS: i64 = 366 * 86_400_000;

/// How long a cut must be seen to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// Proven time after which the cut counts as seen, in milliseconds.
    pub seen_ms: i64,
    /// Proven time until it is provisional, in milliseconds.
    pub provisional_ms: i64,
    /// Full nights (22:00 to 06:00, +08:00) it must have held by then.
    pub nights: u16,
    /// Proven time until it may be verified, in milliseconds.
    pub verified_ms: i64,
    /// Full weekends (Saturday and Sunday, +08:00) it must have held by then.
    pub weekends: u16,
    /// Share of it that must be proven, in parts per million.
    pub coverage_ppm: i64,
    /// Longest gap that only pauses, in milliseconds.
    pub longest_gap_ms: i64,
}

impl Default for Holds {
    fn default() -> Holds {
        Holds {
            seen_ms: SEEN_MS,
            provisional_ms: PROVISIONAL_MS,
            nights: 1,
            verified_ms: VERIFIED_MS,
            weekends: 1,
            coverage_ppm: COVERAGE_PPM,
            longest_gap_ms: HOLD_GAP_MS,
        }
    }
}

impl Holds {
    /// `None` unless the steps follow each other and nothing is asked that cannot be.
    pub fn checked(self) -> Option<Holds> {
        let ladder = [1, self.seen_ms, self.provisional_ms, self.verified_ms, MAX_HOLD_MS];
        let lawful = ladder.is_sorted()
            && (1..=1_000_000).contains(&self.coverage_ppm)
            && (0..=HOLD_GAP_MS).contains(&self.longest_gap_ms);
        lawful.then_some(self)
    }

    /// Whether less is asked than the usual: whoever shows the outcome says so.
    pub fn is_shortened(&self) -> bool {
        let usual = Holds::default();
        self.seen_ms < usual.seen_ms
            || self.provisional_ms < usual.provisional_ms
            || self.nights < usual.nights
            || self.verified_ms < usual.verified_ms
            || self.weekends < usual.weekends
            || self.coverage_ppm < usual.coverage_ppm
    }
}
