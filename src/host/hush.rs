//! PURE file: how often the log may say one kind of thing, the one rule of both programs. The first few times at once, then
//! once in a while with how many times it was kept back: a dead meter, a storm of exceptions or a broker that comes and
//! goes must not fill a disk. It never makes things look better than they are: what is graver than the last word told is
//! told at once, however much was said before it, and the last word of a row is told once it is calm.

/// Lines of one kind told at once.
pub const AT_ONCE: u32 = 4;
/// After these, one line in so long, in milliseconds: with [`AT_ONCE`] no more than twelve in a day.
pub const EVERY_MS: u64 = 3 * 3_600_000;
/// How long nothing may change before the last word of a row is told, in milliseconds.
pub const CALM_MS: u64 = 60_000;
/// Rows whose last word may be told so before [`LAST_WORD_EVERY_MS`] bounds them.
pub const LAST_WORDS: u32 = 4;
/// After these, one more last word in so long, in milliseconds: what comes and goes every two minutes is no calm.
pub const LAST_WORD_EVERY_MS: u64 = 4 * 3_600_000;

/// So many now, and one more every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    left: u32,
    most: u32,
    every_ms: u64,
    /// When one more is, uptime in milliseconds.
    next_ms: u64,
}

impl Allowance {
    const fn of(most: u32, every_ms: u64) -> Allowance {
        Allowance { left: most, most, every_ms, next_ms: 0 }
    }

    fn take(&mut self, now_ms: u64) -> bool {
        while self.left < self.most && now_ms >= self.next_ms {
            self.left += 1;
            self.next_ms = self.next_ms.saturating_add(self.every_ms);
        }
        if self.left == self.most {
            self.next_ms = now_ms.saturating_add(self.every_ms);
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }

    /// From when on there is one, uptime in milliseconds.
    const fn opens_ms(&self) -> u64 {
        if self.left > 0 { 0 } else { self.next_ms }
    }
}

/// One kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hush {
    at_once: Allowance,
    last_words: Allowance,
    /// How grave the last line was that was told; nothing before the first.
    told: Option<u8>,
    /// How grave the newest line is, told or not, and when it came, uptime in milliseconds.
    newest: (u8, u64),
    /// Lines kept back since the last that was told.
    kept_back: u64,
}

impl Default for Hush {
    fn default() -> Hush {
        Hush {
            at_once: Allowance::of(AT_ONCE, EVERY_MS),
            last_words: Allowance::of(LAST_WORDS, LAST_WORD_EVERY_MS),
            told: None,
            newest: (0, 0),
            kept_back: 0,
        }
    }
}

impl Hush {
    /// Whether a line may be told now: then how many were kept back before it. Otherwise it is kept back itself. The
    /// larger `gravity`, the graver it is.
    pub fn may(&mut self, now_ms: u64, gravity: u8) -> Option<u64> {
        self.newest = (gravity, now_ms);
        let is_graver = self.told.is_some_and(|told| gravity > told);
        if !self.at_once.take(now_ms) && !is_graver {
            self.kept_back += 1;
            return None;
        }
        self.told = Some(gravity);
        Some(std::mem::take(&mut self.kept_back))
    }

    /// Whether the newest line was kept back and may be told now: then how many were before it, so that the last word is
    /// how things are.
    pub fn due(&mut self, now_ms: u64) -> Option<u64> {
        let (gravity, since_ms) = self.newest;
        if self.kept_back == 0 {
            return None;
        }
        let is_calm = now_ms >= since_ms.saturating_add(CALM_MS);
        let may = self.at_once.take(now_ms) || (is_calm && self.last_words.take(now_ms));
        if !may {
            return None;
        }
        self.told = Some(gravity);
        Some(std::mem::take(&mut self.kept_back).saturating_sub(1))
    }

    /// When [`Hush::due`] is to be asked, uptime in milliseconds; never where nothing is kept back.
    pub fn wakes_ms(&self) -> u64 {
        if self.kept_back == 0 {
            return u64::MAX;
        }
        let calm_ms = self.newest.1.saturating_add(CALM_MS).max(self.last_words.opens_ms());
        self.at_once.opens_ms().min(calm_ms)
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
            if let Some(before) = hush.may(second * 1_000, 1) {
                lines += 1;
                counted += 1 + before;
                assert!(lines > 4 || before == 0, "the first four at once");
            }
        }
        assert_eq!(lines, 4 + 24 / 3 - 1);
        assert_eq!(counted + hush.kept_back, DAY_MS / 1_000);
    }

    #[test]
    fn the_last_word_of_a_row_is_told_after_a_minute_of_calm() {
        let mut hush = Hush::default();
        assert_eq!((0..6).filter_map(|at| hush.may(at, 1)).count(), 4);
        assert_eq!((hush.due(10), hush.wakes_ms()), (None, 5 + CALM_MS));
        assert_eq!(
            (hush.due(4 + CALM_MS), hush.due(5 + CALM_MS), hush.due(6 + CALM_MS)),
            (None, Some(1), None)
        );
        assert_eq!(hush.wakes_ms(), u64::MAX, "nothing is kept back any more");
        let later = 5 * EVERY_MS;
        assert_eq!((0..9).filter_map(|at| hush.may(later + at, 1)).count(), 4, "after a quiet time");
    }

    #[test]
    fn what_is_graver_than_the_last_word_is_told_at_once_and_what_is_not_is_kept_back() {
        let mut hush = Hush::default();
        for at in 0..20 {
            hush.may(at, u8::from(at % 2 == 1));
        }
        assert_eq!(hush.may(20, 7), Some(16), "whatever was said before it");
        assert_eq!((hush.may(21, 0), hush.may(22, 7), hush.may(23, 3)), (None, None, None));
        assert_eq!(hush.may(24, 8), Some(3));
        assert_eq!(hush.may(25, 2), None);
        assert_eq!(hush.due(25 + CALM_MS), Some(0), "and its end is told once it is calm");
        assert_eq!(hush.may(30 + CALM_MS, 3), Some(0), "then what is graver than that is news again");
    }

    #[test]
    fn however_slowly_something_comes_and_goes_a_day_of_it_is_few_lines() {
        for pause_ms in [1_000, 10_000, 59_000, 61_000, 120_000, 600_000, 1_800_000] {
            let mut hush = Hush::default();
            let (mut lines, mut counted, mut changes, mut now_ms) = (0_u64, 0, 0, 0);
            while now_ms < DAY_MS {
                let told = hush.may(now_ms, u8::from(changes % 2 == 1));
                changes += 1;
                let next_ms = now_ms + pause_ms;
                now_ms = hush.wakes_ms().min(next_ms);
                let last = if now_ms < next_ms { hush.due(now_ms) } else { None };
                now_ms = next_ms;
                for before in told.into_iter().chain(last) {
                    lines += 1;
                    counted += 1 + before;
                }
            }
            assert!((4..=40).contains(&lines), "every {pause_ms} ms: {lines}");
            assert_eq!(counted + hush.kept_back, changes, "every {pause_ms} ms");
        }
    }
}
