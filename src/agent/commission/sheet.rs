//! From the registers that were read to values with their side: primary where every ratio is certain, the meter's own
//! where one is missing or contradicted. Nothing that was not read becomes a value.

use std::collections::BTreeMap;

use super::marks::Seen;
use crate::metering::{
    Block, Fault, Profile, Scan,
    decode::{self, Declared, Problem, Side},
    profile::{Chain, MAX_SUNSPEC_MODELS, Origin, Row},
};

/// What came of each read, at addresses of the wire.
pub type Answers = BTreeMap<Block, Result<Vec<u16>, Fault>>;

/// `SunS`, the mark at the beginning of a SunSpec chain.
const SUNS: [u16; 2] = [0x5375, 0x6E53];
/// The id that ends a SunSpec chain.
const END_OF_CHAIN: u16 = 0xFFFF;

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

/// Where the addresses of a map count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From here.
    At(Origin),
    /// These registers must be read to know.
    Unread(Block),
    /// The meter has no such model.
    Absent,
}

/// Where a profile's addresses count from, as far as the answers tell: a SunSpec chain is walked.
pub fn start(profile: &Profile, answers: &Answers) -> Start {
    match &profile.chain {
        None => Start::At(Origin::FIXED),
        Some(chain) => walk(chain, answers),
    }
}

fn walk(chain: &Chain, answers: &Answers) -> Start {
    let pair = |at: u16| Block { function: chain.function, at, count: 2 };
    for base in &chain.bases {
        match answers.get(&pair(*base)) {
            None => return Start::Unread(pair(*base)),
            Some(Ok(words)) if *words == SUNS => {}
            Some(Ok(_) | Err(_)) => continue,
        }
        let mut header = base.checked_add(2);
        for _ in 0..MAX_SUNSPEC_MODELS {
            let Some(at) = header.filter(|at| *at < u16::MAX) else { break };
            let Some(answer) = answers.get(&pair(at)) else { return Start::Unread(pair(at)) };
            let Ok([id, length]) = answer.as_deref() else { break };
            if *id == chain.model {
                return Start::At(Origin(at));
            }
            if *id == END_OF_CHAIN {
                break;
            }
            header = at.checked_add(2).and_then(|at| at.checked_add(*length));
        }
    }
    Start::Absent
}

/// Where the meter is asked for its type, at fixed addresses.
pub fn type_blocks(profile: &Profile) -> impl Iterator<Item = Block> {
    profile.identify.iter().filter_map(|test| test.spot.block(Origin::FIXED))
}

/// Whether the meter's own word on its type is this profile's; nothing where it was not read, or refused.
pub fn type_is(profile: &Profile, answers: &Answers) -> Option<bool> {
    if profile.chain.is_some() {
        return match start(profile, answers) {
            Start::At(_) => Some(true),
            Start::Absent => Some(false),
            Start::Unread(_) => None,
        };
    }
    let mut all = !profile.identify.is_empty();
    for test in &profile.identify {
        let words = test.spot.block(Origin::FIXED).and_then(|block| words(block, answers));
        match words {
            Some(words) if !test.holds(words) => return Some(false),
            Some(_) => {}
            None => all = false,
        }
    }
    all.then_some(true)
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

/// The answer that holds all of some registers, one with words before any other, then the narrowest.
fn covering(wanted: Block, answers: &Answers) -> Option<(Block, &Result<Vec<u16>, Fault>)> {
    let holds = |block: &Block| {
        block.function == wanted.function && block.at <= wanted.at && wanted.end() <= block.end()
    };
    let all = answers.iter().filter(|(block, _)| holds(block));
    all.min_by_key(|(block, answer)| (answer.is_err(), block.count)).map(|(block, answer)| (*block, answer))
}

/// The words that were read of some registers.
fn words(wanted: Block, answers: &Answers) -> Option<&[u16]> {
    let (block, Ok(words)) = covering(wanted, answers)? else { return None };
    let from = usize::from(wanted.at - block.at);
    words.get(from..from + usize::from(wanted.count))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Function;

    const CHAINED: &str = r#"
id = "chained"
vendor = "Test"
models = ["T1"]
values = "primary"
tested = "simulated"
tested_how = "not a real meter"
[link]
[[identify]]
chain = "sunspec"
bases = [40000, 0]
model = 203
[defaults]
fc = 3
[measure]
voltage_l1 = { at = 2, type = "u16", scale = 0.1 }
"#;

    fn pair(at: u16) -> Block {
        Block { function: Function::Holding, at, count: 2 }
    }

    #[test]
    fn a_chain_is_walked_from_its_mark_to_the_model() {
        let profile = Profile::parse("chained.toml", CHAINED).unwrap();
        let mut answers = Answers::new();
        assert_eq!(start(&profile, &answers), Start::Unread(pair(40_000)));
        answers.insert(pair(40_000), Err(Fault::Exception(2)));
        assert_eq!(start(&profile, &answers), Start::Unread(pair(0)));
        answers.insert(pair(0), Ok(SUNS.to_vec()));
        assert_eq!(start(&profile, &answers), Start::Unread(pair(2)));
        answers.insert(pair(2), Ok(vec![1, 66]));
        assert_eq!((start(&profile, &answers), type_is(&profile, &answers)), (Start::Unread(pair(70)), None));
        answers.insert(pair(70), Ok(vec![203, 105]));
        assert_eq!(start(&profile, &answers), Start::At(Origin(70)));
        answers.insert(Block { function: Function::Holding, at: 72, count: 1 }, Ok(vec![2_304]));
        let values = values(&profile, &answers);
        assert_eq!(values.first().map(|seen| seen.value), Some(230_400));
        assert_eq!(type_is(&profile, &answers), Some(true));
        answers.insert(pair(70), Ok(vec![END_OF_CHAIN, 0]));
        assert_eq!((start(&profile, &answers), type_is(&profile, &answers)), (Start::Absent, Some(false)));
    }

    #[test]
    fn a_chain_of_lies_comes_to_an_end() {
        let profile = Profile::parse("chained.toml", CHAINED).unwrap();
        let mut answers = Answers::from([(pair(40_000), Ok(SUNS.to_vec())), (pair(0), Err(Fault::Timeout))]);
        let mut steps = 0;
        while let Start::Unread(block) = start(&profile, &answers) {
            // Every model is empty, and none is the last.
            answers.insert(block, Ok(vec![7, 0]));
            steps += 1;
        }
        assert_eq!((steps, start(&profile, &answers)), (MAX_SUNSPEC_MODELS, Start::Absent));
    }
}
