//! The process equipment of a feeder: the thing the law names. What it draws is the truth, whichever way it is fed.

use coldhearth::terms::MilliWatts;

use crate::{
    chance::Chance,
    load::{Draw, Load},
    rounding::{nearest, share},
    site::FeederIndex,
};

/// The way equipment is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// Through its own feeder and its meter.
    Own,
    /// Past its meter, from another feeder: the incomer, which then sees it, or a lawful furnace's feeder.
    Through(FeederIndex),
    /// From where no meter of the site is: another supply, a captive plant, a bus without a metered incomer.
    Elsewhere,
}

/// A share of full power on its way from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Level {
    from_per_mille: f64,
    to_per_mille: f64,
    since_ms: u64,
    over_ms: u64,
}

impl Level {
    fn at(&self, at_ms: u64) -> f64 {
        let since = at_ms.saturating_sub(self.since_ms);
        if since >= self.over_ms {
            return self.to_per_mille / 1_000.0;
        }
        // Whole seconds of a creep of years fit what milliseconds would not.
        let way = if self.over_ms > u64::from(u32::MAX) {
            share(since / 1_000, self.over_ms / 1_000)
        } else {
            share(since, self.over_ms)
        };
        (self.from_per_mille + (self.to_per_mille - self.from_per_mille) * way) / 1_000.0
    }
}

/// Energy in and out, in milliwatts times milliseconds: exact, and never less than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Energy {
    pub(crate) inward: u128,
    pub(crate) outward: u128,
}

impl Energy {
    pub(crate) fn add(&mut self, power: MilliWatts, span_ms: u64) {
        let energy = u128::from(power.0.unsigned_abs()) * u128::from(span_ms);
        if power.0 >= 0 {
            self.inward += energy;
        } else {
            self.outward += energy;
        }
    }
}

/// The process equipment of one feeder.
#[derive(Clone, Debug)]
pub(crate) struct Equipment {
    pub(crate) load: Load,
    started_ms: Option<u64>,
    pub(crate) fed: Fed,
    /// Full without one.
    level: Option<Level>,
    pub(crate) energy: Energy,
}

impl Equipment {
    pub(crate) fn standing(load: Load) -> Equipment {
        Equipment { load, started_ms: None, fed: Fed::Own, level: None, energy: Energy::default() }
    }

    pub(crate) fn start(&mut self, now_ms: u64) {
        self.started_ms = Some(self.started_ms.unwrap_or(now_ms));
    }

    pub(crate) fn stop(&mut self) {
        self.started_ms = None;
    }

    /// Moves its power to so many thousandths of full, evenly over a time.
    pub(crate) fn ramp(&mut self, now_ms: u64, to_per_mille: u16, over_ms: u64) {
        let from_per_mille = self.level.map_or(1_000.0, |level| level.at(now_ms) * 1_000.0);
        self.level =
            Some(Level { from_per_mille, to_per_mille: f64::from(to_per_mille), since_ms: now_ms, over_ms });
    }

    /// What it draws where there is voltage.
    pub(crate) fn draw(&self, held_ms: u64, now_ms: u64, chance: Chance) -> Draw {
        let Some(started) = self.started_ms else { return Draw::NONE };
        // A recording is exact to the millisecond; a model holds its power through a step.
        let at_ms = if let Load::Trace(_) = self.load { now_ms } else { held_ms };
        let draw = self.load.draw(at_ms.saturating_sub(started), chance);
        self.level.map_or(draw, |level| draw.scaled(level.at(held_ms)))
    }

    /// When a recording has another power, after now.
    pub(crate) fn next_edge_ms(&self, now_ms: u64) -> Option<u64> {
        let (Load::Trace(trace), Some(started)) = (&self.load, self.started_ms) else { return None };
        Some(started + trace.next_edge_ms(now_ms.saturating_sub(started))?)
    }
}

/// The whole of a float power in milliwatts as the truth states it.
pub(crate) fn milliwatts(draw: &Draw) -> MilliWatts {
    MilliWatts(nearest(draw.watts * 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{RotaryKiln, trace::Row};

    #[test]
    fn a_creep_is_even_and_begins_where_it_is() {
        let mut kiln = Equipment::standing(Load::RotaryKiln(RotaryKiln::WET));
        kiln.started_ms = Some(0);
        let full = kiln.draw(4_000, 4_000, Chance::new(1)).watts;
        kiln.ramp(0, 100, 0);
        assert!((kiln.draw(4_000, 4_000, Chance::new(1)).watts / full - 0.1).abs() < 1e-9);
        // Over 400 days, longer than milliseconds in 32 bits.
        let over = 400 * 86_400_000;
        kiln.ramp(4_000, 900, over);
        let level = |kiln: &Equipment, ms| kiln.level.unwrap().at(ms);
        assert!((level(&kiln, 4_000) - 0.1).abs() < 1e-9);
        assert!((level(&kiln, 4_000 + over / 2) - 0.5).abs() < 1e-9);
        kiln.ramp(4_000 + over / 2, 0, 10_000);
        assert!((level(&kiln, 9_000 + over / 2) - 0.25).abs() < 1e-9);
        assert!(level(&kiln, 99_000 + over).abs() < 1e-9);
    }

    #[test]
    fn a_recording_keeps_its_own_time() {
        let rows = vec![Row { at_ms: 250, power: MilliWatts(5), vars: None }];
        let mut played = Equipment::standing(Load::Trace(crate::load::Trace::new(rows, false).unwrap()));
        played.started_ms = Some(1_000);
        assert_eq!(milliwatts(&played.draw(1_000, 1_249, Chance::new(1))), MilliWatts(5));
        assert_eq!(milliwatts(&played.draw(1_000, 1_250, Chance::new(1))), MilliWatts(0));
        assert_eq!(played.next_edge_ms(1_100), Some(1_250));
    }
}
