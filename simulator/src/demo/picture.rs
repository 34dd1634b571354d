//! The demo's night as a picture, drawn by whoever played it: what the furnace really draws, what its meter shows, what is
//! said of it and when it is a violation. In virtual time and by one seed, so that everybody draws the same bytes.

use std::fmt::Write as _;

use coldhearth::{
    host::{Exit, Failure},
    judge::{Finding, State},
    terms::words::Language,
};

use super::premises::SEED;
use crate::{
    scenario::{Scenario, time},
    told::Teller,
    witness::{Seen, Witness},
};

const NIGHT: (&str, &str) = ("src/demo/night.toml", include_str!("night.toml"));
/// Midnight, in milliseconds of plant time.
const MIDNIGHT_MS: u64 = 86_400_000;
/// Between two lines of the grid, in milliseconds.
const GRID_MS: u64 = 600_000;
/// Power at the top of the chart, in watts.
const TOP_W: i64 = 14_000_000;
/// Where the chart stands in the picture: left, right, top, bottom.
const CHART: (u64, u64, u64, u64) = (70, 940, 74, 250);
/// Lines of text below that have room.
const MOST_LINES: usize = 6;

const COLD: &str = "#5aa9e6";
const HOT: &str = "#ff5d47";
const DOUBT: &str = "#9a9a9a";

/// Everything that is drawn.
#[derive(Debug, Default)]
struct Night {
    from_ms: u64,
    until_ms: u64,
    /// When, what the furnace really drew, in watts.
    truth: Vec<(u64, i64)>,
    /// When, what its meter showed, in watts.
    metered: Vec<(u64, i64)>,
    /// From when on which state was said of it.
    states: Vec<(u64, State)>,
    violation_ms: Option<u64>,
    said: Vec<String>,
}

/// The picture, as an SVG.
///
/// # Errors
/// The night that comes with the program has mistakes.
pub fn picture() -> Result<String, Failure> {
    let scenario = Scenario::parse("demo", NIGHT.0, NIGHT.1).map_err(|flaws| {
        let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Bug, lines.join("\n"))
    })?;
    Ok(drawn(&played(&scenario)))
}

/// Plays the night and keeps what is drawn of it.
fn played(scenario: &Scenario) -> Night {
    let mut night = Night { from_ms: scenario.from_ms, until_ms: scenario.until_ms, ..Night::default() };
    let mut teller = Teller::new(Language::English, false);
    let furnace = scenario.config.equipment.first().map(|furnace| furnace.equipment.id);
    let feeders = furnace.map(|asset| scenario.draws(asset)).unwrap_or_default();
    Witness::new(scenario, SEED).play(&mut |_, seen, plant| {
        let now_ms = plant.now_ms();
        let line = match &seen {
            Seen::Reading(reading) => {
                let truth = feeders.iter().map(|feeder| plant.equipment(*feeder).power.watts()).sum();
                night.truth.push((now_ms, truth));
                night.metered.extend(reading.power().map(|power| (now_ms, power.watts())));
                None
            }
            Seen::Finding(finding) => {
                night.on(now_ms, finding);
                let is_told = matches!(finding, Finding::Verdict(_));
                teller
                    .finding(finding)
                    .filter(|_| is_told)
                    .map(|line| format!("regulator | {}  {line}", clock(now_ms)))
            }
            Seen::Deed(_) => Some(format!("    plant | {}  a melt begins; nobody is told", clock(now_ms)))
                .filter(|_| night.violation_ms.is_none()),
            Seen::Log(_) => None,
        };
        night.said.extend(line);
        true
    });
    night
}

impl Night {
    fn on(&mut self, now_ms: u64, finding: &Finding) {
        let Finding::Verdict(verdict) = finding else { return };
        if self.states.last().is_none_or(|(_, state)| *state != verdict.state) {
            self.states.push((now_ms, verdict.state));
        }
        if self.violation_ms.is_none() && verdict.violation_since_unix_ms.is_some() {
            self.violation_ms = Some(now_ms);
        }
    }

    /// Where a moment stands.
    fn x(&self, at_ms: u64) -> u64 {
        let (left, right, ..) = CHART;
        let lasts_ms = self.until_ms.saturating_sub(self.from_ms).max(1);
        left + at_ms.clamp(self.from_ms, self.until_ms).saturating_sub(self.from_ms) * (right - left)
            / lasts_ms
    }
}

/// The time of day, without a date.
fn clock(at_ms: u64) -> String {
    let shown = time::shown(at_ms);
    shown.split_whitespace().last().and_then(|time| time.get(..8)).unwrap_or_default().to_owned()
}

/// Where a power stands.
fn y(watts: i64) -> u64 {
    let (.., top, bottom) = CHART;
    let share = u64::try_from(watts.clamp(0, TOP_W)).unwrap_or(0) * (bottom - top);
    bottom - share / u64::try_from(TOP_W).unwrap_or(1)
}

fn drawn(night: &Night) -> String {
    let mut out = String::with_capacity(64 * 1_024);
    // Writing into a string never fails.
    let _never = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 460\" font-family=\"ui-monospace,Menlo,Consolas,\
         'Noto Sans Mono CJK SC',monospace\" font-size=\"13\" fill=\"#e6e6e6\">\n\
         <title>A furnace that was ordered cold melts at night and is caught</title>\n\
         <rect width=\"960\" height=\"460\" rx=\"8\" fill=\"#14171a\"/>\n"
    );
    text(&mut out, (24, 28), "#8b949e", "$ coldhearth-sim demo --picture picture.svg");
    text(
        &mut out,
        (24, 52),
        "#e6e6e6",
        "eaf-2: last lawful day ends at midnight  已申报退出的电炉，午夜后熔炼",
    );
    grid(&mut out, night);
    curves(&mut out, night);
    band(&mut out, night);
    marks(&mut out, night);
    for (place, line) in (0..).zip(night.said.iter().take(MOST_LINES)) {
        let colour = if line.contains("VIOLATION") { HOT } else { "#c9d1d9" };
        let line: String = line.chars().take(118).collect();
        text(&mut out, (24, 356 + 18 * place), colour, &line);
    }
    out.push_str("</svg>\n");
    out
}

