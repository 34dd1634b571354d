//! Who is asked what when on one bus. A state machine without a socket: [`Schedule::next`] says what to do,
//! [`Schedule::on_answer`] takes what came of it, [`Schedule::on_link_lost`] hears that the connection is gone.

mod check;
mod pace;
mod plate;
mod watch;

pub use self::{
    pace::{BREAKER_FAILURES, MAX_BACKOFF_MS, SILENT_SHARE_PERCENT},
    plate::{MAX_PLATE_WORDS, PLATE_PERIOD_MS, PlatePoint},
    watch::{
        BUSY_PAUSE_MS, IDENTITY_BUDGET_DEADLINES, IDENTITY_PERIOD_MS, LEAN_EVERY, LEAN_POLLS,
        MAX_BUSY_RETRIES, MeterPoint, POLL_BUDGET_DEADLINES, RETRY_REFUSED_MS, RETRY_ROUTE_MS, STEP_LEAST_MW,
        STEP_PAUSE_MS, STEP_PERCENT,
    },
};
use self::{
    pace::{Pace, Share},
    plate::Plate,
    watch::{After, Visit, Watch},
};
use super::{Answer, Ask, Fault, Question, Reply, Sample, Tally};
use crate::terms::{MeterId, Stamp};

/// The first turns of a bus start on one of so many parts of the period, so that they do not all fall together.
const PHASES: u64 = 16;
/// Most meters of one bus that share a wake-up; further ones start on the next part of the period.
pub const MAX_TOGETHER: u64 = 50;
/// Where in the period the turns of a bus begin, so that not all buses of a gateway speak at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    part: u64,
    of: u64,
}

impl Phase {
    /// The phase of one of so many buses, counted from 0, of which so many begin `together`.
    pub fn of_bus(place: u64, buses: u64, together: u64) -> Phase {
        let of = buses.div_ceil(together.max(1)).max(1);
        Phase { part: place % of, of }
    }

    /// How long after the period's beginning, in milliseconds, the turns of the meters begin that stand at this place on
    /// the bus.
    fn after_ms(self, period_ms: u64, place: u64) -> u64 {
        let whole = PHASES * self.of;
        let part = PHASES * self.part + place / MAX_TOGETHER * self.of;
        period_ms * (part % whole) / whole
    }
}

/// What one answer came to: none, one or two samples. Two where who the meter is decides the poll too.
pub type Told = heapless::Vec<Sample, 2>;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask this now.
    Ask(Ask),
    /// Nothing is due before this uptime, in milliseconds.
    WaitUntil(u64),
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all subjects are meters")]
enum Subject {
    Meter(Watch),
    Plate(Plate),
}

#[derive(Debug)]
struct Turn {
    subject: Subject,
    pace: Pace,
    /// Its last poll ended with this.
    last: Option<Fault>,
}

impl Turn {
    const fn unit(&self) -> u8 {
        match &self.subject {
            Subject::Meter(watch) => watch.point.unit,
            Subject::Plate(plate) => plate.point.unit,
        }
    }

    fn deadline_ms(&self) -> u32 {
        match &self.subject {
            Subject::Meter(watch) => watch.point.deadline_ms(),
            Subject::Plate(plate) => plate.point.timeout_ms,
        }
    }

    fn gap_ms(&self) -> u32 {
        match &self.subject {
            Subject::Meter(watch) => watch.point.gap_ms(),
            Subject::Plate(_) => 0,
        }
    }

    /// Time between two polls of a subject that answers, or is only asked so often because it does not.
    fn period_ms(&self, failed: bool) -> u64 {
        match &self.subject {
            Subject::Meter(watch) => watch.point.period_ms,
            Subject::Plate(_) if failed => MAX_BACKOFF_MS,
            Subject::Plate(_) => PLATE_PERIOD_MS,
        }
    }
}

/// The question that is out.
#[derive(Clone, Copy, Debug)]
struct Asked {
    question: Question,
    /// When it was given out, its pause included.
    from_ms: u64,
}

