//! PURE. Is it drawing power, and may it? Facts and the time in, findings out.
//!
//! May not: do I/O, read a clock, hold a float, allocate in the steady state, see `evidence` or any I/O room.
//! There is no error here: doubt is [`State::Unknown`], with a reason.

#[macro_use]
mod worded;

pub mod accuracy;
pub mod allowance;
pub mod balance;
pub mod beside;
pub mod commission;
pub mod counter;
pub mod cutoff;
pub mod cycle;
pub mod dark;
pub mod drawing;
pub mod duty;
pub mod edge;
pub mod event;
pub mod feeder;
pub mod floor;
pub mod grounds;
pub mod kept;
pub mod leave;
pub mod ledger;
pub mod line;
pub mod memory;
pub mod permit;
pub mod pulses;
pub mod register;
pub mod shown;
pub mod sign;
pub mod site;
pub mod state;
pub mod verdict;
pub mod window;

pub use accuracy::{Accuracy, Classes};
pub use allowance::{Allowance, AllowanceKind};
pub use balance::{BalanceFinding, Corroboration, Coupler, Doubt, Group, Losses, Outcome};
pub use commission::{Commissioned, Equipment, Promised, Role, VoltagePoint, Wiring};
pub use cutoff::{OrderAct, Rung, Transition};
pub use dark::{Dark, DarkMeter, Ending};
pub use drawing::Proof;
pub use duty::Papers;
pub use event::{ClassChange, DeadlineWarning, Event, MeterTold, PlateRead, RegisterEvent, RegisterQuirk};
pub use feeder::StateFinding;
pub use floor::{Floor, Measured};
pub use grounds::{Grounds, Inspect, Inspections, Parameters};
pub use leave::PermitUse;
pub use ledger::{Interval, Shares};
pub use memory::{EquipmentMemory, Mark, Memory, MeterMemory};
pub use permit::{Permit, Permitted};
pub use sign::{Figure, Figures, Grade, Sign, SignFinding, SignSet, StandingSign, Turn};
pub use site::{Reads, Site};
pub use state::{State, Why};
pub use verdict::Verdict;
pub use window::{Excess, Span, Window, Windows};

use crate::{catalogue::Roster, metering::Sample, terms::AssetId};

/// Everything that may happen to the witness. The only way in.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A poll came to its end.
    Sample(&'a Sample),
    /// Time passed; silence becomes doubt without a reading.
    Tick,
    /// The authority permits something, or changes what it permitted.
    Permit(&'a Permit),
    /// The authority lists what is to be eliminated.
    Roster(&'a Roster),
    /// The authority opens the latch on this equipment.
    Reset(AssetId),
    /// Something is done about a cut-off order.
    Order(&'a OrderAct),
    /// The point before the feeders of this equipment is open from here on (`true`), or no longer, as a breaker tells. An
    /// order that was seen to be executed says it of its own points by itself.
    Isolated(AssetId, bool),
    /// Somebody asks for the verdict on this equipment now.
    Ask(AssetId),
}

/// Everything the witness may say. The only way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A feeder changed its state.
    State(StateFinding),
    /// A feeder's interval ended: time and energy accounted for.
    Interval(Interval),
    /// What this means for a piece of equipment.
    Verdict(Verdict),
    /// One step of a cut-off order.
    Transition(Transition),
    /// Something an auditor must know.
    Event(Event),
}
