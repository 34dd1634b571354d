//! What a feeder's power shows to have been drawn while its register does not tell it: a register that is not there, or that
//! stands, counts nothing, and nothing told is not nothing drawn.
//!
//! Between two readings the lower power of the two counts, less what the class may err. A load that beats with the polls may
//! show more so than it draws; therefore a register that moves is believed for [`BEAT`] times what it tells, and what may
//! merely not show in it yet does not count.
//!
//! What this does not see: what was drawn since the meter's last interval is forgotten when the program starts anew, up to a
//! quarter of an hour of it, where no register tells it then. And what a register tells after a restart that was not read for
//! more than two polls before it may be what was counted under the permit already: of that much it uses up nothing again.

use super::commission::{Commissioned, REGISTER_AGE_MS};
use super::floor::register_floor;
use crate::{
    metering::Reading,
    terms::{MeterId, MilliWatts, Stamp, WattHours},
};

/// A register that tells of some energy is believed where power shows up to so many times as much.
pub const BEAT: i64 = 16;
/// Milliwatt-milliseconds in a watt-hour.
const MILLIS_PER_WH: i64 = 3_600_000_000;

/// The last power a meter told.
#[derive(Clone, Copy, Debug)]
pub struct Power {
    meter: MeterId,
    at: Stamp,
    power: MilliWatts,
}

/// What was drawn for certain between two readings in a row.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// The meter.
    pub meter: MeterId,
    /// The earlier reading.
    pub from: Stamp,
    /// The later one, at most two polls after it.
    pub to: Stamp,
    /// The lower power of the two, less what the class may err.
    power: MilliWatts,
    /// What may not show in the register yet, in watt-hours.
    unshown: WattHours,
}

impl Drawn {
    /// What a reading shows together with the power of the same meter before it, which it takes the place of.
    pub fn by(terms: &Commissioned, known: &mut Vec<Power>, reading: &Reading) -> Option<Drawn> {
        let meter = terms.meter;
        let place = known.iter().position(|before| before.meter == meter);
        let before = place.map(|place| known.swap_remove(place));
        let power = reading.power()?;
        known.push(Power { meter, at: reading.at, power });
        let before = before?;
        let polls_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX).saturating_mul(2);
        let ms = reading.at.since_ms(&before.at);
        let is_near = before.at.boot == reading.at.boot && (1..=polls_ms).contains(&ms);
        let power = terms.least(power.min(before.power));
        let step = reading.import.map_or(WattHours(0), |register| register.step);
        let late = power.over_ms(REGISTER_AGE_MS.saturating_add(polls_ms));
        let unshown = WattHours(late.0.saturating_add(register_floor(step).0));
        let drawn = Drawn { meter, from: before.at, to: reading.at, power, unshown };
        (is_near && power.0 > 0).then_some(drawn)
    }
}

/// What one meter's power showed under a permit, of which its register told nothing.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The meter.
    pub meter: MeterId,
    /// In milliwatt-milliseconds.
    energy: i64,
    /// The most that was not to show in the register yet.
    unshown: WattHours,
    /// What counted of it when the meter's last interval ended.
    pub closed: WattHours,
}

impl Shown {
    /// Of which nothing is known yet.
    pub fn of(meter: MeterId) -> Shown {
        Shown { meter, energy: 0, unshown: WattHours(0), closed: WattHours(0) }
    }

    /// Takes what was drawn between two readings.
    pub fn on_drawn(&mut self, drawn: &Drawn) {
        let ms = drawn.to.since_ms(&drawn.from);
        self.energy = self.energy.saturating_add(drawn.power.0.saturating_mul(ms));
        self.unshown = self.unshown.max(drawn.unshown);
    }

    /// The register tells: so much was no more than what it told of.
    pub fn on_told(&mut self, energy: WattHours) {
        let told = energy.0.saturating_mul(BEAT).saturating_mul(MILLIS_PER_WH);
        self.energy = self.energy.saturating_sub(told).max(0);
        self.closed = self.closed.min(self.counted());
    }

    /// What counts of it.
    pub fn counted(&self) -> WattHours {
        WattHours((self.energy / MILLIS_PER_WH).saturating_sub(self.unshown.0).max(0))
    }

    /// The meter's interval is over.
    pub fn close(&mut self) {
        self.closed = self.counted();
    }
}

/// What a meter's register, when it is back, may tell again of what was counted before a restart by its power.
#[derive(Clone, Copy, Debug)]
pub struct Untold {
    /// The meter.
    pub meter: MeterId,
    /// The most that passed while its register was not read.
    pub most: WattHours,
}
