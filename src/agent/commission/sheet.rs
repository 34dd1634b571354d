//! From the registers that were read to values with their side: primary where every ratio is certain, the meter's own
//! where one is missing or contradicted. Nothing that was not read becomes a value.

use super::marks::Seen;
use crate::metering::{
    Answers, Block, Fault, Profile, Scan,
    answers::{covering, words},
    decode::{self, Declared, Problem, Side},
    profile::{Origin, Row},
    recognise::{Start, start},
};

/// One row of a profile as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The row.
    pub row: Row,
    /// Its registers on the wire.
    pub block: Block,
    /// Thousandths of its unit; nothing where the meter has no value, or none was read.
    pub value: Option<i64>,
    /// The value is on the meter's own side of a transformer whose ratio is not certain.
    pub secondary: bool,
    /// What keeps it from being a value of the primary side.
    pub problem: Option<Problem>,
    /// Why its registers could not be read.
    pub fault: Option<Fault>,
}

/// The ratios the meter tells.
pub fn told(profile: &Profile, answers: &Answers) -> Declared {
    decode::told(profile, &scan_of(profile.ratio_blocks(), answers))
}

/// Every row of the profile of which something is known: a value, its absence, or why it could not be read.
pub fn lines(profile: &Profile, given: Declared, answers: &Answers) -> Vec<Line> {
    let Start::At(origin) = start(profile, answers) else { return Vec::new() };
    profile.rows.iter().filter_map(|row| line(profile, row, given, origin, answers)).collect()
}

/// The values among them, with nothing given by a person.
pub fn values(profile: &Profile, answers: &Answers) -> Vec<Seen> {
    seen(&lines(profile, Declared::default(), answers))
}

/// The values among lines.
pub fn seen(lines: &[Line]) -> Vec<Seen> {
    let of = |line: &Line| {
        Some(Seen { quantity: line.row.quantity, value: line.value?, secondary: line.secondary })
    };
    lines.iter().filter_map(of).collect()
}

/// Words from elsewhere read as if they stood at a row's place, on the meter's own side.
pub fn as_row(profile: &Profile, row: &Row, origin: Origin, words: Vec<u16>) -> Option<i64> {
    let answers = Answers::from([(origin.block(row.cell.block())?, Ok(words))]);
    line(profile, row, Declared::default(), origin, &answers)?.value
}

fn line(profile: &Profile, row: &Row, given: Declared, origin: Origin, answers: &Answers) -> Option<Line> {
    let block = origin.block(row.cell.block())?;
    let fault = covering(block, answers)?.1.as_ref().err().copied();
    let cells = row.cell.blocks().filter_map(|cell| origin.block(cell));
    let scan = scan_of(cells.chain(profile.ratio_blocks()), answers);
    let probed = decode::probe(profile, given, origin, &scan);
    let probed = probed.into_iter().find(|probed| probed.quantity == row.quantity)?;
    Some(Line {
        row: *row,
        block,
        value: probed.value,
        secondary: probed.value.is_some() && probed.side == Side::Secondary,
        problem: probed.problem,
        fault,
    })
}

/// What was read of some registers: those of one row and the ratios, which a scan always has room for.
fn scan_of(wanted: impl Iterator<Item = Block>, answers: &Answers) -> Scan {
    let mut scan = Scan::default();
    for wanted in wanted {
        if let Some(words) = words(wanted, answers) {
            let _fits = scan.push(wanted, words);
        }
    }
    scan
}
