//! One meter on a bus: who it is comes before what it reads, and what it refuses is asked in other words.

use std::sync::Arc;

use super::super::{
    Answer, Fault, Inquiry, Plan, Profile, Quantity, Question, Reading, Sample, Scan, Tally,
    decode::{Applied, Declared, decode_with},
    identity::{Route, Routes},
    plan::{Breadth, Planner},
    profile::Origin,
    reading::requests,
    scan::Block,
};
use super::Told;
use crate::terms::{Digest, MeterId, Stamp};

/// Identity, ratio and wiring words are read at both ends of every interval of so many milliseconds, aligned to UTC.
pub const IDENTITY_PERIOD_MS: u64 = 900_000;
/// They are read after a change of power by more than this share of the largest power seen, in per cent ...
pub const STEP_PERCENT: i64 = 10;
/// ... and by more than this many milliwatts, so that a feeder's noise is no step ...
pub const STEP_LEAST_MW: i64 = 1_000_000;
/// ... but for this reason not more often than that, in milliseconds.
pub const STEP_PAUSE_MS: u64 = 60_000;
/// A poll of several requests may take so many times the deadline of one.
pub const POLL_BUDGET_DEADLINES: u64 = 2;
/// Finding out who a meter is, a chain of models included, may take so many times that deadline.
pub const IDENTITY_BUDGET_DEADLINES: u64 = 10;
/// A meter that says it is busy is asked so many times more for one poll ...
pub const MAX_BUSY_RETRIES: u8 = 2;
/// ... after this pause, in milliseconds, in which others are asked.
pub const BUSY_PAUSE_MS: u64 = 250;
/// After falling behind by a period, so many polls read only what a verdict needs ...
pub const LEAN_POLLS: u32 = 60;
/// ... but for each of so many.
pub const LEAN_EVERY: u32 = 10;
/// What a meter refused is tried again after so many milliseconds.
pub const RETRY_REFUSED_MS: u64 = 900_000;
/// A route to the identity that was silent is tried again after so many milliseconds: the meter may be another one.
pub const RETRY_ROUTE_MS: u64 = 86_400_000;

/// A meter to poll.
#[derive(Clone, Debug)]
pub struct MeterPoint {
    /// Whose readings these are.
    pub meter: MeterId,
    /// Its Modbus unit address.
    pub unit: u8,
    /// Its register map.
    pub profile: Arc<Profile>,
    /// Ratios declared at commissioning.
    pub declared: Declared,
    /// Time between two polls, in milliseconds.
    pub period_ms: u64,
    /// Overrides the profile's answer time, in milliseconds.
    pub timeout_ms: Option<u32>,
}

impl MeterPoint {
    pub(super) fn deadline_ms(&self) -> u32 {
        self.timeout_ms.unwrap_or(self.profile.timeout_ms)
    }

    pub(super) fn gap_ms(&self) -> u32 {
        self.profile.gap_ms
    }
}

/// What the schedule does after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Goes on with this poll.
    Ask,
    /// Asks again after [`BUSY_PAUSE_MS`]; others go first.
    Park,
    /// Goes on as soon as nobody waits who has waited longer.
    Aside,
    /// The poll is over.
    Over(Option<Fault>),
}

/// How a fault is dealt with.
pub(super) enum Trouble {
    /// Nobody is there, or nobody can be reached: the rest of the cycle would only wait.
    Silence,
    /// There are no such registers.
    Refusal,
    /// The meter has no time now.
    Busy,
    /// Noise on the line: once more may do.
    Noise,
    /// Whatever else the meter may have against this one question.
    Objection,
}

pub(super) fn trouble(fault: Fault) -> Trouble {
    match fault {
        _ if fault.is_refusal() => Trouble::Refusal,
        Fault::Timeout | Fault::Closed | Fault::Refused | Fault::Exception(10 | 11) => Trouble::Silence,
        Fault::Exception(5 | 6) => Trouble::Busy,
        Fault::WrongLength | Fault::Mismatch | Fault::Garbage => Trouble::Noise,
        Fault::Exception(_)
        | Fault::RatioUnknown
        | Fault::RatioDiffers
        | Fault::WrongModel
        | Fault::NotAPlate => Trouble::Objection,
    }
}

/// Whether a poll that ended so counts against the meter's breaker: one that refuses is there all the same, but one that
/// is another model has nothing to say until somebody changes it, however much of the bus it takes to say so.
pub(super) fn counts_as_silence(fault: Fault) -> bool {
    match trouble(fault) {
        Trouble::Silence | Trouble::Noise => true,
        Trouble::Refusal | Trouble::Busy => false,
        Trouble::Objection => matches!(fault, Fault::NotAPlate | Fault::WrongModel),
    }
}

