//! Coldhearth: proves that a furnace ordered cold stays cold.
pub mod catalogue;
pub mod metering;
pub mod terms;
