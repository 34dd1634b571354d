//! What came of a trace, for people and for machines.

use std::fmt;

use coldhearth::judge::{Parameters, grounds::Inspect};
use serde_json::{Map, Value, json};

use super::{
    moment::{Form, Moment},
    play::{Declared, Judged, STEP},
    tally::STATES,
};
use crate::rounding::real;

/// A judged trace.
#[derive(Debug)]
pub struct Report {
    /// What was declared.
    pub declared: Declared,
    /// Where the trace begins.
    pub first: Moment,
    /// And ends.
    pub last: Moment,
    /// What came of it.
    pub judged: Judged,
}

/// In how many parts a share is told: a power of two, so that binary fractions sum to exactly 1 in any order.
const SHARE_PARTS: i64 = 1 << 20;
const NANOS_IN_MS: i128 = 1_000_000;

impl Report {
    /// For machines: `spells`, `shares` (they sum to exactly 1), `states_ms` (whole milliseconds, they sum to `whole_ms`),
    /// `bound_wh`, `parameters`, `trace`, `signs`; units stand in the names.
    pub fn json(&self, is_default_allowance: bool) -> Value {
        let Judged { spells, tally, bound, signs, rows, terms } = &self.judged;
        let spells: Vec<Value> = spells
            .iter()
            .map(|spell| json!({"start": moment(spell.start), "end": moment(spell.end), "energy_wh": spell.energy_wh}))
            .collect();
        let shares: Map<String, Value> = STATES
            .iter()
            .zip(tally.shares(SHARE_PARTS))
            .map(|(word, share)| ((*word).to_owned(), json!(real(share) / real(SHARE_PARTS))))
            .collect();
        let whole_ms = i64::try_from(tally.whole() / NANOS_IN_MS).unwrap_or(i64::MAX);
        let states_ms: Map<String, Value> = STATES
            .iter()
            .zip(tally.shares(whole_ms))
            .map(|(word, ms)| ((*word).to_owned(), json!(ms)))
            .collect();
        let rules = Parameters::of(terms.poll_ms);
        json!({
            "spells": spells,
            "shares": shares,
            "states_ms": states_ms,
            "whole_ms": whole_ms,
            "bound_wh": bound.0,
            "parameters": {
                "rated_w": watts(self.declared.rated.0),
                "allowance_w": watts(self.declared.allowance.0),
                "allowance_source": if is_default_allowance { "default_5_percent_of_rating" } else { "declared" },
                "floor_w": watts(terms.floor.power.0),
                "limit_w": watts(terms.limit().0),
                "off_limit_w": watts(terms.off_limit().0),
                "register_step_wh": STEP.0,
                "error_ppm": terms.error_ppm(),
                "poll_ms": rules.poll_ms,
                "missed_polls": rules.missed_polls,
                "interval_ms": rules.interval_ms,
                "large_load_percent": rules.large_load_percent,
                "on_delay_large_ms": rules.on_delay_large_ms,
                "on_delay_small_ms": rules.on_delay_small_ms,
                "off_delay_ms": self.declared.off_delay_ms,
                "line": "assumed_live",
            },
            "trace": {
                "start": moment(self.first),
                "end": moment(self.last),
                "rows": rows.all,
                "holes": rows.holes,
                "hole_s": seconds(tally.hole),
                "longest_row_s": seconds(rows.longest),
                "energy_wh": tally.drawn_wh(),
                "returned_wh": tally.returned_wh(),
                "meter_unfit": terms.is_unfit(),
            },
            "signs": signs.iter().collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub fn text(&self, is_default_allowance: bool) -> String {
        Text(self, is_default_allowance).to_string()
    }
}

struct Text<'a>(&'a Report, bool);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text(Report { declared, first, last, judged }, is_default) = self;
        let Judged { spells, tally, bound, signs, rows, terms } = judged;
        writeln!(f, "{first} to {last}: {} rows, {} of them without a reading", rows.all, rows.holes)?;
        let source = if *is_default { "5 % of the rating, for want of --aux-kw" } else { "as declared" };
        writeln!(
            f,
            "judged as decommissioned equipment of {} kW: beyond an allowance of {} kW ({source}) and a floor of {} kW",
            Kilo(declared.rated.0, 6),
            Kilo(declared.allowance.0, 6),
            Kilo(terms.floor.power.0, 6),
        )?;
        let drawn: i64 = spells.iter().map(|spell| spell.energy_wh).sum();
        let (noun, dot) =
            (if spells.len() == 1 { "spell" } else { "spells" }, if spells.is_empty() { "." } else { ":" });
        writeln!(
            f,
            "\n{} {noun} of drawing, {} kWh of {} kWh in all{dot}",
            spells.len(),
            Kilo(drawn, 3),
            Kilo(tally.drawn_wh(), 3)
        )?;
        for spell in spells {
            writeln!(
                f,
                "  {}  to  {}  {:>12} kWh",
                spell.start,
                spell.end,
                Kilo(spell.energy_wh, 3).to_string()
            )?;
        }
        f.write_str("\nof the time:")?;
        let (lasted, shown) = (tally.shares(1_000_000), tally.shares(10_000));
        let told = STATES.iter().zip(lasted).zip(shown).filter(|((_, lasted), _)| *lasted > 0);
        for ((word, _), share) in told {
            write!(f, " {word} {}.{:02} %", share / 100, share % 100)?;
        }
        writeln!(f, "\nunseen at most: {} kWh", Kilo(bound.0, 3))?;
        if !signs.is_empty() {
            writeln!(
                f,
                "signs that ask for a look: {}",
                signs.iter().copied().collect::<Vec<_>>().join(", ")
            )?;
        }
        if terms.is_unfit() {
            writeln!(f, "{}", Inspect::Unfit.word())?;
        }
        Ok(())
    }
}

/// A whole number as a decimal one, so many places to the left, without zeros at the end.
struct Kilo(i64, u32);

impl fmt::Display for Kilo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kilo(number, places) = *self;
        let unit = 10_u64.pow(places);
        let sign = if number < 0 { "-" } else { "" };
        let (whole, part) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
        let width = usize::try_from(places).unwrap_or(0);
        let text = format!("{sign}{whole}.{part:0width$}");
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// As the trace writes it: a number where it writes seconds, text otherwise.
fn moment(moment: Moment) -> Value {
    let text = moment.to_string();
    match moment.form() {
        Form::Seconds(0) => text.parse::<i64>().map_or(Value::String(text), Value::from),
        Form::Seconds(_) => text.parse::<f64>().map_or(Value::String(text), Value::from),
        Form::Rfc3339(..) => Value::String(text),
    }
}

fn watts(milliwatts: i64) -> Value {
    if milliwatts % 1_000 == 0 { json!(milliwatts / 1_000) } else { json!(real(milliwatts) / 1e3) }
}

fn seconds(nanos: i128) -> Value {
    if nanos % 1_000_000_000 == 0 {
        json!(i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX))
    } else {
        json!(crate::rounding::real_wide(nanos) / 1e9)
    }
}
