//! One feeder: readings in, states out. Hysteresis, delays, and the decision by power and by energy registers.

use super::{
    commission::Commissioned,
    counter::Advance,
    event::{Event, RegisterEvent, RegisterQuirk},
    ledger::{Account, Interval, Ledger},
    memory::{Mark, MeterMemory},
    state::{State, Why},
    window::{Excess, Span, Windows},
};
use crate::{
    metering::{Fault, Reading, Scan},
    terms::{AssetId, MeterId, MilliAmps, MilliVolts, MilliWatts, Stamp, WattHours},
};

/// Polls that may be missed before the state becomes `Unknown`. The ledger counts at once.
pub const MISSED_POLLS: u32 = 3;
/// Power must stay beyond the limit this long, above [`LARGE_LOAD_PERCENT`] of rating.
pub const ON_DELAY_LARGE_MS: i64 = 5_000;
/// Power must stay beyond the limit this long, below [`LARGE_LOAD_PERCENT`] of rating.
pub const ON_DELAY_SMALL_MS: i64 = 60_000;
/// Where the short on-delay begins, in percent of rated power.
pub const LARGE_LOAD_PERCENT: i64 = 15;
/// Drawing ends after this long within the limit.
pub const OFF_DELAY_MS: i64 = 900_000;
/// After the line comes alive, inrush is not judged by power for this long; by energy always.
pub const INRUSH_MS: i64 = 30_000;
/// Below this part of nominal a line voltage counts as none.
pub const DEAD_VOLTAGE_PERCENT: i64 = 10;
/// Below this part of nominal, without current, a line voltage counts as induced.
pub const LIVE_VOLTAGE_PERCENT: i64 = 50;
/// A meter on a dead line is alive while one of its words moved within this time.
pub const LIVENESS_MS: i64 = 900_000;

/// Why a feeder is judged to draw, and since when the evidence reaches back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Power beyond the limit for longer than the on-delay, beginning at `from`.
    Power {
        /// The first reading beyond the limit.
        from: Stamp,
        /// The power that decided.
        power: MilliWatts,
        /// The limit: allowances, no-load losses and the floor.
        limit: MilliWatts,
    },
    /// Energy beyond what the allowances explain.
    Energy(Excess),
}

impl Proof {
    /// The moment before which this proof says nothing.
    pub const fn from(&self) -> &Stamp {
        match self {
            Proof::Power { from, .. } => from,
            Proof::Energy(excess) => &excess.from,
        }
    }
}

/// A change of a feeder's state, with the readings it rests on.
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
    /// The words of the deciding reading; empty when silence decided.
    pub scan: Scan,
}

/// What a fact changed at a feeder.
#[derive(Debug, Default)]
pub struct Change {
    /// The state is another one.
    pub state: Option<State>,
    /// The register did something an auditor must know.
    pub event: Option<Event>,
    /// Energy the register told of.
    pub energy: Option<WattHours>,
    /// When the stretch began that the energy belongs to.
    pub energy_from: Option<Stamp>,
}

/// One feeder's memory between two facts.
#[derive(Debug)]
pub struct Feeder {
    terms: Commissioned,
    shown: State,
    since: Option<Stamp>,
    /// What the readings say, whether or not silence hides it at the moment.
    conduct: State,
    drawing: Option<Proof>,
    mark: Option<Mark>,
    windows: Option<Windows>,
    ledger: Option<Ledger>,
    above: Option<Above>,
    below_ms: i64,
    live_since: Option<Stamp>,
    was_live: Option<bool>,
    misses: u32,
    heard: Option<Stamp>,
    life: Option<i64>,
    life_moved: Option<Stamp>,
}

/// Time beyond the limit: only time between two readings counts, so missed polls pause it and never reset it.
#[derive(Clone, Copy, Debug)]
struct Above {
    from: Stamp,
    last: Stamp,
    ms: i64,
}

