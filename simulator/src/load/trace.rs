//! A recorded load, played again: what was measured stands for a model.

use std::sync::Arc;

use coldhearth::terms::MilliWatts;

use crate::{load::Draw, rounding::real};

/// One row of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its time, in milliseconds since the recording began.
    pub at_ms: u64,
    /// Mean active power since the row before; the first row's since the beginning.
    pub power: MilliWatts,
    /// Mean reactive power in var, if it was recorded; otherwise that of a power factor of 0.9.
    pub vars: Option<f64>,
}

/// A recording. Its steps may be irregular; its energy is kept to the last milliwatt-millisecond.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    rows: Arc<[Row]>,
    repeats: bool,
}

/// Rows of a recording do not follow one another in time, or there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disorder {
    /// The first row that is not later than the one before, counted from 0.
    pub row: usize,
}

/// Power factor of a recording that names none.
const POWER_FACTOR: f64 = 0.9;

impl Trace {
    /// A recording that ends in nothing, or begins anew.
    ///
    /// # Errors
    /// A row is not later than the one before (the first must be later than 0), or there is none.
    pub fn new(rows: Vec<Row>, repeats: bool) -> Result<Trace, Disorder> {
        let mut before = 0;
        for (row, at) in rows.iter().enumerate() {
            if at.at_ms <= before {
                return Err(Disorder { row });
            }
            before = at.at_ms;
        }
        if rows.is_empty() { Err(Disorder { row: 0 }) } else { Ok(Trace { rows: rows.into(), repeats }) }
    }

    /// What is drawn so long after the start.
    pub(crate) fn draw(&self, running_ms: u64) -> Draw {
        self.row(running_ms).map_or(Draw::NONE, |row| {
            let watts = real(row.power.0) / 1_000.0;
            row.vars.map_or_else(
                || Draw::lagging(watts, POWER_FACTOR),
                |vars| Draw { watts, vars, unbalance: 0.0 },
            )
        })
    }

    /// When another power begins, after this time since the start.
    pub(crate) fn next_edge_ms(&self, running_ms: u64) -> Option<u64> {
        let row = self.row(running_ms)?;
        Some(running_ms - self.into(running_ms) + row.at_ms)
    }

    fn row(&self, running_ms: u64) -> Option<&Row> {
        let into = self.into(running_ms);
        self.rows.get(self.rows.partition_point(|row| row.at_ms <= into))
    }

    fn into(&self, running_ms: u64) -> u64 {
        let length = self.rows.last().map_or(1, |row| row.at_ms);
        if self.repeats { running_ms % length } else { running_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at_ms: u64, milliwatts: i64) -> Row {
        Row { at_ms, power: MilliWatts(milliwatts), vars: None }
    }

    #[test]
    fn each_row_is_the_mean_since_the_row_before() {
        let trace = Trace::new(vec![row(1_500, 7_000), row(2_000, 0), row(9_000, 3_000)], false).unwrap();
        let watts = |ms| trace.draw(ms).watts;
        let found = [0, 1_499, 1_500, 1_999, 2_000, 8_999, 9_000].map(watts);
        let wanted = [7.0, 7.0, 0.0, 0.0, 3.0, 3.0, 0.0];
        assert!(found.iter().zip(wanted).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-12), "{found:?}");
        assert_eq!(
            [0, 1_500, 8_999, 9_000].map(|ms| trace.next_edge_ms(ms)),
            [Some(1_500), Some(2_000), Some(9_000), None]
        );
    }

    #[test]
    fn a_recording_may_begin_anew() {
        let trace = Trace::new(vec![row(1_000, 1), row(3_000, 2)], true).unwrap();
        assert_eq!(trace.draw(3_000 * 7 + 500), trace.draw(500));
        assert_eq!(trace.next_edge_ms(3_000 * 7 + 500), Some(3_000 * 7 + 1_000));
    }

    #[test]
    fn rows_out_of_order_are_no_recording() {
        assert_eq!(Trace::new(vec![row(5, 1), row(5, 1)], false), Err(Disorder { row: 1 }));
        assert_eq!(Trace::new(vec![row(0, 1)], false), Err(Disorder { row: 0 }));
        assert_eq!(Trace::new(Vec::new(), true), Err(Disorder { row: 0 }));
    }
}
