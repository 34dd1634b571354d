//! The supplier's readings as it hands them in, made into acts: interval data in CSV or JSON. A file with one mistake
//! makes none.
//!
//! CSV has one header, `meter,start,end,energy_kwh,quality,state`; JSON says the same, see [`json`]. The meter is the
//! supplier's own, by its number. Times are RFC 3339 with an offset; each row begins where the one before it ended, and
//! lasts a day at most. A time of which the supplier knows nothing is a row of quality `missing` without energy.
//! Intervals of one day and one quality in which nothing passed are told together, since an act holds 200 of them; energy
//! keeps the interval it was told for, or what passed after a cut would be told of the time before it. None ends later
//! than now, and none tells less than nothing.
//!
//! The finest unit of an act is one watt-hour. What is told more finely is told as the nearest; less than one, and not
//! nothing, is one: a little is not nothing.

mod csv;
mod encoding;
mod json;
mod word;

pub use encoding::text;

use serde_json::{Map, Value, json};

use super::orders::{About, draft};
use crate::{
    evidence::ActKind,
    judge::cutoff::reading::{AHEAD_MS, MAX_SPANS, Quality, Switch, UtilitySpan},
    terms::{Decimal, Digest, Flaw, LegalDay, Name, WattHours, flaw::Wrong, time::DAY_MS},
};

/// Largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 8 << 20;
/// Most intervals of one file: a quarter of a year in quarter-hours, and some.
pub const MAX_INTERVALS: usize = 10_000;
/// Most acts one file makes. A gateway remembers every act by its identifier, and each place in a file has its own.
pub const MAX_ACTS: usize = 32;

/// Longest number of a meter, in characters.
pub const MAX_SERIAL: usize = 64;
/// Most energy of one interval: 1 TWh, which no feeder carries in a day, and which an act can tell exactly.
pub const MAX_ENERGY: WattHours = WattHours(1_000_000_000_000);

/// What one file of the supplier tells of one meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The supplier's number of its meter.
    pub serial: String,
    /// SHA-256 of the file.
    pub source: Digest,
    /// Stretches in order, each as long as the switch stood in one place, each short enough for one act.
    pub stretches: Vec<(Switch, Vec<UtilitySpan>)>,
}

/// Our side of it: what the supplier's file does not say.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    /// Our metering point which the supplier's meter stands beside.
    pub meter: Name,
    /// What the supplier's meter and transformers may err together, in parts per million.
    pub error_ppm: u32,
    /// Smallest advance of its register, primary side, in watt-hours.
    pub step_wh: u32,
}

impl Told {
    /// Reads a file in CSV, at this moment.
    ///
    /// # Errors
    /// Every mistake, each with line and column.
    pub fn csv(file: &str, text: &str, now_unix_ms: i64) -> Result<Told, Vec<Flaw>> {
        csv::read(file, text, Series::at(now_unix_ms))
    }

    /// Reads a file in JSON, at this moment.
    ///
    /// # Errors
    /// Every mistake, each with line and column.
    pub fn json(file: &str, text: &str, now_unix_ms: i64) -> Result<Told, Vec<Flaw>> {
        json::read(file, text, Series::at(now_unix_ms))
    }

    /// The acts that tell it, to be signed and sent in this order. Each has the identifier of its order, meter and place
    /// in the file, so that all of them have the version of this second and the next file has a later one.
    pub fn acts(&self, about: About, beside: Beside, now_unix_ms: i64) -> Vec<Map<String, Value>> {
        let act = |(place, (switch, spans)): (usize, &(Switch, Vec<UtilitySpan>))| {
            let mut act = draft(ActKind::Reading, about, &[], now_unix_ms);
            let spans: Vec<Value> = spans.iter().map(span).collect();
            for (name, value) in [
                ("act_id", json!(act_id(about, beside.meter, place))),
                ("meter", json!(beside.meter.as_str())),
                ("meter_serial", json!(self.serial)),
                ("source_sha256", json!(self.source.to_string())),
                ("error_ppm", json!(beside.error_ppm)),
                ("step_wh", json!(beside.step_wh)),
                ("switch", json!(switch.word())),
                ("spans", json!(spans)),
            ] {
                act.insert(name.to_owned(), value);
            }
            act
        };
        self.stretches.iter().enumerate().map(act).collect()
    }
}

/// Identifiers have 24 letters at most, and names of orders are as long: a hash tells them apart.
fn act_id(about: About, meter: Name, place: usize) -> String {
    let order = about.order.map_or(about.asset.0, |order| order.0);
    let hash = Digest::of(format!("{order} {meter} {place}").as_bytes()).to_string();
    ["reading-", hash.get(..16).unwrap_or(&hash)].concat()
}

fn span(span: &UtilitySpan) -> Value {
    json!({
        "from_unix_ms": span.from_unix_ms, "to_unix_ms": span.to_unix_ms,
        "energy_wh": span.energy.0, "quality": span.quality.word(),
    })
}

/// One interval as the supplier wrote it. What could not be read is a mistake that was told already.
#[derive(Clone, Debug, Default)]
struct Interval {
    serial: Option<String>,
    from_unix_ms: Option<i64>,
    to_unix_ms: Option<i64>,
    energy: Option<WattHours>,
    quality: Option<Quality>,
    switch: Option<Switch>,
}

/// Which part of an interval a mistake is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Meter,
    Start,
    End,
    Energy,
}

/// Intervals as they come, put together.
#[derive(Default)]
struct Series {
    now_unix_ms: i64,
    serial: Option<String>,
    reached_unix_ms: Option<i64>,
    intervals: usize,
    stretches: Vec<(Switch, Vec<UtilitySpan>)>,
}