impl Feeder {
    /// A feeder with what is remembered of it. A reboot is a long gap: there is no other way to begin.
    pub fn new(terms: Commissioned, memory: Option<&MeterMemory>) -> Feeder {
        let mark = memory.and_then(|m| m.mark);
        Feeder {
            shown: State::Unknown(Why::NotYetRead),
            since: None,
            conduct: State::Unknown(Why::NotYetJudged),
            drawing: None,
            mark,
            windows: memory.and_then(|m| m.windows).or_else(|| mark.map(|m| Windows::starting(&m.at))),
            ledger: memory.map(|m| Ledger::opening(&m.accounted_to, mark)),
            above: None,
            below_ms: 0,
            live_since: None,
            was_live: None,
            misses: 0,
            heard: None,
            life: None,
            life_moved: None,
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

    /// Why it is judged to draw, while it is and nothing hides it.
    pub fn proof(&self) -> Option<&Proof> {
        match self.shown {
            State::Drawing => self.drawing.as_ref(),
            State::Unknown(_) | State::Auxiliary | State::Energised | State::Dead => None,
        }
    }

    /// The register as last read.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Takes a reading.
    pub fn on_reading(&mut self, reading: &Reading) -> Change {
        let (at, before) = (reading.at, self.mark);
        self.misses = 0;
        self.heard = Some(at);
        self.note_life(reading);
        self.note_voltage(reading);
        let mark = reading.import.map(|register| Mark { at, register });
        let advance = before.zip(mark).map(|(before, mark)| {
            let possible = self.terms.possible(mark.at.since_ms(&before.at), mark.register.step);
            Advance::between(&before.register, &mark.register, possible)
        });
        let energy = advance.and_then(Advance::energy);
        self.account(reading, before.as_ref(), energy);
        let excess = self.weigh(before.as_ref(), mark.as_ref(), energy);
        self.decide_by_energy(excess);
        // A longer sum stays guilty until it begins anew; only the youngest pair says whether the register is quiet now.
        let quiet = energy.is_some() && excess.is_none_or(|excess| excess.span != Span::Pair);
        self.decide_by_power(reading, before.as_ref(), quiet);
        self.conduct = self.classify(reading, advance, energy);
        if let Some(mark) = mark {
            self.mark = Some(mark);
        }
        let event = advance
            .zip(before.zip(mark))
            .and_then(|(advance, (before, after))| self.event(advance, before, after));
        Change { state: self.show(self.conduct, &at), event, energy, energy_from: before.map(|b| b.at) }
    }

    /// Takes a failed poll.
    pub fn on_miss(&mut self, at: &Stamp, fault: Fault) -> Change {
        self.misses = self.misses.saturating_add(1);
        self.heard = Some(*at);
        self.ledger.get_or_insert_with(|| Ledger::opening(at, None)).on_miss();
        let state =
            (self.misses >= MISSED_POLLS).then(|| self.show(State::Unknown(Why::Fault(fault)), at)).flatten();
        Change { state, ..Change::default() }
    }

    /// Takes the passing of time: a feeder nobody hears of becomes `Unknown`.
    pub fn on_tick(&mut self, at: &Stamp) -> Change {
        let heard = *self.heard.get_or_insert(*at);
        let limit_ms =
            i64::try_from(self.terms.poll_ms).unwrap_or(i64::MAX).saturating_mul(i64::from(MISSED_POLLS) + 1);
        let doubted = match self.shown {
            State::Unknown(_) => true,
            State::Drawing | State::Auxiliary | State::Energised | State::Dead => false,
        };
        let state = if !doubted && at.since_ms(&heard) > limit_ms {
            self.show(State::Unknown(Why::Silent), at)
        } else {
            None
        };
        Change { state, ..Change::default() }
    }

    /// Closes the interval if it is over. `by_reading` says whether a reading, or only time, brought us here.
    pub fn close_interval(&mut self, at: &Stamp, by_reading: bool) -> Option<Interval> {
        let ledger = self.ledger.get_or_insert_with(|| Ledger::opening(at, None));
        let grace_ms =
            if by_reading { 0 } else { i64::try_from(self.terms.poll_ms).unwrap_or(0).saturating_mul(2) };
        if !ledger.is_over(at, grace_ms) {
            return None;
        }
        let closed = ledger.close(at, self.mark);
        let step = self.mark.map_or(WattHours(0), |mark| mark.register.step);
        let seen_ms = closed.shares.observed_ms() + closed.shares.bridged_ms();
        let unseen = self.terms.unseen_bound(seen_ms, step).0;
        let dark = self.terms.rated.over_ms(closed.shares.unaccounted_ms()).0;
        let windows = self.windows;
        if let Some(windows) = &mut self.windows {
            windows.interval = super::window::Window { since: *at, moved: WattHours(0) };
        }
        Some(Interval {
            meter: self.terms.meter,
            asset: self.terms.serves,
            start: closed.start,
            end: *at,
            shares: closed.shares,
            late_bridged_ms: closed.late_bridged_ms,
            energy: closed.energy,
            bound: WattHours(unseen.saturating_add(dark)),
            reads_ok: closed.reads_ok,
            reads_failed: closed.reads_failed,
            before: closed.before,
            after: self.mark,
            windows,
        })
    }

    /// The finding for the state as it is now.
    pub fn finding(&self, at: &Stamp, reading: Option<&Reading>) -> StateFinding {
        StateFinding {
            meter: self.terms.meter,
            asset: self.terms.serves,
            state: self.shown,
            since: self.since.unwrap_or(*at),
            proof: self.proof().copied(),
            limit: self.terms.limit(),
            floor: self.terms.floor.power,
            power: reading.and_then(Reading::power),
            line_voltages: reading.map_or([None; 3], Reading::line_voltages),
            currents: reading.map_or([None; 3], Reading::currents),
            mark: self.mark,
            scan: reading.map_or_else(Scan::default, |r| r.scan.clone()),
        }
    }

    fn show(&mut self, state: State, at: &Stamp) -> Option<State> {
        if state == self.shown && self.since.is_some() {
            return None;
        }
        self.shown = state;
        self.since = Some(*at);
        Some(state)
    }

    /// Splits the time since the reading before into the ledger.
    fn account(&mut self, reading: &Reading, before: Option<&Mark>, energy: Option<WattHours>) {
        let at = &reading.at;
        let poll_ms = i64::try_from(self.terms.poll_ms).unwrap_or(i64::MAX);
        let account = match (before, energy) {
            (Some(before), Some(_)) if at.since_ms(&before.at) <= poll_ms.saturating_mul(2) => {
                Account::Observed
            }
            (Some(before), Some(_)) if self.may_bridge(reading, before) => Account::Bridged,
            (Some(_) | None, _) => Account::Unaccounted,
        };
        let ledger = self.ledger.get_or_insert_with(|| Ledger::opening(at, None));
        ledger.on_reading(before.map(|b| &b.at), at, account, energy);
    }

    /// A gap is bridged only while the register could not have gone once around at rated power.
    fn may_bridge(&self, reading: &Reading, before: &Mark) -> bool {
        let possible = self.terms.possible(reading.at.since_ms(&before.at), before.register.step);
        before.register.modulus.is_none_or(|modulus| possible < modulus)
    }

    fn weigh(
        &mut self,
        before: Option<&Mark>,
        now: Option<&Mark>,
        energy: Option<WattHours>,
    ) -> Option<Excess> {
        let now = now?;
        let windows = self.windows.get_or_insert_with(|| Windows::starting(&now.at));
        windows.add(&self.terms, before?, now, energy?)
    }

    fn decide_by_energy(&mut self, excess: Option<Excess>) {
        let Some(excess) = excess else { return };
        match (&self.drawing, excess.span) {
            // A pair renews the proof: it is the youngest there is. Longer sums only begin a spell.
            (Some(Proof::Energy(_)) | None, Span::Pair)
            | (None, Span::Interval | Span::Day | Span::Month) => {
                self.drawing = Some(Proof::Energy(excess));
                self.below_ms = 0;
            }
            (Some(Proof::Power { .. }), Span::Pair) => self.below_ms = 0,
            (Some(_), Span::Interval | Span::Day | Span::Month) => {}
        }
    }

    fn decide_by_power(&mut self, reading: &Reading, before: Option<&Mark>, registers_quiet: bool) {
        let (at, limit) = (reading.at, self.terms.limit());
        let Some(power) = reading.power() else { return };
        if power > limit {
            self.below_ms = 0;
            self.climb(&at, power, limit);
            return;
        }
        self.above = None;
        if let (Some(_), Some(before), true) = (&self.drawing, before, registers_quiet) {
            self.below_ms = self.below_ms.saturating_add(at.since_ms(&before.at).max(0));
            if self.below_ms >= OFF_DELAY_MS {
                self.drawing = None;
                self.below_ms = 0;
                // What was drawn has been told; the sums begin anew, or a day once guilty would stay so until midnight.
                self.windows = Some(Windows::starting(&at));
            }
        }
    }

    /// Adds to the time beyond the limit and concludes when the on-delay is over.
    fn climb(&mut self, at: &Stamp, power: MilliWatts, limit: MilliWatts) {
        let inrush = self.live_since.is_some_and(|live| at.since_ms(&live) < INRUSH_MS);
        let poll_ms = i64::try_from(self.terms.poll_ms).unwrap_or(i64::MAX);
        let begin = Above { from: *at, last: *at, ms: 0 };
        let above = match self.above {
            // A proof must not reach back over a lawful midnight, or it would prove nothing about the day after.
            Some(above) if above.from.legal_day() == at.legal_day() && !inrush => {
                let span_ms = at.since_ms(&above.last).max(0);
                let counted = if span_ms <= poll_ms.saturating_mul(2) { span_ms } else { 0 };
                Above { ms: above.ms + counted, last: *at, ..above }
            }
            Some(_) | None => begin,
        };
        self.above = Some(above);
        let large = power.0 > self.terms.rated.0 / 100 * LARGE_LOAD_PERCENT;
        let delay_ms = if large { ON_DELAY_LARGE_MS } else { ON_DELAY_SMALL_MS };
        let renews = self.drawing.is_none_or(|proof| proof.from().legal_day() != at.legal_day());
        if above.ms >= delay_ms && renews {
            self.drawing = Some(Proof::Power { from: above.from, power, limit });
        }
    }

    fn note_life(&mut self, reading: &Reading) {
        let life = reading.liveness();
        if let (Some(before), Some(now)) = (self.life, life)
            && before != now
        {
            self.life_moved = Some(reading.at);
        }
        self.life = life.or(self.life);
    }

    fn note_voltage(&mut self, reading: &Reading) {
        let Some(live) = self.voltages(reading).map(|v| v.live) else { return };
        if live && self.was_live == Some(false) {
            self.live_since = Some(reading.at);
        }
        self.was_live = Some(live);
    }

    fn voltages(&self, reading: &Reading) -> Option<Voltages> {
        let percent = |v: MilliVolts, p: i64| v.0.saturating_abs() < self.terms.nominal.0 / 100 * p;
        let lines = reading.line_voltages();
        let known = || lines.iter().flatten();
        known().next()?;
        Some(Voltages {
            dead: known().all(|v| percent(*v, DEAD_VOLTAGE_PERCENT)),
            live: known().all(|v| !percent(*v, LIVE_VOLTAGE_PERCENT)),
        })
    }

    /// What the readings say now.
    fn classify(&self, reading: &Reading, advance: Option<Advance>, energy: Option<WattHours>) -> State {
        if self.drawing.is_some() {
            return State::Drawing;
        }
        match advance {
            Some(Advance::Fell(_)) => return State::Unknown(Why::RegisterFell),
            Some(Advance::Leapt(_)) => return State::Unknown(Why::RegisterLeapt),
            Some(Advance::Held | Advance::Moved(_) | Advance::RolledOver(_)) | None => {}
        }
        let Some(power) = reading.power() else { return State::Unknown(Why::NoPower) };
        let Some(volts) = self.voltages(reading) else { return State::Unknown(Why::NoVoltage) };
        let Some(register) = reading.import else { return State::Unknown(Why::NoRegister) };
        if power.0 < -self.terms.limit().0 {
            return State::Unknown(Why::Reversed);
        }
        let Some(energy) = energy else { return self.undecided() };
        let still = energy.0 <= register.step.0.saturating_mul(2);
        let current =
            reading.currents().iter().flatten().any(|i| i.0.saturating_abs() > self.terms.floor.current.0);
        match (volts.dead, volts.live, current) {
            (true, _, true) => State::Unknown(Why::CurrentWithoutVoltage),
            (true, _, false) if still => self.dead(reading),
            (false, false, false) => State::Unknown(Why::InducedVoltage),
            (true, _, false) | (false, _, _) => self.on_live_line(power, energy, still),
        }
    }

    fn dead(&self, reading: &Reading) -> State {
        match (reading.liveness(), self.life_moved) {
            (None, _) => State::Unknown(Why::NoLivenessWord),
            (Some(_), Some(moved)) if reading.at.since_ms(&moved) <= LIVENESS_MS => State::Dead,
            (Some(_), _) => State::Unknown(Why::NotProvenAlive),
        }
    }

    fn on_live_line(&self, power: MilliWatts, energy: WattHours, still: bool) -> State {
        let idle = self.terms.idle_limit();
        let poll_ms = i64::try_from(self.terms.poll_ms).unwrap_or(i64::MAX).saturating_mul(2);
        let quiet = still || energy <= idle.over_ms(poll_ms);
        if power.0 <= idle.0 && quiet {
            State::Energised
        } else if power.0 <= self.terms.limit().0 {
            State::Auxiliary
        } else {
            self.undecided()
        }
    }

    /// The on-delay runs: the state stays what it was, unless nothing was known.
    fn undecided(&self) -> State {
        match self.conduct {
            State::Unknown(_) | State::Drawing => State::Unknown(Why::NotYetJudged),
            State::Auxiliary | State::Energised | State::Dead => self.conduct,
        }
    }

    fn event(&self, advance: Advance, before: Mark, after: Mark) -> Option<Event> {
        let what = match advance {
            Advance::Held | Advance::Moved(_) => return None,
            Advance::RolledOver(_) => RegisterQuirk::RolledOver,
            Advance::Fell(_) => RegisterQuirk::Fell,
            Advance::Leapt(_) => RegisterQuirk::Leapt,
        };
        Some(Event::Register(RegisterEvent { meter: self.terms.meter, what, before, after }))
    }
}

struct Voltages {
    dead: bool,
    live: bool,
}
