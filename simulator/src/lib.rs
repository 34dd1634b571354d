//! The plant that Coldhearth watches: honest or cheating, in virtual time or over real sockets.
//!
//! | file | what it is |
//! |---|---|
//! | `chance`, `rounding` | seeded chance as a function of time; the few casts |
//! | `load`, `auxiliary`, `energised` | what a feeder draws: a file of `load` for each furnace, kiln, mill and line; lamps and cranes; transformer and capacitors |
//! | `equipment` | the thing the law names, whichever way it is fed: the truth |
//! | `grid`, `phasor`, `flow`, `feeder` | voltage and frequency of the site; one feeder's flow and its exact energy |
//! | `wiring`, `accuracy`, `measure` | what arrives at a meter of a flow, and what it measures of that |
//! | `counter`, `demand`, `life` | what it counts and keeps; its supply and clock |
//! | `view`, `factor`, `encode`, `layout`, `pretence`, `meter` | what it puts into its registers, or what is put there instead |
//! | `who`, `chain` | what it says of itself, in registers, by functions 43 and 17; the chain of SunSpec families |
//! | `site`, `change`, `timeline`, `plant` | the feeders and their truth; what is done to them and when; all of it with its Modbus units |
//! | `trace` | a recorded feeder, judged as if decommissioned equipment stood behind it |
//! | `scenario`, `alarm` | a scenario's file: what is declared, what is there, what is done, what it should end as |
//! | `witness`, `told` | one run in virtual time: plant, the program's schedules, its judge; what `play` says of it |
//! | `truth` | what really happens in a run, as JSON Lines |
//! | `score` | the scoreboard: honest years, runs of every cheat, what was caught by what and how soon |
//! | `open` | the plant of a scenario, served at its own pace |
//! | `fleet` | many gateways with the agent's own evidence and uplink, over real MQTT, in bad weather |
//! | `demo` | plant, broker, agent and regulator on one fast clock, for people |
//! | `exception`, `frame`, `fault`, `socket` | the plant as a Modbus server, over TCP and (`rtu`) on a line, that can lie about bytes |
//!
//! Everything random is a function of the seed and of plant time, so the same seed shows the same plant however it is
//! polled: only sums, products, quotients and square roots, which every machine computes alike. Only `socket`,
//! `open`, `fleet` and `demo` do I/O, and whoever reads a scenario: its file, and the recordings it names. Nothing here shares code with the decoder or the judge: a threshold or an encoding
//! that both sides took from one place would prove nothing.

pub mod accuracy;
pub mod alarm;
pub mod auxiliary;
mod chain;
pub mod chance;
pub mod change;
mod counter;
mod demand;
pub mod demo;
mod encode;
pub mod energised;
pub mod equipment;
pub mod exception;
mod factor;
pub mod fault;
pub mod feeder;
pub mod fleet;
mod flow;
mod frame;
pub mod grid;
mod layout;
mod life;
pub mod load;
pub mod measure;
pub mod meter;
pub mod open;
pub mod phasor;
#[cfg(test)]
mod physics;
pub mod plant;
mod pretence;
#[cfg(test)]
mod round_trip;
mod rounding;
pub mod rtu;
pub mod scenario;
pub mod score;
pub mod site;
pub mod socket;
pub mod timeline;
pub mod told;
pub mod trace;
pub mod truth;
mod view;
mod who;
pub mod wiring;
pub mod witness;

pub use accuracy::{Class, Classes};
pub use auxiliary::Auxiliaries;
pub use chance::Chance;
pub use change::Change;
pub use energised::{Capacitors, Transformer};
pub use equipment::Fed;
pub use fault::{Faults, WireFault};
pub use feeder::{Feeder, Place, Supply, VoltagePoint};
pub use frame::Said;
pub use grid::Grid;
pub use load::{
    BallMill, BlastFurnace, BlowerDrive, Converter, ElectricArcFurnace, GlassLine, LadleFurnace, Load,
    PaperMachine, PotLine, RotaryKiln, ShaftKiln, SubmergedArcFurnace, Trace,
};
pub use measure::Elements;
pub use meter::{SimMeter, Unmapped};
pub use phasor::Phase;
pub use plant::Plant;
pub use rtu::serve_rtu;
pub use scenario::Scenario;
pub use site::{FeederIndex, Truth};
pub use socket::{PlantTime, serve};
pub use timeline::Timeline;
pub use wiring::Wiring;
pub use witness::Witness;
