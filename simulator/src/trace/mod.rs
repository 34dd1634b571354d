//! The recorded feeder: what the judge would have said of it, had decommissioned equipment stood behind it.
//!
//! | file | what it is |
//! |---|---|
//! | `moment`, `rows` | times as recorders write them; rows, one at a time, each mistake with its line |
//! | `play` | the trace as a meter's answers, polled as closely as the judge's delays need |
//! | `spells`, `tally` | the judge's findings laid back to rows: spells of drawing, shares of time, energies |
//! | `report` | all of it for people and for machines |
//!
//! Here the judge is not tested but used: thresholds, delays and words are its own.

pub mod moment;
pub mod play;
pub mod report;
pub mod rows;
pub mod spells;
pub mod tally;
#[cfg(test)]
mod tests;

use std::io::BufRead;

pub use moment::Moment;
pub use play::{Declared, Judged, Play};
pub use report::Report;
pub use rows::{Malformed, Row, Rows};
pub use spells::Spell;
pub use tally::Tally;

/// Judges a trace to its end. It takes the room of a row and of its spells, however long it is.
///
/// # Errors
/// The first mistake in it.
pub fn judge(source: impl BufRead, declared: &Declared) -> Result<Report, Malformed> {
    let mut rows = Rows::begin(source)?;
    let first = rows.first();
    let names = || Malformed::Line(1, "the feeder could not be named".to_owned());
    let mut play = Play::new(declared, first).ok_or_else(names)?;
    let mut last = first;
    while let Some(row) = rows.next()? {
        play.on_row(&row);
        last = row.end;
    }
    if last == first {
        return Err(Malformed::Line(2, "a single row spans no time; a trace has at least two".to_owned()));
    }
    Ok(Report { declared: *declared, first, last, judged: play.finish() })
}
