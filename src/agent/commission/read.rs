//! Reads everything a profile names, splitting what the meter refuses, so that one missing register hides no other.

use super::{asker::Asker, sheet};
use crate::metering::{
    Answers, Block, Fault, Function, Profile, Quantity,
    plan::Planner,
    profile::{Origin, Row},
    recognise::{Start, start},
};

/// Unanswered questions in a row after which a meter that answered nothing is given up.
pub const SILENT_AFTER: usize = 2;
/// Unanswered questions after which a meter is given up that answered some.
pub const PATIENCE: usize = 6;
/// Most questions for one map.
pub const MAX_QUESTIONS: usize = 160;
/// How often a busy meter is asked once more.
const TIMES_BUSY: usize = 3;
/// Acknowledged, and busy: ask again later.
const LATER: [u8; 2] = [5, 6];
/// Pause before a busy meter is asked once more, in milliseconds.
const BUSY_PAUSE_MS: u32 = 500;
/// Rows whose neighbouring address is tried.
const MAX_HINTS: usize = 3;

/// What a neighbouring register, or the other function, gave where a row was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Whose row.
    pub quantity: Quantity,
    /// Where something was found.
    pub found: Block,
    /// Its value read as the row's, in thousandths.
    pub value: i64,
}

/// Everything a map names, as far as the meter answers. Silence ends it early; what was not asked is not in the answers.
pub async fn everything(asker: &mut Asker<'_>, unit: u8, profile: &Profile) -> Answers {
    let mut reading = Reading { asker, unit, answers: Answers::new(), timeouts: 0, over: false };
    let origin = loop {
        match start(profile, &reading.answers) {
            Start::At(origin) => break origin,
            Start::Unread(block) if !reading.over => drop(reading.ask(block).await),
            Start::Unread(_) | Start::Absent => return reading.answers,
        }
    };
    let Some(mut planner) = Planner::everything(profile) else { return reading.answers };
    while let Some((planned, block)) = reading.unasked(&planner, origin) {
        let refused = matches!(reading.ask(block).await, Err(Fault::Exception(_)));
        if reading.over || refused && !planner.on_refusal(planned) {
            break;
        }
    }
    reading.answers
}

/// A map being read.
struct Reading<'a, 'b> {
    asker: &'a mut Asker<'b>,
    unit: u8,
    answers: Answers,
    timeouts: usize,
    over: bool,
}

impl Reading<'_, '_> {
    async fn ask(&mut self, block: Block) -> Result<(), Fault> {
        let answer = patient(self.asker, self.unit, block).await;
        let outcome = answer.as_ref().map(|_| ()).map_err(|fault| *fault);
        self.answers.insert(block, answer);
        self.timeouts += usize::from(outcome == Err(Fault::Timeout));
        let answered = self.answers.values().any(|a| matches!(a, Ok(_) | Err(Fault::Exception(_))));
        self.over = outcome == Err(Fault::Refused)
            || self.timeouts >= if answered { PATIENCE } else { SILENT_AFTER }
            || self.answers.len() >= MAX_QUESTIONS;
        outcome
    }

    /// The next request of a plan, as the map counts and as the wire does.
    fn unasked(&self, planner: &Planner, origin: Origin) -> Option<(Block, Block)> {
        let plan = planner.whole()?;
        let moved = plan.blocks.iter().filter_map(|block| Some((*block, origin.block(*block)?)));
        let mut unasked = moved.filter(|(_, block)| !self.answers.contains_key(block));
        unasked.next()
    }
}

/// Asks a busy meter again, a few times.
async fn patient(asker: &mut Asker<'_>, unit: u8, block: Block) -> Result<Vec<u16>, Fault> {
    let gap_ms = asker.gap_ms;
    let mut answer = asker.registers(unit, block).await;
    for _ in 1..TIMES_BUSY {
        if !matches!(answer, Err(Fault::Exception(code)) if LATER.contains(&code)) {
            break;
        }
        asker.gap_ms = BUSY_PAUSE_MS;
        answer = asker.registers(unit, block).await;
    }
    asker.gap_ms = gap_ms;
    answer
}

/// Looks beside the rows that were refused: one address before and after, and by the other function.
pub async fn hints(asker: &mut Asker<'_>, unit: u8, profile: &Profile, answers: &Answers) -> Vec<Hint> {
    const TELLING: [Quantity; 4] =
        [Quantity::VoltageL1, Quantity::VoltageL12, Quantity::Frequency, Quantity::Power];
    let Start::At(origin) = start(profile, answers) else { return Vec::new() };
    let refusal = |row: &Row| match answers.get(&origin.block(row.cell.block())?) {
        Some(Err(Fault::Exception(code @ 1..=2))) => Some(*code),
        Some(_) | None => None,
    };
    let rank = |row: &Row| TELLING.iter().position(|q| *q == row.quantity).unwrap_or(TELLING.len());
    let mut refused: Vec<(Row, u8)> =
        profile.rows.iter().filter_map(|row| Some((*row, refusal(row)?))).collect();
    refused.sort_by_key(|(row, _)| rank(row));
    let mut hints = Vec::new();
    for (row, code) in refused.into_iter().take(MAX_HINTS) {
        let Some(block) = origin.block(row.cell.block()) else { continue };
        for beside in beside(block, code) {
            let Ok(words) = asker.registers(unit, beside).await else { continue };
            if let Some(value) = sheet::as_row(profile, &row, origin, words) {
                hints.push(Hint { quantity: row.quantity, found: beside, value });
            }
        }
    }
    hints
}

/// Where else a refused register may stand: at the next address when the address is unknown, by the other function
/// when the function is.
fn beside(block: Block, code: u8) -> Vec<Block> {
    let other = match block.function {
        Function::Holding => Function::Input,
        Function::Input => Function::Holding,
    };
    let by_other = Block { function: other, ..block };
    if code == 1 {
        return vec![by_other];
    }
    let at = [block.at.checked_sub(1), block.at.checked_add(1)];
    at.into_iter().flatten().map(|at| Block { at, ..block }).chain([by_other]).collect()
}
