//! The verbs of `coldhearth-sim`, one file each: what its command line takes, and what it does with it.

pub(crate) mod demo;
pub(crate) mod fleet;
pub(crate) mod judge;
pub(crate) mod play;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod truth;
