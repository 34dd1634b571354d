//! A recorded feeder as a load: a file beside the scenario, of the form that `judge` reads.

use std::{fs::File, io::BufReader, path::Path};

use coldhearth::terms::{
    MilliWatts,
    form::{self, Form},
};

use super::MAX_KW;
use crate::{
    load::trace::{Row, Trace},
    rounding::real,
    trace::{Malformed, Rows},
};

/// Most rows of a recording: two years of minutes.
const MAX_ROWS: usize = 1_048_576;
/// The line of a recording's second row, the first that spans a time: the header and the first row stand before it.
const ROWS_FROM: usize = 3;
const NANOS_PER_MS: i128 = 1_000_000;
const MICROWATTS_PER_KW: i64 = 1_000_000_000;

/// Reads `{ kind = "trace", file = "mill.csv", repeats = true }`; every mistake in the file is told at `file`.
pub(super) fn recording(form: &Form<'_>) -> Option<Trace> {
    let name = form.required("file", form::text);
    let repeats = form.optional("repeats", form::flag).unwrap_or(false);
    let name = name?;
    let folder = Path::new(&*form.place("file").file).parent().unwrap_or(Path::new(""));
    let path = folder.join(&name);
    let read = File::open(&path)
        .map_err(|why| (format!(" {why}"), "name a file, counted from the scenario's folder"));
    let trace = read.and_then(|file| {
        rows(BufReader::new(file)).map_err(|why| (why.to_string(), "correct that line of the recording"))
    });
    let count = trace.as_ref().map_or(0, Vec::len);
    match trace.map(|rows| Trace::new(rows, repeats)) {
        Ok(Ok(trace)) => Some(trace),
        Ok(Err(disorder)) => {
            let (path, line) = (path.display(), disorder.row + ROWS_FROM);
            let wrong = if disorder.row < count {
                format!("{path}:{line}: no millisecond later than the row before")
            } else {
                format!("{path}:{line}: a single row spans no time")
            };
            form.flaw("file", wrong, "a row for each step of time, and two at least");
            None
        }
        Err((why, right)) => {
            form.flaw("file", format!("{}:{why}", path.display()), right);
            None
        }
    }
}

/// The rows after the first, which only says where the recording begins.
fn rows(source: impl std::io::BufRead) -> Result<Vec<Row>, Malformed> {
    let mut read = Rows::begin(source)?;
    let first = read.first().nanos();
    let mut rows = Vec::new();
    while let Some(row) = read.next()? {
        let line = (rows.len() + ROWS_FROM) as u64;
        let Some(power) = row.power else {
            let what = "no power: a load draws something at any time; write 0, or what was drawn".to_owned();
            return Err(Malformed::Line(line, what));
        };
        if power.saturating_abs() / MICROWATTS_PER_KW > MAX_KW {
            let what = format!("beyond {MAX_KW} kW; no load of a scenario is larger");
            return Err(Malformed::Line(line, what));
        }
        if rows.len() == MAX_ROWS {
            return Err(Malformed::Line(line, format!("more than {MAX_ROWS} rows; shorten the recording")));
        }
        let at_ms = u64::try_from((row.end.nanos() - first) / NANOS_PER_MS).unwrap_or(u64::MAX);
        let vars = row.reactive.map(|thousandths| real(thousandths) / 1_000.0);
        rows.push(Row { at_ms, power: MilliWatts(power / 1_000), vars });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings");
    const IDLE: &str = include_str!("../../../scenarios/honest/idle.toml");

    fn with_load(load: &str) -> Result<Scenario, String> {
        let at = IDLE.find("load = ").unwrap();
        let end = at + IDLE[at..].find('\n').unwrap();
        let text = format!("{}load = {load}\nrunning = true{}", &IDLE[..at], &IDLE[end..]);
        Scenario::parse("recorded", &format!("{FOLDER}/recorded.toml"), &text)
            .map_err(|flaws| flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_recording_beside_the_scenario_is_drawn_row_by_row() {
        let scenario = with_load("{ kind = \"trace\", file = \"mill.csv\", repeats = true }").unwrap();
        let feeder = scenario.draws(scenario.config.equipment[0].equipment.id)[0];
        let mut plant = scenario.plant(1);
        // 15 minutes at 820 kW, 10 at 1 104.5 kW, 5 at nothing; then it begins anew.
        let mut drawn = |ms| {
            plant.advance_to(ms);
            let truth = plant.equipment(feeder);
            (truth.power.0, truth.exact_energy / 3_600_000_000)
        };
        assert_eq!(drawn(60_000).0, 820_000_000);
        assert_eq!(drawn(900_000), (1_104_500_000, 205_000));
        assert_eq!(drawn(1_500_000), (0, 389_083));
        assert_eq!(drawn(1_800_000), (820_000_000, 389_083));
    }

    #[test]
    fn every_mistake_of_a_recording_is_told_at_its_name() {
        for (load, told) in [
            ("{ kind = \"trace\" }", "`file` is missing"),
            ("{ kind = \"trace\", file = \"none.csv\" }", "none.csv: "),
            ("{ kind = \"trace\", file = \"hole.csv\" }", "hole.csv:4: no power"),
            ("{ kind = \"trace\", file = \"mill.csv\", rated_kw = 5 }", "unknown key `rated_kw`"),
            ("{ kind = \"trace\", file = \"backwards.csv\" }", "backwards.csv:4: `300` lies before"),
            ("{ kind = \"trace\", file = \"crowded.csv\" }", "crowded.csv:4: no millisecond later"),
            ("{ kind = \"trace\", file = \"single.csv\" }", "single.csv:3: a single row"),
            ("{ kind = \"trace\", file = \"beyond.csv\" }", "beyond.csv:4: beyond 1000000 kW"),
        ] {
            let said = with_load(load).map(drop).unwrap_err();
            assert!(said.contains(told), "{said} does not say {told}");
            assert!(said.contains("recorded.toml:"), "{said}");
        }
    }
}
