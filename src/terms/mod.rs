//! PURE. The few words every room uses: time, quantities, names, places, digests, keys, and one mistake in a file.
//!
//! May not: see another room, do I/O, read a clock, hold a float.

pub mod digest;
pub mod flaw;
pub mod form;
pub mod json;
pub mod key_id;
pub mod name;
pub mod place;
pub mod quantity;
pub mod time;
pub mod words;

pub use digest::Digest;
pub use flaw::{Flaw, Flaws};
pub use key_id::KeyId;
pub use name::{AssetId, GatewayId, MeterId, Name, OrderId};
pub use quantity::{Decimal, MilliAmps, MilliHertz, MilliVolts, MilliWatts, Ratio, WattHours};
pub use time::{ClockQuality, LegalDay, Stamp};
