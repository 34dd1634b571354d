//! One feeder: readings in, states out. Joins what the register, the line and the power tell.

mod last_lent;
mod masked;
mod said;
mod weigh;

pub use said::StateFinding;

use last_lent::LastLent;

use super::{
    beside::{Demand, Export, Phases},
    commission::Commissioned,
    cycle::PowerCycle,
    drawing::{Drawing, Proof},
    event::{Event, MeterTold, RegisterEvent, RegisterQuirk},
    kept::Kept,
    ledger::Ledger,
    line::{self, Line},
    memory::{Mark, MeterMemory},
    register::{Passage, Track, longest_ms},
    sign::{Signs, Turns, neighbours::Trace},
    state::{State, Why},
    window::Windows,
};
use crate::{
    metering::{Fault, Identity, Reading},
    terms::{Digest, MilliWatts, Stamp, WattHours},
};

/// Polls that may be missed before the state becomes `Unknown`. The ledger counts at once.
pub const MISSED_POLLS: u32 = 3;
/// A meter of which not even a failed poll is heard is silent after this long, in milliseconds, or after four polls
/// if that is longer: a slow bus is slow, not silent.
pub const SILENCE_MS: i64 = 30_000;

/// Equipment that drew is warm for at most this long after, in milliseconds: barring and cooling take up to 72 h.
pub const COOL_DOWN_MS: i64 = 72 * 3_600_000;

/// A milder state is shown only once it has lasted this long, in milliseconds: a load that hovers at a limit does not
/// flood the log. A more severe one is shown at once.
pub const CALM_MS: i64 = 60_000;

/// What a fact changed at a feeder.
#[derive(Debug, Default)]
pub struct Change {
    /// The state is another one, or rests on a new proof.
    pub is_news: bool,
    /// The register did something an auditor must know.
    pub event: Option<Event>,
    /// Energy the register told of, and when the stretch began that it belongs to.
    pub energy: Option<(Stamp, WattHours)>,
}

/// One feeder's memory between two facts.
#[derive(Debug)]
pub struct Feeder {
    terms: Commissioned,
    shown: State,
    since: Option<Stamp>,
    /// What the readings say, whether or not silence hides it at the moment.
    conduct: State,
    track: Track,
    phases: Phases,
    export: Export,
    demand: Demand,
    cycle: PowerCycle,
    kept: Kept,
    drawing: Drawing,
    drew_until: Option<Stamp>,
    line: Line,
    /// Everything it serves must be cold now.
    must_rest: bool,
    windows: Option<Windows>,
    lent: LastLent,
    ledger: Option<Ledger>,
    misses: u32,
    heard: Option<Stamp>,
    calm_since: Option<Stamp>,
    signs: Signs,
    trace: Trace,
    /// Who the meter says it is, with its fingerprint.
    identity: Option<(Identity, Digest)>,
    /// Fingerprint of the nameplate of the equipment it serves.
    plate: Option<Digest>,
}

impl Feeder {
    /// A feeder with what is remembered of it. A reboot is a long gap: there is no other way to begin.
    pub fn new(terms: Commissioned, memory: Option<&MeterMemory>, signs: Signs) -> Feeder {
        let mark = memory.and_then(|m| m.mark);
        Feeder {
            shown: State::Unknown(Why::NotYetRead),
            since: None,
            conduct: State::Unknown(Why::NotYetJudged),
            track: Track::resuming(mark),
            phases: Phases::default(),
            export: Export::default(),
            demand: Demand::default(),
            cycle: PowerCycle::default(),
            kept: memory.map_or_else(Kept::default, Kept::recalling),
            drawing: Drawing::default(),
            drew_until: None,
            line: Line::default(),
            must_rest: false,
            windows: memory.and_then(|m| m.windows).or_else(|| mark.map(|m| Windows::starting(&m.at))),
            lent: LastLent::default(),
            ledger: memory.map(|m| Ledger::opening(&m.accounted_to, mark)),
            misses: 0,
            heard: None,
            calm_since: None,
            signs,
            trace: Trace::default(),
            identity: memory.and_then(|m| m.identity).map(|told| (told, told.fingerprint())),
            plate: None,
            terms,
        }
    }

    /// As commissioned.
    pub fn terms(&self) -> &Commissioned {
        &self.terms
    }

    /// Its state as shown.
    pub fn state(&self) -> State {
        self.shown
    }

