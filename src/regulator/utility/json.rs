//! Interval data in JSON:
//!
//! ```json
//! {"meter": "31-0042", "state": "3.31.0.23", "power_of_ten": 3, "intervals": [
//!   {"start": "2026-11-16T00:00:00+08:00", "duration_s": 900, "value": 0, "quality": 0}
//! ]}
//! ```
//!
//! `value` times ten to `power_of_ten` is watt-hours, as in Green Button; without it, watt-hours. A watt-hour is the finest
//! unit that is kept: less than one, and not nothing, is one. `state` of an interval
//! goes before that of the file. `dlms_control_state` (0, 1, 2) may stand in the place of `state`. `start` is RFC 3339 or
//! Unix seconds.

use super::{Interval, MAX_INTERVALS, Part, Series, Told, whole, word};
use crate::{
    judge::cutoff::reading::{Quality, Switch},
    terms::{
        Decimal, Flaw,
        flaw::{Flaws, Wrong},
        form::{self, Form, Value},
        json, time,
    },
};

/// Seconds in a day: the longest interval.
const DAY_S: i64 = 86_400;
/// Latest moment in Unix seconds: the year 9999.
const LAST_S: i64 = 253_402_300_799;

pub(super) fn read(file: &str, text: &str, mut series: Series) -> Result<Told, Vec<Flaw>> {
    let node = json::parse(file, text).map_err(|flaw| vec![flaw])?;
    let flaws = Flaws::default();
    if let Some(form) = Form::of(&node, &flaws) {
        let serial = form.required("meter", form::text);
        let power = form.optional("power_of_ten", form::whole(-3..=6)).unwrap_or(0);
        let switch = switch(&form).unwrap_or(Switch::Unknown);
        let intervals = form.tables("intervals");
        if intervals.is_empty() {
            form.flaw("intervals", "no interval at all", "list them under `intervals`");
        } else if intervals.len() > MAX_INTERVALS {
            let what = format!("more than {MAX_INTERVALS} intervals");
            form.flaw("intervals", what, "write one file a month");
        }
        for inside in intervals.into_iter().take(MAX_INTERVALS) {
            let interval = interval(&inside, serial.as_ref(), switch, power);
            series.take(&interval, |part, what| flaws.add(inside.place(member_of(part)).clone(), what));
            inside.close();
        }
        form.close();
    }
    match series.told(text) {
        Some(told) if flaws.is_empty() => Ok(told),
        Some(_) | None => Err(flaws.into_sorted()),
    }
}

const fn member_of(part: Part) -> &'static str {
    match part {
        Part::Meter => "meter",
        Part::Start => "start",
        Part::End => "duration_s",
        Part::Energy => "value",
    }
}

fn interval(form: &Form<'_>, serial: Option<&String>, of_file: Switch, power: i64) -> Interval {
    let from_unix_ms = form.required("start", moment);
    let duration_s = form.required("duration_s", form::whole(1..=DAY_S));
    let ten = Decimal { mantissa: 1, exponent: i8::try_from(power).unwrap_or(0) };
    let energy = form.optional("value", |value| {
        let number = form::decimal(value)?;
        // Thousandths first, so that a fraction of a larger unit is not lost.
        let fits = || {
            let scaled = Decimal { exponent: number.exponent.checked_add(ten.exponent)?, ..number };
            whole(scaled, 1)
        };
        fits().ok_or_else(|| Wrong::new("does not fit", "watt-hours of 63 bits are expected"))
    });
    Interval {
        serial: serial.cloned(),
        from_unix_ms,
        to_unix_ms: from_unix_ms.zip(duration_s).map(|(from, s)| from.saturating_add(s * 1_000)),
        energy,
        quality: form.required("quality", quality),
        switch: Some(switch(form).unwrap_or(of_file)),
    }
}

fn switch(form: &Form<'_>) -> Option<Switch> {
    let state = form.optional("state", |value| form::parsed(value, word::switch, word::SWITCHES));
    let control = form.optional("dlms_control_state", form::whole(0..=2));
    if form.has("state") && form.has("dlms_control_state") {
        form.flaw("state", "state and dlms_control_state", "give one of them");
    }
    state.or_else(|| control.and_then(|code| word::switch(&format!("dlms:{code}"))))
}

fn moment(value: &Value) -> form::Reading<i64> {
    match value {
        Value::Integer(seconds) if (0..=LAST_S).contains(seconds) => Ok(seconds * 1_000),
        Value::Integer(_)
        | Value::Text(_)
        | Value::Plain(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::List(_)
        | Value::Table(_) => {
            form::parsed(value, time::moment, "2026-11-16T00:00:00+08:00 or Unix seconds is expected")
        }
    }
}

fn quality(value: &Value) -> form::Reading<Quality> {
    match value {
        Value::Integer(code) => {
            word::quality(&code.to_string()).ok_or_else(|| Wrong::new(format!("is {code}"), word::QUALITIES))
        }
        Value::Text(_)
        | Value::Plain(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::List(_)
        | Value::Table(_) => form::parsed(value, word::quality, word::QUALITIES),
    }
}
