//! How long answers took, counted in fixed buckets: nothing is allocated, and nothing is ever taken back.

/// Upper ends of the buckets, in milliseconds: a time is counted in the first that is not below it, or in the last, open one.
pub const LATENCY_BUCKETS_MS: [u32; 9] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];

/// Buckets, the open one included.
pub const LATENCIES: usize = LATENCY_BUCKETS_MS.len() + 1;

/// Counts of times by bucket, and the sum of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    counts: [u64; LATENCIES],
    sum_ms: u64,
}

impl Latencies {
    /// Something took so long, in milliseconds.
    pub fn on(&mut self, took_ms: u64) {
        let bucket = LATENCY_BUCKETS_MS.iter().position(|upto| took_ms <= u64::from(*upto));
        let bucket = bucket.unwrap_or(LATENCY_BUCKETS_MS.len());
        self.counts.get_mut(bucket).into_iter().for_each(|count| *count += 1);
        self.sum_ms = self.sum_ms.saturating_add(took_ms);
    }

    /// How many fell into each bucket alone.
    pub const fn counts(&self) -> [u64; LATENCIES] {
        self.counts
    }

    /// All times together, in milliseconds.
    pub const fn sum_ms(&self) -> u64 {
        self.sum_ms
    }
}