    /// Why it is judged to draw, while it is, nothing hides it, and the proof's day can be told.
    pub fn proof(&self) -> Option<&Proof> {
        match self.shown {
            State::Drawing => self.drawing.proof(),
            State::Exporting
            | State::Masked(_)
            | State::Unknown(_)
            | State::Auxiliary
            | State::Energised
            | State::Dead => None,
        }
    }

    /// Takes a reading; what its signs turned to goes to `turns`.
    pub fn on_reading(&mut self, reading: &Reading, turns: &mut Turns) -> Change {
        let at = reading.at;
        self.misses = 0;
        self.heard = Some(at);
        self.drawing.begin();
        let mark = reading.import.map(|register| Mark { at, register });
        let terms = &self.terms;
        let possible = |before: &Mark, now: &Mark| terms.possible(longest_ms(before, now), now.register.step);
        let drawing = self.drawing.is_on();
        let explained = |before: &Mark, now: &Mark| {
            // Once it draws, more of the same is no surprise.
            if drawing {
                WattHours(i64::MAX)
            } else {
                terms.energy_bound(&before.at, &now.at, now.register.step)
            }
        };
        self.cycle.on_reading(terms, reading);
        self.lent.on_reading(terms, reading);
        let unsaved = match (mark, self.track.anchor()) {
            (Some(_), Some(before)) if self.cycle.is_since(&before.at) => self.kept.unsaved(terms, &before),
            (Some(_) | None, Some(_) | None) => WattHours(0),
        };
        let passage = mark.map(|mark| self.track.on(mark, unsaved, possible, explained));
        let energy = passage.and_then(|passage| told(&passage));
        let phases = self.phases.on_reading(terms, reading, drawing);
        let exports = self.export.on_reading(terms, reading, self.line.is_in_inrush(&at));
        let moved = energy.is_some_and(|energy| energy.0 > 0) || phases.moved || exports;
        self.line.on_reading(&self.terms, reading, moved);
        self.keep(passage.as_ref());
        self.hear_signs(reading, mark.as_ref().zip(passage.as_ref()), unsaved, turns);
        self.account(reading, passage.as_ref());
        let excess = mark.and_then(|now| self.weigh(&now, passage.as_ref()));
        if let Some(excess) = excess.or(phases.excess) {
            self.drawing.on_excess(excess, &at);
        }
        if let Some(proof) = self.demand.on_reading(&self.terms, reading, self.lent.lately(&at)) {
            self.drawing.on_demand(proof);
        }
        self.hear_power(reading, mark.as_ref(), passage.as_ref());
        self.conduct = self.classify(reading, passage.as_ref());
        let settled = self.settle(self.conduct, &at);
        let changed = self.show(settled, &at);
        Change {
            is_news: changed
                || !turns.is_empty()
                || (self.drawing.is_renewed() && self.shown == State::Drawing),
            event: mark.zip(passage).and_then(|(after, passage)| self.event(passage, after)),
            energy: passage.and_then(|passage| told_since(&passage)),
        }
    }

    /// Takes a failed poll.
    pub fn on_miss(&mut self, at: &Stamp, fault: Fault, turns: &mut Turns) -> Change {
        self.misses = self.misses.saturating_add(1);
        self.heard = Some(*at);
        self.ledger.get_or_insert_with(|| Ledger::opening(at, None)).on_miss();
        // The first cause stands until a reading comes: alternating faults are one silence.
        let is_known = matches!(self.shown, State::Unknown(Why::Fault(_)));
        self.signs.on_miss(at, fault, turns);
        let is_news = self.after_turns(at, turns)
            || self.misses >= MISSED_POLLS && !is_known && self.show(self.doubted(Why::Fault(fault)), at);
        Change { is_news, ..Change::default() }
    }

    /// Takes the passing of time: a feeder nobody hears of becomes `Unknown`.
    pub fn on_tick(&mut self, at: &Stamp) -> Change {
        let heard = *self.heard.get_or_insert(*at);
        let polls_ms = poll_ms(&self.terms).saturating_mul(i64::from(MISSED_POLLS) + 1);
        let doubted = match self.shown {
            State::Masked(_) | State::Unknown(_) => true,
            State::Drawing | State::Exporting | State::Auxiliary | State::Energised | State::Dead => false,
        };
        let silent = !doubted && at.since_ms(&heard) > polls_ms.max(SILENCE_MS);
        Change { is_news: silent && self.show(State::Unknown(Why::Silent), at), ..Change::default() }
    }

