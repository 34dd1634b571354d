//! Time as a fact that is handed in: claimed wall time, time since boot, which boot, how good the clock is.

use std::fmt;

use jiff::{civil::Date, tz::Offset};

/// Offset of lawful time in China from UTC, in milliseconds. Fixed: no daylight saving since 1991.
pub const LEGAL_OFFSET_MS: i64 = 8 * 3_600_000;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

/// The boot of a moment that no clock of the gateway has dated; its own boots are counted from 1.
pub const NO_BOOT: u32 = 0;

/// How far the wall clock can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockQuality {
    /// The kernel says its clock is disciplined (NTP, PTP or GNSS), with an error bound.
    Ntp,
    /// Free-running since it was last set from a battery clock; no error bound is known.
    Rtc,
    /// Never set since boot; only uptime means anything.
    Unset,
}

impl ClockQuality {
    /// The word used on the wire: `ntp`, `rtc` or `none`.
    pub const fn word(self) -> &'static str {
        match self {
            ClockQuality::Ntp => "ntp",
            ClockQuality::Rtc => "rtc",
            ClockQuality::Unset => "none",
        }
    }

    /// Reads the wire's word.
    pub fn from_word(word: &str) -> Option<ClockQuality> {
        [ClockQuality::Ntp, ClockQuality::Rtc, ClockQuality::Unset].into_iter().find(|q| q.word() == word)
    }
}

/// One moment, as the gateway knew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Claimed wall time, milliseconds since 1970-01-01 UTC. A claim, not a proof.
    pub wall_unix_ms: i64,
    /// Milliseconds since the machine booted, suspend included.
    pub uptime_ms: u64,
    /// Which boot of the machine, counted by the journal from 1; [`NO_BOOT`] of a moment that somebody else's clock tells.
    pub boot: u32,
    /// How far `wall_unix_ms` can be believed.
    pub clock: ClockQuality,
    /// Bound of the wall clock's error in milliseconds; 0 when `clock` gives none.
    pub error_ms: u32,
}

impl Stamp {
    /// Milliseconds that passed since `before`: by the boot clock inside one boot, by the wall across boots.
    /// Negative only across boots, when the wall clock was set back.
    pub fn since_ms(&self, before: &Stamp) -> i64 {
        if self.boot == before.boot {
            self.uptime_ms.cast_signed().saturating_sub(before.uptime_ms.cast_signed())
        } else {
            self.wall_unix_ms.saturating_sub(before.wall_unix_ms)
        }
    }

    /// A moment of somebody else's clock, Unix milliseconds, of which no boot of ours is known.
    pub fn of_no_boot(unix_ms: i64, like: &Stamp) -> Stamp {
        Stamp { wall_unix_ms: unix_ms, uptime_ms: unix_ms.max(0).cast_unsigned(), boot: NO_BOOT, ..*like }
    }

    /// Whether it lies before `other`: by the boot clock inside one boot, by the order of the boots across them, and by
    /// the wall where one of the two is of no boot.
    pub fn is_before(&self, other: &Stamp) -> bool {
        if self.boot == other.boot || self.boot == NO_BOOT || other.boot == NO_BOOT {
            self.since_ms(other) < 0
        } else {
            self.boot < other.boot
        }
    }

    /// How far the wall clock was moved against the boot clock since `before`; `None` across boots.
    pub fn step_ms(&self, before: &Stamp) -> Option<i64> {
        (self.boot == before.boot).then(|| {
            self.wall_unix_ms.saturating_sub(before.wall_unix_ms).saturating_sub(self.since_ms(before))
        })
    }

    /// The lawful day (+08:00) this moment lies in.
    pub fn legal_day(&self) -> LegalDay {
        LegalDay::of_unix_ms(self.wall_unix_ms)
    }
}

/// A calendar day in lawful Chinese time (+08:00), counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LegalDay(i32);

impl LegalDay {
    /// The day a UTC moment lies in.
    pub fn of_unix_ms(unix_ms: i64) -> LegalDay {
        let days = unix_ms.saturating_add(LEGAL_OFFSET_MS).div_euclid(DAY_MS);
        LegalDay(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<LegalDay> {
        if text.len() != 10 {
            return None;
        }
        let date: Date = text.parse().ok()?;
        let midnight = Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
        i32::try_from(midnight.as_millisecond().div_euclid(DAY_MS)).ok().map(LegalDay)
    }

    /// First millisecond of the day, since 1970-01-01 UTC.
    pub fn starts_unix_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS - LEGAL_OFFSET_MS
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The day so many days after 1970-01-01.
    pub const fn numbered(days: i32) -> LegalDay {
        LegalDay(days)
    }

    /// Whole days from here to `later`; negative when that lies before.
    pub fn days_to(self, later: LegalDay) -> i64 {
        i64::from(later.0) - i64::from(self.0)
    }

    /// Which calendar month, counted without gaps, so that months can be subtracted.
    pub fn month(self) -> i32 {
        self.date().map_or(i32::MIN, |d| i32::from(d.year()) * 12 + i32::from(d.month()))
    }

    fn date(self) -> Option<Date> {
        let midnight = jiff::Timestamp::from_millisecond(i64::from(self.0) * DAY_MS).ok()?;
        Some(Offset::UTC.to_datetime(midnight).date())
    }
}

impl fmt::Display for LegalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {}", self.0),
        }
    }
}