/// The poll in progress on a bus, of whichever meter.
#[derive(Debug, Default)]
pub(super) struct Visit {
    scan: Scan,
    block: usize,
    began_ms: u64,
    stage: Stage,
    /// The present question was put again because of noise.
    again: bool,
    /// Why a block is missing from the scan.
    missing: Option<Fault>,
}

/// What a poll is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Reading the rows of the map.
    #[default]
    Values,
    /// Finding out who the meter is.
    Identity,
}

impl Visit {
    pub(super) fn start_over(&mut self, stage: Stage) {
        self.scan.clear();
        (self.stage, self.block, self.missing) = (stage, 0, None);
    }

    /// Marks the present question as put again; whether it was marked already.
    pub(super) const fn put_again(&mut self) -> bool {
        std::mem::replace(&mut self.again, true)
    }

    /// Whether the question just answered had been put again.
    pub(super) const fn take_again(&mut self) -> bool {
        std::mem::replace(&mut self.again, false)
    }

    pub(super) const fn began_ms(&self) -> u64 {
        self.began_ms
    }
}

/// One meter and what is known of it.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) point: MeterPoint,
    pub(super) tally: Tally,
    rows: Planner,
    whole: Plan,
    needed: Plan,
    pub(super) inquiry: Inquiry,
    /// Functions 43 and 17 where the map itself does not tell the serial number.
    pub(super) routes: Routes,
    /// Those of them that gave nothing.
    pub(super) silent: Routes,
    /// Those of them that gave nothing before the meter had answered anything: it may have been silent altogether.
    pub(super) suspects: Routes,
    /// Those of them that have answered: if one falls silent, so has the meter.
    pub(super) proven: Routes,
    pub(super) routes_tried_ms: u64,
    /// Whether the meter has told who it is over the present connection.
    pub(super) checked: bool,
    /// What multiplies the values, or why nothing can.
    pub(super) terms: Result<Applied, Fault>,
    pub(super) origin: Origin,
    /// The last thing it objected to when asked who it is.
    pub(super) objection: Option<Fault>,
    pub(super) fingerprint: Option<Digest>,
    pub(super) checked_ms: u64,
    /// Wall time of the end of the interval in which the identity was read, in Unix milliseconds.
    pub(super) interval_ends: i64,
    /// Power when the identity was last read, the largest seen, and whether a step from the one asks for another reading.
    pub(super) power_then: Option<i64>,
    power_peak: i64,
    pub(super) stepped: bool,
    /// The connection was lost since the present inquiry began.
    pub(super) lost: bool,
    reconnected: bool,
    forgot_ms: u64,
    /// Something was refused in this poll; something was answered; and this poll tries again what the last one learned.
    learned: bool,
    answered: bool,
    confirming: bool,
    busy: u8,
    lean: u32,
    polls: u32,
}

impl Watch {
    /// `None` for a profile that cannot be planned; `Profile::parse` refuses such profiles.
    pub(super) fn of(point: MeterPoint) -> Option<Watch> {
        let rows = Planner::rows(&point.profile)?;
        let (whole, needed) = (rows.whole()?, rows.plan(Breadth::Needed)?);
        let inquiry = Inquiry::new(Some(point.profile.clone()));
        let mut routes = Routes::default();
        let asked = inquiry.routes().filter(|route| matches!(route, Route::DeviceId | Route::ServerId));
        asked.for_each(|route| routes.add(route));
        Some(Watch {
            tally: Tally::default(),
            rows,
            whole,
            needed,
            inquiry,
            routes,
            silent: Routes::default(),
            suspects: Routes::default(),
            proven: Routes::default(),
            routes_tried_ms: 0,
            checked: false,
            terms: Err(Fault::RatioUnknown),
            origin: Origin::FIXED,
            objection: None,
            fingerprint: None,
            checked_ms: 0,
            interval_ends: i64::MIN,
            power_then: None,
            power_peak: 0,
            stepped: false,
            lost: false,
            reconnected: false,
            forgot_ms: 0,
            learned: false,
            answered: false,
            confirming: false,
            busy: 0,
            lean: 0,
            polls: 0,
            point,
        })
    }

    /// The connection is gone. Whoever answers over the next one has to say first who he is.
    pub(super) fn on_link_lost(&mut self) {
        (self.checked, self.lost, self.reconnected) = (false, true, true);
        self.terms = Err(Fault::RatioUnknown);
    }

    /// It has been silent for several polls, long enough to be exchanged: whoever answers next has to say first who he is.
    pub(super) fn on_silence(&mut self) {
        self.checked = false;
    }

