//! Coldhearth proves that a furnace ordered cold stays cold: it proves a negative on the adversary's own premises.
//!
//! ```text
//! bin -> agent | regulator -> host -> evidence -> judge -> catalogue, metering -> terms
//! ```
//!
//! | room | | may see |
//! |---|---|---|
//! | [`terms`] | pure | nothing |
//! | [`catalogue`] | pure | `terms` |
//! | [`metering`] | pure | `terms` |
//! | [`judge`] | pure | `terms`, `catalogue`, `metering` |
//! | [`evidence`] | pure | all pure rooms |
//! | `host` | I/O | `terms`, `evidence` |
//! | `agent` | I/O | all pure rooms, `host` |
//! | `regulator` | I/O | all pure rooms, `host` |
//!
//! `agent` and `regulator` never see each other; nothing here knows the simulator. `tests/tidy.rs` is the referee.
//!
//! Invariants:
//! - A missing reading is never zero and never the last value again. Doubt is `Unknown`, with a reason.
//! - Judge, sign, append, fsync; only then publish.
//! - Time and randomness are arguments; only `host::clock` asks for the time.
//! - No float lives past `metering::decode`.
//! - No code path can write a register or a coil.

pub mod catalogue;
pub mod evidence;
pub mod host;
pub mod judge;
pub mod metering;
pub mod terms;

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "regulator")]
pub mod regulator;
