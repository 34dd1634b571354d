//! PURE. What must be eliminated: the law as dated files of entries, what regions add to it, the nameplate of a piece of
//! equipment, and where it stands before the law on a day.
//!
//! [`Catalogue`] is one instrument, [`Overlay`] one region's tightening, [`Rules`] all of them united;
//! [`Rules::classify`] weighs a [`CasePlate`] in three-valued logic and gives a [`Classification`].
//!
//! May not: see any room but `terms`, do I/O, read a clock, hold a float.

pub mod breakdown;
pub mod case;
pub mod classification;
pub mod entry;
pub mod exact;
pub mod facts;
pub mod instrument;
pub mod lead;
mod lint;
pub mod overlay;
pub mod plate;
pub mod plates;
mod read;
pub mod roster;
pub mod rules;
mod service;
pub mod standing;
mod truth;
mod weigh;

pub use case::{Case, CasePlate, Claim, Datum};
pub use classification::Classification;
pub use entry::{Bilingual, Entry, EntryId, Source, WitnessPlan};
pub use exact::Exact;
pub use instrument::Catalogue;
pub use overlay::Overlay;
pub use plate::{Attribute, Nameplate, PlateFault};
pub use plates::{Difference, Edit, PlateSource, Plates, Remembered, Surroundings, Turn};
pub use roster::{Listed, Roster};
pub use rules::Rules;
pub use standing::{Citation, Class, Phase, Rostered, Rule, Ruling, Standing, Witness};

#[cfg(test)]
mod tests;
