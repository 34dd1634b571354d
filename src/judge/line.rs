//! The line behind a meter: is it dead, live or something between, and does the meter provably live while it is dead.

use super::{
    commission::Commissioned,
    state::{State, Why},
};
use crate::{
    metering::Reading,
    terms::{MilliVolts, Stamp, WattHours},
};

/// After the line comes alive, inrush is not judged by power for this long; by energy always.
pub const INRUSH_MS: i64 = 30_000;
/// A line must have been dead this long for its return to be an energisation.
pub const DEAD_BEFORE_INRUSH_MS: i64 = 5_000;
/// Inrush is granted once in this time: a line that keeps dipping does not blind the witness.
pub const INRUSH_AGAIN_MS: i64 = 900_000;
/// Below this part of nominal a line voltage counts as none.
pub const DEAD_VOLTAGE_PERCENT: i64 = 10;
/// Below this part of nominal, without current, a line voltage counts as induced.
pub const LIVE_VOLTAGE_PERCENT: i64 = 50;
/// A meter on a dead line is alive while one of its words moved within this time.
pub const LIVENESS_MS: i64 = 900_000;
/// A register must have stood still this long before a line is called dead.
pub const STILL_MS: i64 = 60_000;

/// What one reading shows of the voltages.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Every line voltage is below the dead threshold.
    pub is_dead: bool,
    /// Every line voltage is above the live threshold.
    pub is_live: bool,
}

/// What was seen of a line over time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    dead_since: Option<Stamp>,
    inrush_from: Option<Stamp>,
    watched_since: Option<Stamp>,
    moved_at: Option<Stamp>,
    life: Option<i64>,
    life_moved: Option<Stamp>,
}

impl Line {
    /// Takes a reading and what the register told with it.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading, energy: Option<WattHours>) {
        let at = reading.at;
        self.watched_since.get_or_insert(at);
        if energy.is_some_and(|energy| energy.0 > 0) {
            self.moved_at = Some(at);
        }
        let life = reading.liveness();
        if let (Some(before), Some(now)) = (self.life, life)
            && before != now
        {
            self.life_moved = Some(at);
        }
        self.life = life.or(self.life);
        match sight(terms, reading) {
            Some(Sight { is_dead: true, .. }) => {
                self.dead_since.get_or_insert(at);
            }
            Some(Sight { is_live: true, .. }) => self.on_live(&at),
            Some(Sight { .. }) | None => {}
        }
    }

    /// Whether the line has just come alive and power is not judged yet.
    pub fn is_in_inrush(&self, at: &Stamp) -> bool {
        self.inrush_from.is_some_and(|from| at.since_ms(&from) < INRUSH_MS)
    }

    /// The state of a line without voltage, where no current flows.
    pub fn dead_state(&self, terms: &Commissioned, reading: &Reading) -> State {
        let at = &reading.at;
        let currents = reading.currents().iter().flatten().count();
        if currents == 0 || currents < usize::from(terms.promised.currents) {
            return State::Unknown(Why::NoCurrent);
        }
        if self.moved_at.is_some_and(|moved| at.since_ms(&moved) < STILL_MS) {
            return State::Unknown(Why::RegisterMoves);
        }
        if self.watched_since.is_none_or(|since| at.since_ms(&since) < STILL_MS) {
            return State::Unknown(Why::NotYetJudged);
        }
        match (reading.liveness(), self.life_moved) {
            (None, _) => State::Unknown(Why::NoLivenessWord),
            (Some(_), Some(moved)) if at.since_ms(&moved) <= LIVENESS_MS => State::Dead,
            (Some(_), _) => State::Unknown(Why::NotProvenAlive),
        }
    }

    fn on_live(&mut self, at: &Stamp) {
        let was_dead =
            self.dead_since.take().is_some_and(|since| at.since_ms(&since) >= DEAD_BEFORE_INRUSH_MS);
        let may = self.inrush_from.is_none_or(|last| at.since_ms(&last) >= INRUSH_AGAIN_MS);
        if was_dead && may {
            self.inrush_from = Some(*at);
        }
    }
}

/// What a reading shows of the voltages; `None` unless every voltage the meter's map promises is there.
pub fn sight(terms: &Commissioned, reading: &Reading) -> Option<Sight> {
    let below = |v: &MilliVolts, percent: i64| v.0.saturating_abs() < terms.nominal.0 / 100 * percent;
    let lines = reading.line_voltages();
    let known = lines.iter().flatten().count();
    (known > 0 && known >= usize::from(terms.promised.voltages)).then(|| Sight {
        is_dead: lines.iter().flatten().all(|v| below(v, DEAD_VOLTAGE_PERCENT)),
        is_live: lines.iter().flatten().all(|v| !below(v, LIVE_VOLTAGE_PERCENT)),
    })
}
