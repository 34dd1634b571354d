//! What the equipment on a feeder draws while it runs, as a function of time since it was started.
//!
//! Figures: METERING.md C (`facts.csv`) where a source exists; "recollection" and "own assumption" where the comment
//! says so.

mod ball_mill;
mod blast_furnace;
mod converter;
mod electric_arc;
mod glass;
mod heats;
mod kiln;
mod ladle;
mod motor;
mod paper;
mod pot_line;
mod submerged_arc;
pub mod trace;

pub use self::{
    ball_mill::BallMill,
    blast_furnace::{BlastFurnace, BlowerDrive},
    converter::Converter,
    electric_arc::{ElectricArcFurnace, Part, part},
    glass::GlassLine,
    kiln::{RotaryKiln, ShaftKiln},
    ladle::LadleFurnace,
    paper::PaperMachine,
    pot_line::PotLine,
    submerged_arc::SubmergedArcFurnace,
    trace::Trace,
};
use crate::chance::Chance;

/// Active and reactive power of one moment, both of all phases together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draw {
    /// Active power in watts.
    pub watts: f64,
    /// Reactive power in var; positive is inductive.
    pub vars: f64,
    /// How far apart the phases are, as a fraction of their mean.
    pub unbalance: f64,
}

impl Draw {
    /// Nothing.
    pub const NONE: Draw = Draw { watts: 0.0, vars: 0.0, unbalance: 0.0 };

    /// A power at an inductive power factor.
    pub fn lagging(watts: f64, power_factor: f64) -> Draw {
        let pf = power_factor.clamp(0.01, 1.0);
        Draw { watts, vars: watts.abs() * (1.0 - pf * pf).sqrt() / pf, unbalance: 0.0 }
    }

    /// So many times as much.
    #[must_use]
    pub(crate) fn scaled(self, by: f64) -> Draw {
        Draw { watts: self.watts * by, vars: self.vars * by, unbalance: self.unbalance }
    }

    /// The power factor; 1 where nothing is drawn.
    pub fn power_factor(&self) -> f64 {
        let apparent = (self.watts * self.watts + self.vars * self.vars).sqrt();
        if apparent > 0.0 { self.watts / apparent } else { 1.0 }
    }

    /// Both together; the larger power says how far the phases are apart.
    #[must_use]
    pub fn and(self, other: Draw) -> Draw {
        let unbalance = if self.watts.abs() >= other.watts.abs() { self.unbalance } else { other.unbalance };
        Draw { watts: self.watts + other.watts, vars: self.vars + other.vars, unbalance }
    }
}

/// The process equipment a feeder serves.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// None: the feeder of a furnace that was taken out.
    Cold,
    /// Steel from scrap, heat by heat.
    ElectricArcFurnace(ElectricArcFurnace),
    /// Steel kept hot and refined in the ladle, arc by arc.
    LadleFurnace(LadleFurnace),
    /// Ferroalloy, without a pause.
    SubmergedArcFurnace(SubmergedArcFurnace),
    /// Iron, blown by a motor or by steam.
    BlastFurnace(BlastFurnace),
    /// Steel from iron, blow by blow: fan, lance and tilting drive.
    Converter(Converter),
    /// The drives of a rotary cement kiln.
    RotaryKiln(RotaryKiln),
    /// The drives of a shaft cement kiln.
    ShaftKiln(ShaftKiln),
    /// A ball mill.
    BallMill(BallMill),
    /// Aluminium, flat for months.
    PotLine(PotLine),
    /// Plate glass.
    GlassLine(GlassLine),
    /// Paper.
    PaperMachine(PaperMachine),
    /// A recording.
    Trace(Trace),
}

impl Load {
    /// What it draws `running_ms` after it was started.
    pub fn draw(&self, running_ms: u64, chance: Chance) -> Draw {
        match self {
            Load::Cold => Draw::NONE,
            Load::ElectricArcFurnace(furnace) => furnace.draw(running_ms, chance),
            Load::LadleFurnace(furnace) => furnace.draw(running_ms, chance),
            Load::SubmergedArcFurnace(furnace) => furnace.draw(running_ms, chance),
            Load::BlastFurnace(furnace) => furnace.draw(running_ms, chance),
            Load::Converter(converter) => converter.draw(running_ms, chance),
            Load::RotaryKiln(kiln) => kiln.draw(running_ms, chance),
            Load::ShaftKiln(kiln) => kiln.draw(running_ms, chance),
            Load::BallMill(mill) => mill.draw(running_ms, chance),
            Load::PotLine(line) => line.draw(running_ms, chance),
            Load::GlassLine(line) => line.draw(running_ms, chance),
            Load::PaperMachine(machine) => machine.draw(running_ms, chance),
            Load::Trace(trace) => trace.draw(running_ms),
        }
    }
}

/// One period of a wave between -1 and 1, of two parabolas: unlike a sine the same to the last bit on every machine.
pub(crate) fn wave(turn: f64) -> f64 {
    if turn < 0.5 { 16.0 * turn * (0.5 - turn) } else { -16.0 * (turn - 0.5) * (1.0 - turn) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_draws_nothing() {
        assert!((0..1_000).all(|s| Load::Cold.draw(s * 1_000, Chance::new(1)) == Draw::NONE));
    }

    #[test]
    fn a_wave_is_even_and_ends_where_it_begins() {
        assert!((wave(0.25) - 1.0).abs() < 1e-12 && (wave(0.75) + 1.0).abs() < 1e-12);
        assert!(wave(0.0).abs() < 1e-12 && wave(0.5).abs() < 1e-12 && wave(1.0).abs() < 1e-12);
    }
}
