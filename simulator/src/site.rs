//! The feeders of a site on their one grid, incomers above and furnaces below, and the truth of what flows.

use coldhearth::terms::{MilliWatts, WattHours};

use crate::{
    chance::Chance,
    feeder::{Feeder, Flow, Line, Supply},
    grid::Grid,
};

/// Milliwatts times milliseconds in a watt-hour.
const WATT_HOUR: u128 = 3_600_000_000;

/// A feeder of a plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeederIndex(usize);

/// What really flows, whatever any meter says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Active power at this moment.
    pub power: MilliWatts,
    /// Energy since plant time 0 that flowed in, its fraction of a watt-hour cut off.
    pub energy: WattHours,
    /// The same energy, exact, in milliwatts times milliseconds.
    pub exact_energy: u128,
    /// Energy that flowed out, exact.
    pub exact_energy_out: u128,
}

/// A feeder with its place under an incomer.
#[derive(Clone, Debug)]
struct Placed {
    feeder: Feeder,
    above: Option<FeederIndex>,
    below: Vec<FeederIndex>,
}

/// The feeders of a site.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    chance: Chance,
    grid: Grid,
    feeders: Vec<Placed>,
}

impl Site {
    /// A site without feeders.
    pub(crate) fn new(chance: Chance, grid: Grid) -> Site {
        Site { chance, grid, feeders: Vec::new() }
    }

    /// Adds a feeder that carries those below it.
    pub(crate) fn add(&mut self, feeder: Feeder, below: &[FeederIndex]) -> FeederIndex {
        let index = FeederIndex(self.feeders.len());
        // Only what was added before can lie below: so no feeder carries itself, and one pass computes all flows.
        let below: Vec<FeederIndex> = below.iter().copied().filter(|b| *b < index).collect();
        for child in &below {
            if let Some(placed) = self.feeders.get_mut(child.0) {
                placed.above = Some(index);
            }
        }
        let chance = self.chance.branch(u64::try_from(index.0).unwrap_or(0));
        self.feeders.push(Placed { feeder: feeder.with_chance(chance), above: None, below });
        index
    }

    /// A feeder to change.
    pub(crate) fn feeder(&mut self, feeder: FeederIndex) -> Option<&mut Feeder> {
        self.feeders.get_mut(feeder.0).map(|placed| &mut placed.feeder)
    }

    /// Frequency of the grid, in hertz.
    pub(crate) fn frequency_hz(&self, at_ms: u64) -> f64 {
        self.grid.frequency_hz(at_ms)
    }

    /// What flows through every feeder.
    pub(crate) fn flows(&self, at_ms: u64) -> Flows {
        let per_unit = self.grid.per_unit(at_ms);
        let mut flows = Flows(Vec::with_capacity(self.feeders.len()));
        for placed in &self.feeders {
            let below: Vec<Flow> = placed.below.iter().map(|b| flows.of(*b)).collect();
            let line = Line { at_ms, per_unit, is_live: self.is_live_above(placed) };
            flows.0.push(placed.feeder.flow(line, &below));
        }
        flows
    }

    /// What flows through one feeder.
    pub(crate) fn flow(&self, feeder: FeederIndex, at_ms: u64) -> Flow {
        let Some(placed) = self.feeders.get(feeder.0) else { return Flow::default() };
        let below: Vec<Flow> = placed.below.iter().map(|b| self.flow(*b, at_ms)).collect();
        let per_unit = self.grid.per_unit(at_ms);
        placed.feeder.flow(Line { at_ms, per_unit, is_live: self.is_live_above(placed) }, &below)
    }

    /// Adds the energy of flows held for a while.
    pub(crate) fn count(&mut self, flows: &Flows, span_ms: u64) {
        for (placed, flow) in self.feeders.iter_mut().zip(&flows.0) {
            placed.feeder.count(flow, span_ms);
        }
    }

    /// What really flows and has flowed.
    pub(crate) fn truth(&self, feeder: FeederIndex, at_ms: u64) -> Truth {
        let Some(placed) = self.feeders.get(feeder.0) else { return Truth::default() };
        let energy = placed.feeder.energy_in;
        Truth {
            power: self.flow(feeder, at_ms).power(),
            energy: WattHours(i64::try_from(energy / WATT_HOUR).unwrap_or(i64::MAX)),
            exact_energy: energy,
            exact_energy_out: placed.feeder.energy_out,
        }
    }

    fn is_live_above(&self, placed: &Placed) -> bool {
        let mut above = placed.above.and_then(|index| self.feeders.get(index.0));
        while let Some(incomer) = above {
            if incomer.feeder.supply != Supply::Live {
                return false;
            }
            above = incomer.above.and_then(|index| self.feeders.get(index.0));
        }
        true
    }
}

/// What flows through every feeder of a site at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Flows(Vec<Flow>);

impl Flows {
    /// What flows through one of them.
    pub(crate) fn of(&self, feeder: FeederIndex) -> Flow {
        self.0.get(feeder.0).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Load;
    use coldhearth::terms::MilliVolts;

    fn drawing(site: &mut Site, watts: i64) -> FeederIndex {
        let index = site.add(Feeder::new(MilliVolts(10_000_000), Load::Cold), &[]);
        site.feeder(index).unwrap().forced = Some(MilliWatts::from_watts(watts));
        index
    }

    #[test]
    fn an_incomer_carries_what_hangs_on_it_and_takes_it_along() {
        let mut site = Site::new(Chance::new(2), Grid::new(2));
        let below = [drawing(&mut site, 1_000_000), drawing(&mut site, 250_000)];
        let bus = site.add(Feeder::new(MilliVolts(10_000_000), Load::Cold), &below);
        let incomer = site.add(Feeder::new(MilliVolts(35_000_000), Load::Cold), &[bus]);
        let power = |site: &Site, feeder| site.flow(feeder, 0).power().watts();
        assert_eq!(power(&site, incomer), 1_250_000);
        let flows = site.flows(0);
        assert!([below[0], below[1], bus, incomer].iter().all(|f| flows.of(*f) == site.flow(*f, 0)));
        site.count(&flows, 3_600_000);
        assert_eq!(site.truth(incomer, 0).energy, WattHours(1_250_000));

        site.feeder(incomer).unwrap().supply = Supply::Cut;
        assert!([below[0], below[1], bus, incomer].iter().all(|f| power(&site, *f) == 0));
        site.feeder(incomer).unwrap().supply = Supply::Live;
        site.feeder(below[0]).unwrap().supply = Supply::Cut;
        assert_eq!((power(&site, below[0]), power(&site, incomer)), (0, 250_000));
    }
}