    /// Begins a poll that was due at `due_ms`. `wall_ms` is the wall time now, as far as it is known.
    pub(super) fn begin(&mut self, visit: &mut Visit, due_ms: u64, uptime_ms: u64, wall_ms: i64) {
        if uptime_ms.saturating_sub(due_ms) >= self.point.period_ms {
            self.lean = LEAN_POLLS;
        }
        self.polls = self.polls.wrapping_add(1);
        let is_hurt = self.reconnected || !self.rows.is_unhurt();
        if is_hurt && uptime_ms.saturating_sub(self.forgot_ms) >= RETRY_REFUSED_MS {
            self.forget(uptime_ms);
        }
        let is_interval_over =
            wall_ms >= self.interval_ends || uptime_ms.saturating_sub(self.checked_ms) >= IDENTITY_PERIOD_MS;
        *visit = Visit { began_ms: uptime_ms, ..Visit::default() };
        let is_step_due = self.stepped && uptime_ms.saturating_sub(self.checked_ms) >= STEP_PAUSE_MS;
        if !self.checked || self.terms.is_err() || is_interval_over || is_step_due {
            self.begin_identity(visit, uptime_ms);
        }
    }

    /// A question came to its end after this time.
    pub(super) fn count(&mut self, fault: Option<Fault>, took_ms: u64) {
        self.tally.requests += 1;
        match fault {
            Some(fault) => self.tally.on_fault(fault, took_ms),
            None => self.tally.on_reply(took_ms),
        }
    }

    /// What to ask next. Values are only asked of a meter that has said over this connection who it is.
    pub(super) fn question(&mut self, visit: &mut Visit, uptime_ms: u64) -> Option<Question> {
        if self.lost || (!self.checked && visit.stage == Stage::Values) {
            self.begin_identity(visit, uptime_ms);
        }
        match visit.stage {
            Stage::Identity => self.inquiry.question(),
            Stage::Values => {
                let block = *self.plan().blocks.get(visit.block)?;
                self.origin.block(block).map(Question::Registers)
            }
        }
    }

    fn plan(&self) -> &Plan {
        if self.lean > 0 && !self.polls.is_multiple_of(LEAN_EVERY) { &self.needed } else { &self.whole }
    }

    /// The poll is over, whatever it came to.
    pub(super) fn settle(&mut self, failed: Option<Fault>, took_ms: u64) {
        self.tally.polls += 1;
        self.tally.misses += u64::from(failed.is_some());
        self.tally.recovered += u64::from(failed.is_none() && self.busy > 0);
        self.busy = 0;
        self.weigh_refusals();
        self.lean = if took_ms > self.point.period_ms { LEAN_POLLS } else { self.lean.saturating_sub(1) };
    }

    pub(super) fn on_answer(
        &mut self,
        visit: &mut Visit,
        at: &Stamp,
        answer: Answer<'_>,
        told: &mut Told,
    ) -> After {
        match visit.stage {
            Stage::Identity => self.on_identity(visit, at, answer, told),
            Stage::Values => self.on_values(visit, at, answer, told),
        }
    }
}

impl Watch {
    fn on_values(&mut self, visit: &mut Visit, at: &Stamp, answer: Answer<'_>, told: &mut Told) -> After {
        let Some(block) = self.plan().blocks.get(visit.block).copied() else {
            return self.miss(Fault::WrongLength, at, told);
        };
        match answer {
            // Over a connection that is gone by now: the poll begins anew.
            Ok(_) if self.lost => return After::Ask,
            Ok(reply) => {
                let block = self.origin.block(block).zip(reply.words());
                let came = block.is_some_and(|(block, words)| visit.scan.push(block, words));
                self.tally.recovered += u64::from(visit.take_again() && came);
                self.answered |= came;
                visit.missing = visit.missing.or((!came).then_some(Fault::WrongLength));
                visit.block += 1;
            }
            Err(fault) => match trouble(fault) {
                Trouble::Silence => return self.miss(fault, at, told),
                Trouble::Busy => return self.park(fault, at, told),
                Trouble::Refusal if self.learn(block) => {
                    visit.start_over(Stage::Values);
                }
                Trouble::Refusal => return self.miss(fault, at, told),
                // What cost the connection was no noise.
                Trouble::Noise if !self.lost && !visit.put_again() => return After::Ask,
                Trouble::Noise | Trouble::Objection => {
                    visit.missing = visit.missing.or(Some(fault));
                    (visit.again, visit.block) = (false, visit.block + 1);
                }
            },
        }
        if visit.block >= self.plan().blocks.len() {
            return self.finish(visit, at, told);
        }
        // Answers that each come just in time must not hold the bus for ever.
        let took_ms = at.uptime_ms.saturating_sub(visit.began_ms);
        if took_ms > POLL_BUDGET_DEADLINES * u64::from(self.point.deadline_ms()) {
            return self.miss(answer.err().unwrap_or(Fault::Timeout), at, told);
        }
        After::Ask
    }