    /// The wall clock was moved against the boot clock: sums and proofs that belong to a day begin anew.
    pub fn on_clock_step(&mut self, by_ms: i64, now: &Stamp) {
        self.drawing.on_clock_step();
        self.track.on_clock_step(now);
        self.signs.on_clock_step(now);
        self.phases.on_clock_step(now);
        self.export.on_clock_step(now);
        self.windows = self.track.anchor().map(|mark| Windows::starting(&mark.at));
        if let Some(ledger) = &mut self.ledger {
            ledger.on_clock_step(by_ms, now);
        }
    }

    /// What counted so far is settled: sums begin anew, and whoever goes on drawing is to be proven to do so anew.
    pub fn renew_proof(&mut self, now: &Stamp) {
        self.drawing.settle(now);
        self.phases.renew();
        self.windows = self.track.anchor().map(|mark| Windows::starting(&mark.at));
    }

    /// Takes who the meter says it is. What it does not tell this time says nothing. Another meter's register does not
    /// continue this one's, and after any other edit sums begin anew.
    pub fn on_identity(&mut self, at: &Stamp, told: &Identity, turns: &mut Turns) -> Change {
        self.signs.on_identity(at, told, turns);
        let is_news = self.after_turns(at, turns);
        let before = self.identity.map(|(identity, _)| identity);
        let after = before.map_or(*told, |before| said::merged(&before, told));
        let fingerprint = after.fingerprint();
        if self.identity.replace((after, fingerprint)).is_some_and(|(_, known)| known == fingerprint) {
            return Change { is_news, ..Change::default() };
        }
        let told = MeterTold { meter: self.terms.meter, before, after, permit: None };
        if before.is_some() {
            if told.is_another() {
                self.track = Track::default();
                self.phases = Phases::default();
                self.export = Export::default();
                self.kept.begin();
                self.demand = Demand::default();
            }
            self.renew_proof(at);
        }
        Change { is_news, event: Some(Event::Meter(told)), ..Change::default() }
    }

    /// Fingerprint of the meter as it tells of itself.
    pub fn fingerprint(&self) -> Option<Digest> {
        self.identity.map(|(_, fingerprint)| fingerprint)
    }

    /// Which nameplate what it says is about.
    pub fn on_plate(&mut self, plate: Option<Digest>) {
        self.plate = plate;
    }

    /// The step of its register as last read.
    pub fn register_step(&self) -> Option<WattHours> {
        self.track.anchor().map(|mark| mark.register.step)
    }

    /// The point before it should be open from here on, or no longer.
    pub fn isolate(&mut self, is_isolated: bool) {
        if self.line.is_isolated() != is_isolated {
            self.line.isolate(is_isolated);
        }
    }

    /// The state to show: from a hovering one to a milder only after [`CALM_MS`].
    fn settle(&mut self, next: State, at: &Stamp) -> State {
        let hovers = matches!(self.shown, State::Auxiliary | State::Unknown(Why::InducedVoltage));
        if !hovers || next.severity() >= self.shown.severity() {
            self.calm_since = None;
            return next;
        }
        let since = *self.calm_since.get_or_insert(*at);
        if at.since_ms(&since) >= CALM_MS { next } else { self.shown }
    }

    /// Shows a state; true when it is another one.
    fn show(&mut self, state: State, at: &Stamp) -> bool {
        if state == self.shown && self.since.is_some() {
            return false;
        }
        self.shown = state;
        self.since = Some(*at);
        true
    }

    fn hear_power(&mut self, reading: &Reading, mark: Option<&Mark>, passage: Option<&Passage>) {
        let at = &reading.at;
        match line::deciding_power(&self.terms, reading).map(|power| self.lent.less_of(power, at)) {
            Some(power) if power > self.terms.limit() => {
                let inrush = self.line.is_in_inrush(at);
                return self.drawing.on_loud(&self.terms, at, power, inrush);
            }
            // The off-delay begins with this reading at the earliest, not with the one before it.
            Some(power) if self.drawing.on_quiet_power(&self.terms, power) => return,
            Some(_) | None => {}
        }
        if let (Some(now), Some(Passage::Told { before, energy, .. })) = (mark, passage)
            && self.drawing.on_quiet(&self.terms, before, now, self.lent.less(before, now, *energy))
        {
            // What was drawn has been told; the sums begin anew, or a day once guilty would stay so until midnight.
            self.windows = Some(Windows::starting(at));
            self.phases.renew();
            self.drew_until = Some(*at);
        }
    }