/// The polls of one bus, one request in flight.
#[derive(Debug)]
pub struct Schedule {
    turns: Vec<Turn>,
    /// Whose poll is in progress.
    busy_with: Option<usize>,
    visit: Visit,
    asked: Option<Asked>,
    /// When the bus was last used.
    spoke_ms: Option<u64>,
    silence: Share,
    /// Wall time at uptime zero, in Unix milliseconds, as far as an answer has told it.
    wall_zero: i64,
    /// The last poll found nobody at the endpoint.
    is_down: bool,
    /// Which interval of UTC the last answer came in, counted from 1970.
    interval: Option<i64>,
}

impl Schedule {
    /// Plans the polls of a bus. `phase` spreads the first polls of several buses over the period.
    /// Meters whose profile cannot be planned are left out; `Profile::parse` refuses such profiles.
    pub fn new(meters: Vec<MeterPoint>, plates: Vec<PlatePoint>, start_ms: u64, phase: u64) -> Schedule {
        Schedule::sharing(meters, plates, start_ms, Phase { part: phase % PHASES, of: PHASES })
    }

    /// As [`Schedule::new`], for a bus whose gateway has so many that several begin together. They share a wake-up only
    /// if `start_ms` is the same for all of them.
    pub fn sharing(
        meters: Vec<MeterPoint>,
        plates: Vec<PlatePoint>,
        start_ms: u64,
        phase: Phase,
    ) -> Schedule {
        let meters = (0..).zip(meters).filter_map(|(place, point): (u64, _)| {
            let point = MeterPoint { period_ms: point.period_ms.max(1), ..point };
            let pace = Pace::starting(start_ms + phase.after_ms(point.period_ms, place));
            Some(Turn { subject: Subject::Meter(Watch::of(point)?), pace, last: None })
        });
        let plates = plates.into_iter().map(|point| Turn {
            subject: Subject::Plate(Plate::of(point)),
            pace: Pace::starting(start_ms),
            last: None,
        });
        Schedule {
            turns: meters.chain(plates).collect(),
            busy_with: None,
            visit: Visit::default(),
            asked: None,
            spoke_ms: None,
            silence: Share::default(),
            wall_zero: 0,
            is_down: false,
            interval: None,
        }
    }

    /// What to do at this uptime (milliseconds).
    pub fn next(&mut self, uptime_ms: u64) -> Next {
        if self.busy_with.is_none() {
            match self.choose(uptime_ms) {
                Ok(place) => self.begin(place, uptime_ms),
                Err(due_ms) => return Next::WaitUntil(due_ms),
            }
        }
        match self.ask(uptime_ms) {
            Some(ask) => Next::Ask(ask),
            None => {
                self.give_up(uptime_ms);
                Next::WaitUntil(uptime_ms)
            }
        }
    }

    /// The connection has ended, or was given up: the next question goes out over a new one. Until a meter has said over
    /// that who it is, its values do not count. Called by whoever owns the connection, before or after
    /// [`Schedule::on_answer`] hears of the fault that ended it; a serial line that was only drained is no new one.
    pub fn on_link_lost(&mut self) {
        for turn in &mut self.turns {
            match &mut turn.subject {
                Subject::Meter(watch) => watch.on_link_lost(),
                Subject::Plate(_) => {}
            }
        }
    }

    /// Every meter is polled so often from now on, in milliseconds; who would wait for longer waits no longer than that.
    /// A meter that was silent is left alone for as long as its silence has earned it.
    pub fn poll_every(&mut self, period_ms: u64, uptime_ms: u64) {
        let period_ms = period_ms.max(1);
        for turn in &mut self.turns {
            if let Subject::Meter(watch) = &mut turn.subject {
                watch.point.period_ms = period_ms;
                if !turn.pace.is_open() {
                    turn.pace.due_ms = turn.pace.due_ms.min(uptime_ms.saturating_add(period_ms));
                }
            }
        }
    }

    /// An answer of this unit came after nobody waited for it any more, and was thrown away.
    pub fn on_late_reply(&mut self, unit: u8) {
        for turn in self.turns.iter_mut().filter(|turn| turn.unit() == unit) {
            match &mut turn.subject {
                Subject::Meter(watch) => watch.tally.late_replies += 1,
                Subject::Plate(_) => {}
            }
        }
    }

