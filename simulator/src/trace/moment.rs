//! A moment as a trace writes it, and as it is written back: RFC 3339 with its own offset, or plain seconds.

use std::fmt;

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;
/// Finest fraction of a second that is kept, in digits: a nanosecond. Further digits round to the nearest, a half up.
const KEPT_DIGITS: usize = 9;
/// Plain seconds lie within ten thousand years of 1970.
pub const MAX_SECONDS: i64 = 253_402_300_799;

/// One moment. Plain seconds count from 1970 or from wherever the recorder began: only their differences matter, but
/// for the lawful days they are taken to lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    nanos: i128,
    form: Form,
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Seconds, with so many digits of fraction.
    Seconds(u8),
    /// RFC 3339 with so many digits of fraction and this offset in minutes.
    Rfc3339(u8, i16),
}

impl Form {
    /// Whether two moments are written in one way.
    pub fn is_like(self, other: Form) -> bool {
        matches!(self, Form::Seconds(_)) == matches!(other, Form::Seconds(_))
    }
}

impl Moment {
    /// Reads a moment.
    ///
    /// # Errors
    /// What is wrong with it, for a message that has named it already.
    pub fn parse(text: &str) -> Result<Moment, &'static str> {
        if text.get(13..19) == Some(":59:60") {
            return Err("lies in a leap second, which seconds since 1970 do not count; leave that row out");
        }
        if text.get(1..).is_some_and(|rest| rest.contains(['-', ':'])) {
            rfc3339(text).ok_or("is no time of RFC 3339; write 2026-11-23T23:58:00+08:00")
        } else {
            seconds(text)
                .ok_or("is no time; write RFC 3339 as 2026-11-23T23:58:00+08:00, or seconds as 900.5")
        }
    }

    /// Nanoseconds since 1970-01-01 UTC.
    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// How it is written.
    pub fn form(self) -> Form {
        self.form
    }

    /// Whole milliseconds since 1970-01-01 UTC, rounded down.
    pub fn unix_ms(self) -> i64 {
        // Within ten thousand years of 1970, so it fits.
        i64::try_from(self.nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = |f: &mut fmt::Formatter<'_>, nanos: i128, digits: u8| match digits {
            0 => Ok(()),
            digits => {
                let shown = nanos / 10_i128.pow(9_u32.saturating_sub(u32::from(digits)));
                write!(f, ".{shown:0width$}", width = usize::from(digits))
            }
        };
        match self.form {
            Form::Seconds(digits) => {
                let (sign, size) = if self.nanos < 0 { ("-", -self.nanos) } else { ("", self.nanos) };
                write!(f, "{sign}{}", size / SECOND)?;
                fraction(f, size % SECOND, digits)
            }
            Form::Rfc3339(digits, offset) => {
                let local = self.nanos + i128::from(offset) * 60 * SECOND;
                let (seconds, nanos) = (local.div_euclid(SECOND), local.rem_euclid(SECOND));
                let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
                let (year, month, day) = civil(days);
                let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
                write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
                fraction(f, nanos, digits)?;
                let (sign, size) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
                if offset == 0 {
                    f.write_str("Z")
                } else {
                    write!(f, "{sign}{:02}:{:02}", size / 60, size % 60)
                }
            }
        }
    }
}

fn seconds(text: &str) -> Option<Moment> {
    let (is_negative, size) = text.strip_prefix('-').map_or((false, text), |size| (true, size));
    let (whole, (nanos, digits)) = match size.split_once('.') {
        Some((whole, fraction)) => (whole, fraction_of(fraction)?),
        None => (size, (0, 0)),
    };
    let whole = number(whole, 1..=12)?;
    let nanos = i128::from(whole) * SECOND + nanos;
    (whole <= MAX_SECONDS)
        .then_some(Moment { nanos: if is_negative { -nanos } else { nanos }, form: Form::Seconds(digits) })
}

fn rfc3339(text: &str) -> Option<Moment> {
    let (date, time) = text.split_at_checked(10)?;
    let mut fields = date.split('-').zip([4, 2, 2]).map(|(field, width)| number(field, width..=width));
    let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = time.split_at_checked(8)?;
    let mut fields = clock.split(':').map(|field| number(field, 2..=2));
    let (hour, minute, second) = (fields.next()??, fields.next()??, fields.next()??);
    if fields.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let at = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = rest.split_at_checked(at)?;
    let (nanos, digits) = match fraction.strip_prefix('.') {
        Some(fraction) => fraction_of(fraction)?,
        None if fraction.is_empty() => (0, 0),
        None => return None,
    };
    let offset = offset(zone)?;
    let seconds = days_to(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let nanos = (i128::from(seconds) - i128::from(offset) * 60) * SECOND + nanos;
    Some(Moment { nanos, form: Form::Rfc3339(digits, offset) })
}

/// Minutes before UTC of `Z`, `+08:00` or `-03:30`.
fn offset(zone: &str) -> Option<i16> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours, 2..=2)?, number(minutes, 2..=2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    i16::try_from(sign * (hours * 60 + minutes)).ok()
}