    /// What the readings say now.
    fn classify(&self, reading: &Reading, passage: Option<&Passage>) -> State {
        if self.drawing.is_on() {
            return State::Drawing;
        }
        if self.export.proof().is_some() || self.line.is_back_fed(&reading.at) {
            return State::Exporting;
        }
        if let Some(sign) = self.signs.strongest() {
            return State::Masked(sign);
        }
        if let Some(Passage::Doubtful { quirk, .. }) = passage {
            return State::Unknown(said::doubt_of(*quirk));
        }
        if let Some(Passage::Unconfirmed { is_repeated: true }) = passage {
            return State::Unknown(Why::RegisterLeapt);
        }
        let Some(power) = line::deciding_power(&self.terms, reading) else {
            return State::Unknown(Why::NoPower);
        };
        let Some(sight) = line::sight(&self.terms, reading) else { return State::Unknown(Why::NoVoltage) };
        if reading.import.is_none() {
            return State::Unknown(Why::NoRegister);
        }
        if power.0 < -self.terms.back_limit().0 {
            return State::Unknown(Why::Reversed);
        }
        let floor = self.terms.floor;
        let currents = line::currents(self.terms.wiring, reading);
        let flows = currents.iter().flatten().any(|i| i.0.saturating_abs() > floor.current.0)
            || power.0.saturating_abs() > floor.power.0;
        let is_current_told = currents.iter().flatten().count() >= usize::from(self.terms.promised.currents);
        match (sight.is_dead, sight.is_live, flows) {
            (true, _, true) => State::Unknown(Why::CurrentWithoutVoltage),
            (true, _, false) => self.line.dead_state(&self.terms, reading),
            (false, _, _) if !is_current_told => State::Unknown(Why::NoCurrent),
            (false, _, _) if self.lent.is_now(&reading.at) => State::Unknown(Why::ElementsDiffer),
            (false, is_live, false) if !(is_live && sight.is_sound) => State::Unknown(Why::InducedVoltage),
            (false, _, _) => self.on_live_line(power, passage),
        }
    }

    fn on_live_line(&self, power: MilliWatts, passage: Option<&Passage>) -> State {
        let Some(Passage::Told { before, energy, .. }) = passage else { return self.undecided() };
        let now = self.track.anchor().unwrap_or(*before);
        let idle = self.terms.idle_bound(now.at.since_ms(&before.at), now.register.step);
        if power <= self.terms.idle_limit() && *energy <= idle {
            State::Energised
        } else if power <= self.terms.limit() {
            State::Auxiliary
        } else {
            self.undecided()
        }
    }

    /// The on-delay runs on a live line: the state stays what it was, unless nothing was known, or the line was dead.
    fn undecided(&self) -> State {
        match self.conduct {
            State::Masked(_) | State::Unknown(_) | State::Drawing | State::Exporting | State::Dead => {
                State::Unknown(Why::NotYetJudged)
            }
            State::Auxiliary | State::Energised => self.conduct,
        }
    }

    fn event(&self, passage: Passage, after: Mark) -> Option<Event> {
        let (what, before) = match passage {
            Passage::First
            | Passage::Unconfirmed { .. }
            | Passage::Told { rolled_over: false, .. }
            // Told once two readings agree.
            | Passage::Doubtful { quirk: RegisterQuirk::FellOrRolledOver, .. }
            | Passage::Doubtful { is_news: false, .. } => return None,
            Passage::Told { rolled_over: true, before, .. } => (RegisterQuirk::RolledOver, before),
            Passage::Doubtful { quirk, before, is_news: true } => (quirk, before),
            Passage::Unsaved { before } => (RegisterQuirk::Unsaved, before),
            Passage::Rebased { before } => (RegisterQuirk::Rebased, before),
            Passage::FellOrRolledOver { before } => (RegisterQuirk::FellOrRolledOver, before),
            Passage::Untimed { before } => (RegisterQuirk::Untimed, before),
        };
        Some(Event::Register(RegisterEvent { meter: self.terms.meter, what, before, after, permit: None }))
    }
}

/// Energy that the register tells of.
fn told(passage: &Passage) -> Option<WattHours> {
    told_since(passage).map(|(_, energy)| energy)
}

/// Energy that can be laid to a day: told, over a time that is known.
fn told_since(passage: &Passage) -> Option<(Stamp, WattHours)> {
    match passage {
        Passage::Told { before, energy, .. } => Some((before.at, *energy)),
        Passage::First
        | Passage::Unsaved { .. }
        | Passage::Doubtful { .. }
        | Passage::Rebased { .. }
        | Passage::FellOrRolledOver { .. }
        | Passage::Unconfirmed { .. }
        | Passage::Untimed { .. } => None,
    }
}

fn poll_ms(terms: &Commissioned) -> i64 {
    i64::try_from(terms.poll_ms).unwrap_or(i64::MAX)
}
