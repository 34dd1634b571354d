//! One bus: the program's schedule on one side, the plant on the other, and what the wire does to an answer.

use std::collections::{BTreeMap, BTreeSet};

use coldhearth::{
    metering::{Ask, Block, Fault, Next, Question, Reply, Schedule, Told},
    terms::{Name, Stamp},
};

use super::wall::Wall;
use crate::{chance::Chance, fault::WireFault, plant::Plant};

/// Least time an answer takes, in milliseconds (own assumption: a Modbus TCP meter through a switch).
const ANSWER_LEAST_MS: u64 = 12;
/// What it may take longer, in milliseconds.
const ANSWER_SPREAD: f64 = 24.0;

/// What is wrong with wires at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    units: BTreeMap<u8, WireFault>,
    down: BTreeSet<Name>,
}

impl Faults {
    pub(super) fn set(&mut self, unit: u8, fault: Option<WireFault>) {
        match fault {
            Some(fault) => drop(self.units.insert(unit, fault)),
            None => drop(self.units.remove(&unit)),
        }
    }

    pub(super) fn set_bus(&mut self, bus: Name, is_up: bool) {
        self.down.retain(|down| *down != bus);
        if !is_up {
            self.down.insert(bus);
        }
    }
}

/// What will come of a question.
#[derive(Clone, Copy, Debug)]
enum Coming {
    /// What the unit answers at that moment.
    Answer,
    /// The same, but for one bit of its registers.
    Flipped(u16),
    /// So many zeros, whatever it holds.
    Zeros,
    /// Nothing that can be used.
    Fault(Fault),
    /// The answer comes when nobody waits for it any more.
    TooLate,
}

/// The bus and what is out on it.
#[derive(Debug)]
pub(super) struct Line {
    bus: Name,
    schedule: Schedule,
    out: Option<(Ask, Coming, u64)>,
    asked: u64,
    /// Words of the answer in hand, reused.
    words: Vec<u16>,
}

impl Line {
    pub(super) fn new(bus: Name, schedule: Schedule) -> Line {
        Line { bus, schedule, out: None, asked: 0, words: Vec::new() }
    }

    pub(super) fn poll_every(&mut self, period_ms: u64, uptime_ms: u64) {
        self.schedule.poll_every(period_ms, uptime_ms);
    }

    /// When something happens on it next, in plant time. Puts the questions that are due.
    pub(super) fn next_ms(&mut self, now_ms: u64, wall: &Wall, faults: &Faults, chance: Chance) -> u64 {
        if let Some((_, _, at_ms)) = self.out {
            return at_ms;
        }
        match self.schedule.next(wall.uptime_ms(now_ms)) {
            Next::WaitUntil(uptime_ms) => wall.plant_ms(uptime_ms).max(now_ms),
            Next::Ask(ask) => {
                self.asked += 1;
                let takes = ANSWER_LEAST_MS + spread(chance, self.asked);
                let (coming, takes_ms) = coming(&ask, takes, self.trouble(ask.unit, faults));
                let at_ms = now_ms + u64::from(ask.gap_ms) + takes_ms;
                self.out = Some((ask, coming, at_ms));
                at_ms
            }
        }
    }

    /// What came by now, as the schedule takes it.
    pub(super) fn on_time(&mut self, now_ms: u64, at: &Stamp, plant: &Plant) -> Option<Told> {
        let (ask, coming, _) = self.out.take_if(|(_, _, at_ms)| *at_ms <= now_ms)?;
        let mut said = None;
        let answer = match (coming, ask.question) {
            (Coming::Answer | Coming::Flipped(_), Question::Registers(_)) => {
                plant.answer_into(&ask, &mut self.words).map(|()| {
                    flip(&mut self.words, coming);
                    Reply::Words(&self.words)
                })
            }
            (Coming::Zeros, Question::Registers(Block { count, .. })) => {
                self.words.clear();
                self.words.resize(usize::from(count), 0);
                Ok(Reply::Words(&self.words))
            }
            (
                Coming::Answer | Coming::Flipped(_) | Coming::Zeros,
                Question::DeviceId { .. } | Question::ServerId,
            ) => plant.answer(&ask).map(|answer| said.insert(answer).as_reply()),
            (Coming::Fault(fault), _) => Err(fault),
            (Coming::TooLate, _) => Err(Fault::Timeout),
        };
        if answer.is_err_and(Fault::ends_link) {
            self.schedule.on_link_lost();
        }
        if matches!(coming, Coming::TooLate) {
            self.schedule.on_late_reply(ask.unit);
        }
        Some(self.schedule.on_answer(at, answer))
    }

    fn trouble(&self, unit: u8, faults: &Faults) -> Option<Trouble> {
        if faults.down.contains(&self.bus) {
            return Some(Trouble::Down);
        }
        faults.units.get(&unit).map(|fault| Trouble::Wire(*fault))
    }
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Down,
    Wire(WireFault),
}

/// What will come of a question, and when.
fn coming(ask: &Ask, takes_ms: u64, trouble: Option<Trouble>) -> (Coming, u64) {
    let deadline_ms = u64::from(ask.deadline_ms);
    let Some(trouble) = trouble else { return (Coming::Answer, takes_ms.min(deadline_ms)) };
    match trouble {
        Trouble::Down => (Coming::Fault(Fault::Refused), 1),
        Trouble::Wire(fault) => match fault {
            WireFault::Silent => (Coming::Fault(Fault::Timeout), deadline_ms),
            WireFault::LateMs(late_ms) if late_ms + takes_ms > deadline_ms => (Coming::TooLate, deadline_ms),
            WireFault::LateMs(late_ms) => (Coming::Answer, late_ms + takes_ms),
            WireFault::Exception(code) => (Coming::Fault(Fault::Exception(code)), takes_ms),
            WireFault::TooShort | WireFault::TooLong => (Coming::Fault(Fault::WrongLength), takes_ms),
            WireFault::ForeignUnit | WireFault::ForeignTransaction => {
                (Coming::Fault(Fault::Mismatch), takes_ms)
            }
            WireFault::Garbage => (Coming::Fault(Fault::Garbage), takes_ms),
            WireFault::CutMidFrame | WireFault::Close => (Coming::Fault(Fault::Closed), takes_ms),
            WireFault::ByteByByte | WireFault::Echo => (Coming::Answer, takes_ms),
            WireFault::Zeros => (Coming::Zeros, takes_ms),
            WireFault::Flipped(bit) => (Coming::Flipped(bit), takes_ms),
        },
    }
}

/// Turns the bit of a flipped answer round.
fn flip(words: &mut [u16], coming: Coming) {
    if let Coming::Flipped(bit) = coming
        && let Some(word) = words.get_mut(usize::from(bit / 16))
    {
        *word ^= 0x8000 >> (bit % 16);
    }
}

fn spread(chance: Chance, turn: u64) -> u64 {
    crate::rounding::nearest(chance.unit(turn) * ANSWER_SPREAD).unsigned_abs()
}
