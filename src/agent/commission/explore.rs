//! What stands at one unit number: a machine without a socket that asks as little as it must and tells apart what
//! people mix up. It reads registers only, and only those in which a known meter keeps a voltage, its type or its ratio.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    marks::{self, Note, Seen},
    sheet,
};
use crate::{
    metering::{
        Answers, Block, Fault, Profile, Quantity,
        recognise::{self, Fit, Start},
    },
    terms::Ratio,
};

/// Unanswered questions after which a unit that never answered is called silent.
pub const SILENT_AFTER: usize = 2;
/// Unanswered questions after which a unit that does answer others is left alone.
pub const PATIENCE: usize = 6;
/// Answers that are no Modbus, after which the rest is not asked.
pub const GARBAGE_AFTER: usize = 2;
/// Hung-up connections after which the rest is not asked.
pub const HUNG_UP_AFTER: usize = 2;
/// Most questions to one unit.
pub const MAX_QUESTIONS: usize = 160;
/// The gateway has no way to the unit, or the unit did not answer it.
const FROM_GATEWAY: [u8; 2] = [10, 11];

/// Parts of a candidate's score, in percent.
const SCORE_TYPE: u8 = 60;
const SCORE_VOLTS: u8 = 15;
const SCORE_OTHER_PHASES: u8 = 10;
const SCORE_FREQUENCY: u8 = 15;
/// What a type that was asked for and refused costs.
const COST_TYPE_REFUSED: u8 = 10;

/// A profile that fits what a unit answered.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The map.
    pub profile: Arc<Profile>,
    /// How well it fits, 1 to 100; from 60 on the meter named its own type.
    pub score: u8,
    /// Line-to-line voltage of the system its voltage belongs to, in volts, on the meter's own side if `secondary`.
    pub system_v: Option<i64>,
    /// The voltage it shows, in millivolts, and in which quantity.
    pub volts: Option<Seen>,
    /// Current transformer's ratio as the meter tells it.
    pub ct: Option<Ratio>,
    /// Voltage transformer's ratio as the meter tells it.
    pub pt: Option<Ratio>,
}

/// What stands at a unit number.
#[derive(Clone, Debug)]
pub enum What {
    /// Nothing came.
    Silent,
    /// The gateway answers and says that nobody is there, with exception 10 or 11.
    NobodyBehindGateway(u8),
    /// Something answers, with exceptions only.
    OnlyRefuses(u8),
    /// Every register is zero, whatever is asked: an echo, or a meter without voltage that answers zeros for holes.
    OnlyZeros,
    /// Bytes came that are no answer to what was asked.
    Garbage(Fault),
    /// The connection was accepted and ended.
    HungUp,
    /// Nobody accepts connections.
    Refused,
    /// Something answers that no profile fits.
    Stranger,
    /// One or more profiles fit, the best first.
    Meter(Vec<Candidate>),
}

impl What {
    /// Whether anything answered from that unit itself.
    pub const fn is_there(&self) -> bool {
        match self {
            What::OnlyRefuses(_) | What::OnlyZeros | What::Stranger | What::Meter(_) => true,
            What::Silent | What::NobodyBehindGateway(_) | What::Garbage(_) | What::HungUp | What::Refused => {
                false
            }
        }
    }

    /// The word for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            What::Silent => "silent",
            What::NobodyBehindGateway(_) => "nobody_behind_gateway",
            What::OnlyRefuses(_) => "only_exceptions",
            What::OnlyZeros => "only_zeros",
            What::Garbage(_) => "garbage",
            What::HungUp => "hung_up",
            What::Refused => "refused",
            What::Stranger => "unknown_device",
            What::Meter(_) => "meter",
        }
    }
}

/// What every unit is asked first: where known meters keep a voltage or their type, the most widespread places first.
#[derive(Clone, Debug)]
pub struct Questions {
    profiles: Vec<Arc<Profile>>,
    first: Vec<Block>,
}

impl Questions {
    /// The questions for a set of profiles.
    pub fn of(profiles: &[Arc<Profile>]) -> Questions {
        let mut places: BTreeMap<Block, usize> = BTreeMap::new();
        for profile in profiles {
            for cell in volts(profile).into_iter().chain(recognise::type_blocks(profile)) {
                *places.entry(cell).or_default() += 1;
            }
        }
        let mut first: Vec<(Block, usize)> = places.into_iter().collect();
        first.sort_by_key(|(block, many)| (std::cmp::Reverse(*many), *block));
        let mut first: Vec<Block> = first.into_iter().map(|(block, _)| block).collect();
        // The second knock comes by the other function: some meters know only one of them and pass over the other.
        let other = first.first().map(|knock| knock.function);
        if let Some(second) = first.iter().position(|block| Some(block.function) != other) {
            let block = first.remove(second);
            first.insert(1, block);
        }
        Questions { profiles: profiles.to_vec(), first }
    }

