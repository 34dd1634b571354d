//! PURE file. How much of the time of each piece of equipment is witnessed.

use super::{Cell, Column, Equipment, Row, Scope, Sheet, Surveyed, equipment, equipment_columns};
use crate::terms::words;

/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

/// The report. Equipment of which nothing was said in the time is listed too: nothing of it is covered, and nobody knows
/// how much that is.
pub fn sheet(surveyed: &Surveyed, scope: Scope) -> Sheet {
    let mut columns = equipment_columns();
    columns.extend([
        Column::in_unit("observed_min", words::R_OBSERVED, "min"),
        Column::in_unit("bridged_min", words::R_BRIDGED, "min"),
        Column::in_unit("unaccounted_min", words::R_UNACCOUNTED, "min"),
        Column::in_unit("untold_min", words::R_UNTOLD, "min"),
        Column::in_unit("covered_percent", words::R_COVERAGE, "%"),
    ]);
    let rows = surveyed.values().map(|one| row(one, &scope)).collect();
    let notes = vec![words::NOTE_TRACE, words::NOTE_UNKNOWN, words::NOTE_CLOCK];
    Sheet {
        report: "coverage",
        title: words::REPORT_COVERAGE,
        scope,
        columns,
        rows,
        notes,
        wrong: Vec::new(),
        files: Vec::new(),
        replaces: None,
    }
}

fn row(one: &Equipment, scope: &Scope) -> Row {
    let due_ms = one.due_ms(scope);
    let told = &one.accounted;
    let minutes = |ms: i64| due_ms.map_or(Cell::Unknown, |_| Cell::Count(ms / MINUTE_MS));
    let mut cells = equipment(one);
    cells.extend([
        minutes(told.observed_ms),
        minutes(told.bridged_ms),
        minutes(told.unaccounted_ms),
        due_ms.map_or(Cell::Unknown, |due_ms| Cell::Count(told.untold_ms(due_ms) / MINUTE_MS)),
        due_ms.and_then(|due_ms| told.covered(due_ms)).map_or(Cell::Unknown, |part| Cell::Fixed(part, 2)),
    ]);
    Row { cells, rests: one.covered.clone() }
}

#[cfg(test)]
mod tests {
    use crate::regulator::sums::Accounted;

    #[test]
    fn silence_counts_against_coverage_and_is_told_as_a_column_of_its_own() {
        let told = Accounted { observed_ms: 899_000, bridged_ms: 500, unaccounted_ms: 500 };
        assert_eq!((told.covered(900_000), told.untold_ms(900_000)), (Some(9_994), 0));
        // One good quarter of an hour, and dead for the rest of the day.
        let day_ms = 86_400_000;
        assert_eq!((told.covered(day_ms), told.untold_ms(day_ms)), (Some(104), 85_500_000));
        // Nothing was due yet: nobody knows, which is neither all nor nothing.
        assert_eq!(Accounted::default().covered(0), None);
        assert_eq!(Accounted::default().covered(day_ms), Some(0));
        // What was told of more than was due is measured against what was told.
        assert_eq!(told.covered(1), Some(9_994));
    }
}
