//! PURE file: how often the log may say one kind of thing. The first few times at once, then once in a while with how many
//! times it was kept back: a dead meter, a storm of exceptions or a broker that comes and goes must not fill a disk, nor
//! hide what else happens.

/// Lines of one kind told at once.
pub const AT_ONCE: u32 = 4;
/// After these, one line in so long, in milliseconds: with [`AT_ONCE`] no more than twelve in a day.
pub const EVERY_MS: u64 = 3 * 3_600_000;

/// One kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hush {
    /// Lines that may be told now.
    spare: u32,
    /// When one more may be, uptime in milliseconds.
    next_ms: u64,
    /// Lines kept back since the last that was told.
    kept_back: u64,
}

impl Default for Hush {
    fn default() -> Hush {
        Hush { spare: AT_ONCE, next_ms: 0, kept_back: 0 }
    }
}

impl Hush {
    /// Whether a line may be told now: then how many were kept back before it. Otherwise it is kept back itself.
    pub fn may(&mut self, now_ms: u64) -> Option<u64> {
        self.refill(now_ms);
        if self.spare == 0 {
            self.kept_back += 1;
            return None;
        }
        if self.spare == AT_ONCE {
            self.next_ms = now_ms.saturating_add(EVERY_MS);
        }
        self.spare -= 1;
        Some(std::mem::take(&mut self.kept_back))
    }

    /// Whether lines were kept back and one may be told now: then how many, so that the last word is how things are.
    pub fn due(&mut self, now_ms: u64) -> Option<u64> {
        self.refill(now_ms);
        if self.kept_back == 0 || self.spare == 0 { None } else { self.may(now_ms) }
    }

    /// When [`Hush::due`] is to be asked, uptime in milliseconds; never where nothing is kept back.
    pub const fn wakes_ms(&self) -> u64 {
        if self.kept_back == 0 { u64::MAX } else { self.next_ms }
    }

    fn refill(&mut self, now_ms: u64) {
        while self.spare < AT_ONCE && now_ms >= self.next_ms {
            self.spare += 1;
            self.next_ms = self.next_ms.saturating_add(EVERY_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 3_600_000;

    #[test]
    fn the_first_are_told_at_once_then_one_in_a_while_and_none_is_missing_in_the_numbers() {
        let mut hush = Hush::default();
        let (mut lines, mut counted) = (0, 0);
        for second in 0..DAY_MS / 1_000 {
            if let Some(before) = hush.may(second * 1_000) {
                lines += 1;
                counted += 1 + before;
                assert!(lines > 4 || before == 0, "the first four at once");
            }
        }
        assert_eq!(lines, 4 + 24 / 3 - 1);
        assert_eq!(counted + hush.kept_back, DAY_MS / 1_000);
    }

    #[test]
    fn the_last_word_is_told_once_its_time_has_come() {
        let mut hush = Hush::default();
        assert_eq!((0..6).filter_map(|at| hush.may(at)).count(), 4);
        assert_eq!((hush.due(10), hush.wakes_ms()), (None, EVERY_MS));
        assert_eq!((hush.due(EVERY_MS), hush.due(EVERY_MS + 1)), (Some(2), None));
        assert_eq!(hush.wakes_ms(), u64::MAX, "nothing is kept back any more");
        assert_eq!((0..9).filter_map(|at| hush.may(9 * EVERY_MS + at)).count(), 4, "after a quiet time");
    }
}
