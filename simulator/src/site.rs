//! The feeders of a site on their one grid, incomers above and furnaces below, and the truth of what flows.

use coldhearth::terms::{MilliWatts, WattHours};

use crate::{
    chance::Chance,
    equipment::{Energy, Fed, milliwatts},
    feeder::{Feeder, Flow, Supply},
    flow::{Line, Powers},
    grid::Grid,
    load::Draw,
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

impl Truth {
    fn of(power: MilliWatts, energy: Energy) -> Truth {
        Truth {
            power,
            energy: WattHours(i64::try_from(energy.inward / WATT_HOUR).unwrap_or(i64::MAX)),
            exact_energy: energy.inward,
            exact_energy_out: energy.outward,
        }
    }
}

/// A feeder with its place under an incomer.
#[derive(Clone, Debug)]
struct Placed {
    feeder: Feeder,
    above: Option<FeederIndex>,
}

/// Two bus sections joined: their incomers share what both carry.
#[derive(Clone, Copy, Debug)]
struct Coupler {
    first: FeederIndex,
    second: FeederIndex,
    /// What the first carries of both while both are live.
    share: f64,
}

/// The feeders of a site.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    chance: Chance,
    grid: Grid,
    feeders: Vec<Placed>,
    couplers: Vec<Coupler>,
}

impl Site {
    /// A site without feeders.
    pub(crate) fn new(chance: Chance, grid: Grid) -> Site {
        Site { chance, grid, feeders: Vec::new(), couplers: Vec::new() }
    }

    /// Adds a feeder that carries those below it.
    pub(crate) fn add(&mut self, feeder: Feeder, below: &[FeederIndex]) -> FeederIndex {
        let index = FeederIndex(self.feeders.len());
        // Only what was added before can lie below: so no feeder carries itself, and one pass computes all flows.
        for child in below.iter().filter(|child| **child < index) {
            if let Some(placed) = self.feeders.get_mut(child.0) {
                placed.above = Some(index);
            }
        }
        let chance = self.chance.branch(u64::try_from(index.0).unwrap_or(0));
        self.feeders.push(Placed { feeder: feeder.with_chance(chance), above: None });
        index
    }

    /// A feeder to change.
    pub(crate) fn feeder(&mut self, feeder: FeederIndex) -> Option<&mut Feeder> {
        self.feeders.get_mut(feeder.0).map(|placed| &mut placed.feeder)
    }

    /// Closes the coupler between the sections of two incomers; `None` unless both are incomers from outside, or if
    /// one of them is joined already.
    pub(crate) fn couple(&mut self, first: FeederIndex, second: FeederIndex, share: f64) -> Option<()> {
        let is_free = |index: FeederIndex| {
            self.feeders.get(index.0).is_some_and(|placed| placed.above.is_none())
                && self.coupler(index).is_none()
        };
        let is_possible = first != second && is_free(first) && is_free(second);
        is_possible.then(|| self.couplers.push(Coupler { first, second, share }))
    }

    /// Opens the coupler of an incomer's section; `None` if it is open.
    pub(crate) fn uncouple(&mut self, incomer: FeederIndex) -> Option<()> {
        self.coupler(incomer)?;
        self.couplers.retain(|c| c.first != incomer && c.second != incomer);
        Some(())
    }

    /// Frequency of the grid, in hertz.
    pub(crate) fn grid_hz(&self, at_ms: u64) -> f64 {
        self.grid.frequency_hz(at_ms)
    }

    /// Frequency of the generator behind a feeder's breaker, if one feeds it, in hertz.
    pub(crate) fn island_hz(&self, feeder: FeederIndex, at_ms: u64) -> Option<f64> {
        self.feeders.get(feeder.0)?.feeder.island_hz(at_ms)
    }

