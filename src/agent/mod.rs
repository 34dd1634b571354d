//! I/O on the gateway: meters in, records out. One loop owns the judge; buses, scribe and uplink only carry messages.
//!
//! May not: see `regulator`, write to a meter. Waits point one way, bus to site to scribe to disk, so nothing can
//! deadlock: a slow disk delays polls and shows as unaccounted time, and nothing said is dropped.

pub mod address;
pub mod attested;
pub mod bus;
mod buses;
pub mod commission;
pub mod config;
pub mod endpoint;
mod enrol;
pub mod export;
pub mod inside;
pub mod journal;
pub mod letters;
pub mod live;
pub mod outbox;
pub mod own_copy;
pub mod power;
pub mod reload;
pub mod reminder;
mod renew;
pub mod reserve;
pub mod run;
pub mod salvage;
pub mod scribe;
pub mod setup;
mod start;
pub mod timekeeping;
pub mod uplink;

pub use config::AgentConfig;
pub use enrol::enrol;
pub use export::export;
pub use run::{run, run_reloading};