    /// What was counted about each meter, in the order they were given.
    pub fn tallies(&self) -> impl Iterator<Item = (MeterId, &Tally)> {
        self.turns.iter().filter_map(|turn| match &turn.subject {
            Subject::Meter(watch) => Some((watch.point.meter, &watch.tally)),
            Subject::Plate(_) => None,
        })
    }

    /// Whether an interval of [`IDENTITY_PERIOD_MS`] has ended since this was asked last: time for a summary.
    pub fn interval_ended(&mut self, at: &Stamp) -> bool {
        let interval = at.wall_unix_ms.div_euclid(IDENTITY_PERIOD_MS.cast_signed());
        self.interval.replace(interval).is_some_and(|before| before != interval)
    }

    /// Takes what came of the question [`Schedule::next`] gave last. A poll that is complete, or has failed, yields its
    /// sample; beside it may stand who the meter said it is. An answer to no question is no answer.
    pub fn on_answer(&mut self, at: &Stamp, answer: Answer<'_>) -> Told {
        let mut told = Told::new();
        let (Some(place), Some(asked)) = (self.busy_with, self.asked.take()) else { return told };
        let Some(turn) = self.turns.get_mut(place) else { return told };
        self.wall_zero = at.wall_unix_ms.saturating_sub_unsigned(at.uptime_ms);
        self.spoke_ms = Some(at.uptime_ms);
        let answer = fitting(asked.question, answer);
        let after = match &mut turn.subject {
            Subject::Meter(watch) => {
                watch.count(answer.err(), at.uptime_ms.saturating_sub(asked.from_ms));
                watch.on_answer(&mut self.visit, at, answer, &mut told)
            }
            Subject::Plate(plate) => plate_after(plate, at, answer, &mut told),
        };
        match after {
            After::Ask => {}
            After::Park => {
                turn.pace.again_ms = Some(at.uptime_ms + BUSY_PAUSE_MS);
                self.busy_with = None;
            }
            After::Aside => {
                turn.pace.due_ms = at.uptime_ms;
                self.busy_with = None;
            }
            After::Over(fault) => self.settle(place, fault, at.uptime_ms),
        }
        if answer.is_ok() && std::mem::take(&mut self.is_down) {
            self.wake_all(at.uptime_ms);
        }
        told
    }

    /// The turn to take now, or when the next one comes. Whoever has waited longest goes first; a meter known to be
    /// silent only if silence has not cost too much of the bus's time already, or if nobody else would have to wait.
    fn choose(&mut self, uptime_ms: u64) -> Result<usize, u64> {
        let soonest = |is_open: bool| {
            let turns = self.turns.iter().enumerate().filter(|(_, turn)| turn.pace.is_open() == is_open);
            turns.map(|(place, turn)| (turn.pace.at_ms(), place)).min()
        };
        let (healthy, silent) = (soonest(false), soonest(true));
        let free_ms = self.silence.free_ms(uptime_ms);
        let silent = silent.map(|(at_ms, place)| {
            let deadline_ms = self.turns.get(place).map_or(0, Turn::deadline_ms);
            let is_idle = healthy.is_none_or(|(at_ms, _)| at_ms > uptime_ms + u64::from(deadline_ms));
            (if is_idle { at_ms } else { at_ms.max(free_ms) }, place)
        });
        match [healthy, silent].into_iter().flatten().min() {
            Some((at_ms, place)) if at_ms <= uptime_ms => Ok(place),
            Some((at_ms, _)) => Err(at_ms),
            None => Err(u64::MAX),
        }
    }

    fn begin(&mut self, place: usize, uptime_ms: u64) {
        let Some(turn) = self.turns.get_mut(place) else { return };
        self.busy_with = Some(place);
        if let Subject::Meter(watch) = &mut turn.subject {
            let wall_ms = self.wall_zero.saturating_add_unsigned(uptime_ms);
            watch.begin(&mut self.visit, turn.pace.due_ms, uptime_ms, wall_ms);
        }
    }