    /// Them, in order.
    pub fn first(&self) -> &[Block] {
        &self.first
    }
}

/// The exploration of one unit.
#[derive(Clone, Debug)]
pub struct Explorer<'a> {
    questions: &'a Questions,
    answers: Answers,
}

impl<'a> Explorer<'a> {
    /// Nothing is known yet.
    pub const fn new(questions: &'a Questions) -> Explorer<'a> {
        Explorer { questions, answers: Answers::new() }
    }

    /// What to read next; nothing once enough is known.
    pub fn next(&self) -> Option<Block> {
        if self.is_settled() {
            return None;
        }
        let unasked = |block: &Block| !self.answers.contains_key(block);
        if let Some(block) = self.questions.first.iter().copied().find(unasked) {
            return Some(block);
        }
        // Whatever answers nothing but zeros has no chain to walk and no details.
        if self.only_zeros() {
            return None;
        }
        let walking = self.questions.profiles.iter().find_map(|profile| {
            match recognise::start(profile, &self.answers) {
                Start::Unread(block) => Some(block),
                Start::At(_) | Start::Absent => None,
            }
        });
        if walking.is_some() {
            return walking;
        }
        let fitting = self.questions.profiles.iter().filter(|profile| self.fits(profile));
        fitting.flat_map(|profile| self.details(profile)).find(unasked)
    }

    /// Takes what came of a question.
    pub fn on_answer(&mut self, block: Block, answer: Result<Vec<u16>, Fault>) {
        self.answers.insert(block, answer);
    }

    /// Every answer so far, for a person who wants to see them.
    pub const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Whether questions were left out because the unit passed over too many.
    pub fn was_cut_short(&self) -> bool {
        self.has_answered()
            && (self.count(|f| f == Fault::Timeout) >= PATIENCE || self.answers.len() >= MAX_QUESTIONS)
    }

    /// What stands there, as far as it is known.
    pub fn what(&self) -> What {
        if let Some(code) = self.gateway_says_nobody() {
            return What::NobodyBehindGateway(code);
        }
        let candidates = self.candidates();
        if !candidates.is_empty() {
            return What::Meter(candidates);
        }
        let has_words = self.answers.values().any(Result::is_ok);
        match (has_words, self.faults().find_map(exception)) {
            (true, _) if self.only_zeros() => What::OnlyZeros,
            (true, _) => What::Stranger,
            (false, Some(code)) => What::OnlyRefuses(code),
            (false, None) => self.without_an_answer(),
        }
    }

    /// Registers were read, none was refused, and all of them are zero.
    fn only_zeros(&self) -> bool {
        let mut words = self.answers.values().filter_map(|answer| answer.as_ref().ok()).peekable();
        words.peek().is_some()
            && words.all(|words| words.iter().all(|word| *word == 0))
            && !self.faults().any(|fault| exception(fault).is_some())
    }

    fn without_an_answer(&self) -> What {
        if let Some(fault) = self.faults().find(|fault| is_garbage(*fault)) {
            return What::Garbage(fault);
        }
        if self.faults().any(|fault| fault == Fault::Closed) {
            return What::HungUp;
        }
        if self.faults().any(|fault| fault == Fault::Refused) { What::Refused } else { What::Silent }
    }

    fn is_settled(&self) -> bool {
        let timeouts = self.count(|fault| fault == Fault::Timeout);
        self.gateway_says_nobody().is_some()
            || self.answers.len() >= MAX_QUESTIONS
            || timeouts >= if self.has_answered() { PATIENCE } else { SILENT_AFTER }
            || self.count(is_garbage) >= GARBAGE_AFTER
            || self.count(|fault| fault == Fault::Closed) >= HUNG_UP_AFTER
            || self.count(|fault| fault == Fault::Refused) > 0
    }

    /// Exceptions 10 and 11 come from a gateway. Two of them, so that one slow moment is no verdict.
    fn gateway_says_nobody(&self) -> Option<u8> {
        let said = self.faults().filter_map(exception).filter(|code| FROM_GATEWAY.contains(code));
        let last = said.clone().last()?;
        (said.count() >= 2 && !self.has_answered()).then_some(last)
    }

    /// Whether the unit itself said anything.
    fn has_answered(&self) -> bool {
        self.answers.values().any(|answer| match answer {
            Ok(_) => true,
            Err(fault) => exception(*fault).is_some_and(|code| !FROM_GATEWAY.contains(&code)),
        })
    }

    fn faults(&self) -> impl Iterator<Item = Fault> + Clone + '_ {
        self.answers.values().filter_map(|answer| answer.as_ref().err().copied())
    }

