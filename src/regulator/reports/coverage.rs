//! PURE file. How much of the time of each piece of equipment is witnessed.

use super::{Cell, Column, Equipment, Row, Scope, Sheet, Surveyed, equipment, equipment_columns};
use crate::{regulator::reports::survey::Accounted, terms::words};

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
        Column::in_unit("covered_percent", words::R_COVERAGE, "%"),
    ]);
    let rows = surveyed.values().map(row).collect();
    let notes = vec![words::NOTE_TRACE, words::NOTE_UNKNOWN, words::NOTE_CLOCK];
    Sheet { report: "coverage", title: words::REPORT_COVERAGE, scope, columns, rows, notes }
}

fn row(one: &Equipment) -> Row {
    let Accounted { observed_ms, bridged_ms, unaccounted_ms } = one.accounted;
    let minutes =
        |ms: i64| if one.covered.count() == 0 { Cell::Unknown } else { Cell::Count(ms / MINUTE_MS) };
    let mut cells = equipment(one);
    cells.extend([
        minutes(observed_ms),
        minutes(bridged_ms),
        minutes(unaccounted_ms),
        one.accounted.covered().map_or(Cell::Unknown, |part| Cell::Fixed(part, 2)),
    ]);
    Row { cells, rests: one.covered.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_accounted_for_is_not_covered_by_nothing() {
        assert_eq!(Accounted::default().covered(), None);
        let told = Accounted { observed_ms: 899_000, bridged_ms: 500, unaccounted_ms: 500 };
        assert_eq!(told.covered(), Some(9_994));
    }
}
