//! One feeder: readings in, states out. Joins what the register, the line and the power tell.

use super::{
    commission::Commissioned,
    drawing::{Drawing, Proof},
    event::{Event, RegisterEvent, RegisterQuirk},
    ledger::{Account, Interval, Ledger},
    line::{self, Line},
    memory::{Mark, MeterMemory},
    permit::Permit,
    register::{Passage, Track, is_timed},
    sign::{
        Figures, SIGNS, Sign, Signs, StandingSign, Turns,
        neighbours::{Beside, Trace},
    },
    state::{State, Why},
    window::{Excess, Window, Windows},
};
use crate::{
    metering::{Fault, Identity, Reading, Scan},
    terms::{AssetId, MeterId, MilliAmps, MilliVolts, MilliWatts, Stamp, WattHours},
};

/// Polls that may be missed before the state becomes `Unknown`. The ledger counts at once.
pub const MISSED_POLLS: u32 = 3;
/// A meter of which not even a failed poll is heard is silent after this long, in milliseconds, or after four polls
/// if that is longer: a slow bus is slow, not silent.
pub const SILENCE_MS: i64 = 30_000;

/// A milder state is shown only once it has lasted this long, in milliseconds: a load that hovers at a limit does not
/// flood the log. A more severe one is shown at once.
pub const CALM_MS: i64 = 60_000;

