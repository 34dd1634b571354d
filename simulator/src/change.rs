//! One thing done to a plant: what an operator does there, and what a cheat does.

use coldhearth::{
    catalogue::Nameplate,
    metering::{Function, Quantity, profile::Fact},
    terms::{MilliWatts, Ratio, WattHours},
};

use crate::{
    auxiliary::Auxiliaries, energised::Capacitors, equipment::Fed, feeder::Place, load::Load,
    site::FeederIndex, wiring::Wiring,
};

/// One thing done to the plant. A `u8` is the Modbus unit of a meter or a nameplate.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The process equipment is started.
    StartMelt(FeederIndex),
    /// The process equipment is stopped.
    StopLoad(FeederIndex),
    /// The process equipment runs at so many thousandths of full power from now on: a half-load melt is 500.
    Level(FeederIndex, u16),
    /// It moves there evenly over so many milliseconds: a slow creep.
    Ramp(FeederIndex, u16, u64),
    /// The process equipment is fed another way: past its meter, or from outside.
    Feed(FeederIndex, Fed),
    /// The breaker is opened; what lies below an incomer goes with it.
    Cut(FeederIndex),
    /// The breaker is closed.
    Restore(FeederIndex),
    /// The breaker is open and neighbouring cables induce a voltage, in per cent of nominal.
    Induce(FeederIndex, u8),
    /// The breaker is open and a generator of the works feeds in behind it; `Cut` takes it off, `Restore` the grid.
    Generate(FeederIndex, Place),
    /// The coupler between the sections of two incomers is closed; the first carries so many thousandths of both.
    Couple(FeederIndex, FeederIndex, u16),
    /// The coupler of an incomer's section is opened.
    Uncouple(FeederIndex),
    /// Other process equipment hangs on the feeder; it runs if the old one did.
    Load(FeederIndex, Load),
    /// Other auxiliaries.
    Auxiliaries(FeederIndex, Auxiliaries),
    /// Other capacitors, or none.
    Capacitors(FeederIndex, Option<Capacitors>),
    /// The feeder draws exactly this, whatever hangs on it; negative flows out.
    Force(FeederIndex, MilliWatts),
    /// The feeder draws again what hangs on it.
    Release(FeederIndex),
    /// The meter is wired otherwise.
    Rewire(u8, Wiring),
    /// Only so many millionths of current, power and energy arrive at the meter: shunts on all current
    /// transformers, or somebody in the middle who divides.
    Gain(u8, u32),
    /// The current ratio in the meter is edited.
    CtRatio(u8, Ratio),
    /// The voltage ratio in the meter is edited.
    PtRatio(u8, Ratio),
    /// A register of the meter answers this word, or itself again.
    Register(u8, Function, u16, Option<u16>),
    /// The meter has no value for a quantity.
    Absent(u8, Quantity),
    /// It has again.
    Present(u8, Quantity),
    /// The meter answers for ever what it answers now.
    Freeze(u8),
    /// It answers the truth again.
    Thaw(u8),
    /// Something else answers in the meter's place: nominal voltages, no current, energies that stand still, and a
    /// clock that runs. `Thaw` ends it.
    Textbook(u8),
    /// The meter's answers are recorded from now on, for two hours at the most.
    Record(u8),
    /// What was recorded is answered, over and over. `Thaw` ends it.
    Replay(u8),
    /// The unit answers what another unit's meter answers. `Thaw` ends it.
    Relay(u8, u8),
    /// The meter and the one that lies ready for its place are exchanged; each keeps its registers.
    Exchange(u8),
    /// The meter loses its auxiliary supply: its gateway answers for it that nobody answers.
    Darken(u8),
    /// It is supplied again; its uptime starts anew.
    Power(u8),
    /// Its energy registers are set to zero.
    ResetRegisters(u8),
    /// Its register of imported energy is turned back by so much.
    RollBack(u8, WattHours),
    /// Its highest demand is cleared.
    ClearDemand(u8),
    /// Its clock is moved by so many seconds.
    ShiftClock(u8, i64),
    /// Another meter of the family answers, or one that says so: another serial number.
    Serial(u8, String),
    /// The firmware in the meter is another.
    Firmware(u8, String),
    /// A setting of the meter is edited: its wiring word ([`Fact::Network`]), its phases, its application.
    Setting(u8, Fact, i64),
    /// Another nameplate stands in the block that begins at this register.
    Plate(u8, u16, Nameplate),
}