    /// Works out what flows through every feeder; `present` is reused, so that years of it allocate nothing.
    pub(crate) fn flows(&self, held_ms: u64, now_ms: u64, present: &mut Present) {
        present.begin(self.feeders.len());
        let outside = Line { held_ms, now_ms, per_unit: self.grid.per_unit(held_ms), is_live: true };
        for (at, placed) in self.feeders.iter().enumerate().rev() {
            let is_live = placed.above.is_none_or(|above| self.is_section_live(above, present));
            present.set(at, |state| state.line = Line { is_live, ..outside });
        }
        for (at, placed) in self.feeders.iter().enumerate() {
            self.feed(at, &placed.feeder, present);
        }
        for (at, placed) in self.feeders.iter().enumerate() {
            if self.coupler(FeederIndex(at)).is_none() {
                pass(at, placed, present);
            }
        }
        for coupler in &self.couplers {
            self.join(coupler, present);
        }
        let edges = self.feeders.iter().filter_map(|placed| placed.feeder.equipment.next_edge_ms(now_ms));
        present.until_ms = edges.min().unwrap_or(u64::MAX);
    }

    /// Adds the energy of what flows, held for a while.
    pub(crate) fn count(&mut self, present: &Present, span_ms: u64) {
        for (placed, state) in self.feeders.iter_mut().zip(&present.states) {
            placed.feeder.energy.add(state.flow.power(), span_ms);
            placed.feeder.equipment.energy.add(state.equipment, span_ms);
        }
    }

    /// What really flows through a feeder's metering point and has flowed.
    pub(crate) fn truth(&self, feeder: FeederIndex, present: &Present) -> Truth {
        let Some(placed) = self.feeders.get(feeder.0) else { return Truth::default() };
        Truth::of(present.flow(feeder).power(), placed.feeder.energy)
    }

    /// What a feeder's process equipment really draws and has drawn, whichever way it is fed.
    pub(crate) fn equipment(&self, feeder: FeederIndex, present: &Present) -> Truth {
        let Some(placed) = self.feeders.get(feeder.0) else { return Truth::default() };
        Truth::of(present.of(feeder).equipment, placed.feeder.equipment.energy)
    }

    /// Whether a feeder's breaker is closed and its equipment fed through it.
    #[cfg(test)]
    pub(crate) fn hangs_on_the_grid(&self, feeder: FeederIndex) -> bool {
        self.feeders.get(feeder.0).is_some_and(|placed| {
            placed.feeder.supply == Supply::Live && placed.feeder.equipment.fed == Fed::Own
        })
    }

    /// What the equipment of a feeder draws, and from where.
    fn feed(&self, at: usize, feeder: &Feeder, present: &mut Present) {
        let line = feeder.line(present.of(FeederIndex(at)).line);
        let fed = feeder.equipment.fed;
        let has_voltage = match fed {
            Fed::Own => feeder.is_powered(line),
            Fed::Through(host) => {
                self.feeders.get(host.0).is_some_and(|placed| placed.feeder.is_powered(present.of(host).line))
            }
            Fed::Elsewhere => true,
        };
        let draw = if has_voltage { feeder.equipment_draw(line) } else { Draw::NONE };
        let equipment = match feeder.forced {
            Some(power) if fed == Fed::Own && has_voltage => power,
            Some(_) | None => milliwatts(&draw),
        };
        let own = if fed == Fed::Own { draw } else { Draw::NONE };
        present.set(at, |state| (state.equipment, state.own) = (equipment, own));
        if let Fed::Through(host) = fed {
            let guest = feeder.split(&draw, line.held_ms);
            present.set(host.0, |state| state.beyond = state.beyond.plus(guest));
        }
    }

    /// What two incomers carry of their joined sections.
    fn join(&self, coupler: &Coupler, present: &mut Present) {
        let Coupler { first: FeederIndex(first), second: FeederIndex(second), share } = *coupler;
        let (Some(a), Some(b)) = (self.feeders.get(first), self.feeders.get(second)) else { return };
        let both = present.of(coupler.first).beyond.plus(present.of(coupler.second).beyond);
        let of_first = match (a.feeder.supply, b.feeder.supply) {
            (Supply::Live, Supply::Live) => both.shared(share),
            (Supply::Live, _) => both,
            (_, _) => Powers::NONE,
        };
        present.set(first, |state| state.beyond = of_first);
        present.set(second, |state| state.beyond = both.minus(of_first));
        pass(first, a, present);
        pass(second, b, present);
    }