impl Series {
    fn at(now_unix_ms: i64) -> Series {
        Series { now_unix_ms, ..Series::default() }
    }

    /// Takes the next interval; what does not follow from those before it is told.
    fn take(&mut self, interval: &Interval, mut wrong: impl FnMut(Part, Wrong)) {
        self.intervals += 1;
        if let Some(what) = interval.serial.as_ref().and_then(|serial| self.stranger(serial)) {
            wrong(Part::Meter, what);
        }
        let (Some(from), Some(to)) = (interval.from_unix_ms, interval.to_unix_ms) else { return };
        if !(1..=DAY_MS).contains(&to.saturating_sub(from)) {
            let right = "an interval ends after its start, and lasts a day at most";
            wrong(Part::End, Wrong::new("the interval is none", right));
        }
        if to > self.now_unix_ms.saturating_add(AHEAD_MS) {
            let right = "write what has passed, and look at this machine's clock";
            wrong(Part::End, Wrong::new("it ends later than now", right));
        }
        match self.reached_unix_ms.replace(to) {
            Some(reached) if from < reached => wrong(
                Part::Start,
                Wrong::new(
                    "out of order: it begins before the one before it has ended",
                    "sort by start, each once",
                ),
            ),
            Some(reached) if from > reached => wrong(
                Part::Start,
                Wrong::new(
                    format!("a hole of {} s before it", (from - reached) / 1_000),
                    "write an interval of quality missing, without energy, where nothing is known",
                ),
            ),
            Some(_) | None => {}
        }
        let (Some(quality), Some(switch)) = (interval.quality, interval.switch) else { return };
        let energy = match energy_of(interval.energy, quality) {
            Ok(energy) => energy,
            Err(what) => return wrong(Part::Energy, what),
        };
        self.put(switch, UtilitySpan { from_unix_ms: from, to_unix_ms: to, energy, quality });
        if self.stretches.len() > MAX_ACTS {
            self.stretches.pop();
            let what = format!("more than {MAX_ACTS} acts, one for each place of the switch");
            wrong(Part::Start, Wrong::new(what, "write one file a day"));
        }
    }

    /// What is wrong with the number of this interval's meter.
    fn stranger(&mut self, serial: &String) -> Option<Wrong> {
        if !is_serial(serial) {
            let right = format!("letters, digits and - _ . / are expected, {MAX_SERIAL} at most");
            return Some(Wrong::new("this is no number of a meter", right));
        }
        let first = self.serial.get_or_insert_with(|| serial.clone());
        (first != serial)
            .then(|| Wrong::new(format!("meter {serial} after {first}"), "write one file a meter"))
    }

    fn put(&mut self, switch: Switch, span: UtilitySpan) {
        let goes_on = |(last, spans): &(Switch, Vec<UtilitySpan>)| {
            let is_merged = spans.last().is_some_and(|last| is_one(last, &span));
            *last == switch && (is_merged || spans.len() < MAX_SPANS)
        };
        if !self.stretches.last().is_some_and(goes_on) {
            self.stretches.push((switch, Vec::new()));
        }
        let Some((_, spans)) = self.stretches.last_mut() else { return };
        match spans.last_mut() {
            Some(last) if is_one(last, &span) => last.to_unix_ms = span.to_unix_ms,
            Some(_) | None => spans.push(span),
        }
    }

    fn told(self, text: &str) -> Option<Told> {
        let source = Digest::of(text.as_bytes());
        Some(Told { serial: self.serial?, source, stretches: self.stretches })
    }
}

/// What passed in an interval of this quality.
fn energy_of(told: Option<WattHours>, quality: Quality) -> Result<WattHours, Wrong> {
    match (told, quality) {
        (Some(energy), _) if energy.0 < 0 => {
            Err(Wrong::new("less than nothing", "give what passed in either direction, without a sign"))
        }
        (Some(energy), _) if energy > MAX_ENERGY => {
            Err(Wrong::new("more than a terawatt-hour", "give kilowatt-hours of one interval"))
        }
        (Some(energy), Quality::Missing) if energy.0 > 0 => {
            Err(Wrong::new("energy, and missing", "leave the energy out, or say how good it is"))
        }
        (Some(energy), _) => Ok(energy),
        (None, Quality::Missing) => Ok(WattHours(0)),
        (None, Quality::Measured | Quality::Estimated | Quality::Questionable) => Err(Wrong::new(
            format!("no energy, and {}", quality.word()),
            "give the energy, or say that it is missing",
        )),
    }
}

/// So many units of so many watt-hours, as they are told: whole, and nothing only where nothing was written.
fn whole(number: Decimal, unit_wh: i128) -> Option<WattHours> {
    let energy = i64::try_from(number.times(unit_wh)?).ok()?;
    let least = number.mantissa.signum();
    Some(WattHours(if energy == 0 { least } else { energy }))
}

/// A number as it stands on a meter's plate.
fn is_serial(text: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./ ".contains(c);
    text.chars().count() <= MAX_SERIAL && text.chars().all(is_plain)
}

/// Whether two spans, one after the other, are told as one: still, of one day and one quality.
fn is_one(before: &UtilitySpan, next: &UtilitySpan) -> bool {
    let day = LegalDay::of_unix_ms;
    let is_still = before.energy.0 == 0 && next.energy.0 == 0;
    is_still && before.quality == next.quality && day(before.from_unix_ms) == day(next.to_unix_ms - 1)
}

#[cfg(test)]
mod tests;