/// A change of a feeder's state, or a new proof of the same, with the readings it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFinding {
    /// Whose meter.
    pub meter: MeterId,
    /// The equipment it serves.
    pub asset: AssetId,
    /// What it is now.
    pub state: State,
    /// Since when.
    pub since: Stamp,
    /// Why it is judged to draw, if it is.
    pub proof: Option<Proof>,
    /// The limit that was applied.
    pub limit: MilliWatts,
    /// What the meter cannot see.
    pub floor: MilliWatts,
    /// Power of the deciding reading.
    pub power: Option<MilliWatts>,
    /// Line voltages of the deciding reading.
    pub line_voltages: [Option<MilliVolts>; 3],
    /// Currents of the deciding reading.
    pub currents: [Option<MilliAmps>; 3],
    /// The register, as last read.
    pub mark: Option<Mark>,
    /// Signs of tampering that stand beside it, weak ones too.
    pub signs: heapless::Vec<StandingSign, SIGNS>,
    /// The words of the deciding reading; empty when silence decided.
    pub scan: Scan,
}

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
    drawing: Drawing,
    line: Line,
    windows: Option<Windows>,
    ledger: Option<Ledger>,
    misses: u32,
    heard: Option<Stamp>,
    calm_since: Option<Stamp>,
    signs: Signs,
    trace: Trace,
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
            drawing: Drawing::default(),
            line: Line::default(),
            windows: memory.and_then(|m| m.windows).or_else(|| mark.map(|m| Windows::starting(&m.at))),
            ledger: memory.map(|m| Ledger::opening(&m.accounted_to, mark)),
            misses: 0,
            heard: None,
            calm_since: None,
            signs,
            trace: Trace::default(),
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
            State::Masked(_) | State::Unknown(_) | State::Auxiliary | State::Energised | State::Dead => None,
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
        let possible =
            |before: &Mark, now: &Mark| terms.possible(now.at.since_ms(&before.at), now.register.step);
        let drawing = self.drawing.is_on();
        let explained = |before: &Mark, now: &Mark| {
            // Once it draws, more of the same is no surprise.
            if drawing {
                WattHours(i64::MAX)
            } else {
                terms.energy_bound(&before.at, &now.at, now.register.step)
            }
        };
        let passage = mark.map(|mark| self.track.on(mark, possible, explained));
        let energy = match passage {
            Some(Passage::Told { energy, .. }) => Some(energy),
            Some(
                Passage::First
                | Passage::Doubtful { .. }
                | Passage::Rebased { .. }
                | Passage::Unconfirmed { .. }
                | Passage::Untimed { .. },
            )
            | None => None,
        };
        self.line.on_reading(&self.terms, reading, energy);
        self.hear_signs(reading, mark.as_ref(), passage.as_ref(), turns);
        self.account(reading, passage.as_ref());
        if let Some(excess) = mark.and_then(|now| self.weigh(&now, passage.as_ref())) {
            self.drawing.on_excess(excess, &at);
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

    /// Takes what the meter says of itself.
    pub fn on_identity(&mut self, at: &Stamp, identity: &Identity, turns: &mut Turns) -> Change {
        self.signs.on_identity(at, identity, turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// Takes a paper about this meter.
    pub fn on_paper(&mut self, permit: &Permit, at: &Stamp, turns: &mut Turns) -> Change {
        self.signs.on_paper(permit, at, turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// Takes a sign that shows only beside other meters.
    pub fn on_compared(&mut self, sign: Sign, at: &Stamp, figures: Figures, turns: &mut Turns) -> Change {
        self.signs.on_compared(sign, at, figures, turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// The authority resets the signs that stand.
    pub fn on_reset(&mut self, at: &Stamp, turns: &mut Turns) -> Change {
        self.signs.on_reset(turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// Its signs.
    pub fn signs(&self) -> &Signs {
        &self.signs
    }

    /// Its register, where the last reading was accepted as its baseline.
    pub fn accepted(&self, reading: &Reading) -> Option<Mark> {
        self.track.anchor().filter(|mark| mark.at == reading.at)
    }

    /// Shows a strong sign at once, whatever else is not told; true when a sign began or ended.
    fn after_turns(&mut self, at: &Stamp, turns: &Turns) -> bool {
        let masks = self.shown.severity() < State::Drawing.severity();
        if let Some(sign) = self.signs.strongest().filter(|_| masks) {
            self.show(State::Masked(sign), at);
        }
        !turns.is_empty()
    }

    /// What silence is shown as: a strong sign that stands is not hidden by it.
    fn doubted(&self, why: Why) -> State {
        self.signs.strongest().map_or(State::Unknown(why), State::Masked)
    }

    fn hear_signs(
        &mut self,
        reading: &Reading,
        mark: Option<&Mark>,
        passage: Option<&Passage>,
        turns: &mut Turns,
    ) {
        self.signs.on_reading(&self.terms, reading, self.line.is_in_inrush(&reading.at), turns);
        if let (Some(after), Some(Passage::Rebased { before })) = (mark, passage) {
            self.signs.on_rebased(&self.terms, before, after, turns);
        }
        let is_live = line::sight(&self.terms, reading).is_some_and(|sight| sight.is_live);
        self.trace.on_reading(reading, is_live);
    }

    /// Takes the passing of time: a feeder nobody hears of becomes `Unknown`.
    pub fn on_tick(&mut self, at: &Stamp) -> Change {
        let heard = *self.heard.get_or_insert(*at);
        let polls_ms = poll_ms(&self.terms).saturating_mul(i64::from(MISSED_POLLS) + 1);
        let doubted = match self.shown {
            State::Masked(_) | State::Unknown(_) => true,
            State::Drawing | State::Auxiliary | State::Energised | State::Dead => false,
        };
        let silent = !doubted && at.since_ms(&heard) > polls_ms.max(SILENCE_MS);
        Change { is_news: silent && self.show(State::Unknown(Why::Silent), at), ..Change::default() }
    }

    /// The wall clock was moved against the boot clock: sums and proofs that belong to a day begin anew.
    pub fn on_clock_step(&mut self, by_ms: i64, now: &Stamp) {
        self.drawing.on_clock_step();
        self.track.on_clock_step(now);
        self.signs.on_clock_step(now);
        self.windows = self.track.anchor().map(|mark| Windows::starting(&mark.at));
        if let Some(ledger) = &mut self.ledger {
            ledger.on_clock_step(by_ms, now);
        }
    }

    /// What counted so far is settled: sums begin anew, and whoever goes on drawing is to be proven to do so anew.
    pub fn renew_proof(&mut self) {
        self.drawing.on_clock_step();
        self.windows = self.track.anchor().map(|mark| Windows::starting(&mark.at));
    }

    /// Closes the interval if it is over. `by_reading` says whether a reading, or only time, brought us here.
    pub fn close_interval(&mut self, at: &Stamp, by_reading: bool) -> Option<Interval> {
        let ledger = self.ledger.get_or_insert_with(|| Ledger::opening(at, None));
        let grace_ms = if by_reading { 0 } else { poll_ms(&self.terms).saturating_mul(2) };
        if !ledger.is_over(at, grace_ms) {
            return None;
        }
        let mark = self.track.anchor();
        let closed = ledger.close(at, mark);
        let step = mark.map_or(WattHours(0), |mark| mark.register.step);
        let seen_ms = closed.shares.observed_ms() + closed.shares.bridged_ms();
        let unseen = self.terms.unseen_bound(seen_ms, step).0;
        let dark = self.terms.rated.over_ms(closed.shares.unaccounted_ms()).0;
        let windows = self.windows;
        if let (Some(windows), Some(mark)) = (&mut self.windows, mark) {
            // It begins with the last reading, not with the clock's stroke: what passes until the next reading is
            // weighed against all the time in between.
            windows.interval = Window::starting(&mark.at);
        }
        Some(Interval {
            meter: self.terms.meter,
            asset: self.terms.asset(),
            start: closed.start,
            end: *at,
            shares: closed.shares,
            late_bridged_ms: closed.late_bridged_ms,
            energy: closed.energy,
            bound: WattHours(unseen.saturating_add(dark)),
            reads_ok: closed.reads_ok,
            reads_failed: closed.reads_failed,
            before: closed.before,
            after: mark,
            windows,
        })
    }

    /// The finding for the state as it is now.
    pub fn finding(&self, at: &Stamp, reading: Option<&Reading>) -> StateFinding {
        StateFinding {
            meter: self.terms.meter,
            asset: self.terms.asset(),
            state: self.shown,
            since: self.since.unwrap_or(*at),
            proof: self.proof().copied(),
            limit: self.terms.limit(),
            floor: self.terms.floor.power,
            power: reading.and_then(Reading::power),
            line_voltages: reading.map_or([None; 3], Reading::line_voltages),
            currents: reading.map_or([None; 3], Reading::currents),
            mark: self.track.anchor(),
            signs: self.signs.standing().collect(),
            scan: reading.map_or_else(Scan::default, |r| r.scan.clone()),
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

    /// Splits the time since the reading before into the ledger. A doubtful reading accounts for nothing yet.
    fn account(&mut self, reading: &Reading, passage: Option<&Passage>) {
        let at = &reading.at;
        let is_seen = reading.power().is_some() && line::sight(&self.terms, reading).is_some();
        let ledger = self.ledger.get_or_insert_with(|| Ledger::opening(at, None));
        match passage {
            None | Some(Passage::Doubtful { .. }) => ledger.on_miss(),
            // Told with the next reading, whichever it agrees with.
            Some(Passage::Unconfirmed { .. }) => {}
            Some(Passage::First) => ledger.on_reading(None, at, Account::Unaccounted, None),
            Some(Passage::Rebased { before } | Passage::Untimed { before }) => {
                ledger.on_reading(Some(&before.at), at, Account::Unaccounted, None);
            }
            Some(Passage::Told { before, energy, .. }) => {
                let span_ms = at.since_ms(&before.at);
                let near =
                    is_seen && before.at.boot == at.boot && span_ms <= poll_ms(&self.terms).saturating_mul(2);
                // A gap is bridged only while the register could not have gone once around.
                let possible = self.terms.possible(span_ms, before.register.step);
                let unambiguous = before.register.modulus.is_none_or(|modulus| possible < modulus);
                let account = match (near, unambiguous) {
                    (true, _) => Account::Observed,
                    (false, true) => Account::Bridged,
                    (false, false) => Account::Unaccounted,
                };
                ledger.on_reading(Some(&before.at), at, account, Some(*energy));
            }
        }
    }

    /// Weighs what passed against what the allowances explain, over every span it belongs to.
    fn weigh(&mut self, now: &Mark, passage: Option<&Passage>) -> Option<Excess> {
        let windows = self.windows.get_or_insert_with(|| Windows::starting(&now.at));
        match passage? {
            Passage::Told { before, energy, .. } if is_timed(before, now) => {
                windows.add(&self.terms, before, now, *energy)
            }
            Passage::Doubtful { .. } | Passage::Unconfirmed { .. } => None,
            Passage::Told { .. } | Passage::First | Passage::Rebased { .. } | Passage::Untimed { .. } => {
                *windows = Windows::starting(&now.at);
                None
            }
        }
    }

    fn hear_power(&mut self, reading: &Reading, mark: Option<&Mark>, passage: Option<&Passage>) {
        let at = &reading.at;
        match reading.power() {
            Some(power) if power > self.terms.limit() => {
                let inrush = self.line.is_in_inrush(at);
                return self.drawing.on_loud(&self.terms, at, power, inrush);
            }
            Some(_) => self.drawing.on_quiet_power(),
            None => {}
        }
        if let (Some(now), Some(Passage::Told { before, energy, .. })) = (mark, passage)
            && self.drawing.on_quiet(&self.terms, before, now, *energy)
        {
            // What was drawn has been told; the sums begin anew, or a day once guilty would stay so until midnight.
            self.windows = Some(Windows::starting(at));
        }
    }

    /// What the readings say now.
    fn classify(&self, reading: &Reading, passage: Option<&Passage>) -> State {
        if self.drawing.is_on() {
            return State::Drawing;
        }
        if let Some(sign) = self.signs.strongest() {
            return State::Masked(sign);
        }
        if let Some(Passage::Doubtful { quirk, .. }) = passage {
            let fell = *quirk == RegisterQuirk::Fell;
            return State::Unknown(if fell { Why::RegisterFell } else { Why::RegisterLeapt });
        }
        if let Some(Passage::Unconfirmed { is_repeated: true }) = passage {
            return State::Unknown(Why::RegisterLeapt);
        }
        let Some(power) = reading.power() else { return State::Unknown(Why::NoPower) };
        let Some(sight) = line::sight(&self.terms, reading) else { return State::Unknown(Why::NoVoltage) };
        if reading.import.is_none() {
            return State::Unknown(Why::NoRegister);
        }
        if power.0 < -self.terms.limit().0 {
            return State::Unknown(Why::Reversed);
        }
        let floor = self.terms.floor;
        let flows = reading.currents().iter().flatten().any(|i| i.0.saturating_abs() > floor.current.0)
            || power.0.saturating_abs() > floor.power.0;
        match (sight.is_dead, sight.is_live, flows) {
            (true, _, true) => State::Unknown(Why::CurrentWithoutVoltage),
            (true, _, false) => self.line.dead_state(&self.terms, reading),
            (false, false, false) => State::Unknown(Why::InducedVoltage),
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

    /// The on-delay runs: the state stays what it was, unless nothing was known.
    fn undecided(&self) -> State {
        match self.conduct {
            State::Masked(_) | State::Unknown(_) | State::Drawing => State::Unknown(Why::NotYetJudged),
            State::Auxiliary | State::Energised | State::Dead => self.conduct,
        }
    }

    fn event(&self, passage: Passage, after: Mark) -> Option<Event> {
        let (what, before) = match passage {
            Passage::First
            | Passage::Unconfirmed { .. }
            | Passage::Told { rolled_over: false, .. }
            | Passage::Doubtful { is_news: false, .. } => return None,
            Passage::Told { rolled_over: true, before, .. } => (RegisterQuirk::RolledOver, before),
            Passage::Doubtful { quirk, before, is_news: true } => (quirk, before),
            Passage::Rebased { before } => (RegisterQuirk::Rebased, before),
            Passage::Untimed { before } => (RegisterQuirk::Untimed, before),
        };
        Some(Event::Register(RegisterEvent { meter: self.terms.meter, what, before, after, permit: None }))
    }
}

impl Beside for Feeder {
    fn terms(&self) -> &Commissioned {
        &self.terms
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }
}

/// Energy that can be laid to a day: told, over a time that is known.
fn told_since(passage: &Passage) -> Option<(Stamp, WattHours)> {
    match passage {
        Passage::Told { before, energy, .. } => Some((before.at, *energy)),
        Passage::First
        | Passage::Doubtful { .. }
        | Passage::Rebased { .. }
        | Passage::Unconfirmed { .. }
        | Passage::Untimed { .. } => None,
    }
}

fn poll_ms(terms: &Commissioned) -> i64 {
    i64::try_from(terms.poll_ms).unwrap_or(i64::MAX)
}