    fn is_section_live(&self, incomer: FeederIndex, present: &Present) -> bool {
        let is_closed =
            |index: FeederIndex| self.feeders.get(index.0).is_some_and(|p| p.feeder.supply == Supply::Live);
        let other = self.coupler(incomer).map(|c| if c.first == incomer { c.second } else { c.first });
        (present.of(incomer).line.is_live && is_closed(incomer)) || other.is_some_and(is_closed)
    }

    fn coupler(&self, incomer: FeederIndex) -> Option<&Coupler> {
        self.couplers.iter().find(|c| c.first == incomer || c.second == incomer)
    }
}

/// What one feeder takes, what its meter is shown of it, and what goes up.
fn pass(at: usize, placed: &Placed, present: &mut Present) {
    let State { line, own, beyond, .. } = *present.of(FeederIndex(at));
    let feeder = &placed.feeder;
    let powers = feeder.powers(feeder.line(line), own, beyond);
    present.set(at, |state| state.flow = feeder.shown(line, &powers));
    if let Some(above) = placed.above.filter(|_| feeder.supply == Supply::Live && line.is_live) {
        present.set(above.0, |state| state.beyond = state.beyond.plus(powers.0));
    }
}

/// One feeder at one moment.
#[derive(Clone, Copy, Debug)]
struct State {
    line: Line,
    own: Draw,
    beyond: Powers,
    equipment: MilliWatts,
    flow: Flow,
}

impl State {
    const NOTHING: State = State {
        line: Line { held_ms: 0, now_ms: 0, per_unit: [0.0; 3], is_live: false },
        own: Draw::NONE,
        beyond: Powers::NONE,
        equipment: MilliWatts(0),
        flow: Flow::NONE,
    };
}

/// What flows through every feeder of a site at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present {
    states: Vec<State>,
    /// When something begins that no step begins.
    pub(crate) until_ms: u64,
}

impl Present {
    /// What flows through one of them.
    pub(crate) fn flow(&self, feeder: FeederIndex) -> Flow {
        self.of(feeder).flow
    }

    fn begin(&mut self, feeders: usize) {
        self.states.clear();
        self.states.resize(feeders, State::NOTHING);
    }

    fn of(&self, feeder: FeederIndex) -> &State {
        self.states.get(feeder.0).unwrap_or(&State::NOTHING)
    }

