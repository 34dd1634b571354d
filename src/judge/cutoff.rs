//! Cut-off orders: the authority orders a cut, the supplier cuts, the gateway witnesses whether the power is gone and stays
//! gone. It never switches.
//!
//! One machine, [`CutOff`], executed at the gateway and replayed by everybody else: [`table`] says where an order goes upon
//! which cue, [`hold`] what must have been proven before, and each step is a [`Transition`] in the log with actor, reason
//! and evidence. A replayer takes the acts, transitions and notes of a log in their order and refuses an impossible step.
//!
//! What leads to `verified`: an order in force; every point without voltage while its meter provably lives, or, of a meter
//! that is fed by what is cut, still at the meter upstream or at the supplier's own, and the transition says which;
//! registers still; held long enough, through nights and weekends, with few gaps; and the supplier's own reading in
//! agreement. Silence never advances it.

pub mod agreed;
pub mod deed;
pub mod execution;
pub mod fitness;
mod growth;
pub mod hold;
pub mod holds;
mod machine;
pub mod order;
pub mod orders;
mod power;
pub mod reading;
pub mod reconcile;
pub mod registers;
mod replay;
pub mod rung;
pub mod stand;
pub mod table;
mod watched;
pub mod window;
mod words;

pub use agreed::Agreed;
pub use deed::{Claim, Deed, OrderAct};
pub use fitness::Unfit;
pub use hold::{Hold, Lack, Recent};
pub use holds::Holds;
pub use machine::{CutOff, OutOfTurn, Said};
pub use order::{Carrier, Order, Point, SafeState, UtilityMeter};
pub use orders::{OrderMemory, Orders};
pub use reading::{Agreement, UtilityReading};
pub use reconcile::Reconciliation;
pub use registers::Registers;
pub use replay::Impossible;
pub use rung::Rung;
pub use stand::{HoldNote, Stand};
pub use table::{Cue, Way};
pub use watched::Seen;

use crate::terms::{AssetId, Digest, Name, OrderId};

/// Most pieces of evidence one step may name.
pub const MAX_EVIDENCE: usize = 16;
/// Most orders one gateway remembers, ended ones included.
pub const MAX_ORDERS: usize = 64;
/// Who moved an order where no act did: the witness, by what the meters show.
pub const AGENT: &str = "agent";

/// One step of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Of which order.
    pub order: OrderId,
    /// On which equipment.
    pub asset: AssetId,
    /// Where it stood.
    pub from: Rung,
    /// Where it stands now.
    pub to: Rung,
    /// Who moved it: an authority's name, or `agent`.
    pub actor: Name,
    /// Why, in the words of the machine.
    pub why: Name,
    /// Hashes of the records and acts it rests on.
    pub evidence: Vec<Digest>,
    /// All of how it stands now; records of older versions do not say.
    pub stand: Option<Stand>,
}

#[cfg(test)]
pub(super) mod tests;