    fn count(&self, which: impl Fn(Fault) -> bool) -> usize {
        self.faults().filter(|fault| which(*fault)).count()
    }

    /// Whether a profile deserves the questions of its details.
    fn fits(&self, profile: &Profile) -> bool {
        match recognise::fit(profile, &self.answers) {
            Fit::Fits => true,
            Fit::Differs => false,
            Fit::Untold | Fit::Unanswered => self.volts_seen(profile).is_some(),
        }
    }

    /// The voltage of the first phase, if it is one of a system in use.
    fn volts_seen(&self, profile: &Profile) -> Option<(Seen, i64)> {
        let seen = sheet::values(profile, &self.answers);
        let fits = |seen: &Seen| marks::system_of(seen.quantity, seen.value).map(|system| (*seen, system));
        seen.iter().find_map(fits)
    }

    /// What tells a profile that fits from one that fits by chance, and what its configuration needs.
    fn details(&self, profile: &Profile) -> Vec<Block> {
        const TELLING: [Quantity; 5] = [
            Quantity::VoltageL1,
            Quantity::VoltageL2,
            Quantity::VoltageL3,
            Quantity::VoltageL12,
            Quantity::Frequency,
        ];
        let Start::At(origin) = recognise::start(profile, &self.answers) else { return Vec::new() };
        let rows = TELLING.into_iter().filter_map(|quantity| profile.row(quantity));
        let cells = rows.flat_map(|row| row.cell.blocks()).filter_map(|block| origin.block(block));
        cells.chain(profile.ratio_blocks()).collect()
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut all: Vec<Candidate> =
            self.questions.profiles.iter().filter_map(|profile| self.candidate(profile)).collect();
        all.sort_by_key(|candidate| (std::cmp::Reverse(candidate.score), candidate.profile.id));
        all
    }

    fn candidate(&self, profile: &Arc<Profile>) -> Option<Candidate> {
        if !self.fits(profile) {
            return None;
        }
        let seen = sheet::values(profile, &self.answers);
        let volts = self.volts_seen(profile);
        let typed = recognise::fit(profile, &self.answers) == Fit::Fits;
        let marks = marks::marks(&seen, None);
        let good = |wanted: &[Quantity]| {
            let of: Vec<Note> =
                marks.iter().filter(|m| wanted.contains(&m.quantity)).map(|mark| mark.note).collect();
            !of.is_empty() && of.iter().all(|note| note.is_good())
        };
        let part = |holds: bool, score: u8| if holds { score } else { 0 };
        let score = part(typed, SCORE_TYPE)
            + part(volts.is_some(), SCORE_VOLTS)
            + part(good(&[Quantity::VoltageL2, Quantity::VoltageL3]), SCORE_OTHER_PHASES)
            + part(good(&[Quantity::Frequency]), SCORE_FREQUENCY);
        let refused = !typed && !profile.identify.is_empty();
        let told = sheet::told(profile, &self.answers);
        Some(Candidate {
            profile: profile.clone(),
            score: score.saturating_sub(part(refused, COST_TYPE_REFUSED)).max(1),
            system_v: volts.map(|(_, system)| system),
            volts: volts.map(|(seen, _)| seen),
            ct: told.ct,
            pt: told.pt,
        })
    }
}

/// Where a profile with fixed addresses keeps the first voltage.
fn volts(profile: &Profile) -> Option<Block> {
    let row = profile.row(Quantity::VoltageL1).or_else(|| profile.row(Quantity::VoltageL12))?;
    profile.chain.is_none().then(|| row.cell.block())
}

const fn exception(fault: Fault) -> Option<u8> {
    if let Fault::Exception(code) = fault { Some(code) } else { None }
}

const fn is_garbage(fault: Fault) -> bool {
    matches!(fault, Fault::Garbage | Fault::Mismatch | Fault::WrongLength)
}