    fn set(&mut self, at: usize, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.states.get_mut(at) {
            change(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Load, RotaryKiln};
    use coldhearth::terms::MilliVolts;

    const HIGH: MilliVolts = MilliVolts(10_000_000);

    fn site() -> Site {
        Site::new(Chance::new(2), Grid::new(2))
    }

    fn drawing(site: &mut Site, watts: i64) -> FeederIndex {
        let index = site.add(Feeder::new(HIGH, Load::Cold), &[]);
        site.feeder(index).unwrap().forced = Some(MilliWatts::from_watts(watts));
        index
    }

    fn kiln(site: &mut Site) -> FeederIndex {
        site.add(Feeder::new(HIGH, Load::RotaryKiln(RotaryKiln::WET)).running(), &[])
    }

    fn incomer(site: &mut Site, below: &[FeederIndex]) -> FeederIndex {
        site.add(Feeder::new(HIGH, Load::Cold), below)
    }

    fn present(site: &Site) -> Present {
        let mut present = Present::default();
        site.flows(0, 0, &mut present);
        present
    }

    fn power(site: &Site, feeder: FeederIndex) -> i64 {
        present(site).flow(feeder).power().watts()
    }

    #[test]
    fn an_incomer_carries_what_hangs_on_it_and_takes_it_along() {
        let mut site = site();
        let below = [drawing(&mut site, 1_000_000), drawing(&mut site, 250_000)];
        let bus = incomer(&mut site, &below);
        let incomer = site.add(Feeder::new(MilliVolts(35_000_000), Load::Cold), &[bus]);
        assert_eq!(power(&site, incomer), 1_250_000);
        let present = present(&site);
        site.count(&present, 3_600_000);
        assert_eq!(site.truth(incomer, &present).energy, WattHours(1_250_000));

        site.feeder(incomer).unwrap().supply = Supply::Cut;
        assert!([below[0], below[1], bus, incomer].iter().all(|f| power(&site, *f) == 0));
        site.feeder(incomer).unwrap().supply = Supply::Live;
        site.feeder(below[0]).unwrap().supply = Supply::Cut;
        assert_eq!((power(&site, below[0]), power(&site, incomer)), (0, 250_000));
    }

    #[test]
    fn a_bypass_leaves_the_feeder_and_stays_in_the_incomer() {
        let mut site = site();
        let (hidden, other) = (kiln(&mut site), drawing(&mut site, 100_000));
        let above = incomer(&mut site, &[hidden, other]);
        let kiln_w = power(&site, hidden);
        assert!(kiln_w > 880_000 && power(&site, above) == kiln_w + 100_000);
        let drawn = |site: &Site| site.equipment(hidden, &present(site)).power.watts();
        let whole = power(&site, above);
        for (fed, seen) in [
            (Fed::Through(above), [0, 100_000, whole]),
            (Fed::Through(other), [0, whole, whole]),
            (Fed::Elsewhere, [0, 100_000, 100_000]),
            (Fed::Own, [kiln_w, 100_000, whole]),
        ] {
            site.feeder(hidden).unwrap().equipment.fed = fed;
            let found = [hidden, other, above].map(|feeder| power(&site, feeder));
            assert!(found.iter().zip(seen).all(|(a, b)| (a - b).abs() <= 1), "{fed:?}: {found:?}");
            assert_eq!(drawn(&site), kiln_w, "{fed:?}: the truth knows");
        }
        // A bypass from a dead bus feeds nothing.
        site.feeder(hidden).unwrap().equipment.fed = Fed::Through(above);
        site.feeder(above).unwrap().supply = Supply::Cut;
        assert_eq!(drawn(&site), 0);
    }

    #[test]
    fn joined_sections_share_their_incomers() {
        let mut site = site();
        let (small, large) = (drawing(&mut site, 200_000), drawing(&mut site, 1_000_000));
        let (first, second) = (incomer(&mut site, &[small]), incomer(&mut site, &[large]));
        let powers = |site: &Site| [small, large, first, second].map(|feeder| power(site, feeder));
        assert_eq!(powers(&site), [200_000, 1_000_000, 200_000, 1_000_000]);
        assert!(site.couple(first, second, 0.5).is_some() && site.couple(second, first, 0.5).is_none());
        assert!(powers(&site)[2..].iter().all(|watts| (watts - 600_000).abs() <= 1), "{:?}", powers(&site));
        site.feeder(first).unwrap().supply = Supply::Cut;
        assert_eq!(powers(&site), [200_000, 1_000_000, 0, 1_200_000]);
        site.feeder(second).unwrap().supply = Supply::Cut;
        assert_eq!(powers(&site), [0; 4]);
        site.feeder(second).unwrap().supply = Supply::Live;
        assert!(site.uncouple(second).is_some() && site.uncouple(first).is_none());
        assert_eq!(powers(&site), [0, 1_000_000, 0, 1_000_000]);
        assert!(site.couple(small, first, 0.5).is_none(), "a feeder below is no incomer");
    }

    #[test]
    fn a_generator_turns_no_incomers_meter() {
        let mut site = site();
        let fed = kiln(&mut site);
        let above = incomer(&mut site, &[fed]);
        site.feeder(fed).unwrap().supply = Supply::Generator(crate::feeder::Place::BeforeMeter);
        assert!(power(&site, fed) > 880_000 && power(&site, above) == 0);
        let off = site.island_hz(fed, 5_000).unwrap() - site.grid_hz(5_000);
        assert!(off.abs() > 1e-3 && site.island_hz(above, 5_000).is_none(), "{off}");
    }
}