fn text(out: &mut String, (x, y): (u64, u64), colour: &str, line: &str) {
    let line = line.replace('&', "&amp;").replace('<', "&lt;");
    let _never =
        writeln!(out, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\" xml:space=\"preserve\">{line}</text>");
}

fn grid(out: &mut String, night: &Night) {
    let (left, right, top, bottom) = CHART;
    for megawatts in [0_i64, 5, 10] {
        let y = y(megawatts * 1_000_000);
        let _never = writeln!(out, "<path d=\"M{left} {y}H{right}\" stroke=\"#30363d\"/>");
        text(out, (18, y + 4), "#8b949e", &format!("{megawatts:>2} MW"));
    }
    let first = night.from_ms.next_multiple_of(GRID_MS);
    for step in 0..night.until_ms.saturating_sub(first).div_ceil(GRID_MS) {
        let at_ms = first + step * GRID_MS;
        let x = night.x(at_ms);
        let _never = writeln!(out, "<path d=\"M{x} {top}V{}\" stroke=\"#30363d\"/>", bottom + 40);
        let shown = clock(at_ms);
        text(out, (x.saturating_sub(18), bottom + 56), "#8b949e", shown.get(..5).unwrap_or_default());
    }
}

/// What the furnace really draws as an area, what its meter shows as a line over it.
fn curves(out: &mut String, night: &Night) {
    let path = |points: &[(u64, i64)]| {
        let mut path = String::new();
        for (at_ms, watts) in points {
            let mark = if path.is_empty() { 'M' } else { 'L' };
            let _never = write!(path, "{mark}{} {}", night.x(*at_ms), y(*watts));
        }
        path
    };
    let (left, right, _, bottom) = CHART;
    let area = path(&night.truth);
    let _never = writeln!(
        out,
        "<path d=\"{area}L{right} {bottom}L{left} {bottom}Z\" fill=\"{HOT}\" fill-opacity=\".25\"/>"
    );
    let line = path(&night.metered);
    let _never = writeln!(out, "<path d=\"{line}\" fill=\"none\" stroke=\"#f2cc60\" stroke-width=\"1.2\"/>");
    text(out, (700, 96), "#f2cc60", "what the meter shows");
    text(out, (700, 114), "#b9584b", "what the furnace really draws");
}

/// What is said of it, from when to when.
fn band(out: &mut String, night: &Night) {
    let (.., bottom) = CHART;
    let ends = night.states.iter().skip(1).map(|(at_ms, _)| *at_ms).chain([night.until_ms]);
    for ((from_ms, state), to_ms) in night.states.iter().zip(ends) {
        let (from, to) = (night.x(*from_ms), night.x(to_ms));
        let colour = match state {
            State::Drawing | State::Exporting => HOT,
            State::Masked(_) | State::Unknown(_) => DOUBT,
            State::Auxiliary | State::Energised | State::Dead => COLD,
        };
        let (width, top) = (to.saturating_sub(from).max(1), bottom + 10);
        let _never = writeln!(
            out,
            "<rect x=\"{from}\" y=\"{top}\" width=\"{width}\" height=\"22\" fill=\"{colour}\"/>"
        );
        if width > 90 {
            text(out, (from + 6, bottom + 26), "#14171a", state.word());
        }
    }
}

/// Midnight, and the violation.
fn marks(out: &mut String, night: &Night) {
    let (.., top, bottom) = CHART;
    let mut mark = |at_ms: u64, colour: &str, label: Option<u64>, line: &str| {
        let x = night.x(at_ms);
        let _never = writeln!(
            out,
            "<path d=\"M{x} {}V{}\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"4 3\"/>",
            top - 14,
            bottom + 32
        );
        text(out, (label.unwrap_or(x + 8), top - 4), colour, line);
    };
    mark(MIDNIGHT_MS, "#e6e6e6", Some(24), "24:00 stay cold");
    if let Some(at_ms) = night.violation_ms {
        mark(at_ms, HOT, None, &format!("{} VIOLATION 违规, signed and sent", clock(at_ms)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_picture_is_the_one_that_the_program_draws() {
        let drawn = picture().unwrap();
        assert!(
            drawn == include_str!("../../picture.svg"),
            "draw it again: coldhearth-sim demo --picture simulator/picture.svg"
        );
        for told in ["VIOLATION", "stay cold", "a melt begins"] {
            assert!(drawn.contains(told), "{told}");
        }
    }

    #[test]
    fn the_night_that_is_drawn_is_the_demos() {
        let night = Scenario::parse("demo", NIGHT.0, NIGHT.1).unwrap();
        let melt = super::super::premises::MELT_MS;
        let began = MIDNIGHT_MS - super::super::clock::BEFORE_MIDNIGHT_MS;
        let deeds: Vec<u64> = night.deeds(SEED).iter().map(|due| due.at_ms - began).collect();
        assert_eq!((night.from_ms, deeds), (began, vec![melt.0, melt.1]));
    }
}
