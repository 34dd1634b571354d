//! I/O that both programs need of the world: clock, MQTT, certificates, configuration layers, database, keys, signals,
//! the service manager, exit codes.
//!
//! May not: see `agent` or `regulator`, judge anything. Knows `terms` and `evidence`. Without the feature `host` only
//! what an auditor's offline tool needs remains.

pub mod exit;
pub mod explain;
pub mod out;
pub mod public_key;

#[cfg(feature = "host")]
pub mod alone;
#[cfg(feature = "host")]
pub mod bundle;
#[cfg(feature = "host")]
pub mod clock;
#[cfg(feature = "host")]
pub mod courier;
#[cfg(feature = "host")]
pub mod credentials;
#[cfg(feature = "host")]
pub mod database;
#[cfg(feature = "host")]
pub mod exposition;
#[cfg(feature = "host")]
pub mod forms;
#[cfg(feature = "host")]
pub mod hush;
#[cfg(feature = "host")]
pub mod kernel_clock;
#[cfg(feature = "host")]
pub mod keys;
#[cfg(feature = "host")]
pub mod layers;
#[cfg(feature = "host")]
pub mod lines;
#[cfg(feature = "host")]
pub mod logging;
#[cfg(feature = "host")]
pub mod memory;
#[cfg(feature = "host")]
pub mod notify;
#[cfg(feature = "host")]
pub mod private;
#[cfg(feature = "host")]
pub mod scrub;
#[cfg(feature = "host")]
pub(crate) mod secret_file;
#[cfg(feature = "host")]
pub mod service;
#[cfg(feature = "host")]
pub mod text;
#[cfg(feature = "host")]
pub mod watchdog;
#[cfg(feature = "host")]
pub mod worry;

#[cfg(feature = "host")]
pub use clock::{Clock, SystemClock};
pub use exit::{Exit, Failure};
