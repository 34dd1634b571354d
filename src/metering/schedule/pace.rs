//! How often a subject is asked, and how much of a bus the silent ones may cost the others.

/// Failed polls in a row after which a meter is asked less often. Until then nothing holds its polls up, so that its
/// silence is known in time.
pub const BREAKER_FAILURES: u32 = 3;
/// Longest time a silent meter is left alone, in milliseconds.
pub const MAX_BACKOFF_MS: u64 = 60_000;
/// Share of a bus's time that waiting for meters already known to be silent may take while others wait, in per cent.
pub const SILENT_SHARE_PERCENT: u64 = 10;

/// When a subject is next due and how it has been doing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) due_ms: u64,
    /// Due earlier than that, because the meter said that it is busy.
    pub(super) again_ms: Option<u64>,
    failures: u32,
}

impl Pace {
    pub(super) const fn starting(due_ms: u64) -> Pace {
        Pace { due_ms, again_ms: None, failures: 0 }
    }

    /// When to ask next.
    pub(super) fn at_ms(&self) -> u64 {
        self.again_ms.unwrap_or(self.due_ms)
    }

    /// Whether it has been silent for so long that it is asked less often.
    pub(super) const fn is_open(&self) -> bool {
        self.failures >= BREAKER_FAILURES
    }

    /// The poll came to its end; true if the breaker opened over it. Fixed rate without drift; a bus that is behind
    /// leaves polls out rather than piling them up.
    pub(super) fn settle(&mut self, failed: bool, period_ms: u64, uptime_ms: u64) -> bool {
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        self.again_ms = None;
        let doublings = self.failures.saturating_sub(BREAKER_FAILURES).min(16);
        let backoff = if self.is_open() { (period_ms << doublings).min(MAX_BACKOFF_MS) } else { period_ms };
        let wait = backoff.max(period_ms).max(1);
        let late = uptime_ms.saturating_sub(self.due_ms) / wait;
        self.due_ms += wait * (late + 1);
        self.failures == BREAKER_FAILURES
    }
}

/// What silence has cost the bus, against what it may cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    debt_ms: u64,
    counted_ms: u64,
}

impl Share {
    /// A meter known to be silent was waited for until now.
    pub(super) fn spend(&mut self, took_ms: u64, uptime_ms: u64) {
        self.count(uptime_ms);
        // Nobody is left alone for longer than the longest backoff.
        self.debt_ms = (self.debt_ms + took_ms).min(MAX_BACKOFF_MS * SILENT_SHARE_PERCENT / 100);
    }

    /// When silent meters may be waited for again.
    pub(super) fn free_ms(&mut self, uptime_ms: u64) -> u64 {
        self.count(uptime_ms);
        uptime_ms + self.debt_ms * 100 / SILENT_SHARE_PERCENT
    }

    fn count(&mut self, uptime_ms: u64) {
        let earned = uptime_ms.saturating_sub(self.counted_ms) * SILENT_SHARE_PERCENT / 100;
        // Counted in whole milliseconds earned, so that looking often loses nothing.
        self.counted_ms = if earned >= self.debt_ms {
            uptime_ms
        } else {
            self.counted_ms + earned * 100 / SILENT_SHARE_PERCENT
        };
        self.debt_ms = self.debt_ms.saturating_sub(earned);
    }
}
