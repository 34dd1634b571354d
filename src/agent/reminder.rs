//! PURE file: when the newest record goes once more, because no receipt came for what the broker accepted.

/// How long no receipt may come before that, in milliseconds; each time in vain it is twice as long.
pub const REMIND_MS: u64 = 30_000;
/// Longest time between two such reminders, in milliseconds: who collects may be away for days.
pub const REMIND_AT_MOST_MS: u64 = 3_600_000;

/// Watches for receipts that do not come. Times are uptimes in milliseconds.
#[derive(Debug)]
pub struct Reminder {
    at_ms: Option<u64>,
    pause_ms: u64,
    receipted: u64,
}

impl Default for Reminder {
    /// Nothing is waited for.
    fn default() -> Reminder {
        Reminder { at_ms: None, pause_ms: REMIND_MS, receipted: 0 }
    }
}

impl Reminder {
    /// Whether the newest record is to go once more now. `lacks` says whether anything waits for a receipt and for nothing
    /// else, `receipted` how far they have come.
    pub fn is_due(&mut self, lacks: bool, receipted: u64, now_ms: u64) -> bool {
        if receipted > self.receipted {
            (self.receipted, self.pause_ms, self.at_ms) = (receipted, REMIND_MS, None);
        }
        if !lacks {
            self.at_ms = None;
            return false;
        }
        let is_due = now_ms >= *self.at_ms.get_or_insert(now_ms.saturating_add(self.pause_ms));
        if is_due {
            (self.pause_ms, self.at_ms) = ((self.pause_ms * 2).min(REMIND_AT_MOST_MS), None);
        }
        is_due
    }

    /// When to look again.
    pub fn wakes_ms(&self) -> u64 {
        self.at_ms.unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_grow_rare_and_a_receipt_begins_anew() {
        let mut reminder = Reminder::default();
        let (mut now_ms, mut at) = (0, Vec::new());
        while at.len() < 10 {
            if reminder.is_due(true, 0, now_ms) {
                at.push(now_ms / 1_000);
            } else {
                now_ms = reminder.wakes_ms();
            }
        }
        let pauses: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(at[0], 30);
        assert!(pauses.windows(2).all(|pair| pair[1] >= pair[0]) && pauses.last() >= Some(&3_600));
        assert!(!reminder.is_due(true, 1, now_ms), "something was receipted");
        assert_eq!(reminder.wakes_ms(), now_ms + REMIND_MS);
        assert!(!reminder.is_due(false, 1, now_ms + REMIND_MS), "nothing waits");
        assert_eq!(reminder.wakes_ms(), u64::MAX);
    }
}