    fn ask(&mut self, uptime_ms: u64) -> Option<Ask> {
        let turn = self.turns.get_mut(self.busy_with?)?;
        let question = match &mut turn.subject {
            Subject::Meter(watch) => watch.question(&mut self.visit, uptime_ms)?,
            Subject::Plate(plate) => Question::Registers(plate.block()?),
        };
        // The pause is kept on the bus, whoever spoke last.
        let since_ms = self.spoke_ms.map_or(u64::MAX, |spoke_ms| uptime_ms.saturating_sub(spoke_ms));
        let gap_ms = turn.gap_ms().saturating_sub(u32::try_from(since_ms).unwrap_or(u32::MAX));
        self.asked = Some(Asked { question, from_ms: uptime_ms + u64::from(gap_ms) });
        Some(Ask { unit: turn.unit(), question, deadline_ms: turn.deadline_ms(), gap_ms })
    }

    /// Leaves out a poll that cannot be asked for, so that it never holds up the others.
    fn give_up(&mut self, uptime_ms: u64) {
        self.asked = None;
        if let Some(place) = self.busy_with {
            self.settle(place, Some(Fault::NotAPlate), uptime_ms);
        }
    }

    /// A poll has come to its end.
    fn settle(&mut self, place: usize, fault: Option<Fault>, uptime_ms: u64) {
        self.busy_with = None;
        let Some(turn) = self.turns.get_mut(place) else { return };
        let is_silence = fault.is_some_and(watch::counts_as_silence);
        if is_silence && turn.pace.is_open() {
            self.silence.spend(uptime_ms.saturating_sub(self.visit.began_ms()), uptime_ms);
        }
        self.is_down |= fault == Some(Fault::Refused);
        turn.last = fault;
        let has_opened = turn.pace.settle(is_silence, turn.period_ms(fault.is_some()), uptime_ms);
        match &mut turn.subject {
            Subject::Meter(watch) => {
                watch.settle(fault, uptime_ms.saturating_sub(self.visit.began_ms()));
                watch.tally.breaker_openings += u64::from(has_opened);
                if has_opened {
                    watch.on_silence();
                }
            }
            Subject::Plate(_) => {}
        }
    }

    /// The endpoint is back: nobody is left alone any longer for its absence.
    fn wake_all(&mut self, uptime_ms: u64) {
        for turn in self.turns.iter_mut().filter(|turn| turn.last == Some(Fault::Refused)) {
            turn.pace.due_ms = turn.pace.due_ms.min(uptime_ms);
        }
    }
}

/// An answer counts only as what was asked for.
fn fitting(question: Question, answer: Answer<'_>) -> Answer<'_> {
    match (question, answer?) {
        (Question::Registers(block), Reply::Words(words)) if words.len() == usize::from(block.count) => {
            Ok(Reply::Words(words))
        }
        (Question::Registers(_), Reply::Words(_)) => Err(Fault::WrongLength),
        (Question::DeviceId { .. }, reply @ Reply::DeviceId(_)) => Ok(reply),
        (Question::ServerId, reply @ Reply::ServerId(_)) => Ok(reply),
        (
            Question::Registers(_) | Question::DeviceId { .. } | Question::ServerId,
            Reply::Words(_) | Reply::DeviceId(_) | Reply::ServerId(_),
        ) => Err(Fault::Mismatch),
    }
}

/// A nameplate is read a piece at a time; meters that are due go between.
fn plate_after(plate: &mut Plate, at: &Stamp, answer: Answer<'_>, told: &mut Told) -> After {
    let words = answer.and_then(|reply| reply.words().ok_or(Fault::Mismatch));
    let Some(sample) = plate.on_answer(at, words) else { return After::Aside };
    let fault = match &sample {
        Sample::PlateMiss { fault, .. } => Some(*fault),
        Sample::Plate { .. }
        | Sample::Reading(_)
        | Sample::Miss { .. }
        | Sample::Identity { .. }
        | Sample::IdentityMiss { .. } => None,
    };
    watch::tell(told, sample);
    After::Over(fault)
}

#[cfg(test)]
mod tests;