    /// Everything has been asked: a reading, unless nothing came or what came shows no power though the map has it.
    fn finish(&mut self, visit: &mut Visit, at: &Stamp, told: &mut Told) -> After {
        let ratios = match self.terms {
            Ok(ratios) => ratios,
            Err(fault) => return self.miss(fault, at, told),
        };
        if visit.scan.blocks().next().is_none() {
            return self.miss(visit.missing.unwrap_or(Fault::WrongLength), at, told);
        }
        let profile = &self.point.profile;
        let decoded = decode_with(profile, ratios, self.origin, &visit.scan);
        let reading = Reading {
            meter: self.point.meter,
            at: *at,
            took_ms: u32::try_from(at.uptime_ms.saturating_sub(visit.began_ms)).unwrap_or(u32::MAX),
            values: decoded.values,
            registers: decoded.registers,
            import: decoded.import,
            requests: requests(profile, self.origin, &visit.scan),
            ratios,
            scan: std::mem::take(&mut visit.scan),
        };
        // A refusal seen for the first time is no property of the meter yet.
        let refused = (self.learned && !self.confirming && self.maps_power()).then_some(Fault::Exception(2));
        if let Some(fault) = visit.missing.or(refused).filter(|_| reading.power().is_none()) {
            return self.miss(fault, at, told);
        }
        self.suspects = Routes::default();
        self.watch_for_step(reading.power().map(|power| power.0));
        tell(told, Sample::Reading(reading));
        After::Over(None)
    }

    fn maps_power(&self) -> bool {
        let powers = [Quantity::Power, Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3];
        powers.into_iter().any(|quantity| self.point.profile.row(quantity).is_some())
    }

    /// The instrument transformers' ratios and the wiring are looked at again when the power has changed: whoever edits
    /// them to hide a load does it then.
    fn watch_for_step(&mut self, power: Option<i64>) {
        let Some(power) = power else { return };
        self.power_peak = self.power_peak.max(power.saturating_abs());
        let step = power.saturating_sub(*self.power_then.get_or_insert(power)).saturating_abs();
        self.stepped |= step > STEP_LEAST_MW && step > self.power_peak / 100 * STEP_PERCENT;
    }

    /// Remembers what the meter refused; false if that leaves nothing to ask.
    fn learn(&mut self, block: Block) -> bool {
        let learned = self.rows.on_refusal(block);
        self.learned = true;
        self.tally.bisections += u64::from(learned);
        self.replan() && learned
    }

    /// A meter that starts up refuses everything for a while. What it refused is remembered only if the next poll finds the
    /// same, and if it answered something beside.
    fn weigh_refusals(&mut self) {
        let (learned, answered) = (std::mem::take(&mut self.learned), std::mem::take(&mut self.answered));
        if learned && !(self.confirming && answered) {
            self.rows.forget();
            self.replan();
        }
        self.confirming = learned && answered && !self.confirming;
    }

    /// Tries everything again that was ever refused.
    pub(super) fn forget(&mut self, uptime_ms: u64) {
        (self.reconnected, self.forgot_ms) = (false, uptime_ms);
        if !self.rows.is_unhurt() {
            self.rows.forget();
            self.replan();
        }
        self.inquiry.forget();
    }

    /// Makes both plans anew; false where too much was split for one poll to hold it, and then nothing is remembered.
    fn replan(&mut self) -> bool {
        let plans = |rows: &Planner| Some((rows.whole()?, rows.plan(Breadth::Needed)?));
        if let Some((whole, needed)) = plans(&self.rows).filter(|(whole, _)| !whole.blocks.is_empty()) {
            (self.whole, self.needed) = (whole, needed);
            return true;
        }
        self.rows.forget();
        if let Some((whole, needed)) = plans(&self.rows) {
            (self.whole, self.needed) = (whole, needed);
        }
        false
    }

    fn park(&mut self, fault: Fault, at: &Stamp, told: &mut Told) -> After {
        if self.may_park() { After::Park } else { self.miss(fault, at, told) }
    }

    /// Whether the meter may be asked once more for this poll, and if so counts that.
    pub(super) const fn may_park(&mut self) -> bool {
        let may = self.busy < MAX_BUSY_RETRIES;
        self.busy += may as u8;
        may
    }

    pub(super) fn miss(&mut self, fault: Fault, at: &Stamp, told: &mut Told) -> After {
        // Whether a route is silent cannot be learned from a meter that is.
        for route in self.suspects.iter() {
            self.silent.remove(route);
        }
        self.suspects = Routes::default();
        self.say_miss(fault, at, told)
    }

    pub(super) fn say_miss(&self, fault: Fault, at: &Stamp, told: &mut Told) -> After {
        tell(told, Sample::Miss { meter: self.point.meter, at: *at, fault });
        After::Over(Some(fault))
    }
}

/// One answer decides at most two samples, so there is always room.
pub(super) fn tell(told: &mut Told, sample: Sample) {
    let room = told.push(sample);
    debug_assert!(room.is_ok(), "three samples of one answer");
}