fn fraction_of(digits: &str) -> Option<(i128, u8)> {
    let (kept, beyond) = digits.split_at_checked(KEPT_DIGITS).unwrap_or((digits, ""));
    let size = number(kept, 1..=KEPT_DIGITS)?;
    if !beyond.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let up = i128::from(beyond.bytes().next().is_some_and(|digit| digit >= b'5'));
    let count = u8::try_from(kept.len()).ok()?;
    Some((i128::from(size) * 10_i128.pow(9_u32.saturating_sub(u32::from(count))) + up, count))
}

/// Digits and nothing else, so many of them.
fn number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_plain = width.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok())?
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, its year counted from 1 March: the leap day is the last.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days in five months from March on; 719 468 days from 1 March of the year 0 to 1970.
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The date that lies so many days after 1970-01-01.
fn civil(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> i128 {
        Moment::parse(text).unwrap().nanos()
    }

    #[test]
    fn known_moments_are_where_others_put_them() {
        // `date -u -d ... +%s`
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-23T23:58:00+08:00", 1_795_449_480),
            ("1969-12-31T23:59:59Z", -1),
            ("2100-03-01T00:00:00-03:30", 4_107_555_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(nanos(text), seconds * SECOND, "{text}");
        }
        assert_eq!(nanos("1969-12-31T23:59:59.25Z"), -750_000_000);
        assert_eq!(nanos("-0.5"), -500_000_000);
    }

    #[test]
    fn a_moment_is_written_back_as_it_was_read() {
        for text in [
            "0",
            "900",
            "-900.5",
            "1795000000.123456789",
            "0.000000001",
            "2026-11-23T23:58:00+08:00",
            "2024-02-29T00:00:00.500Z",
            "1999-12-31T23:59:59.000000001-09:30",
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Moment::parse("2026-01-01 00:00:00z").unwrap().to_string(), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn floats_of_any_length_are_read_to_the_nanosecond() {
        for (text, nanos_of_it) in [
            ("0.30000000000000004", 300_000_000),
            ("0.1234567894999", 123_456_789),
            ("0.1234567895", 123_456_790),
            ("0.99999999999999989", SECOND),
            ("-0.99999999999999989", -SECOND),
            ("1970-01-01T00:00:00.99999999999999989Z", SECOND),
        ] {
            assert_eq!(nanos(text), nanos_of_it, "{text}");
        }
        assert_eq!(Moment::parse("0.99999999999999989").unwrap().to_string(), "1.000000000");
    }

    #[test]
    fn a_leap_second_is_refused_by_its_name() {
        for text in ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00"] {
            assert!(Moment::parse(text).unwrap_err().contains("leap second"), "{text}");
        }
        assert!(Moment::parse("2016-12-31T23:58:60Z").unwrap_err().contains("no time of RFC 3339"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+5",
            "nan",
            "inf",
            "9999999999999",
            "2026-11-23",
            "2026-11-23T23:58:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T23:60:00Z",
            "2026-11-23T23:58:60Z",
            "0.3000000000000000x",
            "2026-11-23T23:58Z",
            "2026-11-23T23:58:00+8:00",
            "2026-11-23T23:58:00+0800",
            "2026-11-23T23:58:00.Z",
            "2026-11-23T23:58:00,5Z",
            "23/11/2026 23:58",
            "2026-11-23T23:58:00Zjunk",
            "２026-11-23T23:58:00Z",
        ] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_the_same_read_and_written(
            seconds in -62_167_219_200_i64..253_402_214_400, nanos in 0_i128..SECOND, offset in -1_439_i16..1_440,
        ) {
            let nanos = i128::from(seconds) * SECOND + nanos;
            let written = Moment { nanos, form: Form::Rfc3339(9, offset) };
            // An offset must not lead out of the four digits of a year.
            prop_assume!((0..=9_999).contains(&civil((nanos + i128::from(offset) * 60 * SECOND).div_euclid(86_400 * SECOND)).0));
            prop_assert_eq!(Moment::parse(&written.to_string()), Ok(written));
            let plain = Moment { nanos, form: Form::Seconds(9) };
            prop_assert_eq!(Moment::parse(&plain.to_string()), Ok(plain));
        }
    }
}
