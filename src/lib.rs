//! Coldhearth: proves that a furnace ordered cold stays cold.
pub mod catalogue;
pub mod evidence;
pub mod judge;
pub mod metering;
pub mod terms;
