//! I/O at the authority: attestations in, what they mean out.
//!
//! May not: see `agent`. A message is shown as evidence only after its signature was checked; everything else is a
//! problem or a hint, and is called so.

mod acks;
pub mod acts;
pub mod alarms;
pub mod archive;
mod carry;
pub mod certificate;
pub mod collector;
pub mod config;
pub mod console;
pub mod contract;
pub mod conviction;
mod desk;
pub mod due;
pub mod findings;
pub mod foreign;
pub mod inspect;
pub mod lineage;
mod logs;
pub mod moved;
pub mod newer;
pub mod orders;
pub mod page;
pub mod prune;
pub mod refusals;
pub mod reindex;
pub mod remarks;
pub mod reports;
pub mod serve;
pub mod share;
pub mod sight;
pub mod store;
pub mod sums;
pub mod support;
pub mod timeline;
mod undone;
pub mod utility;
pub mod vitals;
pub mod watch;
pub mod watched;

pub use watch::{WatchOrders, watch};
