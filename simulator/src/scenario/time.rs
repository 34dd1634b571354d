//! Times of a scenario: durations, and moments of plant time as people write them.

use coldhearth::terms::{
    flaw::Wrong,
    form::{self, Reading, Value},
};

/// Milliseconds in a day.
pub const DAY_MS: u64 = 86_400_000;
/// Longest scenario, in milliseconds of plant time: three years.
pub const MAX_LASTS_MS: u64 = 1_096 * DAY_MS;

/// Reads a time: parts with a space between, each a number with its unit (`3d`, `2h`, `15m`, `90s`, `250ms`) or a time
/// of day (`22:00`, `22:00:30`). `3d 22:00:00` is 22 o'clock on the fourth day. In milliseconds.
pub fn milliseconds(text: &str) -> Option<u64> {
    let mut parts = text.split_ascii_whitespace().map(part);
    let first = parts.next()??;
    parts.try_fold(first, |sum, next| sum.checked_add(next?))
}

fn part(text: &str) -> Option<u64> {
    if text.contains(':') {
        return time_of_day(text);
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn time_of_day(text: &str) -> Option<u64> {
    let mut sum = 0;
    let mut parts = text.split(':');
    for (unit, limit) in [(3_600_000, 24), (60_000, 60), (1_000, 60)] {
        let Some(part) = parts.next() else { break };
        let number: u64 = (part.len() == 2).then(|| part.parse().ok())??;
        sum += (number < limit).then_some(number * unit)?;
    }
    parts.next().is_none().then_some(sum)
}

/// A time in a scenario file.
///
/// # Errors
/// No text, or no time.
pub(super) fn time(value: &Value) -> Reading<u64> {
    form::parsed(
        value,
        milliseconds,
        "a time like \"3d 22:00:00\", \"22:00\", \"15m\" or \"90s\" is expected",
    )
}

/// A time on the time line of a scenario, or a stretch of it: no longer than any scenario lasts, so that sums of a few fit.
///
/// # Errors
/// No text, no time, or too long.
pub(super) fn on_line(value: &Value) -> Reading<u64> {
    at_most(time(value)?, "")
}

/// A time that may lie before: `-15m`; no longer than any scenario lasts.
///
/// # Errors
/// No text, no time, or too long.
pub(super) fn signed(value: &Value) -> Reading<i64> {
    let read = |text: &str| {
        let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        milliseconds(text).map(|ms| (sign, ms))
    };
    let (sign, ms) = form::parsed(value, read, "a time like \"15m\" or \"-2h\" is expected")?;
    let ms = at_most(ms, sign)?.cast_signed();
    Ok(if sign.is_empty() { ms } else { -ms })
}

fn at_most(ms: u64, sign: &str) -> Reading<u64> {
    if ms > MAX_LASTS_MS {
        let (is, most) = (shown(ms), shown(MAX_LASTS_MS));
        return Err(Wrong::new(format!("is {sign}{}", is.trim()), format!("{sign}{} at most", most.trim())));
    }
    Ok(ms)
}

/// Plant time as `play` and mistakes show it: `3d 22:00:00`, with milliseconds where there are any.
pub fn shown(plant_ms: u64) -> String {
    let (days, rest) = (plant_ms / DAY_MS, plant_ms % DAY_MS);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("{days:>3}d {hours:02}:{minutes:02}:{seconds:02}.{:03}", rest % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, ms) in [
            ("3d 22:00:00", 3 * DAY_MS + 79_200_000),
            ("22:00", 79_200_000),
            ("00:07:30", 450_000),
            ("1h 30m", 5_400_000),
            ("90s", 90_000),
            ("250ms", 250),
        ] {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
        }
        for wrong in ["", "5", "d", "24:00", "7:00", "07:60", "07:00:00:00", "1x", "-5s", "99999999999999d"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        assert_eq!(shown(3 * DAY_MS + 79_200_250), "  3d 22:00:00.250");
    }
}
