//! PURE. What must be eliminated: the nameplate of a piece of equipment and its standing under the law.
//!
//! May not: see any room but `terms`, do I/O, read a clock, hold a float.

pub mod plate;
pub mod standing;

pub use plate::{Attribute, Nameplate, PlateFault};
pub use standing::{Citation, Class, Phase, Rostered, Rule, Ruling, Standing, Witness};