/// Reads a moment of RFC 3339, `2026-11-16T00:00:00+08:00`, to Unix milliseconds; `None` without an offset.
pub fn moment(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond())
}

/// A moment as machines read it, RFC 3339 in UTC: `2026-11-23T15:58:07Z`. Beyond what a calendar holds, the milliseconds.
pub fn utc(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).map_or_else(|_| format!("{unix_ms} ms"), |at| at.to_string())
}

/// A moment as screens show it: `2026-11-23 23:58:07 +08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegalTime(pub i64);

impl fmt::Display for LegalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(moment) = jiff::Timestamp::from_millisecond(self.0) else { return write!(f, "{} ms", self.0) };
        let t = Offset::constant(8).to_datetime(moment);
        write!(f, "{} {:02}:{:02}:{:02} +08:00", t.date(), t.hour(), t.minute(), t.second())
    }
}

/// Reads a duration as people write it on a command line: `500ms`, `30s`, `5m`, `2h`, or plain seconds.
pub fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_same_read_and_written() {
        for text in ["1970-01-01", "2010-02-06", "2012-02-29", "2026-12-31"] {
            assert_eq!(LegalDay::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["2011-02-29", "2011-2-1", "20110201", "", "2026-11-23T00:00"] {
            assert_eq!(LegalDay::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_moment_is_the_same_read_and_written() {
        for text in ["2026-11-23T15:58:07Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(moment(text).map(utc).as_deref(), Some(text));
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in
            [("500ms", 500), ("30s", 30_000), ("30", 30_000), ("5m", 300_000), ("2h", 7_200_000)]
        {
            assert_eq!(milliseconds(text), Some(ms));
        }
        for wrong in ["", "s", "5d", "-1s", "1.5s", "99999999999999999999s"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_day_is_lawful_until_midnight_in_shanghai() {
        let last = LegalDay::parse("2026-12-31").unwrap();
        let midnight = LegalDay::parse("2027-01-01").unwrap().starts_unix_ms();
        assert_eq!(LegalDay::of_unix_ms(midnight - 1), last);
        assert!(LegalDay::of_unix_ms(midnight) > last);
        assert_eq!(LegalTime(midnight).to_string(), "2027-01-01 00:00:00 +08:00");
    }

    #[test]
    fn time_passes_by_the_boot_clock_inside_a_boot_and_by_the_wall_across_boots() {
        let at = |boot, uptime_ms, wall_unix_ms| Stamp {
            wall_unix_ms,
            uptime_ms,
            boot,
            clock: ClockQuality::Unset,
            error_ms: 0,
        };
        assert_eq!(at(1, 5_000, 900_000).since_ms(&at(1, 2_000, 0)), 3_000);
        assert_eq!(at(1, 5_000, 900_000).step_ms(&at(1, 2_000, 0)), Some(897_000));
        assert_eq!(at(2, 5_000, 900_000).since_ms(&at(1, 2_000, 0)), 900_000);
        assert_eq!(at(2, 5_000, 900_000).step_ms(&at(1, 2_000, 0)), None);
    }

    #[test]
    fn what_came_first_is_told_by_boots_and_by_the_wall_where_there_is_no_boot() {
        let at = |boot, uptime_ms, wall_unix_ms| Stamp {
            wall_unix_ms,
            uptime_ms,
            boot,
            clock: ClockQuality::Ntp,
            error_ms: 0,
        };
        // A clock that was set back meanwhile tells no order.
        assert!(
            at(1, 9_000, 900_000).is_before(&at(2, 10, 0)) && !at(2, 10, 0).is_before(&at(1, 9_000, 900_000))
        );
        assert!(at(1, 5, 900_000).is_before(&at(1, 6, 0)) && !at(1, 5, 0).is_before(&at(1, 5, 9)));
        let foreign = Stamp::of_no_boot(50_000, &at(3, 7, 60_000));
        assert!(at(2, 9_000, 49_999).is_before(&foreign) && foreign.is_before(&at(1, 0, 50_001)));
        assert_eq!(Stamp::of_no_boot(50_700, &foreign).since_ms(&foreign), 700);
    }
}
